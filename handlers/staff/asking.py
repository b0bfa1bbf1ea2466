"""What the next words of a member mean: an answer, a note, a reason … and how they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from handlers.messages import Button, Incoming, Outgoing
from handlers.texts import staff as texts
from handlers.turn import Turn, rows
from storage import conversations, incidents, outbox, staff
from storage.conversations import Message
from storage.outbox import SentMark
from storage.staff import Member

GOES_ON = timedelta(seconds=30)
"""What follows an answer within this time belongs to it: albums and long texts come in several messages."""
ANSWER = "answer"
NOTE: Literal["note"] = "note"
TO_ALL = "inc"
"""How the name begins of words that are an answer to all families of an incident."""


@dataclass(frozen=True)
class Meant:
    """What some words are, and of which case."""

    ticket_id: int | None
    as_: str = ANSWER
    """answer, question, note …; what follows a colon is for whoever hears it."""
    shows_id: int | None = None
    """The parent's message to which they are a reply."""


async def ask(turn: Turn, member: Member, text: str, *, as_: str, ticket_id: int | None = None) -> None:
    """Ask for words; a reply to this message is what was asked for, even much later and in a group."""
    await staff.set_replying(turn.tx, member.id, ticket_id, as_=as_)
    buttons = rows([Button(texts.BUTTON_CALL_OFF, "off")])
    await turn.send(Outgoing(turn.address, text, buttons, ticket_id=ticket_id, asks=as_))


async def call_off(turn: Turn, member: Member, _: str = "") -> None:
    """Nothing is asked for any more."""
    await staff.set_replying(turn.tx, member.id, None)
    await turn.say(texts.CALLED_OFF, remember=False)


async def meant(turn: Turn, member: Member, incoming: Incoming) -> Meant:
    """What these words are: what the place says, what they reply to, what was asked, what they go on with."""
    if incoming.ticket_id is not None and turn.group is None:
        return Meant(incoming.ticket_id, incoming.means or ANSWER)  # the form of a page says what it is
    mark = await _mark_of_reply(turn, incoming)
    if mark is not None and (mark.asks or mark.ticket_id is not None):
        as_ = mark.asks or _as(member, mark.ticket_id or 0)
        return Meant(mark.ticket_id, as_, None if mark.asks else mark.shows_id)
    if incoming.ticket_id is not None:
        return Meant(incoming.ticket_id, _as(member, incoming.ticket_id))  # the topic of a group
    is_awaited = member.replying_to is not None or member.replying_as is not None
    if incoming.reply_to is not None and (mark is None or not is_awaited):
        # Perhaps to the card of somebody who was forgotten since: no other parent may read the answer.
        return Meant(None)
    if is_awaited:
        return Meant(member.replying_to, member.replying_as or ANSWER)
    return await _going_on(turn, member)


async def _going_on(turn: Turn, member: Member) -> Meant:
    """Words that nobody asked for go on with what was said a moment ago, or are about no case."""
    before = await just_said(turn, member)
    if before is None or before.ticket_id is None:
        return Meant(None)
    incident_id = await incidents.answered_with(turn.tx, before)
    if incident_id is not None:
        return Meant(None, f"{TO_ALL}:{incident_id}")
    return Meant(before.ticket_id, NOTE if before.author == NOTE else ANSWER)


async def is_reply_to_case(turn: Turn, incoming: Incoming) -> bool:
    """Whether the words reply to a message about a case, or to a question of ours."""
    mark = await _mark_of_reply(turn, incoming)
    return mark is not None and (mark.ticket_id is not None or bool(mark.asks))


async def _mark_of_reply(turn: Turn, incoming: Incoming) -> SentMark | None:
    if incoming.reply_to is None:
        return None
    return await outbox.find_sent(turn.tx, turn.here.channel, turn.here.chat_id, incoming.reply_to)


def _as(member: Member, ticket_id: int) -> str:
    """What words about this case are, while something may be asked for."""
    # A note that is awaited stays a note wherever it is written: no parent is ever to read one.
    is_asked = member.replying_to == ticket_id or member.replying_as == NOTE
    return (member.replying_as or ANSWER) if is_asked else ANSWER


async def just_said(turn: Turn, member: Member) -> Message | None:
    """What the member said a moment ago, if they did."""
    last = await conversations.last_of_staff(turn.tx, member.id)
    return last if last is not None and turn.now - last.created_at <= GOES_ON else None


def kept_under(turn: Turn, incoming: Incoming) -> str | None:
    """How a message of the staff is found again; numbers of different chats may be the same."""
    if incoming.message_id is None or turn.group is None:
        return incoming.message_id
    return f"{turn.group.chat_id}/{incoming.message_id}"
