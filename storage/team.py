"""Whom of the staff a member sees and may invite or let go. Every function takes a `Scope` and fails closed.

owner        everybody
ministry     everybody but owners
municipal    the coordinators of their municipality and the administrators of its schools
school       the administrators of the schools that they work for
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.sql import ColumnElement

from storage.database import Transaction
from storage.scope import Scope, any_row, may_reach_school
from storage.staff import Invitation, Member, invitation_of, members_where
from storage.tables import invitations, schools, staff, staff_schools


async def colleagues(tx: Transaction, scope: Scope) -> list[Member]:
    """The active members whom this one may see, in order of joining."""
    return await members_where(tx, staff.c.revoked_at.is_(None), _sees(scope))


async def colleague(tx: Transaction, scope: Scope, staff_id: int) -> Member | None:
    """The active member with this number, if this one may see them."""
    found = await members_where(tx, staff.c.id == staff_id, staff.c.revoked_at.is_(None), _sees(scope))
    return found[0] if found else None


async def open_invitations(tx: Transaction, scope: Scope, *, now: datetime) -> list[Invitation]:
    """Invitations that can still be used and that this member could have made."""
    query = select(invitations).where(*_is_open(now), _reaches(scope, invitations.c, _invites_to_mine(scope)))
    return [invitation_of(row) for row in (await tx.execute(query.order_by(invitations.c.id))).all()]


async def revoke_invitation(tx: Transaction, scope: Scope, invitation_id: int, *, now: datetime) -> bool:
    """Nobody can join by the invitation any more; False if it is used, gone or not theirs."""
    theirs = _reaches(scope, invitations.c, _invites_to_mine(scope))
    statement = (
        update(invitations)
        .where(invitations.c.id == invitation_id, *_is_open(now), theirs)
        .values(revoked_at=now)
    )
    return (await tx.execute(statement)).rowcount > 0


def _sees(scope: Scope) -> ColumnElement[bool]:
    """For a query on `staff`; everybody sees themselves."""
    theirs = _reaches(scope, staff.c, _works_in_mine(scope))
    return or_(staff.c.id == scope.staff_id, theirs)


def _reaches(scope: Scope, whom: Any, in_my_schools: ColumnElement[bool]) -> ColumnElement[bool]:
    """For a query on members or invitations (the columns `whom`)."""
    me = staff.alias("who")
    coordinates = and_(
        me.c.role == "municipal",
        me.c.municipality != "",
        whom.role == "municipal",
        whom.municipality == me.c.municipality,
    )
    reaches = or_(
        me.c.role == "owner",
        and_(me.c.role == "ministry", whom.role != "owner"),
        coordinates,
        and_(whom.role == "school", in_my_schools),
    )
    return any_row(me, me.c.id == scope.staff_id, me.c.revoked_at.is_(None), reaches)


def _works_in_mine(scope: Scope) -> ColumnElement[bool]:
    place = staff_schools.alias("place")
    mine = any_row(schools, schools.c.id == place.c.school_id, may_reach_school(scope))
    return any_row(place, place.c.staff_id == staff.c.id, mine)


def _invites_to_mine(scope: Scope) -> ColumnElement[bool]:
    return any_row(schools, schools.c.id == invitations.c.school_id, may_reach_school(scope))


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        invitations.c.used_at.is_(None),
        invitations.c.revoked_at.is_(None),
        invitations.c.expires_at > now,
    )
