"""Giving files to VK."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from aiohttp import ClientError

from bot.channels.base import LocalFile, NotSent, Rejected, Unfinished
from bot.channels.kept import Kept
from bot.channels.vk.calls import Calls
from bot.channels.vk.library import Http, Refused
from bot.channels.vk.raw import NAME, Json

_PHOTO_TYPES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}
_VOICE_TYPES = {"audio/ogg": ".ogg", "audio/opus": ".ogg"}

_log = structlog.get_logger(__name__)


class Uploads:
    """VK's servers for files."""

    def __init__(self, calls: Calls, http: Http) -> None:
        self._calls = calls
        self._http = http
        self._kept = Kept()

    async def names(self, files: Sequence[LocalFile], *, peer: int) -> list[str]:
        """Give files to VK, unless it has them, and return their names for `attachment`.

        What was uploaded for one peer may be attached for all others. No message was sent yet, so whatever
        goes wrong is no doubt about one.
        """
        try:
            return [await self._name(file, peer=peer) for file in files]
        except Unfinished as error:
            raise NotSent(str(error)) from None

    def has_some(self, files: Sequence[LocalFile]) -> bool:
        """Whether one of these was uploaded before."""
        return any(self._kept.place((file,)).names for file in files)

    def forget(self, files: Sequence[LocalFile]) -> None:
        """Upload them anew next time: VK does not know them any more."""
        for file in files:
            self._kept.place((file,)).names = None

    async def _name(self, file: LocalFile, *, peer: int) -> str:
        place = self._kept.place((file,))
        async with place.lock:
            if place.names is None:
                place.names = (await self._upload(file, peer=peer),)
            return place.names[0]

    async def _upload(self, file: LocalFile, *, peer: int) -> str:
        try:
            data = await asyncio.to_thread(file.path.read_bytes)
        except OSError as error:
            raise Rejected(f"файла нет на диске ({type(error).__name__})") from None
        try:
            if file.kind == "photo" and file.mime in _PHOTO_TYPES:
                return await self._upload_photo(file, data, peer=peer)
            if file.kind == "voice" and file.mime in _VOICE_TYPES:
                return await self._upload_document(file, data, peer=peer, kind="audio_message")
        except Rejected:
            _log.info("sent_as_a_document", channel=NAME, kind=file.kind)
        return await self._upload_document(file, data, peer=peer, kind="doc")

    async def _upload_photo(self, file: LocalFile, data: bytes, *, peer: int) -> str:
        server = await self._calls.file_call("photos.getMessagesUploadServer", peer_id=peer)
        name = "photo" + _PHOTO_TYPES[file.mime]
        done = await self._post_file(server, data, field="photo", name=name, mime=file.mime)
        if done.get("photo") in (None, "", "[]"):
            raise Rejected("VK не принял фотографию")
        saved = await self._calls.file_call(
            "photos.saveMessagesPhoto", photo=done["photo"], server=done.get("server"), hash=done.get("hash")
        )
        if not isinstance(saved, list) or not saved:
            raise Unfinished("VK не сохранил фотографию")
        return _attachment_name("photo", saved[0])

    async def _upload_document(self, file: LocalFile, data: bytes, *, peer: int, kind: str) -> str:
        server = await self._calls.file_call("docs.getMessagesUploadServer", type=kind, peer_id=peer)
        # The upload server judges by the ending and garbles other letters; the title carries the name.
        ending = _VOICE_TYPES.get(file.mime) if kind == "audio_message" else _ending(file)
        done = await self._post_file(server, data, field="file", name=f"file{ending}", mime=file.mime)
        if not done.get("file"):
            raise Rejected("VK не принял файл")
        saved = await self._calls.file_call("docs.save", file=done["file"], title=file.name[-128:])
        saved = saved[0] if isinstance(saved, list) and saved else saved
        kind = str(saved.get("type")) if isinstance(saved, dict) else ""
        if not isinstance(saved, dict) or kind not in saved:
            raise Unfinished("VK не сохранил файл")
        return _attachment_name(kind, saved[kind])

    async def _post_file(self, server: Any, data: bytes, *, field: str, name: str, mime: str) -> Json:
        try:
            answer = await self._http.upload(server["upload_url"], data, field=field, name=name, mime=mime)
        except (ClientError, TimeoutError, OSError, ValueError, TypeError, KeyError) as error:
            raise Unfinished(f"загрузка файла: {type(error).__name__}") from None
        except Refused as refusal:
            if refusal.status in (413, 415):
                raise Rejected(f"VK не принял файл (ответ {refusal.status})") from None
            raise Unfinished(f"загрузка файла: ответ {refusal.status}") from None
        if "error" in answer:
            raise Rejected("VK не принял файл")
        return answer


def _attachment_name(kind: str, saved: Mapping[str, Any]) -> str:
    key = saved.get("access_key")
    return f"{kind}{saved['owner_id']}_{saved['id']}" + (f"_{key}" if key else "")


def _ending(file: LocalFile) -> str:
    return Path(file.name).suffix or mimetypes.guess_extension(file.mime) or ".bin"
