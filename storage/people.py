"""People: a place on a channel, and what we must remember about writing to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import people


@dataclass(frozen=True)
class Person:
    """Somebody who writes to us on one channel."""

    id: int
    channel: str
    chat_id: str
    name: str
    greeted_at: datetime | None
    notice_version: str | None
    """Which wording of the notice about personal data they saw last."""
    muted_at: datetime | None
    """Since when they want no announcements."""
    unreachable: str | None
    """Why we cannot write to them (blocked, not_allowed, gone); None when we can."""
    seen_at: datetime
    """When they were last heard of."""
    banned_at: datetime | None
    """Since when the staff want to hear nothing from them."""


async def meet(tx: Transaction, channel: str, chat_id: str, *, name: str, now: datetime) -> Person:
    """Find or add the person and hold them until the transaction ends, so that events come one by one.

    A person who writes is reachable again.
    """
    insert = insert_into(tx, people).values(
        channel=channel, chat_id=chat_id, name=name, created_at=now, seen_at=now
    )
    changes: dict[str, Any] = {"seen_at": now, "unreachable": None}
    if name:
        changes["name"] = name
    statement = insert.on_conflict_do_update(
        index_elements=[people.c.channel, people.c.chat_id], set_=changes
    ).returning(people)
    return _person((await tx.execute(statement)).one())


async def find(tx: Transaction, person_id: int) -> Person | None:
    """The person with this number."""
    row = (await tx.execute(select(people).where(people.c.id == person_id))).one_or_none()
    return _person(row) if row else None


async def some(tx: Transaction, person_ids: Collection[int]) -> dict[int, Person]:
    """The people with these numbers, by number."""
    query = select(people).where(people.c.id.in_(set(person_ids)))
    return {row.id: _person(row) for row in (await tx.execute(query)).all()}


async def hold(tx: Transaction, person_id: int) -> Person | None:
    """The person with this number, held until the transaction ends, as `meet` does."""
    query = select(people).where(people.c.id == person_id).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    return _person(row) if row else None


async def at(tx: Transaction, channel: str, chat_id: str) -> Person | None:
    """The person at this place, if they ever wrote."""
    query = select(people).where(people.c.channel == channel, people.c.chat_id == chat_id)
    row = (await tx.execute(query)).one_or_none()
    return _person(row) if row else None


async def note_greeted(tx: Transaction, person_id: int, *, notice_version: str, now: datetime) -> None:
    """Remember that, and when, they first saw this version of the notice about personal data."""
    is_new = or_(people.c.notice_version.is_(None), people.c.notice_version != notice_version)
    await tx.execute(
        update(people)
        .where(people.c.id == person_id, is_new)
        .values(greeted_at=now, notice_version=notice_version)
    )


async def set_muted(tx: Transaction, person_id: int, since: datetime | None) -> None:
    """Stop (or allow again) announcements to this person."""
    await tx.execute(update(people).where(people.c.id == person_id).values(muted_at=since))


async def set_unreachable(tx: Transaction, channel: str, chat_id: str, reason: str | None) -> None:
    """Remember that, and why, messages do not reach this place; None: they do again."""
    await tx.execute(
        update(people)
        .where(people.c.channel == channel, people.c.chat_id == chat_id)
        .values(unreachable=reason)
    )


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        channel=row.channel,
        chat_id=row.chat_id,
        name=row.name,
        greeted_at=row.greeted_at,
        notice_version=row.notice_version,
        muted_at=row.muted_at,
        unreachable=row.unreachable,
        seen_at=row.seen_at,
        banned_at=row.banned_at,
    )
