"""A helpdesk without messengers: what people say goes in, what the outbox holds is what they hear."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from faq.markup import plain
from handlers.desk import Helpdesk
from handlers.knowledge import Knowledge
from handlers.messages import Address, Attachment, Incoming, Outgoing
from handlers.parents.flood import Limits
from handlers.staff import membership as staff
from handlers.turn import from_plain
from storage import outbox, people
from storage import staff as members
from storage.database import Database
from storage.people import Person
from tests.clock import StoppedClock

PATIENT = Limits(in_minute=1_000_000, in_hour=1_000_000)
"""For whoever presses hundreds of buttons while the clock stands."""
PHOTO = Attachment("photo", "фото.jpg", "image/jpeg", "telegram", "file-id")


@dataclass
class Someone:
    """A person at the desk."""

    desk: Desk
    address: Address
    name: str
    heard: list[Outgoing] = field(default_factory=list)
    """Everything that was sent to this person, in order."""
    numbers: list[str] = field(default_factory=list)
    """The messenger's numbers of these messages."""
    deleted: dict[str, int] = field(default_factory=dict)
    """Numbers of this person's messages that were taken out of the chat, with what had been heard by then."""

    async def says(self, text: str = "", **more: Any) -> str:
        """Write a message; gives the messenger's number of it."""
        number = self.desk.new_number()
        await self.desk.takes(self, text=text, message_id=number, **more)
        return number

    async def edits(self, number: str, text: str) -> None:
        """Change one's own message."""
        await self.desk.takes(self, text=text, message_id=number, edited=True)

    async def presses(self, payload: str, **more: Any) -> None:
        """Press a button by what it carries, offered or invented."""
        await self.desk.takes(self, button=payload, **more)

    async def starts(self, payload: str = "") -> None:
        """Press «Начать»."""
        await self.desk.takes(self, started=payload)

    async def waits(self, **time: float) -> list[str]:
        """Let time pass, and give what was heard since the last wait."""
        return [plain(message.text) for message in await self.waits_for_messages(**time)]

    async def waits_for_messages(self, **time: float) -> list[Outgoing]:
        """The same, with buttons and files."""
        before = len(self.heard)
        await self.desk.passes(timedelta(**(time or {"seconds": 10})))
        return self.heard[before:]


class Desk:
    """The helpdesk, its people and its clock."""

    def __init__(self, database: Database, knowledge: Knowledge, clock: StoppedClock) -> None:
        self.database = database
        self.clock = clock
        self.limits = Limits()
        self._knowledge = knowledge
        self._numbers = itertools.count(1)
        self._people: dict[Address, Someone] = {}
        self.restarts()

    def restarts(self) -> None:
        """Begin another process's life: nothing but the database is remembered."""
        self.helpdesk = Helpdesk(
            self.database,
            self._knowledge,
            now=self.clock.now,
            deletes=lambda channel: channel == "telegram",
            limits=self.limits,
        )

    def new_number(self) -> str:
        """A number that nothing had before."""
        return str(next(self._numbers))

    def person(self, name: str = "Анна", *, channel: str = "telegram") -> Someone:
        """Somebody who has not written yet."""
        address = Address(channel, self.new_number())
        return self._people.setdefault(address, Someone(self, address, name))

    def room(self, name: str = "Лицей № 35", *, channel: str = "telegram") -> Someone:
        """A group chat; whoever speaks there says so by `group=room.address`."""
        address = Address(channel, f"-100{self.new_number()}")
        return self._people.setdefault(address, Someone(self, address, name))

    async def parent(self, name: str = "Анна") -> Someone:
        """A parent who has been greeted."""
        parent = self.person(name)
        await parent.starts()
        await parent.waits()
        return parent

    async def colleague(
        self,
        name: str = "Мария",
        *,
        role: str = "ministry",
        school_id: int | None = None,
        municipality: str | None = None,
        channel: str = "vk",
    ) -> Someone:
        """A member of the staff."""
        member = self.person(name, channel=channel)
        async with self.database.transaction() as tx:
            invited = await staff.invite(
                tx, role=role, school_id=school_id, municipality=municipality, now=self.clock.now()
            )
        await member.starts(f"join-{invited.token}")
        await member.waits()
        return member

    async def opens_question(self, parent: Someone, words: str = "всё сломано") -> int:
        """Bring a parent to a human; returns the number of the question."""
        await parent.says(words)
        await parent.waits()
        await parent.presses("human")
        await parent.says("школа 5, Майкоп")
        told = await parent.waits()
        return int("".join(filter(str.isdigit, told[-1])))

    async def takes(self, someone: Someone, *, event_id: str = "", **what: Any) -> None:
        """One event, as a channel hands it over."""
        event_id = event_id or f"event-{self.new_number()}"
        incoming = Incoming(event_id=event_id, sender=someone.address, name=someone.name, **what)
        await self.helpdesk.receive(incoming)

    async def passes(self, time: timedelta) -> None:
        """Let time pass; whatever is due is answered, and everything said is delivered."""
        self.clock.pass_by(time)
        await self.helpdesk.answer_due()
        await self._deliver()

    async def known(self, someone: Someone) -> Person:
        """What is remembered of this person."""
        async with self.database.reading() as tx:
            found = await people.at(tx, someone.address.channel, someone.address.chat_id)
        assert found is not None
        return found

    async def is_staff(self, someone: Someone) -> bool:
        """Whether this person has a role now."""
        known = await self.known(someone)
        async with self.database.reading() as tx:
            return await members.of_person(tx, known.id) is not None

    async def _deliver(self) -> None:
        for channel in ("telegram", "vk"):
            while letters := await self._claim(channel):
                for letter in letters:
                    someone = self._people[Address(letter.channel, letter.chat_id)]
                    message = from_plain(letter.body)
                    if message.delete is None:
                        someone.heard.append(message)
                        someone.numbers.append(f"sent-{letter.id}")
                    else:
                        someone.deleted[message.delete] = len(someone.heard)
                    async with self.database.transaction() as tx:
                        await outbox.note_piece(tx, letter, pieces_sent=1, external_id=f"sent-{letter.id}")
                        await outbox.mark_sent(tx, letter.id, now=self.clock.now())

    async def _claim(self, channel: str) -> list[outbox.Letter]:
        async with self.database.transaction() as tx:
            return await outbox.claim(tx, channel, now=self.clock.now(), limit=20)
