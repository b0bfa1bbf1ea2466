"""The table of starting messages, and what it means that a conversation has come to its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faq.diagnosis.tree import Leaf, load_tree

TABLE = Path(__file__).parent / "data" / "diagnosis-cases.tsv"
TREE = load_tree()


@dataclass(frozen=True)
class Way:
    """A message, the taps that may follow, and the end of the tree where they lead."""

    message: str
    taps: tuple[str, ...]
    leaf: Leaf

    def __str__(self) -> str:
        return " → ".join([self.message, *self.taps, self.leaf.id])


def ways() -> list[Way]:
    """All rows of the table."""
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        message, _, _, taps, leaf = line.split("\t")
        found.append(Way(message, () if taps == "-" else tuple(taps.split(" ")), TREE.leaves[leaf]))
    return found


def next_tap(way: Way, offered: set[str], done: int) -> str | None:
    """What a parent taps next of the payloads under the last message; None: it is the end already.

    `done` are the taps so far. Where the base asks back instead of the tree, one tap chooses the topic; an
    answer past the trouble is refused, and the cause is looked for from what is known.
    """
    if f"ok:{way.leaf.topic}" in offered or f"dx:send.{way.leaf.id}" in offered:
        return None
    following = [f"dx:{tap}" for tap in way.taps if f"dx:{tap}" in offered]
    if following:
        return following[0]
    others = [f"t:{way.leaf.topic}", "dx:find", *sorted(each for each in offered if each.startswith("no:"))]
    fitting = [each for each in others if each in offered]
    assert fitting, f"{way}: после {done} нажатий предложено {sorted(offered)}"
    return fitting[0]


def is_end(way: Way, offered: set[str]) -> bool:
    """The answer of the leaf is shown, or its request is offered."""
    if way.leaf.done:
        return f"dx:send.{way.leaf.id}" in offered or f"ok:{way.leaf.topic}" in offered
    return f"ok:{way.leaf.topic}" in offered
