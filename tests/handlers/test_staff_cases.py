"""Working a case from the messenger: taken, answered, noted, passed on, marked, closed."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from faq.markup import plain
from handlers.cases.weight import LARGEST_FILE
from handlers.knowledge import Knowledge
from handlers.messages import Attachment
from handlers.texts import basics as texts
from handlers.texts import staff as said
from handlers.texts.rudeness import MARK
from storage import tickets
from storage.database import Database
from tests.handlers.desk import PHOTO
from tests.handlers.staffroom import (
    labels,
    last,
    member_of,
    payload,
    presses,
    replies,
    sees,
    thread_of,
    ticket_of,
)
from tests.handlers.timekeeping import Office


@pytest.fixture
async def office(knowledge: Knowledge, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Office]:
    """Schools on SQLite, with a knowledge of their own."""
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    own = Knowledge(knowledge.base, knowledge.region, build=lambda _: knowledge.build_index())
    yield Office(database, own)
    await database.close()


async def test_the_card_shows_the_case_without_burying_the_parents_words(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    number = await office.asks(parent, school, "пишет, что СНИЛС не совпадает")
    card = plain(maria.heard[-1].text).splitlines()
    assert card[0] == f"Вопрос № {number}"
    assert card[1] == "Школа: Лицей № 35, Майкоп"
    words = next(place for place, line in enumerate(card) if "СНИЛС не совпадает" in line)
    assert words < 8
    assert any(line.startswith("Ответить до:") for line in card[:words])
    assert "Ведёт: пока никто" in card[:words]
    assert labels(maria.heard[-1]) == [
        "Взять", "Ответить", "Шаблон", "Спросить родителя", "Заметка", "Передать", "Срочно", "Закрыть",
    ]  # fmt: skip


async def test_rude_words_stand_behind_a_mark(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    await office.asks(parent, school)
    await parent.says("идиоты")
    await maria.waits()
    first, *rest = last(maria).splitlines()
    assert MARK in first
    assert "идиоты" not in first
    assert "идиоты" in "\n".join(rest)


async def test_whoever_takes_a_case_has_it_and_the_others_know(office: Office) -> None:
    school = await office.school()
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    assert await presses(maria, "Взять") == [said.taken(number)]
    assert last(petr) == said.taken_by(number, "Мария")
    assert await presses(petr, "Взять") == [said.is_taken(number, "Мария")]
    assert await presses(maria, "Взять") == [said.is_yours(number)]
    await parent.says("есть новости?")
    assert await petr.waits() == []
    assert "есть новости?" in last(maria)


async def test_a_colleagues_case_is_answered_only_after_a_second_thought(office: Office) -> None:
    school = await office.school()
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Взять")
    assert await presses(petr, "Ответить") == [said.is_taken(number, "Мария")]
    await presses(petr, said.BUTTON_ANSWER_ALL_THE_SAME)
    await petr.says("Мария в отпуске, отвечаю я")
    assert "уже отвечает Мария" in (await petr.waits())[0]
    await presses(petr, texts.BUTTON_SEND_ANYWAY)
    assert "Мария в отпуске" in last(parent)
    assert (await ticket_of(office, number)).owner_id == (await member_of(office, petr)).id


async def test_the_parent_reads_the_schools_name_and_colleagues_each_others(office: Office) -> None:
    school = await office.school()
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await replies(maria, maria.heard[-1], "Исправили, войдите заново")
    (answer,) = await parent.waits()
    assert answer.startswith(f"Ответ школы «Лицей № 35» на вопрос № {number}")
    assert "Мария" not in answer
    assert "Мария" in last(petr)


@pytest.mark.parametrize(
    ("role", "whose"), [("municipal", "координатора (Майкоп)"), ("ministry", "министерства")]
)
async def test_those_above_answer_in_their_own_name(office: Office, role: str, whose: str) -> None:
    school = await office.school()
    await office.admin(school)
    above = await office.desk.colleague("Ольга", role=role, municipality="Майкоп")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await above.presses(f"answer:{number}")
    await above.says("Отвечаем за школу")
    (answer,) = await parent.waits()
    assert answer.startswith(f"Ответ {whose} на вопрос № {number}")


async def test_a_question_stops_the_clock_until_the_parent_writes(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Спросить родителя")
    await maria.says("В каком классе ребёнок?")
    assert (await maria.waits())[0] == said.question_sent(number)
    assert last(parent).startswith(f"Уточнение школы «Лицей № 35» по вопросу № {number}")
    assert (await ticket_of(office, number)).clock_stopped_for == "asked"
    await maria.presses(f"card:{number}")
    assert "Часы стоят" in (await maria.waits())[0]
    await parent.says("В пятом")
    await parent.waits()
    assert (await ticket_of(office, number)).clock_stopped_for is None


async def test_a_note_is_for_colleagues_alone(office: Office) -> None:
    school = await office.school()
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    card = maria.heard[-1]
    await presses(maria, "Заметка")
    # Even as a reply to the parent's own words it stays a note.
    await replies(maria, card, "мама путает фамилии, зверюга")
    assert await maria.waits() == [said.note_kept(number)]
    assert last(petr) == plain(said.note_shown(number, "Мария", "мама путает фамилии, зверюга"))
    await maria.says("и ещё: звонить после шести")
    assert await maria.waits() == [said.note_kept(number)]
    assert await parent.waits() == []
    assert all("зверюга" not in each.text and "шести" not in each.text for each in parent.heard)
    await petr.presses(f"card:{number}")
    assert "Заметка (Мария): мама путает фамилии" in (await petr.waits())[0]
    # When it is done, a reply is an answer again.
    await maria.waits(minutes=2)
    await replies(maria, card, "Проверили, всё готово")
    assert "всё готово" in (await parent.waits())[0]


async def test_a_reply_to_what_was_asked_is_that_even_after_other_deeds(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent, other = await office.desk.parent(), await office.desk.parent("Ольга")
    number = await office.asks(parent, school)
    another = await office.asks(other, school)
    await maria.presses(f"note:{number}")
    (asked,) = await maria.waits_for_messages()
    await maria.presses(f"answer:{another}")
    await maria.waits()
    await replies(maria, asked, "только между нами")
    assert await maria.waits() == [said.note_kept(number)]
    assert await parent.waits() == []
    assert await other.waits() == []


@pytest.mark.parametrize("before", ["answered", "asked for an answer"])
async def test_a_reply_to_the_card_of_a_forgotten_family_is_read_by_no_other_family(
    office: Office, before: str
) -> None:
    """It went on with the answer of a moment ago: another parent read it."""
    school = await office.school()
    maria = await office.admin(school)
    gone, other = await office.desk.parent(), await office.desk.parent("Ольга")
    await office.asks(gone, school)
    card = maria.heard[-1]
    number = await office.asks(other, school)
    await gone.presses("forget:yes")
    await gone.waits()
    await maria.presses(f"answer:{number}")
    await maria.waits()
    if before == "answered":
        await maria.says("Подойдите с документами")
        assert "Подойдите с документами" in (await other.waits())[0]
        await maria.waits()
    await replies(maria, card, "Исправили, войдите заново")
    assert await maria.waits() == [texts.WHOSE_ANSWER]
    assert await other.waits() == []
    assert await gone.waits() == []


async def test_a_note_is_edited_as_a_note(office: Office) -> None:
    school = await office.school()
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Заметка")
    written = await maria.says("спросить про сестру")
    await maria.waits()
    await maria.edits(written, "спросить про брата")
    assert await maria.waits() == [said.note_changed(number)]
    assert "исправленная заметка (Мария):\nспросить про брата" in last(petr)
    assert await parent.waits() == []


async def test_what_was_asked_for_can_be_called_off(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    await office.asks(parent, school)
    for label in ("Ответить", "Спросить родителя", "Заметка"):
        await presses(maria, label)
        assert await presses(maria, said.BUTTON_CALL_OFF) == [said.CALLED_OFF]
        await presses(maria, label)
        await maria.says("отмена")
        assert await maria.waits() == [said.CALLED_OFF]
        assert (await member_of(office, maria)).replying_to is None
    assert await parent.waits() == []


async def test_a_mistyped_command_never_reaches_a_parent(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    await office.asks(parent, school)
    await presses(maria, "Ответить")
    await maria.says("/opne")
    assert await maria.waits() == [said.NO_SUCH_COMMAND]
    assert await parent.waits() == []


async def test_urgent_and_not_urgent(office: Office) -> None:
    school = await office.school()
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    before = (await ticket_of(office, number)).answer_due_at
    assert await presses(maria, "Срочно") == [plain(said.urgent(number, "Мария"))]
    assert last(petr) == said.urgent(number, "Мария")
    now = await ticket_of(office, number)
    assert now.urgent
    assert before is not None
    assert now.answer_due_at is not None
    assert now.answer_due_at < before
    await petr.presses(f"urgent:{number}")
    assert await petr.waits() == [said.is_urgent(number)]
    await petr.presses(f"urgent:{number}:no")
    assert await petr.waits() == [said.not_urgent(number, "Пётр")]
    assert await parent.waits() == []


async def test_a_case_goes_up_with_a_reason(office: Office) -> None:
    school = await office.school()
    maria, petr = await office.admin(school), await office.admin(school, "Пётр")
    above = await office.coordinator("Ольга")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Взять")
    where = await presses(maria, "Передать")
    assert where == [said.pass_where(number)]
    (why,) = await presses(maria, "Координатору (Майкоп)")
    assert why == said.pass_why(number, "координатору (Майкоп)")
    await maria.says("нужны права ведомства")
    assert await maria.waits() == [said.passed(number, "координатору (Майкоп)")]
    card = last(above)
    assert "Почему: нужны права ведомства" in card
    assert "передано выше: координатору (Майкоп)" in card
    assert last(petr) == said.passed(number, "координатору (Майкоп)")
    assert last(parent) == said.parent_passed(number, "координатору (Майкоп)")
    now = await ticket_of(office, number)
    assert (now.level, now.owner_id, now.state) == ("municipal", None, "waiting")
    notes = [each.text for each in await thread_of(office, number) if each.author == "note"]
    assert notes == ["Передано: координатору (Майкоп). Почему: нужны права ведомства"]
    # The school still sees it; what the parent writes goes to those who have it.
    assert await sees(office, maria, number)
    await parent.says("спасибо")
    await parent.waits()
    assert "спасибо" in last(above)
    assert "спасибо" not in last(maria)


async def test_levels_without_anybody_are_skipped(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    ministry = await office.desk.colleague("Ольга", role="ministry")
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Передать")
    await presses(maria, "Министерству")
    await maria.says("не наше")
    assert await maria.waits() == [said.passed(number, "министерству")]
    assert f"Вопрос № {number}" in last(ministry)
    await presses(ministry, "Передать")
    assert "Министерству" not in labels(ministry.heard[-1])
    assert "Школе «Лицей № 35»" in labels(ministry.heard[-1])


async def test_a_case_goes_to_another_school_by_its_name(office: Office) -> None:
    school = await office.school()
    other = await office.school("Гимназия № 22", municipality="Майкоп")
    maria, olga = await office.admin(school), await office.admin(other, "Ольга")
    await office.knowledge.refresh(office.database)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    card = maria.heard[-1]
    await presses(maria, "Передать")
    await presses(maria, said.BUTTON_OTHER_SCHOOL)
    await maria.says("22 гимназия майкоп")
    assert await maria.waits() == [said.WHICH_SCHOOL]
    assert await presses(maria, "Гимназия № 22, Майкоп") == [said.pass_why(number, "школе «Гимназия № 22»")]
    await maria.says("ребёнок учится там")
    assert await maria.waits() == [said.passed(number, "школе «Гимназия № 22»")]
    assert "Почему: ребёнок учится там" in last(olga)
    assert last(parent) == said.parent_passed(number, "школе «Гимназия № 22»")
    assert (await ticket_of(office, number)).school_id == other.id
    # Old cards of those who had it are cards of a stranger now.
    assert not await sees(office, maria, number)
    for label in ("Взять", "Ответить", "Шаблон", "Заметка", "Передать", "Срочно", "Закрыть"):
        await maria.presses(payload(card, label))
        assert await maria.waits() == [texts.TICKET_UNKNOWN]
    await replies(maria, card, "всё исправили")
    assert await maria.waits() == [texts.TICKET_UNKNOWN]
    assert await parent.waits() == []


async def test_a_school_that_is_not_in_the_directory_moves_nothing(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    await office.knowledge.refresh(office.database)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Передать")
    await presses(maria, said.BUTTON_OTHER_SCHOOL)
    await maria.says("хогвартс")
    assert await maria.waits() == [said.NO_SCHOOL_FOUND]
    await maria.presses(f"pass:{number}:s999")
    assert await maria.waits() == [said.SCHOOL_GONE]
    await maria.presses(f"pass:{number}:s{school.id}")
    assert await maria.waits() == [plain(said.is_there(number, "школа «Лицей № 35»"))]


async def test_a_case_is_not_passed_on_without_a_reason(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    await office.coordinator()
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Передать")
    await presses(maria, "Координатору")
    await maria.says("", attachments=(PHOTO,))
    assert await maria.waits() == [said.NOTE_IS_EMPTY]
    assert (await ticket_of(office, number)).level == "school"


async def test_an_edited_answer_comes_as_a_reply_to_the_first(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Ответить")
    written = await maria.says("Войдите завтра")
    await parent.waits()
    place = parent.numbers[-1]
    await maria.edits(written, "Войдите сегодня")
    (corrected,) = await parent.waits_for_messages()
    assert plain(corrected.text).startswith("Исправленный ответ школы «Лицей № 35»")
    assert corrected.reply_to == place
    assert (await thread_of(office, number))[-1].text == "Войдите сегодня"


async def test_an_answer_whose_case_was_asked_for_may_still_be_edited(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    written = await maria.says("Войдите завтра")
    assert await maria.waits() == [texts.WHOSE_ANSWER]
    await maria.presses(payload(maria.heard[-1], f"Вопрос № {number}"))
    await parent.waits()
    place = parent.numbers[-1]
    await maria.edits(written, "Войдите сегодня")
    (corrected,) = await parent.waits_for_messages()
    assert plain(corrected.text).startswith("Исправленный ответ школы «Лицей № 35»")
    assert "Войдите сегодня" in corrected.text
    assert corrected.reply_to == place
    await maria.edits(written, "Войдите через час")
    assert "Войдите через час" in (await parent.waits())[0]
    assert (await thread_of(office, number))[-1].text == "Войдите через час"


async def test_replies_reach_the_other_side_as_replies(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    await office.asks(parent, school)
    first = await parent.says("первый вопрос")
    await parent.waits()
    shown = maria.heard[-1]
    await parent.says("второй вопрос")
    await parent.waits()
    place = max(number for number, each in enumerate(maria.heard) if each is shown)
    answered = await maria.says("ответ на первый", reply_to=maria.numbers[place])
    (answer,) = await parent.waits_for_messages()
    assert answer.reply_to == first
    await parent.says("а можно подробнее?", reply_to=parent.numbers[-1])
    (told,) = await maria.waits_for_messages()
    assert told.reply_to == answered


async def test_files_that_are_too_large_are_explained_to_both(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    heavy = replace(PHOTO, kind="video", name="экран.mp4", size=LARGEST_FILE + 1)
    await parent.says("вот запись", attachments=(heavy,))
    assert "«экран.mp4» больше 20 МБ" in (await parent.waits())[0]
    told = [plain(each.text) for each in maria.heard[-2:]]
    assert any("больше 20 МБ (1)" in each for each in told)
    assert any("вот запись" in each for each in told)
    await maria.presses(f"answer:{number}")
    await maria.waits()
    await maria.says("", attachments=(Attachment("file", "инструкция.pdf", "", "vk", "x", 10**9),))
    assert "«инструкция.pdf» больше 20 МБ" in (await maria.waits())[0]
    assert await parent.waits() == []


async def test_an_album_of_the_staff_has_one_heading(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    await office.asks(parent, school)
    await presses(maria, "Ответить")
    await maria.says("Нажмите сюда", attachments=(PHOTO,), album="a1")
    await maria.says("", attachments=(replace(PHOTO, ref="2"),), album="a1")
    await maria.says("", attachments=(replace(PHOTO, ref="3"),), album="a1")
    heard = await parent.waits_for_messages()
    assert sum("Ответ школы" in each.text for each in heard) == 1
    assert sum(len(each.attachments) for each in heard) == 3


async def test_an_album_to_nobody_is_asked_about_once_and_goes_as_a_whole(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await maria.waits(minutes=5)
    await maria.says("Вот снимки", attachments=(PHOTO,), album="a1")
    await maria.says("", attachments=(replace(PHOTO, ref="2"),), album="a1")
    (asked,) = await maria.waits_for_messages()
    assert asked.text == texts.WHOSE_ANSWER
    await maria.presses(payload(asked, f"Вопрос № {number}"))
    heard = await parent.waits_for_messages()
    assert sum(len(each.attachments) for each in heard) == 2
    assert sum("Вот снимки" in each.text for each in heard) == 1


async def test_lists_show_a_page_at_a_time(office: Office) -> None:
    school, other = await office.school(), await office.school("Гимназия № 22")
    maria = await office.admin(school)
    async with office.database.transaction() as tx:
        from handlers.staff import membership  # noqa: PLC0415 - only here a second invitation is needed

        again = await membership.invite(
            tx, role="school", school_id=other.id, municipality=None, now=office.clock.now()
        )
    await maria.starts(f"join-{again.token}")
    joined, _ = await maria.waits()
    assert "школа «Лицей № 35», школа «Гимназия № 22»" in joined or "Гимназия" in joined
    numbers = []
    for place in range(8):
        parent = await office.desk.parent(f"Мама {place}")
        numbers.append(await office.asks(parent, school if place % 2 else other, f"беда номер {place}"))
    await maria.presses(f"take:{numbers[0]}")
    await maria.waits()
    await maria.says("/new")
    (page,) = await maria.waits_for_messages()
    text = plain(page.text)
    assert text.startswith("Новые вопросы: 7 (страница 1 из 2)")
    assert "Лицей № 35" in text
    assert "Гимназия № 22" in text
    assert {"›", "Мои: 1", "Все: 8"} <= set(labels(page))
    (second,) = await presses(maria, "›")
    assert second.startswith("Новые вопросы: 7 (страница 2 из 2)")
    (first,) = await presses(maria, "‹")
    assert first.startswith("Новые вопросы: 7 (страница 1 из 2)")
    assert "беда номер 0" in (await presses(maria, "Мои"))[0]
    await maria.says("/overdue")
    assert await maria.waits() == ["Просроченных вопросов нет."]
    await office.desk.passes(timedelta(days=3))
    await maria.says("/overdue")
    assert "Просрочен" in (await maria.waits())[-1]


async def test_who_joins_hears_which_desk_and_what_waits(office: Office) -> None:
    school = await office.school()
    await office.admin(school)
    parent = await office.desk.parent()
    await office.asks(parent, school)
    petr = await office.admin(school, "Пётр")
    joined, waiting = (plain(each.text) for each in petr.heard[:2])
    assert "администратор школы (школа «Лицей № 35»)" in joined
    assert "Ждут ответа: 1, просрочено: 0" in joined
    assert waiting.startswith("Открытые вопросы: 1")


async def test_who_works_in_several_schools_leaves_one_of_them(office: Office) -> None:
    school, other = await office.school(), await office.school("Гимназия № 22")
    maria = await office.admin(school)
    async with office.database.transaction() as tx:
        from handlers.staff import membership  # noqa: PLC0415 - only here a second invitation is needed

        again = await membership.invite(
            tx, role="school", school_id=other.id, municipality=None, now=office.clock.now()
        )
    await maria.starts(f"join-{again.token}")
    await maria.waits()
    parent = await office.desk.parent()
    number = await office.asks(parent, other)
    await maria.presses(f"take:{number}")
    await maria.says("/leave")
    assert last(maria) != said.LEAVE_WHICH
    assert (await maria.waits())[-1] == said.LEAVE_WHICH
    assert await presses(maria, "Гимназия № 22") == [said.left_school("Гимназия № 22")]
    assert not await sees(office, maria, number)
    # What the parent writes to the school that was left does not reach her any more.
    heard = len(maria.heard)
    await parent.says("есть новости?")
    await parent.waits()
    assert len(maria.heard) == heard
    await maria.says("/leave")
    assert await maria.waits() == [texts.STAFF_LEFT]


async def test_an_answer_that_did_not_arrive_is_reported_with_what_to_do(office: Office) -> None:
    from handlers import deliveries  # noqa: PLC0415 - only here the messenger refuses
    from storage import outbox  # noqa: PLC0415

    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    await presses(maria, "Ответить")
    await maria.says("Готово")
    async with office.database.transaction() as tx:
        (letter,) = [
            each
            for each in await outbox.claim(tx, "telegram", now=office.clock.now(), limit=20)
            if each.message_id
        ]
        await deliveries.report_failure(tx, letter, reason="blocked", detail="", now=office.clock.now())
    told = (await maria.waits())[-1]
    assert told.startswith(f"Ответ на вопрос № {number} не доставлен: родитель заблокировал бота")
    assert "Свяжитесь с семьёй" in told


async def test_a_reopened_and_continued_case_says_so_on_its_card(office: Office) -> None:
    school = await office.school()
    maria = await office.admin(school)
    parent = await office.desk.parent()
    number = await office.asks(parent, school)
    async with office.database.transaction() as tx:
        await tickets.change(tx, number, {"previous_id": 77, "reopened": 2})
    await maria.presses(f"card:{number}")
    (card,) = await maria.waits()
    assert "Продолжение вопроса № 77" in card
    assert "Открывали заново: 2" in card
