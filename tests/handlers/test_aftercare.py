"""After a question was closed: the mark, the way back, and «Получилось войти?» two days later."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from faq.markup import plain
from handlers.knowledge import Knowledge
from handlers.messages import Outgoing
from handlers.parents import aftercare
from handlers.texts import basics as texts
from handlers.texts import own_question as said
from storage import conversations, journal, tickets
from storage.conversations import Mode
from storage.database import Database
from storage.ticket import Ticket
from tests.clock import StoppedClock
from tests.handlers.desk import PHOTO, Desk, Someone

QUESTION = "забыл пароль от госуслуг"
CODE = "8 800 100-70-10"


@pytest.fixture
def either(database: Database, knowledge: Knowledge) -> Desk:
    """A desk on SQLite, and one on PostgreSQL: where several touch one thing at the same moment."""
    return Desk(database, knowledge, StoppedClock())


async def closes(desk: Desk, colleague: Someone, parent: Someone) -> int:
    """Open a question, answer it and close it; the number."""
    number = await desk.opens_question(parent)
    await colleague.presses(f"answer:{number}")
    await colleague.says("Проверьте сейчас")
    await colleague.presses(f"close:{number}")
    await parent.waits()
    assert parent.heard[-1].text == texts.ticket_closed(number)
    return number


async def ticket(desk: Desk, number: int) -> Ticket:
    async with desk.database.reading() as tx:
        found = await tickets.find(tx, number)
    assert found is not None
    return found


async def mode(desk: Desk, parent: Someone) -> Mode | None:
    async with desk.database.reading() as tx:
        return await conversations.mode_at(tx, parent.address.channel, parent.address.chat_id)


async def follow_up(desk: Desk, knowledge: Knowledge) -> int:
    """One tick of the job."""
    return await aftercare.ask_got_in(desk.database, knowledge, now=desk.clock.now)


async def at_local_hour(desk: Desk, hour: int, *, days: int) -> None:
    """Let so many days pass, until it is this hour in the region (Moscow time)."""
    now = desk.clock.now()
    then = (now + timedelta(days=days)).replace(hour=(hour - 3) % 24, minute=30)
    await desk.passes(then - now)


def labels(message: Outgoing) -> list[list[str]]:
    return [[button.label for button in row] for row in message.buttons]


async def test_the_staff_close_and_the_parent_gives_a_mark(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    assert labels(parent.heard[-1]) == [["1", "2", "3", "4", "5"], [said.BUTTON_UNSOLVED]]
    await parent.presses(f"mark:{number}:2")
    (told,) = await parent.waits_for_messages()
    assert told.text == said.marked(2)
    assert labels(told) == [[said.BUTTON_UNSOLVED]]
    for _ in range(2):
        await parent.presses(f"mark:{number}:5")
        assert await parent.waits() == [said.marked(5)]
    assert (await ticket(desk, number)).mark == 5
    async with desk.database.reading() as tx:
        assert (await journal.count(tx))["marked"] == 2
    assert await mode(desk, parent) == "closed"


async def test_the_parent_closes_and_is_asked_only_for_the_mark(desk: Desk) -> None:
    await desk.colleague()
    parent = await desk.parent()
    number = await desk.opens_question(parent)
    await parent.presses(f"solved:{number}")
    (told,) = await parent.waits_for_messages()
    assert labels(told) == [["1", "2", "3", "4", "5"]]
    await parent.says("4")
    assert await parent.waits() == [said.marked(4)]
    assert (await ticket(desk, number)).mark == 4


async def test_a_mark_is_given_by_its_own_parent_in_time_and_from_1_to_5(desk: Desk) -> None:
    colleague, parent, stranger = await desk.colleague(), await desk.parent(), await desk.parent("Чужой")
    number = await closes(desk, colleague, parent)
    await stranger.presses(f"mark:{number}:1")
    assert await stranger.waits() == [texts.CHOICE_GONE]
    for wrong in ("0", "6", "x", "", "55555555555555555555555"):
        await parent.presses(f"mark:{number}:{wrong}")
        assert await parent.waits() == [texts.CHOICE_GONE]
    await parent.waits(days=8)
    await parent.presses(f"mark:{number}:1")
    assert await parent.waits() == [said.TOO_LATE_TO_MARK]
    assert (await ticket(desk, number)).mark is None


async def test_a_message_within_a_week_opens_the_question_again(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    await parent.waits(days=6)
    before = len(colleague.heard)
    await parent.says("опять пишет, что аккаунт не найден")
    (told,) = await parent.waits()
    assert told == plain(said.reopened_by_message(number))
    again = await ticket(desk, number)
    assert (again.state, again.closed_at, again.reopened, again.follow_up_at) == ("waiting", None, 1, None)
    assert await mode(desk, parent) == "human"  # whoever had it has it again
    (news,) = colleague.heard[before:]
    assert f"№ {number}" in news.text
    assert "аккаунт не найден" in news.text
    assert again.answer_due_at is not None
    assert again.answer_due_at > desk.clock.now() - timedelta(minutes=1)
    await parent.says("и кнопка серая")
    await parent.waits()
    assert "и кнопка серая" in colleague.heard[-1].text


async def test_nobody_has_a_question_whose_owner_left(desk: Desk) -> None:
    colleague, other = await desk.colleague(), await desk.colleague("Ольга")
    parent = await desk.parent()
    number = await closes(desk, colleague, parent)
    await desk.takes(colleague, reachable=False)
    before = len(other.heard)
    await parent.says("опять не входит в дневник")
    await parent.waits()
    assert (await ticket(desk, number)).owner_id is None
    assert await mode(desk, parent) == "waiting_human"
    (card,) = other.heard[before:]
    assert "опять не входит" in card.text
    assert card.buttons


@pytest.mark.parametrize(
    "words", ["спасибо!", "ок", "👍", "здравствуйте", "мои дети", "мой вопрос", "подписаться"]
)
async def test_a_courtesy_or_a_word_to_the_bot_opens_nothing(desk: Desk, words: str) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    before = len(colleague.heard)
    await parent.says(words)
    assert await parent.waits() != []
    assert (await ticket(desk, number)).state == "closed"
    assert len(colleague.heard) == before
    # What comes after it is still about the question.
    if words != "мои дети":
        await parent.says("но опять не пускает")
        await parent.waits()
        assert (await ticket(desk, number)).state == "waiting"


async def test_old_buttons_open_nothing(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    for payload in (
        "bot",
        f"solved:{number}",
        "t:login-code-not-coming",
        "ok:login-code-not-coming",
        "cancel",
    ):
        await parent.presses(payload)
        await parent.waits()
        assert (await ticket(desk, number)).state == "closed"


async def test_a_photo_after_closing_is_checked_first(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    await parent.says("", attachments=(PHOTO,))
    told, asked = await parent.waits_for_messages()
    assert told.text == said.reopened_by_message(number)
    assert all(not message.attachments for message in colleague.heard)
    await parent.presses(asked.buttons[0][0].payload)
    await parent.waits()
    assert [file.ref for file in colleague.heard[-1].attachments] == [PHOTO.ref]


async def test_it_was_about_something_else_and_the_bot_answers(either: Desk) -> None:
    colleague, parent = await either.colleague(), await either.parent()
    number = await closes(either, colleague, parent)
    closed = await ticket(either, number)
    await parent.says(QUESTION)
    (told,) = await parent.waits_for_messages()
    await parent.presses(told.buttons[0][0].payload)
    back, answer = await parent.waits()
    assert back == said.closed_again(number)
    assert CODE in answer
    assert await ticket(either, number) == closed
    assert await mode(either, parent) == "bot"
    assert plain(colleague.heard[-1].text) == said.staff_closed_again(number)
    async with either.database.reading() as tx:
        assert QUESTION not in [message.text for message in await conversations.thread(tx, number)]
    # Pressed once more it changes nothing.
    await parent.presses(told.buttons[0][0].payload)
    assert await parent.waits() == [texts.ALREADY_CLOSED]
    # From here on the bot has to do with it.
    await parent.says(QUESTION)
    assert CODE in (await parent.waits())[-1]


async def test_once_the_staff_have_answered_only_the_bot_comes_back(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    await parent.says(QUESTION)
    (told,) = await parent.waits_for_messages()
    await colleague.presses(f"answer:{number}")
    await colleague.says("Восстановите его на Госуслугах")
    await parent.waits()
    await parent.presses(told.buttons[0][0].payload)
    assert await parent.waits() == [texts.BACK_WITH_BOT]
    assert (await ticket(desk, number)).state == "answered"
    stranger = await desk.parent("Чужой")
    await stranger.presses(told.buttons[0][0].payload)
    assert await stranger.waits() == [texts.CHOICE_GONE]


async def test_after_a_week_a_message_is_a_new_question_linked_to_the_old(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    first = await closes(desk, colleague, parent)
    await parent.waits(days=7, seconds=60)
    await parent.says(QUESTION)
    assert CODE in (await parent.waits())[-1]
    second = await desk.opens_question(parent)
    assert second != first
    assert (await ticket(desk, first)).state == "closed"
    assert (await ticket(desk, second)).previous_id == first


async def test_not_solved_opens_the_question_again(desk: Desk) -> None:
    colleague, parent, stranger = await desk.colleague(), await desk.parent(), await desk.parent("Чужой")
    number = await closes(desk, colleague, parent)
    await stranger.presses(f"unsolved:{number}")
    assert await stranger.waits() == [texts.CHOICE_GONE]
    await parent.presses(f"unsolved:{number}")
    assert await parent.waits() == [said.reopened_by_press(number)]
    assert "не решено" in colleague.heard[-1].text
    await parent.presses(f"unsolved:{number}")
    assert await parent.waits() == [said.STILL_OPEN.format(number=number)]
    assert (await ticket(desk, number)).reopened == 1
    await parent.presses(f"mark:{number}:5")
    assert await parent.waits() == [said.MARK_NEXT_TIME.format(number=number)]
    await parent.says("та же ошибка")
    await parent.waits()
    assert "та же ошибка" in colleague.heard[-1].text


async def test_not_solved_after_a_week_is_a_new_question(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    await parent.waits(days=8)
    await parent.presses(f"unsolved:{number}")
    (told,) = await parent.waits_for_messages()
    assert told.text == said.TOO_LATE_TO_REOPEN.format(number=number)
    assert told.buttons
    assert (await ticket(desk, number)).state == "closed"


@pytest.mark.parametrize(("words", "state"), [("да", "closed"), ("нет", "waiting"), ("Не решено", "waiting")])
async def test_a_word_right_after_the_question_is_the_answer(desk: Desk, words: str, state: str) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    await parent.says(words)
    expected = said.GLAD if state == "closed" else said.reopened_by_press(number)
    assert await parent.waits() == [expected]
    assert (await ticket(desk, number)).state == state


async def test_two_days_later_they_are_asked_once_and_by_day(either: Desk, knowledge: Knowledge) -> None:
    colleague, parent = await either.colleague(), await either.parent()
    number = await closes(either, colleague, parent)
    await at_local_hour(either, 12, days=1)
    assert await follow_up(either, knowledge) == 0
    await at_local_hour(either, 21, days=2)
    assert await follow_up(either, knowledge) == 0
    await at_local_hour(either, 9, days=1)
    before = len(parent.heard)
    asked = await asyncio.gather(*(follow_up(either, knowledge) for _ in range(3)))
    assert sum(asked) == 1
    assert await follow_up(either, knowledge) == 0
    await parent.waits()
    (question,) = parent.heard[before:]
    assert question.text == said.ask_got_in(number)
    assert labels(question) == [[said.BUTTON_YES, said.BUTTON_NO]]
    for _ in range(2):
        await parent.presses(f"gotin:{number}:yes")
        assert await parent.waits() == [said.GOT_IN]
    found = await ticket(either, number)
    assert (found.got_in, found.state) == (True, "closed")
    async with either.database.reading() as tx:
        assert (await journal.count(tx))["got_in"] == 1


async def asked_two_days_later(desk: Desk, knowledge: Knowledge) -> tuple[Someone, Someone, int]:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    await at_local_hour(desk, 12, days=3)
    assert await follow_up(desk, knowledge) == 1
    await parent.waits()
    return colleague, parent, number


@pytest.mark.parametrize("typed", [True, False])
async def test_who_did_not_get_in_is_back_with_the_staff(
    desk: Desk, knowledge: Knowledge, typed: bool
) -> None:
    colleague, parent, number = await asked_two_days_later(desk, knowledge)
    await (parent.says("Нет") if typed else parent.presses(f"gotin:{number}:no"))
    assert await parent.waits() == [said.reopened_by_press(number)]
    found = await ticket(desk, number)
    assert (found.got_in, found.state, found.reopened) == (False, "waiting", 1)
    assert "войти не получилось" in colleague.heard[-1].text
    await parent.presses(f"gotin:{number}:no")
    assert await parent.waits() == [said.STILL_OPEN.format(number=number)]
    await parent.presses(f"gotin:{number}:yes")
    assert await parent.waits() == [said.GOT_IN_BUT_OPEN.format(number=number)]
    assert (await ticket(desk, number)).reopened == 1


async def test_yes_in_words_counts_too(desk: Desk, knowledge: Knowledge) -> None:
    _, parent, number = await asked_two_days_later(desk, knowledge)
    await parent.says("Да, получилось!")
    assert await parent.waits() == [said.GOT_IN]
    assert (await ticket(desk, number)).got_in is True


async def test_an_answer_that_comes_late_is_kept_and_opens_nothing(desk: Desk, knowledge: Knowledge) -> None:
    _, parent, number = await asked_two_days_later(desk, knowledge)
    await parent.waits(days=9)
    await parent.presses(f"gotin:{number}:no")
    (told,) = await parent.waits_for_messages()
    assert told.text == said.TOO_LATE_TO_REOPEN.format(number=number)
    found = await ticket(desk, number)
    assert (found.got_in, found.state) == (False, "closed")


async def test_a_stranger_cannot_say_how_it_went(desk: Desk, knowledge: Knowledge) -> None:
    _, _, number = await asked_two_days_later(desk, knowledge)
    stranger = await desk.parent("Чужой")
    await stranger.presses(f"gotin:{number}:no")
    assert await stranger.waits() == [texts.CHOICE_GONE]
    assert (await ticket(desk, number)).got_in is None


@pytest.mark.parametrize("why", ["forgotten", "blocked", "reopened", "another"])
async def test_who_should_not_be_asked_is_not(desk: Desk, knowledge: Knowledge, why: str) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    if why == "forgotten":
        await parent.presses("forget:yes")
    elif why == "blocked":
        await desk.takes(parent, reachable=False)
    elif why == "reopened":
        await parent.presses(f"unsolved:{number}")
    else:
        await parent.presses("menu")
        await desk.opens_question(parent)
    await parent.waits()
    await at_local_hour(desk, 12, days=3)
    assert await follow_up(desk, knowledge) == 0
    before = len(parent.heard)
    await parent.waits()
    assert len(parent.heard) == before


async def test_nobody_is_asked_in_the_middle_of_something(desk: Desk, knowledge: Knowledge) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await closes(desk, colleague, parent)
    await at_local_hour(desk, 12, days=3)
    await parent.presses("human")
    await parent.waits()
    assert await follow_up(desk, knowledge) == 0
    await parent.presses("cancel")
    await parent.waits()
    assert await follow_up(desk, knowledge) == 1
    assert (await ticket(desk, number)).follow_up_at is None


async def test_the_outcome_stands_beside_the_topic(desk: Desk, knowledge: Knowledge) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says(QUESTION)
    await parent.waits()
    number = await closes(desk, colleague, parent)
    await at_local_hour(desk, 12, days=3)
    await follow_up(desk, knowledge)
    await parent.presses(f"gotin:{number}:yes")
    found = await ticket(desk, number)
    assert (found.got_in, found.topic) == (True, (found.topic or "none of the topics"))
    assert found.leaf is None


async def test_who_wants_no_announcements_is_asked_about_their_own_question(
    desk: Desk, knowledge: Knowledge
) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await closes(desk, colleague, parent)
    await parent.says("стоп")
    await parent.waits()
    await at_local_hour(desk, 12, days=3)
    assert await follow_up(desk, knowledge) == 1


async def test_not_solved_pressed_twice_at_once_opens_it_once(either: Desk) -> None:
    colleague, parent = await either.colleague(), await either.parent()
    number = await closes(either, colleague, parent)
    await asyncio.gather(*(parent.presses(f"unsolved:{number}") for _ in range(2)))
    assert sorted(await parent.waits()) == sorted(
        [said.reopened_by_press(number), said.STILL_OPEN.format(number=number)]
    )
    assert (await ticket(either, number)).reopened == 1


async def test_what_is_said_at_the_moment_of_closing_is_not_lost(either: Desk) -> None:
    colleague, parent = await either.colleague(), await either.parent()
    number = await either.opens_question(parent)
    await asyncio.gather(colleague.presses(f"close:{number}"), parent.says("и ещё одно про дневник"))
    await parent.waits()
    async with either.database.reading() as tx:
        thread = [message.text for message in await conversations.thread(tx, number)]
    assert "и ещё одно про дневник" in thread
    is_open = (await ticket(either, number)).state != "closed"
    assert await mode(either, parent) == ("waiting_human" if is_open else "closed")


async def test_a_correction_after_closing_reaches_the_staff_and_not_the_bot(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    message = await parent.says("класс 5 Б")
    await colleague.presses(f"close:{number}")
    await parent.waits()
    await parent.edits(message, "класс 6 Б, и всё ещё не открывается")
    assert await parent.waits() == [plain(said.reopened_by_message(number))]
    assert "класс 6 Б" in colleague.heard[-1].text
    assert (await ticket(desk, number)).state == "waiting"

    heard = len(colleague.heard)
    await parent.presses(f"reclose:{number}")
    assert await parent.waits() == [plain(said.closed_again(number))]
    assert (await ticket(desk, number)).state == "closed"
    assert len(colleague.heard) == heard + 1


async def test_a_courtesy_put_in_the_place_of_words_opens_nothing(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    message = await parent.says("класс 5 Б")
    await colleague.presses(f"close:{number}")
    await parent.waits()
    await parent.edits(message, "спасибо")
    await parent.waits()
    assert (await ticket(desk, number)).state == "closed"


async def test_a_correction_of_words_to_the_staff_reaches_them_while_the_bot_talks(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await desk.opens_question(parent)
    message = await parent.says("класс 5 Б")
    await parent.presses("bot")
    await parent.waits()
    await parent.edits(message, "класс 6 Б")
    assert await parent.waits() == []
    assert "класс 6 Б" in colleague.heard[-1].text
    assert await mode(desk, parent) == "bot"
