"""Kill -9 at any moment of a conversation: nothing is lost, and on VK nothing is said twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from bot.clock import SystemClock
from faq.diagnosis.tree import Leaf
from faq.markup import plain
from handlers.knowledge import Knowledge
from storage import outbox
from storage.database import Database
from tests.crash.conftest import OUTCOME
from tests.crash.crowd import Crowd, Question, all_heard, settle_accounts
from tests.crash.processes import Installation, Nursery, invitation
from tests.emulators.telegram import Fault as TelegramFault
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import UPLOAD, VkServer
from tests.emulators.vk import Fault as VkFault
from tests.house import VK_CONFIRMATION, VK_GROUP, VK_SECRET, VK_TOKEN, WEBHOOK_SECRET
from tests.sizes import long, size

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

VK_KILLS, TELEGRAM_KILLS = size(3, 13), size(2, 8)
"""Of each combination: by `make long` four on VK make 52, two on Telegram 16."""
MOMENTS = ("sent", "start", "receiving", "answering", "sending", "slow", "uploading", "whenever")
NO_SUCH_MOMENT_SECONDS = 4.0
"""Kill anyway when the moment does not come."""
DEBOUNCE_SECONDS = 1.5
SETTLED_SECONDS = 30.0
UNSENT_SHOWN = 12

_clock = SystemClock()


@pytest.mark.parametrize(
    ("transport", "database_kind"),
    [
        ("vk-polling", "postgresql"),
        ("vk-callback", "sqlite"),
        pytest.param("vk-polling", "sqlite", marks=long),
        pytest.param("vk-callback", "postgresql", marks=long),
    ],
)
async def test_vk_loses_nothing_and_says_nothing_twice(
    transport: str,
    database_url: str,
    database: Database,
    knowledge: Knowledge,
    nursery: Nursery,
    installation: Callable[..., Installation],
    record_property: Callable[[str, object], None],
) -> None:
    async with VkServer(token=VK_TOKEN, group_id=VK_GROUP) as vk:
        installed = installation(
            database_url=database_url,
            vk_token=VK_TOKEN,
            vk_group_id=str(VK_GROUP),
            vk_api_url=f"{vk.url}/method/",
            vk_mode="callback" if transport == "vk-callback" else "polling",
            vk_confirmation=VK_CONFIRMATION,
            vk_secret=VK_SECRET,
        )
        killing = Killing(nursery, installed, _vk_trap(vk))
        crowd = Crowd(
            lambda name: vk.person(first_name=name),
            _questions(knowledge),
            pace=0.3,
            seed=killing.seed,
            replies=True,
        )

        async def listening() -> None:
            if transport == "vk-callback":
                address = f"{installed.url}/vk/callback"
                await vk.set_callback(address, secret=VK_SECRET, confirmation=VK_CONFIRMATION)
            else:
                await vk.listened()

        await killing.run(crowd, database, kills=VK_KILLS, listening=listening)
        account = settle_accounts(crowd, exactly_once=True, in_order=True)
    sends = [call.params["random_id"] for call in vk.calls_of("messages.send")]
    dropped = len(sends) - len(set(sends))
    record_property(OUTCOME, f"{killing.told()}, ответов {account.answers}, повторов отброшено VK {dropped}")
    assert account.wrong == []
    assert await _left_over(database, "vk") == {}
    assert vk.violations == []
    assert installed.troubles() == []
    # The kills did hit the gap between «sent» and «recorded»; without it nothing was proven.
    assert dropped >= killing.hits["sent"] > 0


@pytest.mark.parametrize(
    ("transport", "database_kind"), [("telegram-polling", "sqlite"), ("telegram-webhook", "postgresql")]
)
async def test_telegram_loses_nothing(
    transport: str,
    database_url: str,
    database: Database,
    knowledge: Knowledge,
    nursery: Nursery,
    installation: Callable[..., Installation],
    record_property: Callable[[str, object], None],
) -> None:
    async with TelegramServer() as telegram:
        installed = installation(
            database_url=database_url,
            telegram_token=telegram.token,
            telegram_api_url=telegram.url,
            telegram_mode="webhook" if transport == "telegram-webhook" else "polling",
            telegram_webhook_secret=WEBHOOK_SECRET,
        )
        killing = Killing(nursery, installed, _telegram_trap(telegram))
        crowd = Crowd(
            lambda name: telegram.person(first_name=name),
            _questions(knowledge),
            pace=1.1,
            seed=killing.seed,
            replies=False,
        )

        async def listening() -> None:
            if transport == "telegram-polling":
                await telegram.polled()

        await killing.run(crowd, database, kills=TELEGRAM_KILLS, listening=listening)
        account = settle_accounts(crowd, exactly_once=False, in_order=True)
    record_property(OUTCOME, f"{killing.told()}, ответов {account.answers}, повторено {account.repeats}")
    assert account.wrong == []
    assert await _left_over(database, "telegram") == {}
    assert telegram.violations == []
    assert installed.troubles() == []
    # At most what was on the wire at each death is said again.
    assert account.repeats <= TELEGRAM_KILLS * len(crowd.guests)


def _new_seed() -> int:
    """Another one each time; HELPDESK's own prefix would be refused as a wrong setting."""
    return int(os.environ.get("CRASH_SEED", "") or random.SystemRandom().randrange(1_000_000))


@dataclass
class Killing:
    """A helpdesk that dies again and again, and the moments at which it does."""

    nursery: Nursery
    installation: Installation
    trap: Callable[[str], Any]
    """Orders the messenger to hold the next request of this kind; returns the rule that counts it."""
    seed: int = field(default_factory=_new_seed)
    hits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOMENTS, 0))
    """How often each moment was really met."""
    kills: int = 0

    async def run(
        self, crowd: Crowd, database: Database, *, kills: int, listening: Callable[[], Any]
    ) -> None:
        """Let the crowd talk through so many deaths, and hear everything out in one last life."""
        sys.stdout.write(f"seed {self.seed}\n")
        chance = random.Random(self.seed)
        others = list(MOMENTS) * (kills // len(MOMENTS) + 1)
        chance.shuffle(others)
        # The gap between «sent» and «recorded» is what must be met; a moment does not always come.
        moments = ["sent", "sent", *others][: kills - 1]
        chance.shuffle(moments)
        try:
            async with self._life() as first:
                await self.installation.answers()
                await listening()
                await crowd.join(lambda: invitation(database))
                crowd.begin()
                await self._strike("whenever", first, crowd, chance)
            for moment in moments:
                async with self._life() as number:
                    await self._strike(moment, number, crowd, chance)
                    crowd.check_alive()
            # The last life is the command itself, from a cold start.
            async with self.installation.run() as process:
                await self.installation.answers()
                await crowd.end()
                await all_heard(crowd)
                await _settled(database)
                process.send_signal(signal.SIGTERM)
                assert await process.wait() == 0
        except Exception as error:
            error.add_note(f"seed {self.seed}\n{await _unsent(database)}\n{self.installation.last_words()}")
            raise
        finally:
            await crowd.cancel()

    def told(self) -> str:
        """For the report."""
        met = ", ".join(f"{moment} {count}" for moment, count in self.hits.items() if count)
        return f"seed {self.seed}, убит {self.kills} раз ({met})"

    @asynccontextmanager
    async def _life(self) -> AsyncIterator[int]:
        number = self.nursery.bear(self.installation)
        try:
            yield number
        finally:
            self.nursery.kill(number)
            self.trap("")

    async def _strike(self, moment: str, number: int, crowd: Crowd, chance: random.Random) -> None:
        """Wait for the moment and kill."""
        met = await self._moment(moment, crowd, chance)
        os.kill(number, signal.SIGKILL)
        self.kills += 1
        self.hits[moment] += met

    async def _moment(self, moment: str, crowd: Crowd, chance: random.Random) -> bool:
        if moment == "start":
            await _clock.sleep(chance.uniform(0.0, 0.4))
            return True
        await self.installation.answers()
        try:
            async with asyncio.timeout(NO_SUCH_MOMENT_SECONDS):
                if moment == "receiving":
                    await crowd.a_word()
                    await _clock.sleep(chance.uniform(0.0, 0.04))
                elif moment == "answering":
                    await crowd.a_question()
                    await _clock.sleep(DEBOUNCE_SECONDS + chance.uniform(-0.05, 0.15))
                elif moment == "whenever":
                    await _clock.sleep(chance.uniform(0.2, 2.0))
                else:
                    await self._caught(moment)
        except TimeoutError:
            return False
        return True

    async def _caught(self, moment: str) -> None:
        rule = self.trap(moment)
        while not rule.hits:
            await _clock.sleep(0.003)
        # Let the messenger do what it was asked before the asker dies.
        await _clock.sleep(0.05)


def _vk_trap(vk: VkServer) -> Callable[[str], Any]:
    def trap(moment: str) -> Any:
        vk.heal()
        if moment == "sending":
            return vk.fail(method="messages.send", fault=VkFault.hang())
        if moment == "sent":
            return vk.fail(method="messages.send", fault=VkFault.execute_then_hang())
        if moment == "slow":
            # Carried out after the death of the one who asked.
            return vk.fail(method="messages.send", fault=VkFault.slow(0.3))
        return vk.fail(method=UPLOAD, fault=VkFault.execute_then_hang()) if moment else None

    return trap


def _telegram_trap(telegram: TelegramServer) -> Callable[[str], Any]:
    def trap(moment: str) -> Any:
        telegram.heal()
        if moment == "sending":
            return telegram.fail(method="sendMessage", fault=TelegramFault.hang())
        if moment == "sent":
            return telegram.fail(method="sendMessage", fault=TelegramFault.execute_then_hang())
        if moment == "slow":
            return telegram.fail(method="sendMessage", fault=TelegramFault.slow(0.3))
        return telegram.fail(method="sendPhoto", fault=TelegramFault.execute_then_hang()) if moment else None

    return trap


def _questions(knowledge: Knowledge) -> list[Question]:
    """One question of each topic, in words that have only one answer; some error texts are asked about."""
    triage = knowledge.build_triage()
    found = []
    for topic in knowledge.base.topics.values():
        text = f"{topic.phrasings[0]}?"
        step = triage.understand(text).step
        if step is None or isinstance(step.shown, Leaf):
            found.append(Question(text, plain(knowledge.answer(topic))[:60]))
    return found


async def _settled(database: Database) -> None:
    """Wait until nothing is on its way."""
    deadline = _clock.monotonic() + SETTLED_SECONDS
    while any(state in {"queued", "sending"} for _, state in await _count(database)):
        assert _clock.monotonic() < deadline, "исходящие не кончаются"
        await _clock.sleep(0.1)


async def _unsent(database: Database) -> str:
    """The letters that were not sent, for a test that has failed."""
    query = text(
        "SELECT id, chat_id, priority, state, attempts, pieces_sent, not_before, error"
        " FROM outbox WHERE state <> 'sent' ORDER BY id LIMIT :shown"
    )
    async with database.reading() as tx:
        rows = (await tx.execute(query, {"shown": UNSENT_SHOWN})).mappings().all()
    letters = [" ".join(f"{name}={value}" for name, value in row.items()) for row in rows]
    return "\n".join([f"не отправлено ({_clock.now():%H:%M:%S}):", *letters])


async def _left_over(database: Database, channel: str) -> dict[str, int]:
    """Letters of the channel that were not sent, by state."""
    counted = await _count(database)
    return {state: count for (name, state), count in counted.items() if name == channel and state != "sent"}


async def _count(database: Database) -> dict[tuple[str, str], int]:
    async with database.reading() as tx:
        return await outbox.count(tx)
