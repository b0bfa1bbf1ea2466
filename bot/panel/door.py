"""The panel's doors: who may come in, from where, and what every answer says to the browser."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from bot.channels.web import chat_of
from bot.panel.pages import Pages
from bot.panel.uploads import BadForm
from bot.parts import App
from handlers.staff.team import NotAllowed
from storage import people, staff
from storage.database import Database, Unavailable
from storage.staff import Member

COOKIE = "helpdesk_staff"
SIGN_IN = "/panel/sign-in"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "same-origin",
    # Pages hold what families wrote: nothing of it stays in the browser of a shared computer.
    "Cache-Control": "no-store",
}

Open = Callable[[Request], Awaitable[Response]]
Guarded = Callable[[Request, Member], Awaitable[Response]]

_log = structlog.get_logger(__name__)


class SignedOut(Exception):
    """No member of the staff is signed in in this browser."""


class NotFound(Exception):
    """There is no such page, or not for this member; says it in Russian."""


async def signed_in(request: Request, database: Database) -> Member:
    """The member who works in this browser; raises `SignedOut` for everybody else."""
    return await member_with(request.cookies.get(COOKIE, ""), database)


async def member_with(token: str, database: Database) -> Member:
    """The member whose browser keeps this token; raises `SignedOut` when there is none."""
    if not _TOKEN.fullmatch(token):
        raise SignedOut
    async with database.reading() as tx:
        person = await people.at(tx, "web", chat_of(token))
        member = await staff.of_person(tx, person.id) if person is not None else None
    if member is None:
        raise SignedOut
    return member


class Doors:
    """Collects the panel's routes; each is guarded in the same way."""

    def __init__(self, app: App, pages: Pages) -> None:
        self.router = APIRouter(include_in_schema=False)
        self._database = app.database
        self._public = app.settings.public
        self._pages = pages

    def open_to_all(self, method: str, path: str, deed: Open) -> None:
        """A door for people who have not signed in."""
        self.router.add_api_route(path, self._guard(path, deed), methods=[method], response_model=None)

    def for_staff(self, method: str, path: str, deed: Guarded) -> None:
        """A door that opens only to active members of the staff."""

        async def known(request: Request) -> Response:
            return await deed(request, await signed_in(request, self._database))

        self.open_to_all(method, path, known)

    def _guard(self, path: str, deed: Open) -> Open:
        async def door(request: Request) -> Response:
            if request.method != "GET" and not self._comes_from_us(request):
                response: Response = self._pages.trouble(403, "Запрос пришёл не с нашей страницы.")
            else:
                response = await self._answer(request, path, deed)
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return door

    async def _answer(self, request: Request, path: str, deed: Open) -> Response:
        try:
            return await deed(request)
        except SignedOut:
            return self._to_sign_in(request)
        except (NotFound, NotAllowed, BadForm) as refusal:
            return self._pages.trouble(_status(refusal), str(refusal))
        except Unavailable:
            _log.warning("panel_storage_unavailable", door=path)
            return self._pages.trouble(503, "Сейчас не получается. Повторите через несколько секунд.")
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            # Without the address: it may carry an invitation's token.
            _log.exception("panel_failed", door=path, error=type(error).__name__)
            return self._pages.trouble(500, "Что-то сломалось у нас. Попробуйте ещё раз чуть позже.")

    def _to_sign_in(self, request: Request) -> Response:
        if "HX-Request" in request.headers:
            # A page that refreshes itself must leave, not show another page inside a part of it.
            return Response(status_code=403, headers={"HX-Redirect": SIGN_IN})
        if request.method != "GET":
            return self._pages.page("sign_in.html", status=403, member=None)
        return RedirectResponse(SIGN_IN, 303)

    def _comes_from_us(self, request: Request) -> bool:
        """Whether a form was sent by a page of ours: the browser says so itself, pages cannot fake it."""
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site == "same-origin"
        origin = request.headers.get("Origin", "")
        # Plain http gets no Sec-Fetch-Site; a proxy may have replaced our name in Host.
        return bool(urlsplit(origin).netloc) and (
            urlsplit(origin).netloc == request.headers.get("Host") or origin == _origin(self._public)
        )


def _status(refusal: NotFound | NotAllowed | BadForm) -> int:
    if isinstance(refusal, BadForm):
        return refusal.status
    return 404 if isinstance(refusal, NotFound) else 403


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
