"""What people in charge are told about announcements, with buttons «mail:…» (`handlers.staff.campaigns`).

The ministry hears of everything but the posts of a single school, which are its own business; the author
hears of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from handlers.campaigns import composing, rights, schedule
from handlers.campaigns.schedule import Schedule, ScheduleError
from handlers.cases import desks
from handlers.knowledge import Knowledge
from handlers.messages import Address, Button, Outgoing
from handlers.texts import campaigns as texts
from handlers.turn import Deed, place, rows
from storage import schools, staff
from storage.campaigns import launches, readers
from storage.campaigns.campaign import Audience, Campaign, Launch
from storage.campaigns.wishes import Rewording
from storage.staff import Member


async def approval_wanted(deed: Deed, campaign: Campaign, *, by: Member | None, count: int) -> None:
    """Ask the ministry to look at it: the card with the buttons, then the announcement as it will be seen."""
    text = texts.approval_wanted(who(by), await card(deed, campaign, count=count))
    buttons = [
        Button(texts.BUTTON_APPROVE, f"mail:approve:{campaign.id}:{campaign.edition}"),
        Button(texts.BUTTON_REFUSE, f"mail:refuse:{campaign.id}:{campaign.edition}"),
    ]
    for to in await _others(deed, campaign.author_id, by=by):
        await _tell(deed, [to], text, buttons)
        await deed.send(replace(sample(deed, campaign, to), priority="notice"))


async def approved(deed: Deed, campaign: Campaign, *, by: Member | None) -> None:
    """Tell the author."""
    author = await author_of(deed, campaign)
    if author is not None:
        steps = first_steps(campaign) if rights.may_start(author, campaign.audience) else []
        await _tell(deed, [place(author)], texts.approved(campaign, who(by)), steps)


async def refused(deed: Deed, campaign: Campaign, *, by: Member | None, note: str) -> None:
    """Tell the author what to mend."""
    author = await author_of(deed, campaign)
    if author is not None:
        await _tell(deed, [place(author)], texts.refused(campaign, who(by), note), [show_button(campaign)])


async def rewording_wanted(
    deed: Deed, campaign: Campaign, rewording: Rewording, *, by: Member | None, count: int
) -> None:
    """Ask the ministry whether what so many have read may read otherwise; then the new text as it will be."""
    text = texts.rewording_wanted(campaign, who(by), count)
    changed = replace(campaign, text=rewording.text)
    for to in await _others(deed, rewording.by_id, by=by):
        await _tell(deed, [to], text, [*rewording_buttons(rewording), show_button(campaign)])
        await deed.send(replace(sample(deed, changed, to), priority="notice"))


async def rewording_decided(
    deed: Deed, campaign: Campaign, rewording: Rewording, *, by: Member | None, is_agreed: bool
) -> None:
    """Tell whoever wished the new text, unless they decided themselves."""
    wished = await staff.find(deed.tx, rewording.by_id or 0)
    if wished is None or wished.revoked_at is not None or (by is not None and by.id == wished.id):
        return
    said = texts.rewording_agreed if is_agreed else texts.rewording_refused
    await _tell(deed, [place(wished)], said(campaign, who(by)), [show_button(campaign)])


async def begun(deed: Deed, campaign: Campaign, launch: Launch) -> None:
    """A launch, or the first of its wave, has begun."""
    buttons = [
        show_button(campaign),
        Button(texts.BUTTON_PAUSE, f"mail:pause:{campaign.id}"),
        Button(texts.BUTTON_STOP, f"mail:stop:{campaign.id}"),
    ]
    await _tell(deed, await _in_charge(deed, campaign), texts.begun(campaign, launch), buttons)


async def held(deed: Deed, campaign: Campaign, launch: Launch) -> None:
    """A launch asks before its start (overdue, brake), or has paused by itself: the launch says why."""
    if launch.state == "asks":
        buttons = late_buttons(launch)
    else:
        buttons = [
            show_button(campaign),
            Button(texts.BUTTON_RESUME, f"mail:resume:{campaign.id}"),
            Button(texts.BUTTON_STOP, f"mail:stop:{campaign.id}"),
        ]
    await _tell(deed, await _in_charge(deed, campaign), texts.held(campaign, launch), buttons)


async def channel_closed(deed: Deed, campaign: Campaign, channel: str, detail: str) -> None:
    """One channel takes nothing; the others go on."""
    said = texts.channel_closed(campaign, channel, detail)
    await _tell(deed, await _in_charge(deed, campaign), said, [show_button(campaign)])


async def done(deed: Deed, campaign: Campaign, launch: Launch) -> None:
    """A launch, or the last of its wave, is over: the figures are of the whole wave."""
    wave = [each for each in await launches.of_campaign(deed.tx, campaign.id) if each.wave == launch.wave]
    progress = await readers.progress(deed.tx, [each.id for each in wave])
    launch = replace(launch, municipality="") if len(wave) > 1 else launch
    buttons = [show_button(campaign)]
    if progress.of("failed"):
        buttons.append(Button(texts.BUTTON_RETRY, f"mail:retry:{campaign.id}"))
    await _tell(deed, await _in_charge(deed, campaign), texts.done(campaign, launch, progress), buttons)


async def braked(deed: Deed, stopped: Sequence[Campaign], *, by: Member | None) -> None:
    """Everything was stopped at once: tell the ministry and the authors, but not whoever did it."""
    text = texts.braked([texts.name(each) for each in stopped], who(by))
    await _tell_others(deed, stopped, text, [Button(texts.BUTTON_RELEASE, "mail:release")], by=by)


async def released(deed: Deed, held_back: Sequence[Campaign], *, by: Member | None) -> None:
    """Starts are possible again; nothing goes on by itself."""
    text = texts.released([texts.name(each) for each in held_back], who(by))
    buttons = [show_button(each) for each in held_back]
    await _tell_others(deed, held_back, text, buttons, by=by)


# ---- parts that the staff's pages and answers share


async def card(deed: Deed, campaign: Campaign, *, count: int, is_now: str = "") -> str:
    """What people decide by."""
    known = await schools.some(deed.tx, campaign.audience.school_ids)
    names = [school.name for school in known.values()]
    who_reads = audience_in_words(campaign.audience, deed.knowledge, schools=names)
    return texts.card(campaign, count=count, who=who_reads, when=when(deed, campaign), is_now=is_now)


def audience_in_words(wanted: Audience, knowledge: Knowledge, *, schools: Sequence[str] = ()) -> str:
    """Who is to read it, with every filter, so that nobody agrees to one that they do not see."""
    known = {slug: knowledge.topic(slug) for slug in wanted.topics}
    titles = {slug: topic.title for slug, topic in known.items() if topic is not None}
    return texts.audience(wanted, schools=schools, topics=titles, zone=knowledge.region.timezone)


def when(deed: Deed, campaign: Campaign) -> str:
    """Its schedule in words."""
    if not campaign.schedule:
        return texts.NOT_SCHEDULED
    try:
        return schedule.in_words(Schedule.from_plain(campaign.schedule), deed.knowledge.region.timezone)
    except ScheduleError:
        return texts.NOT_SCHEDULED


def sample(deed: Deed, campaign: Campaign, to: Address, *, school_id: int | None = None) -> Outgoing:
    """The announcement as a reader gets it; its buttons change nothing."""
    school = deed.knowledge.school(school_id)
    message = composing.render(
        composing.body_of(campaign),
        to=to,
        region=deed.knowledge.region,
        launch_id=0,
        school=school.name if school else "",
        municipality=school.municipality if school else "",
    )
    buttons = tuple(
        tuple(button if button.url else replace(button, payload=composing.SAMPLE) for button in row)
        for row in message.buttons
    )
    return replace(message, buttons=buttons, priority="reply")


def first_steps(campaign: Campaign) -> list[Button]:
    """How a campaign that is ready goes out."""
    if campaign.schedule:
        return [Button(texts.BUTTON_SCHEDULE, f"mail:schedule:{campaign.id}:{campaign.edition}")]
    return [Button(texts.BUTTON_START, f"mail:now:{campaign.id}:{campaign.edition}")]


def late_buttons(launch: Launch, *, zone: str = "") -> list[Button]:
    """What may become of a launch that asks; with a `zone` they name which one they mean."""
    which = texts.which(launch, zone=zone) if zone else ""
    return [
        Button(f"{texts.BUTTON_START_LATE}{which}", f"mail:start:{launch.id}"),
        Button(f"{texts.BUTTON_DROP}{which}", f"mail:drop:{launch.id}"),
    ]


def rewording_buttons(rewording: Rewording) -> list[Button]:
    """What may become of a new text that waits for a second person."""
    mark = f"{rewording.campaign_id}:{rewording.mark}"
    return [
        Button(texts.BUTTON_APPROVE, f"mail:reword:{mark}"),
        Button(texts.BUTTON_KEEP, f"mail:keep:{mark}"),
    ]


def show_button(campaign: Campaign) -> Button:
    """The way to it."""
    return Button(texts.BUTTON_SHOW.format(number=campaign.id), f"mail:show:{campaign.id}")


def who(by: Member | None) -> str:
    """How the one who acts is called."""
    return by.name if by is not None else texts.OWNER


async def author_of(deed: Deed, campaign: Campaign) -> Member | None:
    """Whoever wrote it, while they are in office."""
    author = await staff.find(deed.tx, campaign.author_id or 0)
    return author if author is not None and author.revoked_at is None else None


# ---- who hears it


async def _in_charge(deed: Deed, campaign: Campaign) -> list[Address]:
    author = await author_of(deed, campaign)
    if author is not None and author.role == "school":
        return [place(author)]
    return [*await _ministry(deed), *([place(author)] if author is not None else [])]


async def _ministry(deed: Deed) -> list[Address]:
    return [each.to for each in await desks.places(deed.tx, desks.MINISTRY)]


async def _others(deed: Deed, author_id: int | None, *, by: Member | None) -> list[Address]:
    """Where the ministry reads, but for the accounts of the author and of whoever asks."""
    members = await desks.members(deed.tx, desks.MINISTRY)
    own = {place(each) for each in members if not await rights.is_other(deed, each, author_id)}
    own |= {place(by)} if by is not None else set()
    return [to for to in await _ministry(deed) if to not in own]


async def _tell_others(
    deed: Deed, campaigns: Iterable[Campaign], text: str, buttons: Sequence[Button], *, by: Member | None
) -> None:
    places = await _ministry(deed)
    for campaign in campaigns:
        places += await _in_charge(deed, campaign)
    own = place(by) if by is not None else None
    await _tell(deed, [each for each in places if each != own], text, buttons)


async def _tell(deed: Deed, places: Iterable[Address], text: str, buttons: Sequence[Button]) -> None:
    for to in dict.fromkeys(places):
        await deed.send(Outgoing(to, text, rows(buttons), priority="notice"))
