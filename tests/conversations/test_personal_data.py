"""A parent sends what should not be sent: nobody at the school sees it, and it does not stay in the chat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from storage import outbox
from tests.emulators.telegram import Fault as TelegramFault
from tests.emulators.vk import Fault as VkFault
from tests.house import House, said_by_bot
from tests.ways import other_two_ways, two_ways

pytestmark = pytest.mark.slow

SNILS = "112-233-445 95"
HIDDEN = "В вашем сообщении скрыто: номер СНИЛС"
PATIENCE = 10.0
"""Real seconds."""


async def until(happened: Callable[[], Awaitable[bool]], house: House) -> None:
    """Wait for what tells nobody that it happened."""
    async with asyncio.timeout(PATIENCE):
        while not await happened():
            await house.app.clock.sleep(0.5)


def lies_in_the_chat(house: House, parent: Any, number: int) -> bool:
    """Whether strangers may still read the message: in the chat, on VK on the community's side of it."""
    seen = parent.chat if house.home == "telegram" else house.vk.world.dialogs[parent.id].inbox
    return number in [message.id for message in seen]


async def gone(house: House, parent: Any, number: int) -> None:
    """Wait until the message is gone."""

    async def is_gone() -> bool:
        return not lies_in_the_chat(house, parent, number)

    await until(is_gone, house)


async def test_a_number_in_the_chat_is_hidden_from_the_staff_and_goes(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    sent = await parent.says(f"ничего не понимаю, снилс {SNILS} не подходит")
    told = await parent.hears(HIDDEN)
    await gone(house, parent, sent.id)
    assert ("Убираем это и из чата" in told.text) == (house.home == "telegram")
    assert ("можете удалить только вы" in told.text) == (house.home == "vk")
    # On VK only the author can take it from the author's own screen.
    assert (sent.id in [message.id for message in parent.chat]) == (house.home == "vk")
    await parent.says("/human")
    await parent.hears("школу и населённый пункт")
    await parent.says("школа 5, Майкоп")
    await parent.hears("Передал вопрос")
    card = await colleague.hears("Вопрос №")
    assert "[СНИЛС скрыт]" in card.words
    assert SNILS not in said_by_bot(colleague) + said_by_bot(parent)


@two_ways
async def test_a_number_added_by_an_edit_goes_too(house: House) -> None:
    parent = await house.parent()
    sent = await parent.says("где взять снилс")
    await parent.hears("СНИЛС")
    assert lies_in_the_chat(house, parent, sent.id)
    await parent.edits(sent, f"где взять снилс {SNILS}")
    await parent.hears(HIDDEN)
    await gone(house, parent, sent.id)


@other_two_ways
async def test_a_message_that_the_messenger_will_not_delete_troubles_nobody(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    _refuse_to_delete(house)
    sent = await parent.says(f"снилс {SNILS}")
    await parent.hears(HIDDEN)
    await colleague.hears("[СНИЛС скрыт]")

    async def is_done_with() -> bool:
        async with house.app.database.reading() as tx:
            left = await outbox.count(tx)
        return not any(left.get((house.home, state)) for state in ("queued", "sending"))

    await until(is_done_with, house)
    async with house.app.database.reading() as tx:
        assert await outbox.find_sent(tx, house.home, str(parent.id), "") is None
    assert lies_in_the_chat(house, parent, sent.id)
    assert "не доставлен" not in said_by_bot(colleague)


@two_ways
async def test_the_page_of_the_web_chat_is_told_to_show_what_is_kept(house: House) -> None:
    async with httpx.AsyncClient(base_url=house.app.url) as client:
        token = (await client.post("/chat/session")).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        number = str(uuid4())
        form = {"id": (None, number), "text": (None, f"где взять снилс {SNILS}")}
        assert (await client.post("/chat/messages", files=form, headers=bearer)).status_code == 202
        heard: list[dict[str, Any]] = []

        async def is_replaced() -> bool:
            after = heard[-1]["id"] if heard else 0
            answer = await client.get(f"/chat/feed?after={after}", headers=bearer)
            heard.extend(answer.json()["messages"])
            return any("instead_of" in each for each in heard)

        await until(is_replaced, house)
        place = next(at for at, each in enumerate(heard) if "instead_of" in each)
        assert heard[place]["instead_of"] == number
        assert heard[place]["text_spans"] == [{"t": "где взять снилс [СНИЛС скрыт]"}]
        # First the reason, then the change.
        assert any(HIDDEN in _words(each) for each in heard[:place])
        past = (await client.get("/chat/history", headers=bearer)).json()["messages"]
    assert [_words(each) for each in past if each["own"]] == ["где взять снилс [СНИЛС скрыт]"]
    assert all("instead_of" not in each for each in past)


def _words(shown: dict[str, Any]) -> str:
    return "".join(span["t"] for span in shown["text_spans"])


def _refuse_to_delete(house: House) -> None:
    if house.home == "telegram":
        house.telegram.fail(
            fault=TelegramFault.bad_request("Bad Request: message can't be deleted for everyone"),
            method="deleteMessage",
        )
    else:
        house.vk.fail(fault=VkFault.error(15), method="messages.delete")
