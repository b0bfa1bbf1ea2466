"""The staff: they look at their phones in working hours, answer, pass on, forget, leave and are revoked."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation.checks import Checks
from tests.simulation.phones import Choice, Heard, Phone, case_in
from tests.simulation.rooms import Room
from tests.simulation.timeline import Timeline
from tests.simulation.world import School, Seat, Word, World

MOSCOW = ZoneInfo("Europe/Moscow")
OPENS, CLOSES = 9, 18
_CASE_BUTTONS = ("answer:", "take:")
_REFUSALS = (
    "не отправлен",
    "уже закрыт",
    "не виден",
    "не сотрудник",
    "другой школы",
    "уже отвечает",
    "не найден",
)
_ANSWERS = (
    "Проверили, исправили запись, попробуйте войти ещё раз",
    "Данные в школе верны, сверьте, пожалуйста, анкету на Госуслугах",
    "Подойдите, пожалуйста, в школу с документами",
    "Классный руководитель обновил список, дневник откроется",
)


@dataclass
class Habits:
    """How somebody works."""

    answers: float = 0.85
    """Share of the cases that they deal with."""
    every: float = 1500.0
    """Seconds between two looks at the phone, on average."""
    notes: float = 0.1
    """Share of the cases to which they write a note for their colleagues."""
    leaves_at: datetime | None = None
    blocks_at: datetime | None = None


@dataclass
class News:
    """What is new in a case since the member looked last."""

    number: int
    heard: Heard
    words: set[str] = field(default_factory=set)


class Colleague:
    """One member of the staff."""

    def __init__(
        self,
        phone: Phone,
        *,
        world: World,
        checks: Checks,
        timeline: Timeline,
        seats: list[Seat],
        habits: Habits,
        chance: Random,
    ) -> None:
        self.phone = phone
        self.seats = seats
        self.room: Room | None = None
        """The group chat where they work with colleagues."""
        self._world = world
        self._checks = checks
        self._timeline = timeline
        self._habits = habits
        self._chance = chance
        self._later: list[Heard] = []
        """News of other cases that came while one was dealt with."""
        self._incidents: list[Heard] = []
        self._gone = False

    async def joins(self, token: str) -> None:
        """Come by the invitation."""
        await self._event("start", self.phone.starts(token))
        heard = await self.phone.inbox.rest(quiet=3, within=60)
        if not any("в команде" in each.text for each in heard):
            self._checks.complain("not_joined", f"{self.phone.place}: {[each.text for each in heard]}")
        self._count("staff joined")

    async def works(self, *, end: float) -> None:
        """Look at the phone again and again until the week's end."""
        while self._timeline.monotonic() < end and not self._gone:
            await self._timeline.sleep(self._chance.expovariate(1 / self._habits.every))
            await self._until_opening()
            if await self._goes_away():
                return
            for news in self._reads().values():
                await self._deals_with(news)
            waiting, self._incidents = self._incidents, []
            for heard in waiting:
                await self._deals_with_incident(heard)

    def revoked(self) -> None:
        """Somebody above took the role away."""
        self._gone = True
        self._leaves_seats()
        self._count("staff revoked")

    # ---- the day

    async def _until_opening(self) -> None:
        now = self._timeline.now().astimezone(MOSCOW)
        while not (now.weekday() < _SATURDAY and OPENS <= now.hour < CLOSES):
            later = now + timedelta(days=0 if now.hour < OPENS else 1)
            opening = later.replace(hour=OPENS, minute=self._chance.randrange(40), second=0)
            await self._timeline.until(opening)
            now = self._timeline.now().astimezone(MOSCOW)

    async def _goes_away(self) -> bool:
        now = self._timeline.now()
        if self._habits.blocks_at is not None and now > self._habits.blocks_at:
            await self._event("block", self.phone.blocks())
            self._count("staff who blocked the bot")
            return True
        if self._habits.leaves_at is not None and now > self._habits.leaves_at:
            await self._leaves()
            return True
        return self._gone

    async def _leaves(self) -> None:
        await self._event("staff text", self.phone.says("/leave"))
        for _ in range(4):
            heard = await self.phone.inbox.rest(quiet=3, within=30)
            if any("больше не сотрудник" in each.text for each in heard):
                break
            offers = [(each, choice) for each in heard for choice in each.choices if choice.deed == "leave"]
            if not offers:
                break
            await self._event("staff press", self.phone.presses(*offers[-1]))
        self._leaves_seats()
        self._count("staff who left")

    def _leaves_seats(self) -> None:
        for seat in self.seats:
            seat.until = seat.until or self._timeline.now()

    # ---- cases

    def _reads(self) -> dict[int, News]:
        """Everything that came, by case: the last message that can be answered."""
        found: dict[int, News] = {}
        later, self._later = self._later, []
        for heard in (*later, *self.phone.inbox.unread()):
            if heard.offers("inc:") is not None and self._is_at(heard):
                self._incidents.append(heard)
                continue
            number = _case_of(heard)
            if number is None or not (self._is_at(heard)):
                continue
            known = found.get(number)
            words = {word.marker for word in self._world.found(heard.text) if word.kind == "parent"}
            # A message without the buttons of the case is no news to act upon.
            if heard.offers(*_CASE_BUTTONS) is not None or known is not None:
                base = known.words if known else set()
                shown = heard if heard.offers(*_CASE_BUTTONS) is not None or known is None else known.heard
                found[number] = News(number, shown, base | words)
        return found

    async def _deals_with(self, news: News) -> None:
        if not self._is_at(news.heard):
            return
        if not self._is(self._habits.answers):
            self._count("cases left lying by a member")
            return
        if self._is(0.3):
            await self._presses(news, f"take:{news.number}")
        if self._is(self._habits.notes):
            await self._notes(news)
        if self._is(0.03):
            await self._presses(news, f"urgent:{news.number}")
        if self._is(0.05):
            await self._passes_on(news)
            return
        way = self._chance.choices(
            (self._replies, self._answers_by_button, self._answers_by_template), weights=(5, 3, 2)
        )[0]
        sent = await way(news)
        if sent is not None and not sent.refused and self._is(0.45):
            await self._timeline.sleep(self._chance.uniform(20, 900))
            await self._closes(news)

    async def _deals_with_incident(self, heard: Heard) -> None:
        """One answer for all, or each case by itself."""
        if not (self._is_at(heard) and self._is(self._habits.answers)):
            return
        if self._is(0.25):
            await self._splits(heard)
            return
        choice = heard.offers(f"{_incident_of(heard)}:answer")
        asked = _asking(await self._press(heard, choice, number=0)) if choice is not None else None
        if asked is None:
            return
        school = next((each for each in self._schools() if each.name in heard.text), None)
        word = self._world.word("answer", self.phone.place, self._timeline.now(), to_all_of=school)
        await self._writes("staff text", _with(word, self._chance), reply_to=asked)
        for told in await self._listens(0):
            if "Вопросы:" in told.text:
                word.told |= {int(number) for number in _TOLD.findall(told.text.partition("Вопросы:")[2])}
        word.refused = not word.told
        self._count("incidents answered")

    async def _splits(self, heard: Heard) -> None:
        choice = heard.offers(f"{_incident_of(heard)}:split")
        asked = await self._press(heard, choice, number=0) if choice is not None else []
        sure = _last_choice(asked, lambda each: each.payload.endswith(":split:yes"), chance=self._chance)
        if sure is not None:
            await self._press(*sure, number=0)
            self._count("incidents split")

    def _schools(self) -> list[School]:
        ids = {number for seat in self.seats for number in seat.school_ids}
        own = [school for school in self._world.schools if school.id in ids]
        return [*own, *self._world.schools]

    async def _replies(self, news: News) -> Word | None:
        word = self._answer(news)
        word.refused = not self._is_at(news.heard)
        await self._writes("staff reply", _with(word, self._chance), reply_to=news.heard)
        await self._hears_fate(word)
        return word

    async def _answers_by_button(self, news: News) -> Word | None:
        deed = "ask" if self._is(0.25) else "answer"
        asked = _asking(await self._presses(news, f"{deed}:{news.number}"))
        if asked is None:
            return None
        word = self._answer(news)
        await self._writes("staff text", _with(word, self._chance), reply_to=asked)
        await self._hears_fate(word)
        self._count("parents asked by the staff" if deed == "ask" else "answers by button")
        return word

    async def _answers_by_template(self, news: News) -> Word | None:
        heard = await self._presses(news, f"tpl:{news.number}")
        chosen = _last_choice(
            heard, lambda choice: choice.payload.startswith(f"tpl:{news.number}:"), chance=self._chance
        )
        if chosen is None:
            return await self._replies(news)
        heard = await self._press(*chosen, number=news.number)
        send = _last_choice(heard, lambda choice: choice.label == "Отправить", chance=self._chance)
        if send is None:
            return None
        await self._press(*send, number=news.number)
        self._count("templates sent")
        return None

    async def _notes(self, news: News) -> None:
        asked = _asking(await self._presses(news, f"note:{news.number}"))
        if asked is None:
            return
        word = self._world.word("note", self.phone.place, self._timeline.now(), case=news.number)
        await self._writes("staff note", f"для своих: {word.marker}", reply_to=asked)
        await self._listens(news.number)

    async def _passes_on(self, news: News) -> None:
        """Up, where everybody keeps it in reach, or to another school, which alone has it then."""
        heard = await self._presses(news, f"pass:{news.number}")
        to = self._chance.choice(self._world.schools) if self._is(0.4) else None
        if to is not None:
            await self._passes_to_school(news, heard, to)
            return
        up = _last_choice(heard, lambda choice: choice.payload.endswith(_HIGHER), chance=self._chance)
        if up is None:
            return
        why = _asking(await self._press(*up, number=news.number))
        if why is not None:
            await self._gives_reason(news, why)
            self._count("passed up by hand")

    async def _passes_to_school(self, news: News, heard: list[Heard], to: School) -> None:
        find = _last_choice(heard, lambda choice: choice.payload.endswith(":find"), chance=self._chance)
        case = self._world.cases.get(news.number)
        if find is None or case is None:
            return
        asked = _asking(await self._press(*find, number=news.number))
        if asked is None:
            return
        await self._writes("staff text", to.spoken, reply_to=asked)
        wanted = f"pass:{news.number}:s{to.id}"
        heard = await self._listens(news.number)
        chosen = _last_choice(heard, lambda choice: choice.payload == wanted, chance=self._chance)
        if chosen is None:
            return
        why = _asking(await self._press(*chosen, number=news.number))
        if why is None:
            return
        now = self._timeline.now()
        before = [stay.school for stay in case.stays if stay.until is None and stay.school != to]
        self._world.belongs(case.place, to, now)
        told = await self._gives_reason(news, why)
        if any("ередан" in each.text for each in told):
            for school in before:
                self._world.belongs_no_more(case.place, school, now)
            self._count("passed to another school")
        else:
            self._world.belongs_no_more(case.place, to, now)

    async def _gives_reason(self, news: News, asked: Heard) -> list[Heard]:
        word = self._world.word("note", self.phone.place, self._timeline.now(), case=news.number)
        await self._writes("staff note", f"не можем сами: {word.marker}", reply_to=asked)
        return await self._listens(news.number)

    async def _closes(self, news: News) -> None:
        await self._presses(news, f"close:{news.number}")
        self._count("closed by the staff")

    # ---- what all deeds are made of

    def _answer(self, news: News) -> Word:
        return self._world.word("answer", self.phone.place, self._timeline.now(), case=news.number)

    async def _hears_fate(self, word: Word) -> None:
        heard = await self._listens(word.case)
        if any(sign in each.text for each in heard for sign in _REFUSALS) and not word.reached:
            word.refused = True
            self._count("answers refused in words")

    async def _presses(self, news: News, payload: str) -> list[Heard]:
        choice = news.heard.offers(payload)
        return await self._press(news.heard, choice, number=news.number) if choice is not None else []

    async def _press(self, heard: Heard, choice: Choice, *, number: int) -> list[Heard]:
        if heard.place == self.phone.place:
            await self._event("staff press", self.phone.presses(heard, choice))
        elif self._is_there(heard):
            assert self.room is not None
            await self._event("staff press", self.room.presses(self.phone, heard, choice))
        return await self._listens(number)

    async def _writes(self, kind: str, text: str, *, reply_to: Heard) -> None:
        """In the chat where the message is that is answered; in one's own chat a quote is not needed."""
        if reply_to.place == self.phone.place:
            quotes = reply_to if kind == "staff reply" or self._is(0.3) else None
            await self._event(kind, self.phone.says(text, reply_to=quotes))
        elif self._is_there(reply_to):
            assert self.room is not None
            await self._event(f"{kind} in a group", self.room.writes(self.phone, text, reply_to=reply_to))

    def _is_at(self, heard: Heard) -> bool:
        return heard.place == self.phone.place or self._is_there(heard)

    def _is_there(self, heard: Heard) -> bool:
        return self.room is not None and self.room.is_open and self.room.holds(heard)

    async def _listens(self, number: int) -> list[Heard]:
        """What is said at once; news of other cases are read later."""
        heard = await self.phone.inbox.rest(quiet=3, within=20)
        others = [each for each in heard if _case_of(each) not in {None, number} and number]
        self._later += others
        return [each for each in heard if each not in others]

    async def _event(self, kind: str, deed: Awaitable[Any]) -> Any:
        self._count(f"events: {kind}")
        return await deed

    def _is(self, share: float) -> bool:
        return self._chance.random() < share

    def _count(self, what: str) -> None:
        self._world.counts[what] += 1


_SATURDAY = 5
_TOLD = re.compile(r"№ (\d+)")
_HIGHER = (":municipal", ":ministry")


def _case_of(heard: Heard) -> int | None:
    button = heard.offers(*_CASE_BUTTONS)
    if button is not None:
        return int(button.payload.split(":")[1])
    return case_in(heard.text)


def _last_choice(
    heard: list[Heard], wanted: Callable[[Choice], bool], *, chance: Random
) -> tuple[Heard, Choice] | None:
    found = [(each, choice) for each in heard for choice in each.choices if wanted(choice)]
    return chance.choice(found) if found else None


def _incident_of(heard: Heard) -> str:
    """How the buttons of the incident begin."""
    button = heard.offers("inc:")
    return button.payload.rpartition(":")[0] if button is not None else "inc:0"


def _asking(heard: list[Heard]) -> Heard | None:
    """The message that asks for words."""
    return next((each for each in heard if "апишите" in each.text), None)


def _with(word: Word, chance: Random) -> str:
    return f"{chance.choice(_ANSWERS)}. {word.marker}"
