"""How a campaign goes out: whether everybody is told once, how fast, and what parents notice of it.

    python -m tests.bench.campaign --channel telegram|vk [--readers 100000] [--chaos [--storms 5]]
        [--questions] [--stop-after SECONDS] [--speed 1] [--database URL|postgresql]

The messenger is emulated in a process of its own and enforces its limits; the helpdesk is the real one.
`--chaos`: 2 % answers 5xx, 0.2 % connections that break after the deed, some storms of 429 (VK: errors 9, 29
and 6) of 3 to 10 s, 1 % of the readers have blocked us. `--questions`: meanwhile parents begin conversations
and ask, 1.5 a second. `--stop-after`: the campaign is stopped so many seconds after its first words.
`--speed` makes the clocks of both sides run faster.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy import text

from bot.app import bind, running
from bot.channels.vk.sending import random_id
from bot.clock import SystemClock
from bot.mailing import WORKERS
from bot.parts import App
from bot.settings import Settings
from handlers.parents.questions import AFTER_A_QUESTION
from storage.campaigns import launches
from storage.campaigns.campaign import Audience, Launch
from storage.database import Database
from tests.bench.messenger import clock_of
from tests.campaigns import key_of, settle, write
from tests.emulators.telegram import DEFAULT_TOKEN
from tests.house import VK_GROUP, VK_TOKEN
from tests.postgresql import address

WORDS = "Здравствуйте! До 1 сентября проверьте, что входите в электронный дневник через Госуслуги."
LIMIT = {"telegram": 30, "vk": 20}
"""Requests a second that the messenger allows."""
QUESTIONS_A_SECOND = 1.5
LANDED_SECONDS = 3.0
"""By then the requests that were on their way when the campaign was stopped have ended."""
CLOCK = SystemClock()


@dataclass(frozen=True)
class Outcome:
    """What the bench has seen of one campaign."""

    launch: Launch
    readers: list[tuple[int, str, str | None]]
    """Number among the crowd, state, reason."""
    fill_seconds: float
    cpu_seconds: float
    memory: float
    messenger: dict[str, Any]


class Messenger:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hears(self) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the messenger has fallen"
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def asked(self, **wish: object) -> dict[str, Any]:
        """Its answer to a wish."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wish).encode() + b"\n")
        return await self.hears()


async def measure(
    channel: str,
    readers: int,
    *,
    speed: float,
    storms: float | None,
    has_questions: bool,
    stop_after: float | None,
    database_url: str,
) -> Outcome:
    """Tell so many readers one announcement; with `storms` on a bad day that has about so many."""
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{folder}/helpdesk.db"
        async with _messenger(channel, readers, speed=speed, storms=storms) as messenger:
            place = await messenger.hears()
            database = Database(url)
            await database.migrate()
            numbers = range(place["first"], place["first"] + readers)
            await settle(database, channel, numbers, now=CLOCK.now())
            await database.close()
            settings = _settings(channel, folder, database_url=url, messenger_url=place["url"])
            socket = bind("127.0.0.1", 0)
            async with running(settings, clock=clock_of(speed), socket_=socket) as app:
                await app.opened.wait()
                # The index is built once per installation; it is not what is measured.
                await asyncio.to_thread(app.knowledge.build_triage)
                await app.knowledge.improve()
                if has_questions:
                    await messenger.asked(warm=1)
                return await _tell_all(
                    app,
                    messenger,
                    channel,
                    first=place["first"],
                    has_questions=has_questions,
                    stop_after=stop_after,
                )


async def _tell_all(
    app: App,
    messenger: Messenger,
    channel: str,
    *,
    first: int,
    has_questions: bool,
    stop_after: float | None,
) -> Outcome:
    cpu = time.process_time()
    launch = await _announce(app, channel)
    launch = await _in_state(app, launch, "filling", "sending", "done")
    began = time.perf_counter()
    launch = await _in_state(app, launch, "sending", "done")
    fill_seconds = time.perf_counter() - began
    if has_questions:
        await messenger.asked(ask=QUESTIONS_A_SECOND)
    if stop_after is not None:
        await CLOCK.sleep(stop_after)
        async with app.database.transaction() as tx:
            await launches.stop(tx, launch.id, now=app.clock.now())
        await CLOCK.sleep(LANDED_SECONDS)
    launch = await _in_state(app, launch, "done", "stopped", pause=1.0)
    cpu = time.process_time() - cpu
    report = await messenger.asked(report=random_id(key_of(launch)) if channel == "vk" else WORDS[:40])
    query = text("SELECT chat_id, state, reason FROM readers WHERE launch_id = :launch ORDER BY id")
    async with app.database.reading() as tx:
        rows = (await tx.execute(query, {"launch": launch.id})).all()
    listed = [(int(row.chat_id) - first, row.state, row.reason) for row in rows]
    # Whoever began a conversation before the campaign is told, too, but is not of the crowd.
    among = [each for each in listed if 0 <= each[0] < len(report["shown"])]
    return Outcome(launch, among, fill_seconds, cpu, _memory(), report)


async def _announce(app: App, channel: str) -> Launch:
    campaign = await write(
        app.database,
        words=WORDS,
        category="important",
        readers_of=Audience(channels=(channel,)),
        now=app.clock.now(),
    )
    async with app.database.transaction() as tx:
        await launches.plan(tx, campaign.id, due_at=app.clock.now())
        (launch,) = await launches.of_campaign(tx, campaign.id)
    return launch


async def _in_state(app: App, launch: Launch, *states: str, pause: float = 0.1) -> Launch:
    while True:
        async with app.database.reading() as tx:
            found = await launches.find(tx, launch.id)
        assert found is not None
        if found.state in states:
            return found
        assert found.state not in {"paused", "asks"}, found
        await CLOCK.sleep(pause)


@asynccontextmanager
async def _messenger(
    channel: str, readers: int, *, speed: float, storms: float | None
) -> AsyncIterator[Messenger]:
    chaos = ["--chaos", "--storms", str(storms)] if storms is not None else []
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.messenger", channel, str(readers), "--speed", str(speed), *chaos),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )
    try:
        yield Messenger(process)
    finally:
        process.kill()
        await process.wait()


def _settings(channel: str, folder: str, *, database_url: str, messenger_url: str) -> Settings:
    common: dict[str, Any] = {
        "database_url": database_url,
        "data_dir": Path(folder) / "data",
        "listen": "127.0.0.1:0",
        "messages_per_minute": 10_000,
        "messages_per_hour": 100_000,
    }
    if channel == "telegram":
        token = SecretStr(DEFAULT_TOKEN)
        return Settings(**common, telegram_token=token, telegram_api_url=messenger_url)
    return Settings(
        **common,
        vk_token=SecretStr(VK_TOKEN),
        vk_group_id=VK_GROUP,
        vk_api_url=f"{messenger_url}/method/",
    )


def _memory() -> float:
    """Megabytes that this process held at most."""
    import resource  # noqa: PLC0415 - not on every system

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _lines(channel: str, outcome: Outcome, *, speed: float) -> Iterator[str]:
    seen, shown = outcome.messenger, outcome.messenger["shown"]
    states = Counter(state for _, state, _ in outcome.readers)
    reasons = Counter(reason for _, state, reason in outcome.readers if state in {"failed", "skipped"})
    really = Counter((state, shown[number]) for number, state, _ in outcome.readers)
    twice = sum(count > 1 for count in shown)
    lost = sum(number for (state, times), number in really.items() if state == "sent" and not times)
    secretly = sum(
        number for (state, times), number in really.items() if state not in {"sent", "unknown"} and times
    )
    troubles = seen["troubles"]
    dropped = troubles.get("drop_after", 0) + troubles.get("drop_before", 0)
    seconds, silence = seen["seconds"], seen["silence"]
    a_second = seen["requests"] / (seconds - silence)
    told = states["sent"] / (seconds - silence)
    per_request = 100 if channel == "vk" else 1
    yield f"readers: {len(outcome.readers)} of {len(shown)} people"
    yield f"told once: {sum(count == 1 for count in shown)}; told twice: {twice}"
    yield f"states: {dict(states)}; not told by reason: {dict(reasons)}"
    yield f"«sent» but never shown: {lost}; shown but on record as not told: {secretly}"
    yield (
        f"unknown: {states['unknown']}, of them shown {really['unknown', 1]}; dropped answers {dropped}, "
        f"so explained: {states['unknown'] <= (dropped if channel == 'telegram' else 0)} (workers: {WORKERS})"
    )
    yield f"troubles: {troubles}; storms: {seen['storms']}"
    yield f"over the limit: {seen['limit_hits']}; violations: {seen['violations']}"
    yield f"seconds: {seconds:.1f}, of them silence ordered by storms: {silence:.1f}; speed: {speed:g}"
    yield (
        f"requests: {seen['requests']}, {a_second:.2f}/s = {a_second / LIMIT[channel]:.1%} of the limit; "
        f"told {told:.1f}/s = {told / per_request / LIMIT[channel]:.1%}"
    )
    yield f"filling: {outcome.fill_seconds:.1f} s"
    yield f"CPU: helpdesk {outcome.cpu_seconds:.0f} s, messenger {seen['cpu']:.0f} s"
    yield f"memory: {outcome.memory:.0f} MB"
    if seen["answers"]:
        own = AFTER_A_QUESTION.total_seconds() / speed
        yield f"first greetings, s: {_spread(seen['greetings'])}"
        yield f"answers with the pause for more text, s: {_spread(seen['answers'])}"
        yield f"answers without it ({own:g} s), s: {_spread([each - own for each in seen['answers']])}"
        yield f"unanswered: {seen['unanswered']}"


def _spread(values: list[float]) -> str:
    last = statistics.quantiles(values, n=100)[-1] if len(values) > 1 else values[0]
    return f"median {statistics.median(values):.2f}, p99 {last:.2f}, max {max(values):.2f} ({len(values)})"


def _main(arguments: argparse.Namespace) -> None:
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(40),
    )
    load = os.getloadavg()[0]
    with address(arguments.database) as url:
        outcome = asyncio.run(
            measure(
                arguments.channel,
                arguments.readers,
                speed=arguments.speed,
                storms=arguments.storms if arguments.chaos else None,
                has_questions=arguments.questions,
                stop_after=arguments.stop_after,
                database_url=url,
            )
        )
    write = sys.stdout.write
    write(f"{' '.join(sys.argv[1:])}\n")
    write(f"cores: {os.cpu_count()}, load before {load:.1f} and after {os.getloadavg()[0]:.1f}; ")
    write(f"Python {platform.python_version()}\n")
    for line in _lines(arguments.channel, outcome, speed=arguments.speed):
        write(f"{line}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--channel", choices=["telegram", "vk"], required=True)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--chaos", action="store_true")
    parser.add_argument("--storms", type=float, default=5, help="in the whole campaign, about")
    parser.add_argument("--questions", action="store_true")
    parser.add_argument("--stop-after", type=float)
    parser.add_argument("--database", default="", help="an empty database, or the word postgresql")
    _main(parser.parse_args())
