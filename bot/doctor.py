"""What works, what does not, and what to do: without changing anything."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.channels.base import SendError
from bot.clock import SystemClock
from bot.messengers import NoCursor, messengers
from bot.settings import Settings
from faq.content.loading import BaseError, packaged_base
from faq.content.region import RegionError, load_region
from faq.matching import embedding
from storage import knowledge as stored
from storage import staff
from storage.database import BadAddress, Database, Unavailable
from storage.migrations import NEWEST


@dataclass(frozen=True)
class Finding:
    """One part of the installation: it works, it is switched off, or it is broken."""

    part: str
    state: Literal["ok", "off", "broken"]
    text: str


async def examine(settings: Settings) -> list[Finding]:
    """Look at every part; a configured part that does not work is `broken`."""
    return [
        _folder(settings.data_dir),
        *await _database(settings),
        *_faq(settings),
        await _semantic(settings),
        *await _channels(settings),
    ]


def _folder(folder: Path) -> Finding:
    existing = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return Finding("Папка данных", "ok", str(folder))
    return Finding(
        "Папка данных", "broken", f"в {folder} нельзя писать: исправьте права или HELPDESK_DATA_DIR"
    )


async def _database(settings: Settings) -> list[Finding]:
    try:
        database = Database(settings.database)
    except BadAddress as error:
        return [Finding("База данных", "broken", f"HELPDESK_DATABASE_URL: {error}")]
    try:
        if database.is_sqlite and not database.file.exists():
            return [Finding("База данных", "off", "файла ещё нет: появится при первом запуске")]
        revision = await database.revision()
        if revision != NEWEST:
            return [Finding("База данных", "broken", "таблицы не той версии: выполните helpdesk migrate")]
        async with database.reading() as tx:
            entries = await stored.everything(tx)
            members = await staff.everyone(tx)
    except Unavailable as error:
        return [Finding("База данных", "broken", f"недоступна ({error}): проверьте HELPDESK_DATABASE_URL")]
    finally:
        await database.close()
    changed = sum(entry.origin == "operator" for entry in entries)
    people = Finding("Сотрудники", "ok", f"{len(members)}")
    if not members:
        people = Finding("Сотрудники", "off", "никто не приглашён: helpdesk staff invite --role owner")
    return [
        Finding(
            "База данных", "ok", f"{database.address}, версия {revision}, тем изменено оператором: {changed}"
        ),
        people,
    ]


def _faq(settings: Settings) -> list[Finding]:
    findings = []
    try:
        base = packaged_base()
        phrasings = sum(len(topic.phrasings) for topic in base.topics.values())
        findings.append(Finding("FAQ", "ok", f"тем {len(base.topics)}, формулировок {phrasings}"))
    except BaseError as error:
        findings.append(Finding("FAQ", "broken", str(error)))
    try:
        findings.append(Finding("Регион", "ok", load_region(settings.region).name))
    except RegionError as error:
        findings.append(Finding("Регион", "broken", f"HELPDESK_REGION: {error}"))
    return findings


async def _semantic(settings: Settings) -> Finding:
    part = "Подбор по смыслу"
    if settings.semantic == "off":
        return Finding(part, "off", "выключен настройкой HELPDESK_SEMANTIC")
    trouble = await asyncio.to_thread(embedding.trouble)
    if trouble is not None:
        return Finding(part, "off", f"{trouble}; подбор по словам работает")
    return Finding(part, "ok", embedding.MODEL)


async def _channels(settings: Settings) -> list[Finding]:
    findings = [Finding("Веб-чат", "ok", f"{settings.public}/chat")]
    titles = {"telegram": "Telegram", "vk": "ВКонтакте"}
    made = messengers(settings, clock=SystemClock(), cursor=NoCursor())
    findings += [Finding(titles[name], "off", advice) for name, advice in made.missing.items()]
    findings += [Finding(titles[name], "broken", trouble) for name, trouble in made.broken.items()]
    for name, channel in made.channels.items():
        try:
            findings.append(Finding(titles[name], "ok", await channel.check()))
        except SendError as error:
            findings.append(Finding(titles[name], "broken", str(error)))
        finally:
            await channel.close()
    return findings
