"""How far families have come on the way into the diary, and how many of each place are there.

A stage is told by one person and holds for everybody of the family; of several the one told last counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Subquery, false, func, select, true
from sqlalchemy.sql import ColumnElement

from storage.campaigns.campaign import Stage
from storage.database import Transaction
from storage.dialect import insert_into
from storage.scope import Scope, may_reach_municipality, may_reach_school
from storage.tables import children, family_members, schools, stages
from storage.ticket import Desk

INSIDE: Stage = "inside"


@dataclass(frozen=True)
class Readiness:
    """How far the families of a school, or of a municipality, have come."""

    municipality: str
    school_id: int | None
    """None: the whole municipality, each family once."""
    school: str
    stages: Mapping[Stage, int] = field(default_factory=dict)
    """Families by stage; those never asked are in none."""
    families: int = 0
    """All that are known to have a child there."""

    @property
    def inside(self) -> int:
        """Families that have signed in."""
        return self.stages.get(INSIDE, 0)

    @property
    def stuck(self) -> int:
        """Families that are known to stand before a stage."""
        return self.asked - self.inside

    @property
    def asked(self) -> int:
        """Families whose stage is known."""
        return sum(self.stages.values())

    @property
    def not_asked(self) -> int:
        """Families of which nothing is known."""
        return self.families - self.asked

    def percent(self, families: int) -> int:
        """So many of all families here, in whole percent; never 100 while one is missing, nor 0 of some."""
        if families in {0, self.families}:
            return 100 if families else 0
        return min(max(round(100 * families / self.families), 1), 99)


async def set_stage(tx: Transaction, person_id: int, stage: Stage, *, now: datetime) -> None:
    """The family of this person has come so far; since when stays as it was if that is no news."""
    await _put(tx, await _family_of(tx, person_id), stage, now=now)


async def of_person(tx: Transaction, person_id: int) -> Stage | None:
    """How far the person has come; None while nobody of the family was asked."""
    found = await _latest(tx, await _family_of(tx, person_id))
    stage: Stage | None = found.stage if found is not None else None
    return stage


async def share(tx: Transaction, person_id: int) -> None:
    """Somebody has joined the family: what is known of one holds for all."""
    everybody = await _family_of(tx, person_id)
    found = await _latest(tx, everybody)
    if found is not None:
        await _put(tx, everybody, found.stage, now=found.since)


async def by_school(tx: Transaction, scope: Scope | None = None) -> list[Readiness]:
    """The schools of which a family is known, by municipality and name; all, or those within the scope."""
    where = (may_reach_school(scope), _is_within(scope.within)) if scope is not None else ()
    here = _families_at(children.c.school_id.label("place"), *where)
    query = (
        select(schools.c.municipality, schools.c.id, schools.c.name, *_counted())
        .select_from(here)
        .join(schools, schools.c.id == here.c.place)
        .outerjoin(_LATEST, _LATEST.c.family_id == here.c.family_id)
        .group_by(schools.c.municipality, schools.c.name, schools.c.id, _LATEST.c.stage)
        .order_by(schools.c.municipality, schools.c.name, schools.c.id)
    )
    return _readiness(tuple(row) for row in (await tx.execute(query)).all())


async def by_municipality(tx: Transaction, scope: Scope | None = None) -> list[Readiness]:
    """The same of municipalities: a family with children in two schools counts once.

    Within a scope only those in which the member has a say as a whole.
    """
    where = (may_reach_municipality(scope), _is_of_office(scope.within)) if scope is not None else ()
    here = _families_at(schools.c.municipality.label("place"), *where)
    query = (
        select(here.c.place, *_counted())
        .select_from(here)
        .outerjoin(_LATEST, _LATEST.c.family_id == here.c.family_id)
        .group_by(here.c.place, _LATEST.c.stage)
        .order_by(here.c.place)
    )
    return _readiness((row[0], None, "", *row[1:]) for row in (await tx.execute(query)).all())


async def _family_of(tx: Transaction, person_id: int) -> list[int]:
    """Everybody of this person's family in one order for all, so that two do not wait for each other."""
    mine = select(family_members.c.family_id).where(family_members.c.person_id == person_id)
    query = select(family_members.c.person_id).where(family_members.c.family_id.in_(mine))
    return sorted({person_id, *(await tx.scalars(query)).all()})


async def _put(tx: Transaction, person_ids: Sequence[int], stage: Stage, *, now: datetime) -> None:
    for person_id in person_ids:
        await tx.execute(
            insert_into(tx, stages)
            .values(person_id=person_id, stage=stage, since=now)
            .on_conflict_do_update(
                index_elements=["person_id"],
                set_={"stage": stage, "since": now},
                where=stages.c.stage != stage,
            )
        )


async def _latest(tx: Transaction, person_ids: Sequence[int]) -> Row[Any] | None:
    query = select(stages).where(stages.c.person_id.in_(person_ids))
    newest = query.order_by(stages.c.since.desc(), stages.c.person_id.desc()).limit(1)
    return (await tx.execute(newest)).one_or_none()


def _latest_of_families() -> Subquery:
    order = func.row_number().over(
        partition_by=family_members.c.family_id,
        order_by=(stages.c.since.desc(), stages.c.person_id.desc()),
    )
    told = (
        select(family_members.c.family_id, stages.c.stage, order.label("place"))
        .join(stages, stages.c.person_id == family_members.c.person_id)
        .subquery()
    )
    return select(told.c.family_id, told.c.stage).where(told.c.place == 1).subquery()


_LATEST = _latest_of_families()


def _counted() -> tuple[ColumnElement[Any], ...]:
    return _LATEST.c.stage, func.count().label("number")


def _families_at(place: ColumnElement[Any], *where: ColumnElement[bool]) -> Subquery:
    """Each family once for each place where it has a child."""
    query = select(children.c.family_id, place).join(schools, schools.c.id == children.c.school_id)
    return query.where(*where).distinct().subquery()


def _is_within(desk: Desk | None) -> ColumnElement[bool]:
    """In a group chat others read, too: only what its desk has a say in."""
    if desk is None or desk.level == "ministry":
        return true()
    if desk.level == "school":
        return schools.c.id == desk.school_id
    return schools.c.municipality == desk.municipality


def _is_of_office(desk: Desk | None) -> ColumnElement[bool]:
    """The same of municipalities: a school's group learns nothing of the whole one."""
    return false() if desk is not None and desk.level == "school" else _is_within(desk)


def _readiness(rows: Iterable[tuple[Any, ...]]) -> list[Readiness]:
    """Of rows with municipality, school's number and name, stage and count."""
    found: dict[tuple[str, int | None, str], dict[Stage | None, int]] = {}
    for municipality, school_id, school, stage, number in rows:
        found.setdefault((municipality, school_id, school), {})[stage] = number
    return [
        Readiness(
            *place,
            stages={stage: number for stage, number in counts.items() if stage is not None},
            families=sum(counts.values()),
        )
        for place, counts in found.items()
    ]
