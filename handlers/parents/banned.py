"""Whoever the staff do not want to hear: what they write is kept like everything, and reaches nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

from handlers.messages import Incoming
from handlers.texts import abuse as texts
from handlers.turn import Turn, files_of
from storage import conversations

TOLD_EVERY = timedelta(days=1)
"""How often they are told where to go instead: once is overlooked, each time would be a quarrel."""


async def hear(turn: Turn, incoming: Incoming) -> None:
    """Keep the words, already without personal data, for nobody; say at most once a day what remains."""
    await _keep(turn, incoming)
    told = turn.state.ban_told
    if told and turn.now - datetime.fromisoformat(told) < TOLD_EVERY:
        return
    turn.state.ban_told = turn.now.isoformat()
    await turn.say(texts.BANNED)


async def _keep(turn: Turn, incoming: Incoming) -> None:
    if not (incoming.text.strip() or incoming.attachments) or incoming.started is not None:
        return
    here = turn.conversation.id
    if incoming.edited and incoming.message_id is not None:
        changed = await conversations.edit_message(
            turn.tx, here, incoming.message_id, text=incoming.text, now=turn.now
        )
        if changed is not None:
            return
    await conversations.add_message(
        turn.tx,
        here,
        author="person" if incoming.button is None else "press",
        text=incoming.text,
        external_id=incoming.message_id if incoming.button is None else None,
        files=files_of(incoming.attachments),
        now=turn.now,
    )
