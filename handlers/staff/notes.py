"""Notes: what the staff say to each other about a case. No parent ever reads one."""

from __future__ import annotations

from handlers.cases import weight
from handlers.messages import Incoming
from handlers.staff import asking, handling
from handlers.texts import staff as texts
from handlers.turn import Turn, files_of
from storage import casework, conversations, journal
from storage.staff import Member
from storage.ticket import Ticket


async def begin(turn: Turn, member: Member, ticket: Ticket, _: str) -> None:
    """«Заметка»: the next words are for the desk alone."""
    await asking.ask(turn, member, texts.write_note(ticket.id), as_=asking.NOTE, ticket_id=ticket.id)


async def hear(turn: Turn, member: Member, ticket: Ticket, incoming: Incoming, _: str) -> None:
    """The words of a note; files may come with it."""
    incoming = await weight.without_too_large(turn, incoming)
    if not incoming.text.strip() and not incoming.attachments:
        return
    await add(turn, member, ticket, incoming)
    await turn.say(texts.note_kept(ticket.id), remember=False)
    await handling.tell_colleagues(
        turn,
        ticket,
        texts.note_shown(ticket.id, member.name, incoming.text),
        files=incoming.attachments,
        album=incoming.album and f"note/{ticket.id}/{incoming.album}",
    )


async def add(turn: Turn, member: Member, ticket: Ticket, incoming: Incoming) -> None:
    """Keep a note in the thread of the case."""
    if await casework.seen(turn.tx, turn.scope(member), ticket.id) is None:
        return
    await conversations.add_message(
        turn.tx,
        ticket.conversation_id,
        author=asking.NOTE,
        staff_id=member.id,
        text=incoming.text,
        ticket_id=ticket.id,
        external_id=asking.kept_under(turn, incoming),
        files=files_of(incoming.attachments),
        now=turn.now,
    )
    await journal.note(
        turn.tx, "noted", actor=f"staff:{member.id}", now=turn.now, ticket_id=ticket.id, topic=ticket.topic
    )
