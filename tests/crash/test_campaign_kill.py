"""Kill -9 in the middle of a campaign: nobody is lost, nobody is told twice, nothing restarts by itself."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.channels.vk.sending import random_id
from bot.clock import SystemClock
from bot.mailing import WORKERS
from storage.campaigns import launches
from storage.campaigns.campaign import Launch
from storage.database import Database
from tests.campaigns import WORDS, begin, compare, key_of, progress_of, settle, until, write
from tests.crash.conftest import OUTCOME
from tests.crash.processes import Installation, Nursery
from tests.emulators.telegram import Fault as TelegramFault
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import Fault as VkFault
from tests.emulators.vk import VkServer
from tests.house import VK_GROUP, VK_TOKEN
from tests.sizes import long, size

pytestmark = [pytest.mark.slow, pytest.mark.timeout(size(300, 1200))]

KILLS = size(3, 50)
READERS = {"telegram": size(300, 3_000), "vk": size(4_000, 60_000)}
AT_ONCE = {"telegram": WORKERS, "vk": WORKERS * 100}
"""Readers of all the requests that may be on their way at one moment."""
LANDED_SECONDS = 1.5
"""By then the requests that were on their way have arrived."""
TICK_SECONDS = 10.0
"""How often the process looks after its launches."""

_clock = SystemClock()
Install = Callable[..., Installation]


@dataclass
class Town:
    """A messenger with a crowd, a helpdesk that can be killed, and a campaign that is on its way."""

    messenger: str
    server: Any
    crowd: Any
    database: Database
    installed: Installation
    nursery: Nursery
    launch: Launch

    @property
    def numbers(self) -> range:
        """Everybody who is to be told."""
        found: range = self.crowd.ids if self.messenger == "telegram" else self.crowd.peers
        return found

    def shown(self) -> Counter[int]:
        """How often each was shown the announcement."""
        words = WORDS if self.messenger == "telegram" else random_id(key_of(self.launch))
        found: Counter[int] = self.crowd.shown(words)
        return found

    def slow(self, seconds: float) -> None:
        """Let each of the next requests take so long: VK's crowd would be told before anybody is killed."""
        fault: Any = TelegramFault if self.messenger == "telegram" else VkFault
        method = "sendMessage" if self.messenger == "telegram" else "messages.send"
        self.server.fail(method=method, fault=fault.slow(seconds), times=10**6)

    def hold_answers(self) -> Any:
        """The next request is carried out, but its answer does not come."""
        fault: Any = TelegramFault if self.messenger == "telegram" else VkFault
        method = "sendMessage" if self.messenger == "telegram" else "messages.send"
        return self.server.fail(method=method, fault=fault.execute_then_hang())

    @contextmanager
    def alive(self) -> Iterator[int]:
        """One process, killed at the end."""
        number = self.nursery.bear(self.installed)
        try:
            yield number
        finally:
            self.nursery.kill(number)

    async def begins_to_tell(self, *, more_than: int) -> None:
        """Wait until more readers have been told than there were."""
        deadline = _clock.monotonic() + 40
        while self.crowd.messages <= more_than:
            assert _clock.monotonic() < deadline, self.installed.last_words()
            await _clock.sleep(0.01)

    async def is_silent(self) -> None:
        """Nobody is told anything any more, beyond what was on its way."""
        told = self.crowd.messages
        await _clock.sleep(LANDED_SECONDS)
        landed = self.crowd.messages
        assert landed - told <= AT_ONCE[self.messenger]
        await _clock.sleep(LANDED_SECONDS)
        assert self.crowd.messages == landed

    async def found(self) -> Launch:
        """The launch as it is now."""
        async with self.database.reading() as tx:
            launch = await launches.find(tx, self.launch.id)
        assert launch is not None
        return launch


@asynccontextmanager
async def town(
    messenger: str, database_url: str, database: Database, nursery: Nursery, installation: Install
) -> AsyncIterator[Town]:
    server: Any = (
        TelegramServer(lean=True)
        if messenger == "telegram"
        else VkServer(token=VK_TOKEN, group_id=VK_GROUP, lean=True)
    )
    async with server:
        settings = (
            {"telegram_token": server.token, "telegram_api_url": server.url}
            if messenger == "telegram"
            else {
                "vk_token": VK_TOKEN,
                "vk_group_id": str(VK_GROUP),
                "vk_api_url": f"{server.url}/method/",
            }
        )
        crowd = server.crowd(READERS[messenger])
        numbers = crowd.ids if messenger == "telegram" else crowd.peers
        now = _clock.now()
        await settle(database, messenger, numbers, now=now)
        launch = await begin(database, await write(database, now=now), now=now)
        installed = installation(database_url=database_url, **settings)
        yield Town(messenger, server, crowd, database, installed, nursery, launch)
        assert server.violations == []
        assert installed.troubles() == []


def chance() -> random.Random:
    """Another one each time, unless CRASH_SEED says which."""
    seed = int(os.environ.get("CRASH_SEED", "") or random.SystemRandom().randrange(1_000_000))
    sys.stdout.write(f"seed {seed}\n")
    return random.Random(seed)


@pytest.mark.parametrize("database_kind", ["sqlite", pytest.param("postgresql", marks=long)])
@pytest.mark.parametrize("messenger", ["telegram", "vk"])
async def test_nobody_is_lost_and_nobody_is_told_twice(
    messenger: str,
    database_url: str,
    database: Database,
    nursery: Nursery,
    installation: Install,
    record_property: Callable[[str, object], None],
) -> None:
    dice, kills, between = chance(), 0, 0
    async with town(messenger, database_url, database, nursery, installation) as place:
        while kills < KILLS:
            told = place.crowd.messages
            if messenger == "vk":
                place.slow(0.2)
            with place.alive() as number:
                await place.begins_to_tell(more_than=told)
                if dice.random() < 0.5:
                    place.server.heal()
                    held = place.hold_answers()
                    async with asyncio.timeout(10):
                        while not held.hits:
                            await _clock.sleep(0.003)
                    await _clock.sleep(0.05)
                    between += 1
                else:
                    await _clock.sleep(dice.uniform(0.0, 0.5))
                os.kill(number, 9)
                kills += 1
            place.server.heal()
        assert (await progress_of(database, place.launch)).left > 0, "there were too few readers"
        with place.alive():
            await until(database, place.launch, patience=size(90, 600))
        account = await compare(database, place.launch, place.shown(), place.numbers)
    record_property(OUTCOME, f"убит {kills} раз, из них {between} до ответа; {dict(account.states)}")
    assert (account.twice, account.lost, account.secretly) == (0, 0, 0)
    assert account.states["sent"] + account.unknown == READERS[messenger]
    assert account.unknown <= (WORKERS * kills if messenger == "telegram" else 0)


@pytest.mark.parametrize("database_kind", ["sqlite", pytest.param("postgresql", marks=long)])
@pytest.mark.parametrize("messenger", ["telegram", "vk"])
async def test_who_pauses_and_stops_is_obeyed_at_once(
    messenger: str, database_url: str, database: Database, nursery: Nursery, installation: Install
) -> None:
    dice = chance()
    async with town(messenger, database_url, database, nursery, installation) as place:
        place.slow(0.3 if messenger == "vk" else 0.05)
        with place.alive():
            for _ in range(size(2, 10)):
                await place.begins_to_tell(more_than=place.crowd.messages)
                await _clock.sleep(dice.uniform(0.0, 0.3))
                async with database.transaction() as tx:
                    await launches.pause(tx, place.launch.id, reason="people", now=_clock.now())
                await place.is_silent()
                async with database.transaction() as tx:
                    await launches.resume(tx, place.launch.id, now=_clock.now())
            await place.begins_to_tell(more_than=place.crowd.messages)
            async with database.transaction() as tx:
                assert await launches.stop(tx, place.launch.id, now=_clock.now())
            await place.is_silent()
        told = place.crowd.messages
        with place.alive():
            await place.installed.answers()
            await _clock.sleep(3)
        assert place.crowd.messages == told < READERS[messenger]
        assert (await progress_of(database, place.launch)).of("sent", "unknown") == told
        assert (await place.found()).state == "stopped"
        assert set(place.shown().values()) == {1}


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_paused_campaign_stays_paused_whatever_restarts(
    database_url: str, database: Database, nursery: Nursery, installation: Install
) -> None:
    async with town("telegram", database_url, database, nursery, installation) as place:
        with place.alive():
            await place.begins_to_tell(more_than=0)
            async with database.transaction() as tx:
                await launches.pull_brake(tx, by_id=None, now=_clock.now())
            await place.is_silent()
            async with database.transaction() as tx:
                assert not await launches.resume(tx, place.launch.id, now=_clock.now())
                await launches.release_brake(tx)
        told = place.crowd.messages
        with place.alive():
            await place.installed.answers()
            await _clock.sleep(TICK_SECONDS + 2)
        assert place.crowd.messages == told
        found = await place.found()
        assert (found.state, found.reason) == ("paused", "brake")


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_after_a_restored_backup_nobody_is_told_again_before_people_say_so(
    tmp_path: Path,
    database_url: str,
    database: Database,
    nursery: Nursery,
    installation: Install,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(READERS, "telegram", 3_000)
    path, backup = Path(database_url.removeprefix("sqlite:///")), tmp_path / "backup.db"
    async with town("telegram", database_url, database, nursery, installation) as place:
        with place.alive():
            await place.begins_to_tell(more_than=20)
            await asyncio.to_thread(_copy, path, backup)
            # Another sign of life at least: by it the copy will be known for what it is.
            await _clock.sleep(TICK_SECONDS + 2)
        told = place.crowd.messages
        assert 20 < told < 3_000
        await database.close()
        for each in path.parent.glob(f"{path.name}-*"):
            each.unlink()
        shutil.copy(backup, path)
        with place.alive():
            await place.installed.answers()
            await _clock.sleep(TICK_SECONDS + 2)
            assert place.crowd.messages == told
            reopened = Database(database_url)
            async with reopened.reading() as tx:
                found = await launches.find(tx, place.launch.id)
            await reopened.close()
        assert found is not None
        assert (found.state, found.reason) == ("paused", "restored")
        assert set(place.shown().values()) == {1}


def _copy(source: Path, target: Path) -> None:
    """A backup as SQLite makes it while others write."""
    with sqlite3.connect(source) as running, sqlite3.connect(target) as copy:
        running.backup(copy)
    copy.close()
    running.close()
