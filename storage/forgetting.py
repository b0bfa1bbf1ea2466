"""Forgetting: whoever asks for it, everything that is too old, and what of both lies outside the tables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, delete, exists, func, insert, or_, select, tuple_, update
from sqlalchemy.sql import ColumnElement

from storage import family
from storage.database import Transaction
from storage.people import Person
from storage.tables import (
    asked,
    attachments,
    conversations,
    feed,
    inbox,
    leftovers,
    messages,
    outbox,
    people,
    staff,
    tickets,
)

PORTION = 500
"""Rows deleted in one transaction when nobody asked for it: nobody should wait for the broom."""
AFTER_SWEEP = timedelta(minutes=30)
"""The database's files are cleaned once, when all portions have gone."""
FAREWELL = timedelta(days=1)
"""How long the last message to a forgotten person stays: it must be delivered, and read in the web chat."""
_AT_ONCE = 400
"""Values in one list of a statement."""
_PIECES = 8
"""Pieces of one letter that our own channels may have shown without having reported them yet."""

LeftoverKind = Literal["file", "log", "place"]


class StillStaff(Exception):
    """A member of the staff is not forgotten before the role is taken away."""


@dataclass(frozen=True)
class Forgotten:
    """What was removed, as counts; and the questions that were still open."""

    messages: int = 0
    files: int = 0
    letters: int = 0
    tickets: int = 0
    children: int = 0
    closed: tuple[int, ...] = ()
    """Numbers of the questions that were open until now."""


@dataclass(frozen=True)
class Swept:
    """One portion of what was too old."""

    messages: int = 0
    letters: int = 0
    shown: int = 0
    tickets: int = 0
    asked: int = 0

    def __add__(self, other: Swept) -> Swept:
        return Swept(
            self.messages + other.messages,
            self.letters + other.letters,
            self.shown + other.shown,
            self.tickets + other.tickets,
            self.asked + other.asked,
        )

    @property
    def total(self) -> int:
        """Rows of all kinds."""
        return self.messages + self.letters + self.shown + self.tickets + self.asked


@dataclass(frozen=True)
class Leftover:
    """What must still go after a commit: a file, what the database's log holds, a place's last message."""

    id: int
    kind: LeftoverKind
    channel: str
    ref: str
    """Of a file its address, of a place its chat."""


async def forget(tx: Transaction, person: Person, *, now: datetime) -> Forgotten:
    """Remove everything of this person; their questions stay as numbers. Raises `StillStaff`.

    What lies outside the tables is left to `leftovers_waiting`, after the commit. A second time finds
    nothing and changes nothing.
    """
    if await tx.scalar(select(exists().where(staff.c.person_id == person.id, staff.c.revoked_at.is_(None)))):
        raise StillStaff
    questions = tickets.c.person_id == person.id
    opened = (await tx.scalars(select(tickets.c.id).where(questions, tickets.c.state != "closed"))).all()
    letters = await _forget_letters(tx, person)
    await _forget_events(tx, person, now=now)
    said, files = await _forget_messages(tx, await _said_with(tx, person.id), now=now)
    numbers = select(tickets.c.id).where(questions)
    await tx.execute(
        update(staff).where(staff.c.replying_to.in_(numbers)).values(replying_to=None, replying_as=None)
    )
    closed_at = func.coalesce(tickets.c.closed_at, now, type_=tickets.c.closed_at.type)
    count = (
        await tx.execute(
            update(tickets)
            .where(questions)
            .values(state="closed", closed_at=closed_at, **_NO_CLOCK, **_ANONYMOUS)
        )
    ).rowcount
    await tx.execute(delete(conversations).where(conversations.c.person_id == person.id))
    children = await family.forget(tx, person.id)
    # Their answers to others stay, and somebody must have given them.
    await tx.execute(update(staff).where(staff.c.person_id == person.id).values(person_id=None, name=""))
    await tx.execute(delete(people).where(people.c.id == person.id))
    await _leave(tx, "log", due_at=now)
    await _leave(tx, "place", person.channel, person.chat_id, due_at=now + FAREWELL)
    return Forgotten(
        messages=said,
        files=files,
        letters=letters,
        tickets=count,
        children=children,
        closed=tuple(opened),
    )


async def sweep(tx: Transaction, *, before: datetime, now: datetime) -> Swept:
    """Delete one portion of what was said before this moment; open questions keep theirs.

    Less than `PORTION` rows in all: nothing old is left.
    """
    swept = Swept()
    for part in (_sweep_messages, _sweep_letters, _sweep_shown, _sweep_tickets, _sweep_asked):
        limit = PORTION - swept.total
        if limit > 0:
            swept += await part(tx, before, limit, now=now)
    waits = exists().where(leftovers.c.kind == "log")
    if swept.total and not await tx.scalar(select(waits)):
        await _leave(tx, "log", due_at=now + AFTER_SWEEP)
    return swept


async def leftovers_waiting(tx: Transaction, *, now: datetime, limit: int = PORTION) -> list[Leftover]:
    """What is to be removed now; the log last, since it has seen the others."""
    query = (
        select(leftovers)
        .where(leftovers.c.due_at <= now)
        .order_by(leftovers.c.kind == "log", leftovers.c.id)
        .limit(limit)
    )
    return [Leftover(row.id, row.kind, row.channel, row.ref) for row in (await tx.execute(query)).all()]


async def forget_files(tx: Transaction, numbers: Collection[int], *, now: datetime) -> None:
    """Remove the files with these numbers from their messages; what was said with them stays."""
    statement = delete(attachments).where(attachments.c.id.in_(numbers))
    gone = await tx.execute(statement.returning(attachments.c.channel, attachments.c.ref))
    await _leave_files(tx, {(row.channel, row.ref) for row in gone}, now=now)


async def forget_farewell(tx: Transaction, place: Leftover, *, now: datetime) -> None:
    """Remove what was last sent to a place, unless somebody writes from there again."""
    here = and_(people.c.channel == place.channel, people.c.chat_id == place.ref)
    if await tx.scalar(select(exists().where(here))):
        return
    await tx.execute(delete(outbox).where(outbox.c.channel == place.channel, outbox.c.chat_id == place.ref))
    await tx.execute(delete(feed).where(feed.c.channel == place.channel, feed.c.chat_id == place.ref))
    await _leave(tx, "log", due_at=now)


async def files_kept(tx: Transaction) -> set[tuple[str, str]]:
    """Channel and address of every file that a message still has."""
    rows = await tx.execute(select(attachments.c.channel, attachments.c.ref))
    return {(row.channel, row.ref) for row in rows}


async def note_gone(tx: Transaction, gone: Collection[Leftover]) -> None:
    """These have been removed."""
    await tx.execute(delete(leftovers).where(leftovers.c.id.in_([each.id for each in gone])))


_NO_CLOCK: dict[str, Any] = {"clock_stopped_at": None, "clock_stopped_for": None}
_ANONYMOUS: dict[str, Any] = {"person_id": None, "conversation_id": None, "school": "", "card": []}


async def _said_with(tx: Transaction, person_id: int) -> ColumnElement[bool]:
    """Everything said in the person's conversation, and what colleagues had typed for it elsewhere."""
    own = select(conversations.c.id).where(conversations.c.person_id == person_id).scalar_subquery()
    answer, draft = messages.alias("answer"), messages.alias("draft")
    colleague = conversations.alias("colleague")
    drafts = (
        select(draft.c.id)
        .select_from(answer)
        .join(staff, staff.c.id == answer.c.staff_id)
        .join(colleague, colleague.c.person_id == staff.c.person_id)
        .join(
            draft,
            and_(draft.c.conversation_id == colleague.c.id, draft.c.external_id == answer.c.external_id),
        )
        .where(answer.c.conversation_id == own, draft.c.delivery == "moved")
    )
    numbers = list((await tx.scalars(drafts)).all())
    return or_(messages.c.conversation_id == own, messages.c.id.in_(numbers))


async def _forget_letters(tx: Transaction, person: Person) -> int:
    """What was sent to the person, and what the staff were sent about the person's questions."""
    at_home = and_(outbox.c.channel == person.channel, outbox.c.chat_id == person.chat_id)
    questions = select(tickets.c.id).where(tickets.c.person_id == person.id)
    theirs = or_(at_home, outbox.c.ticket_id.in_(questions))
    gone = (
        await tx.execute(delete(outbox).where(theirs).returning(outbox.c.key, outbox.c.pieces_sent))
    ).all()
    await tx.execute(delete(feed).where(feed.c.channel == person.channel, feed.c.chat_id == person.chat_id))
    shown = [f"{row.key}:{piece}" for row in gone for piece in range(row.pieces_sent + _PIECES)]
    for start in range(0, len(shown), _AT_ONCE):
        await tx.execute(delete(feed).where(feed.c.key.in_(shown[start : start + _AT_ONCE])))
    return len(gone)


async def _forget_events(tx: Transaction, person: Person, *, now: datetime) -> None:
    """Some channels name the chat in an event's number. The event that asks for this is still needed."""
    named = or_(
        inbox.c.event_id.startswith(f"{person.chat_id}:", autoescape=True),
        inbox.c.event_id.contains(f":{person.chat_id}:", autoescape=True),
    )
    await tx.execute(delete(inbox).where(inbox.c.channel == person.channel, named, inbox.c.received_at < now))


async def _forget_messages(tx: Transaction, which: ColumnElement[bool], *, now: datetime) -> tuple[int, int]:
    """Delete messages with their versions and files; returns how many of both."""
    numbers = select(messages.c.id).where(which)
    found = select(attachments.c.channel, attachments.c.ref).where(attachments.c.message_id.in_(numbers))
    files = (await tx.execute(found)).all()
    count = (await tx.execute(delete(messages).where(messages.c.id.in_(numbers)))).rowcount
    await _leave_files(tx, {(row.channel, row.ref) for row in files}, now=now)
    return count, len(files)


async def _leave_files(tx: Transaction, files: set[tuple[str, str]], *, now: datetime) -> None:
    """Note files for removal, except those that another message still has."""
    wanted = sorted(files)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        place = tuple_(attachments.c.channel, attachments.c.ref)
        rows = await tx.execute(select(attachments.c.channel, attachments.c.ref).where(place.in_(some)))
        kept = {(row.channel, row.ref) for row in rows}
        for channel, ref in (each for each in some if each not in kept):
            await _leave(tx, "file", channel, ref, due_at=now)


async def _leave(
    tx: Transaction, kind: LeftoverKind, channel: str = "", ref: str = "", *, due_at: datetime
) -> None:
    await tx.execute(insert(leftovers).values(kind=kind, channel=channel, ref=ref, due_at=due_at))


def _is_open(ticket_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists().where(tickets.c.id == ticket_id, tickets.c.state != "closed")


async def _sweep_messages(tx: Transaction, before: datetime, limit: int, *, now: datetime) -> Swept:
    query = select(messages.c.id).where(messages.c.created_at < before, ~_is_open(messages.c.ticket_id))
    numbers = list((await tx.scalars(query.limit(limit))).all())
    if numbers:
        await _forget_messages(tx, messages.c.id.in_(numbers), now=now)
    return Swept(messages=len(numbers))


async def _sweep_letters(tx: Transaction, before: datetime, limit: int, *, now: datetime) -> Swept:  # noqa: ARG001
    query = select(outbox.c.id).where(
        outbox.c.created_at < before, outbox.c.state != "sending", ~_is_open(outbox.c.ticket_id)
    )
    numbers = list((await tx.scalars(query.limit(limit))).all())
    if numbers:
        await tx.execute(delete(outbox).where(outbox.c.id.in_(numbers)))
    return Swept(letters=len(numbers))


async def _sweep_shown(tx: Transaction, before: datetime, limit: int, *, now: datetime) -> Swept:  # noqa: ARG001
    waits = exists().where(
        people.c.channel == feed.c.channel,
        people.c.chat_id == feed.c.chat_id,
        tickets.c.person_id == people.c.id,
        tickets.c.state != "closed",
    )
    numbers = list(
        (await tx.scalars(select(feed.c.id).where(feed.c.created_at < before, ~waits).limit(limit))).all()
    )
    if numbers:
        await tx.execute(delete(feed).where(feed.c.id.in_(numbers)))
    return Swept(shown=len(numbers))


async def _sweep_tickets(tx: Transaction, before: datetime, limit: int, *, now: datetime) -> Swept:  # noqa: ARG001
    query = select(tickets.c.id).where(
        tickets.c.closed_at < before, tickets.c.state == "closed", tickets.c.person_id.is_not(None)
    )
    numbers = list((await tx.scalars(query.limit(limit))).all())
    if numbers:
        await tx.execute(update(tickets).where(tickets.c.id.in_(numbers)).values(**_ANONYMOUS))
    return Swept(tickets=len(numbers))


async def _sweep_asked(tx: Transaction, before: datetime, limit: int, *, now: datetime) -> Swept:  # noqa: ARG001
    query = select(asked.c.person_id, asked.c.topic).where(asked.c.at < before).limit(limit)
    rows = [(row.person_id, row.topic) for row in (await tx.execute(query)).all()]
    if rows:
        await tx.execute(delete(asked).where(tuple_(asked.c.person_id, asked.c.topic).in_(rows)))
    return Swept(asked=len(rows))
