"""A school year's first week with everybody in it, on two messengers, and checks that never sleep."""
