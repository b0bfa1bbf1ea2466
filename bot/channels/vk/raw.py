"""The channel's name, and what all its parts need to read VK's raw data."""

from __future__ import annotations

import json
from typing import Any

NAME = "vk"
HUGE_TEXT = 100_000
"""Characters; VK lets a person type 4096, so anything near this is no message."""

Json = dict[str, Any]
"""An object as VK words it."""


def parse_object(source: bytes | str) -> Json:
    """Read a JSON object; empty when it is none."""
    try:
        parsed = json.loads(source)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


class Skipped(Exception):
    """This event is nothing for us; says why in one word."""


def clean(text: str) -> str:
    """Drop what no database takes: NUL and halves of surrogate pairs."""
    if len(text) > HUGE_TEXT:
        raise Skipped("huge")
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
