"""The card for the school: what is known is filled in, the rest is asked, anything may be skipped."""

from __future__ import annotations

from datetime import timedelta

from faq.text import wants_human
from handlers.cases import cards
from handlers.messages import Button
from handlers.parents import escalation, family, school_choice
from handlers.texts import basics as texts
from handlers.texts import diagnosis as said
from handlers.texts import family as texts_family
from handlers.turn import Turn, number_in, rows
from storage import conversations
from storage.family import Child

PREFIX = "line:"
"""How the payloads of this file's buttons begin."""
LONGEST = 500
"""Characters of one line; all that was typed stands in the thread besides."""
WAIT = timedelta(minutes=10)
"""Who falls silent on the way is passed on with what was told by then."""


async def begin(turn: Turn, leaf_id: str) -> None:
    """«Передать школе»: ask what is missing on the card of this end, one line after the other."""
    if await escalation.add_to_open_question(turn, leaf_id):
        return
    cards.begin(turn, leaf_id)
    if cards.kind(turn) is None:
        await escalation.call_human(turn, reason="not_helped")
        return
    await conversations.settle(turn.tx, turn.conversation.id)
    turn.state.asking = ""
    turn.state.reason = "diagnosis"
    await go_on(turn, lead=said.begin_card(turn.knowledge.tree.warning, len(cards.missing(turn))))


async def hear(turn: Turn, text: str, *, has_file: bool = False) -> None:
    """Words typed as a line of the card; a wish for a human passes it on as it is."""
    line = " ".join(text.split())[:LONGEST]
    if wants_human(text):
        await _school(turn)
    elif line or has_file:
        await _fill(turn, _asked(turn), line or said.ON_THE_PICTURE)
    else:
        await go_on(turn)


async def press(turn: Turn, argument: str) -> None:
    """A button whose payload begins with `line:`; `argument` is the rest."""
    deed, _, detail = argument.partition(":")
    await _take_what_waits(turn)
    if turn.state.step not in {"field", "school"} or not turn.state.request:
        await turn.say(texts.CHOICE_GONE, rows([Button(said.BUTTON_START, "dx:start")]))
    elif deed == "all":
        await turn.say(said.SENDING_AS_IT_IS)
        await _school(turn)
    elif deed == "child":
        child = await family.talk_about(turn, number_in(detail))
        await _school(turn, child=child, is_chosen=True)
    elif deed == "skip":
        await _fill(turn, detail, "")
    else:
        field = turn.knowledge.tree.fields.get(deed)
        if field is None or not detail.isdigit() or number_in(detail) >= len(field.answers):
            await go_on(turn)
        else:
            await _fill(turn, deed, field.answers[number_in(detail)])


async def _fill(turn: Turn, field: str, text: str) -> None:
    cards.fill(turn, field, text)
    await go_on(turn)


async def _take_what_waits(turn: Turn) -> None:
    """Words typed just before a tap belong to the line that was asked, not to the next question."""
    waiting = await conversations.pending(turn.tx, turn.conversation.id)
    text = " ".join(message.text for message in waiting if message.text.strip())
    if waiting and turn.state.step == "field" and _asked(turn):
        await conversations.settle(turn.tx, turn.conversation.id)
        cards.fill(turn, _asked(turn), text[:LONGEST] or said.ON_THE_PICTURE)


def _asked(turn: Turn) -> str:
    missing = cards.missing(turn)
    return missing[0].id if missing else ""


async def go_on(turn: Turn, *, lead: str = "") -> None:
    """Put the question that waits; after the last line comes the school."""
    missing = cards.missing(turn)
    if not missing:
        await _school(turn, lead=lead)
        return
    field = missing[0]
    turn.state.step = "field"
    answers = [Button(label, f"{PREFIX}{field.id}:{number}") for number, label in enumerate(field.answers)]
    skip = (
        Button(said.BUTTON_SKIP, f"{PREFIX}skip:{field.id}"),
        Button(said.BUTTON_AS_IT_IS, f"{PREFIX}all"),
    )
    text = f"{lead}\n\n**{field.ask}**" if lead else f"**{field.ask}**"
    await turn.say(text, (*rows(answers), skip, (Button(texts.BUTTON_CANCEL, "cancel"),)))
    await escalation.wait(turn, WAIT)


async def _school(turn: Turn, *, lead: str = "", child: Child | None = None, is_chosen: bool = False) -> None:
    """The last line: known from the family's list, chosen out of it, or asked."""
    if cards.is_for_new_school(turn):
        await escalation.ask_for_school(turn, lead=lead)
        return
    learns = child if child is not None else await family.who_tells_the_school(turn)
    choices = await family.choice(turn, lambda number: f"{PREFIX}child:{number}")
    if learns is not None and learns.school and (child is not None or not is_chosen):
        await school_choice.open_of_child(turn, learns)
    elif choices and not is_chosen and await family.knows_a_school(turn):
        turn.state.step = "school"
        ways = (Button(texts.BUTTON_SKIP_SCHOOL, "noschool"), Button(texts.BUTTON_CANCEL, "cancel"))
        await turn.say(texts_family.WHICH_CHILD, (*choices, ways))
        await escalation.wait(turn, WAIT)
    else:
        await escalation.ask_for_school(turn, lead=lead)
