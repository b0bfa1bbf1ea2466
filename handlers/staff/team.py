"""Colleagues: whom a member sees, invites and lets go. Every look fails closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from handlers.cases import group_desks, moving
from handlers.errors import HelpdeskError
from handlers.staff import membership
from handlers.staff.membership import Invited
from handlers.turn import Deed
from storage import groups, journal, schools, staff, team
from storage.database import Transaction
from storage.groups import Group
from storage.schools import School
from storage.scope import EVERYTHING, Scope
from storage.staff import Invitation, Member

ROLES_TO_GIVE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "owner": ("school", "municipal", "ministry", "owner"),
        "ministry": ("school", "municipal", "ministry"),
        "municipal": ("school", "municipal"),
        "school": ("school",),
    }
)
"""Whom each role may invite and let go, the narrowest first; only an owner makes owners."""


class NotAllowed(HelpdeskError):
    """The member's role does not reach so far."""


@dataclass(frozen=True)
class Colleague:
    """Somebody of the staff as a line of the page."""

    member: Member
    places: tuple[str, ...]
    """Schools and municipality."""
    can_be_let_go: bool


@dataclass(frozen=True)
class Pending:
    """An invitation that nobody has used yet."""

    id: int
    role: str
    place: str
    expires_at: datetime


@dataclass(frozen=True)
class Team:
    """All that a member sees of the staff."""

    colleagues: tuple[Colleague, ...]
    pending: tuple[Pending, ...]


@dataclass(frozen=True)
class GroupDesk:
    """A group chat that is or was a desk."""

    group: Group
    desk: str


def roles_to_invite(member: Member) -> tuple[str, ...]:
    """The roles that this member may give and take."""
    return () if member.revoked_at is not None else ROLES_TO_GIVE.get(member.role, ())


async def team_of(tx: Transaction, member: Member, *, now: datetime) -> Team:
    """The colleagues and the open invitations that the member may see."""
    scope = Scope(member.id)
    seen = await team.colleagues(tx, scope)
    invited = await team.open_invitations(tx, scope, now=now)
    numbers = {number for each in seen for number in each.school_ids}
    numbers |= {each.school_id for each in invited if each.school_id is not None}
    known = await schools.some(tx, numbers)
    return Team(
        tuple(Colleague(each, _places(each, known), _may_let_go(member, each)) for each in seen),
        tuple(Pending(each.id, each.role, _place(each, known), each.expires_at) for each in invited),
    )


async def invite(
    tx: Transaction,
    member: Member,
    *,
    role: str,
    school_id: int | None,
    municipality: str | None,
    now: datetime,
) -> Invited:
    """Make a one-time link's token for a colleague, in a place where the member has a say."""
    if role not in roles_to_invite(member):
        raise NotAllowed("Пригласить с этой ролью вы не можете.")
    school = await _school(tx, member, school_id) if role == "school" else None
    place = await _municipality(tx, member, municipality) if role == "municipal" else None
    return await membership.invite(
        tx,
        role=role,
        school_id=school.id if school is not None else None,
        municipality=place,
        now=now,
        actor=f"staff:{member.id}",
    )


async def take_back(tx: Transaction, member: Member, invitation_id: int, *, now: datetime) -> None:
    """Nobody can join by this invitation any more."""
    if not await team.revoke_invitation(tx, Scope(member.id), invitation_id, now=now):
        raise NotAllowed("Этого приглашения уже нет: его использовали, отозвали или оно устарело.")
    details = {"invitation": invitation_id}
    await journal.note(tx, "invitation_revoked", actor=f"staff:{member.id}", now=now, details=details)


async def let_go(deed: Deed, member: Member, staff_id: int) -> None:
    """Take a colleague's role away, or the schools in which the member has a say."""
    colleague = await team.colleague(deed.tx, Scope(member.id), staff_id)
    if colleague is None:
        await _refuse_unless_gone(deed.tx, member, staff_id)
        return
    if not _may_let_go(member, colleague):
        raise NotAllowed("Отозвать доступ этого сотрудника вы не можете.")
    theirs = [each for each in colleague.school_ids if await schools.theirs(deed.tx, Scope(member.id), each)]
    if colleague.role == "school" and len(theirs) < len(colleague.school_ids):
        await _take_schools(deed, member, colleague, theirs)
        return
    if await staff.revoke(deed.tx, colleague.id, now=deed.now) is not None:
        await group_desks.tell_of_registered(deed.tx, colleague.id, now=deed.now)
        await moving.orphan(deed, colleague.id)
        await _note(deed, member, "revoked", staff=colleague.id)


async def group_desks_of(tx: Transaction, member: Member) -> tuple[GroupDesk, ...]:
    """The group chats that are or were desks in which the member has a say."""
    mine = {school.id for school in await schools.of_member(tx, Scope(member.id))}
    sees_all = member.role in EVERYTHING
    return tuple(
        [
            GroupDesk(group, await group_desks.title(tx, group.desk))
            for group in await groups.everyone(tx)
            if sees_all
            or (group.level == "school" and group.school_id in mine)
            or (group.level == "municipal" and _coordinates(member, group.municipality))
        ]
    )


def _may_let_go(member: Member, colleague: Member) -> bool:
    """Nobody locks themselves out by mistake."""
    return colleague.id != member.id and colleague.role in roles_to_invite(member)


def _coordinates(member: Member, municipality: str) -> bool:
    return member.role == "municipal" and bool(municipality) and member.municipality == municipality


async def _refuse_unless_gone(tx: Transaction, member: Member, staff_id: int) -> None:
    """A second press of the same button finds the colleague gone: that is what was wanted."""
    former = await staff.find(tx, staff_id)
    if former is None or former.revoked_at is None or former.role not in roles_to_invite(member):
        raise NotAllowed("Отозвать доступ этого сотрудника вы не можете.")


async def _take_schools(deed: Deed, member: Member, colleague: Member, school_ids: list[int]) -> None:
    for school_id in school_ids:
        await staff.leave_school(deed.tx, colleague.id, school_id)
        await _note(deed, member, "left_school", staff=colleague.id, school=school_id)


async def _note(deed: Deed, member: Member, name: str, **details: int) -> None:
    await journal.note(deed.tx, name, actor=f"staff:{member.id}", now=deed.now, details=details)


async def _school(tx: Transaction, member: Member, school_id: int | None) -> School:
    school = await schools.theirs(tx, Scope(member.id), school_id or 0)
    if school is None or school.closed_at is not None:
        raise NotAllowed("Выберите школу из списка: пригласить можно только в свою.")
    return school


async def _municipality(tx: Transaction, member: Member, name: str | None) -> str:
    known = await schools.municipalities(tx) if member.role in EVERYTHING else [member.municipality]
    if not name or name not in known:
        raise NotAllowed("Выберите муниципалитет из списка: пригласить можно только в свой.")
    return name


def _places(member: Member, known: Mapping[int, School]) -> tuple[str, ...]:
    own = [f"{known[each].name}, {known[each].municipality}" for each in member.school_ids if each in known]
    return (*([member.municipality] if member.municipality else []), *own)


def _place(invitation: Invitation, known: Mapping[int, School]) -> str:
    school = known.get(invitation.school_id or 0)
    return f"{school.name}, {school.municipality}" if school is not None else invitation.municipality or ""
