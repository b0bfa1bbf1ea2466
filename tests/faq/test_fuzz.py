"""Whatever is typed, the matcher decides: it never raises or stalls, and noise is nothing of ours."""

import unicodedata
from time import thread_time

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from faq.matching.embedding import LONGEST
from faq.matching.matcher import MOST_CANDIDATES, MOST_QUESTIONS, Decision, Matcher
from faq.matching.separating import MOST_BUTTONS

LONGEST_TEXT = 100_000
LONGEST_WAIT = 0.5  # seconds of this thread, which a busy machine does not lengthen

quietly = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

anything = st.text(max_size=400)
strange = st.text(
    st.one_of(
        st.characters(categories=["Cc", "Cf", "Co", "Cs", "Cn"]),  # controls, directions, lone surrogates
        st.characters(categories=["Mn", "Me", "Lm", "No", "Nl"]),
        st.characters(min_codepoint=0x590, max_codepoint=0x8FF),  # from the right to the left
        st.characters(min_codepoint=0x1F300, max_codepoint=0x1FAFF),
        st.sampled_from("\ufdfa\u0130ßŉǆ²ⅷ٣\u200d\ufe0f"),
    ),
    max_size=400,
)
words = st.sampled_from(
    [
        "не могу войти",
        "ПАРОЛЬ",
        "код не приходит",
        "ujceckeub",
        "ne mogu voyti",
        "снилс 123-456-789 01",
        "14 лет",
        "\n\n",
        "и ещё",
        "?!",
        "http://dnevnik.ru/?a=b",
        "😭",
        "\u202e",
        "о\u0301",
        "дневник.",
        "qwertyuiop[",
        "пщыгыдгпш",
        "а" * 60,
        "\ufdfa",
    ]
)
mixed = st.lists(st.one_of(words, anything, strange), max_size=40).map(" ".join)
short = st.one_of(anything, strange, mixed)
long = st.tuples(
    st.one_of(st.text(min_size=1, max_size=60), strange.filter(bool), words, mixed.filter(bool)),
    st.integers(min_value=1_000, max_value=LONGEST_TEXT),
).map(lambda drawn: (drawn[0] * (drawn[1] // len(drawn[0]) + 1))[: drawn[1]])


def _decides(matcher: Matcher, text: str) -> Decision:
    started = thread_time()
    decision = matcher.match(text)
    spent = thread_time() - started
    assert spent < LONGEST_WAIT, f"{spent:.2f} s for {len(text)} characters"
    _check(matcher, decision)
    return decision


def _check(matcher: Matcher, decision: Decision) -> None:
    slugs = [candidate.slug for candidate in decision.candidates]
    scores = [candidate.score for candidate in decision.candidates]
    assert decision.decision in {"answer", "clarify", "unknown"}
    assert decision.slug == (slugs[0] if slugs else None)
    assert 0.0 <= decision.confidence <= 1.0
    assert len(slugs) == len(set(slugs)) <= MOST_CANDIDATES
    assert set(slugs) <= set(matcher.base.topics)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert slugs or decision.decision == "unknown"
    assert decision.decision == "clarify" or decision.question is None
    assert decision.decision == "unknown" or not decision.foreign
    if decision.question is not None:
        assert 1 < len(decision.question.options) <= MOST_BUTTONS
        assert set(decision.question.options) <= set(matcher.base.topics)
    assert len(decision.also) < MOST_QUESTIONS
    for other in decision.also:
        assert other.also == ()
        _check(matcher, other)


@quietly
@given(text=short)
def test_any_message_is_decided_about(matcher: Matcher, text: str) -> None:
    _decides(matcher, text)


@settings(quietly, max_examples=50)
@given(text=long)
@pytest.mark.slow
def test_a_message_of_any_length_is_decided_about(matcher: Matcher, text: str) -> None:
    _decides(matcher, text)


@quietly
@given(text=short)
def test_any_message_is_decided_about_by_words_alone(lexical_matcher: Matcher, text: str) -> None:
    _decides(lexical_matcher, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\x01\x02",
        "\ud800 не могу войти",
        "а" * LONGEST_TEXT,
        "не могу войти в дневник. " * (LONGEST_TEXT // 25),
        "\ufdfa" * LONGEST_TEXT,
        "مرحبا كيف حالك" * 7_000,
        "e\u0301" * (LONGEST_TEXT // 2),
        "\u202eкинвенд",
        "💩" * LONGEST_TEXT,
        "'" * LONGEST_TEXT,
        "qwertyuiop[" * 9_000,
        "shch" * (LONGEST_TEXT // 4),
        "1234567890" * (LONGEST_TEXT // 10),
        "²³¹ ٣٤ ⅷ лет",
        "ыъ" * LONGEST,
        "код не приходит и ещё " * 4_500,
        "\n".join(f"пункт {number}" for number in range(9_000)),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_nothing_that_is_typed_breaks_or_stalls_it(any_matcher: Matcher, text: str) -> None:
    _decides(any_matcher, text)


@quietly
@given(text=st.one_of(anything, strange))
def test_what_has_no_letters_of_ours_is_not_understood(matcher: Matcher, text: str) -> None:
    # After compatibility forms are made one: «ⅷ» and «𝔸» are letters of ours in disguise, «№» is «no».
    shown = unicodedata.normalize("NFKC", text)
    without = "".join(each for each in shown if not _is_ours(each) and not each.isdigit())

    assert _decides(matcher, without).decision == "unknown"


@quietly
@given(text=st.lists(st.text("бвгджзклмнпрстфхцчшщыэюя", min_size=5, max_size=15), max_size=12).map(" ".join))
def test_letters_at_random_are_not_understood(any_matcher_of_noise: Matcher, text: str) -> None:
    part = any_matcher_of_noise.scorer.reader.read(text).whole
    # Some are words after all, or are one slip away from a word.
    assume(any_matcher_of_noise.scorer.lexical_evidence(part).unseen == 1.0)

    assert _decides(any_matcher_of_noise, text).decision == "unknown"


@pytest.fixture(scope="session", params=["matcher", "lexical_matcher"])
def any_matcher_of_noise(request: pytest.FixtureRequest) -> Matcher:
    """Hypothesis wants fixtures that outlive an example."""
    either: Matcher = request.getfixturevalue(request.param)
    return either


def _is_ours(letter: str) -> bool:
    name = unicodedata.name(letter, "")
    return name.startswith(("LATIN", "CYRILLIC", "GREEK"))
