"""Where each listener stands in its messenger's queue."""

from __future__ import annotations

from sqlalchemy import select

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import cursors


async def load(tx: Transaction, name: str) -> str | None:
    """The place kept under this name."""
    place: str | None = await tx.scalar(select(cursors.c.place).where(cursors.c.name == name))
    return place


async def save(tx: Transaction, name: str, place: str) -> None:
    """Keep the place under this name."""
    await tx.execute(
        insert_into(tx, cursors)
        .values(name=name, place=place)
        .on_conflict_do_update(index_elements=[cursors.c.name], set_={"place": place})
    )
