"""Make any string safe to compare, and tell small talk and the wish for a human from questions."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, cast

import pymorphy3

from faq.packaged import CONTENT, read_plain

LONGEST = 1_500
"""Characters of a message that are read; messengers allow 4,096, the answer never needs that many."""

SmallTalk = Literal["greeting", "thanks", "bye", "about_bot", "abuse", "stop"]

_HEAD = 500  # of LONGEST: how the message begins; the rest is its end, where long letters ask
_RAW = 8  # a character may become up to 18 under NFKC or vanish: cut roughly before, exactly after
_WORD = re.compile(r"[0-9]+|[a-z]+|[а-я]+")
_SENTENCE_END = re.compile(r"(?<=[.!?…;])\s+|\n+")
_ODD = re.compile(r"[^ -~\n0-9А-яЁё«»–—…№]")
_LOOKALIKES = str.maketrans("aceopxykmthbi3", "асеорхукмтнвиз")
_MIXED = re.compile(r"[a-zа-я0-9]*(?:[a-z][а-я]|[а-я][a-z]|[а-я]3[а-я])[a-zа-я0-9]*")
_LAUGHTER = re.compile(r"[ахие]{3,}|л+о+л+")
_REPEATED = re.compile(r"([а-я])\1{2,}")
_WANTS_WITHIN = 4  # words between the asking word and the person asked for
_REMEMBERED = 30_000  # words; a parent's word is some 100 bytes
_LONGEST_WORD = 40  # letters: the dictionary is slow with more, and no word has them
_ALPHABET = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
_LETTERS = {letter: (letter.encode(),) for letter in _ALPHABET} | {"е": ("е".encode(), "ё".encode())}
_END_OF_WORD = 1  # the dictionary's byte between a word and what is known of it
_LONGEST_SMALL_TALK = 8  # words; what is longer says something


def clean(text: str) -> str:
    """Lower case, ё→е, look-alike letters, no control characters, at most LONGEST characters of any input."""
    return without_lookalikes(tidy(text))


def tidy(text: str) -> str:
    """As `clean`, but a word in letters of two alphabets stays so."""
    text = _cut(unicodedata.normalize("NFKC", _cut(text, LONGEST * _RAW)), LONGEST * _RAW)
    text = _ODD.sub(lambda found: _plain(found[0]), text)
    text = _cut(text.lower().replace("ё", "е"), LONGEST)
    return _REPEATED.sub(r"\1", text).strip()


def without_lookalikes(text: str) -> str:
    """Write a word in letters of two alphabets («пapoль») in the Russian ones that they look like."""
    return _MIXED.sub(lambda found: found[0].translate(_LOOKALIKES), text)


def words(text: str) -> tuple[str, ...]:
    """The words and numbers of a cleaned text."""
    return tuple(_WORD.findall(text))


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a cleaned text; a dot inside «дневник.ру» ends none."""
    return tuple(part for part in _SENTENCE_END.split(text) if _WORD.search(part))


def normalise(text: str) -> str:
    """The form in which two texts are compared for being the same."""
    return " ".join(words(clean(text)))


@cache
def _morph() -> pymorphy3.MorphAnalyzer:
    return pymorphy3.MorphAnalyzer(lang="ru")


@cache
def _words() -> Any:
    """The automaton of the dictionary's words."""
    return _morph().dictionary.words.dct


@lru_cache(maxsize=_REMEMBERED)
def lemma(word: str) -> str:
    """The dictionary form of a cleaned word; digits and Latin stay as they are."""
    if not _is_cyrillic(word) or len(word) > _LONGEST_WORD:
        return word
    return str(_morph().parse(word)[0].normal_form).replace("ё", "е")


@lru_cache(maxsize=_REMEMBERED)
def is_russian(word: str) -> bool:
    """The dictionary knows the word."""
    return _is_cyrillic(word) and len(word) <= _LONGEST_WORD and bool(_morph().word_is_known(word))


def is_verb(word: str) -> bool:
    """The dictionary knows the word as a verb."""
    return is_russian(word) and any(
        parse.tag.POS in {"VERB", "INFN"} for parse in _morph().parse(word) if parse.is_known
    )


Place = tuple[int, ...]
"""Where one stands in the dictionary after some letters; empty where no word begins so."""

START: Place = (0,)
"""Before the first letter of any word of the dictionary."""


def follow(place: Place, letters: str) -> Place:
    """Go on by some letters; «е» stands for «ё» too."""
    for letter in letters:
        bytes_of = _LETTERS.get(letter, ())
        place = tuple(_reached(place, bytes_of))
        if not place:
            break
    return place


def is_word(place: Place) -> bool:
    """The letters that led here are a word of the dictionary."""
    return any(_words().follow_char(_END_OF_WORD, each) is not None for each in place)


@lru_cache(maxsize=_REMEMBERED)
def words_one_slip_away(word: str) -> tuple[str, ...]:
    """Words of the dictionary with one letter more, fewer or other, or two swapped, after the same first."""
    found = set()
    place = START
    for at, letter in enumerate(word):
        before, after = word[:at], word[at + 1 :]
        if at:
            found |= _with_end(place, before, after)
            found |= _with_end(place, before, after[:1] + letter + after[1:]) if after else set()
            for other in _ALPHABET:
                there = follow(place, other)
                if there:
                    found |= _with_end(there, before + other, after)
                    found |= _with_end(there, before + other, letter + after)
        place = follow(place, letter)
        if not place:
            break
    else:
        found |= {end for other in _ALPHABET for end in _with_end(place, word, other)}
    return tuple(sorted(found - {word}))


def small_talk(text: str) -> SmallTalk | None:
    """The kind of small talk that a message is, or None where it may hold a question."""
    data = _talk()
    said = words(clean(text))
    if not said:
        return _emoji_talk(text, data)
    if all(_LAUGHTER.fullmatch(word) for word in said):
        return "thanks"
    if len(said) > _LONGEST_SMALL_TALK:
        return None
    for kind in _KINDS:
        if _is_covered(said, kind, data):
            return kind
    return None


def wants_human(text: str) -> bool:
    """The message asks for a person instead of the bot."""
    data = _talk()
    said = words(clean(text))
    if said in data.human_whole:
        return True
    lemmas = [lemma(word) for word in said]
    if data.human_never.intersection(lemmas):
        return False
    people = [place for place, word in enumerate(lemmas) if word in data.human_who]
    asking = [place for place, word in enumerate(lemmas) if word in data.human_ask]
    return any(0 < abs(one - other) <= _WANTS_WITHIN for one in people for other in asking)


def polite_phrases() -> frozenset[tuple[str, ...]]:
    """The courtesies that carry no question, as words."""
    return _talk().polite


# The first kind that covers the whole message wins: «спасибо, стоп» is a stop.
_KINDS: tuple[SmallTalk, ...] = ("stop", "abuse", "about_bot", "thanks", "bye", "greeting")


@dataclass(frozen=True, slots=True)
class _Talk:
    kinds: Mapping[SmallTalk, frozenset[tuple[str, ...]]]
    fillers: frozenset[str]
    emoji: Mapping[SmallTalk, frozenset[str]]
    polite: frozenset[tuple[str, ...]]
    human_whole: frozenset[tuple[str, ...]]
    human_ask: frozenset[str]
    human_who: frozenset[str]
    human_never: frozenset[str]


@cache
def _talk() -> _Talk:
    path = CONTENT / "smalltalk.yaml"
    plain: dict[str, Any] = read_plain(path)
    human = plain["human"]
    return _Talk(
        kinds={cast(SmallTalk, kind): _phrases(listed) for kind, listed in plain["kinds"].items()},
        fillers=frozenset(plain["fillers"]),
        emoji={cast(SmallTalk, kind): frozenset(listed) for kind, listed in plain["emoji"].items()},
        polite=_phrases(plain["polite"]),
        human_whole=_phrases(human["whole"]),
        human_ask=frozenset(human["ask"]),
        human_who=frozenset(human["who"]),
        human_never=frozenset(human["never"]),
    )


def _reached(place: Place, spelt: tuple[bytes, ...]) -> Iterator[int]:
    for each in place:
        for letter in spelt:
            reached = _words().follow_bytes(letter, each)
            if reached is not None:
                yield reached


def _with_end(place: Place, begun: str, end: str) -> set[str]:
    return {begun + end} if is_word(follow(place, end)) else set()


def _phrases(listed: Iterable[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(words(clean(phrase)) for phrase in listed)


def _is_covered(said: Sequence[str], kind: SmallTalk, data: _Talk) -> bool:
    """The message says something of the kind, and all the rest is small talk or filling."""
    of_kind = False
    place = 0
    while place < len(said):
        length, hit = _longest_phrase(said, place, kind, data)
        if length == 0 and said[place] not in data.fillers and not _LAUGHTER.fullmatch(said[place]):
            return False
        of_kind = of_kind or hit
        place += max(length, 1)
    return of_kind


def _longest_phrase(said: Sequence[str], place: int, kind: SmallTalk, data: _Talk) -> tuple[int, bool]:
    """Length of the longest phrase of any kind that starts here, and whether it is of the given kind."""
    for length in range(len(said) - place, 0, -1):
        phrase = tuple(said[place : place + length])
        if phrase in data.kinds[kind]:
            return length, True
        if any(phrase in phrases for phrases in data.kinds.values()):
            return length, False
    return 0, False


def _emoji_talk(text: str, data: _Talk) -> SmallTalk | None:
    shown = set(text[:LONGEST])
    return next((kind for kind, signs in data.emoji.items() if shown & signs), None)


def _cut(text: str, longest: int) -> str:
    """Keep the beginning and the end of a text that is too long."""
    if len(text) <= longest:
        return text
    head = longest * _HEAD // LONGEST
    return f"{text[:head]} {text[head - longest + 1 :]}"


def _plain(character: str) -> str:
    """Control characters part words; marks, invisible characters and halves of characters vanish."""
    category = unicodedata.category(character)
    if category == "Cc":
        return character if character == "\n" else " "
    return "" if category[0] in "CM" else character


def _is_cyrillic(word: str) -> bool:
    return "а" <= word[:1] <= "я"
