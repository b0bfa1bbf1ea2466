"""Messages that people labelled with the topics that answer them."""

import csv
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

OUT_OF_SCOPE = "out-of-scope"
"""The label of a message that no topic answers."""

AMBIGUOUS = "ambiguous"
"""The kind of a message that is to be clarified, not answered."""

MULTI = "multi"
"""The kind of a message that asks several things: each of its labels is to be found."""

NEAR, FAR = "oos-near", "oos-far"
"""Kinds of messages that are not ours: other matters of school and portal, and anything else."""

_COLUMNS = ("text", "labels", "kind")


class LabelledError(ValueError):
    """A file of labelled messages that cannot be used; the text names the row and what to do."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message with the topics any of which is right (none: out of scope) and its kind."""

    text: str
    labels: frozenset[str]
    kind: str

    @property
    def in_scope(self) -> bool:
        """Some topic answers it."""
        return bool(self.labels)


def read_labelled(path: Path, *, slugs: Collection[str] | None = None) -> tuple[Labelled, ...]:
    """Read a TSV with text, labels (comma separated) and kind; raises LabelledError naming the row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError):
        raise LabelledError(f"{path}: файл не читается, нужен TSV в кодировке UTF-8") from None
    except csv.Error:
        raise LabelledError(
            f"{path}: это не таблица с табуляциями, нужен TSV со столбцами text, labels, kind"
        ) from None
    missing = [name for name in _COLUMNS if name not in (table[0] if table else [])]
    if missing:
        raise LabelledError(
            f"{path}, строка 1: нет столбцов {', '.join(missing)}; нужны text, labels, kind через табуляцию"
        )
    places = [table[0].index(name) for name in _COLUMNS]
    return tuple(
        _labelled(cells, places, where=f"{path}, строка {number}", slugs=slugs)
        for number, cells in enumerate(table[1:], start=2)
        if any(cell.strip() for cell in cells)
    )


def read_all(paths: Iterable[Path], *, slugs: Collection[str] | None = None) -> tuple[Labelled, ...]:
    """Read several files as one set; raises LabelledError naming the file and the row."""
    return tuple(row for path in paths for row in read_labelled(path, slugs=slugs))


def _labelled(
    cells: Sequence[str], places: Sequence[int], *, where: str, slugs: Collection[str] | None
) -> Labelled:
    if len(cells) <= max(places):
        raise LabelledError(f"{where}: столбцов {len(cells)}, нужно {max(places) + 1}; проверьте табуляции")
    text, labels, kind = (cells[place].strip() for place in places)
    named = frozenset(re.split(r"\s*,\s*", labels)) - {""}
    if not text or not named:
        raise LabelledError(f"{where}: пустой текст или метка; впишите её или удалите строку")
    named -= {OUT_OF_SCOPE}
    unknown = sorted(named.difference(slugs)) if slugs is not None else []
    if unknown:
        raise LabelledError(f"{where}: темы {', '.join(unknown)} нет в базе; исправьте метку")
    return Labelled(text=text, labels=named, kind=kind)
