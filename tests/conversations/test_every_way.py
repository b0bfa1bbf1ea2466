"""«Не могу войти» on every channel: all starting messages reach their ends by buttons that people see."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import app as commands
from bot.channels.web import SESSIONS_PER_MINUTE
from faq.diagnosis.tree import MOST_QUESTIONS
from handlers.messages import Outgoing
from handlers.turn import from_plain
from storage import conversations, outbox
from tests.emulators.telegram_world import ChatMessage as TelegramMessage
from tests.emulators.vk_world import ChatMessage as VkMessage
from tests.house import House
from tests.sizes import LONG
from tests.visitor import Bubble, Visitor, visiting
from tests.ways_to_leaves import Way, is_end, next_tap, ways

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CHANNELS = ("telegram", "vk", "web", "console")
AT_ONCE = 30
"""People who talk at the same time: a callback query of Telegram must not grow old in the queue."""
PATIENCE = 60.0
"""Real seconds for one answer to everybody who talks at the same time."""

Offered = dict[str, str]
"""What the buttons carry, with what a person presses: a label, or its number in the terminal."""


@dataclass
class Walk:
    """One row of the table on its way."""

    way: Way
    taps: list[str] = field(default_factory=list)
    trouble: str = ""

    @property
    def story(self) -> str:
        """The message and the taps so far."""
        return " → ".join([self.way.message, *self.taps])

    def next_press(self, offered: Offered) -> str | None:
        """What is pressed next; None at the end. AssertionError: there is no way on, or not to the end."""
        if not offered:
            raise AssertionError("нет кнопок")
        tap = next_tap(self.way, set(offered), len(self.taps))
        if tap is None and not is_end(self.way, set(offered)):
            raise AssertionError(f"это не конец, предложено {sorted(offered)}")
        if tap is None:
            return None
        if len(self.taps) == MOST_QUESTIONS:
            raise AssertionError(f"больше трёх нажатий, предложено {sorted(offered)}")
        self.taps.append(tap)
        return offered[tap]

    @contextmanager
    def noting_trouble(self) -> Iterator[None]:
        """Failures are told of together with those of the others."""
        try:
            yield
        except AssertionError as error:
            self.trouble = f"{self.story} (должно быть «{self.way.leaf.id}»): {error}"


def check(walks: Sequence[Walk]) -> None:
    """Everybody has reached their end; the others are told of together."""
    troubles = [walk.trouble for walk in walks if walk.trouble]
    if troubles:
        raise AssertionError("\n".join([f"не дошли {len(troubles)} из {len(walks)}:", *troubles]))


@pytest.mark.parametrize(
    ("transport", "database_kind"), [("telegram-polling", "sqlite"), ("vk-polling", "sqlite")]
)
async def test_every_message_reaches_its_end_in_a_messenger(house: House, transport: str) -> None:
    walks = _walks("vk" if transport.startswith("vk") else "telegram")
    phones = [house.newcomer(f"Родитель{number}") for number, _ in enumerate(walks)]
    await everybody_walks(house, list(map(Parent, walks, phones)))
    check(walks)


@pytest.mark.parametrize(("transport", "database_kind"), [("telegram-polling", "sqlite")])
async def test_every_message_reaches_its_end_in_the_web_chat(house: House) -> None:
    walks = _walks("web")
    async with AsyncExitStack() as stack:
        visitors = []
        for _ in walks:
            visitors.append(await stack.enter_async_context(visiting(house.app.settings.public_url)))
            await house.app.clock.sleep(60 / SESSIONS_PER_MINUTE)
        await everybody_walks(house, list(map(Parent, walks, visitors)))
    check(walks)


def test_every_message_reaches_its_end_in_the_terminal(
    tmp_path: Path,
    index_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    shutil.copytree(index_folder, folder)
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(folder))
    walks = _walks("console")
    keyboard = Keyboard(typing(walks), lambda: capsys.readouterr().out, folder / "helpdesk.db")
    monkeypatch.setattr(sys, "stdin", keyboard)
    commands(["chat", "--as", "Анна"], standalone_mode=False)
    check(walks)
    assert keyboard.is_done


def _walks(channel: str) -> list[Walk]:
    """Every message on every channel; without LONG each message on one of them."""
    place = CHANNELS.index(channel)
    return [Walk(way) for number, way in enumerate(ways()) if LONG or number % len(CHANNELS) == place]


# --- a crowd with phones and browsers ---


@dataclass
class Parent:
    """Somebody with a phone or a page, on a walk."""

    walk: Walk
    person: Any
    heard: list[Any] = field(default_factory=list)
    """Messages since the last tap."""

    async def writes(self) -> None:
        """Begin."""
        await self.person.says(self.walk.way.message)

    async def is_answered(self) -> None:
        """Wait for a first message; more may follow it."""
        with self.walk.noting_trouble():
            self.heard = [await self.person.hears("", timeout=PATIENCE)]

    async def goes_on(self) -> bool:
        """Read everything and press the next button; false at the end of the walk."""
        label = None
        if not self.walk.trouble:
            with self.walk.noting_trouble():
                await self._read()
                label = self.walk.next_press(self._offered())
                if label is not None:
                    await self.person.presses(label)
        return label is not None and not self.walk.trouble

    async def _read(self) -> None:
        """The rest of what was said: a long keyboard of VK goes on in further messages."""
        if isinstance(self.person, Visitor):
            await self.person.reloads()
        while self.person.unread():
            self.heard.append(await self.person.hears(""))

    def _offered(self) -> Offered:
        """Of buttons with the same label the first one of the newest message is what gets pressed."""
        shown = [button for message in self.heard for button in reversed(list(buttons_of(message)))]
        by_label = dict(shown)
        return {payload: label for label, payload in by_label.items()}


async def everybody_walks(house: House, parents: Sequence[Parent]) -> None:
    """People write at once, and press at once when everybody has been answered."""
    for at in range(0, len(parents), AT_ONCE):
        walking = list(parents[at : at + AT_ONCE])
        await asyncio.gather(*(parent.writes() for parent in walking))
        while walking:
            await asyncio.gather(*(parent.is_answered() for parent in walking))
            await nothing_is_owed(house)
            going = await asyncio.gather(*(parent.goes_on() for parent in walking))
            walking = [parent for parent, goes in zip(walking, going, strict=True) if goes]


async def nothing_is_owed(house: House) -> None:
    """Wait until no answer waits for its time and no letter for its turn: everything has been said."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with house.app.database.reading() as tx:
                due = await conversations.next_due(tx)
                letters = await outbox.count(tx)
            if due is None and not {state for _, state in letters} & {"queued", "sending"}:
                return
            await house.app.clock.sleep(1.0)


def buttons_of(message: Any) -> Iterator[tuple[str, str]]:
    """Labels and our payloads, in whichever messenger they are seen."""
    match message:
        case Bubble():
            yield from ((label, payload) for row in message.keyboard for label, payload in row if payload)
        case VkMessage():
            pressed = (each for each in message.button_objects if each.payload)
            yield from ((each.label, json.loads(each.payload)["b"]) for each in pressed)
        case TelegramMessage():
            yield from ((each.label, each.data) for row in message.keyboard for each in row if each.data)


# --- one person at a terminal ---


def typing(walks: Sequence[Walk]) -> Generator[str, Offered, None]:
    """Lines to type one after the other; whoever has come to an end is forgotten and begins anew."""
    for walk in walks:
        offered = yield walk.way.message
        with walk.noting_trouble():
            while (number := walk.next_press(offered)) is not None:
                offered = yield number
        offered = yield "/forget"
        yield offered["forget:yes"]


class Keyboard(io.TextIOBase):
    """Standard input of somebody who reads what the last line has brought before typing the next."""

    def __init__(
        self, lines: Generator[str, Offered, None], printed: Callable[[], str], database: Path
    ) -> None:
        self._lines = lines
        self._printed = printed
        self._database = database
        self._read: set[str] = set()
        self._began = False
        self.is_done = False

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # noqa: ARG002 - whole lines
        """The next line; an empty string at the end."""
        try:
            line = self._lines.send(self._offered()) if self._began else next(self._lines)
        except StopIteration:
            self.is_done = True
            return ""
        self._began = True
        return f"{line}\n"

    def _offered(self) -> Offered:
        """The numbers on the screen; what they carry is known to the outbox alone."""
        shown = re.findall(r"^  \[(\d+)\] (.*)$", self._printed(), re.MULTILINE)
        buttons = [button for message in self._letters() for row in message.buttons for button in row]
        assert [label for _, label in shown] == [f"{each.label} {each.url}".rstrip() for each in buttons]
        pairs = zip(shown, buttons, strict=True)
        return {each.payload: number for (number, _), each in pairs if each.payload}

    def _letters(self) -> list[Outgoing]:
        with closing(sqlite3.connect(self._database)) as database:
            letters = database.execute("SELECT key, body FROM outbox ORDER BY id").fetchall()
        new = [body for key, body in letters if key not in self._read]
        self._read.update(key for key, _ in letters)
        return [from_plain(json.loads(body)) for body in new]
