"""The community's wall: posts that everybody reads.

With a community's token a post is text and one link: VK lets it upload no pictures for a wall
(photos.getWallUploadServer answers with error 27, https://github.com/VKCOM/vk-api-schema/issues/242).
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.channels.base import LocalFile, Piece, Rejected, Unfinished, Unreachable
from bot.channels.vk.calls import Calls
from bot.channels.vk.composing import CHOOSE, MORE_BUTTONS, TEXT_LIMIT, compose, length
from bot.channels.vk.raw import Json
from faq.markup import Span, draw_plain, split
from handlers.messages import Outgoing

WALL = "wall"
"""The chat_id that means it."""
POST_LIMIT = 15_000
"""Characters of one post; VK takes 16384."""


def compose_post(message: Outgoing, files: Sequence[LocalFile]) -> tuple[Piece, ...]:
    """Split a message as for a chat, so that one request may be for both; only a long text stays whole."""
    if not message.text.strip() and not any(button.url for row in message.buttons for button in row):
        if files or message.buttons:
            raise Rejected("на стену сообщества бот может поместить только текст")
        return ()
    texts = split(message.text, limit=POST_LIMIT, measure=length)
    if length([span for text in texts for span in text]) <= TEXT_LIMIT:
        return compose(message, files)
    return (*map(Piece, texts[:-1]), Piece(texts[-1], message.buttons))


async def post(calls: Calls, group_id: int, piece: Piece, *, key: str) -> str:
    """Put a post on the wall and return its number; VK drops a repeat with the same key for an hour.

    Buttons that lead somewhere become lines of it; other buttons and files stay away, and a piece of which
    nothing is left has no number.
    """
    content = _content(piece)
    if content is None:
        return ""
    form = {"owner_id": -group_id, "from_group": 1, "guid": key, **content}
    answer = await calls.wall_call("wall.post", **form)
    number = answer.get("post_id") if isinstance(answer, dict) else None
    if not isinstance(number, int):
        raise Unfinished("VK ответил не по форме")
    return str(number)


async def edit_post(calls: Calls, group_id: int, number: str, piece: Piece) -> None:
    """Give a post another wording; raises `Rejected` where that is not allowed."""
    content = _content(piece)
    if content is None:
        raise Rejected("в записи ничего нет")
    form = {"owner_id": -group_id, "post_id": _number(number.partition(",")[0]), **content}
    await _change(calls, "wall.edit", form)


async def delete_post(calls: Calls, group_id: int, number: str) -> None:
    """Take a post away; raises `Rejected` where that is not allowed."""
    for each in number.split(","):
        await _change(calls, "wall.delete", {"owner_id": -group_id, "post_id": _number(each)})


async def _change(calls: Calls, method: str, form: Json) -> None:
    try:
        await calls.wall_call(method, **form)
    except Unreachable as refusal:
        raise Rejected(str(refusal)) from None


def _content(piece: Piece) -> Json | None:
    links = [Span(button.label, url=button.url) for row in piece.buttons for button in row if button.url]
    text = "".join(map(draw_plain, piece.spans)).strip()
    if not links and text in ("", CHOOSE, MORE_BUTTONS):
        return None
    paragraphs = [text, "\n".join(map(draw_plain, links))]
    link = next((span.url for span in (*links, *piece.spans) if span.url), None)
    # A comma would end it: attachments are a list.
    attached = {"attachments": link.replace(",", "%2C")} if link else {}
    return {"message": "\n\n".join(filter(None, paragraphs)), **attached}


def _number(external_id: str) -> int:
    if not external_id.isdecimal():
        raise Rejected("у записи нет такого номера")
    return int(external_id)
