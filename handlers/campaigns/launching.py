"""The starts of campaigns: planned ahead, begun in time, filled in portions, never restarted by themselves.

Everything stands in the database, and each step is one transaction that looks at the launch again: whoever
pauses, stops or pulls the brake meanwhile wins, and a process that dies anywhere goes on where it was.

What does not begin or go on by itself, but asks people:

overdue     it should have begun more than an hour ago, or nobody looked after it for so long
brake       the brake is on
restored    the database is older than the mailing: a backup was put back, and some were told already
approval    there are more readers by now than one person may decide on
fault       our own mistake, which stands in the log
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from handlers.campaigns import composing, notices, rights, schedule
from handlers.campaigns.schedule import OVERDUE, Planned, Schedule
from handlers.knowledge import Knowledge
from handlers.turn import Deed
from storage import schools
from storage.campaigns import audience as audiences
from storage.campaigns import book, launches, readers
from storage.campaigns.audience import Zones
from storage.campaigns.campaign import OVER, Audience, Campaign, CampaignState, Launch
from storage.database import Database, Transaction, Unavailable

_log = structlog.get_logger(__name__)

PORTION = 2000
"""People looked at in one transaction: others want to write, too."""
CHANNELS = ("telegram", "vk", "web")
"""All that there are."""
_SCHEDULED: tuple[CampaignState, ...] = ("scheduled",)
_ALL = 1000
"""Campaigns that are scheduled at the same time; nobody has so many."""


class Mark(Protocol):
    """A number kept outside of the database: one that is ahead of it gives a restored backup away."""

    async def read(self) -> int:
        """The number; 0 when there is none."""
        ...

    async def write(self, number: int) -> None:
        """Keep it."""
        ...


class _Overtaken(Exception):
    """Somebody paused or stopped the launch while a portion was being put on the list."""


@dataclass(frozen=True)
class Launching:
    """Looks what is to be started, filled and ended, and does it.

    A look may be missed, be late, happen twice at once, or be cut short.
    """

    database: Database
    knowledge: Knowledge
    now: Callable[[], datetime]
    mark: Mark
    portion: int = PORTION
    serves: Collection[str] = CHANNELS
    """The channels of this house: nobody is told on another one."""

    async def wake_up(self) -> bool:
        """Once after the start, before anything is sent: what must not go on by itself asks people.

        Returns whether anything was held.
        """
        held = await self._hold_restored()
        return await self._hold_forgotten() or held

    async def look(self) -> bool:
        """Do what is due now; returns whether anything changed."""
        # A backup may have been put back while we run.
        changed = await self._hold_restored()
        changed |= await self._hold_forgotten()
        async with self.database.reading() as tx:
            due = await launches.due(tx, now=self.now())
        for launch in due:
            changed |= await self._safely(self._start, launch)
        async with self.database.reading() as tx:
            alive = await launches.alive(tx)
        for launch in alive:
            changed |= await self._safely(self._fill if launch.state == "filling" else self._finish, launch)
        changed |= await self._tend_campaigns()
        await self._show_life(changed)
        return changed

    # ---- what does not go on by itself

    async def _hold_restored(self) -> bool:
        """Everything that a database put back from a backup would do once more."""
        # The mark first: another process may move both on meanwhile.
        number = await self.mark.read()
        async with self.database.reading() as tx:
            if number <= await launches.pulse(tx):
                return False
            alive, due = await launches.alive(tx), await launches.due(tx, now=self.now())
        _log.warning("backup_restored", launches=len(alive) + len(due))
        held = False
        for launch in [*alive, *due]:
            held |= await self._hold(launch, "restored")
        # Only now: whoever dies before this looks at all of them once more.
        async with self.database.transaction() as tx:
            await launches.set_pulse(tx, number)
        return held

    async def _hold_forgotten(self) -> bool:
        """Launches that nobody looked after for long, and those that the brake has missed by a hair."""
        async with self.database.reading() as tx:
            alive = await launches.alive(tx)
            is_braked = await launches.braked_since(tx) is not None
        held = False
        for launch in alive:
            if is_braked:
                held |= await self._hold(launch, "brake")
            elif self._is_forgotten(launch):
                held |= await self._hold(launch, "overdue")
        return held

    def _is_forgotten(self, launch: Launch) -> bool:
        return launch.alive_at is None or self.now() - launch.alive_at > OVERDUE

    async def _hold(self, launch: Launch, reason: str, detail: str = "") -> bool:
        async with self.database.transaction() as tx:
            # Read again: another process may have looked after it meanwhile.
            fresh = await launches.find(tx, launch.id)
            if fresh is None or fresh.state != launch.state or fresh.alive_at != launch.alive_at:
                return False
            return await self._ask(tx, fresh, reason, detail)

    async def _ask(self, tx: Transaction, launch: Launch, reason: str, detail: str = "") -> bool:
        """The launch asks people, who are told of it; False if it is over or asks already."""
        if not await launches.ask(tx, launch.id, reason=reason, detail=detail, now=self.now()):
            return False
        campaign, held = await book.find(tx, launch.campaign_id), await launches.find(tx, launch.id)
        if campaign is not None and held is not None:
            await notices.held(self._deed(tx), campaign, held)
        _log.info("launch_held", launch=launch.id, reason=reason)
        return True

    # ---- one launch

    async def _start(self, launch: Launch) -> bool:
        async with self.database.transaction() as tx:
            campaign = await book.hold(tx, launch.campaign_id)
            fresh = await launches.find(tx, launch.id)
            if campaign is None or fresh is None or fresh.state != "planned":
                return False
            if campaign.state != "scheduled":
                return await launches.stop(tx, launch.id, now=self.now())
            if await launches.braked_since(tx) is not None:
                return await self._ask(tx, fresh, "brake")
            if self.now() - fresh.due_at > OVERDUE:
                return await self._ask(tx, fresh, "overdue")
            if not await self._may_go(tx, campaign):
                return await self._ask(tx, fresh, "approval")
            began = await launches.begin(tx, launch.id, body=composing.body_of(campaign), now=self.now())
            if began and await self._is_first_of_wave(tx, fresh):
                await notices.begun(self._deed(tx), campaign, fresh)
            return began

    async def _may_go(self, tx: Transaction, campaign: Campaign) -> bool:
        """Whether as many people have agreed as its readers, who may have become more, call for."""
        if campaign.is_approved:
            return True
        author = await notices.author_of(self._deed(tx), campaign)
        count = await audiences.count(
            tx, campaign.audience, category=campaign.category, served=self.serves, now=self.now()
        )
        return not rights.needs_approval(author, campaign.audience, count)

    async def _fill(self, launch: Launch) -> bool:
        changed = False
        try:
            while await self._fill_portion(launch):
                changed = True
        except _Overtaken:
            _log.info("filling_overtaken", launch=launch.id)
        return changed

    async def _fill_portion(self, launch: Launch) -> bool:
        """Put the next portion on the list; False when there is none, or it must not be."""
        async with self.database.transaction() as tx:
            # Two processes fill one after the other.
            await book.hold(tx, launch.campaign_id)
            fresh = await launches.find(tx, launch.id)
            if fresh is None or fresh.state != "filling" or fresh.body is None:
                return False
            if await launches.braked_since(tx) is not None:
                return False
            filled_to = await audiences.fill(
                tx,
                fresh,
                Audience.from_plain(fresh.body["audience"]),
                category=fresh.body["category"],
                zones=Zones(self.knowledge.region.timezone, dict(self.knowledge.region.municipality_zones)),
                served=self.serves,
                now=self.now(),
                limit=self.portion,
            )
            if not await launches.note_filled(tx, launch.id, filled_to, now=self.now()):
                raise _Overtaken
            return True

    async def _finish(self, launch: Launch) -> bool:
        async with self.database.transaction() as tx:
            given_up = await self._give_up_unserved(tx, launch)
            if not await launches.finish(tx, launch.id, now=self.now()):
                return given_up
            campaign, wave = await book.find(tx, launch.campaign_id), await self._wave(tx, launch)
            if campaign is not None and all(each.state in OVER for each in wave):
                await notices.done(self._deed(tx), campaign, launch)
            return True

    async def _give_up_unserved(self, tx: Transaction, launch: Launch) -> bool:
        """Whoever is on the list by a channel that was switched off since would be waited for in vain."""
        unserved = [each for each in CHANNELS if each not in self.serves]
        if not unserved:
            return False
        count = await readers.give_up_unserved(tx, launch.id, unserved)
        if count:
            _log.warning("readers_unserved", launch=launch.id, channels=unserved, readers=count)
        return count > 0

    async def _is_first_of_wave(self, tx: Transaction, launch: Launch) -> bool:
        """Of a wave that goes from municipality to municipality people hear once."""
        wave = await self._wave(tx, launch)
        return all(each.started_at is None for each in wave if each.id != launch.id)

    async def _wave(self, tx: Transaction, launch: Launch) -> list[Launch]:
        of_campaign = await launches.of_campaign(tx, launch.campaign_id)
        return [each for each in of_campaign if each.wave == launch.wave]

    # ---- campaigns

    async def _tend_campaigns(self) -> bool:
        async with self.database.reading() as tx:
            scheduled = await book.listed(tx, states=_SCHEDULED, limit=_ALL)
        changed = False
        for campaign in scheduled:
            try:
                changed |= await self._tend(campaign)
            except Unavailable:
                raise
            except Exception as error:
                # The others must not wait behind this one; it is tried again at the next look.
                _log.exception("campaign_failed", campaign=campaign.id, error=type(error).__name__)
        return changed

    async def _tend(self, campaign: Campaign) -> bool:
        """Plan the next starts of a repeating campaign; end one that has none left."""
        is_repeating = campaign.schedule.get("kind") == "repeating"
        async with self.database.reading() as tx:
            known = await launches.of_campaign(tx, campaign.id)
            is_over = await launches.left_open(tx, campaign.id) == 0
        last = max((each.wave for each in known), default=None)
        is_to_plan = is_repeating and (last is None or last <= self.now())
        is_to_plan = is_to_plan and not any(_holds_the_next(each) for each in known)
        if not (is_to_plan or is_over):
            return False
        async with self.database.transaction() as tx:
            fresh = await book.hold(tx, campaign.id)
            if fresh is None or fresh.state != "scheduled":
                return False
            planned = 0
            if is_to_plan:
                # What was missed meanwhile is not made good: only the start that was planned asks.
                after = max(self.now(), last or self.now())
                planned = len(await plan_next(tx, fresh, after=after))
            if planned or await launches.left_open(tx, campaign.id):
                return planned > 0
            return await book.end(tx, campaign.id, now=self.now())

    # ---- life

    async def _show_life(self, changed: bool) -> None:
        """Note that somebody looks after what is on its way, in the database and then outside of it."""
        async with self.database.reading() as tx:
            alive = await launches.alive(tx)
        if not (alive or changed):
            return
        known = await self.mark.read()
        async with self.database.transaction() as tx:
            number = await launches.pulse(tx) + 1
            if number <= known:
                return  # a backup was put back this very moment: the next look holds what is in it
            for launch in alive:
                await launches.touch(tx, launch.id, now=self.now())
            await launches.set_pulse(tx, number)
        await self.mark.write(number)

    async def _safely(self, step: Callable[[Launch], Awaitable[bool]], launch: Launch) -> bool:
        try:
            return await step(launch)
        except Unavailable:
            raise
        except Exception as error:
            # The others must not wait behind this one, and it must not fail again every ten seconds.
            name = type(error).__name__
            _log.exception("launch_failed", launch=launch.id, error=name)
            async with self.database.transaction() as tx:
                return await self._ask(tx, launch, "fault", name)

    def _deed(self, tx: Transaction) -> Deed:
        return Deed(tx, self.now(), self.knowledge)


def _holds_the_next(launch: Launch) -> bool:
    """Whether a repeating campaign waits for people: a start that was only missed does not hold the next."""
    return launch.state in {"asks", "paused"} and launch.reason not in {"overdue", "restored"}


async def plan_first(tx: Transaction, campaign: Campaign, *, now: datetime) -> list[Planned]:
    """Plan the starts of a campaign that is being scheduled; raises ScheduleError when it is too late."""
    read = Schedule.from_plain(campaign.schedule)
    places = await municipalities_of(tx, campaign.audience)
    return await _note(tx, campaign, schedule.first_launches(read, places, now))


async def plan_next(tx: Transaction, campaign: Campaign, *, after: datetime) -> list[Planned]:
    """Plan the next starts of a repeating campaign; nothing when it is over."""
    read = Schedule.from_plain(campaign.schedule)
    places = await municipalities_of(tx, campaign.audience)
    return await _note(tx, campaign, schedule.next_launches(read, after, places))


async def municipalities_of(tx: Transaction, audience: Audience) -> list[str]:
    """Where the readers are, in the order in which a staggered campaign goes from one to the next."""
    if audience.municipalities:
        return list(audience.municipalities)
    if audience.school_ids:
        known = await schools.some(tx, audience.school_ids)
        return sorted({school.municipality for school in known.values() if school.municipality})
    return await schools.municipalities(tx)


async def _note(tx: Transaction, campaign: Campaign, planned: Sequence[Planned]) -> list[Planned]:
    for each in planned:
        await launches.plan(
            tx, campaign.id, due_at=each.due_at, municipality=each.municipality, wave=each.wave
        )
    return list(planned)
