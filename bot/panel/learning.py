"""Adding a parent's words to the base as a phrasing: the form, and what became of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.panel.door import Doors
from bot.panel.pages import Pages
from bot.panel.questions import case_of
from bot.panel.uploads import field, read_form
from bot.parts import App
from handlers.ministry import learning
from handlers.ministry.learning import Attempt, Learning, NotLearned
from handlers.staff.board import Case
from storage.staff import Member

LOOK_SECONDS = 2
"""How often an open page asks whether the check has ended."""
_LONGEST_SLUG = 60


class Phrasings:
    """The page on which a question's words are given to a topic."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages
        self._learning = Learning(app.database, app.knowledge, now=app.clock.now)

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel/questions/{number}/phrasing", self.show)
        doors.for_staff("GET", "/panel/questions/{number}/phrasing/state", self.look)
        doors.for_staff("POST", "/panel/questions/{number}/phrasing", self.propose)

    async def show(self, request: Request, member: Member) -> Response:
        """The form, with what became of the last attempt."""
        return await self._draw(await case_of(self._app, request, member), member)

    async def look(self, request: Request, member: Member) -> Response:
        """Nothing while the check goes on; then the whole page is to be looked at again."""
        case = await case_of(self._app, request, member)
        attempt = await self._learning.state(case.number)
        is_going_on = attempt is not None and attempt.stage == "checking"
        # Not a reload: the page may be the answer to a form, which would be sent again.
        return Response(status_code=204, headers={} if is_going_on else {"HX-Redirect": _page_of(case)})

    async def propose(self, request: Request, member: Member) -> Response:
        """Begin the check, or say at once why not."""
        case = await case_of(self._app, request, member)
        form = await read_form(request)
        text, slug = field(form, "text"), field(form, "topic")[:_LONGEST_SLUG]
        try:
            await self._learning.propose(member, case, slug=slug, text=text)
        except NotLearned as refusal:
            return await self._draw(case, member, text=text, slug=slug, notice=str(refusal), status=400)
        return RedirectResponse(_page_of(case), 303)

    async def _draw(
        self,
        case: Case,
        member: Member,
        *,
        text: str = "",
        slug: str = "",
        notice: str = "",
        status: int = 200,
    ) -> Response:
        attempt = await self._learning.state(case.number)
        if attempt is not None and attempt.stage == "refused" and not notice:
            # What was refused can be corrected; the words are gone only with the process that heard them.
            text, slug = attempt.text, attempt.slug
        asked = learning.first_words(case)
        is_added = attempt is not None and attempt.stage == "added"
        return self._pages.page(
            "phrasing.html",
            status=status,
            member=member,
            title=f"{_title(attempt, is_refused=bool(notice))} · вопрос № {case.number}",
            case=case,
            attempt=attempt,
            topic=self._app.knowledge.topic(attempt.slug) if attempt else None,
            choice=await self._learning.choice(text or asked),
            # What the base has just got need not be offered to it again.
            text=text or ("" if is_added else asked),
            slug=slug,
            notice=notice,
            longest=learning.LONGEST_PHRASING,
            seconds=LOOK_SECONDS,
        )


def _page_of(case: Case) -> str:
    return f"/panel/questions/{case.number}/phrasing"


def _title(attempt: Attempt | None, *, is_refused: bool) -> str:
    """What a screen reader says first."""
    if attempt is not None and attempt.stage == "checking":
        return "Проверяется"
    if is_refused:
        return "Не добавлено"
    if attempt is None:
        return "Формулировка"
    return "Добавлено" if attempt.stage == "added" else "Не добавлено"
