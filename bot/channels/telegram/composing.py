"""Splitting a message into what single requests can carry."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.channels.base import LocalFile, Piece, Rejected
from faq.markup import Span, split
from handlers.messages import Button, Outgoing, Rows

# Limits of the Bot API (https://core.telegram.org/bots/api), code points as people see them.
TEXT_LIMIT = 4000  # 4096, with a little air
CAPTION_LIMIT = 1024
CALLBACK_DATA_BYTES = 64
BUTTONS_PER_MESSAGE = 100
BUTTONS_PER_ROW = 8
LABEL_LIMIT = 64  # not in the documentation: telephones cut longer ones anyway
ALBUM_LIMIT = 10
PHOTO_BYTES = 10 * 1024 * 1024
_COMPANY = {"photo": "seen", "video": "seen", "file": "documents"}
"""What may stand in one album."""
CHOOSE = "Выберите вариант:"
MORE_CHOICES = "Ещё варианты:"


def compose(message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
    """Split a message into requests; raises `Rejected` for a button that Telegram cannot carry."""
    if message.delete is not None:
        return (Piece(delete=message.delete),)
    texts = split(message.text, limit=TEXT_LIMIT, measure=_length)
    boards = _boards(message.buttons)
    albums = _albums(files)
    # An album bears no buttons. Whoever answers one with its words answers both.
    can_bear = len(albums) == 1 and not (boards and len(files) > 1)
    if can_bear and len(texts) <= 1 and sum(map(_length, texts)) <= CAPTION_LIMIT:
        pieces = [Piece(spans=texts[0] if texts else (), files=albums.pop())]
    else:
        if boards and not texts:
            texts = [(Span(CHOOSE),)]
        pieces = [Piece(spans=spans) for spans in texts]
    if boards:
        pieces[-1] = replace(pieces[-1], buttons=boards[0])
        pieces.extend(Piece(spans=(Span(MORE_CHOICES),), buttons=board) for board in boards[1:])
    pieces.extend(Piece(files=album) for album in albums)
    if pieces:
        pieces[0] = replace(pieces[0], reply_to=message.reply_to)
    return tuple(pieces)


def _length(spans: Sequence[Span]) -> int:
    return sum(len(span.text) for span in spans)


def _boards(rows: Rows) -> list[Rows]:
    """Share buttons out to as many keyboards as it takes."""
    short_rows = [
        row[at : at + BUTTONS_PER_ROW] for row in rows for at in range(0, len(row), BUTTONS_PER_ROW)
    ]
    boards: list[Rows] = []
    room = 0
    for row in short_rows:
        if len(row) > room:
            boards.append(())
            room = BUTTONS_PER_MESSAGE
        boards[-1] += (tuple(map(_button, row)),)
        room -= len(row)
    return boards


def _button(button: Button) -> Button:
    if not button.label.strip():
        raise Rejected("a button without a label")
    if not button.url and not 0 < len(button.payload.encode()) <= CALLBACK_DATA_BYTES:
        raise Rejected(f"a button's payload takes 1 to {CALLBACK_DATA_BYTES} bytes")
    label = button.label
    return button if len(label) <= LABEL_LIMIT else replace(button, label=label[: LABEL_LIMIT - 1] + "…")


def _albums(files: Iterable[LocalFile]) -> list[tuple[LocalFile, ...]]:
    """Keep neighbours together: photos with videos, documents with documents; everything else goes alone."""
    albums: list[tuple[LocalFile, ...]] = []
    for company, run in itertools.groupby(map(_as_accepted, files), key=lambda file: _COMPANY.get(file.kind)):
        together = tuple(run)
        size = 1 if company is None else ALBUM_LIMIT
        albums.extend(together[at : at + size] for at in range(0, len(together), size))
    return albums


def _as_accepted(file: LocalFile) -> LocalFile:
    """Send as a document what is too heavy for a photo."""
    heavy = file.kind == "photo" and (size_of(file) or 0) > PHOTO_BYTES
    return replace(file, kind="file") if heavy else file


def size_of(file: LocalFile) -> int | None:
    """Give the bytes of a file; None if it is not there."""
    try:
        return file.path.stat().st_size
    except OSError:
        return None
