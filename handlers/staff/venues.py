"""Venues: the staff say where announcements may be posted, and whose these places are.

A channel cannot be talked in, so whoever made the bot its administrator is asked in their own chat. A group
or a group chat is registered by `/venue` written there; it is no desk by that, nor is a desk a venue.
"""

from __future__ import annotations

from collections.abc import Iterable

from handlers.campaigns import lost_venues
from handlers.cases import group_desks
from handlers.messages import Button, Incoming, Outgoing, Rows
from handlers.staff import places
from handlers.texts import basics
from handlers.texts import venues as texts
from handlers.turn import Deed, Turn, number_in, rows
from storage import journal, people, staff
from storage.campaigns import venues
from storage.campaigns.campaign import Venue, VenueKind
from storage.scope import EVERYTHING
from storage.staff import Member
from storage.ticket import Desk, Level

COMMAND = "/venue"
PREFIX = "venue:"
"""How the payloads of this file's buttons begin; then the venue's number and the choice."""
SHOWN = 20
WALL_CHANNEL, WALL_CHAT = "vk", "wall"
"""Where the channel puts posts of the community."""
_OFF, _WHICH, _WALL = "off", "which", "wall"
_GROUPS: dict[str, VenueKind] = {"telegram": "telegram_group", "vk": "vk_chat"}


async def happened(deed: Deed, incoming: Incoming) -> None:
    """Something happened to a channel or a group chat in which we are, or were."""
    at, event = incoming.group, incoming.group_event
    if at is None or event is None:
        return
    if event.change == "moved" and event.new_chat_id:
        await venues.move(deed.tx, at.channel, at.chat_id, event.new_chat_id)
        return
    known = await venues.at(deed.tx, at.channel, at.chat_id)
    if event.change == "joined":
        await _joined(deed, incoming, known)
    elif known is None:
        return
    elif event.change == "left" and known.lost_reason == venues.MET:
        await venues.forget(deed.tx, known.id)
    elif event.change == "left":
        await lost_venues.lose(deed, known, reason="kicked")
    elif event.change == "renamed":
        await venues.rename(deed.tx, at.channel, at.chat_id, title=event.title)


async def command(turn: Turn, member: Member, words: str = "") -> None:
    """The member's venues, each with a button that takes it off; with a number, whose that one is to be."""
    number, _, name = words.partition(" ")
    if number_in(number):
        venue = await venues.find(turn.tx, number_in(number))
        if venue is None or not await _may_touch(turn, member, venue):
            await turn.say(basics.CHOICE_GONE, remember=False)
        else:
            await _offer(turn, member, venue, name.strip())
        return
    school_ids, municipality = await _bounds(turn, member)
    theirs = await venues.listed(turn.tx, school_ids=school_ids, municipality=municipality, limit=SHOWN)
    total = await venues.count(turn.tx, school_ids=school_ids, municipality=municipality)
    lines = [await _line(turn, venue) for venue in theirs]
    buttons = [Button(texts.release(venue.title), f"{PREFIX}{venue.id}:{_OFF}") for venue in theirs]
    hints = [texts.HOW_TO]
    if member.role in EVERYTHING:
        unclaimed = await venues.met(turn.tx, limit=SHOWN)
        buttons += [
            Button(texts.register(venue.title), f"{PREFIX}{venue.id}:{_WHICH}")
            for venue in unclaimed
            if venue.kind != "vk_wall"
        ]
    if member.role in EVERYTHING and not any(venue.kind == "vk_wall" for venue in theirs):
        if turn.here.channel == WALL_CHANNEL:
            buttons.append(Button(texts.BUTTON_WALL, f"{PREFIX}{_WALL}"))
        else:
            hints.append(texts.WALL_FROM_VK)
    text = "\n\n".join([texts.listed(lines, total=total), *hints])
    await turn.say(text, rows(buttons), remember=False)


async def command_in_group(turn: Turn, member: Member, words: str, *, title: str) -> None:
    """Register the group where it was written, or take it off the list."""
    kind = _GROUPS.get(turn.here.channel)
    if kind is None:
        return
    at = turn.here
    venue = await venues.meet(
        turn.tx, kind=kind, channel=at.channel, chat_id=at.chat_id, title=title, now=turn.now
    )
    if words.casefold() in {"off", "выкл"}:
        await _release(turn, member, venue)
    else:
        await _offer(turn, member, venue, words)


async def press(turn: Turn, member: Member, argument: str) -> None:
    """A choice for a venue."""
    number, _, choice = argument.partition(":")
    if argument == _WALL and member.role in EVERYTHING:
        wall = await venues.meet(
            turn.tx,
            kind="vk_wall",
            channel=WALL_CHANNEL,
            chat_id=WALL_CHAT,
            title=texts.WALL,
            now=turn.now,
        )
        await _offer(turn, member, wall, "")
        return
    venue = await venues.find(turn.tx, number_in(number))
    if venue is None:
        await turn.say(basics.CHOICE_GONE, remember=False)
    elif choice == _OFF:
        await _release(turn, member, venue)
    elif choice == _WHICH and await _may_touch(turn, member, venue):
        await _offer(turn, member, venue, "")
    else:
        await _choose(turn, member, venue, choice)


async def _joined(deed: Deed, incoming: Incoming, known: Venue | None) -> None:
    at, event = incoming.group, incoming.group_event
    if at is None or event is None:
        return
    if known is not None and await venues.regain(deed.tx, known.id):
        await lost_venues.tell_registrar(deed, known, texts.regained(known.title))
        return
    if not event.is_channel or (known is not None and known.lost_at is None):
        return
    person = await people.at(deed.tx, incoming.sender.channel, incoming.sender.chat_id)
    member = await staff.of_person(deed.tx, person.id) if person is not None else None
    venue = await venues.meet(
        deed.tx,
        kind="telegram_channel",
        channel=at.channel,
        chat_id=at.chat_id,
        title=event.title,
        staff_id=member.id if member is not None else None,
        now=deed.now,
    )
    if member is not None:
        await _ask_owner(deed, incoming, member, venue)


async def _ask_owner(deed: Deed, incoming: Incoming, member: Member, venue: Venue) -> None:
    """Ask the member who let us into a channel whose it is; only then anything is posted there."""
    theirs = await places.schools_of(deed, member)
    text = texts.met_channel(venue.title)
    if len(theirs) > places.SCHOOLS_SHOWN:
        text = f"{text}\n\n{texts.name_school_of(venue.title, venue.id)}"
    choices = _buttons(venue, places.offered(member, theirs, ""))
    await deed.send(Outgoing(incoming.sender, text, choices, priority="notice"))


async def _offer(turn: Turn, member: Member, venue: Venue, words: str) -> None:
    desk = desk_of(venue)
    if desk is not None and not await places.may_give(turn, member, desk):
        await turn.say(texts.of_others(await group_desks.title(turn.tx, desk)), remember=False)
        return
    theirs = await places.schools_of(turn, member)
    choices = places.offered(member, theirs, words)
    if not choices:
        await turn.say(texts.NONE_FOUND if theirs else texts.NO_DESK_OF_YOURS, remember=False)
        return
    hint: list[str] = []
    if words and len(choices) > 1:
        hint = [texts.ONE_OF_MANY]
    elif not words and len(theirs) > places.SCHOOLS_SHOWN:
        hint = [texts.NAME_SCHOOL if turn.group else texts.name_school_of(venue.title, venue.id)]
    now = [texts.serves_already(await group_desks.title(turn.tx, desk))] if desk else []
    asked = texts.CHOOSE if turn.group else texts.which(venue.title)
    buttons = _buttons(venue, choices)
    if desk is not None:
        buttons += rows([Button(texts.BUTTON_RELEASE_HERE, f"{PREFIX}{venue.id}:{_OFF}")])
    await turn.say("\n\n".join([*now, asked, *hint]), buttons, remember=False)


async def _choose(turn: Turn, member: Member, venue: Venue, choice: str) -> None:
    desk = await places.meant(turn, member, choice)
    present = desk_of(venue)
    if desk is None or not await _may_touch(turn, member, venue):
        await turn.say(basics.CHOICE_GONE, remember=False)
    elif not await places.may_give(turn, member, desk):
        await turn.say(texts.NOT_YOURS, remember=False)
    elif present is not None and not await places.may_give(turn, member, present):
        await turn.say(texts.of_others(await group_desks.title(turn.tx, present)), remember=False)
    else:
        added = await venues.add(
            turn.tx,
            kind=venue.kind,
            channel=venue.channel,
            chat_id=venue.chat_id,
            title=venue.title,
            desk=desk,
            staff_id=member.id,
            now=turn.now,
        )
        await _note(turn, member, "venue_registered", added)
        said = texts.registered(added.title, await group_desks.title(turn.tx, desk))
        await turn.say(said, remember=False)


async def _may_touch(turn: Turn, member: Member, venue: Venue) -> bool:
    """Whether a member may say whose a place is: they let us in, they are in that group, or it is theirs."""
    if turn.group is not None:
        return (venue.channel, venue.chat_id) == (turn.group.channel, turn.group.chat_id)
    if member.role in EVERYTHING or venue.registered_by == member.id:
        return True
    desk = desk_of(venue)
    return desk is not None and await places.may_give(turn, member, desk)


async def _release(turn: Turn, member: Member, venue: Venue) -> None:
    owner = _owner(venue)
    if venue.lost_reason in (venues.MET, venues.RELEASED):
        await turn.say(texts.RELEASED_ALREADY, remember=False)
    elif not await places.may_give(turn, member, owner):
        await turn.say(texts.of_others(await group_desks.title(turn.tx, owner)), remember=False)
    elif await venues.release(turn.tx, venue.id, now=turn.now):
        await _note(turn, member, "venue_released", venue)
        await turn.say(texts.RELEASED, remember=False)


def desk_of(venue: Venue) -> Desk | None:
    """Whose a venue is; None while nothing is posted there."""
    return _owner(venue) if venue.lost_at is None else None


def _owner(venue: Venue) -> Desk:
    level: Level = "school" if venue.school_id else "municipal" if venue.municipality else "ministry"
    return Desk(level, venue.school_id, venue.municipality)


async def _bounds(turn: Turn, member: Member) -> tuple[list[int] | None, str | None]:
    """Which venues a member has a say in: of these schools and this municipality, or all."""
    if member.role in EVERYTHING:
        return None, None
    theirs = await places.schools_of(turn, member)
    municipality = member.municipality if member.role == "municipal" else None
    return [school.id for school in theirs], municipality


async def _line(turn: Turn, venue: Venue) -> str:
    desk = await group_desks.title(turn.tx, _owner(venue))
    return texts.line(venue.kind, venue.title, desk=desk, lost_reason=venue.lost_reason)


def _buttons(venue: Venue, choices: Iterable[places.Choice]) -> Rows:
    return rows(Button(each.label, f"{PREFIX}{venue.id}:{each.word}") for each in choices)


async def _note(turn: Turn, member: Member, deed: str, venue: Venue) -> None:
    details = {"venue": venue.id, "kind": venue.kind, "desk": _owner(venue).key}
    await journal.note(turn.tx, deed, actor=f"staff:{member.id}", now=turn.now, details=details)
