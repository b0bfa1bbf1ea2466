"""One trouble of many families of a school: one card for the staff, one answer for all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from handlers.cases import desks, showing
from handlers.messages import Address, Button, Outgoing, Rows
from handlers.texts import basics
from handlers.texts import incidents as texts
from handlers.texts import staff as texts_staff
from handlers.turn import Deed, attachments_of, files_of, rows
from storage import conversations, people, schools, tickets
from storage import incidents as stored
from storage.conversations import Message
from storage.database import Database
from storage.incidents import Incident
from storage.ticket import Desk, Ticket

FAMILIES = 3
"""From so many on it is no accident (the domain's own rule: one ticket, not three)."""
WITHIN = timedelta(hours=1)
"""So close together they have to come."""
LASTS = timedelta(hours=24)
"""After so long without another case it is over."""
GROWTH_TOLD = 5
"""The desk is told of the fifth, tenth … family; each one would be noise."""


async def show_case(deed: Deed, ticket: Ticket) -> None:
    """Show a new case to its desk, or let it join those who have the same trouble."""
    if not await _join(deed, ticket):
        await showing.show_card(deed, ticket)


async def card(deed: Deed, incident: Incident, to: Address) -> Outgoing:
    """What the staff see of an incident."""
    cases = await stored.cases(deed.tx, incident.id)
    school = await schools.find(deed.tx, incident.school_id)
    text = texts.incident(
        incident.id,
        what(deed, incident, cases),
        len({case.person_id for case in cases}),
        school=school.name if school else "",
        is_answered=incident.answer_id is not None,
    )
    return Outgoing(to, text, _buttons(incident), priority="notice")


def what(deed: Deed, incident: Incident, cases: list[Ticket]) -> str:
    """The common trouble in words: an error text if one was recognised, else the request, else the topic."""
    kind = deed.knowledge.tree.tickets.get(next((case.kind for case in cases if case.kind), None) or "")
    if kind is not None:
        return kind.title
    topic = deed.knowledge.topic(incident.matter)
    return topic.title if topic is not None else incident.matter


async def give(deed: Deed, ticket: Ticket, answer: Message, *, whose: str) -> None:
    """Give the answer of an incident to the parent of one of its cases, which is claimed already."""
    parent = await people.find(deed.tx, ticket.person_id)
    if parent is None:
        return
    message_id = await conversations.add_message(
        deed.tx,
        ticket.conversation_id,
        author="staff",
        staff_id=answer.staff_id,
        text=answer.text,
        ticket_id=ticket.id,
        files=files_of(attachments_of(answer.attachments)),
        now=deed.now,
    )
    await conversations.switch(deed.tx, ticket.conversation_id, "human", ticket_id=ticket.id, now=deed.now)
    await deed.send(
        Outgoing(
            Address(parent.channel, parent.chat_id),
            texts_staff.answer(ticket.id, answer.text, whose=whose),
            rows([Button(basics.BUTTON_SOLVED, f"solved:{ticket.id}")]),
            attachments_of(answer.attachments),
        ),
        message_id=message_id,
    )


async def look(database: Database, *, now: Callable[[], datetime]) -> bool:
    """Incidents that nothing has joined for long are over; their cases stay as they are."""
    async with database.transaction() as tx:
        return await stored.close_old(tx, last_before=now() - LASTS, now=now()) > 0


async def _join(deed: Deed, ticket: Ticket) -> bool:
    matter = stored.matter_of(ticket)
    if ticket.school_id is None or matter is None or ticket.urgent:
        return False
    await stored.hold_school(deed.tx, ticket.school_id)
    incident = await stored.open_at(deed.tx, ticket.school_id, matter, last_since=deed.now - LASTS)
    if incident is not None:
        await stored.add(deed.tx, incident, ticket.id)
        await _tell_of_one_more(deed, incident, ticket)
        return True
    alike = await stored.alike(deed.tx, ticket.school_id, matter, since=deed.now - WITHIN)
    if len({each.person_id for each in alike}) < FAMILIES:
        return False
    incident = await stored.begin(deed.tx, ticket.school_id, matter, now=deed.now)
    for each in alike:
        await stored.add(deed.tx, incident, each.id)
    for reader in await desks.places(deed.tx, ticket.desk):
        await deed.send(await card(deed, incident, reader.to))
    return True


async def _tell_of_one_more(deed: Deed, incident: Incident, ticket: Ticket) -> None:
    answer = await conversations.message(deed.tx, incident.answer_id) if incident.answer_id else None
    if answer is not None:
        await _answer_late_one(deed, ticket, answer)
    cases = await stored.cases(deed.tx, incident.id)
    count = len({case.person_id for case in cases})
    if count % GROWTH_TOLD == 0:
        for reader in await desks.places(deed.tx, ticket.desk):
            told = texts.has_grown(incident.id, count)
            await deed.send(Outgoing(reader.to, told, _buttons(incident), priority="notice"))


async def _answer_late_one(deed: Deed, ticket: Ticket, answer: Message) -> None:
    values = {"owner_id": answer.staff_id, "state": "answered", "first_answer_at": deed.now}
    claimed = await tickets.change(deed.tx, ticket.id, values)
    if claimed is None:
        return
    whose = texts_staff.desk_name(Desk("school", claimed.school_id), claimed.school, "whose")
    await give(deed, claimed, answer, whose=whose)
    parent = await people.find(deed.tx, ticket.person_id)
    if parent is not None:
        await deed.send(Outgoing(Address(parent.channel, parent.chat_id), texts.LATER_ONE))


def _buttons(incident: Incident) -> Rows:
    number = incident.id
    return (
        (
            Button(texts.BUTTON_ANSWER_ALL, f"inc:{number}:answer"),
            Button(texts.BUTTON_WHO, f"inc:{number}:who"),
        ),
        (
            Button(texts.BUTTON_SPLIT, f"inc:{number}:split"),
            Button(texts.BUTTON_CLOSE_ALL, f"inc:{number}:close"),
        ),
    )
