"""Group chats where the staff work: whose they are, and what is said and pressed there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from handlers.cases import group_desks
from handlers.messages import Address, Button, Incoming, Outgoing
from handlers.staff import campaigns, dialog, places, venues
from handlers.texts import basics
from handlers.texts import groups as texts
from handlers.turn import Deed, Turn, queue, rows
from storage import casework, groups, inbox, journal, outbox
from storage.groups import Group
from storage.scope import Scope
from storage.staff import Member
from storage.ticket import Desk

COMMAND = "/desk"
PREFIX = "desk:"
"""How the payloads of this file's buttons begin."""
WELCOME_WAIT = timedelta(seconds=3)
"""A group that becomes a supergroup is «joined» anew a moment before we hear that it has only moved."""


async def happened(deed: Deed, incoming: Incoming) -> None:
    """Something happened to a group chat."""
    place, event = incoming.group, incoming.group_event
    if place is None or event is None:
        return
    await venues.happened(deed, incoming)
    if event.is_channel:
        return
    if event.change == "joined":
        is_new = await groups.meet(
            deed.tx,
            channel=place.channel,
            chat_id=place.chat_id,
            title=event.title,
            has_topics=event.has_topics,
            now=deed.now,
        )
        if is_new:
            welcome = Outgoing(place, texts.WELCOME)
            await queue(deed.tx, welcome, now=deed.now, not_before=deed.now + WELCOME_WAIT)
    elif event.change == "moved" and event.new_chat_id:
        new = await groups.at(deed.tx, place.channel, event.new_chat_id)
        if new is not None and new.lost_reason == groups.MET:
            await outbox.withdraw(deed.tx, new.channel, new.chat_id)
        await groups.move(deed.tx, place.channel, place.chat_id, event.new_chat_id)
    elif (group := await groups.at(deed.tx, place.channel, place.chat_id)) is None:
        return
    elif event.change == "left" and group.is_desk:
        await group_desks.lose(deed.tx, group, reason="kicked", now=deed.now)
    elif event.change == "left" and group.lost_reason == groups.MET:
        await groups.forget(deed.tx, group.id)
    elif event.change == "renamed":
        await groups.retitle(deed.tx, group.id, title=event.title, has_topics=event.has_topics)
    # A closed topic is no news: whatever its case still needs finds it closed and goes into another.


async def refuse_stranger(deed: Deed, incoming: Incoming) -> None:
    """Say to somebody who is no member, once a day, that a group is not the place; keep nothing of it."""
    place = incoming.group
    if place is None:
        return
    key = f"stranger:{place.chat_id}:{incoming.sender.chat_id}:{deed.now:%Y-%m-%d}"
    if await inbox.accept(deed.tx, place.channel, key, now=deed.now):
        await deed.send(Outgoing(place, texts.STRANGER, reply_to=incoming.message_id, thread=incoming.thread))


async def receive(turn: Turn, member: Member, incoming: Incoming) -> None:
    """What a member says or presses in a group, read top to bottom."""
    group = await _group_here(turn)
    command, _, argument = incoming.text.strip().partition(" ")
    if incoming.button is None and command.casefold() == COMMAND:
        await _command(turn, member, group, argument.strip(), has_topics=incoming.thread is not None)
    elif incoming.button is None and command.casefold() == venues.COMMAND:
        await venues.command_in_group(turn, member, argument.strip(), title=group.title if group else "")
    elif incoming.button is not None and incoming.button.startswith(venues.PREFIX):
        await venues.press(turn, member, incoming.button.removeprefix(venues.PREFIX))
    elif incoming.button is not None and incoming.button.startswith(PREFIX):
        await _choose(turn, member, group, incoming.button.removeprefix(PREFIX), incoming)
    elif incoming.button is None and not incoming.edited and campaigns.means_brake(incoming.text):
        # Wherever the wrong words are being read, whoever may stops them there.
        turn.desk = group.desk if group is not None and group.is_desk else None
        await campaigns.stop_all(turn, member)
    elif group is None or not group.is_desk:
        await turn.say(texts.NOT_A_DESK, remember=False)
    else:
        turn.desk = group.desk
        incoming = await _with_ticket(turn, group, incoming)
        if await _belongs_elsewhere(turn, member, incoming):
            await turn.say(texts.OTHER_DESK, reply_to=incoming.message_id, remember=False)
        else:
            await dialog.receive(turn, member, incoming)


async def _with_ticket(turn: Turn, group: Group, incoming: Incoming) -> Incoming:
    """Where the place says which case is meant, that counts: the message answered, then the topic."""
    is_command = incoming.started is not None or incoming.text.lstrip().startswith("/")
    if incoming.button is not None or incoming.edited or is_command:
        return incoming
    number = None
    if incoming.reply_to is not None:
        mark = await outbox.find_sent(turn.tx, group.channel, group.chat_id, incoming.reply_to)
        number = mark.ticket_id if mark is not None else None
    if number is None and incoming.thread is not None:
        number = await groups.ticket_of_topic(turn.tx, group.id, incoming.thread)
    return replace(incoming, ticket_id=number)


async def _belongs_elsewhere(turn: Turn, member: Member, incoming: Incoming) -> bool:
    """Whether it is about a case that the member may see, and the readers of this group may not."""
    number = dialog.case_in(incoming.button) if incoming.button is not None else incoming.ticket_id
    if not number or await casework.seen(turn.tx, turn.scope(member), number) is not None:
        return False
    return await casework.seen(turn.tx, Scope(member.id), number) is not None


async def _command(turn: Turn, member: Member, group: Group | None, words: str, *, has_topics: bool) -> None:
    present = group if group is not None and group.is_desk else None
    if present is not None and not await places.may_give(turn, member, present.desk):
        name = await group_desks.title(turn.tx, present.desk)
        await turn.say(texts.of_others(name), remember=False)
    elif words.casefold() in {"off", "выкл"}:
        await _switch_off(turn, member, present)
    else:
        if has_topics and group is not None:
            # A message in a topic is the surest sign that there are some.
            await groups.retitle(turn.tx, group.id, title="", has_topics=True)
        await _offer(turn, member, present, words)


async def _switch_off(turn: Turn, member: Member, present: Group | None) -> None:
    if present is None:
        await turn.say(texts.OFF_ALREADY, remember=False)
        return
    await group_desks.release(turn.tx, present, now=turn.now)
    await _note(turn, member, "group_released", present)
    await turn.say(texts.OFF, remember=False)


async def _offer(turn: Turn, member: Member, present: Group | None, words: str) -> None:
    theirs = await places.schools_of(turn, member)
    choices = places.offered(member, theirs, words)
    hint = [texts.NAME_SCHOOL] if not words and len(theirs) > places.SCHOOLS_SHOWN else []
    if not choices:
        await turn.say(texts.NONE_FOUND if theirs else texts.NO_DESK_OF_YOURS, remember=False)
        return
    if words and len(choices) > 1:
        hint = [texts.ONE_OF_MANY]
    now = [texts.serves_already(await group_desks.title(turn.tx, present.desk))] if present else []
    buttons = rows(Button(each.label, f"{PREFIX}{each.word}") for each in choices)
    await turn.say("\n\n".join([*now, texts.CHOOSE, *hint]), buttons, remember=False)


async def _choose(turn: Turn, member: Member, group: Group | None, choice: str, incoming: Incoming) -> None:
    desk = await places.meant(turn, member, choice)
    present = group.desk if group is not None and group.is_desk else None
    if desk is None:
        await turn.say(basics.CHOICE_GONE, remember=False)
    elif not await places.may_give(turn, member, desk):
        await turn.say(texts.NOT_YOURS, remember=False)
    elif present is not None and not await places.may_give(turn, member, present):
        await turn.say(texts.of_others(await group_desks.title(turn.tx, present)), remember=False)
    else:
        await _register(turn, member, group, desk, has_topics=incoming.thread is not None)


async def _register(turn: Turn, member: Member, group: Group | None, desk: Desk, *, has_topics: bool) -> None:
    place = turn.here
    if group is not None and group.is_desk and group.desk.key != desk.key:
        await group_desks.release(turn.tx, group, now=turn.now)
    registered = await groups.register(
        turn.tx,
        channel=place.channel,
        chat_id=place.chat_id,
        title=group.title if group is not None else "",
        desk=desk,
        has_topics=has_topics or (group is not None and group.has_topics),
        staff_id=member.id,
        now=turn.now,
    )
    await _note(turn, member, "group_registered", registered)
    await turn.say(texts.registered(await group_desks.title(turn.tx, desk)), remember=False)
    turn.desk = desk
    count = await casework.count(turn.tx, turn.scope(member), "open", now=turn.now)
    if count:
        buttons = rows([Button(basics.BUTTON_OPEN_LIST, "open")])
        await turn.say(texts.waiting(count), buttons, remember=False)


async def _group_here(turn: Turn) -> Group | None:
    place: Address = turn.here
    return await groups.at(turn.tx, place.channel, place.chat_id)


async def _note(turn: Turn, member: Member, deed: str, group: Group) -> None:
    details = {"group": group.id, "desk": group.desk.key}
    await journal.note(turn.tx, deed, actor=f"staff:{member.id}", now=turn.now, details=details)
