"""Whole conversations full of personal data with a real process, and a search for every byte of it."""

from __future__ import annotations

import asyncio
import filecmp
import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from handlers.texts import family as texts_family
from handlers.texts import photos as texts_photos
from storage.database import Database
from tests.crash.processes import COLD_START_SECONDS, Installation, free_port, invitation
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import VkServer
from tests.house import VK_CONFIRMATION, VK_GROUP, VK_SECRET, VK_TOKEN, WEBHOOK_SECRET
from tests.planting import Planted, Planter, traces
from tests.sizes import long
from tests.visitor import visiting

PATIENCE = 40.0
"""Real seconds: Telegram's pace allows one message a second to each."""
QUESTION = "не совпадает снилс в дневнике и на госуслугах"
ANSWER = "отличается от того, что указан на Госуслугах"
SCHOOL = "школа 35, Майкоп"
ANYTHING = re.compile("")
TOLD = "В вашем сообщении скрыто"


@pytest.mark.parametrize(
    "written",
    [
        b"112-233-445 95",
        "112 233 445 95".encode("utf-16-le"),
        "\0" + "11223344595",
        json.dumps("снилс\u00a0112-233-445\u00a095").encode(),
        b"text=112%2D233%2D445%2095",
        "код 482913.".encode(),
        "x482913y".encode("utf-16-be"),
        json.dumps("пароль: ЗимА2020").encode(),
    ],
)
def test_the_search_finds_a_value_however_it_is_written(written: bytes | str) -> None:
    values = ("112-233-445 95", "482913", "Зима2020")
    data = b"\xd0\x01" + (written if isinstance(written, bytes) else written.encode()) + b"\xff\x0012"
    assert len(traces({"file": data}, [Planted(value, "kind", "place") for value in values])) == 1


def test_the_search_is_not_misled_by_a_moment() -> None:
    moments = b"2026-11-22 13:33:44.482913|2026-11-22 14:03:20.110000|2026.11.22 1482913"
    planted = [Planted("482913", "code", ""), Planted("14.03.2011", "birth", "")]
    assert traces({"file": moments}, planted) == []


@dataclass
class Parent:
    """Somebody who says too much on one channel, and the colleague on another who gets the question."""

    phone: Any
    planter: Planter
    number: int = 0
    spilt: int = 0
    """Messages with something personal in them."""

    async def spills(self, place: str, template: str, **more: Any) -> None:
        """Write a message with something personal in it."""
        await self.phone.says(self._spilt(place, template), **more)
        await self.hears(TOLD)

    async def corrects(self, harmless: Any, place: str, template: str) -> None:
        """Put something personal into a message that was harmless."""
        await self.phone.edits(harmless, self._spilt(place, template))
        await self.hears(TOLD)

    async def sends_photo(self, place: str, template: str) -> None:
        """Send a photo with something personal under it."""
        await self.phone.sends_photo(caption=self._spilt(place, template))
        await self.hears(TOLD)

    async def hears(self, what: str | re.Pattern[str]) -> Any:
        return await self.phone.hears(what, timeout=PATIENCE)

    @property
    def word(self) -> str:
        """A word of this parent that nobody else says, and that is not personal."""
        return f"Ласточка-{self.planter.who}"

    @property
    def corrects_itself(self) -> bool:
        """The web chat has no way to change what was sent."""
        return hasattr(self.phone, "edits")

    def _spilt(self, place: str, template: str) -> str:
        self.spilt += 1
        return self.planter.line(place, template)


async def talk_with_the_bot(parent: Parent) -> None:
    phone = parent.phone
    await phone.start()
    await parent.hears(texts.NOTICE[:40])
    if parent.corrects_itself:
        message = await phone.says("сколько стоит велосипед")
        await parent.corrects(message, "правка вопроса", f"{QUESTION}, вот он: {{snils}}")
        await parent.hears(ANSWER)
    await parent.spills("/join", "/join {snils}")
    await parent.hears(texts_family.CODE_WRONG[:20])


async def tell_of_a_child(parent: Parent) -> None:
    phone = parent.phone
    await phone.says("/children")
    await parent.hears(texts_family.NO_CHILDREN[:20])
    await phone.presses(texts_family.BUTTON_ADD)
    await parent.hears(texts_family.ASK_LABEL)
    await parent.spills("имя ребёнка", "старшая, дата рождения {birth}, свидетельство {certificate}")
    await parent.hears(re.compile("короче|без фамилии|Уточните|другими словами|по шагам"))
    await phone.presses(texts_family.BUTTON_ADD)
    await parent.hears(texts_family.ASK_LABEL)
    await phone.says("старшая")
    await parent.hears("сколько лет")
    await phone.presses("До 14 лет")
    await parent.hears("какая школа")
    await phone.presses(texts_family.BUTTON_SKIP)
    await parent.hears(texts_family.NOT_ASKED)


async def name_the_school_of_a_child(parent: Parent) -> None:
    """While the question to the staff waits: the parent goes back to the bot."""
    phone = parent.phone
    await phone.says("/bot")
    await parent.hears(texts.BACK_WITH_BOT)
    await phone.says("/children")
    await parent.hears("Ваши дети")
    await phone.presses("старшая")
    await phone.presses(texts_family.BUTTON_SCHOOL)
    await parent.hears("какая школа")
    await parent.spills("школа ребёнка", f"{SCHOOL}, телефон {{landline}}")
    await parent.hears("Запомнил")


async def pass_a_card_to_the_school(parent: Parent) -> None:
    """A question, an answer that did not help, and a card for the school."""
    await parent.spills("вопрос", f"{QUESTION}: {{snils}}, паспорт {{passport_named}}")
    await parent.hears(ANSWER)
    await parent.phone.presses(texts.BUTTON_NOT_HELPED)
    await parent.hears(texts_diagnosis.NOT_HELPED_SCHOOL[:20])
    await parent.phone.presses(texts_diagnosis.BUTTON_SEND)
    await fill_in_card(parent)
    await parent.spills("школа", f"{SCHOOL}, звоните {{phone}} или {{email}}")
    told = await parent.hears("номер")
    found = re.search(r"номер (\d+)", told.words)
    assert found is not None, told.words
    parent.number = int(found[1])


async def fill_in_card(parent: Parent) -> None:
    """Tell too much in two lines and leave out the rest."""
    for template in ("мама, {snils}, тел. {phone}", "5 класс, почта {email}, пароль {password}"):
        asked = await parent.hears(ANYTHING)
        while [texts_diagnosis.BUTTON_SKIP, texts_diagnosis.BUTTON_AS_IT_IS] not in asked.buttons:
            asked = await parent.hears(ANYTHING)
        await parent.spills("строка заявки", template)
    await parent.phone.presses(texts_diagnosis.BUTTON_AS_IT_IS)
    await parent.hears(texts.NAME_SCHOOL[:20])


async def write_to_the_staff(parent: Parent, colleague: Any) -> None:
    """Lines, an edited one, captions, file names, a reply, all full of what must not be kept."""
    phone, word = parent.phone, parent.word
    card = await colleague.hears(f"Вопрос № {parent.number}\n", timeout=PATIENCE)
    assert SCHOOL in card.words
    await parent.spills("строка", f"{word} раз: СНИЛС {{snils}}, паспорт {{passport_spelled}}")
    await colleague.hears(f"{word} раз", timeout=PATIENCE)
    await colleague.says("Сейчас посмотрю", reply_to=card)
    answer = await parent.hears("Сейчас посмотрю")
    said = f"{word} два: код {{code}}, пароль {{password}}, карта {{card}}"
    await parent.spills("ответ на ответ", said, reply_to=answer)
    await colleague.hears(f"{word} два", timeout=PATIENCE)
    await parent.sends_photo("подпись", f"{word} три: {{passport}} и {{snils}}")
    await colleague.hears(f"{word} три", timeout=PATIENCE)
    await confirm(parent, "photo")
    name = parent.planter.line("имя файла", "снилс {snils}.pdf")
    await phone.sends_document(name, b"%PDF-1.4", caption=f"{word} четыре")
    await colleague.hears(f"{word} четыре", timeout=PATIENCE)
    await confirm(parent, "file")
    for _ in range(2):
        await colleague.hears("личные данные закрыты:", timeout=PATIENCE)


async def confirm(parent: Parent, kind: str) -> None:
    """Say that nothing personal is on the file."""
    await parent.hears(re.compile("роверьте"))
    await parent.phone.presses(texts_photos.button_send((kind,)))
    await parent.hears(texts_photos.sent((kind,)))


async def correct_oneself(parent: Parent, colleague: Any) -> None:
    """Edit a message that the staff have seen."""
    message = await parent.phone.says(f"{parent.word} пять")
    await colleague.hears(f"{parent.word} пять", timeout=PATIENCE)
    said = f"{parent.word} шесть, мой номер {{phone}}, дата рождения сына {{birth}}"
    await parent.corrects(message, "правка", said)
    await colleague.hears(f"{parent.word} шесть", timeout=PATIENCE)


@dataclass
class Scene:
    """A running helpdesk with its messengers, three parents and two colleagues."""

    installation: Installation
    telegram: TelegramServer
    vk: VkServer
    database: Database
    parents: list[Parent] = field(default_factory=list)

    @property
    def planted(self) -> list[Planted]:
        return [each for parent in self.parents for each in parent.planter.planted]

    @property
    def words(self) -> list[Planted]:
        """What is not personal and must be found, or the search proves nothing."""
        own = [Planted(f"{parent.word} два", "слово", parent.planter.who) for parent in self.parents]
        return [Planted("школа 35", "школа", "у всех"), *own]

    async def pages(self) -> dict[str, bytes]:
        """The metrics, and the panel's pages as a colleague sees them."""
        origin = {"Origin": self.installation.url}
        async with aiohttp.ClientSession(self.installation.url, headers=origin) as browser:
            token = await invitation(self.database)
            async with browser.post(f"/panel/join/{token}", data={"name": "Нина"}) as joined:
                assert joined.status == HTTPStatus.OK
            questions = [f"/panel/questions/{parent.number}" for parent in self.parents]
            return {path: await _read(browser, path) for path in ("/metrics", "/panel", *questions)}

    def said_to_messengers(self) -> Mapping[str, bytes]:
        """Every request that the helpdesk has made, and every message in the staff's and parents' chats."""
        asked = {
            "Telegram": [call.params for call in self.telegram.calls],
            "ВКонтакте": [call.params for call in self.vk.calls],
        }
        return {name: repr(calls).encode() for name, calls in asked.items()}

    def files(self, known: Path) -> dict[str, bytes]:
        """Everything on disk: database, write-ahead log, what people sent, the process's own log."""
        index = known / "index.pickle"
        return {
            str(path.relative_to(self.installation.folder)): path.read_bytes()
            for path in sorted(self.installation.folder.rglob("*"))
            # The index of the packaged base lay there before anybody spoke.
            if path.is_file() and not (path.name == index.name and filecmp.cmp(path, index, shallow=False))
        }


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("database_kind", "log_format", "telegram_mode", "vk_mode"),
    [
        ("sqlite", "console", "polling", "callback"),
        pytest.param("postgresql", "json", "webhook", "polling", marks=long),
    ],
)
async def test_no_byte_of_what_was_planted_is_found_anywhere(
    database_url: str, log_format: str, telegram_mode: str, vk_mode: str, index_folder: Path, tmp_path: Path
) -> None:
    settings = {
        "database_url": database_url,
        "log_level": "DEBUG",
        "log_format": log_format,
        "telegram_mode": telegram_mode,
        "vk_mode": vk_mode,
    }
    async with _scene(settings, index_folder, tmp_path) as scene:
        telegram, vk, web = scene.parents
        oleg, maria = scene.telegram.person(first_name="Олег"), scene.vk.person(first_name="Мария")
        for colleague in (oleg, maria):
            await colleague.start(f"join-{await invitation(scene.database)}")
            await colleague.hears("вы в команде", timeout=PATIENCE)
        await asyncio.gather(_converse(telegram, maria), _converse(vk, oleg), _converse(web, maria))
        await telegram.phone.shares_contact(telegram.planter.line("контакт", "{phone}"))
        await telegram.hears("контакт")
        kept = scene.files(index_folder) | await _rows(database_url)
        kept |= await scene.pages()
    # Killed by now: the write-ahead log lies there as the process left it.
    left = scene.files(index_folder) | await _rows(database_url)
    assert left.get("helpdesk.db-wal", b"PostgreSQL") != b""
    said = scene.said_to_messengers()
    for where in (kept, left, said):
        found = traces(where, [*scene.planted, *scene.words])
        assert [each for each in found if each.planted not in scene.words] == []
        assert {each.planted for each in found} == set(scene.words)
    # All but the names of files, which are hidden without a word.
    hidden = re.search(rb'helpdesk_deeds\{deed="hidden"\} (\d+)', kept["/metrics"])
    assert hidden is not None
    assert int(hidden[1]) == sum(parent.spilt for parent in scene.parents)
    assert scene.installation.troubles() == []
    assert scene.telegram.violations == scene.vk.violations == []


@asynccontextmanager
async def _scene(settings: dict[str, str], index_folder: Path, folder: Path) -> AsyncIterator[Scene]:
    """Start everything; at the end the process is killed, and only then the messengers stop."""
    shutil.copytree(index_folder, folder / "data")
    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(TelegramServer())
        vk = await stack.enter_async_context(VkServer(token=VK_TOKEN, group_id=VK_GROUP))
        settings = settings | {
            "telegram_token": telegram.token,
            "telegram_api_url": telegram.url,
            "telegram_webhook_secret": WEBHOOK_SECRET,
            "vk_token": VK_TOKEN,
            "vk_group_id": str(VK_GROUP),
            "vk_api_url": f"{vk.url}/method/",
            "vk_confirmation": VK_CONFIRMATION,
            "vk_secret": VK_SECRET,
        }
        given = {f"HELPDESK_{name.upper()}": value for name, value in settings.items()}
        installation = Installation(folder, free_port(), given)
        database = Database(settings["database_url"])
        stack.push_async_callback(database.close)
        await stack.enter_async_context(installation.run())
        await installation.answers()
        if settings["telegram_mode"] == "polling":
            await telegram.polled(patience=COLD_START_SECONDS)
        if settings["vk_mode"] == "callback":
            address = f"{installation.url}/vk/callback"
            await vk.set_callback(address, secret=VK_SECRET, confirmation=VK_CONFIRMATION)
        else:
            await vk.listened(timeout=COLD_START_SECONDS)
        phones = {
            "Анна": telegram.person(first_name="Анна"),
            "Борис": vk.person(first_name="Борис"),
            "Вера": await stack.enter_async_context(visiting(installation.url)),
        }
        parents = [Parent(phone, Planter(name)) for name, phone in phones.items()]
        yield Scene(installation, telegram, vk, database, parents)


async def _rows(url: str) -> dict[str, bytes]:
    """Every row of every table, as the database itself reads it."""
    driver = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    address = make_url(url)
    engine = create_async_engine(address.set(drivername=driver[address.get_backend_name()]))
    async with engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        rows = {
            f"таблица {table}": repr((await connection.execute(text(f'SELECT * FROM "{table}"'))).all())  # noqa: S608 - the database's own names
            for table in tables
        }
    await engine.dispose()
    return {table: content.encode() for table, content in rows.items()}


async def _read(browser: aiohttp.ClientSession, path: str) -> bytes:
    async with browser.get(path) as answer:
        assert answer.status == HTTPStatus.OK, path
        return await answer.read()


async def _converse(parent: Parent, colleague: Any) -> None:
    await talk_with_the_bot(parent)
    await tell_of_a_child(parent)
    await pass_a_card_to_the_school(parent)
    await write_to_the_staff(parent, colleague)
    if parent.corrects_itself:
        await correct_oneself(parent, colleague)
    await name_the_school_of_a_child(parent)
