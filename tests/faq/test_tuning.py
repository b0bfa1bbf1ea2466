"""The numbers of a decision are chosen by data, and the same data choose the same."""

from pathlib import Path

import pytest

from faq.matching.deciding import Thresholds, load_thresholds, thresholds_as_yaml
from faq.matching.matcher import Matcher
from faq.measuring.golden import load_golden
from faq.measuring.labelled import Labelled
from faq.measuring.tuning import choose_thresholds


@pytest.fixture(scope="module")
def rows(few_matcher: Matcher) -> tuple[Labelled, ...]:
    """Golden questions of the few topics, and every fourth that is nobody's."""
    known = set(few_matcher.scorer.slugs)
    ours = [row for row in load_golden() if row.in_scope and row.labels <= known and len(row.text) < 80]
    others = [row for row in load_golden() if not row.in_scope]
    return (*ours, *others[::4])


@pytest.fixture(scope="module")
def chosen(few_matcher: Matcher, rows: tuple[Labelled, ...]) -> Thresholds:
    return choose_thresholds(few_matcher.scorer, rows)


def test_what_is_chosen_keeps_the_limits_on_what_was_held_out(chosen: Thresholds) -> None:
    for mode in ("lexical", "semantic"):
        assert chosen.figures[f"{mode}_top1"] > 0.8
        assert chosen.figures[f"{mode}_auroc"] > 0.9
        assert chosen.figures[f"{mode}_answered_wrong"] <= 0.04
        assert chosen.figures[f"{mode}_foreign_answered"] <= 0.02
    assert 0.5 <= chosen.semantic.answer_from <= 1.0
    assert 0.0 <= chosen.semantic.unknown_below <= 0.4
    assert chosen.lexical.answer_from <= chosen.enough_from
    assert all(weight >= 0 for weight in (*chosen.lexical.weights, *chosen.semantic.weights))


@pytest.mark.slow
def test_the_same_messages_choose_the_same(
    few_matcher: Matcher, rows: tuple[Labelled, ...], chosen: Thresholds
) -> None:
    assert choose_thresholds(few_matcher.scorer, rows) == chosen


def test_thresholds_survive_their_file(chosen: Thresholds, tmp_path: Path) -> None:
    path = tmp_path / "thresholds.yaml"
    path.write_text(thresholds_as_yaml(chosen), encoding="utf-8")

    assert load_thresholds(path) == chosen
    packaged = load_thresholds()
    path.write_text(thresholds_as_yaml(packaged), encoding="utf-8")
    assert load_thresholds(path) == packaged


def test_a_matcher_decides_by_the_thresholds_it_is_given(few_matcher: Matcher, chosen: Thresholds) -> None:
    text = "не вспомню пароль от госуслуг никак"
    few = few_matcher.base

    assert Matcher(few, thresholds=chosen).match(text).slug == "password-recovery"
