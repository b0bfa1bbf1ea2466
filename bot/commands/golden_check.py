"""What an import would do to the golden questions."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from bot.commands.measuring import vectors_in_use
from bot.index_store import IndexStore
from faq.content.topic import Base
from faq.matching.matcher import Decision, Matcher
from faq.measuring.golden import Harm, Remembering, harms, reached
from faq.measuring.labelled import Labelled

if TYPE_CHECKING:
    from bot.settings import Settings

MOST_TOLD = 10
"""Golden questions that are shown; all are counted."""

_LONGEST = 120  # characters shown of a question


def worse_than(
    before: Base, after: Base, rows: Iterable[Labelled], *, settings: Settings
) -> tuple[Harm, ...]:
    """The questions that would get worse; those whose topics the base does not have are not asked."""
    asked = [row for row in rows if not row.in_scope or not row.labels.isdisjoint(after.topics)]
    if not asked:
        return ()
    old, changed = _matchers(before, after, settings)
    new = Remembering(changed)
    label = f"Проверочные вопросы, {len(asked)}"
    with typer.progressbar(asked, label=label, file=sys.stderr) as bar:
        # The old index is asked only where there may be something to lose.
        doubtful = [row for row in bar if not _is_served(row, new.match(row.text))]
    return harms(old, new, doubtful)


def told(found: Sequence[Harm]) -> Iterator[str]:
    """The first of them for people: words, what parents get now, and would get."""
    for each in found[:MOST_TOLD]:
        yield f"«{_short(each.row.text)}»: {_outcome(each.before)} → {_outcome(each.after)}"
    if len(found) > MOST_TOLD:
        yield f"… и ещё {len(found) - MOST_TOLD}"


def _matchers(before: Base, after: Base, settings: Settings) -> tuple[Matcher, Matcher]:
    # Not kept on disk: whoever starts next needs the index of the base that is in use.
    new = Matcher(after, vectors=vectors_in_use(settings))
    old = IndexStore(settings.data_dir, semantic=settings.semantic == "auto").matcher(before)
    if old.scorer.semantic == new.scorer.semantic:
        return old, new
    # Too many vectors are missing, the bot will make them in the background: like is compared with like.
    return (Matcher(before), new) if old.scorer.semantic else (old, Matcher(after))


def _is_served(row: Labelled, decision: Decision) -> bool:
    """No wrong answer, and a right topic is answered or offered if there is one."""
    lost = row.in_scope and row.labels.isdisjoint(reached(decision))
    return row.labels.issuperset(decision.answered) and not lost


def _outcome(decision: Decision) -> str:
    if decision.answered:
        return f"ответ {', '.join(decision.answered)}"
    return f"уточнение {', '.join(decision.offered)}" if decision.offered else "не знаю"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + "…"
