"""An explanation, as an operator reads it and as a script does."""

from __future__ import annotations

import json

import numpy as np
import pytest

from faq.matching.explaining import CandidateReport, Explanation, as_plain, as_text, explain
from faq.matching.matcher import Candidate, Decision, Matcher
from faq.matching.scoring import LEXICAL, SEMANTIC

EXPLANATION = Explanation(
    stages=(
        ("как написано", "Yt ghb[jlbn\nrjl"),
        ("раскладка", "не приходит код"),
        ("описки", "не приходит код"),
    ),
    candidates=(
        CandidateReport(
            "login-code-not-coming",
            float(np.float32(0.91)),
            signals=(("слова", 0.8, 1.25), ("смысл", 0.66666, -0.5)),
            phrasings=(("не приходит код", 0.98),),
            words=(("код", 1.2), ("приходить", -0.1)),
        ),
        CandidateReport("password-recovery", 0.05),
    ),
    right=0.93,
    inside=0.99,
    answer_from=0.7,
    unknown_below=0.2,
    notes=("совпало с формулировкой",),
    decision=Decision(
        "answer",
        "login-code-not-coming",
        0.93,
        (Candidate("login-code-not-coming", 0.91),),
        "не приходит код",
    ),
)


def test_an_operator_reads_every_stage_in_russian() -> None:
    text = as_text(EXPLANATION, titles={"login-code-not-coming": "Не приходит код"})
    assert text.splitlines() == [
        "Как прочитано",
        "  как написано  «Yt ghb[jlbn rjl»",
        "  раскладка     «не приходит код»",
        "  описки        без изменений",
        "Почему так решено",
        "  лучшая тема верна: 0.93 (чтобы ответить, нужно от 0.70)",
        "  вопрос наш: 0.99 (меньше 0.20 — «не знаю»)",
        "  совпало с формулировкой",
        "Что говорит за темы",
        "  0.91  login-code-not-coming  Не приходит код",
        "    признаки (значение, вклад):",
        "      слова   0.800  +1.250",
        "      смысл   0.667  -0.500",
        "    похожие формулировки:",
        "      0.98  не приходит код",
        "    слова: код +1.20, приходить -0.10",
        "  0.05  password-recovery",
    ]


def test_a_message_without_any_topic_is_explained_too() -> None:
    nothing = Explanation((), (), 0.0, 0.0, 0.7, 0.2, (), Decision("unknown", None, 0.0, (), ""))
    assert as_text(nothing, titles={}).endswith("Что говорит за темы\n  ничего")


def test_a_script_reads_the_same() -> None:
    plain = json.loads(json.dumps(as_plain(EXPLANATION)))
    assert plain["stages"][1] == {"step": "раскладка", "text": "не приходит код"}
    assert plain["candidates"][0] == {
        "slug": "login-code-not-coming",
        "chance": 0.91,
        "signals": [
            {"name": "слова", "value": 0.8, "contribution": 1.25},
            {"name": "смысл", "value": 0.6667, "contribution": -0.5},
        ],
        "phrasings": [{"text": "не приходит код", "similarity": 0.98}],
        "words": [{"word": "код", "weight": 1.2}, {"word": "приходить", "weight": -0.1}],
    }
    assert {key: plain[key] for key in ("right", "inside", "answer_from", "unknown_below", "notes")} == {
        "right": 0.93,
        "inside": 0.99,
        "answer_from": 0.7,
        "unknown_below": 0.2,
        "notes": ["совпало с формулировкой"],
    }


# --- of a real matcher ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["никак не вспомню пароль от госуслуг", "не могу вспомнить комбинацию для входа"]
)
def test_contributions_add_up_to_the_chances(few_matcher: Matcher, text: str) -> None:
    told = explain(few_matcher, text)
    weighed = few_matcher.weigh(few_matcher.scorer.reader.read(text).whole)

    assert told.decision == few_matcher.match(text)
    assert [each.slug for each in told.candidates] == [each.slug for each in told.decision.candidates]
    for each in told.candidates:
        score = weighed.verdict.scores[few_matcher.scorer.slugs.index(each.slug)].sum()
        assert sum(contribution for _, _, contribution in each.signals) == pytest.approx(score)
    best, *others = told.candidates
    assert {name for name, _, _ in best.signals} == set(weighed.evidence.signals)
    # The chances are those of the scores: what is ahead in one is ahead in the other.
    chances = {
        each.slug: weighed.verdict.chances[few_matcher.scorer.slugs.index(each.slug)]
        for each in told.candidates
    }
    for other in others:
        gap = sum(each[2] for each in best.signals) - sum(each[2] for each in other.signals)
        assert np.log(chances[best.slug] / chances[other.slug]) == pytest.approx(gap, rel=1e-3)
        assert other.chance == pytest.approx(chances[other.slug], abs=1e-4)
    assert told.right == weighed.verdict.right


def test_words_and_phrasings_are_those_that_decided(few_matcher: Matcher) -> None:
    told = explain(few_matcher, "никак не вспомню пароль от госуслуг")
    best = told.candidates[0]

    assert best.slug == "password-recovery"
    assert best.words[0][0] in {"пароль", "вспомню"}
    assert [weight for _, weight in best.words] == sorted((each for _, each in best.words), reverse=True)
    phrasings = few_matcher.base.topics[best.slug].phrasings
    assert best.phrasings[0][0] in phrasings
    assert 0.3 < best.phrasings[0][1] <= 1.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("спасибо большое", "приветствие"),
        ("", "слов нет"),
        ("снилс", "наше, но слишком общо"),
        ("жираф", "сказано слишком общо"),
        ("когда будут результаты ЕГЭ по русскому", "похоже на примеры чужих"),
        ("не приходит код из смс и ещё забыла пароль от госуслуг", "несколько вопросов"),
        ("не могу вспомнить комбинацию для входа", "сравнён и смысл"),
    ],
)
def test_a_note_tells_what_is_special(few_matcher: Matcher, text: str, said: str) -> None:
    told = explain(few_matcher, text)

    assert said in "; ".join(told.notes)
    assert told.decision == few_matcher.match(text)
    assert as_text(told, titles={}).startswith("Как прочитано")
    json.dumps(as_plain(told))


def test_an_own_phrasing_needs_no_weighing(few_matcher: Matcher) -> None:
    phrasing = few_matcher.base.topics["snils-mismatch"].phrasings[0]

    assert "совпало с формулировкой" in explain(few_matcher, phrasing).notes[0]


def test_the_mode_is_told(few_matcher: Matcher, lexical_matcher: Matcher) -> None:
    text = "не могу вспомнить комбинацию для входа"

    assert explain(lexical_matcher, text).notes[-1] == "смысл не сравнивается: только слова"
    assert {name for name, _, _ in explain(lexical_matcher, text).candidates[0].signals} == set(LEXICAL)
    assert {name for name, _, _ in explain(few_matcher, text).candidates[0].signals} == set(SEMANTIC)
