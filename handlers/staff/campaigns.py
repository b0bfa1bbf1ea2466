"""Announcements from the chat: the list, one of them, the second person's word, the brake."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from handlers.campaigns import control, notices, progress, rights
from handlers.cases.desks import MINISTRY
from handlers.errors import HelpdeskError
from handlers.messages import Button, Incoming, Outgoing
from handlers.staff import asking
from handlers.texts import campaigns as texts
from handlers.turn import Turn, number_in, rows
from storage import staff
from storage.campaigns import audience as audiences
from storage.campaigns import book, launches, readers, wishes
from storage.campaigns.campaign import Campaign
from storage.staff import Member

HEARING = "mail"
"""How the name begins of words that say what is to be mended."""
BRAKE_WORDS = {"стоп кран", "стопкран", "/stopall"}
"""Said alone, they stop everything at once."""
STOP_WORDS = {"стоп", "стоп стоп", "стоп стоп стоп", "stop", "/stop"}
"""Said alone while something is on its way, they may mean the brake."""
_POLITE = {"пожалуйста", "срочно", "быстро"}
PAGE = 6
"""With the brake and the ways to other pages they still fit one keyboard of VK, which takes ten."""
MOST_LATE = 4
"""Launches that ask, under one announcement."""
_YES = "yes"
"""At the end of a button's payload: they were asked whether they mean it."""
_LOOKED_AT = 200
"""Campaigns among which those of a school or a municipality are looked for."""


def means_brake(text: str) -> bool:
    """Whether these words are the brake and nothing else."""
    return _words(text) in BRAKE_WORDS


def _words(text: str) -> str:
    """Without dashes, marks and courtesies."""
    said = re.sub(r"[^\w/]+", " ", text.casefold()).split()
    return " ".join(word for word in said if word not in _POLITE)


async def stop_all(turn: Turn, member: Member, _: str = "") -> None:
    """«Стоп-кран»: everything stops at once; nobody is asked whether it is meant."""
    if not rights.is_wide(member):
        raise HelpdeskError(texts.BRAKE_NOT_ALLOWED)
    stopped = await control.pull_brake(turn, member)
    # Others may read along in a school's group: there the titles stay out.
    titles = [texts.name(each) for each in stopped] if _is_among_us(turn) else []
    named = texts.braked(titles) if titles or not stopped else texts.braked_count(len(stopped))
    await turn.send(Outgoing(turn.address, named, rows([Button(texts.BUTTON_RELEASE, "mail:release")])))


async def may_mean_brake(turn: Turn, member: Member, incoming: Incoming) -> bool:
    """Whether a bare «стоп» may be the brake: of somebody who has it, while something is on its way.

    A reply to a case, and words in the form of its page, are for the parent.
    """
    if incoming.button is not None or incoming.edited or _words(incoming.text) not in STOP_WORDS:
        return False
    if not rights.is_wide(member) or (incoming.ticket_id is not None and turn.group is None):
        return False
    return not await asking.is_reply_to_case(turn, incoming) and bool(await launches.alive(turn.tx))


async def offer_brake(turn: Turn) -> None:
    """Ask whether everything is to stop; nothing of it reaches a parent."""
    button = Button(texts.BUTTON_BRAKE, "mail:brake")
    await turn.send(Outgoing(turn.address, texts.STOP_MEANS_BRAKE, rows([button])))


async def show_all(turn: Turn, member: Member, words: str = "") -> None:
    """`/campaigns`: what is on its way, waiting and written, each with a button; `words` is the page."""
    await _refuse_elsewhere(turn, member)
    found = [
        each
        for each in await book.listed(turn.tx, limit=_LOOKED_AT)
        if rights.may_write_to(member, each.audience)
    ]
    page = min(number_in(words), max(0, len(found) - 1) // PAGE)
    shown = found[page * PAGE : (page + 1) * PAGE]
    lines = [texts.list_page(page)] if page else []
    for each in shown:
        known = await launches.of_campaign(turn.tx, each.id)
        told = await readers.progress(turn.tx, [launch.id for launch in known])
        waiting = await progress.waits_until(turn.tx, known, now=turn.now)
        lines.append(texts.line(each, {launch.state for launch in known}, told, waits_until=waiting))
    buttons = [notices.show_button(each) for each in shown]
    if page:
        buttons.append(Button(texts.BUTTON_BACK, f"mail:list:{page - 1}"))
    if len(found) > (page + 1) * PAGE:
        buttons.append(Button(texts.BUTTON_NEXT, f"mail:list:{page + 1}"))
    if rights.is_wide(member):
        is_braked = await launches.braked_since(turn.tx) is not None
        buttons.append(
            Button(texts.BUTTON_RELEASE, "mail:release")
            if is_braked
            else Button(texts.BUTTON_BRAKE, "mail:brake")
        )
        lines += ["", texts.BRAKE_IS_ON] if is_braked else []
    await turn.send(Outgoing(turn.address, "\n".join(lines) or texts.NONE_YET, rows(buttons)))


async def press(turn: Turn, member: Member, argument: str) -> None:
    """A button: `mail:deed:…`."""
    deed, _, detail = argument.partition(":")
    if deed == "brake":
        await stop_all(turn, member)
        return
    if deed == "sample":
        raise HelpdeskError(texts.SAMPLE_PRESSED)
    await _refuse_elsewhere(turn, member)
    await _PRESSES.get(deed, _list)(turn, member, detail)


async def hear(turn: Turn, member: Member, incoming: Incoming, detail: str) -> None:
    """What is to be mended; `detail` is the number and the edition."""
    await _refuse_elsewhere(turn, member)
    number, edition = _numbers(detail)
    if not incoming.text.strip():
        raise HelpdeskError(texts.NO_NOTE)
    await staff.set_replying(turn.tx, member.id, None)
    found = await control.refuse(turn, member, number, edition=edition, note=incoming.text)
    await turn.send(Outgoing(turn.address, texts.you_refused(found)))


# ---- buttons


async def _list(turn: Turn, member: Member, detail: str) -> None:
    await show_all(turn, member, detail)


async def _show(turn: Turn, member: Member, detail: str) -> None:
    found = await rights.seen(turn, member, number_in(detail))
    far = await progress.of(turn.tx, found, now=turn.now)
    count = await audiences.count(turn.tx, found.audience, category=found.category, now=turn.now)
    is_now = texts.state(found, {launch.state for launch, _ in far.launches}, waits_until=far.waits_until)
    lines = [await notices.card(turn, found, count=count, is_now=is_now)]
    if far.total.total:
        lines.append(texts.figures(far.total))
    zone = turn.knowledge.region.timezone
    if far.waits_until is not None:
        lines.append(texts.waits(far.waits_until, zone=zone))
    elif far.per_second:
        lines.append(texts.pace(far.per_second, far.expected_end, zone=zone))
    held = [launch for launch, _ in far.launches if launch.state in {"asks", "paused"}]
    lines += [texts.held(found, launch) for launch in held[:MOST_LATE]]
    lines += [texts.held_besides(len(held) - MOST_LATE)] if len(held) > MOST_LATE else []
    is_other = await rights.is_other(turn, member, found.author_id)
    ways = _ways_on(found, far, member, zone=zone, now=turn.now, is_other=is_other)
    rewording = await wishes.asked(turn.tx, found.id)
    if rewording is not None:
        lines.append(texts.rewording_waits(rewording.text))
        if rights.is_wide(member) and await rights.is_other(turn, member, rewording.by_id):
            ways = [*notices.rewording_buttons(rewording), *ways]
    await turn.send(Outgoing(turn.address, "\n\n".join(lines), rows(ways)))


async def _send_test(turn: Turn, member: Member, detail: str) -> None:
    found = await control.send_test(turn, member, number_in(detail))
    await turn.send(Outgoing(turn.address, texts.tested(found), rows([notices.show_button(found)])))


async def _ask_approval(turn: Turn, member: Member, detail: str) -> None:
    number, edition = _numbers(detail)
    found = await control.send_for_approval(turn, member, number, edition=edition)
    await turn.send(Outgoing(turn.address, texts.sent_for_approval(found)))


async def _approve(turn: Turn, member: Member, detail: str) -> None:
    number, edition = _numbers(detail)
    found = await control.approve(turn, member, number, edition=edition)
    buttons = rows(notices.first_steps(found))
    await turn.send(Outgoing(turn.address, texts.you_approved(found), buttons))


async def _refuse(turn: Turn, member: Member, detail: str) -> None:
    await rights.refuse_unless_wide(turn, member)
    number, edition = _numbers(detail)
    found = await rights.seen(turn, member, number)
    if found.state != "approval" or found.edition != edition:
        raise HelpdeskError(texts.NOTHING_TO_APPROVE)
    question = texts.ASK_NOTE.format(number=number)
    await asking.ask(turn, member, question, as_=f"{HEARING}:{number}:{edition}")


async def _agree_to_rewording(turn: Turn, member: Member, detail: str) -> None:
    number, mark = _numbers(detail)
    count = await control.agree_to_rewording(turn, member, number, mark=mark)
    found = await rights.seen(turn, member, number)
    said = texts.you_agreed_to_rewording(found, count)
    await turn.send(Outgoing(turn.address, said, rows([notices.show_button(found)])))


async def _keep_the_text(turn: Turn, member: Member, detail: str) -> None:
    number, mark = _numbers(detail)
    found = await control.refuse_rewording(turn, member, number, mark=mark)
    await turn.send(Outgoing(turn.address, texts.you_kept(found), rows([notices.show_button(found)])))


async def _schedule(turn: Turn, member: Member, detail: str) -> None:
    number, edition = _numbers(detail)
    found = await control.schedule_it(turn, member, number, edition=edition)
    text = texts.scheduled(found, notices.when(turn, found))
    await turn.send(Outgoing(turn.address, text, rows([notices.show_button(found)])))


async def _start_now(turn: Turn, member: Member, detail: str) -> None:
    detail, is_sure = _sure(detail)
    number, edition = _numbers(detail)
    if is_sure:
        await _say_going(turn, await control.start_now(turn, member, number, edition=edition))
    else:
        await _ask_start(turn, await rights.seen(turn, member, number), f"mail:now:{detail}:{_YES}")


async def _start_launch(turn: Turn, member: Member, detail: str) -> None:
    detail, is_sure = _sure(detail)
    known = await launches.find(turn.tx, number_in(detail))
    if is_sure or known is None or known.state != "asks":
        await _say_going(turn, await control.start_launch(turn, member, number_in(detail)))
    else:
        found = await rights.seen(turn, member, known.campaign_id)
        await _ask_start(turn, found, f"mail:start:{detail}:{_YES}", municipality=known.municipality)


async def _ask_start(turn: Turn, found: Campaign, payload: str, *, municipality: str = "") -> None:
    """One slip of a finger must not reach everybody."""
    count = await audiences.count(
        turn.tx, found.audience, category=found.category, municipality=municipality, now=turn.now
    )
    asked = texts.ask_start(found, count, municipality=municipality)
    await turn.send(Outgoing(turn.address, asked, rows([Button(texts.BUTTON_START_YES, payload)])))


async def _drop_launch(turn: Turn, member: Member, detail: str) -> None:
    found = await control.drop_launch(turn, member, number_in(detail))
    await turn.send(Outgoing(turn.address, texts.dropped(found)))


async def _pause(turn: Turn, member: Member, detail: str) -> None:
    found = await control.pause(turn, member, number_in(detail))
    buttons = [
        Button(texts.BUTTON_RESUME, f"mail:resume:{found.id}"),
        Button(texts.BUTTON_STOP, f"mail:stop:{found.id}"),
    ]
    await turn.send(Outgoing(turn.address, texts.paused(found), rows(buttons)))


async def _resume(turn: Turn, member: Member, detail: str) -> None:
    found = await control.resume(turn, member, number_in(detail))
    buttons = [Button(texts.BUTTON_PAUSE, f"mail:pause:{found.id}")]
    await turn.send(Outgoing(turn.address, texts.resumed(found), rows(buttons)))


async def _stop(turn: Turn, member: Member, detail: str) -> None:
    number, is_sure = _sure(detail)
    if not is_sure:
        found = await rights.seen(turn, member, number_in(number))
        button = Button(texts.BUTTON_STOP_YES, f"mail:stop:{found.id}:{_YES}")
        await turn.send(Outgoing(turn.address, texts.ask_stop(found), rows([button])))
        return
    found = await control.stop(turn, member, number_in(number))
    await turn.send(Outgoing(turn.address, texts.stopped(found), rows([notices.show_button(found)])))


async def _retry(turn: Turn, member: Member, detail: str) -> None:
    number = number_in(detail)
    count = await control.retry_failed(turn, member, number)
    found = await rights.seen(turn, member, number)
    await turn.send(Outgoing(turn.address, texts.retried(found, count), rows([notices.show_button(found)])))


async def _release(turn: Turn, member: Member, _: str) -> None:
    held = await control.release_brake(turn, member)
    text = texts.released([texts.name(each) for each in held])
    await turn.send(Outgoing(turn.address, text, rows(notices.show_button(each) for each in held)))


_PRESSES: Mapping[str, Callable[[Turn, Member, str], Awaitable[None]]] = {
    "list": _list,
    "show": _show,
    "test": _send_test,
    "ask": _ask_approval,
    "approve": _approve,
    "refuse": _refuse,
    "reword": _agree_to_rewording,
    "keep": _keep_the_text,
    "schedule": _schedule,
    "now": _start_now,
    "start": _start_launch,
    "drop": _drop_launch,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "retry": _retry,
    "release": _release,
}
"""What follows «mail:»; most are `deed:number` or `deed:number:edition`."""


def _ways_on(
    found: Campaign,
    far: progress.CampaignProgress,
    member: Member,
    *,
    zone: str,
    now: datetime,
    is_other: bool,
) -> list[Button]:
    """What this member may do with it next."""
    mark, states = f"{found.id}:{found.edition}", {launch.state for launch, _ in far.launches}
    may_start = rights.may_start(member, found.audience)
    may_hold = may_start or found.author_id == member.id
    can_resume = progress.can_resume(far, now=now)
    is_theirs_to_approve = rights.is_wide(member) and is_other
    ways = [
        (found.state == "draft" and found.is_checked, texts.BUTTON_TEST, f"test:{found.id}"),
        (found.state == "draft" and found.is_tested, texts.BUTTON_SEND_FOR_APPROVAL, f"ask:{mark}"),
        (_is_asked(found) and is_theirs_to_approve, texts.BUTTON_APPROVE, f"approve:{mark}"),
        (_is_asked(found) and is_theirs_to_approve, texts.BUTTON_REFUSE, f"refuse:{mark}"),
        (
            may_hold and bool(states & {"planned", "filling", "sending"}),
            texts.BUTTON_PAUSE,
            _of("pause", found),
        ),
        (may_start and can_resume, texts.BUTTON_RESUME, _of("resume", found)),
        (may_hold and found.state == "scheduled", texts.BUTTON_STOP, _of("stop", found)),
        (may_start and progress.can_retry(found, far), texts.BUTTON_RETRY, _of("retry", found)),
    ]
    buttons = [Button(label, f"mail:{what}") for is_open, label, what in ways if is_open]
    if may_start and found.state in control.WRITTEN and found.is_checked and found.is_tested:
        buttons += notices.first_steps(found)
    # Whose time has not come is continued; of many that ask the first stand here, all of them in the panel.
    late = [launch for launch, _ in far.launches if launch.state == "asks" and launch.due_at <= now]
    for launch in late[:MOST_LATE] if may_start else []:
        buttons += notices.late_buttons(launch, zone=zone if len(late) > 1 else "")
    return [*buttons, Button(texts.BUTTON_LIST, "mail:list")]


def _sure(detail: str) -> tuple[str, bool]:
    """What a button says without its last word, and whether that is «да»."""
    rest, _, last = detail.rpartition(":")
    return (rest, True) if last == _YES else (detail, False)


def _is_asked(found: Campaign) -> bool:
    return found.state == "approval" and not found.is_approved


def _of(deed: str, found: Campaign) -> str:
    return f"{deed}:{found.id}"


async def _say_going(turn: Turn, found: Campaign) -> None:
    buttons = [notices.show_button(found), Button(texts.BUTTON_PAUSE, f"mail:pause:{found.id}")]
    await turn.send(Outgoing(turn.address, texts.starts(found), rows(buttons)))


def _numbers(detail: str) -> tuple[int, int]:
    number, _, edition = detail.partition(":")
    return number_in(number), number_in(edition)


def _is_among_us(turn: Turn) -> bool:
    """Whether nobody reads along whom announcements of the region do not concern."""
    return turn.group is None or turn.desk == MINISTRY


async def _refuse_elsewhere(turn: Turn, member: Member) -> None:
    """In a group of a school or a municipality others read along: announcements stay out of it."""
    turn.scope(member)
    if not _is_among_us(turn):
        raise HelpdeskError(texts.NOT_IN_THIS_GROUP)
