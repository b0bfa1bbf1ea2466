"""Who is to read an announcement: one condition for counting, showing and putting on the list.

A family is told once, at its chosen place or, without one, where it was heard of last; whether announcements
are wanted is asked of that place. Conditions (school, age, stage, topic) are met by the family as a whole,
but school and age by the same child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from storage.campaigns.campaign import Audience, Launch, ReaderState
from storage.campaigns.launches import TO_THE_END
from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import (
    asked,
    children,
    families,
    family_members,
    launches,
    opt_outs,
    people,
    readers,
    schools,
    staff,
    staff_schools,
    stages,
    venues,
)

MESSENGERS = ("telegram", "vk")
"""Where announcements go unless others are named: whoever asked in a web page may never come back to it."""
VENUE_WHO = -(10**12)
"""Readers' numbers of venues are this minus the venue's own: nobody else has such."""
TOLD: tuple[ReaderState, ...] = ("sending", "sent", "unknown")
"""An announcement that counts as told."""
UNKNOWN_STAGE = "unknown"


@dataclass(frozen=True)
class Sample:
    """One of those who would read it."""

    channel: str
    chat_id: str
    school_id: int | None


@dataclass(frozen=True)
class Zones:
    """The readers' time zones (IANA)."""

    region: str
    of_municipalities: Mapping[str, str] | None = None
    """Those that differ from the region's."""


async def count(
    tx: Transaction, audience: Audience, *, category: str, municipality: str = "", now: datetime
) -> int:
    """How many would be told now; `municipality` as in a launch."""
    query = _readers(audience, category=category, municipality=municipality, now=now)
    return await tx.scalar(select(func.count()).select_from(query.subquery())) or 0


async def sample(
    tx: Transaction, audience: Audience, *, category: str, limit: int = 5, now: datetime
) -> list[Sample]:
    """Some of those who would be told now."""
    query = _readers(audience, category=category, municipality="", now=now).limit(limit)
    return [Sample(row.channel, row.chat_id, row.school_id) for row in (await tx.execute(query)).all()]


async def fill(
    tx: Transaction,
    launch: Launch,
    audience: Audience,
    *,
    category: str,
    zones: Zones,
    now: datetime,
    limit: int,
) -> int:
    """Put the next portion on the list; returns what `Launch.filled_to` is now.

    Looks at the next `limit` people (or venues) by number, so that it can go on after a crash; whoever
    is on the list already stays there once.
    """
    table = venues if audience.who == "venues" else people
    after = launch.filled_to or 0
    portion = select(table.c.id).where(table.c.id > after).order_by(table.c.id).limit(limit).subquery()
    last = await tx.scalar(select(func.max(portion.c.id)))
    if last is None:
        return TO_THE_END
    query = _readers(
        audience, category=category, municipality=launch.municipality, now=now, zones=zones, wave=launch
    ).where(table.c.id > after, table.c.id <= last)
    named = query.subquery()
    await tx.execute(
        insert_into(tx, readers)
        .from_select(
            ["launch_id", "state", "attempts", *_COLUMNS],
            # SQLite cannot tell ON CONFLICT from a join's ON without a WHERE.
            select(
                literal(launch.id), literal("queued"), literal(0), *(named.c[name] for name in _COLUMNS)
            ).where(literal(1) == 1),
        )
        .on_conflict_do_nothing()
    )
    return int(last)


_COLUMNS = ("who", "person_id", "venue_id", "channel", "chat_id", "school_id", "zone")


def _readers(
    audience: Audience,
    *,
    category: str,
    municipality: str,
    now: datetime,
    zones: Zones | None = None,
    wave: Launch | None = None,
) -> Select[Any]:
    zones = zones or Zones("UTC")
    if audience.who == "venues":
        return _venues(audience, municipality=municipality, zones=zones, wave=wave)
    if audience.who == "staff":
        return _staff(audience, category=category, municipality=municipality, now=now, zones=zones, wave=wave)
    return _parents(audience, category=category, municipality=municipality, now=now, zones=zones, wave=wave)


# ---- parents


def _parents(
    audience: Audience,
    *,
    category: str,
    municipality: str,
    now: datetime,
    zones: Zones,
    wave: Launch | None,
) -> Select[Any]:
    family = family_members.alias("family")
    who: ColumnElement[int] = func.coalesce(-family.c.family_id, people.c.id)
    child, school = children.alias("child"), schools.alias("child_school")
    pupils = child.outerjoin(school, school.c.id == child.c.school_id)
    theirs = [child.c.family_id == family.c.family_id, *_of_child(audience, child, school, municipality)]
    conditions: list[ColumnElement[bool]] = [
        *_wants(category),
        _is_on_channel(people, audience),
        people.c.unreachable.is_(None),
        ~exists().where(staff.c.person_id == people.c.id, staff.c.revoked_at.is_(None)),
        ~_better_place(audience, family),
        *_untold(audience, who, now=now),
        *_by_answers(audience, family),
        *_not_in_wave(who, wave),
    ]
    if len(theirs) > 1:
        conditions.append(select(child.c.id).select_from(pupils).where(*theirs).exists())
    its_school = (
        select(child.c.school_id)
        .select_from(pupils)
        .where(*theirs, child.c.school_id.is_not(None))
        .order_by(child.c.spoken_of_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    source = people.outerjoin(family, family.c.person_id == people.c.id)
    return _of_people(source, who, its_school, zones).where(*conditions)


def _of_child(
    audience: Audience, child: FromClause, school: FromClause, municipality: str
) -> list[ColumnElement[bool]]:
    wanted = (municipality,) if municipality else audience.municipalities
    found: list[ColumnElement[bool]] = []
    if audience.school_ids:
        found.append(child.c.school_id.in_(audience.school_ids))
    if wanted:
        found.append(school.c.municipality.in_(wanted))
    if municipality and audience.municipalities and municipality not in audience.municipalities:
        found.append(literal(False))
    if audience.age_groups:
        found.append(child.c.age_group.in_(audience.age_groups))
    return found


def _better_place(audience: Audience, family: FromClause) -> ColumnElement[bool]:
    """Whether the same family would rather be told at another of its places."""
    other, member = people.alias("other"), family_members.alias("member")
    chosen = _primary_of(family)
    mine = func.coalesce(chosen == people.c.id, False)
    its = func.coalesce(chosen == other.c.id, False)
    later = tuple_(other.c.seen_at, other.c.id) > tuple_(people.c.seen_at, people.c.id)
    return (
        select(other.c.id)
        .select_from(other.join(member, member.c.person_id == other.c.id))
        .where(
            member.c.family_id == family.c.family_id,
            other.c.id != people.c.id,
            _is_on_channel(other, audience),
            other.c.unreachable.is_(None),
            or_(and_(its, ~mine), and_(its == mine, later)),
        )
        .correlate(people, family)
        .exists()
    )


def _primary_of(family: FromClause) -> Any:
    # Two queries deep nothing is tied to the outermost one by itself.
    query = select(families.c.primary_id).where(families.c.id == family.c.family_id)
    return query.correlate(family).scalar_subquery()


def _by_answers(audience: Audience, family: FromClause) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if audience.stages:
        known = [stage for stage in audience.stages if stage != UNKNOWN_STAGE]
        told = select(stages.c.stage).where(_is_of_family(stages.c.person_id, family))
        ways: list[ColumnElement[bool]] = [told.where(stages.c.stage.in_(known)).exists()] if known else []
        if UNKNOWN_STAGE in audience.stages:
            ways.append(~told.exists())
        found.append(or_(*ways))
    if audience.topics:
        question = select(asked.c.topic).where(
            _is_of_family(asked.c.person_id, family), asked.c.topic.in_(audience.topics)
        )
        if audience.asked_since is not None:
            question = question.where(asked.c.at >= audience.asked_since)
        found.append(question.exists())
    return found


def _is_of_family(person_id: ColumnElement[int], family: FromClause) -> ColumnElement[bool]:
    member = family_members.alias("relative")
    relatives = select(member.c.person_id).where(member.c.family_id == family.c.family_id)
    return or_(person_id == people.c.id, person_id.in_(relatives.correlate(family)))


# ---- staff and venues


def _staff(
    audience: Audience,
    *,
    category: str,
    municipality: str,
    now: datetime,
    zones: Zones,
    wave: Launch | None,
) -> Select[Any]:
    member, own, school = staff.alias("member"), staff_schools.alias("own"), schools.alias("own_school")
    works = (
        select(own.c.school_id)
        .select_from(own.join(school, school.c.id == own.c.school_id))
        .where(own.c.staff_id == member.c.id)
    )
    wanted = (municipality,) if municipality else audience.municipalities
    conditions: list[ColumnElement[bool]] = [
        *_wants(category),
        _is_on_channel(people, audience),
        people.c.unreachable.is_(None),
        member.c.revoked_at.is_(None),
        *_untold(audience, people.c.id, now=now),
        *_not_in_wave(people.c.id, wave),
    ]
    if audience.school_ids:
        conditions.append(works.where(own.c.school_id.in_(audience.school_ids)).exists())
    if wanted:
        conditions.append(
            or_(member.c.municipality.in_(wanted), works.where(school.c.municipality.in_(wanted)).exists())
        )
    its_school = works.order_by(own.c.since).limit(1).scalar_subquery()
    source = people.join(member, member.c.person_id == people.c.id)
    return _of_people(source, people.c.id, its_school, zones).where(*conditions)


def _venues(audience: Audience, *, municipality: str, zones: Zones, wave: Launch | None) -> Select[Any]:
    school = schools.alias("venue_school")
    place = func.coalesce(school.c.municipality, venues.c.municipality)
    wanted = (municipality,) if municipality else audience.municipalities
    who = literal(VENUE_WHO) - venues.c.id
    conditions: list[ColumnElement[bool]] = [venues.c.lost_at.is_(None), *_not_in_wave(who, wave)]
    if audience.channels:
        conditions.append(venues.c.channel.in_(audience.channels))
    if audience.school_ids:
        conditions.append(venues.c.school_id.in_(audience.school_ids))
    if wanted:
        conditions.append(place.in_(wanted))
    return (
        select(
            who.label("who"),
            literal(None, readers.c.person_id.type).label("person_id"),
            venues.c.id.label("venue_id"),
            venues.c.channel,
            venues.c.chat_id,
            venues.c.school_id,
            _zone(place, zones),
        )
        .select_from(venues.outerjoin(school, school.c.id == venues.c.school_id))
        .where(*conditions)
    )


# ---- what all have in common


def _is_on_channel(person: FromClause, audience: Audience) -> ColumnElement[bool]:
    # Half of everybody is on one channel, and SQLite would look them all up by it, for every single reader:
    # it must not see that there is an index.
    return func.coalesce(person.c.channel, "").in_(audience.channels or MESSENGERS)


def _of_people(source: FromClause, who: ColumnElement[int], school_id: Any, zones: Zones) -> Select[Any]:
    named = school_id.label("school_id")
    place = select(schools.c.municipality).where(schools.c.id == school_id).scalar_subquery()
    return select(
        who.label("who"),
        people.c.id.label("person_id"),
        literal(None, readers.c.venue_id.type).label("venue_id"),
        people.c.channel,
        people.c.chat_id,
        named,
        _zone(place, zones),
    ).select_from(source)


def _zone(place: Any, zones: Zones) -> ColumnElement[str]:
    special: Sequence[tuple[str, str]] = tuple((zones.of_municipalities or {}).items())
    region = literal(zones.region, String)
    if not special:
        return region.label("zone")
    return case(*((place == name, literal(zone, String)) for name, zone in special), else_=region).label(
        "zone"
    )


def _wants(category: str) -> list[ColumnElement[bool]]:
    return [
        people.c.muted_at.is_(None),
        people.c.banned_at.is_(None),
        ~exists().where(opt_outs.c.person_id == people.c.id, opt_outs.c.category == category),
    ]


def _untold(audience: Audience, who: ColumnElement[int], *, now: datetime) -> list[ColumnElement[bool]]:
    if not audience.not_told_days:
        return []
    since = now - timedelta(days=audience.not_told_days)
    told = exists().where(readers.c.who == who, readers.c.claimed_at > since, readers.c.state.in_(TOLD))
    return [~told]


def _not_in_wave(who: ColumnElement[int], launch: Launch | None) -> list[ColumnElement[bool]]:
    """Whoever has children in two municipalities is told by the first of the wave's launches."""
    if launch is None:
        return []
    sibling = launches.alias("sibling")
    listed = (
        select(readers.c.id)
        .select_from(readers.join(sibling, sibling.c.id == readers.c.launch_id))
        .where(
            readers.c.who == who,
            sibling.c.campaign_id == launch.campaign_id,
            sibling.c.wave == launch.wave,
            sibling.c.id != launch.id,
        )
    )
    return [~listed.exists()]
