"""What the panel's forms bring: read with limits, so that no body ever sits in memory whole."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from bot.channels.files import LARGEST_FILE, Files
from bot.channels.web import LARGEST_UPLOAD, LONGEST_TEXT, MOST_FILES
from handlers.messages import Attachment

_MEGABYTE = 1024 * 1024
_SMALL_FORM = 64 * 1024
"""Bytes; a form without files."""
_LARGEST_FIELD = 256 * 1024
_LONGEST_NAME = 120
_HEAD = 16
"""First bytes of a file, enough to know a picture by."""
_MIME = re.compile(r"[a-z]+/[a-z0-9.+-]{1,100}")
_IMAGES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
UNKNOWN_TYPE = "application/octet-stream"


class BadForm(Exception):
    """A form that cannot be taken; says why in Russian. The text that came with it is kept."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read_form(request: Request, *, most_fields: int = 10) -> FormData:
    """The fields and files of a form; raises `BadForm` when it is too large or no form."""
    kind = request.headers.get("Content-Type", "")
    limit = LARGEST_UPLOAD + _MEGABYTE if kind.startswith("multipart/form-data") else _SMALL_FORM
    declared = request.headers.get("Content-Length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise _too_large()
    body = _at_most(limit, request)
    try:
        if kind.startswith("multipart/form-data"):
            # More files than we take, so that a sixth one gets a sentence of its own.
            parser = MultiPartParser(
                request.headers,
                body,
                max_files=4 * MOST_FILES,
                max_fields=most_fields,
                max_part_size=_LARGEST_FIELD,
            )
            return await parser.parse()
        return await FormParser(request.headers, body).parse()
    except MultiPartException as error:
        raise BadForm(400, "Форма пришла в непонятном виде.") from error


def field(form: FormData, name: str) -> str:
    """A field's text, tidied up; empty when it is absent."""
    value = form.get(name)
    # PostgreSQL takes no NUL, and nobody types one; browsers send line ends as CRLF.
    return value.replace("\x00", "").replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def line(form: FormData, name: str, *, limit: int) -> str:
    """A field of one line, at most `limit` characters."""
    printable = "".join(each if each.isprintable() else " " for each in field(form, name))
    return " ".join(printable.split())[:limit]


def uploads(form: FormData) -> tuple[UploadFile, ...]:
    """The files that were chosen; a browser sends an empty one when none was."""
    return tuple(
        each
        for each in form.getlist("files")
        if isinstance(each, UploadFile) and (each.filename or each.size)
    )


def check(text: str, files: Sequence[UploadFile], *, with_one: str = "ответом") -> None:
    """Refuse what is longer or larger than the parents' channels take; raises `BadForm`."""
    if len(text) > LONGEST_TEXT:
        raise BadForm(413, f"Ответ длиннее {LONGEST_TEXT} знаков. Разделите его на части.")
    if len(files) > MOST_FILES:
        raise BadForm(413, f"С одним {with_one} можно отправить не больше {MOST_FILES} файлов.")
    if any((each.size or 0) > LARGEST_FILE for each in files):
        raise BadForm(413, f"Файл больше {LARGEST_FILE // _MEGABYTE} МБ. Отправьте файл поменьше.")
    if sum(each.size or 0 for each in files) > LARGEST_UPLOAD:
        raise _too_large()


async def keep(chosen: Sequence[UploadFile], files: Files) -> tuple[Attachment, ...]:
    """Store the files and return them as messages carry them."""
    kept = []
    for each in chosen:
        # One at a time: never more than the largest file in memory.
        data = await each.read()
        image = image_type(data[:_HEAD])
        claimed = (each.content_type or "").lower()
        kept.append(
            Attachment(
                kind="photo" if image else "file",
                name=_name(each.filename or ""),
                mime=image or (claimed if _MIME.fullmatch(claimed) else UNKNOWN_TYPE),
                channel="web",
                ref=await files.keep(data),
                size=len(data),
            )
        )
    return tuple(kept)


def image_type(head: bytes) -> str | None:
    """The type of a picture by its first bytes: what a sender claims could make a browser run it."""
    return next((mime for mark, mime in _IMAGES if mark.match(head)), None)


def image_at(path: Path) -> str | None:
    """The type of a picture on our disk; None for any other file. Blocks for a moment."""
    with path.open("rb") as file:
        return image_type(file.read(_HEAD))


async def _at_most(limit: int, request: Request) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise _too_large()
        yield chunk


def _name(name: str) -> str:
    """The name without folders and characters that only confuse."""
    last = re.split(r"[\\/]", name)[-1]
    cleaned = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    return cleaned[-_LONGEST_NAME:] or "файл"


def _too_large() -> BadForm:
    return BadForm(413, f"Файлы вместе больше {LARGEST_UPLOAD // _MEGABYTE} МБ. Отправьте их по частям.")
