"""Which calendar a desk works by: the region's, a school's own, or that of the offices above the schools."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import structlog

from faq.content.region import Region, Vacation
from handlers.cases.working_hours import WorkingHours, WrongHours
from handlers.cases.working_time import WorkingCalendar, region_calendar
from storage import schools
from storage.database import Transaction
from storage.schools import School
from storage.ticket import Desk

_log = structlog.get_logger(__name__)

LONGEST_VACATION = timedelta(days=120)
"""Summer has 92 days: a school's vacation that is longer has a wrong year in it."""
_OWN_VACATION = "каникулы школы"
_KEPT = 1024
"""Calendars that are kept ready; a region has some hundred schools, and most work alike."""


def calendar_of(region: Region, school: School | None) -> WorkingCalendar:
    """The calendar of a school's desk; None: of the municipality's and the ministry's.

    The offices work through school vacations. Hours or vacations of a school that cannot be understood
    are as if it had none of its own.
    """
    if school is None:
        return _office(region)
    return _of_school(region, school.hours, school.vacations, school.code)


async def of_desk(tx: Transaction, region: Region, desk: Desk) -> WorkingCalendar:
    """The calendar of a desk."""
    school = None
    if desk.level == "school" and desk.school_id is not None:
        school = await schools.find(tx, desk.school_id)
    return calendar_of(region, school)


@lru_cache(maxsize=_KEPT)
def _office(region: Region) -> WorkingCalendar:
    return replace(region_calendar(region), vacations=())


@lru_cache(maxsize=_KEPT)
def _of_school(
    region: Region, hours: str, vacations: tuple[tuple[str, str], ...] | None, code: str
) -> WorkingCalendar:
    """Kept, so that what is wrong with a school's hours stands in the log once."""
    calendar = region_calendar(region, hours=_own_hours(hours, code))
    own = _own_vacations(vacations, code)
    return calendar if own is None else replace(calendar, vacations=own)


def _own_hours(hours: str, code: str) -> WorkingHours | None:
    if not hours.strip():
        return None
    try:
        return WorkingHours.parse(hours)
    except WrongHours as error:
        _log.warning("school_hours_wrong", school=code, error=str(error))
        return None


def _own_vacations(stored: tuple[tuple[str, str], ...] | None, code: str) -> tuple[Vacation, ...] | None:
    if stored is None:
        return None
    try:
        read = [Vacation(_OWN_VACATION, date.fromisoformat(a), date.fromisoformat(b)) for a, b in stored]
    except ValueError:
        read = []
    if len(read) != len(stored) or any(not _is_likely(each) for each in read):
        _log.warning("school_vacations_wrong", school=code)
        return None
    return tuple(read)


def _is_likely(vacation: Vacation) -> bool:
    return timedelta() <= vacation.last - vacation.first <= LONGEST_VACATION
