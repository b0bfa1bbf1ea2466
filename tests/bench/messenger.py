"""The other side of the campaign bench: an emulated messenger with a crowd, in a process of its own.

It says in a line of JSON where it listens, and answers each line of JSON with another: {"warm": 1} asks one
question and waits for its answer, {"ask": 1.5} goes on asking so many questions a second, {"report": words}
tells what the crowd was shown (Telegram: these words; VK: what came with this random_id).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.clock import Clock, SystemClock
from handlers.texts import basics as texts
from tests.clock import FastClock
from tests.emulators.chaos import Chaos, Trouble
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import VkServer
from tests.house import VK_GROUP, VK_TOKEN

QUESTION, ANSWER = "забыл пароль от госуслуг, что делать?", "8 800 100-70-10"
PATIENCE = 120.0
"""Seconds for one answer: how late the latest of them came is to be seen."""
BLOCKED = 0.01
SERVER_ERROR, DROP_AFTER = 0.02, 0.002
STORMS = 5
"""In a campaign that takes an hour (Telegram's 100,000), about; `--storms` for one that takes a minute."""
STORM_SECONDS = (3.0, 10.0)


def clock_of(speed: float) -> Clock:
    """Ours, or one that runs so many times faster."""
    return FastClock(speed) if speed != 1 else SystemClock()


@dataclass
class Meter(Chaos):
    """Spoils what the crowd is sent, and counts the requests for it."""

    is_theirs: Callable[[str], bool] = lambda _: True
    """Whether a request is for the crowd."""
    in_whole_seconds: bool = False
    """Whether a storm's end is told as seconds, rounded up."""
    requests: int = 0
    first: float = math.inf
    last: float = 0.0
    silence: float = 0.0
    """Seconds in which storms forbade everything."""
    told: list[str] = field(default_factory=list)
    """To whom requests were made while they could be, for who was told of a storm is told again."""

    def strikes(self, now: float, *, chats: str) -> Trouble | None:
        """What happens to a request that comes at `now` (seconds) for these chats."""
        if not self.storm_left(now):
            self.storm_seconds = self._dice.uniform(*STORM_SECONDS)
        storms = self.storms_begun
        trouble = super().strikes(now, chats=chats)
        if self.storms_begun > storms:
            left = self.storm_seconds
            self.silence += math.ceil(left) if self.in_whole_seconds else left
        if self.is_theirs(chats):
            self.requests += 1
            self.first, self.last = min(self.first, now), now
        return trouble


class Askers:
    """Parents who begin a conversation and ask one question; measures how long they wait."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._going: asyncio.Task[None] | None = None
        self.greetings: list[float] = []
        self.answers: list[float] = []
        self.unanswered = 0

    async def warm(self) -> None:
        """Ask one question that is not measured."""
        await self._ask(0)
        self.greetings.clear()
        self.answers.clear()

    def begin(self, a_second: float) -> None:
        """Ask so many questions a second until `end`."""
        self._going = asyncio.create_task(self._keep_asking(a_second))

    async def end(self) -> None:
        """Ask nothing more and wait for the last answers."""
        if self._going is not None:
            self._going.cancel()
            await asyncio.gather(self._going, return_exceptions=True)
        await asyncio.gather(*self._tasks)

    async def _keep_asking(self, a_second: float) -> None:
        chance, number = random.Random(6), 0
        while True:
            number += 1
            task = asyncio.create_task(self._ask(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await SystemClock().sleep(chance.uniform(0.5, 1.5) / a_second)

    async def _ask(self, number: int) -> None:
        person = self._server.person(first_name=f"Анна{number}")
        try:
            began = time.perf_counter()
            await person.start()
            await person.hears(texts.NOTICE[:40], timeout=PATIENCE)
            self.greetings.append(time.perf_counter() - began)
            began = time.perf_counter()
            await person.says(QUESTION)
            await person.hears(ANSWER, timeout=PATIENCE)
            self.answers.append(time.perf_counter() - began)
        except AssertionError:
            self.unanswered += 1


async def serve(channel: str, readers: int, *, speed: float, storms: float | None, seed: int) -> None:
    """Be the messenger until the end of input; with `storms` on a bad day that has about so many."""
    clock = clock_of(speed)
    server: Any = (
        TelegramServer(clock=clock, lean=True)
        if channel == "telegram"
        else VkServer(token=VK_TOKEN, group_id=VK_GROUP, clock=clock, lean=True)
    )
    async with server:
        crowd = server.crowd(readers)
        numbers = crowd.ids if channel == "telegram" else crowd.peers
        requests = readers if channel == "telegram" else math.ceil(readers / 100)
        meter = Meter(
            seed,
            is_theirs=lambda chats: bool(chats) and int(chats.split(",")[0]) in numbers,
            in_whole_seconds=channel == "telegram",
        )
        if storms is not None:
            crowd.blocks(BLOCKED, seed=seed)
            meter.server_error, meter.drop_after = SERVER_ERROR, DROP_AFTER
            meter.storms = storms / requests
        server.bad_day(meter)
        askers = Askers(server)
        _tell({"url": server.url, "first": numbers.start})
        while line := await asyncio.to_thread(sys.stdin.readline):
            wish = json.loads(line)
            if "warm" in wish:
                await askers.warm()
            if "ask" in wish:
                askers.begin(wish["ask"])
            report: dict[str, Any] = {}
            if "report" in wish:
                await askers.end()
                report = _report(server, meter, askers)
                shown = crowd.shown(wish["report"])
                report["shown"] = [shown[number] for number in numbers]
                report["messages"] = crowd.messages
            _tell(report)


def _report(server: Any, meter: Meter, askers: Askers) -> dict[str, Any]:
    return {
        "requests": meter.requests,
        "seconds": meter.last - meter.first,
        "silence": meter.silence,
        "troubles": dict(meter.counts),
        "storms": meter.storms_begun,
        "limit_hits": len(server.limit_hits),
        "violations": server.violations[:5],
        "greetings": askers.greetings,
        "answers": askers.answers,
        "unanswered": askers.unanswered,
        "cpu": time.process_time(),
    }


def _tell(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the messenger of tests.bench.campaign")
    parser.add_argument("channel", choices=["telegram", "vk"])
    parser.add_argument("readers", type=int)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--chaos", action="store_true")
    parser.add_argument("--storms", type=float, default=STORMS)
    given = parser.parse_args()
    asyncio.run(
        serve(
            given.channel,
            given.readers,
            speed=given.speed,
            storms=given.storms if given.chaos else None,
            seed=given.seed,
        )
    )
