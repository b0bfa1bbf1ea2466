"""The one question that tells topics apart which parents mix up, instead of a list of titles."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from faq.content.loading import BaseError, read_document
from faq.content.topic import Fault
from faq.packaged import CONTENT

PACKAGED = CONTENT / "confusable.yaml"
"""The separating questions that are installed with the program."""

OPTIONS = range(2, 6)
"""How many topics one question may tell apart."""
MOST_BUTTONS = 4
"""How many of them are offered at once."""

_COMPARED = 4  # candidates that a question is chosen by: the later ones are hardly ever meant


@dataclass(frozen=True, slots=True)
class Separation:
    """A question, and what is answered to it: for each topic (slug) the words of its button."""

    ask: str
    options: Mapping[str, str]


def load_separations(path: Path = PACKAGED) -> tuple[Separation, ...]:
    """Read the separating questions, in the order of the file; raises BaseError naming every problem."""
    document = read_document(path)
    faults = [*_faults(document.plain)]
    if faults:
        raise BaseError(tuple(document.problem(fault) for fault in faults))
    return tuple(
        Separation(
            ask=plain["ask"].strip(),
            options={slug: button.strip() for slug, button in plain["options"].items()},
        )
        for plain in document.plain
    )


def within(separations: Sequence[Separation], slugs: Collection[str]) -> tuple[Separation, ...]:
    """The questions as a base can ask them that has these topics only; those left with one answer go."""
    kept = (
        Separation(each.ask, {slug: button for slug, button in each.options.items() if slug in slugs})
        for each in separations
    )
    return tuple(each for each in kept if len(each.options) >= OPTIONS.start)


def choose(separations: Sequence[Separation], slugs: Sequence[str]) -> Separation | None:
    """The question that tells the two likeliest topics apart, the likelier answers first.

    `slugs` are the candidates, the best first. None if no question holds both of the first two.
    """
    candidates = list(dict.fromkeys(slugs))
    pair, compared = set(candidates[:2]), set(candidates[:_COMPARED])
    fitting = [each for each in separations if pair <= each.options.keys()]
    if len(pair) < OPTIONS.start or not fitting:
        return None
    # Of equals `min` takes the first: the order of the file decides.
    closest = min(fitting, key=lambda each: (-len(compared & each.options.keys()), len(each.options)))
    likely = [slug for slug in candidates if slug in closest.options]
    shown = islice(dict.fromkeys((*likely, *closest.options)), MOST_BUTTONS)
    return Separation(closest.ask, {slug: closest.options[slug] for slug in shown})


def _faults(plain: Any) -> Iterator[Fault]:
    if not isinstance(plain, list) or not plain:
        yield Fault((), "нужен список вопросов: «- ask: …» и «options:» с парами «тема: кнопка»")
        return
    for number, each in enumerate(plain):
        if not isinstance(each, dict) or set(each) != {"ask", "options"}:
            yield Fault((number,), "у вопроса должны быть ровно два ключа: ask и options")
            continue
        if not _is_text(each["ask"]):
            yield Fault((number, "ask"), "в ask нужен текст вопроса")
        yield from _option_faults(each["options"], where=(number, "options"))


def _option_faults(options: object, *, where: tuple[str | int, ...]) -> Iterator[Fault]:
    if not isinstance(options, dict) or len(options) not in OPTIONS:
        text = f"в options нужны пары «тема: кнопка», от {OPTIONS[0]} до {OPTIONS[-1]}"
        yield Fault(where, text)
        return
    for slug, button in options.items():
        if not _is_text(slug) or not _is_text(button):
            yield Fault(
                (*where, str(slug)), f"«{slug}»: нужны имя темы и текст кнопки, возьмите их в кавычки"
            )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
