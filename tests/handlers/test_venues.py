"""Where announcements may be posted: the staff say it, and whose the places are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import pytest

from faq.markup import plain
from handlers.campaigns import telling
from handlers.campaigns.telling import Refusal
from handlers.knowledge import Knowledge
from handlers.messages import GroupEvent, Outgoing
from handlers.staff import venues as deeds
from handlers.texts import basics
from handlers.texts import groups as group_texts
from handlers.texts import venues as texts
from storage import groups, schools
from storage.campaigns import venues
from storage.campaigns.campaign import Reader, Venue, VenueKind
from storage.database import Database
from storage.ticket import Desk as Whose
from tests.clock import StoppedClock
from tests.handlers.desk import Desk, Someone

CHANNEL = "Новости лицея"


@dataclass
class School:
    """A school and who works there."""

    id: int
    admin: Someone


@pytest.fixture
def desk(database: Database, knowledge: Knowledge) -> Desk:
    """A helpdesk on both databases."""
    return Desk(database, knowledge, StoppedClock())


@pytest.fixture
async def lyceum(desk: Desk) -> School:
    return await a_school(desk, "Лицей № 35", admin="Ольга")


@pytest.fixture
async def gymnasium(desk: Desk) -> School:
    return await a_school(desk, "Гимназия № 22", admin="Пётр")


@pytest.fixture
def news(desk: Desk) -> Someone:
    """A channel of Telegram."""
    return desk.room(CHANNEL)


# ── channels ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_whoever_lets_the_bot_into_a_channel_says_whose_it_is(
    desk: Desk, lyceum: School, news: Someone
) -> None:
    await happens(desk, lyceum.admin, news, "joined")
    (asked,) = await lyceum.admin.waits_for_messages()
    assert plain(asked.text) == f"Бот может публиковать в канале «{CHANNEL}». {texts.CHOOSE}"
    assert labels(asked) == ["Лицей № 35, Майкоп"]
    assert await present(desk) == []
    await lyceum.admin.presses(payloads(asked)[0])
    assert "Лицей № 35" in (await lyceum.admin.waits())[0]
    (venue,) = await present(desk)
    assert (venue.kind, venue.title, venue.chat_id) == ("telegram_channel", CHANNEL, news.address.chat_id)
    assert (venue.school_id, venue.municipality) == (lyceum.id, "Майкоп")
    assert await news.waits() == []


async def test_a_stranger_who_lets_the_bot_in_is_not_asked_but_the_ministry_may_take_it(
    desk: Desk, lyceum: School, news: Someone
) -> None:
    stranger = desk.person("Чужой")
    await happens(desk, stranger, news, "joined")
    assert await stranger.waits() == []
    assert await present(desk) == []
    (unclaimed,) = await met(desk)
    await lyceum.admin.presses(f"venue:{unclaimed.id}:school:{lyceum.id}")
    assert await lyceum.admin.waits() == [basics.CHOICE_GONE]
    owner = await desk.colleague("Вера", role="owner", channel="telegram")
    await owner.says("/venue")
    (shown,) = await owner.waits_for_messages()
    await owner.presses(payload(shown, texts.register(CHANNEL)))
    (asked,) = await owner.waits_for_messages()
    await owner.presses(payload(asked, group_texts.BUTTON_MINISTRY))
    (venue,) = await present(desk)
    assert (venue.school_id, venue.municipality) == (None, "")
    assert await stranger.waits() == []


async def test_a_channel_that_closes_is_lost_and_its_registrar_told(
    desk: Desk, lyceum: School, news: Someone
) -> None:
    await registered(desk, lyceum, news)
    await happens(desk, lyceum.admin, news, "left")
    assert "бота убрали оттуда" in (await lyceum.admin.waits())[0]
    assert await present(desk) == []
    await happens(desk, lyceum.admin, news, "left")
    assert await lyceum.admin.waits() == []
    await happens(desk, desk.person("Директор"), news, "joined")
    assert await lyceum.admin.waits() == [plain(texts.regained(CHANNEL))]
    assert [venue.title for venue in await present(desk)] == [CHANNEL]


async def test_a_channel_that_was_switched_off_stays_off_until_it_is_registered_again(
    desk: Desk, lyceum: School, news: Someone
) -> None:
    venue = await registered(desk, lyceum, news)
    await lyceum.admin.presses(f"venue:{venue.id}:off")
    assert await lyceum.admin.waits() == [texts.RELEASED]
    await lyceum.admin.presses(f"venue:{venue.id}:off")
    assert await lyceum.admin.waits() == [texts.RELEASED_ALREADY]
    await happens(desk, lyceum.admin, news, "left")
    await happens(desk, lyceum.admin, news, "joined")
    assert await present(desk) == []
    (asked,) = await lyceum.admin.waits_for_messages()
    await lyceum.admin.presses(payloads(asked)[0])
    assert len(await present(desk)) == 1


async def test_a_channel_that_was_only_met_is_forgotten(desk: Desk, lyceum: School, news: Someone) -> None:
    await happens(desk, lyceum.admin, news, "joined")
    await happens(desk, lyceum.admin, news, "left")
    assert await met(desk) == []


async def test_a_channel_that_refuses_a_post_is_lost(
    desk: Desk, lyceum: School, news: Someone, knowledge: Knowledge
) -> None:
    venue = await registered(desk, lyceum, news)
    nothing: dict[str, Any] = dict.fromkeys(each.name for each in fields(Reader))
    reader = Reader(**nothing | {"id": 1, "venue_id": venue.id})
    for _ in range(2):
        async with desk.database.transaction() as tx:
            refusal = Refusal(reader, "not_allowed")
            await telling.note_refused(tx, [refusal], knowledge, now=desk.clock.now())
    (told,) = await lyceum.admin.waits()
    assert "боту запретили туда писать" in told
    await lyceum.admin.says("/venue")
    assert "не подключена" in (await lyceum.admin.waits())[0]


# ── whose they are ────────────────────────────────────────────────────────────────────────────────────────


async def test_nobody_gives_or_takes_what_is_of_another_school(
    desk: Desk, lyceum: School, gymnasium: School, news: Someone
) -> None:
    venue = await registered(desk, lyceum, news)
    await lyceum.admin.presses(f"venue:{venue.id}:school:{gymnasium.id}")
    assert await lyceum.admin.waits() == [texts.NOT_YOURS]
    await gymnasium.admin.presses(f"venue:{venue.id}:school:{gymnasium.id}")
    await gymnasium.admin.presses(f"venue:{venue.id}:off")
    await gymnasium.admin.says(f"/venue {venue.id}")
    refused = plain(texts.of_others("Лицей № 35, Майкоп"))
    assert await gymnasium.admin.waits() == [basics.CHOICE_GONE, refused, basics.CHOICE_GONE]
    await gymnasium.admin.presses("venue:wall")
    assert await gymnasium.admin.waits() == [basics.CHOICE_GONE]
    assert [each.school_id for each in await present(desk)] == [lyceum.id]


async def test_each_sees_only_their_own(desk: Desk, lyceum: School, gymnasium: School, news: Someone) -> None:
    await registered(desk, lyceum, news)
    await gymnasium.admin.says("/venue")
    (none_yet,) = await gymnasium.admin.waits()
    assert none_yet.startswith(texts.NONE_YET)
    coordinator = await desk.colleague("Нина", role="municipal", municipality="Майкоп", channel="telegram")
    await coordinator.says("/venue")
    (shown,) = await coordinator.waits()
    assert f"• канал «{CHANNEL}», Лицей № 35, Майкоп" in shown


async def test_an_announcement_finds_the_venues_it_is_for(
    desk: Desk, lyceum: School, gymnasium: School, news: Someone
) -> None:
    await registered(desk, lyceum, news)
    await registered(desk, gymnasium, desk.room("Новости гимназии"))
    async with desk.database.reading() as tx:
        assert len(await venues.of(tx)) == 2
        assert len(await venues.of(tx, municipalities=["Майкоп"], channels=["telegram"])) == 2
        assert [one.school_id for one in await venues.of(tx, school_ids=[lyceum.id])] == [lyceum.id]
        assert await venues.of(tx, channels=["vk"]) == []
        assert await venues.of(tx, municipalities=["Адыгейск"]) == []
        assert await venues.count(tx) == 2
        assert await venues.count(tx, school_ids=[gymnasium.id]) == 1


# ── groups, chats, the wall ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("channel", "kind"), [("telegram", "telegram_group"), ("vk", "vk_chat")])
async def test_a_group_becomes_a_venue_and_no_desk(
    desk: Desk, lyceum: School, channel: str, kind: VenueKind
) -> None:
    room = desk.room("Родители 1А", channel=channel)
    admin = lyceum.admin
    if channel == "vk":
        admin = await desk.colleague("Ольга", role="school", school_id=lyceum.id, channel="vk")
    await happens(desk, admin, room, "joined", title="Родители 1А")
    await room.waits()
    await admin.says("/venue", group=room.address)
    (asked,) = await room.waits_for_messages()
    assert plain(asked.text) == texts.CHOOSE
    await admin.presses(payloads(asked)[0], group=room.address)
    assert "Родители 1А" in (await room.waits())[0]
    (venue,) = await present(desk)
    assert (venue.kind, venue.school_id) == (kind, lyceum.id)
    async with desk.database.reading() as tx:
        group = await groups.at(tx, channel, room.address.chat_id)
    assert group is not None
    assert not group.is_desk
    await admin.says("/venue off", group=room.address)
    assert await room.waits() == [texts.RELEASED]
    assert await present(desk) == []


async def test_a_desk_is_no_venue(desk: Desk, lyceum: School) -> None:
    room = desk.room("Учителя")
    await happens(desk, lyceum.admin, room, "joined")
    await lyceum.admin.presses(f"desk:school:{lyceum.id}", group=room.address)
    assert await present(desk) == []
    assert await met(desk) == []


async def test_a_button_of_one_group_says_nothing_of_another(
    desk: Desk, lyceum: School, news: Someone
) -> None:
    venue = await registered(desk, lyceum, news)
    room = desk.room("Родители 1А")
    await lyceum.admin.presses(f"venue:{venue.id}:school:{lyceum.id}", group=room.address)
    assert await room.waits() == [basics.CHOICE_GONE]


async def test_a_group_that_moves_takes_its_place_along(desk: Desk, lyceum: School) -> None:
    room, new = desk.room("Родители 1А"), desk.room("Родители 1А снова")
    await lyceum.admin.says("/venue", group=room.address)
    (asked,) = await room.waits_for_messages()
    await lyceum.admin.presses(payloads(asked)[0], group=room.address)
    await happens(desk, lyceum.admin, new, "joined")
    await happens(desk, lyceum.admin, room, "moved", new_chat_id=new.address.chat_id)
    await happens(desk, lyceum.admin, room, "moved", new_chat_id=new.address.chat_id)
    (venue,) = await present(desk)
    assert venue.chat_id == new.address.chat_id
    await happens(desk, lyceum.admin, new, "renamed", title="Родители 2А")
    assert [each.title for each in await present(desk)] == ["Родители 2А"]


async def test_the_ministry_takes_the_wall(desk: Desk, lyceum: School) -> None:
    owner = await desk.colleague("Вера", role="owner", channel="vk")
    await owner.says("/venue")
    (shown,) = await owner.waits_for_messages()
    await owner.presses(payload(shown, texts.BUTTON_WALL))
    (asked,) = await owner.waits_for_messages()
    await owner.presses(payload(asked, group_texts.BUTTON_MINISTRY))
    (venue,) = await present(desk)
    assert (venue.kind, venue.channel, venue.chat_id) == ("vk_wall", "vk", "wall")
    await lyceum.admin.presses(f"venue:{venue.id}:off")
    assert len(await present(desk)) == 1
    await owner.waits()
    await owner.says("/venue")
    (shown,) = await owner.waits_for_messages()
    assert labels(shown) == [texts.release(texts.WALL)]


async def test_from_telegram_the_owner_hears_where_the_wall_is_taken(desk: Desk) -> None:
    owner = await desk.colleague("Вера", role="owner", channel="telegram")
    await owner.says("/venue")
    assert texts.WALL_FROM_VK in (await owner.waits())[0]


# ── who does what ─────────────────────────────────────────────────────────────────────────────────────────


async def registered(desk: Desk, school: School, place: Someone) -> Venue:
    """A channel of this school."""
    await happens(desk, school.admin, place, "joined")
    (asked,) = await school.admin.waits_for_messages()
    await school.admin.presses(payloads(asked)[0])
    await school.admin.waits()
    async with desk.database.reading() as tx:
        venue = await venues.at(tx, place.address.channel, place.address.chat_id)
    assert venue is not None
    assert deeds.desk_of(venue) == Whose("school", school.id, "Майкоп")
    return venue


async def happens(desk: Desk, by: Someone, place: Someone, change: Any, **more: Any) -> None:
    """Somebody does something to a channel (or, with a title of its own, to a group)."""
    is_channel = place.name in {CHANNEL, "Новости гимназии"}
    event = GroupEvent(change, **({"title": place.name} | more), is_channel=is_channel)
    await desk.takes(by, group=place.address, group_event=event)


async def present(desk: Desk) -> list[Venue]:
    async with desk.database.reading() as tx:
        return await venues.of(tx)


async def met(desk: Desk) -> list[Venue]:
    async with desk.database.reading() as tx:
        return await venues.met(tx)


def labels(message: Outgoing) -> list[str]:
    return [button.label for row in message.buttons for button in row]


def payloads(message: Outgoing) -> list[str]:
    return [button.payload for row in message.buttons for button in row]


def payload(message: Outgoing, label: str) -> str:
    return next(each.payload for row in message.buttons for each in row if each.label == label)


async def a_school(desk: Desk, name: str, *, admin: str) -> School:
    """A school in the directory, and its only administrator."""
    async with desk.database.transaction() as tx:
        number = await schools.add(
            tx,
            code=f"s{desk.new_number()}",
            name=name,
            municipality="Майкоп",
            kind="",
            aliases=(),
            hours="",
            now=desk.clock.now(),
        )
    member = await desk.colleague(admin, role="school", school_id=number, channel="telegram")
    return School(number, member)
