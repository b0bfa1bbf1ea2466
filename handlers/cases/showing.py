"""What the staff are shown of a case, and who of them."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.messages import Address, Attachment, Button, Outgoing
from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from handlers.texts import photos as texts_photos
from handlers.turn import Turn, attachments_of, place, queue
from storage import conversations, people, staff
from storage.conversations import Conversation, Message, Mode
from storage.staff import Member
from storage.tickets import Ticket

CARD_MESSAGES = 12
"""So many last messages stand on a card; all of them are kept."""


async def show_card(turn: Turn, ticket: Ticket) -> None:
    """Show a new case to everybody who may take it."""
    for member in await who_works_on(turn, ticket):
        await queue(turn.tx, await card(turn, ticket, place(member)), now=turn.now)


async def card(turn: Turn, ticket: Ticket, to: Address) -> Outgoing:
    """The card of a question: who, which school, why, what was tried and said."""
    person = await people.find(turn.tx, ticket.person_id)
    thread = await conversations.thread(turn.tx, ticket.id)
    # The bot's answers stand on the card as titles; its questions and greetings would only bury the
    # parent's own words. What was told for the card has its own lines, too.
    on_lines = {"", ticket.school, *(told for _, told in ticket.card)}
    said = [
        message
        for message in thread
        if message.author != "bot" and (message.cleared or message.text.strip() not in on_lines)
    ][-CARD_MESSAGES:]
    titles = [topic.title for topic in map(turn.knowledge.topic, ticket.tried) if topic is not None]
    text = texts.card(
        number=ticket.id,
        name=person.name if person else "",
        channel=person.channel if person else "",
        school=ticket.school,
        reason=ticket.reason,
        about=_about(turn, ticket),
        tried=titles,
        thread=lines(said),
    )
    text += still_checked(thread)
    files = attachments_of(file for message in said for file in message.cleared)
    return Outgoing(to, text, staff_buttons(ticket.id), files, ticket_id=ticket.id, priority="notice")


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


def after_closing(conversation: Conversation) -> Mode:
    """The mode after the question is closed; who talks with the bot already goes on talking with it."""
    return "bot" if conversation.mode == "bot" else "closed"


def lines(said: Iterable[Message]) -> list[str]:
    """The thread in words; a photo without words that nobody may see yet has no line of its own."""
    return [
        texts.thread_line(message.author, message.text, len(message.cleared))
        for message in said
        if message.text.strip() or message.cleared
    ]


def still_checked(said: Iterable[Message]) -> str:
    """That files wait until the parent has checked them; empty when none does."""
    count = sum(len(message.unchecked) for message in said)
    return f"\n\n{texts_photos.still_checked(count)}" if count else ""


def _about(turn: Turn, ticket: Ticket) -> list[str]:
    kind = turn.knowledge.tree.tickets.get(ticket.kind or "")
    # The school has a line of its own.
    fields = [(title, said) for title, said in ticket.card if said != ticket.school]
    return texts_diagnosis.on_card(kind.title if kind else "", fields, urgent=ticket.urgent)
