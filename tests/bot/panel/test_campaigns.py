"""Announcements in the browser: written, looked at, agreed to, let go, held, and what became of them."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from dataclasses import astuple, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from bot.channels.telegram import TelegramChannel
from bot.channels.vk import VkChannel
from bot.channels.web import WebChannel
from bot.messengers import NoCursor
from bot.panel import server
from bot.panel.campaigns import STOP_LOOKING
from bot.parts import App
from bot.settings import Settings
from handlers.campaigns import composing
from handlers.knowledge import Knowledge
from handlers.messages import Address, Incoming
from handlers.staff import membership
from handlers.texts import campaigns as texts
from storage import family, people, stages
from storage import staff as members
from storage.campaigns import book, launches, readers, venues, wishes
from storage.campaigns.audience import Zones, fill
from storage.campaigns.campaign import Campaign, Launch, LaunchState, Reader
from storage.campaigns.readers import Rules
from storage.database import Database, Unavailable
from storage.ticket import Desk
from tests.bot.panel.test_panel import HOME, PNG, HandClock, key_of
from tests.bot.panel.test_panel import Office as Room

TOPIC = "login-code-not-coming"
TEXT = "**Проверьте вход** до 25 августа: {вход}"
FORM: dict[str, Any] = {
    "title": "Проверьте вход",
    "category": "reminders",
    "text": TEXT,
    "who": "parents",
}
IVAN = Address("telegram", "77")
"""A colleague who works in a messenger: tests come there."""


@dataclass
class Office(Room):
    """The same with announcements."""

    async def tester(self) -> int:
        """A colleague in Telegram; returns their number."""
        token = await self.invitation()
        started = membership.INVITATION + token
        await self.app.helpdesk.receive(Incoming("join", IVAN, name="Иван", started=started))
        await self.letters(IVAN)
        async with self.app.database.reading() as tx:
            person = await people.at(tx, *astuple(IVAN))
            member = await members.of_person(tx, person.id) if person is not None else None
        assert member is not None
        return member.id

    async def writes(self, browser: httpx.AsyncClient, **fields: Any) -> int:
        """A new draft; returns its number."""
        form = await browser.get("/panel/campaigns/new")
        saved = await browser.post("/panel/campaigns", data={"key": key_of(form), **FORM, **fields})
        return number_of(saved)

    async def is_ready(self, browser: httpx.AsyncClient, **fields: Any) -> int:
        """A draft that is checked and tried."""
        number = await self.writes(browser, **fields)
        assert (await does(browser, number, "check")).status_code == 303
        page = await browser.get(f"/panel/campaigns/{number}")
        to = re.search(r'<option value="(\d+)">', page.text)
        assert to is not None, page.text
        assert (await does(browser, number, "test", key="1", to=to[1])).status_code == 303
        return number

    async def subscribers(self, count: int) -> None:
        async with self.app.database.transaction() as tx:
            for number in range(count):
                await people.meet(tx, "telegram", f"{10_000 + number}", name="", now=self.clock.now())

    async def campaign(self, number: int) -> Campaign:
        async with self.app.database.reading() as tx:
            found = await book.find(tx, number)
        assert found is not None
        return found

    async def launches(self, number: int) -> list[Launch]:
        async with self.app.database.reading() as tx:
            return await launches.of_campaign(tx, number)

    async def states(self, number: int) -> list[LaunchState]:
        return [each.state for each in await self.launches(number)]

    async def goes_out(self, number: int) -> list[Reader]:
        """Its launch begins and its readers are taken; nobody has said yet what became of them."""
        campaign, (launch,) = await self.campaign(number), await self.launches(number)
        now, zones = self.clock.now(), Zones("Europe/Moscow")
        body = composing.body_of(campaign)
        async with self.app.database.transaction() as tx:
            assert await launches.begin(tx, launch.id, body=body, now=now)
            begun = replace(launch, body=body)
            await fill(
                tx, begun, campaign.audience, category=campaign.category, zones=zones, now=now, limit=1000
            )
            await launches.note_filled(tx, launch.id, launches.TO_THE_END, now=now)
            rules = {launch.id: Rules(["Europe/Moscow"], 99, now - timedelta(days=1))}
            batch = await readers.claim(tx, "telegram", rules=rules, limit=1000, now=now)
        return list(batch.readers) if batch is not None else []


@pytest.fixture
async def office(
    database: Database, knowledge: Knowledge, database_url: str, tmp_path: Path
) -> AsyncIterator[Office]:
    """Both messengers are there to draw; nothing is sent to them."""
    clock = HandClock()
    settings = Settings(database_url=database_url, data_dir=tmp_path, public_url=HOME)
    # Its schools are these tests' own: the others share one knowledge.
    own = Knowledge(knowledge.base, knowledge.region, build=lambda _: knowledge.build_index())
    app = App(settings, database, own, clock=clock)
    app.add(WebChannel(database, app.files, clock=clock))
    app.add(TelegramChannel("123456:a-test-token", clock=clock))
    app.add(VkChannel("vk1.a.test-token", 777, clock=clock, cursor=NoCursor()))
    yield Office(app, clock, httpx.ASGITransport(server.build(app)))
    for channel in app.channels.values():
        await channel.close()


async def does(browser: httpx.AsyncClient, number: int, deed: str, **form: str) -> httpx.Response:
    """Press a button of the announcement's page."""
    edition = re.search(r'name="edition" value="(\d+)"', (await browser.get(address(number))).text)
    data = {"edition": edition[1] if edition else "0", **form}
    return await browser.post(f"{address(number)}/{deed}", data=data)


def number_of(saved: httpx.Response) -> int:
    """Of the announcement that was kept."""
    assert saved.status_code == 303, saved.text
    number = re.fullmatch(r"/panel/campaigns/(\d+)\?done=saved", saved.headers["location"])
    assert number is not None
    return int(number[1])


def address(number: int) -> str:
    return f"/panel/campaigns/{number}"


def notice(page: httpx.Response) -> str:
    found = re.search(r'role="alert">(.*?)</p>', page.text, re.DOTALL)
    assert found is not None, page.text
    return found[1].strip()


# Writing


async def test_an_announcement_goes_from_the_form_to_its_start(office: Office) -> None:
    olga = await office.colleague("Ольга")
    await office.subscribers(3)
    ivan = await office.tester()
    button = {"label0": "Не приходит код", "kind0": "topic", "value0": topic_title(office)}
    number = await office.writes(olga, **button, channels="telegram")
    found = await office.campaign(number)
    assert found.buttons == ({"label": "Не приходит код", "kind": "topic", "value": TOPIC},)
    assert found.audience.channels == ("telegram",)

    early = await does(olga, number, "start")
    assert early.status_code == 409
    assert notice(early) == texts.NOT_CHECKED

    assert (await does(olga, number, "check")).headers["location"] == f"{address(number)}?done=check"
    page = (await olga.get(address(number))).text
    assert "Проверено." in page
    assert "получателей: 3" in page
    assert "…000" in page, "a sample of readers, who cannot be written to by it"
    assert "10000" not in page

    assert (await does(olga, number, "test", key="k", to="99")).status_code == 409
    for _ in range(2):
        assert (await does(olga, number, "test", key="k", to=str(ivan))).status_code == 303
    heard = [letter.body["text"] for letter in await office.letters(IVAN)]
    assert ["Проверьте вход" in text for text in heard].count(True) == 1, "a double press is one message"

    started = await does(olga, number, "start")
    assert started.headers["location"] == f"{address(number)}?done=start"
    assert await office.states(number) == ["planned"]
    again = await does(olga, number, "start")
    assert again.status_code == 409
    assert notice(again) == texts.SCHEDULED_ALREADY
    assert await office.states(number) == ["planned"]


async def test_a_check_that_finds_faults_says_which(office: Office) -> None:
    olga = await office.colleague("Ольга")
    number = await office.writes(olga, channels="vk")
    checked = await does(olga, number, "check")
    page = (await olga.get(checked.headers["location"])).text
    assert "Проверено." not in page
    assert texts.NO_READERS in page


def topic_title(office: Office) -> str:
    topic = office.app.knowledge.topic(TOPIC)
    assert topic is not None
    return topic.title


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, texts.NO_TITLE),
        ({"category": ""}, texts.NO_CATEGORY),
        ({"when": "когда-нибудь"}, "Непонятно, когда «когда-нибудь»"),
        ({"when": "01.02.2020 10:00"}, "уже прошло"),
        ({"when": "31.12.2026 10:00", "step": "много"}, "нужно целое число"),
        ({"window": "ночью", "when": "31.12.2026 10:00"}, "в какие часы"),
        ({"label0": "Код", "kind0": "topic", "value0": "Такой темы нет"}, "в базе нет"),
        ({"label0": "Вошли?", "kind0": "stage_question", "value0": "может быть"}, "да или нет"),
        ({"municipalities": "Атлантида"}, "нет в справочнике"),
        ({"schools": "999"}, "Школы с номером 999 нет"),
        ({"school": "Школа волшебства"}, "среди ваших нет"),
        ({"who": "martians"}, "martians"),
        ({"asked_since": "вчера"}, "с какого дня"),
        ({"not_told_days": "-1"}, "нужно целое число"),
    ],
)
async def test_a_refusal_is_one_sentence_and_nothing_that_was_typed_is_lost(
    office: Office, fields: dict[str, str], said: str
) -> None:
    olga = await office.colleague("Ольга")
    typed = {**FORM, "label1": "Наш сайт", "kind1": "url", "value1": "https://дневник.рф", **fields}
    picture = {"files": ("экран.png", PNG, "image/png")}
    refused = await olga.post("/panel/campaigns", data=typed, files=picture)
    assert refused.status_code == 400
    assert said in notice(refused)
    assert TEXT in refused.text
    for value in ("https://дневник.рф", "Наш сайт", "экран.png", *fields.values()):
        assert value in refused.text, value
    async with office.app.database.reading() as tx:
        assert await book.count(tx) == 0

    many = [("files", (f"{place}.png", PNG, "image/png")) for place in range(6)]
    assert "объявлением можно отправить не больше 5 файлов" in notice(
        await olga.post("/panel/campaigns", data=typed, files=many)
    )
    # The picture is with us already: the second form brings only its name along.
    kept = re.search(r'name="kept" value="([^"]+)"', refused.text)
    assert kept is not None
    value = kept[1].replace("&#34;", '"')
    number = await office.writes(olga, kept=value)
    shown = await olga.get(f"{address(number)}/files/0")
    assert shown.content == PNG
    assert shown.headers["content-type"] == "image/png"
    assert (await olga.get(f"{address(number)}/files/1")).status_code == 404


async def test_a_form_sent_twice_is_one_announcement(office: Office) -> None:
    olga = await office.colleague("Ольга")
    form = {**FORM, "key": key_of(await olga.get("/panel/campaigns/new"))}
    both = await asyncio.gather(*(olga.post("/panel/campaigns", data=form) for _ in range(2)))
    assert [each.status_code for each in both] == [303, 303]
    async with office.app.database.reading() as tx:
        assert await book.count(tx) == 1


async def test_what_was_saved_stands_in_the_form_again(office: Office) -> None:
    olga = await office.colleague("Ольга")
    school = await office.school("СОШ № 7")
    await office.app.knowledge.refresh(office.app.database)
    fields = {
        "school": "СОШ № 7, Майкоп",
        "topic": topic_title(office),
        "municipalities": "Майкоп",
        "age_groups": ["under14", "from14"],
        "stages": "unknown",
        "asked_since": "2026-08-01",
        "not_told_days": "5",
        "when": "cron 0 10 * * 1 до 31.12.2026",
        "window": "10:00–18:00, кроме воскресений",
        "step": "30",
        "label0": "Уже вошли?",
        "kind0": "stage_question",
        "value0": "да",
    }
    number = await office.writes(olga, **fields)
    wanted = (await office.campaign(number)).audience
    assert (wanted.school_ids, wanted.topics, wanted.not_told_days) == ((school,), (TOPIC,), 5)
    page = await olga.get(f"{address(number)}/edit")
    for value in ("cron 0 10 * * 1 до 31.12.2026", "2026-08-01", "с 10:00 до 18:00, кроме воскресений"):
        assert f'value="{value}"' in page.text
    assert f'name="schools" value="{school}" checked' in page.text
    # Saved as it stands, it says the same.
    same = await olga.post(f"{address(number)}/edit", data=fields_of(page.text))
    assert same.status_code == 303, notice(same)
    before, after = await office.campaign(number), wanted
    assert before.audience == after
    assert before.edition == 2
    assert before.schedule["cron"] == "0 10 * * 1"
    assert "по понедельникам" in (await olga.get(address(number))).text


def fields_of(page: str) -> dict[str, Any]:
    """The fields of the form as a browser would send them, untouched."""
    form = page[page.index('<form id="compose"') :]
    form = form[: form.index("</form>")]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input ([^>]*)>", form):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        is_chosen = told.get("type") not in {"checkbox", "radio"} or " checked" in tag
        if "name" in told and is_chosen and told.get("type") != "file":
            found.setdefault(told["name"], []).append(told.get("value", ""))
    for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        first = re.search(r'value="([^"]*)"', options)
        assert first is not None
        found[name] = [(chosen or first)[1]]
    for name, text in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = [text]
    return found


async def test_a_ready_announcement_is_a_beginning(office: Office) -> None:
    olga = await office.colleague("Ольга")
    assert "Начать с готового" in (await olga.get("/panel/campaigns/new")).text
    begun = await olga.get("/panel/campaigns/new", params={"ready": "under14"})
    form = fields_of(begun.text)
    assert form["category"] == ["reminders"]
    assert form["age_groups"] == ["under14"]
    assert form["kind0"] == ["topic"]
    saved = await olga.post("/panel/campaigns", data=form)
    assert saved.status_code == 303
    like = fields_of((await olga.get("/panel/campaigns/new", params={"like": 1})).text)
    assert like["title"] == form["title"]
    assert like["edition"] == ["0"]


async def test_a_school_is_added_to_the_form_and_nothing_is_saved(office: Office) -> None:
    olga = await office.colleague("Ольга")
    school = await office.school("СОШ № 7")
    await office.school("СОШ № 7", "Адыгейск")
    await office.app.knowledge.refresh(office.app.database)
    vague = await olga.post("/panel/campaigns/form", data={**FORM, "school": "СОШ № 7"})
    assert vague.status_code == 400
    assert "несколько" in notice(vague)
    added = await olga.post("/panel/campaigns/form", data={**FORM, "school": "СОШ № 7, Майкоп"})
    assert added.status_code == 200
    assert f'name="schools" value="{school}" checked' in added.text
    assert TEXT in added.text
    async with office.app.database.reading() as tx:
        assert await book.count(tx) == 0


async def test_of_two_editors_the_second_is_told_and_keeps_the_text(office: Office) -> None:
    olga, maria = await office.colleague("Ольга"), await office.colleague("Мария")
    number = await office.writes(olga)
    forms = [
        {**fields_of((await each.get(f"{address(number)}/edit")).text), "text": text}
        for each, text in ((olga, "Текст Ольги"), (maria, "Текст Марии"))
    ]
    assert (await olga.post(f"{address(number)}/edit", data=forms[0])).status_code == 303
    late = await maria.post(f"{address(number)}/edit", data=forms[1])
    assert late.status_code == 409
    assert notice(late) == texts.CHANGED_MEANWHILE
    assert "Текст Марии</textarea>" in late.text
    assert (await office.campaign(number)).text == "Текст Ольги"
    over = re.search(r'formaction="([^"]+over=\d+)"', late.text)
    assert over is not None
    assert (await maria.post(over[1], data=forms[1])).status_code == 303
    assert (await office.campaign(number)).text == "Текст Марии"


async def test_a_lost_database_gives_the_text_back(office: Office) -> None:
    olga = await office.colleague("Ольга")
    number = await office.writes(olga)
    office.app.database = BrokenAfterReading(office.app.database)  # type: ignore[assignment]
    unsaved = await olga.post("/panel/campaigns", data=FORM)
    assert unsaved.status_code == 503
    assert "Объявление не сохранено" in unsaved.text
    assert f"{TEXT}</textarea>" in unsaved.text
    returned = await does(olga, number, "refuse", note="Назовите срок")
    assert returned.status_code == 503
    assert "Назовите срок</textarea>" in returned.text
    assert (await does(olga, number, "check")).status_code == 503


class BrokenAfterReading:
    """A database that can be read but takes nothing more."""

    def __init__(self, database: Database) -> None:
        self.reading = database.reading

    def transaction(self) -> Any:
        raise Unavailable("disk full")


# The preview


async def test_the_preview_shows_what_each_messenger_draws(office: Office) -> None:
    olga = await office.colleague("Ольга")
    await office.subscribers(2)
    typed = {
        **FORM,
        "text": "**Важно.** [Страница](https://www.gosuslugi.ru/help)",
        "label0": "Я уже вошёл",
        "kind0": "inside",
        "when": "15.12.2026 10:00; 25.12.2026 10:00",
    }
    page = (await olga.post("/panel/campaigns/preview", data=typed)).text
    telegram, vk = page[page.index('class="phone telegram"') :].split('class="phone vk"')
    assert "<b>Важно.</b>" in telegram
    assert '<a href="https://www.gosuslugi.ru/help"' in telegram
    assert "<b>Важно" not in vk
    assert "Страница: https://www.gosuslugi.ru/help" in vk
    for screen in (telegram, vk):
        assert "Я уже вошёл" in screen
        assert "Отписаться" in screen
    assert "Получателей: 2" in page
    assert "15 и 25 декабря 2026 года в 10:00; отправка с 9:00 до 20:00" in page

    long = (await olga.post("/panel/campaigns/preview", data={**FORM, "text": "слово " * 1000})).text
    assert long.count("сообщений: 2") == 2
    wrong = {**FORM, "when": "потом", "text": "**{чьё}"}
    bad = (await olga.post("/panel/campaigns/preview", data=wrong)).text
    assert "Непонятно, когда «потом»" in bad
    assert "Подстановки «{чьё}» нет" in bad
    assert texts.ODD_BOLD in bad


async def test_a_filter_that_cannot_be_read_is_not_an_audience_of_everybody(office: Office) -> None:
    await office.school("СОШ № 9", "Тахтамукайский район")
    await office.subscribers(2)
    olga = await office.colleague("Ольга")
    municipal = await office.colleague("Кузнецов", role="municipal", municipality="Тахтамукайский район")
    for browser in (olga, municipal):
        page = (await browser.post("/panel/campaigns/preview", data={**FORM, "not_told_days": "-1"})).text
        assert "нужно целое число" in page
        assert "олучателей" not in page
        assert texts.NOT_YOUR_READERS not in page


async def test_whoever_approves_sees_every_filter(office: Office) -> None:
    olga, maria = await office.colleague("Ольга"), await office.colleague("Мария")
    number = await office.writes(olga, topics=TOPIC, asked_since="2026-10-15", not_told_days="5")
    page = (await maria.get(address(number))).text
    assert f"спрашивали: «{topic_title(office)}»" in page
    assert TOPIC not in page
    assert "спрашивали не раньше, чем 15.10.2026" in page
    assert "объявлений не было дней: 5" in page


async def test_the_wall_is_shown_as_it_will_be_without_its_picture(office: Office) -> None:
    olga = await office.colleague("Ольга")
    async with office.app.database.transaction() as tx:
        await venues.add(
            tx,
            kind="vk_wall",
            channel="vk",
            chat_id="wall",
            title="Стена",
            desk=Desk("ministry"),
            staff_id=None,
            now=office.clock.now(),
        )
    button = {"label0": "Подробнее", "kind0": "url", "value0": "https://www.gosuslugi.ru/help"}
    form = {"key": key_of(await olga.get("/panel/campaigns/new")), **FORM, **button, "who": "venues"}
    saved = await olga.post("/panel/campaigns", data=form, files={"files": ("вход.png", PNG, "image/png")})
    checked = await does(olga, number_of(saved), "check")
    page = (await olga.get(checked.headers["location"])).text
    assert texts.FILES_ON_WALL in page
    assert "<span>Стена сообщества ВКонтакте</span>" in page, "and not «…all»"
    chat, wall = page[page.index('aria-label="ВКонтакте"') :].split('aria-label="Стена сообщества ВКонтакте"')
    assert "<img" in chat
    assert "<img" not in wall
    assert "Подробнее: https://www.gosuslugi.ru/help" in wall
    assert 'class="key"' not in wall
    without = (await olga.post("/panel/campaigns/preview", data={**FORM, "who": "venues"})).text
    assert "Стена сообщества" in without
    assert texts.FILES_ON_WALL not in without
    to_parents = (await olga.post("/panel/campaigns/preview", data=FORM)).text
    assert "Стена сообщества" not in to_parents


async def test_of_others_readers_not_even_the_number_is_told(office: Office) -> None:
    await office.subscribers(2)
    school = await office.school("СОШ № 5")
    await office.school("СОШ № 9", "Тахтамукайский район")
    municipal = await office.colleague("Чужой", role="municipal", municipality="Тахтамукайский район")
    teacher = await office.colleague("Первова", role="school", school_id=school)
    own = (await municipal.post("/panel/campaigns/preview", data=FORM)).text
    assert "Получателей: 0" in own, "whatever is asked for, it is bounded by the office"
    posted = (await teacher.post("/panel/campaigns/preview", data={**FORM, "schools": "2"})).text
    assert "Получателей: 0" in posted


# The second person


async def test_another_than_the_author_agrees_or_gives_it_back(office: Office) -> None:
    olga, maria = await office.colleague("Ольга"), await office.colleague("Мария")
    await office.tester()
    await office.subscribers(501)
    number = await office.is_ready(olga)
    early = await does(olga, number, "start")
    assert notice(early) == texts.NOT_APPROVED
    assert "Нужно согласие второго человека" in (await olga.get(address(number))).text
    assert (await does(olga, number, "ask")).status_code == 303
    assert "Согласовать</button>" not in (await olga.get(address(number))).text
    own = await does(olga, number, "approve", edition="1")
    assert notice(own) == texts.OWN_APPROVAL

    assert "Согласовать</button>" in (await maria.get(address(number))).text
    silent = await does(maria, number, "refuse", note=" ")
    assert notice(silent) == texts.NO_NOTE
    assert (await does(maria, number, "refuse", note="Назовите срок")).status_code == 303
    assert (await office.campaign(number)).state == "draft"
    gone = await does(maria, number, "refuse", edition="1", note="Назовите срок ещё раз")
    assert notice(gone) == texts.NOTHING_TO_APPROVE

    assert (await does(olga, number, "ask")).status_code == 303
    assert (await does(maria, number, "approve")).status_code == 303
    assert "Согласовано: Мария" in (await olga.get(address(number))).text
    assert (await does(olga, number, "start")).status_code == 303


async def test_a_planned_one_waits_is_held_and_let_go_again(office: Office) -> None:
    olga = await office.colleague("Ольга")
    await office.tester()
    await office.subscribers(1)
    number = await office.is_ready(olga, when="15.12.2026 10:00; 25.12.2026 10:00")
    assert (await does(olga, number, "schedule")).status_code == 303
    assert await office.states(number) == ["planned", "planned"]
    assert (await does(olga, number, "pause")).status_code == 303
    assert await office.states(number) == ["asks", "asks"]
    page = (await olga.get(address(number))).text
    assert texts.WHY_HELD["people"] in page
    assert "Отправить сейчас" not in page, "its time has not come: it is continued"
    assert "Продолжить</button>" in page
    second = await does(olga, number, "pause")
    assert notice(second) == texts.NOTHING_TO_PAUSE
    first, _ = await office.launches(number)
    assert (await does(olga, number, "drop", launch=str(first.id))).status_code == 303
    assert (await does(olga, number, "resume")).status_code == 303
    assert await office.states(number) == ["stopped", "planned"]
    foreign = await does(olga, number, "begin", launch="999")
    assert notice(foreign) == texts.LAUNCH_OVER
    assert (await does(olga, number, "stop")).status_code == 303
    assert await office.states(number) == ["stopped", "stopped"]
    late = await olga.get(f"{address(number)}/edit")
    assert late.status_code == 409
    assert notice(late) == texts.TOO_LATE_TO_CHANGE


# The brake


async def test_the_brake_stops_everything_at_once_and_nothing_restarts_by_itself(office: Office) -> None:
    olga, maria = await office.colleague("Ольга"), await office.colleague("Мария")
    await office.tester()
    await office.subscribers(2)
    number = await office.is_ready(olga)
    await does(olga, number, "start")
    await office.goes_out(number)
    for path in ("/panel/campaigns", "/panel/campaigns/new", address(number), f"{address(number)}/missed"):
        assert 'action="/panel/brake"' in (await maria.get(path)).text, path
    for _ in range(2):
        assert (await maria.post("/panel/brake")).headers["location"] == "/panel/brake"
        assert await office.states(number) == ["paused"]
    page = (await maria.get("/panel/brake")).text
    assert f"№ {number} «Проверьте вход»" in page
    assert "Стоп-кран нажат" in (await olga.get(address(number))).text
    assert notice(await does(olga, number, "resume")) == texts.BRAKE_IS_ON

    assert (await maria.post("/panel/brake/release")).status_code == 303
    assert await office.states(number) == ["paused"]
    again = await maria.post("/panel/brake/release")
    assert again.status_code == 409
    assert notice(again) == texts.BRAKE_IS_OFF
    assert (await does(olga, number, "resume")).status_code == 303
    assert await office.states(number) == ["sending"]


async def test_the_brake_is_not_for_a_school(office: Office) -> None:
    teacher = await office.colleague("Первова", role="school", school_id=await office.school())
    assert "Стоп-кран</button>" not in (await teacher.get("/panel/campaigns")).text
    for path in ("/panel/brake", "/panel/brake/release"):
        refused = await teacher.post(path)
        assert refused.status_code == 403
        assert texts.BRAKE_NOT_ALLOWED in refused.text


# What became of it


async def test_the_page_tells_how_far_it_is_and_who_was_not_told(office: Office) -> None:
    olga = await office.colleague("Ольга")
    await office.tester()
    await office.subscribers(60)
    number = await office.is_ready(olga)
    await does(olga, number, "start")
    taken = await office.goes_out(number)
    assert len(taken) == 60
    async with office.app.database.transaction() as tx:
        await readers.mark_sent(tx, [(each.id, str(each.id)) for each in taken[:3]], now=office.clock.now())
        await readers.give_up(tx, taken[3].id, state="failed", reason="blocked")
        await readers.give_up(tx, taken[4].id, state="unknown", reason="interrupted")
        await launches.note_held(tx, "telegram", office.clock.now() + timedelta(minutes=20))
    page = (await olga.get(address(number))).text
    assert "5 из 60" in page
    assert "осталось 55" in page
    assert "Скорость" in page
    assert "закончится примерно 2 ноября" in page
    assert "Telegram просит подождать до 2 ноября, 15:20" in page
    assert f"{texts.WHY_NOT_TOLD['blocked']}: <b>1</b>" in page
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    progress = f"{address(number)}/progress"
    assert (await olga.get(progress, params={"seen": seen[1]})).status_code == 204
    async with office.app.database.transaction() as tx:
        for each in taken[5:]:
            await readers.give_up(tx, each.id, state="failed", reason="gone")
        (launch,) = await launches.of_campaign(tx, number)
        assert await launches.finish(tx, launch.id, now=office.clock.now())
    news = await olga.get(progress, params={"seen": seen[1]})
    assert news.status_code == 200
    assert "60 из 60" in news.text

    await of_57_not_told(olga, number)
    assert (await does(olga, number, "retry")).status_code == 303
    async with office.app.database.reading() as tx:
        told = await readers.progress(tx, [launch.id])
    assert told.states == {"sent": 3, "unknown": 1, "queued": 56}
    assert (await does(olga, number, "retry", unknown="yes")).status_code == 303
    async with office.app.database.reading() as tx:
        assert (await readers.progress(tx, [launch.id])).states == {"sent": 3, "queued": 57}
    assert notice(await does(olga, number, "retry")) == texts.NOTHING_TO_RETRY

    assert (await does(olga, number, "stop")).status_code == 303
    last = await olga.get(progress, params={"seen": seen[1]})
    assert last.status_code == STOP_LOOKING, "nothing more is to come"


async def test_at_night_the_page_says_that_it_waits_for_the_morning(office: Office) -> None:
    olga = await office.colleague("Ольга")
    await office.tester()
    await office.subscribers(60)
    number = await office.is_ready(olga)
    await does(olga, number, "start")
    taken = await office.goes_out(number)
    office.clock.passed = timedelta(hours=4, minutes=59)
    async with office.app.database.transaction() as tx:
        now = office.clock.now()
        await readers.mark_sent(tx, [(each.id, str(each.id)) for each in taken[:6]], now=now)
        await readers.put_back(tx, [each.id for each in taken[6:]], not_before=now)
    page = (await olga.get(address(number))).text
    assert "отправляется</span>" in page
    assert "закончится примерно 3 ноября, 09:08" in page, "a minute's work is left until 20:00"

    office.clock.passed = timedelta(hours=5, seconds=10)
    page = (await olga.get(address(number))).text
    assert "Ждёт 3 ноября, 09:00" in page
    assert "отправляется</span>" not in page
    assert "Скорость" not in page
    assert texts.WAITS_FOR_HOURS in (await olga.get("/panel/campaigns")).text
    office.clock.passed = timedelta(hours=18)
    assert "Ждёт 3 ноября" not in (await olga.get(address(number))).text


async def test_with_a_clock_of_its_own_the_panel_tells_one_time_of_an_announcement(office: Office) -> None:
    app = office.app
    app.settings = app.settings.model_copy(update={"timezone": "Asia/Yekaterinburg"})
    there = Office(app, office.clock, httpx.ASGITransport(server.build(app)))
    olga = await there.colleague("Ольга")
    await there.tester()
    await there.subscribers(1)
    number = await there.is_ready(olga, when="15.12.2026 10:00")
    await does(olga, number, "schedule")
    page = (await olga.get(address(number))).text
    assert "15 декабря 2026 года в 10:00" in page
    assert "<b>15 декабря, 10:00</b>" in page


async def of_57_not_told(olga: httpx.AsyncClient, number: int) -> None:
    """The list and the table of those who did not get it; nobody can be written to by them."""
    missed = await olga.get(f"{address(number)}/missed")
    assert missed.text.count('<li class="line">') == 50
    assert "10003" not in missed.text
    after = re.search(r"after=(\d+)", missed.text)
    assert after is not None
    rest = await olga.get(f"{address(number)}/missed", params={"after": after[1]})
    assert rest.text.count('<li class="line">') == 7
    doubted = await olga.get(f"{address(number)}/missed", params={"state": "unknown"})
    assert doubted.text.count('<li class="line">') == 1
    table = await olga.get(f"{address(number)}/missed.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(table.content))["Кому не дошло"]
    assert sheet.max_row == 1 + 57


async def test_what_was_sent_is_changed_or_taken_away_on_wish(office: Office) -> None:
    olga = await office.colleague("Ольга")
    await office.tester()
    await office.subscribers(1)
    number = await office.is_ready(olga)
    await does(olga, number, "start")
    (reader,) = await office.goes_out(number)
    async with office.app.database.transaction() as tx:
        await readers.mark_sent(tx, [(reader.id, "5")], now=office.clock.now())
    busy = await does(olga, number, "rewrite", text="Новый срок: 28 августа")
    assert notice(busy) == texts.STILL_SENDING
    async with office.app.database.transaction() as tx:
        assert await launches.finish(tx, reader.launch_id, now=office.clock.now())
    wrong = await does(olga, number, "rewrite", text="**Новый срок")
    assert notice(wrong) == texts.ODD_BOLD
    assert "**Новый срок</textarea>" in wrong.text
    assert (await does(olga, number, "rewrite", text="Новый срок: 28 августа")).status_code == 303
    assert "Меняется текст" in (await olga.get(address(number))).text
    assert (await does(olga, number, "erase")).status_code == 303
    async with office.app.database.reading() as tx:
        (last,) = await wishes.listed(tx)
    assert last.deed == "delete", "the last wish counts"
    done = replace(last, changed=1)
    async with office.app.database.transaction() as tx:
        assert await wishes.note_done(tx, last, done)
        assert await wishes.finish(tx, done)
    page = (await olga.get(address(number))).text
    assert "Telegram: Удалено: сообщений 1" in page, "its figures stay when nobody is left"
    assert "Удаляется" not in page


async def test_what_501_people_have_read_is_replaced_by_two_people(office: Office) -> None:
    olga, maria = await office.colleague("Ольга"), await office.colleague("Мария")
    account = await office.colleague("Ольга Петрова")
    await office.tester()
    await office.subscribers(501)
    number = await office.is_ready(olga)
    await does(olga, number, "ask")
    assert "Согласовать</button>" not in (await account.get(address(number))).text
    assert notice(await does(account, number, "approve", edition="1")) == texts.CALLED_ALIKE
    await does(maria, number, "approve")
    await does(olga, number, "start")
    told = await office.goes_out(number)
    async with office.app.database.transaction() as tx:
        await readers.mark_sent(tx, [(each.id, "5") for each in told], now=office.clock.now())
        assert await launches.finish(tx, told[0].launch_id, now=office.clock.now())
    # VK counts a smile as two characters.
    long = await does(olga, number, "rewrite", text="🙂" * 2500)
    assert notice(long) == texts.TOO_LONG_TO_REPLACE

    new = "Новый срок: 28 августа"
    page = await olga.get(address(number))
    assert "Сообщений: 501." in page.text, "it is asked for certain first"
    asked = await does(olga, number, "rewrite", text=new)
    own, theirs = (await olga.get(asked.headers["location"])).text, (await maria.get(address(number))).text
    assert "сначала его согласует другой человек" in own
    assert "Новый текст ждёт согласия другого человека" in own
    assert "Согласовать</button>" not in own
    assert "Новый текст ждёт вашего согласия" in theirs
    assert new in theirs
    assert "Согласовать</button>" not in (await account.get(address(number))).text
    mark = re.search(r'name="mark" value="(\d+)"', theirs)
    assert mark is not None
    assert notice(await does(maria, number, "agree", mark="1")) == texts.NO_REWORDING
    assert notice(await does(olga, number, "agree", mark=mark[1])) == texts.OWN_APPROVAL
    assert (await office.campaign(number)).text == TEXT
    assert (await does(maria, number, "agree", mark=mark[1])).status_code == 303
    assert (await office.campaign(number)).text == new
    assert "Меняется текст" in (await maria.get(address(number))).text


# Whose it is


async def test_a_school_writes_to_its_own_channels_and_sees_nothing_else(office: Office) -> None:
    school, other = await office.school(), await office.school("СОШ № 9", "Тахтамукайский район")
    olga = await office.colleague("Ольга")
    teacher = await office.colleague("Первова", role="school", school_id=school)
    municipal = await office.colleague("Кузнецов", role="municipal", municipality="Тахтамукайский район")
    whole = await office.writes(olga, title="Всей республике")
    own = await office.writes(teacher, title="Нашей школе", who="parents", schools=str(other))
    wanted = (await office.campaign(own)).audience
    assert (wanted.who, wanted.school_ids) == ("venues", (school,))
    district = await office.writes(municipal, title="Нашему району")
    assert (await office.campaign(district)).audience.municipalities == ("Тахтамукайский район",)
    for browser, seen, hidden in (
        (teacher, own, (whole, district)),
        (municipal, district, (whole, own)),
    ):
        page = (await browser.get("/panel/campaigns")).text
        assert f'href="{address(seen)}"' in page
        assert (await browser.get(address(seen))).status_code == 200
        for number in hidden:
            assert f'href="{address(number)}"' not in page
            for path in ("", "/edit", "/progress", "/missed", "/missed.xlsx"):
                assert (await browser.get(f"{address(number)}{path}")).status_code == 404
            assert (await browser.post(f"{address(number)}/stop")).status_code == 404
            assert (await browser.get("/panel/campaigns/new", params={"like": number})).status_code == 404
    assert "Всей республике" in (await olga.get("/panel/campaigns")).text
    assert (await office.campaign(whole)).state == "draft"


async def test_what_is_on_its_way_stands_above_the_drafts(office: Office) -> None:
    olga = await office.colleague("Ольга")
    await office.tester()
    await office.subscribers(1)
    going = await office.is_ready(olga, title="Идёт")
    await does(olga, going, "start")
    await office.goes_out(going)
    office.clock.passed += timedelta(minutes=1)
    draft = await office.writes(olga, title="Черновик")
    page = (await olga.get("/panel/campaigns")).text
    assert page.index(f'href="{address(going)}"') < page.index(f'href="{address(draft)}"')


async def test_the_list_has_pages(office: Office) -> None:
    olga = await office.colleague("Ольга")
    for number in range(21):
        await office.writes(olga, title=f"Объявление {number:02}")
    first = (await olga.get("/panel/campaigns")).text
    assert "Объявление 20" in first
    assert "Объявление 00" not in first
    assert "Объявление 00" in (await olga.get("/panel/campaigns", params={"page": 1})).text
    assert "Законченных объявлений пока нет." in (await olga.get("/panel/campaigns?list=over")).text


async def test_readiness_is_told_by_school_and_municipality(office: Office) -> None:
    olga = await office.colleague("Ольга")
    assert "Пока нечего показать" in (await olga.get("/panel/readiness")).text
    school = await office.school("СОШ № 5")
    other = await office.school("СОШ № 9", "Тахтамукайский район")
    async with office.app.database.transaction() as tx:
        now = office.clock.now()
        for number, where in enumerate((school, school, school, other)):
            person = await people.meet(tx, "telegram", str(number), name="", now=now)
            child = await family.add_child(tx, person.id, label="Ребёнок", now=now)
            await family.set_school(tx, person.id, child.id, "школа", school_id=where)
            if number:
                stage: Any = ("no_account", "inside")[number % 2]
                await stages.set_stage(tx, person.id, stage, now=now)
    page = (await olga.get("/panel/readiness")).text
    assert "вошли 33 % (1 из 3); нет учётной записи — 1; не спрошены — 1" in page
    assert 'rect class="inside" width="33%"' in page
    teacher = await office.colleague("Первова", role="school", school_id=school)
    own = (await teacher.get("/panel/readiness")).text
    assert "СОШ № 5" in own
    assert "Тахтамукайский" not in own
