"""Who did what and when, without anybody's words in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from storage.database import Transaction
from storage.tables import journal


async def note(
    tx: Transaction,
    deed: str,
    *,
    actor: str,
    now: datetime,
    topic: str | None = None,
    ticket_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write a line: `actor` is bot, person or staff:NUMBER; details hold no personal data."""
    await tx.execute(
        insert(journal).values(
            at=now, actor=actor, deed=deed, topic=topic, ticket_id=ticket_id, details=dict(details or {})
        )
    )


async def count(tx: Transaction) -> dict[str, int]:
    """How many times each deed was done."""
    query = select(journal.c.deed, func.count().label("number")).group_by(journal.c.deed)
    return {row.deed: row.number for row in (await tx.execute(query)).all()}
