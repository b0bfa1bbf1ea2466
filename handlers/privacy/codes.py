"""One-time codes: four to eight digits that words about a code or a message stand near to."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from handlers.privacy.found import Hidden
from handlers.privacy.view import DIGIT, FIRST, View, mostly_digits

_CODE = re.compile(
    rf"{FIRST}(?<![№#_][\s\S])(?<![0-9][.,:/\-][\s\S])(?:{DIGIT}{{2}}[ \-]{DIGIT}{{3}}|{DIGIT}{{3,7}})"
    r"(?![0-9a-zа-я_])(?![.,:/\-][0-9])"
)
_DICTATED = re.compile(
    r"(?:код[а-я]{0,2}|цифры|циферки|пин)[ :\-]{1,3}"
    r"(?:(?:из|в|смс|такой|такие|вот|это|пришел|подтверждения) ){0,2}"
    r"(?P<code>[0-9](?:[ .\-][0-9]){3,7}|[0-9]{2}(?:[ \-][0-9]{2}){1,3})(?![0-9])(?![ .,:/\-][0-9])"
)
_BEFORE, _AFTER = 80, 50  # characters where the words may stand
_WORD = re.compile(r"[a-zа-я]+|[0-9]+|[№#₽%]")
_SENTENCE_END = re.compile(r"[!?;]|\.(?=\s)")
_LINE_END = re.compile(r"[!?;\n]|\.(?=\s)")

_STRONG = re.compile(
    r"код|кода|коды|коде|кодом|коду|кодик|пин|пинкод|pin|code|otp|kod|rjl|циф[е]?р[а-я]*|одноразов[а-я]*"
)
_WEAK = re.compile(
    r"смс[а-я]*|sms|эсэмэс[а-я]*|приш[е]?л[оаи]?|прислал[аи]?|прислан[аоы]?|придет|приход[а-я]*|"
    r"с?кинул[аи]?|высветил[а-я]*|(?:про|на)?дикт[а-я]*|сообщени[а-я]*|пуш[а-я]*|push|подтверждени[яеюй]"
)
_SPEAKING = re.compile(
    r"код|kod|rjl|code|otp|пин|pin|циф|одноразов|смс|sms|эсэмэс|приш|присл|прид|приход|кинул|высвет|дикт|сообщ|пуш|push|подтвержд"
)
"""How any of them begins: far from all of these no number is looked at."""
_OTHER_MATTER = re.compile(
    r"ошиб[а-я]*|error|приказ[а-я]*|обращени[а-я]*"
    r"|заявлени[а-я]*|заявк[а-я]*|заказ[а-я]*|талон[а-я]*|письм[а-я]*|уведомлени[а-я]*|индекс[а-я]*|регион[а-я]*"
    r"|подразделени[а-я]*|город[а-я]*|год[а-я]*|стать[а-я]*|ст|закон[а-я]*|фз|пп|руб[а-я]*|сто[ия]т|цен[аыу]"
    r"|снял[аи]?|списал[аи]?|списан[а-я]*|сумм[аыу]|номер[а-я]*|верси[а-я]*|очеред[а-я]*|ответ[а-я]*|отказ[а-я]*"
    r"|окпо|окто|товар[а-я]*|адрес[а-я]*|улиц[а-я]*|ул|дом|оценк[а-я]*|балл[а-я]*|паспорт[а-я]*|снилс|кабинет[а-я]*"
)
_SCHOOL = re.compile(r"школ[а-я]*|сош|сш|мбоу|моу|маоу|гимнази[а-я]*|лице[йяюе][а-я]*|класс[а-я]*|кл")
_LONGEST_SCHOOL = 4  # digits of a school's number
_PLACE_CODE = re.compile(
    r"код[а-я]{0,2} (?:школы|класса|организации|учреждения|оо|дома|домофона)[ :\-]{0,3}$"
)
_TYPED = re.compile(r"вво[жд][а-я]*|ввел[аи]?|набира[а-я]*|набрал[аи]?|вбива[а-я]*|пишу|вот|это")
_NEXT_TO = re.compile(
    r"№|#|в|во|с|со|до|за|через|около|после|на|к|от|из|по|больше|максимум|минимум|примерно|стр|кв|д|n|id|err"
)
"""Words right before a number that is no code."""
_COUNTED = re.compile(
    r"руб[а-я]*|р|₽|%|год[а-я]*|г|гг|лет|раз[а]?|мин[а-я]*|час[а-я]*|сек[а-я]*|дн[а-я]*|день"
    r"|недел[а-я]*|месяц[а-я]*|чел[а-я]*|класс[а-я]*|кл|школ[а-я]*|учени[а-я]*|символ[а-я]*|цифр[а-я]*|знак[а-я]*|балл[а-я]*|мест[а-я]*|букв[а-я]*"
    r"|штук[а-я]*|шт|процент[а-я]*|кв|км|мб|гб|тыс[а-я]*|млн|учебн[а-я]*"
)
_YEAR = re.compile(r"19[5-9][0-9]|20[0-3][0-9]")
_STRONG_REACH, _WEAK_REACH, _STRONG_AFTER, _WEAK_AFTER = 6, 2, 4, 2  # words between

_TOKEN = re.compile(
    r"[?&#;](?!error|client|promo|country|region|school|lang)[a-z0-9_\-]{0,20}?"
    r"(?:token|code|otp|sms|pin|key|secret|password|passwd|pwd|pass|session|sid|auth|ticket|hash|sig|invite|state)"
    r"=(?P<value>[^&#\s\ue000]{4,})"
)
_LINK = re.compile(
    r"(?:https?://|(?<![a-z0-9])www\.)[^\s\ue000]+"
    r"|(?<![a-zа-я0-9_@.\-])(?:[a-zа-я0-9\-]{1,40}\.){1,6}(?:ru|рф|com|org|net|su|info|me)/[^\s\ue000]*"
)


def links(view: View) -> Iterator[tuple[int, int]]:
    """Places of links: nothing in them is personal but a token."""
    if "/" in view.plain or "www." in view.plain:
        yield from (found.span() for found in _LINK.finditer(view.plain))


def link_token(view: View) -> Iterator[Hidden]:
    """What a link carries to sign somebody in."""
    if "=" not in view.plain:
        return
    for start, end in links(view):
        for token in _TOKEN.finditer(view.plain, start, end):
            yield Hidden("code", *token.span("value"))


def code(view: View) -> Iterator[Hidden]:
    """Digits that the words around call a code, and nothing else calls a year, a price or a school."""
    speaking = [word.start() for word in _SPEAKING.finditer(view.plain)]
    if not speaking:
        return
    for found in _CODE.finditer(view.plain):
        first = bisect_left(speaking, found.start() - _BEFORE)
        near = first < len(speaking) and speaking[first] < found.end() + _AFTER
        if near and mostly_digits(found[0]) and _is_code(view, found):
            yield Hidden("code", *found.span())
    for found in _DICTATED.finditer(view.plain):
        yield Hidden("code", *found.span("code"))


def _is_code(view: View, found: re.Match[str]) -> bool:
    # The last piece after a sentence's end, the first piece before one.
    before = _WORD.findall(_SENTENCE_END.split(view.before(found.start(), _BEFORE))[-1])[::-1]
    after = _WORD.findall(_LINE_END.split(view.after(found.end(), _AFTER))[0])
    if after and _COUNTED.fullmatch(after[0]):
        return False
    if before and (_is_foreign(before[0], found[0]) or _NEXT_TO.fullmatch(before[0])):
        return False
    if _PLACE_CODE.search(view.before(found.start(), 40)):
        return False
    year = _YEAR.fullmatch(found[0]) is not None
    before = before[:1] if year else before
    if _speaks(before, found[0], strong=_STRONG_REACH, weak=-1 if year else _WEAK_REACH):
        return True
    typed = bool(before) and _TYPED.fullmatch(before[0]) is not None
    if year or (not typed and any(_is_foreign(word, found[0]) for word in before[:3])):
        return False
    return _speaks(after, found[0], strong=_STRONG_AFTER, weak=_WEAK_AFTER)


def _speaks(words: Sequence[str], number: str, *, strong: int, weak: int) -> bool:
    """Whether a word for a code is met within reach, and no other matter before it or right behind it."""
    for place, word in enumerate(words):
        if _is_foreign(word, number) or place > max(strong, weak):
            return False
        if (place <= strong and _STRONG.fullmatch(word)) or (place <= weak and _WEAK.fullmatch(word)):
            beyond = words[place + 1] if place + 1 < len(words) else ""
            return _OTHER_MATTER.fullmatch(beyond) is None or beyond.startswith("номер")
    return False


def _is_foreign(word: str, number: str) -> bool:
    """A word that makes a number something else than a code."""
    if len(number) <= _LONGEST_SCHOOL and _SCHOOL.fullmatch(word):
        return True
    return _OTHER_MATTER.fullmatch(word) is not None
