"""The people's side: a phone with VK on it."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.emulators.vk_world import Attachment, ChatMessage, PressedButton, payload_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.emulators.vk_events import Events
    from tests.emulators.vk_keyboard import Button
    from tests.emulators.vk_world import Dialog, World

PATIENCE = 10.0  # real seconds a person waits for words that should come
SHORT_WHILE = 0.2  # real seconds of silence that count as silence
TEXT_LENGTH = 4096
TINY_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
START_LABEL = "Начать"
START_PAYLOAD = json.dumps({"command": "start"})
CLIENT_INFO: dict[str, Any] = {
    "button_actions": ["text", "vkpay", "open_app", "location", "open_link", "callback"],
    "keyboard": True,
    "inline_keyboard": True,
    "carousel": True,
    "lang_id": 0,
}


@dataclass(frozen=True)
class _Found:
    message: ChatMessage
    button: Button


class Writer:
    """Somebody with an open conversation: writes there, presses buttons, reads."""

    def __init__(self, world: World, events: Events, *, user_id: int, dialog: Dialog) -> None:
        self.user_id = user_id
        self._world = world
        self._events = events
        self._dialog = dialog
        self.opened: list[str] = []  # links behind the buttons that were pressed
        self._heard: set[int] = set()  # places in `Dialog.spoken` that were waited for
        self._since = 0  # length of `Dialog.spoken` when the person last did or heard something

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user_id

    # What a person does

    async def says(self, text: str, *, reply_to: ChatMessage | int | None = None) -> ChatMessage:
        """Write a message; the app splits a long one. Returns the last part."""
        assert text.strip(), "пустое сообщение приложение не отправит"
        parts = [text[at : at + TEXT_LENGTH] for at in range(0, len(text), TEXT_LENGTH)]
        return [await self._send(part, reply_to=_number(reply_to)) for part in parts][-1]

    async def edits(self, message: ChatMessage, text: str) -> ChatMessage:
        """Change an own message."""
        assert self._world.author_of(message) == self.user_id, "изменить можно только своё сообщение"
        self._act()
        message.text, message.edited = text, True
        await self._tell_edit(message)
        return message

    async def presses(self, label: str) -> ChatMessage | None:
        """Press the newest button with this label; a text button returns the message that it sends."""
        found = self._found(label)
        if found.button.kind == "text":
            keyboard = found.message.keyboard
            if keyboard and keyboard.one_time and not keyboard.inline:
                self._dialog.input_keyboard = None
            return await self._send(self._pressed_text(found.button), payload=found.button.payload)
        self._act()
        if found.button.kind == "callback":
            await self._press_callback(found)
        if found.button.link:
            self.opened.append(found.button.link)
        return None

    async def sends_photo(
        self,
        content: bytes = b"\xff\xd8\xff\xe0photo",
        *,
        caption: str = "",
        reply_to: ChatMessage | int | None = None,
    ) -> ChatMessage:
        """Send one picture."""
        return await self.sends_album([content], caption=caption, reply_to=reply_to)

    async def sends_album(
        self, contents: list[bytes], *, caption: str = "", reply_to: ChatMessage | int | None = None
    ) -> ChatMessage:
        """Send several pictures: in VK they are one message."""
        photos = [self._keep("photo", one, name="photo.jpg", mime="image/jpeg") for one in contents]
        return await self._send(caption, attachments=photos, reply_to=_number(reply_to))

    async def sends_document(
        self,
        name: str,
        content: bytes,
        *,
        mime: str = "application/octet-stream",
        caption: str = "",
        reply_to: ChatMessage | int | None = None,
    ) -> ChatMessage:
        """Send a file."""
        document = self._keep("doc", content, name=name, mime=mime)
        return await self._send(caption, attachments=[document], reply_to=_number(reply_to))

    async def sends_voice(
        self, content: bytes = b"OggS voice", *, reply_to: ChatMessage | int | None = None
    ) -> ChatMessage:
        """Send a voice message."""
        voice = self._keep("audio_message", content, name="voice.ogg", mime="audio/ogg")
        return await self._send("", attachments=[voice], reply_to=_number(reply_to))

    async def sends_sticker(self, sticker_id: int = 134) -> ChatMessage:
        """Send a sticker."""
        return await self._send("", attachments=[Attachment("sticker", owner_id=0, id=sticker_id)])

    # What a person sees

    @property
    def name(self) -> str:
        """First and last name."""
        return self._world.name_of(self.user_id)

    @property
    def chat(self) -> list[ChatMessage]:
        """The whole conversation, both ways."""
        return [message for message in self._dialog.messages if not message.deleted]

    @property
    def actions(self) -> list[str]:
        """What the bot was seen doing («typing»)."""
        return self._dialog.actions

    @property
    def toasts(self) -> list[str]:
        """Texts that popped up after presses of callback buttons."""
        return self._dialog.toasts

    async def hears(self, wanted: str | re.Pattern[str], *, timeout: float = PATIENCE) -> ChatMessage:  # noqa: ASYNC109
        """The next message of the bot with this text in it that was not heard yet; waits real seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout), self._dialog.changed:
                await self._dialog.changed.wait_for(lambda: bool(self._unheard(wanted)))
        places = self._unheard(wanted)
        if not places:
            raise AssertionError(f"за {timeout} с не услышано {wanted!r}\n{self.transcript()}")
        return self._listen(places[0])

    async def hears_nothing(self, for_real_seconds: float = SHORT_WHILE) -> None:
        """Nothing has come since the person last did or heard something, and nothing comes now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(for_real_seconds), self._dialog.changed:
                await self._dialog.changed.wait_for(lambda: bool(self._unheard("", since=self._since)))
        assert not self._unheard("", since=self._since), f"не ждали ответа\n{self.transcript()}"

    async def listens(self) -> AsyncIterator[ChatMessage]:
        """Every message of the bot as it comes, for a console."""
        while True:
            async with self._dialog.changed:
                await self._dialog.changed.wait_for(lambda: bool(self._unheard("")))
            yield self._listen(self._unheard("")[0])

    def unread(self) -> list[ChatMessage]:
        """What the bot said and nobody has heard yet, oldest first."""
        return [self._dialog.spoken[place] for place in self._unheard("")]

    def transcript(self) -> str:
        """The conversation as text, for failures."""
        lines = [f"— {self.name} ({self.user_id}) —", *drawn(self._dialog, self._world)]
        lines += [f"всплыло: {text}" for text in self.toasts]
        return "\n".join(lines)

    def find_button(self, label: str) -> Button:
        """The button that a press of this label would press; AssertionError if there is none."""
        return self._found(label).button

    def _unheard(self, wanted: str | re.Pattern[str], *, since: int = 0) -> list[int]:
        return [
            place
            for place, message in enumerate(self._dialog.spoken)
            if place >= since and place not in self._heard and not message.deleted and _holds(message, wanted)
        ]

    def _listen(self, place: int) -> ChatMessage:
        message = self._dialog.spoken[place]
        # Whoever hears an edited message does not hear its earlier wording any more.
        places = [number for number, one in enumerate(self._dialog.spoken) if one is message]
        self._heard.update(places)
        self._since = max(self._since, places[-1] + 1)
        return message

    def _found(self, label: str) -> _Found:
        shown = [one for one in reversed(self.chat) if one.from_bot and self._is_shown(one)]
        found = [_Found(message, button) for message in shown for button in message.button_objects]
        exact = next((one for one in found if one.button.label == label), None)
        # A label that was too long for VK ends in «…»; a test written for all messengers names it in full.
        chosen = exact or next((one for one in found if _is_shortened(one.button.label, label)), None)
        assert chosen, f"нет кнопки «{label}»\n{self.transcript()}"
        return chosen

    def _is_shown(self, message: ChatMessage) -> bool:
        keyboard = message.keyboard
        return bool(keyboard) and (
            bool(keyboard and keyboard.inline) or message is self._dialog.input_keyboard
        )

    async def _press_callback(self, found: _Found) -> None:
        event_id = uuid4().hex[:12]
        now = self._world.clock.now()
        payload = found.button.payload
        peer = self._dialog.peer_id
        self._world.pressed[event_id] = PressedButton(event_id, self.user_id, peer, payload, now)
        body = {
            "user_id": self.user_id,
            "peer_id": peer,
            "event_id": event_id,
            "payload": payload_of(payload),
            "conversation_message_id": found.message.cmid,
        }
        await self._events.emit("message_event", body)

    def _pressed_text(self, button: Button) -> str:
        """What a press of a text button writes."""
        return button.label

    async def _send(self, text: str, **fields: Any) -> ChatMessage:
        message = await self._world.add_message(self._dialog, from_bot=False, text=text, **fields)
        self._act()
        await self._tell(message)
        return message

    async def _tell(self, message: ChatMessage) -> None:
        """Let the bot know of a new message."""
        body = {"message": self._world.message_json(message), "client_info": CLIENT_INFO}
        await self._events.emit("message_new", body)

    async def _tell_edit(self, message: ChatMessage) -> None:
        """Let the bot know of a new wording."""
        await self._events.emit("message_edit", self._world.message_json(message))

    def _keep(self, kind: str, content: bytes, *, name: str, mime: str) -> Attachment:
        return self._world.store(kind, content, owner_id=self.user_id, name=name, mime=mime)

    def _act(self) -> None:
        self._since = len(self._dialog.spoken)


class Person(Writer):
    """Somebody who talks to the community."""

    def __init__(self, world: World, events: Events, *, user_id: int) -> None:
        super().__init__(world, events, user_id=user_id, dialog=world.dialog_of(user_id))

    async def start(self, payload: str = "") -> ChatMessage:
        """Press «Начать»; `payload` is the `ref` of the link that led here."""
        return await self._send(START_LABEL, payload=START_PAYLOAD, ref=payload)

    async def blocks(self) -> None:
        """Forbid the community to write."""
        self._act()
        self._dialog.allowed = False
        await self._events.emit("message_deny", {"user_id": self.user_id})

    async def unblocks(self, *, key: str = "") -> None:
        """Allow the community to write."""
        self._act()
        self._dialog.allowed = True
        await self._events.emit("message_allow", {"user_id": self.user_id, "key": key})

    def refuses(self, code: int | None) -> None:
        """Let everything sent here fail with this VK error (900, 902, 18 …); None makes peace."""
        self._dialog.refusal = code

    async def _send(self, text: str, **fields: Any) -> ChatMessage:
        if not self._dialog.allowed:
            # Writing first is consent, and VK reports it as such.
            await self.unblocks()
        return await super()._send(text, **fields)


def drawn(dialog: Dialog, world: World) -> list[str]:
    """A conversation as lines of text."""
    return [line for message in dialog.messages for line in _drawn(message, world)]


def _number(message: ChatMessage | int | None) -> int | None:
    return message.id if isinstance(message, ChatMessage) else message


def _holds(message: ChatMessage, wanted: str | re.Pattern[str]) -> bool:
    return bool(wanted.search(message.text)) if isinstance(wanted, re.Pattern) else wanted in message.text


def _is_shortened(label: str, wanted: str) -> bool:
    return label.endswith("…") and wanted.startswith(label[:-1].rstrip())


def _drawn(message: ChatMessage, world: World) -> list[str]:
    who = "бот" if message.from_bot else world.name_of(world.author_of(message))
    marks = " (изменено)" * message.edited + " (удалено)" * message.deleted
    marks += " (убрано сообществом у себя)" * message.removed
    files = "".join(f" [{one.kind} {one.name}]" for one in message.attachments)
    happened = f" [{message.action['type']}]" if message.action else ""
    lines = [f"{who}{marks}: {message.text}{happened}{files}"]
    lines += ["    " + " ".join(f"[{label}]" for label in row) for row in message.buttons]
    return lines
