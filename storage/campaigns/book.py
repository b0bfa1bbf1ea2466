"""The campaigns themselves: written, checked, approved, scheduled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, insert, select, update
from sqlalchemy.engine import Row

from storage.campaigns.campaign import Audience, Campaign, CampaignState, Category
from storage.database import Transaction
from storage.tables import campaigns, launches

_WRITTEN: tuple[CampaignState, ...] = ("draft", "approval")
"""Only then its words may change."""


async def add(  # noqa: PLR0913 - a campaign is all of these
    tx: Transaction,
    *,
    title: str,
    category: Category,
    text: str,
    buttons: Sequence[Mapping[str, Any]] = (),
    attachments: Sequence[Mapping[str, Any]] = (),
    audience: Audience,
    schedule: Mapping[str, Any],
    author_id: int | None,
    now: datetime,
) -> Campaign:
    """Begin a draft; `author_id` is None for the owner of the machine."""
    values = {
        "title": title,
        "category": category,
        "text": text,
        "buttons": [dict(each) for each in buttons],
        "attachments": [dict(each) for each in attachments],
        "audience": audience.to_plain(),
        "schedule": dict(schedule),
        "state": "draft",
        "author_id": author_id,
        "created_at": now,
        "updated_at": now,
    }
    return _campaign((await tx.execute(insert(campaigns).values(values).returning(campaigns))).one())


async def find(tx: Transaction, campaign_id: int) -> Campaign | None:
    """The campaign with this number."""
    row = (await tx.execute(select(campaigns).where(campaigns.c.id == campaign_id))).one_or_none()
    return _campaign(row) if row else None


async def hold(tx: Transaction, campaign_id: int) -> Campaign | None:
    """The campaign with this number, held until the transaction ends."""
    query = select(campaigns).where(campaigns.c.id == campaign_id).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    return _campaign(row) if row else None


async def listed(
    tx: Transaction, *, states: Collection[CampaignState] | None = None, limit: int = 50, offset: int = 0
) -> list[Campaign]:
    """Campaigns: on their way or held first, then what is prepared, then what is over; among these the one
    that was touched last first."""
    query = (
        select(campaigns)
        .where(*_in(states))
        .order_by(_urgency(), campaigns.c.updated_at.desc(), campaigns.c.id.desc())
    )
    return [_campaign(row) for row in (await tx.execute(query.limit(limit).offset(offset))).all()]


async def count(tx: Transaction, *, states: Collection[CampaignState] | None = None) -> int:
    """How many `listed` would give without a limit."""
    return await tx.scalar(select(func.count()).select_from(campaigns).where(*_in(states))) or 0


async def files_kept(tx: Transaction) -> set[tuple[str, str]]:
    """Channel and address of every file that a campaign, or a launch of it, still has."""
    of_campaigns = (await tx.scalars(select(campaigns.c.attachments))).all()
    bodies = (await tx.scalars(select(launches.c.body).where(launches.c.started_at.is_not(None)))).all()
    kept = [*of_campaigns, *((body or {}).get("attachments", ()) for body in bodies)]
    return {(file["channel"], file["ref"]) for files in kept for file in files}


async def change(
    tx: Transaction, campaign_id: int, *, edition: int, values: Mapping[str, Any], now: datetime
) -> Campaign | None:
    """Write another edition, which nobody has checked, tested or approved yet.

    None: somebody else changed it meanwhile, or it is too late. `values` are columns; an `Audience` is
    taken as it is.
    """
    plain = {
        name: value.to_plain() if isinstance(value, Audience) else value for name, value in values.items()
    }
    statement = (
        update(campaigns)
        .where(_at(campaign_id, edition), campaigns.c.state.in_(_WRITTEN))
        .values(**plain, state="draft", edition=edition + 1, updated_at=now)
        .returning(campaigns)
    )
    row = (await tx.execute(statement)).one_or_none()
    return _campaign(row) if row else None


async def note_checked(tx: Transaction, campaign_id: int, *, edition: int) -> None:
    """This edition has no faults that a program can see."""
    await tx.execute(update(campaigns).where(_at(campaign_id, edition)).values(checked_edition=edition))


async def note_tested(tx: Transaction, campaign_id: int, *, edition: int) -> None:
    """Somebody has sent this edition to themselves."""
    await tx.execute(update(campaigns).where(_at(campaign_id, edition)).values(tested_edition=edition))


async def send_for_approval(tx: Transaction, campaign_id: int, *, edition: int, now: datetime) -> bool:
    """A second person is to look at it; False if it is another edition by now, or no draft."""
    return await _switch(tx, campaign_id, edition, ("draft",), {"state": "approval", "updated_at": now})


async def approve(
    tx: Transaction, campaign_id: int, *, edition: int, by_id: int | None, now: datetime
) -> bool:
    """A second person agrees, if need be when it is on its way already; False for its author, another
    edition, or nothing to agree to."""
    is_other = campaigns.c.author_id.is_distinct_from(by_id)
    values = {"approved_edition": edition, "approved_by": by_id, "approved_at": now, "updated_at": now}
    return await _switch(tx, campaign_id, edition, ("approval", "scheduled"), values, is_other)


async def refuse(tx: Transaction, campaign_id: int, *, now: datetime) -> bool:
    """Back to its author; False if nobody was asked."""
    statement = (
        update(campaigns)
        .where(campaigns.c.id == campaign_id, campaigns.c.state == "approval")
        .values(state="draft", approved_edition=None, updated_at=now)
    )
    return (await tx.execute(statement)).rowcount > 0


async def set_scheduled(tx: Transaction, campaign_id: int, *, edition: int, now: datetime) -> bool:
    """From now on its launches count; False if it is another edition by now, or was over before."""
    return await _switch(tx, campaign_id, edition, _WRITTEN, {"state": "scheduled", "updated_at": now})


async def end(tx: Transaction, campaign_id: int, *, now: datetime) -> bool:
    """Its last launch is over; False if it was not scheduled."""
    return await _leave(tx, campaign_id, ("scheduled",), "ended", now=now)


async def reopen(tx: Transaction, campaign_id: int, *, now: datetime) -> bool:
    """It is on its way again: people try those once more who were not reached; False if it was not over."""
    return await _leave(tx, campaign_id, ("ended",), "scheduled", now=now)


async def reword(tx: Transaction, campaign_id: int, *, text: str, now: datetime) -> None:
    """From now on it reads so, also where it was let go already."""
    await tx.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(text=text, updated_at=now))


async def stop(tx: Transaction, campaign_id: int, *, now: datetime) -> bool:
    """People want no more of it; False if it is over already. Its launches are stopped by `launches`."""
    return await _leave(tx, campaign_id, ("draft", "approval", "scheduled"), "stopped", now=now)


async def _leave(
    tx: Transaction,
    campaign_id: int,
    before: Iterable[CampaignState],
    after: CampaignState,
    *,
    now: datetime,
) -> bool:
    statement = (
        update(campaigns)
        .where(campaigns.c.id == campaign_id, campaigns.c.state.in_(before))
        .values(state=after, updated_at=now)
    )
    return (await tx.execute(statement)).rowcount > 0


async def _switch(
    tx: Transaction,
    campaign_id: int,
    edition: int,
    before: Iterable[CampaignState],
    values: Mapping[str, Any],
    *also: ColumnElement[bool],
) -> bool:
    statement = update(campaigns).where(_at(campaign_id, edition), campaigns.c.state.in_(before), *also)
    return (await tx.execute(statement.values(**values))).rowcount > 0


def _urgency() -> ColumnElement[int]:
    on_its_way = exists().where(
        launches.c.campaign_id == campaigns.c.id,
        launches.c.state.in_(("asks", "filling", "sending", "paused")),
    )
    is_over = campaigns.c.state.in_(("ended", "stopped"))
    return case((is_over, 2), (on_its_way, 0), else_=1)


def _at(campaign_id: int, edition: int) -> ColumnElement[bool]:
    return (campaigns.c.id == campaign_id) & (campaigns.c.edition == edition)


def _in(states: Collection[CampaignState] | None) -> list[ColumnElement[bool]]:
    return [] if states is None else [campaigns.c.state.in_(states)]


def _campaign(row: Row[Any]) -> Campaign:
    return Campaign(
        id=row.id,
        title=row.title,
        category=row.category,
        text=row.text,
        buttons=tuple(row.buttons),
        attachments=tuple(row.attachments),
        audience=Audience.from_plain(row.audience),
        schedule=row.schedule,
        state=row.state,
        edition=row.edition,
        checked_edition=row.checked_edition,
        tested_edition=row.tested_edition,
        approved_edition=row.approved_edition,
        author_id=row.author_id,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
