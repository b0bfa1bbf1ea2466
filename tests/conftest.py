"""What the tests share: one index, one PostgreSQL, a fresh database each, a whole house to talk to."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiogram.types  # noqa: F401 - all of it, before our light import: the emulator's tests use all
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.index_store import IndexStore
from faq.content.loading import packaged_base
from faq.content.region import load_region
from faq.matching.matcher import Matcher
from handlers.knowledge import Knowledge
from storage.database import Database
from tests.house import SPEED, House, open_house
from tests.postgresql import server
from tests.ways import TRANSPORTS, spared

ROOM_IN_MEMORY = 2 * 2**30
"""Bytes that must be free in memory's file system for the databases of the tests to live there."""
_MEMORY = Path("/dev/shm")  # noqa: S108 - the file system itself, not a guessable file in it
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > ROOM_IN_MEMORY:
    # Every commit waits for the disk otherwise, and half of the suite's time is that waiting.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

_SLOW = frozenset({"database_url", "sqlite_template", "postgresql", "index_folder"})
"""Whatever needs a database or the index of the whole base is left out of the fast suite."""

USUAL_PATIENCE = 120
"""Seconds that a test may take unless it says otherwise (`timeout` in pyproject.toml)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make long` holds, mark what is slow, and spread the long tests.

    The longest come first: at the end they would keep one worker busy, others idle.
    """
    if left_out := set(spared(items)):
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [each for each in items if each not in left_out]
    for item in items:
        if not _SLOW.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    long = sorted(filter(_patience, items), key=_patience, reverse=True)
    spread = [each for each in items if not _patience(each)]
    for number, each in enumerate(long):
        spread.insert(number * len(items) // len(long), each)
    items[:] = spread


def _patience(item: pytest.Item) -> float:
    """Seconds that a long test asks for; 0 for all others."""
    marker = item.get_closest_marker("timeout")
    seconds = float(marker.args[0]) if marker is not None else 0.0
    return seconds if seconds > USUAL_PATIENCE else 0.0


@pytest.fixture(scope="session")
def index_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the stored index of the packaged base, built once for all workers."""
    of_worker = tmp_path_factory.getbasetemp()
    of_run = of_worker.parent if "PYTEST_XDIST_WORKER" in os.environ else of_worker
    folder = of_run / "index"
    folder.mkdir(exist_ok=True)
    with (of_run / "index.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        IndexStore(folder).matcher(packaged_base())
    return folder


@pytest.fixture(scope="session")
def matcher(index_folder: Path) -> Matcher:
    """What answers parents: the packaged base, compared by words and by meaning."""
    return IndexStore(index_folder).matcher(packaged_base())


@pytest.fixture(scope="session")
def knowledge(matcher: Matcher) -> Knowledge:
    """The real base and its index; an index of any other base is built by words only, which is quicker."""
    knowledge = Knowledge(
        matcher.base,
        load_region("adygea"),
        build=lambda base: matcher if base == matcher.base else Matcher(base),
    )
    knowledge.build_index()
    return knowledge


@pytest.fixture(autouse=True)
def _plain_logs() -> None:
    # The default draws every variable of every frame, which takes seconds for one error.
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[structlog.processors.add_log_level, renderer],
        # A quiet command run by an earlier test would have silenced all that come after it.
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HELPDESK_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[str], str]]:
    """A real PostgreSQL server; gives the address of a database."""
    with server() as of:
        yield of


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables."""
    path = tmp_path_factory.mktemp("template") / "helpdesk.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql: Callable[[str], str]) -> str:
    """The name of a PostgreSQL database with all tables."""
    name = "template_helpdesk"
    asyncio.run(_execute(postgresql("postgres"), f"CREATE DATABASE {name}"))
    asyncio.run(_migrate(postgresql(name)))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with all tables."""
    if database_kind == "sqlite":
        path = tmp_path / "helpdesk.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Callable[[str], str] = request.getfixturevalue("postgresql")
    template: str = request.getfixturevalue("postgresql_template")
    name = f"test_{uuid.uuid4().hex[:12]}"
    asyncio.run(_execute(server("postgres"), f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield server(name)
    asyncio.run(_execute(server("postgres"), f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database, open."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each way in which events come."""
    name: str = request.param
    return name


@pytest.fixture
def speed() -> float:
    """How fast the house lives."""
    return SPEED


@pytest.fixture
async def house(
    transport: str, database_url: str, knowledge: Knowledge, tmp_path: Path, speed: float
) -> AsyncIterator[House]:
    """A running helpdesk between two emulated messengers; parents come by `transport`."""
    async with open_house(
        transport, database_url=database_url, knowledge=knowledge, folder=tmp_path / "data", speed=speed
    ) as house:
        yield house
        house.check_manners()


async def _migrate(url: str) -> None:
    database = Database(url)
    await database.migrate()
    await database.close()


async def _execute(url: str, statement: str) -> None:
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://"), isolation_level="AUTOCOMMIT"
    )
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
