"""`helpdesk faq` in a terminal: what an operator types and reads."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from bot.commands.base_in_use import base_in_use
from bot.commands.faq import app
from bot.settings import Settings
from faq.exchange import read, write
from faq.loading import PACKAGED, packaged_base
from faq.topic import Base, Topic
from storage import knowledge
from storage.database import Database
from tests.clock import FastClock

SLUG = "password-recovery"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of one's own, and no .env nearby."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def base() -> Base:
    return packaged_base()


def faq(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def refused(*arguments: object) -> str:
    """The sentence with which a command ends that was given bad input."""
    result = faq(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.strip()
    return result.stderr


def one(base: Base, **changes: Any) -> Base:
    """A base of one topic, changed."""
    topic: Topic = replace(base.topics[SLUG], **changes)
    return Base(topics={topic.slug: topic})


def in_use(data: Path) -> Base:
    return base_in_use(Settings(data_dir=data))


def entries(data: Path) -> dict[str, knowledge.Entry]:
    async def look() -> list[knowledge.Entry]:
        database = Database(f"sqlite:///{data / 'helpdesk.db'}")
        try:
            async with database.reading() as tx:
                return await knowledge.everything(tx)
        finally:
            await database.close()

    return {entry.slug: entry for entry in asyncio.run(look())}


# --- check --------------------------------------------------------------------------------------------


def test_the_packaged_base_may_be_published(data: Path) -> None:
    result = faq("check")
    assert result.exit_code == 0, result.stderr
    assert "Ошибок: 0" in result.stdout
    assert not data.exists()


def test_check_names_file_and_line_of_each_error(tmp_path: Path) -> None:
    folder = shutil.copytree(PACKAGED, tmp_path / "base")
    path = folder / "topics" / f"{SLUG}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("severity: ", "severity: очень "), "utf-8")
    result = faq("check", folder)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"ошибка: topics/{SLUG}.yaml, строка 6: «severity»")
    assert "Ошибок: " in result.stdout


def test_check_of_a_base_with_a_dead_reference_fails(tmp_path: Path) -> None:
    folder = shutil.copytree(PACKAGED, tmp_path / "base")
    (folder / "topics" / f"{SLUG}.yaml").unlink()
    result = faq("check", folder)
    assert result.exit_code == 2
    assert SLUG in result.stderr


def test_check_of_no_folder_is_refused(tmp_path: Path) -> None:
    assert "Папки «нет» нет" in refused("check", "нет")
    (tmp_path / "file").touch()
    assert "Папки «file» нет" in refused("check", "file")
    (tmp_path / "empty").mkdir()
    assert "нет ни одного файла темы" in refused("check", "empty")


# --- list ---------------------------------------------------------------------------------------------


def test_list_shows_every_topic_and_makes_no_database(base: Base, data: Path) -> None:
    result = faq("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == len(base.topics) + 1
    assert {line.split()[0] for line in lines[:-1]} == set(base.topics)
    line = next(line for line in lines if line.startswith(SLUG))
    topic = base.topics[SLUG]
    assert line.split()[1:3] == [topic.section, str(len(topic.phrasings))]
    assert topic.title in line
    assert ("(не проверено)" in line) == bool(topic.unverified)
    assert not data.exists()


def test_list_of_a_section_as_json(base: Base) -> None:
    listed = json.loads(faq("list", "--section", "codes", "--json").stdout)
    section = next(section for section in base.sections if section.id == "codes")
    assert [each["slug"] for each in listed] == list(section.topics)
    assert set(listed[0]) == {"slug", "section", "title", "phrasings", "unverified"}


def test_list_of_an_unknown_section_names_those_there_are() -> None:
    assert "Раздела «x» нет. Разделы: signin" in refused("list", "--section", "x")


# --- export -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["base.yaml", "base.xlsx"])
def test_export_writes_everything_and_never_overwrites_by_itself(
    base: Base, tmp_path: Path, data: Path, name: str
) -> None:
    path = tmp_path / name
    assert faq("export", path).exit_code == 0
    assert read(path) == dict(base.topics)
    assert not data.exists()
    path.write_text("моё")
    assert "--force" in refused("export", path)
    assert path.read_text() == "моё"
    assert faq("export", path, "--force").exit_code == 0
    assert read(path) == dict(base.topics)


@pytest.mark.parametrize("name", ["base.csv", "base", "no/base.yaml"])
def test_export_to_nowhere_is_refused(tmp_path: Path, name: str) -> None:
    assert name in refused("export", name)
    assert list(tmp_path.iterdir()) == []


def test_export_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").mkdir()
    assert "уже есть: возьмите другое имя." in refused("export", "base.yaml", "--force")


# --- import -------------------------------------------------------------------------------------------


def test_an_imported_topic_replaces_the_packaged_one(base: Base, tmp_path: Path, data: Path) -> None:
    write(one(base, title="Пароль забыт"), tmp_path / "base.yaml")
    result = faq("import", "base.yaml")
    assert result.exit_code == 0, result.output
    assert f"изменена: {SLUG} — Пароль забыт" in result.stdout
    assert "Новых: 0, изменено: 1, без изменений: 0." in result.stdout
    assert in_use(data).topics[SLUG].title == "Пароль забыт"
    assert {slug for slug, entry in entries(data).items() if entry.origin == "operator"} == {SLUG}
    assert "Новых: 0, изменено: 0, без изменений: 1." in faq("import", "base.yaml").stdout


def test_an_import_reaches_a_database_by_address(
    base: Base, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_DATABASE_URL", database_url)
    write(one(base, title="Пароль забыт"), tmp_path / "base.xlsx")
    assert len(faq("list").stdout.splitlines()) == len(base.topics) + 1
    assert faq("import", "base.xlsx").exit_code == 0
    assert "Пароль забыт" in faq("list").stdout


def test_a_new_topic_gets_its_place_in_the_menu(base: Base, tmp_path: Path, data: Path) -> None:
    phrasings = tuple(f"{text} на марсе" for text in base.topics[SLUG].phrasings)
    topic = replace(base.topics[SLUG], slug="mars", button="Марс", title="Марс", phrasings=phrasings)
    write(Base(topics={"mars": topic}), tmp_path / "mars.yaml")
    result = faq("import", "mars.yaml")
    assert result.exit_code == 0, result.output
    assert "новая: mars — Марс" in result.stdout
    codes = json.loads(faq("list", "--section", "codes", "--json").stdout)
    assert codes[-1]["slug"] == "mars"
    assert in_use(data).topics["mars"] == topic
    assert faq("import", "mars.yaml").exit_code == 0


def test_what_was_exported_is_imported_without_a_change(tmp_path: Path, data: Path, base: Base) -> None:
    faq("export", tmp_path / "base.xlsx")
    result = faq("import", tmp_path / "base.xlsx")
    assert f"без изменений: {len(base.topics)}." in result.stdout
    assert not data.exists()


def test_a_dry_run_of_a_folder_changes_nothing(base: Base, tmp_path: Path, data: Path) -> None:
    folder = tmp_path / "base" / "topics"
    folder.mkdir(parents=True)
    text = (PACKAGED / "topics" / f"{SLUG}.yaml").read_text(encoding="utf-8")
    (folder / f"{SLUG}.yaml").write_text(text.replace(base.topics[SLUG].title, "Пароль забыт"), "utf-8")
    result = faq("import", tmp_path / "base", "--dry-run")
    assert result.exit_code == 0
    assert f"изменена: {SLUG} — Пароль забыт" in result.stdout
    assert "ничего не записано" in result.stdout
    assert not data.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"related": ("no-such-topic",)}, f"тема «{SLUG}»: темы «no-such-topic» в related нет"),
        ({"section": "nowhere"}, "раздела «nowhere» нет"),
        ({"phrasings": ("одна",)}, "формулировок 1, нужно хотя бы"),
        ({"title": "а" * 99}, "«title» длиннее"),
    ],
)
def test_an_import_that_would_spoil_the_base_changes_nothing(
    base: Base, tmp_path: Path, data: Path, changes: dict[str, Any], said: str
) -> None:
    data.mkdir()
    asyncio.run(_fill(data, base.topics["sms-off-max-totp"], one(base, title="Прежний").topics[SLUG]))
    good = replace(base.topics["phone-lost-or-changed"], title="Хорошая тема")
    spoiled = {**one(base, **changes).topics, good.slug: good}
    write(Base(topics=spoiled), tmp_path / "after.xlsx")
    told = refused("import", "after.xlsx")
    assert said in told
    assert "Ничего не изменено" in told
    assert in_use(data).topics == {**base.topics, **one(base, title="Прежний").topics}


@pytest.mark.parametrize(
    "name", ["none.yaml", "none.xlsx", "base.csv", "empty.yaml", "broken.xlsx", "folder"]
)
def test_a_file_that_is_no_base_is_refused(tmp_path: Path, data: Path, name: str) -> None:
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "broken.xlsx").write_bytes(b"PK")
    (tmp_path / "folder").mkdir()
    assert name in refused("import", name)
    assert not data.exists()


def test_a_wrong_cell_is_named_with_its_row(base: Base, tmp_path: Path) -> None:
    write(base, tmp_path / "base.xlsx")
    book = openpyxl.load_workbook(tmp_path / "base.xlsx")
    book["Темы"]["E7"] = "дети"
    book.save(tmp_path / "base.xlsx")
    told = refused("import", "base.xlsx")
    assert told.startswith("лист «Темы», строка 7: столбец «Возраст»: «дети» не подходит")


# --- eval ---------------------------------------------------------------------------------------------

HEAD = "text\tlabels\tkind\n"


def test_eval_prints_a_table_and_json(tmp_path: Path) -> None:
    text = f"{HEAD}забыла пароль от госуслуг\t{SLUG}\tplain\nкакая завтра погода\tout-of-scope\tplain\n"
    (tmp_path / "rows.tsv").write_text(text, "utf-8")
    result = faq("eval", "rows.tsv")
    assert result.exit_code == 0
    assert "top-1" in result.stdout
    report = json.loads(faq("eval", "rows.tsv", "--json").stdout)
    assert report["in_scope"]["count"] == report["out_of_scope"]["count"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "Файла «rows.tsv» нет"),
        ("", "нет столбцов text, labels, kind"),
        ("text\tlabel\nа\tб\n", "нет столбцов labels, kind"),
        (HEAD, "нет ни одного сообщения"),
        (f"{HEAD}пароль\tno-such-topic\tplain\n", "строка 2: темы no-such-topic нет в базе"),
        (f"{HEAD}пароль\n", "строка 2"),
        (f"{HEAD}{'а' * 200_000}\t{SLUG}\tplain\n", "rows.tsv"),
    ],
)
def test_eval_of_a_wrong_file_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "rows.tsv").write_text(text, "utf-8")
    assert said in refused("eval", "rows.tsv")


# --- the base in use ----------------------------------------------------------------------------------


def test_an_empty_database_means_the_packaged_base(base: Base, data: Path) -> None:
    data.mkdir()
    (data / "helpdesk.db").touch()
    assert in_use(data) == base


def test_entries_of_an_older_version_do_not_hide_those_of_this_one(base: Base, data: Path) -> None:
    data.mkdir()
    old, own = one(base, title="Старый").topics[SLUG], "phone-lost-or-changed"
    asyncio.run(_fill(data, old, replace(base.topics[own], title="Свой")))
    topics = in_use(data).topics
    assert (topics[SLUG].title, topics[own].title) == (base.topics[SLUG].title, "Свой")


def test_an_entry_that_this_version_cannot_read_is_named(base: Base, data: Path) -> None:
    data.mkdir()
    asyncio.run(_fill(data, base.topics[SLUG], replace(base.topics["sms-off-max-totp"], title="")))
    assert "тема «sms-off-max-totp» в базе данных: «title»: нужен непустой текст" in refused("list")


def test_a_misspelt_setting_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELPDESK_DATADIR", "x")
    assert "HELPDESK_DATADIR" in refused("list")


async def _fill(data: Path, packaged: Topic, own: Topic) -> None:
    database = Database(f"sqlite:///{data / 'helpdesk.db'}")
    now = FastClock(1).now()
    try:
        await database.migrate()
        async with database.transaction() as tx:
            await knowledge.seed(tx, {packaged.slug: packaged.to_plain()}, now=now)
            await knowledge.put(tx, own.slug, own.to_plain(), now=now)
    finally:
        await database.close()
