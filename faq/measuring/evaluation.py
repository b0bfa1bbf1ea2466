"""Measure a matcher on labelled messages: what parents would get, how surely, and how fast."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from faq.matching.matcher import Candidate, Decision
from faq.measuring.labelled import AMBIGUOUS, FAR, MULTI, NEAR, Labelled

Verdict = Literal["right", "wrong", "offered", "not_offered", "unknown"]
"""What became of a message: answered, asked back with a right topic among the buttons or without, unknown."""

Fault = Literal["wrong", "not_found", "not_ours", "not_clarified"]
"""What is wrong: the answer, that there is none, that a foreign matter or a vague one was answered."""

_TOP = 3
_WORST = 10  # confusions counted


class Matches(Protocol):
    """What can be measured."""

    def match(self, text: str) -> Decision:
        """Decide about any string."""
        ...


@dataclass(frozen=True)
class Outcome:
    """A labelled message and what the matcher decided, in `seconds`."""

    row: Labelled
    decision: Decision
    seconds: float

    @cached_property
    def rank(self) -> int | None:
        """The place of the first right topic among the candidates, from 0."""
        slugs = [candidate.slug for candidate in self.decision.candidates]
        return next((place for place, slug in enumerate(slugs) if slug in self.row.labels), None)

    @property
    def answered(self) -> tuple[str, ...]:
        """The topics that the parent is answered from."""
        return self.decision.answered

    @cached_property
    def verdict(self) -> Verdict:
        """What the parent gets; an answer counts before a question, a right answer before a wrong one."""
        if self.answered:
            return "wrong" if self.row.labels.isdisjoint(self.answered) else "right"
        offered = self.decision.offered
        if offered:
            return "not_offered" if self.row.labels.isdisjoint(offered) else "offered"
        return "unknown"

    @property
    def has_extra(self) -> bool:
        """Beside the right answer another one was given that nobody asked for."""
        return self.verdict == "right" and not self.row.labels.issuperset(self.answered)

    @property
    def is_called_foreign(self) -> bool:
        """The parent is told that this is not our matter."""
        return self.verdict == "unknown" and self.decision.foreign

    @property
    def fault(self) -> Fault | None:
        """Why somebody should look at it; None where the parent got what they should."""
        if not self.row.in_scope:
            return "not_ours" if self.answered else None
        if self.verdict == "wrong":
            return "wrong"
        if self.row.kind == AMBIGUOUS and self.verdict == "right":
            return "not_clarified"
        return None if self.verdict in {"right", "offered"} else "not_found"


@dataclass(frozen=True, slots=True)
class Shares:
    """What became of a group of `count` messages, `ours` of which some topic answers; shares are of `count`.

    `foreign` is a part of `unknown`; `extra`, of `answered_right`: a needless answer came with the right one.
    """

    count: int
    ours: int
    top1: float
    top3: float
    answered_right: float
    answered_wrong: float
    clarified_right: float
    clarified_wrong: float
    unknown: float
    foreign: float
    right_or_offered: float
    extra: float

    @property
    def answered(self) -> float:
        """Share of messages that got any answer."""
        return self.answered_right + self.answered_wrong

    @property
    def clarified(self) -> float:
        """Share of messages that were asked back."""
        return self.clarified_right + self.clarified_wrong


@dataclass(frozen=True, slots=True)
class Several:
    """Messages with several questions: how many of their `labels` were answered, or at least found.

    Found is answered or among the buttons. `split`: share of messages in which several questions were seen.
    """

    count: int
    labels: int
    answered: float
    found: float
    all_answered: float
    all_found: float
    split: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """One topic taken for another `times` times, `answered` of these without asking."""

    right: tuple[str, ...]
    taken: str | None
    times: int
    answered: int


@dataclass(frozen=True, slots=True)
class Miss:
    """A message that was not served as its label demands."""

    fault: Fault
    text: str
    labels: tuple[str, ...]
    kind: str
    decision: str
    answered: tuple[str, ...]
    confidence: float
    candidates: tuple[Candidate, ...]
    text_read: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a matcher does on labelled messages.

    `in_scope` leaves the ambiguous out; `near` and `far` are parts of `out_of_scope`; `topics` (worst first)
    leaves out messages with several questions. An AUROC is 0.5 where one of its groups is empty.
    """

    in_scope: Shares
    ambiguous: Shares
    out_of_scope: Shares
    near: Shares
    far: Shares
    kinds: dict[str, Shares]
    topics: dict[str, Shares]
    several: Several
    auroc: float
    auroc_near: float
    auroc_far: float
    confusions: tuple[Confusion, ...]
    p50_ms: float
    p99_ms: float
    max_ms: float


def evaluate(matcher: Matches, rows: Iterable[Labelled]) -> Report:
    """Match every message and count what became of it."""
    return report_of(outcomes_of(matcher, rows))


def outcomes_of(matcher: Matches, rows: Iterable[Labelled]) -> tuple[Outcome, ...]:
    """Match every message, one after another."""
    return tuple(_outcome(matcher, row) for row in rows)


def report_of(outcomes: Sequence[Outcome]) -> Report:
    """Count what became of the messages."""
    inside = [each for each in outcomes if each.row.in_scope and each.row.kind != AMBIGUOUS]
    outside = [each for each in outcomes if not each.row.in_scope]
    near, far = (_of_kinds(outside, {kind}) for kind in (NEAR, FAR))
    times = [each.seconds * 1000 for each in outcomes] or [0.0]
    p50, p99 = np.quantile(times, (0.5, 0.99))
    return Report(
        in_scope=shares_of(inside),
        ambiguous=shares_of([each for each in outcomes if each.row.in_scope and each.row.kind == AMBIGUOUS]),
        out_of_scope=shares_of(outside),
        near=shares_of(near),
        far=shares_of(far),
        kinds={
            kind: shares_of(_of_kinds(outcomes, {kind}))
            for kind in sorted({each.row.kind for each in outcomes})
        },
        topics=_by_topic(inside),
        several=_several(_of_kinds(inside, {MULTI})),
        auroc=_auroc(inside, outside),
        auroc_near=_auroc(inside, near),
        auroc_far=_auroc(inside, far),
        confusions=_confusions(inside),
        p50_ms=float(p50),
        p99_ms=float(p99),
        max_ms=max(times),
    )


def misses_of(outcomes: Iterable[Outcome]) -> tuple[Miss, ...]:
    """The messages that were not served as their labels demand, the worst faults first."""
    faults: tuple[Fault, ...] = ("wrong", "not_ours", "not_found", "not_clarified")
    missed = [(each.fault, each) for each in outcomes if each.fault]
    return tuple(
        Miss(
            fault=fault,
            text=each.row.text,
            labels=tuple(sorted(each.row.labels)),
            kind=each.row.kind,
            decision=each.decision.decision,
            answered=each.answered,
            confidence=each.decision.confidence,
            candidates=each.decision.candidates,
            text_read=each.decision.text_read,
        )
        for fault, each in sorted(missed, key=lambda item: faults.index(item[0]))
    )


def shares_of(outcomes: Collection[Outcome]) -> Shares:
    """What became of these messages."""
    verdicts = Counter(each.verdict for each in outcomes)

    def share(times: int) -> float:
        return times / len(outcomes) if outcomes else 0.0

    return Shares(
        count=len(outcomes),
        ours=sum(each.row.in_scope for each in outcomes),
        top1=share(sum(each.rank == 0 for each in outcomes)),
        top3=share(sum(each.rank is not None and each.rank < _TOP for each in outcomes)),
        answered_right=share(verdicts["right"]),
        answered_wrong=share(verdicts["wrong"]),
        clarified_right=share(verdicts["offered"]),
        clarified_wrong=share(verdicts["not_offered"]),
        unknown=share(verdicts["unknown"]),
        foreign=share(sum(each.is_called_foreign for each in outcomes)),
        right_or_offered=share(verdicts["right"] + verdicts["offered"]),
        extra=share(sum(each.has_extra for each in outcomes)),
    )


def auroc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """The chance that a value of the first group is above one of the second; 0.5 where a group is empty."""
    if not higher or not lower:
        return 0.5
    one, other = np.array(higher)[:, None], np.array(lower)[None, :]
    return float(((one > other) + 0.5 * (one == other)).mean())


def _outcome(matcher: Matches, row: Labelled) -> Outcome:
    started = time.perf_counter()
    decision = matcher.match(row.text)
    return Outcome(row, decision, time.perf_counter() - started)


def _of_kinds(outcomes: Iterable[Outcome], kinds: Collection[str]) -> list[Outcome]:
    return [each for each in outcomes if each.row.kind in kinds]


def _auroc(inside: Iterable[Outcome], outside: Iterable[Outcome]) -> float:
    return auroc(
        [each.decision.confidence for each in inside], [each.decision.confidence for each in outside]
    )


def _by_topic(inside: Iterable[Outcome]) -> dict[str, Shares]:
    # Of a message with several questions one right topic is enough, which would flatter the others.
    single = [each for each in inside if each.row.kind != MULTI]
    slugs = sorted({slug for each in single for slug in each.row.labels})
    shares = {slug: shares_of([each for each in single if slug in each.row.labels]) for slug in slugs}
    worst_first = sorted(shares.items(), key=lambda item: (item[1].right_or_offered, item[1].top1, item[0]))
    return dict(worst_first)


def _several(outcomes: Collection[Outcome]) -> Several:
    answered = [len(each.row.labels.intersection(each.answered)) for each in outcomes]
    found = [len(each.row.labels.intersection((*each.answered, *each.decision.offered))) for each in outcomes]
    wanted = [len(each.row.labels) for each in outcomes]

    def share(times: int, *, of: int) -> float:
        return times / of if of else 0.0

    return Several(
        count=len(outcomes),
        labels=sum(wanted),
        answered=share(sum(answered), of=sum(wanted)),
        found=share(sum(found), of=sum(wanted)),
        all_answered=share(
            sum(got == all_ for got, all_ in zip(answered, wanted, strict=True)), of=len(outcomes)
        ),
        all_found=share(sum(got == all_ for got, all_ in zip(found, wanted, strict=True)), of=len(outcomes)),
        split=share(sum(bool(each.decision.also) for each in outcomes), of=len(outcomes)),
    )


def _confusions(inside: Iterable[Outcome]) -> tuple[Confusion, ...]:
    missed = [
        ((tuple(sorted(each.row.labels)), each.decision.slug), bool(each.answered))
        for each in inside
        if each.rank != 0
    ]
    times = Counter(pair for pair, _ in missed)
    answered = Counter(pair for pair, is_answered in missed if is_answered)
    ordered = sorted(times, key=lambda pair: (-times[pair], -answered[pair], pair[0], pair[1] or ""))
    return tuple(
        Confusion(right, taken, times=times[right, taken], answered=answered[right, taken])
        for right, taken in ordered[:_WORST]
    )
