"""The FAQ base as the bot answers from it, for commands that do not start the bot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.commands.common import run

if TYPE_CHECKING:
    from bot.settings import Settings
    from faq.content.topic import Base, Topic
    from storage.database import Database


def base_in_use(settings: Settings) -> Base:
    """This version's base with the entries that operators changed; never makes a database."""
    from faq.content.loading import packaged_base
    from faq.content.topic import with_topics
    from storage.database import Database

    base = packaged_base()
    database = Database(settings.database)
    if database.is_sqlite and not database.file.is_file():
        return base
    return with_topics(base, topics_from(run(_changed_entries(database))))


def topics_from(bodies: Mapping[str, Mapping[str, Any]]) -> dict[str, Topic]:
    """Stored entries as topics; raises `BaseError` for those that this version cannot read."""
    from faq.content.loading import BaseError, Problem
    from faq.content.topic import Topic, TopicError

    topics: dict[str, Topic] = {}
    problems: list[Problem] = []
    for slug, body in bodies.items():
        try:
            topics[slug] = Topic.from_plain(body)
        except TopicError as error:
            problems += [Problem(f"тема «{slug}» в базе данных", 0, fault.text) for fault in error.faults]
    if problems:
        raise BaseError(tuple(problems))
    return topics


async def _changed_entries(database: Database) -> dict[str, Mapping[str, Any]]:
    from storage import knowledge

    try:
        if await database.revision() is None:  # a file or a server without our tables yet
            return {}
        async with database.reading() as tx:
            entries = await knowledge.everything(tx)
    finally:
        await database.close()
    # What came with the program is as in this version's files, or will be at the next start.
    return {entry.slug: entry.body for entry in entries if entry.origin == "operator"}
