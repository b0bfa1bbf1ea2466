"""A whole helpdesk between two emulated messengers, for conversations in tests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.app import bind, running
from bot.parts import App
from bot.settings import Settings
from handlers.knowledge import Knowledge
from handlers.staff import membership as staff
from handlers.texts import basics as texts
from handlers.texts import photos as texts_photos
from storage import conversations, people
from storage.people import Person
from tests.clock import FastClock
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import VkServer

SPEED = 20.0
"""Seconds of the house in one real second: a pause of 1.2 s takes 60 ms, network jitter stays small."""
VK_TOKEN, VK_GROUP = "vk1.a.test-token", 777
VK_SECRET, VK_CONFIRMATION = "callback-secret", "c0nf1rm"
WEBHOOK_SECRET = "webhook_secret"


def contents(message: Any) -> list[bytes]:
    """What is in the files of a message, in whichever messenger it was seen."""
    files = message.files if hasattr(message, "files") else message.attachments
    return [file.content for file in files]


def said_by_bot(person: Any) -> str:
    """Everything the helpdesk said to this person, as one text."""
    return "\n".join(message.words for message in person.chat if message.from_bot)


async def checks_photos(parent: Any, kinds: list[str]) -> None:
    """Say that nothing personal is on the files of these kinds, which were just asked about."""
    await parent.hears(re.compile("роверьте"))
    await parent.presses(texts_photos.button_send(kinds))
    await parent.hears(texts_photos.sent(kinds))


@dataclass
class House:
    """The running helpdesk and its messengers. `parent()` and `colleague()` are people with phones."""

    app: App
    transport: str
    telegram: TelegramServer
    vk: VkServer

    @property
    def home(self) -> str:
        """The messenger of the parents."""
        return self.transport.split("-")[0]

    @property
    def away(self) -> str:
        """The other messenger."""
        return "vk" if self.home == "telegram" else "telegram"

    def person(self, messenger: str, name: str) -> Any:
        """Somebody with this messenger, who has not written yet."""
        return (self.telegram if messenger == "telegram" else self.vk).person(first_name=name)

    def newcomer(self, name: str = "Анна") -> Any:
        """A parent who has not pressed «Начать»."""
        return self.person(self.home, name)

    async def parent(self, name: str = "Анна") -> Any:
        """A parent who has been greeted."""
        person = self.newcomer(name)
        await person.start()
        await person.hears(texts.NOTICE[:40])
        return person

    async def colleague(self, name: str = "Мария", *, messenger: str = "") -> Any:
        """A member of the staff, on the other messenger unless told."""
        person = self.person(messenger or self.away, name)
        await person.start(await self.invite())
        await person.hears("вы в команде")
        await person.hears(re.compile(f"{texts.NO_OPEN_TICKETS}|{texts.BUTTON_OPEN_LIST}"))
        return person

    def server(self, messenger: str) -> Any:
        """The emulator of this messenger."""
        return self.telegram if messenger == "telegram" else self.vk

    async def invite(self, *, days_ago: int = 0) -> str:
        """A one-time invitation, as the deep link carries it."""
        now = self.app.clock.now() - timedelta(days=days_ago)
        async with self.app.database.transaction() as tx:
            invited = await staff.invite(tx, role="ministry", school_id=None, municipality=None, now=now)
        return f"join-{invited.token}"

    async def time_is_up(self, messenger: str, person: Any) -> None:
        """Whatever was to be answered to this person later is due now."""
        now = self.app.clock.now()
        async with self.app.database.transaction() as tx:
            found = await people.at(tx, messenger, str(person.id))
            assert found is not None
            conversation = await conversations.of_person(tx, found.id, now=now)
            assert conversation.answer_due_at is not None
            await conversations.set_answer_due(tx, conversation.id, now)
        self.app.answers.wake(now)

    async def known(self, person: Any, *, messenger: str = "") -> Person:
        """What we remember of this person."""
        async with self.app.database.reading() as tx:
            found = await people.at(tx, messenger or self.home, str(person.id))
        assert found is not None
        return found

    async def asks_for_human(self, parent: Any, question: str = "ничего не понимаю, всё сломано") -> int:
        """Bring a parent to a human; returns the number of the question."""
        await parent.says(question)
        await parent.hears(re.compile("другими словами|Уточните|Если|8 800|Помогло|школ"))
        await parent.says("/human")
        await parent.hears("школу и населённый пункт")
        await parent.says("школа 5, Майкоп")
        told = await parent.hears("Передал вопрос")
        number = re.search(r"номер (\d+)", told.text)
        assert number is not None
        return int(number[1])

    def check_manners(self) -> None:
        """The helpdesk broke no rule of the messengers."""
        assert self.telegram.violations == []
        assert self.vk.violations == []
        assert self.telegram.limit_hits == []
        assert self.vk.limit_hits == []


@asynccontextmanager
async def open_house(
    transport: str, *, database_url: str, knowledge: Knowledge, folder: Path, speed: float = SPEED
) -> AsyncIterator[House]:
    """Start both messengers and the helpdesk; stop them at the end."""
    clock = FastClock(speed)
    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(TelegramServer(clock=clock, longest_poll=2.0))
        vk = await stack.enter_async_context(
            VkServer(token=VK_TOKEN, group_id=VK_GROUP, clock=clock, longest_poll=2.0)
        )
        listening = bind("127.0.0.1", 0)
        public_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = Settings(
            database_url=database_url,
            data_dir=folder,
            public_url=public_url,
            telegram_token=SecretStr(telegram.token),
            telegram_api_url=telegram.url,
            telegram_mode="webhook" if transport == "telegram-webhook" else "polling",
            telegram_webhook_secret=SecretStr(WEBHOOK_SECRET),
            vk_token=SecretStr(VK_TOKEN),
            vk_group_id=VK_GROUP,
            vk_api_url=f"{vk.url}/method/",
            vk_mode="callback" if transport == "vk-callback" else "polling",
            vk_confirmation=VK_CONFIRMATION,
            vk_secret=SecretStr(VK_SECRET),
        )
        app = await stack.enter_async_context(
            running(settings, clock=clock, knowledge=knowledge, socket_=listening)
        )
        if transport == "vk-callback":
            await vk.set_callback(f"{public_url}/vk/callback", secret=VK_SECRET, confirmation=VK_CONFIRMATION)
        else:
            await vk.listened()
        yield House(app, transport, telegram, vk)
