"""Patience with what fails again and again."""

from __future__ import annotations

import structlog

from bot.channels.telegram.library import TelegramConflictError, TelegramRetryAfter

# Seconds.
BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
CONFLICT_PAUSE = 5.0

log = structlog.get_logger(__name__)


class Trouble:
    """Says how long to wait and logs a trouble when it begins, changes and ends, not each time."""

    def __init__(self, deed: str) -> None:
        self._deed = deed
        self._kind: str | None = None
        self._times = 0

    def met(self, error: Exception) -> float:
        """Count one more failure; gives the seconds to wait."""
        kind = type(error).__name__
        if kind != self._kind:
            log.warning("telegram_trouble", deed=self._deed, error=kind)
        self._kind = kind
        pause = BACK_OFF[min(self._times, len(BACK_OFF) - 1)]
        self._times += 1
        if isinstance(error, TelegramRetryAfter):
            return float(error.retry_after)
        return CONFLICT_PAUSE if isinstance(error, TelegramConflictError) else pause

    def over(self) -> None:
        """It works again."""
        if self._kind is not None:
            log.info("telegram_trouble_over", deed=self._deed)
        self._kind, self._times = None, 0
