"""A photo or file for the staff first asks the parent to look again: a document may be on it.

The message is kept and its words go on at once; the file itself is shown when the parent has confirmed.
Each question is about the files that came since the one before, and so are its buttons.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from faq.text import normalise
from handlers.cases import showing
from handlers.messages import Button, Incoming, Rows
from handlers.parents import questions
from handlers.texts import photos as texts
from handlers.turn import Turn, attachments_of, number_in, rows
from storage import conversations, journal, tickets
from storage import photos as kept
from storage.photos import Waiting

PREFIX = "photo:"
"""How the payloads of this file's buttons begin."""
REMIND_AFTER = timedelta(minutes=10)
"""Who has not answered by then may not have noticed that we asked."""


async def expect(turn: Turn, incoming: Incoming) -> None:
    """A message went to the staff; if it has files to check, ask about them when the whole album is here."""
    if any(conversations.must_be_checked(each.kind) for each in incoming.attachments):
        due = turn.now if incoming.whole else turn.now + questions.AFTER_A_QUESTION
        await conversations.set_answer_due(turn.tx, turn.conversation.id, due)


async def look(turn: Turn) -> None:
    """The time has come: ask about what came since the last question, or remind once of that question."""
    if turn.conversation.ticket_id is None:
        return
    waiting = await kept.waiting(turn.tx, turn.conversation.id, ticket_id=turn.conversation.ticket_id)
    fresh = [each for each in waiting if each.file.id > turn.state.photos_last]
    if fresh:
        await _ask(turn, fresh, waiting)
    elif waiting:
        await _remind(turn, waiting)


async def hear(turn: Turn, incoming: Incoming) -> bool:
    """Take «отправить» or «да» typed right after our question; False for any other words."""
    said = normalise(incoming.text)
    if incoming.attachments or said not in _SEND | _SEND_ALL | _DROP or not await _asked_just_now(turn):
        return False
    first = 0 if said in _SEND_ALL else turn.state.photos_first
    found = await kept.waiting(turn.tx, turn.conversation.id, first=first, last=turn.state.photos_last)
    if not found:
        return False
    await (_drop(turn, found) if said in _DROP else _send(turn, found))
    return True


async def press(turn: Turn, argument: str) -> None:
    """A button whose payload begins with `photo:`; `argument` is the rest."""
    deed, _, numbers = argument.partition(":")
    first, last = map(number_in, numbers.partition("-")[::2])
    found = await kept.waiting(turn.tx, turn.conversation.id, first=first, last=last)
    if found and deed == "send":
        await _send(turn, found)
    elif found and deed == "drop":
        await _drop(turn, found)
    elif await kept.is_cleared(turn.tx, turn.conversation.id, last):
        await turn.say(texts.TOO_LATE_TO_DROP if deed == "drop" else texts.ALREADY_SENT, _way_on(turn))
    else:
        await turn.say(texts.GONE, _way_on(turn))


async def _ask(turn: Turn, fresh: Sequence[Waiting], waiting: Sequence[Waiting]) -> None:
    is_known = await kept.any_cleared(turn.tx, fresh[0].ticket_id)
    text = texts.ask_again(_kinds(fresh)) if is_known else texts.ask(_kinds(fresh))
    if len(waiting) > len(fresh):
        text = f"{text} {texts.earlier_wait()}"
    turn.state.photos_first, turn.state.photos_last = fresh[0].file.id, fresh[-1].file.id
    turn.state.photos_reminded = False
    await _say(turn, text, _buttons(fresh, waiting))
    await conversations.set_answer_due(turn.tx, turn.conversation.id, turn.now + REMIND_AFTER)


async def _remind(turn: Turn, waiting: Sequence[Waiting]) -> None:
    asked = await conversations.message(turn.tx, turn.state.photos_asked)
    unanswered = [each for each in waiting if each.file.id >= turn.state.photos_first]
    if turn.state.photos_reminded or asked is None or not unanswered:
        return
    due = asked.created_at + REMIND_AFTER
    if turn.now < due:
        await conversations.set_answer_due(turn.tx, turn.conversation.id, due)
        return
    turn.state.photos_reminded = True
    await _say(turn, texts.remind(_kinds(unanswered)), _buttons(unanswered, waiting))


async def _say(turn: Turn, text: str, buttons: Rows) -> None:
    await turn.say(text, buttons)
    asked = await conversations.last_message_id(turn.tx, turn.conversation.id, author="bot")
    turn.state.photos_asked = asked or 0


def _buttons(asked: Sequence[Waiting], waiting: Sequence[Waiting]) -> Rows:
    here = f"{asked[0].file.id}-{asked[-1].file.id}"
    choices = [Button(texts.button_send(_kinds(asked)), f"{PREFIX}send:{here}")]
    if len(waiting) > len(asked):
        everything = f"{waiting[0].file.id}-{waiting[-1].file.id}"
        choices.append(Button(texts.BUTTON_SEND_ALL, f"{PREFIX}send:{everything}"))
    return rows([*choices, Button(texts.BUTTON_DROP, f"{PREFIX}drop:{here}")])


async def _asked_just_now(turn: Turn) -> bool:
    """Whether nobody has said anything to the parent since our question: «да» may answer somebody else."""
    by_bot = await conversations.last_message_id(turn.tx, turn.conversation.id, author="bot") or 0
    by_staff = await conversations.last_message_id(turn.tx, turn.conversation.id, author="staff") or 0
    return max(by_bot, by_staff) == turn.state.photos_asked


async def _send(turn: Turn, found: Sequence[Waiting]) -> None:
    for number, files in _by_ticket(found).items():
        ticket = await tickets.find(turn.tx, number)
        if ticket is None or ticket.state == "closed":
            await kept.drop(turn.tx, files, now=turn.now)
            await turn.say(texts.too_late(number), _way_on(turn))
            continue
        await kept.clear(turn.tx, files, now=turn.now)
        await _note(turn, "photos_confirmed", files)
        await turn.say(texts.sent(_kinds(files)), _way_on(turn))
        await showing.tell_staff(
            turn,
            ticket,
            texts.parent_confirmed(number, turn.person.name),
            # One letter: what came as an album, and was checked together, travels together.
            files=attachments_of(each.file for each in files),
            shows_id=files[0].message_id,
        )


async def _drop(turn: Turn, found: Sequence[Waiting]) -> None:
    await kept.drop(turn.tx, found, now=turn.now)
    await turn.say(texts.dropped(_kinds(found)), _way_on(turn))
    for number, files in _by_ticket(found).items():
        await _note(turn, "photos_dropped", files)
        ticket = await tickets.find(turn.tx, number)
        if ticket is not None and ticket.state != "closed":
            told = texts.parent_dropped(number, turn.person.name, _kinds(files))
            await showing.tell_staff(turn, ticket, told)


def _way_on(turn: Turn) -> Rows:
    """Who talks with the bot again is not left before a sentence that asks nothing."""
    return () if turn.conversation.mode in {"waiting_human", "human"} else questions.menu_buttons()


async def _note(turn: Turn, deed: str, files: Sequence[Waiting]) -> None:
    await journal.note(
        turn.tx,
        deed,
        actor="person",
        now=turn.now,
        ticket_id=files[0].ticket_id,
        details={"files": len(files)},
    )


def _by_ticket(found: Sequence[Waiting]) -> dict[int, list[Waiting]]:
    grouped: dict[int, list[Waiting]] = {}
    for each in found:
        grouped.setdefault(each.ticket_id, []).append(each)
    return grouped


def _kinds(files: Sequence[Waiting]) -> list[str]:
    return [each.file.kind for each in files]


_SEND = {
    "да",
    "да закрыто",
    "да все закрыто",
    "все закрыто",
    "закрыто",
    "да отправить",
    "да отправьте",
    "да отправляйте",
    "отправить",
    "отправь",
    "отправьте",
    "отправляй",
    "отправляйте",
    "отправить снимок",
    "отправить снимки",
    "отправить файл",
    "отправить файлы",
    "все закрыто отправьте",
}
_SEND_ALL = {"отправить все", "отправьте все"}
_DROP = {"не отправлять", "не отправляй", "не отправляйте", "нет не отправлять", "не отправлять снимок"}
