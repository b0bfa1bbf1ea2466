"""Open an Excel workbook that anybody may have sent, and take its cells as texts."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

LARGEST_UNPACKED = 64 * 2**20
"""Bytes; a base of thousands of topics takes a tenth, a bomb of zeros takes more."""

_UNREADABLE = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
)
"""What openpyxl raises on files that are no workbooks, or damaged ones."""


class UnusableBook(Exception):
    """The file cannot be read as a workbook; the text says why and what to do."""


class UnusableCell(Exception):
    """The cell holds no plain text; the text says what it holds."""


@contextmanager
def opened(path: Path, *, keep: str) -> Iterator[Any]:
    """The workbook, to be read row by row inside; `keep` is what a file that is too large should keep."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of decorations that it does not know
            with zipfile.ZipFile(path) as packed:
                if sum(each.file_size for each in packed.infolist()) > LARGEST_UNPACKED:
                    raise UnusableBook(f"файл слишком большой: оставьте в нём только {keep}")
            book = openpyxl.load_workbook(path, read_only=True)
            try:
                yield book
            finally:
                book.close()
    except OSError as error:
        raise UnusableBook(f"файл не читается ({error.strerror}): проверьте права") from None
    except _UNREADABLE:
        raise UnusableBook("это не книга Excel (.xlsx), или она повреждена: сохраните её заново") from None


def cell_text(cell: Any) -> str:
    """The trimmed text of a cell, numbers as they are shown; raises UnusableCell. Nothing is evaluated."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise UnusableCell("формула, а нужен текст: вставьте значение")
    if cell.data_type == "e":
        raise UnusableCell(f"ошибка «{value}», а нужен текст")
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if not isinstance(value, (str, int, float)):
        raise UnusableCell("дата или время, а нужен текст: задайте ячейке формат «Текстовый»")
    return str(value).strip()
