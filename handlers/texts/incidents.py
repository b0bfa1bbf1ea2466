"""Sentences about one trouble of many: incidents of a school and declared outages. Russian, short, «вы»."""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape
from handlers.texts import basics as texts

BUTTON_ANSWER_ALL = "Ответить всем"
BUTTON_WHO = "Кто спросил"
BUTTON_SPLIT = "Это разное"
BUTTON_SPLIT_YES = "Да, разобрать по одному"
BUTTON_CLOSE_ALL = "Закрыть все"
BUTTON_CLOSE_ALL_YES = "Да, закрыть все"

INCIDENT_GONE = "Эта общая беда уже закрыта или разобрана: ничего не отправлено."
NOTHING_OPEN = "Открытых вопросов здесь не осталось: ничего не отправлено."
LATER_ONE = (
    "Школа уже ответила другим семьям с такой же бедой, этот ответ выше. Если у вас не так, напишите: "
    "вопрос открыт, и сообщение попадёт сотрудникам."
)


def incident(number: int, what: str, count: int, *, school: str, is_answered: bool) -> str:
    """The card of an incident; `count` families have asked by now."""
    lines = [
        f"**Похоже на общую беду № {number}**",
        f"Школа: {escape(school)}",
        f"Что: {escape(what)}",
        f"Семей: {count}",
    ]
    if is_answered:
        lines.append("Ответ отправлен. Кто спросит о том же, получит его сразу.")
    else:
        lines.append("Один ответ уйдёт всем. Если дела разные, разберите их по одному.")
    return "\n".join(lines)


def has_grown(number: int, count: int) -> str:
    """More families have come."""
    return f"К общей беде № {number} прибавилось: семей уже {count}."


def write_to_all(number: int, count: int) -> str:
    """Asks the member for the answer to all."""
    return (
        f"Напишите ответ на общую беду № {number}: он уйдёт всем, у кого вопрос открыт (вопросов: {count}). "
        "Имён и личных данных в нём быть не должно."
    )


def answered_all(number: int, told: Sequence[int]) -> str:
    """Who is being told; if a messenger refuses, a message about that comes apart."""
    return (
        f"Ответ на общую беду № {number} отправляю. Вопросы: {_numbers(told)}. "
        "Если кому-то не дойдёт, напишу отдельно."
    )


def who(number: int, lines: Sequence[str], *, page: int, pages: int) -> str:
    """The cases of an incident."""
    head = f"**Общая беда № {number}: кто спросил**" + (f" ({page} из {pages})" if pages > 1 else "")
    return "\n".join([head, *lines])


def who_line(number: int, channel: str, *, is_closed: bool, is_told: bool, failure: str | None) -> str:
    """One case of an incident."""
    state = "закрыт" if is_closed else ("ответ отправлен" if is_told else "ждёт")
    if failure:
        state = f"ответ не доставлен ({failure})"
    return f"— № {number}, {texts.CHANNEL_NAMES.get(channel, channel)}: {state}"


def ask_split(number: int) -> str:
    """Before an incident is taken apart."""
    return f"Разобрать общую беду № {number}? Каждый вопрос придёт отдельной карточкой."


def split(number: int, cases: Sequence[int]) -> str:
    """It was taken apart."""
    return f"Общая беда № {number} разобрана. Отдельно идут вопросы: {_numbers(cases) or 'открытых нет'}."


def ask_close_all(number: int, count: int) -> str:
    """Before all are closed."""
    return f"Закрыть все открытые вопросы общей беды № {number} (их {count})? Каждая семья узнает об этом."


def closed_all(number: int, cases: Sequence[int]) -> str:
    """All were closed."""
    return f"Общая беда № {number} закрыта. Закрыты вопросы: {_numbers(cases) or 'открытых не было'}."


def _numbers(cases: Sequence[int]) -> str:
    return ", ".join(f"№ {number}" for number in cases)
