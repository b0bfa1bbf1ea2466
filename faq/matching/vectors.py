"""Vectors of texts that were embedded before, so that an index is not computed anew at each start."""

from __future__ import annotations

import hashlib
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faq.matching import embedding
from faq.matching.embedding import DIMENSIONS, MODEL, Floats
from faq.packaged import CONTENT

PACKAGED_VECTORS = CONTENT / "vectors.npz"
"""The vectors of the packaged base's texts that are installed with the program."""

_KEY_BYTES = 16
_NEAR = 1e-2  # by which a vector's length may miss 1 after rounding to half precision
_SPOILED = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    ArithmeticError,
    MemoryError,
    RuntimeError,  # an encrypted or unknown way of packing
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

_Rows = dict[bytes, NDArray[np.float16]]


class _Unreadable(Exception):
    """A file of vectors cannot be used; says why, in Russian."""


class VectorStore:
    """Remembers vectors of the base's texts in two files: the packaged one, only read, and one's own.

    Not for what people write: it would be kept. For one thread. A missing file is an empty one. Vectors are
    rounded to half precision before they are first seen: an index is the same of computed and of read ones.
    """

    def __init__(self, packaged: Path | None, own: Path | None) -> None:
        self._path = own
        self._packaged, packaged_trouble = _try_read(packaged)
        self._own, own_trouble = _try_read(own)
        self._written = None if own_trouble else frozenset(self._own)
        self._asked: set[bytes] = set()
        self._ignored = tuple(each for each in (packaged_trouble, own_trouble) if each)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Which files were of no use, and why, for a person."""
        return self._ignored

    def missing(self, texts: Iterable[str]) -> int:
        """How many of the texts would have to be embedded now."""
        return len({_key(text) for text in texts} - self._packaged.keys() - self._own.keys())

    def vectors(self, texts: Sequence[str]) -> Floats:
        """One row of unit length a text; embeds only those not known; raises `embedding.Unavailable`."""
        table = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(table, texts, strict=True):
            row[:] = self._row(text)
        lengths: Floats = np.linalg.norm(table, axis=1, keepdims=True)
        return table / lengths

    def save(self) -> None:
        """Keep what was asked for since the start and is not packaged, if it changed; raises OSError.

        A folder that is not there is not made.
        """
        rows = {key: row for key, row in self._own.items() if key in self._asked}
        if self._path is None or self._written == rows.keys() or not self._path.parent.is_dir():
            return
        _write(self._path, rows)
        self._written = frozenset(rows)

    def _row(self, text: str) -> NDArray[np.float16]:
        key = _key(text)
        if key in self._packaged:
            return self._packaged[key]
        if key not in self._own:
            self._own[key] = _rounded(text)
        self._asked.add(key)
        return self._own[key]


def write_packaged(path: Path, texts: Iterable[str], *, known: VectorStore | None = None) -> int:
    """Write the vectors of these texts alone for all installations; returns how many differ.

    Those that `known` has are taken over, the others embedded: raises OSError and `embedding.Unavailable`.
    """
    known = known or VectorStore(None, None)
    rows = {_key(text): known._row(text) for text in texts}
    _write(path, rows)
    return len(rows)


def _rounded(text: str) -> NDArray[np.float16]:
    return embedding.vector(text).astype(np.float16)


def _key(text: str) -> bytes:
    return hashlib.sha256(embedding.plain(text).encode()).digest()[:_KEY_BYTES]


def _write(path: Path, rows: Mapping[bytes, NDArray[np.float16]]) -> None:
    keys = sorted(rows)
    arrays = {
        "model": np.array(MODEL),
        "keys": np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, _KEY_BYTES),
        "vectors": np.array([rows[key] for key in keys], dtype=np.float16).reshape(-1, DIMENSIONS),
    }
    # A folder of one's own: two processes that save at once would write into one draft.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        draft = Path(folder) / path.name
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        draft.replace(path)


def _try_read(path: Path | None) -> tuple[_Rows, str | None]:
    if path is None:
        return {}, None
    try:
        return _read(path), None
    except FileNotFoundError:
        return {}, None
    except _Unreadable as error:
        return {}, f"{path.name}: {error}"
    except _SPOILED:
        return {}, f"{path.name}: файл испорчен"


def _read(path: Path) -> _Rows:
    # Opened here: numpy leaves a file open that is not what it seems.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        if str(stored["model"]) != MODEL:
            raise _Unreadable("векторы другой модели")
        keys, rows = stored["keys"], stored["vectors"]
    if keys.shape != (len(keys), _KEY_BYTES) or keys.dtype != np.uint8:
        raise _Unreadable("файл испорчен")
    if rows.shape != (len(keys), DIMENSIONS) or rows.dtype != np.float16:
        raise _Unreadable("файл испорчен")
    # NaN is near to nothing.
    if not (np.abs(np.linalg.norm(rows.astype(np.float32), axis=1) - 1) < _NEAR).all():
        raise _Unreadable("файл испорчен")
    return {key.tobytes(): row for key, row in zip(keys, rows, strict=True)}
