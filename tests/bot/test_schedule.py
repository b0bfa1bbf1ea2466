"""What ticks: the old goes at night, what forgetting leaves goes at once; nothing is lost by a crash."""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.channels.files import Files
from bot.schedule import delete_old, erase, scheduler
from bot.settings import Settings, SettingsError, load
from storage import conversations, forgetting, people, tickets
from storage.conversations import StoredAttachment
from storage.database import Database
from storage.people import Person
from storage.ticket import Matter
from tests.clock import StoppedClock


async def say(database: Database, files: Files, now: datetime, *, chat_id: str = "1") -> tuple[Person, Path]:
    """A message with a file that came to us directly."""
    ref = await files.keep(b"photo")
    photo = StoredAttachment(0, "photo", "a.jpg", "image/jpeg", 5, "web", ref)
    async with database.transaction() as tx:
        person = await people.meet(tx, "web", chat_id, name="", now=now)
        talk = await conversations.of_person(tx, person.id, now=now)
        await conversations.add_message(tx, talk.id, author="person", text="а", now=now, files=[photo])
    path = files.path(ref)
    assert path is not None
    return person, path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


async def test_what_is_too_old_goes_at_night_with_its_files(database: Database, files: Files) -> None:
    clock = StoppedClock()
    _, old = await say(database, files, clock.now())
    clock.pass_by(timedelta(days=100))
    person, young = await say(database, files, clock.now())
    clock.pass_by(timedelta(days=81))
    await delete_old(database, files, keep_days=180, clock=clock)
    assert await erase(database, files, clock=clock)
    assert (old.exists(), young.exists()) == (False, True)
    async with database.reading() as tx:
        talk = await conversations.of_person(tx, person.id, now=clock.now())
        assert len(await conversations.history(tx, talk.id)) == 1


async def test_a_portion_lets_the_others_write_in_between(
    database: Database, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "PORTION", 2)
    clock = StoppedClock()
    for _ in range(7):
        person, _ = await say(database, files, clock.now())
    clock.pass_by(timedelta(days=181))
    await asyncio.gather(
        delete_old(database, files, keep_days=180, clock=clock),
        say(database, files, clock.now() + timedelta(days=1)),
    )
    async with database.reading() as tx:
        talk = await conversations.of_person(tx, person.id, now=clock.now())
        assert len(await conversations.history(tx, talk.id)) == 1


async def test_a_closed_question_becomes_a_number(database: Database, files: Files) -> None:
    clock = StoppedClock()
    person, _ = await say(database, files, clock.now())
    async with database.transaction() as tx:
        talk = await conversations.of_person(tx, person.id, now=clock.now())
        opened = [
            await tickets.open_ticket(
                tx,
                person_id=person.id,
                conversation_id=talk.id,
                matter=Matter(reason="asked", topic=None, tried=(), school="школа 5"),
                now=clock.now(),
            )
            for _ in range(2)
        ]
        await tickets.close(tx, opened[0].id, now=clock.now())
    clock.pass_by(timedelta(days=181))
    await delete_old(database, files, keep_days=180, clock=clock)
    async with database.reading() as tx:
        kept = [await tickets.find(tx, each.id) for each in opened]
    assert [(each.person_id, each.school) for each in kept if each] == [(0, ""), (person.id, "школа 5")]


async def test_files_of_a_forgotten_person_go_though_we_died_after_the_commit(
    database: Database, files: Files
) -> None:
    clock = StoppedClock()
    person, path = await say(database, files, clock.now())
    _, neighbours = await say(database, files, clock.now(), chat_id="2")
    async with database.transaction() as tx:
        await forgetting.forget(tx, person, now=clock.now())
    assert path.exists()
    # The next start, and one that died before it could take the file off the list.
    path.unlink()
    assert await erase(database, files, clock=clock)
    assert neighbours.exists()
    async with database.reading() as tx:
        assert await forgetting.leftovers_waiting(tx, now=clock.now()) == []
        assert len(await forgetting.leftovers_waiting(tx, now=clock.now() + timedelta(days=2))) == 1
    clock.pass_by(timedelta(days=2))
    assert await erase(database, files, clock=clock)


async def test_a_fetched_copy_goes_too(database: Database, files: Files, tmp_path: Path) -> None:
    clock = StoppedClock()
    async with database.transaction() as tx:
        person = await people.meet(tx, "telegram", "1", name="", now=clock.now())
        talk = await conversations.of_person(tx, person.id, now=clock.now())
        photo = StoredAttachment(0, "photo", "a.jpg", "image/jpeg", 5, "telegram", "file-id")
        await conversations.add_message(tx, talk.id, author="person", text="", now=clock.now(), files=[photo])
    copy = await fetched(files, tmp_path)
    async with database.transaction() as tx:
        await forgetting.forget(tx, person, now=clock.now())
    assert await erase(database, files, clock=clock)
    assert not copy.exists()


async def fetched(files: Files, tmp_path: Path) -> Path:
    """Where the store keeps the copy of a file that lies in its messenger."""
    ref = hashlib.sha256(b"telegram:file-id").hexdigest()[:32]
    path = tmp_path / "files" / ref[:2] / ref
    path.parent.mkdir(parents=True)
    path.write_bytes(b"copy")
    assert files.path(ref) == path
    return path


async def test_a_file_that_belongs_to_nothing_goes_when_it_is_old(database: Database, files: Files) -> None:
    clock = StoppedClock()
    stray, fresh = [files.path(await files.keep(b"never committed")) for _ in range(2)]
    _, kept = await say(database, files, clock.now() + timedelta(days=365))
    assert stray is not None
    assert fresh is not None
    long_ago = (clock.now() - timedelta(days=181)).timestamp()
    for path in (stray, kept):
        os.utime(path, (long_ago, long_ago))
    await delete_old(database, files, keep_days=180, clock=clock)
    assert (stray.exists(), fresh.exists(), kept.exists()) == (False, True, True)


async def test_the_nightly_job_is_on_the_clock(database: Database, files: Files) -> None:
    async def nothing() -> bool:
        return False

    ticks = scheduler(
        database,
        files,
        refresh=nothing,
        improve=nothing,
        launch=nothing,
        keep_days=180,
        clock=StoppedClock(),
        deeds={"first": nothing, "second": nothing},
    )
    triggers = sorted(type(job.trigger).__name__ for job in ticks.get_jobs())
    assert triggers == ["CronTrigger", "DateTrigger", *["IntervalTrigger"] * 7]


def test_what_is_kept_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Settings().keep_days == 180
    monkeypatch.setenv("HELPDESK_KEEP_DAYS", "29")
    with pytest.raises(SettingsError, match="HELPDESK_KEEP_DAYS: нужно число не меньше 30"):
        load(env_file=tmp_path / ".env")
    monkeypatch.setenv("HELPDESK_KEEP_DAYS", "30")
    assert load(env_file=tmp_path / ".env").keep_days == 30
