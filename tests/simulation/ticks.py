"""The alarm clock of the house in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

import bot.app
import bot.correcting
import bot.delivery
import bot.mailing
import bot.schedule
import bot.supervise
from tests.simulation.timeline import Timeline

LOOK_SECONDS = 120.0
"""How often the house looks for what nobody woke it for; seconds would make a week of idle looks."""
SELDOM_SECONDS = 600.0
"""The same for jobs that the house repeats every few seconds for the sake of other processes."""

MOST_OFTEN = 60.0
"""Jobs that are due more often than this are such."""

After = Callable[[str], Awaitable[None]]


class Ticks:
    """Runs the jobs of a scheduler that was never started, each at its moments of the timeline."""

    def __init__(self, scheduler: Any, timeline: Timeline, after: After, *, deeds_every: float) -> None:
        self._jobs = scheduler.get_jobs()
        self._timeline = timeline
        self._after = after
        self._deeds_every = deeds_every
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(self._repeat(job)) for job in self._jobs]

    def shutdown(self, *, wait: bool = False) -> None:  # noqa: ARG002 - as APScheduler has it
        """End."""
        for task in self._tasks:
            task.cancel()

    async def _repeat(self, job: Any) -> None:
        while True:
            await self._timeline.sleep(self._pause(job.trigger))
            await job.func(*job.args, **job.kwargs)
            await self._after(f"job {job.id}")
            if isinstance(job.trigger, DateTrigger):
                return

    def _pause(self, trigger: Any) -> float:
        """Seconds until the next time; intervals count from now, for they were made in real time."""
        if isinstance(trigger, IntervalTrigger):
            often = trigger.interval.total_seconds()
            return SELDOM_SECONDS if often < MOST_OFTEN else max(often, self._deeds_every)
        now = self._timeline.now()
        # A moment later: otherwise the job that has just been done would be due again.
        due = trigger.get_next_fire_time(None, now + timedelta(seconds=1))
        return float((due - now).total_seconds())


@contextmanager
def in_simulated_time(timeline: Timeline, after: After, *, deeds_every: float = MOST_OFTEN) -> Iterator[None]:
    """While this is open, a house that is started wakes by the timeline; `after` hears of every job done.

    The house's own deeds are safe to be late: `deeds_every` (seconds) makes a small simulation quicker.
    """
    made = bot.app.scheduler  # type: ignore[attr-defined]
    looks = bot.delivery.IDLE_LOOK_SECONDS, bot.schedule.LOOK_SECONDS, bot.supervise.LOCK_CHECK_SECONDS
    other_looks = bot.mailing.IDLE_LOOK_SECONDS, bot.correcting.LOOK_SECONDS

    def scheduler(*args: Any, **kwargs: Any) -> Any:
        return Ticks(made(*args, **kwargs), timeline, after, deeds_every=deeds_every)

    bot.app.scheduler = scheduler  # type: ignore[attr-defined]
    bot.delivery.IDLE_LOOK_SECONDS = bot.schedule.LOOK_SECONDS = LOOK_SECONDS
    bot.supervise.LOCK_CHECK_SECONDS = bot.mailing.IDLE_LOOK_SECONDS = SELDOM_SECONDS
    bot.correcting.LOOK_SECONDS = SELDOM_SECONDS
    try:
        yield
    finally:
        bot.app.scheduler = made  # type: ignore[attr-defined]
        bot.delivery.IDLE_LOOK_SECONDS, bot.schedule.LOOK_SECONDS, bot.supervise.LOCK_CHECK_SECONDS = looks
        bot.mailing.IDLE_LOOK_SECONDS, bot.correcting.LOOK_SECONDS = other_looks
