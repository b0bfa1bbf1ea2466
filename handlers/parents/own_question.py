"""«Мой вопрос»: where it is, since when, and whether somebody has taken it; nothing that is not certain."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from faq.text import clean, words
from handlers.cases import closing
from handlers.messages import Button
from handlers.parents import questions, reopening
from handlers.texts import basics
from handlers.texts import own_question as texts
from handlers.turn import Turn, rows
from storage import tickets
from storage.ticket import Ticket

MOST_SHOWN = 5
"""Open questions; more than one is rare."""
_ASKING = {
    "мой вопрос",
    "мои вопросы",
    "мое обращение",
    "моя заявка",
    "мой статус",
    "статус",
    "статус вопроса",
    "статус обращения",
    "статус заявки",
    "статус моего вопроса",
    "что с моим вопросом",
    "что с моей заявкой",
    "что с моим обращением",
    "как мой вопрос",
    "где мой вопрос",
    "где ответ",
    "где мой ответ",
    "где ответ на мой вопрос",
    "когда ответ",
    "когда ответят",
    "когда будет ответ",
    "номер моего вопроса",
}


def is_asked(text: str) -> bool:
    """Whether words ask for this and nothing else."""
    said = words(clean(text))
    return " ".join(said) in _ASKING or (bool(said) and said[0] in _POLITE and " ".join(said[1:]) in _ASKING)


_POLITE = {"здравствуйте", "скажите", "подскажите", "пожалуйста", "а", "и", "ну"}


async def show(turn: Turn) -> None:
    """All open questions, or the one that was closed last."""
    mine = await tickets.of_person(turn.tx, turn.person.id, limit=MOST_SHOWN)
    open_ones = [ticket for ticket in mine if ticket.state != "closed"]
    if open_ones:
        await _show_open(turn, open_ones)
    elif mine:
        await _show_closed(turn, mine[0])
    else:
        await turn.say(texts.NO_QUESTION, questions.menu_buttons())


async def _show_open(turn: Turn, open_ones: list[Ticket]) -> None:
    zone = ZoneInfo(turn.knowledge.region.timezone)
    parts = [
        texts.open_question(
            ticket, opened=ticket.created_at.astimezone(zone), is_overdue=_is_overdue(turn, ticket)
        )
        for ticket in open_ones
    ]
    several = len(open_ones) > 1
    solved = [
        Button(texts.solved_button(ticket.id) if several else basics.BUTTON_SOLVED, f"solved:{ticket.id}")
        for ticket in open_ones
        if ticket.state == "answered"
    ]
    is_with_bot = turn.conversation.mode in {"bot", "closed"}
    way = Button(basics.BUTTON_HUMAN, "human") if is_with_bot else Button(basics.BUTTON_BACK_TO_BOT, "bot")
    await turn.say(texts.together(parts), rows([*solved, way]))


async def _show_closed(turn: Turn, ticket: Ticket) -> None:
    zone = ZoneInfo(turn.knowledge.region.timezone)
    closed = (ticket.closed_at or ticket.created_at).astimezone(zone)
    again = () if reopening.is_late(turn, ticket) else (closing.unsolved_row(ticket.id),)
    text = texts.together([texts.closed_question(ticket, closed=closed), texts.NO_QUESTION])
    await turn.say(text, (*again, *questions.menu_buttons()))


def _is_overdue(turn: Turn, ticket: Ticket) -> bool:
    """Past a deadline while the clock goes."""
    if ticket.clock_stopped_at is not None:
        return False
    due = ticket.answer_due_at if ticket.state == "waiting" else ticket.solve_due_at
    return (due is not None and due < turn.now) or (
        ticket.solve_due_at is not None and ticket.solve_due_at < turn.now
    )
