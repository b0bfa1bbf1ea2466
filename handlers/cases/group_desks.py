"""Group chats that are desks: how they are called, and that nothing is lost when one is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from handlers.cases import desks
from handlers.messages import Address, Outgoing
from handlers.texts import groups as texts
from handlers.texts.basics import topic_title
from handlers.turn import from_plain, place, queue
from storage import groups, journal, outbox, schools, staff, tickets
from storage.database import Transaction
from storage.groups import Group
from storage.outbox import Letter
from storage.ticket import Desk


async def title(tx: Transaction, desk: Desk) -> str:
    """What a desk is called."""
    if desk.level == "school":
        school = await schools.find(tx, desk.school_id or 0)
        return f"{school.name}, {school.municipality}" if school is not None else ""
    return texts.municipality(desk.municipality) if desk.level == "municipal" else texts.BUTTON_MINISTRY


async def lose(tx: Transaction, group: Group, *, reason: str, now: datetime) -> None:
    """Nothing can be written to this group any more: its desk is told, and gets what waited for it.

    `reason` is kicked, gone, or one of those for which nothing can be written to a person.
    """
    lost = await groups.lose(tx, group.id, reason=reason, now=now)
    if lost is None:
        return
    await journal.note(tx, "group_lost", actor="bot", now=now, details={"group": lost.id, "reason": reason})
    desk = await desks.first_alive(tx, lost.desk)
    for member in await desks.members(tx, desk):
        told = Outgoing(place(member), texts.lost(lost.title, reason), priority="notice")
        await queue(tx, told, now=now)
    for letter in await outbox.queued(tx, lost.channel, lost.chat_id):
        await outbox.give_up(tx, letter.id, state="failed", error=f"group lost: {reason}")
        await pass_to_members(tx, lost, letter, now=now)


async def release(tx: Transaction, group: Group, *, now: datetime) -> None:
    """The group is nobody's desk any more: what waited for it goes to those whose it was."""
    for letter in await outbox.queued(tx, group.channel, group.chat_id):
        if letter.ticket_id is not None:
            await outbox.give_up(tx, letter.id, state="failed", error="the group is no desk any more")
            await pass_to_members(tx, group, letter, now=now)
    await groups.forget(tx, group.id)
    await groups.meet(
        tx,
        channel=group.channel,
        chat_id=group.chat_id,
        title=group.title,
        has_topics=group.has_topics,
        now=now,
    )


async def pass_to_members(tx: Transaction, group: Group, letter: Letter, *, now: datetime) -> None:
    """What a group cannot be told is told to each member of its desk, unless another group was told too."""
    if letter.ticket_id is None:
        return  # said to who spoke there, of nobody's question
    if any(other.id != group.id for other in await groups.of_desk(tx, group.desk)):
        return
    message = replace(from_plain(letter.body), reply_to=None, thread=None)
    for to in await _instead_of(tx, group):
        await queue(tx, replace(message, to=to), shows_id=letter.shows_id, album=letter.album, now=now)


async def tell_of_registered(tx: Transaction, staff_id: int, *, now: datetime) -> None:
    """Somebody is no member any more: the ministry looks at the groups that they have connected."""
    member = await staff.find(tx, staff_id)
    for group in await groups.registered_by(tx, staff_id):
        text = texts.registrar_left(member.name if member else "", await title(tx, group.desk), group.title)
        for reader in await desks.places(tx, desks.MINISTRY):
            await queue(tx, Outgoing(reader.to, text, priority="notice"), now=now)


async def topic_gone(tx: Transaction, letter: Letter, thread: str, *, now: datetime) -> None:
    """The topic was deleted or closed: the letter goes into another one, which says so."""
    group = await groups.at(tx, letter.channel, letter.chat_id)
    if group is not None:
        await groups.drop_topic(tx, group.id, thread)
    body = {**letter.body, "thread": None, "reply_to": None}
    ticket = await tickets.find(tx, letter.ticket_id) if letter.ticket_id is not None else None
    if ticket is not None and not body["text"].startswith(texts.CONTINUED):
        body |= {"text": f"{texts.CONTINUED}\n\n{body['text']}".strip(), "topic": topic_title(ticket)}
    await outbox.start_over(tx, letter.id, body=body, now=now)


async def no_topics(tx: Transaction, group: Group, *, now: datetime) -> None:
    """We may not open topics there: everything goes together, and the group hears once what to do."""
    await groups.retitle(tx, group.id, title="", has_topics=False)
    hint = Outgoing(Address(group.channel, group.chat_id), texts.TOPICS_OFF, priority="notice")
    await queue(tx, hint, now=now)


async def _instead_of(tx: Transaction, group: Group) -> list[Address]:
    desk = await desks.first_alive(tx, group.desk)
    if desk == group.desk:
        return [place(member) for member in await desks.members(tx, desk)]
    return [reader.to for reader in await desks.places(tx, desk)]
