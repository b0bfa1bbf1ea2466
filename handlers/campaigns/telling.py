"""Telling readers: who may be told now, in which words, and what follows from the messenger's answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handlers.campaigns import composing, lost_venues, notices, schedule
from handlers.knowledge import Knowledge
from handlers.messages import Address, Outgoing
from handlers.texts import campaigns as texts
from handlers.turn import Deed, place
from storage import journal, staff, subscriptions
from storage.campaigns import book, launches, readers, venues
from storage.campaigns.campaign import Reader
from storage.campaigns.readers import Rules
from storage.campaigns.wishes import Wish
from storage.database import Transaction

PAUSE_AFTER = 30
"""Refusals without one reader reached between them: it is not the readers, something is wrong with us."""
OF_THE_READER = frozenset(("blocked", "not_allowed", "gone", "kicked"))
"""Reasons that lie with the reader; the others lie with the announcement."""


@dataclass(frozen=True)
class Refusal:
    """A reader who will not be told."""

    reader: Reader
    reason: str
    detail: str = ""


def rules(
    body: Mapping[str, Any], zones: Collection[str], *, a_week: int, doubt_since: datetime, now: datetime
) -> Rules | None:
    """What is asked of the readers of a launch now; None when the window is closed for all of them."""
    window = schedule.Window.from_plain(body.get("window"))
    awake = [zone for zone in zones if schedule.is_open(window, zone, now)]
    return Rules(awake, a_week, doubt_since) if awake else None


def words(body: Mapping[str, Any], reader: Reader, knowledge: Knowledge) -> Outgoing:
    """The announcement as this reader, and whoever shares the request, gets it."""
    school = knowledge.school(reader.school_id)
    return composing.render(
        body,
        to=Address(reader.channel, reader.chat_id),
        region=knowledge.region,
        launch_id=reader.launch_id,
        school=school.name if school else "",
        municipality=school.municipality if school else "",
    )


async def note_refused(
    tx: Transaction, refusals: Collection[Refusal], knowledge: Knowledge, *, now: datetime
) -> None:
    """They will not be told; whoever does not want us is not written to again."""
    for refusal in refusals:
        reader = refusal.reader
        await readers.give_up(tx, reader.id, state="failed", reason=refusal.reason, detail=refusal.detail)
        if refusal.reason not in OF_THE_READER:
            continue
        if reader.venue_id is None:
            await subscriptions.note_unreachable(tx, reader.channel, reader.chat_id, refusal.reason, now=now)
        elif (venue := await venues.find(tx, reader.venue_id)) is not None:
            await lost_venues.lose(Deed(tx, now, knowledge), venue, reason=refusal.reason)


async def note_moved(
    tx: Transaction, reader: Reader, chat_id: str, knowledge: Knowledge, *, now: datetime
) -> None:
    """A group has another address now; where that is known already, its own row stands for it."""
    if not await venues.move(tx, reader.channel, reader.chat_id, chat_id):
        await note_refused(tx, [Refusal(reader, "gone", texts.MOVED_TO_KNOWN)], knowledge, now=now)


async def note_closed(
    tx: Transaction,
    launch_id: int,
    channel: str,
    knowledge: Knowledge,
    *,
    detail: str,
    is_first: bool,
    now: datetime,
) -> None:
    """A channel takes nothing until somebody mends it: the others go on; the last one waits for people.

    `is_first`: nobody was told of it yet.
    """
    if not await readers.has_left_elsewhere(tx, launch_id, channel):
        await hold(tx, launch_id, knowledge, reason="channel", detail=detail, now=now)
        return
    launch = await launches.find(tx, launch_id)
    campaign = await book.find(tx, launch.campaign_id) if launch else None
    if is_first and campaign is not None:
        await notices.channel_closed(Deed(tx, now, knowledge), campaign, channel, detail)


async def hold(
    tx: Transaction, launch_id: int, knowledge: Knowledge, *, reason: str, detail: str, now: datetime
) -> bool:
    """Pause a launch because something is wrong, and say so; False if it was not on its way any more."""
    if not await launches.pause(tx, launch_id, reason=reason, detail=detail, now=now):
        return False
    launch = await launches.find(tx, launch_id)
    campaign = await book.find(tx, launch.campaign_id) if launch else None
    if launch is not None and campaign is not None:
        await launches.hold_planned(tx, [campaign.id], reason=reason, now=now)
        details = {"campaign": campaign.id, "launch": launch.id, "reason": reason}
        await journal.note(tx, "campaign_held", actor="bot", now=now, details=details)
        await notices.held(Deed(tx, now, knowledge), campaign, launch)
    return True


async def note_held(tx: Transaction, channel: str, seconds: float, *, now: datetime) -> None:
    """The messenger asks for silence: those who watch the progress see until when."""
    await launches.note_held(tx, channel, now + timedelta(seconds=seconds))


async def report_wish(tx: Transaction, wish: Wish, knowledge: Knowledge, *, now: datetime) -> None:
    """Whoever wished that sent messages were changed hears what came of it on a channel."""
    member = await staff.find(tx, wish.by_id or 0)
    launch = await launches.find(tx, wish.launch_id)
    campaign = await book.find(tx, launch.campaign_id) if launch else None
    if campaign is None or not wish.changed + wish.refused:
        return
    details = {
        "campaign": campaign.id,
        "channel": wish.channel,
        "changed": wish.changed,
        "refused": wish.refused,
    }
    await journal.note(tx, f"campaign_{wish.deed}_done", actor="bot", now=now, details=details)
    if member is not None:
        said = texts.wish_done(campaign, wish)
        await Deed(tx, now, knowledge).send(Outgoing(place(member), said, priority="notice"))
