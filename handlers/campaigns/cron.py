"""A cron expression of five fields: when it comes next, and what it says in words.

cronsim evaluates it like Debian's cron. One quirk of that cron is said in words, too: where both a day of the
month and a weekday are given, either is enough, unless one of the fields begins with a star.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from handlers.errors import HelpdeskError

_FIELDS = 5
_LONGEST = 120
"""Characters; whatever means anything is shorter."""
_EXAMPLE = "Напишите, например, «cron 0 10 * * 1»: по понедельникам в 10:00."
_ANY = datetime(2026, 1, 1, tzinfo=UTC)
_EVERY_DAY, _EVERY_WEEKDAY = frozenset(range(1, 32)), frozenset(range(7))
_EVERY_HOUR, _EVERY_MONTH = frozenset(range(24)), frozenset(range(1, 13))
_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SUNDAY_TOO = 7
_RUN = 3
"""From so many days in a row on, only the ends are named."""

_WRONG = {
    "Bad minute": "таких минут не бывает (первое поле, 0–59)",
    "Bad hour": "таких часов не бывает (второе поле, 0–23)",
    "Bad day-of-month": "такого числа месяца не бывает (третье поле, 1–31)",
    "Bad month": "таких месяцев не бывает (четвёртое поле, 1–12)",
    "Bad day-of-week": "такого дня недели не бывает (пятое поле: 0–7, понедельник — 1)",
}
MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
"""In the genitive."""
_IN_MONTHS = (
    "январе", "феврале", "марте", "апреле", "мае", "июне",
    "июле", "августе", "сентябре", "октябре", "ноябре", "декабре",
)  # fmt: skip
_ON = ("воскресеньям", "понедельникам", "вторникам", "средам", "четвергам", "пятницам", "субботам")
_WEEKDAYS = ("воскресенье", "понедельник", "вторник", "среду", "четверг", "пятницу", "субботу")
_FROM = ("воскресенья", "понедельника", "вторника", "среды", "четверга", "пятницы", "субботы")
_ORDINALS = {
    "m": ("последний", "первый", "второй", "третий", "четвёртый", "пятый"),
    "f": ("последнюю", "первую", "вторую", "третью", "четвёртую", "пятую"),
    "n": ("последнее", "первое", "второе", "третье", "четвёртое", "пятое"),
}
_GENDERS = ("n", "m", "m", "f", "m", "f", "f")


class ScheduleError(HelpdeskError):
    """A schedule that cannot be; the sentence says what is wrong and what to do."""


class Cron:
    """A cron expression; at most one start an hour. Raises ScheduleError."""

    def __init__(self, expression: str) -> None:
        self.text = " ".join(expression.split())
        if not self.text.isascii() or len(self.text) > _LONGEST or len(self.text.split()) != _FIELDS:
            raise ScheduleError(
                f"В записи cron должно быть пять полей: минуты, часы, число, месяц, день недели. {_EXAMPLE}"
            )
        try:
            self._read = CronSim(self.text, _ANY)
        except CronSimError as error:
            raise ScheduleError(
                f"Запись «{self.text}»: {_WRONG.get(str(error), 'таких дней не бывает')}. {_EXAMPLE}"
            ) from None
        if len(self._read.minutes) != 1:
            raise ScheduleError(
                "Чаще раза в час объявления не повторяют: оставьте в первом поле одно число минут. "
                + _EXAMPLE
            )

    def after(self, moment: datetime, *, zone: str) -> datetime | None:
        """The next time strictly after the moment, on the clocks of a zone; None: not in fifty years."""
        return next(CronSim(self.text, moment.astimezone(ZoneInfo(zone))), None)

    def in_words(self) -> str:
        """«по понедельникам в 10:00»."""
        return f"{self._days()} {self._times()}"

    def _times(self) -> str:
        (minute,) = self._read.minutes
        if self._read.hours == _EVERY_HOUR:
            return f"на {minute}-й минуте каждого часа" if minute else "в начале каждого часа"
        return "в " + listed(clock(hour, minute) for hour in sorted(self._read.hours))

    def _days(self) -> str:
        months = "" if self._read.months == _EVERY_MONTH else f" {_in_months(self._read.months)}"
        dates = None if self._read.days >= _EVERY_DAY else self._dates()
        weekdays = None if self._plain_weekdays == _EVERY_WEEKDAY else self._on_weekdays()
        if dates and weekdays:
            if self._read.day_and:
                return f"{weekdays}, но только {dates}{months}"
            return f"{dates} и, кроме того, {weekdays}{months}"
        is_one_of_two = not self._read.day_and and (dates or weekdays)
        if is_one_of_two or not (dates or weekdays):
            # Every day of the month is enough, whatever the weekday (or the other way round).
            return f"каждый день{months}"
        return f"{dates or weekdays}{months}"

    @property
    def _plain_weekdays(self) -> frozenset[int]:
        return frozenset(each % _SUNDAY_TOO for each in self._read.weekdays if isinstance(each, int))

    def _dates(self) -> str:
        days = self._read.days
        parts = []
        numbers = sorted(day for day in days if day > 0)
        if numbers:
            parts.append(f"{listed(_numbers(numbers))} числа")
            if numbers[-1] > min(_LENGTHS[month] for month in self._read.months):
                parts[0] += " (в месяцах, где оно есть)"
        if CronSim.LAST in days:
            parts.append("в последний день месяца")
        if CronSim.LAST_WEEKDAY in days:
            parts.append("в последний день месяца с понедельника по пятницу")
        return listed(parts)

    def _on_weekdays(self) -> str:
        parts = [_on(sorted(self._plain_weekdays, key=_from_monday))] if self._plain_weekdays else []
        special = {
            (each[0] % _SUNDAY_TOO, each[1]) for each in self._read.weekdays if isinstance(each, tuple)
        }
        for weekday, which in sorted(special, key=lambda each: (_from_monday(each[0]), each[1])):
            place = 0 if which == CronSim.LAST else which
            parts.append(f"{_into(place)} {_ORDINALS[_GENDERS[weekday]][place]} {_WEEKDAYS[weekday]} месяца")
        return listed(parts)


def listed(parts: Iterable[str]) -> str:
    """«15, 25 и 31»."""
    *before, last = parts
    return f"{', '.join(before)} и {last}" if before else last


def clock(hour: int, minute: int) -> str:
    """«9:05»."""
    return f"{hour}:{minute:02}"


def looks_like_cron(text: str) -> str | None:
    """The expression after the word «cron»; None when it is something else."""
    found = re.match(r"(?:cron|крон)\s*:?\s+(.*)", text.strip(), re.IGNORECASE | re.DOTALL)
    return found[1] if found else None


def _into(place: int) -> str:
    return "во" if place == 2 else "в"  # noqa: PLR2004 - «во второй»


def _from_monday(weekday: int) -> int:
    return (weekday - 1) % _SUNDAY_TOO


def _on(weekdays: Sequence[int]) -> str:
    first, last = weekdays[0], weekdays[-1]
    if len(weekdays) >= _RUN and _from_monday(last) - _from_monday(first) == len(weekdays) - 1:
        return f"с {_FROM[first]} по {_WEEKDAYS[last]}"
    return "по " + listed(_ON[each] for each in weekdays)


def _numbers(days: Sequence[int]) -> list[str]:
    return [f"{day}-го" for day in days]


def _in_months(months: Collection[int]) -> str:
    return "в " + listed(_IN_MONTHS[month - 1] for month in sorted(months))
