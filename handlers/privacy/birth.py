"""Dates of birth: only dates that a birth word stands next to; dates of events stay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from handlers.privacy.found import Hidden
from handlers.privacy.view import View

_MONTH = (
    "(?:январ[ьяе]|янв|феврал[ьяе]|фев|март[ае]?|мар|апрел[ьяе]|апр|ма[йяе]|июн[ьяе]|июн|июл[ьяе]|июл"
    "|август[ае]?|авг|сентябр[ьяе]|сент?|октябр[ьяе]|окт|ноябр[ьяе]|ноя|декабр[ьяе]|дек)"
)
_ORDINAL = (
    "(?:перв|втор|треть|четверт|пят|шест|седьм|восьм|девят|десят|(?:один|две|три|четыр|пят|шест|сем|восем"
    "|девят)надцат|двадцат|тридцат)(?:ого|его|ое|ье)"
)
_SPOKEN_DAY = f"(?:(?:двадцать|тридцать) )?{_ORDINAL}"
_SPOKEN_YEAR = f"две тысячи (?:(?:двадцать) )?{_ORDINAL}"
_YEAR = "(?:(?:19|20)[0-9]{2}|[0-9]{2})"
_DATE = re.compile(
    r"(?<![0-9])(?<![0-9][./\-])(?:"
    r"(?P<iso>(?:19|20)[0-9]{2}[.\-/](?:0[1-9]|1[0-2])[.\-/](?:0[1-9]|[12][0-9]|3[01]))"
    rf"|(?:0?[1-9]|[12][0-9]|3[01]) ?[./\-, ] ?(?:0?[1-9]|1[0-2]) ?[./\-, ] ?{_YEAR}"
    rf"|(?:0?[1-9]|[12][0-9]|3[01])(?: ?-?(?:го|ого|е|ое))?[ .]{{0,2}}{_MONTH}(?![а-я])"
    rf"(?:[ .,]{{0,2}}{_YEAR}(?![0-9]))?"
    r")(?![0-9])(?![./\-][0-9])"
    rf"|(?<![а-я]){_SPOKEN_DAY} {_MONTH}(?![а-я])(?: (?:{_SPOKEN_YEAR}|{_YEAR}(?![0-9])))?"
)
_HAS_YEAR = re.compile(r"[0-9]{4}|[0-9]{2}$|тысячи")

_BORN = (
    r"родил[а-я]{1,4}|рожд(?:ени[яею]|ением|ен[аы]?)?(?![а-я])"
    r"|(?<![а-я])(?<![\s,]и )д[./]? ?р(?![а-я])|(?<![а-я])г\.? ?р(?![а-я])"
)
_BIRTH_BEFORE = re.compile(_BORN)
_BIRTH_AFTER = re.compile(
    r"[ ,()\-]{0,3}(?:г(?:ода?)?[ .,]{0,3})?"
    r"(?:(?:это|его|ее|наша|она|он|моя|мой|у (?:него|нее|сына|дочки|дочери))[ ,\-]{1,3}){0,2}"
    rf"(?:{_BORN}|дата рожд|день рожд)"
)
_PAPER = re.compile(r"(?:свид[а-я]*|св-в[а-я]*|справк[а-я]*|запис[а-я]*|акт[а-я]*)(?: о)? $")
_OTHER_MATTER = re.compile(
    r"ошиб|исправ|измен|меня|подал|подав|обращ|обрат|вход|войт|выдан|выдал|получ|регистр|заявлен|добав|собран"
    r"|приказ|письм|сейчас|уже|жд[уе]|собир|исполн|подтвер|провер|отправ|приш|звон"
)
_FROM = re.compile(r"(?<![а-я])(?:с|со|до|от|после|к|ко|по|через|от)[ ]?$")
_DONE_THEN = re.compile(r"[ ,]{1,2}(?:исправ|измен|поменя|подал|обрат|выда|получ|зарегистр|отправ)")
_CHANGED_TO = re.compile(r"(?:исправ|измен|меня)[^.!?]{0,20} на $")

_REACH = 48  # characters from a birth word to its date
_WORDS_BETWEEN = 6
_NEXT_DATE = 25  # characters between the dates of two children


def birth_date(view: View) -> Iterator[Hidden]:
    """Dates beside a birth word and the dates of the brothers and sisters that follow."""
    if not _BIRTH_BEFORE.search(view.plain):
        return
    dates = list(_DATE.finditer(view.plain))
    born = [_is_birth(view, found) for found in dates]
    _spread(view, dates, born)
    for found, is_birth in zip(dates, born, strict=True):
        if is_birth:
            yield Hidden("birth_date", *found.span())


def _is_birth(view: View, found: re.Match[str]) -> bool:
    before, after = view.before(found.start(), _REACH), view.after(found.end(), 40)
    if _BIRTH_AFTER.match(after) and not _FROM.search(before):
        return bool(_HAS_YEAR.search(found[0]))
    words = [word for word in _BIRTH_BEFORE.finditer(before) if not _PAPER.search(before[: word.start()])]
    if not words:
        return False
    between = before[words[-1].end() :].lstrip(".")
    if between.strip() and _DONE_THEN.match(after):
        return False
    return _leads(between, most=_WORDS_BETWEEN if _HAS_YEAR.search(found[0]) else 3)


def _leads(between: str, *, most: int) -> bool:
    """Whether what stands between a birth word and a date speaks of that birth."""
    if _CHANGED_TO.search(between):
        return True
    if re.search(r"[!?;]|\.\s+[а-я]{3}", between) or _OTHER_MATTER.search(between) or _FROM.search(between):
        return False
    return len(re.findall(r"[а-я]+|[0-9]+", between)) <= most


def _spread(view: View, dates: Sequence[re.Match[str]], born: list[bool]) -> None:
    """«Старший 12.05.2013, младшая 03.04.2016 г.р.»: one word serves both."""
    for order in (range(1, len(dates)), range(len(dates) - 1, 0, -1)):
        for right in order:
            if born[right - 1] != born[right] and _same_list(view, dates[right - 1], dates[right]):
                born[right - 1] = born[right] = True


def _same_list(view: View, left: re.Match[str], right: re.Match[str]) -> bool:
    between = view.plain[left.end() : right.start()]
    has_years = _HAS_YEAR.search(left[0]) and _HAS_YEAR.search(right[0])
    short = len(between) <= _NEXT_DATE and "\n" not in between and "\ue000" not in between
    return bool(has_years and short and _leads(between, most=3))
