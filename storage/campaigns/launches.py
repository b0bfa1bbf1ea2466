"""The starts of campaigns, and the brake that holds all of them. Every change is one conditional UPDATE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Row

from storage.campaigns.campaign import ALIVE, OVER, Launch, LaunchState
from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import cursors, launches, readers

TO_THE_END = -1
"""Of `Launch.filled_to`: everybody is on the list."""
ALONE = timedelta(hours=1)
"""A launch that nobody looked after for so long does not go on by itself."""
_BRAKE, _PULSE, _HELD = "mailing-brake", "mailing-pulse", "mailing-held-"
"""Names among the cursors."""


async def plan(
    tx: Transaction,
    campaign_id: int,
    *,
    due_at: datetime,
    municipality: str = "",
    wave: datetime | None = None,
) -> None:
    """Note a start; a second time changes nothing. A staggered `wave` begins at that moment."""
    await tx.execute(
        insert_into(tx, launches)
        .values(
            campaign_id=campaign_id,
            municipality=municipality,
            wave=wave or due_at,
            due_at=due_at,
            state="planned",
        )
        .on_conflict_do_nothing()
    )


async def find(tx: Transaction, launch_id: int) -> Launch | None:
    """The launch with this number."""
    row = (await tx.execute(select(launches).where(launches.c.id == launch_id))).one_or_none()
    return _launch(row) if row else None


async def of_campaign(tx: Transaction, campaign_id: int) -> list[Launch]:
    """All launches of a campaign, the earliest first."""
    query = select(launches).where(launches.c.campaign_id == campaign_id)
    return await _select(tx, query.order_by(launches.c.due_at, launches.c.id))


async def due(tx: Transaction, *, now: datetime) -> list[Launch]:
    """What is planned for now or earlier."""
    query = select(launches).where(launches.c.state == "planned", launches.c.due_at <= now)
    return await _select(tx, query.order_by(launches.c.due_at, launches.c.id))


async def alive(tx: Transaction) -> list[Launch]:
    """What is being filled or sent now."""
    query = select(launches).where(launches.c.state.in_(ALIVE))
    return await _select(tx, query.order_by(launches.c.id))


async def begin(tx: Transaction, launch_id: int, *, body: Mapping[str, Any], now: datetime) -> bool:
    """Its time has come, or people said so: the words are taken as they are now."""
    values = {"state": "filling", "body": dict(body), "started_at": now, "alive_at": now, "reason": None}
    return await _switch(tx, launch_id, ("planned", "asks"), values)


async def ask(tx: Transaction, launch_id: int, *, reason: str, detail: str = "", now: datetime) -> bool:
    """It does not go on by itself: before its start it `asks`, later it is `paused`."""
    values = {"reason": reason, "detail": detail, "alive_at": now}
    if await _switch(tx, launch_id, ("planned",), {"state": "asks", **values}):
        return True
    return await _switch(tx, launch_id, ALIVE, {"state": "paused", **values})


async def hold_planned(
    tx: Transaction,
    campaign_ids: Collection[int],
    *,
    reason: str,
    by_id: int | None = None,
    now: datetime,
) -> int:
    """Starts of these campaigns that are still to come wait for people, too; returns how many."""
    statement = (
        update(launches)
        .where(launches.c.campaign_id.in_(campaign_ids), launches.c.state == "planned")
        .values(state="asks", reason=reason, by_id=by_id, alive_at=now)
    )
    return (await tx.execute(statement)).rowcount


async def reword(tx: Transaction, launch: Launch, body: Mapping[str, Any]) -> None:
    """Whoever is told from now on reads these words."""
    await tx.execute(update(launches).where(launches.c.id == launch.id).values(body=dict(body)))


async def plan_again(tx: Transaction, launch_id: int, *, now: datetime) -> bool:
    """People say that it waits for its time again; False if that is over, or it does not ask."""
    statement = (
        update(launches)
        .where(launches.c.id == launch_id, launches.c.state == "asks", launches.c.due_at > now)
        .values(state="planned", reason=None, detail=None)
    )
    return (await tx.execute(statement)).rowcount > 0


async def pause(
    tx: Transaction,
    launch_id: int,
    *,
    reason: str,
    detail: str = "",
    by_id: int | None = None,
    now: datetime,
) -> bool:
    """Send nothing more for now; False if it is not on its way."""
    values = {"state": "paused", "reason": reason, "detail": detail, "by_id": by_id, "alive_at": now}
    return await _switch(tx, launch_id, ALIVE, values)


async def resume(tx: Transaction, launch_id: int, *, by_id: int | None = None, now: datetime) -> bool:
    """People say that it may go on; False if it is not paused, or the brake is on."""
    if await braked_since(tx) is not None:
        return False
    values = {"reason": None, "detail": None, "by_id": by_id, "alive_at": now}
    is_filled = launches.c.filled_to == TO_THE_END
    statement = update(launches).where(launches.c.id == launch_id, launches.c.state == "paused")
    sending = await tx.execute(statement.where(is_filled).values(state="sending", **values))
    return sending.rowcount > 0 or await _switch(tx, launch_id, ("paused",), {"state": "filling", **values})


async def stop(
    tx: Transaction, launch_id: int, *, by_id: int | None = None, reason: str = "people", now: datetime
) -> bool:
    """Send nothing more for ever; False if it is over already."""
    values = {"state": "stopped", "reason": reason, "by_id": by_id, "ended_at": now}
    return await _switch(tx, launch_id, ("planned", "asks", "filling", "sending", "paused"), values)


async def note_filled(tx: Transaction, launch_id: int, filled_to: int, *, now: datetime) -> bool:
    """Everybody up to this number is on the list; with `TO_THE_END` sending begins.

    False: it was paused or stopped meanwhile; what the same transaction put on the list must not stay.
    """
    values: dict[str, Any] = {"filled_to": filled_to, "alive_at": now}
    if filled_to == TO_THE_END:
        values["state"] = "sending"
    return await _switch(tx, launch_id, ("filling",), values)


async def finish(tx: Transaction, launch_id: int, *, now: datetime) -> bool:
    """Nobody is left; False if somebody is, or it is not being sent."""
    left = select(readers.c.id).where(
        readers.c.launch_id == launch_id, readers.c.state.in_(("queued", "sending"))
    )
    statement = (
        update(launches)
        .where(launches.c.id == launch_id, launches.c.state == "sending", ~left.exists())
        .values(state="done", ended_at=now, alive_at=now)
    )
    return (await tx.execute(statement)).rowcount > 0


async def reopen(tx: Transaction, launch_id: int, *, by_id: int | None, now: datetime) -> bool:
    """Those who were not reached are tried again (`readers.retry`); False if it is not over."""
    values = {"state": "sending", "reason": None, "by_id": by_id, "ended_at": None, "alive_at": now}
    return await _switch(tx, launch_id, ("done",), values)


async def touch(tx: Transaction, launch_id: int, *, now: datetime) -> None:
    """Somebody looks after it."""
    await tx.execute(
        update(launches).where(launches.c.id == launch_id, launches.c.state.in_(ALIVE)).values(alive_at=now)
    )


async def is_sending(tx: Transaction, launch_id: int) -> bool:
    """Whether it may tell its readers at this moment."""
    query = select(launches.c.id).where(launches.c.id == launch_id, launches.c.state == "sending")
    return await braked_since(tx) is None and await tx.scalar(query) is not None


# ---- the brake


async def braked_since(tx: Transaction) -> datetime | None:
    """Since when nothing may be sent to many; None: the brake is off."""
    moment = await tx.scalar(select(cursors.c.place).where(cursors.c.name == _BRAKE))
    return datetime.fromisoformat(moment) if moment is not None else None


async def pull_brake(tx: Transaction, *, by_id: int | None, now: datetime) -> list[Launch]:
    """Stop everything at once and let nothing start: what is on its way is paused, and returned.

    Later starts of the same campaigns ask people first.
    """
    await tx.execute(
        insert_into(tx, cursors).values(name=_BRAKE, place=now.isoformat()).on_conflict_do_nothing()
    )
    statement = (
        update(launches)
        .where(launches.c.state.in_(ALIVE))
        .values(state="paused", reason="brake", by_id=by_id, alive_at=now)
        .returning(launches)
    )
    paused = [_launch(row) for row in (await tx.execute(statement)).all()]
    numbers = {launch.campaign_id for launch in paused}
    await hold_planned(tx, numbers, reason="brake", by_id=by_id, now=now)
    return paused


async def release_brake(tx: Transaction) -> bool:
    """Starts are possible again; nothing goes on by itself. False if the brake was off."""
    return (await tx.execute(delete(cursors).where(cursors.c.name == _BRAKE))).rowcount > 0


# ---- what the messengers ask for


async def note_held(tx: Transaction, channel: str, until: datetime) -> None:
    """The messenger has asked us to be silent until then."""
    insert = insert_into(tx, cursors).values(name=f"{_HELD}{channel}", place=until.isoformat())
    await tx.execute(
        insert.on_conflict_do_update(index_elements=[cursors.c.name], set_={"place": until.isoformat()})
    )


async def held_until(tx: Transaction, *, now: datetime) -> dict[str, datetime]:
    """The channels whose messengers want silence now, and until when."""
    query = select(cursors.c.name, cursors.c.place).where(cursors.c.name.startswith(_HELD))
    known = {
        row.name.removeprefix(_HELD): datetime.fromisoformat(row.place)
        for row in (await tx.execute(query)).all()
    }
    return {channel: until for channel, until in known.items() if until > now}


# ---- the pulse: how a restored backup is recognised


async def pulse(tx: Transaction) -> int:
    """A number that grows with every sign of life of the mailing."""
    return int(await tx.scalar(select(cursors.c.place).where(cursors.c.name == _PULSE)) or 0)


async def set_pulse(tx: Transaction, number: int) -> None:
    """Let it be this number."""
    insert = insert_into(tx, cursors).values(name=_PULSE, place=str(number))
    await tx.execute(
        insert.on_conflict_do_update(index_elements=[cursors.c.name], set_={"place": str(number)})
    )


async def left_open(tx: Transaction, campaign_id: int) -> int:
    """How many launches of a campaign are not over yet."""
    query = select(func.count()).where(launches.c.campaign_id == campaign_id, launches.c.state.not_in(OVER))
    return await tx.scalar(query) or 0


async def _switch(
    tx: Transaction, launch_id: int, before: Iterable[LaunchState], values: Mapping[str, Any]
) -> bool:
    statement = update(launches).where(launches.c.id == launch_id, launches.c.state.in_(before))
    return (await tx.execute(statement.values(**values))).rowcount > 0


async def _select(tx: Transaction, query: Any) -> list[Launch]:
    return [_launch(row) for row in (await tx.execute(query)).all()]


def _launch(row: Row[Any]) -> Launch:
    return Launch(
        id=row.id,
        campaign_id=row.campaign_id,
        municipality=row.municipality,
        wave=row.wave,
        due_at=row.due_at,
        state=row.state,
        reason=row.reason,
        detail=row.detail,
        by_id=row.by_id,
        body=row.body,
        filled_to=row.filled_to,
        started_at=row.started_at,
        alive_at=row.alive_at,
        ended_at=row.ended_at,
    )
