"""`helpdesk chat` and `helpdesk ask`: the bot without any messenger."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.channels.console import ConsoleChannel
from bot.clock import SystemClock
from bot.commands.base_in_use import base_in_use
from bot.commands.common import FAILURE, fail, load_settings, run, told
from bot.index_store import IndexStore
from bot.settings import Settings
from faq.matching import explaining
from faq.matching.explaining import Explanation
from faq.matching.matcher import Decision, Matcher
from handlers.messages import Address, Attachment, Incoming

MOST_CANDIDATES = 5
"""As many as `ask --json` promises at most."""


def chat(
    who: Annotated[str, typer.Option("--as", help="Имя собеседника: у каждого свой разговор.")] = "",
    *,
    staff: Annotated[
        bool, typer.Option("--staff", help="Говорить как сотрудник: отвечать родителям.")
    ] = False,
) -> None:
    """Поговорить с ботом в терминале. Строка с номером нажимает кнопку, «/file ПУТЬ» отправляет файл."""
    settings = load_settings()
    with told():
        run(_chat(settings, who or ("сотрудник" if staff else "родитель"), is_staff=staff))


def ask(
    text: Annotated[str | None, typer.Argument(help="Сообщение родителя.")] = None,
    *,
    batch: Annotated[
        str | None, typer.Option("--batch", help="Файл: по сообщению в строке; «-» — ввод.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Один объект JSON на сообщение.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Показать, что сделал каждый шаг и что решило.")
    ] = False,
) -> None:
    """Спросить только подборщик ответов: что он понял и насколько уверен."""
    if (text is None) == (batch is None):
        fail("Дайте одно из двух: текст сообщения или --batch ФАЙЛ.")
    settings = load_settings()
    with told():
        lines = [text] if text is not None else _lines(batch or "-")
        base = base_in_use(settings)
        matcher = IndexStore(settings.data_dir, semantic=settings.semantic == "auto").matcher(base)
        titles = {slug: topic.title for slug, topic in base.topics.items()}
    for line in lines:
        decision, spent = _decide(matcher, line)
        explanation = explaining.explain(matcher, line) if explain else None
        if as_json:
            typer.echo(json.dumps(_as_plain(line, decision, spent, explanation), ensure_ascii=False))
        else:
            typer.echo(_as_text(decision, spent, explanation, titles=titles))


def _decide(matcher: Matcher, text: str) -> tuple[Decision, float]:
    """The decision, and the milliseconds it took."""
    began = time.perf_counter()
    decision = matcher.match(text)
    return decision, (time.perf_counter() - began) * 1000


def _as_plain(text: str, decision: Decision, spent: float, explanation: Explanation | None) -> dict[str, Any]:
    plain = {"text": text, **_decision_as_plain(decision), "ms": round(spent, 2)}
    return plain if explanation is None else {**plain, "explanation": explaining.as_plain(explanation)}


def _decision_as_plain(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.decision,
        "slug": decision.slug,
        "confidence": round(decision.confidence, 4),
        "candidates": [
            {"slug": candidate.slug, "score": round(candidate.score, 4)}
            for candidate in decision.candidates[:MOST_CANDIDATES]
        ],
        "foreign": decision.foreign,
        "question": decision.question.ask if decision.question else None,
        "also": [_decision_as_plain(each) for each in decision.also],
    }


def _as_text(
    decision: Decision, spent: float, explanation: Explanation | None, *, titles: Mapping[str, str]
) -> str:
    lines = [f"{_verdict(decision)} (уверенность {decision.confidence:.2f}, {spent:.0f} мс)"]
    lines += _details(decision, titles=titles)
    for other in decision.also:
        lines.append(f"ещё вопрос: {_verdict(other)} (уверенность {other.confidence:.2f})")
        lines += _details(other, titles=titles)
    if explanation is not None:
        lines += ["", explaining.as_text(explanation, titles=titles), ""]
    return "\n".join(lines)


def _verdict(decision: Decision) -> str:
    if decision.foreign:
        return "не знаю: вопрос не о входе в дневник"
    return {"answer": "ответ", "clarify": "уточнить", "unknown": "не знаю"}[decision.decision]


def _details(decision: Decision, *, titles: Mapping[str, str]) -> Iterator[str]:
    if decision.question is not None:
        yield f"  спросить: {decision.question.ask}"
        yield from (f"    [{label}]  {slug}" for slug, label in decision.question.options.items())
    for candidate in decision.candidates[:MOST_CANDIDATES]:
        yield f"  {candidate.score:.2f}  {candidate.slug}  {titles.get(candidate.slug, '')}".rstrip()


def _lines(name: str) -> Iterator[str]:
    if name == "-":
        return (line.rstrip("\n") for line in sys.stdin)
    path = Path(name)
    try:
        return iter(path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        fail(f"Файла «{path}» нет.")
    except UnicodeDecodeError as error:
        fail(f"Файл «{path}» не в кодировке UTF-8 (байт {error.start}): сохраните его в UTF-8.")
    except OSError as error:
        fail(f"Файл «{path}» не читается: {error.strerror}.")


async def _chat(settings: Settings, who: str, *, is_staff: bool) -> None:
    from bot.channels.files import Files
    from bot.delivery import Delivery
    from bot.opening import open_database, open_knowledge
    from handlers.desk import Helpdesk
    from storage.database import Busy

    clock = SystemClock()
    database = await open_database(settings)
    try:
        knowledge = await open_knowledge(settings, database, clock=clock)
        files = Files(settings.data_dir / "files")
        channel = ConsoleChannel(lambda text: typer.echo(text + "\n"))
        address = Address(channel.name, who)
        helpdesk = Helpdesk(database, knowledge, now=clock.now)
        delivery = Delivery(
            channel, database, files, {channel.name: channel}, clock=clock, chat_id=address.chat_id
        )
        async with database.exclusive(f"channel-console-{uuid.uuid5(uuid.NAMESPACE_URL, who)}"):
            await delivery.recover()
            talk = _Talk(channel, helpdesk, delivery, files, address)
            if is_staff:
                await talk.join(database)
            if sys.stdin.isatty():
                await talk.interactive()
            else:
                await talk.batch(sys.stdin)
    except Busy:
        fail(f"Собеседник «{who}» уже открыт в другом окне: назовите другого в --as.", FAILURE)
    finally:
        await database.close()


class _Talk:
    def __init__(
        self, channel: ConsoleChannel, helpdesk: Any, delivery: Any, files: Any, address: Address
    ) -> None:
        self._channel = channel
        self._helpdesk = helpdesk
        self._delivery = delivery
        self._files = files
        self._address = address

    async def join(self, database: Any) -> None:
        """Make this terminal a member of the staff, once."""
        from handlers.staff import membership as deeds
        from handlers.staff.membership import INVITATION
        from storage import people, staff

        async with database.reading() as tx:
            person = await people.at(tx, self._address.channel, self._address.chat_id)
            member = await staff.of_person(tx, person.id) if person else None
        if member is None:
            async with database.transaction() as tx:
                invited = await deeds.invite(
                    tx, role="owner", school_id=None, municipality=None, now=SystemClock().now()
                )
            await self._receive(started=INVITATION + invited.token)
        else:
            await self._receive(text="/open")

    async def batch(self, lines: Iterable[str]) -> None:
        """Every line is a message; its answers are printed before the next is read."""
        await self._delivery.send_all()
        for line in lines:
            await self._say(line.rstrip("\n"))

    async def interactive(self) -> None:
        """Read lines as they are typed; what others write appears in between."""
        typer.echo("Пишите сообщение и нажимайте Enter; номер нажимает кнопку; Ctrl+D — выход.\n")
        sending = asyncio.create_task(self._delivery.run())
        try:
            while True:
                line = await asyncio.to_thread(sys.stdin.readline)
                if not line:
                    return
                await self._say(line.rstrip("\n"), deliver=False)
                self._delivery.wake()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _say(self, line: str, *, deliver: bool = True) -> None:
        if not line.strip():
            return
        button = self._channel.press(line.strip())
        self._channel.begin_turn()
        if button is not None:
            await self._receive(button=button, deliver=deliver)
        elif line.startswith("/file "):
            await self._send_file(line.removeprefix("/file ").strip())
        elif line.startswith("/start"):
            await self._receive(started=line.removeprefix("/start").strip(), deliver=deliver)
        else:
            await self._receive(text=line, deliver=deliver)

    async def _send_file(self, name: str) -> None:
        path = Path(name)
        try:
            data = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            typer.echo(f"Файл «{path}» не читается: {error.strerror}.", err=True)
            return
        ref = await self._files.keep(data)
        kind = "photo" if path.suffix.lower() in {".jpg", ".jpeg", ".png"} else "file"
        mime = "image/jpeg" if kind == "photo" else "application/octet-stream"
        attachment = Attachment(kind, path.name, mime, "console", ref, len(data))  # type: ignore[arg-type]
        await self._receive(attachments=(attachment,))

    async def _receive(self, *, deliver: bool = True, **what: Any) -> None:
        event_id = uuid.uuid4().hex
        await self._helpdesk.receive(
            Incoming(
                event_id=event_id,
                sender=self._address,
                name=self._address.chat_id,
                message_id=event_id,
                whole=True,
                **what,
            )
        )
        if deliver:
            await self._delivery.send_all()
