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
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import outbox, sent

REPLY, NOTICE, CAMPAIGN = 0, 1, 2
"""Priorities: a smaller number goes first."""
ALBUM_WAIT = timedelta(seconds=1.5)
"""How long a letter waits for the rest of its album: its messages come within a second of each other."""
ALBUM_FILES = 10
"""Files of one album, as both messengers count; whatever comes after them is another one."""


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
    shows_id: int | None
    album: str | None
    pieces_sent: int
    attempts: int
    created_at: datetime


@dataclass(frozen=True)
class SentMark:
    """What a message that a person replies to was about."""

    outbox_id: int
    ticket_id: int | None
    message_id: int | None
    """The kept message that it delivered."""
    shows_id: int | None
    """The kept message of the other side that it showed."""
    asks: str
    """What a reply to it is, where it asked for something."""


async def add(  # noqa: PLR0913 - a letter has these parts
    tx: Transaction,
    *,
    channel: str,
    chat_id: str,
    priority: int,
    body: Mapping[str, Any],
    now: datetime,
    ticket_id: int | None = None,
    message_id: int | None = None,
    shows_id: int | None = None,
    album: str | None = None,
    not_before: datetime | None = None,
) -> int:
    """Put a message into the queue; files of an album join the letter that waits for them.

    Returns the letter's number.
    """
    if album is not None and (
        joined := await _join_album(
            tx, album, channel=channel, chat_id=chat_id, ticket_id=ticket_id, body=body, now=now
        )
    ):
        return joined
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
            shows_id=shows_id,
            album=album,
            state="queued",
            not_before=now + ALBUM_WAIT if album is not None else not_before,
            created_at=now,
        )
        .returning(outbox.c.id)
    )
    number: int = result.scalar_one()
    return number


async def _join_album(
    tx: Transaction,
    album: str,
    *,
    channel: str,
    chat_id: str,
    ticket_id: int | None,
    body: Mapping[str, Any],
    now: datetime,
) -> int | None:
    """Add files and words to the letter of this album that nobody has tried to send; None without one."""
    waiting = (
        outbox.c.album == album,
        outbox.c.channel == channel,
        outbox.c.chat_id == chat_id,
        outbox.c.ticket_id == ticket_id if ticket_id is not None else outbox.c.ticket_id.is_(None),
        outbox.c.state == "queued",
        outbox.c.attempts == 0,
    )
    query = select(outbox.c.id, outbox.c.body).where(*waiting).order_by(outbox.c.id.desc()).limit(1)
    row = (await tx.execute(query.with_for_update())).one_or_none()
    if row is None or len(row.body["attachments"]) + len(body["attachments"]) > ALBUM_FILES:
        return None
    joined = {**row.body, "attachments": [*row.body["attachments"], *body["attachments"]]}
    if body["text"] and body["text"] != row.body["text"]:
        joined["text"] = "\n\n".join(filter(None, (row.body["text"], body["text"])))
    joined["buttons"] = row.body["buttons"] or body["buttons"]
    # Between our look and this the delivery may have taken it: then it is too late to join.
    changed = await tx.execute(
        update(outbox)
        .where(outbox.c.id == row.id, outbox.c.state == "queued")
        .values(body=joined, not_before=now + ALBUM_WAIT)
    )
    return int(row.id) if changed.rowcount else None


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


async def start_over(tx: Transaction, letter_id: int, *, body: Mapping[str, Any], now: datetime) -> None:
    """Send it from its first piece, and as it is now; where it went before, nobody can read it."""
    await tx.execute(
        update(outbox)
        .where(outbox.c.id == letter_id)
        .values(state="queued", body=dict(body), pieces_sent=0, not_before=now)
    )


async def queued(tx: Transaction, channel: str, chat_id: str) -> list[Letter]:
    """What waits for this chat, in the order in which it would go; not what is on its way already."""
    query = (
        select(outbox)
        .where(outbox.c.channel == channel, outbox.c.chat_id == chat_id, outbox.c.state == "queued")
        .order_by(outbox.c.priority, outbox.c.id)
    )
    return [_letter(row) for row in (await tx.execute(query)).all()]


async def withdraw(tx: Transaction, channel: str, chat_id: str) -> None:
    """Forget what waits for this chat: it is not true any more."""
    await tx.execute(
        delete(outbox).where(
            outbox.c.channel == channel, outbox.c.chat_id == chat_id, outbox.c.state == "queued"
        )
    )


async def give_up(tx: Transaction, letter_id: int, *, state: str, error: str) -> None:
    """`failed`: it will never arrive; `unknown`: nobody knows whether it did."""
    await tx.execute(update(outbox).where(outbox.c.id == letter_id).values(state=state, error=error))


async def find_sent(tx: Transaction, channel: str, chat_id: str, external_id: str) -> SentMark | None:
    """What the message with this number of the messenger was."""
    query = (
        select(outbox.c.id, outbox.c.ticket_id, outbox.c.message_id, outbox.c.shows_id, outbox.c.body)
        .join(sent, sent.c.outbox_id == outbox.c.id)
        .where(sent.c.channel == channel, sent.c.chat_id == chat_id, sent.c.external_id == external_id)
    )
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return SentMark(row.id, row.ticket_id, row.message_id, row.shows_id, row.body.get("asks", ""))


async def sent_as(tx: Transaction, message_id: int, channel: str, chat_id: str) -> str | None:
    """The messenger's number, in this chat, of the letter that delivered or showed a kept message there."""
    query = (
        select(sent.c.external_id)
        .join(outbox, sent.c.outbox_id == outbox.c.id)
        .where(
            or_(outbox.c.message_id == message_id, outbox.c.shows_id == message_id),
            sent.c.channel == channel,
            sent.c.chat_id == chat_id,
        )
        # Its first piece; the messengers' numbers grow, and a longer one is a larger one.
        .order_by(outbox.c.id, func.length(sent.c.external_id), sent.c.external_id)
        .limit(1)
    )
    number: str | None = await tx.scalar(query)
    return number


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
        shows_id=row.shows_id,
        album=row.album,
        pieces_sent=row.pieces_sent,
        attempts=row.attempts,
        created_at=row.created_at,
    )
