"""«Вы уже вошли в дневник?»: the stages of families, the next step, and the ministry's percentages."""

from __future__ import annotations

import pytest

from handlers.knowledge import Knowledge
from handlers.ministry import readiness as ministry
from handlers.parents import progress, readiness
from handlers.texts import diagnosis as texts_diagnosis
from handlers.texts import own_question as texts_own
from handlers.texts import subscriptions as said
from storage import asked, family, journal, stages
from storage.campaigns.campaign import STAGES, Stage
from storage.database import Database
from storage.schools import School
from storage.scope import Scope
from tests.handlers.desk import Desk, Someone
from tests.handlers.staffroom import labels, last, member_of, presses
from tests.handlers.timekeeping import Office


@pytest.fixture
def office(database: Database, knowledge: Knowledge) -> Office:
    """Schools and people on each of the databases."""
    return Office(database, knowledge)


@pytest.fixture
def desk(office: Office) -> Desk:
    """Where they write."""
    return office.desk


async def stage(desk: Desk, someone: Someone) -> Stage | None:
    known = await desk.known(someone)
    async with desk.database.reading() as tx:
        return await stages.of_person(tx, known.id)


async def topics(desk: Desk, someone: Someone) -> set[str]:
    known = await desk.known(someone)
    async with desk.database.reading() as tx:
        return set(await asked.of_person(tx, known.id))


def title(knowledge: Knowledge, slug: str) -> str:
    topic = knowledge.topic(slug)
    assert topic is not None, slug
    return knowledge.answer(topic)


def test_each_stage_leads_to_a_topic_of_the_base(knowledge: Knowledge) -> None:
    assert set(readiness.TOPICS) == set(said.STAGES) == set(STAGES) - {"inside"}
    for slug in readiness.TOPICS.values():
        assert knowledge.topic(slug) is not None, slug


def test_the_ends_that_mean_a_stage_are_ends_of_the_tree(knowledge: Knowledge) -> None:
    assert set(progress.LEAVES) <= set(knowledge.tree.leaves)
    assert set(progress.LEAVES.values()) <= set(STAGES)


async def test_whoever_is_inside_says_so_and_is_thanked(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("camp:ready:yes")
    assert await parent.waits() == [said.INSIDE]
    assert await stage(desk, parent) == "inside"


async def test_i_am_inside_under_an_announcement_of_last_year(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.waits(days=400)
    await parent.presses("camp:inside:7")
    assert await parent.waits() == [said.INSIDE]
    assert await stage(desk, parent) == "inside"
    # A slip of the finger.
    assert await presses(parent, said.BUTTON_NOT_YET) == [said.WHERE_STUCK]


@pytest.mark.parametrize("words", ["Я уже вошёл", "да, вошли", "уже вошла!", "Мы зашли"])
async def test_whoever_types_the_answer_instead_of_pressing_is_understood(desk: Desk, words: str) -> None:
    parent = await desk.parent()
    await parent.says(words)
    assert await parent.waits() == [said.INSIDE]
    assert await stage(desk, parent) == "inside"


async def test_not_yet_is_no_farewell(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("Пока нет")
    assert await parent.waits() == [said.WHERE_STUCK]
    await parent.says("нужна помощь")
    (first,) = await parent.waits()
    assert first.startswith(texts_diagnosis.LEAD)


async def test_an_answer_typed_after_a_closed_question_does_not_open_it_again(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.presses(f"close:{number}")
    await parent.waits()
    await parent.presses("camp:ready:no")
    assert await parent.waits() == [said.WHERE_STUCK]
    await colleague.waits()
    before = len(colleague.heard)
    await parent.says("нет записи на госуслугах")
    await parent.waits()
    assert colleague.heard[before:] == []


@pytest.mark.parametrize("where", sorted(readiness.TOPICS))
async def test_whoever_is_stuck_gets_the_next_step_at_once(
    desk: Desk, knowledge: Knowledge, where: Stage
) -> None:
    parent = await desk.parent()
    await parent.presses("camp:ready:no")
    (question,) = await parent.waits_for_messages()
    assert question.text == said.WHERE_STUCK
    assert labels(question) == [*said.STAGES.values(), said.BUTTON_DO_NOT_KNOW]
    await parent.presses(f"ready:{where}")
    (step,) = await parent.waits_for_messages()
    assert step.text == title(knowledge, readiness.TOPICS[where])
    assert said.BUTTON_HELP in labels(step)
    assert await stage(desk, parent) == where
    assert await topics(desk, parent) == {readiness.TOPICS[where]}
    (first,) = await presses(parent, said.BUTTON_HELP)
    assert first.startswith(texts_diagnosis.LEAD)
    # The next reminder has the same step behind its button.
    await parent.presses("camp:next:9")
    assert (await parent.waits_for_messages())[0].text == step.text


async def test_whoever_does_not_know_is_asked_step_by_step(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("camp:ready:no")
    await parent.waits()
    (first,) = await presses(parent, said.BUTTON_DO_NOT_KNOW)
    assert first.startswith(texts_diagnosis.LEAD)
    assert await stage(desk, parent) is None


async def test_the_next_step_of_somebody_unknown_is_the_question(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("camp:next:3")
    (question,) = await parent.waits_for_messages()
    assert (question.text, labels(question)) == (said.QUESTION, [said.BUTTON_YES, said.BUTTON_NOT_YET])
    assert await presses(parent, said.BUTTON_YES) == [said.INSIDE]
    await parent.presses("camp:next:3")
    assert await parent.waits() == [said.ALREADY_INSIDE]


async def test_a_topic_of_an_announcement_is_shown_or_missed(desk: Desk, knowledge: Knowledge) -> None:
    parent = await desk.parent()
    await parent.presses("camp:topic:3:login-code-not-coming")
    (answer,) = await parent.waits_for_messages()
    assert answer.text == title(knowledge, "login-code-not-coming")
    await parent.presses("camp:topic:3:gone-long-ago")
    (missed,) = await parent.waits_for_messages()
    assert missed.text == said.NO_TOPIC
    assert said.BUTTON_HELP in labels(missed)


@pytest.mark.parametrize(
    ("payload", "known"),
    [
        ("camp:ready:yes", "inside"),
        ("camp:ready:no", None),
        ("camp:inside:3", "inside"),
        ("camp:help:3", None),
        ("camp:next:3", None),
        ("camp:topic:3:login-code-not-coming", None),
        ("ready:no_account", "no_account"),
        ("ready:unknown", None),
    ],
)
async def test_beside_a_human_a_press_is_only_confirmed(
    desk: Desk, payload: str, known: Stage | None
) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await parent.presses(payload)
    assert await parent.waits() == [said.noted_beside_human(number)]
    assert await stage(desk, parent) == known
    await colleague.waits()
    before = len(colleague.heard)
    await parent.says("жду")
    assert await parent.waits() == []
    assert any("жду" in each.text for each in colleague.heard[before:])


async def test_the_topic_is_one_press_away_from_the_confirmation(desk: Desk, knowledge: Knowledge) -> None:
    parent = await desk.parent()
    await desk.opens_question(parent)
    await parent.presses("camp:topic:3:login-code-not-coming")
    (confirmed,) = await parent.waits_for_messages()
    topic = knowledge.topic("login-code-not-coming")
    assert topic is not None
    assert await presses(parent, topic.button) != []
    assert parent.heard[-1].text == knowledge.answer(topic)
    assert confirmed.text != parent.heard[-1].text


async def test_after_closing_help_is_the_bots(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.presses(f"answer:{number}")
    await colleague.says("Проверьте")
    await colleague.presses(f"close:{number}")
    await parent.waits()
    await colleague.waits()
    await parent.presses("camp:help:3")
    assert (await parent.waits())[-1].startswith(texts_diagnosis.LEAD)
    before = len(colleague.heard)
    await parent.says("на Госуслугах не приходит код")
    assert await parent.waits() != []
    await colleague.waits()
    assert len(colleague.heard) == before


@pytest.mark.parametrize(
    ("taps", "known"),
    [
        (["dx:where.gosuslugi", "dx:gosuslugi.no_account", "dx:new_account.parent"], "no_account"),
        (["dx:where.gosuslugi", "dx:gosuslugi.no_account", "dx:new_account.passport"], None),
        (["dx:where.gosuslugi", "dx:gosuslugi.unconfirmed", "dx:unconfirmed.parent"], "not_confirmed"),
        (["dx:where.child", "dx:child.papers", "dx:child_papers.card"], "child_not_linked"),
        (["dx:where.after", "dx:after.not_found", "dx:before.gosuslugi"], "no_profile"),
        (["dx:where.inside", "dx:inside.no_grades"], "inside"),
        (["dx:where.not_open", "dx:not_open.loops"], None),
    ],
)
async def test_the_end_of_a_diagnosis_is_a_stage_where_that_is_certain(
    desk: Desk, taps: list[str], known: Stage | None
) -> None:
    parent = await desk.parent()
    await parent.presses("dx:start")
    for tap in taps:
        await parent.presses(tap)
    await parent.waits()
    assert await stage(desk, parent) == known
    assert len(await topics(desk, parent)) == 1


async def test_whoever_is_inside_asks_of_no_account_for_somebody_else(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.presses("camp:inside:1")
    for tap in ("dx:start", "dx:where.gosuslugi", "dx:gosuslugi.no_account", "dx:new_account.parent"):
        await parent.presses(tap)
    assert await stage(desk, parent) == "inside"


async def test_got_in_after_a_closed_question_is_inside_and_helped_is_not(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.presses(f"answer:{number}")
    await colleague.says("Проверьте")
    await colleague.presses(f"close:{number}")
    await parent.waits()
    await parent.presses("t:login-code-not-coming")
    await parent.presses("ok:login-code-not-coming")
    assert await stage(desk, parent) is None
    await parent.presses(f"gotin:{number}:yes")
    assert (await parent.waits())[-1] == texts_own.GOT_IN
    assert await stage(desk, parent) == "inside"


async def test_both_channels_of_a_family_stand_at_one_stage(desk: Desk) -> None:
    here, there = await desk.parent(), desk.person("Анна", channel="vk")
    await there.starts()
    await here.presses("camp:inside:1")
    await here.waits()
    assert await stage(desk, there) is None
    await here.presses("fam:code")
    (shown,) = await here.waits_for_messages()
    code = next(word for word in shown.text.replace("*", " ").split() if len(word) == 6 and word.isupper())
    await there.says(f"/join {code}")
    await there.waits()
    assert await stage(desk, there) == "inside"


async def test_a_press_counts_for_its_launch(desk: Desk) -> None:
    parent = await desk.parent()
    for payload in ("camp:inside:7", "camp:help:7", "camp:help:0", "camp:help:чепуха", "camp:next:7"):
        await parent.presses(payload)
        assert await parent.waits() != []
    async with desk.database.reading() as tx:
        assert (await journal.count(tx))["pressed"] == 3


async def lives(office: Office, school: School, name: str, press: str = "") -> Someone:
    """A parent with a child of this school, who has pressed a button."""
    parent = await office.desk.parent(name)
    known = await office.desk.known(parent)
    async with office.database.transaction() as tx:
        child = await family.add_child(tx, known.id, label="сын", now=office.clock.now())
        await family.set_school(tx, known.id, child.id, school.name, school_id=school.id)
    if press:
        await parent.presses(press)
        await parent.waits()
    return parent


async def region(office: Office) -> tuple[School, School, School]:
    """Three schools in two municipalities: 1 of 2 inside, 0 of 1 asked, 1 of 1 stuck."""
    lyceum, gymnasium = await office.school("Лицей № 35"), await office.school("Гимназия № 22")
    village = await office.school("Школа № 4", municipality="Гиагинский район")
    await lives(office, lyceum, "Анна", "camp:inside:1")
    await lives(office, lyceum, "Олег", "ready:no_account")
    await lives(office, gymnasium, "Вера")
    await lives(office, village, "Юля", "ready:no_profile")
    return lyceum, gymnasium, village


async def test_the_ministry_sees_every_municipality_and_school(office: Office) -> None:
    await region(office)
    maria = await office.desk.colleague()
    await maria.says("/readiness")
    await maria.waits()
    assert said.READINESS_OF_MUNICIPALITIES in last(maria)
    assert "Гиагинский район\nвошли 0 % (0 из 1), нет профиля — 1" in last(maria)
    assert "Майкоп\nвошли 33 % (1 из 3), нет записи — 1, не спрошены — 1" in last(maria)
    await presses(maria, said.BUTTON_BY_SCHOOL)
    assert "Лицей № 35\nвошли 50 % (1 из 2), нет записи — 1" in last(maria)
    assert "Гимназия № 22\nвошли 0 % (0 из 1), не спрошены — 1" in last(maria)
    await presses(maria, said.BUTTON_BY_MUNICIPALITY)
    assert said.READINESS_OF_MUNICIPALITIES in last(maria)


async def test_a_coordinator_sees_their_municipality_only(office: Office) -> None:
    await region(office)
    petr = await office.coordinator(municipality="Гиагинский район")
    await petr.says("/readiness")
    await petr.waits()
    await presses(petr, said.BUTTON_BY_SCHOOL)
    heard = "\n".join(message.text for message in petr.heard)
    assert "Школа № 4" in heard
    assert "Лицей" not in heard
    assert "Майкоп" not in heard


async def test_an_administrator_sees_their_school_only(office: Office) -> None:
    lyceum, _, _ = await region(office)
    olga = await office.admin(lyceum, "Ольга")
    await olga.says("/readiness")
    (shown,) = await olga.waits_for_messages()
    assert said.READINESS_OF_SCHOOLS in shown.text
    assert shown.text.count("вошли") == 1
    assert "Лицей № 35" in shown.text
    assert labels(shown) == []
    # Nor by a button that somebody else was shown.
    await olga.presses("readiness:places")
    assert [each.text for each in await olga.waits_for_messages()] == [shown.text]


async def test_the_panels_table_has_the_same_scope(office: Office) -> None:
    lyceum, gymnasium, village = await region(office)
    people = {
        "ministry": await office.desk.colleague(),
        "municipal": await office.coordinator(),
        "school": await office.admin(village, "Ольга"),
    }
    seen = {}
    for role, someone in people.items():
        member = await member_of(office, someone)
        async with office.database.reading() as tx:
            table = await ministry.table(tx, Scope(member.id))
        places = [each.municipality for each in table.municipalities]
        seen[role] = (places, {each.school_id for each in table.schools})
    assert seen == {
        "ministry": (["Гиагинский район", "Майкоп"], {lyceum.id, gymnasium.id, village.id}),
        "municipal": (["Майкоп"], {lyceum.id, gymnasium.id}),
        "school": ([], {village.id}),
    }


async def test_in_a_schools_group_nobody_reads_of_others(office: Office) -> None:
    lyceum, _, _ = await region(office)
    maria = await office.desk.colleague(channel="telegram")
    room = office.desk.room()
    await office.desk.takes(maria, text=f"/desk {lyceum.name}", group=room.address, message_id="1")
    await room.waits()
    await presses_in(office, room, maria, lyceum.name)
    await office.desk.takes(maria, text="/readiness", group=room.address, message_id="2")
    await room.waits()
    assert "Лицей № 35" in last(room)
    assert "вошли 50 %" in last(room)
    assert "Гимназия" not in last(room)


async def presses_in(office: Office, room: Someone, member: Someone, label: str) -> None:
    """Press a button that the group was shown."""
    buttons = [button for message in room.heard for row in message.buttons for button in row]
    payload = next(each.payload for each in reversed(buttons) if label in each.label)
    await office.desk.takes(member, button=payload, group=room.address)
    await room.waits()


async def test_nothing_known_is_said_plainly(office: Office) -> None:
    maria = await office.desk.colleague()
    await maria.says("/readiness")
    assert await maria.waits() == [said.READINESS_EMPTY]
