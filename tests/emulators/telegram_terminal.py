"""Talk to a bot through the emulator by hand: a developer without tokens sits at the terminal."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tests.emulators.telegram import DEFAULT_TOKEN, Button, ChatMessage, Person, TelegramServer

FIRST_USER_ID = 5_000_000_000
HELP = """\
Строка — сообщение боту (/start, /help — тоже). Ещё можно:
  /as N            говорить за N-го человека
  press N          нажать кнопку N последнего сообщения с кнопками
  photo ФАЙЛ       отправить фотографию
  doc ФАЙЛ         отправить документ
  block, unblock   заблокировать бота, разблокировать
  help             эта подсказка
Конец ввода (Ctrl+D) — выход."""


class Terminal:
    """Several people at one keyboard."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        self._readers: dict[int, asyncio.Task[None]] = {}
        self._number = 1
        self._deeds: dict[str, Callable[[str], Awaitable[object]]] = {
            "/as": self._become,
            "press": self._press,
            "photo": lambda path: self._send_photo(Path(path)),
            "doc": lambda path: self._send_document(Path(path)),
            "block": lambda _: self._me.blocks(),
            "unblock": lambda _: self._me.unblocks(),
        }

    async def run(self) -> None:
        """Read lines until the end of input."""
        await self._become("1")
        while line := await asyncio.to_thread(sys.stdin.readline):
            await self._obey(line.strip())
        for reader in self._readers.values():
            reader.cancel()

    @property
    def _me(self) -> Person:
        return self._server.person(FIRST_USER_ID + self._number, first_name=f"Человек {self._number}")

    async def _obey(self, line: str) -> None:
        if line == "help":
            _write(HELP)
        elif line:
            word, _, rest = line.partition(" ")
            deed = self._deeds.get(word)
            try:
                await (deed(rest) if deed else self._me.says(line))
            except (AssertionError, OSError, ValueError, IndexError) as wrong:
                _write(f"Не вышло: {wrong}")
        for violation in self._server.violations:
            _write(f"Бот нарушил правила: {violation}")
        self._server.violations.clear()

    async def _become(self, number: str) -> None:
        self._number = int(number)
        if self._number not in self._readers:
            self._readers[self._number] = asyncio.create_task(self._read(self._me))

    async def _press(self, number: str) -> None:
        newest = next((message for message in reversed(self._me.chat) if message.keyboard), None)
        if newest is None:
            raise AssertionError("кнопок нет")
        await self._me.presses(_all_buttons(newest)[int(number) - 1])

    async def _send_photo(self, path: Path) -> None:
        await self._me.sends_photo(await asyncio.to_thread(path.read_bytes))

    async def _send_document(self, path: Path) -> None:
        await self._me.sends_document(path.name, await asyncio.to_thread(path.read_bytes))

    async def _read(self, person: Person) -> None:
        while True:
            message = await person.hears("", timeout=float("inf"))
            _write(f"{message.author} → {person.user.first_name}: {message.words}")
            for file in message.files:
                _write(f"  [{file.kind} {file.name or ''}, {len(file.content)} байт]")
            for number, button in enumerate(_all_buttons(message), start=1):
                _write(f"  {number}. {button.label}{f' → {button.url}' if button.url else ''}")


async def serve(*, port: int, token: str, limits: bool) -> None:
    """Start the server and the conversation."""
    async with TelegramServer(port=port, token=token, limits=limits) as server:
        _write(f"Сервер слушает. Настройки бота:\n  HELPDESK_TELEGRAM_API_URL={server.url}")
        _write(f"  HELPDESK_TELEGRAM_TOKEN={token}\n\n{HELP}\n")
        await Terminal(server).run()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulators.telegram",
        description="Сервер Telegram Bot API на этом компьютере: разговор с ботом без токена и без сети.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="показать эту справку и выйти")
    parser.add_argument("--port", type=int, default=8081, metavar="N", help="порт (8081)")
    parser.add_argument("--token", default=DEFAULT_TOKEN, metavar="T", help="токен, который примет сервер")
    parser.add_argument("--no-limits", action="store_true", help="не ограничивать частоту сообщений")
    parsed = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(port=parsed.port, token=parsed.token, limits=not parsed.no_limits))


def _all_buttons(message: ChatMessage) -> list[Button]:
    return [button for row in message.keyboard for button in row]


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
