"""Files that people sent."""

from __future__ import annotations

from contextlib import aclosing

from aiohttp import ClientError

from bot.channels.base import FetchError
from bot.channels.telegram.errors import says
from bot.channels.telegram.library import AiogramError, GetFile, TelegramBadRequest
from bot.channels.telegram.session import Client

DOWNLOAD_BYTES = 20 * 1024 * 1024
"""What Telegram gives bots at most (https://core.telegram.org/bots/api#getfile)."""


async def fetch(client: Client, ref: str, *, limit: int) -> bytes:
    """Download a file; raises `FetchError`."""
    limit = min(limit, DOWNLOAD_BYTES)
    try:
        file = await client.call(GetFile(file_id=ref))
    except TelegramBadRequest as error:
        raise _too_big(limit) if says(error, ("too big",)) else _gone() from None
    except AiogramError:
        raise _not_now() from None
    if file.file_path is None:
        raise _gone()
    if (file.file_size or 0) > limit:
        raise _too_big(limit)
    return await _download(client, file.file_path, limit=limit)


async def _download(client: Client, path: str, *, limit: int) -> bytes:
    data = bytearray()
    try:
        async with aclosing(client.download(path)) as chunks:
            async for chunk in chunks:
                data += chunk
                if len(data) > limit:
                    raise _too_big(limit)
    except (ClientError, OSError):
        # Not chained: these errors show the address, and the token is in it.
        raise _not_now() from None
    return bytes(data)


def _too_big(limit: int) -> FetchError:
    return FetchError(f"Файл больше {limit // (1024 * 1024)} МБ: из Telegram его не получить")


def _gone() -> FetchError:
    return FetchError("Этого файла в Telegram больше нет")


def _not_now() -> FetchError:
    return FetchError("Telegram сейчас не отдаёт файл, попробуйте позже")
