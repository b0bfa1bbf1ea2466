"""A number beside the database: when it is ahead of the database's own, a backup was put back."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)

NAME = "mailing.mark"


class MailingMark:
    """The number of the mailing's last sign of life, in a file of the data folder.

    A file that cannot be read or written is no reason to stop: a backup that is put back while we are down is
    then not recognised. The number never becomes smaller while we live.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._known = 0

    async def read(self) -> int:
        """The number; 0 when there is none."""
        self._known = max(self._known, await asyncio.to_thread(self._read))
        return self._known

    async def write(self, number: int) -> None:
        """Keep it unless a greater one is known; a crash leaves the old one or the new, never half of one."""
        if number > await self.read():
            self._known = number
            await asyncio.to_thread(self._write, number)

    def _read(self) -> int:
        try:
            return int(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            _log.warning("mailing_mark_unreadable", error=type(error).__name__)
            return 0

    def _write(self, number: int) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            # Beside a PostgreSQL nothing else may have made the folder yet.
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with fresh.open("w", encoding="ascii") as file:
                file.write(str(number))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            _log.warning("mailing_mark_not_written", error=type(error).__name__)
