"""`helpdesk schools` and the staff's commands about schools, as an operator types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data of its own, and no .env nearby."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def helpdesk(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


def table(folder: Path, *lines: str) -> str:
    path = folder / "schools.csv"
    path.write_text("\n".join(["Название;Муниципалитет;Код", *lines]), encoding="utf-8")
    return str(path)


def test_a_directory_is_imported_looked_at_and_imported_again(folder: Path) -> None:
    first = table(folder, "СОШ № 1;Майкоп;one", "Лицей № 35;Майкоп;")
    looked = helpdesk("schools", "import", first, "--dry-run").stdout
    assert "Новые: 2" in looked
    assert "справочник не изменён" in looked
    assert "Школ пока нет" in helpdesk("schools", "list").stdout

    assert "Справочник обновлён" in helpdesk("schools", "import", first).stdout
    listed = helpdesk("schools", "list", "--municipality", "майкоп").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["ID", "2", "1"]
    assert len({line.index("Майкоп") for line in listed[1:]}) == 1

    second = table(folder, "СОШ № 1 имени Рябинкиной;Майкоп;one", "Гимназия № 22;Майкоп;")
    told = helpdesk("schools", "import", second, "--yes").stdout
    for words in ("Новые: 1", "Изменены: 1", "Без изменений: 0", "Нет в файле, остаются: 1", "Лицей № 35"):
        assert words in told
    assert "название: «СОШ № 1» → «СОШ № 1 имени Рябинкиной»" in told
    assert "Лицей № 35" in helpdesk("schools", "list").stdout
    helpdesk("schools", "import", second, "--close-missing")
    assert "Лицей № 35" not in helpdesk("schools", "list").stdout
    assert "Менять нечего" in helpdesk("schools", "import", second).stdout


def test_a_fault_names_file_row_and_column_and_changes_nothing(folder: Path) -> None:
    wrong = table(folder, "СОШ № 1;Майкоп;one", ";Майкоп;two")
    said = helpdesk("schools", "import", wrong, code=2).stderr
    assert "schools.csv, строка 3: столбец «Название»" in said
    wrong = table(folder, "СОШ № 1;Майкоп;код один")
    assert "schools.csv: «СОШ № 1», Майкоп: код" in helpdesk("schools", "import", wrong, code=2).stderr
    assert "нет: проверьте путь" in helpdesk("schools", "import", "nowhere.csv", code=2).stderr
    assert "Школ пока нет" in helpdesk("schools", "list").stdout


def test_a_made_up_directory_says_what_it_is() -> None:
    assert "таких школ нет" in helpdesk("schools", "demo", "demo.csv", "--count", "30").stdout
    assert "вымышленный" in helpdesk("schools", "import", "demo.csv").stdout
    assert "уже есть" in helpdesk("schools", "demo", "demo.csv", code=2).stderr
    assert ".csv" in helpdesk("schools", "demo", "demo.txt", code=2).stderr


def test_posters_are_printed_for_one_school_and_for_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_PUBLIC_URL", "https://help.test")
    helpdesk("schools", "import", table(folder, "СОШ № 1;Майкоп;one", "СОШ № 2;Майкоп;two"))
    assert "Плакатов: 1" in helpdesk("schools", "poster", "1", "--out", "one.pdf").stdout
    assert "Плакатов: 2" in helpdesk("schools", "poster", "--all", "--out", "all.pdf").stdout
    assert (folder / "all.pdf").read_bytes().startswith(b"%PDF")
    assert "Школы с номером 9 нет" in helpdesk("schools", "poster", "9", "--out", "x.pdf", code=2).stderr
    assert "Укажите номер школы" in helpdesk("schools", "poster", "--out", "x.pdf", code=2).stderr
    assert not (folder / "x.pdf").exists()


def test_a_poster_without_any_link_is_not_printed(folder: Path) -> None:
    helpdesk("schools", "import", table(folder, "СОШ № 1;Майкоп;one"))
    assert "нечего печатать" in helpdesk("schools", "poster", "1", "--out", "x.pdf", code=2).stderr


def test_staff_are_invited_to_schools_and_municipalities_of_the_directory(folder: Path) -> None:
    assert (
        "загрузите справочник"
        in helpdesk("staff", "invite", "--role", "municipal", "--municipality", "Майкоп", code=2).stderr
    )
    helpdesk("schools", "import", table(folder, "СОШ № 1;город Майкоп;one"))
    wrong = helpdesk("staff", "invite", "--role", "municipal", "--municipality", "Майкоп", code=2)
    assert "Похоже на: «город Майкоп»" in wrong.stderr
    assert (
        "Школы с номером 7 нет"
        in helpdesk("staff", "invite", "--role", "school", "--school", "7", code=2).stderr
    )
    assert "назовите её" in helpdesk("staff", "invite", "--role", "school", code=2).stderr
    made = helpdesk("staff", "invite", "--role", "school", "--school", "1").stdout
    assert "СОШ № 1, город Майкоп" in made
    assert "/panel/join/" in made
    assert "СОШ № 1, город Майкоп" in helpdesk("staff", "list").stdout
