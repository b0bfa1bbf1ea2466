"""What becomes of somebody's open cases, and of their talk with us, when they are banned."""

from __future__ import annotations

from handlers.cases import showing
from handlers.dialog_state import DialogState
from handlers.messages import Address
from handlers.texts import abuse as texts
from handlers.turn import Deed
from storage import bans, conversations, journal, tickets


async def close_all(deed: Deed, person_id: int, *, actor: str, whose: str, but: Address) -> int:
    """Close all open cases of a person who is held by the caller, each with a note; gives how many.

    `whose` decision it was, in the genitive and escaped; `but` is where it is known already.
    """
    closed = 0
    for ticket in await bans.open_cases(deed.tx, person_id):
        if await tickets.close(deed.tx, ticket.id, now=deed.now) is None:
            continue
        closed += 1
        await conversations.add_message(
            deed.tx,
            ticket.conversation_id,
            author="note",
            text=texts.closed_note(whose),
            ticket_id=ticket.id,
            now=deed.now,
        )
        await journal.note(
            deed.tx, "ticket_closed", actor=actor, now=deed.now, ticket_id=ticket.id, topic=ticket.topic
        )
        told = texts.closed_by_ban(ticket.id, whose)
        await showing.tell_staff(deed, ticket, told, buttons=False, but=but)
    await _begin_anew(deed, person_id)
    return closed


async def _begin_anew(deed: Deed, person_id: int) -> None:
    """Nothing of theirs waits for us; heard again, they would talk with the bot from the beginning."""
    conversation = await conversations.of_person(deed.tx, person_id, now=deed.now)
    await conversations.switch(deed.tx, conversation.id, "bot", ticket_id=None, now=deed.now)
    await conversations.settle(deed.tx, conversation.id)
    await conversations.set_answer_due(deed.tx, conversation.id, None)
    await conversations.remember(deed.tx, conversation.id, DialogState().to_plain(), now=deed.now)
