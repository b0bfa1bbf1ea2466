"""Sentences for venues: places where announcements are posted for everybody. Russian, short, «вы».

Functions take what a person typed already raw and escape it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape

WALL = "Стена сообщества ВКонтакте"
BUTTON_WALL = "Подключить стену сообщества"
BUTTON_RELEASE_HERE = "Отключить объявления"
NONE_YET = "Площадок для объявлений пока нет."
HOW_TO = (
    "Чтобы подключить канал Telegram, сделайте бота его администратором с правом публиковать сообщения: бот "
    "напишет вам сюда. Чтобы подключить группу или беседу, добавьте в неё бота и напишите там /venue."
)
WALL_FROM_VK = "Стену сообщества подключают ВКонтакте: напишите там боту /venue."
CHOOSE = "Чьи объявления здесь размещать?"
NAME_SCHOOL = "Чтобы выбрать школу, напишите здесь /venue и её название, например «/venue лицей 35»."
NONE_FOUND = "Такой школы среди ваших не нашлось. Напишите /venue и название, как в справочнике."
NO_DESK_OF_YOURS = "Вы не работаете ни в одной школе: подключить площадку не получится."
ONE_OF_MANY = "Нашлось несколько школ. Если нужной нет, напишите /venue и название точнее."
NOT_YOURS = "Подключить эту площадку так вы не можете: это не ваша школа и не ваш муниципалитет."
RELEASED = "Готово: объявления здесь больше не размещаются."
RELEASED_ALREADY = "Объявления здесь и так не размещаются."

_KINDS = {
    "telegram_channel": "канал",
    "telegram_group": "группа",
    "vk_wall": "стена",
    "vk_chat": "беседа",
}
_REASONS = {
    "kicked": "бота убрали оттуда",
    "gone": "её больше нет",
    "not_allowed": "боту запретили туда писать",
    "blocked": "боту запретили туда писать",
}


def met_channel(title: str) -> str:
    """Asks the member who made the bot an administrator of a channel whose it is."""
    return f"Бот может публиковать в канале {named(title)}. {CHOOSE}"


def name_school_of(title: str, number: int) -> str:
    """Tells how to name a school when there are too many for buttons."""
    return f"Чтобы выбрать школу для канала {named(title)}, напишите /venue {number} и её название."


def which(title: str) -> str:
    """Asks whose a place is, in the member's own chat."""
    return f"Площадка {named(title)}. {CHOOSE}"


def registered(title: str, desk: str) -> str:
    """It is a venue now."""
    return f"Готово: площадка {named(title)} подключена, объявления для неё готовит **{escape(desk)}**."


def of_others(desk: str) -> str:
    """Refuses to take the place from those whose it is."""
    return (
        f"Сейчас здесь размещает объявления **{escape(desk)}**. Изменить это может только сотрудник, который "
        "там работает."
    )


def serves_already(desk: str) -> str:
    """Whose the place is, before another choice."""
    return f"Сейчас здесь размещает объявления **{escape(desk)}**."


def line(kind: str, title: str, *, desk: str, lost_reason: str | None) -> str:
    """One venue in the list."""
    lost = (
        f" — не подключена: {_REASONS.get(lost_reason, 'туда не получается написать')}" if lost_reason else ""
    )
    return f"• {_KINDS[kind]} {named(title)}, {escape(desk)}{lost}"


def listed(lines: Sequence[str], *, total: int) -> str:
    """The venues of a member."""
    if not lines:
        return NONE_YET
    more = [f"… и ещё {total - len(lines)}"] if total > len(lines) else []
    return "\n".join(["**Площадки для объявлений**", *lines, *more])


def lost(kind: str, title: str, reason: str) -> str:
    """Tells whoever registered a venue that nothing can be posted there any more."""
    why = _REASONS.get(reason, "туда не получается написать")
    return f"Площадка отключена ({_KINDS[kind]} {named(title)}): {why}. Объявления туда больше не попадают."


def regained(title: str) -> str:
    """Tells whoever registered a venue that the bot is back."""
    return f"Площадка {named(title)} снова подключена."


def release(title: str) -> str:
    """A button that takes a venue off the list."""
    return f"Отключить «{title}»" if title else "Отключить площадку без названия"


def register(title: str) -> str:
    """A button that begins to register a place."""
    return f"Подключить «{title}»" if title else "Подключить площадку без названия"


def named(title: str) -> str:
    """A title in a sentence."""
    return f"«{escape(title)}»" if title else "без названия"
