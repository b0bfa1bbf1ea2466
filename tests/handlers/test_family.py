"""A parent with several children, on one channel and on two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from handlers.dialog_state import DialogState
from handlers.messages import Button, Outgoing
from handlers.parents import family
from handlers.texts import family as texts
from handlers.turn import Turn, from_plain
from storage import conversations, outbox, people
from storage.family import Child
from tests.handlers.desk import Desk


class Parent:
    """Speaks to the family's handlers as the dialog will let them."""

    def __init__(self, desk: Desk, channel: str, chat_id: str) -> None:
        self.desk = desk
        self.channel, self.chat_id = channel, chat_id

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        now = self.desk.clock.now()
        async with self.desk.database.transaction() as tx:
            person = await people.meet(tx, self.channel, self.chat_id, name="Анна", now=now)
            talk = await conversations.of_person(tx, person.id, now=now)
            yield Turn(tx, now, self.desk.helpdesk._knowledge, person, talk, DialogState())

    async def sees_list(self) -> Outgoing:
        async with self.turn() as turn:
            await family.show(turn)
        return await self.hears()

    async def presses(self, label: str, shown: Outgoing) -> Outgoing:
        (payload,) = [each.payload for each in buttons(shown) if each.label == label]
        return await self.sends(payload.removeprefix(family.PREFIX))

    async def sends(self, argument: str) -> Outgoing:
        async with self.turn() as turn:
            await family.press(turn, argument)
        return await self.hears()

    async def types(self, text: str) -> Outgoing | None:
        async with self.turn() as turn:
            heard = await family.hear(turn, text)
        return await self.hears() if heard else None

    async def joins(self, text: str) -> Outgoing:
        async with self.turn() as turn:
            await family.join(turn, text)
        return await self.hears()

    async def hears(self) -> Outgoing:
        """The last thing that was sent here; all before it is taken as read."""
        now = self.desk.clock.now()
        heard = []
        async with self.desk.database.transaction() as tx:
            while letters := await outbox.claim(tx, self.channel, now=now, limit=9, chat_id=self.chat_id):
                heard += letters
                for letter in letters:
                    await outbox.mark_sent(tx, letter.id, now=now)
        return from_plain(heard[-1].body)

    async def children(self) -> list[Child]:
        from storage import family as stored  # noqa: PLC0415 - the same word twice

        async with self.turn() as turn:
            return await stored.children_of(turn.tx, turn.person.id)

    async def adds(self, label: str) -> Child:
        await self.sends("add")
        assert await self.types(label) is not None
        return (await self.children())[-1]


def buttons(shown: Outgoing) -> list[Button]:
    return [each for row in shown.buttons for each in row]


def labels(shown: Outgoing) -> list[str]:
    return [each.label for each in buttons(shown)]


def code_in(shown: Outgoing) -> str:
    return shown.text.split("**")[1]


@pytest.fixture
def anna(desk: Desk) -> Parent:
    return Parent(desk, "telegram", "1")


@pytest.fixture
def anna_on_vk(desk: Desk) -> Parent:
    return Parent(desk, "vk", "2")


async def test_a_child_is_told_of_in_three_short_answers(anna: Parent) -> None:
    empty = await anna.sees_list()
    assert empty.text == texts.NO_CHILDREN
    asked = await anna.presses(texts.BUTTON_ADD, empty)
    assert asked.text == texts.ASK_LABEL
    age = await anna.presses("Старшая", asked)
    assert age.text == "«Старшая»: сколько лет?"
    school = await anna.presses("До 14 лет", age)
    assert "какая школа" in school.text
    done = await anna.types("школа 5,  Майкоп")
    assert done is not None
    assert done.text == "Запомнил: **Старшая**, до 14 лет, школа 5, Майкоп."
    assert [(each.label, each.age_group, each.school) for each in await anna.children()] == [
        ("Старшая", "under14", "школа 5, Майкоп")
    ]
    assert labels(await anna.sees_list())[0] == "Старшая"


async def test_nothing_but_the_label_has_to_be_told(anna: Parent) -> None:
    age = await anna.sends("new:Сын")
    school = await anna.presses(texts.BUTTON_SKIP, age)
    assert (await anna.presses(texts.BUTTON_SKIP, school)).text == texts.NOT_ASKED
    (child,) = await anna.children()
    assert (child.age_group, child.school) == (None, "")
    assert await anna.types("школа 5") is None


@pytest.mark.parametrize(
    "personal",
    [
        "Иванова Анна",
        "АННА ИВАНОВА",
        "иванова анна",
        "Анна-Мария Петрова",
        "анна сергеевна",
        "Саид Магомед оглы",
        "Маша 12.05.2013",
        "маша 12 мая",
        "дочь 2013",
        "сын 12-05-13",
    ],
)
async def test_a_full_name_or_a_birthday_is_refused_kindly(anna: Parent, personal: str) -> None:
    await anna.sends("add")
    told = await anna.types(personal)
    assert told is not None
    assert told.text == texts.LABEL_IS_PERSONAL
    assert await anna.children() == []
    assert await anna.types("старшая") is not None
    assert [each.label for each in await anna.children()] == ["старшая"]


@pytest.mark.parametrize(
    "label",
    ["старшая", "Аня", "сын", "Старшая дочь", "мой средний", "8Б", "дочь 12 лет", "близнец 2", "👧 малышка"],
)
async def test_a_label_of_their_own_is_taken(anna: Parent, label: str) -> None:
    assert (await anna.adds(label)).label == label


async def test_a_label_is_short_and_the_only_one(anna: Parent) -> None:
    await anna.adds("старшая")
    await anna.sends("add")
    long = await anna.types("мореплавательница-" * 2)
    assert long is not None
    assert long.text == texts.LABEL_IS_LONG
    taken = await anna.types("СТАРШАЯ")
    assert taken is not None
    assert taken.text == texts.LABEL_IS_TAKEN
    assert "Старшая" not in labels(taken)


@pytest.mark.parametrize("instead", ["не приходит код из смс на телефон", "позовите человека", "спасибо"])
async def test_a_question_instead_of_a_label_is_a_question(anna: Parent, instead: str) -> None:
    await anna.sends("add")
    assert await anna.types(instead) is None
    assert await anna.children() == []
    assert await anna.types("старшая") is None


async def test_words_that_come_much_later_are_no_label(anna: Parent) -> None:
    await anna.sends("add")
    anna.desk.clock.pass_by(timedelta(minutes=11))
    assert await anna.types("старшая") is None


async def test_a_child_is_changed_and_forgotten(anna: Parent) -> None:
    await anna.adds("старшая")
    shown = await anna.presses("старшая", await anna.sees_list())
    await anna.presses(texts.BUTTON_RENAME, shown)
    renamed = await anna.types("дочь")
    assert renamed is not None
    await anna.presses("14 лет, паспорта ещё нет", await anna.presses(texts.BUTTON_AGE, renamed))
    (child,) = await anna.children()
    assert (child.label, child.age_group) == ("дочь", "14_no_passport")
    assert "«дочь»" in (await anna.presses(texts.BUTTON_FORGET_CHILD, renamed)).text
    assert await anna.children() == []
    # The old message still has its buttons.
    for label in labels(renamed)[:-1]:
        assert (await anna.presses(label, renamed)).text == texts.CHILD_GONE


async def test_which_child_is_asked_only_when_there_is_a_choice(anna: Parent) -> None:
    elder = await anna.adds("старшая")
    async with anna.turn() as turn:
        assert await family.choice(turn, lambda number: f"dx:{number}") == ()
    younger = await anna.adds("младший")
    async with anna.turn() as turn:
        rows = await family.choice(turn, lambda number: f"dx:{number}")
        assert [row[0].payload for row in rows] == [f"dx:{elder.id}", f"dx:{younger.id}", "dx:0"]
        spoken_of = await family.spoken_of(turn)
    assert spoken_of is not None
    assert spoken_of.id == younger.id
    anna.desk.clock.pass_by(timedelta(seconds=1))
    async with anna.turn() as turn:
        await family.talk_about(turn, elder.id)
        assert (await family.spoken_of(turn) or younger).id == elder.id
        assert await family.talk_about(turn, 999) is None


async def test_two_channels_are_joined_by_a_code(anna: Parent, anna_on_vk: Parent) -> None:
    await anna.adds("старшая")
    await anna_on_vk.adds("младший")
    shown = await anna.presses(texts.BUTTON_SHOW_CODE, await anna.sends("join"))
    joined = await anna_on_vk.joins(code_in(shown))
    assert "ВКонтакте, Telegram" in joined.text
    assert await anna.children() == await anna_on_vk.children()
    assert len(await anna.children()) == 2
    assert (await anna.hears()).text == texts.joined_there("vk")
    # Once only, also by the one who has used it.
    assert (await anna_on_vk.joins(code_in(shown))).text == texts.CODE_WRONG


@pytest.mark.parametrize("change", [str.lower, lambda code: f" {code[:3]}-{code[3:]}. "])
async def test_a_code_may_be_typed_carelessly(anna: Parent, anna_on_vk: Parent, change: object) -> None:
    shown = await anna.sends("code")
    await anna_on_vk.sends("type")
    typed = await anna_on_vk.types(change(code_in(shown)))  # type: ignore[operator]
    assert typed is not None
    assert "соединены" in typed.text


def test_letters_of_the_other_keyboard_are_read_as_they_look() -> None:
    assert family._as_code("асе нкм") == "ACEHKM"
    assert family._as_code("код") is None
    assert family._as_code("ACEHKM7") is None


async def test_a_code_lives_a_quarter_of_an_hour(anna: Parent, anna_on_vk: Parent) -> None:
    code = code_in(await anna.sends("code"))
    anna.desk.clock.pass_by(timedelta(minutes=15))
    assert (await anna_on_vk.joins(code)).text == texts.CODE_WRONG


async def test_guessing_is_stopped(anna: Parent, anna_on_vk: Parent) -> None:
    code = code_in(await anna.sends("code"))
    for _ in range(5):
        assert (await anna_on_vk.joins("ACDEFH")).text == texts.CODE_WRONG
    assert (await anna_on_vk.joins(code)).text == texts.TOO_MANY_TRIES
    anna.desk.clock.pass_by(timedelta(hours=1))
    code = code_in(await anna.sends("code"))
    assert "соединены" in (await anna_on_vk.joins(code)).text


async def test_a_code_typed_where_it_was_shown_is_not_spent(anna: Parent, anna_on_vk: Parent) -> None:
    code = code_in(await anna.sends("code"))
    assert (await anna.joins(code)).text == texts.OWN_CODE
    assert "соединены" in (await anna_on_vk.joins(code)).text
    again = code_in(await anna.sends("code"))
    assert (await anna_on_vk.joins(again)).text == texts.ALREADY_JOINED


async def test_the_code_is_kept_nowhere(anna: Parent) -> None:
    await anna.sends("code")
    async with anna.turn() as turn:
        assert await conversations.history(turn.tx, turn.conversation.id) == []


async def test_a_channel_leaves_the_family(anna: Parent, anna_on_vk: Parent) -> None:
    await anna.adds("старшая")
    assert (await anna.sends("leave")).text == texts.NOT_JOINED
    await anna_on_vk.joins(code_in(await anna.sends("code")))
    shown = await anna_on_vk.sends("join")
    assert (await anna_on_vk.presses(texts.BUTTON_PRIMARY, shown)).text == texts.PRIMARY_HERE
    asked = await anna_on_vk.presses(texts.BUTTON_LEAVE, shown)
    assert (await anna_on_vk.presses(texts.BUTTON_LEAVE_YES, asked)).text == texts.LEFT
    assert await anna_on_vk.children() == []
    assert len(await anna.children()) == 1
    assert (await anna_on_vk.presses(texts.BUTTON_LEAVE_YES, asked)).text == texts.NOT_JOINED


async def test_every_button_makes_sense_whenever_it_is_pressed(anna: Parent) -> None:
    child = await anna.adds("старшая")
    strange = [
        "",
        "list",
        "no",
        "child:",
        "child:x",
        f"age:{child.id}:старый",
        f"age:{child.id}",
        "new:",
        "name:9",
    ]
    for argument in [*strange, "school:1:skip", "drop:77", "here", "leaveyes", f"child:{'9' * 40}"]:
        assert (await anna.sends(argument)).text
    assert all(len(each.payload.encode()) <= 64 for each in buttons(await anna.sends("add")))
    assert all(len(each.label) <= 40 for each in buttons(await anna.sends(f"age:{child.id}")))


async def test_a_family_has_its_limits(anna: Parent) -> None:
    for number in range(family.MOST_CHILDREN):
        await anna.adds(f"ребёнок {number}")
    assert (await anna.sends("add")).text == texts.TOO_MANY_CHILDREN
    assert (await anna.sends("new:Старшая")).text == texts.TOO_MANY_CHILDREN
