"""Sending pieces: uploads, second tries, ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.channels.base import LocalFile, Piece, Rejected, Unreachable
from bot.channels.kept import Kept, Place
from bot.channels.telegram.composing import size_of
from bot.channels.telegram.drawing import draw, draw_edit
from bot.channels.telegram.errors import detail, says, send_error
from bot.channels.telegram.events import clean
from bot.channels.telegram.library import (
    AiogramError,
    ClientDecodeError,
    CreateForumTopic,
    Message,
    SendMessage,
    TelegramBadRequest,
    TelegramMethod,
)
from bot.channels.telegram.session import CALL_TIMEOUT, UPLOAD_TIMEOUT, Client
from handlers.messages import Address, AttachmentKind

UPLOAD_BYTES = 50 * 1024 * 1024
TOPIC_NAME_LIMIT = 128  # https://core.telegram.org/bots/api#createforumtopic
_NO_VOICE = "voice_messages_forbidden"
_BETTER_AS_FILE = (
    "photo_invalid_dimensions",
    "photo_save_file_invalid",
    "photo_ext_invalid",
    "image_process_failed",
    _NO_VOICE,
)
"""Refusals that mean: the same file goes through as a document (a very tall screenshot, for one)."""

_FORGOTTEN = ("wrong file identifier", "file_reference_expired", "file_id_invalid", "can't use file of type")
"""Refusals that mean: this name of a file is good for nothing any more."""

_AS_IT_IS = ("message is not modified",)
_GONE = ("message to delete not found",)

_log = structlog.get_logger(__name__)


async def send(client: Client, kept: Kept, *, to: Address, piece: Piece) -> str:
    """Send one piece; gives the ids of its messages, joined by commas."""
    if piece.delete is not None:
        return await _delete(client, draw(to, piece))
    _check(piece.files)
    try:
        if piece.files:
            return await _send_files(client, kept.place(piece.files), to=to, piece=piece)
        ids, _ = await _sent(client, draw(to, piece))
    except AiogramError as error:
        # `from None`: the cause may hold the address with the token, or somebody's text.
        raise send_error(error) from None
    return ids


async def _send_files(client: Client, place: Place, *, to: Address, piece: Piece) -> str:
    """Send files by the names that Telegram has for them; whoever is the first uploads them."""
    async with place.lock:
        if place.names is None:
            return await _upload(client, place, to=to, piece=piece)
        known, names = replace(piece, files=place.files), place.names
    try:
        ids, _ = await _sent(client, draw(to, known, names=names))
    except TelegramBadRequest as error:
        if not says(error, (*_BETTER_AS_FILE, *_FORGOTTEN)):
            raise
        async with place.lock:
            return await _upload(client, place, to=to, piece=piece)
    return ids


async def _upload(client: Client, place: Place, *, to: Address, piece: Piece) -> str:
    try:
        ids, messages = await _sent(client, draw(to, piece))
    except TelegramBadRequest as error:
        if not says(error, _BETTER_AS_FILE):
            raise
        piece = replace(piece, files=tuple(replace(file, kind="file") for file in piece.files))
        ids, messages = await _sent(client, draw(to, piece))
        if says(error, (_NO_VOICE,)):
            return ids  # only this person does not want voices
    place.files, place.names = piece.files, _names_in(messages, piece.files)
    return ids


async def edit(client: Client, *, to: Address, external_id: str, piece: Piece) -> None:
    """Change the words and buttons of a message of ours, however old; a file stays what it was."""
    try:
        await client.call(draw_edit(to, external_id, piece))
    except ClientDecodeError as error:
        if not _is_ok(error.data):
            raise send_error(error) from None
    except TelegramBadRequest as error:
        if not says(error, _AS_IT_IS):
            raise send_error(error) from None
    except AiogramError as error:
        raise send_error(error) from None


async def unsend(client: Client, *, to: Address, external_id: str) -> None:
    """Take a message of ours, at most 48 hours old, from everybody; of an album all its messages."""
    for message_id in external_id.split(","):
        try:
            await client.call(draw(to, Piece(delete=message_id)))
        except TelegramBadRequest as error:
            if not says(error, _GONE):
                raise send_error(error) from None
        except AiogramError as error:
            raise send_error(error) from None


async def open_topic(client: Client, to: Address, title: str) -> str:
    """Open a topic of a group and give its id; raises `Rejected` where there are none or we may not."""
    name = " ".join(clean(title).split())
    if not name:
        raise Rejected("a topic without a title")
    if len(name) > TOPIC_NAME_LIMIT:
        name = name[: TOPIC_NAME_LIMIT - 1] + "…"
    try:
        topic = await client.call(CreateForumTopic(chat_id=int(to.chat_id), name=name))
    except ValueError:
        raise Rejected("no group has such a number") from None
    except AiogramError as error:
        meaning = send_error(error)
        if isinstance(meaning, Unreachable) and meaning.reason == "not_allowed":
            raise Rejected(detail(error)) from None  # we may write there all the same
        raise meaning from None
    return str(topic.message_thread_id)


async def _delete(client: Client, method: TelegramMethod[Any]) -> str:
    try:
        await client.call(method)
    except AiogramError as error:
        meaning = send_error(error)
        if not isinstance(meaning, Rejected | Unreachable):
            raise meaning from None
        # Gone already, older than 48 hours, or the chat is closed to us: another try would say the same.
        _log.info("message_not_deleted", channel="telegram", error=detail(error))
    return ""


def _check(files: Sequence[LocalFile]) -> None:
    for file in files:
        size = size_of(file)
        if size is None:
            raise Rejected("the file is not there")
        if not 0 < size <= UPLOAD_BYTES:
            raise Rejected("the file is empty or larger than 50 MB")


async def _sent(client: Client, method: TelegramMethod[Any]) -> tuple[str, Sequence[Message]]:
    """Send; gives the ids of the messages, joined by commas, and the messages where they can be read."""
    upload = not isinstance(method, SendMessage)
    try:
        sent: Message | list[Message] = await client.call(
            method, within=UPLOAD_TIMEOUT if upload else CALL_TIMEOUT
        )
    except ClientDecodeError as error:
        # A message whose description has something too new for our models was sent all the same.
        ids = _ids_in(error.data)
        if ids is None:
            raise
        return ids, ()
    messages = sent if isinstance(sent, list) else [sent]
    return ",".join(str(message.message_id) for message in messages), messages


def _names_in(messages: Sequence[Message], files: Sequence[LocalFile]) -> tuple[str, ...] | None:
    """Telegram's names of the files that were just sent; None if it made something else of one."""
    names = [_name_in(message, file.kind) for message, file in zip(messages, files, strict=False)]
    known = tuple(name for name in names if name is not None)
    return known if len(known) == len(files) else None


def _name_in(message: Message, kind: AttachmentKind) -> str | None:
    if kind == "photo":
        sizes = message.photo or ()
        return max(sizes, key=lambda size: size.width * size.height).file_id if sizes else None
    media = {"voice": message.voice, "video": message.video}.get(kind, message.document)
    return media.file_id if media is not None else None


def _ids_in(data: Any) -> str | None:
    """Find the ids in an answer that says «ok» and could not be decoded."""
    if not _is_ok(data):
        return None
    result = data.get("result")
    messages = result if isinstance(result, list) else [result]
    ids = [
        message["message_id"] for message in messages if isinstance(message, dict) and "message_id" in message
    ]
    return ",".join(map(str, ids)) or None


def _is_ok(data: Any) -> bool:
    return isinstance(data, dict) and data.get("ok") is True
