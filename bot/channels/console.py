"""The terminal as a messenger: for trying the bot out, and for staff who sit at the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from bot.channels.base import (
    FetchError,
    LocalFile,
    Pace,
    Piece,
    Receive,
    Rejected,
    SendError,
    send_to_one,
)
from faq.markup import draw_plain, parse
from handlers.messages import Address, Button, Outgoing


class ConsoleChannel:
    """Prints messages, and numbers their buttons so that a number presses one."""

    name = "console"
    pace = Pace(per_second=1000, per_chat_interval=0)
    drops_repeats = False
    deletes_theirs = False
    most_readers = 1

    def __init__(self, show: Callable[[str], None]) -> None:
        """`show` prints one message."""
        self._show = show
        self._shown = 0
        self._buttons: list[Button] = []

    def compose(self, message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
        """A terminal has no limits: one piece; what was typed there stays."""
        if message.delete is not None:
            return ()
        return (Piece(parse(message.text), message.buttons, tuple(files), message.reply_to),)

    async def send(self, to: Address, piece: Piece, *, key: str) -> str:  # noqa: ARG002 - one terminal, one chat
        """Print it; the number stands in front so that a line can answer it."""
        self._shown += 1
        lines = ["".join(draw_plain(span) for span in piece.spans)]
        lines += [f"  [файл] {file.name}: {file.path}" for file in piece.files]
        for button in (button for row in piece.buttons for button in row):
            self._buttons.append(button)
            lines.append(f"  [{len(self._buttons)}] {button.label} {button.url}".rstrip())
        self._show("\n".join(lines))
        return key

    async def send_to_many(
        self, chat_ids: Sequence[str], piece: Piece, *, key: str
    ) -> dict[str, str | SendError]:
        """Print it: there is one reader."""
        return await send_to_one(self, chat_ids, piece, key=key)

    async def edit(self, to: Address, external_id: str, piece: Piece) -> None:  # noqa: ARG002
        """Raise `Rejected`: what was printed stays."""
        raise Rejected("в терминале сказанного не изменить")

    async def unsend(self, to: Address, external_id: str) -> None:  # noqa: ARG002 - what was printed stays
        """Raise `Rejected`: what was printed stays."""
        raise Rejected("в терминале сказанного не изменить")

    def press(self, line: str) -> str | None:
        """The payload of the button with this number, if the line is one; pressing forgets the numbers."""
        number = int(line) if line.isascii() and line.isdigit() and len(line) < _DIGITS else 0
        payload = self._buttons[number - 1].payload if 0 < number <= len(self._buttons) else ""
        return payload or None

    def begin_turn(self) -> None:
        """The person speaks: the buttons that come now are numbered from one."""
        self._buttons.clear()

    def is_group(self, chat_id: str) -> bool:  # noqa: ARG002 - the same for every channel
        """Never."""
        return False

    async def open_topic(self, to: Address, title: str) -> str:  # noqa: ARG002 - there is nothing to open
        """Raise `Rejected`: a terminal has no groups."""
        raise Rejected("в терминале нет групп")

    async def fetch(self, ref: str, *, limit: int) -> bytes:  # noqa: ARG002 - files are local
        """Nothing is ever elsewhere."""
        raise FetchError("файла больше нет")

    async def listen(self, receive: Receive) -> None:
        """Lines are read by the command itself."""

    def routes(self, receive: Receive) -> APIRouter | None:  # noqa: ARG002 - no HTTP here
        """None."""
        return None

    async def check(self) -> str:
        """Always works."""
        return "терминал"

    async def close(self) -> None:
        """Nothing to let go."""


_DIGITS = 4
