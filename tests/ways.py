"""Which ways a conversation is held: the main ones on all eight, the others on two that differ in all."""

from __future__ import annotations

import pytest

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
