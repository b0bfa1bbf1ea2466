"""What a finder of personal data names: a kind and a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "snils", "passport", "birth_certificate", "card", "email", "phone", "birth_date", "password", "code"
]


@dataclass(frozen=True)
class Hidden:
    """A personal value at text[start:end] of the message as it came."""

    kind: Kind
    start: int
    end: int
