"""How long a start takes to its first answer, and how much memory it then holds at rest.

    python -m tests.bench.first_answer [--runs 5] [--all-channels]

Starts `helpdesk run` as people do, asks in the web chat as a parent does, and reads the process's memory
(RSS) once it has been idle for some seconds. `--all-channels` connects Telegram and VK (emulated) as well.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bot.clock import SystemClock
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import VkServer

IDLE_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
QUESTION = "не приходит код из смс"
CLOCK = SystemClock()


@dataclass(frozen=True)
class Run:
    """One start: seconds to the first answer, and megabytes at rest."""

    first_answer: float
    memory: float


async def measure(folder: str, environment: dict[str, str]) -> Run:
    """Start, ask, wait for the answer, rest, look."""
    address = f"127.0.0.1:{_free_port()}"
    settings = {"HELPDESK_DATA_DIR": folder, "HELPDESK_LISTEN": address, "HELPDESK_LOG_LEVEL": "ERROR"}
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        env={**os.environ, **environment, **settings},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await _ask(f"http://{address}")
        first_answer = time.perf_counter() - began
        await CLOCK.sleep(IDLE_SECONDS)
        memory = psutil.Process(process.pid).memory_info().rss / 2**20
    finally:
        process.terminate()
        await process.wait()
    return Run(first_answer, memory)


async def _ask(base: str) -> None:
    deadline = time.perf_counter() + PATIENCE_SECONDS
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        while True:
            try:
                token = (await client.post("/chat/session")).json()["token"]
                break
            except httpx.TransportError:
                if time.perf_counter() > deadline:
                    raise
                await CLOCK.sleep(0.05)
        headers = {"Authorization": f"Bearer {token}"}
        form = {"id": (None, str(uuid.uuid4())), "text": (None, QUESTION)}
        (await client.post("/chat/messages", files=form, headers=headers)).raise_for_status()
        after = 0
        while True:
            answer = await client.get("/chat/feed", params={"after": after}, headers=headers)
            messages = answer.json()["messages"]
            if "8 800 100-70-10" in answer.text:
                return
            after = max([after, *(message["id"] for message in messages)])


@asynccontextmanager
async def _messengers(*, connected: bool) -> AsyncIterator[dict[str, str]]:
    async with AsyncExitStack() as stack:
        if not connected:
            yield {}
            return
        telegram = await stack.enter_async_context(TelegramServer())
        vk = await stack.enter_async_context(VkServer(token="vk1.a.bench", group_id=1))
        yield {
            "HELPDESK_TELEGRAM_TOKEN": telegram.token,
            "HELPDESK_TELEGRAM_API_URL": telegram.url,
            "HELPDESK_VK_TOKEN": "vk1.a.bench",
            "HELPDESK_VK_GROUP_ID": "1",
            "HELPDESK_VK_API_URL": vk.url,
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _main(runs: int, *, connected: bool) -> None:
    async with _messengers(connected=connected) as environment:
        with tempfile.TemporaryDirectory() as folder:
            # The first start makes the database and the index; then the installation is warm.
            first = await measure(folder, environment)
            results = [await measure(folder, environment) for _ in range(runs)]
    seconds = [run.first_answer for run in results]
    memory = [run.memory for run in results]
    where = "web, Telegram, VK" if connected else "web"
    write = sys.stdout.write
    write(f"channels: {where}; runs: {runs}; cores: {os.cpu_count()}; Python {platform.python_version()}\n")
    write(f"first answer with empty data, s: {first.first_answer:.2f}\n")
    write(f"first answer, s: {_spread(seconds, digits=2)}\n")
    write(f"idle memory, MB: {_spread(memory, digits=0)}\n")


def _spread(values: list[float], *, digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"min {low:.{digits}f}, median {middle:.{digits}f}, max {high:.{digits}f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--all-channels", action="store_true")
    arguments = parser.parse_args()
    if not Path("bot").is_dir():
        parser.error("run it in the project's folder")
    asyncio.run(_main(arguments.runs, connected=arguments.all_channels))
