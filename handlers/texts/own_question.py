"""Sentences for «мой вопрос» and for the time after a question was closed. Russian, short, «вы».

Functions take what a person typed raw and escape it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from faq.markup import escape
from storage.ticket import Ticket

BUTTON_MINE = "Мой вопрос"
BUTTON_UNSOLVED = "Не решено"
BUTTON_YES = "Да"
BUTTON_NO = "Нет"

NO_QUESTION = (
    "Открытых вопросов у сотрудников от вас сейчас нет. Напишите, что не получается, или позовите человека."
)
MARK_NEXT_TIME = (
    "Вопрос № {number} снова открыт: оценить помощь можно будет после. Пишите сюда, что осталось."
)
TOO_LATE_TO_MARK = "Эту оценку уже не изменить: вопрос закрыт давно. Если что-то не получается, пишите."
TOO_LATE_TO_REOPEN = (
    "Вопрос № {number} закрыт давно, и заново его не открыть. Напишите, пожалуйста, что не получается "
    "сейчас, или позовите человека."
)
STILL_OPEN = "Вопрос № {number} у сотрудников. Напишите, пожалуйста, сюда, что осталось: всё попадёт к ним."
GLAD = "Хорошо, что всё решилось! Если что-то ещё понадобится, пишите."
GOT_IN = "Хорошо, что получилось! Если что-то ещё понадобится, пишите."
GOT_IN_BUT_OPEN = "Хорошо, что получилось! Вопрос № {number} ещё открыт: если он решён, нажмите кнопку."

_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip


def moment(local: datetime) -> str:
    """A day and a time in words, in the zone of the argument."""
    return f"{local.day} {_MONTHS[local.month - 1]} в {local:%H:%M}"


def day(local: datetime) -> str:
    """A day in words."""
    return f"{local.day} {_MONTHS[local.month - 1]}"


def desk_name(ticket: Ticket) -> str:
    """Who has the question now, in the genitive: nobody's name stands in it."""
    if ticket.level == "school" and ticket.school_id is not None:
        return f"школы «{escape(ticket.school)}»"
    if ticket.level == "municipal" and ticket.municipality:
        return f"координатора муниципалитета ({escape(ticket.municipality)})"
    return "министерства"


def open_question(ticket: Ticket, *, opened: datetime, is_overdue: bool) -> str:
    """The state of an open question, line by line; `opened` is in local time."""
    return "\n".join(
        [
            f"**Вопрос № {ticket.id}**, открыт {moment(opened)}",
            f"Сейчас он у сотрудников {desk_name(ticket)}.",
            *([_MOVED_UP] if ticket.school_id is not None and ticket.level != "school" else []),
            *_state(ticket, is_overdue=is_overdue),
        ]
    )


def _state(ticket: Ticket, *, is_overdue: bool) -> list[str]:
    if ticket.clock_stopped_for == "asked":
        return ["**Ждём вашего ответа**: сотрудник спросил вас, напишите, пожалуйста, сюда."]
    if ticket.clock_stopped_for == "outage":
        return ["Сейчас общий сбой: вопрос ждёт, пока он закончится."]
    if ticket.state == "answered":
        said = "Вам ответили, вопрос остаётся открытым. Если уже решено, нажмите «Вопрос решён»."
    elif ticket.owner_id is not None:
        said = "Сотрудник взял его и занимается им."
    else:
        said = "Его пока никто не взял."
    return [said, _LATE if is_overdue else _IN_WORKING_HOURS]


_MOVED_UP = "Это выше школы: ответить должны там."
_IN_WORKING_HOURS = "Отвечают в рабочее время, ответ придёт сюда."
_LATE = "Ответ задерживается дольше положенного, и это видно ответственным. Он придёт сюда."


def closed_question(ticket: Ticket, *, closed: datetime) -> str:
    """The question that was closed last; `closed` is in local time."""
    return f"**Вопрос № {ticket.id}** закрыт {day(closed)}."


def together(parts: Sequence[str]) -> str:
    """Several questions, one under the other."""
    return "\n\n".join(parts)


def marked(mark: int) -> str:
    """The mark is kept."""
    thanks = f"Спасибо, записал оценку: {mark} из 5."
    return f"{thanks} {_GOOD_BYE if mark >= GOOD else _STILL_THERE}"


GOOD = 4
_GOOD_BYE = "Если что-то ещё понадобится, пишите."
_STILL_THERE = f"Если вопрос остался, нажмите «{BUTTON_UNSOLVED}»."


def reopened_by_message(number: int) -> str:
    """A message after closing went to the staff."""
    return (
        f"Вопрос № {number} снова открыт, сообщение передал сотрудникам. "
        "Если это о другом, нажмите «Вернуться к боту», и отвечу я."
    )


def reopened_by_press(number: int) -> str:
    """The parent said that it is not solved."""
    return f"Вопрос № {number} снова открыт. Напишите, пожалуйста, что осталось: всё попадёт к сотрудникам."


def closed_again(number: int) -> str:
    """The message was about something else: the bot answers it now."""
    return f"Хорошо, отвечаю я. Вопрос № {number} снова закрыт."


def ask_got_in(number: int) -> str:
    """Asked once, two days after closing."""
    return f"Вы спрашивали о входе в дневник (вопрос № {number}). Получилось войти?"


def staff_reopened(number: int, name: str, said: Sequence[str]) -> str:
    """For the desk: a closed question is open again, with what the parent said since."""
    head = f"**№ {number}** снова открыт: {escape(name or 'родитель')} пишет после закрытия."
    return "\n".join([head, *said])


def staff_unsolved(number: int, name: str, said: Sequence[str]) -> str:
    """For the desk: the parent says that it is not solved."""
    head = f"**№ {number}** снова открыт: {escape(name or 'родитель')} сообщает, что не решено."
    return "\n".join([head, *said])


def staff_not_in(number: int, name: str, said: Sequence[str]) -> str:
    """For the desk: the parent could not get in after all."""
    head = f"**№ {number}** снова открыт: {escape(name or 'родитель')} сообщает, что войти не получилось."
    return "\n".join([head, *said])


def staff_closed_again(number: int) -> str:
    """For the desk: the message after closing was about something else."""
    return f"№ {number} снова закрыт: сообщение было о другом, на него ответит бот."


def solved_button(number: int) -> str:
    """«Вопрос решён», where several are open."""
    return f"Вопрос № {number} решён"
