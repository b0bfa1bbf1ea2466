"""A first try."""

from __future__ import annotations

import pytest

from tests.house import House

pytestmark = pytest.mark.slow


async def test_a_question_is_answered(house: House) -> None:
    parent = await house.parent()
    await parent.says("не приходит код из смс")
    answer = await parent.hears("8 800 100-70-10")
    assert ["Помогло"] in answer.buttons


async def test_a_human_takes_over(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await colleague.hears(f"Вопрос № {number}")
    await colleague.says("Исправили, войдите заново", reply_to=card)
    await parent.hears("Исправили, войдите заново")
    await parent.says("спасибо")
    await colleague.hears("спасибо")
