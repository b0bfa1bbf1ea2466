"""Files that are too large to be carried from one messenger to the other."""

from __future__ import annotations

from dataclasses import replace

from handlers.messages import Attachment, Incoming
from handlers.texts import staff as texts
from handlers.turn import Turn

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes; what a Telegram bot can download (getFile), so the same for every messenger."""
_MEGABYTES = LARGEST_FILE // 1024**2


def is_too_large(file: Attachment) -> bool:
    """Whether the messenger said that the file is larger than we can carry."""
    return file.size is not None and file.size > LARGEST_FILE


async def without_too_large(turn: Turn, incoming: Incoming) -> Incoming:
    """The message without such files; whoever sent it is told at once."""
    heavy = [file for file in incoming.attachments if is_too_large(file)]
    if not heavy:
        return incoming
    await turn.say(texts.too_large([file.name for file in heavy], _MEGABYTES), remember=False)
    return replace(incoming, attachments=tuple(each for each in incoming.attachments if each not in heavy))


def told_of_too_large(number: int, before: Incoming, after: Incoming) -> str:
    """What the staff are told of a parent's files that were left out; empty when none was."""
    count = len(before.attachments) - len(after.attachments)
    return texts.parent_sent_too_large(number, count, _MEGABYTES) if count else ""
