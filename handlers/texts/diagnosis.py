"""Sentences around the questions of the diagnosis and around the card for the school.

The questions themselves are content (`faq/base/diagnosis.yaml`). Functions take what a person typed raw and
escape it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape

LEAD = "Разберёмся по шагам, вопросов будет не больше трёх."
SEEN = "Понял: на экране «{seen}»."
CHOOSE = "Не понял ответа. Выберите, пожалуйста, вариант или напишите, что видно на экране."
SCHOOL_MENDS = "Исправить это может только школа: нажмите «Передать школе», и я помогу составить заявку."
NOT_HELPED_SCHOOL = (
    "Тогда дело за школой: исправить данные в дневнике может только её администратор. Передать ему?"
)
ALREADY_OPEN = "Уже передано: заявка № {number} у сотрудников. Добавил к ней то, что выяснили сейчас."
SENDING_AS_IT_IS = "Хорошо, остальное сотрудники спросят сами, если понадобится."

BUTTON_START = "Не могу войти"
BUTTON_FIND = "Найти причину"
BUTTON_BACK = "Назад"
BUTTON_AGAIN = "Начать заново"
BUTTON_RESUME = "Вернуться к вопросам о входе"
BUTTON_SEND = "Передать школе"
BUTTON_CHECK = "Что проверить самим"
BUTTON_SKIP = "Пропустить"
BUTTON_AS_IT_IS = "Передать как есть"

WAY = "Как разбирались"
ERROR = "Текст ошибки"
LEFT_OUT = "Не рассказали"
ON_THE_PICTURE = "на снимке"


def only_school(title: str, warning: str) -> str:
    """What is left to do is the school's; names the request that can be sent."""
    return (
        f"Исправить это может только администратор Дневник.ру в вашей школе. Могу передать ему заявку "
        f"«{escape(title)}».\n\n{escape(warning)}"
    )


def begin_card(warning: str, count: int) -> str:
    """Before the first question of a card; `count` of them follow."""
    questions = f"Несколько коротких вопросов ({count}), любой можно пропустить." if count > 1 else ""
    return f"Готовлю заявку для школы. {questions}\n\n{escape(warning)}".replace(" \n", "\n")


def sent(number: int, card: Sequence[tuple[str, str]]) -> str:
    """The request is with the school; shows what is on it."""
    lines = [f"- {escape(title)}: {escape(said)}" for title, said in card if title not in _FOR_STAFF]
    return "\n".join(
        [f"Передал заявку сотрудникам, номер **{number}**. Ответ придёт сюда. Вот что в ней:", *lines]
    )


_FOR_STAFF = {WAY, LEFT_OUT}


def on_card(title: str, fields: Sequence[tuple[str, str]], *, urgent: bool) -> list[str]:
    """For the staff: which request it is and what the parent told for it."""
    return [
        *([f"Заявка: **{escape(title)}**"] if title else []),
        *(["**Срочно**: родителю видны данные другого ребёнка"] if urgent else []),
        *(f"{escape(name)}: {escape(said)}" for name, said in fields),
    ]


def learnt(number: int, card: Sequence[tuple[str, str]], *, urgent: bool) -> str:
    """For the staff: what the diagnosis has found out after the question was opened."""
    return "\n".join([f"**№ {number}**: родитель прошёл вопросы бота.", *on_card("", card, urgent=urgent)])
