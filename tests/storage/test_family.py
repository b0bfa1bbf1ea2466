"""What is remembered of families, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from storage import family, people
from storage.database import Database
from storage.people import Person

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


async def meet(database: Database, channel: str, chat_id: str) -> Person:
    async with database.transaction() as tx:
        return await people.meet(tx, channel, chat_id, name="Анна", now=NOW)


async def test_children_are_kept_changed_and_forgotten(database: Database) -> None:
    anna = await meet(database, "telegram", "1")
    async with database.transaction() as tx:
        assert await family.children_of(tx, anna.id) == []
        assert await family.last_spoken_of(tx, anna.id) is None
        elder = await family.add_child(tx, anna.id, label="старшая", now=NOW)
        younger = await family.add_child(tx, anna.id, label="младший", now=NOW)
        assert await family.last_spoken_of(tx, anna.id) == younger
        await family.speak_of(tx, anna.id, elder.id, now=LATER)
        await family.set_age_group(tx, anna.id, elder.id, "from14")
        changed = await family.set_school(tx, anna.id, elder.id, "школа 5, Майкоп")
        assert changed is not None
        assert await family.last_spoken_of(tx, anna.id) == changed
        assert (changed.age_group, changed.school) == ("from14", "школа 5, Майкоп")
        renamed = await family.rename(tx, anna.id, elder.id, label="дочь")
        assert renamed is not None
        assert [each.label for each in await family.children_of(tx, anna.id)] == ["дочь", "младший"]
        assert await family.forget_child(tx, anna.id, elder.id)
        assert not await family.forget_child(tx, anna.id, elder.id)
        assert await family.children_of(tx, anna.id) == [younger]


async def test_nobody_reaches_the_children_of_another_family(database: Database) -> None:
    anna, olga = await meet(database, "telegram", "1"), await meet(database, "vk", "2")
    async with database.transaction() as tx:
        child = await family.add_child(tx, anna.id, label="старшая", now=NOW)
        assert await family.child(tx, olga.id, child.id) is None
        assert await family.rename(tx, olga.id, child.id, label="чужая") is None
        assert await family.speak_of(tx, olga.id, child.id, now=NOW) is None
        assert not await family.forget_child(tx, olga.id, child.id)
        assert await family.children_of(tx, anna.id) == [child]


async def test_two_places_become_one_family_with_one_list(database: Database) -> None:
    here, there = await meet(database, "vk", "1"), await meet(database, "telegram", "2")
    async with database.transaction() as tx:
        mine = await family.add_child(tx, here.id, label="Старшая", now=NOW)
        await family.set_age_group(tx, here.id, mine.id, "from14")
        await family.add_child(tx, here.id, label="младший", now=NOW)
        theirs = await family.add_child(tx, there.id, label="старшая", now=LATER)
        await family.set_school(tx, there.id, theirs.id, "школа 5")
        assert await family.join(tx, here.id, there.id, now=LATER)
        assert not await family.join(tx, here.id, there.id, now=LATER)
        listed = await family.children_of(tx, here.id)
        assert listed == await family.children_of(tx, there.id)
        assert [(each.label, each.age_group, each.school) for each in listed] == [
            ("младший", None, ""),
            ("старшая", "from14", "школа 5"),
        ]
        assert {each.id for each in await family.places(tx, here.id)} == {here.id, there.id}


async def test_announcements_have_one_place(database: Database) -> None:
    first, second = await meet(database, "telegram", "1"), await meet(database, "vk", "2")
    async with database.transaction() as tx:
        assert await family.primary(tx, first.id) is None
        await family.add_child(tx, first.id, label="сын", now=NOW)
        await family.join(tx, second.id, first.id, now=LATER)
        assert (await family.primary(tx, second.id) or second).id == first.id
        await family.set_primary(tx, second.id)
        assert (await family.primary(tx, first.id) or first).id == second.id
        assert await family.leave(tx, second.id)
        assert (await family.primary(tx, first.id) or second).id == first.id
        assert not await family.leave(tx, first.id)
        assert await family.children_of(tx, second.id) == []
        assert len(await family.children_of(tx, first.id)) == 1


async def test_a_code_is_spent_once_however_many_try(database: Database) -> None:
    owner = await meet(database, "telegram", "1")
    async with database.transaction() as tx:
        assert await family.put_code(tx, owner.id, code_hash="a" * 64, now=NOW, expires_at=LATER)

    async def spend() -> int | None:
        async with database.transaction() as tx:
            return await family.use_code(tx, "a" * 64, now=NOW)

    spent = await asyncio.gather(*(spend() for _ in range(6)))
    assert sorted(each or 0 for each in spent) == [0] * 5 + [owner.id]


async def test_an_old_or_replaced_code_is_none(database: Database) -> None:
    owner = await meet(database, "telegram", "1")
    async with database.transaction() as tx:
        await family.put_code(tx, owner.id, code_hash="a" * 64, now=NOW, expires_at=LATER)
        await family.put_code(tx, owner.id, code_hash="b" * 64, now=NOW, expires_at=LATER)
        assert await family.use_code(tx, "a" * 64, now=NOW) is None
        assert await family.use_code(tx, "b" * 64, now=LATER) is None
        other = await people.meet(tx, "vk", "2", name="", now=NOW)
        await family.put_code(tx, owner.id, code_hash="c" * 64, now=NOW, expires_at=LATER)
        assert not await family.put_code(tx, other.id, code_hash="c" * 64, now=NOW, expires_at=LATER)


async def test_tries_are_counted_by_the_hour(database: Database) -> None:
    async def tries(person: Person, now: datetime) -> bool:
        async with database.transaction() as tx:
            return await family.may_try(tx, person.id, now=now, most=5, within=timedelta(hours=1))

    anna, olga = await meet(database, "telegram", "1"), await meet(database, "vk", "2")
    assert [await tries(anna, NOW) for _ in range(7)] == [True] * 5 + [False] * 2
    assert await tries(olga, NOW)
    assert not await tries(anna, NOW + timedelta(minutes=59))
    assert await tries(anna, NOW + timedelta(hours=1))


async def test_words_are_awaited_until_a_moment(database: Database) -> None:
    anna = await meet(database, "telegram", "1")
    async with database.transaction() as tx:
        await family.await_answer(tx, anna.id, "label:0", until=LATER)
        await family.await_answer(tx, anna.id, "school:3", until=LATER)
        assert await family.awaited_answer(tx, anna.id, now=NOW) == "school:3"
        assert await family.awaited_answer(tx, anna.id, now=LATER) is None
        await family.await_nothing(tx, anna.id)
        assert await family.awaited_answer(tx, anna.id, now=NOW) is None
