"""The words of a directory of schools: which of them a word of a parent stands for."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from faq.schools.naming import Word, known_words, stem
from faq.script import Remembering
from faq.text import clean, is_russian, words

_SLIP = 0.12  # of a word's worth
_SHORTENED = 0.75  # worth of «мат» for «математический»
_DERIVED = 0.85  # worth of «светлореченская» for «Светлореченка»
_SLIP_FROM, _TWO_SLIPS_FROM, _SHORTENED_FROM = 5, 9, 3  # letters of a stem
_ADJECTIVAL = re.compile(r"[аоеиыя]?(?:н|ен|нен|ин|ов|ев)?ск")
_MOST_EQUAL = 5  # stems that are equally near: more say nothing
_MOST_SHORTENED = 3  # the same for stems that begin so

Likely = tuple[tuple[str, float], ...]
"""Stems of the directory that were meant, each with what it is worth, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A word of a parent, and the stems of the directory that it stands for; none where it is unknown."""

    word: Word
    likely: Likely


class Stems:
    """The stems of one directory; safe to share between threads."""

    def __init__(self, stems: Iterable[str]) -> None:
        self._sorted = sorted(set(stems))
        self._known = frozenset(self._sorted)
        self._near = Remembering(self._find_near)
        self._shortened = Remembering(self._find_shortened)

    def meant(self, said: Sequence[Word]) -> Iterator[Meant]:
        """What the words stand for: as they are, glued («светло ключевский»), or taken apart."""
        at = 0
        while at < len(said):
            word, after = said[at], said[at + 1 : at + 2]
            glued = self._glued(word, after)
            if glued:
                yield Meant(word, glued)
                at += 1
            else:
                yield from self._alone(word)
            at += 1

    def _glued(self, word: Word, after: Sequence[Word]) -> Likely:
        if not after or word.stem in self._known or after[0].stem in self._known:
            return ()
        return self._near(stem(word.text + after[0].text))

    def _alone(self, word: Word) -> Iterator[Meant]:
        near = self._near(word.stem)
        parts = () if near else self._parts(word.stem)
        if parts:
            yield from (Meant(Word(part, part, word.field), ((part, 1.0),)) for part in parts)
        else:
            yield Meant(word, near or self._shortened(word.stem))

    def _find_near(self, said: str) -> Likely:
        if said in self._known:
            return ((said, 1.0),)
        slips = (len(said) >= _SLIP_FROM) + (len(said) >= _TWO_SLIPS_FROM)
        if not slips:
            return ()
        close = process.extract(
            said, self._sorted, scorer=OSA.distance, score_cutoff=slips, limit=_MOST_EQUAL
        )
        return tuple(
            (each, 1 - _SLIP * far) for each, far, _ in close if far == close[0][1]
        ) or self._derived(said)

    def _derived(self, said: str) -> Likely:
        """«майкопская» is of «Майкоп»."""
        for end in range(len(said) - 1, _SLIP_FROM - 1, -1):
            if said[:end] in self._known and _ADJECTIVAL.fullmatch(said[end:]):
                return ((said[:end], _DERIVED),)
        return ()

    def _find_shortened(self, said: str) -> Likely:
        if len(said) < _SHORTENED_FROM:
            return ()
        begun: list[str] = []
        for each in self._sorted[bisect_left(self._sorted, said) :]:
            if not each.startswith(said):
                break
            begun.append(each)
        return tuple((each, _SHORTENED) for each in begun) if len(begun) <= _MOST_SHORTENED else ()

    def _parts(self, said: str) -> tuple[str, ...]:
        """«верхнеподсолнечн» is «верхн» and «подсолнечн»."""
        for end in range(_SHORTENED_FROM, len(said) - _SHORTENED_FROM):
            first, second = said[:end], said[end:]
            second = second[1:] if second[0] in "ое" else second
            if first in self._known and second in self._known:
                return first, second
        return ()


class Vocabulary:
    """The words of a directory, for the repair of wrong layout and transliteration."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words = {word for text in texts for word in words(clean(text))} | known_words()
        self._sorted = sorted(self._words)
        self._stems = sorted({stem(word) for word in self._words if len(word) >= _SLIP_FROM})

    def knows(self, word: str) -> bool:
        """The directory or the dictionary has the word."""
        return word in self._words or is_russian(word)

    def times(self, word: str) -> int:
        """One if the directory has the word, or else none."""
        return int(word in self._words)

    def begins(self, start: str) -> bool:
        """Some word of the directory begins so."""
        at = bisect_left(self._sorted, start)
        return at < len(self._sorted) and self._sorted[at].startswith(start)

    def resembles(self, word: str) -> bool:
        """The word may be a form of one that the directory has, or a typo of it."""
        if len(word) < _SLIP_FROM:
            return False
        return process.extractOne(stem(word), self._stems, scorer=OSA.distance, score_cutoff=1) is not None
