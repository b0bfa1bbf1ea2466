"""A desk to speak to: real base, real database, stopped clock, no network."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.knowledge import Knowledge
from storage.database import Database
from tests.clock import StoppedClock
from tests.handlers.desk import Desk


@pytest.fixture
async def desk(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    """A fresh helpdesk on SQLite."""
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield Desk(database, knowledge, StoppedClock())
    await database.close()
