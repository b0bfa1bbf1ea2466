"""Files that people sent."""

from __future__ import annotations

import structlog
from aiohttp import ClientError

from bot.channels.base import FetchError
from bot.channels.vk.library import Http, Refused
from bot.channels.vk.raw import NAME

_log = structlog.get_logger(__name__)


async def fetch(http: Http, ref: str, *, limit: int) -> bytes:
    """Download a file from the address that VK gave for it; raises `FetchError`."""
    if not ref.startswith(("https://", "http://")):
        raise FetchError("VK не дал ссылку на этот файл.")
    try:
        data = await http.download(ref, limit=limit)
    except (ClientError, TimeoutError, OSError, ValueError) as error:
        _log.warning("file_not_fetched", channel=NAME, error=type(error).__name__)
        raise FetchError("Не удалось скачать файл из VK: сервер не ответил.") from None
    except Refused as refusal:
        raise FetchError(f"VK больше не отдаёт этот файл (ответ {refusal.status}).") from None
    if data is None:
        raise FetchError(f"Файл больше {limit / 1_000_000:.3g} МБ, скачать его нельзя.")
    return data
