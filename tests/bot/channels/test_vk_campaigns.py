"""What announcements need of VK: many readers by one call, the wall, second thoughts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import (
    Channel,
    Closed,
    LocalFile,
    NotSent,
    Piece,
    Rejected,
    SendError,
    SlowDown,
    Unfinished,
    Unreachable,
)
from bot.channels.vk import WALL, VkChannel
from faq.markup import Span
from handlers.messages import Address, Button, Outgoing
from tests.bot.channels.test_vk import GROUP, JPEG, TOKEN, MemoryCursor
from tests.clock import StoppedClock
from tests.emulators.vk import UPLOAD, Fault, Person, VkServer

THE_WALL = Address("vk", WALL)
_numbers = count(1)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def server(clock: StoppedClock) -> AsyncIterator[VkServer]:
    async with VkServer(token=TOKEN, group_id=GROUP, clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def channel(server: VkServer, clock: StoppedClock) -> AsyncIterator[VkChannel]:
    channel = VkChannel(TOKEN, GROUP, clock=clock, cursor=MemoryCursor("1"), api_url=server.url)
    yield channel
    await channel.close()


@pytest.fixture
async def readers(server: VkServer) -> list[Person]:
    """Three people who have written to the community."""
    people = [server.person(first_name=name) for name in ("Анна", "Борис", "Вера")]
    for person in people:
        await person.start()
    return people


def ids(people: Sequence[Person]) -> list[str]:
    return [str(person.id) for person in people]


def words(text: str = "1 сентября в 9:00", **fields: Any) -> Piece:
    return Piece(spans=(Span(text),), **fields)


def heard(person: Person) -> list[str]:
    return [message.text for message in person.chat if message.from_bot]


def picture(folder: Path, *, content: bytes = JPEG) -> LocalFile:
    path = folder / f"{next(_numbers)}.jpg"
    path.write_bytes(content)
    return LocalFile("photo", "афиша.jpg", "image/jpeg", path)


# ── many by one call ──────────────────────────────────────────────────────────────────────────────────────


async def test_one_call_reaches_all(server: VkServer, channel: VkChannel, readers: list[Person]) -> None:
    as_channel: Channel = channel
    assert as_channel.most_readers == 100
    button = Button("Нужна помощь", payload="camp:help:1")
    sent = await channel.send_to_many(ids(readers), words(buttons=((button,),)), key="launch:1")
    assert [heard(person) for person in readers] == [["1 сентября в 9:00"]] * 3
    assert [person.chat[-1].buttons for person in readers] == [[["Нужна помощь"]]] * 3
    assert sent == {str(person.id): str(person.chat[-1].cmid) for person in readers}
    assert len(server.calls_of("messages.send")) == 1


async def test_whoever_refuses_does_not_stop_the_others(
    server: VkServer, channel: VkChannel, readers: list[Person]
) -> None:
    anna, boris, vera = readers
    anna.refuses(900)
    boris.refuses(10)
    stranger = server.person()
    answers = await channel.send_to_many([*ids(readers), str(stranger.id), "нет"], words(), key="k")
    kinds = {chat_id: type(answer) for chat_id, answer in answers.items()}
    assert kinds == {
        str(anna.id): Unreachable,
        str(boris.id): Unfinished,
        str(vera.id): str,
        str(stranger.id): Unreachable,
        "нет": Rejected,
    }
    reasons = [each.reason for each in answers.values() if isinstance(each, Unreachable)]
    assert sorted(reasons) == ["blocked", "not_allowed"]
    assert heard(vera) == ["1 сентября в 9:00"]


async def test_any_regrouping_within_the_hour_tells_nobody_twice(
    channel: VkChannel, readers: list[Person], clock: StoppedClock
) -> None:
    anna, boris, vera = ids(readers)
    first = await channel.send_to_many([anna, boris], words(), key="launch:1")
    clock.pass_by(timedelta(minutes=59))
    again = await channel.send_to_many([vera, boris], words(), key="launch:1")
    assert again[boris] == first[boris]
    assert await channel.send(Address("vk", anna), words(), key="launch:1") == first[anna]
    assert [len(heard(person)) for person in readers] == [1, 1, 1]
    clock.pass_by(timedelta(minutes=2))
    await channel.send_to_many([anna], words(), key="launch:1")
    assert len(heard(readers[0])) == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.error(6), SlowDown),
        (Fault.error(9), SlowDown),
        (Fault.error(29), SlowDown),
        (Fault.error(5), Closed),
        (Fault.error(914), Rejected),
        (Fault.error(7), Rejected),
        (Fault.error(901), Rejected),
        (Fault.html_page(), Unfinished),
        (Fault.execute_then_drop(), Unfinished),
        (Fault.raw('{"response": 1}'), Unfinished),
    ],
)
async def test_a_refusal_of_the_whole_call_is_raised(
    server: VkServer, channel: VkChannel, readers: list[Person], fault: Fault, expected: type[SendError]
) -> None:
    server.fail(fault=fault, method="messages.send")
    with pytest.raises(SendError) as caught:
        await channel.send_to_many(ids(readers), words(), key="k")
    assert type(caught.value) is expected
    await channel.send_to_many(ids(readers), words(), key="k")
    assert [len(heard(person)) for person in readers] == [1, 1, 1]


async def test_the_longer_vk_refuses_the_longer_we_are_silent(
    server: VkServer, channel: VkChannel, readers: list[Person], clock: StoppedClock
) -> None:
    server.fail(fault=Fault.error(9), method="messages.send", times=4)
    pauses = []
    for _ in range(4):
        with pytest.raises(SlowDown) as caught:
            await channel.send_to_many(ids(readers), words(), key="k")
        pauses.append(caught.value.seconds)
        clock.pass_by(timedelta(seconds=caught.value.seconds))
    assert pauses == [1.0, 1.25, 1.5625, 1.953125]
    await channel.send_to_many(ids(readers), words(), key="k")
    server.fail(fault=Fault.error(9), method="messages.send")
    with pytest.raises(SlowDown) as caught:
        await channel.send_to_many(ids(readers), words(), key="k2")
    assert caught.value.seconds == 1.0


async def test_one_chat_that_is_written_to_too_much_silences_nobody_else(
    channel: VkChannel, readers: list[Person]
) -> None:
    readers[1].refuses(9)
    answers = await channel.send_to_many(ids(readers), words(), key="k")
    assert [type(answers[each]) for each in ids(readers)] == [str, NotSent, str]


async def test_a_chat_of_which_vk_says_nothing_is_in_doubt(
    server: VkServer, channel: VkChannel, readers: list[Person]
) -> None:
    anna, boris, _ = ids(readers)
    answer = f'{{"response": [{{"peer_id": {anna}, "message_id": 1, "conversation_message_id": 7}}]}}'
    server.fail(fault=Fault.raw(answer), method="messages.send")
    answers = await channel.send_to_many([anna, boris], words(), key="k")
    assert answers[anna] == "7"
    assert isinstance(answers[boris], Unfinished)


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_picture_is_uploaded_once_for_all(
    server: VkServer, channel: VkChannel, readers: list[Person], tmp_path: Path
) -> None:
    poster = picture(tmp_path)
    anna, boris, vera = ids(readers)
    await channel.send_to_many([anna, boris], words(files=(poster,)), key="k")
    await channel.send_to_many([vera], words(files=(poster,)), key="k")
    assert [person.chat[-1].photo for person in readers] == [JPEG] * 3
    assert len(server.calls_of("photos.saveMessagesPhoto")) == 1
    poster.path.write_bytes(JPEG + b" another one")
    await channel.send_to_many([vera], words(files=(poster,)), key="k2")
    assert readers[2].chat[-1].photo == JPEG + b" another one"


async def test_a_file_is_uploaded_in_the_name_of_somebody_who_can_be_written_to(
    channel: VkChannel, readers: list[Person], tmp_path: Path
) -> None:
    readers[0].refuses(901)
    path = tmp_path / "a.pdf"
    path.write_bytes(b"pdf")
    memo = LocalFile("file", "Памятка.pdf", "application/pdf", path)
    answers = await channel.send_to_many(ids(readers), words(files=(memo,)), key="k")
    assert [type(answer) for answer in answers.values()] == [Unreachable, str, str]
    assert [person.chat[-1].documents for person in readers[1:]] == [[("Памятка.pdf", b"pdf")]] * 2
    only = await channel.send_to_many(ids(readers[:1]), words(files=(memo,)), key="k")
    assert [type(answer) for answer in only.values()] == [Unreachable]


async def test_a_failed_upload_is_no_doubt_about_the_message(
    server: VkServer, channel: VkChannel, readers: list[Person], tmp_path: Path
) -> None:
    server.fail(fault=Fault.execute_then_drop(), method=UPLOAD)
    with pytest.raises(NotSent):
        await channel.send_to_many(ids(readers), words(files=(picture(tmp_path),)), key="k")
    assert server.calls_of("messages.send") == []


async def test_a_file_that_vk_has_lost_is_uploaded_again(
    server: VkServer, channel: VkChannel, readers: list[Person], tmp_path: Path
) -> None:
    poster = picture(tmp_path)
    await channel.send_to_many(ids(readers), words(files=(poster,)), key="k")
    server.world.files.clear()
    answers = await channel.send_to_many(ids(readers), words(files=(poster,)), key="k2")
    assert all(isinstance(answer, str) for answer in answers.values())
    server.world.files.clear()
    await channel.send(Address("vk", str(readers[0].id)), words(files=(poster,)), key="k3")
    assert len(server.calls_of("photos.saveMessagesPhoto")) == 3


# ── second thoughts ───────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_sent_can_be_corrected_for_a_day(
    channel: VkChannel, readers: list[Person], clock: StoppedClock
) -> None:
    to = Address("vk", str(readers[0].id))
    number = await channel.send(to, words(), key="k")
    await channel.edit(to, number, words("2 сентября", buttons=((Button("Да", payload="y"),),)))
    assert (readers[0].chat[-1].text, readers[0].chat[-1].buttons) == ("2 сентября", [["Да"]])
    clock.pass_by(timedelta(hours=25))
    with pytest.raises(Rejected):
        await channel.edit(to, number, words("3 сентября"))
    assert heard(readers[0]) == ["2 сентября"]


async def test_what_was_sent_can_be_taken_back_for_a_day(
    channel: VkChannel, readers: list[Person], clock: StoppedClock
) -> None:
    sent = await channel.send_to_many(ids(readers), words(), key="k")
    anna, boris, _ = readers
    await channel.unsend(Address("vk", str(anna.id)), str(sent[str(anna.id)]))
    assert heard(anna) == []
    again = await channel.send(Address("vk", str(anna.id)), words("Ещё"), key="k2")
    await channel.unsend(Address("vk", str(anna.id)), f"{sent[str(anna.id)]},{again}")
    assert heard(anna) == []
    clock.pass_by(timedelta(hours=25))
    with pytest.raises(Rejected):
        await channel.unsend(Address("vk", str(boris.id)), str(sent[str(boris.id)]))
    assert heard(boris) == ["1 сентября в 9:00"]


async def test_what_has_no_number_cannot_be_changed(channel: VkChannel, readers: list[Person]) -> None:
    to = Address("vk", str(readers[0].id))
    for number in ("", "x", "id", "99999"):
        with pytest.raises(Rejected):
            await channel.edit(to, number, words())


# ── the wall ──────────────────────────────────────────────────────────────────────────────────────────────


def announcement(text: str, *buttons: Button) -> Outgoing:
    return Outgoing(THE_WALL, text, buttons=tuple((button,) for button in buttons))


async def test_an_announcement_hangs_on_the_wall(server: VkServer, channel: VkChannel) -> None:
    link = Button("Инструкция", url="https://example.org/a,b")
    (piece,) = channel.compose(
        announcement("**Важно:** вход через Госуслуги", link, Button("Я вошёл", payload="x")), ()
    )
    number = await channel.send(THE_WALL, piece, key="launch:1:0")
    (post,) = server.wall.posts
    assert post.text == "Важно: вход через Госуслуги\n\nИнструкция: https://example.org/a,b"
    assert (str(post.id), post.link) == (number, "https://example.org/a%2Cb")


@pytest.mark.parametrize("wall_first", [True, False])
async def test_the_wall_and_chats_share_a_piece(
    server: VkServer, channel: VkChannel, readers: list[Person], wall_first: bool, tmp_path: Path
) -> None:
    buttons = ((Button("Инструкция", url="https://example.org"),), (Button("Я вошёл", payload="x"),))
    first = THE_WALL if wall_first else Address("vk", str(readers[0].id))
    (piece,) = channel.compose(Outgoing(first, "Слова", buttons=buttons), [picture(tmp_path)])
    await channel.send_to_many([*ids(readers), WALL], piece, key="k")
    assert readers[0].chat[-1].buttons == [["Инструкция"], ["Я вошёл"]]
    assert readers[0].chat[-1].photo == JPEG
    assert [post.text for post in server.wall.posts] == ["Слова\n\nИнструкция: https://example.org"]


async def test_the_same_post_hangs_once(server: VkServer, channel: VkChannel) -> None:
    server.fail(fault=Fault.execute_then_drop(), method="wall.post")
    with pytest.raises(Unfinished):
        await channel.send(THE_WALL, words(), key="launch:1:0")
    answers = await channel.send_to_many([WALL], words(), key="launch:1:0")
    assert answers == {WALL: str(server.wall.posts[0].id)}
    assert len(server.wall.posts) == 1


async def test_a_wall_that_is_closed_to_us_closes_nothing_else(
    server: VkServer, channel: VkChannel, readers: list[Person]
) -> None:
    server.wall.may_post = False
    answers = await channel.send_to_many([WALL, *ids(readers)], words(), key="k")
    assert isinstance(answers.pop(WALL), Unreachable)
    assert all(isinstance(answer, str) for answer in answers.values())


async def test_the_fifty_first_post_of_a_day_is_refused_but_the_wall_is_not_lost(
    server: VkServer, channel: VkChannel
) -> None:
    for number in range(50):
        await channel.send(THE_WALL, words(), key=f"k{number}")
    with pytest.raises(Rejected, match="214"):
        await channel.send(THE_WALL, words(), key="one too many")
    assert len(server.wall.posts) == 50


async def test_a_post_is_changed_where_vk_lets_a_community_do_that(
    server: VkServer, channel: VkChannel
) -> None:
    number = await channel.send(THE_WALL, words(), key="k")
    with pytest.raises(Rejected):
        await channel.edit(THE_WALL, number, words("Иначе"))
    with pytest.raises(Rejected):
        await channel.unsend(THE_WALL, number)
    server.wall.takes_changes = True
    await channel.edit(THE_WALL, number, words("Иначе"))
    assert [post.text for post in server.wall.posts] == ["Иначе"]
    await channel.unsend(THE_WALL, number)
    assert server.wall.posts == []


async def test_a_wall_takes_no_files(server: VkServer, channel: VkChannel, tmp_path: Path) -> None:
    poster = picture(tmp_path)
    (piece,) = channel.compose(announcement("Слова"), [poster])
    await channel.send(THE_WALL, piece, key="k")
    assert await channel.send(THE_WALL, Piece(files=(poster,)), key="k2") == ""
    assert [post.text for post in server.wall.posts] == ["Слова"]
    with pytest.raises(Rejected):
        channel.compose(announcement(""), [poster])
    assert channel.compose(announcement(""), []) == ()


async def test_a_long_announcement_is_one_post(server: VkServer, channel: VkChannel) -> None:
    (piece,) = channel.compose(announcement("Слово " * 2000), ())
    await channel.send(THE_WALL, piece, key="k")
    assert len(server.wall.posts[0].text) > 11_000
