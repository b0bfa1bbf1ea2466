"""Group chats: what is meant for us there, and what happens to them.

In a group we may hear everything (as an administrator) or what privacy mode leaves us; either way people's
talk with each other goes no further than this file. Of an album sent to our name alone, not as an answer,
only the photo with the words is ours: the others do not say to whom they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.channels.telegram.library import ChatMemberUpdated, Message
from handlers.messages import GroupEvent

KINDS = ("group", "supergroup")
CHANNEL = "channel"

_COMMAND = re.compile(r"(/[A-Za-z0-9_]{1,64})(?:@(\w+))?(?!\S)")


@dataclass(frozen=True)
class Myself:
    """Who we are on Telegram."""

    id: int
    username: str


class NotOurs(Exception):
    """What people say to each other, or do among themselves."""


def is_group(chat_id: str) -> bool:
    """Whether the chat is a group rather than a person: groups have numbers below zero."""
    return chat_id.startswith("-")


def meant_for_us(message: Message, text: str, *, me: Myself) -> str:
    """Give the text without our name; raises `NotOurs` for what is not a command, answer or call to us."""
    command = _COMMAND.match(text)
    if command is not None:
        if command[2] is not None and command[2].casefold() != me.username.casefold():
            raise NotOurs
        return command[1] + text[command.end() :]
    called = re.search(rf"(?<!\w)@{re.escape(me.username)}(?!\w)", text, re.IGNORECASE)
    if called is None and not _answers(message, me=me):
        raise NotOurs
    # At the beginning our name is a form of address; further on it is part of what is said.
    return text[called.end() :].lstrip(" ,:") if called and not text[: called.start()].strip() else text


def thread_of(message: Message | None) -> str | None:
    """The topic; outside of topics the number only ties answers together, and nothing can be sent there."""
    if message is None or not message.is_topic_message or message.message_thread_id is None:
        return None
    return str(message.message_thread_id)


def event_of(message: Message) -> GroupEvent | None:
    """What the message tells of the group; None for a message of somebody.

    That we came or left is read from `my_chat_member`, which comes in every case, and once; that the group
    moved is told in the old group and in the new one, and read in the old one.
    """
    if message.chat.type not in KINDS:
        return None
    title, has_topics = message.chat.title or "", bool(message.chat.is_forum)
    if message.migrate_to_chat_id is not None:
        return GroupEvent("moved", title=title, new_chat_id=str(message.migrate_to_chat_id))
    if message.new_chat_title is not None:
        return GroupEvent("renamed", title=message.new_chat_title, has_topics=has_topics)
    if message.forum_topic_closed is not None:
        return GroupEvent("topic_closed", title=title, has_topics=has_topics)
    return None


def coming_or_going(change: ChatMemberUpdated) -> GroupEvent:
    """Whether we were added or taken out; raises `NotOurs` when only our rights have changed."""
    # Whoever is there is a plain member here, whatever the rights (see `essentials`).
    was_here, is_here = (each.status == "member" for each in (change.old_chat_member, change.new_chat_member))
    if was_here == is_here:
        raise NotOurs
    title, has_topics = change.chat.title or "", bool(change.chat.is_forum)
    return GroupEvent(
        "joined" if is_here else "left",
        title=title,
        has_topics=has_topics,
        is_channel=change.chat.type == CHANNEL,
    )


def _answers(message: Message, *, me: Myself) -> bool:
    answered = message.reply_to_message
    return answered is not None and answered.from_user is not None and answered.from_user.id == me.id
