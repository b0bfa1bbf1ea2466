"""The HTTP door that Telegram posts updates to."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request, Response

WEBHOOK_PATH = "/telegram/webhook"
WEBHOOK_BODY_BYTES = 1024 * 1024

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Webhook:
    """Where Telegram posts events (the whole address) and the secret it must show with them."""

    url: str
    secret: str

    @property
    def has_proper_secret(self) -> bool:
        """Whether Telegram would take the secret."""
        return _SECRET.fullmatch(self.secret) is not None


def door(webhook: Webhook, take: Callable[[bytes], Awaitable[HTTPStatus]]) -> APIRouter:
    """Give POST /telegram/webhook, which passes on the bodies that come with the secret."""
    secret = webhook.secret.encode()
    router = APIRouter()

    @router.post(WEBHOOK_PATH, include_in_schema=False)
    async def post(request: Request) -> Response:
        shown = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(shown.encode(), secret):
            return Response(status_code=HTTPStatus.FORBIDDEN)
        body = await _read(request, limit=WEBHOOK_BODY_BYTES)
        if body is None:
            log.warning("telegram_webhook_body_too_large")
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return Response(status_code=await take(body))

    return router


async def _read(request: Request, *, limit: int) -> bytes | None:
    """Read the body, or None as soon as it is longer than `limit`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)
