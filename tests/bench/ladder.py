"""What each signal and each step of reading is worth: alone, together, and when it is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from faq.content.topic import Base
from faq.matching import embedding
from faq.matching.fitting import Doubles, fit_weights, scores_of, softmax
from faq.matching.matcher import vector_text
from faq.matching.reading import STEPS
from faq.matching.scoring import LEXICAL, OUTSIDE, SEMANTIC, Evidence, Scorer, load_outside
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore
from faq.measuring.evaluation import auroc, evaluate
from faq.measuring.figures import markdown_table
from faq.measuring.labelled import AMBIGUOUS, Labelled
from faq.measuring.rapid import RapidMatcher
from faq.text import small_talk
from tests import noise

FOLDS = 5
SEED = 20_261
PLAIN = "token_set_ratio"
"""The better of RapidFuzz's scorers here; `faq eval --against rapidfuzz` runs the slower one too."""
MISTYPED = 400
"""Messages that are read without each step and mistyped in each way: all would take a quarter of an hour."""

NOISES: dict[str, Callable[[str], str]] = {
    "wrong layout": noise.wrong_layout,
    "translit": partial(noise.translit, seed=1),
    "typos": partial(noise.typos, seed=1),
    "voice": noise.voice,
}
"""Ways of mistyping, each the same on every run."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Weighed:
    """The labelled rows with the evidence for every class (rows × classes × signals)."""

    rows: tuple[Labelled, ...]
    slugs: tuple[str, ...]
    tables: Doubles

    @property
    def labels(self) -> Doubles:
        """1 where a class is right."""
        return np.array(
            [[slug in (row.labels or {OUTSIDE}) for slug in self.slugs] for row in self.rows], float
        )

    @property
    def ours(self) -> Flags:
        """Rows that some topic answers and that are not vague."""
        return np.array([row.in_scope and row.kind != AMBIGUOUS for row in self.rows])

    @property
    def foreign(self) -> Flags:
        """Rows that no topic answers."""
        return np.array([not row.in_scope for row in self.rows])

    def without(self, signal: int) -> Weighed:
        """The same with one signal left out."""
        return Weighed(self.rows, self.slugs, np.delete(self.tables, signal, axis=2))


@dataclass(frozen=True)
class Fitted:
    """Weights by fold: what is scored was not seen when its weights were fitted."""

    folds: NDArray[np.int64]
    weights: tuple[tuple[Doubles, float], ...]

    @classmethod
    def to(cls, weighed: Weighed) -> Fitted:
        """Fit the weights of the signals, once for each fold without it."""
        folds = np.random.default_rng(SEED).permutation(len(weighed.rows)) % FOLDS
        labels = weighed.labels
        weights = tuple(
            fit_weights(weighed.tables[folds != out], labels[folds != out]) for out in range(FOLDS)
        )
        return cls(folds, weights)

    def chances(self, tables: Doubles) -> Doubles:
        """Chances of the topics (the last class, «none of ours», left out)."""
        scores = np.zeros(tables.shape[:2])
        for fold, (weights, outside) in enumerate(self.weights):
            here = self.folds == fold
            scores[here] = scores_of(tables[here], weights, outside)
        return softmax(scores)[:, :-1]


def ladder(base: Base, rows: Sequence[Labelled]) -> Iterator[str]:
    """The lines of the Markdown tables."""
    rows = tuple(row for row in rows if small_talk(row.text) is None)
    yield f"{_counted(rows)} (small talk is known beforehand and left out);"
    yield f"weights fitted by {FOLDS}-fold cross-validation, a signal alone needs none."
    yield ""
    yield from markdown_table(["", "top-1", "top-3", "AUROC"], _signals(base, rows))
    some = _spread(rows)
    yield ""
    yield f"Top-1 by words alone with a step of reading switched off, {_counted(some)} of the same,"
    yield "as typed and mistyped in each way; the weights are those of all steps."
    yield ""
    yield from markdown_table(["", "as typed", "AUROC", *NOISES], _steps(base, some))


def _counted(rows: Sequence[Labelled]) -> str:
    ours = sum(row.in_scope and row.kind != AMBIGUOUS for row in rows)
    return f"{ours} messages on our topics and {sum(not row.in_scope for row in rows)} not ours"


def _spread(rows: Sequence[Labelled]) -> tuple[Labelled, ...]:
    """As many as may be mistyped, evenly taken from all."""
    places = np.linspace(0, len(rows) - 1, min(MISTYPED, len(rows))).astype(int)
    return tuple(rows[place] for place in places)


def _signals(base: Base, rows: Sequence[Labelled]) -> Iterator[list[str]]:
    """RapidFuzz; then by words, and by meaning where it can be had: each signal alone, all, all but one."""
    plain = evaluate(RapidMatcher(base, scorer=PLAIN), rows)
    figures = (plain.in_scope.top1, plain.in_scope.top3, plain.auroc)
    yield [f"RapidFuzz {PLAIN}", *(f"{each:.3f}" for each in figures)]
    vectors = None if embedding.trouble() else VectorStore(PACKAGED_VECTORS, None)
    scorer = Scorer(base, outside=load_outside(), vectors=vectors)
    by_words = _weigh(scorer, rows)
    yield from _alone(by_words, LEXICAL, seen="words")
    yield ["**without meaning (lexical only)**", *_figures(by_words, _refitted(by_words))]
    yield from _all_but(by_words, LEXICAL, seen="words")
    if not scorer.semantic:
        return
    by_meaning = _weigh(scorer, rows, by_meaning=True)
    yield from _alone(by_meaning, SEMANTIC, seen="words and meaning")
    yield ["**words and meaning**", *_figures(by_meaning, _refitted(by_meaning))]
    yield from _all_but(by_meaning, SEMANTIC, seen="words and meaning")


def _alone(weighed: Weighed, signals: Sequence[str], *, seen: str) -> Iterator[list[str]]:
    for number, signal in enumerate(signals):
        if signals == LEXICAL or signal not in LEXICAL[1:]:  # of these only the classifier sees the meaning
            yield [f"{seen}: {signal} alone", *_figures(weighed, weighed.tables[:, :-1, number])]


def _all_but(weighed: Weighed, signals: Sequence[str], *, seen: str) -> Iterator[list[str]]:
    for number, signal in enumerate(signals):
        rest = weighed.without(number)
        yield [f"{seen}: all but {signal}", *_figures(rest, _refitted(rest))]


def _steps(base: Base, rows: Sequence[Labelled]) -> Iterator[list[str]]:
    whole = Scorer(base, outside=load_outside())
    fitted = Fitted.to(_weigh(whole, rows))
    yield ["**all steps**", *_by_noise(whole, rows, fitted)]
    for step in STEPS:
        scorer = Scorer(base, outside=load_outside(), without=frozenset({step}))
        yield [f"without {step}", *_by_noise(scorer, rows, fitted)]


def _weigh(scorer: Scorer, rows: Sequence[Labelled], *, by_meaning: bool = False) -> Weighed:
    tables = _tables(scorer, [row.text for row in rows], by_meaning=by_meaning)
    return Weighed(tuple(rows), scorer.slugs, tables)


def _tables(scorer: Scorer, texts: Sequence[str], *, by_meaning: bool = False) -> Doubles:
    seen = (_evidence(scorer, text, by_meaning=by_meaning) for text in texts)
    return np.stack([each.table for each in seen]).astype(float)


def _evidence(scorer: Scorer, text: str, *, by_meaning: bool) -> Evidence:
    part = scorer.reader.read(text).whole
    evidence = scorer.lexical_evidence(part)
    if not by_meaning:
        return evidence
    return scorer.semantic_evidence(evidence, embedding.vector(vector_text(part)))


def _refitted(weighed: Weighed) -> Doubles:
    return Fitted.to(weighed).chances(weighed.tables)


def _by_noise(scorer: Scorer, rows: Sequence[Labelled], fitted: Fitted) -> list[str]:
    """Top-1 and AUROC as typed, then top-1 of the same messages through each noise."""
    weighed = _weigh(scorer, rows)
    top1, _, area = _figures(weighed, fitted.chances(weighed.tables))
    ours = np.flatnonzero(weighed.ours).tolist()
    noisy = []
    for spoil in NOISES.values():
        tables = weighed.tables.copy()
        tables[ours] = _tables(scorer, [spoil(rows[number].text) for number in ours])
        noisy.append(_figures(weighed, fitted.chances(tables))[0])
    return [top1, area, *noisy]


def _figures(weighed: Weighed, of_topics: Doubles) -> list[str]:
    """Top-1, top-3 and AUROC of what speaks for each topic."""
    order = np.argsort(-of_topics, axis=1, kind="stable")[:, :3]
    right = np.take_along_axis(weighed.labels[:, :-1], order, axis=1)[weighed.ours] > 0
    best = of_topics.max(axis=1)
    area = auroc(best[weighed.ours].tolist(), best[weighed.foreign].tolist())
    return [f"{right[:, 0].mean():.3f}", f"{right.any(axis=1).mean():.3f}", f"{area:.3f}"]
