"""`helpdesk forget` in a terminal."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.channels.files import Files
from handlers.staff import membership as deeds
from storage import conversations, people, staff
from storage.conversations import StoredAttachment
from storage.database import Database
from storage.people import Person

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
MARK = "Кузнечикова"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, and no .env nearby."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(folder))
    return folder


def forget(who: str) -> Result:
    result = CliRunner().invoke(app, ["forget", who])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


async def _talk(data: Path) -> Person:
    database = Database(f"sqlite:///{data / 'helpdesk.db'}")
    await database.migrate()
    ref = await Files(data / "files").keep(MARK.encode())
    photo = StoredAttachment(0, "photo", "a.jpg", "image/jpeg", 1, "web", ref)
    async with database.transaction() as tx:
        person = await people.meet(tx, "telegram", "10", name=MARK, now=NOW)
        talk = await conversations.of_person(tx, person.id, now=NOW)
        await conversations.add_message(tx, talk.id, author="person", text=MARK, now=NOW, files=[photo])
    await database.close()
    return person


async def _hire(data: Path, person: Person) -> None:
    database = Database(f"sqlite:///{data / 'helpdesk.db'}")
    async with database.transaction() as tx:
        made = await deeds.invite(tx, role="owner", school_id=None, municipality=None, now=NOW)
        invitation = await deeds.find_invitation(tx, made.token, now=NOW)
        assert invitation is not None
        await staff.join(tx, person.id, invitation=invitation, name="Мария", now=NOW)
    await database.close()


def test_a_person_is_forgotten_with_files_and_bytes(data: Path) -> None:
    asyncio.run(_talk(data))
    assert MARK.encode() in b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    done = forget("telegram:10")
    assert done.exit_code == 0
    assert done.stdout.strip() == (
        "Забыто: сообщений 1, файлов 1, отправленного 0, детей 0. Вопросов осталось числами: 0."
    )
    left = b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    assert MARK.encode() not in left
    assert json.dumps(MARK)[1:-1].encode() not in left
    assert [path for path in (data / "files").rglob("*") if path.is_file()] == []


def test_an_unknown_person_is_said_so(data: Path) -> None:
    asyncio.run(_talk(data))
    assert forget("telegram:10").exit_code == 0
    again = forget("telegram:10")
    assert again.exit_code == 1
    assert again.stderr.strip() == "Человека telegram:10 нет: он не писал или уже забыт."


@pytest.mark.parametrize("who", ["", "10", "telegram", "telegram:", "icq:10", f"vk:{'1' * 65}"])
def test_bad_input_is_one_sentence(who: str) -> None:
    refused = forget(who)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Укажите человека как КАНАЛ:НОМЕР")
    assert len(refused.stderr.strip().splitlines()) == 1


def test_staff_are_not_forgotten(data: Path) -> None:
    person = asyncio.run(_talk(data))
    asyncio.run(_hire(data, person))
    refused = forget("telegram:10")
    assert refused.exit_code == 1
    assert "Сначала отзовите доступ сотрудника" in refused.stderr
