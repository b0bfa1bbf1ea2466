"""Parents ask unclearly, about somebody else's matters, or about several things at once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from faq.matching.matcher import Decision
from handlers.knowledge import Knowledge
from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from tests.house import House, said_by_bot
from tests.scripted import (
    CHILD_TOPIC,
    CODE_TOPIC,
    PASSWORD_TOPIC,
    SNILS_TOPIC,
    TEEN_TOPIC,
    WHOSE,
    answer,
    clarify,
    scripted,
    unknown,
)
from tests.ways import other_two_ways, two_ways

pytestmark = pytest.mark.slow

CODE = "8 800 100-70-10"
HELP_BUTTONS = [[texts.BUTTON_HELPED, texts.BUTTON_NOT_HELPED], [texts.BUTTON_HUMAN]]
WHOSE_ACCOUNT = "как завести ребёнку учётную запись?"
MEALS = "во сколько в школе обед?"
CLUBS = "какие есть кружки?"
TWO = "Не приходит код. И ещё забыла пароль!"
THREE = "Не приходит код. Как завести учётку ребёнку? И когда каникулы?"
SCRIPT: Mapping[str, Decision] = {
    WHOSE_ACCOUNT: clarify(CHILD_TOPIC, TEEN_TOPIC, question=WHOSE),
    MEALS: unknown(foreign=True),
    CLUBS: unknown(foreign=True),
    TWO: answer(CODE_TOPIC, "не приходит код", also=(answer(PASSWORD_TOPIC, "забыла пароль"),)),
    THREE: answer(
        CODE_TOPIC,
        "не приходит код",
        also=(
            clarify(CHILD_TOPIC, TEEN_TOPIC, read="как завести учетку ребенку", question=WHOSE),
            unknown("когда каникулы", foreign=True),
        ),
    ),
}


@pytest.fixture
def knowledge(knowledge: Knowledge) -> Knowledge:
    return scripted(knowledge, SCRIPT)


def title(house: House, slug: str) -> str:
    topic = house.app.knowledge.topic(slug)
    assert topic is not None
    return topic.title


async def test_a_question_tells_topics_apart_and_its_button_leads_to_the_answer(house: House) -> None:
    parent = await house.parent()
    await parent.says(WHOSE_ACCOUNT)
    question = await parent.hears(WHOSE.ask)
    labels = [label for row in question.buttons for label in row]
    assert labels == [*WHOSE.options.values(), texts.BUTTON_NONE_OF_THESE]
    await parent.presses(WHOSE.options[TEEN_TOPIC])
    answered = await parent.hears("1. ")
    assert answered.buttons == HELP_BUTTONS
    await parent.presses(texts.BUTTON_HELPED)
    await parent.hears(texts.HELPED)


@two_ways
async def test_none_of_the_options_is_meant(house: House) -> None:
    parent = await house.parent()
    await parent.says(WHOSE_ACCOUNT)
    await parent.hears(WHOSE.ask)
    await parent.presses(texts.BUTTON_NONE_OF_THESE)
    await parent.hears(texts.REPHRASE)
    await parent.says("забыл пароль от госуслуг")
    await parent.hears(CODE)


@two_ways
async def test_a_foreign_matter_is_refused_and_a_human_is_called_only_if_wished(house: House) -> None:
    parent = await house.parent()
    await parent.says(MEALS)
    refused = await parent.hears(texts.FOREIGN)
    assert refused.buttons == [[texts_diagnosis.BUTTON_START], [texts.BUTTON_SECTIONS], [texts.BUTTON_HUMAN]]
    await parent.says(CLUBS)
    await parent.hears(texts.FOREIGN_AGAIN)
    await parent.says(MEALS)
    await parent.hears(texts.FOREIGN_AGAIN)
    assert texts.ASK_SCHOOL not in said_by_bot(parent)
    await parent.presses(texts.BUTTON_HUMAN)
    await parent.hears(texts.ASK_SCHOOL)


@other_two_ways
async def test_a_foreign_matter_between_two_questions_disturbs_nothing(house: House) -> None:
    parent = await house.parent()
    await parent.says(MEALS)
    await parent.hears(texts.FOREIGN)
    await parent.says("забыл пароль от госуслуг")
    await parent.hears(CODE)
    await parent.says(CLUBS)
    await parent.hears(texts.FOREIGN)


async def test_two_questions_in_one_message_are_answered_in_one_go(house: House) -> None:
    parent = await house.parent()
    await parent.says(TWO)
    both = await parent.hears(title(house, CODE_TOPIC))
    assert both.words.index(title(house, CODE_TOPIC)) < both.words.index(title(house, PASSWORD_TOPIC))
    assert both.buttons == HELP_BUTTONS
    await parent.hears_nothing()
    await parent.presses(texts.BUTTON_NOT_HELPED)
    offer = await parent.hears(texts.NOT_HELPED)
    assert offer.buttons[-1] == [texts.BUTTON_HUMAN]


@other_two_ways
async def test_of_three_questions_one_is_answered_one_asked_back_and_one_admitted(house: House) -> None:
    parent = await house.parent()
    await parent.says(THREE)
    answered = await parent.hears(title(house, CODE_TOPIC))
    assert "На вопрос «когда каникулы» ответа у меня нет" in answered.words
    await parent.hears(WHOSE.ask)
    await parent.presses(WHOSE.options[CHILD_TOPIC])
    await parent.hears("1. ")


@two_ways
async def test_all_answers_that_were_shown_stand_on_the_card(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.says(TWO)
    await parent.hears(title(house, PASSWORD_TOPIC))
    await parent.presses(texts.BUTTON_HUMAN)
    await parent.hears(texts.ASK_SCHOOL)
    await parent.says("школа 5, Майкоп")
    card = await colleague.hears("Вопрос №")
    assert title(house, CODE_TOPIC) in card.words
    assert title(house, PASSWORD_TOPIC) in card.words
    assert title(house, SNILS_TOPIC) not in card.words
