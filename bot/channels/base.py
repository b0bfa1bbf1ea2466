"""What every channel promises, and how sending may fail.

SendError
├── Unreachable     this person or group cannot be written to (blocked, never allowed, gone, kicked)
├── Moved           the group has another chat_id now
├── TopicGone       the group is there, the topic is not (or takes no messages any more)
├── Rejected        the messenger will never take this message (our bug, or too large)
├── SlowDown        hold the whole channel for some seconds; nothing was sent
├── NotSent         certainly not sent this time (no connection, an answer 5xx, a failed upload): try again
├── Unfinished      nobody knows whether it was sent (time-out, dropped connection)
└── Closed          the channel cannot be used (wrong token, banned, switched off)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fastapi import APIRouter

from faq.markup import Span
from handlers.messages import Address, AttachmentKind, Button, Incoming, Outgoing

Receive = Callable[[Incoming], Awaitable[None]]
"""Takes one event; returns after the commit. `storage.Unavailable` means: keep it, offer it again."""


class Cursor(Protocol):
    """Where a listener stands in its messenger's queue, kept in our database."""

    async def load(self) -> str | None:
        """The place after the last event that was taken, or None at the very first start."""
        ...

    async def save(self, place: str) -> None:
        """Remember it."""
        ...


class SendError(Exception):
    """A message was not, or perhaps not, delivered."""


class Unreachable(SendError):
    """This chat cannot be written to; `reason` is one of blocked, not_allowed, gone, or kicked (a group)."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Moved(SendError):
    """The group has another chat_id now; nothing was sent."""

    def __init__(self, chat_id: str) -> None:
        super().__init__(f"moved to {chat_id}")
        self.chat_id = chat_id


class TopicGone(SendError):
    """The topic of a group was deleted or closed; nothing was sent."""


class Rejected(SendError):
    """The messenger will never take this message as it is."""


class SlowDown(SendError):
    """The messenger asks the whole channel to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"retry after {seconds:g} s")
        self.seconds = seconds


class NotSent(SendError):
    """The message was certainly not sent; another try may succeed."""


class Unfinished(SendError):
    """The fate of the message is unknown."""


class Closed(SendError):
    """The channel cannot be used until somebody mends it; says what is wrong, in Russian."""


OF_ONE_CHAT = (Unreachable, Moved, TopicGone, Rejected)
"""Refusals that say nothing about other chats."""


async def send_to_one(
    channel: Channel, chat_ids: Sequence[str], piece: Piece, *, key: str
) -> dict[str, str | SendError]:
    """What `send_to_many` is where a request reaches one chat."""
    (chat_id,) = chat_ids
    try:
        return {chat_id: await channel.send(Address(channel.name, chat_id), piece, key=key)}
    except OF_ONE_CHAT as refusal:
        return {chat_id: refusal}


class FetchError(Exception):
    """A file cannot be had; says why in Russian, for the person who waits for it."""


@dataclass(frozen=True)
class LocalFile:
    """A file on our disk, ready to be sent."""

    kind: AttachmentKind
    name: str
    mime: str
    path: Path


@dataclass(frozen=True)
class Piece:
    """One request's worth of a message: spans within the channel's limit, or files, or both."""

    spans: tuple[Span, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    files: tuple[LocalFile, ...] = ()
    reply_to: str | None = None
    thread: str | None = None
    """The topic of the group in which it goes."""
    delete: str | None = None
    """A message of theirs that is to go from the chat; then the piece has nothing else."""


@dataclass(frozen=True)
class Pace:
    """How fast the messenger lets us send."""

    per_second: float
    per_chat_interval: float
    """Seconds between two messages to one chat."""
    per_group_interval: float = 0.0
    """Seconds between two messages to one group chat, where groups are slower."""
    most_in_second: int = 0
    """How many messages any second may hold, however late they arrive; 0: the even spacing is enough."""


class Channel(Protocol):
    """A messenger, made small. Each implementation translates and decides nothing."""

    @property
    def name(self) -> str:
        """The word in `Address.channel`."""
        ...

    @property
    def drops_repeats(self) -> bool:
        """Whether the messenger itself shows two sends with one `key` once."""
        ...

    @property
    def deletes_theirs(self) -> bool:
        """Whether a message that a person wrote can be taken from that person's own screen."""
        ...

    @property
    def most_readers(self) -> int:
        """How many chats one request of `send_to_many` reaches at most."""
        ...

    @property
    def pace(self) -> Pace:
        """The messenger's limits, with a little air."""
        ...

    def compose(self, message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
        """Split a message into requests; the same message always gives the same pieces."""
        ...

    async def send(self, to: Address, piece: Piece, *, key: str) -> str:
        """Send one piece and return the messenger's id of it; `key` is the same on every try.

        A deletion has no id: it returns "", also when the messenger will not delete the message (any more).
        """
        ...

    async def send_to_many(
        self, chat_ids: Sequence[str], piece: Piece, *, key: str
    ) -> dict[str, str | SendError]:
        """Send one piece to at most `most_readers` chats with one request, none of them twice.

        Gives for each chat the messenger's id of the message, or why it was not taken there; raises
        `SendError` when that is the answer for all of them. With the same `key` the chats may be grouped in
        any other way on the next try.
        """
        ...

    async def edit(self, to: Address, external_id: str, piece: Piece) -> None:
        """Give a message of ours (what `send` returned) the words and buttons of this piece.

        Of several, their ids joined by commas, it is the first. Raises `Rejected` where that is not
        possible, or not any more; files are not exchanged everywhere.
        """
        ...

    async def unsend(self, to: Address, external_id: str) -> None:
        """Take a message of ours, or several, away from everybody.

        Raises `Rejected` where that is not possible any more; one that is gone already is no trouble.
        """
        ...

    def is_group(self, chat_id: str) -> bool:
        """Whether the chat is a group rather than a person."""
        ...

    async def open_topic(self, to: Address, title: str) -> str:
        """Open a topic in a group that has topics and return its id; raises `Rejected` where it may not."""
        ...

    async def fetch(self, ref: str, *, limit: int) -> bytes:
        """Download what a person sent, at most `limit` bytes; raises `FetchError`."""
        ...

    async def listen(self, receive: Receive) -> None:
        """Receive events until cancelled; confirms each only after `receive` returned.

        Raises `Closed` when listening makes no sense any more. Where events come by HTTP it tells the
        messenger our address and returns.
        """
        ...

    def routes(self, receive: Receive) -> APIRouter | None:
        """The HTTP doors of this channel, if it has any; 2xx only after `receive` returned."""
        ...

    async def check(self) -> str:
        """Say in Russian who we are on this channel; raises `SendError` when it does not work."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
