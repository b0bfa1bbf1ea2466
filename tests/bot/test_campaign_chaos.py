"""A messenger that has a bad day: everybody is told once all the same."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bot.channels.vk.sending import random_id
from bot.mailing import WORKERS
from handlers.campaigns.telling import PAUSE_AFTER
from storage.campaigns import launches
from storage.campaigns.campaign import Launch
from tests.campaigns import WORDS, begin, compare, key_of, progress_of, settle, until, write
from tests.clock import FastClock
from tests.emulators.chaos import Chaos
from tests.emulators.telegram import Fault
from tests.house import House
from tests.sizes import size

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

on_telegram = pytest.mark.parametrize("transport", ["telegram-polling"])
on_vk = pytest.mark.parametrize("transport", ["vk-polling"])


class Readers:
    """A crowd that lives on one messenger and has been greeted."""

    def __init__(self, house: House, count: int) -> None:
        self.house = house
        self.server: Any = house.server(house.home)
        self.crowd = self.server.crowd(count)
        self.numbers: range = self.crowd.ids if house.home == "telegram" else self.crowd.peers

    async def settle(self) -> None:
        """Become people whom we know."""
        clock = self.house.app.clock
        await settle(self.house.app.database, self.house.home, self.numbers, now=clock.now())

    async def are_told(self, words: str = WORDS) -> Launch:
        """Begin to tell them."""
        database, now = self.house.app.database, self.house.app.clock.now()
        launch = await begin(database, await write(database, now=now, words=words), now=now)
        self.house.app.wake_mailing()
        return launch

    def shown(self, launch: Launch, words: str = WORDS, *, piece: int = 0) -> Counter[int]:
        """How often each was shown the announcement."""
        on_vk = self.house.home == "vk"
        found: Counter[int] = self.crowd.shown(random_id(key_of(launch, piece)) if on_vk else words)
        return found


async def crowd_of(house: House, count: int) -> Readers:
    readers = Readers(house, count)
    await readers.settle()
    return readers


@on_telegram
async def test_on_telegram_everybody_is_told_once_or_listed_as_unknown(house: House) -> None:
    readers = await crowd_of(house, size(300, 3_000))
    away = readers.crowd.blocks(0.02, seed=1)
    chaos = readers.server.bad_day(
        Chaos(1, server_error=0.05, drop_before=0.01, drop_after=0.02, storms=0.01, storm_seconds=3.0)
    )
    launch = await readers.are_told()
    await until(house.app.database, launch)
    account = await compare(house.app.database, launch, readers.shown(launch), readers.numbers)
    assert (account.twice, account.lost, account.secretly) == (0, 0, 0)
    assert 0 < account.unknown <= len(chaos.dropped)
    # Those who have blocked us, and nobody else: neither a 429 nor a 502 is a refusal.
    assert account.states["failed"] <= len(away)
    assert account.states["sent"] + account.unknown + account.states["failed"] == len(readers.numbers)
    assert chaos.counts["storm"] > 0
    assert chaos.counts["server_error"] > 0


@on_vk
async def test_on_vk_everybody_is_told_exactly_once(house: House) -> None:
    readers = await crowd_of(house, size(3_000, 30_000))
    away = readers.crowd.blocks(0.02, seed=1)
    chaos = readers.server.bad_day(
        Chaos(2, server_error=0.1, drop_before=0.1, drop_after=0.2, storms=0.1, storm_seconds=3.0)
    )
    launch = await readers.are_told()
    progress = await until(house.app.database, launch)
    account = await compare(house.app.database, launch, readers.shown(launch), readers.numbers)
    assert (account.twice, account.lost, account.secretly, account.unknown) == (0, 0, 0, 0)
    assert progress.states == {"sent": len(readers.numbers) - len(away), "failed": len(away)}
    assert chaos.counts["drop_after"] > 0
    assert chaos.counts["storm"] > 0


@on_telegram
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_who_is_asked_for_silence_is_silent_and_says_until_when(house: House) -> None:
    readers = await crowd_of(house, 60)
    readers.server.fail(method="sendMessage", skip=10, fault=Fault.too_many_requests(120))
    launch, clock = await readers.are_told(), house.app.clock

    async def until_when() -> Any:
        async with house.app.database.reading() as tx:
            return (await launches.held_until(tx, now=clock.now())).get("telegram")

    while (held := await until_when()) is None:
        await clock.sleep(0.5)
    assert timedelta(seconds=90) < held - clock.now() <= timedelta(seconds=120)
    # What was on its way already has come by now.
    await clock.sleep(5)
    told = readers.crowd.messages
    await clock.sleep(60)
    assert readers.crowd.messages == told
    progress = await progress_of(house.app.database, launch)
    assert progress.of("failed", "unknown", "sending") == 0
    assert progress.of("queued") == 60 - told
    await until(house.app.database, launch)
    assert clock.now() >= held
    assert readers.shown(launch) == Counter(readers.numbers)


@on_telegram
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_when_everybody_refuses_it_pauses_and_asks(house: House) -> None:
    readers = await crowd_of(house, 120)
    readers.crowd.blocks(1.0, seed=1)
    launch = await readers.are_told()
    await until(house.app.database, launch, lambda progress: progress.of("failed") >= PAUSE_AFTER)
    await house.app.clock.sleep(20)
    progress = await progress_of(house.app.database, launch)
    assert progress.of("failed") <= PAUSE_AFTER + WORKERS
    assert progress.of("queued") + progress.of("failed") == 120
    async with house.app.database.reading() as tx:
        paused = await launches.find(tx, launch.id)
    assert paused is not None
    assert (paused.state, paused.reason) == ("paused", "refusals")


@on_telegram
@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("fault", [Fault.server_error(), Fault.too_many_requests(3)], ids=["502", "429"])
async def test_a_long_announcement_that_broke_in_the_middle_is_not_begun_anew(
    house: House, fault: Fault
) -> None:
    readers = await crowd_of(house, 1)
    first, second = "Начало. " * 500, "Продолжение. " * 200
    readers.server.fail(method="sendMessage", skip=1, fault=fault)
    launch = await readers.are_told(f"{first}\n\n{second}")
    assert (await until(house.app.database, launch)).states == {"sent": 1}
    assert readers.crowd.messages == 2
    assert readers.crowd.shown("Начало")[readers.numbers[0]] == 1


@pytest.mark.parametrize("transport", ["telegram-polling", "vk-polling"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_whoever_sets_the_clock_loses_nobody_and_tells_nobody_twice(house: House) -> None:
    readers = await crowd_of(house, 300 if house.home == "telegram" else 10_000)
    chaos = readers.server.bad_day(Chaos(3, server_error=0.05, drop_after=0.05))
    database, clock = house.app.database, house.app.clock
    assert isinstance(clock, FastClock)
    launch = await readers.are_told()
    for hours in (2, -3, 2, -1):
        told = readers.crowd.messages
        while readers.crowd.messages == told:
            await clock.sleep(0.1)
        clock.jump(timedelta(hours=hours))
        # A launch that seems to be alone for hours is not told, or asks people: they let it go on.
        async with database.transaction() as tx:
            await launches.ask(tx, launch.id, reason="overdue", now=clock.now())
            assert await launches.resume(tx, launch.id, now=clock.now())
        house.app.wake_mailing()
    clock.jump(timedelta(hours=3))  # whoever was put back until «later» waits for that hour
    async with database.transaction() as tx:
        await launches.touch(tx, launch.id, now=clock.now())
    await until(database, launch)
    account = await compare(database, launch, readers.shown(launch), readers.numbers)
    assert (account.twice, account.lost, account.secretly) == (0, 0, 0)
    assert account.unknown <= len(chaos.dropped) * (1 if house.home == "telegram" else 100)
