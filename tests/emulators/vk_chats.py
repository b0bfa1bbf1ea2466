"""Group chats: several people with VK on their phones, and perhaps the community's bot among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.emulators.vk_people import CLIENT_INFO, Writer, drawn
from tests.emulators.vk_world import Chat, ChatMessage

if TYPE_CHECKING:
    from tests.emulators.vk_events import Events
    from tests.emulators.vk_keyboard import Button
    from tests.emulators.vk_people import Person
    from tests.emulators.vk_world import World

OTHER_COMMUNITY = 5


class Member(Writer):
    """A person inside a group chat: the same phone, another conversation."""

    def __init__(self, group: GroupChat, world: World, events: Events, *, user_id: int, chat: Chat) -> None:
        super().__init__(world, events, user_id=user_id, dialog=chat)
        self._group = group

    async def mentions(self, text: str = "", *, reply_to: ChatMessage | int | None = None) -> ChatMessage:
        """Write to the bot by name: the app puts the community's mention before the text."""
        return await self.says(f"{self._group.mention} {text}".strip(), reply_to=reply_to)

    async def leaves(self) -> None:
        """Go out of the chat."""
        await self._group.removes(self.user_id, by=self)

    async def presses(self, label: str) -> ChatMessage | None:
        """Press the newest button with this label; a text button writes it with a mention of the bot."""
        self._must_be_here()
        if self._group.bot_is_here or self.find_button(label).kind == "text":
            return await super().presses(label)
        return None

    def _pressed_text(self, button: Button) -> str:
        # In chats a text button is addressed to the community that has drawn it.
        return f"{self._group.mention} {button.label}"

    async def _send(self, text: str, **fields: Any) -> ChatMessage:
        self._must_be_here()
        return await super()._send(text, author=self.user_id, **fields)

    async def _tell(self, message: ChatMessage) -> None:
        await self._group.tell(message)

    async def _tell_edit(self, message: ChatMessage) -> None:
        await self._group.tell_edit(message)

    def _must_be_here(self) -> None:
        assert self.user_id in self._group.member_ids, f"{self.name} не в этой беседе"


class GroupChat:
    """A conversation of several people, made by the first of them.

    The bot hears what it may: its own coming and going, what is addressed to it (a mention, a reply, a
    button) and, where it was given the right, everything. Edits are told only where a test asks for it.
    """

    def __init__(self, world: World, events: Events, *, title: str) -> None:
        self._world = world
        self._events = events
        self._chat = world.open_chat(title)
        self._members: dict[int, Member] = {}

    @property
    def peer_id(self) -> int:
        """How the community calls this chat."""
        return self._chat.peer_id

    @property
    def title(self) -> str:
        """What people call it."""
        return self._chat.title

    @property
    def mention(self) -> str:
        """How the bot is called here."""
        club = f"club{self._world.group_id}"
        return f"[{club}|@{club}]"

    @property
    def member_ids(self) -> list[int]:
        """Who is in, the founder first."""
        return self._chat.members

    @property
    def messages(self) -> list[ChatMessage]:
        """Everything that people see here."""
        return [message for message in self._chat.messages if not message.deleted]

    @property
    def bot_is_here(self) -> bool:
        """Whether the bot is a member."""
        return self._chat.bot == "in"

    @property
    def sees_all(self) -> bool:
        """Whether the bot was given «доступ ко всей переписке»."""
        return self._chat.sees_all

    @sees_all.setter
    def sees_all(self, value: bool) -> None:
        self._chat.sees_all = value

    @property
    def bot_is_admin(self) -> bool:
        """Whether the bot manages the chat."""
        return self._chat.bot_is_admin

    @bot_is_admin.setter
    def bot_is_admin(self, value: bool) -> None:
        self._chat.bot_is_admin = value

    @property
    def tells_edits(self) -> bool:
        """Whether edits come as events; in VK they do not (vk_api #307, java-vk-bots-long-poll-api #87)."""
        return self._chat.tells_edits

    @tells_edits.setter
    def tells_edits(self, value: bool) -> None:
        self._chat.tells_edits = value

    def member(self, person: Person) -> Member:
        """This person in this chat; whoever is not in yet may only look."""
        if person.user_id not in self._members:
            self._members[person.user_id] = Member(
                self, self._world, self._events, user_id=person.user_id, chat=self._chat
            )
        return self._members[person.user_id]

    # What happens to the chat

    async def takes_in(self, person: Person, *, by: Person | Member) -> Member:
        """Somebody joins, invited by one who is in."""
        self._chat.members.append(person.user_id)
        await self._happens({"type": "chat_invite_user", "member_id": person.user_id}, by=by.user_id)
        return self.member(person)

    async def removes(self, user_id: int, *, by: Person | Member) -> None:
        """Somebody goes, or is sent away."""
        self._chat.members.remove(user_id)
        await self._happens({"type": "chat_kick_user", "member_id": user_id}, by=by.user_id)

    async def invites_bot(self, *, by: Person | Member) -> None:
        """A member adds the community; it is told at once."""
        self._chat.bot = "in"
        await self._happens(self._about_bot("chat_invite_user"), by=by.user_id)

    async def kicks_bot(self, *, by: Person | Member, silently: bool = False) -> None:
        """A member sends the community away; the last that it hears, or not even that."""
        if silently:
            self._chat.bot = "kicked"
        await self._happens(self._about_bot("chat_kick_user"), by=by.user_id)
        self._chat.bot, self._chat.bot_is_admin, self._chat.sees_all = "kicked", False, False

    async def renames(self, title: str, *, by: Person | Member) -> None:
        """A member gives the chat another name."""
        self._chat.title = title
        await self._happens({"type": "chat_title_update", "text": title}, by=by.user_id)

    async def community_says(self, text: str) -> ChatMessage:
        """Another community's bot writes here."""
        self._world.names[-OTHER_COMMUNITY] = ("Чужой бот", "")
        message = await self._world.add_message(
            self._chat, from_bot=False, text=text, author=-OTHER_COMMUNITY
        )
        await self.tell(message)
        return message

    def disable(self) -> None:
        """VK closes the chat: error 945 for everything."""
        self._chat.disabled = True

    def refuses(self, code: int | None) -> None:
        """Let everything sent here fail with this VK error (922, 925, 946 …); None makes peace."""
        self._chat.refusal = code

    def transcript(self) -> str:
        """The conversation as text, for failures."""
        return "\n".join([f"— {self.title} ({self.peer_id}) —", *drawn(self._chat, self._world)])

    # What the bot hears

    async def tell(self, message: ChatMessage) -> None:
        """Send a new message to the bot, if it may know of it."""
        if self._reaches_bot(message):
            body = {"message": self._world.message_json(message), "client_info": CLIENT_INFO}
            await self._events.emit("message_new", body)

    async def tell_edit(self, message: ChatMessage) -> None:
        """Send a new wording to the bot, where a test wants that."""
        if self._chat.tells_edits and self._reaches_bot(message):
            await self._events.emit("message_edit", self._world.message_json(message))

    def _reaches_bot(self, message: ChatMessage) -> bool:
        return self.bot_is_here and (self._chat.sees_all or self._is_for_bot(message))

    def _is_for_bot(self, message: ChatMessage) -> bool:
        if message.action:
            return message.action.get("member_id") == -self._world.group_id
        answered = self._chat.numbered(message.reply_to) if message.reply_to else None
        mentioned = re.search(rf"\[club{self._world.group_id}\|", message.text)
        return bool(mentioned) or bool(answered and answered.from_bot)

    def _about_bot(self, kind: str) -> dict[str, Any]:
        return {"type": kind, "member_id": -self._world.group_id}

    async def _happens(self, action: dict[str, Any], *, by: int) -> None:
        message = await self._world.add_message(self._chat, from_bot=False, text="", author=by, action=action)
        await self.tell(message)
