"""A group chat of colleagues as a desk: from «/desk» to the last answer, whatever becomes of the group."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.texts import groups as texts
from tests.bot.test_delivery import until
from tests.emulators.telegram import TINY_JPEG, Group
from tests.emulators.vk import GroupChat
from tests.house import House, contents
from tests.ways import other_two_ways, two_ways

pytestmark = pytest.mark.slow

ANSWER = "Исправили, войдите заново"


@two_ways
async def test_a_case_lives_in_a_topic_of_its_own(house: House) -> None:
    maria, group = await a_forum(house)
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await group.hears("всё сломано")
    topic = group.topic(f"№ {number}")
    assert card.thread == topic.id
    await maria.says(ANSWER, chat=topic, reply_to=card)
    await parent.hears(ANSWER)
    await parent.says("всё равно не пускает")
    assert (await group.hears("всё равно не пускает")).thread == topic.id
    await maria.hears_nothing()


@other_two_ways
async def test_a_deleted_topic_is_opened_again(house: House) -> None:
    maria, group = await a_forum(house)
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    await group.hears("всё сломано")
    before = group.topic(f"№ {number}")
    await group.deletes_topic(before)
    await parent.says("всё равно не пускает")
    news = await group.hears("всё равно не пускает")
    assert texts.CONTINUED in news.text
    after = group.topic(f"№ {number}")
    assert after.id != before.id
    assert news.thread == after.id
    await maria.says(ANSWER, chat=after, reply_to=news)
    await parent.hears(ANSWER)


@two_ways
async def test_buttons_in_a_group_answer_in_the_group(house: House) -> None:
    maria, group = await a_forum(house)
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await group.hears("всё сломано")
    await maria.presses(card.button("Ответить"), chat=group)
    asked = await group.hears("ответ")
    assert asked.thread == card.thread
    await maria.says(ANSWER, chat=group.topics[-1], reply_to=asked)
    await parent.hears(ANSWER)
    await maria.hears_nothing()


@other_two_ways
async def test_who_is_no_member_is_heard_by_nobody(house: House) -> None:
    _, group = await a_forum(house)
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await group.hears("всё сломано")
    stranger = house.telegram.person(first_name="Чужой")
    await group.takes_in(stranger, by=stranger)
    await stranger.says("Это я отвечаю", chat=group.topic(f"№ {number}"), reply_to=card)
    await group.hears(texts.STRANGER)
    await stranger.presses(card.button("Закрыть"), chat=group)
    await house.telegram.all_taken()
    await parent.hears_nothing()


@two_ways
async def test_a_group_that_became_a_supergroup_goes_on(house: House) -> None:
    maria, group = await a_group(house)
    upgraded = await group.becomes_supergroup()
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await upgraded.hears("всё сломано")
    await maria.says(ANSWER, chat=upgraded, reply_to=card)
    await parent.hears(ANSWER)
    assert texts.WELCOME[:30] not in upgraded.transcript()


@other_two_ways
async def test_a_kicked_bot_goes_on_with_the_members(house: House) -> None:
    maria, group = await a_forum(house)
    parent = await house.parent()
    await house.asks_for_human(parent)
    await group.hears("всё сломано")
    await group.kicks_bot(maria)
    await maria.hears("вопросы больше не приходят")
    await parent.says("всё равно не пускает")
    news = await maria.hears("всё равно не пускает")
    await maria.says(ANSWER, reply_to=news)
    await parent.hears(ANSWER)


@two_ways
async def test_an_album_of_a_colleague_stays_together(house: House) -> None:
    maria, group = await a_forum(house)
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await group.hears("всё сломано")
    photos = [TINY_JPEG[:-2] + mark + TINY_JPEG[-2:] for mark in (b"1", b"2", b"3")]
    await maria.sends_album(photos, caption=ANSWER, chat=group.topics[-1], reply_to=card)
    await parent.hears(ANSWER)

    async def has_all() -> bool:
        return len(files_from_bot(parent)) == len(photos)

    await until(has_all)
    assert files_from_bot(parent) == photos


@other_two_ways
async def test_a_vk_chat_is_a_desk(house: House) -> None:
    maria, chat = await a_vk_chat(house)
    parent = await house.parent()
    await house.asks_for_human(parent)
    here = chat.member(maria)
    card = await here.hears("всё сломано")
    await here.says(ANSWER, reply_to=card)
    await parent.hears(ANSWER)
    await chat.kicks_bot(by=maria, silently=True)
    await parent.says("всё равно не пускает")
    await maria.hears("вопросы больше не приходят")
    await maria.hears("всё равно не пускает")


@two_ways
async def test_desk_off_returns_the_questions_to_the_members(house: House) -> None:
    maria, group = await a_forum(house)
    await maria.says("/desk off", chat=group)
    await group.hears(texts.OFF)
    parent = await house.parent()
    await house.asks_for_human(parent)
    await maria.hears("всё сломано")


# ── who does what ─────────────────────────────────────────────────────────────────────────────────────────


async def a_forum(house: House) -> tuple[Any, Group]:
    """A supergroup with topics that is the ministry's desk, and somebody who works there."""
    maria = await house.colleague("Мария", messenger="telegram")
    group = house.telegram.group("Поддержка", members=[maria], forum=True)
    await group.adds_bot(maria, as_administrator=True)
    await becomes_desk(maria, group)
    return maria, group


async def a_group(house: House) -> tuple[Any, Group]:
    """The same in a plain group."""
    maria = await house.colleague("Мария", messenger="telegram")
    group = house.telegram.group("Поддержка", members=[maria])
    await group.adds_bot(maria)
    await becomes_desk(maria, group)
    return maria, group


async def becomes_desk(maria: Any, group: Group) -> None:
    await group.hears(texts.WELCOME[:30])
    await maria.says("/desk", chat=group)
    await group.hears("Чьи вопросы")
    await maria.presses(texts.BUTTON_MINISTRY, chat=group)
    await group.hears("Готово")


def files_from_bot(person: Any) -> list[bytes]:
    return [content for message in person.chat if message.from_bot for content in contents(message)]


async def a_vk_chat(house: House) -> tuple[Any, GroupChat]:
    """A chat in VK that is the ministry's desk."""
    maria = await house.colleague("Мария", messenger="vk")
    chat = house.vk.group_chat("Поддержка", maria)
    await chat.invites_bot(by=maria)
    here = chat.member(maria)
    await here.hears(texts.WELCOME[:30])
    # Without the right to read everything the bot hears only what is addressed to it.
    await here.mentions("/desk")
    await here.hears("Чьи вопросы")
    await here.presses(texts.BUTTON_MINISTRY)
    await here.hears("Готово")
    return maria, chat
