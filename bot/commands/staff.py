"""`helpdesk staff`: who answers parents."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.clock import SystemClock
from bot.commands.common import fail, load_settings, run, told
from bot.commands.tables import aligned
from bot.settings import Settings

app = typer.Typer(help="Сотрудники: приглашения и список.", no_args_is_help=True)


@app.command()
def invite(
    role: Annotated[str, typer.Option("--role", help="owner, ministry, municipal или school.")],
    school: Annotated[int | None, typer.Option("--school", help="Номер из helpdesk schools list.")] = None,
    municipality: Annotated[
        str | None, typer.Option("--municipality", help="Муниципалитет из справочника школ.")
    ] = None,
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


async def _invite(settings: Settings, role: str, school: int | None, municipality: str | None) -> None:
    from bot.links import links_from_settings
    from bot.opening import open_database
    from handlers.ministry.directory import municipality_named
    from handlers.staff import membership as deeds
    from storage import schools

    database = await open_database(settings)
    try:
        async with database.transaction() as tx:
            known = await schools.everyone(tx)
            chosen = next((each for each in known if each.id == school), None)
            if school is not None and chosen is None:
                fail(f"Школы с номером {school} нет. Номера показывает helpdesk schools list.")
            if municipality is not None:
                municipality = municipality_named(municipality, [each.municipality for each in known])
            invited = await deeds.invite(
                tx, role=role, school_id=school, municipality=municipality, now=SystemClock().now()
            )
        if chosen is not None or municipality:
            typer.echo(f"{chosen.name}, {chosen.municipality}" if chosen else municipality)
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
    from storage import schools, staff

    database = await open_database(settings)
    try:
        async with database.reading() as tx:
            members = await staff.everyone(tx)
            waiting = await staff.open_invitations(tx, now=SystemClock().now())
            known = {each.id: f"{each.name}, {each.municipality}" for each in await schools.ever(tx)}
    finally:
        await database.close()
    rows = [
        (
            str(member.id),
            member.name,
            texts.ROLES[member.role],
            texts.CHANNEL_NAMES.get(member.channel, member.channel),
            "; ".join([*filter(None, [member.municipality]), *(known[each] for each in member.school_ids)]),
        )
        for member in members
    ]
    for line in aligned([("ID", "ИМЯ", "РОЛЬ", "ГДЕ", "ШКОЛЫ И МУНИЦИПАЛИТЕТ"), *rows] if rows else []):
        typer.echo(line)
    invited = [
        (
            f"приглашение {each.id}",
            texts.ROLES[each.role],
            f"до {each.expires_at:%d.%m.%Y %H:%M} UTC",
            known.get(each.school_id or 0) or each.municipality or "",
        )
        for each in waiting
    ]
    for line in aligned(invited):
        typer.echo(line)
    if not members and not waiting:
        typer.echo("Сотрудников пока нет: пригласите первого командой helpdesk staff invite --role owner.")


async def _revoke(settings: Settings, number: int) -> bool:
    from bot.opening import open_database
    from handlers.cases import group_desks
    from storage import journal, staff

    database = await open_database(settings)
    now = SystemClock().now()
    try:
        async with database.transaction() as tx:
            revoked = await staff.revoke(tx, number, now=now)
            if revoked is not None:
                await group_desks.tell_of_registered(tx, number, now=now)
                await journal.note(tx, "revoked", actor="owner", now=now, details={"staff": number})
    finally:
        await database.close()
    return revoked is not None
