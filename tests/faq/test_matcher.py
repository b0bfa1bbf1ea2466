"""What the parent asks, and what the matcher decides."""

import pytest

from faq.content.topic import Base
from faq.matching import embedding
from faq.matching.matcher import Candidate, Decision, Matcher
from faq.matching.separating import Separation


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
def test_neighbouring_topics_are_told_apart(any_matcher: Matcher, text: str, slug: str) -> None:
    decision = any_matcher.match(text)

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
def test_a_vague_message_is_asked_about_not_guessed(any_matcher: Matcher, text: str) -> None:
    decision = any_matcher.match(text)

    assert decision.decision == "clarify"
    assert len(decision.candidates) > 1


@pytest.mark.parametrize(
    "text",
    [
        "как получить льготное питание для первоклассника",
        "когда будут результаты ЕГЭ",
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
def test_what_is_not_ours_is_not_answered(any_matcher: Matcher, text: str) -> None:
    assert any_matcher.match(text).decision == "unknown"


def test_what_only_its_words_tie_to_us_is_not_ours(matcher: Matcher, lexical_matcher: Matcher) -> None:
    text = "запись в первый класс по прописке"

    assert matcher.match(text).decision == "unknown"
    # «Прописка» stands in our answers as well: without its meaning it is asked about.
    assert lexical_matcher.match(text).decision != "answer"


def test_an_own_phrasing_is_answered_with_its_topic(any_matcher: Matcher, base: Base) -> None:
    for topic in base.topics.values():
        assert any_matcher.match(topic.phrasings[0]).slug == topic.slug


def test_candidates_are_the_best_first_and_differ(any_matcher: Matcher) -> None:
    decision = any_matcher.match("пишет что данные ребенка не совпадают с дневником")
    scores = [candidate.score for candidate in decision.candidates]

    assert scores == sorted(scores, reverse=True)
    assert len({candidate.slug for candidate in decision.candidates}) == len(decision.candidates)
    assert decision.slug == decision.candidates[0].slug


def test_the_question_of_a_long_letter_is_found(any_matcher: Matcher) -> None:
    letter = (
        "Здравствуйте. Пишет вам мама ученика. Мы живем в Майкопе, сын любит футбол и рисование. "
        "Прошлой зимой мы сделали ремонт, потом ездили к бабушке, погода стояла чудесная, все отдохнули. "
        "Учительница у нас замечательная. Подскажите, где взять ссылку на страницу входа в дневник?"
    )

    assert "login-page-link" in [candidate.slug for candidate in any_matcher.match(letter).candidates]


def test_a_base_without_topics_knows_nothing() -> None:
    assert Matcher(Base(topics={})).match("забыла пароль").decision == "unknown"


def test_several_questions_are_answered_each_the_most_blocking_first(any_matcher: Matcher) -> None:
    decision = any_matcher.match("как сменить фамилию в дневнике и ещё не приходит код из смс")

    assert decision.answered == ("login-code-not-coming", "surname-changed")
    assert [each.decision for each in decision.also] == ["answer"]


def test_of_what_parents_mix_up_one_question_tells_apart(any_matcher: Matcher) -> None:
    decision = any_matcher.match("у меня что-то с входом никак ребенок")

    assert decision.decision == "clarify"
    assert decision.question is not None
    assert decision.offered == tuple(decision.question.options)
    assert {each.slug for each in decision.candidates[:2]} <= set(decision.offered)


def test_what_is_plainly_not_ours_is_said_to_be_so(any_matcher: Matcher) -> None:
    assert any_matcher.match("когда будут результаты ЕГЭ по русскому").foreign
    assert not any_matcher.match("забыла пароль от госуслуг").foreign


def test_a_possible_burglary_is_asked_about_not_passed_over(any_matcher: Matcher) -> None:
    decision = any_matcher.match("чужая заявка на кредит через госуслуги, учетку заблокировали")

    assert decision.decision == "clarify"
    assert "account-hacked-fraud" in decision.offered


def test_without_meanings_words_decide(
    matcher: Matcher, lexical_matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_text: str) -> embedding.Floats:
        raise embedding.Unavailable("модель выгружена")

    monkeypatch.setattr(embedding, "vector", fails)
    for text in ("кнопка входа куда-то делась", "телефон утопила, что с кодами", "запись в первый класс"):
        assert matcher.match(text) == lexical_matcher.match(text)


def test_a_decision_knows_what_is_answered_and_what_is_on_buttons() -> None:
    def clarify(*slugs: str, question: Separation | None = None) -> Decision:
        candidates = tuple(Candidate(slug, 0.2) for slug in slugs)
        return Decision("clarify", slugs[0], 0.5, candidates, "", question=question)

    asked = Separation("Что именно?", {"x": "Одно", "y": "Другое"})
    answer = Decision("answer", "a", 0.9, (Candidate("a", 0.9), Candidate("b", 0.1)), "")
    both = Decision("answer", "a", 0.9, (), "", also=(clarify("b", "c", question=asked), answer))

    assert (answer.answered, answer.offered) == (("a",), ())
    assert clarify(*"abcde").offered == tuple("abcd")
    assert (both.answered, both.offered) == (("a", "a"), ("x", "y"))
    assert Decision("unknown", "a", 0.1, (Candidate("a", 0.1),), "").offered == ()
