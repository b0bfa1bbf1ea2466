"""Sentences for too many messages, and for people whom the staff do not want to hear any more."""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape
from handlers.texts import basics

TOO_FAST = (
    "Пишете быстрее, чем я успеваю прочесть. Всё написанное сохранил: чуть позже прочту и отвечу на всё "
    "вместе. Кнопку или команду, если нажали, повторите, пожалуйста, через пару минут."
)
TOO_FAST_WITH_HUMAN = (
    "Пишете быстрее, чем я успеваю передавать. Всё написанное сохранил и чуть позже передам сотруднику "
    "вместе. Кнопку или команду, если нажали, повторите, пожалуйста, через пару минут."
)
BANNED = (
    "Сообщения отсюда сотрудникам сейчас не передаются, и ответа здесь не будет. С вопросом о входе в "
    "дневник обратитесь, пожалуйста, лично: к классному руководителю или в администрацию вашей школы."
)

BUTTON_BAN = "Заблокировать"
BUTTON_LIFT = "Снять (№ {number})"
ASK_COORDINATOR = (
    "Заблокировать родителя или снять блокировку может муниципальный координатор или министерство. "
    "Передайте им, пожалуйста, вопрос с пояснением: «Передать» под его карточкой."
)
HOW_TO = "Чтобы заблокировать родителя, напишите /ban и номер его вопроса, например «/ban 15»."
NOBODY = "Сейчас никто не заблокирован."
IS_STAFF = "Этот человек работает сотрудником: заблокировать его нельзя. Ничего не изменено."
GONE = "Родитель удалил свои данные: блокировать некого."
NOT_BANNED = "По этому вопросу никто не заблокирован: ничего не изменено."
NOT_DONE = "Заблокировать не получилось: ничего не изменено."

_MOST_LINES = 40
"""Lines of a notice; somebody who sends more within minutes is hardly a person."""


def ban_for_sure(number: int, name: str) -> str:
    """Asks once more, so that nobody is banned by a slip."""
    return (
        f"Заблокировать родителя ({escape(name or 'имя не указано')}, вопрос № {number})? Его сообщения "
        "больше ни к кому не придут, открытые вопросы закроются, а бот раз в день напомнит, что можно "
        "обратиться в школу лично. Снять блокировку: /bans."
    )


def is_banned(number: int) -> str:
    """Refuses: somebody was first."""
    return f"Родитель (вопрос № {number}) уже заблокирован: ничего не изменено."


def banned(number: int, closed: int) -> str:
    """Confirms it."""
    cases = f" Закрыто вопросов: {closed}." if closed else ""
    return f"Родитель заблокирован (вопрос № {number}).{cases} Снять блокировку: /bans."


def closed_note(whose: str) -> str:
    """The note that stays with a case; plain text, `whose` in the genitive."""
    return f"Вопрос закрыт: родитель заблокирован по решению {whose}."


def closed_by_ban(number: int, whose: str) -> str:
    """Tells the desk of a case; `whose` in the genitive, escaped."""
    return f"**№ {number}**: родитель заблокирован по решению {whose}, вопрос закрыт. Отвечать не нужно."


def lifted(number: int) -> str:
    """Confirms it."""
    return f"Блокировка снята (вопрос № {number}): бот снова отвечает этому человеку."


def bans(lines: Sequence[str], count: int) -> str:
    """The list."""
    return "\n".join([f"**Заблокированы: {count}**", *lines, "", HOW_TO])


def ban_line(number: int, name: str, channel: str, day: str, by: str) -> str:
    """One of them."""
    where = basics.CHANNEL_NAMES.get(channel, channel)
    who = escape(name or "имя не указано") + (f" ({where})" if where else "")
    return f"— {who}, вопрос № {number}, с {day}" + (f", заблокировал(а) {escape(by)}" if by else "")


def more_files(number: int) -> str:
    """Above files for which the notice had no room."""
    return f"**№ {number}**: ещё файлы из тех же сообщений."


def many_messages(number: int, name: str, count: int, lines: Sequence[str]) -> str:
    """What a parent wrote faster than it could be passed on; the lines are escaped already."""
    more = len(lines) - _MOST_LINES
    shown = list(lines[:_MOST_LINES])
    if more > 0:
        shown.append(f"И ещё сообщений: {more}; они сохранены в переписке.")
    head = f"**№ {number}**, {escape(name or 'родитель')}: много сообщений подряд ({count})"
    return "\n".join([head, *shown])
