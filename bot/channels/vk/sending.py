"""Sending pieces."""

from __future__ import annotations

import hashlib

import structlog

from bot.channels.base import Piece, Rejected, Unfinished, Unreachable
from bot.channels.vk.calls import Calls
from bot.channels.vk.drawing import draw_keyboard, draw_reply
from bot.channels.vk.raw import NAME, Json
from bot.channels.vk.uploading import Uploads
from faq.markup import draw_plain
from handlers.messages import Address

_log = structlog.get_logger(__name__)


async def send(calls: Calls, uploads: Uploads, *, to: Address, piece: Piece, key: str) -> str:
    """Send one piece; returns the number of the message."""
    peer = _peer(to)
    if piece.delete is not None:
        return await _delete(calls, peer=peer, message_id=piece.delete)
    attachments = [await uploads.upload(file, peer=peer) for file in piece.files]
    text = "".join(draw_plain(span) for span in piece.spans)
    if not text and not attachments:
        raise Rejected("в сообщении ничего нет")
    form: Json = {
        "peer_ids": peer,
        "random_id": random_id(key),
        "message": text,
        "disable_mentions": 1,
    }
    if attachments:
        form["attachment"] = ",".join(attachments)
    if piece.buttons:
        form["keyboard"] = draw_keyboard(piece.buttons)
    forward = draw_reply(peer, piece.reply_to)
    if forward is None:
        return await _send(calls, form)
    try:
        return await _send(calls, {**form, "forward": forward})
    except Rejected:
        # Most likely the message that is answered has gone; the answer matters more than the quote.
        return await _send(calls, form)


def random_id(key: str) -> int:
    """Make VK's protection from repeats of our own: the same positive int32 for the same key, never 0."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) & 0x7FFFFFFF or 1


async def _delete(calls: Calls, *, peer: int, message_id: str) -> str:
    """Take a message from the community's side; VK lets nobody but its author take it from everybody."""
    try:
        answers = await calls.call("messages.delete", peer_id=peer, cmids=message_id)
        answer = answers[0] if isinstance(answers, list) and answers else None
        error = answer.get("error") if isinstance(answer, dict) else None
        if isinstance(error, dict):
            raise calls.refusal(int(error.get("code", 1)), str(error.get("description", "")))
    except (Rejected, Unreachable) as refusal:
        # Gone already, or not ours to delete: another try would say the same.
        _log.info("message_not_deleted", channel=NAME, error=str(refusal))
    return ""


async def _send(calls: Calls, form: Json) -> str:
    answers = await calls.call("messages.send", **form)
    answer = answers[0] if isinstance(answers, list) and answers else None
    if not isinstance(answer, dict):
        raise Unfinished("VK ответил не по форме")
    error = answer.get("error")
    if isinstance(error, dict):
        raise calls.refusal(int(error.get("code", 1)), str(error.get("description", "")))
    # Only the number inside the conversation can be replied to; the other one is marked as such.
    return str(answer.get("conversation_message_id") or f"id{answer.get('message_id', '')}")


def _peer(to: Address) -> int:
    try:
        return int(to.chat_id)
    except ValueError:
        raise Rejected("адрес не похож на адрес VK") from None
