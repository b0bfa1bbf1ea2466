"""Venues: channels, groups, chats and a wall where announcements are posted for everybody.

        somebody of the staff says whose it is
met ────────────────────────────────────────────► registered
                                                    │     ▲
        taken out of it, closed to us, released     ▼     │ let in again, registered again
                                                   lost ──┘
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.engine import Row

from storage.campaigns.campaign import Venue, VenueKind
from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import readers, venues
from storage.ticket import Desk

MET = "met"
"""Why nothing is posted where the bot may post: nobody has said yet whose place it is."""
RELEASED = "released"
"""… somebody of the staff wanted no announcements there any more."""


async def meet(
    tx: Transaction,
    *,
    kind: VenueKind,
    channel: str,
    chat_id: str,
    title: str,
    staff_id: int | None = None,
    now: datetime,
) -> Venue:
    """The bot may post there, let in by this member; what was known of the place stays."""
    known = await at(tx, channel, chat_id, kind=kind)
    if known is not None:
        await rename(tx, channel, chat_id, title=title)
        return known
    values = {
        "title": title,
        "registered_by": staff_id,
        "created_at": now,
        "lost_at": now,
        "lost_reason": MET,
    }
    statement = insert_into(tx, venues).values(kind=kind, channel=channel, chat_id=chat_id, **values)
    # Another process may have met it at the same moment.
    touched = statement.on_conflict_do_update(index_elements=_PLACE, set_={"title": title})
    return _venue((await tx.execute(touched.returning(venues))).one())


async def add(
    tx: Transaction,
    *,
    kind: VenueKind,
    channel: str,
    chat_id: str,
    title: str,
    desk: Desk,
    staff_id: int | None,
    now: datetime,
) -> Venue:
    """Register a place with its school, its municipality or neither; a second time changes whose it is."""
    values = {
        "title": title,
        "school_id": desk.school_id,
        "municipality": desk.municipality,
        "registered_by": staff_id,
        "lost_at": None,
        "lost_reason": None,
    }
    statement = insert_into(tx, venues).values(
        kind=kind, channel=channel, chat_id=chat_id, created_at=now, **values
    )
    touched = statement.on_conflict_do_update(index_elements=_PLACE, set_=values)
    return _venue((await tx.execute(touched.returning(venues))).one())


async def find(tx: Transaction, venue_id: int) -> Venue | None:
    """The venue with this number."""
    row = (await tx.execute(select(venues).where(venues.c.id == venue_id))).one_or_none()
    return _venue(row) if row else None


async def at(tx: Transaction, channel: str, chat_id: str, *, kind: VenueKind | None = None) -> Venue | None:
    """The venue in this chat, lost or not."""
    query = select(venues).where(_here(channel, chat_id), *([] if kind is None else [venues.c.kind == kind]))
    row = (await tx.execute(query.order_by(venues.c.id).limit(1))).one_or_none()
    return _venue(row) if row else None


async def of(
    tx: Transaction,
    *,
    channels: Collection[str] = (),
    municipalities: Collection[str] = (),
    school_ids: Collection[int] = (),
) -> list[Venue]:
    """Where an announcement can be posted now; an empty filter asks for nothing."""
    conditions = [
        column.in_(wanted)
        for column, wanted in (
            (venues.c.channel, channels),
            (venues.c.municipality, municipalities),
            (venues.c.school_id, school_ids),
        )
        if wanted
    ]
    return await _select(tx, venues.c.lost_at.is_(None), *conditions)


async def listed(
    tx: Transaction,
    *,
    school_ids: Sequence[int] | None = None,
    municipality: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[Venue]:
    """Registered venues, also those that are lost by now, the newest first.

    With `school_ids` or `municipality` only what belongs to one of these; without both everything.
    """
    query = select(venues).where(_registered(), *_of_theirs(school_ids, municipality))
    query = query.order_by(venues.c.id.desc()).limit(limit).offset(offset)
    return [_venue(row) for row in (await tx.execute(query)).all()]


async def count(
    tx: Transaction, *, school_ids: Sequence[int] | None = None, municipality: str | None = None
) -> int:
    """How many `listed` would give without a limit."""
    query = select(func.count()).select_from(venues)
    return await tx.scalar(query.where(_registered(), *_of_theirs(school_ids, municipality))) or 0


async def met(tx: Transaction, *, limit: int = 20) -> list[Venue]:
    """Where the bot may post and nobody has said yet whose place it is, the newest first."""
    query = select(venues).where(venues.c.lost_reason == MET).order_by(venues.c.id.desc()).limit(limit)
    return [_venue(row) for row in (await tx.execute(query)).all()]


async def set_lost(tx: Transaction, venue_id: int, *, reason: str, now: datetime) -> Venue | None:
    """Nothing is posted there any more; None if that was known."""
    statement = (
        update(venues)
        .where(venues.c.id == venue_id, venues.c.lost_at.is_(None))
        .values(lost_at=now, lost_reason=reason)
        .returning(venues)
    )
    row = (await tx.execute(statement)).one_or_none()
    return _venue(row) if row else None


async def release(tx: Transaction, venue_id: int, *, now: datetime) -> bool:
    """People want no announcements there, whether the bot may post or not; False if that was known."""
    statement = (
        update(venues).where(venues.c.id == venue_id, _registered()).values(lost_at=now, lost_reason=RELEASED)
    )
    return (await tx.execute(statement)).rowcount > 0


async def regain(tx: Transaction, venue_id: int) -> bool:
    """The bot was let in again: all is as before; False where it was not lost, or people wanted that."""
    statement = (
        update(venues)
        .where(
            venues.c.id == venue_id,
            venues.c.lost_at.is_not(None),
            venues.c.lost_reason.not_in((MET, RELEASED)),
        )
        .values(lost_at=None, lost_reason=None)
    )
    return (await tx.execute(statement)).rowcount > 0


async def forget(tx: Transaction, venue_id: int) -> None:
    """The bot was only met there, and is gone."""
    await tx.execute(delete(venues).where(venues.c.id == venue_id, venues.c.lost_reason == MET))


async def rename(tx: Transaction, channel: str, chat_id: str, *, title: str) -> None:
    """What the place is called now, where that is known."""
    if title:
        await tx.execute(update(venues).where(_here(channel, chat_id)).values(title=title))


async def move(tx: Transaction, channel: str, old: str, new: str) -> bool:
    """A group has another chat_id now: what waits for the old one goes there; twice is as once.

    False: the new one is known as a place of its own, and the old one stays as it is.
    """
    if old == new:
        return True
    before, after = await at(tx, channel, old), await at(tx, channel, new)
    if before is None:
        return True
    if after is not None and after.lost_reason == MET:
        await forget(tx, after.id)
        after = None
    if after is None:
        values: dict[str, Any] = {"chat_id": new}
        if before.lost_reason == "kicked":
            # To be told first that the bot is not in the old chat any more is a part of the move.
            values |= {"lost_at": None, "lost_reason": None}
        await tx.execute(update(venues).where(venues.c.id == before.id).values(**values))
        waiting = readers.c.venue_id == before.id, readers.c.state == "queued"
        await tx.execute(update(readers).where(*waiting).values(chat_id=new))
    return after is None


_PLACE = [venues.c.kind, venues.c.channel, venues.c.chat_id]


def _here(channel: str, chat_id: str) -> ColumnElement[bool]:
    return (venues.c.channel == channel) & (venues.c.chat_id == chat_id)


def _registered() -> ColumnElement[bool]:
    return or_(venues.c.lost_at.is_(None), venues.c.lost_reason.not_in((MET, RELEASED)))


def _of_theirs(school_ids: Sequence[int] | None, municipality: str | None) -> list[ColumnElement[bool]]:
    if school_ids is None and municipality is None:
        return []
    theirs: list[ColumnElement[bool]] = [venues.c.school_id.in_(school_ids or ())]
    if municipality:
        theirs.append(venues.c.municipality == municipality)
    return [or_(*theirs)]


async def _select(tx: Transaction, *conditions: ColumnElement[bool]) -> list[Venue]:
    query = select(venues).where(*conditions).order_by(venues.c.id)
    return [_venue(row) for row in (await tx.execute(query)).all()]


def _venue(row: Row[Any]) -> Venue:
    return Venue(
        id=row.id,
        kind=row.kind,
        channel=row.channel,
        chat_id=row.chat_id,
        title=row.title,
        school_id=row.school_id,
        municipality=row.municipality,
        registered_by=row.registered_by,
        lost_at=row.lost_at,
        lost_reason=row.lost_reason,
    )
