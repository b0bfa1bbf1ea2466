"""A database of an older version keeps what is in it."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from storage import tables as private_tables
from storage.database import Database
from storage.migrations import NEWEST

WHEN = "2026-09-01 08:00:00+00:00"
OLD_ROWS = (
    "INSERT INTO people (id, channel, chat_id, name, created_at, seen_at, notice_version) "
    "VALUES (1, 'telegram', '10', 'Анна', '{when}', '{when}', '2026-11'), "
    "(2, 'vk', '20', 'Мария', '{when}', '{when}', NULL)",
    "INSERT INTO conversations (id, person_id, mode, state, ticket_id, updated_at) "
    "VALUES (1, 1, 'waiting_human', '{{}}', 5, '{when}'), (2, 2, 'bot', '{{}}', NULL, '{when}')",
    "INSERT INTO staff (id, person_id, name, role, joined_at) VALUES (1, 2, 'Мария', 'owner', '{when}')",
    "INSERT INTO tickets "
    "(id, person_id, conversation_id, state, reason, tried, school, owner_id, created_at) "
    "VALUES (5, 1, 1, 'answered', 'asked', '[]', 'школа 5', 1, '{when}')",
    "INSERT INTO messages (id, conversation_id, ticket_id, author, staff_id, text, pending, created_at) "
    "VALUES (7, 1, 5, 'person', NULL, 'не пускает', false, '{when}'), "
    "(8, 1, 5, 'staff', 1, 'попробуйте так', false, '{when}')",
    "INSERT INTO message_versions (message_id, text, replaced_at) VALUES (7, 'не пускат', '{when}')",
    "INSERT INTO attachments (message_id, kind, name, mime, size, channel, ref) "
    "VALUES (7, 'photo', 'фото.jpg', 'image/jpeg', 3, 'telegram', 'file-id')",
    "INSERT INTO outbox "
    "(id, key, channel, chat_id, priority, body, ticket_id, message_id, state, created_at) "
    "VALUES (9, 'k', 'telegram', '10', 0, '{{\"text\": \"ответ\"}}', 5, 8, 'sent', '{when}')",
    "INSERT INTO sent (channel, chat_id, external_id, outbox_id) VALUES ('telegram', '10', '77', 9)",
    "INSERT INTO feed (id, channel, chat_id, key, body, created_at) "
    "VALUES (11, 'web', 'a', 'k:0', '{{}}', '{when}')",
)
COUNTED = (
    "people", "conversations", "staff", "tickets", "messages", "message_versions", "attachments", "outbox",
    "sent", "feed",
)  # fmt: skip


@pytest.fixture
def old_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database as the first version made it, with something in every table that the second one changes."""
    if database_kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
        asyncio.run(_make_old(url))
        yield url
        return
    server: Callable[[str], str] = request.getfixturevalue("postgresql")
    name = f"old_{uuid.uuid4().hex[:12]}"
    asyncio.run(_administer(server("postgres"), f"CREATE DATABASE {name}"))
    asyncio.run(_make_old(server(name)))
    yield server(name)
    asyncio.run(_administer(server("postgres"), f"DROP DATABASE {name} WITH (FORCE)"))


async def test_a_database_of_the_first_version_keeps_what_is_in_it(old_url: str) -> None:
    database = Database(old_url)
    before = await _rows(database)
    assert {table: len(rows) for table, rows in before.items()} == dict.fromkeys(COUNTED, 1) | {
        "people": 2,
        "conversations": 2,
        "messages": 2,
    }
    assert await database.migrate() == ("0001", NEWEST)
    after = await _rows(database)
    for table, rows in before.items():
        kept = [{name: row[name] for name in row.keys() & rows[0].keys()} for row in after[table]]
        assert kept == [{name: row[name] for name in kept[0]} for row in rows], table
    async with database.transaction() as tx:
        # What came before parents were asked has been seen already.
        assert await tx.scalar(text("SELECT count(*) FROM attachments WHERE cleared_at IS NULL")) == 0
        # The keys are watched again, on a connection that has seen the migration too.
        await tx.execute(text("UPDATE tickets SET person_id = NULL, conversation_id = NULL"))
        await tx.execute(text("DELETE FROM conversations WHERE id = 1"))
        assert await tx.scalar(text("SELECT count(*) FROM attachments")) == 0
        assert await tx.scalar(text("SELECT message_id FROM outbox")) is None
    await database.close()


def test_on_sqlite_the_migrated_tables_are_exactly_those_of_the_code(tmp_path: Path) -> None:
    migrated, made = tmp_path / "migrated.db", tmp_path / "made.db"
    asyncio.run(_migrate(f"sqlite:///{migrated}"))
    asyncio.run(_make_all(f"sqlite:///{made}"))
    assert _shape(migrated) == _shape(made)


def _shape(file: Path) -> dict[str, Any]:
    """Columns, keys, indexes and whether a number is never given again, by table."""
    base = sqlite3.connect(file)
    tables = base.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT IN "
        "('alembic_version', 'sqlite_sequence')"
    ).fetchall()
    shape = {}
    for name, made_by in tables:
        indexes = base.execute(f"PRAGMA index_list({name})").fetchall()
        shape[name] = {
            "never again": "AUTOINCREMENT" in made_by,
            "columns": sorted(row[1:4] + row[5:] for row in base.execute(f"PRAGMA table_info({name})")),
            "keys": sorted(row[2:7] for row in base.execute(f"PRAGMA foreign_key_list({name})")),
            "indexes": sorted(
                (
                    index[1] if index[3] == "c" else index[3],
                    index[2],
                    index[4],
                    tuple(row[2] for row in base.execute(f"PRAGMA index_info({index[1]})")),
                )
                for index in indexes
            ),
        }
    base.close()
    return shape


async def _rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    async with database.reading() as tx:
        found = {table: (await tx.execute(text(f"SELECT * FROM {table}"))).mappings() for table in COUNTED}  # noqa: S608 - our own tables
        return {
            table: sorted(map(dict, rows), key=lambda row: str(row.get("id")))
            for table, rows in found.items()
        }


async def _make_old(url: str) -> None:
    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "storage/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    engine = create_async_engine(_async(url))
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    async with engine.begin() as connection:
        for statement in OLD_ROWS:
            await connection.execute(text(statement.format(when=WHEN).replace(":00", r"\:00")))
    await engine.dispose()


async def _make_all(url: str) -> None:
    engine = create_async_engine(_async(url))
    async with engine.begin() as connection:
        await connection.run_sync(private_tables.metadata.create_all)
    await engine.dispose()


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.migrate()
    await database.close()


async def _administer(url: str, statement: str) -> None:
    engine = create_async_engine(_async(url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def _async(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://").replace("sqlite://", "sqlite+aiosqlite://")
