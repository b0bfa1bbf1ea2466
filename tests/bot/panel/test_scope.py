"""Every door of the panel, tried by everybody who has no business behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select

from bot.channels.web import WebChannel
from bot.panel import server
from bot.panel.routes import panel_routes
from bot.parts import App
from bot.settings import Settings
from handlers.knowledge import Knowledge
from handlers.messages import Attachment
from storage import conversations, templates, tickets
from storage.campaigns import book
from storage.campaigns.campaign import Audience
from storage.database import Database
from storage.tables import metadata
from storage.ticket import Desk
from tests.bot.panel.test_panel import HOME, PNG, HandClock, Office, answer

SCHOOL, WORDS, NOTE, READY = "Гимназия Ласточка", "кузнечикова не пускает", "позвонить маме", "Ответ ласточки"
TOLD = "Собрание ласточек"
SECRETS = (SCHOOL, WORDS, NOTE, READY, TOLD, "Первова")
OPEN = {"/panel/static/{name}", "/panel/{rest:path}", "/panel/", "/panel/sign-in", "/panel/sign-out"}
"""Doors that are open to all and have nothing behind them."""
OF_TOKEN = "/panel/join/{token}"
"""Whoever has the token may come in; nobody here has one."""
LOOKS = {"/panel/campaigns/preview"}
"""Forms that only show something."""
INTRUDERS = ("another school", "another municipality", "revoked", "nobody")


@dataclass
class Held:
    """What the doors are about, and all of it belongs to one school."""

    office: Office
    school: int
    other: int
    case: int
    file: int
    template: int
    invitation: int
    member: int
    campaign: int

    def number(self, path: str) -> int:
        """The number that a path asks for; a new kind of page must be added here."""
        kinds = {
            "questions": self.case,
            "files": self.file,
            "schools": self.school,
            "templates": self.template,
            "invitations": self.invitation,
            "staff": self.member,
            "campaigns": self.campaign,
        }
        return kinds[path.split("/")[2]]

    def form(self, key: str) -> dict[str, str]:
        """Fields of all forms together."""
        return {
            "key": key,
            "text": "чужие слова",
            "title": "чужое",
            "why": "хочу",
            "where": "ministry",
            "whose": f"s{self.school}",
            "role": "school",
            "school": str(self.school),
            "municipality": "Майкоп",
            "message": "1",
            "urgent": "yes",
            "hours": "пн 9-10",
            "topic": "login-code-not-coming",
            "ref": "0" * 32,
            "name": "s.csv",
        }

    async def rows(self) -> dict[str, list[Any]]:
        """Everything that is kept."""
        async with self.office.app.database.reading() as tx:
            return {
                table.name: list(map(tuple, (await tx.execute(select(table))).all()))
                for table in metadata.sorted_tables
            }


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def held(
    database: Database, knowledge: Knowledge, database_url: str, tmp_path: Path
) -> AsyncIterator[Held]:
    clock = HandClock()
    settings = Settings(database_url=database_url, data_dir=tmp_path, public_url=HOME)
    app = App(settings, database, knowledge, clock=clock)
    app.add(WebChannel(database, app.files, clock=clock))
    office = Office(app, clock, httpx.ASGITransport(server.build(app)))
    yield await _settle(office)
    for channel in app.channels.values():
        await channel.close()


async def _settle(office: Office) -> Held:
    school, other = await office.school(SCHOOL), await office.school("СОШ № 2")
    teacher = await office.colleague("Первова", role="school", school_id=school)
    photo = Attachment("photo", "экран.png", "image/png", "web", await office.app.files.keep(PNG))
    number = await office.question(WORDS, attachments=(photo,))
    await office.checks_photos()
    await office.invitation("school", school_id=school)
    async with office.app.database.transaction() as tx:
        moved = {"school_id": school, "school": SCHOOL, "municipality": "Майкоп", "level": "school"}
        await tickets.change(tx, number, moved)
        ticket = await tickets.find(tx, number)
        assert ticket is not None
        await conversations.add_message(
            tx,
            ticket.conversation_id,
            author="note",
            staff_id=1,
            text=NOTE,
            ticket_id=number,
            now=office.clock.now(),
        )
        desk = Desk("school", school, "Майкоп")
        now = office.clock.now()
        template = await templates.add(tx, desk, title=READY, text=READY, after="none", staff_id=1, now=now)
        campaign = await book.add(
            tx,
            title=TOLD,
            category="news",
            text=TOLD,
            audience=Audience(who="venues", school_ids=(school,)),
            schedule={},
            author_id=1,
            now=now,
        )
    # The first look at the ready answers adds those that the program brings along.
    assert READY in (await teacher.get("/panel/templates")).text
    numbers = {"template": template, "invitation": 2, "member": 1, "campaign": campaign.id}
    return Held(office, school, other, number, file=1, **numbers)


def doors(office: Office) -> list[tuple[str, str]]:
    """Every method and path under /panel that is not open to all."""
    return [
        (method, route.path)
        for route in panel_routes(office.app).routes
        if isinstance(route, APIRoute) and route.path not in OPEN
        for method in sorted(route.methods or ())
    ]


async def intruder(held: Held, who: str) -> httpx.AsyncClient:
    """A browser of somebody who has no say in the school."""
    office = held.office
    if who == "another school":
        return await office.colleague("Чужая", role="school", school_id=held.other)
    if who == "another municipality":
        await office.school("СОШ № 9", "Тахтамукайский район")
        return await office.colleague("Чужой", role="municipal", municipality="Тахтамукайский район")
    if who == "nobody":
        return office.browser()
    owner = await office.colleague("Ольга", role="owner")
    former = await office.colleague("Бывшая", role="school", school_id=held.school)
    assert SCHOOL in (await former.get("/panel")).text
    assert (await owner.post("/panel/staff/3/revoke")).status_code == 303
    return former


@pytest.mark.parametrize("who", INTRUDERS)
async def test_no_door_opens_to_others(held: Held, who: str) -> None:
    browser = await intruder(held, who)
    is_out = who in {"nobody", "revoked"}
    before = await held.rows()
    walked = doors(held.office)
    assert len(walked) > 25
    for place, (method, path) in enumerate(walked):
        where = path.replace("{token}", "x" * 32)
        is_about = "{number}" in path
        if is_about:
            where = where.replace("{number}", str(held.number(path)))
        data = held.form(f"{place:032x}") if method == "POST" else None
        page = await browser.request(method, where, data=data)
        if is_out and path != OF_TOKEN:
            assert page.status_code in {303, 403}, (method, path)
            assert page.headers.get("location", "/panel/sign-in") == "/panel/sign-in"
        elif is_about or (method == "POST" and path not in LOOKS) or path == OF_TOKEN:
            assert page.status_code in {400, 403, 404}, (method, path, page.status_code)
        elif not path.endswith("posters.pdf"):
            assert page.status_code == 200, (method, path)
        for secret in SECRETS:
            assert secret not in page.text, (method, path, secret)
        assert PNG not in page.content
        assert await held.rows() == before, (method, path)


async def test_the_same_doors_open_to_the_school_itself(held: Held) -> None:
    """What is kept from others is there: the walk above does not pass because the rooms are empty."""
    teacher = await held.office.colleague("Вторая", role="school", school_id=held.school)
    for path, secret in (
        ("/panel", WORDS),
        (f"/panel/questions/{held.case}", NOTE),
        (f"/panel/questions/{held.case}/pass", "Передать"),
        (f"/panel/schools/{held.school}", SCHOOL),
        ("/panel/templates", READY),
        ("/panel/staff", "Первова"),
        ("/panel/campaigns", TOLD),
        (f"/panel/campaigns/{held.campaign}", TOLD),
        (f"/panel/campaigns/{held.campaign}/edit", TOLD),
        (f"/panel/campaigns/{held.campaign}/missed", TOLD),
    ):
        assert secret in (await teacher.get(path)).text, path
    assert (await teacher.get(f"/panel/files/{held.file}")).content == PNG
    assert (await answer(teacher, held.case, "Исправили")).status_code == 303


async def test_a_case_that_went_to_another_school_is_gone_for_the_first_one(held: Held) -> None:
    office = held.office
    teacher = await office.colleague("Вторая", role="school", school_id=held.school)
    await office.colleague("Чужая", role="school", school_id=held.other)
    page = await teacher.get(f"/panel/questions/{held.case}/pass")
    key = re.search(r'name="key" value="(\w{32})"', page.text)
    assert key is not None
    form = {"key": key[1], "where": "school", "school": "СОШ № 2, Майкоп", "why": "это их ученик"}
    passed = await teacher.post(f"/panel/questions/{held.case}/pass", data=form)
    assert passed.headers["location"] == f"/panel?passed={held.case}"
    for path in (f"/panel/questions/{held.case}", f"/panel/files/{held.file}"):
        assert (await teacher.get(path)).status_code == 404
    late = await teacher.post(f"/panel/questions/{held.case}/answer", data={"key": "1" * 32, "text": "ещё"})
    assert late.status_code == 404
