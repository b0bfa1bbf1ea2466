"""The chat page and the widget in a real browser, as a parent meets them."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.async_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    Route,
    async_playwright,
    expect,
)

from bot.channels.files import Files
from bot.channels.web import WebChannel
from bot.clock import SystemClock
from faq.markup import escape
from handlers import privacy
from handlers.messages import Address, Button, Incoming, Outgoing
from storage import conversations, people
from storage.database import Database, Unavailable

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
GREETING = "Здравствуйте! Чем помочь?"
SNILS = "112-233-445 95"
ROWS = ((Button("Не приходит код", "code"), Button("Забыт пароль", "password")),)


class Desk:
    """Remembers what people say and echoes it; can fail, be silent or say anything else."""

    def __init__(self, database: Database, channel: WebChannel) -> None:
        self.taken: list[Incoming] = []
        self.offered: list[str] = []
        self.failures: list[Exception] = []
        self.silent = False
        self.forgetful = False
        self.address = Address("web", "")
        self._database = database
        self._channel = channel
        self._keys = count()
        self._clock = SystemClock()

    async def receive(self, incoming: Incoming) -> None:
        self.offered.append(incoming.event_id)
        if self.failures:
            raise self.failures.pop(0)
        if incoming.event_id in {taken.event_id for taken in self.taken}:
            return
        self.taken.append(incoming)
        self.address = incoming.sender
        masked = privacy.mask(incoming.text)
        incoming = replace(incoming, text=masked.text)
        if incoming.started is None and not self.forgetful:
            await self._remember(incoming)
        if masked.hidden:
            await self._send(Outgoing(self.address, "", delete=incoming.message_id))
        if not self.silent:
            words = escape(incoming.text) or "файл"
            answer = GREETING if incoming.started is not None else f"Ответ: **{words}**"
            await self.say(answer, buttons=ROWS, reply_to=incoming.message_id)

    async def say(
        self, text: str, *, buttons: tuple[tuple[Button, ...], ...] = (), reply_to: str | None = None
    ) -> None:
        await self._send(Outgoing(self.address, text, buttons, reply_to=reply_to))

    async def _send(self, message: Outgoing) -> None:
        for piece in self._channel.compose(message, []):
            await self._channel.send(self.address, piece, key=str(next(self._keys)))

    async def _remember(self, incoming: Incoming) -> None:
        now = self._clock.now()
        kept = [
            conversations.StoredAttachment(0, file.kind, file.name, file.mime, file.size, "web", file.ref)
            for file in incoming.attachments
        ]
        async with self._database.transaction() as tx:
            person = await people.meet(tx, "web", incoming.sender.chat_id, name="", now=now)
            talk = await conversations.of_person(tx, person.id, now=now)
            await conversations.add_message(
                tx,
                talk.id,
                author="person",
                text=incoming.text,
                now=now,
                external_id=incoming.message_id,
                files=kept,
            )


class Helpdesk:
    """A running server and its address."""

    def __init__(self, url: str, desk: Desk) -> None:
        self.url = url
        self.desk = desk


@asynccontextmanager
async def serving(
    app: FastAPI, *, stopping: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    if stopping:
        await stopping()
    server.should_exit = True
    await task
    listener.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    if not shutil.which(CHROMIUM):
        pytest.fail(f"нет браузера {CHROMIUM}: apt-get update && apt-get install -y chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; every test gets a copy."""
    path = tmp_path_factory.mktemp("database") / "new.db"
    database = Database(f"sqlite:///{path}")
    await database.migrate()
    await database.close()
    return path


@pytest_asyncio.fixture(loop_scope="module")
async def helpdesk(tmp_path: Path, new_database: Path) -> AsyncIterator[Helpdesk]:
    shutil.copy(new_database, tmp_path / "web.db")
    database = Database(f"sqlite:///{tmp_path}/web.db")
    channel = WebChannel(
        database, Files(tmp_path / "files"), clock=SystemClock(), region_name="Республика Адыгея"
    )
    desk = Desk(database, channel)
    app = FastAPI()
    app.include_router(channel.routes(desk.receive))
    async with serving(app, stopping=channel.close) as url:
        yield Helpdesk(url, desk)
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="ru-RU")
    context.set_default_timeout(8000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(context: BrowserContext, helpdesk: Helpdesk) -> AsyncIterator[Page]:
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    # A refused content policy is told on the console; refused requests are part of the tests.
    page.on("console", lambda line: broken.append(line.text) if "Security Policy" in line.text else None)
    await page.goto(f"{helpdesk.url}/chat")
    await expect(log_of(page)).to_contain_text(GREETING)
    yield page
    assert broken == []


def log_of(page: Page) -> Locator:
    return page.get_by_role("log", name="Переписка")


def box_of(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Ваш вопрос")


async def send(page: Page, text: str) -> None:
    await box_of(page).fill(text)
    await box_of(page).press("Enter")


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


SCREENSHOT = FilePayload(name="экран.png", mimeType="image/png", buffer=png(60, 40))


async def test_a_first_visit_is_greeted_once(page: Page, helpdesk: Helpdesk) -> None:
    assert [event.started for event in helpdesk.desk.taken] == [""]
    await page.reload()
    await expect(log_of(page)).to_contain_text(GREETING)
    assert len(helpdesk.desk.taken) == 1


async def test_a_deep_link_is_followed_once(page: Page, helpdesk: Helpdesk) -> None:
    await page.goto(f"{helpdesk.url}/chat?start=school_12")
    await expect(log_of(page).get_by_text(GREETING)).to_have_count(2)
    assert helpdesk.desk.taken[-1].started == "school_12"
    await expect(page).to_have_url(f"{helpdesk.url}/chat")
    await page.reload()
    await expect(log_of(page).get_by_text(GREETING)).to_have_count(2)
    assert len(helpdesk.desk.taken) == 2


async def test_a_school_on_a_poster_is_chosen_in_the_middle_of_a_talk(page: Page, helpdesk: Helpdesk) -> None:
    await send(page, "Не приходит код")
    await expect(log_of(page)).to_contain_text("Ответ: Не приходит код")
    await page.goto(f"{helpdesk.url}/chat?school=k7m2p")
    await expect(log_of(page).get_by_text(GREETING)).to_have_count(2)
    assert helpdesk.desk.taken[-1].started == "school-k7m2p"
    await expect(log_of(page)).to_contain_text("Ответ: Не приходит код")
    await expect(page).to_have_url(f"{helpdesk.url}/chat")
    await page.reload()
    await expect(log_of(page).get_by_text(GREETING)).to_have_count(2)
    assert len(helpdesk.desk.taken) == 3


async def test_a_first_visit_by_a_poster_is_one_start(context: BrowserContext, helpdesk: Helpdesk) -> None:
    page = await context.new_page()
    await page.goto(f"{helpdesk.url}/chat?embed=1&school=k7m2p")
    await expect(log_of(page)).to_contain_text(GREETING)
    assert [event.started for event in helpdesk.desk.taken] == ["school-k7m2p"]
    await expect(page).to_have_url(f"{helpdesk.url}/chat?embed=1")


@pytest.mark.parametrize("school", ["", "нет такой", "x" * 58])
async def test_a_misspelt_school_is_only_a_visit(page: Page, helpdesk: Helpdesk, school: str) -> None:
    await page.goto(f"{helpdesk.url}/chat?school={school}")
    await send(page, "Не приходит код")
    await expect(log_of(page)).to_contain_text("Ответ: Не приходит код")
    assert [event.started for event in helpdesk.desk.taken] == ["", None]


async def test_a_question_by_keyboard_alone(page: Page, helpdesk: Helpdesk) -> None:
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="К полю ввода")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(box_of(page)).to_be_focused()
    await page.keyboard.type("Не приходит код")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("от Госуслуг")
    await page.keyboard.press("Enter")
    await expect(log_of(page).get_by_role("article").last).to_contain_text("Ответ: Не приходит код")
    await expect(log_of(page).locator("strong").first).to_have_text("Не приходит код")
    assert helpdesk.desk.taken[-1].text == "Не приходит код\nот Госуслуг"
    await expect(box_of(page)).to_be_focused()
    await expect(box_of(page)).to_have_value("")
    await expect(log_of(page)).to_have_attribute("aria-live", "polite")
    await expect(log_of(page)).to_have_attribute("aria-busy", "false")


async def test_buttons_by_keyboard_also_the_older_ones(page: Page, helpdesk: Helpdesk) -> None:
    await box_of(page).focus()
    choice = log_of(page).get_by_role("button", name="Не приходит код")
    for _ in range(5):
        await page.keyboard.press("Shift+Tab")
        if await choice.evaluate("button => button === document.activeElement"):
            break
    await expect(choice).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(log_of(page)).to_contain_text("Ответ: Не приходит код")
    await expect(choice.first).to_be_focused()
    pressed = helpdesk.desk.taken[-1]
    assert (pressed.button, pressed.message_id) == ("code", "1")
    older = log_of(page).get_by_role("button", name="Забыт пароль").first
    assert "older" in (await older.locator("xpath=ancestor::article").get_attribute("class") or "")
    await older.focus()
    await page.keyboard.press("Space")
    await expect(log_of(page)).to_contain_text("Ответ: Забыт пароль")
    assert helpdesk.desk.taken[-1].button == "password"


async def test_a_reload_keeps_the_conversation(page: Page) -> None:
    for text in ("Первый вопрос", "Второй вопрос"):
        await send(page, text)
        await expect(log_of(page)).to_contain_text(f"Ответ: {text}")
    said = await log_of(page).locator(".bubble").all_text_contents()
    assert len(said) == 5
    await page.reload()
    await expect(log_of(page).get_by_role("button", name="Забыт пароль")).to_have_count(3)
    assert await log_of(page).locator(".bubble").all_text_contents() == said
    await log_of(page).get_by_role("button", name="Забыт пароль").last.click()
    await expect(log_of(page)).to_contain_text("Ответ: Забыт пароль")


async def test_what_was_hidden_is_replaced_on_the_screen_and_in_the_browser(
    page: Page, helpdesk: Helpdesk
) -> None:
    helpdesk.desk.silent = True
    await page.locator("#files").set_input_files([SCREENSHOT])
    await send(page, f"не подходит снилс {SNILS}\nчто делать?")
    own = log_of(page).locator(".own")
    await expect(own).to_contain_text("[СНИЛС скрыт]")
    await expect(own).to_contain_text("что делать?")
    await expect(own.get_by_role("img")).to_have_count(1)
    assert SNILS not in await left_in(page)
    said = await own.locator(".bubble").all_text_contents()
    await page.reload()
    await expect(own).to_contain_text("[СНИЛС скрыт]")
    assert await own.locator(".bubble").all_text_contents() == said


async def test_what_was_hidden_and_not_kept_goes_from_the_screen(page: Page, helpdesk: Helpdesk) -> None:
    helpdesk.desk.silent = helpdesk.desk.forgetful = True
    await send(page, f"/start снилс {SNILS}")
    await expect(log_of(page).locator(".own")).to_have_count(0)
    assert SNILS not in await left_in(page)


async def test_what_was_hidden_is_not_kept_by_the_browser_when_the_receipt_is_lost(
    page: Page, helpdesk: Helpdesk
) -> None:
    helpdesk.desk.silent = True
    await page.route("**/chat/messages", _deliver_and_drop)
    await send(page, f"снилс {SNILS}")
    await expect(log_of(page).locator(".own")).to_contain_text("[СНИЛС скрыт]")
    assert SNILS not in await left_in(page)
    await page.unroute("**/chat/messages")
    await page.reload()
    await expect(log_of(page).locator(".own")).to_have_text(re.compile("СНИЛС скрыт"))
    assert len(set(helpdesk.desk.offered)) == 2


async def left_in(page: Page) -> str:
    """Everything that the page shows and the browser keeps."""
    left: str = await page.evaluate(
        "document.documentElement.outerHTML + JSON.stringify({...localStorage, ...sessionStorage})"
    )
    return left


async def _deliver_and_drop(route: Route) -> None:
    await route.fetch()
    await route.abort()


async def test_what_was_not_taken_is_offered_again_with_the_same_number(
    page: Page, helpdesk: Helpdesk
) -> None:
    helpdesk.desk.failures += [Unavailable("locked"), Unavailable("locked")]
    await send(page, "Важный вопрос")
    await expect(log_of(page)).to_contain_text("Не отправлено.")
    await page.get_by_role("button", name="Повторить").click()
    await expect(log_of(page)).to_contain_text("Ответ: Важный вопрос")
    await expect(page.get_by_role("button", name="Повторить")).to_have_count(0)
    await expect(log_of(page)).not_to_contain_text("Не отправлено.")
    assert len(helpdesk.desk.offered) == 4
    assert len(set(helpdesk.desk.offered[1:])) == 1
    await expect(log_of(page).get_by_text("Важный вопрос", exact=True)).to_have_count(2)


async def test_what_was_not_sent_survives_a_reload_and_a_lost_connection(
    page: Page, context: BrowserContext, helpdesk: Helpdesk
) -> None:
    await context.set_offline(True)
    await expect(page.get_by_text("Нет связи.")).to_be_visible()
    await send(page, "Вопрос из лифта")
    await expect(log_of(page)).to_contain_text("Не отправлено.")
    await context.set_offline(False)
    await expect(log_of(page)).to_contain_text("Ответ: Вопрос из лифта")
    await expect(page.get_by_text("Нет связи.")).to_be_hidden()

    helpdesk.desk.failures.append(Unavailable("locked"))
    await send(page, "Вопрос перед обновлением")
    await expect(log_of(page)).to_contain_text("Не отправлено.")
    await page.reload()
    await expect(log_of(page)).to_contain_text("Ответ: Вопрос перед обновлением")


async def test_what_makes_no_sense_is_not_tried_for_ever(page: Page, helpdesk: Helpdesk) -> None:
    await page.route(
        "**/chat/messages", lambda route: route.fulfill(status=413, json={"error": "Слишком длинно."})
    )
    await send(page, "Длинное")
    await expect(log_of(page)).to_contain_text("Не отправлено. Слишком длинно.")
    await page.unroute("**/chat/messages")
    await send(page, "Короткое")
    await expect(log_of(page)).to_contain_text("Ответ: Короткое")
    assert [event.text for event in helpdesk.desk.taken[1:]] == ["Короткое"]


async def test_typing_shows_until_the_answer_comes(page: Page, helpdesk: Helpdesk) -> None:
    typing = page.get_by_text("Помощник печатает…")
    await expect(typing).to_be_hidden()
    helpdesk.desk.silent = True
    await send(page, "Кто-нибудь есть?")
    await expect(typing).to_be_visible()
    await helpdesk.desk.say("Есть!")
    await expect(log_of(page)).to_contain_text("Есть!")
    await expect(typing).to_be_hidden()


async def test_files_are_chosen_dropped_and_sent(page: Page, helpdesk: Helpdesk) -> None:
    document = FilePayload(name="справка.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4")
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Прикрепить файл").click()
    await (await chooser.value).set_files([SCREENSHOT, document])
    chosen = page.get_by_role("list", name="Выбранные файлы")
    await expect(chosen.get_by_role("listitem")).to_have_count(2)
    await page.get_by_role("button", name="Убрать файл справка.pdf").press("Enter")
    await expect(chosen.get_by_role("listitem")).to_have_count(1)
    await page.get_by_role("button", name="Отправить").click()
    await expect(log_of(page)).to_contain_text("Ответ: файл")
    await expect(chosen).to_be_hidden()
    (sent,) = helpdesk.desk.taken[-1].attachments
    assert (sent.kind, sent.name) == ("photo", "экран.png")

    await page.reload()
    picture = log_of(page).get_by_role("img", name="экран.png")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 60
    opens = log_of(page).locator("a.thumb")
    assert await opens.get_attribute("target") == "_blank"
    assert "noopener" in (await opens.get_attribute("rel") or "")


async def test_too_many_files_are_refused_before_they_travel(page: Page, helpdesk: Helpdesk) -> None:
    await page.locator("#files").set_input_files([SCREENSHOT] * 6)
    await expect(page.get_by_text("Можно приложить не больше 5 файлов.")).to_be_visible()
    await expect(page.get_by_role("list", name="Выбранные файлы")).to_be_hidden()
    assert len(helpdesk.desk.taken) == 1


async def test_what_people_and_staff_write_is_never_markup(page: Page, helpdesk: Helpdesk) -> None:
    nasty = '<img src=x onerror="document.title=1"> <b>жирный</b>'
    await send(page, nasty)
    await expect(log_of(page).get_by_text(nasty).last).to_be_visible()
    assert await log_of(page).locator("img, b").count() == 0
    await helpdesk.desk.say(
        "Откройте https://www.gosuslugi.ru/help. Звоните 8 800 100-70-10.\n1. Шаг\n2. Шаг"
    )
    link = log_of(page).get_by_role("link", name="https://www.gosuslugi.ru/help", exact=True)
    assert await link.get_attribute("target") == "_blank"
    assert "noopener" in (await link.get_attribute("rel") or "")
    phone = log_of(page).get_by_role("link", name="8 800 100-70-10")
    assert await phone.get_attribute("href") == "tel:88001007010"
    await expect(log_of(page).locator(".item")).to_have_count(2)
    button = ((Button("Ловушка", url="javascript:alert(1)"),),)
    await helpdesk.desk.say("Кнопка", buttons=button)
    await expect(log_of(page)).to_contain_text("Ловушка")
    await expect(log_of(page).get_by_role("link", name="Ловушка")).to_have_count(0)


async def test_it_scrolls_only_for_those_who_read_the_end(page: Page, helpdesk: Helpdesk) -> None:
    for number in range(8):
        await helpdesk.desk.say(f"Строка {number}\n" * 4)
    last = log_of(page).get_by_role("article").last
    await expect(last).to_contain_text("Строка 7")
    await expect(last).to_be_in_viewport()
    await log_of(page).evaluate("log => { log.scrollTop = 0; }")
    await helpdesk.desk.say("Новое внизу")
    await expect(log_of(page)).to_contain_text("Новое внизу")
    assert await log_of(page).evaluate("log => log.scrollTop") == 0
    await send(page, "Моё")
    await expect(log_of(page).get_by_text("Моё", exact=True).first).to_be_in_viewport()


# For everyone

UNNAMED = """() => [...document.querySelectorAll('a, button, input, textarea, img, [role]')]
    .filter(element => element.checkVisibility())
    .filter(element => !(element.getAttribute('aria-label') || element.textContent.trim()
        || element.labels?.length || element.hasAttribute('alt')
        || element.querySelector('[alt]:not([alt=""])')
        || element.getAttribute('role') === 'status'))
    .map(element => element.outerHTML)"""
SMALL = """() => [...document.querySelectorAll('button, a.choice, textarea')]
    .filter(element => element.checkVisibility())
    .map(element => [element.outerHTML, element.getBoundingClientRect()])
    .filter(([, box]) => Math.round(box.height) < 44 || Math.round(box.width) < 44).map(([html]) => html)"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def test_every_control_has_a_name_and_a_size(page: Page) -> None:
    await page.locator("#files").set_input_files([SCREENSHOT])
    await send(page, "Вопрос")
    await expect(log_of(page)).to_contain_text("Ответ: Вопрос")
    await page.locator("#files").set_input_files([SCREENSHOT])
    assert await page.evaluate(UNNAMED) == []
    assert await page.evaluate(SMALL) == []
    assert await page.locator("html").get_attribute("lang") == "ru"
    await expect(page.get_by_role("heading", level=1)).to_have_text("Помощник по входу в электронный дневник")
    await expect(page.get_by_role("main")).to_have_count(1)
    ids = await page.evaluate("() => [...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids))
    said = await log_of(page).get_by_role("article").all_text_contents()
    assert [text.split(":")[0] for text in said] == ["Помощник", "Вы", "Помощник"]


async def test_a_focus_is_seen(page: Page) -> None:
    for control in (box_of(page), page.get_by_role("button", name="Отправить"), log_of(page)):
        await control.focus()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Shift+Tab")
        style = await control.evaluate("element => getComputedStyle(element).outline")
        assert "3px" in style
        assert "none" not in style


async def test_it_fits_narrow_screens_and_large_zoom(page: Page) -> None:
    await send(page, "Оченьдлинноесловобезпробелов" * 20)
    await expect(log_of(page).get_by_role("article")).to_have_count(3)
    for width, height in ((320, 560), (320, 256), (640, 400), (1280, 800)):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate(WIDE) <= 0
        assert await log_of(page).evaluate("log => log.scrollWidth - log.clientWidth") <= 0
        await expect(box_of(page)).to_be_in_viewport(ratio=0.9)


PAIRS = [  # text on its ground, the least contrast (WCAG 2.2: 1.4.3 and 1.4.11)
    ("text", "page", 4.5),
    ("text", "surface", 4.5),
    ("text", "own", 4.5),
    ("text", "tint", 4.5),
    ("quiet", "page", 4.5),
    ("quiet", "surface", 4.5),
    ("quiet", "tint", 4.5),
    ("accent", "surface", 4.5),
    ("accent", "page", 4.5),
    ("accent", "own", 4.5),
    ("accent", "tint", 4.5),
    ("on-accent", "accent", 4.5),
    ("bad", "page", 4.5),
    ("bad", "surface", 4.5),
    ("bad", "bad-tint", 4.5),
    ("edge", "surface", 3.0),
    ("edge", "page", 3.0),
]


async def test_colours_can_be_told_apart(page: Page) -> None:
    names = sorted({name for pair in PAIRS for name in pair[:2]})
    read = """names => names.map(
        name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim())"""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme)
        light = [luminance(colour) for colour in await page.evaluate(read, names)]
        colours = dict(zip(names, light, strict=True))
        for ink, ground, least in PAIRS:
            low, high = sorted((colours[ink], colours[ground]))
            assert (high + 0.05) / (low + 0.05) >= least, f"{ink} on {ground}, {scheme}"


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# On a school's page

SCHOOL = """<!doctype html><html lang="ru"><head><title>Школа</title>
<script src="{url}/widget.js" async></script></head>
<body style="height: 3000px"><h1>Школа № 5</h1><script src="{url}/widget.js" async></script></body></html>"""
POLICY = "default-src 'self'; style-src 'unsafe-inline'; script-src {url}; frame-src {url}"


async def test_the_widget_on_a_school_page(context: BrowserContext, helpdesk: Helpdesk) -> None:
    school = FastAPI()

    @school.get("/")
    async def home() -> HTMLResponse:
        policy = POLICY.format(url=helpdesk.url)
        return HTMLResponse(SCHOOL.format(url=helpdesk.url), headers={"Content-Security-Policy": policy})

    async with serving(school) as url:
        page = await context.new_page()
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda line: broken.append(line.text) if "Security" in line.text else None)
        # Another site, not only another port: the browser keeps its storage apart.
        await page.goto(url.replace("127.0.0.1", "localhost"))
        button = page.get_by_role("button", name="Вопрос о входе в дневник")
        await expect(button).to_have_count(1)
        await expect(button).to_have_attribute("aria-expanded", "false")
        assert (
            await page.evaluate("Object.keys(window).filter(name => /help|dnevnik|widget/i.test(name))") == []
        )

        await page.keyboard.press("Tab")
        await expect(button).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(button).to_have_attribute("aria-expanded", "true")
        chat = page.frame_locator("iframe")
        await expect(chat.get_by_role("log")).to_contain_text(GREETING)
        box = chat.get_by_role("textbox", name="Ваш вопрос")
        await box.fill("Вопрос со страницы школы")
        await box.press("Enter")
        await expect(chat.get_by_role("log")).to_contain_text("Ответ: Вопрос со страницы школы")

        await box.press("Escape")
        await expect(button).to_have_attribute("aria-expanded", "false")
        await expect(button).to_be_focused()
        await expect(page.locator("iframe")).to_be_hidden()
        await button.press("Enter")
        await expect(chat.get_by_role("log")).to_contain_text("Вопрос со страницы школы")
        await chat.get_by_role("button", name="Свернуть чат").click()
        await expect(button).to_be_focused()

        await page.emulate_media(reduced_motion="reduce")
        panel = page.get_by_role("dialog", include_hidden=True)
        assert await panel.evaluate("element => getComputedStyle(element).animationName") == "none"
        assert broken == []
        await page.close()


async def test_the_page_itself_may_not_be_framed(context: BrowserContext, helpdesk: Helpdesk) -> None:
    trap = FastAPI()

    @trap.get("/")
    async def home() -> HTMLResponse:
        return HTMLResponse(f'<iframe src="{helpdesk.url}/chat"></iframe>')

    async with serving(trap) as url:
        page = await context.new_page()
        async with page.expect_console_message(lambda line: bool(re.search("frame-ancestors", line.text))):
            await page.goto(url)
        assert helpdesk.desk.taken == []
        await page.close()
