"""Which topics of the FAQ a person was answered, and when last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import asked


async def note(tx: Transaction, person_id: int, topics: Iterable[str], *, now: datetime) -> None:
    """The person was answered these topics just now."""
    for topic in topics:
        await tx.execute(
            insert_into(tx, asked)
            .values(person_id=person_id, topic=topic, at=now)
            .on_conflict_do_update(index_elements=["person_id", "topic"], set_={"at": now})
        )


async def of_person(tx: Transaction, person_id: int) -> dict[str, datetime]:
    """When this person was last answered each topic."""
    rows = await tx.execute(select(asked.c.topic, asked.c.at).where(asked.c.person_id == person_id))
    return {row.topic: row.at for row in rows}
