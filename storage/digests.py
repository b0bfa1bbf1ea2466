"""The morning digest: which desk had it on which day, and the figures that stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, and_, case, exists, func, select, true
from sqlalchemy.sql import ColumnElement

from storage.casework import is_overdue
from storage.database import Transaction
from storage.dialect import insert_into
from storage.due import MOVED_UP
from storage.tables import (
    digests,
    groups,
    invitations,
    journal,
    people,
    schools,
    staff,
    staff_schools,
    tickets,
)
from storage.ticket import Desk, Ticket, from_row

Trouble = Literal["not_invited", "invited", "unreachable", "silent"]
"""Why nobody answers at a school: nobody was invited; those who were have not come; nobody there can be
written to; nobody was heard of for long while something waits."""


@dataclass(frozen=True)
class Load:
    """How much a desk has to do."""

    open: int = 0
    waiting: int = 0
    """Without a first answer."""
    overdue: int = 0
    new: int = 0
    """Opened since the digest before."""


@dataclass(frozen=True)
class Lifeless:
    """A school where nobody answers."""

    name: str
    municipality: str
    trouble: Trouble
    waiting: int
    """Open cases at its desk."""


async def claim(tx: Transaction, desk: Desk, day: str, *, now: datetime) -> bool:
    """Make the digest of a desk and a local date ours to send; False if somebody else sends it."""
    statement = (
        insert_into(tx, digests)
        .values(desk=desk.key, day=day, sent_at=now)
        .on_conflict_do_nothing()
        .returning(digests.c.desk)
    )
    return await tx.scalar(statement) is not None


async def sent_on(tx: Transaction, day: str) -> set[str]:
    """Keys of the desks whose digest of a date was sent, or was not needed."""
    return set((await tx.scalars(select(digests.c.desk).where(digests.c.day == day))).all())


async def last_before(tx: Transaction, desk: Desk, day: str) -> datetime | None:
    """When the desk had its digest before this date."""
    query = select(func.max(digests.c.sent_at)).where(digests.c.desk == desk.key, digests.c.day < day)
    moment: datetime | None = await tx.scalar(query)
    return moment


async def of_desk(tx: Transaction, desk: Desk, *, since: datetime, now: datetime) -> Load:
    """What a desk itself has to do."""
    query = _loads(since, now).where(tickets.c.level == desk.level, _is_in(desk))
    return _load((await tx.execute(query)).one())


async def of_place(tx: Transaction, desk: Desk, *, since: datetime, now: datetime) -> dict[str, Load]:
    """What all desks of a municipality, or of the region, have to do, by municipality; only what is open."""
    place = func.coalesce(schools.c.municipality, tickets.c.municipality)
    query = (
        _loads(since, now)
        .add_columns(place.label("place"))
        .select_from(tickets.outerjoin(schools, schools.c.id == tickets.c.school_id))
        .where(_is_in(desk), _is_open())
        .group_by(place)
        .order_by(place)
    )
    return {row.place: _load(row) for row in (await tx.execute(query)).all()}


async def longest_overdue(tx: Transaction, desk: Desk, *, now: datetime, limit: int) -> list[Ticket]:
    """The cases of a municipality, or of the region, that are longest past their deadline."""
    due = case((tickets.c.state == "waiting", tickets.c.answer_due_at), else_=tickets.c.solve_due_at)
    late = (_is_in(desk), _is_open(), is_overdue(now))
    query = select(tickets).where(*late).order_by(due, tickets.c.id).limit(limit)
    return [from_row(row) for row in (await tx.execute(query)).all()]


async def moved_up(tx: Transaction, school_id: int, *, since: datetime) -> list[int]:
    """Numbers of the school's open cases that went up since then and are still above it."""
    went = exists().where(
        journal.c.ticket_id == tickets.c.id, journal.c.deed == MOVED_UP, journal.c.at >= since
    )
    query = select(tickets.c.id).where(
        tickets.c.school_id == school_id, tickets.c.level != "school", _is_open(), went
    )
    return list((await tx.scalars(query.order_by(tickets.c.id))).all())


async def lifeless(tx: Transaction, desk: Desk, *, silent_since: datetime, now: datetime) -> list[Lifeless]:
    """The schools of a municipality, or of the region, where nobody answers; a group is somebody."""
    members = (
        select(
            staff_schools.c.school_id,
            func.count().label("members"),
            func.count(case((people.c.unreachable.is_(None), 1))).label("reached"),
            func.max(people.c.seen_at).label("seen_at"),
        )
        .join(staff, and_(staff.c.id == staff_schools.c.staff_id, staff.c.revoked_at.is_(None)))
        .join(people, people.c.id == staff.c.person_id)
        .group_by(staff_schools.c.school_id)
        .subquery()
    )
    waiting = (
        select(func.count())
        .where(tickets.c.school_id == schools.c.id, tickets.c.level == "school", _is_open())
        .scalar_subquery()
    )
    invited = exists().where(
        invitations.c.school_id == schools.c.id,
        invitations.c.used_at.is_(None),
        invitations.c.revoked_at.is_(None),
        invitations.c.expires_at > now,
    )
    reads = exists().where(
        groups.c.level == "school", groups.c.school_id == schools.c.id, groups.c.lost_at.is_(None)
    )
    trouble = case(
        (and_(members.c.members.is_(None), invited), "invited"),
        (members.c.members.is_(None), "not_invited"),
        (and_(members.c.reached == 0, ~reads), "unreachable"),
        (and_(members.c.seen_at < silent_since, waiting > 0), "silent"),
        else_=None,
    )
    here = {
        "school": schools.c.id == desk.school_id,
        "municipal": schools.c.municipality == desk.municipality,
    }
    query = (
        select(schools.c.name, schools.c.municipality, trouble.label("trouble"), waiting.label("waiting"))
        .outerjoin(members, members.c.school_id == schools.c.id)
        .where(schools.c.closed_at.is_(None), here.get(desk.level, true()), trouble.is_not(None))
        .order_by(waiting.desc(), schools.c.municipality, schools.c.name)
    )
    rows = (await tx.execute(query)).all()
    return [Lifeless(row.name, row.municipality, row.trouble, row.waiting) for row in rows]


def _loads(since: datetime, now: datetime) -> Select[int, int, int, int]:
    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count(case((and_(_is_open(), condition), 1)))

    return select(
        number(true()).label("open"),
        number(tickets.c.state == "waiting").label("waiting"),
        number(is_overdue(now)).label("overdue"),
        number(tickets.c.created_at >= since).label("new"),
    )


def _load(row: Any) -> Load:
    return Load(open=row.open, waiting=row.waiting, overdue=row.overdue, new=row.new)


def _is_open() -> ColumnElement[bool]:
    return tickets.c.state != "closed"


def _municipality() -> ColumnElement[Any]:
    its = schools.alias("its_school")
    of_school = select(its.c.municipality).where(its.c.id == tickets.c.school_id).scalar_subquery()
    return func.coalesce(of_school, tickets.c.municipality)


def _is_in(desk: Desk) -> ColumnElement[bool]:
    return {
        "school": tickets.c.school_id == desk.school_id,
        "municipal": _municipality() == desk.municipality,
        "ministry": true(),
    }[desk.level]
