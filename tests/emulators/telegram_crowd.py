"""People by the thousand, who only read: nobody keeps their messages, only how often each was shown."""

from __future__ import annotations

import random
from collections import Counter, defaultdict


class Crowd:
    """Readers with neighbouring ids, all of whom have started the bot; as strict as to anybody else."""

    def __init__(self, first: int, count: int) -> None:
        self.ids = range(first, first + count)
        self.blocked: set[int] = set()
        self._shown: dict[str, Counter[int]] = defaultdict(Counter)

    def blocks(self, share: float, *, seed: int) -> frozenset[int]:
        """This share of them blocks the bot, which is told nothing; gives who it is."""
        chosen = random.Random(seed).sample(self.ids, round(len(self.ids) * share))
        self.blocked |= set(chosen)
        return frozenset(chosen)

    def shown(self, words: str) -> Counter[int]:
        """How often each of them was shown a message with these words in it."""
        total: Counter[int] = Counter()
        for text, readers in self._shown.items():
            if words in text:
                total += readers
        return total

    @property
    def messages(self) -> int:
        """How many messages all of them see."""
        return sum(readers.total() for readers in self._shown.values())

    def take(self, chat_id: int, words: str) -> None:
        """Show a message."""
        self._shown[words][chat_id] += 1
