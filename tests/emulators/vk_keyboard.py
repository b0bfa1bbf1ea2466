"""Keyboards as VK checks them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.emulators.vk_errors import VkError

# https://dev.vk.com/ru/api/bots/development/keyboard
INLINE_BUTTONS, INLINE_ROWS = 10, 6
INPUT_BUTTONS, INPUT_ROWS = 40, 10
ROW_BUTTONS = 5
LABEL_LENGTH = 40
PAYLOAD_LENGTH = 255

_COLORS = {"primary", "secondary", "default", "negative", "positive"}
_LABELLED = {"text", "callback", "open_link", "open_app"}
_FIELDS = {
    "text": {"type", "label", "payload"},
    "callback": {"type", "label", "payload"},
    "open_link": {"type", "label", "link", "payload"},
    "open_app": {"type", "label", "app_id", "owner_id", "hash", "payload"},
    "location": {"type", "payload"},
    "vkpay": {"type", "hash", "payload"},
    "open_photo": {"type"},
}


@dataclass(frozen=True)
class Button:
    """A button as a person sees it."""

    kind: str
    label: str
    payload: str = ""  # JSON, as VK hands it back
    link: str = ""


@dataclass(frozen=True)
class Keyboard:
    """Rows of buttons under a message (inline) or under the input field."""

    rows: tuple[tuple[Button, ...], ...]
    inline: bool
    one_time: bool
    source: dict[str, Any]


def parse_keyboard(text: str) -> Keyboard:
    """Check the `keyboard` parameter; errors are 911 with a reason."""
    try:
        source = json.loads(text)
    except ValueError:
        raise _invalid("not a JSON") from None
    if not isinstance(source, dict) or not isinstance(source.get("buttons"), list):
        raise _invalid("there is no «buttons»")
    if extra := set(source) - {"one_time", "inline", "buttons", "author_id"}:
        raise _invalid(f"unknown fields {sorted(extra)}")
    inline, one_time = source.get("inline", False), source.get("one_time", False)
    if not isinstance(inline, bool) or not isinstance(one_time, bool):
        raise _invalid("inline and one_time should be boolean")
    if inline and one_time:
        raise _invalid("inline keyboard can't be one_time")
    rows = tuple(_row(row, number=number) for number, row in enumerate(source["buttons"]))
    _check_size(rows, inline=inline)
    return Keyboard(rows=rows, inline=inline, one_time=one_time, source=source)


def _check_size(rows: tuple[tuple[Button, ...], ...], *, inline: bool) -> None:
    max_rows, max_buttons = (INLINE_ROWS, INLINE_BUTTONS) if inline else (INPUT_ROWS, INPUT_BUTTONS)
    if len(rows) > max_rows:
        raise _invalid("too much rows")
    if sum(len(row) for row in rows) > max_buttons:
        raise _invalid("too much buttons")


def _row(row: Any, *, number: int) -> tuple[Button, ...]:
    if not isinstance(row, list) or not row:
        raise _invalid(f"row {number} is empty or not an array")
    if len(row) > ROW_BUTTONS:
        raise _invalid(f"row {number} contains too much columns")
    return tuple(_button(button) for button in row)


def _button(source: Any) -> Button:
    if not isinstance(source, dict) or not isinstance(source.get("action"), dict):
        raise _invalid("button has no action")
    if extra := set(source) - {"action", "color"}:
        raise _invalid(f"unknown button fields {sorted(extra)}")
    action = source["action"]
    kind = action.get("type")
    if kind not in _FIELDS:
        raise _invalid(f"unknown action type {kind!r}")
    if extra := set(action) - _FIELDS[kind]:
        raise _invalid(f"unknown fields {sorted(extra)} of a {kind} button")
    _check_color(source, kind=kind)
    label = _label(action) if kind in _LABELLED else str(kind)
    return Button(kind=kind, label=label, payload=_payload(action), link=_link(action, kind=kind))


def _check_color(source: dict[str, Any], *, kind: str) -> None:
    if "color" not in source:
        return
    if source["color"] not in _COLORS:
        raise _invalid(f"unknown color {source['color']!r}")
    if kind not in {"text", "callback"}:
        raise _invalid(f"a {kind} button can't have a color")


def _label(action: dict[str, Any]) -> str:
    label = action.get("label")
    if not isinstance(label, str) or not label.strip():
        raise _invalid("button label is empty")
    if len(label) > LABEL_LENGTH:
        raise _invalid("button label is too long")
    return label


def _payload(action: dict[str, Any]) -> str:
    if "payload" not in action:
        return ""
    payload = action["payload"]
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    try:
        decoded = json.loads(text) if text else {}
    except ValueError:
        raise _invalid("button payload is not a JSON") from None
    if decoded is None:
        raise _invalid("button payload is null")
    if len(text) > PAYLOAD_LENGTH:
        raise _invalid("button payload is too long")
    return text


def _link(action: dict[str, Any], *, kind: str) -> str:
    if kind != "open_link":
        return ""
    link = action.get("link")
    if not isinstance(link, str) or not link.startswith(("https://", "http://")):
        raise _invalid("button link is invalid")
    return link


def _invalid(reason: str) -> VkError:
    return VkError(911, reason)
