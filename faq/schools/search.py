"""Find the school that a parent names: «35 лицей», «пятая школа», «школа в хуторе Вишнёвом»."""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from faq.schools.naming import Field, Naming, prepared, read_naming
from faq.schools.stems import Meant, Stems, Vocabulary
from faq.script import Script

Feature = TypeVar("Feature", bound=Hashable)
_Ranked = tuple[int, float]  # the place of a school, and its score

MOST_FOUND = 5
"""Schools; as many as a person can choose from by buttons."""

# What each thing said is worth; a word is worth more the fewer schools have it.
_NUMBER, _KIND, _SCHOOL, _SETTLEMENT_KIND = 1.5, 1.0, 0.5, 0.3
_COMMON_WORD, _RARE_WORD, _UNKNOWN_WORD = 0.4, 1.0, 0.7

_FIELDS: dict[Field, float] = {
    "settlement": 1.0, "municipality": 1.0, "name": 1.0, "alias": 1.0, "street": 0.95, "person": 0.9,
}  # fmt: skip
_OTHER_FIELD = 0.6  # of a word's worth: «улица Садовая» said, «хутор Садовый» found
_PLACE_AFTER_FIELD = 0.85  # the same for a place after it: «им. Колосова Светлореченск»

_ORDINARY = frozenset[str]({"сош", "оош"})
_SPECIAL = frozenset({"интернат", "кадетская", "вечерняя"})
_CALLED_OTHERWISE, _CALLED_SELDOM = 0.7, 0.4  # «школа» said of a gymnasium; of a boarding school
_NEAR_KIND = 0.7  # «сош» said of an «оош»

_OTHER_NUMBER = 0.6  # of the score of a school that has another number but stands in the named settlement
_REST_OF_PLACE = 0.05  # what a school loses for «Верхний» when only «Яблоневый» was said
_RELEVANT = 0.45  # a smaller score is a chance
_NEAR_BEST = 0.45  # of the best score: worse schools are not worth a button
_SURE, _AHEAD = 0.8, 0.08  # the score, and how far ahead of the next
_FITS = 0.7  # how well each thing said must fit, to be sure


@dataclass(frozen=True, slots=True)
class School:
    """A school as it is searched for."""

    id: int
    name: str
    municipality: str
    kind: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A school and how well it fits what was said, from 0 to 1."""

    school: School
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The schools that may be meant, best first; `is_sure` when the first may be taken without asking."""

    schools: tuple[Match, ...] = ()
    is_sure: bool = False
    is_more: bool = False
    """Others fit as well as the last of them: ask for the settlement or the number."""


class SchoolSearch:
    """Finds schools of one directory by the words of parents; safe to share between threads."""

    def __init__(self, schools: Sequence[School]) -> None:
        self._entries = tuple(_entry(school) for school in schools)
        self._script = Script(Vocabulary(_texts(schools)), latin=frozenset())
        self._holders = _places(entry.words for entry in self._entries)
        self._numbered = _places(entry.numbers for entry in self._entries)
        self._of_kind = _places(entry.kinds for entry in self._entries)
        self._in_settlements = _places(entry.settlements for entry in self._entries)
        self._stems = Stems(self._holders)
        self._as_schools = {place: _as_school(entry.kinds) for place, entry in enumerate(self._entries)}

    def find(self, text: str) -> Found:
        """The schools that a message of any length and content may name."""
        text = self._script.from_wrong_layout(prepared(text))
        said = read_naming(self._script.from_translit(text).replace("№", "#"))
        found = self._find(said)
        if found.schools or not (said.numbers and said.is_loose):
            return found
        # The number was a house's or a child's age.
        return replace(self._find(replace(said, numbers=frozenset())), is_sure=False)

    def _find(self, said: Naming) -> Found:
        clues = self._clues(said)
        ranked = self._ranked(said, clues) if any(clue.tells for clue in clues) else []
        if not ranked or ranked[0][1] < _RELEVANT:
            return Found()
        near = [(place, score) for place, score in ranked if score >= ranked[0][1] * _NEAR_BEST]
        shown = self._shown(said, near, ranked)
        return Found(
            schools=tuple(Match(self._entries[place].school, round(score, 3)) for place, score in shown),
            is_sure=self._is_sure(said, clues, ranked),
            is_more=len(near) > MOST_FOUND and near[MOST_FOUND][1] == near[MOST_FOUND - 1][1],
        )

    def _shown(self, said: Naming, near: Sequence[_Ranked], ranked: Sequence[_Ranked]) -> Sequence[_Ranked]:
        """The best, with the last place for a school of the named settlement whose number is another."""
        others = (each for each in ranked if not self._entries[each[0]].numbers & said.numbers)
        other = next(others, None) if said.numbers else None
        if other is None or other in near[:MOST_FOUND]:
            return near[:MOST_FOUND]
        return [*near[: MOST_FOUND - 1], other]

    def _clues(self, said: Naming) -> list["_Clue"]:
        clues = [self._of_word(meant) for meant in self._stems.meant(said.words)]
        if said.numbers:
            fitting = dict.fromkeys(_any(self._numbered, said.numbers), 1.0)
            clues.append(_Clue(_NUMBER, fitting, tells=bool(fitting)))
        if said.kinds:
            # «детский сад» alone is no school.
            clues.append(_Clue(_KIND, self._of(said.kinds), tells=said.kinds != {"сад"}))
        elif said.says_school:
            clues.append(_Clue(_SCHOOL, self._as_schools))
        if said.settlements:
            fitting = dict.fromkeys(_any(self._in_settlements, said.settlements), 1.0)
            clues.append(_Clue(_SETTLEMENT_KIND, fitting, decides=False))
        return clues

    def _of_word(self, meant: Meant) -> "_Clue":
        if not meant.likely:
            return _Clue(_UNKNOWN_WORD, {})
        fitting: dict[int, float] = {}
        for each, worth in meant.likely:
            for place in self._holders[each]:
                fit = worth * _fit_of_fields(meant.word.field, self._entries[place].words[each])
                fitting[place] = max(fit, fitting.get(place, 0.0))
        count = len(self._entries) + 1
        rarity = math.log(count / len(fitting)) / math.log(count)
        weight = _COMMON_WORD + (_RARE_WORD - _COMMON_WORD) * rarity
        return _Clue(weight, fitting, tells=True, stems=frozenset(each for each, _ in meant.likely))

    def _of(self, kinds: frozenset[str]) -> Mapping[int, float]:
        near = dict.fromkeys(_any(self._of_kind, _ORDINARY if kinds & _ORDINARY else ()), _NEAR_KIND)
        return near | dict.fromkeys(_any(self._of_kind, kinds), 1.0)

    def _ranked(self, said: Naming, clues: Sequence["_Clue"]) -> list[_Ranked]:
        """The places of all schools that fit anything, with their scores, best first."""
        total = sum(clue.weight for clue in clues)
        named = frozenset[str]().union(*(clue.stems for clue in clues))
        ranked = []
        for place in self._candidates(said, clues):
            score = sum(clue.weight * clue.fitting.get(place, 0.0) for clue in clues) / total
            score = self._adjusted(self._entries[place], score, said=said, named=named)
            if score:
                ranked.append((place, score))
        return sorted(ranked, key=lambda each: (-each[1], each[0]))

    def _candidates(self, said: Naming, clues: Sequence["_Clue"]) -> set[int]:
        if said.numbers:
            return _any(self._numbered, said.numbers).union(*(clue.fitting for clue in clues if clue.stems))
        return set[int]().union(*(clue.fitting for clue in clues if clue.tells))

    def _adjusted(self, entry: "_Entry", score: float, *, said: Naming, named: frozenset[str]) -> float:
        """The score less what number and settlement take from it; 0 for what is plainly another school."""
        in_settlement = named & entry.settlement
        if said.numbers and not said.numbers & entry.numbers:
            is_here = in_settlement and in_settlement == entry.settlement
            return score * _OTHER_NUMBER if is_here else 0.0
        return score - _REST_OF_PLACE if in_settlement and in_settlement != entry.settlement else score

    def _is_sure(self, said: Naming, clues: Sequence["_Clue"], ranked: Sequence[_Ranked]) -> bool:
        place, best = ranked[0]
        behind = ranked[1][1] if len(ranked) > 1 else 0.0
        if best < _SURE or best - behind < _AHEAD or len(said.numbers) > 1:
            return False
        if any(clue.fitting.get(place, 0.0) < _FITS for clue in clues if clue.decides):
            return False
        # A number alone may be anything, and so may a word that is somebody's name.
        entry = self._entries[place]
        fields = {field for clue in clues for each in clue.stems for field in entry.words.get(each, ())}
        return said.says_school or bool(fields - {"person", "street"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of a school: the words by stem with the fields that have them."""

    school: School
    numbers: frozenset[int]
    kinds: frozenset[str]
    settlements: frozenset[str]
    settlement: frozenset[str]
    words: Mapping[str, frozenset[Field]]


@dataclass(frozen=True, slots=True)
class _Clue:
    """One thing that was said: what it is worth, and how well schools fit it, by their places."""

    weight: float
    fitting: Mapping[int, float]
    tells: bool = False
    """A search may begin from it alone."""
    decides: bool = True
    """A school that hardly fits it is not taken without asking."""
    stems: frozenset[str] = frozenset()


def _entry(school: School) -> _Entry:
    name = read_naming(prepared(school.name), of="name")
    place = read_naming(prepared(school.municipality), of="municipality")
    kind = read_naming(prepared(school.kind), of="name")
    aliases = [read_naming(prepared(alias), of="alias") for alias in school.aliases]
    fields: defaultdict[str, set[Field]] = defaultdict(set)
    for naming in (name, place, *aliases):
        for word in naming.words:
            fields[word.stem].add(word.field or "name")
    namings = (name, kind, *aliases)
    return _Entry(
        school=school,
        numbers=name.numbers.union(*(alias.numbers for alias in aliases if not alias.is_loose)),
        kinds=frozenset[str]().union(*(naming.kinds for naming in namings)) or frozenset({"сош"}),
        settlements=name.settlements | place.settlements,
        settlement=frozenset(word for word, of in fields.items() if "settlement" in of),
        words={word: frozenset(of) for word, of in fields.items()},
    )


def _texts(schools: Iterable[School]) -> Iterator[str]:
    for school in schools:
        yield from (school.name, school.municipality, *school.aliases)


def _places(features: Iterable[Iterable[Feature]]) -> dict[Feature, tuple[int, ...]]:
    """The places of the schools that have each number, word or kind of settlement."""
    places: defaultdict[Feature, list[int]] = defaultdict(list)
    for place, listed in enumerate(features):
        for each in listed:
            places[each].append(place)
    return {each: tuple(listed) for each, listed in places.items()}


def _any(places: Mapping[Feature, Iterable[int]], features: Iterable[Feature]) -> set[int]:
    return {place for each in features for place in places.get(each, ())}


def _as_school(kinds: frozenset[str]) -> float:
    """«школа» is said of any, and most often of an ordinary one."""
    if not _ORDINARY.isdisjoint(kinds):
        return 1.0
    return _CALLED_OTHERWISE if _SPECIAL.isdisjoint(kinds) else _CALLED_SELDOM


def _fit_of_fields(hint: Field | None, fields: Iterable[Field]) -> float:
    return max(_fit_of_field(hint, field) for field in fields)


def _fit_of_field(hint: Field | None, field: Field) -> float:
    if hint is None:
        return _FIELDS[field]
    if hint == field or {hint, field} == {"settlement", "municipality"}:
        return 1.0
    return _PLACE_AFTER_FIELD if field in {"settlement", "municipality"} else _OTHER_FIELD
