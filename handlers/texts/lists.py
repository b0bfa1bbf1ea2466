"""Sentences of the lists of cases. Russian, short, one case a line.

Functions take what a person typed already raw and escape it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape
from handlers.texts import basics as texts
from storage.casework import Listing

EMPTY: dict[Listing, str] = {
    "open": texts.NO_OPEN_TICKETS,
    "new": "Новых вопросов нет.",
    "mine": "За вами открытых вопросов нет.",
    "overdue": "Просроченных вопросов нет.",
    "closed": "Закрытых вопросов нет.",
}
_TITLES: dict[Listing, str] = {
    "open": texts.BUTTON_OPEN_LIST,
    "new": "Новые вопросы",
    "mine": "Мои вопросы",
    "overdue": "Просроченные вопросы",
    "closed": "Закрытые вопросы",
}
_SHORT: dict[Listing, str] = {
    "open": "Все",
    "new": "Новые",
    "mine": "Мои",
    "overdue": "Просроченные",
    "closed": "Закрытые",
}
_WORDS = 70
"""Characters of the parent's words on a line: two lines of a phone."""


def with_count(listing: Listing, count: int) -> str:
    """The button that leads to a list."""
    return f"{_SHORT[listing]}: {count}"


def page(listing: Listing, count: int, lines: Sequence[str], *, page: int, pages: int) -> str:
    """A page of a list under its heading; `page` counts from 0."""
    where = f" (страница {page + 1} из {pages})" if pages > 1 else ""
    return "\n\n".join([f"**{_TITLES[listing]}: {count}**{where}", *lines])


def line(number: int, *, school: str, words: str, urgent: bool, deadline: str, waits: bool) -> str:
    """One case: what is pressing first, then the parent's words."""
    marks = [f"**№ {number}**"]
    if urgent:
        marks.append("**срочно**")
    if school:
        marks.append(escape(school))
    if deadline:
        marks.append(deadline)
    if not waits:
        marks.append("отвечено")
    short = " ".join(words.split())
    short = short if len(short) <= _WORDS else short[:_WORDS].rstrip() + "…"
    return " · ".join(marks) + (f"\n{escape(short)}" if short else "")
