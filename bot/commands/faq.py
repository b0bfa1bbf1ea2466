"""`helpdesk faq`: check the base, look at it, take it out, bring it in, measure and tune the matcher."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.clock import SystemClock
from bot.commands.base_in_use import base_in_use
from bot.commands.common import BAD_INPUT, FAILURE, fail, load_settings, run, told

if TYPE_CHECKING:
    from bot.settings import Settings
    from faq.content.loading import Problem
    from faq.content.region import Region
    from faq.content.topic import Base, Topic
    from faq.measuring.labelled import Labelled

app = typer.Typer(
    help="База ответов: проверка, список, выгрузка, загрузка, замер, настройка.", no_args_is_help=True
)


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[ПАПКА]", help="Папка базы; без неё — база из поставки.")
    ] = None,
) -> None:
    """Проверить базу: ошибки и предупреждения по одному в строке; код 2, если есть ошибки."""
    from faq.checking import check_base
    from faq.content.loading import PACKAGED, BaseError, load_base

    folder = folder or PACKAGED
    if not folder.is_dir():
        fail(f"Папки «{folder}» нет: укажите папку, в которой лежат sections.yaml и topics.")
    number = 0
    try:
        base = load_base(folder)
        number = len(base.topics)
        with told():
            problems = check_base(base, _regions())
    except BaseError as error:
        problems = error.problems
    errors = _tell(problems)
    topics = f"Тем: {number}. " if number else ""
    typer.echo(f"{topics}Ошибок: {errors}, предупреждений: {len(problems) - errors}.")
    if errors:
        raise typer.Exit(BAD_INPUT)


@app.command("list")
def list_topics(
    section_id: Annotated[
        str | None, typer.Option("--section", metavar="РАЗДЕЛ", help="Только этот раздел.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Список объектов JSON.")] = False,
) -> None:
    """Показать темы, из которых бот отвечает: код, раздел, сколько формулировок, заголовок."""
    base = _base_in_use()
    known = [section.id for section in base.sections]
    if section_id is not None and section_id not in known:
        fail(f"Раздела «{section_id}» нет. Разделы: {', '.join(known)}.")
    topics = [topic for topic in _in_menu_order(base) if section_id in {None, topic.section}]
    if as_json:
        typer.echo(json.dumps([_summary(topic) for topic in topics], ensure_ascii=False, indent=2))
        return
    widest = max((len(topic.slug) for topic in topics), default=0)
    for topic in topics:
        flag = "  (не проверено)" if topic.unverified else ""
        figures = f"{topic.slug:{widest}}  {topic.section:10} {len(topic.phrasings):3}"
        typer.echo(f"{figures}  {topic.title}{flag}")
    typer.echo(f"Тем: {len(topics)}, не проверено: {sum(bool(topic.unverified) for topic in topics)}.")


@app.command("import")
def import_topics(
    file: Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="Файл .yaml, .xlsx или папка базы.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Только проверить, ничего не менять.")] = False,
    golden: Annotated[
        Path | None,
        typer.Option("--golden", metavar="ФАЙЛ", help="Свои проверочные вопросы вместо тех, что в поставке."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Загрузить, даже если на проверочные вопросы бот ответит хуже.")
    ] = False,
) -> None:
    """Загрузить темы: новые добавить, прежние заменить. При любой ошибке не меняется ничего.

    Проверочные вопросы задаются базе до и после: если хоть на один бот ответил бы хуже, загрузки не будет.
    """
    from faq.content.topic import with_topics

    settings = load_settings()
    with told():
        imported = _read(file)
        before = base_in_use(settings)
        changes = _Changes.between(before, imported)
        after = with_topics(before, imported)
        _refuse_errors(after, regions=_regions(settings.region))
        if changes.written:
            _refuse_harm(before, after, golden, settings=settings, force=force)
        if changes.written and not dry_run:
            run(_store(settings, before, changes))
    _tell(_warnings(after, changes.written))
    for line in changes.lines():
        typer.echo(line)
    if dry_run:
        typer.echo("Это была проверка: ничего не записано.")


@app.command("export")
def export_topics(
    file: Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="Файл .yaml или .xlsx.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Переписать файл, если он есть.")] = False,
) -> None:
    """Выгрузить темы, из которых бот отвечает, в один файл."""
    from faq.content.exchange import ENDINGS, write

    if file.suffix.lower() not in ENDINGS:
        fail(f"Вид файла «{file}» неизвестен: имя должно кончаться на {', '.join(ENDINGS)}.")
    if file.exists() and (file.is_dir() or not force):
        fail(
            f"«{file}» уже есть: возьмите другое имя" + (" или добавьте --force." if file.is_file() else ".")
        )
    base = _base_in_use()
    with told():
        write(base, file)
    typer.echo(f"Записано тем: {len(base.topics)}, файл «{file}».")


@app.command("eval")
def evaluate_matcher(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="ФАЙЛ…", help="TSV со столбцами text, labels, kind; можно несколько."),
    ],
    *,
    topics: Annotated[bool, typer.Option("--topics", help="Ещё по темам, худшие сначала.")] = False,
    misses: Annotated[bool, typer.Option("--misses", help="Ещё все сообщения с ошибкой.")] = False,
    against: Annotated[
        str | None, typer.Option("--against", metavar="rapidfuzz", help="Рядом — простой подбор RapidFuzz.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Один объект JSON.")] = False,
) -> None:
    """Измерить подборщик ответов на размеченных сообщениях; несколько файлов — как один."""
    from bot.commands.measuring import measure, vectors_in_use

    if against not in {None, "rapidfuzz"}:
        fail(f"Сравнить с «{against}» нельзя: пока есть только rapidfuzz.")
    settings = load_settings()
    with told():
        base = base_in_use(settings)
    rows = _labelled(files, base)
    measured = measure(base, rows, vectors=vectors_in_use(settings), against_rapidfuzz=against is not None)
    if as_json:
        typer.echo(json.dumps(measured.as_plain(misses=misses), ensure_ascii=False))
    else:
        typer.echo(measured.as_text(topics=topics, misses=misses))


@app.command()
def tune(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[ФАЙЛ…]", help="Ещё размеченные сообщения: TSV, как для eval."),
    ] = None,
    *,
    golden: Annotated[
        list[Path] | None,
        typer.Option("--golden", metavar="ФАЙЛ", help="Проверочные вопросы вместо тех, что в поставке."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="ПАПКА", help="Куда записать; без неё — база исходников."),
    ] = None,
    vectors_only: Annotated[
        bool, typer.Option("--vectors-only", help="Обновить векторы, пороги не выбирать.")
    ] = False,
) -> None:
    """Для разработчиков: обновить векторы базы из поставки и выбрать пороги по размеченным сообщениям."""
    from bot.commands import tuning
    from faq.content.loading import packaged_base
    from faq.measuring.golden import GOLDEN

    folder = _writable(out)
    with told():
        base = packaged_base()
    rows = () if vectors_only else _labelled([*(golden or [GOLDEN]), *(files or [])], base)
    short = None if vectors_only else tuning.too_few(rows)
    if short:
        fail(f"Сообщений мало, чтобы выбрать пороги: {short}; нужно хотя бы по {tuning.FEWEST}.")
    _refuse_without_meaning()
    try:
        vectors = tuning.renew_vectors(base, folder)
        typer.echo(f"Векторов: {vectors.written}, посчитано: {vectors.embedded}, файл «{tuning.VECTORS}».")
        if not vectors_only:
            thresholds = tuning.renew_thresholds(base, rows, folder, store=vectors.store)
            typer.echo(tuning.figures_table(thresholds))
            typer.echo(f"Пороги выбраны перекрёстной проверкой, файл «{tuning.THRESHOLDS}».")
    except OSError as error:
        fail(f"В папку «{folder}» не записать: {error.strerror}.", FAILURE)


@dataclass(frozen=True)
class _Changes:
    """What an import makes of the base."""

    new: Mapping[str, Topic]
    changed: Mapping[str, Topic]
    same: int

    @classmethod
    def between(cls, before: Base, imported: Mapping[str, Topic]) -> _Changes:
        """Compare what is imported with what is in use."""
        new = {slug: topic for slug, topic in imported.items() if slug not in before.topics}
        changed = {
            slug: topic
            for slug, topic in imported.items()
            if slug in before.topics and before.topics[slug] != topic
        }
        return cls(new, changed, same=len(imported) - len(new) - len(changed))

    @property
    def written(self) -> dict[str, Topic]:
        """What there is to store; a topic that stays as it was goes on following the program's updates."""
        return {**self.new, **self.changed}

    def lines(self) -> list[str]:
        """What happened, for people."""
        return [
            *(f"новая: {slug} — {topic.title}" for slug, topic in self.new.items()),
            *(f"изменена: {slug} — {topic.title}" for slug, topic in self.changed.items()),
            f"Новых: {len(self.new)}, изменено: {len(self.changed)}, без изменений: {self.same}.",
        ]


async def _store(settings: Settings, before: Base, changes: _Changes) -> None:
    """Write all the changes in one transaction, unless somebody changed the base meanwhile."""
    from bot.commands.base_in_use import topics_from
    from bot.opening import open_database
    from faq.content.loading import packaged_base
    from handlers.errors import HelpdeskError
    from storage import journal, knowledge

    now = SystemClock().now()
    packaged = {slug: topic.to_plain() for slug, topic in packaged_base().topics.items()}
    database = await open_database(settings)
    try:
        async with database.transaction() as tx:
            await knowledge.seed(tx, packaged, now=now)
            present = topics_from({entry.slug: entry.body for entry in await knowledge.everything(tx)})
            if present != dict(before.topics):
                raise HelpdeskError("Пока шла проверка, базу изменили: повторите загрузку.")
            for slug, topic in changes.written.items():
                await knowledge.put(tx, slug, topic.to_plain(), now=now)
            details = {"new": len(changes.new), "changed": len(changes.changed)}
            await journal.note(tx, "faq_imported", actor="owner", now=now, details=details)
    finally:
        await database.close()


def _read(file: Path) -> dict[str, Topic]:
    from faq.content.exchange import read
    from faq.content.loading import BaseError, read_topics

    if not file.is_dir():
        return read(file)
    topics, problems = read_topics(file / "topics")
    if problems:
        raise BaseError(tuple(problems))
    return {slug: topic for slug, (topic, _) in topics.items()}


def _refuse_errors(base: Base, *, regions: Iterable[Region]) -> None:
    """End the command if the base may not be published as it would become."""
    from faq.checking import errors_in

    if _tell([_by_topic(each) for each in errors_in(base, regions)]):
        fail("Ничего не изменено: исправьте ошибки и повторите загрузку.")


def _refuse_harm(before: Base, after: Base, golden: Path | None, *, settings: Settings, force: bool) -> None:
    """End the command if golden questions would get worse, unless that is wanted."""
    from bot.commands import golden_check
    from faq.measuring.golden import load_golden
    from faq.measuring.labelled import LabelledError

    try:
        rows = load_golden() if golden is None else load_golden(golden)
    except LabelledError as error:
        fail(f"{error}.")
    found = golden_check.worse_than(before, after, rows, settings=settings)
    for line in golden_check.told(found):
        typer.echo(f"хуже: {line}", err=not force)
    if found and not force:
        fail(
            f"Ничего не изменено: на проверочные вопросы бот ответил бы хуже ({len(found)}). "
            "Исправьте темы и повторите загрузку; если так и надо, добавьте --force."
        )


def _warnings(base: Base, slugs: Collection[str]) -> list[Problem]:
    """What the editor of these topics should look at."""
    from faq.checking import confusions_in

    return [_by_topic(each) for each in confusions_in(base) if _slug(each) in slugs] if slugs else []


def _tell(problems: Iterable[Problem]) -> int:
    """Print errors to standard error, then warnings; returns how many errors there are."""
    problems = list(problems)
    errors = [each for each in problems if each.level == "error"]
    for each in errors:
        typer.echo(f"ошибка: {each}", err=True)
    for each in problems:
        if each.level == "warning":
            typer.echo(f"предупреждение: {each}")
    return len(errors)


def _slug(problem: Problem) -> str:
    found = re.fullmatch(r"topics/(.+)\.yaml", problem.file)
    return found[1] if found else ""


def _by_topic(problem: Problem) -> Problem:
    """Name the topic, not the file of the packaged base, which an import does not have."""
    slug = _slug(problem)
    return replace(problem, file=f"тема «{slug}»") if slug else problem


def _regions(*names: str) -> tuple[Region, ...]:
    """The packaged regions, and those named: an answer must read well in each."""
    from faq.content.region import load_region, region_names

    return tuple(load_region(name) for name in dict.fromkeys((*region_names(), *names)))


def _labelled(files: Iterable[Path], base: Base) -> tuple[Labelled, ...]:
    """The messages of all the files; a bad file or none at all ends the command."""
    from faq.measuring.labelled import LabelledError, read_all

    files = list(dict.fromkeys(files))
    for file in files:
        if not file.is_file():
            fail(f"Файла «{file}» нет: проверьте путь.")
    try:
        rows = read_all(files, slugs=base.topics)
    except LabelledError as error:
        fail(f"{error}.")
    if not rows:
        fail(f"{', '.join(map(str, files))}: нет ни одного сообщения: допишите строки под заголовком.")
    return rows


def _writable(out: Path | None) -> Path:
    """The folder for the maintainers' files."""
    from bot.commands.tuning import source_folder

    folder = out or source_folder()
    if folder is None:
        fail("Программа установлена не из исходников: назовите папку для файлов, --out ПАПКА.")
    if not folder.is_dir():
        fail(f"Папки «{folder}» нет: создайте её или назовите другую.")
    return folder


def _refuse_without_meaning() -> None:
    """End the command where no vector can be made."""
    from faq.matching import embedding

    trouble = embedding.trouble()
    if load_settings().semantic == "off":
        trouble = "он выключен настройкой HELPDESK_SEMANTIC"
    if trouble:
        fail(f"Нужен подбор по смыслу, а его здесь нет: {trouble}.", FAILURE)


def _base_in_use() -> Base:
    settings = load_settings()
    with told():
        return base_in_use(settings)


def _in_menu_order(base: Base) -> list[Topic]:
    listed = [slug for section in base.sections for slug in section.topics if slug in base.topics]
    return [base.topics[slug] for slug in dict.fromkeys((*listed, *base.topics))]


def _summary(topic: Topic) -> dict[str, str | int | bool]:
    return {
        "slug": topic.slug,
        "section": topic.section,
        "title": topic.title,
        "phrasings": len(topic.phrasings),
        "unverified": bool(topic.unverified),
    }
