"""An announcement as people write it in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from handlers.campaigns import schedule
from handlers.campaigns.control import Draft
from handlers.errors import HelpdeskError
from handlers.messages import Attachment
from handlers.texts import campaigns as texts
from storage.campaigns.campaign import CATEGORIES, Audience

KEYS = ("title", "category", "text", "buttons", "audience", "schedule", "window", "step_minutes", "files")
"""What may stand in a file; `files` are names of files beside it, which the caller keeps."""
_LISTS = ("channels", "municipalities", "school_ids", "age_groups", "stages", "topics")
_AUDIENCE = ("who", *_LISTS, "asked_since", "not_told_days")
_BUTTON = ("label", "kind", "value")


def draft_of(plain: Any, *, zone: str, now: datetime, attachments: Sequence[Attachment] = ()) -> Draft:
    """The draft in a mapping of YAML; raises HelpdeskError with what is wrong and where."""
    fields = _mapping(plain, KEYS, "файле")
    category = next((each for each in CATEGORIES if each == fields.get("category")), None)
    if category is None:
        raise HelpdeskError(texts.NO_CATEGORY)
    when = str(fields.get("schedule") or "").strip()
    planned = (
        schedule.read(
            when,
            zone=zone,
            now=now,
            window=str(fields.get("window") or ""),
            step_minutes=_number(fields.get("step_minutes") or 0, "step_minutes"),
        ).to_plain()
        if when
        else {}
    )
    return Draft(
        title=_text(fields.get("title"), "title"),
        category=category,
        text=_text(fields.get("text"), "text"),
        buttons=tuple(_button(each) for each in _items(fields.get("buttons"), "buttons")),
        attachments=tuple(attachments),
        audience=_audience(fields.get("audience"), zone=zone),
        schedule=planned,
    )


def files_of(plain: Any) -> list[str]:
    """The names of the files that go with it."""
    named = _items(_mapping(plain, KEYS, "файле").get("files"), "files")
    return [_text(each, "files") for each in named]


def _audience(plain: Any, *, zone: str) -> Audience:
    fields = _mapping(plain or {}, _AUDIENCE, "audience")
    lists: dict[str, Any] = {}
    for name in _LISTS:
        items = _items(fields.get(name), name)
        lists[name] = tuple(_number(each, name) if name == "school_ids" else str(each) for each in items)
    return Audience(
        who=_text(fields.get("who", "parents"), "who"),  # type: ignore[arg-type]  # `control` refuses others
        **lists,
        asked_since=_day(fields.get("asked_since"), zone=zone),
        not_told_days=_number(fields.get("not_told_days") or 0, "not_told_days"),
    )


def _button(plain: Any) -> dict[str, str]:
    fields = _mapping(plain, _BUTTON, "buttons")
    return {name: str(fields[name]) if fields.get(name) is not None else "" for name in _BUTTON}


def _mapping(plain: Any, known: Sequence[str], where: str) -> Mapping[str, Any]:
    if not isinstance(plain, dict):
        raise HelpdeskError(texts.not_pairs(where))
    unknown = [str(key) for key in plain if key not in known]
    if unknown:
        raise HelpdeskError(texts.unknown_keys(where, unknown, known))
    return plain


def _items(plain: Any, name: str) -> list[Any]:
    if plain is None:
        return []
    if not isinstance(plain, list):
        raise HelpdeskError(texts.not_a_list(name))
    return plain


def _text(plain: Any, name: str) -> str:
    if not isinstance(plain, str) or not plain.strip():
        raise HelpdeskError(texts.not_a_text(name))
    return plain.strip()


def _number(plain: Any, name: str) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool) or plain < 0:
        raise HelpdeskError(texts.not_a_number(name))
    return plain


def _day(plain: Any, *, zone: str) -> datetime | None:
    """A day, from its beginning in the region."""
    if plain is None:
        return None
    if not isinstance(plain, date) or isinstance(plain, datetime):
        raise HelpdeskError(texts.not_a_day("asked_since"))
    return datetime.combine(plain, time(), ZoneInfo(zone))
