"""The one way out: takes letters from the outbox, sends them at the messenger's pace, records their fate."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from bot.channels.base import (
    Channel,
    Closed,
    FetchError,
    LocalFile,
    Moved,
    NotSent,
    Rejected,
    SendError,
    SlowDown,
    TopicGone,
    Unreachable,
)
from bot.channels.files import Files
from bot.clock import Clock, sleep_unless
from bot.limits import Pacer
from handlers import deliveries
from handlers.messages import Address, Outgoing
from handlers.texts import basics as texts
from handlers.turn import from_plain
from storage import outbox
from storage.database import Database, Unavailable
from storage.outbox import Letter

_log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Letters of one channel in flight at the same time, each to another chat."""
IDLE_LOOK_SECONDS = 1.0
"""How often to look for letters that another process queued; our own wake us at once."""
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 300.0
GIVE_UP_AFTER = timedelta(hours=24)
"""As long as Telegram keeps events for us; nobody waits longer for a chat's reply."""
CLOSED_RETRY_SECONDS = 60.0
FILE_TRIES = 4
"""So many times a file is asked for before the message goes without it: most troubles pass in seconds."""
DATABASE_RETRY_SECONDS = 2.0
SETTLE_SECONDS, SETTLE_LOOK_SECONDS = 2.0, 0.1
"""How long a reply waits for the letter it answers, longer than a first retry: others must not wait more."""


class _FileNotYet(Exception):
    """A file could not be had at this moment; nothing was sent."""


class _TopicLeft(Exception):
    """The letter's topic is gone; nothing was sent."""

    def __init__(self, thread: str) -> None:
        super().__init__(thread)
        self.thread = thread


class Delivery:
    """Sends the letters of one channel; only one process does it at a time (see `app`)."""

    def __init__(
        self,
        channel: Channel,
        database: Database,
        files: Files,
        channels: Mapping[str, Channel],
        *,
        clock: Clock,
        chat_id: str | None = None,
        report: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        """`chat_id` limits it to one chat (the terminal); `report` hears why the channel is closed."""
        self._channel = channel
        self._database = database
        self._files = files
        self._channels = channels
        self._clock = clock
        self._chat_id = chat_id
        self._report = report
        self._pacer = Pacer(channel.pace, clock, is_group=channel.is_group)
        self._woken = asyncio.Event()
        self._must_recover = True
        self._flying: dict[int, asyncio.Task[None]] = {}
        # Of letters that are still to go, in this life: to be cut short by a crash is no letter's failure.
        self._failures: Counter[int] = Counter()
        # How often the topic of a letter was gone: it goes into a new one once, then without any.
        self._topics_left: Counter[int] = Counter()

    @property
    def pacer(self) -> Pacer:
        """The pace that all requests of the channel share."""
        return self._pacer

    def wake(self) -> None:
        """There may be something to send."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled; a lost database only makes it wait."""
        self._must_recover = True  # the run before this one may have been cancelled in mid-letter
        try:
            while True:
                self._woken.clear()
                try:
                    letters = await self._next()
                except Unavailable as error:
                    _log.warning("database_lost", channel=self._channel.name, error=str(error))
                    self._must_recover = True
                    await self._clock.sleep(DATABASE_RETRY_SECONDS)
                    continue
                for letter in letters:
                    self._flying[letter.id] = asyncio.create_task(self._fly(letter))
                if not letters:
                    await sleep_unless(self._woken, IDLE_LOOK_SECONDS, clock=self._clock)
        finally:
            tasks = list(self._flying.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._flying.clear()

    async def settled(self, chat_id: str, message_id: str) -> None:
        """Wait, not for long, until this message of ours is on record, if it is one that still may be.

        A person may reply to a message before the messenger has told us its number; after a broken
        connection or a crash we learn it only from the next try.
        """
        until = self._clock.monotonic() + SETTLE_SECONDS
        while self._clock.monotonic() < until:
            async with self._database.reading() as tx:
                if await outbox.find_sent(tx, self._channel.name, chat_id, message_id) is not None:
                    return
                if not await outbox.is_in_doubt(tx, self._channel.name, chat_id):
                    return
            await self._clock.sleep(SETTLE_LOOK_SECONDS)

    async def send_all(self) -> int:
        """Send everything that can go now, then return how many letters went."""
        count = 0
        while letters := await self._claim(AT_ONCE):
            for letter in letters:
                await self._send(letter)
            count += len(letters)
        return count

    async def _next(self) -> list[Letter]:
        if self._must_recover:
            self._must_recover = False  # first: another letter may lose the database meanwhile
            await self.recover()
        return await self._claim(AT_ONCE - len(self._flying))

    async def recover(self) -> None:
        """Take back what is neither on its way nor done; called when nobody else can be sending."""
        async with self._database.transaction() as tx:
            again, unknown = await outbox.release(
                tx,
                self._channel.name,
                doubtful=not self._channel.drops_repeats,
                chat_id=self._chat_id,
                sparing=self._flying.keys(),
            )
        if again or unknown:
            _log.warning("letters_recovered", channel=self._channel.name, again=again, unknown=unknown)

    async def _claim(self, limit: int) -> list[Letter]:
        if limit <= 0:
            return []
        async with self._database.reading() as tx:
            # Most looks find nothing: they should not take the write lock.
            if not await outbox.is_anything_ready(tx, self._channel.name, now=self._clock.now()):
                return []
        async with self._database.transaction() as tx:
            return await outbox.claim(
                tx, self._channel.name, now=self._clock.now(), limit=limit, chat_id=self._chat_id
            )

    async def _fly(self, letter: Letter) -> None:
        try:
            await self._send(letter)
        finally:
            del self._flying[letter.id]
            self._woken.set()

    async def _send(self, letter: Letter) -> None:
        try:
            await self._try(letter)
        except Unavailable:
            # The letter stays `sending` until the database is back and `recover` takes it up again.
            _log.warning("database_lost_while_sending", channel=letter.channel, letter=letter.id)
            self._must_recover = True

    async def _try(self, letter: Letter) -> None:
        try:
            await self._send_pieces(letter)
            self._forget(letter)
        except Moved as error:
            await self._follow(letter, error)
        except _TopicLeft as error:
            await self._leave_topic(letter, error.thread)
        except TopicGone as error:
            # What belongs to no topic is refused, too: only those who read the group can mend that.
            await self._fail(letter, "rejected", error)
        except Unreachable as error:
            await self._fail(letter, error.reason, error)
        except Rejected as error:
            _log.error("message_rejected", channel=letter.channel, letter=letter.id, error=str(error))
            await self._fail(letter, "rejected", error)
        except _FileNotYet as error:
            await self._put_back(letter, self._pause_after_failure(letter), error)
        except SlowDown as error:
            self._pacer.hold(error.seconds)
            _log.warning("channel_slowed", channel=letter.channel, seconds=error.seconds)
            await self._put_back(letter, error.seconds, error)
        except Closed as error:
            self._report(str(error))
            self._pacer.hold(CLOSED_RETRY_SECONDS)
            _log.error("channel_closed", channel=letter.channel, error=str(error))
            await self._put_back(letter, CLOSED_RETRY_SECONDS, error)
        except SendError as error:
            await self._retry(letter, error)
        except Unavailable:
            raise
        except Exception as error:
            _log.exception("sending_failed", channel=letter.channel, letter=letter.id)
            await self._fail(letter, "rejected", error)

    async def _send_pieces(self, letter: Letter) -> None:
        message, files = await self._with_files(
            # Where it goes stands on the letter: a group may have moved since it was written.
            replace(from_plain(letter.body), to=Address(letter.channel, letter.chat_id)),
            is_last_try=self._failures[letter.id] + 1 >= FILE_TRIES,
        )
        pieces = self._channel.compose(message, files)
        thread = await self._thread(letter, message) if pieces else None
        for number, piece in enumerate(pieces):
            if number < letter.pieces_sent:
                continue
            messages = max(1, len(piece.files))
            await self._pacer.turn(letter.chat_id, messages=messages)
            try:
                external_id = await self._channel.send(
                    message.to, replace(piece, thread=thread), key=f"{letter.key}:{number}"
                )
            except TopicGone as error:
                if thread is None:
                    raise
                raise _TopicLeft(thread) from error
            finally:
                self._pacer.done(letter.chat_id, messages=messages)
            async with self._database.transaction() as tx:
                await outbox.note_piece(tx, letter, pieces_sent=number + 1, external_id=external_id)
                if number + 1 == len(pieces):
                    await outbox.mark_sent(tx, letter.id, now=self._clock.now())
        if not pieces:
            async with self._database.transaction() as tx:
                await outbox.mark_sent(tx, letter.id, now=self._clock.now())
        self._report(None)

    async def _thread(self, letter: Letter, message: Outgoing) -> str | None:
        """The topic of a group in which the letter goes: where it answers, or its case's own."""
        if self._topics_left[letter.id] > 1 or not self._channel.is_group(letter.chat_id):
            return None
        if message.thread is not None:
            return message.thread
        async with self._database.reading() as tx:
            group, thread = await deliveries.known_topic(tx, letter)
        if group is None or thread is not None or not message.topic:
            return thread
        # Should we die before the topic is on record, an empty one is left and the next life opens another.
        await self._pacer.turn(letter.chat_id)
        try:
            thread = await self._channel.open_topic(message.to, message.topic)
        except Rejected as error:
            _log.warning("topic_refused", channel=letter.channel, letter=letter.id, error=str(error))
            async with self._database.transaction() as tx:
                await deliveries.note_no_topics(tx, group, now=self._clock.now())
            return None
        finally:
            self._pacer.done(letter.chat_id)
        async with self._database.transaction() as tx:
            await deliveries.note_topic(tx, letter, group, thread, now=self._clock.now())
        return thread

    async def _leave_topic(self, letter: Letter, thread: str) -> None:
        self._topics_left[letter.id] += 1
        async with self._database.transaction() as tx:
            await deliveries.note_topic_gone(tx, letter, thread, now=self._clock.now())

    async def _follow(self, letter: Letter, moved: Moved) -> None:
        is_first = not self._failures[letter.id]
        pause = timedelta(seconds=self._pause_after_failure(letter))
        async with self._database.transaction() as tx:
            await deliveries.note_moved(tx, letter, moved.chat_id)
            not_before = self._clock.now() + (timedelta(0) if is_first else pause)
            await outbox.put_back(tx, letter.id, not_before=not_before, error=str(moved))

    async def _with_files(self, message: Outgoing, *, is_last_try: bool) -> tuple[Outgoing, list[LocalFile]]:
        files: list[LocalFile] = []
        missing: list[str] = []
        for attachment in message.attachments:
            try:
                files.append(await self._files.local(attachment, self._channels))
            except FetchError as error:
                if not is_last_try:
                    raise _FileNotYet(str(error)) from error
                missing.append(texts.file_not_passed(attachment.name, str(error)))
        if not missing:
            return message, files
        text = "\n\n".join([message.text, *missing])
        return replace(message, text=text), files

    async def _retry(self, letter: Letter, error: SendError) -> None:
        if self._clock.now() - letter.created_at > GIVE_UP_AFTER:
            await self._fail(letter, "gave_up", error)
            return
        is_doubtful = not isinstance(error, NotSent) and not self._channel.drops_repeats
        if letter.priority == outbox.CAMPAIGN and is_doubtful:
            async with self._database.transaction() as tx:
                await outbox.give_up(tx, letter.id, state="unknown", error=str(error))
            return
        await self._put_back(letter, self._pause_after_failure(letter), error)

    def _pause_after_failure(self, letter: Letter) -> float:
        self._failures[letter.id] += 1
        return float(min(FIRST_RETRY_SECONDS * 2 ** (self._failures[letter.id] - 1), LONGEST_RETRY_SECONDS))

    async def _put_back(self, letter: Letter, seconds: float, error: Exception) -> None:
        async with self._database.transaction() as tx:
            not_before = self._clock.now() + timedelta(seconds=seconds)
            await outbox.put_back(tx, letter.id, not_before=not_before, error=str(error))

    def _forget(self, letter: Letter) -> None:
        del self._failures[letter.id]
        del self._topics_left[letter.id]

    async def _fail(self, letter: Letter, reason: str, error: Exception) -> None:
        self._forget(letter)
        async with self._database.transaction() as tx:
            await deliveries.report_failure(
                tx, letter, reason=reason, detail=str(error), now=self._clock.now()
            )
