"""The one question that tells topics apart which parents mix up, instead of a list of titles."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Separation:
    """A question, and what is answered to it: for each topic (slug) the words of its button."""

    ask: str
    options: Mapping[str, str]
