"""The tables, private to this room."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """Aware UTC on both databases; SQLite alone would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Refuse naive time: it is a bug wherever it comes from."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


Key = BigInteger().with_variant(Integer, "sqlite")
_NEVER_AGAIN: dict[str, Any] = {"sqlite_autoincrement": True}
"""For tables whose rows are deleted: SQLite alone would give a deleted row's number to the next one, and a
reader's place in the feed, a button or a letter on its way would mean somebody else's."""


def _id() -> Column[int]:
    return Column("id", Key, primary_key=True, autoincrement=True)


people = Table(
    "people",
    metadata,
    _id(),
    Column("channel", String(20), nullable=False),
    Column("chat_id", String(64), nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("greeted_at", Moment),
    Column("notice_version", String(20)),
    Column("muted_at", Moment),
    Column("unreachable", String(40)),
    UniqueConstraint("channel", "chat_id"),
    **_NEVER_AGAIN,
)

families = Table(
    "families",
    metadata,
    _id(),
    # Where announcements go; None: to whoever came first.
    Column("primary_id", Key, ForeignKey("people.id", ondelete="SET NULL"), index=True),
    Column("created_at", Moment, nullable=False),
    **_NEVER_AGAIN,
)

family_members = Table(
    "family_members",
    metadata,
    Column(
        "person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("family_id", Key, ForeignKey("families.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("joined_at", Moment, nullable=False),
)

children = Table(
    "children",
    metadata,
    _id(),
    Column("family_id", Key, ForeignKey("families.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("label", String(30), nullable=False),
    Column("age_group", String(20)),
    Column("school", String(300), nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    # The child last talked about is the one with the latest of these.
    Column("spoken_of_at", Moment, nullable=False),
    **_NEVER_AGAIN,
)

join_codes = Table(
    "join_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("expires_at", Moment, nullable=False),
)

join_tries = Table(
    "join_tries",
    metadata,
    _id(),
    Column("person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
)

awaited = Table(
    "awaited",
    metadata,
    Column(
        "person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("what", String(40), nullable=False),
    Column("until", Moment, nullable=False),
)

leftovers = Table(
    "leftovers",
    metadata,
    _id(),
    Column("kind", String(10), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("ref", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    **_NEVER_AGAIN,
)

conversations = Table(
    "conversations",
    metadata,
    _id(),
    Column("person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("mode", String(20), nullable=False),
    Column("state", JSON, nullable=False),
    Column("answer_due_at", Moment, index=True),
    # No foreign key: a ticket points back here, and a circle cannot be created table by table.
    Column("ticket_id", Key),
    Column("updated_at", Moment, nullable=False),
    **_NEVER_AGAIN,
)

inbox = Table(
    "inbox",
    metadata,
    Column("channel", String(20), primary_key=True),
    Column("event_id", String(120), primary_key=True),
    Column("received_at", Moment, nullable=False, index=True),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    Column(
        "conversation_id", Key, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("ticket_id", Key, ForeignKey("tickets.id"), index=True),
    Column("author", String(10), nullable=False),
    Column("staff_id", Key, ForeignKey("staff.id")),
    Column("text", Text, nullable=False),
    Column("external_id", String(200)),
    Column("pending", Boolean, nullable=False),
    Column("delivery", String(40)),
    Column("created_at", Moment, nullable=False, index=True),
    Column("edited_at", Moment),
    Index("ix_messages_external", "conversation_id", "external_id"),
    Index(
        "ix_messages_pending",
        "conversation_id",
        postgresql_where=text("pending"),
        sqlite_where=text("pending"),
    ),
    **_NEVER_AGAIN,
)

message_versions = Table(
    "message_versions",
    metadata,
    _id(),
    Column("message_id", Key, ForeignKey("messages.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("replaced_at", Moment, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    _id(),
    Column("message_id", Key, ForeignKey("messages.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("name", Text, nullable=False),
    Column("mime", String(120), nullable=False),
    Column("size", BigInteger),
    Column("channel", String(20), nullable=False),
    Column("ref", Text, nullable=False),
    # When the parent said that nothing personal is on it; None: the staff do not see it yet.
    Column("cleared_at", Moment),
    **_NEVER_AGAIN,
)

tickets = Table(
    "tickets",
    metadata,
    _id(),
    # None: the person asked to be forgotten, or it was closed long ago; it only counts.
    Column("person_id", Key, ForeignKey("people.id"), index=True),
    Column("conversation_id", Key, ForeignKey("conversations.id"), index=True),
    Column("state", String(12), nullable=False, index=True),
    Column("reason", String(20), nullable=False),
    Column("topic", String(60)),
    Column("tried", JSON, nullable=False),
    Column("school", Text, nullable=False, server_default=""),
    # The kind of a ticket of the diagnosis tree, with the fields of its card: pairs of title and text.
    Column("kind", String(40)),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("card", JSON, nullable=False, server_default="[]"),
    Column("owner_id", Key, ForeignKey("staff.id")),
    Column("created_at", Moment, nullable=False),
    Column("first_answer_at", Moment),
    Column("closed_at", Moment, index=True),
    Column("closed_by", Key, ForeignKey("staff.id")),
)

staff = Table(
    "staff",
    metadata,
    _id(),
    # None: somebody who is no member any more and asked to be forgotten.
    Column("person_id", Key, ForeignKey("people.id"), unique=True),
    Column("name", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("school", Text),
    Column("municipality", Text),
    Column("replying_to", Key),
    Column("joined_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

invitations = Table(
    "invitations",
    metadata,
    _id(),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("school", Text),
    Column("municipality", Text),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("used_by", Key, ForeignKey("staff.id")),
    Column("revoked_at", Moment),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("key", String(32), nullable=False, unique=True),
    Column("channel", String(20), nullable=False),
    Column("chat_id", String(64), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("ticket_id", Key, ForeignKey("tickets.id", ondelete="SET NULL"), index=True),
    Column("message_id", Key, ForeignKey("messages.id", ondelete="SET NULL"), index=True),
    Column("state", String(10), nullable=False),
    Column("pieces_sent", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Moment),
    Column("error", Text),
    Column("created_at", Moment, nullable=False, index=True),
    Column("sent_at", Moment),
    Index("ix_outbox_waiting", "channel", "state", "priority", "id"),
    Index("ix_outbox_chat", "channel", "chat_id", "state"),
    **_NEVER_AGAIN,
)

sent = Table(
    "sent",
    metadata,
    Column("channel", String(20), primary_key=True),
    Column("chat_id", String(64), primary_key=True),
    Column("external_id", String(120), primary_key=True),
    Column("outbox_id", Key, ForeignKey("outbox.id", ondelete="CASCADE"), nullable=False, index=True),
)

feed = Table(
    "feed",
    metadata,
    _id(),
    Column("channel", String(20), nullable=False),
    Column("chat_id", String(64), nullable=False),
    Column("key", String(40), nullable=False, unique=True),
    Column("body", JSON, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Index("ix_feed_chat", "channel", "chat_id", "id"),
    **_NEVER_AGAIN,
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("place", Text, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("slug", String(60), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("origin", String(10), nullable=False),
    Column("updated_at", Moment, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    _id(),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("deed", String(40), nullable=False, index=True),
    Column("topic", String(60)),
    Column("ticket_id", Key),
    Column("details", JSON, nullable=False),
)
