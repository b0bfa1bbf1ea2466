"""Measure a matcher on labelled messages, and choose its thresholds by cross-validation."""

import csv
import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faq.deciding import Thresholds, clues
from faq.fitting import Doubles, fit_logistic, fit_weights, logistic, scores_of
from faq.matcher import Decision, Matcher
from faq.reading import Part
from faq.scoring import OUTSIDE, Evidence, Scorer
from faq.text import small_talk

OUT_OF_SCOPE = "out-of-scope"
"""The label of a message that no topic answers."""

AMBIGUOUS = "ambiguous"
"""The kind of a message that is to be clarified, not answered."""

_COLUMNS = ("text", "labels", "kind")
_FOLDS = 10
_SEED = 20_261  # any: it only has to stay the same
_WRONG_AT_MOST = 0.03  # of our messages may be answered wrong
_OUTSIDE_AT_MOST = 0.02  # of the others may be answered
_LOST_AT_MOST = 0.01  # of our messages may be taken for others'
_UNKNOWN_AT_MOST = 0.5  # never call a message that is rather ours unknown
_WORST = 10  # confusions shown


class LabelledError(ValueError):
    """A file of labelled messages that cannot be used; the text names the row and what to do."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message with the topics any of which is right (none: out of scope) and its kind."""

    text: str
    labels: frozenset[str]
    kind: str

    @property
    def in_scope(self) -> bool:
        """Some topic answers it."""
        return bool(self.labels)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A labelled message and what the matcher decided, in `seconds`."""

    row: Labelled
    decision: Decision
    seconds: float

    @property
    def rank(self) -> int | None:
        """The place of the first right topic among the candidates, from 0."""
        slugs = [candidate.slug for candidate in self.decision.candidates]
        return next((place for place, slug in enumerate(slugs) if slug in self.row.labels), None)


@dataclass(frozen=True, slots=True)
class Shares:
    """What became of a group of messages, as shares of `count`."""

    count: int
    top1: float
    top3: float
    answered_right: float
    answered_wrong: float
    clarified_right: float
    clarified_wrong: float
    unknown: float


@dataclass(frozen=True, slots=True)
class Report:
    """How a matcher does on labelled messages."""

    in_scope: Shares
    ambiguous: Shares
    out_of_scope: Shares
    kinds: dict[str, Shares]
    auroc: float
    confusions: tuple[tuple[str, str, int], ...]
    p50_ms: float
    p99_ms: float

    def table(self) -> str:
        """The figures as a plain text table."""
        names = ("всего", "top-1", "top-3", "верно", "неверно", "уточн.+", "уточн.-", "нет")
        head = " " * 22 + "".join(f"{name:>9}" for name in names)
        groups = {"по темам": self.in_scope, "неоднозначные": self.ambiguous, "не наши": self.out_of_scope}
        lines = [head, *(_line(name, shares) for name, shares in groups.items()), ""]
        lines += [_line(name, shares) for name, shares in self.kinds.items()]
        lines += ["", f"AUROC «наше — не наше»: {self.auroc:.3f}"]
        lines += [
            f"время на сообщение, мс: p50 {self.p50_ms:.1f}, p99 {self.p99_ms:.1f}",
            "",
            "частые ошибки:",
        ]
        lines += [f"  {right} → {taken}: {times}" for right, taken, times in self.confusions]
        return "\n".join(lines)


def read_labelled(path: Path, *, slugs: Collection[str] | None = None) -> tuple[Labelled, ...]:
    """Read a TSV with text, labels (comma separated) and kind; raises LabelledError naming the row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError):
        raise LabelledError(f"{path}: файл не читается, нужен TSV в кодировке UTF-8") from None
    missing = [name for name in _COLUMNS if name not in (table[0] if table else [])]
    if missing:
        raise LabelledError(
            f"{path}, строка 1: нет столбцов {', '.join(missing)}; нужны text, labels, kind через табуляцию"
        )
    places = [table[0].index(name) for name in _COLUMNS]
    return tuple(
        _labelled(cells, places, where=f"{path}, строка {number}", slugs=slugs)
        for number, cells in enumerate(table[1:], start=2)
        if any(cell.strip() for cell in cells)
    )


def evaluate(matcher: Matcher, rows: Iterable[Labelled]) -> Report:
    """Match every message and count what became of it."""
    outcomes = [_outcome(matcher, row) for row in rows]
    inside = [each for each in outcomes if each.row.in_scope and each.row.kind != AMBIGUOUS]
    outside = [each for each in outcomes if not each.row.in_scope]
    times = sorted(each.seconds * 1000 for each in outcomes) or [0.0]
    return Report(
        in_scope=_shares(inside),
        ambiguous=_shares([each for each in outcomes if each.row.kind == AMBIGUOUS]),
        out_of_scope=_shares(outside),
        kinds={
            kind: _shares([each for each in outcomes if each.row.kind == kind])
            for kind in sorted({each.row.kind for each in outcomes})
        },
        auroc=auroc(
            [each.decision.confidence for each in inside], [each.decision.confidence for each in outside]
        ),
        confusions=_confusions(inside),
        p50_ms=float(np.quantile(times, 0.5)),
        p99_ms=float(np.quantile(times, 0.99)),
    )


def choose_thresholds(scorer: Scorer, rows: Sequence[Labelled]) -> Thresholds:
    """Fit the decision's numbers to labelled messages; thresholds are chosen on those held out."""
    trial = _Trial.of(scorer, [row for row in rows if small_talk(row.text) is None])
    everything = np.ones(len(trial.rows), dtype=bool)
    weights, outside, right_model, inside_model = trial.fit(everything)
    is_right, right, inside = trial.held_out()
    ours = np.array([row.in_scope and row.kind != AMBIGUOUS for row in trial.rows])
    outside_rows = np.array([not row.in_scope for row in trial.rows])
    answer_from = next(
        threshold
        for threshold in [*np.arange(0.5, 1.0, 0.01).tolist(), 1.0]
        if (right >= threshold)[ours & ~is_right].sum() <= _WRONG_AT_MOST * ours.sum()
        and (right >= threshold)[outside_rows].sum() <= _OUTSIDE_AT_MOST * outside_rows.sum()
    )
    unknown_below = float(np.quantile(inside[ours], _LOST_AT_MOST))
    return Thresholds(
        weights=tuple(_short(weights)),
        outside=round(outside, 3),
        right=tuple(_short(right_model)),
        inside=tuple(_short(inside_model)),
        answer_from=round(answer_from, 3),
        unknown_below=round(min(unknown_below, _UNKNOWN_AT_MOST), 3),
        figures={
            "messages": len(trial.rows),
            "held_out_top1": round(float(is_right[ours].mean()), 3),
            "held_out_answered_right": round(
                float((right >= answer_from)[ours & is_right].sum() / ours.sum()), 3
            ),
            "held_out_answered_wrong": round(
                float((right >= answer_from)[ours & ~is_right].sum() / ours.sum()), 3
            ),
            "held_out_outside_answered": round(float((right >= answer_from)[outside_rows].mean()), 3),
            "held_out_auroc": round(auroc(inside[ours].tolist(), inside[outside_rows].tolist()), 3),
        },
    )


@dataclass(frozen=True, slots=True)
class _Trial:
    """Labelled messages with their evidence, to fit on some and look at the others."""

    rows: tuple[Labelled, ...]
    parts: tuple[Part, ...]
    evidence: tuple[Evidence, ...]
    tables: Doubles
    labels: Doubles

    @classmethod
    def of(cls, scorer: Scorer, rows: Sequence[Labelled]) -> "_Trial":
        parts = tuple(scorer.reader.read(row.text).whole for row in rows)
        evidence = tuple(scorer.evidence(part) for part in parts)
        labels = np.array(
            [[slug in (row.labels or {OUTSIDE}) for slug in scorer.slugs] for row in rows], dtype=float
        )
        return cls(
            tuple(rows), parts, evidence, np.stack([each.table for each in evidence]).astype(float), labels
        )

    def fit(self, chosen: NDArray[np.bool_]) -> tuple[Doubles, float, Doubles, Doubles]:
        """Weights, head start of «none of ours», and the models of being right and of being ours."""
        weights, outside = fit_weights(self.tables[chosen], self.labels[chosen])
        scores = scores_of(self.tables, weights, outside)
        plain = chosen & np.array([row.kind != AMBIGUOUS for row in self.rows])
        seen = self._clues(scores)
        is_right = self._is_right(scores)
        ours = np.array([row.in_scope for row in self.rows])
        return (
            weights,
            outside,
            fit_logistic(seen[plain], is_right[plain]),
            fit_logistic(seen[plain], ours[plain]),
        )

    def held_out(self) -> tuple[NDArray[np.bool_], Doubles, Doubles]:
        """For each message, by a fit without its fold: is the top right, chances of right and of ours."""
        folds = np.random.default_rng(_SEED).permutation(len(self.rows)) % _FOLDS
        is_right = np.zeros(len(self.rows), dtype=bool)
        right, inside = np.zeros(len(self.rows)), np.zeros(len(self.rows))
        for fold in range(_FOLDS):
            out = folds == fold
            weights, outside, right_model, inside_model = self.fit(~out)
            scores = scores_of(self.tables, weights, outside)
            seen = np.column_stack([self._clues(scores), np.ones(len(self.rows))])
            is_right[out] = self._is_right(scores)[out]
            right[out] = logistic(seen[out] @ right_model)
            inside[out] = logistic(seen[out] @ inside_model)
        return is_right, right, inside

    def _clues(self, scores: Doubles) -> Doubles:
        return np.stack([clues(*each) for each in zip(self.parts, self.evidence, scores, strict=True)])

    def _is_right(self, scores: Doubles) -> NDArray[np.bool_]:
        best = scores[:, :-1].argmax(axis=1)
        return np.asarray(self.labels[np.arange(len(best)), best] > 0)


def auroc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """The chance that a value of the first group is above one of the second; 0.5 where a group is empty."""
    if not higher or not lower:
        return 0.5
    one, other = np.array(higher)[:, None], np.array(lower)[None, :]
    return float(((one > other) + 0.5 * (one == other)).mean())


def _labelled(
    cells: Sequence[str], places: Sequence[int], *, where: str, slugs: Collection[str] | None
) -> Labelled:
    if len(cells) <= max(places):
        raise LabelledError(f"{where}: столбцов {len(cells)}, нужно {max(places) + 1}; проверьте табуляции")
    text, labels, kind = (cells[place].strip() for place in places)
    named = frozenset(re.split(r"\s*,\s*", labels)) - {""}
    if not text or not named:
        raise LabelledError(f"{where}: пустой текст или метка; впишите её или удалите строку")
    named -= {OUT_OF_SCOPE}
    unknown = sorted(named.difference(slugs)) if slugs is not None else []
    if unknown:
        raise LabelledError(f"{where}: темы {', '.join(unknown)} нет в базе; исправьте метку")
    return Labelled(text=text, labels=named, kind=kind)


def _outcome(matcher: Matcher, row: Labelled) -> Outcome:
    started = time.perf_counter()
    decision = matcher.match(row.text)
    return Outcome(row, decision, time.perf_counter() - started)


def _shares(outcomes: Sequence[Outcome]) -> Shares:
    count = len(outcomes)

    def share(chosen: Iterable[Outcome]) -> float:
        return sum(1 for _ in chosen) / count if count else 0.0

    answered = [each for each in outcomes if each.decision.decision == "answer"]
    clarified = [each for each in outcomes if each.decision.decision == "clarify"]
    return Shares(
        count=count,
        top1=share(each for each in outcomes if each.rank == 0),
        top3=share(each for each in outcomes if each.rank is not None and each.rank < 3),  # noqa: PLR2004  top-3
        answered_right=share(each for each in answered if each.rank == 0),
        answered_wrong=share(each for each in answered if each.rank != 0),
        clarified_right=share(each for each in clarified if each.rank is not None),
        clarified_wrong=share(each for each in clarified if each.rank is None),
        unknown=share(each for each in outcomes if each.decision.decision == "unknown"),
    )


def _confusions(outcomes: Iterable[Outcome]) -> tuple[tuple[str, str, int], ...]:
    wrong = Counter(
        ("|".join(sorted(each.row.labels)), each.decision.slug or "—") for each in outcomes if each.rank != 0
    )
    ordered = sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:_WORST]
    return tuple((right, taken, times) for (right, taken), times in ordered)


def _line(name: str, shares: Shares) -> str:
    figures = astuple(shares)[1:]
    return f"{name:22}{shares.count:>9}" + "".join(f"{figure:>9.3f}" for figure in figures)


def _short(values: Doubles) -> list[float]:
    return [round(float(value), 4) for value in values]
