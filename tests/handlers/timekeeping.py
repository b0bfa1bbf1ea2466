"""A desk with schools and a calendar to turn: what the house does of itself happens when a test looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from faq.markup import plain
from handlers.dialog_state import DialogState
from handlers.knowledge import Knowledge
from handlers.ministry import digest
from handlers.ministry.overdue import Watch
from handlers.parents import escalation
from handlers.turn import Deed, Turn
from storage import conversations, schools, staff, tickets
from storage.database import Database
from storage.schools import School
from storage.staff import Member
from storage.ticket import Ticket
from tests.clock import StoppedClock
from tests.handlers.desk import Desk, Someone

MOSCOW = ZoneInfo("Europe/Moscow")


def moscow(text: str) -> datetime:
    """«2026-09-04 17:30» on the clocks of the region."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


def local(moment: datetime | None) -> str:
    """«04.09 17:30», as people of the region say it; a dash for none."""
    return moment.astimezone(MOSCOW).strftime("%d.%m %H:%M") if moment is not None else "—"


@dataclass
class Office:
    """Schools, their staff, and the clock."""

    database: Database
    knowledge: Knowledge
    clock: StoppedClock = field(default_factory=StoppedClock)

    def __post_init__(self) -> None:
        self.desk = Desk(self.database, self.knowledge, self.clock)

    async def school(
        self,
        name: str = "Лицей № 35",
        *,
        municipality: str = "Майкоп",
        hours: str = "",
        vacations: list[tuple[str, str]] | None = None,
    ) -> School:
        """A school of the directory."""
        async with self.database.transaction() as tx:
            number = await schools.add(
                tx,
                code=f"s{self.desk.new_number()}",
                name=name,
                municipality=municipality,
                kind="",
                aliases=[],
                hours=hours,
                now=self.clock.now(),
            )
            if vacations is not None:
                await schools.change(tx, number, now=self.clock.now(), vacations=vacations)
            found = await schools.find(tx, number)
        assert found is not None
        return found

    async def admin(self, school: School, name: str = "Мария") -> Someone:
        """An administrator of a school."""
        return await self.desk.colleague(name, role="school", school_id=school.id)

    async def coordinator(self, name: str = "Пётр", *, municipality: str = "Майкоп") -> Someone:
        """A coordinator of a municipality."""
        return await self.desk.colleague(name, role="municipal", municipality=municipality)

    async def is_now(self, text: str) -> None:
        """Turn the clock on to «2026-09-04 17:30»; nothing is looked at meanwhile."""
        moment = moscow(text)
        assert moment >= self.clock.now()
        await self.desk.passes(moment - self.clock.now())

    async def asks(self, parent: Someone, school: School | None, words: str = "не могу войти") -> int:
        """A parent's question comes to a school's desk now; returns its number."""
        known = await self.desk.known(parent)
        async with self.database.transaction() as tx:
            conversation = await conversations.of_person(tx, known.id, now=self.clock.now())
            await conversations.add_message(
                tx, conversation.id, author="person", text=words, now=self.clock.now()
            )
            state = DialogState.from_plain(conversation.state)
            state.reason = "asked"
            turn = Turn(tx, self.clock.now(), self.knowledge, known, conversation, state)
            await escalation.open_question(turn, school=school.name if school else "не названа", known=school)
            await turn.save_state()
            opened = await tickets.of_person(tx, known.id)
        await self.hears()
        return opened[0].id

    async def hears(self) -> None:
        """Whatever was said is delivered."""
        await self.desk.passes(timedelta())

    async def look(self, *, with_digest: bool = False) -> None:
        """The minute's job runs now."""
        await Watch(self.database, self.knowledge, self.clock.now).look()
        if with_digest:
            await self.send_digests()
        await self.hears()

    async def send_digests(self) -> None:
        """The digest's job runs now."""
        await digest.send_due(self.database, self.knowledge, now=self.clock.now)
        await self.hears()

    async def looks_until(self, text: str, *, every: timedelta = timedelta(hours=1)) -> None:
        """Time passes, and the job runs again and again."""
        while self.clock.now() + every <= moscow(text):
            await self.desk.passes(every)
            await self.look()

    async def ticket(self, number: int) -> Ticket:
        """The case as it is."""
        async with self.database.reading() as tx:
            found = await tickets.find(tx, number)
        assert found is not None
        return found

    async def member(self, someone: Someone) -> Member:
        """What the staff's list knows of somebody, in office or not."""
        known = await self.desk.known(someone)
        async with self.database.reading() as tx:
            found = await staff.of_person(tx, known.id)
        assert found is not None
        return found

    def deed(self, tx: object) -> Deed:
        """A deed of the house in this transaction."""
        return Deed(tx, self.clock.now(), self.knowledge)  # type: ignore[arg-type]


def said(someone: Someone, *, since: int = 0) -> list[str]:
    """What somebody heard, without markup."""
    return [plain(message.text) for message in someone.heard[since:]]
