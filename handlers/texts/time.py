"""Sentences about deadlines, about what was moved up, and of the morning digest. Russian, short, no promises.

Functions take what a person typed raw and escape it themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from faq.markup import escape
from storage.digests import Lifeless, Load, Trouble
from storage.ticket import ClockStop, Desk, Ticket

BUTTON_NEW = "Новые"
BUTTON_OVERDUE = "Просроченные"
MUNICIPALITIES_SHOWN = 30
SCHOOLS_SHOWN = 8
"""Of each kind; the count is of all."""

STANDING: Mapping[ClockStop, str] = {
    "asked": "Часы стоят: ждём ответа родителя",
    "outage": "Часы стоят: объявлен общий сбой",
}
OWNERLESS = "**Вопрос остался без ответственного.** Возьмите его, пожалуйста."
NOBODY_THERE = "**Вопрос передан вам: на прежнем месте сейчас некому ответить.**"

_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")


def moment(at: datetime, *, zone: str) -> str:
    """«чт 3 сентября, 13:00» on the clocks of the region."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{_WEEKDAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}, {local:%H:%M}"


def day(at: datetime, *, zone: str) -> str:
    """«3 сентября»."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {_MONTHS[local.month - 1]}"


def answer_until(at: datetime, *, zone: str, is_late: bool) -> str:
    """A line of the card."""
    return (
        f"**Просрочен ответ**: {_was_due(at, zone)}" if is_late else f"Ответить до: {moment(at, zone=zone)}"
    )


def solve_until(at: datetime, *, zone: str, is_late: bool) -> str:
    """A line of the card."""
    return (
        f"**Просрочено решение**: {_was_due(at, zone)}" if is_late else f"Решить до: {moment(at, zone=zone)}"
    )


def _was_due(at: datetime, zone: str) -> str:
    return f"срок был {moment(at, zone=zone)}"


def warning(ticket: Ticket, due: datetime, *, zone: str, is_late: bool) -> str:
    """Reminds the desk of the deadline that comes next."""
    deed = "ответить" if ticket.state == "waiting" else "решить"
    was = " было" if is_late else ""
    return f"**№ {ticket.id}**{_of_school(ticket)}: {deed} нужно{was} до {moment(due, zone=zone)}."


def desk_name(desk: Desk, *, ministry: str) -> str:
    """Who has a case, in the nominative; nobody's name stands in it."""
    return {"school": "школа", "municipal": "координатор муниципалитета", "ministry": ministry}[desk.level]


def lead_late(before: Desk, ticket: Ticket, *, was_answered: bool) -> str:
    """Why a card comes up."""
    return f"**{_late(before, was_answered=was_answered)}.** Вопрос № {ticket.id} передан вам."


def moved_away(ticket: Ticket, *, to: str, was_answered: bool) -> str:
    """Tells the lower desk that its case went up."""
    what = "решения" if was_answered else "ответа"
    return (
        f"**№ {ticket.id}**{_of_school(ticket)}: срок {what} прошёл, вопрос передан выше ({escape(to)}). "
        "Вы его по-прежнему видите и можете ответить."
    )


def note_late(before: Desk, *, to: str, was_answered: bool) -> str:
    """The note in the thread."""
    return f"{_late(before, was_answered=was_answered)}: передано выше ({to})."


def note_nobody(*, to: str) -> str:
    """The note in the thread when a desk has lost its last member."""
    return f"Некому ответить: передано выше ({to})."


def parent_late(number: int, before: Desk, *, to: str, was_answered: bool) -> str:
    """Tells the parent honestly; promises nothing."""
    deed = "решил" if was_answered else "ответил"
    late = (
        f"{_who(before)} не {deed}{_ending(before)} {'' if was_answered else 'на '}вопрос № {number} вовремя"
    )
    return f"{late}: теперь за него отвечает {escape(to)}."


def parent_nobody(number: int, *, to: str) -> str:
    """Tells the parent that those who had the question cannot answer."""
    return (
        f"На вопрос № {number} там, где он был, сейчас некому ответить: теперь за него отвечает {escape(to)}."
    )


def _late(before: Desk, *, was_answered: bool) -> str:
    return f"{_who(before)} не {'решил' if was_answered else 'ответил'}{_ending(before)} вовремя"


def _who(desk: Desk) -> str:
    return "Школа" if desk.level == "school" else "Координатор муниципалитета"


def _ending(desk: Desk) -> str:
    return "а" if desk.level == "school" else ""


def _of_school(ticket: Ticket) -> str:
    return f" · {escape(ticket.school)}" if ticket.school_id is not None else ""


def digest_of_school(at: datetime, load: Load, *, school: str, above: Sequence[int], zone: str) -> str:
    """What a school's desk reads in the morning; `above` are numbers of cases that went up."""
    lines = [f"**Вопросы на {day(at, zone=zone)}** · {escape(school)}", "", *_of_load(load)]
    if above:
        lines.append(f"Срок прошёл, переданы выше: {', '.join(f'№ {number}' for number in above)}")
    return "\n".join(lines)


def digest_of_office(
    at: datetime,
    load: Load,
    *,
    desk: Desk,
    everywhere: Mapping[str, Load],
    longest: Sequence[Ticket],
    lifeless: Sequence[Lifeless],
    zone: str,
) -> str:
    """What a coordinator or the ministry reads in the morning, of their own desk and of their schools."""
    is_ministry = desk.level == "ministry"
    place = "" if is_ministry else f" · {escape(desk.municipality)}"
    total = _sum(everywhere.values())
    lines = [f"**Сводка на {day(at, zone=zone)}**{place}", "", "**У вас:**", *_of_load(load)]
    lines += ["", "**Во всём регионе:**" if is_ministry else "**Во всём муниципалитете:**"]
    lines += [f"Открыты: {total.open}", *_of_load(total)]
    if is_ministry and everywhere:
        lines += ["", "**По муниципалитетам:**", *_by_municipality(everywhere)]
    if longest:
        lines += ["", "**Дольше всех просрочены:**", *(_of_late(ticket, zone) for ticket in longest)]
    if lifeless:
        lines += [
            "",
            f"**Школы, где некому ответить: {len(lifeless)}**",
            *_of_lifeless(lifeless, is_ministry),
        ]
    return "\n".join(lines)


_TROUBLES: Mapping[Trouble, str] = {
    "not_invited": "никто не приглашён",
    "invited": "приглашение ещё не принято",
    "unreachable": "сообщения ни до кого не доходят",
    "silent": "давно молчат, а вопросы ждут",
}


def _of_load(load: Load) -> list[str]:
    late = f"**Просрочены: {load.overdue}**" if load.overdue else "Просроченных нет"
    return [f"Ждут ответа: {load.waiting}", late, f"Новые: {load.new}"]


def _by_municipality(everywhere: Mapping[str, Load]) -> list[str]:
    most_late_first = sorted(
        everywhere.items(), key=lambda each: (-each[1].overdue, -each[1].open, not each[0], each[0])
    )
    return [
        f"- {escape(name) if name else 'не назван'}: открыты {load.open}, ждут {load.waiting}, "
        f"просрочены {load.overdue}"
        for name, load in most_late_first[:MUNICIPALITIES_SHOWN]
    ]


def _of_late(ticket: Ticket, zone: str) -> str:
    due = ticket.answer_due_at if ticket.state == "waiting" else ticket.solve_due_at
    since = f": {_was_due(due, zone)}" if due is not None else ""
    return f"- № {ticket.id} · {escape(ticket.school)}{since}"


def _of_lifeless(lifeless: Sequence[Lifeless], with_municipality: bool) -> Iterable[str]:
    for trouble, words in _TROUBLES.items():
        here = [each for each in lifeless if each.trouble == trouble]
        if here:
            names = [_school(each, with_municipality) for each in here[:SCHOOLS_SHOWN]]
            more = f" и ещё {len(here) - SCHOOLS_SHOWN}" if len(here) > SCHOOLS_SHOWN else ""
            yield f"- {words} ({len(here)}): {', '.join(names)}{more}"


def _school(school: Lifeless, with_municipality: bool) -> str:
    name = escape(school.name)
    if with_municipality:
        name += f", {escape(school.municipality)}"
    return f"{name} (открытых вопросов: {school.waiting})" if school.waiting else name


def _sum(loads: Collection[Load]) -> Load:
    return Load(
        open=sum(each.open for each in loads),
        waiting=sum(each.waiting for each in loads),
        overdue=sum(each.overdue for each in loads),
        new=sum(each.new for each in loads),
    )
