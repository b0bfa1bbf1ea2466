"""Which school of the directory is meant: by words, by a button, by the link of a poster.

What becomes of it stands in `school_choice` (a question to the staff) and in `family` (a child).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from faq.schools.search import Found
from handlers.messages import Button, Rows
from handlers.texts import schools as texts
from handlers.turn import Turn, rows
from storage import family
from storage import schools as directory
from storage.schools import School

LINK = "school-"
"""How the payload of a school's deep link begins."""
MOST_OFFERED = 3
"""Schools that are offered before anything is typed."""
LONGEST_LABEL = 40
"""Characters of a button on VK."""
_IN_HONOUR = re.compile(r"\s+(?:имени|им\.)\s[^,]+")


async def look(turn: Turn, text: str) -> Found:
    """The schools that these words name, together with those that were said just before."""
    found = await turn.knowledge.find_school(text)
    before = turn.state.school_typed
    if found.is_sure or not before:
        return found
    both = await turn.knowledge.find_school(f"{before} {text}")
    return both if both.is_sure or not found.schools else found


async def listed(turn: Turn, school_id: int | None) -> School | None:
    """The school with this number, unless it has left the directory meanwhile."""
    school = await directory.find(turn.tx, school_id) if school_id else None
    return school if school is not None and school.closed_at is None else None


async def sure(turn: Turn, found: Found) -> School | None:
    """The one school that is meant; None while it must be chosen."""
    return await listed(turn, found.schools[0].school.id) if found.is_sure else None


async def of_link(turn: Turn, payload: str) -> School | None:
    """The school of a deep link's payload; None if it names none."""
    return await directory.by_code(turn.tx, payload.removeprefix(LINK))


def named(school: School) -> str:
    """The school as people are shown it."""
    return texts.named(school.name, school.municipality)


def which(found: Found, payload: Callable[[int], str], *, none: str) -> tuple[str, Rows]:
    """Asks which of several is meant: a button each, `none` is the payload of «Нет в списке»."""
    schools = [match.school for match in found.schools]
    full = [texts.named(each.name, each.municipality) for each in schools]
    labels = _labels([(each.name, each.municipality) for each in schools])
    chosen = [Button(label, payload(each.id)) for label, each in zip(labels, schools, strict=True)]
    text = texts.WHICH_OF_MANY if found.is_more else texts.WHICH
    return texts.choice(text, full), rows([*chosen, Button(texts.BUTTON_NOT_LISTED, none)])


async def offered(turn: Turn, payload: Callable[[int], str]) -> list[Button]:
    """The schools of this family that we know, for one tap; the one named last comes first."""
    children = await family.children_of(turn.tx, turn.person.id)
    numbers = dict.fromkeys([turn.state.school_id, *(each.school_id or 0 for each in children)])
    found = [school for number in numbers if (school := await listed(turn, number)) is not None]
    schools = found[:MOST_OFFERED]
    labels = _labels([(each.name, each.municipality) for each in schools])
    return [Button(label, payload(each.id)) for label, each in zip(labels, schools, strict=True)]


def _labels(schools: Iterable[tuple[str, str]]) -> list[str]:
    """What fits a button; what would look alike is told apart by its place in the list."""
    labels = [_label(name, municipality) for name, municipality in schools]
    return [
        label if labels.count(label) == 1 else _cut(f"{place}. {label}")
        for place, label in enumerate(labels, 1)
    ]


def _label(name: str, municipality: str) -> str:
    short = _IN_HONOUR.sub("", name)
    ways = (texts.named(name, municipality), texts.named(short, municipality), name, short)
    return next((way for way in ways if len(way) <= LONGEST_LABEL), _cut(short))


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip(" ,") + "…"
