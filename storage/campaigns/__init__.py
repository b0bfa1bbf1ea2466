"""Announcements: what is to be said, when it starts, and what became of it for every reader."""
