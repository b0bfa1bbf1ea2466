"""Announcements on their way: takes readers, sends at the messenger's pace, records what became of each.

Whatever was promised to people comes first: a reader is taken only in a turn that no reply wants. Taken,
sent and recorded are three steps; whoever dies between them leaves at most one request of each worker in
doubt.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from bot.channels.base import (
    Channel,
    FetchError,
    NotSent,
    Piece,
    Rejected,
    SendError,
    SlowDown,
    Unfinished,
)
from bot.channels.files import Files
from bot.clock import Clock, sleep_unless
from bot.limits import Pacer
from bot.mailing_fates import CLOSED_SECONDS, LONGEST_PAUSE_SECONDS, Fates, Stopped
from handlers.campaigns import telling
from handlers.knowledge import Knowledge
from storage.campaigns import launches, readers
from storage.campaigns.readers import Batch, Rules
from storage.database import Database, Transaction, Unavailable

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)

WORKERS = 8
"""Requests of one channel on their way at the same time: 30 a second with a quarter of a second for each."""
IDLE_LOOK_SECONDS = 2.0
"""How often to look for readers when nobody woke us."""
REPEAT_WITHIN = timedelta(minutes=50)
"""A messenger that drops repeats (VK: for an hour) is asked again within this time; later it is in doubt."""
PIECE_TRIES = 6
"""Of what follows the first piece, while its reader waits."""
RULES_SECONDS = 1.0
"""How long what is being sent, and where it is day, is known: it is asked for every reader."""
DATABASE_RETRY_SECONDS = 1.0
LANDING_SECONDS = 5.0
FRESH_SECONDS = 1.0
"""Whoever was taken longer ago is sent nothing before a look whether people have stopped it meanwhile."""
LOST_CLAIM_KEPT = timedelta(minutes=1)
"""So long a database may still be carrying out what a lost connection asked of it."""


@dataclass
class _Flight:
    """Readers on their way."""

    batch: Batch
    fates: Fates
    fresh_until: float = -math.inf
    """Until then nobody need look whether people have stopped it."""
    requested: bool = False
    """A request was made: whatever goes wrong now, somebody may have been told."""
    is_first_closed: bool = False
    """Nobody was told yet that the channel takes nothing."""


class Mailing:
    """Tells the readers of one channel; only one process does it at a time (see `supervise`)."""

    def __init__(
        self,
        channel: Channel,
        database: Database,
        files: Files,
        channels: Mapping[str, Channel],
        knowledge: Knowledge,
        pacer: Pacer,
        *,
        clock: Clock,
        a_week: int,
    ) -> None:
        """`pacer` is the one that replies use; `a_week` announcements at most for one person."""
        self._channel = channel
        self._database = database
        self._files = files
        self._channels = channels
        self._knowledge = knowledge
        self._pacer = pacer
        self._clock = clock
        self._a_week = a_week
        # SQLite has one writer at a time: of us only one waits in that queue, so that replies need not.
        self._at_database = asyncio.Semaphore(1 if database.is_sqlite else WORKERS)
        self._woken = asyncio.Event()
        self._busy = asyncio.Event()
        self._zones: dict[int, frozenset[str]] = {}
        self._rules: dict[int, Rules] = {}
        self._rules_until = -math.inf
        self._pulse = 0
        self._flying: set[asyncio.Task[bool]] = set()
        # Of each launch: refusals on this channel since somebody was reached.
        self._refused: Counter[int] = Counter()
        # Readers who were taken, and whose fate is not on record yet.
        self._taken: set[int] = set()
        # When the database was lost in the middle of taking somebody: they may be on record as taken.
        self._lost_claims: list[datetime] = []
        self._closed_until = -math.inf
        # Of whose trouble with this channel people know.
        self._told_closed: set[int] = set()

    def wake(self) -> None:
        """There may be readers."""
        self._woken.set()

    async def run(self) -> None:
        """Tell until cancelled; a lost database only makes it wait."""
        await self._insist(self._recover)
        await self._insist(self._stay_silent)
        self._taken.clear()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._scout())
                for _ in range(WORKERS):
                    group.create_task(self._work())
        finally:
            await self._land()

    async def _land(self) -> None:
        """Wait a moment for the answers to what is on its way: else nobody would ever know them."""
        if self._flying:
            _, late = await asyncio.wait(self._flying, timeout=LANDING_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _scout(self) -> None:
        """Let the workers sleep while there is nothing to do."""
        while True:
            self._woken.clear()
            try:
                async with self._database.reading() as tx:
                    is_ours = not await self._was_put_back(tx)
                    await self._ask_for_rules(tx)
                if is_ours and self._rules and not self._is_closed:
                    self._busy.set()
            except Unavailable:
                _log.warning("database_lost", channel=self._channel.name)
            await sleep_unless(self._woken, IDLE_LOOK_SECONDS, clock=self._clock)

    async def _work(self) -> None:
        while True:
            await self._busy.wait()
            await self._pacer.spare_turn()
            flight = asyncio.create_task(self._fly())
            self._flying.add(flight)
            flight.add_done_callback(self._flying.discard)
            if not await asyncio.shield(flight):
                self._busy.clear()

    async def _fly(self) -> bool:
        """Take the next readers and tell them; False if there are none."""
        batch = None if self._is_closed else await self._insist(self._claim)
        if batch is not None and batch.readers:
            await self._tell(batch)
        return batch is not None

    # ---- taking

    async def _recover(self) -> None:
        since = self._doubt_since() if self._channel.drops_repeats else None
        async with self._database.transaction() as tx:
            again, unknown = await readers.recover(tx, self._channel.name, safe_since=since)
        if again or unknown:
            _log.warning("readers_recovered", channel=self._channel.name, again=again, unknown=unknown)

    async def _stay_silent(self) -> None:
        """The silence that the messenger asked for does not end with a restart of ours."""
        now = self._clock.now()
        async with self._database.reading() as tx:
            until = (await launches.held_until(tx, now=now)).get(self._channel.name)
        if until is not None:
            self._pacer.hold((until - now).total_seconds())

    @property
    def _is_closed(self) -> bool:
        return self._clock.monotonic() < self._closed_until

    async def _claim(self) -> Batch | None:
        now = self._clock.now()
        try:
            batch = await self._claim_at(now)
        except Unavailable:
            # It may have been kept, and only the answer was lost.
            self._lost_claims.append(now)
            raise
        if batch is not None:
            self._taken.update(reader.id for reader in batch.readers)
        return batch

    async def _claim_at(self, now: datetime) -> Batch | None:
        async with self._database.transaction() as tx:
            self._lost_claims = [each for each in self._lost_claims if now - each < LOST_CLAIM_KEPT]
            await readers.take_back(tx, self._channel.name, claimed=self._lost_claims, sparing=self._taken)
            if await self._was_put_back(tx):
                return None
            if self._clock.monotonic() >= self._rules_until:
                await self._ask_for_rules(tx)
            if not self._rules:
                return None
            limit = self._channel.most_readers
            return await readers.claim(tx, self._channel.name, rules=self._rules, limit=limit, now=now)

    async def _was_put_back(self, tx: Transaction) -> bool:
        """Whether the database is older than it was: nobody is told before the next look has held it all."""
        pulse = await launches.pulse(tx)
        self._pulse = max(self._pulse, pulse)
        return pulse < self._pulse

    async def _ask_for_rules(self, tx: Transaction) -> None:
        found: dict[int, Rules] = {}
        for launch_id, body in (await readers.sending(tx, self._channel.name)).items():
            if launch_id not in self._zones:
                self._zones[launch_id] = await readers.zones_of(tx, launch_id)
            zones = self._zones[launch_id]
            rules = telling.rules(
                body, zones, a_week=self._a_week, doubt_since=self._doubt_since(), now=self._clock.now()
            )
            if rules is not None:
                found[launch_id] = rules
        self._rules, self._rules_until = found, self._clock.monotonic() + RULES_SECONDS

    def _doubt_since(self) -> datetime:
        return self._clock.now() - REPEAT_WITHIN

    # ---- telling

    async def _tell(self, batch: Batch) -> None:
        flight = _Flight(batch, Fates({each.chat_id: each for each in batch.readers}, self._drops_repeats))
        fates, flight.fresh_until = flight.fates, self._clock.monotonic() + FRESH_SECONDS
        try:
            await self._send(flight)
        except SendError as error:
            self._slow_down(error)
            fates.sort_all(error)
        except FetchError as error:
            fates.lack_file(error)
        except Exception as error:
            _log.exception("announcement_failed", channel=self._channel.name, launch=batch.launch_id)
            # What was asked of the messenger may have been carried out.
            name = type(error).__name__
            fates.sort_all(Unfinished(name) if flight.requested else Rejected(name))
        if fates.closed:
            self._closed_until = self._clock.monotonic() + CLOSED_SECONDS
            flight.is_first_closed = batch.launch_id not in self._told_closed
            self._told_closed.add(batch.launch_id)
        elif fates.told:
            self._told_closed.discard(batch.launch_id)
        await self._insist(lambda: self._record(flight))
        self._taken.difference_update(reader.id for reader in batch.readers)

    @property
    def _drops_repeats(self) -> bool:
        return self._channel.drops_repeats

    async def _send(self, flight: _Flight) -> None:
        """Make the requests of a batch; raises `SendError` when the answer is for all who are waiting."""
        batch, fates = flight.batch, flight.fates
        message = telling.words(batch.body, batch.readers[0], self._knowledge)
        files = [await self._files.local(each, self._channels) for each in message.attachments]
        for number, piece in enumerate(self._channel.compose(message, files)):
            send = self._go_on if number and not self._drops_repeats else self._request
            for chat_id, answer in (await send(flight, piece, f"{batch.key}:{number}")).items():
                reader = fates.waiting[chat_id]
                if isinstance(answer, SendError):
                    self._slow_down(answer)
                    fates.sort(reader, answer)
                else:
                    fates.note(reader, answer)

    async def _go_on(self, flight: _Flight, piece: Piece, key: str) -> Mapping[str, str | SendError]:
        """Send what follows the first piece: whoever has read the beginning must not be told it anew."""
        for attempt in range(PIECE_TRIES):
            await self._pacer.spare_turn()
            try:
                return await self._request(flight, piece, key)
            except SlowDown as error:
                self._pacer.hold(error.seconds)
                if error.seconds > LONGEST_PAUSE_SECONDS:
                    break
            except Stopped:
                break
            except NotSent:
                await self._clock.sleep(2.0**attempt)
        raise Unfinished("only the beginning was sent")

    async def _request(self, flight: _Flight, piece: Piece, key: str) -> Mapping[str, str | SendError]:
        chat_ids = list(flight.fates.waiting)
        if not chat_ids:
            return {}
        only = chat_ids[0] if len(chat_ids) == 1 else ""
        messages = max(1, len(piece.files))
        if not await self._pacer.chat_turn(only, messages=messages):
            # Whoever is taken must not wait for long: people may stop the launch meanwhile.
            raise SlowDown(self._pacer.held_for)
        try:
            await self._refuse_if_stopped(flight)
            flight.requested = True
            return await self._channel.send_to_many(chat_ids, piece, key=key)
        finally:
            self._pacer.done(only, messages=messages)

    async def _refuse_if_stopped(self, flight: _Flight) -> None:
        """Fetching a picture, or a pause within a long message, gives people time to stop it."""
        if self._clock.monotonic() < flight.fresh_until:
            return
        if not await self._insist(lambda: self._is_sending(flight.batch.launch_id)):
            raise Stopped
        flight.fresh_until = self._clock.monotonic() + FRESH_SECONDS

    async def _is_sending(self, launch_id: int) -> bool:
        async with self._database.reading() as tx:
            return await launches.is_sending(tx, launch_id) and not await self._was_put_back(tx)

    def _slow_down(self, answer: SendError) -> None:
        if isinstance(answer, SlowDown):
            self._pacer.hold(answer.seconds)
            _log.warning("channel_slowed", channel=self._channel.name, seconds=answer.seconds)

    # ---- recording

    async def _record(self, flight: _Flight) -> None:
        batch, fates, now = flight.batch, flight.fates, self._clock.now()
        later = now + timedelta(seconds=fates.pause)
        async with self._database.transaction() as tx:
            await readers.mark_sent(tx, list(fates.told.items()), now=now)
            await telling.note_refused(tx, fates.refused, self._knowledge, now=now)
            for those, is_doubtful in ((fates.again, False), (fates.repeated, True)):
                numbers = [reader.id for reader in those]
                await readers.put_back(
                    tx, numbers, not_before=later, detail=fates.trouble, doubtful=is_doubtful
                )
            await readers.put_back(tx, [reader.id for reader, _ in fates.moved], not_before=now)
            for reader, chat_id in fates.moved:
                await telling.note_moved(tx, reader, chat_id, self._knowledge, now=now)
            await readers.forgive(tx, [reader.id for reader in fates.uncounted])
            for reader in fates.doubtful:
                await readers.give_up(
                    tx, reader.id, state="unknown", reason="unfinished", detail=fates.trouble
                )
            if fates.held:
                await telling.note_held(tx, self._channel.name, fates.held, now=now)
            if fates.lacks_file:
                await telling.hold(
                    tx, batch.launch_id, self._knowledge, reason="file", detail=fates.trouble, now=now
                )
            if fates.closed:
                await telling.note_closed(
                    tx,
                    batch.launch_id,
                    self._channel.name,
                    self._knowledge,
                    detail=fates.trouble,
                    is_first=flight.is_first_closed,
                    now=now,
                )
            row = 0 if fates.told else self._refused[batch.launch_id] + len(fates.refused)
            if row >= telling.PAUSE_AFTER:
                await telling.hold(
                    tx, batch.launch_id, self._knowledge, reason="refusals", detail=str(row), now=now
                )
        is_over = fates.told or row >= telling.PAUSE_AFTER
        self._refused[batch.launch_id] = 0 if is_over else self._refused[batch.launch_id] + len(fates.refused)

    async def _insist(self, deed: Callable[[], Awaitable[_T]]) -> _T:
        """Do it as soon as the database is there: what the messenger said must not be forgotten."""
        while True:
            try:
                async with self._at_database:
                    return await deed()
            except Unavailable as error:
                _log.warning("database_lost", channel=self._channel.name, error=str(error))
                await self._clock.sleep(DATABASE_RETRY_SECONDS)
