"""An announcement as its readers get it, and what a program sees in it beforehand. No database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.telegram.composing import compose as telegram
from bot.channels.vk.composing import compose as vk
from faq.markup import plain
from handlers.campaigns import composing
from handlers.campaigns.composing import Finding
from handlers.campaigns.ready import ready_campaigns
from handlers.campaigns.schedule import Schedule
from handlers.knowledge import Knowledge
from handlers.messages import Address, Outgoing
from storage.campaigns.campaign import Audience, Campaign

NOW = datetime(2026, 8, 1, 9, tzinfo=UTC)
READER = Address("telegram", "1")
CHANNELS: Mapping[str, composing.Compose] = {
    "telegram": lambda message: telegram(message, ()),
    "vk": lambda message: vk(message, ()),
}


def campaign(text: str = "Проверьте вход.", **more: Any) -> Campaign:
    values: dict[str, Any] = {
        "id": 5,
        "title": "Вход",
        "category": "reminders",
        "text": text,
        "buttons": (),
        "attachments": (),
        "audience": Audience(),
        "schedule": {},
        "state": "draft",
        "edition": 1,
        "checked_edition": None,
        "tested_edition": None,
        "approved_edition": None,
        "author_id": None,
        "approved_by": None,
        "approved_at": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Campaign(**{**values, **more})


def found_in(knowledge: Knowledge, wrong: Campaign, *, readers: int = 10) -> list[Finding]:
    return composing.check(wrong, knowledge=knowledge, now=NOW, readers=readers, channels=CHANNELS)


def errors(findings: list[Finding]) -> list[str]:
    return [each.text for each in findings if each.level == "error"]


def heard(knowledge: Knowledge, made: Campaign, *, to: Address = READER, **reader: str) -> Outgoing:
    body = composing.body_of(made)
    return composing.render(body, to=to, region=knowledge.region, launch_id=7, **reader)


@pytest.mark.parametrize("name", list(ready_campaigns()))
def test_a_ready_announcement_may_be_sent_as_it_is(knowledge: Knowledge, name: str) -> None:
    draft = ready_campaigns()[name]
    made = campaign(
        draft.text, title=draft.title, category=draft.category, buttons=draft.buttons, audience=draft.audience
    )
    assert found_in(knowledge, made) == []
    shown = plain(heard(knowledge, made).text)
    assert "{" not in shown
    assert "**" not in shown


def test_the_ready_ones_are_those_that_were_asked_for() -> None:
    ready = ready_campaigns()
    assert {"under14", "from14", "no_account", "check_sign_in", "staff", "readiness"} <= set(ready)
    assert ready["under14"].audience.age_groups == ("under14",)
    assert ready["no_account"].audience.stages == ("no_account",)
    assert ready["staff"].audience.who == "staff"
    values = [each["value"] for each in ready["readiness"].buttons]
    assert values == ["yes", "no"]


def test_the_words_are_right_with_and_without_a_school(knowledge: Knowledge) -> None:
    made = campaign("Администратор {школа} из {муниципалитет} поможет. {Регион}: {вход}")
    named = heard(knowledge, made, school="Лицей № 35", municipality="Майкоп").text
    assert "Администратор школы «Лицей № 35» из муниципалитета «Майкоп» поможет." in named
    assert "Республика Адыгея: [страница входа](https://login.dnevnik.ru/" in named
    quoted = heard(knowledge, made, school="МБОУ «СОШ № 1»").text
    assert "Администратор школы МБОУ «СОШ № 1» из вашего муниципалитета" in quoted
    assert "Администратор вашей школы" in heard(knowledge, made).text


def test_a_schools_name_is_no_markup(knowledge: Knowledge) -> None:
    shown = heard(knowledge, campaign("Для {школа}."), school="**Лицей** [1](https://x.test)").text
    assert plain(shown) == "Для школы «**Лицей** [1](https://x.test)»."


def test_readers_of_one_request_share_their_school_only_where_it_is_named() -> None:
    assert composing.body_of(campaign("Для {школа}."))["names_school"]
    assert not composing.body_of(campaign("Для всех."))["names_school"]


def test_buttons_lead_where_they_say_and_the_last_one_unsubscribes(knowledge: Knowledge) -> None:
    buttons = (
        {"label": "Сайт", "kind": "url", "value": "https://login.dnevnik.ru"},
        {"label": "Тема", "kind": "topic", "value": "snils-mismatch"},
        {"label": "Уже вошёл", "kind": "inside", "value": ""},
        {"label": "Помогите", "kind": "help", "value": ""},
        {"label": "Дальше", "kind": "stage_topic", "value": ""},
        {"label": "Да", "kind": "stage_question", "value": "yes"},
    )
    message = heard(knowledge, campaign(buttons=buttons))
    assert [button.payload or button.url for row in message.buttons for button in row] == [
        "https://login.dnevnik.ru",
        "camp:topic:7:snils-mismatch",
        "camp:inside:7",
        "camp:help:7",
        "camp:next:7",
        "camp:ready:yes",
        "camp:off:reminders",
    ]
    assert message.priority == "campaign"


def test_where_nobody_could_press_only_links_are_left(knowledge: Knowledge) -> None:
    buttons = (
        {"label": "Сайт", "kind": "url", "value": "https://login.dnevnik.ru"},
        {"label": "Помогите", "kind": "help", "value": ""},
    )
    made = campaign(buttons=buttons, audience=Audience("venues"))
    assert [[each.label for each in row] for row in heard(knowledge, made).buttons] == [["Сайт"]]
    on_wall = heard(knowledge, made, to=Address("vk", "wall"))
    assert on_wall.buttons == ()
    assert "[Сайт](https://login.dnevnik.ru)" in on_wall.text
    assert any("Помогите" in each for each in errors(found_in(knowledge, made)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Текст пуст"),
        ("****", "Текст пуст"),
        ("Для {школы}.", "«{школы}» нет"),
        ("**Важно: проверьте вход.", "жирным не закрыто"),
        ("Вход [здесь](login.dnevnik.ru).", "записана неверно"),
        ("Вход [здесь] (https://login.dnevnik.ru).", "записана неверно"),
        ("СНИЛС 112-233-445 95 пришлите нам.", "СНИЛС"),
    ],
)
def test_a_fault_in_the_text_is_an_error(knowledge: Knowledge, text: str, said: str) -> None:
    assert any(said in each for each in errors(found_in(knowledge, campaign(text))))


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ({"label": "Тема", "kind": "topic", "value": "no-such-topic"}, "базе нет"),
        ({"label": "Сайт", "kind": "url", "value": "ftp://dnevnik.ru"}, "не ссылка"),
        ({"label": "Сайт", "kind": "url", "value": "javascript:alert(1)"}, "не ссылка"),
        ({"label": "Я" * 41, "kind": "inside"}, "длиннее 40"),
        ({"label": " ", "kind": "inside"}, "нет надписи"),
        ({"label": "Да", "kind": "stage_question", "value": "maybe"}, "неизвестного вида"),
        ({"label": "Да", "kind": "party"}, "неизвестного вида"),
    ],
)
def test_a_fault_in_a_button_is_an_error(knowledge: Knowledge, button: dict[str, str], said: str) -> None:
    assert any(said in each for each in errors(found_in(knowledge, campaign(buttons=(button,)))))


def test_too_many_buttons_nobody_to_read_and_a_time_that_is_over(knowledge: Knowledge) -> None:
    many = campaign(buttons=({"label": "Уже вошёл", "kind": "inside"},) * 9)
    assert any("больше 8" in each for each in errors(found_in(knowledge, many)))
    assert any("не получит никто" in each for each in errors(found_in(knowledge, campaign(), readers=0)))
    over = Schedule("once", "Europe/Moscow", (NOW - timedelta(days=1),)).to_plain()
    assert any("уже прошло" in each for each in errors(found_in(knowledge, campaign(schedule=over))))


def test_files_that_are_not_for_everybody_are_refused(knowledge: Knowledge) -> None:
    def file(kind: str, name: str, size: int) -> dict[str, Any]:
        return {"kind": kind, "name": name, "mime": "", "channel": "web", "ref": "", "size": size}

    for wrong in (file("voice", "a.ogg", 1), file("file", "setup.EXE", 1), file("photo", "a.jpg", 21 << 20)):
        assert errors(found_in(knowledge, campaign(attachments=(wrong,))))
    assert not errors(found_in(knowledge, campaign(attachments=(file("photo", "a.jpg", 1 << 20),))))


def test_a_foreign_site_and_a_topic_about_other_children_are_worth_a_look(knowledge: Knowledge) -> None:
    foreign = found_in(knowledge, campaign("Вход [здесь](https://gosuslugi.ru.evil.test/in)."))
    assert [(each.level, "gosuslugi.ru.evil.test" in each.text) for each in foreign] == [("warning", True)]
    button = {"label": "Подростку", "kind": "topic", "value": "teen-account-confirm"}
    little = campaign(buttons=(button,), audience=Audience(age_groups=("under14",)))
    assert [each.level for each in found_in(knowledge, little)] == ["warning"]


def test_a_long_text_says_how_many_messages_it_takes(knowledge: Knowledge) -> None:
    long = campaign("Проверьте вход в дневник заранее.\n" * 200)
    assert [each.text.partition(":")[0] for each in found_in(knowledge, long)] == ["Telegram", "ВКонтакте"]
    only_vk = replace(long, audience=Audience(channels=("vk",)))
    assert len(found_in(knowledge, only_vk)) == 1


def test_the_preview_is_what_the_channel_will_send(knowledge: Knowledge) -> None:
    made = campaign(
        "**Важно.** " + "слово " * 900, buttons=({"label": "Нужна помощь", "kind": "help", "value": ""},)
    )
    shown = composing.preview(
        composing.body_of(made), CHANNELS["vk"], channel="vk", region=knowledge.region, school=""
    )
    sent = vk(heard(knowledge, made, to=Address("vk", "")), ())
    assert [each.spans for each in shown] == [each.spans for each in sent]
    assert len(shown) == 2
    assert shown[0].spans[0].bold
    assert [button.label for row in shown[-1].buttons for button in row] == ["Нужна помощь", "Отписаться"]


@pytest.mark.parametrize(
    ("audience", "named"),
    [
        (Audience("staff", age_groups=("under14",)), "возраст ребёнка"),
        (Audience("staff", stages=("no_account",)), "шаг, на котором остановились"),
        (Audience("venues", not_told_days=3), "объявлений не было столько дней"),
        (Audience(asked_since=NOW), "только вместе с темой"),
    ],
)
def test_a_filter_that_would_not_be_asked_is_an_error(
    knowledge: Knowledge, audience: Audience, named: str
) -> None:
    """«Сотрудникам, дети до 14 лет» went to all the staff."""
    (wrong,) = errors(found_in(knowledge, campaign(audience=audience)))
    assert named in wrong
    assert errors(found_in(knowledge, campaign(audience=Audience("staff", not_told_days=3)))) == []
