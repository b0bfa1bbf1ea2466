"""VK: a community's messages, by Bots Long Poll or by the Callback API.

Events are read as raw dictionaries, because the library's strict models reject what VK adds tomorrow. The
library's polling and its default client are not used either: the first keeps its place in a file of its own
and confirms what was not handled, the second has no time-outs and puts the token into addresses.
Conversations of several people (peer_id from 2000000000) and the community's own messages are skipped.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import mimetypes
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, FormData, TCPConnector
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from vkbottle.api import API
from vkbottle.api.response_validator import ABCResponseValidator
from vkbottle.exception_factory import CaptchaError, VKAPIError
from vkbottle.http import ABCHTTPClient

from bot.channels.base import (
    Closed,
    Cursor,
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
from faq.markup import Span, draw_plain, split
from handlers.messages import Address, Attachment, AttachmentKind, Button, Incoming, Outgoing, Rows
from storage.database import Unavailable

NAME = "vk"
API_VERSION = "5.199"

# https://dev.vk.com/ru/api/bots/development/keyboard and messages.send
TEXT_LIMIT = 4000
"""Characters of one message; VK takes 4096."""
KEYBOARD_BUTTONS = 10
KEYBOARD_ROWS = 6
ROW_BUTTONS = 5
LABEL_LENGTH = 40
ATTACHMENTS = 10
FIRST_GROUP_CHAT = 2_000_000_000
CALLS_PER_SECOND = 19
"""VK stops a community's token at 20 calls a second, uploads and names included."""

WAIT_SECONDS = 25
"""How long VK holds a poll that has nothing to say (at most 90)."""
CALL_TIMEOUT = ClientTimeout(total=30, connect=10)
POLL_TIMEOUT = ClientTimeout(total=WAIT_SECONDS + 15, connect=10)
UPLOAD_TIMEOUT = ClientTimeout(total=120, connect=10)
COURTESY_SECONDS = 2.0
"""How long an event may wait for a name, or for VK to hear that a button was seen."""
COURTESY_REST_SECONDS = 30.0
"""How long names are not asked for after VK failed to tell one."""
NAMES_KEPT = 5000
BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
CALLBACK_BODY_LIMIT = 1_000_000
HUGE_TEXT = 100_000
"""Characters; VK lets a person type 4096, so anything near this is no message."""

MORE_BUTTONS = "Ещё варианты:"
CHOOSE = "Выберите вариант:"

_SLOW = {6: 1.0, 9: 5.0, 14: 60.0, 29: 5.0}
_UNFINISHED = {1, 10, 13, 22, 36}
_CLOSED = {
    5: "ключ доступа сообщества не подходит или отозван",
    17: "VK требует подтвердить владельца ключа",
    27: "ключ доступа сообщества отозван или не даёт этого права",
    28: "ключ доступа приложения отозван",
    912: "в настройках сообщества не включены «Возможности ботов»",
    1116: "ключ доступа недействителен",
    1117: "срок ключа доступа истёк",
}
_UNREACHABLE = {
    7: "not_allowed",
    18: "gone",
    900: "blocked",
    901: "not_allowed",
    902: "not_allowed",
    917: "gone",
    922: "gone",
    925: "gone",
    927: "gone",
    936: "gone",
    945: "gone",
    946: "gone",
    950: "not_allowed",
    985: "not_allowed",
    1012: "not_allowed",
    3610: "gone",
    3611: "gone",
}
_UNKNOWN = "unknown kind"
_NO_RIGHT = {7, 15, 20, 23, 27}
"""Answers to a call that concerns no person: the token lacks a right."""

_EVENTS = ("message_new", "message_edit", "message_allow", "message_deny", "message_event")
_PHOTO_TYPES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}
_VOICE_TYPES = {"audio/ogg": ".ogg", "audio/opus": ".ogg"}
_SIZE_LETTERS = "smxopqryzw"
"""VK's names of photo sizes, small to large, for photos so old that they have no width."""
_UNREADABLE = {
    "article": "статья",
    "audio": "аудиозапись",
    "audio_message": "голосовое сообщение",
    "call": "звонок",
    "doc": "файл",
    "event": "мероприятие",
    "gift": "подарок",
    "graffiti": "граффити",
    "link": "ссылка",
    "market": "товар",
    "market_album": "подборка товаров",
    "photo": "фотография",
    "poll": "опрос",
    "sticker": "стикер",
    "story": "история",
    "video": "видео",
    "video_message": "видеосообщение",
    "wall": "запись со стены",
    "wall_reply": "комментарий",
}

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")
_Json = dict[str, Any]


@dataclass(frozen=True)
class Callback:
    """What VK's settings page shows for a Callback API server."""

    confirmation: str
    secret: str


class VkChannel:
    """A community's messages as a channel."""

    def __init__(
        self,
        token: str,
        group_id: int,
        *,
        clock: Clock,
        cursor: Cursor,
        api_url: str | None = None,
        ca_bundle: Path | None = None,
        callback: Callback | None = None,
    ) -> None:
        self._token = token
        self._group_id = group_id
        self._clock = clock
        self._cursor = cursor
        self._callback = callback
        self._http = _Http(ca_bundle)
        self._api = _Api(token, self._http, url=api_url)
        self._gate = _Gate(clock, per_second=CALLS_PER_SECOND)
        self._names: dict[int, str] = {}
        self._names_rest_until = 0.0

    @property
    def name(self) -> str:
        """The word in `Address.channel`."""
        return NAME

    @property
    def drops_repeats(self) -> bool:
        """VK compares `random_id` within the last hour and the last 100 messages of a chat."""
        return True

    @property
    def pace(self) -> Pace:
        """VK's 20 calls a second with room for names and uploads; it has no limit per chat."""
        return Pace(per_second=18, per_chat_interval=0.0)

    def compose(self, message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
        """Split a message into requests; the same message always gives the same pieces."""
        texts = split(message.text, limit=TEXT_LIMIT, measure=_length)
        keyboards = _keyboards(message.buttons)
        if keyboards and not texts:
            texts = [(Span(CHOOSE),)]
        first_buttons, *more_buttons = keyboards or [()]
        pieces = [Piece(spans=spans) for spans in texts]
        if pieces:
            pieces[-1] = replace(pieces[-1], buttons=first_buttons)
        if len(files) == 1 and len(pieces) == 1 and files[0].kind != "voice":
            pieces[0] = replace(pieces[0], files=tuple(files))
            files = ()
        pieces += [Piece(spans=(Span(MORE_BUTTONS),), buttons=rows) for rows in more_buttons]
        pieces += [Piece(files=group) for group in _file_groups(files)]
        if pieces:
            pieces[0] = replace(pieces[0], reply_to=message.reply_to)
        return tuple(pieces)

    async def send(self, to: Address, piece: Piece, *, key: str) -> str:
        """Send one piece; VK drops a repeat with the same key for an hour."""
        peer = _peer(to)
        attachments = [await self._upload(file, peer=peer) for file in piece.files]
        text = "".join(draw_plain(span) for span in piece.spans)
        if not text and not attachments:
            raise Rejected("в сообщении ничего нет")
        form: _Json = {
            "peer_ids": peer,
            "random_id": random_id(key),
            "message": text,
            "disable_mentions": 1,
        }
        if attachments:
            form["attachment"] = ",".join(attachments)
        if piece.buttons:
            form["keyboard"] = _draw_keyboard(piece.buttons)
        forward = _reply(peer, piece.reply_to)
        if forward is None:
            return await self._send(form)
        try:
            return await self._send({**form, "forward": forward})
        except Rejected:
            # Most likely the message that is answered has gone; the answer matters more than the quote.
            return await self._send(form)

    async def fetch(self, ref: str, *, limit: int) -> bytes:
        """Download what a person sent from the address that VK gave for it."""
        if not ref.startswith(("https://", "http://")):
            raise FetchError("VK не дал ссылку на этот файл.")
        try:
            data = await self._http.download(ref, limit=limit)
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            _log.warning("file_not_fetched", channel=NAME, error=type(error).__name__)
            raise FetchError("Не удалось скачать файл из VK: сервер не ответил.") from None
        except _Refused as refusal:
            raise FetchError(f"VK больше не отдаёт этот файл (ответ {refusal.status}).") from None
        if data is None:
            raise FetchError(f"Файл больше {limit / 1_000_000:.3g} МБ, скачать его нельзя.")
        return data

    async def listen(self, receive: Receive) -> None:
        """Poll VK until cancelled; with the Callback API there is nothing to do."""
        if self._callback is not None:
            return
        queue = _Queue(self._http, self._cursor, ask=self._own_call, group_id=self._group_id)
        trouble = _Trouble(self._clock)
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

    def routes(self, receive: Receive) -> APIRouter | None:
        """The Callback API's door; `ok` is said only after `receive` returned."""
        callback = self._callback
        if callback is None:
            return None
        router = APIRouter()

        @router.post("/vk/callback", include_in_schema=False)
        async def take(request: Request) -> Response:
            return await self._answer_callback(request, callback, receive)

        return router

    async def check(self) -> str:
        """Name the community that the token belongs to."""
        answer = await self._own_call("groups.getById")
        groups = answer.get("groups") if isinstance(answer, dict) else answer
        group = groups[0] if isinstance(groups, list) and groups else None
        if not isinstance(group, dict):
            raise Unfinished("VK не назвал сообщество")
        if group.get("id") != self._group_id:
            raise Closed(
                f"ключ доступа VK — от сообщества {group.get('id')}, а в настройках указано {self._group_id}"
            )
        return f"vk.com/club{self._group_id} ({group.get('name', '')})"

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _send(self, form: _Json) -> str:
        answers = await self._call("messages.send", **form)
        answer = answers[0] if isinstance(answers, list) and answers else None
        if not isinstance(answer, dict):
            raise Unfinished("VK ответил не по форме")
        error = answer.get("error")
        if isinstance(error, dict):
            raise self._refusal(int(error.get("code", 1)), str(error.get("description", "")))
        # Only the number inside the conversation can be replied to; the other one is marked as such.
        return str(answer.get("conversation_message_id") or f"id{answer.get('message_id', '')}")

    async def _upload(self, file: LocalFile, *, peer: int) -> str:
        """Give a file to VK and return its name for `attachment`."""
        try:
            data = await asyncio.to_thread(file.path.read_bytes)
        except OSError as error:
            raise Rejected(f"файла нет на диске ({type(error).__name__})") from None
        try:
            if file.kind == "photo" and file.mime in _PHOTO_TYPES:
                return await self._upload_photo(file, data, peer=peer)
            if file.kind == "voice" and file.mime in _VOICE_TYPES:
                return await self._upload_document(file, data, peer=peer, kind="audio_message")
        except Rejected:
            _log.info("sent_as_a_document", channel=NAME, kind=file.kind)
        return await self._upload_document(file, data, peer=peer, kind="doc")

    async def _upload_photo(self, file: LocalFile, data: bytes, *, peer: int) -> str:
        server = await self._upload_call("photos.getMessagesUploadServer", peer_id=peer)
        name = "photo" + _PHOTO_TYPES[file.mime]
        done = await self._post_file(server, data, field="photo", name=name, mime=file.mime)
        if done.get("photo") in (None, "", "[]"):
            raise Rejected("VK не принял фотографию")
        saved = await self._upload_call(
            "photos.saveMessagesPhoto", photo=done["photo"], server=done.get("server"), hash=done.get("hash")
        )
        if not isinstance(saved, list) or not saved:
            raise Unfinished("VK не сохранил фотографию")
        return _attachment_name("photo", saved[0])

    async def _upload_document(self, file: LocalFile, data: bytes, *, peer: int, kind: str) -> str:
        server = await self._upload_call("docs.getMessagesUploadServer", type=kind, peer_id=peer)
        # The upload server judges by the ending and garbles other letters; the title carries the name.
        ending = _VOICE_TYPES.get(file.mime) if kind == "audio_message" else _ending(file)
        done = await self._post_file(server, data, field="file", name=f"file{ending}", mime=file.mime)
        if not done.get("file"):
            raise Rejected("VK не принял файл")
        saved = await self._upload_call("docs.save", file=done["file"], title=file.name[-128:])
        saved = saved[0] if isinstance(saved, list) and saved else saved
        kind = str(saved.get("type")) if isinstance(saved, dict) else ""
        if not isinstance(saved, dict) or kind not in saved:
            raise Unfinished("VK не сохранил файл")
        return _attachment_name(kind, saved[kind])

    async def _post_file(self, server: Any, data: bytes, *, field: str, name: str, mime: str) -> _Json:
        try:
            answer = await self._http.upload(server["upload_url"], data, field=field, name=name, mime=mime)
        except (ClientError, TimeoutError, OSError, ValueError, TypeError, KeyError) as error:
            raise Unfinished(f"загрузка файла: {type(error).__name__}") from None
        except _Refused as refusal:
            if refusal.status in (413, 415):
                raise Rejected(f"VK не принял файл (ответ {refusal.status})") from None
            raise Unfinished(f"загрузка файла: ответ {refusal.status}") from None
        if "error" in answer:
            raise Rejected("VK не принял файл")
        return answer

    async def _ask(self, method: str, **form: Any) -> Any:
        """Call VK; its own errors come out as the library's, troubles on the way as ours."""
        await self._gate.enter()
        try:
            answer = await self._api.request(method, form)
        except (ClientError, TimeoutError, OSError) as error:
            raise Unfinished(type(error).__name__) from None
        return answer["response"]

    async def _call(self, method: str, **form: Any) -> Any:
        """Call VK about a person."""
        try:
            return await self._ask(method, **form)
        except VKAPIError as error:
            raise self._refusal(error.code, error.error_msg) from None

    async def _upload_call(self, method: str, **form: Any) -> Any:
        """Call VK about a file: a right that is missing spoils the file, not the person or the channel."""
        try:
            return await self._ask(method, **form)
        except VKAPIError as error:
            if error.code in _NO_RIGHT:
                raise Rejected(f"у ключа доступа нет права {method} (ошибка {error.code})") from None
            raise self._refusal(error.code, error.error_msg) from None

    async def _own_call(self, method: str, **form: Any) -> Any:
        """Call VK about the community itself: a refusal means that somebody has to mend its settings."""
        try:
            return await self._ask(method, **form)
        except VKAPIError as error:
            refusal = self._refusal(error.code, error.error_msg)
            if isinstance(refusal, (Rejected, Unreachable)):
                raise Closed(f"VK отказал в {method}: {self._safe(error.error_msg)}") from None
            raise refusal from None

    def _refusal(self, code: int, words: str) -> SendError:
        if code in _SLOW:
            return SlowDown(_SLOW[code])
        if code in _UNFINISHED:
            return Unfinished(f"ошибка VK {code}")
        if code in _CLOSED:
            return Closed(f"VK: {_CLOSED[code]} (ошибка {code})")
        if code in _UNREACHABLE:
            return Unreachable(_UNREACHABLE[code], f"ошибка VK {code}")
        return Rejected(f"ошибка VK {code}: {self._safe(words)}")

    def _safe(self, words: str) -> str:
        return words.replace(self._token, "…")[:200]

    async def _prepare(self) -> bool:
        """Switch on what we listen for; a token without that right leaves it to the community's owner."""
        settings = {"enabled": 1, "api_version": API_VERSION, **dict.fromkeys(_EVENTS, 1)}
        try:
            await self._own_call("groups.setLongPollSettings", group_id=self._group_id, **settings)
        except Closed:
            _log.warning("long_poll_settings_not_permitted", channel=NAME)
        return True

    async def _offer(self, event: object, receive: Receive, *, place: str) -> None:
        """Give one event to the house, again and again while its database is away."""
        for incoming in await self._translate(event, place=place):
            trouble = _Trouble(self._clock)
            while not await self._taken(incoming, receive, trouble):
                pass
            trouble.over()
        await self._thank(event)

    async def _taken(self, incoming: Incoming, receive: Receive, trouble: _Trouble) -> bool:
        try:
            await _receive(incoming, receive)
        except Unavailable as error:
            await trouble.wait(error)
            return False
        return True

    async def _answer_callback(self, request: Request, callback: Callback, receive: Receive) -> Response:
        body = await _read_body(request)
        if body is None:
            return Response(status_code=413)
        event = _parse_object(body)
        if event.get("group_id") != self._group_id:
            return Response(status_code=403)
        if event.get("type") == "confirmation":
            return Response(callback.confirmation, media_type="text/plain")
        if not _same(event.get("secret"), callback.secret):
            return Response(status_code=403)
        try:
            for incoming in await self._translate(event, place=f"{self._clock.now().timestamp():.0f}"):
                await _receive(incoming, receive)
        except Unavailable:
            return Response(status_code=503)
        await self._thank(event)
        return Response("ok", media_type="text/plain")

    async def _translate(self, event: object, *, place: str) -> list[Incoming]:
        """Read one event; what is nothing for us is logged by kind only."""
        try:
            found = translate(event, place=place)
        except _Skipped as skipped:
            # Kinds that somebody else switched on come all day long.
            say = _log.debug if str(skipped) == _UNKNOWN else _log.info
            say("event_skipped", channel=NAME, kind=_kind(event), why=str(skipped))
            return []
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            _log.warning("event_malformed", channel=NAME, kind=_kind(event), error=type(error).__name__)
            return []
        name = await self._name_of(int(found[0].sender.chat_id))
        return [replace(incoming, name=name) for incoming in found]

    async def _name_of(self, person: int) -> str:
        """Ask VK for a name once; an event never waits long for it."""
        if person in self._names:
            return self._names[person]
        if self._clock.monotonic() < self._names_rest_until:
            return ""
        try:
            async with asyncio.timeout(COURTESY_SECONDS):
                users = await self._call("users.get", user_ids=person)
            name = _full_name(users[0])
        except (SendError, TimeoutError, LookupError, TypeError, AttributeError) as error:
            self._names_rest_until = self._clock.monotonic() + COURTESY_REST_SECONDS
            _log.info("name_not_told", channel=NAME, error=type(error).__name__)
            return ""
        if len(self._names) >= NAMES_KEPT:
            del self._names[next(iter(self._names))]
        self._names[person] = name
        return name

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
                await self._call("messages.sendMessageEventAnswer", **about)
        except (SendError, TimeoutError) as error:
            _log.info("button_not_answered", channel=NAME, error=type(error).__name__)


def random_id(key: str) -> int:
    """Make VK's protection from repeats of our own: the same positive int32 for the same key, never 0."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) & 0x7FFFFFFF or 1


# ── events ────────────────────────────────────────────────────────────────────────────────────────────────


class _Skipped(Exception):
    """This event is nothing for us; says why in one word."""


def translate(event: object, *, place: str) -> list[Incoming]:
    """Read one raw event; `place` tells apart events to which VK gave no id.

    A message of which only a part can be taken becomes two: the part, and the kinds that cannot be taken.
    """
    if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
        raise TypeError("an event is an object with an object inside")
    kind, content = event.get("type"), event["object"]
    if kind in ("message_new", "message_edit"):
        incoming = _message(content.get("message", content), edited=kind == "message_edit")
    elif kind in ("message_allow", "message_deny"):
        allowed = kind == "message_allow"
        incoming = Incoming("", _sender(content["user_id"]), reachable=allowed)
    elif kind == "message_event":
        incoming = _pressed(content)
    else:
        raise _Skipped(_UNKNOWN)
    incoming = replace(incoming, event_id=_event_id(event, place=place))
    rest = incoming.unreadable
    if rest is None or not (incoming.text.strip() or incoming.attachments):
        return [incoming]
    other = Incoming(f"{incoming.event_id}:rest", incoming.sender, unreadable=rest)
    readable = replace(incoming, unreadable=None)
    return [readable] if incoming.edited else [readable, other]


def _message(message: _Json, *, edited: bool) -> Incoming:
    sender = _sender(message["peer_id"])
    if message.get("out") or message["from_id"] != message["peer_id"]:
        raise _Skipped("own")
    if message.get("action"):
        raise _Skipped("service")
    text = _clean(message.get("text") or "")
    incoming = Incoming("", sender, message_id=_message_id(message))
    if not edited:
        payload = _payload(message.get("payload"))
        button = payload.get("b")
        if isinstance(button, str):
            # A text button comes as a new message: which message carried it is not told.
            return replace(incoming, button=_clean(button), message_id=None)
        if payload.get("command") == "start" or text.strip().casefold() == "начать":
            return replace(incoming, started=_clean(message.get("ref") or ""))
    readable, unreadable = _attachments(message, has_text=bool(text.strip()))
    if not text.strip() and not readable and not unreadable:
        raise _Skipped("empty")
    return replace(
        incoming,
        text=text,
        reply_to=_message_id(message.get("reply_message") or {}),
        attachments=tuple(readable),
        unreadable=", ".join(dict.fromkeys(unreadable)) or None,
        edited=edited,
    )


def _pressed(content: _Json) -> Incoming:
    sender = _sender(content["peer_id"])
    button = _payload(content.get("payload")).get("b")
    if not isinstance(button, str):
        raise _Skipped("unknown button")
    return Incoming("", sender, button=_clean(button), message_id=_message_id(content))


def _sender(peer: Any) -> Address:
    if not isinstance(peer, int) or isinstance(peer, bool):
        raise TypeError("peer_id is a number")
    if peer >= FIRST_GROUP_CHAT:
        raise _Skipped("group chat")
    if peer <= 0:
        raise _Skipped("not a person")
    return Address(NAME, str(peer))


def _message_id(message: _Json) -> str | None:
    number = message.get("conversation_message_id")
    return str(number) if isinstance(number, int) and number > 0 else None


def _event_id(event: _Json, *, place: str) -> str:
    given = event.get("event_id")
    if isinstance(given, str) and given:
        return given
    kind, content = event["type"], event["object"]
    content = content.get("message", content)
    peer = content.get("peer_id") or content.get("user_id")
    if kind == "message_event":
        return f"{kind}:{peer}:{content.get('event_id')}"
    if kind in ("message_allow", "message_deny"):
        return f"{kind}:{peer}:{place}"
    when = content.get("update_time") or content.get("date")
    return f"{kind}:{peer}:{content.get('conversation_message_id')}:{when}"


def _payload(source: Any) -> _Json:
    if isinstance(source, str):
        try:
            source = json.loads(source)
        except (ValueError, RecursionError):
            return {}
    return source if isinstance(source, dict) else {}


def _clean(text: str) -> str:
    """Drop what no database takes: NUL and halves of surrogate pairs."""
    if len(text) > HUGE_TEXT:
        raise _Skipped("huge")
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _attachments(message: _Json, *, has_text: bool) -> tuple[list[Attachment], list[str]]:
    readable: list[Attachment] = []
    unreadable: list[str] = []
    for item in message.get("attachments") or []:
        kind = item.get("type")
        body = item.get(kind)
        reader = _READERS.get(kind)
        found = reader(body) if reader and isinstance(body, dict) else None
        if found:
            readable.append(found)
        elif kind != "link" or not has_text:
            # VK hangs a preview on every address in a text: the address itself is already there.
            unreadable.append(_UNREADABLE.get(kind, "вложение"))
    if message.get("geo"):
        unreadable.append("место на карте")
    if message.get("fwd_messages"):
        unreadable.append("пересланное сообщение")
    return readable, unreadable


def _photo(photo: _Json) -> Attachment | None:
    sizes = [size for size in [*(photo.get("sizes") or []), photo.get("orig_photo") or {}] if size.get("url")]
    if not sizes:
        return None
    largest = max(sizes, key=_area)
    name = f"photo_{photo.get('id', '')}.jpg"
    return _attachment("photo", name, mime="image/jpeg", url=largest["url"])


def _area(size: _Json) -> tuple[int, int]:
    pixels = (size.get("width") or 0) * (size.get("height") or 0)
    return pixels, _SIZE_LETTERS.find(size.get("type") or "")


def _document(doc: _Json) -> Attachment | None:
    name, ending = _clean(doc.get("title") or "файл"), str(doc.get("ext") or "")
    if ending and not name.lower().endswith(f".{ending.lower()}"):
        name = f"{name}.{ending}"
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    size = doc.get("size")
    return _attachment(
        "file", name, mime=mime, url=doc.get("url"), size=size if isinstance(size, int) else None
    )


def _voice(voice: _Json) -> Attachment | None:
    if voice.get("link_ogg"):
        return _attachment("voice", "voice.ogg", mime="audio/ogg", url=voice["link_ogg"])
    return _attachment("voice", "voice.mp3", mime="audio/mpeg", url=voice.get("link_mp3"))


def _video(video: _Json) -> Attachment | None:
    return _attachment("video", f"video_{video.get('id', '')}.mp4", mime="video/mp4", url=video.get("url"))


def _sticker(sticker: _Json) -> Attachment | None:
    images = [image for image in sticker.get("images") or [] if image.get("url")]
    url = max(images, key=_area)["url"] if images else ""
    return Attachment("sticker", "sticker.png", "image/png", NAME, url)


def _graffiti(graffiti: _Json) -> Attachment | None:
    return _attachment("photo", "graffiti.png", mime="image/png", url=graffiti.get("url"))


def _attachment(
    kind: AttachmentKind, name: str, *, mime: str, url: Any, size: int | None = None
) -> Attachment | None:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        return None
    name = name.replace("/", "_").replace("\\", "_")[-200:]
    return Attachment(kind, name, mime, NAME, url, size)


_READERS: dict[Any, Callable[[_Json], Attachment | None]] = {
    "photo": _photo,
    "doc": _document,
    "audio_message": _voice,
    "video": _video,
    "sticker": _sticker,
    "graffiti": _graffiti,
}


def _full_name(user: _Json) -> str:
    if user.get("deactivated"):
        return ""
    return _clean(f"{user.get('first_name', '')} {user.get('last_name', '')}".strip())


def _kind(event: object) -> str:
    """A word for the log: a kind that VK might send, nothing that a person could write."""
    kind = event.get("type") if isinstance(event, dict) else None
    return kind if isinstance(kind, str) and kind.isidentifier() and kind.isascii() else "?"


async def _receive(incoming: Incoming, receive: Receive) -> None:
    """Hand over one event; a bug over there does not stop the channel."""
    try:
        await receive(incoming)
    except Unavailable:
        raise
    except Exception as error:
        _log.error("event_failed", channel=NAME, error=type(error).__name__)


# ── messages ──────────────────────────────────────────────────────────────────────────────────────────────


def _length(spans: Sequence[Span]) -> int:
    """Measure in UTF-16 units, the larger of the two ways in which VK may count."""
    return sum(len(draw_plain(span).encode("utf-16-le", "replace")) // 2 for span in spans)


def _keyboards(rows: Rows) -> list[Rows]:
    """Cut the offered buttons into keyboards that VK accepts."""
    narrow = [row[at : at + ROW_BUTTONS] for row in rows for at in range(0, len(row), ROW_BUTTONS)]
    keyboards: list[list[tuple[Button, ...]]] = []
    for row in narrow:
        if keyboards and sum(map(len, keyboards[-1])) + len(row) <= KEYBOARD_BUTTONS:
            keyboards[-1].append(row)
        else:
            keyboards.append([row])
    return [_lower(keyboard) for keyboard in keyboards]


def _lower(rows: list[tuple[Button, ...]]) -> Rows:
    """Join the shortest neighbours, the last ones first, until the keyboard is low enough."""
    rows = list(rows)
    while len(rows) > KEYBOARD_ROWS:
        at = min(range(len(rows) - 1), key=lambda at: (len(rows[at]) + len(rows[at + 1]), -at))
        rows[at : at + 2] = [rows[at] + rows[at + 1]]
    return tuple(rows)


def _draw_keyboard(rows: Rows) -> str:
    buttons = [[_draw_button(button) for button in row] for row in rows]
    return json.dumps({"inline": True, "buttons": buttons}, ensure_ascii=False)


def _draw_button(button: Button) -> _Json:
    label = button.label if len(button.label) <= LABEL_LENGTH else button.label[: LABEL_LENGTH - 1] + "…"
    if button.url:
        return {"action": {"type": "open_link", "label": label, "link": button.url}}
    payload = json.dumps({"b": button.payload}, ensure_ascii=False)
    return {"action": {"type": "text", "label": label, "payload": payload}, "color": "secondary"}


def _file_groups(files: Sequence[LocalFile]) -> list[tuple[LocalFile, ...]]:
    """Keep files together and in order; a voice message stands alone in VK."""
    groups: list[tuple[LocalFile, ...]] = []
    for file in files:
        last = groups[-1] if groups else ()
        alone = file.kind == "voice" or any(other.kind == "voice" for other in last)
        if last and not alone and len(last) < ATTACHMENTS:
            groups[-1] = (*last, file)
        else:
            groups.append((file,))
    return groups


def _peer(to: Address) -> int:
    try:
        return int(to.chat_id)
    except ValueError:
        raise Rejected("адрес не похож на адрес VK") from None


def _reply(peer: int, message_id: str | None) -> str | None:
    if message_id is None or not message_id.isdecimal():
        return None
    return json.dumps({"peer_id": peer, "conversation_message_ids": [int(message_id)], "is_reply": 1})


def _attachment_name(kind: str, saved: Mapping[str, Any]) -> str:
    key = saved.get("access_key")
    return f"{kind}{saved['owner_id']}_{saved['id']}" + (f"_{key}" if key else "")


def _ending(file: LocalFile) -> str:
    return Path(file.name).suffix or mimetypes.guess_extension(file.mime) or ".bin"


# ── the Callback API ──────────────────────────────────────────────────────────────────────────────────────


async def _read_body(request: Request) -> bytes | None:
    """Read the body, or give up (None) once it is too large."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > CALLBACK_BODY_LIMIT:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)


def _parse_object(body: bytes | str) -> _Json:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _same(given: object, secret: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(
        given.encode("utf-8", "replace"), secret.encode("utf-8", "replace")
    )


# ── Bots Long Poll ────────────────────────────────────────────────────────────────────────────────────────


class _Queue:
    """VK's queue of events, read from where our own cursor stands.

    batch → every event taken → taken() → the next batch: the place moves only in `taken`.
    """

    def __init__(
        self, http: _Http, cursor: Cursor, *, ask: Callable[..., Awaitable[Any]], group_id: int
    ) -> None:
        self._http = http
        self._cursor = cursor
        self._ask = ask
        self._group_id = group_id
        self._server: _Json | None = None
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
        except (ClientError, TimeoutError, OSError, ValueError, _Refused):
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

    async def _open(self) -> _Json:
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

    async def _start_again(self, answer: _Json) -> None:
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


class _Trouble:
    """Waits longer after each failure in a row, and says so once per change of state."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: str | None = None
        self._failures = 0

    async def wait(self, error: BaseException, *, seconds: float = 0.0) -> None:
        """Log what is new and wait, at least `seconds`."""
        kind = type(error).__name__
        if kind != self._seen:
            _log.warning("listening_interrupted", channel=NAME, error=kind)
        self._seen = kind
        backoff = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        await self._clock.sleep(max(backoff, seconds))

    def over(self) -> None:
        """Things work again."""
        if self._seen is not None:
            _log.info("listening_again", channel=NAME)
        self._seen, self._failures = None, 0


# ── the wire ──────────────────────────────────────────────────────────────────────────────────────────────


class _Gate:
    """Lets calls through one after another, no faster than VK counts."""

    def __init__(self, clock: Clock, *, per_second: float) -> None:
        self._clock = clock
        self._step = 1 / per_second
        self._free_at = 0.0

    async def enter(self) -> None:
        """Wait for our turn."""
        now = self._clock.monotonic()
        turn = max(now, self._free_at)
        self._free_at = turn + self._step
        if turn > now:
            await self._clock.sleep(turn - now)


class _Api(API):
    """The library's API object with a token that stays out of addresses and a log without texts."""

    def __init__(self, token: str, http: _Http, *, url: str | None) -> None:
        super().__init__(token, http_client=http)
        if url is not None:
            self.API_URL = url.rstrip("/").removesuffix("/method") + "/method/"
        # The stock ones repeat an HTML answer after five seconds and log what people wrote.
        self.response_validators = [_Answers()]

    async def request(self, method: str, data: _Json, version: str | None = None) -> _Json:
        """Make one call, everything in the body."""
        form = await self.validate_request({name: value for name, value in data.items() if value is not None})
        async with self.token_generator as token:
            form |= {"access_token": token, "v": version or API_VERSION}
            text = await self.http_client.request_text(self.API_URL + method, method="POST", data=form)
        answer: _Json = await self.validate_response(method, {}, text)
        return answer


class _Answers(ABCResponseValidator):
    """Reads VK's answers: an error is raised at once, what is not an answer leaves the fate unknown."""

    async def validate(
        self,
        method: str,  # noqa: ARG002 - the library's signature
        data: _Json,  # noqa: ARG002
        response: Any,
        ctx_api: Any,  # noqa: ARG002
    ) -> _Json:
        """Return the answer or raise."""
        answer = _parse_object(response)
        error = answer.get("error")
        if isinstance(error, dict):
            code, words = int(error.get("error_code", 1)), str(error.get("error_msg", ""))
            if code == CaptchaError.code:
                raise CaptchaError(error_msg=words, captcha_sid="", captcha_img="")
            raise VKAPIError[code](error_msg=words)
        if "response" not in answer:
            raise Unfinished("VK ответил не по форме")
        return answer


class _Refused(Exception):
    """An HTTP answer that is no success."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class _Http(ABCHTTPClient):
    """One HTTP session of our own, opened at the first request."""

    def __init__(self, ca_bundle: Path | None) -> None:
        self._tls: ssl.SSLContext | bool = True
        if ca_bundle is not None:
            self._tls = ssl.create_default_context()
            self._tls.load_verify_locations(cafile=ca_bundle)
        self._session: ClientSession | None = None

    async def request_raw(self, url: str, method: str = "GET", data: Any = None, **kwargs: Any) -> Any:
        """Make a request and return (status, body)."""
        kwargs.setdefault("timeout", CALL_TIMEOUT)
        async with self._open().request(method, url, data=data, allow_redirects=False, **kwargs) as response:
            return response.status, await response.read()

    async def request_content(self, url: str, method: str = "GET", data: Any = None, **kwargs: Any) -> bytes:
        """Make a request and return the body, whatever the status."""
        _, body = await self.request_raw(url, method, data, **kwargs)
        return bytes(body)

    async def request_text(self, url: str, method: str = "GET", data: Any = None, **kwargs: Any) -> str:
        """Make a request and return the body as text, whatever the status."""
        return (await self.request_content(url, method, data, **kwargs)).decode("utf-8", "replace")

    async def request_json(self, url: str, method: str = "GET", data: Any = None, **kwargs: Any) -> _Json:
        """Make a request and return the object in its successful answer."""
        status, body = await self.request_raw(url, method, data, **kwargs)
        if status != 200:  # noqa: PLR2004 - HTTP
            raise _Refused(status)
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise TypeError("not an object")
        return answer

    async def poll(self, url: str, query: Mapping[str, str]) -> _Json:
        """Ask the long poll server."""
        return await self.request_json(url, params=query, timeout=POLL_TIMEOUT)

    async def upload(self, url: str, data: bytes, *, field: str, name: str, mime: str) -> _Json:
        """Post one file as a form."""
        form = FormData()
        form.add_field(field, data, filename=name, content_type=mime)
        return await self.request_json(url, "POST", form, timeout=UPLOAD_TIMEOUT)

    async def download(self, url: str, *, limit: int) -> bytes | None:
        """Get a file, or None when it is larger than `limit`."""
        async with self._open().get(url, timeout=UPLOAD_TIMEOUT) as response:
            if response.status != 200:  # noqa: PLR2004 - HTTP
                raise _Refused(response.status)
            if (response.content_length or 0) > limit:
                return None
            body = bytearray()
            async for chunk in response.content.iter_chunked(65536):
                body += chunk
                if len(body) > limit:
                    return None
            return bytes(body)

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    def _open(self) -> ClientSession:
        if self._session is None:
            connector = TCPConnector(ssl=self._tls)
            self._session = ClientSession(connector=connector, cookie_jar=DummyCookieJar())
        return self._session
