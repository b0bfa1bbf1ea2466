"""How the week ended: every case answered, moved up or listed as overdue for the right people."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from bot.parts import App
from handlers.cases import group_desks
from storage import casework, journal, people, staff, tickets
from storage.scope import Scope
from storage.staff import Member
from storage.tables import Moment
from storage.ticket import Ticket
from tests.simulation.phones import Place
from tests.simulation.staff import CLOSES, MOSCOW, OPENS

if TYPE_CHECKING:
    from tests.simulation.first_week import Week

MANY = 100_000
MOVED_WITHIN = timedelta(hours=1)
"""Working time in which a late case has gone up: the house looks every few minutes."""
A_WHILE = timedelta(minutes=15)
"""What was queued for a group may still wait that long: messengers let bots write there slowly."""


async def revoke(app: App, place: Place) -> None:
    """The owner takes somebody's role away, as `helpdesk staff revoke` does in a process of its own."""
    now = app.clock.now()
    async with app.database.transaction() as tx:
        person = await people.at(tx, place.channel, place.chat_id)
        member = await staff.of_person(tx, person.id) if person is not None else None
        if member is not None:
            await staff.revoke(tx, member.id, now=now)
            await group_desks.tell_of_registered(tx, member.id, now=now)
            await journal.note(tx, "revoked", actor="owner", now=now, details={"staff": member.id})


async def in_incidents(app: App) -> set[int]:
    """The cases that belong to an incident, or did when they were closed: what their parents said is kept."""
    async with app.database.reading() as tx:
        return {row.id for row in await tx.execute(text(_IN_INCIDENTS))}


async def figures(week: Week) -> dict[str, int | float | str]:
    """Count the cases by how they ended; whatever is forgotten is complained of."""
    async with week.app.database.reading() as tx:
        now = week.timeline.now()
        open_ones = await tickets.list_open(tx, limit=MANY)
        members = await staff.everyone(tx)
        overdue = {
            member.id: {
                each.id
                for each in await casework.listed(tx, Scope(member.id), "overdue", now=now, limit=MANY)
            }
            for member in members
        }
        rows = (await tx.execute(text(_ALL))).all()
        undelivered = (await tx.execute(text(_UNDELIVERED))).all()
        letters = {row.state: row.number for row in (await tx.execute(text(_LETTERS))).all()}
        failed = list((await tx.execute(text(_FAILED).columns(created_at=Moment))).all())
        deeds = {row.deed: row.number for row in (await tx.execute(text(_JOURNAL))).all()}
        incidents = (await tx.execute(text("SELECT count(*) FROM incidents"))).scalar_one()
    ends = Counter(_end_of(week, ticket, members, overdue) for ticket in open_ones)
    ends.update(_closed_how(row) for row in rows if row.state == "closed")
    for row in rows:
        if row.first_answer_at is not None and not _is_known_to_be_answered(week, row.id):
            week.checks.complain("answered_by_nobody", f"№ {row.id} отвечен, а никто не отвечал")
    for number, case in week.world.cases.items():
        if number not in {row.id for row in rows}:
            week.checks.complain("forgotten", f"№ {number} ({case.place}) нет в базе")
    return {
        "parents": len(week.world.parents),
        "staff": len(week.world.seats),
        "schools": len(week.world.schools),
        "cases": len(rows),
        **{f"cases: {end}": count for end, count in sorted(ends.items())},
        "cases accounted for": f"{sum(ends.values()) - ends['forgotten']} of {len(rows)}",
        "cases above the school's desk": sum(
            row.level != "school" and row.school_id is not None for row in rows
        ),
        "cases reopened": sum(row.reopened > 0 for row in rows),
        "cases with a mark": sum(row.mark is not None for row in rows),
        "incidents": incidents,
        **{f"journal: {deed}": count for deed, count in sorted(deeds.items())},
        "letters": sum(letters.values()),
        **{f"letters: {state}": count for state, count in sorted(letters.items())},
        **{f"letters failed: {reason}": count for reason, count in _failures(week, failed).items()},
        **{f"refused: {reason}": count for reason, count in week.checks.refusals.counts().items()},
        **{f"undelivered: {row.delivery}": row.number for row in undelivered},
        **dict(sorted(week.world.counts.items())),
        "manners: telegram": len(week.telegram.violations) + len(week.telegram.limit_hits),
        "manners: vk": len(week.vk.violations) + len(week.vk.limit_hits),
    }


def _end_of(week: Week, ticket: Ticket, members: list[Member], overdue: dict[int, set[int]]) -> str:
    """How an open case stands: answered, moved up, or listed as overdue for the right people."""
    due = _late_since(ticket, week.timeline.now())
    if due is None:
        return _in_time(ticket)
    if ticket.level != "ministry" and _worked(due, week.timeline.now()) > MOVED_WITHIN:
        return _forgotten(week, ticket, "просрочен, а не передан выше")
    right = [member for member in members if _answers_for(member, ticket)]
    if not right:
        return _forgotten(week, ticket, "никто не отвечает за стол")
    blind = [member.id for member in right if ticket.id not in overdue[member.id]]
    if blind:
        return _forgotten(week, ticket, f"просрочен, а не виден {blind}")
    if not _is_in_digest(week, ticket, due, right):
        return _forgotten(week, ticket, "просрочен, а в сводке его нет")
    return f"overdue, listed for the {ticket.level} desk"


def _in_time(ticket: Ticket) -> str:
    if ticket.clock_stopped_for is not None:
        return {"asked": "the parent was asked", "outage": "waits for the end of an outage"}[
            ticket.clock_stopped_for
        ]
    if ticket.state == "answered":
        return "answered, open"
    is_higher = ticket.school_id is not None and ticket.level != "school"
    return "moved up, in time" if is_higher else "not answered, in time"


def _closed_how(row: Any) -> str:
    if row.first_answer_at is not None:
        return "answered, closed"
    return "closed by the parent" if row.closed_by is None else "closed by the staff without an answer"


def _forgotten(week: Week, ticket: Ticket, why: str) -> str:
    week.checks.complain("forgotten", f"№ {ticket.id} ({ticket.desk.key}): {why}")
    return "forgotten"


def _late_since(ticket: Ticket, now: datetime) -> datetime | None:
    """The deadline that has passed, of the answer or of the solution; None while none has."""
    due = ticket.answer_due_at if ticket.state == "waiting" else ticket.solve_due_at
    return due if ticket.clock_stopped_at is None and due is not None and due < now else None


def _worked(since: datetime, until: datetime) -> timedelta:
    """How much of this time was working time; slowly, and without holidays, of which the week has none."""
    step, worked, moment = timedelta(minutes=10), timedelta(), since
    while moment < until:
        local = moment.astimezone(MOSCOW)
        worked += step if local.weekday() < _SATURDAY and OPENS <= local.hour < CLOSES else timedelta()
        moment += step
    return worked


def _is_known_to_be_answered(week: Week, number: int) -> bool:
    """Whether somebody of the staff remembers that they answered."""
    world = week.world
    case = world.cases.get(number)
    if case is None or world.answers_to(number):
        return True  # nobody was told of a case that its parent did not live to follow
    return any(
        number in word.sent_to | word.told | word.undelivered or case.place in word.seen_at
        for word in world.answers_to(0)
    )


def _failures(week: Week, failed: list[Any]) -> Counter[str]:
    """Letters that will never arrive, by reason; each must have one that people know of."""
    reasons: Counter[str] = Counter()
    for letter in failed:
        reason = (letter.error or "").partition(":")[0]
        reasons[reason] += 1
        place = Place(letter.channel, letter.chat_id)
        in_room = any(
            room.place == place and any(at - A_WHILE <= letter.created_at for at in room.troubles)
            for room in week.rooms
        )
        if not (in_room or week.checks.refusals.was_blocked(place, letter.created_at)):
            about = f"{place} {letter.created_at:%a %H:%M} № {letter.ticket_id}: {letter.error}"
            week.checks.complain("letter_failed", about)
    return reasons


def _is_in_digest(week: Week, ticket: Ticket, due: datetime, right: list[Member]) -> bool:
    """Whether the desk heard this morning of what was overdue by then."""
    opening = week.timeline.now().astimezone(MOSCOW).replace(hour=OPENS, minute=30)
    if week.timeline.now() < opening or due > opening - timedelta(hours=1):
        return True
    places = {Place(member.channel, member.chat_id) for member in right}
    if ticket.level == "school":
        places |= {room.place for room in week.rooms if room.school.id == ticket.school_id}
    heard = [week.checks.digests[place] for place in places if place in week.checks.digests]
    return any(at > due and "Просрочены: " in said for at, said in heard)


def _answers_for(member: Member, ticket: Ticket) -> bool:
    if member.role in {"owner", "ministry"}:
        return ticket.level == "ministry"
    if ticket.level == "municipal":
        return member.role == "municipal" and member.municipality == ticket.municipality
    return ticket.level == "school" and ticket.school_id in member.school_ids


_SATURDAY = 5
_ALL = "SELECT id, state, level, school_id, reopened, mark, first_answer_at, closed_by FROM tickets"
_FAILED = "SELECT channel, chat_id, error, created_at, ticket_id FROM outbox WHERE state = 'failed'"
_IN_INCIDENTS = """
SELECT id FROM tickets WHERE (incident_id IS NOT NULL OR closed_at <= split_at)
AND EXISTS (SELECT 1 FROM messages m WHERE m.ticket_id = tickets.id AND m.author = 'person')
"""
_UNDELIVERED = (
    "SELECT delivery, count(*) AS number FROM messages WHERE delivery IS NOT NULL GROUP BY delivery"
)
_JOURNAL = "SELECT deed, count(*) AS number FROM journal WHERE ticket_id IS NOT NULL GROUP BY deed"
_LETTERS = "SELECT state, count(*) AS number FROM outbox GROUP BY state"
