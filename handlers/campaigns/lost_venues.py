"""Places where nothing can be posted any more: whoever registered one is told."""

from __future__ import annotations

from handlers.messages import Outgoing
from handlers.texts import venues as texts
from handlers.turn import Deed, place
from storage import journal, staff
from storage.campaigns import venues
from storage.campaigns.campaign import Venue


async def lose(deed: Deed, venue: Venue, *, reason: str) -> None:
    """Note it and tell them; nothing happens if that was known."""
    lost = await venues.set_lost(deed.tx, venue.id, reason=reason, now=deed.now)
    if lost is None:
        return
    details = {"venue": lost.id, "reason": reason}
    await journal.note(deed.tx, "venue_lost", actor="bot", now=deed.now, details=details)
    await tell_registrar(deed, lost, texts.lost(lost.kind, lost.title, reason))


async def tell_registrar(deed: Deed, venue: Venue, text: str) -> None:
    """Whoever registered a place hears what became of it."""
    member = await staff.find(deed.tx, venue.registered_by) if venue.registered_by is not None else None
    if member is not None:
        await deed.send(Outgoing(place(member), text, priority="notice"))
