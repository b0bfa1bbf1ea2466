"""A parent's words become a phrasing by the panel's page."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bot.channels.web import WebChannel
from bot.panel import server
from bot.parts import App
from bot.settings import Settings
from faq.content.loading import packaged_base
from faq.content.region import load_region
from faq.measuring.golden import load_golden
from handlers.knowledge import Knowledge, base_from
from handlers.messages import Address, Incoming
from storage import knowledge as stored
from storage.database import Database
from tests.bot.panel.test_panel import HOME, HandClock, Office, answer

TOPICS = ("login-code-not-coming", "password-recovery", "school-transfer", "surname-changed")
STRANGE = "циферки на трубку не капают"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    """An office with a base of a few topics: an index of it is built quickly."""
    clock = HandClock()
    packaged = {slug: packaged_base().topics[slug].to_plain() for slug in TOPICS}
    async with database.transaction() as tx:
        await stored.seed(tx, packaged, now=clock.now())
    knowledge = Knowledge(base_from(packaged), load_region("adygea"))
    app = App(Settings(database_url="", data_dir=tmp_path, public_url=HOME), database, knowledge, clock=clock)
    app.add(WebChannel(database, app.files, clock=clock))
    yield Office(app, clock, httpx.ASGITransport(server.build(app)))
    for channel in app.channels.values():
        await channel.close()


async def proposed(browser: httpx.AsyncClient, number: int, *, topic: str, text: str) -> httpx.Response:
    return await browser.post(f"/panel/questions/{number}/phrasing", data={"topic": topic, "text": text})


async def result(browser: httpx.AsyncClient, number: int) -> str:
    """The page as it is when the check has ended."""
    async with asyncio.timeout(60):
        while True:
            look = await browser.get(f"/panel/questions/{number}/phrasing/state")
            assert look.status_code == 204
            if "hx-redirect" in look.headers:
                break
    page = await browser.get(look.headers["hx-redirect"])
    assert page.status_code == 200
    return html.unescape(page.text)


@pytest.mark.slow
async def test_an_operator_adds_a_parents_words_and_the_bot_knows_them(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question(STRANGE)
    link = f'href="/panel/questions/{number}/phrasing"'
    assert link not in (await maria.get(f"/panel/questions/{number}")).text
    early = await maria.get(f"/panel/questions/{number}/phrasing")
    assert "после ответа родителю" in early.text
    assert "<form method" not in early.text.split("<main")[1]
    await answer(maria, number, "Проверьте номер")
    assert link in (await maria.get(f"/panel/questions/{number}")).text

    form = html.unescape((await maria.get(f"/panel/questions/{number}/phrasing")).text)
    assert f">{STRANGE}</textarea>" in form
    assert "Не должно остаться имён" in form
    assert form.index("Похоже на") < form.index("</optgroup>")
    assert {slug for slug in TOPICS if f'<option value="{slug}"' in form} == set(TOPICS)

    sent = await proposed(maria, number, topic="login-code-not-coming", text=STRANGE)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/panel/questions/{number}/phrasing")
    assert "Проверяется" in (await maria.get(sent.headers["location"])).text
    told = await result(maria, number)
    assert "<h2>Добавлено</h2>" in told
    assert STRANGE in told

    other = Address("telegram", "43")
    await office.app.helpdesk.receive(Incoming("e", other, name="Ольга", text=STRANGE, whole=True))
    office.clock.passed += timedelta(seconds=10)
    await office.app.helpdesk.answer_due()
    topic = office.app.knowledge.base.topics["login-code-not-coming"]
    assert any(topic.answer.meaning[:20] in letter.body["text"] for letter in await office.letters(other))


@pytest.mark.slow
async def test_what_would_get_worse_is_shown_and_the_words_stay_to_be_corrected(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question(STRANGE)
    await answer(maria, number, "Проверьте номер")
    matcher = office.app.knowledge.build_index()
    stolen = next(
        row.text
        for row in load_golden()
        if row.labels == {"password-recovery"} and matcher.match(row.text).answered == ("password-recovery",)
    )
    await proposed(maria, number, topic="school-transfer", text=stolen)

    told = await result(maria, number)
    titles = {slug: topic.title for slug, topic in matcher.base.topics.items()}
    assert "<h2>Не добавлено</h2>" in told
    assert re.search(r"бот ответил бы хуже: \d", told)
    assert f"ответ «{titles['password-recovery']}»" in told
    assert f"ответ «{titles['school-transfer']}»" in told
    assert f">{stolen}</textarea>" in told
    assert re.search(r'value="school-transfer" selected', told)
    assert office.app.knowledge.base == matcher.base


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("позвоните 8 918 123-45-67", "длинное число"),
        ("", "нет слов"),
        ("я" * 301, "длиннее 300"),
        ("<b>anna@mail.ru</b> не пускает", "адрес почты"),
    ],
)
async def test_personal_data_never_reaches_the_base(office: Office, text: str, said: str) -> None:
    maria = await office.colleague("Мария")
    number = await office.question(STRANGE)
    await answer(maria, number, "Проверьте номер")
    refused = await proposed(maria, number, topic="login-code-not-coming", text=text)
    assert refused.status_code == 400
    assert said in refused.text
    assert "<b>" not in refused.text.split("<main")[1]
    assert f">{text or STRANGE}</textarea>" in html.unescape(refused.text)
    assert re.search(r'value="login-code-not-coming" selected', refused.text)


async def test_words_that_are_known_name_their_topic(office: Office) -> None:
    maria = await office.colleague("Мария")
    number = await office.question(STRANGE)
    await answer(maria, number, "Проверьте номер")
    topic = office.app.knowledge.base.topics["surname-changed"]
    refused = await proposed(maria, number, topic="school-transfer", text=topic.phrasings[0])
    assert f"другой теме: «{topic.title}»" in html.unescape(refused.text)


async def test_only_the_staff_teach_the_bot(office: Office) -> None:
    number = await office.question(STRANGE)
    await office.colleague("Мария")
    stranger = office.browser()
    assert (await stranger.get(f"/panel/questions/{number}/phrasing")).status_code == 303
    assert (await proposed(stranger, number, topic=TOPICS[0], text=STRANGE)).status_code == 403
    maria = await office.colleague("Ольга")
    assert (await maria.get("/panel/questions/99/phrasing")).status_code == 404
    foreign = office.browser(origin="https://evil.test")
    foreign.cookies.set("helpdesk_staff", maria.cookies["helpdesk_staff"])
    assert (await proposed(foreign, number, topic=TOPICS[0], text=STRANGE)).status_code == 403
