"""Tickets as the parent's side and the clock deal with them; the staff's side is `storage.casework`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from storage.database import Transaction
from storage.tables import tickets
from storage.ticket import Desk, Matter, Ticket, from_row


async def open_ticket(
    tx: Transaction, *, person_id: int, conversation_id: int, matter: Matter, now: datetime
) -> Ticket:
    """Open a ticket."""
    result = await tx.execute(
        insert(tickets)
        .values(
            person_id=person_id,
            conversation_id=conversation_id,
            state="waiting",
            reason=matter.reason,
            topic=matter.topic,
            tried=list(matter.tried),
            school=matter.school,
            school_id=matter.school_id,
            municipality=matter.municipality,
            level=matter.level,
            kind=matter.kind,
            urgent=matter.urgent,
            card=[list(field) for field in matter.card],
            leaf=matter.leaf,
            previous_id=matter.previous_id,
            created_at=now,
        )
        .returning(tickets)
    )
    return from_row(result.one())


async def find(tx: Transaction, ticket_id: int) -> Ticket | None:
    """The ticket with this number, whosesoever it is: never for the eyes of the staff."""
    row = (await tx.execute(select(tickets).where(tickets.c.id == ticket_id))).one_or_none()
    return from_row(row) if row else None


async def of_person(tx: Transaction, person_id: int, *, limit: int = 10) -> list[Ticket]:
    """The person's tickets: the open ones first, then the one closed last."""
    query = (
        select(tickets)
        .where(tickets.c.person_id == person_id)
        .order_by(tickets.c.state == "closed", tickets.c.closed_at.desc(), tickets.c.id.desc())
        .limit(limit)
    )
    return [from_row(row) for row in (await tx.execute(query)).all()]


async def follow_ups_due(tx: Transaction, *, now: datetime, limit: int = 100) -> list[tuple[int, int]]:
    """Closed tickets whose parents are to be asked now whether they got in: numbers with the parents'."""
    query = (
        select(tickets.c.id, tickets.c.person_id)
        .where(tickets.c.follow_up_at <= now, tickets.c.state == "closed", tickets.c.person_id.is_not(None))
        .order_by(tickets.c.follow_up_at, tickets.c.id)
        .limit(limit)
    )
    return [(row.id, row.person_id) for row in (await tx.execute(query)).all()]


async def take_follow_up(tx: Transaction, ticket_id: int, *, now: datetime) -> Ticket | None:
    """Take it on oneself to ask; None if somebody else does, or the ticket is open again."""
    statement = (
        update(tickets)
        .where(tickets.c.id == ticket_id, tickets.c.state == "closed", tickets.c.follow_up_at <= now)
        .values(follow_up_at=None)
        .returning(tickets)
    )
    row = (await tx.execute(statement)).one_or_none()
    return from_row(row) if row else None


async def describe(tx: Transaction, ticket_id: int, matter: Matter) -> None:
    """Note on an open ticket which request it turned out to be; what was urgent stays so."""
    described: dict[str, Any] = {
        "kind": matter.kind,
        "leaf": matter.leaf,
        "card": [list(field) for field in matter.card],
    }
    if matter.urgent:
        described["urgent"] = True
    await tx.execute(update(tickets).where(tickets.c.id == ticket_id).values(**described))


async def close(tx: Transaction, ticket_id: int, *, now: datetime) -> Ticket | None:
    """The parent closes a ticket; None if it was closed before."""
    return await change(
        tx,
        ticket_id,
        {"state": "closed", "closed_at": now, "clock_stopped_at": None, "clock_stopped_for": None},
    )


async def move(
    tx: Transaction, ticket_id: int, desk: Desk, *, school: str, card: Sequence[tuple[str, str]]
) -> Ticket | None:
    """The parent named another school; None if somebody works on the ticket already, or it is closed."""
    statement = (
        update(tickets)
        .where(tickets.c.id == ticket_id, tickets.c.state == "waiting", tickets.c.owner_id.is_(None))
        .values(
            level=desk.level,
            school_id=desk.school_id,
            municipality=desk.municipality,
            school=school,
            card=[list(field) for field in card],
            warn_at=None,
            warned_at=None,
            incident_id=None,  # of the school that it leaves
        )
        .returning(tickets)
    )
    row = (await tx.execute(statement)).one_or_none()
    return from_row(row) if row else None


async def change(
    tx: Transaction, ticket_id: int, values: Mapping[str, Any], *, state: str = "open"
) -> Ticket | None:
    """Change columns of a ticket that is still `open` (or `closed`); None if it is not so any more.

    For deeds of the house itself (deadlines, outages, the parent's buttons), never for the staff's.
    """
    is_so = tickets.c.state == "closed" if state == "closed" else tickets.c.state != "closed"
    statement = update(tickets).where(tickets.c.id == ticket_id, is_so).values(**values).returning(tickets)
    row = (await tx.execute(statement)).one_or_none()
    return from_row(row) if row else None


async def count_by_state(tx: Transaction) -> dict[str, int]:
    """How many tickets there are in each state."""
    query = select(tickets.c.state, func.count().label("number")).group_by(tickets.c.state)
    return {row.state: row.number for row in (await tx.execute(query)).all()}


async def list_open(tx: Transaction, *, limit: int = 100, offset: int = 0) -> list[Ticket]:
    """Tickets that are not closed, whosesoever they are: the urgent ones first, then the longest waiting."""
    query = (
        select(tickets)
        .where(tickets.c.state != "closed")
        .order_by(tickets.c.state.desc(), tickets.c.urgent.desc(), tickets.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [from_row(row) for row in (await tx.execute(query)).all()]
