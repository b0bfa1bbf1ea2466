"""Remembered vectors are the same as computed ones, and a bad file only costs time."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from faq.matching import embedding
from faq.matching.embedding import DIMENSIONS
from faq.matching.vectors import VectorStore, write_packaged

ROOT = Path(__file__).parents[2]
TEXTS = ("не приходит код из смс", "забыл пароль", "дневник пустой")
OTHER = "второй ребёнок не виден"


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    path = tmp_path / "packaged.npz"
    write_packaged(path, TEXTS)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own.npz"


def test_what_is_remembered_is_what_was_computed(own: Path) -> None:
    store = VectorStore(None, own)
    assert store.missing(TEXTS) == len(TEXTS)
    computed = store.vectors(TEXTS)
    store.save()
    again = VectorStore(None, own)
    assert again.ignored == ()
    assert again.missing(TEXTS) == 0
    assert (again.vectors(TEXTS) == computed).all()
    assert computed.dtype == np.float32
    assert np.linalg.norm(computed, axis=1) == pytest.approx(1, abs=1e-6)
    assert (computed * embedding.vectors(TEXTS)).sum(axis=1) == pytest.approx(1, abs=1e-4)


def test_the_packaged_vectors_are_the_same_too(packaged: Path) -> None:
    assert (VectorStore(packaged, None).vectors(TEXTS) == VectorStore(None, None).vectors(TEXTS)).all()


def test_the_same_texts_make_the_same_file(packaged: Path, tmp_path: Path) -> None:
    write_packaged(tmp_path / "again.npz", [*reversed(TEXTS), TEXTS[0], TEXTS[0].upper()])
    assert (tmp_path / "again.npz").read_bytes() == packaged.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"again.npz", "packaged.npz"}


def test_packaged_vectors_are_brought_up_to_date(packaged: Path, tmp_path: Path) -> None:
    wanted = (OTHER, TEXTS[2], TEXTS[0])
    assert write_packaged(packaged, wanted, known=VectorStore(packaged, None)) == len(wanted)
    assert VectorStore(packaged, None).missing([*wanted, TEXTS[1]]) == 1  # it was dropped
    write_packaged(tmp_path / "anew.npz", reversed(wanted))
    assert packaged.read_bytes() == (tmp_path / "anew.npz").read_bytes()


def test_known_texts_need_no_model(packaged: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from faq.matching import embedding; from faq.matching.vectors import VectorStore\n"
        "embedding.switch_off('выключено'); store = VectorStore(Path(sys.argv[1]), None)\n"
        "print(len(store.vectors(sys.argv[2:4])))\n"
        "try: store.vectors(sys.argv[2:])\n"
        "except embedding.Unavailable as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(packaged), TEXTS[0], TEXTS[2], OTHER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - ourselves
    assert done.stdout.split() == ["2", "выключено"]


def test_only_what_is_not_packaged_is_kept(packaged: Path, own: Path) -> None:
    store = VectorStore(packaged, own)
    assert store.missing([*TEXTS, OTHER, OTHER.upper()]) == 1
    store.vectors([*TEXTS, OTHER])
    store.save()
    assert VectorStore(None, own).missing([*TEXTS, OTHER]) == len(TEXTS)


def test_what_is_no_longer_asked_for_is_forgotten(own: Path) -> None:
    first = VectorStore(None, own)
    first.vectors(TEXTS)
    first.save()
    second = VectorStore(None, own)
    second.vectors([TEXTS[0], OTHER])
    second.save()
    third = VectorStore(None, own)
    assert third.missing([TEXTS[0], OTHER]) == 0
    assert third.missing(TEXTS) == 2


def test_an_unchanged_store_is_not_written(own: Path) -> None:
    store = VectorStore(None, own)
    store.save()
    assert not own.exists()
    store.vectors(TEXTS)
    store.save()
    written = own.stat().st_mtime_ns
    store.save()
    again = VectorStore(None, own)
    again.vectors(TEXTS)
    again.save()
    assert own.stat().st_mtime_ns == written


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    store = VectorStore(None, tmp_path / "nothing" / "own.npz")
    store.vectors(TEXTS[:1])
    store.save()
    assert list(tmp_path.iterdir()) == []


def test_no_texts_are_an_empty_table() -> None:
    store = VectorStore(None, None)
    assert store.vectors([]).shape == (0, DIMENSIONS)
    store.save()


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x80\x04]"])
def test_a_spoiled_file_is_ignored_and_replaced(own: Path, content: bytes) -> None:
    own.write_bytes(content)
    store = VectorStore(None, own)
    assert store.ignored == ("own.npz: файл испорчен",)
    store.vectors(TEXTS[:1])
    store.save()
    assert VectorStore(None, own).missing(TEXTS[:1]) == 0


def test_a_table_instead_of_an_archive_is_ignored(own: Path) -> None:
    with own.open("wb") as file:
        np.save(file, np.zeros((3, DIMENSIONS)))
    assert VectorStore(None, own).ignored == ("own.npz: файл испорчен",)


def test_no_damage_raises(packaged: Path) -> None:
    whole = packaged.read_bytes()
    good = VectorStore(packaged, None).vectors(TEXTS)
    dice = random.Random(7)
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(dice.choice((1, 1, 8))):
            damaged[dice.randrange(len(whole))] = dice.randrange(256)
        packaged.write_bytes(bytes(damaged[: dice.choice((len(whole), dice.randrange(len(whole))))]))
        store = VectorStore(packaged, None)
        if not store.missing(TEXTS):
            assert (store.vectors(TEXTS) == good).all()


def _write_plainly(path: Path, *, model: str, keys: np.ndarray, vectors: np.ndarray) -> None:
    np.savez(path, allow_pickle=False, model=np.array(model), keys=keys, vectors=vectors)


def test_vectors_of_another_model_are_ignored(packaged: Path) -> None:
    with np.load(packaged) as stored:
        _write_plainly(packaged, model="e6", keys=stored["keys"], vectors=stored["vectors"])
    assert VectorStore(packaged, None).ignored == ("packaged.npz: векторы другой модели",)


@pytest.mark.parametrize("number", [np.nan, np.inf, 0.0])
def test_impossible_vectors_are_ignored(packaged: Path, number: float) -> None:
    with np.load(packaged) as stored:
        keys, vectors = stored["keys"], stored["vectors"]
    vectors[1] = number
    _write_plainly(packaged, model=embedding.MODEL, keys=keys, vectors=vectors)
    assert VectorStore(packaged, None).ignored == ("packaged.npz: файл испорчен",)


def test_another_shape_is_ignored(packaged: Path) -> None:
    with np.load(packaged) as stored:
        keys, vectors = stored["keys"], stored["vectors"]
    for wrong in (
        {"keys": keys[:2], "vectors": vectors},
        {"keys": keys, "vectors": vectors[:, :100]},
        {"keys": keys, "vectors": vectors.astype(np.float64)},
        {"keys": keys.astype(np.int64), "vectors": vectors},
        {"keys": np.array(0, dtype=np.uint8), "vectors": vectors},
    ):
        _write_plainly(packaged, model=embedding.MODEL, **wrong)
        assert VectorStore(packaged, None).ignored == ("packaged.npz: файл испорчен",)


def test_no_file_is_no_trouble(tmp_path: Path) -> None:
    assert VectorStore(tmp_path / "a.npz", tmp_path / "b.npz").ignored == ()
