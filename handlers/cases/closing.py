"""What a parent is told when the staff close a case."""

from __future__ import annotations

from datetime import timedelta

from handlers.messages import Address, Button, Outgoing, Rows
from handlers.texts import basics as texts
from handlers.texts import own_question as said
from handlers.turn import Deed
from storage import conversations, tickets
from storage.people import Person
from storage.ticket import Ticket

ASK_AFTER = timedelta(hours=48)
"""When the parent is asked whether they got in; by then whoever wanted to try has tried."""
MARKS = range(1, 6)


async def tell_parent(deed: Deed, ticket: Ticket, parent: Person) -> None:
    """«Решено?» with a mark, once for each closing; two days later they are asked again.

    The parent is held by the caller, and the conversation is switched already.
    """
    text = texts.ticket_closed(ticket.id)
    message_id = await conversations.add_message(
        deed.tx, ticket.conversation_id, author="bot", text=text, ticket_id=ticket.id, now=deed.now
    )
    to = Address(parent.channel, parent.chat_id)
    buttons = (*mark_buttons(ticket.id), unsolved_row(ticket.id))
    await deed.send(Outgoing(to, text, buttons), message_id=message_id)
    await ask_later(deed, ticket)


async def ask_later(deed: Deed, ticket: Ticket) -> None:
    """«Получилось войти?» is to be asked in two days."""
    await tickets.change(deed.tx, ticket.id, {"follow_up_at": deed.now + ASK_AFTER}, state="closed")


def mark_buttons(number: int) -> Rows:
    """1 to 5 in one row."""
    return (tuple(Button(str(mark), f"mark:{number}:{mark}") for mark in MARKS),)


def unsolved_row(number: int) -> tuple[Button, ...]:
    """The way back to the staff."""
    return (Button(said.BUTTON_UNSOLVED, f"unsolved:{number}"),)
