"""How fast a bot may send: one message a second to a person, 20 a minute to a group, 30 a second in all."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime

from bot.clock import Clock
from tests.emulators.telegram_spec import Refused

SLACK = 1e-6  # seconds: what floating point may lose


@dataclass(frozen=True)
class LimitHit:
    """A message that came too early."""

    chat_id: int
    limit: str
    retry_after: int
    at: datetime


@dataclass(frozen=True)
class _Limit:
    name: str
    messages: int
    seconds: float


PERSON = _Limit("1 message a second to one chat", 1, 1.0)
GROUP = _Limit("20 messages a minute to one group", 20, 60.0)
ALL = _Limit("30 messages a second in all", 30, 1.0)


@dataclass
class RateLimits:
    """Sliding windows over what was really sent; a refused message does not count."""

    clock: Clock
    enabled: bool
    hits: list[LimitHit] = field(default_factory=list)
    _sent: dict[int | None, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def take(self, chat_id: int, *, group: bool, messages: int = 1) -> None:
        """Account for a request; an album is one in its chat and counts in full over all."""
        if not self.enabled:
            return
        now = self.clock.monotonic()
        self._check(chat_id, GROUP if group else PERSON, now, chat_id, messages if group else 1)
        self._check(None, ALL, now, chat_id, messages)
        self._sent[chat_id].extend([now] * (messages if group else 1))
        self._sent[None].extend([now] * messages)
        if len(self._sent) > _REMEMBERED:
            self._forget(before=now - GROUP.seconds)

    def _forget(self, *, before: float) -> None:
        for key in [key for key, sent in self._sent.items() if sent and sent[-1] < before]:
            del self._sent[key]

    def _check(self, key: int | None, limit: _Limit, now: float, chat_id: int, messages: int) -> None:
        sent = self._sent[key]
        while sent and now - sent[0] >= limit.seconds - SLACK:
            sent.popleft()
        if len(sent) + messages <= limit.messages:
            return
        retry_after = max(1, math.ceil(limit.seconds - (now - sent[0]) - SLACK)) if sent else 1
        self.hits.append(LimitHit(chat_id, limit.name, retry_after, self.clock.now()))
        raise Refused(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


_REMEMBERED = 5_000
"""Chats; beyond that those are forgotten that were written to long ago."""
