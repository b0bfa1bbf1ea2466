"""Whose cases a member of the staff may read and write.

Every condition is asked of the database together with the deed itself, so that somebody whose role was
taken away a moment ago, or whose case went to another school, changes nothing and sees nothing.

owner, ministry     everything
municipal           the schools of their municipality, and cases known to be of it
school              the schools that they work for
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import FromClause, and_, exists, false, or_, true
from sqlalchemy.sql import ColumnElement

from storage.tables import schools, staff, staff_schools, tickets
from storage.ticket import Desk

EVERYTHING = ("owner", "ministry")
"""Roles without bounds; a role that is named nowhere here sees nothing."""


@dataclass(frozen=True)
class Scope:
    """The eyes and hands of one member; what they reach is looked up at each deed."""

    staff_id: int
    within: Desk | None = None
    """In a group chat: whose it is. Others read there, so what its desk has no say in stays outside."""


def may_reach(scope: Scope) -> ColumnElement[bool]:
    """For a query on `tickets`: whether the member may see and change the row."""
    return and_(_reaches(scope.staff_id), _is_within(scope.within))


def owner_reaches() -> ColumnElement[bool]:
    """For a query on `tickets`: whether its owner may still see and change the row."""
    return _reaches(tickets.c.owner_id)


def _reaches(staff_id: int | ColumnElement[int]) -> ColumnElement[bool]:
    me = staff.alias("me")
    works_there = any_row(
        staff_schools, staff_schools.c.staff_id == me.c.id, staff_schools.c.school_id == tickets.c.school_id
    )
    of_school = any_row(
        schools, schools.c.id == tickets.c.school_id, schools.c.municipality == me.c.municipality
    )
    without_school = and_(tickets.c.school_id.is_(None), tickets.c.municipality == me.c.municipality)
    coordinates = and_(me.c.role == "municipal", me.c.municipality != "", or_(of_school, without_school))
    return _is_active(me, staff_id, or_(me.c.role.in_(EVERYTHING), coordinates, works_there))


def may_reach_school(scope: Scope) -> ColumnElement[bool]:
    """For a query on `schools`: whether the member has a say there."""
    me = staff.alias("me")
    works_there = any_row(
        staff_schools, staff_schools.c.staff_id == me.c.id, staff_schools.c.school_id == schools.c.id
    )
    coordinates = and_(
        me.c.role == "municipal", me.c.municipality != "", schools.c.municipality == me.c.municipality
    )
    return _is_active(me, scope.staff_id, or_(me.c.role.in_(EVERYTHING), coordinates, works_there))


def may_reach_municipality(scope: Scope) -> ColumnElement[bool]:
    """For a query on `schools`: whether the member has a say in the whole municipality of the school."""
    me = staff.alias("me")
    coordinates = and_(
        me.c.role == "municipal", me.c.municipality != "", me.c.municipality == schools.c.municipality
    )
    return _is_active(me, scope.staff_id, or_(me.c.role.in_(EVERYTHING), coordinates))


def may_reach_place(scope: Scope, desk: Desk) -> ColumnElement[bool]:
    """Whether the member has a say at the whole place of a desk, and not only at a part of it."""
    me = staff.alias("me")
    of_school = any_row(schools, schools.c.id == desk.school_id, schools.c.municipality == me.c.municipality)
    works_there = any_row(
        staff_schools, staff_schools.c.staff_id == me.c.id, staff_schools.c.school_id == desk.school_id
    )
    coordinates = and_(me.c.role == "municipal", me.c.municipality != "")
    place = {
        "school": or_(works_there, and_(coordinates, of_school)),
        "municipal": and_(coordinates, me.c.municipality == desk.municipality),
        "ministry": false(),
    }[desk.level]
    return _is_active(me, scope.staff_id, or_(me.c.role.in_(EVERYTHING), place))


def _is_within(desk: Desk | None) -> ColumnElement[bool]:
    if desk is None or desk.level == "ministry":
        return true()
    if desk.level == "school":
        return tickets.c.school_id == desk.school_id
    of_school = any_row(
        schools, schools.c.id == tickets.c.school_id, schools.c.municipality == desk.municipality
    )
    without_school = and_(tickets.c.school_id.is_(None), tickets.c.municipality == desk.municipality)
    return or_(of_school, without_school)


def _is_active(
    me: FromClause, staff_id: int | ColumnElement[int], reaches: ColumnElement[bool]
) -> ColumnElement[bool]:
    return any_row(me, me.c.id == staff_id, me.c.revoked_at.is_(None), reaches)


def any_row(table: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the table has such a row; every other table named here is the outer query's.

    Left to itself, SQLAlchemy ties a query only to the one directly around it: two floors up, `tickets`
    would be all tickets, and any case of one's own would open every other.
    """
    return exists().where(*conditions).select_from(table).correlate_except(table)
