"""Working a question in the browser: taking, noting, asking, passing on; and the pages about schools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.channels.web import WebChannel
from bot.panel import server
from bot.parts import App
from bot.settings import Settings
from handlers.knowledge import Knowledge
from storage import schools, tickets
from storage.database import Database
from storage.ticket import Ticket
from tests.bot.panel.test_panel import HOME, HandClock, Office, answer, key_of


@pytest.fixture
async def office(
    database: Database, knowledge: Knowledge, database_url: str, tmp_path: Path
) -> AsyncIterator[Office]:
    clock = HandClock()
    settings = Settings(database_url=database_url, data_dir=tmp_path, public_url=HOME)
    app = App(settings, database, knowledge, clock=clock)
    app.add(WebChannel(database, app.files, clock=clock))
    yield Office(app, clock, httpx.ASGITransport(server.build(app)))
    for channel in app.channels.values():
        await channel.close()


async def press(
    browser: httpx.AsyncClient, number: int, deed: str, page: str = "", **form: str
) -> httpx.Response:
    key = key_of(await browser.get(f"/panel/questions/{number}{page}"))
    return await browser.post(f"/panel/questions/{number}/{deed}", data={"key": key, **form})


async def ticket_of(office: Office, number: int) -> Ticket:
    async with office.app.database.reading() as tx:
        ticket = await tickets.find(tx, number)
    assert ticket is not None
    return ticket


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("take", "уже ведёт"),
        ("urgent", "уже отмечен как срочный"),
        ("close", "уже закрыт"),
    ],
)
async def test_of_two_who_press_at_once_the_second_reads_one_clear_sentence(
    office: Office, deed: str, said: str
) -> None:
    maria, olga = await office.colleague("Мария"), await office.colleague("Ольга")
    number = await office.question()
    forms = [{"key": key_of(await each.get(f"/panel/questions/{number}"))} for each in (maria, olga)]
    both = await asyncio.gather(
        *(
            browser.post(f"/panel/questions/{number}/{deed}", data=form)
            for browser, form in zip((maria, olga), forms, strict=True)
        )
    )
    assert sorted(each.status_code for each in both) == [303, 409]
    refused = next(each for each in both if each.status_code == 409)
    assert said in refused.text


async def test_a_note_stays_among_the_staff(office: Office) -> None:
    maria, olga = await office.colleague("Мария"), await office.colleague("Ольга")
    number = await office.question()
    await office.letters()
    assert (await press(maria, number, "note", text="Звонили в школу")).status_code == 303
    page = (await olga.get(f"/panel/questions/{number}")).text
    assert "Звонили в школу" in page
    assert "видят только сотрудники" in page
    assert await office.heard() == []
    # A word that looks like a command is a word of the note.
    await press(maria, number, "note", text="/open")
    assert "/open" in (await olga.get(f"/panel/questions/{number}")).text


async def test_a_question_to_the_parent_stops_the_clock(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    await office.letters()
    assert (await press(maria, number, "ask", text="Какой класс?")).status_code == 303
    (heard,) = await office.heard()
    assert "Какой класс?" in heard
    assert "ждём родителя" in (await maria.get("/panel")).text
    await office.parent("Третий")
    assert "ждём родителя" not in (await maria.get("/panel")).text


async def test_a_ready_answer_stands_in_the_form_and_does_what_comes_after_it(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    assert "Нужен визит с документами" in (await maria.get("/panel/templates")).text
    added = {"whose": "ministry", "title": "Всё готово", "text": "Готово, войдите снова.", "after": "close"}
    assert (await maria.post("/panel/templates", data=added)).status_code == 303
    page = (await maria.get("/panel/templates")).text
    assert "Готово, войдите снова." in page
    shown = await maria.get(f"/panel/questions/{number}", params={"template": 5})
    assert "Готово, войдите снова.</textarea>" in shown.text
    form = {"key": key_of(shown), "text": "Готово, войдите снова!", "template": "5"}
    await maria.post(f"/panel/questions/{number}/answer", data=form)
    assert (await ticket_of(office, number)).state == "closed"
    assert (await maria.post("/panel/templates/5/retire")).status_code == 303
    assert (await maria.post("/panel/templates/5/retire")).status_code == 404
    assert "Готово, войдите снова." not in (await maria.get("/panel/templates")).text


async def test_a_question_goes_to_the_school_that_was_named_and_never_without_a_reason(
    office: Office,
) -> None:
    school = await office.school("СОШ № 7")
    await office.colleague("Первова", role="school", school_id=school)
    maria = await office.colleague("Мария")
    number = await office.question()
    for form in (
        {"where": "school", "school": "СОШ № 7, Майкоп"},
        {"why": "их ученик"},
        {"where": "school", "school": "СОШ № 99, Нигде", "why": "их ученик"},
        {"where": "s999", "why": "их ученик"},
    ):
        refused = await press(maria, number, "pass", "/pass", **form)
        assert refused.status_code == 400, form
        assert 'role="alert"' in refused.text
    assert (await ticket_of(office, number)).level == "ministry"
    form = {"where": "school", "school": "СОШ № 7, Майкоп", "why": "их ученик"}
    passed = await press(maria, number, "pass", "/pass", **form)
    assert passed.headers["location"] == f"/panel?passed={number}"
    ticket = await ticket_of(office, number)
    assert (ticket.level, ticket.school_id) == ("school", school)
    assert f"Вопрос № {number} передан." in (await maria.get(passed.headers["location"])).text


async def test_lists_have_pages_and_filters(office: Office) -> None:
    maria = await office.colleague("Мария")
    school = await office.school("СОШ № 7", "Тахтамукайский район")
    await office.school("СОШ № 8")
    number = await office.question("Не приходит код на телефон")
    async with office.app.database.transaction() as tx:
        due = office.clock.now() + timedelta(hours=4)
        values = {"school_id": school, "school": "СОШ № 7", "municipality": "Тахтамукайский район"}
        await tickets.change(tx, number, {**values, "answer_due_at": due})
    for query, is_there in (
        ({}, True),
        ({"s": str(school)}, True),
        ({"m": "Тахтамукайский район"}, True),
        ({"m": "Майкоп"}, False),
        ({"list": "mine"}, False),
        ({"list": "overdue"}, False),
        ({"list": "closed"}, False),
        ({"page": "1"}, False),
        ({"list": "<b>", "page": "x", "s": "y"}, True),
    ):
        page = (await maria.get("/panel", params=query)).text
        assert (f"№ {number}</b>" in page) == is_there, query
    office.clock.passed += timedelta(hours=5)
    late = (await maria.get("/panel", params={"list": "overdue"})).text
    assert "просрочен" in late
    await answer(maria, number, "Проверьте номер")
    assert f"№ {number}</b>" in (await maria.get("/panel", params={"list": "mine"})).text


async def test_a_school_sets_when_it_works(office: Office) -> None:
    school = await office.school()
    teacher = await office.colleague("Первова", role="school", school_id=school)
    path = f"/panel/schools/{school}/hours"
    for form in ({"hours": "когда как"}, {"hours": "", "vacations": "летом"}):
        refused = await teacher.post(path, data=form)
        assert refused.status_code == 400
        assert 'role="alert"' in refused.text
    saved = await teacher.post(path, data={"hours": "пн-пт 8-17", "vacations": "26.10.2026 - 03.11.2026"})
    assert saved.status_code == 303
    page = (await teacher.get(saved.headers["location"])).text
    assert 'value="пн–пт 8:00–17:00"' in page
    assert "26.10.2026 – 03.11.2026</textarea>" in page
    poster = await teacher.get(f"/panel/schools/{school}/poster.pdf")
    assert poster.headers["content-type"] == "application/pdf"
    assert poster.content.startswith(b"%PDF")


async def test_a_directory_is_looked_at_before_it_is_imported(office: Office) -> None:
    maria = await office.colleague("Мария")
    file = "Название;Муниципалитет\nСОШ № 1;Майкоп\nСОШ № 2;Майкоп\n".encode()
    looked = await maria.post("/panel/schools/import", files=[("files", ("школы.csv", file))])
    assert "СОШ № 2, Майкоп" in looked.text
    async with office.app.database.reading() as tx:
        assert await schools.everyone(tx) == []
    ref = looked.text.split('name="ref" value="')[1][:32]
    applied = await maria.post("/panel/schools/import/apply", data={"ref": ref, "name": "школы.csv"})
    assert applied.status_code == 303
    assert "СОШ № 2" in (await maria.get(applied.headers["location"])).text
    wrong = await maria.post("/panel/schools/import", files=[("files", ("школы.csv", b"?"))])
    assert wrong.status_code == 400
    assert "Справочник не изменён" in wrong.text
