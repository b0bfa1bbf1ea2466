"""The base goes out to a file and comes back exactly, and a wrong file is named place by place."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from faq.checking import errors_in
from faq.content.exchange import COLUMNS, LONGEST_CELL, NOT_HERE, PHRASINGS, TOPICS, read, write
from faq.content.loading import BaseError
from faq.content.region import load_region
from faq.content.topic import Answer, Base, NotHere, Topic, Unverified, with_topics

FORMS = ("base.yaml", "base.YML", "base.xlsx")
HEADINGS = list(COLUMNS.values())
Spoil = Callable[[Any], None]

ODD = [
    "=СУММ(A1:A9)",
    "#N/A",
    "0123",
    "2026-11-22",
    "да",
    "null",
    "- не список: # не заметка",
    "две строки\nи табуляция\tв них",
    "абзац\n\nещё абзац",
    "Windows\r\nи Mac\r",
    r"C:\new\u0041 \\ и \n буквами",
    "_x000D_ и _x005F_x0041_",
    "звонок \x07, разделитель \u2028, неразрывный\xa0пробел, \x85",
    "эмодзи 👩‍👧 и «ёлочки» — тире…",
    "запятая, двоеточие: точка с запятой; кавычки \"'",
    "а" * 3000,
]


def changed(topic: Topic, **changes: object) -> Topic:
    return replace(topic, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def small(base: Base) -> Base:
    slugs = list(base.topics)[:3]
    return Base(topics={slug: base.topics[slug] for slug in slugs}, sections=base.sections)


def complaint(path: Path) -> str:
    with pytest.raises(BaseError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize("name", FORMS)
def test_the_whole_base_comes_back_as_it_went(base: Base, tmp_path: Path, name: str) -> None:
    write(base, tmp_path / name)
    assert read(tmp_path / name) == dict(base.topics)
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("text", ODD)
def test_any_text_comes_back_as_it_went(small: Base, tmp_path: Path, name: str, text: str) -> None:
    topic = next(iter(small.topics.values()))
    odd = changed(
        topic,
        title=text,
        button=f" {text} ",
        answer=Answer(text.strip(), (text.strip(), "второй"), text.strip()),
        related=(text, "b"),
        sources=(text, f" {text}"),
        unverified=(Unverified(text, text),),
        checked=date(1, 1, 1),
        phrasings=(text.strip(), "как войти"),
        not_here=(NotHere(text, text),),
    )
    write(Base(topics={odd.slug: odd}), tmp_path / name)
    assert read(tmp_path / name) == {odd.slug: odd}


@pytest.mark.parametrize("name", FORMS)
def test_empty_lists_come_back_empty(small: Base, tmp_path: Path, name: str) -> None:
    topic = next(iter(small.topics.values()))
    bare = changed(topic, related=(), sources=(), unverified=(), phrasings=(), not_here=())
    write(Base(topics={bare.slug: bare}), tmp_path / name)
    assert read(tmp_path / name) == {bare.slug: bare}


def test_a_text_that_begins_with_an_equals_sign_is_no_formula(small: Base, tmp_path: Path) -> None:
    topic = next(iter(small.topics.values()))
    path = tmp_path / "base.xlsx"
    write(Base(topics={topic.slug: changed(topic, phrasings=("=1+1", "#REF!"))}), path)
    cells = openpyxl.load_workbook(path)[PHRASINGS]["B"]
    assert [(cell.value, cell.data_type) for cell in cells[1:]] == [("=1+1", "s"), ("#REF!", "s")]


def test_yaml_is_fit_to_read(small: Base, tmp_path: Path) -> None:
    write(small, tmp_path / "base.yaml")
    lines = (tmp_path / "base.yaml").read_text(encoding="utf-8").splitlines()
    slug = next(iter(small.topics))
    assert lines[:2] == [f"{slug}:", f"  slug: {slug}"]
    assert "  phrasings:" in lines
    assert lines[lines.index("  phrasings:") + 1].startswith("    - ")
    assert "  checked: 2026-11-22" in lines


def test_a_cell_that_excel_would_cut_is_refused(small: Base, tmp_path: Path) -> None:
    topic = next(iter(small.topics.values()))
    long = changed(topic, phrasings=("а" * (LONGEST_CELL + 1),))
    with pytest.raises(BaseError, match=r"лист «Формулировки», строка 2.*выгрузите в файл .yaml"):
        write(Base(topics={long.slug: long}), tmp_path / "base.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["base.csv", "base", "base.xls"])
def test_an_unknown_ending_is_named(small: Base, tmp_path: Path, name: str) -> None:
    with pytest.raises(BaseError, match="неизвестный вид файла"):
        write(small, tmp_path / name)
    assert "неизвестный вид файла" in complaint(tmp_path / name)


def test_a_folder_that_is_not_there_is_named(small: Base, tmp_path: Path) -> None:
    with pytest.raises(BaseError, match="файл не записать"):
        write(small, tmp_path / "no" / "base.yaml")


# --- wrong files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMS)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    assert complaint(tmp_path / name) == f"{tmp_path / name}: такого файла нет: проверьте путь"


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\xff\xfe", b"PK\x03\x04broken", "тема\n".encode("cp1251")]
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert name in complaint(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# одни заметки\n", "файл пуст"),
        ("- список\n", "нужны пары «код темы: её содержание»"),
        ("просто слова\n", "нужны пары «код темы: её содержание»"),
        ("a: [1\n", "строка 2: не читается как YAML"),
        ("a: текст\n", "строка 1: тема «a»: нужны пары"),
        ("404:\n  slug: b\n", "строка 1: нет ключа «title»"),
        ("a: {}\nb: {}\na: {}\n", "строка 3: ключ «a» записан дважды"),
        ("a:\n  checked: 2026-13-45\n", "base.yaml"),
        ("? [a]\n: b\n", "base.yaml"),
        ("a: &a [*a]\n", "base.yaml"),
    ],
)
def test_wrong_yaml_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "base.yaml"
    path.write_text(text, encoding="utf-8")
    assert said in complaint(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  severity: ", "  severity: очень ", "строка {}: «severity»: «очень"),
        ("  title: ", "  titel: ", "строка {}: неизвестный ключ «titel»"),
        ("  checked: ", "  checked: вчера # ", "строка {}: «checked»: нужна дата"),
        ("  slug: ", "  slug: другая-", "строка {}: slug «другая-"),
    ],
)
def test_a_wrong_topic_in_yaml_is_named_with_its_line(
    small: Base, tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "base.yaml"
    write(small, path)
    text = path.read_text(encoding="utf-8").replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    line = next(number for number, each in enumerate(text.splitlines(), start=1) if each.startswith(new))
    assert said.format(line) in complaint(path)


def put(sheet: str, row: int, heading: str, value: object) -> Spoil:
    def spoil(book: Any) -> None:
        headings = [cell.value for cell in book[sheet][1]]
        book[sheet].cell(row, headings.index(heading) + 1).value = value

    return spoil


def append(sheet: str, *values: object) -> Spoil:
    return lambda book: book[sheet].append(values)


SPOILED: list[tuple[Spoil, str]] = [
    (lambda book: book.remove(book[NOT_HERE]), "нет листа «Не сюда»"),
    (lambda book: book[TOPICS].delete_rows(2, 9), "лист «Темы»: нет ни одной темы"),
    (lambda book: book[TOPICS].delete_cols(3), "лист «Темы», строка 1: нет столбцов «Кнопка»: добавьте"),
    (lambda book: book[PHRASINGS].delete_rows(1), "лист «Формулировки», строка 1: нет столбцов"),
    (put(TOPICS, 1, "Возраст", "Вазраст"), "строка 1: неизвестные столбцы «Вазраст»"),
    (put(TOPICS, 1, "Возраст", "Кнопка"), "строка 1: столбцы «Кнопка» записаны дважды"),
    (lambda book: book[TOPICS].cell(1, 16, "Автор"), "строка 1: неизвестные столбцы «Автор»"),
    (lambda book: book[TOPICS].cell(3, 20, "?"), "лист «Темы», строка 3: есть данные правее"),
    (put(TOPICS, 3, "Заголовок", None), "лист «Темы», строка 3: пустая ячейка в столбцах «Заголовок»"),
    (put(TOPICS, 3, "Код", " "), "лист «Темы», строка 3: столбец «Код» пуст"),
    (put(TOPICS, 3, "Код", "=A2"), "лист «Темы», строка 3: столбец «Код»: формула, а нужен текст"),
    (put(TOPICS, 3, "Кнопка", "#N/A"), "лист «Темы», строка 3: столбец «Кнопка»: ошибка «#N/A»"),
    (put(TOPICS, 3, "Кнопка", datetime(2026, 11, 22)), "строка 3: столбец «Кнопка»: дата или время"),  # noqa: DTZ001 - as Excel has it
    (put(TOPICS, 3, "Возраст", "все"), "лист «Темы», строка 3: столбец «Возраст»: «все» не подходит"),
    (put(TOPICS, 3, "Важность", 5), "лист «Темы», строка 3: столбец «Важность»: «5» не подходит"),
    (put(TOPICS, 3, "Деликатная", "кажется"), "столбец «Деликатная»: напишите да или нет"),
    (put(TOPICS, 3, "Проверено", "вчера"), "столбец «Проверено»: нужна дата вида 2026-11-22"),
    (put(TOPICS, 3, "Не подтверждено", "F1.7"), "столбец «Не подтверждено»: в каждой строке нужен факт"),
    (append(PHRASINGS, "нет-такой", "как войти"), "темы «нет-такой» нет на листе «Темы»"),
    (append(PHRASINGS, None, "как войти"), "пустая ячейка в столбцах «Код»"),
    (append(PHRASINGS, "нет-такой"), "пустая ячейка в столбцах «Формулировка»"),
    (append(PHRASINGS, "нет-такой", "=1+1"), "столбец «Формулировка»: формула"),
    (append(NOT_HERE, "нет-такой", "как войти", "x"), "лист «Не сюда», строка"),
]


@pytest.mark.parametrize(("spoil", "said"), SPOILED, ids=[said for _, said in SPOILED])
def test_a_wrong_sheet_is_named_with_its_row(small: Base, tmp_path: Path, spoil: Spoil, said: str) -> None:
    path = spoiled(small, tmp_path, spoil)
    assert said in complaint(path)


def test_a_topic_written_twice_is_named_with_both_rows(small: Base, tmp_path: Path) -> None:
    slug = next(iter(small.topics))
    path = spoiled(small, tmp_path, put(TOPICS, 4, "Код", slug))
    assert f"лист «Темы», строка 4: тема «{slug}» уже есть в строке 2" in complaint(path)


def test_one_cause_is_told_once(small: Base, tmp_path: Path) -> None:
    path = spoiled(small, tmp_path, lambda book: book[TOPICS].delete_cols(3))
    assert len(complaint(path).splitlines()) == 1
    path = spoiled(small, tmp_path, put(TOPICS, 3, "Код", "опечатка"))
    assert len(complaint(path).splitlines()) == 2  # one on each of the other sheets


def test_every_wrong_place_is_told_at_once(small: Base, tmp_path: Path) -> None:
    def spoil(book: Any) -> None:
        put(TOPICS, 2, "Возраст", "все")(book)
        put(TOPICS, 3, "Проверено", "вчера")(book)

    assert len(complaint(spoiled(small, tmp_path, spoil)).splitlines()) == 2


def test_a_table_edited_by_hand_is_understood(small: Base, tmp_path: Path) -> None:
    first = next(iter(small.topics))

    def edit(book: Any) -> None:
        put(TOPICS, 2, "Деликатная", True)(book)
        put(TOPICS, 2, "Проверено", datetime(2026, 12, 1))(book)  # noqa: DTZ001 - as Excel has it
        put(TOPICS, 3, "Проверено", "02.12.2026")(book)
        put(TOPICS, 2, "Похожие темы", "одна,вторая\nтретья, ")(book)
        put(TOPICS, 2, "Заголовок", "  Заголовок ")(book)
        book[TOPICS].append([None, "  "])
        append(PHRASINGS, first, 404)(book)
        book[TOPICS].move_range("A1:O9", rows=0, cols=1)  # an empty column in front
        book.create_sheet("Заметки").append(["что угодно"])

    topics = read(spoiled(small, tmp_path, edit))
    topic, second = topics[first], list(topics.values())[1]
    assert topic.sensitive
    assert (topic.checked, second.checked) == (date(2026, 12, 1), date(2026, 12, 2))
    assert topic.related == ("одна", "вторая", "третья")
    assert topic.title == "Заголовок"
    assert topic.phrasings[-1] == "404"


def spoiled(base: Base, folder: Path, spoil: Spoil) -> Path:
    path = folder / "base.xlsx"
    write(base, path)
    book = openpyxl.load_workbook(path)
    spoil(book)
    book.save(path)
    return path


# --- putting topics in --------------------------------------------------------------------------------


def test_a_new_topic_stands_at_the_end_of_its_section(base: Base) -> None:
    topic = changed(next(iter(base.topics.values())), slug="new-topic", button="Новая", section="codes")
    merged = with_topics(base, {"new-topic": changed(topic, phrasings=("ни на что не похоже",))})
    codes = next(section for section in merged.sections if section.id == "codes")
    assert codes.topics[-1] == "new-topic"
    said = " ".join(map(str, errors_in(merged, [load_region("adygea")])))
    assert "раздел" not in said


def test_a_topic_may_move_to_another_section(base: Base) -> None:
    topic = changed(base.topics["password-recovery"], section="child")
    merged = with_topics(base, {topic.slug: topic})
    assert [section.id for section in merged.sections if topic.slug in section.topics] == ["child"]


def test_putting_in_what_is_there_changes_nothing(base: Base) -> None:
    assert with_topics(base, base.topics) == base
