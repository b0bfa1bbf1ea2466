"""`helpdesk faq eval`: run the matcher over labelled messages, and what the process spent on it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.index_store import IndexStore
from faq.content.topic import Base
from faq.matching.matcher import Matcher
from faq.matching.vectors import VectorStore
from faq.measuring import rapid
from faq.measuring.evaluation import Miss, Report, misses_of, outcomes_of, report_of
from faq.measuring.figures import misses_list, report_table
from faq.measuring.labelled import Labelled

if TYPE_CHECKING:
    from bot.settings import Settings

_OURS = "наш подборщик"


@dataclass(frozen=True)
class Measured:
    """The report on our matcher, what it cost, and the baselines with their thresholds.

    `peak_memory` is the process's, in MiB, before the baselines; None where the system does not tell.
    """

    report: Report
    misses: tuple[Miss, ...]
    with_meaning: bool
    build_seconds: float
    peak_memory: float | None
    baselines: dict[str, Report]
    thresholds: dict[str, float]

    def as_plain(self, *, misses: bool) -> dict[str, Any]:
        """JSON-ready."""
        plain = asdict(self.report) | {
            "mode": "semantic" if self.with_meaning else "lexical",
            "build_seconds": round(self.build_seconds, 3),
            "peak_memory_mb": self.peak_memory and round(self.peak_memory, 1),
        }
        if self.baselines:
            plain["against"] = {
                name: {**asdict(report), "threshold": self.thresholds[name]}
                for name, report in self.baselines.items()
            }
        if misses:
            plain["misses"] = [asdict(miss) for miss in self.misses]
        return plain

    def as_text(self, *, topics: bool, misses: bool) -> str:
        """For people."""
        mode = "со смыслом и словами" if self.with_meaning else "только по словам"
        memory = f"{self.peak_memory:.0f} МБ" if self.peak_memory else "неизвестно"
        lines = [
            report_table({_OURS: self.report, **self.baselines}, topics=topics),
            "",
            f"подбор: {mode}; индекс построен за {self.build_seconds:.2f} с; память процесса до {memory}",
        ]
        if self.baselines:
            thresholds = ", ".join(f"{name} {each:.2f}" for name, each in self.thresholds.items())
            lines += [f"порог RapidFuzz — лучший для этих же сообщений: {thresholds}"]
        if misses:
            lines += ["", misses_list(self.misses)]
        return "\n".join(lines)


def vectors_in_use(settings: Settings) -> VectorStore | None:
    """What meanings are compared by, the packaged vectors and the data folder's own; writes neither.

    None where comparing meanings is switched off or cannot be done here.
    """
    return IndexStore(settings.data_dir, semantic=settings.semantic == "auto").vectors()


def measure(
    base: Base, rows: Sequence[Labelled], *, vectors: VectorStore | None, against_rapidfuzz: bool
) -> Measured:
    """Build the index, match every message, and do the same with the baselines."""
    started = time.perf_counter()
    matcher = Matcher(base, vectors=vectors)
    build_seconds = time.perf_counter() - started
    outcomes = outcomes_of(matcher, rows)
    memory = peak_memory()
    baselines: dict[str, Report] = {}
    thresholds: dict[str, float] = {}
    for scorer in rapid.SCORERS if against_rapidfuzz else ():
        plain = outcomes_of(rapid.RapidMatcher(base, scorer=scorer), rows)
        thresholds[scorer], decided = rapid.with_best_threshold(plain)
        baselines[scorer] = report_of(decided)
    return Measured(
        report=report_of(outcomes),
        misses=misses_of(outcomes),
        with_meaning=matcher.scorer.semantic,
        build_seconds=build_seconds,
        peak_memory=memory,
        baselines=baselines,
        thresholds=thresholds,
    )


def peak_memory() -> float | None:
    """The most memory this process held so far, in MiB; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: on Linux it counts the process that started this one as well.
        peaks = [line.split()[1] for line in status.read_text("ascii").splitlines() if "VmHWM" in line]
        return int(peaks[0]) / 2**10 if peaks else None
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
