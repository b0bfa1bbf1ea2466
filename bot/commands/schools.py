"""`helpdesk schools`: the directory of schools, and the posters for their notice boards."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.clock import SystemClock
from bot.commands.common import BAD_INPUT, FAILURE, fail, load_settings, run, told
from bot.commands.tables import aligned
from bot.settings import Settings

if TYPE_CHECKING:
    from faq.schools.row import Row
    from handlers.ministry.directory import Difference
    from storage.schools import School

app = typer.Typer(help="Справочник школ: загрузка, список, плакаты.", no_args_is_help=True)

MOST_NAMED = 20
"""Schools that each part of a report names; the others are counted."""
MOST_MADE_UP = 5000


@app.command("import")
def import_schools(
    file: Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="Таблица школ, .csv или .xlsx.")],
    yes: Annotated[bool, typer.Option("--yes", help="Не спрашивать.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Только показать, что изменится.")] = False,
    close_missing: Annotated[
        bool, typer.Option("--close-missing", help="Закрыть школы, которых в файле нет.")
    ] = False,
) -> None:
    """Загрузить справочник школ: показать, что изменится, и применить всё или ничего."""
    from faq.schools.reading import DirectoryError, read_directory

    settings = load_settings()
    try:
        rows = read_directory(file).rows
    except DirectoryError as error:
        fail(str(error), BAD_INPUT)
    with told():
        found = run(_compare(settings, rows, file))
        _tell(found, file, rows, close_missing=close_missing)
        if dry_run:
            typer.echo("Это проверка: справочник не изменён.")
            return
        if found.is_nothing and not (close_missing and found.absent):
            typer.echo("Менять нечего.")
            return
        # Only a person at a terminal can be asked.
        if not yes and sys.stdin.isatty() and not typer.confirm("Применить?", default=False):
            typer.echo("Справочник не изменён.")
            return
        run(_import(settings, rows, file, close_missing=close_missing))
    typer.echo("Справочник обновлён.")


@app.command("list")
def list_schools(
    municipality: Annotated[
        str | None, typer.Option("--municipality", help="Только этот муниципалитет.")
    ] = None,
) -> None:
    """Показать школы: номер, код, название, муниципалитет."""
    settings = load_settings()
    with told():
        schools = run(_schools(settings))
        if municipality is not None:
            from handlers.ministry.directory import municipality_named

            place = municipality_named(municipality, [each.municipality for each in schools])
            schools = [each for each in schools if each.municipality == place]
    if not schools:
        typer.echo("Школ пока нет: загрузите справочник командой helpdesk schools import.")
        return
    rows = [(str(each.id), each.code, each.name, each.municipality, each.hours) for each in schools]
    for line in aligned([("ID", "КОД", "НАЗВАНИЕ", "МУНИЦИПАЛИТЕТ", "ЧАСЫ РАБОТЫ"), *rows]):
        typer.echo(line)


@app.command()
def demo(
    file: Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="Куда записать, .csv.")],
    count: Annotated[int, typer.Option("--count", min=1, max=MOST_MADE_UP, help="Сколько школ.")] = 137,
) -> None:
    """Записать вымышленный справочник для проб и показа; настоящих школ в нём нет."""
    from faq.schools.made_up import made_up_schools, write_directory

    if file.suffix.lower() != ".csv":
        fail(f"Файл «{file}»: вымышленный справочник записывается в .csv.")
    if file.exists():
        fail(f"Файл «{file}» уже есть: укажите другое имя.")
    rows = made_up_schools(count)
    try:
        write_directory(rows, file)
    except OSError as error:
        fail(f"Файл «{file}» не записать: {error.strerror}.", FAILURE)
    typer.echo(f"Записано вымышленных школ: {len(rows)}, файл {file}. Это учебный пример, таких школ нет.")


@app.command()
def poster(
    out: Annotated[Path, typer.Option("--out", help="Куда записать, .pdf.")],
    number: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="Номер из helpdesk schools list.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Плакаты всех школ в одном файле.")] = False,
) -> None:
    """Сделать плакат для доски объявлений (PDF): по коду открывается бот с уже выбранной школой."""
    if (number is None) != everyone:
        fail("Укажите номер школы или --all.")
    if out.suffix.lower() != ".pdf":
        fail(f"Файл «{out}»: плакат записывается в .pdf.")
    settings = load_settings()
    with told():
        schools = run(_schools(settings))
        chosen = [each for each in schools if everyone or each.id == number]
        if not chosen and not everyone:
            fail(f"Школы с номером {number} нет. Номера показывает helpdesk schools list.")
        content, missing = run(_posters(settings, chosen))
    try:
        out.write_bytes(content)
    except OSError as error:
        fail(f"Файл «{out}» не записать: {error.strerror}.", FAILURE)
    typer.echo(f"Плакатов: {len(chosen)}, файл {out}.")
    for sentence in missing:
        typer.echo(sentence)


def _tell(found: Difference, file: Path, rows: Sequence[Row], *, close_missing: bool) -> None:
    typer.echo(f"{file.name}: школ {len(rows)}.")
    if found.is_made_up:
        typer.echo("Внимание: это вымышленный справочник для проб, таких школ нет.")
    _part("Новые", [(each.row.name, each.row.municipality, f"код {each.code}") for each in found.added])
    _part(
        "Изменены",
        [(each.school.name, each.school.municipality, "; ".join(each.words)) for each in found.changed],
    )
    typer.echo(f"Без изменений: {found.same}")
    title = "Нет в файле, будут закрыты" if close_missing else "Нет в файле, остаются"
    _part(title, [(each.name, each.municipality, f"код {each.code}") for each in found.absent])


def _part(title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    typer.echo(f"{title}: {len(rows)}")
    for line in aligned(rows[:MOST_NAMED]):
        typer.echo(f"  {line}")
    if len(rows) > MOST_NAMED:
        typer.echo(f"  и ещё {len(rows) - MOST_NAMED}")


async def _compare(settings: Settings, rows: Sequence[Row], file: Path) -> Difference:
    from bot.opening import open_database
    from handlers.ministry import directory

    database = await open_database(settings)
    try:
        async with database.reading() as tx:
            return await directory.difference(tx, rows)
    except directory.NotImportable as error:
        raise error.in_file(file.name) from None
    finally:
        await database.close()


async def _import(settings: Settings, rows: Sequence[Row], file: Path, *, close_missing: bool) -> None:
    from bot.opening import open_database
    from handlers.ministry import directory

    database = await open_database(settings)
    try:
        async with database.transaction() as tx:
            await directory.bring_in(
                tx, rows, close_missing=close_missing, now=SystemClock().now(), actor="owner"
            )
    except directory.NotImportable as error:
        raise error.in_file(file.name) from None
    finally:
        await database.close()


async def _schools(settings: Settings) -> list[School]:
    from bot.opening import open_database
    from storage import schools

    database = await open_database(settings)
    try:
        async with database.reading() as tx:
            return await schools.everyone(tx)
    finally:
        await database.close()


async def _posters(settings: Settings, chosen: Sequence[School]) -> tuple[bytes, list[str]]:
    """The PDF, and which places are missing on it."""
    from bot.links import left_out, school_links_from_settings
    from bot.poster import Sheet, posters
    from faq.content.region import load_region

    links = await school_links_from_settings(settings, [each.code for each in chosen])
    sheets = [
        Sheet(each.name, each.municipality, of_school) for each, of_school in zip(chosen, links, strict=True)
    ]
    content = posters(sheets, region_name=load_region(settings.region).name)
    return content, left_out(settings, links[0])
