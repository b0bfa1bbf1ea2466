"""Sentences about the family, about joining channels and about forgetting. Russian, short, «вы».

Functions take what a person typed already raw and escape it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape
from handlers.texts import basics as texts
from storage.family import AgeGroup, Child

AGE_GROUPS: dict[AgeGroup, str] = {
    "under14": "до 14 лет",
    "14_no_passport": "14 лет, паспорта ещё нет",
    "from14": "14 лет или больше, паспорт есть",
}
QUICK_LABELS = ("Старшая", "Старший", "Младшая", "Младший")
"""Offered as buttons: one tap, and nothing personal in it."""

DEFAULT_LABEL = "Ребёнок"
"""Of a child that is remembered with one tap; the parent may choose another word."""

NO_CHILDREN = (
    "Я пока ничего не знаю о ваших детях, и для ответов это не обязательно. Если детей несколько, добавьте "
    "их: тогда не придётся каждый раз объяснять, о ком вопрос. Имя и дата рождения не нужны."
)
ASK_LABEL = (
    "Как будем называть ребёнка? Хватит короткого слова: «старшая», «сын». Фамилия и дата рождения не нужны."
)
LABEL_IS_PERSONAL = (
    "Давайте без фамилии, отчества и даты рождения: так спокойнее для ребёнка. "
    "Напишите короткое слово, например «старшая»."
)
LABEL_IS_LONG = "Это длинновато: напишите, пожалуйста, короче, до 30 знаков, например «младший»."
LABEL_IS_TAKEN = "Так уже называется другой ребёнок. Выберите, пожалуйста, другое слово."
TOO_MANY_CHILDREN = "Столько детей я не запомню. Удалите, пожалуйста, тех, кто уже не учится."
CHILD_GONE = "Этого ребёнка в моём списке уже нет."
WHICH_CHILD = "О ком из детей вопрос?"
NOT_ASKED = "Хорошо, не спрашиваю."

CODE_WRONG = (
    "Этот код не подошёл: он уже использован, устарел или набран с ошибкой. "
    "Получите новый там, где вы писали раньше: «Мои дети» → «Соединить каналы»."
)
TOO_MANY_TRIES = "Слишком много попыток. Попробуйте, пожалуйста, через час с новым кодом."
OWN_CODE = "Этот код нужно набрать в другом канале, а не здесь. Он ещё действует."
ASK_CODE = "Напишите код из шести знаков, который показан в другом канале."
ALREADY_JOINED = "Эти каналы уже соединены."
NOT_JOINED = "Этот канал ни с каким другим не соединён."
ASK_LEAVE = "Отсоединить этот канал? Список детей останется там, где вы писали ещё, а здесь его не будет."
LEFT = "Готово, этот канал теперь сам по себе."
PRIMARY_HERE = "Хорошо, объявления будут приходить сюда."

BUTTON_KEEP_CHILD = "Запомнить школу"
BUTTON_ADD = "Добавить ребёнка"
BUTTON_RENAME = "Назвать иначе"
BUTTON_AGE = "Возраст"
BUTTON_SCHOOL = "Школа"
BUTTON_FORGET_CHILD = "Удалить из списка"
BUTTON_LIST = "Мои дети"
BUTTON_SKIP = "Пропустить"
BUTTON_OTHER_CHILD = "Другой ребёнок"
BUTTON_JOIN = "Соединить каналы"
BUTTON_SHOW_CODE = "Показать код"
BUTTON_TYPE_CODE = "У меня есть код"
BUTTON_LEAVE = "Отсоединить этот канал"
BUTTON_LEAVE_YES = "Да, отсоединить"
BUTTON_PRIMARY = "Объявления — сюда"

ASK_FORGET = (
    "Удалить всё, что здесь о вас есть: переписку, файлы, список детей и ваш адрес в этом канале? "
    "Открытый вопрос к сотрудникам закроется без ответа. Вернуть удалённое будет нельзя."
)
KEPT = "Хорошо, ничего не удаляю."
FORGOTTEN = (
    "Готово: переписка, файлы и список детей удалены. Это последнее сообщение и ваш адрес сотрутся через "
    "сутки, останутся только обезличенные числа: сколько было вопросов. Сообщения в самом мессенджере "
    "удалите у себя. Если понадобится помощь, просто напишите, начнём с чистого листа."
)
FORGOTTEN_ELSEWHERE = "На других каналах напишите «забудь меня» отдельно: их я не трогал."
STILL_STAFF = "Сначала отзовите доступ сотрудника: пока он действует, забыть этого человека нельзя."
BUTTON_FORGET = "Да, удалить всё"
BUTTON_KEEP = "Не удалять"


def children(known: Sequence[Child]) -> str:
    """The list of the children."""
    return "\n".join(["**Ваши дети**", *(f"- {child(each)}" for each in known)])


def child(known: Child) -> str:
    """One child in one line."""
    more = [AGE_GROUPS[known.age_group]] if known.age_group else []
    more += [escape(known.school)] if known.school else []
    return ", ".join([f"**{escape(known.label)}**", *more])


def ask_age(label: str) -> str:
    """Asks for the age group; nothing else is needed to answer."""
    return f"«{escape(label)}»: сколько лет?"


def ask_school(label: str) -> str:
    """Asks for the school."""
    return f"«{escape(label)}»: какая школа и населённый пункт? Например: «школа 5, Майкоп»."


def ask_new_label(label: str) -> str:
    """Asks what to call a child from now on."""
    return f"Как теперь называть вместо «{escape(label)}»? Короткое слово, без фамилии и даты рождения."


def remembered(known: Child) -> str:
    """What we know of the child now."""
    return f"Запомнил: {child(known)}."


def child_forgotten(label: str) -> str:
    """The child is off the list."""
    return f"Удалил из списка: «{escape(label)}»."


def joining(others: Sequence[str]) -> str:
    """What joining is for; `others` are the channels that are joined already."""
    known = ", ".join(texts.CHANNEL_NAMES.get(channel, channel) for channel in others)
    joined = f"Сейчас соединены: {known}. " if others else ""
    return (
        f"{joined}Если вы пишете и в другом мессенджере, соедините каналы кодом: список детей будет общим, "
        "и объявления не придут дважды."
    )


def code(shown: str, minutes: int) -> str:
    """Shows the one-time code."""
    return (
        f"Ваш код: **{shown}**. Напишите его боту в другом мессенджере или в чате на сайте: /join {shown}. "
        f"Код действует {minutes} минут и подходит один раз. Никому его не передавайте."
    )


def joined(others: Sequence[str]) -> str:
    """The places are one family now."""
    known = ", ".join(texts.CHANNEL_NAMES.get(channel, channel) for channel in others)
    return (
        f"Готово, каналы соединены: {known}. Список детей теперь общий, открытые вопросы остаются отдельно."
    )


def joined_there(channel: str) -> str:
    """Tells the other place, so that nobody joins it unnoticed."""
    name = texts.CHANNEL_NAMES.get(channel, channel)
    return f"К этому каналу присоединён ещё один: {name}. Если это не вы, нажмите «{BUTTON_LEAVE}»."


def parent_forgotten(number: int) -> str:
    """Tells the staff that a question needs no answer any more."""
    return f"Вопрос № {number} закрыт: родитель попросил удалить все свои данные. Отвечать не нужно."
