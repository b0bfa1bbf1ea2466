"""Tickets: questions that a person has to solve.

              first answer            close
waiting ─────────────────► answered ─────────► closed
    │                                            ▲
    └────────────────────────────────────────────┘
                      close
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.tables import tickets

TicketState = Literal["waiting", "answered", "closed"]
Reason = Literal["asked", "unknown", "not_helped", "error", "diagnosis"]


@dataclass(frozen=True)
class Ticket:
    """A question in people's hands."""

    id: int
    person_id: int
    """0, which nobody has, when the question is anonymous: the person was forgotten, or it is too old."""
    conversation_id: int
    """0 likewise."""
    state: TicketState
    reason: Reason
    topic: str | None
    """Slug of the answer that did not help, if there was one."""
    tried: tuple[str, ...]
    """Slugs of all answers the person saw before."""
    school: str
    """The school in the person's own words; routing by directory comes later."""
    kind: str | None
    """The kind of request in the diagnosis tree; None for a question that it does not know."""
    urgent: bool
    card: tuple[tuple[str, str], ...]
    """Fields of the card: title and text, in the order in which they are shown."""
    owner_id: int | None
    """Number of the staff member whose answer was first."""
    created_at: datetime
    first_answer_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True)
class Matter:
    """What a new ticket is about."""

    reason: Reason
    topic: str | None
    tried: tuple[str, ...]
    school: str
    kind: str | None = None
    urgent: bool = False
    card: tuple[tuple[str, str], ...] = ()


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
            kind=matter.kind,
            urgent=matter.urgent,
            card=[list(field) for field in matter.card],
            created_at=now,
        )
        .returning(tickets)
    )
    return _ticket(result.one())


async def find(tx: Transaction, ticket_id: int) -> Ticket | None:
    """The ticket with this number."""
    row = (await tx.execute(select(tickets).where(tickets.c.id == ticket_id))).one_or_none()
    return _ticket(row) if row else None


async def list_open(tx: Transaction, *, limit: int = 100, offset: int = 0) -> list[Ticket]:
    """Tickets that are not closed: the urgent ones first, then the longest waiting."""
    query = (
        select(tickets)
        .where(tickets.c.state != "closed")
        .order_by(tickets.c.state.desc(), tickets.c.urgent.desc(), tickets.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [_ticket(row) for row in (await tx.execute(query)).all()]


async def list_closed(tx: Transaction, *, limit: int = 50) -> list[Ticket]:
    """Tickets closed last, newest first; those that only count any more are left out."""
    query = (
        select(tickets)
        .where(tickets.c.state == "closed", tickets.c.person_id.is_not(None))
        .order_by(tickets.c.closed_at.desc())
        .limit(limit)
    )
    return [_ticket(row) for row in (await tx.execute(query)).all()]


async def describe(tx: Transaction, ticket_id: int, matter: Matter) -> None:
    """Note on an open ticket which request it turned out to be; what was urgent stays so."""
    described: dict[str, Any] = {"kind": matter.kind, "card": [list(field) for field in matter.card]}
    if matter.urgent:
        described["urgent"] = True
    await tx.execute(update(tickets).where(tickets.c.id == ticket_id).values(**described))


async def claim(tx: Transaction, ticket_id: int, staff_id: int, *, now: datetime) -> Ticket | None:
    """Make this staff member the one who answers; None if another was first or it is closed."""
    statement = (
        update(tickets)
        .where(
            tickets.c.id == ticket_id,
            tickets.c.state != "closed",
            or_(tickets.c.owner_id.is_(None), tickets.c.owner_id == staff_id),
        )
        .values(owner_id=staff_id, state="answered", first_answer_at=_first(now))
        .returning(tickets)
    )
    row = (await tx.execute(statement)).one_or_none()
    return _ticket(row) if row else None


async def hand_over(tx: Transaction, ticket_id: int, staff_id: int, *, now: datetime) -> Ticket | None:
    """Make this staff member the one who answers, whoever was before; None if it is closed."""
    statement = (
        update(tickets)
        .where(tickets.c.id == ticket_id, tickets.c.state != "closed")
        .values(owner_id=staff_id, state="answered", first_answer_at=_first(now))
        .returning(tickets)
    )
    row = (await tx.execute(statement)).one_or_none()
    return _ticket(row) if row else None


async def close(tx: Transaction, ticket_id: int, *, staff_id: int | None, now: datetime) -> Ticket | None:
    """Close a ticket; None if it was closed before."""
    statement = (
        update(tickets)
        .where(tickets.c.id == ticket_id, tickets.c.state != "closed")
        .values(state="closed", closed_at=now, closed_by=staff_id)
        .returning(tickets)
    )
    row = (await tx.execute(statement)).one_or_none()
    return _ticket(row) if row else None


async def count_by_state(tx: Transaction) -> dict[str, int]:
    """How many tickets there are in each state."""
    query = select(tickets.c.state, func.count().label("number")).group_by(tickets.c.state)
    return {row.state: row.number for row in (await tx.execute(query)).all()}


def _first(now: datetime) -> Any:
    return func.coalesce(tickets.c.first_answer_at, now, type_=tickets.c.first_answer_at.type)


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(
        id=row.id,
        person_id=row.person_id or 0,
        conversation_id=row.conversation_id or 0,
        state=row.state,
        reason=row.reason,
        topic=row.topic,
        tried=tuple(row.tried),
        school=row.school,
        kind=row.kind,
        urgent=row.urgent,
        card=tuple((title, said) for title, said in row.card),
        owner_id=row.owner_id,
        created_at=row.created_at,
        first_answer_at=row.first_answer_at,
        closed_at=row.closed_at,
    )
