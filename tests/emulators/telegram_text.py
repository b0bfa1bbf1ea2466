"""Formatted text as the Bot API reads it: HTML in, plain text and entities out, and back."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from tests.emulators.telegram_spec import bad_request

Entity = dict[str, Any]

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
WRITTEN = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "spoiler": "tg-spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "text_link": "a",
}

_TAG_NAME = re.compile(r"[A-Za-z0-9-]*")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")
_CHARACTER = re.compile(r"&(lt|gt|amp|quot|#\d+|#x[0-9A-Fa-f]+);")
_DETECTED = re.compile(
    r"(?P<url>https?://[^\s<>«»]+)"
    r"|(?P<email>[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,32}(?:@\w+)?)"
    r"|(?<!\w)(?P<mention>@\w{4,32})"
)


@dataclass(frozen=True)
class Formatted:
    """Plain text with entities; offsets are in UTF-16 code units, as on the wire."""

    text: str
    entities: tuple[Entity, ...] = ()

    @cached_property
    def html(self) -> str:
        """The same as HTML; drawn once, for people look at their chats all the time."""
        return _to_html(self.text, self.entities)


@dataclass
class _Open:
    tag: str
    offset: int
    attributes: Mapping[str, str]


@dataclass
class _Parser:
    source: str
    at: int = 0
    parts: list[str] = field(default_factory=list)
    length: int = 0
    opened: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def parse(self) -> Formatted:
        while self.at < len(self.source):
            if self.source.startswith("</", self.at):
                self._close_tag()
            elif self.source[self.at] == "<":
                self._open_tag()
            else:
                self._take_text()
        if self.opened:
            raise _cannot_parse(f'Can\'t find end tag corresponding to start tag "{self.opened[-1].tag}"')
        return Formatted("".join(self.parts), _outermost_first(self.entities))

    def _take_text(self) -> None:
        end = self.source.find("<", self.at)
        raw = self.source[self.at : end if end >= 0 else len(self.source)]
        self.at += len(raw)
        text = _CHARACTER.sub(lambda match: html.unescape(match.group()), raw)
        self.parts.append(text)
        self.length += utf16_length(text)

    def _open_tag(self) -> None:
        begin = self._byte_offset()
        name_match = _TAG_NAME.match(self.source, self.at + 1)
        tag = name_match.group().lower() if name_match else ""
        self.at += 1 + len(tag)
        if tag not in TAGS:
            raise _cannot_parse(f'Unsupported start tag "{tag}" at byte offset {begin}')
        attributes: dict[str, str] = {}
        while True:
            self.at = _skip_space(self.source, self.at)
            if self.at >= len(self.source):
                raise _cannot_parse(f"Unclosed start tag at byte offset {begin}")
            if self.source[self.at] == ">":
                break
            match = _ATTRIBUTE.match(self.source, self.at)
            if match is None:
                raise _cannot_parse(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
            attributes[match[1].lower()] = html.unescape((match[2] or "").strip("\"'"))
            self.at = match.end()
        self.at += 1
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise _cannot_parse(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.opened.append(_Open(tag, self.length, attributes))

    def _close_tag(self) -> None:
        begin = self._byte_offset()
        if not self.opened:
            raise _cannot_parse(f"Unexpected end tag at byte offset {begin}")
        end = self.source.find(">", self.at)
        if end < 0:
            raise _cannot_parse(f"Unclosed end tag at byte offset {begin}")
        tag = self.source[self.at + 2 : end].strip().lower()
        last = self.opened.pop()
        if tag and tag != last.tag:  # "</>" closes whatever is open, as on the real server
            raise _cannot_parse(
                f'Unmatched end tag at byte offset {begin}, expected "</{last.tag}>", found "</{tag}>"'
            )
        self.at = end + 1
        self._finish(last)

    def _finish(self, tag: _Open) -> None:
        length = self.length - tag.offset
        if length == 0:
            return
        entity: Entity = {"type": TAGS[tag.tag], "offset": tag.offset, "length": length}
        if tag.tag == "a":
            inside = _utf16_slice("".join(self.parts), tag.offset, length)
            url = tag.attributes.get("href") or inside
            if not is_web_address(url):
                return  # the real server drops such a link silently and keeps its words
            entity["url"] = url
        if tag.tag == "blockquote" and "expandable" in tag.attributes:
            entity["type"] = "expandable_blockquote"
        if tag.tag == "tg-emoji":
            entity["custom_emoji_id"] = tag.attributes.get("emoji-id", "")
        self.entities.append(entity)

    def _byte_offset(self) -> int:
        return len(self.source[: self.at].encode())


def format_text(text: str, parse_mode: str | None, entities: Sequence[Entity] | None) -> Formatted:
    """Read a bot's text; surrounding white space goes away, as on the real server."""
    if parse_mode:
        if parse_mode.lower() != "html":
            raise bad_request("unsupported parse_mode")
        return _trimmed(_Parser(text).parse())
    total = utf16_length(text)
    for entity in entities or ():
        if entity["offset"] < 0 or entity["length"] <= 0 or entity["offset"] + entity["length"] > total:
            raise bad_request(
                f"entity begins or ends outside of the text: {entity['type']} at {entity['offset']}"
            )
        if entity["type"] == "text_link" and not is_web_address(entity.get("url", "")):
            raise bad_request(f"entity URL '{entity.get('url', '')}' is invalid: Wrong HTTP URL")
    return _trimmed(Formatted(text, _outermost_first(entities or ())))


def detect_entities(text: str) -> list[Entity]:
    """What the server marks in a person's text by itself: commands, links, mentions, addresses."""
    return [
        {
            "type": match.lastgroup or "",
            "offset": utf16_length(text[: match.start()]),
            "length": utf16_length(match.group()),
        }
        for match in _DETECTED.finditer(text)
    ]


def is_web_address(url: str) -> bool:
    """Whether Telegram would take it as a link: tg:// or http(s) with a dot in the host."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host = parts.hostname or ""
    except ValueError:
        return False
    if any(character.isspace() for character in url):
        return False
    return parts.scheme in {"tg", "ton", "tonsite"} or (parts.scheme in {"http", "https"} and "." in host)


def utf16_length(text: str) -> int:
    """Length in the units of entity offsets."""
    return len(text.encode("utf-16-le")) // 2


def _utf16_slice(text: str, offset: int, length: int) -> str:
    return text.encode("utf-16-le")[offset * 2 : (offset + length) * 2].decode("utf-16-le", "replace")


def _skip_space(source: str, at: int) -> int:
    while at < len(source) and source[at].isspace():
        at += 1
    return at


def _cannot_parse(what: str) -> Exception:
    return bad_request(f"can't parse entities: {what}")


def _outermost_first(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    return tuple(sorted(entities, key=lambda entity: (entity["offset"], -entity["length"])))


def _trimmed(formatted: Formatted) -> Formatted:
    text = formatted.text.rstrip()
    head = utf16_length(text) - utf16_length(text.lstrip())
    text = text.lstrip()
    total = utf16_length(text)
    entities = []
    for entity in formatted.entities:
        begin = max(0, entity["offset"] - head)
        end = min(total, entity["offset"] + entity["length"] - head)
        if end > begin:
            entities.append({**entity, "offset": begin, "length": end - begin})
    return Formatted(text, tuple(entities))


def _to_html(text: str, entities: Sequence[Entity]) -> str:
    """Write tags at their offsets; entities nest, because the parser made them so."""
    opens: dict[int, list[str]] = {}
    closes: dict[int, list[str]] = {}
    for entity in _outermost_first(entities):
        tag = WRITTEN.get(entity["type"])
        if tag is None:
            continue
        attribute = f' href="{html.escape(entity["url"])}"' if tag == "a" else ""
        opens.setdefault(entity["offset"], []).append(f"<{tag}{attribute}>")
        closes.setdefault(entity["offset"] + entity["length"], []).insert(0, f"</{tag}>")
    written: list[str] = []
    at = 0
    for character in text:
        written += closes.pop(at, [])
        written += opens.pop(at, [])
        written.append(html.escape(character, quote=False))
        at += utf16_length(character)
    return "".join([*written, *closes.pop(at, [])])
