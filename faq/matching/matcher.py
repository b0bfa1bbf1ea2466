"""Which topic a message is about: answer it, ask which of a few is meant, or admit that it is not ours."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from faq.content.topic import SEVERITIES, Base
from faq.matching import embedding
from faq.matching.deciding import (
    DIGITS,
    Thresholds,
    Verdict,
    is_ours_but_vague,
    is_vague,
    judge,
    load_thresholds,
    usual_topics,
)
from faq.matching.reading import Part, Reading
from faq.matching.scoring import Evidence, Scorer, load_outside
from faq.matching.separating import MOST_BUTTONS, Separation, choose, load_separations, within
from faq.matching.splitting import questions
from faq.matching.vectors import VectorStore
from faq.text import normalise, small_talk

MOST_CANDIDATES = 5
"""Topics that a decision names at most."""
MOST_QUESTIONS = 3
"""Questions of one message that are answered."""

_LETTER = 40  # words: in a longer message the question may be one sentence of many
_SENTENCES = 4  # of a letter that are looked at, the last ones: letters ask at their end
_DANGER = 0.05  # probability of a critical topic (a hacked account) that is not to be passed over
_SENTENCE = 4  # words: a shorter sentence of a letter is an exclamation
_FOREIGN_FROM = 0.6  # probability of «none of ours», from which it is said that the matter is not ours
_HOPELESS = 0.05  # chance of being right: to ask «which of these» would only show that we did not understand
_FOREIGN_WORDS = 2  # known words: a single one may be a typo of ours, and gibberish is nobody's matter
_OFFERED_FROM = 0.03  # probability of a topic that is worth a button


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
    `also` are the other questions of the same message, each decided by itself, the most blocking first.
    """

    decision: Literal["answer", "clarify", "unknown"]
    slug: str | None
    confidence: float
    candidates: tuple[Candidate, ...]
    text_read: str
    foreign: bool = False
    question: Separation | None = None
    also: tuple["Decision", ...] = ()

    @property
    def answered(self) -> tuple[str, ...]:
        """The topics whose answers are given at once, over all questions of the message."""
        return tuple(each.slug for each in self._all if each.decision == "answer" and each.slug)

    @property
    def offered(self) -> tuple[str, ...]:
        """The topics on the buttons where it is asked back."""
        return tuple(slug for each in self._all if each.decision == "clarify" for slug in each._buttons)

    @property
    def _all(self) -> tuple["Decision", ...]:
        return (self, *self.also)

    @property
    def _buttons(self) -> tuple[str, ...]:
        """Of the question that tells the candidates apart, if there is one."""
        if self.question is not None:
            return tuple(self.question.options)
        return tuple(candidate.slug for candidate in self.candidates[:MOST_BUTTONS])


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text with its evidence and what it amounts to."""

    part: Part
    evidence: Evidence
    verdict: Verdict


class Matcher:
    """Immutable index of one base; built once (seconds), then safe to share between threads."""

    def __init__(
        self,
        base: Base,
        *,
        thresholds: Thresholds | None = None,
        vectors: VectorStore | None = None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """`vectors` adds what messages mean to what they say; `without` leaves reading steps out."""
        self.base = base
        self.thresholds = thresholds or load_thresholds()
        self.scorer = Scorer(base, outside=load_outside(), vectors=vectors, without=without)
        self._exact = _only_owners(base)
        self._separations = within(load_separations(), base.topics)

    def match(self, text: str) -> Decision:
        """Decide about any string; never raises."""
        reading = self.scorer.reader.read(text)
        if not self.scorer.reader.known(reading.whole.words) or not self.base.topics or small_talk(text):
            return Decision("unknown", None, 0.0, (), reading.whole.text)
        owner = self._exact.get(normalise(text))
        if owner:
            candidates = self._likeliest(self.weigh(reading.whole, lexical_only=True).verdict)
            return Decision("answer", owner, 1.0, _first(owner, candidates), reading.whole.text)
        several = self._several(reading)
        if several:
            first, *others = several
            return replace(first, also=tuple(others))
        return self._decide(reading)

    def is_own_phrasing(self, text: str) -> bool:
        """One topic alone has this text as a phrasing or title."""
        return normalise(text) in self._exact

    def weigh(self, part: Part, *, lexical_only: bool = False) -> Weighed:
        """The evidence of the words, and of the meaning where the words are not enough."""
        evidence = self.scorer.lexical_evidence(part)
        verdict = judge(part, evidence, self.thresholds.lexical)
        if lexical_only or not self.scorer.semantic or self._is_settled(part, verdict):
            return Weighed(part, evidence, verdict)
        try:
            vector = embedding.vector(vector_text(part))
        except embedding.Unavailable:
            return Weighed(part, evidence, verdict)
        evidence = self.scorer.semantic_evidence(evidence, vector)
        return Weighed(part, evidence, judge(part, evidence, self.thresholds.semantic))

    def _is_settled(self, part: Part, verdict: Verdict) -> bool:
        """The meaning would change nothing: surely right, surely not ours, or asked about in any case."""
        if is_vague(part):
            return is_ours_but_vague(part)
        sure = verdict.right >= self.thresholds.enough_from
        return sure or verdict.inside < self.thresholds.foreign_below

    def _decide(self, reading: Reading) -> Decision:
        whole = reading.whole
        weighed = self.weigh(whole)
        verdict = weighed.verdict
        candidates = self._candidates(reading, verdict)
        foreign = bool(verdict.chances[-1] >= _FOREIGN_FROM)
        hopeless = foreign and verdict.right < _HOPELESS
        if not candidates or not (is_ours_but_vague(whole) or (verdict.ours and not hopeless)):
            best = candidates[0].slug if candidates else None
            foreign = foreign and self.scorer.reader.known(whole.words) >= _FOREIGN_WORDS
            return Decision("unknown", best, verdict.right, candidates, whole.text, foreign=foreign)
        if verdict.sure and not is_vague(whole) and not self._hides_danger(candidates):
            return Decision("answer", candidates[0].slug, verdict.right, candidates, whole.text)
        confidence = min(verdict.right, candidates[0].score) if is_vague(whole) else verdict.right
        return Decision(
            "clarify",
            candidates[0].slug,
            confidence,
            candidates,
            whole.text,
            question=self._question(candidates),
        )

    def _several(self, reading: Reading) -> tuple[Decision, ...]:
        """The questions of a message that plainly asks several, the most blocking first; else nothing."""
        if len(reading.whole.words) >= _LETTER:
            return ()  # it tells a story, and its sentences are no questions
        found: dict[str, Decision] = {}
        for piece in questions(reading):
            part = self.scorer.reader.read(piece).whole
            if not part.words:
                continue
            weighed = self.weigh(part, lexical_only=True)
            candidates = self._likeliest(weighed.verdict)
            if not weighed.verdict.sure or is_vague(part):
                continue
            slug = candidates[0].slug
            found.setdefault(slug, Decision("answer", slug, weighed.verdict.right, candidates, part.text))
        if len(found) <= 1:
            return ()
        whole = self._likeliest(self.weigh(reading.whole, lexical_only=True).verdict)
        if whole[0].slug not in found:
            return ()  # the pieces say what the whole does not: a story, not a list of questions
        order = sorted(found, key=lambda slug: SEVERITIES.index(self.base.topics[slug].severity))
        return tuple(found[slug] for slug in order[:MOST_QUESTIONS])

    def _question(self, candidates: tuple[Candidate, ...]) -> Separation | None:
        """What tells the likeliest topics apart; others that may well be meant keep their own button."""
        chosen = choose(self._separations, [each.slug for each in candidates])
        if chosen is None:
            return None
        likely = [
            each.slug for each in candidates if each.score >= _OFFERED_FROM or each.slug in chosen.options
        ]
        slugs = list(dict.fromkeys((*likely, *chosen.options)))[:MOST_BUTTONS]
        options = {slug: chosen.options.get(slug, self.base.topics[slug].button) for slug in slugs}
        return Separation(chosen.ask, options)

    def _hides_danger(self, candidates: tuple[Candidate, ...]) -> bool:
        """A critical topic may be meant and is not the best: better to ask than to answer past it."""
        best, *others = candidates
        return self.base.topics[best.slug].severity != "critical" and any(
            self.base.topics[each.slug].severity == "critical" and each.score >= _DANGER for each in others
        )

    def _candidates(self, reading: Reading, verdict: Verdict) -> tuple[Candidate, ...]:
        """The likeliest topics; of a long letter that is not clear as a whole also a sentence's."""
        candidates = self._likeliest(verdict)
        if is_vague(reading.whole):
            return self._usual(reading.whole, nearest=candidates)
        if verdict.sure or len(reading.whole.words) < _LETTER:
            return candidates
        clearest = max(self._sentences(reading), key=lambda each: each.right, default=verdict)
        best = self._likeliest(clearest)[0]
        if clearest.right < self.thresholds.enough_from or best.slug in {
            each.slug for each in candidates[:2]
        }:
            return candidates
        # Second: a sentence out of its letter may be an aside, so it is offered, not answered.
        second = Candidate(best.slug, min(best.score, candidates[0].score))
        others = [each for each in candidates[1:] if each.slug != best.slug]
        return (candidates[0], second, *others)[:MOST_CANDIDATES]

    def _sentences(self, reading: Reading) -> Iterator[Verdict]:
        sentences = [part for part in reading.parts if len(part.words) >= _SENTENCE]
        for part in sentences[-_SENTENCES:]:
            yield self.weigh(part, lexical_only=True).verdict

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
        likeliest = ((self.scorer.slugs[number], float(chances[number])) for number in order)
        return tuple(Candidate(slug, round(chance, DIGITS)) for slug, chance in likeliest)


LONGEST_MEANT = 70
"""Characters of a message whose vector is computed: some 20 tokens, 20–40 ms on one thread; 100 would find
a right topic in .02 more of the messages, and take half as long again."""

_STORY = 200  # characters: from here on a message tells a story, and what it asks stands at its end


def vector_text(part: Part) -> str:
    """What of a text its vector is made of: its beginning, but the end of a long letter."""
    text = part.text
    if len(text) <= LONGEST_MEANT:
        return text
    if len(text) <= _STORY:
        return text[:LONGEST_MEANT].rpartition(" ")[0]
    return text[-LONGEST_MEANT:].partition(" ")[2]


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
