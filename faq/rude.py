"""Insults in a message, however long, so that nobody reads them unwarned; the bot's answer stays the same.

What merely looks like one («застраховать», «хлеб», «Мудров», an aul Блягоз, a household's скотина) is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from faq.packaged import CONTENT, read_plain
from faq.text import clean, lemma, small_talk, words

_BESIDE = 2
"""Words between an insult and whoever is meant, at most so many places away."""
_PART = re.compile(r"[^\w\s*#@]+|\n")
"""What ends a part of a sentence: «пошли, вы сказали» is no insult."""
_SPELT_OUT = re.compile(r"(?<!\w)(?:[а-я][ .\-]){2,}[а-я](?!\w)")
_STARS = "[*#@]+"
_ADJECTIVE = ("ый", "ий", "ой")


def is_rude(text: str) -> bool:
    """Whether the staff are to be warned of the words."""
    if small_talk(text) == "abuse":
        return True
    data = _data()
    cleaned = clean(text)
    if any(pattern.search(cleaned) for pattern in data.hidden):
        return True
    joined = _SPELT_OUT.sub(lambda found: re.sub(r"\W", "", found[0]), cleaned)
    said = words(joined)
    if any(_is_obscene(word, data) for word in said):
        return not _is_of_book(said, data)
    parts = [words(part) for part in _PART.split(joined)]
    if any(_has_phrase(part, data) for part in parts):
        return True
    lemmas = [lemma(word) for word in said]
    return any(_is_insult(lemmas, place, data) for place in range(len(lemmas)))


@dataclass(frozen=True, slots=True)
class _Data:
    stems: tuple[str, ...]
    innocent: tuple[str, ...]
    words: frozenset[str]
    insults: frozenset[str]
    beside: frozenset[str]
    meant: frozenset[str]
    harmless_after: frozenset[str]
    harmless_before: frozenset[str]
    innocent_with: Mapping[str, frozenset[str]]
    phrases: frozenset[tuple[str, ...]]
    hidden: tuple[re.Pattern[str], ...]


@cache
def _data() -> _Data:
    plain: dict[str, Any] = read_plain(CONTENT / "rude.yaml")
    return _Data(
        stems=tuple(plain["stems"]),
        innocent=tuple(plain["innocent"]),
        words=frozenset(plain["words"]),
        insults=frozenset(plain["insults"]),
        beside=frozenset(plain["beside"]),
        meant=frozenset(plain["meant"]),
        harmless_after=frozenset(plain["harmless_after"]),
        harmless_before=frozenset(plain["harmless_before"]),
        innocent_with={name: frozenset(listed) for name, listed in plain["innocent_with"].items()},
        phrases=frozenset(words(phrase) for phrase in plain["phrases"]),
        hidden=tuple(_hidden(plain["hidden"])),
    )


def _hidden(shapes: Iterable[str]) -> Iterable[re.Pattern[str]]:
    for shape in shapes:
        yield re.compile(r"(?<![\w*#@])" + _STARS.join(map(re.escape, shape.split("*"))))


def _is_obscene(word: str, data: _Data) -> bool:
    if word in data.words:
        return True
    return word.startswith(data.stems) and not word.startswith(data.innocent)


def _is_of_book(said: Sequence[str], data: _Data) -> bool:
    """Every such word is a title's, or a book's: «Идиот» Достоевского."""
    lemmas = {lemma(word) for word in said}
    rude = [word for word in said if _is_obscene(word, data)]
    return all(data.innocent_with.get(lemma(word), frozenset()) & lemmas for word in rude)


def _has_phrase(part: Sequence[str], data: _Data) -> bool:
    return any(
        tuple(part[start : start + length]) in data.phrases
        for length in {len(phrase) for phrase in data.phrases}
        for start in range(len(part) - length + 1)
    )


def _is_insult(lemmas: Sequence[str], place: int, data: _Data) -> bool:
    said = lemmas[place]
    if said not in data.insults | data.beside:
        return False
    if data.innocent_with.get(said, frozenset()).intersection(lemmas):
        return False
    if data.harmless_after.intersection(lemmas[max(place - 2, 0) : place]):
        return False
    is_adjective = said.endswith(_ADJECTIVE)
    if is_adjective and data.harmless_before.intersection(lemmas[place + 1 : place + 2]):
        return False
    if said in data.insults:
        return True
    near = lemmas[max(place - _BESIDE, 0) : place + _BESIDE + 1]
    return bool(data.meant.intersection(near))
