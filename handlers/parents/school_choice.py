"""The school of a question to the staff: told in words, chosen by a button, changed afterwards."""

from __future__ import annotations

from datetime import timedelta

from faq.schools.search import Found
from faq.text import small_talk, wants_human
from handlers.cases import cards, deadlines, desks, showing
from handlers.parents import escalation, schools
from handlers.parents.family import LONGEST_SCHOOL
from handlers.texts import basics
from handlers.texts import schools as texts
from handlers.turn import Turn, number_in
from storage import family, journal, tickets
from storage.family import Child
from storage.schools import School
from storage.ticket import Ticket

PREFIX = "sch:"
"""How the payloads of this file's buttons begin."""
WAIT_FOR_OTHER = timedelta(minutes=10)
"""Words that come later are no name of another school."""
_OTHER = "other:"
"""What the next words are awaited as, with the number of the question."""


async def take(turn: Turn, text: str, found: Found) -> None:
    """Words that name the school; `found` is what they may mean."""
    typed = text.strip()[:LONGEST_SCHOOL]
    school = await schools.sure(turn, found)
    if school is not None:
        await open_at(turn, school)
    elif found.schools:
        turn.state.school_typed = typed
        asked, buttons = schools.which(found, lambda number: f"{PREFIX}{number}", none=f"{PREFIX}none")
        await turn.say(asked, buttons)
        await escalation.wait(turn, escalation.WAIT_FOR_SCHOOL)
    elif turn.state.school_missed or not turn.knowledge.knows_schools:
        await escalation.open_question(turn, school=typed)
    else:
        turn.state.school_missed = True
        turn.state.school_typed = typed
        await escalation.ask_school_again(turn, texts.NOT_FOUND)


async def open_at(turn: Turn, school: School) -> None:
    """Open the question at this school's desk."""
    await _remember(turn, school)
    await escalation.open_question(turn, school=school.name, known=school)


async def open_of_child(turn: Turn, child: Child) -> None:
    """Open the question at the school of this child, which is known at least in words."""
    await _open(turn, child.school, child.school_id)


async def open_unasked(turn: Turn) -> None:
    """The parent fell silent: open the question with what is known of the school by now."""
    children = [each for each in await family.children_of(turn.tx, turn.person.id) if each.school]
    if turn.state.school_typed:
        await escalation.open_question(turn, school=turn.state.school_typed)
    elif cards.is_for_new_school(turn):
        await escalation.open_question(turn, school=basics.SCHOOL_SKIPPED)
    elif children:
        is_one = len({each.school for each in children}) == 1
        await _open(turn, children[0].school if is_one else "", children[0].school_id if is_one else None)
    else:
        await _open(turn, "", turn.state.school_id)


async def _open(turn: Turn, words: str, school_id: int | None) -> None:
    school = await schools.listed(turn, school_id)
    if school is not None:
        await open_at(turn, school)
    else:
        await escalation.open_question(turn, school=words or basics.SCHOOL_SKIPPED)


async def press(turn: Turn, argument: str) -> None:
    """A button whose payload begins with `sch:`; `argument` is the rest. Buttons live for ever."""
    first, _, second = argument.partition(":")
    ticket = await _own(turn, number_in(second)) if second else None
    if first == "other" and ticket is not None:
        await _ask_other(turn, ticket)
    elif first == "none" and ticket is not None:
        await _leave_as_it_is(turn, ticket)
    elif first == "none" and turn.state.step == "school":
        await escalation.open_question(turn, school=turn.state.school_typed or basics.SCHOOL_SKIPPED)
    elif first == "none" or (second and ticket is None):
        await turn.say(basics.CHOICE_GONE)
    else:
        await _choose(turn, await schools.listed(turn, number_in(first)), ticket)


async def hear_other(turn: Turn, text: str) -> bool:
    """Take words asked for by «Другая школа»; False when none were, or when they name no school."""
    awaited = await family.awaited_answer(turn.tx, turn.person.id, now=turn.now) or ""
    if not awaited.startswith(_OTHER):
        return False
    ticket = await _own(turn, number_in(awaited.removeprefix(_OTHER)))
    is_name = bool(text.strip()) and small_talk(text) is None and not wants_human(text)
    found = await turn.knowledge.find_school(text) if ticket is not None and is_name else Found()
    school = await schools.sure(turn, found)
    if ticket is not None and school is None and found.schools:
        number = ticket.id
        asked, buttons = schools.which(
            found, lambda each: f"{PREFIX}{each}:{number}", none=f"{PREFIX}none:{number}"
        )
        await turn.say(asked, buttons)
        return True
    await family.await_nothing(turn.tx, turn.person.id)
    if ticket is None or school is None:
        if ticket is not None and is_name and turn.conversation.mode != "bot":
            await turn.say(texts.not_listed_passed(ticket.id))
        return False
    await _move(turn, ticket, school)
    return True


async def _choose(turn: Turn, school: School | None, ticket: Ticket | None) -> None:
    if school is None:
        again = turn.state.step == "school"
        await (escalation.ask_school_again(turn, texts.NO_LONGER) if again else turn.say(basics.CHOICE_GONE))
    elif ticket is not None:
        await family.await_nothing(turn.tx, turn.person.id)
        await _move(turn, ticket, school)
    elif turn.state.step == "school":
        await open_at(turn, school)
    else:
        await turn.say(basics.CHOICE_GONE)


async def _ask_other(turn: Turn, ticket: Ticket) -> None:
    if not _may_move(ticket):
        await turn.say(_why_not(ticket))
        return
    until = turn.now + WAIT_FOR_OTHER
    await family.await_answer(turn.tx, turn.person.id, f"{_OTHER}{ticket.id}", until=until)
    await turn.say(texts.ASK_OTHER)


async def _leave_as_it_is(turn: Turn, ticket: Ticket) -> None:
    await family.await_nothing(turn.tx, turn.person.id)
    await turn.say(texts.left_where_it_is(ticket.id) if ticket.state != "closed" else basics.ALREADY_CLOSED)


async def _move(turn: Turn, ticket: Ticket, school: School) -> None:
    """Give the question to another school while nobody works on it."""
    if ticket.school_id == school.id and ticket.state != "closed":
        await turn.say(texts.SAME_SCHOOL.format(number=ticket.id))
        return
    desk = await desks.first_alive(turn.tx, desks.of_school(school))
    card = tuple((title, school.name if told == ticket.school else told) for title, told in ticket.card)
    moved = await tickets.move(turn.tx, ticket.id, desk, school=school.name, card=card)
    if moved is None:
        fresh = await tickets.find(turn.tx, ticket.id)
        await turn.say(_why_not(fresh or ticket))
        return
    moved = await deadlines.begin(turn, moved)
    await _remember(turn, school)
    await journal.note(turn.tx, "ticket_moved", actor="person", now=turn.now, ticket_id=ticket.id)
    if await desks.places(turn.tx, ticket.desk) != await desks.places(turn.tx, moved.desk):
        gone = texts.staff_moved_away(ticket.id, school.name)
        await showing.tell_staff(turn, ticket, gone, buttons=False)
    await showing.show_card(turn, moved, lead=texts.staff_moved_here())
    await turn.say(texts.moved(ticket.id, schools.named(school)))


def _may_move(ticket: Ticket) -> bool:
    return ticket.state == "waiting" and ticket.owner_id is None


def _why_not(ticket: Ticket) -> str:
    is_closed = ticket.state == "closed"
    return basics.ALREADY_CLOSED if is_closed else texts.TAKEN_ALREADY.format(number=ticket.id)


async def _own(turn: Turn, number: int) -> Ticket | None:
    ticket = await tickets.find(turn.tx, number)
    return ticket if ticket is not None and ticket.person_id == turn.person.id else None


async def _remember(turn: Turn, school: School) -> None:
    """It is offered next time; an only child without a school, or one that changed it, goes there."""
    turn.state.school_id = school.id
    children = await family.children_of(turn.tx, turn.person.id)
    if len(children) == 1 and (not children[0].school or cards.is_for_new_school(turn)):
        child = children[0]
        name = schools.named(school)
        await family.set_school(turn.tx, turn.person.id, child.id, name, school_id=school.id)
