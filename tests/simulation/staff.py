"""The staff: they look at their phones in working hours, answer, pass on, forget, leave and are revoked."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulation import errands
from tests.simulation.checks import Checks
from tests.simulation.phones import Choice, Heard, Phone, Place, case_in
from tests.simulation.refusals import Claim, Reason, reason_in
from tests.simulation.rooms import Room
from tests.simulation.timeline import Timeline
from tests.simulation.world import School, Seat, Word, World

MOSCOW = ZoneInfo("Europe/Moscow")
OPENS, CLOSES = 9, 18
OLD = 5
"""Old messages to which a member comes back."""
_CASE_BUTTONS = ("answer:", "take:")
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
    edits: float = 0.12
    """Share of the answers that they write anew after sending them."""
    errands: float = 0.03
    """Share of the looks after which they look at a list, at the templates, at an old card."""
    leaves_at: datetime | None = None
    blocks_at: datetime | None = None


@dataclass
class News:
    """What is new in a case since the member looked last."""

    number: int
    heard: Heard
    words: set[str] = field(default_factory=set)


@dataclass
class Said:
    """An answer as it was written."""

    words: list[Word]
    text: str
    sent: Any
    """What `edits` takes; None when it could not be written any more, or is no text."""
    place: Place


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
        self.mates: list[Colleague] = []
        """Who else sits at the same desk."""
        self.old_pages: deque[Heard] = deque(maxlen=OLD)
        """Pages of lists that still lie in the chat."""
        self.old_cards: deque[News] = deque(maxlen=OLD)
        """Cards of cases that were closed since."""
        self.world = world
        self.checks = checks
        self.timeline = timeline
        self._habits = habits
        self.chance = chance
        self._later: list[Heard] = []
        """News of other cases that came while one was dealt with."""
        self._incidents: list[Heard] = []
        self.is_gone = False

    async def joins(self, token: str) -> None:
        """Come by the invitation."""
        await self.event("start", self.phone.starts(token))
        heard = await self.phone.inbox.rest(quiet=3, within=60)
        if not any("в команде" in each.text for each in heard):
            self.checks.complain("not_joined", f"{self.phone.place}: {[each.text for each in heard]}")
        self.count("staff joined")
        if self.seats[0].level == "ministry" and not self.world.counts["templates changed"]:
            await errands.mark_first_templates(self)

    async def works(self, *, end: float) -> None:
        """Look at the phone again and again until the week's end."""
        while self.timeline.monotonic() < end and not self.is_gone:
            await self.timeline.sleep(self.chance.expovariate(1 / self._habits.every))
            await self._until_opening()
            if await self._goes_away():
                return
            for news in self._reads().values():
                await self.deals_with(news)
            waiting, self._incidents = self._incidents, []
            for heard in waiting:
                await self._deals_with_incident(heard)
            if self.happens(self._habits.errands) and self._habits.answers:
                await errands.run(self)

    def revoked(self) -> None:
        """Somebody above took the role away."""
        self.is_gone = True
        self._leaves_seats()
        self.count("staff revoked")

    # ---- the day

    async def _until_opening(self) -> None:
        now = self.timeline.now().astimezone(MOSCOW)
        while not (now.weekday() < _SATURDAY and OPENS <= now.hour < CLOSES):
            later = now + timedelta(days=0 if now.hour < OPENS else 1)
            opening = later.replace(hour=OPENS, minute=self.chance.randrange(40), second=0)
            await self.timeline.until(opening)
            now = self.timeline.now().astimezone(MOSCOW)

    async def _goes_away(self) -> bool:
        now = self.timeline.now()
        if self._habits.blocks_at is not None and now > self._habits.blocks_at:
            self.is_gone = True
            await self.event("block", self.phone.blocks())
            self.count("staff who blocked the bot")
            return True
        if self._habits.leaves_at is not None and now > self._habits.leaves_at:
            await self._leaves()
            return True
        return self.is_gone

    async def _leaves(self) -> None:
        await self.event("staff text", self.phone.says("/leave"))
        for _ in range(4):
            heard = await self.phone.inbox.rest(quiet=3, within=30)
            if any("больше не сотрудник" in each.text for each in heard):
                break
            offers = [(each, choice) for each in heard for choice in each.choices if choice.deed == "leave"]
            if not offers:
                break
            await self.event("staff press", self.phone.presses(*offers[-1]))
        self._leaves_seats()
        self.count("staff who left")

    def _leaves_seats(self) -> None:
        for seat in self.seats:
            seat.until = seat.until or self.timeline.now()

    # ---- cases

    def _reads(self) -> dict[int, News]:
        """Everything that came, by case: the last message that can be answered."""
        found: dict[int, News] = {}
        later, self._later = self._later, []
        for heard in (*later, *self.phone.inbox.unread()):
            if heard.offers("inc:") is not None and self.is_at(heard):
                self._incidents.append(heard)
                continue
            number = _case_of(heard)
            if number is None or not (self.is_at(heard)):
                continue
            known = found.get(number)
            words = {word.marker for word in self.world.found(heard.text) if word.kind == "parent"}
            # A message without the buttons of the case is no news to act upon.
            if heard.offers(*_CASE_BUTTONS) is not None or known is not None:
                base = known.words if known else set()
                shown = heard if heard.offers(*_CASE_BUTTONS) is not None or known is None else known.heard
                found[number] = News(number, shown, base | words)
        return found

    async def deals_with(self, news: News) -> None:
        if not self.is_at(news.heard):
            return
        if not self.happens(self._habits.answers):
            self.count("cases left lying by a member")
            return
        if self.happens(0.3):
            await self._takes(news)
        if self.happens(self._habits.notes):
            await self._notes(news)
        if self.happens(0.03):
            await self.presses(news, f"urgent:{news.number}")
        if self.happens(0.05):
            await self._passes_on(news)
            return
        way = self.chance.choices(
            (self.replies, self._answers_by_button, self._answers_by_template, self._answers_unasked),
            weights=(5, 3, 2, 0.5),
        )[0]
        said = await way(news)
        if said is None or any(word.refused or word.taken_back for word in said.words):
            return
        if self.happens(self._habits.edits):
            await self.timeline.sleep(self.chance.uniform(5, 600))
            await self._edits(said)
        if self.happens(0.45):
            await self.timeline.sleep(self.chance.uniform(20, 900))
            await self._closes(news)

    async def _takes(self, news: News) -> None:
        if not (self.happens(0.3) and await errands.press_together(self, news, "take")):
            await self.presses(news, f"take:{news.number}")

    async def _deals_with_incident(self, heard: Heard) -> None:
        """One answer for all, or each case by itself."""
        incident = _incident_of(heard)
        named = next((each for each in self._schools() if f"Школа: {each.name}\n" in heard.text), None)
        if named is not None:
            self.checks.incidents.setdefault(incident, named)
        school = self.checks.incidents.get(incident)
        if school is None or not (self.is_at(heard) and self.happens(self._habits.answers)):
            return
        if self.happens(0.25):
            await self._splits(heard)
            return
        choice = heard.offers(f"{incident}:answer")
        heard_of = await self.press(heard, choice, number=0) if choice is not None else []
        asked = asking(heard_of, f"общую беду № {incident.partition(':')[2]}:")
        if asked is None:
            return
        word = self.world.word("answer", self.phone.place, self.timeline.now(), to_all_of=school)
        said = await self._says("staff text", [word], reply_to=asked)
        heard_of = await self.listens(0)
        for told in heard_of:
            if "Вопросы:" in told.text:
                numbers = {int(number) for number in _TOLD.findall(told.text.partition("Вопросы:")[2])}
                self.checks.goes_to(word, numbers)
        word.refused = not word.told and reason_in(heard_of) is not None
        self.count("incidents answered")
        if not word.refused and self.happens(self._habits.edits):
            await self.timeline.sleep(self.chance.uniform(5, 600))
            await self._edits(said)

    async def _splits(self, heard: Heard) -> None:
        choice = heard.offers(f"{_incident_of(heard)}:split")
        asked = await self.press(heard, choice, number=0) if choice is not None else []
        sure = _last_choice(asked, lambda each: each.payload.endswith(":split:yes"), chance=self.chance)
        if sure is not None:
            await self.press(*sure, number=0)
            self.count("incidents split")

    def _schools(self) -> list[School]:
        ids = {number for seat in self.seats for number in seat.school_ids}
        own = [school for school in self.world.schools if school.id in ids]
        return [*own, *self.world.schools]

    async def replies(self, news: News) -> Said:
        """Answer by a reply to a message of the case."""
        said = await self._says("staff reply", self._answers(news), reply_to=news.heard)
        await self._hears_fate(said)
        return said

    async def _answers_by_button(self, news: News) -> Said | None:
        deed = "ask" if self.happens(0.25) else "answer"
        heard = await self.presses(news, f"{deed}:{news.number}")
        anyway = _last_choice(heard, lambda each: each.payload.endswith(":anyway"), chance=self.chance)
        if anyway is not None and self.happens(0.5):
            heard = await self.press(*anyway, number=news.number)
            self.count("answers although somebody else has the case")
        asked = asking(heard, f"{'по вопросу' if deed == 'ask' else 'ответ на вопрос'} № {news.number}:")
        if asked is None:
            return None
        said = await self._says("staff text", self._answers(news), reply_to=asked)
        await self._hears_fate(said)
        self.count("parents asked by the staff" if deed == "ask" else "answers by button")
        return said

    async def _answers_unasked(self, news: News) -> Said | None:
        """Write without a word on whose answer it is, and say so when the bot asks."""
        if news.heard.place != self.phone.place:
            return await self.replies(news)
        await self.timeline.sleep(_FORGOTTEN_BY_THEN)
        word = self._word(news)
        word.text = "unasked"
        text = _with([word], self.chance)
        sent = await self.event("staff text", self.phone.says(text))
        heard = await self.listens(news.number)
        asked = _last_choice(
            heard, lambda each: each.payload.startswith(f"to:{news.number}:"), chance=self.chance
        )
        if asked is None:
            word.taken_back = not word.reached
            return None
        await self.event("staff press", self.phone.presses(*asked))
        said = Said([word], text, sent, self.phone.place)
        await self._hears_fate(said)
        self.count("answers whose case was asked for")
        return said

    async def _answers_by_template(self, news: News) -> Said | None:
        heard = await self.presses(news, f"tpl:{news.number}")
        chosen = _last_choice(
            heard, lambda choice: choice.payload.startswith(f"tpl:{news.number}:"), chance=self.chance
        )
        if chosen is None:
            return await self.replies(news)
        heard = await self.press(*chosen, number=news.number)
        if self.happens(0.2):
            return await self._changes_template_first(news, heard)
        send = _last_choice(heard, lambda choice: choice.label == "Отправить", chance=self.chance)
        if send is None:
            return None
        ready = [word for word in self.world.found(send[0].text) if word.is_ready]
        if not ready:
            self.checks.complain("template_changed", f"{self.phone.place}: {send[0].text[:200]!r}")
        for word in ready:
            word.sent_to.add(news.number)
            word.told.add(news.number)
            word.last_sent = self.timeline.now()
        heard = await self.press(*send, number=news.number)
        if reason_in(heard) is not None:
            for word in ready:
                word.told.discard(news.number)
        self.count("templates sent")
        return None

    async def _changes_template_first(self, news: News, heard: list[Heard]) -> Said | None:
        edit = _last_choice(heard, lambda choice: choice.deed == "edit", chance=self.chance)
        asked = await self.press(*edit, number=news.number) if edit is not None else []
        form = next((each for each in asked if "измените и пришлите" in each.text), None)
        if form is None:
            return None
        said = await self._says("staff text", [self._word(news)], reply_to=form)
        await self._hears_fate(said)
        self.count("templates changed before they were sent")
        return said

    async def _edits(self, said: Said) -> None:
        """Write an answer anew: the parent has to see the new words, and that they are new."""
        first = said.words[0]
        # Of what did not arrive the author knows that a new version does not, either.
        if said.sent is None or first.refused or self.is_gone or not self._may_edit(said):
            return
        again = self.world.word("answer", self.phone.place, self.timeline.now(), case=first.case)
        again.text = f"edit of {first.marker}"
        again.is_edit, again.to_all_of, again.told = True, first.to_all_of, set(first.told)
        text = f"{said.text}. Уточняем: {again.marker}"
        if said.place == self.phone.place:
            await self.event("staff edit", self.phone.edits(said.sent, text))
        else:
            assert self.room is not None
            await self.event("staff edit in a group", self.room.edits(self.phone, said.sent, text))
        await self._hears_fate(Said([again], text, None, said.place), is_edit=True)

    def _may_edit(self, said: Said) -> bool:
        if said.place == self.phone.place:
            return True
        room = self.room
        return (
            room is not None and room.is_open and room.place == said.place and room.can_be_edited(said.sent)
        )

    async def _notes(self, news: News) -> None:
        heard = await self.presses(news, f"note:{news.number}")
        asked = asking(heard, f"заметку к вопросу № {news.number}:")
        if asked is None:
            return
        word = self.world.word("note", self.phone.place, self.timeline.now(), case=news.number)
        await self.writes("staff note", f"для своих: {word.marker}", reply_to=asked)
        await self.listens(news.number)

    async def _passes_on(self, news: News) -> None:
        """Up, where everybody keeps it in reach, or to another school, which alone has it then."""
        heard = await self.presses(news, f"pass:{news.number}")
        to = self.chance.choice(self.world.schools) if self.happens(0.4) else None
        if to is not None:
            await self._passes_to_school(news, heard, to)
            return
        up = _last_choice(heard, lambda choice: choice.payload.endswith(_HIGHER), chance=self.chance)
        if up is None:
            return
        why = asking(await self.press(*up, number=news.number), f"Передаю вопрос № {news.number} ")
        if why is not None:
            await self._gives_reason(news, why)
            self.count("passed up by hand")

    async def _passes_to_school(self, news: News, heard: list[Heard], to: School) -> None:
        find = _last_choice(heard, lambda choice: choice.payload.endswith(":find"), chance=self.chance)
        case = self.world.cases.get(news.number)
        if find is None or case is None:
            return
        asked = asking(await self.press(*find, number=news.number), "название школы")
        if asked is None:
            return
        await self.writes("staff text", to.spoken, reply_to=asked)
        wanted = f"pass:{news.number}:s{to.id}"
        heard = await self.listens(news.number)
        chosen = _last_choice(heard, lambda choice: choice.payload == wanted, chance=self.chance)
        if chosen is None:
            return
        why = asking(await self.press(*chosen, number=news.number), f"Передаю вопрос № {news.number} ")
        if why is None:
            return
        now = self.timeline.now()
        before = [stay.school for stay in case.stays if stay.until is None and stay.school != to]
        self.world.belongs(case.place, to, now)
        told = await self._gives_reason(news, why)
        if any("ередан" in each.text for each in told):
            for school in before:
                self.world.belongs_no_more(case.place, school, now)
            self.count("passed to another school")
        else:
            self.world.belongs_no_more(case.place, to, now)

    async def _gives_reason(self, news: News, asked: Heard) -> list[Heard]:
        word = self.world.word("note", self.phone.place, self.timeline.now(), case=news.number)
        await self.writes("staff note", f"не можем сами: {word.marker}", reply_to=asked)
        return await self.listens(news.number)

    async def _closes(self, news: News) -> None:
        self.old_cards.append(news)
        if not (self.happens(0.15) and await errands.press_together(self, news, "close")):
            await self.presses(news, f"close:{news.number}")
        self.count("closed by the staff")

    def news(self, number: int, heard: Heard) -> News:
        """A case that was looked up."""
        return News(number, heard)

    # ---- what all deeds are made of

    def _word(self, news: News) -> Word:
        self.checks.refusals.holds(news.number, self.phone.place)
        return self.world.word("answer", self.phone.place, self.timeline.now(), case=news.number)

    def _answers(self, news: News) -> list[Word]:
        """The words of an answer: one of text, those of the photos of an album, one that is spoken."""
        return [self._word(news) for _ in range(self.chance.randint(2, 4) if self.happens(0.07) else 1)]

    async def _says(self, kind: str, words: list[Word], *, reply_to: Heard) -> Said:
        """Write it in the chat where the message is that is answered."""
        for word in words:
            word.text = f"{kind}, слов {len(words)}"
            word.taken_back = not self.is_at(reply_to)
        if words[0].taken_back:
            return Said(words, "", None, reply_to.place)
        if len(words) > 1:
            await self._sends_album(words, reply_to=reply_to)
            return Said(words, "", None, reply_to.place)
        if words[0].case and self.happens(0.04):
            words[0].text = "voice"
            await self._sends_voice(words[0], reply_to=reply_to)
            return Said(words, "", None, reply_to.place)
        text = _with(words, self.chance)
        return Said(words, text, await self.writes(kind, text, reply_to=reply_to), reply_to.place)

    async def _sends_album(self, words: list[Word], *, reply_to: Heard) -> None:
        caption = _with(words[:1], self.chance)
        photos = [b"\xff\xd8\xff\xe0" + word.marker.encode() + b"\xff\xd9" for word in words[1:]]
        if reply_to.place == self.phone.place:
            sending = self.phone.sends_photos(photos, caption=caption, reply_to=reply_to)
        else:
            assert self.room is not None
            sending = self.room.sends_photos(self.phone, photos, caption=caption, reply_to=reply_to)
        await self.event("staff album", sending)

    async def _sends_voice(self, word: Word, *, reply_to: Heard) -> None:
        spoken = b"OggS" + word.marker.encode()
        if reply_to.place == self.phone.place:
            sending = self.phone.sends_voice(spoken, reply_to=reply_to)
        else:
            assert self.room is not None
            sending = self.room.sends_voice(self.phone, spoken, reply_to=reply_to)
        await self.event("staff voice", sending)

    async def _hears_fate(self, said: Said, *, is_edit: bool = False) -> None:
        """Listen until the bot says what becomes of it; of an edit it says something only if it cannot go."""
        heard: list[Heard] = []
        for _ in range(1 if is_edit else _PATIENCE):
            heard += await self.listens(said.words[0].case)
            is_sent = any("отправляю" in each.text for each in heard)
            is_note = any("заметка" in each.text.casefold() and _ONLY_STAFF in each.text for each in heard)
            if is_sent or is_note or reason_in(heard) is not None:
                break
        # What is heard besides «отправляю» is of something done before.
        reason = None if is_sent else reason_in(heard)
        if not is_note and (reason is None or (reason == "taken" and await self._sends_anyway(said, heard))):
            return
        for word in said.words:
            word.refused = word.refused or not word.reached
        self.count("answers kept as notes" if is_note else "answers refused in words")

    async def _sends_anyway(self, said: Said, heard: list[Heard]) -> bool:
        """A colleague was first, and yet it is to be sent; of an album each photo would be asked for."""
        send = _last_choice(heard, lambda choice: choice.deed == "send", chance=self.chance)
        if send is None or len(said.words) > 1 or not self.happens(0.3):
            return False
        again = await self.press(*send, number=said.words[0].case)
        self.count("answers sent although a colleague was first")
        return reason_in(again) is None

    async def presses(self, news: News, payload: str) -> list[Heard]:
        """Press a button of the case's message, if it has it."""
        choice = news.heard.offers(payload)
        return await self.press(news.heard, choice, number=news.number) if choice is not None else []

    async def press(self, heard: Heard, choice: Choice, *, number: int) -> list[Heard]:
        """Press a button, in one's own chat or in the group; what is said then of this case."""
        if number and choice.deed in _CLAIMING:
            self.checks.refusals.holds(number, self.phone.place)
        await self.presses_only(heard, choice)
        return await self.listens(number)

    async def presses_only(self, heard: Heard, choice: Choice) -> None:
        """Press a button and do not wait."""
        if heard.place == self.phone.place:
            await self.event("staff press", self.phone.presses(heard, choice))
        elif self._is_there(heard):
            assert self.room is not None
            await self.event("staff press", self.room.presses(self.phone, heard, choice))

    async def writes(self, kind: str, text: str, *, reply_to: Heard) -> Any:
        """In the chat where the message is that is answered; in one's own chat a quote is not needed."""
        if reply_to.place == self.phone.place:
            quotes = reply_to if kind == "staff reply" or self.happens(0.3) else None
            return await self.event(kind, self.phone.says(text, reply_to=quotes))
        if self._is_there(reply_to):
            assert self.room is not None
            return await self.event(
                f"{kind} in a group", self.room.writes(self.phone, text, reply_to=reply_to)
            )
        return None

    def is_at(self, heard: Heard) -> bool:
        return heard.place == self.phone.place or self._is_there(heard)

    def _is_there(self, heard: Heard) -> bool:
        return self.room is not None and self.room.is_open and self.room.holds(heard)

    async def listens(self, number: int) -> list[Heard]:
        """What is said at once; news of other cases are read later."""
        heard = await self.phone.inbox.rest(quiet=3, within=20)
        others = [
            each
            for each in heard
            if _case_of(each) not in {None, number} and (number or each.offers(*_CASE_BUTTONS))
        ]
        self._later += others
        now_said = [each for each in heard if each not in others]
        reason = reason_in(now_said)
        if reason is not None:
            self._notes_refusal(reason, number, now_said)
        return now_said

    def _notes_refusal(self, reason: Reason, number: int, heard: list[Heard]) -> None:
        """Whoever is refused hears why; whether it is so is judged when the week is over."""
        room = next((each.place for each in heard if each.place != self.phone.place), None)
        if number or reason == "left":
            claim = Claim(reason, self.phone.place, number, self.timeline.now(), room)
            self.checks.refusals.claim(claim)

    async def event(self, kind: str, deed: Awaitable[Any]) -> Any:
        self.count(f"events: {kind}")
        return await deed

    def happens(self, share: float) -> bool:
        return self.chance.random() < share

    def count(self, what: str) -> None:
        self.world.counts[what] += 1


_SATURDAY = 5
_CLAIMING = {"take", "answer", "ask", "use", "send"}
_PATIENCE = 5
"""So many times a member listens for what becomes of an answer: groups are written to slowly."""
_FORGOTTEN_BY_THEN = 45.0
"""Seconds; what follows an answer within half a minute belongs to it."""
_ONLY_STAFF = "родитель её не увидит"
"""A note was awaited still: it is safer to keep words from the parent than to send a note."""
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


def asking(heard: list[Heard], sign: str) -> Heard | None:
    """The message that asks for these words; in a slow group an older question may come at the same time."""
    return next((each for each in heard if "апишите" in each.text and sign in each.text), None)


def _with(words: list[Word], chance: Random) -> str:
    return f"{chance.choice(_ANSWERS)}. {' '.join(word.marker for word in words)}"
