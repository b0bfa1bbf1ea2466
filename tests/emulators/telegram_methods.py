"""The methods of the Bot API, with the refusals of the real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.emulators.telegram_limits import RateLimits
from tests.emulators.telegram_spec import Refused, Upload, bad_request
from tests.emulators.telegram_text import Formatted, format_text, is_web_address
from tests.emulators.telegram_updates import UpdateQueue, Webhook
from tests.emulators.telegram_world import (
    TOPIC_COLOUR,
    Attachment,
    Chat,
    FileKind,
    StoredMessage,
    World,
)

TEXT_LIMIT = 4096  # characters after parsing
CAPTION_LIMIT = 1024
UPLOAD_LIMIT = 50 * 1024 * 1024  # bytes; multipart
PHOTO_LIMIT = 10 * 1024 * 1024
DOWNLOAD_LIMIT = 20 * 1024 * 1024  # getFile
CALLBACK_ANSWER_LIMIT = 200
CALLBACK_LIFE = timedelta(seconds=150)
DELETE_LIFE = timedelta(hours=48)
TOPIC_NAME_LIMIT = 128
BUTTON_LIMIT = 100
BUTTON_DATA_BYTES = 64
BUTTON_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
CHAT_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

Params = Mapping[str, Any]


@dataclass
class CallbackQuery:
    """A press that waits for its answer."""

    id: str
    person_id: int
    data: str
    at: datetime
    answers: int = 0


@dataclass(frozen=True)
class FileLimits:
    """How large files may be, in bytes."""

    upload: int = UPLOAD_LIMIT
    download: int = DOWNLOAD_LIMIT


class Methods:
    """Executes requests that are well formed already."""

    def __init__(
        self,
        world: World,
        updates: UpdateQueue,
        *,
        limits: RateLimits,
        files: FileLimits,
    ) -> None:
        self._world = world
        self._updates = updates
        self._limits = limits
        self._files = files
        self.callbacks: dict[str, CallbackQuery] = {}
        self.toasts: dict[int, list[str]] = {}
        self.profile: dict[str, Any] = {}
        """What setMyCommands and its kin have set, by method name, scope and language."""
        self._by_name: dict[str, Callable[[Params], Any]] = {
            "getMe": self._get_me,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
            "sendMessage": self._send_message,
            "sendPhoto": lambda params: self._send_file("photo", params),
            "sendDocument": lambda params: self._send_file("document", params),
            "sendVoice": lambda params: self._send_file("voice", params),
            "sendVideo": lambda params: self._send_file("video", params),
            "sendMediaGroup": self._send_media_group,
            "sendChatAction": self._send_chat_action,
            "copyMessage": self._copy_message,
            "createForumTopic": self._open_topic,
            "leaveChat": self._leave,
            "editMessageText": self._edit_text,
            "editMessageCaption": self._edit_caption,
            "editMessageReplyMarkup": self._edit_markup,
            "deleteMessage": self._delete_message,
            "answerCallbackQuery": self._answer_callback,
            "getFile": self._get_file,
            "getChat": self._get_chat,
            "setMyCommands": self._set_commands,
            "getMyCommands": lambda params: self.profile.get(_profile_key("setMyCommands", params), []),
            "deleteMyCommands": self._delete_commands,
            "setMyDescription": lambda params: self._set_line("setMyDescription", "description", 512, params),
            "getMyDescription": lambda params: self._get_line("setMyDescription", "description", params),
            "setMyShortDescription": lambda params: self._set_line(
                "setMyShortDescription", "short_description", 120, params
            ),
            "getMyShortDescription": lambda params: self._get_line(
                "setMyShortDescription", "short_description", params
            ),
        }

    def knows(self, method: str) -> bool:
        """Whether the method does something here."""
        return method in self._by_name

    def call(self, method: str, params: Params) -> Any:
        """The result, or `Refused`."""
        return self._by_name[method](params)

    # ---- the bot itself

    def _get_me(self, _params: Params) -> dict[str, Any]:
        return {
            **self._world.bot.as_json(),
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def _set_commands(self, params: Params) -> bool:
        commands = params["commands"]
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not _COMMAND.fullmatch(command["command"].removeprefix("/")):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self.profile[_profile_key("setMyCommands", params)] = commands
        return True

    def _delete_commands(self, params: Params) -> bool:
        self.profile.pop(_profile_key("setMyCommands", params), None)
        return True

    def _set_line(self, method: str, name: str, limit: int, params: Params) -> bool:
        text = params.get(name, "")
        if len(text) > limit:
            raise bad_request(f"{name} is too long")
        self.profile[_profile_key(method, params)] = text
        return True

    def _get_line(self, method: str, name: str, params: Params) -> dict[str, str]:
        return {name: self.profile.get(_profile_key(method, params), "")}

    # ---- the webhook

    def _set_webhook(self, params: Params) -> bool:
        if not params.get("url"):
            return self._delete_webhook(params)
        url, secret = params["url"], params.get("secret_token")
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if secret is not None and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        if "allowed_updates" in params:
            self._updates.allowed = params["allowed_updates"]
        if params.get("drop_pending_updates"):
            self._updates.forget_pending()
        connections = min(max(params.get("max_connections", 40), 1), 100)
        self._updates.set_webhook(Webhook(url, secret, connections))
        return True

    def _delete_webhook(self, params: Params) -> bool:
        if params.get("drop_pending_updates"):
            self._updates.forget_pending()
        self._updates.stop_webhook()
        return True

    def _webhook_info(self, _params: Params) -> dict[str, Any]:
        webhook = self._updates.webhook
        info: dict[str, Any] = {
            "url": webhook.url if webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.pending),
        }
        if webhook:
            info["max_connections"] = webhook.connections
            if self._updates.last_error:
                at, what = self._updates.last_error
                info |= {"last_error_date": int(at.timestamp()), "last_error_message": what}
        if self._updates.allowed:
            info["allowed_updates"] = list(self._updates.allowed)
        return info

    # ---- sending

    def _send_message(self, params: Params) -> dict[str, Any]:
        body = _text(params)
        chat = self._writable(params)
        return self._post(chat, params, [(body, None)])[0]

    def _send_file(self, kind: FileKind, params: Params) -> dict[str, Any]:
        caption = _caption(params)
        chat = self._writable(params)
        attachment = self._take_file(kind, params.get(kind), params)
        return self._post(chat, params, [(caption, attachment)])[0]

    def _send_media_group(self, params: Params) -> list[dict[str, Any]]:
        media: Sequence[Params] = params["media"]
        if not 2 <= len(media) <= 10:
            raise bad_request("wrong number of messages in media group: must include 2-10 items")
        kinds = {item["type"] for item in media}
        if len(kinds) > 1 and kinds & {"document", "audio"}:
            only = "document" if "document" in kinds else "audio"
            raise bad_request(f"{only} can't be mixed with other media types")
        chat = self._writable(params)
        pieces = [(_caption(item), self._take_file(item["type"], item["media"], params)) for item in media]
        return self._post(chat, params, pieces, album=self._world.new_media_group_id())

    def _copy_message(self, params: Params) -> dict[str, Any]:
        source = self._world.chat_of(params["from_chat_id"]).messages.get(params["message_id"])
        if source is None:
            raise bad_request("message to copy not found")
        if source.service:
            raise bad_request("message can't be copied")
        body = _caption(params) if "caption" in params and source.attachment else source.body
        chat = self._writable(params)
        return {"message_id": self._post(chat, params, [(body, source.attachment)])[0]["message_id"]}

    def _send_chat_action(self, params: Params) -> bool:
        if params["action"] not in CHAT_ACTIONS:
            raise bad_request("wrong parameter action in request")
        self._writable(params).actions.append(params["action"])
        return True

    def _post(
        self,
        chat: Chat,
        params: Params,
        pieces: Sequence[tuple[Formatted, Attachment | None]],
        *,
        album: str | None = None,
    ) -> list[dict[str, Any]]:
        thread = _thread(chat, params)
        reply_to = _quoted(chat, params)
        markup = check_markup(params.get("reply_markup"))
        self._limits.take(chat.id, group=chat.kind != "private", messages=len(pieces))
        messages = [
            self._world.add_message(
                chat,
                self._world.bot,
                body,
                attachment=attachment,
                markup=markup if markup and "inline_keyboard" in markup else None,
                reply_to=reply_to,
                media_group_id=album,
                thread=thread,
            )
            for body, attachment in pieces
        ]
        if markup and "keyboard" in markup:
            chat.reply_keyboard = (messages[-1].id, markup)
        if markup and "remove_keyboard" in markup:
            chat.reply_keyboard = None
        return [self._world.message_json(chat, message) for message in messages]

    def _writable(self, params: Params) -> Chat:
        """The chat, if the bot may write there."""
        chat = self._world.chat_of(params.get("chat_id", ""))
        if chat.user is None:
            _refuse_lost_group(chat)
            if chat.kind == "channel" and not chat.bot_may_post:
                raise bad_request("need administrator rights in the channel chat")
            return chat
        if chat.user.deactivated:
            raise Refused(403, "Forbidden: user is deactivated")
        if not chat.started:
            raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        if chat.bot_status == "kicked":
            raise Refused(403, "Forbidden: bot was blocked by the user")
        return chat

    def _open_topic(self, params: Params) -> dict[str, Any]:
        chat = self._writable(params)
        if not chat.is_forum:
            raise bad_request("the chat is not a forum")
        if chat.bot_status != "administrator" or not chat.bot_manages_topics:
            raise bad_request("not enough rights to create a topic")
        name = params["name"].strip()[:TOPIC_NAME_LIMIT]
        if not name:
            raise bad_request("topic name must be non-empty")
        topic = self._world.open_topic(chat, self._world.bot, name=name)
        return {"message_thread_id": topic.id, "name": name, "icon_color": TOPIC_COLOUR}

    def _leave(self, params: Params) -> bool:
        chat = self._writable(params)
        if chat.user is not None:
            raise bad_request("chat member status can't be changed in private chats")
        chat.bot_status = "left"
        return True

    def _take_file(self, kind: FileKind, value: Any, params: Params) -> Attachment:
        """The uploaded file, or the one known by its id."""
        if isinstance(value, str) and value.startswith("attach://"):
            value = params.get(value.removeprefix("attach://"))
        if isinstance(value, Upload):
            return self._keep(kind, value)
        if not value:
            raise bad_request(f"there is no {kind} in the request")
        if value.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")  # the emulator stays on loopback
        known = self._world.file(value)
        if known is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if known.kind != kind:
            raise bad_request(f"can't use file of type {known.kind.title()} as {kind.title()}")
        return known

    def _keep(self, kind: FileKind, upload: Upload) -> Attachment:
        if not upload.content:
            raise bad_request("file must be non-empty")
        if len(upload.content) > self._files.upload:
            raise Refused(413, "Request Entity Too Large")
        if kind == "photo":
            if len(upload.content) > PHOTO_LIMIT:
                raise bad_request("file is too big")
            if not upload.content.startswith(IMAGES):
                raise bad_request("IMAGE_PROCESS_FAILED")
        return self._world.add_file(kind, name=upload.name, mime=upload.mime, content=upload.content)

    # ---- changing what was sent

    def _edit_text(self, params: Params) -> bool | dict[str, Any]:
        chat, message = self._own_message(params, "edit")
        if message.attachment:
            raise bad_request("there is no text in the message to edit")
        return self._change(chat, message, _text(params), params)

    def _edit_caption(self, params: Params) -> bool | dict[str, Any]:
        chat, message = self._own_message(params, "edit")
        if not message.attachment:
            raise bad_request("there is no caption in the message to edit")
        return self._change(chat, message, _caption(params), params)

    def _edit_markup(self, params: Params) -> bool | dict[str, Any]:
        chat, message = self._own_message(params, "edit")
        return self._change(chat, message, message.body, params)

    def _change(self, chat: Chat, message: StoredMessage, body: Formatted, params: Params) -> dict[str, Any]:
        markup = check_markup(params.get("reply_markup"))
        after = markup["inline_keyboard"] if markup else ()
        if body == message.body and list(after) == list(message.inline_keyboard):
            raise bad_request(NOT_MODIFIED)
        if body != message.body:
            message.edited_at = self._world.clock.now()
            chat.spoken.append(message.id)
        message.body, message.markup = body, markup
        self._world.changed.fire()
        return self._world.message_json(chat, message)

    def _delete_message(self, params: Params) -> bool:
        chat = self._writable(params)
        message = chat.messages.get(params["message_id"])
        if message is None:
            raise bad_request("message to delete not found")
        foreign = chat.kind != "private" and message.author is not self._world.bot
        foreign = foreign and chat.bot_status != "administrator"
        if foreign or self._world.clock.now() - message.at > DELETE_LIFE:
            raise bad_request("message can't be deleted for everyone")
        del chat.messages[message.id]
        self._world.changed.fire()
        return True

    def _own_message(self, params: Params, deed: str) -> tuple[Chat, StoredMessage]:
        if "chat_id" not in params or "message_id" not in params:
            raise bad_request("message identifier is not specified")
        chat = self._writable(params)
        message = chat.messages.get(params["message_id"])
        if message is None:
            raise bad_request(f"message to {deed} not found")
        if message.author is not self._world.bot:
            raise bad_request(f"message can't be {deed}ed")
        return chat, message

    # ---- the rest

    def _answer_callback(self, params: Params) -> bool:
        query = self.callbacks.get(params["callback_query_id"])
        if query is None or self._world.clock.now() - query.at > CALLBACK_LIFE:
            raise bad_request(OLD_QUERY)
        text = params.get("text", "")
        if len(text) > CALLBACK_ANSWER_LIMIT:
            raise bad_request("MESSAGE_TOO_LONG")
        query.answers += 1
        if text:
            self.toasts.setdefault(query.person_id, []).append(text)
        self._world.changed.fire()
        return True

    def _get_file(self, params: Params) -> dict[str, Any]:
        attachment = self._world.file(params["file_id"])
        if attachment is None:
            raise bad_request("invalid file_id")
        if len(attachment.content) > self._files.download:
            raise bad_request("file is too big")
        self._world.open_link(attachment)
        return {
            "file_id": attachment.file_id,
            "file_unique_id": attachment.unique_id,
            "file_size": len(attachment.content),
            "file_path": attachment.path,
        }

    def _get_chat(self, params: Params) -> dict[str, Any]:
        chat = self._world.chat_of(params["chat_id"])
        if chat.user is None:
            _refuse_lost_group(chat)
        gifts = (
            "unlimited_gifts",
            "limited_gifts",
            "unique_gifts",
            "premium_subscription",
            "gifts_from_channels",
        )
        return {
            **chat.as_json(),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, True),
        }


def check_markup(markup: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Refuse a keyboard that the real server refuses; empty rows disappear."""
    if not markup:
        return None
    rows_name = "inline_keyboard" if "inline_keyboard" in markup else "keyboard"
    if rows_name not in markup:
        return dict(markup)
    rows = [row for row in markup[rows_name] if row]
    if sum(map(len, rows)) > BUTTON_LIMIT:
        raise bad_request("reply markup is too long")
    for button in (button for row in rows for button in row):
        label = button if isinstance(button, str) else button["text"]
        if not label.strip():
            raise bad_request(f"{rows_name.replace('_', ' ')} button text must be non-empty")
        if rows_name == "inline_keyboard":
            _check_inline_button(button)
    if not rows and rows_name == "inline_keyboard":
        return None
    return {**markup, rows_name: rows}


def _check_inline_button(button: Mapping[str, Any]) -> None:
    actions = [name for name in BUTTON_ACTIONS if name in button]
    if not actions or (button[actions[0]] == "" and not actions[0].startswith("switch")):
        what = "Text buttons are unallowed in the inline keyboard"
        raise bad_request(f"can't parse inline keyboard button: {what}")
    if len(actions) > 1:
        raise bad_request(
            "can't parse inline keyboard button: exactly one of the optional fields must be used"
        )
    if "callback_data" in button and len(button["callback_data"].encode()) > BUTTON_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not is_web_address(button["url"]):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def _text(params: Params) -> Formatted:
    raw = params.get("text", "")
    if not raw:
        raise bad_request("message text is empty")
    body = format_text(raw, params.get("parse_mode"), params.get("entities"))
    if not body.text:
        raise bad_request("text must be non-empty")
    if len(body.text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return body


def _caption(params: Params) -> Formatted:
    body = format_text(params.get("caption", ""), params.get("parse_mode"), params.get("caption_entities"))
    if len(body.text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return body


def _refuse_lost_group(chat: Chat) -> None:
    """Refuse what is asked about a group where the bot is not, or which is not any more."""
    if chat.migrated_to:
        what = "group chat was upgraded to a supergroup chat"
        raise bad_request(what, migrate_to_chat_id=chat.migrated_to)
    if chat.is_deleted:
        if chat.kind in ("supergroup", "channel"):
            raise bad_request("chat not found")
        raise Refused(403, "Forbidden: the group chat was deleted")
    if chat.bot_status == "kicked":
        raise Refused(403, f"Forbidden: bot was kicked from the {chat.kind} chat")
    if chat.bot_status == "left":
        raise Refused(403, f"Forbidden: bot is not a member of the {chat.kind} chat")


def _thread(chat: Chat, params: Params) -> int | None:
    """The topic in which a message is to go; a quoted one takes it along."""
    number: int | None = params.get("message_thread_id")
    if number is None and chat.is_forum:
        quoted = chat.messages.get((params.get("reply_parameters") or {}).get("message_id", 0))
        number = quoted.thread if quoted else None
    if number is None:
        return None
    topic = chat.topics.get(number) if chat.is_forum else None
    if topic is None:
        raise bad_request("message thread not found")
    if topic.is_closed and chat.bot_status != "administrator":
        raise bad_request("TOPIC_CLOSED")
    return topic.id


def _quoted(chat: Chat, params: Params) -> int | None:
    reply = params.get("reply_parameters")
    if not reply:
        return None
    if reply.get("chat_id", chat.id) == chat.id and reply["message_id"] in chat.messages:
        return int(reply["message_id"])
    if reply.get("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")


def _profile_key(method: str, params: Params) -> str:
    scope = params.get("scope") or {"type": "default"}
    where = ":".join(str(scope[key]) for key in sorted(scope))
    return f"{method}/{where}/{params.get('language_code', '')}"
