"""The one place where all parts meet."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from functools import partial

import uvicorn
from fastapi import FastAPI

from bot.channels.web import WebChannel
from bot.clock import Clock, SystemClock
from bot.health import Health
from bot.mailing_mark import MailingMark
from bot.messengers import Cursor, configured, load, messengers
from bot.opening import StartError, open_database, open_knowledge
from bot.panel import server
from bot.parts import App
from bot.schedule import scheduler
from bot.settings import Settings
from bot.supervise import ChannelKeeper, keep_running
from handlers.campaigns.launching import Launching
from handlers.cases import incidents, outages
from handlers.knowledge import Knowledge
from handlers.ministry import digest, overdue
from handlers.parents import aftercare

SHUTDOWN_SECONDS = 5
"""How long open web requests may take to finish when the process is told to stop."""


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    clock: Clock | None = None,
    knowledge: Knowledge | None = None,
    socket_: socket.socket | None = None,
) -> AsyncIterator[App]:
    """A helpdesk that works while the block is open."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        listening = socket_ or bind(settings.host, settings.port)
        stack.callback(listening.close)
        database = await open_database(settings)
        stack.push_async_callback(database.close)
        knowledge = knowledge or await open_knowledge(settings, database, clock=clock)
        app = App(settings, database, knowledge, clock=clock)
        stack.push_async_callback(_close, app)
        app.url = f"http://{settings.host}:{listening.getsockname()[1]}"
        mark, serves = MailingMark(settings.data_dir), ("web", *configured(settings))
        launching = Launching(database, knowledge, clock.now, mark, serves=serves)
        # Before anything is sent: what must not go on by itself is held.
        await launching.wake_up()
        ticks = scheduler(
            database,
            app.files,
            refresh=lambda: knowledge.refresh(database),
            improve=knowledge.improve,
            launch=partial(_launch, launching, app),
            keep_days=settings.keep_days,
            clock=clock,
            deeds={
                "ask_got_in": lambda: aftercare.ask_got_in(database, knowledge, now=clock.now),
                "watch_deadlines": overdue.Watch(database, knowledge, clock.now).look,
                "tell_of_outages": lambda: outages.look(database, knowledge, now=clock.now),
                "close_incidents": lambda: incidents.look(database, now=clock.now),
                "send_digests": lambda: digest.send_due(database, knowledge, now=clock.now),
            },
        )
        ticks.start()
        stack.callback(ticks.shutdown, wait=False)
        app.add(WebChannel(database, app.files, clock=clock, region_name=knowledge.region.name))
        pages = server.build(app)
        web = _server(pages)
        tasks = [asyncio.create_task(web.serve(sockets=[listening]))]
        stack.push_async_callback(_stop, web, tasks)
        # Readers of the web chat wait for news: they are let go before the web server waits for them.
        stack.push_async_callback(app.channels["web"].close)
        tasks.append(asyncio.create_task(keep_running("answers", partial(_answer, app), clock=clock)))
        # The web chat answers already while the messengers' libraries are being loaded.
        tasks += _keep(app, list(app.keepers))
        await asyncio.to_thread(load, settings)
        tasks += _keep(app, _add_messengers(app, pages))
        app.opened.set()
        yield app


async def _launch(launching: Launching, app: App) -> None:
    if await launching.look():
        app.wake_mailing()


async def _answer(app: App) -> None:
    # The doors are open already: whoever asks while the index is being built is answered right after.
    await asyncio.to_thread(app.knowledge.build_triage)
    await app.answers.run()


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything else is touched; raises `StartError` when it is busy."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
        # From here on callers wait in the queue instead of being refused.
        listening.listen()
    except OSError as error:
        listening.close()
        raise StartError(
            f"Адрес {host}:{port} занять нельзя ({error.strerror}): остановите того, кто его занял, "
            "или задайте другой в HELPDESK_LISTEN."
        ) from error
    return listening


def _add_messengers(app: App, pages: FastAPI) -> list[ChannelKeeper]:
    cursor = Cursor(app.database, f"vk-{app.settings.vk_group_id}")
    made = messengers(app.settings, clock=app.clock, cursor=cursor)
    app.missing = made.missing
    app.health |= {name: Health(name, trouble) for name, trouble in made.broken.items()}
    keepers = [app.add(channel) for channel in made.channels.values()]
    for channel in made.channels.values():
        server.add_doors(pages, channel, app)
    return keepers


def _keep(app: App, keepers: Iterable[ChannelKeeper]) -> list[asyncio.Task[None]]:
    return [
        asyncio.create_task(keep_running(keeper.channel.name, keeper.run, clock=app.clock))
        for keeper in keepers
    ]


async def _close(app: App) -> None:
    for channel in app.channels.values():
        await channel.close()


def _server(pages: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        pages,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        lifespan="off",
        server_header=False,
        proxy_headers=True,
    )
    web = uvicorn.Server(config)
    # Signals belong to the whole process, not to its web server.
    web.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    return web


async def _stop(web: uvicorn.Server, tasks: list[asyncio.Task[None]]) -> None:
    web.should_exit = True
    for task in tasks[1:]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
