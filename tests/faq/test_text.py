"""How a message is read before it is matched."""

import pytest

from faq.matcher import Matcher
from faq.text import LONGEST, clean, normalise, sentences, small_talk, wants_human


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("yt vjue djqnb d lytdybr", "не могу войти в дневник"),
        ("Ujceckeub yt gecrf.n!", "госуслуги не пускают"),
        ("rjl yt ghb[jlbn", "код не приходит"),
        ("втумтшл не открывается", "дневник не открывается"),
        ("u rebenka net snils", "у ребенка нет снилс"),
        ("uchetnaya zapis ne podtverzhdena", "учетная запись не подтверждена"),
        ("не могу зайти в гос.услуги", "не могу войти в госуслуги"),
        ("невходит в гос-услуги", "не войти в госуслуги"),
        ("MAX и МАХ требует", "макс и макс требует"),
        ("koд из cмc не приxoдит", "код из смс не приходит"),
        ("дневник точка ру", "дневник"),
        ("ребёнку тринадцать лет", "ребенку 13 лет"),
        ("Здравствуйте! Подскажите, пожалуйста, где страница входа", "где страница войти"),
        ("войти в госуслгуи", "войти в госуслуги"),
    ],
)
def test_what_was_typed_is_read_as_it_was_meant(matcher: Matcher, typed: str, read: str) -> None:
    assert matcher.scorer.reader.read(typed).whole.text == read


def test_english_is_left_alone(matcher: Matcher) -> None:
    assert matcher.scorer.reader.read("how are you my friend").whole.text == "how are you my friend"


@pytest.mark.parametrize("age", ["сыну 15 лет", "дочка девятиклассница", "учится в 10 классе"])
def test_the_age_is_understood_from_years_and_classes(matcher: Matcher, age: str) -> None:
    assert "+с14" in matcher.scorer.reader.read(age).whole.lemmas


def test_the_dot_of_an_address_ends_no_sentence() -> None:
    assert sentences("захожу на дневник.ру. а там пусто") == ("захожу на дневник.ру.", "а там пусто")


def test_a_long_letter_keeps_its_beginning_and_its_end() -> None:
    read = clean("начало " + "слово " * 5_000 + "прошу ответить")

    assert len(read) <= LONGEST
    assert read.startswith("начало")
    assert read.endswith("прошу ответить")


def test_look_alike_letters_do_not_make_two_texts_different() -> None:
    assert normalise("Код из CМС — не приходит!") == normalise("код из смс не приходит")


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
