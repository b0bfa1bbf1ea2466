"""Several families of one school in the same trouble: one card, one answer, and a list of who was told."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from faq.markup import plain
from handlers.cases import incidents
from handlers.dialog_state import DialogState
from handlers.knowledge import Knowledge
from handlers.parents import escalation
from handlers.texts import basics
from handlers.texts import incidents as texts
from handlers.turn import Turn
from storage import conversations, tickets
from storage import incidents as stored
from storage.database import Database
from storage.schools import School
from tests.handlers.desk import Someone
from tests.handlers.staffroom import labels, last, presses, ticket_of
from tests.handlers.timekeeping import Office

NOT_FOUND = "dnevnik-profile-missing"


@pytest.fixture
async def office(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield Office(database, knowledge)
    await database.close()


@pytest.fixture
async def any_office(knowledge: Knowledge, database: Database) -> Office:
    """On both databases: two people touch one thing."""
    return Office(database, knowledge)


async def asks(office: Office, name: str, school: School, *, topic: str = NOT_FOUND) -> tuple[Someone, int]:
    """A parent for whom an answer of the bot did not help comes to the school's desk."""
    parent = await office.desk.parent(name)
    known = await office.desk.known(parent)
    async with office.database.transaction() as tx:
        conversation = await conversations.of_person(tx, known.id, now=office.clock.now())
        state = DialogState.from_plain(conversation.state)
        state.reason, state.topic, state.tried = "not_helped", topic, (topic,)
        turn = Turn(tx, office.clock.now(), office.knowledge, known, conversation, state)
        await escalation.open_question(turn, school=school.name, known=school)
        await turn.save_state()
        opened = await tickets.of_person(tx, known.id)
    await office.hears()
    return parent, opened[0].id


async def three_ask(office: Office, school: School) -> tuple[list[Someone], list[int]]:
    asked = [await asks(office, name, school) for name in ("Анна", "Вера", "Зоя")]
    return [parent for parent, _ in asked], [number for _, number in asked]


async def test_the_third_family_makes_one_card_of_all(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    before = len(admin.heard)

    _, numbers = await three_ask(office, school)
    cards = [plain(message.text) for message in admin.heard[before:]]

    assert len(cards) == 3
    assert all(f"№ {number}" in card for number, card in zip(numbers[:2], cards[:2], strict=True))
    assert "Похоже на общую беду № 1" in cards[2]
    assert "Семей: 3" in cards[2]
    assert labels(admin.heard[-1]) == [
        texts.BUTTON_ANSWER_ALL,
        texts.BUTTON_WHO,
        texts.BUTTON_SPLIT,
        texts.BUTTON_CLOSE_ALL,
    ]


async def test_one_answer_goes_to_all_and_the_list_tells_to_whom(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parents, numbers = await three_ask(office, school)

    await presses(admin, texts.BUTTON_ANSWER_ALL)
    await admin.says("Профили уже созданы, войдите ещё раз.")
    await admin.waits()

    for parent, number in zip(parents, numbers, strict=True):
        assert f"на вопрос № {number}" in last(parent)
        assert "Профили уже созданы" in last(parent)
        assert sum("Профили уже созданы" in plain(each.text) for each in parent.heard) == 1
        assert (await ticket_of(office, number)).state == "answered"
    assert all(f"№ {number}" in last(admin) for number in numbers)
    told = await presses(admin, texts.BUTTON_WHO)
    assert [line for line in told[-1].splitlines() if "ответ отправлен" in line][:3] == [
        f"— № {number}, Telegram: ответ отправлен" for number in numbers
    ]


async def test_an_edited_answer_to_all_reaches_all(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parents, _ = await three_ask(office, school)
    await presses(admin, texts.BUTTON_ANSWER_ALL)
    written = await admin.says("Исправим завтра")
    await office.hears()
    await admin.edits(written, "Исправили сегодня")
    await office.hears()
    for parent in parents:
        corrected = plain(parent.heard[-1].text)
        assert corrected.startswith("Исправленный ответ школы")
        assert "Исправили сегодня" in corrected
    late, _ = await asks(office, "Лида", school)
    assert any("Исправили сегодня" in message.text for message in late.heard)


async def test_who_comes_after_the_answer_gets_it_at_once_and_may_object(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    await three_ask(office, school)
    await presses(admin, texts.BUTTON_ANSWER_ALL)
    await admin.says("Профили уже созданы, войдите ещё раз.")
    await admin.waits()
    before = len(admin.heard)

    late, number = await asks(office, "Нина", school)
    said = [plain(message.text) for message in late.heard]

    assert "Профили уже созданы" in said[-2]
    assert said[-1] == texts.LATER_ONE
    assert admin.heard[before:] == [], "a fourth card would be noise"
    await late.says("у нас всё равно не так")
    await late.waits()
    assert "у нас всё равно не так" in last(admin)
    assert f"№ {number}" in last(admin)


async def test_cases_that_differ_come_one_by_one_and_stay_apart(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    _, numbers = await three_ask(office, school)
    before = len(admin.heard)

    await presses(admin, texts.BUTTON_SPLIT)
    told = await presses(admin, texts.BUTTON_SPLIT_YES)

    assert any("разобрана" in each for each in told)
    cards = [plain(message.text) for message in admin.heard[before:]]
    assert all(any(f"Вопрос № {number}" in card for card in cards) for number in numbers)
    before = len(admin.heard)
    _, fourth = await asks(office, "Нина", school)
    assert f"Вопрос № {fourth}" in plain(admin.heard[before].text), "one alone is no common trouble"


async def test_closing_all_tells_each_family(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    parents, numbers = await three_ask(office, school)

    await presses(admin, texts.BUTTON_CLOSE_ALL)
    await presses(admin, texts.BUTTON_CLOSE_ALL_YES)

    for parent, number in zip(parents, numbers, strict=True):
        assert f"№ {number} закрыт" in last(parent)
        assert (await ticket_of(office, number)).state == "closed"
    assert await presses(admin, texts.BUTTON_ANSWER_ALL) == [texts.INCIDENT_GONE]


async def test_others_are_no_part_of_it(office: Office) -> None:
    school, other = await office.school(), await office.school("Школа № 5")
    admin, stranger = await office.admin(school), await office.admin(other, "Ольга")
    await asks(office, "Анна", school)
    await asks(office, "Вера", other)
    await asks(office, "Зоя", school, topic="snils-mismatch")
    await office.desk.passes(incidents.WITHIN + timedelta(minutes=1))
    await asks(office, "Нина", school)
    await asks(office, "Лена", school)
    assert not any("общую беду" in plain(each.text) for each in (*admin.heard, *stranger.heard))

    await asks(office, "Рита", school)
    assert "Семей: 3" in last(admin)
    assert not any("общую беду" in plain(each.text) for each in stranger.heard)


async def test_another_schools_administrator_cannot_touch_it(office: Office) -> None:
    school, other = await office.school(), await office.school("Школа № 5")
    await office.admin(school)
    stranger = await office.admin(other, "Ольга")
    parents, numbers = await three_ask(office, school)
    heard = [len(parent.heard) for parent in parents]

    for deed in ("", ":answer", ":who", ":split:yes", ":close:yes"):
        await stranger.presses(f"inc:1{deed}")
        assert await stranger.waits() == [texts.INCIDENT_GONE]
    assert [len(parent.heard) for parent in parents] == heard
    assert all([(await ticket_of(office, number)).incident_id == 1 for number in numbers])


async def test_after_a_day_without_another_case_it_is_over(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    await three_ask(office, school)
    await office.desk.passes(incidents.LASTS + timedelta(minutes=1))

    assert await incidents.look(office.database, now=office.clock.now)
    assert not await incidents.look(office.database, now=office.clock.now)
    assert await presses(admin, texts.BUTTON_SPLIT) == [texts.INCIDENT_GONE]


async def test_cases_that_come_at_the_same_moment_make_one_incident(any_office: Office) -> None:
    office = any_office
    school = await office.school()
    await office.admin(school)
    parents = [await office.desk.parent(f"Родитель {number}") for number in range(6)]

    async def ask(parent: Someone) -> int:
        known = await office.desk.known(parent)
        async with office.database.transaction() as tx:
            conversation = await conversations.of_person(tx, known.id, now=office.clock.now())
            state = DialogState.from_plain(conversation.state)
            state.reason, state.topic = "not_helped", NOT_FOUND
            turn = Turn(tx, office.clock.now(), office.knowledge, known, conversation, state)
            await escalation.open_question(turn, school=school.name, known=school)
            return (await tickets.of_person(tx, known.id))[0].id

    numbers = await asyncio.gather(*(ask(parent) for parent in parents))
    found = {(await ticket_of(office, number)).incident_id for number in numbers}
    assert found == {1}
    async with office.database.reading() as tx:
        assert len(await stored.cases(tx, 1)) == 6


async def test_a_case_that_went_to_another_school_gets_no_answer_of_the_first(office: Office) -> None:
    school, other = await office.school(), await office.school("Лицей № 8")
    await office.admin(school)
    admin, coordinator = await office.admin(other, "Ольга"), await office.coordinator()
    (anna, vera, zoya), (first, second, third) = await three_ask(office, school)
    await anna.presses(f"sch:{other.id}:{first}")
    await coordinator.presses(f"pass:{second}:s{other.id}")
    await coordinator.says("это их ученик")
    await office.hears()
    assert all(f"№ {number}" in "\n".join(each.text for each in admin.heard) for number in (first, second))

    await coordinator.presses("inc:1:answer")
    await coordinator.says("Связь добавили всем")
    await office.hears()

    assert f"Вопросы: № {third}." in last(coordinator)
    assert "Связь добавили" in last(zoya)
    for parent in (anna, vera):
        assert not any("Связь добавили" in each.text for each in parent.heard)


async def test_what_a_member_writes_later_does_not_go_to_all_families(any_office: Office) -> None:
    office = any_office
    school = await office.school()
    admin = await office.admin(school)
    parents, _ = await three_ask(office, school)
    await presses(admin, texts.BUTTON_ANSWER_ALL)
    await admin.says("Связь добавили всем")
    await admin.waits(seconds=20)
    await admin.says("и проверили вход")
    await admin.waits()
    for parent in parents:
        assert any("и проверили вход" in each.text for each in parent.heard), "it goes on with the answer"

    await admin.waits(minutes=10)
    await admin.says("Анна Петровна, зайдите с документами дочери")
    assert basics.WHOSE_ANSWER in await admin.waits()
    for parent in parents:
        assert not any("с документами" in each.text for each in parent.heard)


async def test_a_family_of_an_incident_that_comes_back_brings_its_whole_story(office: Office) -> None:
    school = await office.school()
    admin = await office.admin(school)
    await three_ask(office, school)
    vera, number = await asks(office, "Вера", school)  # the fourth: only the incident's card knows of her
    await admin.presses(f"take:{number}")
    await admin.presses(f"close:{number}")
    await admin.waits()
    await vera.waits()
    before = len(admin.heard)

    await vera.presses(f"unsolved:{number}")
    await vera.waits()

    (card,) = [plain(each.text) for each in admin.heard[before:] if f"№ {number}" in each.text]
    assert "снова открыт" in card
    assert f"Вопрос № {number}" in card
