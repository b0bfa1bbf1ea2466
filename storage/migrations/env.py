"""Where Alembic meets our tables; always run over a connection that the database room opened."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from storage.tables import Moment, metadata


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    # A migration stays true when the tables' own types change later.
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place.
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    render_item=_render,
    transaction_per_migration=False,
)
context.run_migrations()
