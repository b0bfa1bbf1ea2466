"""A case goes where somebody answers: up when it is late, back to its desk when its owner is lost."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from handlers.cases import deadlines, desks, showing
from handlers.messages import Address, Button, Outgoing
from handlers.texts import basics
from handlers.texts import time as texts
from handlers.turn import Deed, rows
from storage import conversations, due, journal, people
from storage.people import Person
from storage.ticket import Desk, Ticket

PARENTS_FROM, PARENTS_UNTIL = 9, 20
"""Hours of the region's day in which a parent is written to without having asked just now."""


async def move_up(deed: Deed, ticket: Ticket) -> bool:
    """Give a case past its deadline to the next desk above where there is somebody; False if that is not so.

    It waits until the people above work and the parent may be told. The lower desk still sees the case; it
    is told now if it works now, or else by its next digest.
    """
    before, above = ticket.desk, desks.above(ticket.desk)
    if above is None or not may_tell_parents(deed):
        return False
    parent = await people.hold(deed.tx, ticket.person_id)
    to = await desks.first_alive(deed.tx, above)
    if not await _is_open(deed, to):
        return False
    moved = await due.move_overdue(deed.tx, ticket, to, now=deed.now)
    if moved is None:
        return False
    moved = await deadlines.begin(deed, moved)
    was_answered, name = ticket.state == "answered", _name(deed, to)
    await _note(deed, moved, texts.note_late(before, to=name, was_answered=was_answered))
    await _journal(deed, moved, before, why="late")
    await showing.show_card(deed, moved, lead=texts.lead_late(before, moved, was_answered=was_answered))
    if await _is_open(deed, before):
        told = texts.moved_away(moved, to=name, was_answered=was_answered)
        await _tell_desk(deed, before, moved, told)
    await _tell_parent(
        deed, moved, parent, texts.parent_late(moved.id, before, to=name, was_answered=was_answered)
    )
    return True


async def orphan(deed: Deed, staff_id: int) -> int:
    """The member leaves, or was revoked: their cases go back to the desk; returns how many.

    What cannot be shown now, because nobody works at this hour, goes back when somebody does.
    """
    gone = [await give_back(deed, ticket) for ticket in await due.owned_by(deed.tx, staff_id)]
    return sum(gone)


async def give_back(deed: Deed, ticket: Ticket) -> bool:
    """Nobody has the case any more: its desk gets the card again, or, where nobody is left, those above."""
    to = await _first_that_reads(deed, ticket.desk)
    if not await _is_open(deed, to):
        return False
    if to.level != ticket.level:
        return await _move_from_nobody(deed, ticket, to)
    freed = await due.clear_owner(deed.tx, ticket)
    if freed is None:
        return False
    await _journal(deed, freed, to, why="ownerless")
    await showing.show_card(deed, freed, lead=texts.OWNERLESS)
    return True


def may_tell_parents(deed: Deed) -> bool:
    """Whether it is an hour at which parents are written to."""
    local = deed.now.astimezone(ZoneInfo(deed.knowledge.region.timezone))
    return PARENTS_FROM <= local.hour < PARENTS_UNTIL


async def _first_that_reads(deed: Deed, desk: Desk) -> Desk:
    """A group reads although none of its members can be written to alone."""
    places = await desks.places(deed.tx, desk)
    return desk if any(each.is_group for each in places) else await desks.first_alive(deed.tx, desk)


async def _move_from_nobody(deed: Deed, ticket: Ticket, to: Desk) -> bool:
    if not may_tell_parents(deed):
        return False
    parent = await people.hold(deed.tx, ticket.person_id)
    before = ticket.desk
    moved = await due.move_ownerless(deed.tx, ticket, to)
    if moved is None:
        return False
    moved = await deadlines.begin(deed, moved)
    await _note(deed, moved, texts.note_nobody(to=_name(deed, to)))
    await _journal(deed, moved, before, why="nobody")
    await showing.show_card(deed, moved, lead=texts.NOBODY_THERE)
    await _tell_parent(deed, moved, parent, texts.parent_nobody(moved.id, to=_name(deed, to)))
    return True


async def _is_open(deed: Deed, desk: Desk) -> bool:
    return (await deadlines.calendar_at(deed, desk)).is_open(deed.now)


def _name(deed: Deed, desk: Desk) -> str:
    return texts.desk_name(desk, ministry=deed.knowledge.region.ministry)


async def _note(deed: Deed, ticket: Ticket, text: str) -> None:
    await conversations.add_message(
        deed.tx, ticket.conversation_id, author="note", text=text, ticket_id=ticket.id, now=deed.now
    )


async def _journal(deed: Deed, ticket: Ticket, before: Desk, *, why: str) -> None:
    details = {"from": before.level, "to": ticket.level, "why": why}
    deed_name = due.MOVED_UP if before.level != ticket.level else "owner_lost"
    await journal.note(
        deed.tx,
        deed_name,
        actor="bot",
        now=deed.now,
        ticket_id=ticket.id,
        topic=ticket.topic,
        details=details,
    )


async def _tell_desk(deed: Deed, desk: Desk, ticket: Ticket, text: str) -> None:
    button = Button(basics.BUTTON_SHOW.format(number=ticket.id), f"card:{ticket.id}")
    for reader in await desks.places(deed.tx, desk):
        message = Outgoing(
            reader.to,
            text,
            rows([button]),
            ticket_id=ticket.id,
            priority="notice",
            topic=basics.topic_title(ticket),
        )
        await deed.send(message)


async def _tell_parent(deed: Deed, ticket: Ticket, parent: Person | None, text: str) -> None:
    if parent is None or parent.unreachable is not None or parent.banned_at is not None:
        return
    message_id = await conversations.add_message(
        deed.tx, ticket.conversation_id, author="bot", text=text, ticket_id=ticket.id, now=deed.now
    )
    to = Address(parent.channel, parent.chat_id)
    await deed.send(Outgoing(to, text, priority="notice"), message_id=message_id)
