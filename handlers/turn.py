"""One deed in progress: the open transaction and the person it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from handlers.dialog_state import DialogState
from handlers.errors import HelpdeskError
from handlers.knowledge import Knowledge
from handlers.messages import Address, Attachment, Button, Outgoing, Rows
from handlers.texts import groups as texts
from storage import conversations, outbox
from storage.conversations import Conversation, Mode, StoredAttachment
from storage.database import Transaction
from storage.people import Person
from storage.scope import Scope
from storage.staff import Member
from storage.ticket import Desk

_PRIORITIES = {"reply": outbox.REPLY, "notice": outbox.NOTICE, "campaign": outbox.CAMPAIGN}


@dataclass
class Deed:
    """Something the house does of itself; what it says waits in the outbox."""

    tx: Transaction
    now: datetime
    knowledge: Knowledge

    async def send(
        self,
        message: Outgoing,
        *,
        message_id: int | None = None,
        shows_id: int | None = None,
        album: str | None = None,
    ) -> None:
        """Put a message to anybody into the outbox.

        `message_id` is the kept message whose fate the delivery reports; `shows_id` the one that this shows
        to the other side; files of one `album` travel together.
        """
        await queue(self.tx, message, message_id=message_id, shows_id=shows_id, album=album, now=self.now)


@dataclass
class Turn(Deed):
    """What a handler works with: a deed about one person. Lives as long as its transaction."""

    person: Person
    conversation: Conversation
    state: DialogState
    group: Address | None = None
    """The group chat in which a member of the staff spoke; None in their own chat with us."""
    thread: str | None = None
    """The topic of that group."""
    desk: Desk | None = None
    """Whose group it is; None while it is nobody's."""

    @property
    def address(self) -> Address:
        """The person's own chat with us."""
        return Address(self.person.channel, self.person.chat_id)

    @property
    def here(self) -> Address:
        """Where this turn happens, and what it says goes: a group chat or the person's own."""
        return self.group or self.address

    def scope(self, member: Member) -> Scope:
        """What the member reaches from here: in a group no more than its desk does, whatever their role."""
        if self.group is not None and self.desk is None:
            raise HelpdeskError(texts.NOT_A_DESK)
        return Scope(member.id, within=self.desk)

    async def send(
        self,
        message: Outgoing,
        *,
        message_id: int | None = None,
        shows_id: int | None = None,
        album: str | None = None,
    ) -> None:
        """Put a message to anybody into the outbox; who spoke in a group is answered there.

        A kept message that reaches this person from somebody else is no answer and goes to their own chat.
        """
        if self.group is not None and message.to == self.address and message_id is None and shows_id is None:
            message = replace(message, to=self.group, thread=self.thread)
        elif self.group is not None and message.to == self.group and not message.topic:
            message = replace(message, thread=message.thread or self.thread)
        album = f"{self.address}/{album}" if album is not None else None
        await super().send(message, message_id=message_id, shows_id=shows_id, album=album)

    async def say(
        self, text: str, buttons: Rows = (), *, reply_to: str | None = None, remember: bool = True
    ) -> None:
        """Say something to the person of this turn; it becomes a part of the conversation."""
        message_id = None
        with_human = self.conversation.mode in {"waiting_human", "human"}
        if remember:
            message_id = await conversations.add_message(
                self.tx,
                self.conversation.id,
                author="bot",
                text=text,
                now=self.now,
                ticket_id=self.conversation.ticket_id if with_human else None,
            )
        await self.send(Outgoing(self.address, text, buttons, reply_to=reply_to), message_id=message_id)

    async def switch(self, mode: Mode, *, ticket_id: int | None) -> None:
        """Change who talks with the person."""
        await conversations.switch(self.tx, self.conversation.id, mode, ticket_id=ticket_id, now=self.now)
        self.conversation = replace(self.conversation, mode=mode, ticket_id=ticket_id)

    async def save_state(self) -> None:
        """Keep what the dialog must know at the next message."""
        await conversations.remember(self.tx, self.conversation.id, self.state.to_plain(), now=self.now)


async def queue(
    tx: Transaction,
    message: Outgoing,
    *,
    now: datetime,
    message_id: int | None = None,
    shows_id: int | None = None,
    album: str | None = None,
    not_before: datetime | None = None,
) -> int:
    """Put a message into the outbox; see `Deed.send`. It waits at least until `not_before`."""
    return await outbox.add(
        tx,
        channel=message.to.channel,
        chat_id=message.to.chat_id,
        priority=_PRIORITIES[message.priority],
        body=to_plain(message),
        ticket_id=message.ticket_id,
        message_id=message_id,
        shows_id=shows_id,
        album=album,
        not_before=not_before,
        now=now,
    )


def place(member: Member) -> Address:
    """Where a member of staff works."""
    return Address(member.channel, member.chat_id)


def rows(buttons: Iterable[Button]) -> Rows:
    """One button a row: labels stay readable on a phone."""
    return tuple((button,) for button in buttons)


def number_in(argument: str) -> int:
    """The number that a button carries; 0, which nothing has, for anything else."""
    is_number = argument.isascii() and argument.isdigit() and len(argument) < _DIGITS
    return int(argument) if is_number else 0


_DIGITS = 18
"""A longer number is none of ours and would not fit the database."""
_MIME_LENGTH = 120
"""Characters of a file's type; a stranger may claim any."""


def files_of(attachments: Iterable[Attachment]) -> list[StoredAttachment]:
    """Attachments as storage keeps them; the number comes from there."""
    return [
        StoredAttachment(0, each.kind, each.name, each.mime[:_MIME_LENGTH], each.size, each.channel, each.ref)
        for each in attachments
    ]


def attachments_of(files: Iterable[StoredAttachment]) -> tuple[Attachment, ...]:
    """Kept attachments as messages carry them."""
    return tuple(
        Attachment(each.kind, each.name, each.mime, each.channel, each.ref, each.size)  # type: ignore[arg-type]
        for each in files
    )


def to_plain(message: Outgoing) -> dict[str, Any]:
    """An outgoing message as JSON."""
    return asdict(message)


def from_plain(body: Any) -> Outgoing:
    """The message that `to_plain` wrote."""
    return Outgoing(
        to=Address(**body["to"]),
        text=body["text"],
        buttons=tuple(tuple(Button(**button) for button in row) for row in body["buttons"]),
        attachments=tuple(Attachment(**each) for each in body["attachments"]),
        ticket_id=body["ticket_id"],
        reply_to=body["reply_to"],
        priority=body["priority"],
        # Letters that waited for an update have no such keys.
        asks=body.get("asks", ""),
        topic=body.get("topic", ""),
        thread=body.get("thread"),
        delete=body.get("delete"),
    )
