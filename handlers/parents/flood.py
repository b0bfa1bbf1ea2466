"""Too many messages: what comes beyond the limit is kept, and dealt with together after a pause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.cases import deadlines, showing
from handlers.dialog_state import DialogState
from handlers.texts import abuse as texts
from handlers.turn import Deed, Turn, attachments_of
from storage import conversations, flood, journal, tickets
from storage.conversations import Conversation, Message
from storage.people import Person
from storage.ticket import Ticket

PAUSE = timedelta(minutes=5)
"""Whoever is beyond the limit of an hour is answered so often: nobody has to wait for the hour's end."""
_LONGEST = 1_000
"""Characters of one message in the notice to the staff; the thread has all of it."""
_MOST_FILES = 10
"""Files of one notice; a messenger's album holds no more."""


@dataclass(frozen=True)
class Limits:
    """How many messages and presses of one person are dealt with one by one."""

    in_minute: int = 20
    """One each three seconds for a whole minute: faster than people type or read what they press."""
    in_hour: int = 200
    """One each eighteen seconds for a whole hour: more than any walk through the diagnosis takes."""


@dataclass(frozen=True)
class Excess:
    """An event beyond a limit."""

    is_first: bool
    """Whether nothing else was beyond this limit in the window: the person is told once."""
    until: datetime
    """When everything that was kept is dealt with."""


async def count(turn: Turn, limits: Limits) -> Excess | None:
    """Count an event of this person; None while it is within the limits."""
    sent = await flood.count(turn.tx, turn.person.id, now=turn.now)
    if sent is None:
        return None
    if sent.in_hour > limits.in_hour:
        return Excess(is_first=sent.in_hour == limits.in_hour + 1, until=turn.now + PAUSE)
    if sent.in_minute > limits.in_minute:
        is_first = sent.in_minute == limits.in_minute + 1
        return Excess(is_first=is_first, until=sent.minute_since + flood.MINUTE)
    return None


async def hold(turn: Turn, excess: Excess) -> None:
    """From here on words are only kept, until the pause is over."""
    if turn.state.held_since:
        return
    newest = await conversations.last_message_id(turn.tx, turn.conversation.id, author="person")
    turn.state.held_since = turn.now.isoformat()
    turn.state.held_first = (newest or 0) + 1
    turn.state.held_masked = False
    # What was about to be answered waits, too: it is a part of the same talk.
    await conversations.set_answer_due(turn.tx, turn.conversation.id, excess.until)


async def tell(turn: Turn, excess: Excess) -> None:
    """Ask to wait, once for each window."""
    if not excess.is_first:
        return
    await journal.note(turn.tx, "flood", actor="person", now=turn.now, ticket_id=turn.conversation.ticket_id)
    await turn.say(texts.TOO_FAST_WITH_HUMAN if _is_with_human(turn) else texts.TOO_FAST)


async def release(turn: Turn) -> bool:
    """The pause is over: the staff read at once what was kept for them; False if nothing was.

    What was said to the bot waits as pending, and is for the caller to answer.
    """
    if not turn.state.held_since:
        return False
    since, first = datetime.fromisoformat(turn.state.held_since), turn.state.held_first
    turn.state.held_since, turn.state.held_first, turn.state.held_masked = "", 0, False
    ticket = await _open_ticket(turn)
    if ticket is not None:
        recent = await conversations.history(turn.tx, turn.conversation.id, limit=_MOST_RECENT)
        held = [each for each in recent if _is_held(each, ticket, first=first, since=since)]
        await _show_staff(turn, ticket, held)
    return True


async def release_before_closing(deed: Deed, parent: Person, conversation: Conversation) -> None:
    """The staff close a case: what was kept for them comes first. The parent is held by the caller."""
    turn = Turn(
        deed.tx, deed.now, deed.knowledge, parent, conversation, DialogState.from_plain(conversation.state)
    )
    if await release(turn):
        await turn.save_state()


async def _show_staff(turn: Turn, ticket: Ticket, held: list[Message]) -> None:
    if not held:
        return
    ticket = await deadlines.resume(turn, ticket)
    lines = showing.lines(replace(each, text=_shortened(each.text)) for each in held)
    text = texts.many_messages(ticket.id, turn.person.name, len(held), lines) + showing.still_checked(held)
    files = attachments_of(file for each in held for file in each.cleared)
    await showing.tell_staff(turn, ticket, text, files=files[:_MOST_FILES], shows_id=held[-1].id)
    for start in range(_MOST_FILES, len(files), _MOST_FILES):
        more = texts.more_files(ticket.id)
        await showing.tell_staff(turn, ticket, more, files=files[start : start + _MOST_FILES], buttons=False)


def _is_held(message: Message, ticket: Ticket, *, first: int, since: datetime) -> bool:
    if message.author != "person" or message.ticket_id != ticket.id:
        return False
    return message.id >= first or (message.edited_at is not None and message.edited_at >= since)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _is_with_human(turn: Turn) -> bool:
    return turn.conversation.mode in {"waiting_human", "human"}


async def _open_ticket(turn: Turn) -> Ticket | None:
    if not _is_with_human(turn) or turn.conversation.ticket_id is None:
        return None
    ticket = await tickets.find(turn.tx, turn.conversation.ticket_id)
    return ticket if ticket is not None and ticket.state != "closed" else None


_MOST_RECENT = 1_000
"""Messages looked through; more within one pause stay in the thread only."""
