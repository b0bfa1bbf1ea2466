"""Conversations: one for each person, its mode, its state and everything that was said.

    answer, clarify             takes the case
bot ───────────────► bot   waiting_human ──────────► human
 │ calls a human            ▲  ▲   │ closes            │ closes
 └──────────────────────────┘  │   └──► closed ◄───────┘
                               └──────────┤ writes again within days, or says that it is not solved
                                          └──► bot   writes later, presses a button of the bot
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import case, exists, func, insert, select, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import attachments, conversations, message_versions, messages, people, staff

Mode = Literal["bot", "waiting_human", "human", "closed"]
Author = Literal["person", "press", "bot", "staff", "note"]
"""Who said it; a press is the label of a button, which only the person's own page shows again; a note is what
the staff, or the house itself, say to the staff alone."""
_WITH_HUMAN = ("waiting_human", "human")
TO_CHECK = ("photo", "file", "video")
"""Kinds that may show a document; the staff see them after the parent has looked again."""


@dataclass(frozen=True)
class Conversation:
    """Where the talk with one person stands."""

    id: int
    person_id: int
    mode: Mode
    state: Mapping[str, Any]
    """What the dialog remembers between two messages (plain JSON)."""
    ticket_id: int | None
    answer_due_at: datetime | None


@dataclass(frozen=True)
class StoredAttachment:
    """A file that came with a message."""

    id: int
    kind: str
    name: str
    mime: str
    size: int | None
    channel: str
    ref: str
    cleared_at: datetime | None = None
    """When the parent said that nothing personal is on it; None: the staff do not see it yet."""


@dataclass(frozen=True)
class Message:
    """One thing that was said."""

    id: int
    conversation_id: int
    ticket_id: int | None
    author: Author
    staff_id: int | None
    text: str
    external_id: str | None
    delivery: str | None
    """Why it did not reach the person; None when it did or is on its way."""
    created_at: datetime
    edited_at: datetime | None
    attachments: tuple[StoredAttachment, ...] = field(default=())

    @property
    def cleared(self) -> tuple[StoredAttachment, ...]:
        """The files that the staff may see."""
        return tuple(file for file in self.attachments if file.cleared_at is not None)

    @property
    def unchecked(self) -> tuple[StoredAttachment, ...]:
        """The files that wait until the parent has checked them."""
        return tuple(file for file in self.attachments if file.cleared_at is None)


@dataclass(frozen=True)
class Glance:
    """A thread in short, for a list."""

    words: tuple[str, ...]
    """The first things the person said."""
    unanswered_since: datetime | None
    """When the person wrote what no member of the staff has answered yet."""


async def of_person(tx: Transaction, person_id: int, *, now: datetime) -> Conversation:
    """Find or begin the conversation of this person."""
    found = (
        await tx.execute(select(conversations).where(conversations.c.person_id == person_id))
    ).one_or_none()
    if found is None:
        statement = (
            insert_into(tx, conversations)
            .values(person_id=person_id, mode="bot", state={}, updated_at=now)
            .returning(conversations)
        )
        found = (await tx.execute(statement)).one()
    return _conversation(found)


async def find(tx: Transaction, conversation_id: int) -> Conversation | None:
    """The conversation with this number, held until the transaction ends."""
    query = select(conversations).where(conversations.c.id == conversation_id).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    return _conversation(row) if row else None


async def mode_at(tx: Transaction, channel: str, chat_id: str) -> Mode | None:
    """Who talks with the person at this place; None when they never wrote."""
    query = (
        select(conversations.c.mode)
        .join(people, people.c.id == conversations.c.person_id)
        .where(people.c.channel == channel, people.c.chat_id == chat_id)
    )
    mode: Mode | None = await tx.scalar(query)
    return mode


async def said_at(tx: Transaction, channel: str, chat_id: str, external_id: str) -> str | None:
    """The words that we keep of a message from this place; None when we keep nothing of it."""
    query = (
        select(messages.c.text)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .join(people, people.c.id == conversations.c.person_id)
        .where(
            people.c.channel == channel,
            people.c.chat_id == chat_id,
            messages.c.author == "person",
            messages.c.external_id == external_id,
        )
        .order_by(messages.c.id.desc())
        .limit(1)
    )
    words: str | None = await tx.scalar(query)
    return words


async def switch(
    tx: Transaction, conversation_id: int, mode: Mode, *, ticket_id: int | None, now: datetime
) -> None:
    """The one place where the mode changes; away from the bot, what waited for its answer waits no more."""
    values: dict[str, Any] = {"mode": mode, "ticket_id": ticket_id, "updated_at": now}
    if mode in _WITH_HUMAN:
        # From one human to the other, a question of ours about a photo stays due.
        stays = conversations.c.mode.in_(_WITH_HUMAN)
        values["answer_due_at"] = case((stays, conversations.c.answer_due_at), else_=None)
    elif mode == "closed":
        values["answer_due_at"] = None
    if mode != "bot":
        await settle(tx, conversation_id)
    await tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(values))


async def remember(tx: Transaction, conversation_id: int, state: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what the dialog must know at the next message."""
    await tx.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(state=dict(state), updated_at=now)
    )


async def set_answer_due(tx: Transaction, conversation_id: int, due: datetime | None) -> None:
    """When the waiting messages are to be answered together; None: nothing waits."""
    await tx.execute(
        update(conversations).where(conversations.c.id == conversation_id).values(answer_due_at=due)
    )


async def due(tx: Transaction, *, now: datetime, limit: int = 50) -> list[int]:
    """Numbers of the people whose messages are to be answered now, the longest waiting first."""
    query = (
        select(conversations.c.person_id)
        .where(conversations.c.answer_due_at <= now)
        .order_by(conversations.c.answer_due_at)
        .limit(limit)
    )
    return list((await tx.scalars(query)).all())


async def next_due(tx: Transaction) -> datetime | None:
    """When the next answer is to be given."""
    moment: datetime | None = await tx.scalar(select(func.min(conversations.c.answer_due_at)))
    return moment


async def add_message(  # noqa: PLR0913 - a message has these parts
    tx: Transaction,
    conversation_id: int,
    *,
    author: Author,
    text: str,
    now: datetime,
    ticket_id: int | None = None,
    staff_id: int | None = None,
    external_id: str | None = None,
    pending: bool = False,
    files: Iterable[StoredAttachment] = (),
) -> int:
    """Keep what was said; `pending` marks a person's words that the bot has still to answer.

    A person's photos and files wait to be checked; those of the staff do not.
    """
    result = await tx.execute(
        insert(messages)
        .values(
            conversation_id=conversation_id,
            ticket_id=ticket_id,
            author=author,
            staff_id=staff_id,
            text=text,
            external_id=external_id,
            pending=pending,
            created_at=now,
        )
        .returning(messages.c.id)
    )
    message_id: int = result.scalar_one()
    for file in files:
        await tx.execute(
            insert(attachments).values(
                message_id=message_id,
                kind=file.kind,
                name=file.name,
                mime=file.mime,
                size=file.size,
                channel=file.channel,
                ref=file.ref,
                cleared_at=None if author == "person" and must_be_checked(file.kind) else now,
            )
        )
    return message_id


def must_be_checked(kind: str) -> bool:
    """Whether the staff see a parent's file of this kind only after the parent has checked it."""
    return kind in TO_CHECK


async def edit_message(
    tx: Transaction, conversation_id: int, external_id: str, *, text: str, now: datetime
) -> Message | None:
    """Replace the text of a person's message and keep the old one; None if we do not have that message."""
    mine = (messages.c.conversation_id == conversation_id, messages.c.author == "person")
    return await _edit(tx, *mine, messages.c.external_id == external_id, text=text, now=now)


async def edit_staff_message(
    tx: Transaction, staff_id: int, external_id: str, *, text: str, now: datetime
) -> Message | None:
    """Replace the text of a staff member's answer or note and keep the old one; None if it is neither."""
    mine = (messages.c.staff_id == staff_id, messages.c.author.in_(("staff", "note")))
    return await _edit(tx, *mine, messages.c.external_id == external_id, text=text, now=now)


async def edit_copies(tx: Transaction, original: Message, *, text: str, now: datetime) -> list[Message]:
    """Replace the text, and keep the old one, of the messages in which words of the staff went to parents.

    `original` is as it was before: written for no ticket, and then sent for one or for several.
    """
    query = select(messages.c.id).where(
        messages.c.id > original.id,
        messages.c.staff_id == original.staff_id,
        messages.c.author == "staff",
        messages.c.ticket_id.is_not(None),
        messages.c.external_id.is_(None),
        messages.c.text == original.text,
    )
    numbers = (await tx.scalars(query.order_by(messages.c.id))).all()
    edited = [await _edit(tx, messages.c.id == number, text=text, now=now) for number in numbers]
    return [each for each in edited if each is not None]


async def was_staffs(tx: Transaction, person_id: int, external_id: str) -> bool:
    """Whether this person wrote that message as one of the staff."""
    roles = select(staff.c.id).where(staff.c.person_id == person_id)
    query = exists().where(messages.c.staff_id.in_(roles), messages.c.external_id == external_id)
    return bool(await tx.scalar(select(query)))


async def said(tx: Transaction, conversation_id: int, external_id: str) -> Message | None:
    """The person's message that came under this id of the messenger."""
    query = (
        select(messages)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.author == "person",
            messages.c.external_id == external_id,
        )
        .order_by(messages.c.id.desc())
        .limit(1)
    )
    found = await _with_files(tx, query)
    return found[0] if found else None


async def versions(tx: Transaction, ticket_id: int) -> dict[int, list[tuple[str, datetime]]]:
    """What edited messages of a ticket said before, and until when, oldest first, by message number."""
    query = (
        select(message_versions)
        .join(messages, messages.c.id == message_versions.c.message_id)
        .where(messages.c.ticket_id == ticket_id)
        .order_by(message_versions.c.id)
    )
    found: dict[int, list[tuple[str, datetime]]] = {}
    for row in await tx.execute(query):
        found.setdefault(row.message_id, []).append((row.text, row.replaced_at))
    return found


async def last_of_staff(tx: Transaction, staff_id: int) -> Message | None:
    """What this member of the staff said last."""
    query = select(messages).where(messages.c.staff_id == staff_id).order_by(messages.c.id.desc()).limit(1)
    found = await _with_files(tx, query)
    return found[0] if found else None


async def drafts(tx: Transaction, staff_id: int, *, first: int) -> list[Message]:
    """What the member wrote from that message on and for no ticket yet, oldest first."""
    query = select(messages).where(
        messages.c.staff_id == staff_id,
        messages.c.author == "staff",
        messages.c.ticket_id.is_(None),
        messages.c.delivery.is_(None),
        messages.c.id >= first,
    )
    return await _with_files(tx, query.order_by(messages.c.id))


async def ask_again(tx: Transaction, message_id: int) -> None:
    """The bot has to answer this message once more."""
    await tx.execute(update(messages).where(messages.c.id == message_id).values(pending=True))


async def pending(tx: Transaction, conversation_id: int) -> list[Message]:
    """The person's messages that wait for an answer, oldest first."""
    query = (
        select(messages)
        .where(messages.c.conversation_id == conversation_id, messages.c.pending)
        .order_by(messages.c.id)
    )
    return await _with_files(tx, query)


async def settle(tx: Transaction, conversation_id: int) -> None:
    """Nothing of this conversation waits for the bot any more."""
    await tx.execute(
        update(messages)
        .where(messages.c.conversation_id == conversation_id, messages.c.pending)
        .values(pending=False)
    )


async def last_message_id(tx: Transaction, conversation_id: int, *, author: Author) -> int | None:
    """The number of the newest message of this author."""
    query = select(func.max(messages.c.id)).where(
        messages.c.conversation_id == conversation_id, messages.c.author == author
    )
    number: int | None = await tx.scalar(query)
    return number


async def put_into_ticket(tx: Transaction, conversation_id: int, ticket_id: int, *, since: datetime) -> None:
    """Count the recent messages as the beginning of the ticket's thread."""
    await tx.execute(
        update(messages)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.ticket_id.is_(None),
            messages.c.created_at >= since,
        )
        .values(ticket_id=ticket_id)
    )


async def take_out_of_ticket(tx: Transaction, conversation_id: int, ticket_id: int, *, first_id: int) -> None:
    """What the person said from this message on is no part of the ticket: the bot has to answer it."""
    await tx.execute(
        update(messages)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.ticket_id == ticket_id,
            messages.c.author == "person",
            messages.c.id >= first_id,
        )
        .values(ticket_id=None, pending=True)
    )


async def thread(tx: Transaction, ticket_id: int, *, limit: int = 500) -> list[Message]:
    """Everything said in a ticket, oldest first."""
    in_ticket = (messages.c.ticket_id == ticket_id, messages.c.author != "press")
    query = select(messages).where(*in_ticket).order_by(messages.c.id).limit(limit)
    return await _with_files(tx, query)


async def glances(tx: Transaction, ticket_ids: Collection[int], *, first: int = 4) -> dict[int, Glance]:
    """Tickets' threads in short, by ticket number; `first` texts of the person are kept."""
    order = func.row_number().over(partition_by=messages.c.ticket_id, order_by=messages.c.id)
    said = (
        select(messages.c.ticket_id, messages.c.text, order.label("place"))
        .where(messages.c.ticket_id.in_(ticket_ids), messages.c.author == "person", messages.c.text != "")
        .subquery()
    )
    words: dict[int, list[str]] = {number: [] for number in ticket_ids}
    for row in await tx.execute(select(said).where(said.c.place <= first).order_by(said.c.place)):
        words[row.ticket_id].append(row.text)
    since = await _unanswered(tx, ticket_ids)
    return {number: Glance(tuple(words[number]), since.get(number)) for number in ticket_ids}


async def staff_message_id(tx: Transaction, staff_id: int, external_id: str) -> int | None:
    """The number of the staff member's message that came under this id."""
    query = select(func.max(messages.c.id)).where(
        messages.c.staff_id == staff_id, messages.c.external_id == external_id
    )
    number: int | None = await tx.scalar(query)
    return number


async def history(tx: Transaction, conversation_id: int, *, limit: int = 200) -> list[Message]:
    """The newest messages of a conversation, oldest first."""
    newest = (
        select(messages.c.id)
        .where(messages.c.conversation_id == conversation_id)
        .order_by(messages.c.id.desc())
        .limit(limit)
    )
    return await _with_files(tx, select(messages).where(messages.c.id.in_(newest)).order_by(messages.c.id))


async def message(tx: Transaction, message_id: int) -> Message | None:
    """The message with this number, with its files."""
    found = await _with_files(tx, select(messages).where(messages.c.id == message_id))
    return found[0] if found else None


async def attachment(tx: Transaction, attachment_id: int) -> tuple[StoredAttachment, int | None] | None:
    """A file and the ticket whose thread it belongs to."""
    query = (
        select(attachments, messages.c.ticket_id)
        .join(messages, messages.c.id == attachments.c.message_id)
        .where(attachments.c.id == attachment_id)
    )
    row = (await tx.execute(query)).one_or_none()
    return (stored_attachment(row), row.ticket_id) if row else None


async def note_delivery(tx: Transaction, message_id: int, failure: str | None) -> None:
    """Remember why a message did not reach the person."""
    await tx.execute(update(messages).where(messages.c.id == message_id).values(delivery=failure))


async def _unanswered(tx: Transaction, ticket_ids: Collection[int]) -> dict[int, datetime]:
    """Since when the person waits in each ticket where the last word is theirs."""
    answered = (
        select(messages.c.ticket_id, func.max(messages.c.id).label("last"))
        .where(
            messages.c.ticket_id.in_(ticket_ids), messages.c.author == "staff", messages.c.delivery.is_(None)
        )
        .group_by(messages.c.ticket_id)
        .subquery()
    )
    query = (
        select(messages.c.ticket_id, func.min(messages.c.created_at).label("since"))
        .outerjoin(answered, answered.c.ticket_id == messages.c.ticket_id)
        .where(
            messages.c.ticket_id.in_(ticket_ids),
            messages.c.author == "person",
            messages.c.id > func.coalesce(answered.c.last, 0),
        )
        .group_by(messages.c.ticket_id)
    )
    return {row.ticket_id: row.since for row in (await tx.execute(query)).all()}


async def _edit(tx: Transaction, *mine: Any, text: str, now: datetime) -> Message | None:
    query = select(messages.c.id, messages.c.text).where(*mine).order_by(messages.c.id.desc()).limit(1)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    await tx.execute(insert(message_versions).values(message_id=row.id, text=row.text, replaced_at=now))
    changed = update(messages).where(messages.c.id == row.id).values(text=text, edited_at=now)
    return _message((await tx.execute(changed.returning(messages))).one())


async def _with_files(tx: Transaction, query: Any) -> list[Message]:
    rows = (await tx.execute(query)).all()
    if not rows:
        return []
    numbers = [row.id for row in rows]
    files: dict[int, list[StoredAttachment]] = {}
    found = await tx.execute(
        select(attachments).where(attachments.c.message_id.in_(numbers)).order_by(attachments.c.id)
    )
    for row in found:
        files.setdefault(row.message_id, []).append(stored_attachment(row))
    return [_message(row, tuple(files.get(row.id, ()))) for row in rows]


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        id=row.id,
        person_id=row.person_id,
        mode=row.mode,
        state=row.state,
        ticket_id=row.ticket_id,
        answer_due_at=row.answer_due_at,
    )


def _message(row: Row[Any], files: tuple[StoredAttachment, ...] = ()) -> Message:
    return Message(
        id=row.id,
        conversation_id=row.conversation_id,
        ticket_id=row.ticket_id,
        author=row.author,
        staff_id=row.staff_id,
        text=row.text,
        external_id=row.external_id,
        delivery=row.delivery,
        created_at=row.created_at,
        edited_at=row.edited_at,
        attachments=files,
    )


def stored_attachment(row: Row[Any]) -> StoredAttachment:
    """A file from its row; for the rooms of storage only."""
    return StoredAttachment(
        id=row.id,
        kind=row.kind,
        name=row.name,
        mime=row.mime,
        size=row.size,
        channel=row.channel,
        ref=row.ref,
        cleared_at=row.cleared_at,
    )
