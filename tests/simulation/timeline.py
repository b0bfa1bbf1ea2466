"""Simulated time for a whole house with real sockets: it jumps to the next moment when nobody is at work.

The house, the emulated messengers and the people live in one event loop. Whatever they do takes no simulated
time; only their `sleep` does. When the loop has nothing to do, no transaction is open and no thread works,
the clock goes at once to the moment for which somebody sleeps.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any

import aiosqlite

from storage.database import Database

LOOKS = 2
"""How often the sockets must have been silent before the clock goes on; loopback delivers at once."""


class Timeline:
    """A clock of `bot.clock`'s kind that stands still while anybody is at work."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self.at_work = 0
        """Open transactions and working threads: time stands while there are any."""
        self.jumps = 0

    def now(self) -> datetime:
        """Aware UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Simulated seconds since the beginning."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until so many simulated seconds have passed."""
        await self.alarm(seconds)

    def alarm(self, seconds: float) -> asyncio.Future[None]:
        """A future that is done after so many simulated seconds, or before, when somebody ends it."""
        ringing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        moment = self._elapsed + max(0.0, seconds)
        heapq.heappush(self._sleepers, (moment, next(self._numbers), ringing))
        return ringing

    async def until(self, moment: datetime) -> None:
        """Wait for this moment; not at all for one that has passed."""
        await self.alarm((moment - self.now()).total_seconds())

    def jump(self) -> bool:
        """Go to the next moment for which somebody sleeps; False when nobody does or somebody works."""
        if self.at_work:
            return False
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if not self._sleepers:
            return False
        self.jumps += 1
        self._elapsed = max(self._elapsed, self._sleepers[0][0])
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            ringing = heapq.heappop(self._sleepers)[2]
            if not ringing.done():
                ringing.set_result(None)
        return True


class _Selector(selectors.DefaultSelector):
    """Waits for sockets as usual, but lets the clock jump where it would have to wait."""

    timeline: Timeline

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; an empty list also when the clock has jumped and woken somebody."""
        if timeout is not None and timeout <= 0:
            return super().select(0)
        for _ in range(LOOKS):
            if ready := super().select(0):
                return ready
        return [] if self.timeline.jump() else super().select(timeout)


class _Loop(asyncio.SelectorEventLoop):
    """Counts the work that is done in threads."""

    timeline: Timeline

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """As ever; time stands until it is done."""
        self.timeline.at_work += 1
        working = super().run_in_executor(executor, func, *args)
        working.add_done_callback(self._done)
        return working

    def _done(self, _: asyncio.Future[Any]) -> None:
        self.timeline.at_work -= 1


def loop_of(timeline: Timeline) -> asyncio.AbstractEventLoop:
    """An event loop that lives by this timeline."""
    selector = _Selector()
    selector.timeline = timeline
    loop = _Loop(selector)
    loop.timeline = timeline
    return loop


@contextmanager
def without_threads() -> Iterator[None]:
    """While this is open, SQLite works in the loop's own thread: half of a simulation is the way to another.

    It is the same SQLite with the same files and locks; a statement only keeps the others waiting.
    """
    connection: Any = aiosqlite.Connection
    database: Any = sqlite3
    execute, connect = connection._execute, database.connect

    async def at_once(self: aiosqlite.Connection, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)

    def for_all_threads(*args: Any, **kwargs: Any) -> Any:
        return connect(*args, **{**kwargs, "check_same_thread": False})

    connection._execute, database.connect = at_once, for_all_threads
    try:
        yield
    finally:
        connection._execute, database.connect = execute, connect


@contextmanager
def standing_still(timeline: Timeline) -> Iterator[None]:
    """While this is open, the clock waits for the database: a statement runs in a thread or in a server."""
    before = Database.transaction, Database.reading
    Database.transaction = _counted(timeline, before[0])  # type: ignore[method-assign, assignment]
    Database.reading = _counted(timeline, before[1])  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Database.transaction, Database.reading = before  # type: ignore[method-assign]


def _counted(
    timeline: Timeline, opens: Callable[[Database], AbstractAsyncContextManager[Any]]
) -> Callable[[Database], AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def counted(database: Database) -> AsyncIterator[Any]:
        timeline.at_work += 1
        try:
            async with opens(database) as tx:
                yield tx
        finally:
            timeline.at_work -= 1

    return counted
