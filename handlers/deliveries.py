"""What became of the messages that were sent: nobody waits for an answer that never arrived."""

from __future__ import annotations

from datetime import datetime

from handlers.messages import Address, Button, Outgoing
from handlers.texts import basics as texts
from handlers.turn import place, queue, rows
from storage import conversations, journal, outbox, people, staff, tickets
from storage.database import Transaction
from storage.outbox import Letter

UNREACHABLE = {"blocked", "not_allowed", "gone"}
"""Reasons that lie with the person; the others lie with the message."""


async def report_failure(tx: Transaction, letter: Letter, *, reason: str, detail: str, now: datetime) -> None:
    """Note that a letter will never arrive, and tell the staff if it was their answer.

    `reason` is blocked, not_allowed, gone (the person), rejected or gave_up (the message).
    """
    await outbox.give_up(tx, letter.id, state="failed", error=f"{reason}: {detail}" if detail else reason)
    if letter.body.get("delete"):
        return  # nobody waits for a message to go, and that it stays says nothing about the person
    if reason in UNREACHABLE:
        await people.set_unreachable(tx, letter.channel, letter.chat_id, reason)
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
    author = await staff.find(tx, message.staff_id or 0)
    if ticket is not None and author is not None:
        text = texts.not_delivered(ticket.id, texts.UNDELIVERED.get(reason, reason))
        await queue(tx, Outgoing(place(author), text, ticket_id=ticket.id, priority="notice"), now=now)


async def _tell_the_others(tx: Transaction, letter: Letter, *, reason: str, now: datetime) -> None:
    """What a parent writes goes to the one who answers: if that one is out of reach, to the others."""
    if letter.ticket_id is None or reason not in UNREACHABLE:
        return
    ticket = await tickets.find(tx, letter.ticket_id)
    members = await staff.everyone(tx)
    owner = next((each for each in members if place(each) == Address(letter.channel, letter.chat_id)), None)
    if ticket is None or ticket.state == "closed" or owner is None or ticket.owner_id != owner.id:
        return
    text = texts.colleague_unreachable(ticket.id, owner.name)
    buttons = rows([Button(texts.BUTTON_SHOW.format(number=ticket.id), f"card:{ticket.id}")])
    for member in members:
        if member.id != owner.id:
            message = Outgoing(place(member), text, buttons, ticket_id=ticket.id, priority="notice")
            await queue(tx, message, now=now)
