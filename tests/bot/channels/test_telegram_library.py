"""aiogram is imported light and works in full.

Run alone (`python -m tests.bot.channels.test_telegram_library light`) it is the child process of its own
tests: what was imported before would spoil both the count and the measure.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import BaseModel

ROOT = Path(__file__).parents[3]
BENEATH = ("aiohttp", "fastapi", "structlog", "bot.channels.base", "faq.markup", "storage.database")
"""What the channel imports besides aiogram."""
MEDIA: tuple[dict[str, Any], ...] = (
    {"audio": {"duration": 1, "file_name": "урок.mp3"}},
    {"video_note": {"length": 240, "duration": 1}},
    {"animation": {"width": 1, "height": 1, "duration": 1}, "document": {"file_name": "a.gif"}},
)


@pytest.fixture(scope="module")
def light() -> dict[str, Any]:
    return run("light")


def run(what: str) -> dict[str, Any]:
    command = [sys.executable, "-m", __name__, what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)  # noqa: S603 - ourselves
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_whole_conversation_needs_few_of_aiograms_classes(light: dict[str, Any]) -> None:
    assert light["types"] > 300, "aiogram keeps its types elsewhere now: the count says nothing"
    assert light["types_built"] < 40
    assert light["classes_built"] < 250


@pytest.mark.slow
def test_aiogram_takes_less_than_half_of_its_memory(light: dict[str, Any]) -> None:
    plain = run("plain")
    print(f"MB: {light['megabytes']} light, {plain['megabytes']} plain")  # noqa: T201 - for the curious, with -s
    assert light["megabytes"] < plain["megabytes"] / 2


def test_pydantic_is_left_as_it_was_even_if_the_import_fails(light: dict[str, Any]) -> None:
    assert light["restored"]
    assert run("broken")["restored"]


# ---- the child


def main(what: str) -> None:
    original = BaseModel.__dict__["model_rebuild"]
    for name in BENEATH:
        importlib.import_module(name)
    before = psutil.Process().memory_info().rss
    if what == "plain":
        importlib.import_module("aiogram")
    elif what == "light":
        importlib.import_module("bot.channels.telegram")
    else:
        break_aiogram()
    taken = psutil.Process().memory_info().rss - before
    if what == "light":
        asyncio.run(converse())
    classes = {cls for cls in descendants(BaseModel) if cls.__module__.startswith("aiogram.")}
    types = [cls for cls in classes if cls.__module__.startswith("aiogram.types.")]
    answer = {
        "megabytes": taken // 2**20,
        "types": len(types),
        "types_built": sum(cls.__pydantic_complete__ for cls in types),
        "classes_built": sum(cls.__pydantic_complete__ for cls in classes),
        "restored": BaseModel.__dict__["model_rebuild"] is original,
    }
    print(json.dumps(answer))  # noqa: T201 - to the parent


def break_aiogram() -> None:
    sys.modules["aiogram.types.update"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("bot.channels.telegram")
    except ImportError:
        return
    raise AssertionError("imported without a part of it")


def descendants(cls: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in cls.__subclasses__():
        yield child
        yield from descendants(child)


async def converse() -> None:
    """Make every request and read every kind of update that the channel knows."""
    # Imported late: the memory of the channel alone is measured before.
    from bot.channels.telegram import TelegramChannel, Webhook  # noqa: PLC0415
    from tests.bot.channels.test_telegram import SECRET, TOKEN, Desk, listening  # noqa: PLC0415
    from tests.clock import FastClock  # noqa: PLC0415
    from tests.emulators.telegram import TelegramServer  # noqa: PLC0415

    clock = FastClock(speed=50)
    async with TelegramServer(token=TOKEN, clock=clock, limits=False) as server:
        channel = TelegramChannel(TOKEN, clock=clock, api_url=server.url)
        assert await channel.check() == "@diary_help_bot"
        desk = Desk()
        anna = server.person(first_name="Анна")
        await anna.start()
        async with listening(channel, desk) as task:
            await desk.next()
            await say_everything(channel, desk, anna=anna, server=server)
            await work_in_a_group(channel, desk, anna=anna, server=server)
            assert not task.done()
        await channel.close()

        hooked = TelegramChannel(
            TOKEN, clock=clock, api_url=server.url, webhook=Webhook("https://example.org/x", SECRET)
        )
        await hooked.listen(desk.receive)
        await hooked.close()
        assert {call.method for call in server.calls} >= {
            "answerCallbackQuery",
            "createForumTopic",
            "deleteMessage",
            "deleteWebhook",
            "getFile",
            "getMe",
            "getUpdates",
            "sendDocument",
            "sendMediaGroup",
            "sendMessage",
            "sendPhoto",
            "sendVideo",
            "sendVoice",
            "setMyCommands",
            "setMyDescription",
            "setMyShortDescription",
            "setWebhook",
        }


async def say_everything(channel: Any, desk: Any, *, anna: Any, server: Any) -> None:
    from bot.channels.base import LocalFile, Piece  # noqa: PLC0415
    from faq.markup import Span  # noqa: PLC0415
    from handlers.messages import Button  # noqa: PLC0415
    from tests.bot.channels.test_telegram import address, file, said, until  # noqa: PLC0415
    from tests.clock import FastClock  # noqa: PLC0415
    from tests.emulators.telegram import TINY_JPEG  # noqa: PLC0415

    async def sends(**fields: Any) -> str:
        sent: str = await channel.send(address(anna), Piece(**fields), key="1")
        return sent

    words = (Span("Что "), Span("случилось?", bold=True), Span("правила", url="https://example.org"))
    rows = ((Button("Забыл пароль", "tree:7"), Button("Сайт", url="https://example.org")),)
    asked = await sends(spans=words, buttons=rows)
    wrote = await anna.says("вот это https://example.org", reply_to=int(asked))
    assert (await desk.next()).reply_to == asked
    await anna.edits(wrote, "вот то")
    assert (await desk.next()).edited
    await sends(delete=str(wrote.id))
    await anna.presses("Забыл пароль")
    assert (await desk.next()).button == "tree:7"
    await until(lambda: not server.unanswered_presses(), FastClock())

    with tempfile.TemporaryDirectory() as folder:
        photo = file(Path(folder), "a.jpg")
        kinds: tuple[LocalFile, ...] = tuple(
            file(Path(folder), f"b.{kind}", b"OggS", kind=kind) for kind in ("file", "voice", "video")
        )
        for one in (photo, *kinds):
            await sends(files=(one,), spans=words, reply_to=asked)
        await sends(files=(photo, photo, kinds[2]), spans=words)
        await sends(files=(kinds[0], kinds[0]))

    await anna.sends_photo(TINY_JPEG, caption="экран")
    await anna.sends_document("справка.pdf", b"%PDF", mime="application/pdf")
    await anna.sends_voice(b"OggS")
    await anna.sends_video(b"video")
    await anna.sends_sticker()
    await anna.sends_album([TINY_JPEG, TINY_JPEG])
    for media in MEDIA:
        bodies = {field: {"file_id": "F", "file_unique_id": "U", **body} for field, body in media.items()}
        server.inject(said(**bodies))
    events = [await desk.next() for _ in range(7 + len(MEDIA))]
    assert all(event.attachments for event in events)
    assert await channel.fetch(events[1].attachments[0].ref, limit=1000) == b"%PDF"

    await anna.shares_contact("+79991234567")
    assert (await desk.next()).unreadable == "контакт"
    await anna.blocks()
    assert (await desk.next()).reachable is False
    await anna.unblocks()
    assert (await desk.next()).reachable is True


async def work_in_a_group(channel: Any, desk: Any, *, anna: Any, server: Any) -> None:
    from bot.channels.base import Piece  # noqa: PLC0415
    from faq.markup import Span  # noqa: PLC0415
    from handlers.messages import Address  # noqa: PLC0415

    forum = server.group("Лицей № 35", members=[anna], forum=True)
    await forum.adds_bot(anna, as_administrator=True)
    assert (await desk.next()).group_event.change == "joined"
    there = Address("telegram", str(forum.id))
    thread = await channel.open_topic(there, "№ 7")
    card = await channel.send(there, Piece(spans=(Span("Заявка"),), thread=thread), key="1")
    await anna.says("взяла", chat=forum.topic("№ 7"), reply_to=int(card))
    assert (await desk.next()).thread == thread
    await forum.closes_topic(forum.topic("№ 7"), by=anna)
    assert (await desk.next()).group_event.change == "topic_closed"
    small = server.group("Лицей № 35", members=[anna])
    await small.adds_bot(anna)
    await small.becomes_supergroup()
    changes = [(await desk.next()).group_event.change for _ in range(3)]
    assert changes == ["joined", "joined", "moved"]


if __name__ == "__main__":
    main(sys.argv[1])
