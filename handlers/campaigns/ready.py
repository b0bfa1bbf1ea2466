"""Ready announcements for the start of the school year, to begin a campaign from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from faq.packaged import CONTENT, read_plain
from handlers.campaigns import reading
from handlers.campaigns.control import Draft

_FILE = CONTENT / "announcements.yaml"
_ANY = datetime(2026, 1, 1, tzinfo=UTC)
"""They have no schedule: nothing is compared with it."""


@cache
def ready_campaigns() -> Mapping[str, Draft]:
    """The ready announcements by name (under14, from14 …); each is for the writer to look through."""
    return {name: reading.draft_of(plain, zone="UTC", now=_ANY) for name, plain in read_plain(_FILE).items()}
