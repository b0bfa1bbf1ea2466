"""How often the search finds the school that was named, how sure it is, and how long it takes.

    python -m tests.bench.schools [--missed]

Reads tests/data/school-names.tsv (each names one school) and school-names-none.tsv (each names several
schools or none). `--missed` shows what was not found first, what was not taken as sure, and what was shown
for those that name no single school.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faq.schools.made_up import made_up_schools
from faq.schools.search import Found, School, SchoolSearch

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Named:
    """A way to name a school, and the place of the school that is meant; or «several» or «none»."""

    said: str
    expected: str


def read_named(name: str) -> list[Named]:
    """The lines of a list of names, without its comments and heading."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [Named(said, expected) for said, expected in rows[1:]]


def directory(count: int = 137) -> tuple[SchoolSearch, dict[int, str]]:
    """The search over the made-up schools, and the codes of the schools."""
    rows = made_up_schools(count)
    schools = [
        School(place, row.name, row.municipality, row.kind, row.aliases) for place, row in enumerate(rows)
    ]
    return SchoolSearch(schools), {place: row.code for place, row in enumerate(rows)}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missed", action="store_true")
    shows = parser.parse_args().missed
    search, codes = directory()
    named, others = read_named("school-names.tsv"), read_named("school-names-none.tsv")
    found = [(each, search.find(each.said)) for each in named]
    places = [_place(each, seen, codes) for each, seen in found]
    sure = [(each, seen) for each, seen in found if seen.is_sure]
    wrongly = [each for each, seen in sure if codes[seen.schools[0].school.id] != each.expected]
    _say(f"named: {len(named)}; first: {_share(places, 1)}; among five: {_share(places, 5)}")
    _say(f"sure: {len(sure) / len(named):.1%}; sure and wrong: {len(wrongly)}")
    refused = [(each, search.find(each.said)) for each in others]
    _say(f"of no single school: {len(others)}; sure of one: {sum(seen.is_sure for _, seen in refused)}")
    for count in (137, 2000):
        _say(f"{count} schools: {_times(count, [each.said for each in (*named, *others)])}")
    if shows:
        for line in _missed(zip(found, places, strict=True), refused, codes):
            _say(line)


def _place(named: Named, found: Found, codes: dict[int, str]) -> int:
    """At which place the right school is, 0 when it is not there."""
    shown = [codes[match.school.id] for match in found.schools]
    return shown.index(named.expected) + 1 if named.expected in shown else 0


def _share(places: Sequence[int], among: int) -> str:
    return f"{sum(0 < place <= among for place in places) / len(places):.1%}"


def _times(count: int, texts: Sequence[str]) -> str:
    search, _ = directory(count)
    took = []
    for text in texts:
        start = time.perf_counter()
        search.find(text)
        took.append((time.perf_counter() - start) * 1000)
    slow = sorted(took)[len(took) * 95 // 100]
    return f"median {statistics.median(took):.2f} ms, 95 % {slow:.2f} ms, longest {max(took):.1f} ms"


def _missed(
    found: Iterator[tuple[tuple[Named, Found], int]],
    refused: Sequence[tuple[Named, Found]],
    codes: dict[int, str],
) -> Iterator[str]:
    for (named, seen), place in found:
        if place != 1 or not seen.is_sure:
            what = "ASKED" if place == 1 else f"PLACE {place}"
            yield f"{what}: {named.said} ({named.expected}): {_shown(seen, codes)}"
    for named, seen in refused:
        yield f"{'SURE ' if seen.is_sure else ''}{named.expected}: {named.said}: {_shown(seen, codes)}"


def _shown(found: Found, codes: dict[int, str]) -> str:
    return ", ".join(f"{codes[match.school.id]} {match.score:.2f}" for match in found.schools) or "nothing"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
