"""Who wants what, what a block leaves, how far families have come; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from storage import asked, family, forgetting, people, schools, staff, stages, subscriptions
from storage.database import Database, Transaction
from storage.people import Person
from storage.stages import Readiness

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
ALL = {"important", "reminders", "news"}


async def meet(tx: Transaction, chat_id: str = "1", *, channel: str = "telegram") -> Person:
    return await people.meet(tx, channel, chat_id, name="", now=NOW)


async def rows_of(tx: Transaction, table: str) -> int:
    count: int = (await tx.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()  # noqa: S608
    return count


async def test_everybody_wants_everything_until_they_say_otherwise(database: Database) -> None:
    async with database.transaction() as tx:
        person = await meet(tx)
        assert await subscriptions.wanted(tx, person.id) == ALL
        for _ in range(2):
            await subscriptions.opt_out(tx, person.id, "news", why="asked", now=NOW)
        assert await subscriptions.wanted(tx, person.id) == ALL - {"news"}
        await subscriptions.opt_in(tx, person.id, "news", now=NOW)
        assert await subscriptions.wanted(tx, person.id) == ALL
        assert await subscriptions.wanted(tx, person.id + 1) == set()


async def test_one_category_after_a_stop_for_all_is_that_category_alone(database: Database) -> None:
    async with database.transaction() as tx:
        person = await meet(tx)
        await subscriptions.mute(tx, person.id, now=NOW)
        assert await subscriptions.wanted(tx, person.id) == set()
        await subscriptions.opt_in(tx, person.id, "important", now=NOW)
        assert await subscriptions.wanted(tx, person.id) == {"important"}
        await subscriptions.opt_in_to_all(tx, person.id)
        assert await subscriptions.wanted(tx, person.id) == ALL


async def test_a_block_turns_off_what_is_not_important_and_is_told_once(database: Database) -> None:
    async with database.transaction() as tx:
        person = await meet(tx)
        for _ in range(2):
            await subscriptions.note_unreachable(tx, "telegram", "1", "blocked", now=NOW)
        assert (await people.find(tx, person.id) or person).unreachable == "blocked"
    async with database.transaction() as tx:
        back = await meet(tx)
        assert back.unreachable is None
        assert await subscriptions.wanted(tx, back.id) == {"important"}
        assert await subscriptions.take_news_of_block(tx, back.id) == ("reminders", "news")
        assert await subscriptions.take_news_of_block(tx, back.id) == ()
        # They know it: another block is no news.
        await subscriptions.note_unreachable(tx, "telegram", "1", "gone", now=LATER)
        assert await subscriptions.take_news_of_block(tx, back.id) == ()
        assert await subscriptions.undo_block(tx, back.id) == ("reminders", "news")
        assert await subscriptions.undo_block(tx, back.id) == ()
        assert await subscriptions.wanted(tx, back.id) == ALL


async def test_what_the_person_asked_for_is_no_news_after_a_block(database: Database) -> None:
    async with database.transaction() as tx:
        person = await meet(tx)
        await subscriptions.opt_out(tx, person.id, "news", why="asked", now=NOW)
        await subscriptions.note_unreachable(tx, "telegram", "1", "blocked", now=NOW)
        assert await subscriptions.take_news_of_block(tx, person.id) == ("reminders",)
        assert await subscriptions.undo_block(tx, person.id) == ("reminders",)
        assert await subscriptions.wanted(tx, person.id) == ALL - {"news"}


async def test_whoever_said_stop_lost_nothing_by_a_block(database: Database) -> None:
    async with database.transaction() as tx:
        person = await meet(tx)
        await subscriptions.mute(tx, person.id, now=NOW)
        await subscriptions.note_unreachable(tx, "telegram", "1", "blocked", now=NOW)
        assert await subscriptions.take_news_of_block(tx, person.id) == ()
        assert await rows_of(tx, "opt_outs") == 0


async def test_a_block_of_a_stranger_or_of_a_colleague_unsubscribes_nobody(database: Database) -> None:
    async with database.transaction() as tx:
        await subscriptions.note_unreachable(tx, "vk", "77", "not_allowed", now=NOW)
        person = await meet(tx)
        await staff.invite(
            tx, token_hash="t", role="ministry", school_id=None, municipality=None, now=NOW, expires_at=LATER
        )
        (invitation,) = await staff.open_invitations(tx, now=NOW)
        await staff.join(tx, person.id, invitation=invitation, name="Мария", now=NOW)
        await subscriptions.note_unreachable(tx, "telegram", "1", "blocked", now=NOW)
        assert (await people.find(tx, person.id) or person).unreachable == "blocked"
        assert await subscriptions.wanted(tx, person.id) == ALL
        assert await people.at(tx, "vk", "77") is None


async def test_nothing_of_it_outlives_a_forgotten_person(database: Database) -> None:
    async with database.transaction() as tx:
        person = await meet(tx)
        await subscriptions.opt_out(tx, person.id, "news", why="asked", now=NOW)
        await stages.set_stage(tx, person.id, "no_account", now=NOW)
        await asked.note(tx, person.id, ["snils-mismatch"], now=NOW)
        await forgetting.forget(tx, person, now=NOW)
        for table in ("opt_outs", "stages", "asked"):
            assert await rows_of(tx, table) == 0, table


async def test_topics_are_forgotten_with_the_messages_of_their_time(database: Database) -> None:
    async with database.transaction() as tx:
        person = await meet(tx)
        await asked.note(tx, person.id, ["snils-mismatch", "fio-mismatch"], now=NOW)
        await asked.note(tx, person.id, ["fio-mismatch"], now=LATER)
        assert await asked.of_person(tx, person.id) == {"snils-mismatch": NOW, "fio-mismatch": LATER}
        assert (await forgetting.sweep(tx, before=LATER, now=LATER)).asked == 1
        assert await asked.of_person(tx, person.id) == {"fio-mismatch": LATER}
        assert (await forgetting.sweep(tx, before=LATER, now=LATER)).total == 0


async def test_a_stage_is_the_whole_familys(database: Database) -> None:
    async with database.transaction() as tx:
        mother, father, other = await meet(tx), await meet(tx, "2", channel="vk"), await meet(tx, "3")
        await stages.set_stage(tx, mother.id, "no_account", now=NOW)
        assert await stages.of_person(tx, father.id) is None
        await family.join(tx, father.id, mother.id, now=NOW)
        await stages.share(tx, father.id)
        assert await stages.of_person(tx, father.id) == "no_account"
        await stages.set_stage(tx, father.id, "inside", now=LATER)
        assert await stages.of_person(tx, mother.id) == "inside"
        assert await stages.of_person(tx, other.id) is None
        await family.leave(tx, father.id)
        await stages.set_stage(tx, father.id, "no_profile", now=LATER)
        assert await stages.of_person(tx, mother.id) == "inside"


async def test_the_stage_told_last_is_that_of_joined_families(database: Database) -> None:
    async with database.transaction() as tx:
        one, other = await meet(tx), await meet(tx, "2", channel="vk")
        await stages.set_stage(tx, one.id, "inside", now=LATER)
        await stages.set_stage(tx, other.id, "no_account", now=NOW)
        await family.join(tx, other.id, one.id, now=LATER)
        await stages.share(tx, other.id)
        assert [await stages.of_person(tx, each.id) for each in (one, other)] == ["inside", "inside"]


async def add_school(tx: Transaction, name: str, municipality: str) -> int:
    return await schools.add(
        tx, code=name, name=name, municipality=municipality, kind="", aliases=(), hours="", now=NOW
    )


async def add_child(tx: Transaction, person: Person, label: str, school_id: int | None) -> None:
    child = await family.add_child(tx, person.id, label=label, now=NOW)
    await family.set_school(tx, person.id, child.id, label, school_id=school_id)


async def test_families_are_counted_once_a_place(database: Database) -> None:
    async with database.transaction() as tx:
        lyceum, gymnasium = (
            await add_school(tx, "Лицей", "Майкоп"),
            await add_school(tx, "Гимназия", "Майкоп"),
        )
        village = await add_school(tx, "Аул", "Гиагинский район")
        mother, father = await meet(tx), await meet(tx, "2", channel="vk")
        await add_child(tx, mother, "старшая", lyceum)
        await add_child(tx, mother, "младшая", lyceum)
        await add_child(tx, mother, "сын", gymnasium)
        await family.join(tx, father.id, mother.id, now=NOW)
        await stages.set_stage(tx, father.id, "inside", now=NOW)
        second = await meet(tx, "3")
        await add_child(tx, second, "сын", lyceum)
        third = await meet(tx, "4")
        await add_child(tx, third, "сын", village)
        await stages.set_stage(tx, third.id, "no_account", now=NOW)
        without_school = await meet(tx, "5")
        await add_child(tx, without_school, "сын", None)
        await stages.set_stage(tx, without_school.id, "inside", now=NOW)
        assert await stages.by_school(tx) == [
            Readiness("Гиагинский район", village, "Аул", {"no_account": 1}, 1),
            Readiness("Майкоп", gymnasium, "Гимназия", {"inside": 1}, 1),
            Readiness("Майкоп", lyceum, "Лицей", {"inside": 1}, 2),
        ]
        assert await stages.by_municipality(tx) == [
            Readiness("Гиагинский район", None, "", {"no_account": 1}, 1),
            Readiness("Майкоп", None, "", {"inside": 1}, 2),
        ]


def test_a_percentage_never_rounds_somebody_away() -> None:
    place = Readiness("Майкоп", None, "", {"inside": 999, "no_account": 1}, 1000)
    assert (place.percent(999), place.percent(1), place.percent(0), place.percent(1000)) == (99, 1, 0, 100)
    assert (place.inside, place.stuck, place.asked, place.not_asked) == (999, 1, 1000, 0)
    assert Readiness("Майкоп", None, "").percent(0) == 0
