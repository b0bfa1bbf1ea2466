"""What the clock asks of tickets: which are near a deadline or past it, which stand, which are nobody's.

Everything that changes a ticket here is one conditional statement: whoever comes second, in this process or
in another one, or once more after a crash, gets None and does nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, not_, or_, select, true, update
from sqlalchemy.sql import ColumnElement

from storage.database import Transaction
from storage.scope import owner_reaches
from storage.tables import outages, people, schools, staff, tickets
from storage.ticket import Desk, Ticket, from_row

MOVED_UP = "moved_up"
"""The line of the journal about a case that went up."""
PORTION = 200
"""Tickets that are looked at in one go."""


def next_due(ticket: Ticket) -> datetime | None:
    """The deadline that comes next; the same as `_next_due` in SQL."""
    if ticket.state == "closed":
        return None
    return ticket.answer_due_at if ticket.state == "waiting" else ticket.solve_due_at


async def set_deadlines(
    tx: Transaction,
    ticket: Ticket,
    *,
    answer_due_at: datetime | None,
    solve_due_at: datetime | None,
    stopped_at: datetime | None,
) -> Ticket | None:
    """Begin both deadlines anew; `stopped_at` when an outage holds the clock. None if it is closed."""
    values = {
        "answer_due_at": answer_due_at,
        "solve_due_at": solve_due_at,
        "clock_stopped_at": stopped_at,
        "clock_stopped_for": None if stopped_at is None else "outage",
        **_NOT_WARNED,
    }
    return await _change(tx, values, tickets.c.id == ticket.id, _is_open())


async def hasten(
    tx: Transaction, ticket: Ticket, *, answer_due_at: datetime | None, solve_due_at: datetime | None
) -> Ticket | None:
    """Put the deadlines of a ticket forward, whether its clock goes or stands; None if it is closed."""
    values = {"answer_due_at": answer_due_at, "solve_due_at": solve_due_at, **_NOT_WARNED}
    return await _change(tx, values, tickets.c.id == ticket.id, _is_open())


async def start_clock(
    tx: Transaction,
    ticket: Ticket,
    *,
    answer_due_at: datetime | None,
    solve_due_at: datetime | None,
    stopped_at: datetime | None = None,
) -> Ticket | None:
    """Let a standing clock go, with deadlines that make it good; None if it went already.

    `stopped_at`: from here on it stands for an outage instead.
    """
    values = {
        "answer_due_at": answer_due_at,
        "solve_due_at": solve_due_at,
        "clock_stopped_at": stopped_at,
        "clock_stopped_for": None if stopped_at is None else "outage",
        "warn_at": None,
    }
    stands = and_(
        tickets.c.clock_stopped_at == ticket.clock_stopped_at,
        tickets.c.clock_stopped_for == ticket.clock_stopped_for,
    )
    return await _change(tx, values, tickets.c.id == ticket.id, _is_open(), stands)


async def stop_clocks(tx: Transaction, place: Desk, *, now: datetime) -> int:
    """An outage holds the clocks of a place that go; returns how many."""
    statement = (
        update(tickets)
        .where(_is_open(), tickets.c.clock_stopped_at.is_(None), _is_in(place))
        .values(clock_stopped_at=now, clock_stopped_for="outage")
    )
    return (await tx.execute(statement)).rowcount


async def is_held(tx: Transaction, ticket: Ticket) -> bool:
    """Whether an outage that lasts holds the clock of this ticket."""
    return await tx.scalar(select(tickets.c.id).where(tickets.c.id == ticket.id, _held())) is not None


async def let_go(tx: Transaction, *, limit: int = PORTION) -> list[Ticket]:
    """Open tickets whose clock stands for an outage although none holds it any more.

    Never a closed one: its clock cannot be started, and whoever works until nothing is left would not end.
    """
    stands = tickets.c.clock_stopped_for == "outage"
    return await _select(tx, _is_open(), stands, not_(_held()), after=0, limit=limit)


async def unplanned(tx: Transaction, *, after: int = 0, limit: int = PORTION) -> list[Ticket]:
    """Tickets of which nobody has worked out yet when to warn of their deadline."""
    open_ = (_goes(), tickets.c.warned_at.is_(None), tickets.c.warn_at.is_(None), _next_due().is_not(None))
    return await _select(tx, *open_, after=after, limit=limit)


async def plan_warning(tx: Transaction, ticket: Ticket, at: datetime) -> None:
    """When to warn of the ticket's next deadline, if that is still the one."""
    await _change(tx, {"warn_at": at}, tickets.c.id == ticket.id, _goes(), _next_due() == next_due(ticket))


async def to_warn(tx: Transaction, *, now: datetime, after: int = 0, limit: int = PORTION) -> list[Ticket]:
    """Tickets whose desk is to be warned now."""
    return await _select(tx, _is_to_warn(now), after=after, limit=limit)


async def note_warned(tx: Transaction, ticket: Ticket, *, now: datetime) -> Ticket | None:
    """The desk is warned by whoever gets the ticket from here."""
    same = _next_due() == next_due(ticket)
    return await _change(tx, {"warned_at": now}, tickets.c.id == ticket.id, _is_to_warn(now), same)


async def overdue(tx: Transaction, *, now: datetime, after: int = 0, limit: int = PORTION) -> list[Ticket]:
    """Tickets past their deadline that can still go up."""
    return await _select(tx, _is_late(now), tickets.c.level != "ministry", after=after, limit=limit)


async def move_overdue(tx: Transaction, ticket: Ticket, desk: Desk, *, now: datetime) -> Ticket | None:
    """Give a ticket that is late to a desk above, where nobody has it yet; None if it is late no more."""
    is_there = and_(tickets.c.level == ticket.level, _next_due() == next_due(ticket))
    return await _move(tx, ticket, desk, _is_late(now), is_there)


async def move_ownerless(tx: Transaction, ticket: Ticket, desk: Desk) -> Ticket | None:
    """Give a ticket whose owner cannot work on it to another desk; None if it has another owner."""
    had = and_(tickets.c.level == ticket.level, tickets.c.owner_id == ticket.owner_id)
    return await _move(tx, ticket, desk, _is_open(), had)


async def clear_owner(tx: Transaction, ticket: Ticket) -> Ticket | None:
    """Nobody has the ticket any more; None if somebody else has it by now."""
    had = tickets.c.owner_id == ticket.owner_id
    return await _change(tx, {"owner_id": None}, tickets.c.id == ticket.id, _is_open(), had)


async def owned_by(tx: Transaction, staff_id: int) -> list[Ticket]:
    """The open tickets of a member, whatever their scope is now."""
    return await _select(tx, _is_open(), tickets.c.owner_id == staff_id, after=0, limit=None)


async def orphaned(tx: Transaction, *, after: int = 0, limit: int = PORTION) -> list[Ticket]:
    """Tickets whose owner was revoked, has left the desk, or cannot be written to."""
    cannot_read = (
        exists()
        .where(staff.c.id == tickets.c.owner_id, people.c.id == staff.c.person_id)
        .where(people.c.unreachable.is_not(None))
    )
    lost = and_(tickets.c.owner_id.is_not(None), or_(not_(owner_reaches()), cannot_read))
    return await _select(tx, _is_open(), lost, after=after, limit=limit)


_NOT_WARNED: dict[str, Any] = {"warn_at": None, "warned_at": None}


def _is_open() -> ColumnElement[bool]:
    return tickets.c.state != "closed"


def _goes() -> ColumnElement[bool]:
    return and_(_is_open(), tickets.c.clock_stopped_at.is_(None))


def _next_due() -> ColumnElement[Any]:
    return case((tickets.c.state == "waiting", tickets.c.answer_due_at), else_=tickets.c.solve_due_at)


def _is_late(now: datetime) -> ColumnElement[bool]:
    return and_(_goes(), _next_due() <= now)


def _is_to_warn(now: datetime) -> ColumnElement[bool]:
    return and_(_goes(), tickets.c.warned_at.is_(None), tickets.c.warn_at <= now)


def _municipality() -> ColumnElement[Any]:
    """Of a ticket's school; without a school what is known of the ticket."""
    of_school = select(schools.c.municipality).where(schools.c.id == tickets.c.school_id).scalar_subquery()
    return func.coalesce(of_school, tickets.c.municipality)


def _is_in(place: Desk) -> ColumnElement[bool]:
    return {
        "school": tickets.c.school_id == place.school_id,
        "municipal": _municipality() == place.municipality,
        "ministry": true(),
    }[place.level]


def _held() -> ColumnElement[bool]:
    """Whether an outage lasts where the ticket's school is."""
    here = or_(
        outages.c.level == "ministry",
        and_(outages.c.level == "municipal", outages.c.municipality == _municipality()),
        and_(outages.c.level == "school", outages.c.school_id == tickets.c.school_id),
    )
    return exists().where(outages.c.ended_at.is_(None), here)


async def _move(
    tx: Transaction, ticket: Ticket, desk: Desk, *conditions: ColumnElement[bool]
) -> Ticket | None:
    values = {"level": desk.level, "owner_id": None, "state": "waiting", **_NOT_WARNED}
    return await _change(tx, values, tickets.c.id == ticket.id, *conditions)


async def _change(tx: Transaction, values: dict[str, Any], *conditions: ColumnElement[bool]) -> Ticket | None:
    statement = update(tickets).where(*conditions).values(**values).returning(tickets)
    row = (await tx.execute(statement)).one_or_none()
    return from_row(row) if row else None


async def _select(
    tx: Transaction, *conditions: ColumnElement[bool], after: int, limit: int | None
) -> list[Ticket]:
    query = select(tickets).where(tickets.c.id > after, *conditions).order_by(tickets.c.id).limit(limit)
    return [from_row(row) for row in (await tx.execute(query)).all()]
