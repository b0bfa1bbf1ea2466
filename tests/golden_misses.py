"""The golden questions that are not served as they should be; `python -m tests.golden_misses` lists them.

The list may only get shorter; what a change adds to it has to be defended where the change is reviewed.
"""

import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from faq.content.loading import packaged_base
from faq.matching.matcher import Matcher
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore
from faq.measuring.evaluation import Matches, outcomes_of
from faq.measuring.golden import load_golden

PATH = Path(__file__).parent / "data" / "golden-misses.tsv"

Miss = tuple[str, str, str]
"""The question, «semantic» or «lexical», and what is wrong (faq.evaluation.Fault)."""


def misses_of(matcher: Matches, *, mode: str) -> Iterator[Miss]:
    """Those of today, in the order of the golden questions."""
    for outcome in outcomes_of(matcher, load_golden()):
        if outcome.fault is not None:
            yield outcome.row.text, mode, outcome.fault


def listed(*, mode: str) -> tuple[Miss, ...]:
    """Those on the list."""
    with PATH.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple((text, of, what) for text, of, what in rows if of == mode)


def lines_of(misses: Iterable[Miss]) -> str:
    """As they stand in the file."""
    return "".join("\t".join(miss) + "\n" for miss in misses)


def _write() -> None:
    base = packaged_base()
    semantic = misses_of(Matcher(base, vectors=VectorStore(PACKAGED_VECTORS, None)), mode="semantic")
    lexical = misses_of(Matcher(base), mode="lexical")
    content = lines_of([("text", "mode", "what"), *semantic, *lexical])
    PATH.write_text(content, encoding="utf-8")
    sys.stdout.write(f"{PATH}: {content.count(chr(10)) - 1}\n")


if __name__ == "__main__":
    _write()
