"""A person in charge declares an outage, and ends it."""

from __future__ import annotations

from handlers.cases import deadlines
from handlers.cases import outages as deeds
from handlers.errors import HelpdeskError
from handlers.messages import Button, Outgoing
from handlers.staff import handling
from handlers.texts import outages as texts
from handlers.turn import Turn, number_in, rows
from storage import conversations, journal, outages, schools
from storage.staff import Member
from storage.ticket import Desk

LONGEST = 500
"""Characters: parents read it on a phone, before their answer."""
MOST_PLACES = 9
"""Places to choose from, on buttons; more do not fit a phone."""


async def command(turn: Turn, member: Member, text: str) -> None:
    """`/outage`: what lasts, and how to declare; `/outage text`: where it is."""
    if not text:
        await _show(turn, member)
        return
    if len(text) > LONGEST:
        raise HelpdeskError(texts.TOO_LONG)
    draft = await conversations.add_message(
        turn.tx, turn.conversation.id, author="note", staff_id=member.id, text=text, now=turn.now
    )
    places = await _places(turn, member)
    if len(places) == 1:
        await _preview(turn, text, draft, places[0])
        return
    buttons = [Button(await deeds.where(turn, desk), f"outage:at:{draft}:{mark}") for desk, mark in places]
    await turn.send(Outgoing(turn.address, texts.choose_place(text), rows(buttons)))


async def press(turn: Turn, member: Member, argument: str) -> None:
    """A button: `outage:deed:…`."""
    deed, _, rest = argument.partition(":")
    first, _, mark = rest.partition(":")
    if deed == "end":
        await _end(turn, member, number_in(first))
    elif deed == "lasts":
        await turn.say(texts.NOTED_AS_LASTING, remember=False)
    elif deed in {"at", "yes"}:
        chosen = next((each for each in await _places(turn, member) if each[1] == mark), None)
        if chosen is None:
            raise HelpdeskError(texts.NOT_YOURS)
        text = await _draft(turn, member, number_in(first))
        if deed == "at":
            await _preview(turn, text, number_in(first), chosen)
        else:
            await _declare(turn, member, text, number_in(first), chosen[0])
    else:
        await _show(turn, member)


async def _show(turn: Turn, member: Member) -> None:
    lasting = [
        outage
        for outage in await outages.lasting(turn.tx)
        if await outages.find(turn.tx, turn.scope(member), outage.id) is not None
    ]
    lines = [texts.line(each.text, await deeds.where(turn, each.desk)) for each in lasting]
    buttons = [
        Button(f"{texts.BUTTON_END}: {await deeds.where(turn, each.desk)}", f"outage:end:{each.id}")
        for each in lasting
    ]
    text = "\n".join([*(lines or [texts.NOTHING_DECLARED]), "", texts.HOW_TO])
    await turn.send(Outgoing(turn.address, text, rows(buttons)))


async def _preview(turn: Turn, text: str, draft: int, chosen: tuple[Desk, str]) -> None:
    desk, mark = chosen
    button = Button(texts.BUTTON_DECLARE, f"outage:yes:{draft}:{mark}")
    shown = texts.preview(text, await deeds.where(turn, desk))
    await turn.send(Outgoing(turn.address, shown, rows([button])))


async def _declare(turn: Turn, member: Member, text: str, draft: int, desk: Desk) -> None:
    outage = await outages.declare(turn.tx, turn.scope(member), desk, text=text, now=turn.now)
    if outage is None:
        raise HelpdeskError(texts.LASTS_ALREADY)
    await conversations.note_delivery(turn.tx, draft, "moved")
    stopped = await deadlines.stop_all(turn, desk)
    await _note(turn, member, "outage_declared", outage.id)
    where = await deeds.where(turn, desk)
    await handling.tell_desk(turn, member, desk, texts.note(member.name, text, where))
    button = Button(texts.BUTTON_END, f"outage:end:{outage.id}")
    await turn.send(Outgoing(turn.address, texts.declared(where, stopped), rows([button])))


async def _end(turn: Turn, member: Member, number: int) -> None:
    outage = await outages.find(turn.tx, turn.scope(member), number)
    if outage is None:
        raise HelpdeskError(texts.NOT_YOURS)
    if await outages.end(turn.tx, turn.scope(member), number, now=turn.now) is None:
        raise HelpdeskError(texts.ENDED_ALREADY)
    # The clocks of a portion start at once; those of thousands are started by the minute's job.
    await deadlines.resume_all(turn)
    await _note(turn, member, "outage_ended", number)
    await turn.say(texts.ended(await deeds.where(turn, outage.desk)), remember=False)


async def _draft(turn: Turn, member: Member, number: int) -> str:
    message = await conversations.message(turn.tx, number)
    if message is None or message.staff_id != member.id or message.author != "note" or message.delivery:
        raise HelpdeskError(texts.LOST_DRAFT)
    return message.text


async def _places(turn: Turn, member: Member) -> list[tuple[Desk, str]]:
    """Where this member may declare an outage, with the mark that a button carries for it.

    A municipality is marked by its first school: names do not fit a button.
    """
    theirs = await schools.of_member(turn.tx, turn.scope(member))
    first_of: dict[str, int] = {}
    for school in theirs:
        first_of.setdefault(school.municipality, school.id)
    municipal = [(Desk("municipal", None, name), f"m{number}") for name, number in first_of.items()]
    own = [
        (Desk("school", school.id, school.municipality), f"s{school.id}")
        for school in theirs
        if school.id in member.school_ids
    ]
    if member.role in {"owner", "ministry"}:
        return [(Desk("ministry"), "all"), *own, *municipal][:MOST_PLACES]
    return ([*municipal, *own] if member.role == "municipal" else own)[:MOST_PLACES]


async def _note(turn: Turn, member: Member, deed: str, number: int) -> None:
    await journal.note(turn.tx, deed, actor=f"staff:{member.id}", now=turn.now, details={"outage": number})
