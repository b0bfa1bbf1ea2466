"""The morning digest: each desk learns at the opening of its day what waits there and what is late.

A school hears only of something; coordinators and the ministry hear in any case, of their schools, too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from handlers.cases import calendars, desks
from handlers.knowledge import Knowledge
from handlers.messages import Button, Outgoing
from handlers.texts import time as texts
from handlers.turn import Deed
from storage import digests, schools
from storage.database import Database, Unavailable
from storage.digests import Load
from storage.schools import School
from storage.ticket import Desk

_log = structlog.get_logger(__name__)

EARLIEST_HOUR = 6
"""Of the region's day: a desk that works round the clock has its morning, too."""
SILENT_AFTER = timedelta(days=14)
"""Two weeks without a word from a school's administrators, while something waits there, is no sick leave."""
LONGEST_SHOWN = 5
"""Overdue cases that are named."""


async def send_due(database: Database, knowledge: Knowledge, *, now: Callable[[], datetime]) -> bool:
    """Send the digests whose time has come; returns whether anything was said.

    May be missed, late or repeated: a desk has one digest on a local date, and none outside its hours.
    """
    local = now().astimezone(ZoneInfo(knowledge.region.timezone))
    if local.hour < EARLIEST_HOUR:
        return False
    day = local.date().isoformat()
    async with database.reading() as tx:
        sent = await digests.sent_on(tx, day)
        known = await schools.everyone(tx)
    said = False
    for desk, school in _desks(known):
        is_open = calendars.calendar_of(knowledge.region, school).is_open(now())
        if desk.key in sent or not is_open:
            continue
        try:
            async with database.transaction() as tx:
                said |= await send(Deed(tx, now(), knowledge), desk, school, day=day)
        except Unavailable:
            raise
        except Exception as error:
            # The others must not wait behind this one; it is tried again at the next look.
            _log.exception("digest_failed", desk=desk.level, error=type(error).__name__)
    return said


async def send(deed: Deed, desk: Desk, school: School | None, *, day: str) -> bool:
    """Send a desk its digest unless it has that of this day; returns whether anything was said."""
    if not await digests.claim(deed.tx, desk, day, now=deed.now):
        return False
    places = await desks.places(deed.tx, desk)
    if not places:
        return False
    since = await digests.last_before(deed.tx, desk, day) or _NEVER
    load = await digests.of_desk(deed.tx, desk, since=since, now=deed.now)
    if school is None:
        told = await _of_office(deed, desk, load, since=since)
    else:
        told = await _of_school(deed, school, load, since=since)
    if not told:
        return False
    buttons = ((Button(texts.BUTTON_NEW, "list:new"), Button(texts.BUTTON_OVERDUE, "list:overdue")),)
    for each in places:
        await deed.send(Outgoing(each.to, told, buttons, priority="notice"))
    return True


_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""To the first digest of a desk everything is new."""


def _desks(known: list[School]) -> list[tuple[Desk, School | None]]:
    of_schools: list[tuple[Desk, School | None]] = [(desks.of_school(school), school) for school in known]
    municipalities = sorted({school.municipality for school in known if school.municipality})
    offices = [Desk("municipal", municipality=each) for each in municipalities]
    return [*of_schools, *((office, None) for office in [*offices, desks.MINISTRY])]


async def _of_school(deed: Deed, school: School, load: Load, *, since: datetime) -> str:
    above = await digests.moved_up(deed.tx, school.id, since=since)
    if not (load.waiting or load.overdue or load.new or above):
        return ""
    return texts.digest_of_school(deed.now, load, school=school.name, above=above, zone=_zone(deed))


async def _of_office(deed: Deed, desk: Desk, load: Load, *, since: datetime) -> str:
    silent_since = deed.now - SILENT_AFTER
    return texts.digest_of_office(
        deed.now,
        load,
        desk=desk,
        everywhere=await digests.of_place(deed.tx, desk, since=since, now=deed.now),
        longest=await digests.longest_overdue(deed.tx, desk, now=deed.now, limit=LONGEST_SHOWN),
        lifeless=await digests.lifeless(deed.tx, desk, silent_since=silent_since, now=deed.now),
        zone=_zone(deed),
    )


def _zone(deed: Deed) -> str:
    return deed.knowledge.region.timezone
