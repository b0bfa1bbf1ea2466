"""The messengers that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

from pydantic import SecretStr

from bot.channels import base
from bot.channels.base import Channel, Closed
from bot.clock import Clock
from bot.settings import Settings
from storage import cursors
from storage.database import Database


class Cursor:
    """A listener's place in its queue, kept in the database."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    async def load(self) -> str | None:
        """The place after the last event that was taken."""
        async with self._database.reading() as tx:
            return await cursors.load(tx, self._name)

    async def save(self, place: str) -> None:
        """Remember it."""
        async with self._database.transaction() as tx:
            await cursors.save(tx, self._name, place)


class NoCursor:
    """For whoever only looks: starts nowhere and remembers nothing."""

    async def load(self) -> str | None:
        """Nowhere."""
        return None

    async def save(self, place: str) -> None:
        """Nothing is kept."""


@dataclass
class Messengers:
    """The messengers of these settings: those that can be tried, not configured, and configured wrongly."""

    channels: dict[str, Channel] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """What to set, in Russian."""
    broken: dict[str, str] = field(default_factory=dict)
    """What is wrong, in Russian."""


def messengers(settings: Settings, *, clock: Clock, cursor: base.Cursor) -> Messengers:
    """Make the channels that are configured; touches no network."""
    made = Messengers()
    makers: list[tuple[str, str, Callable[[], Channel]]] = [
        ("telegram", _telegram_unset(settings), lambda: _telegram(settings, clock=clock)),
        ("vk", _vk_unset(settings), lambda: _vk(settings, clock=clock, cursor=cursor)),
    ]
    for name, unset, make in makers:
        if unset:
            made.missing[name] = unset
            continue
        try:
            made.channels[name] = make()
        except Closed as error:
            made.broken[name] = str(error)
    return made


def configured(settings: Settings) -> tuple[str, ...]:
    """The names of the messengers that the settings ask for, also of one that does not work just now."""
    unset = {"telegram": _telegram_unset(settings), "vk": _vk_unset(settings)}
    return tuple(name for name, why in unset.items() if not why)


def load(settings: Settings) -> None:
    """Import the libraries of the configured messengers: seconds of work, which any thread can do."""
    if not _telegram_unset(settings):
        import_module("bot.channels.telegram")
    if not _vk_unset(settings):
        import_module("bot.channels.vk")


def _telegram_unset(settings: Settings) -> str:
    if settings.telegram_token is None:
        return "задайте HELPDESK_TELEGRAM_TOKEN"
    if settings.telegram_mode == "webhook" and not (settings.telegram_webhook_secret and settings.public_url):
        return "для webhook задайте HELPDESK_PUBLIC_URL и HELPDESK_TELEGRAM_WEBHOOK_SECRET"
    return ""


def _vk_unset(settings: Settings) -> str:
    needed: dict[str, object] = {
        "HELPDESK_VK_TOKEN": settings.vk_token,
        "HELPDESK_VK_GROUP_ID": settings.vk_group_id,
    }
    if settings.vk_mode == "callback":
        needed |= {
            "HELPDESK_VK_CONFIRMATION": settings.vk_confirmation,
            "HELPDESK_VK_SECRET": settings.vk_secret,
        }
    absent = [name for name, value in needed.items() if not value]
    return f"задайте {' и '.join(absent)}" if absent else ""


def _telegram(settings: Settings, *, clock: Clock) -> Channel:
    from bot.channels.telegram import TelegramChannel, Webhook

    webhook = None
    if settings.telegram_mode == "webhook":
        webhook = Webhook(f"{settings.public}/telegram/webhook", _secret(settings.telegram_webhook_secret))
    return TelegramChannel(
        _secret(settings.telegram_token),
        clock=clock,
        api_url=settings.telegram_api_url,
        proxy=settings.telegram_proxy,
        ca_bundle=settings.ca_bundle,
        webhook=webhook,
    )


def _vk(settings: Settings, *, clock: Clock, cursor: base.Cursor) -> Channel:
    from bot.channels.vk import Callback, VkChannel

    callback = None
    if settings.vk_mode == "callback":
        callback = Callback(settings.vk_confirmation or "", _secret(settings.vk_secret))
    return VkChannel(
        _secret(settings.vk_token),
        settings.vk_group_id or 0,
        clock=clock,
        cursor=cursor,
        api_url=settings.vk_api_url,
        ca_bundle=settings.ca_bundle,
        callback=callback,
    )


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
