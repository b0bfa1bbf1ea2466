"""Parents ask, the bot answers from the base."""

from __future__ import annotations

import re
from typing import Any

import pytest

from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from tests.house import House, said_by_bot
from tests.ways import LONG_WHILE, other_two_ways, two_ways, unhurried

pytestmark = pytest.mark.slow

CODE = "8 800 100-70-10"
"""Stands in the answer about codes that do not come."""
QUESTION = "забыл пароль от госуслуг"


async def test_a_question_is_answered_and_it_helped(house: House) -> None:
    parent = await house.parent()
    await parent.says(QUESTION)
    answer = await parent.hears(CODE)
    assert answer.buttons == [["Помогло", "Не помогло"], ["Позвать человека"]]
    await parent.presses("Помогло")
    await parent.hears(texts.HELPED)


async def test_a_newcomer_who_begins_with_a_question_is_greeted_once(house: House) -> None:
    newcomer = house.newcomer()
    await newcomer.says(QUESTION)
    await newcomer.hears(texts.SHORT_GREETING)
    await newcomer.hears(CODE)
    await newcomer.says("где взять снилс")
    await newcomer.hears("СНИЛС")
    assert said_by_bot(newcomer).count(texts.NOTICE) == 1


async def test_a_vague_word_is_asked_about(house: House) -> None:
    parent = await house.parent()
    await parent.says("пароль")
    question = await parent.hears("От чего пароль")
    labels = [label for row in question.buttons for label in row]
    assert labels[-1] == texts.BUTTON_NONE_OF_THESE
    assert 3 <= len(labels) <= 5
    await parent.presses(labels[0])
    answer = await parent.hears("1. ")
    assert ["Помогло", "Не помогло"] in answer.buttons


@two_ways
async def test_the_same_vague_word_again_is_not_asked_about_twice(house: House) -> None:
    parent = await house.parent()
    await parent.says("пароль")
    await parent.hears("От чего пароль")
    await parent.says("ну пароль же")
    await parent.hears(texts.REPHRASE)


async def test_none_of_the_offered_topics_is_meant(house: House) -> None:
    parent = await house.parent()
    await parent.says("снилс")
    await parent.hears("Где трудность со СНИЛС")
    await parent.presses(texts.BUTTON_NONE_OF_THESE)
    await parent.hears(texts.REPHRASE)
    await parent.says("у дочки не совпадает СНИЛС")
    await parent.hears("не совпадут")


async def test_what_nobody_understands_is_rephrased_once_and_then_goes_to_a_human(house: House) -> None:
    parent = await house.parent()
    await parent.says("фываолдж")
    await parent.hears(texts.REPHRASE)
    await parent.says("йцукенгш")
    await parent.hears(texts.NOT_UNDERSTOOD)
    await parent.hears(texts.ASK_SCHOOL)


async def test_the_sections_lead_to_an_answer_and_back(house: House) -> None:
    parent = await house.parent()
    await parent.presses(texts.BUTTON_SECTIONS)
    await parent.hears(texts.CHOOSE_SECTION)
    await parent.presses("Пароль, код, взлом")
    await parent.hears("Пароль, код, взлом")
    topic = house.app.knowledge.topic("login-code-not-coming")
    assert topic is not None
    await parent.presses(topic.button)
    await parent.hears(CODE)
    await parent.presses(texts.BUTTON_BACK)
    await parent.hears(texts.CHOOSE_SECTION)


async def test_what_did_not_help_leads_to_its_neighbours(house: House) -> None:
    parent = await house.parent()
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.presses("Не помогло")
    offer = await parent.hears(texts.NOT_HELPED)
    labels = [label for row in offer.buttons for label in row]
    assert labels[0] == texts_diagnosis.BUTTON_FIND
    assert labels[-1] == texts.BUTTON_HUMAN
    assert len(labels) == 4
    await parent.presses(labels[1])
    answer = await parent.hears("1. ")
    assert ["Помогло", "Не помогло"] in answer.buttons


@other_two_ways
async def test_courtesies_get_a_human_reply(house: House) -> None:
    parent = await house.parent()
    for said, reply in [
        ("здравствуйте!", texts.GREETING_AGAIN),
        ("спасибо большое!", texts.THANKS),
        ("ты бот?", texts.ABOUT_BOT),
        ("до свидания.", texts.BYE),
    ]:
        await parent.says(said)
        await parent.hears(reply)


@two_ways
async def test_a_mere_hello_of_a_newcomer_gets_one_greeting(house: House) -> None:
    newcomer = house.newcomer()
    await newcomer.says("Здравствуйте")
    await newcomer.hears(texts.NOTICE)
    await newcomer.hears_nothing()


@unhurried
async def test_several_quick_messages_are_one_question(house: House) -> None:
    parent = await house.parent()
    await parent.says("Добрый день")
    await parent.says("у меня вопрос")
    await parent.says("забыл пароль")
    await parent.says("от госуслуг")
    await parent.hears(CODE)
    await parent.hears_nothing(LONG_WHILE)


@other_two_ways
@unhurried
async def test_a_question_typed_word_by_word_is_one_question(house: House) -> None:
    parent = await house.parent()
    for word in ("забыл", "пароль", "от госуслуг"):
        await parent.says(word)
    await parent.hears(CODE)
    await parent.hears_nothing(LONG_WHILE)


@two_ways
async def test_a_long_letter_is_read_to_its_end(house: House) -> None:
    parent = await house.parent()
    sigh = "Я уже третий день пытаюсь разобраться, муж на вахте, бабушка болеет. "
    await parent.says(sigh * 15 + "Забыл пароль от госуслуг, что делать?")
    answer = await parent.hears(re.compile(f"{CODE}|{texts.CLARIFY}"))
    assert answer.buttons
    await parent.hears_nothing()


@other_two_ways
@unhurried
async def test_a_letter_longer_than_a_message_is_one_question(house: House) -> None:
    parent = await house.parent()
    await parent.says("Забыл пароль от госуслуг. " * 250)
    await parent.hears(CODE)
    await parent.hears_nothing(LONG_WHILE)


@two_ways
async def test_the_wrong_keyboard_layout_is_understood(house: House) -> None:
    parent = await house.parent()
    await parent.says("pf,sk gfhjkm jn ujceckeu")
    await parent.hears(CODE)


async def test_a_corrected_question_is_answered_anew(house: House) -> None:
    parent = await house.parent()
    message = await parent.says("фываолдж")
    await parent.hears(texts.REPHRASE)
    await parent.edits(message, QUESTION)
    await parent.hears(CODE)


@unhurried
async def test_a_question_corrected_at_once_is_answered_once(house: House) -> None:
    parent = await house.parent()
    message = await parent.says("забыл пороль от гасуслуг")
    await parent.edits(message, QUESTION)
    await parent.hears(CODE)
    await parent.hears_nothing(LONG_WHILE)


@other_two_ways
async def test_a_correction_that_changes_nothing_is_not_answered(house: House) -> None:
    parent = await house.parent()
    message = await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.edits(message, QUESTION)
    await parent.hears_nothing()


@two_ways
async def test_a_message_of_emoji_is_no_question(house: House) -> None:
    parent = await house.parent()
    await parent.says("🤷")
    await parent.hears(texts.HELP)
    await parent.says("👍")
    await parent.hears(texts.THANKS)


@other_two_ways
async def test_a_sticker_is_no_question(house: House) -> None:
    parent = await house.parent()
    await parent.sends_sticker()
    await parent.hears(texts.HELP)


async def test_a_photo_without_words_asks_for_words(house: House) -> None:
    parent = await house.parent()
    await parent.sends_photo()
    await parent.hears(texts.FILE_NEEDS_WORDS)
    await parent.says(QUESTION)
    await parent.hears(CODE)


@two_ways
async def test_a_photo_with_words_is_answered_by_its_words(house: House) -> None:
    parent = await house.parent()
    await parent.sends_photo(caption=QUESTION)
    await parent.hears(CODE)


@other_two_ways
async def test_a_voice_message_asks_for_words(house: House) -> None:
    parent = await house.parent()
    await parent.sends_voice()
    await parent.hears(texts.FILE_NEEDS_WORDS)


async def test_what_cannot_be_read_is_named(house: House) -> None:
    parent = await house.parent()
    await send_poll(house, parent)
    await parent.hears(texts.NO_FILE_KIND.format(kind="опрос"))
    await parent.says(QUESTION)
    await parent.hears(CODE)


@two_ways
async def test_commands_do_what_the_menu_says(house: House) -> None:
    parent = await house.parent()
    await parent.says("/help")
    await parent.hears(texts.HELP)
    await parent.says("/menu")
    await parent.hears(texts.CHOOSE_SECTION)
    await parent.says("/start")
    await parent.hears(texts.GREETING[:40])


@other_two_ways
async def test_a_link_to_a_topic_opens_with_its_answer(house: House) -> None:
    newcomer = house.newcomer()
    await newcomer.start("login-code-not-coming")
    await newcomer.hears(texts.NOTICE)
    await newcomer.hears(CODE)


async def send_poll(house: House, parent: Any) -> None:
    """A poll, which the emulated apps cannot make."""
    if house.home == "telegram":
        sender = {"id": parent.id, "is_bot": False, "first_name": "Анна"}
        chat: dict[str, Any] = {"id": parent.id, "type": "private", "first_name": "Анна"}
        poll: dict[str, Any] = {"id": "1", "question": "Кто за?", "options": []}
        message = {"message_id": 900_001, "date": 0, "from": sender, "chat": chat, "poll": poll}
        house.telegram.inject({"message": message})
        return
    attached = {"type": "poll", "poll": {"id": 1, "question": "Кто за?"}}
    message = {
        "id": 900_001,
        "conversation_message_id": 900_001,
        "date": 0,
        "out": 0,
        "from_id": parent.id,
        "peer_id": parent.id,
        "text": "",
        "attachments": [attached],
    }
    event = {"type": "message_new", "group_id": house.vk.group_id, "event_id": "poll", "v": "5.199"}
    await house.vk.inject({**event, "object": {"message": message, "client_info": {}}})
