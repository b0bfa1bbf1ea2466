"""`helpdesk run`, `migrate`, `doctor`: the process and its health."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import typer

from bot.commands.common import FAILURE, load_settings, run, told
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
    from handlers import staff as deeds
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
                tx, role="owner", school=None, municipality=None, now=app.clock.now()
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
