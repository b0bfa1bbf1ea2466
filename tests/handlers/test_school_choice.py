"""A parent names the school as people speak, and the question comes to its desk."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faq.markup import plain
from faq.schools.made_up import made_up_schools
from handlers.knowledge import Knowledge
from handlers.messages import Outgoing
from handlers.parents.escalation import WAIT_FOR_SCHOOL
from handlers.parents.schools import LONGEST_LABEL
from handlers.texts import basics as texts
from handlers.texts import schools as said
from storage import family, schools, tickets
from storage.database import Database
from storage.schools import School
from storage.ticket import Ticket
from tests.clock import StoppedClock
from tests.handlers.desk import Desk, Someone

LYCEUM = "Лицей № 35, город Светлореченск"


@dataclass
class Town:
    """A desk with a directory of schools."""

    desk: Desk
    knowledge: Knowledge

    async def school(self, code: str = "", *, name: str = "Лицей № 35") -> School:
        async with self.desk.database.reading() as tx:
            listed = await schools.everyone(tx)
        return next(each for each in listed if each.code == code or (not code and each.name == name))

    async def ticket(self, parent: Someone) -> Ticket:
        known = await self.desk.known(parent)
        async with self.desk.database.reading() as tx:
            return (await tickets.of_person(tx, known.id))[0]

    async def calls(self, parent: Someone, *words: str) -> Outgoing:
        """Ask for a human and answer the question about the school; gives what is said to the last words."""
        await parent.presses("human")
        await parent.waits()
        for each in words:
            await parent.says(each)
            await parent.waits()
        return parent.heard[-1]


@pytest.fixture
async def town(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Town]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield await build(database, knowledge)
    await database.close()


@pytest.fixture
async def either(knowledge: Knowledge, database: Database) -> Town:
    """On SQLite and on PostgreSQL: where two touch one thing at the same moment."""
    return await build(database, knowledge)


async def build(database: Database, knowledge: Knowledge) -> Town:
    clock = StoppedClock()
    async with database.transaction() as tx:
        for row in made_up_schools():
            await schools.add(
                tx,
                code=row.code,
                name=row.name,
                municipality=row.municipality,
                kind=row.kind,
                aliases=row.aliases,
                hours="",
                now=clock.now(),
            )
    own = Knowledge(knowledge.base, knowledge.region, build=lambda _: knowledge.build_index())
    await own.refresh(database)
    return Town(Desk(database, own, clock), own)


def labels(message: Outgoing) -> list[str]:
    return [button.label for row in message.buttons for button in row]


def payload(message: Outgoing, label: str) -> str:
    return next(button.payload for row in message.buttons for button in row if button.label == label)


async def test_a_school_named_clearly_is_taken_and_named_back(town: Town) -> None:
    school = await town.school()
    colleague = await town.desk.colleague(role="school", school_id=school.id)
    parent = await town.desk.parent()
    told = await town.calls(parent, "35 лицей")
    assert f"Школа: {LYCEUM}." in plain(told.text)
    assert said.BUTTON_OTHER in labels(told)
    ticket = await town.ticket(parent)
    assert (ticket.level, ticket.school_id, ticket.school) == ("school", school.id, "Лицей № 35")
    assert f"Вопрос № {ticket.id}" in plain(colleague.heard[-1].text)


async def test_the_desk_of_another_school_hears_nothing(town: Town) -> None:
    other = await town.school("svet-05")
    stranger = await town.desk.colleague(role="school", school_id=other.id)
    owner = await town.desk.colleague("Ольга", role="owner")
    before = len(stranger.heard)
    await town.calls(await town.desk.parent(), "лицей 35")
    assert len(stranger.heard) == before
    # Nobody works at the lyceum yet: those above it answer.
    assert "Лицей № 35" in owner.heard[-1].text


async def test_of_several_schools_one_is_chosen_by_button(town: Town) -> None:
    parent = await town.desk.parent()
    asked = await town.calls(parent, "пятая школа")
    assert plain(asked.text).startswith(said.WHICH_OF_MANY)
    choices = labels(asked)
    assert choices[-1] == said.BUTTON_NOT_LISTED
    assert 1 < len(choices[:-1]) <= 5
    assert len(set(choices)) == len(choices)
    assert all(len(each) <= LONGEST_LABEL for each in choices)
    assert "СОШ № 5 имени Лидии Озерцовой, посёлок Боровиковый, Заречный район" in plain(asked.text)
    names = [line.removeprefix("- ") for line in asked.text.splitlines()[1:]]
    await parent.presses(payload(asked, choices[1]))
    (told,) = await parent.waits()
    assert f"Школа: {names[1]}." in told
    # The other buttons stay in the chat: the school is changed only by its own button.
    await parent.presses(payload(asked, choices[0]))
    assert await parent.waits() == [texts.CHOICE_GONE]
    ticket = await town.ticket(parent)
    assert said.named(ticket.school, ticket.municipality) == names[1]


async def test_a_place_told_afterwards_belongs_to_the_number_told_before(town: Town) -> None:
    parent = await town.desk.parent()
    told = await town.calls(parent, "пятая школа", "Яснополь")
    assert "Школа: СОШ № 5 имени Марии Тополевской, город Яснополь." in plain(told.text)


async def test_a_school_that_is_not_listed_goes_to_the_ministry_as_typed(town: Town) -> None:
    ministry = await town.desk.colleague()
    parent = await town.desk.parent()
    asked = await town.calls(parent, "школа 5, Майкоп")
    await parent.presses(payload(asked, said.BUTTON_NOT_LISTED))
    (told,) = await parent.waits()
    assert "Передал вопрос" in told
    assert "Школа:" not in told
    ticket = await town.ticket(parent)
    assert (ticket.level, ticket.school_id, ticket.school) == ("ministry", None, "школа 5, Майкоп")
    assert "школа 5, Майкоп" in ministry.heard[-1].text


async def test_words_that_name_no_school_are_asked_once_more_and_then_kept(town: Town) -> None:
    parent = await town.desk.parent()
    asked = await town.calls(parent, "у моря")
    assert asked.text == said.NOT_FOUND
    assert texts.BUTTON_SKIP_SCHOOL in labels(asked)
    await parent.says("возле рынка")
    (told,) = await parent.waits()
    assert "Передал вопрос" in told
    ticket = await town.ticket(parent)
    assert (ticket.level, ticket.school) == ("ministry", "возле рынка")


async def test_without_a_directory_words_are_kept_at_once(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.waits()
    await parent.says("у моря")
    (told,) = await parent.waits()
    assert "Передал вопрос" in told


async def test_a_question_is_no_school_although_there_is_a_directory(town: Town) -> None:
    parent = await town.desk.parent()
    asked = await town.calls(parent, "забыл пароль от госуслуг что делать")
    assert asked.text == texts.ASK_SCHOOL_AGAIN


@pytest.mark.parametrize(("words", "kept"), [((), texts.SCHOOL_SKIPPED), (("пятая школа",), "пятая школа")])
async def test_who_falls_silent_is_passed_on_with_what_was_told(
    town: Town, words: tuple[str, ...], kept: str
) -> None:
    parent = await town.desk.parent()
    await town.calls(parent, *words)
    (told,) = await parent.waits(seconds=WAIT_FOR_SCHOOL.total_seconds() + 1)
    assert "Передал вопрос" in told
    ticket = await town.ticket(parent)
    assert (ticket.school, ticket.school_id, ticket.level) == (kept, None, "ministry")


async def test_next_time_the_school_is_offered_first(town: Town) -> None:
    parent = await town.desk.parent()
    await town.calls(parent, "лицей 35")
    await parent.presses(f"solved:{(await town.ticket(parent)).id}")
    asked = await town.calls(parent)
    assert labels(asked)[0] == LYCEUM
    await parent.presses(asked.buttons[0][0].payload)
    (told,) = await parent.waits()
    assert f"Школа: {LYCEUM}." in told


async def test_another_school_is_named_afterwards_while_nobody_has_the_question(town: Town) -> None:
    first, second = await town.school(), await town.school("svet-05")
    here = await town.desk.colleague(role="school", school_id=first.id)
    there = await town.desk.colleague("Ольга", role="school", school_id=second.id)
    parent = await town.desk.parent()
    told = await town.calls(parent, "лицей 35")
    await parent.presses(payload(told, said.BUTTON_OTHER))
    assert await parent.waits() == [said.ASK_OTHER]
    await parent.says("сош 5 светлореченск")
    ticket = await town.ticket(parent)
    assert await parent.waits() == [said.moved(ticket.id, "СОШ № 5, город Светлореченск")]
    assert (ticket.school_id, ticket.level) == (second.id, "school")
    assert plain(here.heard[-1].text) == said.staff_moved_away(ticket.id, "СОШ № 5")
    assert f"Вопрос № {ticket.id}" in plain(there.heard[-1].text)
    await parent.says("и ещё одно")
    await parent.waits()
    assert "и ещё одно" in there.heard[-1].text
    assert "и ещё одно" not in here.heard[-1].text


async def test_a_question_that_somebody_has_taken_stays_in_its_school(town: Town) -> None:
    school = await town.school()
    colleague = await town.desk.colleague(role="school", school_id=school.id)
    parent = await town.desk.parent()
    told = await town.calls(parent, "лицей 35")
    ticket = await town.ticket(parent)
    await parent.presses(payload(told, said.BUTTON_OTHER))
    await colleague.presses(f"answer:{ticket.id}")
    await colleague.says("Смотрю")
    await parent.waits()
    await parent.says("сош 5 светлореченск")
    assert await parent.waits() == [said.TAKEN_ALREADY.format(number=ticket.id)]
    await parent.presses(f"sch:other:{ticket.id}")
    assert await parent.waits() == [said.TAKEN_ALREADY.format(number=ticket.id)]
    assert (await town.ticket(parent)).school_id == school.id


async def test_words_that_are_no_other_school_go_to_the_staff(town: Town) -> None:
    school = await town.school()
    colleague = await town.desk.colleague(role="school", school_id=school.id)
    parent = await town.desk.parent()
    told = await town.calls(parent, "лицей 35")
    await parent.presses(payload(told, said.BUTTON_OTHER))
    await parent.waits()
    await parent.says("ребёнок в третьем классе у моря")
    number = (await town.ticket(parent)).id
    assert await parent.waits() == [plain(said.not_listed_passed(number))]
    assert "у моря" in colleague.heard[-1].text


async def test_nobody_moves_the_question_of_another(town: Town) -> None:
    parent, stranger = await town.desk.parent(), await town.desk.parent("Чужой")
    await town.calls(parent, "лицей 35")
    ticket, other = await town.ticket(parent), await town.school("svet-05")
    for pressed in (f"sch:other:{ticket.id}", f"sch:{other.id}:{ticket.id}", f"sch:none:{ticket.id}"):
        await stranger.presses(pressed)
        assert await stranger.waits() == [texts.CHOICE_GONE]
    assert await town.ticket(parent) == ticket


async def test_the_poster_brings_the_school_along(town: Town) -> None:
    school = await town.school()
    parent = town.desk.person()
    await parent.starts(f"school-{school.code}")
    (greeting,) = await parent.waits()
    assert LYCEUM in greeting
    assert texts.NOTICE in greeting
    asked = await town.calls(parent)
    assert labels(asked)[0] == LYCEUM
    (told,) = await parent.waits(seconds=WAIT_FOR_SCHOOL.total_seconds() + 1)
    assert f"Школа: {LYCEUM}." in told


async def test_the_poster_also_works_typed_by_hand(town: Town) -> None:
    parent = await town.desk.parent()
    await parent.says(f"/start school-{(await town.school()).code}")
    (greeting,) = await parent.waits()
    assert LYCEUM in greeting


@pytest.mark.parametrize("code", ["no-such-school", "", "x" * 200])
async def test_the_poster_of_an_unknown_school_greets_as_usual(
    town: Town, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = town.desk.person()
    await parent.starts(f"school-{code}")
    assert await parent.waits() == [plain(texts.GREETING)]
    assert "unknown_school_link" in capsys.readouterr().out


async def test_a_closed_school_is_neither_offered_nor_taken(town: Town) -> None:
    school = await town.school()
    parent = await town.desk.parent()
    await parent.starts(f"school-{school.code}")
    asked = await town.calls(parent)
    async with town.desk.database.transaction() as tx:
        await schools.change(tx, school.id, now=town.desk.clock.now(), closed_at=town.desk.clock.now())
    await parent.presses(payload(asked, LYCEUM))
    (again,) = await parent.waits_for_messages()
    assert again.text == said.NO_LONGER
    assert LYCEUM not in labels(again)
    await town.knowledge.refresh(town.desk.database)
    await parent.says("лицей 35")
    (told,) = await parent.waits_for_messages()
    assert LYCEUM not in told.text


async def test_the_poster_does_not_disturb_an_open_question(town: Town) -> None:
    school = await town.school()
    colleague = await town.desk.colleague()
    parent = await town.desk.parent()
    await town.calls(parent, "сош 5 светлореченск")
    number = (await town.ticket(parent)).id
    await parent.starts(f"school-{school.code}")
    assert await parent.waits() == [plain(said.remembered_beside(LYCEUM, number))]
    await parent.says("вы меня слышите?")
    await parent.waits()
    assert "вы меня слышите?" in colleague.heard[-1].text


async def test_the_school_of_a_child_is_looked_up_too(town: Town) -> None:
    parent = await town.desk.parent()
    await parent.presses("fam:new:Старшая")
    await parent.waits()
    known = await town.desk.known(parent)
    async with town.desk.database.reading() as tx:
        (child,) = await family.children_of(tx, known.id)
    await parent.presses(f"fam:school:{child.id}")
    await parent.says("35 лицей")
    assert LYCEUM in (await parent.waits())[-1]
    async with town.desk.database.reading() as tx:
        (child,) = await family.children_of(tx, known.id)
    assert child.school_id == (await town.school()).id
    # Another child has the same: of several schools one is chosen by a button, and words may stay words.
    await parent.presses(f"fam:school:{child.id}")
    await parent.says("пятая школа")
    asked = (await parent.waits_for_messages())[-1]
    await parent.presses(payload(asked, labels(asked)[1]))
    assert "№ 5" in (await parent.waits())[-1]
    await parent.presses(f"fam:school:{child.id}")
    await parent.says("у моря")
    assert (await parent.waits())[-1] == said.NOT_FOUND_FOR_CHILD
    await parent.says("домашнее обучение")
    assert "домашнее обучение" in (await parent.waits())[-1]
    async with town.desk.database.reading() as tx:
        (child,) = await family.children_of(tx, known.id)
    assert (child.school, child.school_id) == ("домашнее обучение", None)


async def test_a_card_for_the_new_school_asks_for_that_one(town: Town) -> None:
    parent = await town.desk.parent()
    await parent.presses("fam:new:Старшая")
    await parent.waits()
    known = await town.desk.known(parent)
    async with town.desk.database.transaction() as tx:
        (child,) = await family.children_of(tx, known.id)
        old = await schools.by_code(tx, "svet-05")
        assert old is not None
        await family.set_school(tx, known.id, child.id, old.name, school_id=old.id)
    await parent.presses("dx:send.new_school")
    await parent.presses("line:all")
    asked = (await parent.waits_for_messages())[-1]
    assert said.NAME_NEW_SCHOOL in asked.text
    assert not any("№ 5" in label for label in labels(asked))
    await parent.says("лицей 35")
    assert f"Школа: {LYCEUM}." in (await parent.waits())[-1]
    assert (await town.ticket(parent)).school == "Лицей № 35"
    async with town.desk.database.reading() as tx:
        (child,) = await family.children_of(tx, known.id)
    assert child.school_id == (await town.school()).id


async def test_an_only_childs_school_needs_no_question(town: Town) -> None:
    school = await town.school()
    parent = await town.desk.parent()
    await parent.presses("fam:new:Старшая")
    await parent.waits()
    known = await town.desk.known(parent)
    async with town.desk.database.transaction() as tx:
        (child,) = await family.children_of(tx, known.id)
        await family.set_school(tx, known.id, child.id, LYCEUM, school_id=school.id)
    await parent.presses("dx:send.profile_missing")
    await parent.presses("line:all")
    told = (await parent.waits())[-1]
    assert f"Школа: {LYCEUM}." in told
    assert (await town.ticket(parent)).school_id == school.id


async def test_the_directory_is_taken_up_as_it_changes(town: Town) -> None:
    school = await town.school()
    assert town.knowledge.school(school.id) == school
    assert not await town.knowledge.refresh(town.desk.database)
    later = town.desk.clock.now().replace(year=2031)
    async with town.desk.database.transaction() as tx:
        await schools.change(tx, school.id, now=later, name="Гимназия «Росток»")
    assert await town.knowledge.refresh(town.desk.database)
    found = await town.knowledge.find_school("гимназия росток")
    assert found.schools[0].school.id == school.id


async def test_taken_and_moved_at_the_same_moment_it_is_one_of_both(either: Town) -> None:
    first, second = await either.school(), await either.school("svet-05")
    colleague = await either.desk.colleague(role="school", school_id=first.id)
    parent = await either.desk.parent()
    await either.calls(parent, "лицей 35")
    number = (await either.ticket(parent)).id
    await asyncio.gather(colleague.presses(f"take:{number}"), parent.presses(f"sch:{second.id}:{number}"))
    await parent.waits()
    ticket = await either.ticket(parent)
    is_moved = ticket.school_id == second.id
    assert (ticket.owner_id is None) == is_moved
    told = said.moved(number, "СОШ № 5, город Светлореченск") if is_moved else None
    assert parent.heard[-1].text == (told or said.TAKEN_ALREADY.format(number=number))
