"""How a parent's rude words are shown to the staff: after a mark, never in the first line."""

from __future__ import annotations

from faq.markup import escape
from faq.rude import is_rude

MARK = "⚠ грубая лексика"


def after(head: str, text: str) -> str:
    """A parent's words under a heading; rude ones are pushed below a mark. The heading is escaped already."""
    return f"{head} {MARK}\n\n{escape(text)}" if is_rude(text) else f"{head}\n{escape(text)}"


def inline(head: str, text: str) -> str:
    """A parent's words on a line of a thread."""
    return f"{head} {MARK}\n{escape(text)}" if is_rude(text) else f"{head} {escape(text)}"
