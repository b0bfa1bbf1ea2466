"""The directory of schools: the list, the import, one school with its working time, posters."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.links import left_out, school_links, telegram_name
from bot.panel import uploads
from bot.panel.door import Doors, NotFound
from bot.panel.pages import Pages
from bot.panel.uploads import field, line, read_form
from bot.parts import App
from bot.poster import Sheet, posters
from faq.schools.reading import DirectoryError, read_directory
from faq.schools.row import Row
from handlers.cases.calendars import calendar_of
from handlers.errors import HelpdeskError
from handlers.ministry import directory
from handlers.staff import own_schools
from handlers.staff.team import NotAllowed
from handlers.turn import Deed, number_in
from storage import schools
from storage.schools import School
from storage.scope import EVERYTHING, Scope
from storage.staff import Member

MOST_SHOWN = 60
"""Schools on a page; with more of them one searches."""
_LONGEST_SEARCH = 100
_LONGEST_NAME = 120
_NOT_YOURS = "Такой школы нет или она не ваша."
_PDF = "application/pdf"


class Schools:
    """The pages about schools."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel/schools", self.show_list)
        doors.for_staff("POST", "/panel/schools/import", self.preview)
        doors.for_staff("POST", "/panel/schools/import/apply", self.bring_in)
        doors.for_staff("GET", "/panel/schools/posters.pdf", self.posters)
        doors.for_staff("GET", "/panel/schools/{number}", self.show)
        doors.for_staff("POST", "/panel/schools/{number}/hours", self.set_working_time)
        doors.for_staff("GET", "/panel/schools/{number}/poster.pdf", self.poster)

    async def show_list(self, request: Request, member: Member) -> Response:
        """The schools in which the member has a say."""
        return await self._draw_list(
            member,
            sought=request.query_params.get("q", "")[:_LONGEST_SEARCH].strip(),
            done=request.query_params.get("done") == "import",
        )

    async def preview(self, request: Request, member: Member) -> Response:
        """What the import of a file would change; nothing is changed yet."""
        _check_may_import(member)
        form = await read_form(request)
        try:
            chosen = uploads.uploads(form)
            if len(chosen) != 1:
                return await self._draw_list(member, faults=["Выберите файл: таблицу .csv или .xlsx."])
            uploads.check("", chosen)
            (kept,) = await uploads.keep(chosen, self._app.files)
        finally:
            await form.close()
        try:
            rows = await self._rows(kept.ref, kept.name)
            async with self._app.database.reading() as tx:
                found = await directory.difference(tx, rows)
        except (DirectoryError, HelpdeskError) as error:
            return await self._draw_list(member, faults=str(error).splitlines())
        return self._pages.page(
            "import.html", member=member, found=found, count=len(rows), ref=kept.ref, file=kept.name
        )

    async def bring_in(self, request: Request, member: Member) -> Response:
        """Import the file that was looked at."""
        _check_may_import(member)
        form = await read_form(request)
        ref, name = line(form, "ref", limit=_LONGEST_NAME), line(form, "name", limit=_LONGEST_NAME)
        try:
            rows = await self._rows(ref, name)
            async with self._app.database.transaction() as tx:
                await directory.bring_in(
                    tx,
                    rows,
                    close_missing=field(form, "close") == "yes",
                    now=self._app.clock.now(),
                    actor=f"staff:{member.id}",
                )
        except (DirectoryError, HelpdeskError) as error:
            return await self._draw_list(member, faults=str(error).splitlines())
        return RedirectResponse("/panel/schools?done=import", 303)

    async def show(self, request: Request, member: Member) -> Response:
        """One school."""
        school = await self._theirs(request, member)
        return await self._draw(
            member,
            school,
            hours=school.hours,
            vacations=own_schools.write_vacations(school.vacations),
            is_saved=request.query_params.get("done") == "hours",
        )

    async def set_working_time(self, request: Request, member: Member) -> Response:
        """Change when the school works."""
        school = await self._theirs(request, member)
        form = await read_form(request)
        hours = line(form, "hours", limit=own_schools.LONGEST_HOURS)
        vacations = field(form, "vacations")[:_LONGEST_VACATIONS]
        try:
            async with self._app.database.transaction() as tx:
                deed = Deed(tx, self._app.clock.now(), self._app.knowledge)
                is_set = await own_schools.set_working_time(
                    deed, member, school.id, hours=hours, vacations=vacations
                )
        except HelpdeskError as error:
            return await self._draw(
                member, school, hours=hours, vacations=vacations, notice=str(error), status=400
            )
        if not is_set:
            raise NotFound(_NOT_YOURS)
        return RedirectResponse(f"/panel/schools/{school.id}?done=hours", 303)

    async def poster(self, request: Request, member: Member) -> Response:
        """The school's poster for its notice board."""
        school = await self._theirs(request, member)
        return await self._pdf([school], name=f"poster-{school.code}.pdf")

    async def posters(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """The posters of all schools in which the member has a say, a page each."""
        async with self._app.database.reading() as tx:
            mine = await schools.of_member(tx, Scope(member.id))
        return await self._pdf(mine, name="posters.pdf")

    async def _theirs(self, request: Request, member: Member) -> School:
        async with self._app.database.reading() as tx:
            number = number_in(request.path_params["number"])
            school = await schools.theirs(tx, Scope(member.id), number)
        if school is None:
            raise NotFound(_NOT_YOURS)
        return school

    async def _rows(self, ref: str, name: str) -> Sequence[Row]:
        path = self._app.files.path(ref)
        if path is None:
            raise HelpdeskError("Этого файла уже нет. Загрузите его ещё раз.")
        return await asyncio.to_thread(_read, path, name)

    async def _pdf(self, chosen: Sequence[School], *, name: str) -> Response:
        told = await telegram_name(self._app.channels.get("telegram"))
        sheets = [
            Sheet(
                each.name,
                each.municipality,
                school_links(self._app.settings, each.code, telegram_name=told),
            )
            for each in chosen
        ]
        try:
            content = await asyncio.to_thread(posters, sheets, region_name=self._app.knowledge.region.name)
        except HelpdeskError as error:
            return self._pages.trouble(409, str(error))
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=_PDF, headers=headers)

    async def _draw_list(
        self, member: Member, *, sought: str = "", faults: Sequence[str] = (), done: bool = False
    ) -> HTMLResponse:
        async with self._app.database.reading() as tx:
            mine = await schools.of_member(tx, Scope(member.id))
        found = await self._sought(mine, sought) if sought else mine
        return self._pages.page(
            "schools.html",
            status=400 if faults else 200,
            member=member,
            may_import=member.role in EVERYTHING,
            count=len(mine),
            found=found[:MOST_SHOWN],
            left=max(0, len(found) - MOST_SHOWN),
            sought=sought,
            faults=faults,
            done=done,
        )

    async def _sought(self, mine: Sequence[School], sought: str) -> list[School]:
        """Those that the words mean, and those in whose name they stand."""
        by_number = {each.id: each for each in mine}
        likely = [match.school.id for match in (await self._app.knowledge.find_school(sought)).schools]
        said = sought.casefold()
        named = [each for each in mine if said in f"{each.name} {each.municipality} {each.code}".casefold()]
        return list(
            {
                each: by_number[each] for each in [*(n.id for n in named), *likely] if each in by_number
            }.values()
        )

    async def _draw(
        self,
        member: Member,
        school: School,
        *,
        hours: str,
        vacations: str,
        notice: str = "",
        is_saved: bool = False,
        status: int = 200,
    ) -> HTMLResponse:
        told = await telegram_name(self._app.channels.get("telegram"))
        links = school_links(self._app.settings, school.code, telegram_name=told)
        region = self._app.knowledge.region
        return self._pages.page(
            "school.html",
            status=status,
            member=member,
            school=school,
            links=links,
            missing=left_out(self._app.settings, links),
            hours=hours,
            vacations=vacations,
            in_force=calendar_of(region, school).hours.describe(),
            of_region=region.vacations,
            notice=notice,
            is_saved=is_saved,
        )


_LONGEST_VACATIONS = 2000


def _check_may_import(member: Member) -> None:
    if member.role not in EVERYTHING:
        raise NotAllowed("Справочник школ загружают владелец и оператор министерства.")


def _read(path: Path, name: str) -> Sequence[Row]:
    """The rows of a kept file: what its name ends with says how to read it."""
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / (Path(name).name or "файл")
        named.write_bytes(path.read_bytes())
        return read_directory(named).rows
