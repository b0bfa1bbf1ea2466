"""Announcements in people's hands: the second person, the brake, holding, stopping, the report."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import openpyxl
import pytest

from handlers.campaigns import composing, control, notices, progress, rights, telling
from handlers.campaigns.control import Draft
from handlers.campaigns.launching import Launching
from handlers.campaigns.schedule import Schedule
from handlers.errors import HelpdeskError
from handlers.knowledge import Knowledge
from handlers.texts import campaigns as texts
from handlers.turn import Deed
from storage import family, people
from storage.campaigns import book, launches, readers, wishes
from storage.campaigns.audience import Zones, fill
from storage.campaigns.campaign import Audience, Campaign, Launch, LaunchState
from storage.campaigns.readers import Rules
from storage.database import Database
from storage.staff import Member
from tests.handlers.desk import Someone
from tests.handlers.staffroom import labels, last, presses, revokes
from tests.handlers.timekeeping import Office, said

T = TypeVar("T")
TEXT = "**Проверьте вход** до 25 августа."
RULES = Rules(["Europe/Moscow"], 2, datetime(2026, 1, 1, tzinfo=UTC))
DRAFT = Draft("Проверьте вход", "reminders", TEXT)


@pytest.fixture
async def office(knowledge: Knowledge, database: Database) -> Office:
    """On both databases."""
    office = Office(database, knowledge)
    await office.is_now("2026-09-07 10:00")
    return office


async def does(office: Office, work: Callable[[Deed], Awaitable[T]]) -> T:
    """One deed, as a page or a command does it; whoever is told of it hears it."""
    async with office.database.transaction() as tx:
        done = await work(office.deed(tx))
    await office.hears()
    return done


async def member(office: Office, someone: Someone) -> Member:
    return await office.member(someone)


async def subscribers(office: Office, count: int) -> None:
    """So many people who may be told."""
    async with office.database.transaction() as tx:
        for number in range(count):
            await people.meet(tx, "telegram", f"{10_000 + number}", name="", now=office.clock.now())


async def writes(office: Office, author: Member | None, draft: Draft = DRAFT) -> Campaign:
    """A campaign that is written, checked and tried."""
    made = await does(office, lambda deed: control.create(deed, author, draft))
    await tries(office, author, made)
    return await now_is(office, made)


async def tries(office: Office, author: Member | None, made: Campaign) -> None:
    await does(office, lambda deed: control.check(deed, author, made.id))
    if author is not None:
        await does(office, lambda deed: control.send_test(deed, author, made.id))


async def now_is(office: Office, made: Campaign) -> Campaign:
    async with office.database.reading() as tx:
        found = await book.find(tx, made.id)
    assert found is not None
    return found


async def launches_of(office: Office, made: Campaign) -> list[Launch]:
    async with office.database.reading() as tx:
        return await launches.of_campaign(tx, made.id)


async def goes_out(office: Office, made: Campaign) -> Launch:
    """Its launch begins, and everybody is on the list."""
    (launch,) = [each for each in await launches_of(office, made) if each.state == "planned"]
    await does(office, lambda deed: begins(deed, made, launch))
    (launch,) = [each for each in await launches_of(office, made) if each.id == launch.id]
    return launch


async def begins(deed: Deed, made: Campaign, launch: Launch) -> None:
    body = composing.body_of(made)
    assert await launches.begin(deed.tx, launch.id, body=body, now=deed.now)
    zones = Zones("Europe/Moscow")
    begun = replace(launch, body=body)
    filled = await fill(
        deed.tx, begun, made.audience, category=made.category, zones=zones, now=deed.now, limit=10_000
    )
    await launches.note_filled(deed.tx, launch.id, filled, now=deed.now)
    await launches.note_filled(deed.tx, launch.id, launches.TO_THE_END, now=deed.now)


async def states(office: Office, made: Campaign) -> list[LaunchState]:
    return [launch.state for launch in await launches_of(office, made)]


async def refused(office: Office, sentence: str, work: Callable[[Deed], Awaitable[object]]) -> None:
    with pytest.raises(HelpdeskError) as refusal:
        await does(office, work)
    assert sentence in str(refusal.value)


async def test_what_501_people_read_is_approved_by_another_than_its_author(office: Office) -> None:
    olga, ivan = await office.desk.colleague("Ольга"), await office.desk.colleague("Иван")
    author, other = await member(office, olga), await member(office, ivan)
    await subscribers(office, 501)
    made = await writes(office, author)
    mark = made.edition

    await refused(
        office, texts.NOT_APPROVED, lambda deed: control.start_now(deed, author, made.id, edition=mark)
    )
    heard = len(olga.heard)
    await does(office, lambda deed: control.send_for_approval(deed, author, made.id, edition=mark))
    assert len(olga.heard) == heard, "whoever asks is not asked"
    assert "Ольга просит согласовать" in said(ivan)[-2]
    assert "получателей: 501" in said(ivan)[-2]
    assert said(ivan)[-1] == "Проверьте вход до 25 августа."

    await olga.presses(f"mail:approve:{made.id}:{mark}")
    assert texts.OWN_APPROVAL in await olga.waits()
    assert not (await now_is(office, made)).is_approved

    await presses(ivan, texts.BUTTON_APPROVE)
    assert (await now_is(office, made)).approved_by == other.id
    assert "Иван согласовал(а) объявление" in last(olga)
    await presses(ivan, texts.BUTTON_APPROVE)
    assert last(ivan) == texts.NOTHING_TO_APPROVE, "a second press changes nothing"

    await presses(olga, texts.BUTTON_START)
    assert "прямо сейчас? Получателей: 501." in last(olga)
    assert await states(office, made) == [], "one slip of a finger reaches nobody"
    await presses(olga, texts.BUTTON_START_YES)
    assert (await now_is(office, made)).state == "scheduled"
    assert await states(office, made) == ["planned"]


@pytest.mark.parametrize(
    ("author_is", "account_is"),
    [("Ольга", "Ольга Иванова"), ("Иванова Алёна", "алена  иванова"), ("О. Иванова", "Ольга Иванова")],
)
async def test_one_person_with_two_accounts_is_no_second_person(
    office: Office, author_is: str, account_is: str
) -> None:
    """Whoever came into the panel by a second invitation approved their own announcement there."""
    olga, account = await office.desk.colleague(author_is), await office.desk.colleague(account_is)
    ivan = await office.desk.colleague("Иван Иванов")
    author, double = await member(office, olga), await member(office, account)
    await subscribers(office, 501)
    made = await writes(office, author)
    mark, heard = made.edition, len(account.heard)
    await does(office, lambda deed: control.send_for_approval(deed, author, made.id, edition=mark))
    assert texts.BUTTON_APPROVE in labels(ivan.heard[-2])
    assert len(account.heard) == heard, "nobody is asked what they may not answer"
    await account.presses(f"mail:show:{made.id}")
    assert texts.BUTTON_APPROVE not in labels((await account.waits(), account.heard[-1])[1])
    await refused(
        office, texts.CALLED_ALIKE, lambda deed: control.approve(deed, double, made.id, edition=mark)
    )
    await presses(ivan, texts.BUTTON_APPROVE)
    assert (await now_is(office, made)).is_approved


async def test_accounts_joined_as_one_family_are_one_person(office: Office) -> None:
    one = await member(office, await office.desk.colleague("Ольга"))
    other = await member(office, await office.desk.colleague("Рабочая запись"))
    await does(office, lambda deed: family.join(deed.tx, one.person_id, other.person_id, now=deed.now))
    assert not await does(office, lambda deed: rights.is_other(deed, other, one.id))


@pytest.mark.parametrize("names", [("Ольга Иванова", "Иван Иванов"), ("Оператор 1", "Оператор 12")])
def test_namesakes_by_half_are_two_people(names: tuple[str, str]) -> None:
    assert not rights.are_alike(*names)


async def test_a_post_for_the_whole_region_needs_a_second_person_and_one_of_a_school_does_not(
    office: Office,
) -> None:
    """A wall is one place, and a whole region reads it."""
    lyceum, other = await office.school(), await office.school("Школа № 5")
    author = await member(office, await office.desk.colleague("Ольга"))
    of_school = await member(office, await office.admin(lyceum))
    everywhere = (
        Audience("venues"),
        Audience("venues", municipalities=("Майкоп",)),
        Audience("venues", school_ids=(lyceum.id, other.id)),
    )
    for audience, by, needs in (
        *((each, author, True) for each in everywhere),
        (Audience("venues", school_ids=(lyceum.id,)), author, False),
        (Audience("venues", school_ids=(lyceum.id,)), of_school, False),
    ):
        draft = replace(DRAFT, audience=audience)
        made = await does(office, lambda deed, by=by, draft=draft: control.create(deed, by, draft))  # type: ignore[misc]
        checked = await does(office, lambda deed, by=by, made=made: control.check(deed, by, made.id))  # type: ignore[misc]
        assert checked.needs_approval is needs, audience


async def test_what_500_people_read_needs_nobody_else(office: Office) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 500)
    made = await writes(office, author)
    checked = await does(office, lambda deed: control.check(deed, author, made.id))
    assert (checked.readers, checked.needs_approval, len(checked.sample)) == (500, False, 5)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    assert (await now_is(office, made)).state == "scheduled"


async def test_a_change_after_the_approval_is_approved_anew_and_not_by_whoever_made_it(
    office: Office,
) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    other = await member(office, await office.desk.colleague("Иван"))
    await subscribers(office, 501)
    made = await writes(office, author)
    mark = made.edition
    await does(office, lambda deed: control.send_for_approval(deed, author, made.id, edition=mark))
    await does(office, lambda deed: control.approve(deed, other, made.id, edition=mark))

    draft = replace(DRAFT, text="Совсем другие слова.")
    changed = await does(office, lambda deed: control.change(deed, other, made.id, edition=mark, draft=draft))
    assert (changed.edition, changed.state, changed.is_approved) == (mark + 1, "draft", False)
    await refused(
        office, texts.CHANGED_MEANWHILE, lambda deed: control.start_now(deed, author, made.id, edition=mark)
    )
    now = changed.edition
    await refused(
        office, texts.NOT_CHECKED, lambda deed: control.start_now(deed, author, made.id, edition=now)
    )
    await tries(office, other, changed)
    await does(office, lambda deed: control.send_for_approval(deed, other, made.id, edition=now))
    await refused(office, texts.OWN_APPROVAL, lambda deed: control.approve(deed, other, made.id, edition=now))
    await does(office, lambda deed: control.approve(deed, author, made.id, edition=now))


async def test_what_is_not_checked_or_not_tried_does_not_go(office: Office) -> None:
    olga = await office.desk.colleague("Ольга")
    author = await member(office, olga)
    await subscribers(office, 3)
    made = await does(office, lambda deed: control.create(deed, author, DRAFT))
    await refused(office, texts.NOT_CHECKED, lambda deed: control.start_now(deed, author, made.id, edition=1))
    await does(office, lambda deed: control.check(deed, author, made.id))
    await refused(office, texts.NOT_TESTED, lambda deed: control.start_now(deed, author, made.id, edition=1))
    await does(office, lambda deed: control.send_test(deed, author, made.id))
    assert said(olga)[-2:] == ["Проверка. Это объявление видите только вы.", "Проверьте вход до 25 августа."]
    await presses(olga, texts.BUTTON_UNSUBSCRIBE)
    assert last(olga) == texts.SAMPLE_PRESSED
    wrong = await does(office, lambda deed: control.create(deed, author, replace(DRAFT, text="**Ой")))
    found = await does(office, lambda deed: control.check(deed, author, wrong.id))
    assert not found.is_clean
    assert not (await now_is(office, wrong)).is_checked


async def test_a_refusal_comes_back_with_its_reason(office: Office) -> None:
    olga, ivan = await office.desk.colleague("Ольга"), await office.desk.colleague("Иван")
    author = await member(office, olga)
    await subscribers(office, 2)
    made = await writes(office, author)
    await does(office, lambda deed: control.send_for_approval(deed, author, made.id, edition=made.edition))
    await presses(ivan, texts.BUTTON_REFUSE)
    await ivan.says("Добавьте ссылку на вход")
    await ivan.waits()
    assert "Добавьте ссылку на вход" in last(olga)
    assert (await now_is(office, made)).state == "draft"
    await ivan.says("и ещё кое-что")
    await ivan.waits()
    assert "Добавьте ссылку на вход" in last(olga), "one note was asked for, not two"


@pytest.mark.parametrize("words", ["/stopall", "стоп-кран", "Стоп кран!", "стоп – кран, пожалуйста!"])
async def test_the_brake_stops_everything_at_once_and_nothing_restarts(office: Office, words: str) -> None:
    olga, ivan = await office.desk.colleague("Ольга"), await office.desk.colleague("Иван")
    author = await member(office, olga)
    await subscribers(office, 3)
    made, waiting = await writes(office, author), await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    await goes_out(office, made)

    await ivan.says(words)
    heard = (await ivan.waits())[-1]
    assert "Остановлено" in heard
    assert "Проверьте вход" in heard
    assert await states(office, made) == ["paused"]
    assert "Иван нажал(а) стоп-кран" in last(olga)
    async with office.database.transaction() as tx:
        rules = {each.id: RULES for each in await launches.of_campaign(tx, made.id)}
        assert await readers.claim(tx, "telegram", rules=rules, limit=9, now=office.clock.now()) is None

    await refused(
        office,
        texts.BRAKE_IS_ON,
        lambda deed: control.start_now(deed, author, waiting.id, edition=waiting.edition),
    )
    await refused(office, texts.BRAKE_IS_ON, lambda deed: control.resume(deed, author, made.id))
    await presses(ivan, texts.BUTTON_RELEASE)
    assert "Само ничего не продолжится" in last(ivan)
    assert await states(office, made) == ["paused"]
    await presses(ivan, f"Объявление № {made.id}")
    await presses(ivan, texts.BUTTON_RESUME)
    assert await states(office, made) == ["sending"]


async def test_the_brake_with_nothing_on_its_way_still_holds(office: Office) -> None:
    ivan = await office.desk.colleague("Иван")
    await ivan.says("стоп-кран")
    assert "Ничего не отправлялось" in (await ivan.waits())[-1]
    async with office.database.reading() as tx:
        assert await launches.braked_since(tx) is not None
    await ivan.says("стоп-кран, пожалуйста, и ответьте родителю")
    await ivan.waits()
    assert "Стоп-кран нажат" not in last(ivan), "a sentence about it is no brake"


async def test_only_the_ministry_has_the_brake(office: Office) -> None:
    school = await office.school()
    for someone in (await office.admin(school), await office.coordinator()):
        await someone.says("/stopall")
        assert (await someone.waits())[-1] == texts.BRAKE_NOT_ALLOWED
    async with office.database.reading() as tx:
        assert await launches.braked_since(tx) is None


async def test_a_coordinator_writes_to_their_own_and_asks_even_for_few(office: Office) -> None:
    await office.school(municipality="Майкоп")
    await office.school("Школа № 5", municipality="Гиагинский район")
    petr, olga = await office.coordinator(), await office.desk.colleague("Ольга")
    author, operator = await member(office, petr), await member(office, olga)
    for foreign in (
        Audience(),
        Audience(municipalities=("Гиагинский район",)),
        Audience(municipalities=("Майкоп", "Гиагинский район")),
    ):
        draft = replace(DRAFT, audience=foreign)
        await refused(
            office,
            texts.NOT_YOUR_READERS,
            lambda deed, draft=draft: control.create(deed, author, draft),  # type: ignore[misc]
        )
    own = replace(DRAFT, audience=Audience("staff", municipalities=("Майкоп",)))
    made = await writes(office, author, own)
    await refused(
        office, texts.NOT_ALLOWED, lambda deed: control.start_now(deed, author, made.id, edition=made.edition)
    )
    await does(office, lambda deed: control.send_for_approval(deed, author, made.id, edition=made.edition))
    await refused(
        office, texts.NOT_ALLOWED, lambda deed: control.approve(deed, author, made.id, edition=made.edition)
    )
    await refused(
        office,
        texts.NOT_APPROVED,
        lambda deed: control.start_now(deed, operator, made.id, edition=made.edition),
    )
    await does(office, lambda deed: control.approve(deed, operator, made.id, edition=made.edition))
    await does(office, lambda deed: control.start_now(deed, operator, made.id, edition=made.edition))
    await does(office, lambda deed: control.pause(deed, author, made.id))
    assert await states(office, made) == ["asks"], "the author may always hold it"


async def test_a_school_posts_to_its_own_venues_only(office: Office) -> None:
    school, other = await office.school(), await office.school("Школа № 5")
    author = await member(office, await office.admin(school))
    stranger = await member(office, await office.admin(other, "Пётр"))
    for foreign in (
        Audience("venues"),
        Audience("venues", school_ids=(school.id, other.id)),
        Audience("parents", school_ids=(school.id,)),
    ):
        draft = replace(DRAFT, audience=foreign)
        await refused(
            office,
            texts.NOT_YOUR_READERS,
            lambda deed, draft=draft: control.create(deed, author, draft),  # type: ignore[misc]
        )
    draft = replace(DRAFT, audience=Audience("venues", school_ids=(school.id,)))
    made = await does(office, lambda deed: control.create(deed, author, draft))
    await refused(office, texts.GONE, lambda deed: control.check(deed, stranger, made.id))
    await refused(office, texts.GONE, lambda deed: control.stop(deed, stranger, made.id))


async def test_whose_role_was_taken_away_does_nothing_more(office: Office) -> None:
    olga = await office.desk.colleague("Ольга")
    author = await member(office, olga)
    made = await writes(office, author)
    await revokes(office, olga)
    await refused(office, texts.NOT_ALLOWED, lambda deed: control.create(deed, author, DRAFT))
    await refused(office, texts.NOT_ALLOWED, lambda deed: control.stop(deed, author, made.id))
    await refused(office, texts.NOT_ALLOWED, lambda deed: control.pull_brake(deed, author))


async def test_a_pause_holds_the_starts_to_come_and_stop_is_for_ever(office: Office) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 3)
    moments = tuple(office.clock.now() + timedelta(days=days) for days in (1, 2))
    plan = Schedule("series", "Europe/Moscow", moments).to_plain()
    made = await writes(office, author, replace(DRAFT, schedule=plan))
    await refused(
        office,
        texts.HAS_SCHEDULE,
        lambda deed: control.start_now(deed, author, made.id, edition=made.edition),
    )
    await does(office, lambda deed: control.schedule_it(deed, author, made.id, edition=made.edition))
    assert await states(office, made) == ["planned", "planned"]
    await does(office, lambda deed: control.pause(deed, author, made.id))
    assert await states(office, made) == ["asks", "asks"]
    await refused(office, texts.NOTHING_TO_PAUSE, lambda deed: control.pause(deed, author, made.id))

    await office.is_now("2026-09-08 12:00")
    await does(office, lambda deed: control.resume(deed, author, made.id))
    assert await states(office, made) == ["asks", "planned"], "a start that is late is asked about"
    late = (await launches_of(office, made))[0]
    await does(office, lambda deed: control.start_launch(deed, author, late.id))
    assert await states(office, made) == ["filling", "planned"]

    await does(office, lambda deed: control.stop(deed, author, made.id))
    assert await states(office, made) == ["stopped", "stopped"]
    await refused(office, texts.NOTHING_TO_RESUME, lambda deed: control.resume(deed, author, made.id))
    await refused(office, texts.OVER_ALREADY, lambda deed: control.stop(deed, author, made.id))


async def test_after_the_brake_no_later_start_of_the_same_announcement_comes_by_itself(
    office: Office,
) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 3)
    moments = tuple(office.clock.now() + timedelta(days=days) for days in (1, 2))
    plan = Schedule("series", "Europe/Moscow", moments).to_plain()
    made = await writes(office, author, replace(DRAFT, schedule=plan))
    await does(office, lambda deed: control.schedule_it(deed, author, made.id, edition=made.edition))
    first = (await launches_of(office, made))[0]
    await does(office, lambda deed: begins(deed, made, first))
    await does(office, lambda deed: control.pull_brake(deed, author))
    await does(office, lambda deed: control.release_brake(deed, author))
    assert await states(office, made) == ["paused", "asks"]
    await does(office, lambda deed: control.resume(deed, author, made.id))
    assert await states(office, made) == ["sending", "planned"]


async def test_a_failing_announcement_holds_its_later_starts_too(office: Office) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 3)
    moments = tuple(office.clock.now() + timedelta(days=days) for days in (1, 2))
    plan = Schedule("series", "Europe/Moscow", moments).to_plain()
    made = await writes(office, author, replace(DRAFT, schedule=plan))
    await does(office, lambda deed: control.schedule_it(deed, author, made.id, edition=made.edition))
    first = (await launches_of(office, made))[0]
    await does(office, lambda deed: begins(deed, made, first))
    await does(
        office,
        lambda deed: telling.hold(
            deed.tx, first.id, office.knowledge, reason="refusals", detail="30", now=deed.now
        ),
    )
    assert await states(office, made) == ["paused", "asks"]


async def test_who_scheduled_it_for_few_cannot_start_it_alone_for_many(office: Office) -> None:
    olga, petr = await office.desk.colleague("Ольга"), await office.desk.colleague("Пётр")
    author, other = await member(office, olga), await member(office, petr)
    await subscribers(office, 3)
    plan = Schedule("once", "Europe/Moscow", (office.clock.now() + timedelta(days=1),)).to_plain()
    made = await writes(office, author, replace(DRAFT, schedule=plan))
    await does(office, lambda deed: control.schedule_it(deed, author, made.id, edition=made.edition))
    await subscribers(office, 501)
    await office.is_now("2026-09-08 10:05")
    looks = Launching(office.database, office.knowledge, office.clock.now, NoMark())
    await looks.look()
    await office.hears()
    (launch,) = await launches_of(office, made)
    assert (launch.state, launch.reason) == ("asks", "approval")
    assert "второй человек" in last(petr)
    await refused(office, texts.OWN_APPROVAL, lambda deed: control.start_launch(deed, author, launch.id))
    await does(office, lambda deed: control.start_launch(deed, other, launch.id))
    assert await states(office, made) == ["filling"]
    assert (await now_is(office, made)).approved_by == other.id


class NoMark:
    """No backup was ever put back."""

    async def read(self) -> int:
        return 0

    async def write(self, number: int) -> None:
        pass


async def test_an_overdue_start_is_dropped_from_the_chat(office: Office) -> None:
    olga = await office.desk.colleague("Ольга")
    author = await member(office, olga)
    await subscribers(office, 3)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))

    async def is_overdue(deed: Deed) -> None:
        (launch,) = await launches.of_campaign(deed.tx, made.id)
        await launches.ask(deed.tx, launch.id, reason="overdue", now=deed.now)
        (launch,) = await launches.of_campaign(deed.tx, made.id)
        await notices.held(deed, await rights.seen(deed, author, made.id), launch)

    await does(office, is_overdue)
    assert "время прошло больше часа назад" in last(olga)
    await presses(olga, texts.BUTTON_DROP)
    assert await states(office, made) == ["stopped"]
    assert (await now_is(office, made)).state == "ended"
    await presses(olga, texts.BUTTON_START_LATE)
    assert last(olga) == texts.LAUNCH_OVER


async def test_who_did_not_get_it_is_reported_and_tried_again(office: Office) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 4)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    launch = await goes_out(office, made)

    async def is_sent(deed: Deed) -> None:
        rules = {launch.id: RULES}
        batch = await readers.claim(deed.tx, "telegram", rules=rules, limit=9, now=deed.now)
        assert batch is not None
        one, two, three, four = batch.readers
        await readers.mark_sent(deed.tx, [(one.id, "m1")], now=deed.now)
        await readers.give_up(deed.tx, two.id, state="failed", reason="blocked")
        await readers.give_up(deed.tx, three.id, state="unknown", reason="interrupted")
        await readers.give_up(deed.tx, four.id, state="failed", reason="gave_up", detail="=1+1")

    await does(office, is_sent)
    far = await does(office, lambda deed: progress.of(deed.tx, made, now=deed.now))
    assert far.total.of("sent") == 1
    assert (far.refused, far.unknown, far.skipped) == (
        {"blocked": 1, "gave_up": 1},
        {"interrupted": 1},
        {},
    )
    lost = await does(office, lambda deed: progress.missed(deed.tx, made, deed.knowledge))
    assert [(each.channel, each.reason) for each in lost] == [
        ("Telegram", texts.WHY_NOT_TOLD["blocked"]),
        ("Telegram", texts.WHY_NOT_TOLD["interrupted"]),
        ("Telegram", texts.WHY_NOT_TOLD["gave_up"]),
    ]
    assert all(each.address.startswith("…00") for each in lost), "nobody can be written to by the report"
    content = await does(office, lambda deed: progress.workbook(deed.tx, made, deed.knowledge))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    table = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert len(table) == 4
    assert table[0] == list(progress.COLUMNS)
    assert sheet.cell(4, 7).data_type == "s", "a messenger's words are no formula"

    assert await does(office, lambda deed: control.retry_failed(deed, author, made.id)) == 2
    await refused(office, texts.NOTHING_TO_RETRY, lambda deed: control.retry_failed(deed, author, made.id))
    again = await does(office, lambda deed: progress.of(deed.tx, made, now=deed.now))
    assert (again.total.left, again.total.of("unknown")) == (2, 1)
    count = await does(office, lambda deed: control.retry_failed(deed, author, made.id, also_unknown=True))
    assert count == 1


async def test_what_is_tried_again_is_on_its_way_again_and_can_be_stopped(office: Office) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 1)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    launch = await goes_out(office, made)

    async def is_refused(deed: Deed) -> None:
        batch = await readers.claim(deed.tx, "telegram", rules={launch.id: RULES}, limit=9, now=deed.now)
        assert batch is not None
        await readers.give_up(deed.tx, batch.readers[0].id, state="failed", reason="gave_up")
        await launches.finish(deed.tx, launch.id, now=deed.now)
        await book.end(deed.tx, made.id, now=deed.now)

    await does(office, is_refused)
    assert await does(office, lambda deed: control.retry_failed(deed, author, made.id)) == 1
    assert (await now_is(office, made)).state == "scheduled"
    await does(office, lambda deed: control.stop(deed, author, made.id))
    assert await states(office, made) == ["stopped"]
    await refused(office, texts.OVER_ALREADY, lambda deed: control.retry_failed(deed, author, made.id))


async def test_a_corrected_text_is_also_what_those_read_who_are_told_later(office: Office) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 2)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    launch = await goes_out(office, made)

    async def one_is_told(deed: Deed) -> None:
        batch = await readers.claim(deed.tx, "telegram", rules={launch.id: RULES}, limit=1, now=deed.now)
        assert batch is not None
        await readers.mark_sent(deed.tx, [(batch.readers[0].id, "m1")], now=deed.now)

    await does(office, one_is_told)
    await does(office, lambda deed: control.pause(deed, author, made.id))
    long = "слово " * 900
    await refused(
        office,
        texts.TOO_LONG_TO_REPLACE,
        lambda deed: control.edit_sent(deed, author, made.id, text=long),
    )
    new = "Вход проверьте до **20** августа, {школа}."
    assert await does(office, lambda deed: control.edit_sent(deed, author, made.id, text=new)) == 1
    assert (await now_is(office, made)).text == new
    (held,) = await launches_of(office, made)
    assert held.body is not None
    assert (held.body["text"], held.body["names_school"]) == (new, True)
    async with office.database.reading() as tx:
        assert await wishes.on_channel(tx, "vk") == [], "nobody was told there"


async def is_told(office: Office, made: Campaign, launch: Launch) -> None:
    """Everybody on the list is told, and the launch is over."""

    async def work(deed: Deed) -> None:
        batch = await readers.claim(deed.tx, "telegram", rules={launch.id: RULES}, limit=999, now=deed.now)
        assert batch is not None
        told = [(each.id, f"m{each.id}") for each in batch.readers]
        await readers.mark_sent(deed.tx, told, now=deed.now)
        assert await launches.finish(deed.tx, launch.id, now=deed.now)
        await book.end(deed.tx, made.id, now=deed.now)

    await does(office, work)


async def goes_to_501(office: Office, author: Member, other: Member) -> Campaign:
    """An announcement that was approved, and that so many have read."""
    await subscribers(office, 501)
    made = await writes(office, author)
    mark = made.edition
    await does(office, lambda deed: control.send_for_approval(deed, author, made.id, edition=mark))
    await does(office, lambda deed: control.approve(deed, other, made.id, edition=mark))
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=mark))
    await is_told(office, made, await goes_out(office, made))
    return await now_is(office, made)


async def wished(office: Office) -> list[str]:
    async with office.database.reading() as tx:
        return [each.text for each in await wishes.listed(tx)]


async def test_what_501_people_have_read_is_replaced_by_two_people(office: Office) -> None:
    """One person changed in one step what a second one had to approve first."""
    olga, ivan = await office.desk.colleague("Ольга"), await office.desk.colleague("Иван")
    account = await office.desk.colleague("Ольга Петрова")
    author, other = await member(office, olga), await member(office, ivan)
    made = await goes_to_501(office, author, other)
    new = "Срок **перенесён**: до 28 августа."
    heard = len(account.heard)
    assert await does(office, lambda deed: control.edit_sent(deed, author, made.id, text=new)) == 0
    assert (await wished(office), (await now_is(office, made)).text) == ([], TEXT), "it waits"
    assert "Ольга просит заменить текст" in said(ivan)[-2]
    assert "получателей: 501" in said(ivan)[-2]
    assert said(ivan)[-1] == "Срок перенесён: до 28 августа."
    assert len(account.heard) == heard, "the author's other account is not asked"

    async with office.database.reading() as tx:
        first = await wishes.asked(tx, made.id)
    assert first is not None
    await refused(
        office,
        texts.OWN_APPROVAL,
        lambda deed: control.agree_to_rewording(deed, author, made.id, mark=first.mark),
    )
    later = "Срок перенесён: до 29 августа."
    await does(office, lambda deed: control.edit_sent(deed, author, made.id, text=later))
    await ivan.presses(f"mail:reword:{made.id}:{first.mark}")
    assert (await ivan.waits())[-1] == texts.NO_REWORDING, "they agree to what they have read"
    await presses(ivan, f"Объявление № {made.id}")
    assert later in last(ivan)
    await presses(ivan, texts.BUTTON_APPROVE)
    assert "Меняется сообщений: 501" in last(ivan)
    assert "Иван согласовал(а) новый текст" in last(olga)
    assert (await wished(office), (await now_is(office, made)).text) == ([later], later)
    async with office.database.reading() as tx:
        assert {each.by_id for each in await wishes.listed(tx)} == {author.id}, "the author hears the end"
    await presses(ivan, texts.BUTTON_APPROVE)
    assert last(ivan) == texts.NO_REWORDING, "a second press changes nothing"


async def test_a_second_person_may_leave_the_text_as_it_is(office: Office) -> None:
    olga, ivan = await office.desk.colleague("Ольга"), await office.desk.colleague("Иван")
    author, other = await member(office, olga), await member(office, ivan)
    made = await goes_to_501(office, author, other)
    await does(office, lambda deed: control.edit_sent(deed, author, made.id, text="Новое"))
    await presses(ivan, texts.BUTTON_KEEP)
    assert "остаётся прежний текст" in last(ivan)
    assert "Иван оставил(а) прежний текст" in last(olga)
    await presses(ivan, texts.BUTTON_APPROVE)
    assert (await wished(office), (await now_is(office, made)).text) == ([], TEXT)
    # Whoever takes the announcement away for good wishes no other words any more.
    await does(office, lambda deed: control.edit_sent(deed, author, made.id, text="Новее"))
    assert await does(office, lambda deed: control.delete_sent(deed, author, made.id)) == 501
    async with office.database.reading() as tx:
        assert await wishes.asked(tx, made.id) is None


async def test_nothing_is_replaced_while_a_request_is_under_way(office: Office) -> None:
    """Paused this very moment: the request on its way still carries the old words."""
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 2)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    launch = await goes_out(office, made)

    async def one_is_told(deed: Deed) -> None:
        batch = await readers.claim(deed.tx, "telegram", rules={launch.id: RULES}, limit=2, now=deed.now)
        assert batch is not None
        await readers.mark_sent(deed.tx, [(batch.readers[0].id, "m1")], now=deed.now)

    await does(office, one_is_told)
    await does(office, lambda deed: control.pause(deed, author, made.id))
    await refused(
        office, texts.STILL_SENDING, lambda deed: control.edit_sent(deed, author, made.id, text="Новое")
    )


async def test_what_was_sent_is_wished_otherwise_once_it_is_not_on_its_way(office: Office) -> None:
    author = await member(office, await office.desk.colleague("Ольга"))
    await subscribers(office, 1)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    launch = await goes_out(office, made)
    await refused(office, texts.STILL_SENDING, lambda deed: control.delete_sent(deed, author, made.id))
    await does(office, lambda deed: control.pause(deed, author, made.id))
    await refused(office, texts.NOTHING_SENT, lambda deed: control.delete_sent(deed, author, made.id))
    await does(office, lambda deed: control.resume(deed, author, made.id))

    async def is_sent(deed: Deed) -> None:
        rules = {launch.id: RULES}
        batch = await readers.claim(deed.tx, "telegram", rules=rules, limit=9, now=deed.now)
        assert batch is not None
        await readers.mark_sent(deed.tx, [(batch.readers[0].id, "m1")], now=deed.now)
        await launches.finish(deed.tx, launch.id, now=deed.now)

    await does(office, is_sent)
    await refused(office, "жирным", lambda deed: control.edit_sent(deed, author, made.id, text="**Ой"))
    assert await does(office, lambda deed: control.edit_sent(deed, author, made.id, text="Новое")) == 1
    assert await does(office, lambda deed: control.delete_sent(deed, author, made.id)) == 1
    async with office.database.reading() as tx:
        (wish,) = await wishes.on_channel(tx, "telegram")
    assert (wish.launch_id, wish.deed, wish.after) == (launch.id, "delete", 0), "the later wish counts"
