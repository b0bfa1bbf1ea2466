"""What was shown in channels of our own (web chat, console): the messenger that we are ourselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import feed


@dataclass(frozen=True)
class Shown:
    """One message as the person sees it."""

    id: int
    body: Mapping[str, Any]
    created_at: datetime


async def show(
    tx: Transaction, channel: str, chat_id: str, *, key: str, body: Mapping[str, Any], now: datetime
) -> int:
    """Show a message once, however often it is sent; returns its number."""
    statement = (
        insert_into(tx, feed)
        .values(channel=channel, chat_id=chat_id, key=key, body=dict(body), created_at=now)
        .on_conflict_do_nothing()
        .returning(feed.c.id)
    )
    number: int | None = await tx.scalar(statement)
    if number is None:
        number = (await tx.execute(select(feed.c.id).where(feed.c.key == key))).scalar_one()
    return number


async def change(
    tx: Transaction, channel: str, chat_id: str, number: int, *, body: Mapping[str, Any]
) -> bool:
    """Show another body in the place of this message; False if it is not there."""
    statement = update(feed).where(_numbered(channel, chat_id, number)).values(body=dict(body))
    return (await tx.execute(statement)).rowcount > 0


async def withdraw(tx: Transaction, channel: str, chat_id: str, number: int) -> None:
    """Show this message no more."""
    await tx.execute(delete(feed).where(_numbered(channel, chat_id, number)))


async def since(tx: Transaction, channel: str, chat_id: str, *, after: int, limit: int = 200) -> list[Shown]:
    """What was shown after the message with this number, oldest first."""
    query = (
        select(feed)
        .where(feed.c.channel == channel, feed.c.chat_id == chat_id, feed.c.id > after)
        .order_by(feed.c.id)
        .limit(limit)
    )
    return [Shown(row.id, row.body, row.created_at) for row in (await tx.execute(query)).all()]


async def newest(tx: Transaction, channel: str, chat_id: str) -> int:
    """The number of the last message shown; 0 when there is none."""
    query = select(func.max(feed.c.id)).where(feed.c.channel == channel, feed.c.chat_id == chat_id)
    return await tx.scalar(query) or 0


def _numbered(channel: str, chat_id: str, number: int) -> ColumnElement[bool]:
    return (feed.c.channel == channel) & (feed.c.chat_id == chat_id) & (feed.c.id == number)
