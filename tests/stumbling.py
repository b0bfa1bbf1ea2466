"""A base with a bug in it, for tests of what happens then."""

from __future__ import annotations

from faq.content.topic import Topic
from faq.diagnosis.tree import NOTHING, Facts
from faq.diagnosis.triage import Understood
from handlers.knowledge import Knowledge

STUMBLE = "споткнись"
"""A question with this word cannot be matched."""


class StumblingKnowledge(Knowledge):
    """A good base until something it stumbles at is asked for."""

    def __init__(self, good: Knowledge) -> None:
        self.__dict__.update(good.__dict__)
        self.broken = {"stumble"}
        """Topics that cannot be looked up."""

    async def understand(self, text: str, *, known: Facts = NOTHING) -> Understood:
        """Fail at the word."""
        if STUMBLE in text:
            raise ZeroDivisionError
        return await super().understand(text, known=known)

    def topic(self, slug: str) -> Topic | None:
        """Fail at a broken topic."""
        if slug in self.broken:
            raise ZeroDivisionError
        return super().topic(slug)
