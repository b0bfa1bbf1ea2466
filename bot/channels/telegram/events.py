"""Understanding updates.

A plain function and not aiogram's Dispatcher with routers: there are four kinds of events and nothing to
decide about them, while the Dispatcher would put its own error handlers, FSM middlewares and silent
«unhandled» between an exception and the loop that must see it.

Of a group only what is meant for us is read (see `groups`). Whoever writes there in the name of the group
or of a channel is nobody to us: it is not known who they are, so nothing can be done for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import structlog
from pydantic import ValidationError

from bot.channels.telegram import groups
from bot.channels.telegram.essentials import MEDIA, essentials
from bot.channels.telegram.groups import Myself, NotOurs
from bot.channels.telegram.library import CallbackQuery, ChatMemberUpdated, Message, Update, User
from handlers.messages import Address, Attachment, GroupEvent, Incoming

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


def understand(raw: object, *, me: Myself) -> Event | None:
    """Translate an update; None, and a line in the log, for what cannot be or need not be taken."""
    kind = next((kind for kind in ALLOWED_UPDATES if isinstance(raw, dict) and kind in raw), "unknown")
    try:
        return _translated(raw, me=me)
    except NotOurs:
        reason = "talk"
    except _Skipped as skipped:
        reason = str(skipped)
    except ValidationError:
        reason = "malformed"
    except Exception as error:  # the door: whatever an update holds, the next one must be read
        reason = type(error).__name__
    log.info("telegram_update_skipped", reason=reason, kind=kind)
    return None


def _translated(raw: object, *, me: Myself) -> Event:
    if not isinstance(raw, dict) or _number(raw) is None:
        raise _Skipped("malformed")
    update = Update.model_validate(essentials(raw))
    event_id = str(update.update_id)
    for message, kind in ((update.message, "message"), (update.edited_message, "edited_message")):
        if message is not None:
            edited = kind == "edited_message"
            happened = None if edited else groups.event_of(message)
            if happened is not None:
                return Event(_from_group(event_id, message, happened))
            return Event(_from_message(event_id, message, raw[kind], edited=edited, me=me))
    if update.callback_query is not None:
        return _from_press(event_id, update.callback_query)
    if update.my_chat_member is not None:
        return Event(_from_membership(event_id, update.my_chat_member))
    raise _Skipped("unknown")


def _from_group(event_id: str, message: Message, happened: GroupEvent) -> Incoming:
    """What happened to the group counts, also if an anonymous administrator did it."""
    if message.from_user is None:
        raise _Skipped("nobody")
    return Incoming(
        event_id=event_id,
        sender=_address(message.from_user.id),
        name=clean(message.from_user.full_name),
        group=_group(message.chat.id, message.chat.type),
        thread=groups.thread_of(message),
        group_event=replace(happened, title=clean(happened.title)),
    )


def _from_message(
    event_id: str, message: Message, raw: dict[str, Any], *, edited: bool, me: Myself
) -> Incoming:
    sender = _person(message)
    group = _group(message.chat.id, message.chat.type)
    text = message.text or message.caption or ""
    if len(text) > INCOMING_TEXT_LIMIT:
        raise _Skipped("huge")
    if group is not None:
        text = groups.meant_for_us(message, text, me=me)
    start = None if edited else _START.fullmatch(text)
    attachments = _attachments(message)
    unreadable = next((word for field, word in _UNREADABLE.items() if raw.get(field)), None)
    if not text and not attachments and unreadable is None:
        raise _Skipped("empty")
    return Incoming(
        event_id=event_id,
        sender=_address(sender.id),
        name=clean(sender.full_name),
        text="" if start else clean(text),
        message_id=str(message.message_id),
        reply_to=str(message.reply_to_message.message_id) if message.reply_to_message else None,
        attachments=attachments,
        edited=edited,
        started=(start["payload"] or "") if start else None,
        unreadable=None if text or attachments else unreadable,
        group=group,
        thread=groups.thread_of(message) if group else None,
        album=None if message.media_group_id is None else clean(message.media_group_id),
    )


def _from_press(event_id: str, query: CallbackQuery) -> Event:
    if query.data is None:
        raise _Skipped("unknown")
    carrier = query.message
    group = None if carrier is None else _group(carrier.chat.id, carrier.chat.type)
    incoming = Incoming(
        event_id=event_id,
        sender=_address(query.from_user.id),
        name=clean(query.from_user.full_name),
        button=clean(query.data),
        message_id=None if carrier is None else str(carrier.message_id),
        group=group,
        thread=groups.thread_of(carrier) if group and isinstance(carrier, Message) else None,
    )
    return Event(incoming, query_id=query.id)


def _from_membership(event_id: str, change: ChatMemberUpdated) -> Incoming:
    is_channel = change.chat.type == groups.CHANNEL
    group = _address(change.chat.id) if is_channel else _group(change.chat.id, change.chat.type)
    if group is not None:
        happened = groups.coming_or_going(change)
        return Incoming(
            event_id=event_id,
            sender=_address(change.from_user.id),
            name=clean(change.from_user.full_name),
            group=group,
            group_event=replace(happened, title=clean(happened.title)),
        )
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


def _person(message: Message) -> User:
    """Who wrote it."""
    if message.sender_chat is not None:
        raise _Skipped("nobody")
    if message.from_user is None or message.from_user.is_bot:
        raise _Skipped("own")
    return message.from_user


def _group(chat_id: int, kind: str) -> Address | None:
    """The group chat, or None where somebody is alone with us."""
    if kind == "private":
        return None
    if kind not in groups.KINDS:
        raise _Skipped("channel")
    return _address(chat_id)


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
