"""Sentences about photos and files that the parent checks before the staff see them. Russian, short, «вы».

Functions take what a person typed already raw and escape it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape
from handlers.texts import basics as texts

BUTTON_SEND_ALL = "Отправить все"
BUTTON_DROP = "Не отправлять"

ALREADY_SENT = "Это уже отправлено сотрудникам."
TOO_LATE_TO_DROP = "Это уже отправлено сотрудникам, вернуть не получится."
GONE = "Этого снимка или файла у меня уже нет."
_ALL_COVERED = "СНИЛС, паспорт, свидетельство, имена и даты рождения нужно закрыть."
_UNTIL_CONFIRMED = "покажем, когда подтвердит, что личные данные закрыты"


def what(kinds: Sequence[str]) -> str:
    """What files of these kinds are called together."""
    if all(kind == "photo" for kind in kinds):
        return "снимок" if len(kinds) == 1 else "снимки"
    return "файл" if len(kinds) == 1 else "файлы"


def button_send(kinds: Sequence[str]) -> str:
    """The button that shows the files to the staff."""
    return f"Отправить {what(kinds)}"


def ask(kinds: Sequence[str]) -> str:
    """Asks the parent to look again before anybody else does."""
    other = "другой" if len(kinds) == 1 else "другие"
    return (
        f"Сначала проверьте {what(kinds)}: сотрудникам пока ничего не видно. {_ALL_COVERED} "
        f"Если всё закрыто, нажмите «{button_send(kinds)}»; если нет, пришлите {other}."
    )


def ask_again(kinds: Sequence[str]) -> str:
    """The same for those who have read it in this question before."""
    return f"Проверьте и {'этот' if len(kinds) == 1 else 'эти'} {what(kinds)}: личные данные закрыты?"


def earlier_wait() -> str:
    """Added when photos that came before have not been confirmed yet."""
    return f"Присланное раньше тоже ещё ждёт: «{BUTTON_SEND_ALL}» отправит всё вместе."


def remind(kinds: Sequence[str]) -> str:
    """Said once to a parent who does not answer."""
    return (
        f"Сотрудникам пока не видно, что вы прислали. {_ALL_COVERED} "
        f"Если всё закрыто, нажмите «{button_send(kinds)}»."
    )


def sent(kinds: Sequence[str]) -> str:
    """The parent confirmed."""
    return f"{_capital(what(kinds))} отправил сотрудникам."


def dropped(kinds: Sequence[str]) -> str:
    """The parent would rather not send it."""
    return f"Хорошо, {what(kinds)} удалил: сотрудники этого не увидят."


def too_late(number: int) -> str:
    """The question was closed before the parent confirmed."""
    return f"Вопрос № {number} уже закрыт: присланное удалил, сотрудники этого не увидели."


def parent_sent(number: int, name: str, text: str, kinds: Sequence[str]) -> str:
    """A message of the parent for the staff, whose photos are still to be checked."""
    sent_what = f"прислал(а) {_briefly(kinds)}: {_UNTIL_CONFIRMED}"
    if text:
        return f"{texts.parent_wrote(number, name, text)}\n({sent_what})"
    return f"**№ {number}**, {escape(name or 'родитель')} {sent_what}."


def still_checked(count: int) -> str:
    """The line of a card about photos and files that the staff do not see yet."""
    return f"Фото и файлов от родителя: {count}, {_UNTIL_CONFIRMED}."


def parent_confirmed(number: int, name: str) -> str:
    """Above the photos, for the staff, when the parent has checked them."""
    return f"**№ {number}**, {escape(name or 'родитель')} подтвердил(а), что личные данные закрыты:"


def parent_dropped(number: int, name: str, kinds: Sequence[str]) -> str:
    """Tells the staff that they need not wait for the photos."""
    return f"**№ {number}**, {escape(name or 'родитель')} решил(а) не отправлять {_briefly(kinds)}."


def _briefly(kinds: Sequence[str]) -> str:
    """A word that is right for one and for an album that is still arriving."""
    if all(kind == "photo" for kind in kinds):
        return "фото"
    return "файл" if len(kinds) == 1 else "файлы"


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]
