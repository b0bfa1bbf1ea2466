"""Making a request of a piece."""

from __future__ import annotations

import html
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from bot.channels.base import LocalFile, Piece, Rejected
from bot.channels.telegram.events import clean
from bot.channels.telegram.library import (
    DeleteMessage,
    EditMessageCaption,
    EditMessageReplyMarkup,
    EditMessageText,
    FSInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    MediaUnion,
    ReplyParameters,
    SendDocument,
    SendMediaGroup,
    SendMessage,
    SendPhoto,
    SendVideo,
    SendVoice,
    TelegramMethod,
)
from faq.markup import Span
from handlers.messages import Address, AttachmentKind, Button, Rows

_MEDIA: dict[str, Callable[..., MediaUnion]] = {"photo": InputMediaPhoto, "video": InputMediaVideo}
"""What an album is made of; all else are documents."""


def draw(to: Address, piece: Piece, *, names: Sequence[str] = ()) -> TelegramMethod[Any]:
    """Make the one request that this piece is; raises `Rejected` for what cannot become one.

    With Telegram's `names` (file_id) of all its files nothing is uploaded.
    """
    try:
        if piece.delete is not None:
            return DeleteMessage(chat_id=int(to.chat_id), message_id=int(piece.delete))
        common: dict[str, Any] = {
            "chat_id": int(to.chat_id),
            "message_thread_id": None if piece.thread is None else int(piece.thread),
            "reply_parameters": _reply(piece.reply_to),
        }
        text = "".join(map(_html, piece.spans))
        uploads: Sequence[FSInputFile | str] = names or [
            FSInputFile(file.path, filename=file.name) for file in piece.files
        ]
        if len(piece.files) > 1:
            return SendMediaGroup(media=_media(piece.files, uploads, caption=text), **common)
        common |= {"parse_mode": "HTML", "reply_markup": _keyboard(piece.buttons)}
        if piece.files:
            return _with_file(piece.files[0].kind, uploads[0], caption=text or None, common=common)
        if not text:
            raise Rejected("nothing to send")
        return SendMessage(text=text, link_preview_options=LinkPreviewOptions(is_disabled=True), **common)
    except ValueError as error:  # a chat id that is no number; pydantic's are of this family too
        raise Rejected(f"cannot be put into a request: {type(error).__name__}") from None


def draw_edit(to: Address, external_id: str, piece: Piece) -> TelegramMethod[Any]:
    """Make the request that gives a message of ours the words and buttons of this piece.

    Of an album the first message bears the words.
    """
    try:
        common: dict[str, Any] = {
            "chat_id": int(to.chat_id),
            "message_id": int(external_id.partition(",")[0]),
            "reply_markup": _keyboard(piece.buttons),
        }
        text = "".join(map(_html, piece.spans))
        if piece.files:
            return EditMessageCaption(caption=text or None, parse_mode="HTML", **common)
        if not text:
            return EditMessageReplyMarkup(**common)
        preview = LinkPreviewOptions(is_disabled=True)
        return EditMessageText(text=text, parse_mode="HTML", link_preview_options=preview, **common)
    except ValueError as error:
        raise Rejected(f"cannot be put into a request: {type(error).__name__}") from None


def _with_file(
    kind: AttachmentKind, upload: FSInputFile | str, *, caption: str | None, common: dict[str, Any]
) -> TelegramMethod[Any]:
    if kind == "photo":
        return SendPhoto(photo=upload, caption=caption, **common)
    if kind == "voice":
        return SendVoice(voice=upload, caption=caption, **common)
    if kind == "video":
        return SendVideo(video=upload, caption=caption, **common)
    return SendDocument(document=upload, caption=caption, **common)


def _media(
    files: Sequence[LocalFile], uploads: Sequence[FSInputFile | str], *, caption: str
) -> list[MediaUnion]:
    captions = itertools.chain([caption or None], itertools.repeat(None))
    return [
        _MEDIA.get(file.kind, InputMediaDocument)(media=upload, caption=words, parse_mode="HTML")
        for file, upload, words in zip(files, uploads, captions, strict=False)
    ]


def _html(span: Span) -> str:
    drawn = html.escape(clean(span.text), quote=False)
    if span.url is not None:
        drawn = f'<a href="{html.escape(span.url)}">{drawn}</a>'
    return f"<b>{drawn}</b>" if span.bold else drawn


def _reply(target: str | None) -> ReplyParameters | None:
    """Answer a message even if it is gone; of an album, its first message."""
    first = (target or "").partition(",")[0]
    if not first.isdecimal():
        return None
    return ReplyParameters(message_id=int(first), allow_sending_without_reply=True)


def _keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(inline_keyboard=[[_inline(button) for button in row] for row in rows])


def _inline(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(text=button.label, url=button.url)
    return InlineKeyboardButton(text=button.label, callback_data=button.payload)
