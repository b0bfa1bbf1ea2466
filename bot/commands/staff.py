"""`helpdesk staff`: who answers parents."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.clock import SystemClock
from bot.commands.common import fail, load_settings, run, told
from bot.settings import Settings

app = typer.Typer(help="Сотрудники: приглашения и список.", no_args_is_help=True)


@app.command()
def invite(
    role: Annotated[str, typer.Option("--role", help="owner, ministry, municipal или school.")],
    school: Annotated[str | None, typer.Option("--school", help="Школа сотрудника.")] = None,
    municipality: Annotated[str | None, typer.Option("--municipality", help="Муниципалитет.")] = None,
) -> None:
    """Сделать одноразовые ссылки, по которым сотрудник войдёт в любом канале."""
    if school and municipality:
        fail("Укажите одно: --school или --municipality.")
    settings = load_settings()
    with told():
        run(_invite(settings, role, school, municipality))


@app.command("list")
def list_staff() -> None:
    """Показать сотрудников и неиспользованные приглашения."""
    settings = load_settings()
    with told():
        run(_list(settings))


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(metavar="ID", help="Номер из helpdesk staff list.")],
) -> None:
    """Отозвать доступ сотрудника."""
    settings = load_settings()
    with told():
        revoked = run(_revoke(settings, number))
    if not revoked:
        fail(f"Сотрудника с номером {number} нет. Номера показывает helpdesk staff list.")
    typer.echo(f"Доступ сотрудника {number} отозван.")


async def _invite(settings: Settings, role: str, school: str | None, municipality: str | None) -> None:
    from bot.links import links_from_settings
    from bot.opening import open_database
    from handlers.staff import membership as deeds

    database = await open_database(settings)
    try:
        async with database.transaction() as tx:
            invited = await deeds.invite(
                tx, role=role, school=school, municipality=municipality, now=SystemClock().now()
            )
        typer.echo(
            f"Приглашение {invited.id}, действует до {invited.expires_at:%d.%m.%Y %H:%M} UTC, один раз:"
        )
        for where, link in await links_from_settings(settings, invited.token):
            typer.echo(f"  {where}: {link}")
    finally:
        await database.close()


async def _list(settings: Settings) -> None:
    from bot.opening import open_database
    from handlers.texts import basics as texts
    from storage import staff

    database = await open_database(settings)
    try:
        async with database.reading() as tx:
            members = await staff.everyone(tx)
            waiting = await staff.open_invitations(tx, now=SystemClock().now())
    finally:
        await database.close()
    for member in members:
        place = member.school or member.municipality or ""
        channel = texts.CHANNEL_NAMES.get(member.channel, member.channel)
        typer.echo(f"{member.id}\t{member.name}\t{texts.ROLES[member.role]}\t{place}\t{channel}")
    for invitation in waiting:
        until = f"{invitation.expires_at:%d.%m.%Y %H:%M} UTC"
        typer.echo(f"приглашение {invitation.id}\t{texts.ROLES[invitation.role]}\tдо {until}")
    if not members and not waiting:
        typer.echo("Сотрудников пока нет: пригласите первого командой helpdesk staff invite --role owner.")


async def _revoke(settings: Settings, number: int) -> bool:
    from bot.opening import open_database
    from storage import journal, staff

    database = await open_database(settings)
    now = SystemClock().now()
    try:
        async with database.transaction() as tx:
            revoked = await staff.revoke(tx, number, now=now)
            if revoked is not None:
                await journal.note(tx, "revoked", actor="owner", now=now, details={"staff": number})
    finally:
        await database.close()
    return revoked is not None
