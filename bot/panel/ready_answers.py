"""Ready answers: those that a member may use, and changing those of their own desks."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.panel.door import Doors, NotFound
from bot.panel.pages import Pages
from bot.panel.uploads import field, line, read_form
from bot.parts import App
from faq.markup import plain
from handlers.staff import board as casework
from handlers.staff.team import NotAllowed
from handlers.staff.template_book import LONGEST_TEXT, LONGEST_TITLE
from handlers.texts import staff as texts
from handlers.turn import Deed, number_in
from storage import schools, templates
from storage.database import Transaction
from storage.scope import EVERYTHING, Scope
from storage.staff import Member
from storage.templates import After, Template
from storage.ticket import Desk

_GONE = "Такого шаблона больше нет, или изменить его могут только там, где его составили."


class ReadyAnswers:
    """The page of ready answers."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel/templates", self.show)
        doors.for_staff("POST", "/panel/templates", self.add)
        doors.for_staff("POST", "/panel/templates/{number}", self.change)
        doors.for_staff("POST", "/panel/templates/{number}/retire", self.retire)

    async def show(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """All that the member may use, the own ones with a form."""
        async with self._app.database.transaction() as tx:
            await casework.seed_ready_answers(Deed(tx, self._app.clock.now(), self._app.knowledge))
        return await self._draw(member)

    async def add(self, request: Request, member: Member) -> Response:
        """Add one at a desk where the member has a say."""
        form = await read_form(request)
        title, text, after = _words(form)
        whose = line(form, "whose", limit=LONGEST_TITLE)
        if not title or not text:
            return await self._draw(
                member, notice=texts.TEMPLATE_TOO_SHORT, title=title, text=text, whose=whose
            )
        async with self._app.database.transaction() as tx:
            desk = next((each for each, value, _ in await self._places(tx, member) if value == whose), None)
            if desk is None:
                raise NotAllowed(texts.TEMPLATE_NOT_YOURS)
            await templates.add(
                tx, desk, title=title, text=text, after=after, staff_id=member.id, now=self._app.clock.now()
            )
        return RedirectResponse("/panel/templates", 303)

    async def change(self, request: Request, member: Member) -> Response:
        """Replace the words of one."""
        form = await read_form(request)
        title, text, after = _words(form)
        if not title or not text:
            return await self._draw(member, notice=texts.TEMPLATE_TOO_SHORT)
        async with self._app.database.transaction() as tx:
            is_changed = await templates.change_theirs(
                tx,
                Scope(member.id),
                number_in(request.path_params["number"]),
                title=title,
                text=text,
                after=after,
                now=self._app.clock.now(),
            )
        if not is_changed:
            raise NotFound(_GONE)
        return RedirectResponse("/panel/templates", 303)

    async def retire(self, request: Request, member: Member) -> Response:
        """Offer one to nobody any more."""
        number = number_in(request.path_params["number"])
        async with self._app.database.transaction() as tx:
            is_gone = await templates.retire_theirs(tx, Scope(member.id), number, now=self._app.clock.now())
        if not is_gone:
            raise NotFound(_GONE)
        return RedirectResponse("/panel/templates", 303)

    async def _draw(
        self, member: Member, *, notice: str = "", title: str = "", text: str = "", whose: str = ""
    ) -> HTMLResponse:
        async with self._app.database.reading() as tx:
            known = await templates.usable(tx, Scope(member.id))
            named = await schools.some(tx, {each.school_id for each, _ in known if each.school_id})
            places = await self._places(tx, member)
        names = {number: school.name for number, school in named.items()}
        return self._pages.page(
            "templates.html",
            status=400 if notice else 200,
            member=member,
            known=[(each, _whose(each, names), is_theirs) for each, is_theirs in known],
            places=[(value, label) for _, value, label in places],
            afters=texts.AFTER_BUTTONS,
            longest_title=LONGEST_TITLE,
            longest_text=LONGEST_TEXT,
            notice=notice,
            title=title,
            text=text,
            whose=whose,
        )

    async def _places(self, tx: Transaction, member: Member) -> list[tuple[Desk, str, str]]:
        """Where the member may add one: the desk, how the form names it, how people do."""
        found = []
        if member.role in EVERYTHING:
            found.append((Desk("ministry"), "ministry", "Для всех школ"))
        if member.role == "municipal" and member.municipality:
            desk = Desk("municipal", municipality=member.municipality)
            found.append((desk, "municipal", f"Для школ муниципалитета: {member.municipality}"))
        for school in await schools.of_member(tx, Scope(member.id)):
            desk = Desk("school", school.id, school.municipality)
            found.append((desk, f"s{school.id}", f"{school.name}, {school.municipality}"))
        return found


def _words(form: FormData) -> tuple[str, str, After]:
    said = field(form, "after")
    after: After = next((each for each in texts.AFTER_BUTTONS if each == said), "none")
    return line(form, "title", limit=LONGEST_TITLE), field(form, "text")[:LONGEST_TEXT], after


def _whose(template: Template, names: dict[int, str]) -> str:
    if template.level == "ministry":
        return "для всех школ"
    return plain(texts.desk_name(template.desk, names.get(template.school_id or 0, ""), "whose"))
