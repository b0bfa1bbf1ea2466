"""How much is done in the tests that grow: a little for every change, all of it by `make long`."""

from __future__ import annotations

import os

import pytest

LONG = os.environ.get("LONG") == "1"
"""Set by `make long`: the sizes whose figures stand in docs/measurements.md."""


def size(short: int, long: int) -> int:
    """How many rounds, steps or people."""
    return long if LONG else short


long = pytest.mark.skipif(not LONG, reason="by make long")
"""For what costs minutes and repeats what a shorter test shows."""
