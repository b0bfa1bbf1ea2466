"""The queue of updates: long polling and the webhook, whichever the bot has chosen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from bot.clock import Clock
from tests.emulators.telegram_spec import Refused
from tests.emulators.telegram_world import Signal

LIFE = timedelta(hours=24)
CALLBACK_LIFE = timedelta(seconds=150)
LONGEST_POLL = 50.0  # seconds; the real server shortens longer wishes to this
LARGEST_BATCH = 100
LONGEST_PAUSE = 60.0  # seconds between two tries of the webhook
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
CONFLICT = "terminated by other getUpdates request; make sure that only one bot instance is running"

Execute = Callable[[str, Mapping[str, Any]], Awaitable[object]]


@dataclass
class QueuedUpdate:
    """One update waiting to be taken."""

    update_id: int
    kind: str
    body: Any
    line: str
    at: datetime
    again: bool = False
    """A second copy: offered at least once even if its id is confirmed already."""


@dataclass(frozen=True)
class Webhook:
    """Where the bot wants its updates."""

    url: str
    secret: str | None
    connections: int


@dataclass(frozen=True)
class WebhookTry:
    """One POST to the webhook; `status` is None when there was no answer."""

    update_id: int
    status: int | None
    at: datetime


@dataclass
class UpdateQueue:
    """Keeps updates until the bot has taken them."""

    clock: Clock
    execute: Execute
    longest_poll: float = LONGEST_POLL
    pending: list[QueuedUpdate] = field(default_factory=list)
    tries: list[WebhookTry] = field(default_factory=list)
    webhook: Webhook | None = None
    allowed: Sequence[str] = ()
    last_error: tuple[datetime, str] | None = None
    changed: Signal = field(default_factory=Signal)
    confirmed: int = 0
    """The highest offset the bot has asked for."""
    _next_id: int = field(default_factory=lambda: random.randint(10**8, 9 * 10**8))
    _poller: asyncio.Future[None] | None = None
    _lines: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _session: aiohttp.ClientSession | None = None
    _places: asyncio.Semaphore | None = None
    _twice: int = 0
    _held: list[tuple[str, Any, str]] = field(default_factory=list)
    _to_hold: int = 0

    def push(self, kind: str, payload: Any, *, line: str) -> None:
        """Something happened; updates of one `line` keep their order on the webhook."""
        wanted = kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT
        if not wanted:
            return
        if self._to_hold:
            self._held.append((kind, payload, line))
            if len(self._held) < self._to_hold:
                return
            held, self._held, self._to_hold = self._held, [], 0
            for late in reversed(held):
                self._add(late[0], late[1], line=late[2])
            return
        self._add(kind, payload, line=line)

    def inject(self, raw: Any) -> int:
        """Offer any JSON as an update; an object without `update_id` gets one. Returns the id."""
        update_id = self._new_id()
        body = raw
        if isinstance(raw, dict):
            body = {"update_id": update_id, **raw}
            if isinstance(body["update_id"], int):
                update_id = body["update_id"]
                self._next_id = max(self._next_id, update_id + 1)
        self._enqueue(QueuedUpdate(update_id, "raw", body, "raw", self.clock.now()))
        return update_id

    def duplicate(self, times: int) -> None:
        """Offer each of the next `times` updates twice, with the same id."""
        self._twice += times

    def reorder(self, count: int) -> None:
        """Hold the next `count` updates back and offer them in reverse."""
        self._to_hold = count

    async def poll(self, *, offset: int, limit: int, timeout_s: float) -> list[Any]:
        """Confirm what is below `offset` and return what is there, waiting if there is nothing."""
        if self.webhook:
            what = (
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook"
            )
            raise Refused(409, f"Conflict: {what} first")
        self.dismiss_poller(CONFLICT)
        self._confirm(offset)
        seconds = min(timeout_s, self.longest_poll, LONGEST_POLL)
        if not self._living() and seconds > 0:
            await self._wait_for_update(seconds)
        batch = self._living()[: min(max(limit, 1), LARGEST_BATCH)]
        for update in batch:
            update.again = False
        return [update.body for update in batch]

    def set_webhook(self, webhook: Webhook) -> None:
        """Start sending there."""
        self.dismiss_poller("terminated by setWebhook request")
        self.stop_webhook()
        self.webhook = webhook
        self._places = asyncio.Semaphore(webhook.connections)
        for line in dict.fromkeys(update.line for update in self.pending):
            self._serve(line)

    def stop_webhook(self) -> None:
        """Stop sending; what is pending stays for polling."""
        self.webhook = None
        for task in self._lines.values():
            task.cancel()
        self._lines.clear()

    @property
    def polled(self) -> bool:
        """Whether the bot waits for updates at this moment."""
        return self._poller is not None

    def forget_pending(self) -> None:
        """Drop everything that waits."""
        self.pending.clear()
        self.changed.fire()

    def dismiss_poller(self, why: str) -> None:
        """End the long poll that waits, if one does, with a conflict."""
        if self._poller and not self._poller.done():
            self._poller.set_exception(Refused(409, f"Conflict: {why}"))
        self._poller = None

    async def close(self) -> None:
        """End all deliveries."""
        self.dismiss_poller("the server is stopping")
        tasks = list(self._lines.values())
        self.stop_webhook()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def _add(self, kind: str, payload: Any, *, line: str) -> None:
        update_id = self._new_id()
        body = {"update_id": update_id, kind: payload}
        self._enqueue(QueuedUpdate(update_id, kind, body, line, self.clock.now()))
        if self._twice:
            self._twice -= 1
            self._enqueue(QueuedUpdate(update_id, kind, body, line, self.clock.now(), again=True))

    def _enqueue(self, update: QueuedUpdate) -> None:
        self.pending.append(update)
        if self._poller and not self._poller.done():
            self._poller.set_result(None)
        if self.webhook:
            self._serve(update.line)
        self.changed.fire()

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _confirm(self, offset: int) -> None:
        if offset > 0:
            self.confirmed = max(self.confirmed, offset)
            self.pending = [update for update in self.pending if update.update_id >= offset or update.again]
        elif offset < 0:
            self.pending = self.pending[offset:]
        self.changed.fire()

    def _living(self) -> list[QueuedUpdate]:
        now = self.clock.now()
        living = [
            update
            for update in self.pending
            if now - update.at <= (CALLBACK_LIFE if update.kind == "callback_query" else LIFE)
        ]
        if len(living) < len(self.pending):
            self.pending = living
            self.changed.fire()
        return living

    async def _wait_for_update(self, seconds: float) -> None:
        waiting = self._poller = asyncio.get_running_loop().create_future()
        self.changed.fire()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiting, seconds)
        finally:
            if self._poller is waiting:
                self._poller = None

    def _serve(self, line: str) -> None:
        task = self._lines.get(line)
        if task is None or task.done():
            self._lines[line] = asyncio.create_task(self._deliver_line(line))

    async def _deliver_line(self, line: str) -> None:
        """Send one line in order; nothing overtakes an update that the bot refuses."""
        pause = 0.0
        while self.webhook and self._places:
            update = next((waiting for waiting in self._living() if waiting.line == line), None)
            if update is None:
                del self._lines[line]
                return
            async with self._places:
                taken = await self._post(self.webhook, update)
            if taken:
                pause = 0.0
                with suppress(ValueError):  # forgotten meanwhile
                    self.pending.remove(update)
                self.changed.fire()
                continue
            if pause:  # the first repeat comes at once, as on the real server
                await self.clock.sleep(pause)
            pause = min(max(1.0, pause * 2), LONGEST_PAUSE)

    async def _post(self, webhook: Webhook, update: QueuedUpdate) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        try:
            async with self._session.post(webhook.url, json=update.body, headers=headers) as answer:
                status: int | None = answer.status
                reason = f"Wrong response from the webhook: {answer.status} {answer.reason}"
                call = await _method_call(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as broken:
            status, reason, call = None, f"Connection failed: {type(broken).__name__}", None
        self.tries.append(WebhookTry(update.update_id, status, self.clock.now()))
        taken = status is not None and 200 <= status < 300
        if not taken:
            self.last_error = (self.clock.now(), reason)
        elif call:
            await self.execute(call["method"], {key: call[key] for key in call if key != "method"})
        return taken


async def _method_call(answer: aiohttp.ClientResponse) -> dict[str, Any] | None:
    try:
        body = await answer.json(content_type=None)
    except (ValueError, aiohttp.ClientError):
        return None
    return body if isinstance(body, dict) and "method" in body else None
