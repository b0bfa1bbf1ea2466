"""The evidence for each topic, by words and by meaning."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faq.content.topic import Base
from faq.matching import embedding
from faq.matching.matcher import Matcher
from faq.matching.scoring import LEXICAL, OUTSIDE, SEMANTIC, Scorer
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore


@pytest.fixture(scope="module")
def one(few: Base) -> Base:
    """Two topics with a few phrasings each."""
    slugs = ("snils-mismatch", "password-recovery")
    return Base(
        topics={slug: replace(few.topics[slug], phrasings=few.topics[slug].phrasings[:4]) for slug in slugs}
    )


def test_a_table_has_a_row_a_class_and_a_column_a_signal(few_matcher: Matcher) -> None:
    scorer = few_matcher.scorer
    part = scorer.reader.read("не приходит код из смс").whole
    lexical = scorer.lexical_evidence(part)
    semantic = scorer.semantic_evidence(lexical, embedding.vector(part.text))

    assert scorer.slugs[-1] == OUTSIDE
    for evidence, signals in ((lexical, LEXICAL), (semantic, SEMANTIC)):
        assert evidence.signals == signals
        assert evidence.table.shape == (len(scorer.slugs), len(signals))
        assert np.isfinite(evidence.table).all()
        best = {scorer.slugs[number] for number in evidence.table.argmax(axis=0)}
        assert best == {"login-code-not-coming"}
    assert (lexical.meant, lexical.meant_gap) == (0.0, 0.0)
    assert semantic.meant > 0.9
    assert semantic.meant_gap > 0.0
    assert (semantic.table[:, 1:4] == lexical.table[:, 1:]).all()


def test_words_that_no_topic_has_are_counted(few_matcher: Matcher) -> None:
    def unseen(text: str) -> float:
        scorer = few_matcher.scorer
        return scorer.lexical_evidence(scorer.reader.read(text).whole).unseen

    assert unseen("пароль снилс") == 0.0
    assert unseen("пароль жираф") == 0.5
    assert unseen("жираф") == 1.0
    assert unseen("") == 0.0


def test_what_is_not_for_a_topic_speaks_for_the_other_one(few: Base) -> None:
    scorer = Scorer(few)
    topic = next(
        topic for topic in few.topics.values() if any(each.belongs in few.topics for each in topic.not_here)
    )
    example = next(each for each in topic.not_here if each.belongs in few.topics)

    assert [each.slug for each in scorer.samples if each.text == example.text] == [example.belongs]


def test_with_too_many_vectors_missing_only_words_are_compared(one: Base, tmp_path: Path) -> None:
    lexical = Scorer(one, vectors=VectorStore(None, tmp_path / "own.npz"), most_missing=3)
    assert not lexical.semantic

    store = VectorStore(None, tmp_path / "own.npz")
    whole = Scorer(one, vectors=store, most_missing=len(lexical.texts))
    assert whole.semantic
    store.save()
    again = Scorer(one, vectors=VectorStore(None, tmp_path / "own.npz"), most_missing=0)
    assert again.semantic
    part = again.reader.read("не вспомню пароль").whole
    vector = embedding.vector(part.text)
    first, second = (each.semantic_evidence(each.lexical_evidence(part), vector) for each in (whole, again))
    assert (first.table == second.table).all()


def test_without_vectors_there_is_no_semantic_evidence(one: Base) -> None:
    scorer = Scorer(one)
    lexical = scorer.lexical_evidence(scorer.reader.read("пароль").whole)

    assert scorer.semantic_evidence(lexical, embedding.vector("пароль")) is lexical


def test_each_sample_is_judged_by_the_others(few: Base) -> None:
    scorer = Scorer(few)
    judged = scorer.leave_one_out()
    own = [scorer.slugs.index(each.slug) for each in scorer.samples]

    assert judged.shape == (len(scorer.samples), len(scorer.slugs))
    # Phrasings differ from each other, and yet most are told by the rest of their topic.
    phrasings = [number for number, each in enumerate(scorer.samples) if each.phrasing]
    right = judged.argmax(axis=1) == np.array(own)
    assert 0.6 < right[phrasings].mean() < 1.0
    similar = scorer.similarities()
    assert np.allclose(similar, similar.T, atol=1e-5)
    said = [bool(scorer.reader.read(each.text).whole.words) for each in scorer.samples]
    assert np.allclose(np.diag(similar), said, atol=1e-5)


def test_reading_steps_can_be_left_out(one: Base) -> None:
    store = VectorStore(PACKAGED_VECTORS, None)
    matcher = Matcher(one, vectors=store, without=frozenset({"layout"}))

    assert matcher.scorer.reader.read("gfhjkm").whole.text == "gfhjkm"
    assert Matcher(one).scorer.reader.read("gfhjkm").whole.text == "пароль"
