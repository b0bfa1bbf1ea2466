"""The directory of schools."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.scope import Scope, may_reach_school
from storage.tables import schools


@dataclass(frozen=True)
class School:
    """A school of the region."""

    id: int
    code: str
    """Stands in links and on posters; never changes."""
    name: str
    municipality: str
    kind: str
    aliases: tuple[str, ...]
    hours: str
    """As people write them («пн–пт 9:00–18:00»); empty: as in the region."""
    vacations: tuple[tuple[str, str], ...] | None
    """First and last days (ISO dates); None: as in the region."""
    closed_at: datetime | None
    """Since when it is not in the directory any more."""


async def everyone(tx: Transaction) -> list[School]:
    """All schools of the directory, by municipality and name."""
    return await _select(tx, schools.c.closed_at.is_(None))


async def ever(tx: Transaction) -> list[School]:
    """All schools that there ever were, closed ones too."""
    return await _select(tx)


async def find(tx: Transaction, school_id: int) -> School | None:
    """The school with this number, also one that was closed."""
    found = await _select(tx, schools.c.id == school_id)
    return found[0] if found else None


async def by_code(tx: Transaction, code: str) -> School | None:
    """The school with this code, unless it was closed."""
    found = await _select(tx, schools.c.code == code, schools.c.closed_at.is_(None))
    return found[0] if found else None


async def some(tx: Transaction, school_ids: Collection[int]) -> dict[int, School]:
    """The schools with these numbers, by number."""
    return {school.id: school for school in await _select(tx, schools.c.id.in_(school_ids))}


async def of_member(tx: Transaction, scope: Scope) -> list[School]:
    """The schools in which the member has a say."""
    return await _select(tx, schools.c.closed_at.is_(None), may_reach_school(scope))


async def theirs(tx: Transaction, scope: Scope, school_id: int) -> School | None:
    """The school with this number, if the member has a say there; also one that was closed."""
    found = await _select(tx, schools.c.id == school_id, may_reach_school(scope))
    return found[0] if found else None


async def set_working_time(
    tx: Transaction,
    scope: Scope,
    school_id: int,
    *,
    hours: str,
    vacations: Sequence[tuple[str, str]] | None,
    now: datetime,
) -> bool:
    """Change when a school works; False if there is none or the member has no say there."""
    values = {
        "hours": hours,
        "vacations": None if vacations is None else [list(each) for each in vacations],
        "updated_at": now,
    }
    statement = update(schools).where(schools.c.id == school_id, may_reach_school(scope)).values(**values)
    return (await tx.execute(statement)).rowcount > 0


async def municipalities(tx: Transaction) -> list[str]:
    """All municipalities that have a school."""
    query = select(schools.c.municipality).where(schools.c.closed_at.is_(None)).distinct()
    return list((await tx.scalars(query.order_by(schools.c.municipality))).all())


async def version(tx: Transaction) -> str:
    """Changes with every change of the directory."""
    query = select(func.count(), func.max(schools.c.updated_at)).select_from(schools)
    number, latest = (await tx.execute(query)).one()
    return f"{number} {latest}"


async def add(
    tx: Transaction,
    *,
    code: str,
    name: str,
    municipality: str,
    kind: str,
    aliases: Sequence[str],
    hours: str,
    now: datetime,
) -> int:
    """Add a school; returns its number."""
    values = {
        "code": code,
        "name": name,
        "municipality": municipality,
        "kind": kind,
        "aliases": list(aliases),
        "hours": hours,
        "created_at": now,
        "updated_at": now,
    }
    number: int = (await tx.execute(insert(schools).values(**values).returning(schools.c.id))).scalar_one()
    return number


async def change(tx: Transaction, school_id: int, *, now: datetime, **values: Any) -> None:
    """Change columns of a school (name, municipality, kind, aliases, hours, vacations, closed_at)."""
    for key in ("aliases", "vacations"):
        if values.get(key) is not None:
            values[key] = [list(each) if isinstance(each, tuple) else each for each in values[key]]
    await tx.execute(update(schools).where(schools.c.id == school_id).values(updated_at=now, **values))


async def _select(tx: Transaction, *conditions: Any) -> list[School]:
    query = select(schools).where(*conditions).order_by(schools.c.municipality, schools.c.name)
    return [_school(row) for row in (await tx.execute(query)).all()]


def _school(row: Row[Any]) -> School:
    return School(
        id=row.id,
        code=row.code,
        name=row.name,
        municipality=row.municipality,
        kind=row.kind,
        aliases=tuple(row.aliases),
        hours=row.hours,
        vacations=tuple((first, last) for first, last in row.vacations)
        if row.vacations is not None
        else None,
        closed_at=row.closed_at,
    )
