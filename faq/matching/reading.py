"""Read a message as the base is read: in the lexicon's words, spelling repaired, courtesies gone."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import OSA, Prefix

from faq.packaged import CONTENT, read_plain
from faq.script import Remembering, Script
from faq.text import (
    clean,
    is_russian,
    is_verb,
    lemma,
    polite_phrases,
    sentences,
    tidy,
    without_lookalikes,
    words,
    words_one_slip_away,
)

NOTION = "+"
"""Begins a lemma that stands for a notion of the lexicon, not for a word of the message."""

STEPS = ("lookalikes", "layout", "translit", "glued", "spelling", "courtesies", "lexicon", "notions")
"""What is done to a message, in this order; each can be left out to measure what it is worth."""

TYPED = "typed"
"""The stage before all steps."""

SHORTENED = "shortened"
"""The stage at which a message of noise loses most of it."""

Sentences = tuple[tuple[str, ...], ...]

_REPAIRED_FROM = 4  # letters: shorter words have too many neighbours
_BY_DICTIONARY_FROM = 5  # letters: the whole dictionary has more neighbours than the base
_LONGEST_WORD = 40  # letters
_SHORTEST_TYPO = 3  # letters
_VERY_OFTEN = 15  # times in the base
_OFTEN = 4  # times in the base: the word is no chance
_ODD_SLIP = 0.6  # of a mistake: what an uncommon one costs more
_ONE_MORE_TIME = 0.06  # of a mistake: what a word's doubled number in the base is worth
_MOST_UNKNOWN = 40  # different words of a message: the worst letter has fewer mistakes
_PREPOSITIONS = ("в", "на", "с", "к", "из", "по", "за", "и", "а", "что", "как")
_SHORT_REST = 4  # letters of what was glued to «не»
_LONG_REST = 5  # letters of what was glued to a preposition
_ENDS = ("нибудь",)  # of words with a dash, which are read apart
_SIGNED = ("с", "уважением")
_LONGEST_NAME = 4  # words after «с уважением»
_CASE = re.compile(r"(?:а|у|ы|и|е|о|ой|ом|ою|ей|ем|ам|ами|ах|ов|ок)$")
_TWO_MISTAKES_FROM = 8  # letters: a long word may hold two typos
_GLUED_FROM = 5  # letters of «не» with its verb
_TEEN = range(14, 18)
_CHILD = range(6, 14)
_YEARS = frozenset({"год", "лет", "годик", "годов", "летний"})
_CLASS = frozenset({"класс", "классник"})
_CHILD_CLASSES = range(1, 7)  # classes 7 and 8 hold children of both ages
_TEEN_CLASSES = range(9, 12)
# Neighbours on the keyboard, and letters that sound alike.
_NEAR = {
    "а": "впо", "б": "ьюп", "в": "ыаф", "г": "нш", "д": "лжт", "е": "кнэи", "ж": "дэш", "з": "щхс",
    "и": "мтеы", "й": "цф", "к": "уег", "л": "од", "м": "си", "н": "ег", "о": "рла", "п": "арб", "р": "по",
    "с": "чмз", "т": "ьид", "у": "цк", "ф": "ыйв", "х": "зъ", "ц": "йу", "ч": "яс", "ш": "гщ", "щ": "шз",
    "ъ": "хь", "ы": "фви", "ь": "тбъ", "э": "же", "ю": "б", "я": "чф",
}  # fmt: skip
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
class Stage:
    """A message after one step of reading: one of STEPS, TYPED or SHORTENED; notions stand alone."""

    step: str
    text: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Which words are other spellings of one, which only mean the same, and which Latin words are meant."""

    spelt: dict[tuple[str, ...], tuple[str, ...]]
    means: dict[tuple[str, ...], str]
    latin: frozenset[str]
    english: frozenset[str] = frozenset()

    @property
    def longest(self) -> int:
        """Words in the longest entry."""
        return max(map(len, (*self.spelt, *self.means)), default=1)


def load_lexicon(path: Path | None = None) -> Lexicon:
    """Read the lexicon, by default the packaged one."""
    path = path or CONTENT / "lexicon.yaml"
    plain: dict[str, Any] = read_plain(path)
    spelt: dict[tuple[str, ...], tuple[str, ...]] = {}
    means: dict[tuple[str, ...], str] = {}
    for entry in plain["words"]:
        target = words(clean(entry["write"]))
        spelt |= {words(clean(variant)): target for variant in entry["for"]}
        means |= {words(clean(variant)): NOTION + " ".join(target) for variant in entry["about"]}
        if len(target) > 1:
            spelt.setdefault(target, target)
    return Lexicon(
        spelt=spelt, means=means, latin=frozenset(plain["latin"]), english=frozenset(plain["english"])
    )


class Words:
    """The words of one base with how often it has them: which are known, and of which another is a typo."""

    def __init__(self, texts: Iterable[str], *, lexicon: Lexicon, polite: Iterable[Sequence[str]]) -> None:
        count = Counter(word for text in texts for word in words(clean(text)))
        phrases = (*lexicon.spelt, *lexicon.spelt.values(), *lexicon.means, *polite, _ENDS)
        entries = {word for phrase in phrases for word in phrase}
        # A typo inside a phrasing must not become a word that others are repaired to.
        proper = {word: times for word, times in count.items() if is_russian(word)}
        self._times = dict.fromkeys(entries, 1) | {word: count[word] + 1 for word in proper.keys() | entries}
        self._sorted = sorted(self._times)
        slang = sorted(word for word in entries if not is_russian(word) and _is_target(word))
        self._slang = {_stem(word): word for word in reversed(slang)}
        self._lemmas = frozenset(map(lemma, self._times))
        self._targets = [word for word in self._sorted if _is_target(word)]
        self._lengths = np.array([len(word) for word in self._targets], dtype=np.int16)
        self._letters = np.array([_letters(word) for word in self._targets], dtype=np.uint64)
        self._close = Remembering(self._closest)
        self.nearest = Remembering(self._nearest)

    def knows(self, word: str) -> bool:
        """The base, the lexicon or the dictionary has the word."""
        return word in self._times or is_russian(word)

    def times(self, word: str) -> int:
        """How often the base and the lexicon have the word."""
        return self._times.get(word, 0)

    def begins(self, start: str) -> bool:
        """Some word of the base begins so."""
        at = bisect_left(self._sorted, start)
        return at < len(self._sorted) and self._sorted[at].startswith(start)

    def resembles(self, word: str) -> bool:
        """The word may be a typo of one that the base has."""
        return self._close(word) is not None

    def _nearest(self, word: str) -> str | None:
        """The word that was meant: of the base if one is near enough, or else of the dictionary."""
        # Inflected slang, which no dictionary has: «учетки», «снилсом».
        slang = self._slang.get(_stem(word))
        if slang:
            return slang
        best = self._close(word)
        if (best and best[0] < 1 + _ODD_SLIP) or not _BY_DICTIONARY_FROM <= len(word) <= _LONGEST_WORD:
            return best[-1] if best else None
        slips = [
            (lemma(each) not in self._lemmas, slip_cost(word, each), each)
            for each in words_one_slip_away(word)
        ]
        is_other, cost, meant = min(slips, default=(True, 0.0, ""))
        # A word that the base has nothing of is taken for itself on better grounds only.
        if slips and (not is_other or (cost == 1.0 and len(word) >= _TWO_MISTAKES_FROM)):
            return meant
        return best[-1] if best else None

    def _closest(self, word: str) -> tuple[float, str] | None:
        if not _SHORTEST_TYPO <= len(word) <= _LONGEST_WORD or not "а" <= word[0] <= "я":
            return None
        return min(self._within(word, 1 if len(word) < _TWO_MISTAKES_FROM else 2), default=None)

    def _within(self, word: str, mistakes: int) -> list[tuple[float, str]]:
        """Words of the base within so many mistakes, each with how unlikely it is that it was meant."""
        differing = np.bitwise_count(self._letters ^ np.uint64(_letters(word))) <= 2 * mistakes
        alike = np.flatnonzero(differing & (np.abs(self._lengths - len(word)) <= mistakes))
        found = []
        for number in alike:
            target = self._targets[number]
            distance = OSA.distance(word, target, score_cutoff=mistakes)
            if distance <= mistakes and _is_likely(word, target, distance, self._times[target]):
                cost = slip_cost(word, target) if distance == 1 else float(distance)
                found.append((cost - _ONE_MORE_TIME * self._times[target].bit_length(), target))
        return found


class Reader:
    """Reads messages against the words of one base; safe to share between threads."""

    def __init__(
        self, texts: Iterable[str], *, lexicon: Lexicon | None = None, without: Set[str] = frozenset()
    ) -> None:
        unknown = sorted(set(without).difference(STEPS))
        if unknown:
            raise ValueError(f"no such steps of reading: {', '.join(unknown)}")
        self._steps = tuple(step for step in STEPS if step not in without)
        self._lexicon = lexicon or load_lexicon()
        self._longest = self._lexicon.longest
        self._starts = {phrase[0] for phrase in (*self._lexicon.spelt, *self._lexicon.means)}
        self._polite = polite_phrases()
        self._polite_starts = {phrase[0] for phrase in self._polite}
        self._longest_polite = max(map(len, self._polite))
        self._words = Words(texts, lexicon=self._lexicon, polite=self._polite)
        self._script = Script(self._words, latin=self._lexicon.latin, english=self._lexicon.english)
        self._unglued = Remembering(self._unglue)

    def known(self, words_said: Iterable[str]) -> int:
        """How many of the words the base, the lexicon or the dictionary has."""
        return sum(self._words.knows(word) for word in set(words_said))

    def read(self, text: str) -> Reading:
        """Read a message of any length and content."""
        *_, (_, said) = self._stages(text)
        parts = [self._part(sentence) for sentence in said]
        whole = Part(
            words=tuple(word for part in parts for word in part.words),
            lemmas=tuple(lemma for part in parts for lemma in part.lemmas),
        )
        return Reading(whole=whole, parts=tuple(parts) if len(parts) > 1 else ())

    def explain(self, text: str) -> tuple[Stage, ...]:
        """The message after each step that changed it, after the message as it was typed."""
        stages: list[Stage] = []
        for step, said in self._stages(text):
            shown = ". ".join(" ".join(sentence) for sentence in said)
            if not stages or stages[-1].text != shown:
                stages.append(Stage(step, shown))
        if "notions" in self._steps:
            notions = [
                each for part in map(self._part, said) for each in part.lemmas if each.startswith(NOTION)
            ]
            if notions:
                stages.append(Stage("notions", " ".join(dict.fromkeys(notions))))
        return tuple(stages)

    def _stages(self, text: str) -> Iterator[tuple[str, Sentences]]:
        """The sentences of a message after each step, up to the notions, which add to the lemmas only."""
        text = tidy(text)
        yield TYPED, _sentences(text)
        of_text = {
            "lookalikes": without_lookalikes,
            "layout": self._script.from_wrong_layout,
            "translit": self._script.from_translit,
        }
        for step, change in of_text.items():
            if step in self._steps:
                text = change(text)
                yield step, _sentences(text)
        said = self._without_noise(_sentences(text))
        yield SHORTENED, said
        of_sentence = {
            "glued": self._split_glued,
            "spelling": self._repaired,
            "courtesies": self._without_courtesies,
            "lexicon": self._by_lexicon,
        }
        for step, rewrite in of_sentence.items():
            if step in self._steps:
                rewritten = (tuple(rewrite(sentence)) for sentence in said)
                said = tuple(sentence for sentence in rewritten if sentence)
                yield step, said

    def _part(self, written: Sequence[str]) -> Part:
        lemmas = [lemma(word) for word in written]
        notions = self._notions(written, lemmas) if "notions" in self._steps else ()
        return Part(words=tuple(written), lemmas=(*lemmas, *notions))

    def _split_glued(self, said: Sequence[str]) -> Iterator[str]:
        for word in said:
            yield from self._unglued(word)

    def _unglue(self, word: str) -> tuple[str, ...]:
        """«незнаю» is two words, and so is «вдневник»."""
        if len(word) < _GLUED_FROM or not "а" <= word[0] <= "я" or self._words.knows(word):
            return (word,)
        if word.startswith(("не", "ни")):
            rest = word[2:]
            if is_verb(rest) or (len(rest) >= _SHORT_REST and self._words.times(rest)):
                return "не", rest
        for small in _PREPOSITIONS:
            rest = word.removeprefix(small)
            if len(rest) < len(word) and len(rest) >= _LONG_REST and self._words.times(rest) >= _OFTEN:
                return small, rest
        return (word,)

    def _repaired(self, said: Sequence[str]) -> Iterator[str]:
        for word in said:
            yield word if self._words.knows(word) else self._words.nearest(word) or word

    def _without_noise(self, said: Sentences) -> Sentences:
        """Leave out what goes beyond the mistakes of any letter: it costs much time and says nothing."""
        strange = dict.fromkeys(word for sentence in said for word in sentence if not self._words.knows(word))
        if len(strange) <= _MOST_UNKNOWN:
            return said
        noise = set(islice(strange, _MOST_UNKNOWN, None))
        kept = (tuple(word for word in sentence if word not in noise) for sentence in said)
        return tuple(sentence for sentence in kept if sentence)

    def _without_courtesies(self, said: Sequence[str]) -> Iterator[str]:
        place = 0
        while place < len(said):
            if tuple(said[place : place + 2]) == _SIGNED and len(said) - place - 2 <= _LONGEST_NAME:
                return
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


def slip_cost(word: str, target: str) -> float:
    """How unusual one mistake is: slips to a neighbouring key, doubled and unheard letters are common."""
    start = Prefix.similarity(word, target)
    typed, meant = word[start:], target[start:]
    if not start:
        return 1 + _ODD_SLIP
    if len(typed) == len(meant):
        common = typed[:2] == meant[1::-1] or meant[0] in _NEAR.get(typed[0], "")
    elif len(typed) > len(meant):
        common = typed[0] == word[start - 1] or typed[0] in "ьъ" or typed[0] in _NEAR.get(word[start - 1], "")
    else:
        common = True
    return 1.0 if common else 1 + _ODD_SLIP / 2


def _sentences(text: str) -> Sentences:
    return tuple(map(words, sentences(text)))


def _stem(word: str) -> str:
    return _CASE.sub("", word) if len(word) > _REPAIRED_FROM else word


def _is_target(word: str) -> bool:
    return len(word) >= _REPAIRED_FROM and "а" <= word[0] <= "я"


def _is_likely(word: str, target: str, distance: int, times: int) -> bool:
    """Short words and words with two mistakes are taken for another only on better grounds."""
    if len(word) < _REPAIRED_FROM:
        return times >= _VERY_OFTEN and word[0] == target[0]
    if min(len(word), len(target)) <= _REPAIRED_FROM:
        return times >= _OFTEN and word[0] == target[0]
    return distance == 1 or word[0] == target[0]


def _letters(word: str) -> int:
    """Which letters a word has, and which of them twice: one mistake changes two of these bits at most."""
    once = twice = 0
    for letter in word:
        bit = 1 << (ord(letter) - ord("а") & 31)
        twice |= once & bit
        once |= bit
    return once | twice << 32


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
