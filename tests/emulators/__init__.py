"""Servers that behave like the messengers, on loopback."""
