"""The VK channel against the emulated community."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from aiohttp import web
from fastapi import FastAPI
from structlog.testing import capture_logs

from bot.channels.base import (
    Channel,
    Closed,
    FetchError,
    LocalFile,
    NotSent,
    Piece,
    Rejected,
    SendError,
    SlowDown,
    Unfinished,
    Unreachable,
)
from bot.channels.vk import CALLBACK_BODY_LIMIT, Callback, VkChannel, random_id, translate
from bot.clock import SystemClock
from faq.markup import Span, escape
from handlers.messages import Address, AttachmentKind, Button, Incoming, Outgoing, Rows
from storage.database import Unavailable
from tests.clock import FastClock
from tests.emulators.vk import LONG_POLL, UPLOAD, Fault, Person, VkServer

TOKEN = "vk1.a.SecretOfTheCommunity"
GROUP = 219
CALLBACK = Callback(confirmation="5ab1c0de", secret="s3cret")
JPEG = b"\xff\xd8\xff\xe0 a picture"
_numbers = count(500)


class Desk:
    """Takes events as the helpdesk does, and fails on demand."""

    def __init__(self) -> None:
        self.taken: list[Incoming] = []
        self.offered: list[str] = []
        self.failures: list[Exception] = []
        self.open = asyncio.Event()
        self.open.set()
        self._queue: asyncio.Queue[Incoming] = asyncio.Queue()

    async def receive(self, incoming: Incoming) -> None:
        self.offered.append(incoming.event_id)
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(incoming)
        # Whoever writes first is also reported as reachable: most tests are not about that.
        if incoming.reachable is not True:
            self._queue.put_nowait(incoming)

    async def next(self) -> Incoming:
        async with asyncio.timeout(5):
            return await self._queue.get()


class MemoryCursor:
    """A cursor that a test can read, set and break."""

    def __init__(self, place: str | None = None) -> None:
        self.place = place
        self.failures: list[Exception] = []

    async def load(self) -> str | None:
        if self.failures:
            raise self.failures.pop(0)
        return self.place

    async def save(self, place: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.place = place


@pytest.fixture
def clock() -> FastClock:
    return FastClock(speed=50)


@pytest.fixture
async def server(clock: FastClock) -> AsyncIterator[VkServer]:
    async with VkServer(token=TOKEN, group_id=GROUP, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
def cursor() -> MemoryCursor:
    """A channel that has been listening since the community was made."""
    return MemoryCursor("1")


@pytest.fixture
async def channel(server: VkServer, clock: FastClock, cursor: MemoryCursor) -> AsyncIterator[VkChannel]:
    channel = VkChannel(TOKEN, GROUP, clock=clock, cursor=cursor, api_url=server.url)
    yield channel
    await channel.close()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def anna(server: VkServer) -> Person:
    """Somebody who has written to the community."""
    anna = server.person(first_name="Анна", last_name="Котова")
    await anna.start()
    return anna


@asynccontextmanager
async def listening(channel: VkChannel, desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(channel.listen(desk.receive))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Closed):
            await task


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await SystemClock().sleep(0.005)


def address(person: Person) -> Address:
    return Address("vk", str(person.user_id))


def piece(text: str = "Ответ", **fields: Any) -> Piece:
    return Piece(spans=(Span(text),) if text else (), **fields)


def drawn(one: Piece) -> str:
    return "".join(f"{span.text}: {span.url}" if span.url else span.text for span in one.spans)


def outgoing(text: str = "", **fields: Any) -> Outgoing:
    return Outgoing(Address("vk", "42"), text, **fields)


async def send_all(
    channel: VkChannel, person: Person, message: Outgoing, *, files: tuple[LocalFile, ...] = ()
) -> list[str]:
    pieces = channel.compose(message, files)
    return [
        await channel.send(address(person), one, key=f"letter{next(_numbers)}:{number}")
        for number, one in enumerate(pieces)
    ]


def raw_event(kind: str, content: Any, **envelope: Any) -> dict[str, Any]:
    event = {"group_id": GROUP, "type": kind, "event_id": f"e{next(_numbers)}", "v": "5.199"}
    return event | {"object": content} | envelope


def raw_message(**fields: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "date": 1788000000,
        "from_id": 42,
        "peer_id": 42,
        "id": 7,
        "conversation_message_id": 3,
        "out": 0,
        "text": "",
        "attachments": [],
        "fwd_messages": [],
    }
    return raw_event("message_new", {"message": message | fields, "client_info": {}})


def one(event: Any, *, place: str = "1.0") -> Incoming:
    (incoming,) = translate(event, group_id=GROUP, place=place)
    return incoming


# ── what people do ────────────────────────────────────────────────────────────────────────────────────────


async def test_it_is_a_channel(channel: VkChannel) -> None:
    anything: Channel = channel
    assert anything.name == "vk"
    assert anything.drops_repeats
    assert anything.pace.per_second < 20


async def test_a_message_comes_with_everything_it_has(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person
) -> None:
    async with listening(channel, desk):
        assert (await desk.next()).started == ""
        await anna.says("Не могу войти <b>&amp;*")
        question = await desk.next()
        await channel.send(address(anna), piece("Что видно на экране?"), key="k1")
        asked = await anna.hears("на экране")
        reply = await anna.says("Ничего", reply_to=asked)
        answer = await desk.next()
    assert question == Incoming(
        event_id=server.events.sent[2]["event_id"],
        sender=address(anna),
        name="Анна Котова",
        text="Не могу войти <b>&amp;*",
        message_id="2",
    )
    assert (answer.reply_to, answer.message_id) == (str(asked.cmid), str(reply.cmid))


async def test_a_name_is_asked_for_once(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person
) -> None:
    async with listening(channel, desk):
        await anna.says("один")
        await anna.says("два")
        names = [(await desk.next()).name for _ in range(3)]
    assert names == ["Анна Котова"] * 3
    assert [call.method for call in server.calls].count("users.get") == 1


async def test_a_name_that_vk_does_not_tell_holds_nobody_up(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person
) -> None:
    server.fail(fault=Fault.error(10), method="users.get", times=100)
    async with listening(channel, desk):
        await anna.says("один")
        await anna.says("два")
        assert [(await desk.next()).name for _ in range(3)] == [""] * 3
    assert [call.method for call in server.calls].count("users.get") <= 1


async def test_a_hanging_name_costs_two_seconds_once(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person
) -> None:
    server.fail(fault=Fault.hang(), method="users.get", times=100)
    began = SystemClock().monotonic()
    async with listening(channel, desk):
        assert (await desk.next()).name == ""
        await anna.says("один")
        assert (await desk.next()).name == ""
    assert SystemClock().monotonic() - began < 4


async def test_the_start_button_brings_its_reference(
    server: VkServer, channel: VkChannel, desk: Desk
) -> None:
    boris = server.person(first_name="Борис")
    async with listening(channel, desk):
        await boris.start("school-17")
        started = await desk.next()
        await boris.says(" начать ")
        typed = await desk.next()
    assert (started.started, started.text) == ("school-17", "")
    assert typed.started == ""


def test_a_question_by_the_link_of_a_poster_keeps_the_school() -> None:
    event = raw_message(text="Не приходит код", ref="school-17")
    link, question = translate(event, group_id=GROUP, place="1.0")
    assert (link.started, link.text) == ("school-17", "")
    assert (question.started, question.text) == (None, "Не приходит код")
    assert link.event_id != question.event_id


async def test_buttons_come_back_as_payloads(channel: VkChannel, desk: Desk, anna: Person) -> None:
    rows = ((Button("Другой вопрос", "menu:1"), Button("Сайт", url="https://example.ru/a?b=1")),)
    await send_all(channel, anna, outgoing("Помогло?", buttons=rows))
    async with listening(channel, desk):
        await desk.next()
        await anna.presses("Другой вопрос")
        pressed = await desk.next()
    assert (pressed.button, pressed.text, pressed.started) == ("menu:1", "", None)
    assert anna.find_button("Сайт").link == "https://example.ru/a?b=1"


@pytest.mark.parametrize(
    "payload", ["{", "[]", "null", '"b"', '{"b": 5}', '{"c": "x"}', "[" * 3000, 7, {"b": None}]
)
def test_a_strange_payload_leaves_the_text(payload: Any) -> None:
    assert one(raw_message(text="Привет", payload=payload)).text == "Привет"


async def test_a_callback_button_is_taken_and_answered(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person
) -> None:
    action = {"type": "callback", "label": "Да", "payload": json.dumps({"b": "yes"})}
    keyboard = json.dumps({"inline": True, "buttons": [[{"action": action}]]})
    form = {
        "access_token": TOKEN,
        "v": "5.199",
        "peer_id": anna.user_id,
        "random_id": 1,
        "message": "Помогло?",
    }
    async with httpx.AsyncClient() as client:
        await client.post(f"{server.url}/method/messages.send", data=form | {"keyboard": keyboard})
    carrier = await anna.hears("Помогло")
    async with listening(channel, desk):
        await desk.next()
        await anna.presses("Да")
        pressed = await desk.next()
        await until(lambda: server.calls[-1].method == "messages.sendMessageEventAnswer")
    assert (pressed.button, pressed.message_id) == ("yes", str(carrier.cmid))
    assert server.refusals == []


async def test_an_edit_is_marked(channel: VkChannel, desk: Desk, anna: Person) -> None:
    async with listening(channel, desk):
        await desk.next()
        said = await anna.says("Не могу вайти")
        first = await desk.next()
        await anna.edits(said, "Не могу войти")
        edited = await desk.next()
    assert (edited.text, edited.edited, edited.message_id) == ("Не могу войти", True, first.message_id)
    assert edited.event_id != first.event_id


async def test_forbidding_and_allowing_are_told(channel: VkChannel, desk: Desk, anna: Person) -> None:
    async with listening(channel, desk):
        await anna.blocks()
        await desk.next()
        assert (await desk.next()).reachable is False
        await anna.unblocks()
        await until(lambda: desk.taken[-1].reachable is True)
    assert desk.taken[-1].sender == address(anna)


async def test_files_come_and_can_be_fetched(channel: VkChannel, desk: Desk, anna: Person) -> None:
    async with listening(channel, desk):
        await desk.next()
        await anna.sends_album([JPEG, JPEG + b"2"], caption="вот экран")
        album = await desk.next()
        await anna.sends_document("справка 1.pdf", b"%PDF", caption="")
        document = await desk.next()
        await anna.sends_voice(b"OggS!")
        voice = await desk.next()
        await anna.sends_sticker()
        sticker = await desk.next()
    assert album.text == "вот экран"
    assert [one.kind for one in album.attachments] == ["photo", "photo"]
    assert await channel.fetch(album.attachments[1].ref, limit=100) == JPEG + b"2"
    (pdf,) = document.attachments
    assert (pdf.kind, pdf.name, pdf.mime, pdf.size) == ("file", "справка 1.pdf", "application/pdf", 4)
    assert await channel.fetch(pdf.ref, limit=4) == b"%PDF"
    assert (voice.attachments[0].kind, voice.attachments[0].mime) == ("voice", "audio/ogg")
    assert await channel.fetch(voice.attachments[0].ref, limit=100) == b"OggS!"
    assert [one.kind for one in sticker.attachments] == ["sticker"]


def test_the_largest_picture_is_taken() -> None:
    sizes = [
        {"type": "w", "width": 2560, "height": 1440, "url": "https://vk/w"},
        {"type": "s", "width": 75, "height": 42, "url": "https://vk/s"},
    ]
    old = [{"type": kind, "width": 0, "height": 0, "url": f"https://vk/{kind}"} for kind in "sxm"]
    photos = [{"type": "photo", "photo": {"id": 1, "sizes": each}} for each in (sizes, old)]
    incoming = one(raw_message(attachments=photos))
    assert [each.ref for each in incoming.attachments] == ["https://vk/w", "https://vk/x"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"attachments": [{"type": "video", "video": {"id": 1}}]}, "видео"),
        ({"attachments": [{"type": "wall", "wall": {}}]}, "запись со стены"),
        ({"attachments": [{"type": "link", "link": {"url": "https://vk.com"}}]}, "ссылка"),
        ({"attachments": [{"type": "market", "market": {}}]}, "товар"),
        ({"attachments": [{"type": "poll", "poll": {}}, {"type": "poll", "poll": {}}]}, "опрос"),
        ({"attachments": [{"type": "photo", "photo": {"sizes": []}}]}, "фотография"),
        ({"attachments": [{"type": "doc", "doc": {"title": "x.exe"}}]}, "файл"),
        ({"attachments": [{"type": "new_in_2030"}]}, "вложение"),
        ({"geo": {"type": "point"}}, "место на карте"),
        ({"fwd_messages": [{"text": "слова"}]}, "пересланное сообщение"),
    ],
)
def test_what_cannot_be_taken_is_named(fields: dict[str, Any], named: str) -> None:
    incoming = one(raw_message(**fields))
    assert (incoming.unreadable, incoming.text, incoming.attachments) == (named, "", ())


def test_a_question_beside_something_unreadable_is_not_lost() -> None:
    event = raw_message(text="Что это?", attachments=[{"type": "poll", "poll": {}}])
    question, rest = translate(event, group_id=GROUP, place="1.0")
    assert (question.text, question.unreadable) == ("Что это?", None)
    assert (rest.text, rest.unreadable, rest.message_id) == ("", "опрос", None)
    assert question.event_id != rest.event_id


def test_a_name_of_a_file_is_no_path() -> None:
    doc = {"title": "../../a\\b/справка", "ext": "pdf", "size": "?", "url": "https://vk/doc"}
    (attachment,) = one(raw_message(attachments=[{"type": "doc", "doc": doc}])).attachments
    assert (attachment.name, attachment.mime, attachment.size) == (
        ".._.._a_b_справка.pdf",
        "application/pdf",
        None,
    )


def test_the_preview_of_an_address_is_no_attachment() -> None:
    event = raw_message(text="vk.com не открывается", attachments=[{"type": "link", "link": {}}])
    assert one(event).unreadable is None


def test_an_event_without_an_id_gets_the_same_one_each_time() -> None:
    message = raw_message(text="Привет", event_id=None)
    allow = raw_event("message_allow", {"user_id": 42, "key": ""}, event_id=None)
    edit = raw_event("message_edit", message["object"]["message"] | {"update_time": 5}, event_id=None)
    assert one(message, place="1.0").event_id == one(message, place="2.5").event_id
    assert one(allow, place="1.0").event_id == one(allow, place="1.0").event_id
    assert len({one(allow, place="1.0").event_id, one(allow, place="9.0").event_id}) == 2
    assert one(edit).event_id != one(message).event_id


def test_letters_that_no_database_takes_are_replaced() -> None:
    assert one(raw_message(text="до\x00сле \ud83d!")).text == "досле ?!"


async def test_what_is_nothing_for_us_is_skipped_and_never_stops_the_rest(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person
) -> None:
    private = "секретные слова"
    nothing: list[Any] = [
        raw_message(text=private, peer_id=2_000_000_001),
        raw_message(text=private, from_id=-GROUP, out=1),
        raw_message(text=private, from_id=-7, peer_id=-7),
        raw_message(action={"type": "chat_title_update"}),
        raw_message(),
        raw_message(text="я" * 500_000),
        raw_message(text=["a"]),
        raw_message(text=private, peer_id="42"),
        raw_message(text=private, attachments="все"),
        raw_message(text=private, attachments=[None]),
        raw_event("message_new", {"message": None}),
        raw_event("message_new", []),
        raw_event("message_deny", {}),
        raw_event("message_event", {"peer_id": 42, "user_id": 42, "event_id": "x", "payload": []}),
        raw_event("group_join", {"user_id": 42}),
        raw_event(private, {"user_id": 42}),
        raw_event("message_reply", {"text": private}),
        {"type": "message_new"},
        {},
        [],
        None,
        "мусор",
    ]
    with capture_logs() as logs:
        async with listening(channel, desk):
            await desk.next()
            for event in nothing:
                await server.inject(event)
            await anna.says("живы?")
            assert (await desk.next()).text == "живы?"
    assert [incoming.text for incoming in desk.taken if incoming.text] == ["живы?"]
    told = [log for log in logs if log["event"] in {"event_skipped", "event_malformed"}]
    assert len(told) >= len(nothing)
    assert private not in str(logs)


async def test_duplicates_carry_one_id_and_any_order_is_taken(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person
) -> None:
    async with listening(channel, desk):
        await desk.next()
        server.duplicate()
        await anna.says("раз")
        first, second = await desk.next(), await desk.next()
        server.reorder()
        await anna.says("два")
        await anna.says("три")
        assert [(await desk.next()).text for _ in range(2)] == ["три", "два"]
    assert first.event_id == second.event_id


# ── the queue ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_came_while_we_were_down_is_not_lost(
    server: VkServer, channel: VkChannel, desk: Desk, cursor: MemoryCursor, anna: Person
) -> None:
    async with listening(channel, desk):
        await desk.next()
        await until(lambda: cursor.place == server.long_poll.ts)
    await anna.says("вы где?")
    async with listening(channel, desk):
        assert (await desk.next()).text == "вы где?"


async def test_the_first_start_begins_now_and_remembers_it(
    channel: VkChannel, desk: Desk, cursor: MemoryCursor, anna: Person
) -> None:
    cursor.place = None
    async with listening(channel, desk):
        await until(lambda: cursor.place is not None)
    await anna.says("первый вопрос")
    async with listening(channel, desk):
        assert (await desk.next()).text == "первый вопрос"


async def test_the_place_moves_only_after_the_whole_batch_is_taken(
    channel: VkChannel, desk: Desk, cursor: MemoryCursor, server: VkServer, anna: Person
) -> None:
    await anna.says("раз")
    desk.open.clear()
    async with listening(channel, desk):
        await until(lambda: desk.offered)
    assert cursor.place == "1"
    desk.open.set()
    async with listening(channel, desk):
        await until(lambda: cursor.place == server.long_poll.ts)
    assert desk.offered[0] == desk.offered[1]
    assert [incoming.text for incoming in desk.taken] == ["", "", "раз"]


async def test_a_lost_database_keeps_the_event_with_vk(
    channel: VkChannel, desk: Desk, cursor: MemoryCursor, server: VkServer, anna: Person
) -> None:
    await anna.says("раз")
    desk.failures = [Unavailable("no disk")] * 3
    with capture_logs() as logs:
        async with listening(channel, desk):
            await until(lambda: len(desk.taken) == 3)
            await until(lambda: cursor.place == server.long_poll.ts)
    assert len(set(desk.offered[:4])) == 1
    assert len(desk.offered) == 6
    assert [log["event"] for log in logs if log["event"].startswith("listening")] == [
        "listening_interrupted",
        "listening_again",
    ]


async def test_a_cursor_that_cannot_be_kept_is_tried_again(
    server: VkServer, channel: VkChannel, desk: Desk, cursor: MemoryCursor
) -> None:
    await server.person().start()
    cursor.failures = [Unavailable("load"), Unavailable("load again"), Unavailable("save")]
    async with listening(channel, desk):
        await until(lambda: cursor.place == server.long_poll.ts)
    assert {incoming.event_id for incoming in desk.taken} == {each["event_id"] for each in server.events.sent}


async def test_a_bug_over_there_is_logged_without_words_and_the_event_counts_as_taken(
    channel: VkChannel, desk: Desk, cursor: MemoryCursor, server: VkServer, anna: Person
) -> None:
    desk.failures = [RuntimeError("ФИО и телефон"), ValueError("ФИО и телефон")]
    await anna.says("дальше")
    with capture_logs() as logs:
        async with listening(channel, desk):
            assert (await desk.next()).text == "дальше"
            await until(lambda: cursor.place == server.long_poll.ts)
    assert [log["error"] for log in logs if log["event"] == "event_failed"] == ["RuntimeError", "ValueError"]
    assert "ФИО" not in str(logs)


@pytest.mark.parametrize(("code", "lost"), [(1, True), (2, False), (3, True)])
async def test_a_queue_that_starts_again_is_followed(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person, code: int, lost: bool
) -> None:
    with capture_logs() as logs:
        async with listening(channel, desk):
            await desk.next()
            await server.long_poll_fails(code)
            keys = 1 if code == 1 else 2
            await until(lambda: len(server.calls_of("groups.getLongPollServer")) == keys)
            await server.listened()
            await anna.says("слышно?")
            assert (await desk.next()).text == "слышно?"
    assert any(log["event"] == "events_may_be_lost" for log in logs) is lost


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        ('{"failed": 1, "ts": "3"}', 1),
        ('{"failed": 1}', 1),
        ('{"failed": 2}', 3),
        ('{"failed": 3}', 1),
        ('{"failed": 77}', 3),
        ('{"updates": []}', 3),
        ('{"ts": "3", "updates": null}', 3),
    ],
)
async def test_only_what_vk_calls_lost_is_given_up(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person, answer: str, events: int
) -> None:
    server.fail(fault=Fault.raw(answer), method=LONG_POLL)
    async with listening(channel, desk):
        await server.listened()
        await anna.says("слышно?")
        await until(lambda: desk.taken and desk.taken[-1].text == "слышно?")
    assert len(desk.taken) == events


@pytest.mark.parametrize("place", ["999999", "мусор", "-5"])
async def test_a_place_that_vk_does_not_know_is_given_up(
    server: VkServer, clock: FastClock, desk: Desk, anna: Person, place: str
) -> None:
    cursor = MemoryCursor(place)
    channel = VkChannel(TOKEN, GROUP, clock=clock, cursor=cursor, api_url=server.url)
    with capture_logs() as logs:
        async with listening(channel, desk):
            await until(lambda: any(log["event"] == "events_may_be_lost" for log in logs))
            await anna.says("слышно?")
            assert (await desk.next()).text == "слышно?"
    await channel.close()


@pytest.mark.parametrize("fault", [Fault.html_page(), Fault.drop(), Fault.http(500), Fault.raw("[]")])
async def test_a_shaken_network_loses_nothing(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person, fault: Fault
) -> None:
    server.fail(fault=fault, method="groups.setLongPollSettings")
    server.fail(fault=fault, method="groups.getLongPollServer", times=2)
    server.fail(fault=fault, method=LONG_POLL, times=3)
    with capture_logs() as logs:
        async with listening(channel, desk):
            await desk.next()
            await anna.says("слышно?")
            assert (await desk.next()).text == "слышно?"
    assert any(log["event"] == "listening_interrupted" for log in logs)
    assert TOKEN not in str(logs)


async def test_vk_may_be_away_at_the_start_and_later(
    clock: FastClock, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = VkServer(token=TOKEN, group_id=GROUP, clock=clock)
    await server.start()
    await server.stop()
    channel = VkChannel(TOKEN, GROUP, clock=clock, cursor=MemoryCursor("1"), api_url=server.url)
    with capture_logs() as logs:
        async with listening(channel, desk):
            await until(lambda: logs)
            await server.start()
            anna = server.person()
            await anna.start()
            await desk.next()
            await server.stop()
            await anna.says("ау")
            await until(lambda: len(logs) >= 3)
            await server.start()
            assert (await desk.next()).text == "ау"
    await server.stop()
    await channel.close()
    changes = [log["event"] for log in logs if log["event"].startswith("listening")]
    assert changes[:2] == ["listening_interrupted", "listening_again"]
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - nothing else runs


async def test_long_poll_is_switched_on_at_the_start(
    server: VkServer, channel: VkChannel, desk: Desk
) -> None:
    server.long_poll.enabled = False
    server.long_poll.events.clear()
    anna = server.person()
    async with listening(channel, desk):
        await server.listened()
        await anna.says("слышно?")
        assert (await desk.next()).text == "слышно?"


async def test_settings_that_may_not_be_changed_are_left_alone(
    server: VkServer, channel: VkChannel, desk: Desk
) -> None:
    await server.person().start()
    server.fail(fault=Fault.error(15), method="groups.setLongPollSettings")
    with capture_logs() as logs:
        async with listening(channel, desk):
            await desk.next()
    assert any(log["event"] == "long_poll_settings_not_permitted" for log in logs)


async def test_a_wrong_token_ends_the_listening(server: VkServer, clock: FastClock, desk: Desk) -> None:
    channel = VkChannel("wrong", GROUP, clock=clock, cursor=MemoryCursor(), api_url=server.url)
    with pytest.raises(Closed, match="ключ доступа"):
        await asyncio.wait_for(channel.listen(desk.receive), 5)
    await channel.close()


async def test_long_poll_that_nobody_may_switch_on_ends_the_listening(
    server: VkServer, channel: VkChannel, desk: Desk
) -> None:
    server.long_poll.enabled = False
    server.fail(fault=Fault.error(7), method="groups.setLongPollSettings")
    with pytest.raises(Closed, match="longpoll"):
        await asyncio.wait_for(channel.listen(desk.receive), 5)


# ── the Callback API ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def called(server: VkServer, clock: FastClock) -> AsyncIterator[VkChannel]:
    channel = VkChannel(
        TOKEN, GROUP, clock=clock, cursor=MemoryCursor(), api_url=server.url, callback=CALLBACK
    )
    yield channel
    await channel.close()


@pytest.fixture
async def client(called: VkChannel, desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    router = called.routes(desk.receive)
    assert router is not None
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        yield client


@asynccontextmanager
async def serving(channel: VkChannel, desk: Desk) -> AsyncIterator[str]:
    app = FastAPI()
    router = channel.routes(desk.receive)
    assert router is not None
    app.include_router(router)
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", access_log=False)
    process = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(process.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/vk/callback"
        process.should_exit = True
        await task


async def test_without_the_callback_api_there_is_no_door(channel: VkChannel, desk: Desk) -> None:
    assert channel.routes(desk.receive) is None


async def test_with_the_callback_api_listening_returns_at_once(called: VkChannel, desk: Desk) -> None:
    await asyncio.wait_for(called.listen(desk.receive), 1)


async def test_events_are_called_in(server: VkServer, called: VkChannel, desk: Desk) -> None:
    async with serving(called, desk) as url:
        await server.set_callback(url, secret=CALLBACK.secret, confirmation=CALLBACK.confirmation)
        anna = server.person(first_name="Анна")
        desk.failures = [Unavailable("no disk")] * 2
        await anna.says("слышно?")
        heard = await desk.next()
        await server.callback.settled()
    assert (heard.text, heard.name) == ("слышно?", "Анна")
    statuses = [each.status for each in server.callback.deliveries]
    assert statuses.count(503) == 2
    assert {each.body for each in server.callback.deliveries if each.accepted} == {"ok"}
    assert len({each.event_id for each in server.callback.deliveries}) == 2
    assert server.callback.undelivered == server.callback.removed == []


async def test_ok_is_said_only_after_the_commit(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.open.clear()
    post = asyncio.create_task(
        client.post("/vk/callback", json=raw_message(text="а") | {"secret": CALLBACK.secret})
    )
    await until(lambda: desk.offered)
    assert not post.done()
    desk.open.set()
    answer = await post
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["content-type"].startswith("text/plain")
    assert desk.taken[0].text == "а"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"type": "confirmation", "group_id": GROUP}, 200, CALLBACK.confirmation),
        ({"type": "confirmation", "group_id": GROUP, "secret": CALLBACK.secret}, 200, CALLBACK.confirmation),
        ({"type": "confirmation", "group_id": 1, "secret": CALLBACK.secret}, 403, ""),
        (raw_message(text="а"), 403, ""),
        (raw_message(text="а") | {"secret": "wrong"}, 403, ""),
        (raw_message(text="а") | {"secret": ["s3cret"]}, 403, ""),
        (raw_message(text="а") | {"secret": CALLBACK.secret, "group_id": 1}, 403, ""),
        ([], 403, ""),
        (None, 403, ""),
        (raw_event("like_add", {}, secret=CALLBACK.secret), 200, "ok"),
        (raw_event("message_new", "мусор", secret=CALLBACK.secret), 200, "ok"),
        (raw_event("message_new", {"message": {}}, secret=CALLBACK.secret), 200, "ok"),
        ({"group_id": GROUP, "secret": CALLBACK.secret}, 200, "ok"),
    ],
)
async def test_the_door_knows_its_guests(
    client: httpx.AsyncClient, desk: Desk, body: Any, status: int, text: str
) -> None:
    answer = await client.post("/vk/callback", json=body)
    assert (answer.status_code, answer.text) == (status, text)
    assert desk.offered == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 403),
        (b"{", 403),
        (b"\xff\xfe", 403),
        (b"[" * 100_000, 403),
        (b" " * (CALLBACK_BODY_LIMIT + 1), 413),
    ],
)
async def test_rubbish_at_the_door_is_turned_away(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    assert (await client.post("/vk/callback", content=body)).status_code == status


async def test_a_bug_over_there_is_still_ok_for_vk(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.failures = [RuntimeError("bug")]
    answer = await client.post("/vk/callback", json=raw_message(text="а") | {"secret": CALLBACK.secret})
    assert (answer.status_code, answer.text) == (200, "ok")


# ── what we say ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_long_text_is_split_below_the_limit(channel: VkChannel) -> None:
    text = "\n".join(f"{number}. **Шаг** [сюда](https://example.ru/{number}) 😀" for number in range(400))
    pieces = channel.compose(outgoing(text, reply_to="5"), ())
    assert pieces == channel.compose(outgoing(text, reply_to="5"), ())
    assert len(pieces) > 3
    assert all(0 < len(drawn(each).encode("utf-16-le")) // 2 <= 4000 for each in pieces)
    assert [each.reply_to for each in pieces] == ["5"] + [None] * (len(pieces) - 1)
    assert "0. Шаг сюда: https://example.ru/0 😀" in drawn(pieces[0])


def test_nothing_gives_no_pieces(channel: VkChannel) -> None:
    assert channel.compose(outgoing(), ()) == ()
    assert channel.compose(outgoing(" \n "), ()) == ()


def column(amount: int) -> Rows:
    return tuple((Button(f"Кнопка {number}", f"t:{number}"),) for number in range(amount))


@pytest.mark.parametrize(
    ("buttons", "shapes"),
    [
        (column(6), [[1, 1, 1, 1, 1, 1]]),
        (column(7), [[1, 1, 1, 1, 1, 2]]),
        (column(10), [[1, 1, 2, 2, 2, 2]]),
        (column(13), [[1, 1, 2, 2, 2, 2], [1, 1, 1]]),
        ((tuple(Button(str(number), "x") for number in range(7)),), [[5, 2]]),
    ],
)
async def test_buttons_are_repacked_into_what_vk_takes(
    channel: VkChannel, anna: Person, buttons: Rows, shapes: list[list[int]]
) -> None:
    await send_all(channel, anna, outgoing("Выбирайте", buttons=buttons))
    said = [message for message in anna.chat if message.from_bot]
    assert [[len(row) for row in message.buttons] for message in said] == shapes
    assert [label for message in said for row in message.buttons for label in row] == [
        button.label for row in buttons for button in row
    ]
    assert [message.text for message in said][1:] == ["Ещё варианты:"] * (len(shapes) - 1)


async def test_buttons_ride_on_the_last_text_and_long_labels_are_cut(
    channel: VkChannel, anna: Person
) -> None:
    label = "Подтверждённая учётная запись ребёнка на Госуслугах"
    text = "\n".join(["строка " * 10] * 100)
    await send_all(channel, anna, outgoing(text, buttons=((Button(label, "t:x" * 20),),)))
    said = [message for message in anna.chat if message.from_bot]
    assert [bool(message.buttons) for message in said] == [False, True]
    assert said[1].buttons == [[label[:39] + "…"]]


async def test_buttons_alone_get_some_words(channel: VkChannel, anna: Person) -> None:
    await send_all(channel, anna, outgoing(buttons=column(2)))
    assert anna.chat[-1].text == "Выберите вариант:"


async def test_what_a_person_typed_is_shown_as_typed(channel: VkChannel, anna: Person) -> None:
    typed = "a < b && c_d_ *e* [club1|f] \\"
    await send_all(channel, anna, outgoing(f"**Вы писали:** {escape(typed)}"))
    assert anna.chat[-1].text == f"Вы писали: {typed}"


async def test_the_id_is_what_replies_refer_to(channel: VkChannel, anna: Person) -> None:
    question = anna.chat[-1]
    sent = await channel.send(address(anna), piece(reply_to=str(question.cmid)), key="k")
    heard = await anna.hears("Ответ")
    assert sent == str(heard.cmid)
    assert heard.reply_to == question.id


async def test_an_answer_to_a_message_that_has_gone_is_sent_all_the_same(
    channel: VkChannel, anna: Person
) -> None:
    await channel.send(address(anna), piece("без цитаты", reply_to="777"), key="k1")
    await channel.send(address(anna), piece("и так", reply_to="id12"), key="k2")
    assert (await anna.hears("без цитаты")).reply_to is None
    await anna.hears("и так")


async def test_the_same_key_is_shown_once(channel: VkChannel, anna: Person) -> None:
    first = await channel.send(address(anna), piece(), key="letter:7:0")
    again = await channel.send(address(anna), piece(), key="letter:7:0")
    other = await channel.send(address(anna), piece(), key="letter:7:1")
    assert first == again != other
    assert len([message for message in anna.chat if message.from_bot]) == 2


def test_random_ids_are_stable_positive_int32() -> None:
    numbers = {random_id(f"letter:{number}") for number in range(1000)}
    assert len(numbers) == 1000
    assert all(0 < number < 2**31 for number in numbers)
    assert random_id("letter:7:0") == 1245220969  # must not change between releases


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def local(
    folder: Path, kind: AttachmentKind, name: str, *, mime: str, content: bytes = b"content"
) -> LocalFile:
    path = folder / f"{next(_numbers)}"
    path.write_bytes(content)
    return LocalFile(kind, name, mime, path)


async def test_files_go_out(channel: VkChannel, anna: Person, folder: Path) -> None:
    photo = local(folder, "photo", "экран.jpg", mime="image/jpeg", content=JPEG)
    pdf = local(folder, "file", "Памятка родителю.pdf", mime="application/pdf")
    voice = local(folder, "voice", "voice.ogg", mime="audio/ogg", content=b"OggS")
    await send_all(channel, anna, outgoing("Смотрите", buttons=column(1)), files=(photo,))
    captioned = anna.chat[-1]
    await send_all(channel, anna, outgoing("Всё сразу"), files=(photo, pdf, voice))
    text, both, spoken = anna.chat[-3:]
    assert (captioned.text, captioned.photo, captioned.buttons) == ("Смотрите", JPEG, [["Кнопка 0"]])
    assert (text.text, text.attachments) == ("Всё сразу", [])
    assert (both.photo, both.documents) == (JPEG, [("Памятка родителю.pdf", b"content")])
    assert [one.kind for one in spoken.attachments] == ["audio_message"]


async def test_ten_files_fit_into_a_message(channel: VkChannel, anna: Person, folder: Path) -> None:
    photos = tuple(
        local(folder, "photo", f"{number}.png", mime="image/png", content=JPEG + bytes([number]))
        for number in range(12)
    )
    await send_all(channel, anna, outgoing(), files=photos)
    said = [message for message in anna.chat if message.from_bot]
    assert [len(message.photos) for message in said] == [10, 2]
    assert [content[-1] for message in said for content in message.photos] == list(range(12))


async def test_a_picture_that_vk_does_not_like_goes_as_a_file(
    channel: VkChannel, anna: Person, folder: Path
) -> None:
    strange = local(folder, "photo", "экран.jpg", mime="image/jpeg", content=b"no picture")
    heic = local(folder, "photo", "фото.heic", mime="image/heic", content=b"heic")
    await send_all(channel, anna, outgoing(), files=(strange, heic))
    assert anna.chat[-1].documents == [("экран.jpg", b"no picture"), ("фото.heic", b"heic")]


async def test_a_file_that_cannot_be_uploaded_says_why(
    server: VkServer, channel: VkChannel, anna: Person, folder: Path
) -> None:
    file = local(folder, "file", "a.pdf", mime="application/pdf")
    gone = LocalFile("file", "b.pdf", "application/pdf", folder / "none")
    expected: list[tuple[str, Fault, type[SendError]]] = [
        (UPLOAD, Fault.html_page(), NotSent),
        (UPLOAD, Fault.drop(), NotSent),
        ("docs.save", Fault.execute_then_drop(), NotSent),
        (UPLOAD, Fault.http(413), Rejected),
        (UPLOAD, Fault.raw('{"error": "no_file"}'), Rejected),
        (UPLOAD, Fault.raw("{}"), Rejected),
        ("docs.getMessagesUploadServer", Fault.error(15), Rejected),
        ("docs.getMessagesUploadServer", Fault.error(901), Unreachable),
        ("docs.save", Fault.error(105), Rejected),
        ("docs.save", Fault.error(6), SlowDown),
    ]
    for method, fault, error in expected:
        server.fail(fault=fault, method=method)
        with pytest.raises(error):
            await channel.send(address(anna), piece(files=(file,)), key="k")
    with pytest.raises(Rejected, match="нет на диске"):
        await channel.send(address(anna), piece(files=(gone,)), key="k")
    assert not [message for message in anna.chat if message.from_bot]


ERRORS: list[tuple[int, type[SendError], Any]] = [
    (1, Unfinished, None),
    (5, Closed, None),
    (6, SlowDown, 1),
    (7, Unreachable, "not_allowed"),
    (9, SlowDown, 1),
    (10, Unfinished, None),
    (14, SlowDown, 60),
    (18, Unreachable, "gone"),
    (27, Closed, None),
    (28, Closed, None),
    (29, SlowDown, 1),
    (100, Rejected, None),
    (900, Unreachable, "blocked"),
    (901, Unreachable, "not_allowed"),
    (902, Unreachable, "not_allowed"),
    (911, Rejected, None),
    (912, Closed, None),
    (913, Rejected, None),
    (914, Rejected, None),
    (917, Unreachable, "kicked"),
    (921, Rejected, None),
    (922, Unreachable, "kicked"),
    (936, Unreachable, "gone"),
    (945, Unreachable, "gone"),
    (950, Unreachable, "not_allowed"),
    (4242, Rejected, None),
]


@pytest.mark.parametrize(("code", "kind", "detail"), ERRORS)
@pytest.mark.parametrize("per_peer", [False, True])
async def test_each_refusal_means_what_it_says(
    server: VkServer,
    channel: VkChannel,
    anna: Person,
    code: int,
    kind: type[SendError],
    detail: Any,
    per_peer: bool,
) -> None:
    if per_peer:
        anna.refuses(code)
    elif code == 14:
        server.fail(fault=Fault.captcha(), method="messages.send")
    else:
        server.fail(fault=Fault.error(code, f"about {TOKEN}"), method="messages.send")
    with pytest.raises(SendError) as caught:
        await channel.send(address(anna), piece(), key="k")
    error = caught.value
    assert type(error) is kind
    assert TOKEN not in str(error)
    if isinstance(error, Unreachable):
        assert error.reason == detail
    if isinstance(error, SlowDown):
        assert error.seconds == detail


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (Fault.html_page(), 1),
        (Fault.html_page(status=200), 1),
        (Fault.http(500), 1),
        (Fault.drop(), 1),
        (Fault.execute_then_drop(), 1),
        (Fault.raw('{"response": []}'), 1),
        (Fault.raw("[]"), 1),
    ],
)
async def test_an_unknown_fate_is_said_and_a_second_try_is_not_seen_twice(
    server: VkServer, channel: VkChannel, anna: Person, fault: Fault, shown: int
) -> None:
    server.fail(fault=fault, method="messages.send")
    began = SystemClock().monotonic()
    with pytest.raises(Unfinished):
        await channel.send(address(anna), piece(), key="k")
    assert SystemClock().monotonic() - began < 2  # the library would sleep and repeat by itself
    assert [call.method for call in server.calls].count("messages.send") <= 1
    await channel.send(address(anna), piece(), key="k")
    assert len([message for message in anna.chat if message.from_bot]) == shown


async def test_a_person_who_never_wrote_cannot_be_written_to(server: VkServer, channel: VkChannel) -> None:
    stranger = server.person(first_name="Чужой")
    with pytest.raises(Unreachable) as caught:
        await channel.send(address(stranger), piece(), key="k")
    assert caught.value.reason == "not_allowed"


async def test_what_cannot_be_sent_at_all_is_rejected(channel: VkChannel, anna: Person) -> None:
    with pytest.raises(Rejected):
        await channel.send(address(anna), Piece(), key="k")
    with pytest.raises(Rejected):
        await channel.send(Address("vk", "@durov"), piece(), key="k")


async def test_to_a_server_that_is_not_there_nothing_was_sent(clock: FastClock) -> None:
    channel = VkChannel(
        TOKEN, GROUP, clock=clock, cursor=MemoryCursor(), api_url="http://127.0.0.1:1/method/"
    )
    with pytest.raises(NotSent):
        await channel.send(Address("vk", "42"), piece(), key="k")
    await channel.close()


async def test_twenty_calls_a_second_are_never_passed(clock: FastClock) -> None:
    async with VkServer(token=TOKEN, group_id=GROUP, clock=clock) as server:
        anna = server.person()
        await anna.start()
        channel = VkChannel(TOKEN, GROUP, clock=clock, cursor=MemoryCursor(), api_url=server.url)
        try:
            await asyncio.gather(
                *(channel.send(address(anna), piece(), key=f"k{each}") for each in range(50))
            )
        finally:
            await channel.close()
        assert server.limit_hits == []


async def test_the_token_and_the_words_stay_out_of_addresses_and_logs(
    clock: FastClock, caplog: pytest.LogCaptureFixture
) -> None:
    addresses: list[str] = []
    bodies: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        addresses.append(str(request.url))
        bodies.append(await request.text())
        error = {"error_code": 100, "error_msg": f"wrong {TOKEN}", "captcha_sid": "1", "extra": "тайна"}
        return web.json_response({"error": error})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", refuse)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    channel = VkChannel(TOKEN, GROUP, clock=clock, cursor=MemoryCursor(), api_url=url)
    with caplog.at_level(logging.DEBUG), capture_logs() as logs, pytest.raises(Rejected):
        await channel.send(Address("vk", "42"), piece("тайна"), key="k")
    await channel.close()
    await runner.cleanup()
    assert addresses == [f"{url}/method/messages.send"]
    assert TOKEN in bodies[0]
    assert TOKEN not in caplog.text + str(logs)
    assert "тайна" not in caplog.text + str(logs)


# ── what is to go from the chat ───────────────────────────────────────────────────────────────────────────


def deletion(channel: VkChannel, person: Person, number: int) -> Piece:
    (one,) = channel.compose(Outgoing(address(person), "", delete=str(number)), ())
    return one


async def test_a_message_of_theirs_goes_from_the_communitys_side(
    server: VkServer, channel: VkChannel, anna: Person
) -> None:
    as_channel: Channel = channel
    assert not as_channel.deletes_theirs
    wrote = await anna.says("снилс 112-233-445 95")
    assert await channel.send(address(anna), deletion(channel, anna, wrote.cmid), key="k") == ""
    assert wrote not in server.world.dialogs[anna.user_id].inbox
    assert wrote in anna.chat
    # After a crash it is asked for again.
    assert await channel.send(address(anna), deletion(channel, anna, wrote.cmid), key="k") == ""


@pytest.mark.parametrize("code", [7, 15, 100, 924, 936])
async def test_what_vk_will_not_delete_is_no_trouble(
    server: VkServer, channel: VkChannel, anna: Person, code: int
) -> None:
    wrote = await anna.says("снилс 112-233-445 95")
    server.fail(fault=Fault.error(code, f"about {TOKEN}"), method="messages.delete")
    with capture_logs() as logs:
        assert await channel.send(address(anna), deletion(channel, anna, wrote.cmid), key="k") == ""
    assert [line["event"] for line in logs] == ["message_not_deleted"]
    assert TOKEN not in str(logs)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.error(6), SlowDown),
        (Fault.error(5), Closed),
        (Fault.error(10), Unfinished),
        (Fault.execute_then_drop(), Unfinished),
        (Fault.raw('{"response": [{"error": {"code": 10, "description": "later"}}]}'), Unfinished),
    ],
)
async def test_a_deletion_that_failed_for_now_is_tried_again(
    server: VkServer, channel: VkChannel, anna: Person, fault: Fault, expected: type[SendError]
) -> None:
    wrote = await anna.says("снилс 112-233-445 95")
    server.fail(fault=fault, method="messages.delete")
    with pytest.raises(expected):
        await channel.send(address(anna), deletion(channel, anna, wrote.cmid), key="k")
    assert await channel.send(address(anna), deletion(channel, anna, wrote.cmid), key="k") == ""
    assert wrote not in server.world.dialogs[anna.user_id].inbox


# ── files of people, and who we are ───────────────────────────────────────────────────────────────────────


async def test_a_file_that_cannot_be_had_says_why_in_russian(
    server: VkServer, channel: VkChannel, desk: Desk, anna: Person
) -> None:
    async with listening(channel, desk):
        await desk.next()
        await anna.sends_document("a.bin", b"x" * 3000)
        (large,) = (await desk.next()).attachments
    for ref, said in [
        (large.ref, "больше"),
        (f"{server.url}/files/none/none", "больше не отдаёт"),
        ("http://127.0.0.1:1/a", "не ответил"),
        ("http://", "не ответил"),
        ("file:///etc/passwd", "не дал ссылку"),
        ("", "не дал ссылку"),
    ]:
        with pytest.raises(FetchError, match=said):
            await channel.fetch(ref, limit=2999)
    assert len(await channel.fetch(large.ref, limit=3000)) == 3000


async def test_it_says_who_we_are(channel: VkChannel) -> None:
    assert await channel.check() == "vk.com/club219 (Помощь с дневником)"


async def test_a_token_of_another_community_is_noticed(server: VkServer, clock: FastClock) -> None:
    channel = VkChannel(TOKEN, 220, clock=clock, cursor=MemoryCursor(), api_url=server.url)
    with pytest.raises(Closed, match="от сообщества 219"):
        await channel.check()
    await channel.close()


async def test_a_check_says_what_is_wrong(server: VkServer, channel: VkChannel) -> None:
    for fault, error in [
        (Fault.error(5), Closed),
        (Fault.error(15), Closed),
        (Fault.html_page(), Unfinished),
        (Fault.raw('{"response": {}}'), Unfinished),
    ]:
        server.fail(fault=fault, method="groups.getById")
        with pytest.raises(error):
            await channel.check()


def test_nothing_is_asked_at_construction(clock: FastClock) -> None:
    VkChannel(TOKEN, GROUP, clock=clock, cursor=MemoryCursor())
