"""Ready answers: used in a case, and kept in order by those whose they are."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faq.markup import plain
from handlers.knowledge import Knowledge
from handlers.texts import staff as said
from storage import templates
from storage.database import Database
from storage.templates import Template
from tests.handlers.desk import Someone
from tests.handlers.staffroom import labels, last, presses, ticket_of
from tests.handlers.timekeeping import Office

FIXED, CORRECT_HERE, CREATED, VISIT = (each.title for each in said.FIRST_TEMPLATES)


@pytest.fixture
async def office(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield Office(database, knowledge)
    await database.close()


async def all_of(office: Office, number: int) -> list[Template]:
    ticket = await ticket_of(office, number)
    async with office.database.reading() as tx:
        return await templates.for_desk(tx, ticket.desk)


async def a_case(office: Office) -> tuple[Someone, Someone, int]:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    return maria, parent, await office.asks(parent, school)


async def test_the_first_templates_promise_nothing() -> None:
    for each in said.FIRST_TEMPLATES:
        assert not {"завтра", "сегодня", "срок", "дней", "часов"} & set(each.text.casefold().split())
        assert len(each.title) <= 40


async def test_a_template_is_looked_at_before_it_goes(office: Office) -> None:
    maria, parent, number = await a_case(office)
    assert await presses(maria, "Шаблон") == [said.choose_template(number)]
    assert labels(maria.heard[-1]) == [FIXED, CORRECT_HERE, CREATED, VISIT, "Отмена"]
    (preview,) = await presses(maria, FIXED)
    assert "Мы исправили данные" in preview
    assert "вопрос остаётся открытым" in preview
    assert await parent.waits() == []
    await presses(maria, said.BUTTON_SEND)
    assert last(parent).startswith(f"Ответ школы «Лицей № 35» на вопрос № {number}")
    assert "Мы исправили данные" in last(parent)


async def test_a_template_that_waits_for_the_parent_stops_the_clock(office: Office) -> None:
    maria, parent, number = await a_case(office)
    await presses(maria, "Шаблон")
    await presses(maria, VISIT)
    told = await presses(maria, said.BUTTON_SEND)
    assert told[-1] == said.waits_for_parent(number)
    assert (await ticket_of(office, number)).clock_stopped_for == "asked"
    assert "документ" in last(parent)


async def test_a_template_is_changed_before_it_goes(office: Office) -> None:
    maria, parent, number = await a_case(office)
    await presses(maria, "Шаблон")
    await presses(maria, CREATED)
    (asked,) = await presses(maria, said.BUTTON_EDIT)
    assert "Профиль в Дневник.ру создан" in asked
    await maria.says("Профиль создан, данные у Ольги Петровны")
    await maria.waits()
    assert "данные у Ольги Петровны" in last(parent)
    assert (await ticket_of(office, number)).clock_stopped_for == "asked"


async def test_a_template_of_the_school_may_close_the_case(office: Office) -> None:
    maria, parent, number = await a_case(office)
    await maria.says("/templates")
    await maria.waits()
    (whose,) = await presses(maria, said.BUTTON_ADD)
    assert whose == plain(said.write_template("школы «Лицей № 35»"))
    await maria.says("только название")
    assert await maria.waits() == [said.TEMPLATE_TOO_SHORT]
    await maria.says("Готово\nВсё сделано, спасибо за терпение.")
    assert await maria.waits() == [said.template_kept("Готово")]
    assert await presses(maria, "Закрыть вопрос") == [said.template_after("Готово", "close")]
    await maria.presses(f"tpl:{number}")
    await maria.waits()
    assert labels(maria.heard[-1])[0] == "Готово"
    await presses(maria, "Готово")
    await presses(maria, said.BUTTON_SEND)
    assert (await ticket_of(office, number)).state == "closed"
    assert any("спасибо за терпение" in each.text for each in parent.heard)


async def test_templates_are_rewritten_and_retired_by_those_whose_they_are(office: Office) -> None:
    maria, _, number = await a_case(office)
    ministry = await office.desk.colleague("Ольга", role="ministry")
    coordinator = await office.coordinator("Пётр")
    await ministry.says("/templates")
    await ministry.waits()
    for someone in (maria, coordinator):
        await someone.says("/templates")
        await someone.waits()
        await presses(someone, f"1. {FIXED}")
        assert said.BUTTON_CHANGE not in labels(someone.heard[-1])
        first = (await all_of(office, number))[0]
        for deed in ("edit", "retire", "after"):
            await someone.presses(f"tpls:{deed}:{first.id}:{'yes' if deed == 'retire' else 'close'}")
            assert await someone.waits() == [said.TEMPLATE_NOT_YOURS]
    await presses(ministry, f"1. {FIXED}")
    await presses(ministry, said.BUTTON_CHANGE)
    await ministry.says("Исправлено\nВсё исправили, войдите снова.")
    await ministry.waits()
    first = (await all_of(office, number))[0]
    assert (first.title, first.text) == ("Исправлено", "Всё исправили, войдите снова.")
    await ministry.presses(f"tpls:{first.id}")
    await ministry.waits()
    await presses(ministry, said.BUTTON_RETIRE)
    assert await presses(ministry, said.BUTTON_RETIRE_FOR_SURE) == [said.template_retired("Исправлено")]
    assert "Исправлено" not in [each.title for each in await all_of(office, number)]
    await maria.presses(f"use:{number}:{first.id}")
    assert await maria.waits() == [said.NO_SUCH_TEMPLATE]


async def test_retired_first_templates_do_not_come_back(office: Office) -> None:
    maria, _, number = await a_case(office)
    ministry = await office.desk.colleague("Ольга", role="ministry")
    await ministry.says("/templates")
    await ministry.waits()
    for each in await all_of(office, number):
        await ministry.presses(f"tpls:retire:{each.id}:yes")
    await ministry.waits()
    await maria.presses(f"tpl:{number}")
    assert await maria.waits() == [said.NO_TEMPLATES]


async def test_a_coordinators_template_is_used_by_the_schools_of_the_municipality(office: Office) -> None:
    maria, _, number = await a_case(office)
    far = await office.school("Гимназия № 22", municipality="Гиагинский район")
    olga = await office.admin(far, "Ольга")
    other = await office.asks(await office.desk.parent("Вера"), far)
    coordinator = await office.coordinator("Пётр")
    await coordinator.presses("tpls:add")
    await coordinator.says("По району\nЗвонить в район не нужно.")
    await coordinator.waits()
    await maria.presses(f"tpl:{number}")
    await maria.waits()
    assert "По району" in labels(maria.heard[-1])
    await olga.presses(f"tpl:{other}")
    await olga.waits()
    assert "По району" not in labels(olga.heard[-1])
