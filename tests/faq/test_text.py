"""What any string is made of before it is read, and what is no question."""

import pytest

from faq.text import (
    LONGEST,
    clean,
    normalise,
    sentences,
    small_talk,
    tidy,
    wants_human,
    words_one_slip_away,
)


def test_the_dot_of_an_address_ends_no_sentence() -> None:
    assert sentences("захожу на дневник.ру. а там пусто") == ("захожу на дневник.ру.", "а там пусто")


def test_a_long_letter_keeps_its_beginning_and_its_end() -> None:
    read = clean("начало " + "слово " * 5_000 + "прошу ответить")

    assert len(read) <= LONGEST
    assert read.startswith("начало")
    assert read.endswith("прошу ответить")


def test_look_alike_letters_do_not_make_two_texts_different() -> None:
    assert normalise("Код из CМС — не приходит!") == normalise("код из смс не приходит")


def test_a_word_of_two_alphabets_stays_so_until_it_is_asked_for() -> None:
    assert tidy("Пapoль") == "пapoль"
    assert clean("Пapoль") == "пароль"


@pytest.mark.parametrize("typed", ["парроль", "паоль", "парлоь", "парооь", "учотная"])
def test_the_dictionary_knows_what_one_slip_makes_of_its_words(typed: str) -> None:
    assert {"пароль", "учетная"}.intersection(words_one_slip_away(typed))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Здравствуйте!", "greeting"),
        ("добрый вечер", "greeting"),
        ("спасибо большое", "thanks"),
        ("👍", "thanks"),
        ("до свидания", "bye"),
        ("вы бот?", "about_bot"),
        ("тупой бот", "abuse"),
        ("стоп", "stop"),
        ("Отписаться", "stop"),
        ("хватит писать!!!", "stop"),
        ("Здравствуйте, не могу войти в дневник", None),
        ("спасибо, а пароль не подходит", None),
        ("", None),
        ("\x00", None),
        ("стоп, а где ссылка на вход", None),
    ],
)
def test_small_talk_is_told_from_questions(text: str, kind: str | None) -> None:
    assert small_talk(text) == kind


@pytest.mark.parametrize(
    "text", ["позовите человека", "нужен оператор", "хочу поговорить с живым человеком", "Оператор"]
)
def test_a_wish_for_a_human_is_heard(text: str) -> None:
    assert wants_human(text)


@pytest.mark.parametrize(
    "text", ["кто администратор дневника в школе", "сменила оператора связи, номер другой", ""]
)
def test_other_people_are_no_wish_for_a_human(text: str) -> None:
    assert not wants_human(text)
