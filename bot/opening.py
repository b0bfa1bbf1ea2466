"""Opens what every command needs: the data folder, the database, the knowledge."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.clock import Clock
from bot.index_store import IndexStore
from bot.settings import Settings
from faq.content.loading import packaged_base
from faq.content.region import load_region
from handlers.knowledge import Knowledge, base_from
from storage import knowledge as stored
from storage.database import Database
from storage.migrations import NEWEST


class StartError(Exception):
    """The helpdesk cannot start; one Russian sentence."""


async def open_database(settings: Settings) -> Database:
    """Open the database and make sure that its tables fit; on SQLite brings them up to date."""
    database = Database(settings.database)
    if database.is_sqlite:
        prepare_folder(settings.data_dir)
        await database.migrate()
    elif await database.revision() != NEWEST:
        raise StartError("Таблицы базы данных не той версии: выполните helpdesk migrate.")
    return database


async def open_knowledge(settings: Settings, database: Database, *, clock: Clock) -> Knowledge:
    """Seed the FAQ with this version's entries and take up what is in use; the index is built later."""
    packaged = await asyncio.to_thread(packaged_base)
    async with database.transaction() as tx:
        await stored.seed(
            tx, {slug: topic.to_plain() for slug, topic in packaged.topics.items()}, now=clock.now()
        )
        bodies = {entry.slug: entry.body for entry in await stored.everything(tx)}
    base = await asyncio.to_thread(base_from, bodies)
    store = IndexStore(settings.data_dir, semantic=settings.semantic == "auto")
    knowledge = Knowledge(base, load_region(settings.region), build=store.matcher, improve=store.improved)
    # The first parent after a start may name a school already.
    await knowledge.refresh(database)
    return knowledge


def prepare_folder(folder: Path) -> None:
    """Make the data folder; raises `StartError` when nothing can be written there."""
    try:
        # Only we may read what parents wrote.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"В папку данных {folder} нельзя писать ({error.strerror}): исправьте права или задайте "
            "HELPDESK_DATA_DIR."
        ) from error
