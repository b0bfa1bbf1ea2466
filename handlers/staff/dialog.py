"""Who answers what to a member of the staff: read it from top to bottom."""

from __future__ import annotations

from datetime import timedelta

from handlers.cases import showing
from handlers.errors import HelpdeskError
from handlers.messages import Address, Button, Incoming, Outgoing
from handlers.staff import membership
from handlers.texts import basics as texts
from handlers.texts import photos as texts_photos
from handlers.turn import Turn, attachments_of, files_of, number_in, place, rows
from storage import conversations, journal, outbox, people, staff, tickets
from storage.conversations import Message
from storage.people import Person
from storage.staff import Member
from storage.tickets import Ticket

LIST_LENGTH = 20
"""Questions that /open shows."""
GOES_ON = timedelta(seconds=30)
"""What follows an answer within this time belongs to it: albums and long texts come in several messages."""


async def receive(turn: Turn, member: Member, incoming: Incoming) -> None:
    """One event from a member of staff, read top to bottom."""
    if incoming.started is not None or incoming.text.strip() == "/help":
        await turn.say(texts.STAFF_HELP, _list_button(), remember=False)
    elif incoming.text.strip() == "/leave":
        await membership.leave(turn, member)
    elif incoming.text.strip() == "/open" or incoming.button == "open":
        await show_open(turn)
    elif incoming.button is not None:
        await _press(turn, member, incoming.button)
    elif incoming.edited:
        await _correct(turn, member, incoming)
    else:
        await _write(turn, member, incoming)


async def show_open(turn: Turn) -> None:
    """The questions that wait, each with a button that shows its card."""
    waiting = await tickets.list_open(turn.tx, limit=LIST_LENGTH)
    if not waiting:
        await turn.say(texts.NO_OPEN_TICKETS, remember=False)
        return
    buttons = [Button(texts.BUTTON_SHOW.format(number=ticket.id), f"card:{ticket.id}") for ticket in waiting]
    await turn.say(texts.BUTTON_OPEN_LIST, rows(buttons), remember=False)


async def _press(turn: Turn, member: Member, payload: str) -> None:
    deed, _, argument = payload.partition(":")
    argument, _, detail = argument.partition(":")
    number = number_in(argument)
    ticket = await tickets.find(turn.tx, number) if deed != "send" else None
    if deed == "send":
        await _send_anyway(turn, member, message_id=number)
    elif ticket is None:
        await turn.say(texts.TICKET_UNKNOWN, _list_button(), remember=False)
    elif deed == "card":
        await turn.send(await showing.card(turn, ticket, place(member)))
    elif deed == "answer" and ticket.state == "closed":
        await turn.say(texts.TICKET_CLOSED, remember=False)
    elif deed == "answer":
        await staff.set_replying(turn.tx, member.id, ticket.id)
        await turn.send(Outgoing(place(member), texts.write_answer(ticket.id), ticket_id=ticket.id))
    elif deed == "close":
        await close(turn, member, ticket)
    elif deed == "to":
        await _send_draft(turn, member, ticket, draft=number_in(detail))
    else:
        await turn.say(texts.STAFF_HELP, _list_button(), remember=False)


async def _write(turn: Turn, member: Member, incoming: Incoming) -> None:
    if incoming.unreadable is not None:
        await turn.say(texts.NO_FILE_KIND.format(kind=incoming.unreadable), remember=False)
        return
    ticket_id = await _meant_ticket(turn, member, incoming)
    if not incoming.text.strip() and not incoming.attachments:
        await turn.say(texts.EMPTY_ANSWER, remember=False)
        return
    if ticket_id is None:
        await _ask_whose(turn, member, incoming)
        return
    ticket = await tickets.find(turn.tx, ticket_id)
    if ticket is None:
        await turn.say(texts.TICKET_UNKNOWN, _list_button(), remember=False)
        return
    await staff.set_replying(turn.tx, member.id, None)
    await answer(turn, member, ticket, incoming)


async def _ask_whose(turn: Turn, member: Member, incoming: Incoming) -> None:
    """Words that belong to no question we know are kept until the member says whose answer they are."""
    waiting = await tickets.list_open(turn.tx, limit=LIST_LENGTH)
    if not waiting:
        await turn.say(texts.STAFF_HELP, _list_button(), remember=False)
        return
    draft = await conversations.add_message(
        turn.tx,
        turn.conversation.id,
        author="staff",
        staff_id=member.id,
        text=incoming.text,
        external_id=incoming.message_id,
        files=files_of(incoming.attachments),
        now=turn.now,
    )
    choices = [
        Button(texts.BUTTON_SHOW.format(number=ticket.id), f"to:{ticket.id}:{draft}") for ticket in waiting
    ]
    await turn.say(texts.WHOSE_ANSWER, rows(choices), remember=False)


async def _send_draft(turn: Turn, member: Member, ticket: Ticket, *, draft: int) -> None:
    message = await conversations.message(turn.tx, draft)
    if message is None or message.staff_id != member.id or message.ticket_id or message.delivery:
        await turn.say(texts.CHOICE_GONE, remember=False)
        return
    await conversations.note_delivery(turn.tx, draft, "moved")
    words = Incoming(
        event_id="",
        sender=place(member),
        text=message.text,
        message_id=message.external_id,
        attachments=attachments_of(message.attachments),
    )
    await answer(turn, member, ticket, words)


async def answer(turn: Turn, member: Member, ticket: Ticket, incoming: Incoming) -> None:
    """Send the member's words to the parent, unless somebody else was first."""
    # Before anything else, so that the parent's own events wait for us and not for each other.
    if await people.hold(turn.tx, ticket.person_id) is None:
        await turn.say(texts.TICKET_CLOSED, remember=False)  # they asked to be forgotten
        return
    before = await _just_said(turn, member)
    message_id = await conversations.add_message(
        turn.tx,
        ticket.conversation_id,
        author="staff",
        staff_id=member.id,
        text=incoming.text,
        ticket_id=ticket.id,
        external_id=incoming.message_id,
        files=files_of(incoming.attachments),
        now=turn.now,
    )
    claimed = await tickets.claim(turn.tx, ticket.id, member.id, now=turn.now)
    if claimed is None:
        await _refuse_second(turn, member, ticket, message_id)
        return
    if before is not None and before.ticket_id == ticket.id and not incoming.text.strip():
        await _deliver_file(turn, claimed, message_id)
        return
    await _deliver(turn, member, claimed, message_id)
    if ticket.first_answer_at is None:
        await _tell_colleagues(turn, member, claimed, incoming.text)


async def close(turn: Turn, member: Member, ticket: Ticket) -> None:
    """Close the question and tell everybody whom it concerns."""
    parent = await people.hold(turn.tx, ticket.person_id)
    closed = await tickets.close(turn.tx, ticket.id, staff_id=member.id, now=turn.now)
    if closed is None:
        await turn.say(texts.TICKET_CLOSED, remember=False)
        return
    conversation = await conversations.find(turn.tx, ticket.conversation_id)
    if conversation is not None and conversation.ticket_id == ticket.id:
        mode = showing.after_closing(conversation)
        await conversations.switch(turn.tx, conversation.id, mode, ticket_id=None, now=turn.now)
    await journal.note(
        turn.tx,
        "ticket_closed",
        actor=f"staff:{member.id}",
        now=turn.now,
        ticket_id=ticket.id,
        topic=ticket.topic,
    )
    if parent is not None:
        await turn.send(Outgoing(Address(parent.channel, parent.chat_id), texts.ticket_closed(ticket.id)))
    for colleague in await staff.everyone(turn.tx):
        await turn.send(
            Outgoing(place(colleague), texts.other_closed(ticket.id, member.name), priority="notice")
        )


async def _meant_ticket(turn: Turn, member: Member, incoming: Incoming) -> int | None:
    if incoming.ticket_id is not None:
        return incoming.ticket_id
    if incoming.reply_to is not None:
        mark = await outbox.find_sent(turn.tx, turn.person.channel, turn.person.chat_id, incoming.reply_to)
        if mark is not None and mark.ticket_id is not None:
            return mark.ticket_id
    if member.replying_to is not None:
        return member.replying_to
    before = await _just_said(turn, member)
    return before.ticket_id if before is not None else None


async def _just_said(turn: Turn, member: Member) -> Message | None:
    """The answer that the member gave a moment ago, if there was one."""
    last = await conversations.last_of_staff(turn.tx, member.id)
    return last if last is not None and turn.now - last.created_at <= GOES_ON else None


async def _refuse_second(turn: Turn, member: Member, ticket: Ticket, message_id: int) -> None:
    await conversations.note_delivery(turn.tx, message_id, "second")
    fresh = await tickets.find(turn.tx, ticket.id)
    if fresh is None or fresh.state == "closed":
        await turn.say(texts.TICKET_CLOSED, remember=False)
        return
    owner = await staff.find(turn.tx, fresh.owner_id or 0)
    await turn.send(
        Outgoing(
            place(member),
            texts.answer_was_second(ticket.id, owner.name if owner else ""),
            rows([Button(texts.BUTTON_SEND_ANYWAY, f"send:{message_id}")]),
            ticket_id=ticket.id,
        )
    )


async def _send_anyway(turn: Turn, member: Member, *, message_id: int) -> None:
    message = await conversations.message(turn.tx, message_id)
    if (
        message is None
        or message.staff_id != member.id
        or message.delivery != "second"
        or not message.ticket_id
    ):
        await turn.say(texts.CHOICE_GONE, remember=False)
        return
    found = await tickets.find(turn.tx, message.ticket_id)
    if found is not None:
        await people.hold(turn.tx, found.person_id)
    ticket = await tickets.hand_over(turn.tx, message.ticket_id, member.id, now=turn.now)
    if ticket is None:
        await turn.say(texts.TICKET_CLOSED, remember=False)
        return
    await conversations.note_delivery(turn.tx, message_id, None)
    await _deliver(turn, member, ticket, message_id)
    await _tell_colleagues(turn, member, ticket, message.text)


async def _deliver(turn: Turn, member: Member, ticket: Ticket, message_id: int) -> None:
    parent, message = await _parent_and_message(turn, ticket, message_id)
    await _take_from_bot(turn, ticket, parent)
    await turn.send(
        Outgoing(
            Address(parent.channel, parent.chat_id),
            texts.staff_answer(ticket.id, message.text),
            rows([Button(texts.BUTTON_SOLVED, f"solved:{ticket.id}")]),
            attachments_of(message.attachments),
        ),
        message_id=message_id,
    )
    await journal.note(
        turn.tx,
        "staff_answered",
        actor=f"staff:{member.id}",
        now=turn.now,
        ticket_id=ticket.id,
        topic=ticket.topic,
    )
    buttons = rows(
        [
            Button(texts.BUTTON_ANSWER_MORE, f"answer:{ticket.id}"),
            Button(texts.BUTTON_CLOSE, f"close:{ticket.id}"),
        ]
    )
    await turn.send(Outgoing(place(member), texts.answer_sent(ticket.id), buttons, ticket_id=ticket.id))


async def _deliver_file(turn: Turn, ticket: Ticket, message_id: int) -> None:
    """A file without words right after an answer is the rest of an album: it needs no heading again."""
    parent, message = await _parent_and_message(turn, ticket, message_id)
    to = Address(parent.channel, parent.chat_id)
    files = attachments_of(message.attachments)
    await turn.send(Outgoing(to, "", attachments=files), message_id=message_id)


async def _parent_and_message(turn: Turn, ticket: Ticket, message_id: int) -> tuple[Person, Message]:
    parent = await people.find(turn.tx, ticket.person_id)
    message = await conversations.message(turn.tx, message_id)
    if parent is None or message is None:
        raise HelpdeskError(texts.TICKET_UNKNOWN)
    return parent, message


async def _take_from_bot(turn: Turn, ticket: Ticket, parent: Person) -> None:
    """A human talks now; what the bot had still to answer is for the human to read."""
    waiting = await conversations.pending(turn.tx, ticket.conversation_id)
    await conversations.switch(turn.tx, ticket.conversation_id, "human", ticket_id=ticket.id, now=turn.now)
    if not waiting:
        return
    since = waiting[0].created_at
    await conversations.put_into_ticket(turn.tx, ticket.conversation_id, ticket.id, since=since)
    for message in waiting:
        text = texts.parent_wrote(ticket.id, parent.name, message.text)
        if message.unchecked:
            kinds = [each.kind for each in message.unchecked]
            text = texts_photos.parent_sent(ticket.id, parent.name, message.text, kinds)
            await conversations.set_answer_due(turn.tx, ticket.conversation_id, turn.now)
        await showing.tell_staff(turn, ticket, text, files=attachments_of(message.cleared))


async def _tell_colleagues(turn: Turn, member: Member, ticket: Ticket, answered: str) -> None:
    text = texts.other_answered(ticket.id, member.name, answered)
    for colleague in await staff.everyone(turn.tx):
        if colleague.id != member.id:
            await turn.send(Outgoing(place(colleague), text, ticket_id=ticket.id, priority="notice"))


async def _correct(turn: Turn, member: Member, incoming: Incoming) -> None:
    if incoming.message_id is None:
        return
    number = await conversations.staff_message_id(turn.tx, member.id, incoming.message_id)
    before = await conversations.message(turn.tx, number) if number is not None else None
    if before is None or before.text == incoming.text:
        return
    message = await conversations.edit_staff_message(
        turn.tx, member.id, incoming.message_id, text=incoming.text, now=turn.now
    )
    if message is None or message.ticket_id is None or message.delivery is not None:
        return
    ticket = await tickets.find(turn.tx, message.ticket_id)
    parent = await people.find(turn.tx, ticket.person_id) if ticket else None
    if ticket is not None and parent is not None:
        await turn.send(
            Outgoing(
                Address(parent.channel, parent.chat_id), texts.staff_correction(ticket.id, incoming.text)
            ),
            message_id=message.id,
        )


def _list_button() -> tuple[tuple[Button, ...], ...]:
    return rows([Button(texts.BUTTON_OPEN_LIST, "open")])
