"""The golden questions may only get better, and messages that nobody has tuned to keep the bars."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from faq.content.topic import Base
from faq.matching.matcher import Matcher
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore
from faq.measuring.evaluation import Report, evaluate, outcomes_of
from faq.measuring.golden import load_golden
from faq.measuring.labelled import Labelled, read_labelled
from faq.text import normalise
from tests import golden_misses, noise

# A busy machine embeds a thousand messages in a minute or two.
pytestmark = pytest.mark.timeout(600)

FEWEST = 10
"""Golden questions of a topic."""


HELD_OUT = golden_misses.PATH.with_name("questions-heldout.tsv")
"""Labelled messages that neither the base nor the thresholds were made with."""


@pytest.fixture(scope="module")
def held_out(base: Base, dev_questions: Path) -> list[Labelled]:
    """Those that nothing else has word for word."""
    seen = {normalise(text) for topic in base.topics.values() for text in topic.phrasings}
    seen |= {normalise(row.text) for row in (*load_golden(), *read_labelled(dev_questions))}
    return [row for row in read_labelled(HELD_OUT, slugs=base.topics) if normalise(row.text) not in seen]


@pytest.fixture(scope="module")
def well_typed(held_out: list[Labelled]) -> list[Labelled]:
    return [row for row in held_out if row.in_scope and row.kind in {"plain", "short"}]


@pytest.fixture(scope="module")
def well_typed_top1(matcher: Matcher, well_typed: list[Labelled]) -> float:
    return _top1(matcher, well_typed)


def test_every_topic_has_golden_questions_in_words_of_their_own(base: Base, dev_questions: Path) -> None:
    rows = load_golden()
    taken = {normalise(text) for topic in base.topics.values() for text in topic.phrasings}
    taken |= {normalise(row.text) for row in read_labelled(dev_questions)}

    counts = {slug: sum(slug in row.labels for row in rows) for slug in base.topics}
    assert {slug: count for slug, count in counts.items() if count < FEWEST} == {}
    assert {slug for row in rows for slug in row.labels} == set(base.topics)
    assert any(not row.in_scope for row in rows)
    assert [row.text for row in rows if normalise(row.text) in taken] == []
    assert len({normalise(row.text) for row in rows}) == len(rows)


def test_hardly_anything_of_the_held_out_questions_was_seen(held_out: list[Labelled], base: Base) -> None:
    everything = read_labelled(HELD_OUT, slugs=base.topics)

    # A few words are sometimes all there is to say, so that two authors say the same.
    assert len(everything) - len(held_out) <= len(everything) // 50


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["semantic", "lexical"])
def test_the_golden_questions_may_only_get_better(mode: str, request: pytest.FixtureRequest) -> None:
    matcher: Matcher = request.getfixturevalue("matcher" if mode == "semantic" else "lexical_matcher")
    now, before = set(golden_misses.misses_of(matcher, mode=mode)), set(golden_misses.listed(mode=mode))

    worse, better = sorted(now - before), sorted(before - now)
    assert not worse, f"стало хуже:\n{golden_misses.lines_of(worse)}"
    assert not better, f"стало лучше, уберите из {golden_misses.PATH.name}:\n{golden_misses.lines_of(better)}"


def test_the_packaged_vectors_are_those_of_the_packaged_base(matcher: Matcher) -> None:
    store = VectorStore(PACKAGED_VECTORS, None)

    assert store.ignored == ()
    missing = [text for text in matcher.scorer.texts if store.missing([text])]
    assert missing == [], "векторы базы устарели: выполните helpdesk faq tune --vectors-only"


@pytest.mark.slow
def test_the_bars_hold_on_questions_that_nobody_tuned_to(matcher: Matcher, held_out: list[Labelled]) -> None:
    assert _below_the_bars(evaluate(matcher, held_out)) == []


def _below_the_bars(report: Report) -> list[str]:
    at_least = {
        "top-1": (report.in_scope.top1, 0.82),
        "top-3": (report.in_scope.top3, 0.93),
        "right or offered": (report.in_scope.right_or_offered, 0.92),
        "answered right": (report.in_scope.answered_right, 0.70),
        "AUROC": (report.auroc, 0.97),
        "ambiguous asked back": (report.ambiguous.clarified, 0.80),
        "of these with a right button": (report.ambiguous.clarified_right / report.ambiguous.clarified, 0.95),
    }
    at_most = {
        "answered wrong": (report.in_scope.answered_wrong, 0.04),
        "not ours answered": (report.out_of_scope.answered, 0.02),
        "near ones answered": (report.near.answered, 0.04),
    }
    return [
        *(f"{name}: {figure:.3f} < {bar}" for name, (figure, bar) in at_least.items() if figure < bar),
        *(f"{name}: {figure:.3f} > {bar}" for name, (figure, bar) in at_most.items() if figure > bar),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [noise.wrong_layout, partial(noise.translit, seed=1), partial(noise.typos, seed=1)],
    ids=["wrong layout", "translit", "typos"],
)
def test_mistyped_questions_are_understood_nearly_as_well(
    matcher: Matcher, well_typed: list[Labelled], well_typed_top1: float, spoil: Callable[[str], str]
) -> None:
    spoilt = [Labelled(spoil(row.text), row.labels, row.kind) for row in well_typed]

    assert well_typed_top1 - _top1(matcher, spoilt) <= 0.05


def _top1(matcher: Matcher, rows: list[Labelled]) -> float:
    return sum(outcome.rank == 0 for outcome in outcomes_of(matcher, rows)) / len(rows)
