"""Group chats: what is meant for us there, and what happens to them.

We may see everything that people say («доступ ко всей переписке») or only what is addressed to us; either
way their talk with each other goes no further than this file.
"""

from __future__ import annotations

import re

from bot.channels.vk.raw import Json, Skipped, clean
from handlers.messages import GroupEvent

FIRST_GROUP_CHAT = 2_000_000_000
"""Group chats have numbers from here on, each community its own."""
TALK = "talk"

_ADDRESS = re.compile(
    r"\s*(?:\[(?:club|public|event)(\d+)\|[^\]]*\]|[@*](?:club|public|event)(\d+)\b)[\s,:]*"
)
"""A community at the beginning of a message: as VK writes a mention, or as it was typed."""


def is_group(chat_id: str) -> bool:
    """Whether the chat is a group rather than a person."""
    return chat_id.isdecimal() and int(chat_id) >= FIRST_GROUP_CHAT


def meant_for_us(message: Json, text: str, *, group_id: int, pressed: bool) -> str:
    """Give the text without our name before it; raises `Skipped` for what people say to each other."""
    address = _ADDRESS.match(text)
    addressee = int(address[1] or address[2]) if address else None
    if address and addressee == group_id:
        return text[address.end() :]
    # Buttons are addressed to the community that has drawn them: another bot's press is none of ours.
    if text.startswith("/") or _answers(message, group_id=group_id) or (pressed and addressee is None):
        return text
    raise Skipped(TALK)


def read_action(action: Json, *, group_id: int) -> GroupEvent:
    """Read what happened to the chat; raises `Skipped` for what does not concern us."""
    kind, title = action.get("type"), clean(action.get("text") or "")
    is_about_us = action.get("member_id") == -group_id
    if kind == "chat_title_update":
        return GroupEvent("renamed", title=title)
    if kind == "chat_create":
        return GroupEvent("joined", title=title, has_topics=False)
    if kind == "chat_invite_user" and is_about_us:
        return GroupEvent("joined", has_topics=False)
    if kind == "chat_kick_user" and is_about_us:
        return GroupEvent("left")
    raise Skipped("service")


def _answers(message: Json, *, group_id: int) -> bool:
    answered = message.get("reply_message")
    return isinstance(answered, dict) and answered.get("from_id") == -group_id
