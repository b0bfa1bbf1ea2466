"""Schools and their staff at work on cases, for conversations in tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from faq.markup import plain
from handlers.messages import Outgoing
from storage import casework, conversations, people, staff, tickets
from storage.conversations import Message
from storage.database import Database
from storage.scope import Scope
from storage.staff import Member
from storage.ticket import Ticket
from tests.handlers.desk import Someone
from tests.handlers.timekeeping import Office

TABLES = (
    "tickets",
    "messages",
    "message_versions",
    "attachments",
    "conversations",
    "staff",
    "staff_schools",
    "templates",
    "journal",
    "invitations",
    "campaigns",
    "launches",
    "cursors",
)
"""What a refused deed must leave as it was. The inbox, the outbox and the people's last moments go on."""


def labels(message: Outgoing) -> list[str]:
    """What stands on its buttons."""
    return [button.label for row in message.buttons for button in row]


def payload(message: Outgoing, label: str) -> str:
    """What its button carries."""
    found = [button.payload for row in message.buttons for button in row if button.label.startswith(label)]
    assert found, f"«{label}» is none of {labels(message)}"
    return found[0]


async def presses(someone: Someone, label: str) -> list[str]:
    """Press a button of the message heard last that has it; gives what is heard then."""
    offered = [each for each in someone.heard if any(name.startswith(label) for name in labels(each))]
    assert offered, f"«{label}» was never offered"
    await someone.presses(payload(offered[-1], label))
    return await someone.waits()


async def replies(someone: Someone, heard: Outgoing, words: str) -> None:
    """Reply to a message that was heard."""
    place = max(number for number, each in enumerate(someone.heard) if each is heard)
    await someone.says(words, reply_to=someone.numbers[place])


def last(someone: Someone) -> str:
    """What was heard last, as it is read."""
    return plain(someone.heard[-1].text)


async def ticket_of(office: Office, number: int) -> Ticket:
    """The case as it is now."""
    async with office.database.reading() as tx:
        found = await tickets.find(tx, number)
    assert found is not None
    return found


async def member_of(office: Office, someone: Someone) -> Member:
    """The member who this person is."""
    async with office.database.reading() as tx:
        person = await people.at(tx, someone.address.channel, someone.address.chat_id)
        member = await staff.of_person(tx, person.id) if person else None
    assert member is not None
    return member


async def thread_of(office: Office, number: int) -> list[Message]:
    """Everything kept of a case."""
    async with office.database.reading() as tx:
        return await conversations.thread(tx, number)


async def sees(office: Office, someone: Someone, number: int) -> bool:
    """Whether the case is theirs to see."""
    member = await member_of(office, someone)
    async with office.database.reading() as tx:
        return await casework.seen(tx, Scope(member.id), number) is not None


async def revokes(office: Office, someone: Someone) -> None:
    """Take the role away, as the panel and the command line do."""
    member = await member_of(office, someone)
    async with office.database.transaction() as tx:
        await staff.revoke(tx, member.id, now=office.clock.now())


async def everything_in(database: Database, *, but: Mapping[str, tuple[str, ...]] | None = None) -> Any:
    """All rows of the tables that a refused deed must not touch; `but` leaves out columns of tables."""
    kept = {}
    async with database.reading() as tx:
        for table in TABLES:
            rows = (await tx.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))).mappings().all()  # noqa: S608
            left_out = {"state", "updated_at"} if table == "conversations" else set()
            left_out |= set((but or {}).get(table, ()))
            kept[table] = [{k: str(v) for k, v in row.items() if k not in left_out} for row in rows]
    return kept
