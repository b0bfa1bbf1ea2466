"""A human takes over: from the wish for one until the question is closed."""

from __future__ import annotations

import re

import pytest

from faq.markup import plain
from handlers.texts import basics as texts
from handlers.texts import own_question as texts_own
from handlers.texts import photos as texts_photos
from handlers.texts import staff as texts_staff
from storage import people, tickets
from tests.conversations.test_questions import send_poll
from tests.house import House, checks_photos, contents, said_by_bot
from tests.ways import other_two_ways, two_ways

pytestmark = pytest.mark.slow

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
CODE = "8 800 100-70-10"
QUESTION = "забыл пароль от госуслуг"
MARKUP = "**жирно** _курсив_ `код` [ссылка](https://example.org) <b>тег</b> & \\ \\* *[]()<>"
ANYTHING = re.compile("")


async def test_a_human_takes_over(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent, "ничего не понимаю, всё сломано")
    card = await colleague.hears(f"Вопрос № {number}")
    assert "школа 5, Майкоп" in card.words
    assert "ничего не понимаю, всё сломано" in card.words
    assert card.buttons == [
        ["Взять", "Ответить"],
        ["Шаблон", "Спросить родителя"],
        ["Заметка", "Передать"],
        ["Срочно", "Закрыть"],
    ]
    await colleague.says("Исправили, войдите заново", reply_to=card)
    answer = await parent.hears("Исправили, войдите заново")
    assert f"Ответ министерства на вопрос № {number}" in answer.words
    await parent.says("спасибо, проверю")
    await colleague.hears("спасибо, проверю")
    await parent.hears_nothing()


async def test_the_card_tells_what_was_tried_and_said(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent("Ольга")
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await parent.presses("Не помогло")
    await parent.hears(texts.NOT_HELPED)
    await parent.presses("Позвать человека")
    await parent.hears(texts.ASK_SCHOOL)
    await parent.says("гимназия 22")
    await parent.hears("Передал вопрос")
    card = await colleague.hears("Вопрос №")
    topic = house.app.knowledge.topic("password-recovery")
    assert topic is not None
    for words in ("Ольга", "Школа: гимназия 22", "не помог", f"«{topic.title}»", f"— Родитель: {QUESTION}"):
        assert words in card.words
    assert card.words.count("гимназия 22") == 1


@two_ways
async def test_the_bot_hands_over_what_it_does_not_understand_twice(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.says("фываолдж")
    await parent.hears(texts.REPHRASE)
    await parent.says("йцукенгш")
    await parent.hears(texts.ASK_SCHOOL)
    await parent.says("школа 1, Адыгейск")
    await parent.hears("Передал вопрос")
    card = await colleague.hears("Вопрос №")
    assert texts.REASONS["unknown"] in card.words
    assert "фываолдж" in card.words
    assert "йцукенгш" in card.words


@other_two_ways
async def test_a_human_is_called_in_words(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.says("позовите живого человека!")
    await parent.hears(texts.ASK_SCHOOL)
    await parent.presses(texts.BUTTON_SKIP_SCHOOL)
    await parent.hears("Передал вопрос")
    card = await colleague.hears("Вопрос №")
    assert f"Школа: {texts.SCHOOL_SKIPPED}" in card.words


async def test_calling_twice_asks_for_the_school_politely_and_opens_one_question(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.presses("Позвать человека")
    await parent.hears(texts.ASK_SCHOOL)
    await parent.presses("Позвать человека")
    await parent.hears(texts.ASK_SCHOOL_AGAIN)
    await parent.says("школа 5, Майкоп")
    await parent.hears("Передал вопрос")
    await colleague.hears("Вопрос №")
    await colleague.hears_nothing()


@two_ways
@pytest.mark.parametrize("word", ["отмена", "не надо", "button"])
async def test_a_parent_changes_their_mind(house: House, word: str) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.presses("Позвать человека")
    await parent.hears(texts.ASK_SCHOOL)
    if word == "button":
        await parent.presses(texts.BUTTON_CANCEL)
    else:
        await parent.says(word)
    await parent.hears(texts.CANCELLED)
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await colleague.hears_nothing()


@other_two_ways
async def test_a_courtesy_or_a_stop_is_not_taken_for_a_school(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.presses("Позвать человека")
    await parent.hears(texts.ASK_SCHOOL)
    await parent.says("хорошо, спасибо!")
    await parent.hears(texts.ASK_SCHOOL_AGAIN)
    await parent.says("стоп")
    await parent.hears(texts.MUTED)
    await parent.hears(texts.ASK_SCHOOL_AGAIN)
    await parent.sends_photo(JPEG)
    await parent.hears(texts.ASK_SCHOOL_AGAIN)
    await parent.says("школа 5, Майкоп")
    await parent.hears("Передал вопрос")
    card = await colleague.hears("Школа: школа 5, Майкоп")
    assert card.photo is None
    await checks_photos(parent, ["photo"])
    confirmed = await colleague.hears("подтвердил")
    assert confirmed.photo == JPEG


async def test_a_question_goes_to_the_staff_although_the_school_is_never_named(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.presses("Позвать человека")
    await parent.hears(texts.ASK_SCHOOL)
    await house.time_is_up(house.home, parent)
    await parent.hears("Передал вопрос")
    card = await colleague.hears("Вопрос №")
    assert texts.SCHOOL_SKIPPED in card.words


async def test_a_question_just_typed_is_not_taken_for_the_school(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await parent.says("у сына пропали оценки за вторую четверть")
    await parent.presses("Позвать человека")
    await parent.hears(texts.ASK_SCHOOL)
    await parent.says("школа 5, Майкоп")
    await parent.hears("Передал вопрос")
    card = await colleague.hears("Школа: школа 5, Майкоп")
    assert "пропали оценки" in card.words


async def test_the_first_answer_wins_and_the_other_may_still_send_theirs(house: House) -> None:
    maria = await house.colleague("Мария")
    petr = await house.colleague("Пётр")
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    first, second = await maria.hears("Вопрос №"), await petr.hears("Вопрос №")
    await maria.says("Ответ Марии", reply_to=first)
    await parent.hears("Ответ Марии")
    told = await petr.hears("Ответ Марии")
    assert "Мария" in told.words
    await petr.says("Ответ Петра", reply_to=second)
    refusal = await petr.hears(f"На вопрос № {number} уже отвечает Мария")
    assert refusal.buttons == [[texts.BUTTON_SEND_ANYWAY]]
    await parent.hears_nothing()
    await petr.presses(texts.BUTTON_SEND_ANYWAY)
    await parent.hears("Ответ Петра")
    await maria.hears("Ответ Петра")
    await petr.presses(texts.BUTTON_SEND_ANYWAY)
    await petr.hears(texts_staff.NOT_YOUR_DRAFT)
    await parent.says("спасибо обоим")
    await petr.hears("спасибо обоим")
    assert "спасибо обоим" not in said_by_bot(maria)


async def test_a_colleague_answers_by_the_button(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await colleague.presses("Ответить")
    await colleague.hears(texts.write_answer(number))
    await colleague.says("Проверьте ещё раз")
    await parent.hears("Проверьте ещё раз")
    sent = await colleague.hears(texts.answer_sent(number))
    assert sent.buttons == [["Ответить ещё"], ["Закрыть"]]


async def test_a_colleague_answers_a_later_message_of_the_right_parent(house: House) -> None:
    colleague = await house.colleague()
    anna, olga = await house.parent("Анна"), await house.parent("Ольга")
    await house.asks_for_human(anna)
    await house.asks_for_human(olga)
    await anna.says("Это Анна, есть новости?")
    later = await colleague.hears("Это Анна")
    await olga.says("А это Ольга")
    await colleague.hears("А это Ольга")
    await colleague.says("Анна, всё готово", reply_to=later)
    await anna.hears("Анна, всё готово")
    assert "всё готово" not in said_by_bot(olga)


async def test_the_staff_may_sit_on_the_same_messenger(house: House) -> None:
    colleague = await house.colleague(messenger=house.home)
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await colleague.says("Здравствуйте, сейчас посмотрю", reply_to=card)
    await parent.hears("сейчас посмотрю")


async def test_an_answer_comes_with_a_photo_from_the_other_messenger(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await colleague.presses("Ответить")
    await colleague.hears("Напишите ответ")
    await colleague.sends_photo(JPEG, caption="Нажмите сюда")
    answer = await parent.hears("Нажмите сюда")
    assert answer.photo == JPEG


async def test_documents_cross_both_ways_unchanged(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    pdf = b"%PDF-1.4 " + bytes(range(256)) * 40
    await parent.sends_document("Скан заявления.pdf", pdf, mime="application/pdf", caption="вот файл")
    told = await colleague.hears("вот файл")
    assert contents(told) == []
    await checks_photos(parent, ["file"])
    seen = await colleague.hears("подтвердил")
    assert contents(seen) == [pdf]
    assert seen.file_name == "Скан заявления.pdf"
    await colleague.presses("Ответить")
    await colleague.hears("Напишите ответ")
    await colleague.sends_document("Инструкция.pdf", pdf[::-1], mime="application/pdf", caption="читайте")
    answer = await parent.hears("читайте")
    assert contents(answer) == [pdf[::-1]]
    assert answer.file_name == "Инструкция.pdf"


@two_ways
async def test_a_photo_with_a_document_on_it_never_leaves_the_parent(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await parent.sends_photo(JPEG, caption="вот экран")
    told = await colleague.hears("вот экран")
    assert "прислал(а) фото: покажем, когда подтвердит, что личные данные закрыты" in told.words
    question = await parent.hears("Сначала проверьте снимок")
    assert question.buttons == [["Отправить снимок"], [texts_photos.BUTTON_DROP]]
    await parent.presses(texts_photos.BUTTON_DROP)
    await parent.hears(texts_photos.dropped(["photo"]))
    await colleague.hears("решил(а) не отправлять фото")
    covered = JPEG + b"covered"
    await parent.sends_photo(covered)
    await checks_photos(parent, ["photo"])
    shown = await colleague.hears(f"№ {number}, Анна подтвердил(а)")
    assert shown.photo == covered
    await files_reach(colleague, [covered])


@two_ways
async def test_voice_messages_cross_both_ways(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await parent.sends_voice(b"OggS question")
    await colleague.hears("файл")
    await files_reach(colleague, [b"OggS question"])
    await colleague.presses("Ответить")
    await colleague.hears("Напишите ответ")
    await colleague.sends_voice(b"OggS answer")
    await files_reach(parent, [b"OggS answer"])


async def test_an_album_of_the_staff_arrives_whole_and_in_order(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await colleague.presses("Ответить")
    await colleague.hears("Напишите ответ")
    album = [JPEG + bytes([number]) for number in range(3)]
    await colleague.sends_album(album, caption="по шагам")
    await parent.hears("по шагам")
    await files_reach(parent, album)
    assert said_by_bot(parent).count("Ответ министерства") == 1


@other_two_ways
@pytest.mark.parametrize("speed", [5.0])  # so that the parts of the album are together even on a slow machine
async def test_an_album_of_the_parent_arrives_whole_and_in_order(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    album = [JPEG + bytes([number]) for number in range(3)]
    await parent.sends_album(album, caption="всё сломано, смотрите")
    await parent.hears(ANYTHING)
    await parent.says("/human")
    await parent.hears(texts.ASK_SCHOOL)
    await parent.presses(texts.BUTTON_SKIP_SCHOOL)
    await parent.hears("Передал вопрос")
    await colleague.hears("Вопрос №")
    await checks_photos(parent, ["photo"] * 3)
    await files_reach(colleague, album)
    more = [JPEG + bytes([number]) for number in (7, 8)]
    await parent.sends_album(more)
    await checks_photos(parent, ["photo"] * 2)
    await files_reach(colleague, [*album, *more])


async def test_six_thousand_characters_cross_both_ways(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    letter = " ".join(f"слово{number}" for number in range(720))
    assert len(letter) > 6_000
    await parent.says(letter)
    await colleague.hears("слово719")
    assert all(f"слово{number}" in said_by_bot(colleague) for number in range(0, 720, 7))
    await colleague.presses("Ответить")
    await colleague.hears("Напишите ответ")
    await colleague.says(letter.replace("слово", "ответ"))
    await parent.hears("ответ719")
    words = "".join(said_by_bot(parent).split())
    assert sum(f"ответ{number}" in words for number in range(720)) >= 719  # the app itself cuts a word


@two_ways
async def test_a_long_question_stands_on_the_card_in_full(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    letter = " ".join(f"пункт{number}" for number in range(450))
    await parent.says(letter)
    await parent.hears(ANYTHING)
    await parent.says("/human")
    await parent.hears(texts.ASK_SCHOOL)
    await parent.presses(texts.BUTTON_SKIP_SCHOOL)
    await parent.hears("Передал вопрос")
    end = await colleague.hears("пункт449")
    assert all(f"пункт{number}" in said_by_bot(colleague) for number in range(450))
    await colleague.says("Прочитали всё", reply_to=end)
    await parent.hears("Прочитали всё")


async def test_characters_of_markup_survive_both_ways(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await parent.says(f"родитель {MARKUP}")
    await colleague.hears(f"родитель {MARKUP}")
    await colleague.says(f"школа {MARKUP}", reply_to=card)
    await parent.hears(f"школа {MARKUP}")


async def test_a_correction_of_the_staff_reaches_the_parent(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    message = await colleague.says("Приходите во вторник", reply_to=card)
    await parent.hears("во вторник")
    await colleague.edits(message, "Приходите в среду")
    corrected = await parent.hears("в среду")
    assert f"Исправленный ответ министерства на вопрос № {number}" in corrected.words


async def test_a_correction_of_the_parent_reaches_the_staff(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    message = await parent.says("у нас 7 класс")
    await colleague.hears("7 класс")
    await parent.edits(message, "у нас 8 класс")
    corrected = await colleague.hears("8 класс")
    assert "исправил" in corrected.words


async def test_a_colleague_closes_the_question_and_a_new_one_begins_afresh(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await colleague.presses("Закрыть")
    await parent.hears(texts.ticket_closed(number))
    await colleague.hears(f"Вопрос № {number} закрыт")
    await parent.says(QUESTION)
    await parent.hears(texts_own.reopened_by_message(number))
    await colleague.hears(QUESTION)
    await parent.presses(texts.BUTTON_BACK_TO_BOT)
    await parent.hears(CODE)
    second = await house.asks_for_human(parent)
    assert second != number
    card = await colleague.hears(f"Вопрос № {second}")
    assert "всё сломано" in card.words


@other_two_ways
async def test_the_parent_says_that_it_is_solved(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await colleague.says("Попробуйте сейчас", reply_to=card)
    await parent.hears("Попробуйте сейчас")
    await parent.presses(texts.BUTTON_SOLVED)
    await parent.hears(texts.ticket_solved(number))
    await colleague.hears(texts.parent_closed(number))
    await parent.presses(texts.BUTTON_SOLVED)
    await parent.hears(texts.ALREADY_CLOSED)
    await parent.presses("5")
    await parent.hears(texts_own.marked(5))
    await parent.says("/menu")
    await parent.hears(texts.CHOOSE_SECTION)
    await parent.says(QUESTION)
    await parent.hears(CODE)


@two_ways
async def test_an_old_solved_button_does_not_close_the_new_question(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    first = await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await colleague.says("Готово", reply_to=card)
    await parent.hears("Готово")
    await colleague.presses("Закрыть")
    await parent.hears(texts.ticket_closed(first))
    await parent.says("/menu")
    await parent.hears(texts.CHOOSE_SECTION)
    await house.asks_for_human(parent)
    await parent.presses(texts.BUTTON_SOLVED)
    await parent.hears(texts.ALREADY_CLOSED)
    await parent.says("я ещё здесь")
    await colleague.hears("я ещё здесь")


async def test_back_to_the_bot_and_again_to_the_human(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await parent.presses(texts.BUTTON_BACK_TO_BOT)
    await parent.hears(texts.BACK_WITH_BOT)
    await colleague.hears(texts.parent_back_with_bot(number))
    await parent.says(QUESTION)
    await parent.hears(CODE)
    await colleague.hears_nothing()
    await parent.presses("Позвать человека")
    await parent.hears(texts.ticket_joined_again(number))
    returned = await colleague.hears("снова просит человека")
    assert QUESTION in returned.words
    await parent.says("вы ещё там?")
    await colleague.hears("вы ещё там?")
    await colleague.says("Да", reply_to=card)
    await parent.hears("Ответ министерства")


@other_two_ways
async def test_an_answer_finds_the_parent_who_talks_with_the_bot(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await parent.presses(texts.BUTTON_BACK_TO_BOT)
    await parent.hears(texts.BACK_WITH_BOT)
    await colleague.says("Мы всё исправили", reply_to=card)
    await parent.hears("Мы всё исправили")
    await parent.says(QUESTION)
    await colleague.hears(QUESTION)
    await parent.hears_nothing()


async def test_the_bot_is_silent_while_a_human_talks(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    for said in (QUESTION, "здравствуйте", "👍", "пароль"):
        await parent.says(said)
        await colleague.hears(said)
    await parent.hears_nothing()
    await colleague.says("Вижу", reply_to=card)
    await parent.hears("Вижу")
    await parent.says("ещё: не пускает в дневник")
    await colleague.hears("не пускает в дневник")
    await parent.hears_nothing()


@two_ways
async def test_what_cannot_be_passed_on_is_told_to_both(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    await colleague.hears("Вопрос №")
    await send_poll(house, parent)
    await parent.hears(texts.NO_FILE_KIND.format(kind="опрос"))
    await colleague.hears(plain(texts.parent_sent_unreadable(number, "опрос")))


async def test_an_answer_to_a_parent_who_blocked_us_is_reported(house: House) -> None:
    colleague = await house.colleague()
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await parent.blocks()
    await house.server(house.home).all_taken()
    await colleague.says("Всё готово", reply_to=card)
    told = await colleague.hears(f"Ответ на вопрос № {number} не доставлен")
    assert "родитель" in told.words
    await parent.unblocks()
    await parent.says("я снова с вами")
    await colleague.hears("я снова с вами")
    await colleague.says("Повторяю: всё готово", reply_to=card)
    await parent.hears("Повторяю: всё готово")


@other_two_ways
async def test_a_colleague_who_blocked_us_does_not_swallow_the_parents_words(house: House) -> None:
    maria = await house.colleague("Мария")
    petr = await house.colleague("Пётр")
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    card = await maria.hears("Вопрос №")
    await petr.hears("Вопрос №")
    await maria.says("Смотрю", reply_to=card)
    await parent.hears("Смотрю")
    await maria.blocks()
    await parent.says("Ну что там?")
    await petr.hears(plain(texts.colleague_unreachable(number, "Мария")))
    await petr.presses(texts.BUTTON_SHOW.format(number=number))
    shown = await petr.hears("Ну что там?")
    await petr.says("Мария занята, отвечаю я", reply_to=shown)
    await petr.presses(await offered(petr, texts.BUTTON_SEND_ANYWAY))
    await parent.hears("отвечаю я")


@two_ways
async def test_a_question_without_any_staff_waits_for_the_first_colleague(house: House) -> None:
    parent = await house.parent()
    number = await house.asks_for_human(parent)
    await parent.says("и ещё кое-что")
    colleague = await house.colleague()
    await colleague.presses(texts.BUTTON_SHOW.format(number=number))
    card = await colleague.hears(f"Вопрос № {number}")
    assert "и ещё кое-что" in card.words
    await colleague.says("Здравствуйте, я нашлась", reply_to=card)
    await parent.hears("я нашлась")


@other_two_ways
async def test_the_same_number_on_both_messengers_is_two_people(house: House) -> None:
    colleague = await house.colleague()
    parent = house.server(house.home).person(1_234_567, first_name="Анна")
    await parent.start()
    await parent.hears(texts.NOTICE)
    twin = house.server(house.away).person(1_234_567, first_name="Чужой")
    await house.asks_for_human(parent)
    card = await colleague.hears("Вопрос №")
    await twin.start()
    await twin.hears(texts.NOTICE)
    await colleague.says("Только для Анны", reply_to=card)
    await parent.hears("Только для Анны")
    await twin.hears_nothing()
    async with house.app.database.reading() as tx:
        mine = await people.at(tx, house.home, str(parent.id))
        other = await people.at(tx, house.away, str(parent.id))
        assert mine is not None
        assert other is not None
        assert mine.id != other.id
        assert len(await tickets.list_open(tx)) == 1


async def offered(person: object, label: str) -> str:
    """Wait until this button is offered; gives its label."""
    await person.hears("уже отвечает")  # type: ignore[attr-defined]
    return label


async def files_reach(person: object, expected: list[bytes]) -> None:
    """Wait until exactly these files were sent to the person, in this order."""
    while (seen := _files_of(person)) != expected:
        assert len(seen) < len(expected), "these are other files"
        await person.hears(ANYTHING)  # type: ignore[attr-defined]


def _files_of(person: object) -> list[bytes]:
    chat = person.chat  # type: ignore[attr-defined]
    return [file for message in chat if message.from_bot for file in contents(message)]
