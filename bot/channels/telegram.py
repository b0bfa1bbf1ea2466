"""Telegram: private chats with one bot, by long polling or a webhook.

Groups, supergroups, channels and what the bot itself wrote are skipped for now.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import itertools
import json
import re
import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteWebhook,
    GetFile,
    GetMe,
    Response,
    SendDocument,
    SendMediaGroup,
    SendMessage,
    SendPhoto,
    SendVideo,
    SendVoice,
    SetMyCommands,
    SetMyDescription,
    SetMyShortDescription,
    SetWebhook,
    TelegramMethod,
)
from aiogram.types import (
    BotCommand,
    CallbackQuery,
    ChatMemberUpdated,
    FSInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    MediaUnion,
    Message,
    ReplyParameters,
    Update,
)
from aiogram.utils.token import TokenValidationError
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
)
from fastapi import APIRouter, Request
from fastapi import Response as HttpResponse
from pydantic import ValidationError

from bot.channels.base import (
    Closed,
    FetchError,
    LocalFile,
    Pace,
    Piece,
    Receive,
    Rejected,
    SendError,
    SlowDown,
    Unfinished,
    Unreachable,
)
from bot.clock import Clock
from faq.markup import Span, split
from handlers.messages import Address, Attachment, AttachmentKind, Button, Incoming, Outgoing, Rows
from storage.database import Unavailable

WEBHOOK_PATH = "/telegram/webhook"
ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]

# Limits of the Bot API (https://core.telegram.org/bots/api), code points as people see them.
TEXT_LIMIT = 4000  # 4096, with a little air
CAPTION_LIMIT = 1024
CALLBACK_DATA_BYTES = 64
BUTTONS_PER_MESSAGE = 100
BUTTONS_PER_ROW = 8
LABEL_LIMIT = 64  # not in the documentation: telephones cut longer ones anyway
ALBUM_LIMIT = 10
PHOTO_BYTES = 10 * 1024 * 1024
UPLOAD_BYTES = 50 * 1024 * 1024
DOWNLOAD_BYTES = 20 * 1024 * 1024
INCOMING_TEXT_LIMIT = 65_536  # what people send ends at 4096; more is not from Telegram's clients
WEBHOOK_BODY_BYTES = 1024 * 1024

# Seconds.
LONG_POLL = 25
CONNECT_TIMEOUT = 10
CALL_TIMEOUT = 30
UPLOAD_TIMEOUT = 120
COURTESY_TIMEOUT = 10
BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
CONFLICT_PAUSE = 5.0
UNNAMED_SLOW_DOWN = 10  # a 429 that does not say how long
RECONNECT_PAUSE = 5.0

COMMANDS = (
    BotCommand(command="start", description="Начать сначала"),
    BotCommand(command="help", description="Чем может помочь бот"),
    BotCommand(command="stop", description="Не присылать объявления"),
)
DESCRIPTION = (
    "Помогаю родителям и ученикам войти в электронный дневник. Напишите, что не получается, — "
    "отвечу сразу или передам вопрос сотруднику школы. Не присылайте пароли, коды из СМС и документы."
)
SHORT_DESCRIPTION = "Помощь со входом в электронный дневник"
CHOOSE = "Выберите вариант:"
MORE_CHOICES = "Ещё варианты:"
WRONG_TOKEN = "Telegram не принимает токен: проверьте HELPDESK_TELEGRAM_TOKEN"  # noqa: S105 - a sentence
UNREACHED = "Telegram не отвечает: проверьте сеть, HELPDESK_TELEGRAM_PROXY и HELPDESK_TELEGRAM_API_URL"

_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>[A-Za-z0-9_-]{1,64}))?\s*")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

_FORBIDDEN = (
    ("blocked by the user", "blocked"),
    ("user is deactivated", "gone"),
    ("kicked", "gone"),
    ("not a member", "gone"),
    ("can't initiate conversation", "not_allowed"),
)
_BAD_REQUEST = (
    ("chat not found", "gone"),
    ("user not found", "gone"),
    ("peer_id_invalid", "gone"),
    ("user_is_blocked", "blocked"),
    ("not enough rights", "not_allowed"),
    ("have no rights to send", "not_allowed"),
    ("chat_write_forbidden", "not_allowed"),
)
_BETTER_AS_FILE = (
    "photo_invalid_dimensions",
    "photo_save_file_invalid",
    "photo_ext_invalid",
    "image_process_failed",
    "voice_messages_forbidden",
)
"""Refusals that mean: the same file goes through as a document (a very tall screenshot, for one)."""

_MEDIA: tuple[tuple[str, AttachmentKind, str, str], ...] = (
    # an animation comes with a copy of itself in `document`, so it is looked for first
    ("animation", "video", "анимация.mp4", "video/mp4"),
    ("video", "video", "видео.mp4", "video/mp4"),
    ("video_note", "video", "видеосообщение.mp4", "video/mp4"),
    ("live_photo", "video", "живое фото.mp4", "video/mp4"),
    ("voice", "voice", "голосовое.ogg", "audio/ogg"),
    ("audio", "file", "аудио.mp3", "audio/mpeg"),
    ("document", "file", "файл", "application/octet-stream"),
    ("sticker", "sticker", "стикер.webp", "image/webp"),
)
_UNREADABLE = {
    "poll": "опрос",
    "venue": "место на карте",
    "location": "геопозиция",
    "contact": "контакт",
    "dice": "игральный кубик",
    "game": "игра",
    "story": "история",
    "checklist": "список дел",
    "paid_media": "платное медиа",
    "giveaway": "розыгрыш",
    "invoice": "счёт",
    "gift": "подарок",
    "passport_data": "данные Telegram Passport",
    "rich_message": "сообщение с особым оформлением",
}

_T = TypeVar("_T")
_Sent = Message | list[Message]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Webhook:
    """Where Telegram posts events (the whole address) and the secret it must show with them."""

    url: str
    secret: str


class TelegramChannel:
    """Telegram made small: translates events and messages, decides nothing."""

    name = "telegram"
    drops_repeats = False
    # The documented limits are 30 a second in all and 1 a second for a chat.
    pace = Pace(per_second=28, per_chat_interval=1.05)

    def __init__(
        self,
        token: str,
        *,
        clock: Clock,
        api_url: str | None = None,
        proxy: str | None = None,
        ca_bundle: Path | None = None,
        webhook: Webhook | None = None,
    ) -> None:
        if webhook is not None and not _SECRET.fullmatch(webhook.secret):
            raise Closed(
                "HELPDESK_TELEGRAM_WEBHOOK_SECRET: нужно от 1 до 256 латинских букв, цифр, знаков «-» и «_»"
            )
        session = _Session(_server(api_url), proxy=proxy, ca_bundle=ca_bundle)
        try:
            self._bot = Bot(token, session=session)
        except TokenValidationError:
            raise Closed(
                "Токен Telegram записан неверно: проверьте HELPDESK_TELEGRAM_TOKEN (вид: 123456:ABC…)"
            ) from None
        self._session = session
        self._clock = clock
        self._webhook = webhook
        self._listening = _Trouble("listening")
        self._storing = _Trouble("storing")
        self._courtesies: set[asyncio.Task[None]] = set()

    def compose(self, message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
        """Split a message into requests; raises `Rejected` for a button that Telegram cannot carry."""
        texts = split(message.text, limit=TEXT_LIMIT, measure=_length)
        boards = _boards(message.buttons)
        if len(files) == 1 and len(texts) <= 1 and sum(map(_length, texts)) <= CAPTION_LIMIT:
            pieces = [Piece(spans=texts[0] if texts else (), files=tuple(map(_as_accepted, files)))]
            files = ()
        else:
            if boards and not texts:
                texts = [(Span(CHOOSE),)]
            pieces = [Piece(spans=spans) for spans in texts]
        if boards:
            pieces[-1] = replace(pieces[-1], buttons=boards[0])
            pieces.extend(Piece(spans=(Span(MORE_CHOICES),), buttons=board) for board in boards[1:])
        pieces.extend(Piece(files=album) for album in _albums(files))
        if pieces:
            pieces[0] = replace(pieces[0], reply_to=message.reply_to)
        return tuple(pieces)

    async def send(self, to: Address, piece: Piece, *, key: str) -> str:  # noqa: ARG002
        """Send one piece; an album gives the ids of all its messages, joined by commas.

        Telegram has no idempotency key, so `key` cannot help: what is `Unfinished` may have arrived.
        """
        _check_files(piece.files)
        try:
            return await self._send(_drawn(to, piece))
        except TelegramBadRequest as error:
            if not piece.files or not _says(error, _BETTER_AS_FILE):
                raise _send_error(error) from None
        except AiogramError as error:
            # `from None` everywhere: the cause may hold the address with the token, or somebody's text.
            raise _send_error(error) from None
        as_documents = replace(piece, files=tuple(replace(file, kind="file") for file in piece.files))
        try:
            return await self._send(_drawn(to, as_documents))
        except AiogramError as error:
            raise _send_error(error) from None

    async def fetch(self, ref: str, *, limit: int) -> bytes:
        """Download what a person sent; Telegram gives bots at most 20 MB."""
        limit = min(limit, DOWNLOAD_BYTES)
        try:
            file = await self._call(GetFile(file_id=ref))
        except TelegramBadRequest as error:
            raise _too_big(limit) if _says(error, ("too big",)) else _gone() from None
        except AiogramError:
            raise _not_now() from None
        if file.file_path is None:
            raise _gone()
        if (file.file_size or 0) > limit:
            raise _too_big(limit)
        return await self._download(file.file_path, limit=limit)

    async def listen(self, receive: Receive) -> None:
        """Poll until cancelled, or tell Telegram the webhook and return; raises `Closed`."""
        if self._webhook is not None:
            await self._announce(self._webhook)
            await self._introduce()
            return
        await self._insist(DeleteWebhook(drop_pending_updates=False))
        await self._introduce()
        offset: int | None = None
        while True:
            poll = _GetUpdates(offset=offset, timeout=LONG_POLL, allowed_updates=ALLOWED_UPDATES)
            batch = await self._insist(poll, timeout=LONG_POLL + CONNECT_TIMEOUT)
            # Confirmed by now, so not to be said again: after a quiet week Telegram starts its numbers
            # anew, perhaps lower, and an old high offset would throw the new updates away.
            offset = None
            for raw in batch:
                await self._take(raw, receive)
                offset = _after(raw, offset)
            if batch and offset is None:
                # Nothing here had a number, so nothing can be confirmed and it will come again at once.
                await self._clock.sleep(CONFLICT_PAUSE)

    def routes(self, receive: Receive) -> APIRouter | None:
        """Give POST /telegram/webhook; 2xx only after `receive` returned or the update is no use."""
        if self._webhook is None:
            return None
        secret = self._webhook.secret.encode()
        router = APIRouter()

        @router.post(WEBHOOK_PATH, include_in_schema=False)
        async def take(request: Request) -> HttpResponse:
            shown = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
            if not hmac.compare_digest(shown.encode(), secret):
                return HttpResponse(status_code=HTTPStatus.FORBIDDEN)
            body = await _body(request, limit=WEBHOOK_BODY_BYTES)
            if body is None:
                log.warning("telegram_webhook_body_too_large")
                return HttpResponse(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return HttpResponse(status_code=await self._take_posted(body, receive))

        return router

    async def check(self) -> str:
        """Say in Russian who the bot is; changes nothing."""
        try:
            me = await self._call(GetMe())
        except TelegramNetworkError:
            raise Unfinished(UNREACHED) from None
        except AiogramError as error:
            raise _send_error(error) from None
        return f"@{me.username}"

    async def close(self) -> None:
        """Drop unfinished courtesies and the connections."""
        for task in self._courtesies:
            task.cancel()
        await asyncio.gather(*self._courtesies, return_exceptions=True)
        await self._session.close()

    async def _call(self, method: TelegramMethod[_T], *, timeout: int = CALL_TIMEOUT) -> _T:  # noqa: ASYNC109
        return await self._bot(method, request_timeout=timeout)

    async def _send(self, method: TelegramMethod[Any]) -> str:
        upload = not isinstance(method, SendMessage)
        try:
            sent: _Sent = await self._call(method, timeout=UPLOAD_TIMEOUT if upload else CALL_TIMEOUT)
        except ClientDecodeError as error:
            # A message whose description has something too new for our models was sent all the same.
            ids = _ids_in(error.data)
            if ids is None:
                raise
            return ids
        return _ids(sent)

    async def _download(self, path: str, *, limit: int) -> bytes:
        url = self._session.api.file_url(self._bot.token, path)
        data = bytearray()
        try:
            async with aclosing(self._session.stream_content(url, timeout=UPLOAD_TIMEOUT)) as chunks:
                async for chunk in chunks:
                    data += chunk
                    if len(data) > limit:
                        raise _too_big(limit)
        except (ClientError, OSError):
            # Not chained: these errors show the address, and the token is in it.
            raise _not_now() from None
        return bytes(data)

    async def _announce(self, webhook: Webhook) -> None:
        """Tell Telegram our address, however long it takes."""
        await self._insist(
            SetWebhook(
                url=webhook.url,
                secret_token=webhook.secret,
                allowed_updates=ALLOWED_UPDATES,
                drop_pending_updates=False,
            )
        )

    async def _introduce(self) -> None:
        """Fill in the menu and the profile; a failure is no reason not to listen."""
        try:
            await self._call(SetMyCommands(commands=list(COMMANDS)), timeout=COURTESY_TIMEOUT)
            await self._call(SetMyDescription(description=DESCRIPTION), timeout=COURTESY_TIMEOUT)
            await self._call(
                SetMyShortDescription(short_description=SHORT_DESCRIPTION), timeout=COURTESY_TIMEOUT
            )
        except AiogramError as error:
            log.info("telegram_introduction_skipped", error=type(error).__name__)

    async def _insist(self, method: TelegramMethod[_T], *, timeout: int = CALL_TIMEOUT) -> _T:  # noqa: ASYNC109
        """Call until it works; raises `Closed` when it never will."""
        while True:
            try:
                result = await self._call(method, timeout=timeout)
            except (TelegramUnauthorizedError, TelegramNotFound):
                # 404 is what Telegram says to a token of a wrong shape.
                raise Closed(WRONG_TOKEN) from None
            except AiogramError as error:
                if isinstance(method, SetWebhook) and isinstance(error, TelegramBadRequest):
                    raise Closed(f"Telegram не принял адрес вебхука: {_detail(error)}") from None
                await self._clock.sleep(self._listening.met(error))
                await self._make_way(error)
            else:
                self._listening.over()
                return result

    async def _make_way(self, error: AiogramError) -> None:
        """Take away a webhook that somebody set after we began to poll."""
        if isinstance(error, TelegramConflictError) and _says(error, ("webhook",)):
            with suppress(AiogramError):
                await self._call(DeleteWebhook(drop_pending_updates=False))

    async def _take(self, raw: object, receive: Receive) -> None:
        """Hand over one polled update, offering it again for as long as it cannot be stored."""
        event = _understand(raw)
        while event is not None:
            try:
                await self._hand_over(event, receive)
            except Unavailable as error:
                await self._clock.sleep(self._storing.met(error))
            else:
                self._storing.over()
                return

    async def _take_posted(self, body: bytes, receive: Receive) -> HTTPStatus:
        try:
            raw = json.loads(body)
        except (ValueError, RecursionError):
            log.warning("telegram_update_skipped", reason="malformed", kind="unknown")
            return HTTPStatus.OK
        event = _understand(raw)
        if event is None:
            return HTTPStatus.OK
        try:
            await self._hand_over(event, receive)
        except Unavailable as error:
            self._storing.met(error)
            return HTTPStatus.SERVICE_UNAVAILABLE
        self._storing.over()
        return HTTPStatus.OK

    async def _hand_over(self, event: _Event, receive: Receive) -> None:
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
            await self._call(AnswerCallbackQuery(callback_query_id=query_id), timeout=COURTESY_TIMEOUT)


class _GetUpdates(TelegramMethod[list[Any]]):
    """Polls without decoding: aiogram's own method fails as a whole for one update it cannot read."""

    __returning__ = list[Any]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


class _NotConnected(TelegramNetworkError):
    """There was no connection, so the request was certainly not carried out."""


class _Session(AiohttpSession):
    """aiogram's session with a time-out for connecting, our own CA bundle, and a plain HTTP proxy."""

    def __init__(self, server: TelegramAPIServer, *, proxy: str | None, ca_bundle: Path | None) -> None:
        # aiohttp speaks to HTTP proxies itself; for SOCKS aiogram borrows the connector of aiohttp-socks.
        socks = proxy if proxy and proxy.startswith("socks") else None
        try:
            super().__init__(api=server, proxy=socks, timeout=CALL_TIMEOUT)
        except RuntimeError:
            raise Closed("Для прокси SOCKS установите библиотеку aiohttp-socks") from None
        except ValueError:
            raise Closed("HELPDESK_TELEGRAM_PROXY: адрес прокси записан неверно") from None
        self._http_proxy = None if socks else _proxy_address(proxy)
        if ca_bundle is not None:
            self._connector_init["ssl"] = _trust(ca_bundle)

    async def create_session(self) -> ClientSession:
        """Open the connections at the first request."""
        if self._session is None or self._session.closed:
            connector = self._connector_type(**self._connector_init)
            self._session = ClientSession(connector=connector, proxy=self._http_proxy)
        return self._session

    async def close(self) -> None:
        """Close them; unlike the parent, without a pause for connections that aiohttp awaits by itself."""
        if self._session is not None:
            await self._session.close()

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[_T],
        timeout: int | None = None,  # noqa: ASYNC109
    ) -> _T:
        """Call a method; raises `AiogramError` and nothing else, with no address in its text."""
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        limits = ClientTimeout(total=timeout or self.timeout, connect=CONNECT_TIMEOUT)
        try:
            form = self.build_form_data(bot=bot, method=method)
            async with session.post(url, data=form, timeout=limits) as answer:
                content = (await answer.read()).decode(errors="replace")
        except (ClientConnectorError, ConnectionTimeoutError, ClientHttpProxyError) as error:
            raise _NotConnected(method=method, message=type(error).__name__) from None
        except Exception as error:  # SOCKS connectors have a family of errors of their own
            raise TelegramNetworkError(method=method, message=type(error).__name__) from None
        response = self.check_response(bot=bot, method=method, status_code=answer.status, content=content)
        if response.result is None:
            raise ClientDecodeError("no result", ValueError(), None)
        return response.result

    def check_response(
        self, bot: Bot, method: TelegramMethod[_T], status_code: int, content: str
    ) -> Response[_T]:
        """Turn refusals into errors, also those that come without the JSON or the field they should have."""
        try:
            return super().check_response(bot, method, status_code, content)
        except TelegramRetryAfter:
            raise
        except AiogramError:
            if status_code == HTTPStatus.TOO_MANY_REQUESTS:
                message = "Too Many Requests"
                raise TelegramRetryAfter(method, message, retry_after=UNNAMED_SLOW_DOWN) from None
            if status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise TelegramEntityTooLarge(method, "Request Entity Too Large") from None
            raise


class _Trouble:
    """Says how long to wait and logs a trouble when it begins, changes and ends, not each time."""

    def __init__(self, deed: str) -> None:
        self._deed = deed
        self._kind: str | None = None
        self._times = 0

    def met(self, error: Exception) -> float:
        """Count one more failure; gives the seconds to wait."""
        kind = type(error).__name__
        if kind != self._kind:
            log.warning("telegram_trouble", deed=self._deed, error=kind)
        self._kind = kind
        pause = BACK_OFF[min(self._times, len(BACK_OFF) - 1)]
        self._times += 1
        if isinstance(error, TelegramRetryAfter):
            return float(error.retry_after)
        return CONFLICT_PAUSE if isinstance(error, TelegramConflictError) else pause

    def over(self) -> None:
        """It works again."""
        if self._kind is not None:
            log.info("telegram_trouble_over", deed=self._deed)
        self._kind, self._times = None, 0


# What comes in. A plain function and not aiogram's Dispatcher with routers: there are four kinds of
# events and nothing to decide about them, while the Dispatcher would put its own error handlers, FSM
# middlewares and silent «unhandled» between an exception and the loop that must see it.


@dataclass(frozen=True)
class _Event:
    incoming: Incoming
    query_id: str | None = None
    """The pressed button waits until this is answered."""


class _Skipped(Exception):
    """This update is not for us; its text is the reason for the log."""


def _understand(raw: object) -> _Event | None:
    """Translate an update; None, and a line in the log, for what cannot be or need not be taken."""
    kind = next((kind for kind in ALLOWED_UPDATES if isinstance(raw, dict) and kind in raw), "unknown")
    try:
        return _translated(raw)
    except _Skipped as skipped:
        reason = str(skipped)
    except ValidationError:
        reason = "malformed"
    except Exception as error:  # the door: whatever an update holds, the next one must be read
        reason = type(error).__name__
    log.info("telegram_update_skipped", reason=reason, kind=kind)
    return None


def _translated(raw: object) -> _Event:
    if not isinstance(raw, dict) or _number(raw) is None:
        raise _Skipped("malformed")
    update = Update.model_validate(_essentials(raw))
    event_id = str(update.update_id)
    if update.message is not None:
        return _Event(_from_message(event_id, update.message, raw["message"], edited=False))
    if update.edited_message is not None:
        return _Event(_from_message(event_id, update.edited_message, raw["edited_message"], edited=True))
    if update.callback_query is not None:
        return _from_press(event_id, update.callback_query)
    if update.my_chat_member is not None:
        return _Event(_from_membership(event_id, update.my_chat_member))
    raise _Skipped("unknown")


def _from_message(event_id: str, message: Message, raw: dict[str, Any], *, edited: bool) -> Incoming:
    if message.chat.type != "private":
        raise _Skipped("group")
    if message.from_user is None or message.from_user.is_bot:
        raise _Skipped("own")
    text = message.text or message.caption or ""
    if len(text) > INCOMING_TEXT_LIMIT:
        raise _Skipped("huge")
    start = None if edited else _START.fullmatch(text)
    attachments = _attachments(message)
    unreadable = next((word for field, word in _UNREADABLE.items() if raw.get(field)), None)
    if not text and not attachments and unreadable is None:
        raise _Skipped("empty")
    return Incoming(
        event_id=event_id,
        sender=_address(message.chat.id),
        name=_clean(message.from_user.full_name),
        text="" if start else _clean(text),
        message_id=str(message.message_id),
        reply_to=str(message.reply_to_message.message_id) if message.reply_to_message else None,
        attachments=attachments,
        edited=edited,
        started=(start["payload"] or "") if start else None,
        unreadable=None if text or attachments else unreadable,
    )


def _from_press(event_id: str, query: CallbackQuery) -> _Event:
    if query.data is None:
        raise _Skipped("unknown")
    if query.message is not None and query.message.chat.type != "private":
        raise _Skipped("group")
    incoming = Incoming(
        event_id=event_id,
        sender=_address(query.from_user.id if query.message is None else query.message.chat.id),
        name=_clean(query.from_user.full_name),
        button=_clean(query.data),
        message_id=None if query.message is None else str(query.message.message_id),
    )
    return _Event(incoming, query_id=query.id)


def _from_membership(event_id: str, change: ChatMemberUpdated) -> Incoming:
    if change.chat.type != "private":
        raise _Skipped("group")
    reachable = {"kicked": False, "member": True}.get(change.new_chat_member.status)
    if reachable is None:
        raise _Skipped("unknown")
    return Incoming(
        event_id=event_id,
        sender=_address(change.chat.id),
        name=_clean(change.from_user.full_name),
        reachable=reachable,
    )


def _attachments(message: Message) -> tuple[Attachment, ...]:
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return (
            Attachment("photo", "фото.jpg", "image/jpeg", "telegram", largest.file_id, largest.file_size),
        )
    for field, kind, name, mime in _MEDIA:
        media = getattr(message, field, None)
        if media is not None:
            return (
                Attachment(
                    kind=kind,
                    name=_file_name(getattr(media, "file_name", None)) or name,
                    mime=_clean(getattr(media, "mime_type", None) or mime),
                    channel="telegram",
                    ref=media.file_id,
                    size=getattr(media, "file_size", None),
                ),
            )
    return ()


def _essentials(raw: dict[str, Any]) -> dict[str, Any]:
    """Keep what is read here and no more, so that a novelty of Telegram beside it cannot spoil it."""
    update: dict[str, Any] = {"update_id": raw["update_id"]}
    for kind in ("message", "edited_message"):
        if isinstance(message := raw.get(kind), dict):
            update[kind] = _essential_message(message)
    if isinstance(query := raw.get("callback_query"), dict):
        carrier = query.get("message")
        update["callback_query"] = {
            **_flat(query),
            "from": _flat(query.get("from")),
            "message": _stub(carrier) if isinstance(carrier, dict) else None,
        }
    if isinstance(change := raw.get("my_chat_member"), dict):
        update["my_chat_member"] = {
            **_flat(change),
            "chat": _flat(change.get("chat")),
            "from": _flat(change.get("from")),
            "old_chat_member": _essential_member(change.get("old_chat_member")),
            "new_chat_member": _essential_member(change.get("new_chat_member")),
        }
    return update


def _essential_message(raw: dict[str, Any]) -> dict[str, Any]:
    message = _stub(raw) | {"from": _flat(raw.get("from"))}
    message |= {field: raw[field] for field in ("text", "caption") if field in raw}
    message |= {field: _flat(raw[field]) for field, *_ in _MEDIA if raw.get(field)}
    if isinstance(sizes := raw.get("photo"), list):
        message["photo"] = [_flat(size) for size in sizes]
    if isinstance(target := raw.get("reply_to_message"), dict):
        message["reply_to_message"] = _stub(target)
    return message


def _essential_member(raw: object) -> object:
    return {**_flat(raw), "user": _flat(raw.get("user"))} if isinstance(raw, dict) else raw


def _stub(raw: dict[str, Any]) -> dict[str, Any]:
    """Only which message it is; the date is required by the model and not read."""
    return {"message_id": raw.get("message_id"), "chat": _flat(raw.get("chat")), "date": 0}


def _flat(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    return {field: value for field, value in raw.items() if isinstance(value, str | int | float | bool)}


def _number(raw: object) -> int | None:
    number = raw.get("update_id") if isinstance(raw, dict) else None
    return number if type(number) is int and number >= 0 else None


def _after(raw: object, offset: int | None) -> int | None:
    """Move the offset past this update; never back, for updates may come out of order."""
    number = _number(raw)
    return offset if number is None else max(number + 1, offset or 0)


def _address(chat_id: int) -> Address:
    return Address("telegram", str(chat_id))


def _clean(text: str) -> str:
    # PostgreSQL stores no NUL, and half a surrogate pair cannot be written anywhere.
    return text.replace("\x00", "").encode(errors="replace").decode()


def _file_name(name: str | None) -> str:
    """Make a stranger's file name harmless: no folders, no control characters, not endless."""
    base = PurePosixPath(_clean(name or "").replace("\\", "/")).name
    return "".join(letter for letter in base if letter.isprintable())[-120:]


async def _body(request: Request, *, limit: int) -> bytes | None:
    """Read the body, or None as soon as it is longer than `limit`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


# What goes out.


def _length(spans: Sequence[Span]) -> int:
    return sum(len(span.text) for span in spans)


def _boards(rows: Rows) -> list[Rows]:
    """Share buttons out to as many keyboards as it takes."""
    short_rows = [
        row[at : at + BUTTONS_PER_ROW] for row in rows for at in range(0, len(row), BUTTONS_PER_ROW)
    ]
    boards: list[Rows] = []
    room = 0
    for row in short_rows:
        if len(row) > room:
            boards.append(())
            room = BUTTONS_PER_MESSAGE
        boards[-1] += (tuple(map(_button, row)),)
        room -= len(row)
    return boards


def _button(button: Button) -> Button:
    if not button.label.strip():
        raise Rejected("a button without a label")
    if not button.url and not 0 < len(button.payload.encode()) <= CALLBACK_DATA_BYTES:
        raise Rejected(f"a button's payload takes 1 to {CALLBACK_DATA_BYTES} bytes")
    label = button.label
    return button if len(label) <= LABEL_LIMIT else replace(button, label=label[: LABEL_LIMIT - 1] + "…")


def _albums(files: Iterable[LocalFile]) -> list[tuple[LocalFile, ...]]:
    """Keep neighbouring photos together; everything else goes alone."""
    albums: list[tuple[LocalFile, ...]] = []
    for kind, run in itertools.groupby(map(_as_accepted, files), key=lambda file: file.kind):
        together = tuple(run)
        size = ALBUM_LIMIT if kind == "photo" else 1
        albums.extend(together[at : at + size] for at in range(0, len(together), size))
    return albums


def _as_accepted(file: LocalFile) -> LocalFile:
    """Send as a document what is too heavy for a photo."""
    heavy = file.kind == "photo" and (_size(file) or 0) > PHOTO_BYTES
    return replace(file, kind="file") if heavy else file


def _check_files(files: Sequence[LocalFile]) -> None:
    for file in files:
        size = _size(file)
        if size is None:
            raise Rejected("the file is not there")
        if not 0 < size <= UPLOAD_BYTES:
            raise Rejected("the file is empty or larger than 50 MB")


def _size(file: LocalFile) -> int | None:
    try:
        return file.path.stat().st_size
    except OSError:
        return None


def _drawn(to: Address, piece: Piece) -> TelegramMethod[Any]:
    """Make the one request that this piece is; raises `Rejected` for what cannot become one."""
    try:
        common: dict[str, Any] = {"chat_id": int(to.chat_id), "reply_parameters": _reply(piece.reply_to)}
        text = "".join(map(_html, piece.spans))
        if len(piece.files) > 1:
            return SendMediaGroup(media=_media(piece.files, caption=text), **common)
        common |= {"parse_mode": "HTML", "reply_markup": _keyboard(piece.buttons)}
        if piece.files:
            return _with_file(piece.files[0], caption=text or None, common=common)
        if not text:
            raise Rejected("nothing to send")
        return SendMessage(text=text, link_preview_options=LinkPreviewOptions(is_disabled=True), **common)
    except ValueError as error:  # a chat id that is no number; pydantic's are of this family too
        raise Rejected(f"cannot be put into a request: {type(error).__name__}") from None


def _with_file(file: LocalFile, *, caption: str | None, common: dict[str, Any]) -> TelegramMethod[Any]:
    upload = FSInputFile(file.path, filename=file.name)
    if file.kind == "photo":
        return SendPhoto(photo=upload, caption=caption, **common)
    if file.kind == "voice":
        return SendVoice(voice=upload, caption=caption, **common)
    if file.kind == "video":
        return SendVideo(video=upload, caption=caption, **common)
    return SendDocument(document=upload, caption=caption, **common)


def _media(files: Sequence[LocalFile], *, caption: str) -> list[MediaUnion]:
    make: Callable[..., MediaUnion]
    make = InputMediaPhoto if all(file.kind == "photo" for file in files) else InputMediaDocument
    captions = itertools.chain([caption or None], itertools.repeat(None))
    return [
        make(media=FSInputFile(file.path, filename=file.name), caption=words, parse_mode="HTML")
        for file, words in zip(files, captions, strict=False)
    ]


def _html(span: Span) -> str:
    drawn = html.escape(_clean(span.text), quote=False)
    if span.url is not None:
        drawn = f'<a href="{html.escape(span.url)}">{drawn}</a>'
    return f"<b>{drawn}</b>" if span.bold else drawn


def _reply(target: str | None) -> ReplyParameters | None:
    """Answer a message even if it is gone; of an album, its first message."""
    first = (target or "").partition(",")[0]
    if not first.isdecimal():
        return None
    return ReplyParameters(message_id=int(first), allow_sending_without_reply=True)


def _keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(inline_keyboard=[[_inline(button) for button in row] for row in rows])


def _inline(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(text=button.label, url=button.url)
    return InlineKeyboardButton(text=button.label, callback_data=button.payload)


def _ids(sent: _Sent) -> str:
    messages = sent if isinstance(sent, list) else [sent]
    return ",".join(str(message.message_id) for message in messages)


def _ids_in(data: Any) -> str | None:
    """Find the ids in an answer that says «ok» and could not be decoded."""
    if not isinstance(data, dict) or data.get("ok") is not True:
        return None
    result = data.get("result")
    messages = result if isinstance(result, list) else [result]
    ids = [
        message["message_id"] for message in messages if isinstance(message, dict) and "message_id" in message
    ]
    return ",".join(map(str, ids)) or None


# What goes wrong.


def _send_error(error: AiogramError) -> SendError:
    meaning: SendError
    match error:
        case TelegramRetryAfter():
            meaning = SlowDown(float(error.retry_after))
        case _NotConnected():
            # Certainly not sent, so not `Unfinished`: a campaign must not count these as doubtful.
            meaning = SlowDown(RECONNECT_PAUSE)
        case TelegramForbiddenError():
            meaning = Unreachable(_reason(error, _FORBIDDEN) or "not_allowed", _detail(error))
        case TelegramMigrateToChat():
            meaning = Unreachable("gone", f"the group became supergroup {error.migrate_to_chat_id}")
        case TelegramUnauthorizedError() | TelegramNotFound():
            meaning = Closed(WRONG_TOKEN)
        case TelegramBadRequest():
            reason = _reason(error, _BAD_REQUEST)
            meaning = Unreachable(reason, _detail(error)) if reason else Rejected(_detail(error))
        case TelegramEntityTooLarge():
            meaning = Rejected(_detail(error))
        case _:  # time-out, dropped connection, 5xx, a page of HTML
            meaning = Unfinished(_detail(error))
    return meaning


def _detail(error: AiogramError) -> str:
    """Say what Telegram said, or only the kind of error: the rest may hold somebody's text."""
    if isinstance(error, TelegramAPIError):
        return (error.message or type(error).__name__)[:200]
    return type(error).__name__


def _says(error: TelegramAPIError, words: Iterable[str]) -> bool:
    return any(word in (error.message or "").lower() for word in words)


def _reason(error: TelegramAPIError, reasons: Iterable[tuple[str, str]]) -> str | None:
    return next((reason for words, reason in reasons if _says(error, (words,))), None)


def _too_big(limit: int) -> FetchError:
    return FetchError(f"Файл больше {limit // (1024 * 1024)} МБ: из Telegram его не получить")


def _gone() -> FetchError:
    return FetchError("Этого файла в Telegram больше нет")


def _not_now() -> FetchError:
    return FetchError("Telegram сейчас не отдаёт файл, попробуйте позже")


# What is set.


def _server(api_url: str | None) -> TelegramAPIServer:
    if api_url is None:
        return PRODUCTION
    if not _is_http(api_url):
        raise Closed("HELPDESK_TELEGRAM_API_URL: нужен адрес вида https://…")
    return TelegramAPIServer.from_base(api_url)


def _proxy_address(proxy: str | None) -> str | None:
    if proxy and not _is_http(proxy):
        raise Closed("HELPDESK_TELEGRAM_PROXY: нужен адрес вида http://… или socks5://…")
    return proxy or None


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _trust(ca_bundle: Path) -> ssl.SSLContext:
    """Trust these certificates besides the usual ones (the national CA, for one)."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_bundle)
    except (OSError, ssl.SSLError):
        raise Closed(f"HELPDESK_CA_BUNDLE: не читается файл сертификатов {ca_bundle}") from None
    return context
