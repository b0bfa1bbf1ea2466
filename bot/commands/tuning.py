"""`helpdesk faq tune`: bring the packaged vectors up to date and choose the numbers of a decision."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from faq.content.loading import PACKAGED
from faq.content.topic import Base
from faq.matching.deciding import PACKAGED as PACKAGED_THRESHOLDS
from faq.matching.deciding import Thresholds, thresholds_as_yaml
from faq.matching.embedding import Floats
from faq.matching.scoring import Evidence, Scorer, load_outside
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore, write_packaged
from faq.measuring.figures import plain_table
from faq.measuring.labelled import AMBIGUOUS, Labelled
from faq.measuring.tuning import choose_thresholds

VECTORS, THRESHOLDS = PACKAGED_VECTORS.name, PACKAGED_THRESHOLDS.name
"""The files that are written."""

FEWEST = 20
"""Messages on our topics, of others' and ambiguous ones, each, that thresholds may be chosen on."""

_FIGURES = {
    "top1": "верная тема первая",
    "answered_right": "ответил верно",
    "answered_wrong": "ответил неверно",
    "foreign_answered": "ответил на чужое",
    "ambiguous_answered": "ответил, не уточнив",
    "auroc": "AUROC «наше — не наше»",
}


@dataclass(frozen=True, slots=True)
class Renewed:
    """How many vectors there are now, how many of them were not there before, and the store with all."""

    written: int
    embedded: int
    store: VectorStore


def source_folder() -> Path | None:
    """The packaged base's folder where it is a checkout's, which may be written; else None."""
    return PACKAGED if (PACKAGED.parents[1] / "pyproject.toml").is_file() else None


def too_few(rows: Sequence[Labelled]) -> str | None:
    """Of which messages there are too few to choose thresholds on, for a person."""
    groups = Counter(_group(row) for row in rows)
    short = [f"{name} — {groups[name]}" for name in _GROUPS if groups[name] < FEWEST]
    return ", ".join(short) or None


def renew_vectors(base: Base, folder: Path) -> Renewed:
    """Write the vectors of the base's texts; only those that the package lacks are embedded."""
    texts = Scorer(base, outside=load_outside()).texts
    store = VectorStore(PACKAGED_VECTORS, None)
    missing = [text for text in dict.fromkeys(texts) if store.missing([text])]
    with typer.progressbar(missing, label=f"Векторы базы, новых {len(missing)}", file=sys.stderr) as bar:
        for text in bar:
            store.vectors([text])
    return Renewed(write_packaged(folder / VECTORS, texts, known=store), len(missing), store)


def renew_thresholds(base: Base, rows: Sequence[Labelled], folder: Path, *, store: VectorStore) -> Thresholds:
    """Choose the numbers of a decision on these messages and write them."""
    with typer.progressbar(length=len(rows), label=f"Сообщения, {len(rows)}", file=sys.stderr) as bar:
        scorer = _Telling(base, store, told=lambda: bar.update(1))
        thresholds = choose_thresholds(scorer, rows)
    draft = folder / f".{THRESHOLDS}.part"
    draft.write_text(thresholds_as_yaml(thresholds), encoding="utf-8")
    draft.replace(folder / THRESHOLDS)
    return thresholds


def figures_table(thresholds: Thresholds) -> str:
    """What the thresholds give on messages that were held out, by words alone and with their meaning."""
    figures = thresholds.figures
    lines = plain_table(
        ["", "только слова", "слова и смысл"],
        [
            [label, f"{figures[f'lexical_{name}']:.3f}", f"{figures[f'semantic_{name}']:.3f}"]
            for name, label in _FIGURES.items()
        ],
    )
    enough = f"Сообщений: {figures['messages']:.0f}; доля тех, на которые хватает слов: "
    return "\n".join([*lines, f"{enough}{figures['words_enough']:.3f}."])


class _Telling(Scorer):
    """Tells of each message whose meaning is compared: to embed it is what takes the time."""

    def __init__(self, base: Base, vectors: VectorStore, *, told: Callable[[], None]) -> None:
        super().__init__(base, outside=load_outside(), vectors=vectors)
        self._told = told

    def semantic_evidence(self, lexical: Evidence, vector: Floats) -> Evidence:
        """The same, told of."""
        self._told()
        return super().semantic_evidence(lexical, vector)


_GROUPS = ("по темам", "не наших", "неоднозначных")


def _group(row: Labelled) -> str:
    if not row.in_scope:
        return "не наших"
    return "неоднозначных" if row.kind == AMBIGUOUS else "по темам"
