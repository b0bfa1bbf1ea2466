"""Announcements on their way: takes readers, sends at the messenger's pace, records what became of each.

Whatever was promised to people comes first: a reader is taken only in a turn that no reply wants. Taken,
sent and recorded are three steps; whoever dies between them leaves at most one request of each worker in
doubt.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from bot.channels.base import (
    Channel,
    Closed,
    FetchError,
    Moved,
    NotSent,
    Piece,
    Rejected,
    SendError,
    SlowDown,
    Unfinished,
    Unreachable,
)
from bot.channels.files import Files
from bot.clock import Clock, sleep_unless
from bot.limits import Pacer
from handlers.campaigns import telling
from handlers.campaigns.telling import Refusal
from handlers.knowledge import Knowledge
from storage.campaigns import launches, readers
from storage.campaigns.campaign import Reader
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
LONGEST_PAUSE_SECONDS = 60.0
PIECE_TRIES = 6
"""Of what follows the first piece, while its reader waits."""
FILE_TRIES = 4
"""To get at the picture of an announcement; then people are told that it is not there."""
GIVE_UP_ATTEMPTS = 30
"""So many answers 5xx for one reader are no accident."""
RULES_SECONDS = 1.0
"""How long what is being sent, and where it is day, is known: it is asked for every reader."""
DATABASE_RETRY_SECONDS = 1.0
CLOSED_SECONDS = 60.0
LANDING_SECONDS = 5.0


@dataclass
class _Fates:
    """What became of the readers of one batch."""

    waiting: dict[str, Reader]
    """By chat: nobody has said anything of them yet, or they wait for the next piece."""
    told: dict[int, str] = field(default_factory=dict)
    """By reader: the messenger's numbers of the messages."""
    refused: list[Refusal] = field(default_factory=list)
    again: list[Reader] = field(default_factory=list)
    repeated: list[Reader] = field(default_factory=list)
    """Perhaps told; the messenger will not show it twice."""
    doubtful: list[Reader] = field(default_factory=list)
    moved: list[tuple[Reader, str]] = field(default_factory=list)
    requested: bool = False
    """A request was made: whatever goes wrong now, somebody may have been told."""
    pause: float = 0.0
    """Seconds after which those who are tried again are due."""
    trouble: str = ""
    """Why they are to be tried again, or in doubt."""
    held: float = 0.0
    """Seconds for which the messenger wants silence."""
    lacks_file: bool = False
    """What the announcement bears cannot be had."""
    closed: bool = False
    """The channel cannot be used until somebody mends it."""
    uncounted: list[Reader] = field(default_factory=list)
    """Those whose attempt was none: the messenger took nothing from anybody."""

    def put_back(self, reader: Reader, *, is_doubtful: bool) -> None:
        """Later; who was shown a beginning is in doubt: it must not be shown anew once that is forgotten."""
        (self.repeated if is_doubtful else self.again).append(reader)


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
        # Launches that have counted a refusal in this life.
        self._refusing: set[int] = set()

    def wake(self) -> None:
        """There may be readers."""
        self._woken.set()

    async def run(self) -> None:
        """Tell until cancelled; a lost database only makes it wait."""
        await self._insist(self._recover)
        await self._insist(self._stay_silent)
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
                if is_ours and self._rules:
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
        batch = await self._insist(self._claim)
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

    async def _claim(self) -> Batch | None:
        async with self._database.transaction() as tx:
            if await self._was_put_back(tx):
                return None
            if self._clock.monotonic() >= self._rules_until:
                await self._ask_for_rules(tx)
            if not self._rules:
                return None
            limit = self._channel.most_readers
            return await readers.claim(
                tx, self._channel.name, rules=self._rules, limit=limit, now=self._clock.now()
            )

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
        fates = _Fates({reader.chat_id: reader for reader in batch.readers})
        try:
            await self._send(batch, fates)
        except SendError as error:
            for reader in list(fates.waiting.values()):
                self._sort(reader, error, fates)
        except FetchError as error:
            fates.again, fates.trouble = list(batch.readers), str(error)
            fates.pause = self._pause_after(batch.readers)
            fates.lacks_file = max(reader.attempts for reader in batch.readers) >= FILE_TRIES
        except Exception as error:
            _log.exception("announcement_failed", channel=self._channel.name, launch=batch.launch_id)
            # What was asked of the messenger may have been carried out.
            name = type(error).__name__
            for reader in list(fates.waiting.values()):
                self._sort(reader, Unfinished(name) if fates.requested else Rejected(name), fates)
        await self._insist(lambda: self._record(batch, fates))

    async def _send(self, batch: Batch, fates: _Fates) -> None:
        """Make the requests of a batch; raises `SendError` when the answer is for all who are waiting."""
        message = telling.words(batch.body, batch.readers[0], self._knowledge)
        files = [await self._files.local(each, self._channels) for each in message.attachments]
        for number, piece in enumerate(self._channel.compose(message, files)):
            send = self._go_on if number and not self._channel.drops_repeats else self._request
            for chat_id, answer in (await send(fates, piece, f"{batch.key}:{number}")).items():
                reader = fates.waiting[chat_id]
                if isinstance(answer, SendError):
                    self._sort(reader, answer, fates)
                else:
                    fates.told[reader.id] = ",".join(filter(None, [fates.told.get(reader.id), answer]))

    async def _go_on(self, fates: _Fates, piece: Piece, key: str) -> Mapping[str, str | SendError]:
        """Send what follows the first piece: whoever has read the beginning must not be told it anew."""
        for attempt in range(PIECE_TRIES):
            await self._pacer.spare_turn()
            try:
                return await self._request(fates, piece, key)
            except SlowDown as error:
                self._pacer.hold(error.seconds)
                if error.seconds > LONGEST_PAUSE_SECONDS:
                    break
            except NotSent:
                await self._clock.sleep(2.0**attempt)
        raise Unfinished("only the beginning was sent")

    async def _request(self, fates: _Fates, piece: Piece, key: str) -> Mapping[str, str | SendError]:
        chat_ids = list(fates.waiting)
        if not chat_ids:
            return {}
        only = chat_ids[0] if len(chat_ids) == 1 else ""
        messages = max(1, len(piece.files))
        if not await self._pacer.chat_turn(only, messages=messages):
            # Whoever is taken must not wait for long: people may stop the launch meanwhile.
            raise SlowDown(self._pacer.held_for)
        try:
            fates.requested = True
            return await self._channel.send_to_many(chat_ids, piece, key=key)
        finally:
            self._pacer.done(only, messages=messages)

    def _sort(self, reader: Reader, answer: SendError, fates: _Fates) -> None:
        """Note what an answer means for this reader, whom nothing more is sent."""
        fates.waiting.pop(reader.chat_id, None)
        has_begun = fates.told.pop(reader.id, None) is not None
        match answer:
            case Unreachable():
                fates.refused.append(Refusal(reader, answer.reason, str(answer)))
            case Moved():
                fates.moved.append((reader, answer.chat_id))
            case SlowDown():
                self._pacer.hold(answer.seconds)
                _log.warning("channel_slowed", channel=self._channel.name, seconds=answer.seconds)
                fates.put_back(reader, is_doubtful=has_begun)
                fates.uncounted.append(reader)
                fates.held = max(fates.held, answer.seconds)
                fates.pause, fates.trouble = fates.held, str(answer)
            case NotSent() if reader.attempts >= GIVE_UP_ATTEMPTS:
                fates.refused.append(Refusal(reader, "gave_up", str(answer)))
            case NotSent():
                fates.put_back(reader, is_doubtful=has_begun)
                fates.pause, fates.trouble = self._pause_after([reader]), str(answer)
            case Closed():
                fates.put_back(reader, is_doubtful=has_begun)
                fates.uncounted.append(reader)
                fates.pause, fates.trouble, fates.closed = CLOSED_SECONDS, str(answer), True
            case Unfinished() if self._channel.drops_repeats:
                fates.repeated.append(reader)
                fates.pause, fates.trouble = self._pause_after([reader]), str(answer)
            case Unfinished():
                fates.doubtful.append(reader)
                fates.trouble = str(answer)
            case _:
                fates.refused.append(Refusal(reader, "rejected", str(answer)))

    @staticmethod
    def _pause_after(those: Sequence[Reader]) -> float:
        return min(2.0 ** max(reader.attempts for reader in those), LONGEST_PAUSE_SECONDS)

    # ---- recording

    async def _record(self, batch: Batch, fates: _Fates) -> None:
        now = self._clock.now()
        later = now + timedelta(seconds=fates.pause)
        async with self._database.transaction() as tx:
            await readers.mark_sent(tx, list(fates.told.items()), now=now)
            await telling.note_refused(tx, fates.refused, self._knowledge, now=now)
            for reader, chat_id in fates.moved:
                await readers.move(tx, reader, chat_id)
            for those, is_doubtful in ((fates.again, False), (fates.repeated, True)):
                numbers = [reader.id for reader in those]
                await readers.put_back(
                    tx, numbers, not_before=later, detail=fates.trouble, doubtful=is_doubtful
                )
            await readers.put_back(tx, [reader.id for reader, _ in fates.moved], not_before=now)
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
                await telling.hold(
                    tx, batch.launch_id, self._knowledge, reason="channel", detail=fates.trouble, now=now
                )
            await self._count(tx, batch, fates)

    async def _count(self, tx: Transaction, batch: Batch, fates: _Fates) -> None:
        """Keep count of refusals in a row; most batches have nothing to say about it."""
        if not fates.refused and batch.launch_id not in self._refusing:
            return
        await telling.count_refusals(
            tx,
            batch.launch_id,
            len(fates.refused),
            self._knowledge,
            reached=bool(fates.told),
            now=self._clock.now(),
        )
        if fates.refused:
            self._refusing.add(batch.launch_id)
        elif fates.told:
            self._refusing.discard(batch.launch_id)

    async def _insist(self, deed: Callable[[], Awaitable[_T]]) -> _T:
        """Do it as soon as the database is there: what the messenger said must not be forgotten."""
        while True:
            try:
                async with self._at_database:
                    return await deed()
            except Unavailable as error:
                _log.warning("database_lost", channel=self._channel.name, error=str(error))
                await self._clock.sleep(DATABASE_RETRY_SECONDS)
