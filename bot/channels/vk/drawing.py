"""Keyboards and replies as VK wants them."""

from __future__ import annotations

import json

from bot.channels.vk.raw import Json
from handlers.messages import Button, Rows

LABEL_LENGTH = 40


def draw_keyboard(rows: Rows) -> str:
    """Give the keyboard that hangs under a message."""
    buttons = [[_draw_button(button) for button in row] for row in rows]
    return json.dumps({"inline": True, "buttons": buttons}, ensure_ascii=False)


def _draw_button(button: Button) -> Json:
    label = button.label if len(button.label) <= LABEL_LENGTH else button.label[: LABEL_LENGTH - 1] + "…"
    if button.url:
        return {"action": {"type": "open_link", "label": label, "link": button.url}}
    payload = json.dumps({"b": button.payload}, ensure_ascii=False)
    return {"action": {"type": "text", "label": label, "payload": payload}, "color": "secondary"}


def draw_reply(peer: int, message_id: str | None) -> str | None:
    """Quote a message; None if its number is not one inside a conversation."""
    if message_id is None or not message_id.isdecimal():
        return None
    return json.dumps({"peer_id": peer, "conversation_message_ids": [int(message_id)], "is_reply": 1})
