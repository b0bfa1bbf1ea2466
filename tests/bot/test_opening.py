"""What is ready the moment the helpdesk opens."""

from __future__ import annotations

import pytest

from bot.opening import open_database, open_knowledge
from bot.settings import Settings
from storage import schools
from tests.clock import StoppedClock


async def test_the_first_parent_after_a_start_may_name_a_school(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), semantic="off")
    clock = StoppedClock()
    database = await open_database(settings)
    async with database.transaction() as tx:
        await schools.add(
            tx, code="l35", name="Лицей № 35", municipality="Майкоп", kind="лицей", aliases=[], hours="",
            now=clock.now(),
        )  # fmt: skip
    knowledge = await open_knowledge(settings, database, clock=clock)
    assert (await knowledge.find_school("35 лицей")).schools[0].school.name == "Лицей № 35"
    await database.close()
