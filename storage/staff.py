"""Staff and the one-time links by which they join."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import invitations, people, staff


@dataclass(frozen=True)
class Member:
    """One person of the staff and where they work."""

    id: int
    person_id: int
    channel: str
    chat_id: str
    name: str
    role: str
    school: str | None
    municipality: str | None
    replying_to: int | None
    """The ticket to which their next message is an answer."""
    joined_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class Invitation:
    """A one-time link; only its hash is kept."""

    id: int
    role: str
    school: str | None
    municipality: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


async def invite(
    tx: Transaction,
    *,
    token_hash: str,
    role: str,
    school: str | None,
    municipality: str | None,
    now: datetime,
    expires_at: datetime,
) -> int:
    """Keep a new invitation; returns its number."""
    result = await tx.execute(
        insert(invitations)
        .values(
            token_hash=token_hash,
            role=role,
            school=school,
            municipality=municipality,
            created_at=now,
            expires_at=expires_at,
        )
        .returning(invitations.c.id)
    )
    number: int = result.scalar_one()
    return number


async def use_invitation(tx: Transaction, token_hash: str, *, now: datetime) -> Invitation | None:
    """Spend an invitation; None if it is unknown, spent, revoked or too old."""
    statement = (
        update(invitations)
        .where(
            invitations.c.token_hash == token_hash,
            invitations.c.used_at.is_(None),
            invitations.c.revoked_at.is_(None),
            invitations.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(invitations)
    )
    row = (await tx.execute(statement)).one_or_none()
    return _invitation(row) if row else None


async def join(
    tx: Transaction, person_id: int, *, invitation: Invitation, name: str, now: datetime
) -> Member:
    """Make a person a member of the staff with the invitation's role."""
    values = {
        "name": name,
        "role": invitation.role,
        "school": invitation.school,
        "municipality": invitation.municipality,
        "joined_at": now,
        "revoked_at": None,
        "replying_to": None,
    }
    statement = (
        insert_into(tx, staff)
        .values(person_id=person_id, **values)
        .on_conflict_do_update(index_elements=[staff.c.person_id], set_=values)
        .returning(staff.c.id)
    )
    number = (await tx.execute(statement)).scalar_one()
    await tx.execute(update(invitations).where(invitations.c.id == invitation.id).values(used_by=number))
    return (await _select(tx, staff.c.id == number))[0]


async def of_person(tx: Transaction, person_id: int) -> Member | None:
    """The member of staff who this person is, unless revoked."""
    found = await _select(tx, staff.c.person_id == person_id, staff.c.revoked_at.is_(None))
    return found[0] if found else None


async def find(tx: Transaction, staff_id: int) -> Member | None:
    """The member with this number, revoked or not."""
    found = await _select(tx, staff.c.id == staff_id)
    return found[0] if found else None


async def everyone(tx: Transaction) -> list[Member]:
    """All members who may work now, in order of joining."""
    return await _select(tx, staff.c.revoked_at.is_(None))


async def set_replying(tx: Transaction, staff_id: int, ticket_id: int | None) -> None:
    """Remember to which ticket the member's next message belongs."""
    await tx.execute(update(staff).where(staff.c.id == staff_id).values(replying_to=ticket_id))


async def revoke(tx: Transaction, staff_id: int, *, now: datetime) -> Member | None:
    """Take the role away; None if there is no such active member."""
    statement = (
        update(staff)
        .where(staff.c.id == staff_id, staff.c.revoked_at.is_(None))
        .values(revoked_at=now, replying_to=None)
        .returning(staff.c.id)
    )
    if await tx.scalar(statement) is None:
        return None
    return (await _select(tx, staff.c.id == staff_id))[0]


async def names(tx: Transaction) -> dict[int, str]:
    """How everybody who ever was a member is called, by number."""
    return {row.id: row.name for row in (await tx.execute(select(staff.c.id, staff.c.name))).all()}


async def find_invitation(tx: Transaction, token_hash: str, *, now: datetime) -> Invitation | None:
    """The invitation, while it can still be used; looking does not spend it."""
    query = select(invitations).where(
        invitations.c.token_hash == token_hash,
        invitations.c.used_at.is_(None),
        invitations.c.revoked_at.is_(None),
        invitations.c.expires_at > now,
    )
    row = (await tx.execute(query)).one_or_none()
    return _invitation(row) if row else None


async def open_invitations(tx: Transaction, *, now: datetime) -> list[Invitation]:
    """Invitations that can still be used."""
    query = select(invitations).where(
        invitations.c.used_at.is_(None),
        invitations.c.revoked_at.is_(None),
        invitations.c.expires_at > now,
    )
    return [_invitation(row) for row in (await tx.execute(query.order_by(invitations.c.id))).all()]


async def _select(tx: Transaction, *conditions: Any) -> list[Member]:
    query = (
        select(staff, people.c.channel, people.c.chat_id)
        .join(people, people.c.id == staff.c.person_id)
        .where(*conditions)
        .order_by(staff.c.id)
    )
    return [_member(row) for row in (await tx.execute(query)).all()]


def _member(row: Row[Any]) -> Member:
    return Member(
        id=row.id,
        person_id=row.person_id,
        channel=row.channel,
        chat_id=row.chat_id,
        name=row.name,
        role=row.role,
        school=row.school,
        municipality=row.municipality,
        replying_to=row.replying_to,
        joined_at=row.joined_at,
        revoked_at=row.revoked_at,
    )


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        id=row.id,
        role=row.role,
        school=row.school,
        municipality=row.municipality,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
