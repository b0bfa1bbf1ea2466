"""The part of a raw update that is read here."""

from __future__ import annotations

from typing import Any

from handlers.messages import AttachmentKind

MEDIA: tuple[tuple[str, AttachmentKind, str, str], ...] = (
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
"""Field of a message, our word for its kind, the name and type of a file that has none."""

_PLACE = ("message_thread_id", "is_topic_message")
_PLAIN = ("text", "caption", "media_group_id", "migrate_to_chat_id", "new_chat_title")


def essentials(raw: dict[str, Any]) -> dict[str, Any]:
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
            "message": _placed_stub(carrier) if isinstance(carrier, dict) else None,
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
    message = _placed_stub(raw) | {field: _flat(raw.get(field)) for field in ("from", "sender_chat")}
    message |= {field: raw[field] for field in _PLAIN if field in raw}
    message |= {field: _flat(raw[field]) for field, *_ in MEDIA if raw.get(field)}
    if isinstance(sizes := raw.get("photo"), list):
        message["photo"] = [_flat(size) for size in sizes]
    if "forum_topic_closed" in raw:
        message["forum_topic_closed"] = {}
    target = raw.get("reply_to_message")
    # What answers nothing in a topic comes as an answer to the message that opened it.
    if isinstance(target, dict) and "forum_topic_created" not in target:
        message["reply_to_message"] = _stub(target) | {"from": _flat(target.get("from"))}
    return message


def _essential_member(raw: object) -> object:
    """Whether they are there (in a channel: may post); a right too new for us must not spoil the rest."""
    if not isinstance(raw, dict):
        return raw
    status, user = raw.get("status"), _flat(raw.get("user"))
    if status in ("creator", "administrator", "restricted"):
        is_here = (
            raw.get("is_member") if status == "restricted" else raw.get("can_post_messages") is not False
        )
        return {"status": "member" if is_here else "left", "user": user}
    return {**_flat(raw), "user": user}


def _placed_stub(raw: dict[str, Any]) -> dict[str, Any]:
    """Which message it is, and in which topic of a group."""
    return _stub(raw) | {field: raw[field] for field in _PLACE if field in raw}


def _stub(raw: dict[str, Any]) -> dict[str, Any]:
    """Only which message it is; the date is required by the model and not read."""
    return {"message_id": raw.get("message_id"), "chat": _flat(raw.get("chat")), "date": 0}


def _flat(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    return {field: value for field, value in raw.items() if isinstance(value, str | int | float | bool)}
