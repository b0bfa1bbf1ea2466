"""«Забудь меня»: what the parent and the staff hear, and what is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from handlers.dialog_state import DialogState
from handlers.errors import HelpdeskError
from handlers.knowledge import Knowledge
from handlers.parents import forgetting
from handlers.texts import family as texts
from handlers.turn import Turn
from storage import conversations, family, journal, people, tickets
from storage.database import Database
from tests.handlers.desk import Desk, Someone
from tests.handlers.timekeeping import Office

SAID = "всё сломано у Кузнечиковой"


@asynccontextmanager
async def turn_of(desk: Desk, someone: Someone) -> AsyncIterator[Turn]:
    now = desk.clock.now()
    async with desk.database.transaction() as tx:
        address = someone.address
        person = await people.meet(tx, address.channel, address.chat_id, name=someone.name, now=now)
        talk = await conversations.of_person(tx, person.id, now=now)
        yield Turn(tx, now, desk.helpdesk._knowledge, person, talk, DialogState())


async def press(desk: Desk, someone: Someone, argument: str) -> list[str]:
    async with turn_of(desk, someone) as turn:
        await forgetting.press(turn, argument)
    return await someone.waits()


async def test_a_parent_is_asked_once_and_then_forgotten(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent, SAID)
    await colleague.waits()
    assert await press(desk, parent, "ask") == [texts.ASK_FORGET]
    assert await press(desk, parent, "no") == [texts.KEPT]
    assert await desk.known(parent)
    assert await press(desk, parent, "yes") == [texts.FORGOTTEN]
    assert texts.parent_forgotten(number) in [message.text for message in colleague.heard]
    async with desk.database.reading() as tx:
        assert await people.at(tx, parent.address.channel, parent.address.chat_id) is None
        ticket = await tickets.find(tx, number)
        assert ticket is not None
        assert (ticket.state, ticket.person_id) == ("closed", 0)
        assert (await journal.count(tx))["forgotten"] == 1


async def test_the_last_message_is_not_kept_as_a_part_of_a_conversation(desk: Desk) -> None:
    parent = await desk.parent()
    await press(desk, parent, "yes")
    async with turn_of(desk, parent) as turn:
        assert await conversations.history(turn.tx, turn.conversation.id) == []
        assert turn.person.greeted_at is None


async def test_the_button_pressed_twice_does_no_harm(desk: Desk) -> None:
    parent = await desk.parent()
    await press(desk, parent, "yes")
    assert await press(desk, parent, "yes") == [texts.FORGOTTEN]


async def test_other_channels_of_the_family_are_named(desk: Desk) -> None:
    parent, other = await desk.parent(), desk.person("Пётр", channel="vk")
    async with turn_of(desk, parent) as turn, turn_of_same(turn, other) as second:
        await family.join(turn.tx, turn.person.id, second, now=turn.now)
    assert texts.FORGOTTEN_ELSEWHERE in (await press(desk, parent, "yes"))[-1]


@asynccontextmanager
async def turn_of_same(turn: Turn, someone: Someone) -> AsyncIterator[int]:
    """The number of another person, met in the same transaction."""
    met = await people.meet(
        turn.tx, someone.address.channel, someone.address.chat_id, name=someone.name, now=turn.now
    )
    yield met.id


async def test_staff_are_refused_with_a_sentence(desk: Desk) -> None:
    colleague = await desk.colleague()
    with pytest.raises(HelpdeskError, match="отзовите доступ"):
        await press(desk, colleague, "yes")
    assert await desk.is_staff(colleague)


async def test_only_the_desk_hears_that_a_question_needs_no_answer(
    database: Database, knowledge: Knowledge
) -> None:
    office = Office(database, knowledge)
    school, other = await office.school(), await office.school("Лицей № 8")
    admin, stranger = await office.admin(school), await office.admin(other, "Ольга")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    heard = len(stranger.heard)
    await parent.presses("forget:yes")
    assert await parent.waits() == [texts.FORGOTTEN]
    assert admin.heard[-1].text == texts.parent_forgotten(number)
    assert len(stranger.heard) == heard
