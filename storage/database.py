"""The database: one transaction at a time per deed, SQLite by default, PostgreSQL by address."""

from __future__ import annotations

import asyncio
import fcntl
import os
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, inspect, make_url, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from storage.migrations import NEWEST

_VERSIONS = "alembic_version"
_LOCKS = 20240401
"""Our corner of PostgreSQL's advisory locks."""
_TROUBLE = (OperationalError, InterfaceError, PoolTimeout, OSError)
_TROUBLE_CLASSES = frozenset({"08", "28", "3D", "40", "53", "57", "58"})
_TROUBLE_STATES = frozenset({"25006", "55000", "55P03"})
"""Where PostgreSQL itself is the trouble (SQLSTATE, appendix A of its manual): connections, access, a lost
race, resources, an operator, the system; a server that only reads, takes nobody in, or has a locked row."""

BUSY_TIMEOUT_SECONDS = 15.0
"""How long a SQLite writer waits for another process (the command line beside the server)."""
SCRUB_WAIT_MILLISECONDS = 1000
"""How long cleaning SQLite's files waits for other processes and readers; it is tried again later."""
_SQLITE_BUSY, _SQLITE_LOCKED = 5, 6
Transaction = AsyncConnection
"""What storage functions work in; other rooms pass it on and never look inside."""
POOL_SIZE = 10
"""Connections one process keeps; PostgreSQL's own default limit is 100 for all."""


class Unavailable(Exception):
    """The database cannot be reached or written now; nothing of the deed was kept."""


class Busy(Exception):
    """Another process holds this lock."""


class TooNew(Exception):
    """The tables were made by a newer version of the helpdesk; the text is their revision."""


class BadAddress(Exception):
    """The database address cannot be used; says why in Russian."""


class Database:
    """Opens transactions; only `transaction` commits."""

    def __init__(self, url: str) -> None:
        self._url = _async_url(url)
        self.dialect = self._url.get_backend_name()
        options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": POOL_SIZE}
        if self.dialect == "sqlite":
            options = {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}}
        # Hidden, because errors go into the log and the parameters are what people wrote.
        self._engine = create_async_engine(self._url, hide_parameters=True, **options)
        self._writing = asyncio.Lock()
        if self.dialect == "sqlite":
            _prepare_sqlite(self._engine.sync_engine)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the one-file database of one machine."""
        return self.dialect == "sqlite"

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return Path(self._url.database or "")

    @property
    def address(self) -> str:
        """The address without its password, for people."""
        return self._url.render_as_string(hide_password=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Do everything inside, or nothing; raises `Unavailable` when the database is the trouble."""
        async with self._turn():
            with _trouble_named():
                async with self._engine.connect() as connection, connection.begin():
                    if self.is_sqlite:
                        # A reader that turns writer in mid-transaction would fail at once when another
                        # process wrote meanwhile; taking the write lock first makes it wait instead.
                        await connection.exec_driver_sql("BEGIN IMMEDIATE")
                    yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Look without changing anything; never waits for a writer."""
        with _trouble_named():
            async with self._engine.connect() as connection:
                if self.is_sqlite:
                    await connection.exec_driver_sql("BEGIN")
                yield connection
                await connection.rollback()

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[Lock]:
        """Hold a lock across all processes that share this database; raises `Busy` if it is taken.

        The operating system (SQLite) or the server (PostgreSQL) frees it the moment its holder dies.
        """
        if self.is_sqlite:
            async with self._file_lock(name) as lock:
                yield lock
            return
        try:
            async with self._engine.connect() as connection:
                await _take_lock(connection, name)
                try:
                    yield Lock(connection)
                finally:
                    # Give the connection back without the lock, also when the server has gone meanwhile.
                    await connection.invalidate()
        except (*_TROUBLE, DBAPIError) as error:
            raise Unavailable(_reason(error)) from error

    async def migrate(self) -> tuple[str | None, str]:
        """Bring the tables up to date; returns the revision before and after."""
        before = await self.revision()
        if before == NEWEST:
            return before, NEWEST
        if before is not None and before > NEWEST:
            raise TooNew(before)
        try:
            async with self._turn(), self._engine.connect() as connection:
                if self.is_sqlite:
                    # SQLite changes a table by making it anew: to drop the old one with the keys watched
                    # would delete whatever points at it. It cannot be said inside a transaction.
                    await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                    await connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    await connection.run_sync(_upgrade)
                    await connection.commit()
                finally:
                    if self.is_sqlite:
                        # The next user of this connection must find the keys watched.
                        await connection.invalidate()
        except (*_TROUBLE, DatabaseError) as error:
            raise Unavailable(_reason(error)) from error
        return before, NEWEST

    async def revision(self) -> str | None:
        """The revision that the tables have now; None in an empty database."""
        async with self.reading() as connection:
            if not await connection.run_sync(lambda c: inspect(c).has_table(_VERSIONS)):
                return None
            revision: str | None = await connection.scalar(text(f"SELECT version_num FROM {_VERSIONS}"))  # noqa: S608 - our own table
            return revision

    async def scrub(self) -> bool:
        """Take the very bytes of what was deleted out of SQLite's files; False when somebody reads just now.

        `secure_delete` overwrites what is deleted, but not the copies that stay behind when rows move from
        page to page: the file is written anew (3.5 s for 220 MB, while writers wait), then
        the log is emptied. PostgreSQL cleans up by itself (autovacuum).
        """
        if not self.is_sqlite:
            return True
        with _trouble_named():
            async with self._turn(), self._engine.connect() as connection:
                await connection.exec_driver_sql(f"PRAGMA busy_timeout={SCRUB_WAIT_MILLISECONDS}")
                try:
                    await connection.exec_driver_sql("VACUUM")
                    result = await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                    return bool(result.one()[0] == 0)
                except OperationalError as error:
                    if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in {_SQLITE_BUSY, _SQLITE_LOCKED}:
                        return False
                    raise
                finally:
                    await connection.invalidate()

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self.is_sqlite:
            async with self._writing:
                yield
        else:
            yield

    @asynccontextmanager
    async def _file_lock(self, name: str) -> AsyncIterator[Lock]:
        path = Path(f"{self._url.database}.{name.replace(':', '-').replace('/', '-')}.lock")
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise Unavailable(_reason(error)) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise Busy(name) from error
        try:
            yield Lock(None)
        finally:
            os.close(handle)


class Lock:
    """A lock that is held."""

    def __init__(self, connection: AsyncConnection | None) -> None:
        self._connection = connection

    async def still_held(self) -> bool:
        """Whether the server still knows us; a file's lock cannot be lost while we live."""
        if self._connection is None:
            return True
        try:
            await self._connection.scalar(text("SELECT 1"))
        except (*_TROUBLE, DBAPIError):
            return False
        return True


def _async_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadAddress(
            "адрес базы данных не разобрать; пример: postgresql://user:password@host/base"
        ) from error
    postgresql = "postgresql+asyncpg"
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": postgresql, "postgres": postgresql}
    backend = parsed.drivername.split("+")[0]
    if backend not in drivers:
        raise BadAddress(f"база «{backend}» не поддерживается; можно sqlite или postgresql")
    return parsed.set(drivername=drivers[backend])


def _prepare_sqlite(engine: Any) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: we say BEGIN IMMEDIATE.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: a committed message survives a power cut, not only a crash of the process.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What is deleted is overwritten: people ask to be forgotten.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()


@contextmanager
def _trouble_named() -> Iterator[None]:
    """Give what the database itself is to blame for its one name."""
    try:
        yield
    except _TROUBLE as error:
        raise Unavailable(_reason(error)) from error
    except DBAPIError as error:
        if _is_lost(error):
            raise Unavailable(_reason(error)) from error
        raise


def _is_lost(error: DBAPIError) -> bool:
    """Whether the database is at fault, not the statement: then the deed is worth another try."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state[:2] in _TROUBLE_CLASSES or state in _TROUBLE_STATES:
        return True
    # SQLite says a plain DatabaseError when the file is none of its own, or damaged.
    return error.connection_invalidated or type(error) is DatabaseError


async def _take_lock(connection: AsyncConnection, name: str) -> None:
    await connection.execution_options(isolation_level="AUTOCOMMIT")
    query = text("SELECT pg_try_advisory_lock(:room, :number)")
    number = zlib.crc32(name.encode()) - 2**31
    if not await connection.scalar(query, {"room": _LOCKS, "number": number}):
        raise Busy(name)


def _upgrade(connection: Connection) -> None:
    # Loaded only when there is something to change: it costs a start a quarter of a second.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _reason(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return f"{type(original).__name__}: {original}"
