"""What goes wrong on the way: nothing is lost, nothing is doubled, nobody stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.knowledge import Knowledge
from handlers.texts import basics as texts
from tests.emulators.telegram import Fault as TelegramFault
from tests.emulators.vk import LONG_POLL
from tests.emulators.vk import Fault as VkFault
from tests.house import House, checks_photos, contents, open_house, said_by_bot
from tests.outage import database_away
from tests.stumbling import StumblingKnowledge
from tests.ways import other_two_ways, two_ways

pytestmark = pytest.mark.slow

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
CODE = "8 800 100-70-10"
QUESTION = "забыл пароль от госуслуг"
HELD_SECONDS = 5
"""As the emulated 429 says, and as we wait after VK's error 9."""


# ── events ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_event_delivered_twice_is_answered_once(house: House) -> None:
    parent = await house.parent()
    house.server(house.home).duplicate()
    await parent.says(QUESTION)
    await parent.hears(CODE)
    house.server(house.home).duplicate()
    await parent.presses("Помогло")
    await parent.hears(texts.HELPED)
    await parent.hears_nothing()


@two_ways
async def test_an_answer_of_the_staff_delivered_twice_reaches_the_parent_once(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    house.server(house.away).duplicate()
    await colleague.says("Один раз", reply_to=card)
    await parent.hears("Один раз")
    await parent.hears_nothing()


async def test_a_button_that_overtakes_a_message_loses_neither(house: House) -> None:
    parent = await house.parent()
    house.server(house.home).reorder(2)
    await parent.says(QUESTION)
    await parent.presses(texts.BUTTON_SECTIONS)
    await parent.hears(texts.CHOOSE_SECTION)
    await parent.hears(CODE)


async def test_a_correction_that_overtakes_its_message_is_what_is_answered(house: House) -> None:
    parent = await house.parent()
    house.server(house.home).reorder(2)
    message = await parent.says("сколько стоит велосипед")
    await parent.edits(message, QUESTION)
    await parent.hears(CODE)
    await parent.hears_nothing()


async def test_nonsense_does_not_stop_the_channel(house: House) -> None:
    parent = await house.parent()
    for raw in nonsense(house, parent):
        await offer(house, raw)
    await parent.says(QUESTION)
    await parent.hears(CODE)


async def test_an_unknown_kind_of_event_does_not_stop_the_channel(house: House) -> None:
    parent = await house.parent()
    for raw in unknown_kinds(house, parent):
        await offer(house, raw)
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.hears_nothing()


async def test_a_huge_and_an_empty_message_do_not_stop_the_channel(house: House) -> None:
    parent = await house.parent()
    # Half a character can stand in JSON, but the emulated callback writes its JSON in UTF-8.
    half = "" if house.transport == "vk-callback" else "\ud83d"
    for words in ("я" * 300_000, "", "\x00", half):
        await offer(house, message_event(house, parent, text=words))
    await parent.says(QUESTION)
    await parent.hears(CODE)


@other_two_ways
async def test_messages_of_one_person_keep_their_order(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    counted = [f"строка {number}." for number in range(8)]
    for line in counted:
        await parent.says(line)
    await colleague.hears(counted[-1])
    heard = said_by_bot(colleague)
    places = [heard.index(line) for line in counted]
    assert places == sorted(places)
    assert all(heard.count(line) == 1 for line in counted)


@two_ways
async def test_thirty_parents_at_once_are_all_answered(house: House) -> None:
    parents = [house.newcomer(f"Родитель {number}") for number in range(30)]
    await asyncio.gather(*(parent.says(QUESTION) for parent in parents))
    await asyncio.gather(*(parent.hears(CODE, timeout=30) for parent in parents))
    assert all(said_by_bot(parent).count(CODE) == 1 for parent in parents)


# ── the messenger ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_messenger_that_asks_for_a_pause_gets_it_and_nothing_is_lost(house: House) -> None:
    parent = await house.parent()
    began = house.app.clock.now()
    spoil_sending(house, "slow down")
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.hears_nothing()
    method = "sendMessage" if house.home == "telegram" else "messages.send"
    sent = [
        call
        for call in house.server(house.home).calls_of(method)
        if call.at > began and getattr(call, "outcome", "ok") == "ok"
    ]
    assert sent[0].at - began >= timedelta(seconds=HELD_SECONDS)


@other_two_ways
@pytest.mark.parametrize("trouble", ["5xx", "html", "drop"])
async def test_an_answer_gets_through_a_messenger_in_trouble(house: House, trouble: str) -> None:
    parent = await house.parent()
    spoil_sending(house, trouble, times=2)
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.hears_nothing()


async def test_an_answer_whose_fate_is_unknown_comes_once_on_vk_and_at_least_once_on_telegram(
    house: House,
) -> None:
    parent = await house.parent()
    spoil_sending(house, "executed and dropped")
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.says("спасибо")
    await parent.hears(texts.THANKS)
    times = said_by_bot(parent).count(CODE)
    assert times == 1 if house.home == "vk" else 1 <= times <= 2


@two_ways
async def test_listening_goes_on_after_trouble(house: House) -> None:
    parent = await house.parent()
    if house.home == "telegram":
        house.telegram.fail(fault=TelegramFault.html_page(), method="getUpdates", times=2)
        house.telegram.fail(fault=TelegramFault.drop(), method="getUpdates", times=2)
    else:
        house.vk.fail(fault=VkFault.html_page(), method=LONG_POLL, times=2)
        house.vk.fail(fault=VkFault.drop(), method=LONG_POLL, times=2)
    await parent.says("спасибо")
    await parent.hears(texts.THANKS)
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.hears_nothing()


async def test_a_refusal_marks_the_parent_at_once_and_tells_the_staff(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    reason = "blocked"
    if house.home == "telegram":
        house.telegram.fail(fault=TelegramFault.forbidden(), method="sendMessage", chat_id=parent.id)
    else:
        reason = "not_allowed"
        house.vk.fail(fault=VkFault.error(901), method="messages.send", peer_id=parent.id)
    await colleague.says("Ответ, который не дойдёт", reply_to=card)
    told = await colleague.hears(f"Ответ на вопрос № {number} не доставлен")
    assert texts.UNDELIVERED[reason] in told.words
    assert (await house.known(parent)).unreachable == reason


@other_two_ways
async def test_a_file_that_cannot_be_had_for_a_moment_still_arrives(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await colleague.presses("Ответить")
    await colleague.hears("Напишите ответ")
    house.telegram.fail(fault=TelegramFault.html_page(), method="download", times=2)
    # The file comes from Telegram, whoever sits there.
    sender, receiver = (parent, colleague) if house.home == "telegram" else (colleague, parent)
    await sender.sends_photo(JPEG, caption="вот снимок")
    seen = await receiver.hears("вот снимок")
    if sender is parent:
        await checks_photos(parent, ["photo"])
        seen = await receiver.hears("подтвердил")
    assert contents(seen) == [JPEG]
    assert "передать не удалось" not in said_by_bot(receiver)


async def test_the_other_messenger_being_down_stops_nobody_here(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await goes_down(house, house.away)
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await house.asks_for_human(parent)
    await comes_up(house, house.away)
    card = await colleague.hears("Вопрос №")
    await colleague.says("Мы снова на связи", reply_to=card)
    await parent.hears("Мы снова на связи")


@two_ways
async def test_the_other_messengers_token_being_revoked_stops_nobody_here(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    if house.away == "telegram":
        house.telegram.fail(fault=TelegramFault.unauthorized(), times=10_000)
    else:
        house.vk.fail(fault=VkFault.error(5), times=10_000)
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await house.asks_for_human(parent)
    while house.app.health[house.away].trouble is None:
        await house.app.clock.sleep(0.5)
    house.server(house.away).heal()
    await colleague.hears("Вопрос №")


# ── our side ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_database_that_is_away_for_a_while_costs_no_message(
    house: House, database_url: str, request: pytest.FixtureRequest
) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    other = await house.parent("Ольга")
    async with database_away(database_url, request):
        await other.says(QUESTION)
        await parent.says("слышно ли меня?")
        await colleague.says("слышно", reply_to=card)
        await house.app.clock.sleep(6)
    await other.hears(CODE)
    await parent.hears("слышно")
    await colleague.hears("слышно ли меня?")
    assert said_by_bot(other).count(CODE) == 1


@pytest.fixture
async def faulty_house(
    transport: str, database_url: str, knowledge: Knowledge, tmp_path: Path
) -> AsyncIterator[House]:
    """A house whose base has a bug."""
    async with open_house(
        transport,
        database_url=database_url,
        knowledge=StumblingKnowledge(knowledge),
        folder=tmp_path / "data",
    ) as house:
        yield house
        house.check_manners()


async def test_a_bug_in_an_answer_costs_nobody_their_message(faulty_house: House) -> None:
    house = faulty_house
    colleague = await house.colleague()
    parent, other = await house.parent(), await house.parent("Ольга")
    await parent.says("пожалуйста, споткнись на этом вопросе")
    await other.says(QUESTION)
    await parent.hears(texts.MISHAP)
    await other.hears(CODE)
    card = await colleague.hears("споткнись на этом вопросе")
    assert texts.REASONS["error"] in card.words
    await parent.says("и что теперь?")
    await colleague.hears("и что теперь?")
    await colleague.says("Отвечу я", reply_to=card)
    await parent.hears("Отвечу я")


@other_two_ways
async def test_a_bug_in_a_button_costs_nobody_their_question(faulty_house: House) -> None:
    house = faulty_house
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.start("stumble")
    await parent.hears(texts.MISHAP)
    card = await colleague.hears("Вопрос №")
    assert QUESTION in card.words
    other = await house.parent("Ольга")
    await other.says(QUESTION)
    await other.hears(CODE)


@two_ways
async def test_a_bug_after_going_back_to_the_bot_brings_the_human_again(faulty_house: House) -> None:
    house = faulty_house
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await parent.presses(texts.BUTTON_BACK_TO_BOT)
    await parent.hears(texts.BACK_WITH_BOT)
    await parent.says("а теперь споткнись ещё раз")
    await parent.hears(texts.MISHAP)
    await colleague.hears("а теперь споткнись ещё раз")


# ── how the trouble is made ───────────────────────────────────────────────────────────────────────────────


def spoil_sending(house: House, trouble: str, *, times: int = 1) -> None:
    """Let the next messages of the parents' messenger go wrong."""
    if house.home == "telegram":
        fault = {
            "slow down": TelegramFault.too_many_requests(HELD_SECONDS),
            "5xx": TelegramFault.server_error(),
            "html": TelegramFault.html_page(),
            "drop": TelegramFault.drop(),
            "executed and dropped": TelegramFault.execute_then_drop(),
        }[trouble]
        house.telegram.fail(fault=fault, method="sendMessage", times=times)
        return
    vk_fault = {
        "slow down": VkFault.error(9),
        "5xx": VkFault.http(500),
        "html": VkFault.html_page(),
        "drop": VkFault.drop(),
        "executed and dropped": VkFault.execute_then_drop(),
    }[trouble]
    house.vk.fail(fault=vk_fault, method="messages.send", times=times)


async def offer(house: House, raw: Any) -> None:
    """Put anything into the parents' messenger in place of an event."""
    if house.home == "telegram":
        house.telegram.inject(raw)
    else:
        await house.vk.inject(raw)


def message_event(house: House, parent: Any, **fields: Any) -> Any:
    """A raw message of this parent."""
    if house.home == "telegram":
        sender = {"id": parent.id, "is_bot": False, "first_name": "Анна"}
        chat = {"id": parent.id, "type": "private", "first_name": "Анна"}
        return {"message": {"message_id": 900_001, "date": 0, "from": sender, "chat": chat, **fields}}
    message = {
        "id": 900_001,
        "conversation_message_id": 900_001,
        "date": 0,
        "out": 0,
        "from_id": parent.id,
        "peer_id": parent.id,
        "attachments": [],
        **fields,
    }
    return vk_event(house, "message_new", {"message": message, "client_info": {}})


def vk_event(house: House, kind: str, body: Any) -> dict[str, Any]:
    """The envelope of a VK event."""
    event_id = f"test-{id(body)}"
    return {"type": kind, "group_id": house.vk.group_id, "event_id": event_id, "v": "5.199", "object": body}


def nonsense(house: House, parent: Any) -> list[Any]:
    """Everything that an event is not."""
    nested: Any = []
    for _ in range(200):
        nested = [nested]
    empty: list[Any] = [None, [], {}, {"message": None}, {"message": {}}]
    everywhere: list[Any] = [{}, [], "слово", 42, None, nested, {"a": {"b": nested}}]
    if house.home == "telegram":
        return [
            *everywhere,
            {"update_id": "x"},
            {"message": None},
            {"message": {}},
            {"message": []},
            {"callback_query": {"id": 1}},
            {"my_chat_member": {"chat": 1}},
            message_event(house, parent, text=["не", "строка"]),
            message_event(house, parent, text="ку", photo=[{"file_id": None}]),
            message_event(house, parent, document="нет"),
        ]
    return [
        *everywhere,
        *(vk_event(house, "message_new", body) for body in empty),
        vk_event(house, "message_event", {"peer_id": "x"}),
        vk_event(house, "message_deny", {}),
        message_event(house, parent, text=["не", "строка"]),
        message_event(house, parent, text="ку", attachments=[{"type": "photo"}, 5]),
        message_event(house, parent, text="ку", peer_id=True),
    ]


def unknown_kinds(house: House, parent: Any) -> list[Any]:
    """Events that are none of ours."""
    if house.home == "telegram":
        group = {"id": -100, "type": "group", "title": "Родители 5А"}
        return [
            {"poll_answer": {"poll_id": "1", "option_ids": [0]}},
            {"channel_post": {"message_id": 1, "date": 0, "chat": group, "text": "новость"}},
            {"novelty_of_2030": {"id": 1}},
            message_event(house, parent, text="в группе", chat=group),
        ]
    return [
        vk_event(house, "wall_post_new", {"id": 1, "text": "новость"}),
        vk_event(house, "novelty_of_2030", {"user_id": parent.id}),
        message_event(house, parent, text="в беседе", peer_id=2_000_000_001),
        message_event(house, parent, text="от сообщества", out=1),
    ]


async def goes_down(house: House, messenger: str) -> None:
    """The messenger's servers vanish."""
    await (house.telegram.goes_down() if messenger == "telegram" else house.vk.stop())


async def comes_up(house: House, messenger: str) -> None:
    """They are there again, at the same address."""
    await (house.telegram.comes_up() if messenger == "telegram" else house.vk.start())
