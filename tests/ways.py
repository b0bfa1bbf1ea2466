"""Which ways a conversation is held: the main ones on all eight, the others on two that differ in all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from zlib import crc32

import pytest

from tests.sizes import LONG

TRANSPORTS = ("telegram-polling", "telegram-webhook", "vk-polling", "vk-callback")

two_ways = pytest.mark.parametrize(
    ("transport", "database_kind"), [("telegram-polling", "sqlite"), ("vk-callback", "postgresql")]
)
"""Instead of four transports times two databases."""

other_two_ways = pytest.mark.parametrize(
    ("transport", "database_kind"), [("telegram-webhook", "postgresql"), ("vk-polling", "sqlite")]
)
"""The other halves."""

unhurried = pytest.mark.parametrize("speed", [6.0])
"""For pauses that a busy machine could stretch: the patience of 1.2 s takes a fifth of a real second."""
LONG_WHILE = 1.0
"""Real seconds of silence in an unhurried house: longer than the longest patience."""


def spared(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """What only `make long` holds: half of what is held on all eight ways, for each test another half.

    Each test still meets every transport and both databases, and all of them together meet all eight.
    """
    if LONG:
        return []
    held: defaultdict[str, list[tuple[pytest.Item, str, str]]] = defaultdict(list)
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if "transport" in params and "database_kind" in params:
            other = sorted(f"{key}={each}" for key, each in params.items() if key not in _WAY)
            test = f"{item.nodeid.partition('[')[0]} {other}"
            held[test].append((item, params["transport"], params["database_kind"]))
    return [
        item
        for test, ways in held.items()
        if len(ways) == 2 * len(TRANSPORTS)
        for item, transport, kind in ways
        if (crc32(test.encode()) + TRANSPORTS.index(transport) + (kind == "sqlite")) % 2
    ]


_WAY = frozenset({"transport", "database_kind"})
