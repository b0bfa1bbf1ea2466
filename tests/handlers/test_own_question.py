"""«Мой вопрос»: number, state and place, and nothing that is not certain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from faq.markup import plain
from handlers.texts import basics as texts
from handlers.texts import family as texts_family
from handlers.texts import own_question as said
from storage import schools, tickets
from tests.handlers.desk import Desk, Someone


async def change(desk: Desk, number: int, **values: object) -> None:
    async with desk.database.transaction() as tx:
        assert await tickets.change(tx, number, values) is not None


async def asks(parent: Someone) -> str:
    await parent.says("/mine")
    (told,) = await parent.waits()
    return told


@pytest.mark.parametrize("words", ["мой вопрос", "Где ответ?", "статус", "что с моим вопросом?", "/mine"])
async def test_the_state_is_told_in_every_mode(desk: Desk, words: str) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says(words)
    assert await parent.waits() == [plain(said.NO_QUESTION)]
    number = await desk.opens_question(parent)
    before = len(colleague.heard)
    await parent.says(words)
    (told,) = await parent.waits()
    assert f"Вопрос № {number}, открыт" in told
    # Nothing new for the staff, and the talk with them goes on.
    assert len(colleague.heard) == before
    await parent.says("и ещё одно")
    await parent.waits()
    assert "и ещё одно" in colleague.heard[-1].text
    await parent.presses("bot")
    await parent.says(words)
    (_, told) = await parent.waits()
    assert f"Вопрос № {number}, открыт" in told


async def test_the_button_stands_under_the_question_that_was_passed_on(desk: Desk) -> None:
    parent = await desk.parent()
    await desk.opens_question(parent)
    buttons = [button for row in parent.heard[-1].buttons for button in row]
    assert [each.payload for each in buttons if each.label == said.BUTTON_MINE] == ["mine"]
    await parent.presses("mine")
    assert "Его пока никто не взял." in (await parent.waits())[-1]


async def test_a_question_on_its_way(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    opened = (desk.clock.now() + timedelta(hours=3)).strftime("%H:%M")
    told = await asks(parent)
    assert "Сейчас он у сотрудников министерства." in told
    assert "Его пока никто не взял." in told
    assert opened[:2] in told.splitlines()[0]
    await colleague.presses(f"take:{number}")
    await colleague.waits()
    assert "Сотрудник взял его" in await asks(parent)
    await colleague.presses(f"answer:{number}")
    await colleague.says("Проверьте сейчас")
    await parent.waits()
    await parent.presses("mine")
    (message,) = await parent.waits_for_messages()
    assert "Вам ответили" in message.text
    assert message.buttons[0][0].payload == f"solved:{number}"
    assert "Мария" not in message.text


async def test_a_question_whose_clock_stands(desk: Desk) -> None:
    parent = await desk.parent()
    number = await desk.opens_question(parent)
    now = desk.clock.now()
    late = {"answer_due_at": now - timedelta(hours=1)}
    await change(desk, number, clock_stopped_at=now, clock_stopped_for="asked", **late)
    told = await asks(parent)
    assert "Ждём вашего ответа" in told
    assert "задерживается" not in told
    await change(desk, number, clock_stopped_for="outage")
    assert "общий сбой" in await asks(parent)


async def test_a_late_answer_is_admitted(desk: Desk) -> None:
    parent = await desk.parent()
    number = await desk.opens_question(parent)
    assert "задерживается" not in await asks(parent)
    await change(desk, number, answer_due_at=desk.clock.now() - timedelta(hours=1))
    told = await asks(parent)
    assert "Ответ задерживается" in told
    assert "рабочее время" not in told


async def test_a_question_above_the_school_says_so(desk: Desk) -> None:
    parent = await desk.parent()
    number = await desk.opens_question(parent)
    async with desk.database.transaction() as tx:
        school_id = await schools.add(
            tx, code="a", name="Лицей № 35", municipality="Майкоп", kind="", aliases=(), hours="",
            now=desk.clock.now(),
        )  # fmt: skip
    place = {"school_id": school_id, "school": "Лицей № 35", "municipality": "Майкоп"}
    await change(desk, number, level="school", **place)
    assert "Сейчас он у сотрудников школы «Лицей № 35»." in await asks(parent)
    await change(desk, number, level="municipal")
    told = await asks(parent)
    assert "координатора муниципалитета (Майкоп)" in told
    assert "Это выше школы" in told


async def test_the_question_closed_last_can_be_opened_again_for_a_week(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.presses(f"close:{number}")
    await parent.waits()
    await parent.presses("mine")
    (message,) = await parent.waits_for_messages()
    assert f"Вопрос № {number} закрыт" in plain(message.text)
    assert message.buttons[0][0].payload == f"unsolved:{number}"
    await parent.waits(days=8)
    await parent.presses("mine")
    (message,) = await parent.waits_for_messages()
    assert message.buttons[0][0].payload != f"unsolved:{number}"


async def test_nobody_hears_of_the_question_of_another(desk: Desk) -> None:
    parent, stranger = await desk.parent(), await desk.parent("Чужой")
    await desk.opens_question(parent)
    assert await asks(stranger) == plain(said.NO_QUESTION)


async def test_what_is_said_first_is_still_a_question_for_the_bot(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("мой вопрос про пароль от госуслуг, забыли его")
    (told,) = await parent.waits()
    assert told != plain(said.NO_QUESTION)
    assert texts.NOTICE not in told


async def test_forget_me_is_obeyed_while_the_staff_have_the_question(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await desk.opens_question(parent)
    before = len(colleague.heard)
    await parent.says("забудь меня")
    assert await parent.waits() == [texts_family.ASK_FORGET]
    assert len(colleague.heard) == before, "they could do nothing about it"
