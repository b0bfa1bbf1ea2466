"""The packaged base and its matchers, built once, and a few topics of it that are built quickly."""

from pathlib import Path

import pytest

from faq.content.topic import Base
from faq.matching.matcher import Matcher
from faq.matching.vectors import PACKAGED_VECTORS, VectorStore

FEW = (
    "login-code-not-coming",
    "password-recovery",
    "old-login-password-closed",
    "snils-mismatch",
    "child-account-under-14-create",
    "child-not-shown-for-parent",
    "account-hacked-fraud",
)
"""Topics that parents mix up, and one that is dangerous to pass over."""


@pytest.fixture(scope="session")
def base(matcher: Matcher) -> Base:
    return matcher.base


@pytest.fixture(scope="session")
def lexical_matcher(base: Base) -> Matcher:
    """What answers where meanings cannot be compared."""
    return Matcher(base)


@pytest.fixture(params=["semantic", "lexical"])
def any_matcher(request: pytest.FixtureRequest) -> Matcher:
    """Both, one after the other."""
    name = "matcher" if request.param == "semantic" else "lexical_matcher"
    either: Matcher = request.getfixturevalue(name)
    return either


@pytest.fixture(scope="session")
def few(base: Base) -> Base:
    """A base of a few topics."""
    return Base(topics={slug: base.topics[slug] for slug in FEW}, sections=base.sections)


@pytest.fixture(scope="session")
def few_matcher(few: Base) -> Matcher:
    """A matcher of a few topics, by words and meaning."""
    return Matcher(few, vectors=VectorStore(PACKAGED_VECTORS, None))


@pytest.fixture(scope="session")
def dev_questions() -> Path:
    return Path(__file__).parents[1] / "data" / "questions-dev.tsv"
