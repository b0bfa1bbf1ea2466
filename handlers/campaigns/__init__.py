"""Announcements: when they start, how they are written, and how people steer them."""
