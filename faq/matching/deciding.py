"""From evidence to a decision: probabilities, thresholds, and the messages that are too vague to answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from faq.matching.fitting import Doubles, logistic, scores_of, softmax
from faq.matching.reading import NOTION, Part
from faq.matching.scoring import LEXICAL, SEMANTIC, Evidence
from faq.packaged import CONTENT, read_plain
from faq.text import lemma

PACKAGED = CONTENT / "thresholds.yaml"
"""The thresholds that are installed with the program."""

_LEXICAL_CLUES = (
    "chance",
    "gap",
    "gap_outside",
    "nearest",
    "unseen",
    "length",
    "vague",
    "agreement",
    "best",
    "outside",
)
CLUES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    LEXICAL: _LEXICAL_CLUES,
    SEMANTIC: (*_LEXICAL_CLUES, "meant", "meant_gap"),
}
"""By which signals there are: what the chances of being right and of being ours are judged by."""

DIGITS = 4
"""Of every chance that is told or compared: the order in which processors add differs in the seventh."""

_PAIR = 2  # a topic and «none of ours»: there is no second topic to compare with
_VAGUE_UP_TO = 2  # words with a meaning: more of them, even common ones, say something together


@dataclass(frozen=True, slots=True)
class Judging:
    """How much each signal weighs and how sure is sure enough, for one set of signals.

    `right` and `inside` are coefficients of logistic models on CLUES (the last one is the constant).
    """

    weights: tuple[float, ...]
    outside: float
    right: tuple[float, ...]
    inside: tuple[float, ...]
    answer_from: float
    unknown_below: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The numbers of a decision with and without sentence vectors, and the figures they were chosen by.

    Words alone are enough, and no vector is computed, where their chance of being right reaches
    `enough_from` or their chance of being ours is under `foreign_below`.
    """

    lexical: Judging
    semantic: Judging
    enough_from: float
    foreign_below: float
    figures: Mapping[str, float]

    def of(self, signals: tuple[str, ...]) -> Judging:
        """The numbers for evidence with these signals."""
        return self.semantic if signals == SEMANTIC else self.lexical


@dataclass(frozen=True, slots=True)
class Verdict:
    """Chances: of every class (the last: none of ours), of the best topic being right, of any being meant.

    `scores` are the weighted signals, one row a class; `sure` and `ours` say what the chances amount to.
    """

    scores: Doubles
    chances: Doubles
    right: float
    inside: float
    sure: bool
    ours: bool


def load_thresholds(path: Path = PACKAGED) -> Thresholds:
    """Read thresholds from a YAML file."""
    plain = read_plain(path)
    return Thresholds(
        lexical=_judging(plain["lexical"], LEXICAL),
        semantic=_judging(plain["semantic"], SEMANTIC),
        enough_from=float(plain["enough_from"]),
        foreign_below=float(plain["foreign_below"]),
        figures=plain["figures"],
    )


def thresholds_as_yaml(thresholds: Thresholds) -> str:
    """The thresholds with the figures they were chosen by, as `load_thresholds` reads them."""
    plain: dict[str, Any] = {
        "lexical": _plain(thresholds.lexical, LEXICAL),
        "semantic": _plain(thresholds.semantic, SEMANTIC),
        "enough_from": thresholds.enough_from,
        "foreign_below": thresholds.foreign_below,
        "figures": dict(thresholds.figures),
    }
    head = "# Chosen by `helpdesk faq tune` (faq/tuning.py) by cross-validation; not edited by hand.\n"
    return head + str(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False))


def judge(part: Part, evidence: Evidence, judging: Judging) -> Verdict:
    """Weigh the evidence for one text."""
    scores = scores_of(evidence.table.astype(np.float64), np.array(judging.weights), judging.outside)
    seen = np.append(clues(part, evidence, scores), 1.0)
    right = round(float(logistic(seen @ np.array(judging.right))), DIGITS)
    inside = round(float(logistic(seen @ np.array(judging.inside))), DIGITS)
    return Verdict(
        scores=evidence.table.astype(np.float64) * np.array(judging.weights),
        chances=softmax(scores),
        right=right,
        inside=inside,
        sure=right >= judging.answer_from,
        ours=inside >= judging.unknown_below,
    )


def clues(part: Part, evidence: Evidence, scores: Doubles) -> Doubles:
    """What tells a sure match from a lucky one, in the order of CLUES."""
    second, first = np.sort(scores[:-1])[-2:] if len(scores) > _PAIR else (0.0, scores[0])
    chance = float(softmax(scores)[:-1].max())
    content = len({word for word in part.lemmas if not word.startswith(NOTION)})
    table = evidence.table[:-1]
    lexical = [
        np.log(chance + 1e-9),
        first - second,
        first - scores[-1],
        evidence.nearest,
        evidence.unseen,
        np.log1p(content),
        float(is_vague(part)),
        float((table.argmax(axis=0) == scores[:-1].argmax()).mean()),
        float(table[:, 0].max()),
        float(evidence.table[-1, 0]),
    ]
    semantic = [evidence.meant, evidence.meant_gap] if evidence.signals == SEMANTIC else []
    return np.array([*lexical, *semantic])


def _judging(plain: Mapping[str, Any], signals: tuple[str, ...]) -> Judging:
    named = (*CLUES[signals], "constant")
    return Judging(
        weights=tuple(float(plain["weights"][signal]) for signal in signals),
        outside=float(plain["outside"]),
        right=tuple(float(plain["right"][clue]) for clue in named),
        inside=tuple(float(plain["inside"][clue]) for clue in named),
        answer_from=float(plain["answer_from"]),
        unknown_below=float(plain["unknown_below"]),
    )


def _plain(judging: Judging, signals: tuple[str, ...]) -> dict[str, Any]:
    named = (*CLUES[signals], "constant")
    return {
        "weights": dict(zip(signals, judging.weights, strict=True)),
        "outside": judging.outside,
        "right": dict(zip(named, judging.right, strict=True)),
        "inside": dict(zip(named, judging.inside, strict=True)),
        "answer_from": judging.answer_from,
        "unknown_below": judging.unknown_below,
    }


def is_vague(part: Part) -> bool:
    """The message fits many topics: one word with a meaning, or two that every topic shares."""
    said = _said(part)
    return len(said) <= 1 or (len(said) <= _VAGUE_UP_TO and said <= _vague_words().vague)


def is_ours_but_vague(part: Part) -> bool:
    """The message is vague and about our matters: «дневник», «не пускает»."""
    return is_vague(part) and bool(_said(part)) and _said(part) <= _vague_words().vague


def usual_topics(part: Part) -> tuple[str, ...]:
    """The topics that are usually meant by the vague words of a message; () where none are known."""
    said = _said(part)
    return next((topics for words, topics in _vague_words().usual if words & said), ())


def _said(part: Part) -> frozenset[str]:
    """The words with a meaning of their own."""
    stop = _vague_words().stop
    return frozenset(word for word in part.lemmas if not word.startswith(NOTION) and word not in stop)


@dataclass(frozen=True, slots=True)
class _Vague:
    stop: frozenset[str]
    vague: frozenset[str]
    usual: tuple[tuple[frozenset[str], tuple[str, ...]], ...]


@cache
def _vague_words() -> _Vague:
    path = CONTENT / "vague.yaml"
    plain = read_plain(path)
    return _Vague(
        stop=frozenset(lemma(str(word)) for word in plain["stop"]),
        vague=frozenset(lemma(str(word)) for word in plain["vague"]),
        usual=tuple(
            (frozenset(lemma(str(word)) for word in entry["words"]), tuple(entry["topics"]))
            for entry in plain["usual"]
        ),
    )
