"""Campaigns in tests: people by the hundred, an announcement for all of them, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import text

from bot.clock import SystemClock
from handlers.campaigns import composing
from storage.campaigns import audience, book, launches, readers
from storage.campaigns.campaign import Audience, Campaign, Launch, Progress
from storage.database import Database

ALWAYS = {"opens": 0, "closes": 24 * 60}
"""A window that is never closed."""
WORDS = "Проверьте вход в дневник до 25 августа"
PATIENCE_SECONDS = 90.0
_clock = SystemClock()


async def settle(database: Database, channel: str, numbers: Iterable[int], *, now: datetime) -> None:
    """Make people of them who were greeted long ago."""
    statement = text(
        "INSERT INTO people (channel, chat_id, name, created_at, seen_at, greeted_at)"
        " VALUES (:channel, :chat_id, 'Анна', :now, :now, :now)"
    )
    moment: Any = now.strftime("%Y-%m-%d %H:%M:%S.%f") if database.is_sqlite else now
    rest = iter(numbers)
    while some := list(islice(rest, 5_000)):
        async with database.transaction() as tx:
            await tx.execute(
                statement, [{"channel": channel, "chat_id": str(each), "now": moment} for each in some]
            )


async def write(
    database: Database,
    *,
    now: datetime,
    words: str = WORDS,
    category: Any = "reminders",
    readers_of: Audience | None = None,
    window: Any = None,
) -> Campaign:
    """A campaign that is approved and scheduled."""
    async with database.transaction() as tx:
        campaign = await book.add(
            tx,
            title="Проверьте вход",
            category=category,
            text=words,
            audience=readers_of or Audience(),
            schedule={"kind": "once", "window": window or ALWAYS},
            author_id=None,
            now=now,
        )
        agreed = text("UPDATE campaigns SET approved_edition = edition WHERE id = :number")
        await tx.execute(agreed, {"number": campaign.id})
        assert await book.set_scheduled(tx, campaign.id, edition=campaign.edition, now=now)
    return campaign


async def begin(
    database: Database, campaign: Campaign, *, now: datetime, zones: audience.Zones | None = None
) -> Launch:
    """Start it now: everybody is on the list, and telling may begin."""
    async with database.transaction() as tx:
        await launches.plan(tx, campaign.id, due_at=now)
        launch = (await launches.of_campaign(tx, campaign.id))[-1]
        assert await launches.begin(tx, launch.id, body=composing.body_of(campaign), now=now)
    while launch.state != "sending":
        async with database.transaction() as tx:
            filling = await launches.find(tx, launch.id)
            assert filling is not None
            filled_to = await audience.fill(
                tx,
                filling,
                campaign.audience,
                category=campaign.category,
                zones=zones or audience.Zones("Europe/Moscow"),
                now=now,
                limit=2_000,
            )
            await launches.note_filled(tx, launch.id, filled_to, now=now)
            found = await launches.find(tx, launch.id)
        assert found is not None
        launch = found
    return launch


async def progress_of(database: Database, launch: Launch) -> Progress:
    """How far it is."""
    async with database.reading() as tx:
        return await readers.progress(tx, [launch.id])


async def until(
    database: Database,
    launch: Launch,
    ready: Callable[[Progress], bool] = lambda progress: not progress.left,
    *,
    patience: float = PATIENCE_SECONDS,
) -> Progress:
    """Wait until it is so far (usually: until nobody is left), for so many real seconds."""
    deadline = _clock.monotonic() + patience
    while not ready(progress := await progress_of(database, launch)):
        assert _clock.monotonic() < deadline, progress
        await _clock.sleep(0.05)
    return progress


@dataclass(frozen=True)
class Account:
    """What the messenger has shown, beside what stands on record."""

    twice: int
    """Readers who were told more than once."""
    lost: int
    """Neither told nor listed as not told: on record as told, or on no list at all."""
    secretly: int
    """Told, but on record as not told."""
    unknown: int
    states: Counter[str]


async def compare(database: Database, launch: Launch, shown: Counter[int], crowd: Iterable[int]) -> Account:
    """Compare the records of these people with what they were shown."""
    query = text("SELECT chat_id, state FROM readers WHERE launch_id = :launch")
    async with database.reading() as tx:
        rows = (await tx.execute(query, {"launch": launch.id})).all()
    states = {int(row.chat_id): row.state for row in rows}
    everybody = list(crowd)
    told = {"sent", "unknown"}
    return Account(
        twice=sum(shown[each] > 1 for each in everybody),
        lost=sum(not shown[each] and states.get(each) in (None, "sent") for each in everybody),
        secretly=sum(shown[each] > 0 and states.get(each) not in told for each in everybody),
        unknown=sum(states.get(each) == "unknown" for each in everybody),
        states=Counter(states[each] for each in everybody if each in states),
    )


def key_of(launch: Launch, piece: int = 0) -> str:
    """What all requests of a launch for one piece of its words have in common."""
    return f"campaign-{launch.campaign_id}-{launch.wave.isoformat()}:{piece}"
