"""Keeps the parts running: one that falls is started again, and never takes the others with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.channels.base import Channel, Closed, Receive
from bot.clock import Clock
from bot.correcting import Correcting
from bot.delivery import Delivery
from bot.health import Health
from bot.mailing import Mailing
from storage.database import Busy, Database, Lock, Unavailable

_log = structlog.get_logger(__name__)

BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
BUSY_RETRY_SECONDS = 5.0
LOCK_CHECK_SECONDS = 10.0
CLOSED_RETRY_SECONDS = 60.0


class LockLost(Exception):
    """The database forgot that we hold the channel; somebody else may hold it now."""


async def keep_running(name: str, job: Callable[[], Awaitable[None]], *, clock: Clock) -> None:
    """Run a job for ever; when it fails, or ends, begin again after a pause."""
    failures = 0
    while True:
        started = clock.monotonic()
        try:
            await job()
        except (Unavailable, LockLost) as error:
            _log.warning("job_waits_for_database", job=name, error=str(error))
        except Exception as error:
            _log.exception("job_failed", job=name, error=type(error).__name__)
        if clock.monotonic() - started > BACKOFF_SECONDS[-1]:
            failures = 0
        await clock.sleep(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
        failures += 1


class ChannelKeeper:
    """Holds one channel in this process: its lock, its delivery, its listener, and how it is doing."""

    def __init__(
        self,
        channel: Channel,
        delivery: Delivery,
        mailing: Mailing,
        correcting: Correcting,
        database: Database,
        *,
        receive: Receive,
        health: Health,
        clock: Clock,
    ) -> None:
        self.channel = channel
        self.delivery = delivery
        self.mailing = mailing
        self.correcting = correcting
        self._database = database
        self._receive = receive
        self._health = health
        self._clock = clock

    async def run(self) -> None:
        """Serve the channel while we hold it; wait while another process does."""
        try:
            async with self._database.exclusive(f"channel-{self.channel.name}") as lock:
                await self._serve(lock)
        except Busy:
            self._health.note(None)
            await self._clock.sleep(BUSY_RETRY_SECONDS)

    async def _serve(self, lock: Lock) -> None:
        # Whatever is wrong with announcements must not keep replies from people.
        mailing = keep_running(f"mailing-{self.channel.name}", self.mailing.run, clock=self._clock)
        correcting = keep_running(f"correcting-{self.channel.name}", self.correcting.run, clock=self._clock)
        parts = [self.delivery.run(), mailing, correcting, self._listen(), self._watch(lock)]
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                await self.channel.listen(self._receive)
                self._health.note(None)
                await asyncio.Event().wait()  # events come by HTTP: nothing more to do here
            except Closed as error:
                self._health.note(str(error))
                _log.error("channel_closed", channel=self.channel.name, error=str(error))
                await self._clock.sleep(CLOSED_RETRY_SECONDS)
            except Exception as error:
                self._health.note("не отвечает")
                _log.exception("listening_failed", channel=self.channel.name, error=type(error).__name__)
                await self._clock.sleep(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1

    async def _watch(self, lock: Lock) -> None:
        while await lock.still_held():
            await self._clock.sleep(LOCK_CHECK_SECONDS)
        raise LockLost(self.channel.name)
