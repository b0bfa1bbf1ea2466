"""A visitor of the web chat, with the habits of the people in the emulated messengers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import aiohttp

PATIENCE = 10.0  # real seconds a person waits for words that should come
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"


@dataclass(frozen=True)
class Bubble:
    """A message of the helpdesk on the page."""

    id: str
    words: str
    keyboard: tuple[tuple[tuple[str, str], ...], ...]
    """Labels and what they carry, row by row."""

    @property
    def buttons(self) -> list[list[str]]:
        """Labels, row by row."""
        return [[label for label, _ in row] for row in self.keyboard]


@dataclass
class Visitor:
    """Somebody at the page of the web chat."""

    _session: aiohttp.ClientSession
    _token: str
    chat: list[Bubble] = field(default_factory=list)
    _heard: set[str] = field(default_factory=set)
    _after: int = 0

    async def start(self) -> None:
        """Open the page."""
        await self._post(start="")

    async def says(self, text: str, *, reply_to: Bubble | None = None) -> None:
        """Write a message."""
        await self._post(text=text, reply_to=reply_to.id if reply_to else "")

    async def sends_photo(self, *, caption: str = "") -> None:
        """Send a picture."""
        await self._post(text=caption, file=("снимок.jpg", _JPEG, "image/jpeg"))

    async def sends_document(self, name: str, content: bytes, *, caption: str = "") -> None:
        """Send a file."""
        await self._post(text=caption, file=(name, content, "application/pdf"))

    async def presses(self, label: str) -> None:
        """Press the newest button with this label."""
        for bubble in reversed(self.chat):
            for shown, payload in (button for row in bubble.keyboard for button in row):
                if shown == label:
                    await self._post(text=label, button=payload)
                    return
        raise AssertionError(f"нет кнопки «{label}»\n{self.transcript()}")

    async def hears(self, what: str | re.Pattern[str], *, timeout: float = PATIENCE) -> Bubble:  # noqa: ASYNC109 - a person's patience
        """Wait for the next message not heard yet that holds these words."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for bubble in self.chat:
                        if bubble.id not in self._heard and re.search(_pattern(what), bubble.words):
                            self._heard.add(bubble.id)
                            return bubble
                    await self._look()
        except TimeoutError:
            raise AssertionError(f"не услышано {what!r}\n{self.transcript()}") from None

    async def reloads(self) -> None:
        """Open the page anew: everything said so far is there at once."""
        async with self._session.get("/chat/history", headers=self._bearer) as answer:
            page = await answer.json()
        self._take(message for message in page["messages"] if not message["own"])
        self._after = page["after"]

    def unread(self) -> list[Bubble]:
        """What the helpdesk said and nobody has heard yet, oldest first."""
        return [bubble for bubble in self.chat if bubble.id not in self._heard]

    def transcript(self) -> str:
        """What the helpdesk said, for failures."""
        return "\n".join(bubble.words for bubble in self.chat)

    async def _look(self) -> None:
        async with self._session.get(f"/chat/feed?after={self._after}", headers=self._bearer) as answer:
            shown = (await answer.json())["messages"]
        self._take(shown)
        self._after = max([self._after, *(message["id"] for message in shown)])

    def _take(self, shown: Iterable[dict[str, Any]]) -> None:
        known = {bubble.id for bubble in self.chat}
        for message in shown:
            words = "".join(span["t"] for span in message.get("text_spans", ()))
            keyboard = tuple(
                tuple((button["label"], button.get("payload", "")) for button in row)
                for row in message.get("buttons", ())
            )
            if "instead_of" not in message and str(message["id"]) not in known:
                self.chat.append(Bubble(str(message["id"]), words, keyboard))

    async def _post(self, *, file: tuple[str, bytes, str] | None = None, **fields: str) -> None:
        # Browsers send names as they are.
        form = aiohttp.FormData(quote_fields=False)
        for name, value in {"id": str(uuid4()), **fields}.items():
            form.add_field(name, value, content_type="text/plain")
        if file is not None:
            name, content, mime = file
            form.add_field("files", content, filename=name, content_type=mime)
        async with self._session.post("/chat/messages", data=form, headers=self._bearer) as answer:
            assert answer.status == HTTPStatus.ACCEPTED, await answer.text()

    @property
    def _bearer(self) -> dict[str, Any]:
        return {"Authorization": f"Bearer {self._token}"}


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Visitor]:
    """Somebody who has come to the page of the helpdesk at this address."""
    async with aiohttp.ClientSession(url) as session:
        async with session.post("/chat/session") as answer:
            token = (await answer.json())["token"]
        yield Visitor(session, token)


def _pattern(what: str | re.Pattern[str]) -> str | re.Pattern[str]:
    return re.escape(what) if isinstance(what, str) else what
