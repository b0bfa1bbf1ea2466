"""A parent names a school, and the right one is found; a directory is read, or its faults are named."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faq.schools.made_up import REGION, made_up_schools, write_directory
from faq.schools.reading import LARGEST_CSV, MOST_PROBLEMS, DirectoryError, read_directory
from faq.schools.row import Row
from faq.schools.search import MOST_FOUND, Found, School, SchoolSearch

DATA = Path(__file__).parents[1] / "data"
MADE_UP = made_up_schools()


def searching(rows: Sequence[Row]) -> SchoolSearch:
    return SchoolSearch(
        [School(place, row.name, row.municipality, row.kind, row.aliases) for place, row in enumerate(rows)]
    )


SEARCH = searching(MADE_UP)


def listed(name: str) -> list[tuple[str, str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(said, expected) for said, expected in pairs[1:]]


NAMED, NOT_ONE = listed("school-names.tsv"), listed("school-names-none.tsv")


def codes(found: Found) -> list[str]:
    return [MADE_UP[match.school.id].code for match in found.schools]


def finds(said: str) -> list[str]:
    return codes(SEARCH.find(said))


# --- the search ---------------------------------------------------------------------------------------


def test_the_list_is_of_the_size_that_was_promised() -> None:
    assert len(NAMED) >= 320
    assert len({code for _, code in NAMED}) == 60
    assert {code for _, code in NAMED} <= {row.code for row in MADE_UP}
    assert len(NOT_ONE) >= 40


def test_nine_of_ten_names_have_the_right_school_first_and_almost_all_among_five() -> None:
    places = [finds(said).index(code) if code in finds(said) else None for said, code in NAMED]
    assert places.count(0) / len(places) >= 0.90
    assert sum(place is not None for place in places) / len(places) >= 0.98


def test_a_school_that_is_taken_without_asking_is_the_right_one() -> None:
    taken = [(said, codes(found)[0], code) for said, code in NAMED if (found := SEARCH.find(said)).is_sure]
    assert [each for each in taken if each[1] != each[2]] == []
    assert len(taken) / len(NAMED) >= 0.9  # and most are: a parent who has said it is not asked again


@pytest.mark.parametrize(("said", "expected"), NOT_ONE)
def test_what_names_several_schools_or_none_is_asked_about(said: str, expected: str) -> None:
    found = SEARCH.find(said)
    assert not found.is_sure
    if expected == "several":
        assert len(found.schools) > 1


def test_the_examples_of_the_ministry_are_understood() -> None:
    search = SchoolSearch(
        [
            School(1, "МБОУ «СОШ № 5»", "город Майкоп", "сош"),
            School(2, "МБОУ «Лицей № 35»", "город Майкоп", "лицей", ("улица Пионерская",)),
            School(3, "МБОУ «Лицей № 8»", "город Майкоп", "лицей"),
            School(4, "МБОУ «СОШ № 35»", "Учебный район", "сош"),
        ]
    )
    for said, meant in (
        ("35 лицей", 2), ("сош №5 майкоп", 1), ("пятая школа", 1), ("лицей майкоп пионерская", 2),
        ("Майкопская школа 5", 1), ("МБОУ \"СОШ №5\" г.Майкоп", 1),
    ):  # fmt: skip
        found = search.find(said)
        assert (said, found.schools[0].school.id, found.is_sure) == (said, meant, True)


@pytest.mark.parametrize("row", MADE_UP, ids=lambda row: row.code)
def test_every_school_is_found_by_its_full_name(row: Row) -> None:
    assert finds(f"{row.name}, {row.municipality}")[0] == row.code


@pytest.mark.parametrize("said", ["школа 99", "лицей № 36", "гимназия 23 светлореченск", "школа сорок пять"])
def test_another_number_is_another_school(said: str) -> None:
    assert finds(said) == []


def test_a_village_is_offered_though_its_school_has_another_number() -> None:
    found = SEARCH.find("школа 5, хутор Туманный")
    assert "top-07" in codes(found)  # № 7 is the only one there
    assert not found.is_sure


@pytest.mark.parametrize(
    "said",
    [
        "лицей 35, 5Б",
        "5 класс, лицей 35",
        "10а лицей 35",
        "лицей 35 7 «А» класс",
        "ребёнок в 3 классе лицея № 35",
    ],
)
def test_the_childs_class_is_not_the_number_of_the_school(said: str) -> None:
    assert finds(said)[0] == "svet-21"
    assert SEARCH.find(said).is_sure


def test_the_number_of_a_house_is_not_the_number_of_the_school() -> None:
    assert finds("школа 3, улица Кирпичная, 5")[0] == "yas-03"
    assert finds("лицей на рябиновой 12")[0] == "svet-21"
    assert finds("Школа 14, дом 2")[0] == "svet-13"


def test_a_word_more_is_enough_where_the_number_was_not() -> None:
    assert not SEARCH.find("школа 5").is_sure
    assert SEARCH.find("школа 5").is_more
    found = SEARCH.find("школа 5 яснополь")
    assert (codes(found)[0], found.is_sure) == ("yas-05", True)


@pytest.mark.parametrize(
    "said",
    ["лицей 35 майкоп", "лицей 35 яснополь", "не лицей 35", "лицей 35, но мы переводимся в другую", "35"],
)
def test_what_does_not_fit_is_a_reason_to_ask(said: str) -> None:
    assert finds(said)[0] == "svet-21"
    assert not SEARCH.find(said).is_sure


@pytest.mark.parametrize(
    "number", ["№28", "№ 28", "N28", "No 28", "# 28", "номер 28", "28-я", "двадцать восьмая"]
)
def test_a_number_is_written_in_many_ways(number: str) -> None:
    assert finds(f"школа {number}") == ["svet-20"]


def test_without_its_school_a_name_is_never_taken_for_another() -> None:
    """A directory may lack a school: what names it must not lead to its neighbour unasked."""
    for code in dict.fromkeys(code for _, code in NAMED):
        rows = [row for row in MADE_UP if row.code != code]
        search = searching(rows)
        for said in (said for said, meant in NAMED if meant == code):
            found = search.find(said)
            assert not found.is_sure, f"{said}: {rows[found.schools[0].school.id]}"


def test_an_empty_directory_has_no_schools() -> None:
    assert SchoolSearch([]).find("школа 5") == Found()


def test_one_school_is_found_and_not_everything_is_it() -> None:
    search = SchoolSearch([School(7, "Школа № 5", "город Светлореченск")])
    assert search.find("пятая школа").is_sure
    assert search.find("не приходит код") == Found()


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    found = SEARCH.find(text)
    assert len(found.schools) <= MOST_FOUND
    assert all(0 < match.score <= 1 for match in found.schools)
    assert [match.score for match in found.schools] == sorted(
        (match.score for match in found.schools), reverse=True
    )
    assert found.schools or not found.is_sure


@given(st.sampled_from(NAMED), st.sampled_from(["{} ", "Здравствуйте! {}", "{}.", "{}\n", "«{}»", "{} 😊"]))
@settings(max_examples=200, deadline=None)
def test_courtesy_around_a_name_changes_nothing(pair: tuple[str, str], around: str) -> None:
    said, _ = pair
    assert finds(around.format(said))[:1] == finds(said)[:1]


def test_a_long_letter_is_read_in_no_more_than_its_beginning() -> None:
    assert finds("школа 28 " + "и ещё много слов " * 10_000) == finds("школа 28 " + "и ещё много слов " * 100)


# --- the made-up directory ----------------------------------------------------------------------------


def test_the_example_says_in_every_row_that_it_is_made_up() -> None:
    assert {row.region for row in MADE_UP} == {REGION}
    first = (DATA / "schools-made-up.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert first.startswith("вымышленный регион (учебный пример);")


def test_the_example_on_disk_is_the_generated_one() -> None:
    assert read_directory(DATA / "schools-made-up.csv").rows == MADE_UP


@pytest.mark.parametrize("count", [0, 1, 137, 2000])
def test_as_many_schools_as_wanted_and_no_two_alike(count: int) -> None:
    rows = made_up_schools(count, seed=3)
    assert len(rows) == len({(row.name, row.municipality) for row in rows}) == len({row.code for row in rows})
    assert len(rows) == count
    assert rows == made_up_schools(count, seed=3)


def test_a_number_repeats_from_district_to_district() -> None:
    first = [row.municipality for row in MADE_UP if "№ 1 " in f"{row.name} ".replace(",", " ")]
    assert len(set(first)) == 9


# --- reading a directory ------------------------------------------------------------------------------

Table = Sequence[Sequence[object]]
PLAIN: list[list[object]] = [
    ["Название", "Муниципалитет"],
    ["СОШ № 1", "Заречный район"],
    ["Лицей № 2", "Заречный район"],
]


def saved(path: Path, table: Table) -> Path:
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for line in table:
            book.active.append(list(line))
        book.save(path)
    else:
        lines = [";".join("" if cell is None else str(cell) for cell in line) for line in table]
        path.write_text("\n".join(lines), encoding="utf-8")
    return path


def complaints(path: Path) -> list[str]:
    with pytest.raises(DirectoryError) as caught:
        read_directory(path)
    assert [str(each) for each in caught.value.problems] == str(caught.value).split("\n")[:MOST_PROBLEMS]
    return str(caught.value).split("\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_csv_of_any_usual_form_is_read(tmp_path: Path, encoding: str, sign: str) -> None:
    path = tmp_path / "schools.csv"
    lines = [
        f" НАЗВАНИЕ {sign}муниципалитет{sign}Псевдонимы{sign}код",
        f'"СОШ № 1 им. ""Героя""{sign} хутор"{sign}Заречный район{sign}"первая; у реки|школа"{sign}a-1',
        "",
        f"  Лицей   № 2 {sign}Заречный район",
    ]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    assert read_directory(path).rows == (
        Row(f'СОШ № 1 им. "Героя"{sign} хутор'.replace("\t", ""), "Заречный район", "сош",
            ("первая", "у реки", "школа"), "a-1"),
        Row("Лицей № 2", "Заречный район", "лицей"),
    )  # fmt: skip


def test_english_headings_are_understood(tmp_path: Path) -> None:
    table = [
        ["name", "municipality", "kind", "aliases", "code", "hours", "region"],
        ["School 1", "North", "лицей", "first", "n1", "пн–пт 9–18", "somewhere"],
    ]
    row = Row("School 1", "North", "лицей", ("first",), "n1", "пн–пт 9–18", "somewhere")
    for name in ("schools.csv", "schools.xlsx"):
        assert read_directory(saved(tmp_path / name, table)).rows == (row,)


def test_numbers_in_a_workbook_are_texts(tmp_path: Path) -> None:
    table: Table = [
        ["Название", "Муниципалитет", "Код"],
        ["СОШ № 1", "Заречный район", 17.0],
        [None, None, None],
    ]
    assert read_directory(saved(tmp_path / "a.xlsx", table)).rows[0].code == "17"


def test_the_written_example_comes_back(tmp_path: Path) -> None:
    write_directory(MADE_UP, tmp_path / "a.csv")
    assert read_directory(tmp_path / "a.csv").rows == MADE_UP


FAULTS: list[tuple[Table, list[str]]] = [
    ([["Название"], ["СОШ № 1"]], ["строка 1: нет столбца «Муниципалитет»"]),
    ([["Название", "Муниципалитет", "Директор"]], ["строка 1: неизвестный столбец «Директор»"]),
    ([["Название", "name", "Муниципалитет"]], ["строка 1: столбец «Название» записан дважды"]),
    ([*PLAIN, ["", "Заречный район"]], ["строка 4: столбец «Название»: пусто"]),
    ([*PLAIN, ["СОШ № 3", None]], ["строка 4: столбец «Муниципалитет»: пусто"]),
    ([*PLAIN, ["—!", "Заречный район"]], ["строка 4: столбец «Название»: нет ни одной буквы"]),
    (
        [*PLAIN, [], ["сош  №1", "Заречный Район"]],
        ["строка 5: столбец «Название»: эта школа уже есть в строке 2"],
    ),
    ([*PLAIN, ["а" * 201, "Заречный район"]], ["строка 4: столбец «Название»: длиннее 200 знаков"]),
    ([*PLAIN, ["=A2", "Заречный район"]], ["строка 4: столбец «Название»: формула, а нужен текст"]),
    ([*PLAIN, ["СОШ № 3", "Заречный район", "лишнее"]], ["строка 4: ячейка «лишнее» стоит вне столбцов"]),
    ([PLAIN[0]], ["нет ни одной школы"]),
    ([], ["нет столбца «Название»", "нет столбца «Муниципалитет»"]),
    (
        [["Название", "Муниципалитет", "Код"], ["А", "Б", "x"], ["В", "Б", "X"]],
        ["строка 3: столбец «Код»: код «X» уже есть в строке 2"],
    ),
    (
        [["Название", "Муниципалитет", "Псевдонимы"], ["А", "Б", "|".join(map(str, range(21)))]],
        ["строка 2: столбец «Псевдонимы»: больше 20"],
    ),
    ([*PLAIN, ["", "Б"], ["=1", "Б"]], ["строка 4: столбец «Название»", "строка 5: столбец «Название»"]),
]


@pytest.mark.parametrize("name", ["schools.csv", "schools.xlsx"])
@pytest.mark.parametrize(("table", "wanted"), FAULTS)
def test_every_fault_has_its_file_row_and_column(
    tmp_path: Path, name: str, table: Table, wanted: list[str]
) -> None:
    told = complaints(saved(tmp_path / name, table))
    assert len(told) == len(wanted)
    for line, part in zip(told, wanted, strict=True):
        assert line.startswith(name)
        assert part in line


def test_of_many_faults_the_first_twenty_are_told(tmp_path: Path) -> None:
    table: Table = [PLAIN[0], *([["", "Заречный район"]] * 25)]
    told = complaints(saved(tmp_path / "a.csv", table))
    assert len(told) == 21
    assert told[-1] == "И ещё замечаний: 5."


def bomb(path: Path) -> None:
    path.write_bytes(b"a;" * (LARGEST_CSV // 2 + 1))


@pytest.mark.parametrize(
    ("name", "spoil", "wanted"),
    [
        ("a.pdf", lambda path: path.write_text("x"), "неизвестный вид файла"),
        ("a.csv", lambda path: None, "такого файла нет"),  # noqa: ARG005 - nothing is written
        ("a.xlsx", lambda path: path.write_text("Название,Муниципалитет"), "это не книга Excel"),
        ("a.csv", lambda path: saved(path.with_suffix(".xlsx"), PLAIN).rename(path), "это не таблица CSV"),
        ("a.csv", lambda path: path.write_bytes(b"\x98\xff\xfe"), "буквы не прочитать"),
        ("a.csv", lambda path: path.write_text("Название;Район", encoding="utf-16"), "это не таблица CSV"),
        ("a.csv", lambda path: path.write_text('Название;Муниципалитет\n"А;Б\nВ;Г'), "кавычка не закрыта"),
        ("a.csv", bomb, "слишком большой"),
    ],
)  # fmt: skip
def test_what_is_no_spreadsheet_is_said_so(
    tmp_path: Path, name: str, spoil: Callable[[Path], object], wanted: str
) -> None:
    path = tmp_path / name
    spoil(path)
    (told,) = complaints(path)
    assert told.startswith(name)
    assert wanted in told


def test_a_date_in_a_workbook_is_no_name(tmp_path: Path) -> None:
    table = [*PLAIN, [date(2026, 11, 22), "Заречный район"]]
    (told,) = complaints(saved(tmp_path / "a.xlsx", table))
    assert "строка 4: столбец «Название»: дата или время, а нужен текст" in told


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("a.csv", "a.xlsx"):
        path = folder / name
        path.write_bytes("Название;Муниципалитет\n".encode() * (name == "a.csv") + content)
        try:
            read_directory(path)
        except DirectoryError:
            continue
