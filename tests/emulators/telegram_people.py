"""People and groups: the app that a human holds, for tests that talk to a bot from outside."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.telegram_methods import CallbackQuery, Methods
from tests.emulators.telegram_text import Formatted, detect_entities
from tests.emulators.telegram_updates import UpdateQueue
from tests.emulators.telegram_world import (
    Attachment,
    BotStatus,
    Button,
    Chat,
    ChatMessage,
    FileKind,
    StoredMessage,
    User,
    World,
    transcript_of,
)

MESSAGE_LIMIT = 4096  # characters; the app splits what is longer
PATIENCE = 10.0  # real seconds a person waits for words that should come
SHORT_WHILE = 0.2  # real seconds of silence that count as silence
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{0,64}")

# The smallest thing the server takes for a photo: a JPEG's first and last bytes.
TINY_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"


@dataclass(frozen=True)
class Stage:
    """What people and groups act upon."""

    world: World
    updates: UpdateQueue
    methods: Methods


@dataclass(frozen=True)
class AlbumItem:
    """A photo or a document of an album."""

    content: bytes
    name: str | None = None
    mime: str = "image/jpeg"
    kind: FileKind = "photo"


@dataclass
class Room:
    """A chat with somebody who reads it."""

    _stage: Stage
    _chat: Chat
    _heard: set[int] = field(default_factory=set)
    """Places in `Chat.spoken` that were waited for."""
    _since: int = 0
    """Length of `Chat.spoken` when somebody here last did or heard something."""

    @property
    def id(self) -> int:
        """The chat's id on the wire."""
        return self._chat.id

    @property
    def chat(self) -> list[ChatMessage]:
        """Everything that is in the chat now, both ways."""
        return [self._chat.seen(message) for message in self._chat.messages.values()]

    @property
    def actions(self) -> list[str]:
        """What the bot was seen doing («typing»)."""
        return self._chat.actions

    def transcript(self) -> str:
        """The chat as text, for failures."""
        return transcript_of(self.chat, toasts=self._stage.methods.toasts.get(self._chat.id, ()))

    def unread(self) -> list[ChatMessage]:
        """What the bot said and nobody has heard yet, oldest first."""
        return [message for _, message in self._unheard()]

    async def hears(self, what: str | re.Pattern[str], *, timeout: float = PATIENCE) -> ChatMessage:  # noqa: ASYNC109 - a person's patience
        """Wait for the next bot message not heard yet that holds these words; an edited one is said anew."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for place, message in self._unheard():
                        if _contains(message.words, what):
                            self._heard.add(place)
                            self._since = max(self._since, place + 1)
                            return message
                    await self._stage.world.changed.next()
        except TimeoutError:
            raise AssertionError(
                f"{self._chat.as_json()} did not hear {_pattern_text(what)!r}; the chat:\n{self.transcript()}"
            ) from None

    async def hears_nothing(self, for_real_seconds: float = SHORT_WHILE) -> None:
        """Fail if the bot has spoken since somebody here last did or heard something, or does so now."""
        try:
            async with asyncio.timeout(for_real_seconds):
                while not (words := self._unheard(since=self._since)):
                    await self._stage.world.changed.next()
        except TimeoutError:
            return
        raise AssertionError(f"unexpected words: {words[0][1].words!r}; the chat:\n{self.transcript()}")

    def _unheard(self, *, since: int = 0) -> list[tuple[int, ChatMessage]]:
        return [
            (place, self._chat.seen(self._chat.messages[message_id]))
            for place, message_id in enumerate(self._chat.spoken)
            if place >= since and place not in self._heard and message_id in self._chat.messages
        ]

    def find_button(self, label: str) -> Button:
        """The button with this label on the newest message that has it."""
        for message in reversed(self.chat):
            for button in (button for row in message.keyboard for button in row):
                if button.label == label:
                    return button
        raise AssertionError(f"no button {label!r}; the chat:\n{self.transcript()}")

    def noticed_deed(self) -> None:
        """Somebody here did something: silence is measured from now on."""
        self._since = len(self._chat.spoken)


@dataclass
class Group(Room):
    """A group chat; the bot sees commands, replies to it and mentions, as privacy mode has it."""

    sees_everything: bool = False

    async def adds_bot(self, by: Person) -> None:
        """A member brings the bot in."""
        self._change_bot(by, "member")
        self._service(self._chat, {"new_chat_members": [self._stage.world.bot.as_json()]})

    async def kicks_bot(self, by: Person) -> None:
        """A member throws the bot out."""
        self._change_bot(by, "kicked")

    async def becomes_supergroup(self) -> Group:
        """Telegram upgrades the group: the old id answers with the new one."""
        world = self._stage.world
        old = self._chat
        new = Chat(-(10**12) - abs(old.id), "supergroup", title=old.title, members=set(old.members))
        new.bot_status = old.bot_status
        world.chats[new.id] = new
        old.migrated_to = new.id
        upgraded = Group(self._stage, new, sees_everything=self.sees_everything)
        self._service(old, {"migrate_to_chat_id": new.id})
        self._service(new, {"migrate_from_chat_id": old.id})
        return upgraded

    def takes(self, message: StoredMessage) -> bool:
        """Whether the bot is told of this message."""
        if self._chat.bot_status != "member":
            return False
        bot = self._stage.world.bot
        quoted = self._chat.messages.get(message.reply_to or 0)
        return (
            self.sees_everything
            or message.body.text.startswith("/")
            or f"@{bot.username}" in message.body.text
            or (quoted is not None and quoted.author is bot)
        )

    def _service(self, chat: Chat, what: Mapping[str, Any]) -> None:
        world = self._stage.world
        author = world.users[min(chat.members)]
        message = world.add_message(chat, author, Formatted(""), service=what)
        self._stage.updates.push("message", world.message_json(chat, message), line=f"chat {chat.id}")

    def _change_bot(self, by: Person, status: BotStatus) -> None:
        _push_bot_status(self._stage, self._chat, by.user, status)


@dataclass
class Person(Room):
    """A human with the app, in the private chat with the bot."""

    user: User = field(kw_only=True)
    opened: list[str] = field(default_factory=list)
    """Links behind the buttons that were pressed."""

    @property
    def toasts(self) -> list[str]:
        """Texts that popped up after presses."""
        return self._stage.methods.toasts.setdefault(self.user.id, [])

    async def start(self, payload: str = "") -> ChatMessage:
        """Press START, perhaps come by a deep link."""
        assert _PAYLOAD.fullmatch(payload), "Telegram takes at most 64 of A-Z a-z 0-9 _ - in ?start="
        if self._chat.bot_status == "kicked":
            await self.unblocks()
        return await self.says(f"/start {payload}".strip())

    async def says(
        self, text: str, *, reply_to: ChatMessage | int | None = None, chat: Group | None = None
    ) -> ChatMessage:
        """Write a text; the app splits a long one. Returns the (last) bubble."""
        text = text.strip()
        assert text, "the app does not send an empty message"
        parts = [text[at : at + MESSAGE_LIMIT] for at in range(0, len(text), MESSAGE_LIMIT)]
        sent = [
            self._sends(Formatted(part, tuple(detect_entities(part))), chat=chat, reply_to=_id_of(reply_to))
            for part in parts
        ]
        return sent[-1]

    async def edits(self, message: ChatMessage | int, text: str) -> ChatMessage:
        """Change one's own text or caption."""
        stored = self._chat.messages[_id_of(message) or 0]
        assert stored.author is self.user, "a person edits only their own messages"
        stored.body = Formatted(text, tuple(detect_entities(text)))
        stored.edited_at = self._stage.world.clock.now()
        self.noticed_deed()
        self._tell("edited_message", self._chat, stored)
        return self._chat.seen(stored)

    async def presses(self, what: str | Button, *, chat: Group | None = None) -> str | None:
        """Press a button (by label: the newest one); returns the callback query's id if it makes one."""
        room: Room = chat or self
        button = what if isinstance(what, Button) else room.find_button(what)
        room.noticed_deed()
        if not button.inline:
            await self.says(button.label, chat=chat)
            return None
        if button.url is not None:
            self.opened.append(button.url)
            return None
        assert button.data is not None, f"{button} does nothing that the emulator knows"
        return self._query(button)

    async def sends_photo(self, content: bytes = TINY_JPEG, *, caption: str = "") -> ChatMessage:
        """Send a photo."""
        return self._sends_file(AlbumItem(content), caption)

    async def sends_document(
        self, name: str, content: bytes, *, mime: str = "application/octet-stream", caption: str = ""
    ) -> ChatMessage:
        """Send a file."""
        return self._sends_file(AlbumItem(content, name, mime, "document"), caption)

    async def sends_video(self, content: bytes = b"video", *, caption: str = "") -> ChatMessage:
        """Send a video."""
        return self._sends_file(AlbumItem(content, "video.mp4", "video/mp4", "video"), caption)

    async def sends_voice(self, content: bytes = b"OggS") -> ChatMessage:
        """Send a voice message."""
        return self._sends_file(AlbumItem(content, None, "audio/ogg", "voice"), "")

    async def sends_sticker(self) -> ChatMessage:
        """Send a sticker."""
        return self._sends_file(AlbumItem(b"RIFF", None, "image/webp", "sticker"), "")

    async def sends_album(
        self, contents: Sequence[bytes | AlbumItem], *, caption: str = ""
    ) -> list[ChatMessage]:
        """Send several at once: separate messages with one media_group_id, the caption on the first."""
        assert 2 <= len(contents) <= 10, "an album holds 2-10 items"
        album = self._stage.world.new_media_group_id()
        whole = [item if isinstance(item, AlbumItem) else AlbumItem(item) for item in contents]
        return [
            self._sends_file(item, "" if index else caption, album=album) for index, item in enumerate(whole)
        ]

    async def shares_contact(self, phone: str) -> ChatMessage:
        """Send one's own phone number as a contact."""
        contact = {"phone_number": phone, "first_name": self.user.first_name, "user_id": self.user.id}
        return self._sends(Formatted(""), service={"contact": contact})

    async def blocks(self) -> None:
        """Stop the bot."""
        _push_bot_status(self._stage, self._chat, self.user, "kicked")

    async def unblocks(self) -> None:
        """Let the bot write again."""
        _push_bot_status(self._stage, self._chat, self.user, "member")

    async def deletes_account(self) -> None:
        """Leave Telegram: the bot gets no event, only 403 on its next message."""
        self.user.deactivated = True

    def _sends_file(self, item: AlbumItem, caption: str, *, album: str | None = None) -> ChatMessage:
        file = self._stage.world.add_file(item.kind, name=item.name, mime=item.mime, content=item.content)
        body = Formatted(caption, tuple(detect_entities(caption)))
        return self._sends(body, attachment=file, media_group_id=album)

    def _sends(
        self,
        body: Formatted,
        *,
        chat: Group | None = None,
        reply_to: int | None = None,
        attachment: Attachment | None = None,
        media_group_id: str | None = None,
        service: Mapping[str, Any] | None = None,
    ) -> ChatMessage:
        room = chat._chat if chat else self._chat
        (chat or self).noticed_deed()
        if chat is None:
            assert room.bot_status != "kicked", "a person who blocked the bot cannot write to it"
            room.started, room.bot_status = True, "member"
        message = self._stage.world.add_message(
            room,
            self.user,
            body,
            reply_to=reply_to,
            attachment=attachment,
            media_group_id=media_group_id,
            service=service or {},
        )
        if chat is None or chat.takes(message):
            self._tell("message", room, message)
        return room.seen(message)

    def _tell(self, kind: str, chat: Chat, message: StoredMessage) -> None:
        world = self._stage.world
        self._stage.updates.push(kind, world.message_json(chat, message), line=f"chat {chat.id}")

    def _query(self, button: Button) -> str:
        world = self._stage.world
        chat = world.chats[button.chat_id]
        assert button.data is not None
        query = CallbackQuery(str(secrets.randbits(62)), self.user.id, button.data, world.clock.now())
        self._stage.methods.callbacks[query.id] = query
        message = chat.messages.get(button.message_id)
        shown = (
            world.message_json(chat, message)
            if message
            else {"chat": chat.as_json(), "message_id": button.message_id, "date": 0}
        )
        payload = {
            "id": query.id,
            "from": self.user.as_json(),
            "message": shown,
            "chat_instance": str(chat.id * 7919),
            "data": query.data,
        }
        self._stage.updates.push("callback_query", payload, line=f"callback {self.user.id}")
        return query.id


def _push_bot_status(stage: Stage, chat: Chat, by: User, status: BotStatus) -> None:
    """Change what the bot is in a chat and tell it."""
    bot = stage.world.bot.as_json()
    before, chat.bot_status = chat.bot_status, status
    stage.updates.push(
        "my_chat_member",
        {
            "chat": chat.as_json(),
            "from": by.as_json(),
            "date": int(stage.world.clock.now().timestamp()),
            "old_chat_member": _member(bot, before),
            "new_chat_member": _member(bot, status),
        },
        line=f"member {chat.id}",
    )


def _member(bot: Mapping[str, Any], status: BotStatus) -> dict[str, Any]:
    return {"status": status, "user": bot, **({"until_date": 0} if status == "kicked" else {})}


def _id_of(message: ChatMessage | int | None) -> int | None:
    return message.id if isinstance(message, ChatMessage) else message


def _contains(words: str, what: str | re.Pattern[str]) -> bool:
    return what in words if isinstance(what, str) else what.search(words) is not None


def _pattern_text(what: str | re.Pattern[str]) -> str:
    return what if isinstance(what, str) else what.pattern
