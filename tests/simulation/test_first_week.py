"""A small first week in CI, and the proof that each of its checks can cry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.delivery import Delivery
from handlers.cases import desks
from handlers.messages import Address, Button, Outgoing
from handlers.ministry import digest, overdue
from handlers.parents import dialog, greeting
from handlers.staff import answering, notes
from handlers.turn import Turn, queue
from storage import conversations, people, tickets
from storage.database import Database
from storage.schools import School
from storage.ticket import Desk, Matter
from tests.clock import StoppedClock
from tests.simulation import first_week
from tests.simulation.checks import Checks, Ledger
from tests.simulation.first_week import Week, simulate
from tests.simulation.parents import HOUR
from tests.simulation.phones import Heard, Place, Span
from tests.simulation.refusals import Claim, Reason
from tests.simulation.staff import Habits
from tests.simulation.world import Seat, World
from tests.sizes import long

pytestmark = pytest.mark.slow
HALF_A_DAY = 0.5
"""From half past seven to half past seven in the evening, Tuesday."""
THREE_MORNINGS = 2.15
"""To Thursday, eleven o'clock: what was late on Wednesday evening is in that morning's digest."""


# ---- the week itself


@long
@pytest.mark.timeout(900)
def test_a_small_first_week_loses_nobody(index_folder: Path) -> None:
    """Two days with the migration, the deleted topics and the groups that throw the bot out."""
    result = simulate(0.006, seed=5, days=2.2, index_folder=index_folder)
    assert not result.checks.counts, result.table()
    assert int(result.figures["cases"]) > 0, result.table()
    assert int(result.figures["answers read"]) > 0, result.table()


# ---- whoever breaks the house is heard


@long
@pytest.mark.timeout(600)
def test_a_case_at_the_wrong_desk_is_noticed(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_school(school: School) -> Desk:
        return Desk("school", school.id % 3 + 1, school.municipality)

    monkeypatch.setattr(desks, "of_school", of_school)
    monkeypatch.setattr(desks, "places", _places_of_another_school(desks.places))
    assert _cries("wrong_person", index_folder)


@pytest.mark.timeout(600)
def test_a_dropped_letter_is_noticed(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compose_and_send = Delivery._send_pieces

    async def drops(self: Delivery, letter: Any) -> None:
        if letter.ticket_id is not None or letter.message_id is not None:
            letter = letter.__class__(**{**_fields(letter), "body": {**letter.body, "text": "…"}})
        await compose_and_send(self, letter)

    monkeypatch.setattr(Delivery, "_send_pieces", drops)
    assert _cries("lost", index_folder)


@long
@pytest.mark.timeout(600)
def test_a_note_that_reaches_a_parent_is_noticed(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add = notes.add

    async def tells_the_parent_too(turn: Turn, member: Any, ticket: Any, incoming: Any, *rest: Any) -> Any:
        parent = await people.find(turn.tx, ticket.person_id)
        assert parent is not None
        await turn.send(Outgoing(Address(parent.channel, parent.chat_id), incoming.text))
        return await add(turn, member, ticket, incoming, *rest)

    def many_notes(week: Week) -> None:
        week.notes = 1.0

    monkeypatch.setattr(notes, "add", tells_the_parent_too)
    assert _cries("wrong_person", index_folder, prepare=many_notes)


@long
@pytest.mark.timeout(600)
def test_a_bot_that_talks_over_people_is_noticed(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "_is_with_human", lambda turn: False)  # noqa: ARG005
    assert _cries("bot_talks", index_folder)


@long
@pytest.mark.timeout(600)
def test_an_edit_that_is_dropped_is_noticed(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def drops(*_: Any) -> None:
        """Say nothing to the parent."""

    def everything_is_edited(week: Week) -> None:
        week.edits = 1.0

    monkeypatch.setattr(answering, "_send_correction", drops)
    assert _cries("lost", index_folder, prepare=everything_is_edited)


@long
@pytest.mark.timeout(600)
def test_a_greeting_that_never_comes_is_noticed(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def says_nothing(*_: Any) -> None:
        """Keep silent."""

    monkeypatch.setattr(greeting, "start", says_nothing)
    assert _cries("unanswered", index_folder)


@long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("watches", [True, False])
def test_a_case_that_does_not_move_up_is_noticed(
    index_folder: Path, monkeypatch: pytest.MonkeyPatch, *, watches: bool
) -> None:
    async def looks_away(self: overdue.Watch) -> bool:  # noqa: ARG001 - a deed
        return False

    _nobody_answers(monkeypatch)
    if not watches:
        monkeypatch.setattr(overdue.Watch, "look", looks_away)
    assert _cries("forgotten", index_folder) is not watches


@long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("sends", [True, False])
def test_a_digest_that_is_missing_is_noticed(
    index_folder: Path, monkeypatch: pytest.MonkeyPatch, *, sends: bool
) -> None:
    async def forgets(*_: Any, **__: Any) -> bool:
        return False

    _nobody_answers(monkeypatch)
    if not sends:
        monkeypatch.setattr(digest, "send_due", forgets)
    assert _cries("forgotten", index_folder, days=THREE_MORNINGS) is not sends


def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_week, "Habits", lambda **_: Habits(answers=0.0, every=6 * HOUR))


def _cries(
    check: str,
    index_folder: Path,
    *,
    days: float = HALF_A_DAY,
    prepare: Callable[[Week], None] | None = None,
) -> bool:
    result = simulate(0.0, seed=3, days=days, index_folder=index_folder, prepare=prepare)
    return result.checks.counts[check] > 0


def _places_of_another_school(places: Callable[..., Any]) -> Callable[..., Any]:
    async def elsewhere(tx: Any, desk: Desk) -> Any:
        other = Desk(desk.level, (desk.school_id or 0) % 3 + 1, desk.municipality)
        return await places(tx, other if desk.level == "school" else desk)

    return elsewhere


def _fields(letter: Any) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in letter.__dataclass_fields__}


# ---- each check alone

PARENT, OTHER_PARENT = Place("telegram", "1"), Place("vk", "2")
ADMINISTRATOR, STRANGER, MINISTRY = Place("telegram", "10"), Place("telegram", "11"), Place("vk", "12")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def world(clock: StoppedClock) -> World:
    """A parent with case № 7 at the first school; staff of two schools and of the ministry."""
    world = World(schools=3, seed=1)
    world.sits(Seat(ADMINISTRATOR, "school", frozenset([1])))
    world.sits(Seat(STRANGER, "school", frozenset([2])))
    world.sits(Seat(MINISTRY, "ministry"))
    world.belongs(PARENT, world.schools[0], clock.now())
    world.opened(7, PARENT, clock.now())
    return world


@pytest.fixture
def checks(world: World, clock: StoppedClock) -> Checks:
    return Checks(world, clock=clock)


def heard(place: Place, said: str, *, files: tuple[bytes, ...] = ()) -> Heard:
    return Heard(place, 1, said, (), files, None, None, None)


@pytest.mark.parametrize("place", [STRANGER, OTHER_PARENT])
def test_a_parents_words_are_for_the_right_desk(
    world: World, checks: Checks, clock: StoppedClock, place: Place
) -> None:
    word = world.word("parent", PARENT, clock.now(), is_for_people=True)
    for reader in (PARENT, ADMINISTRATOR, MINISTRY):
        checks.hear(heard(reader, f"№ 7: {word.marker}"))
    assert not checks.counts
    checks.hear(heard(place, f"№ 7: {word.marker}"))
    assert checks.counts == {"wrong_person": 1}


def test_who_has_left_reads_no_more(world: World, checks: Checks, clock: StoppedClock) -> None:
    photo = world.word("photo", PARENT, clock.now(), is_for_people=True)
    world.seats[ADMINISTRATOR][0].until = clock.now()
    clock.pass_by(timedelta(minutes=10))
    checks.hear(heard(ADMINISTRATOR, "", files=(b"\xff\xd8" + photo.marker.encode() + b"\xff\xd9",)))
    assert checks.counts == {"wrong_person": 1}


def test_a_case_that_went_on_is_no_longer_its_former_schools(
    world: World, checks: Checks, clock: StoppedClock
) -> None:
    world.belongs(PARENT, world.schools[1], clock.now())
    world.belongs_no_more(PARENT, world.schools[0], clock.now())
    clock.pass_by(timedelta(minutes=10))
    word = world.word("parent", PARENT, clock.now())
    checks.hear(heard(STRANGER, word.marker))
    assert not checks.counts
    checks.hear(heard(ADMINISTRATOR, word.marker))
    assert checks.counts == {"wrong_person": 1}


def test_a_note_and_a_strangers_answer_are_noticed(world: World, checks: Checks, clock: StoppedClock) -> None:
    note = world.word("note", ADMINISTRATOR, clock.now(), case=7)
    answer = world.word("answer", ADMINISTRATOR, clock.now(), case=7)
    checks.hear(heard(MINISTRY, note.marker))
    checks.hear(heard(PARENT, answer.marker))
    assert not checks.counts
    checks.hear(heard(PARENT, note.marker))
    checks.hear(heard(OTHER_PARENT, answer.marker))
    checks.hear(heard(STRANGER, answer.marker))
    assert checks.counts == {"wrong_person": 3}


def test_what_nobody_has_seen_is_lost(world: World, checks: Checks, clock: StoppedClock) -> None:
    world.word("parent", PARENT, clock.now(), is_for_people=True)
    world.word("parent", PARENT, clock.now())  # said to the bot
    world.word("answer", ADMINISTRATOR, clock.now(), case=7)
    told = world.word("answer", ADMINISTRATOR, clock.now(), case=7)
    told.refused = True
    checks.nothing_lost()
    assert checks.counts == {"lost": 2}


def test_an_answer_reported_as_undelivered_is_not_lost(
    world: World, checks: Checks, clock: StoppedClock
) -> None:
    world.word("answer", ADMINISTRATOR, clock.now(), case=7)
    checks.refusals.blocks[PARENT] = [Span(clock.now())]
    checks.hear(heard(ADMINISTRATOR, "Ответ на вопрос № 7 не доставлен: родитель заблокировал бота."))
    checks.nothing_lost()
    assert not checks.counts


def test_the_desk_hears_that_an_answer_to_all_did_not_arrive_before_its_author_hears_where_it_went(
    world: World, checks: Checks, clock: StoppedClock
) -> None:
    for parent, number in ((PARENT, 7), (OTHER_PARENT, 8)):
        world.belongs(parent, world.schools[0], clock.now())
        world.opened(number, parent, clock.now())
    checks.refusals.blocks[PARENT] = [Span(clock.now())]
    first = world.word("answer", ADMINISTRATOR, clock.now(), to_all_of=world.schools[0])
    checks.hear(heard(ADMINISTRATOR, "Ответ на вопрос № 7 не доставлен: родитель заблокировал бота."))
    checks.goes_to(first, {7, 8})
    checks.hear(heard(OTHER_PARENT, first.marker))
    checks.nothing_lost()
    assert not checks.counts, checks.complaints

    clock.pass_by(timedelta(hours=1))
    second = world.word("answer", ADMINISTRATOR, clock.now(), to_all_of=world.schools[0])
    checks.goes_to(second, {7, 8})
    checks.hear(heard(OTHER_PARENT, second.marker))
    checks.nothing_lost()
    assert checks.counts == {"lost": 1}


REASONS: tuple[Reason, ...] = ("closed", "no_right", "left", "elsewhere", "taken", "undelivered", "forgotten")


@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_that_nothing_explains_is_noticed(
    checks: Checks, clock: StoppedClock, reason: Reason
) -> None:
    clock.pass_by(timedelta(hours=1))
    place = PARENT if reason == "undelivered" else ADMINISTRATOR
    checks.refusals.holds(7, ADMINISTRATOR)
    checks.refusals.claim(Claim(reason, place, 7, clock.now(), room=ADMINISTRATOR))
    checks.nothing_lost()
    assert checks.counts == {"refused_without_reason": 1}


def test_a_refusal_that_people_can_explain_is_none(world: World, checks: Checks, clock: StoppedClock) -> None:
    clock.pass_by(timedelta(hours=1))
    checks.refusals.claim(Claim("no_right", STRANGER, 7, clock.now()))
    checks.refusals.holds(7, MINISTRY)
    checks.refusals.claim(Claim("taken", ADMINISTRATOR, 7, clock.now()))
    checks.hear(heard(MINISTRY, "Вопрос № 7 закрыт (Мария)."))
    checks.refusals.claim(Claim("closed", ADMINISTRATOR, 7, clock.now()))
    checks.refusals.blocks[PARENT] = [Span(clock.now())]
    checks.refusals.claim(Claim("undelivered", PARENT, 7, clock.now()))
    world.seats[ADMINISTRATOR][0].until = clock.now()
    checks.refusals.claim(Claim("left", ADMINISTRATOR, 7, clock.now()))
    checks.nothing_lost()
    assert not checks.counts, checks.complaints


def test_a_case_that_was_opened_again_is_not_closed(checks: Checks, clock: StoppedClock) -> None:
    checks.hear(heard(MINISTRY, "Вопрос № 7 закрыт (Мария)."))
    checks.hear(heard(MINISTRY, "Вопрос № 7 уже закрыт: ничего не изменено."))
    clock.pass_by(timedelta(hours=1))
    checks.hear(heard(ADMINISTRATOR, "№ 7 снова открыт: Анна пишет после закрытия."))
    clock.pass_by(timedelta(hours=1))
    checks.refusals.claim(Claim("closed", ADMINISTRATOR, 7, clock.now()))
    checks.nothing_lost()
    assert checks.counts == {"refused_without_reason": 1}


def test_an_edit_that_does_not_say_so_is_noticed(world: World, checks: Checks, clock: StoppedClock) -> None:
    answer = world.word("answer", ADMINISTRATOR, clock.now(), case=7)
    again = world.word("answer", ADMINISTRATOR, clock.now(), case=7, is_edit=True)
    checks.hear(heard(PARENT, f"Ответ школы на вопрос № 7: {answer.marker}"))
    checks.hear(heard(PARENT, f"Исправленный ответ школы на вопрос № 7: {again.marker}"))
    assert not checks.counts
    checks.hear(heard(PARENT, f"Ответ школы на вопрос № 7: {again.marker}"))
    assert checks.counts == {"edit_unmarked": 1}


def test_a_ready_answer_comes_to_those_to_whom_it_was_sent(
    world: World, checks: Checks, clock: StoppedClock
) -> None:
    ready = world.word("answer", ADMINISTRATOR, clock.now(), is_ready=True)
    ready.sent_to.add(7)
    ready.told.add(7)
    checks.hear(heard(OTHER_PARENT, ready.marker))
    assert checks.counts == {"wrong_person": 1}
    checks.nothing_lost()
    assert checks.counts["lost"] == 1


# ---- what the tables say


BREAKS = {
    "illegal_mode": [
        "UPDATE conversations SET mode = 'closed', ticket_id = NULL WHERE id = 1",  # from the bot
        "UPDATE conversations SET mode = 'human', ticket_id = NULL WHERE id = 1",
        "UPDATE conversations SET mode = 'human', ticket_id = 2 WHERE id = 1",  # somebody else's
    ],
    "wrong_ticket": [
        "UPDATE tickets SET state = 'closed' WHERE id = 1",
        "UPDATE tickets SET state = 'answered' WHERE id = 1",
        "UPDATE tickets SET level = 'school', school_id = NULL WHERE id = 1",
        "UPDATE tickets SET level = 'municipal', municipality = '' WHERE id = 1",
        "UPDATE tickets SET clock_stopped_at = created_at WHERE id = 1",
        "UPDATE tickets SET answer_due_at = NULL WHERE id = 1",
    ],
}


@pytest.mark.parametrize(
    ("check", "statement"), [(check, each) for check, broken in BREAKS.items() for each in broken]
)
async def test_the_ledger_sees_a_broken_row(
    database: Database, world: World, clock: StoppedClock, check: str, statement: str
) -> None:
    checks = Checks(world, clock=clock)
    ledger = Ledger(database, checks)
    await _two_parents_with_tickets(database, clock)
    await ledger.open()
    async with database.transaction() as tx:
        await tx.execute(text(statement))
    await ledger.check("a test")
    assert checks.counts == {check: 1}, checks.complaints


async def test_the_ledger_is_content_with_what_the_house_does(
    database: Database, world: World, clock: StoppedClock
) -> None:
    checks = Checks(world, clock=clock)
    ledger = Ledger(database, checks)
    await ledger.open()
    await _two_parents_with_tickets(database, clock)
    async with database.transaction() as tx:
        await conversations.switch(tx, 1, "waiting_human", ticket_id=1, now=clock.now())
    async with database.transaction() as tx:
        await tickets.close(tx, 1, now=clock.now())
        await conversations.switch(tx, 1, "closed", ticket_id=None, now=clock.now())
    await ledger.check("a test")
    assert ledger.looked_at > 0
    assert not checks.counts, checks.complaints


@pytest.mark.parametrize(("payload", "cries"), [("ok:no-code", 1), ("bot", 0)])
async def test_the_ledger_hears_a_bot_that_answers_while_a_human_talks(
    database: Database, world: World, clock: StoppedClock, payload: str, cries: int
) -> None:
    checks = Checks(world, clock=clock)
    ledger = Ledger(database, checks)
    await _two_parents_with_tickets(database, clock)
    await ledger.open()
    said = Outgoing(Address("vk", "1"), "Ответ бота", ((Button("Помогло", payload),),))
    async with database.transaction() as tx:
        await queue(tx, said, now=clock.now())
        await conversations.switch(tx, 1, "waiting_human", ticket_id=1, now=clock.now())
    await ledger.check("with the bot")
    assert not checks.counts
    async with database.transaction() as tx:
        await queue(tx, said, now=clock.now())
    await ledger.check("with a human")
    assert checks.counts["bot_talks"] == cries


async def _two_parents_with_tickets(database: Database, clock: StoppedClock) -> None:
    now = clock.now()
    for number in (1, 2):
        async with database.transaction() as tx:
            person = await people.meet(tx, "vk", str(number), name="", now=now)
            conversation = await conversations.of_person(tx, person.id, now=now)
            matter = Matter(reason="asked", topic=None, tried=(), school="")
            ticket = await tickets.open_ticket(
                tx, person_id=person.id, conversation_id=conversation.id, matter=matter, now=now
            )
            due = {"answer_due_at": now, "solve_due_at": now}
            await tickets.change(tx, ticket.id, due)
