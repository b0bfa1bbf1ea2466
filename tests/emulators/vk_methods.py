"""VK's methods that a helpdesk uses, done for real."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.emulators.vk_errors import VkError, invalid
from tests.emulators.vk_events import CallbackServer
from tests.emulators.vk_keyboard import Keyboard, parse_keyboard
from tests.emulators.vk_spec import METHODS, VERSION, WrongType, parse, unknown_parameters
from tests.emulators.vk_world import CHAT_PEERS, Chat, Dialog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.emulators.vk_events import CallbackSender, Events, LongPoll
    from tests.emulators.vk_world import Attachment, ChatMessage, World

TEXT_LENGTH = 4096
MAX_ATTACHMENTS = 10
MAX_FORWARDED = 100
EVENT_LIFE = timedelta(minutes=1)
EDIT_LIFE = timedelta(hours=24)
SNACKBAR_LENGTH = 90
MAX_CALLBACK_SERVERS = 10
EXECUTE_CALLS = 25

_ATTACHMENT = re.compile(r"(?P<kind>[a-z_]+)(?P<owner>-?\d+)_(?P<id>\d+)(?:_(?P<key>\w+))?")
_TARGETS = ("peer_id", "peer_ids", "user_id", "user_ids", "chat_id", "domain")
_UPLOADED = re.compile(r"\w{32}")
_CALL = re.compile(r"\s*API\.(\w+\.\w+)\s*\(\s*")

Params = dict[str, Any]


@dataclass(frozen=True)
class Content:
    """What is to be sent, checked."""

    text: str
    keyboard: Keyboard | None
    attachments: list[Attachment]
    payload: str


class Methods:
    """The API behind `/method/`."""

    def __init__(
        self,
        world: World,
        events: Events,
        *,
        long_poll: LongPoll,
        callback: CallbackSender,
        violations: list[str],
    ) -> None:
        self.confirmation = "5ab1c0de"
        self._world = world
        self._events = events
        self._long_poll = long_poll
        self._callback = callback
        self._violations = violations
        self._known: dict[str, Callable[[Params], Awaitable[Any]]] = {
            "docs.getMessagesUploadServer": self._docs_upload_server,
            "docs.save": self._docs_save,
            "execute": self._execute,
            "groups.addCallbackServer": self._add_callback_server,
            "groups.deleteCallbackServer": self._delete_callback_server,
            "groups.editCallbackServer": self._edit_callback_server,
            "groups.getById": self._group,
            "groups.getCallbackConfirmationCode": self._confirmation_code,
            "groups.getCallbackServers": self._callback_servers,
            "groups.getCallbackSettings": self._callback_settings,
            "groups.getLongPollServer": self._long_poll_server,
            "groups.getLongPollSettings": self._long_poll_settings,
            "groups.getTokenPermissions": self._token_permissions,
            "groups.setCallbackSettings": self._set_callback_settings,
            "groups.setLongPollSettings": self._set_long_poll_settings,
            "messages.delete": self._delete,
            "messages.edit": self._edit,
            "messages.getByConversationMessageId": self._messages_by_cmid,
            "messages.getById": self._messages_by_id,
            "messages.getConversationsById": self._conversations,
            "messages.isMessagesFromGroupAllowed": self._is_allowed,
            "messages.markAsRead": self._mark_as_read,
            "messages.send": self._send,
            "messages.sendMessageEventAnswer": self._answer_event,
            "messages.setActivity": self._set_activity,
            "photos.getMessagesUploadServer": self._photos_upload_server,
            "photos.saveMessagesPhoto": self._save_photo,
            "users.get": self._users,
            "utils.getServerTime": self._server_time,
            "wall.delete": self._delete_post,
            "wall.edit": self._edit_post,
            "wall.post": self._post,
        }

    async def call(self, method: str, raw: dict[str, str]) -> Any:
        """Check the parameters and do it; raises VkError."""
        if method not in METHODS:
            self._violations.append(f"{method}: такого метода нет")
            raise VkError(3)
        for name in unknown_parameters(method, raw):
            self._violations.append(f"{method}: нет параметра {name}")
        try:
            params = parse(method, raw)
        except WrongType as error:
            self._violations.append(f"{method}: {error}")
            raise invalid(str(error)) from None
        if method not in self._known:
            self._violations.append(f"{method}: эмулятор этого не умеет")
            raise VkError(33, "the emulator does not do this")
        if (
            params.get("group_id", self._world.group_id) != self._world.group_id
            and method != "groups.getById"
        ):
            raise VkError(15, "group_id is of another community")
        return await self._known[method](params)

    # messages.send

    async def _send(self, params: Params) -> Any:
        peers, is_list = self._targets(params)
        content = self._content(params)
        if not is_list:
            return (await self._numbers(peers[0], params, content=content))["message_id"]
        return [await self._send_or_explain(peer, params, content=content) for peer in peers]

    def _targets(self, params: Params) -> tuple[list[int], bool]:
        given = [name for name in _TARGETS if name in params]
        if len(given) > 1:
            self._violations.append(f"messages.send: сразу несколько адресатов: {given}")
        if not given or given == ["domain"]:
            raise invalid("you should specify peer_id, user_id, domain, chat_id or user_ids param")
        for name in ("peer_ids", "user_ids"):
            if name in params:
                return params[name], True
        if "chat_id" in params:
            return [CHAT_PEERS + params["chat_id"]], False
        peer: int = params["peer_id"] if "peer_id" in params else params["user_id"]
        return [peer], False

    async def _send_or_explain(self, peer: int, params: Params, *, content: Content) -> dict[str, Any]:
        try:
            numbers = await self._numbers(peer, params, content=content)
        except VkError as error:
            explained = {"code": error.code, "description": error.text}
            return {"peer_id": peer, "message_id": 0, "conversation_message_id": 0, "error": explained}
        return {"peer_id": peer} | numbers

    async def _numbers(self, peer: int, params: Params, *, content: Content) -> dict[str, int]:
        """Send; gives the numbers of the message."""
        crowd = self._world.crowd_of(peer)
        if crowd is None:
            message = await self._send_one(peer, params, content=content)
            return {"message_id": message.shown_id, "conversation_message_id": message.cmid}
        cmid = crowd.take(peer, params["random_id"], now=self._world.clock.now())
        return {"message_id": peer, "conversation_message_id": cmid}

    async def _send_one(self, peer: int, params: Params, *, content: Content) -> ChatMessage:
        dialog = self._writable(peer)
        random_id = params["random_id"]
        if earlier := dialog.sent_with(random_id, now=self._world.clock.now()):
            return earlier
        reply_to, forwarded = self._references(dialog, params)
        message = await self._world.add_message(
            dialog,
            from_bot=True,
            text=content.text,
            keyboard=content.keyboard,
            attachments=content.attachments,
            payload=content.payload,
            reply_to=reply_to,
            forwarded=forwarded,
            random_id=random_id,
        )
        if not isinstance(dialog, Chat):
            # In chats a bot does not hear of its own messages (vk-api-schema #40).
            await self._events.emit("message_reply", self._world.message_json(message))
        return message

    def _writable(self, peer: int) -> Dialog:
        dialog = self._world.dialogs.get(peer)
        if crowd := self._world.crowd_of(peer):
            if peer in crowd.refusals:
                raise VkError(crowd.refusals[peer])
            return Dialog(peer, allowed=True)
        if dialog and dialog.refusal:
            raise VkError(dialog.refusal)
        if peer > CHAT_PEERS:
            return self._entered(dialog)
        if dialog is None or not dialog.allowed:
            raise VkError(901)
        return dialog

    def _entered(self, dialog: Dialog | None) -> Chat:
        """The chat, if the bot is in it."""
        if not isinstance(dialog, Chat) or dialog.bot != "in":
            raise VkError(917)
        if dialog.disabled:
            raise VkError(945)
        return dialog

    def _content(self, params: Params) -> Content:
        text = params.get("message", "")
        if len(text) > TEXT_LENGTH:
            raise VkError(914)
        attachments = self._attachments(params.get("attachment", ""))
        keyboard = parse_keyboard(params["keyboard"]) if "keyboard" in params else None
        if keyboard and not self._world.bot_features:
            raise VkError(912)
        if "template" in params:
            self._violations.append("messages.send: template эмулятор не умеет")
        filled = (
            text.strip()
            or attachments
            or params.keys() & {"forward", "forward_messages", "sticker_id", "lat"}
        )
        if not filled:
            raise invalid("message is empty or invalid")
        return Content(
            text=text, keyboard=keyboard, attachments=attachments, payload=params.get("payload", "")
        )

    def _attachments(self, names: str) -> list[Attachment]:
        parts = [part.strip() for part in names.split(",") if part.strip()]
        if len(parts) > MAX_ATTACHMENTS:
            raise invalid("attachment: too many attachments")
        return [self._attachment(part) for part in parts]

    def _attachment(self, name: str) -> Attachment:
        parsed = _ATTACHMENT.fullmatch(name)
        if not parsed:
            raise invalid(f"attachment is invalid: {name}")
        owner = int(parsed["owner"])
        kinds = [parsed["kind"], "audio_message"] if parsed["kind"] == "doc" else [parsed["kind"]]
        found = [self._world.find_attachment(kind, owner, file_id=int(parsed["id"])) for kind in kinds]
        attachment = next((one for one in found if one), None)
        foreign = owner != -self._world.group_id
        if attachment is None or (foreign and parsed["key"] != attachment.access_key):
            raise invalid(f"attachment is not available: {name}")
        return attachment

    def _references(self, dialog: Dialog, params: Params) -> tuple[int | None, list[int]]:
        if "reply_to" in params:
            if not dialog.by_id(params["reply_to"]):
                raise invalid("reply_to is invalid")
            return params["reply_to"], []
        if "forward" in params:
            return self._forward(dialog, params["forward"])
        forwarded = params.get("forward_messages", [])
        if len(forwarded) > MAX_FORWARDED:
            raise VkError(913)
        if not all(dialog.by_id(one) for one in forwarded):
            raise VkError(921)
        return None, forwarded

    def _forward(self, dialog: Dialog, text: str) -> tuple[int | None, list[int]]:
        forward = _json_object(text, name="forward")
        allowed = {"owner_id", "peer_id", "conversation_message_ids", "cmids", "message_ids", "is_reply"}
        for extra in sorted(set(forward) - allowed):
            self._violations.append(f"messages.send: в forward нет поля {extra}")
        source = self._world.dialogs.get(forward.get("peer_id", dialog.peer_id))
        numbers = forward.get("conversation_message_ids") or forward.get("cmids") or []
        found = [source.by_cmid(one) if source else None for one in numbers]
        found += [source.by_id(one) if source else None for one in forward.get("message_ids", [])]
        if not found:
            raise invalid("forward should contain conversation_message_ids or message_ids")
        if len(found) > MAX_FORWARDED:
            raise VkError(913)
        messages = [one for one in found if one]
        if len(messages) < len(found):
            raise VkError(921)
        if not forward.get("is_reply"):
            return None, [one.id for one in messages]
        if len(messages) > 1 or source is not dialog:
            raise invalid("forward: is_reply needs one message of the same dialog")
        return messages[0].id, []

    # The rest of messages

    async def _edit(self, params: Params) -> int:
        dialog = self._writable(params["peer_id"])
        message = self._own_message(dialog, params)
        if self._world.clock.now() - message.at > EDIT_LIFE:
            raise VkError(909)
        content = self._content(params)
        message.text, message.attachments, message.keyboard = (
            content.text,
            content.attachments,
            content.keyboard,
        )
        message.edited = True
        dialog.spoken.append(message)
        await dialog.touch()
        if not isinstance(dialog, Chat):
            await self._events.emit("message_edit", self._world.message_json(message))
        return 1

    def _own_message(self, dialog: Dialog, params: Params) -> ChatMessage:
        if "cmid" in params:
            message = dialog.by_cmid(params["cmid"])
        elif "message_id" in params:
            message = dialog.by_id(params["message_id"])
        else:
            raise invalid("message_id or cmid is required")
        if message is None:
            raise invalid("message_id is invalid")
        if not message.from_bot:
            raise VkError(15, "can't edit a message of somebody else")
        return message

    async def _delete(self, params: Params) -> list[dict[str, Any]]:
        if "cmids" in params and "peer_id" not in params:
            raise invalid("peer_id is undefined")
        chosen = self._dialogs(params)
        numbers = params.get("cmids") or params.get("message_ids")
        if not numbers:
            raise invalid("message_ids is undefined")
        answer = []
        for number in numbers:
            found = [one.by_cmid(number) if "cmids" in params else one.by_id(number) for one in chosen]
            message = next((one for one in found if one), None)
            answer.append(
                await self._delete_one(message, number=number, for_all=bool(params.get("delete_for_all")))
            )
        return answer

    def _dialogs(self, params: Params) -> list[Dialog]:
        dialogs = self._world.dialogs
        if "peer_id" not in params:
            return list(dialogs.values())
        if params["peer_id"] > CHAT_PEERS:
            self._entered(dialogs.get(params["peer_id"]))
        return [dialogs[params["peer_id"]]] if params["peer_id"] in dialogs else []

    async def _delete_one(self, message: ChatMessage | None, *, number: int, for_all: bool) -> dict[str, Any]:
        if message is None:
            return {"message_id": number, "error": {"code": 100, "description": "message is not found"}}
        names = {
            "peer_id": message.peer_id,
            "message_id": message.shown_id,
            "conversation_message_id": message.cmid,
        }
        dialog = self._world.dialogs[message.peer_id]
        if for_all:
            may = message.from_bot or (isinstance(dialog, Chat) and dialog.bot_is_admin)
            if not may or self._world.clock.now() - message.at > EDIT_LIFE:
                return names | {"error": {"code": 924, "description": VkError(924).text}}
            message.deleted = True
        message.removed = True
        await dialog.touch()
        return names | {"response": 1}

    async def _set_activity(self, params: Params) -> int:
        if not params.keys() & {"peer_id", "user_id"}:
            raise invalid("peer_id is undefined")
        peer: int = params["peer_id"] if "peer_id" in params else params["user_id"]
        dialog = self._writable(peer)
        dialog.actions.append(params.get("type", "typing"))
        await dialog.touch()
        return 1

    async def _answer_event(self, params: Params) -> int:
        pressed = self._world.pressed.get(params["event_id"])
        late = pressed is None or self._world.clock.now() - pressed.at > EVENT_LIFE
        if pressed is None or late:
            raise invalid("event_id is invalid or expired")
        if (pressed.user_id, pressed.peer_id) != (params["user_id"], params["peer_id"]):
            raise invalid("user_id or peer_id is not of this event")
        self._show(params)
        del self._world.pressed[params["event_id"]]
        return 1

    def _show(self, params: Params) -> None:
        if "event_data" not in params:
            return
        data = _json_object(params["event_data"], name="event_data")
        needed = {"show_snackbar": "text", "open_link": "link", "open_app": "app_id"}.get(
            data.get("type", "")
        )
        if needed is None or not data.get(needed):
            raise invalid("event_data is invalid")
        if data["type"] == "show_snackbar":
            if len(data["text"]) > SNACKBAR_LENGTH:
                raise invalid("event_data: text is too long")
            self._world.dialog_of(params["peer_id"]).toasts.append(data["text"])

    async def _is_allowed(self, params: Params) -> dict[str, int]:
        dialog = self._world.dialogs.get(params["user_id"])
        return {"is_allowed": int(bool(dialog and dialog.allowed and not dialog.refusal))}

    async def _mark_as_read(self, _: Params) -> int:
        return 1

    async def _messages_by_cmid(self, params: Params) -> dict[str, Any]:
        dialog = self._world.dialogs.get(params["peer_id"])
        if params["peer_id"] > CHAT_PEERS:
            self._entered(dialog)
        found = [dialog.by_cmid(one) for one in params["conversation_message_ids"]] if dialog else []
        return self._items(found)

    async def _messages_by_id(self, params: Params) -> dict[str, Any]:
        if "cmids" in params:
            return await self._messages_by_cmid({**params, "conversation_message_ids": params["cmids"]})
        numbers = params.get("message_ids", [])
        return self._items([dialog.by_id(one) for one in numbers for dialog in self._dialogs(params)])

    def _items(self, found: list[ChatMessage | None]) -> dict[str, Any]:
        items = [self._world.message_json(one) for one in found if one]
        return {"count": len(items), "items": items}

    async def _conversations(self, params: Params) -> dict[str, Any]:
        known = [self._world.dialogs[peer] for peer in params["peer_ids"] if peer in self._world.dialogs]
        # Of chats it tells only those where the bot is an administrator (vk-io #169).
        told = [dialog for dialog in known if not isinstance(dialog, Chat) or dialog.bot_is_admin]
        items = [self._conversation(dialog) for dialog in told]
        return {"count": len(items), "items": items}

    def _conversation(self, dialog: Dialog) -> dict[str, Any]:
        last = dialog.messages[-1] if dialog.messages else None
        writable: dict[str, Any] = {"allowed": True}
        try:
            self._writable(dialog.peer_id)
        except VkError as error:
            writable = {"allowed": False, "reason": error.code}
        numbers = {
            "last_message_id": last.id if last else 0,
            "last_conversation_message_id": last.cmid if last else 0,
        }
        peer = {"id": dialog.peer_id, "type": "user", "local_id": dialog.peer_id}
        common = {**numbers, "in_read": 0, "out_read": 0, "version": 1, "can_write": writable}
        if not isinstance(dialog, Chat):
            return {"peer": peer} | common
        peer |= {"type": "chat", "local_id": dialog.peer_id - CHAT_PEERS}
        settings = {"title": dialog.title, "members_count": len(dialog.members) + 1, "state": dialog.bot}
        return {"peer": peer, "chat_settings": settings | {"owner_id": dialog.members[0], "acl": {}}} | common

    # The wall

    async def _post(self, params: Params) -> dict[str, int]:
        return self._world.wall.post(params)

    async def _edit_post(self, params: Params) -> dict[str, int]:
        return self._world.wall.edit(params)

    async def _delete_post(self, params: Params) -> int:
        return self._world.wall.delete(params)

    # Files

    async def _photos_upload_server(self, params: Params) -> dict[str, Any]:
        if params.get("peer_id"):
            self._writable(params["peer_id"])
        url = f"{self._world.base_url}/upload/photo"
        return {"upload_url": url, "album_id": -64, "user_id": 0, "group_id": self._world.group_id}

    async def _save_photo(self, params: Params) -> list[dict[str, Any]]:
        stored = self._uploaded(params["photo"], kind="photo")
        if "server" not in params:
            raise VkError(118, "server is undefined")
        if params.get("hash") != stored.access_key:
            raise VkError(121)
        return [stored.body()]

    async def _docs_upload_server(self, params: Params) -> dict[str, str]:
        if "peer_id" not in params:
            raise invalid("peer_id is undefined")
        peer: int = params["peer_id"]
        self._writable(peer)
        kind = params.get("type", "doc")
        return {"upload_url": f"{self._world.base_url}/upload/{kind}"}

    async def _docs_save(self, params: Params) -> dict[str, Any]:
        token = params["file"]
        stored = self._world.files.get(token)
        if stored is None or stored.kind not in {"doc", "audio_message"}:
            raise VkError(105)
        stored.name = params.get("title") or stored.name
        return stored.as_json()

    def _uploaded(self, text: str, *, kind: str) -> Attachment:
        token = _UPLOADED.search(text)
        stored = self._world.files.get(token[0]) if token else None
        if stored is None or stored.kind != kind:
            raise VkError(129, "Invalid photo")
        return stored

    # The community and people

    async def _group(self, params: Params) -> dict[str, Any]:
        asked = params.get("group_ids") or [params.get("group_id", str(self._world.group_id))]
        number = str(self._world.group_id)
        if not any(str(one) in {number, f"club{number}"} for one in asked):
            return {"groups": [], "profiles": []}
        picture = f"{self._world.base_url}/files/none.jpg"
        names = {"id": self._world.group_id, "name": "Помощь с дневником", "screen_name": f"club{number}"}
        photos = {f"photo_{size}": picture for size in (50, 100, 200)}
        return {"groups": [names | {"is_closed": 0, "type": "page"} | photos], "profiles": []}

    async def _token_permissions(self, _: Params) -> dict[str, Any]:
        settings = {"photos": 4, "messages": 4096, "docs": 131072, "manage": 262144}
        permissions = [{"name": name, "setting": setting} for name, setting in settings.items()]
        return {"mask": sum(settings.values()), "permissions": permissions}

    async def _users(self, params: Params) -> list[dict[str, Any]]:
        asked = [int(one) for one in map(_user_number, params.get("user_ids", [])) if one]
        return [
            {
                "id": number,
                "first_name": self._world.names[number][0],
                "last_name": self._world.names[number][1],
                "can_access_closed": True,
                "is_closed": False,
            }
            for number in asked
            if number in self._world.names
        ]

    async def _server_time(self, _: Params) -> int:
        return self._world.timestamp()

    # Long poll and callback settings

    async def _long_poll_server(self, _: Params) -> dict[str, str]:
        if not self._long_poll.enabled:
            raise invalid("longpoll for this group is not enabled")
        server = f"{self._world.base_url}/lp/whp/{self._world.group_id}"
        return {"key": self._long_poll.key, "server": server, "ts": self._long_poll.ts}

    async def _long_poll_settings(self, _: Params) -> dict[str, Any]:
        events = _flags("groups.setLongPollSettings", self._long_poll.events)
        return {"is_enabled": self._long_poll.enabled, "api_version": VERSION, "events": events}

    async def _set_long_poll_settings(self, params: Params) -> int:
        self._long_poll.enabled = params.get("enabled", self._long_poll.enabled)
        _switch(self._long_poll.events, params)
        return 1

    async def _confirmation_code(self, _: Params) -> dict[str, str]:
        return {"code": self.confirmation}

    async def _callback_servers(self, params: Params) -> dict[str, Any]:
        wanted = params.get("server_ids") or list(self._callback.servers)
        items = [self._callback.servers[one].as_json() for one in wanted if one in self._callback.servers]
        return {"count": len(items), "items": items}

    async def _add_callback_server(self, params: Params) -> dict[str, int]:
        if len(self._callback.servers) >= MAX_CALLBACK_SERVERS:
            raise VkError(2000)
        number = max(self._callback.servers, default=0) + 1
        server = CallbackServer(number, url=params["url"], title=params["title"])
        self._callback.servers[number] = server
        self._ask_confirmation(server, params)
        return {"server_id": number}

    async def _edit_callback_server(self, params: Params) -> int:
        server = self._callback_server(params)
        server.url, server.title = params["url"], params["title"]
        self._ask_confirmation(server, params)
        return 1

    def _ask_confirmation(self, server: CallbackServer, params: Params) -> None:
        server.secret, server.confirmation, server.status = (
            params.get("secret_key", ""),
            self.confirmation,
            "wait",
        )
        self._callback.confirm_later(server, group_id=self._world.group_id)

    async def _delete_callback_server(self, params: Params) -> int:
        del self._callback.servers[self._callback_server(params).id]
        return 1

    async def _callback_settings(self, params: Params) -> dict[str, Any]:
        events = _flags("groups.setCallbackSettings", self._callback_server(params).events)
        return {"api_version": VERSION, "events": events}

    async def _set_callback_settings(self, params: Params) -> int:
        _switch(self._callback_server(params).events, params)
        return 1

    def _callback_server(self, params: Params) -> CallbackServer:
        if params.get("server_id") not in self._callback.servers:
            raise VkError(104)
        return self._callback.servers[params["server_id"]]

    # execute

    async def _execute(self, params: Params) -> Any:
        """Only `return [API.messages.send({…}), …];`: the batch that bots send."""
        calls = parse_batch(params["code"])
        if len(calls) > EXECUTE_CALLS:
            raise VkError(13, "too many api calls")
        if any(method == "execute" for method, _ in calls):
            raise VkError(12, "execute inside execute")
        answers: list[Any] = []
        errors: list[dict[str, Any]] = []
        for method, raw in calls:
            try:
                answers.append(await self.call(method, raw))
            except VkError as error:
                answers.append(False)
                errors.append({"method": method, "error_code": error.code, "error_msg": error.text})
        return Batch(answers, errors)


@dataclass(frozen=True)
class Batch:
    """The answer of `execute`: errors stand beside the results."""

    answers: list[Any]
    errors: list[dict[str, Any]]


def parse_batch(code: str) -> list[tuple[str, dict[str, str]]]:
    """Calls in a VKScript that only returns a list of calls; error 12 for any other script."""
    text = code.strip().rstrip(";").strip()
    if not (text.startswith("return") and text.endswith("]")):
        raise VkError(12, "the emulator reads only «return [API.method({…}), …];»")
    rest = text.removeprefix("return").strip()[1:-1]
    calls = []
    while rest.strip():
        call = _CALL.match(rest)
        if not call:
            raise VkError(12, f"unexpected {rest[:30]!r}")
        try:
            arguments, end = json.JSONDecoder().raw_decode(rest, call.end())
        except ValueError:
            raise VkError(12, "arguments are not a JSON object") from None
        calls.append((call[1], {key: _as_parameter(value) for key, value in arguments.items()}))
        rest = rest[end:].lstrip()
        if not rest.startswith(")"):
            raise VkError(12, "there is no «)»")
        rest = rest[1:].lstrip().removeprefix(",")
    return calls


def _as_parameter(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list):
        return ",".join(_as_parameter(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _json_object(text: str, *, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise invalid(f"{name} is not a JSON") from None
    if not isinstance(value, dict):
        raise invalid(f"{name} is not an object")
    return value


def _user_number(name: str) -> str:
    return name.removeprefix("id") if name.removeprefix("id").isdecimal() else ""


def _kinds(method: str) -> set[str]:
    settings = {"group_id", "server_id", "enabled", "api_version"}
    return {parameter["name"] for parameter in METHODS[method]} - settings


def _flags(method: str, chosen: set[str]) -> dict[str, int]:
    return {kind: int(kind in chosen) for kind in sorted(_kinds(method))}


def _switch(chosen: set[str], params: Params) -> None:
    for kind, wanted in params.items():
        if kind in _kinds("groups.setLongPollSettings"):
            (chosen.add if wanted else chosen.discard)(kind)
