"""What is still to be changed in announcements that were sent: a new text, or nothing at all any more.

One wish for each launch and channel, among the cursors: it remembers the last reader whose message was dealt
with, so that whoever carries it out (`bot.correcting`) can go on after a crash. A new text that many would
read waits beside them, one for each campaign, until another person agrees to it.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, replace
from typing import Literal

from sqlalchemy import delete, select, update

from storage.database import Transaction
from storage.dialect import insert_into
from storage.tables import cursors

_NAME, _DONE, _ASKED = "mailing-wish-", "mailing-wished-", "mailing-rewording-"
"""Names among the cursors."""


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


@dataclass(frozen=True)
class Rewording:
    """A new text for what was sent, to which another person has not agreed yet."""

    campaign_id: int
    text: str
    by_id: int | None
    """Who wishes it; None: the owner of the machine."""

    @property
    def mark(self) -> int:
        """By this number people agree to what they have read, and to nothing that was written since."""
        return zlib.crc32(_plain(self).encode())


async def add(tx: Transaction, wish: Wish) -> None:
    """Wish for it from the first reader on; a later wish takes the place of an earlier one."""
    await _put(tx, _name(wish), wish)


async def on_channel(tx: Transaction, channel: str) -> list[Wish]:
    """The wishes that are not carried out yet on this channel."""
    return [wish for wish in await listed(tx) if wish.channel == channel]


async def listed(tx: Transaction) -> list[Wish]:
    """All wishes that are not carried out yet."""
    return await _named(tx, _NAME)


async def note_done(tx: Transaction, before: Wish, now: Wish) -> bool:
    """A portion is done; False if another wish has taken the place of this one."""
    statement = update(cursors).where(cursors.c.name == _name(before), cursors.c.place == _plain(before))
    return (await tx.execute(statement.values(place=_plain(now)))).rowcount > 0


async def finish(tx: Transaction, wish: Wish) -> bool:
    """Nobody is left, and what came of it stays; False if another wish has taken the place of this one."""
    statement = delete(cursors).where(cursors.c.name == _name(wish), cursors.c.place == _plain(wish))
    if not (await tx.execute(statement)).rowcount:
        return False
    await _put(tx, _name(wish).replace(_NAME, _DONE, 1), replace(wish, text=""))
    return True


async def carried_out(tx: Transaction) -> list[Wish]:
    """The last wish of each launch and channel that was carried out, with its figures."""
    return await _named(tx, _DONE)


# ---- what waits for another person


async def ask(tx: Transaction, rewording: Rewording) -> None:
    """Another person is to look at it; a later text takes the place of an earlier one."""
    await _put(tx, f"{_ASKED}{rewording.campaign_id}", rewording)


async def asked(tx: Transaction, campaign_id: int) -> Rewording | None:
    """The text that waits for another person."""
    place = await tx.scalar(select(cursors.c.place).where(cursors.c.name == f"{_ASKED}{campaign_id}"))
    return Rewording(**json.loads(place)) if place is not None else None


async def withdraw(tx: Transaction, campaign_id: int) -> None:
    """It was decided about, or nobody wishes it any more."""
    await tx.execute(delete(cursors).where(cursors.c.name == f"{_ASKED}{campaign_id}"))


# ---- parts


async def _put(tx: Transaction, name: str, what: Wish | Rewording) -> None:
    insert = insert_into(tx, cursors).values(name=name, place=_plain(what))
    await tx.execute(
        insert.on_conflict_do_update(index_elements=[cursors.c.name], set_={"place": _plain(what)})
    )


async def _named(tx: Transaction, beginning: str) -> list[Wish]:
    query = select(cursors.c.place).where(cursors.c.name.startswith(beginning)).order_by(cursors.c.name)
    return [Wish(**json.loads(place)) for place in (await tx.scalars(query)).all()]


def _name(wish: Wish) -> str:
    return f"{_NAME}{wish.launch_id}-{wish.channel}"


def _plain(what: Wish | Rewording) -> str:
    return json.dumps(asdict(what), ensure_ascii=False, sort_keys=True)
