"""The hours of a desk's week, read from what people write and written back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from faq.content.region import DEFAULT_HOURS
from handlers.errors import HelpdeskError

MINUTES_A_DAY = 24 * 60
_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
_STEMS = ("понедельник", "вторник", "сред", "четверг", "пятниц", "суббот", "воскресень")
_SEVERAL = {"ежедневно": range(7), "будни": range(5)}
_CLOSED = {"выходной", "выходные", "закрыто"}
_BREAK = {"перерыв", "обед"}
_ROUND_THE_CLOCK = "круглосуточно"
_EXAMPLE = "Напишите, например, так: пн–пт 9:00–13:00, 14:00–18:00; сб 9:00–12:00."

_TIME = r"(\d{1,2})(?:[:.](\d{2}))?"
_TOKEN = re.compile(
    rf"(?P<times>{_TIME}\s*-\s*{_TIME})(?![\d:.])|(?P<word>[а-я]+)\.?(?:\s*-\s*(?P<until>[а-я]+)\.?)?|[\s,;:]+"
)
_DASHES = re.compile(r"[‐‑‒–—−]|\s(?:до|по)\s")
_PREPOSITIONS = re.compile(r"\b[св]о?\s")


class WrongHours(HelpdeskError):
    """Working hours that cannot be understood or contradict themselves."""


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """From one minute of a day to another, counted from local midnight; closed again at `closes`."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a desk is open: for each weekday from Monday its openings, in order and apart."""

    week: tuple[tuple[Opening, ...], ...]

    def __post_init__(self) -> None:
        if len(self.week) != len(_WEEKDAYS):
            raise WrongHours("В неделе должно быть семь дней.")
        for weekday, openings in enumerate(self.week):
            _check_day(weekday, openings)

    @classmethod
    def parse(cls, text: str) -> WorkingHours:
        """Read «пн–чт 8:30–17:00, пт 8:30–16:00»; days that are not named are closed; raises WrongHours.

        Several times of a day stand after a comma («пн–пт 9–13, 14–18»), or the break is named:
        «перерыв 13–14» is of all days since the break before.
        """
        week = _Reading()
        for token in _tokens(text):
            week.take(token)
        return cls(week.finished())

    def describe(self) -> str:
        """The hours as `parse` reads them: «пн–чт 8:30–17:00, пт 8:30–16:00»."""
        groups: dict[tuple[Opening, ...], list[int]] = {}
        for weekday, openings in enumerate(self.week):
            if openings:
                groups.setdefault(openings, []).append(weekday)
        parts = [f"{_names(days)} {_times(openings)}" for openings, days in groups.items()]
        between = "; " if any(len(openings) > 1 for openings in groups) else ", "
        return between.join(parts) or "пн–вс выходной"


def default_hours() -> WorkingHours:
    """When a desk works that says nothing else: Monday to Friday, 9 to 18."""
    return WorkingHours.parse(DEFAULT_HOURS)


class _Reading:
    """Takes the tokens one by one: days, then what happens on them, then other days."""

    def __init__(self) -> None:
        self._open: list[list[Opening]] = [[] for _ in _WEEKDAYS]
        self._rests: list[list[Opening]] = [[] for _ in _WEEKDAYS]
        self._days: list[int] = []
        self._named: set[int] = set()
        self._said = True
        self._worked: list[int] = []
        self._resting: list[int] = []

    def take(self, token: re.Match[str]) -> None:
        word = token["word"]
        if token["times"]:
            self._say(_opening(token))
        elif word == _ROUND_THE_CLOCK:
            self._say(Opening(0, MINUTES_A_DAY))
        elif word in _CLOSED:
            self._say(None)
        elif word in _BREAK:
            self._rest()
        elif token["until"] in _CLOSED:
            self._begin(_days(word, None))
            self._say(None)
        elif word:
            self._begin(_days(word, token["until"]))

    def finished(self) -> tuple[tuple[Opening, ...], ...]:
        if not self._said:
            raise WrongHours(f"Для «{_names(self._days)}» не указано время. {_EXAMPLE}")
        week = tuple(
            tuple(_without(_joined(openings), sorted(rests)))
            for openings, rests in zip(self._open, self._rests, strict=True)
        )
        if not any(week):
            raise WrongHours(f"В часах работы нет ни одного рабочего дня. {_EXAMPLE}")
        return week

    def _begin(self, days: list[int]) -> None:
        self._days = days if self._said else self._days + days
        self._said = False
        self._resting = []
        for day in days:
            if day in self._named:
                raise WrongHours(f"День «{_WEEKDAYS[day]}» назван дважды: оставьте его один раз.")
            self._named.add(day)

    def _rest(self) -> None:
        if not self._worked:
            raise WrongHours(f"Перед перерывом укажите дни и рабочее время. {_EXAMPLE}")
        self._resting, self._worked = self._worked, []

    def _say(self, opening: Opening | None) -> None:
        if not self._days:
            raise WrongHours(f"Укажите дни перед временем. {_EXAMPLE}")
        self._said = True
        if opening is None:
            return
        if self._resting:
            for day in self._resting:
                self._rests[day].append(opening)
            return
        for day in self._days:
            self._open[day].append(opening)
        self._worked += self._days


def _tokens(text: str) -> Iterable[re.Match[str]]:
    plain = _PREPOSITIONS.sub("", _DASHES.sub("-", text.casefold().replace("ё", "е")))
    place = 0
    while place < len(plain):
        token = _TOKEN.match(plain, place)
        if token is None:
            raise WrongHours(f"Непонятно «{_shown(plain[place:])}» в часах работы. {_EXAMPLE}")
        place = token.end()
        yield token


def _shown(text: str) -> str:
    return text.strip()[:30]


def _days(word: str, until: str | None) -> list[int]:
    if word in _SEVERAL and until is None:
        return list(_SEVERAL[word])
    first = _weekday(word)
    last = first if until is None else _weekday(until)
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _weekday(word: str) -> int:
    for number, (short, stem) in enumerate(zip(_WEEKDAYS, _STEMS, strict=True)):
        if word == short or word.startswith(stem):
            return number
    raise WrongHours(f"Непонятно «{_shown(word)}» в часах работы. {_EXAMPLE}")


def _opening(token: re.Match[str]) -> Opening:
    hours, minutes, last_hours, last_minutes = token.group(2, 3, 4, 5)
    opens, closes = _minute(hours, minutes), _minute(last_hours, last_minutes)
    if opens >= closes:
        raise WrongHours(f"Во времени «{token['times']}» начало не раньше конца.")
    return Opening(opens, closes)


def _minute(hours: str, minutes: str | None) -> int:
    minute = int(hours) * 60 + int(minutes or 0)
    if minute > MINUTES_A_DAY or int(minutes or 0) > 59:  # noqa: PLR2004 - minutes of an hour
        raise WrongHours(f"Времени «{hours}:{minutes or '00'}» не бывает.")
    return minute


def _joined(openings: Iterable[Opening]) -> list[Opening]:
    """Openings that touch are one; those that overlap are left for the check to name."""
    joined: list[Opening] = []
    for opening in sorted(openings):
        if joined and joined[-1].closes == opening.opens:
            joined[-1] = Opening(joined[-1].opens, opening.closes)
        else:
            joined.append(opening)
    return joined


def _without(openings: list[Opening], rests: list[Opening]) -> list[Opening]:
    for rest in rests:
        around = [each for each in openings if each.opens < rest.opens and rest.closes < each.closes]
        if not around:
            raise WrongHours(f"Перерыв {_time(rest)} должен быть внутри рабочего времени.")
        whole = around[0]
        place = openings.index(whole)
        openings[place : place + 1] = [
            Opening(whole.opens, rest.opens),
            Opening(rest.closes, whole.closes),
        ]
    return openings


def _check_day(weekday: int, openings: tuple[Opening, ...]) -> None:
    previous = -1
    for opening in openings:
        if not 0 <= opening.opens < opening.closes <= MINUTES_A_DAY:
            raise WrongHours(f"«{_WEEKDAYS[weekday]}»: время {_time(opening)} не бывает рабочим.")
        if opening.opens <= previous:
            raise WrongHours(
                f"«{_WEEKDAYS[weekday]}»: время {_time(opening)} указано дважды или не по порядку."
            )
        previous = opening.closes


def _names(days: list[int]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(
        _WEEKDAYS[run[0]] if len(run) == 1 else f"{_WEEKDAYS[run[0]]}–{_WEEKDAYS[run[-1]]}" for run in runs
    )


def _times(openings: Iterable[Opening]) -> str:
    return ", ".join(map(_time, openings))


def _time(opening: Opening) -> str:
    return f"{_clock(opening.opens)}–{_clock(opening.closes)}"


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"
