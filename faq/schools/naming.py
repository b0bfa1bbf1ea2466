"""Read how a school is named: its number, its kind, and the words that tell it from others."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Literal

from rapidfuzz import process
from rapidfuzz.distance import OSA

from faq.packaged import CONTENT, read_plain
from faq.schools.numerals import may_go_on, numerals, split_glued
from faq.text import tidy, without_lookalikes

Field = Literal["name", "settlement", "municipality", "person", "street", "alias"]
"""What a word of a school is: «Звезда», «Вишнёвый», «Заречный», «Светличного», «Пионерская», «кадетка»."""

LONGEST = 300
"""Characters of a message that are read; the longest official name and a sentence around it have some 250."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that may tell a school from others; in what a parent says the field is only a hint."""

    text: str
    stem: str
    field: Field | None


@dataclass(frozen=True, slots=True)
class Naming:
    """What was understood of a name."""

    numbers: frozenset[int]
    is_loose: bool
    """The numbers stand beside nothing that makes them a school's."""
    kinds: frozenset[str]
    """Of schools, as in schools.yaml."""
    settlements: frozenset[str]
    """Kinds of settlements, as in schools.yaml."""
    words: tuple[Word, ...]
    says_school: bool
    """«школа», «лицей» or «№»: it is a school that is spoken of."""


def prepared(text: str) -> str:
    """Any text as `read_naming` wants it: small letters, no look-alikes, «№» as a sign of its own."""
    # Before the signs are made plain: «№» would become «No».
    plain = tidy(text[:LONGEST].replace("№", " # "))
    return _NUMBER_SIGN.sub(" # ", without_lookalikes(plain))


def read_naming(text: str, *, of: Field | None = None) -> Naming:
    """Read a prepared text: a part of a directory's entry, `of` says which, or what a parent said."""
    tokens = _without_classes(_joined(list(_tokens(text))))
    numbers = [(place, token) for place, token in enumerate(tokens) if token.number is not None]
    sure = {token.number for place, token in numbers if _is_of_school(tokens, place)}
    loose = {
        token.number for place, token in numbers if not token.is_cardinal and not _is_house(tokens, place)
    }
    settlements, words = _words(tokens, of=of)
    return Naming(
        numbers=frozenset(number for number in sure or loose if number is not None),
        is_loose=not sure,
        kinds=frozenset(chain.from_iterable(token.kinds for token in tokens)),
        settlements=settlements,
        words=words,
        says_school=any(token.says_school for token in tokens),
    )


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The part of a cleaned word that no case changes, without the letters that are often misspelt."""
    return _ENDING.sub("", _DOUBLED.sub(r"\1", word.translate(_UNHEARD)))


def kind_named(name: str) -> str:
    """The kind that a school's full name tells, as it stands in a directory, or nothing."""
    kinds = read_naming(prepared(name), of="name").kinds
    return next((title for kind, title in _own().titles.items() if kind in kinds), "")


def known_words() -> frozenset[str]:
    """Words by which anything is said of a school: what wrong layout and translit are repaired to."""
    own = _own()
    listed = (own.school, own.number, own.kinds, own.settlements, own.person, own.street, own.region)
    return frozenset(chain(numerals(), *listed))


_NUMBER_SIGN = re.compile(r"(?<![a-zа-я])(?:n|no)\.? ?(?=[0-9])")
_UNHEARD = str.maketrans({"э": "е", "ъ": None, "ь": None})
_DOUBLED = re.compile(r"(.)\1")
_ENDING = re.compile(
    r"(?<=[а-я]{3})(?:ого|его|ому|ему|ыми|ими|ами|ями|ая|яя|ое|ее|ый|ий|ой|ую|юю|ым|им|ом|ем|ых|их|ей|ою"
    r"|ах|ях|ам|ям|[аяоеуюыий])$"
)
_TOKEN = re.compile(
    r"(?P<number>[0-9]{1,9})(?:-?(?P<tail>[а-я]{1,3})(?![а-я]))?|(?P<word>[а-я]+|[a-z]+)|(?P<sign>[#,;()«»\"\n])"
)
_ORDINAL_TAIL = re.compile(r"[аоыи]?[яйюме]|ь[яю]|[уь]ю|о?го|ого|ему|ому|ьей")
_CLASS_LETTER = re.compile(r"[абвгджзикл]")
_CLASS = re.compile(r"класс[а-я]{0,3}|кл")
_LARGEST_CLASS = 11
_STREET_BEFORE = 4  # words between «ул.» and the number of the house
_CLOSING = frozenset({",", ";", "(", ")", "\n", "»"})
_QUOTES = frozenset('«»"')
_TYPO_FROM = 4  # letters of a word that may be one of ours with a slip
_OURS_FROM = 5  # letters of that one


@dataclass(frozen=True, slots=True)
class _Own:
    """The words of schools.yaml."""

    school: frozenset[str]
    number: frozenset[str]
    kinds: Mapping[str, frozenset[str]]
    titles: Mapping[str, str]
    settlements: Mapping[str, str]
    dotted: frozenset[str]
    person: frozenset[str]
    street: frozenset[str]
    house: frozenset[str]
    region: frozenset[str]
    noise: frozenset[str]
    official: tuple[str, ...]
    repairable: tuple[str, ...]

    def is_noise(self, word: str) -> bool:
        """The word tells no school from another."""
        return word in self.noise or word.startswith(self.official)


@cache
def _own() -> _Own:
    plain: dict[str, Any] = read_plain(CONTENT / "schools.yaml")
    kinds: dict[str, frozenset[str]] = {}
    for kind, forms in plain["kinds"].items():
        kinds |= {form: kinds.get(form, frozenset()) | {kind} for form in forms}
    forms = {*plain["school"], *kinds, *numerals()}
    return _Own(
        kinds=kinds,
        titles=plain["titles"],
        settlements={form: kind for kind, forms in plain["settlements"].items() for form in forms},
        noise=frozenset((*plain["noise"], *plain["abbreviations"])),
        official=tuple(plain["official"]),
        repairable=tuple(sorted(form for form in forms if len(form) >= _OURS_FROM)),
        **{
            key: frozenset(plain[key])
            for key in ("school", "number", "dotted", "person", "street", "house", "region")
        },
    )


@dataclass(frozen=True, slots=True)
class _Token:
    """A word, a number or a sign."""

    text: str
    number: int | None = None
    is_cardinal: bool = False
    tail: str = ""
    has_dot: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        return _own().kinds.get(self.text, frozenset()) if self.number is None else frozenset()

    @property
    def says_school(self) -> bool:
        own = _own()
        return self.number is None and (
            self.text in own.school or self.text in own.number or bool(self.kinds)
        )


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        if found["number"]:
            yield _Token(found["number"], number=int(found["number"]), tail=found["tail"] or "")
        elif found["sign"]:
            yield _Token(found["sign"])
        else:
            word = _repaired(found["word"])
            for part in split_glued(word) or (word,):
                numeral = numerals().get(part)
                if numeral:
                    yield _Token(part, number=numeral.value, is_cardinal=numeral.is_cardinal)
                else:
                    yield _Token(part, has_dot=text.startswith(".", found.end()))


@lru_cache(maxsize=20_000)
def _repaired(word: str) -> str:
    """«одинадцатая» → «одиннадцатая», «лецей» → «лицей»; other words stay."""
    own = _own()
    if len(word) < _TYPO_FROM or word in own.settlements or own.is_noise(word):
        return word
    found = process.extractOne(word, own.repairable, scorer=OSA.distance, score_cutoff=1)
    # A slip in the first letter makes another word: «сосновой» of «основной».
    return found[0] if found and found[0][0] == word[0] else word


def _joined(tokens: Sequence[_Token]) -> list[_Token]:
    """«двадцать вторая» is one number."""
    joined: list[_Token] = []
    for token in tokens:
        before = joined[-1] if joined else _NO_TOKEN
        if (
            before.number is not None
            and before.is_cardinal
            and token.number is not None
            and not token.text.isdigit()
            and may_go_on(before.number, token.number)
        ):
            joined[-1] = replace(token, number=before.number + token.number)
        else:
            joined.append(token)
    return joined


_NO_TOKEN = _Token("")


def _without_classes(tokens: Sequence[_Token]) -> list[_Token]:
    """Leave out «5 класс», «5Б», «7 «А» класс»: a child's class is no school's number."""
    kept: list[_Token] = []
    for place, token in enumerate(tokens):
        if not _is_class(tokens, place):
            kept.append(token)
            if token.tail and not _ORDINAL_TAIL.fullmatch(token.tail):
                kept.append(_Token(token.tail))
    return kept


def _is_class(tokens: Sequence[_Token], place: int) -> bool:
    token = tokens[place]
    if token.number is None or token.number > _LARGEST_CLASS:
        return False
    before = tokens[place - 1] if place else _NO_TOKEN
    after = [each.text for each in tokens[place + 1 : place + 5] if each.text not in _QUOTES]
    if after and _CLASS_LETTER.fullmatch(after[0]) and any(map(_CLASS.fullmatch, after[1:2])):
        return True
    if (after and _CLASS.fullmatch(after[0])) or _CLASS.fullmatch(before.text):
        return True
    return _CLASS_LETTER.fullmatch(token.tail) is not None and not before.says_school


def _is_of_school(tokens: Sequence[_Token], place: int) -> bool:
    """«школа 5», «№ 5», «пятый лицей»."""
    return any(
        each.says_school for each in (*tokens[max(0, place - 1) : place], *tokens[place + 1 : place + 2])
    )


def _is_house(tokens: Sequence[_Token], place: int) -> bool:
    """«ул. Садовая, 7», «д. 7»."""
    before = [token.text for token in tokens[max(0, place - _STREET_BEFORE) : place]]
    return bool(before) and (before[-1] in _own().house or not _own().street.isdisjoint(before))


def _words(tokens: Sequence[_Token], *, of: Field | None) -> tuple[frozenset[str], tuple[Word, ...]]:
    """The kinds of settlements and the telling words, each in the field that the words before it open."""
    own = _own()
    settlements: set[str] = set()
    words: list[Word] = []
    field = of
    for token in tokens:
        text = token.text
        if token.number is not None:
            continue
        if text in _CLOSING or token.says_school:
            field = of
        elif text in own.person:
            field = "person"
        elif text in own.street:
            field = "street"
        elif text in own.region:
            words[-1:] = [replace(word, field="municipality") for word in words[-1:]]
            field = of
        elif _is_settlement(token, field):
            settlements.add(own.settlements[text])
            field = of if of == "municipality" else "settlement"
        elif len(text) > 1 and text not in own.house and not own.is_noise(text):
            words.append(Word(text, stem(text), field))
    return frozenset(settlements), tuple(words)


def _is_settlement(token: _Token, field: Field | None) -> bool:
    if token.text not in _own().settlements or (field == "person" and len(token.text) == 1):
        return False
    return token.has_dot or token.text not in _own().dotted
