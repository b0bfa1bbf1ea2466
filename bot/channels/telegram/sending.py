"""Sending pieces: uploads, second tries, ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.channels.base import LocalFile, Piece, Rejected, Unreachable
from bot.channels.telegram.composing import size_of
from bot.channels.telegram.drawing import draw
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
from handlers.messages import Address

UPLOAD_BYTES = 50 * 1024 * 1024
TOPIC_NAME_LIMIT = 128  # https://core.telegram.org/bots/api#createforumtopic
_BETTER_AS_FILE = (
    "photo_invalid_dimensions",
    "photo_save_file_invalid",
    "photo_ext_invalid",
    "image_process_failed",
    "voice_messages_forbidden",
)
"""Refusals that mean: the same file goes through as a document (a very tall screenshot, for one)."""

_log = structlog.get_logger(__name__)


async def send(client: Client, to: Address, piece: Piece) -> str:
    """Send one piece; gives the ids of its messages, joined by commas."""
    if piece.delete is not None:
        return await _delete(client, draw(to, piece))
    _check(piece.files)
    try:
        try:
            return await _sent(client, draw(to, piece))
        except TelegramBadRequest as error:
            if not piece.files or not says(error, _BETTER_AS_FILE):
                raise
        documents = tuple(replace(file, kind="file") for file in piece.files)
        return await _sent(client, draw(to, replace(piece, files=documents)))
    except AiogramError as error:
        # `from None`: the cause may hold the address with the token, or somebody's text.
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


async def _sent(client: Client, method: TelegramMethod[Any]) -> str:
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
        return ids
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
