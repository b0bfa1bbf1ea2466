"""How people become members of the staff, and how they leave."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.errors import HelpdeskError
from handlers.texts import basics as texts
from handlers.turn import Turn
from storage import journal, staff
from storage.database import Transaction
from storage.staff import Invitation, Member

INVITATION = "join-"
"""How the deep-link payload of an invitation begins."""
INVITATION_LIFETIME = timedelta(days=7)
"""Long enough for a colleague on leave, short enough for a link that went astray."""


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
    school: str | None,
    municipality: str | None,
    now: datetime,
    actor: str = "owner",
) -> Invited:
    """Make a one-time link's token for a role; refuses a role that does not exist."""
    if role not in texts.ROLES:
        raise HelpdeskError(f"Роль «{role}» неизвестна; есть {', '.join(texts.ROLES)}")
    token = secrets.token_urlsafe(24)
    expires_at = now + INVITATION_LIFETIME
    number = await staff.invite(
        tx,
        token_hash=_hash(token),
        role=role,
        school=school,
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
    await turn.say(texts.staff_joined(member.role, member.school or member.municipality), remember=False)
    return member


async def leave(turn: Turn, member: Member) -> None:
    """Take the role away at the member's own wish."""
    await staff.revoke(turn.tx, member.id, now=turn.now)
    await journal.note(turn.tx, "left", actor=f"staff:{member.id}", now=turn.now)
    await turn.say(texts.STAFF_LEFT, remember=False)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
