"""A deed that the helpdesk refuses; anything else that escapes a handler is a bug."""

from __future__ import annotations


class HelpdeskError(Exception):
    """A refused deed; the text is one sentence for whoever asked for it."""
