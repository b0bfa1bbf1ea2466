"""Sparse vectors of phrasings and how near a message is to each: the lexical evidence."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from faq.matching.reading import NOTION, Part

Floats = NDArray[np.float32]

_GRAMS = (2, 3, 4)
_COMMON = 40  # samples: from here on a feature is cheaper in a dense product
_FREQUENT_SHARE = 25  # of the samples: such features are most of what a message's cosines cost
_COMMON_SHARE = 70  # of a large base's samples: the dense matrix must fit into memory
_NOWHERE = -1  # a feature of no sample
_REMEMBERED = 5_000  # words: enough for a base, some 5 MB
_PAIR_WEIGHT = 0.5  # two lemmas in a row say more together, but seldom recur
_BM25_K = 1.2
_BM25_B = 0.75
_UNSEEN = 0.5  # of the rarest word's weight


def letter_grams(part: Part) -> Counter[str]:
    """Runs of 2–4 letters inside each word with its edges: near spellings share most of them."""
    grams: Counter[str] = Counter()
    for word in part.words:
        grams.update(_grams_of(word))
    return grams


@lru_cache(maxsize=_REMEMBERED)
def _grams_of(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(padded[at : at + length] for length in _GRAMS for at in range(len(padded) - length + 1))


def lemma_grams(part: Part) -> dict[str, float]:
    """Lemmas, the lexicon's notions, and pairs of neighbouring lemmas."""
    grams: dict[str, float] = dict(Counter(part.lemmas))
    for one, other in pairwise(part.lemmas):
        grams[f"{one} {other}"] = grams.get(f"{one} {other}", 0.0) + _PAIR_WEIGHT
    return grams


class Vectors:
    """TF-IDF vectors of samples, indexed by feature: cosines of a new bag to all samples at once."""

    def __init__(self, bags: Sequence[Mapping[str, float]]) -> None:
        self._size = len(bags)
        spread = Counter(chain.from_iterable(bags))
        # Sorted, so that the sums below come out the same whatever order the base is read in.
        self._numbers = {feature: number for number, feature in enumerate(sorted(spread))}
        counts = np.array([spread[feature] for feature in self._numbers], dtype=np.float64)
        self._rarity = 1.0 + np.log((1 + self._size) / (1 + counts))
        self._unseen = 1.0 + log(1 + self._size)
        owners = np.repeat(np.arange(self._size), [len(bag) for bag in bags])
        flat = np.array([self._numbers[feature] for bag in bags for feature in bag], dtype=np.int64)
        times = np.array([often for bag in bags for often in bag.values()], dtype=np.float64)
        values = self._rarity[flat] * _damped(times)
        norms = np.sqrt(np.bincount(owners, weights=values**2, minlength=self._size))
        order = np.argsort(flat, kind="stable")
        self._samples = owners[order]
        self._values = (values / norms[owners]).astype(np.float32)[order]
        self._starts = np.concatenate(([0], np.cumsum(np.bincount(flat, minlength=len(self._numbers)))))
        self._rows, self._dense = self._common(self._size // _FREQUENT_SHARE)

    def cosines(self, bag: Mapping[str, float]) -> Floats:
        """Cosine of the bag with every sample; features that no sample has only dilute."""
        return self._cosines(*self._weigh(bag))

    def gram(self, marks: NDArray[np.int64]) -> Floats:
        """Cosines of some samples (rows, in rising order) with every sample (columns)."""
        lengths = np.diff(self._starts)
        # Long postings as one product of dense matrices, short ones row by row: the faster way for each.
        rows, dense = self._common(max(_COMMON, self._size // _COMMON_SHARE))
        gram: Floats = dense[:, marks].T @ dense
        features = np.repeat(np.arange(len(lengths)), lengths)
        rare = np.flatnonzero(rows[features] == _NOWHERE)
        rare = rare[np.argsort(self._samples[rare], kind="stable")]
        ends = np.cumsum(np.bincount(self._samples[rare], minlength=self._size))
        for place, sample in enumerate(marks):
            row = rare[(ends[sample - 1] if sample else 0) : ends[sample]]
            gram[place] += self._sums(features[row], self._values[row])
        return gram

    def _common(self, least: int) -> tuple[NDArray[np.int64], Floats]:
        """Features that so many samples have: the row of each feature (or _NOWHERE), and their values."""
        lengths = np.diff(self._starts)
        common = lengths >= max(least, 1)
        rows = np.where(common, np.cumsum(common) - 1, _NOWHERE)
        of_postings = np.repeat(rows, lengths)
        chosen = of_postings != _NOWHERE
        dense = np.zeros((int(common.sum()), self._size), dtype=np.float32)
        dense[of_postings[chosen], self._samples[chosen]] = self._values[chosen]
        return rows, dense

    def _cosines(self, numbers: NDArray[np.int64], weights: Floats) -> Floats:
        rows = self._rows[numbers]
        frequent = rows != _NOWHERE
        sums: Floats = self._sums(numbers[~frequent], weights[~frequent])
        sums += weights[frequent] @ self._dense[rows[frequent]]
        return sums

    def _sums(self, numbers: NDArray[np.int64], weights: Floats) -> Floats:
        if not len(numbers):
            return np.zeros(self._size, dtype=np.float32)
        starts = self._starts[numbers]
        lengths = self._starts[numbers + 1] - starts
        # Every posting of every feature, without a Python loop.
        offsets = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        postings = offsets + np.arange(len(offsets))
        values = self._values[postings] * np.repeat(weights, lengths)
        sums = np.bincount(self._samples[postings], weights=values, minlength=self._size)
        return sums.astype(np.float32)

    def _weigh(self, bag: Mapping[str, float]) -> tuple[NDArray[np.int64], Floats]:
        numbers = np.array([self._numbers.get(feature, _NOWHERE) for feature in bag], dtype=np.int64)
        known = numbers != _NOWHERE
        rarity = np.where(known, self._rarity[numbers], self._unseen) if len(self._rarity) else known * 1.0
        values = rarity * _damped(np.array(list(bag.values()), dtype=np.float64))
        values /= np.sqrt((values**2).sum()) or 1.0
        return numbers[known], values[known].astype(np.float32)


def _damped(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much a feature says that occurs so often: ten times is not ten times as much."""
    return np.where(times > 1, 1.0 + np.log(np.maximum(times, 1.0)), times)


class Bm25:
    """BM25 of whole topics on lemmas, each given as weighted texts."""

    def __init__(self, topics: Sequence[Iterable[tuple[Part, float]]]) -> None:
        bags: list[Counter[str]] = []
        for texts in topics:
            bag: Counter[str] = Counter()
            for part, weight in texts:
                for lemma in part.lemmas:
                    bag[lemma] += weight  # type: ignore[assignment]  # Counter adds floats as well
            bags.append(bag)
        spread = Counter(lemma for bag in bags for lemma in bag)
        self._numbers = {lemma: number for number, lemma in enumerate(sorted(spread))}
        self._idf = np.array(
            [
                np.log(1 + (len(bags) - spread[lemma] + 0.5) / (spread[lemma] + 0.5))
                for lemma in sorted(spread)
            ],
            dtype=np.float32,
        )
        self._rarest = float(self._idf.max(initial=0.0))
        self._weights = self._tables(bags)

    def scores(self, part: Part) -> Floats:
        """How much of the message each topic covers: 0 nothing, about 2 all of it many times."""
        said = set(part.lemmas)
        numbers = sorted(self._numbers[lemma] for lemma in said if lemma in self._numbers)
        if not numbers:
            return np.zeros(self._weights.shape[1], dtype=np.float32)
        gained: Floats = self._weights[numbers].sum(axis=0)
        # A word that no topic has is as good as a rare one that this topic lacks.
        unseen = _UNSEEN * self._rarest * (len(said) - len(numbers))
        return gained / np.float32(self._idf[numbers].sum() + unseen + 1.0)

    def unseen(self, part: Part) -> float:
        """The share of the message's lemmas that no topic has."""
        said = {lemma for lemma in part.lemmas if not lemma.startswith(NOTION)}
        return sum(lemma not in self._numbers for lemma in said) / len(said) if said else 0.0

    def _tables(self, bags: Sequence[Mapping[str, float]]) -> Floats:
        sizes = [sum(bag.values()) for bag in bags]
        usual = sum(sizes) / len(sizes)
        table = np.zeros((len(self._numbers), len(bags)), dtype=np.float32)
        for topic, bag in enumerate(bags):
            longer = 1 - _BM25_B + _BM25_B * sizes[topic] / usual
            for lemma, times in bag.items():
                number = self._numbers[lemma]
                table[number, topic] = self._idf[number] * times * (_BM25_K + 1) / (times + _BM25_K * longer)
        return table
