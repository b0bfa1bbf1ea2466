"""A stored index is the same as a fresh one, and never stands in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.index_store import IndexStore
from faq.topic import Base
from handlers.knowledge import Knowledge

QUESTIONS = (
    "не приходит код из смс",
    "снилс",
    "ujceckeub yt gecrf.n",
    "какая погода завтра",
    "",
    "не пускает",
)


@pytest.fixture
def base(knowledge: Knowledge) -> Base:
    """A tenth of the base: quick to build."""
    topics = dict(list(knowledge.base.topics.items())[::10])
    return Base(topics=topics, sections=knowledge.base.sections)


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
