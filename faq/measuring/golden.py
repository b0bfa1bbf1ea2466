"""The golden questions: what a change of the base may not make worse."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from faq.content.loading import PACKAGED
from faq.matching.matcher import Decision
from faq.measuring.evaluation import Matches
from faq.measuring.labelled import Labelled, read_labelled

GOLDEN = PACKAGED / "golden.tsv"
"""The golden questions that are installed with the program."""


@dataclass(frozen=True, slots=True)
class Harm:
    """A golden question that parents would get a worse answer to, before and after the change."""

    row: Labelled
    before: Decision
    after: Decision


class Remembering:
    """A matcher that is asked each text only once; `known` can outlive it, to serve another of its base."""

    def __init__(self, matcher: Matches, known: dict[str, Decision] | None = None) -> None:
        self._matcher = matcher
        self.known = {} if known is None else known

    def match(self, text: str) -> Decision:
        """What the matcher says now, or said before."""
        if text not in self.known:
            self.known[text] = self._matcher.match(text)
        return self.known[text]


def load_golden(path: Path = GOLDEN) -> tuple[Labelled, ...]:
    """Read the golden questions; raises LabelledError naming the row that cannot be read."""
    return read_labelled(path)


def harms(before: Matches, after: Matches, rows: Iterable[Labelled]) -> tuple[Harm, ...]:
    """The questions that `after` treats worse than `before`, in the order of the rows.

    Worse: newly answered wrong, newly answered though out of scope, or no right topic is answered or
    offered any more.
    """
    compared = (Harm(row, before.match(row.text), after.match(row.text)) for row in rows)
    return tuple(each for each in compared if _is_worse(each))


def _is_worse(each: Harm) -> bool:
    right = each.row.labels
    newly_wrong = not right.issuperset(each.after.answered) and right.issuperset(each.before.answered)
    lost = not right.isdisjoint(reached(each.before)) and right.isdisjoint(reached(each.after))
    return newly_wrong or lost


def reached(decision: Decision) -> tuple[str, ...]:
    """The topics that a parent gets, answered at once or on a button."""
    return (*decision.answered, *decision.offered)
