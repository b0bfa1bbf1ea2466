"""The form of an announcement, as it was typed: read, filled in, and made a draft of.

What a member typed stays as it is until a draft is made of it, so that a refusal loses nothing.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from bot.channels.files import Files
from bot.panel.uploads import field as words
from bot.panel.uploads import line
from handlers.campaigns import composing, schedule
from handlers.campaigns.control import Draft
from handlers.campaigns.schedule import Schedule, ScheduleError
from handlers.errors import HelpdeskError
from handlers.knowledge import Knowledge
from handlers.messages import Attachment
from handlers.texts import campaigns as texts
from handlers.texts.schools import named
from handlers.turn import number_in
from storage.campaigns.campaign import CATEGORIES, Audience, Campaign
from storage.schools import School
from storage.staff import Member

MOST_FIELDS = 2000
"""Every school and every button has some."""
LONGEST_TEXT = 8000
"""Characters: two messages of any channel."""
LONGEST_LINE = 500
_LONGEST_NAME = 120
_KEY = re.compile(r"[0-9a-f]{32}")
_ANSWERS = {"yes": "да", "no": "нет"}
_FILE = ("kind", "name", "mime", "channel", "ref", "size")


@dataclass(frozen=True)
class ButtonRow:
    """A button as it was typed."""

    label: str = ""
    kind: str = "url"
    value: str = ""
    """An address, the title of a topic, «да» or «нет»."""


@dataclass(frozen=True)
class Form:
    """Everything that stands in the fields."""

    title: str = ""
    category: str = ""
    text: str = ""
    buttons: tuple[ButtonRow, ...] = ()
    files: tuple[Attachment, ...] = ()
    """Kept already; the browser sends new ones besides."""
    who: str = "parents"
    channels: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()
    schools: tuple[int, ...] = ()
    age_groups: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    """Slugs."""
    asked_since: str = ""
    not_told_days: str = ""
    school_words: str = ""
    """A school that is still to be added."""
    topic_words: str = ""
    when: str = ""
    window: str = ""
    step: str = ""
    edition: int = 0
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    """So that a form sent twice is one announcement."""

    def file_values(self) -> list[tuple[str, str]]:
        """The kept files as fields of the next form: the value, the name."""
        return [(json.dumps(asdict(each), ensure_ascii=False), each.name) for each in self.files]

    def rows(self) -> list[ButtonRow]:
        """Rows of the form: those with buttons, then empty ones."""
        empty = [ButtonRow()] * (composing.MOST_BUTTONS - len(self.buttons))
        return [*self.buttons, *empty]


# ---- filling in


def blank(member: Member) -> Form:
    """A form with nothing but what the member's office fixes."""
    return bounded(Form(), member)


def bounded(form: Form, member: Member) -> Form:
    """The same for those readers to whom the member may write."""
    if member.role == "municipal" and member.municipality:
        return replace(form, municipalities=(member.municipality,))
    if member.role == "school":
        own = tuple(each for each in form.schools if each in member.school_ids)
        return replace(form, who="venues", municipalities=(), schools=own or member.school_ids)
    return form


def of_draft(draft: Draft | Campaign, knowledge: Knowledge) -> Form:
    """A draft as it is typed."""
    wanted, zone = draft.audience, knowledge.region.timezone
    when, window, step = _typed_schedule(draft.schedule, zone)
    files = [each if isinstance(each, Attachment) else Attachment(**each) for each in draft.attachments]
    since = wanted.asked_since
    return Form(
        title=draft.title,
        category=draft.category,
        text=draft.text,
        buttons=tuple(_typed_button(each, knowledge) for each in draft.buttons),
        files=tuple(files),
        who=wanted.who,
        channels=wanted.channels,
        municipalities=wanted.municipalities,
        schools=wanted.school_ids,
        age_groups=wanted.age_groups,
        stages=wanted.stages,
        topics=wanted.topics,
        asked_since=since.astimezone(ZoneInfo(zone)).date().isoformat() if since is not None else "",
        not_told_days=str(wanted.not_told_days or ""),
        when=when,
        window=window,
        step=step,
        edition=draft.edition if isinstance(draft, Campaign) else 0,
    )


def _typed_button(plain: Mapping[str, Any], knowledge: Knowledge) -> ButtonRow:
    kind, value = str(plain.get("kind", "")), str(plain.get("value", ""))
    if kind == "topic":
        topic = knowledge.topic(value)
        value = topic.title if topic is not None else value
    elif kind == "stage_question":
        value = _ANSWERS.get(value, value)
    return ButtonRow(str(plain.get("label", "")), kind, value)


def _typed_schedule(plain: Mapping[str, Any], zone: str) -> tuple[str, str, str]:
    """When, at what hours and with what step, as `schedule.read` understands them."""
    if not plain:
        return "", "", ""
    try:
        known = Schedule.from_plain(plain)
    except ScheduleError:
        return "", "", ""
    if known.kind == "repeating":
        until = f" до {known.until:%d.%m.%Y}" if known.until is not None else ""
        when = f"cron {known.cron}{until}"
    else:
        local = [moment.astimezone(ZoneInfo(zone)) for moment in known.moments]
        when = "; ".join(f"{moment:%d.%m.%Y %H:%M}" for moment in local)
    return when, known.window.in_words(), str(known.step_minutes or "")


# ---- reading


def read(form: FormData, files: Files) -> Form:
    """What came from the browser."""
    rows = (
        ButtonRow(
            line(form, f"label{place}", limit=_LONGEST_NAME),
            line(form, f"kind{place}", limit=_LONGEST_NAME),
            line(form, f"value{place}", limit=LONGEST_LINE),
        )
        for place in range(composing.MOST_BUTTONS)
    )
    key = words(form, "key")
    return Form(
        title=line(form, "title", limit=composing.LONGEST_TITLE),
        category=line(form, "category", limit=_LONGEST_NAME),
        text=words(form, "text")[:LONGEST_TEXT],
        # «Я уже вошёл» needs no value, and a row without words is no button.
        buttons=tuple(row for row in rows if row.label or row.value),
        files=tuple(_kept(_many(form, "kept"), files)),
        who=line(form, "who", limit=_LONGEST_NAME) or "parents",
        channels=_many(form, "channels"),
        municipalities=_many(form, "municipalities"),
        schools=tuple(dict.fromkeys(filter(None, map(number_in, _many(form, "schools"))))),
        age_groups=_many(form, "age_groups"),
        stages=_many(form, "stages"),
        topics=_many(form, "topics"),
        asked_since=line(form, "asked_since", limit=_LONGEST_NAME),
        not_told_days=line(form, "not_told_days", limit=_LONGEST_NAME),
        school_words=line(form, "school", limit=LONGEST_LINE),
        topic_words=line(form, "topic", limit=LONGEST_LINE),
        when=line(form, "when", limit=LONGEST_TEXT),
        window=line(form, "window", limit=LONGEST_LINE),
        step=line(form, "step", limit=_LONGEST_NAME),
        edition=number_in(words(form, "edition")),
        key=key if _KEY.fullmatch(key) else uuid.uuid4().hex,
    )


def _many(form: FormData, name: str) -> tuple[str, ...]:
    """All values of a field that may come several times; PostgreSQL takes no NUL."""
    values = (each.replace("\x00", "") for each in form.getlist(name) if isinstance(each, str))
    return tuple(dict.fromkeys(each for each in values if each))


def _kept(values: Sequence[str], files: Files) -> list[Attachment]:
    """Files that an earlier form brought and we still have; their names cannot be guessed."""
    found = []
    for value in values:
        try:
            plain = json.loads(value)
            made = Attachment(**{name: plain[name] for name in _FILE})
        except (ValueError, KeyError, TypeError):
            continue
        texts_of = (made.name, made.mime, made.channel, made.ref)
        is_whole = all(isinstance(each, str) for each in texts_of) and made.kind in composing.FILE_KINDS
        if is_whole and files.path(made.ref) is not None:
            found.append(made)
    return found


# ---- adding a school or a topic by its name


async def grown(form: Form, knowledge: Knowledge, known: Sequence[School]) -> Form:
    """With the school and the topic that were typed in full; raises HelpdeskError for an unclear name."""
    if form.topic_words:
        slug = _slug(form.topic_words, knowledge)
        form = replace(form, topics=_with(form.topics, slug), topic_words="")
    if form.school_words:
        school = await _school(form.school_words, knowledge, known)
        form = replace(form, schools=_with(form.schools, school.id), school_words="")
    return form


def _with(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys([*values, value]))


def _slug(typed: str, knowledge: Knowledge) -> str:
    if knowledge.topic(typed) is not None:
        return typed
    said = typed.casefold()
    slug = next((each.slug for each in knowledge.base.topics.values() if each.title.casefold() == said), None)
    if slug is None:
        raise HelpdeskError(f"Темы «{typed[:80]}» в базе нет: выберите её из списка.")
    return slug


async def _school(typed: str, knowledge: Knowledge, known: Sequence[School]) -> School:
    exact = [each for each in known if typed in {named(each.name, each.municipality), each.name}]
    if len(exact) == 1:
        return exact[0]
    likely = await knowledge.find_school(typed)
    numbers = [match.school.id for match in likely.schools][: 1 if likely.is_sure else None]
    found = exact or [each for number in numbers for each in known if each.id == number]
    if len(found) == 1:
        return found[0]
    if not found:
        raise HelpdeskError(f"Школы «{typed[:80]}» среди ваших нет: выберите её из списка.")
    some = "; ".join(named(each.name, each.municipality) for each in found[:5])
    raise HelpdeskError(f"Похожих школ несколько: {some}. Выберите одну из списка.")


# ---- making a draft


def draft_of(form: Form, knowledge: Knowledge, *, now: datetime) -> Draft:
    """The draft; raises HelpdeskError with the first thing that cannot be read."""
    category = next((each for each in CATEGORIES if each == form.category), None)
    if category is None:
        raise HelpdeskError(texts.NO_CATEGORY)
    return Draft(
        title=form.title,
        category=category,
        text=form.text,
        buttons=buttons_of(form, knowledge),
        attachments=form.files,
        audience=audience_of(form, knowledge),
        schedule=schedule_of(form, knowledge, now=now),
    )


def buttons_of(form: Form, knowledge: Knowledge) -> tuple[dict[str, str], ...]:
    """The buttons as `composing` has them; raises HelpdeskError."""
    return tuple(_button(row, knowledge) for row in form.buttons)


def _button(row: ButtonRow, knowledge: Knowledge) -> dict[str, str]:
    value = ""
    if row.kind == "url":
        value = row.value
    elif row.kind == "topic":
        value = _slug(row.value, knowledge)
    elif row.kind == "stage_question":
        value = next((key for key, said in _ANSWERS.items() if row.value.casefold() in {key, said}), "")
        if not value:
            raise HelpdeskError(f"У кнопки «{row.label}» укажите ответ: да или нет.")
    return {"label": row.label, "kind": row.kind, "value": value}


def audience_of(form: Form, knowledge: Knowledge) -> Audience:
    """Who is to read it; raises HelpdeskError. Unknown words are refused by whoever keeps it."""
    return Audience(
        who=form.who,  # type: ignore[arg-type]  # `control` refuses any other word
        channels=form.channels,
        municipalities=form.municipalities,
        school_ids=form.schools,
        age_groups=form.age_groups,
        stages=form.stages,
        topics=form.topics,
        asked_since=_day(form.asked_since, knowledge.region.timezone),
        not_told_days=_count(form.not_told_days, "Сколько дней не писали", most=3650),
    )


def schedule_of(form: Form, knowledge: Knowledge, *, now: datetime) -> Mapping[str, Any]:
    """The schedule as JSON, empty when it is started by hand; raises HelpdeskError."""
    if not form.when:
        return {}
    made = schedule.read(
        form.when,
        zone=knowledge.region.timezone,
        now=now,
        window=form.window,
        step_minutes=_count(form.step, "Шаг между муниципалитетами", most=schedule.MINUTES_A_DAY),
    )
    return made.to_plain()


def as_campaign(
    form: Form, *, audience: Audience, buttons: Sequence[Mapping[str, str]], now: datetime
) -> Campaign:
    """What is being typed as a campaign, to be drawn and looked through."""
    category = next((each for each in CATEGORIES if each == form.category), CATEGORIES[0])
    return Campaign(
        id=0,
        title=form.title,
        category=category,
        text=form.text,
        buttons=tuple(buttons),
        attachments=tuple(asdict(each) for each in form.files),
        audience=audience,
        schedule={},
        state="draft",
        edition=1,
        checked_edition=None,
        tested_edition=None,
        approved_edition=None,
        author_id=None,
        approved_by=None,
        approved_at=None,
        created_at=now,
        updated_at=now,
    )


def _day(typed: str, zone: str) -> datetime | None:
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
        return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise HelpdeskError(f"Непонятно, с какого дня «{typed[:40]}»: нужна дата вида 2026-08-15.") from None


def _count(typed: str, name: str, *, most: int) -> int:
    if not typed:
        return 0
    if not (typed.isascii() and typed.isdigit()) or len(typed) > len(str(most)) or int(typed) > most:
        raise HelpdeskError(f"{name}: нужно целое число от 0 до {most}.")
    return int(typed)
