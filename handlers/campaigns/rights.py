"""Who may do what with announcements.

owner, ministry     everything; a second of them approves
municipal           write for readers of their municipality, and ask for approval
school              post to the channels and groups of their schools

Nobody (None) is the owner of the machine, who works by the command line.

The second is another person, not another account: somebody who works in a messenger and in the panel has two
memberships. Whoever is called alike, or has joined the two as one family, counts as one.
"""

from __future__ import annotations

import re

from handlers.errors import HelpdeskError
from handlers.texts import campaigns as texts
from handlers.turn import Deed
from storage import family, staff
from storage.campaigns import book
from storage.campaigns.campaign import Audience, Campaign
from storage.scope import EVERYTHING
from storage.staff import Member

APPROVAL_ABOVE = 500
"""Readers; an announcement to more is approved by a second person."""


async def as_they_are(deed: Deed, by: Member | None) -> Member | None:
    """The member as the staff's list knows them now; refuses somebody whose role was taken away."""
    if by is None:
        return None
    fresh = await staff.find(deed.tx, by.id)
    if fresh is None or fresh.revoked_at is not None:
        raise HelpdeskError(texts.NOT_ALLOWED)
    return fresh


async def seen(deed: Deed, by: Member | None, number: int) -> Campaign:
    """The campaign, held until the transaction ends; refuses where the member has no say in it."""
    by = await as_they_are(deed, by)
    found = await book.hold(deed.tx, number)
    if found is None or not may_write_to(by, found.audience):
        raise HelpdeskError(texts.GONE)
    return found


def is_wide(by: Member | None) -> bool:
    """Whether they have a say everywhere."""
    return by is None or by.role in EVERYTHING


def may_write_to(by: Member | None, audience: Audience) -> bool:
    """Whether all these readers are theirs to write to."""
    if by is None or is_wide(by) or is_own_post(by, audience):
        return True
    own = by.municipality if by.role == "municipal" else None
    return bool(own) and audience.municipalities == (own,)


def is_own_post(by: Member, audience: Audience) -> bool:
    """Whether it is a post in the channels and groups of their own schools."""
    wanted = set(audience.school_ids)
    return audience.who == "venues" and bool(wanted) and wanted <= set(by.school_ids)


def may_start(by: Member | None, audience: Audience) -> bool:
    """Whether they may let it go out, hold it and stop it."""
    return by is None or is_wide(by) or is_own_post(by, audience)


def needs_approval(author: Member | None, audience: Audience, readers: int) -> bool:
    """Whether a second person has to agree first.

    Of channels, groups and the wall nobody knows how many read them: only a post of one school, or of the
    author's own schools, needs nobody else.
    """
    if not may_start(author, audience):
        return True
    if audience.who == "venues":
        return len(audience.school_ids) != 1 and not (author is not None and is_own_post(author, audience))
    return readers > APPROVAL_ABOVE


async def is_other(deed: Deed, by: Member | None, author_id: int | None) -> bool:
    """Whether they are another person than the author, as far as anybody can tell."""
    if by is None or author_id is None:
        return (by is None) != (author_id is None)
    author = await staff.find(deed.tx, author_id)
    if author is None:
        return True
    if author.person_id == by.person_id or are_alike(author.name, by.name):
        return False
    joined = await family.places(deed.tx, by.person_id)
    return author.person_id not in {each.id for each in joined}


async def refuse_unless_other(deed: Deed, by: Member | None, author_id: int | None) -> None:
    """For the second person's word."""
    if await is_other(deed, by, author_id):
        return
    is_same_account = author_id == (by.id if by is not None else None)
    raise HelpdeskError(texts.OWN_APPROVAL if is_same_account else texts.CALLED_ALIKE)


def are_alike(one: str, other: str) -> bool:
    """Whether two names may be those of one person: «Ольга» and «Иванова Ольга» may."""
    shorter, longer = sorted((_words(one), _words(other)), key=len)
    return all(any(_may_be(word, each) for each in longer) for word in shorter)


def _words(name: str) -> list[str]:
    return re.findall(r"\w+", name.casefold().replace("ё", "е"))


def _may_be(word: str, other: str) -> bool:
    """The same word, or one is the other's initial."""
    is_initial = min(len(word), len(other)) == 1 and word[0] == other[0] and word[0].isalpha()
    return word == other or is_initial


async def refuse_unless_wide(deed: Deed, by: Member | None) -> None:
    """For deeds of the ministry alone."""
    if not is_wide(await as_they_are(deed, by)):
        raise HelpdeskError(texts.NOT_ALLOWED)


async def refuse_unless_startable(deed: Deed, by: Member | None, campaign: Campaign) -> None:
    """For deeds that let an announcement go out."""
    if not may_start(await as_they_are(deed, by), campaign.audience):
        raise HelpdeskError(texts.NOT_ALLOWED)


async def refuse_unless_holdable(deed: Deed, by: Member | None, campaign: Campaign) -> None:
    """For deeds that hold or stop an announcement: its author may, too."""
    fresh = await as_they_are(deed, by)
    is_author = fresh is not None and fresh.id == campaign.author_id
    if not is_author and not may_start(fresh, campaign.audience):
        raise HelpdeskError(texts.NOT_ALLOWED)
