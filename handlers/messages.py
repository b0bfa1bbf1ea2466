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


GroupChange = Literal["joined", "left", "moved", "renamed", "topic_closed"]


@dataclass(frozen=True)
class GroupEvent:
    """Something that happened to a group chat in which we are, or were."""

    change: GroupChange
    """We were added or taken out; it has a new chat_id; it has a new title; a topic was closed."""
    title: str = ""
    """What the group is called now, where the messenger says so."""
    new_chat_id: str = ""
    """Where it is now, after it `moved` (a Telegram group that became a supergroup)."""
    has_topics: bool | None = None
    """Whether the group is divided into topics; None where the messenger does not say."""
    is_channel: bool = False
    """It is a channel: only administrators write there, and we are one of them or nothing."""


@dataclass(frozen=True)
class Incoming:
    """One event from a messenger, already without its dialect.

    Exactly one of these makes sense of it: `button` (pressed), `started` (the deep-link payload of /start
    or «Начать», empty when there was none), `reachable` (allowed or blocked us), `group_event`, otherwise
    a message. The sender is always a person, also in a group; the group stands in `group`.
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
    means: str = ""
    """What their words are, where the place itself says so: answer, question … (`handlers.staff.asking`)."""
    group: Address | None = None
    """The group chat where it happened; None in a chat of the person with us."""
    thread: str | None = None
    """The messenger's id of the group's topic; None outside of topics."""
    group_event: GroupEvent | None = None
    album: str | None = None
    """The same for all messages that the sender's messenger shows as one album; None outside of albums."""
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
    asks: str = ""
    """What a reply to this message is, whoever of the staff writes it: answer, question, note …"""
    topic: str = ""
    """The title of the topic that holds all messages of this ticket, where a group has topics."""
    thread: str | None = None
    """The topic of the group where it goes in any case: whoever spoke there is answered there."""
    delete: str | None = None
    """The messenger's id of a message of theirs that is to go from the chat; then nothing else is here."""
