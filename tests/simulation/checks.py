"""Checks that run all week: who hears what, and what the tables say after every event."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text

from bot.clock import Clock
from storage.database import Database, Transaction
from tests.simulation.phones import Heard, Place
from tests.simulation.refusals import Claim, Refusals
from tests.simulation.world import School, Word, World

_UNDELIVERED = re.compile(r"№ (\d+)[^\n]{0,80}не доставлен")
MOST = 200
"""Complaints that are kept in words; all are counted."""

LEGAL = {
    ("bot", "waiting_human"),
    ("bot", "human"),
    ("waiting_human", "human"),
    ("human", "waiting_human"),  # passed on to another desk, or its owner has left
    ("waiting_human", "bot"),
    ("human", "bot"),
    ("waiting_human", "closed"),
    ("human", "closed"),
    ("closed", "bot"),
    ("closed", "waiting_human"),  # reopened
    ("closed", "human"),
}
"""How a conversation may change (`storage.conversations`); a change of the ticket alone is looked at, too."""
BOTS_OWN = ("t:", "ok:", "no:", "sec:", "dx:", "none")
"""How the buttons under the bot's own answers begin: while a human talks, the bot is silent."""


@dataclass(frozen=True)
class Complaint:
    """A promise that was broken."""

    check: str
    """lost, wrong_person, illegal_mode, wrong_ticket, bot_talks, forgotten …"""
    about: str


class Checks:
    """What everybody complains of."""

    def __init__(self, world: World, *, clock: Clock) -> None:
        self.world = world
        self.counts: Counter[str] = Counter()
        self.complaints: list[Complaint] = []
        self.refusals = Refusals(world)
        self.incidents: dict[str, School] = {}
        """Whose each incident is, by how its buttons begin."""
        self.digests: dict[Place, tuple[datetime, str]] = {}
        """The last morning's digest of each chat of the staff."""
        self.joined: set[int] = set()
        """The cases that have ever been part of an incident."""
        self._undelivered: dict[int, datetime] = {}
        """When the staff last heard that an answer to this case did not arrive."""
        self._clock = clock

    def complain(self, check: str, about: str) -> None:
        """Note a broken promise."""
        self.counts[check] += 1
        if len(self.complaints) < MOST:
            self.complaints.append(Complaint(check, f"{self._clock.now():%a %H:%M:%S} {about}"))

    # ---- who hears what

    def hear(self, heard: Heard) -> None:
        """A message was delivered: look at every marker in it."""
        self.world.counts["delivered"] += 1
        self.refusals.hear(heard, self._clock.now())
        if self.world.is_forgotten(heard.place, self._clock.now()):
            self.complain("not_forgotten", f"{heard.place} слышит {heard.text[:200]!r}")
        self._hear_of_undelivered(heard)
        if heard.text.startswith(("Вопросы на ", "Сводка на ")) and self.world.is_staff(heard.place):
            self.digests[heard.place] = (self._clock.now(), heard.text)
            self.world.counts["digests"] += 1
        said = heard.text + " ".join(each.decode(errors="ignore") for each in heard.files)
        for word in self.world.found(said):
            self._look(word, heard.place, said)

    def _hear_of_undelivered(self, heard: Heard) -> None:
        """The staff are told that an answer did not arrive: then it is not lost."""
        told = _UNDELIVERED.search(heard.text)
        if told is None or not self.world.is_staff(heard.place):
            return
        self.world.counts["told that an answer did not arrive"] += 1
        number = int(told[1])
        self._undelivered[number] = self._clock.now()
        parent = self.world.cases[number].place if number in self.world.cases else heard.place
        for word in self.world.answers_to(number):
            if not (word.reached or word.refused):
                word.refused = True
                self.refusals.claim(Claim("undelivered", parent, number, word.at))
        for word in self.world.answers_to(0):
            if number in word.told and parent not in word.seen_at:
                self._does_not_come(word, number, parent)

    def goes_to(self, word: Word, numbers: Collection[int]) -> None:
        """Its author was told to which cases an answer to all goes.

        The desk may have heard of some that they did not arrive before the author hears where all went.
        """
        word.told |= set(numbers)
        for number in numbers:
            case, heard_at = self.world.cases.get(number), self._undelivered.get(number)
            if case is not None and heard_at is not None and heard_at >= word.at:
                self._does_not_come(word, number, case.place)

    def _does_not_come(self, word: Word, number: int, parent: Place) -> None:
        word.told.discard(number)
        word.undelivered.add(number)
        self.refusals.claim(Claim("undelivered", parent, number, word.last_sent or word.at))

    def _look(self, word: Word, place: Place, said: str) -> None:
        word.seen_at.add(place)
        if word.kind in {"parent", "photo"}:
            self._look_at_parents(word, place, said)
        elif self.world.is_staff(place):
            self._look_at_staffs(word, place, said)
        elif word.kind == "note":
            self.complain("wrong_person", f"заметка {word.marker} у родителя {place}: {said[:200]!r}")
        elif self._may_be_answered(word, place):
            word.reached = True
            # Who joins an incident late reads the newest version as the first.
            if word.is_edit and word.to_all_of is None and "справлен" not in said:
                self.complain("edit_unmarked", f"ответ {word.marker} у {place}: {said[:200]!r}")
        else:
            about = f"ответ {word.marker} на № {word.case} ({word.text}) у {place}: {said[:200]!r}"
            self.complain("wrong_person", about)

    def _may_be_answered(self, word: Word, place: Place) -> bool:
        if word.to_all_of is not None:
            return self.world.has_named(place, word.to_all_of)
        if word.is_ready:
            return any(self._is_case_of(place, number) for number in word.sent_to)
        return self._is_case_of(place, word.case)

    def _is_case_of(self, place: Place, number: int) -> bool:
        case = self.world.cases.get(number)
        return case is not None and case.place == place

    def _look_at_parents(self, word: Word, place: Place, said: str) -> None:
        if place == word.author:
            return
        if word.is_unwanted:
            self.complain("banned_heard", f"{word.marker} у {place}: {said[:200]!r}")
        if self.world.is_forgotten(word.author, self._clock.now()):
            self.complain("not_forgotten", f"{word.marker} у {place}: {said[:200]!r}")
        if self.world.may_read(place, word.author, self._clock.now()):
            word.seen_by_staff = True
        else:
            who = "сотрудника" if self.world.is_staff(place) else "родителя"
            about = f"{word.marker} родителя {word.author} у {who} {place}: {said[:200]!r}"
            self.complain("wrong_person", about)

    def _look_at_staffs(self, word: Word, place: Place, said: str) -> None:
        case = self.world.cases.get(word.case)
        if case is not None and not self.world.may_read(place, case.place, self._clock.now()):
            self.complain(
                "wrong_person", f"{word.kind} {word.marker} (№ {word.case}) у {place}: {said[:200]!r}"
            )

    def nothing_lost(self, incidents: Collection[int] = ()) -> None:
        """At the end: every word reached those for whom it was, or its author was told why not.

        Of the cases that joined `incidents` the staff see one card for all: what was said before they were
        opened waits there for whoever asks.
        """
        for claim in self.refusals.unexplained():
            self.complain("refused_without_reason", f"{claim.reason}: № {claim.case}, {claim}")
        for word in self.world.words.values():
            if word.opens in incidents and not word.seen_by_staff:
                self.world.counts["words behind an incident's card"] += 1
                continue
            if word.opens in self.joined and self._is_seen_as_corrected(word):
                self.world.counts["words corrected behind an incident's card"] += 1
                continue
            for number in word.told:
                case = self.world.cases.get(number)
                if case is not None and case.place not in word.seen_at and not word.refused:
                    self.complain("lost", f"общий ответ {word.marker} на № {number}")
            if word.refused and word.reached and word.kind == "answer":
                self.complain("refused_but_sent", f"ответ {word.marker} на № {word.case} от {word.author}")
            if word.kind in {"parent", "photo"} and word.is_for_people:
                if not (word.seen_by_staff or word.taken_back):
                    self.complain(
                        "lost", f"{word.kind} {word.marker} {word.author} {word.at:%a %H:%M} {word.text}"
                    )
            elif word.kind == "answer" and not (
                word.is_ready or _is_settled(word) or self.world.is_to_nobody(word)
            ):
                about = f"ответ {word.marker} на № {word.case} {word.at:%a %H:%M} от {word.author}"
                self.complain("lost", f"{about} {word.text}")

    def _is_seen_as_corrected(self, word: Word) -> bool:
        """Whether the staff got the case's own card only when its words read otherwise already."""
        newest = word
        while newest.corrected_by is not None:
            newest = newest.corrected_by
        return newest is not word and newest.seen_by_staff


def _is_settled(word: Word) -> bool:
    return word.reached or word.refused or word.taken_back


class Ledger:
    """Looks at the rows that an event has changed; the database itself writes down which those are."""

    def __init__(self, database: Database, checks: Checks) -> None:
        self._database = database
        self._checks = checks
        self._last = 0
        self._seen: deque[int] = deque(maxlen=LATE)
        self._is_open = False
        self.looked_at = 0

    async def open(self) -> None:
        """Put the triggers in."""
        async with self._database.transaction() as tx:
            for statement in _SQLITE if self._database.is_sqlite else _POSTGRESQL:
                await tx.exec_driver_sql(statement)
        self._is_open = True

    async def check(self, after: str) -> None:
        """Look at everything that changed since the last look."""
        if not self._is_open:
            return
        async with self._database.reading() as tx:
            fresh = await self._fresh(tx)
            if not fresh:
                return
            rows: dict[str, set[int]] = {"mode": set(), "ticket": set(), "letter": set()}
            for row in fresh:
                rows[row.what].add(row.row_id)
                if row.what == "mode" and row.before != row.now and (row.before, row.now) not in LEGAL:
                    about = f"{after}: беседа {row.row_id}: {row.before} → {row.now}"
                    self._checks.complain("illegal_mode", about)
            silent = {row.row_id for row in fresh if row.what == "letter" and row.before in _WITH_HUMAN}
            await self._look_at_conversations(tx, rows["mode"], after)
            await self._look_at_tickets(tx, rows["ticket"], after)
            await self._look_at_letters(tx, silent, after)
        self.looked_at += len(fresh)

    async def _fresh(self, tx: Transaction) -> list[Any]:
        # Another transaction may have been given a lower number and have committed later.
        query = text("SELECT id, what, row_id, before, now FROM sim_changes WHERE id > :last ORDER BY id")
        rows = (await tx.execute(query, {"last": max(0, self._last - self._behind)})).all()
        seen = set(self._seen) if self._behind else set()
        fresh = [row for row in rows if row.id > self._last or (self._behind and row.id not in seen)]
        self._seen.extend(row.id for row in fresh)
        self._last = max([self._last, *(row.id for row in fresh)])
        return fresh

    @property
    def _behind(self) -> int:
        return 0 if self._database.is_sqlite else LATE // 2

    async def _look_at_conversations(self, tx: Transaction, numbers: Iterable[int], after: str) -> None:
        for row in await _rows(tx, _CONVERSATIONS, numbers):
            fault = _fault_of_conversation(row)
            if fault:
                self._checks.complain("illegal_mode", f"{after}: беседа {row.id} ({row.mode}): {fault}")

    async def _look_at_tickets(self, tx: Transaction, numbers: Iterable[int], after: str) -> None:
        for row in await _rows(tx, _TICKETS, numbers):
            if row.incident_id is not None:
                self._checks.joined.add(row.id)
            for fault in _faults_of_ticket(row):
                self._checks.complain("wrong_ticket", f"{after}: № {row.id} ({row.state}): {fault}")

    async def _look_at_letters(self, tx: Transaction, numbers: Iterable[int], after: str) -> None:
        for row in await _rows(tx, _LETTERS, numbers):
            body = json.loads(row.body) if isinstance(row.body, str) else row.body
            payloads = [button["payload"] for line in body["buttons"] for button in line]
            asked = Place(row.channel, row.chat_id) in self._checks.world.ask_bot
            if any(payload.startswith(BOTS_OWN) for payload in payloads) and not asked:
                self._checks.complain("bot_talks", f"{after}: {row.chat_id}: {body['text'][:120]!r}")


LATE = 400
"""Changes that PostgreSQL may show out of order."""
_WITH_HUMAN = {"waiting_human", "human"}


def _fault_of_conversation(row: Any) -> str:
    with_human, is_open = row.mode in _WITH_HUMAN, row.state not in {None, "closed"}
    claims = {
        "с человеком, а вопроса нет": with_human and row.ticket_id is None,
        f"держит вопрос {row.ticket_id} — {row.state}": row.ticket_id is not None and not is_open,
        f"вопрос {row.ticket_id} чужого человека": is_open and row.ticket_person != row.person_id,
        f"закрыта, а держит вопрос {row.ticket_id}": row.mode == "closed" and row.ticket_id is not None,
        "закрыта, а сообщения ждут бота": row.mode == "closed" and bool(row.pending),
    }
    return "; ".join(claim for claim, is_so in claims.items() if is_so)


def _faults_of_ticket(row: Any) -> list[str]:
    is_closed = row.state == "closed"
    held = row.held is not None
    claims = {
        "закрыт без времени закрытия": is_closed == (row.closed_at is None),
        "у закрытого идут часы": is_closed and row.clock_stopped_at is not None,
        "закрыт, а беседа держит его": is_closed and held,
        "часы стоят без причины": (row.clock_stopped_at is None) != (row.clock_stopped_for is None),
        "отвечен без времени ответа": row.state == "answered" and row.first_answer_at is None,
        "открыт без человека": not is_closed and row.person_id is None,
        "открыт без беседы": not is_closed and row.talks is None,
        "в школе без школы": row.level == "school" and row.school_id is None,
        "у координатора без муниципалитета": row.level == "municipal" and not row.municipality,
        "школа другого муниципалитета": row.its_municipality not in {None, row.municipality},
        "открыт, а сроков нет": not is_closed and row.level != "" and row.answer_due_at is None,
        # Whoever was revoked a moment ago is looked for by a job: at the end of the week nobody is left.
        "вопрос не свой у владельца": not is_closed
        and row.owner_id is not None
        and row.owner_revoked is None
        and not row.owner_reaches,
    }
    return [claim for claim, is_so in claims.items() if is_so]


async def _rows(tx: Transaction, query: str, numbers: Iterable[int]) -> list[Any]:
    wanted = list(numbers)
    if not wanted:
        return []
    statement = text(query).bindparams(bindparam("numbers", expanding=True))
    return list((await tx.execute(statement, {"numbers": wanted})).all())


_CONVERSATIONS = """
SELECT c.id, c.mode, c.person_id, c.ticket_id, t.state, t.person_id AS ticket_person,
  (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id AND m.pending) AS pending
FROM conversations c LEFT JOIN tickets t ON t.id = c.ticket_id WHERE c.id IN :numbers
"""
_TICKETS = """
SELECT t.*, c.id AS talks, s.municipality AS its_municipality, o.revoked_at AS owner_revoked,
  (SELECT h.id FROM conversations h WHERE h.ticket_id = t.id AND h.mode != 'closed') AS held,
  (o.role IN ('owner', 'ministry') OR (o.role = 'municipal' AND o.municipality = t.municipality)
   OR EXISTS (SELECT 1 FROM staff_schools w WHERE w.staff_id = o.id AND w.school_id = t.school_id))
   AS owner_reaches
FROM tickets t LEFT JOIN conversations c ON c.id = t.conversation_id
LEFT JOIN schools s ON s.id = t.school_id LEFT JOIN staff o ON o.id = t.owner_id WHERE t.id IN :numbers
"""
_LETTERS = """
SELECT o.id, o.channel, o.chat_id, o.body FROM outbox o WHERE o.id IN :numbers AND NOT EXISTS
  (SELECT 1 FROM people p JOIN staff s ON s.person_id = p.id
   WHERE p.channel = o.channel AND p.chat_id = o.chat_id)
"""

_MODE_CHANGED = "OLD.mode IS DISTINCT FROM NEW.mode OR OLD.ticket_id IS DISTINCT FROM NEW.ticket_id"
_MODE_THERE = (
    "(SELECT c.mode FROM conversations c JOIN people p ON p.id = c.person_id "
    "WHERE p.channel = NEW.channel AND p.chat_id = NEW.chat_id)"
)
_INSERT = "INSERT INTO sim_changes (what, row_id, before, now) VALUES"
_NOTES = {
    ("mode", "UPDATE", "conversations"): f"{_INSERT} ('mode', NEW.id, OLD.mode, NEW.mode);",
    ("ticket", "UPDATE", "tickets"): f"{_INSERT} ('ticket', NEW.id, OLD.state, NEW.state);",
    ("ticket_new", "INSERT", "tickets"): f"{_INSERT} ('ticket', NEW.id, NULL, NEW.state);",
    ("letter", "INSERT", "outbox"): f"{_INSERT} ('letter', NEW.id, {_MODE_THERE}, NULL);",
}
_COLUMNS = "what TEXT NOT NULL, row_id BIGINT NOT NULL, before TEXT, now TEXT"
_SQLITE = [
    f"CREATE TABLE sim_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, {_COLUMNS})",
    *(
        f"CREATE TRIGGER sim_{name} AFTER {deed} ON {table}"
        f"{f' WHEN {_MODE_CHANGED}' if name == 'mode' else ''} BEGIN {note} END"
        for (name, deed, table), note in _NOTES.items()
    ),
]
_POSTGRESQL = [
    f"CREATE TABLE sim_changes (id BIGSERIAL PRIMARY KEY, {_COLUMNS})",
    *(
        statement
        for (name, deed, table), note in _NOTES.items()
        for statement in (
            f"CREATE FUNCTION sim_note_{name}() RETURNS trigger AS $$ BEGIN {note} RETURN NULL; END $$ "
            "LANGUAGE plpgsql",
            f"CREATE TRIGGER sim_{name} AFTER {deed} ON {table} FOR EACH ROW"
            f"{f' WHEN ({_MODE_CHANGED})' if name == 'mode' else ''} EXECUTE FUNCTION sim_note_{name}()",
        )
    ),
]
