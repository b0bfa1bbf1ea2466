"""Children, joined channels and forgetting, asked for in plain words."""

from __future__ import annotations

from handlers import texts, texts_family
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


async def test_a_question_instead_of_a_label_is_answered(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("fam:add")
    await parent.waits()
    await parent.says("не приходит код из смс при входе, что делать?")
    (answer,) = await parent.waits()
    assert "код" in answer.lower()


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
    assert any("забыт" in said or said == texts.TICKET_CLOSED for said in heard)
    assert await parent.waits() == []


def _is_code(word: str) -> bool:
    return len(word) == 6 and word.isascii() and word.isupper()
