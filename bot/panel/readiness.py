"""How many families are inside, by municipality and school, as far as the member may know."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response

from bot.panel.door import Doors
from bot.panel.pages import Pages
from bot.parts import App
from handlers.ministry import readiness
from handlers.texts import campaigns as words
from handlers.texts import subscriptions as texts
from storage.scope import Scope
from storage.staff import Member
from storage.stages import Readiness


class ReadinessPage:
    """The page of percentages."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel/readiness", self.show)

    async def show(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """The table of this member."""
        async with self._app.database.reading() as tx:
            table = await readiness.table(tx, Scope(member.id))
        return self._pages.page(
            "readiness.html",
            member=member,
            municipalities=table.municipalities,
            schools=_by_municipality(table.schools),
            stages=words.STAGES,
            nowhere=texts.NO_MUNICIPALITY,
            nothing=texts.READINESS_EMPTY,
        )


def _by_municipality(schools: Sequence[Readiness]) -> list[tuple[str, list[Readiness]]]:
    """The schools come sorted by municipality."""
    return [(place, list(some)) for place, some in groupby(schools, key=lambda each: each.municipality)]
