"""Families, and what forgetting a person needs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_NEVER_AGAIN: dict[str, Any] = {"sqlite_autoincrement": True}
_DELETED_FROM = ("people", "conversations", "messages", "attachments", "outbox", "feed")
_FOUND_BY = (
    ("messages", "created_at"),
    ("tickets", "closed_at"),
    ("outbox", "ticket_id"),
    ("outbox", "message_id"),
    ("outbox", "created_at"),
    ("feed", "created_at"),
)


def upgrade() -> None:
    """Apply. On SQLite the keys are not watched meanwhile: see `Database.migrate`."""
    if op.get_bind().dialect.name == "sqlite":
        for table in _DELETED_FROM:
            with op.batch_alter_table(table, recreate="always", table_kwargs=_NEVER_AGAIN):
                pass
    with op.batch_alter_table("tickets") as batch_op:
        batch_op.alter_column("person_id", existing_type=_KEY, nullable=True)
        batch_op.alter_column("conversation_id", existing_type=_KEY, nullable=True)
    with op.batch_alter_table("staff") as batch_op:
        batch_op.alter_column("person_id", existing_type=_KEY, nullable=True)
    for table, column in _FOUND_BY:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    _make_families()
    _make_joining()
    op.create_table(
        "awaited",
        sa.Column("person_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        _of_person("awaited"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_awaited")),
    )
    op.create_table(
        "leftovers",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leftovers")),
        **_NEVER_AGAIN,
    )


def _make_families() -> None:
    op.create_table(
        "families",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("primary_id", _KEY, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["primary_id"], ["people.id"], name=op.f("fk_families_primary_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_families")),
        **_NEVER_AGAIN,
    )
    op.create_index(op.f("ix_families_primary_id"), "families", ["primary_id"])
    op.create_table(
        "family_members",
        sa.Column("person_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("family_id", _KEY, nullable=False),
        sa.Column("joined_at", _MOMENT, nullable=False),
        _of_person("family_members"),
        _of_family("family_members"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_family_members")),
    )
    op.create_index(op.f("ix_family_members_family_id"), "family_members", ["family_id"])
    op.create_table(
        "children",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("family_id", _KEY, nullable=False),
        sa.Column("label", sa.String(length=30), nullable=False),
        sa.Column("age_group", sa.String(length=20), nullable=True),
        sa.Column("school", sa.String(length=300), server_default="", nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("spoken_of_at", _MOMENT, nullable=False),
        _of_family("children"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_children")),
        **_NEVER_AGAIN,
    )
    op.create_index(op.f("ix_children_family_id"), "children", ["family_id"])


def _make_joining() -> None:
    op.create_table(
        "join_codes",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        _of_person("join_codes"),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_join_codes")),
        sa.UniqueConstraint("person_id", name=op.f("uq_join_codes_person_id")),
    )
    op.create_table(
        "join_tries",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("person_id", _KEY, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        _of_person("join_tries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_tries")),
    )
    op.create_index(op.f("ix_join_tries_person_id"), "join_tries", ["person_id"])


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_person_id")
    return sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=name, ondelete="CASCADE")


def _of_family(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_family_id")
    return sa.ForeignKeyConstraint(["family_id"], ["families.id"], name=name, ondelete="CASCADE")
