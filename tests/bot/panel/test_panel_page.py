"""The staff's panel in a real browser: what a page does by itself while somebody works in it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.app import running
from bot.parts import App
from bot.settings import Settings
from handlers.knowledge import Knowledge
from handlers.messages import Address, Incoming
from handlers.staff import membership as staff
from storage import staff as members

pytestmark = pytest.mark.slow

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
PARENT = Address("telegram", "42")


@dataclass
class Desk:
    """A running helpdesk, a browser, and everything that browser complained about."""

    app: App
    browser: Browser
    complaints: list[str]

    async def colleague(self, name: str = "Мария") -> Page:
        async with self.app.database.transaction() as tx:
            invited = await staff.invite(
                tx, role="ministry", school_id=None, municipality=None, now=self.app.clock.now()
            )
        page = await (await self.browser.new_context(viewport={"width": 390, "height": 844})).new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(f"{self.app.url}/panel/join/{invited.token}")
        await page.get_by_label("Как вас зовут").fill(name)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{self.app.url}/panel")
        return page

    async def parent(self, text: str) -> None:
        event = uuid.uuid4().hex
        await self.app.helpdesk.receive(
            Incoming(event, PARENT, name="Анна", text=text, message_id=event, whole=True)
        )

    async def question(self) -> None:
        for text in ("Не приходит код на телефон", "/human", "школа 5, Майкоп"):
            await self.parent(text)


@pytest.fixture
def chromium() -> str:
    if not Path(CHROMIUM).exists():
        pytest.fail("Нет браузера для этой проверки: apt-get install chromium")
    return CHROMIUM


@pytest.fixture
async def desk(chromium: str, knowledge: Knowledge, tmp_path: Path) -> AsyncIterator[Desk]:
    settings = Settings(data_dir=tmp_path / "data", listen="127.0.0.1:0")
    async with running(settings, knowledge=knowledge) as app, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=FLAGS)
        desk = Desk(app, browser, [])
        yield desk
        await browser.close()


async def test_a_page_shows_news_and_touches_nothing_that_is_being_typed(desk: Desk) -> None:
    page = await desk.colleague()
    await desk.question()
    await expect(page).to_have_title("(1) Вопросы", timeout=8000)
    line = page.get_by_role("link", name="Не приходит код")
    await line.focus()
    await desk.app.helpdesk.receive(Incoming("w", Address("vk", "7"), text="/human", whole=True))
    await desk.app.helpdesk.receive(Incoming("v", Address("vk", "7"), text="лицей 34", whole=True))
    await expect(page).to_have_title("(2) Вопросы", timeout=8000)
    await expect(line).to_be_focused()

    await page.keyboard.press("Enter")
    box = page.get_by_label("Ответ родителю")
    unfolded = page.locator("details.bot").first
    await unfolded.locator("summary").click()
    await box.click()
    await page.keyboard.type("Проверьте ном")
    await desk.parent("я ещё здесь")
    await expect(page.get_by_text("я ещё здесь")).to_be_visible(timeout=8000)
    await expect(box).to_be_focused()
    await page.keyboard.type("ер")
    await expect(box).to_have_value("Проверьте номер")
    assert await unfolded.get_attribute("open") is not None

    await page.keyboard.press("Control+Enter")
    await expect(page.locator("article.staff")).to_have_count(1)
    await expect(page.get_by_label("Ответ родителю")).to_have_value("")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert desk.complaints == []


async def test_two_clicks_are_one_answer_and_an_empty_one_is_none(desk: Desk) -> None:
    await desk.question()
    page = await desk.colleague()
    await page.get_by_role("link", name="Не приходит код").click()
    send = page.get_by_role("button", name="Отправить")
    await send.click()
    await expect(page.get_by_text("Напишите ответ или приложите файл.")).to_be_visible()
    await page.get_by_label("Ответ родителю").fill("Проверьте номер")
    await send.dblclick()
    await expect(page.locator("article.staff")).to_have_count(1)
    await page.reload()
    await expect(page.locator("article.staff")).to_have_count(1)
    assert desk.complaints == []


async def test_an_open_page_leaves_when_access_is_taken_away(desk: Desk) -> None:
    page = await desk.colleague()
    async with desk.app.database.transaction() as tx:
        await members.revoke(tx, 1, now=desk.app.clock.now())
    await expect(page.get_by_role("heading", name="Нужна ссылка-приглашение")).to_be_visible(timeout=8000)


async def test_everything_works_without_scripts(desk: Desk) -> None:
    await desk.question()
    page = await desk.colleague()
    state = await page.context.storage_state()
    plain = await (await desk.browser.new_context(java_script_enabled=False, storage_state=state)).new_page()
    await plain.goto(f"{desk.app.url}/panel")
    await plain.get_by_role("link", name="Не приходит код").click()
    await plain.get_by_label("Ответ родителю").fill("Проверьте номер")
    await plain.get_by_label("Файлы").set_input_files(
        {"name": "памятка.txt", "mimeType": "text/plain", "buffer": b"1"}
    )
    await plain.get_by_role("button", name="Отправить").click()
    await expect(plain.get_by_role("link", name="памятка.txt")).to_be_visible()
    await plain.get_by_text("Закрыть", exact=True).click()
    await plain.get_by_role("button", name="Да, закрыть").click()
    await expect(plain.get_by_text("Вопрос закрыт")).to_be_visible()
