"""People from whom the staff want to hear nothing, by the case in which somebody in charge said so.

Every function takes a `Scope` and fails closed: a ban is set and lifted only by a coordinator, the ministry
or the owner, and only through a case that they see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, select, update
from sqlalchemy.sql import ColumnElement

from storage.database import Transaction
from storage.scope import Scope, any_row, may_reach
from storage.tables import people, staff, tickets
from storage.ticket import Ticket, from_row

MAY_BAN = ("municipal", "ministry", "owner")
"""Roles; a school's administrators are too near to decide alone."""


@dataclass(frozen=True)
class Ban:
    """Somebody who is not heard any more."""

    ticket_id: int
    """The case in which it was said."""
    person_id: int
    name: str
    channel: str
    since: datetime
    by: str
    """The name of the colleague; empty when they are forgotten."""


async def may_ban(tx: Transaction, scope: Scope) -> bool:
    """Whether the member's role allows it at all."""
    return bool(await tx.scalar(select(_may(scope))))


async def ban(tx: Transaction, scope: Scope, ticket_id: int, *, now: datetime) -> bool:
    """Ban the parent of a case; False if they are banned, or staff, or it is not the member's to do."""
    parent = select(tickets.c.person_id).where(tickets.c.id == ticket_id, may_reach(scope)).scalar_subquery()
    colleague = staff.alias("colleague")
    is_staff = any_row(colleague, colleague.c.person_id == people.c.id, colleague.c.revoked_at.is_(None))
    statement = (
        update(people)
        .where(people.c.id == parent, people.c.banned_at.is_(None), ~is_staff, _may(scope))
        .values(banned_at=now, banned_by=scope.staff_id, banned_in=ticket_id)
        .returning(people.c.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def lift(tx: Transaction, scope: Scope, ticket_id: int) -> int | None:
    """Hear again whoever was banned in this case: their number; None if nobody is, or it is not theirs."""
    statement = (
        update(people)
        .where(
            people.c.banned_in == ticket_id,
            people.c.banned_at.is_not(None),
            exists().where(tickets.c.id == ticket_id, may_reach(scope)),
            _may(scope),
        )
        .values(banned_at=None, banned_by=None, banned_in=None)
        .returning(people.c.id)
    )
    number: int | None = (await tx.execute(statement)).scalar_one_or_none()
    return number


async def listed(tx: Transaction, scope: Scope, *, limit: int, offset: int = 0) -> list[Ban]:
    """Who was banned in cases that the member sees, the latest first."""
    by = staff.alias("by")
    query = (
        select(people, func.coalesce(by.c.name, "").label("by"))
        .join(tickets, tickets.c.id == people.c.banned_in)
        .outerjoin(by, by.c.id == people.c.banned_by)
        .where(_is_theirs(scope))
        .order_by(people.c.banned_at.desc(), people.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [
        Ban(row.banned_in, row.id, row.name, row.channel, row.banned_at, row.by)
        for row in (await tx.execute(query)).all()
    ]


async def count(tx: Transaction, scope: Scope) -> int:
    """How many such people there are."""
    query = (
        select(func.count())
        .select_from(people)
        .join(tickets, tickets.c.id == people.c.banned_in)
        .where(_is_theirs(scope))
    )
    number: int = (await tx.execute(query)).scalar_one()
    return number


async def open_cases(tx: Transaction, person_id: int) -> list[Ticket]:
    """All open cases of a person who was just banned, whosesoever they are; for the house itself."""
    query = select(tickets).where(tickets.c.person_id == person_id, tickets.c.state != "closed")
    return [from_row(row) for row in (await tx.execute(query.order_by(tickets.c.id))).all()]


def _is_theirs(scope: Scope) -> ColumnElement[bool]:
    return and_(people.c.banned_at.is_not(None), may_reach(scope), _may(scope))


def _may(scope: Scope) -> ColumnElement[Any]:
    one = staff.alias("one_in_charge")
    return any_row(one, one.c.id == scope.staff_id, one.c.revoked_at.is_(None), one.c.role.in_(MAY_BAN))
