"""What to do with a message: answer it from the base, or find the cause of a trouble step by step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from faq.diagnosis.error_texts import ErrorText, ErrorTexts, begin
from faq.diagnosis.tree import (
    NOTHING,
    Facts,
    Leaf,
    Step,
    Tree,
    hear,
    is_symptom,
    known_from,
    load_tree,
    start,
    topics_ahead,
)
from faq.matching.matcher import Candidate, Decision, Matcher

_OF_AGE = frozenset({"age", "passport", "who"})

NEAREST = 3
"""Of the topics that the matcher finds likely so many count when the tree leads to one of them."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message means for the dialogue."""

    decision: Decision
    """What the base answers; where the tree leads elsewhere it asks back between the two."""
    step: Step | None = None
    """Where the diagnosis begins, or ends at once; None: it is not asked."""
    error: ErrorText | None = None
    """The error text that was recognised."""
    told: Facts = field(default_factory=dict)
    """What the message tells of the trouble."""


class Triage:
    """One matcher and one tree, side by side; immutable, safe to share between threads."""

    def __init__(self, matcher: Matcher, tree: Tree | None = None) -> None:
        self.matcher = matcher
        self.tree = tree or load_tree()
        self._reader = matcher.scorer.reader
        self._error_texts = ErrorTexts(self._reader)

    def understand(self, text: str, *, known: Facts = NOTHING) -> Understood:
        """Decide between the base and the tree; `known` is what was known of the person before."""
        decision = self.matcher.match(text)
        reading = self._reader.read(text)
        error = self._error_texts.recognise_read(reading)
        if decision.also or decision.foreign:
            return Understood(decision, error=error)
        told = known_from(self.tree, reading)
        step = begin(self.tree, reading, error, known=known)
        if error is not None:
            understood = self._by_error(decision, step)
        elif "trouble" in told:
            understood = self._by_trouble(decision, step)
        elif decision.decision != "answer" and is_symptom(self.tree, reading):
            understood = Understood(decision, step)
        elif decision.decision == "unknown" and told:
            # «Дочке 12»: no question, but a beginning.
            understood = Understood(decision, step)
        else:
            understood = Understood(decision)
        return replace(understood, error=error, told={**told, **(error.knows if error else {})})

    def hears(self, step: Step, text: str) -> Step | None:
        """The step after something was typed instead of a tap; None: it tells nothing about the trouble."""
        reading = self._reader.read(text)
        error = self._error_texts.recognise_read(reading)
        told = {**known_from(self.tree, reading), **(error.knows if error else {})}
        if not told:
            return None
        after = hear(self.tree, step.walk, told)
        return after if after != step else None

    def _by_error(self, decision: Decision, step: Step) -> Understood:
        """Straight to where the text leads, unless the base surely answers something else."""
        if isinstance(step.shown, Leaf) and _is_sure_of_other(decision, step.shown):
            return Understood(self._between(decision, step.shown))
        return Understood(decision, step)

    def _by_trouble(self, decision: Decision, step: Step) -> Understood:
        """The words tell what is wrong: they count where the base says the same, or is not sure."""
        if decision.decision == "answer" and self._is_for_another_age(decision, step):
            return Understood(decision, step)
        if isinstance(step.shown, Leaf):
            return self._by_leaf(decision, step, step.shown)
        if decision.decision == "answer":
            return Understood(decision)
        # A question that tells the likeliest topics apart is nearer to what was said than ours.
        is_nearer = decision.question is not None and not topics_ahead(self.tree, step).isdisjoint(
            decision.offered
        )
        return Understood(decision, None if is_nearer else step)

    def _by_leaf(self, decision: Decision, step: Step, leaf: Leaf) -> Understood:
        if decision.decision == "answer" and decision.slug == leaf.topic:
            return Understood(decision, step)
        if decision.decision != "answer" or leaf.topic in _nearest(decision):
            return Understood(self._between(decision, leaf))
        return Understood(decision)

    def _is_for_another_age(self, decision: Decision, step: Step) -> bool:
        """A child of nine must not be sent where only adults are served."""
        if "age" not in step.walk.facts:
            return False
        ageless = {name: value for name, value in step.walk.facts.items() if name not in _OF_AGE}
        ahead = topics_ahead(self.tree, step)
        return decision.slug in topics_ahead(self.tree, start(self.tree, ageless)) - ahead

    def _between(self, decision: Decision, leaf: Leaf) -> Decision:
        """Ask back, with the tree's end among what is offered."""
        if leaf.topic is None or leaf.topic not in self.matcher.base.topics:
            return decision
        offered = decision.candidates[:NEAREST] if decision.decision == "clarify" else decision.candidates[:1]
        others = [each for each in offered if each.slug != leaf.topic]
        candidates = (Candidate(leaf.topic, decision.confidence), *others)
        is_asked = decision.question is not None and leaf.topic in decision.question.options
        question = decision.question if is_asked else None
        return replace(
            decision, decision="clarify", slug=leaf.topic, candidates=candidates, question=question
        )


def _is_sure_of_other(decision: Decision, leaf: Leaf) -> bool:
    return decision.decision == "answer" and decision.slug != leaf.topic


def _nearest(decision: Decision) -> tuple[str, ...]:
    return tuple(each.slug for each in decision.candidates[:NEAREST])
