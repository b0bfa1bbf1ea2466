"""`helpdesk campaign`: announcements by the command line, and the brake that stops all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.clock import SystemClock
from bot.commands.common import BAD_INPUT, FAILURE, fail, load_settings, run, told
from bot.commands.tables import aligned
from bot.settings import Settings

if TYPE_CHECKING:
    from handlers.campaigns.composing import Compose
    from handlers.campaigns.control import Draft
    from handlers.messages import Attachment, Outgoing
    from handlers.turn import Deed
    from storage.campaigns.campaign import Campaign
    from storage.staff import Member

app = typer.Typer(help="Объявления: подготовка, проверка, отправка, отчёт, стоп-кран.", no_args_is_help=True)
T = TypeVar("T")
Number = Annotated[int, typer.Argument(metavar="ID", help="Номер из helpdesk campaign list.")]

LISTED = 50
_PICTURES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}


@app.command()
def create(
    file: Annotated[Path | None, typer.Argument(metavar="[ФАЙЛ]", help="Объявление в файле .yaml.")] = None,
    ready: Annotated[
        str | None, typer.Option("--ready", metavar="ИМЯ", help="Начать с готового; имена: campaign ready.")
    ] = None,
) -> None:
    """Создать черновик объявления из файла или из готового текста."""
    if (file is None) == (ready is None):
        fail("Укажите файл объявления или --ready ИМЯ.")
    settings = load_settings()
    with told():
        made = run(_create(settings, file, ready))
    typer.echo(f"Черновик № {made.id} «{made.title}» создан. Дальше: helpdesk campaign check {made.id}.")


@app.command("ready")
def show_ready() -> None:
    """Показать готовые объявления к началу учебного года."""
    from handlers.campaigns.ready import ready_campaigns
    from handlers.texts import campaigns as texts

    rows = [
        (name, texts.CATEGORIES[draft.category], draft.title) for name, draft in ready_campaigns().items()
    ]
    for line in aligned([("ИМЯ", "ВИД", "НАЗВАНИЕ"), *rows]):
        typer.echo(line)


@app.command("list")
def list_campaigns() -> None:
    """Показать объявления: номер, вид, состояние, сколько доставлено."""
    settings = load_settings()
    with told():
        rows, is_braked = run(_list(settings))
    if is_braked:
        typer.echo("Нажат стоп-кран: ни одно объявление не начнётся. Отпустить: campaign brake --release.")
    if not rows:
        typer.echo("Объявлений пока нет: создайте первое командой helpdesk campaign create.")
        return
    for line in aligned([("ID", "ВИД", "СОСТОЯНИЕ", "ДОСТАВЛЕНО", "НАЗВАНИЕ"), *rows]):
        typer.echo(line)


@app.command()
def show(number: Number) -> None:
    """Показать объявление: текст, кому, когда и как идёт отправка."""
    settings = load_settings()
    with told():
        for line in run(_show(settings, number)):
            typer.echo(line)


@app.command()
def check(number: Number) -> None:
    """Проверить объявление: ошибки, предупреждения, сколько получателей."""
    settings = load_settings()
    with told():
        lines, is_clean = run(_check(settings, number))
    for line in lines:
        typer.echo(line)
    if not is_clean:
        raise typer.Exit(FAILURE)


@app.command("test")
def send_test(
    number: Number,
    to: Annotated[int, typer.Option("--to", metavar="ID", help="Кому: номер из helpdesk staff list.")],
) -> None:
    """Отправить объявление одному сотруднику для проверки."""
    settings = load_settings()
    with told():
        found = run(_test(settings, number, to))
    typer.echo(f"Объявление № {found.id} отправлено сотруднику {to} для проверки.")


@app.command("ask")
def ask_approval(number: Number) -> None:
    """Попросить операторов министерства согласовать объявление."""
    from handlers.campaigns import control

    async def deed(deed: Deed) -> Campaign:
        found = await _find(deed, number)
        return await control.send_for_approval(deed, None, number, edition=found.edition)

    _do(deed, "ждёт согласования.")


@app.command()
def approve(number: Number) -> None:
    """Согласовать объявление или новый текст отправленного, которые ждут второго человека."""
    from handlers.campaigns import control
    from storage.campaigns import wishes

    async def deed(deed: Deed) -> Campaign:
        found = await _find(deed, number)
        rewording = await wishes.asked(deed.tx, number)
        if rewording is None:
            return await control.approve(deed, None, number, edition=found.edition)
        typer.echo(f"Новый текст:\n{rewording.text}\n")
        await control.agree_to_rewording(deed, None, number, mark=rewording.mark)
        return found

    _do(deed, "согласовано.")


@app.command()
def start(number: Number) -> None:
    """Запланировать объявление по его расписанию; без расписания начать сейчас."""
    from handlers.campaigns import control

    async def deed(deed: Deed) -> Campaign:
        found = await _find(deed, number)
        go = control.schedule_it if found.schedule else control.start_now
        return await go(deed, None, number, edition=found.edition)

    _do(deed, "запланировано: отправляет helpdesk run.")


@app.command()
def pause(number: Number) -> None:
    """Поставить объявление на паузу."""
    from handlers.campaigns import control

    _do(lambda deed: control.pause(deed, None, number), "на паузе. Само оно не продолжится.")


@app.command()
def resume(number: Number) -> None:
    """Продолжить объявление после паузы."""
    from handlers.campaigns import control

    _do(lambda deed: control.resume(deed, None, number), "продолжается.")


@app.command()
def stop(number: Number) -> None:
    """Остановить объявление совсем."""
    from handlers.campaigns import control

    _do(lambda deed: control.stop(deed, None, number), "остановлено. Больше никому не отправится.")


@app.command()
def report(
    number: Number,
    out: Annotated[Path, typer.Option("--out", metavar="ФАЙЛ", help="Куда записать, .xlsx.")],
) -> None:
    """Записать в таблицу, кому объявление не дошло и почему."""
    if out.suffix.lower() != ".xlsx":
        fail(f"Файл «{out}»: отчёт записывается в .xlsx.")
    settings = load_settings()
    with told():
        content = run(_report(settings, number))
    try:
        out.write_bytes(content)
    except OSError as error:
        fail(f"Файл «{out}» не записать: {error.strerror}.", FAILURE)
    typer.echo(f"Отчёт по объявлению № {number} записан: {out}.")


@app.command()
def brake(
    release: Annotated[bool, typer.Option("--release", help="Отпустить: начинать снова можно.")] = False,
) -> None:
    """Стоп-кран: остановить все объявления сразу, до отдельного разрешения ничего не начнётся."""
    from handlers.campaigns import control

    settings = load_settings()
    work = control.release_brake if release else control.pull_brake
    with told():
        found = run(_in_deed(settings, lambda deed: work(deed, None)))
    typer.echo("Стоп-кран отпущен. Само ничего не продолжится." if release else "Стоп-кран нажат.")
    for each in found:
        typer.echo(f"  № {each.id} «{each.title}» {'на паузе' if release else 'остановлено'}")
    if not found and not release:
        typer.echo("Ничего не отправлялось.")


@app.command()
def retry(
    number: Number,
    also_unknown: Annotated[
        bool,
        typer.Option("--also-unknown", help="И тем, о ком неизвестно, дошло ли: кто-то прочтёт дважды."),
    ] = False,
) -> None:
    """Отправить ещё раз тем, кому не дошло."""
    from handlers.campaigns import control

    settings = load_settings()
    with told():
        count = run(
            _in_deed(
                settings, lambda deed: control.retry_failed(deed, None, number, also_unknown=also_unknown)
            )
        )
    typer.echo(f"Объявление № {number} отправится ещё раз: {count}.")


# ---- work


def _do(work: Callable[[Deed], Awaitable[Campaign]], said: str) -> None:
    """One deed of the owner with one campaign, and a sentence about it."""
    settings = load_settings()
    with told():
        found = run(_in_deed(settings, work))
    typer.echo(f"Объявление № {found.id} «{found.title}» {said}")


async def _in_deed(settings: Settings, work: Callable[[Deed], Awaitable[T]]) -> T:
    from bot.opening import open_database, open_knowledge
    from handlers.turn import Deed

    clock = SystemClock()
    database = await open_database(settings)
    try:
        knowledge = await open_knowledge(settings, database, clock=clock)
        async with database.transaction() as tx:
            return await work(Deed(tx, clock.now(), knowledge))
    finally:
        await database.close()


async def _find(deed: Deed, number: int) -> Campaign:
    from handlers.campaigns import rights

    return await rights.seen(deed, None, number)


async def _create(settings: Settings, file: Path | None, ready: str | None) -> Campaign:
    from bot.channels.files import Files
    from handlers.campaigns import control
    from handlers.campaigns.ready import ready_campaigns

    if ready is not None and ready not in ready_campaigns():
        fail(f"Готового объявления «{ready}» нет: есть {', '.join(ready_campaigns())}.")
    files = Files(settings.data_dir / "files")

    async def work(deed: Deed) -> Campaign:
        draft = ready_campaigns()[ready] if ready else await _draft(deed, file or Path(), files)
        return await control.create(deed, None, draft)

    return await _in_deed(settings, work)


async def _draft(deed: Deed, file: Path, files: Any) -> Draft:
    from faq.content.loading import read_document
    from handlers.campaigns import reading

    plain = read_document(file).plain
    zone = deed.knowledge.region.timezone
    # Everything else first: a file is kept only for an announcement that can be.
    reading.draft_of(plain, zone=zone, now=deed.now)
    kept = [await _keep(file.parent / name, files) for name in reading.files_of(plain)]
    return reading.draft_of(plain, zone=zone, now=deed.now, attachments=kept)


async def _keep(path: Path, files: Any) -> Attachment:
    from handlers.messages import Attachment

    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        fail(f"Файл «{path}» не прочесть: {error.strerror}.", BAD_INPUT)
    mime = _PICTURES.get(path.suffix.lower())
    return Attachment(
        "photo" if mime else "file",
        path.name,
        mime or "application/octet-stream",
        "web",
        await files.keep(data),
        len(data),
    )


async def _list(settings: Settings) -> tuple[list[tuple[str, ...]], bool]:
    from bot.opening import open_database
    from handlers.campaigns import progress
    from handlers.texts import campaigns as texts
    from storage.campaigns import book, launches, readers

    database, now = await open_database(settings), SystemClock().now()
    try:
        async with database.reading() as tx:
            is_braked = await launches.braked_since(tx) is not None
            rows: list[tuple[str, ...]] = []
            for each in await book.listed(tx, limit=LISTED):
                known = await launches.of_campaign(tx, each.id)
                told_ = await readers.progress(tx, [launch.id for launch in known])
                waiting = await progress.waits_until(tx, known, now=now)
                sent = f"{told_.of('sent')} из {told_.total}" if told_.total else "—"
                state = texts.state(each, {launch.state for launch in known}, waits_until=waiting)
                rows.append((str(each.id), texts.CATEGORIES[each.category], state, sent, each.title))
    finally:
        await database.close()
    return rows, is_braked


async def _show(settings: Settings, number: int) -> list[str]:
    from faq.markup import plain
    from handlers.campaigns import notices, progress
    from handlers.texts import campaigns as texts
    from handlers.texts import time
    from storage.campaigns import audience as audiences
    from storage.campaigns import wishes

    async def work(deed: Deed) -> list[str]:
        found = await _find(deed, number)
        count = await audiences.count(deed.tx, found.audience, category=found.category, now=deed.now)
        far = await progress.of(deed.tx, found, now=deed.now)
        zone = deed.knowledge.region.timezone
        is_now = texts.state(found, {launch.state for launch, _ in far.launches}, waits_until=far.waits_until)
        lines = [plain(await notices.card(deed, found, count=count, is_now=is_now)), "", found.text, ""]
        lines += [f"[{each['label']}] {texts.BUTTON_KINDS[each['kind']]}" for each in found.buttons]
        rewording = await wishes.asked(deed.tx, number)
        lines += [plain(texts.rewording_waits(rewording.text))] if rewording is not None else []
        for launch, told_ in far.launches:
            place = f" · {launch.municipality}" if launch.municipality else ""
            state = texts.LAUNCH_STATES[launch.state]
            is_held = launch.reason and launch.state in {"asks", "paused"}
            why = f" ({texts.why_held(launch)})" if is_held else ""
            lines.append(f"{time.moment(launch.due_at, zone=zone)}{place}: {state}{why}, {told_.of('sent')}")
        if far.total.total:
            lines += ["", plain(texts.figures(far.total))]
        if far.waits_until is not None:
            lines.append(texts.waits(far.waits_until, zone=zone))
        elif far.per_second:
            lines.append(texts.pace(far.per_second, far.expected_end, zone=zone))
        return lines

    return await _in_deed(settings, work)


async def _check(settings: Settings, number: int) -> tuple[list[str], bool]:
    from handlers.campaigns import control

    channels = _channels(settings)

    async def work(deed: Deed) -> tuple[list[str], bool]:
        checked = await control.check(deed, None, number, channels=channels)
        levels = {"error": "Ошибка", "warning": "Внимание"}
        lines = [f"{levels[each.level]}: {each.text}" for each in checked.findings]
        lines.append(f"Получателей: {checked.readers}.")
        if checked.needs_approval:
            lines.append("Нужно согласование второго человека.")
        if checked.is_clean:
            lines.append(f"Ошибок нет. Дальше: helpdesk campaign test {number} --to ID.")
        return lines, checked.is_clean

    return await _in_deed(settings, work)


def _channels(settings: Settings) -> Mapping[str, Compose]:
    """How the configured messengers split a text; files do not change that."""
    from bot.messengers import NoCursor, messengers

    made = messengers(settings, clock=SystemClock(), cursor=NoCursor())

    def compose_of(name: str) -> Compose:
        def compose(message: Outgoing) -> Any:
            return made.channels[name].compose(message, ())

        return compose

    return {name: compose_of(name) for name in made.channels}


async def _test(settings: Settings, number: int, to: int) -> Campaign:
    from handlers.campaigns import control
    from storage import staff

    async def work(deed: Deed) -> Campaign:
        member: Member | None = await staff.find(deed.tx, to)
        if member is None or member.revoked_at is not None:
            fail(f"Сотрудника с номером {to} нет. Номера показывает helpdesk staff list.")
        return await control.send_test(deed, None, number, to=member)

    return await _in_deed(settings, work)


async def _report(settings: Settings, number: int) -> bytes:
    from handlers.campaigns import progress

    async def work(deed: Deed) -> bytes:
        found = await _find(deed, number)
        return await progress.workbook(deed.tx, found, deed.knowledge)

    return await _in_deed(settings, work)
