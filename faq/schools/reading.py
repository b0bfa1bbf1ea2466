"""Read a directory of schools from a spreadsheet: CSV of any usual form, or XLSX."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faq.content.loading import Problem
from faq.content.workbook import UnusableBook, UnusableCell, cell_text, opened
from faq.schools.naming import kind_named
from faq.schools.row import Row
from faq.text import normalise

MOST_PROBLEMS = 20
"""Problems that one error names; what follows is counted."""

MOST_ROWS = 5_000
"""Schools of one file."""

MOST_ALIASES = 20
"""Aliases of one school."""

LARGEST_CSV = 8 * 2**20
"""Bytes; 5,000 schools with ten aliases each take a half."""

TITLES = {
    "name": "Название",
    "municipality": "Муниципалитет",
    "kind": "Вид",
    "aliases": "Псевдонимы",
    "code": "Код",
    "hours": "Часы работы",
    "region": "Регион",
}
"""What the columns are called in complaints and in the files that we write."""

_ALSO = {
    "name": ("наименование", "школа", "name", "school"),
    "municipality": ("муниципальное образование", "район", "municipality"),
    "kind": ("тип", "вид школы", "kind", "type"),
    "aliases": ("псевдоним", "другие названия", "aliases", "alias"),
    "code": ("код школы", "code"),
    "hours": ("часы", "время работы", "hours", "working hours"),
    "region": ("region",),
}
_COLUMNS = {
    heading: column for column, title in TITLES.items() for heading in (title.lower(), *_ALSO[column])
}
_REQUIRED = ("name", "municipality")
_LONGEST = {
    "name": 200, "municipality": 100, "kind": 60, "aliases": 100, "code": 40, "hours": 200, "region": 100,
}  # fmt: skip
_ENCODINGS = ("utf-8-sig", "cp1251")
_DELIMITERS = ";,\t"
_ALIASES_APART = re.compile(r"[;|\n]")
_SPACES = re.compile(r"\s+")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")  # pasted from web pages unseen
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
_LETTER = re.compile(r"[0-9A-Za-zА-Яа-яЁё]")

_Line = tuple[int, Sequence[Any]]  # the row as the spreadsheet shows it, and its cells


@dataclass(frozen=True, slots=True)
class Directory:
    """The schools of a file, in its order."""

    rows: tuple[Row, ...]


class DirectoryError(Exception):
    """The file cannot be imported; `problems` names up to MOST_PROBLEMS places, `left` counts the others."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems[:MOST_PROBLEMS])
        self.left = len(problems) - len(self.problems)
        lines = [str(problem) for problem in self.problems]
        super().__init__("\n".join([*lines, f"И ещё замечаний: {self.left}."] if self.left else lines))


def read_directory(path: Path) -> Directory:
    """Read a .csv or .xlsx file; raises DirectoryError naming every wrong place with its row and column."""
    readers: dict[str, Callable[[Path], Directory]] = {".csv": _read_csv, ".xlsx": _read_xlsx}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _wrong(path, "неизвестный вид файла: сохраните таблицу как .csv или .xlsx")
    if not path.is_file():
        raise _wrong(path, "такого файла нет: проверьте путь")
    return reader(path)


def _wrong(path: Path, text: str, *, row: int = 0) -> DirectoryError:
    return DirectoryError((Problem(path.name, row, text),))


# --- CSV and XLSX to lines ----------------------------------------------------------------------------


def _read_csv(path: Path) -> Directory:
    text = _decoded(path)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        return _directory(path, enumerate(lines, start=1), text_of=_plain_text)
    except csv.Error:
        sentence = f"около строки {lines.line_num} кавычка не закрыта или стоит посреди ячейки: исправьте"
        raise _wrong(path, sentence) from None


def _decoded(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_CSV:
            raise _wrong(path, "файл слишком большой: оставьте в нём только школы")
        content = path.read_bytes()
    except OSError as error:
        raise _wrong(path, f"файл не читается ({error.strerror}): проверьте права") from None
    if b"\x00" in content:  # a workbook under another name, or UTF-16
        raise _wrong(path, "это не таблица CSV: сохраните её как «CSV UTF-8» или .xlsx")
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _wrong(path, "буквы не прочитать: сохраните файл как «CSV UTF-8»")


def _delimiter(text: str) -> str:
    """The sign that parts the heading into most of our columns."""
    heading = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=lambda sign: sum(_column(cell) != "" for cell in heading.split(sign)))


def _plain_text(cell: str) -> str:
    if cell.lstrip().startswith("="):
        raise UnusableCell("формула, а нужен текст: вставьте значение")
    return cell.strip()


def _read_xlsx(path: Path) -> Directory:
    try:
        with opened(path, keep="школы") as book:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says about its size may be wrong
            with closing(sheet.iter_rows()) as lines:
                return _directory(path, enumerate(lines, start=1), text_of=cell_text)
    except UnusableBook as error:
        raise _wrong(path, str(error)) from None


# --- lines to schools ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """What was read so far, and what is wrong with it."""

    file: str
    columns: Sequence[str]
    text_of: Callable[[Any], str]
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)

    def complain(self, row: int, text: str, *, column: str = "") -> None:
        """Note one thing to correct."""
        where = f"столбец «{TITLES[column]}»: " if column else ""
        self.problems.append(Problem(self.file, row, f"{where}{text}"))


def _directory(path: Path, lines: Iterator[_Line], *, text_of: Callable[[Any], str]) -> Directory:
    reading = _Reading(path.name, _columns(path, lines, text_of=text_of), text_of)
    for number, cells in lines:
        texts = _texts(reading, number, cells)
        if not any(texts.values()):
            continue
        if len(reading.rows) == MOST_ROWS:
            reading.complain(number, f"школ больше {MOST_ROWS}: разделите файл")
            break
        _add(reading, number, texts)
    if not reading.rows and not reading.problems:
        reading.complain(0, "нет ни одной школы: заполните таблицу под заголовками")
    if reading.problems:
        raise DirectoryError(reading.problems)
    return Directory(tuple(reading.rows))


def _columns(path: Path, lines: Iterator[_Line], *, text_of: Callable[[Any], str]) -> list[str]:
    """The column of each cell, empty where there is no heading."""
    number, cells = next(lines, (1, ()))
    headings = [_heading(cell, text_of) for cell in cells]
    columns = [_column(heading) for heading in headings]
    strange = [heading for heading, column in zip(headings, columns, strict=True) if heading and not column]
    problems = [
        *(f"нет столбца «{TITLES[each]}»: добавьте его" for each in _REQUIRED if each not in columns),
        *(
            f"столбец «{TITLES[each]}» записан дважды: оставьте один"
            for each in TITLES
            if columns.count(each) > 1
        ),
        *(
            f"неизвестный столбец «{_cut(each)}»: уберите его или исправьте опечатку"
            for each in dict.fromkeys(strange)
        ),
    ]
    if problems:
        raise DirectoryError([Problem(path.name, number, text) for text in problems])
    return columns


def _heading(cell: Any, text_of: Callable[[Any], str]) -> str:
    try:
        return _one_line(text_of(cell))
    except UnusableCell:
        return "?"


def _column(heading: str) -> str:
    return _COLUMNS.get(_one_line(heading).strip("\"'").lower(), "")


def _texts(reading: _Reading, number: int, cells: Sequence[Any]) -> dict[str, str]:
    texts = dict.fromkeys(TITLES, "")
    for place, cell in enumerate(cells):
        column = reading.columns[place] if place < len(reading.columns) else ""
        try:
            text = reading.text_of(cell)
        except UnusableCell as error:
            reading.complain(number, str(error), column=column)
            text = "—" if column else ""  # not empty: one complaint is enough
        if column:
            texts[column] = text
        elif text:
            reading.complain(number, f"ячейка «{_cut(text)}» стоит вне столбцов с заголовками: уберите её")
    return texts


def _add(reading: _Reading, number: int, texts: Mapping[str, str]) -> None:
    before = len(reading.problems)
    single = {column: _one_line(text) for column, text in texts.items() if column != "aliases"}
    for column in _REQUIRED:
        if not single[column]:
            reading.complain(number, "пусто: заполните или удалите строку", column=column)
        elif not _LETTER.search(single[column]) and single[column] != "—":
            reading.complain(number, "нет ни одной буквы: впишите название", column=column)
    for column, text in single.items():
        _check(reading, number, column, text)
    aliases = _aliases(reading, number, texts["aliases"], name=single["name"])
    _check_repeats(reading, number, single)
    if len(reading.problems) == before:
        reading.rows.append(
            Row(**{**single, "kind": single["kind"] or kind_named(single["name"])}, aliases=aliases)
        )


def _aliases(reading: _Reading, number: int, text: str, *, name: str) -> tuple[str, ...]:
    aliases = [_one_line(part) for part in _ALIASES_APART.split(text)]
    aliases = [each for each in dict.fromkeys(aliases) if each and each != name]
    for alias in aliases[:MOST_ALIASES]:
        _check(reading, number, "aliases", alias)
    if len(aliases) > MOST_ALIASES:
        reading.complain(number, f"больше {MOST_ALIASES}: оставьте те, что в ходу", column="aliases")
    return tuple(aliases)


def _check(reading: _Reading, number: int, column: str, text: str) -> None:
    if len(text) > _LONGEST[column]:
        reading.complain(number, f"длиннее {_LONGEST[column]} знаков: сократите", column=column)
    elif _UNPRINTABLE.search(text):
        reading.complain(number, f"непечатный знак в «{_cut(text)}»: впишите заново", column=column)


def _check_repeats(reading: _Reading, number: int, texts: Mapping[str, str]) -> None:
    name, code = (normalise(texts["name"]), normalise(texts["municipality"])), texts["code"].casefold()
    if all(name) and reading.names.setdefault(name, number) != number:
        text = f"эта школа уже есть в строке {reading.names[name]}: оставьте одну"
        reading.complain(number, text, column="name")
    if code and code != "—" and reading.codes.setdefault(code, number) != number:
        text = f"код «{_cut(texts['code'])}» уже есть в строке {reading.codes[code]}: он у каждой школы свой"
        reading.complain(number, text, column="code")


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip()


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_SHOWN = 40  # characters of what is quoted in a complaint
