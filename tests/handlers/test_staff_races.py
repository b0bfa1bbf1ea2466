"""Two people at one thing, and people who come too late: one clear sentence for them, and nothing changes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from faq.markup import plain
from handlers.knowledge import Knowledge
from handlers.messages import Incoming
from handlers.staff import membership
from handlers.texts import basics as texts
from handlers.texts import staff as said
from storage import templates
from storage.database import Database
from tests.handlers.desk import Someone
from tests.handlers.staffroom import (
    everything_in,
    last,
    member_of,
    payload,
    replies,
    revokes,
    thread_of,
    ticket_of,
)
from tests.handlers.timekeeping import Office


@pytest.fixture
def office(database: Database, knowledge: Knowledge) -> Office:
    """Schools on SQLite and on PostgreSQL."""
    return Office(database, knowledge)


async def at_once(office: Office, *events: tuple[Someone, dict[str, str]]) -> None:
    """All of it arrives at the same moment."""
    incoming = [
        Incoming(
            event_id=f"event-{office.desk.new_number()}",
            sender=someone.address,
            name=someone.name,
            message_id=office.desk.new_number(),
            **what,  # type: ignore[arg-type]
        )
        for someone, what in events
    ]
    await asyncio.gather(*map(office.desk.helpdesk.receive, incoming))
    await office.hears()


async def two_at_a_case(office: Office) -> tuple[Someone, Someone, Someone, int]:
    school = await office.school()
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    return maria, petr, parent, await office.asks(parent, school)


def new(someone: Someone, before: int) -> list[str]:
    return [plain(message.text) for message in someone.heard[before:]]


async def test_two_take_a_case_at_the_same_moment(office: Office) -> None:
    maria, petr, _, number = await two_at_a_case(office)
    counts = len(maria.heard), len(petr.heard)
    await at_once(office, (maria, {"button": f"take:{number}"}), (petr, {"button": f"take:{number}"}))
    heard = {"Мария": new(maria, counts[0]), "Пётр": new(petr, counts[1])}
    (winner,) = [name for name, told in heard.items() if said.taken(number) in told]
    loser = "Пётр" if winner == "Мария" else "Мария"
    assert said.is_taken(number, winner) in heard[loser]
    owner = await member_of(office, maria if winner == "Мария" else petr)
    assert (await ticket_of(office, number)).owner_id == owner.id


async def test_two_close_a_case_at_the_same_moment(office: Office) -> None:
    maria, petr, parent, number = await two_at_a_case(office)
    counts, told = (len(maria.heard), len(petr.heard)), len(parent.heard)
    await at_once(office, (maria, {"button": f"close:{number}"}), (petr, {"button": f"close:{number}"}))
    heard = [*new(maria, counts[0]), *new(petr, counts[1])]
    assert heard.count(texts.too_late(number)) == 1
    assert len(parent.heard) == told + 1
    assert (await ticket_of(office, number)).state == "closed"


async def test_two_answer_at_the_same_moment(office: Office) -> None:
    maria, petr, parent, number = await two_at_a_case(office)
    for someone in (maria, petr):
        await someone.presses(f"answer:{number}")
        await someone.waits()
    counts = len(maria.heard), len(petr.heard)
    await at_once(office, (maria, {"text": "Ответ Марии"}), (petr, {"text": "Ответ Петра"}))
    answers = [plain(message.text) for message in parent.heard if "Ответ школы" in message.text]
    assert len(answers) == 1
    heard = {"Марии": new(maria, counts[0]), "Петра": new(petr, counts[1])}
    loser = "Петра" if "Марии" in answers[0] else "Марии"
    assert any("уже отвечает" in each for each in heard[loser])
    sent = [each for each in await thread_of(office, number) if each.author == "staff" and not each.delivery]
    assert len(sent) == 1


async def test_one_answers_while_the_other_closes(office: Office) -> None:
    maria, petr, parent, number = await two_at_a_case(office)
    await maria.presses(f"answer:{number}")
    await maria.waits()
    before = len(maria.heard)
    await at_once(office, (maria, {"text": "Готово"}), (petr, {"button": f"close:{number}"}))
    arrived = any("Готово" in message.text for message in parent.heard)
    refused = texts.too_late(number) in new(maria, before)
    assert arrived != refused
    assert (await ticket_of(office, number)).state == "closed"


async def test_two_pass_a_case_on_at_the_same_moment(office: Office) -> None:
    maria, petr, parent, number = await two_at_a_case(office)
    above = await office.coordinator("Ольга")
    for someone in (maria, petr):
        await someone.presses(f"pass:{number}:municipal")
        await someone.waits()
    counts, told = (len(maria.heard), len(petr.heard)), len(parent.heard)
    await at_once(office, (maria, {"text": "не наше"}), (petr, {"text": "не к нам"}))
    heard = [*new(maria, counts[0]), *new(petr, counts[1])]
    assert heard.count(plain(said.is_there(number, "координатор (Майкоп)"))) == 1
    assert len(parent.heard) == told + 1
    assert sum("Вопрос передан вам" in message.text for message in above.heard) == 1
    notes = [each for each in await thread_of(office, number) if each.author == "note"]
    assert len(notes) == 1


async def test_two_mark_a_case_as_urgent_at_the_same_moment(office: Office) -> None:
    maria, petr, _, number = await two_at_a_case(office)
    counts = len(maria.heard), len(petr.heard)
    await at_once(office, (maria, {"button": f"urgent:{number}"}), (petr, {"button": f"urgent:{number}"}))
    heard = [*new(maria, counts[0]), *new(petr, counts[1])]
    assert heard.count(said.is_urgent(number)) == 1
    assert (await ticket_of(office, number)).urgent


async def test_two_open_the_templates_for_the_first_time_at_the_same_moment(office: Office) -> None:
    maria, petr, _, number = await two_at_a_case(office)
    await at_once(office, (maria, {"button": f"tpl:{number}"}), (petr, {"text": "/templates"}))
    async with office.database.reading() as tx:
        known = await templates.for_desk(tx, (await ticket_of(office, number)).desk)
    assert [each.title for each in known] == [each.title for each in said.FIRST_TEMPLATES]


async def test_nothing_can_be_done_with_a_closed_case(office: Office) -> None:
    maria, petr, parent, number = await two_at_a_case(office)
    card = maria.heard[-1]
    await petr.presses(f"close:{number}")
    await petr.waits()
    before, told = await everything_in(office.database), len(parent.heard)
    for label in ("Взять", "Ответить", "Шаблон", "Спросить", "Заметка", "Передать", "Срочно", "Закрыть"):
        await maria.presses(payload(card, label))
        (refusal,) = await maria.waits()
        assert refusal in {texts.too_late(number), said.closed(number)}
    await replies(maria, card, "Ещё кое-что")
    assert await maria.waits() == [texts.too_late(number)]
    assert await everything_in(office.database) == before
    assert len(parent.heard) == told


async def test_an_answer_begun_before_the_case_was_closed(office: Office) -> None:
    maria, petr, parent, number = await two_at_a_case(office)
    await maria.presses(f"answer:{number}")
    await petr.presses(f"close:{number}")
    await petr.waits()
    left_out = {"staff": ("replying_to", "replying_as")}
    before, told = await everything_in(office.database, but=left_out), len(parent.heard)
    await maria.says("Готово")
    assert (await maria.waits())[-1] == texts.too_late(number)
    assert await everything_in(office.database, but=left_out) == before
    assert len(parent.heard) == told


async def test_an_expired_or_used_invitation_changes_nothing(office: Office) -> None:
    school = await office.school()
    async with office.database.transaction() as tx:
        invited = await membership.invite(
            tx, role="school", school_id=school.id, municipality=None, now=office.clock.now()
        )
    maria, petr = office.desk.person("Мария"), office.desk.person("Пётр")
    await maria.starts(f"join-{invited.token}")
    await maria.waits()
    await petr.starts()
    await petr.waits()
    before = await everything_in(office.database)
    await petr.starts(f"join-{invited.token}")
    assert await petr.waits() == [texts.INVITATION_WRONG]
    assert await everything_in(office.database) == before
    async with office.database.transaction() as tx:
        late = await membership.invite(
            tx, role="school", school_id=school.id, municipality=None, now=office.clock.now()
        )
    before = await everything_in(office.database)
    await office.desk.passes(timedelta(days=8))
    for someone in (petr, maria):
        await someone.starts(f"join-{late.token}")
        assert await someone.waits() == [texts.INVITATION_WRONG]
    assert await everything_in(office.database) == before
    assert not await office.desk.is_staff(petr)


async def test_two_use_one_invitation_at_the_same_moment(office: Office) -> None:
    school = await office.school()
    async with office.database.transaction() as tx:
        invited = await membership.invite(
            tx, role="school", school_id=school.id, municipality=None, now=office.clock.now()
        )
    maria, petr = office.desk.person("Мария"), office.desk.person("Пётр")
    await at_once(office, *((someone, {"started": f"join-{invited.token}"}) for someone in (maria, petr)))
    joined = [await office.desk.is_staff(someone) for someone in (maria, petr)]
    assert sorted(joined) == [False, True]
    loser = maria if not joined[0] else petr
    assert last(loser) == texts.INVITATION_WRONG


async def test_who_was_revoked_cannot_edit_what_they_answered(office: Office) -> None:
    maria, _, parent, number = await two_at_a_case(office)
    await maria.presses(f"answer:{number}")
    written = await maria.says("Войдите завтра")
    await parent.waits()
    await revokes(office, maria)
    before, told = await everything_in(office.database), len(parent.heard)
    await maria.edits(written, "Войдите сегодня")
    assert await maria.waits() == [said.NO_LONGER_STAFF]
    assert await everything_in(office.database) == before
    assert len(parent.heard) == told


async def test_who_was_revoked_holds_cards_that_do_nothing(office: Office) -> None:
    maria, _, parent, number = await two_at_a_case(office)
    card = maria.heard[-1]
    await maria.presses(f"answer:{number}")
    await maria.waits()
    prompt = maria.heard[-1]
    await revokes(office, maria)
    before, told = await everything_in(office.database), len(parent.heard)
    for label in ("Взять", "Ответить", "Шаблон", "Спросить", "Заметка", "Передать", "Срочно", "Закрыть"):
        await maria.presses(payload(card, label))
        assert await maria.waits() == [said.NO_LONGER_STAFF]
    for shown in (card, prompt):
        await replies(maria, shown, "Всё исправили")
        assert await maria.waits() == [said.NO_LONGER_STAFF]
    assert await everything_in(office.database) == before
    assert len(parent.heard) == told
    # Otherwise she is a parent like any other.
    await maria.says("забыл пароль от госуслуг")
    assert "8 800" in "\n".join(await maria.waits())
