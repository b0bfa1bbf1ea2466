"""Splitting a message into what single requests can carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.channels.base import LocalFile, Piece
from faq.markup import Span, draw_plain, split
from handlers.messages import Button, Outgoing, Rows

# https://dev.vk.com/ru/api/bots/development/keyboard and messages.send
TEXT_LIMIT = 4000
"""Characters of one message; VK takes 4096."""
KEYBOARD_BUTTONS = 10
KEYBOARD_ROWS = 6
ROW_BUTTONS = 5
ATTACHMENTS = 10
MORE_BUTTONS = "Ещё варианты:"
CHOOSE = "Выберите вариант:"


def compose(message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
    """Split a message into requests; the same message always gives the same pieces."""
    if message.delete is not None:
        return (Piece(delete=message.delete),)
    texts = split(message.text, limit=TEXT_LIMIT, measure=length)
    keyboards = _keyboards(message.buttons)
    if keyboards and not texts:
        texts = [(Span(CHOOSE),)]
    first_buttons, *more_buttons = keyboards or [()]
    pieces = [Piece(spans=spans) for spans in texts]
    if pieces:
        pieces[-1] = replace(pieces[-1], buttons=first_buttons)
    groups = _file_groups(files)
    if len(pieces) == len(groups) == 1 and files[0].kind != "voice":
        # An album stays one message with its words: whoever answers it answers both.
        pieces[0] = replace(pieces[0], files=groups.pop())
    pieces += [Piece(spans=(Span(MORE_BUTTONS),), buttons=rows) for rows in more_buttons]
    pieces += [Piece(files=group) for group in groups]
    if pieces:
        pieces[0] = replace(pieces[0], reply_to=message.reply_to)
    return tuple(pieces)


def length(spans: Sequence[Span]) -> int:
    """Measure in UTF-16 units, the larger of the two ways in which VK may count."""
    return sum(len(draw_plain(span).encode("utf-16-le", "replace")) // 2 for span in spans)


def _keyboards(rows: Rows) -> list[Rows]:
    """Cut the offered buttons into keyboards that VK accepts."""
    narrow = [row[at : at + ROW_BUTTONS] for row in rows for at in range(0, len(row), ROW_BUTTONS)]
    keyboards: list[list[tuple[Button, ...]]] = []
    for row in narrow:
        if keyboards and sum(map(len, keyboards[-1])) + len(row) <= KEYBOARD_BUTTONS:
            keyboards[-1].append(row)
        else:
            keyboards.append([row])
    return [_lower(keyboard) for keyboard in keyboards]


def _lower(rows: list[tuple[Button, ...]]) -> Rows:
    """Join the shortest neighbours, the last ones first, until the keyboard is low enough."""
    rows = list(rows)
    while len(rows) > KEYBOARD_ROWS:
        at = min(range(len(rows) - 1), key=lambda at: (len(rows[at]) + len(rows[at + 1]), -at))
        rows[at : at + 2] = [rows[at] + rows[at + 1]]
    return tuple(rows)


def _file_groups(files: Sequence[LocalFile]) -> list[tuple[LocalFile, ...]]:
    """Keep files together and in order; a voice message stands alone in VK."""
    groups: list[tuple[LocalFile, ...]] = []
    for file in files:
        last = groups[-1] if groups else ()
        alone = file.kind == "voice" or any(other.kind == "voice" for other in last)
        if last and not alone and len(last) < ATTACHMENTS:
            groups[-1] = (*last, file)
        else:
            groups.append((file,))
    return groups
