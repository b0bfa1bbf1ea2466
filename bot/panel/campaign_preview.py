"""An announcement as phones will show it: drawn and split by the channels themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.channels.base import FetchError, LocalFile, Rejected
from bot.parts import App
from faq.markup import Span, draw_plain
from handlers.campaigns import composing, progress
from handlers.campaigns.composing import Compose, Shown
from handlers.messages import Address, Attachment, Outgoing
from handlers.texts import basics, venues
from storage.campaigns.audience import MESSENGERS, Sample
from storage.campaigns.campaign import Campaign

_WITHOUT_STYLES = {"vk"}
"""Channels that show neither bold type nor links behind words."""


@dataclass(frozen=True)
class Screen:
    """What a reader on one channel sees."""

    channel: str
    messages: tuple[Shown, ...] = ()
    trouble: str = ""
    """Why nothing can be shown."""
    name: str = ""
    """Another place than a chat of the channel."""


async def screens(
    app: App, campaign: Campaign, *, school_id: int | None = None, reaches_wall: bool = False
) -> list[Screen]:
    """A screen for each channel of the announcement, and one for the community's wall if it goes there; the
    words are those for a reader of this school."""
    composers = await composers_of(app, campaign.attachments)
    found = [
        _screen(app, campaign, name, composers, school_id)
        for name in campaign.audience.channels or MESSENGERS
    ]
    return [*found, _wall(app, campaign, composers)] if reaches_wall and "vk" in composers else found


async def composers_of(app: App, attachments: Sequence[Mapping[str, object]]) -> dict[str, Compose]:
    """How the channels where announcements go split a message with these files."""
    files = await _local(app, attachments)

    def compose_of(name: str) -> Compose:
        def compose(message: Outgoing) -> Sequence[composing.Drawn]:
            return app.channels[name].compose(message, files)

        return compose

    return {name: compose_of(name) for name in (*MESSENGERS, "web") if name in app.channels}


def in_words(app: App, some: Sequence[Sample]) -> list[str]:
    """Readers as a line each; nobody can be written to by it."""
    lines = []
    for each in some:
        school = app.knowledge.school(each.school_id)
        channel = basics.CHANNEL_NAMES.get(each.channel, each.channel)
        place = f", {school.name}, {school.municipality}" if school is not None else ""
        is_wall = Address(each.channel, each.chat_id) == composing.WALL
        name = venues.WALL if is_wall else f"{channel} {progress.masked(each.chat_id)}"
        lines.append(f"{name}{place}")
    return lines


def _screen(
    app: App, campaign: Campaign, channel: str, composers: Mapping[str, Compose], school_id: int | None
) -> Screen:
    if channel not in composers:
        return Screen(channel, trouble="Канал не подключён: сюда ничего не уйдёт.")
    school = app.knowledge.school(school_id)
    try:
        shown = composing.preview(
            composing.body_of(campaign),
            composers[channel],
            channel=channel,
            region=app.knowledge.region,
            school=school.name if school is not None else "",
            municipality=school.municipality if school is not None else "",
        )
    except Rejected as error:
        return Screen(channel, trouble=f"Канал этого не примет: {error}.")
    if channel in _WITHOUT_STYLES:
        shown = [_without_styles(each) for each in shown]
    return Screen(channel, tuple(shown))


def _wall(app: App, campaign: Campaign, composers: Mapping[str, Compose]) -> Screen:
    body, region = composing.body_of(campaign), app.knowledge.region
    try:
        posts = composing.preview_of_wall(body, composers["vk"], region=region)
    except Rejected as error:
        return Screen("vk", trouble=f"Канал этого не примет: {error}.", name=venues.WALL)
    return Screen("vk", tuple(map(_without_styles, posts)), name=venues.WALL)


def _without_styles(shown: Shown) -> Shown:
    return replace(shown, spans=tuple(Span(draw_plain(span)) for span in shown.spans))


async def _local(app: App, attachments: Sequence[Mapping[str, object]]) -> list[LocalFile]:
    found = []
    for each in attachments:
        try:
            found.append(await app.files.local(Attachment(**each), app.channels))  # type: ignore[arg-type]
        except FetchError:
            # The check of the announcement says what is wrong with its files.
            continue
    return found
