"""Every case is answered in time, or goes up; nobody is disturbed at night."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from structlog.testing import capture_logs

from faq.content.region import Deadlines, Region, RegionError, Vacation, load_region
from handlers.cases import calendars, deadlines, moving
from handlers.cases.working_time import WorkingSpan
from handlers.knowledge import Knowledge
from handlers.ministry.overdue import Watch
from handlers.texts import time as texts
from storage import casework, conversations, due, journal, people, staff
from storage.database import Database
from storage.scope import Scope
from storage.tables import outages
from storage.ticket import Desk as Place
from tests.handlers.timekeeping import Office, local, moscow, said

EVERYWHERE = Place("ministry")


@pytest.fixture
async def office(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield Office(database, knowledge)
    await database.close()


@pytest.fixture
def region() -> Region:
    return load_region("adygea")


# How long a desk may take


def test_the_kinds_with_a_time_of_their_own_are_kinds_of_the_tree(knowledge: Knowledge) -> None:
    named = {*deadlines.ANSWER_HOURS_OF, *deadlines.SOLUTION_DAYS_OF}
    assert named <= set(knowledge.tree.tickets)


def test_the_houses_own_default_holds_where_the_region_says_nothing(region: Region) -> None:
    plain = deadlines.spans(region, kind=None, urgent=False)
    assert (plain.answer, plain.solution) == (WorkingSpan.hours(4), WorkingSpan(days=3))
    assert deadlines.spans(region, kind="foreign_child", urgent=True).answer == WorkingSpan.hours(1)
    assert deadlines.spans(region, kind="foreign_child", urgent=True).solution == WorkingSpan(days=1)
    assert deadlines.spans(region, kind="guardian", urgent=False).solution == WorkingSpan(days=5)


def test_a_region_sets_its_own_deadlines(region: Region) -> None:
    own = Deadlines(
        answer_hours=8, urgent_answer_hours=2, solution_days=7, solution_days_of=(("guardian", 10),)
    )
    region = replace(region, deadlines=own)
    assert deadlines.spans(region, kind=None, urgent=False).answer == WorkingSpan.hours(8)
    assert deadlines.spans(region, kind=None, urgent=True).answer == WorkingSpan.hours(2)
    assert deadlines.spans(region, kind="mismatch", urgent=False).solution == WorkingSpan(days=7)
    assert deadlines.spans(region, kind="guardian", urgent=False).solution == WorkingSpan(days=10)
    # What lies in the matter stays: an outage is many families' at once, foreign data stand open.
    assert deadlines.spans(region, kind="outage", urgent=False).answer == WorkingSpan.hours(2)
    assert deadlines.spans(region, kind="foreign_child", urgent=False).solution == WorkingSpan(days=1)


def _region_file(tmp_path: Path, told: str) -> Path:
    packaged = Path(calendars.__file__).parents[2] / "faq" / "regions" / "adygea.yaml"
    path = tmp_path / "our.yaml"
    path.write_text(packaged.read_text().replace("deadlines: {}", f"deadlines: {told}"))
    return path


def test_deadlines_are_read_from_the_regions_file(tmp_path: Path) -> None:
    told = "{answer_hours: 1.5, solution_days: 4, solution_days_of: {guardian: 6}}"
    read = load_region(_region_file(tmp_path, told)).deadlines
    assert read == Deadlines(answer_hours=1.5, solution_days=4, solution_days_of=(("guardian", 6),))


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ("{answer_hour: 4}", "могут быть только"),
        ("[4]", "могут быть только"),
        ("{answer_hours: 0}", "рабочие часы"),
        ("{answer_hours: да}", "рабочие часы"),
        ("{solution_days: 1.5}", "рабочие дни"),
        ("{solution_days: 400}", "рабочие дни"),
        ("{solution_days_of: 5}", "рабочие дни"),
        ("{solution_days_of: {guardian: много}}", "рабочие дни"),
    ],
)
def test_wrong_deadlines_of_a_region_are_named(tmp_path: Path, told: str, complaint: str) -> None:
    with pytest.raises(RegionError, match=complaint):
        load_region(_region_file(tmp_path, told))


# When it ends


@pytest.mark.parametrize(
    ("asked", "hours", "answer", "solution"),
    [
        ("2026-09-02 10:00", "", "02.09 14:00", "07.09 10:00"),
        ("2026-09-04 17:30", "", "07.09 12:30", "09.09 17:30"),  # on Friday before closing
        ("2026-09-02 23:15", "", "03.09 13:00", "08.09 09:00"),  # at night
        ("2026-11-03 16:00", "", "05.11 11:00", "09.11 16:00"),  # before a public holiday
        ("2026-09-02 11:00", "пн–пт 9:00–13:00, 14:00–18:00", "02.09 16:00", "07.09 11:00"),  # across lunch
        ("2026-09-02 13:20", "пн–пт 9:00–13:00, 14:00–18:00", "02.09 18:00", "07.09 14:00"),  # during lunch
        (
            "2026-09-04 17:30",
            "пн–сб 8:00–12:00",
            "05.09 12:00",
            "09.09 08:00",
        ),  # a school that works on Saturday
    ],
)
async def test_deadlines_count_the_working_time_of_the_school(
    office: Office, asked: str, hours: str, answer: str, solution: str
) -> None:
    school = await office.school(hours=hours)
    await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now(asked)
    ticket = await office.ticket(await office.asks(parent, school))
    assert (local(ticket.answer_due_at), local(ticket.solve_due_at)) == (answer, solution)


async def test_a_question_without_a_school_has_the_ministrys_deadlines(office: Office) -> None:
    await office.desk.colleague()
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    ticket = await office.ticket(await office.asks(parent, None))
    assert (ticket.level, local(ticket.answer_due_at)) == ("ministry", "02.09 14:00")


async def test_a_school_rests_in_its_vacation_and_the_offices_above_do_not(office: Office) -> None:
    school = await office.school(vacations=[("2026-10-26", "2026-11-01")])
    await office.admin(school)
    await office.coordinator()
    parent = await office.desk.parent()
    await office.is_now("2026-10-23 16:00")
    number = await office.asks(parent, school)
    assert local((await office.ticket(number)).answer_due_at) == "02.11 11:00"
    calendar = calendars.calendar_of(office.knowledge.region, None)
    assert calendar.is_open(moscow("2026-10-27 12:00"))


async def test_hours_that_nobody_understands_are_as_if_the_school_had_none(office: Office) -> None:
    school = await office.school(hours="когда как")
    region = office.knowledge.region
    with capture_logs() as logs:
        first = calendars.calendar_of(region, school)
        again = calendars.calendar_of(region, school)
    assert first == again == calendars.calendar_of(region, None)
    assert [(line["event"], line["school"]) for line in logs] == [("school_hours_wrong", school.code)]


@pytest.mark.parametrize(
    "vacations", [[("2026-06-01", "2036-08-31")], [("летом", "осенью")], [("2026-06-10", "2026-06-01")]]
)
async def test_a_vacation_with_a_wrong_year_does_not_stop_the_clock_for_ever(
    office: Office, vacations: list[tuple[str, str]]
) -> None:
    school = await office.school(vacations=vacations)
    with capture_logs() as logs:
        calendar = calendars.calendar_of(office.knowledge.region, school)
    assert calendar.vacations == office.knowledge.region.vacations
    assert [line["event"] for line in logs] == ["school_vacations_wrong"]


async def test_a_case_without_any_working_time_is_opened_all_the_same(office: Office) -> None:
    # A vacation in the region's own file is not doubted; this one lasts for years.
    endless = Vacation("вечные", date(2026, 1, 1), date(2040, 1, 1))
    region = replace(office.knowledge.region, vacations=(endless,))
    closed = Office(office.database, Knowledge(office.knowledge.base, region), office.clock)
    school = await closed.school()
    await closed.admin(school)
    parent = await closed.desk.parent()
    ticket = await closed.ticket(await closed.asks(parent, school))
    assert (ticket.state, ticket.answer_due_at, ticket.solve_due_at) == ("waiting", None, None)
    await closed.look()


async def test_an_urgent_case_keeps_the_earlier_deadline(office: Office) -> None:
    school = await office.school()
    await office.admin(school)
    parent, other = await office.desk.parent(), await office.desk.parent("Ольга")
    await office.is_now("2026-09-02 10:00")
    early, late = await office.asks(parent, school), await office.asks(other, school)
    await office.is_now("2026-09-02 10:30")
    async with office.database.transaction() as tx:
        await deadlines.hasten(office.deed(tx), replace(await office.ticket(early), urgent=True))
    assert local((await office.ticket(early)).answer_due_at) == "02.09 11:30"
    assert local((await office.ticket(early)).solve_due_at) == "07.09 10:00"
    await office.is_now("2026-09-02 13:30")
    async with office.database.transaction() as tx:
        await deadlines.hasten(office.deed(tx), replace(await office.ticket(late), urgent=True))
    assert local((await office.ticket(late)).answer_due_at) == "02.09 14:00"


async def test_the_staff_call_a_case_urgent_and_its_deadline_comes_nearer(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.presses(f"urgent:{number}")
    assert local((await office.ticket(number)).answer_due_at) == "02.09 11:00"


# The card


async def test_the_card_says_by_when_in_local_time(office: Office) -> None:
    school = await office.school()
    await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-04 17:30")
    number = await office.asks(parent, school)

    async def described() -> list[str]:
        async with office.database.reading() as tx:
            return deadlines.describe(office.deed(tx), await office.ticket(number))

    assert await described() == ["Ответить до: пн 7 сентября, 12:30", "Решить до: ср 9 сентября, 17:30"]
    await office.is_now("2026-09-07 12:30")
    assert await described() == [
        "**Просрочен ответ**: срок был пн 7 сентября, 12:30",
        "Решить до: ср 9 сентября, 17:30",
    ]


# Warnings


async def test_the_desk_is_warned_once_when_a_quarter_is_left(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    before, of_parent = len(admin.heard), len(parent.heard)
    await office.is_now("2026-09-02 12:59")
    await office.look()
    assert said(admin, since=before) == []
    await office.is_now("2026-09-02 13:00")
    await office.look()
    await office.look()
    await office.is_now("2026-09-02 13:30")
    await office.look()
    assert said(admin, since=before) == [f"№ {number} · Лицей № 35: ответить нужно до ср 2 сентября, 14:00."]
    assert any(button.payload == f"answer:{number}" for row in admin.heard[-1].buttons for button in row)
    assert len(parent.heard) == of_parent


async def test_an_urgent_case_is_warned_of_a_quarter_of_an_hour_before(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.presses(f"urgent:{number}")
    await office.hears()
    before = len(admin.heard)
    await office.is_now("2026-09-02 10:44")
    await office.look()
    assert said(admin, since=before) == []
    await office.is_now("2026-09-02 10:45")
    await office.look()
    assert len(said(admin, since=before)) == 1


async def test_an_answer_satisfies_the_first_deadline_and_the_solution_is_warned_of_apart(
    office: Office,
) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await office.is_now("2026-09-02 13:10")
    await office.look()  # warned of the first answer
    await admin.says("Смотрю", ticket_id=number)
    await office.hears()
    before = len(admin.heard)
    await office.looks_until("2026-09-04 12:00")
    assert said(admin, since=before) == []
    await office.looks_until("2026-09-04 18:00")
    assert said(admin, since=before) == [f"№ {number} · Лицей № 35: решить нужно до пн 7 сентября, 10:00."]
    assert (await office.ticket(number)).level == "school"


async def test_nobody_is_reminded_at_night_or_at_the_weekend(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    coordinator = await office.coordinator()
    parent = await office.desk.parent()
    await office.is_now("2026-09-04 15:00")
    number = await office.asks(parent, school)  # three hours on Friday, one on Monday
    before = [len(each.heard) for each in (admin, coordinator, parent)]
    await office.is_now("2026-09-04 18:00")
    await office.looks_until("2026-09-07 08:30", every=timedelta(hours=2))
    assert [len(each.heard) for each in (admin, coordinator, parent)] == before
    await office.is_now("2026-09-07 09:00")
    await office.look()
    assert len(admin.heard) == before[0] + 1
    assert local((await office.ticket(number)).answer_due_at) == "07.09 10:00"


async def test_a_warning_that_nobody_gave_in_time_is_given_at_the_next_opening(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    await office.desk.colleague()
    parent = await office.desk.parent()
    await office.is_now("2026-09-04 14:30")
    await office.asks(parent, school)
    before = len(admin.heard)
    await office.is_now("2026-09-04 20:00")  # nobody looked since, and now it is night
    await office.look()
    assert len(admin.heard) == before
    await office.is_now("2026-09-07 09:10")
    await office.look()
    assert "ответить нужно до пн 7 сентября, 09:30" in said(admin, since=before)[0]


# Up


async def test_a_case_goes_up_step_by_step_and_everybody_knows(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    coordinator = await office.coordinator()
    operator = await office.desk.colleague("Ирина")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    seen = {each.name: len(each.heard) for each in (admin, coordinator, operator, parent)}

    def news(someone: object) -> list[str]:
        name = someone.name  # type: ignore[attr-defined]
        fresh = said(someone, since=seen[name])  # type: ignore[arg-type]
        seen[name] += len(fresh)
        return fresh

    await office.looks_until("2026-09-02 13:30")
    assert len(news(admin)) == 1  # the warning
    assert (news(coordinator), news(operator), news(parent)) == ([], [], [])

    await office.looks_until("2026-09-02 14:30")
    ticket = await office.ticket(number)
    assert (ticket.level, ticket.state, local(ticket.answer_due_at)) == (
        "municipal",
        "waiting",
        "02.09 18:00",
    )
    (card,) = news(coordinator)
    assert card.startswith(f"Школа не ответила вовремя. Вопрос № {number} передан вам.")
    assert "не могу войти" in card
    (told,) = news(admin)
    assert "срок ответа прошёл, вопрос передан выше (координатор муниципалитета)" in told
    assert news(parent) == [
        f"Школа не ответила на вопрос № {number} вовремя: теперь за него отвечает координатор муниципалитета."
    ]
    assert news(operator) == []
    assert await _notes(office, number) == [
        "Школа не ответила вовремя: передано выше (координатор муниципалитета)."
    ]

    await office.looks_until("2026-09-03 08:30")
    assert (news(parent), news(operator)) == ([], [])  # it was due at closing: nobody is woken
    await office.looks_until("2026-09-03 09:30")
    ticket = await office.ticket(number)
    assert (ticket.level, local(ticket.answer_due_at)) == ("ministry", "03.09 13:00")
    assert news(operator)[0].startswith("Координатор муниципалитета не ответил вовремя.")
    assert news(parent) == [
        f"Координатор муниципалитета не ответил на вопрос № {number} вовремя: "
        "теперь за него отвечает Минобрнауки Адыгеи."
    ]

    await office.looks_until("2026-09-03 17:00")
    assert (await office.ticket(number)).level == "ministry"  # there it stays
    assert len(news(operator)) == 1  # the warning
    assert news(parent) == []
    scope = Scope((await office.member(operator)).id)
    async with office.database.reading() as tx:
        late = await casework.listed(tx, scope, "overdue", now=office.clock.now())
    assert [each.id for each in late] == [number]

    # The school sees it still, and may answer.
    await admin.says("Исправили, войдите заново", ticket_id=number)
    await office.hears()
    assert "Исправили, войдите заново" in news(parent)[-1]
    assert (await office.ticket(number)).state == "answered"


async def _notes(office: Office, number: int) -> list[str]:
    async with office.database.reading() as tx:
        return [each.text for each in await conversations.thread(tx, number) if each.author == "note"]


async def test_a_note_of_the_house_is_not_for_the_parent(office: Office) -> None:
    school = await office.school()
    await office.admin(school)
    await office.desk.colleague()
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await office.is_now("2026-09-02 14:00")
    await office.look()
    (note,) = await _notes(office, number)
    assert all(note not in each for each in said(parent))


async def test_a_solution_that_does_not_come_goes_up_too(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    coordinator = await office.coordinator()
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.says("Разбираемся", ticket_id=number)
    await office.is_now("2026-09-07 10:00")
    await office.look()
    assert said(coordinator)[-1].startswith("Школа не решила вовремя.")
    assert said(parent)[-1].startswith(f"Школа не решила вопрос № {number} вовремя:")
    ticket = await office.ticket(number)
    assert (ticket.level, ticket.state, ticket.owner_id) == ("municipal", "waiting", None)


async def test_a_parent_is_not_told_at_night_even_where_the_desks_never_sleep(office: Office) -> None:
    region = replace(office.knowledge.region, working_hours="ежедневно круглосуточно")
    never_sleeps = Office(office.database, Knowledge(office.knowledge.base, region), office.clock)
    school = await never_sleeps.school()
    await never_sleeps.admin(school)
    await never_sleeps.coordinator()
    parent = await never_sleeps.desk.parent()
    await never_sleeps.is_now("2026-09-02 19:00")
    number = await never_sleeps.asks(parent, school)
    before = len(parent.heard)
    for night in ("2026-09-02 23:00", "2026-09-03 04:00", "2026-09-03 08:59"):
        await never_sleeps.is_now(night)
        await never_sleeps.look()
        assert len(parent.heard) == before, night
    await never_sleeps.is_now("2026-09-03 09:00")
    await never_sleeps.look()
    assert len(parent.heard) == before + 1
    assert (await never_sleeps.ticket(number)).level == "municipal"


async def test_levels_without_anybody_are_skipped(office: Office) -> None:
    school = await office.school()
    await office.admin(school)
    operator = await office.desk.colleague("Ирина")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await office.is_now("2026-09-02 14:00")
    await office.look()
    assert (await office.ticket(number)).level == "ministry"
    assert said(operator)[-1].startswith("Школа не ответила вовремя.")


async def test_after_a_week_switched_off_each_desk_still_has_its_time(office: Office) -> None:
    school = await office.school()
    await office.admin(school)
    await office.coordinator()
    await office.desk.colleague("Ирина")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    before = len(parent.heard)
    await office.is_now("2026-09-09 11:00")
    await office.look()
    await office.look()
    ticket = await office.ticket(number)
    assert (ticket.level, local(ticket.answer_due_at)) == ("municipal", "09.09 15:00")
    assert len(parent.heard) == before + 1


async def test_who_closes_or_answers_at_the_last_moment_is_left_in_peace(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    coordinator = await office.coordinator()
    parent, other = await office.desk.parent(), await office.desk.parent("Ольга")
    await office.is_now("2026-09-02 10:00")
    answered, closed = await office.asks(parent, school), await office.asks(other, school)
    await office.is_now("2026-09-02 13:59")
    await admin.says("Готово", ticket_id=answered)
    await admin.presses(f"close:{closed}")
    await office.hears()
    before = len(coordinator.heard)
    await office.is_now("2026-09-02 15:00")
    await office.look()
    assert len(coordinator.heard) == before
    assert (await office.ticket(answered)).level == (await office.ticket(closed)).level == "school"


async def test_an_unreachable_or_banned_parent_is_not_written_to_but_the_case_goes_up(
    office: Office,
) -> None:
    school = await office.school()
    await office.admin(school)
    operator = await office.desk.colleague("Ирина")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    before = len(parent.heard)
    async with office.database.transaction() as tx:
        await people.set_unreachable(tx, parent.address.channel, parent.address.chat_id, "blocked")
    await office.is_now("2026-09-02 14:00")
    await office.look()
    assert len(parent.heard) == before
    assert f"Вопрос № {number}" in said(operator)[-1]


# The clock stands


async def _asks_parent(office: Office, number: int, staff_id: int) -> None:
    async with office.database.transaction() as tx:
        stopped = await deadlines.stop(office.deed(tx), Scope(staff_id), await office.ticket(number))
    assert stopped is not None


async def test_the_clock_stands_while_the_parent_is_asked(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    coordinator = await office.coordinator()
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.says("Какая ошибка на экране?", ticket_id=number)
    await office.is_now("2026-09-02 11:00")
    await _asks_parent(office, number, (await office.member(admin)).id)
    async with office.database.reading() as tx:
        lines = deadlines.describe(office.deed(tx), await office.ticket(number))
    assert lines == [texts.STANDING["asked"]]

    before = len(coordinator.heard), len(admin.heard)
    await office.looks_until("2026-09-20 12:00", every=timedelta(hours=25))
    assert (len(coordinator.heard), len(admin.heard)) == before

    # On Sunday the parent writes: what was left on Wednesday at eleven is left on Monday at nine.
    await parent.says("Пишет, что нет роли")
    ticket = await office.ticket(number)
    assert ticket.clock_stopped_for is None
    assert local(ticket.solve_due_at) == "23.09 17:00"


async def test_a_second_question_does_not_stop_the_clock_twice(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    staff_id = (await office.member(admin)).id
    await _asks_parent(office, number, staff_id)
    await office.is_now("2026-09-02 12:00")
    async with office.database.transaction() as tx:
        assert await deadlines.stop(office.deed(tx), Scope(staff_id), await office.ticket(number)) is None
    await parent.says("вот")
    await parent.says("и ещё")
    assert local((await office.ticket(number)).answer_due_at) == "02.09 16:00"


async def _outage(office: Office, level: str, *, school_id: int | None = None, municipality: str = "") -> int:
    """An outage is declared, and the clocks of its place stop."""
    async with office.database.transaction() as tx:
        made = insert(outages).values(
            level=level, school_id=school_id, municipality=municipality, text="Не работает вход",
            started_at=office.clock.now(), asked_at=office.clock.now(),
        )  # fmt: skip
        number: int = (await tx.execute(made.returning(outages.c.id))).scalar_one()
        place = Place(level, school_id, municipality)  # type: ignore[arg-type]
        await deadlines.stop_all(office.deed(tx), place)
    return number


async def _ends(office: Office, number: int, *, cut_short: bool = False) -> None:
    async with office.database.transaction() as tx:
        ended = update(outages).where(outages.c.id == number).values(ended_at=office.clock.now())
        await tx.execute(ended)
        if not cut_short:
            await deadlines.resume_all(office.deed(tx))


async def test_an_outage_holds_the_clocks_of_its_place_and_no_others(office: Office) -> None:
    school, other = await office.school(), await office.school("Гимназия", municipality="Адыгейск")
    await office.admin(school)
    await office.admin(other, "Пётр")
    here, there, later = [await office.desk.parent(name) for name in ("Анна", "Ольга", "Вера")]
    await office.is_now("2026-09-02 10:00")
    held, free = await office.asks(here, school), await office.asks(there, other)
    await office.is_now("2026-09-02 11:00")
    outage = await _outage(office, "municipal", municipality="Майкоп")
    new = await office.asks(later, school)
    assert (await office.ticket(held)).clock_stopped_for == "outage"
    assert (await office.ticket(new)).clock_stopped_for == "outage"
    assert (await office.ticket(free)).clock_stopped_for is None
    await office.is_now("2026-09-02 13:00")
    await office.look()
    await _ends(office, outage)
    assert local((await office.ticket(held)).answer_due_at) == "02.09 16:00"
    assert local((await office.ticket(new)).answer_due_at) == "02.09 17:00"
    assert local((await office.ticket(free)).answer_due_at) == "02.09 14:00"


async def test_the_end_of_one_outage_does_not_start_clocks_that_another_holds(office: Office) -> None:
    school = await office.school()
    await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    narrow = await _outage(office, "school", school_id=school.id)
    wide = await _outage(office, "ministry")
    await office.is_now("2026-09-02 12:00")
    await _ends(office, narrow)
    assert (await office.ticket(number)).clock_stopped_for == "outage"
    await office.is_now("2026-09-02 13:00")
    await _ends(office, wide)
    ticket = await office.ticket(number)
    assert (ticket.clock_stopped_for, local(ticket.answer_due_at)) == (None, "02.09 17:00")


async def test_clocks_that_a_dying_process_left_standing_are_started(office: Office) -> None:
    school = await office.school()
    await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    outage = await _outage(office, "ministry")
    await office.is_now("2026-09-02 12:00")
    await _ends(office, outage, cut_short=True)
    assert (await office.ticket(number)).clock_stopped_for == "outage"
    await office.look()
    ticket = await office.ticket(number)
    assert (ticket.clock_stopped_for, local(ticket.answer_due_at)) == (None, "02.09 16:00")


async def test_a_parent_who_writes_during_an_outage_leaves_the_clock_standing(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    outage = await _outage(office, "ministry")
    await office.is_now("2026-09-02 11:00")
    await _asks_parent(office, number, (await office.member(admin)).id)
    await office.is_now("2026-09-02 12:00")
    await parent.says("вот")
    assert (await office.ticket(number)).clock_stopped_for == "outage"
    await office.is_now("2026-09-02 13:00")
    await _ends(office, outage)
    assert local((await office.ticket(number)).answer_due_at) == "02.09 17:00"


async def test_a_question_to_the_parent_outlives_the_outage(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    outage = await _outage(office, "ministry")
    await _asks_parent(office, number, (await office.member(admin)).id)
    await office.is_now("2026-09-02 12:00")
    await _ends(office, outage)
    await office.look()
    assert (await office.ticket(number)).clock_stopped_for == "asked"
    await office.is_now("2026-09-02 13:00")
    await parent.says("вот")
    assert local((await office.ticket(number)).answer_due_at) == "02.09 17:00"


# Nobody's


async def test_who_leaves_leaves_their_cases_to_the_desk(office: Office) -> None:
    school = await office.school()
    admin, colleague = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.says("Смотрю", ticket_id=number)
    await office.hears()
    await admin.says("/leave")
    await office.hears()
    card = said(colleague)[-1]
    assert card.startswith("Вопрос остался без ответственного.")
    assert f"№ {number}" in card
    ticket = await office.ticket(number)
    assert (ticket.owner_id, ticket.state, ticket.level) == (None, "answered", "school")
    before = len(colleague.heard)
    await office.look()
    assert len(colleague.heard) == before


async def test_who_leaves_at_night_wakes_nobody(office: Office) -> None:
    school = await office.school()
    admin, colleague = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.says("Смотрю", ticket_id=number)
    await office.hears()
    before = len(colleague.heard)
    await office.is_now("2026-09-02 23:00")
    await admin.says("/leave")
    await office.looks_until("2026-09-03 08:30")
    assert len(colleague.heard) == before
    await office.is_now("2026-09-03 09:00")
    await office.look()
    assert said(colleague)[before].startswith("Вопрос остался без ответственного.")
    assert (await office.ticket(number)).owner_id is None


@pytest.mark.parametrize("loss", ["revoked", "unreachable", "left the school"])
async def test_a_lost_owner_is_noticed(office: Office, loss: str) -> None:
    school = await office.school()
    admin, colleague = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.says("Смотрю", ticket_id=number)
    member = await office.member(admin)
    async with office.database.transaction() as tx:
        if loss == "revoked":
            await staff.revoke(tx, member.id, now=office.clock.now())
        elif loss == "unreachable":
            await people.set_unreachable(tx, member.channel, member.chat_id, "blocked")
        else:
            await staff.leave_school(tx, member.id, school.id)
    await office.hears()
    before = len(colleague.heard)
    await office.look()
    await office.look()
    (card,) = said(colleague, since=before)
    assert card.startswith("Вопрос остался без ответственного.")
    assert (await office.ticket(number)).owner_id is None


async def test_when_the_last_one_leaves_the_case_goes_up_at_once(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    coordinator = await office.coordinator()
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.says("Смотрю", ticket_id=number)
    await office.hears()
    await admin.says("/leave")
    await office.hears()
    ticket = await office.ticket(number)
    assert (ticket.level, ticket.owner_id, local(ticket.answer_due_at)) == ("municipal", None, "02.09 14:00")
    assert "некому ответить" in said(coordinator)[-1]
    assert said(parent)[-1] == (
        f"На вопрос № {number} там, где он был, сейчас некому ответить: "
        "теперь за него отвечает координатор муниципалитета."
    )


# Two at once, or death in between; on both databases


@pytest.fixture
async def two(
    database: Database, database_url: str, knowledge: Knowledge
) -> AsyncIterator[tuple[Office, Watch]]:
    """An office, and another process that looks at the same database."""
    office = Office(database, knowledge)
    other = Database(database_url)
    yield office, Watch(other, knowledge, office.clock.now)
    await other.close()


async def test_two_processes_warn_once_and_move_up_once(two: tuple[Office, Watch]) -> None:
    office, watch = two
    school = await office.school()
    admin = await office.admin(school)
    coordinator = await office.coordinator()
    await office.desk.colleague("Ирина")
    parents = [await office.desk.parent(f"Родитель {number}") for number in range(4)]
    await office.is_now("2026-09-02 10:00")
    numbers = [await office.asks(parent, school) for parent in parents]
    before = len(admin.heard), len(coordinator.heard), [len(each.heard) for each in parents]
    ours = Watch(office.database, office.knowledge, office.clock.now)

    await office.is_now("2026-09-02 13:00")
    await asyncio.gather(ours.look(), watch.look(), ours.look())
    await office.hears()
    assert len(admin.heard) == before[0] + len(numbers)

    await office.is_now("2026-09-02 14:00")
    await asyncio.gather(ours.look(), watch.look(), watch.look())
    await office.hears()
    assert len(coordinator.heard) == before[1] + len(numbers)
    assert [len(each.heard) for each in parents] == [heard + 1 for heard in before[2]]
    assert {(await office.ticket(number)).level for number in numbers} == {"municipal"}
    async with office.database.reading() as tx:
        assert (await journal.count(tx))[due.MOVED_UP] == len(numbers)


async def test_a_process_that_dies_in_the_middle_has_done_nothing(two: tuple[Office, Watch]) -> None:
    office, watch = two
    school = await office.school()
    await office.admin(school)
    coordinator = await office.coordinator()
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await office.is_now("2026-09-02 14:00")
    before = len(coordinator.heard), len(parent.heard)
    with contextlib.suppress(KeyboardInterrupt):
        async with office.database.transaction() as tx:
            assert await moving.move_up(office.deed(tx), await office.ticket(number))
            raise KeyboardInterrupt
    await office.hears()
    assert (len(coordinator.heard), len(parent.heard)) == before
    await watch.look()
    await office.hears()
    assert (len(coordinator.heard), len(parent.heard)) == (before[0] + 1, before[1] + 1)


async def test_an_owner_is_lost_once_for_two_processes(two: tuple[Office, Watch]) -> None:
    office, watch = two
    school = await office.school()
    admin, colleague = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    await office.is_now("2026-09-02 10:00")
    number = await office.asks(parent, school)
    await admin.says("Смотрю", ticket_id=number)
    async with office.database.transaction() as tx:
        await staff.revoke(tx, (await office.member(admin)).id, now=office.clock.now())
    await office.hears()
    before = len(colleague.heard)
    ours = Watch(office.database, office.knowledge, office.clock.now)
    await asyncio.gather(ours.look(), watch.look())
    await office.hears()
    assert len(colleague.heard) == before + 1


async def test_outages_hold_and_let_go_of_many_clocks(two: tuple[Office, Watch]) -> None:
    office, _ = two
    school = await office.school()
    await office.admin(school)
    parents = [await office.desk.parent(f"Родитель {number}") for number in range(5)]
    await office.is_now("2026-09-02 10:00")
    numbers = [await office.asks(parent, school) for parent in parents]
    outage = await _outage(office, "ministry")
    await office.is_now("2026-09-02 12:00")
    async with office.database.transaction() as tx:
        ended = update(outages).where(outages.c.id == outage).values(ended_at=office.clock.now())
        await tx.execute(ended)
        portions = [await deadlines.resume_all(office.deed(tx), limit=2) for _ in range(4)]
    assert portions == [2, 2, 1, 0]
    assert {local((await office.ticket(each)).answer_due_at) for each in numbers} == {"02.09 16:00"}
