"""What Telegram's refusals mean for sending."""

from __future__ import annotations

from collections.abc import Iterable

from bot.channels.base import (
    Closed,
    Moved,
    NotSent,
    Rejected,
    SendError,
    SlowDown,
    TopicGone,
    Unfinished,
    Unreachable,
)
from bot.channels.telegram.library import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from bot.channels.telegram.session import NotConnected

RECONNECT_PAUSE = 5.0  # seconds
WRONG_TOKEN = "Telegram не принимает токен: проверьте HELPDESK_TELEGRAM_TOKEN"  # noqa: S105 - a sentence

_FORBIDDEN = (
    ("blocked by the user", "blocked"),
    ("user is deactivated", "gone"),
    ("kicked", "kicked"),
    ("not a member", "kicked"),
    ("was deleted", "gone"),
    ("can't initiate conversation", "not_allowed"),
)
_BAD_REQUEST = (
    ("chat not found", "gone"),
    ("user not found", "gone"),
    ("peer_id_invalid", "gone"),
    ("user_is_blocked", "blocked"),
    ("not enough rights", "not_allowed"),
    ("have no rights to send", "not_allowed"),
    ("chat_write_forbidden", "not_allowed"),
    ("need administrator rights", "not_allowed"),
)
_TOPIC = ("message thread not found", "topic_closed", "topic_deleted")


def send_error(error: AiogramError) -> SendError:
    """Say what an error of the library means for who sends."""
    meaning: SendError
    match error:
        case TelegramRetryAfter():
            meaning = SlowDown(float(error.retry_after))
        case NotConnected():
            # Certainly not sent, so not `Unfinished`: a campaign must not count these as doubtful.
            meaning = SlowDown(RECONNECT_PAUSE)
        case TelegramForbiddenError():
            meaning = Unreachable(_reason(error, _FORBIDDEN) or "not_allowed", detail(error))
        case TelegramMigrateToChat():
            meaning = Moved(str(error.migrate_to_chat_id))
        case TelegramUnauthorizedError() | TelegramNotFound():
            meaning = Closed(WRONG_TOKEN)
        case TelegramBadRequest() if says(error, _TOPIC):
            meaning = TopicGone(detail(error))
        case TelegramBadRequest():
            reason = _reason(error, _BAD_REQUEST)
            meaning = Unreachable(reason, detail(error)) if reason else Rejected(detail(error))
        case TelegramEntityTooLarge():
            meaning = Rejected(detail(error))
        case TelegramServerError():
            # An answer is an answer, also 5xx and a page of HTML: the request was not carried out.
            meaning = NotSent(detail(error))
        case _:  # time-out, dropped connection, an answer that cannot be read
            meaning = Unfinished(detail(error))
    return meaning


def detail(error: AiogramError) -> str:
    """Say what Telegram said, or only the kind of error: the rest may hold somebody's text."""
    if isinstance(error, TelegramAPIError):
        return (error.message or type(error).__name__)[:200]
    return type(error).__name__


def says(error: TelegramAPIError, words: Iterable[str]) -> bool:
    """Tell whether Telegram's description has one of these words in it."""
    return any(word in (error.message or "").lower() for word in words)


def _reason(error: TelegramAPIError, reasons: Iterable[tuple[str, str]]) -> str | None:
    return next((reason for words, reason in reasons if says(error, (words,))), None)
