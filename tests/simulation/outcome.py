"""How the week ended: every case answered, moved up or listed as overdue for the right people."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.parts import App
from handlers.cases import group_desks
from storage import casework, journal, people, staff, tickets
from storage.scope import Scope
from storage.staff import Member
from storage.ticket import Ticket
from tests.simulation.phones import Place
from tests.simulation.staff import MOSCOW, OPENS

if TYPE_CHECKING:
    from tests.simulation.first_week import Week

MANY = 100_000


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
    """The cases that belong to an incident, where everything that their parents said is kept."""
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
        deeds = {row.deed: row.number for row in (await tx.execute(text(_JOURNAL))).all()}
        incidents = (await tx.execute(text("SELECT count(*) FROM incidents"))).scalar_one()
    ends: Counter[str] = Counter()
    for ticket in open_ones:
        ends[_end_of(week, ticket, members, overdue)] += 1
    for row in rows:
        if row.state == "closed":
            ends["closed"] += 1
    for number, case in week.world.cases.items():
        if number not in {row.id for row in rows}:
            week.checks.complain("forgotten", f"№ {number} ({case.place}) нет в базе")
    return {
        "parents": len(week.world.parents),
        "staff": len(week.world.seats),
        "schools": len(week.world.schools),
        "cases": len(rows),
        **{f"cases: {end}": count for end, count in sorted(ends.items())},
        "cases above the school's desk": sum(
            row.level != "school" and row.school_id is not None for row in rows
        ),
        "cases reopened": sum(row.reopened > 0 for row in rows),
        "cases with a mark": sum(row.mark is not None for row in rows),
        "incidents": incidents,
        **{f"journal: {deed}": count for deed, count in sorted(deeds.items())},
        "letters": sum(letters.values()),
        **{f"letters: {state}": count for state, count in sorted(letters.items())},
        **{f"undelivered: {row.delivery}": row.number for row in undelivered},
        **dict(sorted(week.world.counts.items())),
        "manners: telegram": len(week.telegram.violations) + len(week.telegram.limit_hits),
        "manners: vk": len(week.vk.violations) + len(week.vk.limit_hits),
    }


def _end_of(week: Week, ticket: Ticket, members: list[Member], overdue: dict[int, set[int]]) -> str:
    if ticket.state == "answered":
        return "answered, open"
    if ticket.clock_stopped_at is not None:
        return "waiting for the parent"
    if ticket.answer_due_at is not None and ticket.answer_due_at > week.timeline.now():
        return "in time still"
    right = [member for member in members if _answers_for(member, ticket)]
    if not right:
        week.checks.complain("forgotten", f"№ {ticket.id}: за стол {ticket.desk.key} никто не отвечает")
        return "forgotten"
    blind = [member.id for member in right if ticket.id not in overdue[member.id]]
    if blind:
        week.checks.complain("forgotten", f"№ {ticket.id} ({ticket.desk.key}) просрочен, а не виден {blind}")
        return "forgotten"
    if not _is_in_digest(week, ticket, right):
        week.checks.complain("forgotten", f"№ {ticket.id} ({ticket.desk.key}) просрочен, а в сводке его нет")
    return "overdue, listed"


def _is_in_digest(week: Week, ticket: Ticket, right: list[Member]) -> bool:
    """Whether the desk heard this morning of what was overdue by then."""
    opening = week.timeline.now().astimezone(MOSCOW).replace(hour=OPENS, minute=30)
    if ticket.answer_due_at is None or ticket.answer_due_at > opening - timedelta(hours=1):
        return True
    places = {Place(member.channel, member.chat_id) for member in right}
    if ticket.level == "school":
        places |= {room.place for room in week.rooms if room.school.id == ticket.school_id}
    heard = [week.checks.digests[place] for place in places if place in week.checks.digests]
    return any(at > ticket.answer_due_at and "Просрочены: " in said for at, said in heard)


def _answers_for(member: Member, ticket: Ticket) -> bool:
    if member.role in {"owner", "ministry"}:
        return ticket.level == "ministry"
    if ticket.level == "municipal":
        return member.role == "municipal" and member.municipality == ticket.municipality
    return ticket.level == "school" and ticket.school_id in member.school_ids


_ALL = "SELECT id, state, level, school_id, reopened, mark FROM tickets"
_IN_INCIDENTS = """
SELECT id FROM tickets WHERE incident_id IS NOT NULL
AND EXISTS (SELECT 1 FROM messages m WHERE m.ticket_id = tickets.id AND m.author = 'person')
"""
_UNDELIVERED = (
    "SELECT delivery, count(*) AS number FROM messages WHERE delivery IS NOT NULL GROUP BY delivery"
)
_JOURNAL = "SELECT deed, count(*) AS number FROM journal WHERE ticket_id IS NOT NULL GROUP BY deed"
_LETTERS = "SELECT state, count(*) AS number FROM outbox GROUP BY state"
