"""An announcement in a real browser: from the empty form to the last reader, past a second person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from storage.campaigns import launches
from tests.bot.panel.test_panel_page import CHROMIUM, FLAGS, Desk
from tests.house import House

pytestmark = pytest.mark.slow


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def transport() -> str:
    return "telegram-polling"


@pytest.fixture
def chromium() -> str:
    if not Path(CHROMIUM).exists():
        pytest.fail("Нет браузера для этой проверки: apt-get install chromium")
    return CHROMIUM


@pytest.fixture
async def desk(chromium: str, house: House) -> AsyncIterator[Desk]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield Desk(house.app, browser, [])
        await browser.close()


async def fits(page: Page) -> bool:
    """Whether nothing sticks out of a phone."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def test_an_announcement_goes_from_the_form_to_its_readers(house: House, desk: Desk) -> None:
    anna, boris = await house.parent("Анна"), await house.parent("Борис")
    tester = await house.colleague("Иван", messenger="telegram")
    page, other = await desk.colleague("Ольга"), await desk.colleague("Мария")
    await page.set_viewport_size({"width": 360, "height": 800})

    await page.get_by_role("link", name="Объявления").click()
    await page.get_by_role("link", name="Новое объявление").click()
    await page.get_by_label("Название (читатели").fill("Проверьте вход")
    await page.get_by_label("Вид: от него").select_option("reminders")
    await page.get_by_label("Текст", exact=True).fill("**Проверьте вход** до 25 августа")
    bubble = page.locator(".phone.telegram .bubble")
    await expect(bubble.locator("b")).to_have_text("Проверьте вход")
    await page.get_by_label("Кнопка 1: надпись").fill("Мы уже вошли")
    await page.get_by_label("Кнопка 1: вид").select_option("inside")
    await expect(page.locator(".phone.vk .key").first).to_have_text("Мы уже вошли")
    later = house.app.clock.now() + timedelta(days=200)
    await page.get_by_label("Начать").fill(f"{later:%d.%m.%Y} 10:00")
    await page.get_by_label("В какие часы").fill("0:00–24:00")
    await expect(page.locator("#preview")).to_contain_text("отправка с 0:00 до 24:00")
    await expect(page.locator("#preview")).to_contain_text("Получателей: 2")
    assert await fits(page)
    await page.get_by_role("button", name="Сохранить черновик").click()

    await page.get_by_role("button", name="Проверить").click()
    await page.get_by_label("Кому", exact=True).select_option(label="Иван, Telegram")
    await page.get_by_role("button", name="Отправить для проверки").click()
    await tester.hears("Проверьте вход до 25 августа")
    await page.get_by_role("button", name="На согласование").click()
    await expect(page.get_by_text("Ждёт второго человека.")).to_be_visible()
    await expect(page.get_by_role("button", name="Согласовать")).to_have_count(0)
    assert await fits(page)

    await other.get_by_role("link", name="Объявления").click()
    await other.get_by_role("link", name="Проверьте вход").click()
    await other.get_by_role("button", name="Согласовать").click()
    await expect(other.get_by_text("Вы согласовали объявление.")).to_be_visible()

    await page.reload()
    await page.get_by_role("button", name="Запланировать").click()
    await expect(page.locator("#progress")).to_contain_text("запланировано")
    async with house.app.database.transaction() as tx:
        await launches.plan(tx, 1, due_at=house.app.clock.now())
    # Nobody touches the page: it tells by itself how far it is.
    await expect(page.locator("#progress")).to_contain_text("2 из 2", timeout=40_000)
    await expect(page.locator(".figures")).to_contain_text("доставлено")
    for person in (anna, boris):
        await person.hears("Проверьте вход до 25 августа")
    assert await fits(page)

    await other.goto(f"{house.app.url}/panel/campaigns")
    await other.get_by_role("button", name="Стоп-кран").click()
    await expect(other.get_by_role("heading", name="Нажат")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("Стоп-кран нажат")).to_be_visible()
    assert desk.complaints == []
