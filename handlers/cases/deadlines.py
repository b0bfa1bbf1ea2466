"""By when a case is to be answered and solved, in the working time of the desk that has it.

    first answer    4 hours; urgent 1 hour (another family's data are visible); an outage 2 hours
    solution        3 working days; some kinds of requests take longer, or must not

These are the house's own defaults, not rules of law: a region may set its own (`deadlines` in its file).

begin ────────► the clock goes ──── stop, stop_all ───► it stands: the parent was asked, or an outage lasts
                     ▲                                     │
                     └────────── resume, resume_all ───────┘ the working time that was left is left again
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

import structlog

from faq.content.region import Region
from handlers.cases import calendars
from handlers.cases.working_time import NeverOpens, WorkingCalendar, WorkingSpan
from handlers.texts import time as texts
from handlers.turn import Deed
from storage import casework, due, schools
from storage.scope import Scope
from storage.ticket import Desk, Ticket

_log = structlog.get_logger(__name__)

ANSWER_HOURS = 4.0
"""Half a working day: whoever asks in the morning hears before the evening."""
URGENT_ANSWER_HOURS = 1.0
SOLUTION_DAYS = 3
ANSWER_HOURS_OF: Mapping[str, float] = MappingProxyType(
    {
        "outage": 2.0,  # many families wait for one and the same answer
    }
)
SOLUTION_DAYS_OF: Mapping[str, int] = MappingProxyType(
    {
        "foreign_child": 1,  # another family's data stand open
        "new_school": 5,  # two schools act, one after the other
        "guardian": 5,  # papers are shown in person, on a day that suits both
        "no_passport": 5,  # the school decides how the teenager is let in, and papers are shown in person
        "unknown_error": 5,  # the school itself has to ask the diary's support
    }
)
WARN_BEFORE = 4
"""The desk is warned when one part in so many is left of the time: soon enough to act."""
LEAST_WARNING = timedelta(minutes=15)
"""Of working time: what is shorter cannot be acted upon."""


@dataclass(frozen=True, slots=True)
class Spans:
    """How long a desk may take."""

    answer: WorkingSpan
    solution: WorkingSpan


@lru_cache(maxsize=256)
def spans(region: Region, *, kind: str | None, urgent: bool) -> Spans:
    """How long a desk may take for this kind of request."""
    own = region.deadlines
    hours = own.answer_hours or ANSWER_HOURS
    if urgent:
        hours = min(hours, own.urgent_answer_hours or URGENT_ANSWER_HOURS)
    else:
        hours = min(hours, ANSWER_HOURS_OF.get(kind or "", hours))
    days = own.solution_days or SOLUTION_DAYS
    days = dict(own.solution_days_of).get(kind or "", SOLUTION_DAYS_OF.get(kind or "", days))
    return Spans(WorkingSpan.hours(hours), WorkingSpan(days=days))


async def begin(deed: Deed, ticket: Ticket, *, at: datetime | None = None) -> Ticket:
    """Set both deadlines anew, for the desk that has the case now; gives the case as it is then.

    To be called when a case is opened, reopened, passed or moved up. While an outage lasts the clock stands
    from the beginning.
    """
    start = at or deed.now
    answer, solution = await _from(deed, ticket, start)
    held = await due.is_held(deed.tx, ticket)
    begun = await due.set_deadlines(
        deed.tx, ticket, answer_due_at=answer, solve_due_at=solution, stopped_at=start if held else None
    )
    return begun or ticket


async def hasten(deed: Deed, ticket: Ticket) -> Ticket:
    """The case became urgent: of the old deadlines and those from now on, the earlier ones hold."""
    # What stood while the clock stands is made good later, so the new ones count from there, too.
    answer, solution = await _from(deed, ticket, ticket.clock_stopped_at or deed.now)
    hastened = await due.hasten(
        deed.tx,
        ticket,
        answer_due_at=_earlier(answer, ticket.answer_due_at),
        solve_due_at=_earlier(solution, ticket.solve_due_at),
    )
    return hastened or ticket


async def stop(deed: Deed, scope: Scope, ticket: Ticket) -> Ticket | None:
    """The parent was asked something; None if the clock stands for that, or the case is not theirs."""
    return await casework.stop_clock(deed.tx, scope, ticket.id, now=deed.now)


async def resume(deed: Deed, ticket: Ticket) -> Ticket:
    """The parent wrote: a clock that stood for them goes on, with the working time that was left."""
    if ticket.clock_stopped_for != "asked":
        return ticket
    held = await due.is_held(deed.tx, ticket)
    calendar = await calendar_at(deed, ticket.desk)
    return await _start(deed, ticket, calendar, stopped_at=deed.now if held else None)


async def stop_all(deed: Deed, place: Desk) -> int:
    """An outage was declared in a school, a municipality or everywhere; returns how many clocks it stops."""
    return await due.stop_clocks(deed.tx, place, now=deed.now)


async def resume_all(deed: Deed, *, limit: int = due.PORTION) -> int:
    """Start the clocks that no outage holds any more, in a portion; returns how many were due to go.

    To be called when an outage has ended, until it returns 0; what is left the minute job does.
    """
    standing = await due.let_go(deed.tx, limit=limit)
    desks = await _calendars(deed, standing)
    for ticket in standing:
        await _start(deed, ticket, desks[ticket.id], stopped_at=None)
    return len(standing)


async def plan_warnings(deed: Deed, unplanned: Sequence[Ticket]) -> None:
    """Work out when each desk is to be warned of the deadline that comes next."""
    desks = await _calendars(deed, unplanned)
    for ticket in unplanned:
        until = due.next_due(ticket)
        if until is not None:
            taken = spans(deed.knowledge.region, kind=ticket.kind, urgent=ticket.urgent)
            span = taken.answer if ticket.state == "waiting" else taken.solution
            await due.plan_warning(deed.tx, ticket, _warning(desks[ticket.id], ticket, until, span))


def warning_before(calendar: WorkingCalendar, until: datetime, span: WorkingSpan) -> datetime:
    """When a quarter of the span is left, but at least 15 minutes of working time; a moment of open hours."""
    left = max(_working_time(calendar, span) / WARN_BEFORE, LEAST_WARNING)
    back = _DAY
    while (between := calendar.between(until - back, until)) < left:
        back *= 2
        if back > _FAR:
            raise NeverOpens((until - back).date())
    return calendar.next_opening(calendar.add(until - back, between - left))


def describe(deed: Deed, ticket: Ticket) -> list[str]:
    """The deadlines as lines of the card, in local time; none for a closed case."""
    if ticket.state == "closed":
        return []
    if ticket.clock_stopped_for is not None:
        return [texts.STANDING[ticket.clock_stopped_for]]
    zone = deed.knowledge.region.timezone
    lines = []
    if ticket.state == "waiting" and ticket.answer_due_at is not None:
        is_late = ticket.answer_due_at <= deed.now
        lines.append(texts.answer_until(ticket.answer_due_at, zone=zone, is_late=is_late))
    if ticket.solve_due_at is not None:
        is_late = ticket.solve_due_at <= deed.now
        lines.append(texts.solve_until(ticket.solve_due_at, zone=zone, is_late=is_late))
    return lines


async def calendar_at(deed: Deed, desk: Desk) -> WorkingCalendar:
    """When the desk works."""
    return await calendars.of_desk(deed.tx, deed.knowledge.region, desk)


_DAY = timedelta(days=1)
_FAR = timedelta(days=1024)
"""So far back nobody looks for working time: a calendar that rests so long never opens."""


async def _from(deed: Deed, ticket: Ticket, start: datetime) -> tuple[datetime | None, datetime | None]:
    """Both deadlines; None where the calendar has no working time: no case is lost because of that."""
    calendar = await calendar_at(deed, ticket.desk)
    taken = spans(deed.knowledge.region, kind=ticket.kind, urgent=ticket.urgent)
    try:
        return calendar.due(start, taken.answer), calendar.due(start, taken.solution)
    except NeverOpens as error:
        _log.warning("deadline_impossible", ticket=ticket.id, error=str(error))
        return None, None


async def _start(
    deed: Deed, ticket: Ticket, calendar: WorkingCalendar, *, stopped_at: datetime | None
) -> Ticket:
    since = ticket.clock_stopped_at or deed.now
    answer, solution = ticket.answer_due_at, ticket.solve_due_at
    try:
        stood = calendar.between(since, deed.now)
        answer = calendar.add(answer, stood) if answer is not None else None
        solution = calendar.add(solution, stood) if solution is not None else None
    except NeverOpens as error:
        _log.warning("deadline_impossible", ticket=ticket.id, error=str(error))
    started = await due.start_clock(
        deed.tx, ticket, answer_due_at=answer, solve_due_at=solution, stopped_at=stopped_at
    )
    return started or ticket


def _warning(calendar: WorkingCalendar, ticket: Ticket, until: datetime, span: WorkingSpan) -> datetime:
    try:
        return warning_before(calendar, until, span)
    except NeverOpens as error:
        _log.warning("deadline_impossible", ticket=ticket.id, error=str(error))
        return until


async def _calendars(deed: Deed, several: Sequence[Ticket]) -> dict[int, WorkingCalendar]:
    """The calendar of each case's desk, by the number of the case."""
    known = await schools.some(deed.tx, {each.school_id for each in several if each.school_id is not None})
    at_school = {each.id: known.get(each.school_id or 0) for each in several if each.level == "school"}
    return {each.id: calendars.calendar_of(deed.knowledge.region, at_school.get(each.id)) for each in several}


def _working_time(calendar: WorkingCalendar, span: WorkingSpan) -> timedelta:
    """How much working time a span has; of days, so many of the week's longest."""
    longest = max(sum(each.closes - each.opens for each in openings) for openings in calendar.hours.week)
    return span.time + span.days * timedelta(minutes=longest)


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    return min((each for each in (first, second) if each is not None), default=None)
