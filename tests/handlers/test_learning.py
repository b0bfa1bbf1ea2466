"""What operators confirm becomes a phrasing, unless it would spoil another answer."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from faq.content.loading import packaged_base
from faq.content.region import load_region
from faq.content.topic import Base
from faq.matching.matcher import Matcher
from faq.measuring.labelled import Labelled
from handlers.knowledge import Knowledge, base_from
from handlers.ministry.learning import (
    LONGEST_CHECK,
    Attempt,
    Learning,
    NotLearned,
    first_words,
    refuse_unfit,
    tidy,
)
from handlers.staff import board as casework
from handlers.staff.board import Case
from storage import journal
from storage import knowledge as stored
from storage import staff as members
from storage.database import Database, Unavailable
from storage.staff import Member
from tests.clock import StoppedClock
from tests.handlers.desk import Desk, Someone

CODE, PASSWORD, TRANSFER = "login-code-not-coming", "password-recovery", "school-transfer"
TOPICS = (CODE, PASSWORD, TRANSFER, "surname-changed", "child-snils-missing", "outage-technical-error")
GOLDEN = (
    Labelled("никак не вспомню пароль от госуслуг", frozenset({PASSWORD}), "plain"),
    Labelled("код из смс так и не приходит на телефон", frozenset({CODE}), "plain"),
    Labelled("перешли в другую школу, где теперь дневник", frozenset({TRANSFER}), "plain"),
    Labelled("во сколько начинается родительское собрание", frozenset(), "oos-near"),
)
STRANGE = "циферки на трубку не капают который час"


@dataclass
class School:
    """A desk with a small base of its own, a member of the staff and what they teach the bot."""

    desk: Desk
    knowledge: Knowledge
    member: Member
    learning: Learning

    def restarted(self) -> Learning:
        """What another process, or the same after a restart, knows."""
        return Learning(self.desk.database, self.knowledge, now=self.desk.clock.now, golden=lambda: GOLDEN)

    async def answered_question(self, parent: Someone, words: str = STRANGE) -> Case:
        """A question that a human has answered."""
        number = await self.desk.opens_question(parent, words)
        mine = next(each for each in self.desk._people.values() if each.name == "Мария")
        await mine.presses(f"answer:{number}")
        await mine.says("Проверьте номер в личном кабинете")
        await mine.waits()
        return await self.case(number)

    async def case(self, number: int) -> Case:
        async with self.desk.database.reading() as tx:
            now = self.desk.clock.now()
            case = await casework.case(tx, self.member, number, knowledge=self.knowledge, now=now)
        assert case is not None
        return case

    async def teaches(self, case: Case, slug: str, text: str) -> Attempt:
        """Propose and wait for what comes of it."""
        await self.learning.propose(self.member, case, slug=slug, text=text)
        await self.learning.settled()
        return await self.told(case)

    async def told(self, case: Case) -> Attempt:
        attempt = await self.learning.state(case.number)
        assert attempt is not None
        return attempt

    async def stored(self) -> Base:
        async with self.desk.database.reading() as tx:
            return base_from({entry.slug: entry.body for entry in await stored.everything(tx)})

    async def deeds(self) -> dict[str, int]:
        async with self.desk.database.reading() as tx:
            counted = await journal.count(tx)
        return {deed: number for deed, number in counted.items() if deed.startswith("phrasing")}


@cache
def small_base() -> Base:
    packaged = packaged_base()
    return base_from({slug: packaged.topics[slug].to_plain() for slug in TOPICS})


_built: list[Matcher] = []


def build(base: Base) -> Matcher:
    """An index that is built once for all tests that come to the same base."""
    known = next((each for each in _built if each.base == base), None)
    if known is None:
        _built.append(known := Matcher(base))
    return known


@pytest.fixture
async def school(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[School]:
    path = tmp_path / "helpdesk.db"
    shutil.copy(sqlite_template, path)
    database, clock = Database(f"sqlite:///{path}"), StoppedClock()
    async with database.transaction() as tx:
        plain = {slug: topic.to_plain() for slug, topic in small_base().topics.items()}
        await stored.seed(tx, plain, now=clock.now())
    knowledge = Knowledge(small_base(), load_region("adygea"), build=build)
    desk = Desk(database, knowledge, clock)
    colleague = await desk.known(await desk.colleague())
    async with database.reading() as tx:
        member = await members.of_person(tx, colleague.id)
    assert member is not None
    learning = Learning(database, knowledge, now=clock.now, golden=lambda: GOLDEN)
    yield School(desk, knowledge, member, learning)
    await learning.settled()
    await database.close()


async def test_a_learned_phrasing_answers_the_next_parent(school: School) -> None:
    anna, olga = await school.desk.parent(), await school.desk.parent("Ольга")
    topic = school.knowledge.base.topics[CODE]
    case = await school.answered_question(anna)
    assert not any(topic.answer.meaning[:30] in said.text for said in anna.heard)

    attempt = await school.teaches(case, CODE, f"  {STRANGE.capitalize()}\n")

    assert (attempt.stage, attempt.slug, attempt.text) == ("added", CODE, STRANGE.capitalize())
    assert (await school.stored()).topics[CODE].phrasings == (*topic.phrasings, STRANGE.capitalize())
    await olga.says(STRANGE)
    (told,) = await olga.waits()
    assert told.startswith(topic.answer.meaning[:20])
    assert await school.deeds() == {"phrasing_proposed": 1, "phrasing_added": 1}


async def test_another_topics_words_are_refused_and_change_nothing(school: School) -> None:
    case = await school.answered_question(await school.desk.parent())
    before = await school.stored()

    attempt = await school.teaches(case, TRANSFER, GOLDEN[0].text)

    assert attempt.stage == "refused"
    assert "хуже" in attempt.reason
    (worse,) = attempt.worse
    assert worse.text == GOLDEN[0].text
    assert before.topics[PASSWORD].title in worse.before
    assert worse.after == f"ответ «{before.topics[TRANSFER].title}»"
    assert await school.stored() == before
    assert (await school.knowledge.match(GOLDEN[0].text)).slug == PASSWORD


async def test_a_foreign_matter_is_not_learned(school: School) -> None:
    case = await school.answered_question(await school.desk.parent())

    attempt = await school.teaches(case, CODE, GOLDEN[3].text)

    assert attempt.stage == "refused"
    assert [each.text for each in attempt.worse] == [GOLDEN[3].text]
    assert attempt.worse[0].before == "бот не узнаёт вопрос"


async def test_words_that_stand_in_the_base_are_refused_with_the_topics_name(school: School) -> None:
    case = await school.answered_question(await school.desk.parent())
    topic = school.knowledge.base.topics[CODE]
    known = f"  {topic.phrasings[0].upper()} !"

    with pytest.raises(NotLearned, match=f"в теме «{topic.title}» уже есть"):
        await school.learning.propose(school.member, case, slug=CODE, text=known)
    with pytest.raises(NotLearned, match=f"в другой теме: «{topic.title}»"):
        await school.learning.propose(school.member, case, slug=PASSWORD, text=known)
    foreign = topic.not_here[0]
    with pytest.raises(NotLearned, match="отмечены как чужие"):
        await school.learning.propose(school.member, case, slug=CODE, text=foreign.text)
    with pytest.raises(NotLearned, match="Выберите тему"):
        await school.learning.propose(school.member, case, slug="no-such-topic", text=STRANGE)
    assert await school.learning.state(case.number) is None
    assert await school.deeds() == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "нет слов"),
        ("?!  …", "нет слов"),
        ("позвоните мне 8 918 123-45-67 код не пришёл", "длинное число"),
        ("снилс 123-456-789 00 не принимает", "длинное число"),
        ("сын родился 01.02.2015 не находит", "длинное число"),
        ("номер １２３４５ не принимает", "длинное число"),
        ("не приходит письмо на anna@mail.ru", "почты"),
        ("напишите мне @anna_m не пускает", "почты"),
        ("открываю https://dnevnik.ru и ничего", "ссылка"),
        ("смотрите t.me/anna там скрин", "ссылка"),
        ("вот esia.gosuslugi.ru/login/ белый экран", "ссылка"),
        ("не пускает " * 30, "длиннее 300"),
        ("Здравствуйте!", "не вопрос"),
        ("спасибо большое", "не вопрос"),
        ("пароль", "Одно слово"),
    ],
)
def test_what_does_not_belong_into_the_base_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotLearned, match=said):
        refuse_unfit(tidy(text))


@pytest.mark.parametrize(
    "text",
    [
        "не открывается gosuslugi.ru",
        "сыну 14 лет, 8 класс, школа 5",
        "пишет ошибка 1004",
        "с 1 сентября не пускает",
    ],
)
def test_what_parents_ask_may_hold_names_of_sites_and_short_numbers(text: str) -> None:
    refuse_unfit(tidy(text))


async def test_the_form_begins_with_the_parents_own_question(school: School) -> None:
    parent = await school.desk.parent()
    await parent.says("Добрый день")
    case = await school.answered_question(parent, "  не приходит\nкод ")
    assert first_words(case) == "не приходит код"

    long = await school.answered_question(await school.desk.parent("Ольга"), "дневник не открывается " * 30)
    assert len(first_words(long)) <= 300
    choice = await school.learning.choice(first_words(case))
    assert choice.likely[0].slug == CODE
    assert {topic.slug for _, topics in choice.sections for topic in topics} == set(TOPICS)


async def test_two_operators_are_served_one_after_another(school: School) -> None:
    first = await school.answered_question(await school.desk.parent())
    second = await school.answered_question(await school.desk.parent("Ольга"), "белиберда не та")
    third = await school.answered_question(await school.desk.parent("Инна"), "опять она самая")

    for case, text in ((first, STRANGE), (second, "смски как сквозь землю"), (third, STRANGE)):
        await school.learning.propose(school.member, case, slug=CODE, text=text)
    assert {(await school.told(case)).stage for case in (first, second, third)} == {"checking"}
    await school.learning.settled()

    phrasings = (await school.stored()).topics[CODE].phrasings
    assert phrasings[-2:] == (STRANGE, "смски как сквозь землю")
    assert (await school.told(first)).stage == (await school.told(second)).stage == "added"
    # Both saw a base without these words; the second to come is told whose they are now.
    assert "уже есть" in (await school.told(third)).reason


async def test_a_second_click_is_one_proposal_and_other_words_have_to_wait(school: School) -> None:
    case = await school.answered_question(await school.desk.parent())
    for _ in range(2):
        await school.learning.propose(school.member, case, slug=CODE, text=STRANGE)
    with pytest.raises(NotLearned, match="уже проверяется"):
        await school.learning.propose(school.member, case, slug=CODE, text="совсем другие слова")
    await school.learning.settled()
    await school.learning.propose(school.member, case, slug=CODE, text=STRANGE)

    assert (await school.told(case)).stage == "added"
    assert await school.deeds() == {"phrasing_proposed": 1, "phrasing_added": 1}


async def test_what_became_of_it_is_known_after_a_restart(school: School) -> None:
    added = await school.answered_question(await school.desk.parent())
    refused = await school.answered_question(await school.desk.parent("Ольга"), "другая беда у нас")
    await school.teaches(added, CODE, STRANGE)
    told = await school.teaches(refused, TRANSFER, GOLDEN[0].text)

    restarted = school.restarted()
    remembered = await restarted.state(added.number)
    assert remembered is not None
    assert (remembered.stage, remembered.slug, remembered.text) == ("added", CODE, STRANGE)
    remembered = await restarted.state(refused.number)
    assert remembered is not None
    assert (remembered.stage, remembered.reason, remembered.worse) == ("refused", told.reason, told.worse)


async def test_a_process_killed_in_between_leaves_everything_as_it_was(school: School) -> None:
    case = await school.answered_question(await school.desk.parent())
    before = await school.stored()
    await school.learning.propose(school.member, case, slug=CODE, text=STRANGE)
    for task in school.learning._tasks:
        task.cancel()
    await school.learning.settled()

    assert await school.stored() == before
    told = await school.learning.state(case.number)
    assert told is not None
    assert told.stage == "interrupted"
    # Another process cannot know at once whether the first one still works on it.
    elsewhere = school.restarted()
    seen = await elsewhere.state(case.number)
    assert seen is not None
    assert seen.stage == "checking"
    school.desk.clock.pass_by(LONGEST_CHECK)
    seen = await elsewhere.state(case.number)
    assert seen is not None
    assert seen.stage == "interrupted"
    await elsewhere.propose(school.member, case, slug=CODE, text=STRANGE)
    await elsewhere.settled()
    assert STRANGE in (await school.stored()).topics[CODE].phrasings


async def test_a_base_that_somebody_changes_meanwhile_is_checked_again(school: School) -> None:
    case = await school.answered_question(await school.desk.parent())
    asked = 0

    def golden() -> tuple[Labelled, ...]:
        nonlocal asked
        asked += 1
        return GOLDEN

    class Meddling(Knowledge):
        """Another process writes just while the first check goes on."""

        async def refresh(self, database: Database) -> bool:
            changed = await super().refresh(database)
            if asked == 0:
                plain = self.base.topics[PASSWORD].to_plain()
                plain["phrasings"].append("вылетело из головы словечко для входа")
                async with database.transaction() as tx:
                    now = await stored.moment_of_change(tx, school.desk.clock.now())
                    await stored.put(tx, PASSWORD, plain, now=now)
            return changed

    knowledge = Meddling(school.knowledge.base, school.knowledge.region, build=build)
    learning = Learning(school.desk.database, knowledge, now=school.desk.clock.now, golden=golden)
    await learning.propose(school.member, case, slug=CODE, text=STRANGE)
    await learning.settled()

    base = await school.stored()
    assert STRANGE in base.topics[CODE].phrasings
    assert "вылетело из головы словечко для входа" in base.topics[PASSWORD].phrasings
    assert asked == 2


async def test_a_lost_database_is_told_and_nothing_is_half_done(school: School) -> None:
    case = await school.answered_question(await school.desk.parent())

    def golden() -> tuple[Labelled, ...]:
        raise Unavailable("disk full")

    learning = Learning(school.desk.database, school.knowledge, now=school.desk.clock.now, golden=golden)
    await learning.propose(school.member, case, slug=CODE, text=STRANGE)
    await learning.settled()

    told = await learning.state(case.number)
    assert told is not None
    assert (told.stage, told.text) == ("refused", STRANGE)
    assert "База данных не отвечала" in told.reason
    assert STRANGE not in (await school.stored()).topics[CODE].phrasings


async def test_nothing_is_learned_before_the_parent_has_an_answer(school: School) -> None:
    number = await school.desk.opens_question(await school.desk.parent(), STRANGE)
    with pytest.raises(NotLearned, match="Сначала ответьте"):
        await school.learning.propose(
            school.member, await school.case(number), slug=CODE, text="код никак не идёт"
        )


async def test_two_processes_lose_none_of_their_words(school: School) -> None:
    first = await school.answered_question(await school.desk.parent())
    second = await school.answered_question(await school.desk.parent("Ольга"), "белиберда не та")
    knowledge = Knowledge(school.knowledge.base, school.knowledge.region, build=build)
    other = Learning(school.desk.database, knowledge, now=school.desk.clock.now, golden=lambda: GOLDEN)

    await school.learning.propose(school.member, first, slug=CODE, text=STRANGE)
    await other.propose(school.member, second, slug=CODE, text="смски как сквозь землю")
    await school.learning.settled()
    await other.settled()

    learned = (await school.stored()).topics[CODE].phrasings[-2:]
    assert set(learned) == {STRANGE, "смски как сквозь землю"}
    assert (await school.told(first)).stage == (await school.told(second)).stage == "added"
