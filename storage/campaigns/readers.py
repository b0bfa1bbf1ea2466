"""Readers on their way: taken, told, or not. Whoever is taken is on record before the request goes out.

The rules (wanted, reachable, weekly cap, hours of the reader's zone, brake, state of the launch) are asked in
the transaction that takes a reader, not when the list was made: whoever said «стоп» meanwhile is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, exists, func, select, update

from storage.campaigns.audience import TOLD
from storage.campaigns.campaign import Progress, Reader, ReaderState
from storage.campaigns.launches import ALONE, braked_since
from storage.database import Transaction
from storage.tables import family_members, launches, opt_outs, people, readers, venues

_COLUMNS = tuple(readers.c[field.name] for field in fields(Reader))
WEEK = timedelta(days=7)
IN_DOUBT = "interrupted"
"""Why nobody knows whether a reader was told: the program or the connection broke after the request."""
UNSERVED = "unserved"
"""Why a reader is not told: the helpdesk has no such channel any more."""


@dataclass(frozen=True)
class Rules:
    """What is asked of every reader at the moment of sending."""

    zones: Collection[str]
    """Whose hours they are now."""
    a_week: int
    """At most so many announcements in seven days."""
    doubt_since: datetime
    """Whoever was perhaps told earlier than this is not tried again: the messenger has forgotten it."""


@dataclass(frozen=True)
class Batch:
    """Readers of one launch that may hear the same words now."""

    launch_id: int
    key: str
    """The same for all readers of a wave, however they are grouped: messengers that drop repeats know it."""
    body: Mapping[str, Any]
    readers: tuple[Reader, ...]
    skipped: int
    """Readers who may not be told; they are on record as such."""


async def claim(
    tx: Transaction, channel: str, *, rules: Mapping[int, Rules], limit: int, now: datetime
) -> Batch | None:
    """Take the next readers of a launch that is being sent; None when there is nobody.

    `rules` by launch. All of a batch have one school if the words name it. After the commit each of them is
    `sending`: exactly one request may follow.
    """
    if await braked_since(tx) is not None:
        return None
    # Whoever pauses a launch waits until what is taken now is on record, and nothing is taken after that.
    looked_after = launches.c.alive_at > now - ALONE  # the machine may have slept for hours
    query = _SENDING.where(launches.c.id.in_(rules), looked_after).with_for_update(read=True)
    for launch in (await tx.execute(query)).all():
        rule = rules[launch.id]
        found = await _ready(tx, launch, channel, rule, limit=limit, now=now)
        if not found:
            continue
        barred = {row.id: reason for row in found if (reason := _barred(row, rule)) is not None}
        await _skip(tx, barred)
        numbers = [row.id for row in found if row.id not in barred]
        taken = await _take(tx, numbers, now=now)
        key = f"campaign-{launch.campaign_id}-{launch.wave.isoformat()}"
        return Batch(launch.id, key, launch.body, tuple(taken), len(barred))
    return None


async def sending(tx: Transaction, channel: str) -> dict[int, Mapping[str, Any]]:
    """The launches that are being sent and have readers left on this channel, with their words."""
    left = exists().where(
        readers.c.launch_id == launches.c.id, readers.c.channel == channel, readers.c.state == "queued"
    )
    return {row.id: row.body for row in (await tx.execute(_SENDING.where(left))).all()}


async def zones_of(tx: Transaction, launch_id: int) -> frozenset[str]:
    """The time zones of a launch's readers."""
    query = select(readers.c.zone).where(readers.c.launch_id == launch_id).distinct()
    return frozenset((await tx.scalars(query)).all())


async def zones_left(tx: Transaction, launch_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """The time zones of those who still wait, by launch."""
    query = (
        select(readers.c.launch_id, readers.c.zone)
        .where(readers.c.launch_id.in_(launch_ids), readers.c.state == "queued")
        .distinct()
    )
    found: dict[int, set[str]] = {}
    for row in (await tx.execute(query)).all():
        found.setdefault(row.launch_id, set()).add(row.zone)
    return {launch_id: frozenset(zones) for launch_id, zones in found.items()}


async def mark_sent(tx: Transaction, told: Sequence[tuple[int, str]], *, now: datetime) -> None:
    """They were told: readers with the messenger's number of the message."""
    if not told:
        return
    statement = (
        update(readers)
        .where(readers.c.id == bindparam("reader"))
        .values(state="sent", sent_at=now, reason=None, detail=None, external_id=bindparam("number"))
    )
    await tx.execute(statement, [{"reader": reader, "number": number[:120]} for reader, number in told])


async def give_up(
    tx: Transaction, reader_id: int, *, state: ReaderState, reason: str, detail: str = ""
) -> None:
    """`failed`: they will not be told; `unknown`: nobody knows whether they were."""
    await tx.execute(
        update(readers)
        .where(readers.c.id == reader_id)
        .values(state=state, reason=reason, detail=detail[:500])
    )


async def put_back(
    tx: Transaction,
    reader_ids: Collection[int],
    *,
    not_before: datetime,
    detail: str = "",
    doubtful: bool = False,
) -> None:
    """Later. `doubtful`: the request may have been carried out, but the messenger drops repeats."""
    if not reader_ids:
        return
    since = _in_doubt_since() if doubtful else readers.c.doubted_at
    await tx.execute(
        update(readers)
        .where(readers.c.id.in_(reader_ids), readers.c.state == "sending")
        .values(state="queued", not_before=not_before, claimed_at=None, doubted_at=since, detail=detail[:500])
    )


async def forgive(tx: Transaction, reader_ids: Collection[int]) -> None:
    """An attempt that the messenger's own pause made useless does not count."""
    if reader_ids:
        await tx.execute(
            update(readers)
            .where(readers.c.id.in_(reader_ids), readers.c.attempts > 0)
            .values(attempts=readers.c.attempts - 1)
        )


async def take_back(
    tx: Transaction, channel: str, *, claimed: Collection[datetime], sparing: Collection[int]
) -> None:
    """Put back who was taken at these moments by a claim whose answer was lost: nothing was sent to them.

    `sparing` are those whom the caller is telling now.
    """
    if not claimed:
        return
    await tx.execute(
        update(readers)
        .where(
            readers.c.channel == channel,
            readers.c.state == "sending",
            readers.c.claimed_at.in_(claimed),
            readers.c.id.not_in(sparing),
        )
        .values(state="queued", claimed_at=None, attempts=readers.c.attempts - 1)
    )


async def recover(tx: Transaction, channel: str, *, safe_since: datetime | None) -> tuple[int, int]:
    """Take up what a dead sender left in the middle; returns how many again and how many unknown.

    `safe_since`: requests made later than this may be repeated, because the messenger drops repeats; None:
    none may. Nobody may be sending meanwhile.
    """
    mine = [readers.c.channel == channel]
    # See `outbox.release`: PostgreSQL may still be carrying out the last words of a dead process.
    live = select(readers.c.id).where(*mine, readers.c.state.in_(("queued", "sending")))
    await tx.execute(live.where(readers.c.state == "sending").with_for_update())
    stuck = [*mine, readers.c.state == "sending"]
    again = 0
    if safe_since is not None:
        repeated = await tx.execute(
            update(readers)
            .where(*stuck, _in_doubt_since() >= safe_since)
            .values(state="queued", claimed_at=None, doubted_at=_in_doubt_since())
        )
        again = repeated.rowcount
    doubtful = await tx.execute(update(readers).where(*stuck).values(state="unknown", reason=IN_DOUBT))
    return again, doubtful.rowcount


async def give_up_unserved(tx: Transaction, launch_id: int, channels: Collection[str]) -> int:
    """Nobody serves these channels any more: their readers will not be told; returns how many they are."""
    mine = [readers.c.launch_id == launch_id, readers.c.channel.in_(channels)]
    doubtful = await tx.execute(
        update(readers)
        .where(*mine, readers.c.state.in_(("queued", "sending")), _in_doubt_since().is_not(None))
        .values(state="unknown", reason=IN_DOUBT)
    )
    failed = await tx.execute(
        update(readers).where(*mine, readers.c.state == "queued").values(state="failed", reason=UNSERVED)
    )
    return doubtful.rowcount + failed.rowcount


async def retry(
    tx: Transaction, launch_id: int, *, states: Collection[ReaderState] = frozenset({"failed"})
) -> int:
    """Put those who were not reached on the list again; returns how many. See `launches.reopen`."""
    result = await tx.execute(
        update(readers)
        .where(readers.c.launch_id == launch_id, readers.c.state.in_(states))
        .values(
            state="queued",
            reason=None,
            detail=None,
            not_before=None,
            claimed_at=None,
            doubted_at=None,
            attempts=0,
        )
    )
    return result.rowcount


# ---- how far it is


async def progress(tx: Transaction, launch_ids: Collection[int]) -> Progress:
    """Readers of these launches by state, and those who were not told by reason."""
    query = (
        select(readers.c.state, readers.c.reason, func.count().label("number"))
        .where(readers.c.launch_id.in_(launch_ids))
        .group_by(readers.c.state, readers.c.reason)
    )
    states: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for row in (await tx.execute(query)).all():
        states[row.state] = states.get(row.state, 0) + row.number
        if row.reason is not None and row.state in {"failed", "skipped", "unknown"}:
            reasons[row.reason] = reasons.get(row.reason, 0) + row.number
    return Progress(states, reasons)


async def has_left_elsewhere(tx: Transaction, launch_id: int, channel: str) -> bool:
    """Whether anybody of this launch is still to be told on another channel."""
    query = select(readers.c.id).where(
        readers.c.launch_id == launch_id,
        readers.c.channel != channel,
        readers.c.state.in_(("queued", "sending")),
    )
    return await tx.scalar(query.limit(1)) is not None


async def told_since(tx: Transaction, launch_ids: Collection[int], since: datetime) -> int:
    """How many were told since that moment."""
    query = select(func.count()).where(readers.c.launch_id.in_(launch_ids), readers.c.sent_at >= since)
    return await tx.scalar(query) or 0


async def told_by_channel(tx: Transaction, launch_id: int) -> dict[str, int]:
    """How many were told on each channel where somebody was."""
    query = (
        select(readers.c.channel, func.count().label("number"))
        .where(readers.c.launch_id == launch_id, readers.c.state == "sent")
        .group_by(readers.c.channel)
    )
    return {row.channel: row.number for row in (await tx.execute(query)).all()}


async def listed(
    tx: Transaction,
    launch_ids: Collection[int],
    *,
    states: Collection[ReaderState],
    limit: int,
    after: int = 0,
    channel: str | None = None,
) -> list[Reader]:
    """Readers in these states, by number; `after` this one, on one `channel` or on all."""
    query = (
        select(*_COLUMNS)
        .where(readers.c.launch_id.in_(launch_ids), readers.c.state.in_(states), readers.c.id > after)
        .order_by(readers.c.id)
        .limit(limit)
    )
    if channel is not None:
        query = query.where(readers.c.channel == channel)
    return [Reader(*row) for row in (await tx.execute(query)).all()]


async def find(tx: Transaction, launch_id: int, person_id: int) -> Reader | None:
    """The row of this person in a launch."""
    query = select(*_COLUMNS).where(readers.c.launch_id == launch_id, readers.c.person_id == person_id)
    row = (await tx.execute(query)).one_or_none()
    return Reader(*row) if row else None


# ---- taking


def _in_doubt_since() -> ColumnElement[datetime]:
    return func.coalesce(readers.c.doubted_at, readers.c.claimed_at, type_=readers.c.claimed_at.type)


_SENDING = (
    select(launches.c.id, launches.c.campaign_id, launches.c.wave, launches.c.body)
    .where(launches.c.state == "sending")
    .order_by(launches.c.id)
)
_other = readers.alias("other")
_REFUSES = exists().where(
    opt_outs.c.person_id == readers.c.person_id, opt_outs.c.category == bindparam("category")
)
_TOLD = select(func.count()).where(
    _other.c.claimed_at > bindparam("since", type_=readers.c.claimed_at.type),
    _other.c.state.in_(TOLD),
)
_me, _kin = family_members.alias("me"), family_members.alias("kin")
# Whoever names the first child, or joins another place, has another number from then on. Three questions and
# their sum: asked as one with «or», no index would help.
_TOLD_TO_ALL = (
    _TOLD.where(_other.c.who == readers.c.who).scalar_subquery()
    + _TOLD.where(_other.c.person_id == readers.c.person_id, _other.c.who != readers.c.who).scalar_subquery()
    + _TOLD.select_from(
        _me.join(_kin, _kin.c.family_id == _me.c.family_id).join(
            _other, _other.c.person_id == _kin.c.person_id
        )
    )
    .where(
        _me.c.person_id == readers.c.person_id,
        _kin.c.person_id != readers.c.person_id,
        _other.c.who != readers.c.who,
    )
    .correlate(readers)
    .scalar_subquery()
)
# Put together once: it is asked for every reader.
_KNOWN = select(
    readers.c.id,
    readers.c.venue_id,
    readers.c.doubted_at,
    venues.c.kind,
    people.c.unreachable,
    people.c.banned_at,
    people.c.muted_at,
    case((_REFUSES, 1), else_=0).label("refuses"),
    _TOLD_TO_ALL.label("told"),
).select_from(
    readers.outerjoin(people, people.c.id == readers.c.person_id).outerjoin(
        venues, venues.c.id == readers.c.venue_id
    )
)


async def _ready(
    tx: Transaction, launch: Any, channel: str, rule: Rules, *, limit: int, now: datetime
) -> list[Any]:
    waiting = [
        readers.c.launch_id == launch.id,
        readers.c.channel == channel,
        readers.c.state == "queued",
        readers.c.zone.in_(rule.zones),
        func.coalesce(readers.c.not_before, now, type_=readers.c.not_before.type) <= now,
    ]
    if launch.body.get("names_school"):
        first = select(readers.c.school_id).where(*waiting).order_by(readers.c.id).limit(1)
        of_one = (await tx.execute(first)).one_or_none()
        if of_one is None:
            return []
        waiting.append(readers.c.school_id.is_not_distinct_from(of_one.school_id))
    query = _KNOWN.where(*waiting).order_by(readers.c.id).limit(limit)
    rules = {"since": now - WEEK, "category": launch.body["category"]}
    found = list((await tx.execute(query, rules)).all())
    # A post is split otherwise than a message: no batch holds both.
    walls = [number for number, row in enumerate(found) if row.kind == "vk_wall"]
    return found[: walls[0] or 1] if walls else found


def _barred(row: Any, rule: Rules) -> str | None:
    """Why this reader may not be told; None: they may."""
    if row.doubted_at is not None and row.doubted_at < rule.doubt_since:
        return IN_DOUBT
    if row.venue_id is not None:
        return None
    reasons = {
        "opted_out": row.muted_at is not None or row.refuses,
        "unreachable": row.unreachable is not None,
        "banned": row.banned_at is not None,
        "cap": row.told >= rule.a_week,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


async def _skip(tx: Transaction, barred: Mapping[int, str]) -> None:
    for reason in sorted(set(barred.values())):
        numbers = [number for number, its in barred.items() if its == reason]
        state: ReaderState = "unknown" if reason == IN_DOUBT else "skipped"
        await tx.execute(update(readers).where(readers.c.id.in_(numbers)).values(state=state, reason=reason))


async def _take(tx: Transaction, numbers: Sequence[int], *, now: datetime) -> list[Reader]:
    if not numbers:
        return []
    taken = await tx.execute(
        update(readers)
        .where(readers.c.id.in_(numbers), readers.c.state == "queued")
        .values(state="sending", claimed_at=now, attempts=readers.c.attempts + 1)
        .returning(*_COLUMNS)
    )
    return sorted((Reader(*row) for row in taken.all()), key=lambda reader: reader.id)
