"""A member of the staff deals with an incident: one answer for all, who was told, or each case by itself."""

from __future__ import annotations

from handlers.cases import incidents, showing
from handlers.errors import HelpdeskError
from handlers.messages import Button, Incoming, Outgoing
from handlers.staff import asking, handling
from handlers.texts import basics
from handlers.texts import incidents as texts
from handlers.turn import Turn, files_of, number_in, rows
from storage import casework, conversations, journal, people, staff
from storage import incidents as stored
from storage.incidents import Incident
from storage.staff import Member
from storage.ticket import Ticket

PAGE = 10
"""Cases on a page of the list."""


async def press(turn: Turn, member: Member, argument: str) -> None:
    """A button of an incident: `inc:number:deed`."""
    number, _, rest = argument.partition(":")
    deed, _, detail = rest.partition(":")
    incident = await stored.seen(turn.tx, turn.scope(member), number_in(number))
    if incident is None or (incident.closed_at is not None and deed not in {"who", ""}):
        raise HelpdeskError(texts.INCIDENT_GONE)
    if deed == "answer":
        await _ask_for_answer(turn, member, incident)
    elif deed == "who":
        await _show_who(turn, incident, page=max(1, number_in(detail)))
    elif deed == "split" and detail:
        await _split(turn, member, incident)
    elif deed == "split":
        await _confirm(
            turn, texts.ask_split(incident.id), texts.BUTTON_SPLIT_YES, f"inc:{incident.id}:split:yes"
        )
    elif deed == "close" and detail:
        await _close(turn, member, incident)
    elif deed == "close":
        asked = texts.ask_close_all(incident.id, len(await _open(turn, member, incident)))
        await _confirm(turn, asked, texts.BUTTON_CLOSE_ALL_YES, f"inc:{incident.id}:close:yes")
    else:
        await turn.send(await incidents.card(turn, incident, turn.address))


async def hear(turn: Turn, member: Member, incoming: Incoming, detail: str) -> None:
    """The answer to all; `detail` is the number of the incident."""
    # Whatever the member writes later is meant for somebody else.
    await staff.set_replying(turn.tx, member.id, None)
    incident = await stored.seen(turn.tx, turn.scope(member), number_in(detail))
    if incident is None or incident.closed_at is not None:
        raise HelpdeskError(texts.INCIDENT_GONE)
    waiting = await _open(turn, member, incident)
    if not waiting:
        raise HelpdeskError(texts.NOTHING_OPEN)
    answer_id = await conversations.add_message(
        turn.tx,
        turn.conversation.id,
        author="staff",
        staff_id=member.id,
        text=incoming.text,
        external_id=asking.kept_under(turn, incoming),
        files=files_of(incoming.attachments),
        now=turn.now,
    )
    # It was sent, though not from here: nobody may take it for a draft.
    await conversations.note_delivery(turn.tx, answer_id, "moved")
    answer = await conversations.message(turn.tx, answer_id)
    await stored.note_answer(turn.tx, turn.scope(member), incident.id, answer_id)
    told = []
    for ticket in waiting:
        await people.hold(turn.tx, ticket.person_id)
        claimed = await casework.hand_over(turn.tx, turn.scope(member), ticket.id, now=turn.now)
        if claimed is not None and answer is not None:
            await incidents.give(turn, claimed, answer, whose=handling.whose(member, claimed))
            told.append(claimed.id)
    await journal.note(
        turn.tx,
        "incident_answered",
        actor=f"staff:{member.id}",
        now=turn.now,
        details={"incident": incident.id, "cases": len(told)},
    )
    again = [
        Button(texts.BUTTON_WHO, f"inc:{incident.id}:who"),
        Button(texts.BUTTON_CLOSE_ALL, f"inc:{incident.id}:close"),
    ]
    await turn.send(Outgoing(turn.address, texts.answered_all(incident.id, told), rows(again)))


async def _ask_for_answer(turn: Turn, member: Member, incident: Incident) -> None:
    waiting = await _open(turn, member, incident)
    if not waiting:
        raise HelpdeskError(texts.NOTHING_OPEN)
    asked = texts.write_to_all(incident.id, len(waiting))
    await asking.ask(turn, member, asked, as_=f"{asking.TO_ALL}:{incident.id}")


async def _show_who(turn: Turn, incident: Incident, *, page: int) -> None:
    cases = await stored.cases(turn.tx, incident.id)
    pages = max(1, -(-len(cases) // PAGE))
    page = min(page, pages)
    shown = cases[(page - 1) * PAGE : page * PAGE]
    parents = await people.some(turn.tx, [case.person_id for case in shown])
    lines = []
    for case in shown:
        thread = await conversations.thread(turn.tx, case.id)
        answers = [message for message in thread if message.author == "staff"]
        failure = next((message.delivery for message in answers if message.delivery), None)
        parent = parents.get(case.person_id)
        line = texts.who_line(
            case.id,
            parent.channel if parent else "",
            is_closed=case.state == "closed",
            is_told=bool(answers),
            failure=basics.UNDELIVERED.get(failure, failure) if failure else None,
        )
        lines.append(line)
    turning = []
    if page > 1:
        turning.append(Button("‹", f"inc:{incident.id}:who:{page - 1}"))
    if page < pages:
        turning.append(Button("›", f"inc:{incident.id}:who:{page + 1}"))
    text = texts.who(incident.id, lines, page=page, pages=pages)
    await turn.send(Outgoing(turn.address, text, (tuple(turning),) if turning else ()))


async def _split(turn: Turn, member: Member, incident: Incident) -> None:
    if await stored.close(turn.tx, turn.scope(member), incident.id, now=turn.now) is None:
        raise HelpdeskError(texts.INCIDENT_GONE)
    freed = await stored.split(turn.tx, incident.id, now=turn.now)
    for ticket in freed:
        await showing.show_card(turn, ticket)
    await turn.say(texts.split(incident.id, [ticket.id for ticket in freed]), remember=False)


async def _close(turn: Turn, member: Member, incident: Incident) -> None:
    waiting = await _open(turn, member, incident)
    if await stored.close(turn.tx, turn.scope(member), incident.id, now=turn.now) is None:
        raise HelpdeskError(texts.INCIDENT_GONE)
    closed = [ticket.id for ticket in waiting if await handling.close_quietly(turn, member, ticket)]
    await turn.say(texts.closed_all(incident.id, closed), remember=False)


async def _open(turn: Turn, member: Member, incident: Incident) -> list[Ticket]:
    """Its open cases that the member may work on."""
    found = [
        await casework.seen(turn.tx, turn.scope(member), case.id)
        for case in await stored.cases(turn.tx, incident.id)
        if case.state != "closed"
    ]
    return [case for case in found if case is not None]


async def _confirm(turn: Turn, text: str, label: str, payload: str) -> None:
    await turn.send(Outgoing(turn.address, text, rows([Button(label, payload)])))
