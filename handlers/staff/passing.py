"""A case goes to another desk: another school's, or the next one up, always with a reason."""

from __future__ import annotations

from handlers.cases import deadlines, desks, showing
from handlers.errors import HelpdeskError
from handlers.messages import Address, Button, Incoming, Outgoing, Rows
from handlers.staff import asking, handling, notes
from handlers.texts import basics as texts
from handlers.texts import staff as said
from handlers.turn import Turn, number_in, place
from storage import casework, conversations, journal, people, schools, staff
from storage.schools import School
from storage.staff import Member
from storage.ticket import Desk, Ticket

MOST_SCHOOLS = 5
LONGEST_REASON = 500
"""Characters; the reason stands above the card."""
SCHOOL = "s"
"""Before the number of a school, where a case is to go."""
_FIND = "find"


async def begin(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:
    """«Передать»: ask where, then why."""
    if detail == _FIND:
        await asking.ask(turn, member, said.ASK_SCHOOL, as_="school", ticket_id=ticket.id)
    elif detail:
        await _ask_why(turn, member, ticket, detail)
    else:
        await _ask_where(turn, member, ticket)


async def find_school(turn: Turn, member: Member, ticket: Ticket, incoming: Incoming, _: str) -> None:
    """The name of the school to which it is to go."""
    found = await turn.knowledge.find_school(incoming.text)
    known = [match.school for match in found.schools[:MOST_SCHOOLS]]
    if not known:
        await asking.ask(turn, member, said.NO_SCHOOL_FOUND, as_="school", ticket_id=ticket.id)
        return
    buttons = [_choice(ticket, f"{each.name}, {each.municipality}", f"{SCHOOL}{each.id}") for each in known]
    await staff.set_replying(turn.tx, member.id, ticket.id, as_="school")
    await _offer(turn, ticket, said.WHICH_SCHOOL, (*_rows(buttons), _call_off()), asks="school")


async def hear(turn: Turn, member: Member, ticket: Ticket, incoming: Incoming, detail: str) -> None:
    """The reason: now it goes."""
    why = " ".join(incoming.text.split())[:LONGEST_REASON]
    if not why:
        await asking.ask(turn, member, said.NOTE_IS_EMPTY, as_=f"pass:{detail}", ticket_id=ticket.id)
        return
    await pass_on(turn, member, ticket, detail, why=why)


async def pass_on(turn: Turn, member: Member, ticket: Ticket, where: str, *, why: str) -> None:
    """Give the case to another desk: its deadlines begin anew, and everybody whom it concerns is told.

    `where` is municipal, ministry, or `s` and the number of a school.
    """
    ticket = await handling.hold(turn, member, ticket)
    wanted, school = await _desk(turn, ticket, where)
    if wanted.key == ticket.desk.key:
        raise HelpdeskError(said.is_there(ticket.id, said.desk_name(wanted, school)))
    desk = await desks.first_alive(turn.tx, wanted)
    if desk.key == ticket.desk.key:
        raise HelpdeskError(said.is_there(ticket.id, said.desk_name(desk, school)))
    former = await _former_readers(turn, ticket)
    words = Incoming(event_id="", sender=turn.address, text=said.passed_note(_plainly(desk, school), why))
    await notes.add(turn, member, ticket, words)
    passed = await casework.pass_to(turn.tx, turn.scope(member), ticket.id, desk, school=school)
    if passed is None:
        raise HelpdeskError(texts.TICKET_UNKNOWN)
    await _wait_for_human(turn, passed)
    passed = await deadlines.begin(turn, passed)
    await journal.note(
        turn.tx,
        "passed_on",
        actor=f"staff:{member.id}",
        now=turn.now,
        ticket_id=passed.id,
        topic=passed.topic,
        details={"from": ticket.desk.key, "to": desk.key},
    )
    to = said.desk_name(desk, school, "to")
    from_ = said.desk_name(ticket.desk, ticket.school, "whose")
    await showing.show_card(turn, passed, lead=said.passed_here(member.name, from_, why))
    done = said.passed(passed.id, to)
    if desk.key != wanted.key:
        done = said.passed_higher(passed.id, said.desk_name(wanted, school), to)
    await turn.send(Outgoing(turn.address, done, ticket_id=passed.id))
    await _tell_former(turn, passed, former, said.passed(passed.id, to))
    await _tell_parent(turn, passed, said.parent_passed(passed.id, to))


async def _ask_where(turn: Turn, member: Member, ticket: Ticket) -> None:
    choices: list[Button] = []
    higher = desks.above(ticket.desk)
    if higher is not None:
        alive = await desks.first_alive(turn.tx, higher)
        choices.append(_choice(ticket, said.desk_name(alive, "", "to"), alive.level))
    if ticket.level != "school" and ticket.school_id is not None:
        own_school = _plainly(Desk("school"), ticket.school)
        choices.append(_choice(ticket, own_school, f"{SCHOOL}{ticket.school_id}"))
    if ticket.level == "ministry" and ticket.municipality:
        coordinator = Desk("municipal", ticket.school_id, ticket.municipality)
        if await desks.is_alive(turn.tx, coordinator):
            choices.append(_choice(ticket, said.desk_name(coordinator, "", "to"), coordinator.level))
    own = await schools.some(turn.tx, [each for each in member.school_ids if each != ticket.school_id])
    choices += [
        _choice(ticket, _plainly(Desk("school"), school.name), f"{SCHOOL}{school.id}")
        for school in list(own.values())[:MOST_SCHOOLS]
    ]
    choices.append(Button(said.BUTTON_OTHER_SCHOOL, f"pass:{ticket.id}:{_FIND}"))
    await _offer(turn, ticket, said.pass_where(ticket.id), (*_rows(choices), _call_off()))


async def _ask_why(turn: Turn, member: Member, ticket: Ticket, where: str) -> None:
    desk, school = await _desk(turn, ticket, where)
    if desk.key == ticket.desk.key:
        raise HelpdeskError(said.is_there(ticket.id, said.desk_name(desk, school)))
    text = said.pass_why(ticket.id, said.desk_name(desk, school, "to"))
    await asking.ask(turn, member, text, as_=f"pass:{where}", ticket_id=ticket.id)


async def _desk(turn: Turn, ticket: Ticket, where: str) -> tuple[Desk, str]:
    """The desk that is meant, and what the case's school is called there."""
    if where == "municipal" and ticket.municipality:
        return Desk("municipal", ticket.school_id, ticket.municipality), ticket.school
    if where == "ministry":
        return Desk("ministry", ticket.school_id, ticket.municipality), ticket.school
    school = await _school(turn, where)
    return desks.of_school(school), school.name


async def _school(turn: Turn, where: str) -> School:
    number = number_in(where.removeprefix(SCHOOL)) if where.startswith(SCHOOL) else 0
    school = await schools.find(turn.tx, number)
    if school is None or school.closed_at is not None:
        raise HelpdeskError(said.SCHOOL_GONE)
    return school


async def _former_readers(turn: Turn, ticket: Ticket) -> list[Address]:
    places = [reader.to for reader in await desks.places(turn.tx, ticket.desk)]
    owner = await desks.owner_of(turn.tx, ticket)
    if owner is not None:
        places.append(place(owner))
    return list(dict.fromkeys(places))


async def _tell_former(turn: Turn, passed: Ticket, former: list[Address], text: str) -> None:
    now_there = {reader.to for reader in await desks.places(turn.tx, passed.desk)}
    for to in former:
        if to not in now_there | {turn.here, turn.address}:
            await turn.send(Outgoing(to, text, ticket_id=passed.id, priority="notice"))


async def _tell_parent(turn: Turn, ticket: Ticket, text: str) -> None:
    parent = await people.find(turn.tx, ticket.person_id)
    if parent is None:
        return
    message_id = await conversations.add_message(
        turn.tx, ticket.conversation_id, author="bot", text=text, ticket_id=ticket.id, now=turn.now
    )
    await turn.send(Outgoing(Address(parent.channel, parent.chat_id), text), message_id=message_id)


async def _wait_for_human(turn: Turn, ticket: Ticket) -> None:
    """Nobody talks with the parent now; who went back to the bot stays there."""
    conversation = await conversations.find(turn.tx, ticket.conversation_id)
    if conversation is not None and conversation.ticket_id == ticket.id and conversation.mode == "human":
        await conversations.switch(
            turn.tx, conversation.id, "waiting_human", ticket_id=ticket.id, now=turn.now
        )


async def _offer(turn: Turn, ticket: Ticket, text: str, buttons: Rows, *, asks: str = "") -> None:
    await turn.send(Outgoing(turn.address, text, buttons, ticket_id=ticket.id, asks=asks))


def _choice(ticket: Ticket, label: str, where: str) -> Button:
    return Button(said.pass_button(label), f"pass:{ticket.id}:{where}")


def _rows(choices: list[Button]) -> Rows:
    return tuple((each,) for each in choices)


def _call_off() -> tuple[Button, ...]:
    return (Button(said.BUTTON_CALL_OFF, "off"),)


def _plainly(desk: Desk, school: str) -> str:
    """The desk's name in the dative, as it is: for buttons and for what is kept."""
    if desk.level == "school":
        return f"школе «{school}»"
    return f"координатору ({desk.municipality})" if desk.level == "municipal" else "министерству"
