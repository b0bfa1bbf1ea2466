"""Bots Long Poll."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import ClientError

from bot.channels.base import Cursor
from bot.channels.vk.library import WAIT_SECONDS, Http, Refused
from bot.channels.vk.raw import NAME, Json

_log = structlog.get_logger(__name__)


class Queue:
    """VK's queue of events, read from where our own cursor stands.

    batch → every event taken → taken() → the next batch: the place moves only in `taken`.
    """

    def __init__(
        self, http: Http, cursor: Cursor, *, ask: Callable[..., Awaitable[Any]], group_id: int
    ) -> None:
        self._http = http
        self._cursor = cursor
        self._ask = ask
        self._group_id = group_id
        self._server: Json | None = None
        self._next: str | None = None
        self._lost_place = False
        self._refusals = 0
        self.place: str | None = None

    async def batch(self) -> list[object]:
        """Wait for the next events; empty when there are none."""
        server = self._server or await self._open()
        query = {"act": "a_check", "key": server["key"], "ts": str(self.place), "wait": str(WAIT_SECONDS)}
        try:
            answer = await self._http.poll(server["server"], query)
        except (ClientError, TimeoutError, OSError, ValueError, Refused):
            # Perhaps this server was taken away: the next try asks for another, from the same place.
            self._server = None
            raise
        if "failed" in answer:
            await self._start_again(answer)
            return []
        self._refusals = 0
        updates = answer.get("updates")
        if "ts" not in answer or not isinstance(updates, list):
            self._server = None
            raise ValueError("not a batch")
        self._next = str(answer["ts"])
        return updates

    async def taken(self) -> None:
        """Remember that everything in the last batch is ours."""
        if self._next is not None and self._next != self.place:
            await self._move(self._next)
        self._next = None

    async def _open(self) -> Json:
        server = await self._ask("groups.getLongPollServer", group_id=self._group_id)
        address = str(server["server"])
        if self.place is None:
            self.place = await self._cursor.load()
        if self.place is None or self._lost_place:
            await self._move(str(server["ts"]))
            self._lost_place = False
        self._server = {
            "server": address if "://" in address else f"https://{address}",
            "key": str(server["key"]),
        }
        return self._server

    async def _start_again(self, answer: Json) -> None:
        """Do as VK says: 1 = go on from its ts, 2 = take a new key, 3 = take a new key and a new ts."""
        self._next = None
        reason, place = answer["failed"], answer.get("ts")
        self._refusals += 1
        if reason == 1 and place is not None:
            _log.warning("events_may_be_lost", channel=NAME, failed=1)
            await self._move(str(place))
        else:
            self._server = None
            if reason in (1, 3):
                _log.warning("events_may_be_lost", channel=NAME, failed=reason)
                self._lost_place = True
        if self._refusals > 1:
            raise ConnectionError("the queue refuses again and again")

    async def _move(self, place: str) -> None:
        await self._cursor.save(place)
        self.place = place
