"""Who is to read an announcement: each condition leaves out whom it should, and the count is the list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from storage import asked, family, people, schools, staff, stages, subscriptions
from storage.campaigns import audience, book, launches, readers, venues
from storage.campaigns.audience import Zones
from storage.campaigns.campaign import Audience, Campaign, Launch, Reader, VenueKind
from storage.database import Database
from storage.staff import Invitation
from storage.ticket import Desk

NOW = datetime(2026, 8, 24, 9, 0, tzinfo=UTC)
AGO = NOW - timedelta(days=30)
ANYBODY = Audience()
STAFF, VENUES = Audience(who="staff"), Audience(who="venues")


@dataclass
class Town:
    """People, schools and places; everybody's chat is called by their name."""

    database: Database
    people: dict[str, int] = field(default_factory=dict)
    schools: dict[str, int] = field(default_factory=dict)

    async def has_school(self, name: str, municipality: str) -> None:
        async with self.database.transaction() as tx:
            self.schools[name] = await schools.add(
                tx,
                code=f"s{len(self.schools)}",
                name=name,
                municipality=municipality,
                kind="",
                aliases=[],
                hours="",
                now=AGO,
            )

    async def has(self, *names: str, channel: str = "telegram", seen: datetime = AGO) -> None:
        """So many people who were heard of last at that moment."""
        async with self.database.transaction() as tx:
            for name in names:
                met = await people.meet(tx, channel, name, name=name, now=seen)
                self.people[name] = met.id

    async def child(self, parent: str, school: str = "", *, age: Any = None) -> None:
        """The parent names a child."""
        async with self.database.transaction() as tx:
            label = f"ребёнок {school} {age}"
            child = await family.add_child(tx, self.people[parent], label=label, now=AGO)
            await family.set_age_group(tx, self.people[parent], child.id, age)
            if school:
                number = self.schools[school]
                await family.set_school(tx, self.people[parent], child.id, school, school_id=number)

    async def joins(self, one: str, other: str) -> None:
        """Both are places of one family."""
        async with self.database.transaction() as tx:
            assert await family.join(tx, self.people[one], self.people[other], now=AGO)

    async def works(self, name: str, *, school: str = "", municipality: str | None = None) -> None:
        """They join the staff."""
        role = "school" if school else "municipal" if municipality else "ministry"
        number = self.schools[school] if school else None
        invitation = Invitation(0, role, number, municipality, AGO, NOW, None, None)
        async with self.database.transaction() as tx:
            await staff.join(tx, self.people[name], invitation=invitation, name=name, now=AGO)

    async def retires(self, name: str) -> None:
        async with self.database.transaction() as tx:
            member = await staff.of_person(tx, self.people[name])
            assert member is not None
            await staff.revoke(tx, member.id, now=AGO)

    async def venue(self, name: str, kind: VenueKind, *, school: str = "", municipality: str = "") -> int:
        desk = Desk("school", self.schools[school]) if school else Desk("municipal", None, municipality)
        async with self.database.transaction() as tx:
            made = await venues.add(
                tx,
                kind=kind,
                channel=kind.partition("_")[0],
                chat_id=name,
                title=name,
                desk=desk,
                staff_id=None,
                now=AGO,
            )
        return made.id

    async def says_no(self, name: str, how: str) -> None:
        """Something keeps announcements from this place."""
        number = self.people[name]
        async with self.database.transaction() as tx:
            match how:
                case "mutes":
                    await subscriptions.mute(tx, number, now=AGO)
                case "opts out":
                    await subscriptions.opt_out(tx, number, "reminders", why="asked", now=AGO)
                case "blocks":
                    await people.set_unreachable(tx, "telegram", name, "blocked")
                case "is banned":
                    await tx.execute(
                        text("UPDATE people SET banned_at = seen_at WHERE id = :id"), {"id": number}
                    )
        if how == "works here":
            await self.works(name)

    # ---- announcements

    async def writes(self, wanted: Audience = ANYBODY, *, category: Any = "reminders") -> Campaign:
        async with self.database.transaction() as tx:
            return await book.add(
                tx,
                title="Проверьте вход",
                category=category,
                text="Проверьте вход",
                audience=wanted,
                schedule={},
                author_id=None,
                now=NOW,
            )

    async def launch(self, campaign: Campaign, *, municipality: str = "", now: datetime = NOW) -> Launch:
        """A start of it at that moment; its list is still empty."""
        async with self.database.transaction() as tx:
            await launches.plan(tx, campaign.id, due_at=now, wave=now, municipality=municipality)
            known = await launches.of_campaign(tx, campaign.id)
            (made,) = [each for each in known if (each.municipality, each.wave) == (municipality, now)]
            assert await launches.begin(tx, made.id, body={"category": "reminders"}, now=now)
        return made

    async def fills(
        self,
        campaign: Campaign,
        launch: Launch,
        *,
        served: Collection[str] | None = None,
        zones: Zones | None = None,
        portions: int = 1000,
        now: datetime = NOW,
    ) -> list[Reader]:
        """Put so many portions of two on the list; who is on it then."""
        for _ in range(portions):
            async with self.database.transaction() as tx:
                filling = await launches.find(tx, launch.id)
                if filling is None or filling.state != "filling":
                    break
                filled_to = await audience.fill(
                    tx,
                    filling,
                    campaign.audience,
                    category=campaign.category,
                    zones=zones or Zones("Europe/Moscow"),
                    served=served,
                    now=now,
                    limit=2,
                )
                assert await launches.note_filled(tx, launch.id, filled_to, now=now)
        async with self.database.reading() as tx:
            return await readers.listed(tx, [launch.id], states=("queued", "sent"), limit=1000)

    async def told(
        self,
        wanted: Audience = ANYBODY,
        *,
        category: Any = "reminders",
        served: Collection[str] | None = None,
        now: datetime = NOW,
    ) -> list[str]:
        """Who is on the list of an announcement; it is counted and shown before."""
        campaign = await self.writes(wanted, category=category)
        async with self.database.reading() as tx:
            count = await audience.count(tx, wanted, category=category, served=served, now=now)
            some = await audience.sample(tx, wanted, category=category, limit=1000, served=served, now=now)
        listed = names(await self.fills(campaign, await self.launch(campaign), served=served, now=now))
        assert sorted(each.chat_id for each in some) == listed, "what is shown is the list"
        assert count == len(listed), "what is counted is the list"
        return listed

    async def hears(self, launch: Launch, *, at: datetime) -> None:
        """Everybody on the list is told at that moment."""
        async with self.database.transaction() as tx:
            await launches.touch(tx, launch.id, now=at)
            rules = {launch.id: readers.Rules(("Europe/Moscow",), 100, at)}
            batch = await readers.claim(tx, "telegram", rules=rules, limit=1000, now=at)
            assert batch is not None
            await readers.mark_sent(tx, [(each.id, "1") for each in batch.readers], now=at)


@pytest.fixture
def town(database: Database) -> Town:
    """On both databases."""
    return Town(database)


@pytest.fixture
async def three(town: Town) -> Town:
    """Anna, Boris and Vera have children at two schools of one municipality and at one of another."""
    await town.has_school("Лицей", "Майкоп")
    await town.has_school("Гимназия", "Майкоп")
    await town.has_school("Школа", "Адыгейск")
    await town.has("Анна", "Борис", "Вера")
    await town.child("Анна", "Лицей", age="under14")
    await town.child("Борис", "Гимназия", age="from14")
    await town.child("Вера", "Школа", age="from14")
    return town


def names(those: Sequence[Reader]) -> list[str]:
    return sorted(each.chat_id for each in those)


# ---- where and which children


async def test_only_the_channels_that_were_chosen(town: Town) -> None:
    await town.has("Анна")
    await town.has("Борис", channel="vk")
    await town.has("Вера", channel="web")
    assert await town.told(Audience(channels=("vk",))) == ["Борис"]
    assert await town.told(Audience(channels=("vk", "web"))) == ["Борис", "Вера"]
    assert await town.told() == ["Анна", "Борис"], "who asked in a web page may never come back to it"


async def test_nobody_is_listed_on_a_messenger_that_is_switched_off(town: Town) -> None:
    await town.has("Анна", "Борис")
    await town.has("Анна в VK", "Вера", channel="vk", seen=NOW)
    await town.joins("Анна", "Анна в VK")
    assert await town.told() == ["Анна в VK", "Борис", "Вера"]
    assert await town.told(served=("telegram", "web")) == ["Анна", "Борис"]
    assert await town.told(Audience(channels=("vk",)), served=("telegram", "web")) == []


async def test_only_the_municipality_the_school_and_the_age(three: Town) -> None:
    lyceum, gymnasium = three.schools["Лицей"], three.schools["Гимназия"]
    await three.has("Галина")
    assert await three.told() == ["Анна", "Борис", "Вера", "Галина"]
    assert await three.told(Audience(municipalities=("Майкоп",))) == ["Анна", "Борис"]
    assert await three.told(Audience(school_ids=(gymnasium,))) == ["Борис"]
    assert await three.told(Audience(school_ids=(lyceum, gymnasium))) == ["Анна", "Борис"]
    assert await three.told(Audience(age_groups=("from14",))) == ["Борис", "Вера"]
    assert await three.told(Audience(municipalities=("Майкоп",), age_groups=("from14",))) == ["Борис"]


async def test_school_and_age_are_those_of_the_same_child(three: Town) -> None:
    await three.child("Вера", "Лицей", age="under14")
    young_at_school = Audience(school_ids=(three.schools["Школа"],), age_groups=("under14",))
    assert await three.told(young_at_school) == []
    young_at_lyceum = Audience(school_ids=(three.schools["Лицей"],), age_groups=("under14",))
    assert await three.told(young_at_lyceum) == ["Анна", "Вера"]


# ---- what they have said


async def test_only_the_stages_that_were_chosen(town: Town) -> None:
    await town.has("Анна", "Борис", "Вера")
    async with town.database.transaction() as tx:
        await stages.set_stage(tx, town.people["Анна"], "no_account", now=AGO)
        await stages.set_stage(tx, town.people["Борис"], "inside", now=AGO)
    assert await town.told(Audience(stages=("no_account",))) == ["Анна"]
    assert await town.told(Audience(stages=("no_account", "unknown"))) == ["Анна", "Вера"]
    assert await town.told(Audience(stages=("unknown",))) == ["Вера"]


async def test_what_one_of_the_family_said_holds_for_the_family(town: Town) -> None:
    await town.has("Анна", seen=AGO)
    await town.has("Анна в VK", channel="vk", seen=NOW)
    await town.has("Борис")
    async with town.database.transaction() as tx:
        await asked.note(tx, town.people["Анна"], ["login-basics"], now=AGO)
    await town.joins("Анна", "Анна в VK")
    async with town.database.transaction() as tx:
        await stages.set_stage(tx, town.people["Анна"], "no_account", now=AGO)
    assert await town.told(Audience(topics=("login-basics",))) == ["Анна в VK"]
    assert await town.told(Audience(stages=("no_account",))) == ["Анна в VK"]
    assert await town.told(Audience(stages=("unknown",))) == ["Борис"]


async def test_only_who_asked_about_the_topic_and_not_too_long_ago(town: Town) -> None:
    await town.has("Анна", "Борис", "Вера")
    async with town.database.transaction() as tx:
        await asked.note(tx, town.people["Анна"], ["login-basics"], now=AGO)
        await asked.note(tx, town.people["Борис"], ["login-basics", "child-account"], now=NOW)
        await asked.note(tx, town.people["Вера"], ["child-account"], now=NOW)
    assert await town.told(Audience(topics=("login-basics",))) == ["Анна", "Борис"]
    since = NOW - timedelta(days=1)
    assert await town.told(Audience(topics=("login-basics",), asked_since=since)) == ["Борис"]


@pytest.mark.parametrize("how", ["mutes", "opts out", "blocks", "is banned"])
async def test_who_may_not_be_told_is_not_listed(town: Town, how: str) -> None:
    await town.has("Анна", "Борис")
    await town.says_no("Анна", how)
    assert await town.told() == ["Борис"]
    still = ["Анна", "Борис"] if how == "opts out" else ["Борис"]
    assert await town.told(category="important") == still


# ---- who was told lately


async def test_who_was_told_lately_is_spared(town: Town) -> None:
    await town.has("Анна")
    campaign = await town.writes()
    earlier = await town.launch(campaign)
    await town.fills(campaign, earlier)
    await town.hears(earlier, at=NOW - timedelta(days=3))
    await town.has("Борис")
    assert await town.told(Audience(not_told_days=3)) == ["Анна", "Борис"]
    assert await town.told(Audience(not_told_days=4)) == ["Борис"]


async def test_who_names_a_child_or_joins_was_still_told_lately(town: Town) -> None:
    """The family has another number than the parent had: the usual list would forget what was sent."""
    await town.has("Анна", "Борис", "Вера")
    campaign = await town.writes()
    earlier = await town.launch(campaign)
    await town.fills(campaign, earlier)
    await town.hears(earlier, at=NOW - timedelta(days=3))
    await town.child("Анна")
    await town.has("Борис в VK", channel="vk", seen=NOW)
    await town.joins("Борис", "Борис в VK")
    await town.has("Вера в VK", "Галина", channel="vk", seen=NOW)
    assert await town.told(Audience(not_told_days=4)) == ["Вера в VK", "Галина"]
    assert await town.told() == ["Анна", "Борис в VK", "Вера", "Вера в VK", "Галина"]


async def test_who_leaves_the_family_was_still_told_lately(town: Town) -> None:
    await town.has("Анна", seen=NOW)
    await town.has("Анна в VK", channel="vk")
    await town.joins("Анна", "Анна в VK")
    campaign = await town.writes()
    earlier = await town.launch(campaign)
    await town.fills(campaign, earlier)
    await town.hears(earlier, at=NOW - timedelta(days=3))
    async with town.database.transaction() as tx:
        assert await family.leave(tx, town.people["Анна"])
    assert await town.told(Audience(not_told_days=4)) == []
    assert await town.told() == ["Анна", "Анна в VK"]


async def test_who_names_a_child_while_the_list_is_made_is_on_it_once(town: Town) -> None:
    await town.has("Анна", "Борис", "Вера", "Галина")
    campaign = await town.writes()
    launch = await town.launch(campaign)
    first = names(await town.fills(campaign, launch, portions=1))
    assert first == ["Анна", "Борис"]
    await town.child("Анна")
    await town.joins("Борис", "Галина")
    assert names(await town.fills(campaign, launch)) == ["Анна", "Борис", "Вера"]


# ---- joined places


async def test_a_family_is_told_once_where_it_was_heard_of_last(town: Town) -> None:
    await town.has("Анна", seen=NOW)
    await town.has("Анна в VK", channel="vk", seen=AGO)
    assert await town.told() == ["Анна", "Анна в VK"]
    await town.joins("Анна", "Анна в VK")
    assert await town.told() == ["Анна"]
    await town.has("Анна в VK", channel="vk", seen=NOW + timedelta(minutes=1))
    assert await town.told() == ["Анна в VK"]
    assert await town.told(Audience(channels=("telegram",))) == ["Анна"]


async def test_a_family_that_chose_a_place_is_told_there(town: Town) -> None:
    await town.has("Анна", seen=NOW)
    await town.has("Анна в VK", channel="vk", seen=AGO)
    await town.joins("Анна", "Анна в VK")
    async with town.database.transaction() as tx:
        await family.set_primary(tx, town.people["Анна в VK"])
    assert await town.told() == ["Анна в VK"]


@pytest.mark.parametrize("how", ["mutes", "opts out"])
async def test_stop_said_where_a_family_is_told_is_not_got_round_by_its_other_account(
    town: Town, how: str
) -> None:
    await town.has("Анна", seen=NOW)
    await town.has("Анна в VK", channel="vk", seen=AGO)
    await town.joins("Анна", "Анна в VK")
    await town.says_no("Анна", how)
    assert await town.told() == []


@pytest.mark.parametrize("how", ["blocks", "is banned", "works here"])
@pytest.mark.parametrize("is_chosen", [False, True], ids=["last used", "chosen"])
async def test_a_place_that_may_not_be_told_keeps_nothing_from_the_family(
    town: Town, how: str, is_chosen: bool
) -> None:
    """One of them joins the staff, or blocks the bot: the others are still parents who want to know."""
    await town.has("Анна", seen=NOW)
    await town.has("Анна в VK", channel="vk", seen=AGO)
    await town.joins("Анна", "Анна в VK")
    if is_chosen:
        async with town.database.transaction() as tx:
            await family.set_primary(tx, town.people["Анна"])
    await town.says_no("Анна", how)
    assert await town.told() == ["Анна в VK"]


async def test_a_family_whose_place_moves_while_the_list_is_made_is_told_all_the_same(town: Town) -> None:
    """The first place was looked at while the last one was better, the last one after the first was used."""
    await town.has("Анна", "Борис", seen=AGO)
    await town.has("Анна в VK", "Вера", channel="vk", seen=NOW)
    await town.joins("Анна", "Анна в VK")
    campaign = await town.writes()
    launch = await town.launch(campaign)
    assert names(await town.fills(campaign, launch, portions=1)) == ["Борис"]
    await town.has("Анна", seen=NOW + timedelta(hours=3))
    assert names(await town.fills(campaign, launch)) == ["Анна", "Борис", "Вера"]


# ---- staff and venues


async def test_staff_are_no_parents_and_parents_no_staff(three: Town) -> None:
    await three.has("Мария", "Пётр", "Ольга", "Зоя")
    await three.works("Мария", school="Лицей")
    await three.works("Пётр", municipality="Адыгейск")
    await three.works("Ольга")
    await three.works("Зоя")
    await three.retires("Зоя")
    assert await three.told() == ["Анна", "Борис", "Вера", "Зоя"]
    assert await three.told(STAFF) == ["Мария", "Ольга", "Пётр"]
    at_lyceum = Audience(who="staff", school_ids=(three.schools["Лицей"],))
    assert await three.told(at_lyceum) == ["Мария"]
    assert await three.told(Audience(who="staff", municipalities=("Майкоп",))) == ["Мария"]
    assert await three.told(Audience(who="staff", municipalities=("Адыгейск",))) == ["Пётр"]
    await three.says_no("Мария", "mutes")
    assert await three.told(STAFF) == ["Ольга", "Пётр"]


async def test_venues_by_channel_school_and_municipality_but_no_lost_ones(three: Town) -> None:
    await three.venue("Канал лицея", "telegram_channel", school="Лицей")
    await three.venue("Беседа школы", "vk_chat", school="Школа")
    await three.venue("Стена Майкопа", "vk_wall", municipality="Майкоп")
    lost = await three.venue("Группа", "telegram_group", school="Лицей")
    async with three.database.transaction() as tx:
        await venues.set_lost(tx, lost, reason="kicked", now=AGO)
    assert await three.told(VENUES) == ["Беседа школы", "Канал лицея", "Стена Майкопа"]
    assert await three.told(Audience(who="venues", channels=("telegram",))) == ["Канал лицея"]
    assert await three.told(VENUES, served=("telegram",)) == ["Канал лицея"]
    at_lyceum = Audience(who="venues", school_ids=(three.schools["Лицей"],))
    assert await three.told(at_lyceum) == ["Канал лицея"]
    in_maikop = Audience(who="venues", municipalities=("Майкоп",))
    assert await three.told(in_maikop) == ["Канал лицея", "Стена Майкопа"]


# ---- from municipality to municipality


async def test_the_last_launch_of_a_wave_does_not_tell_those_whose_own_is_held(three: Town) -> None:
    """An overdue, paused or dropped launch is not made good by the one for those who belong to none."""
    await three.has("Галина", "Мария", "Пётр")
    await three.child("Галина")
    await three.works("Мария", school="Лицей")
    await three.works("Пётр", municipality="Адыгейск")
    await three.venue("Канал лицея", "telegram_channel", school="Лицей")
    await three.venue("Беседа школы", "vk_chat", school="Школа")
    expected = {ANYBODY: ["Вера", "Галина"], STAFF: ["Пётр"], VENUES: ["Беседа школы"]}
    for wanted, last in expected.items():
        campaign = await three.writes(wanted)
        held = await three.launch(campaign, municipality="Майкоп")
        everybody_else = await three.launch(campaign)
        assert names(await three.fills(campaign, everybody_else)) == last, wanted.who
        async with three.database.transaction() as tx:
            assert await launches.stop(tx, held.id, now=NOW)
        again = await three.launch(campaign, now=NOW + timedelta(days=1))
        listed = names(await three.fills(campaign, again))
        assert set(last) < set(listed), "of another wave it is no matter"


async def test_children_of_another_age_do_not_make_a_family_belong_to_a_held_launch(three: Town) -> None:
    await three.child("Анна", "Школа", age="from14")
    campaign = await three.writes(Audience(age_groups=("from14",)))
    await three.launch(campaign, municipality="Майкоп")
    assert names(await three.fills(campaign, await three.launch(campaign))) == ["Анна", "Вера"]


async def test_when_a_municipality_was_told_the_last_launch_tells_who_came_later(three: Town) -> None:
    campaign = await three.writes()
    own = await three.launch(campaign, municipality="Майкоп")
    assert names(await three.fills(campaign, own)) == ["Анна", "Борис"]
    await three.hears(own, at=NOW)
    async with three.database.transaction() as tx:
        assert await launches.finish(tx, own.id, now=NOW)
    await three.has("Галина")
    await three.child("Галина", "Лицей")
    # They have another number now; they were told all the same.
    await three.has("Борис в VK", channel="vk", seen=NOW)
    await three.joins("Борис", "Борис в VK")
    assert names(await three.fills(campaign, await three.launch(campaign))) == ["Вера", "Галина"]


# ---- whose hours


async def test_everybody_has_the_hours_of_their_municipality(three: Town) -> None:
    await three.has("Галина", "Мария", "Ольга", "Пётр")
    await three.works("Мария", school="Лицей")
    await three.works("Ольга", school="Школа")
    await three.works("Пётр", municipality="Адыгейск")
    await three.venue("Беседа школы", "vk_chat", school="Школа")
    zones = Zones("Europe/Moscow", {"Адыгейск": "Asia/Yakutsk"})
    found: dict[str, str] = {}
    for wanted in (ANYBODY, STAFF, VENUES):
        campaign = await three.writes(wanted)
        listed = await three.fills(campaign, await three.launch(campaign), zones=zones)
        found |= {each.chat_id: each.zone for each in listed}
    there = {"Вера", "Ольга", "Пётр", "Беседа школы"}
    assert {name for name, zone in found.items() if zone == "Asia/Yakutsk"} == there
    assert {zone for name, zone in found.items() if name not in there} == {"Europe/Moscow"}
