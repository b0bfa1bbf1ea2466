"""Outages that somebody in charge has declared: everywhere, in a municipality, in a school.

declared ──► ended     whoever was told of it, or asked meanwhile, is told that it is over
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.dialect import insert_into
from storage.scope import Scope, may_reach_place
from storage.tables import outage_told, outages, people, schools, tickets
from storage.ticket import Desk


@dataclass(frozen=True)
class Outage:
    """A trouble that nobody need report any more."""

    id: int
    desk: Desk
    """Where: of the ministry's level means everywhere."""
    text: str
    declared_by: int | None
    started_at: datetime
    ended_at: datetime | None
    asked_at: datetime
    """When it was declared, or whoever declared it was last asked whether it lasts."""


@dataclass(frozen=True)
class Told:
    """Somebody who is to hear that an outage is over."""

    outage_id: int
    person_id: int
    channel: str
    chat_id: str
    text: str


async def declare(tx: Transaction, scope: Scope, desk: Desk, *, text: str, now: datetime) -> Outage | None:
    """Declare an outage; None if one lasts in this very place, or the place is not theirs."""
    values = {
        "level": desk.level,
        "school_id": desk.school_id if desk.level == "school" else None,
        "municipality": desk.municipality if desk.level != "ministry" else "",
        "text": text,
        "declared_by": scope.staff_id,
        "started_at": now,
        "asked_at": now,
        "lasts_at": desk.key,
    }
    if not await tx.scalar(select(may_reach_place(scope, desk))):
        return None
    statement = insert_into(tx, outages).values(**values).on_conflict_do_nothing().returning(outages)
    row = (await tx.execute(statement)).one_or_none()
    return _outage(row) if row else None


async def lasting(tx: Transaction) -> list[Outage]:
    """Outages that have not ended, the widest first."""
    rows = (await tx.execute(select(outages).where(_lasts()).order_by(outages.c.id))).all()
    width = {"ministry": 0, "municipal": 1, "school": 2}
    return sorted((_outage(row) for row in rows), key=lambda each: width[each.desk.level])


async def find(tx: Transaction, scope: Scope, outage_id: int) -> Outage | None:
    """The outage with this number, if its place is theirs."""
    row = (await tx.execute(select(outages).where(outages.c.id == outage_id))).one_or_none()
    outage = _outage(row) if row else None
    if outage is None or not await tx.scalar(select(may_reach_place(scope, outage.desk))):
        return None
    return outage


async def end(tx: Transaction, scope: Scope, outage_id: int, *, now: datetime) -> Outage | None:
    """End an outage; None if it has ended before or is not theirs. Whoever asked meanwhile is to be told."""
    outage = await find(tx, scope, outage_id)
    if outage is None:
        return None
    statement = (
        update(outages)
        .where(outages.c.id == outage_id, _lasts())
        .values(ended_at=now, ended_by=scope.staff_id, lasts_at=None)
        .returning(outages)
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        return None
    asked = (
        select(func.min(outages.c.id), tickets.c.person_id, func.min(tickets.c.created_at))
        .join(outages, outages.c.id == outage_id)
        .where(tickets.c.created_at >= outage.started_at, tickets.c.person_id.is_not(None), _in(outage.desk))
        .group_by(tickets.c.person_id)
    )
    await tx.execute(
        insert_into(tx, outage_told)
        .from_select(["outage_id", "person_id", "told_at"], asked)
        .on_conflict_do_nothing()
    )
    return _outage(row)


async def note_told(tx: Transaction, outage_id: int, person_id: int, *, now: datetime) -> bool:
    """Note that a person reads of the outage now; False if they have before."""
    statement = (
        insert_into(tx, outage_told)
        .values(outage_id=outage_id, person_id=person_id, told_at=now)
        .on_conflict_do_nothing()
        .returning(outage_told.c.person_id)
    )
    return await tx.scalar(statement) is not None


async def to_be_told_of_end(tx: Transaction, *, limit: int) -> list[Told]:
    """People who are still to hear that an outage is over."""
    query = (
        select(outage_told.c.outage_id, people.c.id, people.c.channel, people.c.chat_id, outages.c.text)
        .join(outages, outages.c.id == outage_told.c.outage_id)
        .join(people, people.c.id == outage_told.c.person_id)
        .where(outages.c.ended_at.is_not(None), outage_told.c.ended_at.is_(None))
        .order_by(outage_told.c.outage_id, people.c.id)
        .limit(limit)
    )
    return [
        Told(row.outage_id, row.id, row.channel, row.chat_id, row.text)
        for row in (await tx.execute(query)).all()
    ]


async def note_end_told(tx: Transaction, told: Told, *, now: datetime) -> bool:
    """Whoever gets True tells this person that the outage is over."""
    statement = (
        update(outage_told)
        .where(
            outage_told.c.outage_id == told.outage_id,
            outage_told.c.person_id == told.person_id,
            outage_told.c.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(outage_told.c.person_id)
    )
    return await tx.scalar(statement) is not None


async def unconfirmed(tx: Transaction, *, asked_before: datetime) -> list[Outage]:
    """Outages about which nobody was asked for long whether they last."""
    query = select(outages).where(_lasts(), outages.c.asked_at <= asked_before).order_by(outages.c.id)
    return [_outage(row) for row in (await tx.execute(query)).all()]


async def note_asked(tx: Transaction, outage: Outage, *, now: datetime) -> bool:
    """Whoever gets True asks whether the outage lasts."""
    statement = (
        update(outages)
        .where(outages.c.id == outage.id, _lasts(), outages.c.asked_at == outage.asked_at)
        .values(asked_at=now)
        .returning(outages.c.id)
    )
    return await tx.scalar(statement) is not None


def _lasts() -> ColumnElement[bool]:
    return outages.c.ended_at.is_(None)


def _in(desk: Desk) -> ColumnElement[bool]:
    """Whether a ticket is where the outage is."""
    of_municipality = select(schools.c.id).where(schools.c.municipality == desk.municipality)
    return {
        "school": tickets.c.school_id == desk.school_id,
        "municipal": or_(
            tickets.c.school_id.in_(of_municipality),
            and_(tickets.c.school_id.is_(None), tickets.c.municipality == desk.municipality),
        ),
        "ministry": true(),
    }[desk.level]


def _outage(row: Row[Any]) -> Outage:
    return Outage(
        id=row.id,
        desk=Desk(row.level, row.school_id, row.municipality),
        text=row.text,
        declared_by=row.declared_by,
        started_at=row.started_at,
        ended_at=row.ended_at,
        asked_at=row.asked_at,
    )
