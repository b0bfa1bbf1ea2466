"""Campaigns: announcements, their launches and readers, who wants them, and how far parents have come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply. On SQLite the keys are not watched meanwhile: see `Database.migrate`."""
    _make_parents_side()
    _make_campaigns()
    _make_readers()


def _make_parents_side() -> None:
    op.create_table(
        "opt_outs",
        sa.Column("person_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("category", sa.String(length=12), nullable=False),
        sa.Column("why", sa.String(length=10), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_opt_outs_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "category", name=op.f("pk_opt_outs")),
    )
    op.create_table(
        "stages",
        sa.Column("person_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_stages_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_stages")),
    )
    op.create_index(op.f("ix_stages_stage"), "stages", ["stage"])

    op.create_table(
        "asked",
        sa.Column("person_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_asked_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "topic", name=op.f("pk_asked")),
    )
    op.create_index(op.f("ix_asked_topic"), "asked", ["topic"])


def _make_campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("category", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("buttons", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("attachments", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("audience", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("schedule", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("edition", sa.Integer(), server_default="1", nullable=False),
        sa.Column("checked_edition", sa.Integer(), nullable=True),
        sa.Column("tested_edition", sa.Integer(), nullable=True),
        sa.Column("approved_edition", sa.Integer(), nullable=True),
        sa.Column("author_id", _KEY, nullable=True),
        sa.Column("approved_by", _KEY, nullable=True),
        sa.Column("approved_at", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["staff.id"], name=op.f("fk_campaigns_approved_by")),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_campaigns_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(op.f("ix_campaigns_state"), "campaigns", ["state"])

    op.create_table(
        "launches",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("campaign_id", _KEY, nullable=False),
        sa.Column("municipality", sa.String(length=200), server_default="", nullable=False),
        sa.Column("wave", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("by_id", _KEY, nullable=True),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.Column("filled_to", _KEY, nullable=True),
        sa.Column("started_at", _MOMENT, nullable=True),
        sa.Column("alive_at", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name=op.f("fk_launches_by_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_launches_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launches")),
        sa.UniqueConstraint(
            "campaign_id", "municipality", "wave", name=op.f("uq_launches_campaign_id_municipality_wave")
        ),
    )
    op.create_index(op.f("ix_launches_campaign_id"), "launches", ["campaign_id"])
    op.create_index(op.f("ix_launches_due_at"), "launches", ["due_at"])
    op.create_index(op.f("ix_launches_state"), "launches", ["state"])


def _make_readers() -> None:
    op.create_table(
        "venues",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("chat_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("school_id", _KEY, nullable=True),
        sa.Column("municipality", sa.String(length=200), server_default="", nullable=False),
        sa.Column("registered_by", _KEY, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("lost_at", _MOMENT, nullable=True),
        sa.Column("lost_reason", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["registered_by"], ["staff.id"], name=op.f("fk_venues_registered_by")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_venues_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venues")),
        sa.UniqueConstraint("kind", "channel", "chat_id", name=op.f("uq_venues_kind_channel_chat_id")),
    )
    op.create_index(op.f("ix_venues_school_id"), "venues", ["school_id"])

    op.create_table(
        "readers",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("launch_id", _KEY, nullable=False),
        sa.Column("who", _KEY, nullable=False),
        sa.Column("person_id", _KEY, nullable=True),
        sa.Column("venue_id", _KEY, nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("chat_id", sa.String(length=64), nullable=False),
        sa.Column("school_id", _KEY, nullable=True),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", _MOMENT, nullable=True),
        sa.Column("claimed_at", _MOMENT, nullable=True),
        sa.Column("doubted_at", _MOMENT, nullable=True),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(["launch_id"], ["launches.id"], name=op.f("fk_readers_launch_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_readers_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_readers_school_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_readers_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readers")),
        sa.UniqueConstraint("launch_id", "who", name=op.f("uq_readers_launch_id_who")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_readers_person_id"), "readers", ["person_id"])
    op.create_index("ix_readers_waiting", "readers", ["launch_id", "channel", "state", "id"])
    op.create_index("ix_readers_who", "readers", ["who", "claimed_at"])
