"""The rules of answering, one by one."""

from __future__ import annotations

from handlers.texts import basics as texts
from handlers.texts import staff as said
from tests.handlers.desk import PHOTO, Desk


async def test_an_answer_to_nobody_in_particular_is_kept_until_its_question_is_chosen(desk: Desk) -> None:
    colleague = await desk.colleague()
    parent, other = await desk.parent(), await desk.parent("Ольга")
    await desk.opens_question(other)
    number = await desk.opens_question(parent)
    await colleague.waits()
    await colleague.says("Связь добавили, войдите заново", attachments=(PHOTO,))
    (asked,) = await colleague.waits_for_messages()
    assert asked.text == texts.WHOSE_ANSWER
    button = next(button for (button,) in asked.buttons if button.label == f"Вопрос № {number}")
    await colleague.presses(button.payload)
    (answer,) = await parent.waits_for_messages()
    assert "Связь добавили" in answer.text
    assert answer.attachments == (PHOTO,)
    assert await other.waits() == []


async def test_a_kept_answer_goes_out_only_once(desk: Desk) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    await desk.opens_question(parent)
    await colleague.waits()
    await colleague.says("Проверьте, пожалуйста")
    (asked,) = await colleague.waits_for_messages()
    ((button,),) = asked.buttons
    await colleague.presses(button.payload)
    await colleague.presses(button.payload)
    assert len(await parent.waits()) == 1
    assert colleague.heard[-1].text == said.NOT_YOUR_DRAFT


async def test_nobody_can_send_a_colleagues_kept_answer(desk: Desk) -> None:
    colleague, stranger = await desk.colleague(), await desk.colleague("Пётр")
    parent = await desk.parent()
    await desk.opens_question(parent)
    await colleague.waits()
    await colleague.says("Проверьте, пожалуйста")
    (asked,) = await colleague.waits_for_messages()
    ((button,),) = asked.buttons
    await stranger.presses(button.payload)
    assert await parent.waits() == []
    assert stranger.heard[-1].text == said.NOT_YOUR_DRAFT


async def test_without_open_questions_words_of_the_staff_get_a_hint(desk: Desk) -> None:
    colleague = await desk.colleague()
    await colleague.says("добрый день")
    assert await colleague.waits() == [texts.STAFF_HELP]


async def test_calling_for_a_human_and_naming_the_school_need_no_long_pause(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("позовите человека")
    assert await parent.waits(seconds=2) == [texts.ASK_SCHOOL]
    await parent.says("школа 5")
    (told,) = await parent.waits(seconds=2)
    assert "Передал вопрос" in told


async def test_a_pressed_label_is_not_a_line_of_the_card(desk: Desk) -> None:
    parent = await desk.parent()
    await desk.takes(parent, text="Позвать человека", button="human")
    await parent.says("школа 5")
    await parent.waits()
    colleague = await desk.colleague()
    await colleague.presses("card:1")
    (card,) = await colleague.waits()
    assert "Родитель: Позвать" not in card


async def test_a_question_that_comes_after_the_call_for_a_human_is_not_taken_for_a_school(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.presses("human")
    await parent.says("у сына пропали оценки за вторую четверть")
    assert await parent.waits() == [texts.ASK_SCHOOL, texts.ASK_SCHOOL_AGAIN]
    await parent.says("гимназия, Яблоновский")
    await parent.waits()
    card = colleague.heard[-1].text
    assert "Школа: гимназия, Яблоновский" in card
    assert "пропали оценки" in card


async def test_whoever_insists_is_not_asked_for_the_school_for_ever(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.says("у сына пропали оценки за вторую четверть")
    await parent.waits()
    await parent.says("я же сказала, пропали оценки сына за четверть")
    (told,) = await parent.waits()
    assert "Передал вопрос" in told
