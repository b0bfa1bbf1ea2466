"""Numbers of papers: СНИЛС, passport, birth certificate, bank card."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handlers.privacy.found import Hidden
from handlers.privacy.view import DIGIT, END, FIRST, View, digits_of, mostly_digits

SNILS_DIGITS = 11
CARD_DIGITS = range(13, 20)  # ISO/IEC 7812: up to 19; cards in use have 13 or more

_AROUND = 60  # characters before a number where the word for it may stand
_BEHIND = 40  # the same after it

_GAP = r"[ .,/_:\-]{0,3}"
_SNILS = re.compile(
    f"(?P<value>{FIRST}{DIGIT}{{2}}{_GAP}{DIGIT}{{3}}{_GAP}{DIGIT}{{3}}{_GAP}{DIGIT}{{2}}){END}"
)
_SNILS_NAMED = re.compile(
    f"{FIRST}(?:(?:[ .\\-]{{0,3}}{DIGIT}){{10}}"
    f"|{DIGIT}{{2}}[ .\\-]{{1,3}}{DIGIT}{{3}}[ .\\-]{{1,3}}{DIGIT}{{3}}"
    f"(?:[ .\\-]{{0,3}}{DIGIT}{{1,3}})?){END}"
)
_AS_PRINTED = re.compile(f"{DIGIT}{{3}}-{DIGIT}{{3}}-{DIGIT}{{3}}[ \\-]{DIGIT}{{2}}")
_PHONE_WORD = re.compile(r"тел|звон|моб|сот|номер телефона")
_PHONE_FIRST = re.compile(r"[78][ (\-]{0,2}9")
_SNILS_WORD = re.compile(
    r"с[нм][ие]л[ьъа]?[сзц]|снил\b|снисл|сн[ие]с\b|снилас|snils|cybkc|пенсион|страхов|зелен\w{1,3} карт"
)
_NUMBERED = re.compile(
    r"(?:(?:заявлен|обращен|заявк|заказ|приказ|распоряжен|постановлен|талон|квитанц|договор|счет|письм|справк"
    r"|рег|вход|исх)[а-я]*|огрн|огрнип|инн|кпп|уин|imei|оид|id)[ .:]{0,3}(?:(?:под |за )?номер[а-я]{0,3})?"
    r"[ .:№#\-]{0,4}$"
)
"""A number that offices give to papers stands next."""

_SERIES_TO_NUMBER = (
    r"[ ,.;:/\-]{0,3}(?:и )?(?:№|#|номер[а-я]{0,2}(?: паспорта| документа)?|ном|no|n)?[ .,:№\-]{0,3}"
)
_PASSPORT = re.compile(
    f"(?P<series>{FIRST}{DIGIT}[ .\\-]{{0,3}}{DIGIT}{{2}})(?P<gap>{_SERIES_TO_NUMBER})"
    f"(?P<number>{DIGIT}{{6}}){END}"
)
_PASSPORT_WORD = re.compile(r"паспорт|пасспорт|паспарт|пасп\b|passport|gfcgjhn")
_PASSPORT_PLAIN = re.compile(r" ?(?:№|#|n|no|номер|ном)[ .:]{0,2}| {1,2}")
_PASSPORT_PART = re.compile(
    r"(?:паспорт[а-я]*|passport)"
    r"(?:[ :,.\-]{0,3}(?:рф|гражданина|сына|дочери|ребенка|мой|моего|мужа|номер[а-я]*|№)){0,4}"
    rf"[ :,.\-]{{0,3}}(?P<number>{DIGIT}{{6}}){END}"
)
_SERIES = re.compile(
    rf"сери[яиюей]{{1,2}}(?: паспорта)?[ :.\-]{{1,3}}(?P<series>[0-9]{{2}}[ \-]?[0-9]{{2}}){END}"
)
_NUMBER_FIRST = re.compile(
    rf"номер[а-я]*[ :.]{{1,3}}(?P<number>{DIGIT}{{6}})[ ,.;и]{{1,4}}сери[а-я]{{1,2}}[ :.]{{1,3}}"
    rf"(?P<series>{DIGIT}{{2}}[ \-]?{DIGIT}{{2}}){END}"
)
_FOREIGN = re.compile(rf"{FIRST}{DIGIT}[ \-]?(?:№|n)?[ ]?{DIGIT}{{7}}{END}")
_FOREIGN_WORD = re.compile(r"загран|заграничн")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_COUNTED = re.compile(r" ?(?:руб|р\b|₽|тыс|млн|чел|раз|шт|год)")

_CERTIFICATE = re.compile(
    rf"(?P<roman>[ivxlcхс|іпш!1-9](?<![0-9a-zа-я][\s\S])[ivxlcхс1|іпш!]{{0,5}})(?P<gap>[ .\-]{{0,3}})"
    rf"(?P<letters>[а-яa-z]{{2}})"
    rf"(?P<rest>{_SERIES_TO_NUMBER})(?P<number>{DIGIT}{{6}}){END}"
)
_CERTIFICATE_WORD = re.compile(r"свид|св-в|св\. ?о|метрик|рожд|сери|загс|документ")
_CERTIFICATE_NUMBER = re.compile(
    r"(?:свидетельств[а-я]*|св-в[а-я]*|метрик[а-я]*)(?: о рожд[а-я]*| рожд[а-я]*)?"
    r"(?: (?:ребенка|сына|дочери|дочки))?"
    rf"[ :,.\-]{{0,3}}(?:№|номер[а-я]{{0,2}})[ :.]{{0,3}}(?P<number>{DIGIT}{{6}}){END}"
)
_ORDINAL = re.compile("го|ой|ый|ий|ая|ые|ое|ом|му|ым|их|ых|ие|ей|ти|ми|ух|ех|ля|лю|ли|ни|ию|ее|ть|кл|шт|ка")
"""Ends of «5-го», «3-х»: no series of a certificate."""

_CARD_GAP = r"[ .\-/]{0,3}"
_CARD = re.compile(f"(?P<first>{FIRST}{DIGIT}{{3}}(?:{_CARD_GAP}{DIGIT}{{4}}){{2,3}})")
_CARD_TAIL = re.compile(f"(?:{_CARD_GAP}{DIGIT}{{1,3}})?{END}")
_CARD_WHOLE = re.compile(f"{FIRST}{DIGIT}{{12,18}}{END}")
_CARD_SPLIT = re.compile(f"{FIRST}{DIGIT}{{3}}[ \\-]{DIGIT}{{6}}[ \\-]{DIGIT}{{5}}{END}")
_CARD_NEAR = re.compile(f"{FIRST}(?:{_CARD_GAP}{DIGIT}){{12,18}}{END}")
_FOUR_BY_FOUR = re.compile(f"(?:{DIGIT}{{4}}{_CARD_GAP}){{3}}{DIGIT}{{4}}")
_CARD_WORD = re.compile(r"карт[а-я]{0,3}\b|сбер|тинь|card|visa|mastercard|реквизит")
_CARD_FIRST = "23456"  # ISO/IEC 7812: the first digits of payment systems' cards


def snils(view: View) -> Iterator[Hidden]:
    """Eleven digits with the right control number, or with any beside the word."""
    for found in _SNILS.finditer(view.plain):
        start, end = found.span("value")
        if not mostly_digits(found["value"]):
            continue
        digits = digits_of(found["value"])
        if set(digits) == {"0"}:  # the form of the number, not a number
            continue
        right = snils_is_right(digits) and not numbered(view, start)
        if right or _AS_PRINTED.fullmatch(found["value"]) or _is_called_snils(view, start, end):
            yield Hidden("snils", start, end)
    if not _SNILS_WORD.search(view.plain):
        return
    for found in _SNILS_NAMED.finditer(view.plain):
        known = mostly_digits(found[0]) and set(digits_of(found[0])) != {"0"}
        if known and _is_called_snils(view, found.start(), found.end()):
            yield Hidden("snils", found.start(), found.end())


def _is_called_snils(view: View, start: int, end: int) -> bool:
    """Whether the word is near, and for what looks like a mobile phone, nearer than one for a phone."""
    if not _PHONE_FIRST.match(view.plain, start, end):
        return _named(view, start, end, word=_SNILS_WORD)
    words = list(_SNILS_WORD.finditer(view.before(start, _AROUND)))
    return bool(words) and not _PHONE_WORD.search(view.before(start, _AROUND)[words[-1].end() :])


def snils_is_right(digits: str) -> bool:
    """Whether the last two digits are the control number of the first nine (постановление ПФР № 192п)."""
    weighed = sum(int(digit) * (9 - place) for place, digit in enumerate(digits[:9]))
    return weighed % 101 % 100 == int(digits[9:])


def numbered(view: View, start: int) -> bool:
    """Whether the number is one that an office gave to a letter, an order or an application."""
    return _NUMBERED.search(view.before(start, 40)) is not None


def passport(view: View) -> Iterator[Hidden]:
    """Series and number together, or one of them beside the word."""
    for found in _PASSPORT.finditer(view.plain):
        start, end = found.span()
        if mostly_digits(found["series"] + found["number"]) and _is_passport(view, found):
            yield Hidden("passport", start, end)
    for found in _PASSPORT_PART.finditer(view.plain):
        yield Hidden("passport", *found.span("number"))
    for found in _NUMBER_FIRST.finditer(view.plain):
        yield Hidden("passport", *found.span("number"))
        yield Hidden("passport", *found.span("series"))
    for found in _SERIES.finditer(view.plain):
        if _named(view, *found.span(), word=_PASSPORT_WORD):
            yield Hidden("passport", *found.span("series"))
    if not _FOREIGN_WORD.search(view.plain):
        return
    for found in _FOREIGN.finditer(view.plain):
        if _named(view, *found.span(), word=_FOREIGN_WORD) and not numbered(view, found.start()):
            yield Hidden("passport", *found.span())


def birth_certificate(view: View) -> Iterator[Hidden]:
    """Roman figures, two letters, six digits; with an Arabic figure only where nothing else looks so."""
    for found in _CERTIFICATE.finditer(view.plain):
        start, end = found.span()
        ordinal = found["roman"].isdigit() and _ORDINAL.fullmatch(found["letters"]) is not None
        if len(found["roman"]) > 1 and found["roman"][0] in "23456789":
            continue
        marked = "-" in found["gap"] or ("№" in found["rest"] and not found["roman"].isdigit())
        if not ordinal and (marked or _named(view, start, end, word=_CERTIFICATE_WORD)):
            yield Hidden("birth_certificate", start, end)
    for found in _CERTIFICATE_NUMBER.finditer(view.plain):
        yield Hidden("birth_certificate", *found.span("number"))


def card(view: View) -> Iterator[Hidden]:
    """Thirteen to nineteen digits that pass Luhn's check, or sixteen by four beside the word."""
    for start, end in _card_places(view.plain):
        value = view.plain[start:end]
        digits = digits_of(value)
        if _COUNTED.match(
            view.plain, end
        ):  # «…на карту 4276 6852 1230 4567 299 рублей»: the price is no part
            continue
        if len(digits) not in CARD_DIGITS or not mostly_digits(value):
            continue
        near = _named(view, start, end, word=_CARD_WORD)
        whole = near or (digits[0] in _CARD_FIRST and not numbered(view, start))
        if (whole and passes_luhn(digits)) or (near and _FOUR_BY_FOUR.fullmatch(value)):
            yield Hidden("card", start, end)


def passes_luhn(digits: str) -> bool:
    """Luhn's check of the last digit (ISO/IEC 7812-1)."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    total = sum(value - 9 if value > 9 else value for value in doubled)  # noqa: PLR2004  its digits' sum
    return (total + sum(int(digit) for digit in digits[::-2])) % 10 == 0


def _card_places(plain: str) -> Iterator[tuple[int, int]]:
    for found in _CARD.finditer(plain):
        start, end = found.span("first")
        tail = _CARD_TAIL.match(plain, end)
        if tail and tail.end() > end:
            yield start, tail.end()
        if not plain[end : end + 1].isdigit():
            yield start, end
    for pattern in (_CARD_WHOLE, _CARD_SPLIT):
        yield from (found.span() for found in pattern.finditer(plain))
    if _CARD_WORD.search(plain):
        yield from (found.span() for found in _CARD_NEAR.finditer(plain))


def _is_passport(view: View, found: re.Match[str]) -> bool:
    """Named, or in a form that nothing else has: 45 10 123456, 4510 № 123456, 4510 123456."""
    start, end = found.span()
    if numbered(view, start):
        return False
    if _named(view, start, end, word=_PASSPORT_WORD) or view.before(start, 12).rstrip(" :№.").endswith(
        ("серия", "серии", "серию", "сер")
    ):
        return True
    if not _PASSPORT_PLAIN.fullmatch(found["gap"]):
        return False
    if found["gap"].isspace() and (_COUNTED.match(view.plain, end) or _YEAR.fullmatch(found["series"])):
        return False
    return "." not in found["series"]


def _named(view: View, start: int, end: int, *, word: re.Pattern[str]) -> bool:
    return bool(word.search(view.before(start, _AROUND)) or word.search(view.after(end, _BEHIND)))
