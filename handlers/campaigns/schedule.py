"""When a campaign starts, and at what hours its readers may be written to. Pure: dates and strings alone.

once         at a moment
series       at several moments
repeating    by a cron expression, perhaps until a day

Staggered over municipalities, each has a launch of its own, a step after the one before. The send window is
on the reader's clock: a launch that starts outside of it waits, for each reader, until theirs opens.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import groupby
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import country_holidays

from handlers.campaigns.cron import MONTHS, Cron, ScheduleError, clock, listed, looks_like_cron

__all__ = [
    "OVERDUE",
    "Kind",
    "Planned",
    "Schedule",
    "ScheduleError",
    "Window",
    "check",
    "closes_at",
    "first_launches",
    "in_words",
    "is_open",
    "next_launches",
    "opens_at",
    "read",
    "read_window",
]

Kind = Literal["once", "series", "repeating"]

_KINDS: Mapping[str, Kind] = {kind: kind for kind in get_args(Kind)}
OVERDUE = timedelta(hours=1)
"""A start that is later than this asks people instead of sending."""
FURTHEST = timedelta(days=731)
"""A start that is further away is a mistyped year."""
MOST_MOMENTS = 50
MINUTES_A_DAY = 24 * 60
_LONGEST_REST = 31
"""Days; no window stays closed for so long, with all the holidays there are."""
_EXAMPLES = "Напишите, например, «31.08.2026 10:00», несколько через «;» или «cron 0 10 * * 1»."
_WINDOW_EXAMPLE = "Напишите, например, «9:00–20:00» или «9:00–20:00, кроме воскресений и праздников»."

_MOMENT = re.compile(
    r"(?:(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})|(?P<iso>\d{4}-\d{2}-\d{2}))"
    r"(?:\s*,?\s*(?:в\s+)?|t)(?P<hour>\d{1,2})[:.](?P<minute>\d{2})",
    re.IGNORECASE | re.ASCII,
)
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})|(\d{4}-\d{2}-\d{2})", re.ASCII)
_UNTIL = re.compile(r"^(.*?)[\s,;]+до\s+(\S+)$", re.IGNORECASE | re.DOTALL)
_WINDOW = re.compile(
    r"(?:с\s+)?(\d{1,2})(?:[:.](\d{2}))?\s*(?:[-–—]|до)\s*(\d{1,2})(?:[:.](\d{2}))?(.*)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_EXCEPT = {"воскресенье", "воскресений", "воскресенья", "праздников", "праздники", "праздничных", "дней"}


@dataclass(frozen=True)
class Window:
    """When a reader may be written to: minutes of their day, from `opens` until just before `closes`."""

    opens: int = 9 * 60
    closes: int = 20 * 60
    but_sundays: bool = False
    but_holidays: bool = False
    """Public holidays of Russia."""

    def __post_init__(self) -> None:
        if not 0 <= self.opens <= MINUTES_A_DAY or not 0 <= self.closes <= MINUTES_A_DAY:
            raise ScheduleError(f"Времени отправки с такими часами не бывает. {_WINDOW_EXAMPLE}")
        if self.opens >= self.closes:
            raise ScheduleError(
                f"Время отправки {_span(self.opens, self.closes)} пустое: конец должен быть позже начала."
            )

    def to_plain(self) -> dict[str, Any]:
        """As JSON."""
        plain: dict[str, Any] = {"opens": self.opens, "closes": self.closes}
        if self.but_sundays:
            plain["but_sundays"] = True
        if self.but_holidays:
            plain["but_holidays"] = True
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> Window:
        """What `to_plain` wrote; of nothing, the usual one."""
        plain = plain or {}
        usual = cls()
        return cls(
            opens=plain.get("opens", usual.opens),
            closes=plain.get("closes", usual.closes),
            but_sundays=plain.get("but_sundays", False),
            but_holidays=plain.get("but_holidays", False),
        )

    def in_words(self) -> str:
        """«с 9:00 до 20:00, кроме воскресений и праздников»."""
        rest = [
            name
            for name, is_rest in (("воскресений", self.but_sundays), ("праздников", self.but_holidays))
            if is_rest
        ]
        words = f"с {_of_day(self.opens)} до {_of_day(self.closes)}"
        return f"{words}, кроме {listed(rest)}" if rest else words


@dataclass(frozen=True)
class Schedule:
    """When a campaign starts; what cannot be raises ScheduleError."""

    kind: Kind
    zone: str
    """Whose clocks a cron expression and the words are of (IANA)."""
    moments: tuple[datetime, ...] = ()
    """Of once and series: aware, in order."""
    cron: str = ""
    until: date | None = None
    """Of repeating: the last day, on the zone's calendar."""
    step_minutes: int = 0
    """Between two municipalities; 0: everybody at the same time."""
    window: Window = Window()

    def __post_init__(self) -> None:
        _check_zone(self.zone)
        if not 0 <= self.step_minutes <= MINUTES_A_DAY:
            raise ScheduleError(
                "Шаг между муниципалитетами — от 1 минуты до суток (1440 минут); 0 — все сразу."
            )
        if self.kind == "repeating":
            Cron(self.cron)
        else:
            self._check_moments()

    def _check_moments(self) -> None:
        if not self.moments:
            raise ScheduleError(f"Укажите, когда отправлять. {_EXAMPLES}")
        if self.until is not None:
            raise ScheduleError(
                "Последний день («до …») бывает только у повторяющейся рассылки: уберите его."
            )
        if any(moment.tzinfo is None for moment in self.moments):
            raise ValueError("a moment without a time zone")
        if len(self.moments) > MOST_MOMENTS:
            raise ScheduleError(
                f"Больше {MOST_MOMENTS} дат в одной рассылке не бывает: разделите её на части."
            )
        for before, moment in zip(self.moments, self.moments[1:], strict=False):
            if before == moment:
                raise ScheduleError(
                    f"Время «{_moment(moment, self.zone)}» названо дважды: оставьте его один раз."
                )
        if list(self.moments) != sorted(self.moments) or (len(self.moments) > 1) != (self.kind == "series"):
            raise ScheduleError(f"Расписание записано неправильно: укажите его заново. {_EXAMPLES}")

    def to_plain(self) -> dict[str, Any]:
        """As JSON."""
        plain: dict[str, Any] = {"kind": self.kind, "zone": self.zone, "window": self.window.to_plain()}
        if self.moments:
            plain["moments"] = [moment.astimezone(UTC).isoformat() for moment in self.moments]
        if self.cron:
            plain["cron"] = self.cron
        if self.until is not None:
            plain["until"] = self.until.isoformat()
        if self.step_minutes:
            plain["step_minutes"] = self.step_minutes
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Schedule:
        """What `to_plain` wrote; raises ScheduleError for anything else, and for nothing."""
        if not plain:
            raise ScheduleError(f"Укажите, когда отправлять. {_EXAMPLES}")
        try:
            until = plain.get("until")
            return cls(
                kind=_KINDS[plain["kind"]],
                zone=plain["zone"],
                moments=tuple(datetime.fromisoformat(each) for each in plain.get("moments", ())),
                cron=plain.get("cron", ""),
                until=date.fromisoformat(until) if until else None,
                step_minutes=plain.get("step_minutes", 0),
                window=Window.from_plain(plain.get("window")),
            )
        except (KeyError, ValueError, TypeError, AttributeError):
            raise ScheduleError(f"Расписание записано неправильно: укажите его заново. {_EXAMPLES}") from None


@dataclass(frozen=True)
class Planned:
    """One start to come."""

    due_at: datetime
    """UTC."""
    wave: datetime
    """The moment of the schedule for which it stands, UTC."""
    municipality: str = ""
    """Only its readers; empty: everybody, or everybody else when the wave is staggered."""


# ---- what the operator types


def read(
    text: str, *, zone: str, now: datetime, until: str = "", step_minutes: int = 0, window: str = ""
) -> Schedule:
    """What an operator means by «31.08.2026 10:00», by several of these with «;» between, or by
    «cron 0 10 * * 1», perhaps with «до 31.12.2026» behind it; raises ScheduleError.

    `until` («31.12.2026») and `window` («9:00–20:00, кроме воскресений») stand in fields of their own.
    """
    _check_zone(zone)
    expression = looks_like_cron(text)
    if expression is not None:
        inside = _UNTIL.match(expression)
        if inside is not None:
            expression, until = inside[1], inside[2]
        schedule = Schedule(
            "repeating",
            zone,
            cron=Cron(expression).text,
            until=_read_day(until) if until.strip() else None,
            step_minutes=step_minutes,
            window=read_window(window),
        )
    else:
        moments = sorted(_read_moment(part, zone) for part in text.split(";") if part.strip())
        schedule = Schedule(
            "series" if len(moments) > 1 else "once",
            zone,
            tuple(moments),
            until=_read_day(until) if until.strip() else None,
            step_minutes=step_minutes,
            window=read_window(window),
        )
    check(schedule, now=now)
    return schedule


def read_window(text: str) -> Window:
    """What an operator means by «9:00–20:00, кроме воскресений и праздников»; of nothing, the usual one."""
    if not text.strip():
        return Window()
    found = _WINDOW.fullmatch(text.strip())
    if found is None:
        raise ScheduleError(f"Непонятно, в какие часы отправлять. {_WINDOW_EXAMPLE}")
    rest = re.findall(r"\w+", found[5].casefold())
    if rest and (rest[0] != "кроме" or not set(rest[1:]) - {"и"} or set(rest[1:]) - _EXCEPT - {"и"}):
        raise ScheduleError(f"Непонятно, в какие дни не отправлять. {_WINDOW_EXAMPLE}")
    return Window(
        opens=_minute(found[1], found[2]),
        closes=_minute(found[3], found[4]),
        but_sundays=any(word.startswith("воскресен") for word in rest),
        but_holidays=any(word.startswith("праздни") for word in rest),
    )


# ---- what is planned


def check(schedule: Schedule, *, now: datetime) -> None:
    """Raises ScheduleError when some of it is over, is never to come, or is years away."""
    for moment in schedule.moments:
        if moment < now:
            raise ScheduleError(f"Время «{_moment(moment, schedule.zone)}» уже прошло: назначьте другое.")
        if moment - now > FURTHEST:
            raise ScheduleError(
                f"До «{_moment(moment, schedule.zone)}» больше двух лет: проверьте, верно ли указан год."
            )
    if schedule.kind == "repeating":
        first = _tick(schedule, now)
        if first is None or first - now > FURTHEST:
            raise ScheduleError(
                f"По записи «cron {schedule.cron}» рассылка не начнётся ни разу"
                f"{_until(schedule, ' до ') or ' в ближайшие два года'}: поправьте запись"
                f"{' или последний день' if schedule.until else ''}."
            )


def first_launches(schedule: Schedule, municipalities: Sequence[str], now: datetime) -> list[Planned]:
    """The starts to be planned at first: all moments, or the next one of a repeating campaign.

    `municipalities` in the order of their turns; only a staggered schedule reads them. Raises ScheduleError.
    """
    check(schedule, now=now)
    moments = schedule.moments
    if schedule.kind == "repeating":
        moments = tuple(each for each in (_tick(schedule, now),) if each is not None)
    return [planned for moment in moments for planned in _round(schedule, moment, municipalities)]


def next_launches(schedule: Schedule, after: datetime, municipalities: Sequence[str]) -> list[Planned]:
    """The starts of a repeating campaign at its next time strictly after `after`; empty: there is none."""
    if schedule.kind != "repeating":
        return []
    moment = _tick(schedule, after)
    return [] if moment is None else _round(schedule, moment, municipalities)


# ---- the send window


def is_open(window: Window, zone: str, now: datetime) -> bool:
    """Whether a reader of this zone may be written to now."""
    local = now.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    return window.opens <= minute < window.closes and not _is_rest(window, local.date())


def opens_at(window: Window, zone: str, now: datetime) -> datetime:
    """When a reader of this zone may be written to: now, or when their window opens; UTC."""
    if is_open(window, zone, now):
        return now.astimezone(UTC)
    today = now.astimezone(ZoneInfo(zone)).date()
    opening = time(window.opens // 60, window.opens % 60)
    for days in range(_LONGEST_REST):
        day = today + timedelta(days=days)
        # Twice: on the night when clocks go back an hour comes two times.
        for fold in (0, 1):
            moment = datetime.combine(day, opening, ZoneInfo(zone)).replace(fold=fold).astimezone(UTC)
            if moment > now and is_open(window, zone, moment):
                return moment
    raise ScheduleError(f"Время отправки «{window.in_words()}» не наступает целый месяц: измените его.")


def closes_at(window: Window, zone: str, now: datetime) -> datetime:
    """When the window of a reader closes that is open now; UTC."""
    local = now.astimezone(ZoneInfo(zone))
    midnight = datetime.combine(local.date(), time(), ZoneInfo(zone))
    if window.closes == MINUTES_A_DAY:
        return (midnight + timedelta(days=1)).astimezone(UTC)
    closing = time(window.closes // 60, window.closes % 60)
    return datetime.combine(local.date(), closing, ZoneInfo(zone)).replace(fold=local.fold).astimezone(UTC)


# ---- in words


def in_words(schedule: Schedule, zone: str = "") -> str:
    """«15, 25 и 31 августа 2026 года в 9:00», «по понедельникам в 10:00»: on the clocks of `zone`, or of the
    schedule itself. The send window has words of its own: `Window.in_words`."""
    if schedule.kind == "repeating":
        words = Cron(schedule.cron).in_words() + _until(schedule, ", до ")
    else:
        words = _moments(schedule.moments, zone or schedule.zone)
    if schedule.step_minutes:
        words += f"; муниципалитеты по очереди, через {schedule.step_minutes} мин."
    return words


def _until(schedule: Schedule, before: str) -> str:
    return "" if schedule.until is None else f"{before}{_day(schedule.until)} включительно"


def _moments(moments: Iterable[datetime], zone: str) -> str:
    locals_ = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    return "; ".join(
        f"{_days([each.date() for each in days])} в {clock(*at)}"
        for at, days in groupby(locals_, key=lambda each: (each.hour, each.minute))
    )


def _days(days: Iterable[date]) -> str:
    """«25 и 31 августа, 1 сентября 2026 года»."""
    return ", ".join(
        ", ".join(
            f"{listed(str(day.day) for day in of_month)} {MONTHS[month - 1]}"
            for month, of_month in groupby(of_year, key=lambda day: day.month)
        )
        + f" {year} года"
        for year, of_year in groupby(days, key=lambda day: day.year)
    )


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year} года"


def _moment(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%d.%m.%Y %H:%M}"


def _span(opens: int, closes: int) -> str:
    return f"{_of_day(opens)}–{_of_day(closes)}"


def _of_day(minute: int) -> str:
    return clock(minute // 60, minute % 60)


# ---- arithmetic


def _tick(schedule: Schedule, after: datetime) -> datetime | None:
    """The next time of a repeating schedule; None: it is over, or never comes."""
    moment = Cron(schedule.cron).after(after, zone=schedule.zone)
    if moment is None or (schedule.until is not None and moment.date() > schedule.until):
        return None
    return moment.astimezone(UTC)


def _round(schedule: Schedule, moment: datetime, municipalities: Sequence[str]) -> list[Planned]:
    wave = moment.astimezone(UTC)
    if not schedule.step_minutes:
        return [Planned(wave, wave)]
    places = list(dict.fromkeys(each for each in municipalities if each))
    if not places:
        raise ScheduleError(
            "По очереди отправлять некому: нет ни одного муниципалитета. Загрузите школы или уберите шаг."
        )
    step = timedelta(minutes=schedule.step_minutes)
    # Last of all those whose municipality nobody knows: they must not be forgotten.
    return [Planned(wave + step * turn, wave, place) for turn, place in enumerate([*places, ""])]


def _is_rest(window: Window, day: date) -> bool:
    return (window.but_sundays and day.isoweekday() == 7) or (  # noqa: PLR2004 - Sunday
        window.but_holidays and day in _holidays(day.year)
    )


@cache
def _holidays(year: int) -> Collection[date]:
    return frozenset(country_holidays("RU", years=year))


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleError(f"Часовой пояс «{zone}» неизвестен: нужен, например, Europe/Moscow.") from None


def _read_moment(text: str, zone: str) -> datetime:
    text = " ".join(text.split())
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ScheduleError(f"Непонятно, когда «{text[:40]}». {_EXAMPLES}")
    day = _date(found["d"], found["m"], found["y"], found["iso"], said=text)
    minute = _minute(found["hour"], found["minute"])
    if minute == MINUTES_A_DAY:
        raise ScheduleError("Вместо 24:00 укажите следующий день и 0:00.")
    local = datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone))
    moment = local.astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ScheduleError(f"Времени «{text}» не бывает: часы в эту ночь переводят вперёд.")
    return moment


def _read_day(text: str) -> date:
    text = text.strip()
    found = _DAY.fullmatch(text)
    if found is None:
        raise ScheduleError(f"Непонятно, до какого дня «{text[:40]}»: напишите, например, 31.12.2026.")
    return _date(*found.groups(), said=text)


def _date(*parts: str | None, said: str) -> date:
    day, month, year, iso = parts
    try:
        found = date.fromisoformat(iso) if iso else date(int(year or 0), int(month or 0), int(day or 0))
    except ValueError:
        raise ScheduleError(f"Даты «{said}» не бывает: проверьте число и месяц.") from None
    # Clocks of distant years cannot be told in every zone.
    if not date(1970, 1, 2) <= found <= date(2999, 12, 31):
        raise ScheduleError(f"Даты «{said}» не бывает: проверьте год.")
    return found


def _minute(hours: str, minutes: str | None) -> int:
    minute = int(hours) * 60 + int(minutes or 0)
    if minute > MINUTES_A_DAY or int(minutes or 0) > 59:  # noqa: PLR2004 - minutes of an hour
        raise ScheduleError(f"Времени «{hours}:{minutes or '00'}» не бывает: часы от 0 до 23, минуты до 59.")
    return minute
