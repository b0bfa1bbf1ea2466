"""In the morning each desk learns what waits there; the ministry learns where nobody answers."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from faq.markup import plain
from handlers.knowledge import Knowledge
from handlers.messages import Address
from handlers.ministry import digest
from storage import groups, people, staff
from storage.database import Database
from storage.schools import School
from storage.ticket import Desk as Place
from tests.handlers.desk import Someone
from tests.handlers.timekeeping import Office, said


@pytest.fixture
async def office(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield Office(database, knowledge)
    await database.close()


async def morning(office: Office, someone: Someone) -> list[str]:
    """What somebody hears when the digests are sent now."""
    before = len(someone.heard)
    await office.send_digests()
    return said(someone, since=before)


async def test_a_school_hears_in_the_morning_what_waits(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent, other = await office.desk.parent(), await office.desk.parent("Ольга")
    await office.is_now("2026-09-02 10:00")
    answered = await office.asks(parent, school)
    await admin.says("Смотрю", ticket_id=answered)
    await office.is_now("2026-09-02 17:00")
    await office.asks(other, school)
    await office.is_now("2026-09-03 09:00")
    (told,) = await morning(office, admin)
    assert told.splitlines() == [
        "Вопросы на 3 сентября · Лицей № 35",
        "",
        "Ждут ответа: 1",
        "Просроченных нет",
        "Новые: 2",
    ]
    (buttons,) = admin.heard[-1].buttons
    assert [(each.label, each.payload) for each in buttons] == [
        ("Новые", "list:new"),
        ("Просроченные", "list:overdue"),
    ]


async def test_a_school_with_nothing_to_do_is_left_in_peace(office: Office) -> None:
    admin = await office.admin(await office.school())
    await office.is_now("2026-09-02 09:00")
    assert await morning(office, admin) == []


async def test_the_digest_comes_once_a_day(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 17:00")
    await office.asks(parent, school)
    await office.is_now("2026-09-03 09:00")
    assert len(await morning(office, admin)) == 1
    await office.is_now("2026-09-03 09:01")
    assert await morning(office, admin) == []
    await office.is_now("2026-09-03 17:00")
    assert await morning(office, admin) == []
    await office.is_now("2026-09-04 09:00")
    assert len(await morning(office, admin)) == 1


async def test_no_digest_before_opening_after_closing_or_on_a_day_off(office: Office) -> None:
    school = await office.school(hours="пн–пт 8:30–17:00")
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-04 16:00")  # Friday
    await office.asks(parent, school)
    for moment in ("2026-09-04 17:00", "2026-09-05 10:00", "2026-09-06 10:00", "2026-09-07 08:29"):
        await office.is_now(moment)
        assert await morning(office, admin) == [], moment
    await office.is_now("2026-09-07 08:30")
    (told,) = await morning(office, admin)
    assert "Новые: 1" in told


async def test_on_monday_what_came_since_fridays_digest_is_new(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent, other = await office.desk.parent(), await office.desk.parent("Ольга")
    await office.is_now("2026-09-03 17:00")
    await office.asks(parent, school)
    await office.is_now("2026-09-04 09:00")
    await office.send_digests()
    await office.is_now("2026-09-04 16:00")
    await office.asks(other, school)
    await office.is_now("2026-09-07 09:00")
    (told,) = await morning(office, admin)
    assert "Ждут ответа: 2" in told
    assert "Новые: 1" in told


async def test_a_house_switched_on_late_sends_what_it_missed_only_in_working_hours(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent, other = await office.desk.parent(), await office.desk.parent("Ольга")
    await office.is_now("2026-09-01 17:00")
    await office.asks(parent, school)
    await office.is_now("2026-09-02 14:20")
    assert len(await morning(office, admin)) == 1
    await office.asks(other, school)
    await office.is_now("2026-09-03 21:00")
    assert await morning(office, admin) == []


async def test_a_desk_round_the_clock_has_its_morning_too(office: Office) -> None:
    school = await office.school(hours="ежедневно круглосуточно")
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-01 17:00")
    await office.asks(parent, school)
    await office.is_now("2026-09-02 00:05")
    assert await morning(office, admin) == []
    await office.is_now("2026-09-02 06:00")
    assert len(await morning(office, admin)) == 1


async def test_a_school_that_was_closed_learns_in_the_morning_what_went_up(office: Office) -> None:
    school = await office.school(hours="пн–пт 9:00–13:00")
    admin = await office.admin(school)
    await office.coordinator()
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 09:00")
    number = await office.asks(parent, school)  # due at 13:00, when the school closes
    await office.is_now("2026-09-02 13:00")
    before = len(admin.heard)
    await office.look()
    assert (await office.ticket(number)).level == "municipal"
    assert len(admin.heard) == before
    await office.is_now("2026-09-03 09:00")
    (told,) = await morning(office, admin)
    assert told.splitlines()[-1] == f"Срок прошёл, переданы выше: № {number}"
    await office.is_now("2026-09-04 09:00")
    assert await morning(office, admin) == []


async def test_a_group_reads_the_digest_of_its_desk_instead_of_each_member(office: Office) -> None:
    school = await office.school()
    admin, room = await office.admin(school), office.desk.room()
    await _registers(office, room.address, school, staff_id=(await office.member(admin)).id)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 17:00")
    await office.asks(parent, school)
    await office.is_now("2026-09-03 09:00")
    before = len(room.heard)
    assert await morning(office, admin) == []
    assert len(room.heard) == before + 1


async def _registers(office: Office, address: Address, school: School, *, staff_id: int) -> None:
    async with office.database.transaction() as tx:
        await groups.register(
            tx,
            channel=address.channel,
            chat_id=address.chat_id,
            title="Лицей",
            desk=Place("school", school.id, school.municipality),
            has_topics=False,
            staff_id=staff_id,
            now=office.clock.now(),
        )


async def test_the_ministry_hears_every_working_day_even_of_nothing(office: Office) -> None:
    operator = await office.desk.colleague("Ирина")
    await office.is_now("2026-09-02 09:00")
    (told,) = await morning(office, operator)
    assert told.splitlines() == [
        "Сводка на 2 сентября",
        "",
        "У вас:",
        "Ждут ответа: 0",
        "Просроченных нет",
        "Новые: 0",
        "",
        "Во всём регионе:",
        "Открыты: 0",
        "Ждут ответа: 0",
        "Просроченных нет",
        "Новые: 0",
    ]
    await office.is_now("2026-09-05 10:00")  # Saturday
    assert await morning(office, operator) == []


async def test_the_ministry_sees_the_region_and_a_coordinator_only_the_municipality(office: Office) -> None:
    lyceum = await office.school()
    gymnasium = await office.school("Гимназия № 2", municipality="Адыгейск")
    await office.admin(lyceum)
    await office.admin(gymnasium, "Вера")
    coordinator, operator = await office.coordinator(), await office.desk.colleague("Ирина")
    parents = [await office.desk.parent(name) for name in ("Анна", "Ольга", "Нина")]
    await office.is_now("2026-09-02 10:00")
    late = await office.asks(parents[0], gymnasium)
    await office.is_now("2026-09-02 17:30")
    await office.asks(parents[1], lyceum)
    await office.asks(parents[2], None)
    await office.is_now("2026-09-03 09:00")

    before = len(coordinator.heard)
    (told,) = await morning(office, operator)
    lines = told.splitlines()
    assert lines[2:6] == ["У вас:", "Ждут ответа: 1", "Просроченных нет", "Новые: 1"]
    assert lines[7:12] == ["Во всём регионе:", "Открыты: 3", "Ждут ответа: 3", "Просрочены: 1", "Новые: 3"]
    of_places = lines[lines.index("По муниципалитетам:") + 1 :][:3]
    assert [line.strip("—•- ") for line in of_places] == [
        "Адыгейск: открыты 1, ждут 1, просрочены 1",
        "Майкоп: открыты 1, ждут 1, просрочены 0",
        "не назван: открыты 1, ждут 1, просрочены 0",
    ]
    assert f"№ {late} · Гимназия № 2: срок был ср 2 сентября, 14:00" in told

    (of_coordinator,) = said(coordinator, since=before)
    assert of_coordinator.startswith("Сводка на 3 сентября · Майкоп")
    assert "Во всём муниципалитете:\nОткрыты: 1\n" in of_coordinator
    assert "Гимназия" not in of_coordinator
    assert "Адыгейск" not in of_coordinator


async def test_schools_where_nobody_answers_are_named_with_the_reason(office: Office) -> None:
    operator, coordinator = await office.desk.colleague("Ирина"), await office.coordinator()
    alone, invited, blocked, silent, living, distant = [
        await office.school(name, municipality=place)
        for name, place in (
            ("Школа № 1", "Майкоп"),
            ("Школа № 2", "Майкоп"),
            ("Школа № 3", "Майкоп"),
            ("Школа № 4", "Майкоп"),
            ("Школа № 5", "Майкоп"),
            ("Школа № 6", "Адыгейск"),
        )
    ]
    assert alone.id != distant.id
    await _invites(office, invited)
    gone = await office.admin(blocked, "Вера")
    await office.admin(silent, "Нина")
    lively = await office.admin(living, "Мария")
    async with office.database.transaction() as tx:
        await people.set_unreachable(tx, gone.address.channel, gone.address.chat_id, "blocked")
    parent, other = await office.desk.parent(), await office.desk.parent("Ольга")
    await office.is_now("2026-09-02 10:00")
    await office.asks(parent, silent)
    await office.is_now("2026-09-07 10:00")
    await lively.says("/help")  # heard of within the last days; the other one was not since the first
    await office.asks(other, living)
    await office.is_now("2026-09-16 10:00")
    before = len(coordinator.heard)
    (told,) = await morning(office, operator)
    told = told[told.index("Школы, где") :]
    assert [line.strip("—•- ") for line in told.splitlines()] == [
        # The invitation is a week old by now, and no longer valid.
        "Школы, где некому ответить: 5",
        "никто не приглашён (3): Школа № 6, Адыгейск, Школа № 1, Майкоп, Школа № 2, Майкоп",
        "сообщения ни до кого не доходят (1): Школа № 3, Майкоп",
        "давно молчат, а вопросы ждут (1): Школа № 4, Майкоп (открытых вопросов: 1)",
    ]
    (of_coordinator,) = said(coordinator, since=before)
    assert "Школы, где некому ответить: 4" in of_coordinator
    assert "никто не приглашён (2): Школа № 1, Школа № 2" in of_coordinator


async def _invites(office: Office, school: School) -> None:
    async with office.database.transaction() as tx:
        await staff.invite(
            tx,
            token_hash="0" * 64,
            role="school",
            school_id=school.id,
            municipality=None,
            now=office.clock.now(),
            expires_at=office.clock.now() + timedelta(days=7),
        )


async def test_an_invitation_that_still_holds_is_no_neglect(office: Office) -> None:
    operator = await office.desk.colleague("Ирина")
    await _invites(office, await office.school())
    await office.is_now("2026-09-02 09:00")
    (told,) = await morning(office, operator)
    assert "приглашение ещё не принято (1): Лицей № 35, Майкоп" in told


async def test_a_group_is_alive_although_its_members_cannot_be_written_to_alone(office: Office) -> None:
    operator = await office.desk.colleague("Ирина")
    school = await office.school()
    admin, room = await office.admin(school), office.desk.room()
    async with office.database.transaction() as tx:
        await people.set_unreachable(tx, admin.address.channel, admin.address.chat_id, "blocked")
    await office.is_now("2026-09-02 09:00")
    assert "сообщения ни до кого не доходят" in (await morning(office, operator))[0]
    await _registers(office, room.address, school, staff_id=(await office.member(admin)).id)
    await office.is_now("2026-09-03 09:00")
    assert "некому ответить" not in (await morning(office, operator))[0]


async def test_many_schools_are_counted_and_the_first_ones_named(office: Office) -> None:
    operator = await office.desk.colleague("Ирина")
    for number in range(20):
        await office.school(f"Школа № {number}")
    await office.is_now("2026-09-02 09:00")
    (told,) = await morning(office, operator)
    assert "никто не приглашён (20)" in told
    assert told.endswith("и ещё 12")
    assert len(told) < 4096


async def test_a_name_with_markup_in_it_is_shown_as_it_is(office: Office) -> None:
    operator = await office.desk.colleague("Ирина")
    await office.school("Школа **звёзд** [и](х)")
    await office.is_now("2026-09-02 09:00")
    await office.send_digests()
    assert "Школа **звёзд** [и](х)" in plain(operator.heard[-1].text)


async def test_two_processes_send_one_digest(
    database: Database, database_url: str, knowledge: Knowledge
) -> None:
    office, other = Office(database, knowledge), Database(database_url)
    school = await office.school()
    admin, operator = await office.admin(school), await office.desk.colleague("Ирина")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    await office.asks(parent, school)
    await office.is_now("2026-09-03 09:00")
    before = len(admin.heard), len(operator.heard)
    await asyncio.gather(
        *(digest.send_due(each, knowledge, now=office.clock.now) for each in (database, other, database))
    )
    await office.hears()
    assert (len(admin.heard), len(operator.heard)) == (before[0] + 1, before[1] + 1)
    # What stands in it was counted by this database, too.
    assert "Просрочены: 1" in said(admin)[-1]
    assert "По муниципалитетам:" in said(operator)[-1]
    await other.close()
