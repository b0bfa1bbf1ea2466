"""Which topic a message is about: answer it, ask which of a few is meant, or admit that it is not ours."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from faq.deciding import (
    Thresholds,
    Verdict,
    is_ours_but_vague,
    is_vague,
    judge,
    load_thresholds,
    usual_topics,
)
from faq.reading import Part, Reading
from faq.separating import Separation
from faq.scoring import Scorer, load_outside
from faq.text import normalise, small_talk
from faq.topic import Base

MOST_CANDIDATES = 5
"""Topics that a decision names at most."""

_LETTER = 40  # words: in a longer message the question may be one sentence of many
_DANGER = 0.05  # probability of a critical topic (a hacked account) that is not to be passed over
_SENTENCE = 4  # words: a shorter sentence of a letter is an exclamation


@dataclass(frozen=True, slots=True)
class Candidate:
    """A topic that may be meant; `score` is its probability, 0…1."""

    slug: str
    score: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a message; `slug` is the best topic (None for noise), `text_read` how it was read.

    `confidence` is the chance that the best topic is right, calibrated on messages by other authors.
    `foreign`: unknown because it is plainly somebody else's matter. `question` tells the candidates apart.
    `also` are the other questions of the same message, each decided by itself; the most blocking is the first.
    """

    decision: Literal["answer", "clarify", "unknown"]
    slug: str | None
    confidence: float
    candidates: tuple[Candidate, ...]
    text_read: str
    foreign: bool = False
    question: Separation | None = None
    also: tuple["Decision", ...] = ()


class Matcher:
    """Immutable index of one base; built once (about a second), then safe to share between threads."""

    def __init__(self, base: Base, *, thresholds: Thresholds | None = None) -> None:
        self.base = base
        self.thresholds = thresholds or load_thresholds()
        self.scorer = Scorer(base, outside=load_outside())
        self._exact = _only_owners(base)

    def match(self, text: str) -> Decision:
        """Decide about any string; never raises."""
        reading = self.scorer.reader.read(text)
        read = reading.whole.text
        if not reading.whole.words or not self.base.topics or small_talk(text):
            return Decision("unknown", None, 0.0, (), read)
        verdict = self._judge(reading.whole)
        candidates = self._candidates(reading, verdict)
        owner = self._exact.get(normalise(text))
        if owner:
            return Decision("answer", owner, 1.0, _first(owner, candidates), read)
        ours = verdict.inside >= self.thresholds.unknown_below or is_ours_but_vague(reading.whole)
        if not candidates or not ours:
            return Decision(
                "unknown", candidates[0].slug if candidates else None, verdict.right, candidates, read
            )
        sure = verdict.right >= self.thresholds.answer_from
        if sure and not is_vague(reading.whole) and not self._hides_danger(candidates):
            return Decision("answer", candidates[0].slug, verdict.right, candidates, read)
        confidence = min(verdict.right, candidates[0].score) if is_vague(reading.whole) else verdict.right
        return Decision("clarify", candidates[0].slug, confidence, candidates, read)

    def _hides_danger(self, candidates: tuple[Candidate, ...]) -> bool:
        """A critical topic may be meant and is not the best: better to ask than to answer past it."""
        best, *others = candidates
        return self.base.topics[best.slug].severity != "critical" and any(
            self.base.topics[each.slug].severity == "critical" and each.score >= _DANGER for each in others
        )

    def _judge(self, part: Part) -> Verdict:
        return judge(part, self.scorer.evidence(part), self.thresholds)

    def _candidates(self, reading: Reading, verdict: Verdict) -> tuple[Candidate, ...]:
        """The likeliest topics; of a long letter that is not clear as a whole also a sentence's."""
        candidates = self._likeliest(verdict)
        if is_vague(reading.whole):
            return self._usual(reading.whole, nearest=candidates)
        sentences = [part for part in reading.parts if len(part.words) >= _SENTENCE]
        clear = verdict.right >= self.thresholds.answer_from
        if clear or len(reading.whole.words) < _LETTER or not sentences:
            return candidates
        clearest = max((self._judge(part) for part in sentences), key=lambda each: each.right)
        best = self._likeliest(clearest)[0]
        if clearest.right < self.thresholds.answer_from or best.slug in {
            each.slug for each in candidates[:2]
        }:
            return candidates
        # Second: a sentence out of its letter may be an aside, so it is offered, not answered.
        second = Candidate(best.slug, min(best.score, candidates[0].score))
        others = [each for each in candidates[1:] if each.slug != best.slug]
        return (candidates[0], second, *others)[:MOST_CANDIDATES]

    def _usual(self, part: Part, *, nearest: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """What is usually meant by a vague message: all equal, for what it is nearest to is half chance."""
        topics = [slug for slug in usual_topics(part) if slug in self.base.topics][: MOST_CANDIDATES - 1]
        if not topics:
            return nearest
        topics += [each.slug for each in nearest[:1] if each.slug not in topics]
        return tuple(Candidate(slug, 1 / len(topics)) for slug in topics)

    def _likeliest(self, verdict: Verdict) -> tuple[Candidate, ...]:
        chances = verdict.chances[:-1]
        order = np.argsort(-chances, kind="stable")[:MOST_CANDIDATES]
        return tuple(Candidate(self.scorer.slugs[number], float(chances[number])) for number in order)


def _only_owners(base: Base) -> dict[str, str]:
    """Phrasings and titles, by their compared form, that one topic alone has."""
    owners: dict[str, set[str]] = {}
    for topic in base.topics.values():
        for text in (*topic.phrasings, topic.title, topic.button):
            owners.setdefault(normalise(text), set()).add(topic.slug)
    return {text: next(iter(slugs)) for text, slugs in owners.items() if len(slugs) == 1}


def _first(slug: str, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    others = [each for each in candidates if each.slug != slug]
    return (Candidate(slug, 1.0), *others)[:MOST_CANDIDATES]
