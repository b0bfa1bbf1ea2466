"""Receiving events."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from bot.channels.base import Closed, Cursor, Receive, SendError, SlowDown
from bot.channels.vk.calls import Calls
from bot.channels.vk.events import EVENTS, UNKNOWN, kind_of, translate
from bot.channels.vk.groups import TALK
from bot.channels.vk.library import API_VERSION, Http
from bot.channels.vk.names import Names
from bot.channels.vk.queue import Queue
from bot.channels.vk.raw import NAME, Json, Skipped
from bot.channels.vk.trouble import Trouble
from bot.clock import Clock
from handlers.messages import Incoming
from storage.database import Unavailable

COURTESY_SECONDS = 2.0
"""How long an event may wait for VK to hear that a button was seen."""

_log = structlog.get_logger(__name__)


class Listener:
    """Hands over what people do, each event until it is stored."""

    def __init__(self, calls: Calls, http: Http, *, clock: Clock, cursor: Cursor, group_id: int) -> None:
        self._calls = calls
        self._http = http
        self._clock = clock
        self._cursor = cursor
        self._group_id = group_id
        self._names = Names(calls, clock=clock)

    async def poll(self, receive: Receive) -> None:
        """Receive events until cancelled; raises `Closed`."""
        queue = Queue(self._http, self._cursor, ask=self._calls.own_call, group_id=self._group_id)
        trouble = Trouble(self._clock)
        prepared = False
        while True:
            try:
                prepared = prepared or await self._prepare()
                for number, event in enumerate(await queue.batch()):
                    await self._offer(event, receive, place=f"{queue.place}.{number}")
                await queue.taken()
            except Closed:
                raise
            except SlowDown as slow:
                await trouble.wait(slow, seconds=slow.seconds)
            except Exception as error:
                await trouble.wait(error)
            else:
                trouble.over()

    async def take(self, event: Json, receive: Receive) -> None:
        """Take a posted event; raises `Unavailable` when it cannot be stored now."""
        for incoming in await self._translate(event, place=f"{self._clock.now().timestamp():.0f}"):
            await _receive(incoming, receive)
        await self._thank(event)

    async def _prepare(self) -> bool:
        """Switch on what we listen for; a token without that right leaves it to the community's owner."""
        settings = {"enabled": 1, "api_version": API_VERSION, **dict.fromkeys(EVENTS, 1)}
        try:
            await self._calls.own_call("groups.setLongPollSettings", group_id=self._group_id, **settings)
        except Closed:
            _log.warning("long_poll_settings_not_permitted", channel=NAME)
        return True

    async def _offer(self, event: object, receive: Receive, *, place: str) -> None:
        """Give one event to the house, again and again while its database is away."""
        for incoming in await self._translate(event, place=place):
            await self._insist(incoming, receive)
        await self._thank(event)

    async def _insist(self, incoming: Incoming, receive: Receive) -> None:
        trouble = Trouble(self._clock)
        while True:
            try:
                await _receive(incoming, receive)
            except Unavailable as error:
                await trouble.wait(error)
            else:
                trouble.over()
                return

    async def _translate(self, event: object, *, place: str) -> list[Incoming]:
        """Read one event; what is nothing for us is logged by kind only."""
        try:
            found = translate(event, group_id=self._group_id, place=place)
        except Skipped as skipped:
            # Kinds that somebody else switched on, and what people say to each other, come all day long.
            say = _log.debug if str(skipped) in (UNKNOWN, TALK) else _log.info
            say("event_skipped", channel=NAME, kind=kind_of(event), why=str(skipped))
            return []
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            _log.warning("event_malformed", channel=NAME, kind=kind_of(event), error=type(error).__name__)
            return []
        name = await self._names.of(int(found[0].sender.chat_id))
        return [replace(incoming, name=name) for incoming in found]

    async def _thank(self, event: object) -> None:
        """Stop the little wheel on a pressed callback button; best effort."""
        if not isinstance(event, dict) or event.get("type") != "message_event":
            return
        pressed = event.get("object")
        if not isinstance(pressed, dict) or not isinstance(pressed.get("event_id"), str):
            return
        about = {name: pressed.get(name) for name in ("event_id", "user_id", "peer_id")}
        try:
            async with asyncio.timeout(COURTESY_SECONDS):
                await self._calls.call("messages.sendMessageEventAnswer", **about)
        except (SendError, TimeoutError) as error:
            _log.info("button_not_answered", channel=NAME, error=type(error).__name__)


async def _receive(incoming: Incoming, receive: Receive) -> None:
    """Hand over one event; a bug over there does not stop the channel."""
    try:
        await receive(incoming)
    except Unavailable:
        raise
    except Exception as error:
        _log.error("event_failed", channel=NAME, error=type(error).__name__)
