"""Files that people sent: kept on our disk when they came to us directly, fetched once when they did not."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog

from bot.channels.base import Channel, FetchError, LocalFile
from handlers.messages import Attachment

_log = structlog.get_logger(__name__)

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes; what a Telegram bot can download (getFile), so the same for every channel."""
_REF = re.compile(r"[0-9a-f]{32}")


class Files:
    """A folder of files under unguessable names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, data: bytes) -> str:
        """Store the bytes; returns the name to find them by."""
        ref = secrets.token_hex(16)
        await asyncio.to_thread(self._write, ref, data)
        return ref

    def path(self, ref: str) -> Path | None:
        """Where the file of this name lies; None if there is none (or the name is none of ours)."""
        if not _REF.fullmatch(ref):
            return None
        path = self._folder / ref[:2] / ref
        return path if path.is_file() else None

    async def drop(self, channel: str, ref: str) -> None:
        """Delete what we keep of this attachment, whether it came to us directly or was fetched."""
        path = self.path(_name(channel, ref))
        if path is None:
            return
        try:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        except OSError as error:
            # The others must not wait behind it; it is a stray now, and tried again as such.
            _log.warning("file_not_deleted", error=error.strerror)

    async def drop_strays(self, kept: Collection[tuple[str, str]], *, before: datetime) -> int:
        """Delete files from before this moment that belong to none of the attachments (channel, ref)."""
        return await asyncio.to_thread(self._drop_strays, {_name(*each) for each in kept}, before.timestamp())

    async def local(self, attachment: Attachment, channels: Mapping[str, Channel]) -> LocalFile:
        """The attachment as a file on our disk, downloaded if need be; raises `FetchError`."""
        ref = _name(attachment.channel, attachment.ref)
        path = self.path(ref)
        if path is None:
            channel = channels.get(attachment.channel)
            if channel is None:
                raise FetchError("файл остался в канале, который сейчас выключен")
            data = await channel.fetch(attachment.ref, limit=LARGEST_FILE)
            try:
                path = await asyncio.to_thread(self._write, ref, data)
            except OSError as error:
                _log.error("file_not_kept", error=error.strerror)
                raise FetchError("файл не удалось сохранить у нас на диске") from error
        return LocalFile(attachment.kind, attachment.name, attachment.mime, path)

    def _drop_strays(self, names: set[str], before: float) -> int:
        strays = [
            path
            for path in self._folder.glob("??/*")
            if path.name not in names and path.stat().st_mtime < before
        ]
        for path in strays:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        return len(strays)

    def _write(self, ref: str, data: bytes) -> Path:
        path = self._folder / ref[:2] / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written aside first: a crash leaves no half file under the final name. The draft has a name of its
        # own each time: several colleagues are told of one photo at once, and each letter fetches it.
        draft = path.with_suffix(f".{secrets.token_hex(8)}.part")
        draft.write_bytes(data)
        draft.chmod(0o600)
        draft.replace(path)
        return path


def _name(channel: str, ref: str) -> str:
    """The name in our store; a file that lies in its messenger has one for its copy."""
    return ref if _REF.fullmatch(ref) else hashlib.sha256(f"{channel}:{ref}".encode()).hexdigest()[:32]
