"""«Не могу войти»: what parents type first, and where at most three taps bring them."""

from __future__ import annotations

import pytest

from faq.diagnosis.tree import MOST_QUESTIONS
from faq.markup import plain
from handlers.messages import Outgoing
from handlers.texts import basics as texts
from handlers.texts import diagnosis as texts_diagnosis
from handlers.texts import family as texts_family
from storage import tickets
from tests.handlers.desk import PHOTO, Desk, Someone
from tests.ways_to_leaves import TREE, Way, is_end, next_tap, ways


def payloads(message: Outgoing) -> set[str]:
    return {button.payload for row in message.buttons for button in row}


def cards(colleague: Someone) -> list[str]:
    """The cards of questions that a colleague has seen."""
    return [said for each in colleague.heard if "Почему у вас" in (said := plain(each.text))]


async def last(parent: Someone) -> Outgoing:
    return (await parent.waits_for_messages())[-1]


async def walk(parent: Someone, way: Way) -> Outgoing:
    await parent.says(way.message)
    shown = await last(parent)
    for done in range(MOST_QUESTIONS + 1):
        tap = next_tap(way, payloads(shown), done)
        if tap is None:
            return shown
        assert done < MOST_QUESTIONS, f"{way}: больше трёх нажатий"
        await parent.presses(tap)
        shown = await last(parent)
    raise AssertionError(way)


async def ticket_offered(parent: Someone, way: Way, shown: Outgoing) -> str | None:
    """The kind of request that can be sent from here, or after the answer did not help."""
    if f"dx:send.{way.leaf.id}" not in payloads(shown):
        await parent.presses(f"no:{way.leaf.topic}")
        shown = await last(parent)
    (send,) = (each for each in payloads(shown) if each.startswith("dx:send."))
    leaf = TREE.leaves[send.removeprefix("dx:send.")]
    return leaf.ticket or leaf.failed


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
async def test_every_message_reaches_its_end_in_three_taps_and_the_right_request(
    desk: Desk, part: int
) -> None:
    for way in ways()[part::4]:
        parent = await desk.parent()
        shown = await walk(parent, way)
        assert is_end(way, payloads(shown)), way
        ticket = way.leaf.ticket or way.leaf.failed
        if ticket is not None:
            assert await ticket_offered(parent, way, shown) == ticket, way


async def test_login_begins_with_the_first_question(desk: Desk) -> None:
    parent = await desk.parent()
    for begin in ("/login", "Не могу войти"):
        await parent.says(begin)
        shown = await last(parent)
        assert "Где вы остановились?" in shown.text
        assert {"dx:where.after", "human"} <= payloads(shown)
    await parent.presses("dx:start")
    assert "Где вы остановились?" in (await last(parent)).text


async def test_back_and_again_work_at_every_step(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("/login")
    await parent.waits()
    await parent.presses("dx:where.after")
    await parent.presses("dx:after.fio")
    await parent.presses("dx:own_fio.right")
    assert "dx:send.fio_school" in payloads(await last(parent))
    await parent.presses("dx:back")
    assert "Сверьте ФИО" in (await last(parent)).text
    await parent.says("назад")
    assert "Что пишет Дневник.ру?" in (await last(parent)).text
    await parent.says("начать заново")
    assert "Где вы остановились?" in (await last(parent)).text


async def test_answers_may_be_typed_by_number_by_label_or_by_a_word_of_their_own(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("/login")
    await parent.waits()
    await parent.says("3")
    assert "Что пишет Дневник.ру?" in (await last(parent)).text
    await parent.says("не совпадает снилс")
    assert "Сверьте СНИЛС" in (await last(parent)).text
    await parent.says("пока не проверили")
    assert "ok:snils-mismatch" in payloads(await last(parent))


async def test_another_question_in_between_is_answered_and_leads_back(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("не пускает")
    await parent.waits()
    await parent.presses("dx:where.after")
    await parent.waits()
    await parent.says("как удалить профиль ребенка в госуслугах?")
    shown = await last(parent)
    assert "dx:go" in payloads(shown)
    await parent.presses("dx:go")
    assert "Что пишет Дневник.ру?" in (await last(parent)).text


async def test_words_on_the_way_that_nobody_understands_bring_the_question_again_then_a_human(
    desk: Desk,
) -> None:
    parent = await desk.parent()
    await parent.says("/login")
    await parent.waits()
    await parent.says("ыфвапролд джэ")
    again = await last(parent)
    assert texts_diagnosis.CHOOSE in again.text
    assert "dx:where.after" in payloads(again)
    await parent.says("ыфвапролд джэ цукен")
    assert "школу и населённый пункт" in (await parent.waits())[-1]


async def test_more_about_the_trouble_is_taken_from_words(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("не могу зайти")
    await parent.waits()
    await parent.says("это дочка, ей 9, на госуслугах")
    assert "Что не получается с записью ребёнка?" in (await last(parent)).text


async def test_an_error_text_goes_straight_to_its_end_and_says_what_was_understood(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("пишет что снилз не савпадает")
    shown = await last(parent)
    assert "ok:snils-mismatch" in payloads(shown)


async def test_a_screenshot_without_words_is_asked_about_once_and_kept_for_the_school(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says(attachments=(PHOTO,))
    assert await parent.waits() == [texts.FILE_NEEDS_WORDS]
    await parent.says(attachments=(PHOTO,))
    assert await parent.waits() == [texts.FILE_KEPT]
    await parent.says("СНИЛС не совпадает")
    await parent.waits()
    await parent.presses("no:snils-mismatch")
    await parent.presses("dx:send.snils")
    await parent.presses("line:all")
    await parent.says("школа 5, Майкоп")
    await parent.waits()
    card = cards(colleague)[-1]
    assert "снимк" in card or "файл" in card


# --- the four reasons of refusal: steps, or a card with the fields that the school needs ---


async def fills_card(parent: Someone, said: dict[str, str]) -> list[str]:
    """Answer every question of the card by its words; gives what was asked."""
    asked = []
    for _ in range(len(TREE.fields) + 1):
        shown = parent.heard[-1]
        field = next((each for each in TREE.fields.values() if each.ask and each.ask in shown.text), None)
        if field is None:
            break
        asked.append(field.id)
        if field.id in said:
            await parent.says(said[field.id])
        else:
            await parent.presses(f"line:skip:{field.id}")
        await parent.waits()
    return asked


@pytest.mark.parametrize(
    ("message", "taps", "title", "differs"),
    [
        (
            "дневник пишет аккаунт не активирован, ни разу не заходили",
            (),
            "Ни разу не входили: нужны временные данные",
            "нет профиля в Дневник.ру",
        ),
        (
            "после госуслуг аккаунт отсутствует",
            ("dx:before.gosuslugi",),
            "Нет профиля в Дневник.ру",
            "профиля",
        ),
        ("фио не совпадают, на госуслугах все верно", (), "Данные в Дневник.ру не совпадают", "ФИО"),
        ("в дневнике неправильный снилс", ("no:snils-mismatch",), "Данные в Дневник.ру не совпад", "СНИЛС"),
    ],
)
async def test_a_refusal_that_the_school_mends_ends_with_a_full_card(
    desk: Desk, message: str, taps: tuple[str, ...], title: str, differs: str
) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says(message)
    shown = await last(parent)
    for tap in taps:
        assert tap in payloads(shown)
        await parent.presses(tap)
        shown = await last(parent)
    (send,) = (each for each in payloads(shown) if each.startswith("dx:send."))
    await parent.presses(send)
    await parent.waits()
    assert TREE.warning in parent.heard[-1].text
    said = {
        "who": "Ребёнок до 14 лет",
        "class": "5Б",
        "error": "красная строка, вчера в шесть вечера",
        "before": "ни разу не входили",
    }
    asked = await fills_card(parent, said)
    assert "school" not in asked
    assert len(asked) <= 6
    await parent.says("лицей 35, Майкоп")
    told = (await parent.waits())[-1]
    (card,) = cards(colleague)
    for words in ("5Б", "лицей 35, Майкоп"):
        assert words in told
        assert words in card
    assert title in card
    assert differs in card
    for field in ("Кто не может войти", "Класс", "Что не так", "Кого искать в Дневник.ру", "Текст ошибки"):
        assert card.count(field) == 1
    assert "Не рассказали" not in card
    assert card.count("5Б") == 1
    assert "назовёт родитель лично" in card
    assert "Как разбирались" in card


async def test_a_child_under_14_years_3_months_gets_the_steps_and_a_card_if_the_diary_is_needed_now(
    desk: Desk,
) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says("пишет: моложе 14 лет и 3 месяцев и не имеет паспорта")
    shown = await last(parent)
    assert "ok:no-passport-14-3-months" in payloads(shown)
    await parent.presses("no:no-passport-14-3-months")
    assert "dx:send.no_passport" in payloads(await last(parent))
    await parent.presses("dx:send.no_passport")
    await parent.waits()
    await fills_card(parent, {"class": "8А", "who": "Ребёнок 14 лет и старше"})
    await parent.says("школа 2, Адыгейск")
    await parent.waits()
    card = cards(colleague)[-1]
    assert "Подростку без паспорта нужен дневник" in card
    assert "8А" in card


async def test_who_falls_silent_over_the_card_is_passed_on_with_what_was_told(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says("в дневнике вижу чужого ребенка")
    assert "ok:child-not-shown-for-parent" in payloads(await last(parent))
    await parent.presses("dx:send.foreign_child")
    await parent.waits()
    assert cards(colleague) == []
    await parent.waits(minutes=11)
    (card,) = cards(colleague)
    assert "Срочно" in card
    assert "Не рассказали: Кто не может войти, класс, текст ошибки и время" in card
    assert "не названа" in card


async def test_the_card_can_be_left_and_the_bot_goes_on(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.presses("dx:send.never")
    await parent.waits()
    await parent.says("отмена")
    assert await parent.waits() == [texts.CANCELLED]
    await parent.waits(minutes=20)
    assert cards(colleague) == []
    await parent.says("не приходит код")
    assert "dx:code.max" in payloads(await last(parent))


async def test_a_human_called_on_the_way_learns_what_is_known(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says("после госуслуг не пускает")
    await parent.waits()
    await parent.presses("human")
    await parent.says("школа 5, Майкоп")
    await parent.waits()
    card = cards(colleague)[-1]
    assert "после Госуслуг, на Дневник.ру" in card


async def test_what_is_found_while_a_question_is_open_is_added_to_it(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.waits()
    await parent.presses("bot")
    await parent.presses("dx:where.after")
    await parent.presses("dx:after.snils")
    await parent.presses("dx:own_snils.right")
    await parent.presses("dx:send.snils_school")
    assert texts_diagnosis.ALREADY_OPEN.format(number=number) in await parent.waits()
    assert "СНИЛС" in plain(colleague.heard[-1].text)


async def test_a_foreign_child_seen_later_makes_the_open_question_urgent(desk: Desk) -> None:
    colleague, first, second = await desk.colleague(), await desk.parent(), await desk.parent("Ольга")
    await desk.opens_question(first)
    number = await desk.opens_question(second)
    await second.presses("bot")
    await second.presses("dx:send.foreign_child")
    await second.waits()
    assert "Срочно" in plain(colleague.heard[-1].text)
    async with desk.database.reading() as tx:
        urgent, _ = await tickets.list_open(tx)
    assert (urgent.id, urgent.urgent, urgent.kind) == (number, True, "foreign_child")


async def test_a_known_child_is_not_asked_for_again(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.presses("fam:new:Старшая")
    await parent.presses("fam:age:1:under14")
    await parent.says("школа 7, Майкоп")
    await parent.waits()
    await parent.says("дочка не может войти, после госуслуг пишет что моложе 14 лет 3 мес")
    shown = await last(parent)
    assert "ok:child-under-14-login" in payloads(shown)
    await parent.presses("no:child-under-14-login")
    await parent.presses("dx:send.child_login")
    await parent.waits()
    await parent.presses("line:all")
    told = (await parent.waits())[-1]
    assert "школа 7, Майкоп" in told
    assert "школа 7, Майкоп" in cards(colleague)[-1]


async def test_the_walk_goes_on_after_a_restart(desk: Desk) -> None:
    parent = await desk.parent()
    await parent.says("/login")
    await parent.waits()
    await parent.presses("dx:where.after")
    await parent.waits()
    desk.restarts()
    await parent.presses("dx:after.snils")
    assert "Сверьте СНИЛС" in (await last(parent)).text


async def test_old_buttons_make_sense_for_ever(desk: Desk) -> None:
    parent = await desk.parent()
    old = ("dx:own_snils.right", "dx:nonsense.x", "dx:go", "dx:back", "dx:", "line:who:0", "line:all")
    for payload in old:
        await parent.presses(payload)
        shown = await last(parent)
        assert shown.buttons


async def test_words_typed_just_before_a_tap_stand_on_the_line_that_was_asked(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.presses("dx:send.never")
    await parent.waits()
    await parent.presses("line:who:0")
    await parent.says("5Б")
    await parent.presses("line:all")
    await parent.waits()
    await parent.says("школа 35, Майкоп")
    await parent.waits()
    (card,) = cards(colleague)
    assert "Класс: 5Б" in card
    assert "Школа: школа 35, Майкоп" in card


async def test_cannot_sign_in_typed_instead_of_the_school_is_not_taken_for_one(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.presses("human")
    await parent.waits()
    await parent.says("Не могу войти")
    assert await parent.waits() == [texts.ASK_SCHOOL_AGAIN]
    assert cards(colleague) == []
    await parent.says("Майкоп")
    await parent.waits()
    assert "Школа: Майкоп" in cards(colleague)[0]


async def test_of_two_children_in_two_schools_the_parent_says_whose_school_it_is(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    for label, school in (("Старшая", "школа 7, Майкоп"), ("Младший", "лицей 8, Майкоп")):
        await parent.presses(f"fam:new:{label}")
        known = await last(parent)
        age = next(each for each in payloads(known) if each.endswith(":under14"))
        await parent.presses(age)
        await parent.says(school)
        await parent.waits()
    await parent.presses("dx:send.never")
    await parent.presses("line:all")
    shown = await last(parent)
    assert "О ком из детей" in shown.text
    assert {"noschool", "cancel"} <= payloads(shown)
    await parent.presses(next(b.payload for row in shown.buttons for b in row if b.label == "Младший"))
    await parent.waits()
    assert "Школа: лицей 8, Майкоп" in cards(colleague)[0]


async def test_what_a_card_told_of_a_child_is_remembered_with_one_tap(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says("дочке 9, после госуслуг аккаунт не найден, ни разу не заходили")
    await parent.waits()
    await parent.presses("dx:send.never")
    await parent.presses("line:all")
    await parent.waits()
    await parent.says("школа 5, Майкоп")
    (keep,) = (each for each in payloads(await last(parent)) if each.startswith("fam:keep:"))
    stranger = await desk.parent("Ольга")
    await stranger.presses(keep)
    assert await stranger.waits() == [texts_family.NO_CHILDREN]
    for _ in range(2):
        await parent.presses(keep)
    remembered, listed = await parent.waits()
    assert remembered == "Запомнил: Ребёнок, до 14 лет, школа 5, Майкоп."
    assert "Ребёнок, до 14 лет, школа 5, Майкоп" in listed
    await parent.presses("solved:1")
    await parent.presses("dx:send.never")
    await parent.presses("line:all")
    await parent.waits()
    assert len(cards(colleague)) == 2
    assert "Школа: школа 5, Майкоп" in cards(colleague)[1]
