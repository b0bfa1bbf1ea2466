"""A walk through the dialogue: whatever three families do, on one channel or on several at once.

The walk knows no payloads: it presses what was shown, just now or long ago, since buttons live for ever.
After each step it looks whether somebody was left without an answer or without a way on.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
import sqlite3
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import structlog
import yaml
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

import faq
from faq.diagnosis.tree import NOTHING, Facts
from faq.diagnosis.triage import Understood
from faq.markup import Span, draw_plain, parse, plain, split
from handlers import privacy
from handlers.desk import Helpdesk
from handlers.knowledge import Knowledge
from handlers.messages import Attachment, Button, Outgoing
from handlers.privacy import Hidden
from handlers.texts import staff as texts_staff
from handlers.turn import from_plain
from storage import conversations, family, people, tickets
from storage.conversations import Conversation
from storage.database import Database, Transaction
from storage.people import Person
from storage.ticket import Ticket
from tests.clock import StoppedClock
from tests.handlers.desk import PATIENT, PHOTO, Desk, Someone
from tests.noise import translit, typos, wrong_layout

HOMES = {"зюзябра": ("telegram", "vk", "web"), "кырдамыш": ("telegram", "web"), "шнырпель": ("vk",)}
"""The families' channels; a family is called by a word that only it writes."""
LONGEST_TEXT = 4000
"""Characters; VK's and the web chat's messages, Telegram's are longer."""
MOST_BUTTONS, LONGEST_LABEL, LONGEST_PAYLOAD = 20, 40, 64
"""Two of VK's keyboards (the longest sections take «Ещё варианты»), VK's label, Telegram's callback data."""
MOST_STEPS_TO_A_HUMAN = 8
LAST_LINES = 25
"""So much of a talk is shown when a walk fails."""
TROUBLES = {"event_failed", "answer_failed", "event_lost", "escalation_failed"}
"""What the desk logs when something of ours broke."""
SKIPPING = re.compile(r"без школы|пропустить|передать|другой ребёнок", re.IGNORECASE)
"""Labels of the buttons that lead past a question on the way to a human."""
INVITING = re.compile(r"(?<!не )(?<!\w)(на)?пишите", re.IGNORECASE)
"""The next words are what the bot asks for."""
FOREIGN_LINK = "https://zlo.example/x"

_T = TypeVar("_T")
_DATA = Path(__file__).parents[1] / "data"
_BASE = Path(faq.__file__).parent / "base"

CALLS = ("человек", "позовите человека", "/human", "Оператора!", "нужен живой человек", "хочу к оператору")
COURTESIES = (
    "здравствуйте",
    "спасибо",
    "до свидания",
    "ты кто",
    "идиоты",
    "стоп",
    "подписаться",
    "подписки",
    "отстаньте",
    "назад",
    "заново",
    "начать заново",
    "отмена",
    "не надо",
    "да",
    "нет",
    "не знаю",
    "Не могу войти",
    "мои дети",
    "забудь меня",
    "ладно",
    "😭",
)
COMMANDS = (
    "/start",
    "/start nonsense",
    "/start join-nonsense",
    "/start login-code-not-coming",
    "/help",
    "/menu@helpdesk_bot",
    "/login",
    "/login сын 9 лет",
    "/stop",
    "/subscribe",
    "/bot",
    "/children",
    "/join",
    "/join ABCDEF",
    "/join чепуха какая-то",
    "/forget",
    "/nonsense",
    "/open",
)
ANSWERS = ("старшая", "сын", "школа 5, Майкоп", "14", "9 лет", "Лицей 8, п. Тульский", "вчера", "телефон")
GIBBERISH = (
    "фываолдж",
    "asdf qwer",
    "...",
    "?",
    "\u200b",
    "١٢٣",
    "*звёзды* и [ссылка](https://zlo.example/x)",
    "\\[x\\](https://zlo.example/x) `код` <b>жирно</b> &amp;",
    "и" * 300,
    "слово " * 700,
    "код не приходит и ещё " * 190,
    "🙂🙂🙂",
)
PERSONAL = (
    "мой снилс 112-233-445 95, не подходит",
    "позвоните мне +7 918 123-45-67",
    "паспорт 7912 345678 не принимает",
    "оплатила с карты 4111 1111 1111 1111",
    "почта anna.kosova@example.ru",
    "пришёл код 483920, что дальше",
    "пароль Zx9kLmQ2 не подходит",
)
PLANTED = (
    "112-233-445",
    "123-45-67",
    "345678",
    "4111 1111",
    "anna.kosova",
    "483920",
    "Zx9kLmQ2",
)
"""Of each of these nobody may ever hear anything."""
_HIDDEN = privacy.told([Hidden("snils", 0, 1)], deleted=False).split(":")[0]
"""How the notice about personal data begins; it answers nothing."""
_CODE = re.compile(r"/join ([A-Z0-9]{6})")

FILES = (
    PHOTO,
    Attachment("sticker", "", "image/webp", "telegram", "sticker-id"),
    Attachment("voice", "", "audio/ogg", "telegram", "voice-id"),
    Attachment("file", "справка.pdf", "application/pdf", "telegram", "file-id-2"),
)
PAUSES = {"a moment": 1, "ten minutes": 601, "a day": 86_400, "a week": 604_800}


@cache
def symptoms() -> tuple[str, ...]:
    """What parents say who cannot sign in, and what they read on their screens."""
    lines = (_DATA / "diagnosis-cases.tsv").read_text(encoding="utf-8").splitlines()
    cases = [line.split("\t")[0] for line in lines if line.strip() and not line.startswith("#")]
    seen = yaml.safe_load((_BASE / "errors.yaml").read_text(encoding="utf-8"))
    return tuple(cases + [variant for error in seen for variant in error["variants"]])


@cache
def questions() -> tuple[str, ...]:
    """What parents ask, well typed and ill."""
    asked = []
    for path in (_BASE / "golden.tsv", _DATA / "questions-dev.tsv"):
        asked += [line.split("\t")[0] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    plain_ones = asked[::7]
    badly = [typos(each, seed=1) for each in asked[::41]]
    return tuple(
        plain_ones
        + badly
        + [wrong_layout(each) for each in asked[::83]]
        + [translit(each, seed=2) for each in asked[::97]]
        + [f"{one}\n{other}" for one, other in zip(asked[::61], asked[30::61], strict=False)]
    )


@dataclass
class Words:
    """A message that has had no answer yet."""

    number: str
    text: str
    reactions: int
    """How many there had been when the message was last seen waiting."""
    told: int
    """How much the staff had heard when it was said."""


@dataclass
class Place:
    """A parent on one channel."""

    someone: Someone
    home: str
    looked: int = 0
    """So much of what was heard has been looked at."""
    reactions: int = 0
    """So often the bot has spoken by itself, and not because the staff did something."""
    shown: list[Button] = field(default_factory=list)
    last: list[Outgoing] = field(default_factory=list)
    """What was said in the last step in which anything was said."""
    written: list[str] = field(default_factory=list)
    waiting: list[Words] = field(default_factory=list)
    is_changed: bool = False
    talk: list[str] = field(default_factory=list)
    """What was done and heard here, for a person who reads why a walk failed."""

    def __str__(self) -> str:
        return "\n".join([f"{self.someone.address} of {self.home}", *self.talk[-LAST_LINES:]])

    def button(self, which: int, *, old: bool) -> Button | None:
        """One of the buttons on the last messages, or one of all there ever were."""
        recent = [button for message in self.last for row in message.buttons for button in row]
        choices = [button for button in (self.shown if old else recent) if button.payload]
        return choices[which % len(choices)] if choices else None


class QuickDesk(Desk):
    """A desk with a quick postman: thousands of steps are waited for."""

    def __init__(self, path: Path, knowledge: Knowledge) -> None:
        self._path = path
        super().__init__(self._open(), knowledge, StoppedClock())
        # Past the driver's threads, in the order in which letters are claimed: half of the time otherwise.
        self._postbox = sqlite3.connect(path, isolation_level=None)
        self.restart_with(knowledge)

    async def restart(self, knowledge: Knowledge) -> None:
        """The process ends, and another one opens the same file."""
        await self.database.close()
        self.database = self._open()
        self.restart_with(knowledge)

    def restart_with(self, knowledge: Knowledge) -> None:
        """A helpdesk that remembers nothing but what is in the file."""
        self.helpdesk = Helpdesk(
            self.database, knowledge, now=self.clock.now, deletes=_deletes, limits=PATIENT
        )

    async def close(self) -> None:
        """Put the files away."""
        self._postbox.close()
        await self.database.close()
        for path in self._path.parent.glob(f"{self._path.name}*"):
            path.unlink()

    async def _deliver(self) -> None:
        queued = "SELECT body FROM outbox WHERE state = 'queued' ORDER BY priority, id"
        for (body,) in self._postbox.execute(queued).fetchall():
            message = from_plain(json.loads(body))
            self._people[message.to].heard.append(message)
        self._postbox.execute("UPDATE outbox SET state = 'sent' WHERE state = 'queued'")

    def _open(self) -> Database:
        return Database(f"sqlite:///{self._path}")


class AtOnce:
    """In place of the driver's queue and of its thread: the statement is carried out here and now.

    To hand each statement over to a thread and back takes twice as long as all the rest of a walk. Writers
    come one by one anyway (`Database.transaction`), so that nothing is lost of two events at once.
    """

    daemon = True

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def start(self) -> None:
        """There is no thread."""

    def put_nowait(self, job: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        """Carry it out."""
        future, statement = job
        try:
            result = statement()
        except Exception as error:
            if future is None:
                raise
            future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class RememberingKnowledge(Knowledge):
    """The real base; what it once made of a text it does not work out again, since the answer is the same."""

    def __init__(self, real: Knowledge) -> None:
        self.__dict__.update(real.__dict__)
        self._understood: dict[tuple[str, frozenset[tuple[str, str]]], Understood] = {}

    async def understand(self, text: str, *, known: Facts = NOTHING) -> Understood:
        """Work it out the first time."""
        asked = text, frozenset(known.items())
        if asked not in self._understood:
            self._understood[asked] = self.build_triage().understand(text, known=known)
        return self._understood[asked]


@dataclass
class World(AbstractContextManager["World"]):
    """What all walks share: the base, an event loop, a folder, and the count of the steps."""

    knowledge: Knowledge
    template: Path
    folder: Path
    steps: int = 0
    pressed: set[str] = field(default_factory=set)
    """What the buttons carried that were pressed, up to the first colon."""
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.knowledge = RememberingKnowledge(self.knowledge)
        self._runner = asyncio.Runner()
        self._numbers = itertools.count(1)

    def __enter__(self) -> World:
        structlog.configure(processors=[self._listen])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.close()

    def run(self, deed: Coroutine[Any, Any, _T]) -> _T:
        """Do it to its end."""
        return self._runner.run(deed)

    def open_desk(self) -> QuickDesk:
        """A helpdesk that nobody has written to."""
        path = self.folder / f"walk-{next(self._numbers)}.db"
        shutil.copy(self.template, path)
        return QuickDesk(path, self.knowledge)

    def _listen(self, _logger: Any, _name: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        if event["event"] in TROUBLES:
            told = traceback.format_exc() if sys.exc_info()[0] else ""
            self.troubles.append(f"{dict(event)}\n{told}")
        raise structlog.DropEvent


def _deletes(channel: str) -> bool:
    return channel == "telegram"


PLACES = st.sampled_from(range(sum(map(len, HOMES.values()))))
WHICH = st.sampled_from(range(60))
HURRIED = st.sampled_from((False, False, False, True))
SIGNED = st.sampled_from((False, False, True))
ANYTHING = st.one_of(
    st.sampled_from(symptoms()),
    st.sampled_from(questions()),
    st.sampled_from(COURTESIES + COMMANDS + ANSWERS),
    st.sampled_from(GIBBERISH + PERSONAL),
)


class Walk(RuleBasedStateMachine):
    """Three families and a colleague."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.desk = world.open_desk()
        self.places = [
            Place(self.desk.person(home.title(), channel=channel), home)
            for home, channels in HOMES.items()
            for channel in channels
        ]
        self.colleague = world.run(self.desk.colleague())
        self.staff = Place(self.colleague, "", looked=len(self.colleague.heard))

    # What parents do -----------------------------------------------------------------------------------

    @rule(who=PLACES, text=st.sampled_from(symptoms()), signed=SIGNED, hurried=HURRIED)
    def says_what_goes_wrong(self, who: int, text: str, signed: bool, hurried: bool) -> None:
        self._says(self.places[who], text, signed=signed, hurried=hurried)

    @rule(who=PLACES, text=st.sampled_from(questions()), signed=SIGNED, hurried=HURRIED)
    def asks(self, who: int, text: str, signed: bool, hurried: bool) -> None:
        self._says(self.places[who], text, signed=signed, hurried=hurried)

    @rule(who=PLACES, text=st.sampled_from(COURTESIES), hurried=HURRIED)
    def says_a_few_words(self, who: int, text: str, hurried: bool) -> None:
        self._says(self.places[who], text, hurried=hurried)

    @rule(who=PLACES, text=st.sampled_from(ANSWERS), signed=SIGNED, hurried=HURRIED)
    def answers(self, who: int, text: str, signed: bool, hurried: bool) -> None:
        self._says(self.places[who], text, signed=signed, hurried=hurried)

    @rule(who=PLACES, text=st.sampled_from(GIBBERISH + PERSONAL), hurried=HURRIED)
    def says_what_cannot_be_answered(self, who: int, text: str, hurried: bool) -> None:
        self._says(self.places[who], text, hurried=hurried)

    @rule(who=PLACES, text=st.sampled_from(COMMANDS), hurried=HURRIED)
    def commands(self, who: int, text: str, hurried: bool) -> None:
        self._says(self.places[who], text, hurried=hurried)

    @rule(
        who=PLACES,
        text=st.sampled_from(("", "", "вот что на экране")),
        file=st.sampled_from(FILES),
        hurried=HURRIED,
    )
    def sends_a_file(self, who: int, text: str, file: Attachment, hurried: bool) -> None:
        self._says(self.places[who], text, hurried=hurried, attachments=(file,))

    @rule(who=PLACES, hurried=HURRIED)
    def sends_what_we_cannot_take(self, who: int, hurried: bool) -> None:
        self._says(self.places[who], "", hurried=hurried, unreadable="опрос")

    @rule(who=PLACES, which=WHICH, hurried=HURRIED)
    def presses(self, who: int, which: int, hurried: bool) -> None:
        self._presses(self.places[who], which, hurried=hurried)

    @rule(who=PLACES, which=WHICH)
    def presses_again(self, who: int, which: int) -> None:
        self._presses(self.places[who], which)

    @rule(who=PLACES, first=WHICH, second=WHICH, third=WHICH)
    def presses_on_and_on(self, who: int, first: int, second: int, third: int) -> None:
        for which in (first, second, third):
            self._presses(self.places[who], which)

    @rule(who=PLACES, taps=st.lists(WHICH, min_size=4, max_size=9), hurried=HURRIED)
    def looks_for_the_cause(self, who: int, taps: list[int], hurried: bool) -> None:
        """Far enough to meet the questions for the school's card, which taps at random seldom reach."""
        place = self.places[who]
        self._says(place, "/login")
        for which in taps:
            if self._presses_label(place, "Передать школе"):
                self._settles(hurried=hurried)
            else:
                self._presses(place, which, hurried=hurried)

    @rule(who=PLACES, which=WHICH, hurried=HURRIED)
    def presses_an_old_button(self, who: int, which: int, hurried: bool) -> None:
        self._presses(self.places[who], which, hurried=hurried, old=True)

    @rule(who=PLACES, payload=st.sampled_from(("", "", "login-code-not-coming", "nonsense", "join-nonsense")))
    def starts(self, who: int, payload: str) -> None:
        self._starts(self.places[who], payload)

    @rule(who=PLACES, back=st.sampled_from(range(6)), text=ANYTHING, hurried=HURRIED)
    def edits(self, who: int, back: int, text: str, hurried: bool) -> None:
        place = self.places[who]
        if not place.written or place.someone.address.channel == "web":
            return  # the web chat has no corrections
        number = place.written[-1 - back % min(len(place.written), 3)]
        expects = self.world.run(self._expects_correction(place, number, text))
        self._happens((place, {"text": text, "message_id": number, "edited": True}), expects=expects)
        self._settles(hurried=hurried)

    @rule(one=PLACES, other=PLACES, text=ANYTHING, which=WHICH, hurried=HURRIED)
    def two_at_once(self, one: int, other: int, text: str, which: int, hurried: bool) -> None:
        here, there = self.places[one], self.places[other]
        said: dict[str, Any] = {"text": text, "message_id": self.desk.new_number()}
        button = there.button(which, old=False)
        also: dict[str, Any] = {"text": text, "message_id": self.desk.new_number()}
        if button is not None:
            also = self._press_of(there, button)
        self._happens((here, said), (there, also))
        self._settles(hurried=hurried)

    @rule(who=PLACES, text=ANYTHING)
    def is_delivered_twice(self, who: int, text: str) -> None:
        place = self.places[who]
        event = {"text": text, "message_id": self.desk.new_number(), "event_id": self.desk.new_number()}
        self._happens((place, event))
        before = place.reactions
        self._happens((place, event), expects=False)
        assert place.reactions == before, f"an event was answered twice: {place}"
        self._settles(hurried=False)

    @rule(who=PLACES)
    def blocks_us(self, who: int) -> None:
        self._happens((self.places[who], {"reachable": False}), expects=False)

    @rule(who=PLACES)
    def lets_us_write_again(self, who: int) -> None:
        self._happens((self.places[who], {"reachable": True}), expects=False)

    @rule(who=PLACES)
    def wants_to_be_forgotten(self, who: int) -> None:
        place = self.places[who]
        self._says(place, "/forget")
        self._presses(place, 0)

    @rule(who=PLACES, other=PLACES)
    def joins_two_channels(self, who: int, other: int) -> None:
        here, there = self.places[who], self.places[other]
        if here.home != there.home:
            return  # a code is for oneself; strangers guess it in «/join ABCDEF»
        for _ in range(3):  # «Мои дети» → «Соединить каналы» → «Показать код»
            self._says(here, "мои дети")
            self._presses_label(here, "Соединить каналы")
            self._presses_label(here, "Показать код")
            codes = [found[1] for message in here.last if (found := _CODE.search(plain(message.text)))]
            if codes:
                self._says(there, codes[0])
                self._says(there, f"/join {codes[0]}")
                return

    @rule(who=PLACES, words=st.sampled_from(CALLS))
    def calls_a_human(self, who: int, words: str) -> None:
        self._reaches_a_human(self.places[who], words)

    # What the staff do ---------------------------------------------------------------------------------

    @rule(which=WHICH, text=st.sampled_from(("Здравствуйте!", "Зайдите через Госуслуги. " * 150)))
    def colleague_answers(self, which: int, text: str) -> None:
        found = self.world.run(self._open_tickets())
        if found:
            ticket, home = found[which % len(found)]
            self._staff_does({"button": f"answer:{ticket.id}"}, {"text": f"{text} {home}"})

    @rule(which=WHICH)
    def colleague_closes(self, which: int) -> None:
        found = self.world.run(self._open_tickets())
        if found:
            self._staff_does({"button": f"close:{found[which % len(found)][0].id}"})

    @rule()
    def colleague_closes_all(self) -> None:
        for ticket, _ in self.world.run(self._open_tickets()):
            self._staff_does({"button": f"close:{ticket.id}"})

    @rule(which=WHICH, old=st.booleans())
    def colleague_presses(self, which: int, old: bool) -> None:
        button = self.staff.button(which, old=old)
        if button is not None:
            self._staff_does({"button": button.payload})

    @rule(text=st.sampled_from(("/open", "/help", "это кому?")))
    def colleague_writes(self, text: str) -> None:
        self._staff_does({"text": text})

    # What just happens ---------------------------------------------------------------------------------

    @rule(pause=st.sampled_from(sorted(PAUSES)))
    def time_passes(self, pause: str) -> None:
        self._waits(timedelta(seconds=PAUSES[pause]))
        self._settles(hurried=False)

    @rule()
    def restarts(self) -> None:
        self.world.run(self.desk.restart(self.world.knowledge))

    def teardown(self) -> None:
        self.world.run(self.desk.close())

    # Deeds ---------------------------------------------------------------------------------------------

    def _says(
        self, place: Place, text: str, *, signed: bool = False, hurried: bool = False, **more: Any
    ) -> None:
        text = f"{text} {place.home}" if signed else text
        number = self.desk.new_number()
        self._happens((place, {"text": text, "message_id": number, **more}))
        self._settles(hurried=hurried)

    def _starts(self, place: Place, payload: str) -> None:
        before = place.reactions
        self._happens((place, {"started": payload}))
        assert place.reactions > before, f"«Начать» was not answered: {place}"
        self._settles(hurried=False)

    def _presses(self, place: Place, which: int, *, old: bool = False, hurried: bool = False) -> None:
        button = place.button(which, old=old) or place.button(which, old=True)
        if button is None:
            self._starts(place, "")
        else:
            self._press(place, button)
            self._settles(hurried=hurried)

    def _presses_label(self, place: Place, label: str) -> bool:
        for message in place.last:
            for button in itertools.chain.from_iterable(message.buttons):
                if button.label == label:
                    self._press(place, button)
                    return True
        return False

    def _press(self, place: Place, button: Button) -> None:
        before = place.reactions
        self._happens((place, self._press_of(place, button)))
        assert place.reactions > before, f"{button} did nothing: {place}"

    def _press_of(self, place: Place, button: Button) -> dict[str, Any]:
        self.world.pressed.add(button.payload.partition(":")[0])
        # Only the web chat shows a press as the parent's own message.
        label = button.label if place.someone.address.channel == "web" else ""
        return {"button": button.payload, "text": label}

    def _happens(self, *events: tuple[Place, dict[str, Any]], expects: bool = True) -> None:
        """Events come at once, and what is said at once arrives; no time passes."""
        for place, event in events:
            place.is_changed = True
            place.talk.append(f"> {event}")
            if expects and "button" not in event and "started" not in event:
                number = event["message_id"]
                place.waiting.append(Words(number, str(event), place.reactions, len(self.colleague.heard)))
            if "message_id" in event and not event.get("edited"):
                place.written.append(event["message_id"])
        self.world.run(self._take(events))
        self._collect(place for place, _ in events)
        self._look()
        self.world.steps += 1

    async def _take(self, events: Iterable[tuple[Place, dict[str, Any]]]) -> None:
        await asyncio.gather(*(self.desk.takes(place.someone, **event) for place, event in events))
        await self.desk._deliver()

    def _staff_does(self, *events: dict[str, Any]) -> None:
        for event in events:
            self.world.run(self._take([(self.staff, {"message_id": self.desk.new_number(), **event})]))
            self._collect(())
        self.world.steps += 1
        self._look()

    def _waits(self, time: timedelta) -> None:
        self.world.run(self.desk.passes(time))
        self._collect(self.places)
        self.world.steps += 1
        self._look()

    def _settles(self, *, hurried: bool) -> None:
        """Time passes until all that waits is answered; who is in a hurry goes on before that."""
        if hurried:
            return
        self.world.run(self.desk.passes(timedelta(seconds=10)))
        self._collect(self.places)
        self._look(is_settled=True)

    def _reaches_a_human(self, place: Place, words: str) -> None:
        self._says(place, words)
        for _ in range(MOST_STEPS_TO_A_HUMAN):
            if self.world.run(self._is_with_human(place)):
                return
            onwards = [
                button
                for message in place.last
                for row in message.buttons
                for button in row
                if SKIPPING.search(button.label)
            ]
            assert onwards, f"«{words}» led nowhere: {place}"
            self._press(place, onwards[-1])
            self._settles(hurried=False)
        raise AssertionError(f"«{words}» led to no human in {MOST_STEPS_TO_A_HUMAN} steps: {place}")

    # Looks ---------------------------------------------------------------------------------------------

    def _collect(self, may_react: Iterable[Place]) -> None:
        """Look at what was said; to whom the bot spoke by itself it has reacted."""
        reacting = list(map(id, may_react))
        for place in (*self.places, self.staff):
            fresh = place.someone.heard[place.looked :]
            place.looked = len(place.someone.heard)
            for message in fresh:
                check_message(message)
                self._check_for_strange_words(place, message)
            spoken = [each for each in fresh if each.delete is None and not each.text.startswith(_HIDDEN)]
            if not spoken:
                continue
            place.last = spoken
            place.talk += [f"< {_shown(each)}" for each in spoken]
            place.is_changed = True
            place.shown += [button for each in spoken for row in each.buttons for button in row]
            if id(place) in reacting:
                place.reactions += len(spoken)
        assert not self.world.troubles, self.world.troubles.pop()

    def _check_for_strange_words(self, place: Place, message: Outgoing) -> None:
        said = message.text + " ".join(button.label for row in message.buttons for button in row)
        for value in PLANTED:
            assert value not in said, f"personal data in {message.text!r}"
        if place is not self.staff:
            for home in HOMES:
                is_ours = home == place.home or home not in said.casefold()
                assert is_ours, f"{place.home} heard of {home}: {message.text!r}"

    def _look(self, *, is_settled: bool = False) -> None:
        for place in self.places:
            if place.is_changed or place.waiting:
                self.world.run(self._look_at(place, is_settled=is_settled))
                place.is_changed = not is_settled

    async def _look_at(self, place: Place, *, is_settled: bool) -> None:
        async with self.desk.database.reading() as tx:
            found = await self._known(tx, place)
            if found is None:
                # Never here, or forgotten: what they had said was not to be answered any more.
                place.waiting.clear()
                return
            person, conversation = found
            pending = {each.external_id for each in await conversations.pending(tx, conversation.id)}
            assert not (is_settled and pending), f"waits for ever: {conversation}, {place}"
            for words in list(place.waiting):
                if words.number in pending:
                    words.reactions = place.reactions
                    continue
                is_heard = place.reactions > words.reactions
                is_heard = is_heard or await self._have_staff_heard(tx, conversation, words)
                assert is_heard, f"silence about {words.text}: {place}"
                place.waiting.remove(words)
            if is_settled and place.last:
                is_human = await _has_open_ticket(tx, conversation)
                is_asked = await family.awaited_answer(tx, person.id, now=self.desk.clock.now())
                assert is_human or is_asked or offers_a_way_on(place.last), f"no way on: {place}"

    async def _have_staff_heard(self, tx: Transaction, conversation: Conversation, words: Words) -> bool:
        """Whether the message stands in a question and the colleague was told."""
        message = await conversations.said(tx, conversation.id, words.number)
        numbers = {conversation.ticket_id, message.ticket_id if message else None} - {None}
        return any(letter.ticket_id in numbers for letter in self.colleague.heard[words.told :])

    async def _expects_correction(self, place: Place, number: str, text: str) -> bool:
        """Whether a correction must be answered.

        A preview of a link changes no words. And where the talk has gone on, an older message is corrected
        silently: the bot has asked or answered something else since, and the staff read the new words.
        """
        async with self.desk.database.reading() as tx:
            found = await self._known(tx, place)
            message = found and await conversations.said(tx, found[1].id, number)
            if not found or not message:
                return True
            last = await conversations.last_message_id(tx, found[1].id, author="person")
        if message.text == privacy.mask(text).text:
            return False
        return found[1].mode in {"waiting_human", "human"} or message.id == last

    async def _known(self, tx: Transaction, place: Place) -> tuple[Person, Conversation] | None:
        address = place.someone.address
        person = await people.at(tx, address.channel, address.chat_id)
        if person is None:
            return None
        return person, await conversations.of_person(tx, person.id, now=self.desk.clock.now())

    async def _is_with_human(self, place: Place) -> bool:
        async with self.desk.database.reading() as tx:
            found = await self._known(tx, place)
            return found is not None and await _has_open_ticket(tx, found[1])

    async def _open_tickets(self) -> list[tuple[Ticket, str]]:
        """The open questions and whose they are."""
        homes = {each.someone.address: each.home for each in self.places}
        async with self.desk.database.reading() as tx:
            found = await tickets.list_open(tx, limit=20)
            asking = await people.some(tx, [ticket.person_id for ticket in found])
        return [
            (ticket, next(home for address, home in homes.items() if address.chat_id == person.chat_id))
            for ticket in found
            if (person := asking[ticket.person_id])
        ]


def check_message(message: Outgoing) -> None:
    """What every channel can carry, and nothing that was meant for a machine."""
    if message.delete is not None:
        return
    buttons = [button for row in message.buttons for button in row]
    spans = parse(message.text)
    assert plain(message.text).strip() or message.attachments, f"an empty message: {message}"
    assert not re.search(r"[{}]", message.text), message.text
    assert all(span.url != FOREIGN_LINK for span in spans), message.text
    assert "**" not in plain(message.text), message.text
    for piece in split(message.text, limit=LONGEST_TEXT, measure=_length):
        assert 0 < _length(piece) <= LONGEST_TEXT
    for button in buttons:
        assert 0 < len(button.label.strip()) <= LONGEST_LABEL, button
        assert button.payload or button.url, button
        assert len(button.payload.encode()) <= LONGEST_PAYLOAD, button
    if message.ticket_id is None and message.priority == "reply":
        assert len(buttons) <= MOST_BUTTONS, [button.label for button in buttons]
        assert _length(spans) <= LONGEST_TEXT or texts_staff.answer(0, "", whose="")[:8] in message.text


def offers_a_way_on(last: Iterable[Outgoing]) -> bool:
    """Whether a button is there, or words are asked for."""
    return any(message.buttons or INVITING.search(message.text) for message in last)


async def _has_open_ticket(tx: Transaction, conversation: Conversation) -> bool:
    if conversation.mode not in {"waiting_human", "human"} or conversation.ticket_id is None:
        return False
    ticket = await tickets.find(tx, conversation.ticket_id)
    return ticket is not None and ticket.state != "closed"


def _length(spans: Iterable[Span]) -> int:
    return sum(len(draw_plain(span)) for span in spans)


def _shown(message: Outgoing) -> str:
    return f"{message.text!r} {[button.label for row in message.buttons for button in row]}"
