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
from bot.commands.measuring import vectors_in_use
from bot.settings import Settings
from faq.content.exchange import read, write
from faq.content.loading import PACKAGED, packaged_base
from faq.content.topic import Base, Topic
from faq.matching.deciding import load_thresholds
from faq.matching.matcher import Matcher
from faq.matching.scoring import load_outside
from faq.matching.vectors import VectorStore, write_packaged
from storage import knowledge
from storage.database import Database
from tests.clock import FastClock

pytestmark = pytest.mark.slow

SLUG = "password-recovery"
OTHER = "phone-lost-or-changed"
HEAD = "text\tlabels\tkind\n"


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


def brought(*arguments: object) -> Result:
    """Import without golden questions: to ask them takes far longer than all else."""
    Path("none.tsv").write_text(HEAD, "utf-8")
    return faq("import", *arguments, "--golden", "none.tsv")


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
    result = brought("base.yaml")
    assert result.exit_code == 0, result.output
    assert f"изменена: {SLUG} — Пароль забыт" in result.stdout
    assert "Новых: 0, изменено: 1, без изменений: 0." in result.stdout
    assert in_use(data).topics[SLUG].title == "Пароль забыт"
    assert {slug for slug, entry in entries(data).items() if entry.origin == "operator"} == {SLUG}
    assert "Новых: 0, изменено: 0, без изменений: 1." in brought("base.yaml").stdout


def test_an_import_reaches_a_database_by_address(
    base: Base, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_DATABASE_URL", database_url)
    write(one(base, title="Пароль забыт"), tmp_path / "base.xlsx")
    assert len(faq("list").stdout.splitlines()) == len(base.topics) + 1
    assert brought("base.xlsx").exit_code == 0
    assert "Пароль забыт" in faq("list").stdout


def test_a_new_topic_gets_its_place_in_the_menu(base: Base, tmp_path: Path, data: Path) -> None:
    phrasings = tuple(f"{text} на марсе" for text in base.topics[SLUG].phrasings)
    topic = replace(base.topics[SLUG], slug="mars", button="Марс", title="Марс", phrasings=phrasings)
    write(Base(topics={"mars": topic}), tmp_path / "mars.yaml")
    result = brought("mars.yaml")
    assert result.exit_code == 0, result.output
    assert "новая: mars — Марс" in result.stdout
    codes = json.loads(faq("list", "--section", "codes", "--json").stdout)
    assert codes[-1]["slug"] == "mars"
    assert in_use(data).topics["mars"] == topic
    assert brought("mars.yaml").exit_code == 0


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
    result = brought(tmp_path / "base", "--dry-run")
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


# --- import: the golden questions -----------------------------------------------------------------------


@pytest.fixture
def by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanings are not compared: golden questions are asked ten times as fast."""
    monkeypatch.setenv("HELPDESK_SEMANTIC", "off")


def spoiled(base: Base) -> tuple[Base, str]:
    """Two topics of which one took the other's phrasing, and that phrasing."""
    robbed, taker = base.topics[OTHER], base.topics[SLUG]
    stolen, *others = robbed.phrasings
    robbed = replace(robbed, phrasings=tuple(others))
    return Base({OTHER: robbed, SLUG: replace(taker, phrasings=(*taker.phrasings, stolen))}), stolen


@pytest.mark.usefixtures("by_words")
def test_an_import_that_harms_golden_questions_changes_nothing_unless_forced(
    base: Base, tmp_path: Path, data: Path
) -> None:
    worse, stolen = spoiled(base)
    write(worse, tmp_path / "worse.yaml")
    gone = "вопрос темы, которой в базе нет\tno-such-topic\tplain"
    _labelled(tmp_path / "own.tsv", *[f"{stolen}\t{OTHER}\tplain"] * 12, gone)
    told = refused("import", "worse.yaml", "--dry-run", "--golden", "own.tsv")
    assert f"хуже: «{stolen}»: ответ {OTHER} → ответ {SLUG}\n" in told
    assert told.count(f"«{stolen}»") == 10
    assert "… и ещё 2\n" in told
    assert told.endswith("добавьте --force.\n")
    assert "(12)" in refused("import", "worse.yaml", "--golden", "own.tsv")
    assert not data.exists()
    forced = faq("import", "worse.yaml", "--golden", "own.tsv", "--force")
    assert forced.exit_code == 0
    assert f"хуже: «{stolen}»" in forced.stdout
    assert in_use(data).topics[SLUG] == worse.topics[SLUG]


@pytest.mark.usefixtures("by_words")
def test_the_packaged_golden_questions_are_asked_by_default(base: Base, tmp_path: Path, data: Path) -> None:
    robbed, taker = base.topics[OTHER], base.topics[SLUG]
    taker = replace(taker, phrasings=(*taker.phrasings, *robbed.phrasings))
    robbed = replace(robbed, phrasings=tuple(f"{each} ква" for each in robbed.phrasings))
    write(Base({SLUG: taker, OTHER: robbed}), tmp_path / "worse.yaml")
    assert "на проверочные вопросы бот ответил бы хуже" in refused("import", "worse.yaml")
    assert not data.exists()


@pytest.mark.parametrize(
    ("text", "said"), [(None, "own.tsv: файл не читается"), ("вопрос\n", "own.tsv, строка 1: нет столбцов")]
)
def test_golden_questions_that_cannot_be_read_are_named(
    base: Base, tmp_path: Path, data: Path, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / "own.tsv").write_text(text, "utf-8")
    write(one(base, title="Пароль забыт"), tmp_path / "base.yaml")
    assert said in refused("import", "base.yaml", "--golden", "own.tsv")
    assert not data.exists()


# --- eval ---------------------------------------------------------------------------------------------


def test_eval_prints_a_table_of_ours_and_of_rapidfuzz(base: Base, tmp_path: Path) -> None:
    phrasing = base.topics["phone-lost-or-changed"].phrasings[0]
    _labelled(
        tmp_path / "rows.tsv", f"{phrasing}\t{SLUG}\tplain", "какая завтра погода\tout-of-scope\toos-far"
    )
    result = faq("eval", "rows.tsv", "--topics", "--misses", "--against", "rapidfuzz")
    assert result.exit_code == 0
    for said in (
        *("top-1", "AUROC", "p99", "из них далёкие", "по темам, худшие сначала"),
        *("наш подборщик", "token_set_ratio", "WRatio", "порог RapidFuzz"),
        *("подбор:", "индекс построен за", f"ответил неверно [plain]: {phrasing}", f"верно: {SLUG}"),
    ):
        assert said in result.stdout


def test_eval_gives_json_of_several_files_as_one_set(base: Base, tmp_path: Path) -> None:
    phrasing = base.topics["phone-lost-or-changed"].phrasings[0]
    _labelled(tmp_path / "one.tsv", f"{phrasing}\t{SLUG}\tplain")
    _labelled(tmp_path / "other.tsv", "какая завтра погода\tout-of-scope\toos-far")
    told = faq(
        "eval", "one.tsv", "other.tsv", "one.tsv", "--misses", "--against", "rapidfuzz", "--json"
    ).stdout
    report = json.loads(told)
    assert report["in_scope"]["count"] == report["out_of_scope"]["count"] == 1
    assert report["mode"] in {"semantic", "lexical"}
    assert report["build_seconds"] > 0
    assert report["p50_ms"] <= report["p99_ms"] <= report["max_ms"]
    assert [(miss["fault"], miss["answered"]) for miss in report["misses"]] == [
        ("wrong", ["phone-lost-or-changed"])
    ]
    assert set(report["against"]) == {"token_set_ratio", "WRatio"}
    assert report["against"]["WRatio"]["out_of_scope"]["count"] == 1


def test_one_bad_file_of_several_is_named(tmp_path: Path) -> None:
    _labelled(tmp_path / "one.tsv", f"пароль\t{SLUG}\tplain")
    (tmp_path / "other.tsv").write_text("text\tkind\n", "utf-8")
    assert "other.tsv, строка 1: нет столбцов labels" in refused("eval", "one.tsv", "other.tsv")
    assert "Файла «none.tsv» нет" in refused("eval", "one.tsv", "none.tsv")
    assert "Сравнить с «rasa» нельзя" in refused("eval", "one.tsv", "--against", "rasa")


def _labelled(path: Path, *rows: str) -> None:
    path.write_text(HEAD + "\n".join(rows), "utf-8")


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


def test_vectors_of_operators_phrasings_are_used_too(tmp_path: Path) -> None:
    own = "это спросили только у нас"
    write_packaged(tmp_path / "vectors.npz", [own])
    store = vectors_in_use(Settings(data_dir=tmp_path))
    assert store is not None
    assert store.missing([own]) == 0
    assert store.missing([own, "а этого не спрашивали"]) == 1
    assert vectors_in_use(Settings(data_dir=tmp_path, semantic="off")) is None


# --- tune ---------------------------------------------------------------------------------------------


def test_tune_brings_vectors_and_thresholds_up_to_date(base: Base, tmp_path: Path) -> None:
    topics = sorted(base.topics.values(), key=lambda topic: topic.slug)
    ours = [f"скажите {each.phrasings[0]}\t{each.slug}\tplain" for each in topics]
    alike = [f"{each.title}?\t{each.slug},{each.related[0]}\tambiguous" for each in topics[:20]]
    foreign = [f"{text}\tout-of-scope\toos-far" for text in load_outside()[:20]]
    _labelled(tmp_path / "golden.tsv", *ours[:30], *alike)
    _labelled(tmp_path / "more.tsv", *ours[30:], *foreign)
    (tmp_path / "out").mkdir()
    result = faq("tune", "more.tsv", "--golden", "golden.tsv", "--out", "out")
    assert result.exit_code == 0, result.output
    for said in ("Векторов: ", "слова и смысл", "ответил неверно", "AUROC", f"Сообщений: {len(ours) + 40}"):
        assert said in result.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"vectors.npz", "thresholds.yaml"}
    chosen = load_thresholds(tmp_path / "out" / "thresholds.yaml")
    assert chosen.figures["messages"] == len(ours) + 40
    matcher = Matcher(base, thresholds=chosen, vectors=VectorStore(tmp_path / "out" / "vectors.npz", None))
    assert matcher.match(topics[0].phrasings[0]).slug == topics[0].slug


def test_the_packaged_vectors_are_those_of_the_packaged_base(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    told = faq("tune", "--vectors-only", "--out", "out").stdout
    assert "посчитано: 0," in told, "the base has changed: helpdesk faq tune"
    assert (tmp_path / "out" / "vectors.npz").read_bytes() == (PACKAGED / "vectors.npz").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "nowhere"], "Папки «nowhere» нет"),
        (["--out", "few.tsv"], "Папки «few.tsv» нет"),
        (["nothing.tsv", "--out", "."], "Файла «nothing.tsv» нет"),
        (["--golden", "few.tsv", "--out", "."], "мало, чтобы выбрать пороги: по темам — 1, не наших — 0"),
        (["--golden", "wrong.tsv", "--out", "."], "темы no-such-topic нет в базе"),
    ],
)
def test_tune_refuses_what_it_cannot_use(tmp_path: Path, arguments: list[str], said: str) -> None:
    _labelled(tmp_path / "few.tsv", f"пароль забыт\t{SLUG}\tplain")
    _labelled(tmp_path / "wrong.tsv", "пароль забыт\tno-such-topic\tplain")
    assert said in refused("tune", *arguments)
    assert not (tmp_path / "vectors.npz").exists()


@pytest.mark.usefixtures("by_words")
def test_tune_without_meaning_says_so_in_one_sentence(tmp_path: Path) -> None:
    result = faq("tune", "--vectors-only", "--out", ".")
    assert result.exit_code == 1
    assert (
        result.stderr
        == "Нужен подбор по смыслу, а его здесь нет: он выключен настройкой HELPDESK_SEMANTIC.\n"
    )
    assert list(tmp_path.glob("*.npz")) == []


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
