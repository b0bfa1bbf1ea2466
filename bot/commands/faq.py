"""`helpdesk faq`: check the base, look at it, take it out, bring it in, measure it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.clock import SystemClock
from bot.commands.base_in_use import base_in_use
from bot.commands.common import BAD_INPUT, fail, load_settings, run, told

if TYPE_CHECKING:
    from bot.settings import Settings
    from faq.loading import Problem
    from faq.region import Region
    from faq.topic import Base, Topic

app = typer.Typer(help="База ответов: проверка, список, выгрузка, загрузка, замер.", no_args_is_help=True)


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[ПАПКА]", help="Папка базы; без неё — база из поставки.")
    ] = None,
) -> None:
    """Проверить базу: ошибки и предупреждения по одному в строке; код 2, если есть ошибки."""
    from faq.checking import check_base
    from faq.loading import PACKAGED, BaseError, load_base

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
) -> None:
    """Загрузить темы: новые добавить, прежние заменить. При любой ошибке не меняется ничего."""
    from faq.topic import with_topics

    settings = load_settings()
    with told():
        imported = _read(file)
        before = base_in_use(settings)
        changes = _Changes.between(before, imported)
        after = with_topics(before, imported)
        _refuse_errors(after, regions=_regions(settings.region))
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
    from faq.exchange import ENDINGS, write

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
    file: Annotated[Path, typer.Argument(metavar="ФАЙЛ", help="TSV со столбцами text, labels, kind.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Один объект JSON.")] = False,
) -> None:
    """Измерить подборщик ответов на размеченных сообщениях."""
    import csv

    from faq.evaluation import LabelledError, evaluate, read_labelled
    from faq.matcher import Matcher

    if not file.is_file():
        fail(f"Файла «{file}» нет: проверьте путь.")
    base = _base_in_use()
    try:
        rows = read_labelled(file, slugs=base.topics)
    except LabelledError as error:
        fail(f"{error}.")
    except csv.Error:
        fail(f"{file}: это не таблица с табуляциями: нужен TSV со столбцами text, labels, kind.")
    if not rows:
        fail(f"{file}: нет ни одного сообщения: допишите строки под заголовком.")
    report = evaluate(Matcher(base), rows)
    typer.echo(json.dumps(asdict(report), ensure_ascii=False) if as_json else report.table())


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
    from faq.loading import packaged_base
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
    from faq.exchange import read
    from faq.loading import BaseError, read_topics

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
    from faq.region import load_region, region_names

    return tuple(load_region(name) for name in dict.fromkeys((*region_names(), *names)))


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
