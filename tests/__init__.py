"""Conversations and promises."""
