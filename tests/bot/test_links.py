"""The links of a school: the same ones on its poster, in the panel and on the command line."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.links import left_out, school_links, school_links_from_settings
from bot.settings import Settings
from handlers.parents.schools import LINK
from tests.emulators.telegram import TelegramServer


def test_a_school_is_chosen_on_every_channel_that_is_configured() -> None:
    settings = Settings(public_url="https://help.test/", vk_token=SecretStr("x"), vk_group_id=7)
    assert school_links(settings, "k7m2p", telegram_name="helper_bot") == [
        ("Telegram", "https://t.me/helper_bot?start=school-k7m2p"),
        ("ВКонтакте", "https://vk.me/club7?ref=school-k7m2p"),
        ("Чат на сайте", "https://help.test/chat?school=k7m2p"),
    ]


def test_an_address_of_this_machine_alone_is_no_link_for_a_notice_board() -> None:
    settings = Settings(listen="127.0.0.1:8080")
    assert school_links(settings, "k7m2p") == []
    assert left_out(settings, []) == ["Ссылки на чат на сайте нет: не задан адрес HELPDESK_PUBLIC_URL."]


@pytest.mark.parametrize("code", ["", "пятая", "k7 m2", "k7&x=1", "x" * (65 - len(LINK))])
def test_a_code_that_a_link_cannot_carry_is_our_bug(code: str) -> None:
    with pytest.raises(ValueError, match="code"):
        school_links(Settings(public_url="https://help.test"), code)


async def test_telegram_is_asked_its_name_once_for_all_schools() -> None:
    async with TelegramServer() as telegram:
        settings = Settings(
            telegram_token=SecretStr(telegram.token),
            telegram_api_url=telegram.url,
            public_url="https://h.test",
        )
        one, two = await school_links_from_settings(settings, ["a", "b"])
        assert [call.method for call in telegram.calls] == ["getMe"]
    assert one == [
        ("Telegram", "https://t.me/diary_help_bot?start=school-a"),
        ("Чат на сайте", "https://h.test/chat?school=a"),
    ]
    assert two[0] == ("Telegram", "https://t.me/diary_help_bot?start=school-b")
    assert left_out(settings, one) == []


async def test_a_silent_telegram_is_left_out_and_named() -> None:
    async with TelegramServer() as telegram:
        settings = Settings(
            telegram_token=SecretStr(telegram.token),
            telegram_api_url=telegram.url,
            public_url="https://h.test",
        )
        await telegram.goes_down()
        (links,) = await school_links_from_settings(settings, ["a"])
    assert links == [("Чат на сайте", "https://h.test/chat?school=a")]
    assert left_out(settings, links) == ["Telegram сейчас не назвал имя бота, поэтому ссылки на него нет."]
