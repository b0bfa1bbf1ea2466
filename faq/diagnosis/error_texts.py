"""Recognise what a screen said, pasted or half remembered, so that nobody is asked what they have told."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any, Literal, cast

from rapidfuzz import fuzz

from faq.content.loading import BaseError, Document, Problem, read_document
from faq.content.topic import Fault
from faq.diagnosis.tree import NOTHING, Facts, Leaf, Step, Tree, known_from, start, start_at
from faq.matching.reading import NOTION, Part, Reader, Reading
from faq.packaged import CONTENT
from faq.text import is_russian

PACKAGED = CONTENT / "errors.yaml"
"""The error texts that are installed with the program."""

Side = Literal["gosuslugi", "diary", "app", "browser"]
SIDES: tuple[Side, ...] = ("gosuslugi", "diary", "app", "browser")
"""Whose screen shows the text."""
LONGEST = 60
"""Words of a message that can be an error text with some words around it; a longer one tells a story."""

_SILENT = frozenset({
    "а", "более", "в", "во", "вы", "для", "до", "же", "за", "и", "из", "или", "к", "ко", "ли", "мне", "на",
    "но", "о", "об", "он", "она", "они", "писать", "по", "под", "при", "с", "со", "свой", "такой", "то",
    "у", "это", "этот", "я", "быть", "выдавать", "выскакивать", "сообщать", "тот", "ввести",
    "вводить", "что", "чтобы", "через", "вот", "там", "мы", "нас", "сейчас", "теперь", "опять", "все",
    "время", "красный",
})  # fmt: skip
"""Words that say nothing about which error it is."""
_SUPPOSED = frozenset({"если", "вдруг", "бы", "зачем"})
"""Words of somebody who sees no error but asks about one."""
_NEGATION = frozenset({"не", "ни"})
_NOT = "не "
_SAME = {
    "запись": "учетный",  # «запись не подтверждена» is said of the account
    "совпасть": "совпадать",
    "сойтись": "сходиться",
    "прийти": "приходить",
    "поступить": "поступать",
    "найтись": "найти",
}
_ALIKE = 84.0  # of 100: two spellings of one word, as RapidFuzz compares letters
_COMPARED_FROM = 5  # letters: a shorter word is the same or another
_SLACK = 4  # words that may stand between those of a text
_ALL_UP_TO = 5  # words of a text that must all be there
_SHARE = 0.75  # of the words of a longer one


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What is seen on a screen, how people retell it, and where it leads in the tree."""

    id: str
    seen: str
    verbatim: bool
    side: Side
    leads: str
    """A question or a leaf: `diagnosis.start_at` begins there."""
    knows: Facts
    sources: tuple[str, ...]
    variants: tuple[str, ...]
    unlike: frozenset[str]


@cache
def load_error_texts(path: Path = PACKAGED) -> tuple[ErrorText, ...]:
    """Read the error texts, in the order of the file; raises BaseError naming every line."""
    return read_error_texts(path)[0]


def read_error_texts(path: Path = PACKAGED) -> tuple[tuple[ErrorText, ...], Document]:
    """Read the error texts with the lines of their file; raises BaseError."""
    document = read_document(path)
    faults = [*_shape_faults(document.plain)]
    if faults:
        raise BaseError(tuple(document.problem(fault) for fault in faults))
    return tuple(map(_error_text, document.plain)), document


class ErrorTexts:
    """The error texts as one reader reads them; safe to share between threads."""

    def __init__(self, reader: Reader, error_texts: Sequence[ErrorText] | None = None) -> None:
        self._reader = reader
        self._variants = tuple(
            (each, units)
            for each in (load_error_texts() if error_texts is None else error_texts)
            for units in dict.fromkeys(
                _units(reader.read(variant).whole) for variant in (each.seen, *each.variants)
            )
            if units
        )
        self._known = frozenset(unit for _, units in self._variants for unit in units)

    def recognise(self, text: str) -> ErrorText | None:
        """The error text that a message gives, or None where it only resembles one."""
        return self.recognise_read(self._reader.read(text))

    def recognise_read(self, reading: Reading) -> ErrorText | None:
        """The same for a message that was read already."""
        if len(reading.whole.words) > LONGEST:
            return None
        found = [best for part in (*reading.parts, reading.whole) if (best := self._best(part)) is not None]
        # Of equals `max` takes the first: what was said first, then the order of the file.
        return max(found, key=lambda each: each[0])[1] if found else None

    def same(self) -> Iterator[tuple[ErrorText, ErrorText]]:
        """Two error texts that cannot be told apart after reading."""
        owners: dict[frozenset[str], ErrorText] = {}
        for each, units in self._variants:
            other = owners.setdefault(frozenset(units), each)
            if other.id != each.id:
                yield other, each

    def _best(self, part: Part) -> tuple[int, ErrorText] | None:
        words = {*part.words, *part.lemmas}
        if not _SUPPOSED.isdisjoint(words):
            return None
        places = self._places(_units(part))
        best: tuple[int, ErrorText] | None = None
        for each, units in self._variants:
            if any(unit.startswith(_NOT) and unit not in places for unit in units):
                continue
            matched = _together(units, places)
            enough = len(units) if len(units) <= _ALL_UP_TO else ceil(_SHARE * len(units))
            if matched >= enough and (best is None or matched > best[0]) and words.isdisjoint(each.unlike):
                best = matched, each
        return best

    def _places(self, said: Sequence[str]) -> Mapping[str, Sequence[int]]:
        """Where the words of the error texts stand in a message."""
        places: dict[str, list[int]] = {}
        for place, word in enumerate(said):
            # What the reader could not repair may still be a word of ours.
            bare = word.removeprefix(_NOT)
            near = (word,) if word in self._known or is_russian(bare) else [*_alike(word, among=self._known)]
            for unit in near:
                places.setdefault(unit, []).append(place)
        return places


def begin(tree: Tree, reading: Reading, error: ErrorText | None, *, known: Facts = NOTHING) -> Step:
    """The first step for a message: past what it tells, and for an error text straight to where it leads.

    `known` is what was known before it (the family); what the message tells counts more.
    """
    told = {**known, **known_from(tree, reading)}
    if error is None:
        return start(tree, told)
    told |= error.knows
    step = start(tree, told)
    # More than the error text itself was told, and it leads to an end: that end fits better.
    return step if isinstance(step.shown, Leaf) else start_at(tree, error.leads, told)


def error_text_problems(tree: Tree, facts: Collection[str], path: Path = PACKAGED) -> tuple[Problem, ...]:
    """What must be corrected in the error texts of this tree; `facts` are the ids that sources may name."""
    try:
        error_texts, document = read_error_texts(path)
    except BaseError as error:
        return error.problems
    return tuple(document.problem(fault) for fault in faults_of(error_texts, tree, facts))


def faults_of(error_texts: Sequence[ErrorText], tree: Tree, facts: Collection[str]) -> Iterator[Fault]:
    """Error texts that lead nowhere, rest on nothing, or cannot be told apart once they are read."""
    numbers: dict[str, int] = {}
    for number, each in enumerate(error_texts):
        if numbers.setdefault(each.id, number) != number:
            yield Fault((number, "id"), f"id «{each.id}» записан дважды: измените один")
        if each.leads not in tree.questions and each.leads not in tree.leaves:
            yield Fault((number, "leads"), f"«{each.leads}» — не вопрос и не лист дерева: исправьте leads")
        for name, value in each.knows.items():
            if name not in tree.facts or value not in tree.facts[name].values:
                yield Fault((number, "knows"), f"«{name}: {value}» нет среди фактов дерева: исправьте knows")
        for source in each.sources:
            if source.startswith("F") and source not in facts:
                yield Fault((number, "sources"), f"факта {source} нет в facts.yaml: исправьте номер")
    reader = Reader([text for each in error_texts for text in (each.seen, *each.variants)])
    for one, other in ErrorTexts(reader, error_texts).same():
        text = f"после чтения то же, что у «{one.id}»: уточните варианты одного из них"
        yield Fault((numbers[other.id], "variants"), f"«{other.id}» {text}")


def _units(part: Part) -> tuple[str, ...]:
    """The words that tell one text from another, a negation joined to what it denies."""
    units: list[str] = []
    denied = False
    for form in part.lemmas:
        if form.startswith(NOTION):
            break  # notions stand behind the words
        if form in _NEGATION:
            denied = True
        elif form not in _SILENT:
            unit = (_NOT if denied else "") + _SAME.get(form, form)
            denied = False
            if units[-1:] != [unit.removeprefix(_NOT)]:
                units.append(unit)
    return tuple(units)


def _together(units: Sequence[str], places: Mapping[str, Sequence[int]]) -> int:
    """How many of the words stand in the message near each other."""
    spots = sorted((place, unit) for unit in dict.fromkeys(units) for place in places.get(unit, ()))
    reach = len(units) + _SLACK
    return max(
        (
            len({unit for place, unit in spots[number:] if place < begin + reach})
            for number, (begin, _) in enumerate(spots)
        ),
        default=0,
    )


def _alike(word: str, *, among: Collection[str]) -> Iterator[str]:
    bare = word.removeprefix(_NOT)
    if len(bare) < _COMPARED_FROM:
        return
    for other in sorted(among):
        same_side = word.startswith(_NOT) == other.startswith(_NOT)
        if same_side and fuzz.ratio(bare, other.removeprefix(_NOT), score_cutoff=_ALIKE):
            yield other


_TEXTS = ("variants", "sources", "unlike")
_KEYS = {"id", "seen", "verbatim", "side", "leads", "knows", *_TEXTS}


def _error_text(plain: Mapping[str, Any]) -> ErrorText:
    return ErrorText(
        id=plain["id"],
        seen=plain["seen"].strip(),
        verbatim=plain["verbatim"],
        side=cast(Side, plain["side"]),
        leads=plain["leads"],
        knows=dict(plain["knows"]),
        sources=tuple(plain["sources"]),
        variants=tuple(plain["variants"]),
        unlike=frozenset(plain["unlike"]),
    )


def _shape_faults(plain: object) -> Iterator[Fault]:
    if not isinstance(plain, list) or not plain:
        yield Fault((), "нужен список текстов ошибок: «- id: …», «seen: …», «variants: […]»")
        return
    for number, each in enumerate(plain):
        if not isinstance(each, dict) or set(each) != _KEYS:
            text = f"у текста ошибки должны быть ровно эти ключи: {', '.join(sorted(_KEYS))}"
            yield Fault((number,), text)
            continue
        for key in ("id", "seen", "leads"):
            if not _is_text(each[key]):
                yield Fault((number, key), f"«{key}»: нужен текст")
        if not isinstance(each["verbatim"], bool):
            yield Fault((number, "verbatim"), "«verbatim»: напишите true или false")
        if each["side"] not in SIDES:
            yield Fault((number, "side"), f"«side»: выберите одно из: {', '.join(SIDES)}")
        if not isinstance(each["knows"], dict) or not all(map(_is_text, each["knows"].values())):
            yield Fault((number, "knows"), "«knows»: нужны пары «факт: значение»")
        for key in _TEXTS:
            if not isinstance(each[key], list) or not all(map(_is_text, each[key])):
                yield Fault((number, key), f"«{key}»: нужен список текстов, а пустой пишется []")
        if not each["variants"] or not each["sources"]:
            yield Fault((number,), "variants и sources не бывают пустыми: добавьте")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
