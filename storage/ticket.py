"""Tickets: questions that a person has to solve.

              first answer            close
waiting ─────────────────► answered ─────────► closed
    │                          ▲                 ▲ │
    └──────────────────────────┼─────────────────┘ │
                      close    └───────────────────┘ the parent writes again
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.engine import Row

TicketState = Literal["waiting", "answered", "closed"]
Reason = Literal["asked", "unknown", "not_helped", "error", "diagnosis"]
Level = Literal["school", "municipal", "ministry"]
ClockStop = Literal["asked", "outage"]


@dataclass(frozen=True)
class Desk:
    """Those who answer together: of a school, of a municipality, or of the ministry."""

    level: Level
    school_id: int | None = None
    municipality: str = ""

    @property
    def key(self) -> str:
        """One word for it, the same for ever."""
        place = {"school": str(self.school_id), "municipal": self.municipality, "ministry": ""}[self.level]
        return f"{self.level}:{place}" if place else self.level


@dataclass(frozen=True)
class Ticket:
    """A question in people's hands."""

    id: int
    person_id: int
    """0, which nobody has, when the question is anonymous: the person was forgotten, or it is too old."""
    conversation_id: int
    """0 likewise."""
    state: TicketState
    reason: Reason
    topic: str | None
    """Slug of the answer that did not help, if there was one."""
    tried: tuple[str, ...]
    """Slugs of all answers the person saw before."""
    school: str
    """The school in the person's own words, or as the directory calls it."""
    school_id: int | None
    """The school in the directory."""
    municipality: str
    """The school's; may be known without one; empty otherwise."""
    level: Level
    """Who is to answer."""
    kind: str | None
    """The kind of request in the diagnosis tree; None for a question that it does not know."""
    urgent: bool
    card: tuple[tuple[str, str], ...]
    """Fields of the card: title and text, in the order in which they are shown."""
    leaf: str | None
    """The end of the diagnosis that led here."""
    owner_id: int | None
    """Number of the staff member who took it, or whose answer was first."""
    created_at: datetime
    first_answer_at: datetime | None
    closed_at: datetime | None
    answer_due_at: datetime | None
    """By when somebody is to answer; stays where it was while the clock stands."""
    solve_due_at: datetime | None
    warned_at: datetime | None
    """When the desk was warned of the deadline that comes next."""
    clock_stopped_at: datetime | None
    clock_stopped_for: ClockStop | None
    previous_id: int | None
    """The closed ticket that this one goes on with."""
    incident_id: int | None
    mark: int | None
    """1 to 5, from the parent, after closing."""
    got_in: bool | None
    """What the parent said two days later."""
    follow_up_at: datetime | None
    """When to ask whether they got in."""
    reopened: int
    """How many times."""

    @property
    def desk(self) -> Desk:
        """Who is to answer."""
        return Desk(self.level, self.school_id, self.municipality)


@dataclass(frozen=True)
class Matter:
    """What a new ticket is about, and whose it is."""

    reason: Reason
    topic: str | None
    tried: tuple[str, ...]
    school: str
    school_id: int | None = None
    municipality: str = ""
    level: Level = "ministry"
    kind: str | None = None
    urgent: bool = False
    card: tuple[tuple[str, str], ...] = ()
    leaf: str | None = None
    previous_id: int | None = None


def from_row(row: Row[Any]) -> Ticket:
    """The ticket in a row of its table."""
    return Ticket(
        id=row.id,
        person_id=row.person_id or 0,
        conversation_id=row.conversation_id or 0,
        state=row.state,
        reason=row.reason,
        topic=row.topic,
        tried=tuple(row.tried),
        school=row.school,
        school_id=row.school_id,
        municipality=row.municipality,
        level=row.level,
        kind=row.kind,
        urgent=row.urgent,
        card=tuple((title, said) for title, said in row.card),
        leaf=row.leaf,
        owner_id=row.owner_id,
        created_at=row.created_at,
        first_answer_at=row.first_answer_at,
        closed_at=row.closed_at,
        answer_due_at=row.answer_due_at,
        solve_due_at=row.solve_due_at,
        warned_at=row.warned_at,
        clock_stopped_at=row.clock_stopped_at,
        clock_stopped_for=row.clock_stopped_for,
        previous_id=row.previous_id,
        incident_id=row.incident_id,
        mark=row.mark,
        got_in=row.got_in,
        follow_up_at=row.follow_up_at,
        reopened=row.reopened,
    )
