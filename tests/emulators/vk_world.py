"""What VK's servers remember: dialogs, messages, files."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from tests.emulators.vk_wall import Wall

if TYPE_CHECKING:
    from bot.clock import Clock
    from tests.emulators.vk_crowd import Crowd
    from tests.emulators.vk_keyboard import Button, Keyboard

CHAT_PEERS = 2_000_000_000  # peers above are group chats, numbered as this community sees them
# random_id is compared within the last hour and the last 100 messages of the dialog (messages.send).
DEDUPE_TIME = timedelta(hours=1)
DEDUPE_MESSAGES = 100


@dataclass
class Attachment:
    """A file in VK's storage, or a sticker."""

    kind: str  # photo, doc, audio_message, sticker
    owner_id: int
    id: int
    access_key: str = ""
    name: str = ""
    content: bytes = b""
    mime: str = "application/octet-stream"
    url: str = ""
    token: str = ""  # what the upload server hands over to be saved
    at: int = 0

    def as_json(self) -> dict[str, Any]:
        """The object in a message's `attachments`."""
        return {"type": self.kind, self.kind: self.body()}

    def body(self) -> dict[str, Any]:
        """The object that the save methods answer with."""
        common: dict[str, Any] = {"id": self.id, "owner_id": self.owner_id, "access_key": self.access_key}
        if self.kind == "photo":
            return common | self._photo()
        if self.kind == "doc":
            extension = self.name.rpartition(".")[2]
            title = {"title": self.name, "size": len(self.content), "ext": extension}
            return common | title | {"date": self.at, "type": _doc_type(extension), "url": self.url}
        if self.kind == "audio_message":
            links = {"link_ogg": self.url, "link_mp3": self.url}
            return common | links | {"duration": 3, "waveform": [0, 3, 9, 3, 0]}
        return {"inner_type": "base_sticker_new", "sticker_id": self.id, "product_id": 1, "is_allowed": True}

    def _photo(self) -> dict[str, Any]:
        scales = {"s": 75, "m": 130, "x": 604, "y": 807, "z": 1080, "w": 2560}
        sizes = [
            {"type": kind, "width": width, "height": width * 3 // 4, "url": self.url}
            for kind, width in scales.items()
        ]
        original = {"type": "base", "width": 2560, "height": 1920, "url": self.url}
        place = {"album_id": -3, "date": self.at, "text": "", "has_tags": False, "web_view_token": "0"}
        return place | {"sizes": sizes, "orig_photo": original}


def _doc_type(extension: str) -> int:
    kinds = {
        "pdf": 1,
        "txt": 1,
        "docx": 1,
        "xlsx": 1,
        "zip": 2,
        "gif": 3,
        "jpg": 4,
        "png": 4,
        "mp3": 5,
        "mp4": 6,
    }
    return kinds.get(extension.lower(), 8)


@dataclass
class ChatMessage:
    """A message in a dialog, as both sides see it."""

    id: int  # ours alone in a group chat: VK shows 0 there
    cmid: int  # its number in the dialog
    peer_id: int
    from_bot: bool
    text: str
    at: datetime
    attachments: list[Attachment] = field(default_factory=list)
    keyboard: Keyboard | None = None
    reply_to: int | None = None
    forwarded: list[int] = field(default_factory=list)
    payload: str = ""
    ref: str = ""
    random_id: int = 0
    author: int = 0
    """Who of a group chat wrote it; in a dialog with one person that is plain."""
    action: dict[str, Any] | None = None
    """What happened to a group chat: such a message has no text."""
    edited: bool = False
    deleted: bool = False
    """Nobody sees it any more."""
    removed: bool = False
    """Only the person sees it: the community took it from its own side of the dialogue."""

    @property
    def shown_id(self) -> int:
        """What VK tells of `id`."""
        return 0 if self.peer_id > CHAT_PEERS else self.id

    @property
    def buttons(self) -> list[list[str]]:
        """Labels, row by row."""
        return [[button.label for button in row] for row in self.keyboard.rows] if self.keyboard else []

    @property
    def button_objects(self) -> list[Button]:
        """All buttons in reading order."""
        return [button for row in self.keyboard.rows for button in row] if self.keyboard else []

    @property
    def words(self) -> str:
        """Text or caption, whichever there is."""
        return self.text

    @property
    def caption(self) -> str:
        """The same text: VK has no separate captions."""
        return self.text

    @property
    def photos(self) -> list[bytes]:
        """Contents of the photos."""
        return [one.content for one in self.attachments if one.kind == "photo"]

    @property
    def photo(self) -> bytes | None:
        """The first photo."""
        return next(iter(self.photos), None)

    @property
    def documents(self) -> list[tuple[str, bytes]]:
        """Names and contents of the documents."""
        return [(one.name, one.content) for one in self.attachments if one.kind == "doc"]

    @property
    def document(self) -> bytes | None:
        """The first document."""
        return next((content for _, content in self.documents), None)

    @property
    def file_name(self) -> str | None:
        """The name of the first file."""
        return next((one.name for one in self.attachments), None)


@dataclass
class Dialog:
    """One person's conversation with the community."""

    peer_id: int
    messages: list[ChatMessage] = field(default_factory=list)
    spoken: list[ChatMessage] = field(default_factory=list)  # what the bot said; an edit is said anew
    allowed: bool = False
    refusal: int | None = None  # the error for everything sent here
    actions: list[str] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)
    input_keyboard: ChatMessage | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def inbox(self) -> list[ChatMessage]:
        """What the community's people and bots can read."""
        return [one for one in self.messages if not (one.deleted or one.removed)]

    def by_cmid(self, cmid: int) -> ChatMessage | None:
        """A message by its number in the dialog."""
        return next((one for one in self.inbox if one.cmid == cmid), None)

    def by_id(self, message_id: int) -> ChatMessage | None:
        """A message by its number in the community."""
        return self.numbered(message_id)

    def numbered(self, number: int) -> ChatMessage | None:
        """A message by our own number."""
        return next((one for one in self.inbox if one.id == number), None)

    def sent_with(self, random_id: int, *, now: datetime) -> ChatMessage | None:
        """The bot's earlier message that makes this random_id a repeat."""
        recent = self.messages[-DEDUPE_MESSAGES:]
        same = (one for one in recent if one.from_bot and random_id and one.random_id == random_id)
        return next((one for one in same if now - one.at < DEDUPE_TIME), None)

    async def touch(self) -> None:
        """Tell those who wait that something has changed."""
        async with self.changed:
            self.changed.notify_all()


@dataclass
class Chat(Dialog):
    """A conversation of several people, the community perhaps among them."""

    title: str = ""
    members: list[int] = field(default_factory=list)
    bot: Literal["out", "in", "kicked"] = "out"
    sees_all: bool = False
    """The bot was given «доступ ко всей переписке»; otherwise only what is meant for it reaches it."""
    bot_is_admin: bool = False
    disabled: bool = False
    tells_edits: bool = False
    """Whether people's edits come as events: in VK they come from dialogs only (vk_api #307)."""

    def by_id(self, message_id: int) -> ChatMessage | None:  # noqa: ARG002 - the same question as of a dialog
        """Nothing: in chats VK gives no numbers but those inside the chat."""
        return None


@dataclass
class PressedButton:
    """A callback button that spins until the bot answers."""

    event_id: str
    user_id: int
    peer_id: int
    payload: str
    at: datetime


class World:
    """The community with everything people and the bot have left in it."""

    def __init__(self, *, group_id: int, clock: Clock) -> None:
        self.group_id = group_id
        self.clock = clock
        self.base_url = ""
        self.dialogs: dict[int, Dialog] = {}
        self.crowds: list[Crowd] = []
        self.wall = Wall(group_id, clock)
        self.names: dict[int, tuple[str, str]] = {}
        self.pressed: dict[str, PressedButton] = {}
        self.files: dict[str, Attachment] = {}
        self.bot_features = True
        self._chat_ids = count(1)
        self._message_ids = count(1001)
        self._file_ids = count(457239017)

    def dialog_of(self, user_id: int) -> Dialog:
        """The dialog, opened on first mention."""
        return self.dialogs.setdefault(user_id, Dialog(user_id))

    def crowd_of(self, peer: int) -> Crowd | None:
        """The crowd in which a peer only reads."""
        if not self.crowds or peer in self.dialogs:
            return None
        return next((crowd for crowd in self.crowds if peer in crowd.peers), None)

    def open_chat(self, title: str) -> Chat:
        """A new group chat with nobody in it."""
        chat = Chat(CHAT_PEERS + next(self._chat_ids), title=title)
        self.dialogs[chat.peer_id] = chat
        return chat

    def name_of(self, user_id: int) -> str:
        """First and last name."""
        return " ".join(part for part in self.names[user_id] if part)

    def author_of(self, message: ChatMessage) -> int:
        """`from_id`: a person, or the community (negative)."""
        return -self.group_id if message.from_bot else message.author or message.peer_id

    def timestamp(self) -> int:
        """Unix time by the clock."""
        return int(self.clock.now().timestamp())

    async def add_message(self, dialog: Dialog, *, from_bot: bool, text: str, **fields: Any) -> ChatMessage:
        """Put a new message at the end of the dialog."""
        message = ChatMessage(
            id=next(self._message_ids),
            cmid=dialog.messages[-1].cmid + 1 if dialog.messages else 1,
            peer_id=dialog.peer_id,
            from_bot=from_bot,
            text=text,
            at=self.clock.now(),
            **fields,
        )
        dialog.messages.append(message)
        if from_bot:
            dialog.spoken.append(message)
        if message.keyboard and not message.keyboard.inline:
            dialog.input_keyboard = message if message.keyboard.rows else None
        await dialog.touch()
        return message

    def store(
        self, kind: str, content: bytes, *, owner_id: int, name: str = "", mime: str = ""
    ) -> Attachment:
        """Keep a file and give it an address."""
        key = uuid4().hex
        stored = Attachment(
            kind=kind,
            owner_id=owner_id,
            id=next(self._file_ids),
            access_key=key[:18],
            name=name,
            content=content,
            mime=mime or "application/octet-stream",
            token=key,
            # VK's addresses (vk.com/doc1_2?hash=…) do not repeat what the person called the file.
            url=f"{self.base_url}/files/{key}/{kind}",
            at=self.timestamp(),
        )
        self.files[key] = stored
        return stored

    def find_attachment(self, kind: str, owner_id: int, *, file_id: int) -> Attachment | None:
        """A stored file by its VK name."""
        wanted = (kind, owner_id, file_id)
        return next((one for one in self.files.values() if (one.kind, one.owner_id, one.id) == wanted), None)

    def message_json(self, message: ChatMessage) -> dict[str, Any]:
        """The message object of API 5.199."""
        body: dict[str, Any] = {
            "date": int(message.at.timestamp()),
            "from_id": self.author_of(message),
            "id": message.shown_id,
            "version": 10000000 + message.id,
            "out": int(message.from_bot),
            "fwd_messages": self._forwarded(message),
            "important": False,
            "is_hidden": False,
            "attachments": [one.as_json() for one in message.attachments],
            "conversation_message_id": message.cmid,
            "text": message.text,
            "peer_id": message.peer_id,
            "random_id": message.random_id,
        }
        optional = {
            "payload": message.payload,
            "ref": message.ref,
            "keyboard": message.keyboard and message.keyboard.source | {"author_id": -self.group_id},
            "reply_message": self._replied(message),
            "update_time": self.timestamp() if message.edited else None,
            "action": message.action,
        }
        return body | {key: value for key, value in optional.items() if value}

    def _replied(self, message: ChatMessage) -> dict[str, Any] | None:
        dialog = self.dialogs[message.peer_id]
        original = dialog.numbered(message.reply_to) if message.reply_to else None
        return self._foreign(original) if original else None

    def _forwarded(self, message: ChatMessage) -> list[dict[str, Any]]:
        dialog = self.dialogs[message.peer_id]
        found = (dialog.numbered(one) for one in message.forwarded)
        return [self._foreign(one) for one in found if one]

    def _foreign(self, message: ChatMessage) -> dict[str, Any]:
        return {
            "date": int(message.at.timestamp()),
            "from_id": self.author_of(message),
            "text": message.text,
            "attachments": [one.as_json() for one in message.attachments],
            "conversation_message_id": message.cmid,
            "id": message.shown_id,
            "peer_id": message.peer_id,
        }


def payload_of(text: str) -> Any:
    """A button's payload as `message_event` carries it: decoded."""
    return json.loads(text) if text else {}
