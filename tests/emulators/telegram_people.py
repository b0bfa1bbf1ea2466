"""People: the app that a human holds, for tests that talk to a bot from outside."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from tests.emulators.telegram_groups import Place

MESSAGE_LIMIT = 4096  # characters; the app splits what is longer
PATIENCE = 10.0  # real seconds a person waits for words that should come
SHORT_WHILE = 0.2  # real seconds of silence that count as silence
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{0,64}")

ADMINISTRATOR_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
"""What is always said of an administrator."""

# The smallest thing the server takes for a photo: a JPEG's first and last bytes.
TINY_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"


@dataclass(frozen=True)
class Stage:
    """What people and groups act upon."""

    world: World
    updates: UpdateQueue
    methods: Methods

    def tell(self, kind: str, chat: Chat, message: StoredMessage) -> None:
        """Let the bot know of a message."""
        self.updates.push(kind, self.world.message_json(chat, message), line=f"chat {chat.id}")

    def change_bot(self, chat: Chat, by: User, status: BotStatus) -> None:
        """Change what the bot is in a chat and tell it."""
        before = _member(self.world.bot.as_json(), chat)
        chat.bot_status = status
        self._tell_change(chat, by, before)

    def change_rights(self, chat: Chat, by: User, *, may_post: bool) -> None:
        """Change what the bot may do in a channel and tell it."""
        before = _member(self.world.bot.as_json(), chat)
        chat.bot_may_post = may_post
        self._tell_change(chat, by, before)

    def _tell_change(self, chat: Chat, by: User, before: Mapping[str, Any]) -> None:
        bot = self.world.bot.as_json()
        self.updates.push(
            "my_chat_member",
            {
                "chat": chat.as_json(),
                "from": by.as_json(),
                "date": int(self.world.clock.now().timestamp()),
                "old_chat_member": before,
                "new_chat_member": _member(bot, chat),
            },
            line=f"member {chat.id}",
        )


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
class Person(Room):
    """A human with the app: alone with the bot, or, where `chat` says so, in a group or a topic of one."""

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
        self, text: str, *, reply_to: ChatMessage | int | None = None, chat: Place | None = None
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

    async def edits(self, message: ChatMessage | int, text: str, *, chat: Place | None = None) -> ChatMessage:
        """Change one's own text or caption."""
        room: Room = chat.group if chat else self
        stored = room._chat.messages[_id_of(message) or 0]
        assert stored.author is self.user, "a person edits only their own messages"
        stored.body = Formatted(text, tuple(detect_entities(text)))
        stored.edited_at = self._stage.world.clock.now()
        room.noticed_deed()
        if chat is None or chat.group.takes(stored):
            self._stage.tell("edited_message", room._chat, stored)
        return room._chat.seen(stored)

    async def presses(self, what: str | Button, *, chat: Place | None = None) -> str | None:
        """Press a button (by label: the newest one); returns the callback query's id if it makes one."""
        room: Room = chat.group if chat else self
        button = what if isinstance(what, Button) else room.find_button(what)
        if chat is not None:
            chat.group.expects(self)
        room.noticed_deed()
        if not button.inline:
            await self.says(button.label, chat=chat)
            return None
        if button.url is not None:
            self.opened.append(button.url)
            return None
        assert button.data is not None, f"{button} does nothing that the emulator knows"
        return self._query(button)

    async def sends_photo(
        self,
        content: bytes = TINY_JPEG,
        *,
        caption: str = "",
        reply_to: ChatMessage | int | None = None,
        chat: Place | None = None,
    ) -> ChatMessage:
        """Send a photo."""
        return self._sends_file(AlbumItem(content), caption, chat=chat, reply_to=_id_of(reply_to))

    async def sends_document(
        self,
        name: str,
        content: bytes,
        *,
        mime: str = "application/octet-stream",
        caption: str = "",
        reply_to: ChatMessage | int | None = None,
        chat: Place | None = None,
    ) -> ChatMessage:
        """Send a file."""
        item = AlbumItem(content, name, mime, "document")
        return self._sends_file(item, caption, chat=chat, reply_to=_id_of(reply_to))

    async def sends_video(self, content: bytes = b"video", *, caption: str = "") -> ChatMessage:
        """Send a video."""
        return self._sends_file(AlbumItem(content, "video.mp4", "video/mp4", "video"), caption)

    async def sends_voice(
        self,
        content: bytes = b"OggS",
        *,
        reply_to: ChatMessage | int | None = None,
        chat: Place | None = None,
    ) -> ChatMessage:
        """Send a voice message."""
        item = AlbumItem(content, None, "audio/ogg", "voice")
        return self._sends_file(item, "", chat=chat, reply_to=_id_of(reply_to))

    async def sends_sticker(self) -> ChatMessage:
        """Send a sticker."""
        return self._sends_file(AlbumItem(b"RIFF", None, "image/webp", "sticker"), "")

    async def sends_album(
        self,
        contents: Sequence[bytes | AlbumItem],
        *,
        caption: str = "",
        reply_to: ChatMessage | int | None = None,
        chat: Place | None = None,
    ) -> list[ChatMessage]:
        """Send several at once: separate messages with one media_group_id, the caption on the first.

        As an answer, each of them is one.
        """
        assert 2 <= len(contents) <= 10, "an album holds 2-10 items"
        album = self._stage.world.new_media_group_id()
        whole = [item if isinstance(item, AlbumItem) else AlbumItem(item) for item in contents]
        return [
            self._sends_file(
                item, "" if index else caption, album=album, chat=chat, reply_to=_id_of(reply_to)
            )
            for index, item in enumerate(whole)
        ]

    async def shares_contact(self, phone: str) -> ChatMessage:
        """Send one's own phone number as a contact."""
        contact = {"phone_number": phone, "first_name": self.user.first_name, "user_id": self.user.id}
        return self._sends(Formatted(""), service={"contact": contact})

    async def blocks(self) -> None:
        """Stop the bot."""
        self._stage.change_bot(self._chat, self.user, "kicked")

    async def unblocks(self) -> None:
        """Let the bot write again."""
        self._stage.change_bot(self._chat, self.user, "member")

    async def deletes_account(self) -> None:
        """Leave Telegram: the bot gets no event, only 403 on its next message."""
        self.user.deactivated = True

    def _sends_file(
        self,
        item: AlbumItem,
        caption: str,
        *,
        album: str | None = None,
        chat: Place | None = None,
        reply_to: int | None = None,
    ) -> ChatMessage:
        file = self._stage.world.add_file(item.kind, name=item.name, mime=item.mime, content=item.content)
        body = Formatted(caption, tuple(detect_entities(caption)))
        return self._sends(body, attachment=file, media_group_id=album, chat=chat, reply_to=reply_to)

    def _sends(
        self,
        body: Formatted,
        *,
        chat: Place | None = None,
        reply_to: int | None = None,
        attachment: Attachment | None = None,
        media_group_id: str | None = None,
        service: Mapping[str, Any] | None = None,
    ) -> ChatMessage:
        if chat is not None:
            chat.group.expects(self)
            thread = chat.thread_for(reply_to)
        else:
            assert self._chat.bot_status != "kicked", "a person who blocked the bot cannot write to it"
            self._chat.started, self._chat.bot_status = True, "member"
            thread = None
        room: Room = chat.group if chat else self
        room.noticed_deed()
        message = self._stage.world.add_message(
            room._chat,
            self.user,
            body,
            reply_to=reply_to,
            attachment=attachment,
            media_group_id=media_group_id,
            service=service or {},
            thread=thread,
        )
        if chat is None or chat.group.takes(message):
            self._stage.tell("message", room._chat, message)
        return room._chat.seen(message)

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


def _member(bot: Mapping[str, Any], chat: Chat) -> dict[str, Any]:
    body = {"status": chat.bot_status, "user": bot}
    if chat.bot_status == "kicked":
        return {**body, "until_date": 0}
    if chat.bot_status == "administrator":
        rights = dict.fromkeys(ADMINISTRATOR_RIGHTS, False)
        rights["can_manage_chat"] = True
        if chat.kind == "channel":
            return {**body, **rights, "can_post_messages": chat.bot_may_post, "can_edit_messages": False}
        return {**body, **rights, "can_manage_topics": chat.bot_manages_topics}
    return body


def _id_of(message: ChatMessage | int | None) -> int | None:
    return message.id if isinstance(message, ChatMessage) else message


def _contains(words: str, what: str | re.Pattern[str]) -> bool:
    return what in words if isinstance(what, str) else what.search(words) is not None


def _pattern_text(what: str | re.Pattern[str]) -> str:
    return what if isinstance(what, str) else what.pattern
