"""Sent announcements that are to read otherwise, or to go: message by message, where it is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog

from bot.channels.base import Channel, Closed, FetchError, NotSent, Rejected, SendError, SlowDown, Unfinished
from bot.channels.files import Files
from bot.clock import Clock
from bot.limits import Pacer
from handlers.campaigns import telling
from handlers.knowledge import Knowledge
from storage.campaigns import launches, readers, wishes
from storage.campaigns.campaign import Launch, Reader
from storage.campaigns.wishes import Wish
from storage.database import Database

_log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
PORTION = 50
"""Messages between two looks whether people have changed their minds."""
TRIES = 5
PAUSE_SECONDS, CLOSED_SECONDS = 2.0, 60.0


class Correcting:
    """Carries out the wishes of one channel; only one process does it at a time (see `supervise`).

    To edit or to delete twice does no harm, so a crash repeats at most one portion.
    """

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
    ) -> None:
        """`files` fetches what an announcement bears from one of the `channels`."""
        self._files = files
        self._channels = channels
        self._channel = channel
        self._database = database
        self._knowledge = knowledge
        self._pacer = pacer
        self._clock = clock

    async def run(self) -> None:
        """Look and work until cancelled."""
        while True:
            async with self._database.reading() as tx:
                wished = await wishes.on_channel(tx, self._channel.name)
            for wish in wished:
                await self._portion(wish)
            if not wished:
                await self._clock.sleep(LOOK_SECONDS)

    async def _portion(self, wish: Wish) -> None:
        async with self._database.reading() as tx:
            launch = await launches.find(tx, wish.launch_id)
            found = await readers.listed(
                tx,
                [wish.launch_id],
                states={"sent"},
                limit=PORTION,
                after=wish.after,
                channel=self._channel.name,
            )
        if launch is None or not found:
            await self._finish(wish)
            return
        now = wish
        for reader in found:
            is_changed = await self._change(wish, launch, reader)
            now = replace(
                now,
                after=reader.id,
                changed=now.changed + is_changed,
                refused=now.refused + (not is_changed),
            )
        async with self._database.transaction() as tx:
            await wishes.note_done(tx, wish, now)

    async def _finish(self, wish: Wish) -> None:
        async with self._database.transaction() as tx:
            if await wishes.finish(tx, wish):
                await telling.report_wish(tx, wish, self._knowledge, now=self._clock.now())

    async def _change(self, wish: Wish, launch: Launch, reader: Reader) -> bool:
        """Whether the messenger did it."""
        if not reader.external_id:
            return False
        for _ in range(TRIES):
            await self._pacer.spare_turn()
            if not await self._pacer.chat_turn(reader.chat_id):
                continue
            try:
                await self._ask(wish, launch, reader, reader.external_id)
            except SlowDown as error:
                self._pacer.hold(error.seconds)
            except Closed:
                await self._clock.sleep(CLOSED_SECONDS)
            except (NotSent, Unfinished):
                await self._clock.sleep(PAUSE_SECONDS)
            except (SendError, FetchError) as error:
                _log.info("announcement_not_changed", channel=self._channel.name, error=str(error))
                return False
            else:
                return True
            finally:
                self._pacer.done(reader.chat_id)
        return False

    async def _ask(self, wish: Wish, launch: Launch, reader: Reader, external_id: str) -> None:
        body = {**(launch.body or {}), "text": wish.text}
        message = telling.words(body, reader, self._knowledge)
        if wish.deed == "delete":
            await self._channel.unsend(message.to, external_id)
            return
        # The files stay as they are, but the messenger has to be told of them: a caption is edited otherwise
        # than a text, and VK takes away what it is not given once more.
        files = [await self._files.local(each, self._channels) for each in message.attachments]
        pieces = self._channel.compose(message, files)
        if len(pieces) > 1:
            raise Rejected("the words do not fit into one message")
        await self._channel.edit(message.to, external_id, pieces[0])
