"""What the dialog makes of each kind of decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from faq.matching.matcher import Decision
from faq.matching.separating import Separation
from handlers.desk import Helpdesk
from handlers.knowledge import Knowledge
from handlers.messages import Outgoing
from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from storage import conversations
from storage.tables import journal
from tests.handlers.desk import Desk, Someone
from tests.scripted import (
    CHILD_TOPIC,
    CODE_TOPIC,
    NAME_TOPIC,
    PASSWORD_TOPIC,
    SNILS_TOPIC,
    TEEN_TOPIC,
    WHOSE,
    answer,
    clarify,
    scripted,
    unknown,
)

MEALS, CLUBS = "во сколько кормят в столовой?", "какие есть кружки?"
WHOSE_ACCOUNT = "как завести ребёнку учётку?"
TWO = "Не приходит КОД, и ещё забыла пароль!"
HALF_GONE = Separation("Кто входит?", {CHILD_TOPIC: "Ребёнок", "no-such-topic": "Кто-то ещё"})
CODE_WITH_TYPO, CODE_MENDED = "оно ни прихадит?", "оно не приходит?"
SCRIPT: Mapping[str, Decision] = {
    MEALS: unknown("во сколько кормят в столовой", foreign=True),
    CLUBS: unknown("какие есть кружки", foreign=True),
    WHOSE_ACCOUNT: clarify(CHILD_TOPIC, TEEN_TOPIC, NAME_TOPIC, question=WHOSE),
    "только один?": clarify(CHILD_TOPIC, TEEN_TOPIC, question=HALF_GONE),
    "абракадабра бум?": unknown("абракадабра бум"),
    TWO: answer(CODE_TOPIC, "не приходит код", also=(answer(PASSWORD_TOPIC, "и еще забыла пароль"),)),
    "дважды об одном?": answer(CODE_TOPIC, also=(answer(CODE_TOPIC),)),
    "код. снилс. и ёлка во дворе?": answer(
        CODE_TOPIC, "код", also=(clarify(SNILS_TOPIC, NAME_TOPIC, read="снилс"), unknown("и елка во дворе"))
    ),
    "код. как учётку?": answer(
        CODE_TOPIC, "код", also=(clarify(CHILD_TOPIC, TEEN_TOPIC, read="как учетку", question=WHOSE),)
    ),
    "rjl ult. и столовая": answer(CODE_TOPIC, "код где", also=(unknown("столовая как", foreign=True),)),
    "всё сразу: а, б, в, г*, д?": answer(
        CODE_TOPIC,
        "все сразу а",
        also=(answer(PASSWORD_TOPIC, "б"), answer(SNILS_TOPIC, "в"), answer(NAME_TOPIC, "г")),
    ),
    "снилс и фио, столовая?": clarify(
        SNILS_TOPIC, NAME_TOPIC, read="снилс",
        also=(clarify(NAME_TOPIC, SNILS_TOPIC, read="фио"), unknown("столовая", foreign=True)),
    ),
    CODE_WITH_TYPO: answer(CODE_TOPIC),
    CODE_MENDED: answer(CODE_TOPIC),
    f"{CODE_MENDED}\nи где?": answer(CODE_TOPIC),
    "кружки и столовая?": unknown("кружки", foreign=True, also=(unknown("столовая", foreign=True),)),
    "кружки и бум?": unknown("кружки", foreign=True, also=(unknown("бум"),)),
}  # fmt: skip


@pytest.fixture
def knowledge(knowledge: Knowledge) -> Knowledge:
    return scripted(knowledge, SCRIPT)


def labels(message: Outgoing) -> list[str]:
    return [button.label for row in message.buttons for button in row]


def title(desk_knowledge: Knowledge, slug: str) -> str:
    topic = desk_knowledge.topic(slug)
    assert topic is not None
    return topic.title


async def asks(parent: Someone, text: str) -> list[Outgoing]:
    await parent.says(text)
    return await parent.waits_for_messages()


async def deeds(desk: Desk) -> list[tuple[str, str | None, dict[str, Any]]]:
    async with desk.database.reading() as tx:
        rows = (await tx.execute(select(journal).order_by(journal.c.id))).all()
    return [(row.deed, row.topic, row.details) for row in rows if row.deed != "greeted"]


async def state(desk: Desk, someone: Someone) -> Mapping[str, Any]:
    known = await desk.known(someone)
    async with desk.database.reading() as tx:
        return (await conversations.of_person(tx, known.id, now=desk.clock.now())).state


HELP_BUTTONS = [texts.BUTTON_HELPED, texts.BUTTON_NOT_HELPED, texts.BUTTON_HUMAN]


# --- somebody else's matter ---------------------------------------------------------------------------


async def test_a_foreign_matter_is_refused_honestly_and_never_escalates(desk: Desk) -> None:
    parent = await desk.parent()
    (first,) = await asks(parent, MEALS)
    assert first.text == texts.FOREIGN
    assert labels(first) == [texts_diagnosis.BUTTON_START, texts.BUTTON_SECTIONS, texts.BUTTON_HUMAN]
    for _ in range(3):
        (again,) = await asks(parent, CLUBS)
        assert again.text == texts.FOREIGN_AGAIN
        assert labels(again) == labels(first)
    assert [deed for deed, _, _ in await deeds(desk)] == ["foreign"] * 4


async def test_a_foreign_matter_does_not_use_up_the_chance_to_rephrase(desk: Desk) -> None:
    parent = await desk.parent()
    await asks(parent, MEALS)
    assert [message.text for message in await asks(parent, "абракадабра бум?")] == [texts.REPHRASE]
    assert [message.text for message in await asks(parent, MEALS)] == [texts.FOREIGN]


async def test_after_an_answer_a_foreign_matter_is_refused_in_full(desk: Desk) -> None:
    parent = await desk.parent()
    await asks(parent, MEALS)
    await parent.presses(f"t:{CODE_TOPIC}")
    await parent.waits()
    assert [message.text for message in await asks(parent, MEALS)] == [texts.FOREIGN]


async def test_several_foreign_matters_are_refused_once(desk: Desk) -> None:
    parent = await desk.parent()
    assert [message.text for message in await asks(parent, "кружки и столовая?")] == [texts.FOREIGN]


async def test_what_is_foreign_only_in_part_may_be_rephrased(desk: Desk) -> None:
    parent = await desk.parent()
    assert [message.text for message in await asks(parent, "кружки и бум?")] == [texts.REPHRASE]


async def test_a_foreign_matter_is_no_school(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("human")
    await parent.waits()
    assert [message.text for message in await asks(parent, MEALS)] == [texts.ASK_SCHOOL_AGAIN]


# --- the question that tells topics apart -------------------------------------------------------------


async def test_a_separating_question_is_asked_with_its_own_buttons(desk: Desk, knowledge: Knowledge) -> None:
    parent = await desk.parent()
    (question,) = await asks(parent, WHOSE_ACCOUNT)
    assert question.text == WHOSE.ask
    assert labels(question) == [*WHOSE.options.values(), texts.BUTTON_NONE_OF_THESE]
    assert [button.payload for row in question.buttons for button in row] == [
        f"t:{CHILD_TOPIC}",
        f"t:{TEEN_TOPIC}",
        "none",
    ]
    (clarified,) = await deeds(desk)
    assert clarified == ("clarified", CHILD_TOPIC, {"offered": [CHILD_TOPIC, TEEN_TOPIC], "confidence": 0.4})
    await parent.presses(f"t:{TEEN_TOPIC}")
    (answered,) = await parent.waits_for_messages()
    topic = knowledge.topic(TEEN_TOPIC)
    assert topic is not None
    assert answered.text == knowledge.answer(topic)


async def test_none_of_the_options_leads_to_other_words(desk: Desk) -> None:
    parent = await desk.parent()
    await asks(parent, WHOSE_ACCOUNT)
    await parent.presses("none")
    assert await parent.waits() == [texts.REPHRASE]


async def test_a_separating_question_is_not_asked_twice_in_a_row(desk: Desk) -> None:
    parent = await desk.parent()
    await asks(parent, WHOSE_ACCOUNT)
    assert [message.text for message in await asks(parent, WHOSE_ACCOUNT)] == [texts.REPHRASE]


async def test_a_question_whose_topics_are_gone_becomes_a_list_of_topics(desk: Desk) -> None:
    parent = await desk.parent()
    (question,) = await asks(parent, "только один?")
    assert question.text == texts.CLARIFY
    assert len(labels(question)) == 3


# --- several questions in one message -----------------------------------------------------------------


async def test_two_questions_are_answered_in_one_message(desk: Desk, knowledge: Knowledge) -> None:
    parent = await desk.parent()
    (both,) = await asks(parent, TWO)
    code, password = knowledge.topic(CODE_TOPIC), knowledge.topic(PASSWORD_TOPIC)
    assert code is not None
    assert password is not None
    assert both.text == "\n\n".join(
        [
            f"**{code.title}**",
            knowledge.answer(code),
            f"**{password.title}**",
            knowledge.answer(password),
        ]
    )
    assert labels(both) == HELP_BUTTONS
    assert both.buttons[0][1].payload == f"no:{CODE_TOPIC}"
    assert [(deed, topic) for deed, topic, _ in await deeds(desk)] == [
        ("answered", CODE_TOPIC),
        ("answered", PASSWORD_TOPIC),
    ]
    remembered = await state(desk, parent)
    assert remembered["tried"] == [CODE_TOPIC, PASSWORD_TOPIC]
    assert remembered["topic"] == CODE_TOPIC


async def test_the_staff_see_all_answers_that_were_shown(desk: Desk, knowledge: Knowledge) -> None:
    colleague = await desk.colleague()
    parent = await desk.parent()
    await asks(parent, TWO)
    await parent.presses("human")
    await parent.says("школа 5, Майкоп")
    await parent.waits()
    assert (
        f"«{title(knowledge, CODE_TOPIC)}»; «{title(knowledge, PASSWORD_TOPIC)}»" in colleague.heard[-1].text
    )


async def test_two_questions_with_one_answer_are_one_question(desk: Desk, knowledge: Knowledge) -> None:
    parent = await desk.parent()
    (message,) = await asks(parent, "дважды об одном?")
    topic = knowledge.topic(CODE_TOPIC)
    assert topic is not None
    assert message.text == knowledge.answer(topic)


async def test_what_is_unclear_is_asked_after_the_answer_and_what_is_unknown_is_said(desk: Desk) -> None:
    parent = await desk.parent()
    answered, question = await asks(parent, "код. снилс. и ёлка во дворе?")
    assert answered.text.endswith("На вопрос «и ёлка во дворе» ответа у меня нет — можно позвать человека.")
    assert labels(answered) == HELP_BUTTONS
    assert question.text == texts.clarify_too("снилс")
    assert len(labels(question)) == 3
    assert [deed for deed, _, _ in await deeds(desk)] == ["answered", "not_understood", "clarified"]


async def test_the_separating_question_of_a_part_stands_alone(desk: Desk) -> None:
    parent = await desk.parent()
    _, question = await asks(parent, "код. как учётку?")
    assert question.text == WHOSE.ask
    await parent.presses(f"t:{CHILD_TOPIC}")
    await parent.waits()
    assert (await state(desk, parent))["tried"] == [CODE_TOPIC, CHILD_TOPIC]


async def test_words_that_had_to_be_repaired_are_not_quoted(desk: Desk) -> None:
    parent = await desk.parent()
    (message,) = await asks(parent, "rjl ult. и столовая")
    assert texts.no_answer_to("") in message.text
    assert "столовая" not in message.text
    assert [deed for deed, _, _ in await deeds(desk)] == ["answered", "foreign"]


async def test_at_most_three_answers_come_at_once(desk: Desk, knowledge: Knowledge) -> None:
    parent = await desk.parent()
    (message,) = await asks(parent, "всё сразу: а, б, в, г*, д?")
    assert message.text.endswith(texts.ask_apart(["г"]))
    assert title(knowledge, SNILS_TOPIC) in message.text
    assert title(knowledge, NAME_TOPIC) not in message.text
    assert (await state(desk, parent))["tried"] == [CODE_TOPIC, PASSWORD_TOPIC, SNILS_TOPIC]


async def test_without_any_answer_the_first_unclear_question_is_asked(desk: Desk) -> None:
    parent = await desk.parent()
    rest, question = await asks(parent, "снилс и фио, столовая?")
    assert rest.text == f"{texts.no_answer_to('столовая')}\n\n{texts.ask_apart(['фио'])}"
    assert labels(rest) == [texts.BUTTON_HUMAN]
    assert question.text == texts.CLARIFY


def test_a_long_question_is_quoted_in_short() -> None:
    said = texts.no_answer_to("слово " * 40)
    assert len(said) < 130
    assert "…»" in said


def test_what_a_person_typed_is_no_markup() -> None:
    assert r"\*\*код\*\*" in texts.no_answer_to("**код**")


async def test_what_an_older_version_remembered_is_read(desk: Desk, knowledge: Knowledge) -> None:
    parent = await desk.parent()
    await asks(parent, MEALS)
    known = await desk.known(parent)
    async with desk.database.transaction() as tx:
        conversation = await conversations.of_person(tx, known.id, now=desk.clock.now())
        old = {key: value for key, value in conversation.state.items() if key != "foreign"}
        await conversations.remember(tx, conversation.id, old, now=desk.clock.now())
    desk.helpdesk = Helpdesk(desk.database, knowledge, now=desk.clock.now)
    assert [message.text for message in await asks(parent, MEALS)] == [texts.FOREIGN]


# --- corrections --------------------------------------------------------------------------------------


async def test_a_mended_typo_does_not_bring_the_same_answer_again(desk: Desk) -> None:
    parent = await desk.parent()
    number = await parent.says(CODE_WITH_TYPO)
    assert len(await parent.waits()) == 1
    await parent.edits(number, CODE_MENDED)
    assert await parent.waits() == []


async def test_a_correction_that_asks_something_else_is_answered(desk: Desk) -> None:
    parent = await desk.parent()
    number = await parent.says(CODE_WITH_TYPO)
    await parent.waits()
    await parent.edits(number, TWO)
    assert len(await parent.waits()) == 1


async def test_a_typo_mended_before_the_answer_is_answered_even_if_the_same_was_said_before(
    desk: Desk,
) -> None:
    parent = await desk.parent()
    await asks(parent, CODE_WITH_TYPO)
    number = await parent.says(CODE_MENDED)
    await parent.edits(number, CODE_WITH_TYPO)
    assert len(await parent.waits()) == 1


async def test_a_correction_and_new_words_are_answered_even_if_the_answer_is_the_same(desk: Desk) -> None:
    parent = await desk.parent()
    number = await parent.says(CODE_WITH_TYPO)
    await parent.waits()
    await parent.edits(number, CODE_MENDED)
    await parent.says("и где?")
    assert len(await parent.waits()) == 1
