"""What the parent asks, and what the matcher decides."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from faq.matcher import MOST_CANDIDATES, Matcher
from faq.topic import Base


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("как мне привязать на госуслугах учетку сына, он ее сам создал", "child-account-link-parent"),
        ("зашла в дневник под собой, а ребенка в списке нет", "child-not-shown-for-parent"),
        ("после госуслуг дневник пишет что такой профиль не найден", "dnevnik-profile-missing"),
        ("пишет что учетная запись не подтверждена", "account-unconfirmed-error"),
        ("забыла пароль от госуслуг как восстановить", "password-recovery"),
        ("старый школьный логин и пароль от дневника больше не подходит", "old-login-password-closed"),
        ("сыну исполнилось 14 лет что теперь менять", "child-turns-14"),
        ("14 лет уже есть а паспорт еще не получили и не пускает", "no-passport-14-3-months"),
        ("обязана ли я по закону регистрировать ребенка на госуслугах", "legal-must-we-register"),
        ("дайте документ, на основании которого закрыли вход", "legal-documents-basis"),
        ("не хочу регистрироваться, как получать оценки на бумаге", "refuse-alternatives"),
        ("не приходит смс с кодом для входа", "login-code-not-coming"),
        ("требует установить макс, а по смс войти не дает", "sms-off-max-totp"),
        ("вошла, а домашнего задания нет", "grades-homework-missing"),
        ("сайт дневника лежит, ошибка 502", "outage-technical-error"),
        ("дневник пишет что снилс не совпадает с госуслугами", "snils-mismatch"),
        ("у ребенка нет снилса, где его взять", "child-snils-missing"),
    ],
)
def test_neighbouring_topics_are_told_apart(matcher: Matcher, text: str, slug: str) -> None:
    decision = matcher.match(text)

    assert decision.slug == slug
    assert decision.decision != "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "не пускает",
        "не работает",
        "привязка",
        "пароль",
        "14 лет",
        "снилс",
        "не могу зайти в дневник",
        "госуслуги",
        "код",
    ],
)
def test_a_vague_message_is_asked_about_not_guessed(matcher: Matcher, text: str) -> None:
    decision = matcher.match(text)

    assert decision.decision == "clarify"
    assert len(decision.candidates) > 1


@pytest.mark.parametrize(
    "text",
    [
        "как получить льготное питание для первоклассника",
        "когда будут результаты ЕГЭ",
        "запись в первый класс по прописке",
        "в какие кружки можно записать сына",
        "какое место в очереди в детский сад",
        "путевки в лагерь на июль",
        "спой песенку",
        "lorem ipsum dolor",
        "ыыы фвап лдор",
        "???",
        "",
        "🙂🙂🙂",
        "спасибо большое",
    ],
)
def test_what_is_not_ours_is_not_answered(matcher: Matcher, text: str) -> None:
    assert matcher.match(text).decision == "unknown"


def test_an_own_phrasing_is_answered_with_its_topic(matcher: Matcher, base: Base) -> None:
    for topic in base.topics.values():
        assert matcher.match(topic.phrasings[0]).slug == topic.slug


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x01\x02",
        "\ud800 не могу войти",
        "а" * 100_000,
        "не могу войти в дневник. " * 5_000,
        "ﷺ" * 10_000,
        "مرحبا كيف حالك",
        "e\u0301" * 5_000,
        "\u202eкинвенд",
        "💩" * 4_096,
        "'" * 5_000,
        "qwertyuiop[" * 400,
        "shch" * 1_000,
        "12345678901234567890" * 200,
        "²³¹ ٣٤ ⅷ лет",
    ],
)
def test_nothing_that_is_typed_breaks_or_stalls_it(matcher: Matcher, text: str) -> None:
    started = time.perf_counter()
    decision = matcher.match(text)

    assert time.perf_counter() - started < 0.5
    assert 0.0 <= decision.confidence <= 1.0
    assert len(decision.candidates) <= MOST_CANDIDATES


def test_random_characters_never_raise(matcher: Matcher) -> None:
    chance = random.Random(7)
    for _ in range(200):
        matcher.match("".join(chr(chance.randrange(0x11_0000)) for _ in range(chance.randrange(60))))


def test_candidates_are_the_best_first_and_differ(matcher: Matcher) -> None:
    decision = matcher.match("пишет что данные ребенка не совпадают с дневником")
    scores = [candidate.score for candidate in decision.candidates]

    assert scores == sorted(scores, reverse=True)
    assert len({candidate.slug for candidate in decision.candidates}) == len(decision.candidates)
    assert decision.slug == decision.candidates[0].slug


def test_the_question_of_a_long_letter_is_found(matcher: Matcher) -> None:
    letter = (
        "Здравствуйте. Пишет вам мама ученика. Мы живем в Майкопе, сын любит футбол и рисование. "
        "Прошлой зимой мы сделали ремонт, потом ездили к бабушке, погода стояла чудесная, все отдохнули. "
        "Учительница у нас замечательная. Подскажите, где взять ссылку на страницу входа в дневник?"
    )

    assert "login-page-link" in [candidate.slug for candidate in matcher.match(letter).candidates]


def test_the_order_of_phrasings_changes_nothing(matcher: Matcher, base: Base) -> None:
    shuffled = Base(
        topics={
            slug: replace(topic, phrasings=topic.phrasings[::-1])
            for slug, topic in list(base.topics.items())[::-1]
        },
        sections=base.sections,
    )
    other = Matcher(shuffled)
    for text in ("забыла пароль", "код не приходит на телефон", "ребенка нет в списке"):
        one, two = matcher.match(text), other.match(text)
        assert (one.decision, one.slug) == (two.decision, two.slug)
        assert one.confidence == pytest.approx(two.confidence, abs=1e-3)


def test_threads_share_a_matcher(matcher: Matcher) -> None:
    texts = [
        "забыла пароль от госуслуг",
        "не приходит код",
        "ребенка нет в дневнике",
        "как создать учетку сыну 9 лет",
    ]
    alone = [matcher.match(text) for text in texts]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(matcher.match, texts * 10)) == alone * 10


def test_a_base_without_topics_knows_nothing() -> None:
    assert Matcher(Base(topics={})).match("забыла пароль").decision == "unknown"
