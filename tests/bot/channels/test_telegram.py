"""The Telegram channel against the emulated Bot API."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import certifi
import httpx
import pytest
import uvicorn
from aiohttp import web
from aiohttp.test_utils import TestServer
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
    TopicGone,
    Unfinished,
    Unreachable,
)
from bot.channels.telegram import TelegramChannel, Webhook
from faq.markup import Span, escape
from handlers.messages import Address, Button, Incoming, Outgoing
from storage.database import Unavailable
from tests.clock import FastClock
from tests.emulators.telegram import TINY_JPEG, AlbumItem, Fault, FileLimits, Person, TelegramServer

TOKEN = "7654321098:AAEmulatorEmulatorEmulatorEmulator1"
SECRET = "s3cret_of-the-webhook"

# aiohttp's own reader of uploads, on the server's side, calls what aiohttp calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning")


class Desk:
    """Takes events as the helpdesk does, and fails on demand."""

    def __init__(self) -> None:
        self.taken: list[Incoming] = []
        self.offered = 0
        self.failures: list[Exception] = []
        self._queue: asyncio.Queue[Incoming] = asyncio.Queue()

    async def receive(self, incoming: Incoming) -> None:
        self.offered += 1
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(incoming)
        self._queue.put_nowait(incoming)

    async def next(self) -> Incoming:
        async with asyncio.timeout(5):
            return await self._queue.get()


@pytest.fixture
def clock() -> FastClock:
    return FastClock(speed=50)


@pytest.fixture
async def server(clock: FastClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(token=TOKEN, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def channel(server: TelegramServer, clock: FastClock) -> AsyncIterator[TelegramChannel]:
    channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url)
    yield channel
    await channel.close()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def anna(server: TelegramServer) -> Person:
    """Somebody whom the bot may write to."""
    anna = server.person(first_name="Анна")
    await anna.start()
    return anna


@asynccontextmanager
async def listening(channel: TelegramChannel, desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(channel.listen(desk.receive))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Closed):
            await task


async def until(happened: Callable[[], bool], clock: FastClock) -> None:
    """Wait for what tells nobody that it happened."""
    async with asyncio.timeout(5):
        while not happened():
            await clock.sleep(0.5)


def address(person: Person) -> Address:
    return Address("telegram", str(person.id))


async def deliver(channel: Channel, message: Outgoing, *files: LocalFile) -> list[str]:
    pieces = channel.compose(message, files)
    return [await channel.send(message.to, piece, key=str(at)) for at, piece in enumerate(pieces)]


def file(folder: Path, name: str, content: bytes = TINY_JPEG, kind: Any = "photo") -> LocalFile:
    path = folder / name
    path.write_bytes(content)
    return LocalFile(kind=kind, name=name, mime="application/octet-stream", path=path)


def said(**fields: Any) -> dict[str, Any]:
    """A message update as Telegram words it."""
    person_id = 5_000_000_001
    person = {"id": person_id, "is_bot": False, "first_name": "Анна"}
    chat = {"id": person_id, "type": "private", "first_name": "Анна"}
    return {"message": {"message_id": 77, "date": 1, "from": person, "chat": chat, **fields}}


# ---- what comes in


async def test_a_text_arrives_raw_with_its_sender(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    boris = server.person(first_name="Борис")
    async with listening(channel, desk):
        wrote = await boris.says("Не могу <войти> в *дневник* https://example.org")
        event = await desk.next()
        await server.all_taken()
    assert event == Incoming(
        event_id=event.event_id,
        sender=address(boris),
        name="Борис",
        text="Не могу <войти> в *дневник* https://example.org",
        message_id=str(wrote.id),
    )
    assert event.event_id.isdecimal()


@pytest.mark.parametrize(
    ("text", "started", "words"),
    [
        ("/start", "", ""),
        ("/start school_12-a", "school_12-a", ""),
        ("/start@diary_help_bot x", "x", ""),
        ("/start не могу войти", None, "/start не могу войти"),
        ("/started", None, "/started"),
        ("/help", None, "/help"),
        ("/stop", None, "/stop"),
    ],
)
async def test_only_a_real_start_is_a_start(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, text: str, started: str | None, words: str
) -> None:
    async with listening(channel, desk):
        server.inject(said(text=text))
        event = await desk.next()
    assert (event.started, event.text) == (started, words)


async def test_a_reply_an_edit_and_a_press_say_which_message_they_mean(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, anna: Person, clock: FastClock
) -> None:
    async with listening(channel, desk):
        assert (await desk.next()).started == ""
        message = Outgoing(address(anna), "Что случилось?", buttons=((Button("Забыл пароль", "tree:7"),),))
        (sent,) = await deliver(channel, message)
        wrote = await anna.says("вот это", reply_to=int(sent))
        assert (await desk.next()).reply_to == sent

        await anna.edits(wrote, "вот то")
        edit = await desk.next()
        assert (edit.edited, edit.text, edit.message_id, edit.started) == (
            True,
            "вот то",
            str(wrote.id),
            None,
        )

        await anna.presses("Забыл пароль")
        press = await desk.next()
        assert (press.button, press.message_id, press.sender) == ("tree:7", sent, address(anna))
        assert (press.text, press.name) == ("", "Анна")
        await until(lambda: not server.unanswered_presses(), clock)


async def test_blocking_and_unblocking_changes_who_can_be_reached(
    channel: TelegramChannel, desk: Desk, anna: Person
) -> None:
    async with listening(channel, desk):
        await desk.next()
        await anna.blocks()
        assert (await desk.next()).reachable is False
        await anna.unblocks()
        assert (await desk.next()).reachable is True


async def test_files_come_with_their_kind_name_and_bytes(
    channel: TelegramChannel, desk: Desk, anna: Person
) -> None:
    async with listening(channel, desk):
        await desk.next()
        await anna.sends_photo(TINY_JPEG, caption="экран")
        photo = await desk.next()
        await anna.sends_document("../..\\справка\u202e.pdf", b"%PDF", mime="application/pdf")
        document = await desk.next()
        await anna.sends_voice(b"OggS")
        voice = await desk.next()
        await anna.sends_video(b"video")
        video = await desk.next()
        await anna.sends_sticker()
        sticker = await desk.next()
    assert photo.text == "экран"
    assert [event.attachments[0].kind for event in (photo, document, voice, video, sticker)] == [
        "photo",
        "file",
        "voice",
        "video",
        "sticker",
    ]
    assert photo.attachments[0].name == "фото.jpg"
    assert not photo.attachments[0].ref.endswith("s"), "the largest size"
    assert document.attachments[0].name == "справка.pdf"
    assert (document.attachments[0].mime, document.attachments[0].size) == ("application/pdf", 4)
    assert voice.attachments[0].name == "голосовое.ogg"
    assert await channel.fetch(document.attachments[0].ref, limit=1000) == b"%PDF"
    assert await channel.fetch(photo.attachments[0].ref, limit=1000) == TINY_JPEG


async def test_every_photo_of_an_album_arrives(channel: TelegramChannel, desk: Desk, anna: Person) -> None:
    async with listening(channel, desk):
        await desk.next()
        await anna.sends_album([TINY_JPEG, AlbumItem(TINY_JPEG), TINY_JPEG], caption="три экрана")
        events = [await desk.next() for _ in range(3)]
    assert [event.text for event in events] == ["три экрана", "", ""]
    assert len({event.album for event in events} - {None}) == 1
    assert len({event.attachments[0].ref for event in events}) == 3


@pytest.mark.parametrize(
    ("fields", "kind", "name"),
    [
        ({"video_note": {"length": 240, "duration": 1}}, "video", "видеосообщение.mp4"),
        ({"audio": {"duration": 1, "file_name": "урок.mp3"}}, "file", "урок.mp3"),
        (
            {"animation": {"width": 1, "height": 1, "duration": 1}, "document": {"file_name": "a.gif"}},
            "video",
            "анимация.mp4",
        ),
        ({"document": {}}, "file", "файл"),
    ],
)
async def test_rarer_media_are_taken_too(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, fields: Any, kind: str, name: str
) -> None:
    media = {field: {"file_id": "F", "file_unique_id": "U", **body} for field, body in fields.items()}
    async with listening(channel, desk):
        server.inject(said(**media))
        (attachment,) = (await desk.next()).attachments
    assert (attachment.kind, attachment.name, attachment.ref, attachment.size) == (kind, name, "F", None)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"poll": {"some": "novelty"}}, "опрос"),
        ({"location": {"latitude": 1.0}, "venue": {"title": "школа"}}, "место на карте"),
        ({"location": {"latitude": 1.0}}, "геопозиция"),
    ],
)
async def test_what_cannot_be_taken_is_named(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, fields: Any, named: str
) -> None:
    async with listening(channel, desk):
        server.inject(said(**fields))
        assert (await desk.next()).unreadable == named


async def test_a_shared_phone_number_is_not_taken(channel: TelegramChannel, desk: Desk, anna: Person) -> None:
    async with listening(channel, desk):
        await desk.next()
        await anna.shares_contact("+79991234567")
        event = await desk.next()
    assert event.unreadable == "контакт"
    assert "999" not in repr(event)


async def test_a_novelty_beside_the_text_does_not_lose_the_text(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    novelty = {"type": "hologram", "sender_user": 7}
    async with listening(channel, desk):
        server.inject(
            said(text="помогите\x00 \ud83d", forward_origin=novelty, entities="not a list", date="today")
        )
        assert (await desk.next()).text == "помогите ?"


async def test_useless_updates_are_confirmed_and_stop_nobody(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    useless: list[Any] = [
        {"message": "не объект"},
        {"message": {"message_id": 1}},
        {"hologram": {"id": 1}},
        {},
        "не обновление",
        None,
        said(),
        said(text=""),
        said(text="я" * 100_000),
        said(text="в группе", chat={"id": -100_200, "type": "supergroup", "title": "5Б"}),
        said(text="бот", **{"from": {"id": 9, "is_bot": True, "first_name": "Бот"}}),
        said(new_chat_title="служебное"),
        {"callback_query": {"id": "1"}},
        {"my_chat_member": {"chat": None}},
        said(text=[[[]]], photo=[1, 2], **{"from": None}),
    ]
    with capture_logs() as logs:
        async with listening(channel, desk):
            for raw in useless:
                server.inject(raw)
            server.inject(said(text="а я жду"))
            assert (await desk.next()).text == "а я жду"
            await server.all_taken()
    assert len(desk.taken) == 1
    skipped = [line for line in logs if line["event"] == "telegram_update_skipped"]
    assert len(skipped) == len(useless)
    assert {line["kind"] for line in skipped} <= {"message", "callback_query", "my_chat_member", "unknown"}
    assert "в группе" not in str(logs)


async def test_an_update_that_cannot_be_stored_is_offered_again_before_the_next(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, anna: Person
) -> None:
    desk.failures = [Unavailable("database")] * 3
    await anna.says("первое")
    await anna.says("второе")
    with capture_logs() as logs:
        async with listening(channel, desk):
            events = [await desk.next() for _ in range(3)]
            await server.all_taken()
    assert [event.text for event in events] == ["", "первое", "второе"]
    assert desk.offered == 6
    assert [line["event"] for line in logs if line.get("deed") == "storing"] == [
        "telegram_trouble",
        "telegram_trouble_over",
    ]


@pytest.mark.usefixtures("anna")
async def test_what_was_not_taken_before_a_stop_comes_again_after_it(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, clock: FastClock
) -> None:
    desk.failures = [Unavailable("database")] * 10_000
    async with listening(channel, desk):
        await until(lambda: desk.offered > 1, clock)
        assert server.pending
    desk.failures = []
    async with listening(channel, desk):
        assert (await desk.next()).started == ""
        await server.all_taken()


async def test_a_bug_in_a_handler_loses_one_event_and_no_secrets(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, anna: Person
) -> None:
    desk.failures = [ValueError("Анна пишет про СНИЛС")]
    with capture_logs() as logs:
        async with listening(channel, desk):
            await anna.says("второе")
            assert (await desk.next()).text == "второе"
            await server.all_taken()
    assert {"event": "telegram_receive_failed", "error": "ValueError", "log_level": "error"} in logs
    assert "Анна" not in str(logs)
    assert TOKEN not in str(logs)


async def test_repeated_and_reordered_updates_pass_with_their_ids(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    boris = server.person()
    async with listening(channel, desk):
        server.inject({**said(text="поздний"), "update_id": 1_000_000_002})
        server.inject({**said(text="ранний"), "update_id": 1_000_000_001})
        events = [await desk.next(), await desk.next()]
        await server.all_taken()
        server.duplicate()
        await boris.says("дважды")
        twice = [await desk.next(), await desk.next()]
        await server.all_taken()
    assert {event.event_id for event in events} == {"1000000001", "1000000002"}
    assert twice[0].event_id == twice[1].event_id


async def test_numbers_that_start_anew_lower_lose_nothing(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    async with listening(channel, desk):
        server.inject({**said(text="до"), "update_id": 2_000_000_000})
        assert (await desk.next()).text == "до"
        await server.all_taken()
        server.inject({**said(text="после тихой недели"), "update_id": 1000})
        assert (await desk.next()).text == "после тихой недели"
        await server.all_taken()


# ---- the listening loop


async def test_backlog_is_kept_and_only_wanted_kinds_are_asked_for(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, anna: Person
) -> None:
    await anna.says("пока бот спал")
    async with listening(channel, desk):
        assert [(await desk.next()).text for _ in range(2)] == ["", "пока бот спал"]
    polls = server.calls_of("getUpdates")
    assert "my_chat_member" in str(polls[0].params["allowed_updates"])
    assert server.calls_of("deleteWebhook")[0].params.get("drop_pending_updates") in {"false", None}
    assert "setMyCommands" in str(server.profile)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.conflict(),
        Fault.server_error(),
        Fault.html_page(),
        Fault.too_many_requests(5),
        Fault.too_many_requests(None),
        Fault.drop(),
        Fault.execute_then_drop(),
        Fault.bad_request("Bad Request: something new"),
    ],
    ids=lambda fault: f"{fault.kind}{fault.code}",
)
@pytest.mark.usefixtures("anna")
async def test_no_trouble_ends_the_loop(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, fault: Fault
) -> None:
    server.fail(method="getUpdates", fault=fault, times=2)
    with capture_logs() as logs:
        async with listening(channel, desk):
            assert (await desk.next()).started == ""
    troubles = [line["event"] for line in logs if line.get("deed") == "listening"]
    assert troubles == ["telegram_trouble", "telegram_trouble_over"]
    assert TOKEN not in str(logs)


async def test_the_menu_leads_where_parents_want_to_go(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    async with listening(channel, desk):
        await server.polled()
    (told,) = server.calls_of("setMyCommands")
    offered = [each["command"] for each in json.loads(told.params["commands"])]
    assert offered[:4] == ["login", "menu", "human", "mine"]
    assert "forget" in offered


@pytest.mark.usefixtures("anna")
async def test_a_failed_introduction_does_not_stop_listening(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    server.fail(method="setMyCommands", fault=Fault.too_many_requests(3600))
    async with listening(channel, desk):
        assert (await desk.next()).started == ""


@pytest.mark.usefixtures("anna")
async def test_a_webhook_set_by_somebody_else_is_taken_away(
    server: TelegramServer, channel: TelegramChannel, desk: Desk
) -> None:
    server.fail(
        method="getUpdates",
        fault=Fault("answer", 409, "Conflict: can't use getUpdates method while webhook is active"),
    )
    async with listening(channel, desk):
        assert (await desk.next()).started == ""
    assert len(server.calls_of("deleteWebhook")) == 2


@pytest.mark.parametrize("method", ["deleteWebhook", "getUpdates"])
async def test_a_revoked_token_ends_listening(
    server: TelegramServer, channel: TelegramChannel, desk: Desk, method: str
) -> None:
    server.fail(method=method, fault=Fault.unauthorized())
    with pytest.raises(Closed, match="HELPDESK_TELEGRAM_TOKEN"):
        await asyncio.wait_for(channel.listen(desk.receive), 5)


async def test_listening_begins_when_the_network_comes(clock: FastClock, desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    channel = TelegramChannel(TOKEN, clock=clock, api_url=f"http://127.0.0.1:{port}")
    with capture_logs() as logs:
        async with listening(channel, desk):
            await until(lambda: bool(logs), clock)
            with pytest.raises(SlowDown):
                await channel.send(Address("telegram", "1"), Piece(spans=(Span("да"),)), key="1")
            with pytest.raises(Unfinished, match="Telegram не отвечает"):
                await channel.check()
            async with TelegramServer(token=TOKEN, clock=clock, port=port) as server:
                await server.person().says("дождался")
                assert (await desk.next()).text == "дождался"
    await channel.close()
    assert TOKEN not in str(logs)


# ---- the webhook


@pytest.fixture
async def door(
    clock: FastClock, desk: Desk, server: TelegramServer
) -> AsyncIterator[Callable[..., Awaitable[httpx.Response]]]:
    """POST to the webhook as Telegram does."""
    channel = TelegramChannel(
        TOKEN, clock=clock, api_url=server.url, webhook=Webhook("https://example.org", SECRET)
    )
    app = FastAPI()
    router = channel.routes(desk.receive)
    assert router is not None
    app.include_router(router)

    async def post(body: bytes, secret: bytes | None = SECRET.encode()) -> httpx.Response:
        headers = {} if secret is None else {b"X-Telegram-Bot-Api-Secret-Token": secret}
        return await client.post("/telegram/webhook", content=body, headers=headers)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        yield post
    await channel.close()


def body_of(update: dict[str, Any]) -> bytes:
    return json.dumps({"update_id": 5, **update}).encode()


async def test_the_webhook_takes_an_update(door: Any, desk: Desk) -> None:
    answer = await door(body_of(said(text="привет")))
    assert (answer.status_code, answer.content) == (200, b"")
    assert [event.text for event in desk.taken] == ["привет"]


@pytest.mark.parametrize("secret", [None, b"", b"wrong", SECRET.encode() + b"x", "секрет".encode()])
async def test_the_webhook_refuses_strangers(door: Any, desk: Desk, secret: bytes | None) -> None:
    answer = await door(body_of(said(text="привет")), secret)
    assert answer.status_code == 403
    assert desk.offered == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"update_id": 7, "hologram": {}}', b"[" * 100_000],
    ids=lambda body: repr(body[:10]),
)
async def test_the_webhook_does_not_want_nonsense_again(door: Any, desk: Desk, body: bytes) -> None:
    assert (await door(body)).status_code == 200
    assert desk.offered == 0


async def test_the_webhook_refuses_a_huge_body(door: Any, desk: Desk) -> None:
    assert (await door(body_of(said(text="я" * 1024 * 1024)))).status_code == 413
    assert desk.offered == 0


async def test_the_webhook_says_503_while_nothing_can_be_stored(door: Any, desk: Desk) -> None:
    desk.failures = [Unavailable("database")]
    assert (await door(body_of(said(text="раз")))).status_code == 503
    assert (await door(body_of(said(text="раз")))).status_code == 200
    assert len(desk.taken) == 1


async def test_the_webhook_counts_a_handlers_bug_as_taken(door: Any, desk: Desk) -> None:
    desk.failures = [KeyError("oops")]
    assert (await door(body_of(said(text="раз")))).status_code == 200


async def test_telegram_posts_to_the_webhook_and_repeats_what_was_refused(
    server: TelegramServer, clock: FastClock, desk: Desk
) -> None:
    app = FastAPI()
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none", access_log=False)
    host = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/telegram/webhook"
        channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url, webhook=Webhook(url, SECRET))
        router = channel.routes(desk.receive)
        assert router is not None
        app.include_router(router)
        desk.failures = [Unavailable("database")] * 2
        serving = asyncio.create_task(host.serve(sockets=[listener]))
        boris = server.person()
        await boris.says("пока бот спал")
        await asyncio.wait_for(channel.listen(desk.receive), 5)
        assert (await desk.next()).text == "пока бот спал"
        await boris.says("и после")
        assert (await desk.next()).text == "и после"
        await server.all_taken()
        host.should_exit = True
        await serving
        await channel.close()
    assert [post.status for post in server.webhook_tries] == [503, 503, 200, 200]
    assert server.calls_of("setWebhook")[0].params.get("drop_pending_updates") in {"false", None}


async def test_a_webhook_address_that_telegram_refuses_is_said(
    server: TelegramServer, clock: FastClock, desk: Desk
) -> None:
    channel = TelegramChannel(
        TOKEN, clock=clock, api_url=server.url, webhook=Webhook("http://example.org", SECRET)
    )
    with pytest.raises(Closed, match="вебхук"):
        await channel.listen(desk.receive)
    await channel.close()


def test_without_a_webhook_there_are_no_doors(clock: FastClock, desk: Desk) -> None:
    assert TelegramChannel(TOKEN, clock=clock).routes(desk.receive) is None


# ---- what goes out


async def test_markup_arrives_as_drawn_and_strangers_signs_as_typed(
    channel: TelegramChannel, anna: Person
) -> None:
    typed = "<b>&amp; **нет** [x](http://y.ru) & </a>"
    text = f'**Важно <&>**: [вход & "выход"](https://esia.ru/?a=1&b="2") — {escape(typed)}'
    await deliver(channel, Outgoing(address(anna), text))
    heard = await anna.hears("Важно")
    assert heard.text == f'Важно <&>: вход & "выход" — {typed}'
    assert "<b>Важно" in heard.html
    assert "https://esia.ru/?a=1&amp;b=" in heard.html


async def test_previews_are_off_and_a_reply_to_a_lost_message_is_sent_anyway(
    server: TelegramServer, channel: TelegramChannel, anna: Person
) -> None:
    asked = anna.chat[0]
    await deliver(channel, Outgoing(address(anna), "Ответ", reply_to=str(asked.id)))
    assert (await anna.hears("Ответ")).reply_to == asked.id
    await deliver(channel, Outgoing(address(anna), "Потеря", reply_to="999999,1000000"))
    assert (await anna.hears("Потеря")).reply_to is None
    await deliver(channel, Outgoing(address(anna), "Чужое", reply_to="не число"))
    await anna.hears("Чужое")
    assert "is_disabled" in str(server.calls_of("sendMessage")[0].params["link_preview_options"])


async def test_a_long_text_comes_in_pieces_with_the_buttons_on_the_last(
    channel: TelegramChannel, anna: Person
) -> None:
    words = [f"слово-{number}&" for number in range(2000)]
    message = Outgoing(
        address(anna), " ".join(words), buttons=((Button("Да", "yes"), Button("Нет", "no")),), reply_to="1001"
    )
    pieces = channel.compose(message, ())
    assert pieces == channel.compose(message, ())
    ids = await deliver(channel, message)
    heard = [part for part in anna.chat if part.from_bot]
    assert [str(part.id) for part in heard] == ids
    assert " ".join(part.text for part in heard).split() == words
    assert all(len(part.text) <= 4096 for part in heard)
    assert [part.buttons for part in heard[:-1]] == [[]] * (len(heard) - 1)
    assert heard[-1].buttons == [["Да", "Нет"]]
    assert [part.reply_to for part in heard] == [1001] + [None] * (len(heard) - 1)


async def test_buttons_are_cut_wrapped_and_continued(channel: TelegramChannel, anna: Person) -> None:
    wide = tuple(Button(str(at), f"p:{at}") for at in range(20))
    rows = ((Button("Очень " * 30, "long"), Button("Сайт", url="https://example.org")), wide, *[wide] * 5)
    await deliver(channel, Outgoing(address(anna), "Школа?", buttons=rows))
    first, more = await anna.hears("Школа?"), await anna.hears("Ещё варианты:")
    assert first.buttons[0][0].endswith("…")
    assert len(first.buttons[0][0]) == 64
    labels = [label for part in (first, more) for row in part.buttons for label in row]
    assert len(labels) == 2 + 6 * 20
    assert max(len(row) for row in first.buttons) == 8


async def test_a_message_with_nothing_gives_no_pieces_and_buttons_alone_get_words(
    channel: TelegramChannel, anna: Person
) -> None:
    assert channel.compose(Outgoing(address(anna), " \n "), ()) == ()
    await deliver(channel, Outgoing(address(anna), "", buttons=((Button("Да", "yes"),),)))
    assert (await anna.hears("Выберите вариант")).buttons == [["Да"]]


@pytest.mark.parametrize(
    "button",
    [Button("Да", "я" * 33), Button("Да"), Button("  ", "yes")],
    ids=["long payload", "no payload", "no label"],
)
def test_a_button_that_telegram_cannot_carry_is_rejected(clock: FastClock, button: Button) -> None:
    channel = TelegramChannel(TOKEN, clock=clock)
    with pytest.raises(Rejected):
        channel.compose(Outgoing(Address("telegram", "1"), "?", buttons=((button,),)), ())


async def test_one_file_takes_a_short_text_and_the_buttons_along(
    channel: TelegramChannel, anna: Person, tmp_path: Path
) -> None:
    message = Outgoing(address(anna), "**Вот** <он>", buttons=((Button("Спасибо", "thanks"),),))
    ids = await deliver(channel, message, file(tmp_path, "памятка.pdf", b"%PDF", "file"))
    heard = await anna.hears("Вот")
    assert (heard.caption, heard.document, heard.file_name) == ("Вот <он>", b"%PDF", "памятка.pdf")
    assert heard.buttons == [["Спасибо"]]
    assert ids == [str(heard.id)]


async def test_a_long_text_goes_before_its_file(
    channel: TelegramChannel, anna: Person, tmp_path: Path
) -> None:
    await deliver(channel, Outgoing(address(anna), "о" * 1025), file(tmp_path, "a.jpg"))
    text, photo = anna.chat[-2:]
    assert len(text.text) == 1025
    assert not photo.caption
    assert photo.photo == TINY_JPEG


async def test_what_can_stand_together_travels_as_an_album(
    channel: TelegramChannel, anna: Person, tmp_path: Path
) -> None:
    seen = [file(tmp_path, f"{at}.jpg") for at in range(11)] + [file(tmp_path, "a.mp4", b"mp4", "video")]
    others = [
        file(tmp_path, "a.ogg", b"OggS", "voice"),
        file(tmp_path, "b.ogg", b"OggS", "voice"),
        file(tmp_path, "a.txt", b"txt", "file"),
        file(tmp_path, "b.txt", b"txt", "file"),
    ]
    ids = await deliver(channel, Outgoing(address(anna), "Смотрите"), *seen, *others)
    heard = [part for part in anna.chat if part.from_bot]
    assert [len(each.split(",")) for each in ids] == [1, 10, 2, 1, 1, 2]
    assert ",".join(ids).split(",") == [str(part.id) for part in heard]
    kinds = [part.files[0].kind for part in heard[11:]]
    assert kinds == ["photo", "video", "voice", "voice", "document", "document"]
    albums = [part.media_group_id for part in heard]
    assert len(set(albums[1:11])) == len(set(albums[11:13])) == len(set(albums[15:])) == 1
    assert albums[13:15] == [None, None]


async def test_an_album_takes_a_short_text_along_but_no_buttons(
    server: TelegramServer, channel: TelegramChannel, anna: Person, tmp_path: Path
) -> None:
    photos = [file(tmp_path, f"{at}.jpg") for at in range(3)]
    await deliver(channel, Outgoing(address(anna), "**Смотрите**", reply_to=str(anna.chat[0].id)), *photos)
    first, *rest = [part for part in anna.chat if part.from_bot]
    assert (first.caption, first.reply_to) == ("Смотрите", anna.chat[0].id)
    assert [part.caption for part in rest] == ["", ""]

    board = ((Button("Взять", "take:7"),),)
    await deliver(channel, Outgoing(address(anna), "Заявка", buttons=board), *photos)
    words, *album = anna.chat[-4:]
    assert (words.text, words.buttons) == ("Заявка", [["Взять"]])
    assert [part.photo for part in album] == [TINY_JPEG] * 3

    await deliver(channel, Outgoing(address(anna), "я" * 1025), *photos)
    assert [call.method for call in server.calls_of("sendMessage")] == ["sendMessage"] * 2
    assert anna.chat[-4].text == "я" * 1025


async def test_what_is_no_photo_for_telegram_is_sent_as_a_document(
    channel: TelegramChannel, anna: Person, tmp_path: Path
) -> None:
    message = Outgoing(address(anna), "Экран")
    await deliver(channel, message, file(tmp_path, "tall.jpg", b"not a picture"))
    assert (await anna.hears("Экран")).document == b"not a picture"
    heavy = file(tmp_path, "heavy.jpg", TINY_JPEG + bytes(10 * 1024 * 1024))
    await deliver(channel, message, heavy)
    assert (await anna.hears("Экран")).document is not None
    await deliver(channel, message, *[file(tmp_path, f"{at}.jpg", b"bad") for at in range(2)])
    assert [part.document for part in anna.chat[-2:]] == [b"bad", b"bad"]


@pytest.mark.parametrize(("name", "size"), [("empty.txt", 0), ("huge.bin", 50 * 1024 * 1024 + 1)])
async def test_a_file_that_cannot_go_is_rejected_before_it_is_sent(
    server: TelegramServer, channel: TelegramChannel, anna: Person, tmp_path: Path, name: str, size: int
) -> None:
    path = tmp_path / name
    with path.open("wb") as opened:
        opened.truncate(size)
    piece = Piece(files=(LocalFile("file", name, "text/plain", path),))
    with pytest.raises(Rejected):
        await channel.send(address(anna), piece, key="1")
    path.unlink()
    with pytest.raises(Rejected):
        await channel.send(address(anna), piece, key="1")
    assert server.calls == []


# ---- how sending fails


@pytest.mark.parametrize(
    ("fault", "expected", "says"),
    [
        (Fault.too_many_requests(4000), SlowDown, "4000"),
        (Fault.too_many_requests(None), SlowDown, "10"),
        (Fault.forbidden(), Unreachable, "blocked"),
        (Fault.forbidden("Forbidden: user is deactivated"), Unreachable, "gone"),
        (
            Fault.forbidden("Forbidden: bot can't initiate conversation with a user"),
            Unreachable,
            "not_allowed",
        ),
        (Fault.forbidden("Forbidden: bot was kicked from the group chat"), Unreachable, "kicked"),
        (Fault.forbidden("Forbidden: bot is not a member of the supergroup chat"), Unreachable, "kicked"),
        (Fault.forbidden("Forbidden: the group chat was deleted"), Unreachable, "gone"),
        (Fault.forbidden("Forbidden: something new"), Unreachable, "not_allowed"),
        (Fault.bad_request(), Unreachable, "gone"),
        (Fault.bad_request("Bad Request: message is too long"), Rejected, "too long"),
        (Fault.bad_request("Bad Request: can't parse entities"), Rejected, "parse"),
        (Fault.bad_request("Bad Request: message thread not found"), TopicGone, "thread"),
        (Fault.bad_request("Bad Request: TOPIC_CLOSED"), TopicGone, "TOPIC_CLOSED"),
        (Fault.bad_request("Bad Request: TOPIC_DELETED"), TopicGone, "TOPIC_DELETED"),
        (Fault("answer", 413, "Request Entity Too Large"), Rejected, "Too Large"),
        (Fault("html", 413), Rejected, "Too Large"),
        (Fault("html", 429), SlowDown, "10"),
        (Fault.unauthorized(), Closed, "токен"),
        (Fault("answer", 404, "Not Found"), Closed, "токен"),
        (Fault.server_error(), NotSent, "Server Error"),
        (Fault.server_error(502, "restart"), NotSent, "restart"),
        (Fault.html_page(), NotSent, "502"),
        (Fault.server_error(504, "Gateway Timeout"), Unfinished, "Gateway Timeout"),
        (Fault.html_page(504), Unfinished, "Gateway Timeout"),
        (Fault.drop(), Unfinished, "Disconnected"),
        (Fault.execute_then_drop(), Unfinished, "Disconnected"),
    ],
    ids=lambda value: f"{value.kind}-{value.code}-{value.description}" if isinstance(value, Fault) else "",
)
async def test_every_failure_has_its_meaning(
    server: TelegramServer,
    channel: TelegramChannel,
    anna: Person,
    fault: Fault,
    expected: type[SendError],
    says: str,
) -> None:
    server.fail(method="sendMessage", fault=fault)
    with pytest.raises(expected, match=says) as caught:
        await channel.send(address(anna), Piece(spans=(Span("да"),)), key="1")
    assert type(caught.value) is expected
    assert TOKEN not in str(caught.value)
    assert caught.value.__suppress_context__, "the cause may hold the token or a text"
    await channel.send(address(anna), Piece(spans=(Span("да"),)), key="1")


async def test_the_real_refusals_of_the_server(
    server: TelegramServer, channel: TelegramChannel, anna: Person
) -> None:
    piece = Piece(spans=(Span("да"),))
    await anna.blocks()
    with pytest.raises(Unreachable, match="blocked"):
        await channel.send(address(anna), piece, key="1")
    stranger = server.person()
    with pytest.raises(Unreachable, match="not_allowed"):
        await channel.send(address(stranger), piece, key="1")
    with pytest.raises(Unreachable, match="gone"):
        await channel.send(Address("telegram", "12345"), piece, key="1")
    with pytest.raises(Rejected):
        await channel.send(Address("telegram", "@anna"), piece, key="1")
    with pytest.raises(Rejected):
        await channel.send(address(anna), Piece(), key="1")


async def test_the_pace_keeps_the_limits(clock: FastClock) -> None:
    async with TelegramServer(token=TOKEN, clock=clock) as server:
        channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url)
        anna = server.person()
        await anna.start()
        for _ in range(3):
            await channel.send(address(anna), Piece(spans=(Span("да"),)), key="1")
            await clock.sleep(channel.pace.per_chat_interval)
        await channel.send(address(anna), Piece(spans=(Span("да"),)), key="1")
        with pytest.raises(SlowDown):
            await channel.send(address(anna), Piece(spans=(Span("да"),)), key="1")
        await channel.close()
        assert len(server.limit_hits) == 1


@pytest.mark.parametrize(
    ("result", "ids"),
    [({"message_id": 5, "novelty": {}}, "5"), ({"novelty": {}}, None), (None, None)],
)
async def test_an_answer_too_new_to_be_read_still_means_sent(
    clock: FastClock, result: dict[str, Any] | None, ids: str | None
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "result": result})

    app = web.Application()
    app.router.add_post("/{path:.+}", answer)
    async with TestServer(app) as future:
        channel = TelegramChannel(TOKEN, clock=clock, api_url=str(future.make_url("/")))
        sending = channel.send(Address("telegram", "1"), Piece(spans=(Span("да"),)), key="1")
        if ids is None:
            with pytest.raises(Unfinished):
                await sending
        else:
            assert await sending == ids
        await channel.close()


# ---- what is to go from the chat


def deletion(person: Person, message_id: int) -> Outgoing:
    return Outgoing(address(person), "", delete=str(message_id))


async def test_a_message_of_theirs_goes_from_the_chat(channel: TelegramChannel, anna: Person) -> None:
    as_channel: Channel = channel
    assert as_channel.deletes_theirs
    wrote = await anna.says("снилс 112-233-445 95")
    assert await deliver(channel, deletion(anna, wrote.id)) == [""]
    assert [message.text for message in anna.chat] == ["/start"]
    # After a crash it is asked for again.
    assert await deliver(channel, deletion(anna, wrote.id)) == [""]


async def test_what_telegram_will_not_delete_stays_and_is_no_trouble(
    server: TelegramServer, channel: TelegramChannel, anna: Person
) -> None:
    wrote = await anna.says("снилс 112-233-445 95")
    too_old = Fault.bad_request("Bad Request: message can't be deleted for everyone")
    server.fail(fault=too_old, method="deleteMessage")
    with capture_logs() as logs:
        assert await deliver(channel, deletion(anna, wrote.id)) == [""]
    assert [line["event"] for line in logs] == ["message_not_deleted"]
    await anna.blocks()
    assert await deliver(channel, deletion(anna, wrote.id)) == [""]
    assert await deliver(channel, deletion(server.person(), wrote.id)) == [""]
    assert wrote.id in [message.id for message in anna.chat]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.too_many_requests(5), SlowDown),
        (Fault.server_error(), NotSent),
        (Fault.execute_then_drop(), Unfinished),
        (Fault.unauthorized(), Closed),
    ],
)
async def test_a_deletion_that_failed_for_now_is_tried_again(
    server: TelegramServer,
    channel: TelegramChannel,
    anna: Person,
    fault: Fault,
    expected: type[SendError],
) -> None:
    wrote = await anna.says("снилс 112-233-445 95")
    server.fail(fault=fault, method="deleteMessage")
    with pytest.raises(expected):
        await deliver(channel, deletion(anna, wrote.id))
    assert await deliver(channel, deletion(anna, wrote.id)) == [""]
    assert wrote.id not in [message.id for message in anna.chat]


# ---- files of people


async def test_a_file_too_large_is_refused_in_russian(clock: FastClock, desk: Desk) -> None:
    async with TelegramServer(token=TOKEN, clock=clock, file_limits=FileLimits(download=100)) as server:
        channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url)
        anna = server.person()
        async with listening(channel, desk):
            await anna.sends_document("a.bin", bytes(101))
            over = (await desk.next()).attachments[0]
            await anna.sends_document("b.bin", bytes(99))
            under = (await desk.next()).attachments[0]
        with pytest.raises(FetchError, match="Файл больше 20 МБ"):
            await channel.fetch(over.ref, limit=10**9)
        with pytest.raises(FetchError, match="Файл больше"):
            await channel.fetch(under.ref, limit=98)
        assert await channel.fetch(under.ref, limit=99) == bytes(99)
        with pytest.raises(FetchError, match="больше нет"):
            await channel.fetch("неизвестный", limit=100)
        for method in ("getFile", "download"):
            server.fail(method=method, fault=Fault.server_error())
            with pytest.raises(FetchError, match="попробуйте позже") as caught:
                await channel.fetch(under.ref, limit=99)
            assert caught.value.__suppress_context__
        await channel.close()


# ---- settings


async def test_check_says_who_the_bot_is(server: TelegramServer, channel: TelegramChannel) -> None:
    assert await channel.check() == "@diary_help_bot"
    server.fail(method="getMe", fault=Fault.unauthorized())
    with pytest.raises(Closed, match="HELPDESK_TELEGRAM_TOKEN"):
        await channel.check()
    assert {call.method for call in server.calls} == {"getMe"}


@pytest.mark.parametrize(
    ("token", "options", "says"),
    [
        ("", {}, "HELPDESK_TELEGRAM_TOKEN"),
        ("без двоеточия", {}, "HELPDESK_TELEGRAM_TOKEN"),
        ("abc:def", {}, "HELPDESK_TELEGRAM_TOKEN"),
        (TOKEN, {"api_url": "api.telegram.org"}, "HELPDESK_TELEGRAM_API_URL"),
        (TOKEN, {"api_url": "https://host:port"}, "HELPDESK_TELEGRAM_API_URL"),
        (TOKEN, {"proxy": "proxy:3128"}, "HELPDESK_TELEGRAM_PROXY"),
        (TOKEN, {"ca_bundle": Path("/нет/такого.pem")}, "HELPDESK_CA_BUNDLE"),
        (TOKEN, {"webhook": Webhook("https://example.org", "")}, "HELPDESK_TELEGRAM_WEBHOOK_SECRET"),
        (TOKEN, {"webhook": Webhook("https://example.org", "a b")}, "HELPDESK_TELEGRAM_WEBHOOK_SECRET"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    clock: FastClock, token: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(Closed, match=says):
        TelegramChannel(token, clock=clock, **options)


async def test_an_http_proxy_is_used(server: TelegramServer, clock: FastClock) -> None:
    # The emulator stands for the proxy: nobody else could know an address that does not exist.
    channel = TelegramChannel(TOKEN, clock=clock, api_url="http://telegram.invalid", proxy=server.url)
    assert await channel.check() == "@diary_help_bot"
    await channel.close()


def test_a_ca_bundle_is_read(clock: FastClock) -> None:
    TelegramChannel(TOKEN, clock=clock, ca_bundle=Path(certifi.where()))


def test_it_is_a_channel(clock: FastClock) -> None:
    channel: Channel = TelegramChannel(TOKEN, clock=clock)
    assert channel.name == "telegram"
