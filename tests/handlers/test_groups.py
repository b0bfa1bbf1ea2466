"""A group chat of colleagues: whose desk it is, who is heard there, and what happens to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from faq.markup import plain
from handlers.cases import showing
from handlers.knowledge import Knowledge
from handlers.messages import GroupEvent, Outgoing
from handlers.texts import basics
from handlers.texts import groups as texts
from handlers.turn import Deed, to_plain
from storage import casework, conversations, groups, outbox, people, schools, staff, tickets
from storage.database import Database
from storage.groups import Group
from storage.scope import Scope
from storage.ticket import Desk as Whose
from storage.ticket import Matter
from tests.clock import StoppedClock
from tests.handlers.desk import PHOTO, Desk, Someone


@dataclass
class School:
    """A school, who works there, and the group where they do."""

    id: int
    admin: Someone
    room: Someone


@pytest.fixture
def desk(database: Database, knowledge: Knowledge) -> Desk:
    """A helpdesk on both databases."""
    return Desk(database, knowledge, StoppedClock())


@pytest.fixture
async def lyceum(desk: Desk) -> School:
    return await a_school(desk, "Лицей № 35", admin="Ольга")


@pytest.fixture
async def gymnasium(desk: Desk) -> School:
    return await a_school(desk, "Гимназия № 22", admin="Пётр")


# ── whose it is ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_group_says_what_to_do_and_becomes_a_desk(desk: Desk, lyceum: School) -> None:
    number = await a_case(desk, lyceum)
    await happens(desk, lyceum, "joined", title="Учителя")
    assert heard(await lyceum.room.waits_for_messages()) == [plain(texts.WELCOME)]
    await lyceum.admin.says("/desk", group=lyceum.room.address)
    (choice,) = await lyceum.room.waits_for_messages()
    assert labels(choice) == ["Лицей № 35, Майкоп"]
    await lyceum.admin.presses(payloads(choice)[0], group=lyceum.room.address)
    done, waiting = await lyceum.room.waits_for_messages()
    assert "Лицей № 35" in done.text
    assert waiting.text == texts.waiting(1)
    await lyceum.admin.presses(payloads(waiting)[0], group=lyceum.room.address)
    assert str(number) in str(await lyceum.room.waits_for_messages())
    assert await lyceum.admin.waits() == []


async def test_cards_come_to_the_group_and_not_to_each_member(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    number = await a_case(desk, lyceum, shown=True)
    (card,) = await lyceum.room.waits_for_messages()
    assert f"Вопрос № {number}" in plain(card.text)
    assert (card.ticket_id, card.topic) == (number, f"№ {number} · Лицей № 35")
    assert await lyceum.admin.waits() == []


async def test_a_member_of_one_school_cannot_give_the_group_to_another(
    desk: Desk, lyceum: School, gymnasium: School
) -> None:
    await lyceum.admin.presses(f"desk:school:{gymnasium.id}", group=lyceum.room.address)
    assert await lyceum.room.waits() == [texts.NOT_YOURS]
    await lyceum.admin.presses("desk:ministry", group=lyceum.room.address)
    await lyceum.admin.presses(f"desk:municipal:{lyceum.id}", group=lyceum.room.address)
    assert await lyceum.room.waits() == [texts.NOT_YOURS, texts.NOT_YOURS]
    assert await group_in(desk, lyceum.room) is None


async def test_nobody_takes_a_group_from_another_school(
    desk: Desk, lyceum: School, gymnasium: School
) -> None:
    await give(lyceum)
    await gymnasium.admin.says("/desk", group=lyceum.room.address)
    await gymnasium.admin.says("/desk off", group=lyceum.room.address)
    await gymnasium.admin.presses(f"desk:school:{gymnasium.id}", group=lyceum.room.address)
    refused = plain(texts.of_others("Лицей № 35, Майкоп"))
    assert await lyceum.room.waits() == [refused] * 3
    kept = await group_in(desk, lyceum.room)
    assert kept is not None
    assert (kept.is_desk, kept.school_id) == (True, lyceum.id)


@pytest.mark.usefixtures("lyceum", "gymnasium")
async def test_the_owner_chooses_among_all(desk: Desk) -> None:
    owner = await desk.colleague("Вера", role="owner", channel="telegram")
    room = desk.room("Штаб")
    await owner.says("/desk", group=room.address)
    (choice,) = await room.waits_for_messages()
    assert labels(choice) == [texts.BUTTON_MINISTRY, "Гимназия № 22, Майкоп", "Лицей № 35, Майкоп"]
    await owner.says("/desk майкоп", group=room.address)
    (choice,) = await room.waits_for_messages()
    assert labels(choice)[0] == "Муниципалитет: Майкоп"
    await owner.presses(payloads(choice)[0], group=room.address)
    assert "Муниципалитет: Майкоп" in (await room.waits())[0]
    found = await group_in(desk, room)
    assert found is not None
    assert found.desk.key == "municipal:Майкоп"
    await owner.says("/desk 35 лицей", group=room.address)
    (choice,) = await room.waits_for_messages()
    assert labels(choice)[0] == "Лицей № 35, Майкоп"


async def test_a_coordinator_gives_a_group_to_the_municipality(desk: Desk) -> None:
    coordinator = await desk.colleague("Нина", role="municipal", municipality="Майкоп", channel="telegram")
    room = desk.room("Район")
    await coordinator.presses("desk:municipal", group=room.address)
    assert "Муниципалитет: Майкоп" in (await room.waits())[0]


async def test_desk_off_sends_what_waits_to_the_members(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    number = await a_case(desk, lyceum, shown=True)
    await lyceum.admin.says("/desk off", group=lyceum.room.address)
    assert await lyceum.room.waits() == [texts.OFF]
    (card,) = lyceum.admin.heard[-1:]
    assert card.ticket_id == number
    await lyceum.admin.says("/desk off", group=lyceum.room.address)
    assert await lyceum.room.waits() == [texts.OFF_ALREADY]


# ── who is heard ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_reply_in_the_group_answers_the_parent(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    parent = await desk.parent()
    number = await a_case(desk, lyceum, parent=parent, shown=True)
    await lyceum.room.waits()
    await lyceum.admin.says(
        "Исправили, войдите заново", group=lyceum.room.address, reply_to=lyceum.room.numbers[-1]
    )
    assert "Исправили, войдите заново" in (await parent.waits())[-1]
    assert any(f"№ {number}" in words for words in map(plain_text, lyceum.room.heard[1:]))
    assert await lyceum.admin.waits() == []


async def test_what_is_said_back_stays_in_the_topic(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    number = await a_case(desk, lyceum, shown=True)
    await lyceum.room.waits()
    await lyceum.admin.presses(f"answer:{number}", group=lyceum.room.address, thread="77")
    (asked,) = await lyceum.room.waits_for_messages()
    assert asked.thread == "77"
    assert str(number) in asked.text


async def test_words_in_a_topic_belong_to_its_case(desk: Desk, lyceum: School) -> None:
    group = await give(lyceum)
    parent = await desk.parent()
    number = await a_case(desk, lyceum, parent=parent, shown=True)
    async with desk.database.transaction() as tx:
        await groups.put_topic(tx, group.id, number, "77", now=desk.clock.now())
    await lyceum.room.waits()
    await lyceum.admin.says("Профиль создан", group=lyceum.room.address, thread="77")
    assert "Профиль создан" in (await parent.waits())[-1]


async def test_a_command_or_correction_in_a_topic_is_no_answer(desk: Desk, lyceum: School) -> None:
    group = await give(lyceum)
    parent = await desk.parent()
    number = await a_case(desk, lyceum, parent=parent, shown=True)
    async with desk.database.transaction() as tx:
        await groups.put_topic(tx, group.id, number, "77", now=desk.clock.now())
    await lyceum.room.waits()
    for command in ("/my", "/open", "/desk"):
        await lyceum.admin.says(command, group=lyceum.room.address, thread="77")
    first = await lyceum.admin.says("Профиль создан", group=lyceum.room.address, thread="77")
    before = len(await parent.waits())
    assert before == 1
    topic: dict[str, Any] = {"group": lyceum.room.address, "thread": "77"}
    await desk.takes(lyceum.admin, text="Профиль готов", message_id=first, edited=True, **topic)
    (corrected,) = await parent.waits()
    assert "Исправ" in corrected
    assert "Профиль готов" in corrected


async def test_desk_is_a_command_for_groups(lyceum: School) -> None:
    await lyceum.admin.says("/desk")
    assert await lyceum.admin.waits() == [texts.IN_GROUPS_ONLY]


async def test_a_stranger_is_told_once_a_day_and_nothing_is_kept(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    number = await a_case(desk, lyceum, shown=True)
    await lyceum.room.waits()
    stranger = desk.person("Чужой")
    await stranger.says("/start", group=lyceum.room.address)
    await stranger.says("не могу войти", group=lyceum.room.address, reply_to=lyceum.room.numbers[-1])
    await stranger.presses(f"close:{number}", group=lyceum.room.address)
    assert await lyceum.room.waits() == [texts.STRANGER]
    assert await stranger.waits() == []
    async with desk.database.reading() as tx:
        assert await people.at(tx, "telegram", stranger.address.chat_id) is None
        ticket = await tickets.find(tx, number)
        assert ticket is not None
        assert ticket.state == "waiting"
    await stranger.waits(days=1)
    await stranger.says("/start", group=lyceum.room.address)
    assert await lyceum.room.waits() == [texts.STRANGER]


async def test_a_parent_in_a_group_is_a_stranger_there(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    parent = await desk.parent()
    await parent.says("забыл пароль от госуслуг", group=lyceum.room.address)
    assert await parent.waits() == []
    assert await lyceum.room.waits() == []  # the wait of the parent has delivered it
    assert plain_text(lyceum.room.heard[-1]) == texts.STRANGER
    known = await desk.known(parent)
    async with desk.database.reading() as tx:
        talk = await conversations.of_person(tx, known.id, now=desk.clock.now())
        said = await conversations.history(tx, talk.id)
    assert not any("забыл пароль" in message.text for message in said)


async def test_a_case_of_another_school_is_not_pulled_into_the_group(
    desk: Desk, lyceum: School, gymnasium: School
) -> None:
    """Somebody of both schools, and somebody of all, meet the same bound."""
    await give(lyceum)
    await joins(desk, lyceum.admin, gymnasium)
    ministry = await desk.colleague("Вера", channel="telegram")
    number = await a_case(desk, gymnasium, words="секрет гимназии")
    for member in (lyceum.admin, ministry):
        for deed in ("card", "take", "answer", "urgent", "close", "note", "pass", "tpl"):
            await member.presses(f"{deed}:{number}", group=lyceum.room.address)
            assert await lyceum.room.waits() == [texts.OTHER_DESK]
        await member.presses("open", group=lyceum.room.address)
        assert "секрет" not in str(await lyceum.room.waits_for_messages())
    async with desk.database.reading() as tx:
        ticket = await tickets.find(tx, number)
    assert ticket is not None
    assert (ticket.state, ticket.owner_id, ticket.urgent) == ("waiting", None, False)
    await lyceum.admin.presses(f"card:{number}")
    assert "секрет гимназии" in str(await lyceum.admin.waits())


async def test_who_has_no_say_in_a_case_is_refused_in_the_group_too(
    desk: Desk, lyceum: School, gymnasium: School
) -> None:
    await give(lyceum)
    number = await a_case(desk, lyceum, words="секрет лицея")
    await gymnasium.admin.presses(f"card:{number}", group=lyceum.room.address)
    said = await lyceum.room.waits()
    assert len(said) == 1
    assert "секрет лицея" not in said[0]


async def test_a_group_that_is_nobodys_desk_takes_no_presses(desk: Desk, lyceum: School) -> None:
    number = await a_case(desk, lyceum)
    await lyceum.admin.presses(f"card:{number}", group=lyceum.room.address)
    assert await lyceum.room.waits() == [texts.NOT_A_DESK]


async def test_our_mishap_is_told_where_it_happened(
    desk: Desk, lyceum: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(lyceum)
    stranger = desk.person("Чужой")

    async def fall(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("handlers.staff.groups.receive", fall)
    monkeypatch.setattr("handlers.staff.groups.refuse_stranger", fall)
    await lyceum.admin.says("/desk", group=lyceum.room.address)
    await stranger.says("/desk", group=lyceum.room.address)
    assert await lyceum.room.waits() == [basics.STAFF_MISHAP]
    async with desk.database.reading() as tx:
        assert await people.at(tx, "telegram", stranger.address.chat_id) is None


async def test_a_case_of_ones_own_opens_no_other(desk: Desk, lyceum: School, gymnasium: School) -> None:
    """Both schools have a case: what was asked of any of them must not count for all."""
    mine, other = await a_case(desk, lyceum), await a_case(desk, gymnasium)
    assert await seen_by(desk, lyceum.admin) == [mine]
    assert await seen_by(desk, gymnasium.admin) == [other]
    coordinator = await desk.colleague("Нина", role="municipal", municipality="Майкоп")
    stranger = await desk.colleague("Зоя", role="municipal", municipality="Адыгейск")
    assert await seen_by(desk, coordinator) == [mine, other]
    assert await seen_by(desk, stranger) == []
    assert await seen_by(desk, coordinator, within=Whose("school", lyceum.id)) == [mine]


# ── what happens to it ────────────────────────────────────────────────────────────────────────────────────


async def test_a_kicked_bot_writes_to_the_members_again(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    number = await a_case(desk, lyceum, shown=True)
    await happens(desk, lyceum, "left")
    told, card = await lyceum.admin.waits_for_messages()
    assert plain_text(told) == plain(texts.lost("", "kicked"))
    assert card.ticket_id == number
    assert await lyceum.room.waits() == []
    await happens(desk, lyceum, "left")
    await a_case(desk, lyceum, shown=True)
    (later,) = await lyceum.admin.waits_for_messages()
    assert "Вопрос №" in plain_text(later)


async def test_a_bot_that_is_back_asks_whose_the_group_is(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    await happens(desk, lyceum, "left")
    await happens(desk, lyceum, "joined")
    assert await lyceum.room.waits() == [plain(texts.WELCOME)]
    found = await group_in(desk, lyceum.room)
    assert found is not None
    assert not found.is_desk


async def test_a_group_that_moved_takes_its_letters_along(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    number = await a_case(desk, lyceum, shown=True)
    new = desk.room("Супергруппа")
    for _ in range(2):  # the old chat and the new one both tell
        await happens(desk, lyceum, "moved", new_chat_id=new.address.chat_id)
    (card,) = await new.waits_for_messages()
    assert (card.ticket_id, card.to) == (number, new.address)
    await lyceum.admin.presses(f"take:{number}", group=new.address)
    assert await lyceum.admin.waits() == []


async def test_a_second_word_of_the_move_leaves_new_topics_alone(desk: Desk, lyceum: School) -> None:
    group = await give(lyceum)
    number = await a_case(desk, lyceum)
    new = desk.room("Супергруппа")
    await happens(desk, lyceum, "moved", new_chat_id=new.address.chat_id)
    async with desk.database.transaction() as tx:
        await groups.put_topic(tx, group.id, number, "5", now=desk.clock.now())
    await happens(desk, lyceum, "moved", new_chat_id=new.address.chat_id)
    async with desk.database.reading() as tx:
        assert await groups.topic(tx, group.id, number) == "5"


async def test_a_move_after_joining_the_new_chat_keeps_the_desk(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    new = desk.room("Супергруппа")
    await desk.takes(lyceum.admin, group=new.address, group_event=GroupEvent("joined"))
    await happens(desk, lyceum, "left")
    await happens(desk, lyceum, "moved", new_chat_id=new.address.chat_id)
    found = await group_in(desk, new)
    assert found is not None
    assert (found.is_desk, found.school_id) == (True, lyceum.id)
    assert await new.waits() == []


async def test_a_renamed_group_is_called_by_its_new_name(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    await happens(desk, lyceum, "renamed", title="Поддержка лицея")
    await happens(desk, lyceum, "left")
    assert "«Поддержка лицея»" in (await lyceum.admin.waits())[0]


async def test_the_ministry_hears_of_groups_of_those_who_leave(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    await happens(desk, lyceum, "renamed", title="Поддержка лицея")
    ministry = await desk.colleague("Вера", channel="telegram")
    known = await desk.known(lyceum.admin)
    async with desk.database.reading() as tx:
        assert await staff.of_person(tx, known.id) is not None
    await lyceum.admin.says("/leave")
    said = await ministry.waits()
    assert any("Ольга" in words and "«Поддержка лицея»" in words for words in said)
    found = await group_in(desk, lyceum.room)
    assert found is not None
    assert found.is_desk


# ── albums and replies ────────────────────────────────────────────────────────────────────────────────────


async def test_an_album_of_the_staff_reaches_the_parent_in_one_letter(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    parent = await desk.parent()
    await a_case(desk, lyceum, parent=parent, shown=True)
    await lyceum.room.waits()
    here: dict[str, Any] = {"group": lyceum.room.address, "reply_to": lyceum.room.numbers[-1], "album": "a1"}
    await lyceum.admin.says("Вот что нажать", attachments=(PHOTO,), **here)
    await lyceum.admin.says(attachments=(PHOTO,), **here)
    await lyceum.admin.says(attachments=(PHOTO,), **here)
    (answer,) = await parent.waits_for_messages()
    assert len(answer.attachments) == 3
    assert plain_text(answer).count("Вот что нажать") == 1


async def test_the_sent_message_of_a_kept_one_is_found(desk: Desk, lyceum: School) -> None:
    await give(lyceum)
    room = lyceum.room.address
    async with desk.database.transaction() as tx:
        known = await people.meet(tx, "telegram", "77", name="Анна", now=desk.clock.now())
        talk = await conversations.of_person(tx, known.id, now=desk.clock.now())
        kept = await conversations.add_message(tx, talk.id, author="person", text="?", now=desk.clock.now())
        await outbox.add(
            tx,
            channel=room.channel,
            chat_id=room.chat_id,
            priority=outbox.NOTICE,
            body=to_plain(Outgoing(room, "Анна: ?")),
            shows_id=kept,
            now=desk.clock.now(),
        )
    await lyceum.room.waits()
    number = lyceum.room.numbers[-1]
    async with desk.database.reading() as tx:
        mark = await outbox.find_sent(tx, room.channel, room.chat_id, number)
        assert mark is not None
        assert mark.shows_id == kept
        assert await outbox.sent_as(tx, kept, room.channel, room.chat_id) == number
        assert await outbox.sent_as(tx, kept, "vk", room.chat_id) is None


# ── who does what ─────────────────────────────────────────────────────────────────────────────────────────


async def a_school(desk: Desk, name: str, *, admin: str) -> School:
    async with desk.database.transaction() as tx:
        number = await schools.add(
            tx,
            code=f"s{desk.new_number()}",
            name=name,
            municipality="Майкоп",
            kind="",
            aliases=(),
            hours="",
            now=desk.clock.now(),
        )
    member = await desk.colleague(admin, role="school", school_id=number, channel="telegram")
    return School(number, member, desk.room(name))


async def joins(desk: Desk, member: Someone, school: School) -> None:
    """Somebody who works at one school begins to work at another one, too."""
    known = await desk.known(member)
    async with desk.database.transaction() as tx:
        number = await staff.invite(
            tx,
            token_hash="hash",
            role="school",
            school_id=school.id,
            municipality=None,
            now=desk.clock.now(),
            expires_at=desk.clock.now().replace(year=2030),
        )
        invitation = await staff.use_invitation(tx, "hash", now=desk.clock.now())
        assert invitation is not None
        assert invitation.id == number
        await staff.join(tx, known.id, invitation=invitation, name=member.name, now=desk.clock.now())


async def give(school: School) -> Group:
    """The school's people make their group the desk."""
    await school.admin.presses(f"desk:school:{school.id}", group=school.room.address)
    assert "Готово" in (await school.room.waits())[0]
    found = await group_in(school.room.desk, school.room)
    assert found is not None
    return found


async def a_case(
    desk: Desk,
    school: School,
    *,
    parent: Someone | None = None,
    words: str = "не могу войти",
    shown: bool = False,
) -> int:
    """A parent's question at this school's desk; returns its number."""
    parent = parent or await desk.parent()
    known = await desk.known(parent)
    async with desk.database.transaction() as tx:
        talk = await conversations.of_person(tx, known.id, now=desk.clock.now())
        found = await schools.find(tx, school.id)
        assert found is not None
        matter = Matter(
            "asked", None, (), found.name, school_id=school.id, municipality="Майкоп", level="school"
        )
        ticket = await tickets.open_ticket(
            tx, person_id=known.id, conversation_id=talk.id, matter=matter, now=desk.clock.now()
        )
        await conversations.add_message(
            tx, talk.id, author="person", text=words, ticket_id=ticket.id, now=desk.clock.now()
        )
        await conversations.switch(tx, talk.id, "waiting_human", ticket_id=ticket.id, now=desk.clock.now())
        if shown:
            await showing.show_card(Deed(tx, desk.clock.now(), desk._knowledge), ticket)
    return ticket.id


async def happens(desk: Desk, school: School, change: Any, **more: Any) -> None:
    """Something happens to the group."""
    await desk.takes(school.admin, group=school.room.address, group_event=GroupEvent(change, **more))


async def seen_by(desk: Desk, member: Someone, *, within: Whose | None = None) -> list[int]:
    """Numbers of the cases that this member sees."""
    known = await desk.known(member)
    async with desk.database.reading() as tx:
        found = await staff.of_person(tx, known.id)
        assert found is not None
        listed = await casework.listed(tx, Scope(found.id, within), "open", now=desk.clock.now())
    return sorted(ticket.id for ticket in listed)


async def group_in(desk: Desk, room: Someone) -> Group | None:
    async with desk.database.reading() as tx:
        return await groups.at(tx, room.address.channel, room.address.chat_id)


def plain_text(message: Outgoing) -> str:
    return plain(message.text)


def heard(messages: list[Outgoing]) -> list[str]:
    return [plain(message.text) for message in messages]


def labels(message: Outgoing) -> list[str]:
    return [button.label for row in message.buttons for button in row]


def payloads(message: Outgoing) -> list[str]:
    return [button.payload for row in message.buttons for button in row]
