"""A member of the staff answers a parent, or asks them something."""

from __future__ import annotations

from handlers.cases import showing, weight
from handlers.errors import HelpdeskError
from handlers.messages import Address, Button, Incoming, Outgoing
from handlers.staff import asking, handling
from handlers.texts import basics as texts
from handlers.texts import photos as texts_photos
from handlers.texts import staff as said
from handlers.turn import Turn, attachments_of, files_of, number_in, rows
from storage import casework, conversations, journal, outbox, people, staff
from storage.conversations import Message
from storage.people import Person
from storage.staff import Member
from storage.templates import After
from storage.ticket import Ticket

ANYWAY = "anyway"
MOST_CHOICES = 8
"""Questions offered when nobody knows whose answer it is; more do not fit a phone."""


async def begin(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:
    """«Ответить»: the next words go to the parent."""
    if not await _is_theirs_to_answer(turn, member, ticket, detail, again=f"answer:{ticket.id}:{ANYWAY}"):
        return
    await asking.ask(turn, member, texts.write_answer(ticket.id), as_=asking.ANSWER, ticket_id=ticket.id)


async def begin_question(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:
    """«Спросить родителя»: the next words go to the parent, and the clock stands until they write."""
    if not await _is_theirs_to_answer(turn, member, ticket, detail, again=f"ask:{ticket.id}:{ANYWAY}"):
        return
    await asking.ask(turn, member, said.write_question(ticket.id), as_="question", ticket_id=ticket.id)


async def hear(turn: Turn, member: Member, ticket: Ticket, incoming: Incoming, _: str) -> None:
    """Words for the parent."""
    await answer(turn, member, ticket, incoming)


async def hear_question(turn: Turn, member: Member, ticket: Ticket, incoming: Incoming, _: str) -> None:
    """Words that ask the parent something."""
    await answer(turn, member, ticket, incoming, after="wait", is_question=True)


async def answer(
    turn: Turn,
    member: Member,
    ticket: Ticket,
    incoming: Incoming,
    *,
    after: After = "none",
    is_question: bool = False,
    answers_id: int | None = None,
) -> None:
    """Send the member's words to the parent, unless somebody else was first; then do what comes `after`.

    `answers_id` is the parent's message to which they are a reply.
    """
    ticket = await handling.hold(turn, member, ticket)
    before = await asking.just_said(turn, member)
    incoming = await weight.without_too_large(turn, incoming)
    if not incoming.text.strip() and not incoming.attachments:
        return
    message_id = await conversations.add_message(
        turn.tx,
        ticket.conversation_id,
        author="staff",
        staff_id=member.id,
        text=incoming.text,
        ticket_id=ticket.id,
        external_id=asking.kept_under(turn, incoming),
        files=files_of(incoming.attachments),
        now=turn.now,
    )
    claimed = await casework.claim(turn.tx, turn.scope(member), ticket.id, now=turn.now)
    if claimed is None:
        await _refuse_second(turn, member, ticket, message_id)
        return
    album = incoming.album and f"answer/{ticket.id}/{incoming.album}"
    if before is not None and before.ticket_id == ticket.id and not incoming.text.strip():
        await _deliver_file(turn, claimed, message_id, album=album)
        return
    await _deliver(
        turn, member, claimed, message_id, is_question=is_question, album=album, answers_id=answers_id
    )
    if ticket.first_answer_at is None:
        await handling.tell_colleagues(
            turn, claimed, texts.other_answered(ticket.id, member.name, incoming.text)
        )
    await _and_then(turn, member, claimed, after, is_question=is_question)


async def ask_whose(turn: Turn, member: Member, incoming: Incoming) -> None:
    """Words that belong to no question we know are kept until the member says whose answer they are."""
    scope = turn.scope(member)
    waiting = await casework.listed(turn.tx, scope, "mine", now=turn.now, limit=MOST_CHOICES)
    others = await casework.listed(turn.tx, scope, "open", now=turn.now, limit=MOST_CHOICES)
    waiting = list({ticket.id: ticket for ticket in (*waiting, *others)}.values())[:MOST_CHOICES]
    if not waiting:
        await turn.say(texts.STAFF_HELP, handling.list_button(), remember=False)
        return
    before = await asking.just_said(turn, member)
    goes_on = before is not None and before.ticket_id is None and before.delivery is None
    draft = await conversations.add_message(
        turn.tx,
        turn.conversation.id,
        author="staff",
        staff_id=member.id,
        text=incoming.text,
        external_id=asking.kept_under(turn, incoming),
        files=files_of(incoming.attachments),
        now=turn.now,
    )
    if goes_on and not incoming.text.strip():
        return  # the rest of an album goes where its first photo goes
    choices = [
        Button(texts.BUTTON_SHOW.format(number=ticket.id), f"to:{ticket.id}:{draft}") for ticket in waiting
    ]
    await turn.say(texts.WHOSE_ANSWER, rows(choices), remember=False)


async def send_draft(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:
    """The member says whose answer their words were."""
    first = number_in(detail)
    drafts = await conversations.drafts(turn.tx, member.id, first=first)
    if not drafts or drafts[0].id != first:
        await turn.say(said.NOT_YOUR_DRAFT, remember=False)
        return
    together = [drafts[0]]
    for each in drafts[1:]:
        if each.text.strip() or each.created_at - together[-1].created_at > asking.GOES_ON:
            break
        together.append(each)
    for each in together:
        await conversations.note_delivery(turn.tx, each.id, "moved")
    album = f"draft-{first}" if len(together) > 1 else None
    for each in together:
        words = Incoming(
            event_id="",
            sender=turn.address,
            text=each.text,
            # It has the number of its chat with it already.
            message_id=None,
            attachments=attachments_of(each.attachments),
            album=album,
        )
        await answer(turn, member, ticket, words)


async def send_anyway(turn: Turn, member: Member, argument: str) -> None:
    """«Отправить от себя»: a colleague was first, and yet it is to be sent."""
    message = await conversations.message(turn.tx, number_in(argument))
    if (
        message is None
        or message.staff_id != member.id
        or message.delivery != "second"
        or not message.ticket_id
    ):
        await turn.say(said.NOT_YOUR_DRAFT, remember=False)
        return
    found = await casework.seen(turn.tx, turn.scope(member), message.ticket_id)
    if found is None:
        raise HelpdeskError(texts.TICKET_UNKNOWN)
    await handling.hold(turn, member, found)
    ticket = await casework.hand_over(turn.tx, turn.scope(member), found.id, now=turn.now)
    if ticket is None:
        raise HelpdeskError(texts.too_late(found.id))
    await conversations.note_delivery(turn.tx, message.id, None)
    await _deliver(turn, member, ticket, message.id)
    text = texts.other_answered(ticket.id, member.name, message.text)
    await handling.tell_colleagues(turn, ticket, text)


async def correct(turn: Turn, member: Member, incoming: Incoming) -> None:
    """The member edited what they had said: the new words go where the old ones went."""
    kept_under = asking.kept_under(turn, incoming)
    if kept_under is None:
        return
    number = await conversations.staff_message_id(turn.tx, member.id, kept_under)
    before = await conversations.message(turn.tx, number) if number is not None else None
    if before is None or before.text == incoming.text:
        return
    message = await conversations.edit_staff_message(
        turn.tx, member.id, kept_under, text=incoming.text, now=turn.now
    )
    if message is None:
        return
    if message.delivery == "moved":
        for copy in await conversations.edit_copies(turn.tx, before, text=incoming.text, now=turn.now):
            await _correct(turn, member, copy)
        return
    await _correct(turn, member, message)


async def _correct(turn: Turn, member: Member, message: Message) -> None:
    if message.ticket_id is None or message.delivery is not None:
        return
    ticket = await casework.seen(turn.tx, turn.scope(member), message.ticket_id)
    if ticket is None:
        await turn.say(texts.TICKET_UNKNOWN, remember=False)
    elif message.author == asking.NOTE:
        await turn.say(said.note_changed(ticket.id), remember=False)
        again = said.note_shown_again(ticket.id, member.name, message.text)
        await handling.tell_colleagues(turn, ticket, again)
    else:
        await _send_correction(turn, member, ticket, message)


async def _send_correction(turn: Turn, member: Member, ticket: Ticket, message: Message) -> None:
    parent = await people.find(turn.tx, ticket.person_id)
    if parent is None:
        raise HelpdeskError(said.GONE_PARENT)
    original = await outbox.sent_as(turn.tx, message.id, parent.channel, parent.chat_id)
    text = said.correction(ticket.id, message.text, whose=handling.whose(member, ticket))
    to = Address(parent.channel, parent.chat_id)
    await turn.send(Outgoing(to, text, reply_to=original), message_id=message.id)


async def _is_theirs_to_answer(
    turn: Turn, member: Member, ticket: Ticket, detail: str, *, again: str
) -> bool:
    if ticket.owner_id in {None, member.id} or detail == ANYWAY:
        return True
    owner = await staff.find(turn.tx, ticket.owner_id or 0)
    buttons = rows([Button(said.BUTTON_ANSWER_ALL_THE_SAME, again)])
    await turn.say(said.is_taken(ticket.id, owner.name if owner else ""), buttons, remember=False)
    return False


async def _refuse_second(turn: Turn, member: Member, ticket: Ticket, message_id: int) -> None:
    await conversations.note_delivery(turn.tx, message_id, "second")
    fresh = await casework.seen(turn.tx, turn.scope(member), ticket.id)
    if fresh is None or fresh.state == "closed":
        raise HelpdeskError(texts.too_late(ticket.id))
    owner = await staff.find(turn.tx, fresh.owner_id or 0)
    await turn.send(
        Outgoing(
            turn.address,
            texts.answer_was_second(ticket.id, owner.name if owner else ""),
            rows([Button(texts.BUTTON_SEND_ANYWAY, f"send:{message_id}")]),
            ticket_id=ticket.id,
        )
    )


async def _deliver(
    turn: Turn,
    member: Member,
    ticket: Ticket,
    message_id: int,
    *,
    is_question: bool = False,
    album: str | None = None,
    answers_id: int | None = None,
) -> None:
    parent, message = await _parent_and_message(turn, ticket, message_id)
    await _take_from_bot(turn, ticket, parent)
    whose = handling.whose(member, ticket)
    words = said.question if is_question else said.answer
    replied_to = await conversations.message(turn.tx, answers_id) if answers_id is not None else None
    is_same_chat = replied_to is not None and replied_to.conversation_id == ticket.conversation_id
    await turn.send(
        Outgoing(
            Address(parent.channel, parent.chat_id),
            words(ticket.id, message.text, whose=whose),
            rows([Button(texts.BUTTON_SOLVED, f"solved:{ticket.id}")]),
            attachments_of(message.attachments),
            reply_to=replied_to.external_id if replied_to is not None and is_same_chat else None,
        ),
        message_id=message_id,
        album=album,
    )
    await journal.note(
        turn.tx,
        "staff_answered",
        actor=f"staff:{member.id}",
        now=turn.now,
        ticket_id=ticket.id,
        topic=ticket.topic,
    )
    done = said.question_sent(ticket.id) if is_question else texts.answer_sent(ticket.id)
    buttons = rows(
        [
            Button(texts.BUTTON_ANSWER_MORE, f"answer:{ticket.id}"),
            Button(texts.BUTTON_CLOSE, f"close:{ticket.id}"),
        ]
    )
    await turn.send(Outgoing(turn.address, done, buttons, ticket_id=ticket.id))


async def _and_then(turn: Turn, member: Member, ticket: Ticket, after: After, *, is_question: bool) -> None:
    if after == "close":
        await handling.close(turn, member, ticket, "")
    elif after == "wait":
        stopped = await handling.stop_clock(turn, member, ticket)
        if stopped and not is_question:
            await turn.say(said.waits_for_parent(ticket.id), remember=False)


async def _deliver_file(turn: Turn, ticket: Ticket, message_id: int, *, album: str | None) -> None:
    """A file without words right after an answer is the rest of an album: it needs no heading again."""
    parent, message = await _parent_and_message(turn, ticket, message_id)
    to = Address(parent.channel, parent.chat_id)
    files = attachments_of(message.attachments)
    await turn.send(Outgoing(to, "", attachments=files), message_id=message_id, album=album)


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
        files = attachments_of(message.cleared)
        await showing.tell_staff(turn, ticket, text, files=files, shows_id=message.id)
