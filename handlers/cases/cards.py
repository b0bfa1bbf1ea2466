"""The card of a ticket: what the diagnosis has learnt, and what the parent has added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from faq.diagnosis import tree as diagnosis
from faq.diagnosis.tree import Card, Field, Leaf, Step, Ticket, Walk
from handlers.texts import diagnosis as texts
from handlers.turn import Turn

_SCHOOL = "school"
_TRIED = "tried"


def begin(turn: Turn, leaf_id: str) -> None:
    """Start the card of this end of the tree; an unknown one starts none."""
    filled = {"error": turn.state.error} if turn.state.error else {}
    turn.state.request = {"leaf": leaf_id, "filled": filled}


def kind(turn: Turn) -> Ticket | None:
    """The kind of ticket that is being filled in; None when the diagnosis has led to none."""
    card = _card(turn)
    return card.ticket if card is not None else None


def leaf(turn: Turn) -> str | None:
    """The end of the tree that the card is of."""
    return str(turn.state.request.get("leaf", "")) or None


def is_for_new_school(turn: Turn) -> bool:
    """Whether the card is for the school to which the child went, so that no school we know is meant."""
    ticket = kind(turn)
    return ticket is not None and ticket.to == "new_school"


def missing(turn: Turn) -> tuple[Field, ...]:
    """What is still to be asked, in order; the school has its own question."""
    card, filled = _card(turn), _filled(turn)
    asked = card.missing if card is not None else ()
    return tuple(each for each in asked if each.id != _SCHOOL and each.id not in filled)


def fill(turn: Turn, field: str, text: str) -> None:
    """Note what the parent told for a line; an empty text means that it was skipped."""
    turn.state.request = {**turn.state.request, "filled": {**_filled(turn), field: text}}


def lines(turn: Turn, school: str) -> tuple[tuple[str, str], ...]:
    """Titles and texts; without a kind of ticket all that the diagnosis has learnt so far."""
    card, way = _card(turn), _way(turn)
    if card is None:
        known = [(texts.ERROR, turn.state.error)] if turn.state.error else []
        return (*known, *way)
    shown = [each for each in turn.knowledge.tree.fields.values() if _stands_on(card, each)]
    told = [(each.title, _worded(turn, card, each, school)) for each in shown]
    left_out = [title for title, text in told if not text]
    return (
        *((title, text) for title, text in told if text),
        *([(texts.LEFT_OUT, ", ".join(left_out).capitalize())] if left_out else []),
        *way,
    )


def age_group(turn: Turn) -> str:
    """The age group of the child that the diagnosis was about, if it came up."""
    return diagnosis.age_group_in(_step(turn).facts)


def _stands_on(card: Card, field: Field) -> bool:
    return field.id in card.ticket.needs and (field.id != _TRIED or field.id in card.known)


def _worded(turn: Turn, card: Card, field: Field, school: str) -> str:
    told = school if field.id == _SCHOOL else _filled(turn).get(field.id) or card.known.get(field.id)
    return told or field.unless_told


def _way(turn: Turn) -> tuple[tuple[str, str], ...]:
    """What was said at once, and the questions with their answers."""
    if not turn.state.walk:
        return ()
    told = diagnosis.explain(turn.knowledge.tree, _step(turn))
    return ((texts.WAY, "; ".join(told)),) if told else ()


def _filled(turn: Turn) -> Mapping[str, str]:
    filled = turn.state.request.get("filled", {})
    return filled if isinstance(filled, Mapping) else {}


def _card(turn: Turn) -> Card | None:
    """The card of the end that was chosen, with what the walk to it has told."""
    tree = turn.knowledge.tree
    leaf = tree.leaves.get(str(turn.state.request.get("leaf", "")))
    if leaf is None:
        return None
    step = _step(turn)
    if not _ends_at(step, leaf):
        step = diagnosis.start_at(tree, leaf.id, step.facts)
    return diagnosis.card(tree, replace(step, shown=diagnosis.failed(leaf)))


def _step(turn: Turn) -> Step:
    """Where the person stands in the diagnosis."""
    return diagnosis.resume(turn.knowledge.tree, Walk.from_plain(turn.state.walk))


def _ends_at(step: Step, leaf: Leaf) -> bool:
    return isinstance(step.shown, Leaf) and step.shown.id == leaf.id
