"""What Telegram knows: users, chats, messages and files, as the app shows them and as bots receive them."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.clock import Clock
from tests.emulators.telegram_crowd import Crowd
from tests.emulators.telegram_spec import bad_request
from tests.emulators.telegram_text import Entity, Formatted

FileKind = Literal["photo", "document", "voice", "video", "audio", "sticker"]
ChatKind = Literal["private", "group", "supergroup", "channel"]
BotStatus = Literal["member", "administrator", "left", "kicked"]

TOPIC_COLOUR = 7322096
LINK_LIFE = timedelta(hours=1)  # getFile: the link is valid for at least one hour
FOLDERS = {"photo": "photos", "voice": "voice", "video": "videos", "audio": "music", "sticker": "stickers"}
SUFFIXES = {"photo": ".jpg", "voice": ".oga", "video": ".mp4", "sticker": ".webp"}


class Signal:
    """Wakes everybody who waits for a change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        """Something has changed."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def next(self) -> None:
        """Wait for the next change."""
        await self._event.wait()


@dataclass(frozen=True)
class Button:
    """A button as a person sees it, with what it stands for."""

    label: str
    chat_id: int
    message_id: int
    data: str | None = None
    url: str | None = None
    inline: bool = True


@dataclass(frozen=True)
class Attachment:
    """A file kept by the server."""

    kind: FileKind
    file_id: str
    unique_id: str
    name: str | None
    mime: str
    content: bytes
    path: str

    def as_json(self) -> Any:
        """The Bot API object: a list of sizes for a photo, an object for the rest."""
        same = {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": len(self.content)}
        match self.kind:
            case "photo":
                small = {**same, "file_id": f"{self.file_id}s", "file_unique_id": f"{self.unique_id}s"}
                return [
                    {**small, "width": 90, "height": 67, "file_size": min(1500, len(self.content))},
                    {**same, "width": 1280, "height": 960},
                ]
            case "voice":
                return {**same, "duration": 3, "mime_type": self.mime}
            case "audio":
                return {**same, "duration": 3, "mime_type": self.mime, "file_name": self.name}
            case "video":
                sizes = {"width": 640, "height": 480, "duration": 3}
                return {**same, **sizes, "mime_type": self.mime, "file_name": self.name}
            case "sticker":
                shape = {"type": "regular", "width": 512, "height": 512, "emoji": "👍"}
                return {**same, **shape, "is_animated": False, "is_video": False}
            case "document":
                return {**same, "file_name": self.name, "mime_type": self.mime}


@dataclass(frozen=True)
class ChatMessage:
    """One bubble in a chat, as a person sees it."""

    id: int
    from_bot: bool
    author: str
    text: str
    html: str
    caption: str
    keyboard: tuple[tuple[Button, ...], ...]
    files: tuple[Attachment, ...]
    reply_to: int | None
    edited: bool
    at: datetime
    media_group_id: str | None = None
    thread: int | None = None
    """The topic of a forum that it is in."""

    @property
    def buttons(self) -> list[list[str]]:
        """Labels of the buttons, row by row."""
        return [[button.label for button in row] for row in self.keyboard]

    @property
    def words(self) -> str:
        """Text or caption, whichever there is."""
        return self.text or self.caption

    @property
    def photo(self) -> bytes | None:
        """Bytes of the photo, if it is one."""
        return next((file.content for file in self.files if file.kind == "photo"), None)

    @property
    def document(self) -> bytes | None:
        """Bytes of the document, if it is one."""
        return next((file.content for file in self.files if file.kind == "document"), None)

    @property
    def file_name(self) -> str | None:
        """Name of the attached file."""
        return next((file.name for file in self.files), None)

    def button(self, label: str) -> Button:
        """The button with this label; AssertionError if there is none."""
        for row in self.keyboard:
            for button in row:
                if button.label == label:
                    return button
        raise AssertionError(f"no button {label!r} in {self.buttons}")


@dataclass
class User:
    """Somebody with an account."""

    id: int
    first_name: str
    username: str | None = None
    is_bot: bool = False
    deactivated: bool = False

    def as_json(self) -> dict[str, Any]:
        """The Bot API object."""
        body = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            body["username"] = self.username
        return body if self.is_bot else {**body, "language_code": "ru"}


@dataclass
class StoredMessage:
    """One message, whoever wrote it."""

    id: int
    author: User
    at: datetime
    body: Formatted
    attachment: Attachment | None = None
    markup: Mapping[str, Any] | None = None
    reply_to: int | None = None
    media_group_id: str | None = None
    edited_at: datetime | None = None
    service: Mapping[str, Any] = field(default_factory=dict)
    thread: int | None = None
    sender_chat: Mapping[str, Any] | None = None
    """In whose name it was written: an anonymous administrator's group, or a channel."""

    @property
    def inline_keyboard(self) -> Sequence[Sequence[Mapping[str, Any]]]:
        """Rows of the inline keyboard; empty without one."""
        rows: Sequence[Sequence[Mapping[str, Any]]] = (self.markup or {}).get("inline_keyboard", ())
        return rows


@dataclass
class StoredTopic:
    """A topic of a forum, known by the id of the message that opened it."""

    id: int
    name: str
    is_closed: bool = False


@dataclass
class Chat:
    """A chat of the bot with a person, or a group."""

    id: int
    kind: ChatKind
    user: User | None = None
    title: str = ""
    members: set[int] = field(default_factory=set)
    started: bool = False
    bot_status: BotStatus = "left"
    bot_manages_topics: bool = False
    """A right of an administrator."""
    bot_may_post: bool = False
    """A right of an administrator of a channel."""
    is_forum: bool = False
    topics: dict[int, StoredTopic] = field(default_factory=dict)
    """Those that were not deleted; «General» is none of them."""
    is_deleted: bool = False
    migrated_to: int | None = None
    own_ids: Iterator[int] | None = None
    """A supergroup counts its messages itself; private chats and groups share one count."""
    messages: dict[int, StoredMessage] = field(default_factory=dict)
    spoken: list[int] = field(default_factory=list)
    """Ids of what the bot said or changed, in order: what a person may hear."""
    reply_keyboard: tuple[int, Mapping[str, Any]] | None = None
    actions: list[str] = field(default_factory=list)
    crowd: Crowd | None = None
    """Where somebody of a crowd reads, only how often is kept."""

    def as_json(self) -> dict[str, Any]:
        """The Bot API object."""
        if self.user is None:
            group = {"id": self.id, "type": self.kind, "title": self.title}
            return {**group, "is_forum": True} if self.is_forum else group
        body = {"id": self.id, "type": "private", "first_name": self.user.first_name}
        return {**body, "username": self.user.username} if self.user.username else body

    def seen(self, message: StoredMessage) -> ChatMessage:
        """A message as a person sees it."""
        rows: Sequence[Sequence[Any]] = message.inline_keyboard
        inline = True
        if self.reply_keyboard and self.reply_keyboard[0] == message.id:
            rows, inline = self.reply_keyboard[1]["keyboard"], False
        keyboard = tuple(tuple(self._button(message.id, raw, inline=inline) for raw in row) for row in rows)
        plain = message.attachment is None
        return ChatMessage(
            id=message.id,
            from_bot=message.author.is_bot and message.sender_chat is None,
            author=message.author.first_name,
            text=message.body.text if plain else "",
            html=message.body.html,
            caption="" if plain else message.body.text,
            keyboard=keyboard,
            files=(message.attachment,) if message.attachment else (),
            reply_to=message.reply_to,
            edited=message.edited_at is not None,
            at=message.at,
            media_group_id=message.media_group_id,
            thread=message.thread,
        )

    def _button(self, message_id: int, raw: Mapping[str, Any] | str, *, inline: bool) -> Button:
        if isinstance(raw, str):
            return Button(raw, self.id, message_id, inline=False)
        return Button(raw["text"], self.id, message_id, raw.get("callback_data"), raw.get("url"), inline)


class World:
    """Everything the server remembers; no rules about who may do what."""

    def __init__(self, *, clock: Clock, bot: User) -> None:
        self.clock = clock
        self.bot = bot
        self.users: dict[int, User] = {bot.id: bot}
        self.chats: dict[int, Chat] = {}
        self.crowds: list[Crowd] = []
        self.changed = Signal()
        self._files: dict[str, Attachment] = {}
        self._links: dict[str, tuple[Attachment, datetime]] = {}
        self._message_ids = itertools.count(1001)
        self._file_numbers = itertools.count()
        self._group_ids = itertools.count(13_912_345_678_901_234)

    def add_user(self, user: User) -> Chat:
        """Register a person together with the still empty chat."""
        self.users[user.id] = user
        return self.chats.setdefault(user.id, Chat(user.id, "private", user=user))

    def new_media_group_id(self) -> str:
        """An id for an album."""
        return str(next(self._group_ids))

    def add_message(self, chat: Chat, author: User, body: Formatted, **rest: Any) -> StoredMessage:
        """Put a message into a chat; `rest` are fields of `StoredMessage`."""
        number = next(chat.own_ids or self._message_ids)
        message = StoredMessage(number, author, self.clock.now(), body, **rest)
        if chat.crowd is not None:
            chat.crowd.take(chat.id, body.text)
        chat.messages[message.id] = message
        if author is self.bot and not message.service:
            chat.spoken.append(message.id)
        self.changed.fire()
        return message

    def open_topic(self, chat: Chat, author: User, *, name: str) -> StoredMessage:
        """Open a topic of a forum: its id is the id of the message that says so."""
        what = {"forum_topic_created": {"name": name, "icon_color": TOPIC_COLOUR}}
        message = self.add_message(chat, author, Formatted(""), service=what)
        message.thread = message.id
        chat.topics[message.id] = StoredTopic(message.id, name)
        return message

    def add_file(self, kind: FileKind, *, name: str | None, mime: str, content: bytes) -> Attachment:
        """Keep a file and give it an id."""
        number = next(self._file_numbers)
        suffix = SUFFIXES.get(kind) or ("." + name.rsplit(".", 1)[1] if name and "." in name else "")
        attachment = Attachment(
            kind=kind,
            file_id=f"AgACAgIAAxkBAA{secrets.token_urlsafe(24)}x",
            unique_id=f"AQAD{secrets.token_urlsafe(8)}",
            name=name,
            mime=mime,
            content=content,
            path=f"{FOLDERS.get(kind, 'documents')}/file_{number}{suffix}",
        )
        self._files[attachment.file_id] = attachment
        if kind == "photo":
            self._files[f"{attachment.file_id}s"] = replace(attachment, file_id=f"{attachment.file_id}s")
        return attachment

    def file(self, file_id: str) -> Attachment | None:
        """The file with this id."""
        return self._files.get(file_id)

    def open_link(self, attachment: Attachment) -> None:
        """Make the file's path downloadable for an hour."""
        self._links[attachment.path] = (attachment, self.clock.now() + LINK_LIFE)

    def linked(self, path: str) -> Attachment | None:
        """The file under this path, while the link lives."""
        attachment, until = self._links.get(path, (None, None))
        return attachment if until and self.clock.now() <= until else None

    def message_json(self, chat: Chat, message: StoredMessage, *, nested: bool = False) -> dict[str, Any]:
        """The Bot API object; a quoted message carries no quote of its own."""
        quoted = chat.messages.get(message.reply_to or message.thread or 0)
        body: dict[str, Any] = {
            "message_id": message.id,
            "from": message.author.as_json(),
            "chat": chat.as_json(),
            "date": int(message.at.timestamp()),
            **message.service,
            **_whereabouts(chat, message),
        }
        if chat.kind == "channel":
            # A post is the channel's own: bots do not learn who wrote it.
            del body["from"]
            body["sender_chat"] = chat.as_json()
        if message.sender_chat:
            body["sender_chat"] = message.sender_chat
        if message.edited_at:
            body["edit_date"] = int(message.edited_at.timestamp())
        if message.media_group_id:
            body["media_group_id"] = message.media_group_id
        if message.inline_keyboard:
            body["reply_markup"] = {"inline_keyboard": message.inline_keyboard}
        # What answers nothing in a topic is shown to bots as an answer to the message that opened it.
        if quoted and quoted is not message and not nested:
            body["reply_to_message"] = self.message_json(chat, quoted, nested=True)
        return body | _content(message)

    def chat_of(self, chat_id: int | str) -> Chat:
        """The chat with this id or @username."""
        if chat_id == "":
            raise bad_request("chat_id is empty")
        if isinstance(chat_id, str):
            named = (chat for chat in self.chats.values() if _username(chat) == chat_id.removeprefix("@"))
            found = next(named, None)
        else:
            found = self.chats.get(chat_id) or self._chat_in_crowd(chat_id)
        if found is None:
            raise bad_request("chat not found")
        return found

    def _chat_in_crowd(self, chat_id: int) -> Chat | None:
        """A chat made for one request."""
        crowd = next((crowd for crowd in self.crowds if chat_id in crowd.ids), None)
        if crowd is None:
            return None
        status: BotStatus = "kicked" if chat_id in crowd.blocked else "member"
        user = User(chat_id, "Читатель")
        return Chat(chat_id, "private", user=user, started=True, bot_status=status, crowd=crowd)


def _whereabouts(chat: Chat, message: StoredMessage) -> dict[str, Any]:
    """The topic; outside of topics an answer in a supergroup has a «thread» too, which is none."""
    if message.thread is not None and chat.is_forum:
        return {"message_thread_id": message.thread, "is_topic_message": True}
    if chat.kind == "supergroup" and message.reply_to is not None:
        return {"message_thread_id": message.reply_to}
    return {}


def transcript_of(messages: Iterable[ChatMessage], *, toasts: Sequence[str] = ()) -> str:
    """A chat as text, for people who read a failed test."""
    lines = []
    for message in messages:
        who = f"🤖 {message.author}" if message.from_bot else message.author
        files = "".join(f" [{file.kind} {file.name or ''}]" for file in message.files)
        quote = f" (ответ на {message.reply_to})" if message.reply_to else ""
        edited = " (изменено)" if message.edited else ""
        lines.append(f"{message.id} {who}{quote}{edited}:{files} {message.words}")
        lines += ["        " + " ".join(f"[{label}]" for label in row) for row in message.buttons]
    lines += [f"        всплыло: {toast}" for toast in toasts]
    return "\n".join(lines) or "(в чате пусто)"


def _content(message: StoredMessage) -> dict[str, Any]:
    text_field, entity_field = "text", "entities"
    body: dict[str, Any] = {}
    if message.attachment:
        text_field, entity_field = "caption", "caption_entities"
        body[message.attachment.kind] = message.attachment.as_json()
    if message.body.text:
        body[text_field] = message.body.text
    if message.body.entities:
        body[entity_field] = list[Entity](message.body.entities)
    return body


def _username(chat: Chat) -> str | None:
    return chat.user.username if chat.user else None
