"""The poster for a school's notice board: one A4 page with a QR code for every place where we answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import segno

from handlers.errors import HelpdeskError

if TYPE_CHECKING:
    from fpdf import FPDF

MOST_LINKS = 3
"""Codes in one row that stay wider than 4 cm."""
QUIET_ZONE = 4
"""White modules around a QR code: ISO/IEC 18004 asks for so many."""

_FEWEST_MODULES = 25
"""Along the side of a code that holds one of our links; with more of them the quiet zone is narrower."""
_PAGE_WIDTH, _MARGIN = 210.0, 18.0
_WIDTH = _PAGE_WIDTH - 2 * _MARGIN
_POINT = 25.4 / 72
_LEADING = 1.2
_SCHOOL_TOP, _SCHOOL_BOTTOM = 85.0, 131.0
_CODES_TOP, _CODES_BOTTOM = 134.0, 231.0
_STEPS_TOP = 234.0
_NOTICE_TOP, _NOTICE_BOTTOM = 262.0, 279.0
_CODE_SIDE = {1: 52.0, 2: 50.0, 3: 43.0}
"""Millimetres of the dark square, by how many stand in the row."""
_SCHOOL_SIZES = (28, 25, 22, 19, 17, 15, 13, 11, 9)
_MUNICIPALITY_SIZES = (15, 13, 11, 9)
_ADDRESS_SIZES = (12, 11, 10, 9, 8)
_LONGEST_TEXT = 1000
"""Characters; more than that would not fit in the smallest size."""
_BOUND = re.compile(r"(№|\bим\.|\b[А-ЯЁ]\.) ")
"""What no line may end with: «№ 5», «им. И. И. Иванова»."""
_DOTS_PER_MODULE = 8
"""Of the picture, so that viewers who smooth it leave the edges sharp."""
_ASSETS = Path(__file__).parent / "assets"
_FONT = "PT Sans"

_TITLE = "Плакат для школы: помощь со входом в электронный дневник"
_HEADING = ("Не получается войти", "в электронный дневник?")
_LEAD = (
    "Бот-помощник подскажет родителям, как войти через",
    "Госуслуги и как подключить учётную запись ребёнка.",
)
_STEPS = (
    "Наведите камеру телефона на код.",
    "Откройте ссылку: ваша школа уже будет выбрана.",
    "Напишите своими словами, что не получается.",
)
_NOTICE = (
    "Пожалуйста, не присылайте в чат номера СНИЛС, паспорта и",
    "свидетельства, пароли и коды из сообщений: для ответа они не нужны.",
)
_NO_LINKS = (
    "На плакате нечего печатать: ни один мессенджер не подключён, а у чата на сайте нет адреса "
    "(HELPDESK_PUBLIC_URL)."
)
_NO_SCHOOLS = "Школ нет: плакаты печатать не для кого."


class NothingToPrint(HelpdeskError):
    """There is no school, or no link that would lead a parent to us."""


@dataclass(frozen=True)
class Sheet:
    """What differs from one school's poster to another; `links` are pairs of a place and a link."""

    school_name: str
    municipality: str
    links: Sequence[tuple[str, str]]


def poster(
    school_name: str, municipality: str, links: Sequence[tuple[str, str]], *, region_name: str = ""
) -> bytes:
    """One school's poster as a PDF of one page. Raises `NothingToPrint`."""
    return posters([Sheet(school_name, municipality, links)], region_name=region_name)


def posters(sheets: Iterable[Sheet], *, region_name: str = "") -> bytes:
    """The posters of many schools as one PDF: a page each, the schools as its outline.

    Keeps the processor busy for about a tenth of a second a page. Raises `NothingToPrint`.
    """
    pdf = _document()
    for sheet in sheets:
        _draw_page(pdf, sheet, region_name=_printable(region_name))
    if not pdf.pages_count:
        raise NothingToPrint(_NO_SCHOOLS)
    return bytes(pdf.output())


def _document() -> FPDF:
    # Takes half a second, which neither the helpdesk's start nor `--help` has to wait for.
    from fpdf import FPDF  # noqa: PLC0415

    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    pdf.add_font(_FONT, fname=_ASSETS / "PTS55F.ttf")
    pdf.add_font(_FONT, "B", fname=_ASSETS / "PTS75F.ttf")
    pdf.set_lang("ru-RU")
    pdf.set_title(_TITLE)
    return pdf


def _draw_page(pdf: FPDF, sheet: Sheet, *, region_name: str) -> None:
    if not sheet.links:
        raise NothingToPrint(_NO_LINKS)
    if len(sheet.links) > MOST_LINKS:
        raise ValueError(f"{len(sheet.links)} codes do not stand in one row")
    school = _printable(sheet.school_name)
    pdf.add_page()
    pdf.start_section(school)
    _draw_title(pdf, region_name)
    _draw_school(pdf, school, _printable(sheet.municipality))
    _draw_codes(pdf, sheet.links)
    _draw_steps(pdf)
    _draw_notice(pdf)


def _draw_title(pdf: FPDF, region_name: str) -> None:
    _write(pdf, [region_name], y=_MARGIN, size=13)
    below = _write(pdf, _HEADING, y=29, size=34, bold=True)
    _write(pdf, _LEAD, y=below + 5, size=16)


def _draw_school(pdf: FPDF, name: str, municipality: str) -> None:
    """The name between two rules, as large as its place allows."""
    pdf.set_line_width(0.4)
    for y in (_SCHOOL_TOP, _SCHOOL_BOTTOM):
        pdf.line(_MARGIN, y, _PAGE_WIDTH - _MARGIN, y)
    top, bottom = _SCHOOL_TOP + 4, _SCHOOL_BOTTOM - 4
    small, municipality_lines = _fit(pdf, municipality, sizes=_MUNICIPALITY_SIZES, height=11)
    bottom -= len(municipality_lines) * _line(small) + 1
    large, name_lines = _fit(pdf, name, sizes=_SCHOOL_SIZES, height=bottom - top, bold=True)
    centred = top + (bottom - top - len(name_lines) * _line(large)) / 2
    below = _write(pdf, name_lines, y=centred, size=large, bold=True)
    _write(pdf, municipality_lines, y=below + 1, size=small)


def _draw_codes(pdf: FPDF, links: Sequence[tuple[str, str]]) -> None:
    """Each code under the name of its place; the address below is for those who type."""
    side, column = _CODE_SIDE[len(links)], _WIDTH / len(links)
    quiet = side * QUIET_ZONE / _FEWEST_MODULES
    name_height, address_height = _line(17), 12.0
    height = name_height + quiet + side + quiet + address_height
    top = _CODES_TOP + (_CODES_BOTTOM - _CODES_TOP - height) / 2
    for index, (place, link) in enumerate(links):
        x = _MARGIN + index * column
        _write(pdf, [place], x=x, y=top, width=column, size=17, bold=True)
        _draw_code(pdf, link, x=x + (column - side) / 2, y=top + name_height + quiet, side=side)
        size, address = _fit(pdf, _short(link), sizes=_ADDRESS_SIZES, height=address_height, width=column - 4)
        lines = [line.replace(" ?", "?") for line in address]
        _write(pdf, lines, x=x, y=top + height - address_height, width=column, size=size)


def _draw_code(pdf: FPDF, link: str, *, x: float, y: float, side: float) -> None:
    picture = BytesIO()
    code = segno.make_qr(link, error="m")
    code.save(picture, kind="png", border=0, scale=_DOTS_PER_MODULE)
    pdf.image(picture, x, y, w=side, h=side, alt_text=link)


def _draw_steps(pdf: FPDF) -> None:
    """A list, not columns: under the codes, those would read as their captions."""
    steps = [f"{number}. {step}" for number, step in enumerate(_STEPS, start=1)]
    _choose(pdf, size=15, bold=False)
    width = max(pdf.get_string_width(step) for step in steps)
    for index, step in enumerate(steps):
        pdf.set_xy((_PAGE_WIDTH - width) / 2, _STEPS_TOP + index * _line(15))
        pdf.cell(width, _line(15), step)


def _draw_notice(pdf: FPDF) -> None:
    height = _NOTICE_BOTTOM - _NOTICE_TOP
    pdf.rect(_MARGIN, _NOTICE_TOP, _WIDTH, height)
    _write(pdf, _NOTICE, y=_NOTICE_TOP + (height - len(_NOTICE) * _line(13)) / 2, size=13)


def _fit(
    pdf: FPDF, text: str, *, sizes: Sequence[int], height: float, width: float = _WIDTH, bold: bool = False
) -> tuple[int, list[str]]:
    """The largest size in which a text keeps to its place, and its lines; too long a text is cut."""
    for size in sizes:
        _choose(pdf, size=size, bold=bold)
        lines = _break(pdf, text, width)
        if len(lines) * _line(size) <= height and _widest_word(pdf, text) <= width:
            return size, _balanced(pdf, text, lines, width)
    most = int(height / _line(size))
    return size, lines if len(lines) <= most else [*lines[: most - 1], "…"]


def _balanced(pdf: FPDF, text: str, lines: list[str], width: float) -> list[str]:
    """As many lines, but about equally long."""
    narrow, wide = _widest_word(pdf, text), width
    while len(lines) > 1 and wide - narrow > 1:
        middle = (narrow + wide) / 2
        narrower = _break(pdf, text, middle)
        if len(narrower) > len(lines):
            narrow = middle
        else:
            lines, wide = narrower, middle
    return lines


def _break(pdf: FPDF, text: str, width: float) -> list[str]:
    """Fill line after line; only a word that is wider than a whole line is torn."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and pdf.get_string_width(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines += _torn(pdf, word, width)
    return lines


def _torn(pdf: FPDF, word: str, width: float) -> list[str]:
    if pdf.get_string_width(word) <= width:
        return [word]
    parts = [""]
    for letter in word:
        if parts[-1] and pdf.get_string_width(parts[-1] + letter) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _widest_word(pdf: FPDF, text: str) -> float:
    return max((pdf.get_string_width(word) for word in text.split(" ")), default=0.0)


def _write(
    pdf: FPDF,
    lines: Iterable[str],
    *,
    y: float,
    size: int,
    x: float = _MARGIN,
    width: float = _WIDTH,
    bold: bool = False,
) -> float:
    """Put lines in the middle of a column; returns where the next one would stand."""
    _choose(pdf, size=size, bold=bold)
    for line in lines:
        pdf.set_xy(x, y)
        pdf.cell(width, _line(size), line, align="C")
        y += _line(size)
    return y


def _choose(pdf: FPDF, *, size: int, bold: bool) -> None:
    pdf.set_font(_FONT, "B" if bold else "", size)


def _line(size: int) -> float:
    """Millimetres from one line to the next."""
    return size * _POINT * _LEADING


def _printable(text: str) -> str:
    """One line without what no font can draw; what belongs together is not broken."""
    visible = "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST_TEXT])
    return _BOUND.sub("\\1\u00a0", " ".join(visible.split()))


def _short(link: str) -> str:
    """A link as people type it; it may be broken before its query."""
    return link.split("://", 1)[-1].replace("?", " ?")
