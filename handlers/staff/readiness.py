"""`/readiness`: how many families are inside, in the places of the member."""

from __future__ import annotations

from typing import Literal

from handlers.messages import Button, Rows
from handlers.texts import subscriptions as texts
from handlers.turn import Turn, number_in, rows
from storage import stages
from storage.staff import Member

Listing = Literal["places", "schools"]
PAGE = 8
"""Places on a page: each has two or three lines on a phone."""


async def show(turn: Turn, member: Member, _: str = "") -> None:
    """Municipalities first; who coordinates none sees schools."""
    await press(turn, member, "places")


async def press(turn: Turn, member: Member, argument: str) -> None:
    """`readiness:schools:2`: a page of a list; an unknown list is that of the municipalities."""
    name, _, number = argument.partition(":")
    scope = turn.scope(member)
    everywhere = await stages.by_municipality(turn.tx, scope)
    listing: Listing = "schools" if name == "schools" or not everywhere else "places"
    found = await stages.by_school(turn.tx, scope) if listing == "schools" else everywhere
    if not found:
        await turn.say(texts.READINESS_EMPTY, remember=False)
        return
    pages = (len(found) - 1) // PAGE + 1
    page = min(number_in(number), pages - 1)
    shown = found[page * PAGE : (page + 1) * PAGE]
    title = texts.READINESS_OF_SCHOOLS if listing == "schools" else texts.READINESS_OF_MUNICIPALITIES
    text = texts.readiness(shown, title=title, page=page, pages=pages)
    await turn.say(text, _ways(listing, page, pages, has_both=bool(everywhere)), remember=False)


def _ways(listing: Listing, page: int, pages: int, *, has_both: bool) -> Rows:
    paging = []
    if page > 0:
        paging.append(Button("‹", f"readiness:{listing}:{page - 1}"))
    if page + 1 < pages:
        paging.append(Button("›", f"readiness:{listing}:{page + 1}"))
    if listing == "places":
        other = [Button(texts.BUTTON_BY_SCHOOL, "readiness:schools")]
    else:
        other = [Button(texts.BUTTON_BY_MUNICIPALITY, "readiness:places")] if has_both else []
    return (*((tuple(paging),) if paging else ()), *rows(other))
