"""«Мои», «Новые», «Просроченные» and all: lists of cases in pages that fit a phone."""

from __future__ import annotations

from datetime import datetime

from faq.text import small_talk
from handlers.cases import deadlines
from handlers.messages import Button, Rows
from handlers.texts import basics as texts
from handlers.texts import lists as said
from handlers.turn import Turn, number_in, rows
from storage import casework, conversations
from storage.casework import Listing
from storage.conversations import Glance
from storage.staff import Member
from storage.ticket import Ticket

PAGE = 6
"""Cases on a page: a screen of a phone."""
IN_A_ROW = 3
LONGEST_PAGE_NUMBER = 10_000
LISTINGS: tuple[Listing, ...] = ("mine", "new", "overdue", "open")


async def mine(turn: Turn, member: Member, _: str = "") -> None:
    """«/my»."""
    await show(turn, member, "mine")


async def new(turn: Turn, member: Member, _: str = "") -> None:
    """«/new»."""
    await show(turn, member, "new")


async def overdue(turn: Turn, member: Member, _: str = "") -> None:
    """«/overdue»."""
    await show(turn, member, "overdue")


async def everything(turn: Turn, member: Member, _: str = "") -> None:
    """«/open»: all that is open."""
    await show(turn, member, "open")


async def press(turn: Turn, member: Member, argument: str) -> None:
    """A button whose payload begins with `list:`; an unknown list is the one of all."""
    name, _, page = argument.partition(":")
    listing: Listing = name if name in LISTINGS else "open"
    await show(turn, member, listing, page=min(number_in(page), LONGEST_PAGE_NUMBER))


async def show(turn: Turn, member: Member, listing: Listing, *, page: int = 0) -> None:
    """One page of a list, with a button for each case and the ways to the other lists."""
    scope = turn.scope(member)
    counts = {each: await casework.count(turn.tx, scope, each, now=turn.now) for each in LISTINGS}
    count = counts[listing]
    page = min(page, max(count - 1, 0) // PAGE)
    shown = await casework.listed(turn.tx, scope, listing, now=turn.now, limit=PAGE, offset=page * PAGE)
    others = [each for each in LISTINGS if each != listing and counts[each]]
    ways = tuple(Button(said.with_count(each, counts[each]), f"list:{each}") for each in others)
    if not shown:
        await turn.say(said.EMPTY[listing], rows(ways), remember=False)
        return
    glances = await conversations.glances(turn.tx, [ticket.id for ticket in shown])
    has_several = len({ticket.school for ticket in shown}) > 1 or len(member.school_ids) != 1
    lines = [_line(turn, ticket, glances[ticket.id], has_several=has_several) for ticket in shown]
    text = said.page(listing, count, lines, page=page, pages=(count - 1) // PAGE + 1)
    await turn.say(text, (*_numbers(shown), *_paging(listing, page, count), *rows(ways)), remember=False)


def _line(turn: Turn, ticket: Ticket, glance: Glance, *, has_several: bool) -> str:
    marks = deadlines.describe(turn, ticket)
    return said.line(
        ticket.id,
        school=ticket.school if has_several else "",
        words=_first_words(ticket, glance),
        urgent=ticket.urgent,
        deadline=marks[0] if marks else "",
        waits=_waits(ticket, glance) is not None,
    )


def _waits(ticket: Ticket, glance: Glance) -> datetime | None:
    return ticket.created_at if ticket.state == "waiting" else glance.unanswered_since


def _first_words(ticket: Ticket, glance: Glance) -> str:
    # A greeting tells nothing, and the school stands on the line already.
    telling = [text for text in glance.words if small_talk(text) is None and text.strip() != ticket.school]
    return " · ".join(telling or glance.words)


def _numbers(shown: list[Ticket]) -> Rows:
    buttons = [Button(texts.BUTTON_SHOW.format(number=ticket.id), f"card:{ticket.id}") for ticket in shown]
    return tuple(tuple(buttons[start : start + IN_A_ROW]) for start in range(0, len(buttons), IN_A_ROW))


def _paging(listing: Listing, page: int, count: int) -> Rows:
    ways = []
    if page > 0:
        ways.append(Button("‹", f"list:{listing}:{page - 1}"))
    if (page + 1) * PAGE < count:
        ways.append(Button("›", f"list:{listing}:{page + 1}"))
    return (tuple(ways),) if ways else ()
