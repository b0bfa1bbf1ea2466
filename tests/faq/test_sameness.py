"""The same question has the same answer: on every run, in any order of the base, from disk, among threads."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from faq.content.topic import Base
from faq.matching.matcher import Decision, Matcher
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore
from faq.measuring.labelled import read_labelled

TEXTS = (
    "забыла пароль",
    "код не приходит на телефон",
    "ребенка нет в списке, куда он делся",
    "как сменить пароль и ещё не приходит код из смс",
    "снилс",
    "yt ghb[jlbn rjl bp cvc",
    "kod ne prihodit uzhe vtoroy den",
    "кнопка входа куда-то пропала после каникул",
    "в какие кружки можно записать сына",
    "здравствуйте, помогите пожалуйста разобраться с этим всем, сил больше нет никаких",
    "",
)


def shuffled(base: Base, *, seed: int) -> Base:
    """The same topics, phrasings and foreign examples in another order."""
    chance = Random(seed)
    topics = [
        replace(
            topic,
            phrasings=tuple(chance.sample(topic.phrasings, len(topic.phrasings))),
            not_here=tuple(chance.sample(topic.not_here, len(topic.not_here))),
        )
        for topic in chance.sample(list(base.topics.values()), len(base.topics))
    ]
    return Base(topics={topic.slug: topic for topic in topics}, sections=base.sections)


def built(base: Base, mode: str) -> Matcher:
    return Matcher(base, vectors=VectorStore(PACKAGED_VECTORS, None) if mode == "semantic" else None)


def decisions(matcher: Matcher, texts: tuple[str, ...] = TEXTS) -> list[Decision]:
    return [matcher.match(text) for text in texts]


@pytest.mark.parametrize("mode", ["semantic", "lexical"])
def test_the_order_of_the_base_changes_nothing(few: Base, mode: str) -> None:
    first = decisions(built(few, mode))

    assert decisions(built(few, mode)) == first
    assert decisions(built(shuffled(few, seed=1), mode)) == first


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["semantic", "lexical"])
def test_the_order_of_the_whole_base_changes_nothing(base: Base, dev_questions: Path, mode: str) -> None:
    texts = tuple(row.text for row in read_labelled(dev_questions))[::3]

    assert decisions(built(shuffled(base, seed=1), mode), texts) == decisions(built(base, mode), texts)


def test_a_stored_matcher_decides_the_same(few_matcher: Matcher) -> None:
    restored = pickle.loads(pickle.dumps(few_matcher))  # noqa: S301  # our own

    assert restored.scorer.semantic
    assert decisions(restored) == decisions(few_matcher)


def test_what_was_asked_before_changes_nothing(few_matcher: Matcher) -> None:
    one = decisions(few_matcher)

    assert decisions(few_matcher, TEXTS[::-1]) == one[::-1]


def test_threads_share_a_matcher(any_matcher: Matcher) -> None:
    alone = decisions(any_matcher)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(any_matcher.match, TEXTS * 5)) == alone * 5
