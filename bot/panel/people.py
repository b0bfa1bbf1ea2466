"""The staff: who they are, inviting and revoking."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.links import invitation_links, telegram_name
from bot.panel.door import Doors
from bot.panel.pages import Pages
from bot.panel.uploads import line, read_form
from bot.parts import App
from handlers.staff import board as casework
from handlers.staff.membership import Invited
from storage.staff import Member

LONGEST_PLACE = 200
_NUMBER = re.compile(r"[0-9]{1,18}")


class People:
    """The page of those who manage the staff."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel/staff", self.show)
        doors.for_staff("POST", "/panel/staff/invite", self.invite)
        doors.for_staff("POST", "/panel/staff/{number}/revoke", self.revoke)

    async def show(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """Who works here, and the form for an invitation."""
        return await self._draw(member)

    async def invite(self, request: Request, member: Member) -> Response:
        """Make a one-time link and show it, this once."""
        form = await read_form(request)
        async with self._app.database.transaction() as tx:
            invited = await casework.invite(
                tx,
                member,
                role=line(form, "role", limit=20),
                school=line(form, "school", limit=LONGEST_PLACE) or None,
                municipality=line(form, "municipality", limit=LONGEST_PLACE) or None,
                now=self._app.clock.now(),
            )
        return await self._draw(member, invited=invited)

    async def revoke(self, request: Request, member: Member) -> Response:
        """Take a colleague's role away."""
        number = request.path_params["number"]
        staff_id = int(number) if _NUMBER.fullmatch(number) else 0
        async with self._app.database.transaction() as tx:
            await casework.revoke(tx, member, staff_id, now=self._app.clock.now())
        return RedirectResponse("/panel/staff", 303)

    async def _draw(self, member: Member, *, invited: Invited | None = None) -> Response:
        async with self._app.database.reading() as tx:
            colleagues = await casework.colleagues(tx, member)
        links: list[tuple[str, str]] = []
        if invited is not None:
            name = await telegram_name(self._app.channels.get("telegram"))
            links = invitation_links(self._app, invited.token, telegram_name=name)
        return self._pages.page(
            "staff.html",
            member=member,
            manages=True,
            colleagues=[(each, casework.may_revoke(member, each)) for each in colleagues],
            roles=casework.roles_to_invite(member),
            invited=invited,
            links=links,
        )
