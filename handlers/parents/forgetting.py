"""Forgetting a person who asks for it, in a chat or through the operator."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from handlers.cases import desks
from handlers.errors import HelpdeskError
from handlers.messages import Button, Outgoing
from handlers.parents import questions
from handlers.texts import family as texts
from handlers.turn import Turn, queue, rows
from storage import family, forgetting, journal, tickets
from storage.database import Transaction
from storage.forgetting import Forgotten, StillStaff
from storage.people import Person

PREFIX = "forget:"
"""How the payloads of this file's buttons begin."""


async def ask(turn: Turn) -> None:
    """«Забудь меня»: ask once, since nothing can be brought back."""
    choices = [Button(texts.BUTTON_FORGET, f"{PREFIX}yes"), Button(texts.BUTTON_KEEP, f"{PREFIX}no")]
    await turn.say(texts.ASK_FORGET, rows(choices))


async def press(turn: Turn, argument: str) -> None:
    """A button whose payload begins with `forget:`; `argument` is the rest.

    After «yes» neither the person nor the conversation of this turn exists any more.
    """
    if argument == "yes":
        await _forget_and_tell(turn)
    elif argument == "no":
        await turn.say(texts.KEPT, questions.menu_buttons())
    else:
        await ask(turn)


async def forget(tx: Transaction, person: Person, *, actor: str, now: datetime) -> Forgotten:
    """Remove everything of this person and tell the staff whose questions need no answer any more."""
    try:
        forgotten = await forgetting.forget(tx, person, now=now)
    except StillStaff as error:
        raise HelpdeskError(texts.STILL_STAFF) from error
    counts = {key: value for key, value in asdict(forgotten).items() if key != "closed"}
    await journal.note(tx, "forgotten", actor=actor, now=now, details=counts)
    for number in forgotten.closed:
        await _tell_desk(tx, number, now=now)
    return forgotten


async def _tell_desk(tx: Transaction, number: int, *, now: datetime) -> None:
    """Whoever would have answered need not: a school hears nothing of another's cases."""
    ticket = await tickets.find(tx, number)
    for reader in await desks.readers(tx, ticket) if ticket is not None else ():
        told = texts.parent_forgotten(number)
        message = Outgoing(reader.to, told, ticket_id=number, priority="notice", topic=f"№ {number}")
        await queue(tx, message, now=now)


async def _forget_and_tell(turn: Turn) -> None:
    others = [each for each in await family.places(turn.tx, turn.person.id) if each.id != turn.person.id]
    await forget(turn.tx, turn.person, actor="person", now=turn.now)
    text = f"{texts.FORGOTTEN} {texts.FORGOTTEN_ELSEWHERE}" if others else texts.FORGOTTEN
    await turn.say(text, remember=False)
