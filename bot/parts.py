"""A running helpdesk: its parts, and how they are doing."""

from __future__ import annotations

import asyncio
from datetime import datetime

from bot.channels.base import Channel
from bot.channels.files import Files
from bot.clock import Clock
from bot.correcting import Correcting
from bot.delivery import Delivery
from bot.health import Health
from bot.mailing import Mailing
from bot.schedule import Answers
from bot.settings import Settings
from bot.supervise import ChannelKeeper
from handlers.desk import Helpdesk
from handlers.knowledge import Knowledge
from handlers.messages import Address, Incoming
from handlers.parents.flood import Limits
from storage.database import Database


class App:
    """A running helpdesk: its parts, and what is told about them."""

    def __init__(self, settings: Settings, database: Database, knowledge: Knowledge, *, clock: Clock) -> None:
        self.settings = settings
        self.database = database
        self.knowledge = knowledge
        self.clock = clock
        self.files = Files(settings.data_dir / "files")
        self.channels: dict[str, Channel] = {}
        self.health: dict[str, Health] = {}
        self.missing: dict[str, str] = {}
        """Channels that are not configured, and what to set."""
        self.keepers: list[ChannelKeeper] = []
        self.helpdesk = Helpdesk(
            database,
            knowledge,
            now=clock.now,
            wake=self._wake,
            deletes=self._deletes,
            limits=Limits(in_minute=settings.messages_per_minute, in_hour=settings.messages_per_hour),
        )
        self.answers = Answers(self.helpdesk.answer_due, clock=clock)
        self.url = ""
        self.opened = asyncio.Event()
        """Set when the doors of all channels are there."""

    def _wake(self, due: datetime | None) -> None:
        self.answers.wake(due)
        for keeper in self.keepers:
            keeper.delivery.wake()

    def wake_mailing(self) -> None:
        """There may be readers of announcements."""
        for keeper in self.keepers:
            keeper.mailing.wake()

    def _deletes(self, channel: str) -> bool:
        made = self.channels.get(channel)
        return made is not None and made.deletes_theirs

    async def receive(self, incoming: Incoming) -> None:
        """The one way in for every channel."""
        if incoming.reply_to is not None:
            await self._settled(incoming.group or incoming.sender, incoming.reply_to)
        await self.helpdesk.receive(incoming)

    async def _settled(self, chat: Address, message_id: str) -> None:
        for keeper in self.keepers:
            if keeper.channel.name == chat.channel:
                await keeper.delivery.settled(chat.chat_id, message_id)

    def add(self, channel: Channel) -> ChannelKeeper:
        """Take a channel into the house; returns what keeps it running."""
        health = Health(channel.name)
        delivery = Delivery(
            channel, self.database, self.files, self.channels, clock=self.clock, report=health.note
        )
        mailing = Mailing(
            channel,
            self.database,
            self.files,
            self.channels,
            self.knowledge,
            delivery.pacer,
            clock=self.clock,
            a_week=self.settings.announcements_per_week,
        )
        keeper = ChannelKeeper(
            channel,
            delivery,
            mailing,
            Correcting(
                channel,
                self.database,
                self.files,
                self.channels,
                self.knowledge,
                delivery.pacer,
                clock=self.clock,
            ),
            self.database,
            receive=self.receive,
            health=health,
            clock=self.clock,
        )
        self.channels[channel.name] = channel
        self.health[channel.name] = health
        self.keepers.append(keeper)
        return keeper
