"""Phones and e-mail addresses; the public lines 8 800 stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handlers.privacy.documents import numbered
from handlers.privacy.found import Hidden
from handlers.privacy.view import DIGIT, END, View, digits_of, mostly_digits

PHONE_DIGITS = 10
"""Digits of a Russian number after +7 or 8."""

_MOST_GROUPS = 7  # +7, code and up to five groups; a row of marks has more

_GAP = r"[ .\-()/]{0,3}"
_PREFIX = r"(?:\+ ?[78]|8(?<![0-9a-z]8)|7(?<![0-9a-z]7))"
_PUBLIC = re.compile(
    r"80[04](?:(?<![0-9]80[04])|(?<=[78]80[04])(?<![0-9][78]80[04]))" rf"(?:{_GAP}[0-9]){{7}}(?![0-9])"
)
_WITH_PREFIX = re.compile(rf"{_PREFIX}{_GAP}[3-9](?:{_GAP}{DIGIT}){{9}}{END}")
_PLUS = re.compile(rf"\+ ?[1-9][0-9]{{0,2}}{_GAP}[0-9](?:{_GAP}[0-9]){{8,11}}{END}")
_MOBILE = re.compile(
    rf"(?:\(9|9(?<![0-9a-z]9)){DIGIT}{{2}}\)?{_GAP}{DIGIT}{{3}}{_GAP}{DIGIT}{{2}}{_GAP}{DIGIT}{{2}}{END}"
)
_MOBILE_ANYHOW = re.compile(rf"9(?<![0-9a-z]9){DIGIT}{{2}}(?:{_GAP}{DIGIT}){{7}}{END}")
_BRACKETS = re.compile(rf"\([3-9][0-9]{{2,4}}\) ?[0-9]{{1,3}}(?:[ \-]?[0-9]{{2}}){{2}}{END}")
_CITY = re.compile(
    rf"[3-8](?<![0-9a-z][3-8])[0-9]{{2,4}}[ \-]{{1,2}}[0-9]{{1,3}}[ \-][0-9]{{2}}[ \-][0-9]{{2}}{END}"
)
_LOCAL = re.compile(
    rf"[0-9](?<![0-9a-z][0-9])(?<![0-9][.,:/\-][0-9])"
    rf"(?:[0-9]{{0,2}}([ \-])[0-9]{{2}}\1[0-9]{{2}}|[0-9]{{4,6}}){END}(?![.,:/\-][0-9])"
)
_PHONE_WORD = re.compile(
    r"(?:\bтел\b|телеф|\bмоб|сотов|\bсот\b|звон|набер|набр|ватсап|вацап|вотсап|whatsapp|вайбер|контактн|связ)"
    r"[а-я]*"
)
_NAMED = re.compile(
    r"(?:тел|телефон[а-я]*|тлф|моб|моб[а-я]* тел[а-я]*|сот|сотов[а-я]*|звоните|позвоните|перезвоните"
    r"|наберите)"
    r"(?:[ .:]{1,2}(?:мой|наш|мамы|папы|мужа|сына|дочки|дочери|домашний|рабочий|школы|номер"
    r"|для связи|по|на|мне)){0,3}"
    r"[ .:№\-]{0,3}$"
)
_COUNTED = re.compile(r" ?(?:раз|руб|р\b|₽|мин|час|год|лет|чел)")

_HOUSES = (
    "mail|yandex|ya|gmail|bk|list|inbox|rambler|icloud|outlook|hotmail|yahoo|vk|proton|protonmail|"
    "мейл|майл|мэйл|маил|яндекс|гмейл|гмайл|джимейл|рамблер|лист|бк"
)
_ZONES = "ru|com|рф|ру|ком|net|org|su|by|kz|edu|info|me|pro|online|нет|орг"
_DOT = r"(?: ?\. ?| ?, ?| точка | dot )"
_AT = re.compile(r"@|\((?:собака|собачка|at)\)|\[(?:собака|at)\]|(?<![а-я])(?:собака|собачка)(?![а-я])")
_NAME = re.compile(r"(?<![a-zа-я0-9._%+\-])[a-zа-я0-9._%+\-]{1,64} {0,2}$")
_NAME_LENGTH = 66
_LABEL = re.compile(r"(?:[а-я]{2,}-+(?=[a-z0-9]))?")
_HOST = re.compile(
    rf" {{0,2}}(?:(?:[a-zа-я0-9\-]{{1,40}}\.){{0,3}}[a-zа-я0-9\-]{{1,40}}{_DOT}(?:{_ZONES})(?![a-zа-я0-9])"
    rf"|(?:[a-zа-я0-9\-]{{1,40}}\.){{1,4}}[a-zа-я]{{2,10}}(?![a-zа-я0-9])"
    rf"|[a-z0-9\-]{{1,40}} (?:ru|com|ру|ком)(?![a-zа-я0-9])"
    rf"|(?:{_HOUSES})(?![a-zа-я0-9]))"
)
_PUBLIC_BOX = re.compile(
    r"(?:support|help|info|team|press|no-?reply)@(?:[a-z0-9\-]+\.)?(?:gosuslugi|dnevnik)\.ru"
)


def public_lines(view: View) -> Iterator[tuple[int, int]]:
    """Places of numbers that are anybody's: 8 800 and 8 804."""
    yield from (found.span() for found in _PUBLIC.finditer(view.plain))


def phone(view: View) -> Iterator[Hidden]:
    """Russian numbers in any dress, foreign ones with a plus, local ones after the word."""
    for found in _WITH_PREFIX.finditer(view.plain):
        if _few_groups(found[0]) and mostly_digits(found[0]) and not numbered(view, found.start()):
            yield Hidden("phone", *found.span())
    for pattern in (_PLUS, _BRACKETS):
        yield from (Hidden("phone", *found.span()) for found in pattern.finditer(view.plain))
    for found in _MOBILE.finditer(view.plain):
        if mostly_digits(found[0]) and not _only_a_number(view, found):
            yield Hidden("phone", *found.span())
    if not _PHONE_WORD.search(view.plain):
        return
    for found in (*_CITY.finditer(view.plain), *_MOBILE_ANYHOW.finditer(view.plain)):
        if _PHONE_WORD.search(view.before(found.start(), 40)):
            yield Hidden("phone", *found.span())
    for found in _LOCAL.finditer(view.plain):
        if _NAMED.search(view.before(found.start(), 50)) and not _COUNTED.match(view.plain, found.end()):
            yield Hidden("phone", *found.span())


def email(view: View) -> Iterator[Hidden]:
    """Addresses with @ or «собака», with spaces around and dots in words."""
    if "@" not in view.plain and not re.search("собак|собач|\\Wat\\W", view.plain):
        return
    for at in _AT.finditer(view.plain):
        host = _HOST.match(view.plain, at.end())
        if not host:
            continue
        name = _NAME.search(view.plain, max(0, at.start() - _NAME_LENGTH), at.start())
        if not name or not (at[0] == "@" or re.search("[a-z0-9]", name[0])):
            continue
        label = _LABEL.match(name[0])
        start, end = name.start() + (label.end() if label else 0), host.end()
        if not _PUBLIC_BOX.fullmatch(view.plain[start:end]):
            yield Hidden("email", start, end)


def _few_groups(value: str) -> bool:
    return len(re.findall(r"[^ .\-()/+]+", value)) <= _MOST_GROUPS


def _only_a_number(view: View, found: re.Match[str]) -> bool:
    """Ten digits in a row: a phone unless an office gave them, «№» before them or no word around."""
    if len(digits_of(found[0])) != len(found[0]):
        return False
    if numbered(view, found.start()) or view.before(found.start(), 4).rstrip().endswith(("№", "#", "номер")):
        return not _PHONE_WORD.search(view.before(found.start(), 40))
    return False
