"""What became of the messages that were sent: nobody waits for an answer that never arrived."""

from __future__ import annotations

from datetime import datetime

from handlers.cases import desks, group_desks
from handlers.messages import Address, Button, Outgoing
from handlers.texts import basics as texts
from handlers.texts import staff as texts_staff
from handlers.turn import place, queue, rows
from storage import casework, conversations, groups, journal, outbox, staff, subscriptions, tickets
from storage.conversations import Message
from storage.database import Transaction
from storage.groups import Group
from storage.outbox import Letter
from storage.scope import Scope
from storage.ticket import Ticket

UNREACHABLE = {"blocked", "not_allowed", "gone", "kicked"}
"""Reasons that lie with the person or the group; the others lie with the message."""


async def report_failure(tx: Transaction, letter: Letter, *, reason: str, detail: str, now: datetime) -> None:
    """Note that a letter will never arrive, and tell the staff if it was their answer.

    `reason` is blocked, not_allowed, gone (the person), kicked (the group), rejected or gave_up (the
    message).
    """
    await outbox.give_up(tx, letter.id, state="failed", error=f"{reason}: {detail}" if detail else reason)
    if letter.body.get("delete"):
        return  # nobody waits for a message to go, and that it stays says nothing about the person
    group = await groups.at(tx, letter.channel, letter.chat_id)
    if group is not None:
        await _report_to_desk(tx, letter, group, reason=reason, now=now)
        return
    if reason in UNREACHABLE:
        await subscriptions.note_unreachable(tx, letter.channel, letter.chat_id, reason, now=now)
    await journal.note(
        tx, "not_delivered", actor="bot", now=now, details={"reason": reason, "channel": letter.channel}
    )
    if letter.message_id is None:
        await _tell_the_others(tx, letter, reason=reason, now=now)
        return
    await conversations.note_delivery(tx, letter.message_id, reason)
    message = await conversations.message(tx, letter.message_id)
    if message is None or message.author != "staff" or message.ticket_id is None:
        return
    ticket = await tickets.find(tx, message.ticket_id)
    if ticket is not None:
        await _tell_whose_answer(tx, ticket, message, texts_staff.answer_lost(ticket.id, reason), now=now)


async def _tell_whose_answer(
    tx: Transaction, ticket: Ticket, message: Message, text: str, *, now: datetime
) -> None:
    """Tell the author, or the desk's group where it has one, or whoever has the case when the author left."""
    readers = [reader for reader in await desks.places(tx, ticket.desk) if reader.is_group]
    author = await staff.find(tx, message.staff_id or 0)
    sees_it = author is not None and await casework.seen(tx, Scope(author.id), ticket.id) is not None
    if not readers and author is not None and sees_it:
        readers = [desks.Place(place(author))]
    for reader in readers or await desks.readers(tx, ticket):
        told = Outgoing(
            reader.to, text, ticket_id=ticket.id, priority="notice", topic=texts.topic_title(ticket)
        )
        await queue(tx, told, now=now)


async def note_moved(tx: Transaction, letter: Letter, new_chat_id: str) -> None:
    """A group has another chat_id now, and perhaps nobody has told us but the refusal of this letter."""
    await groups.move(tx, letter.channel, letter.chat_id, new_chat_id)


async def note_topic_gone(tx: Transaction, letter: Letter, thread: str, *, now: datetime) -> None:
    """The topic of this letter is gone: it starts over in another one."""
    await group_desks.topic_gone(tx, letter, thread, now=now)


async def known_topic(tx: Transaction, letter: Letter) -> tuple[Group | None, str | None]:
    """Where the letter's case has a topic: the group, if it takes topics, and the topic, if it is open."""
    group = await groups.at(tx, letter.channel, letter.chat_id)
    if letter.ticket_id is None or group is None or not group.is_desk or not group.has_topics:
        return None, None
    return group, await groups.topic(tx, group.id, letter.ticket_id)


async def note_topic(tx: Transaction, letter: Letter, group: Group, thread: str, *, now: datetime) -> None:
    """A topic was opened for the letter's case; meanwhile the case or the group may have gone."""
    fresh = await groups.at(tx, letter.channel, letter.chat_id)
    ticket = await tickets.find(tx, letter.ticket_id) if letter.ticket_id is not None else None
    if ticket is not None and fresh is not None and fresh.id == group.id:
        await groups.put_topic(tx, group.id, ticket.id, thread, now=now)


async def note_no_topics(tx: Transaction, group: Group, *, now: datetime) -> None:
    """The messenger does not let us open topics in this group."""
    await group_desks.no_topics(tx, group, now=now)


async def _report_to_desk(
    tx: Transaction, letter: Letter, group: Group, *, reason: str, now: datetime
) -> None:
    """A group did not get its letter: its members get it, and hear of it if the group is lost."""
    details = {"reason": reason, "channel": letter.channel, "group": group.id}
    await journal.note(tx, "not_delivered", actor="bot", now=now, details=details)
    if reason in UNREACHABLE:
        await group_desks.lose(tx, group, reason=reason, now=now)
    await group_desks.pass_to_members(tx, group, letter, now=now)


async def _tell_the_others(tx: Transaction, letter: Letter, *, reason: str, now: datetime) -> None:
    """What a parent writes goes to the one who answers: if that one is out of reach, to the others."""
    if letter.ticket_id is None or reason not in UNREACHABLE:
        return
    ticket = await tickets.find(tx, letter.ticket_id)
    owner = await staff.find(tx, ticket.owner_id or 0) if ticket is not None else None
    if ticket is None or ticket.state == "closed" or owner is None:
        return
    if place(owner) != Address(letter.channel, letter.chat_id):
        return
    text = texts.colleague_unreachable(ticket.id, owner.name)
    buttons = rows([Button(texts.BUTTON_SHOW.format(number=ticket.id), f"card:{ticket.id}")])
    desk = await desks.first_alive(tx, ticket.desk)
    for reader in await desks.places(tx, desk):
        if reader.to != place(owner):
            message = Outgoing(reader.to, text, buttons, ticket_id=ticket.id, priority="notice")
            await queue(tx, message, now=now)
