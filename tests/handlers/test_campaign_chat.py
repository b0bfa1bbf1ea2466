"""Announcements in the chat of those in charge: the list, the brake, what may be meant as one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.campaigns import control
from handlers.knowledge import Knowledge
from handlers.messages import GroupEvent
from handlers.staff import campaigns as chat
from handlers.texts import campaigns as texts
from storage.campaigns import launches
from storage.campaigns.campaign import Campaign
from storage.database import Database
from storage.staff import Member
from tests.handlers.desk import Someone
from tests.handlers.staffroom import labels, last, presses, replies
from tests.handlers.test_campaign_control import DRAFT, does, goes_out, member, states, subscribers, writes
from tests.handlers.timekeeping import Office


@pytest.fixture
async def office(knowledge: Knowledge, database: Database) -> Office:
    """On both databases."""
    office = Office(database, knowledge)
    await office.is_now("2026-09-07 10:00")
    return office


async def begins(office: Office, author: Member) -> Campaign:
    """An announcement to one reader is on its way."""
    await subscribers(office, 1)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    await goes_out(office, made)
    return made


@pytest.mark.parametrize("words", ["стоп", "СТОП!", "стоп, стоп, стоп!!!", "/stop"])
async def test_who_shouts_stop_while_it_goes_out_is_offered_the_brake(office: Office, words: str) -> None:
    """It went to the parent whose case was open, and the announcement went on."""
    olga = await office.desk.colleague("Ольга")
    parent = await office.desk.parent()
    await office.desk.opens_question(parent)
    await olga.waits()
    made = await begins(office, await member(office, olga))
    heard = len(parent.heard)
    await olga.says(words)
    assert (await olga.waits())[-1] == texts.STOP_MEANS_BRAKE
    assert await states(office, made) == ["sending"], "one word may be a slip"
    await presses(olga, texts.BUTTON_BRAKE)
    assert await states(office, made) == ["paused"]
    assert len(parent.heard) == heard, "nothing of it reached a parent"


async def test_stop_is_an_answer_where_it_replies_to_a_case_or_nothing_goes_out(office: Office) -> None:
    olga = await office.desk.colleague("Ольга")
    parent = await office.desk.parent()
    await office.desk.opens_question(parent)
    await olga.waits()
    card = olga.heard[-1]
    await olga.says("стоп")
    assert texts.STOP_MEANS_BRAKE not in await olga.waits(), "nothing is on its way"
    await begins(office, await member(office, olga))
    await replies(olga, card, "стоп")
    assert texts.STOP_MEANS_BRAKE not in last(olga)
    assert "стоп" in (await parent.waits())[-1]


async def test_a_school_that_says_stop_has_no_brake_to_offer(office: Office) -> None:
    olga, school = await office.desk.colleague("Ольга"), await office.school()
    admin = await office.admin(school)
    await begins(office, await member(office, olga))
    await admin.says("стоп")
    assert texts.STOP_MEANS_BRAKE not in await admin.waits()
    async with office.database.reading() as tx:
        assert await launches.braked_since(tx) is None


async def test_a_button_for_parents_says_so_to_the_staff(office: Office) -> None:
    """Forwarded to themselves, «Мы уже вошли» answered «нет такой кнопки»."""
    olga = await office.desk.colleague("Ольга")
    await olga.presses("camp:yes:1")
    assert (await olga.waits())[-1] == texts.FOR_PARENTS_ONLY


async def test_what_goes_out_stands_above_a_crowd_of_drafts_and_the_list_has_pages(office: Office) -> None:
    olga = await office.desk.colleague("Ольга")
    author = await member(office, olga)
    made = await begins(office, author)
    for _ in range(chat.PAGE):
        await office.desk.passes(timedelta(minutes=1))
        await does(office, lambda deed: control.create(deed, author, DRAFT))
    await olga.says("/campaigns")
    first = (await olga.waits())[-1]
    assert first.splitlines()[0].startswith(f"- № {made.id} «Проверьте вход»"), first
    await presses(olga, texts.BUTTON_NEXT)
    assert texts.list_page(1) in last(olga)
    assert texts.BUTTON_NEXT not in labels(olga.heard[-1]), "it is the last page"
    await presses(olga, texts.BUTTON_BACK)
    assert last(olga) == first


async def test_at_night_it_says_until_when_it_waits(office: Office) -> None:
    """«Отправляется» stood there all night, and nothing happened."""
    olga = await office.desk.colleague("Ольга")
    made = await begins(office, await member(office, olga))
    await office.is_now("2026-09-07 23:30")
    await olga.says("/campaigns")
    assert texts.WAITS_FOR_HOURS in (await olga.waits())[-1]
    await presses(olga, f"Объявление № {made.id}")
    assert f"· {texts.WAITS_FOR_HOURS}" in last(olga)
    assert "Ждёт вт 8 сентября, 09:00" in last(olga)


async def test_the_list_says_how_far_each_is(office: Office) -> None:
    olga = await office.desk.colleague("Ольга")
    await olga.says("/campaigns")
    assert (await olga.waits())[-1] == texts.NONE_YET
    author = await member(office, olga)
    await subscribers(office, 2)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    await goes_out(office, made)
    await olga.says("/campaigns")
    assert f"№ {made.id} «Проверьте вход» · отправляется: 0 из 2" in (await olga.waits())[-1]
    assert texts.BUTTON_BRAKE in labels(olga.heard[-1])
    await presses(olga, f"Объявление № {made.id}")
    assert texts.BUTTON_PAUSE in labels(olga.heard[-1])
    await presses(olga, texts.BUTTON_STOP)
    assert await states(office, made) == ["sending"], "it is asked for certain first"
    await presses(olga, texts.BUTTON_STOP_YES)
    assert await states(office, made) == ["stopped"]


async def test_the_brake_works_in_a_group_and_names_nothing_where_others_read(office: Office) -> None:
    school = await office.school()
    olga, ivan = await office.desk.colleague("Ольга"), await office.desk.colleague("Иван")
    author = await member(office, olga)
    await subscribers(office, 1)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    await goes_out(office, made)
    group = await room_of(office, ivan, school.name)
    await ivan.says("/campaigns", group=group.address)
    assert (await group.waits())[-1] == texts.NOT_IN_THIS_GROUP
    await ivan.says("стоп-кран", group=group.address)
    heard = (await group.waits())[-1]
    assert "Остановлено объявлений: 1" in heard
    assert "Проверьте вход" not in heard
    assert await states(office, made) == ["paused"]
    assert "Проверьте вход" in last(olga), "the author hears which"


@pytest.mark.parametrize("words", ["стоп-кран", "/stopall"])
async def test_the_brake_works_where_the_wrong_post_is_being_read(office: Office, words: str) -> None:
    olga = await office.desk.colleague("Ольга")
    author = await member(office, olga)
    await subscribers(office, 1)
    made = await writes(office, author)
    await does(office, lambda deed: control.start_now(deed, author, made.id, edition=made.edition))
    await goes_out(office, made)
    parents = office.desk.room(channel="vk")
    joined = GroupEvent("joined", title="Родители 5 А", has_topics=False)
    await office.desk.takes(olga, group=parents.address, group_event=joined)
    await olga.says(words, group=parents.address)
    assert "Остановлено объявлений: 1" in (await parents.waits())[-1]
    assert await states(office, made) == ["paused"]


async def room_of(office: Office, someone: Someone, school: str) -> Someone:
    """A group chat that is the desk of a school."""
    group = office.desk.room(channel="vk")
    joined = GroupEvent("joined", title="Лицей", has_topics=False)
    await office.desk.takes(someone, group=group.address, group_event=joined)
    await someone.says("/desk", group=group.address)
    await group.waits()
    if school not in " ".join(labels(group.heard[-1])):
        await someone.says(f"/desk {school}", group=group.address)
        await group.waits()
    chosen = next(b for row in group.heard[-1].buttons for b in row if school in b.label)
    await someone.presses(chosen.payload, group=group.address)
    await group.waits()
    return group
