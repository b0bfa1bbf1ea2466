"""Photos and files that the staff may see only after the parent has checked them.

kept ──► cleared     the parent said that nothing personal is on it
  └────► gone        the parent would rather not send it
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select, update

from storage import forgetting
from storage.conversations import TO_CHECK, StoredAttachment, stored_attachment
from storage.database import Transaction
from storage.tables import attachments, messages


@dataclass(frozen=True)
class Waiting:
    """A file of a ticket that nobody but the parent has seen yet."""

    file: StoredAttachment
    ticket_id: int
    message_id: int
    """The kept message that it came with."""


async def waiting(
    tx: Transaction,
    conversation_id: int,
    *,
    first: int = 0,
    last: int | None = None,
    ticket_id: int | None = None,
) -> list[Waiting]:
    """The conversation's unchecked files that belong to a ticket, oldest first.

    `first` and `last` are numbers of files, both included; without `ticket_id` all tickets count.
    """
    query = (
        select(attachments, messages.c.ticket_id, messages.c.id.label("of_message"))
        .join(messages, messages.c.id == attachments.c.message_id)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.author == "person",
            messages.c.ticket_id.is_not(None),
            attachments.c.cleared_at.is_(None),
            attachments.c.id >= first,
        )
        .order_by(attachments.c.id)
    )
    if last is not None:
        query = query.where(attachments.c.id <= last)
    if ticket_id is not None:
        query = query.where(messages.c.ticket_id == ticket_id)
    rows = (await tx.execute(query)).all()
    return [Waiting(stored_attachment(row), row.ticket_id, row.of_message) for row in rows]


async def clear(tx: Transaction, files: Collection[Waiting], *, now: datetime) -> None:
    """The parent has checked these: the staff may see them."""
    numbers = [each.file.id for each in files]
    await tx.execute(update(attachments).where(attachments.c.id.in_(numbers)).values(cleared_at=now))


async def drop(tx: Transaction, files: Collection[Waiting], *, now: datetime) -> None:
    """The parent would rather not send these: they are deleted, their bytes soon after the commit."""
    await forgetting.forget_files(tx, [each.file.id for each in files], now=now)


async def is_cleared(tx: Transaction, conversation_id: int, number: int) -> bool:
    """Whether the file with this number is of this conversation and has been checked."""
    query = exists().where(
        attachments.c.id == number,
        attachments.c.cleared_at.is_not(None),
        messages.c.id == attachments.c.message_id,
        messages.c.conversation_id == conversation_id,
    )
    return bool(await tx.scalar(select(query)))


async def any_cleared(tx: Transaction, ticket_id: int) -> bool:
    """Whether the parent has checked a photo or file of this ticket before."""
    query = exists().where(
        messages.c.ticket_id == ticket_id,
        messages.c.author == "person",
        attachments.c.message_id == messages.c.id,
        attachments.c.kind.in_(TO_CHECK),
        attachments.c.cleared_at.is_not(None),
    )
    return bool(await tx.scalar(select(query)))
