"""How much a person has sent lately; counted with the event itself, so that no two count as one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, case, literal, update

from storage.database import Transaction
from storage.tables import people

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Count:
    """How many events came since the window began that holds the last of them."""

    in_minute: int
    minute_since: datetime
    in_hour: int
    hour_since: datetime


async def count(tx: Transaction, person_id: int, *, now: datetime) -> Count | None:
    """Count one more event of this person; None if nobody has this number."""
    columns = people.c
    statement = (
        update(people)
        .where(columns.id == person_id)
        .values(
            **_counted(columns.flood_since, columns.flood_count, MINUTE, now),
            **_counted(columns.flood_hour_since, columns.flood_hour_count, HOUR, now),
        )
        .returning(
            columns.flood_count, columns.flood_since, columns.flood_hour_count, columns.flood_hour_since
        )
    )
    row = (await tx.execute(statement)).one_or_none()
    return Count(*row) if row else None


def _counted(since: Column[Any], number: Column[Any], window: timedelta, now: datetime) -> dict[str, Any]:
    # A clock that was set back must not keep a window open for ever.
    lasts: ColumnElement[bool] = and_(since > now - window, since <= now)
    return {
        since.name: case((lasts, since), else_=literal(now, since.type)),
        number.name: case((lasts, number + 1), else_=1),
    }
