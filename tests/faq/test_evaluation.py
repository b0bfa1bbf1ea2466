"""Measuring a matcher: what the figures mean, by hand, and the bar the real one may not fall under."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from faq.content.topic import Base
from faq.matching.matcher import Candidate, Decision, Matcher
from faq.matching.separating import Separation
from faq.measuring.evaluation import Outcome, auroc, evaluate, misses_of, outcomes_of, report_of
from faq.measuring.figures import misses_list, report_table
from faq.measuring.labelled import Labelled, LabelledError, read_all, read_labelled
from faq.measuring.rapid import RapidMatcher, with_best_threshold

HEAD = "text\tlabels\tkind\n"


class Scripted:
    """Decides as it was told."""

    def __init__(self, decisions: Mapping[str, Decision]) -> None:
        self._decisions = decisions

    def match(self, text: str) -> Decision:
        return self._decisions[text]


def answer(*slugs: str, confidence: float = 0.9, also: tuple[Decision, ...] = ()) -> Decision:
    return Decision("answer", slugs[0], confidence, _candidates(slugs), "", also=also)


def clarify(*slugs: str, confidence: float = 0.5, question: Separation | None = None) -> Decision:
    return Decision("clarify", slugs[0], confidence, _candidates(slugs), "", question=question)


def unknown(*slugs: str, confidence: float = 0.1, foreign: bool = False) -> Decision:
    slug = slugs[0] if slugs else None
    return Decision("unknown", slug, confidence, _candidates(slugs), "", foreign=foreign)


def _candidates(slugs: tuple[str, ...]) -> tuple[Candidate, ...]:
    return tuple(Candidate(slug, 0.5) for slug in slugs)


def measured(*cases: tuple[str, str, Decision]) -> tuple[Outcome, ...]:
    """Outcomes of rows given as labels, kind and decision."""
    rows = [
        Labelled(f"сообщение {number}", frozenset(labels.split()), kind)
        for number, (labels, kind, _) in enumerate(cases)
    ]
    decisions = {row.text: decision for row, (_, _, decision) in zip(rows, cases, strict=True)}
    return outcomes_of(Scripted(decisions), rows)


# --- the figures, counted by hand -------------------------------------------------------------------------


def test_every_message_is_counted_once() -> None:
    shares = report_of(
        measured(
            ("a", "plain", answer("a", "b")),
            ("a", "plain", answer("b", "a")),
            ("a b", "plain", clarify("c", "b")),
            ("a", "plain", clarify("b", "c")),
            ("a", "plain", unknown("b", "c", "d", "a")),
            ("a", "plain", unknown(foreign=True)),
            ("a", "plain", answer("a", also=(answer("d"),))),
            ("a", "plain", answer("a", also=(clarify("d"),))),
        )
    ).in_scope

    assert (shares.count, shares.ours) == (8, 8)
    assert shares.top1 == 3 / 8
    assert shares.top3 == 5 / 8
    assert shares.answered_right == 3 / 8
    assert shares.answered_wrong == 1 / 8
    assert shares.clarified_right == 1 / 8
    assert shares.clarified_wrong == 1 / 8
    assert shares.unknown == 2 / 8
    assert shares.foreign == 1 / 8
    assert shares.right_or_offered == 4 / 8
    assert shares.extra == 1 / 8


def test_a_right_topic_that_is_on_no_button_is_not_offered() -> None:
    question = Separation("Что именно?", {"c": "Одно", "d": "Другое"})
    shares = report_of(
        measured(
            ("a", "plain", clarify("b", "c", "d", "e", "a")),
            ("a", "plain", clarify("b", "a", question=question)),
            ("d", "plain", clarify("b", "a", question=question)),
        )
    ).in_scope

    assert shares.clarified_wrong == pytest.approx(2 / 3)
    assert shares.clarified_right == pytest.approx(1 / 3)


def test_groups_are_by_scope_and_kind() -> None:
    report = report_of(
        measured(
            ("a", "plain", answer("a")),
            ("a b", "ambiguous", clarify("a", "b")),
            ("a b", "ambiguous", answer("a")),
            ("", "oos-near", answer("a")),
            ("", "oos-near", clarify("a")),
            ("", "oos-far", unknown(foreign=True)),
            ("", "oos-chitchat", unknown()),
        )
    )

    assert report.in_scope.count == 1
    assert (report.ambiguous.count, report.ambiguous.clarified) == (2, 0.5)
    assert (report.out_of_scope.count, report.out_of_scope.answered) == (4, 0.25)
    assert (report.near.answered, report.near.clarified) == (0.5, 0.5)
    assert (report.far.count, report.far.foreign) == (1, 1.0)
    assert set(report.kinds) == {"plain", "ambiguous", "oos-near", "oos-far", "oos-chitchat"}


def test_several_questions_are_each_to_be_found() -> None:
    several = report_of(
        measured(
            ("a b", "multi", answer("a", also=(answer("b"),))),
            ("a b", "multi", answer("a", also=(clarify("c", "b"),))),
            ("a b", "multi", answer("a", "b")),
            ("a b c", "multi", clarify("a", "b")),
            ("a b", "plain", answer("a")),
        )
    ).several

    assert (several.count, several.labels) == (4, 9)
    assert several.answered == 4 / 9
    assert several.found == 7 / 9
    assert several.all_answered == 1 / 4
    assert several.all_found == 2 / 4
    assert several.split == 2 / 4


def test_topics_and_confusions_are_worst_first() -> None:
    report = report_of(
        measured(
            ("a", "plain", answer("a")),
            ("a", "plain", answer("b")),
            ("a", "plain", clarify("b")),
            ("a", "plain", unknown()),
            ("b", "plain", answer("b")),
            ("c", "plain", answer("a")),
            ("c d", "multi", answer("d")),
        )
    )

    assert [(slug, shares.count, shares.top1) for slug, shares in report.topics.items()] == [
        ("c", 1, 0.0),
        ("a", 4, 0.25),
        ("b", 1, 1.0),
    ]
    assert [(each.right, each.taken, each.times, each.answered) for each in report.confusions] == [
        (("a",), "b", 2, 1),
        (("c",), "a", 1, 1),
        (("a",), None, 1, 0),
    ]


def test_our_messages_are_to_be_surer_than_others() -> None:
    report = report_of(
        measured(
            ("a", "plain", answer("a", confidence=0.9)),
            ("a", "plain", answer("a", confidence=0.5)),
            ("a b", "ambiguous", clarify("a", confidence=0.0)),
            ("", "oos-near", unknown("a", confidence=0.6)),
            ("", "oos-far", unknown("a", confidence=0.1)),
        )
    )

    assert report.auroc == 0.75
    assert report.auroc_near == 0.5
    assert report.auroc_far == 1.0


def test_time_is_in_milliseconds() -> None:
    row, decision = Labelled("вопрос", frozenset({"a"}), "plain"), answer("a")
    report = report_of([Outcome(row, decision, seconds / 1000) for seconds in range(1, 102)])

    assert (report.p50_ms, report.p99_ms, report.max_ms) == pytest.approx((51, 100, 101))


def test_misses_are_the_messages_to_look_at() -> None:
    outcomes = measured(
        ("a", "plain", answer("a")),
        ("a", "plain", clarify("b", "a")),
        ("a", "plain", unknown("a")),
        ("a", "plain", clarify("b")),
        ("a b", "ambiguous", answer("a")),
        ("", "oos-near", answer("a")),
        ("", "oos-near", clarify("a")),
        ("a", "plain", answer("b", also=(answer("c"),))),
    )
    misses = misses_of(outcomes)

    assert [(miss.fault, miss.text) for miss in misses] == [
        ("wrong", "сообщение 7"),
        ("not_ours", "сообщение 5"),
        ("not_found", "сообщение 2"),
        ("not_found", "сообщение 3"),
        ("not_clarified", "сообщение 4"),
    ]
    assert "ответил неверно [plain]: сообщение 7" in misses_list(misses)
    assert "решение: answer (b, c)" in misses_list(misses)
    assert misses_list(()) == "Таких сообщений нет."


def test_auroc_is_the_chance_to_be_above() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.5], [0.5]) == 0.5
    assert auroc([], [0.1]) == 0.5


# --- the table --------------------------------------------------------------------------------------------


def test_the_table_names_what_was_measured() -> None:
    report = report_of(
        measured(
            ("a", "plain", answer("a")), ("b c", "multi", answer("b")), ("", "oos-far", unknown(foreign=True))
        )
    )
    table = report_table({"наш": report}, topics=True)

    for said in ("top-1", "plain", "oos-far", "AUROC", "p99", "по темам, худшие сначала", "вопросов 2"):
        assert said in table
    foreign = next(line for line in table.splitlines() if line.startswith("не наши"))
    assert foreign.split() == [
        "не",
        "наши",
        "1",
        "–",
        "–",
        "–",
        "0.000",
        "–",
        "0.000",
        "1.000",
        "1.000",
        "–",
        "–",
    ]


def test_matchers_stand_side_by_side() -> None:
    one = report_of(measured(("a", "plain", answer("a"))))
    other = report_of(measured(("a", "plain", answer("b"))))
    lines = report_table({"наш": one, "чужой": other}).splitlines()

    assert lines[1].startswith("по темам")
    assert lines[1].split()[2:5] == ["наш", "1", "1.000"]
    assert lines[2].split()[:3] == ["чужой", "1", "0.000"]


def test_nothing_to_measure_is_measured_too(few_matcher: Matcher) -> None:
    report = evaluate(few_matcher, [])

    assert "AUROC «наше — не наше»: –" in report_table({"наш": report}, topics=True)
    json.dumps(asdict(report))


# --- reading labelled messages ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\tlabels\nа\tб\n", "kind"),
        ("", "text, labels, kind"),
        (f"{HEAD}вопрос\tnowhere\tplain\n", "строка 2: темы nowhere"),
        (f"{HEAD}вопрос\tpassword-recovery\n", "строка 2: столбцов 2"),
        (f"{HEAD}вопрос\t\tplain\n", "строка 2: пустой"),
        (f"{HEAD}{'а' * 200_000}\tpassword-recovery\tplain\n", "не таблица"),
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
    path.write_text(f'{HEAD}"нет" и всё\tout-of-scope\tplain\n', encoding="utf-8")

    (row,) = read_labelled(path)

    assert row.text == '"нет" и всё'
    assert not row.in_scope


def test_several_files_are_one_set(tmp_path: Path) -> None:
    one, other = tmp_path / "one.tsv", tmp_path / "other.tsv"
    one.write_text(f"{HEAD}первое\ta, b\tplain\n", encoding="utf-8")
    other.write_text("kind\ttext\tlabels\nplain\tвторое\tb\n\n", encoding="utf-8")

    assert [(row.text, row.labels) for row in read_all([one, other])] == [
        ("первое", frozenset({"a", "b"})),
        ("второе", frozenset({"b"})),
    ]
    other.write_text("text\tlabels\n", encoding="utf-8")
    with pytest.raises(LabelledError, match=r"other\.tsv, строка 1"):
        read_all([one, other])


# --- the real matcher, and the plain one ------------------------------------------------------------------


def test_by_words_alone_the_matcher_keeps_its_bar(
    lexical_matcher: Matcher, base: Base, dev_questions: Path
) -> None:
    report = evaluate(lexical_matcher, read_labelled(dev_questions, slugs=base.topics))

    assert report.in_scope.top1 >= 0.85
    assert report.in_scope.top3 >= 0.95
    assert report.in_scope.answered_right >= 0.65
    assert report.in_scope.answered_wrong <= 0.05
    assert report.in_scope.right_or_offered >= 0.92
    assert report.out_of_scope.answered <= 0.05
    assert report.ambiguous.clarified_right >= 0.7
    assert report.auroc >= 0.95


def test_the_plain_matcher_answers_from_the_nearest_phrasing(base: Base) -> None:
    topic = base.topics["password-recovery"]
    decision = RapidMatcher(base, scorer="token_set_ratio").match(topic.phrasings[0].upper())

    assert (decision.decision, decision.confidence) == ("answer", 1.0)
    assert Candidate(topic.slug, 1.0) in decision.candidates
    assert len(decision.candidates) == len({each.slug for each in decision.candidates}) == 5


@pytest.mark.parametrize("text", ["", "???", "\0", "а" * 500])
def test_the_plain_matcher_takes_any_text(base: Base, text: str) -> None:
    for scorer in ("token_set_ratio", "WRatio"):
        matcher = RapidMatcher(base, scorer=scorer, threshold=0.99)

        assert matcher.match(text).decision == "unknown"


def test_the_plain_matcher_gets_the_threshold_that_suits_it_best() -> None:
    # In order of certainty: +1, −2, +1, +1, +1, −2 make 1, −1, 0, 1, 2, 0.
    outcomes = measured(
        ("a", "plain", answer("a", confidence=0.9)),
        ("a", "plain", answer("b", confidence=0.8)),
        ("a", "plain", answer("a", confidence=0.7)),
        ("a", "plain", answer("a", confidence=0.6)),
        ("a", "plain", answer("a", confidence=0.6)),
        ("", "oos-far", answer("a", confidence=0.5)),
        ("", "oos-far", unknown()),
    )
    threshold, decided = with_best_threshold(outcomes)
    report = report_of(decided)

    assert threshold == 0.6
    assert report.in_scope.answered_right == 4 / 5
    assert report.in_scope.top1 == 4 / 5
    assert report.out_of_scope.answered == 0.0


def test_a_matcher_that_is_mostly_wrong_had_better_be_silent() -> None:
    threshold, decided = with_best_threshold(measured(("a", "plain", answer("b", confidence=1.0))))

    assert threshold > 1
    assert [each.verdict for each in decided] == ["unknown"]
