"""The one way in: one event is one transaction."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import structlog

from handlers import privacy
from handlers.dialog_state import DialogState
from handlers.errors import HelpdeskError
from handlers.knowledge import Knowledge
from handlers.messages import Attachment, Incoming, Outgoing
from handlers.parents import banned, dialog, escalation, flood, photos, questions
from handlers.staff import dialog as staff
from handlers.staff import groups as staff_groups
from handlers.staff import handling, membership
from handlers.texts import basics as texts
from handlers.texts import staff as staff_texts
from handlers.turn import Deed, Turn
from storage import conversations, inbox, journal, people, tickets
from storage import staff as members
from storage.database import Database, Transaction, Unavailable
from storage.people import Person
from storage.staff import Member

_log = structlog.get_logger(__name__)

AFTER_A_FAILURE = timedelta(minutes=5)
"""When to try again an answer that could be neither given nor handed to a human."""

FLOOD_LIMITS = flood.Limits()


class Helpdesk:
    """Takes events and answers what is due; everything it says waits in the outbox."""

    def __init__(
        self,
        database: Database,
        knowledge: Knowledge,
        *,
        now: Callable[[], datetime],
        wake: Callable[[datetime | None], None] = lambda _: None,
        deletes: Callable[[str], bool] = lambda _: False,
        limits: flood.Limits = FLOOD_LIMITS,
    ) -> None:
        """`wake` is called after each commit, with the moment when the next answer is due, if any.

        `deletes` tells whether a channel can take what a person wrote from their own screen; `limits` how
        much of one person, who is not staff, is dealt with one by one.
        """
        self._database = database
        self._knowledge = knowledge
        self._now = now
        self._wake = wake
        self._deletes = deletes
        self._limits = limits
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def receive(self, incoming: Incoming) -> str | None:
        """Take one event. Returns when its effects are kept; raises only `Unavailable`.

        Gives the sentence with which the deed was refused, as the person is told, for pages that show it.
        """
        sender = incoming.sender
        async with self._lines.setdefault(f"{sender.channel} {sender.chat_id}", asyncio.Lock()):
            return await self._receive_in_turn(incoming)

    async def _receive_in_turn(self, incoming: Incoming) -> str | None:
        """One event of this person at a time, first come first served.

        A webhook brings a message and a press by two requests; the press must not win the race for the
        person's row, or the message would be taken for the answer to what the press asked.
        """
        refused = None
        try:
            async with self._database.transaction() as tx:
                due, refused = await self._receive(tx, incoming)
        except Unavailable:
            raise
        except Exception as error:
            _log.exception("event_failed", channel=incoming.sender.channel, error=type(error).__name__)
            due = None
            await self._apologise(incoming)
        self._wake(due)
        return refused

    async def answer_due(self) -> datetime | None:
        """Answer everybody whose time has come; returns when the next answer is due."""
        async with self._database.reading() as tx:
            waiting = await conversations.due(tx, now=self._now())
        for person_id in waiting:
            try:
                async with self._database.transaction() as tx:
                    await self._answer(tx, person_id)
            except Unavailable:
                raise
            except Exception as error:
                _log.exception("answer_failed", error=type(error).__name__)
                await self._escalate_failure(person_id)
        if waiting:
            self._wake(None)
        async with self._database.reading() as tx:
            return await conversations.next_due(tx)

    async def _receive(self, tx: Transaction, incoming: Incoming) -> tuple[datetime | None, str | None]:
        """When the next answer is due, and the refusal, if it was one."""
        now = self._now()
        sender = incoming.sender
        refused = None
        if not await inbox.accept(tx, sender.channel, incoming.event_id, now=now):
            return None, None
        if incoming.group is not None:
            await self._receive_in_group(tx, incoming)
            return None, None
        if incoming.reachable is False and await people.at(tx, sender.channel, sender.chat_id) is None:
            return None, None  # a stranger, perhaps one who asked to be forgotten, wants no messages
        person = await people.meet(tx, sender.channel, sender.chat_id, name=incoming.name, now=now)
        turn = await self._turn(tx, person, now)
        member = await members.of_person(tx, person.id)
        excess = await self._excess(turn, member, incoming)
        try:
            if person.banned_at is not None and member is None and incoming.reachable is None:
                await banned.hear(turn, await self._without_personal_data(turn, incoming, tell=False))
            elif excess is not None:
                await self._hold(turn, incoming, excess)
            elif (token := _invitation_in(incoming)) is not None:
                await _welcome(turn, token)
            elif member is not None and incoming.reachable is None:
                await staff.receive(turn, member, incoming)
            elif await staff.is_of_former_member(turn, incoming):
                refused = staff_texts.NO_LONGER_STAFF
                await turn.say(refused, remember=False)
            else:
                await dialog.receive(turn, await self._without_personal_data(turn, incoming))
        except HelpdeskError as refusal:
            refused = str(refusal)
            await turn.say(refused, remember=False)
        await turn.save_state()
        if incoming.whole:
            await self._answer(tx, person.id)
            # An answer that opens a question may leave one of ours, about a photo that came before.
            await self._answer(tx, person.id)
        if await people.find(tx, person.id) is None:
            return None, refused  # they asked to be forgotten
        conversation = await conversations.of_person(tx, person.id, now=now)
        return conversation.answer_due_at, refused

    async def _excess(self, turn: Turn, member: Member | None, incoming: Incoming) -> flood.Excess | None:
        """Whether that was one event too many; the staff work fast, and so does a terminal."""
        if member is not None or incoming.reachable is not None or incoming.whole:
            return None
        return await flood.count(turn, self._limits)

    async def _hold(self, turn: Turn, incoming: Incoming, excess: flood.Excess) -> None:
        """Keep for later what came too fast; of what had to be hidden in it they hear once."""
        masked = await self._without_personal_data(turn, incoming, tell=not turn.state.held_masked)
        await dialog.hold(turn, masked, excess)
        turn.state.held_masked = turn.state.held_masked or masked.text != incoming.text

    async def _receive_in_group(self, tx: Transaction, incoming: Incoming) -> None:
        """A group is no place for parents: nothing that others say there is kept, nor who they are."""
        deed = Deed(tx, self._now(), self._knowledge)
        if incoming.group_event is not None:
            await staff_groups.happened(deed, incoming)
            return
        known = await self._member_in_group(tx, incoming)
        if known is None:
            await staff_groups.refuse_stranger(deed, incoming)
            return
        turn, member = known
        try:
            await staff_groups.receive(turn, member, incoming)
        except HelpdeskError as refusal:
            await turn.say(str(refusal), remember=False)
        await turn.save_state()

    async def _member_in_group(self, tx: Transaction, incoming: Incoming) -> tuple[Turn, Member] | None:
        """The turn of a member of the staff in a group; None for anybody else."""
        sender, now = incoming.sender, self._now()
        stranger = await people.at(tx, sender.channel, sender.chat_id)
        if stranger is None or await members.of_person(tx, stranger.id) is None:
            return None
        person = await people.meet(tx, sender.channel, sender.chat_id, name=incoming.name, now=now)
        # Their role may have been taken away while we waited for their row.
        member = await members.of_person(tx, person.id)
        if member is None:
            return None
        turn = await self._turn(tx, person, now)
        turn.group, turn.thread = incoming.group, incoming.thread
        return turn, member

    async def _answer(self, tx: Transaction, person_id: int) -> None:
        person = await people.hold(tx, person_id)
        if person is None:
            return
        turn = await self._turn(tx, person, self._now())
        due = turn.conversation.answer_due_at
        # Another process, or a newer message, may have come between the look and the lock.
        if due is None or due > turn.now:
            return
        if person.banned_at is not None and await members.of_person(tx, person_id) is None:
            await conversations.set_answer_due(tx, turn.conversation.id, None)
            return
        await dialog.answer_pending(turn)
        await turn.save_state()

    async def _turn(self, tx: Transaction, person: Person, now: datetime) -> Turn:
        conversation = await conversations.of_person(tx, person.id, now=now)
        state = DialogState.from_plain(conversation.state)
        return Turn(tx, now, self._knowledge, person, conversation, state)

    async def _without_personal_data(self, turn: Turn, incoming: Incoming, *, tell: bool = True) -> Incoming:
        """What a parent wrote, without what must not be kept: nothing behind this line sees the original.

        Whoever may not be answered one by one is not told each time.
        """
        incoming = replace(incoming, attachments=tuple(map(_harmlessly_named, incoming.attachments)))
        masked = privacy.mask(incoming.text)
        if not masked.hidden:
            return incoming
        kinds: Counter[str] = Counter(each.kind for each in masked.hidden)
        await journal.note(turn.tx, "hidden", actor="bot", now=turn.now, details=dict(kinds))
        deleted = self._deletes(incoming.sender.channel)
        if tell:
            await turn.say(privacy.told(masked.hidden, deleted=deleted), remember=False)
        await _delete_original(turn, incoming)
        return replace(incoming, text=masked.text)

    async def _apologise(self, incoming: Incoming) -> None:
        """A bug of ours must not cost the person their message: a human gets it."""
        try:
            async with self._database.transaction() as tx:
                now = self._now()
                sender = incoming.sender
                if not await inbox.accept(tx, sender.channel, incoming.event_id, now=now):
                    return
                if incoming.group is not None:
                    known = await self._member_in_group(tx, incoming)
                    if known is not None and incoming.group_event is None:
                        await known[0].say(texts.STAFF_MISHAP, remember=False)
                    return
                person = await people.meet(tx, sender.channel, sender.chat_id, name=incoming.name, now=now)
                turn = await self._turn(tx, person, now)
                if await members.of_person(tx, person.id) is not None:
                    await turn.say(texts.STAFF_MISHAP, remember=False)
                    return
                if person.banned_at is not None:
                    await banned.hear(turn, await self._without_personal_data(turn, incoming, tell=False))
                    await turn.save_state()
                    return
                incoming = await self._without_personal_data(turn, incoming)
                await dialog.keep(turn, incoming)
                await escalation.pass_on(turn, incoming.text, files=incoming.attachments)
                await _hand_to_staff(turn)
                await photos.expect(turn, incoming)
        except Unavailable:
            raise
        except Exception as error:
            # Even that failed: let go of the event, or it would stop the whole channel for ever.
            _log.exception("event_lost", channel=incoming.sender.channel, error=type(error).__name__)

    async def _escalate_failure(self, person_id: int) -> None:
        try:
            async with self._database.transaction() as tx:
                person = await people.hold(tx, person_id)
                if person is not None:
                    await _hand_to_staff(await self._turn(tx, person, self._now()))
        except Unavailable:
            raise
        except Exception as error:
            # The others must not wait behind this one; it is tried again a little later.
            _log.exception("escalation_failed", error=type(error).__name__)
            async with self._database.transaction() as tx:
                conversation = await conversations.of_person(tx, person_id, now=self._now())
                await conversations.set_answer_due(tx, conversation.id, self._now() + AFTER_A_FAILURE)


def _harmlessly_named(file: Attachment) -> Attachment:
    """Without a word to the parent: cameras and scanners, too, name files with long numbers."""
    masked = privacy.mask(file.name.replace("_", " "))
    return replace(file, name=masked.text) if masked.hidden else file


async def _delete_original(turn: Turn, incoming: Incoming) -> None:
    """Take the message itself out of the chat; a press carries the number of a message of ours."""
    if incoming.message_id is None or incoming.button is not None:
        return
    # A notice goes behind the replies: first the parent hears why, and no answer waits for a deletion.
    await turn.send(Outgoing(turn.address, "", priority="notice", delete=incoming.message_id))


async def _hand_to_staff(turn: Turn) -> None:
    await conversations.set_answer_due(turn.tx, turn.conversation.id, None)
    number = turn.conversation.ticket_id
    ticket = await tickets.find(turn.tx, number) if number is not None else None
    if ticket is not None and ticket.state != "closed":
        await escalation.rejoin(turn, ticket)
    else:
        turn.state.reason = "error"
        await escalation.open_question(turn, school=texts.SCHOOL_SKIPPED)
    await turn.say(texts.MISHAP)
    await turn.save_state()


def _invitation_in(incoming: Incoming) -> str | None:
    """The token of an invitation; typed by hand where a link cannot carry it (on VK)."""
    command, _, typed = incoming.text.strip().partition(" ")
    payload = incoming.started or (typed.strip() if command.casefold() == "/start" else "")
    is_invitation = payload.startswith(membership.INVITATION)
    return payload.removeprefix(membership.INVITATION) if is_invitation else None


async def _welcome(turn: Turn, token: str) -> None:
    member = await membership.join(turn, token)
    if member is None:
        is_member = await members.of_person(turn.tx, turn.person.id) is not None
        ways = handling.list_button() if is_member else questions.menu_buttons()
        await turn.say(texts.INVITATION_WRONG, ways, remember=False)
    else:
        await staff.show_open(turn, member)
