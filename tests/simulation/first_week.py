"""The first week of a school year, simulated: `python -m tests.simulation.first_week --scale 0.05 --seed 1`.

At scale 1: 137 schools, 300 staff, 20,000 parents, 3,000 cases, both messengers.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pydantic import SecretStr

from bot.app import bind, running
from bot.index_store import IndexStore
from bot.parts import App
from bot.settings import Settings
from faq.content.loading import packaged_base
from faq.content.region import load_region
from handlers.knowledge import Knowledge
from handlers.staff import membership
from storage import schools as directory
from storage.database import Database
from tests.emulators.telegram import TelegramServer
from tests.emulators.vk import VkServer
from tests.postgresql import address
from tests.simulation import outcome
from tests.simulation.checks import Checks, Ledger
from tests.simulation.ministry import Official, OutageWatch
from tests.simulation.parents import DAY, HOUR, MINUTE, Parent, Wish
from tests.simulation.phones import Ear, Phone, TelegramPhone, VkPhone, forget_requests
from tests.simulation.rooms import Room, TelegramRoom, VkRoom
from tests.simulation.staff import Colleague, Habits
from tests.simulation.ticks import in_simulated_time
from tests.simulation.timeline import Timeline, loop_of, standing_still, without_threads
from tests.simulation.troubles import trouble_of_many
from tests.simulation.world import School, Seat, World
from tests.ways_to_leaves import Way

BEGINS = datetime(2026, 9, 1, 4, 30, tzinfo=UTC)
"""Tuesday 1 September, 07:30 in Moscow: half an hour for the staff to join."""
WEDNESDAY = datetime(2026, 9, 2, 8, 0, tzinfo=UTC)
"""11:00 in Moscow, when groups become supergroups."""
THURSDAY = datetime(2026, 9, 3, 8, 0, tzinfo=UTC)
"""11:00 in Moscow, when the outage begins."""
WEEK = 7.2
"""Days, to the next Tuesday's noon: what became overdue in the evening has been moved up by then."""
SCHOOLS, STAFF, PARENTS, CASES, ASKING = 137, 300, 20_000, 3_000, 5_000
"""At scale 1; `ASKING` come with a question that the bot answers, the others only press «Начать»."""
VK_TOKEN, VK_GROUP = "vk1.a.test-token", 777
ON_TELEGRAM = 0.55
DAYS = (26, 22, 17, 12, 5, 5, 13)
"""How the parents spread over the week from Tuesday on."""
HOURS = (0, 0, 0, 0, 0, 0, 1, 4, 8, 8, 7, 6, 5, 5, 5, 5, 6, 7, 9, 10, 8, 6, 3, 1)
"""The same over the day, by the hour in Moscow."""


@dataclass(frozen=True)
class Size:
    """How many there are of everybody."""

    schools: int
    staff: int
    parents: int
    cases: int
    asking: int

    @classmethod
    def of(cls, scale: float) -> Size:
        """A share of the whole; never fewer than can talk to each other."""
        return cls(
            schools=max(3, round(SCHOOLS * scale)),
            staff=max(10, round(STAFF * scale)),
            parents=max(50, round(PARENTS * scale)),
            cases=max(8, round(CASES * scale)),
            asking=max(12, round(ASKING * scale)),
        )


@dataclass(frozen=True)
class Coming:
    """A parent who will come, and with what."""

    at: datetime
    wish: Wish
    school: School | None = None
    """None: any."""
    way: Way | None = None
    """The trouble of many families of this school."""


@dataclass
class Week:
    """The house, its two messengers, and everybody who comes."""

    app: App
    telegram: TelegramServer
    vk: VkServer
    world: World
    checks: Checks
    ledger: Ledger
    timeline: Timeline
    size: Size
    chance: Random
    ear: Ear
    staff: list[Colleague] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    notes: float = 0.1
    """Share of the cases to which the staff write notes."""
    edits: float = 0.12
    """Share of their answers that they write anew."""
    watch: OutageWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = OutageWatch(self.ear, self.world, self.checks, self.timeline)

    # ---- who is there

    async def opens(self) -> None:
        """The directory is filled, the staff have joined."""
        await self.ledger.open()
        async with self.app.database.transaction() as tx:
            for school in self.world.schools:
                number = await directory.add(
                    tx,
                    code=school.code,
                    name=school.name,
                    municipality=school.municipality,
                    kind="",
                    aliases=(),
                    hours="",
                    now=self.timeline.now(),
                )
                assert number == school.id
        await self.app.knowledge.refresh(self.app.database)
        await asyncio.to_thread(self.app.knowledge.build_triage)
        await self.vk.listened()

    def phone(self, messenger: str = "") -> Phone:
        """Somebody's new phone."""
        likes = "telegram" if self.chance.random() < ON_TELEGRAM else "vk"
        if (messenger or likes) == "telegram":
            return TelegramPhone(self.telegram.person(), self.ear, self.timeline)
        return VkPhone(self.vk.person(), self.ear, self.timeline)

    def hires(self) -> None:
        """Everybody who answers: ministry, coordinators, administrators; some schools have nobody."""
        municipalities = list(dict.fromkeys(school.municipality for school in self.world.schools))
        _are_mates([self._hires("ministry") for _ in range(3)])
        for each in municipalities:
            self._hires("municipal", municipality=each)
        deserted = max(1, len(self.world.schools) // 30)
        manned = self.world.schools[deserted:]
        left = max(len(manned), self.size.staff - len(self.staff))
        seats = [1] * len(manned)
        while sum(seats) < left:
            seats[self.chance.randrange(len(manned))] += 1
        for number, (school, count) in enumerate(zip(manned, seats, strict=True)):
            self._mans(school, count, kind=_ROOMS.get(number % _ROOMS_EVERY, "") if count > 1 else "")

    def _mans(self, school: School, count: int, *, kind: str) -> None:
        """Give a school its administrators; `kind` of the group chat where they work, if they do."""
        messenger = kind and ("vk" if kind == "vk" else "telegram")
        hired = [
            self._hires("school", school=school, messenger=messenger, steady=bool(kind) and not number)
            for number in range(count)
        ]
        _are_mates(hired)
        if kind:
            rest: dict[str, Any] = {
                "school": school,
                "phones": [colleague.phone for colleague in hired],
                "ear": self.ear,
                "world": self.world,
                "timeline": self.timeline,
            }
            room: Room = (
                VkRoom(self.vk, **rest)
                if kind == "vk"
                else TelegramRoom(self.telegram, is_forum=kind == "forum", **rest)
            )
            self.rooms.append(room)
            for colleague in hired:
                colleague.room = room

    def _hires(
        self,
        level: Any,
        *,
        school: School | None = None,
        municipality: str = "",
        messenger: str = "",
        steady: bool = False,
    ) -> Colleague:
        phone = self.phone(messenger)
        ids = frozenset([school.id] if school is not None else [])
        colleague = Colleague(
            phone,
            world=self.world,
            checks=self.checks,
            timeline=self.timeline,
            seats=[self.world.sits(Seat(phone.place, level, ids, municipality))],
            habits=replace(Habits() if steady else self._habits(level), notes=self.notes, edits=self.edits),
            chance=Random(self.chance.random()),
        )
        self.staff.append(colleague)
        return colleague

    def _habits(self, level: str) -> Habits:
        kind = self.chance.random()
        if level == "ministry":
            return Habits(answers=0.9, every=900.0)
        if kind < _SILENT:
            return Habits(answers=0.0, every=6 * HOUR)
        moment = BEGINS + timedelta(days=self.chance.uniform(1, 4))
        if kind < _SILENT + _LEAVING:
            return Habits(leaves_at=moment)
        if kind < _SILENT + _LEAVING + _BLOCKING:
            return Habits(blocks_at=moment)
        return Habits()

    # ---- the week

    async def passes(self, days: float) -> None:
        """Everybody comes and does what they do, until the week is over."""
        end = days * DAY
        self.hires()
        async with asyncio.TaskGroup() as everybody:
            for colleague in self.staff:
                await self._joins(colleague)
            official = await self._official()
            for room in self.rooms:
                if not await room.becomes_desk():
                    self.checks.complain("no_desk", f"группа {room.place} не стала столом")
            await self.timeline.until(BEGINS + timedelta(minutes=30))
            tasks = [everybody.create_task(colleague.works(end=end)) for colleague in self.staff]
            tasks += [everybody.create_task(each) for each in (self._revokes(), self._forgets())]
            tasks.append(everybody.create_task(self._troubles(days)))
            tasks.append(everybody.create_task(official.declares_outage(_outage(days))))
            tasks.append(everybody.create_task(official.bans_abusers()))
            for coming in self._comings(days):
                if coming.at > BEGINS + timedelta(days=days):
                    break
                await self.timeline.until(coming.at)
                parent = self._parent(coming.school)
                tasks.append(everybody.create_task(parent.lives(coming.wish, end=end, way=coming.way)))
            await self.timeline.until(BEGINS + timedelta(days=days))
            for task in tasks:
                task.cancel()
        # What was said last is still on its way, and the jobs look once more.
        await self.timeline.sleep(HOUR / 2)
        await self.ledger.check("the end")
        self.watch.complain()

    async def _official(self) -> Official:
        """One more member of the ministry, who has other work than cases."""
        colleague = self._hires("ministry")
        self.staff.remove(colleague)
        await self._joins(colleague)
        return Official(
            colleague.phone,
            world=self.world,
            checks=self.checks,
            timeline=self.timeline,
            watch=self.watch,
        )

    async def _joins(self, colleague: Colleague) -> None:
        seat = colleague.seats[0]
        schools: list[int | None] = [*seat.school_ids] or [None]
        if seat.level == "school" and self.chance.random() < _SEVERAL_SCHOOLS:
            other = self.chance.choice(self.world.schools)
            schools = list(dict.fromkeys([*schools, other.id]))
        for school_id in schools:
            async with self.app.database.transaction() as tx:
                invited = await membership.invite(
                    tx,
                    role=seat.level,
                    school_id=school_id,
                    municipality=seat.municipality or None,
                    now=self.timeline.now(),
                )
            await colleague.joins(f"join-{invited.token}")
        if seat.level == "school":
            seat.school_ids = frozenset(each for each in schools if each)

    async def _troubles(self, days: float) -> None:
        """Groups migrate on Wednesday, people delete topics, two groups throw the bot out."""
        telegram = [room for room in self.rooms if isinstance(room, TelegramRoom)]
        await self.timeline.until(WEDNESDAY)
        for room in telegram:
            if room.group._chat.kind == "group":
                await room.is_upgraded()
                await self.timeline.sleep(60)
        day = timedelta(days=1) if days > _SHORT else timedelta(hours=1)
        for number in range(1, 3):
            await self.timeline.until(WEDNESDAY + number * day)
            for room in telegram:
                await room.loses_topics(2, self.chance)
        for chosen in self.chance.sample(self.rooms, min(2, len(self.rooms))):
            self.world.counts["groups that threw the bot out"] += 1
            await chosen.kicks_bot()

    def _parent(self, school: School | None) -> Parent:
        any_school, other = self._schools(2)
        school = school or any_school
        phone = self.phone()
        self.world.parents.add(phone.place)
        return Parent(
            phone,
            ear=self.ear,
            world=self.world,
            checks=self.checks,
            timeline=self.timeline,
            school=school,
            other_school=other if self.chance.random() < _TWO_SCHOOLS and other != school else None,
            chance=Random(self.chance.random()),
        )

    def _schools(self, count: int) -> list[School]:
        weights = [school.weight for school in self.world.schools]
        return self.chance.choices(self.world.schools, weights=weights, k=count)

    def _comings(self, days: float) -> list[Coming]:
        together = [*self._bursts(days), *self._during_outage(days)]
        floods = max(1, self.size.parents // _FLOODS_ONE_OF)
        cases = sum(coming.wish == "case" for coming in together)
        counts: dict[Wish, int] = {"floods": floods, "asks": self.size.asking}
        counts["case"] = max(_ALONE, self.size.cases - cases - floods)
        counts["greets"] = self.size.parents - sum(counts.values()) - len(together)
        comings = [
            Coming(self._moment(days, HOURS), wish) for wish, count in counts.items() for _ in range(count)
        ]
        return sorted([*comings, *together], key=lambda coming: coming.at)

    def _bursts(self, days: float) -> list[Coming]:
        """Several families of a school come with the same trouble within less than an hour."""
        found = []
        for school in self._schools(max(1, self.size.cases // _BURST_OF)):
            begins = self._moment(days, _MORNING)
            same = trouble_of_many(self.chance)
            for _ in range(self.chance.randint(4, 8)):
                later = timedelta(seconds=self.chance.uniform(0, _BURST_LASTS))
                found.append(Coming(begins + later, "case", school, self.chance.choice(same)))
        return found

    def _during_outage(self, days: float) -> list[Coming]:
        """When nothing works, more people ask."""
        wishes: list[Wish] = ["asks", "asks", "case"]
        first = _outage(days)
        return [
            Coming(first + timedelta(seconds=self.chance.uniform(MINUTE, 1.2 * HOUR)), wish)
            for wish in wishes * max(1, self.size.asking // _OUTAGE_OF)
        ]

    def _moment(self, days: float, hours: Sequence[int]) -> datetime:
        weights = DAYS[: max(1, int(days))]
        day = self.chance.choices(range(len(weights)), weights=weights)[0]
        hour = self.chance.choices(range(24), weights=hours)[0]
        moscow = timedelta(days=day, hours=hour - 3, seconds=self.chance.uniform(0, HOUR))
        return BEGINS.replace(hour=0, minute=0) + moscow

    async def _revokes(self) -> None:
        """The owner takes a role away by the command line, now and then."""
        chosen = self.chance.sample(self.staff[3:], max(1, len(self.staff) // 50))
        for colleague in chosen:
            await self.timeline.sleep(self.chance.uniform(0.5, 1.5) * DAY)
            await outcome.revoke(self.app, colleague.phone.place)
            colleague.revoked()
            await self.ledger.check("revoked by the owner")

    async def _forgets(self) -> None:
        while True:
            await self.timeline.sleep(HOUR)
            forget_requests(self.telegram, self.vk)


def _are_mates(hired: list[Colleague]) -> None:
    for colleague in hired:
        colleague.mates = [mate for mate in hired if mate is not colleague]


def _outage(days: float) -> datetime:
    """When the outage begins; in a short week on the first day."""
    return THURSDAY if days > _SHORT else BEGINS + timedelta(hours=4)


_MORNING = (0,) * 9 + (3, 3, 3, 2, 2, 2) + (0,) * 9
"""Hours in which families of one school have the same trouble: somebody will answer them on the same day."""
_BURST_OF, _BURST_LASTS = 20, 2_400.0
"""One burst for so many cases; seconds within which its families come."""
_OUTAGE_OF, _FLOODS_ONE_OF = 60, 350
_ALONE = 6
"""Cases that are nobody else's, at least."""
_SILENT, _LEAVING, _BLOCKING = 0.08, 0.04, 0.02
"""Shares of the staff who never answer, who leave and who block the bot in mid-week."""
_SHORT = 4.0
"""Days; in a week cut that short what happens day by day happens hour by hour."""
_OFTEN, _SELDOM = 300.0, 600.0
"""Seconds between two looks for overdue cases and the like, in a whole week and in a short one: each look may
be late, and ten thousand of them take longer than all that people do."""
_ROOMS = {1: "forum", 3: "plain", 5: "vk", 7: "forum"}
"""In which kind of group chat the administrators of every so many-th school work."""
_ROOMS_EVERY = 12
_SEVERAL_SCHOOLS, _TWO_SCHOOLS = 0.05, 0.03


@dataclass(frozen=True)
class Result:
    """What became of the week."""

    checks: Checks
    figures: dict[str, int | float | str]

    def table(self) -> str:
        """The figures, and what was complained of."""
        lines = [f"{name:44} {value}" for name, value in self.figures.items()]
        lines += [f"COMPLAINT {each.check}: {each.about}" for each in self.checks.complaints[:60]]
        return "\n".join(lines)


def simulate(
    scale: float = 1.0,
    *,
    seed: int = 1,
    database_url: str | None = None,
    semantic: bool = True,
    days: float = WEEK,
    index_folder: Path | None = None,
    prepare: Callable[[Week], None] | None = None,
) -> Result:
    """Let a week pass; blocks. `prepare` may change something before anybody comes.

    `index_folder` is where an index of the base may lie already; `days` cuts the week short.
    """
    timeline = Timeline(BEGINS)
    folder = Path(tempfile.mkdtemp(prefix="first-week-", dir=_roomy()))
    try:
        with asyncio.Runner(loop_factory=lambda: loop_of(timeline)) as runner:
            return runner.run(
                _run(
                    timeline,
                    Size.of(scale),
                    folder=folder,
                    seed=seed,
                    database_url=database_url or f"sqlite:///{folder / 'helpdesk.db'}",
                    store=IndexStore(index_folder or folder, semantic=semantic),
                    days=days,
                    prepare=prepare,
                )
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _roomy() -> str | None:
    """In memory where there is room: the disk is not what is measured here."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - the file system itself


async def _run(
    timeline: Timeline,
    size: Size,
    *,
    folder: Path,
    seed: int,
    database_url: str,
    store: IndexStore,
    days: float,
    prepare: Callable[[Week], None] | None,
) -> Result:
    world = World(schools=size.schools, seed=seed)
    checks = Checks(world, clock=timeline)
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        stack.enter_context(standing_still(timeline))
        stack.enter_context(without_threads())
        telegram = await stack.enter_async_context(TelegramServer(clock=timeline))
        vk = await stack.enter_async_context(VkServer(token=VK_TOKEN, group_id=VK_GROUP, clock=timeline))
        settings = _settings(folder, telegram, vk, database_url=database_url)
        knowledge = Knowledge(packaged_base(), load_region("adygea"), build=store.matcher)
        await asyncio.to_thread(knowledge.build_triage)
        await _migrate(database_url)
        looking: list[Ledger] = []

        async def after(deed: str) -> None:
            for ledger in looking:
                await ledger.check(deed)

        often = _SELDOM if days <= _SHORT else _OFTEN
        stack.enter_context(in_simulated_time(timeline, after, deeds_every=often))
        app = await stack.enter_async_context(
            running(settings, clock=timeline, knowledge=knowledge, socket_=bind("127.0.0.1", 0))
        )
        ledger = Ledger(app.database, checks)
        week = Week(
            app,
            telegram,
            vk,
            world,
            checks,
            ledger,
            timeline,
            size,
            Random(f"week {seed}"),
            Ear(telegram, vk),
        )
        week.ear.everything.append(checks.hear)
        checks.refusals.blocks = week.ear.blocks
        _look_after_every_event(app, ledger, world)
        if prepare is not None:
            prepare(week)
        await week.opens()
        looking.append(ledger)
        opened, worked = time.monotonic(), time.process_time()
        await week.passes(days)
        checks.nothing_lost(await outcome.in_incidents(app))
        figures = await outcome.figures(week)
        seconds = time.monotonic() - opened
        events = world.counts["taken events"]
        figures |= {
            "seconds to open": round(opened - started, 1),
            "seconds": round(seconds, 1),
            "seconds of the processor": round(time.process_time() - worked, 1),
            "events a second": round(events / seconds, 1),
            "events and letters a second": round((events + world.counts["delivered"]) / seconds, 1),
            "jumps of the clock": timeline.jumps,
            "changes looked at": ledger.looked_at,
            **{f"complaints: {check}": count for check, count in sorted(checks.counts.items())},
        }
    return Result(checks, figures)


def _look_after_every_event(app: App, ledger: Ledger, world: World) -> None:
    helpdesk = app.helpdesk
    receive, answer_due = helpdesk.receive, helpdesk.answer_due

    async def received(incoming: Any) -> None:
        await receive(incoming)
        world.counts["taken events"] += 1
        await ledger.check(f"event {incoming.sender} {incoming.button or incoming.text[:40]!r}")

    async def answered() -> datetime | None:
        due = await answer_due()
        await ledger.check("answer_due")
        return due

    helpdesk.receive = received  # type: ignore[method-assign]
    app.answers._answer_due = answered


def _settings(folder: Path, telegram: TelegramServer, vk: VkServer, *, database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        data_dir=folder,
        telegram_token=SecretStr(telegram.token),
        telegram_api_url=telegram.url,
        vk_token=SecretStr(VK_TOKEN),
        vk_group_id=VK_GROUP,
        vk_api_url=f"{vk.url}/method/",
    )


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.migrate()
    await database.close()


def main() -> int:
    """Run and print; 1 if anybody has something to complain of."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--database", default="", help="an empty database, or the word postgresql; SQLite if left out"
    )
    parser.add_argument("--words-only", action="store_true", help="match without meanings, which is quicker")
    said = parser.parse_args()
    with address(said.database) as url:
        result = simulate(said.scale, seed=said.seed, database_url=url, semantic=not said.words_only)
    sys.stdout.write(result.table() + "\n")
    return 1 if result.checks.counts else 0


if __name__ == "__main__":
    sys.exit(main())
