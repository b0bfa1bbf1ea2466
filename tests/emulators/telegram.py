"""A Bot API server on loopback, as strict as the real one, with people who talk to the bot.

`python -m tests.emulators.telegram --help` runs it alone.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import BodyPartReader, web

from bot.clock import Clock, SystemClock
from tests.emulators.chaos import Chaos
from tests.emulators.telegram_crowd import Crowd
from tests.emulators.telegram_faults import Fault, FaultRule
from tests.emulators.telegram_groups import Channel, Group, Topic, new_group_id, new_supergroup_id
from tests.emulators.telegram_limits import LimitHit, RateLimits
from tests.emulators.telegram_methods import FileLimits, Methods
from tests.emulators.telegram_people import TINY_JPEG, AlbumItem, Person, Stage
from tests.emulators.telegram_spec import Refused, Upload, specification
from tests.emulators.telegram_updates import LONGEST_POLL, QueuedUpdate, UpdateQueue, WebhookTry
from tests.emulators.telegram_world import Attachment, Button, Chat, ChatMessage, User, World

__all__ = [
    "TINY_JPEG",
    "AlbumItem",
    "Attachment",
    "Button",
    "Call",
    "Channel",
    "Chaos",
    "ChatMessage",
    "Crowd",
    "Fault",
    "FaultRule",
    "FileLimits",
    "Group",
    "Person",
    "TelegramServer",
    "Topic",
]

DOWNLOAD = "download"
"""The word for getting a file's bytes, where a method is named in `fail`."""
DEFAULT_TOKEN = "7654321098:AAEmulatorEmulatorEmulatorEmulator1"
FIRST_OF_CROWD = 500_000_001
LARGEST_REQUEST = 64 * 1024 * 1024  # bytes; a little above the upload limit, which answers for itself


_SPOILT_BY_CHANCE = ("send", "edit", "delete", "copy")


@dataclass(frozen=True)
class Call:
    """One request as the server saw it; `outcome` is ok, a refusal, or the fault."""

    method: str
    params: Mapping[str, Any]
    at: datetime
    outcome: str


class TelegramServer:
    """The Bot API for one bot. Use as `async with TelegramServer(token=…) as server`.

    `longest_poll` shortens long polling (real seconds); `limits=False` switches the pace limits off; `lean`
    counts calls instead of keeping them, for many thousands.
    """

    def __init__(
        self,
        *,
        lean: bool = False,
        token: str = DEFAULT_TOKEN,
        clock: Clock | None = None,
        limits: bool = True,
        port: int = 0,
        longest_poll: float = LONGEST_POLL,
        file_limits: FileLimits | None = None,
    ) -> None:
        self.token = token
        self.clock = clock or SystemClock()
        self.bot = User(_bot_id(token), "Помощник", "diary_help_bot", is_bot=True)
        self.violations: list[str] = []
        self.calls: list[Call] = []
        self.count_of: Counter[str] = Counter()
        """How often each method was called."""
        self.chaos: Chaos | None = None
        self.url = ""
        self._port = port
        self._lean = lean
        self._world = World(clock=self.clock, bot=self.bot)
        self._updates = UpdateQueue(self.clock, self._execute_from_webhook, longest_poll=longest_poll)
        self._limits = RateLimits(self.clock, limits)
        self._methods = Methods(
            self._world, self._updates, limits=self._limits, files=file_limits or FileLimits()
        )
        self._stage = Stage(self._world, self._updates, self._methods)
        self._faults: list[FaultRule] = []
        self._people: dict[int, Person] = {}
        self._user_ids = random.randint(2**32, 2**33)
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.comes_up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.goes_down()
        await self._updates.close()

    # ---- who is here

    def person(
        self, user_id: int | None = None, *, first_name: str = "Анна", username: str | None = None
    ) -> Person:
        """Somebody with the app who has not yet started the bot; the same id gives the same person."""
        if user_id is None:
            self._user_ids += random.randint(1, 1000)
            user_id = self._user_ids
        if user_id not in self._people:
            user = User(user_id, first_name, username)
            chat = self._world.add_user(user)
            self._people[user_id] = Person(self._stage, chat, user=user)
        return self._people[user_id]

    def crowd(self, count: int) -> Crowd:
        """So many people who have started the bot and only read; whoever of them speaks is a `person`."""
        crowds = self._world.crowds
        crowds.append(Crowd(crowds[-1].ids.stop if crowds else FIRST_OF_CROWD, count))
        return crowds[-1]

    def group(
        self,
        title: str,
        *,
        members: Sequence[Person],
        supergroup: bool = False,
        forum: bool = False,
        sees_everything: bool = False,
    ) -> Group:
        """A group without the bot as yet; a `forum` is a supergroup with topics.

        `sees_everything` is privacy mode switched off.
        """
        chat = Chat(new_group_id(), "group", title=title, members={person.user.id for person in members})
        if supergroup or forum:
            chat.id, chat.kind, chat.is_forum = new_supergroup_id(), "supergroup", forum
            chat.own_ids = itertools.count(1)
        self._world.chats[chat.id] = chat
        return Group(self._stage, chat, sees_everything=sees_everything)

    def channel(self, title: str) -> Channel:
        """A channel without the bot as yet."""
        chat = Chat(new_supergroup_id(), "channel", title=title)
        chat.own_ids = itertools.count(1)
        self._world.chats[chat.id] = chat
        return Channel(self._stage, chat)

    # ---- what went on

    @property
    def limit_hits(self) -> list[LimitHit]:
        """Every message that came too early."""
        return self._limits.hits

    @property
    def pending(self) -> list[QueuedUpdate]:
        """Updates that the bot has not taken (confirmed) yet."""
        return self._updates.pending

    @property
    def confirmed_offset(self) -> int:
        """The highest offset the bot has polled with: all below it is lost to the bot."""
        return self._updates.confirmed

    @property
    def webhook_tries(self) -> list[WebhookTry]:
        """Every POST to the bot's webhook."""
        return self._updates.tries

    @property
    def profile(self) -> Mapping[str, Any]:
        """Commands and descriptions that the bot has set."""
        return self._methods.profile

    def calls_of(self, method: str) -> list[Call]:
        """Requests of one method."""
        return [call for call in self.calls if call.method == method]

    def unanswered_presses(self) -> list[str]:
        """Data of the buttons whose «clock» still turns."""
        return [query.data for query in self._methods.callbacks.values() if not query.answers]

    async def all_taken(self, *, patience: float = 10.0) -> None:
        """Wait until the bot has taken every update (real seconds of patience)."""
        await self._until(lambda: not self._updates.pending, "the bot has not taken all updates", patience)

    async def polled(self, *, patience: float = 10.0) -> None:
        """Wait until the bot waits for updates (real seconds of patience)."""
        await self._until(lambda: self._updates.polled, "the bot does not poll", patience)

    async def _until(self, ready: Callable[[], bool], complaint: str, patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                while not ready():
                    await self._updates.changed.next()
        except TimeoutError:
            raise AssertionError(f"{complaint}; waiting: {self._updates.pending}") from None

    # ---- what goes wrong

    def fail(
        self,
        *,
        fault: Fault,
        method: str | None = None,
        times: int = 1,
        skip: int = 0,
        chat_id: int | None = None,
    ) -> FaultRule:
        """Spoil the next `times` requests (of a method or "download", to a chat) after the first `skip`."""
        rule = FaultRule(fault, method, chat_id, times, skip)
        self._faults.append(rule)
        return rule

    def bad_day(self, chaos: Chaos) -> Chaos:
        """Spoil messages at random from now on; `heal` ends it."""
        self.chaos = chaos
        return chaos

    def heal(self) -> None:
        """Forget all faults, ordered and random."""
        self._faults.clear()
        self.chaos = None

    async def goes_down(self) -> None:
        """Stop listening and break every connection; nothing is forgotten."""
        self._closing.set()
        if self._runner:
            await self._runner.cleanup()

    async def comes_up(self) -> None:
        """Listen (again), on the same port."""
        self._closing = asyncio.Event()
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    def inject(self, raw: Any) -> int:
        """Offer any JSON as an update; returns its id."""
        return self._updates.inject(raw)

    def duplicate(self, times: int = 1) -> None:
        """Offer each of the next `times` updates twice."""
        self._updates.duplicate(times)

    def reorder(self, count: int = 2) -> None:
        """Hold the next `count` updates back, then offer them in reverse."""
        self._updates.reorder(count)

    # ---- HTTP

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return _refusal(Refused(401, "Unauthorized"))
        method = _method_name(request.match_info["method"])
        try:
            raw = await _parameters(request)
        except ValueError:
            return _refusal(Refused(400, "Bad Request: can't parse the request"))
        return await self._with_faults(request, method, raw, lambda: self._execute(method, raw))

    async def _with_faults(
        self,
        request: web.Request,
        method: str,
        raw: dict[str, Any],
        execute: Callable[[], Awaitable[web.Response]],
    ) -> web.StreamResponse:
        rule = next((rule for rule in self._faults if rule.takes(method, raw)), None)
        fault = rule.fault if rule is not None else self._random_fault(method, raw)
        if fault is None:
            return await execute()
        if fault.kind == "slow":
            await SystemClock().sleep(fault.seconds)
            return await execute()
        if fault.kind.startswith("execute"):
            await execute()
        self._note(method, raw, fault.kind if fault.kind != "answer" else f"fault {fault.code}")
        return await self._spoilt(request, fault)

    def _random_fault(self, method: str, raw: Mapping[str, Any]) -> Fault | None:
        if self.chaos is None or not method.startswith(_SPOILT_BY_CHANCE):
            return None
        now = self.clock.monotonic()
        trouble = self.chaos.strikes(now, chats=str(raw.get("chat_id", "")))
        if trouble == "storm":
            return Fault.too_many_requests(math.ceil(self.chaos.storm_left(now)))
        if trouble == "server_error":
            page, words = Fault.html_page(), Fault.server_error()
            return page if self.chaos.counts[trouble] % 2 else words
        return {"drop_before": Fault.drop(), "drop_after": Fault.execute_then_drop()}.get(trouble or "")

    async def _spoilt(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "answer":
            extra = {} if fault.retry_after is None else {"retry_after": fault.retry_after}
            return _refusal(Refused(fault.code, fault.description, **extra))
        if fault.kind == "html":
            page = f"<html><head><title>{fault.code} Bad Gateway</title></head><body>nginx</body></html>"
            return web.Response(status=fault.code, text=page, content_type="text/html")
        if fault.kind.endswith("hang"):
            await self._closing.wait()
        if request.transport:
            request.transport.abort()
        return web.Response()

    async def _execute(self, method: str, raw: dict[str, Any]) -> web.Response:
        try:
            result = await self._result(method, raw)
        except Refused as refused:
            self._note(method, raw, f"{refused.code} {refused.description}")
            return _refusal(refused)
        except asyncio.CancelledError:
            self._note(method, raw, "the client has gone")
            raise
        self._note(method, raw, "ok")
        return _json({"ok": True, "result": result})

    async def _result(self, method: str, raw: dict[str, Any]) -> Any:
        if method not in specification().methods:
            self.violations.append(f"unknown method {method}")
            raise Refused(404, "Not Found")
        checked = specification().check(method, raw)
        self.violations += checked.violations
        uploads = {name: value for name, value in raw.items() if isinstance(value, Upload)}
        params = uploads | checked.values
        _refuse_malformed(method, raw, params)
        if method == "getUpdates":
            if "allowed_updates" in params:
                self._updates.allowed = params["allowed_updates"]
            return await self._updates.poll(
                offset=params.get("offset", 0),
                limit=params.get("limit", 100),
                timeout_s=params.get("timeout", 0),
            )
        if not self._methods.knows(method):
            self.violations.append(f"{method} is not emulated")
            raise Refused(501, f"Not Implemented: {method} is not emulated")
        return self._methods.call(method, params)

    async def _execute_from_webhook(self, method: str, raw: Mapping[str, Any]) -> None:
        """A webhook's answer may hold a call; nobody learns its result."""
        await self._execute(_method_name(method), dict(raw))

    async def _download(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]

        async def send() -> web.Response:
            attachment = self._world.linked(path)
            if request.match_info["token"] != self.token or attachment is None:
                return _refusal(Refused(404, "Not Found"))
            return web.Response(body=attachment.content, content_type="application/octet-stream")

        return await self._with_faults(request, DOWNLOAD, {"file_path": path}, send)

    def _note(self, method: str, params: Mapping[str, Any], outcome: str) -> None:
        self.count_of[method] += 1
        if not self._lean:
            self.calls.append(Call(method, params, self.clock.now(), outcome))


async def _parameters(request: web.Request) -> dict[str, Any]:
    """Query and body together, whatever the body's format."""
    raw: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body = json.loads(await request.text() or "{}")
        return raw | body if isinstance(body, dict) else raw
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name:
                raw[part.name] = await _part(part)
        return raw
    return raw | {name: str(value) for name, value in (await request.post()).items()}


async def _part(part: BodyPartReader) -> str | Upload:
    content = bytes(await part.read())
    if part.filename is None:
        return content.decode()
    return Upload(part.filename, part.headers.get("Content-Type", "application/octet-stream"), content)


def _refuse_malformed(method: str, raw: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """A required parameter that is absent or unreadable is refused; the violation is noted already."""
    for field in specification().methods[method]:
        if field.name in raw and raw[field.name] is not None and field.name not in params:
            raise Refused(400, f"Bad Request: can't parse {field.name}")
        if field.required and field.name not in params:
            raise Refused(400, f"Bad Request: {MISSING.get(field.name, f'{field.name} is missing')}")


MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "message_id": "message identifier is not specified",
}


def _method_name(written: str) -> str:
    """The real server does not look at the case of a method's name."""
    return next((name for name in specification().methods if name.lower() == written.lower()), written)


def _refusal(refused: Refused) -> web.Response:
    headers = {}
    if "retry_after" in refused.parameters:
        headers["Retry-After"] = str(refused.parameters["retry_after"])
    return _json(refused.body(), status=refused.code, headers=headers)


def _json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def _bot_id(token: str) -> int:
    head = token.split(":", 1)[0]
    return int(head) if head.isdigit() else secrets.randbelow(10**9) + 10**9


if __name__ == "__main__":
    from tests.emulators.telegram_terminal import main

    main()
