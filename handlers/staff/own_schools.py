"""The schools in which a member has a say: when they work."""

from __future__ import annotations

import re
from datetime import date

from handlers.cases.calendars import LONGEST_VACATION
from handlers.cases.working_hours import WorkingHours
from handlers.errors import HelpdeskError
from handlers.turn import Deed
from storage import journal, schools
from storage.scope import Scope
from storage.staff import Member

MOST_VACATIONS = 20
LONGEST_HOURS = 200
_DAYS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\s*[-–—]\s*(\d{1,2})\.(\d{1,2})\.(\d{4})")


class WrongVacations(HelpdeskError):
    """Vacations that cannot be understood."""


async def set_working_time(deed: Deed, member: Member, school_id: int, *, hours: str, vacations: str) -> bool:
    """Change when a school works; an empty text means: as in the region. False if it is not theirs.

    Raises `WrongHours` or `WrongVacations`.
    """
    if hours:
        hours = WorkingHours.parse(hours[:LONGEST_HOURS]).describe()
    changed = await schools.set_working_time(
        deed.tx, Scope(member.id), school_id, hours=hours, vacations=read_vacations(vacations), now=deed.now
    )
    if changed:
        details = {"school": school_id}
        await journal.note(
            deed.tx, "working_time_set", actor=f"staff:{member.id}", now=deed.now, details=details
        )
    return changed


def read_vacations(text: str) -> tuple[tuple[str, str], ...] | None:
    """A vacation a line, «26.10.2026 – 03.11.2026»; None for an empty text."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_VACATIONS:
        raise WrongVacations(f"Каникул больше {MOST_VACATIONS}: уберите прошедшие.")
    return tuple(_vacation(line) for line in lines) or None


def write_vacations(vacations: tuple[tuple[str, str], ...] | None) -> str:
    """The same as `read_vacations` reads it."""
    return "\n".join(
        f"{date.fromisoformat(first):%d.%m.%Y} – {date.fromisoformat(last):%d.%m.%Y}"
        for first, last in vacations or ()
    )


def _vacation(line: str) -> tuple[str, str]:
    found = _DAYS.fullmatch(line)
    days = found.groups() if found is not None else ()
    try:
        first, last = _day(*days[:3]), _day(*days[3:])
    except (TypeError, ValueError):
        raise WrongVacations(
            f"Каникулы «{line[:40]}» не понять. Каждые с новой строки, например: 26.10.2026 – 03.11.2026."
        ) from None
    if not first <= last <= first + LONGEST_VACATION:
        raise WrongVacations(
            f"Каникулы «{line}»: проверьте даты, они идут не по порядку или слишком длинные."
        )
    return first.isoformat(), last.isoformat()


def _day(day: str, month: str, year: str) -> date:
    return date(int(year), int(month), int(day))
