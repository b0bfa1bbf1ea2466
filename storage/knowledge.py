"""The FAQ entries as they are in use: those that came with the program, and those that operators changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import entries, journal

Origin = Literal["package", "operator"]


@dataclass(frozen=True)
class Entry:
    """One entry in its plain form."""

    slug: str
    body: Mapping[str, Any]
    origin: Origin


@dataclass(frozen=True)
class Noted:
    """A line of the journal: what was last done about a phrasing."""

    deed: str
    topic: str | None
    at: datetime
    details: Mapping[str, Any]


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


async def hold(tx: Transaction) -> list[Entry]:
    """All entries in use, by slug; nobody else changes them before this transaction ends."""
    # SQLite has no such lock and needs none: its transactions that write run one at a time.
    rows = (await tx.execute(select(entries).order_by(entries.c.slug).with_for_update())).all()
    return [Entry(row.slug, row.body, row.origin) for row in rows]


async def moment_of_change(tx: Transaction, now: datetime) -> datetime:
    """Now, or just after the last change: a clock behind another machine's must not hide the next one."""
    newest: datetime | None = await tx.scalar(select(func.max(entries.c.updated_at)))
    return now if newest is None or now > newest else newest + timedelta(microseconds=1)


async def last_noted(tx: Transaction, ticket_id: int, deeds: Collection[str]) -> Noted | None:
    """The journal's last line of this question that tells one of these deeds."""
    query = (
        select(journal)
        .where(journal.c.ticket_id == ticket_id, journal.c.deed.in_(deeds))
        .order_by(journal.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return Noted(row.deed, row.topic, row.at, row.details) if row else None


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
