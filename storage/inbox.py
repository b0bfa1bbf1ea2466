"""Which events were taken already: the gate that makes a repeat harmless."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import inbox


async def accept(tx: Transaction, channel: str, event_id: str, *, now: datetime) -> bool:
    """Note an event as taken; False if it was taken before."""
    statement = (
        insert_into(tx, inbox)
        .values(channel=channel, event_id=event_id, received_at=now)
        .on_conflict_do_nothing()
        .returning(inbox.c.event_id)
    )
    return await tx.scalar(statement) is not None


async def forget_before(tx: Transaction, moment: datetime) -> int:
    """Drop notes older than any messenger's retries; returns how many."""
    return (await tx.execute(delete(inbox).where(inbox.c.received_at < moment))).rowcount
