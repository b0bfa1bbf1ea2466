"""Personal values that must not be kept anywhere, and a search that finds them in any bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import unquote

from tests.privacy_corpus import VALUES

_SURELY = 10
"""Letters and digits that no time, number or hash has by chance, wherever the separators are."""
_SLOT = re.compile(r"\{(\w+)\}")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Planted:
    """A personal value and where it was said."""

    value: str
    kind: str
    place: str

    @property
    def compact(self) -> str:
        """Without separators."""
        return _SEPARATORS.sub("", self.value).casefold()


@dataclass(frozen=True)
class Trace:
    """A planted value that was found, and in which of the sources."""

    source: str
    planted: Planted


@dataclass
class Planter:
    """Writes personal values into messages, each unlike any other; the same for the same seed."""

    who: str
    seed: int = 4
    planted: list[Planted] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nobody shares their numbers with another."""
        self._random = Random(f"planted {self.who} {self.seed}")

    def line(self, place: str, template: str) -> str:
        """The template with a fresh value in each slot, as people write it."""
        return _SLOT.sub(lambda slot: self._value(slot[1], place), template)

    def _value(self, kind: str, place: str) -> str:
        known = {each.compact for each in self.planted}
        while True:
            planted = Planted(self._written(kind), kind, f"{self.who}, {place}")
            if planted.compact not in known:
                self.planted.append(planted)
                return planted.value

    def _written(self, kind: str) -> str:
        # Codes and passwords of the corpus may be so short that they stand in a database by chance.
        if kind == "code":
            return str(self._random.randrange(400_000, 1_000_000))
        if kind == "password":
            return f"Qwerty{self._random.randrange(1_000, 10_000)}"
        return VALUES[kind][1](self._random)


def traces(sources: Mapping[str, bytes], planted: Iterable[Planted]) -> list[Trace]:
    """Where something planted was found."""
    wanted = list(planted)
    found: list[Trace] = []
    for source, data in sources.items():
        readings = [(reading, _SEPARATORS.sub("", reading)) for reading in _readings(data)]
        found += [
            Trace(source, each)
            for each in wanted
            if _is_in_wide(each, data) or any(_is_in(each, *reading) for reading in readings)
        ]
    return found


def _is_in(each: Planted, reading: str, squeezed: str) -> bool:
    if len(each.compact) >= _SURELY and each.compact in squeezed:
        return True
    return any(
        written in reading and re.search(rf"(?<![\d.]){re.escape(written)}(?!\d)", reading)
        for written in {each.value.casefold(), each.compact}
    )


def _is_in_wide(each: Planted, data: bytes) -> bool:
    """In two bytes a letter, as some stores keep text."""
    return any(
        written.encode(encoding) in data
        for written in {each.value, each.value.casefold(), each.compact}
        for encoding in ("utf-16-le", "utf-16-be")
    )


def _readings(data: bytes) -> Iterator[str]:
    """The bytes as text in every way in which a store, a log or a request may write it."""
    plain = data.decode("utf-8", "replace").casefold()
    yield plain
    if "\\u" in plain:
        yield _ESCAPED.sub(lambda found: chr(int(found[1], 16)), plain).casefold()
    if "%" in plain:
        yield unquote(plain).casefold()
