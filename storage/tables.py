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
    # Since when the staff want to hear nothing from this person, and who said so.
    Column("banned_at", Moment),
    Column("banned_by", Key),
    # The case in which it was said: whoever sees that case may take it back.
    Column("banned_in", Key),
    # How many events came since `flood_since`: whoever sends too many is asked to wait.
    Column("flood_since", Moment),
    Column("flood_count", Integer, nullable=False, server_default="0"),
    Column("flood_hour_since", Moment),
    Column("flood_hour_count", Integer, nullable=False, server_default="0"),
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
    Column("school_id", Key, ForeignKey("schools.id")),
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

# Categories of announcements that a person does not want; without a row they do.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column(
        "person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("category", String(12), primary_key=True),
    # Whether they said so (asked), or forbade us to write at all (blocked; offered: they were told of it).
    Column("why", String(10), nullable=False),
    Column("since", Moment, nullable=False),
)

# How far a parent has come on the way into the diary.
stages = Table(
    "stages",
    metadata,
    Column(
        "person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("stage", String(20), nullable=False, index=True),
    Column("since", Moment, nullable=False),
)

# Which topics of the FAQ a person was answered, the last time of each.
asked = Table(
    "asked",
    metadata,
    Column(
        "person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("topic", String(60), primary_key=True, index=True),
    Column("at", Moment, nullable=False),
)

campaigns = Table(
    "campaigns",
    metadata,
    _id(),
    Column("title", String(120), nullable=False),
    Column("category", String(12), nullable=False),
    Column("text", Text, nullable=False),
    Column("buttons", JSON, nullable=False, server_default="[]"),
    Column("attachments", JSON, nullable=False, server_default="[]"),
    Column("audience", JSON, nullable=False, server_default="{}"),
    Column("schedule", JSON, nullable=False, server_default="{}"),
    Column("state", String(12), nullable=False, index=True),
    # Grows with every change: a check, a test and an approval are of one edition.
    Column("edition", Integer, nullable=False, server_default="1"),
    Column("checked_edition", Integer),
    Column("tested_edition", Integer),
    Column("approved_edition", Integer),
    # None: the owner of the machine, by the command line.
    Column("author_id", Key, ForeignKey("staff.id")),
    Column("approved_by", Key, ForeignKey("staff.id")),
    Column("approved_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

launches = Table(
    "launches",
    metadata,
    _id(),
    Column("campaign_id", Key, ForeignKey("campaigns.id"), nullable=False, index=True),
    # Only this municipality's readers, when the start is staggered.
    Column("municipality", String(200), nullable=False, server_default=""),
    # The moment for which all of these launches stand: whoever is told by one of them is not by another.
    Column("wave", Moment, nullable=False),
    Column("due_at", Moment, nullable=False, index=True),
    Column("state", String(12), nullable=False, index=True),
    # Why it is paused, asks or was stopped, as a word; and who did it (None: the house).
    Column("reason", String(40)),
    Column("detail", Text),
    Column("by_id", Key, ForeignKey("staff.id")),
    # The words as they were when it began: whoever edits the campaign changes the next launch.
    Column("body", JSON),
    # The number of the last person (then: venue) that was looked at; None: not begun, -1: all of them.
    Column("filled_to", Key),
    # Refusals since somebody was last reached.
    Column("started_at", Moment),
    # Somebody looked after it: a launch left alone for long does not go on by itself.
    Column("alive_at", Moment),
    Column("ended_at", Moment),
    UniqueConstraint("campaign_id", "municipality", "wave"),
)

# One row for each who is to read a launch, and what became of it.
readers = Table(
    "readers",
    metadata,
    _id(),
    Column("launch_id", Key, ForeignKey("launches.id"), nullable=False),
    # Whoever is joined across channels is one: a person's number, or minus the number of their family.
    Column("who", Key, nullable=False),
    Column("person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), index=True),
    Column("venue_id", Key, ForeignKey("venues.id")),
    Column("channel", String(20), nullable=False),
    Column("chat_id", String(64), nullable=False),
    Column("school_id", Key, ForeignKey("schools.id")),
    # The name of their time zone (IANA): quiet hours are theirs.
    Column("zone", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", String(40)),
    Column("detail", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Moment),
    Column("claimed_at", Moment),
    # When a request was made that may have been carried out: a messenger that drops repeats does so for an
    # hour, after that nothing may follow.
    Column("doubted_at", Moment),
    Column("sent_at", Moment),
    Column("external_id", String(120)),
    UniqueConstraint("launch_id", "who"),
    Index("ix_readers_waiting", "launch_id", "channel", "state", "id"),
    Index("ix_readers_who", "who", "claimed_at"),
    **_NEVER_AGAIN,
)

# Where announcements are posted for everybody: channels and groups, a community's wall, group chats.
venues = Table(
    "venues",
    metadata,
    _id(),
    Column("kind", String(20), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("chat_id", String(64), nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("school_id", Key, ForeignKey("schools.id"), index=True),
    Column("municipality", String(200), nullable=False, server_default=""),
    Column("registered_by", Key, ForeignKey("staff.id")),
    Column("created_at", Moment, nullable=False),
    Column("lost_at", Moment),
    Column("lost_reason", String(20)),
    UniqueConstraint("kind", "channel", "chat_id"),
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
    Index("ix_messages_staff", "staff_id", "external_id"),
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
    # The school in the parent's words, and the one in the directory that is meant by them.
    Column("school", Text, nullable=False, server_default=""),
    Column("school_id", Key, ForeignKey("schools.id"), index=True),
    # Known without a school; with one, the school's own counts.
    Column("municipality", Text, nullable=False, server_default=""),
    # Who is to answer: school, municipal or ministry.
    Column("level", String(10), nullable=False, server_default="ministry"),
    # The kind of a ticket of the diagnosis tree, with the fields of its card: pairs of title and text.
    Column("kind", String(40)),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("card", JSON, nullable=False, server_default="[]"),
    # The end of the diagnosis that led here.
    Column("leaf", String(60)),
    Column("owner_id", Key, ForeignKey("staff.id")),
    Column("created_at", Moment, nullable=False),
    Column("first_answer_at", Moment),
    Column("closed_at", Moment, index=True),
    Column("closed_by", Key, ForeignKey("staff.id")),
    # Deadlines of the level that has it now, in UTC; while the clock stands they stand where they were.
    Column("answer_due_at", Moment, index=True),
    Column("solve_due_at", Moment, index=True),
    # When to warn of the deadline that comes next; None: still to be worked out.
    Column("warn_at", Moment, index=True),
    Column("warned_at", Moment),
    Column("clock_stopped_at", Moment),
    Column("clock_stopped_for", String(10)),
    # The closed ticket that this one goes on with.
    Column("previous_id", Key),
    Column("incident_id", Key, ForeignKey("incidents.id"), index=True),
    # The staff said that it is a case of its own.
    Column("split_at", Moment),
    # What the parent said after closing: a mark 1 to 5; whether they got in; when to ask that.
    Column("mark", Integer),
    Column("got_in", Boolean),
    Column("follow_up_at", Moment, index=True),
    Column("reopened", Integer, nullable=False, server_default="0"),
    Index("ix_tickets_desk", "level", "school_id", "state"),
)

schools = Table(
    "schools",
    metadata,
    _id(),
    # Stands in links and on posters: it must not change when the name does.
    Column("code", String(40), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("municipality", String(200), nullable=False, index=True),
    Column("kind", String(60), nullable=False, server_default=""),
    Column("aliases", JSON, nullable=False, server_default="[]"),
    # As people write them («пн–пт 9:00–18:00»); empty: as in the region.
    Column("hours", String(300), nullable=False, server_default=""),
    # Pairs of first and last day (ISO dates); None: as in the region.
    Column("vacations", JSON),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    # Not in the directory any more; its old tickets still point here.
    Column("closed_at", Moment),
    UniqueConstraint("municipality", "name"),
)

staff_schools = Table(
    "staff_schools",
    metadata,
    Column(
        "staff_id", Key, ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("school_id", Key, ForeignKey("schools.id"), primary_key=True, autoincrement=False, index=True),
    Column("since", Moment, nullable=False),
)

# Group chats of Telegram and VK where a desk works together.
groups = Table(
    "groups",
    metadata,
    _id(),
    Column("channel", String(20), nullable=False),
    Column("chat_id", String(64), nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("level", String(10), nullable=False),
    Column("school_id", Key, ForeignKey("schools.id"), index=True),
    Column("municipality", String(200), nullable=False, server_default=""),
    Column("has_topics", Boolean, nullable=False, server_default=false()),
    Column("registered_by", Key, ForeignKey("staff.id")),
    Column("created_at", Moment, nullable=False),
    # Since when nothing can be written there, and why (kicked, gone, left).
    Column("lost_at", Moment),
    Column("lost_reason", String(20)),
    UniqueConstraint("channel", "chat_id"),
)

group_topics = Table(
    "group_topics",
    metadata,
    Column(
        "group_id", Key, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column(
        "ticket_id",
        Key,
        ForeignKey("tickets.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    Column("thread", String(40), nullable=False),
    Column("opened_at", Moment, nullable=False),
)

templates = Table(
    "templates",
    metadata,
    _id(),
    # Whose it is: everybody's (ministry), a municipality's or a school's.
    Column("level", String(10), nullable=False),
    Column("school_id", Key, ForeignKey("schools.id"), index=True),
    Column("municipality", String(200), nullable=False, server_default=""),
    Column("title", String(60), nullable=False),
    Column("text", Text, nullable=False),
    # What sending it does to the case: none, wait (for the parent) or close.
    Column("after", String(10), nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("updated_by", Key, ForeignKey("staff.id")),
    Column("updated_at", Moment, nullable=False),
    Column("retired_at", Moment),
)

incidents = Table(
    "incidents",
    metadata,
    _id(),
    Column("school_id", Key, ForeignKey("schools.id"), nullable=False),
    # What they have in common: an error text or an end of the diagnosis, by its name there.
    Column("matter", String(80), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    # The message that answered all of them; no foreign key: messages are deleted before incidents are.
    Column("answer_id", Key),
    Index("ix_incidents_open", "school_id", "matter", "closed_at"),
)

outages = Table(
    "outages",
    metadata,
    _id(),
    # Where: everywhere (ministry), in a municipality or in a school.
    Column("level", String(10), nullable=False),
    Column("school_id", Key, ForeignKey("schools.id")),
    Column("municipality", String(200), nullable=False, server_default=""),
    Column("text", Text, nullable=False),
    Column("declared_by", Key, ForeignKey("staff.id")),
    Column("started_at", Moment, nullable=False),
    # When it was declared, or somebody was last asked whether it lasts.
    Column("asked_at", Moment, nullable=False),
    Column("ended_at", Moment, index=True),
    Column("ended_by", Key, ForeignKey("staff.id")),
    # The place in one word, while it lasts: there is one outage at a time.
    Column("lasts_at", String(240), unique=True),
)

outage_told = Table(
    "outage_told",
    metadata,
    Column(
        "outage_id", Key, ForeignKey("outages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column(
        "person_id", Key, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("told_at", Moment, nullable=False),
    # When they were told that it is over.
    Column("ended_at", Moment),
)

digests = Table(
    "digests",
    metadata,
    # Whose: «school:12», «municipality:…», «ministry».
    Column("desk", String(240), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("sent_at", Moment, nullable=False),
)

staff = Table(
    "staff",
    metadata,
    _id(),
    # None: somebody who is no member any more and asked to be forgotten.
    Column("person_id", Key, ForeignKey("people.id"), unique=True),
    Column("name", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("municipality", Text),
    # The ticket that the next message is about, and as what: answer, question, note …
    Column("replying_to", Key),
    Column("replying_as", String(60)),
    Column("joined_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

invitations = Table(
    "invitations",
    metadata,
    _id(),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("school_id", Key, ForeignKey("schools.id")),
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
    # The message that this one shows to the other side: a reply to it is a reply to that.
    Column("shows_id", Key, ForeignKey("messages.id", ondelete="SET NULL"), index=True),
    # Files of one album that come later join the letter while it waits.
    Column("album", String(200)),
    Column("state", String(10), nullable=False),
    Column("pieces_sent", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Moment),
    Column("error", Text),
    Column("created_at", Moment, nullable=False, index=True),
    Column("sent_at", Moment),
    Index("ix_outbox_waiting", "channel", "state", "priority", "id"),
    Index("ix_outbox_chat", "channel", "chat_id", "state"),
    Index(
        "ix_outbox_album",
        "album",
        postgresql_where=text("album IS NOT NULL"),
        sqlite_where=text("album IS NOT NULL"),
    ),
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
