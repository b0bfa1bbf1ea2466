"""What should not have been sent is neither kept, answered from, nor shown to anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from faq.markup import plain
from handlers import deliveries
from handlers.desk import Helpdesk
from handlers.knowledge import Knowledge
from handlers.messages import Address, Outgoing
from handlers.texts import basics as texts
from handlers.turn import from_plain, to_plain
from storage import forgetting, outbox
from storage.outbox import Letter
from tests.handlers.desk import PHOTO, Desk
from tests.stumbling import StumblingKnowledge

SNILS = "112-233-445 95"


async def waiting(desk: Desk) -> list[Letter]:
    """The deletions that are still to be carried out."""
    async with desk.database.transaction() as tx:
        letters: list[Letter] = []
        while claimed := await outbox.claim(tx, "telegram", now=desk.clock.now(), limit=20):
            letters += claimed
            for letter in claimed:
                await outbox.mark_sent(tx, letter.id, now=desk.clock.now())
    return [letter for letter in letters if letter.body["delete"] is not None]


async def test_a_number_in_a_question_is_hidden_told_and_the_question_answered(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says(f"не совпадает снилс, вот верный {SNILS}, что делать?")
    told, answer = await parent.waits()
    assert told.startswith("В вашем сообщении скрыто: номер СНИЛС")
    assert "СНИЛС" in answer
    assert SNILS not in told + answer


async def test_the_staff_see_only_that_something_was_hidden(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says(f"мой номер 8 918 123-45-67, снилс {SNILS}")
    await desk.opens_question(parent)
    await colleague.waits()
    await parent.says("паспорт 45 10 123456")
    await colleague.waits()
    shown = "\n".join(plain(message.text) for message in colleague.heard)
    assert "[телефон скрыт]" in shown
    assert "[СНИЛС скрыт]" in shown
    assert "[паспорт скрыт]" in shown
    for value in (SNILS, "123-45-67", "123456"):
        assert value not in shown


async def test_an_edited_message_is_hidden_too(desk: Desk) -> None:
    parent = await desk.parent()
    number = await parent.says("не совпадает снилс")
    await parent.edits(number, f"не совпадает снилс {SNILS}")
    heard = await parent.waits()
    assert any("скрыто" in said for said in heard)
    assert all(SNILS not in said for said in heard)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (f"снилс {SNILS}.pdf", "снилс [СНИЛС скрыт].pdf"),
        ("паспорт_4510_123456.jpg", "паспорт [паспорт скрыт].jpg"),
        ("Screenshot_2026-11-22-13-30-44.jpg", "Screenshot_2026-11-22-13-30-44.jpg"),
    ],
)
async def test_a_number_in_the_name_of_a_file_is_hidden_too(desk: Desk, name: str, shown: str) -> None:
    parent = await desk.parent()
    await parent.says("что это на экране?", attachments=(replace(PHOTO, name=name),))
    async with desk.database.reading() as tx:
        assert (await tx.scalars(text("select name from attachments"))).all() == [shown]


async def test_the_support_line_is_no_secret(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("по телефону 8 800 100-70-10 не отвечают, не приходит код из смс")
    assert all("скрыто" not in said for said in await parent.waits())


async def test_what_the_staff_answer_stays_as_they_wrote_it(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.waits()
    await colleague.presses(f"answer:{number}")
    await colleague.says("Позвоните в приёмную: 8 (8772) 52-12-34")
    assert any("52-12-34" in said for said in await parent.waits())


async def test_the_message_itself_goes_after_the_parent_was_told(desk: Desk) -> None:
    parent = await desk.parent()
    before = len(parent.heard)
    number = await parent.says(f"не совпадает снилс {SNILS}")
    told, _ = await parent.waits()
    assert "Убираем это и из чата" in told
    assert number in parent.deleted
    assert parent.deleted[number] > before


async def test_of_an_edited_message_the_message_goes(desk: Desk) -> None:
    parent = await desk.parent()
    number = await parent.says("не совпадает снилс")
    await parent.waits()
    assert parent.deleted == {}
    await parent.edits(number, f"не совпадает снилс {SNILS}")
    await parent.waits()
    assert list(parent.deleted) == [number]


async def test_a_channel_that_cannot_delete_asks_the_parent_to(desk: Desk) -> None:
    parent = desk.person(channel="vk")
    await parent.starts()
    await parent.waits()
    await parent.says(f"снилс {SNILS}")
    told = (await parent.waits())[0]
    assert "можете удалить только вы" in told
    assert "убираем" not in told


async def test_an_event_taken_twice_deletes_once(desk: Desk) -> None:
    parent = await desk.parent()
    for _ in range(2):
        await desk.takes(parent, event_id="again", text=f"снилс {SNILS}", message_id="77")
    assert [letter.body["delete"] for letter in await waiting(desk)] == ["77"]


async def test_a_bug_of_ours_does_not_leave_the_message_in_the_chat(desk: Desk, knowledge: Knowledge) -> None:
    faulty = StumblingKnowledge(knowledge)
    faulty.broken = {"снилс [СНИЛС скрыт]"}
    desk.helpdesk = Helpdesk(desk.database, faulty, now=desk.clock.now)
    parent = await desk.parent()
    number = await parent.says(f"/start снилс {SNILS}")
    told, mishap = await parent.waits()
    assert "скрыто" in told
    assert mishap == texts.MISHAP
    assert list(parent.deleted) == [number]


async def test_a_pressed_button_is_a_message_of_ours_and_stays(desk: Desk) -> None:
    parent = await desk.parent()
    # The web chat sends the label along; a page that was tampered with may send anything.
    await desk.takes(parent, button="menu", text=f"снилс {SNILS}", message_id="5")
    heard = await parent.waits()
    assert any("скрыто" in said for said in heard)
    assert parent.deleted == {}


async def test_what_the_staff_write_is_not_deleted(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.waits()
    await colleague.presses(f"answer:{number}")
    await colleague.says("Позвоните в приёмную: 8 (8772) 52-12-34")
    await colleague.waits()
    assert colleague.deleted == {}


async def test_a_message_that_stays_troubles_nobody(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says(f"снилс {SNILS}")
    (letter,) = await waiting(desk)
    async with desk.database.transaction() as tx:
        await deliveries.report_failure(tx, letter, reason="blocked", detail="", now=desk.clock.now())
    assert (await desk.known(parent)).unreachable is None
    async with desk.database.reading() as tx:
        assert await tx.scalar(text("select count(*) from journal where deed = 'not_delivered'")) == 0
        assert await tx.scalar(text("select state from outbox where id = :id"), {"id": letter.id}) == "failed"


def test_a_letter_from_before_the_update_is_read() -> None:
    plain = to_plain(Outgoing(Address("telegram", "1"), "Здравствуйте"))
    del plain["delete"]
    assert from_plain(plain) == Outgoing(Address("telegram", "1"), "Здравствуйте")


async def test_who_is_forgotten_before_the_message_went_is_forgotten(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says(f"снилс {SNILS}")
    person = await desk.known(parent)
    async with desk.database.transaction() as tx:
        await forgetting.forget(tx, person, now=desk.clock.now())
    assert await waiting(desk) == []


async def test_what_is_too_old_goes_with_the_deletions(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says(f"снилс {SNILS}")
    await parent.waits()
    tomorrow = desk.clock.now() + timedelta(days=1)
    async with desk.database.transaction() as tx:
        await forgetting.sweep(tx, before=tomorrow, now=tomorrow)
        assert await tx.scalar(text("select count(*) from outbox")) == 0


async def test_no_byte_of_it_is_in_the_database(desk: Desk, tmp_path: Path) -> None:
    parent = await desk.parent()
    await parent.says(f"снилс {SNILS}, почта anna.petrova@example.org, пароль Zima2020x")
    await parent.waits()
    async with desk.database.reading() as tx:
        assert await tx.scalar(text("select count(*) from messages")) > 0
    await desk.database.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("helpdesk.db*"))  # noqa: ASYNC240 - all is closed
    for value in (SNILS, "anna.petrova", "Zima2020x"):
        assert value.encode() not in kept
    assert texts.NOTICE_VERSION.encode() in kept
