"""The ready answers themselves: a member sees those they may use and changes those of their own desks."""

from __future__ import annotations

from handlers.cases import desks
from handlers.errors import HelpdeskError
from handlers.messages import Button, Incoming
from handlers.staff import asking, ready
from handlers.texts import staff as texts
from handlers.turn import Turn, number_in, rows
from storage import schools, staff, templates
from storage.scope import Scope
from storage.staff import Member
from storage.templates import After, Template
from storage.ticket import Desk

LONGEST_TITLE = 40
"""Characters; what fits on a button (the column holds 60)."""
LONGEST_TEXT = 3000
"""Characters; with its heading a message of any messenger holds it."""
MOST_SHOWN = 20
"""Buttons; schools on the choice of a new one's place, and ready answers on the list."""


async def show(turn: Turn, member: Member, _: str = "") -> None:
    """«/templates»: all that the member may use."""
    await ready.seed(turn)
    shown = await _known(turn, member)
    lines = [
        texts.template_line(place, each.title, await _whose(turn, each.desk, "whose"))
        for place, each in enumerate(shown, 1)
    ]
    buttons = [Button(f"{place}. {each.title}", f"tpls:{each.id}") for place, each in enumerate(shown, 1)]
    await turn.say(
        texts.templates(lines), rows([*buttons, Button(texts.BUTTON_ADD, "tpls:add")]), remember=False
    )


async def press(turn: Turn, member: Member, argument: str) -> None:
    """A button whose payload begins with `tpls:`."""
    deed, _, detail = argument.partition(":")
    if not deed:
        await show(turn, member)
    elif deed == "add":
        await _add(turn, member, detail)
    elif deed.isdigit():
        await _show_one(turn, member, await _find(turn, member, deed))
    elif deed in _OF_ONE:
        number, _, rest = detail.partition(":")
        template = await _find(turn, member, number)
        if not await may_change(turn, member, template.desk):
            raise HelpdeskError(texts.TEMPLATE_NOT_YOURS)
        await _OF_ONE[deed](turn, member, template, rest)
    else:
        raise HelpdeskError(texts.NO_SUCH_BUTTON)


async def hear(turn: Turn, member: Member, incoming: Incoming, detail: str) -> None:
    """The words of a ready answer; `detail` says whose is new, or which is to be replaced."""
    title, _, text = incoming.text.strip().partition("\n")
    title, text = title.strip()[:LONGEST_TITLE], text.strip()[:LONGEST_TEXT]
    if not title or not text:
        await asking.ask(turn, member, texts.TEMPLATE_TOO_SHORT, as_=f"tpls:{detail}")
        return
    if detail.isdigit():
        template = await _find(turn, member, detail)
        if not await may_change(turn, member, template.desk):
            raise HelpdeskError(texts.TEMPLATE_NOT_YOURS)
        await templates.change(
            turn.tx,
            template.id,
            title=title,
            text=text,
            after=template.after,
            staff_id=member.id,
            now=turn.now,
        )
        number = template.id
    else:
        desk = await _desk(turn, member, detail)
        number = await templates.add(
            turn.tx, desk, title=title, text=text, after="none", staff_id=member.id, now=turn.now
        )
    await staff.set_replying(turn.tx, member.id, None)
    buttons = [Button(label, f"tpls:after:{number}:{after}") for after, label in texts.AFTER_BUTTONS.items()]
    await turn.say(texts.template_kept(title), rows(buttons), remember=False)


async def may_change(turn: Turn, member: Member, desk: Desk) -> bool:
    """Whether the ready answers of this desk are the member's to change, from where they speak now."""
    if turn.desk is not None and turn.desk.key != desk.key:
        return False  # in a group chat only the group's own
    if desk.level == "ministry":
        return member.role in {"owner", "ministry"}
    if desk.level == "municipal":
        is_theirs = member.role == "municipal" and member.municipality == desk.municipality
        return is_theirs or member.role in {"owner", "ministry"}
    mine = await schools.of_member(turn.tx, Scope(member.id))
    return any(school.id == desk.school_id for school in mine)


async def _show_one(turn: Turn, member: Member, template: Template) -> None:
    buttons = [Button(texts.BUTTON_TO_TEMPLATES, "tpls")]
    if await may_change(turn, member, template.desk):
        buttons = [
            Button(texts.BUTTON_CHANGE, f"tpls:edit:{template.id}"),
            Button(texts.BUTTON_RETIRE, f"tpls:retire:{template.id}"),
            *buttons,
        ]
    whose = await _whose(turn, template.desk, "whose")
    shown = texts.template_shown(template.title, template.text, template.after, whose)
    await turn.say(shown, rows(buttons), remember=False)


async def _add(turn: Turn, member: Member, detail: str) -> None:
    if detail:
        desk = await _desk(turn, member, detail)
        text = texts.write_template(await _whose(turn, desk, "whose"))
        await asking.ask(turn, member, text, as_=f"tpls:{detail}")
        return
    places = await _places(turn, member)
    if len(places) == 1:
        await _add(turn, member, _argument(places[0]))
        return
    buttons = [
        Button(await _label(turn, desk), f"tpls:add:{_argument(desk)}") for desk in places[:MOST_SHOWN]
    ]
    await turn.say(texts.whose_template(), rows(buttons), remember=False)


async def _edit(turn: Turn, member: Member, template: Template, _: str) -> None:
    text = texts.rewrite_template(template.title)
    await asking.ask(turn, member, text, as_=f"tpls:{template.id}")


async def _retire(turn: Turn, member: Member, template: Template, detail: str) -> None:
    if detail != "yes":
        buttons = [
            Button(texts.BUTTON_RETIRE_FOR_SURE, f"tpls:retire:{template.id}:yes"),
            Button(texts.BUTTON_TO_TEMPLATES, "tpls"),
        ]
        await turn.say(texts.retire_for_sure(template.title), rows(buttons), remember=False)
        return
    await templates.retire(turn.tx, template.id, staff_id=member.id, now=turn.now)
    await turn.say(
        texts.template_retired(template.title),
        rows([Button(texts.BUTTON_TO_TEMPLATES, "tpls")]),
        remember=False,
    )


async def _set_after(turn: Turn, member: Member, template: Template, detail: str) -> None:
    if detail not in texts.AFTER_BUTTONS:
        raise HelpdeskError(texts.NO_SUCH_BUTTON)
    after: After = detail
    await templates.change(
        turn.tx,
        template.id,
        title=template.title,
        text=template.text,
        after=after,
        staff_id=member.id,
        now=turn.now,
    )
    buttons = rows([Button(texts.BUTTON_TO_TEMPLATES, "tpls")])
    await turn.say(texts.template_after(template.title, after), buttons, remember=False)


_OF_ONE = {"edit": _edit, "retire": _retire, "after": _set_after}


async def _known(turn: Turn, member: Member) -> list[Template]:
    """The ready answers of the member's desks and of those above them, each once."""
    found: dict[int, Template] = {}
    for desk in await _places(turn, member, is_wide=False) or [desks.MINISTRY]:
        found.update({each.id: each for each in await templates.for_desk(turn.tx, desk)})
    return list(found.values())[:MOST_SHOWN]


async def _find(turn: Turn, member: Member, argument: str) -> Template:
    template = await templates.find(turn.tx, number_in(argument))
    if template is None:
        raise HelpdeskError(texts.NO_SUCH_TEMPLATE)
    may_use = template.level == "ministry" or await may_change(turn, member, template.desk)
    if not may_use and template.id not in {each.id for each in await _known(turn, member)}:
        raise HelpdeskError(texts.NO_SUCH_TEMPLATE)
    return template


async def _places(turn: Turn, member: Member, *, is_wide: bool = True) -> list[Desk]:
    """Where the member may add a ready answer; narrower: the desks at which they sit."""
    found: list[Desk] = []
    if member.role in {"owner", "ministry"}:
        found.append(desks.MINISTRY)
    if member.role == "municipal" and member.municipality:
        found.append(Desk("municipal", municipality=member.municipality))
    known = await schools.some(turn.tx, member.school_ids)
    found += [desks.of_school(school) for school in known.values() if school.closed_at is None]
    if turn.desk is not None and is_wide:
        return [desk for desk in found if desk.key == turn.desk.key]
    return found


async def _desk(turn: Turn, member: Member, argument: str) -> Desk:
    """The desk that a button names, if its ready answers are the member's to change."""
    desk: Desk | None = {"ministry": desks.MINISTRY}.get(argument)
    if argument == "municipal" and member.municipality:
        desk = Desk("municipal", municipality=member.municipality)
    elif argument.startswith("s"):
        school = await schools.find(turn.tx, number_in(argument[1:]))
        desk = desks.of_school(school) if school is not None else None
    if desk is None or not await may_change(turn, member, desk):
        raise HelpdeskError(texts.TEMPLATE_NOT_YOURS)
    return desk


def _argument(desk: Desk) -> str:
    return f"s{desk.school_id}" if desk.level == "school" else desk.level


async def _whose(turn: Turn, desk: Desk, case: texts.Case) -> str:
    school = await schools.find(turn.tx, desk.school_id) if desk.school_id is not None else None
    return texts.desk_name(desk, school.name if school is not None else "", case)


async def _label(turn: Turn, desk: Desk) -> str:
    if desk.level != "school":
        name = texts.desk_name(desk, "")
        return texts.pass_button(name)
    school = await schools.find(turn.tx, desk.school_id or 0)
    return school.name if school is not None else ""
