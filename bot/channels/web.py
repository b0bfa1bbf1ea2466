"""The web chat: a messenger of our own, with its page, its widget and its feed.

A visitor is a random token that stays in their browser; the chat's id is a digest of it, so the database
alone lets nobody write in a parent's name.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import traceback
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from bot.channels.base import FetchError, LocalFile, Pace, Piece, Receive, Rejected, SendError, SlowDown
from bot.channels.files import LARGEST_FILE, Files
from bot.clock import Clock
from faq.markup import Span, split
from handlers.messages import Address, Attachment, Button, Incoming, Outgoing
from storage import conversations, feed, people
from storage.database import Database, Unavailable

LONGEST_TEXT = 4000
"""Characters in one message, ours or theirs; close to what the other channels take."""
MOST_FILES = 5
"""Files with one message."""
LARGEST_UPLOAD = 50 * 1024 * 1024
"""Bytes of all the files of one message together."""
FEED_WAIT_SECONDS = 25.0
"""How long a reader waits for news; below the 30 s after which many proxies hang up."""
FEED_LOOK_SECONDS = 2.0
"""How often a waiting reader looks for what another process has written."""
MESSAGES_PER_MINUTE = 30
"""From one visitor."""
MESSAGES_PER_MINUTE_FROM_ADDRESS = 300
"""From one client address: a whole school sits behind one."""
SESSIONS_PER_MINUTE = 30
"""New visitors from one client address."""
HISTORY_LENGTH = 200
"""Messages of each side that a reload brings back."""

_FORM_OVERHEAD = 1024 * 1024
"""Bytes left for the text, the boundaries and the headers of the parts."""
_LARGEST_FIELD = 256 * 1024
_LONGEST_PAYLOAD = 64
_LONGEST_NAME = 120
_DATABASE_PAUSE_SECONDS = 2.0

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_START = re.compile(r"[A-Za-z0-9_-]{0,64}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_MIME = re.compile(r"[a-z]+/[a-z0-9.+-]{1,100}")
_IMAGES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
_UNKNOWN_TYPE = "application/octet-stream"

_WEB = Path(__file__).parent.parent / "web"
_STATIC_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors "
)
_FILE_POLICY = "default-src 'none'; sandbox"

_log = structlog.get_logger(__name__)


class WebChannel:
    """The web chat as a channel: what is sent lies in our own feed until the visitor's page asks."""

    name = "web"
    drops_repeats = True
    deletes_theirs = True
    most_readers = 100
    """Rows of one transaction."""
    pace = Pace(per_second=500, per_chat_interval=0)

    def __init__(
        self,
        database: Database,
        files: Files,
        *,
        clock: Clock,
        region_name: str = "",
        feed_wait: float = FEED_WAIT_SECONDS,
    ) -> None:
        self._feed_wait = feed_wait
        self._database = database
        self._files = files
        self._clock = clock
        self._region_name = region_name
        self._readers = _Readers()

    def compose(self, message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
        """Split a message into pieces; the last one carries the buttons and the files."""
        if message.delete is not None:
            return (Piece(delete=message.delete),)
        pieces = [Piece(spans) for spans in split(message.text, limit=LONGEST_TEXT, measure=_length)]
        if not pieces and (message.buttons or files):
            pieces = [Piece()]
        if not pieces:
            return ()
        pieces[-1] = Piece(pieces[-1].spans, message.buttons, tuple(files))
        first = pieces[0]
        pieces[0] = Piece(first.spans, first.buttons, first.files, message.reply_to)
        return tuple(pieces)

    async def send(self, to: Address, piece: Piece, *, key: str) -> str:
        """Show a piece, once however often it is sent; returns its number in the feed."""
        try:
            body = await self._body(to, piece)
            async with self._database.transaction() as tx:
                number = await feed.show(tx, self.name, to.chat_id, key=key, body=body, now=self._clock.now())
        except Unavailable as error:
            raise SlowDown(_DATABASE_PAUSE_SECONDS) from error
        self._readers.wake(to.chat_id)
        return str(number) if piece.delete is None else ""

    async def send_to_many(
        self, chat_ids: Sequence[str], piece: Piece, *, key: str
    ) -> dict[str, str | SendError]:
        """Show a piece in many chats at once, in each once however often it is sent."""
        shown: dict[str, str | SendError] = {}
        try:
            body = await self._draw(piece)
            async with self._database.transaction() as tx:
                for chat_id in chat_ids:
                    number = await feed.show(
                        tx, self.name, chat_id, key=_own_key(key, chat_id), body=body, now=self._clock.now()
                    )
                    shown[chat_id] = str(number)
        except Unavailable as error:
            raise SlowDown(_DATABASE_PAUSE_SECONDS) from error
        for chat_id in shown:
            self._readers.wake(chat_id)
        return shown

    async def edit(self, to: Address, external_id: str, piece: Piece) -> None:
        """Change what was shown; a page that is open shows it after a reload."""
        body = await self._draw(piece)
        try:
            async with self._database.transaction() as tx:
                number = _feed_number(external_id.partition(",")[0])
                found = await feed.change(tx, self.name, to.chat_id, number, body=body)
        except Unavailable as error:
            raise SlowDown(_DATABASE_PAUSE_SECONDS) from error
        if not found:
            raise Rejected("такого сообщения в веб-чате нет")

    async def unsend(self, to: Address, external_id: str) -> None:
        """Show a message no more; a page that is open forgets it after a reload."""
        try:
            async with self._database.transaction() as tx:
                for each in external_id.split(","):
                    await feed.withdraw(tx, self.name, to.chat_id, _feed_number(each))
        except Unavailable as error:
            raise SlowDown(_DATABASE_PAUSE_SECONDS) from error

    def is_group(self, chat_id: str) -> bool:  # noqa: ARG002 - the same for every channel
        """Never."""
        return False

    async def open_topic(self, to: Address, title: str) -> str:  # noqa: ARG002 - there is nothing to open
        """Raise `Rejected`: the web chat has no groups."""
        raise Rejected("в веб-чате нет групп")

    async def fetch(self, ref: str, *, limit: int) -> bytes:  # noqa: ARG002 - the same for every channel
        """Nothing is far away here: what people sent lies on our disk, or is gone."""
        raise FetchError("файла больше нет в хранилище веб-чата")

    async def listen(self, receive: Receive) -> None:
        """Return at once: visitors come through `routes`."""

    def routes(self, receive: Receive) -> APIRouter:
        """The page, the widget and the doors that they knock at."""
        doors = _Doors(
            self._database,
            self._files,
            self._readers,
            receive,
            clock=self._clock,
            region=self._region_name,
            feed_wait=self._feed_wait,
        )
        return doors.router()

    async def check(self) -> str:
        """Say who we are."""
        return "веб-чат"

    async def close(self) -> None:
        """Answer everyone who waits for news, so that the server can stop."""
        self._readers.close()

    async def _body(self, to: Address, piece: Piece) -> dict[str, Any]:
        return await (self._draw(piece) if piece.delete is None else self._instead_of(to, piece.delete))

    async def _draw(self, piece: Piece) -> dict[str, Any]:
        return {
            "text_spans": [_draw_span(span) for span in piece.spans],
            "buttons": [[_draw_button(button) for button in row] for row in piece.buttons],
            "files": [
                {"kind": file.kind, "name": file.name, "mime": file.mime, "ref": await self._ref(file)}
                for file in piece.files
            ],
            "reply_to": piece.reply_to,
        }

    async def _instead_of(self, to: Address, message_id: str) -> dict[str, Any]:
        """What the page shows where the person's own message stood: the words we keep, as after a reload."""
        async with self._database.reading() as tx:
            words = await conversations.said_at(tx, self.name, to.chat_id, message_id)
        return {"instead_of": message_id, "text_spans": [{"t": words}] if words else []}

    async def _ref(self, file: LocalFile) -> str:
        if self._files.path(file.path.name) == file.path:
            return file.path.name
        # From elsewhere on our disk: the page can only be given what lies in the store.
        return await self._files.keep(await asyncio.to_thread(file.path.read_bytes))


def new_token() -> str:
    """A fresh visitor's secret: 256 bits, so that nobody guesses it."""
    return secrets.token_urlsafe(32)


def chat_of(token: str) -> str:
    """The chat of the visitor with this token; the way back is closed."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def _own_key(key: str, chat_id: str) -> str:
    """A key of the feed for one of many readers of the same letter."""
    return hashlib.sha256(f"{key}:{chat_id}".encode()).hexdigest()[:32]


def _feed_number(external_id: str) -> int:
    if not _NUMBER.fullmatch(external_id):
        raise Rejected("у сообщения нет такого номера")
    return int(external_id)


class _Refused(Exception):
    """A request that is not taken; says why in Russian, for the person at the page."""

    def __init__(self, status: int, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.retry_after = retry_after


class _Door(APIRoute):
    """An HTTP door that answers every refusal and failure with `{error}`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler of this route."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except _Refused as refused:
                return _error(refused.status, refused.text, retry_after=refused.retry_after)
            except Unavailable:
                _log.warning("web_storage_unavailable", door=self.path)
                return _error(
                    503,
                    "Сейчас не получается. Повторим через несколько секунд.",
                    retry_after=_DATABASE_PAUSE_SECONDS,
                )
            except ClientDisconnect:
                return _error(400, "Соединение прервалось.")
            except Exception as error:
                # Without the error's own words: they may repeat what a person wrote.
                _log.error("web_door_failed", door=self.path, error=type(error).__name__, at=_place(error))
                return _error(500, "Что-то сломалось у нас. Попробуйте ещё раз чуть позже.")

        return answer


class _Doors:
    """Everything that the page and the widget ask the server for."""

    def __init__(
        self,
        database: Database,
        files: Files,
        readers: _Readers,
        receive: Receive,
        *,
        clock: Clock,
        region: str,
        feed_wait: float,
    ) -> None:
        self._database = database
        self._files = files
        self._readers = readers
        self._receive = receive
        self._clock = clock
        self._region = region
        self._feed_wait = feed_wait
        self._static = {path.name: path.read_bytes() for path in sorted((_WEB / "static").iterdir())}
        self._version = hashlib.sha256(b"".join(self._static.values())).hexdigest()[:12]
        templates = Environment(loader=FileSystemLoader(_WEB / "templates"), autoescape=True)
        self._page = templates.get_template("chat.html")
        self._visitor_limit = _Allowance(MESSAGES_PER_MINUTE, clock)
        self._address_limit = _Allowance(MESSAGES_PER_MINUTE_FROM_ADDRESS, clock)
        self._session_limit = _Allowance(SESSIONS_PER_MINUTE, clock)

    def router(self) -> APIRouter:
        router = APIRouter(route_class=_Door, include_in_schema=False)
        doors: tuple[tuple[str, str, Callable[..., Awaitable[Response]]], ...] = (
            ("GET", "/chat", self.page),
            ("GET", "/chat/static/{name}", self.static),
            ("GET", "/widget.js", self.widget),
            ("POST", "/chat/session", self.begin),
            ("POST", "/chat/messages", self.take),
            ("GET", "/chat/feed", self.news),
            ("GET", "/chat/history", self.history),
            ("GET", "/chat/files/{ref}", self.file),
        )
        for method, path, door in doors:
            router.add_api_route(path, door, methods=[method], response_model=None)
        return router

    async def page(self, request: Request) -> Response:
        embed = request.query_params.get("embed") == "1"
        html = self._page.render(embed=embed, region=self._region, version=self._version, limits=_LIMITS)
        headers = {
            "Content-Security-Policy": _PAGE_POLICY + ("*" if embed else "'none'"),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache",
        }
        return HTMLResponse(html, headers=headers)

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        lasting = request.query_params.get("v") == self._version
        return self._asset(name, "public, max-age=31536000, immutable" if lasting else "no-cache")

    async def widget(self) -> Response:
        # Schools write its address by hand, without a version: let a new one arrive within the hour.
        return self._asset("widget.js", "public, max-age=3600")

    async def begin(self, request: Request) -> Response:
        _spend(self._session_limit, _client(request))
        return _json({"token": new_token()})

    async def take(self, request: Request) -> Response:
        chat_id = _visitor(request)
        # The visitor first: one who floods must not use up the share of the whole school.
        _spend(self._visitor_limit, chat_id)
        _spend(self._address_limit, _client(request))
        form = await _read_form(request)
        try:
            words = _read_words(form)
            kept = await self._keep(words.files)
        finally:
            await form.close()
        # Kept files stay also when this fails: a commit of unknown fate may already point at them.
        await self._receive(_incoming(chat_id, words, kept))
        async with self._database.reading() as tx:
            mode = await conversations.mode_at(tx, WebChannel.name, chat_id)
        # «Печатает…» would be a lie while a human has the question.
        return _json({"ok": True, "bot_answers": mode not in {"waiting_human", "human"}}, status=202)

    async def news(self, request: Request) -> Response:
        chat_id = _visitor(request)
        after = request.query_params.get("after", "0")
        if not _NUMBER.fullmatch(after):
            raise _Refused(400, "Номер сообщения указан неверно.")
        shown = await self._wait_for_news(chat_id, int(after))
        return _json({"messages": [_show(message) for message in shown]})

    async def history(self, request: Request) -> Response:
        chat_id = _visitor(request)
        async with self._database.transaction() as tx:
            person = await people.at(tx, WebChannel.name, chat_id)
            said: list[conversations.Message] = []
            if person is not None:
                conversation = await conversations.of_person(tx, person.id, now=self._clock.now())
                said = await conversations.history(tx, conversation.id, limit=HISTORY_LENGTH)
            shown: deque[feed.Shown] = deque(maxlen=HISTORY_LENGTH)
            after = 0
            while page := await feed.since(tx, WebChannel.name, chat_id, after=after):
                # What was said is read as we keep it: nothing has to be shown instead of it.
                shown.extend(message for message in page if "instead_of" not in message.body)
                after = page[-1].id
        own = [
            (message.created_at, _own(message))
            for message in said
            if message.author in {"person", "press"} and (message.text or message.attachments)
        ]
        theirs = [(message.created_at, _show(message)) for message in shown]
        together = [body for _, body in sorted(own + theirs, key=_moment)]
        return _json({"messages": together, "after": after})

    async def file(self, request: Request) -> Response:
        path = self._files.path(request.path_params["ref"])
        if path is None:
            raise _Refused(404, "Файл не найден.")
        image = _image_type(await asyncio.to_thread(_head, path))
        headers = {
            "Content-Disposition": "inline" if image else "attachment",
            "Content-Security-Policy": _FILE_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=31536000, immutable",
        }
        return FileResponse(path, media_type=image or _UNKNOWN_TYPE, headers=headers)

    def _asset(self, name: str, caching: str) -> Response:
        content = self._static.get(name)
        if content is None:
            raise _Refused(404, "Такого файла нет.")
        headers = {
            "Cache-Control": caching,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return Response(content, media_type=_STATIC_TYPES[Path(name).suffix], headers=headers)

    async def _keep(self, uploads: Sequence[UploadFile]) -> tuple[Attachment, ...]:
        kept: list[Attachment] = []
        for upload in uploads:
            # One at a time: never more than the largest file in memory.
            data = await upload.read()
            image = _image_type(data)
            claimed = (upload.content_type or "").lower()
            kept.append(
                Attachment(
                    kind="photo" if image else "file",
                    name=_file_name(upload.filename or ""),
                    mime=image or (claimed if _MIME.fullmatch(claimed) else _UNKNOWN_TYPE),
                    channel=WebChannel.name,
                    ref=await self._files.keep(data),
                    size=len(data),
                )
            )
        return tuple(kept)

    async def _wait_for_news(self, chat_id: str, after: int) -> list[feed.Shown]:
        # Proxies and browsers count real seconds, whatever the injected clock says.
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._feed_wait
        with self._readers.waiting(chat_id) as woken:
            while True:
                woken.clear()
                async with self._database.reading() as tx:
                    shown = await feed.since(tx, WebChannel.name, chat_id, after=after)
                left = deadline - loop.time()
                if shown or left <= 0 or self._readers.closed:
                    return shown
                await self._doze(woken, left)

    async def _doze(self, woken: asyncio.Event, seconds: float) -> None:
        """Until woken, until it is time to look again, or for so many real seconds."""
        alarms = [
            asyncio.ensure_future(woken.wait()),
            asyncio.ensure_future(self._clock.sleep(FEED_LOOK_SECONDS)),
        ]
        try:
            await asyncio.wait(alarms, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for alarm in alarms:
                alarm.cancel()
            await asyncio.gather(*alarms, return_exceptions=True)


class _Readers:
    """Who waits for news, chat by chat."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.closed = False

    @contextmanager
    def waiting(self, chat_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something may be new in this chat."""
        woken = asyncio.Event()
        readers = self._waiting.setdefault(chat_id, set())
        readers.add(woken)
        try:
            yield woken
        finally:
            readers.discard(woken)
            if not readers and self._waiting.get(chat_id) is readers:
                del self._waiting[chat_id]

    def wake(self, chat_id: str) -> None:
        """Something is new in this chat."""
        for woken in self._waiting.get(chat_id, ()):
            woken.set()

    def close(self) -> None:
        """Let everyone go."""
        self.closed = True
        for chat_id in self._waiting:
            self.wake(chat_id)


class _Allowance:
    """A token bucket for each key: so many at once, and as many again over a minute."""

    _MANY = 10_000
    """Keys kept before the idle ones are dropped."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._most = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """Take one; returns how many seconds to wait instead if there is none."""
        now = self._clock.monotonic()
        left = self._refilled(key, now)
        if left < 1:
            return (1 - left) / self._per_second
        if len(self._left) > self._MANY:
            self._left = {k: v for k, v in self._left.items() if self._refilled(k, now) < self._most}
        self._left[key] = (left - 1, now)
        return 0.0

    def _refilled(self, key: str, now: float) -> float:
        left, at = self._left.get(key, (self._most, now))
        return min(self._most, left + (now - at) * self._per_second)


@dataclass(frozen=True)
class _Words:
    """What a page sent, read and found sound."""

    id: str
    text: str
    button: str | None
    start: str | None
    reply_to: str | None
    files: tuple[UploadFile, ...]


_LIMITS = {
    "text": LONGEST_TEXT,
    "files": MOST_FILES,
    "file": LARGEST_FILE,
    "upload": LARGEST_UPLOAD,
}


def _visitor(request: Request) -> str:
    """The chat of whoever asks; the token itself goes no further."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        raise _Refused(401, "Чат не узнал вас. Обновите страницу.")
    return chat_of(token)


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _spend(allowance: _Allowance, key: str) -> None:
    wait = allowance.take(key)
    if wait:
        raise _Refused(429, "Слишком много сообщений подряд. Подождите немного.", retry_after=wait)


async def _read_form(request: Request) -> FormData:
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        raise _Refused(400, "Сообщение пришло в непонятном виде.")
    declared = request.headers.get("Content-Length", "")
    if _NUMBER.fullmatch(declared) and int(declared) > LARGEST_UPLOAD + _FORM_OVERHEAD:
        raise _too_large()
    # More than we take, so that a sixth file gets a sentence of its own.
    parser = MultiPartParser(
        request.headers,
        _at_most(LARGEST_UPLOAD + _FORM_OVERHEAD, request),
        max_files=4 * MOST_FILES,
        max_fields=10,
        max_part_size=_LARGEST_FIELD,
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise _Refused(400, "Сообщение пришло в непонятном виде.") from error


async def _at_most(limit: int, request: Request) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise _too_large()
        yield chunk


def _read_words(form: FormData) -> _Words:
    words = _Words(
        id=(_field(form, "id") or "").lower(),
        # Forms travel with CRLF; PostgreSQL takes no NUL, and nobody types one.
        text=(_field(form, "text") or "").replace("\r\n", "\n").replace("\x00", "").strip(),
        button=_field(form, "button"),
        start=_field(form, "start"),
        reply_to=_field(form, "reply_to") or None,
        files=tuple(value for value in form.getlist("files") if isinstance(value, UploadFile)),
    )
    _check_fields(words)
    _check_files(words.files)
    return words


def _field(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value if isinstance(value, str) else None


def _check_fields(words: _Words) -> None:
    if not _UUID.fullmatch(words.id):
        raise _Refused(400, "У сообщения нет номера.")
    if len(words.text) > LONGEST_TEXT:
        raise _Refused(413, f"Сообщение длиннее {LONGEST_TEXT} знаков. Разделите его на части.")
    if words.button is not None and not 0 < len(words.button.encode()) <= _LONGEST_PAYLOAD:
        raise _Refused(400, "Такой кнопки нет.")
    if words.start is not None and not _START.fullmatch(words.start):
        raise _Refused(400, "Ссылка, по которой вы пришли, записана неверно.")
    if words.reply_to is not None and not (
        _UUID.fullmatch(words.reply_to) or _NUMBER.fullmatch(words.reply_to)
    ):
        raise _Refused(400, "Сообщения, на которое вы отвечаете, нет.")
    if not words.text and not words.files and words.button is None and words.start is None:
        raise _Refused(400, "Сообщение пустое.")


def _check_files(files: Sequence[UploadFile]) -> None:
    if len(files) > MOST_FILES:
        raise _Refused(413, f"С одним сообщением можно отправить не больше {MOST_FILES} файлов.")
    if any((file.size or 0) > LARGEST_FILE for file in files):
        raise _Refused(413, f"Файл больше {LARGEST_FILE // 1024**2} МБ. Отправьте файл поменьше.")
    if sum(file.size or 0 for file in files) > LARGEST_UPLOAD:
        raise _too_large()


def _too_large() -> _Refused:
    return _Refused(413, f"Файлы вместе больше {LARGEST_UPLOAD // 1024**2} МБ. Отправьте их по частям.")


def _incoming(chat_id: str, words: _Words, kept: tuple[Attachment, ...]) -> Incoming:
    event_id, sender = f"{chat_id}:{words.id}", Address(WebChannel.name, chat_id)
    if words.button is not None:
        # The label comes along as the text: it is what the person said by pressing.
        return Incoming(
            event_id,
            sender,
            text=words.text,
            button=words.button,
            message_id=words.reply_to or words.id,
        )
    return Incoming(
        event_id,
        sender,
        text=words.text,
        message_id=words.id,
        reply_to=words.reply_to,
        attachments=kept,
        started=words.start,
    )


def _length(spans: Sequence[Span]) -> int:
    return sum(len(span.text) for span in spans)


def _draw_span(span: Span) -> dict[str, Any]:
    drawn: dict[str, Any] = {"t": span.text}
    if span.bold:
        drawn["b"] = True
    if span.url:
        drawn["u"] = span.url
    return drawn


def _draw_button(button: Button) -> dict[str, str]:
    if button.url:
        return {"label": button.label, "url": button.url}
    return {"label": button.label, "payload": button.payload}


def _show(message: feed.Shown) -> dict[str, Any]:
    return {**message.body, "id": message.id, "own": False, "at": message.created_at.isoformat()}


def _own(message: conversations.Message) -> dict[str, Any]:
    return {
        "id": message.external_id,
        "own": True,
        "text_spans": [{"t": message.text}] if message.text else [],
        "files": [
            {"kind": file.kind, "name": file.name, "mime": file.mime, "ref": file.ref}
            for file in message.attachments
            if file.channel == WebChannel.name
        ],
        "at": message.created_at.isoformat(),
    }


def _moment(entry: tuple[datetime, Mapping[str, Any]]) -> datetime:
    return entry[0]


def _file_name(name: str) -> str:
    """The name without folders and characters that only confuse."""
    last = re.split(r"[\\/]", name)[-1]
    cleaned = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    return cleaned[-_LONGEST_NAME:] or "файл"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _image_type(data: bytes) -> str | None:
    """The type by the first bytes: what a visitor claims could make a browser run it."""
    return next((mime for mark, mime in _IMAGES if mark.match(data)), None)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _json(body: Mapping[str, Any], *, status: int = 200) -> JSONResponse:
    return JSONResponse(dict(body), status_code=status, headers={"Cache-Control": "no-store"})


def _error(status: int, text: str, *, retry_after: float | None = None) -> JSONResponse:
    response = _json({"error": text}, status=status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(retry_after + 0.5)))
    return response
