"""The base as one file for people: YAML for those who edit text, XLSX for those who edit tables."""

import io
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import openpyxl
import yaml
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from faq.content.loading import BaseError, Document, Problem, read_document
from faq.content.topic import Base, Fault, Topic, TopicError
from faq.content.workbook import UnusableBook, UnusableCell, cell_text, opened

ENDINGS = (".yaml", ".yml", ".xlsx")
"""The file name endings that `read` and `write` know."""

TOPICS, PHRASINGS, NOT_HERE = "Темы", "Формулировки", "Не сюда"
"""The sheets of an XLSX file."""

LONGEST_CELL = 32_767
"""Characters; Excel cuts a cell here."""

COLUMNS = {
    "slug": "Код",
    "title": "Заголовок",
    "button": "Кнопка",
    "section": "Раздел",
    "ages": "Возраст",
    "severity": "Важность",
    "school_acts": "Участвует школа",
    "sensitive": "Деликатная",
    "meaning": "Что это значит",
    "steps": "Шаги",
    "otherwise": "Если не помогло",
    "related": "Похожие темы",
    "sources": "Источники",
    "unverified": "Не подтверждено",
    "checked": "Проверено",
}
"""The columns of the sheet of topics, by the key of the plain form that they hold."""

_SLUG, _TEXT, _BELONGS = "Код", "Формулировка", "Куда относится"
_LISTS = ("steps", "related", "sources", "unverified")
_ALLOWED = {
    "ages": ("under14", "from14", "under18", "adult", "all"),
    "severity": ("low", "medium", "high", "critical"),
    "school_acts": ("never", "sometimes", "always"),
    "sensitive": ("да", "нет"),
}
_YES_NO = {"да": True, "true": True, "истина": True, "нет": False, "false": False, "ложь": False}
_DAY_FIRST = re.compile(r"^(\d\d)\.(\d\d)\.(\d{4})$")  # 22.11.2026, as people type it
_WIDE, _NARROW = 60, 18  # characters
_MANY_ROWS = 2000  # as far down as Excel offers the allowed words


def write(base: Base, path: Path) -> None:
    """Write the topics to a .yaml or .xlsx file, whole or not at all; raises BaseError."""
    form = _form(path)
    content = _yaml(base) if form == "yaml" else _xlsx(base)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise BaseError(
            (Problem(str(path), 0, f"файл не записать ({error.strerror}): проверьте папку и права"),)
        ) from None


def read(path: Path) -> dict[str, Topic]:
    """Read topics by slug from a .yaml or .xlsx file; raises BaseError naming every wrong place."""
    form = _form(path)
    if not path.is_file():
        raise BaseError((Problem(str(path), 0, "такого файла нет: проверьте путь"),))
    return _read_yaml(path) if form == "yaml" else _read_xlsx(path)


def _form(path: Path) -> Literal["yaml", "xlsx"]:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BaseError(
            (
                Problem(
                    str(path), 0, f"неизвестный вид файла, имя должно кончаться на {' или '.join(ENDINGS)}"
                ),
            )
        )
    return "xlsx" if ending == ".xlsx" else "yaml"


# --- YAML ---------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Lists stand deeper than their key, several lines of text stand as they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - theirs
        """Indent lists too."""
        super().increase_indent(flow, indentless=False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _yaml(base: Base) -> bytes:
    parts = [
        yaml.dump(
            {slug: {**topic.to_plain(), "checked": topic.checked}},
            Dumper=_Dumper,
            allow_unicode=True,
            sort_keys=False,
            width=LONGEST_CELL,
        )
        for slug, topic in base.topics.items()
    ]
    return "\n".join(parts).encode()


def _read_yaml(path: Path) -> dict[str, Topic]:
    document = _document(path)
    if document.plain is None:
        raise BaseError((Problem(document.file, 0, "файл пуст: в нём нет ни одной темы"),))
    if not isinstance(document.plain, dict):
        raise BaseError((Problem(document.file, 1, "нужны пары «код темы: её содержание»"),))
    topics: dict[str, Topic] = {}
    problems: list[Problem] = []
    for slug, plain in document.plain.items():
        try:
            topics[slug] = _topic(slug, plain)
        except TopicError as error:
            problems += [
                document.problem(Fault((str(slug), *fault.where), fault.text)) for fault in error.faults
            ]
    if problems:
        raise BaseError(tuple(problems))
    return topics


def _document(path: Path) -> Document:
    try:
        return read_document(path)
    except (ValueError, TypeError, RecursionError):
        # Well-formed YAML that is no plain data: a 13th month, a list as a key, a value inside itself.
        text = "в файле есть дата, ключ или ссылка, которые не прочитать: проверьте даты и знаки & * ?"
        raise BaseError((Problem(path.name, 0, text),)) from None


def _topic(slug: object, plain: object) -> Topic:
    if not isinstance(plain, dict):
        raise TopicError((Fault((), f"тема «{slug}»: нужны пары «ключ: значение»"),))
    topic = Topic.from_plain(plain)
    if topic.slug != slug:
        raise TopicError((Fault(("slug",), f"slug «{topic.slug}» не как у темы («{slug}»): исправьте одно"),))
    return topic


# --- XLSX: writing ------------------------------------------------------------------------------------


def _xlsx(base: Base) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    topics = _new_sheet(book, TOPICS, COLUMNS.values())
    phrasings = _new_sheet(book, PHRASINGS, (_SLUG, _TEXT))
    not_here = _new_sheet(book, NOT_HERE, (_SLUG, _TEXT, _BELONGS))
    for slug, topic in base.topics.items():
        _append(topics, _row(topic), slug=slug)
        for phrasing in topic.phrasings:
            _append(phrasings, (_kept(slug), _kept(phrasing)), slug=slug)
        for example in topic.not_here:
            _append(not_here, (_kept(slug), _kept(example.text), _kept(example.belongs)), slug=slug)
    _offer_words(topics)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _row(topic: Topic) -> tuple[str, ...]:
    plain = topic.to_plain()
    cells = {key: plain[key] for key in COLUMNS if isinstance(plain.get(key), str)}
    cells = {key: _kept(text) for key, text in cells.items()}
    cells |= {
        "sensitive": "да" if topic.sensitive else "нет",
        "meaning": _kept(topic.answer.meaning),
        "steps": "\n".join(_kept(step, also="\n") for step in topic.answer.steps),
        "otherwise": _kept(topic.answer.otherwise),
        "related": ", ".join(_kept(slug, also="\n,") for slug in topic.related),
        "sources": ", ".join(_kept(source, also="\n,") for source in topic.sources),
        "unverified": "\n".join(
            ": ".join((_kept(each.fact, also="\n:"), _kept(each.note, also="\n")))
            for each in topic.unverified
        ),
    }
    return tuple(cells[key] for key in COLUMNS)


def _new_sheet(book: Any, title: str, headings: Iterable[str]) -> Worksheet:
    sheet: Worksheet = book.create_sheet(title)
    sheet.freeze_panes = "B2"
    for number, heading in enumerate(headings, start=1):
        cell = sheet.cell(1, number, heading)
        cell.font = Font(bold=True)
        is_long = heading in {_TEXT, *(COLUMNS[key] for key in ("title", "meaning", "otherwise", "steps"))}
        sheet.column_dimensions[cell.column_letter].width = _WIDE if is_long else _NARROW
    sheet.column_dimensions["A"].width = _WIDE / 2
    return sheet


def _append(sheet: Worksheet, texts: Sequence[str], *, slug: str) -> None:
    row = sheet.max_row + 1
    for number, text in enumerate(texts, start=1):
        if len(text) > LONGEST_CELL:
            sentence = f"тема «{slug}»: текст длиннее {LONGEST_CELL} знаков, выгрузите в файл .yaml"
            raise BaseError((Problem(f"лист «{sheet.title}»", row, sentence),))
        _put(sheet.cell(row, number), text)


def _put(cell: Cell, text: str) -> None:
    """Write the text as text: openpyxl would make «=…» a formula and «#N/A» an error."""
    cell.value = text or None
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell.number_format = "@"
    if text:
        cell.data_type = "s"
    if text.startswith("="):
        cell.quotePrefix = True  # and Excel keeps it a text when the cell is edited


def _offer_words(sheet: Worksheet) -> None:
    keys = list(COLUMNS)
    for key, allowed in _ALLOWED.items():
        letter = sheet.cell(1, keys.index(key) + 1).column_letter
        words = DataValidation(type="list", formula1=f'"{",".join(allowed)}"', allow_blank=False)
        words.add(f"{letter}2:{letter}{_MANY_ROWS}")
        sheet.add_data_validation(words)


# A backslash keeps what a cell or a list in a cell would lose: \n is a line break inside an item of a list,
# \uXXXX any other character, \\ the backslash itself. Ordinary texts have none of these.
_LOST = re.compile(
    r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]"  # XML has no such characters, or makes \r a line break
    r"|^\s|\s$"  # trimmed when a person has edited the cell
    r"|x(?=[0-9A-Fa-f]{4}_)"  # Excel's own way to keep characters: _x000D_
)
_KEPT = re.compile(r"\\(\\|n|u([0-9a-f]{4}))")


def _kept(text: str, *, also: str = "") -> str:
    text = _LOST.sub(lambda found: _escape(found[0]), text.replace("\\", "\\\\"))
    for character in also:
        text = text.replace(character, _escape(character))
    return text


def _escape(character: str) -> str:
    return "\\n" if character == "\n" else f"\\u{ord(character):04x}"


def _restored(text: str) -> str:
    return _KEPT.sub(
        lambda found: chr(int(found[2], 16)) if found[2] else {"\\": "\\", "n": "\n"}[found[1]], text.strip()
    )


# --- XLSX: reading ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Table:
    """A sheet's rows that are not empty, as trimmed texts by heading, and what is wrong with it."""

    title: str
    rows: dict[int, dict[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, row: int, text: str) -> None:
        self.problems.append(Problem(f"лист «{self.title}»", row, text))


def _read_xlsx(path: Path) -> dict[str, Topic]:
    topics, phrasings, not_here = _tables(path)
    if not topics.rows:
        raise BaseError((Problem(f"лист «{TOPICS}»", 0, "нет ни одной темы: заполните его"),))
    slugs = _slugs(topics)
    said: defaultdict[str, list[str]] = defaultdict(list)
    others: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for _, cells in _rows_of_topics(phrasings, slugs):
        said[cells[_SLUG]].append(_restored(cells[_TEXT]))
    for _, cells in _rows_of_topics(not_here, slugs):
        others[cells[_SLUG]].append({"text": _restored(cells[_TEXT]), "belongs": _restored(cells[_BELONGS])})
    read = {
        slug: _topic_of_row(topics, row, phrasings=said[slug], not_here=others[slug])
        for slug, row in slugs.items()
    }
    problems = (*topics.problems, *phrasings.problems, *not_here.problems)
    if problems:
        raise BaseError(problems)
    return {topic.slug: topic for topic in read.values() if topic is not None}


def _tables(path: Path) -> tuple[_Table, _Table, _Table]:
    wanted = {
        TOPICS: tuple(COLUMNS.values()),
        PHRASINGS: (_SLUG, _TEXT),
        NOT_HERE: (_SLUG, _TEXT, _BELONGS),
    }
    try:
        with opened(path, keep="темы") as book:
            tables, problems = _read_book(book, path, wanted)
    except UnusableBook as error:
        raise BaseError((Problem(path.name, 0, str(error)),)) from None
    if problems:
        raise BaseError(tuple(problems))
    return tables[TOPICS], tables[PHRASINGS], tables[NOT_HERE]


def _read_book(
    book: Any, path: Path, wanted: Mapping[str, Sequence[str]]
) -> tuple[dict[str, _Table], list[Problem]]:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    problems = [
        Problem(path.name, 0, f"нет листа «{title}»: добавьте его или исправьте его имя")
        for title in wanted
        if title not in sheets
    ]
    if problems:
        return {}, problems
    tables = {title: _table(sheets[title], headings) for title, headings in wanted.items()}
    # Without its columns a sheet has no rows, and complaints about them would bury the cause.
    return tables, [problem for table in tables.values() if not table.rows for problem in table.problems]


def _table(sheet: Any, headings: Sequence[str]) -> _Table:
    table = _Table(sheet.title)
    sheet.reset_dimensions()  # what the file says about its size may be wrong
    lines: Iterator[tuple[Any, ...]] = sheet.iter_rows()
    found = [str(cell.value or "").strip() for cell in next(lines, ())]
    _check_headings(table, found, headings)
    if table.problems:
        return table
    for number, cells in enumerate(lines, start=2):
        row = {
            heading: text
            for heading, cell in zip(found, cells, strict=False)
            if heading and (text := _cell_text(cell, table, row=number, heading=heading))
        }
        if row:
            table.rows[number] = {heading: row.get(heading, "") for heading in headings}
        if any(cell.value is not None for cell in cells[len(found) :]):
            table.complain(number, "есть данные правее последнего столбца: уберите их")
    return table


def _check_headings(table: _Table, found: Collection[str], headings: Sequence[str]) -> None:
    absent = [heading for heading in headings if heading not in found]
    strange = [heading for heading in dict.fromkeys(found) if heading and heading not in headings]
    twice = [heading for heading in headings if list(found).count(heading) > 1]
    if absent:
        table.complain(1, f"нет столбцов {_quoted(absent)}: добавьте их")
    if strange:
        table.complain(1, f"неизвестные столбцы {_quoted(strange)}: уберите их или исправьте опечатку")
    if twice:
        table.complain(1, f"столбцы {_quoted(twice)} записаны дважды: оставьте один")


def _cell_text(cell: Any, table: _Table, *, row: int, heading: str) -> str:
    if heading == COLUMNS["checked"] and isinstance(cell.value, date):
        return (cell.value.date() if isinstance(cell.value, datetime) else cell.value).isoformat()
    try:
        return cell_text(cell)
    except UnusableCell as error:
        table.complain(row, f"столбец «{heading}»: {error}")
        return "—"  # not empty: one complaint is enough


def _slugs(topics: _Table) -> dict[str, int]:
    """The row of each topic."""
    rows: dict[str, int] = {}
    for row, cells in topics.rows.items():
        slug = cells[_SLUG]
        if not slug:
            topics.complain(row, f"столбец «{_SLUG}» пуст: впишите код темы")
        elif slug in rows:
            topics.complain(row, f"тема «{slug}» уже есть в строке {rows[slug]}: оставьте одну")
        else:
            rows[slug] = row
    return rows


def _rows_of_topics(table: _Table, slugs: Mapping[str, int]) -> Iterator[tuple[int, dict[str, str]]]:
    strange: set[str] = set()
    for row, cells in table.rows.items():
        empty = [heading for heading, text in cells.items() if not text]
        if empty:
            table.complain(row, f"пустая ячейка в столбцах {_quoted(empty)}: заполните или удалите строку")
        elif cells[_SLUG] in strange:
            continue  # said once
        elif cells[_SLUG] not in slugs:
            strange.add(cells[_SLUG])
            table.complain(row, f"темы «{cells[_SLUG]}» нет на листе «{TOPICS}»: исправьте код")
        else:
            yield row, cells


def _topic_of_row(
    topics: _Table, row: int, *, phrasings: list[str], not_here: list[dict[str, str]]
) -> Topic | None:
    cells = {key: topics.rows[row][heading] for key, heading in COLUMNS.items()}
    empty = [COLUMNS[key] for key, text in cells.items() if not text and key not in _LISTS]
    if empty:
        topics.complain(row, f"пустая ячейка в столбцах {_quoted(empty)}: заполните")
        return None
    if cells["sensitive"].lower() not in _YES_NO:
        topics.complain(row, f"столбец «{COLUMNS['sensitive']}»: напишите да или нет")
        return None
    unverified = [line.partition(":") for line in _lines(cells["unverified"])]
    if not all(fact.strip() and note.strip() for fact, _, note in unverified):
        text = f"столбец «{COLUMNS['unverified']}»: в каждой строке нужен факт и после двоеточия заметка"
        topics.complain(row, text)
        return None
    plain: dict[str, Any] = {key: _restored(text) for key, text in cells.items() if key not in _LISTS}
    plain |= {
        "checked": _DAY_FIRST.sub(r"\3-\2-\1", plain["checked"]),
        "sensitive": _YES_NO[cells["sensitive"].lower()],
        "answer": {
            "meaning": plain.pop("meaning"),
            "steps": [_restored(line) for line in _lines(cells["steps"])],
            "otherwise": plain.pop("otherwise"),
        },
        "related": [_restored(item) for item in _items(cells["related"])],
        "sources": [_restored(item) for item in _items(cells["sources"])],
        "unverified": [{"fact": _restored(fact), "note": _restored(note)} for fact, _, note in unverified],
        "phrasings": phrasings,
        "not_here": not_here,
    }
    try:
        return Topic.from_plain(plain)
    except TopicError as error:
        for fault in error.faults:
            key = next((str(key) for key in reversed(fault.where) if key in COLUMNS), "")
            reason = fault.text.rpartition("»: ")[2] if key in fault.text else fault.text
            topics.complain(row, f"столбец «{COLUMNS.get(key, key)}»: {reason}")
        return None


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _items(text: str) -> list[str]:
    return [item for item in re.split(r"[,\n]", text) if item.strip()]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"«{name}»" for name in names)
