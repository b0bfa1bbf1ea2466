"""«Не могу войти»: from what a parent says to an answer or a card in at most three taps."""

import json
import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from faq.checking import errors_in
from faq.content.loading import BaseError
from faq.content.region import load_region
from faq.content.topic import Base
from faq.diagnosis.error_texts import ErrorTexts, begin, load_error_texts
from faq.diagnosis.tree import (
    LONGEST_BUTTON,
    LONGEST_HEARD,
    MOST_QUESTIONS,
    Asked,
    Leaf,
    Step,
    Tree,
    Walk,
    after_topic,
    answer,
    back,
    card,
    explain,
    failed,
    faults_of,
    hear,
    known_from,
    load_tree,
    of_age_group,
    restart,
    resume,
    start,
    start_at,
    tree_problems,
)
from faq.matching.matcher import Matcher

TREE = load_tree()
LED = {each.leads for each in load_error_texts()}
CASES = [
    line.split("\t")
    for line in (Path(__file__).parents[1] / "data" / "diagnosis-cases.tsv").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
ROWS = {  # of the error table → the topics that answer it
    "неверный логин или пароль": {"password-recovery", "old-login-password-closed"},
    "код не пришел": {"login-code-not-coming", "sms-off-max-totp"},
    "код только в макс отправляет": {"sms-off-max-totp"},
    "учётная запись не подтверждена": {"account-unconfirmed-error"},
    "аккаунт не активирован или отсутствует": {
        "dnevnik-profile-missing",
        "dnevnik-not-activated-temp-login",
    },
    "несовпадение ФИО": {"fio-mismatch", "surname-changed"},
    "несовпадение номера СНИЛС": {"snils-mismatch"},
    "моложе 14 лет и 3 месяцев и не имеет паспорта": {"no-passport-14-3-months"},
    "пишет ваш дневник не найден": {"gosuslugi-moya-shkola"},
    "дневник просит деньги": {"mobile-app-and-subscription"},
    "крутится и возвращает на вход": {"browser-device-troubleshooting"},
}
NEVER = ("снилс ребёнка:", "серия", "номер паспорта", "пароль:")


@pytest.fixture(scope="module")
def error_texts(matcher: Matcher) -> ErrorTexts:
    return ErrorTexts(matcher.scorer.reader)


@pytest.fixture(scope="module")
def told(matcher: Matcher, error_texts: ErrorTexts) -> Callable[[str], Step]:
    def first_step(message: str) -> Step:
        reading = matcher.scorer.reader.read(message)
        return begin(TREE, reading, error_texts.recognise_read(reading))

    return first_step


def tapped(*payloads: str, tree: Tree = TREE) -> Step:
    step = start(tree)
    for payload in payloads:
        step = answer(tree, step.walk, payload)
    return step


# --- the table of starting messages ---


@pytest.mark.parametrize(
    ("message", "error", "facts", "taps", "leaf"), CASES, ids=[f"{each[0]} {each[3]}" for each in CASES]
)
def test_a_message_reaches_its_end_in_three_taps(
    matcher: Matcher, error_texts: ErrorTexts, message: str, error: str, facts: str, taps: str, leaf: str
) -> None:
    reading = matcher.scorer.reader.read(message)
    recognised = error_texts.recognise_read(reading)
    step = begin(TREE, reading, recognised)

    assert (recognised.id if recognised else "-") == error
    assert step.walk.facts == ({} if facts == "-" else dict(each.split("=") for each in facts.split(" ")))
    way = [] if taps == "-" else taps.split(" ")
    assert len(way) <= MOST_QUESTIONS
    for payload in way:
        assert isinstance(step.shown, Asked)
        assert payload in [choice.payload for choice in step.shown.choices]
        step = answer(TREE, step.walk, payload)
    assert isinstance(step.shown, Leaf)
    assert step.shown.id == leaf


def test_the_table_is_large_and_holds_every_end_and_every_row() -> None:
    assert len(CASES) >= 130
    assert len({message for message, *_ in CASES}) >= 120
    assert {leaf for *_, leaf in CASES} == set(TREE.leaves)
    ended = {(message, TREE.leaves[leaf].topic) for message, *_, leaf in CASES}
    for message, topics in ROWS.items():
        assert {topic for said, topic in ended if said == message} <= topics, message
        assert any(said == message for said, _ in ended), message


@pytest.mark.parametrize(
    ("message", "taps", "topic", "differs"),
    [
        ("аккаунт не активирован или отсутствует", "before.never", "dnevnik-not-activated-temp-login", None),
        ("аккаунт не активирован или отсутствует", "before.gosuslugi", "dnevnik-profile-missing", None),
        ("пользователь моложе 14 лет 3 мес", "young.no_passport", "no-passport-14-3-months", None),
        ("в дневнике опечатка в отчестве", "own_fio.right", "fio-mismatch", "ФИО"),
        ("в дневнике неправильный снилс", "own_snils.right", "snils-mismatch", "СНИЛС"),
    ],
)
def test_each_reason_of_refusal_ends_with_steps_or_a_card(
    told: Callable[[str], Step], message: str, taps: str, topic: str, differs: str | None
) -> None:
    step = answer(TREE, told(message).walk, taps)
    leaf = step.shown

    assert isinstance(leaf, Leaf)
    assert leaf.topic == topic
    shown = card(TREE, replace(step, shown=failed(leaf)))
    assert shown is not None
    held = [TREE.fields[name] for name in shown.ticket.needs]
    assert {each.id for each in held} >= {"school", "class", "who", "tried", "reply"}
    assert {*shown.known} | {each.id for each in shown.missing} == {
        each.id for each in held if each.needed in {"always", "policy"} or each.id in shown.known
    }
    if differs:
        assert shown.known["differs"] == differs


# --- what the text says is not asked ---


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        ("дочке 12", {"who": "pupil", "age": "under14"}),
        ("дочке тринадцать лет", {"who": "pupil", "age": "under14"}),
        ("мне 15", {"who": "pupil", "age": "from14"}),
        ("9 класс", {"who": "pupil", "age": "from14"}),
        ("сын в 5б классе", {"who": "pupil", "age": "under14"}),
        ("пятиклассник", {"who": "pupil", "age": "under14"}),
        ("сын в 8 классе", {}),
        ("дети 12 и 15 лет", {}),
        ("с 15 сентября не могу войти", {}),
        ("10 лет назад регистрировалась", {}),
        ("код 123456", {}),
        ("нет паспорта", {"passport": "none"}),
        ("паспорт получили", {"passport": "has", "changed": "turned14"}),
        ("паспорт не получили", {"passport": "none"}),
        ("после госуслуг", {"where": "after"}),
        ("новая школа", {"changed": "school"}),
        ("пишет снилс не совпадает", {"trouble": "snils", "where": "after"}),
        ("снилс совпадает", {}),
        ("я учитель", {"who": "teacher"}),
        ("я мама, меня не пускает", {"who": "parent"}),
        ("взломали, номер сменили", {"trouble": "hacked", "where": "gosuslugi", "code_by": "number"}),
    ],
)
def test_what_a_message_tells_is_heard(matcher: Matcher, message: str, facts: dict[str, str]) -> None:
    assert known_from(TREE, matcher.scorer.reader.read(message)) == facts


def test_a_letter_that_tells_a_story_tells_no_facts(matcher: Matcher) -> None:
    letter = "у нас снилс не совпадает " * LONGEST_HEARD

    assert known_from(TREE, matcher.scorer.reader.read(letter)) == {}


def test_what_is_known_is_not_asked_and_what_it_rules_out_is_not_offered() -> None:
    step = start(TREE, {"who": "pupil", "age": "under14"})

    assert isinstance(step.shown, Asked)
    assert step.shown.id == "where"
    assert "where.gosuslugi" not in [choice.payload for choice in step.shown.choices]
    assert start(TREE, {"who": "pupil", "age": "under14", "where": "gosuslugi"}).shown.id == "child"
    assert start(TREE, {"where": "gosuslugi", "who": "parent"}).shown.id == "gosuslugi"


def test_the_remembered_age_group_of_a_child_is_not_asked() -> None:
    for group, leaf in (
        ("under14", "child_login"),
        ("14_no_passport", "no_passport"),
        ("from14", "turned14_steps"),
    ):
        step = start(TREE, {"trouble": "young", "who": "pupil", **of_age_group(group)})
        assert step.shown.id == leaf
    assert of_age_group("adult") == {}


def test_a_trouble_knows_its_side_better_than_the_words_around_it() -> None:
    assert start(TREE, {"trouble": "hacked", "where": "after"}).shown.id == "hacked"


def test_what_is_only_likely_stands_on_no_card() -> None:
    step = start(TREE, {"trouble": "guardian"})
    shown = card(TREE, step)

    assert step.shown.id == "guardian"
    assert "age" not in step.facts
    assert shown is not None
    assert "who" in [each.id for each in shown.missing]


def test_what_is_typed_on_the_way_is_heard_too() -> None:
    step = tapped("where.after")
    step = hear(TREE, step.walk, {"trouble": "fio", "changed": "surname"})

    assert step.shown.id == "surname"
    assert back(TREE, step.walk).walk.taps == ()


def test_what_is_typed_on_the_way_beats_a_tap_that_it_contradicts() -> None:
    step = hear(TREE, tapped("where.inside").walk, {"trouble": "snils"})

    assert step.shown.id == "own_snils"
    assert step.walk.taps == ()


# --- walking ---


def test_back_and_again_from_the_beginning() -> None:
    step = tapped("where.after", "after.fio", "own_fio.right")
    assert step.shown.id == "fio_school"

    step = back(TREE, step.walk)
    assert step.shown.id == "own_fio"
    step = back(TREE, back(TREE, step.walk).walk)
    assert step.shown.id == "where"
    assert back(TREE, step.walk).shown.id == "where"
    assert restart(TREE).walk == Walk()


def test_back_before_any_tap_drops_what_was_understood() -> None:
    step = start(TREE, {"trouble": "snils"})
    assert step.shown.id == "own_snils"

    assert back(TREE, step.walk) == start(TREE)
    assert back(TREE, start_at(TREE, "snils", {"trouble": "snils"}).walk) == start(TREE)


def test_an_older_button_changes_that_answer_and_a_stale_one_nothing() -> None:
    step = tapped("where.after", "after.fio")

    assert answer(TREE, step.walk, "where.inside").shown.id == "inside"
    assert answer(TREE, step.walk, "after.snils").shown.id == "own_snils"
    for stale in ("inside.no_child", "own_fio.nothing", "nothing", "", ".", "where."):
        assert answer(TREE, step.walk, stale) == step


def test_a_walk_survives_storage() -> None:
    step = start(TREE, {"trouble": "not_found"})
    step = answer(TREE, step.walk, "before.never")
    stored = json.loads(json.dumps(step.walk.to_plain()))

    assert resume(TREE, Walk.from_plain(stored)) == step
    assert pickle.loads(pickle.dumps(TREE)) == TREE  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        "walk",
        {},
        {"taps": 5, "facts": [], "at": 7},
        {"taps": [["gone", "away"], ["where"], 3], "facts": {"gone": "away", "who": 3, "trouble": "gone"}},
        {"at": "gone"},
    ],
)
def test_a_walk_of_another_version_starts_again(plain: object) -> None:
    assert resume(TREE, Walk.from_plain(plain)) == start(TREE)


def test_taps_that_the_tree_no_longer_knows_are_asked_again() -> None:
    walk = Walk.from_plain({"facts": {}, "taps": [["where", "after"], ["after", "gone"]], "at": ""})

    assert resume(TREE, walk).shown.id == "after"


def test_the_way_is_explained_in_words() -> None:
    step = start(TREE, {"who": "pupil", "age": "under14", "where": "after"})
    step = answer(TREE, answer(TREE, step.walk, "after.snils").walk, "own_snils.right")

    assert explain(TREE, step) == (
        "Где остановились: после Госуслуг, на Дневник.ру",
        "Кто не может войти: ребёнок",
        "Возраст: до 14 лет",
        "Что пишет Дневник.ру? — Не совпадает СНИЛС",
        "Сверьте СНИЛС на Госуслугах с документом. Где ошибка? — На Госуслугах всё верно",
    )


def test_a_card_holds_what_is_known_and_names_what_is_missing() -> None:
    step = start(TREE, {"who": "pupil", "age": "under14", "trouble": "snils", "profile": "right"})
    shown = card(TREE, step)

    assert shown is not None
    assert shown.ticket.title == "Данные в Дневник.ру не совпадают с Госуслугами"
    assert shown.ticket.to == "school"
    assert shown.known == {
        "who": "ребёнок, до 14 лет",
        "differs": "СНИЛС",
        "tried": "Данные на Госуслугах: сверены с документами, верны",
    }
    assert [each.id for each in shown.missing] == ["class", "error", "before", "names", "school"]
    assert card(TREE, tapped("where.gosuslugi")) is None


def test_a_foreign_child_is_urgent_and_a_new_school_gets_its_own_card() -> None:
    urgent = card(TREE, tapped("where.inside", "inside.other_child"))
    new = card(TREE, tapped("where.after", "after.not_found", "before.school"))

    assert urgent is not None
    assert urgent.ticket.urgent
    assert new is not None
    assert new.ticket.to == "new_school"


def test_an_answer_that_did_not_help_ends_with_its_ticket_or_the_walk() -> None:
    step = after_topic(TREE, "snils-mismatch", {"who": "parent"})
    assert step is not None
    shown = card(TREE, step)
    assert shown is not None
    assert shown.ticket.id == "mismatch"
    assert resume(TREE, step.walk).shown.id == "snils"
    # What the school cannot mend is not sent to it.
    for slug in (
        "password-recovery",
        "login-code-not-coming",
        "account-frozen-or-blocked",
        "grades-homework-missing",
    ):
        assert after_topic(TREE, slug) is None


# --- any walk ---


def test_a_random_walk_never_gets_stuck() -> None:
    chance = random.Random(20261122)
    values = [(name, value) for name, fact in TREE.facts.items() for value in fact.values]
    for _ in range(3_000):
        step = start(TREE, dict(chance.sample(values, chance.randint(0, 4))))
        for _ in range(chance.randint(1, 8)):
            _assert_open(step)
            step = _moved(step, chance)
        _assert_open(step)
        for _ in range(MOST_QUESTIONS + 1):
            step = back(TREE, step.walk)
        assert step == start(TREE)


def test_no_walk_asks_more_than_three_questions_or_one_twice() -> None:
    for step in _ends(start(TREE)):
        asked = [question.id for question, _ in step.path]
        assert len(asked) <= MOST_QUESTIONS
        assert len(set(asked)) == len(asked)
        assert isinstance(step.shown, Leaf)


def _ends(step: Step) -> Iterator[Step]:
    if isinstance(step.shown, Leaf):
        yield step
        return
    for choice in step.shown.choices:
        yield from _ends(answer(TREE, step.walk, choice.payload))


def _assert_open(step: Step) -> None:
    """Something can be done here, and it is the same after storage."""
    assert resume(TREE, Walk.from_plain(json.loads(json.dumps(step.walk.to_plain())))) == step
    assert len(step.path) <= MOST_QUESTIONS
    if isinstance(step.shown, Asked):
        assert len(step.shown.choices) >= 2
        assert len({choice.label for choice in step.shown.choices}) == len(step.shown.choices)
        assert step.shown.id not in {question.id for question, _ in step.path}
    else:
        assert step.shown.topic or step.shown.ticket


def _moved(step: Step, chance: random.Random) -> Step:
    deed = chance.random()
    if deed < 0.15:
        return back(TREE, step.walk)
    if deed < 0.2:
        return restart(TREE)
    if deed < 0.3:
        name = chance.choice([*TREE.facts])
        return hear(TREE, step.walk, {name: chance.choice([*TREE.facts[name].values])})
    if deed < 0.4:
        question = chance.choice([*TREE.questions.values()])
        return answer(TREE, step.walk, f"{question.id}.{chance.choice(question.options).id}")
    if isinstance(step.shown, Asked):
        return answer(TREE, step.walk, chance.choice(step.shown.choices).payload)
    return step


# --- the content, and what an editor may spoil ---


def test_the_packaged_tree_passes_the_check(base: Base) -> None:
    assert tree_problems(base.topics, led=LED) == ()
    assert "diagnosis.yaml" not in {each.file for each in errors_in(base, [load_region("adygea")])}


def test_every_button_is_short_and_nothing_is_promised_or_asked_that_must_not_be() -> None:
    for question in TREE.questions.values():
        assert all(len(option.button) <= LONGEST_BUTTON for option in question.options)
        assert question.text.count("?") == 1
    said = " ".join((*(each.ask for each in TREE.fields.values()), TREE.warning)).lower()
    assert not any(word in said for word in NEVER)
    assert "документы сюда не присылайте" in TREE.warning


def test_the_school_is_not_troubled_with_what_it_cannot_mend() -> None:
    theirs = {leaf.topic for leaf in TREE.leaves.values() if leaf.ticket or leaf.failed}

    assert theirs.isdisjoint(
        {
            "password-recovery",
            "login-code-not-coming",
            "sms-off-max-totp",
            "account-frozen-or-blocked",
            "account-unconfirmed-error",
            "account-confirm-how",
            "child-check-takes-long",
            "child-birth-record-not-found",
            "child-snils-missing",
            "mobile-app-and-subscription",
            "grades-homework-missing",
        }
    )


def _with_option(tree: Tree, question_id: str, number: int = 0, **changes: object) -> Tree:
    question = tree.questions[question_id]
    options = [*question.options]
    options[number] = replace(options[number], **changes)  # type: ignore[arg-type]
    return replace(tree, questions={**tree.questions, question_id: replace(question, options=tuple(options))})


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (_with_option(TREE, "where", to="nowhere"), "не вопрос и не лист"),
        (_with_option(TREE, "where", button="К" * 41), "длиннее 40"),
        (_with_option(TREE, "where", id="Где"), "латинские буквы"),
        (_with_option(TREE, "where", id="inside"), "записан дважды"),
        (_with_option(TREE, "where", sets={"where": "mars"}), "нет в facts"),
        (_with_option(TREE, "own_fio", to="own_snils"), "больше 3 вопросов"),
        (_with_option(TREE, "own_fio", to="after"), "больше 3 вопросов"),
        (_with_option(TREE, "not_open", 1, to="browser"), "к вопросу «others» ничто не ведёт"),
        (_with_option(TREE, "inside", 5, to="browser"), "к листу «grades» ничто не ведёт"),
        (replace(TREE, start="nowhere"), "исправьте start"),
        (
            replace(TREE, leaves={**TREE.leaves, "grades": Leaf("grades", topic="nothing")}),
            "темы «nothing» нет",
        ),
        (replace(TREE, leaves={**TREE.leaves, "grades": Leaf("grades")}), "никуда не ведёт"),
        (
            replace(TREE, leaves={**TREE.leaves, "grades": Leaf("grades", ticket="nobody")}),
            "заявки «nobody» нет",
        ),
        (replace(TREE, fields={}), "нет в fields"),
    ],
)
def test_what_an_editor_of_the_tree_spoils_is_a_fault(base: Base, spoiled: Tree, said: str) -> None:
    assert said in " ".join(fault.text for fault in faults_of(spoiled, base.topics, led=LED))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "нужны ключи start"),
        ("start: where", "нет ключа «questions»"),
        ("questions: {where: {text: Где?, options: 5}}", "нужен список"),
        ("questions: {where: {text: Где?, options: [{id: a}]}}", "нет ключа «button»"),
        ("leaves: {a: {topik: b}}", "неизвестный ключ «topik»"),
        ("leaves: {Ы: {}}", "латинские буквы"),
        ("facts: {a: {label: А, values: {b: {says: Б, heard: ['-а']}}}}", "без минуса"),
        ("facts: {a: {label: А, values: {b: {says: Б, implies: {c: no}}}}}", "факт: значение"),
        ("tickets: {a: {title: А, to: moon, needs: []}}", "school или new_school"),
        ("start: {", "не читается как YAML"),
    ],
)
def test_a_spoiled_tree_is_refused_with_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "diagnosis.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BaseError) as error:
        load_tree(path)

    assert "diagnosis.yaml" in str(error.value)
    assert said in str(error.value)
    assert tree_problems((), path)
