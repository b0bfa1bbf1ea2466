"""The links that bring people to us, for every channel that is configured."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from bot.channels.base import Channel, SendError
from bot.clock import SystemClock
from bot.messengers import NoCursor, messengers
from bot.parts import App
from bot.settings import Settings
from handlers.parents.schools import LINK
from handlers.staff.membership import INVITATION

NAME_WAIT_SECONDS = 5.0
"""How long to wait for Telegram to say the bot's name: without it there is still a line to type."""
TELEGRAM, VK, WEB = "Telegram", "ВКонтакте", "Чат на сайте"

_CODE = re.compile(rf"[A-Za-z0-9_-]{{1,{64 - len(LINK)}}}")
"""What Telegram takes after `?start=`, with the prefix; our web chat takes the same."""


def invitation_links(app: App, token: str, *, telegram_name: str | None = None) -> list[tuple[str, str]]:
    """Where a new member of the staff may use this token: pairs of a place and a link."""
    base = app.settings.public_url or app.url or app.settings.public
    return _links(
        app.settings,
        token,
        base=base,
        has_messenger=bool(app.channels.keys() - {"web"}),
        telegram_name=telegram_name,
    )


async def links_from_settings(settings: Settings, token: str) -> list[tuple[str, str]]:
    """The same where no helpdesk runs in this process (the command line)."""
    async with _channels(settings) as channels:
        name = await telegram_name(channels.get("telegram"))
        has_messenger = bool(channels)
    return _links(settings, token, base=settings.public, has_messenger=has_messenger, telegram_name=name)


def school_links(settings: Settings, code: str, *, telegram_name: str | None = None) -> list[tuple[str, str]]:
    """Where a parent begins with this school already chosen: pairs of a place and a link.

    The web chat only with a public address: on a notice board, one of this machine alone leads nowhere.
    """
    if not _CODE.fullmatch(code):
        raise ValueError(f"{code!r} cannot be a school's code in a link")
    payload, links = f"{LINK}{code}", []
    if telegram_name:
        links.append((TELEGRAM, f"https://t.me/{telegram_name}?start={payload}"))
    if _has_vk(settings):
        links.append((VK, f"https://vk.me/club{settings.vk_group_id}?ref={payload}"))
    if settings.public_url:
        links.append((WEB, f"{settings.public}/chat?school={code}"))
    return links


async def school_links_from_settings(settings: Settings, codes: Iterable[str]) -> list[list[tuple[str, str]]]:
    """The same for many schools where no helpdesk runs in this process; Telegram is asked once."""
    async with _channels(settings) as channels:
        name = await telegram_name(channels.get("telegram"))
    return [school_links(settings, code, telegram_name=name) for code in codes]


def left_out(settings: Settings, links: Sequence[tuple[str, str]]) -> list[str]:
    """Why a place that could be there has none of these links of a school: a Russian sentence each."""
    places = {place for place, _ in links}
    sentences = []
    if settings.telegram_token is not None and TELEGRAM not in places:
        sentences.append("Telegram сейчас не назвал имя бота, поэтому ссылки на него нет.")
    if WEB not in places:
        sentences.append("Ссылки на чат на сайте нет: не задан адрес HELPDESK_PUBLIC_URL.")
    return sentences


async def telegram_name(channel: Channel | None) -> str | None:
    """The bot's name on Telegram without its @; None when Telegram does not tell it now."""
    if channel is None:
        return None
    try:
        async with asyncio.timeout(NAME_WAIT_SECONDS):
            told = await channel.check()
    except (SendError, TimeoutError):
        return None
    return told.removeprefix("@") if told.startswith("@") else None


@asynccontextmanager
async def _channels(settings: Settings) -> AsyncIterator[Mapping[str, Channel]]:
    """The messengers of these settings, only to be looked at."""
    made = messengers(settings, clock=SystemClock(), cursor=NoCursor())
    try:
        yield made.channels
    finally:
        for channel in made.channels.values():
            await channel.close()


def _has_vk(settings: Settings) -> bool:
    return settings.vk_token is not None and settings.vk_group_id is not None


def _links(
    settings: Settings, token: str, *, base: str, has_messenger: bool, telegram_name: str | None
) -> list[tuple[str, str]]:
    links = [("Панель в браузере", f"{base.rstrip('/')}/panel/join/{token}")]
    if telegram_name:
        links.append((TELEGRAM, f"https://t.me/{telegram_name}?start={INVITATION}{token}"))
    if _has_vk(settings):
        links.append((VK, f"https://vk.me/club{settings.vk_group_id}?ref={INVITATION}{token}"))
    if has_messenger:
        links.append(("Сообщением боту", f"/start {INVITATION}{token}"))
    return links
