"""What the staff are shown of a case, and who of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handlers.cases import deadlines, desks
from handlers.messages import Address, Attachment, Button, Outgoing, Rows
from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from handlers.texts import photos as texts_photos
from handlers.texts import staff as words
from handlers.turn import Deed, attachments_of, place
from storage import conversations, people, staff
from storage.conversations import Conversation, Message, Mode
from storage.ticket import Ticket

CARD_MESSAGES = 12
"""So many last messages stand on a card; all of them are kept."""
NOBODY: Mapping[int, str] = {}


async def show_card(deed: Deed, ticket: Ticket, *, lead: str = "") -> None:
    """Show a case to everybody who may take it; `lead` says why it comes."""
    for reader in await desks.readers(deed.tx, ticket):
        await deed.send(await card(deed, ticket, reader.to, lead=lead))


async def card(deed: Deed, ticket: Ticket, to: Address, *, lead: str = "") -> Outgoing:
    """The card of a question: who, which school, why, what was tried and said."""
    thread = await conversations.thread(deed.tx, ticket.id)
    # The bot's answers stand on the card as titles; its questions and greetings would only bury the
    # parent's own words. What was told for the card has its own lines, too.
    on_lines = {"", ticket.school, *(told for _, told in ticket.card)}
    said = [
        message
        for message in thread
        if message.author != "bot" and (message.cleared or message.text.strip() not in on_lines)
    ][-CARD_MESSAGES:]
    names = await staff.names(deed.tx)
    text = words.card(
        _head(deed, ticket, names.get(ticket.owner_id or 0, "")),
        lines(said, names=names),
        await _details(deed, ticket),
    )
    text += still_checked(thread)
    files = attachments_of(file for message in said for file in message.cleared)
    return Outgoing(
        to,
        f"{lead}\n\n{text}" if lead else text,
        staff_buttons(ticket),
        files,
        ticket_id=ticket.id,
        priority="notice",
        topic=texts.topic_title(ticket),
    )


async def tell_staff(  # noqa: PLR0913 - what is told has these parts
    deed: Deed,
    ticket: Ticket,
    text: str,
    *,
    files: tuple[Attachment, ...] = (),
    buttons: bool = True,
    shows_id: int | None = None,
    answers: Message | None = None,
    album: str | None = None,
    but: Address | None = None,
) -> None:
    """Tell whoever has the case, or its whole desk while nobody has.

    `shows_id` is the parent's message that is shown, `answers` the staff's to which it is a reply; `but` is
    somebody who knows it already.
    """
    for reader in await desks.readers(deed.tx, ticket):
        if reader.to == but:
            continue
        message = Outgoing(
            reader.to,
            text,
            staff_buttons(ticket) if buttons else (),
            files,
            ticket_id=ticket.id,
            reply_to=await _number_there(deed, answers, reader.to),
            priority="notice",
            topic=texts.topic_title(ticket),
        )
        await deed.send(message, shows_id=shows_id, album=album)


async def _number_there(deed: Deed, message: Message | None, to: Address) -> str | None:
    """The messenger's number of a colleague's message, where they wrote it in this chat."""
    if message is None or message.external_id is None or message.staff_id is None:
        return None
    chat_id, _, in_group = message.external_id.rpartition("/")
    if chat_id:
        return in_group if chat_id == to.chat_id else None
    author = await staff.find(deed.tx, message.staff_id)
    # What was written on a page has a number of its own, which no messenger knows.
    is_there = author is not None and place(author) == to and message.external_id.isdigit()
    return message.external_id if is_there else None


def staff_buttons(ticket: Ticket) -> Rows:
    """What a member of the staff can do with a case."""
    if ticket.state == "closed":
        return ()
    number = ticket.id
    first = [Button(texts.BUTTON_ANSWER, f"answer:{number}")]
    if ticket.owner_id is None:
        first.insert(0, Button(texts.BUTTON_TAKE, f"take:{number}"))
    # What is meant stands in the payload: of two who press at once the second changes nothing.
    urgent = (
        Button(texts.BUTTON_NOT_URGENT, f"urgent:{number}:no")
        if ticket.urgent
        else Button(texts.BUTTON_URGENT, f"urgent:{number}")
    )
    return (
        tuple(first),
        (Button(texts.BUTTON_TEMPLATE, f"tpl:{number}"), Button(words.BUTTON_ASK, f"ask:{number}")),
        (Button(texts.BUTTON_NOTE, f"note:{number}"), Button(texts.BUTTON_PASS_ON, f"pass:{number}")),
        (urgent, Button(texts.BUTTON_CLOSE, f"close:{number}")),
    )


def after_closing(conversation: Conversation) -> Mode:
    """The mode after the question is closed; who talks with the bot already goes on talking with it."""
    return "bot" if conversation.mode == "bot" else "closed"


def lines(said: Iterable[Message], *, names: Mapping[int, str] = NOBODY) -> list[str]:
    """The thread in words, for the staff; `names` are those of colleagues by number.

    A photo without words that nobody may see yet has no line of its own.
    """
    return [
        words.thread_line(
            message.author, message.text, len(message.cleared), name=names.get(message.staff_id or 0, "")
        )
        for message in said
        if message.text.strip() or message.cleared
    ]


def still_checked(said: Iterable[Message]) -> str:
    """That files wait until the parent has checked them; empty when none does."""
    count = sum(len(message.unchecked) for message in said)
    return f"\n\n{texts_photos.still_checked(count)}" if count else ""


def _head(deed: Deed, ticket: Ticket, owner: str) -> list[str]:
    """What is to be seen without scrolling: whose it is, what it is about, until when."""
    kind = deed.knowledge.tree.tickets.get(ticket.kind or "")
    is_higher = ticket.school_id is not None and ticket.level != "school"
    told = [(title, said) for title, said in ticket.card if title in _first_titles(deed)]
    return [
        words.card_head(
            ticket.id,
            urgent=ticket.urgent,
            level=words.desk_name(ticket.desk, ticket.school, "to") if is_higher else "",
        ),
        words.card_school(ticket.school, ticket.municipality),
        *texts_diagnosis.on_card(kind.title if kind else "", told, urgent=bool(kind and kind.urgent)),
        *deadlines.describe(deed, ticket),
        *([words.card_owner(owner)] if ticket.state != "closed" else []),
    ]


async def _details(deed: Deed, ticket: Ticket) -> list[str]:
    """All the rest that is known."""
    person = await people.find(deed.tx, ticket.person_id)
    # The school has a line of its own.
    shown = {*_first_titles(deed)}
    told = [(title, said) for title, said in ticket.card if said != ticket.school and title not in shown]
    titles = [topic.title for topic in map(deed.knowledge.topic, ticket.tried) if topic is not None]
    return [
        *texts_diagnosis.on_card("", told, urgent=False),
        *([words.card_tried(titles)] if titles else []),
        words.card_parent(person.name if person else "", person.channel if person else ""),
        words.card_reason(ticket.reason),
        *([words.card_previous(ticket.previous_id)] if ticket.previous_id else []),
        *([words.card_reopened(ticket.reopened)] if ticket.reopened else []),
    ]


def _first_titles(deed: Deed) -> list[str]:
    """Titles of the card's lines that are read first: the class, and what the screen says."""
    fields = deed.knowledge.tree.fields
    return [*(fields[name].title for name in ("class", "error") if name in fields), texts_diagnosis.ERROR]
