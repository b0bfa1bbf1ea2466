"""Schools, desks and deadlines."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_NEVER_AGAIN: dict[str, Any] = {"sqlite_autoincrement": True}


def upgrade() -> None:
    """Apply. On SQLite the keys are not watched meanwhile: see `Database.migrate`."""
    _make_schools()
    _make_groups()
    _make_outages()
    _widen_old_tables()
    _widen_tickets()


def _make_schools() -> None:
    op.create_table(
        "schools",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("municipality", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), server_default="", nullable=False),
        sa.Column("aliases", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("hours", sa.String(length=300), server_default="", nullable=False),
        sa.Column("vacations", sa.JSON(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schools")),
        sa.UniqueConstraint("code", name=op.f("uq_schools_code")),
        sa.UniqueConstraint("municipality", "name", name=op.f("uq_schools_municipality_name")),
    )
    op.create_index(op.f("ix_schools_municipality"), "schools", ["municipality"])

    op.create_table(
        "staff_schools",
        sa.Column("staff_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("school_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_staff_schools_school_id")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_schools_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("staff_id", "school_id", name=op.f("pk_staff_schools")),
    )
    op.create_index(op.f("ix_staff_schools_school_id"), "staff_schools", ["school_id"])

    op.create_table(
        "templates",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("school_id", _KEY, nullable=True),
        sa.Column("municipality", sa.String(length=200), server_default="", nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("after", sa.String(length=10), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated_by", _KEY, nullable=True),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("retired_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_templates_school_id")),
        sa.ForeignKeyConstraint(["updated_by"], ["staff.id"], name=op.f("fk_templates_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
    )
    op.create_index(op.f("ix_templates_school_id"), "templates", ["school_id"])

    op.create_table(
        "digests",
        sa.Column("desk", sa.String(length=240), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("desk", "day", name=op.f("pk_digests")),
    )


def _make_groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("chat_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("school_id", _KEY, nullable=True),
        sa.Column("municipality", sa.String(length=200), server_default="", nullable=False),
        sa.Column("has_topics", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("registered_by", _KEY, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("lost_at", _MOMENT, nullable=True),
        sa.Column("lost_reason", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["registered_by"], ["staff.id"], name=op.f("fk_groups_registered_by")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_groups_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("channel", "chat_id", name=op.f("uq_groups_channel_chat_id")),
    )
    op.create_index(op.f("ix_groups_school_id"), "groups", ["school_id"])

    op.create_table(
        "group_topics",
        sa.Column("group_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("ticket_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("thread", sa.String(length=40), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_topics_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_group_topics_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "ticket_id", name=op.f("pk_group_topics")),
    )
    op.create_index(op.f("ix_group_topics_ticket_id"), "group_topics", ["ticket_id"])


def _make_outages() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("school_id", _KEY, nullable=False),
        sa.Column("matter", sa.String(length=80), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("answer_id", _KEY, nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_incidents_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index("ix_incidents_open", "incidents", ["school_id", "matter", "closed_at"])

    op.create_table(
        "outages",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("school_id", _KEY, nullable=True),
        sa.Column("municipality", sa.String(length=200), server_default="", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("declared_by", _KEY, nullable=True),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("ended_by", _KEY, nullable=True),
        sa.Column("lasts_at", sa.String(length=240), nullable=True),
        sa.ForeignKeyConstraint(["declared_by"], ["staff.id"], name=op.f("fk_outages_declared_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["staff.id"], name=op.f("fk_outages_ended_by")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_outages_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
        sa.UniqueConstraint("lasts_at", name=op.f("uq_outages_lasts_at")),
    )
    op.create_index(op.f("ix_outages_ended_at"), "outages", ["ended_at"])

    op.create_table(
        "outage_told",
        sa.Column("outage_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("person_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("told_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["outage_id"], ["outages.id"], name=op.f("fk_outage_told_outage_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_outage_told_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("outage_id", "person_id", name=op.f("pk_outage_told")),
    )


def _widen_old_tables() -> None:
    with op.batch_alter_table("children", table_kwargs=_NEVER_AGAIN) as batch_op:
        batch_op.add_column(sa.Column("school_id", _KEY, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_children_school_id"), "schools", ["school_id"], ["id"])

    with op.batch_alter_table("invitations") as batch_op:
        batch_op.add_column(sa.Column("school_id", _KEY, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_invitations_school_id"), "schools", ["school_id"], ["id"])
        batch_op.drop_column("school")

    with op.batch_alter_table("messages") as batch_op:
        batch_op.create_index("ix_messages_staff", ["staff_id", "external_id"])

    with op.batch_alter_table("outbox", table_kwargs=_NEVER_AGAIN) as batch_op:
        batch_op.add_column(sa.Column("shows_id", _KEY, nullable=True))
        batch_op.add_column(sa.Column("album", sa.String(length=200), nullable=True))
        batch_op.create_index(
            "ix_outbox_album",
            ["album"],
            unique=False,
            postgresql_where=sa.text("album IS NOT NULL"),
            sqlite_where=sa.text("album IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_outbox_shows_id"), ["shows_id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_outbox_shows_id"), "messages", ["shows_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("people") as batch_op:
        batch_op.add_column(sa.Column("banned_at", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("banned_by", _KEY, nullable=True))
        batch_op.add_column(sa.Column("banned_in", _KEY, nullable=True))
        batch_op.add_column(sa.Column("flood_since", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("flood_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("flood_hour_since", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("flood_hour_count", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("staff") as batch_op:
        batch_op.add_column(sa.Column("replying_as", sa.String(length=60), nullable=True))
        batch_op.drop_column("school")


def _widen_tickets() -> None:
    with op.batch_alter_table("tickets") as batch_op:
        batch_op.add_column(sa.Column("school_id", _KEY, nullable=True))
        batch_op.add_column(sa.Column("municipality", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(
            sa.Column("level", sa.String(length=10), server_default="ministry", nullable=False)
        )
        batch_op.add_column(sa.Column("leaf", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("answer_due_at", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("solve_due_at", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("warn_at", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("warned_at", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("clock_stopped_at", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("clock_stopped_for", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("previous_id", _KEY, nullable=True))
        batch_op.add_column(sa.Column("incident_id", _KEY, nullable=True))
        batch_op.add_column(sa.Column("split_at", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("mark", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("got_in", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("follow_up_at", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("reopened", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index(batch_op.f("ix_tickets_answer_due_at"), ["answer_due_at"])
        batch_op.create_index("ix_tickets_desk", ["level", "school_id", "state"])
        batch_op.create_index(batch_op.f("ix_tickets_follow_up_at"), ["follow_up_at"])
        batch_op.create_index(batch_op.f("ix_tickets_incident_id"), ["incident_id"])
        batch_op.create_index(batch_op.f("ix_tickets_school_id"), ["school_id"])
        batch_op.create_index(batch_op.f("ix_tickets_solve_due_at"), ["solve_due_at"])
        batch_op.create_index(batch_op.f("ix_tickets_warn_at"), ["warn_at"])
        batch_op.create_foreign_key(
            batch_op.f("fk_tickets_incident_id"), "incidents", ["incident_id"], ["id"]
        )
        batch_op.create_foreign_key(batch_op.f("fk_tickets_school_id"), "schools", ["school_id"], ["id"])
