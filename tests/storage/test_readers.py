"""Who may be told is asked at the moment of telling, and whoever is taken is on record before the request."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from handlers.campaigns import telling
from handlers.knowledge import Knowledge
from storage import family, people, subscriptions
from storage.campaigns import launches, readers, venues
from storage.campaigns.campaign import Audience, Launch, Progress, Reader, VenueKind
from storage.campaigns.readers import Batch, Rules
from storage.database import Database
from storage.ticket import Desk
from tests.campaigns import begin, progress_of, settle, write

NOON = datetime(2026, 8, 24, 9, 0, tzinfo=UTC)
"""Noon in Moscow, 11 o'clock in Kaliningrad."""
MOSCOW, KALININGRAD = "Europe/Moscow", "Europe/Kaliningrad"
ANNA, BORIS, VERA = 1, 2, 3
FRESH = 4
"""Another place of one of them."""


async def launched(
    database: Database, *, channel: str = "telegram", now: datetime = NOON, category: str = "reminders"
) -> Launch:
    """An announcement whose list is made: Anna, Boris and Vera are on it."""
    async with database.reading() as tx:
        are_known = await people.at(tx, channel, str(ANNA)) is not None
    if not are_known:
        await settle(database, channel, (ANNA, BORIS, VERA), now=now)
    return await begin(database, await write(database, now=now, category=category), now=now)


def rules(now: datetime, *, zones: Collection[str] = (MOSCOW,), a_week: int = 2) -> Rules:
    return Rules(zones, a_week, now - timedelta(minutes=50))


async def claimed(
    database: Database,
    launch: Launch,
    *,
    now: datetime = NOON,
    limit: int = 100,
    rule: Rules | None = None,
    channel: str = "telegram",
    is_looked_after: bool = True,
) -> Batch | None:
    """Whom the engine takes now, while the alarm clock looks after the launch."""
    async with database.transaction() as tx:
        if is_looked_after:
            await launches.touch(tx, launch.id, now=now)
        return await readers.claim(tx, channel, rules={launch.id: rule or rules(now)}, limit=limit, now=now)


async def told(database: Database, launch: Launch, *, now: datetime = NOON) -> list[int]:
    """Tell whoever may be told now; who that was."""
    batch = await claimed(database, launch, now=now)
    if batch is None:
        return []
    async with database.transaction() as tx:
        await readers.mark_sent(tx, [(reader.id, "1") for reader in batch.readers], now=now)
    return numbers(batch.readers)


def numbers(those: Collection[Reader]) -> list[int]:
    return sorted(int(reader.chat_id) for reader in those)


def all_but(batch: Batch) -> list[int]:
    """The others of the three."""
    return sorted({ANNA, BORIS, VERA} - set(numbers(batch.readers)))


async def reasons(database: Database, launch: Launch) -> dict[str, int]:
    progress: Progress = await progress_of(database, launch)
    return dict(progress.reasons)


# ---- what they want


async def test_who_says_stop_after_the_list_was_made_is_left_alone(database: Database) -> None:
    launch = await launched(database)
    async with database.transaction() as tx:
        anna = await people.at(tx, "telegram", str(ANNA))
        assert anna is not None
        await subscriptions.mute(tx, anna.id, now=NOON)
    assert await told(database, launch) == [BORIS, VERA]
    assert await reasons(database, launch) == {"opted_out": 1}


async def test_who_wants_no_news_still_gets_what_is_important(database: Database) -> None:
    news = await launched(database, category="news")
    important = await launched(database, category="important")
    async with database.transaction() as tx:
        anna = await people.at(tx, "telegram", str(ANNA))
        assert anna is not None
        await subscriptions.opt_out(tx, anna.id, "news", why="asked", now=NOON)
    assert await told(database, news) == [BORIS, VERA]
    assert await told(database, important) == [ANNA, BORIS, VERA]


async def test_who_has_blocked_us_meanwhile_is_not_written_to(database: Database) -> None:
    launch = await launched(database)
    async with database.transaction() as tx:
        await subscriptions.note_unreachable(tx, "telegram", str(BORIS), "blocked", now=NOON)
    assert await told(database, launch) == [ANNA, VERA]


# ---- how many a week


async def test_of_three_announcements_in_a_week_two_are_told(database: Database) -> None:
    days = [NOON + timedelta(days=day) for day in (0, 3, 6)]
    first, second, third = [await launched(database, now=day) for day in days]
    assert await told(database, first, now=days[0]) == [ANNA, BORIS, VERA]
    assert await told(database, second, now=days[1]) == [ANNA, BORIS, VERA]
    assert await told(database, third, now=days[2]) == []
    assert await reasons(database, third) == {"cap": 3}


async def test_a_week_later_there_is_room_again(database: Database) -> None:
    days = [NOON + timedelta(days=day) for day in (0, 1, 8)]
    for day in days:
        assert await told(database, await launched(database, now=day), now=day) == [ANNA, BORIS, VERA]


async def test_two_campaigns_at_the_same_time_share_the_week(database: Database) -> None:
    """Counting when the list is made would let all three through."""
    all_three = [await launched(database) for _ in range(3)]
    assert [len(await told(database, each)) for each in all_three] == [3, 3, 0]


async def test_who_names_a_child_or_joins_still_has_no_room_this_week(database: Database) -> None:
    """The family has another number than the parent had: the usual bot would begin to count anew."""
    for day in (0, 1):
        now = NOON + timedelta(days=day)
        assert await told(database, await launched(database, now=now), now=now) == [ANNA, BORIS, VERA]
    third = NOON + timedelta(days=2)
    async with database.transaction() as tx:
        anna, boris = [await people.at(tx, "telegram", str(each)) for each in (ANNA, BORIS)]
        assert anna is not None
        assert boris is not None
        await family.add_child(tx, anna.id, label="дочь", now=third)
        fresh = await people.meet(tx, "telegram", str(FRESH), name="Борис", now=third)
        await family.join(tx, boris.id, fresh.id, now=third)
    launch = await launched(database, now=third)
    assert await told(database, launch, now=third) == []
    assert await reasons(database, launch) == {"cap": 3}
    async with database.reading() as tx:
        found = await readers.find(tx, launch.id, fresh.id)
    assert found is not None, "it was the new place that would have been told"


async def test_each_announcement_counts_once_for_a_family(database: Database) -> None:
    """Found under the same number and by the same person at once, it is still one of two."""
    await launched(database)
    async with database.transaction() as tx:
        anna = await people.at(tx, "telegram", str(ANNA))
        assert anna is not None
        await family.add_child(tx, anna.id, label="дочь", now=NOON)
        fresh = await people.meet(tx, "telegram", str(FRESH), name="Анна", now=NOON - timedelta(days=1))
        await family.join(tx, anna.id, fresh.id, now=NOON)
    counts = [ANNA in await told(database, await launched(database)) for _ in range(3)]
    assert counts == [True, True, False]


async def test_what_did_not_arrive_does_not_count(database: Database) -> None:
    lost = [await launched(database) for _ in range(2)]
    for launch in lost:
        batch = await claimed(database, launch)
        assert batch is not None
        async with database.transaction() as tx:
            for reader in batch.readers:
                await readers.give_up(tx, reader.id, state="failed", reason="rejected")
    assert await told(database, await launched(database)) == [ANNA, BORIS, VERA]


# ---- at what hours


async def test_each_zone_has_its_own_morning(database: Database) -> None:
    launch = await launched(database)
    async with database.transaction() as tx:
        await tx.execute(
            text("UPDATE readers SET zone = :zone WHERE chat_id = :chat"),
            {"zone": KALININGRAD, "chat": str(VERA)},
        )

    async def taken_at(hour: int, minute: int) -> list[int]:
        now = NOON.replace(hour=hour, minute=minute)
        rule = telling.rules(
            {"window": {"opens": 9 * 60, "closes": 20 * 60}},
            (MOSCOW, KALININGRAD),
            a_week=2,
            doubt_since=now,
            now=now,
        )
        if rule is None:
            return []
        batch = await claimed(database, launch, now=now, rule=rule)
        return numbers(batch.readers) if batch else []

    assert await taken_at(5, 59) == [], "8:59 in Moscow"
    assert await taken_at(6, 0) == [ANNA, BORIS], "9:00 in Moscow, 8:00 in Kaliningrad"
    assert await taken_at(18, 30) == [], "21:30 and 20:30: it is evening for both"
    assert (await progress_of(database, launch)).of("queued") == 1, "she waits, and is not refused"
    assert await taken_at(17, 30) == [VERA], "20:30 in Moscow, 19:30 in Kaliningrad"


# ---- once


async def test_nobody_is_taken_twice(database: Database) -> None:
    launch = await launched(database)
    one, other = await claimed(database, launch, limit=2), await claimed(database, launch, limit=2)
    assert one is not None
    assert other is not None
    assert numbers(one.readers + other.readers) == [ANNA, BORIS, VERA]
    assert await claimed(database, launch) is None


async def test_who_was_taken_by_a_dead_process_is_neither_skipped_nor_told_again(
    database: Database,
) -> None:
    """A bot that moves its place in the list before it sends would skip her, one that does after repeats."""
    launch = await launched(database)
    batch = await claimed(database, launch, limit=1)
    assert batch is not None
    async with database.transaction() as tx:
        assert await readers.recover(tx, "telegram", safe_since=None) == (0, 1)
    assert await told(database, launch) == all_but(batch)
    assert await reasons(database, launch) == {"interrupted": 1}


async def test_where_repeats_are_dropped_they_are_told_again_within_the_hour(database: Database) -> None:
    launch = await launched(database, channel="vk")
    soon, late = NOON + timedelta(minutes=40), NOON + timedelta(minutes=70)
    first = await claimed(database, launch, limit=1, channel="vk")
    assert first is not None
    async with database.transaction() as tx:
        assert await readers.recover(tx, "vk", safe_since=soon - timedelta(minutes=50)) == (1, 0)
    # The next process dies, too; the first request is what counts.
    batch = await claimed(database, launch, now=soon, limit=1, channel="vk")
    assert batch is not None
    assert numbers(batch.readers) == numbers(first.readers)
    async with database.transaction() as tx:
        assert await readers.recover(tx, "vk", safe_since=late - timedelta(minutes=50)) == (0, 1)
    batch = await claimed(database, launch, now=late, channel="vk")
    assert batch is not None
    assert numbers(batch.readers) == all_but(first)


# ---- whoever stops it


async def test_after_a_pause_and_after_the_brake_nobody_is_taken(database: Database) -> None:
    launch = await launched(database)
    await claimed(database, launch, limit=1)
    async with database.transaction() as tx:
        await launches.pause(tx, launch.id, reason="people", now=NOON)
    assert await claimed(database, launch, limit=1) is None
    async with database.transaction() as tx:
        await launches.resume(tx, launch.id, now=NOON)
        await launches.pull_brake(tx, by_id=None, now=NOON)
    assert await claimed(database, launch, limit=1) is None
    async with database.transaction() as tx:
        assert not await launches.resume(tx, launch.id, now=NOON)
        await launches.release_brake(tx)
    assert await claimed(database, launch, limit=1) is None, "nothing goes on by itself"


async def test_after_a_sleep_of_hours_nobody_is_told_before_the_launch_was_looked_at(
    database: Database,
) -> None:
    launch = await launched(database)
    later = NOON + timedelta(hours=2)
    assert await claimed(database, launch, now=later, is_looked_after=False) is None
    assert await told(database, launch, now=later) == [ANNA, BORIS, VERA]


async def test_an_answer_5xx_is_no_refusal(database: Database) -> None:
    launch = await launched(database)
    batch = await claimed(database, launch, limit=1)
    assert batch is not None
    async with database.transaction() as tx:
        later = NOON + timedelta(seconds=30)
        await readers.put_back(tx, [batch.readers[0].id], not_before=later, detail="502")
    assert await told(database, launch) == all_but(batch)
    assert await told(database, launch, now=later) == numbers(batch.readers)
    assert await reasons(database, launch) == {}


# ---- places where a crowd reads


async def posted(database: Database, places: Mapping[VenueKind, Sequence[str]]) -> Launch:
    """A post whose list is made, for these places."""
    async with database.transaction() as tx:
        for kind, chats in places.items():
            for chat_id in chats:
                await venues.add(
                    tx,
                    kind=kind,
                    channel=kind.partition("_")[0],
                    chat_id=chat_id,
                    title=chat_id,
                    desk=Desk("ministry"),
                    staff_id=None,
                    now=NOON,
                )
    campaign = await write(database, now=NOON, readers_of=Audience(who="venues"))
    return await begin(database, campaign, now=NOON)


@pytest.mark.parametrize("is_first", [True, False])
async def test_the_wall_shares_no_request_with_chats(database: Database, *, is_first: bool) -> None:
    """Split as a post, a long announcement was too long for the chats: VK refused it to all of them."""
    chats: dict[VenueKind, list[str]] = {"vk_chat": ["2000000001", "2000000002"]}
    wall: dict[VenueKind, list[str]] = {"vk_wall": ["wall"]}
    launch = await posted(database, {**wall, **chats} if is_first else {**chats, **wall})
    batches = [await claimed(database, launch, channel="vk") for _ in range(3)]
    taken = [sorted(each.chat_id for each in batch.readers) for batch in batches if batch is not None]
    assert taken == ([["wall"], chats["vk_chat"]] if is_first else [chats["vk_chat"], ["wall"]])


async def test_a_group_that_moved_is_told_where_it_is_now(database: Database, knowledge: Knowledge) -> None:
    launch = await posted(database, {"telegram_group": ["-100"]})
    batch = await claimed(database, launch)
    assert batch is not None
    await moves(database, batch.readers[0], "-200", knowledge)
    again = await claimed(database, launch)
    assert again is not None
    assert numbers(again.readers) == [-200]


async def test_a_group_that_moved_to_where_it_is_known_breaks_nothing(
    database: Database, knowledge: Knowledge
) -> None:
    """Both rows would have had one address: the database refused, and nothing went out any more."""
    launch = await posted(database, {"telegram_group": ["-100", "-200"]})
    batch = await claimed(database, launch, limit=1)
    assert batch is not None
    await moves(database, batch.readers[0], "-200", knowledge)
    assert await reasons(database, launch) == {"gone": 1}
    assert await told(database, launch) == [-200]


async def moves(database: Database, reader: Reader, chat_id: str, knowledge: Knowledge) -> None:
    """The messenger says so in its answer."""
    async with database.transaction() as tx:
        await readers.put_back(tx, [reader.id], not_before=NOON)
        await telling.note_moved(tx, reader, chat_id, knowledge, now=NOON)


# ---- the database breaks


async def test_who_was_taken_by_a_claim_whose_answer_was_lost_is_taken_again(database: Database) -> None:
    launch = await launched(database)
    lost = await claimed(database, launch, limit=1)
    later = NOON + timedelta(seconds=2)
    flying = await claimed(database, launch, limit=1, now=later)
    assert lost is not None
    assert flying is not None
    (reader,) = lost.readers
    for claimed_at, sparing in ((later, [flying.readers[0].id]), (NOON, [reader.id])):
        async with database.transaction() as tx:
            await readers.take_back(tx, "telegram", claimed=[claimed_at], sparing=sparing)
        assert (await progress_of(database, launch)).of("sending") == 2, "whoever is being told is left alone"
    async with database.transaction() as tx:
        await readers.take_back(tx, "telegram", claimed=[NOON], sparing=[])
    again = await claimed(database, launch, limit=1, now=later)
    assert again is not None
    assert [(each.id, each.attempts) for each in again.readers] == [(reader.id, 1)]
