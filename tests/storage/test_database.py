"""What the database promises on both kinds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from storage import cursors, feed, inbox, outbox, people
from storage import tables as private_tables
from storage.database import BadAddress, Busy, Database, TooNew, Unavailable
from storage.migrations import NEWEST

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


def test_the_newest_migration_is_the_one_that_a_start_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", "storage/migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST


async def test_the_migrations_make_the_tables_that_the_code_expects(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return list(compare_metadata(context, private_tables.metadata))

    async with database.reading() as tx:
        assert await tx.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    assert await database.migrate() == (NEWEST, NEWEST)


async def test_tables_of_a_newer_version_are_left_alone(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(TooNew):
        await database.migrate()


async def test_what_fails_leaves_nothing_behind(database: Database) -> None:
    async def fail_half_way() -> None:
        async with database.transaction() as tx:
            await cursors.save(tx, "vk-1", "17")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()
    async with database.reading() as tx:
        assert await cursors.load(tx, "vk-1") is None


async def test_an_event_is_accepted_once_however_many_try(database: Database) -> None:
    async def accept() -> bool:
        async with database.transaction() as tx:
            return await inbox.accept(tx, "vk", "event-1", now=NOW)

    assert sorted(await asyncio.gather(*(accept() for _ in range(8)))) == [False] * 7 + [True]


async def test_a_lock_has_one_holder_and_is_free_afterwards(database: Database, database_url: str) -> None:
    other = Database(database_url)
    async with database.exclusive("channel-vk") as lock:
        assert await lock.still_held()
        with pytest.raises(Busy):
            async with other.exclusive("channel-vk"):
                pass
        async with other.exclusive("channel-telegram"):
            pass
    async with other.exclusive("channel-vk"):
        pass
    await other.close()


async def test_letters_of_a_chat_go_one_by_one_and_replies_before_campaigns(database: Database) -> None:
    async def add(chat: str, words: str, priority: int) -> None:
        async with database.transaction() as tx:
            body = {"text": words}
            await outbox.add(tx, channel="vk", chat_id=chat, priority=priority, body=body, now=NOW)

    await add("1", "campaign", outbox.CAMPAIGN)
    await add("1", "first", outbox.REPLY)
    await add("1", "second", outbox.REPLY)
    await add("2", "other", outbox.CAMPAIGN)
    order = []
    for _ in range(4):
        async with database.transaction() as tx:
            letters = await outbox.claim(tx, "vk", now=NOW, limit=10)
        order.append([letter.body["text"] for letter in letters])
        async with database.transaction() as tx:
            for letter in letters:
                await outbox.mark_sent(tx, letter.id, now=NOW)
    assert order == [["first", "other"], ["second"], ["campaign"], []]


async def test_a_letter_put_back_waits_for_its_time(database: Database) -> None:
    async with database.transaction() as tx:
        await outbox.add(tx, channel="vk", chat_id="1", priority=0, body={}, now=NOW)
        (letter,) = await outbox.claim(tx, "vk", now=NOW, limit=1)
        await outbox.put_back(tx, letter.id, not_before=NOW + timedelta(seconds=5), error="busy")
    async with database.transaction() as tx:
        assert await outbox.claim(tx, "vk", now=NOW, limit=1) == []
        (again,) = await outbox.claim(tx, "vk", now=NOW + timedelta(seconds=5), limit=1)
    assert (again.key, again.attempts) == (letter.key, 2)


async def test_after_a_crash_replies_go_again_and_campaigns_become_unknown(database: Database) -> None:
    async with database.transaction() as tx:
        for chat, priority in [("1", outbox.REPLY), ("2", outbox.CAMPAIGN)]:
            await outbox.add(tx, channel="telegram", chat_id=chat, priority=priority, body={}, now=NOW)
        assert len(await outbox.claim(tx, "telegram", now=NOW, limit=10)) == 2
        assert await outbox.release(tx, "telegram", doubtful=True) == (1, 1)
        assert await outbox.count(tx) == {("telegram", "queued"): 1, ("telegram", "unknown"): 1}


@pytest.mark.parametrize("priority", [outbox.REPLY, outbox.CAMPAIGN])
async def test_what_we_are_sending_now_is_not_taken_back(database: Database, priority: int) -> None:
    async with database.transaction() as tx:
        for chat in ("1", "2"):
            await outbox.add(tx, channel="telegram", chat_id=chat, priority=priority, body={}, now=NOW)
        flying, _ = await outbox.claim(tx, "telegram", now=NOW, limit=10)
    async with database.transaction() as tx:
        released = await outbox.release(tx, "telegram", doubtful=True, sparing=[flying.id])
        assert released == ((1, 0) if priority == outbox.REPLY else (0, 1))
        left = await outbox.count(tx)
    assert left["telegram", "sending"] == 1


async def test_a_message_with_one_key_is_shown_once(database: Database) -> None:
    async with database.transaction() as tx:
        first = await feed.show(tx, "web", "a", key="k:0", body={"t": 1}, now=NOW)
        assert await feed.show(tx, "web", "a", key="k:0", body={"t": 2}, now=NOW) == first
        assert [shown.body for shown in await feed.since(tx, "web", "a", after=0)] == [{"t": 1}]


async def test_the_same_number_on_two_channels_is_two_people(database: Database) -> None:
    async with database.transaction() as tx:
        one = await people.meet(tx, "telegram", "5", name="Анна", now=NOW)
        two = await people.meet(tx, "vk", "5", name="Ольга", now=NOW)
    assert one.id != two.id


async def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "helpdesk.db"
    path.write_text("это не база данных" * 100)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(Unavailable):
        await database.revision()
    with pytest.raises(Unavailable):
        async with database.transaction():
            pass
    await database.close()


async def test_a_database_nobody_listens_at_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable):
        async with database.transaction():
            pass
    await database.close()


@pytest.mark.parametrize("address", ["mysql://host/base", "без смысла", "://"])
def test_an_address_that_cannot_be_used_is_refused_in_words(address: str) -> None:
    with pytest.raises(BadAddress, match="баз"):
        Database(address)
