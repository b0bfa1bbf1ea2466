"""How far the family has come on the way into the diary, wherever that comes to light."""

from __future__ import annotations

from typing import Literal

from faq.diagnosis.tree import Facts
from handlers.turn import Turn
from storage import journal, stages
from storage.campaigns.campaign import Stage

Source = Literal["press", "diagnosis", "aftercare"]

LEAVES: dict[str, Stage] = {
    "register": "no_account",
    "confirm": "not_confirmed",
    "unconfirmed_adult": "not_confirmed",
    "card": "child_not_linked",
    "profile_missing": "no_profile",
    "never": "no_profile",
    "grades": "inside",
}
"""Ends of the diagnosis that leave no doubt about the parent's own stage; all others tell nothing of it."""
_OF_A_CHILD = {"card"}
"""Ends that are about the parent although the child is the one who cannot sign in."""
_LONG_BEHIND: set[Stage] = {"no_account", "not_confirmed"}
"""Whoever is inside has this behind them, and asks for somebody else."""


async def note(turn: Turn, stage: Stage, *, source: Source) -> None:
    """The family has come so far."""
    await stages.set_stage(turn.tx, turn.person.id, stage, now=turn.now)
    details = {"stage": stage, "source": source}
    actor = "person" if source == "press" else "bot"
    await journal.note(turn.tx, "stage", actor=actor, now=turn.now, details=details)


async def note_leaf(turn: Turn, leaf: str, *, facts: Facts) -> None:
    """The diagnosis has ended here, of which some ends mean a stage."""
    stage = LEAVES.get(leaf)
    if stage is None or (facts.get("who") not in {None, "parent"} and leaf not in _OF_A_CHILD):
        return
    if stage in _LONG_BEHIND and await stages.of_person(turn.tx, turn.person.id) == stages.INSIDE:
        return
    await note(turn, stage, source="diagnosis")
