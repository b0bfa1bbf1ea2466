"""Who is to read an announcement: one condition for counting, showing and putting on the list.

A family is told once, at its chosen place or, without one, where it was heard of last: of those places
where it can be told at all (served, reachable, not the staff's). Whether it wants to hear is asked of that
place: «стоп» there silences the family. Conditions (school, age,
stage, topic) are met by the family as a whole, but school and age by the same child. Whoever joins a family
later, or founds one, is still who was told before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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

from storage.campaigns.campaign import Audience, Launch, LaunchState, ReaderState
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
_LISTED: tuple[LaunchState, ...] = ("sending", "done")
"""States of a launch that nobody holds and whose list is whole: it says who is told by it."""
_SECOND_LOOK = -2
"""Of `Launch.filled_to`, and less by the number of the last person: families are looked at once more."""


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
    tx: Transaction,
    audience: Audience,
    *,
    category: str,
    municipality: str = "",
    served: Collection[str] | None = None,
    now: datetime,
) -> int:
    """How many would be told now; `municipality` as in a launch, `served` as in `fill`."""
    query = _readers(_Wanted(audience, category, now, _channels(audience, served), municipality))
    return await tx.scalar(select(func.count()).select_from(query.subquery())) or 0


async def sample(
    tx: Transaction,
    audience: Audience,
    *,
    category: str,
    limit: int = 5,
    served: Collection[str] | None = None,
    now: datetime,
) -> list[Sample]:
    """Some of those who would be told now; `served` as in `fill`."""
    query = _readers(_Wanted(audience, category, now, _channels(audience, served))).limit(limit)
    return [Sample(row.channel, row.chat_id, row.school_id) for row in (await tx.execute(query)).all()]


async def reaches_wall(tx: Transaction, audience: Audience, *, now: datetime) -> bool:
    """Whether the community's wall is among them."""
    if audience.who != "venues":
        return False
    query = _venues(_Wanted(audience, "", now, _channels(audience, None)))
    return (await tx.execute(query.where(venues.c.kind == "vk_wall").limit(1))).first() is not None


async def fill(
    tx: Transaction,
    launch: Launch,
    audience: Audience,
    *,
    category: str,
    zones: Zones,
    served: Collection[str] | None = None,
    now: datetime,
    limit: int,
) -> int:
    """Put the next portion on the list; returns what `Launch.filled_to` is now.

    Looks at the next `limit` people (or venues) by number, so that it can go on after a crash; whoever
    is on the list already stays there once. Families are looked at twice: their place may have moved behind
    us meanwhile. Only channels that are `served` count (None: all of them).
    """
    filled_to = launch.filled_to or 0
    is_second = filled_to <= _SECOND_LOOK
    number = _numbers(audience, is_second=is_second)
    after = _SECOND_LOOK - filled_to if is_second else filled_to
    portion = select(number.label("number")).where(number > after).order_by(number).limit(limit).subquery()
    last = await tx.scalar(select(func.max(portion.c.number)))
    if last is None:
        return TO_THE_END if is_second or audience.who != "parents" else _SECOND_LOOK
    wanted = _Wanted(
        audience,
        category,
        now,
        _channels(audience, served),
        launch.municipality,
        zones=zones,
        wave=await _wave(tx, launch),
    )
    looked_at = _numbers(audience, is_second=False)
    named = _readers(wanted).where(looked_at > after, looked_at <= last).subquery()
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
    return _SECOND_LOOK - int(last) if is_second else int(last)


_COLUMNS = ("who", "person_id", "venue_id", "channel", "chat_id", "school_id", "zone")


@dataclass(frozen=True)
class _Wave:
    """The launches that stand for the same moment, as the one that is being filled sees them."""

    launch_ids: tuple[int, ...]
    """All of them, itself too: whoever is on one of their lists is told by that one."""
    held: tuple[str, ...]
    """Municipalities whose own launch waits, was stopped, or has no whole list yet: they are not told by the
    last launch of the wave, which is for those who belong to none."""


@dataclass(frozen=True)
class _Wanted:
    """Who is asked for."""

    audience: Audience
    category: str
    now: datetime
    channels: tuple[str, ...]
    municipality: str = ""
    zones: Zones = field(default_factory=lambda: Zones("UTC"))
    wave: _Wave | None = None

    @property
    def municipalities(self) -> tuple[str, ...]:
        """Empty: all of them."""
        return (self.municipality,) if self.municipality else self.audience.municipalities


def _channels(audience: Audience, served: Collection[str] | None) -> tuple[str, ...]:
    return tuple(each for each in audience.channels or MESSENGERS if served is None or each in served)


def _numbers(audience: Audience, *, is_second: bool) -> ColumnElement[int]:
    """What the portions are cut by."""
    if is_second:
        return family_members.c.person_id
    return venues.c.id if audience.who == "venues" else people.c.id


async def _wave(tx: Transaction, launch: Launch) -> _Wave:
    query = select(launches.c.id, launches.c.municipality, launches.c.state).where(
        launches.c.campaign_id == launch.campaign_id, launches.c.wave == launch.wave
    )
    those = (await tx.execute(query)).all()
    held = [each.municipality for each in those if each.municipality and each.state not in _LISTED]
    return _Wave(tuple(each.id for each in those), () if launch.municipality else tuple(held))


def _readers(wanted: _Wanted) -> Select[Any]:
    if wanted.audience.who == "venues":
        return _venues(wanted)
    return _staff(wanted) if wanted.audience.who == "staff" else _parents(wanted)


# ---- parents


def _parents(wanted: _Wanted) -> Select[Any]:
    audience, family = wanted.audience, family_members.alias("family")
    who: ColumnElement[int] = func.coalesce(-family.c.family_id, people.c.id)
    child, school = children.alias("child"), schools.alias("child_school")
    pupils = child.outerjoin(school, school.c.id == child.c.school_id)
    of_family = child.c.family_id == family.c.family_id
    theirs = [of_family, *_of_child(wanted, child, school)]
    conditions: list[ColumnElement[bool]] = [
        *_parents_place(people, wanted),
        ~_better_place(wanted, family),
        *_untold(wanted, who, family),
        *_by_answers(audience, family),
        *_not_in_wave(wanted, who, family),
    ]
    if len(theirs) > 1:
        conditions.append(select(child.c.id).select_from(pupils).where(*theirs).exists())
    if wanted.wave is not None and wanted.wave.held:
        of_held = select(child.c.id).select_from(pupils)
        conditions.append(~of_held.where(*theirs, school.c.municipality.in_(wanted.wave.held)).exists())
    its_school = (
        select(child.c.school_id)
        .select_from(pupils)
        .where(*theirs, child.c.school_id.is_not(None))
        .order_by(child.c.spoken_of_at.desc())
        .limit(1)
        # Within the question for its municipality it is two queries deep: see `_primary_of`.
        .correlate(family)
        .scalar_subquery()
    )
    source = people.outerjoin(family, family.c.person_id == people.c.id)
    return _of_people(source, who, its_school, wanted).where(*conditions)


def _of_child(wanted: _Wanted, child: FromClause, school: FromClause) -> list[ColumnElement[bool]]:
    audience = wanted.audience
    found: list[ColumnElement[bool]] = []
    if audience.school_ids:
        found.append(child.c.school_id.in_(audience.school_ids))
    if wanted.municipalities:
        found.append(school.c.municipality.in_(wanted.municipalities))
    if audience.municipalities and wanted.municipality not in {"", *audience.municipalities}:
        found.append(literal(False))
    if audience.age_groups:
        found.append(child.c.age_group.in_(audience.age_groups))
    return found


def _parents_place(person: FromClause, wanted: _Wanted) -> list[ColumnElement[bool]]:
    """Whether a parent may be told at this place."""
    return [*_is_parents(person, wanted), *_wants(person, wanted)]


def _is_parents(person: FromClause, wanted: _Wanted) -> list[ColumnElement[bool]]:
    works_here = exists().where(staff.c.person_id == person.c.id, staff.c.revoked_at.is_(None))
    return [*_can_be_told(person, wanted), ~works_here]


def _better_place(wanted: _Wanted, family: FromClause) -> ColumnElement[bool]:
    """Whether the same family would rather be told at another of its places, and can be.

    Where they said «стоп», that holds for the family: they have not asked to hear it elsewhere.
    """
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
            *_is_parents(other, wanted),
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


def _staff(wanted: _Wanted) -> Select[Any]:
    member, own, school = staff.alias("member"), staff_schools.alias("own"), schools.alias("own_school")
    works = (
        select(own.c.school_id)
        .select_from(own.join(school, school.c.id == own.c.school_id))
        .where(own.c.staff_id == member.c.id)
    )

    def is_of(municipalities: Sequence[str]) -> ColumnElement[bool]:
        in_office = func.coalesce(member.c.municipality, "").in_(municipalities)
        return or_(in_office, works.where(school.c.municipality.in_(municipalities)).exists())

    conditions: list[ColumnElement[bool]] = [
        *_may_be_told(people, wanted),
        member.c.revoked_at.is_(None),
        *_untold(wanted, people.c.id),
        *_not_in_wave(wanted, people.c.id),
    ]
    if wanted.audience.school_ids:
        conditions.append(works.where(own.c.school_id.in_(wanted.audience.school_ids)).exists())
    if wanted.municipalities:
        conditions.append(is_of(wanted.municipalities))
    if wanted.wave is not None and wanted.wave.held:
        conditions.append(~is_of(wanted.wave.held))
    its_school = works.order_by(own.c.since).limit(1).correlate(member).scalar_subquery()
    source = people.join(member, member.c.person_id == people.c.id)
    return _of_people(source, people.c.id, its_school, wanted, office=member.c.municipality).where(
        *conditions
    )


def _venues(wanted: _Wanted) -> Select[Any]:
    school = schools.alias("venue_school")
    place = func.coalesce(school.c.municipality, venues.c.municipality)
    who = literal(VENUE_WHO) - venues.c.id
    conditions: list[ColumnElement[bool]] = [
        venues.c.lost_at.is_(None),
        venues.c.channel.in_(wanted.channels),
        *_not_in_wave(wanted, who),
    ]
    if wanted.audience.school_ids:
        conditions.append(venues.c.school_id.in_(wanted.audience.school_ids))
    if wanted.municipalities:
        conditions.append(place.in_(wanted.municipalities))
    if wanted.wave is not None and wanted.wave.held:
        conditions.append(place.not_in(wanted.wave.held))
    return (
        select(
            who.label("who"),
            literal(None, readers.c.person_id.type).label("person_id"),
            venues.c.id.label("venue_id"),
            venues.c.channel,
            venues.c.chat_id,
            venues.c.school_id,
            _zone(place, wanted.zones),
        )
        .select_from(venues.outerjoin(school, school.c.id == venues.c.school_id))
        .where(*conditions)
    )


# ---- what all have in common


def _may_be_told(person: FromClause, wanted: _Wanted) -> list[ColumnElement[bool]]:
    return [*_can_be_told(person, wanted), *_wants(person, wanted)]


def _wants(person: FromClause, wanted: _Wanted) -> list[ColumnElement[bool]]:
    refuses = exists().where(opt_outs.c.person_id == person.c.id, opt_outs.c.category == wanted.category)
    return [person.c.muted_at.is_(None), ~refuses]


def _can_be_told(person: FromClause, wanted: _Wanted) -> list[ColumnElement[bool]]:
    return [
        # Half of everybody is on one channel, and SQLite would look them all up by it, for every single
        # reader: it must not see that there is an index.
        func.coalesce(person.c.channel, "").in_(wanted.channels),
        person.c.unreachable.is_(None),
        person.c.banned_at.is_(None),
    ]


def _of_people(
    source: FromClause, who: ColumnElement[int], school_id: Any, wanted: _Wanted, *, office: Any = None
) -> Select[Any]:
    """`office`: the municipality of whoever has no school."""
    named = school_id.label("school_id")
    place = select(schools.c.municipality).where(schools.c.id == school_id).scalar_subquery()
    return select(
        who.label("who"),
        people.c.id.label("person_id"),
        literal(None, readers.c.venue_id.type).label("venue_id"),
        people.c.channel,
        people.c.chat_id,
        named,
        _zone(func.coalesce(place, office) if office is not None else place, wanted.zones),
    ).select_from(source)


def _zone(place: Any, zones: Zones) -> ColumnElement[str]:
    special: Sequence[tuple[str, str]] = tuple((zones.of_municipalities or {}).items())
    region = literal(zones.region, String)
    if not special:
        return region.label("zone")
    return case(*((place == name, literal(zone, String)) for name, zone in special), else_=region).label(
        "zone"
    )


def _untold(
    wanted: _Wanted, who: ColumnElement[int], family: FromClause | None = None
) -> list[ColumnElement[bool]]:
    if not wanted.audience.not_told_days:
        return []
    since = wanted.now - timedelta(days=wanted.audience.not_told_days)
    told = _on_a_list(who, family, readers.c.claimed_at > since, readers.c.state.in_(TOLD))
    return [~each for each in told]


def _not_in_wave(
    wanted: _Wanted, who: ColumnElement[int], family: FromClause | None = None
) -> list[ColumnElement[bool]]:
    """Whoever has children in two municipalities is told by the first of the wave's launches."""
    if wanted.wave is None:
        return []
    # A launch has a hundred thousand readers, a person has few: no index but theirs must be seen.
    of_wave = func.coalesce(readers.c.launch_id, 0).in_(wanted.wave.launch_ids)
    is_venue = wanted.audience.who == "venues"
    return [~each for each in _on_a_list(who, family, of_wave, by_person=not is_venue)]


def _on_a_list(
    who: ColumnElement[int],
    family: FromClause | None,
    *conditions: ColumnElement[bool],
    by_person: bool = True,
) -> list[ColumnElement[bool]]:
    """The ways to be on a list already: under the same number, or as one of the family under another.

    A parent who names the first child, or joins another place, has another number from then on. Each way
    is a question of its own, because only then each has an index.
    """
    mine = select(readers.c.id).where(*conditions)
    ways = [mine.where(readers.c.who == who)]
    if by_person:
        ways.append(mine.where(readers.c.person_id == people.c.id))
    if family is not None:
        kin = family_members.alias("kin")
        joined = mine.select_from(readers.join(kin, kin.c.person_id == readers.c.person_id))
        ways.append(joined.where(kin.c.family_id == family.c.family_id))
    return [each.exists() for each in ways]
