"""Letters that were caught in the middle: by a death, by a lost database, by somebody who hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.channels.files import Files
from bot.channels.telegram import TelegramChannel
from bot.channels.vk import VkChannel
from bot.clock import SystemClock
from bot.delivery import Delivery
from bot.messengers import Cursor
from handlers.messages import Address, Attachment, Outgoing
from handlers.turn import queue
from storage import outbox
from storage.database import Database
from tests.clock import FastClock
from tests.emulators.telegram import Fault as TelegramFault
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import Fault, Person, VkServer
from tests.emulators.vk_faults import FaultRule
from tests.house import SPEED, VK_GROUP, VK_TOKEN, contents
from tests.outage import database_away

pytestmark = pytest.mark.slow

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
DEATHS = 12
"""So many lives once made a pause of five minutes out of the first hiccup."""


@pytest.fixture
def clock() -> FastClock:
    return FastClock(SPEED)


@pytest.fixture
async def vk(clock: FastClock) -> AsyncIterator[VkServer]:
    async with VkServer(token=VK_TOKEN, group_id=VK_GROUP, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def files_of_vk(clock: FastClock) -> AsyncIterator[VkServer]:
    """What people sent lies on another server than the one that is called."""
    async with VkServer(token=VK_TOKEN, group_id=VK_GROUP, clock=clock) as server:
        yield server


@pytest.fixture
async def delivery(
    vk: VkServer, database: Database, clock: FastClock, tmp_path: Path
) -> AsyncIterator[Delivery]:
    cursor = Cursor(database, "vk-test")
    channel = VkChannel(VK_TOKEN, VK_GROUP, clock=clock, cursor=cursor, api_url=vk.url)
    yield Delivery(channel, database, Files(tmp_path / "files"), {"vk": channel}, clock=clock)
    await channel.close()


@pytest.fixture
async def anna(vk: VkServer) -> Person:
    """Somebody who has written to the community."""
    return await greeted(vk, "Анна")


# ── our deaths are no failures of a letter ────────────────────────────────────────────────────────────────


async def test_deaths_of_ours_do_not_make_a_hiccup_a_long_pause(
    vk: VkServer, database: Database, delivery: Delivery, anna: Person
) -> None:
    await write(database, anna, "Ответ")
    await die(database, times=DEATHS)
    vk.fail(fault=Fault.drop(), method="messages.send")
    async with running(delivery):
        await anna.hears("Ответ")


async def test_deaths_of_ours_do_not_cost_a_letter_its_photo(
    files_of_vk: VkServer, database: Database, delivery: Delivery, anna: Person
) -> None:
    sent = await files_of_vk.person(first_name="Пётр").sends_photo(JPEG)
    photo = Attachment("photo", "photo.jpg", "image/jpeg", "vk", sent.attachments[0].url)
    await write(database, anna, "Вот снимок", files=(photo,))
    await die(database, times=DEATHS)
    await files_of_vk.stop()
    async with running(delivery):
        await until(lambda: tried_in_vain(database))
        await files_of_vk.start()
        seen = await anna.hears("Вот снимок")
    assert contents(seen) == [JPEG]


# ── nothing stays behind ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_letter_whose_claim_is_kept_after_the_death_of_its_sender_arrives(
    database_url: str, database: Database, delivery: Delivery, anna: Person
) -> None:
    await write(database, anna, "Ответ")
    of_the_dead = Database(database_url)
    # The process is gone, but the server has not yet come to the end of what it was told to do.
    async with of_the_dead.transaction() as tx:
        assert len(await outbox.claim(tx, "vk", now=SystemClock().now(), limit=8)) == 1
        sending = asyncio.create_task(delivery.run())
        await until(lambda: somebody_waits_for_a_row(database))
    await anna.hears("Ответ")
    await stop(sending)
    await of_the_dead.close()


async def test_a_letter_that_was_cut_short_goes_when_the_channel_is_ours_again(
    vk: VkServer, database: Database, delivery: Delivery, anna: Person
) -> None:
    await write(database, anna, "Ответ")
    held = vk.fail(fault=Fault.hang(), method="messages.send")
    async with running(delivery):
        await until(lambda: has_hit(held))
    vk.heal()
    async with running(delivery):
        await anna.hears("Ответ")


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_after_a_lost_database_one_hanging_letter_holds_up_nobody_else(
    vk: VkServer,
    database: Database,
    database_url: str,
    delivery: Delivery,
    anna: Person,
    request: pytest.FixtureRequest,
) -> None:
    olga = await greeted(vk, "Ольга")
    await write(database, anna, "Для Анны")
    held = vk.fail(fault=Fault.execute_then_hang(), method="messages.send", peer_id=anna.id)
    async with running(delivery):
        await anna.hears("Для Анны")
        with capture_logs() as logs:
            async with database_away(database_url, request):
                await until(lambda: is_logged("database_lost", logs=logs))
        await write(database, olga, "Для Ольги")
        await olga.hears("Для Ольги")
        await anna.hears_nothing()
    assert held.hits == 1


@pytest.mark.parametrize(
    ("fault", "state"),
    [(TelegramFault.server_error(), "sent"), (TelegramFault.execute_then_drop(), "unknown")],
)
async def test_an_announcement_is_repeated_only_where_it_was_certainly_not_sent(
    database: Database, tmp_path: Path, fault: TelegramFault, state: str
) -> None:
    clock = SystemClock()
    async with TelegramServer(clock=clock, limits=False) as server:
        channel = TelegramChannel(server.token, clock=clock, api_url=server.url)
        delivery = Delivery(channel, database, Files(tmp_path), {"telegram": channel}, clock=clock)
        reader = server.person()
        await reader.start()
        server.fail(fault=fault, method="sendMessage")
        told = Outgoing(Address("telegram", str(reader.id)), "1 сентября", priority="campaign")
        async with database.transaction() as tx:
            await queue(tx, told, now=clock.now())
        async with running(delivery):
            await reader.hears("1 сентября")
            await until(lambda: is_over(database, state=state))
        assert len(reader.chat) == 2  # «/start» and one answer
        await channel.close()


# ── who does what ─────────────────────────────────────────────────────────────────────────────────────────


async def greeted(vk: VkServer, name: str) -> Person:
    person = vk.person(first_name=name)
    await person.start()
    return person


async def write(
    database: Database, person: Person, words: str, *, files: tuple[Attachment, ...] = ()
) -> None:
    """Put a letter to this person into the outbox."""
    message = Outgoing(Address("vk", str(person.id)), words, attachments=files)
    async with database.transaction() as tx:
        await queue(tx, message, now=SystemClock().now())


async def die(database: Database, *, times: int) -> None:
    """So many processes took the letters and died; the next one takes them back each time."""
    for _ in range(times):
        async with database.transaction() as tx:
            assert await outbox.claim(tx, "vk", now=SystemClock().now(), limit=8)
        async with database.transaction() as tx:
            assert await outbox.release(tx, "vk", doubtful=False) == (1, 0)


@asynccontextmanager
async def running(delivery: Delivery) -> AsyncIterator[None]:
    """The delivery works while the block is open."""
    sending = asyncio.create_task(delivery.run())
    try:
        yield
    finally:
        await stop(sending)


async def stop(sending: asyncio.Task[None]) -> None:
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


async def until(ready: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until it is so."""
    async with asyncio.timeout(10):
        while not await ready():
            await SystemClock().sleep(0.005)


async def has_hit(rule: FaultRule) -> bool:
    return rule.hits > 0


async def is_over(database: Database, *, state: str) -> bool:
    async with database.reading() as tx:
        return await outbox.count(tx) == {("telegram", state): 1}


async def is_logged(event: str, *, logs: list[Any]) -> bool:
    return any(line["event"] == event for line in logs)


async def tried_in_vain(database: Database) -> bool:
    """Whether a letter waits for its next try."""
    async with database.reading() as tx:
        return await outbox.next_due(tx, "vk") is not None


async def somebody_waits_for_a_row(database: Database) -> bool:
    """Whether PostgreSQL makes somebody in this database wait for somebody else."""
    async with database.reading() as tx:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(await tx.scalar(waiting))
