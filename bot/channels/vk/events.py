"""Reading events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.channels.vk.attachments import read_attachments
from bot.channels.vk.raw import NAME, Json, Skipped, clean, parse_object
from handlers.messages import Address, Incoming

FIRST_GROUP_CHAT = 2_000_000_000
UNKNOWN = "unknown kind"
EVENTS = ("message_new", "message_edit", "message_allow", "message_deny", "message_event")


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
        raise Skipped(UNKNOWN)
    incoming = replace(incoming, event_id=_event_id(event, place=place))
    rest = incoming.unreadable
    if rest is None or not (incoming.text.strip() or incoming.attachments):
        return [incoming]
    other = Incoming(f"{incoming.event_id}:rest", incoming.sender, unreadable=rest)
    readable = replace(incoming, unreadable=None)
    return [readable] if incoming.edited else [readable, other]


def _message(message: Json, *, edited: bool) -> Incoming:
    sender = _sender(message["peer_id"])
    if message.get("out") or message["from_id"] != message["peer_id"]:
        raise Skipped("own")
    if message.get("action"):
        raise Skipped("service")
    text = clean(message.get("text") or "")
    incoming = Incoming("", sender, message_id=_message_id(message))
    if not edited:
        payload = _payload(message.get("payload"))
        button = payload.get("b")
        if isinstance(button, str):
            # A text button comes as a new message: which message carried it is not told.
            return replace(incoming, button=clean(button), message_id=None)
        if payload.get("command") == "start" or text.strip().casefold() == "начать":
            return replace(incoming, started=clean(message.get("ref") or ""))
    readable, unreadable = read_attachments(message, has_text=bool(text.strip()))
    if not text.strip() and not readable and not unreadable:
        raise Skipped("empty")
    return replace(
        incoming,
        text=text,
        reply_to=_message_id(message.get("reply_message") or {}),
        attachments=tuple(readable),
        unreadable=", ".join(dict.fromkeys(unreadable)) or None,
        edited=edited,
    )


def _pressed(content: Json) -> Incoming:
    sender = _sender(content["peer_id"])
    button = _payload(content.get("payload")).get("b")
    if not isinstance(button, str):
        raise Skipped("unknown button")
    return Incoming("", sender, button=clean(button), message_id=_message_id(content))


def _sender(peer: Any) -> Address:
    if not isinstance(peer, int) or isinstance(peer, bool):
        raise TypeError("peer_id is a number")
    if peer >= FIRST_GROUP_CHAT:
        raise Skipped("group chat")
    if peer <= 0:
        raise Skipped("not a person")
    return Address(NAME, str(peer))


def _message_id(message: Json) -> str | None:
    number = message.get("conversation_message_id")
    return str(number) if isinstance(number, int) and number > 0 else None


def _event_id(event: Json, *, place: str) -> str:
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


def _payload(source: Any) -> Json:
    if isinstance(source, str):
        return parse_object(source)
    return source if isinstance(source, dict) else {}


def kind_of(event: object) -> str:
    """A word for the log: a kind that VK might send, nothing that a person could write."""
    kind = event.get("type") if isinstance(event, dict) else None
    return kind if isinstance(kind, str) and kind.isidentifier() and kind.isascii() else "?"
