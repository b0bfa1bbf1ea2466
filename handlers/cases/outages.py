"""A declared outage: where it is, who reads of it first, and who hears that it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from handlers.cases import desks, moving
from handlers.knowledge import Knowledge
from handlers.messages import Address, Button, Outgoing
from handlers.texts import outages as texts
from handlers.turn import Deed, Turn, place, rows
from storage import conversations, family, outages, people, schools, staff, tickets
from storage.database import Database
from storage.outages import Outage, Told
from storage.schools import School
from storage.ticket import Desk

PORTION = 100
"""People told of the end in one transaction: others must not wait for thousands."""
ASKED_AGAIN = timedelta(hours=24)
"""So often somebody is asked whether an outage lasts: it must not be forgotten."""


async def tell_first(turn: Turn) -> None:
    """Before anything else, tell a parent of each outage where their children are; each outage once."""
    lasting = await outages.lasting(turn.tx)
    if not lasting:
        return
    own = await _schools_of(turn)
    for outage in lasting:
        if _concerns(outage.desk, own) and await outages.note_told(
            turn.tx, outage.id, turn.person.id, now=turn.now
        ):
            await turn.say(texts.notice(outage.text))


async def where(deed: Deed, desk: Desk) -> str:
    """The place of an outage in words."""
    if desk.level == "ministry":
        return texts.EVERYWHERE
    if desk.level == "municipal":
        return desk.municipality
    school = await schools.find(deed.tx, desk.school_id or 0)
    return school.name if school is not None else ""


async def look(database: Database, knowledge: Knowledge, *, now: Callable[[], datetime]) -> bool:
    """Tell those who are still to hear of an end, and ask whether what lasts long still lasts.

    Safe to miss, to repeat and to be late; returns whether anything was said.
    """
    said = False
    while True:
        async with database.reading() as tx:
            deed = Deed(tx, now(), knowledge)
            waiting = await outages.to_be_told_of_end(tx, limit=PORTION)
            if not waiting or not moving.may_tell_parents(deed):
                break
        async with database.transaction() as tx:
            await _tell_end(Deed(tx, now(), knowledge), waiting)
        said = True
    async with database.reading() as tx:
        forgotten = await outages.unconfirmed(tx, asked_before=now() - ASKED_AGAIN)
    for outage in forgotten:
        async with database.transaction() as tx:
            said |= await _ask_whether_it_lasts(Deed(tx, now(), knowledge), outage)
    return said


async def _tell_end(deed: Deed, waiting: Iterable[Told]) -> None:
    for told in waiting:
        if not await outages.note_end_told(deed.tx, told, now=deed.now):
            continue
        person = await people.find(deed.tx, told.person_id)
        if person is None or person.unreachable is not None or person.banned_at is not None:
            continue
        text = texts.is_over(told.text)
        talk = await conversations.of_person(deed.tx, person.id, now=deed.now)
        message_id = await conversations.add_message(deed.tx, talk.id, author="bot", text=text, now=deed.now)
        to = Address(told.channel, told.chat_id)
        await deed.send(Outgoing(to, text, priority="notice"), message_id=message_id)


async def _ask_whether_it_lasts(deed: Deed, outage: Outage) -> bool:
    if not moving.may_tell_parents(deed) or not await outages.note_asked(deed.tx, outage, now=deed.now):
        return False
    member = await staff.find(deed.tx, outage.declared_by or 0)
    if member is not None and member.revoked_at is None:
        readers = [place(member)]
    else:
        readers = [each.to for each in await desks.places(deed.tx, outage.desk)]
    text = texts.does_it_last(outage.text, await where(deed, outage.desk))
    buttons = rows(
        [
            Button(texts.BUTTON_END, f"outage:end:{outage.id}"),
            Button(texts.BUTTON_LASTS, f"outage:lasts:{outage.id}"),
        ]
    )
    for to in readers:
        await deed.send(Outgoing(to, text, buttons, priority="notice"))
    return True


async def _schools_of(turn: Turn) -> list[School]:
    """The schools of this family that we know of."""
    numbers = {turn.state.school_id or 0}
    numbers |= {child.school_id or 0 for child in await family.children_of(turn.tx, turn.person.id)}
    if turn.conversation.ticket_id is not None:
        ticket = await tickets.find(turn.tx, turn.conversation.ticket_id)
        numbers.add((ticket.school_id if ticket is not None else None) or 0)
    return list((await schools.some(turn.tx, numbers - {0})).values())


def _concerns(desk: Desk, own: Iterable[School]) -> bool:
    if desk.level == "ministry":
        return True
    if desk.level == "municipal":
        return any(school.municipality == desk.municipality for school in own)
    return any(school.id == desk.school_id for school in own)
