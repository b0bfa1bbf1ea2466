"""Ready answers of the staff: everybody's, a municipality's, a school's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.sql import ColumnElement

from storage.database import Transaction
from storage.dialect import insert_into
from storage.scope import EVERYTHING, Scope, any_row, may_reach_school
from storage.tables import cursors, schools, staff, templates
from storage.ticket import Desk, Level

After = Literal["none", "wait", "close"]
"""What sending it does to the case: nothing, wait for the parent, close it."""


@dataclass(frozen=True)
class Template:
    """A ready answer."""

    id: int
    level: Level
    school_id: int | None
    municipality: str
    title: str
    text: str
    after: After

    @property
    def desk(self) -> Desk:
        """Whose it is; the ministry's are everybody's."""
        return Desk(self.level, self.school_id, self.municipality)


async def for_desk(tx: Transaction, desk: Desk) -> list[Template]:
    """The desk's own and those of the levels above it, its own first."""
    mine = [templates.c.level == "ministry"]
    if desk.municipality:
        mine.append(and_(templates.c.level == "municipal", templates.c.municipality == desk.municipality))
    if desk.school_id is not None:
        mine.append(and_(templates.c.level == "school", templates.c.school_id == desk.school_id))
    order = {"school": 0, "municipal": 1, "ministry": 2}
    query = select(templates).where(templates.c.retired_at.is_(None), or_(*mine))
    rows = (await tx.execute(query.order_by(templates.c.position, templates.c.id))).all()
    return sorted((_template(row) for row in rows), key=lambda each: order[each.level])


async def find(tx: Transaction, template_id: int) -> Template | None:
    """The template with this number, unless it was retired."""
    query = select(templates).where(templates.c.id == template_id, templates.c.retired_at.is_(None))
    row = (await tx.execute(query)).one_or_none()
    return _template(row) if row else None


async def usable(tx: Transaction, scope: Scope) -> list[tuple[Template, bool]]:
    """All templates that a member meets at their desks, and whether each is theirs to change."""
    query = select(templates, _may_change(scope).label("is_theirs")).where(
        templates.c.retired_at.is_(None), or_(_may_change(scope), _may_use(scope))
    )
    rows = (await tx.execute(query.order_by(templates.c.position, templates.c.id))).all()
    return [(_template(row), bool(row.is_theirs)) for row in rows]


async def change_theirs(
    tx: Transaction, scope: Scope, template_id: int, *, title: str, text: str, after: After, now: datetime
) -> bool:
    """Replace a template's words; False if it is not theirs to change or was retired."""
    values = {
        "title": title,
        "text": text,
        "after": after,
        "updated_by": scope.staff_id,
        "updated_at": now,
    }
    return await _change_theirs(tx, scope, template_id, values)


async def retire_theirs(tx: Transaction, scope: Scope, template_id: int, *, now: datetime) -> bool:
    """Nobody is offered the template any more; False if it is not theirs to change or was retired."""
    values = {"retired_at": now, "updated_by": scope.staff_id, "updated_at": now}
    return await _change_theirs(tx, scope, template_id, values)


async def _change_theirs(tx: Transaction, scope: Scope, template_id: int, values: dict[str, Any]) -> bool:
    statement = (
        update(templates)
        .where(templates.c.id == template_id, templates.c.retired_at.is_(None), _may_change(scope))
        .values(**values)
    )
    return (await tx.execute(statement)).rowcount > 0


def _may_change(scope: Scope) -> ColumnElement[bool]:
    """For a query on `templates`: whether it belongs to a desk in which the member has a say."""
    of_school = any_row(schools, schools.c.id == templates.c.school_id, may_reach_school(scope))
    me = staff.alias("me")
    of_municipality = and_(me.c.role == "municipal", me.c.municipality == templates.c.municipality)
    above = or_(me.c.role.in_(EVERYTHING), and_(templates.c.level == "municipal", of_municipality))
    is_above = any_row(me, me.c.id == scope.staff_id, me.c.revoked_at.is_(None), above)
    return or_(and_(templates.c.level == "school", of_school), and_(templates.c.level != "school", is_above))


def _may_use(scope: Scope) -> ColumnElement[bool]:
    """Those of the levels above the member's desks."""
    me = staff.alias("me")
    is_member = any_row(me, me.c.id == scope.staff_id, me.c.revoked_at.is_(None))
    in_place = schools.c.municipality == templates.c.municipality
    nearby = any_row(schools, in_place, may_reach_school(scope))
    is_ministrys, is_municipal = templates.c.level == "ministry", templates.c.level == "municipal"
    return or_(and_(is_ministrys, is_member), and_(is_municipal, nearby))


async def add(
    tx: Transaction, desk: Desk, *, title: str, text: str, after: After, staff_id: int | None, now: datetime
) -> int:
    """Add a template; returns its number."""
    last = (await tx.execute(select(func.max(templates.c.position)))).scalar_one()
    values = {
        "level": desk.level,
        "school_id": desk.school_id if desk.level == "school" else None,
        "municipality": desk.municipality if desk.level == "municipal" else "",
        "title": title,
        "text": text,
        "after": after,
        "position": (last or 0) + 1,
        "updated_by": staff_id,
        "updated_at": now,
    }
    number: int = (
        await tx.execute(insert(templates).values(**values).returning(templates.c.id))
    ).scalar_one()
    return number


async def change(
    tx: Transaction, template_id: int, *, title: str, text: str, after: After, staff_id: int, now: datetime
) -> None:
    """Replace a template's words."""
    values = {"title": title, "text": text, "after": after, "updated_by": staff_id, "updated_at": now}
    await tx.execute(update(templates).where(templates.c.id == template_id).values(**values))


async def retire(tx: Transaction, template_id: int, *, staff_id: int, now: datetime) -> None:
    """Nobody is offered the template any more."""
    await tx.execute(
        update(templates)
        .where(templates.c.id == template_id)
        .values(retired_at=now, updated_by=staff_id, updated_at=now)
    )


async def begin_seeding(tx: Transaction) -> bool:
    """Whether the first templates are to be added now: true once for ever, whoever asks at the same time."""
    statement = insert_into(tx, cursors).values(name=_SEEDED, place="")
    noted = await tx.execute(statement.on_conflict_do_nothing(index_elements=[cursors.c.name]))
    return noted.rowcount > 0


_SEEDED = "templates-seeded"


def _template(row: Row[Any]) -> Template:
    return Template(
        id=row.id,
        level=row.level,
        school_id=row.school_id,
        municipality=row.municipality,
        title=row.title,
        text=row.text,
        after=row.after,
    )
