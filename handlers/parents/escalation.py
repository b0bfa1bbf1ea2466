"""A human takes over: from the wish for one until the question is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from handlers.cases import cards, closing, deadlines, desks, incidents, showing, weight
from handlers.messages import Attachment, Button, Incoming
from handlers.parents import schools
from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from handlers.texts import family as texts_family
from handlers.texts import own_question as texts_own
from handlers.texts import photos as texts_photos
from handlers.texts import schools as texts_schools
from handlers.turn import Turn, attachments_of, rows
from storage import conversations, family, journal, outbox, photos, tickets
from storage.conversations import Message
from storage.schools import School
from storage.ticket import Matter, Reason, Ticket

WAIT_FOR_SCHOOL = timedelta(minutes=10)
"""A question goes to the staff without a school when the parent does not name it for so long."""
THREAD_BEFORE = timedelta(days=1)
"""What was said within this time before the call belongs to the question."""


async def call_human(turn: Turn, *, reason: Reason) -> None:
    """The parent wants, or needs, a human: ask for the school, unless a question is open already."""
    ticket = await _open_ticket(turn)
    if ticket is not None:
        await rejoin(turn, ticket)
        await turn.say(texts.ticket_joined_again(ticket.id))
        return
    if turn.state.step == "school":
        await ask_school_again(turn)
        return
    turn.state.step = "school"
    turn.state.reason = reason
    turn.state.forget_typed_school()
    # What was still to be answered is the human's now: it must not be read as the name of a school.
    await conversations.settle(turn.tx, turn.conversation.id)
    await _ask_school(turn, texts.ASK_SCHOOL)


async def add_to_open_question(turn: Turn, leaf: str) -> bool:
    """What the diagnosis has found goes to the question that is open already; False when none is."""
    ticket = await _open_ticket(turn)
    if ticket is None:
        return False
    cards.begin(turn, leaf)
    matter = _matter(turn, ticket.school)
    await tickets.describe(turn.tx, ticket.id, matter)
    if matter.urgent and not ticket.urgent:
        ticket = await deadlines.hasten(turn, replace(ticket, kind=matter.kind, urgent=True))
    turn.state.end_walk()
    await rejoin(turn, ticket)
    await showing.tell_staff(
        turn, ticket, texts_diagnosis.learnt(ticket.id, matter.card, urgent=matter.urgent)
    )
    await turn.say(texts_diagnosis.ALREADY_OPEN.format(number=ticket.id))
    return True


async def ask_for_school(turn: Turn, *, lead: str = "") -> None:
    """The school is the last thing to know."""
    turn.state.step = "school"
    turn.state.school_doubted = False
    turn.state.forget_typed_school()
    asked = texts_schools.NAME_NEW_SCHOOL if cards.is_for_new_school(turn) else texts.NAME_SCHOOL
    await _ask_school(turn, f"{lead}\n\n{asked}" if lead else asked)


async def ask_school_again(turn: Turn, text: str = texts.ASK_SCHOOL_AGAIN) -> None:
    """The school is still missing."""
    await _ask_school(turn, text)


async def cancel(turn: Turn) -> None:
    """The parent goes on without a human."""
    await forget_school(turn)
    await turn.say(texts.CANCELLED)


async def forget_school(turn: Turn) -> None:
    """The parent is past the questions for the card, if they were asked."""
    if turn.state.step:
        turn.state.step = turn.state.reason = ""
        turn.state.request = {}
        turn.state.forget_typed_school()
        await wait(turn, None)


async def wait(turn: Turn, patience: timedelta | None) -> None:
    """How long to wait for the words just asked for; None: they are not wanted any more."""
    if patience is not None:
        # The next words answer this question, not one about a child that was asked before.
        await family.await_nothing(turn.tx, turn.person.id)
    if await conversations.pending(turn.tx, turn.conversation.id):
        return  # what was typed before the button was pressed is answered at its own time
    due = turn.now + patience if patience is not None else None
    await conversations.set_answer_due(turn.tx, turn.conversation.id, due)


async def rejoin(turn: Turn, ticket: Ticket) -> None:
    """The parent, who went back to the bot, returns to the open question with what was said meanwhile."""
    was_with_bot = turn.conversation.mode == "bot"
    ticket = await deadlines.resume(turn, ticket)
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
    await showing.tell_staff(
        turn,
        ticket,
        texts.parent_returned(ticket.id, turn.person.name, showing.lines(meanwhile))
        + showing.still_checked(meanwhile),
        files=attachments_of(file for message in meanwhile for file in message.cleared),
    )
    await let_check_photos(turn, ticket)


async def open_question(turn: Turn, *, school: str, known: School | None = None) -> None:
    """Open the ticket and show it to the desk of the school, if it is `known`, or of the ministry."""
    matter, keep = _matter(turn, school), await _offer_to_remember(turn, school)
    before = await tickets.of_person(turn.tx, turn.person.id, limit=1)
    matter = replace(matter, previous_id=_closed(before))
    if known is not None:
        desk = await desks.first_alive(turn.tx, desks.of_school(known))
        matter = replace(matter, school_id=known.id, municipality=known.municipality, level=desk.level)
    ticket = await tickets.open_ticket(
        turn.tx,
        person_id=turn.person.id,
        conversation_id=turn.conversation.id,
        matter=matter,
        now=turn.now,
    )
    ticket = await deadlines.begin(turn, ticket)
    await conversations.put_into_ticket(
        turn.tx, turn.conversation.id, ticket.id, since=turn.now - THREAD_BEFORE
    )
    await turn.switch("waiting_human", ticket_id=ticket.id)
    turn.state.step = turn.state.reason = turn.state.topic = ""
    turn.state.tried = ()
    turn.state.forget_typed_school()
    turn.state.understood()
    turn.state.end_walk()
    await journal.note(
        turn.tx,
        "ticket_opened",
        actor="person",
        now=turn.now,
        topic=ticket.topic,
        ticket_id=ticket.id,
        details={"reason": ticket.reason, "kind": ticket.kind},
    )
    await let_check_photos(turn, ticket)
    if ticket.reason != "error":
        told = texts_diagnosis.sent(ticket.id, ticket.card) if ticket.kind else texts.ticket_opened(ticket.id)
        buttons = [Button(texts.BUTTON_BACK_TO_BOT, "bot")]
        buttons += [Button(texts_family.BUTTON_KEEP_CHILD, f"{keep}:{ticket.id}")] if keep else []
        if known is not None:
            told = f"{told}\n\n{texts_schools.taken(schools.named(known))}"
            buttons.append(Button(texts_schools.BUTTON_OTHER, f"sch:other:{ticket.id}"))
        buttons.append(Button(texts_own.BUTTON_MINE, "mine"))
        await turn.say(told, rows(buttons))
    # Last: where others have the same trouble, the answer may be there already.
    await incidents.show_case(turn, ticket)


def _closed(mine: Sequence[Ticket]) -> int | None:
    return mine[0].id if mine and mine[0].state == "closed" else None


async def _offer_to_remember(turn: Turn, school: str) -> str:
    """How a button begins that saves telling the school next time; empty where nothing is to be offered."""
    if cards.kind(turn) is None or school == texts.SCHOOL_SKIPPED:
        return ""
    known = await family.children_of(turn.tx, turn.person.id)
    return "" if known else f"fam:keep:{cards.age_group(turn)}"


def _matter(turn: Turn, school: str) -> Matter:
    """What the parent's question is about, as far as it is known now."""
    kind = cards.kind(turn)
    return Matter(
        reason=turn.state.reason or "asked",  # type: ignore[arg-type]
        topic=turn.state.topic or None,
        tried=turn.state.tried,
        school=school,
        kind=kind.id if kind else None,
        urgent=bool(kind and kind.urgent),
        card=cards.lines(turn, school),
        leaf=cards.leaf(turn),
    )


async def pass_on(
    turn: Turn, text: str, *, files: tuple[Attachment, ...], of: Incoming | None = None
) -> None:
    """What the parent writes while a human has the question goes to that human.

    `of` is the message itself, already kept: a reply of the staff to what they are shown is a reply to it.
    """
    ticket = await _open_ticket(turn)
    if ticket is None or not (text or files):
        return
    ticket = await deadlines.resume(turn, ticket)
    unchecked = [each.kind for each in files if conversations.must_be_checked(each.kind)]
    shown = tuple(each for each in files if not conversations.must_be_checked(each.kind))
    if not unchecked:
        told = texts.parent_wrote(ticket.id, turn.person.name, text)
    elif text or shown or await _are_news(turn, ticket, len(unchecked)):
        told = texts_photos.parent_sent(ticket.id, turn.person.name, text, unchecked)
    else:
        return
    await showing.tell_staff(
        turn,
        ticket,
        told,
        files=shown,
        shows_id=await _kept_as(turn, of),
        answers=await _answered(turn, of),
        album=of.album if of is not None else None,
    )


async def pass_on_correction(turn: Turn, text: str, *, of: Incoming | None = None) -> None:
    """The parent edited a message that the staff have seen."""
    ticket = await _open_ticket(turn)
    if ticket is not None:
        told = texts.parent_corrected(ticket.id, turn.person.name, text)
        await showing.tell_staff(turn, ticket, told, shows_id=await _kept_as(turn, of))


async def without_too_large(turn: Turn, incoming: Incoming) -> Incoming:
    """The message without files that nobody can carry; both sides are told of them."""
    lighter = await weight.without_too_large(turn, incoming)
    told = weight.told_of_too_large(turn.conversation.ticket_id or 0, incoming, lighter)
    ticket = await _open_ticket(turn)
    if told and ticket is not None and turn.conversation.mode != "bot":
        await showing.tell_staff(turn, ticket, told)
    return lighter


async def _kept_as(turn: Turn, incoming: Incoming | None) -> int | None:
    """The number under which this message of the parent is kept."""
    if incoming is None or incoming.message_id is None:
        return None
    kept = await conversations.said(turn.tx, turn.conversation.id, incoming.message_id)
    return kept.id if kept is not None else None


async def _answered(turn: Turn, incoming: Incoming | None) -> Message | None:
    """The message of the staff to which this one is a reply."""
    if incoming is None or incoming.reply_to is None:
        return None
    mark = await outbox.find_sent(turn.tx, turn.person.channel, turn.person.chat_id, incoming.reply_to)
    if mark is None or mark.message_id is None:
        return None
    message = await conversations.message(turn.tx, mark.message_id)
    return message if message is not None and message.author == "staff" else None


async def pass_on_unreadable(turn: Turn, kind: str) -> None:
    """The parent sent something that cannot be passed on; both sides should know."""
    ticket = await _open_ticket(turn)
    if ticket is not None:
        await showing.tell_staff(turn, ticket, texts.parent_sent_unreadable(ticket.id, kind))


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
    await showing.tell_staff(turn, ticket, texts.parent_back_with_bot(ticket.id), buttons=False)


async def solved(turn: Turn, ticket_id: int) -> None:
    """The parent says that the question is solved."""
    ticket = await tickets.find(turn.tx, ticket_id)
    if ticket is None or ticket.person_id != turn.person.id:
        await turn.say(texts.CHOICE_GONE)
        return
    if await tickets.close(turn.tx, ticket_id, now=turn.now) is None:
        await turn.say(texts.ALREADY_CLOSED)
        return
    if turn.conversation.ticket_id == ticket_id:
        await turn.switch(showing.after_closing(turn.conversation), ticket_id=None)
    await journal.note(
        turn.tx, "ticket_solved", actor="person", now=turn.now, ticket_id=ticket_id, topic=ticket.topic
    )
    await closing.ask_later(turn, ticket)
    await turn.say(texts.ticket_solved(ticket_id), closing.mark_buttons(ticket_id))
    await showing.tell_staff(turn, ticket, texts.parent_closed(ticket_id), buttons=False)


async def _are_news(turn: Turn, ticket: Ticket, count: int) -> bool:
    """Whether the staff have not been told of photos just now: an album comes in several messages."""
    waiting = await photos.waiting(turn.tx, turn.conversation.id, ticket_id=ticket.id)
    return sum(each.file.id > turn.state.photos_last for each in waiting) <= count


async def let_check_photos(turn: Turn, ticket: Ticket) -> None:
    """The parent is asked next about the photos of the thread that the staff may not see yet."""
    if await photos.waiting(turn.tx, turn.conversation.id, ticket_id=ticket.id):
        await conversations.set_answer_due(turn.tx, turn.conversation.id, turn.now)


async def _ask_school(turn: Turn, text: str) -> None:
    is_new = cards.is_for_new_school(turn)
    buttons = [] if is_new else await schools.offered(turn, lambda number: f"sch:{number}")
    buttons += [Button(texts.BUTTON_SKIP_SCHOOL, "noschool"), Button(texts.BUTTON_CANCEL, "cancel")]
    await turn.say(text, rows(buttons))
    await wait(turn, WAIT_FOR_SCHOOL)


async def _open_ticket(turn: Turn) -> Ticket | None:
    if turn.conversation.ticket_id is None:
        return None
    ticket = await tickets.find(turn.tx, turn.conversation.ticket_id)
    return ticket if ticket is not None and ticket.state != "closed" else None
