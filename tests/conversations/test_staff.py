"""Colleagues join, leave, and press buttons that are no longer what they were."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.texts import basics as texts
from handlers.texts import staff as said
from storage import people, staff
from tests.house import House
from tests.ways import other_two_ways, two_ways, unhurried

pytestmark = pytest.mark.slow

CODE = "8 800 100-70-10"
QUESTION = "забыл пароль от госуслуг"


async def test_an_invitation_works_once(house: House) -> None:
    link = await house.invite()
    maria = house.person(house.away, "Мария")
    await maria.start(link)
    await maria.hears("вы в команде: оператор министерства")
    petr = house.person(house.away, "Пётр")
    await petr.start(link)
    await petr.hears(texts.INVITATION_WRONG)
    await petr.says(QUESTION)
    await petr.hears(CODE)


@two_ways
async def test_an_invitation_that_is_too_old_is_refused(house: House) -> None:
    late = house.person(house.away, "Мария")
    await late.start(await house.invite(days_ago=8))
    await late.hears(texts.INVITATION_WRONG)


@other_two_ways
async def test_an_invented_invitation_is_refused(house: House) -> None:
    stranger = house.person(house.away, "Чужой")
    await stranger.start("join-AAAAAAAAAAAAAAAAAAAAAAAA")
    await stranger.hears(texts.INVITATION_WRONG)


@two_ways
async def test_open_shows_what_waits(house: House) -> None:
    colleague = await house.colleague()
    await colleague.says("/open")
    await colleague.hears(texts.NO_OPEN_TICKETS)
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await colleague.says("/open")
    await colleague.hears(texts.BUTTON_OPEN_LIST)
    await colleague.presses(texts.BUTTON_SHOW.format(number=number))
    await colleague.hears("всё сломано")


@other_two_ways
async def test_who_leaves_gets_no_more_questions(house: House) -> None:
    colleague = await house.colleague()
    await colleague.says("/leave")
    await colleague.hears(texts.STAFF_LEFT)
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears_nothing()
    await colleague.says(QUESTION)
    await colleague.hears(CODE)


async def test_who_was_revoked_hears_so_and_is_a_parent_like_any_other(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await revoke(house, colleague)
    for label in ("Взять", "Ответить", "Закрыть"):
        await colleague.presses(label)
        await colleague.hears(said.NO_LONGER_STAFF)
    await colleague.says("Всё исправили", reply_to=card)
    await colleague.hears(said.NO_LONGER_STAFF)
    await parent.hears_nothing()
    await colleague.says(QUESTION)
    await colleague.hears(CODE)


@two_ways
async def test_a_message_to_nobody_is_explained(house: House) -> None:
    colleague = await house.colleague()
    await colleague.says("Добрый день, коллеги")
    told = await colleague.hears(texts.STAFF_HELP)
    assert told.buttons == [[texts.BUTTON_OPEN_LIST]]


@other_two_ways
async def test_buttons_of_a_closed_question_say_so(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await colleague.presses("Закрыть")
    await parent.hears(texts.ticket_closed(number))
    await colleague.hears(texts.other_closed(number, "Мария"))
    for button in ("Закрыть", "Ответить"):
        await colleague.presses(button)
        await colleague.hears(texts.too_late(number))
    await colleague.says("Ещё кое-что", reply_to=card)
    await colleague.hears(texts.too_late(number))
    await parent.hears_nothing()


async def test_a_double_press_closes_once(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await colleague.presses("Закрыть")
    await colleague.presses("Закрыть")
    await parent.hears(texts.ticket_closed(number))
    await colleague.hears(texts.too_late(number))
    await parent.hears_nothing()


@two_ways
async def test_old_buttons_of_a_parent_still_make_sense(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.says(QUESTION)
    await parent.hears(CODE)
    number = await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await parent.presses("Помогло")
    await parent.hears(texts.HELPED)
    await parent.presses(texts.BUTTON_SKIP_SCHOOL)
    await parent.hears(texts.CHOICE_GONE)
    await parent.presses(texts.BUTTON_CANCEL)
    await parent.hears(texts.CHOICE_GONE)
    await parent.presses("Позвать человека")
    await parent.hears(texts.ticket_joined_again(number))
    await colleague.hears_nothing()


@unhurried  # what follows within half a minute belongs together
@other_two_ways
async def test_several_messages_in_a_row_are_one_answer(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await colleague.presses("Ответить")
    await colleague.hears("Напишите ответ")
    await colleague.says("Добрый день!")
    await colleague.says("Мы проверили")
    await colleague.says("Всё должно работать")
    for words in ("Добрый день!", "Мы проверили", "Всё должно работать"):
        await parent.hears(words)


@two_ways
async def test_two_colleagues_answer_at_the_same_moment(house: House) -> None:
    maria = await house.colleague("Мария")
    petr = await house.colleague("Пётр", messenger=house.home)
    parent = await house.parent()
    await house.asks_for_human(parent)
    first, second = await maria.hears("Вопрос №"), await petr.hears("Вопрос №")
    await maria.says("Ответ Марии", reply_to=first)
    await petr.says("Ответ Петра", reply_to=second)
    answer = await parent.hears("Ответ ")
    await parent.hears_nothing()
    loser = petr if "Марии" in answer.words else maria
    await loser.hears("уже отвечает")


async def revoke(house: House, colleague: Any) -> None:
    """Take the role away, as the panel and the command line do."""
    async with house.app.database.transaction() as tx:
        person = await people.at(tx, house.away, str(colleague.id))
        member = await staff.of_person(tx, person.id) if person else None
        assert member is not None
        await staff.revoke(tx, member.id, now=house.app.clock.now())
