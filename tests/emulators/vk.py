"""A VK community on loopback: the API, the long poll, the callback sender and people who write to it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from aiohttp import web

from bot.clock import Clock, SystemClock
from tests.emulators.chaos import Chaos, Trouble
from tests.emulators.vk_chats import GroupChat, Member
from tests.emulators.vk_crowd import Crowd
from tests.emulators.vk_errors import VkError
from tests.emulators.vk_events import (
    MAX_WAIT,
    USUAL_EVENTS,
    CallbackSender,
    CallbackServer,
    Events,
    LongPoll,
    Poll,
)
from tests.emulators.vk_faults import LONG_POLL, UPLOAD, Fault, FaultRule
from tests.emulators.vk_methods import Batch, Methods
from tests.emulators.vk_people import Person
from tests.emulators.vk_wall import Post, Wall
from tests.emulators.vk_world import ChatMessage, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from types import TracebackType

__all__ = [
    "LONG_POLL",
    "UPLOAD",
    "Chaos",
    "ChatMessage",
    "Crowd",
    "Fault",
    "GroupChat",
    "Member",
    "Person",
    "Post",
    "VkServer",
    "Wall",
]

TOKEN = "vk1.a.token"
FIRST_USER = 1_100_000_001  # peers above 2 000 000 000 are group chats
FIRST_OF_CROWD = 1_200_000_001
CALLS_PER_SECOND = 20  # for a community's token
MAX_UPLOAD = 50 * 2**20  # bytes
MIN_VERSION = (5, 199)
_SPOILT_BY_CHANCE = ("messages.", "wall.")
_FAULTS: dict[Trouble, tuple[Fault, ...]] = {
    "server_error": (Fault.html_page(), Fault.error(10), Fault.http(500), Fault.error(1)),
    "drop_before": (Fault.drop(),),
    "drop_after": (Fault.execute_then_drop(),),
    "storm": (Fault.error(9), Fault.error(29), Fault.error(6)),
}
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")


@dataclass(frozen=True)
class Call:
    """One API request as it came, without the token."""

    method: str
    params: dict[str, str]
    at: datetime


@dataclass(frozen=True)
class Refusal:
    """An error that the emulator found by itself (not an ordered one)."""

    method: str
    code: int
    text: str


class VkServer:
    """VK for one community: methods are under `url` + `/method/`.

    `longest_poll` shortens long polling (real seconds); `limits=False` switches the pace limit off; `lean`
    counts calls instead of keeping them, for many thousands.
    """

    def __init__(
        self,
        *,
        lean: bool = False,
        token: str = TOKEN,
        group_id: int = 1,
        clock: Clock | None = None,
        limits: bool = True,
        port: int = 0,
        longest_poll: float = MAX_WAIT,
    ) -> None:
        self.token = token
        self.group_id = group_id
        self.limits = limits
        self.url = ""
        self.calls: list[Call] = []
        self.count_of: Counter[str] = Counter()
        """How often each method was called."""
        self.chaos: Chaos | None = None
        self.violations: list[str] = []
        self.refusals: list[Refusal] = []
        self.limit_hits: list[Call] = []
        self.long_poll = LongPoll()
        self.clock = clock or SystemClock()
        self.callback = CallbackSender(clock=self.clock)
        self.events = Events(group_id=group_id, long_poll=self.long_poll, callback=self.callback)
        self.world = World(group_id=group_id, clock=self.clock)
        self._methods = Methods(
            self.world,
            self.events,
            long_poll=self.long_poll,
            callback=self.callback,
            violations=self.violations,
        )
        self._people: dict[int, Person] = {}
        self._user_ids = count(FIRST_USER)
        self._rules: list[FaultRule] = []
        self._recent: deque[float] = deque()
        self._lean = lean
        self._crowd_ids = FIRST_OF_CROWD
        self._closing = asyncio.Event()
        self._port = port
        self._longest_poll = longest_poll
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on loopback; the same port again after `stop`, as a server that came back."""
        self._closing.clear()
        self.long_poll.open()
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = self.world.base_url = f"http://127.0.0.1:{self._port}"
        await self.callback.open()

    async def stop(self) -> None:
        """Close everything; what the community remembers stays."""
        self._closing.set()
        await self.long_poll.close()
        await self.callback.close()
        if self._runner:
            await self._runner.cleanup()

    # People

    def person(self, user_id: int | None = None, *, first_name: str = "Анна", last_name: str = "") -> Person:
        """Somebody with a VK account; the same id is the same person."""
        number = user_id or next(self._user_ids)
        if number not in self._people:
            self.world.names[number] = (first_name, last_name)
            self._people[number] = Person(self.world, self.events, user_id=number)
        return self._people[number]

    def crowd(self, count: int) -> Crowd:
        """So many people who have allowed messages and only read; whoever of them speaks is a `person`."""
        crowd = Crowd(self._crowd_ids, count)
        self._crowd_ids += count
        self.world.crowds.append(crowd)
        return crowd

    def group_chat(self, title: str, *people: Person) -> GroupChat:
        """A new chat of these people, the bot not among them yet."""
        chat = GroupChat(self.world, self.events, title=title)
        chat.member_ids.extend(person.user_id for person in people)
        return chat

    # Troubles

    def fail(
        self,
        *,
        fault: Fault,
        method: str | None = None,
        peer_id: int | None = None,
        times: int = 1,
        skip: int = 0,
    ) -> FaultRule:
        """Spoil the next `times` requests; `method` may also be LONG_POLL or UPLOAD."""
        rule = FaultRule(fault=fault, method=method, peer_id=peer_id, times=times, skip=skip)
        self._rules.append(rule)
        return rule

    def bad_day(self, chaos: Chaos) -> Chaos:
        """Spoil messages and posts at random from now on; `heal` ends it."""
        self.chaos = chaos
        return chaos

    def heal(self) -> None:
        """Forget all troubles, ordered and random."""
        self._rules.clear()
        self.chaos = None

    async def listened(self, *, timeout: float = 10) -> None:  # noqa: ASYNC109 - a test's patience in real time
        """Wait until the bot polls: what happens before its first getLongPollServer is lost, as in VK."""
        try:
            async with asyncio.timeout(timeout):
                await self.long_poll.listened()
        except TimeoutError:
            raise AssertionError(f"за {timeout} с бот так и не слушает") from None

    async def long_poll_fails(self, code: int) -> None:
        """Answer the next poll with `failed` 1, 2 or 3."""
        await self.long_poll.fail(code)

    async def inject(self, raw: Any) -> None:
        """Send the bot anything in place of an event."""
        await self.events.inject(raw)

    def duplicate(self, times: int = 1) -> None:
        """The next events come twice."""
        self.events.duplicate(times)

    def reorder(self, count: int = 2) -> None:
        """The next `count` events wait for each other and come in reverse order."""
        self.events.reorder(count)

    async def all_taken(self, *, patience: float = 10.0) -> None:
        """Wait until the bot has taken every event: a newer ts was asked for, or every callback answered."""
        try:
            async with asyncio.timeout(patience):
                await self.callback.settled()
                if self.long_poll.enabled:
                    await self.long_poll.all_taken()
        except TimeoutError:
            raise AssertionError(f"за {patience} с бот забрал не все события") from None

    def calls_of(self, method: str) -> list[Call]:
        """Requests of one method."""
        return [call for call in self.calls if call.method == method]

    def unanswered_presses(self) -> list[str]:
        """Payloads (JSON) of the callback buttons that still spin."""
        return [pressed.payload for pressed in self.world.pressed.values()]

    @property
    def wall(self) -> Wall:
        """The community's wall."""
        return self.world.wall

    @property
    def bot_features(self) -> bool:
        """Whether the community has bots switched on; without it keyboards are error 912."""
        return self.world.bot_features

    @bot_features.setter
    def bot_features(self, value: bool) -> None:
        self.world.bot_features = value

    # Callback API

    async def set_callback(
        self, url: str, *, secret: str = "", confirmation: str = "5ab1c0de", long_poll: bool = False
    ) -> None:
        """Register the bot's address as an administrator would; the address must confirm itself."""
        self._methods.confirmation = confirmation
        number = max(self.callback.servers, default=0) + 1
        server = CallbackServer(number, url=url, secret=secret, confirmation=confirmation)
        server.events = set(USUAL_EVENTS)
        self.callback.servers[number] = server
        self.long_poll.enabled = long_poll
        if not await self.callback.confirm(server, group_id=self.group_id):
            raise AssertionError(f"адрес {url} не ответил строкой подтверждения")

    # HTTP

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_UPLOAD)
        app.router.add_route("*", "/method/{method}", self._on_method)
        app.router.add_route("*", "/lp/whp/{group}", self._on_poll)
        app.router.add_post("/upload/{kind}", self._on_upload)
        app.router.add_get("/files/{key}/{name}", self._on_file)
        return app

    async def _on_method(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        params = await self._params(request)

        async def answer() -> web.StreamResponse:
            return web.json_response(await self._answer(method, params))

        return await self._with_fault(request, method, params=params, answer=answer)

    async def _on_poll(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)

        async def answer() -> web.StreamResponse:
            wait = query.get("wait", "25")
            if query.get("act") != "a_check" or not wait.isdecimal() or int(wait) > MAX_WAIT:
                self.violations.append(f"long poll: act={query.get('act')}, wait={wait}")
            seconds = min(int(wait) if wait.isdecimal() else 25, self._longest_poll)
            poll = Poll(
                key=query.get("key", ""),
                ts=query.get("ts", ""),
                wait=seconds,
                is_open=lambda: request.transport is not None and not request.transport.is_closing(),
            )
            return web.json_response(await self.long_poll.answer(poll))

        return await self._with_fault(request, LONG_POLL, params=query, answer=answer)

    async def _on_upload(self, request: web.Request) -> web.StreamResponse:
        async def answer() -> web.StreamResponse:
            return web.json_response(await self._upload(request))

        return await self._with_fault(request, UPLOAD, params={}, answer=answer)

    async def _on_file(self, request: web.Request) -> web.StreamResponse:
        stored = self.world.files.get(request.match_info["key"])
        if stored is None:
            raise web.HTTPNotFound
        return web.Response(body=stored.content, content_type=stored.mime)

    async def _params(self, request: web.Request) -> dict[str, str]:
        params = dict(request.query)
        if request.content_type == "application/json":
            self.violations.append("VK не читает JSON в теле запроса")
        else:
            form = await request.post()
            params |= {key: value for key, value in form.items() if isinstance(value, str)}
        return params

    async def _answer(self, method: str, params: dict[str, str]) -> dict[str, Any]:
        shown = {key: value for key, value in params.items() if key != "access_token"}
        call = Call(method, shown, self.clock.now())
        self.count_of[method] += 1
        if not self._lean:
            self.calls.append(call)
        try:
            self._check_access(params, call=call)
            result = await self._methods.call(method, params)
        except VkError as error:
            self.refusals.append(Refusal(method, error.code, error.text))
            return error.as_json(params, method=method)
        if isinstance(result, Batch):
            errors = {"execute_errors": result.errors} if result.errors else {}
            return {"response": result.answers, **errors}
        return {"response": result}

    def _check_access(self, params: dict[str, str], *, call: Call) -> None:
        if "v" not in params:
            raise VkError(8, "v (version) is required")
        if _version(params["v"]) < MIN_VERSION:
            self.violations.append(f"{call.method}: версия {params['v']} вместо 5.199")
        if params.get("access_token") != self.token:
            raise VkError(5)
        if self.limits and not self._within_limit():
            self.limit_hits.append(call)
            raise VkError(6)

    def _within_limit(self) -> bool:
        now = self.clock.monotonic()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        if len(self._recent) >= CALLS_PER_SECOND:
            return False
        self._recent.append(now)
        return True

    async def _upload(self, request: web.Request) -> dict[str, Any]:
        kind = request.match_info["kind"]
        field = "photo" if kind == "photo" else "file"
        form = await request.post()
        uploaded = form.get(field)
        if not isinstance(uploaded, web.FileField):
            self.violations.append(f"загрузка {kind}: нет файла в поле {field}")
            return {"error": "no_file", "error_descr": "no file"}
        content = uploaded.file.read()
        if kind == "photo" and not content.startswith(_PICTURES):
            return {"server": 1, "photo": "[]", "hash": uuid4().hex}
        stored = self.world.store(
            kind, content, owner_id=-self.group_id, name=uploaded.filename, mime=uploaded.content_type
        )
        if kind != "photo":
            return {"file": stored.token}
        return {
            "server": 1,
            "photo": json.dumps([{"photo": stored.token, "sizes": []}]),
            "hash": stored.access_key,
        }

    async def _with_fault(
        self,
        request: web.Request,
        method: str,
        *,
        params: dict[str, str],
        answer: Callable[[], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        fault = next((rule.fault for rule in self._rules if rule.takes(method, params)), None)
        fault = fault or self._random_fault(method, params)
        if fault is None:
            return await answer()
        if fault.kind == "error":
            error = VkError(fault.code, fault.detail, **fault.extra)
            return web.json_response(error.as_json(params, method=method))
        if fault.kind == "raw":
            return web.Response(text=fault.body, status=fault.status, content_type=fault.content_type)
        if fault.kind == "slow":
            await self._real_pause(fault.seconds)
            return await answer()
        if fault.kind.startswith("execute"):
            await answer()
        if fault.kind.endswith("hang"):
            await self._closing.wait()
        return _broken_off(request)

    def _random_fault(self, method: str, params: dict[str, str]) -> Fault | None:
        if self.chaos is None or not method.startswith(_SPOILT_BY_CHANCE):
            return None
        chats = params.get("peer_ids") or params.get("peer_id", "")
        trouble = self.chaos.strikes(self.clock.monotonic(), chats=chats)
        if trouble is None:
            return None
        turn = self.chaos.counts[trouble]
        return _FAULTS[trouble][turn % len(_FAULTS[trouble])]

    async def _real_pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)


def _broken_off(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


def _version(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split("."))
    except ValueError:
        raise VkError(8, "v (version) is incorrect") from None


if __name__ == "__main__":
    from tests.emulators.vk_console import main

    main()
