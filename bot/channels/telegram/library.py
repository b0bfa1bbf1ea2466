"""The only door to aiogram: what we use of it, without building all that we do not.

aiogram describes the whole Bot API in some 360 types and 180 methods. At the end of `aiogram.types` it has
every type built (`model_rebuild`), each with its own copy of most others, and so the methods after them:
122 MB and 4.8 s of processor time (aiogram 3.31, pydantic 2.13). While it is imported here, the types only
tell which names they refer to; afterwards those are built that we use: 24 MB and 1.6 s. If something else
imported aiogram before us, everything is complete and nothing is left to do.

When aiogram or pydantic is upgraded, tests/bot/channels/test_telegram_library.py tells what changed: it holds
a conversation and counts what was built. «… is not fully defined» means that a class which we make or read is
missing from `_USED`; as much memory as before means that aiogram now builds its types in another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel

_names: dict[str, Any] = {}


@contextmanager
def _types_left_unbuilt(names: dict[str, Any]) -> Iterator[None]:
    """Collect the names that aiogram's types refer to instead of building the types."""
    original = BaseModel.__dict__["model_rebuild"]

    def remember(cls: type[BaseModel], /, **options: Any) -> bool | None:
        if not cls.__module__.startswith("aiogram."):
            # Somebody else's, in another thread. One frame more stands between it and its names.
            options["_parent_namespace_depth"] = options.get("_parent_namespace_depth", 2) + 1
            built: bool | None = original.__get__(None, cls)(**options)
            return built
        names.update(options.get("_types_namespace") or {})
        return None

    BaseModel.model_rebuild = classmethod(remember)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        BaseModel.model_rebuild = original  # type: ignore[method-assign]


with _types_left_unbuilt(_names):
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
    from aiogram.exceptions import (
        AiogramError,
        ClientDecodeError,
        TelegramAPIError,
        TelegramBadRequest,
        TelegramConflictError,
        TelegramEntityTooLarge,
        TelegramForbiddenError,
        TelegramMigrateToChat,
        TelegramNetworkError,
        TelegramNotFound,
        TelegramRetryAfter,
        TelegramServerError,
        TelegramUnauthorizedError,
    )
    from aiogram.methods import (
        AnswerCallbackQuery,
        CreateForumTopic,
        DeleteMessage,
        DeleteWebhook,
        EditMessageCaption,
        EditMessageReplyMarkup,
        EditMessageText,
        GetFile,
        GetMe,
        Response,
        SendDocument,
        SendMediaGroup,
        SendMessage,
        SendPhoto,
        SendVideo,
        SendVoice,
        SetMyCommands,
        SetMyDescription,
        SetMyShortDescription,
        SetWebhook,
        TelegramMethod,
    )
    from aiogram.types import (
        BotCommand,
        CallbackQuery,
        ChatMemberUpdated,
        File,
        ForumTopic,
        FSInputFile,
        InlineKeyboardButton,
        InlineKeyboardMarkup,
        InputMediaDocument,
        InputMediaPhoto,
        InputMediaVideo,
        LinkPreviewOptions,
        MediaUnion,
        Message,
        ReplyParameters,
        Update,
        User,
    )
    from aiogram.utils.token import TokenValidationError

__all__ = [
    "PRODUCTION",
    "AiogramError",
    "AiohttpSession",
    "AnswerCallbackQuery",
    "Bot",
    "BotCommand",
    "CallbackQuery",
    "ChatMemberUpdated",
    "ClientDecodeError",
    "CreateForumTopic",
    "DeleteMessage",
    "DeleteWebhook",
    "EditMessageCaption",
    "EditMessageReplyMarkup",
    "EditMessageText",
    "FSInputFile",
    "GetFile",
    "GetMe",
    "InlineKeyboardButton",
    "InlineKeyboardMarkup",
    "InputMediaDocument",
    "InputMediaPhoto",
    "InputMediaVideo",
    "LinkPreviewOptions",
    "MediaUnion",
    "Message",
    "ReplyParameters",
    "Response",
    "SendDocument",
    "SendMediaGroup",
    "SendMessage",
    "SendPhoto",
    "SendVideo",
    "SendVoice",
    "SetMyCommands",
    "SetMyDescription",
    "SetMyShortDescription",
    "SetWebhook",
    "TelegramAPIError",
    "TelegramAPIServer",
    "TelegramBadRequest",
    "TelegramConflictError",
    "TelegramEntityTooLarge",
    "TelegramForbiddenError",
    "TelegramMethod",
    "TelegramMigrateToChat",
    "TelegramNetworkError",
    "TelegramNotFound",
    "TelegramRetryAfter",
    "TelegramServerError",
    "TelegramUnauthorizedError",
    "TokenValidationError",
    "Update",
    "User",
]

_USED: tuple[type[BaseModel], ...] = (
    # what we read
    Update,
    File,
    ForumTopic,
    Message,
    User,
    Response,
    # what we make
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    ReplyParameters,
    AnswerCallbackQuery,
    CreateForumTopic,
    DeleteMessage,
    DeleteWebhook,
    EditMessageCaption,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    GetMe,
    SendDocument,
    SendMediaGroup,
    SendMessage,
    SendPhoto,
    SendVideo,
    SendVoice,
    SetMyCommands,
    SetMyDescription,
    SetMyShortDescription,
    SetWebhook,
)

for _one in _USED:
    _one.model_rebuild(_types_namespace=_names)
