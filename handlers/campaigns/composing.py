"""An announcement in words and buttons: checked, shown as it will be drawn, and made for one reader.

A campaign's buttons are plain: {"label", "kind", "value"}.

url             a web address
topic           a topic of the FAQ, by slug
inside          «Я уже вошёл»
help            «Нужна помощь»
stage_topic     the topic for how far the reader has come
stage_question  an answer to «Вы уже вошли в дневник?»: the value is yes or no
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from faq.content.region import Region
from faq.content.topic import Topic
from faq.markup import Span, escape, parse, plain
from handlers import privacy
from handlers.campaigns import schedule
from handlers.campaigns.schedule import Schedule, ScheduleError
from handlers.knowledge import Knowledge
from handlers.messages import Address, Attachment, Button, Outgoing, Rows
from handlers.texts import campaigns as texts
from handlers.turn import rows
from storage.campaigns.campaign import Campaign

BUTTON_KINDS = ("url", "topic", "inside", "help", "stage_topic", "stage_question")
MOST_BUTTONS = 8
"""With «Отписаться» they still fit one keyboard of VK, which takes ten."""
LONGEST_LABEL = 40
"""Characters; VK takes no more."""
LONGEST_TITLE = 120
LARGEST_FILE = 20 * 1024 * 1024
"""Bytes; what every channel takes."""
MOST_FILES = 10
"""Files of one album, as both messengers count."""
FILE_KINDS = ("photo", "file", "video")
TRUSTED_SITES = ("gosuslugi.ru", "dnevnik.ru")
"""Where links may lead without a question; imitations of these pages are how accounts are stolen."""
WALL = Address("vk", "wall")
"""Where posts of the community go."""
SAMPLE = "mail:sample"
"""What the buttons of a test carry: nothing may be changed by trying them."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_OF_SCHOOL = {"школа", "муниципалитет"}
_ESCAPED = re.compile(r"\\[\\*\[\]]")
_LINK = re.compile(r"\[(?:\\.|[^\[\]\\])+\]\(https?://[^\s()]+\)")
_BROKEN_LINK = re.compile(r"\[[^\[\]]*\]\s*\(")
_PROGRAMS = (".exe", ".bat", ".cmd", ".com", ".scr", ".js", ".vbs", ".msi", ".apk", ".jar", ".ps1")
_WRITTEN = ("draft", "approval")
_DOCUMENTS = {"snils", "passport", "birth_certificate", "card"}
"""Kinds of personal data that have no place in an announcement, whatever it is about."""


@dataclass(frozen=True)
class Finding:
    """Something that a program can see in a campaign: with an error it cannot be sent."""

    level: Literal["error", "warning"]
    text: str


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class Drawn(Protocol):
    """One request's worth of a message, as a channel makes it."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """The text with its styles."""
        ...

    @property
    def buttons(self) -> Rows:
        """The buttons under it."""
        ...

    @property
    def files(self) -> Sequence[_Named]:
        """The files with it."""
        ...


Compose = Callable[[Outgoing], Sequence[Drawn]]
"""A channel's way of splitting a message; it fetches the files of the attachments itself."""


@dataclass(frozen=True)
class Shown:
    """One message as the reader will see it."""

    spans: tuple[Span, ...]
    buttons: Rows
    files: tuple[str, ...]


def body_of(campaign: Campaign) -> dict[str, Any]:
    """The campaign as a launch takes it: what it says, to whom, when."""
    window = schedule.Window.from_plain(campaign.schedule.get("window"))
    return {
        "text": campaign.text,
        "buttons": [dict(each) for each in campaign.buttons],
        "attachments": [dict(each) for each in campaign.attachments],
        "category": campaign.category,
        "audience": campaign.audience.to_plain(),
        "window": window.to_plain(),
        # Readers who share a request must share the words.
        "names_school": bool(_OF_SCHOOL & {_name(found) for found in _PLACEHOLDER.findall(campaign.text)}),
    }


# ---- for one reader


def render(
    body: Mapping[str, Any],
    *,
    to: Address,
    region: Region,
    launch_id: int,
    school: str = "",
    municipality: str = "",
) -> Outgoing:
    """The announcement as this reader gets it; `school` is the name of theirs, empty when nobody knows it."""
    who = body["audience"].get("who", "parents")
    text = fill(body["text"], region=region, school=school, municipality=municipality)
    buttons = [Button(**_target(each, launch_id=launch_id)) for each in body["buttons"]]
    if who != "parents":
        # A press of these would be nobody's: staff are no parents, a channel or a wall is no person.
        buttons = [each for each in buttons if each.url]
    if who == "parents":
        buttons.append(Button(texts.BUTTON_UNSUBSCRIBE, f"camp:off:{body['category']}"))
    elif who == "venues" and to.channel == "vk":
        # A wall carries no buttons.
        text = "\n\n".join([text, *(f"[{escape(each.label)}]({each.url})" for each in buttons)])
        buttons = []
    return Outgoing(
        to,
        text,
        rows(buttons),
        tuple(Attachment(**each) for each in body["attachments"]),
        priority="campaign",
    )


def fill(text: str, *, region: Region, school: str = "", municipality: str = "") -> str:
    """Put the reader's words in place of the placeholders; an unknown placeholder stays as it is.

    School and municipality stand in the genitive, so that the sentence is right for everybody.
    """
    words = {
        "регион": escape(region.name),
        "в регионе": escape(region.name_in),
        "вход": f"[страница входа]({region.login_page})",
        "школа": texts.of_school(school),
        "муниципалитет": texts.of_municipality(municipality),
    }
    return _PLACEHOLDER.sub(lambda found: words.get(_name(found[1]), found[0]), text)


def _name(placeholder: str) -> str:
    """What stands in the braces, however it is written: «Школа» is «школа»."""
    return placeholder.strip().casefold()


def preview(
    body: Mapping[str, Any],
    compose: Compose,
    *,
    channel: str,
    region: Region,
    school: str = "",
    municipality: str = "",
    chat_id: str = "",
) -> list[Shown]:
    """The messages as a reader on this channel will see them, split and drawn by the channel itself."""
    to = Address(channel, chat_id)
    message = render(body, to=to, region=region, launch_id=0, school=school, municipality=municipality)
    return [
        Shown(piece.spans, piece.buttons, tuple(file.name for file in piece.files))
        for piece in compose(message)
    ]


def preview_of_wall(body: Mapping[str, Any], compose: Compose, *, region: Region) -> list[Shown]:
    """The posts of the community: links stand in the text, files stay away."""
    shown = preview(body, compose, channel=WALL.channel, region=region, chat_id=WALL.chat_id)
    return [replace(each, buttons=(), files=()) for each in shown if each.spans]


def _target(button: Mapping[str, Any], *, launch_id: int) -> dict[str, str]:
    label, value = str(button["label"]), str(button.get("value", ""))
    if button["kind"] == "url":
        return {"label": label, "url": value}
    payloads = {
        "topic": f"camp:topic:{launch_id}:{value}",
        "inside": f"camp:inside:{launch_id}",
        "help": f"camp:help:{launch_id}",
        "stage_topic": f"camp:next:{launch_id}",
        "stage_question": f"camp:ready:{value}",
    }
    return {"label": label, "payload": payloads.get(button["kind"], SAMPLE)}


# ---- what a program can see


def check(
    campaign: Campaign,
    *,
    knowledge: Knowledge,
    now: datetime,
    readers: int | None = None,
    channels: Mapping[str, Compose] | None = None,
    reaches_wall: bool = False,
) -> list[Finding]:
    """Everything that is wrong or worth a look, errors first.

    `readers` is how many would be told now (None: nobody counted); `channels` split the text as they will;
    `reaches_wall`: the community's wall is among the readers.
    """
    findings = [
        *_of_text(campaign, knowledge.region),
        *_of_personal_data(campaign.text),
        *_of_links(campaign, knowledge.region),
        *_of_buttons(campaign, knowledge),
        *_of_files(campaign),
        *_of_schedule(campaign, now),
        *_of_audience(campaign),
    ]
    if reaches_wall and campaign.attachments:
        findings.append(Finding("warning", texts.FILES_ON_WALL))
    # A channel need not be able to draw what is wrong.
    if not any(each.level == "error" for each in findings):
        findings += _of_length(campaign, knowledge.region, channels or {})
    if readers == 0:
        findings.append(Finding("error", texts.NO_READERS))
    return sorted(findings, key=lambda each: each.level != "error")


def _of_text(campaign: Campaign, region: Region) -> Iterator[Finding]:
    if not plain(campaign.text).strip():
        yield Finding("error", texts.EMPTY_TEXT)
    filled = fill(campaign.text, region=region)
    for name in dict.fromkeys(_PLACEHOLDER.findall(filled)):
        yield Finding("error", texts.unknown_placeholder(name))
    rest = _LINK.sub("", _ESCAPED.sub("", campaign.text))
    if rest.count("**") % 2:
        yield Finding("error", texts.ODD_BOLD)
    if _BROKEN_LINK.search(rest):
        yield Finding("error", texts.BROKEN_LINK)


def _of_personal_data(text: str) -> Iterator[Finding]:
    for kind in dict.fromkeys(each.kind for each in privacy.mask(plain(text)).hidden):
        level: Literal["error", "warning"] = "error" if kind in _DOCUMENTS else "warning"
        yield Finding(level, texts.personal_data(kind))


def _of_links(campaign: Campaign, region: Region) -> Iterator[Finding]:
    links = [span.url for span in parse(campaign.text) if span.url is not None]
    links += [str(each.get("value", "")) for each in campaign.buttons if each.get("kind") == "url"]
    trusted = {*TRUSTED_SITES, _host(region.login_page)}
    for link in dict.fromkeys(links):
        host = _host(link)
        if not host:
            yield Finding("error", texts.bad_link(link))
        elif not any(host == site or host.endswith(f".{site}") for site in trusted):
            yield Finding("warning", texts.foreign_link(host))


def _host(link: str) -> str:
    """The site of a web address; empty for anything else."""
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
    except ValueError:
        return ""
    is_address = parts.scheme in {"http", "https"} and "." in host and not re.search(r"[\s()]", link)
    return host if is_address else ""


def _of_buttons(campaign: Campaign, knowledge: Knowledge) -> Iterator[Finding]:
    if len(campaign.buttons) > MOST_BUTTONS:
        yield Finding("error", texts.too_many_buttons(len(campaign.buttons), MOST_BUTTONS))
    for button in campaign.buttons:
        label, kind = str(button.get("label", "")).strip(), button.get("kind")
        if not label:
            yield Finding("error", texts.NO_LABEL)
        elif len(label) > LONGEST_LABEL:
            yield Finding("error", texts.long_label(label, LONGEST_LABEL))
        if kind not in BUTTON_KINDS:
            yield Finding("error", texts.unknown_button(label))
        elif kind != "url" and campaign.audience.who != "parents":
            yield Finding("error", texts.for_parents_only(label))
        elif kind == "topic":
            yield from _of_topic(campaign, label, knowledge.topic(str(button.get("value", ""))))
        elif kind == "stage_question" and button.get("value") not in {"yes", "no"}:
            yield Finding("error", texts.unknown_button(label))


def _of_topic(campaign: Campaign, label: str, topic: Topic | None) -> Iterator[Finding]:
    if topic is None:
        yield Finding("error", texts.no_topic(label))
        return
    younger_only = set(campaign.audience.age_groups) == {"under14"}
    older_only = bool(campaign.audience.age_groups) and "under14" not in campaign.audience.age_groups
    if (topic.ages == "from14" and younger_only) or (topic.ages == "under14" and older_only):
        yield Finding("warning", texts.topic_of_others(label, topic.title))


def _of_files(campaign: Campaign) -> Iterator[Finding]:
    if len(campaign.attachments) > MOST_FILES:
        yield Finding("error", texts.too_many_files(MOST_FILES))
    for file in campaign.attachments:
        if file["kind"] not in FILE_KINDS or str(file["name"]).casefold().endswith(_PROGRAMS):
            yield Finding("error", texts.refused_file(file["name"]))
        elif (file.get("size") or 0) > LARGEST_FILE:
            yield Finding("error", texts.large_file(file["name"], LARGEST_FILE // 1024 // 1024))


def _of_schedule(campaign: Campaign, now: datetime) -> Iterator[Finding]:
    if not campaign.schedule:
        return
    try:
        schedule.check(Schedule.from_plain(campaign.schedule), now=now)
    except ScheduleError as error:
        yield Finding("error", str(error))


def _of_audience(campaign: Campaign) -> Iterator[Finding]:
    """Filters that ask for nothing: whoever reads them thinks that they narrow the readers down."""
    if campaign.state not in _WRITTEN:
        # Whoever corrects what was sent long ago cannot change its readers any more.
        return
    wanted = campaign.audience
    idle = [label for name, label in texts.FILTERS.items() if getattr(wanted, name)]
    if wanted.who == "staff":
        idle = [label for label in idle if label != texts.FILTERS["not_told_days"]]
    if wanted.who != "parents" and idle:
        yield Finding("error", texts.idle_filters(wanted.who, idle))
    elif wanted.who == "parents" and wanted.asked_since is not None and not wanted.topics:
        yield Finding("error", texts.IDLE_SINCE)


def _of_length(campaign: Campaign, region: Region, channels: Mapping[str, Compose]) -> Iterator[Finding]:
    for channel, compose in channels.items():
        wanted = campaign.audience.channels
        if wanted and channel not in wanted:
            continue
        count = len(preview(body_of(campaign), compose, channel=channel, region=region))
        if count > 1:
            yield Finding("warning", texts.several_messages(channel, count))
