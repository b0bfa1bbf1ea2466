"""The packaged base and its matcher, built once."""

from pathlib import Path

import pytest

from faq.loading import packaged_base
from faq.matcher import Matcher
from faq.topic import Base


@pytest.fixture(scope="session")
def base() -> Base:
    return packaged_base()


@pytest.fixture(scope="session")
def matcher(base: Base) -> Matcher:
    return Matcher(base)


@pytest.fixture(scope="session")
def dev_questions() -> Path:
    return Path(__file__).parents[1] / "data" / "questions-dev.tsv"
