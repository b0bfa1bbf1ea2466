"""Parents: they greet, ask, mistype, correct themselves, send photos, block the bot and come back."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

from tests import noise
from tests.simulation.checks import Checks
from tests.simulation.phones import Choice, Ear, Heard, Phone, case_in
from tests.simulation.timeline import Timeline
from tests.simulation.troubles import CARD_WORDS, line, tap, trouble_of_one
from tests.simulation.world import Case, School, Word, World
from tests.ways_to_leaves import Way

Wish = Literal["greets", "asks", "case", "floods"]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
_DATA = Path(__file__).parents[1] / "data"
_TROUBLES = (
    "не могу войти в дневник, пишет что нет связи со школой",
    "после входа пустой экран, оценок нет совсем",
    "дневник пишет, что такого ученика нет",
    "не вижу вторую дочь в дневнике",
    "данные не совпадают, что делать дальше не знаю",
    "уже третий день не пускает в дневник",
    "ребёнка перевели в другой класс, а в дневнике старый",
    "вход не работает, перепробовали всё",
    "всё сломано, ничего не понимаю",
    "написано обратитесь в школу, куда писать",
    "учётную запись создали, но дневник пустой",
    "не открывается дневник ни с телефона, ни с компьютера",
)
_SAYS_MORE = (
    "забыла сказать: класс 5 Б",
    "на телефоне то же самое",
    "попробовали ещё раз, не помогло",
    "а когда посмотрите?",
    "это срочно, завтра контрольная",
    "ещё не видно расписания",
    "муж тоже пробовал, не пускает",
)
_CALLS = ("/human", "позовите человека", "нужен сотрудник", "оператор")
_THANKS = ("спасибо", "Спасибо большое!", "благодарю", "ок, спасибо")


class Parent:
    """One parent's week."""

    def __init__(
        self,
        phone: Phone,
        *,
        ear: Ear,
        world: World,
        checks: Checks,
        timeline: Timeline,
        school: School,
        other_school: School | None = None,
        chance: Random,
    ) -> None:
        self.phone = phone
        self._world = world
        self._checks = checks
        self._timeline = timeline
        self._school = school
        self._other_school = other_school
        self._chance = chance
        self._case: Case | None = None
        self._said: list[tuple[Any, Word]] = []
        self._blocked = False
        self._with_staff = False
        self._is_gone = False
        self._calls = False
        """They want a human, and look for the number of their case themselves."""
        self._last: Word | None = None
        """What was said or corrected last."""
        self._asked_to_wait = 0
        self._end = 0.0
        self._old: deque[Heard] = deque(maxlen=_KEPT)
        """Messages with buttons that lie in the chat still."""
        ear.listen(phone.place, self._notices)

    # ---- the week

    async def lives(self, wish: Wish, *, end: float, way: Way | None = None) -> None:
        """Do what one came for; a case is followed until the week's `end` (simulated seconds).

        `way` is a trouble that others have, too.
        """
        self._end = end
        self._count(f"parents: {wish}")
        starts = wish == "greets" or self._is(0.7)
        if starts:
            await self._starts()
        if wish == "greets":
            return
        if wish == "asks":
            await self._asks(_question(self._chance))
            await self._goes_on_with_bot()
            return
        if way is None and self._is(_LETS_BOT_SEARCH):
            way = trouble_of_one(self._chance)
        if way is not None:
            await self._says(way.message)
        else:
            await self._asks(self._chance.choice(_TROUBLES))
        if not await self._gets_human(self._school, way):
            return
        if wish == "floods":
            await self._floods()
        await self._follows()

    async def _starts(self) -> None:
        by_link = self._is(0.3)
        await self._event("start", self.phone.starts(f"school-{self._school.code}" if by_link else ""))
        if by_link:
            self._world.belongs(self.phone.place, self._school, self._timeline.now())
        await self._expects_words("greeting")
        await self._timeline.sleep(self._chance.uniform(2, 60))

    async def _asks(self, question: str) -> None:
        if self._is(0.25):
            question = noise.typos(question, seed=self._chance.randrange(10**6))
        sent, word = await self._says(question)
        if self._is(0.1):
            await self._timeline.sleep(0.8)
            await self._event("edit", self.phone.edits(sent, f"{question}, извините. {word.marker}"))
        await self._expects_words(f"answer to {word.marker} {word.text!r}")

    async def _goes_on_with_bot(self) -> None:
        await self._timeline.sleep(self._chance.uniform(5, 90))
        if self._is(0.3):
            await self._event("text", self.phone.says(self._chance.choice(_THANKS)))
            await self._expects_words("thanks")
        elif self._is(0.2):
            await self._says(_question(self._chance))
            await self._expects_words("second answer")

    def _notices(self, heard: Heard) -> None:
        """What the phone shows at once, long before it is read."""
        number = case_in(heard.text)
        if self._case is not None and number is not None:
            if "снова открыт" in heard.text:
                self._with_staff = True
                # Opened by a button, it waits for words; opened by words, these are for the staff.
                is_by_words = "Напишите, пожалуйста" not in heard.text
                if is_by_words and self._last is not None and not self._last.is_unwanted:
                    self._last.is_for_people = True
            elif "закры" in heard.text and number == self._case.number:
                self._with_staff = False
        if heard.choices:
            self._old.append(heard)
        if "сотрудники этого не увидели" in heard.text:
            self._takes_photos_back()
        opened = _number_of_opened([heard])
        if opened is not None and self._calls and self._case is None:
            # An answer may come before the parent has read that there is a case.
            self._world.opened(opened, self.phone.place, self._timeline.now())
        if opened is not None and self._case is None and not self._calls:
            self._opened(opened)  # the bot did not understand twice, and the parent said no more
        elif opened is not None and self._case is not None and opened not in self._world.cases:
            self._count("second cases of a parent")
            self._opened(opened, words=1)
        self._asked_to_wait += heard.text.startswith("Пишете быстрее")
        self.phone.inbox.put(heard)

    # ---- the way to people

    async def _gets_human(self, school: School, way: Way | None = None) -> bool:
        """Call a human, or answer the bot until it offers one; whether a case was opened."""
        self._calls = True
        now = self._timeline.now()
        names_school = self._is(0.95)
        self._world.belongs(self.phone.place, school if names_school else None, now)
        if way is None:
            await self._timeline.sleep(self._chance.uniform(3, 40))
            await self._event("text", self.phone.says(self._chance.choice(_CALLS)))
        taps: set[str] = set()
        for _ in range(8 if way is None else 20):
            heard = await self.phone.inbox.rest(quiet=4, within=30)
            if not heard:
                await self._event("text", self.phone.says("/human"))
                continue
            if (number := _number_of_opened(heard)) is not None:
                self._opened(number)
                await self._corrects_school(heard, school)
                return True
            await self._timeline.sleep(self._chance.uniform(1, 15))
            if way is None or not await self._lets_bot_search(heard[-1], way, taps):
                await self._tells(heard[-1], school, names_school=names_school)
        self._checks.complain(
            "no_human", f"{self.phone.place} не дозвался человека; услышал: {heard!r}"[:400]
        )
        return False

    async def _lets_bot_search(self, heard: Heard, way: Way, taps: set[str]) -> bool:
        """Answer a question of the diagnosis, or of the card that it fills; False: it was none."""
        if heard.offers("line:skip") is not None:
            choice = line(heard, self._chance)
            if choice is None:
                await self._says(self._chance.choice(CARD_WORDS))
                return True
        else:
            choice = tap(way, heard, done=taps, chance=self._chance)
        if choice is None:
            return False
        taps.add(choice.payload)
        self._count("taps of the diagnosis")
        await self._event("press", self.phone.presses(heard, choice))
        return True

    async def _tells(self, heard: Heard, school: School, *, names_school: bool) -> None:
        # The text above the buttons names each school in full: whoever reads it finds their own.
        own = heard.offers(f"sch:{school.id}")
        skip = heard.offers("noschool")
        if not names_school and skip is not None:
            await self._event("press", self.phone.presses(heard, skip))
        elif own is not None:
            await self._event("press", self.phone.presses(heard, own))
        elif (as_it_is := heard.offers("line:all")) is not None:
            await self._event("press", self.phone.presses(heard, as_it_is))
        elif skip is not None or "школ" in heard.text.casefold():
            await self._event("text", self.phone.says(school.spoken))
        else:
            await self._event("text", self.phone.says("/human"))

    async def _corrects_school(self, heard: list[Heard], school: School) -> None:
        """The bot names the school back: a parent who reads another one says so."""
        named = next((each for each in heard if "Школа: " in each.text), None)
        if named is None or school.name in named.text:
            return
        self._count("schools misunderstood")
        other = named.offers("sch:other")
        if other is not None:
            await self._event("press", self.phone.presses(named, other))
            await self.phone.inbox.rest(quiet=3, within=30)
            await self._event("text", self.phone.says(school.spoken))

    def _opened(self, number: int, *, words: int = 6) -> None:
        """The last words, said before it was opened, are for the staff now."""
        self._case = self._world.opened(number, self.phone.place, self._timeline.now())
        self._with_staff = True
        self._count("cases opened")
        written = [word for _, word in self._said if word.kind == "parent"]
        for word in written[-words:]:
            word.is_for_people = True
            word.opens = number

    # ---- a case

    async def _follows(self) -> None:
        plan = self._plan()
        while self._timeline.monotonic() < self._end and not self._is_gone:
            until = plan[0][0] if plan else self._end
            heard = await self.phone.inbox.next(within=max(0.0, until - self._timeline.monotonic()))
            if heard is not None:
                await self._reacts(heard)
            elif plan:
                await plan.pop(0)[1]()

    def _plan(self) -> list[tuple[float, Callable[[], Awaitable[None]]]]:
        """What the parent will do of themselves, and when."""
        wishes: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (0.5, self._says_more),
            (0.25, self._says_more),
            (0.12, self._corrects),
            (0.15, self._sends_album),
            (0.04, self._sends_voice),
            (0.05, self._blocks),
            (0.06, self._goes_back_to_bot),
            (0.15, self._asks_for_own_question),
            (0.1, self._presses_old_button),
            (0.03, self._asks_to_be_forgotten),
        ]
        now = self._timeline.monotonic()
        plan = [
            (
                now
                + self._chance.choice((MINUTE, 10 * MINUTE, 3 * HOUR, DAY)) * self._chance.uniform(0.2, 1.5),
                do,
            )
            for share, do in wishes
            if self._is(share)
        ]
        if self._other_school is not None:
            plan.append((now + self._chance.uniform(DAY, 3 * DAY), self._asks_for_other_child))
        return sorted(plan, key=lambda planned: planned[0])

    async def _reacts(self, heard: Heard) -> None:
        await self._timeline.sleep(self._chance.uniform(2, 300))
        if (send := heard.offers("photo:send")) is not None:
            await self._checks_photos(heard, send)
        elif (mark := heard.offers("mark:")) is not None and heard.offers("unsolved:") is not None:
            await self._is_asked_for_mark(heard, mark)
        elif "Получилось войти" in heard.text and heard.choices:
            chosen = heard.choices[0] if self._is(0.75) else heard.choices[1]
            await self._event("press", self.phone.presses(heard, chosen))
            self._count("follow-ups answered")
        elif any(word.kind == "answer" for word in self._world.found(heard.text)):
            await self._is_answered(heard)

    async def _is_answered(self, heard: Heard) -> None:
        self._count("answers read")
        solved = heard.offers("solved:")
        if self._is(0.2):
            await self._says_more()
        elif self._is(0.15):
            await self._event("text", self.phone.says(self._chance.choice(_THANKS)))
        elif solved is not None and self._is(0.3):
            await self._event("press", self.phone.presses(heard, solved))
            self._count("solved by the parent")

    async def _is_asked_for_mark(self, heard: Heard, mark: Choice) -> None:
        marks = [choice for choice in heard.choices if choice.deed == mark.deed]
        unsolved = heard.offers("unsolved:")
        if self._is(0.5):
            await self._event("press", self.phone.presses(heard, self._chance.choice(marks)))
            self._count("marks given")
        elif unsolved is not None and self._is(0.12):
            await self._event("press", self.phone.presses(heard, unsolved))
            self._count("said to be unsolved")
        elif self._is(0.15):
            await self._says_more()
        elif self._is(0.15):
            self._count("words edited after closing")
            await self._corrects()

    def _takes_photos_back(self) -> None:
        """The case was closed before they were sent, and the parent reads so."""
        for _, word in self._said:
            if word.kind == "photo" and not word.seen_by_staff:
                word.taken_back = True

    async def _checks_photos(self, heard: Heard, send: Choice) -> None:
        photos = [word for _, word in self._said if word.kind == "photo" and not word.is_for_people]
        drop = heard.offers("photo:drop")
        if self._is_banned:
            return
        if drop is not None and self._is(0.1):
            await self._event("press", self.phone.presses(heard, drop))
            for word in photos:
                word.taken_back = True
            self._count("albums taken back")
        else:
            await self._event("press", self.phone.presses(heard, send))
            for word in photos:
                word.is_for_people = True
            self._count("albums sent")

    # ---- deeds of one's own accord

    async def _says_more(self) -> None:
        await self._says(self._chance.choice(_SAYS_MORE), is_for_people=self._with_staff)

    async def _corrects(self) -> None:
        written = [(sent, word) for sent, word in self._said if word.kind == "parent"]
        if not self._blocked and written:
            sent, word = written[-1]
            again = self._word("исправление")
            word.corrected_by = again
            again.is_for_people = word.is_for_people and self._with_staff and not self._is_banned
            await self._event("edit", self.phone.edits(sent, f"{word.text}, исправила. {again.marker}"))

    async def _sends_album(self) -> None:
        if self._blocked or self._is_banned or not self._with_staff:
            return
        now = self._timeline.now()
        words = [self._world.word("photo", self.phone.place, now) for _ in range(self._chance.randint(1, 4))]
        pictures = [b"\xff\xd8\xff\xe0" + word.marker.encode() + b"\xff\xd9" for word in words]
        self._said += [(None, word) for word in words]
        await self._event("album", self.phone.sends_photos(pictures))

    async def _sends_voice(self) -> None:
        if not self._blocked:
            await self._event("voice", self.phone.sends_voice(b"OggS voice"))

    async def _blocks(self) -> None:
        self._blocked = True
        self._count("parents who blocked the bot")
        await self._event("block", self.phone.blocks())
        if self._is(0.6):
            await self._timeline.sleep(self._chance.uniform(HOUR, DAY))
            await self._event("unblock", self.phone.unblocks())
            self._blocked = False

    async def _goes_back_to_bot(self) -> None:
        if self._blocked or self._is_banned or not self._with_staff:
            return
        self._with_staff = False
        await self._event("text", self.phone.says("/bot"))
        await self._timeline.sleep(20)
        await self._says(_question(self._chance))
        await self._timeline.sleep(self._chance.uniform(MINUTE, HOUR))
        await self._event("text", self.phone.says("/human"))
        await self._timeline.sleep(5)
        self._with_staff = True

    async def _asks_for_own_question(self) -> None:
        if not self._blocked:
            await self._event("text", self.phone.says("мой вопрос"))

    async def _floods(self) -> None:
        """Write faster than anybody reads, and without manners."""
        await self._timeline.sleep(self._chance.uniform(2, 10) * MINUTE)
        if self._blocked or not self._with_staff:
            return
        self._count("floods")
        for _ in range(_FLOOD):
            await self._says(self._chance.choice(_INSULTS), is_for_people=self._with_staff)
            await self._timeline.sleep(1.2)
        await self._timeline.sleep(MINUTE)
        if self._asked_to_wait != 1:
            about = f"{self.phone.place}: {_FLOOD} сообщений, подождать просили {self._asked_to_wait} раз"
            self._checks.complain("flood", about)
        if self._case is not None:
            self._world.abusers.append(self._case)

    async def _presses_old_button(self) -> None:
        """A button of any message that lies in the chat, whatever has happened since."""
        old = [
            (heard, choice)
            for heard in self._old
            for choice in heard.choices
            if choice.payload and not choice.payload.startswith(_NEVER_AGAIN)
        ]
        if self._blocked or self._is_banned or not old:
            return
        heard, choice = self._chance.choice(old)
        self._count(f"old buttons: {choice.deed}")
        # Who presses a button of the bot hears the bot, whoever else has their case.
        self._world.ask_bot.add(self.phone.place)
        await self._event("press", self.phone.presses(heard, choice))
        await self._expects_words(f"old button {choice.payload!r}")
        await self._calls_again()
        self._world.ask_bot.discard(self.phone.place)

    async def _calls_again(self) -> None:
        """Who does not know any more with whom they talk calls a human, and so finds out."""
        await self._event("text", self.phone.says("/human"))
        heard = await self.phone.inbox.rest(quiet=4, within=MINUTE)
        self._with_staff = any("уже у сотрудников" in each.text for each in heard)
        for each in heard:
            if (cancel := each.offers("cancel")) is not None:
                await self._event("press", self.phone.presses(each, cancel))
                await self._expects_words("cancel")
                return

    async def _asks_to_be_forgotten(self) -> None:
        if self._blocked or self._is_banned:
            return
        await self._event("text", self.phone.says("забудь меня"))
        for heard in await self.phone.inbox.rest(quiet=4, within=MINUTE):
            if (yes := heard.offers("forget:yes")) is not None:
                await self._event("press", self.phone.presses(heard, yes))
        told = await self.phone.inbox.rest(quiet=4, within=MINUTE)
        if not any("удалены" in each.text for each in told):
            self._checks.complain("not_forgotten", f"{self.phone.place}: {[each.text for each in told]}")
            return
        self._is_gone = True
        self._count("parents who were forgotten")
        self._world.forgets(self.phone.place, self._timeline.now())

    async def _asks_for_other_child(self) -> None:
        """The other child's school is another desk's: a case of its own, once the first is closed."""
        if self._blocked or self._other_school is None:
            return
        self._count("parents with children in two schools")
        await self._says(
            f"у второго ребёнка в другой школе ({self._other_school.spoken}) тоже не открывается"
        )

    # ---- what all deeds are made of

    async def _says(self, said: str, *, is_for_people: bool = False) -> tuple[Any, Word]:
        word = self._word(said)
        if self._blocked:
            word.taken_back = True
            return None, word
        word.is_for_people = is_for_people and self._case is not None and not self._is_banned
        sent = await self._event("text", self.phone.says(f"{said}. {word.marker}"))
        self._said.append((sent, word))
        return sent, word

    def _word(self, said: str) -> Word:
        """New words, with a marker of their own."""
        now = self._timeline.now()
        self._last = self._world.word("parent", self.phone.place, now, text=said)
        # A ban takes a moment; what is said within it may be heard or not.
        since = self._world.banned.get(self.phone.place)
        self._last.is_unwanted = since is not None and (now - since).total_seconds() > MINUTE
        return self._last

    @property
    def _is_banned(self) -> bool:
        return self.phone.place in self._world.banned

    async def _expects_words(self, what: str) -> None:
        """The bot, spoken to, must say something soon."""
        heard = await self.phone.inbox.rest(quiet=4, within=MINUTE)
        if not heard:
            self._checks.complain("unanswered", f"{self.phone.place}: {what}")

    async def _event(self, kind: str, deed: Awaitable[Any]) -> Any:
        self._count(f"events: {kind}")
        return await deed

    def _is(self, share: float) -> bool:
        return self._chance.random() < share

    def _count(self, what: str) -> None:
        self._world.counts[what] += 1


_KEPT = 12
_FLOOD = 35
_INSULTS = (
    "вы там совсем идиоты?",
    "сколько можно ждать",
    "ответьте уже, дармоеды",
    "позор",
    "ничего не работает!!!",
    "козлы",
)
_LETS_BOT_SEARCH = 0.4
"""Share of those who come to people by way of the diagnosis."""
_NEVER_AGAIN = ("forget:", "sch:", "photo:", "fam:")
"""Old buttons that are pressed elsewhere, where the world is told what they do."""


def _number_of_opened(heard: list[Heard]) -> int | None:
    for each in heard:
        number = case_in(each.text)
        if number is not None and any(
            sign in each.text for sign in ("Передал", "ередан", "уже у сотрудников")
        ):
            return number
    return None


@cache
def _questions() -> list[str]:
    with (_DATA / "questions-dev.tsv").open(encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file, delimiter="\t")]


def _question(chance: Random) -> str:
    return chance.choice(_questions())
