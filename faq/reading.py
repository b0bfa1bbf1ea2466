"""Read a message as the base is read: in the lexicon's words, spelling repaired, courtesies gone."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import process
from rapidfuzz.distance import OSA

from faq.script import to_russian
from faq.text import clean, is_russian, is_verb, lemma, polite_phrases, sentences, words

NOTION = "+"
"""Begins a lemma that stands for a notion of the lexicon, not for a word of the message."""

_REPAIRED_FROM = 5  # letters: shorter words have too many neighbours
_TWO_MISTAKES_FROM = 8  # letters: a long word may hold two typos
_GLUED_FROM = 5  # letters of «не» with its verb
_REMEMBERED = 20_000  # words
_TEEN = range(14, 18)
_CHILD = range(6, 14)
_YEARS = frozenset({"год", "лет", "годик", "годов", "летний"})
_CLASS = frozenset({"класс", "классник"})
_CHILD_CLASSES = range(1, 7)  # classes 7 and 8 hold children of both ages
_TEEN_CLASSES = range(9, 12)
_CLASS_WORD = re.compile(r"(перво|второ|третье|четверо|пяти|шести|девяти|десяти|одиннадцати)кла(?:сс|ш)")


@dataclass(frozen=True, slots=True)
class Part:
    """One sentence as it was read: its words in order, and the lemmas with the notions of the lexicon."""

    words: tuple[str, ...]
    lemmas: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words as one string."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as it was read: the whole, and its sentences where there are several."""

    whole: Part
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Which words are other spellings of one, which only mean the same, and which Latin words are meant."""

    spelt: dict[tuple[str, ...], tuple[str, ...]]
    means: dict[tuple[str, ...], str]
    latin: frozenset[str]

    @property
    def longest(self) -> int:
        """Words in the longest entry."""
        return max(map(len, (*self.spelt, *self.means)), default=1)


def load_lexicon(path: Path | None = None) -> Lexicon:
    """Read the lexicon, by default the packaged one."""
    path = path or Path(__file__).parent / "base" / "lexicon.yaml"
    plain: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    spelt: dict[tuple[str, ...], tuple[str, ...]] = {}
    means: dict[tuple[str, ...], str] = {}
    for entry in plain["words"]:
        target = words(clean(entry["write"]))
        spelt |= {words(clean(variant)): target for variant in entry["for"]}
        means |= {words(clean(variant)): NOTION + " ".join(target) for variant in entry["about"]}
        if len(target) > 1:
            spelt.setdefault(target, target)
    return Lexicon(spelt=spelt, means=means, latin=frozenset(plain["latin"]))


class Reader:
    """Reads messages against the words of one base; safe to share between threads."""

    def __init__(self, texts: Iterable[str], *, lexicon: Lexicon | None = None) -> None:
        self._lexicon = lexicon or load_lexicon()
        self._longest = self._lexicon.longest
        self._starts = {phrase[0] for phrase in (*self._lexicon.spelt, *self._lexicon.means)}
        self._polite = polite_phrases()
        self._polite_starts = {phrase[0] for phrase in self._polite}
        self._longest_polite = max(map(len, self._polite))
        count = Counter(word for text in texts for word in words(clean(text)))
        entries = {
            word
            for phrase in (*self._lexicon.spelt, *self._lexicon.spelt.values(), *self._lexicon.means)
            for word in phrase
        }
        # A typo inside a phrasing must not become a word that others are repaired to.
        proper = {word: times for word, times in count.items() if is_russian(word)}
        self._known = frozenset(entries) | proper.keys()
        self._frequent = {word: proper.get(word, 0) for word in self._known}
        self._targets = sorted(word for word in self._known if len(word) >= _REPAIRED_FROM - 1)
        self._mended = lru_cache(maxsize=_REMEMBERED)(self._mend)

    def __getstate__(self) -> dict[str, Any]:
        """All but the memory of repaired words."""
        return {name: value for name, value in self.__dict__.items() if name != "_mended"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin with an empty memory."""
        self.__dict__.update(state)
        self._mended = lru_cache(maxsize=_REMEMBERED)(self._mend)

    def read(self, text: str) -> Reading:
        """Read a message of any length and content."""
        text = to_russian(clean(text), self.knows, latin=self._lexicon.latin)
        parts = [part for part in map(self._part, sentences(text)) if part.words]
        whole = Part(
            words=tuple(word for part in parts for word in part.words),
            lemmas=tuple(lemma for part in parts for lemma in part.lemmas),
        )
        return Reading(whole=whole, parts=tuple(parts) if len(parts) > 1 else ())

    def knows(self, word: str) -> bool:
        """The base, the lexicon or the dictionary has the word."""
        return word in self._known or is_russian(word)

    def _part(self, sentence: str) -> Part:
        mended = [mended for word in words(sentence) for mended in self._mended(word)]
        spoken = list(self._without_courtesies(mended))
        written = list(self._by_lexicon(spoken))
        lemmas = [lemma(word) for word in written]
        return Part(words=tuple(written), lemmas=(*lemmas, *self._notions(written, lemmas)))

    def _mend(self, word: str) -> tuple[str, ...]:
        """A word as it should have been typed; words that are known or hopeless stay."""
        if self.knows(word) or not "а" <= word[0] <= "я":
            return (word,)
        if word.startswith(("не", "ни")) and len(word) >= _GLUED_FROM and is_verb(word[2:]):
            return "не", word[2:]
        if len(word) < _REPAIRED_FROM:
            return (word,)
        return (self._nearest(word) or word,)

    def _nearest(self, word: str) -> str | None:
        """The most frequent of the nearest words of the base within the allowed number of mistakes."""
        mistakes = 1 if len(word) < _TWO_MISTAKES_FROM else 2
        found = process.extract(word, self._targets, scorer=OSA.distance, score_cutoff=mistakes, limit=None)
        if not found:
            return None
        return min(found, key=lambda hit: (hit[1], -self._frequent[hit[0]], hit[0]))[0]

    def _without_courtesies(self, said: Sequence[str]) -> Iterator[str]:
        place = 0
        while place < len(said):
            longest = self._longest_polite if said[place] in self._polite_starts else 0
            for length in range(longest, 0, -1):
                if tuple(said[place : place + length]) in self._polite:
                    place += length
                    break
            else:
                yield said[place]
                place += 1

    def _by_lexicon(self, said: Sequence[str]) -> Iterator[str]:
        """Write the words as the lexicon does: the longest entry first, as typed or by dictionary forms."""
        forms = [lemma(word) for word in said]
        place = 0
        while place < len(said):
            longest = min(self._longest, len(said) - place)
            if self._starts.isdisjoint((said[place], forms[place])):
                longest = 0
            for length in range(longest, 0, -1):
                here = slice(place, place + length)
                target = self._lexicon.spelt.get(tuple(said[here])) or self._lexicon.spelt.get(
                    tuple(forms[here])
                )
                if target:
                    yield from target
                    place += length
                    break
            else:
                yield said[place]
                place += 1

    def _notions(self, written: Sequence[str], forms: Sequence[str]) -> Iterator[str]:
        """Notions that the words stand for: of the lexicon, and the child's age."""
        for place in range(len(written)):
            longest = min(self._longest, len(written) - place)
            if self._starts.isdisjoint((written[place], forms[place])):
                longest = 0
            for length in range(1, longest + 1):
                here = slice(place, place + length)
                means = self._lexicon.means
                notion = means.get(tuple(written[here])) or means.get(tuple(forms[here]))
                if notion:
                    yield notion
            age = _age(written[place], forms[place + 1 : place + 2])
            if age:
                yield age


def _age(word: str, following: Sequence[str]) -> str | None:
    """«13 лет», «5 класс», «пятиклассник» → under or from 14."""
    after = following[0] if following else ""
    schoolchild = _CLASS_WORD.match(word)
    if schoolchild:
        return _FROM_14 if schoolchild[1] in {"девяти", "десяти", "одиннадцати"} else _UNDER_14
    if not word.isdigit():
        return None
    number = int(word[:3])
    if after in _CLASS:
        return _UNDER_14 if number in _CHILD_CLASSES else _FROM_14 if number in _TEEN_CLASSES else None
    if number in _TEEN:
        return _FROM_14
    return _UNDER_14 if number in _CHILD and after in _YEARS else None


_UNDER_14 = f"{NOTION}до14"
_FROM_14 = f"{NOTION}с14"
