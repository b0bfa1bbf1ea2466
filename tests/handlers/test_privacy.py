"""The personal data gate: what is hidden, what stays, and that it can be trusted with any text."""

from __future__ import annotations

import time
from random import Random

import pytest

from handlers.privacy import Hidden, Masked, mask, told
from tests.bench.privacy import measure
from tests.privacy_corpus import corpus

MOSTLY_FOUND = 0.99
FALSE_ALARMS = 0.005


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("снилс 112-233-445 95 не подходит", "снилс [СНИЛС скрыт] не подходит"),
        ("112-233-445 95", "[СНИЛС скрыт]"),
        ("11223344595", "[СНИЛС скрыт]"),
        ("снилз 11223344500", "снилз [СНИЛС скрыт]"),
        ("снилс ll2-2ЗЗ-445 95", "снилс [СНИЛС скрыт]"),
        ("СНИЛС １１２ 233 445 95", "СНИЛС [СНИЛС скрыт]"),
        ("паспорт 4510123456", "паспорт [паспорт скрыт]"),
        ("4510№123456", "[паспорт скрыт]"),
        ("45 10 123456 мой", "[паспорт скрыт] мой"),
        ("серия 45 10 номер 123456", "серия [паспорт скрыт]"),
        ("I-АЖ № 123456", "[свидетельство скрыто]"),
        ("свидетельство 1-ep 123456", "свидетельство [свидетельство скрыто]"),
        ("тел89181234567", "тел[телефон скрыт]"),
        ("+7 (918) 123-45-67", "[телефон скрыт]"),
        ("телефон 52-12-34", "телефон [телефон скрыт]"),
        ("ivanova собака mail точка ру", "[почта скрыта]"),
        ("ivanova @ mail.ru", "[почта скрыта]"),
        ("карта 4276 3800 1234 5677 12/27", "карта [карта скрыта] 12/27"),
        ("родился 12 мая 2013, 5 класс", "родился [дата рождения скрыта], 5 класс"),
        ("родилась 12.05.2013 и 14.06.2015", "родилась [дата рождения скрыта] и [дата рождения скрыта]"),
        ("12.05.2013 г.р.", "[дата рождения скрыта] г.р."),
        ("пришёл код 482913", "пришёл код [код скрыт]"),
        ("цифры 4 8 2 9", "цифры [код скрыт]"),
        ("логин ivanova_85 пароль 123456", "логин [пароль скрыт] пароль [пароль скрыт]"),
        ("пароль такой zimaleto2020", "пароль такой [пароль скрыт]"),
        ("ivanova85 — логин", "[пароль скрыт] — логин"),
        ("https://a.ru/login?code=abcd1234&x=1", "https://a.ru/login?code=[код скрыт]&x=1"),
    ],
)
def test_personal_data_is_hidden_and_the_rest_stays(text: str, kept: str) -> None:
    assert mask(text).text == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8 800 100-70-10, 88001007010, 8-800-100-70-10, 8(800)1007010",
        "звоните 112 или 115",
        "заявление № 1234567890 от 12.03.2024",
        "приказ № 1234567 от 12.03.2024",
        "ст. 44 273-ФЗ, ПП № 584",
        "школа № 1234, 7б класс, индекс 385000",
        "с 1 сентября 2024 вход закрыли, 01.05.2024 ещё работало",
        "свидетельство о рождении получили 12.05.2024",
        "в дате рождения ошибка, 01.09.2023 исправляли",
        "ошибка 404, код ошибки 500",
        "пишет неверный логин или пароль 1001",
        "код не приходит с 2023 года, жду с 9:00 до 18:00",
        "код школы 1234",
        "смс с номера 0919",
        "за смс сняли 1500 рублей",
        "пароль не подходит",
        "логин и пароль от школы 5",
        "пароль забыла в 2019",
        "пароль не подходит на iPhone 12",
        "формат СНИЛС 000-000-000 00",
        "пишите в @gosuslugi_bot, собака съела листочек",
        "https://schools.dnevnik.ru/marks?school=1000012345678&period=89181234567",
        "версия 125.0.6422.113",
    ],
)
def test_what_is_nobodys_secret_stays(text: str) -> None:
    assert mask(text) == Masked(text, ())


def test_places_are_those_of_the_message_as_it_came() -> None:
    text = "СНИЛС: 112\u200b-233-445 95, е\u0308щё почта ab@ya.ru!"
    hidden = mask(text).hidden
    assert [(each.kind, text[each.start : each.end]) for each in hidden] == [
        ("snils", "112\u200b-233-445 95"),
        ("email", "ab@ya.ru"),
    ]


def test_several_values_of_several_kinds_are_all_hidden() -> None:
    masked = mask("снилс 112-233-445 95, паспорт 4510 123456, тел 8 918 123-45-67, код 4829")
    assert masked.text == "снилс [СНИЛС скрыт], паспорт [паспорт скрыт], тел [телефон скрыт], код [код скрыт]"
    assert [each.kind for each in masked.hidden] == ["snils", "passport", "phone", "code"]


def test_the_parent_hears_each_kind_once_and_what_becomes_of_the_message() -> None:
    hidden = (Hidden("code", 0, 4), Hidden("snils", 5, 19), Hidden("code", 20, 24))
    what_and_why = (
        "В вашем сообщении скрыто: номер СНИЛС, код — "
        "в чате личные данные не нужны, а документы показывают только лично. "
    )
    assert told(hidden, deleted=True) == what_and_why + (
        "Убираем это и из чата; если сообщение осталось на экране, удалите его, пожалуйста."
    )
    assert told(hidden, deleted=False) == what_and_why + (
        "Из вашего чата сообщение можете удалить только вы: сделайте это, пожалуйста."
    )
    assert told((), deleted=True) == ""


def test_the_corpus_is_the_same_for_the_same_seed_and_holds_what_it_says() -> None:
    samples = corpus()
    assert len(samples) >= 3_000
    assert samples == corpus()
    assert 2 * sum(not sample.planted for sample in samples) == len(samples)


def test_nearly_all_of_the_corpus_is_found_and_nearly_nothing_else() -> None:
    figures = measure(corpus())
    recall = {kind: figures.whole[kind] / planted for kind, planted in figures.planted.items()}
    assert min(recall.values()) >= MOSTLY_FOUND, figures.missed
    assert figures.clean_spoilt <= FALSE_ALARMS * figures.clean, figures.spoilt
    assert figures.data_spoilt <= FALSE_ALARMS * figures.with_data, figures.spoilt


def _split(pieces: str) -> list[str]:
    return pieces.split()


_PIECES = (
    *_split("код пароль логин снилс паспорт серия номер 1234 123456 123-456-789 00 45 918 1234567 @ mail.ru"),
    *_split(
        ". , - № ( ) : ! \\ [код скрыт] скрыт] ОО з I-АЖ 12.05.2013 родился г.р. карта 4276 ivan_1 Qwerty12"
    ),
    *(
        "собака",
        "https://a.ru/?code=abcd",
        "\u200b",
        "😀",
        "Ⅱ",
        "İ",
        "ß",
        "１２３",
        "٣",
        " ",
        " ",
        "\n",
        "\ue000",
    ),
)


def test_any_text_is_masked_once_and_for_all() -> None:
    random = Random(11)
    for _ in range(3_000):
        text = "".join(
            random.choice(_PIECES) + random.choice(("", " ")) for _ in range(random.randint(1, 14))
        )
        masked = mask(text)
        edges = [0, *(edge for each in masked.hidden for edge in (each.start, each.end)), len(text)]
        assert edges == sorted(edges), text
        assert all(each.start < each.end for each in masked.hidden), text
        assert mask(masked.text) == Masked(masked.text, ()), text


def test_any_characters_are_survived() -> None:
    random = Random(12)
    for _ in range(1_000):
        text = "".join(
            chr(random.choice((random.randrange(0x110000), random.randrange(0x500)))) for _ in range(40)
        )
        masked = mask(text)
        assert mask(masked.text).text == masked.text


@pytest.mark.parametrize(
    "unit", ["0", "0 ", "1-", "12 ", "1234 ", "@", "a@", "a @ ", " ", "|", "а", "код 1234 ", "7("]
)
def test_a_hundred_thousand_characters_take_linear_time(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    before = time.process_time()
    mask(text)
    assert time.process_time() - before < 3, "a tenth of it is usual; what is not linear takes minutes"
