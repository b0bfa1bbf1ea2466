"""How VK says no."""

from __future__ import annotations

from typing import Any

TEXTS = {
    1: "Unknown error occurred",
    3: "Unknown method passed",
    5: "User authorization failed: invalid access_token (4).",
    6: "Too many requests per second",
    8: "Invalid request",
    9: "Flood control",
    10: "Internal server error",
    12: "Unable to compile code",
    13: "Runtime error occurred during code invocation",
    14: "Captcha needed",
    15: "Access denied",
    18: "User was deleted or banned",
    27: "Group authorization failed: group revoke access for this token.",
    28: "Application authorization failed: application revoke access for this token.",
    29: "Rate limit reached",
    100: "One of the parameters specified was missing or invalid",
    104: "Not found",
    105: "Couldn't save file",
    121: "Invalid hash",
    210: "Access to wall's post denied",
    214: "Access to adding post denied",
    900: "Can't send messages for users from blacklist",
    901: "Can't send messages for users without permission",
    902: "Can't send messages to this user due to their privacy settings",
    909: "Can't edit this message, because it's too old",
    911: "Keyboard format is invalid",
    912: "This is a chat bot feature, change this status in settings",
    913: "Too many forwarded messages",
    914: "Message is too long",
    917: "You don't have access to this chat",
    920: "Can't edit this kind of message",
    921: "Can't forward these messages",
    922: "You left this chat",
    924: "Can't delete this message for everybody",
    925: "You are not admin of this chat",
    927: "Chat does not exist",
    936: "Contact not found",
    940: "Too many posts in messages",
    945: "Chat was disabled",
    946: "Chat not supported",
    950: "Can't send message, reply timed out",
    2000: "Callback API servers limit",
}


class VkError(Exception):
    """An answer of the kind `{"error": …}`."""

    def __init__(self, code: int, detail: str = "", **extra: Any) -> None:
        text = TEXTS.get(code, "Unknown error occurred")
        self.code = code
        self.text = f"{text}: {detail}" if detail else text
        self.extra = extra
        super().__init__(f"[{code}] {self.text}")

    def as_json(self, params: dict[str, str], *, method: str) -> dict[str, Any]:
        """The body of the answer; VK repeats the request in it, without the token."""
        repeated = [{"key": "oauth", "value": "1"}, {"key": "method", "value": method}]
        repeated += [{"key": key, "value": value} for key, value in params.items() if key != "access_token"]
        error = {"error_code": self.code, "error_msg": self.text, "request_params": repeated, **self.extra}
        return {"error": error}


def invalid(detail: str) -> VkError:
    """Error 100 with VK's usual tail."""
    return VkError(100, detail)
