"""What people do with announcements: write, check, try, approve, let go, hold, stop.

Each function is one deed in the transaction of its `Deed`; `by` is the member of the staff who does it, None
the owner of the machine. A refused deed raises `HelpdeskError` with a sentence and changes nothing.

    create ─► check ─► send_test ─► send_for_approval ─► approve ─► schedule_it | start_now
                                    (not needed for few readers)    ─► pause, resume, stop
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from handlers.campaigns import composing, launching, notices, rights
from handlers.campaigns.composing import Compose, Finding
from handlers.errors import HelpdeskError
from handlers.messages import Attachment, Outgoing
from handlers.texts import campaigns as texts
from handlers.turn import Deed, place
from storage import journal, schools
from storage.campaigns import audience as audiences
from storage.campaigns import book, launches, readers, wishes
from storage.campaigns.audience import Sample
from storage.campaigns.campaign import (
    ALIVE,
    CATEGORIES,
    OVER,
    STAGES,
    Audience,
    Campaign,
    Category,
    Launch,
    ReaderState,
)
from storage.campaigns.wishes import Rewording, Wish
from storage.family import AGE_GROUPS
from storage.staff import Member

WRITTEN = ("draft", "approval")
"""States in which the words may change."""
ONE_MESSAGE, ONE_CAPTION = 4000, 1000
"""Characters that every messenger shows in one message, and under one picture: only that can be replaced."""
_CHANNELS = ("telegram", "vk", "web")
_WHO = ("parents", "staff", "venues")


@dataclass(frozen=True)
class Draft:
    """What somebody writes: a campaign without its history."""

    title: str
    category: Category
    text: str
    buttons: tuple[Mapping[str, Any], ...] = ()
    """As `composing` has them: {"label", "kind", "value"}."""
    attachments: tuple[Attachment, ...] = ()
    audience: Audience = field(default_factory=Audience)
    schedule: Mapping[str, Any] = field(default_factory=dict)
    """`Schedule.to_plain()`; empty: it is started by hand."""


@dataclass(frozen=True)
class Checked:
    """What a check found."""

    findings: tuple[Finding, ...]
    """Errors first."""
    readers: int
    sample: tuple[Sample, ...]
    needs_approval: bool

    @property
    def is_clean(self) -> bool:
        """Whether it may be sent as it is; warnings do not count."""
        return not any(each.level == "error" for each in self.findings)


# ---- writing


async def create(deed: Deed, by: Member | None, draft: Draft) -> Campaign:
    """Begin a campaign."""
    by = await rights.as_they_are(deed, by)
    values = await _values(deed, by, draft)
    made = await book.add(deed.tx, **values, author_id=by.id if by else None, now=deed.now)
    await _note(deed, by, made.id, "campaign_created")
    return made


async def change(deed: Deed, by: Member | None, number: int, *, edition: int, draft: Draft) -> Campaign:
    """Write another edition; whoever writes it is its author, and it is to be checked anew."""
    found = await rights.seen(deed, by, number)
    by = await rights.as_they_are(deed, by)
    if found.state not in WRITTEN:
        raise HelpdeskError(texts.TOO_LATE_TO_CHANGE)
    values = {**await _values(deed, by, draft), "author_id": by.id if by else None}
    changed = await book.change(deed.tx, number, edition=edition, values=values, now=deed.now)
    if changed is None:
        raise HelpdeskError(texts.CHANGED_MEANWHILE)
    await _note(deed, by, number, "campaign_changed", edition=changed.edition)
    return changed


async def check(
    deed: Deed, by: Member | None, number: int, *, channels: Mapping[str, Compose] | None = None
) -> Checked:
    """Look for everything that a program can see, count the readers and show some; without errors it is
    noted as checked. `channels` split the text as they will."""
    found = await rights.seen(deed, by, number)
    return await _check(deed, found, channels)


async def send_test(deed: Deed, by: Member | None, number: int, *, to: Member | None = None) -> Campaign:
    """Send the announcement to one member of the staff (the one who asks, unless another is named)."""
    found = await rights.seen(deed, by, number)
    reader = await rights.as_they_are(deed, to or by)
    if reader is None:
        raise HelpdeskError(texts.WHERE_TO_TEST)
    here = place(reader)
    await deed.send(Outgoing(here, texts.THIS_IS_A_TEST))
    school_id = next(iter(reader.school_ids), None)
    await deed.send(notices.sample(deed, found, here, school_id=school_id))
    await book.note_tested(deed.tx, number, edition=found.edition)
    await _note(deed, by, number, "campaign_tested", edition=found.edition)
    return found


# ---- the second person


async def send_for_approval(deed: Deed, by: Member | None, number: int, *, edition: int) -> Campaign:
    """Ask the ministry to look at it."""
    found = await rights.seen(deed, by, number)
    checked = await _ready(deed, found, edition)
    if not await book.send_for_approval(deed.tx, number, edition=edition, now=deed.now):
        raise HelpdeskError(texts.CHANGED_MEANWHILE)
    await notices.approval_wanted(deed, replace(found, state="approval"), by=by, count=checked.readers)
    await _note(deed, by, number, "campaign_sent_for_approval", edition=edition)
    return replace(found, state="approval")


async def approve(deed: Deed, by: Member | None, number: int, *, edition: int) -> Campaign:
    """Agree to it as a second person; never its author."""
    await rights.refuse_unless_wide(deed, by)
    found = await rights.seen(deed, by, number)
    by_id = by.id if by else None
    if found.state != "approval" or found.edition != edition or found.is_approved:
        raise HelpdeskError(texts.NOTHING_TO_APPROVE)
    await rights.refuse_unless_other(deed, by, found.author_id)
    if not await book.approve(deed.tx, number, edition=edition, by_id=by_id, now=deed.now):
        raise HelpdeskError(texts.NOTHING_TO_APPROVE)
    await notices.approved(deed, found, by=by)
    await _note(deed, by, number, "campaign_approved", edition=edition)
    return await rights.seen(deed, by, number)


async def refuse(deed: Deed, by: Member | None, number: int, *, edition: int, note: str) -> Campaign:
    """Give it back to its author with a note."""
    await rights.refuse_unless_wide(deed, by)
    found = await rights.seen(deed, by, number)
    if not note.strip():
        raise HelpdeskError(texts.NO_NOTE)
    if found.edition != edition or not await book.refuse(deed.tx, number, now=deed.now):
        raise HelpdeskError(texts.NOTHING_TO_APPROVE)
    await notices.refused(deed, found, by=by, note=note.strip())
    await _note(deed, by, number, "campaign_refused", edition=edition)
    return await rights.seen(deed, by, number)


# ---- letting go


async def schedule_it(deed: Deed, by: Member | None, number: int, *, edition: int) -> Campaign:
    """Plan its launches; refused while it is unchecked, untried or, where that is needed, not approved."""
    found = await rights.seen(deed, by, number)
    await rights.refuse_unless_startable(deed, by, found)
    if not found.schedule:
        raise HelpdeskError(texts.NO_SCHEDULE)
    await _may_go(deed, found, edition)
    await launching.plan_first(deed.tx, found, now=deed.now)
    return await _let_go(deed, by, found, "campaign_scheduled")


async def start_now(deed: Deed, by: Member | None, number: int, *, edition: int) -> Campaign:
    """Let a campaign without a schedule go out at once (in each reader's hours)."""
    found = await rights.seen(deed, by, number)
    await rights.refuse_unless_startable(deed, by, found)
    if found.schedule:
        raise HelpdeskError(texts.HAS_SCHEDULE)
    await _refuse_while_braked(deed)
    await _may_go(deed, found, edition)
    await launches.plan(deed.tx, number, due_at=deed.now)
    return await _let_go(deed, by, found, "campaign_started")


async def start_launch(deed: Deed, by: Member | None, launch_id: int) -> Campaign:
    """Let a launch that asks (it is overdue, or was held) go out now."""
    launch, found = await _launch(deed, by, launch_id)
    await rights.refuse_unless_startable(deed, by, found)
    await _refuse_while_braked(deed)
    if launch.state != "asks":
        raise HelpdeskError(texts.LAUNCH_OVER)
    if not found.is_approved:
        await _agree_late(deed, by, found)
    if not await launches.begin(deed.tx, launch_id, body=composing.body_of(found), now=deed.now):
        raise HelpdeskError(texts.LAUNCH_OVER)
    await _note(deed, by, found.id, "launch_started", launch=launch_id)
    return found


async def _agree_late(deed: Deed, by: Member | None, found: Campaign) -> None:
    """Letting it go counts as the second person's word, if its readers have become so many."""
    author = await notices.author_of(deed, found)
    count = await audiences.count(deed.tx, found.audience, category=found.category, now=deed.now)
    if not rights.needs_approval(author, found.audience, count):
        return
    await rights.refuse_unless_other(deed, by, found.author_id)
    by_id = by.id if by else None
    if not await book.approve(deed.tx, found.id, edition=found.edition, by_id=by_id, now=deed.now):
        raise HelpdeskError(texts.OWN_APPROVAL)
    await _note(deed, by, found.id, "campaign_approved", edition=found.edition)


async def drop_launch(deed: Deed, by: Member | None, launch_id: int) -> Campaign:
    """Do without a launch that has not begun."""
    launch, found = await _launch(deed, by, launch_id)
    await rights.refuse_unless_holdable(deed, by, found)
    if launch.state not in {"asks", "planned"}:
        raise HelpdeskError(texts.LAUNCH_OVER)
    await launches.stop(deed.tx, launch_id, by_id=by.id if by else None, now=deed.now)
    # Of a repeating one the next start is planned at the next look, which also ends it when there is none.
    is_repeating = found.schedule.get("kind") == "repeating"
    if not is_repeating and not await launches.left_open(deed.tx, found.id):
        await book.end(deed.tx, found.id, now=deed.now)
    await _note(deed, by, found.id, "launch_dropped", launch=launch_id)
    return found


# ---- holding and stopping


async def pause(deed: Deed, by: Member | None, number: int) -> Campaign:
    """Send nothing more of it for now; starts that are still to come wait for people, too."""
    found = await rights.seen(deed, by, number)
    await rights.refuse_unless_holdable(deed, by, found)
    by_id = by.id if by else None
    held = await launches.hold_planned(deed.tx, [number], reason="people", by_id=by_id, now=deed.now)
    for launch in await launches.of_campaign(deed.tx, number):
        if launch.state in ALIVE:
            held += await launches.pause(deed.tx, launch.id, reason="people", by_id=by_id, now=deed.now)
    if not held:
        raise HelpdeskError(texts.NOTHING_TO_PAUSE)
    await _note(deed, by, number, "campaign_paused", launches=held)
    return found


async def resume(deed: Deed, by: Member | None, number: int) -> Campaign:
    """Let it go on: what was paused is sent again, what was held before its time waits for its time again.

    A start whose time is over is not begun by this: it asks, and `start_launch` answers.
    """
    found = await rights.seen(deed, by, number)
    await rights.refuse_unless_startable(deed, by, found)
    await _refuse_while_braked(deed)
    by_id = by.id if by else None
    going = 0
    for launch in await launches.of_campaign(deed.tx, number):
        if launch.state == "paused":
            going += await launches.resume(deed.tx, launch.id, by_id=by_id, now=deed.now)
        elif launch.state == "asks" and launch.due_at > deed.now:
            going += await launches.plan_again(deed.tx, launch.id, now=deed.now)
    if not going:
        raise HelpdeskError(texts.NOTHING_TO_RESUME)
    await _note(deed, by, number, "campaign_resumed", launches=going)
    return found


async def stop(deed: Deed, by: Member | None, number: int) -> Campaign:
    """Send nothing of it any more, for ever."""
    found = await rights.seen(deed, by, number)
    await rights.refuse_unless_holdable(deed, by, found)
    stopped = 0
    for launch in await launches.of_campaign(deed.tx, number):
        if launch.state not in OVER:
            stopped += await launches.stop(deed.tx, launch.id, by_id=by.id if by else None, now=deed.now)
    if not await book.stop(deed.tx, number, now=deed.now) and not stopped:
        raise HelpdeskError(texts.OVER_ALREADY)
    await _note(deed, by, number, "campaign_stopped", launches=stopped)
    return await rights.seen(deed, by, number)


async def pull_brake(deed: Deed, by: Member | None) -> list[Campaign]:
    """«Стоп-кран»: everything that is on its way is paused, nothing can start. Gives what was on its way."""
    await rights.refuse_unless_wide(deed, by)
    paused = await launches.pull_brake(deed.tx, by_id=by.id if by else None, now=deed.now)
    found = await _campaigns_of(deed, paused)
    await notices.braked(deed, found, by=by)
    await _note(deed, by, None, "brake_pulled", launches=len(paused))
    return found


async def release_brake(deed: Deed, by: Member | None) -> list[Campaign]:
    """Starts are possible again; nothing goes on by itself. Gives what is still held."""
    await rights.refuse_unless_wide(deed, by)
    if not await launches.release_brake(deed.tx):
        raise HelpdeskError(texts.BRAKE_IS_OFF)
    found = [each for each in await book.listed(deed.tx, states=["scheduled"]) if await _is_held(deed, each)]
    await notices.released(deed, found, by=by)
    await _note(deed, by, None, "brake_released")
    return found


# ---- afterwards


async def retry_failed(deed: Deed, by: Member | None, number: int, *, also_unknown: bool = False) -> int:
    """Try those again who were not reached; gives how many.

    `also_unknown`: those, too, of whom nobody knows whether they were told: some will read it twice.
    """
    found = await rights.seen(deed, by, number)
    await rights.refuse_unless_startable(deed, by, found)
    await _refuse_while_braked(deed)
    if found.state == "stopped":
        raise HelpdeskError(texts.OVER_ALREADY)
    states: list[ReaderState] = ["failed", "unknown"] if also_unknown else ["failed"]
    again = 0
    for launch in await launches.of_campaign(deed.tx, number):
        if launch.state not in {"done", "sending"}:
            continue
        put_back = await readers.retry(deed.tx, launch.id, states=states)
        if put_back and launch.state == "done":
            await launches.reopen(deed.tx, launch.id, by_id=by.id if by else None, now=deed.now)
        again += put_back
    if not again:
        raise HelpdeskError(texts.NOTHING_TO_RETRY)
    await book.reopen(deed.tx, number, now=deed.now)
    await _note(deed, by, number, "campaign_retried", readers=again, also_unknown=also_unknown)
    return again


async def edit_sent(
    deed: Deed, by: Member | None, number: int, *, text: str, channels: Mapping[str, Compose] | None = None
) -> int:
    """Wish that what was sent reads so now, where the messenger allows it; gives how many messages it is of.

    0: so many read it that another person has to agree first (`agree_to_rewording`). The wish waits in
    `storage.campaigns.wishes` for whoever talks to the messengers. Whoever is told later, by this launch or
    another one, reads the new words at once. `channels` split the text as they will.
    """
    found = await rights.seen(deed, by, number)
    await rights.refuse_unless_startable(deed, by, found)
    changed = replace(found, text=text.strip(), schedule={})
    faults = composing.check(changed, knowledge=deed.knowledge, now=deed.now)
    if faults and faults[0].level == "error":
        raise HelpdeskError(faults[0].text)
    for each in (found, changed):
        await _refuse_unless_one_message(deed, each, channels or {})
    await _refuse_unless_sent(deed, found)
    rewording = Rewording(number, changed.text, by.id if by else None)
    count = await _concerned(deed, found)
    if not rights.needs_approval(await rights.as_they_are(deed, by), found.audience, count):
        return await _reword(deed, by, found, rewording)
    await wishes.ask(deed.tx, rewording)
    await notices.rewording_wanted(deed, found, rewording, by=by, count=count)
    await _note(deed, by, number, "campaign_rewording_asked", readers=count)
    return 0


async def agree_to_rewording(deed: Deed, by: Member | None, number: int, *, mark: int) -> int:
    """Agree as a second person to the new text that has this mark; gives how many messages it is of."""
    await rights.refuse_unless_wide(deed, by)
    found = await rights.seen(deed, by, number)
    rewording = await _asked(deed, number, mark)
    await rights.refuse_unless_other(deed, by, rewording.by_id)
    count = await _reword(deed, by, found, rewording)
    await notices.rewording_decided(deed, found, rewording, by=by, is_agreed=True)
    return count


async def refuse_rewording(deed: Deed, by: Member | None, number: int, *, mark: int) -> Campaign:
    """Leave what was sent as it is; whoever wished the new text may think better of it, too."""
    found = await rights.seen(deed, by, number)
    rewording = await _asked(deed, number, mark)
    if rewording.by_id != (by.id if by else None):
        await rights.refuse_unless_wide(deed, by)
    await wishes.withdraw(deed.tx, number)
    await notices.rewording_decided(deed, found, rewording, by=by, is_agreed=False)
    await _note(deed, by, number, "campaign_rewording_refused")
    return found


async def delete_sent(deed: Deed, by: Member | None, number: int) -> int:
    """Wish that what was sent goes from the chats, where the messenger allows it; gives how many messages."""
    found = await rights.seen(deed, by, number)
    await rights.refuse_unless_startable(deed, by, found)
    await _refuse_unless_sent(deed, found)
    await wishes.withdraw(deed.tx, number)
    return await _wish(deed, by, found, Wish(0, "delete", by_id=by.id if by else None))


# ---- parts


async def _values(deed: Deed, by: Member | None, draft: Draft) -> dict[str, Any]:
    """The columns of a draft; refuses what no check is needed to see."""
    title = " ".join(draft.title.split())
    if not title or len(title) > composing.LONGEST_TITLE:
        raise HelpdeskError(texts.NO_TITLE)
    if draft.category not in CATEGORIES:
        raise HelpdeskError(texts.NO_CATEGORY)
    await _known(deed, draft.audience)
    if not rights.may_write_to(by, draft.audience):
        raise HelpdeskError(texts.NOT_YOUR_READERS)
    return {
        "title": title,
        "category": draft.category,
        "text": draft.text.strip(),
        "buttons": [dict(each) for each in draft.buttons],
        "attachments": [asdict(each) for each in draft.attachments],
        "audience": draft.audience,
        "schedule": dict(draft.schedule),
    }


async def _known(deed: Deed, wanted: Audience) -> None:
    """Refuse an audience with words that mean nothing: it would be empty, or everybody, by a slip."""
    _among("who", [wanted.who], _WHO)
    _among("channels", wanted.channels, _CHANNELS)
    _among("age_groups", wanted.age_groups, AGE_GROUPS)
    _among("stages", wanted.stages, (*STAGES, audiences.UNKNOWN_STAGE))
    topics = [slug for slug in wanted.topics if deed.knowledge.topic(slug) is None]
    if topics:
        raise HelpdeskError(texts.no_such_topics(topics))
    if wanted.municipalities:
        known = set(await schools.municipalities(deed.tx))
        if lost := [name for name in wanted.municipalities if name not in known]:
            raise HelpdeskError(texts.unknown_place(lost))
    found = await schools.some(deed.tx, wanted.school_ids)
    if missing := [number for number in wanted.school_ids if number not in found]:
        raise HelpdeskError(texts.unknown_schools(missing))


def _among(name: str, values: Sequence[str], known: Sequence[str]) -> None:
    if wrong := [str(value) for value in values if value not in known]:
        raise HelpdeskError(texts.unknown_value(name, wrong, known))


async def _check(deed: Deed, found: Campaign, channels: Mapping[str, Compose] | None = None) -> Checked:
    wanted = found.audience
    count = await audiences.count(deed.tx, wanted, category=found.category, now=deed.now)
    some = await audiences.sample(deed.tx, wanted, category=found.category, now=deed.now)
    findings = composing.check(
        found,
        knowledge=deed.knowledge,
        now=deed.now,
        readers=count,
        channels=channels,
        reaches_wall=await audiences.reaches_wall(deed.tx, wanted, now=deed.now),
    )
    author = await notices.author_of(deed, found)
    # An author who has left is nobody whose word would do.
    has_left = author is None and found.author_id is not None
    needs = has_left or rights.needs_approval(author, wanted, count)
    checked = Checked(tuple(findings), count, tuple(some), needs)
    if checked.is_clean:
        await book.note_checked(deed.tx, found.id, edition=found.edition)
    return checked


async def _ready(deed: Deed, found: Campaign, edition: int) -> Checked:
    """Refuse what is not written, checked and tried as it is now."""
    if found.state not in WRITTEN:
        raise HelpdeskError(texts.SCHEDULED_ALREADY)
    if found.edition != edition:
        raise HelpdeskError(texts.CHANGED_MEANWHILE)
    if not found.is_checked:
        raise HelpdeskError(texts.NOT_CHECKED)
    if not found.is_tested:
        raise HelpdeskError(texts.NOT_TESTED)
    # The base, the calendar and the readers may have changed since.
    checked = await _check(deed, found)
    if not checked.is_clean:
        raise HelpdeskError(f"{texts.FAULTS} {checked.findings[0].text}")
    return checked


async def _may_go(deed: Deed, found: Campaign, edition: int) -> None:
    checked = await _ready(deed, found, edition)
    if checked.needs_approval and not found.is_approved:
        raise HelpdeskError(texts.NOT_APPROVED)


async def _let_go(deed: Deed, by: Member | None, found: Campaign, what: str) -> Campaign:
    if not await book.set_scheduled(deed.tx, found.id, edition=found.edition, now=deed.now):
        raise HelpdeskError(texts.CHANGED_MEANWHILE)
    await _note(deed, by, found.id, what, edition=found.edition)
    return await rights.seen(deed, by, found.id)


async def _refuse_while_braked(deed: Deed) -> None:
    if await launches.braked_since(deed.tx) is not None:
        raise HelpdeskError(texts.BRAKE_IS_ON)


async def _launch(deed: Deed, by: Member | None, launch_id: int) -> tuple[Launch, Campaign]:
    known = await launches.find(deed.tx, launch_id)
    if known is None:
        raise HelpdeskError(texts.GONE)
    found = await rights.seen(deed, by, known.campaign_id)
    # Held by now: nobody changes it between the look and the deed.
    fresh = await launches.find(deed.tx, launch_id)
    return fresh or known, found


async def _campaigns_of(deed: Deed, some: Iterable[Launch]) -> list[Campaign]:
    numbers = dict.fromkeys(launch.campaign_id for launch in some)
    found = [await book.find(deed.tx, number) for number in numbers]
    return [each for each in found if each is not None]


async def _is_held(deed: Deed, campaign: Campaign) -> bool:
    known = await launches.of_campaign(deed.tx, campaign.id)
    return any(launch.state in {"paused", "asks"} for launch in known)


async def _asked(deed: Deed, number: int, mark: int) -> Rewording:
    """The text that waits for a second person, if it is still the one that they have read."""
    rewording = await wishes.asked(deed.tx, number)
    if rewording is None or rewording.mark != mark:
        raise HelpdeskError(texts.NO_REWORDING)
    return rewording


async def _refuse_unless_one_message(deed: Deed, campaign: Campaign, channels: Mapping[str, Compose]) -> None:
    """Only what fits into one message everywhere, with the longest name of a school, can be exchanged."""
    if len(campaign.text) > (ONE_CAPTION if campaign.attachments else ONE_MESSAGE):
        raise HelpdeskError(texts.TOO_LONG_TO_REPLACE)
    known = await schools.everyone(deed.tx)
    names = {
        "school": max((each.name for each in known), key=len, default=""),
        "municipality": max((each.municipality for each in known), key=len, default=""),
    }
    body, region = composing.body_of(campaign), deed.knowledge.region
    for channel, compose in channels.items():
        if channel not in (campaign.audience.channels or channels):
            continue
        if len(composing.preview(body, compose, channel=channel, region=region, **names)) > 1:
            raise HelpdeskError(texts.TOO_LONG_TO_REPLACE)


async def _refuse_unless_sent(deed: Deed, found: Campaign) -> None:
    """While requests are under way nobody knows who has read which words."""
    known = await launches.of_campaign(deed.tx, found.id)
    told = await readers.progress(deed.tx, [launch.id for launch in known])
    if any(launch.state in ALIVE for launch in known) or told.of("sending"):
        raise HelpdeskError(texts.STILL_SENDING)
    if not told.of("sent"):
        raise HelpdeskError(texts.NOTHING_SENT)


async def _concerned(deed: Deed, found: Campaign) -> int:
    """How many have read it or are going to."""
    known = await launches.of_campaign(deed.tx, found.id)
    listed = await readers.progress(deed.tx, [launch.id for launch in known])
    count = listed.of("sent", "unknown", "queued", "failed")
    if any(launch.state in {"planned", "asks"} for launch in known):
        count += await audiences.count(deed.tx, found.audience, category=found.category, now=deed.now)
    return count


async def _reword(deed: Deed, by: Member | None, found: Campaign, rewording: Rewording) -> int:
    """Let everybody read the new text: those who were told, and those who will be."""
    await _refuse_unless_sent(deed, found)
    await wishes.withdraw(deed.tx, found.id)
    wish = Wish(0, "edit", text=rewording.text, by_id=rewording.by_id)
    count = await _wish(deed, by, found, wish)
    await book.reword(deed.tx, found.id, text=rewording.text, now=deed.now)
    body = composing.body_of(replace(found, text=rewording.text))
    words = {each: body[each] for each in ("text", "names_school")}
    for launch in await launches.of_campaign(deed.tx, found.id):
        if launch.body is not None:
            await launches.reword(deed.tx, launch, {**launch.body, **words})
    return count


async def _wish(deed: Deed, by: Member | None, found: Campaign, wish: Wish) -> int:
    count = 0
    for launch in await launches.of_campaign(deed.tx, found.id):
        named = replace(wish, launch_id=launch.id)
        for channel, sent in (await readers.told_by_channel(deed.tx, launch.id)).items():
            await wishes.add(deed.tx, replace(named, channel=channel))
            count += sent
    await _note(deed, by, found.id, f"campaign_{wish.deed}_wished", messages=count)
    return count


async def _note(deed: Deed, by: Member | None, number: int | None, what: str, **details: Any) -> None:
    named = {"campaign": number, **details} if number is not None else details
    actor = f"staff:{by.id}" if by is not None else "owner"
    await journal.note(deed.tx, what, actor=actor, now=deed.now, details=named)
