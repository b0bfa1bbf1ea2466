"""What a messenger calls the files that it has from us already, so that none is uploaded for every reader."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bot.channels.base import LocalFile

PLACES = 500
"""So many files, or albums, are remembered; then the oldest is forgotten."""

_Stamp = tuple[int, int] | None


@dataclass
class Place:
    """Where the messenger's names of some files are written; whoever uploads them holds the lock."""

    files: tuple[LocalFile, ...]
    """As they were taken: perhaps as documents."""
    names: tuple[str, ...] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Kept:
    """The names of all files that were sent lately."""

    def __init__(self) -> None:
        self._places: dict[tuple[tuple[LocalFile, _Stamp], ...], Place] = {}

    def place(self, files: tuple[LocalFile, ...]) -> Place:
        """The place of these files, the same until one of them changes on our disk."""
        key = tuple((file, _stamp(file)) for file in files)
        if key not in self._places:
            if len(self._places) >= PLACES:
                del self._places[next(iter(self._places))]
            self._places[key] = Place(files)
        return self._places[key]


def _stamp(file: LocalFile) -> _Stamp:
    try:
        status = file.path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
