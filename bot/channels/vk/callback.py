"""The HTTP door of the Callback API."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from bot.channels.vk.raw import Json, parse_object
from storage.database import Unavailable

CALLBACK_BODY_LIMIT = 1_000_000


@dataclass(frozen=True)
class Callback:
    """What VK's settings page shows for a Callback API server."""

    confirmation: str
    secret: str


def door(callback: Callback, group_id: int, *, take: Callable[[Json], Awaitable[None]]) -> APIRouter:
    """Give POST /vk/callback; `ok` is said only after `take` returned."""
    router = APIRouter()

    @router.post("/vk/callback", include_in_schema=False)
    async def post(request: Request) -> Response:
        body = await _read_body(request)
        if body is None:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        event = parse_object(body)
        if event.get("group_id") != group_id:
            return Response(status_code=HTTPStatus.FORBIDDEN)
        if event.get("type") == "confirmation":
            return Response(callback.confirmation, media_type="text/plain")
        if not _same(event.get("secret"), callback.secret):
            return Response(status_code=HTTPStatus.FORBIDDEN)
        try:
            await take(event)
        except Unavailable:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response("ok", media_type="text/plain")

    return router


async def _read_body(request: Request) -> bytes | None:
    """Read the body, or give up (None) once it is too large."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > CALLBACK_BODY_LIMIT:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)


def _same(given: object, secret: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(
        given.encode("utf-8", "replace"), secret.encode("utf-8", "replace")
    )
