"""Measuring a matcher, and the bar it may not fall under."""

from pathlib import Path

import pytest

from faq.deciding import load_thresholds, thresholds_as_yaml
from faq.evaluation import LabelledError, auroc, choose_thresholds, evaluate, read_labelled
from faq.matcher import Matcher
from faq.topic import Base


def test_the_matcher_keeps_its_bar(matcher: Matcher, base: Base, dev_questions: Path) -> None:
    report = evaluate(matcher, read_labelled(dev_questions, slugs=base.topics))

    assert report.in_scope.top1 >= 0.85
    assert report.in_scope.top3 >= 0.95
    assert report.in_scope.answered_right >= 0.65
    assert report.in_scope.answered_wrong <= 0.05
    assert report.in_scope.answered_right + report.in_scope.clarified_right >= 0.92
    assert report.out_of_scope.answered_right + report.out_of_scope.answered_wrong <= 0.05
    assert report.ambiguous.clarified_right >= 0.7
    assert report.auroc >= 0.95


def test_the_table_names_what_was_measured(matcher: Matcher, tmp_path: Path) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text(
        "text\tlabels\tkind\nзабыла пароль от госуслуг\tpassword-recovery\tplain\n"
        "курс евро\tout-of-scope\toos-far\nпароль\tpassword-recovery, child-password-reset\tambiguous\n",
        encoding="utf-8",
    )
    report = evaluate(matcher, read_labelled(path))
    table = report.table()

    assert report.in_scope.answered_right == 1.0
    assert report.out_of_scope.unknown == 1.0
    assert report.ambiguous.clarified_right == 1.0
    for said in ("top-1", "plain", "oos-far", "AUROC", "p99"):
        assert said in table


def test_an_empty_file_is_measured_too(matcher: Matcher) -> None:
    assert "AUROC" in evaluate(matcher, []).table()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\tlabels\nа\tб\n", "kind"),
        ("", "text, labels, kind"),
        ("text\tlabels\tkind\nвопрос\tnowhere\tplain\n", "строка 2: темы nowhere"),
        ("text\tlabels\tkind\nвопрос\tpassword-recovery\n", "строка 2: столбцов 2"),
        ("text\tlabels\tkind\nвопрос\t\tplain\n", "строка 2: пустой"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, base: Base, content: str, said: str) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(LabelledError, match=said):
        read_labelled(path, slugs=base.topics)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelledError, match="не читается"):
        read_labelled(tmp_path / "none.tsv")


def test_quotes_in_a_message_stay(tmp_path: Path) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text('text\tlabels\tkind\n"нет" и всё\tout-of-scope\tplain\n', encoding="utf-8")

    (row,) = read_labelled(path)

    assert row.text == '"нет" и всё'
    assert not row.in_scope


def test_auroc_is_the_chance_to_be_above() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.5], [0.5]) == 0.5
    assert auroc([], [0.1]) == 0.5


def test_thresholds_are_chosen_on_held_out_messages(
    matcher: Matcher, dev_questions: Path, tmp_path: Path
) -> None:
    thresholds = choose_thresholds(matcher.scorer, read_labelled(dev_questions))
    path = tmp_path / "thresholds.yaml"
    path.write_text(thresholds_as_yaml(thresholds), encoding="utf-8")

    assert load_thresholds(path) == thresholds
    assert 0.5 <= thresholds.answer_from <= 1.0
    assert thresholds.figures["held_out_answered_wrong"] <= 0.03
