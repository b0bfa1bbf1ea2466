"""Who answers what to a member of the staff: read it from top to bottom."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from handlers.errors import HelpdeskError
from handlers.messages import Incoming
from handlers.staff import (
    answering,
    asking,
    bans,
    campaigns,
    handling,
    incidents,
    lists,
    membership,
    notes,
    outages,
    passing,
    readiness,
    ready,
    template_book,
    venues,
)
from handlers.texts import basics as texts
from handlers.texts import campaigns as of_campaigns
from handlers.texts import groups
from handlers.texts import staff as said
from handlers.turn import Turn, number_in
from storage import casework, conversations, outbox, staff
from storage.staff import Member
from storage.ticket import Ticket

Deed = Callable[[Turn, Member, str], Awaitable[None]]
"""A command or a button; the text is what follows its name."""
CaseDeed = Callable[[Turn, Member, Ticket, str], Awaitable[None]]
"""A button of a case, which is theirs to see; the text is what follows the number."""
Hearing = Callable[[Turn, Member, Ticket, Incoming, str], Awaitable[None]]
"""Words about an open case that is theirs to see; the text is what follows the name of what was asked."""
PlainHearing = Callable[[Turn, Member, Incoming, str], Awaitable[None]]
"""Words about no single case; the text is what follows the name of what was asked."""

_COMMAND = re.compile(r"/[a-zA-Z_]+")
OF_PARENTS = "camp"
"""How the payloads of buttons under announcements begin."""
_CALL_OFF = {"отмена", "отменить", "не надо"}


async def receive(turn: Turn, member: Member, incoming: Incoming) -> None:
    """One event from a member of staff, read top to bottom."""
    command, _, argument = incoming.text.strip().partition(" ")
    command = command.partition("@")[0].casefold()
    if incoming.button is None and not incoming.edited and campaigns.means_brake(incoming.text):
        # In whatever place it is said: it is urgent, and nobody answers a parent so.
        await campaigns.stop_all(turn, member)
    elif await campaigns.may_mean_brake(turn, member, incoming):
        await campaigns.offer_brake(turn)
    elif incoming.ticket_id is not None:
        # Where the place says what is meant, a word that begins with «/» is no command.
        await _write(turn, member, incoming)
    elif incoming.started is not None:
        await help_(turn, member)
    elif incoming.button is not None:
        await _press(turn, member, incoming.button)
    elif incoming.edited:
        await answering.correct(turn, member, incoming)
    elif command in COMMANDS:
        await COMMANDS[command](turn, member, argument.strip())
    elif _COMMAND.fullmatch(command):
        await turn.say(said.NO_SUCH_COMMAND, remember=False)
    else:
        await _write(turn, member, incoming)


async def help_(turn: Turn, member: Member, _: str = "") -> None:  # noqa: ARG001 - a deed
    """What a member can do here."""
    await turn.say(texts.STAFF_HELP, handling.list_button(), remember=False)


async def in_groups_only(turn: Turn, member: Member, _: str = "") -> None:  # noqa: ARG001 - a deed
    """A command for group chats, typed in the member's own."""
    await turn.say(groups.IN_GROUPS_ONLY, remember=False)


async def show_open(turn: Turn, member: Member) -> None:
    """The questions that wait, each with a button that shows its card."""
    await lists.everything(turn, member)


async def is_of_former_member(turn: Turn, incoming: Incoming) -> bool:
    """Whether somebody who is no member any more presses an old button, replies to an old card or edits."""
    is_press = incoming.button is not None and is_ours(incoming.button)
    if not (is_press or incoming.edited) and incoming.reply_to is None:
        return False
    if not await staff.was_member(turn.tx, turn.person.id):
        return False
    if is_press:
        return True
    if incoming.edited:
        return await conversations.was_staffs(turn.tx, turn.person.id, incoming.message_id or "")
    here = turn.address
    mark = await outbox.find_sent(turn.tx, here.channel, here.chat_id, incoming.reply_to or "")
    return mark is not None and mark.ticket_id is not None  # a parent's letters carry none


def is_ours(payload: str) -> bool:
    """Whether only the staff are ever offered such a button."""
    return payload.partition(":")[0] in {*CASE_DEEDS, *DEEDS}


def case_in(payload: str) -> int:
    """The number of the case that a button is about; 0 when it is about none."""
    name, _, rest = payload.partition(":")
    return number_in(rest.partition(":")[0]) if name in CASE_DEEDS else 0


async def _press(turn: Turn, member: Member, payload: str) -> None:
    """A button. Buttons live for ever: each looks at the case as it is now."""
    name, _, argument = payload.partition(":")
    if name in DEEDS:
        await DEEDS[name](turn, member, argument)
        return
    if name == OF_PARENTS:
        raise HelpdeskError(of_campaigns.FOR_PARENTS_ONLY)
    if name not in CASE_DEEDS:
        raise HelpdeskError(said.NO_SUCH_BUTTON)
    number, _, detail = argument.partition(":")
    ticket = await casework.seen(turn.tx, turn.scope(member), number_in(number))
    if ticket is None:
        raise HelpdeskError(texts.TICKET_UNKNOWN)
    if ticket.state == "closed" and name not in FOR_CLOSED_TOO:
        raise HelpdeskError(_closed(ticket, name))
    await CASE_DEEDS[name](turn, member, ticket, detail)


async def _write(turn: Turn, member: Member, incoming: Incoming) -> None:
    if incoming.unreadable is not None:
        await turn.say(texts.NO_FILE_KIND.format(kind=incoming.unreadable), remember=False)
        return
    if not incoming.text.strip() and not incoming.attachments:
        await turn.say(texts.EMPTY_ANSWER, remember=False)
        return
    meant = await asking.meant(turn, member, incoming)
    name, _, detail = meant.as_.partition(":")
    is_asked = member.replying_as is not None and incoming.ticket_id is None
    if is_asked and incoming.text.strip().casefold().rstrip(".!") in _CALL_OFF:
        await asking.call_off(turn, member)
    elif name in PLAIN_HEARINGS:
        await PLAIN_HEARINGS[name](turn, member, incoming, detail)
    elif meant.ticket_id is None:
        await answering.ask_whose(turn, member, incoming)
    else:
        await _write_about(turn, member, incoming, meant)


async def _write_about(turn: Turn, member: Member, incoming: Incoming, meant: asking.Meant) -> None:
    """Words about a case: what was asked for is given, whatever becomes of it."""
    await staff.set_replying(turn.tx, member.id, None)
    ticket = await casework.seen(turn.tx, turn.scope(member), meant.ticket_id or 0)
    if ticket is None:
        raise HelpdeskError(texts.TICKET_UNKNOWN)
    if ticket.state == "closed":
        raise HelpdeskError(texts.too_late(ticket.id))
    name, _, detail = meant.as_.partition(":")
    if name == asking.ANSWER:
        await answering.answer(turn, member, ticket, incoming, answers_id=meant.shows_id)
    elif name in HEARINGS:
        await HEARINGS[name](turn, member, ticket, incoming, detail)
    else:
        # Asked by an older or newer version of the program: nothing may reach a parent by guessing.
        raise HelpdeskError(said.NO_SUCH_BUTTON)


def _closed(ticket: Ticket, deed: str) -> str:
    return texts.too_late(ticket.id) if deed in _SAYS_SOMETHING else said.closed(ticket.id)


COMMANDS: Mapping[str, Deed] = {
    "/help": help_,
    "/start": help_,
    "/my": lists.mine,
    "/new": lists.new,
    "/overdue": lists.overdue,
    "/open": lists.everything,
    "/templates": template_book.show,
    "/outage": outages.command,
    "/ban": bans.command,
    "/bans": bans.show,
    "/readiness": readiness.show,
    "/campaigns": campaigns.show_all,
    "/stopall": campaigns.stop_all,
    "/desk": in_groups_only,
    "/venue": venues.command,
    "/leave": membership.ask_leave,
}
"""What a member may type; a new command is walked by tests/handlers/test_scope.py of itself."""
CASE_DEEDS: Mapping[str, CaseDeed] = {
    "card": handling.show,
    "take": handling.take,
    "answer": answering.begin,
    "ask": answering.begin_question,
    "tpl": ready.offer,
    "use": ready.send,
    "edit": ready.edit,
    "note": notes.begin,
    "pass": passing.begin,
    "urgent": handling.set_urgent,
    "close": handling.close,
    "to": answering.send_draft,
    "ban": bans.ban,
    "unban": bans.lift,
}
"""Buttons of a case: `name:number` or `name:number:detail`. The case is looked up before the deed."""
DEEDS: Mapping[str, Deed] = {
    "list": lists.press,
    "open": lists.press,
    "send": answering.send_anyway,
    "off": asking.call_off,
    "tpls": template_book.press,
    "inc": incidents.press,
    "outage": outages.press,
    "bans": bans.press,
    "mail": campaigns.press,
    "readiness": readiness.press,
    "venue": venues.press,
    "leave": membership.leave,
}
"""All other buttons: `name` or `name:argument`. Whatever they reach, they reach through the scope."""
HEARINGS: Mapping[str, Hearing] = {
    "question": answering.hear_question,
    "note": notes.hear,
    "pass": passing.hear,
    "school": passing.find_school,
    "tpl": ready.hear,
}
"""What words may be, besides an answer (`asking.ask`)."""
PLAIN_HEARINGS: Mapping[str, PlainHearing] = {
    "tpls": template_book.hear,
    "inc": incidents.hear,
    campaigns.HEARING: campaigns.hear,
}
"""The same of words that are about no case."""
FOR_CLOSED_TOO = {"card", "ban", "unban"}
_SAYS_SOMETHING = {"answer", "ask", "tpl", "use", "edit", "close", "to"}
"""Deeds after which the member wants to know whether anything reached the parent."""
