"""The golden questions, and what counts as a change for the worse."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from faq.content.topic import Base, with_topics
from faq.matching.matcher import Candidate, Decision, Matcher
from faq.matching.separating import Separation
from faq.measuring.golden import Remembering, harms, load_golden
from faq.measuring.labelled import Labelled, LabelledError

TEXT = "не пускает в дневник"


@dataclass
class Says:
    """A matcher that has one thing to say, and counts how often."""

    decision: Decision
    times: int = field(default=0)

    def match(self, text: str) -> Decision:  # noqa: ARG002 - says the same to everybody
        self.times += 1
        return self.decision


def answer(slug: str, *also: Decision) -> Decision:
    return Decision("answer", slug, 0.9, (Candidate(slug, 0.9),), TEXT, also=also)


def clarify(*slugs: str) -> Decision:
    return Decision("clarify", slugs[0], 0.4, tuple(Candidate(slug, 0.2) for slug in slugs), TEXT)


UNKNOWN = Decision("unknown", None, 0.0, (), TEXT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (answer("right"), answer("other")),
        (clarify("right", "other"), answer("other")),
        (UNKNOWN, answer("other")),
        (answer("right"), clarify("other", "third")),
        (answer("right"), UNKNOWN),
        (clarify("other", "right"), UNKNOWN),
        (clarify("a", "b", "c", "right"), clarify("a", "b", "c", "d", "right")),
        (answer("right"), answer("right", answer("other"))),
    ],
)
def test_a_worse_answer_is_harm(before: Decision, after: Decision) -> None:
    row = Labelled(TEXT, frozenset({"right"}), "plain")

    (harm,) = harms(Says(before), Says(after), [row])

    assert (harm.row, harm.before, harm.after) == (row, before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (answer("right"), answer("right")),
        (answer("right"), clarify("other", "right")),
        (clarify("other", "right"), answer("right")),
        (answer("other"), answer("third")),
        (answer("other"), clarify("other", "right")),
        (UNKNOWN, clarify("other", "third")),
        (answer("other"), answer("right", answer("other"))),
    ],
)
def test_what_was_no_better_before_is_no_harm(before: Decision, after: Decision) -> None:
    row = Labelled(TEXT, frozenset({"right"}), "plain")

    assert harms(Says(before), Says(after), [row]) == ()


def test_a_foreign_question_may_be_asked_back_but_not_newly_answered() -> None:
    foreign = Labelled(TEXT, frozenset(), "oos-near")

    assert len(harms(Says(UNKNOWN), Says(answer("other")), [foreign])) == 1
    assert harms(Says(UNKNOWN), Says(clarify("other")), [foreign]) == ()
    assert harms(Says(answer("other")), Says(answer("third")), [foreign]) == ()


def test_a_separating_question_offers_its_own_buttons() -> None:
    row = Labelled(TEXT, frozenset({"right"}), "ambiguous")
    asked = Separation("Что пишет страница?", {"right": "Код", "other": "Пароль"})
    asking = replace(clarify("other", "third"), question=asked)

    assert harms(Says(answer("right")), Says(asking), [row]) == ()
    (harm,) = harms(Says(asking), Says(clarify("other", "third")), [row])
    assert harm.before is asking


def test_what_was_said_once_is_remembered() -> None:
    old = Says(answer("right"))
    remembering = Remembering(old)
    row = Labelled(TEXT, frozenset({"right"}), "plain")
    for after in (answer("right"), UNKNOWN):
        harms(remembering, Says(after), [row])
    harms(Remembering(old, remembering.known), Says(UNKNOWN), [row])

    assert old.times == 1


def test_a_phrasing_taken_from_another_topic_is_harm(few_matcher: Matcher, few: Base) -> None:
    rows = [row for row in load_golden() if "snils-mismatch" in row.labels]
    stolen = next(row for row in rows if "snils-mismatch" in few_matcher.match(row.text).answered)
    taker = few.topics["password-recovery"]
    worse = with_topics(few, {taker.slug: replace(taker, phrasings=(*taker.phrasings, stolen.text))})

    found = harms(few_matcher, Matcher(worse), rows)

    assert stolen in [each.row for each in found]


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "golden.tsv"
    path.write_text("вопрос\n", encoding="utf-8")
    with pytest.raises(LabelledError, match="text, labels, kind"):
        load_golden(path)
