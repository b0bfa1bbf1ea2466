"""A human takes over: from the wish for one until the question is closed."""

from __future__ import annotations

from datetime import timedelta

from handlers import texts
from handlers.messages import Address, Attachment, Button, Outgoing
from handlers.turn import Turn, attachments_of, place, queue, rows
from storage import conversations, journal, people, staff, tickets
from storage.conversations import Conversation, Message, Mode
from storage.staff import Member
from storage.tickets import Reason, Ticket

WAIT_FOR_SCHOOL = timedelta(minutes=10)
"""A question goes to the staff without a school when the parent does not name it for so long."""
THREAD_BEFORE = timedelta(days=1)
"""What was said within this time before the call belongs to the question."""
CARD_MESSAGES = 12
"""So many last messages stand on a card; all of them are kept."""


async def call_human(turn: Turn, *, reason: Reason) -> None:
    """The parent wants, or needs, a human: ask for the school, unless a question is open already."""
    if turn.conversation.ticket_id is not None:
        ticket = await tickets.find(turn.tx, turn.conversation.ticket_id)
        if ticket is not None and ticket.state != "closed":
            await rejoin(turn, ticket)
            await turn.say(texts.ticket_joined_again(ticket.id))
            return
    if turn.state.step == "school":
        await ask_school_again(turn)
        return
    turn.state.step = "school"
    turn.state.reason = reason
    # What was still to be answered is the human's now: it must not be read as the name of a school.
    await conversations.settle(turn.tx, turn.conversation.id)
    await _ask_school(turn, texts.ASK_SCHOOL)


async def ask_school_again(turn: Turn) -> None:
    """The school is still missing."""
    await _ask_school(turn, texts.ASK_SCHOOL_AGAIN)


async def cancel(turn: Turn) -> None:
    """The parent goes on without a human."""
    await forget_school(turn)
    await turn.say(texts.CANCELLED)


async def forget_school(turn: Turn) -> None:
    """The parent is past the question about the school, if it was asked."""
    if turn.state.step == "school":
        turn.state.step = turn.state.reason = ""
        await conversations.set_answer_due(turn.tx, turn.conversation.id, None)


async def rejoin(turn: Turn, ticket: Ticket) -> None:
    """The parent, who went back to the bot, returns to the open question with what was said meanwhile."""
    was_with_bot = turn.conversation.mode == "bot"
    await turn.switch("human" if ticket.owner_id else "waiting_human", ticket_id=ticket.id)
    if not was_with_bot:
        return
    turn.state.tried = ()
    turn.state.topic = ""
    turn.state.understood()
    recent = await conversations.history(turn.tx, turn.conversation.id)
    meanwhile = [
        message
        for message in recent
        if message.author == "person"
        and message.ticket_id is None
        and message.created_at >= ticket.created_at
    ]
    await conversations.put_into_ticket(turn.tx, turn.conversation.id, ticket.id, since=ticket.created_at)
    await tell_staff(
        turn,
        ticket,
        texts.parent_returned(ticket.id, turn.person.name, [_line(message) for message in meanwhile]),
        files=attachments_of(file for message in meanwhile for file in message.attachments),
    )


async def open_question(turn: Turn, *, school: str) -> None:
    """Open the ticket and show it to the staff."""
    reason: Reason = turn.state.reason or "asked"  # type: ignore[assignment]
    ticket = await tickets.open_ticket(
        turn.tx,
        person_id=turn.person.id,
        conversation_id=turn.conversation.id,
        reason=reason,
        topic=turn.state.topic or None,
        tried=turn.state.tried,
        school=school,
        now=turn.now,
    )
    await conversations.put_into_ticket(
        turn.tx, turn.conversation.id, ticket.id, since=turn.now - THREAD_BEFORE
    )
    await turn.switch("waiting_human", ticket_id=ticket.id)
    turn.state.step = turn.state.reason = turn.state.topic = ""
    turn.state.tried = ()
    turn.state.understood()
    await journal.note(
        turn.tx,
        "ticket_opened",
        actor="person",
        now=turn.now,
        topic=ticket.topic,
        ticket_id=ticket.id,
        details={"reason": reason},
    )
    await _show_card(turn, ticket)
    if reason != "error":
        await turn.say(texts.ticket_opened(ticket.id), rows([Button(texts.BUTTON_BACK_TO_BOT, "bot")]))


async def pass_on(turn: Turn, text: str, *, files: tuple[Attachment, ...]) -> None:
    """What the parent writes while a human has the question goes to that human."""
    ticket = await _open_ticket(turn)
    if ticket is not None and (text or files):
        await tell_staff(turn, ticket, texts.parent_wrote(ticket.id, turn.person.name, text), files=files)


async def pass_on_correction(turn: Turn, text: str) -> None:
    """The parent edited a message that the staff have seen."""
    ticket = await _open_ticket(turn)
    if ticket is not None:
        await tell_staff(turn, ticket, texts.parent_corrected(ticket.id, turn.person.name, text))


async def pass_on_unreadable(turn: Turn, kind: str) -> None:
    """The parent sent something that cannot be passed on; both sides should know."""
    ticket = await _open_ticket(turn)
    if ticket is not None:
        await tell_staff(turn, ticket, texts.parent_sent_unreadable(ticket.id, kind))


async def back_to_bot(turn: Turn) -> None:
    """The parent talks to the bot again; the question stays with the staff."""
    ticket = await _open_ticket(turn)
    if ticket is None:
        await turn.say(texts.HELP)
        return
    was_with_bot = turn.conversation.mode == "bot"
    await turn.switch("bot", ticket_id=ticket.id)
    await turn.say(texts.BACK_WITH_BOT)
    if was_with_bot:
        return  # the button was pressed twice
    await tell_staff(turn, ticket, texts.parent_back_with_bot(ticket.id), buttons=False)


async def solved(turn: Turn, ticket_id: int) -> None:
    """The parent says that the question is solved."""
    ticket = await tickets.find(turn.tx, ticket_id)
    if ticket is None or ticket.person_id != turn.person.id:
        await turn.say(texts.CHOICE_GONE)
        return
    if await tickets.close(turn.tx, ticket_id, staff_id=None, now=turn.now) is None:
        await turn.say(texts.ALREADY_CLOSED)
        return
    if turn.conversation.ticket_id == ticket_id:
        await turn.switch(after_closing(turn.conversation), ticket_id=None)
    await journal.note(
        turn.tx, "ticket_solved", actor="person", now=turn.now, ticket_id=ticket_id, topic=ticket.topic
    )
    await turn.say(texts.ticket_solved(ticket_id))
    await tell_staff(turn, ticket, texts.parent_closed(ticket_id), buttons=False)


def after_closing(conversation: Conversation) -> Mode:
    """The mode after the question is closed; who talks with the bot already goes on talking with it."""
    return "bot" if conversation.mode == "bot" else "closed"


async def tell_staff(
    turn: Turn,
    ticket: Ticket,
    text: str,
    *,
    files: tuple[Attachment, ...] = (),
    buttons: bool = True,
) -> None:
    """Tell whoever has the question, or everybody while nobody has."""
    for member in await who_works_on(turn, ticket):
        await turn.send(
            Outgoing(
                place(member),
                text,
                staff_buttons(ticket.id) if buttons else (),
                files,
                ticket_id=ticket.id,
                priority="notice",
            )
        )


async def who_works_on(turn: Turn, ticket: Ticket) -> list[Member]:
    """The staff who see this question: its owner, otherwise all of them.

    The school's directory and the scope of roles come between here and `everyone`.
    """
    members = await staff.everyone(turn.tx)
    owner = [member for member in members if member.id == ticket.owner_id]
    return owner or members


def staff_buttons(ticket_id: int) -> tuple[tuple[Button, ...], ...]:
    """What a member of staff can do with a question."""
    return (
        (
            Button(texts.BUTTON_ANSWER, f"answer:{ticket_id}"),
            Button(texts.BUTTON_CLOSE, f"close:{ticket_id}"),
        ),
    )


async def card(turn: Turn, ticket: Ticket, to: Address) -> Outgoing:
    """The card of a question: who, which school, why, what was tried and said."""
    person = await people.find(turn.tx, ticket.person_id)
    thread = await conversations.thread(turn.tx, ticket.id)
    # The bot's answers stand on the card as titles; its questions and greetings would only bury the
    # parent's own words. The message that named the school has its own line, too.
    said = [
        message
        for message in thread
        if message.author != "bot" and (message.text.strip() != ticket.school or message.attachments)
    ]
    titles = [topic.title for topic in map(turn.knowledge.topic, ticket.tried) if topic is not None]
    text = texts.card(
        number=ticket.id,
        name=person.name if person else "",
        channel=person.channel if person else "",
        school=ticket.school,
        reason=ticket.reason,
        tried=titles,
        thread=[_line(message) for message in said[-CARD_MESSAGES:]],
    )
    files = attachments_of(file for message in said[-CARD_MESSAGES:] for file in message.attachments)
    return Outgoing(to, text, staff_buttons(ticket.id), files, ticket_id=ticket.id, priority="notice")


def _line(message: Message) -> str:
    return texts.thread_line(message.author, message.text, len(message.attachments))


async def _ask_school(turn: Turn, text: str) -> None:
    buttons = [Button(texts.BUTTON_SKIP_SCHOOL, "noschool"), Button(texts.BUTTON_CANCEL, "cancel")]
    await turn.say(text, rows(buttons))
    await conversations.set_answer_due(turn.tx, turn.conversation.id, turn.now + WAIT_FOR_SCHOOL)


async def _show_card(turn: Turn, ticket: Ticket) -> None:
    for member in await who_works_on(turn, ticket):
        await queue(turn.tx, await card(turn, ticket, place(member)), now=turn.now)


async def _open_ticket(turn: Turn) -> Ticket | None:
    if turn.conversation.ticket_id is None:
        return None
    ticket = await tickets.find(turn.tx, turn.conversation.ticket_id)
    return ticket if ticket is not None and ticket.state != "closed" else None
