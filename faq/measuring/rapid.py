"""A plain RapidFuzz matcher over the same phrasings: what ours is measured against."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from faq.content.topic import Base
from faq.matching.matcher import MOST_CANDIDATES, Candidate, Decision
from faq.measuring.evaluation import Outcome

SCORERS: dict[str, Callable[..., Any]] = {"token_set_ratio": fuzz.token_set_ratio, "WRatio": fuzz.WRatio}
"""The scorers that are tried: the one that suits such texts best, and the default of `extractOne`."""

_WORSE = 2  # times that a wrong answer weighs against a right one
_NEVER = 1.01  # above every score


class RapidMatcher:
    """Answers from the topic of the nearest phrasing or title if it is near enough; never asks back."""

    def __init__(self, base: Base, *, scorer: str, threshold: float = 0.0) -> None:
        pairs = [
            (text, topic.slug) for topic in base.topics.values() for text in (*topic.phrasings, topic.title)
        ]
        self._texts = [default_process(text) for text, _ in pairs]
        self._slugs = [slug for _, slug in pairs]
        self._scorer = SCORERS[scorer]
        self.threshold = threshold

    def match(self, text: str) -> Decision:
        """Decide by the similarity, 0…1, to the nearest phrasing of each topic."""
        read = default_process(text)
        best: dict[str, float] = {}
        for _, score, number in process.extract(read, self._texts, scorer=self._scorer, limit=None):
            best.setdefault(self._slugs[number], score / 100)
            if len(best) == MOST_CANDIDATES:
                break
        candidates = tuple(Candidate(slug, score) for slug, score in best.items() if score > 0)
        slug, confidence = (candidates[0].slug, candidates[0].score) if candidates else (None, 0.0)
        answers = slug is not None and confidence >= self.threshold
        return Decision("answer" if answers else "unknown", slug, confidence, candidates, read)


def with_best_threshold(outcomes: Sequence[Outcome]) -> tuple[float, tuple[Outcome, ...]]:
    """The threshold that is best on these very messages, and what it makes of them.

    Best is most (answered right − 2 · answered wrong); to choose on what is measured favours the baseline.
    `outcomes` come from a matcher without a threshold.
    """
    thresholds = sorted({each.decision.confidence for each in outcomes if each.answered}, reverse=True)
    best, most, gained = _NEVER, 0, 0
    for threshold in thresholds:
        here = [each for each in outcomes if each.answered and each.decision.confidence == threshold]
        gained += sum(1 if each.verdict == "right" else -_WORSE for each in here)
        if gained > most:
            best, most = threshold, gained
    return best, tuple(_at(best, each) for each in outcomes)


def _at(threshold: float, outcome: Outcome) -> Outcome:
    if outcome.decision.confidence >= threshold:
        return outcome
    return Outcome(outcome.row, replace(outcome.decision, decision="unknown"), outcome.seconds)
