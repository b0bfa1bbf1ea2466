"""Nobody is left without an answer or without a way on, whatever they do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from handlers.knowledge import Knowledge
from tests.handlers.walk import AtOnce, Walk, World
from tests.sizes import size

HALF = size(400, 5_000)
"""Steps of each of the two long walks: two processes share them."""
STEPS_OF_ONE_WALK = 100
MOST_TURNS = 10
"""So often Hypothesis is asked for more, when too many steps of a turn did not count."""

walking = settings(
    database=None,
    deadline=None,
    print_blob=True,
    # To make a failing walk shorter would take many minutes: what was said last is shown instead.
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
    stateful_step_count=STEPS_OF_ONE_WALK,
)


@pytest.fixture
def world(
    knowledge: Knowledge, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """The real base on a real database, one event loop for all walks."""
    monkeypatch.setattr("aiosqlite.core.SimpleQueue", AtOnce)
    monkeypatch.setattr("aiosqlite.core.Thread", AtOnce)
    with World(knowledge, sqlite_template, tmp_path) as world:
        yield world


def _machine(world: World) -> type[Walk]:
    class WalkHere(Walk):
        def __init__(self) -> None:
            super().__init__(world)

    return WalkHere


def test_a_short_walk_leaves_nobody_without_a_way_on(world: World) -> None:
    # The same walk on every run: the fast suite does not fail by chance.
    few = settings(walking, max_examples=5, stateful_step_count=50, derandomize=True)
    run_state_machine_as_test(_machine(world), settings=few)
    assert world.steps >= 150


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("half", range(size(1, 2)))
def test_in_thousands_of_steps_nobody_is_left_without_a_way_on(
    world: World, half: int, record_property: Callable[[str, object], None]
) -> None:
    # WALK_SEED repeats a walk, WALK_STEPS makes it longer or shorter.
    number = int(os.environ.get("WALK_SEED", Random().randrange(10**6)))
    wanted = int(os.environ.get("WALK_STEPS", HALF))
    print(f"WALK_SEED={number}")  # noqa: T201 - shown when the walk fails
    # Some steps come to nothing (nothing to correct, no question to answer), others are several.
    for turn in range(MOST_TURNS):
        missing = wanted - world.steps
        if missing <= 0:
            break
        more = settings(walking, max_examples=missing * 3 // 4 // STEPS_OF_ONE_WALK + 3)
        run_state_machine_as_test(seed(number + turn)(_machine(world)), settings=more)
    print(f"{world.steps} steps, pressed: {', '.join(sorted(world.pressed))}")  # noqa: T201 - a report
    record_property("half", half)
    record_property("seed", number)
    record_property("steps", world.steps)
    assert world.steps >= wanted
