"""Sending pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.channels.base import NotSent, Piece, Rejected, SendError, SlowDown, Unfinished, Unreachable
from bot.channels.vk.calls import Calls
from bot.channels.vk.drawing import draw_keyboard, draw_reply
from bot.channels.vk.raw import NAME, Json
from bot.channels.vk.uploading import Uploads
from faq.markup import draw_plain
from handlers.messages import Address

_NOT_FOUND = 100
"""What messages.delete says of a message that is not there (any more)."""

_log = structlog.get_logger(__name__)


MOST_PEERS = 100
"""Chats that one messages.send of a community reaches (https://dev.vk.com/ru/method/messages.send)."""


async def send(calls: Calls, uploads: Uploads, *, to: Address, piece: Piece, key: str) -> str:
    """Send one piece; returns the number of the message."""
    peer = _peer(to.chat_id)
    if piece.delete is not None:
        return await _delete(calls, peer=peer, message_id=piece.delete)
    had_files = uploads.has_some(piece.files)
    try:
        return await _send_quoting(calls, uploads, peer=peer, piece=piece, key=key)
    except Rejected:
        if not had_files:
            raise
    # Perhaps VK has lost a file that was uploaded long ago.
    uploads.forget(piece.files)
    return await _send_quoting(calls, uploads, peer=peer, piece=piece, key=key)


async def _send_quoting(calls: Calls, uploads: Uploads, *, peer: int, piece: Piece, key: str) -> str:
    form = _form(piece, await uploads.names(piece.files, peer=peer), key=key) | {"peer_ids": peer}
    forward = draw_reply(peer, piece.reply_to)
    if forward is None:
        return await _send(calls, form)
    try:
        return await _send(calls, {**form, "forward": forward})
    except Rejected:
        # Most likely the message that is answered has gone; the answer matters more than the quote.
        return await _send(calls, form)


async def send_to_many(
    calls: Calls, uploads: Uploads, *, chat_ids: Sequence[str], piece: Piece, key: str
) -> dict[str, str | SendError]:
    """Send one piece to many chats by one call; returns the number of the message or the refusal of each."""
    answers: dict[str, str | SendError] = {}
    peers: dict[int, str] = {}
    for chat_id in chat_ids:
        try:
            peers[_peer(chat_id)] = chat_id
        except Rejected as refusal:
            answers[chat_id] = refusal
    had_files = uploads.has_some(piece.files)
    try:
        return answers | await _ask_for_all(calls, uploads, peers=dict(peers), piece=piece, key=key)
    except Rejected:
        if not had_files:
            raise
    uploads.forget(piece.files)
    return answers | await _ask_for_all(calls, uploads, peers=peers, piece=piece, key=key)


async def _ask_for_all(
    calls: Calls, uploads: Uploads, *, peers: dict[int, str], piece: Piece, key: str
) -> dict[str, str | SendError]:
    answers: dict[str, str | SendError] = {}
    attachments = await _upload_for_some(uploads, piece, peers=peers, refusals=answers)
    if peers:
        form = _form(piece, attachments, key=key) | {"peer_ids": ",".join(map(str, peers))}
        said = await _call_for_all(calls, form)
        for peer, chat_id in peers.items():
            answers[chat_id] = _of_one(said.get(peer) or Unfinished("VK не ответил об этом чате"))
    return answers


def _of_one(answer: str | SendError) -> str | SendError:
    """What VK asks of one chat among many (to write to it less) is no reason to keep silent to all."""
    return NotSent("VK просит писать в этот чат реже") if isinstance(answer, SlowDown) else answer


async def _upload_for_some(
    uploads: Uploads, piece: Piece, *, peers: dict[int, str], refusals: dict[str, str | SendError]
) -> list[str]:
    """Upload the files in the name of the first peer that can be written to; those before it are refused."""
    while peers:
        peer = next(iter(peers))
        try:
            return await uploads.names(piece.files, peer=peer)
        except Unreachable as refusal:
            refusals[peers.pop(peer)] = refusal
    return []


async def _call_for_all(calls: Calls, form: Json) -> Mapping[int, str | SendError]:
    """Make the call; gives what VK says of each peer."""
    try:
        answers = await calls.call("messages.send", **form)
    except Unreachable as refusal:
        # Of nobody in particular: the call itself is not allowed.
        raise Rejected(f"VK отказал сразу всем: {refusal}") from None
    if not isinstance(answers, list):
        raise Unfinished("VK ответил не по форме")
    return {
        answer["peer_id"]: _fate(calls, answer)
        for answer in answers
        if isinstance(answer, dict) and isinstance(answer.get("peer_id"), int)
    }


def _form(piece: Piece, attachments: Sequence[str], *, key: str) -> Json:
    return {"random_id": random_id(key), **_content(piece, attachments)}


def _content(piece: Piece, attachments: Sequence[str]) -> Json:
    text = "".join(draw_plain(span) for span in piece.spans)
    if not text and not attachments:
        raise Rejected("в сообщении ничего нет")
    form: Json = {"message": text, "disable_mentions": 1}
    if attachments:
        form["attachment"] = ",".join(attachments)
    if piece.buttons:
        form["keyboard"] = draw_keyboard(piece.buttons)
    return form


def random_id(key: str) -> int:
    """Make VK's protection from repeats of our own: the same positive int32 for the same key, never 0."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) & 0x7FFFFFFF or 1


async def edit(calls: Calls, uploads: Uploads, *, to: Address, external_id: str, piece: Piece) -> None:
    """Change a message of ours, at most 24 hours old."""
    peer = _peer(to.chat_id)
    number = _number(external_id.partition(",")[0])
    form = _content(piece, await uploads.names(piece.files, peer=peer))
    await calls.call("messages.edit", peer_id=peer, **number, **form)


async def unsend(calls: Calls, *, to: Address, external_id: str) -> None:
    """Take a message of ours, at most 24 hours old, from everybody."""
    for each in external_id.split(","):
        number = {f"{name}s": value for name, value in _number(each).items()}
        error = await _ask_to_delete(calls, peer_id=_peer(to.chat_id), delete_for_all=1, **number)
        if error is not None and error.get("code") != _NOT_FOUND:
            raise _refusal(calls, error)


async def _delete(calls: Calls, *, peer: int, message_id: str) -> str:
    """Take a message from the community's side; VK lets nobody but its author take it from everybody."""
    try:
        error = await _ask_to_delete(calls, peer_id=peer, cmids=message_id)
        if error is not None:
            raise _refusal(calls, error)
    except (Rejected, Unreachable) as refusal:
        # Gone already, or not ours to delete: another try would say the same.
        _log.info("message_not_deleted", channel=NAME, error=str(refusal))
    return ""


async def _ask_to_delete(calls: Calls, **form: Any) -> Json | None:
    """Ask to delete one message; gives VK's error about it."""
    answers = await calls.call("messages.delete", **form)
    answer = answers[0] if isinstance(answers, list) and answers else None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else None


async def _send(calls: Calls, form: Json) -> str:
    answers = await calls.call("messages.send", **form)
    answer = answers[0] if isinstance(answers, list) and answers else None
    if not isinstance(answer, dict):
        raise Unfinished("VK ответил не по форме")
    fate = _fate(calls, answer)
    if isinstance(fate, SendError):
        raise fate
    return fate


def _fate(calls: Calls, answer: Json) -> str | SendError:
    """What VK says of one peer."""
    error = answer.get("error")
    if isinstance(error, dict):
        return _refusal(calls, error)
    # Only the number inside the conversation can be replied to; the other one is marked as such.
    return str(answer.get("conversation_message_id") or f"id{answer.get('message_id', '')}")


def _refusal(calls: Calls, error: Json) -> SendError:
    return calls.refusal(int(error.get("code", 1)), str(error.get("description", "")))


def _number(external_id: str) -> Json:
    """The parameter that names a message of ours."""
    number = external_id.removeprefix("id")
    if not number.isdecimal():
        raise Rejected("у сообщения нет такого номера")
    return {"cmid" if number == external_id else "message_id": int(number)}


def _peer(chat_id: str) -> int:
    try:
        return int(chat_id)
    except ValueError:
        raise Rejected("адрес не похож на адрес VK") from None
