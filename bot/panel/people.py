"""The staff: who they are, inviting and letting go; the groups in which they work together."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.links import invitation_links, telegram_name
from bot.panel.door import Doors
from bot.panel.pages import Pages
from bot.panel.uploads import line, read_form
from bot.parts import App
from handlers.staff import team
from handlers.staff.membership import Invited
from handlers.turn import Deed, number_in
from storage import schools
from storage.scope import EVERYTHING, Scope
from storage.staff import Member

LONGEST_PLACE = 200


class People:
    """The pages about colleagues and their groups."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel/staff", self.show)
        doors.for_staff("POST", "/panel/staff/invite", self.invite)
        doors.for_staff("POST", "/panel/staff/{number}/revoke", self.revoke)
        doors.for_staff("POST", "/panel/invitations/{number}/revoke", self.take_back)
        doors.for_staff("GET", "/panel/groups", self.groups)

    async def show(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """Who works here, and the form for an invitation."""
        return await self._draw(member)

    async def invite(self, request: Request, member: Member) -> Response:
        """Make a one-time link and show it, this once."""
        form = await read_form(request)
        async with self._app.database.transaction() as tx:
            invited = await team.invite(
                tx,
                member,
                role=line(form, "role", limit=20),
                school_id=number_in(line(form, "school", limit=LONGEST_PLACE)) or None,
                municipality=line(form, "municipality", limit=LONGEST_PLACE) or None,
                now=self._app.clock.now(),
            )
        return await self._draw(member, invited=invited)

    async def revoke(self, request: Request, member: Member) -> Response:
        """Take a colleague's role away."""
        async with self._app.database.transaction() as tx:
            deed = Deed(tx, self._app.clock.now(), self._app.knowledge)
            await team.let_go(deed, member, number_in(request.path_params["number"]))
        return RedirectResponse("/panel/staff", 303)

    async def take_back(self, request: Request, member: Member) -> Response:
        """Make an invitation useless."""
        number = number_in(request.path_params["number"])
        async with self._app.database.transaction() as tx:
            await team.take_back(tx, member, number, now=self._app.clock.now())
        return RedirectResponse("/panel/staff", 303)

    async def groups(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """The group chats that are or were desks."""
        async with self._app.database.reading() as tx:
            known = await team.group_desks_of(tx, member)
        return self._pages.page("groups.html", member=member, known=known)

    async def _draw(self, member: Member, *, invited: Invited | None = None) -> Response:
        async with self._app.database.reading() as tx:
            seen = await team.team_of(tx, member, now=self._app.clock.now())
            mine = await schools.of_member(tx, Scope(member.id))
            wide = member.role in EVERYTHING
            places = await schools.municipalities(tx) if wide else [member.municipality or ""]
        links: list[tuple[str, str]] = []
        if invited is not None:
            name = await telegram_name(self._app.channels.get("telegram"))
            links = invitation_links(self._app, invited.token, telegram_name=name)
        return self._pages.page(
            "staff.html",
            member=member,
            team=seen,
            roles=team.roles_to_invite(member),
            schools=mine,
            municipalities=[each for each in places if each],
            invited=invited,
            links=links,
        )
