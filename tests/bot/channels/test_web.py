"""The web chat's doors, knocked at as its page knocks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from bot.channels.base import Channel, FetchError, LocalFile, Piece, Rejected, SlowDown
from bot.channels.files import LARGEST_FILE, Files
from bot.channels.web import LARGEST_UPLOAD, LONGEST_TEXT, WebChannel
from bot.clock import Clock
from faq.markup import Span
from handlers.messages import Address, Button, Incoming, Outgoing
from storage import conversations, feed, people
from storage.database import Database, Unavailable
from tests.clock import FastClock

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 40
WEBP = b"RIFF\x10\0\0\0WEBPVP8 "
TO = Address("web", "a" * 32)
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved; whoever sleeps by it is not woken."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 - it never ends
        await asyncio.Event().wait()


class Desk:
    """Takes events as the helpdesk does, and fails on demand."""

    def __init__(self) -> None:
        self.taken: list[Incoming] = []
        self.failures: list[Exception] = []
        self.open = asyncio.Event()
        self.open.set()

    async def receive(self, incoming: Incoming) -> None:
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(incoming)


class Page:
    """A visitor's page: their token and their requests."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client = client
        self.token = token
        self.bearer = {"Authorization": f"Bearer {token}"}

    async def post(self, *, files: Any = None, **fields: str) -> httpx.Response:
        fields = {"id": str(uuid4()), **fields}
        parts = [(name, (None, value.encode())) for name, value in fields.items()]
        parts += [("files", file) for file in files or ()]
        return await self.client.post("/chat/messages", files=parts, headers=self.bearer)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers=self.bearer)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/web.db")
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def channel(database: Database, files: Files, clock: HandClock) -> WebChannel:
    return WebChannel(database, files, clock=clock, region_name="Край <Южный>", feed_wait=5)


Browser = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    opened: list[httpx.AsyncClient] = []

    def open_browser(channel: WebChannel, desk: Desk, *, address: str = "10.0.0.1") -> httpx.AsyncClient:
        app = FastAPI()
        app.include_router(channel.routes(desk.receive))
        transport = httpx.ASGITransport(app=app, client=(address, 5000))
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://helpdesk.test"))
        return opened[-1]

    yield open_browser
    for client in opened:
        await client.aclose()


@pytest.fixture
def client(browser: Browser, channel: WebChannel, desk: Desk) -> httpx.AsyncClient:
    return browser(channel, desk)


@pytest.fixture
async def page(client: httpx.AsyncClient) -> Page:
    return await new_page(client)


async def new_page(client: httpx.AsyncClient) -> Page:
    response = await client.post("/chat/session")
    assert response.status_code == 200
    return Page(client, response.json()["token"])


async def chat_of(page: Page, desk: Desk) -> str:
    assert (await page.post(text="кто я?")).status_code == 202
    return desk.taken.pop().sender.chat_id


def error_of(response: httpx.Response) -> str:
    text = response.json()["error"]
    assert re.search("[а-я]", text), "errors are for people, in Russian"
    return str(text)


# The channel


async def test_it_is_a_channel(channel: WebChannel) -> None:
    as_channel: Channel = channel
    assert as_channel.name == "web"
    assert as_channel.drops_repeats
    assert as_channel.deletes_theirs
    assert as_channel.pace.per_second >= 100
    assert await channel.check() == "веб-чат"
    await asyncio.wait_for(channel.listen(Desk().receive), 1)
    with pytest.raises(FetchError):
        await channel.fetch("anything", limit=10)


async def test_an_announcement_is_shown_to_many_once_and_can_be_corrected(
    channel: WebChannel, database: Database
) -> None:
    as_channel: Channel = channel
    assert as_channel.most_readers >= 2
    chats = ["a" * 32, "b" * 32]
    piece = Piece((Span("1 сентября в 9:00"),))
    first = await channel.send_to_many(chats, piece, key="launch:1:0")
    assert await channel.send_to_many(chats[::-1], piece, key="launch:1:0") == first
    number = str(first[chats[0]])
    to = Address("web", chats[0])
    await channel.edit(to, number, Piece((Span("2 сентября"),)))
    await channel.unsend(Address("web", chats[1]), str(first[chats[1]]))
    await channel.unsend(Address("web", chats[1]), str(first[chats[1]]))
    async with database.reading() as tx:
        (shown,) = await feed.since(tx, "web", chats[0], after=0)
        assert await feed.since(tx, "web", chats[1], after=0) == []
    assert shown.body["text_spans"] == [{"t": "2 сентября"}]
    for wrong in ("99999", "нет"):
        with pytest.raises(Rejected):
            await channel.edit(to, wrong, piece)
    with pytest.raises(Rejected):
        await channel.edit(Address("web", chats[1]), number, piece)


def test_a_long_text_is_cut_and_the_buttons_ride_on_the_last_piece(channel: WebChannel) -> None:
    rows = ((Button("Помогло", "ok"),),)
    file = LocalFile("photo", "a.png", "image/png", Path("a.png"))
    message = Outgoing(TO, "\n".join(["слово " * 100] * 20), rows, reply_to="42")
    pieces = channel.compose(message, [file])
    assert len(pieces) > 1
    assert all(sum(len(span.text) for span in piece.spans) <= LONGEST_TEXT for piece in pieces)
    assert [piece.buttons for piece in pieces] == [()] * (len(pieces) - 1) + [rows]
    assert [piece.files for piece in pieces] == [()] * (len(pieces) - 1) + [(file,)]
    assert [piece.reply_to for piece in pieces] == ["42"] + [None] * (len(pieces) - 1)
    assert channel.compose(message, [file]) == pieces


def test_a_message_with_nothing_makes_no_piece_and_buttons_alone_make_one(channel: WebChannel) -> None:
    assert channel.compose(Outgoing(TO, ""), []) == ()
    assert len(channel.compose(Outgoing(TO, "", ((Button("Да", "y"),),)), [])) == 1


async def test_what_is_sent_lies_in_the_feed_once(channel: WebChannel, database: Database) -> None:
    piece = Piece(
        (Span("Смотрите "), Span("Госуслуги", bold=True, url="https://www.gosuslugi.ru")),
        ((Button("Помогло", "ok"), Button("Сайт", url="https://dnevnik.ru")),),
        reply_to="7",
    )
    first = await channel.send(TO, piece, key="row-1")
    assert await channel.send(TO, piece, key="row-1") == first
    async with database.reading() as tx:
        (shown,) = await feed.since(tx, "web", TO.chat_id, after=0)
    assert str(shown.id) == first
    assert shown.body == {
        "text_spans": [{"t": "Смотрите "}, {"t": "Госуслуги", "b": True, "u": "https://www.gosuslugi.ru"}],
        "buttons": [[{"label": "Помогло", "payload": "ok"}, {"label": "Сайт", "url": "https://dnevnik.ru"}]],
        "files": [],
        "reply_to": "7",
    }


async def test_a_file_of_the_store_keeps_its_name_and_another_is_brought_in(
    channel: WebChannel, database: Database, files: Files, tmp_path: Path
) -> None:
    ref = await files.keep(PNG)
    stored = files.path(ref)
    assert stored
    stray = tmp_path / "памятка.pdf"
    stray.write_bytes(b"%PDF-1.4")
    piece = Piece(
        files=(
            LocalFile("photo", "экран.png", "image/png", stored),
            LocalFile("file", "памятка.pdf", "application/pdf", stray),
        )
    )
    await channel.send(TO, piece, key="row-1")
    async with database.reading() as tx:
        (shown,) = await feed.since(tx, "web", TO.chat_id, after=0)
    first, second = shown.body["files"]
    assert first == {"kind": "photo", "name": "экран.png", "mime": "image/png", "ref": ref}
    brought = files.path(second["ref"])
    assert brought
    assert brought.read_bytes() == b"%PDF-1.4"


async def test_instead_of_a_message_the_page_gets_the_words_that_are_kept(
    page: Page, desk: Desk, channel: WebChannel, database: Database, clock: HandClock
) -> None:
    chat = await chat_of(page, desk)
    await say(database, chat, "снилс [СНИЛС скрыт]", clock=clock)
    to, number = Address("web", chat), "id of снилс [СНИЛС скрыт]"
    (piece,) = channel.compose(Outgoing(to, "", delete=number), [])
    for _ in range(2):
        assert await channel.send(to, piece, key="row-1") == ""
    (news,) = (await page.get("/chat/feed?after=0")).json()["messages"]
    assert (news["instead_of"], news["text_spans"]) == (number, [{"t": "снилс [СНИЛС скрыт]"}])
    past = (await page.get("/chat/history")).json()
    assert [each["text_spans"] for each in past["messages"]] == [[{"t": "снилс [СНИЛС скрыт]"}]]


@pytest.mark.parametrize("number", ["id of Чужое", "00000000-0000-4000-8000-000000000000"])
async def test_a_message_of_which_nothing_is_kept_goes_and_nobody_elses_words_come(
    page: Page, desk: Desk, channel: WebChannel, database: Database, clock: HandClock, number: str
) -> None:
    await say(database, "b" * 32, "Чужое", clock=clock)
    chat = await chat_of(page, desk)
    await channel.send(Address("web", chat), Piece(delete=number), key="row-1")
    (news,) = (await page.get("/chat/feed?after=0")).json()["messages"]
    assert (news["instead_of"], news["text_spans"]) == (number, [])


async def test_a_lost_database_slows_the_channel_down(files: Files, clock: HandClock) -> None:
    database = Database("sqlite:////nowhere/at/all.db")
    channel = WebChannel(database, files, clock=clock)
    for piece in (Piece((Span("Ответ"),)), Piece(delete="7")):
        with pytest.raises(SlowDown):
            await channel.send(TO, piece, key="row-1")
    with pytest.raises(SlowDown):
        await channel.send_to_many([TO.chat_id], Piece(), key="row-1")
    with pytest.raises(SlowDown):
        await channel.edit(TO, "1", Piece())
    with pytest.raises(SlowDown):
        await channel.unsend(TO, "1")
    await database.close()


# Who the visitor is


async def test_every_session_is_a_new_visitor(client: httpx.AsyncClient, desk: Desk) -> None:
    one, two = await new_page(client), await new_page(client)
    assert one.token != two.token
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", one.token)
    chats = {await chat_of(one, desk), await chat_of(two, desk)}
    assert len(chats) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", chat) for chat in chats)
    assert not {one.token, two.token} & chats


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer short", "Basic " + "x" * 43, "Bearer " + "ы" * 43]
)
async def test_a_stranger_is_turned_away(client: httpx.AsyncClient, desk: Desk, header: str | None) -> None:
    headers = {} if header is None else {b"Authorization": header.encode()}
    for path in ("/chat/feed?after=0", "/chat/history"):
        response = await client.get(path, headers=headers)
        assert response.status_code == 401
        error_of(response)
    response = await client.post("/chat/messages", files={"text": (None, "а")}, headers=headers)
    assert response.status_code == 401
    assert desk.taken == []


async def test_a_token_in_the_address_counts_for_nothing(client: httpx.AsyncClient, page: Page) -> None:
    assert (await client.get(f"/chat/history?token={page.token}")).status_code == 401


# What a page sends


async def test_words_become_an_event(page: Page, desk: Desk) -> None:
    uuid = str(uuid4())
    response = await page.post(id=uuid, text="  Не приходит код\r\nот Госуслуг ", reply_to="17")
    assert (response.status_code, response.json()) == (202, {"ok": True, "bot_answers": True})
    (incoming,) = desk.taken
    chat = incoming.sender.chat_id
    assert incoming == Incoming(
        f"{chat}:{uuid}",
        Address("web", chat),
        text="Не приходит код\nот Госуслуг",
        message_id=uuid,
        reply_to="17",
    )


async def test_a_press_names_the_message_that_carries_the_button(page: Page, desk: Desk) -> None:
    await page.post(text="Не помогло", button="no:17", reply_to="17")
    (incoming,) = desk.taken
    assert (incoming.button, incoming.text, incoming.message_id) == ("no:17", "Не помогло", "17")
    assert incoming.started is None


@pytest.mark.parametrize("payload", ["", "school_12-x"])
async def test_a_start_carries_its_deep_link(page: Page, desk: Desk, payload: str) -> None:
    assert (await page.post(start=payload)).status_code == 202
    assert desk.taken[0].started == payload


async def test_it_is_taken_only_when_the_desk_has_taken_it(page: Page, desk: Desk) -> None:
    desk.open.clear()
    request = asyncio.create_task(page.post(text="Жду"))
    done, _ = await asyncio.wait([request], timeout=0.2)
    assert not done
    desk.open.set()
    assert (await request).status_code == 202
    assert len(desk.taken) == 1


async def test_after_a_503_the_same_message_goes_through(page: Page, desk: Desk) -> None:
    desk.failures.append(Unavailable("locked"))
    uuid = str(uuid4())
    refused = await page.post(id=uuid, text="Не теряйте меня", files=[("a.png", PNG, "image/png")])
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    error_of(refused)
    assert (await page.post(id=uuid, text="Не теряйте меня")).status_code == 202
    assert desk.taken[0].event_id.endswith(uuid)


async def test_a_bug_behind_the_door_is_logged_without_words_or_token(page: Page, desk: Desk) -> None:
    desk.failures.append(ValueError("СНИЛС 112-233-445 95"))
    with capture_logs() as logs:
        response = await page.post(text="СНИЛС 112-233-445 95")
    assert response.status_code == 500
    error_of(response)
    (entry,) = logs
    assert entry["error"] == "ValueError"
    assert "112" not in str(entry)
    assert page.token not in str(entry)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"text": "  \n\x00 "}, 400),
        ({"text": "а", "id": "1"}, 400),
        ({"text": "а", "id": "../../etc"}, 400),
        ({"text": "а", "reply_to": "<b>"}, 400),
        ({"button": ""}, 400),
        ({"button": "ы" * 33}, 400),
        ({"start": "нет такого"}, 400),
        ({"start": "x" * 65}, 400),
        ({"text": "ж" * (LONGEST_TEXT + 1)}, 413),
    ],
)
async def test_what_makes_no_sense_is_refused(
    page: Page, desk: Desk, fields: dict[str, str], status: int
) -> None:
    response = await page.post(**fields)
    assert response.status_code == status
    error_of(response)
    assert desk.taken == []


async def test_the_longest_text_is_taken_whole(page: Page, desk: Desk) -> None:
    assert (await page.post(text="😀" * LONGEST_TEXT)).status_code == 202
    assert desk.taken[0].text == "😀" * LONGEST_TEXT


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"text": "a"}'),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"\x00\xff garbage"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhalf',
        ),
    ],
)
async def test_a_broken_body_is_refused(
    client: httpx.AsyncClient, page: Page, desk: Desk, kind: str, body: bytes
) -> None:
    headers = {**page.bearer, "Content-Type": kind}
    response = await client.post("/chat/messages", content=body, headers=headers)
    assert response.status_code == 400
    error_of(response)
    assert desk.taken == []


async def test_files_are_kept_and_named_by_what_they_are(page: Page, desk: Desk, files: Files) -> None:
    sent = [
        ("экран.png", PNG, "image/png"),
        ("фото.jpg", JPEG, "application/octet-stream"),
        ("C:\\temp\\вид.webp", WEBP, "image/webp"),
        ("../../справка\u202e.pdf", b"%PDF-1.4", "application/pdf"),
        ("picture.png", b"<script>alert(1)</script>", "text/html; charset=utf-8"),
    ]
    assert (await page.post(files=sent)).status_code == 202
    kept = desk.taken[0].attachments
    assert [(file.kind, file.name, file.mime, file.channel, file.size) for file in kept] == [
        ("photo", "экран.png", "image/png", "web", len(PNG)),
        ("photo", "фото.jpg", "image/jpeg", "web", len(JPEG)),
        ("photo", "вид.webp", "image/webp", "web", len(WEBP)),
        ("file", "справка.pdf", "application/pdf", "web", 8),
        ("file", "picture.png", "application/octet-stream", "web", 25),
    ]
    assert [stored.read_bytes() for file in kept if (stored := files.path(file.ref))] == [s[1] for s in sent]


async def test_a_sixth_file_is_refused(page: Page, desk: Desk) -> None:
    response = await page.post(files=[(f"{n}.png", PNG, "image/png") for n in range(6)])
    assert response.status_code == 413
    assert "5" in error_of(response)
    assert desk.taken == []


async def test_a_file_of_just_the_limit_is_taken_and_one_byte_more_is_not(page: Page, desk: Desk) -> None:
    largest = bytes(LARGEST_FILE)
    assert (await page.post(files=[("a.bin", largest, "video/mp4")])).status_code == 202
    assert desk.taken[0].attachments[0].size == LARGEST_FILE
    response = await page.post(files=[("a.bin", largest + b"!", "video/mp4")])
    assert response.status_code == 413
    assert "20" in error_of(response)


async def test_a_body_that_says_it_is_huge_is_not_even_read(client: httpx.AsyncClient, page: Page) -> None:
    headers = {
        **page.bearer,
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(LARGEST_UPLOAD * 2),
    }
    response = await client.post("/chat/messages", content=b"--x", headers=headers)
    assert response.status_code == 413
    error_of(response)


async def test_an_endless_body_is_dropped_at_the_limit(
    client: httpx.AsyncClient, page: Page, desk: Desk
) -> None:
    megabyte, poured = bytes(1024 * 1024), 0

    async def pour() -> AsyncIterator[bytes]:
        nonlocal poured
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        while poured < 200:
            poured += 1
            yield megabyte

    headers = {**page.bearer, "Content-Type": "multipart/form-data; boundary=x"}
    response = await client.post("/chat/messages", content=pour(), headers=headers)
    assert response.status_code == 413
    assert poured <= LARGEST_UPLOAD // len(megabyte) + 3
    assert desk.taken == []


# Limits


async def test_a_visitor_who_floods_is_asked_to_wait(page: Page, desk: Desk, clock: HandClock) -> None:
    answers = [(await page.post(text="а")).status_code for _ in range(31)]
    assert answers == [202] * 30 + [429]
    refused = await page.post(text="а")
    assert 1 <= int(refused.headers["Retry-After"]) <= 3
    error_of(refused)
    clock.passed += 2.0
    assert (await page.post(text="а")).status_code == 202
    assert (await (await new_page(page.client)).post(text="а")).status_code == 202
    assert len(desk.taken) == 32


async def test_a_school_behind_one_address_has_three_hundred_a_minute(client: httpx.AsyncClient) -> None:
    pages = [await new_page(client) for _ in range(13)]
    answers = [(await page.post(text="а")).status_code for page in pages for _ in range(24)]
    assert answers == [202] * 300 + [429] * 12


async def test_one_flood_does_not_use_up_the_share_of_the_school(client: httpx.AsyncClient) -> None:
    noisy, quiet = await new_page(client), await new_page(client)
    for _ in range(320):
        await noisy.post(text="а")
    assert (await quiet.post(text="а")).status_code == 202


async def test_thirty_new_visitors_a_minute_from_one_address(
    client: httpx.AsyncClient, clock: HandClock
) -> None:
    answers = [(await client.post("/chat/session")).status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]
    clock.passed += 60
    assert (await client.post("/chat/session")).status_code == 200


# What a page hears


async def test_what_is_there_comes_at_once_and_only_what_is_new(
    page: Page, desk: Desk, channel: WebChannel
) -> None:
    me = Address("web", await chat_of(page, desk))
    first = int(await channel.send(me, Piece((Span("Раз"),)), key="1"))
    await channel.send(me, Piece((Span("Два"),)), key="2")
    await channel.send(TO, Piece((Span("Чужое"),)), key="3")
    both = (await page.get("/chat/feed?after=0")).json()["messages"]
    assert [message["text_spans"][0]["t"] for message in both] == ["Раз", "Два"]
    assert [message["own"] for message in both] == [False, False]
    later = await page.get(f"/chat/feed?after={first}")
    assert [message["text_spans"][0]["t"] for message in later.json()["messages"]] == ["Два"]
    assert later.headers["Cache-Control"] == "no-store"


async def test_whoever_waits_is_woken_by_an_answer(page: Page, desk: Desk, channel: WebChannel) -> None:
    me = Address("web", await chat_of(page, desk))
    waiting = [asyncio.create_task(page.get("/chat/feed?after=0")) for _ in range(2)]
    done, _ = await asyncio.wait(waiting, timeout=0.2)
    assert not done
    # The clock stands still: only the waking can end this wait.
    await channel.send(me, Piece((Span("Ответ"),)), key="1")
    for response in await asyncio.wait_for(asyncio.gather(*waiting), 2):
        assert len(response.json()["messages"]) == 1


async def test_what_another_process_wrote_is_noticed(
    database: Database, files: Files, desk: Desk, browser: Browser
) -> None:
    clock: Clock = FastClock()
    page = await new_page(browser(WebChannel(database, files, clock=clock), desk))
    chat = await chat_of(page, desk)
    waiting = asyncio.create_task(page.get("/chat/feed?after=0"))
    await asyncio.wait([waiting], timeout=0.1)
    async with database.transaction() as tx:
        await feed.show(tx, "web", chat, key="1", body={"text_spans": [{"t": "Ответ"}]}, now=clock.now())
    response = await asyncio.wait_for(waiting, 2)
    assert response.json()["messages"][0]["text_spans"] == [{"t": "Ответ"}]


async def test_a_wait_without_news_ends_empty(
    database: Database, files: Files, clock: HandClock, desk: Desk, browser: Browser
) -> None:
    page = await new_page(browser(WebChannel(database, files, clock=clock, feed_wait=0.1), desk))
    assert (await page.get("/chat/feed?after=0")).json() == {"messages": []}


async def test_closing_lets_everyone_go(page: Page, channel: WebChannel) -> None:
    waiting = asyncio.create_task(page.get("/chat/feed?after=0"))
    await asyncio.wait([waiting], timeout=0.1)
    await channel.close()
    assert (await asyncio.wait_for(waiting, 2)).json() == {"messages": []}


@pytest.mark.parametrize("after", ["-1", "abc", "9" * 30, "1.5"])
async def test_a_wrong_place_in_the_feed_is_refused(page: Page, after: str) -> None:
    response = await page.get(f"/chat/feed?after={after}")
    assert response.status_code == 400
    error_of(response)


async def test_without_the_database_the_page_is_told_to_come_back(
    files: Files, clock: HandClock, desk: Desk, browser: Browser
) -> None:
    database = Database("sqlite:////nowhere/at/all.db")
    page = await new_page(browser(WebChannel(database, files, clock=clock), desk))
    for path in ("/chat/feed?after=0", "/chat/history"):
        response = await page.get(path)
        assert response.status_code == 503
        error_of(response)
    await database.close()


# A reload


async def say(database: Database, chat: str, text: str, *, clock: HandClock, ref: str = "") -> None:
    clock.passed += 1
    file = conversations.StoredAttachment(0, "photo", "экран.png", "image/png", 3, "web", ref)
    async with database.transaction() as tx:
        person = await people.meet(tx, "web", chat, name="", now=clock.now())
        conversation = await conversations.of_person(tx, person.id, now=clock.now())
        for author in ("person", "bot"):
            await conversations.add_message(
                tx,
                conversation.id,
                author=author,
                text=text,
                now=clock.now(),
                external_id=f"id of {text}",
                files=[file] if ref else [],
            )


async def test_a_reload_shows_the_same_conversation(
    page: Page, desk: Desk, channel: WebChannel, database: Database, clock: HandClock
) -> None:
    chat = await chat_of(page, desk)
    for text in ("Раз", "Два"):
        await say(database, chat, text, clock=clock, ref="f" * 32 if text == "Два" else "")
        clock.passed += 1
        piece = Piece((Span(f"Ответ на {text}"),), ((Button("Помогло", "ok"),),))
        newest = await channel.send(Address("web", chat), piece, key=text)
    past = (await page.get("/chat/history")).json()
    assert [(m["own"], m["text_spans"][0]["t"]) for m in past["messages"]] == [
        (True, "Раз"),
        (False, "Ответ на Раз"),
        (True, "Два"),
        (False, "Ответ на Два"),
    ]
    assert past["messages"][0]["id"] == "id of Раз"
    assert past["messages"][2]["files"] == [
        {"kind": "photo", "name": "экран.png", "mime": "image/png", "ref": "f" * 32}
    ]
    assert past["messages"][3]["buttons"] == [[{"label": "Помогло", "payload": "ok"}]]
    assert past["after"] == int(newest)


async def test_a_start_without_words_leaves_no_empty_bubble(
    page: Page, desk: Desk, database: Database, clock: HandClock
) -> None:
    await say(database, await chat_of(page, desk), "", clock=clock)
    assert (await page.get("/chat/history")).json() == {"messages": [], "after": 0}


async def test_nobody_reads_the_chat_of_another(
    page: Page,
    desk: Desk,
    channel: WebChannel,
    client: httpx.AsyncClient,
    database: Database,
    clock: HandClock,
) -> None:
    chat = await chat_of(page, desk)
    await say(database, chat, "Личное", clock=clock)
    await channel.send(Address("web", chat), Piece((Span("Ответ"),)), key="1")
    stranger = await new_page(client)
    assert (await stranger.get("/chat/history")).json() == {"messages": [], "after": 0}


async def test_a_long_conversation_comes_back_with_its_end(
    page: Page, desk: Desk, database: Database, clock: HandClock
) -> None:
    chat = await chat_of(page, desk)
    async with database.transaction() as tx:
        for number in range(450):
            body = {"text_spans": [{"t": str(number)}]}
            last = await feed.show(tx, "web", chat, key=str(number), body=body, now=clock.now())
    past = (await page.get("/chat/history")).json()
    assert [m["text_spans"][0]["t"] for m in past["messages"]] == [str(n) for n in range(250, 450)]
    assert past["after"] == last


# Files, the page, the widget


async def test_a_picture_is_shown_and_anything_else_is_only_saved(
    client: httpx.AsyncClient, files: Files
) -> None:
    picture = await client.get(f"/chat/files/{await files.keep(PNG)}")
    assert (picture.content, picture.headers["Content-Type"]) == (PNG, "image/png")
    assert picture.headers["Content-Disposition"] == "inline"
    script = await client.get(f"/chat/files/{await files.keep(b'<svg onload=alert(1)>')}")
    assert script.headers["Content-Type"] == "application/octet-stream"
    assert script.headers["Content-Disposition"] == "attachment"
    for response in (picture, script):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("ref", ["0" * 32, "..%2F..%2Fweb.db", "x", "%00"])
async def test_a_file_that_is_not_there(client: httpx.AsyncClient, ref: str) -> None:
    assert (await client.get(f"/chat/files/{ref}")).status_code == 404


async def test_the_page_lets_nothing_foreign_in(client: httpx.AsyncClient) -> None:
    response = await client.get("/chat")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    html = response.text
    assert "Помощник по входу в электронный дневник" in html
    assert "Край &lt;Южный&gt;" in html
    assert "<noscript>" in html
    assert not re.search(r"https?://|\son\w+=|\sstyle=|<style|<script(?![^>]+src=)", html)
    for address in re.findall(r'(?:src|href)="(/[^"]+)"', html):
        asset = await client.get(address)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["Cache-Control"]


async def test_only_the_embedded_page_may_stand_in_a_frame(client: httpx.AsyncClient) -> None:
    response = await client.get("/chat?embed=1")
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors *")
    assert 'id="fold"' in response.text


async def test_the_widget_and_the_static_files(client: httpx.AsyncClient) -> None:
    widget = await client.get("/widget.js")
    assert widget.status_code == 200
    assert widget.headers["Content-Type"].startswith("text/javascript")
    assert widget.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert (await client.get("/chat/static/chat.js")).headers["Cache-Control"] == "no-cache"
    for name in ("nothing.js", "..%2Ftemplates%2Fchat.html"):
        assert (await client.get(f"/chat/static/{name}")).status_code == 404


async def test_the_script_never_writes_markup() -> None:
    for script in (Path(__file__).parents[3] / "bot/web/static").glob("*.js"):
        code = script.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", code)
        assert len(code.splitlines()) <= 500
