"""Topics that parents mix up: one question in plain words, answered by a button."""

import pickle
import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from faq.checking import CONFUSABLE, LONGEST_ASK, LONGEST_OPTION, errors_in, separation_errors
from faq.content.loading import PACKAGED, BaseError
from faq.content.region import load_region
from faq.content.topic import Base
from faq.matching.separating import MOST_BUTTONS, Separation, choose, load_separations, within
from faq.text import normalise

SEPARATIONS = load_separations()
USUAL = [
    entry["topics"]
    for entry in yaml.safe_load((PACKAGED / "vague.yaml").read_text(encoding="utf-8"))["usual"]
]
PROMISES = re.compile(
    r"гарантир|обещ|обязательно|скоро|завтра|в течение|сегодня|исправим|решим|поможем", re.I
)


def asked(*slugs: str) -> tuple[str, list[str]]:
    separation = choose(SEPARATIONS, slugs)
    assert separation is not None
    return separation.ask, list(separation.options)


def test_a_forgotten_password_is_asked_about_in_one_question() -> None:
    separation = choose(SEPARATIONS, ["old-login-password-closed", "password-recovery", "login-page-link"])

    assert separation == Separation(
        "От чего пароль: от ваших Госуслуг, от Госуслуг ребёнка или тот, что выдавала школа?",
        {
            "old-login-password-closed": "Выдавала школа, для Дневник.ру",
            "password-recovery": "От моих Госуслуг",
            "child-password-reset": "От Госуслуг ребёнка",
        },
    )
    assert next(iter(separation.options)) == "old-login-password-closed"


@pytest.mark.parametrize("separation", SEPARATIONS, ids=lambda separation: separation.ask)
def test_every_question_is_short_and_promises_nothing(separation: Separation, base: Base) -> None:
    said = " ".join((separation.ask, *separation.options.values()))

    assert separation.ask.endswith("?")
    assert separation.ask.count("?") == 1
    assert len(separation.ask) <= LONGEST_ASK
    assert 2 <= len(separation.options) <= 5
    assert all(len(button) <= LONGEST_OPTION for button in separation.options.values())
    assert len({normalise(button) for button in separation.options.values()}) == len(separation.options)
    assert separation.options.keys() <= base.topics.keys()
    assert not PROMISES.search(said)
    assert "есиа" not in normalise(said)


def test_no_two_questions_tell_the_same_topics_apart() -> None:
    assert len({frozenset(each.options) for each in SEPARATIONS}) == len(SEPARATIONS)
    assert len({each.ask for each in SEPARATIONS}) == len(SEPARATIONS)


@pytest.mark.parametrize("alike", CONFUSABLE, ids=" ".join)
def test_topics_that_sound_alike_are_told_apart_in_any_order(alike: tuple[str, ...]) -> None:
    for first, second in combinations(alike, 2):
        others = [slug for slug in alike if slug not in {first, second}]
        for slugs in ([first, second, *others], [second, first, *others]):
            assert asked(*slugs)[1][: len(alike)] == slugs


@pytest.mark.parametrize("topics", USUAL, ids=" ".join)
def test_what_is_usually_meant_by_a_vague_word_is_asked_about(topics: list[str]) -> None:
    offered = asked(*topics)[1]

    assert offered[: len(topics)] == topics[:MOST_BUTTONS]


@pytest.mark.parametrize(
    "slugs",
    [
        ["child-under-14-login", "child-account-under-14-create", "login-page-link"],
        ["child-card-add-family", "child-check-takes-long", "child-birth-record-not-found"],
        ["account-unconfirmed-error", "account-confirm-how", "teen-account-confirm"],
        ["dnevnik-profile-missing", "dnevnik-not-activated-temp-login", "first-esia-binding"],
        ["fio-mismatch", "snils-mismatch", "birthdate-mismatch", "surname-changed"],
        ["contact-school-admin", "contact-who-for-what", "complaint-to-ministry"],
        ["why-esia-only", "old-login-password-closed", "transition-date"],
        ["mobile-app-and-subscription", "gosuslugi-moya-shkola"],
        ["account-frozen-or-blocked", "account-hacked-fraud"],
        ["phone-lost-or-changed", "child-email-phone-taken", "child-no-phone-or-email"],
        ["several-children-or-schools", "child-not-shown-for-parent"],
        ["guardian-ward-account", "stepparent-grandparent-access", "child-account-second-parent"],
        ["outage-technical-error", "browser-device-troubleshooting"],
    ],
    ids=" ".join,
)
def test_neighbours_are_told_apart_by_one_question(slugs: list[str]) -> None:
    assert asked(*slugs)[1][: len(slugs)] == slugs


SMALL = (
    Separation("Первый?", {"a": "А", "b": "Б", "c": "В"}),
    Separation("Второй?", {"b": "Б", "a": "А"}),
    Separation("Третий?", {"a": "А", "b": "Б"}),
    Separation("Четвёртый?", {"a": "А", "b": "Б", "d": "Г", "e": "Д", "f": "Е"}),
)


@pytest.mark.parametrize(
    ("slugs", "ask", "options"),
    [
        ("ab", "Второй?", "ab"),  # the fewest answers, then the order of the file
        ("ba", "Второй?", "ba"),
        ("abc", "Первый?", "abc"),  # most of the first four
        ("bac", "Первый?", "bac"),
        ("abxyc", "Второй?", "ab"),  # the fifth candidate does not choose
        ("abfe", "Четвёртый?", "abfe"),  # the likelier first, no more than four
        ("abxfc", "Четвёртый?", "abfd"),  # then the others, in the order of the file
        ("aab", "Второй?", "ab"),
    ],
)
def test_the_closest_question_is_asked(slugs: str, ask: str, options: str) -> None:
    separation = choose(SMALL, slugs)

    assert separation is not None
    assert separation.ask == ask
    assert "".join(separation.options) == options


@pytest.mark.parametrize("slugs", ["", "a", "aa", "ac", "ax", "xa"])
def test_nothing_is_asked_where_no_question_holds_the_first_two(slugs: str) -> None:
    assert choose(SMALL[1:], slugs) is None


def test_a_base_without_a_topic_does_not_offer_it() -> None:
    assert within(SMALL[:2], {"a", "c"}) == (Separation("Первый?", {"a": "А", "c": "В"}),)
    assert within(SEPARATIONS, ()) == ()


def test_a_separation_survives_another_process() -> None:
    assert pickle.loads(pickle.dumps(SEPARATIONS)) == SEPARATIONS  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "нужен список вопросов"),
        ("ask: Что?", "нужен список вопросов"),
        ("- ask: Что?", "строка 1: у вопроса должны быть ровно два ключа"),
        ("- Что?", "ровно два ключа"),
        ("- ask: 14\n  options: {a: А, b: Б}", "строка 1: в ask нужен текст"),
        ("- ask: Что?\n  options: {a: А}", "строка 2: в options нужны пары"),
        ("- ask: Что?\n  options: [a, b]", "в options нужны пары"),
        ("- ask: Что?\n  options:\n    a: А\n    b: 14", "строка 4: «b»"),
        ("- ask: Что?\n  options:\n    a: А\n    a: Б", "записан дважды"),
        ("- ask: Что?\n  options: {", "не читается как YAML"),
    ],
)
def test_a_spoiled_file_of_questions_is_refused_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "confusable.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BaseError) as error:
        load_separations(path)

    assert "confusable.yaml" in str(error.value)
    assert said in str(error.value)


def test_the_packaged_questions_pass_the_check(base: Base) -> None:
    assert separation_errors(SEPARATIONS, base.topics) == ()
    assert "confusable.yaml" not in {each.file for each in errors_in(base, [load_region("adygea")])}


@pytest.mark.parametrize(
    ("separation", "said"),
    [
        (Separation("Что?", {"password-recovery": "А", "nowhere": "Б"}), "темы «nowhere» нет"),
        (Separation("Что", {"password-recovery": "А", "fio-mismatch": "Б"}), "вопросительный знак"),
        (Separation("Ч" * 160 + "?", {"password-recovery": "А", "fio-mismatch": "Б"}), "длиннее 160"),
        (Separation("Что?", {"password-recovery": "А" * 41, "fio-mismatch": "Б"}), "длиннее 40"),
        (Separation("Что?", {"password-recovery": "Ещё", "fio-mismatch": "еще"}), "измените одну"),
    ],
)
def test_what_an_editor_of_questions_forgets_is_an_error(
    base: Base, separation: Separation, said: str
) -> None:
    errors = separation_errors((*SEPARATIONS, separation), base.topics)

    assert len(errors) == 1
    assert said in str(errors[0])


def test_a_pair_that_nothing_tells_apart_is_an_error(base: Base) -> None:
    without = [each for each in SEPARATIONS if "snils-mismatch" not in each.options]
    (error,) = separation_errors(without, base.topics)

    assert "snils-mismatch, child-snils-missing" in str(error)
