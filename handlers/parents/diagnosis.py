"""«Не могу войти»: the questions of the tree, put to a person one after the other.

The tree and its engine are `faq.diagnosis.tree`; what becomes a card goes on in `handlers.parents.intake`.
"""

from __future__ import annotations

from faq.content.topic import Topic
from faq.diagnosis import tree as diagnosis
from faq.diagnosis.error_texts import ErrorText
from faq.diagnosis.tree import NOTHING, Asked, Choice, Facts, Leaf, Step, Walk
from faq.markup import escape
from faq.text import clean, normalise, words
from handlers.messages import Button, Rows
from handlers.parents import family, intake, progress, questions
from handlers.texts import basics as texts
from handlers.texts import diagnosis as said
from handlers.turn import Turn, rows
from storage import asked, journal

PREFIX = "dx:"
"""How the payloads of this file's buttons begin."""
_LONG_ENOUGH = 4
"""Letters of a word that picks an answer out of several."""
_BACK = {"назад", "вернуться", "вернись", "шаг назад"}
_AGAIN = {"начать заново", "заново", "сначала", "начать сначала", "начать с начала", "с начала"}


async def start(turn: Turn) -> None:
    """`/login` or «Не могу войти»: begin with the first question."""
    await _begin(turn, diagnosis.start(turn.knowledge.tree, await known_of(turn)))


async def begin(turn: Turn, step: Step, *, error: ErrorText | None = None) -> None:
    """Begin where a message leads: past what it tells, or straight to the end that its error text has."""
    lead = said.SEEN.format(seen=escape(error.seen)) if error is not None else said.LEAD
    await _begin(turn, step, lead=lead)
    turn.state.error = error.seen if error is not None else ""


def note(turn: Turn, told: Facts) -> None:
    """Remember what a message told of the trouble: it is not asked if the answer does not help."""
    if told and not turn.state.asking:
        turn.state.walk = Walk(facts=told).to_plain()


async def hear(turn: Turn, text: str) -> bool:
    """Take words typed while a question of the tree waits; False when they are about something else."""
    step = _current(turn)
    if step is None:
        return False
    typed = normalise(text)
    choice = _typed(step.shown, text) if isinstance(step.shown, Asked) else None
    if typed in _BACK:
        await _show(turn, diagnosis.back(turn.knowledge.tree, step.walk))
    elif typed in _AGAIN:
        await start(turn)
    elif choice is not None:
        await _show(turn, diagnosis.answer(turn.knowledge.tree, step.walk, choice.payload))
    else:
        return False
    return True


async def hear_more(turn: Turn, text: str) -> bool:
    """Take what words tell about the trouble while a question waits; False when they tell nothing."""
    step = _current(turn)
    after = await turn.knowledge.hears(step, text) if step is not None else None
    if after is None:
        return False
    await _show(turn, after)
    return True


async def ask_again(turn: Turn) -> bool:
    """Nothing was understood: put the question once more; False when none waits."""
    step = _current(turn)
    if step is None:
        return False
    await _show(turn, step, lead=said.CHOOSE)
    return True


async def press(turn: Turn, argument: str) -> None:
    """A button whose payload begins with `dx:`; `argument` is the rest. Buttons live for ever."""
    tree, walk = turn.knowledge.tree, Walk.from_plain(turn.state.walk)
    deed, _, leaf = argument.partition(".")
    if deed == "back":
        await _show(turn, diagnosis.back(tree, walk))
    elif deed == "go" and turn.state.walk:
        await _show(turn, diagnosis.resume(tree, walk))
    elif deed == "send" and leaf in tree.leaves:
        await intake.begin(turn, leaf)
    elif deed == "find":
        await _begin(turn, diagnosis.start(tree, {**await known_of(turn), **walk.facts}))
    elif deed in tree.questions:
        await _show(turn, _answered(turn, walk, argument))
    else:
        await start(turn)


async def not_helped(turn: Turn, topic: Topic) -> None:
    """«Не помогло»: what the school mends is offered to it, for the rest the cause is looked for."""
    await journal.note(turn.tx, "not_helped", actor="person", now=turn.now, topic=topic.slug)
    turn.state.topic = topic.slug
    leaf = _leaf_of(turn, topic)
    human = Button(texts.BUTTON_HUMAN, f"human:{topic.slug}")
    others = questions.related(turn, topic)
    find = Button(said.BUTTON_FIND, f"{PREFIX}find")
    if leaf is not None and leaf.ticket is not None:
        await turn.say(said.NOT_HELPED_SCHOOL, rows([_send_button(leaf), find, *others[:2], human]))
    else:
        await turn.say(texts.NOT_HELPED, rows([find, *others[:2], human]))


async def known_of(turn: Turn, text: str = "") -> Facts:
    """What the family's list tells of whoever the words are about."""
    child = await family.meant(turn, text)
    return diagnosis.of_age_group(child.age_group) if child and child.age_group else NOTHING


def _current(turn: Turn) -> Step | None:
    """The question that waits for a tap."""
    if not turn.state.asking:
        return None
    step = diagnosis.resume(turn.knowledge.tree, Walk.from_plain(turn.state.walk))
    return step if isinstance(step.shown, Asked) else None


def _answered(turn: Turn, walk: Walk, payload: str) -> Step:
    """After a tap; a button of another walk begins at its question."""
    tree = turn.knowledge.tree
    step = diagnosis.answer(tree, walk, payload)
    question = payload.partition(".")[0]
    if question in dict(step.walk.taps):
        return step
    return diagnosis.answer(tree, diagnosis.start_at(tree, question, walk.facts).walk, payload)


def _typed(shown: Asked, text: str) -> Choice | None:
    """The answer that was typed instead of tapped: its number, its label, or words that only it has."""
    typed = normalise(text)
    if typed.isascii() and typed.isdigit():
        return shown.choices[int(typed) - 1] if 0 < int(typed) <= len(shown.choices) else None
    heard = set(words(clean(text)))
    if not any(len(word) >= _LONG_ENOUGH for word in heard):
        return None
    fitting = [each for each in shown.choices if heard <= set(words(clean(each.label)))]
    exact = [each for each in fitting if normalise(each.label) == typed]
    return (exact or fitting)[0] if len(fitting) == 1 or exact else None


async def _begin(turn: Turn, step: Step, *, lead: str = said.LEAD) -> None:
    turn.state.end_walk()
    turn.state.understood()
    await _show(turn, step, lead=lead)


async def _show(turn: Turn, step: Step, *, lead: str = "") -> None:
    turn.state.walk = step.walk.to_plain()
    if isinstance(step.shown, Asked):
        turn.state.asking = step.shown.id
        await _ask(turn, step, step.shown, lead)
    else:
        turn.state.asking = ""
        await _end(turn, step, step.shown)


async def _ask(turn: Turn, step: Step, asked: Asked, lead: str) -> None:
    choices = rows(Button(each.label, f"{PREFIX}{each.payload}") for each in asked.choices)
    text = f"{lead}\n\n**{asked.text}**" if lead else f"**{asked.text}**"
    await turn.say(text, (*choices, *_ways_out(step)))


async def _end(turn: Turn, step: Step, leaf: Leaf) -> None:
    """An answer with what the school can do about it, or the offer to pass it on."""
    tree = turn.knowledge.tree
    topic = turn.knowledge.topic(leaf.topic) if leaf.topic else None
    details = {"leaf": leaf.id, "taps": len(step.path)}
    await journal.note(turn.tx, "diagnosed", actor="bot", now=turn.now, topic=leaf.topic, details=details)
    await progress.note_leaf(turn, leaf.id, facts=step.walk.facts)
    if topic is not None:
        await asked.note(turn.tx, turn.person.id, [topic.slug], now=turn.now)
    send = (_send_button(leaf),) if leaf.ticket is not None else ()
    if topic is None or (leaf.done and leaf.ticket is not None):
        title = tree.tickets[leaf.ticket].title if leaf.ticket else ""
        check = (Button(said.BUTTON_CHECK, f"t:{topic.slug}"),) if topic is not None else ()
        text = said.only_school(title, tree.warning) if title else texts.NOT_HELPED
        await turn.say(text, (*rows([*send, *check]), *_ways_out(step)))
        return
    answer = turn.knowledge.answer(topic)
    turn.state.show(topic.slug)
    await turn.say(
        f"{answer}\n\n{said.SCHOOL_MENDS}" if send else answer,
        (questions.did_it_help(topic), *rows(send), *_ways_out(step)),
    )


def _ways_out(step: Step) -> Rows:
    human = (Button(texts.BUTTON_HUMAN, "human"),)
    back = Button(said.BUTTON_BACK, f"{PREFIX}back")
    again = Button(said.BUTTON_AGAIN, f"{PREFIX}again")
    begun = bool(step.path or step.walk.facts or step.walk.at)
    return ((back, again), human) if begun else (human,)


def _send_button(leaf: Leaf) -> Button:
    return Button(said.BUTTON_SEND, f"{PREFIX}send.{leaf.id}")


def _leaf_of(turn: Turn, topic: Topic) -> Leaf | None:
    """The end of the tree that this answer belongs to, after it did not help."""
    tree = turn.knowledge.tree
    here = diagnosis.resume(tree, Walk.from_plain(turn.state.walk)).shown if turn.state.walk else None
    if isinstance(here, Leaf) and here.topic == topic.slug:
        return diagnosis.failed(here)
    step = diagnosis.after_topic(tree, topic.slug, Walk.from_plain(turn.state.walk).facts)
    return step.shown if step is not None and isinstance(step.shown, Leaf) else None
