"""The one thing in which our two databases differ in wording."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Transaction


def insert_into(tx: Transaction, table: Table) -> postgresql.Insert | sqlite.Insert:
    """INSERT that can say ON CONFLICT, in the dialect of this connection."""
    if tx.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
