"""Questions and answers: what the FAQ can solve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from faq.content.topic import Topic
from faq.matching.matcher import Decision
from faq.text import small_talk, wants_human, words
from handlers.messages import Button, Rows
from handlers.parents import escalation
from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from handlers.texts import family as texts_family
from handlers.turn import Turn, rows
from storage import asked, journal

AFTER_A_QUESTION = timedelta(seconds=1.2)
"""How long the bot waits for more after a message that reads as complete."""
AFTER_A_FRAGMENT = timedelta(seconds=5)
"""How long it waits after «Здравствуйте» or «у меня вопрос»: people type the rest within 5–10 s."""
SHORT = 3
"""Messages of at most so many words may be the beginning of something."""
MOST_ASKED_BACK = 2
"""Clarifying questions in a row; then other words are asked for."""
MOST_ANSWERS = 3
"""Answers to one message; nobody reads more at once."""
MOST_RELATED = 3
_CANNOT_SIGN_IN = Button(texts_diagnosis.BUTTON_START, "dx:start")
_RESUME = Button(texts_diagnosis.BUTTON_RESUME, "dx:go")
_MY_CHILDREN = Button(texts_family.BUTTON_LIST, "fam:list")


def patience(text: str) -> timedelta:
    """How long to wait whether the person goes on writing."""
    said = words(text)
    complete = text.rstrip().endswith(("?", "!", ".")) or len(said) > SHORT or wants_human(text)
    return AFTER_A_QUESTION if complete and small_talk(text) is None else AFTER_A_FRAGMENT


def menu_buttons() -> Rows:
    """The ways that are always open."""
    return rows([_CANNOT_SIGN_IN, Button(texts.BUTTON_SECTIONS, "menu"), Button(texts.BUTTON_HUMAN, "human")])


def help_buttons() -> Rows:
    """Under the words that say what can be asked for."""
    return (*menu_buttons(), (_MY_CHILDREN,))


async def answer(turn: Turn, text: str, decision: Decision) -> None:
    """Answer a question, or several of one message; ask back; or admit that we do not know."""
    found = _sorted(turn, (decision, *decision.also))
    if found.answered and len(found) > 1:
        await _answer_together(turn, found, text)
    elif found.answered:
        ((topic, clear),) = found.answered
        if topic.slug == turn.state.topic == turn.state.corrected:
            return  # a typo was mended: the answer stands right above
        await show(turn, topic, confidence=clear.confidence)
    elif found.unclear and _may_ask_back(turn, found.unclear[0]):
        await _admit(turn, found, text)
        await _clarify(turn, found.unclear[0], texts.CLARIFY)
    elif all(each.foreign for each in (decision, *decision.also)):
        await _refuse(turn, decision)
    else:
        await _not_understood(turn, decision)


async def show(
    turn: Turn, topic: Topic, *, confidence: float | None = None, more: Sequence[Button] = ()
) -> None:
    """Give the topic's answer and ask whether it helped; without a confidence it was chosen by button.

    `more` are buttons besides the usual ones.
    """
    turn.state.show(topic.slug)
    await asked.note(turn.tx, turn.person.id, [topic.slug], now=turn.now)
    await turn.say(turn.knowledge.answer(topic), _under_answer(turn, topic, more))
    details = {"chosen": True} if confidence is None else {"confidence": round(confidence, 3)}
    await journal.note(turn.tx, "answered", actor="bot", now=turn.now, topic=topic.slug, details=details)


async def helped(turn: Turn, topic: Topic) -> None:
    """The answer solved it."""
    turn.state.end_walk()
    turn.state.tried = ()
    turn.state.topic = ""
    turn.state.understood()
    await escalation.forget_school(turn)
    await journal.note(turn.tx, "helped", actor="person", now=turn.now, topic=topic.slug)
    await turn.say(texts.HELPED)


def related(turn: Turn, topic: Topic) -> list[Button]:
    """The topic's neighbours that were not shown yet."""
    others = [other for other in map(turn.knowledge.topic, topic.related) if other is not None]
    return [_choice(other) for other in others if other.slug not in turn.state.tried][:MOST_RELATED]


async def none_of_these(turn: Turn) -> None:
    """None of the offered topics is meant."""
    await journal.note(turn.tx, "none_of_these", actor="person", now=turn.now)
    await _rephrase_or_escalate(turn)


async def show_sections(turn: Turn) -> None:
    """The menu of sections."""
    sections = [Button(section.title, f"sec:{section.id}") for section in turn.knowledge.base.sections]
    await turn.say(texts.CHOOSE_SECTION, rows([*sections, _MY_CHILDREN]))


async def show_section(turn: Turn, section_id: str) -> None:
    """The topics of one section."""
    section = next((each for each in turn.knowledge.base.sections if each.id == section_id), None)
    if section is None:
        await show_sections(turn)
        return
    topics = [topic for topic in map(turn.knowledge.topic, section.topics) if topic is not None]
    back = Button(texts.BUTTON_BACK, "menu")
    await turn.say(f"**{section.title}**", rows([*map(_choice, topics), back]))


@dataclass(frozen=True)
class _Found:
    """The questions of one message by what can be done about them, the most blocking ones first."""

    answered: tuple[tuple[Topic, Decision], ...]
    unclear: tuple[Decision, ...]
    unknown: tuple[Decision, ...]

    def __len__(self) -> int:
        return len(self.answered) + len(self.unclear) + len(self.unknown)


def _sorted(turn: Turn, decisions: Iterable[Decision]) -> _Found:
    answered: dict[str, tuple[Topic, Decision]] = {}
    unclear, unknown = [], []
    for each in decisions:
        topic = turn.knowledge.topic(each.slug) if each.slug else None
        if each.decision == "clarify":
            unclear.append(each)
        elif each.decision == "answer" and topic is not None:
            answered.setdefault(topic.slug, (topic, each))
        else:
            unknown.append(each)
    return _Found(tuple(answered.values()), tuple(unclear), tuple(unknown))


async def _answer_together(turn: Turn, found: _Found, text: str) -> None:
    """All answers in one message with one row of buttons, then the question about what is unclear."""
    shown = found.answered[:MOST_ANSWERS]
    answers = [f"**{topic.title}**\n\n{turn.knowledge.answer(topic)}" for topic, _ in shown]
    more = _without_answer(found, text)
    turn.state.show(*(topic.slug for topic, _ in shown))
    await asked.note(turn.tx, turn.person.id, [topic.slug for topic, _ in shown], now=turn.now)
    await turn.say("\n\n".join([*answers, *more]), _under_answer(turn, shown[0][0]))
    for _, decision in shown:
        await _note(turn, "answered", decision, together=len(shown))
    await _note_unknown(turn, found)
    if found.unclear:
        unclear = found.unclear[0]
        await _clarify(turn, unclear, texts.clarify_too(_as_typed(text, unclear.text_read)))


async def _admit(turn: Turn, found: _Found, text: str) -> None:
    """Beside what is to be clarified: what has no answer, and what is too much at once."""
    said = _without_answer(found, text)
    if said:
        human = Button(texts.BUTTON_HUMAN, "human")
        await turn.say("\n\n".join(said), rows([human]) if found.unknown else ())
    await _note_unknown(turn, found)


def _without_answer(found: _Found, text: str) -> list[str]:
    said = [texts.no_answer_to(_as_typed(text, each.text_read)) for each in found.unknown]
    waiting = [*(decision for _, decision in found.answered[MOST_ANSWERS:]), *found.unclear[1:]]
    if waiting:
        said.append(texts.ask_apart([_as_typed(text, each.text_read) for each in waiting]))
    return list(dict.fromkeys(said))


def _as_typed(text: str, read: str) -> str:
    """The person's own words behind what was read; empty where the reading had to change them."""
    # «ё» is read as «е»; both are one character, so the places stay the same.
    plain = text.replace("ё", "е").replace("Ё", "Е")
    words_in_a_row = r"\W*".join(map(re.escape, read.split()))
    found = re.search(rf"\b{words_in_a_row}\b", plain, re.IGNORECASE)
    return text[found.start() : found.end()] if found else ""


async def _note_unknown(turn: Turn, found: _Found) -> None:
    for each in found.unknown:
        await _note(turn, "foreign" if each.foreign else "not_understood", each)


async def _note(turn: Turn, deed: str, decision: Decision, **more: Any) -> None:
    details = {"confidence": round(decision.confidence, 3), **more}
    await journal.note(turn.tx, deed, actor="bot", now=turn.now, topic=decision.slug, details=details)


async def _clarify(turn: Turn, decision: Decision, lead: str) -> None:
    """Ask the question that tells the topics apart; where there is none, `lead` and the topics' names."""
    question, choices = _asked_back(turn, decision)
    turn.state.ask_back(choices)
    turn.state.foreign = False
    await _note(turn, "clarified", decision, offered=list(choices))
    none = Button(texts.BUTTON_NONE_OF_THESE, "none")
    await turn.say(question or lead, rows([*choices.values(), none]))


def _may_ask_back(turn: Turn, decision: Decision) -> bool:
    """Whether a clarifying question leads on: other topics than those just offered, and not for ever."""
    _, choices = _asked_back(turn, decision)
    return turn.state.asked_back < MOST_ASKED_BACK and not choices.keys() <= set(turn.state.offered)


def _asked_back(turn: Turn, decision: Decision) -> tuple[str, dict[str, Button]]:
    """The question that tells the topics apart (empty: none) and its answers."""
    if decision.question is not None:
        told_apart = {
            slug: Button(label, f"t:{slug}")
            for slug, label in decision.question.options.items()
            if turn.knowledge.topic(slug) is not None
        }
        if len(told_apart) > 1:
            return decision.question.ask, told_apart
    return "", _candidates(turn, decision)


def _candidates(turn: Turn, decision: Decision) -> dict[str, Button]:
    topics = [turn.knowledge.topic(candidate.slug) for candidate in decision.candidates[:4]]
    return {topic.slug: _choice(topic) for topic in topics if topic is not None}


async def _refuse(turn: Turn, decision: Decision) -> None:
    """Somebody else's matter: other words would not help, and the staff cannot be expected to."""
    again = turn.state.foreign
    turn.state.foreign = True
    turn.state.stop_asking_back()
    await _note(turn, "foreign", decision)
    await turn.say(texts.FOREIGN_AGAIN if again else texts.FOREIGN, menu_buttons())


async def _not_understood(turn: Turn, decision: Decision) -> None:
    await _note(turn, "not_understood", decision)
    await _rephrase_or_escalate(turn)


async def _rephrase_or_escalate(turn: Turn) -> None:
    turn.state.foreign = False
    turn.state.stop_asking_back()
    if not turn.state.rephrased:
        turn.state.rephrased = True
        await turn.say(texts.REPHRASE, menu_buttons())
        return
    turn.state.understood()
    await turn.say(texts.NOT_UNDERSTOOD)
    await escalation.call_human(turn, reason="unknown")


def did_it_help(topic: Topic) -> tuple[Button, ...]:
    """The row under every answer."""
    return (
        Button(texts.BUTTON_HELPED, f"ok:{topic.slug}"),
        Button(texts.BUTTON_NOT_HELPED, f"no:{topic.slug}"),
    )


def _under_answer(turn: Turn, topic: Topic, more: Sequence[Button] = ()) -> Rows:
    human = (Button(texts.BUTTON_HUMAN, "human"),)
    # A question of the diagnosis waits: the answer came in between.
    back = ((_RESUME,),) if turn.state.asking else ()
    return (did_it_help(topic), *back, *rows(more), human)


def _choice(topic: Topic) -> Button:
    return Button(topic.button, f"t:{topic.slug}")
