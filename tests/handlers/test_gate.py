"""What should not have been sent is neither kept, answered from, nor shown to anybody."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from faq.markup import plain
from handlers import texts
from tests.handlers.desk import Desk

SNILS = "112-233-445 95"


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
