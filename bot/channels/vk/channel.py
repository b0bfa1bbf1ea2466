"""A community's messages as a channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter

from bot.channels.base import (
    Closed,
    Cursor,
    LocalFile,
    Pace,
    Piece,
    Receive,
    Rejected,
    SendError,
    Unfinished,
    send_to_one,
)
from bot.channels.vk.callback import Callback, door
from bot.channels.vk.calls import Calls
from bot.channels.vk.composing import compose
from bot.channels.vk.fetching import fetch
from bot.channels.vk.groups import is_group
from bot.channels.vk.library import Http
from bot.channels.vk.listening import Listener
from bot.channels.vk.raw import NAME
from bot.channels.vk.sending import MOST_PEERS, edit, send, send_to_many, unsend
from bot.channels.vk.uploading import Uploads
from bot.channels.vk.wall import WALL, compose_post, delete_post, edit_post, post
from bot.clock import Clock
from handlers.messages import Address, Outgoing


class VkChannel:
    """VK made small: translates events and messages, decides nothing."""

    name = NAME
    drops_repeats = True
    """VK compares `random_id` within the last hour and the last 100 messages of a chat."""
    deletes_theirs = False
    """Only from the community's side of the dialogue, where several people read (messages.delete)."""
    most_readers = MOST_PEERS
    pace = Pace(per_second=19.6, per_chat_interval=0.0, most_in_second=20)
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
        """Split a message into requests; what goes to the chat_id «wall» becomes a post."""
        return compose_post(message, files) if message.to.chat_id == WALL else compose(message, files)

    async def send(self, to: Address, piece: Piece, *, key: str) -> str:
        """Send one piece, or post it on the wall; VK drops a repeat with the same key for an hour."""
        if to.chat_id == WALL:
            return await post(self._calls, self._group_id, piece, key=key)
        return await send(self._calls, self._uploads, to=to, piece=piece, key=key)

    async def send_to_many(
        self, chat_ids: Sequence[str], piece: Piece, *, key: str
    ) -> dict[str, str | SendError]:
        """Send one piece to many chats by one call; VK drops repeats in each chat by itself."""
        chats = [chat_id for chat_id in chat_ids if chat_id != WALL]
        answers = await send_to_one(self, [WALL], piece, key=key) if len(chats) < len(chat_ids) else {}
        if chats:
            answers |= await send_to_many(self._calls, self._uploads, chat_ids=chats, piece=piece, key=key)
        return answers

    async def edit(self, to: Address, external_id: str, piece: Piece) -> None:
        """Change a message of ours within 24 hours, or a post on the wall."""
        if to.chat_id == WALL:
            await edit_post(self._calls, self._group_id, external_id, piece)
        else:
            await edit(self._calls, self._uploads, to=to, external_id=external_id, piece=piece)

    async def unsend(self, to: Address, external_id: str) -> None:
        """Take a message of ours from everybody within 24 hours, or a post from the wall."""
        if to.chat_id == WALL:
            await delete_post(self._calls, self._group_id, external_id)
        else:
            await unsend(self._calls, to=to, external_id=external_id)

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
