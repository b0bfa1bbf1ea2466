"""After a question was closed: the mark, «Не решено», and two days later «Получилось войти?».

Each is asked once and answered by a button, or in a word right after it was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from faq.text import normalise
from handlers.cases import closing
from handlers.dialog_state import DialogState
from handlers.knowledge import Knowledge
from handlers.messages import Button
from handlers.parents import escalation, progress, questions, reopening
from handlers.texts import basics
from handlers.texts import own_question as texts
from handlers.turn import Turn, number_in, rows
from storage import conversations, journal, people, stages, tickets
from storage.database import Database, Transaction
from storage.ticket import Ticket

MARK_WITHIN = timedelta(days=7)
"""How long a mark may be given and changed."""
ANSWER_WITHIN = timedelta(days=10)
"""After closing: two days until the question comes, a night, and a week to answer it."""
FIRST_HOUR, LAST_HOUR = 9, 20
"""Local time in which a person is asked something of our own accord."""
_YES = {"да", "ага", "решено", "да решено", "получилось", "да получилось", "вошли", "вошел", "вошла"}
_NO = {"нет", "не решено", "нет не решено", "не получилось", "нет не получилось", "не вошли"}
_NO |= {"не вошел", "не вошла"}


async def mark(turn: Turn, argument: str) -> None:
    """A button of the row 1 to 5; `argument` is the question's number and the mark."""
    number, _, chosen = argument.partition(":")
    ticket, value = await _own(turn, number), number_in(chosen)
    if ticket is None or value not in closing.MARKS:
        await turn.say(basics.CHOICE_GONE, questions.menu_buttons())
        return
    await _mark(turn, ticket, value)


async def unsolved(turn: Turn, argument: str) -> None:
    """«Не решено»; `argument` is the question's number."""
    ticket = await _own(turn, argument)
    if ticket is None:
        await turn.say(basics.CHOICE_GONE, questions.menu_buttons())
        return
    await _reopen(turn, ticket, told=texts.staff_unsolved, within=reopening.REOPENS_WITHIN)


async def got_in(turn: Turn, argument: str) -> None:
    """«Да» or «Нет» under «Получилось войти?»; `argument` is the question's number and yes or no."""
    number, _, answer = argument.partition(":")
    ticket = await _own(turn, number)
    if ticket is None or answer not in {"yes", "no"}:
        await turn.say(basics.CHOICE_GONE, questions.menu_buttons())
        return
    await _note_outcome(turn, ticket, got_in=answer == "yes")


async def hear(turn: Turn, text: str) -> bool:
    """Take «да», «нет» or a mark typed right after our question; False for any other words."""
    said = normalise(text)
    value = number_in(said)
    if said not in _YES | _NO and value not in closing.MARKS:
        return False
    ticket, asked = await _asked_just_now(turn)
    if ticket is None:
        return False
    if asked == texts.ask_got_in(ticket.id):
        if value:
            return False
        await _settle(turn)
        await _note_outcome(turn, ticket, got_in=said in _YES)
    else:
        await _settle(turn)
        if value:
            await _mark(turn, ticket, value)
        elif said in _YES:
            await turn.say(texts.GLAD)
        else:
            await _reopen(turn, ticket, told=texts.staff_unsolved, within=reopening.REOPENS_WITHIN)
    return True


async def ask_got_in(database: Database, knowledge: Knowledge, *, now: Callable[[], datetime]) -> int:
    """Ask everybody whose time has come whether they got in; returns how many were asked.

    Safe to repeat, to miss and to run in several processes: each question is taken by one of them.
    """
    moment = now()
    local = moment.astimezone(ZoneInfo(knowledge.region.timezone))
    if not FIRST_HOUR <= local.hour < LAST_HOUR:
        return 0
    async with database.reading() as tx:
        waiting = await tickets.follow_ups_due(tx, now=moment)
    asked = 0
    for ticket_id, person_id in waiting:
        async with database.transaction() as tx:
            asked += await _ask(tx, knowledge, ticket_id, person_id=person_id, now=moment)
    return asked


async def _ask(
    tx: Transaction, knowledge: Knowledge, ticket_id: int, *, person_id: int, now: datetime
) -> bool:
    person = await people.hold(tx, person_id)
    conversation = await conversations.of_person(tx, person_id, now=now) if person is not None else None
    if conversation is not None and conversation.answer_due_at is not None:
        return False  # in the middle of something: at the next look
    ticket = await tickets.take_follow_up(tx, ticket_id, now=now)
    if person is None or conversation is None or ticket is None:
        return False
    if person.unreachable is not None or person.banned_at is not None:
        return False
    others = await tickets.of_person(tx, person_id, limit=1)
    if others and others[0].state != "closed":
        return False
    turn = Turn(tx, now, knowledge, person, conversation, DialogState.from_plain(conversation.state))
    number = ticket.id
    choices = (Button(texts.BUTTON_YES, f"gotin:{number}:yes"), Button(texts.BUTTON_NO, f"gotin:{number}:no"))
    await turn.say(texts.ask_got_in(number), (choices,))
    await journal.note(tx, "asked_got_in", actor="bot", now=now, topic=ticket.topic, ticket_id=number)
    return True


async def _mark(turn: Turn, ticket: Ticket, value: int) -> None:
    if ticket.state != "closed":
        await turn.say(texts.MARK_NEXT_TIME.format(number=ticket.id))
        return
    if reopening.is_late(turn, ticket, within=MARK_WITHIN):
        await turn.say(texts.TOO_LATE_TO_MARK)
        return
    await tickets.change(turn.tx, ticket.id, {"mark": value}, state="closed")
    if ticket.mark != value:
        await _note(turn, "marked", ticket, mark=value)
    is_bad = value < texts.GOOD
    await turn.say(texts.marked(value), (closing.unsolved_row(ticket.id),) if is_bad else ())


async def _note_outcome(turn: Turn, ticket: Ticket, *, got_in: bool) -> None:
    state = "closed" if ticket.state == "closed" else "open"
    await tickets.change(turn.tx, ticket.id, {"got_in": got_in, "follow_up_at": None}, state=state)
    if ticket.got_in is not got_in:
        await _note(turn, "got_in", ticket, got_in=got_in)
    if got_in:
        await progress.note(turn, stages.INSIDE, source="aftercare")
    if not got_in:
        await _reopen(turn, ticket, told=texts.staff_not_in, within=ANSWER_WITHIN)
    elif state == "open":
        solved = Button(basics.BUTTON_SOLVED, f"solved:{ticket.id}")
        await turn.say(texts.GOT_IN_BUT_OPEN.format(number=ticket.id), rows([solved]))
    else:
        await turn.say(texts.GOT_IN)


async def _reopen(turn: Turn, ticket: Ticket, *, told: reopening.Told, within: timedelta) -> None:
    """Back to the staff, unless it is there already or too old."""
    mine = await tickets.of_person(turn.tx, turn.person.id, limit=1)
    open_one = mine[0] if mine and mine[0].state != "closed" else None
    if open_one is not None:
        await escalation.rejoin(turn, open_one)
        await turn.say(texts.STILL_OPEN.format(number=open_one.id))
        return
    if reopening.is_late(turn, ticket, within=within):
        if turn.conversation.mode == "closed":
            await turn.switch("bot", ticket_id=None)
        await turn.say(texts.TOO_LATE_TO_REOPEN.format(number=ticket.id), questions.menu_buttons())
        return
    await escalation.forget_school(turn)
    if await reopening.reopen(turn, ticket, told=told) is not None:
        back = Button(basics.BUTTON_BACK_TO_BOT, "bot")
        await turn.say(texts.reopened_by_press(ticket.id), rows([back]))


async def _asked_just_now(turn: Turn) -> tuple[Ticket | None, str]:
    """The question that we asked last, and its words; none when anything was said to the parent since."""
    by_bot = await conversations.last_message_id(turn.tx, turn.conversation.id, author="bot") or 0
    by_staff = await conversations.last_message_id(turn.tx, turn.conversation.id, author="staff") or 0
    last = await conversations.message(turn.tx, max(by_bot, by_staff))
    mine = await tickets.of_person(turn.tx, turn.person.id)
    for ticket in mine if last is not None else ():
        ours = {basics.ticket_closed(ticket.id), basics.ticket_solved(ticket.id), texts.ask_got_in(ticket.id)}
        if last is not None and last.text in ours:
            return ticket, last.text
    return None, ""


async def _settle(turn: Turn) -> None:
    """What was just said has its answer."""
    await conversations.settle(turn.tx, turn.conversation.id)


async def _own(turn: Turn, number: str) -> Ticket | None:
    ticket = await tickets.find(turn.tx, number_in(number))
    return ticket if ticket is not None and ticket.person_id == turn.person.id else None


async def _note(turn: Turn, deed: str, ticket: Ticket, **details: object) -> None:
    """With the end of the diagnosis and the topic, so that the outcome counts for both."""
    if ticket.leaf is not None:
        details["leaf"] = ticket.leaf
    await journal.note(
        turn.tx,
        deed,
        actor="person",
        now=turn.now,
        topic=ticket.topic,
        ticket_id=ticket.id,
        details=details,
    )
