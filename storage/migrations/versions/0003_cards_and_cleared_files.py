"""Cards of tickets, and files that are shown only after the parent has checked them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply. On SQLite the keys are not watched meanwhile: see `Database.migrate`."""
    op.add_column("tickets", sa.Column("kind", sa.String(length=40), nullable=True))
    op.add_column(
        "tickets", sa.Column("urgent", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("tickets", sa.Column("card", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("attachments", sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True))
    # What was sent before anybody was asked has been seen already.
    op.execute(
        "UPDATE attachments SET cleared_at = "
        "(SELECT created_at FROM messages WHERE messages.id = attachments.message_id)"
    )
