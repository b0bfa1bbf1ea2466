"""Learning without surprises: parents' words become phrasings when no golden question gets worse by them.

            propose                 no harm
(nothing) ─────────► checking ────────────────► added
                        │ same words, harm
                        ├──────────────────────► refused
                        │ the process ended
                        └──────────────────────► interrupted
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog

from faq.content.topic import Base, Topic, with_topics
from faq.matching.matcher import Decision
from faq.matching.scoring import load_outside
from faq.matching.separating import MOST_BUTTONS
from faq.measuring.golden import Harm, Remembering, harms, load_golden
from faq.measuring.labelled import Labelled
from faq.text import normalise, small_talk, words
from handlers.errors import HelpdeskError
from handlers.knowledge import Knowledge, base_from
from handlers.staff.board import Case
from storage import journal
from storage import knowledge as stored
from storage.database import Database, Transaction, Unavailable
from storage.knowledge import Noted
from storage.staff import Member

LONGEST_PHRASING = 300
"""Characters; the longest phrasings of the packaged base have 240."""
FEWEST_WORDS = 2
"""One word fits many topics, and a phrasing is answered without doubt."""
MOST_SHOWN = 5
"""Questions that would get worse, told to the operator; all of them are counted."""
LONGEST_CHECK = timedelta(minutes=10)
"""A check of another process that has not ended after so long never will; ours take seconds."""

_PROPOSED, _ADDED, _REFUSED = "phrasing_proposed", "phrasing_added", "phrasing_refused"
_BUSY = "По этому вопросу формулировка уже проверяется. Дождитесь, чем это кончится."
_TRIES = 3  # the base may be changed by somebody else while it is being checked
_AT_ONCE = 40  # golden questions between two moments at which the process may stop
_REMEMBERED = 200  # questions whose operator's words are kept in memory
_WORDS_SHOWN = 200  # characters of a golden question
_LONG_NUMBER = re.compile(r"\d(?:[\s()./\-–—]*\d){4,}")
_MAIL = re.compile(r"@\s*\w|\w\s*@")
_LINK = re.compile(r"://|\bwww\.|\bt\.me\b|\bvk\.me\b|\w\.[a-zа-я]{2,}/\S", re.IGNORECASE)

_log = structlog.get_logger(__name__)


class NotLearned(HelpdeskError):
    """The phrasing cannot be taken; says why in Russian."""


@dataclass(frozen=True)
class Worse:
    """A golden question that would get worse: its words, what parents get now, and would get."""

    text: str
    before: str
    after: str


@dataclass(frozen=True)
class Attempt:
    """What became of the phrasing that was proposed last from a question."""

    stage: Literal["checking", "added", "refused", "interrupted"]
    slug: str
    text: str
    """The operator's words; empty where nobody remembers them any more."""
    at: datetime
    reason: str = ""
    worse: tuple[Worse, ...] = ()
    count: int = 0
    """How many golden questions would get worse."""

    def is_about(self, slug: str, text: str) -> bool:
        """The same words were proposed for the same topic."""
        return (self.slug, self.text) == (slug, text)


@dataclass(frozen=True)
class Choice:
    """The topics to choose from: the likeliest, then all by section."""

    likely: tuple[Topic, ...]
    sections: tuple[tuple[str, tuple[Topic, ...]], ...]


class Learning:
    """Takes phrasings, one after another, checks them in the background and tells what became of them."""

    def __init__(
        self,
        database: Database,
        knowledge: Knowledge,
        *,
        now: Callable[[], datetime],
        golden: Callable[[], Sequence[Labelled]] = load_golden,
    ) -> None:
        self._database = database
        self._knowledge = knowledge
        self._now = now
        self._golden = golden
        self._process = uuid.uuid4().hex
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._checking: dict[int, Attempt] = {}
        self._ended: dict[int, Attempt] = {}
        self._known: tuple[Base, dict[str, Decision]] | None = None

    async def choice(self, text: str) -> Choice:
        """The topics that a phrasing may belong to."""
        base = self._knowledge.base
        decision = await self._knowledge.match(text)
        slugs = [each.slug for one in (decision, *decision.also) for each in one.candidates]
        likely = [base.topics[slug] for slug in dict.fromkeys(slugs) if slug in base.topics]
        return Choice(tuple(likely[:MOST_BUTTONS]), _by_section(base))

    async def propose(self, member: Member, case: Case, *, slug: str, text: str) -> None:
        """Begin to check a phrasing; raises `NotLearned` for what can be refused at once."""
        text = tidy(text)
        last = await self.state(case.number)
        if last is not None and last.stage in {"checking", "added"} and last.is_about(slug, text):
            return  # the button was pressed twice
        if last is not None and last.stage == "checking":
            raise NotLearned(_BUSY)
        if case.state == "waiting":
            raise NotLearned("Сначала ответьте родителю.")
        refuse_unfit(text)
        await asyncio.to_thread(with_phrasing, self._knowledge.base, slug, text)
        attempt = Attempt("checking", slug, text, self._now())
        other = self._checking.setdefault(case.number, attempt)
        if other is not attempt:  # begun while we looked at the words
            if other.is_about(slug, text):
                return
            raise NotLearned(_BUSY)
        try:
            await self._note(_PROPOSED, member, case.number, attempt, {"process": self._process})
        except BaseException:
            del self._checking[case.number]
            raise
        task = asyncio.create_task(self._learn(member, case.number, attempt))
        self._tasks.add(task)

        # Not at the end of the task itself: one that is cancelled before it began has no end.
        def forget(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            del self._checking[case.number]

        task.add_done_callback(forget)

    async def state(self, number: int) -> Attempt | None:
        """What became of the last proposal from this question; survives a restart, but for the words."""
        if number in self._checking:
            return self._checking[number]
        async with self._database.reading() as tx:
            noted = await stored.last_noted(tx, number, (_PROPOSED, _ADDED, _REFUSED))
        remembered = self._ended.get(number)
        if remembered is not None and (noted is None or noted.at <= remembered.at):
            return remembered
        return self._recall(noted) if noted is not None else None

    async def settled(self) -> None:
        """Wait until nothing is being checked here."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _learn(self, member: Member, number: int, attempt: Attempt) -> None:
        try:
            async with self._one_at_a_time:
                ended = await self._check(member, number, attempt)
        except Exception as error:
            _log.exception("phrasing_check_failed", error=type(error).__name__)
            trouble = "База данных не отвечала" if isinstance(error, Unavailable) else "Проверка сломалась"
            reason = f"{trouble}, формулировка не добавлена. Попробуйте ещё раз."
            ended = replace(attempt, stage="refused", reason=reason)
        self._ended[number] = replace(ended, at=self._now())
        while len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]

    async def _check(self, member: Member, number: int, attempt: Attempt) -> Attempt:
        try:
            for _ in range(_TRIES):
                await self._knowledge.refresh(self._database)
                before = self._knowledge.base
                after = await asyncio.to_thread(with_phrasing, before, attempt.slug, attempt.text)
                found, known = await self._harms(before, after)
                if found:
                    return await self._refuse(member, number, _refused(attempt, found, after))
                if await self._add(member, number, attempt, before=before, after=after):
                    self._known = (after, known)
                    # The next question of a parent is answered with it, here; elsewhere within seconds.
                    await self._knowledge.refresh(self._database)
                    return replace(attempt, stage="added")
        except NotLearned as refusal:
            return await self._refuse(member, number, replace(attempt, stage="refused", reason=str(refusal)))
        reason = "Базу в это же время меняет кто-то ещё. Попробуйте позже."
        return await self._refuse(member, number, replace(attempt, stage="refused", reason=reason))

    async def _harms(self, before: Base, after: Base) -> tuple[list[Harm], dict[str, Decision]]:
        """What would get worse, and what the new index says to each golden question."""
        rows = [row for row in await asyncio.to_thread(self._golden) if _concerns(row, before)]
        if self._known is None or self._known[0] != before:
            self._known = (before, {})
        old = Remembering(await asyncio.to_thread(self._knowledge.build_index), self._known[1])
        # As the running index is built: then refresh finds this one on disk and need not build it again.
        new = Remembering(await asyncio.to_thread(self._knowledge.index_of, after))
        found: list[Harm] = []
        for start in range(0, len(rows), _AT_ONCE):
            found += await asyncio.to_thread(harms, old, new, rows[start : start + _AT_ONCE])
        return found, new.known

    async def _add(self, member: Member, number: int, attempt: Attempt, *, before: Base, after: Base) -> bool:
        """Store the phrasing, unless the base is no longer the one that was checked."""
        topic = after.topics[attempt.slug]
        async with self._database.transaction() as tx:
            present = {entry.slug: entry.body for entry in await stored.hold(tx)}
            if await asyncio.to_thread(base_from, present) != before:
                return False
            now = await stored.moment_of_change(tx, self._now())
            await stored.put(tx, topic.slug, topic.to_plain(), now=now)
            await self._write(tx, _ADDED, member, number, attempt, {"phrasings": len(topic.phrasings)})
        return True

    async def _refuse(self, member: Member, number: int, attempt: Attempt) -> Attempt:
        worse = [asdict(each) for each in attempt.worse]
        details = {"reason": attempt.reason, "count": attempt.count, "worse": worse}
        await self._note(_REFUSED, member, number, attempt, details)
        return attempt

    async def _note(
        self, deed: str, member: Member, number: int, attempt: Attempt, details: dict[str, Any]
    ) -> None:
        async with self._database.transaction() as tx:
            await self._write(tx, deed, member, number, attempt, details)

    async def _write(
        self,
        tx: Transaction,
        deed: str,
        member: Member,
        number: int,
        attempt: Attempt,
        details: dict[str, Any],
    ) -> None:
        await journal.note(
            tx,
            deed,
            actor=f"staff:{member.id}",
            now=self._now(),
            topic=attempt.slug,
            ticket_id=number,
            details={"mark": _mark(attempt.text), **details},
        )

    def _recall(self, noted: Noted) -> Attempt:
        """What the journal knows; the words are in it only as a mark, by which the base finds its own."""
        slug, details = noted.topic or "", noted.details
        if noted.deed == _ADDED:
            topic = self._knowledge.topic(slug)
            said = [each for each in (topic.phrasings if topic else ()) if _mark(each) == details["mark"]]
            return Attempt("added", slug, said[0] if said else "", noted.at)
        if noted.deed == _REFUSED:
            worse = tuple(Worse(**each) for each in details["worse"])
            return Attempt("refused", slug, "", noted.at, details["reason"], worse, details["count"])
        is_elsewhere = details["process"] != self._process and self._now() - noted.at < LONGEST_CHECK
        return Attempt("checking" if is_elsewhere else "interrupted", slug, "", noted.at)


def first_words(case: Case) -> str:
    """What the parent asked first in this question, as far as it is a question; empty if never."""
    said = [
        tidy("".join(span.text for span in each.spans)) for each in case.thread if each.author == "person"
    ]
    telling = (
        text
        for text in said
        if normalise(text) and not text.startswith("/") and text != case.school and small_talk(text) is None
    )
    text = next(telling, "")
    return text if len(text) <= LONGEST_PHRASING else text[:LONGEST_PHRASING].rsplit(" ", 1)[0]


def tidy(text: str) -> str:
    """The text as one line without invisible characters."""
    whole = unicodedata.normalize("NFC", text)
    kept = ("" if unicodedata.category(each) in {"Cf", "Cs", "Co", "Cn"} else each for each in whole)
    return " ".join("".join(each if each.isprintable() else " " for each in kept).split())


def refuse_unfit(text: str) -> None:
    """Raise `NotLearned` for words that may not, or need not, stand in the base."""
    plain = unicodedata.normalize("NFKC", text)
    if not normalise(text):
        raise NotLearned("Напишите, как родитель спрашивает: здесь нет слов.")
    if len(text) > LONGEST_PHRASING:
        raise NotLearned(f"Формулировка длиннее {LONGEST_PHRASING} знаков. Оставьте только сам вопрос.")
    if _LONG_NUMBER.search(plain):
        raise NotLearned("Здесь длинное число: телефон, СНИЛС, номер документа или дата. Уберите его.")
    if _MAIL.search(plain):
        raise NotLearned("Здесь адрес почты или имя в мессенджере. Уберите его.")
    if _LINK.search(plain):
        raise NotLearned("Здесь ссылка. Уберите её: название сайта можно оставить.")
    if small_talk(text) is not None:
        raise NotLearned("Это не вопрос: на такие слова бот отвечает без базы.")
    if len(words(normalise(text))) < FEWEST_WORDS:
        raise NotLearned("Одно слово подходит ко многим темам. Добавьте, что именно не получается.")


def with_phrasing(base: Base, slug: str, text: str) -> Base:
    """The base with one more phrasing; raises `NotLearned` where these words stand already."""
    topic = base.topics.get(slug)
    if topic is None:
        raise NotLearned("Выберите тему из списка.")
    said = normalise(text)
    for other in (topic, *base.topics.values()):
        if said in map(normalise, (*other.phrasings, other.title, other.button)):
            raise NotLearned(_already_in(other, is_chosen=other is topic))
    foreign = next((each for each in topic.not_here if normalise(each.text) == said), None)
    if foreign is not None:
        owner = base.topics.get(foreign.belongs)
        where = f"они относятся к теме «{owner.title}»" if owner else "на них эта тема не отвечает"
        raise NotLearned(f"В теме «{topic.title}» эти слова отмечены как чужие: {where}.")
    if said in map(normalise, load_outside()):
        raise NotLearned("Эти слова записаны среди вопросов, на которые бот не отвечает.")
    return with_topics(base, {slug: replace(topic, phrasings=(*topic.phrasings, text))})


def _already_in(topic: Topic, *, is_chosen: bool) -> str:
    if is_chosen:
        return f"Такие слова в теме «{topic.title}» уже есть, добавлять их не нужно."
    return (
        f"Такие слова уже есть в другой теме: «{topic.title}». Одни слова не могут вести в две темы: "
        "выберите её или скажите иначе."
    )


def _concerns(row: Labelled, base: Base) -> bool:
    """A question whose topics an operator has removed cannot be answered right."""
    return not row.labels or not row.labels.isdisjoint(base.topics)


def _refused(attempt: Attempt, found: Sequence[Harm], base: Base) -> Attempt:
    return replace(
        attempt,
        stage="refused",
        reason="С этой формулировкой бот хуже отвечал бы на другие вопросы.",
        worse=tuple(
            Worse(_short(each.row.text), _outcome(each.before, base), _outcome(each.after, base))
            for each in found[:MOST_SHOWN]
        ),
        count=len(found),
    )


def _outcome(decision: Decision, base: Base) -> str:
    """What a parent gets, in a few words."""
    if decision.answered:
        return f"ответ {_titles(decision.answered, base)}"
    if decision.offered:
        return f"уточнение, на выбор {_titles(decision.offered, base)}"
    return "бот не узнаёт вопрос"


def _titles(slugs: Collection[str], base: Base) -> str:
    return ", ".join(f"«{base.topics[slug].title}»" for slug in sorted(slugs) if slug in base.topics)


def _short(text: str) -> str:
    return text if len(text) <= _WORDS_SHOWN else text[:_WORDS_SHOWN].rsplit(" ", 1)[0] + "…"


def _mark(text: str) -> str:
    """Tells whether two phrasings are the same without the words: these have no place in the journal."""
    return hashlib.sha256(normalise(text).encode()).hexdigest()[:16]


def _by_section(base: Base) -> tuple[tuple[str, tuple[Topic, ...]], ...]:
    def topics(slugs: Iterable[str]) -> tuple[Topic, ...]:
        return tuple(base.topics[slug] for slug in slugs if slug in base.topics)

    return tuple((section.title, topics(section.topics)) for section in base.sections)
