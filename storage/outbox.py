"""Everything that is to be said, until it is said: the one way out.

         claim             all pieces sent
queued ─────────► sending ─────────────────► sent
  ▲                │  │ refused for good
  └── put back ────┘  ├─────────────────────► failed
                      │ fate unknown, and a repeat would do harm
                      └─────────────────────► unknown
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, insert, or_, select, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import outbox, sent

REPLY, NOTICE, CAMPAIGN = 0, 1, 2
"""Priorities: a smaller number goes first."""


@dataclass(frozen=True)
class Letter:
    """One message on its way."""

    id: int
    key: str
    """The same on every try; channels that can drop repeats derive their number from it."""
    channel: str
    chat_id: str
    priority: int
    body: Mapping[str, Any]
    ticket_id: int | None
    message_id: int | None
    pieces_sent: int
    attempts: int
    created_at: datetime


@dataclass(frozen=True)
class SentMark:
    """What a message that a person replies to was about."""

    outbox_id: int
    ticket_id: int | None
    message_id: int | None


async def add(
    tx: Transaction,
    *,
    channel: str,
    chat_id: str,
    priority: int,
    body: Mapping[str, Any],
    now: datetime,
    ticket_id: int | None = None,
    message_id: int | None = None,
) -> int:
    """Put a message into the queue."""
    result = await tx.execute(
        insert(outbox)
        .values(
            key=uuid.uuid4().hex,
            channel=channel,
            chat_id=chat_id,
            priority=priority,
            body=dict(body),
            ticket_id=ticket_id,
            message_id=message_id,
            state="queued",
            created_at=now,
        )
        .returning(outbox.c.id)
    )
    number: int = result.scalar_one()
    return number


async def claim(
    tx: Transaction, channel: str, *, now: datetime, limit: int, chat_id: str | None = None
) -> list[Letter]:
    """Take the next letters: replies first, for each chat only the oldest that is not yet done."""
    earlier = outbox.alias("earlier")
    blocked = exists().where(
        earlier.c.channel == outbox.c.channel,
        earlier.c.chat_id == outbox.c.chat_id,
        or_(
            earlier.c.state == "sending",
            and_(
                earlier.c.state == "queued",
                or_(
                    earlier.c.priority < outbox.c.priority,
                    and_(earlier.c.priority == outbox.c.priority, earlier.c.id < outbox.c.id),
                ),
            ),
        ),
    )
    ready = (
        select(outbox.c.id)
        .where(
            outbox.c.channel == channel,
            outbox.c.state == "queued",
            or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now),
            ~blocked,
        )
        .order_by(outbox.c.priority, outbox.c.id)
        .limit(limit)
    )
    if chat_id is not None:
        ready = ready.where(outbox.c.chat_id == chat_id)
    numbers = list((await tx.scalars(ready)).all())
    if not numbers:
        return []
    taken = await tx.execute(
        update(outbox)
        .where(outbox.c.id.in_(numbers), outbox.c.state == "queued")
        .values(state="sending", attempts=outbox.c.attempts + 1)
        .returning(outbox)
    )
    letters = {row.id: _letter(row) for row in taken.all()}
    return [letters[number] for number in numbers if number in letters]


async def is_anything_ready(tx: Transaction, channel: str, *, now: datetime) -> bool:
    """Whether a claim could find something; cheap, and takes no lock."""
    query = select(
        exists().where(
            outbox.c.channel == channel,
            outbox.c.state == "queued",
            or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now),
        )
    )
    return bool(await tx.scalar(query))


async def release(
    tx: Transaction,
    channel: str,
    *,
    doubtful: bool,
    chat_id: str | None = None,
    sparing: Collection[int] = (),
) -> tuple[int, int]:
    """Take back what a dead sender left in the middle; returns how many again and how many unknown.

    A reply is sent again: better twice than never. A campaign's letter becomes `unknown`, unless the
    channel drops repeats (`doubtful` is false). `sparing` are the letters that the caller is sending now.
    """
    mine = [outbox.c.channel == channel, outbox.c.id.not_in(sparing)]
    if chat_id is not None:
        mine.append(outbox.c.chat_id == chat_id)
    # PostgreSQL may still be carrying out the last words of a process that is dead: a claim that is kept
    # after our look would never be taken back. Whoever wants the row has to wait until they are through.
    await tx.execute(
        select(outbox.c.id).where(*mine, outbox.c.state.in_(("queued", "sending"))).with_for_update()
    )
    stuck = [*mine, outbox.c.state == "sending"]
    unknown = 0
    if doubtful:
        result = await tx.execute(
            update(outbox)
            .where(*stuck, outbox.c.priority == CAMPAIGN)
            .values(state="unknown", error="interrupted")
        )
        unknown = result.rowcount
    again = await tx.execute(update(outbox).where(*stuck).values(state="queued"))
    return again.rowcount, unknown


async def note_piece(tx: Transaction, letter: Letter, *, pieces_sent: int, external_id: str) -> None:
    """One piece has arrived: a repeat after a crash begins behind it, a reply to it finds its letter."""
    noted = await tx.execute(update(outbox).where(outbox.c.id == letter.id).values(pieces_sent=pieces_sent))
    if not noted.rowcount:
        return  # the person was forgotten while it was on its way
    for number in filter(None, external_id.split(",")):  # a deletion leaves nothing to reply to
        await tx.execute(
            insert_into(tx, sent)
            .values(channel=letter.channel, chat_id=letter.chat_id, external_id=number, outbox_id=letter.id)
            .on_conflict_do_nothing()
        )


async def mark_sent(tx: Transaction, letter_id: int, *, now: datetime) -> None:
    """All of it has arrived."""
    await tx.execute(
        update(outbox).where(outbox.c.id == letter_id).values(state="sent", sent_at=now, error=None)
    )


async def put_back(tx: Transaction, letter_id: int, *, not_before: datetime, error: str) -> None:
    """Try again later."""
    await tx.execute(
        update(outbox)
        .where(outbox.c.id == letter_id)
        .values(state="queued", not_before=not_before, error=error)
    )


async def give_up(tx: Transaction, letter_id: int, *, state: str, error: str) -> None:
    """`failed`: it will never arrive; `unknown`: nobody knows whether it did."""
    await tx.execute(update(outbox).where(outbox.c.id == letter_id).values(state=state, error=error))


async def find_sent(tx: Transaction, channel: str, chat_id: str, external_id: str) -> SentMark | None:
    """What the message with this number of the messenger was."""
    query = (
        select(outbox.c.id, outbox.c.ticket_id, outbox.c.message_id)
        .join(sent, sent.c.outbox_id == outbox.c.id)
        .where(sent.c.channel == channel, sent.c.chat_id == chat_id, sent.c.external_id == external_id)
    )
    row = (await tx.execute(query)).one_or_none()
    return SentMark(row.id, row.ticket_id, row.message_id) if row else None


async def is_in_doubt(tx: Transaction, channel: str, chat_id: str) -> bool:
    """Whether a message to this chat was tried and is not done: it may have arrived without our record."""
    query = select(
        exists().where(
            outbox.c.channel == channel,
            outbox.c.chat_id == chat_id,
            # A broken connection or a crash puts back what the person perhaps reads already.
            or_(outbox.c.state == "sending", and_(outbox.c.state == "queued", outbox.c.attempts > 0)),
        )
    )
    return bool(await tx.scalar(query))


async def next_due(tx: Transaction, channel: str) -> datetime | None:
    """When the next letter that waits for its time may go."""
    moment: datetime | None = await tx.scalar(
        select(func.min(outbox.c.not_before)).where(outbox.c.channel == channel, outbox.c.state == "queued")
    )
    return moment


async def count(tx: Transaction) -> dict[tuple[str, str], int]:
    """How many letters there are by channel and state."""
    query = select(outbox.c.channel, outbox.c.state, func.count()).group_by(outbox.c.channel, outbox.c.state)
    return {(channel, state): number for channel, state, number in (await tx.execute(query)).all()}


def _letter(row: Row[Any]) -> Letter:
    return Letter(
        id=row.id,
        key=row.key,
        channel=row.channel,
        chat_id=row.chat_id,
        priority=row.priority,
        body=row.body,
        ticket_id=row.ticket_id,
        message_id=row.message_id,
        pieces_sent=row.pieces_sent,
        attempts=row.attempts,
        created_at=row.created_at,
    )
