"""Reading events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.channels.vk.attachments import read_attachments
from bot.channels.vk.groups import FIRST_GROUP_CHAT, meant_for_us, read_action
from bot.channels.vk.raw import NAME, Json, Skipped, clean, parse_object
from handlers.messages import Address, Incoming

UNKNOWN = "unknown kind"
EVENTS = ("message_new", "message_edit", "message_allow", "message_deny", "message_event")


def translate(event: object, *, group_id: int, place: str) -> list[Incoming]:
    """Read one raw event of community `group_id`; `place` tells apart events to which VK gave no id.

    A message of which only a part can be taken becomes two: the part, and the kinds that cannot be taken.
    One that came by a link is preceded by what the link says.
    """
    if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
        raise TypeError("an event is an object with an object inside")
    kind, content = event.get("type"), event["object"]
    if kind in ("message_new", "message_edit"):
        edited = kind == "message_edit"
        incoming = _message(content.get("message", content), group_id=group_id, edited=edited)
    elif kind in ("message_allow", "message_deny"):
        allowed = kind == "message_allow"
        incoming = Incoming("", _person(content["user_id"]), reachable=allowed)
    elif kind == "message_event":
        incoming = _pressed(content)
    else:
        raise Skipped(UNKNOWN)
    incoming = replace(incoming, event_id=_event_id(event, place=place))
    linked = _linked(kind, content, incoming)
    rest = incoming.unreadable
    if linked is not None:
        return [linked, *_parts(incoming, rest)]
    return _parts(incoming, rest)


def _parts(incoming: Incoming, rest: str | None) -> list[Incoming]:
    if rest is None or not (incoming.text.strip() or incoming.attachments):
        return [incoming]
    other = Incoming(f"{incoming.event_id}:rest", incoming.sender, unreadable=rest, group=incoming.group)
    readable = replace(incoming, unreadable=None)
    return [readable] if incoming.edited else [readable, other]


def _linked(kind: object, content: Json, incoming: Incoming) -> Incoming | None:
    """Who talks with us already does not press «Начать» again: the link comes with the next message."""
    is_said = kind == "message_new" and incoming.button is None and incoming.started is None
    ref = clean(content.get("message", content).get("ref") or "") if is_said else ""
    if not ref or incoming.group is not None:
        return None
    return Incoming(f"{incoming.event_id}:link", incoming.sender, started=ref)


def _message(message: Json, *, group_id: int, edited: bool) -> Incoming:
    group = _group(message["peer_id"])
    if message.get("out") or (group is None and message["from_id"] != message["peer_id"]):
        raise Skipped("own")
    sender = _person(message["from_id"])
    action = message.get("action")
    if group is not None and action:
        return Incoming("", sender, group=group, group_event=read_action(action, group_id=group_id))
    if action:
        raise Skipped("service")
    text = clean(message.get("text") or "")
    incoming = Incoming("", sender, group=group, message_id=_message_id(message))
    payload = {} if edited else _payload(message.get("payload"))
    button = payload.get("b")
    pressed = isinstance(button, str)
    if group is not None:
        text = meant_for_us(message, text, group_id=group_id, pressed=pressed)
    if isinstance(button, str):
        # A text button comes as a new message: which message carried it is not told.
        return replace(incoming, button=clean(button), message_id=None)
    if group is None and not edited and _is_start(payload, text):
        return replace(incoming, started=clean(message.get("ref") or ""))
    return _said(incoming, message, text=text, edited=edited)


def _is_start(payload: Json, text: str) -> bool:
    return payload.get("command") == "start" or text.strip().casefold() == "начать"


def _said(incoming: Incoming, message: Json, *, text: str, edited: bool) -> Incoming:
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
    group = _group(content["peer_id"])
    sender = _person(content["user_id"])
    button = _payload(content.get("payload")).get("b")
    if not isinstance(button, str):
        raise Skipped("unknown button")
    return Incoming("", sender, button=clean(button), group=group, message_id=_message_id(content))


def _group(peer: Any) -> Address | None:
    """The group chat, or None where somebody talks to us alone."""
    return Address(NAME, str(peer)) if _number(peer) >= FIRST_GROUP_CHAT else None


def _person(number: Any) -> Address:
    if not 0 < _number(number) < FIRST_GROUP_CHAT:
        # Another community, or a member without an account.
        raise Skipped("not a person")
    return Address(NAME, str(number))


def _number(peer: Any) -> int:
    if not isinstance(peer, int) or isinstance(peer, bool):
        raise TypeError("peer_id is a number")
    return peer


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
