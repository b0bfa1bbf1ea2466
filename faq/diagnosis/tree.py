"""«Не могу войти»: at most three questions lead from a symptom to an answer or to a card for the school."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from faq.content.loading import BaseError, Document, Problem, read_document
from faq.content.topic import Fault
from faq.matching.reading import NOTION, Part, Reading
from faq.packaged import CONTENT
from faq.text import normalise

PACKAGED = CONTENT / "diagnosis.yaml"
"""The tree that is installed with the program."""

MOST_QUESTIONS = 3
"""Questions on any path: nobody answers a fourth."""
CHOICES = range(2, 8)
"""Answers to one question; with three ways out they are the ten buttons that VK takes."""
LONGEST_BUTTON = 40
"""Characters; VK cuts a longer label."""
LONGEST_QUESTION = 120
LONGEST_PAYLOAD = 40
"""Bytes of a choice's payload: messengers take 64 with whatever the dialogue puts before it."""

Facts = Mapping[str, str]
"""What is known: the name of a fact → its value, both of the tree."""
NOTHING: Facts = MappingProxyType({})
"""Nothing is known."""
Addressee = Literal["school", "new_school"]
Needed = Literal["always", "policy", "optional", "auto"]

LONGEST_HEARD = 60
"""Words of a message that facts are taken from."""
LONGEST_SYMPTOM = 15
"""Words of a complaint; a longer message says what is wrong, and asking would not listen."""

_NEAR = 8  # words between the first and the last word of what is heard
_AGES = range(6, 18)
_TEEN = 14
_UP_TO = frozenset({"до", "моложе", "младше", "менее"})
_BESIDE = 2  # words between a number and whose age it is
_YEARS = frozenset({"год", "лет", "годик", "годов", "летний"})
_CLASS = frozenset({"класс", "классник"})
_CHILD_CLASSES = range(1, 7)  # classes 7 and 8 hold children of both ages
_TEEN_CLASSES = range(9, 12)


@dataclass(frozen=True, slots=True)
class Said:
    """Words that together tell a fact: alternatives of word sequences, and what must not be there."""

    wanted: tuple[tuple[tuple[str, ...], ...], ...]
    unwanted: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a fact: how a card words it, what it tells and what it makes likely, how it is said."""

    says: str
    implies: Facts = field(default_factory=dict)
    assumes: Facts = field(default_factory=dict)
    """Not asked because of it, but not told on a card either."""
    heard: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """What can be known of a trouble."""

    label: str
    values: Mapping[str, Value]
    first: bool = False
    """Of several heard values the first counts; otherwise they cancel each other."""
    beside: frozenset[str] = frozenset()
    """Words next to which a number is an age."""


@dataclass(frozen=True, slots=True)
class Option:
    """An answer: what a tap on it tells, when it is known without asking, when it is not offered."""

    id: str
    button: str
    to: str
    sets: Facts
    when: Mapping[str, tuple[str, ...]]
    unless: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answers."""

    id: str
    text: str
    options: tuple[Option, ...]

    def option(self, option_id: str) -> Option | None:
        """The answer with this id."""
        return next((each for each in self.options if each.id == option_id), None)


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a card: filled from facts, asked of the parent, or written by the bot."""

    id: str
    title: str
    needed: Needed
    facts: tuple[str, ...] = ()
    ask: str = ""
    answers: tuple[str, ...] = ()
    """Ready answers; others can be typed."""
    unless_told: str = ""
    """What the card says when the parent does not tell; empty: that it was left out."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A kind of request: who gets it and what its card must hold."""

    id: str
    title: str
    to: Addressee
    needs: tuple[str, ...]
    urgent: bool = False
    one_per_school: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where a walk ends: the topic to answer with, the ticket to offer, the ticket if it did not help."""

    id: str
    topic: str | None = None
    ticket: str | None = None
    failed: str | None = None
    done: bool = False
    """The steps of the topic's answer were gone through already: only the ticket is left."""


@dataclass(frozen=True, slots=True)
class Tree:
    """All questions, leaves, kinds of tickets and facts; nothing in it changes."""

    start: str
    facts: Mapping[str, Fact]
    questions: Mapping[str, Question]
    leaves: Mapping[str, Leaf]
    tickets: Mapping[str, Ticket]
    fields: Mapping[str, Field]
    warning: str
    symptoms: tuple[Said, ...] = ()
    """How people say that it does not work, without a word of what."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a person stands: what was known at the start, the taps since, where an error text led at once.

    Kept as `to_plain`; what another version of the tree cannot follow starts again.
    """

    facts: Facts = field(default_factory=dict)
    taps: tuple[tuple[str, str], ...] = ()
    at: str = ""

    def to_plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"facts": dict(self.facts), "taps": [list(tap) for tap in self.taps], "at": self.at}

    @classmethod
    def from_plain(cls, plain: object) -> "Walk":
        """Read back whatever was stored; what makes no sense is left out."""
        if not isinstance(plain, Mapping):
            return cls()
        facts, taps, at = plain.get("facts"), plain.get("taps"), plain.get("at")
        return cls(
            facts={key: value for key, value in facts.items() if isinstance(key, str) and _is_text(value)}
            if isinstance(facts, Mapping)
            else {},
            taps=tuple((tap[0], tap[1]) for tap in taps if _is_tap(tap)) if isinstance(taps, list) else (),
            at=at if isinstance(at, str) else "",
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: its label, and what `answer` is to be told when it is pressed."""

    label: str
    payload: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is put to this person: answers that what is known rules out are not offered."""

    id: str
    text: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be shown now, the walk to be stored, and all that is known by now."""

    walk: Walk
    shown: Asked | Leaf
    facts: Facts
    path: tuple[tuple[Question, Option], ...] = ()
    """The questions that were put and their answers."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a ticket says so far, and the fields that only the parent can fill."""

    ticket: Ticket
    known: Mapping[str, str]
    """The id of a field → what the card says."""
    missing: tuple[Field, ...]
    """In the order in which they are asked."""


@cache
def load_tree(path: Path = PACKAGED) -> Tree:
    """Read a tree; raises BaseError naming every line that cannot be used."""
    return read_tree(path)[0]


def read_tree(path: Path = PACKAGED) -> tuple[Tree, Document]:
    """Read a tree with the lines of its file; raises BaseError."""
    document = read_document(path)
    faults = [*_shape_faults(document.plain)]
    if faults:
        raise BaseError(tuple(document.problem(fault) for fault in faults))
    plain = document.plain
    tree = Tree(
        start=plain["start"],
        facts={name: _fact(each) for name, each in plain["facts"].items()},
        questions={name: _question(name, each) for name, each in plain["questions"].items()},
        leaves={name: Leaf(id=name, **each) for name, each in plain["leaves"].items()},
        tickets={
            name: Ticket(id=name, **{**each, "needs": tuple(each["needs"])})
            for name, each in plain["tickets"].items()
        },
        fields={
            name: Field(
                id=name,
                **{**each, "facts": tuple(each.get("facts", ())), "answers": tuple(each.get("answers", ()))},
            )
            for name, each in plain["fields"].items()
        },
        warning=plain["warning"].strip(),
        symptoms=tuple(map(said, plain["symptoms"])),
    )
    return tree, document


# --- walking ---


def start(tree: Tree, facts: Facts = NOTHING) -> Step:
    """Begin with what is known already: from the text, an error text, the family; the rest is asked."""
    return _go(tree, Walk(facts=_completed(tree, facts)))


def start_at(tree: Tree, place: str, facts: Facts = NOTHING) -> Step:
    """Begin at a question or a leaf, where an error text leads; an unknown place begins as `start` does."""
    return _go(tree, Walk(facts=_completed(tree, facts), at=place))


def after_topic(tree: Tree, slug: str, facts: Facts = NOTHING) -> Step | None:
    """After «Не помогло» under an answer: the ticket of its leaf, or None where the walk has none for it."""
    leaves = [leaf for leaf in tree.leaves.values() if leaf.topic == slug and (leaf.failed or leaf.ticket)]
    if not leaves:
        return None
    # Of several leaves with the answer the one that waits for its failure knows best what comes next.
    leaf = min(leaves, key=lambda each: each.failed is None)
    step = start_at(tree, leaf.id, facts)
    return replace(step, shown=failed(leaf))


def resume(tree: Tree, walk: Walk) -> Step:
    """Show again where the person stands; a walk that this tree cannot follow starts again."""
    return _go(tree, walk)


def hear(tree: Tree, walk: Walk, facts: Facts) -> Step:
    """The person typed something on the way: it is not asked, and taps that it contradicts are off."""
    heard = _completed(tree, facts)
    now = _go(tree, walk)
    agreed = takewhile(lambda put: _agree(put[1].sets, heard), now.path)
    taps = tuple((question.id, option.id) for question, option in agreed)
    at = "" if heard and walk.at in tree.leaves else walk.at
    return _go(tree, Walk(facts=_completed(tree, {**walk.facts, **heard}), taps=taps, at=at))


def answer(tree: Tree, walk: Walk, payload: str) -> Step:
    """A choice was tapped, of the question asked now or of an earlier one; a stale one changes nothing."""
    question_id, _, option_id = payload.partition(".")
    question = tree.questions.get(question_id)
    now = _go(tree, walk)
    asked = [*(each.id for each, _ in now.path), now.shown.id if isinstance(now.shown, Asked) else ""]
    if question is None or question.option(option_id) is None or question_id not in asked:
        return now
    kept = now.walk.taps[: asked.index(question_id)]
    return _go(tree, replace(now.walk, taps=(*kept, (question_id, option_id))))


def back(tree: Tree, walk: Walk) -> Step:
    """Take the last tap back; before any, drop what was understood without asking."""
    now = _go(tree, walk)
    if now.walk.taps:
        return _go(tree, replace(now.walk, taps=now.walk.taps[:-1]))
    return start(tree)


def restart(tree: Tree) -> Step:
    """Begin anew with nothing known."""
    return start(tree)


def failed(leaf: Leaf) -> Leaf:
    """The same end after its answer did not help: what is left is the ticket, if it has one."""
    return replace(leaf, ticket=leaf.ticket or leaf.failed, failed=None, done=True)


def explain(tree: Tree, step: Step) -> tuple[str, ...]:
    """The way to here in words, for the card: what was said at once, then the questions with the answers."""
    told = dict(step.walk.facts)
    said = [_worded(tree, name, told[name]) for name in tree.facts if name in told]
    return (*said, *(f"{question.text} — {option.button}" for question, option in step.path))


def card(tree: Tree, step: Step) -> Card | None:
    """What the ticket of this end says so far and what is missing; None where there is no ticket."""
    leaf = step.shown
    if not isinstance(leaf, Leaf) or leaf.ticket is None:
        return None
    ticket = tree.tickets[leaf.ticket]
    known: dict[str, str] = {}
    missing: list[Field] = []
    for each in tree.fields.values():
        if each.id not in ticket.needs:
            continue
        facts = [name for name in each.facts if name in step.facts]
        told = [
            _worded(tree, name, step.facts[name])
            if each.needed == "auto"
            else tree.facts[name].values[step.facts[name]].says
            for name in facts
        ]
        # Whose age it is must be known, too.
        if told and (each.id != "who" or "who" in step.facts):
            known[each.id] = ", ".join(told)
        elif each.needed in ("always", "policy"):
            missing.append(each)
    return Card(ticket, known, tuple(missing))


def topics_ahead(tree: Tree, step: Step) -> frozenset[str]:
    """The topics of all ends that can still be reached, given what is known."""
    if isinstance(step.shown, Leaf):
        return frozenset({step.shown.topic} if step.shown.topic else ())
    following = [answer(tree, step.walk, choice.payload) for choice in step.shown.choices]
    return frozenset(topic for each in following for topic in topics_ahead(tree, each))


_AGE_GROUPS: Mapping[str, Facts] = {
    "under14": {"age": "under14"},
    "14_no_passport": {"age": "from14", "passport": "none"},
    "from14": {"age": "from14", "passport": "has"},
}


def of_age_group(group: str) -> Facts:
    """What a remembered age group of a child tells: `under14`, `14_no_passport` or `from14`."""
    return _AGE_GROUPS.get(group, {})


def age_group_in(facts: Facts) -> str:
    """The age group that is known; empty where it is not."""
    return next((group for group, told in _AGE_GROUPS.items() if told.items() <= facts.items()), "")


def _go(tree: Tree, walk: Walk) -> Step:
    """Follow the taps and what is known as far as they lead."""
    told = _known_to(tree, walk.facts)
    if walk.at in tree.leaves:
        return Step(Walk(facts=told, at=walk.at), tree.leaves[walk.at], told)
    place = walk.at if walk.at in tree.questions else tree.start
    taps = dict(walk.taps)
    likely = _assumed(tree, told)
    facts = {**likely, **told}
    assumed = set(likely)
    path: list[tuple[Question, Option]] = []
    passed: set[str] = set()
    while place in tree.questions and place not in passed:
        passed.add(place)
        question = tree.questions[place]
        tapped = question.option(taps[place]) if place in taps else None
        option = tapped or _implied(question, facts)
        if option is None:
            break
        if tapped:
            path.append((question, tapped))
            assumed -= option.sets.keys()
        facts |= option.sets
        place = option.to
    used = Walk(
        facts=told,
        taps=tuple((question.id, option.id) for question, option in path),
        at=walk.at if walk.at in tree.questions else "",
    )
    shown = tree.leaves[place] if place in tree.leaves else _asked(tree.questions[place], facts)
    known = {name: value for name, value in facts.items() if name not in assumed}
    return Step(used, shown, known, tuple(path))


def _asked(question: Question, facts: Facts) -> Asked:
    offered = [each for each in question.options if _fits(each, facts)]
    if len(offered) < CHOICES.start:
        # What is known does not fit this question at all: better all answers than none.
        offered = [*question.options]
    return Asked(
        id=question.id,
        text=question.text,
        choices=tuple(Choice(each.button, f"{question.id}.{each.id}") for each in offered),
    )


def _implied(question: Question, facts: Facts) -> Option | None:
    """The answer that follows from what is known, unless a more special one is still possible."""
    open_ones = [each for each in question.options if _fits(each, facts)]
    known = [each for each in open_ones if each.when and each.when.keys() <= facts.keys()]
    if not known:
        return None
    best = max(known, key=lambda each: len(each.when))
    doubtful = any(each not in known and each.when.keys() > best.when.keys() for each in open_ones)
    return None if doubtful else best


def _fits(option: Option, facts: Facts) -> bool:
    if option.unless and all(facts.get(name) in values for name, values in option.unless.items()):
        return False
    return all(facts.get(name, values[0]) in values for name, values in option.when.items())


def _known_to(tree: Tree, facts: Facts) -> dict[str, str]:
    return {
        name: value
        for name, value in facts.items()
        if name in tree.facts and value in tree.facts[name].values
    }


def _completed(tree: Tree, facts: Facts) -> dict[str, str]:
    """With what the values tell besides; the earlier fact of the file knows better than the later one."""
    told = _known_to(tree, facts)
    settled: dict[str, str] = {}
    for name in tree.facts:
        value = settled.get(name) or told.get(name)
        if value is not None:
            settled[name] = value
            settled = {**tree.facts[name].values[value].implies, **settled}
    return settled


def _assumed(tree: Tree, told: Facts) -> dict[str, str]:
    return {
        likely: what
        for name, value in told.items()
        for likely, what in tree.facts[name].values[value].assumes.items()
        if likely not in told
    }


def _agree(one: Facts, other: Facts) -> bool:
    return all(other.get(name, value) == value for name, value in one.items())


def _worded(tree: Tree, name: str, value: str) -> str:
    return f"{tree.facts[name].label}: {tree.facts[name].values[value].says}"


# --- hearing ---


def known_from(tree: Tree, reading: Reading) -> Facts:
    """What a message tells already, so that it is not asked; nothing from a letter, which tells a story."""
    if len(reading.whole.words) > LONGEST_HEARD:
        return {}
    sentences = [_Sentence(part) for part in (reading.parts or (reading.whole,))]
    told: dict[str, str] = {}
    for name, fact in tree.facts.items():
        heard = [
            value
            for value, each in fact.values.items()
            if any(sentence.has(said) for said in each.heard for sentence in sentences)
        ]
        if fact.beside:
            heard += [age for sentence in sentences for age in _ages_in(sentence, fact.beside)]
        heard = [*dict.fromkeys(heard)]
        if heard and (fact.first or len(heard) == 1):
            told[name] = heard[0]
    # «Мне 12», «дочке 12» without a word of one's own trouble: it is the child who cannot sign in.
    if "age" in told and ("who" not in told or any(map(_is_own_age, sentences))):
        told["who"] = "pupil"
    return _completed(tree, told)


def is_symptom(tree: Tree, reading: Reading) -> bool:
    """The message complains that it does not work; a letter tells a story and is none."""
    if len(reading.whole.words) > LONGEST_SYMPTOM:
        return False
    sentences = [_Sentence(part) for part in (reading.parts or (reading.whole,))]
    return any(sentence.has(each) for each in tree.symptoms for sentence in sentences)


class _Sentence:
    """One sentence: each word as it stands and by its dictionary form, and the notions."""

    def __init__(self, part: Part) -> None:
        self.forms = tuple(zip(part.words, part.lemmas, strict=False))
        self.notions = frozenset(each for each in part.lemmas if each.startswith(NOTION))

    def has(self, said: Said) -> bool:
        """All that is wanted stands near each other, and nothing unwanted is there."""
        if any(self._places(each) for each in said.unwanted):
            return False
        spans: list[list[tuple[int, int]]] = []
        for alternatives in said.wanted:
            if any(each[0] in self.notions for each in alternatives):
                continue
            found = [place for each in alternatives for place in self._places(each)]
            if not found:
                return False
            spans.append(found)
        return _are_near(spans)

    def _places(self, sequence: Sequence[str]) -> list[tuple[int, int]]:
        """First and last places of words that follow each other, one more word between at most."""
        return [
            (begin, end)
            for begin in range(len(self.forms))
            if (end := self._end_of(sequence, begin)) is not None
        ]

    def _end_of(self, sequence: Sequence[str], begin: int) -> int | None:
        if not _is(self.forms[begin], sequence[0]):
            return None
        place = begin
        for wanted in sequence[1:]:
            following = range(place + 1, min(place + 3, len(self.forms)))
            place = next((each for each in following if _is(self.forms[each], wanted)), -1)
            if place < 0:
                return None
        return place


def _is(form: tuple[str, str], wanted: str) -> bool:
    if wanted.endswith("*"):
        return form[0].startswith(wanted[:-1])
    return wanted in form


def _are_near(spans: Sequence[Sequence[tuple[int, int]]]) -> bool:
    """One place of each can be chosen so that all lie within _NEAR words."""
    if len(spans) <= 1:
        return True
    for begin, _ in sorted({span for found in spans for span in found}):
        if all(any(begin <= one and other < begin + _NEAR for one, other in found) for found in spans):
            return True
    return False


def _is_own_age(sentence: _Sentence) -> bool:
    """«Мне 12»: a pupil writes."""
    words = [word for word, _ in sentence.forms]
    return any(
        word == "мне"
        and any(each.isdigit() and int(each[:3]) in _AGES for each in words[place + 1 : place + 1 + _BESIDE])
        for place, word in enumerate(words)
    )


def _ages_in(sentence: _Sentence, beside: Collection[str]) -> Iterator[str]:
    forms = sentence.forms
    numbered = False
    for place, (word, _) in enumerate(forms):
        if not word.isdigit():
            continue
        numbered = True
        number = int(word[:3])
        if place and forms[place - 1][0] in _UP_TO:
            # «До 14 лет», but not «моложе 14 лет и 3 месяцев».
            if number == _TEEN and not any(each.isdigit() for each, _ in forms[place + 1 :]):
                yield "under14"
            continue
        after = {form for pair in forms[place + 1 : place + 1 + _BESIDE] for form in pair}
        around = after | {form for pair in forms[max(place - _BESIDE, 0) : place] for form in pair}
        if _CLASS & around:
            if number in _CHILD_CLASSES or number in _TEEN_CLASSES:
                yield "under14" if number in _CHILD_CLASSES else "from14"
        elif number in _AGES and "назад" not in after and (_YEARS & after or not around.isdisjoint(beside)):
            yield "under14" if number < _TEEN else "from14"
    # «Пятиклассник»: the reading knows it.
    if not numbered:
        yield from (
            age
            for notion, age in ((f"{NOTION}до14", "under14"), (f"{NOTION}с14", "from14"))
            if notion in sentence.notions
        )


# --- checking ---


def tree_problems(
    slugs: Collection[str], path: Path = PACKAGED, *, led: Collection[str] = ()
) -> tuple[Problem, ...]:
    """What must be corrected in a tree when these topics are there; `led`: where error texts lead."""
    try:
        tree, document = read_tree(path)
    except BaseError as error:
        return error.problems
    return tuple(document.problem(fault) for fault in faults_of(tree, slugs, led=led))


def faults_of(tree: Tree, slugs: Collection[str], *, led: Collection[str] = ()) -> tuple[Fault, ...]:
    """Ways that do not end, ends without an addressee, questions nobody comes to, texts that are too long."""
    faults = [
        *_question_faults(tree),
        *_leaf_faults(tree, slugs),
        *_ticket_faults(tree),
        *_fact_faults(tree),
    ]
    # Ways are followed only where every name leads somewhere.
    return tuple(faults) or tuple(_way_faults(tree, led))


def _question_faults(tree: Tree) -> Iterator[Fault]:
    places = tree.questions.keys() | tree.leaves.keys()
    if tree.start not in tree.questions:
        yield Fault(("start",), f"вопроса «{tree.start}» нет: исправьте start")
    for name in tree.questions.keys() & tree.leaves.keys():
        yield Fault(("leaves", name), f"«{name}» — и вопрос, и лист: переименуйте один из них")
    for question in tree.questions.values():
        where = ("questions", question.id)
        if not question.text.endswith("?"):
            yield Fault(where, f"«{question.text}»: в конце нужен вопросительный знак")
        if len(question.text) > LONGEST_QUESTION:
            yield Fault(where, f"вопрос длиннее {LONGEST_QUESTION} знаков ({len(question.text)}): сократите")
        if len(question.options) not in CHOICES:
            yield Fault(where, f"ответов {len(question.options)}, нужно от {CHOICES[0]} до {CHOICES[-1]}")
        yield from _option_faults(question, places)


def _option_faults(question: Question, places: Collection[str]) -> Iterator[Fault]:
    buttons: dict[str, str] = {}
    ids: set[str] = set()
    for number, option in enumerate(question.options):
        where = ("questions", question.id, "options", number)
        if option.to not in places:
            yield Fault(where, f"«{option.to}» в to — не вопрос и не лист: исправьте имя")
        if len(option.button) > LONGEST_BUTTON:
            text = (
                f"кнопка «{option.button}» длиннее {LONGEST_BUTTON} знаков ({len(option.button)}): сократите"
            )
            yield Fault(where, text)
        if len(f"{question.id}.{option.id}".encode()) > LONGEST_PAYLOAD or not _is_id(option.id):
            yield Fault(where, f"id «{option.id}»: нужны короткие латинские буквы, цифры и подчёркивания")
        if option.id in ids:
            yield Fault(where, f"id «{option.id}» в вопросе «{question.id}» записан дважды: измените один")
        ids.add(option.id)
        if buttons.setdefault(normalise(option.button), option.id) != option.id:
            yield Fault(
                where, f"кнопка «{option.button}» в вопросе «{question.id}» записана дважды: измените"
            )


def _leaf_faults(tree: Tree, slugs: Collection[str]) -> Iterator[Fault]:
    for leaf in tree.leaves.values():
        where = ("leaves", leaf.id)
        if leaf.topic is None and leaf.ticket is None:
            yield Fault(where, f"лист «{leaf.id}» никуда не ведёт: добавьте topic или ticket")
        if leaf.topic is not None and leaf.topic not in slugs:
            yield Fault(where, f"темы «{leaf.topic}» нет: исправьте topic")
        for ticket in (leaf.ticket, leaf.failed):
            if ticket is not None and ticket not in tree.tickets:
                yield Fault(where, f"заявки «{ticket}» нет в tickets: исправьте имя")
        if leaf.done and leaf.ticket is None:
            yield Fault(where, f"лист «{leaf.id}»: done бывает только вместе с ticket")


def _ticket_faults(tree: Tree) -> Iterator[Fault]:
    used = {ticket for leaf in tree.leaves.values() for ticket in (leaf.ticket, leaf.failed)}
    for ticket_id, each in tree.tickets.items():
        if ticket_id not in used:
            yield Fault(("tickets", ticket_id), f"заявка «{ticket_id}» никому не нужна: уберите её")
        for name in each.needs:
            if name not in tree.fields:
                yield Fault(("tickets", ticket_id), f"поля «{name}» нет в fields: исправьте имя")
    for field_id, line in tree.fields.items():
        for name in line.facts:
            if name not in tree.facts:
                yield Fault(("fields", field_id), f"«{name}» нет в facts: исправьте имя")
        if line.needed != "auto" and not line.ask:
            yield Fault(("fields", field_id), f"поле «{field_id}»: напишите в ask, как его спросить")
        for button in line.answers:
            if len(button) > LONGEST_BUTTON:
                text = f"ответ «{button}» длиннее {LONGEST_BUTTON} знаков: сократите"
                yield Fault(("fields", field_id), text)


def _fact_faults(tree: Tree) -> Iterator[Fault]:
    for name, fact in tree.facts.items():
        for value, each in fact.values.items():
            for told in (each.implies, each.assumes):
                yield from _unknown_facts(tree, told, ("facts", name, "values", value))
    for question in tree.questions.values():
        for number, option in enumerate(question.options):
            where = ("questions", question.id, "options", number)
            named = {key: (value,) for key, value in option.sets.items()}
            for facts in (named, option.when, option.unless):
                for key, values in facts.items():
                    yield from (
                        fault for value in values for fault in _unknown_facts(tree, {key: value}, where)
                    )


def _unknown_facts(tree: Tree, facts: Facts, where: tuple[str | int, ...]) -> Iterator[Fault]:
    for name, value in facts.items():
        if name not in tree.facts or value not in tree.facts[name].values:
            yield Fault(where, f"«{name}: {value}» нет в facts: исправьте имя или добавьте")


def _way_faults(tree: Tree, led: Collection[str]) -> Iterator[Fault]:
    reached: set[str] = set()
    for begin in (tree.start, *sorted(set(led) & (tree.questions.keys() | tree.leaves.keys()))):
        for way in _ways(tree, begin):
            reached |= {*way}
            asked = [place for place in way if place in tree.questions]
            if len(asked) > MOST_QUESTIONS or len(set(asked)) < len(asked):
                text = f"больше {MOST_QUESTIONS} вопросов подряд: {' → '.join(asked)}. Уберите один"
                yield Fault(("questions", asked[-1]), text)
    for name in tree.questions.keys() - reached:
        yield Fault(
            ("questions", name), f"к вопросу «{name}» ничто не ведёт: уберите его или сошлитесь на него"
        )
    for name in tree.leaves.keys() - reached:
        yield Fault(("leaves", name), f"к листу «{name}» ничто не ведёт: уберите его или сошлитесь на него")


def _ways(tree: Tree, place: str, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every way from here to a leaf; one that has too many questions, or turns in a circle, ends there."""
    way = (*before, place)
    if place not in tree.questions or len(way) > MOST_QUESTIONS + 1 or place in before:
        yield way
        return
    for target in dict.fromkeys(option.to for option in tree.questions[place].options):
        yield from _ways(tree, target, way)


# --- reading the file ---


def said(line: str) -> Said:
    """Read a line of `heard`; raises ValueError for one that wants nothing."""
    wanted: list[tuple[tuple[str, ...], ...]] = []
    unwanted: list[tuple[tuple[str, ...], ...]] = []
    for token in line.split():
        alternatives = tuple(tuple(each.split("_")) for each in token.removeprefix("-").split("/"))
        if any(not word.strip("*+") for each in alternatives for word in each):
            raise ValueError(token)
        (unwanted if token.startswith("-") else wanted).append(alternatives)
    if not wanted:
        raise ValueError(line)
    return Said(tuple(wanted), tuple(each for alternatives in unwanted for each in alternatives))


def _fact(plain: Mapping[str, Any]) -> Fact:
    return Fact(
        label=plain["label"],
        values={
            name: Value(
                says=each["says"],
                implies=each.get("implies", {}),
                assumes=each.get("assumes", {}),
                heard=tuple(map(said, each.get("heard", ()))),
            )
            for name, each in plain["values"].items()
        },
        first=plain.get("several") == "first",
        beside=frozenset(plain.get("beside", ())),
    )


def _question(name: str, plain: Mapping[str, Any]) -> Question:
    options = []
    for each in plain["options"]:
        sets = each.get("sets", {})
        options.append(
            Option(
                id=each["id"],
                button=each["button"].strip(),
                to=each["to"],
                sets=sets,
                when=_listed(each.get("when", sets)),
                unless=_listed(each.get("unless", {})),
            )
        )
    return Question(name, plain["text"].strip(), tuple(options))


def _listed(plain: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: (value,) if isinstance(value, str) else tuple(value) for name, value in plain.items()}


_ID = re.compile(r"[a-z0-9_]+")
# The shape of each part of the file: its keys with what they hold; those with «?» may be left out.
_TOP = {
    "start": "text",
    "facts": "map",
    "questions": "map",
    "leaves": "map",
    "tickets": "map",
    "fields": "map",
    "warning": "text",
    "symptoms": "patterns",
}
_SHAPES: Mapping[str, Mapping[str, str]] = {
    "facts": {"label": "text", "values": "map", "several": "first?", "beside": "texts?"},
    "questions": {"text": "text", "options": "list"},
    "leaves": {"topic": "text?", "ticket": "text?", "failed": "text?", "done": "flag?"},
    "tickets": {
        "title": "text",
        "to": "addressee",
        "needs": "texts",
        "urgent": "flag?",
        "one_per_school": "flag?",
    },
    "fields": {
        "title": "text",
        "needed": "needed",
        "facts": "texts?",
        "ask": "text?",
        "answers": "texts?",
        "unless_told": "text?",
    },
}
_VALUE = {"says": "text", "implies": "facts?", "assumes": "facts?", "heard": "patterns?"}
_OPTION = {
    "id": "text",
    "button": "text",
    "to": "text",
    "sets": "facts?",
    "when": "choice?",
    "unless": "choice?",
}
_WORDED = {
    "text": "нужен текст; если в нём «: » или «#», возьмите его в кавычки",
    "map": "нужны пары «имя: значение»",
    "list": "нужен список (строки с «- »)",
    "texts": "нужен список текстов",
    "flag": "напишите true или false",
    "first": "здесь бывает только first",
    "addressee": "напишите school или new_school",
    "needed": "напишите always, policy, optional или auto",
    "facts": "нужны пары «факт: значение»",
    "choice": "нужны пары «факт: значение» или «факт: [значения]»",
    "patterns": "нужен список строк, и в каждой хотя бы одно слово без минуса",
}


def _shape_faults(plain: object) -> Iterator[Fault]:
    yield from _keys(plain, _TOP, ())
    if not isinstance(plain, Mapping):
        return
    for part, shape in _SHAPES.items():
        entries = plain.get(part)
        if not isinstance(entries, Mapping):
            continue
        for name, each in entries.items():
            where = (part, str(name))
            if not isinstance(name, str) or not _is_id(name):
                yield Fault(where, f"имя «{name}»: нужны латинские буквы, цифры и подчёркивания")
            yield from _keys(each, shape, where)
            if part == "facts" and isinstance(each, Mapping) and isinstance(each.get("values"), Mapping):
                for value, inner in each["values"].items():
                    yield from _keys(inner, _VALUE, (*where, "values", str(value)))
            if part == "questions" and isinstance(each, Mapping) and isinstance(each.get("options"), list):
                for number, inner in enumerate(each["options"]):
                    yield from _keys(inner, _OPTION, (*where, "options", number))


def _keys(plain: object, shape: Mapping[str, str], where: tuple[str | int, ...]) -> Iterator[Fault]:
    if not isinstance(plain, Mapping):
        yield Fault(where, f"нужны ключи {', '.join(shape)}")
        return
    for key, kind in shape.items():
        if key in plain and not _is_kind(plain[key], kind.rstrip("?")):
            yield Fault((*where, key), f"«{key}»: {_WORDED[kind.rstrip('?')]}")
        elif key not in plain and not kind.endswith("?"):
            yield Fault(where, f"нет ключа «{key}»: добавьте его")
    for key in plain:
        if key not in shape:
            yield Fault((*where, str(key)), f"неизвестный ключ «{key}»: уберите его или исправьте опечатку")


def _is_kind(value: object, kind: str) -> bool:
    return _KINDS[kind](value)


def _is_patterns(value: object) -> bool:
    try:
        return isinstance(value, list) and bool([*map(said, value)])
    except (ValueError, AttributeError):
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_id(name: str) -> bool:
    return _ID.fullmatch(name) is not None


def _is_tap(tap: Any) -> bool:
    is_pair = isinstance(tap, (list, tuple)) and len(tap) == len(("question", "option"))
    return is_pair and all(isinstance(each, str) for each in tap)


def _is_choice(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        _is_text(each) or (_is_texts(each) and bool(each)) for each in value.values()
    )


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "text": _is_text,
    "map": lambda value: isinstance(value, Mapping) and bool(value),
    "list": lambda value: isinstance(value, list),
    "texts": _is_texts,
    "flag": lambda value: isinstance(value, bool),
    "first": lambda value: value == "first",
    "addressee": lambda value: value in ("school", "new_school"),
    "needed": lambda value: value in ("always", "policy", "optional", "auto"),
    "facts": lambda value: isinstance(value, Mapping) and all(map(_is_text, value.values())),
    "choice": _is_choice,
    "patterns": _is_patterns,
}
