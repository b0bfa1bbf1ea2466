"""Choose the numbers of a decision on labelled messages, by cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faq.matching import embedding
from faq.matching.deciding import Judging, Thresholds, clues, is_vague
from faq.matching.fitting import Doubles, fit_logistic, fit_weights, logistic, scores_of
from faq.matching.matcher import vector_text
from faq.matching.reading import Part
from faq.matching.scoring import OUTSIDE, Evidence, Scorer
from faq.measuring.evaluation import auroc
from faq.measuring.labelled import AMBIGUOUS, Labelled
from faq.text import small_talk

Flags = NDArray[np.bool_]

_FOLDS = 10
_SEED = 20_261  # any: it only has to stay the same
_LOST_AT_MOST = 0.01  # of our messages may be taken for others'
_FOREIGN_AT_MOST = 0.05  # chance of being ours, by words: what is above may still be rescued by its meaning
_UNKNOWN_AT_MOST = 0.4  # never call a message that is rather ours unknown


@dataclass(frozen=True, slots=True)
class _Limits:
    """Shares of messages on our topics, of others' and of ambiguous ones that may be answered wrongly.

    Stricter than the goals (.04, .02, .20), since other people's messages will be harder than these.
    """

    wrong: float
    foreign: float
    ambiguous: float


_TO_ANSWER = _Limits(wrong=0.025, foreign=0.012, ambiguous=0.13)
_TO_BE_ENOUGH = _Limits(wrong=0.01, foreign=0.008, ambiguous=0.06)


def choose_thresholds(scorer: Scorer, rows: Sequence[Labelled]) -> Thresholds:
    """Fit the decision's numbers to labelled messages; thresholds are chosen on those held out.

    The scorer must compare meanings, since the numbers for both sets of signals are chosen.
    """
    rows = [row for row in rows if small_talk(row.text) is None]
    parts = [scorer.reader.read(row.text).whole for row in rows]
    by_words = [scorer.lexical_evidence(part) for part in parts]
    by_meaning = [
        scorer.semantic_evidence(evidence, embedding.vector(vector_text(part)))
        for part, evidence in zip(parts, by_words, strict=True)
    ]
    lexical = _Trial.of(scorer, rows, parts, by_words)
    semantic = _Trial.of(scorer, rows, parts, by_meaning)
    words, meanings = lexical.held_out(), semantic.held_out()
    enough_from = lexical.threshold(words, _TO_BE_ENOUGH)
    # None of our messages may be lost by it.
    foreign_below = round(min(float(words.inside[lexical.ours].min()), _FOREIGN_AT_MOST), 3)
    # Where words are enough the meaning is not asked: what is measured is what will be decided.
    enough = (words.right >= enough_from) & ~lexical.vague
    both = _HeldOut(
        np.where(enough, words.is_right, meanings.is_right),
        np.where(enough, 1.0, meanings.right),
        np.where(enough, words.inside, meanings.inside),
    )
    lexical_from = lexical.threshold(words, _TO_ANSWER)
    semantic_from = semantic.threshold(both, _TO_ANSWER)
    return Thresholds(
        lexical=lexical.judging(words, answer_from=lexical_from),
        semantic=semantic.judging(both, answer_from=semantic_from),
        enough_from=enough_from,
        foreign_below=foreign_below,
        figures={
            "messages": len(rows),
            "words_enough": round(float((enough | (words.inside < foreign_below)).mean()), 3),
            **lexical.figures(words, lexical_from, prefix="lexical"),
            **semantic.figures(both, semantic_from, prefix="semantic"),
        },
    )


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """For each message, by a fit without its fold: is the top right, chances of right and of ours."""

    is_right: Flags
    right: Doubles
    inside: Doubles


@dataclass(frozen=True, slots=True)
class _Trial:
    """Labelled messages with their evidence, to fit on some and look at the others."""

    signals: tuple[str, ...]
    rows: tuple[Labelled, ...]
    parts: tuple[Part, ...]
    evidence: tuple[Evidence, ...]
    tables: Doubles
    labels: Doubles

    @classmethod
    def of(
        cls, scorer: Scorer, rows: Sequence[Labelled], parts: Sequence[Part], evidence: Sequence[Evidence]
    ) -> "_Trial":
        labels = np.array(
            [[slug in (row.labels or {OUTSIDE}) for slug in scorer.slugs] for row in rows], dtype=float
        )
        tables = np.stack([each.table for each in evidence]).astype(float)
        return cls(evidence[0].signals, tuple(rows), tuple(parts), tuple(evidence), tables, labels)

    @property
    def ambiguous(self) -> Flags:
        return np.array([row.kind == AMBIGUOUS for row in self.rows])

    @property
    def foreign(self) -> Flags:
        return np.array([not row.in_scope for row in self.rows])

    @property
    def ours(self) -> Flags:
        return ~self.foreign & ~self.ambiguous

    @property
    def vague(self) -> Flags:
        """Messages that are asked about whatever their chances are."""
        return np.array([is_vague(part) for part in self.parts])

    def threshold(self, held_out: _HeldOut, limits: _Limits) -> float:
        """The least chance of being right to answer from that keeps the limits."""
        for threshold in np.arange(0.5, 1.0, 0.01):
            answered = (held_out.right >= threshold) & ~self.vague
            if (
                (answered & ~held_out.is_right)[self.ours].mean() <= limits.wrong
                and answered[self.foreign].mean() <= limits.foreign
                and answered[self.ambiguous].mean() <= limits.ambiguous
            ):
                return round(float(threshold), 3)
        return 1.0

    def judging(self, held_out: _HeldOut, *, answer_from: float) -> Judging:
        """The numbers fitted to all messages."""
        weights, outside, right, inside = self._fit(np.ones(len(self.rows), dtype=bool))
        unknown_below = float(np.quantile(held_out.inside[self.ours], _LOST_AT_MOST))
        return Judging(
            weights=_short(weights),
            outside=round(outside, 4),
            right=_short(right),
            inside=_short(inside),
            answer_from=answer_from,
            unknown_below=round(min(unknown_below, _UNKNOWN_AT_MOST), 3),
        )

    def figures(self, held_out: _HeldOut, answer_from: float, *, prefix: str) -> dict[str, float]:
        """What the thresholds gave on the messages held out."""
        answered = (held_out.right >= answer_from) & ~self.vague
        shares = {
            "top1": held_out.is_right[self.ours].mean(),
            "answered_right": (answered & held_out.is_right)[self.ours].mean(),
            "answered_wrong": (answered & ~held_out.is_right)[self.ours].mean(),
            "foreign_answered": answered[self.foreign].mean(),
            "ambiguous_answered": answered[self.ambiguous].mean(),
            "auroc": auroc(held_out.right[self.ours].tolist(), held_out.right[self.foreign].tolist()),
        }
        return {f"{prefix}_{name}": round(float(share), 3) for name, share in shares.items()}

    def held_out(self) -> _HeldOut:
        """Judge each message by a fit that has not seen it."""
        folds = np.random.default_rng(_SEED).permutation(len(self.rows)) % _FOLDS
        is_right = np.zeros(len(self.rows), dtype=bool)
        right, inside = np.zeros(len(self.rows)), np.zeros(len(self.rows))
        for fold in range(_FOLDS):
            out = folds == fold
            weights, outside, right_model, inside_model = self._fit(~out)
            scores = scores_of(self.tables, weights, outside)
            seen = np.column_stack([self._clues(scores), np.ones(len(self.rows))])
            is_right[out] = self._is_right(scores)[out]
            right[out] = logistic(seen[out] @ right_model)
            inside[out] = logistic(seen[out] @ inside_model)
        return _HeldOut(is_right, right, inside)

    def _fit(self, chosen: Flags) -> tuple[Doubles, float, Doubles, Doubles]:
        """Weights, head start of «none of ours», and the models of being right and of being ours."""
        weights, outside = fit_weights(self.tables[chosen], self.labels[chosen])
        scores = scores_of(self.tables, weights, outside)
        seen = self._clues(scores)
        # An ambiguous message has several right topics and none that may be answered.
        to_answer = self._is_right(scores) & ~self.ambiguous
        return (
            weights,
            outside,
            fit_logistic(seen[chosen], to_answer[chosen]),
            fit_logistic(seen[chosen], ~self.foreign[chosen]),
        )

    def _clues(self, scores: Doubles) -> Doubles:
        return np.stack([clues(*each) for each in zip(self.parts, self.evidence, scores, strict=True)])

    def _is_right(self, scores: Doubles) -> Flags:
        best = scores[:, :-1].argmax(axis=1)
        return np.asarray(self.labels[np.arange(len(best)), best] > 0)


def _short(values: Doubles) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
