"""Names of people, asked for once."""

from __future__ import annotations

import asyncio

import structlog

from bot.channels.base import SendError
from bot.channels.vk.calls import Calls
from bot.channels.vk.raw import NAME, Json, clean
from bot.clock import Clock

COURTESY_SECONDS = 2.0
"""How long an event may wait for a name."""
COURTESY_REST_SECONDS = 30.0
"""How long names are not asked for after VK failed to tell one."""
NAMES_KEPT = 5000

_log = structlog.get_logger(__name__)


class Names:
    """Remembers who is called what."""

    def __init__(self, calls: Calls, *, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._names: dict[int, str] = {}
        self._rest_until = 0.0

    async def of(self, person: int) -> str:
        """Ask VK for a name once; an event never waits long for it."""
        if person in self._names:
            return self._names[person]
        if self._clock.monotonic() < self._rest_until:
            return ""
        try:
            async with asyncio.timeout(COURTESY_SECONDS):
                users = await self._calls.call("users.get", user_ids=person)
            name = _full_name(users[0])
        except (SendError, TimeoutError, LookupError, TypeError, AttributeError) as error:
            self._rest_until = self._clock.monotonic() + COURTESY_REST_SECONDS
            _log.info("name_not_told", channel=NAME, error=type(error).__name__)
            return ""
        if len(self._names) >= NAMES_KEPT:
            del self._names[next(iter(self._names))]
        self._names[person] = name
        return name


def _full_name(user: Json) -> str:
    if user.get("deactivated"):
        return ""
    return clean(f"{user.get('first_name', '')} {user.get('last_name', '')}".strip())
