"""A community's messages as a channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter

from bot.channels.base import Closed, Cursor, LocalFile, Pace, Piece, Receive, Rejected, Unfinished
from bot.channels.vk.callback import Callback, door
from bot.channels.vk.calls import Calls
from bot.channels.vk.composing import compose
from bot.channels.vk.fetching import fetch
from bot.channels.vk.groups import is_group
from bot.channels.vk.library import Http
from bot.channels.vk.listening import Listener
from bot.channels.vk.raw import NAME
from bot.channels.vk.sending import send
from bot.channels.vk.uploading import Uploads
from bot.clock import Clock
from handlers.messages import Address, Outgoing


class VkChannel:
    """VK made small: translates events and messages, decides nothing."""

    name = NAME
    drops_repeats = True
    """VK compares `random_id` within the last hour and the last 100 messages of a chat."""
    deletes_theirs = False
    """Only from the community's side of the dialogue, where several people read (messages.delete)."""
    pace = Pace(per_second=18, per_chat_interval=0.0)
    """VK's 20 calls a second with room for names and uploads; it has no limit per chat."""

    def __init__(
        self,
        token: str,
        group_id: int,
        *,
        clock: Clock,
        cursor: Cursor,
        api_url: str | None = None,
        ca_bundle: Path | None = None,
        callback: Callback | None = None,
    ) -> None:
        self._token = token
        self._group_id = group_id
        self._callback = callback
        self._http = Http(ca_bundle)
        self._calls = Calls(token, self._http, clock=clock, url=api_url)
        self._uploads = Uploads(self._calls, self._http)
        self._listener = Listener(self._calls, self._http, clock=clock, cursor=cursor, group_id=group_id)

    def compose(self, message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
        """Split a message into requests; the same message always gives the same pieces."""
        return compose(message, files)

    async def send(self, to: Address, piece: Piece, *, key: str) -> str:
        """Send one piece; VK drops a repeat with the same key for an hour."""
        return await send(self._calls, self._uploads, to=to, piece=piece, key=key)

    def is_group(self, chat_id: str) -> bool:
        """Whether the chat is a group rather than a person."""
        return is_group(chat_id)

    async def open_topic(self, to: Address, title: str) -> str:  # noqa: ARG002 - there is nothing to open
        """Raise `Rejected`: VK divides no chat into topics."""
        raise Rejected("в беседах VK нет тем")

    async def fetch(self, ref: str, *, limit: int) -> bytes:
        """Download what a person sent from the address that VK gave for it."""
        return await fetch(self._http, ref, limit=limit)

    async def listen(self, receive: Receive) -> None:
        """Poll VK until cancelled; with the Callback API there is nothing to do."""
        if self._callback is None:
            await self._listener.poll(receive)

    def routes(self, receive: Receive) -> APIRouter | None:
        """The Callback API's door; `ok` is said only after `receive` returned."""
        if self._callback is None:
            return None
        return door(self._callback, self._group_id, take=lambda event: self._listener.take(event, receive))

    async def check(self) -> str:
        """Name the community that the token belongs to."""
        answer = await self._calls.own_call("groups.getById")
        groups = answer.get("groups") if isinstance(answer, dict) else answer
        group = groups[0] if isinstance(groups, list) and groups else None
        if not isinstance(group, dict):
            raise Unfinished("VK не назвал сообщество")
        if group.get("id") != self._group_id:
            raise Closed(
                f"ключ доступа VK — от сообщества {group.get('id')}, а в настройках указано {self._group_id}"
            )
        return f"vk.com/club{self._group_id} ({group.get('name', '')})"

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()
