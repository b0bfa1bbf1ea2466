"""What is still to be changed in announcements that were sent: a new text, or nothing at all any more.

One wish for each launch and channel, among the cursors: it remembers the last reader whose message was dealt
with, so that whoever carries it out (`bot.correcting`) can go on after a crash.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import delete, select, update

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import cursors

_NAME = "mailing-wish-"


@dataclass(frozen=True)
class Wish:
    """What is to become of the messages of a launch."""

    launch_id: int
    deed: Literal["edit", "delete"]
    channel: str = ""
    text: str = ""
    """The new text, in the markup and with placeholders; of an edit."""
    by_id: int | None = None
    after: int = 0
    """The last reader (by number) whose message was dealt with."""
    changed: int = 0
    """How many messages were changed so far."""
    refused: int = 0
    """How many the messenger did not let us change."""


async def add(tx: Transaction, wish: Wish) -> None:
    """Wish for it from the first reader on; a later wish takes the place of an earlier one."""
    insert = insert_into(tx, cursors).values(name=_name(wish), place=_plain(wish))
    await tx.execute(
        insert.on_conflict_do_update(index_elements=[cursors.c.name], set_={"place": _plain(wish)})
    )


async def on_channel(tx: Transaction, channel: str) -> list[Wish]:
    """The wishes that are not carried out yet on this channel."""
    return [wish for wish in await listed(tx) if wish.channel == channel]


async def listed(tx: Transaction) -> list[Wish]:
    """All wishes that are not carried out yet."""
    query = select(cursors.c.place).where(cursors.c.name.startswith(_NAME)).order_by(cursors.c.name)
    return [Wish(**json.loads(place)) for place in (await tx.scalars(query)).all()]


async def note_done(tx: Transaction, before: Wish, now: Wish) -> bool:
    """A portion is done; False if another wish has taken the place of this one."""
    statement = update(cursors).where(cursors.c.name == _name(before), cursors.c.place == _plain(before))
    return (await tx.execute(statement.values(place=_plain(now)))).rowcount > 0


async def finish(tx: Transaction, wish: Wish) -> bool:
    """Nobody is left; False if another wish has taken the place of this one."""
    statement = delete(cursors).where(cursors.c.name == _name(wish), cursors.c.place == _plain(wish))
    return (await tx.execute(statement)).rowcount > 0


def _name(wish: Wish) -> str:
    return f"{_NAME}{wish.launch_id}-{wish.channel}"


def _plain(wish: Wish) -> str:
    return json.dumps(asdict(wish), ensure_ascii=False, sort_keys=True)
