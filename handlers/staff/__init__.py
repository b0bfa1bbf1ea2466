"""The people who answer: how they join and how they work."""
