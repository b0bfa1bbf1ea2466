"""Adding a phrasing in a real browser, to the whole base and past all golden questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from bot.app import running
from bot.settings import Settings
from tests.bot.panel.test_panel_page import CHROMIUM, FLAGS, Desk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def chromium() -> str:
    if not Path(CHROMIUM).exists():
        pytest.fail("Нет браузера для этой проверки: apt-get install chromium")
    return CHROMIUM


@pytest.fixture
async def desk(chromium: str, tmp_path: Path) -> AsyncIterator[Desk]:
    settings = Settings(data_dir=tmp_path / "data", listen="127.0.0.1:0")
    async with running(settings) as app, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=FLAGS)
        desk = Desk(app, browser, [])
        yield desk
        await browser.close()


async def test_a_phrasing_is_added_on_a_phone_and_the_page_tells_when_it_is_done(desk: Desk) -> None:
    await desk.question()
    page = await desk.colleague()
    await page.get_by_role("link", name="Не приходит код").click()
    await expect(page.get_by_role("link", name="Добавить как формулировку")).to_have_count(0)
    await page.get_by_label("Ответ родителю").fill("Проверьте номер")
    await page.keyboard.press("Control+Enter")
    await page.get_by_role("link", name="Добавить как формулировку").click()

    box = page.get_by_label("Как спрашивает родитель")
    await expect(box).to_have_value("Не приходит код на телефон")
    await box.fill("циферки на трубку 89181234567 не капают")
    await page.get_by_label("Тема, которая на это отвечает").select_option("login-code-not-coming")
    await page.get_by_role("button", name="Проверить и добавить").click()
    await expect(page.get_by_role("alert")).to_contain_text("длинное число")
    await page.get_by_label("Как спрашивает родитель").fill("циферки на трубку не капают")
    await page.get_by_role("button", name="Проверить и добавить").click()
    await expect(page.get_by_role("heading", name="Проверяется")).to_be_visible()
    await expect(page.get_by_role("heading", name="Добавлено", exact=True)).to_be_visible(timeout=240_000)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    # The refusal above is answered 400, of which the browser itself complains.
    assert [each for each in desk.complaints if "400" not in each] == []
