"""What the dialogue makes of labelled messages: how many the base answers, how many the tree asks about.

    python -m tests.bench.triage tests/data/questions-heldout.tsv [--changed]

Prints, by what the message is and what the matcher alone would do, how many of them end how. `--changed`
shows the messages that the tree takes from the base. Uses the words alone, as `helpdesk faq eval` without
the vectors does.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from faq.content.loading import packaged_base
from faq.diagnosis.tree import Leaf, topics_ahead
from faq.diagnosis.triage import Triage, Understood
from faq.matching.matcher import Decision, Matcher
from faq.measuring.figures import markdown_table
from faq.measuring.labelled import AMBIGUOUS, Labelled, read_labelled


def outcome(row: Labelled, understood: Understood, triage: Triage) -> str:
    """One word for what a parent gets, and whether it is right."""
    decision, step = understood.decision, understood.step
    if step is None:
        return _of_base(row, decision)
    if isinstance(step.shown, Leaf):
        return "right" if step.shown.topic in row.labels else "wrong"
    return "asked" if row.labels & topics_ahead(triage.tree, step) else "asked past it"


def kind_of(row: Labelled) -> str:
    """What the message is."""
    if row.kind == AMBIGUOUS:
        return "ambiguous"
    return "ours" if row.in_scope else "foreign"


def main() -> None:
    """Measure the files that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--changed", action="store_true")
    arguments = parser.parse_args()
    triage = Triage(Matcher(packaged_base()))
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in (row for file in arguments.files for row in read_labelled(file)):
        alone = _of_base(row, triage.matcher.match(row.text))
        together = outcome(row, triage.understand(row.text), triage)
        counted[kind_of(row), alone, together] += 1
        if arguments.changed and alone != together:
            sys.stdout.write(f"{kind_of(row)}: {alone} → {together}: {row.text}\n")
    table = [
        [str(number), kind, alone, together] for (kind, alone, together), number in sorted(counted.items())
    ]
    lines = markdown_table(["messages", "message", "base alone", "with the tree"], table)
    sys.stdout.write("\n".join(lines) + "\n")


def _of_base(row: Labelled, decision: Decision) -> str:
    if decision.answered:
        return "right" if row.labels & set(decision.answered) else "wrong"
    if decision.decision == "clarify":
        return "clarified" if row.labels & set(decision.offered) else "clarified past it"
    return "refused" if decision.foreign else "not understood"


if __name__ == "__main__":
    main()
