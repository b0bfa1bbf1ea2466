"""`helpdesk campaign`, as an operator types it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.clock import SystemClock
from storage import people, staff
from storage.campaigns import book
from storage.campaigns.campaign import Campaign
from storage.database import Database
from storage.staff import Invitation

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data of its own, and no .env nearby."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def helpdesk(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["campaign", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


def database(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'data' / 'helpdesk.db'}")


def people_there(folder: Path, count: int) -> None:
    """So many subscribers, and one member of the ministry with the number 1."""

    async def add() -> None:
        opened = database(folder)
        async with opened.transaction() as tx:
            for number in range(count):
                await people.meet(tx, "telegram", str(100 + number), name="", now=NOW)
            person = await people.meet(tx, "vk", "7", name="Ольга", now=NOW)
            invited = Invitation(0, "ministry", None, None, NOW, NOW, NOW, None)
            await staff.join(tx, person.id, invitation=invited, name="Ольга", now=NOW)
        await opened.close()

    asyncio.run(add())


def stored(folder: Path, number: int) -> Campaign:
    async def look() -> Campaign | None:
        opened = database(folder)
        async with opened.reading() as tx:
            found = await book.find(tx, number)
        await opened.close()
        return found

    found = asyncio.run(look())
    assert found is not None
    return found


def written(folder: Path, text: str) -> str:
    path = folder / "campaign.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_campaign_from_its_file_to_its_start(folder: Path) -> None:
    assert "Объявлений пока нет" in helpdesk("list").stdout
    people_there(folder, 2)
    (folder / "plan.jpg").write_bytes(b"\xff\xd8\xff picture")
    tomorrow = SystemClock().now() + timedelta(days=2)
    file = written(
        folder,
        "title: Проверьте вход\n"
        "category: important\n"
        "text: '**Проверьте** вход {школа}'\n"
        "buttons:\n"
        "  - {label: Нужна помощь, kind: help}\n"
        f"schedule: '{tomorrow:%d.%m.%Y} 10:00'\n"
        "files: [plan.jpg]\n",
    )
    assert "Черновик № 1" in helpdesk("create", file).stdout
    assert stored(folder, 1).attachments[0]["kind"] == "photo"
    assert "Сначала проверьте" in helpdesk("start", "1", code=2).stderr
    checked = helpdesk("check", "1").stdout
    assert "Получателей: 2." in checked
    assert "Ошибок нет" in checked
    assert "никто не видел" in helpdesk("start", "1", code=2).stderr
    assert "Сотрудника с номером 9 нет" in helpdesk("test", "1", "--to", "9", code=2).stderr
    assert "отправлено сотруднику 1" in helpdesk("test", "1", "--to", "1").stdout
    assert "запланировано" in helpdesk("start", "1").stdout
    assert "уже запланировано" in helpdesk("start", "1", code=2).stderr
    shown = helpdesk("show", "1").stdout
    assert "Когда: " in shown
    assert "ждёт своего времени" in shown
    assert "Проверьте вход" in helpdesk("list").stdout

    assert "на паузе" in helpdesk("pause", "1").stdout
    assert "продолжается" in helpdesk("resume", "1").stdout
    assert "остановлено" in helpdesk("stop", "1").stdout
    assert "уже закончено" in helpdesk("stop", "1", code=2).stderr
    assert "уже закончено" in helpdesk("retry", "1", code=2).stderr
    assert "записан" in helpdesk("report", "1", "--out", "report.xlsx").stdout
    assert openpyxl.load_workbook("report.xlsx").sheetnames == ["Кому не дошло", "Итог"]


def test_the_owner_approves_what_others_wrote_and_never_their_own(folder: Path) -> None:
    helpdesk("list")
    people_there(folder, 501)
    assert "№ 1" in helpdesk("create", "--ready", "check_sign_in").stdout
    assert "второго человека" in helpdesk("check", "1").stdout
    helpdesk("test", "1", "--to", "1")
    assert "должен согласовать" in helpdesk("start", "1", code=2).stderr
    assert "ждёт согласования" in helpdesk("ask", "1").stdout
    assert "Своё объявление" in helpdesk("approve", "1", code=2).stderr


def test_the_brake_is_pulled_and_released(folder: Path) -> None:
    helpdesk("list")
    people_there(folder, 1)
    helpdesk("create", "--ready", "check_sign_in")
    helpdesk("check", "1")
    helpdesk("test", "1", "--to", "1")
    assert "не нажат" in helpdesk("brake", "--release", code=2).stderr
    assert "Стоп-кран нажат" in helpdesk("brake").stdout
    assert "Нажат стоп-кран" in helpdesk("list").stdout
    assert "отпустите" in helpdesk("start", "1", code=2).stderr
    assert "Само ничего не продолжится" in helpdesk("brake", "--release").stdout
    assert "запланировано" in helpdesk("start", "1").stdout


def test_a_fault_is_one_sentence_and_leaves_nothing_behind(folder: Path) -> None:
    for text, said in (
        ("title: A\ncategory: party\ntext: B\n", "вид объявления"),
        ("title: A\ncategory: news\ntext: ''\n", "text пишется текстом"),
        ("title: A\ncategory: news\ntext: B\nbutons: []\n", "неизвестные ключи butons"),
        ("title: A\ncategory: news\ntext: B\naudience: {stages: [lost]}\n", "«lost» в поле stages"),
        ("title: A\ncategory: news\ntext: B\naudience: {municipalities: [Нигде]}\n", "нет в справочнике"),
        ("title: A\ncategory: news\ntext: B\naudience: {school_ids: [7]}\n", "Школы с номером 7 нет"),
        ("title: A\ncategory: news\ntext: B\naudience: {topics: [nothing]}\n", "Темы «nothing» в базе нет"),
        ("title: A\ncategory: news\ntext: B\nschedule: когда-нибудь\n", "Непонятно, когда"),
        ("title: A\ncategory: news\ntext: B\nfiles: [nowhere.pdf]\n", "не прочесть"),
        ("- A\n", "нужны пары"),
    ):
        error = helpdesk("create", written(folder, text), code=2).stderr
        assert said in error, error
        assert len(error.strip().splitlines()) == 1
    helpdesk("create", "nowhere.yaml", code=2)
    assert "есть under14" in helpdesk("create", "--ready", "nothing", code=2).stderr
    assert "Укажите файл" in helpdesk("create", code=2).stderr
    assert "Объявлений пока нет" in helpdesk("list").stdout
    assert "Такого объявления нет" in helpdesk("check", "5", code=2).stderr
    assert "записывается в .xlsx" in helpdesk("report", "5", "--out", "a.txt", code=2).stderr


def test_a_check_with_errors_fails_and_says_what_to_mend(folder: Path) -> None:
    helpdesk("create", written(folder, "title: A\ncategory: news\ntext: '**Ой {школы}'\n"))
    said = helpdesk("check", "1", code=1).stdout
    assert "Ошибка: Выделение жирным" in said
    assert "Ошибка: Подстановки «{школы}» нет" in said
    assert "Ошибка: Сейчас это объявление не получит никто" in said
    assert "under14" in helpdesk("ready").stdout
