"""How fast we may send: the messenger's pace, kept on our side so that it need not refuse."""

from __future__ import annotations

from bot.channels.base import Pace
from bot.clock import Clock


class Pacer:
    """Spaces the messages of one channel: evenly over the second, and apart within a chat."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._interval = 1.0 / pace.per_second
        self._per_chat = pace.per_chat_interval
        self._clock = clock
        self._next = 0.0
        self._held_until = 0.0
        self._chats: dict[str, float] = {}

    async def turn(self, chat_id: str) -> None:
        """Wait until one more message to this chat is allowed."""
        while True:
            now = self._clock.monotonic()
            slot = max(now, self._next, self._chats.get(chat_id, 0.0))
            # Another chat may go first: only the channel's own slot is taken now.
            self._next = max(now, self._next) + self._interval
            if slot > now:
                await self._clock.sleep(slot - now)
            # The messenger may have asked for silence while we waited.
            if self._clock.monotonic() >= self._held_until:
                return

    def done(self, chat_id: str) -> None:
        """The request ended now: the chat's interval counts from here, since it may have arrived late."""
        if self._per_chat <= 0:
            return
        now = self._clock.monotonic()
        self._chats[chat_id] = now + self._per_chat
        if len(self._chats) > _REMEMBERED:
            self._chats = {chat: free for chat, free in self._chats.items() if free > now}

    def hold(self, seconds: float) -> None:
        """The messenger asked the whole channel to wait."""
        self._held_until = max(self._held_until, self._clock.monotonic() + seconds)
        self._next = max(self._next, self._held_until)


_REMEMBERED = 5_000
"""Chats; beyond that those whose interval is over are forgotten."""
