"""Groups: several people with the app, perhaps the bot among them, perhaps topics that divide their talk.

The bot hears what privacy mode leaves it: commands, its name, answers to it, and what happens to the group
(https://core.telegram.org/bots/features#privacy-mode). An administrator hears everything.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.emulators.telegram_people import Person, Room
from tests.emulators.telegram_text import Formatted, detect_entities
from tests.emulators.telegram_world import Chat, ChatMessage, StoredMessage, StoredTopic, User

ANONYMOUS = User(1087968824, "Group", "GroupAnonymousBot", is_bot=True)
"""Who writes, as bots see it, when an administrator is anonymous."""

_COMMAND = re.compile(r"/[A-Za-z0-9_]+(?:@(\w+))?")


def new_group_id() -> int:
    """The id of a group that never was a supergroup."""
    return -random.randint(10**9, 2 * 10**9)


def new_supergroup_id() -> int:
    """The id of a supergroup; it has nothing to do with what the group was called before."""
    return -(10**12) - random.randint(10**9, 2 * 10**9)


@dataclass
class Channel(Room):
    """A channel: its administrators post, perhaps the bot among them, and its subscribers only read."""

    async def adds_bot(self, by: Person, *, may_post: bool = True) -> None:
        """The owner makes the bot an administrator: there is no other way into a channel for it."""
        self._chat.bot_may_post = may_post
        self._stage.change_bot(self._chat, by.user, "administrator")

    async def grants(self, by: Person, *, may_post: bool) -> None:
        """The owner changes what the bot may do."""
        self._stage.change_rights(self._chat, by.user, may_post=may_post)

    async def removes_bot(self, by: Person) -> None:
        """The owner takes the bot out."""
        self._stage.change_bot(self._chat, by.user, "kicked")
        self._chat.bot_may_post = False

    async def is_deleted(self) -> None:
        """Its owner deletes the channel; the bot is told nothing."""
        self._chat.is_deleted = True


@dataclass
class Group(Room):
    """A group chat, of people and perhaps the bot."""

    sees_everything: bool = False
    """Privacy mode is switched off: the bot hears everything, as an administrator does."""

    # ---- a place to write in

    @property
    def group(self) -> Group:
        """The group itself; in one with topics, «General»."""
        return self

    def thread_for(self, reply_to: int | None) -> int | None:
        """The topic where an answer to this message goes."""
        quoted = self._chat.messages.get(reply_to or 0)
        return quoted.thread if quoted else None

    def expects(self, person: Person) -> None:
        """Fail if this person could not write here."""
        assert self._chat.migrated_to is None, "the group is a supergroup now: people write there"
        assert not self._chat.is_deleted, "there is no such group any more"
        assert person.user.id in self._chat.members, f"{person.user.first_name} is not in the group"

    def takes(self, message: StoredMessage) -> bool:
        """Whether the bot is told of this message."""
        if self._chat.bot_status not in ("member", "administrator"):
            return False
        if self.sees_everything or self._chat.bot_status == "administrator" or message.service:
            return True
        bot = self._stage.world.bot
        command = _COMMAND.match(message.body.text)
        # In a topic that the bot opened everything looks like an answer to it.
        quoted = self._chat.messages.get(message.reply_to or message.thread or 0)
        return (
            (command is not None and command[1] in (None, bot.username))
            or f"@{bot.username}" in message.body.text
            or (quoted is not None and quoted.author is bot)
        )

    # ---- the bot and the people

    async def adds_bot(self, by: Person, *, as_administrator: bool = False) -> None:
        """A member brings the bot in."""
        self.expects(by)
        self._chat.bot_manages_topics = as_administrator
        self._stage.change_bot(self._chat, by.user, "administrator" if as_administrator else "member")
        self._service(by.user, {"new_chat_members": [self._stage.world.bot.as_json()]})

    async def promotes_bot(self, by: Person, *, manages_topics: bool = True) -> None:
        """Make the bot an administrator."""
        self._chat.bot_manages_topics = manages_topics
        self._stage.change_bot(self._chat, by.user, "administrator")

    async def demotes_bot(self, by: Person) -> None:
        """Make the bot an ordinary member again."""
        self._chat.bot_manages_topics = False
        self._stage.change_bot(self._chat, by.user, "member")

    async def kicks_bot(self, by: Person) -> None:
        """A member throws the bot out."""
        self._stage.change_bot(self._chat, by.user, "kicked")
        if self._chat.kind == "group":
            message = self._write(by.user, {"left_chat_member": self._stage.world.bot.as_json()})
            self._stage.tell("message", self._chat, message)

    async def takes_in(self, person: Person, *, by: Person) -> None:
        """Somebody new comes; of people's coming and going the bot hears too."""
        self._chat.members.add(person.user.id)
        self._service(by.user, {"new_chat_members": [person.user.as_json()]})

    async def loses(self, person: Person) -> None:
        """Somebody leaves."""
        self._chat.members.discard(person.user.id)
        self._service(person.user, {"left_chat_member": person.user.as_json()})

    async def says_anonymously(
        self, text: str, *, reply_to: ChatMessage | int | None = None, topic: Topic | None = None
    ) -> ChatMessage:
        """An administrator whom the group's settings hide writes: the author is the group itself."""
        answered = reply_to.id if isinstance(reply_to, ChatMessage) else reply_to
        self.noticed_deed()
        message = self._stage.world.add_message(
            self._chat,
            ANONYMOUS,
            Formatted(text, tuple(detect_entities(text))),
            reply_to=answered,
            thread=(topic or self).thread_for(answered),
            sender_chat=self._chat.as_json(),
        )
        if self.takes(message):
            self._stage.tell("message", self._chat, message)
        return self._chat.seen(message)

    # ---- what becomes of the group

    async def is_renamed(self, title: str, *, by: Person) -> None:
        """The group gets another title."""
        self._chat.title = title
        self._service(by.user, {"new_chat_title": title})

    async def becomes_supergroup(self) -> Group:
        """Telegram upgrades the group: another id, no old messages; the old id answers with the new one.

        As seen on the real server, the bot «joins» the supergroup and never «leaves» the group
        (https://github.com/tdlib/telegram-bot-api/issues/266).
        """
        old = self._chat
        assert old.kind == "group", "only a group is upgraded"
        world = self._stage.world
        new = Chat(new_supergroup_id(), "supergroup", title=old.title, members=set(old.members))
        new.own_ids = count(1)
        new.bot_manages_topics = old.bot_manages_topics
        world.chats[new.id] = new
        upgraded = Group(self._stage, new, sees_everything=self.sees_everything)
        creator = world.users[min(old.members)]
        was_here = old.bot_status
        if was_here in ("member", "administrator"):
            self._stage.change_bot(new, creator, was_here)
        self._service(creator, {"migrate_to_chat_id": new.id})
        upgraded._service(ANONYMOUS, {"migrate_from_chat_id": old.id}, sender_chat=new.as_json())
        old.migrated_to = new.id
        return upgraded

    async def becomes_forum(self) -> None:
        """Topics are switched on; bots are not told, they see it by later messages."""
        assert self._chat.kind == "supergroup", "only a supergroup has topics"
        self._chat.is_forum = True

    async def stops_being_forum(self) -> None:
        """Topics are switched off; the messages stay."""
        self._chat.is_forum = False

    async def is_deleted(self) -> None:
        """Its creator deletes the group for everybody; the bot is told nothing."""
        self._chat.is_deleted = True

    # ---- topics

    @property
    def topics(self) -> list[Topic]:
        """The topics that are there, in the order in which they were opened."""
        return [Topic(self, each) for each in self._chat.topics.values()]

    def topic(self, name: str) -> Topic:
        """The newest topic of this name."""
        found = next((topic for topic in reversed(self.topics) if topic.name == name), None)
        assert found is not None, f"no topic {name!r} among {[topic.name for topic in self.topics]}"
        return found

    async def opens_topic(self, name: str, *, by: Person) -> Topic:
        """Somebody opens a topic."""
        self.expects(by)
        assert self._chat.is_forum, "the group has no topics"
        message = self._stage.world.open_topic(self._chat, by.user, name=name)
        if self.takes(message):
            self._stage.tell("message", self._chat, message)
        return Topic(self, self._chat.topics[message.id])

    async def closes_topic(self, topic: Topic, *, by: Person) -> None:
        """An administrator closes a topic: others cannot write there."""
        topic.stored.is_closed = True
        self._service(by.user, {"forum_topic_closed": {}}, thread=topic.id)

    async def reopens_topic(self, topic: Topic, *, by: Person) -> None:
        """An administrator opens it again."""
        topic.stored.is_closed = False
        self._service(by.user, {"forum_topic_reopened": {}}, thread=topic.id)

    async def deletes_topic(self, topic: Topic) -> None:
        """An administrator deletes a topic with all its messages; bots are not told."""
        del self._chat.topics[topic.id]
        for message in topic.messages:
            del self._chat.messages[message.id]

    def _service(self, author: User, what: Mapping[str, Any], **rest: Any) -> None:
        message = self._write(author, what, **rest)
        if self.takes(message):
            self._stage.tell("message", self._chat, message)

    def _write(self, author: User, what: Mapping[str, Any], **rest: Any) -> StoredMessage:
        return self._stage.world.add_message(self._chat, author, Formatted(""), service=what, **rest)


@dataclass(frozen=True)
class Topic:
    """A topic of a group that is a forum."""

    group: Group
    stored: StoredTopic

    @property
    def id(self) -> int:
        """The topic's id on the wire."""
        return self.stored.id

    @property
    def name(self) -> str:
        """What the topic is called."""
        return self.stored.name

    @property
    def is_closed(self) -> bool:
        """Whether only administrators may write here."""
        return self.stored.is_closed

    @property
    def messages(self) -> list[ChatMessage]:
        """Everything in it, from the message that opened it."""
        return [message for message in self.group.chat if message.thread == self.id]

    def thread_for(self, _reply_to: int | None) -> int:
        """What is written here stays here."""
        assert self.id in self.group._chat.topics, "the topic was deleted"
        assert not self.is_closed, "the topic is closed"
        return self.id


Place = Group | Topic
