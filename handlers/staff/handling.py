"""What a member of the staff does with a case besides answering: take it, mark it as urgent, close it."""

from __future__ import annotations

from handlers.cases import closing, deadlines, desks, showing
from handlers.errors import HelpdeskError
from handlers.messages import Attachment, Button, Outgoing, Rows
from handlers.parents import flood
from handlers.texts import basics as texts
from handlers.texts import staff as said
from handlers.turn import Turn, place, rows
from storage import casework, conversations, journal, people, staff
from storage.staff import Member
from storage.ticket import Desk, Ticket


async def show(turn: Turn, member: Member, ticket: Ticket, _: str) -> None:  # noqa: ARG001 - a deed
    """The card of a case."""
    await turn.send(await showing.card(turn, ticket, turn.address))


async def take(turn: Turn, member: Member, ticket: Ticket, _: str) -> None:
    """«Взять»: whoever presses first has it."""
    if ticket.owner_id == member.id:
        raise HelpdeskError(said.is_yours(ticket.id))
    taken = await casework.take(turn.tx, turn.scope(member), ticket.id)
    if taken is None:
        await _refuse_taken(turn, member, ticket)
        return
    await _note(turn, member, taken, "taken")
    await turn.send(
        Outgoing(turn.address, said.taken(taken.id), showing.staff_buttons(taken), ticket_id=taken.id)
    )
    await tell_colleagues(turn, taken, said.taken_by(taken.id, member.name))


async def set_urgent(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:
    """«Срочно» and «Не срочно»: what is meant stands on the button, so that two presses are one."""
    wanted = detail != "no"
    changed = await casework.set_urgent(turn.tx, turn.scope(member), ticket.id, urgent=wanted)
    if changed is None:
        fresh = await casework.seen(turn.tx, turn.scope(member), ticket.id)
        if fresh is None or fresh.state == "closed":
            raise HelpdeskError(said.closed(ticket.id))
        raise HelpdeskError(said.is_urgent(ticket.id) if wanted else said.is_not_urgent(ticket.id))
    await _note(turn, member, changed, "urgent" if wanted else "not_urgent")
    if wanted:
        changed = await deadlines.hasten(turn, changed)
    text = said.urgent if wanted else said.not_urgent
    told = text(changed.id, member.name)
    await turn.send(Outgoing(turn.address, told, showing.staff_buttons(changed), ticket_id=changed.id))
    await tell_colleagues(turn, changed, told)


async def close(turn: Turn, member: Member, ticket: Ticket, _: str) -> None:
    """Close the case and tell everybody whom it concerns."""
    closed = await close_quietly(turn, member, ticket)
    if closed is None:
        raise HelpdeskError(texts.too_late(ticket.id))
    told = texts.other_closed(ticket.id, member.name)
    await turn.send(Outgoing(turn.address, told, ticket_id=ticket.id))
    await tell_colleagues(turn, closed, told)


async def close_quietly(turn: Turn, member: Member, ticket: Ticket) -> Ticket | None:
    """Close the case and tell the parent, nobody else; None if it cannot be closed any more."""
    parent = await people.hold(turn.tx, ticket.person_id)
    conversation = await conversations.find(turn.tx, ticket.conversation_id)
    if parent is not None and conversation is not None and conversation.ticket_id == ticket.id:
        await flood.release_before_closing(turn, parent, conversation)
    closed = await casework.close(turn.tx, turn.scope(member), ticket.id, now=turn.now)
    if closed is None:
        return None
    if conversation is not None and conversation.ticket_id == ticket.id:
        mode = showing.after_closing(conversation)
        await conversations.switch(turn.tx, conversation.id, mode, ticket_id=None, now=turn.now)
    await _note(turn, member, closed, "ticket_closed")
    if parent is not None:
        await closing.tell_parent(turn, closed, parent)
    return closed


async def stop_clock(turn: Turn, member: Member, ticket: Ticket) -> bool:
    """The parent was asked something; False if the clock stood already."""
    return await deadlines.stop(turn, turn.scope(member), ticket) is not None


async def hold(turn: Turn, member: Member, ticket: Ticket) -> Ticket:
    """The case as it is now, while the parent's own events wait; refuses when nothing can be said any more.

    Before anything else is locked, so that the parent's events wait for us and not for each other.
    """
    if await people.hold(turn.tx, ticket.person_id) is None:
        raise HelpdeskError(texts.too_late(ticket.id))  # they asked to be forgotten
    fresh = await casework.seen(turn.tx, turn.scope(member), ticket.id)
    if fresh is None:
        raise HelpdeskError(texts.TICKET_UNKNOWN)
    if fresh.state == "closed":
        raise HelpdeskError(texts.too_late(ticket.id))
    return fresh


async def tell_colleagues(
    turn: Turn,
    ticket: Ticket,
    text: str,
    *,
    files: tuple[Attachment, ...] = (),
    album: str | None = None,
) -> None:
    """Tell everybody at the case's desk, and whoever has it, but the one who acts."""
    owner = await desks.owner_of(turn.tx, ticket)
    readers = await desks.places(turn.tx, ticket.desk)
    places = [reader.to for reader in readers]
    if owner is not None and not any(each.is_group for each in readers):
        places.append(place(owner))
    for to in dict.fromkeys(places):
        if to not in {turn.here, turn.address}:
            await turn.send(
                Outgoing(
                    to,
                    text,
                    attachments=files,
                    ticket_id=ticket.id,
                    priority="notice",
                    topic=texts.topic_title(ticket),
                ),
                album=album,
            )


async def tell_desk(turn: Turn, member: Member, desk: Desk, text: str) -> None:
    """Tell a whole desk, but not the one who acts."""
    for reader in await desks.places(turn.tx, desk):
        if reader.to not in {turn.here, turn.address, place(member)}:
            await turn.send(Outgoing(reader.to, text, priority="notice"))


def whose(member: Member, ticket: Ticket) -> str:
    """In whose name the member speaks to the parent, in the genitive: a school's, the ministry's."""
    if ticket.school_id is not None and ticket.school_id in member.school_ids:
        return said.desk_name(Desk("school", ticket.school_id), ticket.school, "whose")
    if member.role == "municipal":
        desk = Desk("municipal", municipality=member.municipality or "")
        return said.desk_name(desk, ticket.school, "whose")
    return said.desk_name(Desk("ministry"), ticket.school, "whose")


def list_button() -> Rows:
    """The way to all that is open."""
    return rows([Button(texts.BUTTON_OPEN_LIST, "list:open")])


async def _refuse_taken(turn: Turn, member: Member, ticket: Ticket) -> None:
    fresh = await casework.seen(turn.tx, turn.scope(member), ticket.id)
    if fresh is None:
        raise HelpdeskError(texts.TICKET_UNKNOWN)
    if fresh.state == "closed":
        raise HelpdeskError(said.closed(ticket.id))
    owner = await staff.find(turn.tx, fresh.owner_id or 0)
    raise HelpdeskError(said.is_taken(ticket.id, owner.name if owner else ""))


async def _note(turn: Turn, member: Member, ticket: Ticket, deed: str) -> None:
    await journal.note(
        turn.tx,
        deed,
        actor=f"staff:{member.id}",
        now=turn.now,
        ticket_id=ticket.id,
        topic=ticket.topic,
    )
