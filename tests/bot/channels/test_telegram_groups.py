"""Groups of colleagues on Telegram: what reaches us from there, and what we say there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from structlog.testing import capture_logs

from bot.channels.base import (
    LocalFile,
    Moved,
    Piece,
    Rejected,
    SendError,
    SlowDown,
    TopicGone,
    Unfinished,
    Unreachable,
)
from bot.channels.telegram import TelegramChannel, Webhook
from bot.limits import Pacer
from faq.markup import Span
from handlers.messages import Address, Button, GroupEvent, Incoming, Outgoing
from tests.bot.channels.test_telegram import (
    SECRET,
    TOKEN,
    Desk,
    address,
    deliver,
    file,
    listening,
    said,
    until,
)
from tests.clock import FastClock, StoppedClock
from tests.emulators.telegram import TINY_JPEG, Fault, Group, Person, TelegramServer

# aiohttp's own reader of uploads, on the server's side, calls what aiohttp calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning")


@pytest.fixture
def clock() -> FastClock:
    return FastClock(speed=50)


@pytest.fixture
async def server(clock: FastClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(token=TOKEN, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
def socket_of_ours() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture(params=["polling", "webhook"])
async def channel(
    request: pytest.FixtureRequest, server: TelegramServer, clock: FastClock, socket_of_ours: socket.socket
) -> AsyncIterator[TelegramChannel]:
    """Both ways in which updates come; what is read from them is the same."""
    url = f"http://127.0.0.1:{socket_of_ours.getsockname()[1]}/telegram/webhook"
    webhook = Webhook(url, SECRET) if request.param == "webhook" else None
    channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url, webhook=webhook)
    yield channel
    await channel.close()


@pytest.fixture
async def desk(
    server: TelegramServer, channel: TelegramChannel, socket_of_ours: socket.socket
) -> AsyncIterator[Desk]:
    """The helpdesk, listening already."""
    desk = Desk()
    router = channel.routes(desk.receive)
    if router is None:
        async with listening(channel, desk):
            await server.polled()
            yield desk
    else:
        async with serving(router, socket_of_ours):
            await channel.listen(desk.receive)
            yield desk


@asynccontextmanager
async def serving(router: APIRouter, listener: socket.socket) -> AsyncIterator[None]:
    app = FastAPI()
    app.include_router(router)
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", access_log=False)
    process = uvicorn.Server(config)
    task = asyncio.create_task(process.serve(sockets=[listener]))
    yield
    process.should_exit = True
    await task


@pytest.fixture
async def speaker(server: TelegramServer, clock: FastClock) -> AsyncIterator[TelegramChannel]:
    """A channel that only speaks."""
    channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url)
    yield channel
    await channel.close()


@pytest.fixture
def olga(server: TelegramServer) -> Person:
    return server.person(first_name="Ольга")


@pytest.fixture
def petr(server: TelegramServer) -> Person:
    return server.person(first_name="Пётр")


@pytest.fixture
async def lyceum(server: TelegramServer, olga: Person, petr: Person) -> Group:
    """A school's group with the bot in it, one member among others."""
    lyceum = server.group("Лицей № 35", members=[olga, petr])
    await lyceum.adds_bot(olga)
    return lyceum


@pytest.fixture
async def forum(server: TelegramServer, olga: Person, petr: Person) -> Group:
    """A school's group with topics; the bot is an administrator there."""
    forum = server.group("Лицей № 35", members=[olga, petr], forum=True)
    await forum.adds_bot(olga, as_administrator=True)
    return forum


def place(group: Group) -> Address:
    return Address("telegram", str(group.id))


async def say(channel: TelegramChannel, group: Group, text: str = "Заявка № 7", **fields: Any) -> str:
    return await channel.send(place(group), Piece(spans=(Span(text),), **fields), key="1")


async def heard(desk: Desk) -> Incoming:
    """The next message: what happened to the group before it is passed over."""
    while True:
        incoming = await desk.next()
        if incoming.group_event is None:
            return incoming


async def happened(desk: Desk) -> Incoming:
    """The next thing that happened to the group."""
    incoming = await desk.next()
    assert incoming.group_event is not None
    return incoming


# ---- what happens to the group


async def test_we_are_told_that_we_were_added_and_taken_out(
    desk: Desk, lyceum: Group, olga: Person, petr: Person
) -> None:
    joined = await happened(desk)
    await lyceum.kicks_bot(petr)
    left = await happened(desk)
    await lyceum.adds_bot(olga)
    back = await happened(desk)
    assert joined.group_event == GroupEvent("joined", title="Лицей № 35", has_topics=False)
    assert (joined.sender, joined.name, joined.group) == (address(olga), "Ольга", place(lyceum))
    assert left.group_event == GroupEvent("left", title="Лицей № 35", has_topics=False)
    assert (left.sender, left.reachable) == (address(petr), None)
    assert back.group_event == joined.group_event
    assert len({incoming.event_id for incoming in (joined, left, back)}) == 3


async def test_to_become_an_administrator_is_not_to_join(
    server: TelegramServer, desk: Desk, forum: Group, olga: Person
) -> None:
    joined = await happened(desk)
    await forum.demotes_bot(olga)
    await forum.promotes_bot(olga)
    await olga.says("/cases", chat=forum)
    assert (await desk.next()).text == "/cases"
    await server.all_taken()
    assert joined.group_event == GroupEvent("joined", title="Лицей № 35", has_topics=True)
    assert len(desk.taken) == 2


@pytest.mark.parametrize(("is_member", "change"), [(True, "joined"), (False, None)])
async def test_who_may_not_write_is_there_all_the_same(
    server: TelegramServer, desk: Desk, is_member: bool, change: str | None
) -> None:
    bot = server.bot.as_json()
    server.inject(
        {
            "my_chat_member": {
                "chat": {"id": -1001, "type": "supergroup", "title": "5Б"},
                "from": {"id": 9, "is_bot": False, "first_name": "Ольга"},
                "date": 1,
                "old_chat_member": {"status": "left", "user": bot},
                "new_chat_member": {"status": "restricted", "user": bot, "is_member": is_member},
            }
        }
    )
    await server.all_taken()
    assert [each.group_event and each.group_event.change for each in desk.taken] == [change] * is_member


async def test_a_new_name_of_the_group_is_told(desk: Desk, lyceum: Group, petr: Person) -> None:
    await happened(desk)
    await lyceum.is_renamed("Лицей № 35, дневник", by=petr)
    renamed = await happened(desk)
    assert renamed.group_event == GroupEvent("renamed", title="Лицей № 35, дневник", has_topics=False)
    assert (renamed.group, renamed.sender) == (place(lyceum), address(petr))


async def test_a_group_that_became_a_supergroup_tells_it_once(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, lyceum: Group, olga: Person
) -> None:
    await happened(desk)
    moved_to = await lyceum.becomes_supergroup()
    events = [await happened(desk) for _ in range(2)]
    told = {event.group: event.group_event for event in events}
    assert told[place(lyceum)] == GroupEvent("moved", title="Лицей № 35", new_chat_id=str(moved_to.id))
    # Telegram adds us to the supergroup anew, and never says that we left the group.
    assert told[place(moved_to)] == GroupEvent("joined", title="Лицей № 35", has_topics=False)

    card = await say(channel, moved_to)
    await olga.says("Исправили", chat=moved_to, reply_to=int(card))
    answer = await desk.next()
    assert (answer.group, answer.reply_to) == (place(moved_to), card)
    await server.all_taken()
    assert len(desk.taken) == 4


async def test_a_closed_topic_is_told(
    channel: TelegramChannel, desk: Desk, forum: Group, petr: Person
) -> None:
    await happened(desk)
    thread = await channel.open_topic(place(forum), "№ 7 · Не войти")
    await forum.closes_topic(forum.topic("№ 7 · Не войти"), by=petr)
    closed = await happened(desk)
    assert closed.group_event == GroupEvent("topic_closed", title="Лицей № 35", has_topics=True)
    assert (closed.group, closed.thread, closed.sender) == (place(forum), thread, address(petr))


async def test_the_comings_and_goings_of_others_are_theirs(
    server: TelegramServer, desk: Desk, lyceum: Group, olga: Person, petr: Person
) -> None:
    await happened(desk)
    await lyceum.takes_in(server.person(first_name="Вера"), by=olga)
    await lyceum.loses(petr)
    await server.all_taken()
    assert len(desk.taken) == 1


async def test_what_an_anonymous_administrator_did_to_the_group_counts(
    server: TelegramServer, desk: Desk
) -> None:
    nobody = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    group = {"id": -1001, "type": "supergroup", "title": "Новая"}
    server.inject(said(chat=group, sender_chat=group, new_chat_title="Новая", **{"from": nobody}))
    renamed = await happened(desk)
    assert (renamed.group_event, renamed.sender.chat_id) == (
        GroupEvent("renamed", title="Новая", has_topics=False),
        "1087968824",
    )


# ---- what is meant for us


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("/case 12", "/case 12"),
        ("/case@diary_help_bot 12", "/case 12"),
        ("/CASES@Diary_Help_Bot", "/CASES"),
        ("@diary_help_bot, что с заявкой 7?", "что с заявкой 7?"),
        ("@DIARY_help_bot что с 7?", "что с 7?"),
        ("  @diary_help_bot: что?", "что?"),
        ("Спросим у @diary_help_bot про 7", "Спросим у @diary_help_bot про 7"),
    ],
)
async def test_a_command_and_our_name_are_for_us(
    server: TelegramServer, desk: Desk, typed: str, read: str
) -> None:
    server.inject(said(text=typed, chat={"id": -1001, "type": "supergroup", "title": "5Б"}))
    incoming = await desk.next()
    assert (incoming.text, incoming.group) == (read, Address("telegram", "-1001"))


@pytest.mark.parametrize(
    "typed",
    [
        "привет всем",
        "/case@other_bot 12",
        "/5Б класс",
        "/",
        "а /case 12 уже смотрели?",
        "пишите на school@diary_help_bot_ru",
        "почта help@diary_help_bot",
        "diary_help_bot сломался",
        "@diary_help_bot",
    ],
)
async def test_other_talk_is_not_ours(server: TelegramServer, desk: Desk, typed: str) -> None:
    server.inject(said(text=typed, chat={"id": -1001, "type": "supergroup", "title": "5Б"}))
    await server.all_taken()
    assert desk.taken == []


async def test_what_colleagues_say_to_each_other_goes_no_further(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, forum: Group, olga: Person, petr: Person
) -> None:
    await happened(desk)
    thread = await channel.open_topic(place(forum), "№ 7")
    topic = forum.topic("№ 7")
    await say(channel, forum, thread=thread)
    with capture_logs() as logs:
        word = await olga.says("Иванова опять забыла пароль", chat=topic)
        await petr.says("Да, третий раз", chat=topic, reply_to=word)
        await petr.says("Иванова, 5Б", chat=forum)
        await petr.sends_album([TINY_JPEG] * 2, caption="Иванова", chat=topic)
        await olga.edits(word, "Иванова И. опять забыла пароль", chat=forum)
        await olga.says("/cases", chat=topic)
        assert (await desk.next()).text == "/cases"
        await server.all_taken()
    assert len(desk.taken) == 2
    assert "Иванова" not in str(logs)
    assert {line["reason"] for line in logs if line["event"] == "telegram_update_skipped"} == {"talk"}


async def test_an_answer_to_our_message_says_which_one(
    channel: TelegramChannel, desk: Desk, lyceum: Group, petr: Person
) -> None:
    first, second = await say(channel, lyceum, "Заявка № 7"), await say(channel, lyceum, "Заявка № 8")
    wrote = await petr.says("Исправили, проверьте", chat=lyceum, reply_to=int(second))
    answer = await heard(desk)
    assert answer == Incoming(
        event_id=answer.event_id,
        sender=address(petr),
        name="Пётр",
        text="Исправили, проверьте",
        message_id=str(wrote.id),
        reply_to=second,
        group=place(lyceum),
    )
    await petr.says("@diary_help_bot И эту", chat=lyceum, reply_to=int(first))
    answer = await heard(desk)
    assert (answer.text, answer.reply_to) == ("И эту", first)


async def test_in_a_topic_only_a_real_answer_is_one(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, forum: Group, olga: Person
) -> None:
    thread = await channel.open_topic(place(forum), "№ 7")
    card = await say(channel, forum, thread=thread)
    topic = forum.topic("№ 7")
    await olga.says("сама разберусь", chat=topic)
    await olga.says("Исправили", chat=topic, reply_to=int(card))
    await olga.says("/close", chat=topic)
    answer, command = await heard(desk), await heard(desk)
    assert (answer.text, answer.reply_to, answer.thread) == ("Исправили", card, thread)
    assert (command.text, command.reply_to, command.thread) == ("/close", None, thread)
    await server.all_taken()


async def test_outside_of_topics_there_is_no_thread(
    channel: TelegramChannel, desk: Desk, forum: Group, olga: Person
) -> None:
    card = await say(channel, forum)
    await olga.says("Исправили", chat=forum, reply_to=int(card))
    answer = await heard(desk)
    assert (answer.reply_to, answer.thread) == (card, None)


async def test_an_album_in_an_answer_stays_together(
    channel: TelegramChannel, desk: Desk, lyceum: Group, olga: Person
) -> None:
    card = await say(channel, lyceum)
    await olga.sends_album([TINY_JPEG] * 3, caption="как надо", chat=lyceum, reply_to=int(card))
    answers = [await heard(desk) for _ in range(3)]
    assert [answer.text for answer in answers] == ["как надо", "", ""]
    assert {answer.reply_to for answer in answers} == {card}
    assert len({answer.album for answer in answers} - {None}) == 1
    assert len({answer.attachments[0].ref for answer in answers}) == 3
    assert await channel.fetch(answers[2].attachments[0].ref, limit=1000) == TINY_JPEG


async def test_a_new_wording_of_an_answer_is_marked(
    channel: TelegramChannel, desk: Desk, lyceum: Group, olga: Person
) -> None:
    card = await say(channel, lyceum)
    wrote = await olga.says("Исправлили", chat=lyceum, reply_to=int(card))
    await heard(desk)
    await olga.edits(wrote, "Исправили", chat=lyceum)
    edit = await heard(desk)
    assert (edit.text, edit.edited, edit.message_id) == ("Исправили", True, str(wrote.id))
    assert (edit.reply_to, edit.group) == (card, place(lyceum))


async def test_a_person_is_the_same_alone_and_among_colleagues(
    desk: Desk, lyceum: Group, olga: Person
) -> None:
    await olga.says("/cases", chat=lyceum)
    there = await heard(desk)
    await olga.says("не могу войти")
    alone = await heard(desk)
    assert there.sender == alone.sender == address(olga)
    assert (there.group, alone.group) == (place(lyceum), None)


async def test_a_link_that_brings_us_in_says_why(desk: Desk, lyceum: Group, olga: Person) -> None:
    await olga.says("/start@diary_help_bot desk-35", chat=lyceum)
    came = await heard(desk)
    assert (came.started, came.text, came.group) == ("desk-35", "", place(lyceum))


async def test_what_cannot_be_taken_in_an_answer_is_named(server: TelegramServer, desk: Desk) -> None:
    group = {"id": -1001, "type": "supergroup", "title": "5Б"}
    ours = {"message_id": 5, "date": 1, "chat": group, "from": server.bot.as_json()}
    server.inject(said(chat=group, poll={"id": "1"}, reply_to_message=ours))
    answer = await desk.next()
    assert (answer.unreadable, answer.reply_to) == ("опрос", "5")


# ---- buttons


async def test_any_colleague_may_press_a_button(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, forum: Group, petr: Person, clock: FastClock
) -> None:
    thread = await channel.open_topic(place(forum), "№ 7")
    card = await say(channel, forum, thread=thread, buttons=((Button("Взять", "take:7"),),))
    await petr.presses("Взять", chat=forum)
    press = await heard(desk)
    assert (press.button, press.sender, press.name) == ("take:7", address(petr), "Пётр")
    assert (press.group, press.thread, press.message_id) == (place(forum), thread, card)
    await until(lambda: not server.unanswered_presses(), clock)


async def test_a_button_on_a_message_that_is_gone_still_says_where(
    server: TelegramServer, desk: Desk, petr: Person
) -> None:
    query = {
        "id": "1",
        "from": petr.user.as_json(),
        "message": {"chat": {"id": -1001, "type": "supergroup", "title": "5Б"}, "message_id": 5, "date": 0},
        "chat_instance": "1",
        "data": "take:7",
    }
    server.inject({"callback_query": query})
    press = await desk.next()
    assert (press.button, press.group, press.thread) == ("take:7", Address("telegram", "-1001"), None)


# ---- who is nobody


async def test_whoever_hides_behind_the_group_is_nobody(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, forum: Group
) -> None:
    await happened(desk)
    card = await say(channel, forum)
    with capture_logs() as logs:
        await forum.says_anonymously("Исправили", reply_to=int(card))
        await server.all_taken()
    assert len(desk.taken) == 1
    assert [line["reason"] for line in logs if line["event"] == "telegram_update_skipped"] == ["nobody"]
    assert "Исправили" not in str(logs)


async def test_a_channel_that_speaks_in_a_group_is_nobody(server: TelegramServer, desk: Desk) -> None:
    group = {"id": -1001, "type": "supergroup", "title": "5Б"}
    news = {"id": -1002, "type": "channel", "title": "Новости лицея"}
    telegram = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
    server.inject(said(text="/cases", chat=group, sender_chat=news, **{"from": telegram}))
    server.inject(said(text="/cases", chat=news, sender_chat=news))
    await server.all_taken()
    assert desk.taken == []


async def test_other_bots_are_not_listened_to(server: TelegramServer, desk: Desk) -> None:
    group = {"id": -1001, "type": "supergroup", "title": "5Б"}
    other = {"id": 9, "is_bot": True, "first_name": "Бот"}
    server.inject(said(text="/cases", chat=group, **{"from": other}))
    await server.all_taken()
    assert desk.taken == []


# ---- what we say there


async def test_everything_goes_into_its_topic(speaker: TelegramChannel, forum: Group, tmp_path: Path) -> None:
    thread = await speaker.open_topic(place(forum), "№ 7")
    photo, clip = file(tmp_path, "a.jpg"), file(tmp_path, "a.mp4", b"mp4", "video")
    files: list[tuple[LocalFile, ...]] = [(), (photo,), (photo, clip)]
    ids = [
        await speaker.send(place(forum), Piece(spans=(Span("Вот"),), files=each, thread=thread), key="1")
        for each in files
    ]
    opened, *cards = forum.topic("№ 7").messages
    assert str(opened.id) == thread
    assert [str(card.id) for card in cards] == ",".join(ids).split(",")
    assert [card.words for card in cards] == ["Вот", "Вот", "Вот", ""]


async def test_an_answer_goes_where_its_question_is(
    speaker: TelegramChannel, forum: Group, olga: Person
) -> None:
    topic = await forum.opens_topic("Свои дела", by=olga)
    word = await olga.says("/help", chat=topic)
    await say(speaker, forum, "Вот что я умею", reply_to=str(word.id), thread=str(topic.id))
    assert topic.messages[-1].reply_to == word.id


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("№ 7 · Не войти", "№ 7 · Не войти"),
        ("  два\nслова\x00 ", "два слова"),
        ("я" * 128, "я" * 128),
        ("я" * 129, "я" * 127 + "…"),
    ],
)
async def test_a_topic_has_a_title_that_fits(
    speaker: TelegramChannel, forum: Group, title: str, name: str
) -> None:
    thread = await speaker.open_topic(place(forum), title)
    assert [(str(topic.id), topic.name) for topic in forum.topics] == [(thread, name)]


async def test_where_no_topic_can_be_opened_it_is_said(
    server: TelegramServer, speaker: TelegramChannel, lyceum: Group, forum: Group, olga: Person
) -> None:
    await olga.start()
    for nowhere in (place(lyceum), address(olga), Address("telegram", "@lyceum")):
        with pytest.raises(Rejected):
            await speaker.open_topic(nowhere, "№ 7")
    with pytest.raises(Rejected):
        await speaker.open_topic(place(forum), " ")
    await forum.promotes_bot(olga, manages_topics=False)
    with pytest.raises(Rejected, match="not enough rights"):
        await speaker.open_topic(place(forum), "№ 7")
    server.fail(method="createForumTopic", fault=Fault.execute_then_drop())
    with pytest.raises(Unfinished):
        await speaker.open_topic(place(forum), "№ 7")
    await forum.kicks_bot(olga)
    with pytest.raises(Unreachable, match="kicked"):
        await speaker.open_topic(place(forum), "№ 7")


async def test_a_deleted_topic_is_gone_and_a_new_one_can_be_opened(
    speaker: TelegramChannel, forum: Group
) -> None:
    thread = await speaker.open_topic(place(forum), "№ 7")
    await forum.deletes_topic(forum.topic("№ 7"))
    with pytest.raises(TopicGone):
        await say(speaker, forum, thread=thread)
    again = await speaker.open_topic(place(forum), "№ 7")
    await say(speaker, forum, thread=again)
    assert again != thread


async def test_a_closed_topic_takes_messages_of_administrators_alone(
    speaker: TelegramChannel, forum: Group, olga: Person
) -> None:
    thread = await speaker.open_topic(place(forum), "№ 7")
    await forum.closes_topic(forum.topic("№ 7"), by=olga)
    await say(speaker, forum, thread=thread)
    await forum.demotes_bot(olga)
    with pytest.raises(TopicGone):
        await say(speaker, forum, thread=thread)
    await forum.reopens_topic(forum.topic("№ 7"), by=olga)
    await say(speaker, forum, thread=thread)


async def test_a_group_that_has_no_topics_any_more_takes_messages_without(
    speaker: TelegramChannel, forum: Group
) -> None:
    thread = await speaker.open_topic(place(forum), "№ 7")
    await forum.stops_being_forum()
    with pytest.raises(TopicGone):
        await say(speaker, forum, thread=thread)
    with pytest.raises(Rejected, match="not a forum"):
        await speaker.open_topic(place(forum), "№ 7")
    await say(speaker, forum)


async def test_a_group_that_moved_says_where(speaker: TelegramChannel, lyceum: Group) -> None:
    moved_to = await lyceum.becomes_supergroup()
    with pytest.raises(Moved) as caught:
        await say(speaker, lyceum)
    assert caught.value.chat_id == str(moved_to.id)
    assert isinstance(caught.value, SendError)
    with pytest.raises(Moved):
        await speaker.send(place(lyceum), Piece(delete="1001"), key="1")
    await say(speaker, moved_to)
    await moved_to.hears("Заявка № 7")


async def test_a_group_that_is_closed_to_us_says_how(
    server: TelegramServer, speaker: TelegramChannel, lyceum: Group, forum: Group, olga: Person
) -> None:
    never = server.group("Чужая", members=[olga])
    with pytest.raises(Unreachable, match="kicked"):
        await say(speaker, never)
    await lyceum.kicks_bot(olga)
    with pytest.raises(Unreachable, match="kicked"):
        await say(speaker, lyceum)
    await lyceum.adds_bot(olga)
    await say(speaker, lyceum)
    for group in (lyceum, forum):
        await group.is_deleted()
        with pytest.raises(Unreachable, match="gone"):
            await say(speaker, group)


async def test_a_card_with_its_pictures_is_two_messages(
    speaker: TelegramChannel, lyceum: Group, tmp_path: Path
) -> None:
    photos = [file(tmp_path, f"{at}.jpg") for at in range(3)]
    board = ((Button("Взять", "take:7"),),)
    await deliver(speaker, Outgoing(place(lyceum), "Заявка № 7", buttons=board), *photos)
    card, *album = [message for message in lyceum.chat if message.from_bot]
    assert (card.text, card.buttons) == ("Заявка № 7", [["Взять"]])
    assert len({each.media_group_id for each in album}) == 1


async def test_a_group_is_told_by_its_number(speaker: TelegramChannel, lyceum: Group, olga: Person) -> None:
    assert speaker.is_group(str(lyceum.id))
    assert not speaker.is_group(str(olga.id))


@pytest.mark.parametrize("supergroup", [False, True])
async def test_the_pace_keeps_the_limit_of_a_group(supergroup: bool, tmp_path: Path) -> None:
    clock = StoppedClock()
    async with TelegramServer(token=TOKEN, clock=clock) as server:
        speaker = TelegramChannel(TOKEN, clock=clock, api_url=server.url)
        olga = server.person()
        group = server.group("Лицей № 35", members=[olga], supergroup=supergroup)
        await group.adds_bot(olga)
        pacer = Pacer(speaker.pace, clock, is_group=speaker.is_group)
        photos = tuple(file(tmp_path, f"{at}.jpg") for at in range(10))
        for files in [(), (), photos, *[()] * 20, photos[:3], ()]:
            weight = max(1, len(files))
            await pacer.turn(str(group.id), messages=weight)
            await speaker.send(place(group), Piece(spans=(Span("Вот"),), files=files), key="1")
            pacer.done(str(group.id), messages=weight)
        assert server.limit_hits == []
        with pytest.raises(SlowDown):
            await asyncio.gather(*(say(speaker, group) for _ in range(21)))
        await speaker.close()


# ---- the webhook


async def test_the_webhook_waits_until_it_knows_who_we_are(
    server: TelegramServer, clock: FastClock, lyceum: Group, olga: Person, socket_of_ours: socket.socket
) -> None:
    url = f"http://127.0.0.1:{socket_of_ours.getsockname()[1]}/telegram/webhook"
    channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url, webhook=Webhook(url, SECRET))
    desk = Desk()
    router = channel.routes(desk.receive)
    assert router is not None
    server.fail(method="getMe", fault=Fault.server_error(), times=2)
    await olga.says("/cases@diary_help_bot", chat=lyceum)
    async with serving(router, socket_of_ours):
        await channel.listen(desk.receive)
        assert (await heard(desk)).text == "/cases"
        await server.all_taken()
    await channel.close()
    assert 503 in [post.status for post in server.webhook_tries]
