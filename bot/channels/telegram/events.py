"""Understanding updates.

A plain function and not aiogram's Dispatcher with routers: there are four kinds of events and nothing to
decide about them, while the Dispatcher would put its own error handlers, FSM middlewares and silent
«unhandled» between an exception and the loop that must see it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import structlog
from pydantic import ValidationError

from bot.channels.telegram.essentials import MEDIA, essentials
from bot.channels.telegram.library import CallbackQuery, ChatMemberUpdated, Message, Update
from handlers.messages import Address, Attachment, Incoming

ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
INCOMING_TEXT_LIMIT = 65_536  # what people send ends at 4096; more is not from Telegram's clients

_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>[A-Za-z0-9_-]{1,64}))?\s*")
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

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Event:
    """Something that a person did."""

    incoming: Incoming
    query_id: str | None = None
    """The pressed button waits until this is answered."""


class _Skipped(Exception):
    """This update is not for us; its text is the reason for the log."""


def understand(raw: object) -> Event | None:
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


def _translated(raw: object) -> Event:
    if not isinstance(raw, dict) or _number(raw) is None:
        raise _Skipped("malformed")
    update = Update.model_validate(essentials(raw))
    event_id = str(update.update_id)
    if update.message is not None:
        return Event(_from_message(event_id, update.message, raw["message"], edited=False))
    if update.edited_message is not None:
        return Event(_from_message(event_id, update.edited_message, raw["edited_message"], edited=True))
    if update.callback_query is not None:
        return _from_press(event_id, update.callback_query)
    if update.my_chat_member is not None:
        return Event(_from_membership(event_id, update.my_chat_member))
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
        name=clean(message.from_user.full_name),
        text="" if start else clean(text),
        message_id=str(message.message_id),
        reply_to=str(message.reply_to_message.message_id) if message.reply_to_message else None,
        attachments=attachments,
        edited=edited,
        started=(start["payload"] or "") if start else None,
        unreadable=None if text or attachments else unreadable,
    )


def _from_press(event_id: str, query: CallbackQuery) -> Event:
    if query.data is None:
        raise _Skipped("unknown")
    if query.message is not None and query.message.chat.type != "private":
        raise _Skipped("group")
    incoming = Incoming(
        event_id=event_id,
        sender=_address(query.from_user.id if query.message is None else query.message.chat.id),
        name=clean(query.from_user.full_name),
        button=clean(query.data),
        message_id=None if query.message is None else str(query.message.message_id),
    )
    return Event(incoming, query_id=query.id)


def _from_membership(event_id: str, change: ChatMemberUpdated) -> Incoming:
    if change.chat.type != "private":
        raise _Skipped("group")
    reachable = {"kicked": False, "member": True}.get(change.new_chat_member.status)
    if reachable is None:
        raise _Skipped("unknown")
    return Incoming(
        event_id=event_id,
        sender=_address(change.chat.id),
        name=clean(change.from_user.full_name),
        reachable=reachable,
    )


def _attachments(message: Message) -> tuple[Attachment, ...]:
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return (
            Attachment("photo", "фото.jpg", "image/jpeg", "telegram", largest.file_id, largest.file_size),
        )
    for field, kind, name, mime in MEDIA:
        media = getattr(message, field, None)
        if media is not None:
            return (
                Attachment(
                    kind=kind,
                    name=_file_name(getattr(media, "file_name", None)) or name,
                    mime=clean(getattr(media, "mime_type", None) or mime),
                    channel="telegram",
                    ref=media.file_id,
                    size=getattr(media, "file_size", None),
                ),
            )
    return ()


def _number(raw: object) -> int | None:
    number = raw.get("update_id") if isinstance(raw, dict) else None
    return number if type(number) is int and number >= 0 else None


def offset_after(raw: object, offset: int | None) -> int | None:
    """Move the offset past this update; never back, for updates may come out of order."""
    number = _number(raw)
    return offset if number is None else max(number + 1, offset or 0)


def _address(chat_id: int) -> Address:
    return Address("telegram", str(chat_id))


def clean(text: str) -> str:
    """Drop what cannot be stored."""
    # PostgreSQL stores no NUL, and half a surrogate pair cannot be written anywhere.
    return text.replace("\x00", "").encode(errors="replace").decode()


def _file_name(name: str | None) -> str:
    """Make a stranger's file name harmless: no folders, no control characters, not endless."""
    base = PurePosixPath(clean(name or "").replace("\\", "/")).name
    return "".join(letter for letter in base if letter.isprintable())[-120:]
