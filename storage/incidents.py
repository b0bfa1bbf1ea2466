"""Incidents: several families of one school in the same trouble within a short time.

open ──► closed     the staff close it or say that the cases differ; or no case came for a day
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, insert, select, update
from sqlalchemy.engine import Row

from storage.conversations import Message
from storage.database import Transaction
from storage.scope import Scope, may_reach_school
from storage.tables import incidents, messages, schools, tickets
from storage.ticket import Ticket, from_row


@dataclass(frozen=True)
class Incident:
    """One trouble of many families."""

    id: int
    school_id: int
    matter: str
    """What they have in common: an end of the diagnosis, or the topic that did not help."""
    opened_at: datetime
    closed_at: datetime | None
    answer_id: int | None
    """The message with which the staff answered all of them."""


def matter_of(ticket: Ticket) -> str | None:
    """What a ticket has in common with others; None for one that is like no other."""
    return ticket.leaf or ticket.topic


async def hold_school(tx: Transaction, school_id: int) -> None:
    """Until the transaction ends, nobody else looks for incidents of this school."""
    # Not against those who only point to the school, as every new ticket does: they would wait in a circle.
    held = select(schools.c.id).where(schools.c.id == school_id).with_for_update(key_share=True)
    await tx.execute(held)


async def open_at(tx: Transaction, school_id: int, matter: str, *, last_since: datetime) -> Incident | None:
    """The open incident of this school and matter, if a case of it came since then."""
    is_fresh = exists().where(tickets.c.incident_id == incidents.c.id, tickets.c.created_at >= last_since)
    query = (
        select(incidents)
        .where(
            incidents.c.school_id == school_id,
            incidents.c.matter == matter,
            incidents.c.closed_at.is_(None),
            is_fresh,
        )
        .order_by(incidents.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return _incident(row) if row else None


async def alike(tx: Transaction, school_id: int, matter: str, *, since: datetime) -> list[Ticket]:
    """Open tickets of this school and matter that came since then and belong to no incident yet."""
    query = (
        select(tickets)
        .where(
            tickets.c.school_id == school_id,
            func.coalesce(tickets.c.leaf, tickets.c.topic) == matter,
            tickets.c.created_at >= since,
            tickets.c.state != "closed",
            tickets.c.urgent.is_(False),
            tickets.c.incident_id.is_(None),
            tickets.c.split_at.is_(None),
        )
        .order_by(tickets.c.id)
    )
    return [from_row(row) for row in (await tx.execute(query)).all()]


async def begin(tx: Transaction, school_id: int, matter: str, *, now: datetime) -> Incident:
    """Open an incident; its tickets join by `add`."""
    values = {"school_id": school_id, "matter": matter, "opened_at": now}
    row = (await tx.execute(insert(incidents).values(**values).returning(incidents))).one()
    return _incident(row)


async def add(tx: Transaction, incident: Incident, ticket_id: int) -> None:
    """The ticket is one of the incident's."""
    await tx.execute(update(tickets).where(tickets.c.id == ticket_id).values(incident_id=incident.id))


async def cases(tx: Transaction, incident_id: int) -> list[Ticket]:
    """All tickets of an incident, oldest first."""
    query = select(tickets).where(tickets.c.incident_id == incident_id).order_by(tickets.c.id)
    return [from_row(row) for row in (await tx.execute(query)).all()]


async def seen(tx: Transaction, scope: Scope, incident_id: int) -> Incident | None:
    """The incident with this number, if its school is theirs."""
    theirs = exists().where(schools.c.id == incidents.c.school_id, may_reach_school(scope))
    return await _one(tx, incidents.c.id == incident_id, theirs)


async def note_answer(tx: Transaction, scope: Scope, incident_id: int, message_id: int) -> Incident | None:
    """Keep the message that answered all; None if it is closed or not theirs."""
    return await _change(tx, scope, incident_id, {"answer_id": message_id})


async def answered_with(tx: Transaction, given: Message) -> int | None:
    """The open incident of whose answer this message, kept with one case, is a copy; None if of none."""
    query = (
        select(incidents.c.id)
        .join(tickets, tickets.c.incident_id == incidents.c.id)
        .join(messages, messages.c.id == incidents.c.answer_id)
        .where(
            tickets.c.id == given.ticket_id,
            incidents.c.closed_at.is_(None),
            messages.c.staff_id == given.staff_id,
            messages.c.created_at == given.created_at,
        )
    )
    number: int | None = await tx.scalar(query)
    return number


async def close(tx: Transaction, scope: Scope, incident_id: int, *, now: datetime) -> Incident | None:
    """Nothing joins it any more; None if it was closed before or is not theirs."""
    return await _change(tx, scope, incident_id, {"closed_at": now})


async def split(tx: Transaction, incident_id: int, *, now: datetime) -> list[Ticket]:
    """Its tickets are cases of their own again, and stay so; returns those that are open."""
    statement = (
        update(tickets)
        .where(tickets.c.incident_id == incident_id)
        .values(incident_id=None, split_at=now)
        .returning(tickets)
    )
    freed = [from_row(row) for row in (await tx.execute(statement)).all()]
    return sorted((each for each in freed if each.state != "closed"), key=lambda each: each.id)


async def was_in_one(tx: Transaction, ticket_id: int) -> bool:
    """Whether the staff may know it only by the card of an incident, which was split or not since."""
    query = select(tickets.c.id).where(
        tickets.c.id == ticket_id, tickets.c.incident_id.is_not(None) | tickets.c.split_at.is_not(None)
    )
    return await tx.scalar(query) is not None


async def close_old(tx: Transaction, *, last_before: datetime, now: datetime) -> int:
    """Close incidents that no ticket has joined since then; returns how many."""
    is_fresh = exists().where(tickets.c.incident_id == incidents.c.id, tickets.c.created_at >= last_before)
    statement = update(incidents).where(incidents.c.closed_at.is_(None), ~is_fresh).values(closed_at=now)
    return (await tx.execute(statement)).rowcount


async def _change(tx: Transaction, scope: Scope, incident_id: int, values: dict[str, Any]) -> Incident | None:
    theirs = exists().where(schools.c.id == incidents.c.school_id, may_reach_school(scope))
    open_ = and_(incidents.c.id == incident_id, incidents.c.closed_at.is_(None), theirs)
    row = (
        await tx.execute(update(incidents).where(open_).values(**values).returning(incidents))
    ).one_or_none()
    return _incident(row) if row else None


async def _one(tx: Transaction, *conditions: ColumnElement[bool]) -> Incident | None:
    row = (await tx.execute(select(incidents).where(*conditions))).one_or_none()
    return _incident(row) if row else None


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        school_id=row.school_id,
        matter=row.matter,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        answer_id=row.answer_id,
    )
