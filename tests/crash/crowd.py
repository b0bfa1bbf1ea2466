"""People who go on writing whatever happens, and whose every word must be answered."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.clock import SystemClock
from handlers.texts import basics as texts
from handlers.texts import photos as texts_photos
from tests.crash.processes import COLD_START_SECONDS, until

PATIENCE = COLD_START_SECONDS + 40.0
"""Real seconds for an answer, dead helpdesks and the cold start of the last one on the way included."""
TRANSCRIPT_LINES = 25
"""The end of a conversation is told when it fails: whoever reads it often sees only the first lines."""
SCHOOL = "школа 5, город Майкоп, Адыгея."
LINES = 4
"""Messages of each parent to the colleague who has the question."""

_clock = SystemClock()
Phone = Any
"""A person of either emulator: both have the same habits."""


@dataclass(frozen=True)
class Question:
    """What a parent asks, and how the only right answer begins."""

    text: str
    answer: str


@dataclass
class Guest:
    """Somebody with a phone and a list of what they must hear, once each and in this order."""

    name: str
    phone: Phone
    owed: list[str] = field(default_factory=list)
    hears_two: bool = False
    """A colleague and the bot write to them at the same time: either may come first."""

    async def hears(self, words: str) -> Any:
        """Wait for the answer that is due."""
        self.owed.append(words)
        try:
            return await self.phone.hears(words, timeout=PATIENCE)
        except AssertionError as error:
            raise AssertionError(_shortened(str(error))) from None

    @property
    def heard(self) -> list[Any]:
        """Everything the helpdesk said here."""
        return [message for message in self.phone.chat if message.from_bot]


class Crowd:
    """Askers, pressers and families with a colleague, all at once until they are told to stop."""

    def __init__(
        self,
        new_phone: Callable[[str], Phone],
        questions: Sequence[Question],
        *,
        pace: float,
        seed: int,
        replies: bool,
    ) -> None:
        """`pace` is the seconds between two messages to one chat that the messenger permits.

        With `replies` every other question is answered by replying to its card. On Telegram that may fail:
        of a card that was sent twice only the second has a number that we know.
        """
        self._new_phone = new_phone
        self._questions = questions
        self._pace = pace
        self._replies = replies
        self._random = random.Random(seed)
        self._enough = asyncio.Event()
        self._spoke = asyncio.Condition()
        self._asked = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self.guests: list[Guest] = []
        self.answering = Guest("Мария", new_phone("Мария"))
        self.watching = Guest("Олег", new_phone("Олег"))
        self.tickets: list[int] = []

    def begin(self) -> None:
        """Start talking; both colleagues have joined."""
        work = [self._ask() for _ in range(4)]
        work += [self._press() for _ in range(2)]
        work += [self._call_people_one_by_one()]
        self._tasks = [asyncio.create_task(each) for each in work]

    async def end(self) -> None:
        """Finish the sentences that were begun and hear the last answers."""
        self._enough.set()
        await asyncio.gather(*self._tasks)

    async def cancel(self) -> None:
        """Fall silent at once, for a test that has failed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def check_alive(self) -> None:
        """Raise what a talk has failed with."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def a_word(self) -> None:
        """Wait until somebody does something next."""
        async with self._spoke:
            await self._spoke.wait()

    async def a_question(self) -> None:
        """Wait until somebody asks something next."""
        async with self._asked:
            await self._asked.wait()

    async def join(self, token: Callable[[], Awaitable[str]]) -> None:
        """Make both colleagues members of the staff; `token` gives a fresh invitation."""
        for colleague in (self.answering, self.watching):
            await colleague.phone.start(f"join-{await token()}")
            await colleague.hears("вы в команде")
            await colleague.hears(texts.NO_OPEN_TICKETS)

    # Who does what

    async def _ask(self) -> None:
        """A parent with one question after the other, each answered before the next."""
        guest = await self._newcomer()
        order = self._random.sample(self._questions, len(self._questions))
        for question in order:
            if self._enough.is_set():
                return
            await self._do(guest.phone.says(question.text))
            await _notify(self._asked)
            await guest.hears(question.answer)
            await self._do(guest.phone.presses(texts.BUTTON_HELPED))
            await guest.hears(texts.HELPED)

    async def _press(self) -> None:
        """A parent who presses a button again and again without waiting."""
        guest = await self._newcomer()
        presses = 0
        while not self._enough.is_set():
            await self._do(guest.phone.presses(texts.BUTTON_SECTIONS))
            presses += 1
        for _ in range(presses):
            await guest.hears(texts.CHOOSE_SECTION)

    async def _call_people_one_by_one(self) -> None:
        while not self._enough.is_set():
            await self._call_a_human()

    async def _call_a_human(self) -> None:
        """A parent whose question a colleague takes over and answers with a photo."""
        guest = await self._newcomer()
        await self._do(guest.phone.says("/human"))
        await guest.hears(texts.ASK_SCHOOL[:40])
        await self._do(guest.phone.says(SCHOOL))
        told = await guest.hears("Передал вопрос сотрудникам")
        found = re.search(r"номер (\d+)", told.words)
        assert found is not None, told.words
        number = int(found[1])
        self.tickets.append(number)
        guest.hears_two = True
        async with asyncio.TaskGroup() as both:
            both.create_task(self._write_lines(guest, number))
            if self._replies and number % 2:
                both.create_task(self._reply(number))
                both.create_task(self._hear_answer(guest, number))
            else:
                both.create_task(self._answer_with_photo(number))
                both.create_task(self._hear_photo(guest, number))
        for line in _lines(guest.name):
            await self.answering.hears(line)
        await self._do(guest.phone.presses(texts.BUTTON_SOLVED))
        await guest.hears(texts.ticket_solved(number)[:30])
        await self.answering.hears(texts.parent_closed(number))

    async def _write_lines(self, guest: Guest, number: int) -> None:
        for place, line in enumerate(_lines(guest.name)):
            if place == 1:
                await self._do(guest.phone.sends_photo(caption=line))
            else:
                await self._do(guest.phone.says(line))
        await guest.hears("Сначала проверьте снимок")
        await self._do(guest.phone.presses(texts_photos.button_send(["photo"])))
        await guest.hears(texts_photos.sent(["photo"]))
        shown = await self.answering.hears(f"№ {number}, {guest.name} подтвердил(а)")
        assert shown.photo is not None, shown.words

    async def _answer_with_photo(self, number: int) -> None:
        await self.answering.hears(_card(number))
        await self._do(self.answering.phone.presses(texts.BUTTON_ANSWER))
        await self.answering.hears(texts.write_answer(number))
        await self._do(self.answering.phone.sends_photo(caption=f"Смотрите снимок к вопросу {number}"))
        await self.answering.hears(texts.answer_sent(number))

    async def _reply(self, number: int) -> None:
        card = await self.answering.hears(_card(number))
        await self._do(self.answering.phone.says(f"Исправили вопрос {number}", reply_to=card))
        await self.answering.hears(texts.answer_sent(number))

    async def _hear_answer(self, guest: Guest, number: int) -> Any:
        return await guest.hears(f"Ответ министерства на вопрос № {number}")

    async def _hear_photo(self, guest: Guest, number: int) -> None:
        answer = await self._hear_answer(guest, number)
        assert answer.photo is not None, answer.words

    async def _newcomer(self) -> Guest:
        name = f"Гость{len(self.guests) + 1}"
        guest = Guest(name, self._new_phone(name))
        self.guests.append(guest)
        await self._do(guest.phone.start())
        await guest.hears(texts.NOTICE[:40])
        return guest

    async def _do(self, deed: Awaitable[Any]) -> None:
        await deed
        await _notify(self._spoke)
        await _clock.sleep(self._pace * self._random.uniform(1.0, 1.5))


@dataclass(frozen=True)
class Account:
    """What became of everything that people were owed."""

    answers: int
    repeats: int
    wrong: list[str]
    """Sentences about what was lost, doubled where it must not be, or was never due."""


def settle_accounts(crowd: Crowd, *, exactly_once: bool, in_order: bool) -> Account:
    """Compare what everybody heard with what they were owed."""
    answers = repeats = 0
    wrong: list[str] = []
    everybody = [*crowd.guests, crowd.answering]
    for guest in everybody:
        # Notices yield to replies.
        ordered = in_order and guest is not crowd.answering and not guest.hears_two
        more, complaints = (_compare_in_order if ordered else _compare)(guest)
        answers += len(guest.owed)
        repeats += more
        wrong += complaints
        if exactly_once and more:
            wrong.append(f"{guest.name}: повторов {more}\n{guest.phone.transcript()}")
    more, complaints = _watched(crowd)
    repeats += more
    wrong += complaints
    if exactly_once and more:
        wrong.append(f"{crowd.watching.name}: повторов {more}\n{crowd.watching.phone.transcript()}")
    return Account(answers, repeats, wrong)


async def all_heard(crowd: Crowd) -> None:
    """Wait until nobody is owed a word."""
    waiting = [*crowd.guests, crowd.answering]

    def are_content() -> bool:
        return all(len(guest.heard) >= len(guest.owed) for guest in waiting)

    await until(are_content, lambda: "не всем ответили", patience=PATIENCE)


def _compare_in_order(guest: Guest) -> tuple[int, list[str]]:
    """Walk through both lists; a repeat is what was due a moment ago."""
    place = repeats = 0
    for message in guest.heard:
        if place < len(guest.owed) and guest.owed[place] in message.words:
            place += 1
        elif place and guest.owed[place - 1] in message.words:
            repeats += 1
        else:
            expected = guest.owed[place] if place < len(guest.owed) else "ничего"
            return repeats, [f"{guest.name}: ждали {expected!r}\n{guest.phone.transcript()}"]
    lost = [f"{guest.name}: не услышано {words!r}" for words in guest.owed[place:]]
    return repeats, lost


def _compare(guest: Guest) -> tuple[int, list[str]]:
    """Count without regard to order."""
    owed = Counter(guest.owed)
    heard = Counter(next((words for words in owed if words in one.words), None) for one in guest.heard)
    unexpected = heard.pop(None, 0)
    wrong = [f"{guest.name}: лишних слов {unexpected}\n{guest.phone.transcript()}"] if unexpected else []
    wrong += [f"{guest.name}: не услышано {words!r}" for words in (owed - heard).elements()]  # type: ignore[operator]
    return (heard - owed).total(), wrong  # type: ignore[operator]


def _watched(crowd: Crowd) -> tuple[int, list[str]]:
    """The colleague who only looks on sees each card once, and nothing twice."""
    seen = Counter(message.words for message in crowd.watching.heard)
    cards = [sum(_card(number) in words for words in seen) for number in crowd.tickets]
    lost = [
        f"Олег: карточек вопроса {number}: {count}"
        for number, count in zip(crowd.tickets, cards, strict=True)
        if count != 1
    ]
    return sum(count - 1 for count in seen.values()), lost


def _shortened(complaint: str) -> str:
    first, *transcript = complaint.splitlines()
    skipped = ["…"] if len(transcript) > TRANSCRIPT_LINES else []
    return "\n".join([first, *skipped, *transcript[-TRANSCRIPT_LINES:]])


def _lines(name: str) -> Iterator[str]:
    return (f"Строка {number} пишет {name}." for number in range(1, LINES + 1))


def _card(number: int) -> str:
    return f"Вопрос № {number}\nШкола"


async def _notify(happened: asyncio.Condition) -> None:
    async with happened:
        happened.notify_all()
