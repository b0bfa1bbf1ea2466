"""«Стоп», «подписки», «Отписаться» under an announcement, coming back after a block; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

import faq
from faq.markup import plain
from faq.text import small_talk
from handlers import deliveries
from handlers.knowledge import Knowledge
from handlers.messages import Outgoing
from handlers.parents.subscriptions import meaning
from handlers.texts import basics as texts
from handlers.texts import subscriptions as said
from handlers.turn import queue
from storage import conversations, outbox, subscriptions
from storage.campaigns.campaign import Category
from storage.database import Database
from tests.clock import StoppedClock
from tests.handlers.desk import Desk, Someone
from tests.handlers.staffroom import labels, presses

ALL: set[Category] = {"important", "reminders", "news"}
QUESTIONS = (
    Path(faq.__file__).parent / "base" / "golden.tsv",
    *(Path(__file__).parents[1] / "data").glob("questions-*.tsv"),
)
QUESTION = "забыл пароль от госуслуг"
TOLD_OF_BLOCK = "Напоминания и новости выключены. Включить?"


@pytest.fixture
def desk(database: Database, knowledge: Knowledge) -> Desk:
    """A desk on each of the databases."""
    return Desk(database, knowledge, StoppedClock())


async def wanted(desk: Desk, someone: Someone) -> set[Category]:
    known = await desk.known(someone)
    async with desk.database.reading() as tx:
        return await subscriptions.wanted(tx, known.id)


async def blocks(desk: Desk, someone: Someone) -> None:
    await desk.takes(someone, reachable=False)


@pytest.mark.parametrize("word", ["подписка", "Подписки", "настройки", "/settings"])
async def test_the_settings_show_three_categories_with_their_switches(desk: Desk, word: str) -> None:
    parent = await desk.parent()
    await parent.says(word)
    (shown,) = await parent.waits_for_messages()
    assert shown.text == said.settings(ALL)
    assert labels(shown) == [
        "Выключить: важные объявления",
        "Выключить: напоминания",
        "Выключить: новости",
        said.BUTTON_NOTHING,
    ]
    assert await presses(parent, "Выключить: новости") == [said.turned_off("news")]
    assert await wanted(desk, parent) == ALL - {"news"}
    assert "Новости: нет" in (await presses(parent, said.BUTTON_SETTINGS))[0]
    assert await presses(parent, "Включить: новости") == [said.turned_on(["news"])]
    assert await wanted(desk, parent) == ALL


async def test_unsubscribe_under_an_announcement_turns_off_its_category_only(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("camp:off:reminders")
    assert await parent.waits() == [said.turned_off("reminders")]
    assert await wanted(desk, parent) == ALL - {"reminders"}
    assert await presses(parent, said.BUTTON_TAKE_BACK) == [said.turned_on(["reminders"])]
    assert await wanted(desk, parent) == ALL


async def test_a_press_a_year_later_still_works(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.waits(days=400)
    await parent.presses("camp:off:news")
    assert await parent.waits() == [said.turned_off("news")]
    await parent.presses("camp:off:weather")
    assert await parent.waits() == [texts.CHOICE_GONE]


@pytest.mark.parametrize(
    "words",
    [
        "стоп",
        "отпишите меня",
        "не присылайте больше",
        "Пожалуйста, не шлите мне больше!",
        "не пишите!",
        "Удалите меня из рассылки",
        "/stop",
    ],
)
async def test_a_sure_stop_turns_off_everything_and_subscribe_all_on_again(desk: Desk, words: str) -> None:
    parent = await desk.parent()
    await parent.presses("camp:off:news")
    await parent.waits()
    await parent.says(words)
    assert (await parent.waits())[-1] == texts.MUTED
    assert await wanted(desk, parent) == set()
    await parent.says("подписаться")
    assert await parent.waits() == [texts.UNMUTED]
    assert await wanted(desk, parent) == ALL


@pytest.mark.parametrize(
    "words",
    [
        "отстаньте",
        "Отстаньте от меня!!!",
        "хватит",
        "надоели ваши рассылки",
        "уберите меня из вашей рассылки",
        "не надо мне ничего слать",
        "я не хочу получать эти сообщения",
        "как отписаться?",
        "прекратите мне писать каждый день",
        "отключите уведомления",
        "это спам!",
        "уберите меня",
        "хочу отказаться от рассылки сообщений",
    ],
)
async def test_an_unsure_stop_is_asked_about(desk: Desk, words: str) -> None:
    parent = await desk.parent()
    await parent.says(words)
    (asked,) = await parent.waits_for_messages()
    assert asked.text == said.ASK_WHAT_TO_STOP
    assert await wanted(desk, parent) == ALL
    assert await presses(parent, said.BUTTON_NOTHING) == [texts.MUTED]
    assert await wanted(desk, parent) == set()


@pytest.mark.parametrize(
    "words",
    [
        "код из смс не присылают",
        "хватит присылать мне код из смс",
        "отключите уведомления об оценках",
        "как отменить подписку в приложении",
        "отпишитесь, когда почините",
        "почему вы не пишете ответ",
        "сколько можно этих отписок",
        "уберите второго ребёнка",
        "не хочу регистрировать ребёнка",
        "отказываюсь от госуслуг",
        "пришло уведомление об отказе",
        "пришло сообщение, что отказано в подтверждении личности",
        "отписка",
        "школа прекратила присылать задания",
        "",
    ],
)
def test_other_matters_are_no_wish_to_unsubscribe(words: str) -> None:
    assert meaning(words) is None


def test_no_question_that_parents_ask_is_taken_for_such_a_wish() -> None:
    asked = [line.split("\t")[0] for path in QUESTIONS for line in path.read_text("utf-8").splitlines()]
    assert len(asked) > 1000
    assert [each for each in asked if meaning(each) or small_talk(each) == "stop"] == []


async def test_words_to_a_human_are_the_humans(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await desk.opens_question(parent)
    await colleague.waits()
    before = len(colleague.heard)
    await parent.says("отстаньте")
    assert await parent.waits() == []
    assert any("отстаньте" in each.text for each in colleague.heard[before:])
    assert await wanted(desk, parent) == ALL


async def test_a_press_beside_a_human_is_confirmed_and_the_human_keeps_the_word(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await parent.presses("camp:off:news")
    assert await parent.waits() == [said.turned_off("news")]
    await colleague.waits()
    before = len(colleague.heard)
    await parent.says("и ещё вот что")
    await parent.waits()
    assert any(f"№ {number}" in each.text for each in colleague.heard[before:])


async def test_after_a_block_important_ones_come_again_and_the_rest_is_asked_about_once(desk: Desk) -> None:
    parent = await desk.parent()
    await blocks(desk, parent)
    assert (await desk.known(parent)).unreachable == "blocked"
    await desk.takes(parent, reachable=True)
    assert await parent.waits() == []
    assert await wanted(desk, parent) == {"important"}
    await parent.says(QUESTION)
    answer, told = await parent.waits()
    assert "8 800 100-70-10" in answer
    assert told == TOLD_OF_BLOCK
    await parent.says(QUESTION)
    assert TOLD_OF_BLOCK not in await parent.waits()
    assert await wanted(desk, parent) == {"important"}
    assert await presses(parent, said.BUTTON_TURN_ON) == [said.turned_on(["reminders", "news"])]
    assert await wanted(desk, parent) == ALL
    assert await presses(parent, said.BUTTON_TURN_ON) == [plain(said.settings(ALL))]


@pytest.mark.parametrize("way", ["start", "button", "command"])
async def test_whoever_comes_back_without_a_question_is_told_too(desk: Desk, way: str) -> None:
    parent = await desk.parent()
    await blocks(desk, parent)
    deeds = {"start": parent.starts(), "button": parent.presses("menu"), "command": parent.says("/help")}
    await deeds.pop(way)
    for each in deeds.values():
        each.close()
    assert (await parent.waits())[-1] == TOLD_OF_BLOCK
    assert await presses(parent, said.BUTTON_KEEP) == [said.KEPT]
    assert await wanted(desk, parent) == {"important"}


async def test_whoever_wanted_none_of_them_is_told_nothing(desk: Desk) -> None:
    parent = await desk.parent()
    for category in ("reminders", "news"):
        await parent.presses(f"camp:off:{category}")
    await blocks(desk, parent)
    await parent.says(QUESTION)
    assert TOLD_OF_BLOCK not in "".join(await parent.waits())


async def test_whoever_says_stop_on_coming_back_is_not_asked_to_turn_on(desk: Desk) -> None:
    parent = await desk.parent()
    await blocks(desk, parent)
    await parent.says("стоп")
    assert await parent.waits() == [texts.MUTED]
    await parent.presses("camp:back")
    assert await parent.waits() == [plain(said.settings(()))]
    assert await wanted(desk, parent) == set()


async def test_it_is_told_below_an_answer_and_not_below_a_question(desk: Desk) -> None:
    parent = await desk.parent()
    await blocks(desk, parent)
    await parent.says("позовите человека")
    assert await parent.waits() == [texts.ASK_SCHOOL]
    await parent.presses("cancel")
    assert await parent.waits() == [texts.CANCELLED, TOLD_OF_BLOCK]


async def test_beside_a_human_nothing_is_told_until_the_bot_speaks_again(desk: Desk) -> None:
    await desk.colleague()
    parent = await desk.parent()
    await desk.opens_question(parent)
    await blocks(desk, parent)
    await parent.says("вы тут?")
    assert await parent.waits() == []
    await parent.presses("bot")
    assert await parent.waits() == [texts.BACK_WITH_BOT, TOLD_OF_BLOCK]


@pytest.mark.parametrize("reason", ["blocked", "not_allowed", "gone"])
async def test_a_refused_letter_unsubscribes_as_the_messengers_event_does(desk: Desk, reason: str) -> None:
    parent = await desk.parent()
    await refuse(desk, parent, reason)
    assert (await desk.known(parent)).unreachable == reason
    assert await wanted(desk, parent) == {"important"}
    await parent.says(QUESTION)
    assert (await parent.waits())[-1] == TOLD_OF_BLOCK


@pytest.mark.parametrize("reason", ["rejected", "gave_up"])
async def test_a_letter_that_was_at_fault_itself_unsubscribes_nobody(desk: Desk, reason: str) -> None:
    parent = await desk.parent()
    await refuse(desk, parent, reason)
    assert (await desk.known(parent)).unreachable is None
    assert await wanted(desk, parent) == ALL


async def refuse(desk: Desk, parent: Someone, reason: str) -> None:
    """The messenger refuses the next letter to the parent for good."""
    now = desk.clock.now()
    async with desk.database.transaction() as tx:
        message = Outgoing(parent.address, "здравствуйте")
        await queue(tx, message, now=now)
        (letter,) = await outbox.claim(tx, parent.address.channel, now=now, limit=1)
        await deliveries.report_failure(tx, letter, reason=reason, detail="", now=now)


async def test_a_press_after_closing_leaves_the_question_closed(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.presses(f"answer:{number}")
    await colleague.says("Проверьте")
    await colleague.presses(f"close:{number}")
    await parent.waits()
    await parent.presses("camp:off:news")
    await parent.waits()
    address = parent.address
    async with desk.database.reading() as tx:
        assert await conversations.mode_at(tx, address.channel, address.chat_id) == "closed"
