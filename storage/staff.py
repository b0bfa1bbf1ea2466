"""Staff and the one-time links by which they join."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, insert, select, update
from sqlalchemy.engine import Row

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import invitations, people, staff, staff_schools
from storage.ticket import Desk

ROLES = ("owner", "ministry", "municipal", "school")
"""The widest first."""


@dataclass(frozen=True)
class Member:
    """One person of the staff and where they work."""

    id: int
    person_id: int
    channel: str
    chat_id: str
    name: str
    role: str
    """The widest of the roles that they were given."""
    school_ids: tuple[int, ...]
    """The schools whose desk they work at, whatever their role."""
    municipality: str | None
    replying_to: int | None
    """The ticket that their next message is about."""
    replying_as: str | None
    """What that message is: answer, question, note …"""
    joined_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class Invitation:
    """A one-time link; only its hash is kept."""

    id: int
    role: str
    school_id: int | None
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
    school_id: int | None,
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
            school_id=school_id,
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
    return invitation_of(row) if row else None


async def join(
    tx: Transaction, person_id: int, *, invitation: Invitation, name: str, now: datetime
) -> Member:
    """Make a person a member of the staff with the invitation's role.

    Who is a member already keeps their schools and the wider role.
    """
    known = await of_person(tx, person_id)
    role, municipality = invitation.role, invitation.municipality
    if known is not None and ROLES.index(known.role) <= ROLES.index(role):
        role, municipality = known.role, known.municipality or municipality
    if known is None:
        former = select(staff.c.id).where(staff.c.person_id == person_id)
        await tx.execute(delete(staff_schools).where(staff_schools.c.staff_id.in_(former)))
    values = {
        "name": name,
        "role": role,
        "municipality": municipality,
        "joined_at": now,
        "revoked_at": None,
        "replying_to": None,
        "replying_as": None,
    }
    statement = (
        insert_into(tx, staff)
        .values(person_id=person_id, **values)
        .on_conflict_do_update(index_elements=[staff.c.person_id], set_=values)
        .returning(staff.c.id)
    )
    number = (await tx.execute(statement)).scalar_one()
    await tx.execute(update(invitations).where(invitations.c.id == invitation.id).values(used_by=number))
    if invitation.school_id is not None:
        place = insert_into(tx, staff_schools).values(
            staff_id=number, school_id=invitation.school_id, since=now
        )
        await tx.execute(place.on_conflict_do_nothing())
    return (await members_where(tx, staff.c.id == number))[0]


async def of_person(tx: Transaction, person_id: int) -> Member | None:
    """The member of staff who this person is, unless revoked."""
    found = await members_where(tx, staff.c.person_id == person_id, staff.c.revoked_at.is_(None))
    return found[0] if found else None


async def was_member(tx: Transaction, person_id: int) -> bool:
    """Whether this person had a role once, and has none now."""
    return bool(await members_where(tx, staff.c.person_id == person_id, staff.c.revoked_at.is_not(None)))


async def find(tx: Transaction, staff_id: int) -> Member | None:
    """The member with this number, revoked or not."""
    found = await members_where(tx, staff.c.id == staff_id)
    return found[0] if found else None


async def everyone(tx: Transaction) -> list[Member]:
    """All members who may work now, in order of joining."""
    return await members_where(tx, staff.c.revoked_at.is_(None))


async def at_desk(tx: Transaction, desk: Desk) -> list[Member]:
    """Who works at this desk now, in order of joining; owners sit at the ministry's."""
    works_there = exists().where(
        staff_schools.c.staff_id == staff.c.id, staff_schools.c.school_id == desk.school_id
    )
    here = {
        "school": works_there,
        "municipal": and_(staff.c.role == "municipal", staff.c.municipality == desk.municipality),
        "ministry": staff.c.role.in_(("owner", "ministry")),
    }[desk.level]
    return await members_where(tx, staff.c.revoked_at.is_(None), here)


async def leave_school(tx: Transaction, staff_id: int, school_id: int) -> bool:
    """The member does not work at this school any more; False if they did not."""
    gone = await tx.execute(
        delete(staff_schools).where(
            staff_schools.c.staff_id == staff_id, staff_schools.c.school_id == school_id
        )
    )
    return bool(gone.rowcount)


async def set_replying(
    tx: Transaction, staff_id: int, ticket_id: int | None, *, as_: str | None = None
) -> None:
    """Remember which ticket the member's next message is about, and what it is."""
    await tx.execute(
        update(staff).where(staff.c.id == staff_id).values(replying_to=ticket_id, replying_as=as_)
    )


async def revoke(tx: Transaction, staff_id: int, *, now: datetime) -> Member | None:
    """Take the role away; None if there is no such active member."""
    statement = (
        update(staff)
        .where(staff.c.id == staff_id, staff.c.revoked_at.is_(None))
        .values(revoked_at=now, replying_to=None, replying_as=None)
        .returning(staff.c.id)
    )
    if await tx.scalar(statement) is None:
        return None
    return (await members_where(tx, staff.c.id == staff_id))[0]


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
    return invitation_of(row) if row else None


async def open_invitations(tx: Transaction, *, now: datetime) -> list[Invitation]:
    """Invitations that can still be used."""
    query = select(invitations).where(
        invitations.c.used_at.is_(None),
        invitations.c.revoked_at.is_(None),
        invitations.c.expires_at > now,
    )
    return [invitation_of(row) for row in (await tx.execute(query.order_by(invitations.c.id))).all()]


async def members_where(tx: Transaction, *conditions: Any) -> list[Member]:
    """Members by conditions on their table, in order of joining; for this room alone."""
    query = (
        select(staff, people.c.channel, people.c.chat_id)
        .join(people, people.c.id == staff.c.person_id)
        .where(*conditions)
        .order_by(staff.c.id)
    )
    rows = (await tx.execute(query)).all()
    schools: dict[int, list[int]] = {row.id: [] for row in rows}
    if rows:
        places = select(staff_schools.c.staff_id, staff_schools.c.school_id).where(
            staff_schools.c.staff_id.in_(schools)
        )
        for place in (await tx.execute(places.order_by(staff_schools.c.school_id))).all():
            schools[place.staff_id].append(place.school_id)
    return [_member(row, schools[row.id]) for row in rows]


def _member(row: Row[Any], school_ids: list[int]) -> Member:
    return Member(
        id=row.id,
        person_id=row.person_id,
        channel=row.channel,
        chat_id=row.chat_id,
        name=row.name,
        role=row.role,
        school_ids=tuple(school_ids),
        municipality=row.municipality,
        replying_to=row.replying_to,
        replying_as=row.replying_as,
        joined_at=row.joined_at,
        revoked_at=row.revoked_at,
    )


def invitation_of(row: Row[Any]) -> Invitation:
    """The invitation in a row of its table."""
    return Invitation(
        id=row.id,
        role=row.role,
        school_id=row.school_id,
        municipality=row.municipality,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
