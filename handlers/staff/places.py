"""Whose a place is: the schools, municipalities and the ministry that a member may name for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faq.schools import search
from faq.schools.search import SchoolSearch
from handlers.cases import desks
from handlers.texts import groups as texts
from handlers.turn import Deed, Turn, number_in
from storage import schools
from storage.schools import School
from storage.scope import EVERYTHING, Scope
from storage.staff import Member
from storage.ticket import Desk

SCHOOLS_SHOWN = 8
"""Buttons for schools at most; whoever has a say in more names the one they mean."""


@dataclass(frozen=True)
class Choice:
    """A desk that a member may name; `word` is what `meant` reads."""

    desk: Desk
    label: str
    word: str


async def schools_of(deed: Deed, member: Member) -> list[School]:
    """The schools in which a member has a say."""
    return await schools.of_member(deed.tx, Scope(member.id))


def offered(member: Member, theirs: Sequence[School], words: str) -> list[Choice]:
    """What a member may choose from; with `words` only what is called so."""
    return _named(member, theirs, words) if words else _usual(member, theirs)


async def meant(turn: Turn, member: Member, word: str) -> Desk | None:
    """The desk that was chosen; None if there is no such any more."""
    level, _, number = word.partition(":")
    if level == "ministry":
        return desks.MINISTRY
    school = await schools.find(turn.tx, number_in(number))
    if level == "school" and school is not None:
        return desks.of_school(school)
    name = school.municipality if school is not None else member.municipality
    return Desk("municipal", municipality=name) if level == "municipal" and name else None


async def may_give(turn: Turn, member: Member, desk: Desk) -> bool:
    """Whether the member has a say at this desk."""
    if member.role in EVERYTHING:
        return True
    if desk.level == "school":
        return any(school.id == desk.school_id for school in await schools_of(turn, member))
    return (
        desk.level == "municipal" and member.role == "municipal" and member.municipality == desk.municipality
    )


def _usual(member: Member, theirs: Sequence[School]) -> list[Choice]:
    """What a member may give without naming it."""
    wide = [Choice(desks.MINISTRY, texts.BUTTON_MINISTRY, "ministry")]
    choices = wide if member.role in EVERYTHING else []
    if member.role == "municipal" and member.municipality:
        desk = Desk("municipal", municipality=member.municipality)
        choices = [Choice(desk, texts.municipality(member.municipality), "municipal")]
    named = [school for school in theirs if school.id in member.school_ids]
    few = theirs if len(theirs) <= SCHOOLS_SHOWN else named[:SCHOOLS_SHOWN]
    return [*choices, *map(_of_school, few)]


def _named(member: Member, theirs: Sequence[School], words: str) -> list[Choice]:
    """What a member may give and has named."""
    known = {school.id: school for school in theirs}
    found = SchoolSearch(
        [
            search.School(each.id, each.name, each.municipality, each.kind, each.aliases)
            for each in known.values()
        ]
    ).find(words)
    choices = [_of_school(known[match.school.id]) for match in found.schools]
    if member.role in EVERYTHING:
        named = {
            each.municipality: each for each in theirs if words.casefold() in each.municipality.casefold()
        }
        choices[:0] = [
            # A button cannot carry a long name: one of its schools says which municipality is meant.
            Choice(Desk("municipal", municipality=name), texts.municipality(name), f"municipal:{school.id}")
            for name, school in list(named.items())[:SCHOOLS_SHOWN]
        ]
    return choices


def _of_school(school: School) -> Choice:
    return Choice(desks.of_school(school), f"{school.name}, {school.municipality}", f"school:{school.id}")
