"""No case is forgotten: desks are warned before a deadline, and after it the case moves up.

school ──────► municipality ──────► ministry: there it stays, on the list of the overdue and in the digest

Every minute the house looks for what is to be done. A look may be missed, be late, or happen twice at
once: each case has a transaction of its own, and one conditional statement decides who does the deed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from handlers.cases import calendars, deadlines, moving, showing
from handlers.knowledge import Knowledge
from handlers.texts import time as texts
from handlers.turn import Deed
from storage import due
from storage.database import Database, Transaction, Unavailable
from storage.ticket import Ticket

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Watch:
    """Looks what is due, and does it."""

    database: Database
    knowledge: Knowledge
    now: Callable[[], datetime]

    async def look(self) -> bool:
        """Do what is due now; returns whether anything was said."""
        await self._start_clocks()
        said = await self._do(_orphaned, moving.give_back)
        said |= await self._do(_overdue, moving.move_up)
        await self._plan_warnings()
        return await self._do(_to_warn, warn) or said

    async def _start_clocks(self) -> None:
        """Of cases that no outage holds any more although nobody started them: its end was cut short."""
        while True:
            async with self.database.reading() as tx:
                if not await due.let_go(tx, limit=1):
                    return
            async with self.database.transaction() as tx:
                await deadlines.resume_all(self._deed(tx))

    async def _plan_warnings(self) -> None:
        """Nothing is said by that, so a portion has one transaction."""
        after = 0
        while True:
            async with self.database.reading() as tx:
                found = await due.unplanned(tx, after=after)
            if not found:
                return
            async with self.database.transaction() as tx:
                await deadlines.plan_warnings(self._deed(tx), found)
            after = found[-1].id

    async def _do(self, find: _Find, act: _Act) -> bool:
        said, after = False, 0
        while True:
            async with self.database.reading() as tx:
                found = await find(self._deed(tx), after)
            for ticket in found:
                said |= await self._act(act, ticket)
            if len(found) < due.PORTION:
                return said
            after = found[-1].id

    async def _act(self, act: _Act, ticket: Ticket) -> bool:
        try:
            async with self.database.transaction() as tx:
                return await act(self._deed(tx), ticket)
        except Unavailable:
            raise
        except Exception as error:
            # The others must not wait behind this one; it is tried again at the next look.
            _log.exception("deed_failed", deed=act.__name__, ticket=ticket.id, error=type(error).__name__)
            return False

    def _deed(self, tx: Transaction) -> Deed:
        return Deed(tx, self.now(), self.knowledge)


async def warn(deed: Deed, ticket: Ticket) -> bool:
    """Remind whoever has the case, or its desk, of the deadline that comes next; in working hours only."""
    calendar = await deadlines.calendar_at(deed, ticket.desk)
    if not calendar.is_open(deed.now):
        return False
    until = due.next_due(ticket)
    warned = await due.note_warned(deed.tx, ticket, now=deed.now)
    if warned is None or until is None:
        return False
    zone = deed.knowledge.region.timezone
    await showing.tell_staff(deed, warned, texts.warning(warned, until, zone=zone, is_late=until <= deed.now))
    return True


async def _orphaned(deed: Deed, after: int) -> list[Ticket]:
    return await due.orphaned(deed.tx, after=after)


async def _overdue(deed: Deed, after: int) -> list[Ticket]:
    # At night nothing goes up, however much is late: it need not even be looked at.
    offices_work = calendars.calendar_of(deed.knowledge.region, None).is_open(deed.now)
    if not (offices_work and moving.may_tell_parents(deed)):
        return []
    return await due.overdue(deed.tx, now=deed.now, after=after)


async def _to_warn(deed: Deed, after: int) -> list[Ticket]:
    return await due.to_warn(deed.tx, now=deed.now, after=after)


_Find = Callable[[Deed, int], Awaitable[list[Ticket]]]
"""A portion of the cases that need a deed, with numbers greater than the one given."""
_Act = Callable[[Deed, Ticket], Coroutine[Any, Any, bool]]
"""Does it, unless the case is not so any more; returns whether anything was said."""
