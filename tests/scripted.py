"""A base that decides as it is told, for tests of what the dialog makes of decisions."""

from __future__ import annotations

from collections.abc import Mapping

from faq.matching.matcher import Candidate, Decision, Matcher
from faq.matching.separating import Separation
from handlers.knowledge import Knowledge

CODE_TOPIC, PASSWORD_TOPIC = "login-code-not-coming", "password-recovery"
SNILS_TOPIC, NAME_TOPIC = "snils-mismatch", "fio-mismatch"
TEEN_TOPIC, CHILD_TOPIC = "teen-account-create-14plus", "child-account-under-14-create"

WHOSE = Separation("Сколько лет ребёнку?", {CHILD_TOPIC: "Меньше 14 лет", TEEN_TOPIC: "14 лет или больше"})
"""The question between the two topics about making an account."""


class ScriptedMatcher(Matcher):
    """Decides about the messages of its script as it says, about all others as a good matcher."""

    def __init__(self, good: Matcher, script: Mapping[str, Decision]) -> None:
        self.__dict__.update(good.__dict__)
        self._script = script

    def match(self, text: str) -> Decision:
        """Look into the script first."""
        return self._script.get(text) or super().match(text)


def scripted(good: Knowledge, script: Mapping[str, Decision]) -> Knowledge:
    """The same base with a script for some messages."""
    built = ScriptedMatcher(good.build_index(), script)
    return Knowledge(good.base, good.region, build=lambda _: built)


def answer(slug: str, read: str = "", *, also: tuple[Decision, ...] = ()) -> Decision:
    """The matcher is sure."""
    return Decision("answer", slug, 0.9, (Candidate(slug, 0.9),), read, also=also)


def clarify(
    *slugs: str, read: str = "", question: Separation | None = None, also: tuple[Decision, ...] = ()
) -> Decision:
    """The matcher hesitates between topics."""
    candidates = tuple(Candidate(slug, 1 / len(slugs)) for slug in slugs)
    return Decision("clarify", slugs[0], 0.4, candidates, read, question=question, also=also)


def unknown(read: str = "", *, foreign: bool = False, also: tuple[Decision, ...] = ()) -> Decision:
    """The matcher has nothing; `foreign`: and nobody here has."""
    return Decision("unknown", None, 0.1, (), read, foreign=foreign, also=also)
