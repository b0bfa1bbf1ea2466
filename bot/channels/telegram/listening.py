"""Receiving updates and saying who we are."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any, TypeVar

import structlog

from bot.channels.base import Closed, Receive
from bot.channels.telegram.errors import WRONG_TOKEN, detail, says
from bot.channels.telegram.events import ALLOWED_UPDATES, Event, offset_after, understand
from bot.channels.telegram.groups import Myself
from bot.channels.telegram.library import (
    AiogramError,
    AnswerCallbackQuery,
    BotCommand,
    DeleteWebhook,
    GetMe,
    SetMyCommands,
    SetMyDescription,
    SetMyShortDescription,
    SetWebhook,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramMethod,
    TelegramNotFound,
    TelegramUnauthorizedError,
    User,
)
from bot.channels.telegram.session import CALL_TIMEOUT, CONNECT_TIMEOUT, Client
from bot.channels.telegram.trouble import CONFLICT_PAUSE, Trouble
from bot.clock import Clock
from storage.database import Unavailable

# Seconds.
LONG_POLL = 25
COURTESY_TIMEOUT = 10

COMMANDS = (
    BotCommand(command="login", description="Не могу войти"),
    BotCommand(command="menu", description="Разделы с ответами"),
    BotCommand(command="human", description="Позвать человека"),
    BotCommand(command="mine", description="Мой вопрос: где он сейчас"),
    BotCommand(command="children", description="Мои дети"),
    BotCommand(command="help", description="Чем может помочь бот"),
    BotCommand(command="stop", description="Не присылать объявления"),
    BotCommand(command="forget", description="Удалить всё, что бот обо мне хранит"),
    BotCommand(command="start", description="Начать сначала"),
)
DESCRIPTION = (
    "Помогаю родителям и ученикам войти в электронный дневник. Напишите, что не получается, — "
    "отвечу сразу или передам вопрос сотруднику школы. Не присылайте пароли, коды из СМС и документы."
)
SHORT_DESCRIPTION = "Помощь со входом в электронный дневник"

_T = TypeVar("_T")

log = structlog.get_logger(__name__)


class Listener:
    """Hands over what people do, each event until it is stored."""

    def __init__(self, client: Client, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._listening = Trouble("listening")
        self._storing = Trouble("storing")
        self._courtesies: set[asyncio.Task[None]] = set()
        self._me: Myself | None = None

    async def poll(self, receive: Receive) -> None:
        """Receive updates until cancelled; raises `Closed`."""
        await self._insist(DeleteWebhook(drop_pending_updates=False))
        me = self._meet(await self._insist(GetMe()))
        await self._introduce()
        offset: int | None = None
        while True:
            poll = _GetUpdates(offset=offset, timeout=LONG_POLL, allowed_updates=ALLOWED_UPDATES)
            batch = await self._insist(poll, within=LONG_POLL + CONNECT_TIMEOUT)
            # Confirmed by now, so not to be said again: after a quiet week Telegram starts its numbers
            # anew, perhaps lower, and an old high offset would throw the new updates away.
            offset = None
            for raw in batch:
                await self._offer(understand(raw, me=me), receive)
                offset = offset_after(raw, offset)
            if batch and offset is None:
                # Nothing here had a number, so nothing can be confirmed and it will come again at once.
                await self._clock.sleep(CONFLICT_PAUSE)

    async def announce(self, url: str, *, secret: str) -> None:
        """Tell Telegram our address, however long it takes; raises `Closed`."""
        await self._insist(
            SetWebhook(
                url=url, secret_token=secret, allowed_updates=ALLOWED_UPDATES, drop_pending_updates=False
            )
        )
        await self._introduce()

    async def take(self, body: bytes, receive: Receive) -> HTTPStatus:
        """Take a posted update; gives what to answer, 200 also to what is no use."""
        try:
            raw = json.loads(body)
        except (ValueError, RecursionError):
            log.warning("telegram_update_skipped", reason="malformed", kind="unknown")
            return HTTPStatus.OK
        try:
            me = self._me or self._meet(await self._client.call(GetMe(), within=COURTESY_TIMEOUT))
        except AiogramError as error:
            log.warning("telegram_trouble", deed="asking who we are", error=type(error).__name__)
            return HTTPStatus.SERVICE_UNAVAILABLE
        event = understand(raw, me=me)
        if event is None:
            return HTTPStatus.OK
        try:
            await self._hand_over(event, receive)
        except Unavailable as error:
            self._storing.met(error)
            return HTTPStatus.SERVICE_UNAVAILABLE
        self._storing.over()
        return HTTPStatus.OK

    async def close(self) -> None:
        """Drop unfinished courtesies."""
        for task in self._courtesies:
            task.cancel()
        await asyncio.gather(*self._courtesies, return_exceptions=True)

    def _meet(self, user: User) -> Myself:
        """Remember who we are: in groups that tells what is meant for us."""
        self._me = Myself(user.id, user.username or "")
        return self._me

    async def _introduce(self) -> None:
        """Fill in the menu and the profile; a failure is no reason not to listen."""
        try:
            await self._client.call(SetMyCommands(commands=list(COMMANDS)), within=COURTESY_TIMEOUT)
            await self._client.call(SetMyDescription(description=DESCRIPTION), within=COURTESY_TIMEOUT)
            await self._client.call(
                SetMyShortDescription(short_description=SHORT_DESCRIPTION), within=COURTESY_TIMEOUT
            )
        except AiogramError as error:
            log.info("telegram_introduction_skipped", error=type(error).__name__)

    async def _insist(self, method: TelegramMethod[_T], *, within: int = CALL_TIMEOUT) -> _T:
        """Call until it works; raises `Closed` when it never will."""
        while True:
            try:
                result = await self._client.call(method, within=within)
            except (TelegramUnauthorizedError, TelegramNotFound):
                # 404 is what Telegram says to a token of a wrong shape.
                raise Closed(WRONG_TOKEN) from None
            except AiogramError as error:
                if isinstance(method, SetWebhook) and isinstance(error, TelegramBadRequest):
                    raise Closed(f"Telegram не принял адрес вебхука: {detail(error)}") from None
                await self._clock.sleep(self._listening.met(error))
                await self._make_way(error)
            else:
                self._listening.over()
                return result

    async def _make_way(self, error: AiogramError) -> None:
        """Take away a webhook that somebody set after we began to poll."""
        if isinstance(error, TelegramConflictError) and says(error, ("webhook",)):
            with suppress(AiogramError):
                await self._client.call(DeleteWebhook(drop_pending_updates=False))

    async def _offer(self, event: Event | None, receive: Receive) -> None:
        """Hand over one polled update, offering it again for as long as it cannot be stored."""
        while event is not None:
            try:
                await self._hand_over(event, receive)
            except Unavailable as error:
                await self._clock.sleep(self._storing.met(error))
            else:
                self._storing.over()
                return

    async def _hand_over(self, event: Event, receive: Receive) -> None:
        """Give the event to the desk; only `Unavailable` comes out."""
        try:
            await receive(event.incoming)
        except Unavailable:
            raise
        except Exception as error:  # the door: a handler's bug must not stop the others
            # No traceback: the message of the error may quote what the person wrote.
            log.error("telegram_receive_failed", error=type(error).__name__)  # noqa: TRY400
        if event.query_id is not None:
            self._stop_spinner(event.query_id)

    def _stop_spinner(self, query_id: str) -> None:
        """Take the clock off the pressed button; in the background, for the next event must not wait."""
        task = asyncio.create_task(self._answer(query_id))
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)

    async def _answer(self, query_id: str) -> None:
        with suppress(AiogramError):
            await self._client.call(AnswerCallbackQuery(callback_query_id=query_id), within=COURTESY_TIMEOUT)


class _GetUpdates(TelegramMethod[list[Any]]):
    """Polls without decoding: aiogram's own method fails as a whole for one update it cannot read."""

    __returning__ = list[Any]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None
