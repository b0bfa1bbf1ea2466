"""How the panel's pages are drawn: templates, moments in the region's time, static files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from handlers.texts import basics as texts

_PANEL = Path(__file__).parent
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)


class Pages:
    """The templates, with what every page needs."""

    def __init__(self, zone: tzinfo, now: Callable[[], datetime]) -> None:
        self._zone = zone
        self._now = now
        self._static = {path.name: path.read_bytes() for path in sorted((_PANEL / "static").iterdir())}
        self.version = hashlib.sha256(b"".join(self._static.values())).hexdigest()[:12]
        self._templates = Environment(
            loader=FileSystemLoader(_PANEL / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"moment": self._moment, "ago": self._ago, "number": _number}
        self._templates.globals |= {
            "version": self.version,
            "CHANNELS": texts.CHANNEL_NAMES,
            "REASONS": texts.REASONS,
            "ROLES": texts.ROLES,
            "UNDELIVERED": texts.UNDELIVERED,
        }

    def draw(self, name: str, **values: Any) -> str:
        """A template as HTML."""
        return self._templates.get_template(name).render(values)

    def page(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A template as an answer."""
        return HTMLResponse(self.draw(name, **values), status_code=status)

    def trouble(self, status: int, text: str) -> HTMLResponse:
        """A page that only says what is wrong, with the way back."""
        return self.page("trouble.html", status=status, text=text, member=None)

    def asset(self, name: str, *, version: str) -> Response | None:
        """A static file; kept by browsers for ever when it was asked for by its version."""
        content = self._static.get(name)
        if content is None:
            return None
        lasting = version == self.version
        caching = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return Response(content, media_type=_TYPES[Path(name).suffix], headers={"Cache-Control": caching})

    def _moment(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        year = "" if local.year == self._now().astimezone(self._zone).year else f" {local.year}"
        return f"{local.day} {_MONTHS[local.month - 1]}{year}, {local:%H:%M}"

    def _ago(self, since: datetime) -> str:
        return duration(self._now() - since)


def _number(count: int) -> str:
    """«1 200», not to be torn apart at the end of a line."""
    return f"{count:,}".replace(",", "\u00a0")


def duration(passed: timedelta) -> str:
    """How long, in two words at most: «2 ч 15 мин»."""
    minutes = max(0, int(passed.total_seconds()) // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} дн {hours} ч" if hours else f"{days} дн"
    if hours:
        return f"{hours} ч {minutes} мин" if minutes else f"{hours} ч"
    return f"{minutes} мин" if minutes else "меньше минуты"


def digest(html: str) -> str:
    """A short sum by which a page knows that nothing has changed."""
    return hashlib.sha256(html.encode()).hexdigest()[:16]
