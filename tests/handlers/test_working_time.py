"""When a desk works: in words, on known days, and against a calendar that is walked minute by minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from holidays import country_holidays
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from faq.content.region import PACKAGED, Region, RegionError, Vacation, load_region, region_names
from handlers.cases.working_hours import Opening, WorkingHours, WrongHours, default_hours
from handlers.cases.working_time import (
    Holidays,
    NeverOpens,
    WorkingCalendar,
    WorkingSpan,
    WrongCalendar,
    region_calendar,
)
from tests.sizes import size

MOSCOW = ZoneInfo("Europe/Moscow")
USUAL = WorkingCalendar()
SUMMER = Vacation("летние", date(2026, 6, 1), date(2026, 8, 31))


def moscow(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=MOSCOW)


def shown(moment: datetime) -> str:
    assert moment.tzinfo is UTC
    return moment.astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M")


def after(start: str, hours: float, calendar: WorkingCalendar = USUAL) -> str:
    return shown(calendar.add(moscow(start), timedelta(hours=hours)))


def days_after(start: str, days: int, calendar: WorkingCalendar = USUAL) -> str:
    return shown(calendar.add_days(moscow(start), days))


# What people write


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("пн–пт 9:00–18:00", "пн–пт 9:00–18:00"),
        ("пн-чт 8:30-17:00, пт 8:30-16:00", "пн–чт 8:30–17:00, пт 8:30–16:00"),
        ("пн-пт 9-13, 14-18", "пн–пт 9:00–13:00, 14:00–18:00"),
        ("Пн.–Пт.: 9.00 — 17.30; сб, вс — выходные", "пн–пт 9:00–17:30"),
        ("с понедельника по пятницу с 9 до 18, обед с 13 до 14", "пн–пт 9:00–13:00, 14:00–18:00"),
        ("пн–чт 8–17, пт 8–16, перерыв 12–13", "пн–чт 8:00–12:00, 13:00–17:00; пт 8:00–12:00, 13:00–16:00"),
        ("пн–чт 8–17, перерыв 12–13, пт 8–16", "пн–чт 8:00–12:00, 13:00–17:00; пт 8:00–16:00"),
        ("пн, ср 9–12, во вторник 10–11", "пн, ср 9:00–12:00, вт 10:00–11:00"),
        ("сб–пн 10–12", "пн, сб–вс 10:00–12:00"),
        ("ежедневно круглосуточно", "пн–вс 0:00–24:00"),
        ("будни 9–13, 13–18", "пн–пт 9:00–18:00"),
    ],
)
def test_hours_are_read_as_people_write_them(written: str, read: str) -> None:
    assert WorkingHours.parse(written).describe() == read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "ни одного рабочего дня"),
        ("пн–вс выходной", "ни одного рабочего дня"),
        ("как получится", "Непонятно «как»"),
        ("пн–пт", "Для «пн–пт» не указано время"),
        ("9–18", "Укажите дни"),
        ("пн 18–9", "начало не раньше конца"),
        ("пн 9–25", "Времени «25:00» не бывает"),
        ("пн 9:75–10", "Времени «9:75» не бывает"),
        ("пн 9–13, 12–18", "указано дважды"),
        ("пн–пт 9–18, пт 9–16", "День «пт» назван дважды"),
        ("пн 9–18, перерыв 18–19", "внутри рабочего времени"),
        ("пн, перерыв 12–13", "Перед перерывом"),
        ("пн 9–18–20", "Непонятно «-20»"),
        ("пн 9:00–18:00:00", "Непонятно «9:00-18:00:00»"),
        ("пн 9–18, кроме праздников", "Непонятно «кроме»"),
    ],
)
def test_hours_that_are_not_clear_are_answered_with_a_sentence(written: str, said: str) -> None:
    with pytest.raises(WrongHours, match=said) as refusal:
        WorkingHours.parse(written)
    assert "\n" not in str(refusal.value)


def test_a_desk_that_says_nothing_works_monday_to_friday_from_nine_to_six() -> None:
    assert default_hours().week == ((Opening(540, 1080),),) * 5 + ((),) * 2


# Known days


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("10.11.2026 10:00", 4, "10.11.2026 14:00"),
        ("10.11.2026 17:30", 4, "11.11.2026 12:30"),
        ("13.11.2026 17:30", 4, "16.11.2026 12:30"),  # a weekend between
        ("06.03.2026 17:30", 4, "10.03.2026 12:30"),  # Monday is the holiday of a Sunday
        ("08.03.2026 12:00", 1, "10.03.2026 10:00"),  # asked on a holiday
        ("10.11.2026 06:00", 1, "10.11.2026 10:00"),  # asked before the opening
        ("10.11.2026 20:00", 1, "11.11.2026 10:00"),  # asked in the evening
        ("10.11.2026 14:00", 4, "10.11.2026 18:00"),  # runs out at closing, not next morning
        ("30.12.2026 17:00", 4, "11.01.2027 12:00"),  # 31 December is moved, New Year's holidays follow
        ("30.04.2026 17:00", 2, "04.05.2026 10:00"),
        ("08.05.2026 17:00", 2, "12.05.2026 10:00"),  # 9 May is a Saturday
        ("31.10.2025 17:00", 2, "01.11.2025 10:00"),  # a Saturday that the decree made a working day
        ("15.11.2026 12:00", 0, "15.11.2026 12:00"),
    ],
)
def test_hours_pass_while_the_desk_is_open(start: str, hours: float, due: str) -> None:
    assert after(start, hours) == due


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("10.11.2026 11:20", 3, "13.11.2026 11:20"),
        ("13.11.2026 17:30", 3, "18.11.2026 17:30"),
        ("14.11.2026 12:00", 3, "19.11.2026 09:00"),  # Saturday counts from Monday's opening
        ("13.11.2026 18:00", 1, "17.11.2026 09:00"),  # at closing the day is over
        ("29.04.2026 10:00", 3, "05.05.2026 10:00"),
        ("29.12.2026 10:00", 3, "12.01.2027 10:00"),
        ("14.11.2026 12:00", 0, "16.11.2026 09:00"),
    ],
)
def test_days_end_at_the_same_time_of_a_working_day(start: str, days: int, due: str) -> None:
    assert days_after(start, days) == due


def test_a_day_that_is_not_open_at_that_time_ends_after_lunch_or_at_its_closing() -> None:
    school = WorkingCalendar(WorkingHours.parse("пн–ср 9–18, чт 9–13, 14–18, пт 9–16"))

    assert days_after("11.11.2026 13:20", 1, school) == "12.11.2026 14:00"
    assert days_after("11.11.2026 13:00", 1, school) == "12.11.2026 14:00"
    assert days_after("11.11.2026 17:20", 2, school) == "13.11.2026 16:00"
    assert days_after("12.11.2026 13:20", 4, school) == "18.11.2026 14:00"


def test_a_deadline_is_a_time_or_a_number_of_days() -> None:
    start = moscow("13.11.2026 17:30")

    assert shown(USUAL.due(start, WorkingSpan.hours(1))) == "16.11.2026 09:30"
    assert shown(USUAL.due(start, WorkingSpan(days=1))) == "16.11.2026 17:30"
    hour = timedelta(hours=1)
    for time, days in ((timedelta(), 0), (hour, 1), (timedelta(), -1), (-hour, 0), (hour, -1)):
        with pytest.raises(ValueError, match="a span is"):
            WorkingSpan(time=time, days=days)


def test_the_desk_is_open_until_the_minute_of_closing() -> None:
    moment = moscow("10.11.2026 17:59") + timedelta(seconds=59, microseconds=1)

    assert USUAL.is_open(moment)
    assert USUAL.add_days(moment, 1) == moment + timedelta(days=1)
    assert USUAL.is_open(moscow("10.11.2026 09:00"))
    assert USUAL.is_open(moscow("10.11.2026 17:59"))
    assert not USUAL.is_open(moscow("10.11.2026 18:00"))
    assert not USUAL.is_open(moscow("10.11.2026 08:59"))
    assert shown(USUAL.next_opening(moscow("10.11.2026 12:34"))) == "10.11.2026 12:34"
    assert shown(USUAL.next_opening(moscow("13.11.2026 18:00"))) == "16.11.2026 09:00"


def test_time_that_ran_over_is_negative_the_other_way_round() -> None:
    due, now = moscow("13.11.2026 17:00"), moscow("16.11.2026 10:00")

    assert USUAL.between(due, now) == timedelta(hours=2)
    assert USUAL.between(now, due) == -timedelta(hours=2)


def test_on_vacation_nothing_passes_but_a_named_day_is_worked() -> None:
    school = WorkingCalendar(vacations=(SUMMER,))
    on_duty = WorkingCalendar(
        vacations=(SUMMER,), holidays=Holidays(working_days=frozenset({date(2026, 7, 4)}))
    )

    assert after("29.05.2026 17:00", 2, school) == "01.09.2026 10:00"
    assert not school.is_working_day(date(2026, 7, 6))
    assert after("29.05.2026 17:00", 2, on_duty) == "04.07.2026 10:00"  # a Saturday, with Friday's hours


def test_a_named_day_has_its_weekdays_hours_or_those_of_the_day_before() -> None:
    named = frozenset({date(2026, 6, 12), date(2026, 6, 13)})  # a Friday that is a holiday, a Saturday
    school = WorkingCalendar(WorkingHours.parse("пн–чт 9–18, пт 9–16"), holidays=Holidays(working_days=named))

    assert after("11.06.2026 17:00", 1 + 7, school) == "12.06.2026 16:00"
    assert after("11.06.2026 17:00", 1 + 7 + 7, school) == "13.06.2026 16:00"
    assert after("11.06.2026 17:00", 1 + 7 + 7 + 1, school) == "15.06.2026 10:00"


def test_a_long_span_is_not_taken_for_a_closed_desk() -> None:
    start = moscow("09.01.2025 09:00")
    due = USUAL.add(start, timedelta(hours=6000))

    assert due - start > timedelta(days=731)
    assert USUAL.between(start, due) == timedelta(hours=6000)


def test_a_regions_day_off_outranks_the_week_and_a_moved_saturday() -> None:
    off = frozenset({date(2025, 11, 1), date(2026, 11, 10)})
    school = WorkingCalendar(holidays=Holidays(days_off=off))

    assert after("31.10.2025 17:00", 2, school) == "05.11.2025 10:00"
    assert after("09.11.2026 17:00", 2, school) == "11.11.2026 10:00"


def test_another_zone_keeps_its_own_wall_clock_over_the_change_of_clocks() -> None:
    berlin = WorkingCalendar(timezone="Europe/Berlin", holidays=Holidays(country=None))
    friday = datetime(2026, 3, 27, 17, tzinfo=ZoneInfo("Europe/Berlin"))

    assert berlin.add(friday, timedelta(hours=2)) == datetime(2026, 3, 30, 8, tzinfo=UTC)
    assert berlin.add_days(friday, 1) == datetime(2026, 3, 30, 15, tzinfo=UTC)


def test_a_night_of_changed_clocks_is_as_long_as_it_was() -> None:
    always = WorkingCalendar(
        WorkingHours.parse("ежедневно круглосуточно"), "Europe/Berlin", Holidays(country=None)
    )
    nightly = WorkingCalendar(WorkingHours.parse("ежедневно 2–3"), "Europe/Berlin", Holidays(country=None))
    zone = ZoneInfo("Europe/Berlin")

    def night(month: int, day: int) -> tuple[datetime, datetime]:
        return datetime(2026, month, day, tzinfo=zone), datetime(2026, month, day + 1, tzinfo=zone)

    assert always.between(*night(3, 29)) == timedelta(hours=23)
    assert always.between(*night(10, 25)) == timedelta(hours=25)
    assert nightly.between(*night(3, 29)) == timedelta()
    assert not nightly.is_working_day(date(2026, 3, 29))
    assert nightly.between(*night(10, 25)) == timedelta(hours=2)


def test_a_desk_that_never_opens_is_named_instead_of_looked_for() -> None:
    closed = WorkingCalendar(vacations=(Vacation("ремонт", date(2026, 1, 1), date(2030, 1, 1)),))
    start = moscow("10.11.2026 10:00")

    assert closed.between(start, start + timedelta(days=30)) == timedelta()
    with pytest.raises(NeverOpens, match="нет рабочего времени"):
        closed.next_opening(start)
    with pytest.raises(NeverOpens, match="нет рабочего времени"):
        closed.add(start, timedelta(hours=1))
    with pytest.raises(NeverOpens, match="нет рабочего времени"):
        closed.add_days(start, 1)
    with pytest.raises(NeverOpens, match="нет рабочего времени"):
        closed.add_days(moscow("29.12.2025 10:00"), 5)


def test_what_makes_no_calendar_is_refused() -> None:
    day = date(2026, 11, 10)

    for zone in ("Europe/Maikop", "Europe", "", "../etc"):
        with pytest.raises(WrongCalendar, match="Часовой пояс"):
            WorkingCalendar(timezone=zone)
    with pytest.raises(WrongCalendar, match=r"10\.11\.2026"):
        Holidays(days_off=frozenset({day}), working_days=frozenset({day}))
    with pytest.raises(ValueError, match="time zone"):
        USUAL.is_open(datetime(2026, 11, 10, 12))  # noqa: DTZ001 - that is the mistake
    with pytest.raises(ValueError, match="forwards"):
        USUAL.add(moscow("10.11.2026 10:00"), -timedelta(hours=1))
    with pytest.raises(ValueError, match="forwards"):
        USUAL.add_days(moscow("10.11.2026 10:00"), -1)
    with pytest.raises(WrongHours, match="не по порядку"):
        WorkingHours(((Opening(60, 120), Opening(90, 150)), *((),) * 6))
    with pytest.raises(WrongHours, match="не по порядку"):
        WorkingHours(((Opening(60, 120), Opening(120, 150)), *((),) * 6))
    with pytest.raises(WrongHours, match="семь дней"):
        WorkingHours(((Opening(60, 120),),))


# What a region's file says


def region_with(tmp_path: Path, **changes: str) -> Region:
    lines = (PACKAGED / "adygea.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition(":")[0] not in changes]
    path = tmp_path / "own.yaml"
    path.write_text(
        "\n".join([*kept, *(f"{key}: {value}" for key, value in changes.items())]), encoding="utf-8"
    )
    return load_region(path)


@pytest.mark.parametrize("name", region_names())
def test_every_packaged_region_has_a_calendar_and_no_invented_dates(name: str) -> None:
    region = load_region(name)

    assert region_calendar(region) == WorkingCalendar(timezone=region.timezone)
    assert region.vacations == region.days_off == region.working_days == ()


def test_a_region_names_its_hours_vacations_and_days(tmp_path: Path) -> None:
    region = region_with(
        tmp_path,
        working_hours="пн–пт 8–17",
        vacations="[{name: летние, first: 2026-06-01, last: 2026-08-31}]",
        days_off="[2026-11-10]",
        working_days="[2026-11-14]",
    )
    calendar = region_calendar(region)

    assert calendar.hours.describe() == "пн–пт 8:00–17:00"
    assert calendar.vacations == (SUMMER,)
    assert [day for day in range(9, 16) if calendar.is_working_day(date(2026, 11, day))] == [
        9,
        11,
        12,
        13,
        14,
    ]
    assert region_calendar(region, hours=default_hours()).hours == default_hours()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vacations": "летние"}, "vacations должен быть списком"),
        ({"vacations": "[летние]"}, "каникулы № 1: нужны name, first и last"),
        ({"vacations": "[{name: летние, first: 2026-06-01}]"}, "нужны name, first и last"),
        ({"vacations": "[{name: летние, first: июнь, last: 2026-08-31}]"}, "даты вида ГГГГ-ММ-ДД"),
        ({"vacations": "[{name: летние, first: 2026-08-31, last: 2026-06-01}]"}, "кончаются раньше"),
        ({"vacations": "[{name: 5, first: 2026-06-01, last: 2026-08-31}]"}, "name пишется текстом"),
        ({"days_off": "2026-11-10"}, "days_off должен быть списком дат"),
        ({"working_days": "[суббота]"}, "working_days должен быть списком дат"),
        ({"working_days": "[2026-11-10 12:00:00]"}, "working_days должен быть списком дат"),
        ({"working_hours": "9"}, "working_hours пишется текстом"),
    ],
)
def test_a_fault_in_a_regions_dates_is_one_sentence(
    tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(RegionError, match=said) as refusal:
        region_with(tmp_path, **changes)
    assert "\n" not in str(refusal.value)


# Minute by minute

FIRST_MINUTE = datetime(2025, 1, 1, tzinfo=UTC)
MINUTES = int((datetime(2028, 1, 1, tzinfo=UTC) - FIRST_MINUTE) / timedelta(minutes=1))
ZONES = (
    "Europe/Moscow",
    "Asia/Kamchatka",
    "Europe/Berlin",
    "America/Nuuk",  # the clocks change around midnight, on the evening before
    "Australia/Lord_Howe",  # by half an hour
)
STEADY = ZONES[:2]
"""Their clocks never change."""
QUESTIONS = 30


@dataclass(frozen=True)
class Walls:
    """What the wall clock of a zone shows at each minute of the three years."""

    day: Any  # ordinals of dates, as an array
    minute: Any  # of the day, as an array
    days: list[int]
    minutes: list[int]


@cache
def walls(zone: str) -> Walls:
    clock = ZoneInfo(zone)
    quarters = (FIRST_MINUTE + timedelta(minutes=minute) for minute in range(0, MINUTES, 15))
    # No zone changes its clocks inside a quarter of an hour.
    offsets = [(at.astimezone(clock).utcoffset() or timedelta()) // timedelta(minutes=1) for at in quarters]
    shown = np.arange(MINUTES) + np.repeat(offsets, 15)
    day = (FIRST_MINUTE.date().toordinal() + shown // 1440).astype(np.int32)
    minute = (shown % 1440).astype(np.int32)
    return Walls(day=day, minute=minute, days=day.tolist(), minutes=minute.tolist())


@cache
def russian_days() -> tuple[frozenset[int], frozenset[int]]:
    """Days off and working Saturdays, as the library says."""
    known = country_holidays("RU", years=range(2024, 2030))
    return (
        frozenset(day.toordinal() for day in known),
        frozenset(day.toordinal() for day in known.weekend_workdays if day not in known),
    )


class Slow:
    """A calendar as a row of minutes, each open or closed; every question is answered by walking them."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        wall = walls(calendar.timezone)
        self.days = wall.days
        self.clock = wall.minutes
        self.open = bytes(_is_open_at(calendar, wall))

    def is_open(self, at: int) -> bool:
        return bool(self.open[at])

    def next_opening(self, at: int) -> int:
        while not self.open[at]:
            at += 1
        return at

    def add(self, at: int, minutes: int) -> int:
        while minutes:
            minutes -= self.open[at]
            at += 1
        return at

    def between(self, start: int, end: int) -> int:
        return sum(self.open[start:end])

    def add_days(self, at: int, days: int) -> int:
        at = self.next_opening(at)
        if days == 0:
            return at
        shown, counted = self.clock[at], self.days[at]
        while days:
            at += 1
            if self.open[at] and self.days[at] != counted:
                counted = self.days[at]
                days -= 1
        latest = at
        while self.days[at] == counted:
            if self.open[at]:
                if self.clock[at] >= shown:
                    return at
                latest = at
            at += 1
        return latest + 1


def _is_open_at(calendar: WorkingCalendar, wall: Walls) -> Any:
    """The rule, asked of every minute."""
    weekday = (wall.day - 1) % 7
    of_week = np.zeros(MINUTES, dtype=bool)
    of_workday = np.zeros(MINUTES, dtype=bool)
    for day in range(7):
        stands_in = next(day - back for back in range(7) if calendar.hours.week[day - back])
        of_week |= (weekday == day) & _within(wall, calendar.hours.week[day])
        of_workday |= (weekday == day) & _within(wall, calendar.hours.week[stands_in])
    off, saturdays = russian_days() if calendar.holidays.country else (frozenset(), frozenset())
    is_open = np.where(_among(wall, saturdays), of_workday, of_week)
    is_open &= ~_among(wall, off)
    for rest in calendar.vacations:
        is_open &= (wall.day < rest.first.toordinal()) | (wall.day > rest.last.toordinal())
    is_open &= ~_among(wall, {day.toordinal() for day in calendar.holidays.days_off})
    extra = _among(wall, {day.toordinal() for day in calendar.holidays.working_days})
    return np.where(extra, of_workday, is_open)


def _within(wall: Walls, openings: tuple[Opening, ...]) -> Any:
    found = np.zeros(MINUTES, dtype=bool)
    for each in openings:
        found |= (each.opens <= wall.minute) & (wall.minute < each.closes)
    return found


def _among(wall: Walls, days: set[int] | frozenset[int]) -> Any:
    return np.isin(wall.day, list(days))


@st.composite
def openings(draw: st.DrawFn) -> tuple[Opening, ...]:
    marks = draw(st.lists(st.integers(0, 288), unique=True, max_size=6).map(sorted))
    return tuple(
        Opening(5 * opens, 5 * closes) for opens, closes in zip(marks[::2], marks[1::2], strict=False)
    )


weeks = st.one_of(
    st.sampled_from(
        [
            "пн–пт 9–18",
            "пн–пт 9–13, 14–18",
            "пн–чт 8:30–17, пт 8:30–16, перерыв 12–12:45; сб 9–12",
            "ежедневно круглосуточно",
            "вт 0–3, 21–24",
        ]
    ).map(WorkingHours.parse),
    st.lists(openings(), min_size=7, max_size=7).filter(any).map(lambda week: WorkingHours(tuple(week))),
)
days = st.dates(date(2024, 12, 31), date(2028, 1, 1))


@st.composite
def vacations(draw: st.DrawFn) -> Vacation:
    first = draw(days)
    return Vacation("каникулы", first, first + timedelta(days=draw(st.integers(0, 95))))


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    marked = draw(st.lists(days, unique=True, max_size=30))
    cut = draw(st.integers(0, len(marked)))
    return WorkingCalendar(
        hours=draw(weeks),
        timezone=draw(st.sampled_from(ZONES)),
        holidays=Holidays(
            country=draw(st.sampled_from(["RU", "RU", None])),
            days_off=frozenset(marked[:cut]),
            working_days=frozenset(marked[cut:]),
        ),
        vacations=tuple(draw(st.lists(vacations(), max_size=4))),
    )


quietly = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
# A walk over three years is too long to be repeated for a simpler example.
walked = settings(quietly, phases=[Phase.explicit, Phase.generate])


def moment(minute: int) -> datetime:
    return FIRST_MINUTE + timedelta(minutes=minute)


def starts(calendar: WorkingCalendar, random: Random) -> list[int]:
    """Minutes of the first two years, some of them next to where something begins, ends or changes."""
    zone = ZoneInfo(calendar.timezone)
    latest = 2 * 365 * 1440
    minutes = [random.randrange(latest) for _ in range(QUESTIONS)]
    near = [
        edge
        for minute in minutes[: QUESTIONS // 2]
        for edge in (int((calendar.next_opening(moment(minute)) - FIRST_MINUTE) / timedelta(minutes=1)),)
    ]
    changes = [
        (early + timedelta(hours=random.randrange(24)) - FIRST_MINUTE) // timedelta(minutes=1)
        for early, late in pairwise(FIRST_MINUTE + timedelta(days=day) for day in range(730))
        if early.astimezone(zone).utcoffset() != late.astimezone(zone).utcoffset()
    ]
    return [
        *minutes,
        *(minute + random.choice((-1, 0, 1)) for minute in near if 0 < minute < latest),
        *changes,
    ]


@settings(walked, max_examples=8)
@given(calendars(), st.randoms(use_true_random=False))
def test_a_few_calendars_agree_with_a_walk_minute_by_minute(
    calendar: WorkingCalendar, random: Random
) -> None:
    agrees_with_a_walk(calendar, random)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(walked, max_examples=size(30, 100))
@given(calendars(), st.randoms(use_true_random=False))
def test_three_years_agree_with_a_walk_minute_by_minute(calendar: WorkingCalendar, random: Random) -> None:
    agrees_with_a_walk(calendar, random)


def agrees_with_a_walk(calendar: WorkingCalendar, random: Random) -> None:
    slow = Slow(calendar)
    for start in starts(calendar, random):
        at = moment(start)
        assert calendar.is_open(at) == slow.is_open(start), at
        assert calendar.next_opening(at) == moment(slow.next_opening(start)), at

        minutes = random.choice((0, 1, 60, 240, random.randrange(3000)))
        assert calendar.add(at, timedelta(minutes=minutes)) == moment(slow.add(start, minutes)), (at, minutes)

        end = min(start + random.choice((0, 1, 600, 5000, random.randrange(MINUTES))), MINUTES)
        passed = timedelta(minutes=slow.between(start, end))
        assert calendar.between(at, moment(end)) == passed, (at, moment(end))
        assert calendar.between(moment(end), at) == -passed, (at, moment(end))

        number = random.choice((0, 1, 2, 3, 10))
        assert calendar.add_days(at, number) == moment(slow.add_days(start, number)), (at, number)


moments = st.builds(
    lambda passed, zone: (FIRST_MINUTE + passed).astimezone(ZoneInfo(zone)),
    st.timedeltas(timedelta(), timedelta(days=730)),
    st.sampled_from(ZONES),
)
spans = st.timedeltas(timedelta(), timedelta(hours=60))


@quietly
@given(calendars(), moments, moments, spans, spans)
def test_working_time_adds_up(
    calendar: WorkingCalendar, one: datetime, other: datetime, span: timedelta, more: timedelta
) -> None:
    early, late = sorted((one.astimezone(UTC), other.astimezone(UTC)))
    due = calendar.add(early, span)

    assert calendar.between(early, due) == span
    assert calendar.add(due, more) == calendar.add(early, span + more)
    assert due <= calendar.add(late, span)
    assert calendar.between(early, late) + calendar.between(late, due) == span
    assert calendar.add(early, calendar.between(early, late)) <= late
    assert calendar.between(early, calendar.next_opening(early)) == timedelta()
    assert calendar.is_open(calendar.next_opening(early))


@quietly
@given(calendars(), moments, moments, st.integers(0, 6))
def test_working_days_keep_their_order(
    calendar: WorkingCalendar, one: datetime, other: datetime, number: int
) -> None:
    early, late = sorted((one.astimezone(UTC), other.astimezone(UTC)))
    zone = ZoneInfo(calendar.timezone)
    due = calendar.add_days(early, number)

    due_late = calendar.add_days(late, number)

    assert early <= due <= calendar.add_days(early, number + 1)
    assert due.astimezone(zone).date() <= due_late.astimezone(zone).date()
    if calendar.timezone in STEADY:  # where clocks go back, a later moment may show an earlier time
        assert due <= due_late


@quietly
@given(weeks)
def test_described_hours_are_read_as_the_same(hours: WorkingHours) -> None:
    assert WorkingHours.parse(hours.describe()) == hours


@quietly
@given(st.text(st.sampled_from("пнвтсрчбдоывехй 0123456789:.,;-–—"), max_size=40))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        hours = WorkingHours.parse(text)
    except WrongHours:
        return
    assert WorkingHours.parse(hours.describe()) == hours
