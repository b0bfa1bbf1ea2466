"""Random troubles of a messenger that has a bad day: the same ones for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Trouble = Literal["server_error", "drop_before", "drop_after", "storm"]


@dataclass
class Chaos:
    """Spoils requests at random; counts what it did, so that a test can explain every doubt.

    The numbers are chances of one request. A storm refuses everything for `storm_seconds` of the server's
    clock, as the messenger does that is overrun by others.
    """

    seed: int
    server_error: float = 0.0
    drop_before: float = 0.0
    """The connection breaks and nothing was done: the bot cannot know that."""
    drop_after: float = 0.0
    """The deed is done, and then the connection breaks."""
    storms: float = 0.0
    storm_seconds: float = 5.0
    counts: Counter[Trouble] = field(default_factory=Counter)
    """Spoilt requests by trouble."""
    storms_begun: int = 0
    dropped: list[str] = field(default_factory=list)
    """Whom the requests without an answer were for, as they were addressed."""

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._storm_until = 0.0

    def strikes(self, now: float, *, chats: str) -> Trouble | None:
        """What happens to a request that comes at `now` (seconds) for these chats."""
        trouble = self._trouble(now)
        if trouble is not None:
            self.counts[trouble] += 1
        if trouble in ("drop_before", "drop_after"):
            self.dropped.append(chats)
        return trouble

    def storm_left(self, now: float) -> float:
        """How many seconds the storm still lasts."""
        return max(0.0, self._storm_until - now)

    def _trouble(self, now: float) -> Trouble | None:
        if now < self._storm_until:
            return "storm"
        if self._dice.random() < self.storms:
            self._storm_until = now + self.storm_seconds
            self.storms_begun += 1
            return "storm"
        chance = self._dice.random()
        kinds: tuple[tuple[Trouble, float], ...] = (
            ("server_error", self.server_error),
            ("drop_before", self.drop_before),
            ("drop_after", self.drop_after),
        )
        for kind, share in kinds:
            if chance < share:
                return kind
            chance -= share
        return None
