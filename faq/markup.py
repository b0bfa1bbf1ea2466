r"""The tiny markup of our texts: `**bold**`, `[label](https://address)`; a backslash takes the meaning away.

Lists are plain lines («1. …», «- …»), so every channel can show them. What a person typed goes through
`escape` before it becomes part of a text; channels draw the spans their own way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

_SPECIAL = re.compile(r"([\\*\[\]])")
_TOKEN = re.compile(
    r"\\(?P<escaped>[\\*\[\]])"
    r"|\[(?P<label>(?:\\.|[^\[\]\\])+)\]\((?P<url>https?://[^\s()]+)\)"
    r"|(?P<bold>\*\*)"
)


@dataclass(frozen=True)
class Span:
    """A run of text drawn one way; `url` makes it a link."""

    text: str
    bold: bool = False
    url: str | None = None


Measure = Callable[[Sequence[Span]], int]


def escape(text: str) -> str:
    """Make any text safe to stand inside our markup."""
    return _SPECIAL.sub(r"\\\1", text)


def parse(text: str) -> tuple[Span, ...]:
    """Read markup into spans; what is not markup stays as it was typed."""
    spans: list[Span] = []
    bold, at = False, 0
    for token in _TOKEN.finditer(text):
        _add(spans, Span(text[at : token.start()], bold))
        at = token.end()
        if token["bold"]:
            bold = not bold
        elif token["url"]:
            _add(spans, Span(re.sub(r"\\(.)", r"\1", token["label"]), bold, token["url"]))
        else:
            _add(spans, Span(token["escaped"], bold))
    _add(spans, Span(text[at:], bold))
    return tuple(spans)


def plain(text: str) -> str:
    """Draw markup without any styling; a link keeps its address."""
    return "".join(draw_plain(span) for span in parse(text))


def draw_plain(span: Span) -> str:
    """Draw one span for a channel that has no styles."""
    if span.url is None or span.url == span.text:
        return span.text
    return f"{span.text}: {span.url}"


def split(text: str, *, limit: int, measure: Measure) -> list[tuple[Span, ...]]:
    """Cut a text into pieces no longer than `limit` by `measure`, on line boundaries where it can.

    A line that is too long alone is cut at spaces, a word that is too long alone anywhere. Nothing but
    the white space at a cut is lost.
    """
    pieces: list[tuple[Span, ...]] = []
    current: list[Span] = []
    for line in _lines(parse(text)):
        grown = [*current, Span("\n"), *line] if current else list(line)
        if measure(grown) <= limit:
            current = grown
            continue
        if current:
            pieces.append(_trim(current))
        *full, current = _cut_line(line, limit=limit, measure=measure)
        pieces.extend(_trim(part) for part in full)
    if current:
        pieces.append(_trim(current))
    return [piece for piece in pieces if piece]


def _add(spans: list[Span], span: Span) -> None:
    if not span.text:
        return
    if spans and replace(spans[-1], text="") == replace(span, text="") and span.url is None:
        spans[-1] = replace(span, text=spans[-1].text + span.text)
    else:
        spans.append(span)


def _lines(spans: Iterable[Span]) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    for span in spans:
        first, *rest = span.text.split("\n")
        _add(lines[-1], replace(span, text=first))
        for text in rest:
            lines.append([])
            _add(lines[-1], replace(span, text=text))
    return lines


def _cut_line(line: Sequence[Span], *, limit: int, measure: Measure) -> list[list[Span]]:
    parts: list[list[Span]] = [[]]
    for span in line:
        # A link is one word: cut in two it would lead nowhere.
        words = [span.text] if span.url else re.findall(r"\s*\S+|\s+$", span.text)
        for word in words:
            for chunk in _cut_word(replace(span, text=word), limit=limit, measure=measure):
                grown = _joined(parts[-1], chunk)
                if parts[-1] and measure(grown) > limit:
                    parts.append([replace(chunk, text=chunk.text.lstrip())])
                else:
                    parts[-1] = grown
    return parts


def _cut_word(span: Span, *, limit: int, measure: Measure) -> list[Span]:
    chunks: list[Span] = []
    while measure([span]) > limit and len(span.text) > 1:
        size = max(1, min(len(span.text) - 1, limit - measure([replace(span, text="")])))
        while size > 1 and measure([replace(span, text=span.text[:size])]) > limit:
            size -= 1
        chunks.append(replace(span, text=span.text[:size]))
        span = replace(span, text=span.text[size:])
    return [*chunks, span]


def _joined(spans: Sequence[Span], span: Span) -> list[Span]:
    grown = list(spans)
    _add(grown, span)
    return grown


def _trim(spans: Sequence[Span]) -> tuple[Span, ...]:
    trimmed = list(spans)
    while trimmed and not trimmed[0].text.strip():
        trimmed.pop(0)
    while trimmed and not trimmed[-1].text.strip():
        trimmed.pop()
    if trimmed:
        trimmed[0] = replace(trimmed[0], text=trimmed[0].text.lstrip("\n"))
        trimmed[-1] = replace(trimmed[-1], text=trimmed[-1].text.rstrip())
    return tuple(trimmed)
