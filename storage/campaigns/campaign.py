"""What a campaign, a launch and a reader are.

Campaign: one announcement, from its first draft on.

           sent for approval         approved           its last launch is over
    draft ───────────────► approval ─────────► scheduled ─────────────────────► ended
      ▲                        │                  │
      └──── changed, refused ──┴──────────────────┤ stopped by people
                                                  └──────────────────► stopped

Launch: one start of it (a series has several; so has a start that goes from municipality to municipality).

           its time has come       everybody is on the list        nobody is left
    planned ───────────────► filling ─────────────────────► sending ──────────► done
       │ more than an hour late │ ▲                          │  ▲
       ▼                        ▼ │ people                   ▼  │ people
      asks ──── people ────►  (filling)                     paused
       └──────────────────────── people ───────────────────► stopped

Reader: one row for each who is to read a launch.

           claim, then one request         accepted
    queued ─────────────► sending ───────────────────► sent
      ▲                    │   │ refused for good, or the rules say no
      └──── certainly not ─┘   ├─────────────────────► failed, skipped
            sent, try again    │ nobody knows
                               └─────────────────────► unknown
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

Category = Literal["important", "reminders", "news"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
CampaignState = Literal["draft", "approval", "scheduled", "ended", "stopped"]
LaunchState = Literal["planned", "asks", "filling", "sending", "paused", "done", "stopped"]
ReaderState = Literal["queued", "sending", "sent", "failed", "skipped", "unknown"]
Stage = Literal["no_account", "not_confirmed", "child_not_linked", "no_profile", "inside"]
"""How far a parent has come, from the first step to the last."""
STAGES: tuple[Stage, ...] = get_args(Stage)
VenueKind = Literal["telegram_channel", "telegram_group", "vk_wall", "vk_chat"]

OVER: frozenset[LaunchState] = frozenset(("done", "stopped"))
ALIVE: frozenset[LaunchState] = frozenset(("filling", "sending"))


@dataclass(frozen=True)
class Audience:
    """Who is to read it; an empty field asks for nothing. What is listed in one field is joined by «or»,
    the fields by «and»."""

    who: Literal["parents", "staff", "venues"] = "parents"
    channels: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()
    school_ids: tuple[int, ...] = ()
    age_groups: tuple[str, ...] = ()
    """`storage.family.AGE_GROUPS`."""
    stages: tuple[str, ...] = ()
    """`STAGES`, or «unknown»: they were never asked."""
    topics: tuple[str, ...] = ()
    """They were answered one of these topics of the FAQ."""
    asked_since: datetime | None = None
    """… not longer ago than this."""
    not_told_days: int = 0
    """Nobody to whom an announcement was sent in so many days."""

    def to_plain(self) -> dict[str, Any]:
        """As JSON; only what asks for something."""
        plain: dict[str, Any] = {"who": self.who}
        for name in _LISTS:
            if getattr(self, name):
                plain[name] = list(getattr(self, name))
        if self.asked_since is not None:
            plain["asked_since"] = self.asked_since.isoformat()
        if self.not_told_days:
            plain["not_told_days"] = self.not_told_days
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Audience:
        """What `to_plain` wrote."""
        since = plain.get("asked_since")
        return cls(
            who=plain.get("who", "parents"),
            **{name: tuple(plain.get(name, ())) for name in _LISTS},
            asked_since=datetime.fromisoformat(since) if since else None,
            not_told_days=plain.get("not_told_days", 0),
        )


_LISTS = ("channels", "municipalities", "school_ids", "age_groups", "stages", "topics")


@dataclass(frozen=True)
class Campaign:
    """One announcement."""

    id: int
    title: str
    """For the staff; readers do not see it."""
    category: Category
    text: str
    """In the helpdesk's markup, with placeholders."""
    buttons: tuple[Mapping[str, Any], ...]
    """As `handlers.campaigns.composing` writes them: {"label", "kind", "value"}."""
    attachments: tuple[Mapping[str, Any], ...]
    """Kept files, as `handlers.turn.to_plain` writes attachments."""
    audience: Audience
    schedule: Mapping[str, Any]
    """As `handlers.campaigns.schedule` writes it."""
    state: CampaignState
    edition: int
    """Grows with every change; a check, a test and an approval are of one edition."""
    checked_edition: int | None
    tested_edition: int | None
    approved_edition: int | None
    author_id: int | None
    """None: the owner of the machine, by the command line."""
    approved_by: int | None
    approved_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_checked(self) -> bool:
        """Whether it was checked as it is now."""
        return self.checked_edition == self.edition

    @property
    def is_tested(self) -> bool:
        """Whether somebody sent it to themselves as it is now."""
        return self.tested_edition == self.edition

    @property
    def is_approved(self) -> bool:
        """Whether a second person agreed to it as it is now."""
        return self.approved_edition == self.edition


@dataclass(frozen=True)
class Launch:
    """One start of a campaign."""

    id: int
    campaign_id: int
    municipality: str
    """Only this one's readers; empty: all of the campaign's whom no other launch of the same wave has told or
    would tell, if nobody held it."""
    wave: datetime
    """The moment of the schedule for which it stands; a staggered wave has several launches."""
    due_at: datetime
    state: LaunchState
    reason: str | None
    """A word: overdue, brake, restored, fault, refusals, channel, people."""
    detail: str | None
    by_id: int | None
    body: Mapping[str, Any] | None
    """{"text", "buttons", "attachments", "category", "audience", "window"} as they were when it began."""
    filled_to: int | None
    """Up to which person (or venue) everybody is on the list; None: not begun, -1: to the end, less: families
    are looked at once more, up to minus that and two."""
    started_at: datetime | None
    alive_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Reader:
    """Somebody who is to read a launch."""

    id: int
    launch_id: int
    person_id: int | None
    venue_id: int | None
    channel: str
    chat_id: str
    school_id: int | None
    zone: str
    state: ReaderState
    reason: str | None
    """blocked, not_allowed, gone, kicked, rejected, gave_up, unserved; of skipped ones: cap, opted_out,
    unreachable, banned; of unknown ones: interrupted, unfinished."""
    detail: str | None
    attempts: int
    claimed_at: datetime | None
    doubted_at: datetime | None
    """When a request was made of which nobody knows whether it was carried out."""
    sent_at: datetime | None
    external_id: str | None


@dataclass(frozen=True)
class Progress:
    """How far a launch, or a whole campaign, has come: readers by state, and refusals by reason."""

    states: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)

    def of(self, *states: ReaderState) -> int:
        """How many are in one of these states."""
        return sum(self.states.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        """Everybody on the list."""
        return sum(self.states.values())

    @property
    def left(self) -> int:
        """Who is still to be told."""
        return self.of("queued", "sending")


@dataclass(frozen=True)
class Venue:
    """A place where announcements are posted for everybody who reads it."""

    id: int
    kind: VenueKind
    channel: str
    chat_id: str
    title: str
    school_id: int | None
    municipality: str
    registered_by: int | None
    lost_at: datetime | None
    lost_reason: str | None
