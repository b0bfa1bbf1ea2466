"""Evidence for each topic: how near a message is to its phrasings, its words, its answer and its meaning."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from faq import markup
from faq.content.topic import Base, Topic
from faq.matching import classifier
from faq.matching.index import Bm25, Floats, Vectors, lemma_grams, letter_grams
from faq.matching.reading import Part, Reader
from faq.matching.vectors import VectorStore
from faq.packaged import CONTENT, read_plain

LEXICAL = ("classifier", "nearest", "centroid", "bm25")
"""The columns of the evidence that words and letters give, each about 0…1."""

SEMANTIC = ("classifier", "nearest", "centroid", "bm25", "nearest_meaning", "answer_meaning")
"""The columns where sentence vectors are used too; its classifier sees words, letters and vectors."""

OUTSIDE = ""
"""Stands in the place of a slug for «none of our topics»."""

MOST_MISSING = 200
"""Texts that an index waits for to be embedded, some 20–50 ms each."""

_LETTERS_SHARE = 0.5  # of letters against lemmas in the kernel: both views err on different messages
_MEANING_SHARE = 1 / 3  # of vectors in the semantic kernel; .2 to .5 did equally well
_PENALTY = 0.3  # of the classifier: the phrasings are few, so it must not learn them by heart
_ANSWER_PENALTY = 1.2  # the answer's first sentence is a weaker example of how parents ask
_ANSWER_WEIGHT = 0.3  # of a lemma of the answer against one of a phrasing in BM25


class Sample(NamedTuple):
    """An example text of a topic (or of none: OUTSIDE), and how little the classifier should trust it."""

    slug: str
    text: str
    penalty: float
    phrasing: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each class: one row a class (the last is OUTSIDE), one column a signal.

    `nearest` is the similarity to the nearest example of any topic, `unseen` the share of words no topic has;
    `meant` is the cosine of the vectors of the message and of the nearest example of a topic, and `meant_gap`
    by how much that is more than to the nearest example of OUTSIDE; both 0 where no vectors are used.
    `similar` are the similarities to every sample.
    """

    signals: tuple[str, ...]
    table: Floats
    similar: Floats
    nearest: float
    unseen: float
    meant: float = 0.0
    meant_gap: float = 0.0


class Scorer:
    """Immutable index of one base; with `vectors` it also compares meanings."""

    def __init__(
        self,
        base: Base,
        *,
        outside: Iterable[str] = (),
        vectors: VectorStore | None = None,
        most_missing: int = MOST_MISSING,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """Index the base; `without` names reading steps to leave out.

        Where more than `most_missing` texts would have to be embedded first, vectors are not used.
        """
        self.slugs = (*sorted(base.topics), OUTSIDE)
        topics = [base.topics[slug] for slug in self.slugs[:-1]]
        numbers = {slug: number for number, slug in enumerate(self.slugs)}
        samples = sorted(_samples(topics, outside), key=lambda each: (numbers[each.slug], each.text))
        self.reader = Reader(
            [*(each.text for each in samples), *(_answer(topic) for topic in topics)], without=without
        )
        self.samples = tuple(samples)
        parts = [self.reader.read(each.text).whole for each in samples]
        answers = [self.reader.read(_answer(topic)).whole for topic in topics]
        self._letters = Vectors([letter_grams(part) for part in parts])
        self._lemmas = Vectors([lemma_grams(part) for part in parts])
        self._owners = np.array([numbers[each.slug] for each in samples], dtype=np.int64)
        self._starts = np.searchsorted(self._owners, np.arange(len(self.slugs)))
        self._counts = np.bincount(self._owners, minlength=len(self.slugs)).astype(np.float32)
        said = [[(part, 1.0) for part in own] for own in _split(parts, self._starts)]
        for own, answer in zip(said, answers, strict=False):  # OUTSIDE, the last one, has no answer
            own.append((answer, _ANSWER_WEIGHT))
        self._bm25 = Bm25(said)
        self._marks = classifier.landmarks(len(samples))
        kernel = self._kernel(self._marks)
        self._lexical = self._fit(kernel)
        self.texts = tuple(part.text for part in (*parts, *answers))
        self._meaning: _Meaning | None = None
        if vectors is not None and vectors.missing(self.texts) <= most_missing:
            table = vectors.vectors(self.texts)
            self._meaning = _Meaning(table[: len(parts)], table[len(parts) :])
            kernel *= np.float32(1 - _MEANING_SHARE)
            kernel += np.float32(_MEANING_SHARE) * self._meaning.gram(self._marks)
            self._semantic = self._fit(kernel, may_spoil=True)

    @property
    def semantic(self) -> bool:
        """Meanings can be compared."""
        return self._meaning is not None

    def lexical_evidence(self, part: Part) -> Evidence:
        """Every signal of words and letters for every class."""
        letters = self._letters.cosines(letter_grams(part))
        kernel = _mixed(letters, self._lemmas.cosines(lemma_grams(part)))
        table = np.stack(
            [
                kernel[self._marks] @ self._lexical,
                self._best(letters),
                np.add.reduceat(kernel, self._starts) / self._counts,
                self._bm25.scores(part),
            ],
            axis=1,
        )
        return Evidence(
            signals=LEXICAL,
            table=table.astype(np.float32),
            similar=kernel,
            nearest=float(self._best(kernel)[:-1].max(initial=0.0)),
            unseen=self._bm25.unseen(part),
        )

    def semantic_evidence(self, lexical: Evidence, vector: Floats) -> Evidence:
        """The same message's evidence once its vector is known too."""
        if self._meaning is None:
            return lexical
        raw, centred, to_answers = self._meaning.compare(vector)
        kernel = np.float32(1 - _MEANING_SHARE) * lexical.similar + np.float32(_MEANING_SHARE) * centred
        best = self._best(raw)
        table = np.column_stack(
            [
                kernel[self._marks] @ self._semantic,
                lexical.table[:, 1:],
                self._best(centred),
                np.append(to_answers, np.float32(0.0)),
            ]
        )
        meant = float(best[:-1].max(initial=0.0))
        return Evidence(
            signals=SEMANTIC,
            table=table.astype(np.float32),
            similar=kernel,
            nearest=lexical.nearest,
            unseen=lexical.unseen,
            meant=meant,
            meant_gap=meant - float(best[-1]),
        )

    def similarities(self) -> Floats:
        """Similarity of every sample with every other, by words and letters."""
        return self._kernel(np.arange(len(self.samples)))

    def leave_one_out(self) -> Floats:
        """What the classifier would say of each sample (row) for each class (column) had it not seen it."""
        return classifier.leave_one_out(self.similarities(), self._targets(), penalties=self._penalties())

    def _kernel(self, marks: NDArray[np.int64]) -> Floats:
        kernel = self._letters.gram(marks)
        kernel *= np.float32(_LETTERS_SHARE)
        lemmas = self._lemmas.gram(marks)
        lemmas *= np.float32(1 - _LETTERS_SHARE)
        kernel += lemmas
        return kernel

    def _fit(self, kernel: Floats, *, may_spoil: bool = False) -> Floats:
        return classifier.fit(
            kernel, self._targets(), penalties=self._penalties(), marks=self._marks, may_spoil=may_spoil
        )

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


class _Meaning:
    """Vectors of the samples and of the answers; compared as differences from the samples' mean.

    All vectors of this model point roughly one way (cosines .75 to 1), so only what is beyond that tells
    texts apart; the plain cosine tells how far a text is from everything of ours.
    """

    def __init__(self, samples: Floats, answers: Floats) -> None:
        self._mean: Floats = samples.mean(axis=0)
        self._lengths: Floats = np.linalg.norm(samples - self._mean, axis=1)
        self._samples = _unit(samples - self._mean)
        self._towards_mean: Floats = self._samples @ self._mean
        self._answers = _unit(answers - self._mean)

    def compare(self, vector: Floats) -> tuple[Floats, Floats, Floats]:
        """Plain cosines with the samples, centred cosines with the samples and with the answers."""
        # One pass over the samples gives both: a large base's are tens of megabytes.
        along: Floats = self._samples @ vector
        plain = self._lengths * along + np.float32(self._mean @ vector)
        difference = vector - self._mean
        length = np.maximum(np.linalg.norm(difference), np.float32(1e-9))
        return plain, (along - self._towards_mean) / length, (self._answers @ difference) / length

    def gram(self, marks: NDArray[np.int64]) -> Floats:
        gram: Floats = self._samples[marks] @ self._samples.T
        return gram


def load_outside(path: Path | None = None) -> tuple[str, ...]:
    """Messages that none of our topics answers, by default the packaged ones."""
    path = path or CONTENT / "out_of_scope.yaml"
    plain: dict[str, Any] = read_plain(path)
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


def _split(parts: Sequence[Part], starts: NDArray[np.int64]) -> list[Sequence[Part]]:
    """The parts of each class, which stand together."""
    ends = [*starts[1:], len(parts)]
    return [parts[start:end] for start, end in zip(starts, ends, strict=True)]


def _answer(topic: Topic) -> str:
    return f"{topic.title}. {markup.plain(topic.answer.text)}"


def _mixed(letters: Floats, lemmas: Floats) -> Floats:
    mixed: Floats = np.float32(_LETTERS_SHARE) * letters + np.float32(1 - _LETTERS_SHARE) * lemmas
    return mixed


def _unit(rows: Floats) -> Floats:
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-9))
    unit: Floats = (rows / lengths).astype(np.float32)
    return unit
