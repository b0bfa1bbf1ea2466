"""Campaigns start in time, once, and never by themselves when somebody, or a crash, has held them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.mailing_mark import MailingMark
from handlers.campaigns import control, telling
from handlers.campaigns.launching import CHANNELS, Launching
from handlers.campaigns.schedule import ScheduleError, read
from handlers.knowledge import Knowledge
from storage import family, people
from storage.campaigns import book, launches, readers
from storage.campaigns.campaign import Audience, Campaign, Launch, Reader, ReaderState
from storage.database import Database
from storage.schools import School
from tests.handlers.desk import Someone
from tests.handlers.timekeeping import Office, moscow, said


class Dies(BaseException):
    """The process is killed here."""


WAITING: tuple[ReaderState, ...] = ("queued",)


@dataclass
class Killer:
    """A clock that kills whoever reads it for the n-th time."""

    office: Office
    at: int
    reads: int = 0

    def now(self) -> datetime:
        self.reads += 1
        if self.reads == self.at:
            raise Dies
        return self.office.clock.now()


@dataclass
class Mailing:
    """An operator, an author, parents, and the job that looks after campaigns."""

    office: Office
    folder: Path
    author: Someone
    operator: Someone
    parents: list[Someone] = field(default_factory=list)

    def job(
        self, *, portion: int = 2, killer: Killer | None = None, serves: Sequence[str] = CHANNELS
    ) -> Launching:
        """The job of a fresh process: nothing but the database and the file is remembered."""
        now = killer.now if killer is not None else self.office.clock.now
        mark = MailingMark(self.folder)
        return Launching(self.office.database, self.office.knowledge, now, mark, portion, serves)

    async def looks(self) -> None:
        """The job runs now; whatever was said is delivered."""
        await self.job().look()
        await self.office.hears()

    async def starts(self) -> None:
        """The process starts now, before anything is sent."""
        await self.job().wake_up()
        await self.looks()

    async def looks_until(self, text: str, *, every: timedelta = timedelta(minutes=10)) -> None:
        """Time passes, and the job runs again and again."""
        while self.office.clock.now() + every <= moscow(text):
            await self.office.desk.passes(every)
            await self.looks()

    async def has_parents(self, count: int, school: School | None = None) -> list[Someone]:
        """So many more parents, with a child in this school."""
        fresh = [await self.office.desk.parent(f"Родитель {number}") for number in range(count)]
        for parent in fresh:
            if school is not None:
                await self.child_goes_to(parent, school)
        self.parents += fresh
        return fresh

    async def child_goes_to(self, parent: Someone, school: School) -> None:
        """The parent has a child there."""
        known = await self.office.desk.known(parent)
        async with self.office.database.transaction() as tx:
            child = await family.add_child(tx, known.id, label="ребёнок", now=self.office.clock.now())
            await family.set_school(tx, known.id, child.id, school.name, school_id=school.id)

    async def schedules(self, when: str, **more: Any) -> Campaign:
        """A campaign that was checked, tried and approved is scheduled."""
        now = self.office.clock.now()
        audience = more.pop("audience", Audience())
        plan = read(when, zone="Europe/Moscow", now=now, **more)
        author = await self.office.member(self.author)
        async with self.office.database.transaction() as tx:
            made = await book.add(
                tx,
                title="Проверьте вход",
                category="important",
                text="Проверьте вход в дневник заранее.",
                audience=audience,
                schedule=plan.to_plain(),
                author_id=author.id,
                now=now,
            )
            await book.note_checked(tx, made.id, edition=1)
            await book.note_tested(tx, made.id, edition=1)
            return await control.schedule_it(self.office.deed(tx), author, made.id, edition=1)

    async def launches(self, campaign: Campaign) -> list[Launch]:
        """Its starts as they are."""
        async with self.office.database.reading() as tx:
            return await launches.of_campaign(tx, campaign.id)

    async def only(self, campaign: Campaign) -> Launch:
        """Its only start."""
        (launch,) = await self.launches(campaign)
        return launch

    async def state(self, campaign: Campaign) -> str:
        """How the campaign stands."""
        async with self.office.database.reading() as tx:
            found = await book.find(tx, campaign.id)
        assert found is not None
        return found.state

    async def listed(self, campaign: Campaign) -> list[Reader]:
        """Everybody on the list of its launches."""
        numbers = [each.id for each in await self.launches(campaign)]
        async with self.office.database.reading() as tx:
            return await readers.listed(
                tx, numbers, states=("queued", "sending", "sent", "failed", "skipped", "unknown"), limit=1000
            )

    async def chats(self, campaign: Campaign) -> list[str]:
        """Their chats, sorted."""
        return sorted(each.chat_id for each in await self.listed(campaign))

    async def tells_everybody(self, campaign: Campaign) -> None:
        """The messengers have taken everything that is on the list."""
        waiting = [each for each in await self.listed(campaign) if each.state == "queued"]
        async with self.office.database.transaction() as tx:
            await readers.mark_sent(
                tx, [(each.id, f"m{each.id}") for each in waiting], now=self.office.clock.now()
            )

    def all_chats(self, parents: Sequence[Someone] | None = None) -> list[str]:
        """The parents' chats, sorted."""
        return sorted(each.address.chat_id for each in (self.parents if parents is None else parents))

    async def does(self, deed: Any, *arguments: Any) -> Any:
        """A deed of the operator's."""
        member = await self.office.member(self.operator)
        async with self.office.database.transaction() as tx:
            return await deed(self.office.deed(tx), member, *arguments)


@pytest.fixture
async def mailing(knowledge: Knowledge, database: Database, tmp_path: Path) -> Mailing:
    """On both databases, on the first of August."""
    return await _on_the_first_of_august(Office(database, knowledge), tmp_path)


@pytest.fixture
async def on_sqlite(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Mailing]:
    """The same on SQLite, whose file can be copied."""
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield await _on_the_first_of_august(Office(database, knowledge), tmp_path)
    await database.close()


async def _on_the_first_of_august(office: Office, folder: Path) -> Mailing:
    office.clock.pass_by(moscow("2026-08-01 10:00") - office.clock.now())
    author = await office.desk.colleague("Ольга")
    operator = await office.desk.colleague("Пётр")
    return Mailing(office, folder, author, operator)


def states(known: Sequence[Launch]) -> list[str]:
    return [each.state for each in known]


def heard_of(someone: Someone, words: str) -> int:
    return sum(words in each for each in said(someone))


# ---- in time and once


async def test_a_campaign_starts_in_time_and_ends_with_its_last_reader(mailing: Mailing) -> None:
    await mailing.has_parents(5)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 09:59")
    await mailing.looks()
    assert (await mailing.only(campaign)).state == "planned"
    assert await mailing.listed(campaign) == []

    await mailing.office.is_now("2026-08-25 10:00")
    await mailing.looks()
    launch = await mailing.only(campaign)
    assert launch.state == "sending"
    assert await mailing.chats(campaign) == mailing.all_chats()
    assert {each.zone for each in await mailing.listed(campaign)} == {"Europe/Moscow"}
    assert launch.body is not None
    assert launch.body["text"] == "Проверьте вход в дневник заранее."
    for person in (mailing.author, mailing.operator):
        assert heard_of(person, "начало отправляться") == 1

    await mailing.looks()
    assert await mailing.state(campaign) == "scheduled", "everybody still waits"
    await mailing.tells_everybody(campaign)
    await mailing.looks()
    assert (await mailing.only(campaign)).state == "done"
    assert await mailing.state(campaign) == "ended"
    assert "Доставлено: 5 из 5" in said(mailing.operator)[-1]


async def test_a_series_starts_each_time_anew_and_ends_with_the_last(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("15.08.2026 10:00; 25.08.2026 10:00")
    for day, expected in (("15", ["done", "planned"]), ("25", ["done", "done"])):
        await mailing.office.is_now(f"2026-08-{day} 10:00")
        await mailing.looks()
        await mailing.tells_everybody(campaign)
        await mailing.looks()
        assert states(await mailing.launches(campaign)) == expected
        assert await mailing.state(campaign) == ("ended" if day == "25" else "scheduled")
    assert await mailing.chats(campaign) == sorted(2 * mailing.all_chats())


async def test_municipalities_are_told_one_after_the_other_and_nobody_twice(mailing: Mailing) -> None:
    office = mailing.office
    maikop = await office.school("Лицей № 1", municipality="Майкоп")
    adygeysk = await office.school("Школа № 2", municipality="Адыгейск")
    one, both = await mailing.has_parents(2, maikop)
    await mailing.child_goes_to(both, adygeysk)
    (other,) = await mailing.has_parents(1, adygeysk)
    (nowhere,) = await mailing.has_parents(1)
    campaign = await mailing.schedules("25.08.2026 10:00", step_minutes=30)
    expected = {
        "10:00": [both, other],
        "10:29": [both, other],
        "10:30": [both, other, one],
        "11:00": [both, other, one, nowhere],
    }
    for time, told in expected.items():
        await office.is_now(f"2026-08-25 {time}")
        await mailing.looks()
        assert await mailing.chats(campaign) == mailing.all_chats(told), time
    assert [each.municipality for each in await mailing.launches(campaign)] == ["Адыгейск", "Майкоп", ""]
    await mailing.tells_everybody(campaign)
    await mailing.looks()
    assert await mailing.state(campaign) == "ended"
    assert heard_of(mailing.operator, "начало отправляться") == 1, "not once for each municipality"
    assert heard_of(mailing.operator, "Доставлено: 4 из 4") == 1


async def test_an_overdue_or_dropped_municipality_is_not_told_by_the_last_start_of_its_wave(
    mailing: Mailing,
) -> None:
    """«Отменить» and «больше часа назад» held for nobody: whoever belongs to no municipality came last."""
    office = mailing.office
    adygeysk = await office.school("Школа № 2", municipality="Адыгейск")
    giaginskaya = await office.school("Школа № 4", municipality="Гиагинский район")
    maikop = await office.school("Лицей № 1", municipality="Майкоп")
    await mailing.has_parents(2, adygeysk)
    await mailing.has_parents(2, giaginskaya)
    (of_maikop,) = await mailing.has_parents(1, maikop)
    (nowhere,) = await mailing.has_parents(1)
    campaign = await mailing.schedules("25.08.2026 10:00", step_minutes=30)
    dropped = (await mailing.launches(campaign))[1]
    await mailing.does(control.drop_launch, dropped.id)
    # The server is down from before the first start until that one is overdue.
    await office.is_now("2026-08-25 11:01")
    await mailing.starts()
    await office.is_now("2026-08-25 11:30")
    await mailing.looks()
    assert states(await mailing.launches(campaign)) == ["asks", "stopped", "sending", "sending"]
    assert await mailing.chats(campaign) == mailing.all_chats([of_maikop, nowhere])


async def test_each_reader_is_told_in_the_hours_of_their_own_municipality(mailing: Mailing) -> None:
    office = mailing.office
    region = replace(office.knowledge.region, municipality_zones=(("Адыгейск", "Asia/Yakutsk"),))
    office.knowledge = Knowledge(office.knowledge.base, region)
    adygeysk = await office.school("Школа № 2", municipality="Адыгейск")
    maikop = await office.school("Лицей № 1", municipality="Майкоп")
    (eastern,) = await mailing.has_parents(1, adygeysk)
    (western,) = await mailing.has_parents(1, maikop)
    (nowhere,) = await mailing.has_parents(1)
    campaign = await mailing.schedules("25.08.2026 19:30")
    await office.is_now("2026-08-25 19:30")
    await mailing.looks()
    zones = {each.chat_id: each.zone for each in await mailing.listed(campaign)}
    assert zones == {
        eastern.address.chat_id: "Asia/Yakutsk",
        western.address.chat_id: "Europe/Moscow",
        nowhere.address.chat_id: "Europe/Moscow",
    }
    launch = await mailing.only(campaign)
    assert launch.body is not None
    now = office.clock.now()
    awake = telling.rules(launch.body, set(zones.values()), a_week=2, doubt_since=now, now=now)
    assert awake is not None
    assert awake.zones == ["Europe/Moscow"], "in the east it is half past one at night"


async def test_a_messenger_that_was_switched_off_keeps_no_announcement_from_its_end(
    mailing: Mailing,
) -> None:
    """Its readers wait for nobody: the usual announcement would be «отправляется» for ever."""
    office = mailing.office
    await mailing.has_parents(2)
    async with office.database.transaction() as tx:
        there = [await people.meet(tx, "vk", str(each), name="", now=office.clock.now()) for each in (91, 92)]
    campaign = await mailing.schedules("25.08.2026 10:00; 26.08.2026 10:00")
    await office.is_now("2026-08-25 10:00")
    await mailing.looks()
    first, second = await mailing.launches(campaign)
    async with office.database.transaction() as tx:
        on_vk = await readers.listed(tx, [first.id], states=WAITING, limit=10, channel="vk")
        assert sorted(each.person_id or 0 for each in on_vk) == sorted(each.id for each in there)
        # Of one nobody knows whether they were told.
        doubted = await readers.claim(
            tx,
            "vk",
            rules={first.id: readers.Rules(("Europe/Moscow",), 2, office.clock.now())},
            limit=1,
            now=office.clock.now(),
        )
        assert doubted is not None
        told = await readers.listed(tx, [first.id], states=WAITING, limit=10, channel="telegram")
        await readers.mark_sent(tx, [(each.id, "1") for each in told], now=office.clock.now())
    await mailing.looks()
    assert (await mailing.launches(campaign))[0].state == "sending", "VK is there, and they wait"

    only_telegram = mailing.job(serves=("telegram", "web"))
    await only_telegram.look()
    async with office.database.reading() as tx:
        progress = await readers.progress(tx, [first.id])
    assert progress.reasons == {"unserved": 1, "interrupted": 1}
    assert (await mailing.launches(campaign))[0].state == "done"
    await office.is_now("2026-08-26 10:00")
    await only_telegram.look()
    async with office.database.reading() as tx:
        listed = await readers.listed(tx, [second.id], states=WAITING, limit=10)
    assert sorted(each.chat_id for each in listed) == mailing.all_chats()


async def test_two_processes_that_look_at_once_tell_nobody_twice(mailing: Mailing) -> None:
    await mailing.has_parents(5)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    await asyncio.gather(*(mailing.job(portion=1).look() for _ in range(3)))
    await mailing.looks()
    assert await mailing.chats(campaign) == mailing.all_chats()
    assert (await mailing.only(campaign)).state == "sending"
    assert heard_of(mailing.operator, "начало отправляться") == 1


# ---- repeating


async def test_a_repeating_campaign_is_planned_one_ahead_until_its_last_day(mailing: Mailing) -> None:
    await mailing.has_parents(1)
    campaign = await mailing.schedules("cron 0 10 * * 1 до 10.08.2026")
    assert [each.due_at for each in await mailing.launches(campaign)] == [moscow("2026-08-03 10:00")]
    await mailing.office.is_now("2026-08-03 10:00")
    await mailing.looks()
    await mailing.tells_everybody(campaign)
    await mailing.looks()
    assert [each.due_at for each in await mailing.launches(campaign)] == [
        moscow("2026-08-03 10:00"),
        moscow("2026-08-10 10:00"),
    ]
    await mailing.office.is_now("2026-08-10 10:00")
    await mailing.looks()
    await mailing.tells_everybody(campaign)
    await mailing.looks()
    assert states(await mailing.launches(campaign)) == ["done", "done"]
    assert await mailing.state(campaign) == "ended"


async def test_after_three_weeks_away_one_start_asks_and_the_missed_ones_are_not_made_good(
    mailing: Mailing,
) -> None:
    await mailing.has_parents(1)
    campaign = await mailing.schedules("cron 0 10 * * 1")
    await mailing.office.is_now("2026-08-26 10:00")
    await mailing.starts()
    await mailing.looks()
    known = await mailing.launches(campaign)
    assert states(known) == ["asks", "planned"]
    assert known[1].due_at == moscow("2026-08-31 10:00")
    await mailing.office.is_now("2026-08-31 10:00")
    await mailing.looks()
    assert states(await mailing.launches(campaign)) == ["asks", "sending", "planned"]


async def test_a_repeating_campaign_that_people_paused_does_not_come_back_next_week(
    mailing: Mailing,
) -> None:
    await mailing.has_parents(1)
    campaign = await mailing.schedules("cron 0 10 * * 1")
    await mailing.does(control.pause, campaign.id)
    await mailing.looks_until("2026-08-20 10:00", every=timedelta(hours=7))
    known = await mailing.launches(campaign)
    assert states(known) == ["asks"]
    assert await mailing.listed(campaign) == []

    await mailing.does(control.drop_launch, known[0].id)
    await mailing.looks()
    assert states(await mailing.launches(campaign)) == ["stopped", "planned"], "only that start is dropped"
    assert await mailing.state(campaign) == "scheduled"


# ---- overdue: the usual bot would send at once


async def test_a_start_more_than_an_hour_late_asks_instead_of_sending(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 11:01")
    await mailing.starts()
    await mailing.looks_until("2026-08-26 10:00", every=timedelta(hours=3))
    launch = await mailing.only(campaign)
    assert (launch.state, launch.reason) == ("asks", "overdue")
    assert await mailing.listed(campaign) == []
    for person in (mailing.author, mailing.operator):
        assert heard_of(person, "время прошло больше часа назад") == 1
        labels = [each.label for row in person.heard[-1].buttons for each in row]
        assert labels == ["Отправить сейчас", "Отменить"]

    await mailing.does(control.start_launch, launch.id)
    await mailing.looks()
    assert await mailing.chats(campaign) == mailing.all_chats()


async def test_an_hour_late_is_in_time(mailing: Mailing) -> None:
    await mailing.has_parents(1)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 11:00")
    await mailing.starts()
    assert (await mailing.only(campaign)).state == "sending"


async def test_a_schedule_that_is_over_before_it_is_approved_is_refused(mailing: Mailing) -> None:
    await mailing.has_parents(1)
    with pytest.raises(ScheduleError, match="уже прошло"):
        await mailing.schedules("31.07.2026 10:00")


# ---- nothing restarts by itself


async def test_a_mailing_left_alone_for_more_than_an_hour_asks(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    await mailing.looks()
    await mailing.office.is_now("2026-08-25 11:01")
    await mailing.starts()
    await mailing.looks_until("2026-08-25 14:00")
    launch = await mailing.only(campaign)
    assert (launch.state, launch.reason) == ("paused", "overdue")
    assert heard_of(mailing.operator, "поставлено на паузу") == 1

    await mailing.does(control.resume, campaign.id)
    await mailing.looks_until("2026-08-25 18:00")
    assert (await mailing.only(campaign)).state == "sending"


async def test_a_short_restart_goes_on(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    await mailing.looks_until("2026-08-25 13:00")
    await mailing.office.is_now("2026-08-25 13:50")
    await mailing.starts()
    assert (await mailing.only(campaign)).state == "sending"


async def test_a_clock_that_goes_back_holds_nothing(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:30")
    await mailing.looks()
    mailing.office.clock.pass_by(-timedelta(hours=5))
    await mailing.starts()
    await mailing.looks_until("2026-08-25 13:00")
    assert (await mailing.only(campaign)).state == "sending"
    assert await mailing.chats(campaign) == mailing.all_chats()


async def test_what_people_paused_stays_paused_whatever_restarts(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    await mailing.looks()
    await mailing.does(control.pause, campaign.id)
    for _ in range(3):
        await mailing.starts()
        await mailing.looks_until(f"2026-08-{25 + _} 20:00", every=timedelta(hours=2))
    launch = await mailing.only(campaign)
    assert (launch.state, launch.reason) == ("paused", "people")


async def test_under_the_brake_a_start_asks_and_does_not_follow_its_release(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    going = await mailing.schedules("25.08.2026 10:00")
    late = await mailing.schedules("25.08.2026 12:00")
    await mailing.office.is_now("2026-08-25 10:00")
    await mailing.looks()
    await mailing.does(control.pull_brake)
    await mailing.office.is_now("2026-08-25 12:00")
    await mailing.looks()
    await mailing.does(control.release_brake)
    await mailing.looks_until("2026-08-25 15:00")
    for campaign, state in ((going, "paused"), (late, "asks")):
        launch = await mailing.only(campaign)
        assert (launch.state, launch.reason) == (state, "brake")
    assert await mailing.listed(late) == []


async def test_a_launch_that_slipped_past_the_brake_is_held_too(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    async with mailing.office.database.transaction() as tx:
        await launches.pull_brake(tx, by_id=None, now=mailing.office.clock.now())
        # Its transaction had looked at the brake a moment before.
        launch = await mailing.only(campaign)
        await launches.begin(
            tx, launch.id, body={"category": "important", "audience": {}}, now=moscow("2026-08-25 10:00")
        )
    await mailing.looks()
    async with mailing.office.database.transaction() as tx:
        await launches.release_brake(tx)
    await mailing.looks()
    assert (await mailing.only(campaign)).state == "paused"
    assert await mailing.listed(campaign) == []


# ---- killed anywhere: the usual bot keeps its progress in RAM


@pytest.mark.slow
async def test_a_look_that_is_killed_anywhere_goes_on_where_it_was(mailing: Mailing) -> None:
    await mailing.has_parents(3)
    at = 0
    while True:
        at += 1
        campaign = await mailing.schedules("25.08.2026 10:00" if at == 1 else _in_a_minute(mailing))
        due = (await mailing.only(campaign)).due_at
        mailing.office.clock.pass_by(max(due - mailing.office.clock.now(), timedelta()))
        told = heard_of(mailing.operator, "начало отправляться")
        killer = Killer(mailing.office, at)
        try:
            await mailing.job(portion=1, killer=killer).look()
        except Dies:
            pass
        else:
            break
        await mailing.starts()
        assert await mailing.chats(campaign) == mailing.all_chats(), f"killed at {at}"
        assert (await mailing.only(campaign)).state == "sending", f"killed at {at}"
        assert heard_of(mailing.operator, "начало отправляться") == told + 1, f"killed at {at}"
        await mailing.tells_everybody(campaign)
        await mailing.looks()
        assert await mailing.state(campaign) == "ended", f"killed at {at}"
    assert at > 10, "there were places to die at"


def _in_a_minute(mailing: Mailing) -> str:
    soon = mailing.office.clock.now() + timedelta(minutes=1)
    return soon.astimezone(moscow("2026-08-01 00:00").tzinfo).strftime("%d.%m.%Y %H:%M")


async def test_whoever_pauses_between_two_portions_wins(mailing: Mailing) -> None:
    await mailing.has_parents(6)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    at = 1
    while not 0 < len(await mailing.listed(campaign)) < 6:
        # Somewhere between two portions the process dies.
        with pytest.raises(Dies):
            await mailing.job(portion=1, killer=Killer(mailing.office, at)).look()
        at += 1
    before = await mailing.chats(campaign)
    await mailing.does(control.pause, campaign.id)
    await mailing.starts()
    await mailing.looks()
    assert await mailing.chats(campaign) == before

    await mailing.does(control.resume, campaign.id)
    await mailing.looks()
    assert await mailing.chats(campaign) == mailing.all_chats()
    assert (await mailing.only(campaign)).state == "sending"


@pytest.mark.parametrize("deed", [control.pause, control.stop])
async def test_a_pause_or_a_stop_in_the_middle_of_filling_holds(mailing: Mailing, deed: Any) -> None:
    await mailing.has_parents(6)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    await asyncio.gather(mailing.job(portion=1).look(), mailing.does(deed, campaign.id))
    held = await mailing.chats(campaign)
    await mailing.looks()
    assert (await mailing.only(campaign)).state in {"asks", "paused", "stopped"}
    assert await mailing.chats(campaign) == held
    assert len(held) == len(set(held))


async def test_one_broken_campaign_asks_and_the_others_go_out(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    broken = await mailing.schedules("25.08.2026 10:00")
    good = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    launch = await mailing.only(broken)
    async with mailing.office.database.transaction() as tx:
        body = {"category": "important", "audience": {"asked_since": "yesterday"}}
        await launches.begin(tx, launch.id, body=body, now=mailing.office.clock.now())
    await mailing.looks()
    await mailing.looks()
    launch = await mailing.only(broken)
    assert (launch.state, launch.reason, launch.detail) == ("paused", "fault", "ValueError")
    assert heard_of(mailing.operator, "ошибка в программе") == 1
    assert await mailing.chats(good) == mailing.all_chats()


async def test_launches_of_a_stopped_campaign_do_not_start(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("25.08.2026 10:00")
    async with mailing.office.database.transaction() as tx:
        await book.stop(tx, campaign.id, now=mailing.office.clock.now())
    await mailing.office.is_now("2026-08-25 10:00")
    await mailing.looks()
    assert (await mailing.only(campaign)).state == "stopped"
    assert await mailing.listed(campaign) == []


# ---- a restored backup


async def test_after_a_restored_backup_everything_on_its_way_asks(on_sqlite: Mailing) -> None:
    mailing, clock = on_sqlite, on_sqlite.office.clock
    await mailing.has_parents(2)
    going = await mailing.schedules("25.08.2026 10:00")
    sent = await mailing.schedules("25.08.2026 10:20")
    await mailing.office.is_now("2026-08-25 10:10")
    await mailing.looks()
    copy = _backup(mailing)
    await mailing.office.is_now("2026-08-25 10:20")
    await mailing.looks()
    await mailing.tells_everybody(sent)

    restored = Database(f"sqlite:///{copy}")
    old = replace(mailing, office=Office(restored, mailing.office.knowledge, clock))
    try:
        await old.job().wake_up()
        await old.job().look()
        for campaign, state in ((going, "paused"), (sent, "asks")):
            launch = await old.only(campaign)
            assert (launch.state, launch.reason) == (state, "restored")
        assert await old.listed(sent) == [], "the usual bot would tell everybody once more"
        # Known now: the next start of the process is an ordinary one.
        later = await old.schedules("25.08.2026 10:40")
        clock.pass_by(timedelta(minutes=20))
        await old.job().wake_up()
        await old.job().look()
        assert (await old.only(later)).state == "sending"
    finally:
        await restored.close()


async def test_a_backup_put_back_under_the_running_process_tells_nobody_once_more(
    on_sqlite: Mailing,
) -> None:
    """The evidence was overwritten by the next sign of life, and what was sent began anew."""
    mailing, office = on_sqlite, on_sqlite.office
    await mailing.has_parents(2)
    going = await mailing.schedules("25.08.2026 10:00")
    sent = await mailing.schedules("25.08.2026 10:20")
    job = mailing.job()
    await office.is_now("2026-08-25 10:10")
    await job.look()
    copy = _backup(mailing)
    await office.is_now("2026-08-25 10:20")
    await job.look()
    for campaign in (going, sent):
        await mailing.tells_everybody(campaign)
    await job.look()
    before = await mailing.job().mark.read()

    _put_back(copy, mailing)
    office.clock.pass_by(timedelta(minutes=10))
    await job.look()
    for campaign, state in ((going, "paused"), (sent, "asks")):
        launch = await mailing.only(campaign)
        assert (launch.state, launch.reason) == (state, "restored")
    assert await mailing.listed(sent) == []
    assert await mailing.job().mark.read() >= before
    # Known now: what comes later goes out, and a start of the process is an ordinary one.
    later = await mailing.schedules("25.08.2026 10:40")
    office.clock.pass_by(timedelta(minutes=10))
    await job.look()
    await mailing.starts()
    assert (await mailing.only(later)).state == "sending"


async def test_a_backup_put_back_in_the_middle_of_a_look_leaves_its_evidence(on_sqlite: Mailing) -> None:
    mailing, office = on_sqlite, on_sqlite.office
    await mailing.has_parents(1)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await office.is_now("2026-08-25 10:00")
    job = mailing.job()
    await job.look()
    copy = _backup(mailing)
    for _ in range(3):
        await job.look()
    before = await mailing.job().mark.read()
    # The look has found nothing wrong and reads the clock for the first time when the copy comes.
    disaster = Disaster(office, lambda: _put_back(copy, mailing))
    await replace(job, now=disaster.now).look()
    assert disaster.has_happened
    assert await mailing.job().mark.read() == before
    await mailing.looks()
    launch = await mailing.only(campaign)
    assert (launch.state, launch.reason) == ("paused", "restored")


@dataclass
class Disaster:
    """A clock that somebody who reads it wishes they had not."""

    office: Office
    strikes: Callable[[], None]
    has_happened: bool = False

    def now(self) -> datetime:
        if not self.has_happened:
            self.has_happened = True
            self.strikes()
        return self.office.clock.now()


def _backup(mailing: Mailing) -> Path:
    copy = mailing.folder / "backup.db"
    _copy(mailing.folder / "helpdesk.db", copy)
    return copy


def _put_back(copy: Path, mailing: Mailing) -> None:
    _copy(copy, mailing.folder / "helpdesk.db")


def _copy(one: Path, other: Path) -> None:
    with closing(sqlite3.connect(one)) as source, closing(sqlite3.connect(other)) as target:
        source.backup(target)


async def test_a_database_behind_its_mark_is_a_restored_one(mailing: Mailing) -> None:
    await mailing.has_parents(2)
    campaign = await mailing.schedules("25.08.2026 10:00")
    await mailing.office.is_now("2026-08-25 10:00")
    await mailing.looks()
    await mailing.starts()
    assert (await mailing.only(campaign)).state == "sending", "an ordinary restart goes on"
    async with mailing.office.database.transaction() as tx:
        await launches.set_pulse(tx, await launches.pulse(tx) - 1)
    await mailing.starts()
    launch = await mailing.only(campaign)
    assert (launch.state, launch.reason) == ("paused", "restored")
    assert heard_of(mailing.author, "восстановлена из копии") == 1


async def test_whoever_dies_while_holding_a_restored_mailing_holds_the_rest_next_time(
    mailing: Mailing,
) -> None:
    await mailing.has_parents(1)
    campaigns = [await mailing.schedules("25.08.2026 10:00") for _ in range(3)]
    await mailing.office.is_now("2026-08-25 10:00")
    await mailing.looks()
    async with mailing.office.database.transaction() as tx:
        await launches.set_pulse(tx, 0)
    died = 0
    for at in range(1, 30):
        try:
            await mailing.job(killer=Killer(mailing.office, at)).wake_up()
        except Dies:
            died += 1
        else:
            break
    assert died > 3
    for campaign in campaigns:
        assert (await mailing.only(campaign)).reason == "restored"


async def test_the_mark_survives_and_a_broken_one_is_none(tmp_path: Path) -> None:
    mark = MailingMark(tmp_path)
    assert await mark.read() == 0
    await mark.write(12)
    await mark.write(11)
    assert await MailingMark(tmp_path).read() == 12, "it never becomes smaller"
    (tmp_path / "mailing.mark").write_text("двенадцать", encoding="utf-8")
    assert await MailingMark(tmp_path).read() == 0
    assert await mark.read() == 12, "whoever lives knows it"
    nowhere = tmp_path / "mailing.mark" / "a file is no folder"
    await MailingMark(nowhere).write(13)
    assert await MailingMark(nowhere).read() == 0


async def test_the_mark_makes_its_folder(tmp_path: Path) -> None:
    """Beside a PostgreSQL there was none, and a restored backup was not recognised."""
    await MailingMark(tmp_path / "data").write(12)
    assert await MailingMark(tmp_path / "data").read() == 12
