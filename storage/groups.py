"""Group chats of Telegram and VK where a desk works together.

        somebody of the staff says whose desk it is
met ───────────────────────────────────────────────► registered
 ▲                                                        │
 └──── lost ◄─────────────────────────────────────────────┘
the bot is back    the bot was taken out, or the group is gone
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, true, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import group_topics, groups, outbox
from storage.ticket import Desk, Level

MET = "met"
"""Why a group that the bot is in gets no cases: nobody has said yet whose desk it is."""


@dataclass(frozen=True)
class Group:
    """A group chat that is, was or may become a desk."""

    id: int
    channel: str
    chat_id: str
    title: str
    level: Level
    school_id: int | None
    municipality: str
    has_topics: bool
    registered_by: int | None
    lost_at: datetime | None
    lost_reason: str | None

    @property
    def is_desk(self) -> bool:
        """Whether cases go there now."""
        return self.lost_at is None

    @property
    def desk(self) -> Desk:
        """Whose it is, or was."""
        return Desk(self.level, self.school_id, self.municipality)


async def meet(
    tx: Transaction, *, channel: str, chat_id: str, title: str, has_topics: bool | None, now: datetime
) -> bool:
    """The bot is in this group; False if that was known."""
    known = await at(tx, channel, chat_id)
    if known is not None:
        await retitle(tx, known.id, title=title, has_topics=has_topics)
        if known.is_desk or known.lost_reason == MET:
            return False
        await tx.execute(update(groups).where(groups.c.id == known.id).values(lost_at=now, lost_reason=MET))
        return True
    values = {
        "channel": channel,
        "chat_id": chat_id,
        "title": title,
        "level": "ministry",
        "has_topics": bool(has_topics),
        "created_at": now,
        "lost_at": now,
        "lost_reason": MET,
    }
    added = insert_into(tx, groups).values(**values).on_conflict_do_nothing().returning(groups.c.id)
    return await tx.scalar(added) is not None


async def register(
    tx: Transaction,
    *,
    channel: str,
    chat_id: str,
    title: str,
    desk: Desk,
    has_topics: bool,
    staff_id: int,
    now: datetime,
) -> Group:
    """Make a group chat a desk; a second time changes whose desk it is."""
    values = {
        "title": title,
        "level": desk.level,
        "school_id": desk.school_id,
        "municipality": desk.municipality,
        "has_topics": has_topics,
        "registered_by": staff_id,
        "lost_at": None,
        "lost_reason": None,
    }
    statement = (
        insert_into(tx, groups)
        .values(channel=channel, chat_id=chat_id, created_at=now, **values)
        .on_conflict_do_update(index_elements=[groups.c.channel, groups.c.chat_id], set_=values)
        .returning(groups)
    )
    return _group((await tx.execute(statement)).one())


async def at(tx: Transaction, channel: str, chat_id: str) -> Group | None:
    """The desk in this group chat, lost or not."""
    query = select(groups).where(groups.c.channel == channel, groups.c.chat_id == chat_id)
    row = (await tx.execute(query)).one_or_none()
    return _group(row) if row else None


async def of_desk(tx: Transaction, desk: Desk) -> list[Group]:
    """The groups where this desk can be written to."""
    mine = {
        "school": groups.c.school_id == desk.school_id,
        "municipal": groups.c.municipality == desk.municipality,
        "ministry": true(),
    }[desk.level]
    return await _select(tx, groups.c.level == desk.level, mine, groups.c.lost_at.is_(None))


async def everyone(tx: Transaction) -> list[Group]:
    """All groups that are or were desks."""
    return await _select(tx, or_(groups.c.lost_at.is_(None), groups.c.lost_reason != MET))


async def registered_by(tx: Transaction, staff_id: int) -> list[Group]:
    """The groups that are desks because this member said so."""
    return await _select(tx, groups.c.registered_by == staff_id, groups.c.lost_at.is_(None))


async def lose(tx: Transaction, group_id: int, *, reason: str, now: datetime) -> Group | None:
    """Nothing can be written there any more; None if that was known."""
    statement = (
        update(groups)
        .where(groups.c.id == group_id, groups.c.lost_at.is_(None))
        .values(lost_at=now, lost_reason=reason)
        .returning(groups)
    )
    row = (await tx.execute(statement)).one_or_none()
    return _group(row) if row else None


async def forget(tx: Transaction, group_id: int) -> None:
    """The group is no desk any more."""
    await tx.execute(delete(groups).where(groups.c.id == group_id))


async def retitle(tx: Transaction, group_id: int, *, title: str, has_topics: bool | None) -> None:
    """What the group is called now, and whether it has topics, where that is known."""
    values: dict[str, Any] = {"title": title} if title else {}
    if has_topics is not None:
        values["has_topics"] = has_topics
    if values:
        await tx.execute(update(groups).where(groups.c.id == group_id).values(**values))


async def move(tx: Transaction, channel: str, old: str, new: str) -> None:
    """The group has another chat_id now: what waits for the old one goes there; its topics are of the old.

    Told twice, or in any order with other news of the same move, it comes to the same.
    """
    if old == new:
        return
    before, after = await at(tx, channel, old), await at(tx, channel, new)
    if before is not None and after is not None and after.is_desk:
        await forget(tx, before.id)
    elif before is not None:
        if after is not None:
            await forget(tx, after.id)
        await tx.execute(delete(group_topics).where(group_topics.c.group_id == before.id))
        values: dict[str, Any] = {"chat_id": new}
        if before.lost_reason != MET:
            # To be told first that the bot is not in the old chat any more is a part of the move.
            values |= {"lost_at": None, "lost_reason": None}
        await tx.execute(update(groups).where(groups.c.id == before.id).values(**values))
    await _readdress(tx, channel, old, new)


async def _readdress(tx: Transaction, channel: str, old: str, new: str) -> None:
    query = select(outbox.c.id, outbox.c.body).where(
        outbox.c.channel == channel, outbox.c.chat_id == old, outbox.c.state.in_(("queued", "sending"))
    )
    for row in (await tx.execute(query)).all():
        # Numbers of messages and topics are the old chat's; in the new one they mean others.
        body = {**row.body, "to": {"channel": channel, "chat_id": new}, "reply_to": None, "thread": None}
        await tx.execute(update(outbox).where(outbox.c.id == row.id).values(chat_id=new, body=body))


async def topic(tx: Transaction, group_id: int, ticket_id: int) -> str | None:
    """The messenger's id of the topic that holds this ticket in the group."""
    query = select(group_topics.c.thread).where(
        group_topics.c.group_id == group_id, group_topics.c.ticket_id == ticket_id
    )
    thread: str | None = await tx.scalar(query)
    return thread


async def put_topic(tx: Transaction, group_id: int, ticket_id: int, thread: str, *, now: datetime) -> None:
    """Remember the topic that was opened for a ticket."""
    statement = insert_into(tx, group_topics).values(
        group_id=group_id, ticket_id=ticket_id, thread=thread, opened_at=now
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[group_topics.c.group_id, group_topics.c.ticket_id],
            set_={"thread": thread, "opened_at": now},
        )
    )


async def drop_topic(tx: Transaction, group_id: int, thread: str) -> None:
    """The topic is gone: the next message of its ticket opens another one."""
    await tx.execute(
        delete(group_topics).where(group_topics.c.group_id == group_id, group_topics.c.thread == thread)
    )


async def ticket_of_topic(tx: Transaction, group_id: int, thread: str) -> int | None:
    """The ticket that a topic of the group holds."""
    query = select(group_topics.c.ticket_id).where(
        group_topics.c.group_id == group_id, group_topics.c.thread == thread
    )
    number: int | None = await tx.scalar(query)
    return number


async def _select(tx: Transaction, *conditions: Any) -> list[Group]:
    query = select(groups).where(*conditions).order_by(groups.c.id)
    return [_group(row) for row in (await tx.execute(query)).all()]


def _group(row: Row[Any]) -> Group:
    return Group(
        id=row.id,
        channel=row.channel,
        chat_id=row.chat_id,
        title=row.title,
        level=row.level,
        school_id=row.school_id,
        municipality=row.municipality,
        has_topics=row.has_topics,
        registered_by=row.registered_by,
        lost_at=row.lost_at,
        lost_reason=row.lost_reason,
    )
