"""A stored index is the same as a fresh one, and never stands in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.index_store import IndexStore
from faq.content.topic import Base
from faq.matching import embedding, scoring
from faq.matching.matcher import Matcher
from faq.matching.vectors import VectorStore

QUESTIONS = (
    "не приходит код из смс",
    "снилс",
    "ujceckeub yt gecrf.n",
    "какая погода завтра",
    "",
    "не пускает",
)


@pytest.fixture
def base(matcher: Matcher) -> Base:
    """Three topics: quick to build."""
    topics = dict(list(matcher.base.topics.items())[::25])
    return Base(topics=topics, sections=matcher.base.sections)


@pytest.fixture
def new(base: Base) -> Base:
    """The same with a few phrasings that are not packaged."""
    slug, topic = next(iter(base.topics.items()))
    said = tuple(f"совсем иначе в {number} раз" for number in range(20, 28))
    return Base(topics={**base.topics, slug: replace(topic, phrasings=(*topic.phrasings, *said))})


def test_a_stored_index_decides_as_the_one_that_was_built(base: Base, tmp_path: Path) -> None:
    store = IndexStore(tmp_path)
    fresh, stored = store.matcher(base), store.matcher(base)
    assert fresh is not stored
    assert [stored.match(text) for text in QUESTIONS] == [fresh.match(text) for text in QUESTIONS]
    assert (tmp_path / "index.pickle").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"x" * 100, None])
def test_a_spoiled_file_is_replaced(base: Base, tmp_path: Path, content: bytes | None) -> None:
    store = IndexStore(tmp_path)
    store.matcher(base)
    path = tmp_path / "index.pickle"
    path.write_bytes(content if content is not None else path.read_bytes()[:1000])
    assert store.matcher(base).match("код").decision in {"clarify", "unknown", "answer"}
    assert path.stat().st_size > 1000


def test_a_changed_base_is_indexed_anew(base: Base, tmp_path: Path) -> None:
    store = IndexStore(tmp_path)
    store.matcher(base)
    slug, topic = next(iter(base.topics.items()))
    changed = Base(
        topics={**base.topics, slug: replace(topic, phrasings=(*topic.phrasings, "совсем иначе"))},
        sections=base.sections,
    )
    assert store.matcher(changed).match("совсем иначе").slug == slug
    assert store.matcher(changed).base == changed
    assert store.matcher(base).base == base


def test_a_folder_that_is_not_there_is_not_made(base: Base, tmp_path: Path) -> None:
    IndexStore(tmp_path / "nothing").matcher(base)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("semantic", [True, False])
@pytest.mark.slow
def test_meanings_are_compared_unless_that_is_switched_off(
    base: Base, tmp_path: Path, semantic: bool
) -> None:
    store = IndexStore(tmp_path, semantic=semantic)
    assert [store.matcher(base).scorer.semantic for _ in range(2)] == [semantic, semantic]
    assert IndexStore(tmp_path, semantic=not semantic).matcher(base).scorer.semantic is not semantic
    if not semantic:
        assert store.improved(store.matcher(base)) is None


def test_without_the_model_words_are_compared(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "trouble", lambda: "нет модели")
    store = IndexStore(tmp_path)
    matcher = store.matcher(base)
    assert not matcher.scorer.semantic
    assert store.improved(matcher) is None


@pytest.mark.slow
def test_few_new_texts_are_embedded_at_once_and_kept(new: Base, tmp_path: Path) -> None:
    matcher = IndexStore(tmp_path).matcher(new)
    assert matcher.scorer.semantic
    assert VectorStore(None, tmp_path / "vectors.npz").missing(matcher.scorer.texts[:1]) == 1
    (tmp_path / "index.pickle").unlink()
    kept = (tmp_path / "vectors.npz").stat().st_mtime_ns
    again = IndexStore(tmp_path).matcher(new)
    assert (tmp_path / "vectors.npz").stat().st_mtime_ns == kept
    assert [again.match(text) for text in QUESTIONS] == [matcher.match(text) for text in QUESTIONS]


@pytest.mark.slow
def test_many_new_texts_are_embedded_later(
    new: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as busy:
        busy.setattr(scoring.Scorer.__init__, "__kwdefaults__", _waiting_for(0))
        store = IndexStore(tmp_path)
        matcher = store.matcher(new)
        assert not matcher.scorer.semantic
        assert not (tmp_path / "index.pickle").exists()
        better = store.improved(matcher)
        assert better is not None
        assert better.scorer.semantic
        assert store.improved(better) is None
        # The next start has it all at once.
        assert IndexStore(tmp_path).matcher(new).scorer.semantic
    assert better.base == matcher.base
    assert better.match("совсем иначе в 21 раз").slug == next(iter(new.topics))


@pytest.mark.slow
def test_spoiled_vectors_are_made_anew(new: Base, tmp_path: Path) -> None:
    (tmp_path / "vectors.npz").write_bytes(b"PK\x03\x04 not really")
    assert IndexStore(tmp_path).matcher(new).scorer.semantic
    assert VectorStore(None, tmp_path / "vectors.npz").ignored == ()


def _waiting_for(texts: int) -> dict[str, object]:
    defaults: dict[str, object] = dict(scoring.Scorer.__init__.__kwdefaults__ or {})
    return defaults | {"most_missing": texts}
