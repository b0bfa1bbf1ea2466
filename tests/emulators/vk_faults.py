"""Troubles that a test orders in advance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

LONG_POLL = "long_poll"
UPLOAD = "upload"

Kind = Literal["error", "raw", "hang", "execute_then_hang", "drop", "execute_then_drop", "slow"]


@dataclass(frozen=True)
class Fault:
    """One ordered trouble; made by the class methods."""

    kind: Kind
    code: int = 0
    detail: str = ""
    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    seconds: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def error(cls, code: int, detail: str = "", **extra: Any) -> Fault:
        """A VK error with HTTP 200."""
        return cls("error", code=code, detail=detail, extra=extra)

    @classmethod
    def captcha(cls) -> Fault:
        """Error 14 with the picture's address."""
        picture = "https://api.vk.com/captcha.php?sid=239633676097"
        return cls.error(14, captcha_sid="239633676097", captcha_img=picture)

    @classmethod
    def http(cls, status: int = 500) -> Fault:
        """A bare HTTP status without a body."""
        return cls("raw", status=status, content_type="text/plain")

    @classmethod
    def html_page(cls, status: int = 502) -> Fault:
        """The front server's HTML page instead of JSON."""
        page = "<html><head><title>502 Bad Gateway</title></head><body><center>kittenx</center></body></html>"
        return cls("raw", status=status, body=page, content_type="text/html")

    @classmethod
    def raw(cls, body: str, *, status: int = 200) -> Fault:
        """Any body at all."""
        return cls("raw", status=status, body=body)

    @classmethod
    def hang(cls) -> Fault:
        """Take the request and never answer; nothing is executed."""
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
    """A fault waiting for its requests."""

    fault: Fault
    method: str | None
    peer_id: int | None
    times: int
    skip: int
    hits: int = 0

    def takes(self, method: str, params: dict[str, str]) -> bool:
        """Whether this request is to be spoilt; counts it if so."""
        # A rule for any method means the API: polls and uploads are spoilt by name only.
        if self.method != method and (self.method or method in (LONG_POLL, UPLOAD)):
            return False
        if self.peer_id is not None and str(self.peer_id) not in _peers(params):
            return False
        if self.hits >= self.times:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        return True


def _peers(params: dict[str, str]) -> set[str]:
    names = ("peer_id", "user_id", "peer_ids", "user_ids")
    return {peer.strip() for name in names for peer in params.get(name, "").split(",") if peer}
