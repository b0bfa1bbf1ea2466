"""What the staff read and write of tickets. Every function takes a `Scope` and fails closed.

None (or an empty list) means alike: there is no such case, it is not theirs, or it is not in the state that
the deed needs; `seen` tells which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import and_, case, func, null, or_, select, update
from sqlalchemy.sql import ColumnElement

from storage import conversations
from storage.conversations import Message, StoredAttachment
from storage.database import Transaction
from storage.scope import Scope, may_reach
from storage.tables import tickets
from storage.ticket import Desk, Ticket, from_row

Listing = Literal["open", "new", "mine", "overdue", "closed"]
"""Which cases: all that are not closed, nobody's yet, the member's own, past a deadline, closed ones."""


async def seen(tx: Transaction, scope: Scope, ticket_id: int) -> Ticket | None:
    """The ticket with this number, if it is theirs to see."""
    query = select(tickets).where(tickets.c.id == ticket_id, may_reach(scope))
    row = (await tx.execute(query)).one_or_none()
    return from_row(row) if row else None


async def listed(
    tx: Transaction, scope: Scope, listing: Listing, *, now: datetime, limit: int = 100, offset: int = 0
) -> list[Ticket]:
    """Cases, the most pressing first: urgent ones, then by the deadline; closed ones newest first."""
    query = select(tickets).where(may_reach(scope), _is_in(listing, scope, now)).limit(limit).offset(offset)
    if listing == "closed":
        query = query.order_by(tickets.c.closed_at.desc(), tickets.c.id.desc())
    else:
        query = query.order_by(tickets.c.state.desc(), tickets.c.urgent.desc(), _due(), tickets.c.id)
    return [from_row(row) for row in (await tx.execute(query)).all()]


async def count(tx: Transaction, scope: Scope, listing: Listing, *, now: datetime) -> int:
    """How many cases such a list has."""
    query = select(func.count()).select_from(tickets).where(may_reach(scope), _is_in(listing, scope, now))
    number: int = (await tx.execute(query)).scalar_one()
    return number


async def thread(tx: Transaction, scope: Scope, ticket_id: int) -> list[Message]:
    """Everything said in a case, the staff's notes too, oldest first."""
    if await seen(tx, scope, ticket_id) is None:
        return []
    return await conversations.thread(tx, ticket_id)


async def file(tx: Transaction, scope: Scope, attachment_id: int) -> StoredAttachment | None:
    """A file of a case, once the parent has checked it."""
    found = await conversations.attachment(tx, attachment_id)
    if found is None:
        return None
    stored, ticket_id = found
    is_theirs = ticket_id is not None and await seen(tx, scope, ticket_id) is not None
    return stored if is_theirs and stored.cleared_at is not None else None


async def take(tx: Transaction, scope: Scope, ticket_id: int) -> Ticket | None:
    """Make the member the one who works on it; None if another one does."""
    return await _change(
        tx, scope, ticket_id, {"owner_id": scope.staff_id}, and_(_is_open(), _is_free_for(scope))
    )


async def claim(tx: Transaction, scope: Scope, ticket_id: int, *, now: datetime) -> Ticket | None:
    """Make the member the one who answers; None if another was first or it is closed."""
    return await _change(
        tx, scope, ticket_id, _answered_by(scope, now), and_(_is_open(), _is_free_for(scope))
    )


async def hand_over(tx: Transaction, scope: Scope, ticket_id: int, *, now: datetime) -> Ticket | None:
    """Make the member the one who answers, whoever was before; None if it is closed."""
    return await _change(tx, scope, ticket_id, _answered_by(scope, now), _is_open())


async def close(tx: Transaction, scope: Scope, ticket_id: int, *, now: datetime) -> Ticket | None:
    """Close a case; None if it was closed before."""
    closed = {
        "state": "closed",
        "closed_at": now,
        "closed_by": scope.staff_id,
        "clock_stopped_at": None,
        "clock_stopped_for": None,
    }
    return await _change(tx, scope, ticket_id, closed, _is_open())


async def set_urgent(tx: Transaction, scope: Scope, ticket_id: int, *, urgent: bool) -> Ticket | None:
    """Mark a case as urgent or not; None if it is so already or closed."""
    return await _change(
        tx, scope, ticket_id, {"urgent": urgent}, and_(_is_open(), tickets.c.urgent != urgent)
    )


async def pass_to(tx: Transaction, scope: Scope, ticket_id: int, desk: Desk, *, school: str) -> Ticket | None:
    """Give a case to another desk: nobody works on it until somebody there takes it.

    `school` is how the directory calls the case's school, or what the parent called it.
    """
    values = {
        "level": desk.level,
        "school_id": desk.school_id,
        "school": school,
        "municipality": desk.municipality,
        "owner_id": None,
        "state": "waiting",
        "warn_at": None,
        "warned_at": None,
        "clock_stopped_at": None,
        "clock_stopped_for": None,
        # An incident is a school's: its answer is none to a case that is another's now.
        "incident_id": case((tickets.c.school_id == desk.school_id, tickets.c.incident_id), else_=None),
    }
    return await _change(tx, scope, ticket_id, values, _is_open())


async def set_deadlines(
    tx: Transaction,
    scope: Scope,
    ticket_id: int,
    *,
    answer_due_at: datetime | None,
    solve_due_at: datetime | None,
) -> Ticket | None:
    """Set both deadlines anew; the desk is warned of each again."""
    values = {
        "answer_due_at": answer_due_at,
        "solve_due_at": solve_due_at,
        "warn_at": None,
        "warned_at": None,
    }
    return await _change(tx, scope, ticket_id, values, _is_open())


async def stop_clock(tx: Transaction, scope: Scope, ticket_id: int, *, now: datetime) -> Ticket | None:
    """The parent was asked something: the clock stands until they write; None if it stands for that already.

    A clock that stood for an outage stands since then, and does not go when the outage is over.
    """
    since = func.coalesce(tickets.c.clock_stopped_at, now, type_=tickets.c.clock_stopped_at.type)
    stopped = {"clock_stopped_at": since, "clock_stopped_for": "asked"}
    is_new = or_(tickets.c.clock_stopped_for.is_(None), tickets.c.clock_stopped_for != "asked")
    return await _change(tx, scope, ticket_id, stopped, and_(_is_open(), is_new))


def _answered_by(scope: Scope, now: datetime) -> dict[str, Any]:
    first = func.coalesce(tickets.c.first_answer_at, now, type_=tickets.c.first_answer_at.type)
    # The warning was of the first answer; of the solution the desk is warned again.
    is_first = tickets.c.state == "waiting"
    return {
        "owner_id": scope.staff_id,
        "state": "answered",
        "first_answer_at": first,
        "warn_at": case((is_first, null()), else_=tickets.c.warn_at),
        "warned_at": case((is_first, null()), else_=tickets.c.warned_at),
    }


def _is_open() -> ColumnElement[bool]:
    return tickets.c.state != "closed"


def _is_free_for(scope: Scope) -> ColumnElement[bool]:
    return or_(tickets.c.owner_id.is_(None), tickets.c.owner_id == scope.staff_id)


def _due() -> ColumnElement[Any]:
    """The deadline that comes next; cases without one come last."""
    return case(
        (tickets.c.state == "waiting", func.coalesce(tickets.c.answer_due_at, _NEVER, type_=_MOMENT)),
        else_=func.coalesce(tickets.c.solve_due_at, _NEVER, type_=_MOMENT),
    )


def _is_in(listing: Listing, scope: Scope, now: datetime) -> ColumnElement[bool]:
    conditions: Mapping[Listing, Sequence[ColumnElement[bool]]] = {
        "open": (_is_open(),),
        "new": (_is_open(), tickets.c.owner_id.is_(None)),
        "mine": (_is_open(), tickets.c.owner_id == scope.staff_id),
        "overdue": (_is_open(), is_overdue(now)),
        # Those that only count any more are left out.
        "closed": (tickets.c.state == "closed", tickets.c.person_id.is_not(None)),
    }
    return and_(*conditions[listing])


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """For a query on `tickets`: past a deadline while the clock goes."""
    waits = and_(tickets.c.state == "waiting", tickets.c.answer_due_at < now)
    return and_(tickets.c.clock_stopped_at.is_(None), or_(waits, tickets.c.solve_due_at < now))


async def _change(
    tx: Transaction, scope: Scope, ticket_id: int, values: Mapping[str, Any], condition: ColumnElement[bool]
) -> Ticket | None:
    statement = (
        update(tickets)
        .where(tickets.c.id == ticket_id, may_reach(scope), condition)
        .values(**values)
        .returning(tickets)
    )
    row = (await tx.execute(statement)).one_or_none()
    return from_row(row) if row else None


_MOMENT = tickets.c.solve_due_at.type
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
