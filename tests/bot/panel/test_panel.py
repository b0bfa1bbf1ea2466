"""The staff's panel, used as its pages are used: by links, forms and cookies."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.channels.web import WebChannel
from bot.links import invitation_links, links_from_settings
from bot.panel import server
from bot.panel.pages import duration
from bot.parts import App
from bot.settings import Settings
from handlers import deliveries
from handlers.knowledge import Knowledge
from handlers.messages import Address, Attachment, Incoming
from handlers.staff import membership as staff
from handlers.texts import basics as texts
from handlers.texts import photos as texts_photos
from handlers.turn import from_plain
from storage import conversations, outbox, schools, tickets
from storage import staff as members
from storage.database import Database, Unavailable
from storage.outbox import Letter

HOME = "http://panel.test"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
PARENT = Address("telegram", "42")
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return NOON + self.passed

    def monotonic(self) -> float:
        return self.passed.total_seconds()

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 - it never ends
        await asyncio.Event().wait()


@dataclass
class Office:
    """A helpdesk with its web pages, a parent on Telegram and browsers of the staff."""

    app: App
    clock: HandClock
    transport: httpx.ASGITransport

    def browser(self, *, origin: str | None = HOME) -> httpx.AsyncClient:
        headers = {"Origin": origin} if origin else {}
        return httpx.AsyncClient(transport=self.transport, base_url=HOME, headers=headers)

    async def invitation(
        self, role: str = "ministry", *, school_id: int | None = None, municipality: str | None = None
    ) -> str:
        async with self.app.database.transaction() as tx:
            invited = await staff.invite(
                tx, role=role, school_id=school_id, municipality=municipality, now=self.app.clock.now()
            )
        return invited.token

    async def school(self, name: str = "СОШ № 5", municipality: str = "Майкоп") -> int:
        async with self.app.database.transaction() as tx:
            return await schools.add(
                tx,
                code=f"s{uuid.uuid4().hex[:6]}",
                name=name,
                municipality=municipality,
                kind="сош",
                aliases=(),
                hours="",
                now=self.app.clock.now(),
            )

    async def colleague(
        self,
        name: str,
        *,
        role: str = "ministry",
        school_id: int | None = None,
        municipality: str | None = None,
    ) -> httpx.AsyncClient:
        browser = self.browser()
        token = await self.invitation(role, school_id=school_id, municipality=municipality)
        joined = await browser.post(f"/panel/join/{token}", data={"name": name})
        assert joined.status_code == 303
        return browser

    async def parent(self, text: str = "", *, button: str | None = None, **more: Any) -> None:
        event = uuid.uuid4().hex
        await self.app.helpdesk.receive(
            Incoming(
                event, PARENT, name="Анна", text=text, button=button, message_id=event, whole=True, **more
            )
        )

    async def question(self, text: str = "Не приходит код", **more: Any) -> int:
        await self.parent(text, **more)
        await self.parent("/human")
        await self.parent("школа 5, Майкоп")
        async with self.app.database.reading() as tx:
            return max(ticket.id for ticket in await tickets.list_open(tx))

    async def checks_photos(self, *, label: str = "") -> None:
        """Press the button of the question about photos: the first one unless told."""
        asked = [from_plain(letter.body) for letter in await self.letters()][-1]
        buttons = {each.label: each.payload for row in asked.buttons for each in row}
        assert texts_photos.BUTTON_DROP in buttons
        await self.parent(button=buttons[label] if label else next(iter(buttons.values())))

    async def letters(self, to: Address = PARENT) -> list[Letter]:
        async with self.app.database.transaction() as tx:
            found: list[Letter] = []
            while more := await outbox.claim(tx, to.channel, now=self.app.clock.now(), limit=50):
                for letter in more:
                    await outbox.mark_sent(tx, letter.id, now=self.app.clock.now())
                found += more
            return [letter for letter in found if letter.chat_id == to.chat_id]

    async def heard(self) -> list[str]:
        return [from_plain(letter.body).text for letter in await self.letters()]


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


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


def key_of(page: httpx.Response) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page.text)
    assert found is not None, page.text
    return found[1]


async def answer(browser: httpx.AsyncClient, number: int, text: str, **more: Any) -> httpx.Response:
    page = await browser.get(f"/panel/questions/{number}")
    form = {"key": key_of(page), "text": text}
    return await browser.post(f"/panel/questions/{number}/answer", data=form, **more)


# Coming in


async def test_a_link_lets_in_once_and_its_preview_spends_nothing(office: Office) -> None:
    token = await office.invitation("school", school_id=await office.school("Школа № 5"))
    browser = office.browser()
    for _ in range(3):
        page = await browser.get(f"/panel/join/{token}")
        assert page.status_code == 200
        assert "Войти как сотрудник" in page.text
        assert "Школа № 5" in page.text
    joined = await browser.post(f"/panel/join/{token}", data={"name": "  Мария\n Петровна "})
    assert (joined.status_code, joined.headers["location"]) == (303, "/panel")
    cookie = joined.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/panel", f"Max-Age={90 * 24 * 3600}"):
        assert part in cookie
    assert "Secure" not in cookie
    listed = await browser.get("/panel")
    assert "Мария Петровна" in listed.text

    other = office.browser()
    for second in (await other.get(f"/panel/join/{token}"), await other.post(f"/panel/join/{token}")):
        assert second.status_code == 400
        assert "Приглашение не подошло" in second.text
        assert "set-cookie" not in second.headers


async def test_a_link_pressed_by_two_at_once_lets_one_in(office: Office) -> None:
    token = await office.invitation()
    both = await asyncio.gather(*(office.browser().post(f"/panel/join/{token}") for _ in range(2)))
    assert sorted(each.status_code for each in both) == [303, 400]


async def test_an_old_link_lets_nobody_in(office: Office) -> None:
    token = await office.invitation()
    office.clock.passed += staff.INVITATION_LIFETIME
    refused = await office.browser().post(f"/panel/join/{token}", data={"name": "Мария"})
    assert refused.status_code == 400
    assert "устарело" in refused.text
    assert (await office.browser().post(f"/panel/join/{'x' * 5000}")).status_code == 400


async def test_the_cookie_travels_only_over_https_when_the_panel_is_there(
    database: Database, knowledge: Knowledge, tmp_path: Path
) -> None:
    clock = HandClock()
    settings = Settings(data_dir=tmp_path, public_url="https://panel.test/")
    app = App(settings, database, knowledge, clock=clock)
    office = Office(app, clock, httpx.ASGITransport(server.build(app)))
    token = await office.invitation()
    # A proxy talks to us by another name: the browser's own word, or the public address, counts.
    for number, headers in enumerate(({"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://panel.test"})):
        browser = office.browser(origin=None)
        joined = await browser.post(f"/panel/join/{token}", headers={"Host": "127.0.0.1:8080", **headers})
        assert joined.status_code == (303, 400)[number]
        assert ("Secure" in joined.headers.get("set-cookie", "")) == (number == 0)


async def test_a_foreign_cookie_opens_nothing(office: Office) -> None:
    number = await office.question()
    await office.colleague("Мария")
    web_visitor = (await office.browser().post("/chat/session")).json()["token"]
    for cookie in ("", "x", web_visitor, "A" * 43, "A" * 10_000):
        browser = office.browser()
        browser.cookies.set("helpdesk_staff", cookie)
        for path in ("/panel", "/panel/staff", f"/panel/questions/{number}", "/panel/files/1", "/panel/list"):
            page = await browser.get(path)
            assert (page.status_code, page.headers.get("location")) == (303, "/panel/sign-in"), path
        for path in (f"/panel/questions/{number}/answer", "/panel/staff/invite", "/panel/staff/1/revoke"):
            page = await browser.post(path, data={"text": "x", "key": "0" * 32, "role": "owner"})
            assert page.status_code == 403, path
            assert "Нужна ссылка-приглашение" in page.text
        poll = await browser.get("/panel/list", headers={"HX-Request": "true"})
        assert (poll.status_code, poll.headers["hx-redirect"]) == (403, "/panel/sign-in")
    assert "Нужна ссылка-приглашение" in (await office.browser().get("/panel/sign-in")).text


async def test_who_leaves_or_is_revoked_sees_nothing_more(office: Office) -> None:
    owner = await office.colleague("Ольга", role="owner")
    maria = await office.colleague("Мария")
    assert (await maria.get("/panel")).status_code == 200
    assert (await owner.post("/panel/staff/2/revoke")).status_code == 303
    assert (await maria.get("/panel")).headers["location"] == "/panel/sign-in"
    left = await owner.post("/panel/sign-out")
    assert left.status_code == 303
    assert (await owner.get("/panel")).headers["location"] == "/panel/sign-in"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://panel.test.evil.test"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HOME},
        {"Sec-Fetch-Site": "same-site", "Origin": HOME},
        {"Referer": HOME},
    ],
)
async def test_a_form_from_another_site_does_nothing(office: Office, headers: dict[str, str]) -> None:
    number = await office.question()
    signed_in = await office.colleague("Мария", role="owner")
    token = await office.invitation()
    key = key_of(await signed_in.get(f"/panel/questions/{number}"))
    browser = office.browser(origin=None)
    browser.cookies.set("helpdesk_staff", signed_in.cookies["helpdesk_staff"])
    for path in (
        f"/panel/questions/{number}/answer",
        f"/panel/questions/{number}/close",
        f"/panel/questions/{number}/send",
        "/panel/staff/invite",
        "/panel/staff/1/revoke",
        "/panel/sign-out",
        f"/panel/join/{token}",
    ):
        refused = await browser.post(path, data={"key": key, "text": "x", "role": "owner"}, headers=headers)
        assert refused.status_code == 403, path
    async with office.app.database.reading() as tx:
        ticket = await tickets.find(tx, number)
    assert ticket is not None
    assert ticket.state == "waiting"


# Looking


async def test_the_list_shows_who_waits_and_how_long(office: Office) -> None:
    maria = await office.colleague("Мария")
    assert "<title>Вопросы</title>" in (await maria.get("/panel")).text
    await office.parent("Здравствуйте")
    number = await office.question("Не приходит код на телефон")
    office.clock.passed += timedelta(hours=2, minutes=15)
    page = await maria.get("/panel")
    assert "<title>(1) Вопросы</title>" in page.text
    for words in (f"№ {number}", "школа 5, Майкоп", "Не приходит код", "ждёт 2 ч 15 мин", "Telegram"):
        assert words in page.text
    assert "Здравствуйте" not in page.text

    await answer(maria, number, "Проверьте номер")
    page = await maria.get("/panel")
    assert "<title>Вопросы</title>" in page.text
    assert "отвечаете вы" in page.text
    assert "новое сообщение" not in page.text
    await office.parent("всё равно не приходит")
    office.clock.passed += timedelta(minutes=7)
    assert "новое сообщение, ждёт 7 мин" in (await maria.get("/panel")).text


async def test_an_open_page_is_told_only_what_has_changed(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    for page, news in (("/panel", "/panel/list"), ("/panel/questions/1", "/panel/questions/1/thread")):
        seen = re.search(r'name="seen" value="(\w+)"', (await maria.get(page)).text)
        assert seen is not None
        assert (await maria.get(news, params={"seen": seen[1]})).status_code == 204
        await office.parent("и ещё вот что")
        if "thread" in news:
            fresh = await maria.get(news, params={"seen": seen[1]})
            assert f"<title>Вопрос № {number}</title>" in fresh.text
            assert "и ещё вот что" in fresh.text
            assert "<textarea" not in fresh.text


async def test_the_thread_shows_everything_in_the_regions_time(office: Office) -> None:
    maria = await office.colleague("Мария")
    await office.parent("Забыл пароль от Госуслуг, что делать?")
    number = await office.question("Не помогло, всё равно не пускает")
    event = uuid.uuid4().hex
    await office.app.helpdesk.receive(Incoming(event, PARENT, text="опечтка", message_id="m1"))
    await office.app.helpdesk.receive(
        Incoming(uuid.uuid4().hex, PARENT, text="опечатка", message_id="m1", edited=True)
    )
    page = (await maria.get(f"/panel/questions/{number}")).text
    for words in (
        "2 ноября, 15:00",
        "изменено",
        "опечатка",
        "школа 5, Майкоп",
        "Анна",
        "Бот показал",
        "Бот:",
    ):
        assert words in page
    assert texts.REASONS["asked"] in page
    # What was edited stays to be looked up.
    assert page.index("опечатка") < page.index("Что было до изменения") < page.index("опечтка")


async def test_what_people_typed_is_text_and_nothing_else(office: Office) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> **жирно** [x](javascript:alert(3))"
    browser = office.browser()
    await browser.post(f"/panel/join/{await office.invitation('owner')}", data={"name": evil})
    await office.parent(evil)
    await office.parent("/human")
    await office.parent(evil)
    await answer(browser, 1, evil)
    for path in ("/panel", "/panel/questions/1", "/panel/staff", "/panel/list"):
        page = await browser.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert 'href="javascript' not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-robots-tag"].startswith("noindex")
        assert page.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?! src=)|<style|<[a-z][^<>]*\s(style|on\w+)=", page.text)


@pytest.mark.parametrize("path", ["999", "0", "abc", "1" * 40, "-1", "%D9%A1"])
async def test_a_question_that_does_not_exist_is_told_so(office: Office, path: str) -> None:
    maria = await office.colleague("Мария")
    page = await maria.get(f"/panel/questions/{path}")
    assert page.status_code == 404
    assert texts.TICKET_UNKNOWN in page.text
    assert (await maria.post(f"/panel/questions/{path}/answer", data={"text": "x"})).status_code == 404
    assert (await maria.get("/panel/files/999")).status_code == 404
    assert (await maria.get("/panel/nothing/here")).status_code == 404


# Answering


async def test_an_answer_reaches_the_parent_once(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    await office.letters()
    form = {"key": key_of(await maria.get(f"/panel/questions/{number}")), "text": "Проверьте *номер*"}
    path = f"/panel/questions/{number}/answer"
    both = await asyncio.gather(maria.post(path, data=form), maria.post(path, data=form))
    assert [each.status_code for each in both] == [303, 303]
    assert both[0].headers["location"] == both[1].headers["location"]
    assert both[0].headers["location"].startswith(f"/panel/questions/{number}#m")
    (heard,) = await office.heard()
    assert f"на вопрос № {number}" in heard
    assert "Проверьте" in heard
    assert (await maria.get(f"/panel/questions/{number}")).text.count("Проверьте *номер*") == 1

    # «Назад» in the browser brings the old form back; other words in it are another answer.
    await maria.post(path, data={**form, "text": "И перезагрузите телефон"})
    (second,) = await office.heard()
    assert "перезагрузите" in second


async def test_the_second_answer_is_held_back_and_can_be_sent_anyway(office: Office) -> None:
    maria, olga = await office.colleague("Мария"), await office.colleague("Ольга")
    number = await office.question()
    await answer(maria, number, "Первый ответ")
    await office.letters()
    await answer(olga, number, "Второй ответ")
    assert await office.heard() == []
    page = await olga.get(f"/panel/questions/{number}")
    assert "не отправлено: уже отвечает Мария" in page.text
    assert "Отправить от себя" in page.text
    seen_by_maria = (await maria.get(f"/panel/questions/{number}")).text
    assert "Отправить от себя" not in seen_by_maria

    form = re.search(
        r'name="key" value="(\w{32})">\s*<input type="hidden" name="message" value="(\d+)"', page.text
    )
    assert form is not None
    data = {"key": form[1], "message": form[2]}
    assert (await maria.post(f"/panel/questions/{number}/send", data=data)).status_code == 404
    for _ in range(2):
        assert (await olga.post(f"/panel/questions/{number}/send", data=data)).status_code == 303
    (heard,) = await office.heard()
    assert "Второй ответ" in heard
    assert "не отправлено" not in (await olga.get(f"/panel/questions/{number}")).text


async def test_a_closed_question_takes_no_answer_and_loses_none(office: Office) -> None:
    maria, olga = await office.colleague("Мария"), await office.colleague("Ольга")
    number = await office.question()
    page = await maria.get(f"/panel/questions/{number}")
    late = {"key": key_of(await olga.get(f"/panel/questions/{number}")), "text": "Я печатала долго"}
    await office.letters()
    for _ in range(2):
        closed = await maria.post(f"/panel/questions/{number}/close", data={"key": key_of(page)})
        assert closed.status_code == 303
    (heard,) = await office.heard()
    assert "закрыт" in heard
    page = await maria.get(f"/panel/questions/{number}")
    assert "<textarea" not in page.text
    assert "Вопрос закрыт" in page.text
    refused = await olga.post(f"/panel/questions/{number}/answer", data=late)
    assert refused.status_code == 409
    assert "Я печатала долго</textarea>" in refused.text
    assert texts.too_late(number) in refused.text
    assert await office.heard() == []
    assert "без ответа" in (await maria.get("/panel", params={"list": "closed"})).text


class BrokenDesk:
    """Takes an event and keeps nothing, or says that it could not."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def receive(self, incoming: Incoming) -> None:  # noqa: ARG002 - lost
        if self._error is not None:
            raise self._error


async def test_an_answer_that_cannot_be_taken_stays_in_the_form(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    empty = await answer(maria, number, "   ")
    assert empty.status_code == 400
    assert texts.EMPTY_ANSWER in empty.text
    long = await answer(maria, number, "я" * 4001)
    assert long.status_code == 413
    assert "я" * 4001 in long.text
    six = await answer(maria, number, "шесть", files=[("files", ("a.txt", b"a"))] * 6)
    assert six.status_code == 413
    assert "не больше 5 файлов" in six.text
    huge = await maria.post(
        f"/panel/questions/{number}/answer",
        content=b"x",
        headers={"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(10**9)},
    )
    assert huge.status_code == 413


@pytest.mark.parametrize(("error", "status"), [(Unavailable("disk full"), 503), (None, 500)])
async def test_an_answer_that_was_not_kept_is_given_back(
    office: Office, error: Exception | None, status: int
) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    office.app.helpdesk = BrokenDesk(error)  # type: ignore[assignment]
    unsaved = await answer(maria, number, "Длинный ответ")
    assert unsaved.status_code == status
    assert "Длинный ответ</textarea>" in unsaved.text


async def test_what_did_not_arrive_is_marked(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    await office.letters()
    await answer(maria, number, "Проверьте номер")
    (letter,) = await office.letters()
    async with office.app.database.transaction() as tx:
        await deliveries.report_failure(tx, letter, reason="blocked", detail="", now=office.clock.now())
    page = await maria.get(f"/panel/questions/{number}")
    assert f"не доставлено: {texts.UNDELIVERED['blocked']}" in page.text


# Files


async def test_files_go_both_ways_and_stay_inside(office: Office) -> None:
    maria = await office.colleague("Мария")
    page = Attachment("file", 'счёт"<b>.html', "text/html", "web", await office.app.files.keep(b"<b>hi</b>"))
    lost = Attachment("photo", "p.jpg", "image/jpeg", "telegram", "AgAC-far-away")
    number = await office.question(attachments=(page, lost))
    await office.checks_photos()
    await office.letters()
    sent = await answer(maria, number, "", files=[("files", ("../снимок.png", PNG, "text/html"))])
    assert sent.status_code == 303
    (letter,) = await office.letters()
    (attachment,) = from_plain(letter.body).attachments
    assert (attachment.kind, attachment.name, attachment.mime) == ("photo", "снимок.png", "image/png")

    thread = (await maria.get(f"/panel/questions/{number}")).text
    numbers = list(dict.fromkeys(re.findall(r'href="/panel/files/(\d+)"', thread)))
    assert len(numbers) == 3
    html = await maria.get(f"/panel/files/{numbers[0]}")
    assert html.content == b"<b>hi</b>"
    assert html.headers["content-type"] == "application/octet-stream"
    assert html.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in html.headers["content-security-policy"]
    assert html.headers["x-content-type-options"] == "nosniff"
    gone = await maria.get(f"/panel/files/{numbers[1]}")
    assert gone.status_code == 404
    assert "получить не удалось" in gone.text
    image = await maria.get(f"/panel/files/{numbers[2]}")
    assert (image.content, image.headers["content-type"]) == (PNG, "image/png")
    assert image.headers["content-disposition"].startswith("inline;")


async def test_a_photo_is_not_shown_before_the_parent_has_checked_it(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    photo = Attachment("photo", "экран.png", "image/png", "web", await office.app.files.keep(PNG))
    await office.parent("вот экран", attachments=(photo,))
    thread = (await maria.get(f"/panel/questions/{number}")).text
    assert "вот экран" in thread
    assert "снимок ждёт подтверждения родителя" in thread
    assert "/panel/files/" not in thread
    assert "экран.png" not in thread
    assert (await maria.get("/panel/files/1")).status_code == 404
    await office.checks_photos()
    thread = (await maria.get(f"/panel/questions/{number}")).text
    assert "ждёт подтверждения" not in thread
    assert (await maria.get("/panel/files/1")).content == PNG


async def test_a_photo_that_is_not_sent_after_all_leaves_a_line(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question()
    photo = Attachment("photo", "экран.png", "image/png", "web", await office.app.files.keep(PNG))
    await office.parent(attachments=(photo,))
    await office.checks_photos(label=texts_photos.BUTTON_DROP)
    thread = (await maria.get(f"/panel/questions/{number}")).text
    assert "родитель решил это не отправлять" in thread
    assert (await maria.get("/panel/files/1")).status_code == 404


async def test_a_file_outside_every_question_is_shown_to_nobody(office: Office) -> None:
    maria = await office.colleague("Мария")
    ref = await office.app.files.keep(b"private")
    await office.parent("посмотрите", attachments=(Attachment("file", "a.txt", "text/plain", "web", ref),))
    async with office.app.database.reading() as tx:
        assert await conversations.attachment(tx, 1) is not None
    assert (await maria.get("/panel/files/1")).status_code == 404


# The staff


async def test_everybody_sees_and_lets_go_only_those_of_their_own_places(office: Office) -> None:
    school, near, far = (
        await office.school("СОШ № 1"),
        await office.school("СОШ № 2"),
        await office.school("СОШ № 3", "Тахтамукайский район"),
    )
    owner = await office.colleague("Ольга", role="owner")
    ministry = await office.colleague("Минаева", role="ministry")
    coordinator = await office.colleague("Корнева", role="municipal", municipality="Майкоп")
    teacher = await office.colleague("Первова", role="school", school_id=school)
    await office.colleague("Вторая", role="school", school_id=near)
    await office.colleague("Третья", role="school", school_id=far)
    seen = {
        teacher: {"Первова"},
        coordinator: {"Корнева", "Первова", "Вторая"},
        ministry: {"Минаева", "Корнева", "Первова", "Вторая", "Третья"},
        owner: {"Ольга", "Минаева", "Корнева", "Первова", "Вторая", "Третья"},
    }
    for browser, names in seen.items():
        page = (await browser.get("/panel/staff")).text
        assert {name for name in seen[owner] if f"<b>{name}</b>" in page} == names
    for browser, number in ((teacher, 5), (teacher, 4), (coordinator, 6), (coordinator, 3), (ministry, 1)):
        assert (await browser.post(f"/panel/staff/{number}/revoke")).status_code == 403
    # Nobody removes themselves by mistake.
    assert (await owner.post("/panel/staff/1/revoke")).status_code == 403
    assert (await owner.post("/panel/staff/99/revoke")).status_code == 403
    for _ in range(2):
        assert (await coordinator.post("/panel/staff/4/revoke")).status_code == 303
    assert (await teacher.get("/panel/staff")).headers["location"] == "/panel/sign-in"
    assert (await owner.post("/panel/staff/2/revoke")).status_code == 303
    assert (await ministry.get("/panel/staff")).headers["location"] == "/panel/sign-in"


async def test_who_works_in_two_schools_leaves_only_the_one_they_were_let_go_from(office: Office) -> None:
    here, there = await office.school("СОШ № 1"), await office.school("СОШ № 2", "Тахтамукайский район")
    coordinator = await office.colleague("Корнева", role="municipal", municipality="Майкоп")
    both = await office.colleague("Первова", role="school", school_id=here)
    token = await office.invitation("school", school_id=there)
    async with office.app.database.transaction() as tx:
        invitation = await staff.find_invitation(tx, token, now=office.clock.now())
        member = await members.find(tx, 2)
        assert invitation is not None
        assert member is not None
        await members.join(
            tx, member.person_id, invitation=invitation, name=member.name, now=office.clock.now()
        )
    assert (await coordinator.post("/panel/staff/2/revoke")).status_code == 303
    page = (await both.get("/panel/schools")).text
    assert "СОШ № 2" in page
    assert "СОШ № 1" not in page


async def test_an_invitation_is_shown_once_and_works(office: Office) -> None:
    school = await office.school("Школа № 5")
    owner = await office.colleague("Ольга", role="owner")
    made = await owner.post("/panel/staff/invite", data={"role": "school", "school": str(school)})
    link = re.search(rf"{HOME}(/panel/join/[\w-]+)", made.text)
    assert link is not None
    assert link[1] not in (await owner.get("/panel/staff")).text
    page = await office.browser().get(link[1])
    assert "Школа № 5" in page.text
    assert (await office.browser().post(link[1])).status_code == 303


async def test_an_invitation_can_be_taken_back(office: Office) -> None:
    owner = await office.colleague("Ольга", role="owner")
    made = await owner.post("/panel/staff/invite", data={"role": "ministry"})
    link = re.search(rf"{HOME}(/panel/join/[\w-]+)", made.text)
    assert link is not None
    assert "Приглашение 2" in (await owner.get("/panel/staff")).text
    assert (await owner.post("/panel/invitations/2/revoke")).status_code == 303
    assert (await owner.post("/panel/invitations/2/revoke")).status_code == 403
    assert "Приглашение 2" not in (await owner.get("/panel/staff")).text
    assert (await office.browser().post(link[1])).status_code == 400


async def test_people_are_invited_only_to_places_of_ones_own(office: Office) -> None:
    mine, foreign = await office.school("СОШ № 1"), await office.school("СОШ № 3", "Тахтамукайский район")
    teacher = await office.colleague("Первова", role="school", school_id=mine)
    coordinator = await office.colleague("Корнева", role="municipal", municipality="Майкоп")
    ministry = await office.colleague("Минаева")
    for browser, form in (
        (teacher, {"role": "school", "school": str(foreign)}),
        (teacher, {"role": "school"}),
        (teacher, {"role": "municipal", "municipality": "Майкоп"}),
        (coordinator, {"role": "school", "school": str(foreign)}),
        (coordinator, {"role": "municipal", "municipality": "Тахтамукайский район"}),
        (coordinator, {"role": "ministry"}),
        (ministry, {"role": "owner"}),
        (ministry, {"role": "tsar"}),
        (ministry, {"role": "municipal", "municipality": "Нигде"}),
    ):
        assert (await browser.post("/panel/staff/invite", data=form)).status_code == 403, form
    for browser, form in (
        (teacher, {"role": "school", "school": str(mine)}),
        (coordinator, {"role": "municipal", "municipality": "Майкоп"}),
        (ministry, {"role": "school", "school": str(foreign)}),
    ):
        assert "Приглашение готово" in (await browser.post("/panel/staff/invite", data=form)).text, form


async def test_links_name_every_place_that_is_configured(office: Office) -> None:
    (web,) = invitation_links(office.app, "T")
    assert web == ("Панель в браузере", f"{HOME}/panel/join/T")
    settings = Settings(public_url="https://help.test/", vk_token="x", vk_group_id=7)  # type: ignore[arg-type]
    assert [link for _, link in await links_from_settings(settings, "T")] == [
        "https://help.test/panel/join/T",
        "https://vk.me/club7?ref=join-T",
        "/start join-T",
    ]
    office.app.settings = settings
    assert ("Telegram", "https://t.me/helper_bot?start=join-T") in invitation_links(
        office.app, "T", telegram_name="helper_bot"
    )


async def test_an_invitation_typed_into_a_messenger_works(office: Office) -> None:
    await office.parent(f"/start join-{await office.invitation()}")
    assert any("вы в команде" in text for text in await office.heard())


# Small things


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "меньше минуты"),
        (timedelta(seconds=59), "меньше минуты"),
        (timedelta(minutes=15), "15 мин"),
        (timedelta(hours=2, minutes=15), "2 ч 15 мин"),
        (timedelta(hours=3), "3 ч"),
        (timedelta(days=3, hours=4, minutes=5), "3 дн 4 ч"),
        (timedelta(days=1), "1 дн"),
    ],
)
def test_waiting_is_told_in_two_words(passed: timedelta, words: str) -> None:
    assert duration(passed) == words


async def test_static_files_are_served_to_everybody(office: Office) -> None:
    page = (await office.browser().get("/panel/sign-in")).text
    css = re.search(r"/panel/static/panel\.css\?v=\w+", page)
    assert css is not None
    asset = await office.browser().get(css[0])
    assert asset.headers["content-type"].startswith("text/css")
    assert "immutable" in asset.headers["cache-control"]
    for name in ("htmx.min.js", "htmx.LICENSE.txt", "idiomorph-ext.min.js", "panel.js", "icon.svg"):
        assert (await office.browser().get(f"/panel/static/{name}")).status_code == 200
    for name in ("..%2fserver.py", "base.html", "%2e%2e/server.py"):
        assert (await office.browser().get(f"/panel/static/{name}")).status_code == 404
