"""Who wants announcements, and whom we may write to."""

from __future__ import annotations

import pytest

from handlers.texts import basics as texts
from tests.house import House
from tests.ways import other_two_ways, two_ways

pytestmark = pytest.mark.slow

CODE = "8 800 100-70-10"
QUESTION = "забыл пароль от госуслуг"


@two_ways
@pytest.mark.parametrize("word", ["стоп", "Отписаться", "/stop"])
async def test_a_stop_word_ends_announcements_and_not_the_answers(house: House, word: str) -> None:
    parent = await house.parent()
    await parent.says(word)
    await parent.hears(texts.MUTED)
    assert (await house.known(parent)).muted_at is not None
    await parent.says(QUESTION)
    await parent.hears(CODE)


async def test_announcements_may_come_again(house: House) -> None:
    parent = await house.parent()
    await parent.says("стоп")
    await parent.hears(texts.MUTED)
    await parent.says("подписаться")
    await parent.hears(texts.UNMUTED)
    assert (await house.known(parent)).muted_at is None


@other_two_ways
async def test_a_stop_word_is_heard_while_a_human_talks(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await parent.says("отписаться")
    await parent.hears(texts.MUTED)
    await colleague.hears("отписаться")
    assert (await house.known(parent)).muted_at is not None


async def test_a_parent_blocks_and_comes_back(house: House) -> None:
    parent = await house.parent()
    await parent.blocks()
    await house.server(house.home).all_taken()
    assert (await house.known(parent)).unreachable == "blocked"
    await parent.unblocks()
    await house.server(house.home).all_taken()
    assert (await house.known(parent)).unreachable is None
    await parent.hears_nothing()
    await parent.says(QUESTION)
    await parent.hears(CODE)


@two_ways
async def test_a_parent_who_writes_again_is_reachable_again(house: House) -> None:
    parent = await house.parent()
    await parent.blocks()
    await house.server(house.home).all_taken()
    await parent.start()
    await parent.hears(texts.GREETING[:40])
    assert (await house.known(parent)).unreachable is None
