"""Nothing is left of whoever asks to be forgotten, nor of what is too old; on both databases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.sql.selectable import FromClause

from storage import (
    casework,
    conversations,
    family,
    feed,
    forgetting,
    inbox,
    journal,
    outbox,
    people,
    staff,
    tickets,
)
from storage import tables as private_tables
from storage.conversations import StoredAttachment
from storage.database import Database, Transaction
from storage.people import Person
from storage.scope import Scope
from storage.ticket import Matter

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
MARK = "Кузнечикова"
"""In everything that the parent, and the staff about the parent, ever said."""
CHAT = "700100200"


@dataclass
class Story:
    """A parent with everything that a parent can have, and the colleague who answers."""

    person: Person
    colleague: staff.Member
    ticket: int


async def test_nothing_of_a_forgotten_person_is_left_in_any_table(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        forgotten = await forgetting.forget(tx, story.person, now=NOW + timedelta(hours=1))
    assert (forgotten.messages, forgotten.files, forgotten.children) == (5, 2, 1)
    assert (forgotten.tickets, forgotten.closed) == (1, (story.ticket,))
    await finish(database)
    for name, rows in (await everything(database)).items():
        assert MARK not in str(rows), name
        assert CHAT not in str(rows), name


async def test_the_question_stays_as_a_number(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        await forgetting.forget(tx, story.person, now=NOW)
        ticket = await tickets.find(tx, story.ticket)
        assert ticket is not None
        assert (ticket.person_id, ticket.conversation_id, ticket.school) == (0, 0, "")
        assert (ticket.state, ticket.topic, ticket.tried) == ("closed", "snils-mismatch", ("snils-mismatch",))
        assert ticket.owner_id == story.colleague.id
        assert await tickets.count_by_state(tx) == {"closed": 1}
        assert await casework.listed(tx, Scope(story.colleague.id), "closed", now=NOW) == []
        assert await conversations.thread(tx, story.ticket) == []
        assert await people.find(tx, ticket.person_id) is None
        assert (await journal.count(tx))["ticket_opened"] == 1


async def test_the_others_keep_what_is_theirs(database: Database) -> None:
    story = await tell(database)
    neighbour = await tell(database, chat_id="800", mark="Ромашкина", colleague=story.colleague)
    before = await everything(database)
    async with database.transaction() as tx:
        await forgetting.forget(tx, story.person, now=NOW)
    after = await everything(database)
    for name in ("messages", "message_versions", "outbox", "feed", "conversations", "children", "people"):
        kept = [row for row in before[name] if "Ромашкина" in str(row)]
        assert [row for row in after[name] if "Ромашкина" in str(row)] == kept, name
    async with database.reading() as tx:
        assert await people.find(tx, neighbour.person.id) is not None
        assert await staff.find(tx, story.colleague.id) is not None


async def test_forgetting_twice_finds_nothing(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        await forgetting.forget(tx, story.person, now=NOW)
    await finish(database)
    before = await everything(database)
    async with database.transaction() as tx:
        assert await forgetting.forget(tx, story.person, now=NOW) == forgetting.Forgotten()
    await finish(database)
    assert await everything(database) == before


async def test_half_of_a_family_leaves_the_children_to_the_other_half(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        other = await people.meet(tx, "vk", "5", name="Пётр", now=NOW)
        await family.join(tx, other.id, story.person.id, now=NOW)
        await family.set_primary(tx, story.person.id)
        assert (await forgetting.forget(tx, story.person, now=NOW)).children == 0
        assert len(await family.children_of(tx, other.id)) == 1
        assert (await family.primary(tx, other.id) or story.person).id == other.id


async def test_staff_are_not_forgotten_before_they_leave(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        member = await people.find(tx, story.colleague.person_id)
    assert member is not None
    with pytest.raises(forgetting.StillStaff):
        async with database.transaction() as tx:
            await forgetting.forget(tx, member, now=NOW)
    async with database.transaction() as tx:
        await staff.revoke(tx, story.colleague.id, now=NOW)
        await forgetting.forget(tx, member, now=NOW)
        # What they answered to the parent is the parent's.
        assert len(await conversations.thread(tx, story.ticket)) == 3
        assert await staff.names(tx) == {story.colleague.id: ""}
        assert await people.find(tx, member.id) is None


async def test_a_file_that_another_message_still_has_stays(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        other = await people.meet(tx, "vk", "5", name="Пётр", now=NOW)
        talk = await conversations.of_person(tx, other.id, now=NOW)
        shared = [StoredAttachment(0, "photo", "a.jpg", "image/jpeg", 1, "telegram", "file-of-parent")]
        await conversations.add_message(tx, talk.id, author="person", text="", now=NOW, files=shared)
        await forgetting.forget(tx, story.person, now=NOW)
        waiting = await forgetting.leftovers_waiting(tx, now=NOW)
    assert [(each.kind, each.ref) for each in waiting] == [("file", "f" * 32), ("log", "")]


async def test_a_letter_on_its_way_to_a_forgotten_person_troubles_nobody(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        (letter,) = await outbox.claim(tx, "telegram", now=NOW, limit=10)
        await forgetting.forget(tx, story.person, now=NOW)
        farewell = await outbox.add(tx, channel="telegram", chat_id=CHAT, priority=0, body={}, now=NOW)
    assert farewell != letter.id
    async with database.transaction() as tx:
        await outbox.note_piece(tx, letter, pieces_sent=1, external_id="1")
        await outbox.mark_sent(tx, letter.id, now=NOW)
        assert [each.id for each in await outbox.claim(tx, "telegram", now=NOW, limit=10)] == [farewell]


async def test_the_last_message_goes_a_day_later_unless_they_write_again(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        await forgetting.forget(tx, story.person, now=NOW)
        await outbox.add(tx, channel="telegram", chat_id=CHAT, priority=0, body={}, now=NOW)
    await finish(database, now=NOW + timedelta(hours=23))
    assert CHAT in str((await everything(database))["outbox"])
    await finish(database, now=NOW + timedelta(hours=25))
    assert CHAT not in str(await everything(database))


async def test_a_reader_of_the_web_chat_hears_the_last_message(database: Database) -> None:
    """The page asks for what is newer than the last number it has seen: numbers must not begin again."""
    async with database.transaction() as tx:
        visitor = await people.meet(tx, "web", "visitor", name="", now=NOW)
        for number in range(3):
            await feed.show(tx, "web", "visitor", key=f"k:{number}", body={}, now=NOW)
        seen = await feed.newest(tx, "web", "visitor")
        await forgetting.forget(tx, visitor, now=NOW)
        await feed.show(tx, "web", "visitor", key="last:0", body={"last": True}, now=NOW)
        assert [shown.body for shown in await feed.since(tx, "web", "visitor", after=seen)] == [
            {"last": True}
        ]


async def test_the_event_that_asks_for_it_is_still_taken_once(database: Database) -> None:
    async with database.transaction() as tx:
        visitor = await people.meet(tx, "web", "visitor", name="", now=NOW)
        await inbox.accept(tx, "web", "visitor:1", now=NOW - timedelta(minutes=1))
        await inbox.accept(tx, "web", "visitor:2", now=NOW)
        await forgetting.forget(tx, visitor, now=NOW)
        assert await inbox.accept(tx, "web", "visitor:1", now=NOW)
        assert not await inbox.accept(tx, "web", "visitor:2", now=NOW)


async def test_a_notice_seen_again_is_noted_once_and_a_new_one_anew(database: Database) -> None:
    async def seen(tx: Transaction) -> tuple[Any, ...]:
        row = (await tx.execute(text("SELECT notice_version, greeted_at FROM people"))).one()
        return tuple(map(str, row))

    async with database.transaction() as tx:
        person = await people.meet(tx, "telegram", "1", name="", now=NOW)
        await people.note_greeted(tx, person.id, notice_version="1", now=NOW)
        first = await seen(tx)
        await people.note_greeted(tx, person.id, notice_version="1", now=NOW + timedelta(days=1))
        assert await seen(tx) == first
        await people.note_greeted(tx, person.id, notice_version="2", now=NOW + timedelta(days=2))
        assert (await seen(tx))[0] == "2"
        assert await seen(tx) != first
        await forgetting.forget(tx, person, now=NOW)
        again = await people.meet(tx, "telegram", "1", name="", now=NOW)
        assert again.greeted_at is None


async def test_what_is_too_old_goes_in_portions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "PORTION", 3)
    story = await tell(database)
    async with database.transaction() as tx:
        await tickets.close(tx, story.ticket, now=NOW)
    portions = []
    while True:
        async with database.transaction() as tx:
            swept = await forgetting.sweep(tx, before=NOW + timedelta(days=1), now=NOW + timedelta(days=181))
        portions.append(swept.total)
        if swept.total < 3:
            break
    assert max(portions) == 3
    await finish(database, now=NOW + timedelta(days=200))
    left = await everything(database)
    for name in ("messages", "message_versions", "attachments", "outbox", "sent", "feed"):
        assert left[name] == [], name
    assert MARK not in str(left["tickets"])
    async with database.reading() as tx:
        assert await people.find(tx, story.person.id) is not None


async def test_an_open_question_keeps_what_belongs_to_it(database: Database) -> None:
    story = await tell(database)
    async with database.transaction() as tx:
        await forgetting.sweep(tx, before=NOW + timedelta(days=1), now=NOW + timedelta(days=181))
        thread = await conversations.thread(tx, story.ticket)
        ticket = await tickets.find(tx, story.ticket)
    assert len(thread) == 3
    assert sum(len(message.attachments) for message in thread) == 2
    assert ticket is not None
    assert ticket.person_id == story.person.id
    assert [row for row in (await everything(database))["outbox"] if MARK in str(row)]


async def test_what_is_young_stays(database: Database) -> None:
    await tell(database)
    before = await everything(database)
    async with database.transaction() as tx:
        assert (await forgetting.sweep(tx, before=NOW, now=NOW + timedelta(days=180))).total == 0
    assert await everything(database) == before


async def test_on_sqlite_the_very_bytes_are_gone(tmp_path: Path) -> None:
    """In the file and in its log, after a long life with pages split, joined and filled again."""
    path = tmp_path / "helpdesk.db"
    database = Database(f"sqlite:///{path}")
    await database.migrate()
    story = await tell(database)
    async with database.transaction() as tx:
        talk = await conversations.of_person(tx, story.person.id, now=NOW)
        other = await people.meet(tx, "vk", "5", name="Пётр", now=NOW)
        theirs = await conversations.of_person(tx, other.id, now=NOW)
    for number in range(300):
        words = f"{MARK} {number} " + "слово " * (number * 7 % 400)
        async with database.transaction() as tx:
            await say(tx, talk.id, words, external_id=f"p{number}")
            await say(tx, theirs.id, words.replace(MARK, "Пётр"), external_id=f"o{number}")
            await outbox.add(tx, channel="telegram", chat_id=CHAT, priority=0, body={"text": words}, now=NOW)
        if number % 3 == 0:
            async with database.transaction() as tx:
                new = f"{MARK} исправлено {number} " + "ы" * (number * 5 % 900)
                await conversations.edit_message(tx, talk.id, f"p{number}", text=new, now=NOW)
        if number % 50 == 0:
            await database.scrub()
    assert found_in(path) == {"helpdesk.db", "helpdesk.db-wal"}
    async with database.transaction() as tx:
        await forgetting.forget(tx, story.person, now=NOW)
    await finish(database)
    assert found_in(path) == set()
    async with database.reading() as tx:
        assert len(await conversations.history(tx, theirs.id, limit=1000)) == 300
    await database.close()


async def test_on_sqlite_a_log_that_is_being_read_is_emptied_later(tmp_path: Path) -> None:
    path = tmp_path / "helpdesk.db"
    database = Database(f"sqlite:///{path}")
    await database.migrate()
    story = await tell(database)
    async with database.reading() as reader:
        await people.find(reader, story.person.id)
        async with database.transaction() as tx:
            await forgetting.forget(tx, story.person, now=NOW)
        assert not await database.scrub()
    assert found_in(path) != set()
    await finish(database)
    assert found_in(path) == set()
    await database.close()


def found_in(path: Path) -> set[str]:
    """The files of the database in which the mark's bytes are, plain or as JSON writes them."""
    marks = [MARK.encode(), json.dumps(MARK)[1:-1].encode(), CHAT.encode()]
    files = [each for each in path.parent.iterdir() if each.name.startswith(path.name)]
    return {each.name for each in files if any(mark in each.read_bytes() for mark in marks)}


async def finish(database: Database, *, now: datetime = NOW + timedelta(days=2)) -> None:
    """What happens after the commit, but for the files."""
    while True:
        async with database.transaction() as tx:
            waiting = await forgetting.leftovers_waiting(tx, now=now)
            if not waiting:
                break
            for each in waiting:
                if each.kind == "place":
                    await forgetting.forget_farewell(tx, each, now=now)
            await forgetting.note_gone(tx, waiting)
    assert await database.scrub()


async def everything(database: Database) -> dict[str, list[Any]]:
    """All rows of all tables."""
    async with database.reading() as tx:
        return {table.name: await rows_of(tx, table) for table in private_tables.metadata.sorted_tables}


async def rows_of(tx: Transaction, table: FromClause) -> list[Any]:
    return sorted(map(tuple, (await tx.execute(table.select())).all()), key=repr)


async def say(tx: Transaction, talk: int, words: str, **more: Any) -> int:
    return await conversations.add_message(tx, talk, author="person", text=words, now=NOW, **more)


async def tell(
    database: Database, *, chat_id: str = CHAT, mark: str = MARK, colleague: staff.Member | None = None
) -> Story:
    """A parent asks, corrects, sends a photo, has a child, is answered by a colleague who typed it twice."""
    async with database.transaction() as tx:
        colleague = colleague or await hire(tx)
        person = await people.meet(tx, "telegram", chat_id, name=f"Анна {mark}", now=NOW)
        await people.note_greeted(tx, person.id, notice_version="1", now=NOW)
        talk = await conversations.of_person(tx, person.id, now=NOW)
        await say(tx, talk.id, f"это {mark}, здравствуйте")
        photo = StoredAttachment(0, "photo", f"{mark}.jpg", "image/jpeg", 1, "telegram", "file-of-parent")
        ticket = await tickets.open_ticket(
            tx,
            person_id=person.id,
            conversation_id=talk.id,
            matter=Matter(
                reason="diagnosis",
                topic="snils-mismatch",
                tried=("snils-mismatch",),
                school=f"школа {mark}",
                card=(("Класс", f"5Б {mark}"),),
            ),
            now=NOW,
        )
        await journal.note(tx, "ticket_opened", actor="person", now=NOW, ticket_id=ticket.id)
        await say(tx, talk.id, f"не пускает {mark}", external_id="m1", ticket_id=ticket.id, files=[photo])
        await conversations.edit_message(tx, talk.id, "m1", text=f"совсем не пускает {mark}", now=NOW)
        await conversations.switch(tx, talk.id, "waiting_human", ticket_id=ticket.id, now=NOW)
        await tell_staff(tx, colleague, ticket.id, mark)
        await answer(tx, colleague, talk.id, ticket.id, mark, chat_id)
        child = await family.add_child(tx, person.id, label="старшая", now=NOW)
        await family.set_school(tx, person.id, child.id, f"школа {mark}")
        later = NOW + timedelta(minutes=15)
        await family.put_code(tx, person.id, code_hash=chat_id.rjust(64, "0"), now=NOW, expires_at=later)
        await family.may_try(tx, person.id, now=NOW, most=5, within=timedelta(hours=1))
        await family.await_answer(tx, person.id, "label:0", until=later)
        await inbox.accept(tx, "telegram", f"message:{chat_id}:17", now=NOW - timedelta(seconds=1))
    return Story(person, colleague, ticket.id)


async def hire(tx: Transaction) -> staff.Member:
    """A colleague who works in the web chat, where what is shown lies with us."""
    someone = await people.meet(tx, "web", "colleague", name="Мария", now=NOW)
    await staff.invite(
        tx, token_hash="t", role="owner", school_id=None, municipality=None, now=NOW, expires_at=NOW
    )
    invitation = (await staff.open_invitations(tx, now=NOW - timedelta(days=1)))[0]
    return await staff.join(tx, someone.id, invitation=invitation, name="Мария", now=NOW)


async def tell_staff(tx: Transaction, colleague: staff.Member, ticket: int, mark: str) -> None:
    """The card, sent and shown to the colleague."""
    body = {"text": f"карточка {mark}"}
    await outbox.add(
        tx, channel="web", chat_id=colleague.chat_id, priority=1, body=body, ticket_id=ticket, now=NOW
    )
    (letter,) = await outbox.claim(tx, "web", now=NOW, limit=1)
    shown = await feed.show(tx, "web", colleague.chat_id, key=f"{letter.key}:0", body=body, now=NOW)
    await outbox.note_piece(tx, letter, pieces_sent=1, external_id=str(shown))
    await outbox.mark_sent(tx, letter.id, now=NOW)


async def answer(
    tx: Transaction, colleague: staff.Member, talk: int, ticket: int, mark: str, chat_id: str
) -> None:
    """The colleague's words: first kept until it was clear whose answer they are, then sent."""
    own = await conversations.of_person(tx, colleague.person_id, now=NOW)
    photo = StoredAttachment(0, "photo", "как.jpg", "image/jpeg", 1, "web", "f" * 32)
    words: dict[str, Any] = {
        "author": "staff",
        "text": f"Уважаемая {mark}!",
        "staff_id": colleague.id,
        "external_id": f"s{ticket}",
        "now": NOW,
    }
    draft = await conversations.add_message(tx, own.id, **words)
    await conversations.note_delivery(tx, draft, "moved")
    sent = await conversations.add_message(tx, talk, ticket_id=ticket, files=[photo], **words)
    await conversations.add_message(tx, talk, author="bot", text="", now=NOW, ticket_id=ticket)
    await casework.claim(tx, Scope(colleague.id), ticket, now=NOW)
    await staff.set_replying(tx, colleague.id, ticket)
    body = {"text": words["text"]}
    await outbox.add(tx, channel="telegram", chat_id=chat_id, priority=0, body=body, message_id=sent, now=NOW)
