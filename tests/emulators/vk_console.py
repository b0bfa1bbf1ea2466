"""The emulator by hand: a developer without tokens chats with the bot from the terminal."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.emulators.vk import VkServer

if TYPE_CHECKING:
    from tests.emulators.vk_people import Person

HELP = """Пишите боту строками. Число — нажать кнопку с этим номером.
/start [метка] — кнопка «Начать» · /photo ФАЙЛ · /doc ФАЙЛ · /block · /unblock
/as НОМЕР — стать другим человеком · /help · конец ввода — выход
"""


def main() -> None:
    """Run the emulator and a chat on standard input."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulators.vk",
        description="ВКонтакте на своей машине: бот подключается к нему, вы пишете за родителя.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="показать эту справку")
    parser.add_argument("--port", type=int, default=8082, help="порт (8082)")
    parser.add_argument("--token", default="vk1.a.token", help="ключ сообщества, который примет эмулятор")
    parser.add_argument("--group", type=int, default=1, help="номер сообщества (1)")
    arguments = parser.parse_args()
    server = VkServer(token=arguments.token, group_id=arguments.group, port=arguments.port)
    with suppress(KeyboardInterrupt):
        asyncio.run(_Console(server).run())


class _Console:
    def __init__(self, server: VkServer) -> None:
        self._server = server
        self._listeners: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        async with self._server as server:
            _write(
                f"Методы: {server.url}/method/\n"
                f"Настройки бота: HELPDESK_VK_API_URL={server.url} HELPDESK_VK_TOKEN={server.token} "
                f"HELPDESK_VK_GROUP_ID={server.group_id}\n{HELP}"
            )
            person = self._become(1)
            while line := await asyncio.to_thread(sys.stdin.readline):
                person = await self._do(line.strip(), person)
            for listener in self._listeners.values():
                listener.cancel()

    def _become(self, number: int) -> Person:
        person = self._server.person(user_id=number, first_name=f"Родитель {number}")
        if number not in self._listeners:
            self._listeners[number] = asyncio.create_task(self._print_answers(person))
        return person

    async def _print_answers(self, person: Person) -> None:
        async for message in person.listens():
            labels = [label for row in message.buttons for label in row]
            buttons = "".join(f"\n  {number}. {label}" for number, label in enumerate(labels, start=1))
            _write(f"бот → {person.name}: {message.text}{buttons}\n")

    async def _do(self, line: str, person: Person) -> Person:
        command, _, rest = line.partition(" ")
        if command == "/as" and rest.isdecimal():
            return self._become(int(rest))
        try:
            await self._deed(command, rest, person=person)
        except (OSError, AssertionError) as error:
            _write(f"не вышло: {error}\n")
        for violation in self._server.violations:
            _write(f"нарушение: {violation}\n")
        self._server.violations.clear()
        return person

    async def _deed(self, command: str, rest: str, *, person: Person) -> None:
        if command == "/start":
            await person.start(rest)
        elif command == "/photo":
            await person.sends_photo(await asyncio.to_thread(Path(rest).read_bytes))
        elif command == "/doc":
            await person.sends_document(Path(rest).name, await asyncio.to_thread(Path(rest).read_bytes))
        elif command == "/block":
            await person.blocks()
        elif command == "/unblock":
            await person.unblocks()
        elif command == "/help":
            _write(HELP)
        elif command.isdecimal() and not rest and (label := _label(person, int(command))):
            await person.presses(label)
        elif command:
            await person.says(f"{command} {rest}".strip())


def _label(person: Person, number: int) -> str | None:
    """The label of a numbered button of the newest message that has buttons."""
    shown = next((one for one in reversed(person.chat) if one.from_bot and one.buttons), None)
    labels = [label for row in shown.buttons for label in row] if shown else []
    return labels[number - 1] if 0 < number <= len(labels) else None


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
