"""How fast we may send: the messenger's pace, kept on our side so that it need not refuse."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from bot.channels.base import Pace
from bot.clock import Clock


@dataclass
class _Mark:
    """A message that the messenger counts, somewhen between `begun` and `done`."""

    begun: float
    done: float | None = None


class Pacer:
    """Spaces the messages of one channel: evenly over the second, and apart within a chat.

    An album is one request of several `messages`: the channel counts each of them, and so does a group,
    while for a person's chat it is one. Replies take their `turn`; announcements to many take a `spare_turn`,
    which is there only when no reply waits.
    """

    def __init__(
        self, pace: Pace, clock: Clock, *, is_group: Callable[[str], bool] = lambda _: False
    ) -> None:
        """`is_group` tells which chats are groups: their pace may be slower."""
        self._interval = 1.0 / pace.per_second
        self._most = pace.most_in_second
        self._per_chat = pace.per_chat_interval
        self._per_group = max(pace.per_chat_interval, pace.per_group_interval)
        self._is_group = is_group
        self._clock = clock
        self._next = 0.0
        self._held_until = 0.0
        self._chats: dict[str, float] = {}
        self._marks: deque[_Mark] = deque(maxlen=max(1, self._most))
        self._unfinished: defaultdict[str, deque[list[_Mark]]] = defaultdict(deque)
        self._trips: deque[float] = deque(maxlen=_TRIPS)
        self._replies_waiting = 0

    @property
    def held_for(self) -> float:
        """For how many seconds more the messenger has asked for silence."""
        return max(0.0, self._held_until - self._clock.monotonic())

    async def turn(self, chat_id: str, *, messages: int = 1) -> None:
        """Wait until one more request to this chat is allowed; `done` must follow."""
        # Those behind the first must have had their time before, too: then no minute holds too many.
        room = self._time_of(chat_id, messages) - self._time_of(chat_id, 1)
        while True:
            now = self._clock.monotonic()
            slot = max(now, self._next, self._chats.get(chat_id, -math.inf) + room)
            # Another chat may go first: only the channel's own slot is taken now.
            self._next = self._after(now, messages)
            if slot > now:
                await self._clock.sleep(slot - now)
            # The messenger may have asked for silence while we waited.
            if self._clock.monotonic() >= self._held_until:
                break
        await self._take_marks(chat_id, messages)

    async def spare_turn(self) -> None:
        """Wait until there is time for one more request that nobody in particular waits for.

        Whoever then has something to send takes a `chat_turn`.
        """
        while True:
            now = self._clock.monotonic()
            wait = max(self._next, self._held_until) - now
            if wait <= 0:
                self._next = self._after(now, 1)
                return
            await self._clock.sleep(wait)

    async def chat_turn(self, chat_id: str, *, messages: int = 1) -> bool:
        """After a `spare_turn`: wait until this request is allowed; `done` must follow.

        `chat_id` is empty for a request to many. False: the messenger has asked for silence meanwhile, and
        nothing may be sent.
        """
        while not self.held_for:
            wait = self._chats.get(chat_id, -math.inf) - self._clock.monotonic()
            wait = max(wait, self._wait_for_second(messages))
            if wait <= 0 and not self._replies_waiting:
                self._next += self._interval * (messages - 1)
                self._mark(chat_id, messages)
                return True
            # For a reply that goes first there is no telling how long it takes.
            wait = max(wait, _SHORTEST_SECONDS) if wait > 0 else _LOOK_SECONDS
            await self._clock.sleep(min(wait, _LONGEST_LOOK_SECONDS))
        return False

    def done(self, chat_id: str, *, messages: int = 1) -> None:
        """The request ended now: the chat's interval counts from here, since it may have arrived late."""
        now = self._clock.monotonic()
        if self._unfinished[chat_id]:
            marks = self._unfinished[chat_id].popleft()
            self._trips.append(now - marks[0].begun)
            for mark in marks:
                mark.done = now
        if not self._unfinished[chat_id]:
            del self._unfinished[chat_id]
        time = self._time_of(chat_id, messages)
        if time <= 0 or not chat_id:
            return
        self._chats[chat_id] = now + time
        if len(self._chats) > _REMEMBERED:
            self._chats = {chat: free for chat, free in self._chats.items() if free > now}

    def hold(self, seconds: float) -> None:
        """The messenger asked the whole channel to wait."""
        self._held_until = max(self._held_until, self._clock.monotonic() + seconds)
        self._next = max(self._next, self._held_until)

    def _after(self, now: float, messages: int) -> float:
        """When the next slot is, if one of so many messages is taken now."""
        # Where a second is counted anyway, a late waking need not slow the channel down.
        behind = now - _CATCH_UP_SECONDS if self._most else now
        return max(behind, self._next) + self._interval * messages

    async def _take_marks(self, chat_id: str, messages: int) -> None:
        """Wait until the second before holds few enough messages, however late they may have arrived."""
        self._replies_waiting += 1
        try:
            while (wait := self._wait_for_second(messages)) > 0:
                await self._clock.sleep(max(wait, _SHORTEST_SECONDS))
        finally:
            self._replies_waiting -= 1
        self._mark(chat_id, messages)

    def _mark(self, chat_id: str, messages: int) -> None:
        now = self._clock.monotonic()
        marks = [_Mark(now) for _ in range(messages)]
        self._marks.extend(marks)
        self._unfinished[chat_id].append(marks)

    def _wait_for_second(self, messages: int) -> float:
        last = len(self._marks) + messages - self._most - 1
        if not self._most or last < 0 or messages > self._most:
            return 0.0
        now, mark = self._clock.monotonic(), self._marks[last]
        done = mark.begun + _ARRIVES_WITHIN_SECONDS if mark.done is None else mark.done
        if mark.done is None and now < done:
            return _LOOK_SECONDS
        return done + _SECOND - self._quickest_trip() - now

    def _quickest_trip(self) -> float:
        """What no request and its answer take less than together.

        If this one needed the shortest way out and that one the shortest way back, they still stand as far
        apart on the messenger's clock as they must.
        """
        return _OF_TRIP * min(self._trips) if len(self._trips) == _TRIPS else 0.0

    def _time_of(self, chat_id: str, messages: int) -> float:
        """How long a request takes of its chat, in seconds."""
        return self._per_group * messages if self._is_group(chat_id) else self._per_chat


_SECOND = 1.002
"""A second, and what two clocks may differ by meanwhile."""
_CATCH_UP_SECONDS = 0.25
"""So much lateness is made up for by shorter pauses."""
_LOOK_SECONDS = 0.01
"""How often to look whether the oldest request of the second before has ended."""
_SHORTEST_SECONDS = 0.001
"""No clock is woken earlier than that."""
_LONGEST_LOOK_SECONDS = 1.0
"""How soon an order to be silent is noticed."""
_ARRIVES_WITHIN_SECONDS = 5.0
"""A request that hangs for longer holds up nobody else: most likely it has not arrived at all."""
_TRIPS = 100
_OF_TRIP = 0.9
"""The way may become shorter than it was for the last requests."""
_REMEMBERED = 5_000
"""Chats; beyond that those whose interval is over are forgotten."""
