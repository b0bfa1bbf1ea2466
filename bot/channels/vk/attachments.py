"""Reading what people attach."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from typing import Any

from bot.channels.vk.raw import NAME, Json, clean
from handlers.messages import Attachment, AttachmentKind

_SIZE_LETTERS = "smxopqryzw"
"""VK's names of photo sizes, small to large, for photos so old that they have no width."""
_UNREADABLE = {
    "article": "статья",
    "audio": "аудиозапись",
    "audio_message": "голосовое сообщение",
    "call": "звонок",
    "doc": "файл",
    "event": "мероприятие",
    "gift": "подарок",
    "graffiti": "граффити",
    "link": "ссылка",
    "market": "товар",
    "market_album": "подборка товаров",
    "photo": "фотография",
    "poll": "опрос",
    "sticker": "стикер",
    "story": "история",
    "video": "видео",
    "video_message": "видеосообщение",
    "wall": "запись со стены",
    "wall_reply": "комментарий",
}


def read_attachments(message: Json, *, has_text: bool) -> tuple[list[Attachment], list[str]]:
    """Give what can be taken, and in Russian the kinds of what cannot."""
    readable: list[Attachment] = []
    unreadable: list[str] = []
    for item in message.get("attachments") or []:
        kind = item.get("type")
        body = item.get(kind)
        reader = _READERS.get(kind)
        found = reader(body) if reader and isinstance(body, dict) else None
        if found:
            readable.append(found)
        elif kind != "link" or not has_text:
            # VK hangs a preview on every address in a text: the address itself is already there.
            unreadable.append(_UNREADABLE.get(kind, "вложение"))
    if message.get("geo"):
        unreadable.append("место на карте")
    if message.get("fwd_messages"):
        unreadable.append("пересланное сообщение")
    return readable, unreadable


def _photo(photo: Json) -> Attachment | None:
    sizes = [size for size in [*(photo.get("sizes") or []), photo.get("orig_photo") or {}] if size.get("url")]
    if not sizes:
        return None
    largest = max(sizes, key=_area)
    name = f"photo_{photo.get('id', '')}.jpg"
    return _attachment("photo", name, mime="image/jpeg", url=largest["url"])


def _area(size: Json) -> tuple[int, int]:
    pixels = (size.get("width") or 0) * (size.get("height") or 0)
    return pixels, _SIZE_LETTERS.find(size.get("type") or "")


def _document(doc: Json) -> Attachment | None:
    name, ending = clean(doc.get("title") or "файл"), str(doc.get("ext") or "")
    if ending and not name.lower().endswith(f".{ending.lower()}"):
        name = f"{name}.{ending}"
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    size = doc.get("size")
    return _attachment(
        "file", name, mime=mime, url=doc.get("url"), size=size if isinstance(size, int) else None
    )


def _voice(voice: Json) -> Attachment | None:
    if voice.get("link_ogg"):
        return _attachment("voice", "voice.ogg", mime="audio/ogg", url=voice["link_ogg"])
    return _attachment("voice", "voice.mp3", mime="audio/mpeg", url=voice.get("link_mp3"))


def _video(video: Json) -> Attachment | None:
    return _attachment("video", f"video_{video.get('id', '')}.mp4", mime="video/mp4", url=video.get("url"))


def _sticker(sticker: Json) -> Attachment | None:
    images = [image for image in sticker.get("images") or [] if image.get("url")]
    url = max(images, key=_area)["url"] if images else ""
    return Attachment("sticker", "sticker.png", "image/png", NAME, url)


def _graffiti(graffiti: Json) -> Attachment | None:
    return _attachment("photo", "graffiti.png", mime="image/png", url=graffiti.get("url"))


def _attachment(
    kind: AttachmentKind, name: str, *, mime: str, url: Any, size: int | None = None
) -> Attachment | None:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        return None
    name = name.replace("/", "_").replace("\\", "_")[-200:]
    return Attachment(kind, name, mime, NAME, url, size)


_READERS: dict[Any, Callable[[Json], Attachment | None]] = {
    "photo": _photo,
    "doc": _document,
    "audio_message": _voice,
    "video": _video,
    "sticker": _sticker,
    "graffiti": _graffiti,
}
