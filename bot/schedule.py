"""The alarm clock: wakes the deeds that look into the database for what is due. Every tick may be missed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.channels.files import Files
from bot.clock import Clock, sleep_unless
from storage import forgetting, inbox
from storage.campaigns import book
from storage.database import Database, Unavailable

_log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""How often to look for answers that are due although nobody woke us (another process took the event)."""
REFRESH_SECONDS = 10
LAUNCH_SECONDS = 10
"""How often to look which announcements are to be started, and whether those on their way are well."""
DEEDS_SECONDS = 60
"""How often the house looks for deeds of its own: questions to ask, deadlines to keep."""
SWEEP_HOURS = 6
KEEP_INBOX = timedelta(days=14)
"""No messenger repeats an event after so long (Telegram keeps updates for 24 hours)."""
NIGHT_HOUR, NIGHT_MINUTE = 0, 30
"""UTC, so half past three in Moscow: when what is too old is deleted."""
AFTER_START = timedelta(minutes=10)
"""Whoever switches the machine off for the night has it done soon after the start."""
MISSED_SECONDS = 3600
PAUSE_SECONDS = 0.2
"""Between two portions of what is too old: others want to write, too."""
ERASE_SECONDS = 15
"""How soon files of a forgotten person go, and how often a log that is being read is tried again."""


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


async def delete_old(database: Database, files: Files, *, keep_days: int, clock: Clock) -> None:
    """Delete what was said longer ago than `keep_days`, in small portions; open questions keep theirs."""
    before = clock.now() - timedelta(days=keep_days)
    total = forgetting.Swept()
    while True:
        async with database.transaction() as tx:
            swept = await forgetting.sweep(tx, before=before, now=clock.now())
        total += swept
        if swept.total < forgetting.PORTION:
            break
        await clock.sleep(PAUSE_SECONDS)
    async with database.reading() as tx:
        kept = await forgetting.files_kept(tx) | await book.files_kept(tx)
    strays = await files.drop_strays(kept, before=before)
    _log.info("old_deleted", **asdict(total), strays=strays)


async def erase(database: Database, files: Files, *, clock: Clock) -> bool:
    """Remove what forgetting leaves outside the tables; False when it must be tried again.

    May be repeated and may die anywhere: a row is taken off the list when its thing is gone.
    """
    while True:
        async with database.reading() as tx:
            waiting = await forgetting.leftovers_waiting(tx, now=clock.now())
        # The log comes last: by then nothing but it holds what is gone.
        done = [each for each in waiting if each.kind != "log"] or waiting
        if not done:
            return True
        if done[0].kind == "log" and not await database.scrub():
            return False
        for each in done:
            if each.kind == "file":
                await files.drop(each.channel, each.ref)
        async with database.transaction() as tx:
            for each in done:
                if each.kind == "place":
                    await forgetting.forget_farewell(tx, each, now=clock.now())
            await forgetting.note_gone(tx, done)


def scheduler(
    database: Database,
    files: Files,
    *,
    refresh: Callable[[], Awaitable[bool]],
    improve: Callable[[], Awaitable[bool]],
    launch: Callable[[], Awaitable[object]],
    keep_days: int,
    clock: Clock,
    deeds: Mapping[str, Callable[[], Awaitable[object]]],
) -> AsyncIOScheduler:
    """The ticks that count in seconds and hours; not started yet.

    `deeds` are what the house does of itself, by name: each is safe to miss, to repeat and to be late.
    """
    ticks = AsyncIOScheduler(timezone="UTC")
    ticks.add_job(
        _quietly("refresh", refresh), "interval", seconds=REFRESH_SECONDS, max_instances=1, coalesce=True
    )

    # A job of its own: to embed a new base takes minutes, and changes must be taken up meanwhile.
    ticks.add_job(
        _quietly("improve", improve), "interval", seconds=REFRESH_SECONDS, max_instances=1, coalesce=True
    )

    ticks.add_job(
        _quietly("launch", launch), "interval", seconds=LAUNCH_SECONDS, max_instances=1, coalesce=True
    )

    for name, deed in deeds.items():
        ticks.add_job(_quietly(name, deed), "interval", seconds=DEEDS_SECONDS, max_instances=1, coalesce=True)

    async def sweep() -> None:
        async with database.transaction() as tx:
            events = await inbox.forget_before(tx, clock.now() - KEEP_INBOX)
        _log.info("swept", events=events)

    ticks.add_job(_quietly("sweep", sweep), "interval", hours=SWEEP_HOURS, max_instances=1, coalesce=True)

    erasing = _quietly("erase", partial(erase, database, files, clock=clock))
    ticks.add_job(erasing, "interval", seconds=ERASE_SECONDS, max_instances=1, coalesce=True)

    deleting = _quietly("delete_old", partial(delete_old, database, files, keep_days=keep_days, clock=clock))
    night = {"hour": NIGHT_HOUR, "minute": NIGHT_MINUTE, "misfire_grace_time": MISSED_SECONDS}
    ticks.add_job(deleting, "cron", **night, max_instances=1, coalesce=True)
    ticks.add_job(deleting, "date", run_date=clock.now() + AFTER_START, misfire_grace_time=MISSED_SECONDS)
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
