"""Somebody in charge bans a parent through a case, and takes it back."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from handlers.cases import banning
from handlers.errors import HelpdeskError
from handlers.messages import Button, Outgoing, Rows
from handlers.staff import handling
from handlers.texts import abuse as texts
from handlers.texts import basics
from handlers.turn import Turn, number_in, rows
from storage import bans, casework, journal, people, staff
from storage.bans import Ban
from storage.people import Person
from storage.staff import Member
from storage.ticket import Ticket

PAGE = 8
"""People on one page of the list: each has a line and a button."""


async def command(turn: Turn, member: Member, text: str) -> None:
    """`/ban 15`: whoever asked question 15; a button makes sure that it is meant."""
    number = number_in(text.lstrip("№# ").strip())
    if not number:
        await show(turn, member)
        return
    ticket = await casework.seen(turn.tx, turn.scope(member), number)
    if ticket is None:
        raise HelpdeskError(basics.TICKET_UNKNOWN)
    await ban(turn, member, ticket, "")


async def ban(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:
    """«Заблокировать»: asks first, and does it when that is confirmed."""
    parent = await _parent(turn, member, ticket)
    if detail != "yes":
        button = Button(texts.BUTTON_BAN, f"ban:{ticket.id}:yes")
        asked = texts.ban_for_sure(ticket.id, parent.name)
        await turn.send(Outgoing(turn.address, asked, rows([button]), ticket_id=ticket.id))
        return
    # The parent's own events wait for us: no message of theirs slips in between.
    if await people.hold(turn.tx, parent.id) is None:
        raise HelpdeskError(texts.GONE)
    await _parent(turn, member, ticket)
    if not await bans.ban(turn.tx, turn.scope(member), ticket.id, now=turn.now):
        raise HelpdeskError(texts.NOT_DONE)
    await _note(turn, member, ticket, "banned")
    closed = await banning.close_all(
        turn,
        parent.id,
        actor=f"staff:{member.id}",
        whose=handling.whose(member, ticket),
        but=turn.here,
    )
    await turn.say(texts.banned(ticket.id, closed), remember=False)


async def lift(turn: Turn, member: Member, ticket: Ticket, _: str) -> None:
    """«Снять»: the parent hears nothing of it, they are just answered again."""
    await _refuse_without_right(turn, member)
    if await bans.lift(turn.tx, turn.scope(member), ticket.id) is None:
        raise HelpdeskError(texts.NOT_BANNED)
    await _note(turn, member, ticket, "unbanned")
    await turn.say(texts.lifted(ticket.id), remember=False)


async def show(turn: Turn, member: Member, _: str = "") -> None:
    """`/bans`: who is banned, each with a button that takes it back."""
    await press(turn, member, "0")


async def press(turn: Turn, member: Member, argument: str) -> None:
    """`bans:2`: a page of the list."""
    await _refuse_without_right(turn, member)
    scope = turn.scope(member)
    count = await bans.count(turn.tx, scope)
    if not count:
        await turn.say(f"{texts.NOBODY} {texts.HOW_TO}", remember=False)
        return
    page = min(number_in(argument), (count - 1) // PAGE)
    shown = await bans.listed(turn.tx, scope, limit=PAGE, offset=page * PAGE)
    text = texts.bans([_line(turn, each) for each in shown], count)
    lifting = [
        Button(texts.BUTTON_LIFT.format(number=each.ticket_id), f"unban:{each.ticket_id}") for each in shown
    ]
    await turn.say(text, (*rows(lifting), *_paging(page, count)), remember=False)


async def _parent(turn: Turn, member: Member, ticket: Ticket) -> Person:
    """Whom the case is about, as they are now; refuses where they cannot be banned by this member."""
    await _refuse_without_right(turn, member)
    parent = await people.find(turn.tx, ticket.person_id)
    if parent is None:
        raise HelpdeskError(texts.GONE)
    if parent.banned_at is not None:
        raise HelpdeskError(texts.is_banned(ticket.id))
    if await staff.of_person(turn.tx, parent.id) is not None:
        raise HelpdeskError(texts.IS_STAFF)
    return parent


async def _refuse_without_right(turn: Turn, member: Member) -> None:
    if not await bans.may_ban(turn.tx, turn.scope(member)):
        raise HelpdeskError(texts.ASK_COORDINATOR)


def _line(turn: Turn, each: Ban) -> str:
    day = each.since.astimezone(ZoneInfo(turn.knowledge.region.timezone)).strftime("%d.%m.%Y")
    return texts.ban_line(each.ticket_id, each.name, each.channel, day, each.by)


def _paging(page: int, count: int) -> Rows:
    ways = []
    if page > 0:
        ways.append(Button("‹", f"bans:{page - 1}"))
    if (page + 1) * PAGE < count:
        ways.append(Button("›", f"bans:{page + 1}"))
    return (tuple(ways),) if ways else ()


async def _note(turn: Turn, member: Member, ticket: Ticket, deed: str) -> None:
    await journal.note(
        turn.tx, deed, actor=f"staff:{member.id}", now=turn.now, ticket_id=ticket.id, topic=ticket.topic
    )
