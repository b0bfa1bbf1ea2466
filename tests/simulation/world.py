"""What is true in the simulated region, kept by the people themselves and never read from the program.

Every message bears a marker, a word that no language has: `щюп…` was written by a parent, `щюо…` is an answer
of the staff, `щюз…` a note among them, `щюф…` a photo. Whoever finds a marker in a chat can ask here who may
read it there.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from faq.schools.made_up import made_up_schools
from tests.simulation.phones import Place

Kind = Literal["parent", "photo", "answer", "note"]
_LETTERS: dict[Kind, str] = {"parent": "п", "photo": "ф", "answer": "о", "note": "з"}
_KINDS: dict[str, Kind] = {letter: kind for kind, letter in _LETTERS.items()}
_CONSONANTS, _VOWELS, _SYLLABLES = "бвгдзклмнрст", "аеиоу", 4
MARKER = re.compile(rf"щю[{''.join(_KINDS)}](?:[{_CONSONANTS}][{_VOWELS}]){{{_SYLLABLES}}}")
GRACE = timedelta(minutes=3)
"""A letter that was queued for somebody's eyes may still be on its way when those eyes lose the right."""


@dataclass(frozen=True)
class School:
    """A school of the region."""

    id: int
    code: str
    name: str
    municipality: str
    weight: float
    """How many parents it has, compared with the others."""

    @property
    def spoken(self) -> str:
        """As a parent would write it who knows which district they live in."""
        return f"{self.name}, {self.municipality}".replace("№ ", "")


@dataclass
class Seat:
    """Where a member of the staff, or a group chat, sits; what they may read follows from it."""

    place: Place
    level: Literal["school", "municipal", "ministry"]
    school_ids: frozenset[int] = frozenset()
    municipality: str = ""
    until: datetime | None = None
    """When they left, were revoked, or the bot was thrown out."""

    def reaches(self, school: School | None, now: datetime) -> bool:
        """Whether a case of this school (None: of none) may be read here now."""
        if self.until is not None and now > self.until + GRACE:
            return False
        if self.level == "ministry":
            return True
        if school is None:
            return False
        return school.id in self.school_ids or (
            self.level == "municipal" and self.municipality == school.municipality
        )


@dataclass
class Stay:
    """A time for which a case belonged to a school, or to none."""

    school: School | None
    since: datetime
    until: datetime | None = None


@dataclass
class Case:
    """A question in people's hands, as parents and staff know it."""

    number: int
    place: Place
    """The parent's."""
    stays: list[Stay]
    outcome: str = "open"
    opened: datetime | None = None


@dataclass
class Word:
    """Something somebody wrote."""

    marker: str
    kind: Kind
    author: Place
    at: datetime
    case: int = 0
    """For the staff's words: the case that they mean."""
    to_all_of: School | None = None
    """An answer to an incident of this school: whoever has that trouble there may read it."""
    told: set[int] = field(default_factory=set)
    """The cases to which such an answer goes, as its author was told."""
    is_ready: bool = False
    """The text of a template: it comes to those to whom it is sent."""
    sent_to: set[int] = field(default_factory=set)
    """The cases to which a ready answer was sent, ever; those to which it has to come are `told`."""
    last_sent: datetime | None = None
    is_edit: bool = False
    """A new version of an answer: its reader has to see that it is one."""
    opens: int = 0
    """A parent's word that was said before this case was opened."""
    is_for_people: bool = False
    """A parent's word that the staff must see."""
    text: str = ""
    seen_at: set[Place] = field(default_factory=set)
    seen_by_staff: bool = False
    reached: bool = False
    """An answer that its parent has read."""
    refused: bool = False
    """The author was told that it was not sent, or did not arrive."""
    taken_back: bool = False
    """The parent changed their mind before anybody saw it (a photo that was not sent)."""
    corrected_by: Word | None = None
    """What the parent wrote in its place."""
    undelivered: set[int] = field(default_factory=set)
    """The cases whose parents an answer to all did not reach; its author was told."""
    is_unwanted: bool = False
    """Said by somebody whom the staff do not want to hear any more: nobody must."""


class World:
    """Everybody, what they wrote, and who may read it."""

    def __init__(self, *, schools: int, seed: int) -> None:
        self.chance = Random(f"world {seed}")
        self.schools = _schools(schools, seed=seed)
        self.words: dict[str, Word] = {}
        self.cases: dict[int, Case] = {}
        self.schools_of: dict[Place, list[Stay]] = {}
        """Which schools may read what a parent writes; the same list as their cases'."""
        self.seats: dict[Place, list[Seat]] = {}
        self.counts: Counter[str] = Counter()
        self.parents: set[Place] = set()
        self.gone: dict[Place, datetime] = {}
        """Who asked to be forgotten, and since when nothing is left of them."""
        self.abusers: list[Case] = []
        """The cases through which somebody is to be banned."""
        self.banned: dict[Place, datetime] = {}
        self.ask_bot: set[Place] = set()
        """Who presses a button of the bot just now, though a human may have their case."""
        self._answers: dict[int, list[Word]] = {}

    # ---- words

    def word(self, kind: Kind, author: Place, now: datetime, **more: object) -> Word:
        """A new word with a marker of its own."""
        while True:
            syllables = (
                self.chance.choice(_CONSONANTS) + self.chance.choice(_VOWELS) for _ in range(_SYLLABLES)
            )
            marker = f"щю{_LETTERS[kind]}" + "".join(syllables)
            if marker not in self.words:
                word = Word(marker, kind, author, now, **more)  # type: ignore[arg-type]
                self.words[marker] = word
                if kind == "answer":
                    self._answers.setdefault(word.case, []).append(word)
                self.counts[f"words: {kind}"] += 1
                return word

    def answers_to(self, number: int) -> list[Word]:
        """What the staff wrote to the parent of this case."""
        return self._answers.get(number, [])

    def found(self, text: str) -> list[Word]:
        """The words whose markers stand in a text."""
        return [self.words[marker] for marker in dict.fromkeys(MARKER.findall(text)) if marker in self.words]

    # ---- who may read what

    def sits(self, seat: Seat) -> Seat:
        """Somebody takes a seat."""
        self.seats.setdefault(seat.place, []).append(seat)
        return seat

    def belongs(self, parent: Place, school: School | None, now: datetime) -> None:
        """The parent named this school (None: none), or their case was passed there."""
        stays = self.schools_of.setdefault(parent, [])
        if not any(stay.school == school and stay.until is None for stay in stays):
            stays.append(Stay(school, now))

    def belongs_no_more(self, parent: Place, school: School | None, now: datetime) -> None:
        """The case went on to another school."""
        for stay in self.schools_of.get(parent, []):
            if stay.school == school and stay.until is None:
                stay.until = now

    def may_read(self, place: Place, parent: Place, now: datetime) -> bool:
        """Whether what this parent writes may stand in that chat of the staff."""
        stays = self.schools_of.get(parent) or [Stay(None, now)]
        living = [stay for stay in stays if stay.until is None or now <= stay.until + GRACE]
        return any(
            seat.reaches(stay.school, now)
            for seat in self.seats.get(place, ())
            for stay in [*living, _NOWHERE]
        )

    def has_named(self, parent: Place, school: School) -> bool:
        """Whether the parent's case is, or was, this school's."""
        return any(stay.school == school for stay in self.schools_of.get(parent, []))

    def forgets(self, parent: Place, now: datetime) -> None:
        """Nothing that the parent said, and nothing that was on its way to them, need arrive any more."""
        self.gone[parent] = now
        numbers = {case.number for case in self.cases.values() if case.place == parent}
        for word in self.words.values():
            if word.author == parent:
                word.taken_back = True
            elif word.case in numbers and word.kind == "answer" and not word.reached:
                word.refused = True
            word.told -= numbers

    def is_to_nobody(self, word: Word) -> bool:
        """Whether the staff wrote to somebody of whom nothing was left by then."""
        case = self.cases.get(word.case)
        return case is not None and case.place in self.gone and word.at >= self.gone[case.place]

    def is_forgotten(self, parent: Place, now: datetime) -> bool:
        """Whether nothing of this parent, and nothing to them, may be on its way any more."""
        return parent in self.gone and now > self.gone[parent] + GRACE

    def is_staff(self, place: Place) -> bool:
        """Whether this chat is, or was, one of the staff."""
        return place in self.seats

    def opened(self, number: int, parent: Place, now: datetime) -> Case:
        """The parent was told the number of their case."""
        if number not in self.cases:
            stays = self.schools_of.setdefault(parent, [])
            self.cases[number] = Case(number, parent, stays, opened=now)
        return self.cases[number]


_NOWHERE = Stay(None, datetime.min)  # noqa: DTZ901 - never compared
"""The ministry may read everything."""


def _schools(count: int, *, seed: int) -> list[School]:
    chance = Random(f"schools {seed}")
    rows = made_up_schools(count)
    return [
        School(number, row.code, row.name, row.municipality, chance.lognormvariate(0.0, 0.7))
        for number, row in enumerate(rows, start=1)
    ]
