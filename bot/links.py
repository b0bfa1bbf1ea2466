"""The links that bring people to us, for every channel that is configured."""

from __future__ import annotations

import asyncio

from bot.channels.base import Channel, SendError
from bot.clock import SystemClock
from bot.messengers import NoCursor, messengers
from bot.parts import App
from bot.settings import Settings
from handlers.staff.membership import INVITATION

NAME_WAIT_SECONDS = 5.0
"""How long to wait for Telegram to say the bot's name: without it there is still a line to type."""


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
    made = messengers(settings, clock=SystemClock(), cursor=NoCursor())
    try:
        name = await telegram_name(made.channels.get("telegram"))
    finally:
        for channel in made.channels.values():
            await channel.close()
    return _links(
        settings, token, base=settings.public, has_messenger=bool(made.channels), telegram_name=name
    )


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


def _links(
    settings: Settings, token: str, *, base: str, has_messenger: bool, telegram_name: str | None
) -> list[tuple[str, str]]:
    links = [("Панель в браузере", f"{base.rstrip('/')}/panel/join/{token}")]
    if telegram_name:
        links.append(("Telegram", f"https://t.me/{telegram_name}?start={INVITATION}{token}"))
    if settings.vk_token is not None and settings.vk_group_id is not None:
        links.append(("ВКонтакте", f"https://vk.me/club{settings.vk_group_id}?ref={INVITATION}{token}"))
    if has_messenger:
        links.append(("Сообщением боту", f"/start {INVITATION}{token}"))
    return links
