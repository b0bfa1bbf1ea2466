"""How fast we may send: the messenger's pace, kept on our side so that it need not refuse."""

from __future__ import annotations

import math
from collections.abc import Callable

from bot.channels.base import Pace
from bot.clock import Clock


class Pacer:
    """Spaces the messages of one channel: evenly over the second, and apart within a chat.

    An album is one request of several `messages`: the channel counts each of them, and so does a group,
    while for a person's chat it is one.
    """

    def __init__(
        self, pace: Pace, clock: Clock, *, is_group: Callable[[str], bool] = lambda _: False
    ) -> None:
        """`is_group` tells which chats are groups: their pace may be slower."""
        self._interval = 1.0 / pace.per_second
        self._per_chat = pace.per_chat_interval
        self._per_group = max(pace.per_chat_interval, pace.per_group_interval)
        self._is_group = is_group
        self._clock = clock
        self._next = 0.0
        self._held_until = 0.0
        self._chats: dict[str, float] = {}

    async def turn(self, chat_id: str, *, messages: int = 1) -> None:
        """Wait until one more request to this chat is allowed."""
        # Those behind the first must have had their time before, too: then no minute holds too many.
        room = self._time_of(chat_id, messages) - self._time_of(chat_id, 1)
        while True:
            now = self._clock.monotonic()
            slot = max(now, self._next, self._chats.get(chat_id, -math.inf) + room)
            # Another chat may go first: only the channel's own slot is taken now.
            self._next = max(now, self._next) + self._interval * messages
            if slot > now:
                await self._clock.sleep(slot - now)
            # The messenger may have asked for silence while we waited.
            if self._clock.monotonic() >= self._held_until:
                return

    def done(self, chat_id: str, *, messages: int = 1) -> None:
        """The request ended now: the chat's interval counts from here, since it may have arrived late."""
        time = self._time_of(chat_id, messages)
        if time <= 0:
            return
        now = self._clock.monotonic()
        self._chats[chat_id] = now + time
        if len(self._chats) > _REMEMBERED:
            self._chats = {chat: free for chat, free in self._chats.items() if free > now}

    def hold(self, seconds: float) -> None:
        """The messenger asked the whole channel to wait."""
        self._held_until = max(self._held_until, self._clock.monotonic() + seconds)
        self._next = max(self._next, self._held_until)

    def _time_of(self, chat_id: str, messages: int) -> float:
        """How long a request takes of its chat, in seconds."""
        return self._per_group * messages if self._is_group(chat_id) else self._per_chat


_REMEMBERED = 5_000
"""Chats; beyond that those whose interval is over are forgotten."""
