"""Working time: is a desk open, and when will so much of its time have passed. Pure arithmetic, no clock.

A desk is open at a moment when the clock on its wall shows a time within the hours of that date. Whether a
date is worked on says the first of these that knows:

    working_days of the region    open, whatever else is said
    days_off of the region        closed
    vacations                     closed
    public holidays               closed; days off moved by decree are holidays, too
    Saturdays moved by decree     open
    the week                      open when the weekday has hours

A working day whose weekday has no hours has those of the nearest weekday before it: a working Saturday
is like a Friday.

What the library of public holidays does not know: the moved days of a year before its government decree
(the autumn before, so `holidays` is to be updated by the winter); a region's own holidays; and the hour cut
from the day before a holiday, which counts as worked here. Its mistakes are mended in the region's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import country_holidays

from faq.content.region import Region, Vacation
from handlers.cases.working_hours import Opening, WorkingHours, default_hours
from handlers.errors import HelpdeskError

COUNTRY = "RU"
"""Whose public holidays are kept unless a calendar says otherwise (ISO 3166)."""
LONGEST_REST = 731
"""Days in a row without working time after which a calendar is taken for one that never opens: two years."""
_DAY = timedelta(days=1)
_NOTHING = timedelta()
_REACH = timedelta(hours=15)
"""A local date lies within its UTC date and this much on both sides: zones are from −12 to +14 hours."""


class WrongCalendar(HelpdeskError):
    """A time zone or days that make no calendar."""


class NeverOpens(HelpdeskError):
    """Working time was asked of a calendar that has none."""

    def __init__(self, after: date) -> None:
        super().__init__(
            f"После {after:%d.%m.%Y} два года подряд нет рабочего времени: проверьте часы работы и каникулы."
        )


@dataclass(frozen=True, slots=True)
class Holidays:
    """Dates that differ from the week: a country's public ones, and those that a region adds."""

    country: str | None = COUNTRY
    days_off: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        both = self.days_off & self.working_days
        if both:
            raise WrongCalendar(f"День {min(both):%d.%m.%Y} назван и рабочим, и выходным: оставьте одно.")


@dataclass(frozen=True, slots=True)
class WorkingSpan:
    """How long something may take: so much open time, or so many working days; exactly one of the two.

    Four hours begun on Friday an hour before closing end on Monday three hours after opening. Three days
    begun on Friday at 17:30 end on Wednesday at 17:30, however long the days between are.
    """

    time: timedelta = _NOTHING
    days: int = 0

    def __post_init__(self) -> None:
        if self.time < _NOTHING or self.days < 0 or bool(self.time) == bool(self.days):
            raise ValueError("a span is a positive time or a positive number of days")

    @classmethod
    def hours(cls, hours: float) -> WorkingSpan:
        """So many hours of open time."""
        return cls(time=timedelta(hours=hours))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """When a desk works. Moments are aware in any zone on the way in, UTC on the way out.

    A naive moment is a bug and raises ValueError; a calendar without working time raises NeverOpens.
    """

    hours: WorkingHours = field(default_factory=default_hours)
    timezone: str = "Europe/Moscow"
    holidays: Holidays = Holidays()
    vacations: tuple[Vacation, ...] = ()

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise WrongCalendar(
                f"Часовой пояс «{self.timezone}» неизвестен: нужен, например, Europe/Moscow."
            ) from None

    def is_open(self, moment: datetime) -> bool:
        """Whether somebody is at the desk; at the minute of closing nobody is."""
        local = _utc(moment).astimezone(ZoneInfo(self.timezone))
        minute = local.hour * 60 + local.minute
        return any(each.opens <= minute < each.closes for each in self._openings(local.date()))

    def is_working_day(self, day: date) -> bool:
        """Whether the desk opens at all on a local date."""
        return bool(self._open_on(day))

    def next_opening(self, moment: datetime) -> datetime:
        """The moment itself when the desk is open, otherwise when it opens."""
        moment = _utc(moment)
        return next(max(opens, moment) for opens, closes in self._stretches(moment) if closes > moment)

    def add(self, start: datetime, working: timedelta) -> datetime:
        """The first moment by which so much working time has passed; ValueError when it is negative.

        Nothing passes while the desk is closed, so from Sunday it counts from Monday's opening. What runs out
        at closing ends then, not at the next opening, and nothing added changes nothing, even outside the
        hours: thus `add(add(start, a), b) == add(start, a + b)`.

        A clock that stood still (the parent was asked something) is made good by
        `add(due, between(asked, answered))`.
        """
        start = _utc(start)
        if working < _NOTHING:
            raise ValueError("working time only passes forwards")
        if not working:
            return start
        left = working
        for opens, closes in self._stretches(start):
            begins = max(opens, start)
            if left <= closes - begins:
                return begins + left
            left -= max(closes - begins, _NOTHING)
        raise AssertionError("stretches have no end")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from one moment to another; negative when the end is before the start."""
        start, end = _utc(start), _utc(end)
        if end < start:
            return -self.between(end, start)
        zone = ZoneInfo(self.timezone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        passed = _NOTHING
        while day <= last:
            for opens, closes in self._open_on(day):
                passed += max(min(closes, end) - max(opens, start), _NOTHING)
            day += _DAY
        return passed

    def add_days(self, start: datetime, days: int) -> datetime:
        """The same time of the day so many working days later; ValueError when negative.

        A working day is a local date with any open time, a short Friday as well as a long Monday. A start
        outside the hours counts from the next opening. Where the last day is not open at that time, the next
        opening of the same date is taken (after lunch), or else its closing (a shorter day).
        """
        if days < 0:
            raise ValueError("working days only pass forwards")
        start = self.next_opening(start)
        local = start.astimezone(ZoneInfo(self.timezone))
        if days == 0:
            return start
        into_day = timedelta(
            hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        day = local.date()
        for _ in range(days):
            day = self._working_day_after(day)
        return self._on_day(day, into_day=into_day)

    def due(self, start: datetime, span: WorkingSpan) -> datetime:
        """When a span that began at the start has run out."""
        return self.add_days(start, span.days) if span.days else self.add(start, span.time)

    def _working_day_after(self, day: date) -> date:
        for later in range(1, LONGEST_REST + 1):
            if self.is_working_day(day + later * _DAY):
                return day + later * _DAY
        raise NeverOpens(day)

    def _on_day(self, day: date, *, into_day: timedelta) -> datetime:
        """The first open moment of a date when its clock shows this time or later; else the last closing."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        open_on = self._open_on(day)
        zone = ZoneInfo(self.timezone)
        for opens, closes in open_on:
            at = midnight + into_day - _offset(opens, zone)
            if at < closes:
                return max(opens, at)
        return open_on[-1][1]

    def _stretches(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open stretches from the local date of a moment on, without end; raises NeverOpens."""
        day = moment.astimezone(ZoneInfo(self.timezone)).date()
        rest = 0
        while rest <= LONGEST_REST:
            stretches = self._open_on(day)
            yield from stretches
            rest = 0 if stretches else rest + 1
            day += _DAY
        raise NeverOpens(day - rest * _DAY)

    def _open_on(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The open stretches of a local date, in UTC.

        On the day when clocks change a stretch is cut at that moment: what the wall clock skips is not
        worked, what it shows twice is worked twice.
        """
        openings = self._openings(day)
        if not openings:
            return ()
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        stretches: list[tuple[datetime, datetime]] = []
        for begins, ends, offset in _even_parts(
            midnight - _REACH, midnight + _DAY + _REACH, zone=ZoneInfo(self.timezone)
        ):
            for each in openings:
                opens = max(midnight + timedelta(minutes=each.opens) - offset, begins)
                closes = min(midnight + timedelta(minutes=each.closes) - offset, ends)
                if opens < closes:
                    stretches.append((opens, closes))
        return tuple(stretches)

    def _openings(self, day: date) -> tuple[Opening, ...]:
        week, weekday = self.hours.week, day.weekday()
        holidays = self.holidays
        if day in holidays.working_days:
            return self._nearest(weekday)
        if day in holidays.days_off or any(each.covers(day) for each in self.vacations):
            return ()
        public = _public(holidays.country, day.year)
        if day in public.off:
            return ()
        return self._nearest(weekday) if day in public.working else week[weekday]

    def _nearest(self, weekday: int) -> tuple[Opening, ...]:
        week = self.hours.week
        return next((week[weekday - back] for back in range(7) if week[weekday - back]), ())


def region_calendar(region: Region, *, hours: WorkingHours | None = None) -> WorkingCalendar:
    """The region's calendar, with a school's own hours if it has them; raises WrongHours, WrongCalendar."""
    return WorkingCalendar(
        hours=hours or WorkingHours.parse(region.working_hours),
        timezone=region.timezone,
        holidays=Holidays(days_off=frozenset(region.days_off), working_days=frozenset(region.working_days)),
        vacations=region.vacations,
    )


@dataclass(frozen=True, slots=True)
class _PublicDays:
    """What the library knows of a country's year."""

    off: frozenset[date]
    working: frozenset[date]


@cache
def _public(country: str | None, year: int) -> _PublicDays:
    if country is None:
        return _PublicDays(frozenset(), frozenset())
    known = country_holidays(country, years=year, expand=False)
    off = frozenset(known)
    return _PublicDays(off, frozenset(known.weekend_workdays) - off)


def _even_parts(
    begins: datetime, ends: datetime, *, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The time between two UTC moments, cut where the zone's clocks change; each part with its UTC offset."""
    before, after = _offset(begins, zone), _offset(ends, zone)
    if before == after:
        yield begins, ends, before
        return
    # Two changes within two days do not happen, so halving finds the one.
    early, late = begins, ends
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if _offset(middle, zone) == before:
            early = middle
        else:
            late = middle
    change = late.replace(microsecond=0)
    yield begins, change, before
    yield change, ends, after


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or _NOTHING


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC)
