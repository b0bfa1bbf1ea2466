"""Telegram as a channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter

from bot.channels.base import (
    Closed,
    LocalFile,
    Pace,
    Piece,
    Receive,
    SendError,
    Unfinished,
    send_to_one,
)
from bot.channels.kept import Kept
from bot.channels.telegram.composing import compose
from bot.channels.telegram.errors import send_error
from bot.channels.telegram.fetching import fetch
from bot.channels.telegram.groups import is_group
from bot.channels.telegram.library import AiogramError, GetMe, TelegramNetworkError
from bot.channels.telegram.listening import Listener
from bot.channels.telegram.sending import edit, open_topic, send, unsend
from bot.channels.telegram.session import Client
from bot.channels.telegram.webhook import Webhook, door
from bot.clock import Clock
from handlers.messages import Address, Outgoing

UNREACHED = "Telegram не отвечает: проверьте сеть, HELPDESK_TELEGRAM_PROXY и HELPDESK_TELEGRAM_API_URL"


class TelegramChannel:
    """Telegram made small: translates events and messages, decides nothing."""

    name = "telegram"
    drops_repeats = False
    deletes_theirs = True
    """For 48 hours, in a private chat (deleteMessage)."""
    most_readers = 1
    # The documented limits are 30 a second in all, 1 a second for a chat and 20 a minute for a group
    # (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this).
    pace = Pace(per_second=29.9, per_chat_interval=1.05, per_group_interval=3.1, most_in_second=30)

    def __init__(
        self,
        token: str,
        *,
        clock: Clock,
        api_url: str | None = None,
        proxy: str | None = None,
        ca_bundle: Path | None = None,
        webhook: Webhook | None = None,
    ) -> None:
        if webhook is not None and not webhook.has_proper_secret:
            raise Closed(
                "HELPDESK_TELEGRAM_WEBHOOK_SECRET: нужно от 1 до 256 латинских букв, цифр, знаков «-» и «_»"
            )
        self._client = Client(token, api_url=api_url, proxy=proxy, ca_bundle=ca_bundle)
        self._listener = Listener(self._client, clock=clock)
        self._kept = Kept()
        self._webhook = webhook

    def compose(self, message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
        """Split a message into requests; raises `Rejected` for a button that Telegram cannot carry."""
        return compose(message, files)

    async def send(self, to: Address, piece: Piece, *, key: str) -> str:  # noqa: ARG002
        """Send one piece; an album gives the ids of all its messages, joined by commas.

        Telegram has no idempotency key, so `key` cannot help: what is `Unfinished` may have arrived.
        """
        return await send(self._client, self._kept, to=to, piece=piece)

    async def send_to_many(
        self, chat_ids: Sequence[str], piece: Piece, *, key: str
    ) -> dict[str, str | SendError]:
        """Send one piece to one chat: Telegram has no request for more."""
        return await send_to_one(self, chat_ids, piece, key=key)

    async def edit(self, to: Address, external_id: str, piece: Piece) -> None:
        """Change the words and buttons of a message of ours, however old."""
        await edit(self._client, to=to, external_id=external_id, piece=piece)

    async def unsend(self, to: Address, external_id: str) -> None:
        """Take a message of ours from everybody within 48 hours."""
        await unsend(self._client, to=to, external_id=external_id)

    def is_group(self, chat_id: str) -> bool:
        """Whether the chat is a group rather than a person."""
        return is_group(chat_id)

    async def open_topic(self, to: Address, title: str) -> str:
        """Open a topic and return its id; raises `Rejected` where there are none or we may not."""
        return await open_topic(self._client, to, title)

    async def fetch(self, ref: str, *, limit: int) -> bytes:
        """Download what a person sent; Telegram gives bots at most 20 MB."""
        return await fetch(self._client, ref, limit=limit)

    async def listen(self, receive: Receive) -> None:
        """Poll until cancelled, or tell Telegram the webhook and return; raises `Closed`."""
        if self._webhook is None:
            await self._listener.poll(receive)
        else:
            await self._listener.announce(self._webhook.url, secret=self._webhook.secret)

    def routes(self, receive: Receive) -> APIRouter | None:
        """Give POST /telegram/webhook; 2xx only after `receive` returned or the update is no use."""
        if self._webhook is None:
            return None
        return door(self._webhook, lambda body: self._listener.take(body, receive))

    async def check(self) -> str:
        """Say in Russian who the bot is; changes nothing."""
        try:
            me = await self._client.call(GetMe())
        except TelegramNetworkError:
            raise Unfinished(UNREACHED) from None
        except AiogramError as error:
            raise send_error(error) from None
        return f"@{me.username}"

    async def close(self) -> None:
        """Let go of connections."""
        await self._listener.close()
        await self._client.close()
