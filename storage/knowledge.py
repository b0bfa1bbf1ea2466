"""The FAQ entries as they are in use: those that came with the program, and those that operators changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, select

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import entries

Origin = Literal["package", "operator"]


@dataclass(frozen=True)
class Entry:
    """One entry in its plain form."""

    slug: str
    body: Mapping[str, Any]
    origin: Origin


async def seed(tx: Transaction, packaged: Mapping[str, Mapping[str, Any]], *, now: datetime) -> int:
    """Bring in the entries of this version of the program; what operators changed stays. Returns changes."""
    present = {entry.slug: entry for entry in await everything(tx)}
    changes = 0
    for slug, body in packaged.items():
        known = present.get(slug)
        if known is None or (known.origin == "package" and dict(known.body) != dict(body)):
            await _put(tx, slug, body, origin="package", now=now)
            changes += 1
    gone = [slug for slug, entry in present.items() if entry.origin == "package" and slug not in packaged]
    if gone:
        await tx.execute(delete(entries).where(entries.c.slug.in_(gone)))
    return changes + len(gone)


async def put(tx: Transaction, slug: str, body: Mapping[str, Any], *, now: datetime) -> None:
    """Add or replace an entry on an operator's behalf."""
    await _put(tx, slug, body, origin="operator", now=now)


async def everything(tx: Transaction) -> list[Entry]:
    """All entries in use, by slug."""
    rows = (await tx.execute(select(entries).order_by(entries.c.slug))).all()
    return [Entry(row.slug, row.body, row.origin) for row in rows]


async def stamp(tx: Transaction) -> str:
    """Changes whenever an entry changes: whoever built an index from them can see that it is old."""
    newest, number = (await tx.execute(select(func.max(entries.c.updated_at), func.count()))).one()
    return f"{newest}/{number}"


async def _put(tx: Transaction, slug: str, body: Mapping[str, Any], *, origin: Origin, now: datetime) -> None:
    values = {"body": dict(body), "origin": origin, "updated_at": now}
    await tx.execute(
        insert_into(tx, entries)
        .values(slug=slug, **values)
        .on_conflict_do_update(index_elements=[entries.c.slug], set_=values)
    )
