"""What a screen said, pasted or half remembered, leads straight on; what only resembles it does not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from faq.checking import errors_in, facts
from faq.content.loading import BaseError
from faq.content.region import load_region
from faq.content.topic import Base
from faq.diagnosis.error_texts import (
    LONGEST,
    ErrorText,
    ErrorTexts,
    begin,
    error_text_problems,
    faults_of,
    load_error_texts,
)
from faq.diagnosis.tree import Asked, Leaf, Tree, load_tree, start_at
from faq.matching.matcher import Matcher

ERRORS = load_error_texts()
TREE = load_tree()

# Retold by heart: other words, another order, typos, another layout, another alphabet.
RETOLD = {
    "wrong_password": """
        пароль или логин неверный
        пишет красным неверный пароль
        неверный логин или пороль
        вылезает неправильный логин или пароль хотя ввожу точно
        госуслуги говорят неверный логин и пароль
        логин пароль неправельный
        nevernyj login ili parol""",
    "code_missing": """
        код так и не пришёл
        ни приходит код на телефон
        не приходит смс с кодом
        смска не приходит
        код подтверждения не поступает
        rjl yt ghbitk""",
    "max_only": """
        подтвердить вход можно только в max
        пишет код отправлен в мессенджер MAX
        требует установить макс
        просит код из макса""",
    "unconfirmed": """
        пишет что моя учетная запись неподтверждённая
        учётка не потверждена
        аккаунт не подтвержден
        недостаточно прав пишет
        у вас упрощенная запись
        exyfz pfgbcm yt gjlndth;ltyf
        личность не подтверждена пишет""",
    "not_found": """
        аккаунт не активирован
        ваш аккаунт отсутствует или не активирован
        профиль в дневнике не найден
        пользователь не найден в системе
        акаунт не найден
        после портала выдает что пользователь отсутствует
        учетная запись не привязана ни к одному пользователю дневника
        fккаунт не найден
        profil ne najden""",
    "fio": """
        не совпадает фио
        ФИО не совпали
        фамилия имя отчество не совпадают
        пишет про несоответствие фио
        отчество не совподает
        не совпадает имя в дневнике и на госуслугах
        несовпадение по фамилии""",
    "snils": """
        СНИЛС не совпал
        номер снилс не совпадает с указанным
        несовпадение снилса
        снилсы не совпадают
        снилс не соответствует данным школы
        не совподает снилз""",
    "birthdate": """
        не совпадает дата рождения
        дата рождения не соответствует данным
        пишет дата рождения неверная
        несовпадение дат рождения""",
    "young": """
        пользователь младше 14 лет и 3 месяцев, паспорта нет
        пишет моложе 14 лет 3 месяца
        вам менее 14 лет и 3 месяцев""",
    "moya_shkola": """
        ваш дневник не найден попросите родителей сообщить
        ваш дневник не найден
        дневник не найден, сообщите о проблеме через форму обратной связи
        чтобы решить проблему попросите родителей сообщить о ней через форму обратной связи""",
    "money": """
        дневник требует подписку
        приложение просит деньги за просмотр оценок
        пишет оформите подписку
        просит оплатить дневник""",
    "loops": """
        возвращает обратно на вход
        все время выкидывает на вход
        после входа снова возвращает на страницу входа
        крутится загрузка и ничего
        белый экран после входа""",
    "esia_only": """
        вам доступен вход только с учетной записью портала госуслуг
        доступен вход в систему только с учётной записью госуслуг""",
    "unknown_error": """
        произошла неизвестная ошибка
        вылезла непредвиденная ошибка
        что то пошло не так
        Something went wrong
        неизвестная ошыбка""",
    "server": """
        Internal Server Error
        504 gateway timeout
        ошибка 503 сервис недоступен
        сервер не отвечает
        ошибка на сервере
        сервис временно не доступен""",
    "blocked": """
        ваша учетная запись заблокирована
        запись заморожена на 72 часа
        госуслуги заблокировали на 72 часа
        аккаунт заблокирован""",
    "contact_taken": """
        эта почта уже используется
        номер телефона уже используется другим пользователем
        почта занята
        адрес почты уже зарегистрирован""",
    "birth_record": """
        свидетельство о рождении не найдено
        пишет свидетельство не найдено в реестре
        акт о рождении не найден запись""",
    "child_snils": """
        снилс не найден
        снилс ребенка не найден пишут""",
    "temporary": """
        введите временный логин и пароль
        просит временный пароль
        просит ввести код приглашения
        требует пригласительный код""",
}
SHARE = 0.9
"""Of what is retold that must be recognised; what is missed the questions find out."""

# The same words about something else.
ONLY_ALIKE = """
    у дочки две фамилии
    как поменять фамилию в паспорте
    снилс совпадает, а дневник все равно закрыт
    где взять снилс ребенку
    что будет если снилс не совпадет
    если фио не совпадают, кто исправит
    код домофона школы
    как получить код подтверждения личности
    нужен ли пароль ребенку
    как придумать надежный пароль
    как подтвердить учетную запись
    где подтверждают учетную запись подростку
    надо ли подтверждать упрощенную запись
    чем стандартная запись отличается от подтвержденной
    зачем нужен макс
    не хочу макс
    ребенок не найден в списках на экскурсию
    не нашли администратора дневника
    не нашла кнопку войти
    учитель не найден
    дата рождения ребенка 2013
    сколько стоит подписка на журнал
    почему в школе собирают деньги
    сын крутится на уроке
    возвращать ли учебники
    на каком сервере хранятся данные
    кто работает на сервере
    ошибка в расписании
    ошибка учителя в оценке
    почта россии не работает
    как завести почту ребенку
    номер школы
    свидетельство о рождении потеряли
    какое свидетельство нужно
    временная прописка
    пригласите на собрание
    заблокировали карту
    72 часа в сутки работаем
    сыну 14 лет
    ребенку 14 лет и 5 месяцев
    дневник не найден в рюкзаке
    доступ к оценкам
    через какую форму подать жалобу
    класс не набран
    здравствуйте
    не
    """


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.fixture(scope="module")
def error_texts(matcher: Matcher) -> ErrorTexts:
    return ErrorTexts(matcher.scorer.reader)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.id)
def test_a_text_and_all_its_variants_are_recognised(error_texts: ErrorTexts, error: ErrorText) -> None:
    for text in (error.seen, *error.variants, error.seen.upper(), f"«{error.seen}»!"):
        found = error_texts.recognise(text)
        assert found is not None, text
        assert found.leads == error.leads, text


def test_what_is_retold_by_heart_is_recognised(error_texts: ErrorTexts) -> None:
    told = [(owner, text) for owner, block in RETOLD.items() for text in _lines(block)]
    found = [(owner, text, error_texts.recognise(text)) for owner, text in told]
    wrong = [text for owner, text, error in found if error is not None and error.id != owner]
    missed = [text for _, text, error in found if error is None]

    assert wrong == []
    assert len(missed) <= (1 - SHARE) * len(told), missed


@pytest.mark.parametrize("text", _lines(ONLY_ALIKE))
def test_what_only_resembles_an_error_text_is_not_taken_for_it(error_texts: ErrorTexts, text: str) -> None:
    assert error_texts.recognise(text) is None


def test_hardly_a_phrasing_of_another_topic_is_taken_for_an_error_text(
    error_texts: ErrorTexts, base: Base
) -> None:
    said = [(slug, text) for slug, topic in base.topics.items() for text in topic.phrasings]
    found = [(slug, text, error_texts.recognise(text)) for slug, text in said]
    wrong = [
        text for slug, text, error in found if error is not None and slug not in _topics(TREE, error.leads)
    ]

    assert len(wrong) <= 0.002 * len(said), wrong


@pytest.mark.parametrize(
    "text", ["", " ", "?!", "\x00\u202e\ufeff", "снилс не совпадает " * LONGEST, "🙂" * 500, "1" * 5_000]
)
def test_any_text_is_survived(error_texts: ErrorTexts, text: str) -> None:
    assert error_texts.recognise(text) is None


def test_an_error_text_leads_straight_on(error_texts: ErrorTexts, matcher: Matcher) -> None:
    reading = matcher.scorer.reader.read("пишет несовпадение номера снилс")

    step = begin(TREE, reading, error_texts.recognise_read(reading))

    assert isinstance(step.shown, Leaf)
    assert step.shown.topic == "snils-mismatch"
    assert step.shown.failed == "mismatch"
    assert step.facts["where"] == "after"


def test_what_is_said_beside_an_error_text_counts(error_texts: ErrorTexts, matcher: Matcher) -> None:
    reading = matcher.scorer.reader.read("снилс не совпадает, проверила документ, всё верно")

    step = begin(TREE, reading, error_texts.recognise_read(reading), known={"age": "under14"})

    assert isinstance(step.shown, Leaf)
    assert (step.shown.ticket, step.shown.done) == ("mismatch", True)
    assert step.facts["age"] == "under14"


def test_every_error_text_leads_into_the_tree_and_is_named_for_a_card(base: Base) -> None:
    assert error_text_problems(TREE, facts()) == ()
    assert "errors.yaml" not in {each.file for each in errors_in(base, [load_region("adygea")])}
    for each in ERRORS:
        shown = start_at(TREE, each.leads, each.knows).shown
        assert isinstance(shown, Asked | Leaf)
        assert shown.id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"leads": "nowhere"}, "не вопрос и не лист"),
        ({"knows": {"trouble": "nothing"}}, "нет среди фактов"),
        ({"sources": ("F99.9",)}, "факта F99.9 нет"),
        ({"id": "snils"}, "записан дважды"),
        ({"variants": ("СНИЛС не совпадает!",)}, "после чтения то же"),
    ],
)
def test_what_an_editor_of_error_texts_forgets_is_a_fault(change: dict[str, object], said: str) -> None:
    spoiled = [replace(each, **change) if each.id == "fio" else each for each in ERRORS]  # type: ignore[arg-type]

    assert said in " ".join(fault.text for fault in faults_of(spoiled, TREE, facts()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "нужен список текстов ошибок"),
        ("- id: a", "ровно эти ключи"),
        ("- " + json.dumps({"id": "a"}), "строка 1"),
        (
            "- {id: 1, seen: 1, verbatim: x, side: , leads: 1, knows: 1, sources: , unlike: 1, variants: 1}",
            "«side»: выберите одно из",
        ),
    ],
)
def test_a_spoiled_file_of_error_texts_is_refused_with_a_sentence(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "errors.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BaseError) as error:
        load_error_texts(path)

    assert said in str(error.value)


def _topics(tree: Tree, place: str) -> set[str | None]:
    """The topics that can be reached from a question or a leaf."""
    if place in tree.leaves:
        return {tree.leaves[place].topic}
    return {slug for option in tree.questions[place].options for slug in _topics(tree, option.to)}
