"""How people become members of the staff, and how they leave."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from faq.markup import escape
from handlers.cases import desks, group_desks, moving
from handlers.errors import HelpdeskError
from handlers.messages import Button
from handlers.texts import basics as texts
from handlers.texts import staff as said
from handlers.turn import Turn, number_in, rows
from storage import casework, journal, schools, staff
from storage.database import Transaction
from storage.scope import Scope
from storage.staff import Invitation, Member

INVITATION = "join-"
"""How the deep-link payload of an invitation begins."""
INVITATION_LIFETIME = timedelta(days=7)
"""Long enough for a colleague on leave, short enough for a link that went astray."""
MOST_SCHOOLS = 8
"""Buttons; who works in more schools leaves the rest afterwards."""


@dataclass(frozen=True)
class Invited:
    """A fresh invitation; the token is shown once and kept only as a hash."""

    id: int
    token: str
    expires_at: datetime


async def invite(
    tx: Transaction,
    *,
    role: str,
    school_id: int | None,
    municipality: str | None,
    now: datetime,
    actor: str = "owner",
) -> Invited:
    """Make a one-time link's token for a role; refuses a role that does not exist."""
    if role not in texts.ROLES:
        raise HelpdeskError(f"Роль «{role}» неизвестна; есть {', '.join(texts.ROLES)}")
    if role == "school" and school_id is None:
        raise HelpdeskError("Администратора школы приглашают в школу: назовите её.")
    if role == "municipal" and not municipality:
        raise HelpdeskError("Координатора приглашают в муниципалитет: назовите его.")
    token = secrets.token_urlsafe(24)
    expires_at = now + INVITATION_LIFETIME
    number = await staff.invite(
        tx,
        token_hash=_hash(token),
        role=role,
        school_id=school_id,
        municipality=municipality,
        now=now,
        expires_at=expires_at,
    )
    await journal.note(tx, "invited", actor=actor, now=now, details={"role": role, "invitation": number})
    return Invited(number, token, expires_at)


async def find_invitation(tx: Transaction, token: str, *, now: datetime) -> Invitation | None:
    """The invitation with this token, while it can still be used; looking does not spend it."""
    return await staff.find_invitation(tx, _hash(token), now=now)


async def join(turn: Turn, token: str) -> Member | None:
    """Spend an invitation; None, and nothing said, when it cannot be used."""
    invitation = await staff.use_invitation(turn.tx, _hash(token), now=turn.now)
    if invitation is None:
        return None
    name = turn.person.name or texts.ROLES.get(invitation.role, invitation.role)
    member = await staff.join(turn.tx, turn.person.id, invitation=invitation, name=name, now=turn.now)
    await journal.note(
        turn.tx, "joined", actor=f"staff:{member.id}", now=turn.now, details={"role": member.role}
    )
    scope = Scope(member.id)
    waiting = await casework.count(turn.tx, scope, "new", now=turn.now)
    overdue = await casework.count(turn.tx, scope, "overdue", now=turn.now)
    places = await _places(turn, member)
    await turn.say(said.joined(member.role, places, waiting=waiting, overdue=overdue), remember=False)
    return member


async def ask_leave(turn: Turn, member: Member, _: str = "") -> None:
    """«/leave»: at once where there is one place to leave, otherwise after a choice."""
    works_at = await schools.some(turn.tx, member.school_ids)
    if len(works_at) + (member.role != "school") <= 1:
        await leave(turn, member, "all")
        return
    buttons = [Button(school.name, f"leave:s{school.id}") for school in works_at.values()]
    ways = [Button(said.BUTTON_LEAVE_ALL, "leave:all"), Button(said.BUTTON_CALL_OFF, "off")]
    await turn.say(said.LEAVE_WHICH, rows([*buttons[:MOST_SCHOOLS], *ways]), remember=False)


async def leave(turn: Turn, member: Member, argument: str) -> None:
    """Take the role away at the member's own wish, or one school of several."""
    if argument == "all":
        await _leave_all(turn, member)
        return
    school = await schools.find(turn.tx, number_in(argument.removeprefix("s")))
    if school is None or school.id not in member.school_ids:
        raise HelpdeskError(said.NOT_YOUR_SCHOOL)
    if len(member.school_ids) == 1 and member.role == "school":
        await _leave_all(turn, member)
        return
    await staff.leave_school(turn.tx, member.id, school.id)
    await journal.note(
        turn.tx, "left_school", actor=f"staff:{member.id}", now=turn.now, details={"school": school.id}
    )
    await turn.say(said.left_school(school.name), remember=False)


async def _leave_all(turn: Turn, member: Member) -> None:
    await staff.revoke(turn.tx, member.id, now=turn.now)
    await group_desks.tell_of_registered(turn.tx, member.id, now=turn.now)
    await moving.orphan(turn, member.id)
    await journal.note(turn.tx, "left", actor=f"staff:{member.id}", now=turn.now)
    await turn.say(texts.STAFF_LEFT, remember=False)


async def _places(turn: Turn, member: Member) -> list[str]:
    """The desks at which the member sits now, as people call them."""
    found = [
        said.desk_name(desks.of_school(school), school.name)
        for school in (await schools.some(turn.tx, member.school_ids)).values()
    ]
    if member.role == "municipal" and member.municipality:
        found.append(escape(member.municipality))
    return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
