"""Which announcements a person wants.

Without a row in `opt_outs` a category is wanted; «стоп» for all is `people.muted_at`. A row says why not:

asked       the person said so
blocked     the person forbade us to write at all; nobody has told them yet that the category is off
offered     the same, and after they came back they were told, once
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import delete, exists, literal, null, select, update

from storage import people
from storage.campaigns.campaign import CATEGORIES, Category
from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import opt_outs, staff
from storage.tables import people as people_table

Why = Literal["asked", "blocked"]
NOT_RESUMED: tuple[Category, ...] = ("reminders", "news")
"""Whoever blocked us and writes again gets important announcements only; these are for them to turn on."""


async def wanted(tx: Transaction, person_id: int) -> set[Category]:
    """The categories that this person gets, as far as it is up to them."""
    person = await people.find(tx, person_id)
    if person is None or person.muted_at is not None:
        return set()
    query = select(opt_outs.c.category).where(opt_outs.c.person_id == person_id)
    return set(CATEGORIES) - set((await tx.scalars(query)).all())


async def opt_out(tx: Transaction, person_id: int, category: Category, *, why: Why, now: datetime) -> None:
    """Nothing of this category any more; what the person asked for outlives a block, not the other way."""
    values = {"person_id": person_id, "category": category, "why": why, "since": now}
    statement = insert_into(tx, opt_outs).values(values)
    if why == "asked":
        statement = statement.on_conflict_do_update(index_elements=_KEY, set_={"why": why})
    else:
        statement = statement.on_conflict_do_nothing()
    await tx.execute(statement)


async def opt_in(tx: Transaction, person_id: int, category: Category, *, now: datetime) -> None:
    """This category again; after a «стоп» for all it alone."""
    is_muted = exists().where(people_table.c.id == person_id, people_table.c.muted_at.is_not(None))
    if await tx.scalar(select(is_muted)):
        for other in CATEGORIES:
            await opt_out(tx, person_id, other, why="asked", now=now)
        await people.set_muted(tx, person_id, None)
    await tx.execute(
        delete(opt_outs).where(opt_outs.c.person_id == person_id, opt_outs.c.category == category)
    )


async def opt_in_to_all(tx: Transaction, person_id: int) -> None:
    """Every category again, whatever was said before."""
    await people.set_muted(tx, person_id, None)
    await tx.execute(delete(opt_outs).where(opt_outs.c.person_id == person_id))


async def mute(tx: Transaction, person_id: int, *, now: datetime) -> None:
    """«Стоп» for all: nothing of any category."""
    await people.set_muted(tx, person_id, now)


async def note_unreachable(
    tx: Transaction, channel: str, chat_id: str, reason: str, *, now: datetime
) -> None:
    """Messages do not reach this person: reminders and news are off until they turn them on again.

    Important ones wait only until the person writes again (`people.meet`). The staff keep theirs: what
    they are told belongs to their work. Nothing happens where nobody is known; a repeat changes nothing.
    """
    await people.set_unreachable(tx, channel, chat_id, reason)
    works_here = exists().where(staff.c.person_id == people_table.c.id, staff.c.revoked_at.is_(None))
    for category in NOT_RESUMED:
        whoever = select(
            people_table.c.id, literal(category), literal("blocked"), literal(now, opt_outs.c.since.type)
        ).where(
            people_table.c.channel == channel,
            people_table.c.chat_id == chat_id,
            people_table.c.muted_at.is_(null()),
            ~works_here,
        )
        statement = insert_into(tx, opt_outs).from_select([*_KEY, "why", "since"], whoever)
        await tx.execute(statement.on_conflict_do_nothing())


async def undo_block(tx: Transaction, person_id: int) -> tuple[Category, ...]:
    """What only a block had turned off is wanted again; gives the categories, none the second time."""
    statement = delete(opt_outs).where(opt_outs.c.person_id == person_id, opt_outs.c.why != "asked")
    found = set((await tx.scalars(statement.returning(opt_outs.c.category))).all())
    return tuple(each for each in CATEGORIES if each in found)


async def take_news_of_block(tx: Transaction, person_id: int) -> tuple[Category, ...]:
    """The categories that a block has turned off and that the person has not been told of; only once."""
    is_muted = exists().where(people_table.c.id == person_id, people_table.c.muted_at.is_not(None))
    statement = (
        update(opt_outs)
        .where(opt_outs.c.person_id == person_id, opt_outs.c.why == "blocked", ~is_muted)
        .values(why="offered")
        .returning(opt_outs.c.category)
    )
    found = set((await tx.scalars(statement)).all())
    return tuple(each for each in CATEGORIES if each in found)


_KEY = ["person_id", "category"]
