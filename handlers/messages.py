"""The words of the house: what comes in, what goes out, and to whom.

Plain frozen values, the same for every channel. Text carries the markup of `faq.markup`; what a person
typed is raw until it is escaped into such a text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AttachmentKind = Literal["photo", "file", "voice", "video", "sticker"]
Priority = Literal["reply", "notice", "campaign"]


@dataclass(frozen=True)
class Address:
    """A person's place on one channel; an id alone is never a key."""

    channel: str
    chat_id: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.chat_id}"


@dataclass(frozen=True)
class Attachment:
    """A file that a person sent; the bytes stay where `ref` says until someone needs them."""

    kind: AttachmentKind
    name: str
    mime: str
    channel: str
    ref: str
    """How its channel finds it again (Telegram file_id, VK address, name in our own store)."""
    size: int | None = None
    """Bytes, where the messenger says so."""


@dataclass(frozen=True)
class Button:
    """A choice offered with a message: a payload of ours (at most 64 bytes) or a web address."""

    label: str
    payload: str = ""
    url: str = ""


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class Incoming:
    """One event from a messenger, already without its dialect.

    Exactly one of these makes sense of it: `button` (pressed), `started` (the deep-link payload of /start
    or «Начать», empty when there was none), `reachable` (allowed or blocked us), otherwise a message.
    """

    event_id: str
    sender: Address
    name: str = ""
    text: str = ""
    button: str | None = None
    message_id: str | None = None
    """The messenger's id of the message (for a button: of the message that carries it)."""
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    edited: bool = False
    started: str | None = None
    reachable: bool | None = None
    unreadable: str | None = None
    """A kind of message that we cannot take (a poll, a location), named for the person."""
    ticket_id: int | None = None
    """The ticket that a staff member writes about, where the place itself says so (the panel's form)."""
    whole: bool = False
    """Nothing more is coming (a line in a terminal): no need to wait for the rest of the question."""


@dataclass(frozen=True)
class Outgoing:
    """One message to be delivered; the channel draws, escapes and splits it."""

    to: Address
    text: str
    buttons: Rows = ()
    attachments: tuple[Attachment, ...] = ()
    ticket_id: int | None = None
    """A reply to this message belongs to that ticket."""
    reply_to: str | None = None
    """The messenger's id, in the same chat, of the message this one answers."""
    priority: Priority = "reply"
    delete: str | None = None
    """The messenger's id of a message of theirs that is to go from the chat; then nothing else is here."""
