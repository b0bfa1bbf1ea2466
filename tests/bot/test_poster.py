"""The poster as a school gets it: printed badly, read with a phone's camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
import zxingcpp

from bot.poster import MOST_LINKS, QUIET_ZONE, NothingToPrint, Sheet, poster, posters
from handlers.texts import basics as texts

TELEGRAM = ("Telegram", "https://t.me/dnevnik_primer_bot?start=school-k7m2p")
VK = ("ВКонтакте", "https://vk.me/club223344556?ref=school-k7m2p")
WEB = ("Чат на сайте", "https://dnevnik.example.ru/chat?school=k7m2p")
ALL = (TELEGRAM, VK, WEB)
SCHOOL = "Средняя школа № 5 имени И. И. Примерова"
DISTRICT = "Заречный район"
LONG_NAME = (
    "Муниципальное бюджетное общеобразовательное учреждение «Средняя общеобразовательная школа № 11 "
    "имени трижды заслуженного изобретателя Ивана Ивановича Примерова с углублённым изучением отдельных "
    "предметов» муниципального образования «Заречный район»"
)
A4 = (595, 842)
MILLIMETRE = 72 / 25.4
"""Points."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Code:
    """A QR code that was read, in pixels."""

    text: str
    level: str
    left: int
    top: int
    side: int


def rendered(pdf: bytes, *, dpi: int, page: int = 0) -> Pixels:
    """One page as a grey picture."""
    document = pypdfium2.PdfDocument(pdf)
    pixels: Pixels = document[page].render(scale=dpi / 72, grayscale=True).to_numpy()
    return pixels.squeeze()


def badly_printed(pixels: Pixels, *, speckle: int) -> Pixels:
    """Pale toner on greyish paper, speckled all over."""
    noise = np.random.default_rng(5).normal(scale=speckle, size=pixels.shape)
    return np.clip(90 + pixels * (130 / 255) + noise, 0, 255).astype(np.uint8)


def codes(pixels: Pixels) -> list[Code]:
    """What a phone finds, from left to right."""
    found = []
    for each in zxingcpp.read_barcodes(pixels):
        corner, other = each.position.top_left, each.position.bottom_right
        side = round(((other.x - corner.x) + (other.y - corner.y)) / 2)
        found.append(Code(each.text, str(each.ec_level), corner.x, corner.y, side))
    return sorted(found, key=lambda code: code.left)


def words(pdf: bytes, *, page: int = 0) -> str:
    """The text of a page, in one line."""
    text: str = pypdfium2.PdfDocument(pdf)[page].get_textpage().get_text_bounded()
    return " ".join(text.split())


@pytest.mark.parametrize("links", [ALL[:1], ALL[1:], ALL], ids=["one", "two", "three"])
@pytest.mark.parametrize(("dpi", "speckle"), [(100, 12), (150, 30)])
def test_every_code_is_read_from_a_poor_print(
    links: tuple[tuple[str, str], ...], dpi: int, speckle: int
) -> None:
    printed = badly_printed(rendered(poster(SCHOOL, DISTRICT, links), dpi=dpi), speckle=speckle)
    assert [code.text for code in codes(printed)] == [link for _, link in links]


def test_the_longest_links_are_read_too() -> None:
    links = [
        ("Telegram", f"https://t.me/{'b' * 32}?start=school-{'x' * 40}"),
        ("ВКонтакте", f"https://vk.me/club{'9' * 12}?ref=school-{'x' * 40}"),
        ("Чат на сайте", f"https://elektronny-dnevnik.ministerstvo.primer.example.ru/chat?school={'x' * 40}"),
    ]
    printed = badly_printed(rendered(poster(LONG_NAME, DISTRICT, links), dpi=150), speckle=20)
    assert [code.text for code in codes(printed)] == [link for _, link in links]


@pytest.mark.parametrize("links", [ALL[:1], ALL[1:], ALL], ids=["one", "two", "three"])
def test_codes_are_large_quiet_and_stand_some_damage(links: tuple[tuple[str, str], ...]) -> None:
    dpi = 300
    pixels = rendered(poster(SCHOOL, DISTRICT, links), dpi=dpi)
    for code in codes(pixels):
        assert code.side >= 40 * MILLIMETRE * dpi / 72
        assert code.level in {"M", "Q", "H"}
        assert ink_around(pixels, code) == 0


def ink_around(pixels: Pixels, code: Code) -> int:
    """Dark pixels in the quiet zone; at least 25 modules stand along a side."""
    quiet, blur = code.side * QUIET_ZONE // 25, 3
    left, top, side = code.left, code.top, code.side
    wide = pixels[top - quiet : top + side + quiet, left - quiet : left + side + quiet] < 128
    own = pixels[top - blur : top + side + blur, left - blur : left + side + blur] < 128
    return int(wide.sum()) - int(own.sum())


def test_one_black_and_white_page_says_what_it_is_for() -> None:
    pdf = poster(SCHOOL, DISTRICT, ALL, region_name="Республика Примерная")
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    assert tuple(round(side) for side in document[0].get_size()) == A4
    colours: Pixels = document[0].render(scale=1).to_numpy()
    assert np.ptp(colours, axis=2).max() == 0
    said = words(pdf)
    for part in (SCHOOL, DISTRICT, "Республика Примерная", "Госуслуги", "учётную запись ребёнка"):
        assert part in said
    for place, link in ALL:
        assert place in said
        assert link.removeprefix("https://") in said.replace(" ?", "?")


def test_the_poster_asks_for_the_same_discretion_as_the_bot() -> None:
    assert texts.NOTICE.replace("сюда", "в чат") in words(poster(SCHOOL, DISTRICT, ALL))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (LONG_NAME, LONG_NAME),
        ("Школа\n №  5\x00", "Школа № 5"),
        ("Школа аула Къошъугъ с гимназией «Ӏашъхь»", "Школа аула Къошъугъ с гимназией «Ӏашъхь»"),
        ("Школа " * 2000, "Школа Школа Школа"),
        ("Ж" * 5000, "ЖЖЖ"),
    ],
    ids=["long", "untidy", "adyghe", "endless", "endless word"],
)
def test_any_name_keeps_to_its_place(name: str, shown: str) -> None:
    pdf = poster(name, "Заречный район " * 40, ALL)
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert shown in words(pdf)
    pixels, short = rendered(pdf, dpi=72), rendered(poster("Школа", "", ALL), dpi=72)
    changed = np.flatnonzero((pixels != short).any(axis=1)) / MILLIMETRE
    assert changed.min() > 85
    assert changed.max() < 131  # between its two rules: nothing else has moved
    assert not (pixels[:, : round(17 * MILLIMETRE)] < 255).any()


def test_a_name_is_as_large_as_it_can_be() -> None:
    short, long = (rendered(poster(name, "", ALL), dpi=72) for name in ("Школа № 5", LONG_NAME))
    assert tallest_letter(short) > 1.3 * tallest_letter(long)


def tallest_letter(pixels: Pixels) -> int:
    """Rows of the tallest line between the rules."""
    inside = pixels[round(87 * MILLIMETRE) : round(130 * MILLIMETRE)]
    inked = "".join("x" if row.any() else " " for row in inside < 128)
    return max(len(line) for line in inked.split())


def test_all_schools_of_a_region_are_one_file_with_a_page_each() -> None:
    count = 137
    pdf = posters(
        [
            Sheet(
                f"Школа № {number}",
                DISTRICT,
                [("Telegram", f"https://t.me/primer_bot?start=school-{number}")],
            )
            for number in range(count)
        ]
    )
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == count
    for number in (0, 68, 136):
        (code,) = codes(rendered(pdf, dpi=100, page=number))
        assert code.text.endswith(f"=school-{number}")
        assert f"Школа № {number} {DISTRICT}" in words(pdf, page=number)
    titles = [item.get_title() for item in document.get_toc()]
    assert [title.replace("\u00a0", " ") for title in titles] == [f"Школа № {n}" for n in range(count)]


def test_a_poster_without_a_code_is_refused() -> None:
    with pytest.raises(NothingToPrint, match="HELPDESK_PUBLIC_URL"):
        poster(SCHOOL, DISTRICT, [])
    with pytest.raises(NothingToPrint, match="Школ нет"):
        posters([])


def test_more_codes_than_stand_in_a_row_are_our_bug() -> None:
    with pytest.raises(ValueError, match="row"):
        poster(SCHOOL, DISTRICT, [TELEGRAM] * (MOST_LINKS + 1))
