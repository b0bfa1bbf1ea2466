"""Group chats where a school's administrators work together, and what becomes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from random import Random
from typing import Any

from tests.emulators.telegram import TelegramServer
from tests.emulators.telegram_groups import Group
from tests.emulators.vk import VkServer
from tests.emulators.vk_chats import GroupChat
from tests.simulation.phones import (
    Choice,
    Ear,
    Heard,
    Phone,
    Place,
    TelegramPhone,
    VkPhone,
    case_in,
    press_in_vk,
    send_telegram_photos,
    telegram_button,
)
from tests.simulation.timeline import Timeline
from tests.simulation.world import School, Seat, World


class Room(ABC):
    """A group chat of the colleagues of one school; who of them deals with a case is agreed among them."""

    def __init__(
        self, school: School, phones: list[Phone], *, ear: Ear, world: World, timeline: Timeline
    ) -> None:
        self.school = school
        self.phones = phones
        self.is_open = True
        self.troubles: list[datetime] = []
        """When the bot was thrown out, the group migrated, or a topic was deleted."""
        self._ear = ear
        self._world = world
        self._timeline = timeline
        self._seat: Seat | None = None
        self._actor = phones[0]
        """Who did something here last: what names no case is said to them."""

    @property
    @abstractmethod
    def place(self) -> Place:
        """Where it is now."""

    @abstractmethod
    async def brings_bot(self) -> None:
        """A member adds the bot."""

    @abstractmethod
    async def kicks_bot(self) -> None:
        """A member throws the bot out."""

    @abstractmethod
    async def writes(self, phone: Phone, text: str, *, reply_to: Heard | None) -> Any:
        """A member writes."""

    @abstractmethod
    async def edits(self, phone: Phone, sent: Any, text: str) -> None:
        """A member changes what they wrote here; `can_be_edited` says whether the bot hears of it."""

    @abstractmethod
    def can_be_edited(self, sent: Any) -> bool:
        """Whether the message is still here, and the messenger tells bots of edits."""

    @abstractmethod
    async def sends_photos(
        self, phone: Phone, contents: list[bytes], *, caption: str, reply_to: Heard
    ) -> None:
        """A member answers with photos."""

    @abstractmethod
    async def sends_voice(self, phone: Phone, content: bytes, *, reply_to: Heard) -> None:
        """A member answers by voice."""

    @abstractmethod
    async def presses(self, phone: Phone, heard: Heard, choice: Choice) -> None:
        """A member presses a button under a message here."""

    def holds(self, heard: Heard) -> bool:
        """Whether the message is still there to be answered."""
        return heard.place == self.place

    async def becomes_desk(self) -> bool:
        """Bring the bot and register the group; whether it says that it is done."""
        self.sits()
        first = self.phones[0]
        await self.brings_bot()
        await self._timeline.sleep(10)
        await self.writes(first, "/desk", reply_to=None)
        for _ in range(6):
            heard = await first.inbox.rest(quiet=5, within=30)
            if any(each.text.startswith("Готово. Сюда") for each in heard):
                self._world.counts["groups registered"] += 1
                return True
            for each in heard:
                choice = each.offers(f"desk:school:{self.school.id}")
                if choice is not None:
                    await self.presses(first, each, choice)
                    break
        return False

    def sits(self) -> None:
        """Take a seat at the school's desk, and listen."""
        self._ear.listen(self.place, self._hear)
        self._seat = self._world.sits(Seat(self.place, "school", frozenset([self.school.id])))

    def closes(self) -> None:
        """The bot is here no more."""
        self.is_open = False
        self.troubles.append(self._timeline.now())
        if self._seat is not None:
            self._seat.until = self._timeline.now()

    def _hear(self, heard: Heard) -> None:
        """Who of the colleagues reads it: for each case always the same one, while they are here."""
        button = heard.offers("answer:", "take:")
        number = int(button.payload.split(":")[1]) if button is not None else case_in(heard.text)
        reader = self._actor if number is None else self.phones[number % len(self.phones)]
        reader.inbox.put(heard)


class TelegramRoom(Room):
    """A group of Telegram: a forum with topics, or a plain group that will be upgraded."""

    def __init__(self, telegram: TelegramServer, *, is_forum: bool, **rest: Any) -> None:
        super().__init__(**rest)
        self._is_forum = is_forum
        people = [phone.person for phone in self.phones if isinstance(phone, TelegramPhone)]
        self.group: Group = telegram.group(f"Школа {self.school.code}", members=people, supergroup=is_forum)
        self._first = people[0]

    @property
    def place(self) -> Place:
        """Where it is now."""
        return Place("telegram", str(self.group.id))

    def holds(self, heard: Heard) -> bool:
        """Topics are deleted, and an upgraded group begins without its old messages."""
        return super().holds(heard) and heard.message_id in self.group._chat.messages

    async def brings_bot(self) -> None:
        """A forum's bot manages the topics."""
        if self._is_forum:
            await self.group.becomes_forum()
        await self.group.adds_bot(self._first, as_administrator=self._is_forum)

    async def kicks_bot(self) -> None:
        """A member throws the bot out."""
        self.closes()
        await self.group.kicks_bot(self._first)

    async def writes(self, phone: Phone, text: str, *, reply_to: Heard | None) -> Any:
        """A member writes; an answer goes into the topic of what it answers."""
        assert isinstance(phone, TelegramPhone)
        self._actor = phone
        return await phone.person.says(
            text, reply_to=reply_to.message_id if reply_to else None, chat=self.group
        )

    async def edits(self, phone: Phone, sent: Any, text: str) -> None:
        """A member changes what they wrote."""
        assert isinstance(phone, TelegramPhone)
        self._actor = phone
        await phone.person.edits(sent, text, chat=self.group)

    def can_be_edited(self, sent: Any) -> bool:
        """Not in a topic that was deleted, nor in the group of before the upgrade."""
        stored = self.group._chat.messages.get(sent.id)
        return stored is not None and stored.body.text == sent.words

    async def sends_photos(
        self, phone: Phone, contents: list[bytes], *, caption: str, reply_to: Heard
    ) -> None:
        """A member answers with photos."""
        assert isinstance(phone, TelegramPhone)
        self._actor = phone
        await send_telegram_photos(
            phone.person, contents, caption=caption, reply_to=reply_to, chat=self.group
        )

    async def sends_voice(self, phone: Phone, content: bytes, *, reply_to: Heard) -> None:
        """A member answers by voice."""
        assert isinstance(phone, TelegramPhone)
        self._actor = phone
        await phone.person.sends_voice(content, reply_to=reply_to.message_id, chat=self.group)

    async def presses(self, phone: Phone, heard: Heard, choice: Choice) -> None:
        """A member presses a button."""
        assert isinstance(phone, TelegramPhone)
        self._actor = phone
        await phone.person.presses(telegram_button(heard, choice), chat=self.group)

    async def is_upgraded(self) -> None:
        """The group becomes a supergroup: another id, no old messages."""
        before = self._seat
        self.group = await self.group.becomes_supergroup()
        self.sits()
        if before is not None:
            before.until = self._timeline.now()
        self.troubles.append(self._timeline.now())
        self._world.counts["groups that migrated"] += 1

    async def loses_topics(self, count: int, chance: Random) -> None:
        """People delete topics, cases and all."""
        topics = self.group.topics
        for topic in chance.sample(topics, min(count, len(topics))):
            await self.group.deletes_topic(topic)
            self.troubles.append(self._timeline.now())
            self._world.counts["topics deleted"] += 1


class VkRoom(Room):
    """A conversation in VK, where the bot was given the right to read everything."""

    def __init__(self, vk: VkServer, **rest: Any) -> None:
        super().__init__(**rest)
        self._people = [phone.person for phone in self.phones if isinstance(phone, VkPhone)]
        self.chat: GroupChat = vk.group_chat(f"Школа {self.school.code}", *self._people)
        self.chat.sees_all = True

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place("vk", str(self.chat.peer_id))

    async def brings_bot(self) -> None:
        """A member adds the community."""
        await self.chat.invites_bot(by=self._people[0])
        self.chat.sees_all = True

    async def kicks_bot(self) -> None:
        """A member sends the community away."""
        self.closes()
        await self.chat.kicks_bot(by=self._people[0])

    async def writes(self, phone: Phone, text: str, *, reply_to: Heard | None) -> Any:
        """A member writes."""
        assert isinstance(phone, VkPhone)
        self._actor = phone
        member = self.chat.member(phone.person)
        return await member.says(text, reply_to=reply_to.message_id if reply_to else None)

    async def edits(self, phone: Phone, sent: Any, text: str) -> None:
        """A member changes what they wrote."""
        assert isinstance(phone, VkPhone)
        self._actor = phone
        await self.chat.member(phone.person).edits(sent, text)

    def can_be_edited(self, sent: Any) -> bool:  # noqa: ARG002 - of no message
        """VK tells bots of no edits in conversations."""
        return False

    async def sends_photos(
        self, phone: Phone, contents: list[bytes], *, caption: str, reply_to: Heard
    ) -> None:
        """A member answers with photos: one message in VK."""
        assert isinstance(phone, VkPhone)
        self._actor = phone
        member = self.chat.member(phone.person)
        await member.sends_album(contents, caption=caption, reply_to=reply_to.message_id)

    async def sends_voice(self, phone: Phone, content: bytes, *, reply_to: Heard) -> None:
        """A member answers by voice."""
        assert isinstance(phone, VkPhone)
        self._actor = phone
        await self.chat.member(phone.person).sends_voice(content, reply_to=reply_to.message_id)

    async def presses(self, phone: Phone, heard: Heard, choice: Choice) -> None:
        """A member presses a button."""
        assert isinstance(phone, VkPhone)
        self._actor = phone
        await press_in_vk(self.chat.member(phone.person), heard, choice)
