"""Families: the children that a parent told of, the places that belong together, the codes that join them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Row

from storage import people
from storage.database import Transaction
from storage.dialect import insert_into
from storage.people import Person
from storage.tables import awaited, children, families, family_members, join_codes, join_tries

AgeGroup = Literal["under14", "14_no_passport", "from14"]
AGE_GROUPS: tuple[AgeGroup, ...] = get_args(AgeGroup)


@dataclass(frozen=True)
class Child:
    """A child as the parent chose to call it; never a name or a date of birth."""

    id: int
    label: str
    age_group: AgeGroup | None
    school: str
    """In the parent's own words, or as the directory calls it; empty while not told."""
    school_id: int | None = None
    """The school in the directory."""


async def children_of(tx: Transaction, person_id: int) -> list[Child]:
    """The children of this person's family, in the order in which they were told of."""
    query = select(children).where(children.c.family_id == _family(person_id)).order_by(children.c.id)
    return [_child(row) for row in (await tx.execute(query)).all()]


async def child(tx: Transaction, person_id: int, child_id: int) -> Child | None:
    """The child with this number, if it is one of this person's family."""
    row = (await tx.execute(select(children).where(*_own(person_id, child_id)))).one_or_none()
    return _child(row) if row else None


async def last_spoken_of(tx: Transaction, person_id: int) -> Child | None:
    """The child about whom this family talked last."""
    query = (
        select(children)
        .where(children.c.family_id == _family(person_id))
        .order_by(children.c.spoken_of_at.desc(), children.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return _child(row) if row else None


async def add_child(tx: Transaction, person_id: int, *, label: str, now: datetime) -> Child:
    """Remember a child."""
    family_id = await _found(tx, person_id, now=now)
    values = {"family_id": family_id, "label": label, "created_at": now, "spoken_of_at": now}
    return _child((await tx.execute(insert(children).values(values).returning(children))).one())


async def rename(tx: Transaction, person_id: int, child_id: int, *, label: str) -> Child | None:
    """Call the child otherwise; None if it is not this family's."""
    return await _change(tx, person_id, child_id, label=label)


async def set_age_group(
    tx: Transaction, person_id: int, child_id: int, age_group: AgeGroup | None
) -> Child | None:
    """Remember how old the child is, as far as the answers differ by it."""
    return await _change(tx, person_id, child_id, age_group=age_group)


async def set_school(
    tx: Transaction, person_id: int, child_id: int, school: str, *, school_id: int | None = None
) -> Child | None:
    """Remember where the child learns: the words for it, and the school of the directory if it is known."""
    return await _change(tx, person_id, child_id, school=school, school_id=school_id)


async def speak_of(tx: Transaction, person_id: int, child_id: int, *, now: datetime) -> Child | None:
    """The talk is about this child now."""
    return await _change(tx, person_id, child_id, spoken_of_at=now)


async def forget_child(tx: Transaction, person_id: int, child_id: int) -> bool:
    """Forget the child; False if it is not this family's."""
    return (await tx.execute(delete(children).where(*_own(person_id, child_id)))).rowcount > 0


async def places(tx: Transaction, person_id: int) -> list[Person]:
    """Everybody of this person's family, who came first first; nobody when there is no family."""
    return [person for person, _ in await _members(tx, person_id)]


async def primary(tx: Transaction, person_id: int) -> Person | None:
    """Where this family wants its announcements; None when there is no family."""
    members = await _members(tx, person_id)
    chosen = (person for person, is_chosen in members if is_chosen)
    return next(chosen, members[0][0] if members else None)


async def set_primary(tx: Transaction, person_id: int) -> None:
    """Announcements for this person's family go to this person."""
    await tx.execute(update(families).where(families.c.id == _family(person_id)).values(primary_id=person_id))


async def join(tx: Transaction, person_id: int, other_id: int, *, now: datetime) -> bool:
    """Bring the person's family into the other's; False if they are one already."""
    mine = await _found(tx, person_id, now=now)
    theirs = await _found(tx, other_id, now=now)
    if mine == theirs:
        return False
    # In one order for all, so that two who join each other do not wait for each other for ever.
    both = select(families.c.id).where(families.c.id.in_([mine, theirs])).order_by(families.c.id)
    if len((await tx.execute(both.with_for_update())).all()) < len({mine, theirs}):
        return False  # one of them was joined to somebody else meanwhile
    await _merge_children(tx, mine, into=theirs)
    await tx.execute(
        update(family_members).where(family_members.c.family_id == mine).values(family_id=theirs)
    )
    await tx.execute(delete(families).where(families.c.id == mine))
    return True


async def leave(tx: Transaction, person_id: int) -> bool:
    """Leave the family to the others, with its children; False if there are no others."""
    if len(await places(tx, person_id)) <= 1:
        return False
    await tx.execute(
        update(families)
        .where(families.c.id == _family(person_id), families.c.primary_id == person_id)
        .values(primary_id=None)
    )
    await tx.execute(delete(family_members).where(family_members.c.person_id == person_id))
    return True


async def forget(tx: Transaction, person_id: int) -> int:
    """Take the person out of everything here, and the family with its last person; returns children lost."""
    family_id = await tx.scalar(select(_family(person_id)))
    for table in (join_codes, join_tries, awaited):
        await tx.execute(delete(table).where(table.c.person_id == person_id))
    if family_id is None or await leave(tx, person_id):
        return 0
    lost = (await tx.execute(delete(children).where(children.c.family_id == family_id))).rowcount
    await tx.execute(delete(family_members).where(family_members.c.family_id == family_id))
    await tx.execute(delete(families).where(families.c.id == family_id))
    return lost


async def put_code(
    tx: Transaction, person_id: int, *, code_hash: str, now: datetime, expires_at: datetime
) -> bool:
    """Keep a code's hash as the only one of this person; False if somebody has the same code just now."""
    await tx.execute(
        delete(join_codes).where((join_codes.c.person_id == person_id) | (join_codes.c.expires_at <= now))
    )
    statement = (
        insert_into(tx, join_codes)
        .values(code_hash=code_hash, person_id=person_id, expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(join_codes.c.code_hash)
    )
    return await tx.scalar(statement) is not None


async def use_code(tx: Transaction, code_hash: str, *, now: datetime) -> int | None:
    """Spend a code; returns whose it was, None if it is unknown, spent or too old."""
    statement = (
        delete(join_codes)
        .where(join_codes.c.code_hash == code_hash, join_codes.c.expires_at > now)
        .returning(join_codes.c.person_id)
    )
    owner: int | None = await tx.scalar(statement)
    return owner


async def may_try(tx: Transaction, person_id: int, *, now: datetime, most: int, within: timedelta) -> bool:
    """Count a try to type a code; False when there were too many. The person must be held."""
    mine = join_tries.c.person_id == person_id
    await tx.execute(delete(join_tries).where(mine, join_tries.c.at <= now - within))
    if (await tx.scalar(select(func.count()).select_from(join_tries).where(mine)) or 0) >= most:
        return False
    await tx.execute(insert(join_tries).values(person_id=person_id, at=now))
    return True


async def await_answer(tx: Transaction, person_id: int, what: str, *, until: datetime) -> None:
    """The next words of this person are the answer to a question about the family."""
    values = {"what": what, "until": until}
    await tx.execute(
        insert_into(tx, awaited)
        .values(person_id=person_id, **values)
        .on_conflict_do_update(index_elements=[awaited.c.person_id], set_=values)
    )


async def awaited_answer(tx: Transaction, person_id: int, *, now: datetime) -> str | None:
    """What the person was asked for, unless it was too long ago."""
    query = select(awaited.c.what).where(awaited.c.person_id == person_id, awaited.c.until > now)
    what: str | None = await tx.scalar(query)
    return what


async def await_nothing(tx: Transaction, person_id: int) -> None:
    """The next words of this person are no answer to us."""
    await tx.execute(delete(awaited).where(awaited.c.person_id == person_id))


async def _members(tx: Transaction, person_id: int) -> list[tuple[Person, bool]]:
    query = (
        select(family_members.c.person_id, families.c.primary_id)
        .join(families, families.c.id == family_members.c.family_id)
        .where(families.c.id == _family(person_id))
        .order_by(family_members.c.joined_at, family_members.c.person_id)
    )
    rows = (await tx.execute(query)).all()
    known = await people.some(tx, [row.person_id for row in rows])
    return [(known[row.person_id], row.person_id == row.primary_id) for row in rows if row.person_id in known]


async def _found(tx: Transaction, person_id: int, *, now: datetime) -> int:
    """The number of this person's family, founded when there is none."""
    found: int | None = await tx.scalar(select(_family(person_id)))
    if found is not None:
        return found
    made: int = (
        await tx.execute(insert(families).values(created_at=now).returning(families.c.id))
    ).scalar_one()
    member = (
        insert_into(tx, family_members)
        .values(person_id=person_id, family_id=made, joined_at=now)
        .on_conflict_do_nothing()
        .returning(family_members.c.family_id)
    )
    if await tx.scalar(member) is not None:
        return made
    # Somebody who joins this person founded it at the same moment.
    await tx.execute(delete(families).where(families.c.id == made))
    theirs: int = (await tx.execute(select(_family(person_id)))).scalar_one()
    return theirs


async def _merge_children(tx: Transaction, family_id: int, *, into: int) -> None:
    """Move the children; one that both families call the same is one child."""
    rows = (await tx.execute(select(children).where(children.c.family_id == into))).all()
    theirs = {row.label.casefold(): row for row in rows}
    for row in (await tx.execute(select(children).where(children.c.family_id == family_id))).all():
        same = theirs.get(row.label.casefold())
        if same is None or (same.age_group and row.age_group and same.age_group != row.age_group):
            await tx.execute(update(children).where(children.c.id == row.id).values(family_id=into))
            continue
        await tx.execute(
            update(children)
            .where(children.c.id == same.id)
            .values(
                age_group=same.age_group or row.age_group,
                school=same.school or row.school,
                school_id=same.school_id if same.school else row.school_id,
                spoken_of_at=max(same.spoken_of_at, row.spoken_of_at),
            )
        )
        await tx.execute(delete(children).where(children.c.id == row.id))


async def _change(tx: Transaction, person_id: int, child_id: int, **values: Any) -> Child | None:
    statement = update(children).where(*_own(person_id, child_id)).values(**values).returning(children)
    row = (await tx.execute(statement)).one_or_none()
    return _child(row) if row else None


def _own(person_id: int, child_id: int) -> tuple[Any, ...]:
    return children.c.id == child_id, children.c.family_id == _family(person_id)


def _family(person_id: int) -> Any:
    query = select(family_members.c.family_id).where(family_members.c.person_id == person_id)
    return query.scalar_subquery()


def _child(row: Row[Any]) -> Child:
    return Child(
        id=row.id,
        label=row.label,
        age_group=row.age_group,
        school=row.school,
        school_id=row.school_id,
    )
