"""Whatever a member types or presses: of a foreign school's case nothing is shown, and nothing changes.

The commands, the buttons and the kinds of words come from `handlers.staff.dialog`, so that a new one is
walked here of itself.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from handlers.knowledge import Knowledge
from handlers.staff import dialog
from handlers.texts import basics as texts
from storage import conversations, staff, templates
from storage.database import Database
from storage.schools import School
from storage.ticket import Desk
from tests.handlers.desk import PATIENT, Someone
from tests.handlers.staffroom import everything_in, member_of, revokes
from tests.handlers.timekeeping import Office

SECRETS = ("зверобой", "шалфей", "пустырник", "боярышник", "Ландышевая")
"""Words of the foreign case: the parent's, an answer's, a note's, a template's, the school's name."""
ROLES = ("school", "municipal", "revoked", "parent")
OF_A_CASE = (
    "{case}",
    "{case}:{template}",
    "{case}:{message}",
    "{case}:{draft}",
    "{case}:anyway",
    "{case}:yes",
    "{case}:no",
    "{case}:find",
    "{case}:ministry",
    "{case}:s{own}",
)
"""What may stand behind the name of a case's button."""
OTHERS = (
    "",
    "{case}",
    "{message}",
    "{draft}",
    "{template}",
    "add:s{school}",
    "add:ministry",
    "edit:{template}",
    "retire:{template}:yes",
    "after:{template}:close",
    "mine",
    "new",
    "open",
    "overdue",
    "open:1",
    "closed",
    "s{school}",
    "yes:{case}",
    "all:{case}",
)
"""What may stand behind the name of any other button."""
OWN = {"leave": {"staff", "staff_schools", "journal"}}
"""What a deed may change because it is about the member alone."""
NOT_COMPARED = {"staff": ("replying_to", "replying_as")}


@dataclass
class Foreign:
    """A case of a school where the one who tries has no say."""

    office: Office
    school: School
    own: School
    case: int
    message: int
    draft: int
    template: int

    def fill(self, shape: str) -> str:
        """A shape with the foreign numbers in it."""
        return shape.format(
            case=self.case,
            message=self.message,
            draft=self.draft,
            template=self.template,
            school=self.school.id,
            own=self.own.id,
        )


@pytest.fixture
async def foreign(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Foreign]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    office = Office(Database(f"sqlite:///{path}"), knowledge)
    office.desk.limits = PATIENT
    office.desk.restarts()
    school = await office.school("Ландышевая школа", municipality="Майкоп")
    own = await office.school("Гимназия № 22", municipality="Гиагинский район")
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    case = await office.asks(parent, school, "зверобой не открывается")
    await maria.presses(f"answer:{case}")
    await maria.says("шалфей поможет")
    await maria.presses(f"note:{case}")
    await maria.says("пустырник")
    await petr.presses(f"answer:{case}:anyway")
    await petr.says("и боярышник")  # second: waits for «Отправить от себя»
    await petr.waits()
    numbers = [each.id for each in await _thread(office, case) if each.delivery == "second"]
    member = await member_of(office, petr)
    async with office.database.transaction() as tx:
        template = await templates.add(
            tx,
            Desk("school", school.id, "Майкоп"),
            title="боярышник",
            text="боярышник для всех",
            after="close",
            staff_id=member.id,
            now=office.clock.now(),
        )
        known = await office.desk.known(petr)
        talk = await conversations.of_person(tx, known.id, now=office.clock.now())
        draft = await conversations.add_message(
            tx, talk.id, author="staff", staff_id=member.id, text="боярышник", now=office.clock.now()
        )
    # The first ready answers are added at the first look, whoever looks.
    await maria.says("/templates")
    await maria.waits()
    yield Foreign(office, school, own, case, numbers[0], draft, template)
    await office.database.close()


async def _thread(office: Office, case: int) -> list[conversations.Message]:
    async with office.database.reading() as tx:
        return await conversations.thread(tx, case)


async def intruder(foreign: Foreign, role: str) -> Someone:
    """Somebody with this role, and no say in the foreign school."""
    if role == "parent":
        return await foreign.office.desk.parent("Ольга")
    if role == "municipal":
        return await foreign.office.coordinator("Ольга", municipality="Гиагинский район")
    member = await foreign.office.admin(foreign.own if role == "school" else foreign.school, "Ольга")
    if role == "revoked":
        await revokes(foreign.office, member)
    return member


def check(someone: Someone, heard: int, deed: str) -> None:
    """Nothing of the case came to light."""
    told = "\n".join(
        message.text + " ".join(button.label for row in message.buttons for button in row)
        for message in someone.heard[heard:]
    )
    for secret in SECRETS:
        assert secret.casefold() not in told.casefold(), f"«{deed}» shows «{secret}»"


@pytest.mark.parametrize("role", ROLES)
async def test_no_button_reaches_a_foreign_case(foreign: Foreign, role: str) -> None:
    someone = await intruder(foreign, role)
    heard = len(someone.heard)
    deeds = [*dialog.CASE_DEEDS, *(name for name in dialog.DEEDS if name not in OWN), *OWN]
    assert len(deeds) == len({*dialog.CASE_DEEDS, *dialog.DEEDS})
    for deed in deeds:
        before = await everything_in(foreign.office.database, but=NOT_COMPARED)
        for shape in OF_A_CASE if deed in dialog.CASE_DEEDS else OTHERS:
            await someone.presses(foreign.fill(f"{deed}:{shape}" if shape else deed))
        await someone.waits()
        after = await everything_in(foreign.office.database, but=NOT_COMPARED)
        for table in before:
            # What the bot says to a parent is a part of their own conversation.
            if table not in OWN.get(deed, ()) and not (role != "school" and table in {"messages", "journal"}):
                assert after[table] == before[table], f"«{deed}» changes {table}"
        check(someone, heard, deed)
    await _is_untouched(foreign)


@pytest.mark.parametrize("role", ROLES)
async def test_no_command_shows_a_foreign_case(foreign: Foreign, role: str) -> None:
    someone = await intruder(foreign, role)
    heard = len(someone.heard)
    for command in sorted(dialog.COMMANDS, key=lambda name: name == "/leave"):
        for argument in ("", str(foreign.case), "Ландыш"):
            await someone.says(f"{command} {argument}".strip())
            await someone.waits()
        check(someone, heard, command)
    await _is_untouched(foreign)


@pytest.mark.parametrize("role", ["school", "municipal"])
@pytest.mark.parametrize("asked", ["answer", *dialog.HEARINGS])
async def test_words_asked_for_before_are_refused_now(foreign: Foreign, role: str, asked: str) -> None:
    someone = await intruder(foreign, role)
    member = await member_of(foreign.office, someone)
    heard = len(someone.heard)
    before = await everything_in(foreign.office.database, but=NOT_COMPARED)
    for detail in ("", f":{foreign.template}", ":ministry", f":s{foreign.own.id}"):
        async with foreign.office.database.transaction() as tx:
            await staff.set_replying(tx, member.id, foreign.case, as_=f"{asked}{detail}")
        await someone.says("мне бы сюда")
        assert await someone.waits() == [texts.TICKET_UNKNOWN]
    assert await everything_in(foreign.office.database, but=NOT_COMPARED) == before
    check(someone, heard, asked)


@pytest.mark.parametrize("role", ["school", "municipal"])
async def test_the_form_of_a_page_reaches_no_foreign_case(foreign: Foreign, role: str) -> None:
    someone = await intruder(foreign, role)
    before = await everything_in(foreign.office.database, but=NOT_COMPARED)
    await someone.says("мне бы сюда", ticket_id=foreign.case)
    assert await someone.waits() == [texts.TICKET_UNKNOWN]
    assert await everything_in(foreign.office.database, but=NOT_COMPARED) == before


async def _is_untouched(foreign: Foreign) -> None:
    """The foreign thread has what it had."""
    said = [message.text for message in await _thread(foreign.office, foreign.case)]
    assert sum(secret in " ".join(said) for secret in SECRETS) >= 4
    assert "мне бы сюда" not in " ".join(said)
