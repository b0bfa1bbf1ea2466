"""`helpdesk run`, `migrate`, `doctor`, `forget`: the process, its health and what it keeps."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.common import BAD_INPUT, FAILURE, fail, load_settings, run, told
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.parts import App

CHANNEL_TITLES = {"telegram": "Telegram", "vk": "ВКонтакте", "web": "Веб-чат"}


def serve() -> None:
    """Запустить всё, что настроено, в одном процессе."""
    settings = load_settings(quiet=False)
    with told():
        run(_serve(settings))


def migrate() -> None:
    """Привести таблицы базы данных к этой версии."""
    settings = load_settings()
    with told():
        run(_migrate(settings))


def doctor() -> None:
    """Проверить настройки, базу данных, FAQ и каналы: что работает, что нет и что сделать."""
    settings = load_settings()
    with told():
        healthy = run(_doctor(settings))
    if not healthy:
        raise typer.Exit(FAILURE)


def forget(
    who: Annotated[
        str, typer.Argument(metavar="КАНАЛ:НОМЕР", help="Например telegram:123456789, vk:1234, web:…")
    ],
) -> None:
    """Удалить всё, что есть о человеке: переписку, файлы, семью, адрес. Вопросы остаются числами."""
    from handlers.texts.basics import CHANNEL_NAMES

    channel, _, chat_id = who.strip().partition(":")
    if channel not in CHANNEL_NAMES or not chat_id or len(chat_id) > _LONGEST_CHAT_ID:
        known = ", ".join(CHANNEL_NAMES)
        fail(f"Укажите человека как КАНАЛ:НОМЕР, например telegram:123456789; каналы: {known}.", BAD_INPUT)
    settings = load_settings()
    with told():
        sentence, code = run(_forget(settings, channel, chat_id))
    if code:
        fail(sentence, code)
    typer.echo(sentence)


async def _serve(settings: Settings) -> None:
    from bot.app import running

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as app:
        for line in await start_lines(app):
            typer.echo(line)
        await stop.wait()
        typer.echo("Останавливаюсь.")


async def start_lines(app: App) -> list[str]:
    """What the operator reads when it has started: what works, what is missing, where staff come in."""
    from bot.links import invitation_links
    from handlers.staff import membership as deeds
    from storage import staff

    lines = ["Помощник запущен.", f"  Веб-чат: {app.url}/chat"]
    for name, title in CHANNEL_TITLES.items():
        if name in app.missing:
            lines.append(f"  {title} выключен: {app.missing[name]}. Остальное работает.")
        elif name != "web":
            trouble = app.health[name].trouble
            lines.append(f"  {title}: {'не работает — ' + trouble if trouble else 'включён'}")
    async with app.database.reading() as tx:
        members = await staff.everyone(tx)
    if members:
        lines.append(f"  Панель сотрудников: {app.url}/panel (новая ссылка: helpdesk staff invite)")
    else:
        async with app.database.transaction() as tx:
            invited = await deeds.invite(
                tx, role="owner", school_id=None, municipality=None, now=app.clock.now()
            )
        lines.append("  Вход для сотрудника (одноразовая ссылка):")
        lines += [f"    {where}: {link}" for where, link in invitation_links(app, invited.token)]
    return lines


async def _migrate(settings: Settings) -> None:
    from bot.opening import prepare_folder
    from storage.database import Database

    database = Database(settings.database)
    try:
        if database.is_sqlite:
            prepare_folder(settings.data_dir)
        before, after = await database.migrate()
    finally:
        await database.close()
    if before == after:
        typer.echo(f"Таблицы уже версии {after}.")
    else:
        typer.echo(f"Таблицы обновлены: {before or 'пусто'} → {after}.")


async def _doctor(settings: Settings) -> bool:
    from bot.doctor import examine

    findings = await examine(settings)
    marks = {"ok": "✓", "off": "–", "broken": "✗"}
    for finding in findings:
        typer.echo(f"{marks[finding.state]} {finding.part}: {finding.text}")
    return all(finding.state != "broken" for finding in findings)


async def _forget(settings: Settings, channel: str, chat_id: str) -> tuple[str, int]:
    """What to say, and the exit code."""
    from bot.channels.files import Files
    from bot.clock import SystemClock
    from bot.opening import open_database
    from bot.schedule import erase
    from handlers.errors import HelpdeskError
    from handlers.parents import forgetting
    from storage import people

    clock = SystemClock()
    database = await open_database(settings)
    try:
        async with database.transaction() as tx:
            found = await people.at(tx, channel, chat_id)
            person = await people.hold(tx, found.id) if found else None
            if person is None:
                return f"Человека {channel}:{chat_id} нет: он не писал или уже забыт.", FAILURE
            try:
                gone = await forgetting.forget(tx, person, actor="owner", now=clock.now())
            except HelpdeskError as refusal:
                return str(refusal), FAILURE
        erased = await erase(database, Files(settings.data_dir / "files"), clock=clock)
    finally:
        await database.close()
    told = (
        f"Забыто: сообщений {gone.messages}, файлов {gone.files}, отправленного {gone.letters}, "
        f"детей {gone.children}. Вопросов осталось числами: {gone.tickets}."
    )
    later = "" if erased else " Журнал базы сейчас читают: работающий бот дочистит его сам за минуту."
    return told + later, 0


_LONGEST_CHAT_ID = 64
