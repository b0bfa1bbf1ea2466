"""Passwords and logins: what looks like a secret after the word for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from handlers.privacy.found import Hidden
from handlers.privacy.view import View


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_REACH = 140  # characters after the word
_STRONG_REACH = 5  # words between the word and a secret of letters with digits
_LONGEST = 64  # characters of a secret
_SHORTEST = 4

_WORD = re.compile(
    r"(?<![a-zа-я0-9_\-])(?:парол[а-я]{0,3}|порол[а-я]{0,3}|логин[а-я]{0,3}|лог|пасс?|пар|пасворд[а-я]{0,2}"
    r"|вход|учетк[аиуе]|аккаунт|профиль|юзер|password|passwd|pwd|pass|login|parol|gfhjkm)"
    r"(?![а-яa-z])(?![_\-][a-z])"
)
_DOORS = _listed("вход учетка учетки учетку учетке аккаунт профиль юзер")
"""Words for what a login opens: only a login with a figure or a sign may stand right behind them."""
_SHORT = _listed("лог пас пасс пар pass") | _DOORS
"""A secret must stand right behind these."""
_REFUSED = re.compile(r"(?:не ?верн|не ?правильн|ошиб)[^.!?]{0,24}$")
_LONGEST_ERROR = 5  # digits
_TOKEN = re.compile(r"[^\s\ue000]+")
_LEAD = " \n:=-(/,.\"'«“„"
_BROKEN = re.compile(r"\.\s|(?<![:=\-])\n")
"""A sentence or a line ended behind the word: what follows is of another matter."""
_STOP = re.compile(r"[\n\ue000]")
_MARK = re.compile(r"[:=\-]")
_OPENING, _CLOSING = "\"'«“„‘`(<[*:=-/,.", ".,;:)»\"'”“’`>]*"
_CONNECTORS = _listed(
    "и или мой моя мое мои наш такой такие вот это был была у меня него нее нас сына дочки дочери ребенка"
    " мамы от к для на госуслуг госуслуги дневника дневник ру учетки входа временный новый старый первый"
    " теперь сейчас стоит поставила поставили сделала сделали придумала придумали дали выдали ввожу ввела"
    " пишу набираю верный правильный точно же там он она й"
)
_PAIR = _listed("и или + |")
_ORDINARY_LATIN = _listed(
    "max sms esia gosuslugi dnevnik email mail gmail yandex google chrome safari opera firefox telegram"
    " whatsapp vk viber iphone android samsung xiaomi redmi honor huawei apple windows wifi login password"
    " pass error invalid wrong incorrect user username web online qr totp face touch ipad apps play rustore"
    " appstore sber tbank not found forgot reset access denied code"
)
_NOTORIOUS = _listed("qwerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm йцукен фывапр")
_AHEAD = re.compile(r"(?:^|(?<=[\s(«\"]))(?P<value>[^\s\ue000«»\"()]{4,64})[»\")]? - (?:это )?$")
_DEVICE = re.compile(
    r"(?:iphone|ios|android|windows|win|samsung|galaxy|redmi|note|honor|huawei|xiaomi|poco|realme|chrome|ipad"
    r"|max|v|ver|err[a-z]*|0x)"
    r"[ _\-]?[0-9a-f.]+[a-z]{0,5}"
)
_PLACE = re.compile(
    r"(?:школ[а-я]*|сош|сш|мбоу|моу|гимнази[а-я]*|лице[а-я]*|класс[а-я]*|кл|мфц|дом|д|кв|ул|ст|п|г|фз|пп|ч)"
    r"[№.\-]*[0-9].*"
)
_OFFICE = re.compile(r"[а-я]{1,3}-[0-9]+|№.*")
_COUNTED = re.compile(r"[0-9.,:/\-]+(?:-?[а-я]+[.]?|[%₽])?")
_SITE = re.compile(r"(?:https?:.*|www\..*|[a-zа-я0-9.\-]+\.(?:ru|com|рф|org|net|su|ру)(?:/.*)?)")
_UNIT = re.compile(r"(?:раз|символ|цифр|знак|мин|час|сек|год|г\b|лет|руб|р\b|₽|класс|дн|букв|школ)")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")


@dataclass(frozen=True)
class _Next:
    """A word behind «пароль»: its place without quotes and stops, and whether «:», «=» or «—» leads to it."""

    start: int
    end: int
    value: str
    marked: bool


def password(view: View) -> Iterator[Hidden]:
    """Secrets after «пароль», «логин» and their like; «пароль не подходит» has none."""
    for word in _WORD.finditer(view.plain):
        yield from _before(view, word)
        yield from _after(view, word)


def _before(view: View, word: re.Match[str]) -> Iterator[Hidden]:
    """«ivanova_85 — логин»: a secret of letters with digits and a dash."""
    behind = view.before(word.start(), _LONGEST + 8)
    found = _AHEAD.search(behind)
    if not found or not any(letter.isdigit() for letter in found["value"]):
        return
    start = word.start() - len(behind) + found.start("value")
    secret = _Next(start, start + len(found["value"]), found["value"], marked=False)
    if not secret.value.isdigit() and _is_secret(view, secret, said=[], strict=True):
        yield Hidden("password", secret.start, secret.end)


def _after(view: View, word: re.Match[str]) -> Iterator[Hidden]:
    """The first secret behind the word, and a second one paired with it («логин и пароль: …, …»)."""
    lead = view.after(word.end(), _REACH)
    lead = lead[: len(lead) - len(lead.lstrip(_LEAD))]
    broken = _BROKEN.search(lead) is not None
    said: list[str] = ["."] if broken else []
    strict = word[0] in _SHORT or word[0].isascii()
    found = False
    marked = not broken and _MARK.search(lead) is not None
    for each in _behind(view, word.end() + len(lead), marked=marked):
        if each.value.isdigit() and _is_error(view, word, each.value):
            return
        if _is_secret(view, each, said=said, strict=strict):
            yield Hidden("password", each.start, each.end)
            if found:
                return
            found, said = True, []
        elif found and each.value not in _PAIR:
            return
        else:
            said.append(each.value)
        if len(said) > (0 if word[0] in _SHORT else _STRONG_REACH):
            return


def _is_error(view: View, word: re.Match[str], value: str) -> bool:
    """«Вход 2024», «неверный пароль 1001»: a year or an error's number, no secret."""
    refused = len(value) <= _LONGEST_ERROR and _REFUSED.search(view.before(word.start(), 30)) is not None
    return refused or word[0] in _DOORS


def _behind(view: View, start: int, *, marked: bool) -> Iterator[_Next]:
    """Words up to the end of the sentence or line, another word for a secret, or something hidden."""
    end = _STOP.search(view.plain, start, start + _REACH)
    limit = end.start() if end else min(len(view.plain), start + _REACH)
    for token in _TOKEN.finditer(view.plain, start, limit):
        if token.end() == limit and not end and limit < len(view.plain):
            return  # cut in the middle
        left, right = _bare(view.plain, token)
        value = view.plain[left:right]
        other = _WORD.match(value)
        if other and other[0] not in _DOORS:
            return
        if value:
            yield _Next(left, right, value, marked)
        marked = token[0][-1] in ":=-" if value else marked or _MARK.search(token[0]) is not None
        if value and token[0][-1] in ".!?":
            return


def _bare(plain: str, token: re.Match[str]) -> tuple[int, int]:
    """The token without quotes and marks before it and stops behind it."""
    left, right = token.start(), token.end()
    while left < right and plain[left] in _OPENING:
        left += 1
    right = min(right, left + _LONGEST)
    while right > left and plain[right - 1] in _CLOSING:
        right -= 1
    return left, right


def _is_secret(view: View, each: _Next, *, said: list[str], strict: bool) -> bool:
    """Letters with digits or signs; Latin letters or digits alone only where nothing else is spoken of."""
    value = each.value
    if value in _NOTORIOUS:
        return True
    if len(value) < _SHORTEST or _is_ordinary(value):
        return False
    has_digit = any(letter.isdigit() for letter in value)
    has_letter = any(letter.isalpha() for letter in value)
    if has_digit and has_letter:
        return True
    linked = each.marked or all(word in _CONNECTORS for word in said)
    if value.isdigit():
        return linked and not _counted(view, each, said=said)
    if not has_letter or not value.isascii():
        return False
    special = any(letter in "_@#$%^&*!+." for letter in value[:-1])
    return special or ((each.marked or not strict) and linked and value not in _ORDINARY_LATIN)


def _counted(view: View, each: _Next, *, said: list[str]) -> bool:
    """A number of something, or a year that does not stand right behind the word."""
    if _UNIT.match(view.after(each.end, 12).lstrip(" ")):
        return True
    return bool(said) and (_YEAR.fullmatch(each.value) is not None or said[-1] in {"от", "на", "к"})


def _is_ordinary(value: str) -> bool:
    """A site, a model of a phone, a school, a paper's number or a count."""
    patterns = (_SITE, _DEVICE, _PLACE, _OFFICE)
    if any(pattern.fullmatch(value) for pattern in patterns):
        return True
    return not value.isdigit() and _COUNTED.fullmatch(value) is not None
