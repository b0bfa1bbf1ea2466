"""Readers by the thousand and bad days: both emulators count what they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.clock import StoppedClock
from tests.emulators.chaos import Chaos
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import VkServer

Answer = tuple[int, str]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def vk(clock: StoppedClock) -> AsyncIterator[VkServer]:
    async with VkServer(lean=True, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def telegram(clock: StoppedClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(lean=True, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def send_by_vk(
    session: aiohttp.ClientSession, vk: VkServer, peers: range | list[int], *, random_id: int = 7
) -> Answer:
    form = {
        "access_token": vk.token,
        "v": "5.199",
        "random_id": str(random_id),
        "message": "Объявление",
        "peer_ids": ",".join(map(str, peers)),
    }
    async with session.post(f"{vk.url}/method/messages.send", data=form) as answer:
        return answer.status, await answer.text()


async def send_by_telegram(session: aiohttp.ClientSession, server: TelegramServer, chat_id: int) -> Answer:
    body = {"chat_id": chat_id, "text": "Объявление № 1"}
    async with session.post(f"{server.url}/bot{server.token}/sendMessage", json=body) as answer:
        return answer.status, await answer.text()


async def test_a_crowd_on_vk_counts_what_each_was_shown(vk: VkServer, session: aiohttp.ClientSession) -> None:
    crowd = vk.crowd(1000)
    away = crowd.blocks(0.01, seed=1)
    assert len(away) == 10
    for at in range(0, 1000, 100):
        await send_by_vk(session, vk, crowd.peers[at : at + 100])
    await send_by_vk(session, vk, crowd.peers[50:150])
    shown = crowd.shown(7)
    assert shown == Counter(peer for peer in crowd.peers if peer not in away)
    assert crowd.messages == 990
    assert (vk.calls, vk.count_of["messages.send"]) == ([], 11)


async def test_a_crowd_on_vk_is_told_again_after_an_hour_or_with_another_number(
    vk: VkServer, session: aiohttp.ClientSession, clock: StoppedClock
) -> None:
    peer = vk.crowd(1).peers[0]
    (crowd,) = vk.world.crowds
    for random_id in (7, 7, 8, 0, 0):
        await send_by_vk(session, vk, [peer], random_id=random_id)
    assert (crowd.shown(7)[peer], crowd.shown(8)[peer], crowd.shown(0)[peer]) == (1, 1, 2)
    await clock.sleep(3600)
    await send_by_vk(session, vk, [peer])
    assert crowd.shown(7)[peer] == 2


async def test_the_blocked_of_a_crowd_get_an_error_each(vk: VkServer, session: aiohttp.ClientSession) -> None:
    crowd = vk.crowd(3)
    crowd.refusals[crowd.peers[1]] = 900
    _, text = await send_by_vk(session, vk, crowd.peers)
    assert text.count('"code": 900') == 1
    assert text.count('"error"') == 1


async def test_somebody_of_a_crowd_can_speak_up(vk: VkServer, session: aiohttp.ClientSession) -> None:
    crowd = vk.crowd(2)
    anna = vk.person(crowd.peers[0])
    await anna.start()
    await send_by_vk(session, vk, crowd.peers)
    assert anna.chat[-1].text == "Объявление"
    assert list(crowd.shown(7)) == [crowd.peers[1]]


async def test_a_crowd_on_telegram_counts_what_each_was_shown(
    telegram: TelegramServer, session: aiohttp.ClientSession
) -> None:
    crowd, other = telegram.crowd(100), telegram.crowd(1)
    away = crowd.blocks(0.1, seed=1)
    statuses = Counter([(await send_by_telegram(session, telegram, chat))[0] for chat in crowd.ids])
    await send_by_telegram(session, telegram, other.ids[0])
    assert statuses == {200: 90, 403: 10}
    assert crowd.shown("№ 1") == Counter(chat for chat in crowd.ids if chat not in away)
    assert (crowd.messages, other.messages) == (90, 1)
    assert (telegram.calls, telegram.count_of["sendMessage"]) == ([], 101)


async def test_a_crowd_on_telegram_has_its_limits(
    clock: StoppedClock, session: aiohttp.ClientSession
) -> None:
    async with TelegramServer(lean=True, clock=clock) as server:
        crowd = server.crowd(40)
        statuses = [(await send_by_telegram(session, server, chat))[0] for chat in crowd.ids]
        assert Counter(statuses) == {200: 30, 429: 10}
        assert len(server.limit_hits) == 10


def test_a_bad_day_is_the_same_for_the_same_seed() -> None:
    days = [Chaos(5, server_error=0.1, drop_before=0.1, drop_after=0.1, storms=0.01) for _ in range(2)]
    first, second = ([day.strikes(at / 10, chats=str(at)) for at in range(2000)] for day in days)
    assert first == second
    assert days[0].storms_begun > 1
    assert days[0].counts["storm"] > days[0].storms_begun
    assert len(days[0].dropped) == days[0].counts["drop_before"] + days[0].counts["drop_after"]
    assert 120 < days[0].counts["server_error"] < 240


async def test_a_bad_day_of_telegram_tells_what_it_did(
    telegram: TelegramServer, session: aiohttp.ClientSession, clock: StoppedClock
) -> None:
    crowd = telegram.crowd(400)
    day = telegram.bad_day(
        Chaos(3, server_error=0.05, drop_before=0.05, drop_after=0.05, storms=0.01, storm_seconds=2)
    )
    outcomes: Counter[str] = Counter()
    for chat in crowd.ids:
        await clock.sleep(0.1)
        try:
            status, text = await send_by_telegram(session, telegram, chat)
        except aiohttp.ClientError:
            outcomes["dropped"] += 1
            continue
        outcomes[str(status)] += 1
        assert status != 429 or '"retry_after"' in text
    assert outcomes["dropped"] == len(day.dropped) > 10
    assert outcomes["500"] + outcomes["502"] == day.counts["server_error"] > 5
    assert outcomes["429"] == day.counts["storm"] > 5
    assert crowd.messages == outcomes["200"] + day.counts["drop_after"]
    assert telegram.limit_hits == []
    telegram.heal()
    assert (await send_by_telegram(session, telegram, crowd.ids[0]))[0] == 200


async def test_a_bad_day_of_vk_tells_what_it_did(
    vk: VkServer, session: aiohttp.ClientSession, clock: StoppedClock
) -> None:
    crowd = vk.crowd(400)
    day = vk.bad_day(Chaos(3, server_error=0.05, drop_before=0.05, drop_after=0.05, storms=0.01))
    dropped = taken = 0
    for peer in crowd.peers:
        await clock.sleep(0.1)
        try:
            _, text = await send_by_vk(session, vk, [peer])
        except aiohttp.ClientError:
            dropped += 1
            continue
        taken += '"response"' in text
    assert dropped == len(day.dropped) > 10
    assert crowd.messages == taken + day.counts["drop_after"]
    assert day.counts["server_error"] > 5
    assert day.counts["storm"] > 5
    # The same once more, with the same number, and everybody has it once.
    vk.heal()
    for at in range(0, 400, 100):
        await send_by_vk(session, vk, crowd.peers[at : at + 100])
    assert crowd.shown(7) == Counter(crowd.peers)
