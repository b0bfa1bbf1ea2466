"""Who answers: the desk of a school, above it the municipality's, above that the ministry's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handlers.messages import Address
from handlers.turn import place
from storage import casework, groups, people, staff
from storage.database import Transaction
from storage.schools import School
from storage.scope import Scope
from storage.staff import Member
from storage.ticket import Desk, Ticket

MINISTRY = Desk("ministry")


@dataclass(frozen=True)
class Place:
    """Where a desk reads: a member's own chat with us, or a group chat of several."""

    to: Address
    is_group: bool = False


def of_school(school: School) -> Desk:
    """The school's own desk."""
    return Desk("school", school.id, school.municipality)


def above(desk: Desk) -> Desk | None:
    """The next desk up; None above the ministry's."""
    if desk.level == "ministry":
        return None
    if desk.level == "school" and desk.municipality:
        return Desk("municipal", desk.school_id, desk.municipality)
    return Desk("ministry", desk.school_id, desk.municipality)


async def members(tx: Transaction, desk: Desk) -> list[Member]:
    """Who works at the desk."""
    return await staff.at_desk(tx, desk)


async def is_alive(tx: Transaction, desk: Desk) -> bool:
    """Whether somebody there can be written to."""
    known = await people.some(tx, [member.person_id for member in await members(tx, desk)])
    return any(person.unreachable is None for person in known.values())


async def first_alive(tx: Transaction, desk: Desk) -> Desk:
    """This desk, or the nearest above it where there is somebody; the ministry's in any case."""
    while not await is_alive(tx, desk):
        higher = above(desk)
        if higher is None:
            break
        desk = higher
    return desk


async def places(tx: Transaction, desk: Desk) -> list[Place]:
    """Where the whole desk reads: its groups, or each of its members where it has none."""
    shared = await groups.of_desk(tx, desk)
    if shared:
        return [Place(Address(group.channel, group.chat_id), is_group=True) for group in shared]
    return [Place(place(member)) for member in await members(tx, desk)]


async def readers(tx: Transaction, ticket: Ticket) -> list[Place]:
    """Where news of a case go: to the desk's groups; without any, to whoever has it, or else to the desk."""
    everybody = await places(tx, ticket.desk)
    if ticket.owner_id is None or any(each.is_group for each in everybody):
        return everybody
    owner = await owner_of(tx, ticket)
    return everybody if owner is None else [Place(place(owner))]


async def owner_of(tx: Transaction, ticket: Ticket) -> Member | None:
    """Whoever has the case and may still see it."""
    owner = await staff.find(tx, ticket.owner_id or 0)
    if owner is None or owner.revoked_at is not None:
        return None
    return owner if await casework.seen(tx, Scope(owner.id), ticket.id) is not None else None


async def silent_since(tx: Transaction, desk: Desk) -> datetime | None:
    """When somebody of the desk was last heard of; None when nobody ever was."""
    known = await people.some(tx, [member.person_id for member in await members(tx, desk)])
    return max((person.seen_at for person in known.values()), default=None)
