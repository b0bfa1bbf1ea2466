"""Group chats of colleagues on VK: what reaches us from there, and what we say there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.channels.base import Channel, LocalFile, Piece, Rejected, SendError, Unreachable
from bot.channels.vk import VkChannel, translate
from bot.channels.vk.raw import Skipped
from faq.markup import Span
from handlers.messages import Address, Button, GroupEvent, Incoming, Outgoing
from tests.bot.channels.test_vk import (
    CALLBACK,
    GROUP,
    JPEG,
    TOKEN,
    Desk,
    MemoryCursor,
    listening,
    raw_event,
    raw_message,
    serving,
    until,
)
from tests.clock import FastClock
from tests.emulators.vk import Fault, GroupChat, Member, Person, VkServer

CHAT = 2_000_000_001
_letters = count(1)


@pytest.fixture
def clock() -> FastClock:
    return FastClock(speed=50)


@pytest.fixture
async def server(clock: FastClock) -> AsyncIterator[VkServer]:
    async with VkServer(token=TOKEN, group_id=GROUP, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture(params=["polling", "callback"])
async def channel(
    request: pytest.FixtureRequest, server: VkServer, clock: FastClock
) -> AsyncIterator[VkChannel]:
    """Both ways in which events come; what is read from them is the same."""
    callback = CALLBACK if request.param == "callback" else None
    channel = VkChannel(
        TOKEN, GROUP, clock=clock, cursor=MemoryCursor("1"), api_url=server.url, callback=callback
    )
    yield channel
    await channel.close()


@pytest.fixture
async def speaker(server: VkServer, clock: FastClock) -> AsyncIterator[VkChannel]:
    """A channel that only speaks."""
    channel = VkChannel(TOKEN, GROUP, clock=clock, cursor=MemoryCursor(), api_url=server.url)
    yield channel
    await channel.close()


@pytest.fixture
async def desk(server: VkServer, channel: VkChannel) -> AsyncIterator[Desk]:
    """The helpdesk, listening already."""
    desk = Desk()
    if channel.routes(desk.receive) is None:
        async with listening(channel, desk):
            await server.listened()
            yield desk
    else:
        async with serving(channel, desk) as url:
            await server.set_callback(url, secret=CALLBACK.secret, confirmation=CALLBACK.confirmation)
            yield desk


@pytest.fixture
def olga(server: VkServer) -> Person:
    return server.person(first_name="Ольга", last_name="Завуч")


@pytest.fixture
def petr(server: VkServer) -> Person:
    return server.person(first_name="Пётр", last_name="Инженер")


@pytest.fixture
async def lyceum(server: VkServer, olga: Person, petr: Person) -> GroupChat:
    """A school's chat with the bot in it."""
    lyceum = server.group_chat("Лицей № 35", olga, petr)
    await lyceum.invites_bot(by=olga)
    return lyceum


def address(one: Person | Member) -> Address:
    return Address("vk", str(one.user_id))


def place(group: GroupChat) -> Address:
    return Address("vk", str(group.peer_id))


async def say(channel: VkChannel, group: GroupChat, text: str = "Заявка № 7", **fields: Any) -> str:
    piece = Piece(spans=(Span(text),), **fields)
    return await channel.send(place(group), piece, key=f"letter{next(_letters)}:0")


async def said(desk: Desk) -> Incoming:
    """The next message: what happened to the chat before it is passed over."""
    while True:
        incoming = await desk.next()
        if incoming.group_event is None:
            return incoming


def one(event: Any) -> Incoming:
    (incoming,) = translate(event, group_id=GROUP, place="1.0")
    return incoming


def in_chat(**fields: Any) -> dict[str, Any]:
    return raw_message(**({"peer_id": CHAT, "id": 0} | fields))


# ── what happens to the chat ──────────────────────────────────────────────────────────────────────────────


async def test_we_are_told_that_we_were_let_in_and_sent_away(
    desk: Desk, lyceum: GroupChat, olga: Person, petr: Person
) -> None:
    joined = await desk.next()
    await lyceum.kicks_bot(by=petr)
    left = await desk.next()
    await lyceum.invites_bot(by=olga)
    back = await desk.next()
    assert joined.group_event == GroupEvent("joined", has_topics=False)
    assert (joined.sender, joined.name, joined.group) == (address(olga), "Ольга Завуч", place(lyceum))
    assert (left.sender, left.group_event) == (address(petr), GroupEvent("left"))
    assert back.group_event == joined.group_event
    assert len({incoming.event_id for incoming in (joined, left, back)}) == 3
    assert joined.text == ""


async def test_a_new_name_of_the_chat_is_told(desk: Desk, lyceum: GroupChat, olga: Person) -> None:
    lyceum.sees_all = True
    await desk.next()
    await lyceum.renames("Лицей № 35, дневник", by=olga)
    renamed = await desk.next()
    assert renamed.group_event == GroupEvent("renamed", title="Лицей № 35, дневник")
    assert renamed.group == place(lyceum)


def test_a_chat_that_begins_with_us_tells_its_name() -> None:
    incoming = one(in_chat(action={"type": "chat_create", "text": "Школа № 2"}))
    assert incoming.group_event == GroupEvent("joined", title="Школа № 2", has_topics=False)


async def test_the_comings_and_goings_of_others_are_theirs(
    server: VkServer, desk: Desk, lyceum: GroupChat, olga: Person, petr: Person
) -> None:
    lyceum.sees_all = True
    await desk.next()
    await lyceum.takes_in(server.person(first_name="Ирина"), by=olga)
    await lyceum.member(petr).leaves()
    await lyceum.member(olga).mentions("вы тут?")
    assert (await desk.next()).text == "вы тут?"


async def test_sent_away_without_a_word_we_learn_it_when_we_speak(
    desk: Desk, channel: VkChannel, lyceum: GroupChat, olga: Person
) -> None:
    assert (await desk.next()).group_event == GroupEvent("joined", has_topics=False)
    await lyceum.kicks_bot(by=olga, silently=True)
    await lyceum.member(olga).mentions("тишина")
    with pytest.raises(Unreachable) as caught:
        await say(channel, lyceum)
    assert caught.value.reason == "kicked"
    await olga.says("а здесь?")
    assert (await desk.next()).text == "а здесь?"


# ── what people say there ─────────────────────────────────────────────────────────────────────────────────


async def test_our_name_before_the_words_is_taken_off(
    server: VkServer, desk: Desk, lyceum: GroupChat, petr: Person
) -> None:
    wrote = await lyceum.member(petr).mentions("/задачи")
    incoming = await said(desk)
    assert incoming == Incoming(
        event_id=server.events.sent[-1]["event_id"],
        sender=address(petr),
        name="Пётр Инженер",
        text="/задачи",
        message_id=str(wrote.cmid),
        group=place(lyceum),
    )


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("[club219|@club219] привет", "привет"),
        ("  [club219|Помощь с дневником], привет", "привет"),
        ("[public219|@dnevnik]: [id5|Пётр], привет", "[id5|Пётр], привет"),
        ("@club219, привет", "привет"),
        ("*public219 привет", "привет"),
        ("/привет", "/привет"),
    ],
)
def test_a_message_is_ours_by_its_beginning(typed: str, read: str) -> None:
    assert one(in_chat(text=typed)).text == read


@pytest.mark.parametrize(
    "typed",
    [
        "привет",
        " /привет",
        "спросим [club219|@club219]",
        "[club2190|@club2190] привет",
        "[club5|@club5] /привет",
        "@club2190 привет",
        "[id219|Пётр], привет",
        "[club219|@club219]",
    ],
)
def test_other_talk_is_not_ours(typed: str) -> None:
    with pytest.raises(Skipped):
        one(in_chat(text=typed))


async def test_what_colleagues_say_to_each_other_goes_no_further(
    server: VkServer, desk: Desk, lyceum: GroupChat, olga: Person, petr: Person
) -> None:
    lyceum.sees_all = True
    lyceum.tells_edits = True
    there = lyceum.member(olga)
    with capture_logs() as logs:
        lunch = await there.says("секрет: обедаем в час")
        await lyceum.member(petr).says("секрет: согласен", reply_to=lunch)
        await there.edits(lunch, "секрет: обедаем в два")
        await lyceum.community_says("секрет чужого бота")
        await lyceum.community_says(f"{lyceum.mention} секрет чужого бота")
        await there.sends_photo(JPEG, caption="секрет")
        await there.sends_voice()
        await there.says("/задачи")
        assert (await said(desk)).text == "/задачи"
    heard = [event for event in server.events.sent if event["type"] in ("message_new", "message_edit")]
    assert len(heard) == 9  # the bot was let in, and then all of it reached us
    assert [incoming.text for incoming in desk.taken] == ["", "/задачи"]
    assert "секрет" not in str(logs)


async def test_an_answer_to_our_message_says_which_one(
    desk: Desk, channel: VkChannel, lyceum: GroupChat, olga: Person, petr: Person
) -> None:
    sent = await say(channel, lyceum, "Заявка № 7: не приходит код")
    card = await lyceum.member(petr).hears("Заявка № 7")
    answer = await lyceum.member(petr).says("Проверьте телефон в профиле", reply_to=card)
    incoming = await said(desk)
    await lyceum.member(olga).mentions("закройте её", reply_to=answer)
    about_petr = await said(desk)
    assert (incoming.text, incoming.reply_to) == ("Проверьте телефон в профиле", sent)
    assert (incoming.message_id, incoming.sender) == (str(answer.cmid), address(petr))
    assert (about_petr.text, about_petr.reply_to) == ("закройте её", str(answer.cmid))


async def test_an_album_in_an_answer_is_one_message(
    desk: Desk, channel: VkChannel, lyceum: GroupChat, olga: Person
) -> None:
    there = lyceum.member(olga)
    sent = await say(channel, lyceum)
    card = await there.hears("Заявка")
    await there.sends_album([JPEG, JPEG + b"2", JPEG + b"3"], caption="вот так", reply_to=card)
    album = await said(desk)
    await there.sends_voice(reply_to=card)
    voice = await said(desk)
    assert [each.kind for each in album.attachments] == ["photo"] * 3
    assert (album.text, album.reply_to, album.album) == ("вот так", sent, None)
    assert (voice.attachments[0].kind, voice.reply_to) == ("voice", sent)


async def test_files_for_us_can_be_fetched(
    desk: Desk, channel: VkChannel, lyceum: GroupChat, olga: Person
) -> None:
    there = lyceum.member(olga)
    await there.sends_album([JPEG, JPEG + b"2"], caption=f"{lyceum.mention} как тут")
    album = await said(desk)
    await there.sends_document("список.pdf", b"%PDF", caption=f"{lyceum.mention}")
    document = await said(desk)
    assert (album.text, [each.kind for each in album.attachments]) == ("как тут", ["photo", "photo"])
    assert await channel.fetch(album.attachments[1].ref, limit=100) == JPEG + b"2"
    assert (document.text, document.attachments[0].name) == ("", "список.pdf")


async def test_a_new_wording_of_an_answer_is_marked_where_vk_tells_it(
    desk: Desk, channel: VkChannel, lyceum: GroupChat, petr: Person
) -> None:
    lyceum.tells_edits = True
    there = lyceum.member(petr)
    await say(channel, lyceum)
    answer = await there.says("Проверте профиль", reply_to=await there.hears("Заявка"))
    first = await said(desk)
    await there.edits(answer, "Проверьте профиль")
    edited = await said(desk)
    assert (edited.text, edited.edited, edited.group) == ("Проверьте профиль", True, place(lyceum))
    assert (edited.message_id, edited.reply_to) == (first.message_id, first.reply_to)
    assert edited.event_id != first.event_id


async def test_a_person_is_the_same_alone_and_among_colleagues(
    desk: Desk, lyceum: GroupChat, olga: Person
) -> None:
    await lyceum.member(olga).mentions("здесь")
    among = await said(desk)
    await olga.says("а тут одна")
    alone = await said(desk)
    assert among.sender == alone.sender == address(olga)
    assert (among.group, alone.group) == (place(lyceum), None)


async def test_start_is_an_ordinary_word_among_colleagues(
    desk: Desk, lyceum: GroupChat, olga: Person
) -> None:
    await lyceum.member(olga).mentions("начать")
    incoming = await said(desk)
    assert (incoming.started, incoming.text) == (None, "начать")


def test_what_cannot_be_taken_is_named_to_the_chat() -> None:
    event = in_chat(text="/опрос что это?", attachments=[{"type": "poll", "poll": {}}])
    question, rest = translate(event, group_id=GROUP, place="1.0")
    assert (question.text, question.unreadable) == ("/опрос что это?", None)
    assert (rest.unreadable, rest.group) == ("опрос", Address("vk", str(CHAT)))


@pytest.mark.parametrize(
    "fields",
    [
        {"from_id": -7},
        {"from_id": -GROUP},
        {"from_id": -GROUP, "out": 1},
        {"from_id": 0},
        {"from_id": CHAT},
        {"from_id": -7, "action": {"type": "chat_invite_user", "member_id": -GROUP}},
        {"action": {"type": "chat_invite_user", "member_id": -7}},
        {"action": {"type": "chat_invite_user", "member_id": 42}},
        {"action": {"type": "chat_kick_user", "member_id": 42}},
        {"action": {"type": "chat_pin_message", "member_id": 42}},
        {"action": {"type": "new_in_2030"}},
    ],
)
def test_nobody_and_nothing_of_ours_is_skipped(fields: dict[str, Any]) -> None:
    with pytest.raises(Skipped):
        one(in_chat(text="/задачи", **fields))


# ── buttons ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_any_colleague_may_press_a_button(
    desk: Desk, channel: VkChannel, lyceum: GroupChat, olga: Person, petr: Person
) -> None:
    rows = ((Button("Взять", "take:7"), Button("Сайт", url="https://example.ru")),)
    await say(channel, lyceum, buttons=rows)
    await lyceum.member(petr).presses("Взять")
    first = await said(desk)
    await lyceum.member(olga).presses("Взять")
    second = await said(desk)
    assert (first.button, first.text, first.group) == ("take:7", "", place(lyceum))
    assert (first.sender, second.sender) == (address(petr), address(olga))
    assert first.event_id != second.event_id


async def test_a_callback_button_tells_who_pressed_and_where(
    server: VkServer, desk: Desk, channel: VkChannel, lyceum: GroupChat, petr: Person
) -> None:
    action = {"type": "callback", "label": "Взять", "payload": json.dumps({"b": "take:7"})}
    keyboard = json.dumps({"inline": True, "buttons": [[{"action": action}]]})
    form = {"peer_ids": lyceum.peer_id, "random_id": 1, "message": "Заявка № 7", "keyboard": keyboard}
    sent = await channel._calls.call("messages.send", **form)
    await lyceum.member(petr).presses("Взять")
    pressed = await said(desk)
    await until(lambda: not server.unanswered_presses())
    assert (pressed.button, pressed.sender, pressed.group) == ("take:7", address(petr), place(lyceum))
    assert pressed.message_id == str(sent[0]["conversation_message_id"])
    assert server.refusals == []


def test_the_press_of_another_bots_button_is_not_ours() -> None:
    ours = in_chat(text="Взять", payload=json.dumps({"b": "take:7"}))
    theirs = in_chat(text="[club5|@club5] Взять", payload=json.dumps({"b": "take:7"}))
    assert one(ours).button == "take:7"
    with pytest.raises(Skipped):
        one(theirs)


@pytest.mark.parametrize(
    "content", [{"user_id": -7}, {"user_id": 42, "payload": []}, {"user_id": 0, "peer_id": CHAT}]
)
def test_a_press_by_nobody_is_skipped(content: dict[str, Any]) -> None:
    pressed = {"peer_id": CHAT, "event_id": "x", "payload": {"b": "take:7"}, "conversation_message_id": 3}
    with pytest.raises(Skipped):
        one(raw_event("message_event", pressed | content))


# ── what we say there ─────────────────────────────────────────────────────────────────────────────────────


async def test_our_messages_are_known_by_their_place_in_the_chat(
    speaker: VkChannel, lyceum: GroupChat, olga: Person
) -> None:
    there = lyceum.member(olga)
    asked = await there.mentions("что нового?")
    answered = await say(speaker, lyceum, "Две заявки", reply_to=str(asked.cmid))
    heard = await there.hears("Две заявки")
    assert answered == str(heard.cmid)
    assert heard.reply_to == asked.id
    # A colleague has deleted the question: the answer comes all the same.
    await say(speaker, lyceum, "и третья", reply_to="777")
    assert (await there.hears("и третья")).reply_to is None


async def test_the_same_key_is_shown_once_in_a_chat_too(speaker: VkChannel, lyceum: GroupChat) -> None:
    piece = Piece(spans=(Span("Заявка № 7"),))
    first = await speaker.send(place(lyceum), piece, key="letter:7:0")
    assert await speaker.send(place(lyceum), piece, key="letter:7:0") == first
    assert [message.text for message in lyceum.messages if message.from_bot] == ["Заявка № 7"]


async def test_a_card_with_its_pictures_and_buttons_is_one_message(
    speaker: VkChannel, lyceum: GroupChat, olga: Person, tmp_path: Path
) -> None:
    files = tuple(picture(tmp_path, number) for number in range(3))
    card = Outgoing(place(lyceum), "Заявка № 7", buttons=((Button("Взять", "take:7"),),))
    (piece,) = speaker.compose(card, files)
    await speaker.send(place(lyceum), piece, key="letter:8:0")
    heard = await lyceum.member(olga).hears("Заявка № 7")
    assert heard.buttons == [["Взять"]]
    assert [content[-1] for content in heard.photos] == [0, 1, 2]


def picture(folder: Path, number: int) -> LocalFile:
    path = folder / f"{number}.jpg"
    path.write_bytes(JPEG + bytes([number]))
    return LocalFile("photo", path.name, "image/jpeg", path)


@pytest.mark.parametrize("per_peer", [False, True])
@pytest.mark.parametrize(
    ("code", "reason"),
    [(917, "kicked"), (922, "kicked"), (925, "kicked"), (927, "gone"), (945, "gone"), (946, "gone")],
)
async def test_a_chat_that_is_closed_to_us_says_how(
    server: VkServer, speaker: VkChannel, lyceum: GroupChat, code: int, reason: str, per_peer: bool
) -> None:
    if per_peer:
        lyceum.refuses(code)
    else:
        server.fail(fault=Fault.error(code), method="messages.send")
    with pytest.raises(Unreachable) as caught:
        await say(speaker, lyceum)
    assert caught.value.reason == reason


async def test_a_chat_that_vk_has_closed_is_gone(speaker: VkChannel, lyceum: GroupChat) -> None:
    lyceum.disable()
    with pytest.raises(Unreachable) as caught:
        await say(speaker, lyceum)
    assert caught.value.reason == "gone"


async def test_a_picture_for_a_chat_that_sent_us_away_says_so(
    speaker: VkChannel, lyceum: GroupChat, olga: Person, tmp_path: Path
) -> None:
    await lyceum.kicks_bot(by=olga)
    with pytest.raises(SendError) as caught:
        await say(speaker, lyceum, files=(picture(tmp_path, 0),))
    assert isinstance(caught.value, Unreachable)
    assert caught.value.reason == "kicked"


async def test_a_chat_where_we_never_were_is_closed_to_us(
    server: VkServer, speaker: VkChannel, olga: Person
) -> None:
    with pytest.raises(Unreachable) as caught:
        await say(speaker, server.group_chat("Чужая беседа", olga))
    assert caught.value.reason == "kicked"


async def test_a_group_is_told_by_its_number_and_has_no_topics(speaker: VkChannel) -> None:
    channel: Channel = speaker
    assert channel.is_group("2000000001")
    assert not channel.is_group("1100000001")
    assert not channel.is_group("-2000000001")
    assert not channel.is_group("")
    with pytest.raises(Rejected):
        await channel.open_topic(Address("vk", "2000000001"), "Заявка № 7")
