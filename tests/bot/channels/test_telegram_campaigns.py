"""What announcements need of Telegram: files sent again by name, channels, second thoughts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Channel as AnyChannel
from bot.channels.base import LocalFile, NotSent, Piece, Rejected, SlowDown, Unfinished, Unreachable
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram.events import understand
from bot.channels.telegram.groups import Myself
from faq.markup import Span
from handlers.messages import Address, Button, GroupEvent, Incoming
from tests.bot.channels.test_telegram import TOKEN
from tests.clock import StoppedClock
from tests.emulators.telegram import TINY_JPEG, Call, Channel, Fault, Person, TelegramServer

# aiohttp's own reader of uploads, on the server's side, calls what aiohttp calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning")

BUTTONS = ((Button("Нужна помощь", payload="camp:help:1"),),)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def server(clock: StoppedClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(token=TOKEN, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def channel(server: TelegramServer, clock: StoppedClock) -> AsyncIterator[TelegramChannel]:
    channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url)
    yield channel
    await channel.close()


@pytest.fixture
async def anna(server: TelegramServer) -> Person:
    return await a_reader(server, "Анна")


@pytest.fixture
async def boris(server: TelegramServer) -> Person:
    return await a_reader(server, "Борис")


async def a_reader(server: TelegramServer, name: str) -> Person:
    person = server.person(first_name=name)
    await person.start()
    return person


def to(place: Person | Channel) -> Address:
    return Address("telegram", str(place.id))


def words(text: str = "1 сентября в 9:00", **fields: Any) -> Piece:
    return Piece(spans=(Span(text),), **fields)


def picture(folder: Path, name: str = "афиша.jpg") -> LocalFile:
    path = folder / name
    path.write_bytes(TINY_JPEG)
    return LocalFile("photo", name, "image/jpeg", path)


def uploads(call: Call) -> bool:
    return any(str(value).startswith("attach://") for value in call.params.values())


# ── one by one ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_request_reaches_one_reader(channel: TelegramChannel, anna: Person, boris: Person) -> None:
    as_channel: AnyChannel = channel
    assert as_channel.most_readers == 1
    answers = await channel.send_to_many([str(anna.id)], words(), key="k")
    assert answers == {str(anna.id): str(anna.chat[-1].id)}
    await boris.blocks()
    (refusal,) = (await channel.send_to_many([str(boris.id)], words(), key="k")).values()
    assert isinstance(refusal, Unreachable)
    assert refusal.reason == "blocked"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.too_many_requests(3600), SlowDown),
        (Fault.server_error(), NotSent),
        (Fault.html_page(), NotSent),
        (Fault.html_page(504), Unfinished),
        (Fault.drop(), Unfinished),
        (Fault.execute_then_drop(), Unfinished),
    ],
)
async def test_what_concerns_everybody_is_raised(
    server: TelegramServer, channel: TelegramChannel, anna: Person, fault: Fault, expected: type[Exception]
) -> None:
    server.fail(method="sendMessage", fault=fault)
    with pytest.raises(expected):
        await channel.send_to_many([str(anna.id)], words(), key="k")


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_picture_is_uploaded_once_for_all(
    server: TelegramServer, channel: TelegramChannel, anna: Person, boris: Person, tmp_path: Path
) -> None:
    piece = words(files=(picture(tmp_path),), buttons=BUTTONS)
    await asyncio.gather(*(channel.send(to(person), piece, key="k") for person in (anna, boris, anna)))
    assert [anna.chat[-1].photo, boris.chat[-1].photo] == [TINY_JPEG] * 2
    assert boris.chat[-1].caption == "1 сентября в 9:00"
    assert [uploads(call) for call in server.calls_of("sendPhoto")] == [True, False, False]


async def test_an_album_and_a_document_go_by_their_names_too(
    channel: TelegramChannel, anna: Person, boris: Person, tmp_path: Path
) -> None:
    album = words(files=(picture(tmp_path, "1.jpg"), picture(tmp_path, "2.jpg")))
    path = tmp_path / "a.pdf"
    path.write_bytes(b"pdf")
    memo = words(files=(LocalFile("file", "Памятка.pdf", "application/pdf", path),))
    for person in (anna, boris):
        await channel.send(to(person), album, key="k")
        await channel.send(to(person), memo, key="k2")
    assert len({attachment.file_id for message in boris.chat for attachment in message.files}) == 3
    seen = [[file.file_id for message in person.chat for file in message.files] for person in (anna, boris)]
    assert seen[0] == seen[1]
    assert boris.chat[-1].document == b"pdf"


async def test_a_name_that_telegram_has_forgotten_is_no_loss(
    server: TelegramServer, channel: TelegramChannel, anna: Person, boris: Person, tmp_path: Path
) -> None:
    piece = words(files=(picture(tmp_path),))
    await channel.send(to(anna), piece, key="k")
    refused = Fault.bad_request("Bad Request: wrong file identifier/HTTP URL specified")
    server.fail(method="sendPhoto", fault=refused)
    await channel.send(to(boris), piece, key="k")
    assert boris.chat[-1].photo == TINY_JPEG


async def test_a_picture_taken_as_a_document_stays_one(
    server: TelegramServer, channel: TelegramChannel, anna: Person, boris: Person, tmp_path: Path
) -> None:
    tall = Fault.bad_request("Bad Request: PHOTO_INVALID_DIMENSIONS")
    server.fail(method="sendPhoto", fault=tall, times=10)
    piece = words(files=(picture(tmp_path),))
    await channel.send(to(anna), piece, key="k")
    await channel.send(to(boris), piece, key="k")
    assert boris.chat[-1].document == TINY_JPEG
    assert len(server.calls_of("sendPhoto")) == 1


async def test_a_file_that_was_changed_is_uploaded_anew(
    channel: TelegramChannel, anna: Person, tmp_path: Path
) -> None:
    poster = picture(tmp_path)
    await channel.send(to(anna), words(files=(poster,)), key="k")
    poster.path.write_bytes(TINY_JPEG + b" another one")
    await channel.send(to(anna), words(files=(poster,)), key="k2")
    assert anna.chat[-1].photo == TINY_JPEG + b" another one"


# ── second thoughts ───────────────────────────────────────────────────────────────────────────────────────


async def test_words_and_buttons_are_corrected_at_any_age(
    channel: TelegramChannel, anna: Person, clock: StoppedClock
) -> None:
    number = await channel.send(to(anna), words(), key="k")
    clock.pass_by(timedelta(days=30))
    await channel.edit(to(anna), number, words("2 сентября", buttons=BUTTONS))
    await channel.edit(to(anna), number, words("2 сентября", buttons=BUTTONS))
    assert (anna.chat[-1].text, anna.chat[-1].buttons) == ("2 сентября", [["Нужна помощь"]])
    await channel.edit(to(anna), number, Piece())
    assert anna.chat[-1].buttons == []


async def test_the_words_under_a_picture_are_corrected(
    channel: TelegramChannel, anna: Person, tmp_path: Path
) -> None:
    files = (picture(tmp_path, "1.jpg"), picture(tmp_path, "2.jpg"))
    number = await channel.send(to(anna), words(files=files), key="k")
    await channel.edit(to(anna), number, words("2 сентября", files=files))
    assert [message.caption for message in anna.chat[-2:]] == ["2 сентября", ""]


async def test_a_message_is_taken_back_for_two_days(
    channel: TelegramChannel, anna: Person, clock: StoppedClock, tmp_path: Path
) -> None:
    album = (picture(tmp_path, "1.jpg"), picture(tmp_path, "2.jpg"))
    first = await channel.send(to(anna), words(files=album), key="k")
    second = await channel.send(to(anna), words(), key="k2")
    await channel.unsend(to(anna), first)
    await channel.unsend(to(anna), first)
    assert [message.id for message in anna.chat if message.from_bot] == [int(second)]
    clock.pass_by(timedelta(hours=49))
    with pytest.raises(Rejected):
        await channel.unsend(to(anna), second)
    with pytest.raises(Rejected):
        await channel.edit(to(anna), "999999", words())
    with pytest.raises(Rejected):
        await channel.edit(to(anna), "нет", words())


async def test_what_could_not_be_changed_now_is_tried_later(
    server: TelegramServer, channel: TelegramChannel, anna: Person
) -> None:
    number = await channel.send(to(anna), words(), key="k")
    server.fail(method="editMessageText", fault=Fault.too_many_requests(7))
    with pytest.raises(SlowDown):
        await channel.edit(to(anna), number, words("Иначе"))
    server.fail(method="deleteMessage", fault=Fault.server_error())
    with pytest.raises(NotSent):
        await channel.unsend(to(anna), number)


# ── channels ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_post_goes_into_a_channel_where_the_bot_may_post(
    server: TelegramServer, channel: TelegramChannel, anna: Person, tmp_path: Path
) -> None:
    news = server.channel("Новости лицея")
    with pytest.raises(Unreachable, match="kicked"):
        await channel.send(to(news), words(), key="k")
    await news.adds_bot(anna, may_post=False)
    with pytest.raises(Unreachable, match="not_allowed"):
        await channel.send(to(news), words(), key="k")
    await news.grants(anna, may_post=True)
    number = await channel.send(to(news), words(files=(picture(tmp_path),), buttons=BUTTONS), key="k")
    await channel.edit(to(news), number, words("2 сентября", files=(picture(tmp_path),)))
    assert [(post.caption, post.photo) for post in news.chat] == [("2 сентября", TINY_JPEG)]
    await channel.unsend(to(news), number)
    assert news.chat == []
    await news.removes_bot(anna)
    with pytest.raises(Unreachable, match="kicked"):
        await channel.send(to(news), words(), key="k")
    await news.is_deleted()
    with pytest.raises(Unreachable, match="gone"):
        await channel.send(to(news), words(), key="k")


async def test_it_is_told_that_it_may_post_and_that_it_may_not(server: TelegramServer, anna: Person) -> None:
    news = server.channel("Новости лицея")
    before = len(server.pending)
    await news.adds_bot(anna, may_post=False)
    await news.grants(anna, may_post=True)
    await news.removes_bot(anna)
    heard = [read(update.body) for update in server.pending[before:]]
    assert [event.group_event for event in heard if event] == [
        GroupEvent("joined", title="Новости лицея", has_topics=False, is_channel=True),
        GroupEvent("left", title="Новости лицея", has_topics=False, is_channel=True),
    ]
    assert {(event.group, event.sender) for event in heard if event} == {(to(news), to(anna))}


def read(update: Any) -> Incoming | None:
    event = understand(update, me=Myself(1, "diary_help_bot"))
    return event.incoming if event is not None else None
