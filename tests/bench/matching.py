"""What the matcher is worth and what it costs, as Markdown for docs/measurements.md.

    python -m tests.bench.matching ladder [FILE…]   each signal alone and left out, each reading step off
    python -m tests.bench.matching noise [FILE…]    well-typed messages through each way of mistyping
    python -m tests.bench.matching speed [FILE…]    one message, one thread, the other core idle and busy
    python -m tests.bench.matching big [FILE…]      the same on a base of 1,000 topics × 25 phrasings

FILE is a TSV with text, labels, kind; without it, the golden and the held-out questions, for the ladder also
those that we develop on: it fits its weights anew and only compares.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from bot.clock import SystemClock
from bot.commands.measuring import peak_memory
from faq.content.loading import PACKAGED as BASE
from faq.content.loading import packaged_base
from faq.matching import embedding
from faq.matching.embedding import DIMENSIONS, Floats
from faq.matching.matcher import Matcher
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore
from faq.measuring.evaluation import Report, evaluate
from faq.measuring.figures import cells_of, markdown_table
from faq.measuring.labelled import Labelled, LabelledError, read_all
from tests.bench.big_base import big_base
from tests.bench.ladder import NOISES, ladder

ROOT = Path(__file__).parents[2]
LABELLED = (BASE / "golden.tsv", ROOT / "tests/data/questions-heldout.tsv")
DEVELOPED_ON = ROOT / "tests/data/questions-dev.tsv"
WELL_TYPED = frozenset({"plain", "short"})
SPINNING = "while True: pass"
Result = TypeVar("Result")


class DrawnVectors(VectorStore):
    """Has some vector for every text: to embed 25,000 of them would take a quarter of an hour."""

    def __init__(self) -> None:
        super().__init__(None, None)

    def missing(self, texts: Iterable[str]) -> int:  # noqa: ARG002
        """None of them."""
        return 0

    def vectors(self, texts: Sequence[str]) -> Floats:
        """One row of unit length a text."""
        drawn = np.random.default_rng(1).standard_normal((len(texts), DIMENSIONS), dtype=np.float32)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        return drawn


@dataclass(frozen=True)
class Cost:
    """Seconds to build the index, MiB the process held at most until then, and the messages' times."""

    build_seconds: float
    memory: float
    report: Report


def modes() -> tuple[str, ...]:
    """The ways to match that this machine has."""
    return ("lexical",) if embedding.trouble() else ("semantic", "lexical")


def noisy(rows: Sequence[Labelled]) -> Iterator[str]:
    """Top-1 and what is decided, of well-typed messages and of the same mistyped."""
    rows = [row for row in rows if row.in_scope and row.kind in WELL_TYPED]
    yield f"{len(rows)} well-typed messages on our topics."
    head = ["", "loss of top-1", "count", "top-1", "top-3", "right", "wrong", "clarified +", "clarified −"]
    head += ["unknown", "of it foreign", "right or offered", "extra"]
    for mode in modes():
        matcher = Matcher(packaged_base(), vectors=_vectors(mode))
        clean = evaluate(matcher, rows).in_scope
        lines = [["as typed", "–", *cells_of(clean)]]
        for name, spoil in NOISES.items():
            shares = evaluate(matcher, [replace(row, text=spoil(row.text)) for row in rows]).in_scope
            lines.append([name, f"{clean.top1 - shares.top1:+.3f}", *cells_of(shares)])
        yield from ("", f"Mode: {mode}.", "", *markdown_table(head, lines))


def speed(rows: Sequence[Labelled]) -> Iterator[str]:
    """Time of one message on one thread, and what the index costs; each line in a process of its own."""
    lines = []
    for mode in modes():
        for busy in (False, True):
            cost = _in_own_process(_cost, rows, mode, busy=busy)
            lines.append([f"{mode}, the other core {'busy' if busy else 'idle'}", *_cells(cost)])
    yield f"{len(rows)} messages, each seen for the first time."
    yield ""
    yield from markdown_table(["", *_COSTS], lines)


def big(rows: Sequence[Labelled], *, topics: int, phrasings: int) -> Iterator[str]:
    """The same on a base made many times as big."""
    lines = []
    for mode in modes():
        cost = _in_own_process(_cost, rows, mode, size=(topics, phrasings))
        lines.append([mode, *_cells(cost)])
    yield f"{topics} topics × {phrasings} phrasings made of the real ones; {len(rows)} messages."
    yield "The vectors of the phrasings are drawn by lot: it is not them that take time when a message comes."
    yield ""
    yield from markdown_table(["", *_COSTS], lines)


_COSTS = ("index built, s", "peak memory after it, MiB", "p50, ms", "p99, ms", "max, ms")


def _cells(cost: Cost) -> list[str]:
    times = (cost.report.p50_ms, cost.report.p99_ms, cost.report.max_ms)
    return [f"{cost.build_seconds:.2f}", f"{cost.memory:.0f}", *(f"{each:.1f}" for each in times)]


def _cost(
    rows: Sequence[Labelled], mode: str, *, busy: bool = False, size: tuple[int, int] | None = None
) -> Cost:
    base = packaged_base()
    vectors = _vectors(mode)
    if size:
        base = big_base(base, topics=size[0], phrasings=size[1])
        vectors = vectors and DrawnVectors()
    with _spinning(busy=busy):
        started = time.perf_counter()
        matcher = Matcher(base, vectors=vectors)
        built = time.perf_counter() - started
        memory = peak_memory() or 0.0
        # As the bot does before the first message comes: the index is out of the collector's way, and the
        # model has been tried and loaded.
        gc.collect()
        gc.freeze()
        threadpool_limits(limits=1, user_api="blas")
        if vectors is not None:
            embedding.vector("разогрев")
        return Cost(built, memory, evaluate(matcher, rows))


def _vectors(mode: str) -> VectorStore | None:
    return VectorStore(PACKAGED_VECTORS, None) if mode == "semantic" else None


@contextmanager
def _spinning(*, busy: bool) -> Iterator[None]:
    """Keep the other core busy meanwhile."""
    if not busy:
        yield
        return
    spinner = subprocess.Popen([sys.executable, "-c", SPINNING])  # noqa: S603  our own loop
    try:
        yield
    finally:
        spinner.kill()
        spinner.wait()


def _in_own_process(function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """Its memory and caches are its own; nothing that ran before shows in them."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def _heading() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB"
    load = os.getloadavg()[0]
    command = " ".join(["python -m tests.bench.matching", *sys.argv[1:]])
    today = SystemClock().now().date()
    return f"`{command}`, {today}, {machine}, Python {platform.python_version()}, load before {load:.1f}."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("ladder", "noise", "speed", "big"))
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--topics", type=int, default=1_000, help="of the big base")
    parser.add_argument("--phrasings", type=int, default=25, help="of each of its topics")
    arguments = parser.parse_args()
    known = (*LABELLED, DEVELOPED_ON) if arguments.what == "ladder" else LABELLED
    arguments.files = arguments.files or [path for path in known if path.is_file()]
    if not arguments.files:
        parser.error("name a file of labelled messages")
    return arguments


def _main() -> None:
    arguments = _arguments()
    base = packaged_base()
    try:
        rows = read_all(arguments.files, slugs=base.topics)
    except LabelledError as error:
        sys.exit(f"{error}.")
    lines = {
        "ladder": lambda: ladder(base, rows),
        "noise": lambda: noisy(rows),
        "speed": lambda: speed(rows),
        "big": lambda: big(rows, topics=arguments.topics, phrasings=arguments.phrasings),
    }
    heading = _heading()
    sys.stdout.write(f"{heading}\n\n")
    for line in lines[arguments.what]():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
