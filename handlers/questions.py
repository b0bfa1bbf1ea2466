"""Questions and answers: what the FAQ can solve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from faq.matcher import Decision
from faq.text import small_talk, wants_human, words
from faq.topic import Topic
from handlers import escalation, texts
from handlers.messages import Button, Rows
from handlers.turn import Turn, rows
from storage import journal

AFTER_A_QUESTION = timedelta(seconds=1.5)
"""How long the bot waits for more after a message that reads as complete."""
AFTER_A_FRAGMENT = timedelta(seconds=5)
"""How long it waits after «Здравствуйте» or «у меня вопрос»: people type the rest within 5–10 s."""
SHORT = 3
"""Messages of at most so many words may be the beginning of something."""


def patience(text: str) -> timedelta:
    """How long to wait whether the person goes on writing."""
    said = words(text)
    complete = text.rstrip().endswith(("?", "!", ".")) or len(said) > SHORT or wants_human(text)
    return AFTER_A_QUESTION if complete and small_talk(text) is None else AFTER_A_FRAGMENT


def menu_buttons() -> Rows:
    """The two ways that are always open."""
    return rows([Button(texts.BUTTON_SECTIONS, "menu"), Button(texts.BUTTON_HUMAN, "human")])


async def ask(turn: Turn, text: str) -> None:
    """Answer a question, ask back, or admit that we do not know."""
    decision = await turn.knowledge.match(text)
    topic = turn.knowledge.topic(decision.slug) if decision.slug else None
    if decision.decision == "answer" and topic is not None:
        await show(turn, topic, confidence=decision.confidence)
    elif decision.decision == "clarify" and not turn.state.clarified:
        await _clarify(turn, decision)
    else:
        await _not_understood(turn, decision)


async def show(turn: Turn, topic: Topic, *, confidence: float | None = None) -> None:
    """Give the topic's answer and ask whether it helped; without a confidence it was chosen by button."""
    turn.state.show(topic.slug)
    buttons = rows(
        [
            Button(texts.BUTTON_HELPED, f"ok:{topic.slug}"),
            Button(texts.BUTTON_NOT_HELPED, f"no:{topic.slug}"),
            Button(texts.BUTTON_HUMAN, "human"),
        ]
    )
    await turn.say(turn.knowledge.answer(topic), buttons)
    details = {"chosen": True} if confidence is None else {"confidence": round(confidence, 3)}
    await journal.note(turn.tx, "answered", actor="bot", now=turn.now, topic=topic.slug, details=details)


async def helped(turn: Turn, topic: Topic) -> None:
    """The answer solved it."""
    turn.state.tried = ()
    turn.state.topic = ""
    turn.state.understood()
    await escalation.forget_school(turn)
    await journal.note(turn.tx, "helped", actor="person", now=turn.now, topic=topic.slug)
    await turn.say(texts.HELPED)


async def not_helped(turn: Turn, topic: Topic) -> None:
    """The answer did not solve it: offer its neighbours and a human."""
    await journal.note(turn.tx, "not_helped", actor="person", now=turn.now, topic=topic.slug)
    turn.state.topic = topic.slug
    related = [
        other
        for other in map(turn.knowledge.topic, topic.related)
        if other is not None and other.slug not in turn.state.tried
    ]
    offered = [Button(texts.BUTTON_HUMAN, f"human:{topic.slug}"), *map(_choice, related[:3])]
    await turn.say(texts.NOT_HELPED, rows(offered))


async def none_of_these(turn: Turn) -> None:
    """None of the offered topics is meant."""
    await journal.note(turn.tx, "none_of_these", actor="person", now=turn.now)
    await _rephrase_or_escalate(turn)


async def show_sections(turn: Turn) -> None:
    """The menu of sections."""
    sections = [Button(section.title, f"sec:{section.id}") for section in turn.knowledge.base.sections]
    await turn.say(texts.CHOOSE_SECTION, rows(sections))


async def show_section(turn: Turn, section_id: str) -> None:
    """The topics of one section."""
    section = next((each for each in turn.knowledge.base.sections if each.id == section_id), None)
    if section is None:
        await show_sections(turn)
        return
    topics = [topic for topic in map(turn.knowledge.topic, section.topics) if topic is not None]
    back = Button(texts.BUTTON_BACK, "menu")
    await turn.say(f"**{section.title}**", rows([*map(_choice, topics), back]))


async def _clarify(turn: Turn, decision: Decision) -> None:
    candidates = [turn.knowledge.topic(candidate.slug) for candidate in decision.candidates[:4]]
    topics = [topic for topic in candidates if topic is not None]
    turn.state.clarified = True
    await journal.note(
        turn.tx,
        "clarified",
        actor="bot",
        now=turn.now,
        topic=decision.slug,
        details={"offered": [topic.slug for topic in topics], "confidence": round(decision.confidence, 3)},
    )
    await turn.say(texts.CLARIFY, _choices(topics))


async def _not_understood(turn: Turn, decision: Decision) -> None:
    await journal.note(
        turn.tx,
        "not_understood",
        actor="bot",
        now=turn.now,
        topic=decision.slug,
        details={"confidence": round(decision.confidence, 3)},
    )
    await _rephrase_or_escalate(turn)


async def _rephrase_or_escalate(turn: Turn) -> None:
    turn.state.clarified = False
    if not turn.state.rephrased:
        turn.state.rephrased = True
        await turn.say(texts.REPHRASE, menu_buttons())
        return
    turn.state.understood()
    await turn.say(texts.NOT_UNDERSTOOD)
    await escalation.call_human(turn, reason="unknown")


def _choices(topics: Sequence[Topic]) -> Rows:
    return rows([*map(_choice, topics), Button(texts.BUTTON_NONE_OF_THESE, "none")])


def _choice(topic: Topic) -> Button:
    return Button(topic.button, f"t:{topic.slug}")
