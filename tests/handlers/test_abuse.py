"""Too many messages, people whom nobody wants to hear, and rude words: calm answers, and nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from faq.markup import plain
from handlers.knowledge import Knowledge
from handlers.parents.flood import PAUSE, Limits
from handlers.staff import membership
from handlers.texts import abuse as texts
from handlers.texts import basics
from handlers.texts.rudeness import MARK
from storage import conversations
from storage.conversations import Message
from storage.database import Database
from tests.handlers.desk import PHOTO, Someone
from tests.handlers.staffroom import labels, last, presses, thread_of, ticket_of
from tests.handlers.timekeeping import Office, said

LIMITS = Limits()


@pytest.fixture
async def office(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    office = Office(database, knowledge)
    await office.is_now("2026-09-07 10:00")
    yield office
    await database.close()


@pytest.fixture
async def any_office(knowledge: Knowledge, database: Database) -> Office:
    """On both databases: two people touch one thing."""
    return Office(database, knowledge)


async def floods(parent: Someone, count: int, *, words: str = "ау") -> None:
    """Send so many messages within one moment."""
    for number in range(count):
        await parent.says(f"{words} {number}")


async def kept_of(office: Office, parent: Someone) -> list[Message]:
    """What is kept of the person's own words."""
    known = await office.desk.known(parent)
    async with office.database.reading() as tx:
        conversation = await conversations.of_person(tx, known.id, now=office.clock.now())
        history = await conversations.history(tx, conversation.id, limit=1_000)
    return [each for each in history if each.author == "person"]


async def deeds(office: Office, deed: str) -> int:
    """How often that stands in the journal."""
    async with office.database.reading() as tx:
        query = text("SELECT count(*) FROM journal WHERE deed = :deed")
        return int(await tx.scalar(query, {"deed": deed}) or 0)


async def bans(colleague: Someone, number: int) -> str:
    """Type the command and confirm it; gives what is heard then."""
    await colleague.says(f"/ban {number}")
    await colleague.waits()
    return plain((await _press(colleague, texts.BUTTON_BAN))[-1])


async def _press(someone: Someone, label: str) -> list[str]:
    return await presses(someone, label)


# Too many messages


async def test_who_writes_too_fast_is_asked_once_to_wait_and_answered_together(office: Office) -> None:
    parent = await office.desk.parent()
    await parent.waits(minutes=2)
    await floods(parent, LIMITS.in_minute + 15, words="не приходит код из смс")
    heard = await parent.waits(seconds=1)
    assert heard == [texts.TOO_FAST]
    assert len(await kept_of(office, parent)) == LIMITS.in_minute + 15, "nothing is lost"
    assert await parent.waits(seconds=30) == [], "no answers one by one"
    assert len(await parent.waits(seconds=40)) == 1, "one answer to everything"
    assert await deeds(office, "flood") == 1

    await parent.says("не помню пароль от госуслуг")
    assert texts.TOO_FAST not in await parent.waits(), "afterwards all is as before"


async def test_within_the_limit_nobody_notices_anything(office: Office) -> None:
    parent = await office.desk.parent()
    await parent.waits(minutes=2)
    await floods(parent, LIMITS.in_minute)
    assert texts.TOO_FAST not in await parent.waits(minutes=2)


async def test_buttons_count_and_are_not_obeyed_beyond_the_limit(office: Office) -> None:
    parent = await office.desk.parent()
    await parent.waits(minutes=2)
    for _ in range(LIMITS.in_minute + 10):
        await parent.presses("menu")
    heard = await parent.waits(seconds=1)
    assert heard.count(texts.TOO_FAST) == 1
    assert len(heard) == LIMITS.in_minute + 1
    await parent.waits(minutes=2)
    await parent.presses("menu")
    assert len(await parent.waits()) == 1


async def test_the_staff_read_a_flood_in_one_notice_and_in_its_order(office: Office) -> None:
    school = await office.school()
    admin, parent = await office.admin(school), await office.desk.parent()
    number = await office.asks(parent, school)
    await parent.waits(minutes=2)
    heard = len(admin.heard)
    await floods(parent, LIMITS.in_minute + 5, words="ответьте")
    await parent.waits(seconds=1)
    assert len(admin.heard) - heard == LIMITS.in_minute
    assert last(parent) == texts.TOO_FAST_WITH_HUMAN

    await parent.waits(minutes=1)
    assert len(admin.heard) - heard == LIMITS.in_minute + 1
    notice = last(admin)
    places = [notice.index(f"ответьте {each}") for each in range(LIMITS.in_minute, LIMITS.in_minute + 5)]
    assert places == sorted(places)
    assert f"ответьте {LIMITS.in_minute - 1}" not in notice
    thread = [each.text for each in await thread_of(office, number) if each.author == "person"]
    assert len([each for each in thread if each.startswith("ответьте")]) == LIMITS.in_minute + 5

    await office.desk.passes(timedelta(minutes=5))
    assert len(admin.heard) - heard == LIMITS.in_minute + 1, "and only once"


async def test_what_was_kept_comes_before_what_is_written_next(office: Office) -> None:
    school = await office.school()
    admin, parent = await office.admin(school), await office.desk.parent()
    await office.asks(parent, school)
    await parent.waits(minutes=2)
    await floods(parent, LIMITS.in_minute + 1, words="ответьте")
    heard = len(admin.heard)
    office.clock.pass_by(timedelta(minutes=2))  # the job that shows it has not come yet
    await parent.says("спасибо, жду")
    await office.hears()
    held, fresh = said(admin, since=heard)[-2:]
    assert f"ответьте {LIMITS.in_minute}" in held
    assert "жду" in fresh


async def test_edits_photos_and_personal_data_within_a_flood(office: Office) -> None:
    school = await office.school()
    admin, parent = await office.admin(school), await office.desk.parent()
    await office.asks(parent, school)
    await parent.waits(minutes=2)
    before = len(parent.heard)
    first = await parent.says("старые слова")
    await parent.waits(seconds=1)
    await floods(parent, LIMITS.in_minute - 1)
    for _ in range(2):
        await parent.says("СНИЛС 112-233-445 95")
    await parent.edits(first, "новые слова")
    await parent.says("", attachments=(PHOTO,))
    await parent.waits(seconds=1)
    told = said(parent, since=before)
    assert len([each for each in told if "СНИЛС" in each]) == 1, "told of it once, not each time"
    assert all("112-233" not in each.text for each in await kept_of(office, parent))

    await parent.waits(minutes=1)
    notice = last(admin)
    assert "новые слова" in notice
    assert "112-233" not in notice
    assert not any(each.attachments for each in admin.heard), "a photo is checked first"
    assert any("photo:send" in button.payload for row in parent.heard[-1].buttons for button in row)


async def test_beyond_the_limit_of_an_hour_one_is_answered_now_and_then(office: Office) -> None:
    office.desk.limits = Limits(in_minute=5, in_hour=12)
    office.desk.restarts()
    parent = await office.desk.parent()
    await parent.waits(hours=2)
    for _ in range(3):
        await floods(parent, 4, words="не приходит код из смс")
        await parent.waits(minutes=2)
    await floods(parent, 3, words="не приходит код из смс")
    assert await parent.waits(seconds=1) == [texts.TOO_FAST]
    await floods(parent, 3, words="не приходит код из смс")
    assert len(await parent.waits(seconds=PAUSE.total_seconds())) == 1, "together, and no second request"
    await parent.waits(hours=1)
    await parent.says("не приходит код из смс")
    assert texts.TOO_FAST not in await parent.waits()


async def test_a_flood_after_closing_opens_the_question_again_with_all_of_it(office: Office) -> None:
    school = await office.school()
    admin, parent = await office.admin(school), await office.desk.parent()
    number = await office.asks(parent, school)
    await parent.waits(minutes=2)
    for _ in range(LIMITS.in_minute):
        await parent.presses("mine")
    await admin.presses(f"close:{number}")
    await parent.says("опять не пускает, страница пустая")
    await parent.says("и так у всех троих детей")
    await parent.waits(seconds=1)
    await parent.waits(minutes=2)
    assert (await ticket_of(office, number)).state == "waiting"
    assert "у всех троих детей" in last(admin)


async def test_what_was_kept_is_read_even_when_the_question_is_closed_meanwhile(office: Office) -> None:
    school = await office.school()
    admin, parent = await office.admin(school), await office.desk.parent()
    number = await office.asks(parent, school)
    await parent.waits(minutes=2)
    await floods(parent, LIMITS.in_minute + 1, words="ответьте")
    heard = len(admin.heard)
    await admin.presses(f"close:{number}")
    await admin.waits()
    assert any(f"ответьте {LIMITS.in_minute}" in each for each in said(admin, since=heard))
    await parent.waits(minutes=2)
    assert (await ticket_of(office, number)).state == "closed"


async def test_the_staff_are_never_asked_to_wait(office: Office) -> None:
    admin = await office.admin(await office.school())
    for _ in range(LIMITS.in_minute * 2):
        await admin.says("/open")
    heard = await admin.waits()
    assert len(heard) == LIMITS.in_minute * 2
    assert not {texts.TOO_FAST, texts.TOO_FAST_WITH_HUMAN} & set(heard)


async def test_two_events_at_once_are_two(any_office: Office) -> None:
    any_office.desk.limits = Limits(in_minute=6)
    any_office.desk.restarts()
    parent = await any_office.desk.parent()
    await parent.waits(minutes=2)
    await asyncio.gather(*(parent.says(f"ау {number}") for number in range(9)))
    assert await parent.waits(seconds=1) == [texts.TOO_FAST]
    assert len(await kept_of(any_office, parent)) == 9


# Bans


async def test_a_ban_is_confirmed_closes_everything_and_reaches_everybody_concerned(office: Office) -> None:
    school = await office.school()
    admin, coordinator = await office.admin(school), await office.coordinator()
    parent = await office.desk.parent("Анна")
    number = await office.asks(parent, school)

    await coordinator.says(f"/ban {number}")
    asked = (await coordinator.waits_for_messages())[-1]
    assert labels(asked) == [texts.BUTTON_BAN]
    assert (await ticket_of(office, number)).state == "waiting", "nobody is banned by a slip"
    heard = len(admin.heard)
    told = await presses(coordinator, texts.BUTTON_BAN)
    assert told == [plain(texts.banned(number, 1))]
    assert (await ticket_of(office, number)).state == "closed"
    assert "заблокирован" in said(admin, since=heard)[-1]
    assert (await thread_of(office, number))[-1].author == "note"
    assert await deeds(office, "banned") == 1
    assert not any("заблокирован" in each for each in said(parent))


async def test_a_banned_person_is_kept_heard_by_nobody_and_told_once_a_day(office: Office) -> None:
    school = await office.school()
    admin, coordinator = await office.admin(school), await office.coordinator()
    parent = await office.desk.parent()
    await bans(coordinator, await office.asks(parent, school))
    heard = len(admin.heard), len(coordinator.heard)

    number = await parent.says("ну и где мой ответ, СНИЛС 112-233-445 95")
    await parent.edits(number, "ну и где он")
    await parent.presses("human")
    await parent.says("/human")
    await parent.says("", attachments=(PHOTO,))
    assert await parent.waits(minutes=20) == [texts.BANNED]
    assert (len(admin.heard), len(coordinator.heard)) == heard
    kept = [each.text for each in await kept_of(office, parent)]
    assert "ну и где он" in kept
    assert not any("112-233" in each for each in kept)
    assert (await kept_of(office, parent))[-1].attachments

    await parent.says("алло")
    assert await parent.waits() == []
    await parent.waits(days=1)
    await parent.says("алло")
    assert await parent.waits() == [texts.BANNED]


async def test_lifted_it_tells_the_person_nothing_and_they_are_answered_again(office: Office) -> None:
    school = await office.school()
    coordinator, parent = await office.coordinator(), await office.desk.parent()
    number = await office.asks(parent, school)
    await bans(coordinator, number)
    await parent.says("не приходит код из смс")
    await parent.waits()

    await coordinator.says("/bans")
    await coordinator.waits()
    assert "Анна" in last(coordinator)
    heard = len(parent.heard)
    assert await presses(coordinator, texts.BUTTON_LIFT.format(number=number)) == [texts.lifted(number)]
    assert len(parent.heard) == heard
    await coordinator.presses(f"unban:{number}")
    assert await coordinator.waits() == [texts.NOT_BANNED]
    await coordinator.says("/bans")
    assert texts.NOBODY in (await coordinator.waits())[-1]

    await parent.says("не помню пароль от госуслуг")
    answers = await parent.waits()
    assert answers
    assert texts.BANNED not in answers
    assert (await ticket_of(office, number)).state == "closed"
    assert await deeds(office, "unbanned") == 1


async def test_a_schools_administrator_may_ask_the_coordinator(office: Office) -> None:
    school = await office.school()
    admin, coordinator = await office.admin(school), await office.coordinator()
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    for deed in (f"/ban {number}", "/bans"):
        await admin.says(deed)
        assert await admin.waits() == [texts.ASK_COORDINATOR]
    await admin.presses(f"ban:{number}:yes")
    assert await admin.waits() == [texts.ASK_COORDINATOR]
    assert (await office.desk.known(parent)).banned_at is None

    await bans(coordinator, number)
    await admin.presses(f"unban:{number}")
    assert await admin.waits() == [texts.ASK_COORDINATOR]
    assert (await office.desk.known(parent)).banned_at is not None


async def test_bans_stay_within_ones_own_municipality(office: Office) -> None:
    school = await office.school()
    here, elsewhere = await office.coordinator(), await office.coordinator("Ольга", municipality="Гиагинский")
    ministry, parent = await office.desk.colleague("Ирина"), await office.desk.parent("Анна")
    number = await office.asks(parent, school)

    for deed in (f"ban:{number}:yes", f"ban:{number}"):
        await elsewhere.presses(deed)
        assert await elsewhere.waits() == [basics.TICKET_UNKNOWN]
    await elsewhere.says(f"/ban {number}")
    assert await elsewhere.waits() == [basics.TICKET_UNKNOWN]
    assert (await office.desk.known(parent)).banned_at is None

    await bans(here, number)
    await elsewhere.says("/bans")
    assert texts.NOBODY in (await elsewhere.waits())[-1]
    await elsewhere.presses(f"unban:{number}")
    assert await elsewhere.waits() == [basics.TICKET_UNKNOWN]
    await ministry.says("/bans")
    assert "Анна" in (await ministry.waits())[-1]


async def test_a_colleague_is_not_banned_for_the_question_of_another_day(office: Office) -> None:
    school = await office.school()
    coordinator, parent = await office.coordinator(), await office.desk.parent("Вера")
    number = await office.asks(parent, school)
    async with office.database.transaction() as tx:
        invited = await membership.invite(
            tx, role="school", school_id=school.id, municipality=None, now=office.clock.now()
        )
    await parent.starts(f"join-{invited.token}")
    await parent.waits()
    assert await office.desk.is_staff(parent)
    await coordinator.says(f"/ban {number}")
    assert await coordinator.waits() == [texts.IS_STAFF]


async def test_what_waited_for_an_answer_is_not_answered_after_a_ban(office: Office) -> None:
    school = await office.school()
    admin, coordinator = await office.admin(school), await office.coordinator()
    parent = await office.desk.parent()
    await parent.says("не приходит код из смс")  # waits for its answer
    await bans(coordinator, await office.asks(parent, school))
    heard = len(parent.heard), len(admin.heard)
    await office.desk.passes(timedelta(hours=1))
    assert (len(parent.heard), len(admin.heard)) == heard, "what waited is answered no more"


async def test_two_ban_at_once_and_one_is_told_that_it_is_done(any_office: Office) -> None:
    school = await any_office.school()
    here, ministry = await any_office.coordinator(), await any_office.desk.colleague("Ирина")
    parent = await any_office.desk.parent()
    number = await any_office.asks(parent, school)
    await asyncio.gather(here.presses(f"ban:{number}:yes"), ministry.presses(f"ban:{number}:yes"))
    await any_office.hears()
    told = [*said(here), *said(ministry)]
    assert told.count(plain(texts.banned(number, 1))) == 1
    assert told.count(plain(texts.is_banned(number))) == 1
    assert await deeds(any_office, "banned") == 1


async def test_a_message_and_a_ban_at_once_leave_no_open_question(any_office: Office) -> None:
    school = await any_office.school()
    here, parent = await any_office.coordinator(), await any_office.desk.parent()
    number = await any_office.asks(parent, school)
    await asyncio.gather(parent.says("а ещё вот что"), here.presses(f"ban:{number}:yes"))
    await any_office.desk.passes(timedelta(hours=1))
    assert (await ticket_of(any_office, number)).state == "closed"
    assert "а ещё вот что" in [each.text for each in await kept_of(any_office, parent)]


# Rude words


async def test_an_insult_in_a_longer_message_is_marked_on_the_card_and_on_each_notice(office: Office) -> None:
    school = await office.school()
    admin, parent = await office.admin(school), await office.desk.parent()
    number = await office.asks(parent, school, "третий день не могу войти, вы там совсем дебилы")
    assert MARK in last(admin)
    await parent.says("код не приходит, какие же вы идиоты, верните как было")
    await parent.waits()
    assert MARK in last(admin)
    await parent.says("застраховать ребёнка, хлеб, команда, учитель Дурова")
    await parent.waits()
    assert MARK not in last(admin)
    await admin.presses(f"card:{number}")
    assert MARK in (await admin.waits())[-1]
