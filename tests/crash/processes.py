"""A helpdesk as the operating system sees it: a folder, an environment, a process that can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.clock import SystemClock
from handlers.staff import membership as staff
from storage.database import Database
from tests.crash.nursery import READY

PROJECT = Path(__file__).parents[2]
COLD_START_SECONDS = 60.0
"""Patience with a start that imports everything, on a machine that others use too."""
LOG_LINES, LOG_ERRORS, LOG_WIDTH = 20, 8, 240
ERROR_ITSELF = re.compile(r"[\w.]*(Error|Exception)\b")
"""The last line of a traceback, which says what was wrong."""
TROUBLE = ("event_failed", "event_lost", "answer_failed", "sending_failed", "job_failed", "listening_failed")
"""Lines of the log that no crash may cause: they tell of a bug."""

_clock = SystemClock()


@dataclass(frozen=True)
class Installation:
    """One helpdesk's folder, port and settings; any number of processes may be started from it."""

    folder: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where its HTTP doors are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What all its processes have said."""
        return self.folder / "helpdesk.log"

    @property
    def environment(self) -> dict[str, str]:
        """All its settings."""
        here = {
            "HELPDESK_DATA_DIR": str(self.folder / "data"),
            # A crowd of a few people stands for a town: each of them is faster than any parent.
            "HELPDESK_MESSAGES_PER_MINUTE": "10000",
            "HELPDESK_MESSAGES_PER_HOUR": "100000",
            "HELPDESK_LISTEN": f"127.0.0.1:{self.port}",
            "HELPDESK_PUBLIC_URL": self.url,
        }
        return here | self.settings

    def said(self) -> str:
        """The log so far."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def troubles(self) -> list[str]:
        """The lines of the log that tell of a bug."""
        return [line for line in self.said().splitlines() if any(word in line for word in TROUBLE)]

    def last_words(self) -> str:
        """The errors and the end of the log, for a test that has failed."""
        lines = [line.strip()[:LOG_WIDTH] for line in self.said().splitlines()]
        errors = [line for line in lines if "[error" in line or ERROR_ITSELF.match(line)]
        told = ["ошибки в журнале:", *errors[-LOG_ERRORS:], "конец журнала:", *lines[-LOG_LINES:]]
        return "\n".join(told)

    async def answers(self, *, patience: float = COLD_START_SECONDS) -> None:
        """Wait until its HTTP doors are open."""
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as session:

            async def is_open() -> bool:
                try:
                    async with session.get(f"{self.url}/healthz") as answer:
                        return answer.status == 200
                except (aiohttp.ClientError, TimeoutError):
                    return False

            deadline = _clock.monotonic() + patience
            while not await is_open():
                assert _clock.monotonic() < deadline, f"за {patience} с не запустился:\n{self.said()[-3000:]}"
                await _clock.sleep(0.02)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the command itself, `helpdesk run`; what is still alive at the end is killed."""
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot", "run"),
                cwd=self.folder,
                env=outside() | {"PYTHONPATH": str(PROJECT)} | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


class Nursery:
    """Starts processes of any installation within a fraction of a second."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def bear(self, installation: Installation) -> int:
        """Start one more process; returns its number."""
        birth = {
            "env": installation.environment,
            "folder": str(installation.folder),
            "log": str(installation.log),
        }
        return int(self._ask(birth))

    def kill(self, number: int) -> None:
        """Kill -9; returns when nothing is left of the process."""
        os.kill(number, signal.SIGKILL)
        self._ask(number)

    def _ask(self, request: object) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextmanager
def open_nursery() -> Iterator[Nursery]:
    """The nursery's own process; its children die with it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.nursery"],
        cwd=PROJECT,
        env=outside(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert READY in process.stdout.readline()
        yield Nursery(process)
        process.kill()


async def invitation(database: Database) -> str:
    """A fresh token with which somebody becomes a member of the staff."""
    async with database.transaction() as tx:
        invited = await staff.invite(tx, role="ministry", school_id=None, municipality=None, now=_clock.now())
    return invited.token


def outside() -> dict[str, str]:
    """Our own environment without any settings of a helpdesk."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def until(ready: Callable[[], bool], complaint: Callable[[], str], *, patience: float) -> None:
    """Look again and again until it is so (real seconds of patience)."""
    deadline = _clock.monotonic() + patience
    while not ready():
        assert _clock.monotonic() < deadline, complaint()
        await _clock.sleep(0.005)
