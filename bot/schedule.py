"""The alarm clock: wakes the deeds that look into the database for what is due. Every tick may be missed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import Clock, sleep_unless
from storage import inbox, outbox
from storage.database import Database, Unavailable

_log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""How often to look for answers that are due although nobody woke us (another process took the event)."""
REFRESH_SECONDS = 10
SWEEP_HOURS = 6
KEEP_INBOX = timedelta(days=14)
"""No messenger repeats an event after so long (Telegram keeps updates for 24 hours)."""
KEEP_SENT = timedelta(days=180)
"""So long a reply to an old message still finds its question."""


class Answers:
    """Gives the answers when their time comes."""

    def __init__(self, answer_due: Callable[[], Awaitable[datetime | None]], *, clock: Clock) -> None:
        self._answer_due = answer_due
        self._clock = clock
        self._woken = asyncio.Event()
        self._next: datetime | None = None

    def wake(self, due: datetime | None) -> None:
        """An answer is due at this moment."""
        if due is not None and (self._next is None or due < self._next):
            self._next = due
            self._woken.set()

    async def run(self) -> None:
        """Look, answer, sleep until the next one is due; until cancelled."""
        while True:
            self._woken.clear()
            self._next = None
            due = await self._answer_due()
            if due is not None and (self._next is None or due < self._next):
                self._next = due
            wait = LOOK_SECONDS
            if self._next is not None:
                wait = min(wait, (self._next - self._clock.now()).total_seconds())
            if wait > 0:
                await sleep_unless(self._woken, wait, clock=self._clock)


def scheduler(
    database: Database, refresh: Callable[[], Awaitable[bool]], *, clock: Clock
) -> AsyncIOScheduler:
    """The ticks that count in seconds and hours; not started yet."""
    ticks = AsyncIOScheduler(timezone="UTC")
    ticks.add_job(
        _quietly("refresh", refresh), "interval", seconds=REFRESH_SECONDS, max_instances=1, coalesce=True
    )

    async def sweep() -> None:
        async with database.transaction() as tx:
            events = await inbox.forget_before(tx, clock.now() - KEEP_INBOX)
            letters = await outbox.forget_sent_before(tx, clock.now() - KEEP_SENT)
        _log.info("swept", events=events, letters=letters)

    ticks.add_job(_quietly("sweep", sweep), "interval", hours=SWEEP_HOURS, max_instances=1, coalesce=True)
    return ticks


def _quietly(name: str, job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        try:
            await job()
        except Unavailable as error:
            _log.warning("tick_missed", job=name, error=str(error))
        except Exception as error:
            _log.exception("tick_failed", job=name, error=type(error).__name__)

    return run
