"""Ready answers: chosen, looked at, sent as they are or after a change."""

from __future__ import annotations

from handlers.cases import desks
from handlers.errors import HelpdeskError
from handlers.messages import Button, Incoming, Outgoing
from handlers.staff import answering, asking
from handlers.texts import staff as texts
from handlers.turn import Deed, Turn, number_in, rows
from storage import templates
from storage.database import Transaction
from storage.staff import Member
from storage.templates import Template
from storage.ticket import Desk, Ticket

MOST_OFFERED = 10
"""Buttons; the desk's own stand first."""


async def offer(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:  # noqa: ARG001 - a deed
    """«Шаблон»: the answers that fit the case's desk, or one of them before it goes."""
    if detail:
        await _preview(turn, ticket, await _of_case(turn, ticket, detail))
        return
    await seed(turn)
    known = await templates.for_desk(turn.tx, ticket.desk)
    if not known:
        raise HelpdeskError(texts.NO_TEMPLATES)
    buttons = [Button(each.title, f"tpl:{ticket.id}:{each.id}") for each in known[:MOST_OFFERED]]
    buttons.append(Button(texts.BUTTON_CALL_OFF, "off"))
    await turn.send(
        Outgoing(turn.address, texts.choose_template(ticket.id), rows(buttons), ticket_id=ticket.id)
    )


async def send(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:
    """«Отправить»: the ready answer as it is."""
    template = await _of_case(turn, ticket, detail)
    words = Incoming(event_id="", sender=turn.address, text=template.text)
    await answering.answer(turn, member, ticket, words, after=template.after)


async def edit(turn: Turn, member: Member, ticket: Ticket, detail: str) -> None:
    """«Изменить перед отправкой»: the next words go instead of the ready ones."""
    template = await _of_case(turn, ticket, detail)
    text = texts.edit_template(ticket.id, template.text)
    await asking.ask(turn, member, text, as_=f"tpl:{template.id}", ticket_id=ticket.id)


async def hear(turn: Turn, member: Member, ticket: Ticket, incoming: Incoming, detail: str) -> None:
    """The changed words; what comes after them is as with the ready ones."""
    template = await _of_case(turn, ticket, detail)
    await answering.answer(turn, member, ticket, incoming, after=template.after)


async def seed(deed: Deed) -> None:
    """Add the first ready answers, once for ever."""
    if not await templates.begin_seeding(deed.tx):
        return
    for each in texts.FIRST_TEMPLATES:
        await templates.add(
            deed.tx,
            desks.MINISTRY,
            title=each.title,
            text=each.text,
            after=each.after,
            staff_id=None,
            now=deed.now,
        )


async def usable(tx: Transaction, desk: Desk, template_id: int) -> Template | None:
    """The ready answer with this number, if the desk may use it; None otherwise."""
    return next((each for each in await templates.for_desk(tx, desk) if each.id == template_id), None)


async def _preview(turn: Turn, ticket: Ticket, template: Template) -> None:
    buttons = rows(
        [
            Button(texts.BUTTON_SEND, f"use:{ticket.id}:{template.id}"),
            Button(texts.BUTTON_EDIT, f"edit:{ticket.id}:{template.id}"),
            Button(texts.BUTTON_CALL_OFF, "off"),
        ]
    )
    text = texts.preview(ticket.id, template.title, template.text, template.after)
    await turn.send(Outgoing(turn.address, text, buttons, ticket_id=ticket.id))


async def _of_case(turn: Turn, ticket: Ticket, detail: str) -> Template:
    template = await usable(turn.tx, ticket.desk, number_in(detail))
    if template is None:
        raise HelpdeskError(texts.NO_SUCH_TEMPLATE)
    return template
