"""The rules of the dialog, one by one."""

from __future__ import annotations

import re

import pytest

from bot.channels.telegram.listening import COMMANDS
from faq.markup import plain
from handlers.desk import Helpdesk
from handlers.knowledge import Knowledge
from handlers.parents.escalation import WAIT_FOR_SCHOOL
from handlers.texts import basics as texts
from storage import journal, people, tickets
from tests.handlers.desk import PHOTO, Desk
from tests.stumbling import STUMBLE, StumblingKnowledge

QUESTION = "забыл пароль от госуслуг"
CODE = "8 800 100-70-10"
HUGE = "9" * 200


async def test_a_complete_question_is_answered_after_a_second_and_a_half(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says(f"{QUESTION}?")
    assert await parent.waits(seconds=1) == []
    (answer,) = await parent.waits(seconds=1)
    assert CODE in answer


async def test_a_fragment_is_waited_for_longer_and_joined(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("забыл пароль")
    assert await parent.waits(seconds=3) == []
    await parent.says("от госуслуг")
    assert await parent.waits(seconds=3) == []
    (answer,) = await parent.waits(seconds=3)
    assert CODE in answer


async def test_a_line_after_which_nothing_comes_is_answered_at_once(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says(QUESTION, whole=True)
    (answer,) = await parent.waits(seconds=0)
    assert CODE in answer


async def test_a_greeting_comes_once_and_with_the_notice(desk: Desk) -> None:
    parent = desk.person()
    await parent.says(QUESTION)
    greeting, answer = await parent.waits()
    assert texts.NOTICE in greeting
    assert CODE in answer
    await parent.says("здравствуйте")
    assert await parent.waits() == [texts.GREETING_AGAIN]
    assert (await desk.known(parent)).greeted_at is not None
    async with desk.database.reading() as tx:
        assert (await journal.count(tx))["greeted"] == 1


async def test_who_knows_an_older_notice_sees_the_new_one_once_and_it_is_recorded(desk: Desk) -> None:
    parent = await desk.parent()
    known = await desk.known(parent)
    async with desk.database.transaction() as tx:
        await people.note_greeted(tx, known.id, notice_version="2020-01", now=desk.clock.now())
    await parent.says("здравствуйте")
    assert await parent.waits() == [texts.NOTICE_CHANGED, texts.GREETING_AGAIN]
    assert (await desk.known(parent)).notice_version == texts.NOTICE_VERSION
    await parent.says(QUESTION)
    assert texts.NOTICE_CHANGED not in await parent.waits()
    async with desk.database.reading() as tx:
        assert (await journal.count(tx))["greeted"] == 2


async def test_a_new_notice_reaches_a_parent_who_writes_to_the_staff(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await desk.opens_question(parent)
    known = await desk.known(parent)
    async with desk.database.transaction() as tx:
        await people.note_greeted(tx, known.id, notice_version="2020-01", now=desk.clock.now())
    await parent.says("есть новости?")
    assert await parent.waits() == [texts.NOTICE_CHANGED]
    assert "есть новости?" in colleague.heard[-1].text


async def test_a_stranger_who_blocks_the_bot_is_nobody_to_remember(desk: Desk) -> None:
    stranger, parent = desk.person(), await desk.parent()
    for each in (stranger, parent):
        await desk.takes(each, reachable=False)
    async with desk.database.reading() as tx:
        assert await people.at(tx, stranger.address.channel, stranger.address.chat_id) is None
        assert (await journal.count(tx))["blocked"] == 1
    assert (await desk.known(parent)).unreachable == "blocked"


@pytest.mark.parametrize("command", [each.command for each in COMMANDS])
async def test_every_command_of_the_menu_is_obeyed_at_once(desk: Desk, command: str) -> None:
    parent = await desk.parent()
    await parent.says(f"/{command}")
    (said,) = await parent.waits(seconds=0)
    assert (plain(texts.HELP) == said) == (command == "help")


async def test_a_misunderstanding_is_rephrased_once_and_counted_anew_after_an_answer(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("фываолдж")
    assert await parent.waits() == [texts.REPHRASE]
    await parent.says(QUESTION)
    await parent.waits()
    await parent.says("йцукенгш")
    assert await parent.waits() == [texts.REPHRASE]
    await parent.says("фываолдж")
    assert await parent.waits() == [texts.NOT_UNDERSTOOD, texts.ASK_SCHOOL]


@pytest.mark.parametrize(
    "payload",
    ["", "nonsense", "t:no-such-topic", f"t:{HUGE}", f"ok:{HUGE}", f"no:{HUGE}", "cancel", "noschool"],
)
async def test_a_button_that_means_nothing_now_is_explained(desk: Desk, payload: str) -> None:
    parent = await desk.parent()
    await parent.presses(payload)
    assert await parent.waits() == [texts.CHOICE_GONE]


@pytest.mark.parametrize("number", [HUGE, "-1", "0", "1e3", "٣", " 1", "1 ", ""])
async def test_a_number_that_is_no_question_closes_nothing(desk: Desk, number: str) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    await desk.opens_question(parent)
    await colleague.waits()
    await parent.presses(f"solved:{number}")
    assert await parent.waits() == [texts.CHOICE_GONE]
    assert await colleague.waits() == []


async def test_nobody_closes_the_question_of_another(desk: Desk) -> None:
    colleague = await desk.colleague()
    parent, stranger = await desk.parent(), await desk.parent("Чужой")
    number = await desk.opens_question(parent)
    await colleague.waits()
    await stranger.presses(f"solved:{number}")
    assert await stranger.waits() == [texts.CHOICE_GONE]
    assert await colleague.waits() == []


@pytest.mark.parametrize("deed", ["answer", "close", "card", "send", "open"])
async def test_a_parent_cannot_do_what_the_staff_do(desk: Desk, deed: str) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.waits()
    stranger = await desk.parent("Чужой")
    await stranger.presses(f"{deed}:{number}" if deed != "open" else deed)
    assert await stranger.waits() == [texts.CHOICE_GONE]
    assert await parent.waits() == []
    async with desk.database.reading() as tx:
        ticket = await tickets.find(tx, number)
    assert ticket is not None
    assert ticket.state == "waiting"


@pytest.mark.parametrize("deed", ["answer", "close", "card"])
@pytest.mark.parametrize("number", ["999", HUGE, "-1", "x", ""])
async def test_a_wrong_number_is_told_to_the_staff(desk: Desk, deed: str, number: str) -> None:
    colleague = await desk.colleague()
    await colleague.presses(f"{deed}:{number}")
    assert await colleague.waits() == [texts.TICKET_UNKNOWN]


async def test_the_question_goes_on_without_a_school_after_ten_minutes(desk: Desk) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    await parent.presses("human")
    assert await parent.waits(seconds=WAIT_FOR_SCHOOL.total_seconds() - 1) == [texts.ASK_SCHOOL]
    assert await colleague.waits(seconds=0) == []
    (told,) = await parent.waits(seconds=2)
    assert "Передал вопрос" in told
    (card,) = [message.text for message in colleague.heard if "Школа" in message.text]
    assert texts.SCHOOL_SKIPPED in card


async def test_an_answer_given_while_the_school_is_asked_does_not_lose_the_question(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.presses("t:login-code-not-coming")
    await parent.waits()
    (told,) = await parent.waits(minutes=11)
    assert "Передал вопрос" in told


async def test_what_helped_ends_the_wish_for_a_human(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.presses("ok:login-code-not-coming")
    assert (await parent.waits())[-1] == texts.HELPED
    assert await parent.waits(minutes=11) == []


async def test_starting_anew_ends_the_question_about_the_school(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.starts()
    await parent.says(QUESTION)
    assert CODE in (await parent.waits())[-1]


async def test_state_survives_a_restart(desk: Desk, knowledge: Knowledge) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    await parent.presses("human")
    await parent.says("школа 5, Майкоп")
    desk.helpdesk = Helpdesk(desk.database, knowledge, now=desk.clock.now)
    assert "Передал вопрос" in (await parent.waits())[-1]
    assert "школа 5, Майкоп" in colleague.heard[-1].text


async def test_an_event_is_taken_once(desk: Desk) -> None:
    parent = await desk.parent()
    for _ in range(3):
        await desk.takes(parent, text=QUESTION, message_id="1001", event_id="the same")
    assert len(await parent.waits()) == 1


async def test_checked_files_of_a_joined_question_stand_on_the_card(desk: Desk) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    await parent.says("", attachments=(PHOTO,))
    await parent.says("вот что на экране, всё сломано")
    await parent.waits()
    number = await desk.opens_question(parent)
    (question,) = await parent.waits_for_messages()
    await parent.presses(question.buttons[0][0].payload)
    await colleague.presses(f"card:{number}")
    card = (await colleague.waits_for_messages())[-1]
    assert "вот что на экране" in card.text
    assert [file.ref for file in card.attachments] == [PHOTO.ref]


async def test_an_edit_before_the_answer_replaces_the_words(desk: Desk) -> None:
    parent = await desk.parent()
    number = await parent.says("сколько стоит велосипед")
    await parent.edits(number, QUESTION)
    (answer,) = await parent.waits()
    assert CODE in answer


async def test_what_waited_for_the_bot_is_read_by_the_human_who_answers_first(desk: Desk) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    number = await desk.opens_question(parent)
    await parent.presses("bot")
    await parent.waits()
    await colleague.waits()
    await parent.says("и ещё про оценки")
    await colleague.presses(f"answer:{number}")
    await colleague.says("Здравствуйте!")
    heard = await colleague.waits()
    assert any("и ещё про оценки" in words for words in heard)
    assert len(await parent.waits()) == 0
    assert "Здравствуйте!" in parent.heard[-1].text


async def test_a_question_closed_meanwhile_leaves_the_new_one_to_the_bot(desk: Desk) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    number = await desk.opens_question(parent)
    await parent.presses("bot")
    await parent.waits()
    await parent.says(QUESTION)
    await colleague.presses(f"close:{number}")
    heard = await parent.waits()
    assert any(CODE in words for words in heard)
    assert any(re.search(f"Вопрос № {number} закрыт", words) for words in heard)


@pytest.fixture
def stumbling(desk: Desk, knowledge: Knowledge) -> StumblingKnowledge:
    """The base of this desk has a bug in it."""
    faulty = StumblingKnowledge(knowledge)
    desk.helpdesk = Helpdesk(desk.database, faulty, now=desk.clock.now)
    return faulty


async def test_a_bug_in_one_answer_does_not_keep_the_others_waiting(
    desk: Desk, stumbling: StumblingKnowledge
) -> None:
    colleague = await desk.colleague()
    first, second = await desk.parent(), await desk.parent("Ольга")
    await first.says(f"{STUMBLE} на этом")
    await second.says(QUESTION)
    assert await first.waits() == [texts.MISHAP]
    assert CODE in second.heard[-1].text
    assert f"{STUMBLE} на этом" in colleague.heard[-1].text
    # A second bug on the way to the staff: it is tried again later, and nobody else waits for it.
    stumbling.broken.add("password-recovery")
    await second.says(f"{STUMBLE} ещё раз")
    assert await second.waits() == []
    await first.presses("menu")
    assert await first.waits() == [texts.CHOOSE_SECTION]
    stumbling.broken.clear()
    assert await second.waits(minutes=6) == [texts.MISHAP]
    assert f"{STUMBLE} ещё раз" in colleague.heard[-1].text


async def test_a_bug_met_by_the_staff_opens_no_question_and_is_told(
    desk: Desk, stumbling: StumblingKnowledge
) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    await parent.says(QUESTION)
    await parent.waits()
    number = await desk.opens_question(parent)
    await colleague.waits()
    stumbling.broken.add("password-recovery")
    await colleague.presses(f"card:{number}")
    assert await colleague.waits() == [texts.STAFF_MISHAP]
    async with desk.database.reading() as tx:
        assert len(await tickets.list_open(tx)) == 1


async def test_an_invitation_that_is_not_ours_leaves_a_parent_with_the_menu(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.starts("join-nonsense")
    (told,) = await parent.waits_for_messages()
    assert told.text == texts.INVITATION_WRONG
    assert told.buttons


async def test_who_subscribes_again_is_shown_the_way_on(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("/subscribe")
    (told,) = await parent.waits_for_messages()
    assert told.text == texts.UNMUTED
    assert told.buttons


async def test_back_with_the_bot_a_parent_is_asked_to_write(desk: Desk) -> None:
    parent = await desk.parent()
    await desk.opens_question(parent)
    await parent.presses("bot")
    (told,) = await parent.waits()
    assert "напишите" in told


async def test_a_question_typed_before_the_human_is_called_off_is_answered(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.waits()
    await parent.says(QUESTION)
    await parent.presses("cancel")
    assert CODE in (await parent.waits())[-1]


async def test_a_school_typed_before_a_second_press_is_taken_at_once(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.waits()
    await parent.says("школа 5, Майкоп")
    await parent.presses("human")
    assert "Передал вопрос" in (await parent.waits())[-1]


@pytest.mark.parametrize("words", ["назад", "Заново", "начать заново"])
async def test_back_is_no_name_of_a_school(desk: Desk, words: str) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.says(words)
    assert (await parent.waits())[-1] == texts.CANCELLED


async def test_a_human_is_called_also_right_after_a_question(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("личность не подтверждена")
    await parent.says("Оператора!")
    assert await parent.waits() == [texts.ASK_SCHOOL]


async def test_the_school_is_not_taken_for_what_to_call_a_child(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("fam:add")
    await parent.presses("human")
    await parent.waits()
    await parent.says("школа 5, Майкоп")
    assert "Передал вопрос" in (await parent.waits())[-1]
