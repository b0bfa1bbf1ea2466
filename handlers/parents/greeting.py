"""Hello, thanks and goodbye: short human replies that are no answers."""

from __future__ import annotations

import structlog

from handlers.parents import escalation, questions, schools
from handlers.texts import basics as texts
from handlers.texts import schools as texts_schools
from handlers.turn import Turn
from storage import journal, people, tickets

_log = structlog.get_logger(__name__)


async def start(turn: Turn, payload: str) -> None:
    """Somebody pressed /start or «Начать», perhaps through a link with a payload."""
    await escalation.forget_school(turn)
    if payload.startswith(schools.LINK) and await _start_at_school(turn, payload):
        return
    topic = turn.knowledge.topic(payload)
    if topic is not None:
        await welcome(turn)
        await questions.show(turn, topic, confidence=1.0)
        return
    await turn.say(texts.GREETING, questions.menu_buttons())
    await _note(turn)


async def _start_at_school(turn: Turn, payload: str) -> bool:
    """Somebody came by the poster of their school; False if there is no such school."""
    school = await schools.of_link(turn, payload)
    if school is None:
        _log.warning("unknown_school_link", channel=turn.person.channel)
        return False
    turn.state.school_id = school.id
    name = schools.named(school)
    mine = await tickets.of_person(turn.tx, turn.person.id, limit=1)
    if mine and mine[0].state != "closed":
        await turn.say(texts_schools.remembered_beside(name, mine[0].id))
        return True
    await turn.say(f"{texts_schools.greeted(name)}\n\n{texts.GREETING}", questions.menu_buttons())
    await _note(turn)
    return True


async def welcome(turn: Turn) -> None:
    """Say hello to somebody who began with a question; only the first time."""
    if turn.person.greeted_at is not None:
        return
    await turn.say(texts.SHORT_GREETING)
    await _note(turn)


async def renew_notice(turn: Turn) -> None:
    """Show the notice about personal data once more to somebody who knows only an older wording of it."""
    if turn.person.greeted_at is None or turn.person.notice_version == texts.NOTICE_VERSION:
        return
    await turn.say(texts.NOTICE_CHANGED)
    await _note(turn)


async def small_talk(turn: Turn, kind: str) -> None:
    """Reply to a courtesy, or to a word about ourselves."""
    if kind == "greeting" and turn.person.greeted_at is None:
        await turn.say(texts.GREETING, questions.menu_buttons())
        await _note(turn)
        return
    replies = {
        "greeting": texts.GREETING_AGAIN,
        "thanks": texts.THANKS,
        "bye": texts.BYE,
        "about_bot": texts.ABOUT_BOT,
        "abuse": texts.ABUSE,
    }
    buttons = questions.menu_buttons() if kind in {"about_bot", "abuse"} else ()
    await turn.say(replies[kind], buttons)


async def _note(turn: Turn) -> None:
    await people.note_greeted(turn.tx, turn.person.id, notice_version=texts.NOTICE_VERSION, now=turn.now)
    await journal.note(
        turn.tx, "greeted", actor="bot", now=turn.now, details={"notice": texts.NOTICE_VERSION}
    )
