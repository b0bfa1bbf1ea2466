"""The index in use is swapped as a whole, and only for a better one of the same base."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from faq.content.loading import packaged_base
from faq.content.region import load_region
from faq.content.topic import Base
from faq.matching.matcher import Matcher
from handlers.knowledge import Knowledge, base_from
from storage import knowledge as stored
from storage.database import Database
from tests.clock import StoppedClock

TOPICS = ("login-code-not-coming", "password-recovery")


class Plain:
    """Stands in for an index: knows only its base."""

    def __init__(self, base: Base) -> None:
        self.base = base


def plain(base: Base) -> Matcher:
    return cast("Matcher", Plain(base))


@pytest.fixture
def base() -> Base:
    packaged = packaged_base()
    return base_from({slug: packaged.topics[slug].to_plain() for slug in TOPICS})


@pytest.fixture
async def database(sqlite_template: Path, tmp_path: Path, base: Base) -> AsyncIterator[Database]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    async with database.transaction() as tx:
        bodies = {slug: topic.to_plain() for slug, topic in base.topics.items()}
        await stored.seed(tx, bodies, now=StoppedClock().now())
    yield database
    await database.close()


async def test_a_better_index_takes_the_place_of_the_first(base: Base) -> None:
    better = plain(base)
    knowledge = Knowledge(
        base,
        load_region("adygea"),
        build=plain,
        improve=lambda matcher: None if matcher is better else better,
    )
    assert not await knowledge.improve()  # there is no index yet

    first = knowledge.build_index()
    assert knowledge.build_index() is first is not better
    assert await knowledge.improve()
    assert knowledge.build_index() is better
    assert not await knowledge.improve()


async def test_without_a_way_to_improve_nothing_happens(base: Base) -> None:
    knowledge = Knowledge(base, load_region("adygea"), build=plain)
    knowledge.build_index()
    assert not await knowledge.improve()


async def test_an_index_of_a_base_that_has_changed_meanwhile_is_not_used(
    base: Base, database: Database
) -> None:
    loop = asyncio.get_running_loop()

    def improve(matcher: Matcher) -> Matcher:
        asyncio.run_coroutine_threadsafe(change(), loop).result()
        return plain(matcher.base)

    async def change() -> None:
        topic = replace(base.topics[TOPICS[0]], title="Иначе")
        async with database.transaction() as tx:
            now = await stored.moment_of_change(tx, StoppedClock().now())
            await stored.put(tx, topic.slug, topic.to_plain(), now=now)
        assert await knowledge.refresh(database)

    knowledge = Knowledge(base, load_region("adygea"), build=plain, improve=improve)
    knowledge.build_index()
    assert not await knowledge.improve()
    assert knowledge.base.topics[TOPICS[0]].title == "Иначе"
    assert knowledge.build_index().base == knowledge.base
