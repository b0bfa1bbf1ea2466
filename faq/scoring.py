"""Evidence for each topic: how near a message is to its phrasings, its words and its answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from faq import markup
from faq.index import Bm25, Floats, Vectors, leave_one_out, lemma_grams, letter_grams, ridge
from faq.reading import Part, Reader
from faq.topic import Base, Topic

SIGNALS = ("ridge", "nearest", "centroid", "bm25")
"""The columns of the evidence, each about 0…1."""

OUTSIDE = ""
"""Stands in the place of a slug for «none of our topics»."""

_LETTERS_SHARE = 0.5  # of letters against lemmas in the kernel: both views err on different messages
_PENALTY = 0.3  # of the ridge: the phrasings are few, so it must not learn them by heart
_ANSWER_PENALTY = 1.2  # the answer's first sentence is a weaker example of how parents ask
_ANSWER_WEIGHT = 0.3  # of a lemma of the answer against one of a phrasing in BM25


class Sample(NamedTuple):
    """An example text of a topic (or of none: OUTSIDE), and how little the ridge should trust it."""

    slug: str
    text: str
    penalty: float
    phrasing: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each class: one row a class (the last is OUTSIDE), one column a signal.

    `nearest` is the similarity to the nearest example of any topic, `unseen` the share of words no topic has.
    """

    table: Floats
    nearest: float
    unseen: float


class Scorer:
    """Immutable lexical index of one base; its parts can be replaced one by one."""

    def __init__(self, base: Base, *, outside: Iterable[str] = ()) -> None:
        self.slugs = (*sorted(base.topics), OUTSIDE)
        topics = [base.topics[slug] for slug in self.slugs[:-1]]
        samples = sorted(_samples(topics, outside), key=lambda each: (self.slugs.index(each.slug), each.text))
        self.reader = Reader([*(each.text for each in samples), *(_answer(topic) for topic in topics)])
        self.samples = tuple(samples)
        parts = [self.reader.read(each.text).whole for each in samples]
        answers = [self.reader.read(_answer(topic)).whole for topic in topics]
        self._letters = Vectors([letter_grams(part) for part in parts])
        self._lemmas = Vectors([lemma_grams(part) for part in parts])
        owners = np.array([self.slugs.index(each.slug) for each in samples])
        self._starts = np.searchsorted(owners, np.arange(len(self.slugs)))
        self._owners = owners
        self._counts = np.bincount(owners, minlength=len(self.slugs)).astype(np.float32)
        self._coefficients = ridge(self.similarities(), self._targets(), penalties=self._penalties())
        self._bm25 = Bm25(
            [
                [*((part, 1.0) for part, owner in zip(parts, owners, strict=True) if owner == number), *extra]
                for number, extra in enumerate([*([(answer, _ANSWER_WEIGHT)] for answer in answers), []])
            ]
        )

    def evidence(self, part: Part) -> Evidence:
        """Every signal for every class."""
        letters = self._letters.cosines(letter_grams(part))
        kernel = _mixed(letters, self._lemmas.cosines(lemma_grams(part)))
        classes = len(self.slugs)
        sums = np.bincount(self._owners, weights=kernel, minlength=classes)
        table = np.stack(
            [kernel @ self._coefficients, self._best(letters), sums / self._counts, self._bm25.scores(part)],
            axis=1,
        )
        return Evidence(
            table=table.astype(np.float32),
            nearest=float(self._best(kernel)[:-1].max(initial=0.0)),
            unseen=self._bm25.unseen(part),
        )

    def similarities(self) -> Floats:
        """Similarity of every sample with every other."""
        return _mixed(self._letters.gram(), self._lemmas.gram())

    def leave_one_out(self) -> Floats:
        """What the classifier would say of each sample (row) for each class (column) had it not seen it."""
        return leave_one_out(self.similarities(), self._targets(), penalties=self._penalties())

    def _targets(self) -> Floats:
        targets = np.zeros((len(self.samples), len(self.slugs)), dtype=np.float32)
        targets[np.arange(len(self.samples)), self._owners] = 1.0
        return targets

    def _penalties(self) -> Floats:
        return np.array([each.penalty for each in self.samples], dtype=np.float32)

    def _best(self, of_samples: Floats) -> Floats:
        """The greatest value among the samples of each class."""
        best: Floats = np.maximum.reduceat(of_samples, self._starts)
        return best


def load_outside(path: Path | None = None) -> tuple[str, ...]:
    """Messages that none of our topics answers, by default the packaged ones."""
    path = path or Path(__file__).parent / "base" / "out_of_scope.yaml"
    plain: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(text for texts in plain.values() for text in texts)


def _samples(topics: Sequence[Topic], outside: Iterable[str]) -> Iterable[Sample]:
    slugs = {topic.slug for topic in topics}
    for topic in topics:
        for text in (*topic.phrasings, topic.title):
            yield Sample(topic.slug, text, _PENALTY, phrasing=text != topic.title)
        yield Sample(topic.slug, markup.plain(topic.answer.meaning), _ANSWER_PENALTY, phrasing=False)
        for other in topic.not_here:
            # What is not for this topic is an example of the other one, and so evidence against this one.
            owner = other.belongs if other.belongs in slugs else OUTSIDE
            yield Sample(owner, other.text, _PENALTY, phrasing=False)
    for text in tuple(outside) or ("",):  # every class needs an example
        yield Sample(OUTSIDE, text, _PENALTY, phrasing=False)


def _answer(topic: Topic) -> str:
    return f"{topic.title}. {markup.plain(topic.answer.text)}"


def _mixed(letters: Floats, lemmas: Floats) -> Floats:
    mixed: Floats = np.float32(_LETTERS_SHARE) * letters + np.float32(1 - _LETTERS_SHARE) * lemmas
    return mixed
