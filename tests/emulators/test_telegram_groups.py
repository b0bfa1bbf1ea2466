"""Groups in the Telegram emulator: who hears what, topics that come and go, groups that move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramRetryAfter,
)
from aiogram.types import BufferedInputFile, InputMediaPhoto, ReplyParameters

from tests.emulators.telegram import TINY_JPEG, Group, Person, TelegramServer
from tests.emulators.test_telegram_emulator import FastClock, call, connected, inline, take

OTHER_TALK = ["между собой", "/cases@other_bot", "diary_help_bot"]


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer(clock=FastClock(), limits=False, longest_poll=0.2) as running:
        yield running
        assert running.violations == []


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    async with connected(server) as ours:
        yield ours


@pytest.fixture
def olga(server: TelegramServer) -> Person:
    return server.person(first_name="Ольга")


@pytest.fixture
def petr(server: TelegramServer) -> Person:
    return server.person(first_name="Пётр")


@pytest.fixture
async def lyceum(server: TelegramServer, bot: Bot, olga: Person, petr: Person) -> Group:
    """A group with the bot; its coming is heard already."""
    lyceum = server.group("Лицей", members=[olga, petr])
    await lyceum.adds_bot(olga)
    await take(bot)
    return lyceum


@pytest.fixture
async def forum(server: TelegramServer, olga: Person, petr: Person) -> Group:
    """A supergroup with topics where the bot is an administrator."""
    forum = server.group("Лицей", members=[olga, petr], forum=True)
    await forum.adds_bot(olga, as_administrator=True)
    await take_raw(server)
    return forum


async def take_raw(server: TelegramServer) -> list[Any]:
    """Poll once and confirm, without a library that knows other rights than the server tells of."""
    _, answer = await call(server, "getUpdates")
    updates = answer["result"]
    if updates:
        await call(server, "getUpdates", offset=updates[-1]["update_id"] + 1)
    return list(updates)


async def texts(bot: Bot) -> list[str | None]:
    """What the bot was told of, in words."""
    updates = await take(bot)
    return [(update.message or update.edited_message).text for update in updates]


# ---- who hears what


async def test_privacy_leaves_the_bot_what_is_for_it(lyceum: Group, bot: Bot, olga: Person) -> None:
    ours = await bot.send_message(lyceum.id, "Заявка")
    said = [await olga.says(text, chat=lyceum) for text in OTHER_TALK]
    await olga.says("ответ коллеге", chat=lyceum, reply_to=said[0])
    await olga.edits(said[0], "совсем между собой", chat=lyceum)
    await olga.sends_photo(chat=lyceum)
    assert await take(bot) == []
    await olga.says("/cases", chat=lyceum)
    await olga.says("/cases@diary_help_bot", chat=lyceum)
    await olga.says("эй, @diary_help_bot", chat=lyceum)
    answer = await olga.says("сделано", chat=lyceum, reply_to=ours.message_id)
    await olga.edits(answer, "всё сделано", chat=lyceum)
    await lyceum.is_renamed("Лицей № 35", by=olga)
    heard = ["/cases", "/cases@diary_help_bot", "эй, @diary_help_bot", "сделано", "всё сделано", None]
    assert await texts(bot) == heard


async def test_an_administrator_hears_everything(
    server: TelegramServer, lyceum: Group, bot: Bot, olga: Person
) -> None:
    await lyceum.promotes_bot(olga)
    (update,) = await take_raw(server)
    change = update["my_chat_member"]
    assert change["old_chat_member"]["status"] == "member"
    assert change["new_chat_member"]["status"] == "administrator"
    assert change["new_chat_member"]["can_manage_topics"] is True
    for text in OTHER_TALK:
        await olga.says(text, chat=lyceum)
    assert await texts(bot) == OTHER_TALK
    await lyceum.demotes_bot(olga)
    await take_raw(server)
    await olga.says("между собой", chat=lyceum)
    assert await take(bot) == []


async def test_a_bot_that_is_gone_hears_nothing(lyceum: Group, bot: Bot, olga: Person) -> None:
    await lyceum.kicks_bot(olga)
    kicked, farewell = await take(bot)
    assert kicked.my_chat_member.new_chat_member.status == "kicked"
    assert farewell.message.left_chat_member.id == kicked.my_chat_member.new_chat_member.user.id
    await olga.says("/cases", chat=lyceum)
    assert await take(bot) == []
    for refused in (bot.send_message(lyceum.id, "Вот"), bot.get_chat(lyceum.id)):
        with pytest.raises(TelegramForbiddenError, match="bot was kicked from the group chat"):
            await refused
    await lyceum.adds_bot(olga)
    await bot.leave_chat(lyceum.id)
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the group chat"):
        await bot.send_message(lyceum.id, "Вот")


async def test_a_stranger_may_add_the_bot(server: TelegramServer, bot: Bot) -> None:
    stranger = server.person(first_name="Кто-то")
    group = server.group("Чужие", members=[stranger])
    await group.adds_bot(stranger)
    added, _ = await take(bot)
    assert (added.my_chat_member.from_user.id, added.my_chat_member.chat.type) == (stranger.id, "group")
    await bot.send_message(group.id, "Здравствуйте")
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await bot.send_message(stranger.id, "Здравствуйте")


async def test_people_come_and_go(
    server: TelegramServer, lyceum: Group, bot: Bot, olga: Person, petr: Person
) -> None:
    vera = server.person(first_name="Вера")
    with pytest.raises(AssertionError, match="is not in the group"):
        await vera.says("/cases", chat=lyceum)
    await lyceum.takes_in(vera, by=olga)
    await vera.says("/cases", chat=lyceum)
    await lyceum.loses(petr)
    came, asked, left = await take(bot)
    assert [member.first_name for member in came.message.new_chat_members] == ["Вера"]
    assert asked.message.from_user.id == vera.id
    assert left.message.left_chat_member.id == petr.id


async def test_an_anonymous_administrator_is_the_group(lyceum: Group, bot: Bot) -> None:
    ours = await bot.send_message(lyceum.id, "Заявка")
    wrote = await lyceum.says_anonymously("сделано", reply_to=ours.message_id)
    (update,) = await take(bot)
    assert update.message.from_user.username == "GroupAnonymousBot"
    assert (update.message.from_user.is_bot, update.message.sender_chat.id) == (True, lyceum.id)
    assert not wrote.from_bot
    await lyceum.says_anonymously("между собой")
    assert await take(bot) == []


async def test_an_album_is_an_answer_as_a_whole(lyceum: Group, bot: Bot, olga: Person) -> None:
    ours = await bot.send_message(lyceum.id, "Заявка")
    await olga.sends_album([TINY_JPEG] * 3, caption="вот", chat=lyceum, reply_to=ours.message_id)
    messages = [update.message for update in await take(bot)]
    assert [message.reply_to_message.message_id for message in messages] == [ours.message_id] * 3
    assert len({message.media_group_id for message in messages}) == 1
    assert len({message.message_id for message in messages}) == 3


async def test_any_member_presses_buttons(
    server: TelegramServer, lyceum: Group, bot: Bot, petr: Person
) -> None:
    await bot.send_message(lyceum.id, "Заявка", reply_markup=inline("Взять"))
    await petr.presses("Взять", chat=lyceum)
    (pressed,) = await take(bot)
    assert pressed.callback_query.from_user.id == petr.id
    assert pressed.callback_query.message.chat.id == lyceum.id
    with pytest.raises(AssertionError, match="is not in the group"):
        await server.person().presses("Взять", chat=lyceum)


async def test_an_administrator_deletes_what_others_wrote(lyceum: Group, bot: Bot, olga: Person) -> None:
    theirs = await olga.says("между собой", chat=lyceum)
    with pytest.raises(TelegramBadRequest, match="message can't be deleted"):
        await bot.delete_message(lyceum.id, theirs.id)
    await lyceum.promotes_bot(olga)
    assert await bot.delete_message(lyceum.id, theirs.id) is True


# ---- topics


async def test_a_topic_is_opened_by_people(forum: Group, bot: Bot, petr: Person) -> None:
    topic = await forum.opens_topic("Дневник", by=petr)
    first = await petr.says("не входит", chat=topic)
    await petr.says("никак", chat=topic, reply_to=first)
    await petr.says("в общем", chat=forum)
    opened, said, answered, general = [update.message for update in await take(bot)]
    assert opened.forum_topic_created.name == "Дневник"
    assert opened.message_id == opened.message_thread_id == topic.id
    assert opened.chat.is_forum is True
    assert (said.message_thread_id, said.is_topic_message) == (topic.id, True)
    # What answers nothing comes as an answer to the message that opened the topic.
    assert said.reply_to_message.message_id == topic.id
    assert said.reply_to_message.forum_topic_created.name == "Дневник"
    assert answered.reply_to_message.message_id == first.id
    assert (general.message_thread_id, general.is_topic_message, general.reply_to_message) == (
        None,
        None,
        None,
    )


async def test_a_thread_outside_of_topics_is_no_topic(
    server: TelegramServer, forum: Group, bot: Bot, olga: Person
) -> None:
    plain = server.group("Учителя", members=[olga], supergroup=True)
    await plain.adds_bot(olga)
    await take(bot)
    for group in (forum, plain):
        ours = await bot.send_message(group.id, "Заявка")
        await olga.says("сделано", chat=group, reply_to=ours.message_id)
        (update,) = await take(bot)
        assert (update.message.message_thread_id, update.message.is_topic_message) == (
            ours.message_id,
            None,
        )
        with pytest.raises(TelegramBadRequest, match="message thread not found"):
            await bot.send_message(group.id, "Вот", message_thread_id=ours.message_id)


async def test_the_bot_opens_a_topic_and_writes_there(forum: Group, bot: Bot, olga: Person) -> None:
    created = await bot.create_forum_topic(forum.id, name="№ 7")
    topic = forum.topic("№ 7")
    assert (created.message_thread_id, created.name) == (topic.id, "№ 7")
    sent = await bot.send_message(
        forum.id, "Заявка", message_thread_id=topic.id, reply_markup=inline("Взять")
    )
    assert (sent.message_thread_id, sent.is_topic_message) == (topic.id, True)
    photo = InputMediaPhoto(media=BufferedInputFile(TINY_JPEG, "1.jpg"))
    await bot.send_media_group(forum.id, [photo, photo], message_thread_id=topic.id)
    quoting = ReplyParameters(message_id=sent.message_id)
    await bot.send_message(forum.id, "Ещё", reply_parameters=quoting)
    assert [message.words for message in topic.messages] == ["", "Заявка", "", "", "Ещё"]
    await forum.hears("Заявка")
    await olga.presses("Взять", chat=topic)
    (pressed,) = await take(bot)
    assert pressed.callback_query.message.message_thread_id == topic.id


async def test_with_privacy_a_topic_of_the_bot_looks_like_answers_to_it(
    server: TelegramServer, forum: Group, bot: Bot, olga: Person
) -> None:
    await bot.create_forum_topic(forum.id, name="№ 7")
    theirs = await forum.opens_topic("Своё", by=olga)
    await forum.demotes_bot(olga)
    await take_raw(server)
    await olga.says("между собой", chat=theirs)
    await olga.says("и здесь", chat=forum.topic("№ 7"))
    assert await texts(bot) == ["и здесь"]


async def test_not_everybody_opens_topics(lyceum: Group, forum: Group, bot: Bot, olga: Person) -> None:
    with pytest.raises(TelegramBadRequest, match="the chat is not a forum"):
        await bot.create_forum_topic(lyceum.id, name="№ 7")
    with pytest.raises(AssertionError, match="the group has no topics"):
        await lyceum.opens_topic("№ 7", by=olga)
    await forum.promotes_bot(olga, manages_topics=False)
    with pytest.raises(TelegramBadRequest, match="not enough rights to create a topic"):
        await bot.create_forum_topic(forum.id, name="№ 7")
    await forum.promotes_bot(olga)
    with pytest.raises(TelegramBadRequest, match="topic name must be non-empty"):
        await bot.create_forum_topic(forum.id, name=" ")
    assert forum.topics == []
    await olga.start()
    with pytest.raises(TelegramBadRequest, match="the chat is not a forum"):
        await bot.create_forum_topic(olga.id, name="№ 7")


async def test_a_closed_topic_takes_messages_of_administrators_alone(
    forum: Group, bot: Bot, olga: Person
) -> None:
    topic = await forum.opens_topic("Дневник", by=olga)
    await take(bot)
    await forum.closes_topic(topic, by=olga)
    (update,) = await take(bot)
    assert update.message.forum_topic_closed is not None
    assert update.message.message_thread_id == topic.id
    await bot.send_message(forum.id, "Вот", message_thread_id=topic.id)
    await forum.demotes_bot(olga)
    with pytest.raises(TelegramBadRequest, match="TOPIC_CLOSED"):
        await bot.send_message(forum.id, "Вот", message_thread_id=topic.id)
    with pytest.raises(AssertionError, match="the topic is closed"):
        await olga.says("ещё", chat=topic)
    await forum.reopens_topic(topic, by=olga)
    await bot.send_message(forum.id, "Вот", message_thread_id=topic.id)


async def test_a_deleted_topic_is_gone_with_its_messages(forum: Group, bot: Bot, olga: Person) -> None:
    topic = await forum.opens_topic("Дневник", by=olga)
    sent = await bot.send_message(forum.id, "Вот", message_thread_id=topic.id)
    await take(bot)
    await forum.deletes_topic(topic)
    assert await take(bot) == [], "bots are not told"
    assert (forum.topics, topic.messages) == ([], [])
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(forum.id, "Вот", message_thread_id=topic.id)
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("Иначе", chat_id=forum.id, message_id=sent.message_id)
    with pytest.raises(AssertionError, match="the topic was deleted"):
        await olga.says("ещё", chat=topic)


async def test_topics_are_switched_on_and_off(server: TelegramServer, bot: Bot, olga: Person) -> None:
    group = server.group("Лицей", members=[olga], supergroup=True)
    await group.adds_bot(olga, as_administrator=True)
    await group.becomes_forum()
    created = await bot.create_forum_topic(group.id, name="№ 7")
    await group.stops_being_forum()
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(group.id, "Вот", message_thread_id=created.message_thread_id)
    await bot.send_message(group.id, "Вот")


# ---- groups that move or go


async def test_an_upgraded_group_starts_anew(lyceum: Group, bot: Bot, olga: Person) -> None:
    ours = await bot.send_message(lyceum.id, "Заявка")
    bigger = await lyceum.becomes_supergroup()
    joined, moved, came = await take(bot)
    assert joined.my_chat_member.chat.id == bigger.id
    assert (moved.message.chat.id, moved.message.migrate_to_chat_id) == (lyceum.id, bigger.id)
    assert (came.message.chat.id, came.message.migrate_from_chat_id) == (bigger.id, lyceum.id)
    photo = BufferedInputFile(TINY_JPEG, "1.jpg")
    refused: list[Any] = [
        bot.send_message(lyceum.id, "Вот"),
        bot.send_photo(lyceum.id, photo),
        bot.delete_message(lyceum.id, ours.message_id),
        bot.edit_message_text("Вот", chat_id=lyceum.id, message_id=ours.message_id),
        bot.create_forum_topic(lyceum.id, name="№ 7"),
        bot.get_chat(lyceum.id),
    ]
    for deed in refused:
        with pytest.raises(TelegramMigrateToChat) as caught:
            await deed
        assert caught.value.migrate_to_chat_id == bigger.id
    with pytest.raises(AssertionError, match="is a supergroup now"):
        await olga.says("/cases", chat=lyceum)
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("Вот", chat_id=bigger.id, message_id=ours.message_id)
    quoting = ReplyParameters(message_id=ours.message_id)
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(bigger.id, "Вот", reply_parameters=quoting)
    assert (await bot.send_message(bigger.id, "Вот")).message_id < ours.message_id


async def test_supergroups_count_their_messages_themselves(
    server: TelegramServer, forum: Group, bot: Bot, olga: Person
) -> None:
    other = server.group("Школа 2", members=[olga], supergroup=True)
    await other.adds_bot(olga)
    first, second = [await bot.send_message(group.id, "Вот") for group in (forum, other)]
    assert first.message_id == second.message_id, "the same number in two groups is two messages"


async def test_a_deleted_group_is_gone(lyceum: Group, forum: Group, bot: Bot, olga: Person) -> None:
    await lyceum.is_deleted()
    await forum.is_deleted()
    assert await take(bot) == []
    with pytest.raises(TelegramForbiddenError, match="the group chat was deleted"):
        await bot.send_message(lyceum.id, "Вот")
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(forum.id, "Вот")
    with pytest.raises(AssertionError, match="no such group"):
        await olga.says("/cases", chat=lyceum)


async def test_topics_share_the_limit_of_their_group() -> None:
    clock = FastClock()
    async with TelegramServer(clock=clock) as server, connected(server) as bot:
        olga = server.person()
        forum = server.group("Лицей", members=[olga], forum=True)
        await forum.adds_bot(olga, as_administrator=True)
        topics = [await bot.create_forum_topic(forum.id, name=name) for name in ("№ 7", "№ 8")]
        for _ in range(10):
            for topic in topics:
                await clock.sleep(0.1)
                await bot.send_message(forum.id, "Вот", message_thread_id=topic.message_thread_id)
        with pytest.raises(TelegramRetryAfter):
            await bot.send_message(forum.id, "Вот", message_thread_id=topics[0].message_thread_id)
