"""Sentences for group chats where a desk works together. Russian, short, «вы».

Functions take what a person typed already raw and escape it themselves.
"""

from __future__ import annotations

from faq.markup import escape

BUTTON_MINISTRY = "Министерство"
CONTINUED = "Прежняя тема удалена или закрыта, продолжаем здесь."

WELCOME = (
    "Здравствуйте! Это бот техподдержки. Если в этой группе работают сотрудники школы, муниципалитета или "
    "министерства, пусть один из них напишет здесь /desk: вопросы родителей будут приходить сюда. Если в "
    "ответ тишина, начните сообщение с имени бота (@имя /desk).\n\n"
    "Родителям: вопрос лучше задать боту в личном чате, в группе он не отвечает."
)
STRANGER = (
    "Отвечать здесь могут только сотрудники поддержки. Если вам нужна помощь, напишите боту в личном чате."
)
NOT_A_DESK = (
    "Вопросы родителей в эту группу не приходят. Чтобы они приходили, сотрудник пишет здесь /desk; "
    "с вопросами, которые пришли вам лично, работайте в личном чате."
)
OTHER_DESK = "Этот вопрос не относится к этой группе. Откройте его в личном чате с ботом."
IN_GROUPS_ONLY = "Команда /desk работает в группе: добавьте бота в группу коллег и напишите её там."
CHOOSE = (
    "Чьи вопросы показывать в этой группе? Всё, что пишут родители, увидят все её участники, поэтому сначала "
    "проверьте, кто здесь состоит."
)
NAME_SCHOOL = "Чтобы выбрать школу, напишите /desk и её название, например «/desk лицей 35»."
NONE_FOUND = "Такой школы среди ваших не нашлось. Напишите /desk и название, как в справочнике."
NO_DESK_OF_YOURS = "Вы не работаете ни в одной школе: подключить эту группу не получится."
NOT_YOURS = "Подключить эту группу так вы не можете: это не ваша школа и не ваш муниципалитет."
ONE_OF_MANY = "Нашлось несколько школ. Если нужной нет, напишите /desk и название точнее."
OFF = "Готово: вопросы родителей в эту группу больше не приходят, каждый сотрудник получит их лично."
OFF_ALREADY = "Вопросы родителей в эту группу и так не приходят."
TOPICS_OFF = (
    "Не получается открывать темы, поэтому все вопросы пойдут общей лентой. Если нужна отдельная тема для "
    "каждого вопроса, дайте боту право управлять темами и напишите /desk в любой теме, кроме общей."
)

_REASONS = {
    "kicked": "бота убрали из неё",
    "gone": "её больше нет",
    "not_allowed": "боту запретили в ней писать",
    "blocked": "боту запретили в ней писать",
}


def municipality(name: str) -> str:
    """A municipality's desk, also on a button."""
    return f"Муниципалитет: {name}"


def registered(desk: str) -> str:
    """The group is a desk now."""
    return (
        f"Готово. Сюда будут приходить вопросы: **{escape(desk)}**. Чтобы ответить родителю, ответьте на "
        "сообщение с его вопросом. Чтобы вопросы сюда больше не приходили, напишите /desk off."
    )


def serves_already(desk: str) -> str:
    """Whose the group is, before another choice."""
    return f"Сейчас сюда приходят вопросы: **{escape(desk)}**."


def of_others(desk: str) -> str:
    """Refuses to take the group from those whose it is."""
    return (
        f"Сейчас сюда приходят вопросы: **{escape(desk)}**. Изменить это может только сотрудник, который "
        "там работает."
    )


def waiting(count: int) -> str:
    """What waits at the desk when the group becomes one."""
    return f"Открытых вопросов сейчас: {count}."


def lost(title: str, reason: str) -> str:
    """Tells a member of the desk that their group gets nothing any more."""
    why = _REASONS.get(reason, "туда не получается написать")
    return (
        f"В группу {_named(title)} вопросы больше не приходят: {why}. Теперь они приходят сотрудникам лично. "
        "Чтобы вернуть группу, добавьте в неё бота и напишите там /desk."
    )


def registrar_left(name: str, desk: str, title: str) -> str:
    """Tells the ministry's desk that somebody who is no member any more has connected a group."""
    return (
        f"{escape(name)} больше не сотрудник. К поддержке остаётся подключена группа {_named(title)} "
        f"({escape(desk)}): проверьте, кто в ней состоит. Отключает её /desk off, написанное в группе."
    )


def _named(title: str) -> str:
    return f"«{escape(title)}»" if title else "без названия"
