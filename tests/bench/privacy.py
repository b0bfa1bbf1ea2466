"""How much of the personal data the gate finds, and what it hides for nothing, as Markdown.

python -m tests.bench.privacy           working and held-out templates
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from faq.measuring.figures import markdown_table
from handlers.privacy import Masked, mask
from tests.privacy_corpus import HELD_OUT, HELD_OUT_SIZE, WORKING, Sample, corpus


@dataclass
class Figures:
    """Counts over one corpus."""

    planted: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    clean_spoilt: int = 0
    with_data: int = 0
    data_spoilt: int = 0
    missed: list[str] = field(default_factory=list)
    spoilt: list[str] = field(default_factory=list)


def measure(samples: Sequence[Sample]) -> Figures:
    """A value is found whole if none of its letters and digits is left; anything else hidden is an alarm."""
    figures = Figures()
    for sample in samples:
        masked = mask(sample.text)
        covered = _covered(sample, masked)
        allowed = bytearray(len(sample.text))
        for each in sample.planted:
            allowed[each.start : each.end] = b"\1" * (each.end - each.start)
            value = range(each.start, each.end)
            figures.planted[each.kind] += 1
            if all(covered[place] or not sample.text[place].isalnum() for place in value):
                figures.whole[each.kind] += 1
                figures.named[each.kind] += any(
                    one.kind == each.kind and one.start < each.end and each.start < one.end
                    for one in masked.hidden
                )
            else:
                figures.missed.append(f"{each.kind}: {sample.text!r} → {masked.text!r}")
        spoilt = any(
            covered[place] and not allowed[place] and letter.isalnum()
            for place, letter in enumerate(sample.text)
        )
        if spoilt:
            figures.spoilt.append(f"{sample.text!r} → {masked.text!r}")
        if sample.planted:
            figures.with_data += 1
            figures.data_spoilt += spoilt
        else:
            figures.clean += 1
            figures.clean_spoilt += spoilt
    return figures


def _covered(sample: Sample, masked: Masked) -> bytearray:
    covered = bytearray(len(sample.text))
    for each in masked.hidden:
        covered[each.start : each.end] = b"\1" * (each.end - each.start)
    return covered


def _rows(figures: Figures) -> Iterator[list[str]]:
    for kind, planted in sorted(figures.planted.items()):
        yield _row(kind, planted, figures.whole[kind], figures.named[kind])
    yield _row("**all**", figures.planted.total(), figures.whole.total(), figures.named.total())


def _row(kind: str, planted: int, whole: int, named: int) -> list[str]:
    return [kind, str(planted), str(whole), f"{whole / planted:.4f}", str(named)]


def _lines(title: str, templates: Sequence[str], samples: Sequence[Sample]) -> Iterator[str]:
    figures = measure(samples)
    yield f"**{title}**: {len(templates)} templates, {len(samples)} messages."
    yield ""
    yield from markdown_table(
        ["kind", "planted", "found whole", "recall", "of the right kind"], _rows(figures)
    )
    yield ""
    yield (
        f"Clean messages: {figures.clean}, with something hidden for nothing: {figures.clean_spoilt}"
        f" ({figures.clean_spoilt / figures.clean:.2%})."
    )
    yield (
        f"Messages with data: {figures.with_data}, with something else hidden too: {figures.data_spoilt}"
        f" ({figures.data_spoilt / figures.with_data:.2%})."
    )
    yield ""
    if "-v" in sys.argv:
        yield from (f"- missed {line}" for line in figures.missed)
        yield from (f"- spoilt {line}" for line in figures.spoilt)


def _main() -> None:
    sets = (
        ("Working templates", WORKING, corpus()),
        ("Held-out templates", HELD_OUT, corpus(HELD_OUT, size=HELD_OUT_SIZE)),
    )
    for title, templates, samples in sets:
        for line in _lines(title, templates, samples):
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    _main()
