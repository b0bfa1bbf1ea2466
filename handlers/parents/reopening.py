"""A closed question opens again: by a message soon after closing, or because the parent says so.

A message may be about something else. Then «Вернуться к боту» makes as if it had never gone to the staff: the
bot answers it, and the question is closed as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from handlers.cases import deadlines, desks, showing
from handlers.messages import Button
from handlers.parents import escalation
from handlers.texts import basics
from handlers.texts import own_question as texts
from handlers.turn import Turn, attachments_of, number_in, rows
from storage import conversations, incidents, journal, people, tickets
from storage.conversations import Message
from storage.ticket import Ticket

REOPENS_WITHIN = timedelta(days=7)
"""After so long a message is a new question."""
Told = Callable[[int, str, Sequence[str]], str]
"""Makes the sentence for the desk of the number, the parent's name and the lines said since."""
UNDO = "reclose:"
"""How the payload of «Вернуться к боту» under a reopened question begins."""


async def closed_lately(turn: Turn) -> Ticket | None:
    """The question that a message opens again; None where the bot has to answer."""
    if turn.conversation.mode != "closed":
        return None
    mine = await tickets.of_person(turn.tx, turn.person.id)
    if not mine or mine[0].state != "closed":
        return None
    return None if is_late(turn, mine[0]) else mine[0]


def is_late(turn: Turn, ticket: Ticket, *, within: timedelta = REOPENS_WITHIN) -> bool:
    """Whether a closed question was closed too long ago to open it again."""
    return ticket.closed_at is None or turn.now - ticket.closed_at > within


async def by_message(turn: Turn, ticket: Ticket, *, is_new: bool = True) -> bool:
    """The person wrote, and it is kept already: the question goes on; False if it cannot.

    A correction is not `is_new`: it stays with the staff whatever becomes of the question.
    """
    first_id = await conversations.last_message_id(turn.tx, turn.conversation.id, author="person")
    before = {
        "ticket": ticket.id,
        "first": (first_id or 0) + (0 if is_new else 1),
        "level": ticket.level,
        "owner": ticket.owner_id,
        "closed_at": _plain(ticket.closed_at),
        "follow_up_at": _plain(ticket.follow_up_at),
        "answer_due_at": _plain(ticket.answer_due_at),
        "solve_due_at": _plain(ticket.solve_due_at),
    }
    again = await reopen(turn, ticket, told=texts.staff_reopened)
    if again is None:
        return False
    turn.state.reopened = {**before, "owner_now": again.owner_id}
    await turn.say(
        texts.reopened_by_message(ticket.id),
        rows([Button(basics.BUTTON_BACK_TO_BOT, f"{UNDO}{ticket.id}")]),
    )
    return True


async def reopen(turn: Turn, ticket: Ticket, *, told: Told) -> Ticket | None:
    """Open it again at its desk and show there what was said since; None if it is open already.

    Whoever had it keeps it while they are still at the desk.
    """
    desk = await desks.first_alive(turn.tx, ticket.desk)
    owner_id = await _owner_still_there(turn, ticket) if desk == ticket.desk else None
    values = {
        "state": "waiting",
        "level": desk.level,
        "owner_id": owner_id,
        "closed_at": None,
        "follow_up_at": None,
        "warned_at": None,
        "reopened": ticket.reopened + 1,
    }
    again = await tickets.change(turn.tx, ticket.id, values, state="closed")
    if again is None:
        return None
    again = await deadlines.begin(turn, again)
    since = ticket.closed_at or turn.now
    recent = await conversations.history(turn.tx, turn.conversation.id)
    meanwhile = [
        message for message in recent if message.author == "person" and _is_since(message, ticket, since)
    ]
    await conversations.put_into_ticket(turn.tx, turn.conversation.id, ticket.id, since=since)
    await turn.switch("human" if owner_id else "waiting_human", ticket_id=ticket.id)
    turn.state.understood()
    turn.state.end_walk()
    turn.state.reopened = {}
    details = {"leaf": ticket.leaf} if ticket.leaf else {}
    await journal.note(
        turn.tx,
        "ticket_reopened",
        actor="person",
        now=turn.now,
        topic=ticket.topic,
        ticket_id=ticket.id,
        details=details,
    )
    text = told(ticket.id, turn.person.name, showing.lines(meanwhile)) + showing.still_checked(meanwhile)
    if owner_id is None or await incidents.was_in_one(turn.tx, ticket.id):
        # Nobody has it, or they only know the card of an incident: whoever works on it needs the whole story,
        # and the thread on the card has the words.
        await showing.show_card(turn, again, lead=told(ticket.id, turn.person.name, ()))
    else:
        files = attachments_of(file for message in meanwhile for file in message.cleared)
        await showing.tell_staff(turn, again, text, files=files)
    await escalation.let_check_photos(turn, again)
    return again


def _is_since(message: Message, ticket: Ticket, since: datetime) -> bool:
    """Whether the staff have not read it yet: it was said, or reads otherwise, since then."""
    if message.ticket_id == ticket.id:
        return message.edited_at is not None and message.edited_at >= since
    return message.ticket_id is None and message.created_at >= since


async def undo(turn: Turn, argument: str) -> None:
    """«Вернуться к боту»: it was about something else. Once the staff have begun, only the bot comes back."""
    number, before = number_in(argument), turn.state.reopened
    ticket = await tickets.find(turn.tx, number)
    if ticket is None or ticket.person_id != turn.person.id:
        await turn.say(basics.CHOICE_GONE)
        return
    if ticket.state == "closed":
        await turn.say(basics.ALREADY_CLOSED)
        return
    if before.get("ticket") != number or not await _is_untouched(turn, ticket):
        await escalation.back_to_bot(turn)
        return
    await _close_as_before(turn, ticket)
    first = int(before["first"])
    await conversations.take_out_of_ticket(turn.tx, turn.conversation.id, number, first_id=first)
    await turn.switch("bot", ticket_id=None)
    await turn.say(texts.closed_again(number))
    await conversations.set_answer_due(turn.tx, turn.conversation.id, turn.now)
    await showing.tell_staff(turn, ticket, texts.staff_closed_again(number), buttons=False)
    turn.state.reopened = {}


async def _close_as_before(turn: Turn, ticket: Ticket) -> None:
    before = turn.state.reopened
    values = {
        "state": "closed",
        "level": before["level"],
        "owner_id": before["owner"],
        "clock_stopped_at": None,
        "clock_stopped_for": None,
        "reopened": max(ticket.reopened - 1, 0),
        **{name: _moment(before[name]) for name in _MOMENTS},
    }
    await tickets.change(turn.tx, ticket.id, values)
    await journal.note(turn.tx, "ticket_reclosed", actor="person", now=turn.now, ticket_id=ticket.id)


async def _is_untouched(turn: Turn, ticket: Ticket) -> bool:
    """Whether nobody of the staff has done anything about it since it was opened again."""
    before = turn.state.reopened
    answered = await conversations.last_message_id(turn.tx, turn.conversation.id, author="staff") or 0
    return (
        ticket.state == "waiting"
        and ticket.owner_id == before["owner_now"]
        and answered < int(before["first"])
    )


async def _owner_still_there(turn: Turn, ticket: Ticket) -> int | None:
    members = {member.id: member for member in await desks.members(turn.tx, ticket.desk)}
    owner = members.get(ticket.owner_id or 0)
    if owner is None:
        return None
    person = await people.find(turn.tx, owner.person_id)
    return owner.id if person is not None and person.unreachable is None else None


_MOMENTS = ("closed_at", "follow_up_at", "answer_due_at", "solve_due_at")


def _plain(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _moment(plain: str | None) -> datetime | None:
    return datetime.fromisoformat(plain) if plain else None
