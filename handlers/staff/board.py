"""What the staff see of questions in a browser; every look goes through the scope and fails closed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from faq.markup import Span, parse, plain
from faq.text import small_talk
from handlers.cases import desks
from handlers.knowledge import Knowledge
from handlers.messages import Attachment
from handlers.staff import passing, ready
from handlers.texts import staff as said
from handlers.turn import Deed, attachments_of
from storage import casework, conversations, due, people, schools, staff, templates
from storage.casework import Listing
from storage.conversations import Author, Glance, Message
from storage.database import Transaction
from storage.schools import School
from storage.scope import Scope
from storage.staff import Member
from storage.templates import Template
from storage.ticket import ClockStop, Desk, Ticket, TicketState

LISTINGS: tuple[Listing, ...] = ("open", "new", "mine", "overdue", "closed")
PAGE = 25
"""Questions on a page: some screens of a phone."""
MOST_SCHOOLS = 300
"""Schools to choose from at once; with more of them a municipality is chosen first."""
FIRST_WORDS = 160
"""Characters of the parent's question that stand on the list."""


@dataclass(frozen=True)
class Clock:
    """Where a question stands in time."""

    due_at: datetime | None
    """The deadline that comes next."""
    is_overdue: bool
    stands_for: ClockStop | None
    """Why the clock stands; None while it goes."""


@dataclass(frozen=True)
class Summary:
    """A question as a line of the list."""

    number: int
    state: TicketState
    school: str
    channel: str
    words: str
    """The beginning of what the parent asked."""
    waits_since: datetime | None
    """Since when the parent waits for an answer; None when the last word is ours."""
    closed_at: datetime | None
    owner: str
    """Who answers; empty while nobody does."""
    is_mine: bool
    urgent: bool
    clock: Clock


@dataclass(frozen=True)
class Filter:
    """Which part of the member's questions is looked at."""

    municipality: str = ""
    school_id: int = 0


@dataclass(frozen=True)
class Board:
    """One page of a list."""

    listing: Listing
    lines: tuple[Summary, ...]
    counts: Mapping[Listing, int]
    """How many questions each list has; closed ones are not counted."""
    page: int
    has_more: bool
    chosen: Filter
    municipalities: tuple[str, ...]
    """To choose from; empty where there is nothing to choose."""
    schools: tuple[School, ...]


@dataclass(frozen=True)
class File:
    """A file in a thread."""

    id: int
    name: str
    is_photo: bool
    is_cleared: bool
    """Whether it may be shown: a parent checks photos and files for personal data first."""


@dataclass(frozen=True)
class Said:
    """One thing that was said, as the thread shows it."""

    id: int
    author: Author
    name: str
    """Who said it; empty for the bot and for parents who gave no name."""
    is_mine: bool
    spans: tuple[Span, ...]
    at: datetime
    edited_at: datetime | None
    before: tuple[tuple[str, datetime], ...]
    """What it said before each edit, and until when."""
    failure: str | None
    """Why it did not reach the parent: `second`, or a key of `texts.UNDELIVERED`."""
    can_send_anyway: bool
    files: tuple[File, ...]


@dataclass(frozen=True)
class Case:
    """One question with all that was said."""

    number: int
    state: TicketState
    school: str
    channel: str
    parent: str
    reason: str
    request: str
    """The kind of request, in words; empty for a question that the diagnosis does not know."""
    urgent: bool
    card: tuple[tuple[str, str], ...]
    """Titles and texts of what the parent told for it."""
    tried: tuple[str, ...]
    """Titles of the answers that the bot had shown."""
    owner: str
    is_mine: bool
    desk: str
    """Who is to answer, in words."""
    clock: Clock
    solve_due_at: datetime | None
    previous: int | None
    """The closed question that this one goes on with."""
    reopened: int
    mark: int | None
    opened_at: datetime
    closed_at: datetime | None
    thread: tuple[Said, ...]


@dataclass(frozen=True)
class Destination:
    """Where a question can be passed."""

    where: str
    """As `passing.hear` reads it."""
    name: str


async def board(
    tx: Transaction,
    member: Member,
    *,
    now: datetime,
    listing: Listing = "open",
    chosen: Filter | None = None,
    page: int = 0,
) -> Board:
    """A page of the questions that the member may see."""
    chosen = chosen or Filter()
    scope = Scope(member.id, _within(chosen))
    counts: dict[Listing, int] = {
        each: await casework.count(tx, scope, each, now=now) for each in LISTINGS if each != "closed"
    }
    # One more than is shown tells whether there is another page.
    found = await casework.listed(tx, scope, listing, now=now, limit=PAGE + 1, offset=page * PAGE)
    mine = await schools.of_member(tx, Scope(member.id))
    places = sorted({school.municipality for school in mine})
    near = [each for each in mine if chosen.municipality in {"", each.municipality}]
    return Board(
        listing=listing,
        lines=tuple(await _summaries(tx, member, found[:PAGE], now=now)),
        counts=counts,
        page=page,
        has_more=len(found) > PAGE,
        chosen=chosen,
        municipalities=tuple(places) if len(places) > 1 else (),
        schools=tuple(near) if 1 < len(near) <= MOST_SCHOOLS else (),
    )


async def case(
    tx: Transaction, member: Member, number: int, *, knowledge: Knowledge, now: datetime
) -> Case | None:
    """The question with this number; None if there is none or the member may not see it."""
    ticket = await casework.seen(tx, Scope(member.id), number)
    if ticket is None:
        return None
    person = await people.find(tx, ticket.person_id)
    names = await staff.names(tx)
    parent = person.name if person else ""
    thread = await conversations.thread(tx, ticket.id)
    versions = await conversations.versions(tx, ticket.id)
    titles = [topic.title for topic in map(knowledge.topic, ticket.tried) if topic is not None]
    kind = knowledge.tree.tickets.get(ticket.kind or "")
    return Case(
        number=ticket.id,
        state=ticket.state,
        school=ticket.school,
        channel=person.channel if person else "",
        parent=parent,
        reason=ticket.reason,
        request=kind.title if kind else "",
        urgent=ticket.urgent,
        card=tuple((title, told) for title, told in ticket.card if told != ticket.school),
        tried=tuple(titles),
        owner=names.get(ticket.owner_id or 0, ""),
        is_mine=ticket.owner_id == member.id,
        desk=plain(said.desk_name(ticket.desk, ticket.school)),
        clock=_clock(ticket, now),
        solve_due_at=ticket.solve_due_at if ticket.state == "waiting" else None,
        previous=ticket.previous_id,
        reopened=ticket.reopened,
        mark=ticket.mark,
        opened_at=ticket.created_at,
        closed_at=ticket.closed_at,
        thread=tuple(
            _said(message, member, ticket, parent=parent, names=names, before=versions.get(message.id, ()))
            for message in thread
        ),
    )


async def file(tx: Transaction, member: Member, number: int) -> Attachment | None:
    """The file with this number; None unless it belongs to a question that the member may see.

    None, too, while the parent has not checked it.
    """
    stored = await casework.file(tx, Scope(member.id), number)
    return attachments_of([stored])[0] if stored is not None else None


async def ready_answers(tx: Transaction, member: Member, number: int) -> list[Template]:
    """The ready answers that fit a question; none if the member may not see it."""
    ticket = await casework.seen(tx, Scope(member.id), number)
    return await templates.for_desk(tx, ticket.desk) if ticket is not None else []


async def seed_ready_answers(deed: Deed) -> None:
    """Add the ready answers that the program brings along, once for ever."""
    await ready.seed(deed)


async def destinations(tx: Transaction, member: Member, number: int) -> list[Destination]:
    """Where a question can be passed besides to a school that is named; none if the member may not see it."""
    ticket = await casework.seen(tx, Scope(member.id), number)
    if ticket is None:
        return []
    found = []
    if ticket.level != "school" and ticket.school_id is not None:
        found.append(
            _destination(f"{passing.SCHOOL}{ticket.school_id}", Desk("school", ticket.school_id), ticket)
        )
    for desk in (Desk("municipal", ticket.school_id, ticket.municipality), Desk("ministry")):
        is_there = desk.level == ticket.level or (desk.level == "municipal" and not desk.municipality)
        if not is_there and await desks.is_alive(tx, desk):
            found.append(_destination(desk.level, desk, ticket))
    return found


async def schools_to_pass_to(tx: Transaction) -> list[School]:
    """All schools of the directory: a question may have come to the wrong one."""
    return await schools.everyone(tx)


def _destination(where: str, desk: Desk, ticket: Ticket) -> Destination:
    name = plain(said.desk_name(desk, ticket.school, "to"))
    return Destination(where, name[:1].upper() + name[1:])


def _within(chosen: Filter) -> Desk | None:
    if chosen.school_id:
        return Desk("school", chosen.school_id)
    return Desk("municipal", municipality=chosen.municipality) if chosen.municipality else None


def _clock(ticket: Ticket, now: datetime) -> Clock:
    late = [each for each in (due.next_due(ticket), ticket.solve_due_at) if each is not None and each < now]
    goes = ticket.state != "closed" and ticket.clock_stopped_at is None
    return Clock(due.next_due(ticket), is_overdue=goes and bool(late), stands_for=ticket.clock_stopped_for)


async def _summaries(
    tx: Transaction, member: Member, shown: Collection[Ticket], *, now: datetime
) -> list[Summary]:
    glances = await conversations.glances(tx, [ticket.id for ticket in shown])
    parents = await people.some(tx, [ticket.person_id for ticket in shown])
    names = await staff.names(tx)
    return [
        Summary(
            number=ticket.id,
            state=ticket.state,
            school=ticket.school,
            channel=parents[ticket.person_id].channel if ticket.person_id in parents else "",
            words=_first_words(ticket, glances[ticket.id]),
            waits_since=_waits_since(ticket, glances[ticket.id]),
            closed_at=ticket.closed_at,
            owner=names.get(ticket.owner_id or 0, ""),
            is_mine=ticket.owner_id == member.id,
            urgent=ticket.urgent,
            clock=_clock(ticket, now),
        )
        for ticket in shown
    ]


def _waits_since(ticket: Ticket, glance: Glance) -> datetime | None:
    if ticket.state == "closed":
        return None
    # The thread begins with what was said to the bot: the wait for a human begins with the ticket.
    return ticket.created_at if ticket.state == "waiting" else glance.unanswered_since


def _first_words(ticket: Ticket, glance: Glance) -> str:
    # A greeting tells nothing, and the school stands on the line already.
    telling = [text for text in glance.words if small_talk(text) is None and text.strip() != ticket.school]
    telling = telling or list(glance.words)
    words = " ".join(" · ".join(telling).split())
    return words if len(words) <= FIRST_WORDS else words[:FIRST_WORDS].rstrip() + "…"


def _said(
    message: Message,
    member: Member,
    ticket: Ticket,
    *,
    parent: str,
    names: dict[int, str],
    before: Sequence[tuple[str, datetime]],
) -> Said:
    is_mine = message.staff_id == member.id
    name = parent if message.author == "person" else names.get(message.staff_id or 0, "")
    return Said(
        id=message.id,
        author=message.author,
        name=name,
        is_mine=is_mine,
        # Only our own words carry markup; what people typed is shown as it was typed.
        spans=parse(message.text) if message.author == "bot" else (Span(message.text),),
        at=message.created_at,
        edited_at=message.edited_at,
        before=tuple(before),
        failure=message.delivery,
        can_send_anyway=is_mine and message.delivery == "second" and ticket.state != "closed",
        files=tuple(
            File(
                each.id,
                each.name,
                is_photo=each.kind == "photo" or each.mime.startswith("image/"),
                is_cleared=each.cleared_at is not None,
            )
            for each in message.attachments
        ),
    )
