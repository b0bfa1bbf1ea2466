"""How the staff come in: a one-time link, one button, a cookie; and how they leave."""

from __future__ import annotations

import uuid
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.channels.web import chat_of, new_token
from bot.panel.door import COOKIE, SIGN_IN, Doors, SignedOut, member_with, signed_in
from bot.panel.pages import Pages
from bot.panel.uploads import line, read_form
from bot.parts import App
from handlers.messages import Address, Incoming
from handlers.staff import membership as deeds
from handlers.staff.membership import INVITATION
from handlers.texts import basics as texts
from handlers.texts.schools import named
from storage import schools
from storage.staff import Invitation, Member

SIGNED_IN_FOR = timedelta(days=90)
"""A school year has a few such spans; whoever comes at least so often stays signed in."""
LONGEST_NAME = 80
_LONGEST_TOKEN = 100


class SignIn:
    """The pages before the panel."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.open_to_all("GET", "/panel/join/{token}", self.show)
        doors.open_to_all("POST", "/panel/join/{token}", self.join)
        doors.open_to_all("GET", SIGN_IN, self.explain)
        doors.open_to_all("POST", "/panel/sign-out", self.leave)

    async def show(self, request: Request) -> Response:
        """One button. Looking spends nothing: messengers fetch links to draw a preview."""
        invitation = await self._invitation(request)
        if invitation is None:
            return self._wrong()
        try:
            already: Member | None = await signed_in(request, self._app.database)
        except SignedOut:
            already = None
        place = invitation.municipality or ""
        if invitation.school_id is not None:
            async with self._app.database.reading() as tx:
                school = await schools.find(tx, invitation.school_id)
            place = named(school.name, school.municipality) if school is not None else ""
        return self._pages.page("join.html", invitation=invitation, place=place, already=already, member=None)

    async def join(self, request: Request) -> Response:
        """Spend the invitation and remember this browser."""
        # Looked at first, so that guessing leaves no traces in the database.
        if await self._invitation(request) is None:
            return self._wrong()
        name = line(await read_form(request), "name", limit=LONGEST_NAME)
        token = new_token()
        chat_id = chat_of(token)
        await self._app.helpdesk.receive(
            Incoming(
                event_id=f"{chat_id}:{uuid.uuid4()}",
                sender=Address("web", chat_id),
                name=name,
                started=INVITATION + request.path_params["token"],
            )
        )
        try:
            # Another may have spent it a moment before: only the database knows whose it is.
            await member_with(token, self._app.database)
        except SignedOut:
            return self._wrong()
        response = RedirectResponse("/panel", 303)
        remember(response, token, is_secure=self._app.settings.public.startswith("https://"))
        return response

    async def explain(self, request: Request) -> Response:  # noqa: ARG002 - every door takes it
        """Say how to come in."""
        return self._pages.page("sign_in.html", member=None)

    async def leave(self, request: Request) -> Response:  # noqa: ARG002 - every door takes it
        """Forget this browser; the membership stays."""
        response = RedirectResponse(SIGN_IN, 303)
        response.delete_cookie(COOKIE, path="/panel")
        return response

    async def _invitation(self, request: Request) -> Invitation | None:
        token = request.path_params["token"]
        if len(token) > _LONGEST_TOKEN:
            return None
        async with self._app.database.reading() as tx:
            return await deeds.find_invitation(tx, token, now=self._app.clock.now())

    def _wrong(self) -> Response:
        return self._pages.trouble(400, texts.INVITATION_WRONG)


def remember(response: Response, token: str, *, is_secure: bool) -> None:
    """Keep the member signed in in this browser."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SIGNED_IN_FOR.total_seconds()),
        path="/panel",
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
