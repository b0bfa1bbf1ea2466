"""A declared outage: parents read of it first, clocks stand, and all who asked hear when it is over."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from faq.markup import plain
from handlers.cases import outages
from handlers.knowledge import Knowledge
from handlers.texts import outages as texts
from storage import family, tickets
from storage import outages as stored
from storage.database import Database
from storage.schools import School
from tests.handlers.desk import Someone
from tests.handlers.staffroom import labels, last, presses, ticket_of
from tests.handlers.timekeeping import Office

BROKEN = "Дневник не открывается, чиним"


@pytest.fixture
async def office(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    office = Office(database, knowledge)
    await office.is_now("2026-09-07 10:00")
    yield office
    await database.close()


@pytest.fixture
async def any_office(knowledge: Knowledge, database: Database) -> Office:
    """On both databases: two people touch one thing."""
    return Office(database, knowledge)


async def declares(member: Someone, text: str = BROKEN, *, place: str = "") -> None:
    await member.says(f"/outage {text}")
    await member.waits()
    if place and place in labels(member.heard[-1]):
        await presses(member, place)
    await presses(member, texts.BUTTON_DECLARE)


async def looks(office: Office) -> None:
    await outages.look(office.database, office.knowledge, now=office.clock.now)
    await office.hears()


async def goes_to(office: Office, parent: Someone, school: School) -> None:
    """The parent's child goes to this school."""
    known = await office.desk.known(parent)
    async with office.database.transaction() as tx:
        child = await family.add_child(tx, known.id, label="сын", now=office.clock.now())
        await family.set_school(tx, known.id, child.id, school.name, school_id=school.id)


async def test_parents_read_of_it_first_and_once_and_hear_the_end(office: Office) -> None:
    operator = await office.desk.colleague("Ольга")
    parent, silent = await office.desk.parent("Анна"), await office.desk.parent("Вера")
    await declares(operator, place=texts.EVERYWHERE)

    await parent.says("не приходит код из смс")
    first = await parent.waits()
    assert BROKEN in first[0]
    assert len(first) == 2, "the answer comes, too"
    await parent.says("не помню пароль от госуслуг")
    assert not any(BROKEN in each for each in await parent.waits())

    heard = len(silent.heard)
    await presses(operator, texts.BUTTON_END)
    await looks(office)
    await looks(office)
    assert [BROKEN in plain(each.text) for each in parent.heard].count(True) == 2
    assert "Сбой закончился" in last(parent)
    assert len(silent.heard) == heard, "who has not asked is not disturbed"


async def test_courtesies_do_not_bring_the_notice(office: Office) -> None:
    operator = await office.desk.colleague("Ольга")
    parent = await office.desk.parent()
    await declares(operator, place=texts.EVERYWHERE)
    await parent.says("спасибо")
    assert not any(BROKEN in each for each in await parent.waits())


async def test_only_where_it_is(office: Office) -> None:
    school, other = await office.school(), await office.school("Школа № 5")
    admin = await office.admin(school)
    here, there, unknown = [await office.desk.parent(name) for name in ("Анна", "Вера", "Зоя")]
    await goes_to(office, here, school)
    await goes_to(office, there, other)
    await declares(admin)

    for parent, concerns in ((here, True), (there, False), (unknown, False)):
        await parent.says("не приходит код из смс")
        assert any(BROKEN in each for each in await parent.waits()) is concerns


async def test_clocks_stand_while_it_lasts(office: Office) -> None:
    school, other = await office.school(), await office.school("Школа № 5")
    admin, neighbour = await office.admin(school), await office.admin(other, "Ольга")
    number = await office.asks(await office.desk.parent("Анна"), school)
    elsewhere = await office.asks(await office.desk.parent("Вера"), other)
    due = (await ticket_of(office, number)).answer_due_at
    assert due is not None

    await declares(admin)
    assert (await ticket_of(office, number)).clock_stopped_for == "outage"
    assert (await ticket_of(office, elsewhere)).clock_stopped_for is None
    during = await office.asks(await office.desk.parent("Зоя"), school)
    assert (await ticket_of(office, during)).clock_stopped_for == "outage"

    await office.is_now("2026-09-07 12:00")
    await presses(admin, texts.BUTTON_END)
    resumed = await ticket_of(office, number)
    assert resumed.clock_stopped_at is None
    assert resumed.answer_due_at is not None
    assert timedelta(hours=1, minutes=58) < resumed.answer_due_at - due <= timedelta(hours=2)
    assert neighbour.heard


async def test_who_opened_a_question_meanwhile_hears_the_end_too(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    await declares(admin)
    parent = await office.desk.parent()
    await office.asks(parent, school)
    await presses(admin, texts.BUTTON_END)
    await looks(office)
    assert "Сбой закончился" in last(parent)


async def test_nobody_is_woken_by_the_end(office: Office) -> None:
    operator = await office.desk.colleague("Ольга")
    parent = await office.desk.parent()
    await declares(operator, place=texts.EVERYWHERE)
    await parent.says("не приходит код из смс")
    await parent.waits()
    await office.is_now("2026-09-07 23:00")
    await presses(operator, texts.BUTTON_END)
    await looks(office)
    assert "Сбой закончился" not in last(parent)
    await office.is_now("2026-09-08 09:05")
    await looks(office)
    assert "Сбой закончился" in last(parent)


async def test_it_is_not_forgotten(office: Office) -> None:
    operator = await office.desk.colleague("Ольга")
    await declares(operator, place=texts.EVERYWHERE)
    await office.is_now("2026-09-08 09:30")
    await looks(office)
    assert "ещё длится" not in last(operator)
    await office.is_now("2026-09-08 10:30")
    await looks(office)
    await looks(office)
    asked = [each for each in operator.heard if "ещё длится" in plain(each.text)]
    assert len(asked) == 1
    assert labels(asked[0]) == [texts.BUTTON_END, texts.BUTTON_LASTS]


async def test_a_place_has_one_outage_and_the_wider_one_keeps_the_clocks(office: Office) -> None:
    school = await office.school()
    admin, operator = await office.admin(school), await office.desk.colleague("Ольга")
    number = await office.asks(await office.desk.parent("Анна"), school)
    await declares(admin)
    await declares(operator, place=texts.EVERYWHERE)
    await admin.says("/outage и ещё раз")
    await admin.waits()
    assert await presses(admin, texts.BUTTON_DECLARE) == [texts.LASTS_ALREADY]

    await presses(admin, texts.BUTTON_END)
    assert (await ticket_of(office, number)).clock_stopped_for == "outage", "everywhere is here, too"
    await presses(operator, texts.BUTTON_END)
    assert (await ticket_of(office, number)).clock_stopped_at is None


async def test_a_school_cannot_declare_or_end_for_others(office: Office) -> None:
    school = await office.school()
    admin, operator = await office.admin(school), await office.desk.colleague("Ольга")
    await declares(operator, place=texts.EVERYWHERE)
    await admin.presses("outage:end:1")
    assert await admin.waits() == [texts.NOT_YOURS]
    await admin.says("/outage у нас не работает")
    await admin.waits()
    for mark in ("all", "m1", "s999"):
        await admin.presses(f"outage:yes:1:{mark}")
        assert await admin.waits() == [texts.NOT_YOURS]
    async with office.database.reading() as tx:
        assert [each.desk.level for each in await stored.lasting(tx)] == ["ministry"]


async def test_two_who_declare_or_end_at_once_do_it_once(any_office: Office) -> None:
    office = any_office
    one, two = await office.desk.colleague("Ольга"), await office.desk.colleague("Пётр")
    for member in (one, two):
        await member.says(f"/outage {BROKEN}")
        await member.waits()

    async def press(member: Someone) -> None:
        shown = next(each for each in reversed(member.heard) if texts.BUTTON_DECLARE in labels(each))
        await member.presses(shown.buttons[0][0].payload)

    await asyncio.gather(press(one), press(two))
    await office.hears()
    said = [plain(each.text) for each in (*one.heard, *two.heard)]
    assert sum("Сбой объявлен (" in each for each in said) == 1
    assert said.count(texts.LASTS_ALREADY) == 1

    await asyncio.gather(one.presses("outage:end:1"), two.presses("outage:end:1"))
    await office.hears()
    said = [plain(each.text) for each in (*one.heard, *two.heard)]
    assert sum("Сбой закончен (" in each for each in said) == 1
    assert said.count(texts.ENDED_ALREADY) == 1


async def test_a_parent_forgotten_during_an_outage_does_not_keep_the_job_busy(any_office: Office) -> None:
    office = any_office
    school = await office.school()
    admin, parent = await office.admin(school), await office.desk.parent()
    number = await office.asks(parent, school)
    await declares(admin)
    assert (await ticket_of(office, number)).clock_stopped_for == "outage"
    await parent.presses("forget:yes")
    await parent.waits()
    assert (await ticket_of(office, number)).clock_stopped_for is None

    # As it was left by versions that did not know of this.
    async with office.database.transaction() as tx:
        stood = {"clock_stopped_at": office.clock.now(), "clock_stopped_for": "outage"}
        await tickets.change(tx, number, stood, state="closed")
    await presses(admin, texts.BUTTON_END)
    await office.look()  # it works until nothing is left to do
