"""The directory of schools is brought in: what differs, and all of it or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faq.schools.made_up import made_up_schools
from faq.schools.row import Row
from handlers.ministry import directory
from handlers.ministry.directory import Difference, NotImportable, municipality_named
from storage import schools
from storage.database import Database
from storage.schools import School
from tests.clock import StoppedClock

FIRST = Row("СОШ № 1", "Майкоп", kind="сош", aliases=("первая школа",), code="one", hours="пн–пт 9:00–18:00")
SECOND = Row("СОШ № 2", "Майкоп", kind="сош")
LYCEUM = Row("Лицей № 35", "Майкоп", kind="лицей")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


async def bring_in(database: Database, clock: StoppedClock, *rows: Row, close: bool = False) -> Difference:
    async with database.transaction() as tx:
        return await directory.bring_in(tx, rows, close_missing=close, now=clock.now(), actor="owner")


async def known(database: Database) -> dict[str, School]:
    async with database.reading() as tx:
        return {school.name: school for school in await schools.everyone(tx)}


async def test_a_second_import_changes_what_differs_and_names_it(
    database: Database, clock: StoppedClock
) -> None:
    first = await bring_in(database, clock, FIRST, SECOND, LYCEUM)
    assert [each.row.name for each in first.added] == ["СОШ № 1", "СОШ № 2", "Лицей № 35"]
    before = await known(database)

    renamed = replace(FIRST, name="СОШ № 1 имени Рябинкиной", hours="пн–пт 8:00–17:00")
    second = await bring_in(database, clock, renamed, SECOND)
    (changed,) = second.changed
    assert changed.words == (
        "название: «СОШ № 1» → «СОШ № 1 имени Рябинкиной»",
        "часы работы: «пн–пт 9:00–18:00» → «пн–пт 8:00–17:00»",
    )
    assert (second.added, second.same) == ((), 1)
    assert [school.name for school in second.absent] == ["Лицей № 35"]
    after = await known(database)
    assert after.keys() == {"СОШ № 1 имени Рябинкиной", "СОШ № 2", "Лицей № 35"}
    # The number and the code stand in cases and on posters.
    same = after["СОШ № 1 имени Рябинкиной"]
    assert (same.id, same.code) == (before["СОШ № 1"].id, before["СОШ № 1"].code)
    third = await bring_in(database, clock, renamed, SECOND, LYCEUM)
    assert third.is_nothing


async def test_an_empty_cell_leaves_what_a_school_has_set_itself(
    database: Database, clock: StoppedClock
) -> None:
    await bring_in(database, clock, FIRST)
    again = await bring_in(database, clock, replace(FIRST, hours="", aliases=()))
    assert again.is_nothing
    school = (await known(database))["СОШ № 1"]
    assert (school.hours, school.aliases) == ("пн–пт 9:00–18:00", ("первая школа",))


async def test_a_school_that_was_closed_comes_back_with_its_code(
    database: Database, clock: StoppedClock
) -> None:
    await bring_in(database, clock, FIRST, SECOND)
    code = (await known(database))["СОШ № 2"].code
    closed = await bring_in(database, clock, FIRST, close=True)
    assert [school.name for school in closed.absent] == ["СОШ № 2"]
    assert (await known(database)).keys() == {"СОШ № 1"}
    back = await bring_in(database, clock, FIRST, SECOND)
    assert back.changed[0].words == ("снова в справочнике",)
    assert (await known(database))["СОШ № 2"].code == code


async def test_two_schools_may_swap_their_names(database: Database, clock: StoppedClock) -> None:
    one, two = replace(FIRST, code="one"), replace(SECOND, code="two")
    await bring_in(database, clock, one, two)
    await bring_in(database, clock, replace(one, name=two.name), replace(two, name=one.name))
    assert {name: school.code for name, school in (await known(database)).items()} == {
        "СОШ № 1": "two",
        "СОШ № 2": "one",
    }


async def test_codes_that_are_made_fit_a_link_and_stay(database: Database, clock: StoppedClock) -> None:
    rows = [replace(row, code="") for row in made_up_schools(137)]
    found = await bring_in(database, clock, *rows)
    codes = [each.code for each in found.added]
    assert len(set(codes)) == len(codes)
    assert all(code.isascii() and code.isalnum() and code == code.lower() for code in codes)
    assert (await bring_in(database, clock, *rows)).is_nothing


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((replace(FIRST, code="школа 1"),), "код «школа 1» не годится"),
        ((replace(FIRST, hours="когда как"),), "часы работы «когда как»"),
        ((replace(SECOND, code="new"),), "в файле new. Код стоит на плакатах"),
        ((FIRST, replace(FIRST, name="СОШ № 1 новая", code=""), replace(FIRST, code="")), "это одна школа"),
        ((replace(LYCEUM, name="СОШ № 1", code="one"), replace(FIRST, code="other")), "одна школа"),
        ((replace(FIRST, name="СОШ № 2"),), "назы"),
    ],
)
async def test_rows_that_contradict_the_directory_change_nothing(
    database: Database, clock: StoppedClock, rows: tuple[Row, ...], said: str
) -> None:
    await bring_in(database, clock, FIRST, SECOND)
    before = await known(database)
    with pytest.raises(NotImportable, match=said):
        await bring_in(database, clock, LYCEUM, *rows)
    assert await known(database) == before


def test_a_misspelt_municipality_is_answered_with_near_ones() -> None:
    listed = ["город Майкоп", "Майкопский район", "Гиагинский район"]
    assert municipality_named("ГОРОД майкоп", listed) == "город Майкоп"
    with pytest.raises(Exception, match=r"Похоже на: «Майкопский район», «город Майкоп»"):
        municipality_named("Майкоп", listed)
