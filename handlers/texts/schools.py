"""Sentences about choosing a school. Russian, short, «вы»; what a person typed is escaped here."""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape

BUTTON_OTHER = "Другая школа"
BUTTON_NOT_LISTED = "Нет в списке"

WHICH = "Какая из этих школ?"
WHICH_OF_MANY = "Таких школ много, вот первые. Выберите свою или напишите точнее: номер и населённый пункт."
NOT_FOUND = (
    "Такой школы в моём списке нет. Напишите, пожалуйста, ещё раз: номер или название и населённый пункт "
    "(например: «лицей 35, Майкоп»). Не найду и так — передам с вашими словами."
)
NOT_FOUND_FOR_CHILD = (
    "Такой школы в моём списке нет. Напишите, пожалуйста, ещё раз: номер или название и населённый пункт "
    "(например: «лицей 35, Майкоп»). Не найду и так — запомню вашими словами."
)
NAME_NEW_SCHOOL = (
    "Осталось последнее: **новая** школа, куда перешёл ребёнок, и населённый пункт "
    "(например: «школа 5, Майкоп»). Заявку получит она."
)
ASK_OTHER = "Какая школа нужна? Напишите номер или название и населённый пункт."
TAKEN_ALREADY = (
    "Вопросом № {number} уже занимаются. Напишите сюда, какая школа нужна: сотрудник передаст вопрос."
)
SAME_SCHOOL = "Вопрос № {number} уже в этой школе. Пишите сюда, всё попадёт к ней."
NO_LONGER = "Этой школы в списке уже нет. Напишите, пожалуйста, школу словами."


def named(name: str, municipality: str) -> str:
    """A school as people are shown it."""
    return name if not municipality or municipality in name else f"{name}, {municipality}"


def taken(name: str) -> str:
    """Names back the school that the question went to."""
    return f"Школа: {escape(name)}."


def moved(number: int, name: str) -> str:
    """The question went to another school."""
    return f"Вопрос № {number} передан в другую школу: {escape(name)}. Пишите сюда, всё попадёт к ней."


def staff_moved_away(number: int, name: str) -> str:
    """For the desk that had the question: the parent named another school."""
    return f"№ {number}: родитель уточнил школу, вопрос ушёл туда ({escape(name)})."


def staff_moved_here() -> str:
    """For the desk that gets the question."""
    return "Родитель уточнил, что вопрос к этой школе."


def greeted(name: str) -> str:
    """Stands before the greeting of somebody who came by the link of a school."""
    return f"Школа: **{escape(name)}**. Запомнил её: называть снова не придётся."


def remembered_beside(name: str, number: int) -> str:
    """Somebody with an open question came by the link of a school."""
    return f"Школа: **{escape(name)}**, запомнил. Ваш вопрос № {number} по-прежнему у сотрудников."


def choice(question: str, names: Sequence[str]) -> str:
    """Asks for one of several; the full names stand in the text, since a button may cut them."""
    return "\n".join([question, *(f"- {escape(name)}" for name in names)])


def left_where_it_is(number: int) -> str:
    """None of the schools was the right one."""
    return (
        f"Хорошо, вопрос № {number} остаётся там, где он есть. "
        "Если школа не та, напишите об этом сотрудникам прямо сюда."
    )


def not_listed_passed(number: int) -> str:
    """The words named no school that we know; the staff read them."""
    return f"Такой школы в моём списке нет. Передал ваши слова сотрудникам, вопрос № {number} остаётся у них."
