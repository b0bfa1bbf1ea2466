"""Stopping, starting twice, and taking over: a restart is no event that parents notice."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.supervise import BUSY_RETRY_SECONDS
from handlers.texts import basics as texts
from storage.database import Database
from tests.crash.processes import COLD_START_SECONDS, Installation, Nursery, free_port, invitation
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import Fault, VkServer
from tests.house import VK_GROUP, VK_TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

QUESTION, ANSWER = "забыл пароль от госуслуг, что делать?", "8 800 100-70-10"
STOP_SECONDS = 8.0
"""What a service manager may expect; open web requests alone are given five."""
TAKE_OVER_SECONDS = 15.0
"""The second process looks every five seconds whether the channel is free."""

_clock = SystemClock()
Install = Callable[..., Installation]


def vk_settings(vk: VkServer) -> dict[str, str]:
    return {"vk_token": VK_TOKEN, "vk_group_id": str(VK_GROUP), "vk_api_url": f"{vk.url}/method/"}


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_stopped_helpdesk_ends_at_once_and_goes_on_later(
    database_url: str, nursery: Nursery, installation: Install
) -> None:
    async with VkServer(token=VK_TOKEN, group_id=VK_GROUP) as vk:
        installed = installation(database_url=database_url, **vk_settings(vk))
        async with installed.run() as process:
            await installed.answers()
            await vk.listened(timeout=COLD_START_SECONDS)
            asking, pressing = [await _greeted(vk, name) for name in ("Анна", "Пётр")]
            held = vk.fail(method="messages.send", peer_id=pressing.id, fault=Fault.execute_then_hang())
            await pressing.presses(texts.BUTTON_SECTIONS)
            await pressing.hears(texts.CHOOSE_SECTION)
            await asking.says(QUESTION)
            await vk.all_taken()
            assert held.hits == 1
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(STOP_SECONDS):
                assert await process.wait() == 0
        assert "Traceback" not in installed.said()
        await asking.hears_nothing()
        with _alive(nursery, installed):
            await asking.hears(ANSWER)
            await pressing.says("спасибо")
            await pressing.hears(texts.THANKS)
        assert _count(asking, ANSWER) == 1
        assert _count(pressing, texts.CHOOSE_SECTION) == 1
        assert vk.violations == []
    assert installed.troubles() == []


async def test_a_second_helpdesk_on_the_same_port_says_one_sentence(
    nursery: Nursery, installation: Install, tmp_path: Path
) -> None:
    first = installation()
    (tmp_path / "second").mkdir()
    second = replace(first, folder=tmp_path / "second")
    with _alive(nursery, first):
        await first.answers()
        async with second.run() as process:
            assert await process.wait() == 1
        [sentence] = second.said().splitlines()
        assert sentence.startswith(f"Адрес 127.0.0.1:{first.port} занять нельзя")
        assert "HELPDESK_LISTEN" in sentence
        await first.answers()


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
async def test_a_question_taken_before_the_crash_is_answered_after_it(
    database_url: str, nursery: Nursery, installation: Install
) -> None:
    async with VkServer(token=VK_TOKEN, group_id=VK_GROUP) as vk:
        installed = installation(database_url=database_url, **vk_settings(vk))
        with _alive(nursery, installed):
            await vk.listened()
            parent = await _greeted(vk, "Анна")
            await parent.says("здравствуйте")
            await parent.says(QUESTION)
            await vk.all_taken()
        await parent.hears_nothing()
        with _alive(nursery, installed):
            await parent.hears(ANSWER)
            await parent.hears_nothing(1.0)
        assert _count(parent, ANSWER) == 1
    assert installed.troubles() == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("trouble", ["killed", "disconnected"])
async def test_a_reply_to_a_card_of_unknown_fate_finds_its_question(
    trouble: str, database: Database, database_url: str, nursery: Nursery, installation: Install
) -> None:
    async with VkServer(token=VK_TOKEN, group_id=VK_GROUP) as vk:
        installed = installation(database_url=database_url, **vk_settings(vk))
        with _alive(nursery, installed):
            await vk.listened()
            parent, colleague = [await _greeted(vk, name) for name in ("Анна", "Мария")]
            await colleague.start(f"join-{await invitation(database)}")
            await colleague.hears(texts.NO_OPEN_TICKETS)
            await parent.says("/human")
            await parent.hears(texts.ASK_SCHOOL[:40])
            fault = Fault.execute_then_hang() if trouble == "killed" else Fault.execute_then_drop()
            vk.fail(method="messages.send", peer_id=colleague.id, fault=fault)
            await parent.says("школа 5, город Майкоп, Адыгея.")
            card = await colleague.hears("Вопрос № 1")
            if trouble == "disconnected":
                await colleague.says("Исправили", reply_to=card)
                await parent.hears("Исправили")
        if trouble == "killed":
            await colleague.says("Исправили", reply_to=card)
            with _alive(nursery, installed):
                await parent.hears("Исправили")
        assert _count(colleague, "Вопрос № 1\nШкола") == 1
    assert installed.troubles() == []


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_of_two_processes_one_listens_and_the_other_takes_over(
    database_url: str, nursery: Nursery, installation: Install, tmp_path: Path
) -> None:
    async with TelegramServer() as telegram, VkServer(token=VK_TOKEN, group_id=VK_GROUP) as vk:
        first = installation(
            database_url=database_url,
            telegram_token=telegram.token,
            telegram_api_url=telegram.url,
            **vk_settings(vk),
        )
        (tmp_path / "second").mkdir()
        second = replace(first, folder=tmp_path / "second", port=free_port())
        with ExitStack() as later:
            with _alive(nursery, first):
                await vk.listened()
                await telegram.polled()
                later.enter_context(_alive(nursery, second))
                await second.answers()
                parents = [await _greeted(messenger, "Анна") for messenger in (telegram, vk)]
                # Long enough for the second to try again, and to fail.
                await _clock.sleep(BUSY_RETRY_SECONDS + 1)
                for parent in parents:
                    await parent.says(QUESTION)
                    await parent.hears(ANSWER)
                assert len(vk.calls_of("groups.getLongPollServer")) == 1
                for parent in parents:
                    await parent.says(QUESTION)
                await telegram.all_taken()
                await vk.all_taken()
            async with asyncio.timeout(TAKE_OVER_SECONDS):
                for parent in parents:
                    await parent.hears(ANSWER, timeout=TAKE_OVER_SECONDS)
            await _clock.sleep(1)
        assert [_count(parent, ANSWER) for parent in parents] == [2, 2]
        assert len(vk.calls_of("groups.getLongPollServer")) == 2
        assert [call for call in telegram.calls if "Conflict" in call.outcome] == []
        assert vk.violations == telegram.violations == []
    assert first.troubles() == second.troubles() == []


@contextmanager
def _alive(nursery: Nursery, installation: Installation) -> Iterator[None]:
    """One process that is killed at the end."""
    number = nursery.bear(installation)
    try:
        yield
    finally:
        nursery.kill(number)


async def _greeted(messenger: Any, name: str) -> Any:
    person = messenger.person(first_name=name)
    await person.start()
    await person.hears(texts.NOTICE[:40])
    return person


def _count(person: Any, words: str) -> int:
    return sum(message.from_bot and words in message.words for message in person.chat)
