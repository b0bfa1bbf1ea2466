"""What goes wrong while announcements are on their way, and what people then see."""

from __future__ import annotations

from datetime import datetime

import pytest

from handlers.texts import basics
from storage.campaigns import launches, readers
from storage.campaigns.campaign import Launch
from storage.campaigns.readers import Batch
from storage.database import Unavailable
from tests.bot.test_mailing import TEXT, announce, reader_of, told
from tests.campaigns import settle
from tests.emulators.telegram import Fault
from tests.emulators.vk import Fault as VkFault
from tests.house import House
from tests.ways import two_ways

on_telegram = pytest.mark.parametrize("transport", ["telegram-polling"], indirect=True)


async def launch_now(house: House, number: int) -> Launch:
    async with house.app.database.reading() as tx:
        found = await launches.find(tx, number)
    assert found is not None
    return found


@on_telegram
async def test_a_revoked_key_of_vk_stops_nobody_on_telegram(house: House) -> None:
    """All waited until somebody had mended VK."""
    maria = await house.colleague("Мария", messenger="telegram")
    boris = house.person("vk", "Борис")
    await boris.start()
    await boris.hears(basics.NOTICE[:40])
    crowd = house.telegram.crowd(20)
    await settle(house.app.database, "telegram", crowd.ids, now=house.app.clock.now())
    house.vk.fail(method="messages.send", times=10_000, fault=VkFault.error(5))
    # Telegram's readers wait until VK has said no.
    house.telegram.fail(method="sendMessage", fault=Fault.too_many_requests(60))

    launch = await announce(house)
    await maria.hears("В других каналах оно отправляется дальше")
    await maria.hears("поставлено на паузу: канал не работает")
    paused = await launch_now(house, launch)
    assert (paused.state, paused.reason) == ("paused", "channel"), "VK's reader waits for people"
    assert len(house.vk.calls_of("messages.send")) < 60, "it is tried once a minute, and not all the time"
    async with house.app.database.reading() as tx:
        left = await readers.listed(tx, [launch], states=("queued", "sending", "failed", "unknown"), limit=9)
    assert [(each.channel, each.state) for each in left] == [("vk", "queued")]
    assert ["В других" in message.words for message in maria.chat].count(True) == 1


@two_ways
async def test_who_was_taken_when_the_line_to_the_database_broke_is_told_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim was kept and its answer lost: the reader stayed «отправляется», and so did the launch."""
    anna = await house.parent("Анна")
    keeper = next(each for each in house.app.keepers if each.channel.name == house.home)
    mailing, cut = keeper.mailing, list[datetime]()
    claim = mailing._claim_at

    async def claim_and_lose_the_answer(now: datetime) -> Batch | None:
        batch = await claim(now)
        if batch is not None and batch.readers and not cut:
            cut.append(now)
            raise Unavailable("the line broke after the commit")
        return batch

    monkeypatch.setattr(mailing, "_claim_at", claim_and_lose_the_answer)
    launch = await announce(house)
    assert (await told(house, launch)).states == {"sent": 1}
    assert cut, "it did break"
    assert [TEXT in message.words for message in anna.chat].count(True) == 1


@on_telegram
async def test_the_rest_of_a_long_announcement_does_not_come_after_it_was_stopped(house: House) -> None:
    """The second half came half a minute after «стоп»."""
    anna = await house.parent("Анна")
    first, second = "Начало. " * 500, "Продолжение. " * 200
    house.telegram.fail(method="sendMessage", skip=1, fault=Fault.too_many_requests(20))
    launch = await announce(house, first + second)
    await anna.hears("Начало")
    async with house.app.database.transaction() as tx:
        assert await launches.stop(tx, launch, now=house.app.clock.now())
    for _ in range(400):
        if (await reader_of(house, launch)).state == "unknown":
            break
        await house.app.clock.sleep(1)
    assert (await reader_of(house, launch)).state == "unknown"
    assert not [message for message in anna.chat if "Продолжение" in message.words]
