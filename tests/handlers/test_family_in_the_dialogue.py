"""Children, joined channels and forgetting, asked for in plain words."""

from __future__ import annotations

import pytest

from handlers.texts import basics as texts
from handlers.texts import family as texts_family
from storage import people
from tests.handlers.desk import Desk, Someone


async def row_of(desk: Desk, someone: Someone) -> people.Person | None:
    async with desk.database.reading() as tx:
        return await people.at(tx, someone.address.channel, someone.address.chat_id)


async def test_my_children_are_listed_and_named_in_words(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("мои дети")
    assert await parent.waits() == [texts_family.NO_CHILDREN]
    await parent.presses("fam:add")
    await parent.waits()
    await parent.says("старшая")
    await parent.waits()
    await parent.says("/children")
    (listed,) = await parent.waits()
    assert "старшая" in listed


@pytest.mark.parametrize("asked", ["/menu", "/help"])
async def test_my_children_are_found_by_button(desk: Desk, asked: str) -> None:
    parent = await desk.parent()
    await parent.says(asked)
    (menu,) = await parent.waits_for_messages()
    buttons = [button for row in menu.buttons for button in row]
    assert len(buttons) <= 10  # VK shows no more under one message
    assert buttons[-1].label == texts_family.BUTTON_LIST
    await parent.presses(buttons[-1].payload)
    assert await parent.waits() == [texts_family.NO_CHILDREN]


async def test_a_forgotten_parent_who_blocks_the_bot_stays_forgotten(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("forget:yes")
    await parent.waits()
    await desk.takes(parent, reachable=False)
    assert await row_of(desk, parent) is None


async def test_a_question_instead_of_a_label_is_answered(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("fam:add")
    await parent.waits()
    await parent.says("как восстановить пароль от госуслуг?")
    (answer,) = await parent.waits()
    assert "парол" in answer.lower()


async def test_a_code_joins_two_channels(desk: Desk) -> None:
    here, there = await desk.parent(), desk.person("Анна", channel="vk")
    await there.starts()
    await there.waits()
    await here.presses("fam:new:Старшая")
    await here.presses("fam:code")
    shown = await here.waits()
    code = next(
        word.strip(".,:«»") for said in shown for word in said.split() if _is_code(word.strip(".,:«»"))
    )
    await there.says(f"/join {code}")
    await there.waits()
    await there.says("мои дети")
    assert "Старшая" in (await there.waits())[-1]


async def test_forget_me_asks_once_and_leaves_nobody_behind(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("забудь меня")
    assert await parent.waits() == [texts_family.ASK_FORGET]
    await parent.presses("forget:no")
    assert await row_of(desk, parent) is not None
    await parent.presses("forget:yes")
    assert (await parent.waits())[-1].startswith(texts_family.FORGOTTEN[:20])
    assert await row_of(desk, parent) is None
    await parent.says("забыла пароль от госуслуг, что делать?")
    assert texts.SHORT_GREETING in await parent.waits()


async def test_an_answer_to_somebody_who_was_forgotten_goes_nowhere(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.waits()
    await parent.presses("forget:yes")
    await parent.waits()
    await colleague.presses(f"answer:{number}")
    await colleague.says("Связь добавили")
    heard = await colleague.waits()
    assert any("забыт" in said or said == texts.too_late(number) for said in heard)
    assert await parent.waits() == []


def _is_code(word: str) -> bool:
    return len(word) == 6 and word.isascii() and word.isupper()


@pytest.mark.parametrize("words", ["человек", "оператора", "позовите человека"])
async def test_a_human_is_called_also_where_a_code_is_awaited(desk: Desk, words: str) -> None:
    parent = await desk.parent()
    await parent.presses("fam:type")
    assert await parent.waits() == [texts_family.ASK_CODE]
    await parent.says(words)
    assert await parent.waits() == [texts.ASK_SCHOOL]


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("fam:leave", texts_family.NOT_JOINED),
        ("fam:leaveyes", texts_family.NOT_JOINED),
        ("fam:here", texts_family.PRIMARY_HERE),
        ("forget:no", texts_family.KEPT),
    ],
)
async def test_a_sentence_that_asks_nothing_offers_a_way_on(desk: Desk, payload: str, told: str) -> None:
    parent = await desk.parent()
    await parent.presses(payload)
    (message,) = await parent.waits_for_messages()
    assert message.text == told
    assert message.buttons


async def test_joining_offers_a_way_on_whatever_comes_of_it(desk: Desk) -> None:
    here, there = await desk.parent(), desk.person("Анна", channel="vk")
    for again in (False, True):
        await here.presses("fam:code")
        code = next(word for word in (await here.waits())[-1].split() if _is_code(word.strip(".")))
        await here.says(f"/join {code.strip('.')}")
        (own,) = await here.waits_for_messages()
        assert (own.text, bool(own.buttons)) == (texts_family.OWN_CODE, True)
        await there.says(f"/join {code.strip('.')}")
        (told,) = await there.waits_for_messages()
        assert (told.text == texts_family.ALREADY_JOINED) is again
        assert told.buttons
