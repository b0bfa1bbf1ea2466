"""What can go wrong between a bot and the Bot API, to be scripted by tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One misbehaviour of the server; made by the class methods."""

    kind: str
    code: int = 0
    description: str = ""
    retry_after: int | None = None
    seconds: float = 0.0

    @classmethod
    def too_many_requests(cls, retry_after: int | None = 5) -> Fault:
        """429; without `retry_after` the answer carries no parameters."""
        return cls("answer", 429, "Too Many Requests: retry later", retry_after)

    @classmethod
    def forbidden(cls, description: str = "Forbidden: bot was blocked by the user") -> Fault:
        """403 with a chosen description."""
        return cls("answer", 403, description)

    @classmethod
    def bad_request(cls, description: str = "Bad Request: chat not found") -> Fault:
        """400 with a chosen description."""
        return cls("answer", 400, description)

    @classmethod
    def unauthorized(cls) -> Fault:
        """401: the token was revoked."""
        return cls("answer", 401, "Unauthorized")

    @classmethod
    def conflict(cls) -> Fault:
        """409: somebody else polls with our token."""
        return cls(
            "answer",
            409,
            "Conflict: terminated by other getUpdates request; "
            "make sure that only one bot instance is running",
        )

    @classmethod
    def server_error(cls, code: int = 500, description: str = "Internal Server Error") -> Fault:
        """5xx in the Bot API's own JSON."""
        return cls("answer", code, description)

    @classmethod
    def html_page(cls, code: int = 502) -> Fault:
        """The proxy in front of the server answers: HTML, no JSON."""
        return cls("html", code)

    @classmethod
    def hang(cls) -> Fault:
        """Take the request and never answer, without executing it."""
        return cls("hang")

    @classmethod
    def execute_then_hang(cls) -> Fault:
        """Do the deed and never answer."""
        return cls("execute_then_hang")

    @classmethod
    def drop(cls) -> Fault:
        """Break the connection before anything is done."""
        return cls("drop")

    @classmethod
    def execute_then_drop(cls) -> Fault:
        """Do the deed, then break the connection: the bot cannot know."""
        return cls("execute_then_drop")

    @classmethod
    def slow(cls, seconds: float) -> Fault:
        """Answer properly, but after real `seconds` (a bot's time-outs run on real time)."""
        return cls("slow", seconds=seconds)


@dataclass
class FaultRule:
    """A fault waiting for its requests; `hits` says how many it has spoilt."""

    fault: Fault
    method: str | None
    chat_id: int | None
    times: int
    skip: int
    hits: int = 0

    def takes(self, method: str, params: dict[str, Any]) -> bool:
        """Whether this request is to be spoilt; counts it if so."""
        if self.method is not None and self.method.lower() != method.lower():
            return False
        if self.chat_id is not None and str(params.get("chat_id")) != str(self.chat_id):
            return False
        if self.hits >= self.times:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        return True
