"""How far the families of each municipality and school have come, as far as a member may know."""

from __future__ import annotations

from dataclasses import dataclass

from storage import stages
from storage.database import Transaction
from storage.scope import Scope
from storage.stages import Readiness


@dataclass(frozen=True)
class Table:
    """Who is inside, who is stuck where, and who was not asked; only places where a family is known."""

    municipalities: tuple[Readiness, ...]
    """Those that the member coordinates; a school's administrator has none."""
    schools: tuple[Readiness, ...]
    """By municipality and name."""


async def table(tx: Transaction, scope: Scope) -> Table:
    """The table of this member, for the panel; the chat's is `handlers.staff.readiness`."""
    return Table(
        municipalities=tuple(await stages.by_municipality(tx, scope)),
        schools=tuple(await stages.by_school(tx, scope)),
    )
