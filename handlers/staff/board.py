"""What the staff see of questions and of each other, and what they may do there; every look fails closed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from faq.markup import Span, parse
from faq.text import small_talk
from handlers.errors import HelpdeskError
from handlers.knowledge import Knowledge
from handlers.messages import Attachment
from handlers.staff import membership as deeds
from handlers.staff.membership import Invited
from handlers.texts import basics as texts
from handlers.turn import attachments_of
from storage import conversations, journal, people, staff, tickets
from storage.conversations import Author, Glance, Message
from storage.database import Transaction
from storage.staff import Member
from storage.tickets import Ticket, TicketState

LONGEST_LIST = 300
"""Open questions on the list; more than a team can look through."""
CLOSED_SHOWN = 50
"""Closed questions on the list, newest first."""
FIRST_WORDS = 160
"""Characters of the parent's question that stand on the list."""
MANAGERS = ("owner", "ministry")
"""Roles that see the staff and invite colleagues."""


class NotAllowed(HelpdeskError):
    """The member's role does not reach so far."""


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


@dataclass(frozen=True)
class Board:
    """The whole list."""

    waiting: tuple[Summary, ...]
    answered: tuple[Summary, ...]
    closed: tuple[Summary, ...]


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
    opened_at: datetime
    closed_at: datetime | None
    thread: tuple[Said, ...]


def may_see(member: Member, ticket: Ticket) -> bool:  # noqa: ARG001 - the scope will ask for the ticket
    """Whether this member may see, and work on, this question.

    Now every active member may see all of them; the scope of schools and municipalities comes here.
    """
    return member.revoked_at is None


def may_manage(member: Member) -> bool:
    """Whether this member sees the staff and may invite and revoke."""
    return member.revoked_at is None and member.role in MANAGERS


async def board(tx: Transaction, member: Member) -> Board:
    """The questions that the member may see."""
    open_ = _visible(member, await tickets.list_open(tx, limit=LONGEST_LIST))
    closed = _visible(member, await tickets.list_closed(tx, limit=CLOSED_SHOWN))
    lines = await _summaries(tx, member, [*open_, *closed])
    return Board(
        waiting=tuple(line for line in lines if line.state == "waiting"),
        # Whoever wrote again stands above those who have their answer.
        answered=tuple(
            sorted(
                (line for line in lines if line.state == "answered"),
                key=lambda line: line.waits_since is None,
            )
        ),
        closed=tuple(line for line in lines if line.state == "closed"),
    )


async def case(tx: Transaction, member: Member, number: int, *, knowledge: Knowledge) -> Case | None:
    """The question with this number; None if there is none or the member may not see it."""
    ticket = await _ticket(tx, member, number)
    if ticket is None:
        return None
    person = await people.find(tx, ticket.person_id)
    names = await staff.names(tx)
    parent = person.name if person else ""
    thread = await conversations.thread(tx, ticket.id)
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
        opened_at=ticket.created_at,
        closed_at=ticket.closed_at,
        thread=tuple(_said(message, member, ticket, parent=parent, names=names) for message in thread),
    )


async def file(tx: Transaction, member: Member, number: int) -> Attachment | None:
    """The file with this number; None unless it belongs to a question that the member may see.

    None, too, while the parent has not checked it.
    """
    found = await conversations.attachment(tx, number)
    if found is None:
        return None
    stored, ticket_id = found
    if stored.cleared_at is None or ticket_id is None or await _ticket(tx, member, ticket_id) is None:
        return None
    return attachments_of([stored])[0]


async def colleagues(tx: Transaction, member: Member) -> tuple[Member, ...]:
    """All active members; raises `NotAllowed` for those who do not manage the staff."""
    if not may_manage(member):
        raise NotAllowed("Список сотрудников видят владелец и оператор министерства.")
    return tuple(await staff.everyone(tx))


def roles_to_invite(member: Member) -> tuple[str, ...]:
    """The roles that this member may give and take; only an owner makes owners."""
    if not may_manage(member):
        return ()
    return tuple(role for role in texts.ROLES if role != "owner" or member.role == "owner")


async def invite(
    tx: Transaction,
    member: Member,
    *,
    role: str,
    school: str | None,
    municipality: str | None,
    now: datetime,
) -> Invited:
    """Make a one-time link's token for a colleague."""
    if role not in roles_to_invite(member):
        raise NotAllowed("Пригласить с этой ролью вы не можете.")
    return await deeds.invite(
        tx, role=role, school=school, municipality=municipality, now=now, actor=f"staff:{member.id}"
    )


def may_revoke(member: Member, colleague: Member) -> bool:
    """Whether the member may take the colleague's role away; nobody locks themselves out by mistake."""
    return colleague.id != member.id and colleague.role in roles_to_invite(member)


async def revoke(tx: Transaction, member: Member, staff_id: int, *, now: datetime) -> None:
    """Take a colleague's role away; a second time changes nothing."""
    colleague = await staff.find(tx, staff_id)
    if colleague is None or not may_revoke(member, colleague):
        raise NotAllowed("Отозвать доступ этого сотрудника вы не можете.")
    if await staff.revoke(tx, staff_id, now=now) is not None:
        await journal.note(tx, "revoked", actor=f"staff:{member.id}", now=now, details={"staff": staff_id})


async def _ticket(tx: Transaction, member: Member, number: int) -> Ticket | None:
    ticket = await tickets.find(tx, number)
    return ticket if ticket is not None and may_see(member, ticket) else None


def _visible(member: Member, found: Sequence[Ticket]) -> list[Ticket]:
    return [ticket for ticket in found if may_see(member, ticket)]


async def _summaries(tx: Transaction, member: Member, shown: Collection[Ticket]) -> list[Summary]:
    glances = await conversations.glances(tx, [ticket.id for ticket in shown])
    parents = await people.some(tx, [ticket.person_id for ticket in shown])
    names = await staff.names(tx)
    return [
        Summary(
            number=ticket.id,
            state=ticket.state,
            school=ticket.school,
            channel=parents[ticket.person_id].channel,
            words=_first_words(ticket, glances[ticket.id]),
            waits_since=_waits_since(ticket, glances[ticket.id]),
            closed_at=ticket.closed_at,
            owner=names.get(ticket.owner_id or 0, ""),
            is_mine=ticket.owner_id == member.id,
            urgent=ticket.urgent,
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


def _said(message: Message, member: Member, ticket: Ticket, *, parent: str, names: dict[int, str]) -> Said:
    is_mine = message.staff_id == member.id
    name = {"person": parent, "staff": names.get(message.staff_id or 0, ""), "bot": ""}[message.author]
    return Said(
        id=message.id,
        author=message.author,
        name=name,
        is_mine=is_mine,
        # Only our own words carry markup; what people typed is shown as it was typed.
        spans=parse(message.text) if message.author == "bot" else (Span(message.text),),
        at=message.created_at,
        edited_at=message.edited_at,
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
