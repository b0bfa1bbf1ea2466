"""Who wants announcements and who does not."""

from __future__ import annotations

from handlers.parents import questions
from handlers.texts import basics as texts
from handlers.turn import Turn
from storage import journal, people


async def stop(turn: Turn) -> None:
    """No announcements any more; questions are answered as before."""
    await people.set_muted(turn.tx, turn.person.id, turn.now)
    await journal.note(turn.tx, "unsubscribed", actor="person", now=turn.now)
    await turn.say(texts.MUTED)


async def resume(turn: Turn) -> None:
    """Announcements again."""
    await people.set_muted(turn.tx, turn.person.id, None)
    await journal.note(turn.tx, "subscribed", actor="person", now=turn.now)
    await turn.say(texts.UNMUTED, questions.menu_buttons())


async def set_reachable(turn: Turn, *, reachable: bool) -> None:
    """The messenger says that we may, or may not, write to this person."""
    reason = None if reachable else "blocked"
    await people.set_unreachable(turn.tx, turn.person.channel, turn.person.chat_id, reason)
    deed = "allowed" if reachable else "blocked"
    await journal.note(turn.tx, deed, actor="person", now=turn.now)
