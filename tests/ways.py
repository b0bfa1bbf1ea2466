"""Which ways a conversation is held: by `make long` the main ones on all eight, else on two unlike ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from zlib import crc32

import pytest

from tests.sizes import LONG

TRANSPORTS = ("telegram-polling", "telegram-webhook", "vk-polling", "vk-callback")

_PAIRS = (
    [("telegram-polling", "sqlite"), ("vk-callback", "postgresql")],
    [("telegram-webhook", "postgresql"), ("vk-polling", "sqlite")],
    [("telegram-polling", "postgresql"), ("vk-callback", "sqlite")],
    [("telegram-webhook", "sqlite"), ("vk-polling", "postgresql")],
)
"""All eight ways, two at a time: another messenger, and another database."""

two_ways = pytest.mark.parametrize(("transport", "database_kind"), _PAIRS[0])
"""Instead of four transports times two databases."""

other_two_ways = pytest.mark.parametrize(("transport", "database_kind"), _PAIRS[1])
"""The other halves."""

unhurried = pytest.mark.parametrize("speed", [6.0])
"""For pauses that a busy machine could stretch: the patience of 1.2 s takes a fifth of a real second."""
LONG_WHILE = 1.0
"""Real seconds of silence in an unhurried house: longer than the longest patience."""


BOTH_DATABASES = ("tests/storage/", "tests/crash/", "tests/handlers/test_staff_races.py")
"""Where it matters which database it is: always held on both."""


def spared(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """What only `make long` holds.

    Else a conversation is held on two ways of eight, Telegram and VK on another database each, and any other
    test on one database of two. Which ones is another for each test: together they meet all of it.
    """
    if LONG:
        return []
    held: defaultdict[str, dict[tuple[str, str], pytest.Item]] = defaultdict(dict)
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if "database_kind" in params:
            transport, kind = params.get("transport", ""), params["database_kind"]
            name, _, ids = item.nodeid.partition("[")
            held[name + ids.replace(transport, "").replace(kind, "")][transport, kind] = item
    return [
        item
        for test, ways in held.items()
        if not test.startswith(BOTH_DATABASES)
        for way, item in ways.items()
        if way not in _kept(list(ways), crc32(test.encode()))
    ]


def _kept(ways: list[tuple[str, str]], number: int) -> Collection[tuple[str, str]]:
    if len(ways) == 2 * len(TRANSPORTS):
        return _PAIRS[number % len(_PAIRS)]
    if len(ways) == 2 and ways[0][0] == ways[1][0]:  # both databases, and nothing else
        return [ways[number % 2]]
    return ways
