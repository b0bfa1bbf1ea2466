"""Every HTTP door: the channels' own, the staff's panel, health and metrics."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, RedirectResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels.base import Channel
from bot.panel.routes import panel_routes
from bot.parts import App
from storage import journal, outbox, tickets
from storage.database import Unavailable

MESSENGER_DOORS = frozenset({"/telegram/webhook", "/vk/callback"})


def build(app: App) -> FastAPI:
    """The web application around a running helpdesk."""
    web = FastAPI(title="Dnevnik Helpdesk", docs_url=None, redoc_url=None, openapi_url=None)
    web.add_middleware(SecurityHeaders)
    web.add_middleware(Doorkeeper, opened=app.opened)
    for channel in app.channels.values():
        add_doors(web, channel, app)
    web.include_router(panel_routes(app))

    @web.get("/")
    async def home() -> RedirectResponse:
        return RedirectResponse("/chat")

    @web.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @web.get("/readyz")
    async def ready() -> JSONResponse:
        channels = {name: health.trouble or "ok" for name, health in app.health.items()}
        try:
            async with app.database.reading() as tx:
                await outbox.count(tx)
            database = "ok"
        except Unavailable:
            database = "недоступна"
        # One channel that is down is told, but it is no reason to take the others out of service.
        status = 200 if database == "ok" else 503
        return JSONResponse({"database": database, "channels": channels}, status_code=status)

    @web.get("/metrics")
    async def metrics() -> Response:
        try:
            return Response(await _metrics(app), media_type=CONTENT_TYPE_LATEST)
        except Unavailable:
            return Response(status_code=503)

    return web


def add_doors(web: FastAPI, channel: Channel, app: App) -> None:
    """Open the HTTP doors of a channel, if it has any."""
    routes = channel.routes(app.receive)
    if routes is not None:
        web.include_router(routes)


class Doorkeeper:
    """Lets a messenger that calls while its channel is being loaded wait instead of turning it away."""

    def __init__(self, app: ASGIApp, *, opened: asyncio.Event) -> None:
        self._app = app
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold what no page of ours answers yet."""
        if scope["type"] == "http" and scope["path"] in MESSENGER_DOORS:
            await self._opened.wait()
        await self._app(scope, receive, send)


class SecurityHeaders:
    """What every page says to the browser unless it says otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to each answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in _HEADERS if name not in present),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)


_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'self'; base-uri 'none'"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]


async def _metrics(app: App) -> bytes:
    async with app.database.reading() as tx:
        letters = await outbox.count(tx)
        deeds = await journal.count(tx)
        waiting = await tickets.count_by_state(tx)
    registry = CollectorRegistry()
    up = Gauge("helpdesk_channel_up", "1 when the channel works", ["channel"], registry=registry)
    for name, health in app.health.items():
        up.labels(name).set(health.trouble is None)
    queue = Gauge("helpdesk_letters", "Letters by channel and state", ["channel", "state"], registry=registry)
    for (channel, state), number in letters.items():
        queue.labels(channel, state).set(number)
    done = Gauge("helpdesk_deeds", "Deeds in the journal since the beginning", ["deed"], registry=registry)
    for deed, number in deeds.items():
        done.labels(deed).set(number)
    open_tickets = Gauge("helpdesk_tickets", "Tickets by state", ["state"], registry=registry)
    for state, number in waiting.items():
        open_tickets.labels(state).set(number)
    return generate_latest(registry)
