"""The phones of the simulated people: one face for both messengers, and an ear that hears every delivery."""

from __future__ import annotations

import asyncio
import json
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.emulators.telegram import TelegramServer
from tests.emulators.telegram_groups import Group
from tests.emulators.telegram_people import Person as TelegramPerson
from tests.emulators.telegram_world import Button as TelegramButton
from tests.emulators.vk import VkServer
from tests.emulators.vk_people import Person as VkPerson
from tests.emulators.vk_people import Writer, _Found
from tests.simulation.timeline import Timeline

KEPT = 300
"""Requests that an emulator remembers here: a week of them would fill the memory."""
LOGGED = 40
"""Messages that a phone remembers in the order in which they came."""


CASE = re.compile(r"(?:опрос\w*|номер) \W*(?:№ )?(\d+)|^\W*№ (\d+)", re.MULTILINE)
"""How a case is named to people; «СОШ № 5» is none."""


def case_in(text: str) -> int | None:
    """The number of the case that a message is about."""
    found = CASE.search(text)
    return int(found[1] or found[2]) if found is not None else None


@dataclass(frozen=True)
class Place:
    """A chat: a person's own with the bot, or a group's."""

    channel: str
    chat_id: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.chat_id}"


@dataclass(frozen=True)
class Choice:
    """A button as it was delivered."""

    label: str
    payload: str

    @property
    def deed(self) -> str:
        """The first word of the payload."""
        return self.payload.partition(":")[0]


@dataclass(frozen=True)
class Heard:
    """One message of the bot, as it lies in a chat."""

    place: Place
    message_id: int
    text: str
    choices: tuple[Choice, ...]
    files: tuple[bytes, ...]
    reply_to: int | None
    thread: int | None
    raw: Any = field(repr=False, compare=False)

    def offers(self, *payloads: str) -> Choice | None:
        """The first button whose payload begins with one of these."""
        for payload in payloads:
            for choice in self.choices:
                if choice.payload == payload or choice.payload.startswith(payload):
                    return choice
        return None


Listens = Callable[[Heard], None]


@dataclass
class Span:
    """A time for which something was so."""

    since: datetime
    until: datetime | None = None


class Ear:
    """Hears what the bot has put into any chat of both messengers."""

    def __init__(self, telegram: TelegramServer, vk: VkServer) -> None:
        self.everything: list[Listens] = []
        """Who hears all; before whoever the chat belongs to."""
        self.blocks: dict[Place, list[Span]] = {}
        """When whose phone wanted nothing of the bot."""
        self._of_chat: dict[Place, Listens] = {}
        self._spy_on_telegram(telegram)
        self._spy_on_vk(vk)

    def listen(self, place: Place, listens: Listens) -> None:
        """Tell `listens` what is delivered there."""
        self._of_chat[place] = listens

    def _hear(self, heard: Heard) -> None:
        for listens in self.everything:
            listens(heard)
        if heard.place in self._of_chat:
            self._of_chat[heard.place](heard)

    def _spy_on_telegram(self, telegram: TelegramServer) -> None:
        world = telegram._world
        adds = world.add_message

        def spied(chat: Any, author: Any, body: Any, **rest: Any) -> Any:
            message = adds(chat, author, body, **rest)
            if author is world.bot and not message.service:
                self._hear(_telegram_heard(chat, message))
            return message

        world.add_message = spied  # type: ignore[method-assign]

    def _spy_on_vk(self, vk: VkServer) -> None:
        world = vk.world
        adds = world.add_message

        async def spied(dialog: Any, *, from_bot: bool, text: str, **rest: Any) -> Any:
            message = await adds(dialog, from_bot=from_bot, text=text, **rest)
            if from_bot:
                self._hear(_vk_heard(message))
            return message

        world.add_message = spied  # type: ignore[method-assign]


def _telegram_heard(chat: Any, message: Any) -> Heard:
    seen = chat.seen(message)
    return Heard(
        place=Place("telegram", str(chat.id)),
        message_id=seen.id,
        text=seen.words,
        choices=tuple(
            Choice(button.label, button.data or "") for row in seen.keyboard for button in row if button.data
        ),
        files=tuple(file.content for file in seen.files),
        reply_to=seen.reply_to,
        thread=getattr(seen, "thread", None),
        raw=seen,
    )


def _vk_heard(message: Any) -> Heard:
    return Heard(
        place=Place("vk", str(message.peer_id)),
        message_id=message.id,
        text=message.text,
        choices=tuple(
            Choice(button.label, json.loads(button.payload or "{}").get("b", ""))
            for button in message.button_objects
            if button.payload
        ),
        files=tuple(file.content for file in message.attachments),
        reply_to=message.reply_to,
        thread=None,
        raw=message,
    )


class Inbox:
    """What has come into a chat and was not read yet."""

    def __init__(self, timeline: Timeline) -> None:
        self.log: deque[tuple[float, Heard]] = deque(maxlen=LOGGED)
        """What has come of late, read or not, and when."""
        self.cards: dict[int, Heard] = {}
        """The last message of each case with a button to take or answer it."""
        self._timeline = timeline
        self._unread: deque[Heard] = deque()
        self._ringing: asyncio.Future[None] | None = None

    def put(self, heard: Heard) -> None:
        """It has come."""
        self._unread.append(heard)
        self.log.append((self._timeline.monotonic(), heard))
        button = heard.offers("take:", "answer:")
        if button is not None:
            self.cards[int(button.payload.split(":")[1])] = heard
        if self._ringing is not None and not self._ringing.done():
            self._ringing.set_result(None)

    def unread(self) -> Iterator[Heard]:
        """Read everything that is there."""
        while self._unread:
            yield self._unread.popleft()

    async def next(self, *, within: float) -> Heard | None:
        """Read the next message, which may come within so many simulated seconds."""
        if not self._unread:
            self._ringing = self._timeline.alarm(within)
            await self._ringing
            self._ringing = None
        return self._unread.popleft() if self._unread else None

    async def rest(self, *, quiet: float, within: float) -> list[Heard]:
        """Read until nothing has come for `quiet` simulated seconds; wait `within` for the first."""
        first = await self.next(within=within)
        heard = [first] if first is not None else []
        while heard:
            another = await self.next(within=quiet)
            if another is None:
                break
            heard.append(another)
        return heard


class Phone(ABC):
    """A person's phone with the private chat with the bot."""

    def __init__(self, place: Place, ear: Ear, timeline: Timeline) -> None:
        self.place = place
        self.inbox = Inbox(timeline)
        self._ear = ear
        self._timeline = timeline
        ear.listen(place, self.inbox.put)

    def _wants_nothing(self) -> None:
        self._ear.blocks.setdefault(self.place, []).append(Span(self._timeline.now()))

    def _listens_again(self) -> None:
        for span in self._ear.blocks.get(self.place, [])[-1:]:
            span.until = span.until or self._timeline.now()

    @abstractmethod
    async def starts(self, payload: str = "") -> None:
        """Press «Начать», perhaps through a link."""

    @abstractmethod
    async def says(self, text: str, *, reply_to: Heard | None = None) -> Any:
        """Write; gives what `edits` takes."""

    @abstractmethod
    async def edits(self, sent: Any, text: str) -> None:
        """Change what was written."""

    @abstractmethod
    async def presses(self, heard: Heard, choice: Choice) -> None:
        """Press a button under this very message."""

    @abstractmethod
    async def sends_photos(
        self, contents: list[bytes], *, caption: str = "", reply_to: Heard | None = None
    ) -> None:
        """Send photos, as an album if there are several."""

    @abstractmethod
    async def sends_voice(self, content: bytes, *, reply_to: Heard | None = None) -> None:
        """Send a voice message."""

    @abstractmethod
    async def blocks(self) -> None:
        """Want nothing of the bot any more."""

    @abstractmethod
    async def unblocks(self) -> None:
        """Let the bot write again."""


class TelegramPhone(Phone):
    """Telegram."""

    def __init__(self, person: TelegramPerson, ear: Ear, timeline: Timeline) -> None:
        super().__init__(Place("telegram", str(person.id)), ear, timeline)
        self.person = person

    async def starts(self, payload: str = "") -> None:
        """Press START."""
        await self.person.start(payload)

    async def says(self, text: str, *, reply_to: Heard | None = None) -> Any:
        """Write."""
        return await self.person.says(text, reply_to=reply_to.message_id if reply_to else None)

    async def edits(self, sent: Any, text: str) -> None:
        """Change what was written."""
        await self.person.edits(sent, text)

    async def presses(self, heard: Heard, choice: Choice) -> None:
        """Press a button."""
        await self.person.presses(telegram_button(heard, choice))

    async def sends_photos(
        self, contents: list[bytes], *, caption: str = "", reply_to: Heard | None = None
    ) -> None:
        """Send photos."""
        await send_telegram_photos(self.person, contents, caption=caption, reply_to=reply_to)

    async def sends_voice(self, content: bytes, *, reply_to: Heard | None = None) -> None:
        """Send a voice message."""
        await self.person.sends_voice(content, reply_to=reply_to.message_id if reply_to else None)

    async def blocks(self) -> None:
        """Stop the bot."""
        self._wants_nothing()
        await self.person.blocks()

    async def unblocks(self) -> None:
        """Restart the bot."""
        self._listens_again()
        await self.person.unblocks()


class VkPhone(Phone):
    """VK."""

    def __init__(self, person: VkPerson, ear: Ear, timeline: Timeline) -> None:
        super().__init__(Place("vk", str(person.id)), ear, timeline)
        self.person = person

    async def starts(self, payload: str = "") -> None:
        """Press «Начать»."""
        await self.person.start(payload)

    async def says(self, text: str, *, reply_to: Heard | None = None) -> Any:
        """Write."""
        return await self.person.says(text, reply_to=reply_to.message_id if reply_to else None)

    async def edits(self, sent: Any, text: str) -> None:
        """Change what was written."""
        await self.person.edits(sent, text)

    async def presses(self, heard: Heard, choice: Choice) -> None:
        """Press a button."""
        await press_in_vk(self.person, heard, choice)

    async def sends_photos(
        self, contents: list[bytes], *, caption: str = "", reply_to: Heard | None = None
    ) -> None:
        """Send photos: one message in VK."""
        number = reply_to.message_id if reply_to else None
        await self.person.sends_album(contents, caption=caption, reply_to=number)

    async def sends_voice(self, content: bytes, *, reply_to: Heard | None = None) -> None:
        """Send a voice message."""
        await self.person.sends_voice(content, reply_to=reply_to.message_id if reply_to else None)

    async def blocks(self) -> None:
        """Forbid messages."""
        self._wants_nothing()
        await self.person.blocks()

    async def unblocks(self) -> None:
        """Allow messages."""
        self._listens_again()
        await self.person.unblocks()


async def send_telegram_photos(
    person: TelegramPerson,
    contents: list[bytes],
    *,
    caption: str,
    reply_to: Heard | None,
    chat: Group | None = None,
) -> None:
    """Send photos in one's own chat or in a group: one alone, or several as an album."""
    number = reply_to.message_id if reply_to else None
    if len(contents) == 1:
        await person.sends_photo(contents[0], caption=caption, reply_to=number, chat=chat)
    else:
        await person.sends_album(contents, caption=caption, reply_to=number, chat=chat)


async def press_in_vk(writer: Writer, heard: Heard, choice: Choice) -> None:
    """Press a button under this very message, which `Writer.presses` cannot choose by its label."""
    button = next(
        each
        for each in heard.raw.button_objects
        if each.payload and json.loads(each.payload).get("b") == choice.payload
    )
    if button.kind == "callback":
        await writer._press_callback(_Found(heard.raw, button))
    else:
        await writer._send(writer._pressed_text(button), payload=button.payload)


def telegram_button(heard: Heard, choice: Choice) -> TelegramButton:
    """The button of the app that was delivered as this choice."""
    found = (button for row in heard.raw.keyboard for button in row if button.data == choice.payload)
    return next(found)  # type: ignore[no-any-return]


def forget_requests(telegram: TelegramServer, vk: VkServer) -> None:
    """Let the emulators forget their oldest requests; what they complain of stays."""
    del telegram.calls[:-KEPT]
    del telegram._updates.tries[:-KEPT]
    del vk.calls[:-KEPT]
    del vk.events.sent[:-KEPT]
