"""Calling VK's methods, no faster than it counts, and what its refusals mean."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError

from bot.channels.base import Closed, NotSent, Rejected, SendError, SlowDown, Unfinished, Unreachable
from bot.channels.vk.library import Api, Http, VKAPIError
from bot.clock import Clock

CALLS_PER_SECOND = 20
"""So many calls of a community's token VK takes in any second, uploads and names included."""

_SLOW = {6, 9, 29}
"""VK takes too much from us, and does not say for how long."""
_CAPTCHA, _CAPTCHA_SECONDS = 14, 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, _GROWTH = 1.0, 60.0, 1.25
"""Of silence after such an answer: every one that follows in a row makes it longer."""
_UNFINISHED = {1, 10, 13, 22, 36}
_CLOSED = {
    5: "ключ доступа сообщества не подходит или отозван",
    17: "VK требует подтвердить владельца ключа",
    27: "ключ доступа сообщества отозван или не даёт этого права",
    28: "ключ доступа приложения отозван",
    912: "в настройках сообщества не включены «Возможности ботов»",
    1116: "ключ доступа недействителен",
    1117: "срок ключа доступа истёк",
}
_UNREACHABLE = {
    7: "not_allowed",
    18: "gone",
    210: "not_allowed",
    900: "blocked",
    901: "not_allowed",
    902: "not_allowed",
    917: "kicked",
    922: "kicked",
    925: "kicked",
    927: "gone",
    936: "gone",
    945: "gone",
    946: "gone",
    950: "not_allowed",
    985: "not_allowed",
    1012: "not_allowed",
    3610: "gone",
    3611: "gone",
}
"""What follows 917, 922 and 925 lies with the people in the chat: they let us in again, or not."""
_NO_RIGHT = {7, 15, 20, 23, 27}
"""Answers to a call that concerns no person: the token lacks a right."""


class Calls:
    """VK's methods for one community."""

    def __init__(self, token: str, http: Http, *, clock: Clock, url: str | None) -> None:
        self._token = token
        self._api = Api(token, http, url=url)
        self._gate = _Gate(clock, per_second=CALLS_PER_SECOND)
        self._clock = clock
        self._pause = 0.0
        self._silent_until = 0.0

    async def call(self, method: str, **form: Any) -> Any:
        """Call VK about a person."""
        try:
            return await self._ask(method, **form)
        except VKAPIError as error:
            raise self.refusal(error.code, error.error_msg) from None

    async def file_call(self, method: str, **form: Any) -> Any:
        """Call VK about a file: a right that is missing spoils the file, not the person or the channel."""
        try:
            return await self._ask(method, **form)
        except VKAPIError as error:
            if error.code in _NO_RIGHT:
                raise Rejected(f"у ключа доступа нет права {method} (ошибка {error.code})") from None
            raise self.refusal(error.code, error.error_msg) from None

    async def wall_call(self, method: str, **form: Any) -> Any:
        """Call VK about the community's wall: a right that is missing closes only that."""
        try:
            return await self._ask(method, **form)
        except VKAPIError as error:
            if error.code in _NO_RIGHT:
                detail = f"у ключа доступа нет права {method} (ошибка {error.code})"
                raise Unreachable("not_allowed", detail) from None
            raise self.refusal(error.code, error.error_msg) from None

    async def own_call(self, method: str, **form: Any) -> Any:
        """Call VK about the community itself: a refusal means that somebody has to mend its settings."""
        try:
            return await self._ask(method, **form)
        except VKAPIError as error:
            refusal = self.refusal(error.code, error.error_msg)
            if isinstance(refusal, (Rejected, Unreachable)):
                raise Closed(f"VK отказал в {method}: {self._safe(error.error_msg)}") from None
            raise refusal from None

    def refusal(self, code: int, words: str) -> SendError:
        """Say what an error of VK means for who sends."""
        if code in _SLOW:
            return SlowDown(self._longer_pause())
        if code == _CAPTCHA:
            return SlowDown(_CAPTCHA_SECONDS)
        if code in _UNFINISHED:
            return Unfinished(f"ошибка VK {code}")
        if code in _CLOSED:
            return Closed(f"VK: {_CLOSED[code]} (ошибка {code})")
        if code in _UNREACHABLE:
            return Unreachable(_UNREACHABLE[code], f"ошибка VK {code}")
        return Rejected(f"ошибка VK {code}: {self._safe(words)}")

    def _longer_pause(self) -> float:
        """Seconds until the next try: a little longer than the last time, unless that is not over yet."""
        now = self._clock.monotonic()
        if now < self._silent_until:
            return self._silent_until - now
        self._pause = min(max(_FIRST_PAUSE_SECONDS, self._pause * _GROWTH), _LONGEST_PAUSE_SECONDS)
        self._silent_until = now + self._pause
        return self._pause

    def _safe(self, words: str) -> str:
        return words.replace(self._token, "…")[:200]

    async def _ask(self, method: str, **form: Any) -> Any:
        """Call VK; its own errors come out as the library's, troubles on the way as ours."""
        async with self._gate.slot():
            try:
                answer = await self._api.request(method, form)
            except (ClientConnectorError, ConnectionTimeoutError) as error:
                raise NotSent(type(error).__name__) from None
            except (ClientError, TimeoutError, OSError) as error:
                raise Unfinished(type(error).__name__) from None
        if self._clock.monotonic() >= self._silent_until:
            self._pause = 0.0
        return answer["response"]


class _Gate:
    """Lets in no more calls than VK takes in a second, however late they arrive there.

    VK counts arrivals, and two calls sent apart may arrive together. So a call keeps its slot from before
    it is sent until a second after it was answered, less what no way there and back takes less than: all that
    arrive within one second hold slots at once.
    """

    def __init__(self, clock: Clock, *, per_second: int) -> None:
        self._clock = clock
        self._free_at: asyncio.Queue[float] = asyncio.Queue()
        for _ in range(per_second):
            self._free_at.put_nowait(0.0)
        self._trips: deque[float] = deque(maxlen=_TRIPS)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        free_at = await self._free_at.get()
        begun = None
        try:
            now = self._clock.monotonic()
            if free_at > now:
                await self._clock.sleep(free_at - now)
            begun = self._clock.monotonic()
            yield
        finally:
            if begun is None:
                self._free_at.put_nowait(free_at)  # not sent: the slot is as free as it was
            else:
                now = self._clock.monotonic()
                self._trips.append(now - begun)
                self._free_at.put_nowait(now + _SECOND - self._quickest_trip())

    def _quickest_trip(self) -> float:
        """Seconds between the arrivals of two calls that the ways to VK and back account for."""
        return _OF_TRIP * min(self._trips) if len(self._trips) == _TRIPS else 0.0


_SECOND = 1.003
"""VK's second on our clock, with room for a timer that wakes early."""
_TRIPS = 100
_OF_TRIP = 0.9
"""The way may become shorter than it was for the last calls."""
