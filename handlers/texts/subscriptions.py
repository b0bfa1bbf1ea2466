"""Sentences about announcements and about the way into the diary. Russian, short, «вы»."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from faq.markup import escape
from storage.campaigns.campaign import CATEGORIES, Category, Stage
from storage.stages import Readiness

NAMES: Mapping[Category, str] = {
    "important": "важные объявления",
    "reminders": "напоминания",
    "news": "новости",
}

BUTTON_UNSUBSCRIBE = "Отписаться"
BUTTON_TAKE_BACK = "Вернуть"
BUTTON_SETTINGS = "Все подписки"
BUTTON_NOTHING = "Не присылать ничего"
BUTTON_EVERYTHING = "Присылать всё"
BUTTON_TURN_ON = "Включить"
BUTTON_KEEP = "Не надо"

KEPT = "Хорошо, оставляю как есть. Чтобы изменить, напишите «подписки»."
ASK_WHAT_TO_STOP = (
    "Могу не присылать объявления — все или только часть. На ваши вопросы отвечаю как раньше. Что выключить?"
)

BUTTON_INSIDE = "Я уже вошёл"
BUTTON_HELP = "Нужна помощь"
QUESTION = "Вы уже вошли в дневник через Госуслуги?"
BUTTON_YES = "Да, вошли"
BUTTON_NOT_YET = "Пока нет"
WHERE_STUCK = "На чём остановились?"
STAGES: Mapping[Stage, str] = {
    "no_account": "Нет записи на Госуслугах",
    "not_confirmed": "Запись есть, но не подтверждена",
    "child_not_linked": "Ребёнок не привязан к моей записи",
    "no_profile": "В дневнике не найден профиль",
}
"""What a parent may have stopped at, as labels of buttons."""
BUTTON_DO_NOT_KNOW = "Не знаю"
INSIDE = "Спасибо, что сказали! Если что-то ещё понадобится, пишите."
ALREADY_INSIDE = "Вы отмечали, что уже вошли в дневник. Если что-то не получается, найдём причину по шагам."
NO_TOPIC = "Такого ответа у меня больше нет. Напишите, что не получается, или найдём причину по шагам."

READINESS_EMPTY = (
    "Пока нечего показать: ни одна семья с известной школой не отметила, вошла ли она в дневник, "
    "и школ своих детей родители ещё не назвали."
)
_STAGES_SHORT: Mapping[Stage, str] = {
    "no_account": "нет записи",
    "not_confirmed": "не подтверждена",
    "child_not_linked": "ребёнок не привязан",
    "no_profile": "нет профиля",
}


def settings(wanted: Collection[Category]) -> str:
    """What the person gets, a line each."""
    lines = [f"{_capital(NAMES[each])}: {'да' if each in wanted else 'нет'}" for each in CATEGORIES]
    return "\n".join(["**Что я присылаю вам сам**", *lines, "", "На ваши вопросы отвечаю в любом случае."])


def button(category: Category, *, is_wanted: bool) -> str:
    """What turns it off or on."""
    return f"{'Выключить' if is_wanted else 'Включить'}: {NAMES[category]}"


def turned_off(category: Category) -> str:
    """Confirms that a category will not come any more."""
    return f"Хорошо, {NAMES[category]} больше не присылаю. На ваши вопросы отвечаю как раньше."


def turned_on(categories: Sequence[Category]) -> str:
    """Confirms that they will come again."""
    return f"Готово, {_joined(categories)} снова будут приходить."


def off_since_block(categories: Sequence[Category]) -> str:
    """Tells, once, what a block has turned off."""
    return f"{_capital(_joined(categories))} выключены. Включить?"


def noted_beside_human(number: int) -> str:
    """Confirms a press while the question is with the staff."""
    return f"Спасибо, запомнил. Ваш вопрос № {number} у сотрудников, пишите сюда: всё попадёт к ним."


def readiness(places: Sequence[Readiness], *, title: str, page: int, pages: int) -> str:
    """Percentages of places under a heading; `page` counts from 0."""
    where = f" (страница {page + 1} из {pages})" if pages > 1 else ""
    return "\n\n".join([f"**{title}**{where}", *map(readiness_line, places)])


def readiness_line(place: Readiness) -> str:
    """One school or municipality: how many are inside, where the others stand."""
    parts = [f"вошли {place.percent(place.inside)} % ({place.inside} из {place.families})"]
    parts += [
        f"{said} — {place.stages[stage]}" for stage, said in _STAGES_SHORT.items() if stage in place.stages
    ]
    if place.not_asked:
        parts.append(f"не спрошены — {place.not_asked}")
    name = place.school or place.municipality or NO_MUNICIPALITY
    return f"**{escape(name)}**\n{', '.join(parts)}"


NO_MUNICIPALITY = "Без муниципалитета"
READINESS_OF_MUNICIPALITIES = "Вход в дневник по муниципалитетам"
READINESS_OF_SCHOOLS = "Вход в дневник по школам"
BUTTON_BY_SCHOOL = "По школам"
BUTTON_BY_MUNICIPALITY = "По муниципалитетам"


def _joined(categories: Sequence[Category]) -> str:
    names = [NAMES[each] for each in categories]
    return " и ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]
