"""The directory of schools is brought in from a file: what differs first, then all of it or nothing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from itertools import count
from typing import Any

from faq.schools import made_up
from faq.schools.row import Row
from faq.text import normalise
from handlers.cases.working_hours import WorkingHours, WrongHours
from handlers.errors import HelpdeskError
from storage import journal, schools
from storage.database import Transaction
from storage.schools import School

CODE_LENGTH = 5
"""Characters of a code that we make: short on a poster, and a region has some hundred schools."""
MOST_NEAR = 5
"""Municipalities that are named when one is misspelt."""
_CODE = re.compile(r"[a-zA-Z0-9_-]{1,40}")
_LETTERS = "abcdefghkmnpqrstuvwxyz23456789"  # without those that look alike in print
_TITLES = {
    "name": "название",
    "municipality": "муниципалитет",
    "kind": "вид",
    "aliases": "псевдонимы",
    "hours": "часы работы",
}


class NotImportable(HelpdeskError):
    """The rows contradict each other or the directory; `problems` are sentences that name the school."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)

    def in_file(self, name: str) -> NotImportable:
        """The same with the file's name before each sentence."""
        return NotImportable([f"{name}: {each}" for each in self.problems])


@dataclass(frozen=True)
class Changed:
    """A school that the file describes otherwise."""

    school: School
    values: dict[str, Any]
    """Columns with their new values."""
    words: tuple[str, ...]
    """What changes: «часы работы: … → …»."""


@dataclass(frozen=True)
class Added:
    """A school that the directory has not known."""

    row: Row
    code: str


@dataclass(frozen=True)
class Difference:
    """What an import does to the directory."""

    added: tuple[Added, ...]
    changed: tuple[Changed, ...]
    same: int
    absent: tuple[School, ...]
    """In the directory, not in the file."""
    is_made_up: bool
    """The file says of itself that its schools do not exist."""

    @property
    def is_nothing(self) -> bool:
        """Whether the file brings nothing new."""
        return not self.added and not self.changed


async def difference(tx: Transaction, rows: Sequence[Row]) -> Difference:
    """What the import of these rows would do; raises `NotImportable`.

    An empty cell changes nothing: hours that a school has set itself stay.
    """
    return _Comparison(await schools.ever(tx)).of(rows)


async def bring_in(
    tx: Transaction, rows: Sequence[Row], *, close_missing: bool, now: datetime, actor: str
) -> Difference:
    """Import the rows, in the caller's transaction; returns what that has done."""
    found = await difference(tx, rows)
    await _change(tx, found.changed, now=now)
    for each in found.added:
        row = each.row
        await schools.add(
            tx,
            code=each.code,
            name=row.name,
            municipality=row.municipality,
            kind=row.kind,
            aliases=row.aliases,
            hours=row.hours,
            now=now,
        )
    closed = found.absent if close_missing else ()
    for school in closed:
        await schools.change(tx, school.id, now=now, closed_at=now)
    numbers = {"added": len(found.added), "changed": len(found.changed), "closed": len(closed)}
    await journal.note(tx, "schools_imported", actor=actor, now=now, details=numbers)
    return found


async def _change(tx: Transaction, changed: Sequence[Changed], *, now: datetime) -> None:
    renamed = [each for each in changed if each.values.keys() & {"name", "municipality"}]
    for each in renamed:
        # Two schools may swap their names; halfway neither may stand in the other's way.
        await schools.change(tx, each.school.id, now=now, name=f"{each.school.name} · {each.school.code}")
    for each in changed:
        await schools.change(tx, each.school.id, now=now, **{"name": each.school.name, **each.values})


@dataclass
class _Comparison:
    """The rows of one file beside the schools that there ever were."""

    known: Sequence[School]
    problems: list[str] = field(default_factory=list)

    def of(self, rows: Sequence[Row]) -> Difference:
        by_code = {school.code.casefold(): school for school in self.known}
        by_name = {_key(school.name, school.municipality): school for school in self.known}
        met: dict[int, Row] = {}
        added: list[Row] = []
        changed: list[Changed] = []
        for row in rows:
            self._check(row)
            school = by_code.get(row.code.casefold()) or by_name.get(_key(row.name, row.municipality))
            if school is None:
                added.append(row)
                continue
            self._check_match(row, school, met.setdefault(school.id, row))
            if change := _changed(school, row):
                changed.append(change)
        self._check_names(added, changed)
        if self.problems:
            raise NotImportable(list(dict.fromkeys(self.problems)))
        return Difference(
            added=tuple(self._with_codes(added)),
            changed=tuple(changed),
            same=len(rows) - len(added) - len(changed),
            absent=tuple(each for each in self.known if each.closed_at is None and each.id not in met),
            is_made_up=any(row.region == made_up.REGION for row in rows),
        )

    def _check(self, row: Row) -> None:
        if row.code and not _CODE.fullmatch(row.code):
            self.problems.append(
                f"{_named(row)}: код «{row.code}» не годится для ссылок, оставьте в нём латинские буквы, "
                "цифры, «-» и «_»."
            )
        if row.hours:
            try:
                WorkingHours.parse(row.hours)
            except WrongHours as error:
                self.problems.append(f"{_named(row)}: часы работы «{row.hours}»: {error}")

    def _check_match(self, row: Row, school: School, first: Row) -> None:
        if first is not row:
            self.problems.append(
                f"{_named(first)} и {_named(row)}: в справочнике это одна школа (код {school.code}), "
                "оставьте одну строку."
            )
        elif row.code and row.code.casefold() != school.code.casefold():
            self.problems.append(
                f"{_named(row)}: в справочнике у неё код {school.code}, в файле {row.code}. Код стоит на "
                "плакатах и не меняется: впишите прежний или оставьте ячейку пустой."
            )

    def _check_names(self, added: Sequence[Row], changed: Sequence[Changed]) -> None:
        new = {each.school.id: each.values for each in changed}
        names = Counter(
            (values.get("name", school.name), values.get("municipality", school.municipality))
            for school in self.known
            for values in [new.get(school.id, {})]
        )
        names.update((row.name, row.municipality) for row in added)
        for (name, municipality), number in names.items():
            if number > 1:
                self.problems.append(
                    f"«{name}», {municipality}: так в справочнике называлась бы не одна школа, "
                    "исправьте название или код."
                )

    def _with_codes(self, added: Sequence[Row]) -> list[Added]:
        taken = {school.code.casefold() for school in self.known} | {row.code.casefold() for row in added}
        result = []
        for row in added:
            code = row.code or _new_code(row, taken)
            taken.add(code)
            result.append(Added(row, code))
        return result


def municipality_named(name: str, known: Collection[str]) -> str:
    """The municipality of the directory that is meant by a name; raises `HelpdeskError` with near names."""
    listed = sorted(set(known))
    if not listed:
        raise HelpdeskError(
            "Муниципалитетов пока нет: загрузите справочник командой helpdesk schools import."
        )
    same = [each for each in listed if normalise(each) == normalise(name)]
    if same:
        return same[0]
    near = get_close_matches(name.casefold(), [each.casefold() for each in listed], n=MOST_NEAR, cutoff=0.5)
    near += [each.casefold() for each in listed if normalise(name) and normalise(name) in normalise(each)]
    meant = [each for each in listed if each.casefold() in near][:MOST_NEAR]
    hint = (
        f"Похоже на: {', '.join(f'«{each}»' for each in meant)}"
        if meant
        else ("Названия показывает helpdesk schools list")
    )
    raise HelpdeskError(f"Муниципалитета «{name}» в справочнике нет. {hint}.")


def _changed(school: School, row: Row) -> Changed | None:
    values: dict[str, Any] = {
        column: said
        for column in _TITLES
        if (said := getattr(row, column)) and said != getattr(school, column)
    }
    words = [f"{_TITLES[each]}: {_shown(getattr(school, each))} → {_shown(values[each])}" for each in values]
    if school.closed_at is not None:
        values["closed_at"] = None
        words.append("снова в справочнике")
    return Changed(school, values, tuple(words)) if values else None


def _shown(value: str | tuple[str, ...]) -> str:
    text = "; ".join(value) if isinstance(value, tuple) else value
    return f"«{text}»" if text else "пусто"


def _new_code(row: Row, taken: set[str]) -> str:
    """The same for the same school whenever and wherever it is made, unless another one has it."""
    for attempt in count():
        digest = hashlib.sha256(f"{row.municipality}\n{row.name}\n{attempt}".encode()).digest()
        code = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:CODE_LENGTH])
        if code not in taken:
            return code
    raise AssertionError("unreachable")


def _key(name: str, municipality: str) -> tuple[str, str]:
    return normalise(name), normalise(municipality)


def _named(row: Row) -> str:
    return f"«{row.name}», {row.municipality}"
