"""What a desk's group is told: in its case's topic, wherever the group is by now, or else its members."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.channels.files import Files
from bot.channels.telegram import TelegramChannel
from bot.clock import SystemClock
from bot.delivery import Delivery
from handlers.messages import Address, Attachment, Outgoing
from handlers.texts import groups as texts
from handlers.turn import queue
from storage import conversations, groups, outbox, people, schools, staff, tickets
from storage.database import Database
from storage.ticket import Desk, Matter
from tests.bot.test_delivery import running, until
from tests.clock import FastClock
from tests.emulators.telegram import TINY_JPEG, Fault, Group, Person, TelegramServer
from tests.house import SPEED, contents

pytestmark = pytest.mark.slow


@dataclass
class House:
    """A school whose desk is a group, and two cases of it."""

    server: TelegramServer
    database: Database
    delivery: Delivery
    files: Files
    olga: Person
    petr: Person
    group: Group
    first: int
    second: int

    async def tells(self, group: Group, words: str, *, ticket: int | None = None, **more: Any) -> int:
        """Put a letter to the group into the outbox, of the first case unless told."""
        number = self.first if ticket is None else ticket
        message = Outgoing(
            Address("telegram", str(group.id)),
            words,
            ticket_id=number or None,
            priority="notice",
            topic=f"№ {number} · Лицей № 35" if number else "",
            **{key: value for key, value in more.items() if key in {"thread", "attachments"}},
        )
        more = {key: value for key, value in more.items() if key == "album"}
        async with self.database.transaction() as tx:
            return await queue(tx, message, now=SystemClock().now(), **more)

    async def is_done(self) -> bool:
        """Whether nothing is on its way any more."""
        async with self.database.reading() as tx:
            counts = await outbox.count(tx)
        return not any(counts.get(("telegram", state)) for state in ("queued", "sending"))


@pytest.fixture
def clock() -> FastClock:
    return FastClock(SPEED * 5)


@pytest.fixture
async def server(clock: FastClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(clock=clock, limits=False) as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def house(
    server: TelegramServer, database: Database, clock: FastClock, tmp_path: Path
) -> AsyncIterator[House]:
    channel = TelegramChannel(server.token, clock=clock, api_url=server.url)
    files = Files(tmp_path / "files")
    delivery = Delivery(channel, database, files, {"telegram": channel}, clock=clock)
    olga, petr = server.person(first_name="Ольга"), server.person(first_name="Пётр")
    for person in (olga, petr):
        await person.start()
    group = server.group("Лицей", members=[olga, petr], forum=True)
    await group.adds_bot(olga, as_administrator=True)
    first, second = await furnished(database, (olga, petr), group)
    yield House(server, database, delivery, files, olga, petr, group, first, second)
    await channel.close()


# ── a topic for each case ─────────────────────────────────────────────────────────────────────────────────


async def test_each_case_has_a_topic_of_its_own(house: House) -> None:
    await house.tells(house.group, "Карточка")
    await house.tells(house.group, "Другая карточка", ticket=house.second)
    await house.tells(house.group, "Родитель пишет")
    async with running(house.delivery):
        await until(house.is_done)
    assert [topic.name for topic in house.group.topics] == [title(house.first), title(house.second)]
    assert said_in(house, house.first) == ["Карточка", "Родитель пишет"]
    assert said_in(house, house.second) == ["Другая карточка"]


async def test_what_belongs_to_no_case_belongs_to_no_topic(house: House) -> None:
    await house.tells(house.group, "Сводка", ticket=0)
    async with running(house.delivery):
        await house.group.hears("Сводка")
    assert house.group.topics == []


async def test_who_spoke_in_a_topic_is_answered_there(house: House) -> None:
    talk = await house.group.opens_topic("Разговоры", by=house.olga)
    await house.tells(house.group, "Здесь", ticket=0, thread=str(talk.id))
    async with running(house.delivery):
        await house.group.hears("Здесь")
    assert talk.messages[-1].text == "Здесь"


async def test_after_a_topic_was_deleted_the_case_goes_on_in_another(house: House) -> None:
    await house.tells(house.group, "Карточка")
    async with running(house.delivery):
        await house.group.hears("Карточка")
        await house.group.deletes_topic(house.group.topic(title(house.first)))
        await house.tells(house.group, "Родитель пишет")
        await house.tells(house.group, "И ещё")
        await until(house.is_done)
    assert said_in(house, house.first) == [f"{texts.CONTINUED}\n\nРодитель пишет", "И ещё"]


async def test_after_a_topic_was_closed_the_case_goes_on_in_another(house: House) -> None:
    await house.group.demotes_bot(house.olga)
    topic = await house.group.opens_topic("Закрытая", by=house.olga)
    async with house.database.transaction() as tx:
        known = await groups.at(tx, "telegram", str(house.group.id))
        assert known is not None
        await groups.put_topic(tx, known.id, house.first, str(topic.id), now=SystemClock().now())
    await house.group.promotes_bot(house.olga)
    await house.group.closes_topic(topic, by=house.olga)
    house.server.fail(fault=Fault.bad_request("Bad Request: TOPIC_CLOSED"), method="sendMessage")
    await house.tells(house.group, "Родитель пишет")
    async with running(house.delivery):
        await until(house.is_done)
    assert said_in(house, house.first) == [f"{texts.CONTINUED}\n\nРодитель пишет"]


async def test_topics_that_are_refused_for_ever_cost_no_letter(house: House) -> None:
    house.server.fail(
        fault=Fault.bad_request("Bad Request: message thread not found"), method="sendMessage", times=2
    )
    await house.tells(house.group, "Карточка")
    async with running(house.delivery):
        await until(house.is_done)
    seen = [message for message in house.group.chat if "Карточка" in message.text]
    assert len(seen) == 1
    assert seen[0].thread is None
    assert len(house.server.calls_of("createForumTopic")) == 2


async def test_where_we_may_open_no_topics_all_goes_together(house: House) -> None:
    await house.group.demotes_bot(house.olga)
    await house.tells(house.group, "Карточка")
    await house.tells(house.group, "Другая карточка", ticket=house.second)
    async with running(house.delivery):
        await until(house.is_done)
    heard = [message.text for message in house.group.chat if message.from_bot]
    assert sorted(heard) == sorted(["Карточка", "Другая карточка", texts.TOPICS_OFF])
    assert len(house.server.calls_of("createForumTopic")) == 1


async def test_a_death_between_opening_and_noting_leaves_one_empty_topic(house: House) -> None:
    await house.tells(house.group, "Карточка")
    house.server.fail(fault=Fault.execute_then_drop(), method="createForumTopic")
    async with running(house.delivery):
        await until(house.is_done)
    assert [topic.name for topic in house.group.topics] == [title(house.first)] * 2
    assert said_in(house, house.first) == ["Карточка"]


# ── where the group is now ────────────────────────────────────────────────────────────────────────────────


async def test_a_letter_finds_the_supergroup_that_nobody_told_us_of(house: House) -> None:
    plain = house.server.group("Гимназия", members=[house.olga])
    await plain.adds_bot(house.olga)
    await registered(house, plain)
    new = await plain.becomes_supergroup()
    await house.tells(plain, "Карточка")
    await house.tells(plain, "Родитель пишет")
    async with running(house.delivery):
        await until(house.is_done)
    assert [message.text for message in new.chat if message.from_bot] == ["Карточка", "Родитель пишет"]
    async with house.database.reading() as tx:
        found = await groups.at(tx, "telegram", str(new.id))
        assert found is not None
        assert found.is_desk
        assert await groups.at(tx, "telegram", str(plain.id)) is None


async def test_what_a_group_cannot_be_told_each_member_is_told(house: House) -> None:
    await house.group.kicks_bot(house.olga)
    await house.tells(house.group, "Карточка")
    await house.tells(house.group, "Родитель пишет")
    async with running(house.delivery):
        await until(house.is_done)
    for member in (house.olga, house.petr):
        heard = [message.text for message in member.chat if message.from_bot]
        assert sorted(heard) == sorted(["Карточка", "Родитель пишет", texts.lost("Лицей", "kicked")])
    async with house.database.reading() as tx:
        found = await groups.at(tx, "telegram", str(house.group.id))
    assert found is not None
    assert (found.is_desk, found.lost_reason) == (False, "kicked")


async def test_what_the_group_is_refused_for_good_goes_to_the_members_too(house: House) -> None:
    house.server.fail(
        fault=Fault.bad_request("Bad Request: something new"), method="sendMessage", chat_id=house.group.id
    )
    await house.tells(house.group, "Карточка")
    async with running(house.delivery):
        await house.olga.hears("Карточка")
        await house.petr.hears("Карточка")


async def test_an_answer_to_a_deleted_message_arrives_without_it(house: House) -> None:
    message = Outgoing(Address("telegram", str(house.group.id)), "Ответ", reply_to="99999")
    async with house.database.transaction() as tx:
        await queue(tx, message, now=SystemClock().now())
    async with running(house.delivery):
        await house.group.hears("Ответ")


# ── albums ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_album_that_came_in_parts_goes_as_one(house: House) -> None:
    first, second, third = [await a_photo(house, mark) for mark in (b"1", b"2", b"3")]
    await house.tells(house.group, "Снимки", attachments=(first,), album="a")
    await house.tells(house.group, "", attachments=(second,), album="a")
    await house.tells(house.group, "Потом")
    await house.tells(house.group, "Снимки", attachments=(third,), album="a")
    async with running(house.delivery):
        await until(house.is_done)
    seen = [message for message in house.group.chat if message.from_bot and not _service(message)]
    assert [message.words for message in seen if message.words] == ["Снимки", "Потом"]
    albums = [contents(message) for message in seen if contents(message)]
    assert albums == [[photo(mark)] for mark in (b"1", b"2", b"3")]
    assert len(house.server.calls_of("sendMediaGroup")) == 1
    assert seen[-1].words == "Потом"


async def test_a_part_that_is_late_comes_behind(house: House) -> None:
    await house.tells(house.group, "Снимки", attachments=(await a_photo(house, b"1"),), album="a")
    async with running(house.delivery):
        await until(house.is_done)
        await house.tells(house.group, "", attachments=(await a_photo(house, b"2"),), album="a")
        await until(house.is_done)
    seen = [contents(message) for message in house.group.chat if contents(message)]
    assert seen == [[photo(b"1")], [photo(b"2")]]


async def test_the_same_name_of_an_album_in_another_chat_is_another_album(house: House) -> None:
    other = house.server.group("Гимназия", members=[house.olga])
    await other.adds_bot(house.olga)
    await house.tells(house.group, "Одним", attachments=(await a_photo(house, b"1"),), album="a")
    await house.tells(other, "Другим", attachments=(await a_photo(house, b"2"),), album="a")
    async with running(house.delivery):
        await house.group.hears("Одним")
        await other.hears("Другим")


# ── who does what ─────────────────────────────────────────────────────────────────────────────────────────


async def furnished(database: Database, members: tuple[Person, ...], group: Group) -> tuple[int, int]:
    """A school, its people, its group and two cases; returns the numbers of the cases."""
    now = SystemClock().now()
    async with database.transaction() as tx:
        school = await schools.add(
            tx, code="l35", name="Лицей № 35", municipality="Майкоп", kind="", aliases=(), hours="", now=now
        )
        joined = []
        for person in members:
            known = await people.meet(tx, "telegram", str(person.id), name=person.user.first_name, now=now)
            await staff.invite(
                tx,
                token_hash=str(person.id),
                role="school",
                school_id=school,
                municipality=None,
                now=now,
                expires_at=now.replace(year=now.year + 1),
            )
            invitation = await staff.use_invitation(tx, str(person.id), now=now)
            assert invitation is not None
            joined.append(await staff.join(tx, known.id, invitation=invitation, name="", now=now))
        await groups.register(
            tx,
            channel="telegram",
            chat_id=str(group.id),
            title="Лицей",
            desk=Desk("school", school, "Майкоп"),
            has_topics=True,
            staff_id=joined[0].id,
            now=now,
        )
        parent = await people.meet(tx, "vk", "1", name="Анна", now=now)
        talk = await conversations.of_person(tx, parent.id, now=now)
        matter = Matter(
            "asked", None, (), "Лицей № 35", school_id=school, municipality="Майкоп", level="school"
        )
        first, second = [
            await tickets.open_ticket(
                tx, person_id=parent.id, conversation_id=talk.id, matter=matter, now=now
            )
            for _ in range(2)
        ]
    return first.id, second.id


async def registered(house: House, group: Group) -> None:
    """The school's desk is in this group now, and in no other."""
    async with house.database.transaction() as tx:
        known = await groups.at(tx, "telegram", str(house.group.id))
        assert known is not None
        assert known.registered_by is not None
        await groups.forget(tx, known.id)
        await groups.register(
            tx,
            channel="telegram",
            chat_id=str(group.id),
            title=group._chat.title,
            desk=known.desk,
            has_topics=False,
            staff_id=known.registered_by,
            now=SystemClock().now(),
        )


def photo(mark: bytes) -> bytes:
    return TINY_JPEG[:-2] + mark + TINY_JPEG[-2:]


async def a_photo(house: House, mark: bytes) -> Attachment:
    """A photo that was sent to us directly."""
    return Attachment("photo", "фото.jpg", "image/jpeg", "web", await house.files.keep(photo(mark)))


def title(ticket: int) -> str:
    return f"№ {ticket} · Лицей № 35"


def said_in(house: House, ticket: int) -> list[str]:
    """What we said in the newest topic of a case."""
    topic = house.group.topic(title(ticket))
    return [message.text for message in topic.messages if message.from_bot and not _service(message)]


def _service(message: Any) -> bool:
    """Whether it only tells that a topic was opened."""
    return not message.text and not contents(message)
