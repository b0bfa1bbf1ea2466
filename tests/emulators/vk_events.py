"""Events on their way to the bot: the long poll's history and the callback sender."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp

from tests.emulators.vk_spec import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.clock import Clock

MAX_WAIT = 90  # seconds, the long poll's own limit
RETRY_DELAYS = (1, 3, 10, 30, 60, 120, 300, 600, 1200, 3600)  # seconds; VK publishes no numbers
CALLBACK_TIMEOUT = 10  # real seconds; VK publishes no number
# What a community that works with a bot ticks in its settings.
USUAL_EVENTS = frozenset(
    {"message_new", "message_reply", "message_edit", "message_allow", "message_deny", "message_event"}
)


@dataclass
class Event:
    """One element of the history: an event, or anything a test has injected."""

    number: int
    body: Any


@dataclass(eq=False)
class Poll:
    """A request that waits for events."""

    key: str
    ts: str
    wait: float
    is_open: Callable[[], bool]


class LongPoll:
    """Keeps events so that any `ts` within the history can be replayed."""

    def __init__(self, *, history: int = 5000) -> None:
        self.key = uuid4().hex
        self.enabled = True
        self.events = set(USUAL_EVENTS)
        self._waiting: list[Poll] = []
        self._presented = ""  # the ts of the latest poll
        self._history: deque[Event] = deque(maxlen=history)
        self._number = 1
        self._failures: deque[int] = deque()
        self._changed = asyncio.Condition()
        self._closing = False

    @property
    def ts(self) -> str:
        """The number of the newest event."""
        return str(self._number)

    async def add(self, body: Any) -> None:
        """Append to the history and wake the poller."""
        self._number += 1
        self._history.append(Event(self._number, body))
        await self._wake()

    async def fail(self, code: int) -> None:
        """Answer the next poll with `failed`; 2 and 3 make the present key invalid."""
        if code != 1:
            self.key = uuid4().hex
        self._failures.append(code)
        await self._wake()

    async def forget_history(self) -> None:
        """Old events are lost: an older ts is answered with failed 1."""
        self._history.clear()
        await self._wake()

    def open(self) -> None:
        """Let polls wait again."""
        self._closing = False

    async def close(self) -> None:
        """Let go of those who wait."""
        self._closing = True
        await self._wake()

    async def answer(self, poll: Poll) -> dict[str, Any]:
        """One poll; waits for an event up to `wait` real seconds."""
        self._presented = poll.ts
        self._waiting.append(poll)
        await self._wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(poll.wait), self._changed:
                await self._changed.wait_for(lambda: self._has_news(key=poll.key, ts=poll.ts))
        self._waiting.remove(poll)
        return self._reply(key=poll.key, ts=poll.ts)

    async def listened(self) -> None:
        """Wait until somebody is polling."""
        async with self._changed:
            await self._changed.wait_for(lambda: any(poll.is_open() for poll in self._waiting))

    async def all_taken(self) -> None:
        """Wait until a poll comes with the newest ts: the bot has done with everything before."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._presented == self.ts)

    def _has_news(self, *, key: str, ts: str) -> bool:
        return self._closing or self._must_fail(key) or key != self.key or ts != self.ts

    def _must_fail(self, key: str) -> bool:
        return bool(self._failures) and (self._failures[0] == 1 or key != self.key)

    def _reply(self, *, key: str, ts: str) -> dict[str, Any]:
        if self._must_fail(key):
            return self._failure(self._failures.popleft(), ts=ts)
        if key != self.key:
            return {"failed": 2}
        if not ts.isdecimal() or not self._oldest() <= int(ts) <= self._number:
            return {"failed": 1, "ts": self._nearest(ts)}
        updates = [event.body for event in self._history if event.number > int(ts)]
        return {"ts": self.ts, "updates": updates}

    def _failure(self, code: int, *, ts: str) -> dict[str, Any]:
        return {"failed": 1, "ts": self._nearest(ts)} if code == 1 else {"failed": code}

    def _oldest(self) -> int:
        return self._history[0].number - 1 if self._history else self._number

    def _nearest(self, ts: str) -> str:
        wanted = int(ts) if ts.isdecimal() and int(ts) <= self._number else self._number
        return str(max(wanted, self._oldest()))

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@dataclass
class CallbackServer:
    """An address that the community has registered."""

    id: int
    url: str
    title: str = "bot"
    secret: str = ""
    confirmation: str = ""
    status: str = "unconfigured"
    events: set[str] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """The object of groups.getCallbackServers."""
        body = {"id": self.id, "title": self.title, "creator_id": 1, "url": self.url}
        return body | {"secret_key": self.secret, "status": self.status}


@dataclass(frozen=True)
class Delivery:
    """One POST to the bot and how it ended."""

    event_id: str
    kind: str
    attempt: int
    status: int | None  # nothing when the connection failed
    body: str
    accepted: bool


class CallbackSender:
    """POSTs events; a refused one is repeated with pauses by the clock, later ones do not wait for it."""

    def __init__(self, *, clock: Clock) -> None:
        self.servers: dict[int, CallbackServer] = {}
        self.deliveries: list[Delivery] = []
        self.undelivered: list[Any] = []
        self.removed: list[CallbackServer] = []
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._queue: asyncio.Queue[tuple[CallbackServer, Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Condition()
        self._under_way = 0

    async def open(self) -> None:
        """Start sending."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALLBACK_TIMEOUT))
        self._start(self._send_queue())

    async def close(self) -> None:
        """Stop; whatever is not delivered stays so."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    async def confirm(self, server: CallbackServer, *, group_id: int) -> bool:
        """Ask the address for the confirmation string."""
        body = {"type": "confirmation", "group_id": group_id, "event_id": uuid4().hex, "v": VERSION}
        if server.secret:
            body["secret"] = server.secret
        status, text, _ = await self._post(server, body, attempt=0)
        confirmed = status == HTTPStatus.OK and text == server.confirmation
        server.status = "ok" if confirmed else "failed"
        return confirmed

    def confirm_later(self, server: CallbackServer, *, group_id: int) -> None:
        """The same in the background: the bot that asked for it must be able to answer."""

        async def ask() -> None:
            await self.confirm(server, group_id=group_id)

        self._start(ask())

    async def add(self, body: Any, *, kind: str | None = None) -> None:
        """Send to every confirmed address that wants this kind (anything injected goes to all)."""
        for server in list(self.servers.values()):
            if server.status == "ok" and (kind is None or kind in server.events):
                self._under_way += 1
                self._queue.put_nowait((server, body))

    async def settled(self, *, timeout: float = 10) -> None:  # noqa: ASYNC109 - a test's patience in real time
        """Wait until everything is delivered or given up."""
        async with asyncio.timeout(timeout), self._idle:
            await self._idle.wait_for(lambda: self._under_way == 0)

    async def _send_queue(self) -> None:
        while True:
            server, body = await self._queue.get()
            if await self._deliver(server, body, attempt=0):
                await self._done()
            else:
                self._start(self._repeat(server, body))

    async def _repeat(self, server: CallbackServer, body: Any) -> None:
        for attempt, delay in enumerate(RETRY_DELAYS, start=1):
            await self._clock.sleep(delay)
            if server.id not in self.servers or await self._deliver(server, body, attempt=attempt):
                break
        else:
            self.undelivered.append(body)
        await self._done()

    async def _done(self) -> None:
        self._under_way -= 1
        async with self._idle:
            self._idle.notify_all()

    async def _deliver(self, server: CallbackServer, body: Any, *, attempt: int) -> bool:
        if isinstance(body, dict) and server.secret:
            body = {**body, "secret": server.secret}
        status, text, seen = await self._post(server, body, attempt=attempt)
        if status == HTTPStatus.OK and text == "remove":
            self.removed.append(server)
            self.servers.pop(server.id, None)
        accepted = status == HTTPStatus.OK and text == "ok"
        event_id, kind = seen
        self.deliveries.append(Delivery(event_id, kind, attempt, status, text, accepted))
        return accepted or text == "remove"

    async def _post(
        self, server: CallbackServer, body: Any, *, attempt: int
    ) -> tuple[int | None, str, tuple[str, str]]:
        if self._session is None:
            raise RuntimeError("the emulator is not running")
        data = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        headers = {"Content-Type": "application/json"} | (
            {"X-Retry-Counter": str(attempt)} if attempt else {}
        )
        seen = (str(body.get("event_id")), str(body.get("type"))) if isinstance(body, dict) else ("", "")
        try:
            async with self._session.post(server.url, data=data.encode(), headers=headers) as response:
                return response.status, await response.text(), seen
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
            return None, "", seen

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Events:
    """Everything that happens in the community, told to the bot by the ways it has chosen."""

    def __init__(self, *, group_id: int, long_poll: LongPoll, callback: CallbackSender) -> None:
        self.sent: list[dict[str, Any]] = []
        self._group_id = group_id
        self._long_poll = long_poll
        self._callback = callback
        self._duplicates = 0
        self._held: list[tuple[Any, str | None]] = []
        self._to_hold = 0

    async def emit(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Wrap and send an event."""
        event = {
            "group_id": self._group_id,
            "type": kind,
            "event_id": uuid4().hex + uuid4().hex[:8],
            "v": VERSION,
            "object": body,
        }
        self.sent.append(event)
        for _ in range(2 if self._duplicates > 0 else 1):
            await self._pass_on(event, kind=kind)
        self._duplicates = max(0, self._duplicates - 1)
        return event

    async def inject(self, raw: Any) -> None:
        """Send anything as it is: an unknown kind, a broken object, not even JSON (callback only)."""
        await self._pass_on(raw, kind=None)

    def duplicate(self, times: int = 1) -> None:
        """The next events come twice, with the same event_id."""
        self._duplicates += times

    def reorder(self, count: int = 2) -> None:
        """The next `count` events wait for each other and come in reverse order."""
        self._to_hold = count

    async def _pass_on(self, body: Any, *, kind: str | None) -> None:
        self._held.insert(0, (body, kind))
        if len(self._held) < self._to_hold:
            return
        held, self._held, self._to_hold = self._held, [], 0
        for one, its_kind in held:
            await self._hand_over(one, kind=its_kind)

    async def _hand_over(self, body: Any, *, kind: str | None) -> None:
        if self._long_poll.enabled and (kind is None or kind in self._long_poll.events):
            await self._long_poll.add(body)
        await self._callback.add(body, kind=kind)
