"""Patience with what fails again and again."""

from __future__ import annotations

import structlog

from bot.channels.vk.raw import NAME
from bot.clock import Clock

BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)

_log = structlog.get_logger(__name__)


class Trouble:
    """Waits longer after each failure in a row, and says so once per change of state."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: str | None = None
        self._failures = 0

    async def wait(self, error: BaseException, *, seconds: float = 0.0) -> None:
        """Log what is new and wait, at least `seconds`."""
        kind = type(error).__name__
        if kind != self._seen:
            _log.warning("listening_interrupted", channel=NAME, error=kind)
        self._seen = kind
        backoff = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        await self._clock.sleep(max(backoff, seconds))

    def over(self) -> None:
        """Things work again."""
        if self._seen is not None:
            _log.info("listening_again", channel=NAME)
        self._seen, self._failures = None, 0
