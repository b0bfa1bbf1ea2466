"""How far an announcement has come, and who did not get it and why."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell

from handlers.campaigns import schedule
from handlers.campaigns.schedule import Window
from handlers.knowledge import Knowledge
from handlers.texts import basics
from handlers.texts import campaigns as texts
from storage.campaigns import launches, readers
from storage.campaigns.campaign import ALIVE, Campaign, Launch, Progress, Reader, ReaderState
from storage.database import Transaction

NOT_TOLD: tuple[ReaderState, ...] = ("failed", "skipped", "unknown")
LOOKED_BACK = timedelta(minutes=1)
"""Over so long the speed is measured."""
_WAITING: tuple[ReaderState, ...] = ("queued",)
PORTION = 1000
_MOST_DAYS = 30
"""So many windows ahead the end is looked for; who waits longer wants no minute."""
COLUMNS = ("Канал", "Адрес", "Школа", "Муниципалитет", "Что случилось", "Почему", "Подробности")
_SEEN_DIGITS = 3


@dataclass(frozen=True)
class CampaignProgress:
    """How far an announcement has come, with all its launches."""

    total: Progress
    launches: tuple[tuple[Launch, Progress], ...]
    """The earliest first."""
    per_second: float
    """Readers told in the last minute; 0 when nothing is being sent."""
    expected_end: datetime | None
    """None: nothing is being sent, or nobody was told in the last minute. Hours without sending count."""
    braked_since: datetime | None
    """Since when the brake is on."""
    held: dict[str, datetime] = field(default_factory=dict)
    """Channels whose messengers ask for silence, and until when."""
    refused: dict[str, int] = field(default_factory=dict)
    """How many were refused for good, by reason (`texts.WHY_NOT_TOLD`)."""
    skipped: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    waits_until: datetime | None = None
    """Nobody who is left may be written to before: their hours have not come."""


@dataclass(frozen=True)
class Missed:
    """Somebody who did not get an announcement, in words for the staff."""

    reader_id: int
    channel: str
    address: str
    """Masked: enough to tell two lines apart."""
    school: str
    municipality: str
    state: str
    reason: str
    detail: str

    @property
    def cells(self) -> tuple[str, ...]:
        """As `COLUMNS` has them."""
        return (
            self.channel, self.address, self.school, self.municipality, self.state, self.reason, self.detail,
        )  # fmt: skip


_SKIPPED = {"cap", "opted_out", "unreachable", "banned"}
_UNKNOWN = {"interrupted", "unfinished"}


async def of(tx: Transaction, campaign: Campaign, *, now: datetime) -> CampaignProgress:
    """How far it is now."""
    known = await launches.of_campaign(tx, campaign.id)
    each = [(launch, await readers.progress(tx, [launch.id])) for launch in known]
    total = _sum([progress for _, progress in each])
    living = [launch for launch in known if launch.state in ALIVE]
    hours = await _hours(tx, living)
    waiting = _opening(hours, now)
    per_second = 0.0 if waiting else await _speed(tx, living, now)
    left = sum(progress.left for launch, progress in each if launch.state in ALIVE)
    end = _end(hours, timedelta(seconds=left / per_second), now) if per_second else None
    return CampaignProgress(
        total=total,
        launches=tuple(each),
        per_second=per_second,
        expected_end=end,
        braked_since=await launches.braked_since(tx),
        held=await launches.held_until(tx, now=now) if living else {},
        refused={why: n for why, n in total.reasons.items() if why not in _SKIPPED | _UNKNOWN},
        skipped={why: n for why, n in total.reasons.items() if why in _SKIPPED},
        unknown={why: n for why, n in total.reasons.items() if why in _UNKNOWN},
        waits_until=waiting,
    )


async def waits_until(tx: Transaction, known: Sequence[Launch], *, now: datetime) -> datetime | None:
    """When these launches go on, if nobody who is left may be written to before."""
    return _opening(await _hours(tx, [launch for launch in known if launch.state in ALIVE]), now)


def can_resume(far: CampaignProgress, *, now: datetime) -> bool:
    """Whether something is held that can go on; a start whose time is over is begun by its own button."""
    return any(
        launch.state == "paused" or (launch.state == "asks" and launch.due_at > now)
        for launch, _ in far.launches
    )


def can_retry(campaign: Campaign, far: CampaignProgress) -> bool:
    """Whether there is somebody to be tried once more, and the launch is not held."""
    if campaign.state == "stopped":
        return False
    return any(
        launch.state in {"done", "sending"} and bool(its.of("failed", "unknown"))
        for launch, its in far.launches
    )


async def missed(
    tx: Transaction,
    campaign: Campaign,
    knowledge: Knowledge,
    *,
    limit: int = 50,
    after: int = 0,
    states: Sequence[ReaderState] = (),
) -> list[Missed]:
    """Who did not get it and why, by number of the reader, `after` this one; only in these states, if named.

    Of a stopped announcement whoever was still waiting has not got it either.
    """
    states = states or (*NOT_TOLD, *(_WAITING if campaign.state == "stopped" else ()))
    known = [launch.id for launch in await launches.of_campaign(tx, campaign.id)]
    found = await readers.listed(tx, known, states=states, limit=limit, after=after)
    return [_missed(reader, knowledge) for reader in found]


async def workbook(tx: Transaction, campaign: Campaign, knowledge: Knowledge) -> bytes:
    """The same of everybody, as an XLSX file; its second sheet has the figures."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Кому не дошло")
    sheet.freeze_panes = "A2"
    sheet.append(COLUMNS)
    async for each in _everybody(tx, campaign, knowledge):
        sheet.append([_cell(sheet, value) for value in each.cells])
    figures = book.create_sheet("Итог")
    known = [each.id for each in await launches.of_campaign(tx, campaign.id)]
    total = await readers.progress(tx, known)
    figures.append([_cell(figures, f"№ {campaign.id} {campaign.title}")])
    for state, name in texts.READER_STATES.items():
        figures.append([name, total.of(state)])
    for reason, count in sorted(total.reasons.items()):
        figures.append([_why(reason), count])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


async def _everybody(tx: Transaction, campaign: Campaign, knowledge: Knowledge) -> AsyncIterator[Missed]:
    after = 0
    while portion := await missed(tx, campaign, knowledge, limit=PORTION, after=after):
        for each in portion:
            yield each
        after = portion[-1].reader_id


def _missed(reader: Reader, knowledge: Knowledge) -> Missed:
    school = knowledge.school(reader.school_id)
    return Missed(
        reader_id=reader.id,
        channel=basics.CHANNEL_NAMES.get(reader.channel, reader.channel),
        address=masked(reader.chat_id),
        school=school.name if school else "",
        municipality=school.municipality if school else "",
        state=texts.READER_STATES[reader.state],
        reason=texts.STOPPED_BEFORE if reader.state == "queued" else _why(reader.reason or ""),
        detail=reader.detail or "",
    )


def _why(reason: str) -> str:
    return texts.WHY_NOT_TOLD.get(reason, reason)


def masked(chat_id: str) -> str:
    """«…123»: whoever reads the report needs no way to write to people."""
    return f"…{chat_id[-_SEEN_DIGITS:]}" if len(chat_id) > _SEEN_DIGITS else "…"


def _cell(sheet: Any, value: str) -> Any:
    """A cell with text, whatever it begins with: a name is no formula."""
    # A table of XML has no place for control characters.
    cell = WriteOnlyCell(sheet, "".join(each if each.isprintable() else " " for each in value))
    cell.data_type = "s"
    return cell


async def _hours(tx: Transaction, living: Sequence[Launch]) -> list[tuple[Window, str]]:
    """The windows of those who are left, each with whose clock it is on."""
    zones = await readers.zones_left(tx, [launch.id for launch in living]) if living else {}
    windows = {launch.id: Window.from_plain((launch.body or {}).get("window")) for launch in living}
    # A list that is still being written may yet get somebody who is awake.
    if any(launch.state == "filling" for launch in living):
        return []
    return [(windows[number], zone) for number, its in sorted(zones.items()) for zone in sorted(its)]


def _opening(hours: Sequence[tuple[Window, str]], now: datetime) -> datetime | None:
    """When the first of these windows opens; None when one is open now, or there is none."""
    if not hours or any(schedule.is_open(*each, now) for each in hours):
        return None
    return min(schedule.opens_at(*each, now) for each in hours)


def _end(hours: Sequence[tuple[Window, str]], work: timedelta, now: datetime) -> datetime:
    """When so much work is done, of which none is while all windows are closed."""
    moment = now
    for _ in range(_MOST_DAYS):
        awake = [each for each in hours if schedule.is_open(*each, moment)]
        closing = max((schedule.closes_at(*each, moment) for each in awake), default=moment)
        if not hours or moment + work <= closing:
            break
        work -= closing - moment
        moment = min(schedule.opens_at(*each, closing) for each in hours)
    return moment + work


async def _speed(tx: Transaction, living: Sequence[Launch], now: datetime) -> float:
    if not living:
        return 0.0
    since = now - LOOKED_BACK
    started = min((launch.started_at for launch in living if launch.started_at is not None), default=since)
    seconds = max(1.0, (now - max(since, started)).total_seconds())
    return await readers.told_since(tx, [launch.id for launch in living], since) / seconds


def _sum(parts: Sequence[Progress]) -> Progress:
    states: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for part in parts:
        for state, count in part.states.items():
            states[state] = states.get(state, 0) + count
        for reason, count in part.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    return Progress(states, reasons)
