"""Clocks for tests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta


class FastClock:
    """Time that runs `speed` times faster than ours, so that nobody waits in tests."""

    def __init__(self, speed: float = 50.0) -> None:
        self._speed = speed
        self._began = datetime.now(UTC)  # noqa: TID251 - a clock
        self._zero = time.monotonic()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._began + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Fast seconds since this clock was made."""
        return (time.monotonic() - self._zero) * self._speed

    def jump(self, by: timedelta) -> None:
        """Somebody sets the date; what counts seconds goes on as it was."""
        self._began += by

    async def sleep(self, seconds: float) -> None:
        """Sleep `seconds` of this clock."""
        await asyncio.sleep(max(0.0, seconds) / self._speed)  # noqa: TID251 - a clock


class StoppedClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self._now = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Aware UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the epoch, as good as any start."""
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.pass_by(timedelta(seconds=max(0.0, seconds)))

    def pass_by(self, time: timedelta) -> None:
        """So much later."""
        self._now += time
