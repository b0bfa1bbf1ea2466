"""The last index that was built, on disk: a warm start need not spend seconds to build it again."""

from __future__ import annotations

import hashlib
import json
import pickle
import platform
from pathlib import Path

import numpy as np
import structlog

import faq
from faq.matcher import Matcher
from faq.topic import Base

_log = structlog.get_logger(__name__)

_KEY_BYTES = 32


class IndexStore:
    """One file in the data folder; anything unexpected about it means building anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.pickle"

    def matcher(self, base: Base) -> Matcher:
        """The index of this base: the stored one if nothing changed since, otherwise built now."""
        key = _key(base)
        stored = self._load(key)
        if stored is not None:
            return stored
        built = Matcher(base)
        self._save(key, built)
        return built

    def _load(self, key: bytes) -> Matcher | None:
        try:
            content = self._path.read_bytes()
            if content[:_KEY_BYTES] != key:
                return None
            stored = pickle.loads(content[_KEY_BYTES:])  # noqa: S301 - our own file; whoever can write it has the database too
        except FileNotFoundError:
            return None
        except Exception as error:
            _log.warning("stored_index_unreadable", error=type(error).__name__)
            return None
        return stored if isinstance(stored, Matcher) else None

    def _save(self, key: bytes, built: Matcher) -> None:
        if not self._path.parent.is_dir():
            return
        draft = self._path.with_suffix(".part")
        try:
            draft.write_bytes(key + pickle.dumps(built, protocol=pickle.HIGHEST_PROTOCOL))
            draft.chmod(0o600)
            draft.replace(self._path)
        except OSError as error:
            _log.warning("index_not_stored", error=error.strerror)


def _key(base: Base) -> bytes:
    """Changes with the base, with the engine's code and data, and with what reads them."""
    digest = hashlib.sha256(f"{platform.python_version()} {np.__version__}".encode())
    plain = {slug: topic.to_plain() for slug, topic in sorted(base.topics.items())}
    digest.update(json.dumps(plain, ensure_ascii=False, sort_keys=True).encode())
    digest.update(repr(base.sections).encode())
    engine = Path(faq.__path__[0])
    for path in sorted([*engine.glob("*.py"), *engine.glob("base/*.yaml")]):
        digest.update(path.read_bytes())
    return digest.digest()
