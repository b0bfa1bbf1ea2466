"""What parents come with: free words, or a screen whose words lead through the bot's own questions."""

from __future__ import annotations

from functools import cache
from random import Random

from tests.simulation.phones import Choice, Heard
from tests.ways_to_leaves import TREE, Way, ways

CARD_WORDS = ("5 Б", "7а", "2 класс", "не помню точно", "вчера вечером")
"""Typed as a line of the school's card."""


def trouble_of_one(chance: Random) -> Way:
    """What a single parent asks about: mostly something that only the school can mend."""
    return chance.choice(_for_school() if chance.random() < _MENDED_BY_SCHOOL else ways())


def trouble_of_many(chance: Random) -> list[Way]:
    """Different words for the same trouble, which several families of one school have at once."""
    leaf = chance.choice(sorted({way.leaf.id for way in _for_school() if _may_be_common(way)}))
    return [way for way in ways() if way.leaf.id == leaf]


def tap(way: Way, heard: Heard, *, done: set[str], chance: Random) -> Choice | None:
    """What a parent with this trouble presses next; None where no button of the diagnosis fits."""
    wanted = [f"dx:{each}" for each in way.taps]
    wanted += [f"dx:send.{way.leaf.id}", f"t:{way.leaf.topic}", f"no:{way.leaf.topic}", "no:", "dx:send."]
    wanted += ["dx:find", "human:"]
    if chance.random() < _TRIES_FIRST:
        wanted.insert(0, f"no:{way.leaf.topic}")
    for payload in wanted:
        choice = heard.offers(payload)
        if choice is not None and choice.payload not in done:
            return choice
    return None


def line(heard: Heard, chance: Random) -> Choice | None:
    """How a line of the card is filled by a button; None: it is typed."""
    lines = [choice for choice in heard.choices if choice.deed == "line"]
    answers = [choice for choice in lines if not choice.payload.startswith(_WAYS_OUT)]
    if answers and chance.random() < _BY_BUTTON:
        return chance.choice(answers)
    outs = [choice for choice in lines if choice.payload.startswith(_WAYS_OUT)]
    return chance.choice(outs) if outs and chance.random() < _SKIPS else None


@cache
def _for_school() -> list[Way]:
    return [way for way in ways() if way.leaf.ticket is not None]


def _may_be_common(way: Way) -> bool:
    """What is urgent is never put together with others; who changes school is asked for the new one."""
    ticket = TREE.tickets[way.leaf.ticket or ""]
    return not ticket.urgent and way.leaf.id != "new_school"


_MENDED_BY_SCHOOL = 0.7
_TRIES_FIRST, _BY_BUTTON, _SKIPS = 0.3, 0.7, 0.5
_WAYS_OUT = ("line:skip", "line:all")
