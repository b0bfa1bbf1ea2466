"""The last index that was built, on disk: a warm start need not spend seconds to build it again."""

from __future__ import annotations

import gc
import hashlib
import json
import pickle
import platform
from pathlib import Path

import numpy as np
import structlog
from threadpoolctl import threadpool_limits

import faq
from faq.content.topic import Base
from faq.matching import embedding
from faq.matching.matcher import Matcher
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore

_log = structlog.get_logger(__name__)

_KEY_BYTES = 32
_AT_ONCE = 200  # texts between two savings: what was embedded is kept if the process ends


class IndexStore:
    """Two files in the data folder, the index and the vectors; what is wrong with them is built anew."""

    def __init__(self, folder: Path, *, semantic: bool = True) -> None:
        """`semantic`: compare meanings too, where that can be done."""
        self._path = folder / "index.pickle"
        self._own_vectors = folder / "vectors.npz"
        self._semantic = semantic

    def matcher(self, base: Base) -> Matcher:
        """The index of this base: the stored one if nothing changed since, otherwise built now.

        It compares meanings unless too many vectors are missing: then `improved` makes a better one.
        """
        vectors = self.vectors()
        key = _key(base, semantic=vectors is not None)
        matcher = self._load(key) or self._build(base, vectors, key=key)
        # The index stays for long: the collector would look through it again and again, 30–50 ms each time.
        gc.collect()
        gc.freeze()
        # To build, both cores help; a message's small products only wait for each other on them.
        threadpool_limits(limits=1, user_api="blas")
        return matcher

    def improved(self, matcher: Matcher) -> Matcher | None:
        """The same index with the meanings that it lacks, which may take minutes; None if it lacks none."""
        if matcher.scorer.semantic:
            return None
        vectors = self.vectors()
        if vectors is None:
            return None
        texts = matcher.scorer.texts
        for start in range(0, len(texts), _AT_ONCE):
            vectors.vectors(texts[start : start + _AT_ONCE])
            _keep(vectors)
        better = Matcher(matcher.base, vectors=vectors)
        self._save(_key(matcher.base, semantic=True), better)
        return better

    def _build(self, base: Base, vectors: VectorStore | None, *, key: bytes) -> Matcher:
        built = Matcher(base, vectors=vectors)
        if vectors is not None:
            _keep(vectors)
        if vectors is None or built.scorer.semantic:
            self._save(key, built)
        return built

    def vectors(self) -> VectorStore | None:
        """What meanings are compared by; None where that is switched off or cannot be done here."""
        if not self._semantic or embedding.trouble() is not None:
            return None
        return VectorStore(PACKAGED_VECTORS, self._own_vectors)

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


def _keep(vectors: VectorStore) -> None:
    try:
        vectors.save()
    except OSError as error:
        _log.warning("vectors_not_stored", error=error.strerror)


def _key(base: Base, *, semantic: bool) -> bytes:
    """Changes with the base, with the engine's code and data, and with what reads them."""
    model = embedding.MODEL if semantic else ""
    digest = hashlib.sha256(f"{platform.python_version()} {np.__version__} {model}".encode())
    plain = {slug: topic.to_plain() for slug, topic in sorted(base.topics.items())}
    digest.update(json.dumps(plain, ensure_ascii=False, sort_keys=True).encode())
    digest.update(repr(base.sections).encode())
    engine = Path(faq.__path__[0])
    for path in sorted([*engine.rglob("*.py"), *engine.glob("base/*.yaml")]):
        digest.update(path.read_bytes())
    return digest.digest()
