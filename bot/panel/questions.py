"""The questions of parents: the list, one question with its thread, the answer."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from collections.abc import Sequence

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from bot.channels.base import FetchError
from bot.channels.files import LARGEST_FILE
from bot.channels.web import LARGEST_UPLOAD, LONGEST_TEXT, MOST_FILES
from bot.panel import uploads
from bot.panel.door import COOKIE, Doors, NotFound
from bot.panel.pages import Pages, digest
from bot.panel.sign_in import remember
from bot.panel.uploads import BadForm
from bot.parts import App
from faq.markup import plain
from handlers.messages import Address, Attachment, Incoming
from handlers.staff import board as casework
from handlers.staff.board import Board, Case, Filter
from handlers.texts import basics as texts
from handlers.texts import staff as said
from handlers.texts.schools import named
from handlers.turn import Deed, number_in
from storage import conversations
from storage.casework import Listing
from storage.database import Unavailable
from storage.schools import School
from storage.staff import Member
from storage.templates import Template

LIST_LOOK_SECONDS, THREAD_LOOK_SECONDS = 5, 3
"""How often an open page asks for news."""
_LONGEST_LINE = 500
_LAST_PAGE = 10_000
_BY_NAME = "school"
"""The choice of a school that is typed."""
_NUMBER = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"[0-9a-f]{32}")
_UNSAVED = "Ответ не сохранился: что-то сломалось у нас. Текст остался в поле, попробуйте ещё раз."
_LIMITS = {"text": LONGEST_TEXT, "files": MOST_FILES, "file": LARGEST_FILE, "upload": LARGEST_UPLOAD}


class Questions:
    """The pages on which the staff work."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages
        self._seeded = False

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel", self.show_list)
        doors.for_staff("GET", "/panel/list", self.refresh_list)
        doors.for_staff("GET", "/panel/questions/{number}", self.show)
        doors.for_staff("GET", "/panel/questions/{number}/thread", self.refresh_thread)
        doors.for_staff("POST", "/panel/questions/{number}/answer", self.answer)
        doors.for_staff("POST", "/panel/questions/{number}/ask", self.ask)
        doors.for_staff("POST", "/panel/questions/{number}/note", self.note)
        doors.for_staff("POST", "/panel/questions/{number}/take", self.take)
        doors.for_staff("POST", "/panel/questions/{number}/urgent", self.set_urgent)
        doors.for_staff("GET", "/panel/questions/{number}/pass", self.choose_where)
        doors.for_staff("POST", "/panel/questions/{number}/pass", self.pass_on)
        doors.for_staff("POST", "/panel/questions/{number}/send", self.send_anyway)
        doors.for_staff("POST", "/panel/questions/{number}/close", self.close)
        doors.for_staff("GET", "/panel/files/{number}", self.file)

    async def show_list(self, request: Request, member: Member) -> Response:
        """A page of the questions that the member may see."""
        board = await self._board(request, member)
        html = self._draw_list(board)
        page = self._pages.page(
            "questions.html",
            member=member,
            title=_list_title(board),
            seconds=LIST_LOOK_SECONDS,
            seen=digest(html),
            board=board,
            here=_query(board),
            passed=_passed(request),
            list=html,
        )
        # Whoever works here stays signed in.
        is_secure = self._app.settings.public.startswith("https://")
        remember(page, request.cookies[COOKIE], is_secure=is_secure)
        return page

    async def refresh_list(self, request: Request, member: Member) -> Response:
        """The list alone, if it has changed."""
        board = await self._board(request, member)
        return self._news(request, self._draw_list(board), title=_list_title(board))

    async def show(self, request: Request, member: Member) -> Response:
        """One question, with the form for the answer; a chosen ready answer stands in it."""
        case = await case_of(self._app, request, member)
        chosen = request.query_params.get("template", "")
        offered = await self._ready_answers(member, case)
        template = next((each for each in offered if str(each.id) == chosen), None)
        return await self._draw_question(
            case, member, text=template.text if template else "", template=chosen if template else ""
        )

    async def refresh_thread(self, request: Request, member: Member) -> Response:
        """The thread alone, if it has changed; what is being typed stays as it is."""
        case = await case_of(self._app, request, member)
        return self._news(request, self._draw_thread(case), title=_question_title(case))

    async def answer(self, request: Request, member: Member) -> Response:
        """Send the answer to the parent; the same form sent twice is one answer."""
        return await self._hear(request, member, means="answer")

    async def ask(self, request: Request, member: Member) -> Response:
        """Send it as a question: the clock stands until the parent writes."""
        return await self._hear(request, member, means="question")

    async def note(self, request: Request, member: Member) -> Response:
        """Keep a note for the colleagues; no parent reads it."""
        return await self._hear(request, member, means="note")

    async def take(self, request: Request, member: Member) -> Response:
        """Take the question over, if nobody has it."""
        case = await case_of(self._app, request, member)
        form = await uploads.read_form(request)
        return await self._do(request, member, form, f"take:{case.number}")

    async def set_urgent(self, request: Request, member: Member) -> Response:
        """Mark it as urgent or not; what is meant stands in the form, so that two presses are one."""
        case = await case_of(self._app, request, member)
        form = await uploads.read_form(request)
        detail = ":no" if uploads.field(form, "urgent") == "no" else ""
        return await self._do(request, member, form, f"urgent:{case.number}{detail}")

    async def choose_where(self, request: Request, member: Member) -> Response:
        """The form by which a question is passed on."""
        return await self._draw_passing(await case_of(self._app, request, member), member)

    async def pass_on(self, request: Request, member: Member) -> Response:
        """Give the question to another desk, with the reason."""
        case = await case_of(self._app, request, member)
        form = await uploads.read_form(request)
        typed, why = (uploads.line(form, name, limit=_LONGEST_LINE) for name in ("school", "why"))
        where = uploads.line(form, "where", limit=_LONGEST_LINE)
        found: list[School] = []
        if where == _BY_NAME:
            found = await self._schools_named(typed)
            where = f"s{found[0].id}" if len(found) == 1 else ""
        notice = _passing_fault(where, why, typed=typed, found=found)
        if not notice:
            key = f"{_key(form)}:pass:{where}"
            notice = await self._say(member, case, key=key, text=why, files=(), means=f"pass:{where}") or ""
        if notice:
            return await self._draw_passing(
                case, member, notice=notice, typed=typed, why=why, found=found, status=400
            )
        return RedirectResponse(f"/panel?passed={case.number}", 303)

    async def send_anyway(self, request: Request, member: Member) -> Response:
        """Send the member's own answer although a colleague was first."""
        case = await case_of(self._app, request, member)
        form = await uploads.read_form(request)
        message = uploads.field(form, "message")
        if not any(str(said.id) == message and said.is_mine for said in case.thread):
            raise NotFound(texts.TICKET_UNKNOWN)
        refused = await self._press(member, f"send:{message}", key=f"{_key(form)}:send:{message}")
        if refused:
            return await self._refuse(request, member, refused)
        return _back_to(case.number, anchor=f"m{message}")

    async def close(self, request: Request, member: Member) -> Response:
        """Close the question; the page asked whether it is meant."""
        case = await case_of(self._app, request, member)
        form = await uploads.read_form(request)
        return await self._do(request, member, form, f"close:{case.number}")

    async def file(self, request: Request, member: Member) -> Response:
        """A file of a thread; pictures are shown, anything else is only ever saved."""
        async with self._app.database.reading() as tx:
            attachment = await casework.file(tx, member, _number(request))
        if attachment is None:
            raise NotFound("Такого файла нет или он вам не виден.")
        try:
            local = await self._app.files.local(attachment, self._app.channels)
        except FetchError as error:
            raise NotFound(f"Файл «{attachment.name}» получить не удалось: {error}.") from error
        image = await asyncio.to_thread(uploads.image_at, local.path)
        return FileResponse(
            local.path,
            media_type=image or uploads.UNKNOWN_TYPE,
            filename=attachment.name or "файл",
            content_disposition_type="inline" if image else "attachment",
            headers={
                "Content-Security-Policy": "default-src 'none'; sandbox",
                # A photo on an open page need not be fetched again, nor may it outlive the day.
                "Cache-Control": "private, max-age=3600",
            },
        )

    async def _board(self, request: Request, member: Member) -> Board:
        query = request.query_params
        named = query.get("list", "")
        listing: Listing = next((each for each in casework.LISTINGS if each == named), "open")
        chosen = Filter(query.get("m", "")[:_LONGEST_LINE], number_in(query.get("s", "")))
        page = min(number_in(query.get("page", "")), _LAST_PAGE)
        async with self._app.database.reading() as tx:
            return await casework.board(
                tx, member, now=self._app.clock.now(), listing=listing, chosen=chosen, page=page
            )

    async def _hear(self, request: Request, member: Member, *, means: str) -> Response:
        """Words about a question: they are kept, or given back with the reason."""
        case = await case_of(self._app, request, member)
        text, template = "", ""
        try:
            form = await uploads.read_form(request)
            try:
                text = uploads.field(form, "text")
                template = str(number_in(uploads.field(form, "template")) or "")
                chosen = uploads.uploads(form)
                uploads.check(text, chosen)
                if not text and not chosen:
                    raise BadForm(400, texts.EMPTY_ANSWER)
                # The content is a part of the key: what was changed after «Назад» is another answer.
                sizes = [f"{each.filename}:{each.size}" for each in chosen]
                digested = hashlib.sha256(repr((means, text, sizes)).encode()).hexdigest()[:16]
                key = f"{_key(form)}:{digested}"
                kept = await uploads.keep(chosen, self._app.files)
            finally:
                await form.close()
        except BadForm as error:
            return await self._draw_question(
                case, member, notice=str(error), status=error.status, **_given_back(means, text, template)
            )
        if means == "answer" and template:
            means = f"tpl:{template}"
        try:
            refused = await self._say(member, case, key=key, text=text, files=kept, means=means)
        except Unavailable:
            return self._pages.page(
                "unsaved.html",
                status=503,
                member=None,
                text=text,
                what="Ответ не отправлен",
                whose="Ваш ответ",
                back=f"/panel/questions/{case.number}",
                back_to=f"К вопросу № {case.number}",
            )
        async with self._app.database.reading() as tx:
            number = await conversations.staff_message_id(tx, member.id, key)
        if number is None:
            # The case may be another one by now: closed, or passed on.
            case = await case_of(self._app, request, member)
            return await self._draw_question(
                case,
                member,
                notice=refused or _UNSAVED,
                status=409 if refused else 500,
                **_given_back(means, text, template),
            )
        return _back_to(case.number, anchor=f"m{number}")

    async def _do(self, request: Request, member: Member, form: FormData, payload: str) -> Response:
        """Press a button of the question; a refusal is one sentence above the form."""
        refused = await self._press(member, payload, key=f"{_key(form)}:{payload}")
        if refused:
            return await self._refuse(request, member, refused)
        return _back_to(_number(request), anchor="end")

    async def _refuse(self, request: Request, member: Member, sentence: str) -> Response:
        case = await case_of(self._app, request, member)
        return await self._draw_question(case, member, notice=plain(sentence), status=409)

    async def _say(
        self,
        member: Member,
        case: Case,
        *,
        key: str,
        text: str,
        files: tuple[Attachment, ...],
        means: str,
    ) -> str | None:
        """Hand in words about a question; gives the refusal, if it was one."""
        refused = await self._app.helpdesk.receive(
            Incoming(
                event_id=f"{member.chat_id}:{key}",
                sender=_place(member),
                text=text,
                message_id=key,
                attachments=files,
                ticket_id=case.number,
                means=means,
            )
        )
        return plain(refused) if refused else None

    async def _press(self, member: Member, payload: str, *, key: str) -> str | None:
        return await self._app.helpdesk.receive(
            Incoming(event_id=f"{member.chat_id}:{key}", sender=_place(member), button=payload)
        )

    async def _schools_named(self, typed: str) -> list[School]:
        """The school that was chosen from the list, or those that the words may mean."""
        async with self._app.database.reading() as tx:
            known = await casework.schools_to_pass_to(tx)
        exact = [each for each in known if named(each.name, each.municipality) == typed]
        if exact or not typed:
            return exact
        found = await self._app.knowledge.find_school(typed)
        meant = [match.school.id for match in found.schools][: 1 if found.is_sure else None]
        return [each for number in meant for each in known if each.id == number]

    async def _ready_answers(self, member: Member, case: Case) -> list[Template]:
        await self._seed()
        async with self._app.database.reading() as tx:
            return await casework.ready_answers(tx, member, case.number)

    async def _seed(self) -> None:
        if self._seeded:
            return
        async with self._app.database.transaction() as tx:
            await casework.seed_ready_answers(Deed(tx, self._app.clock.now(), self._app.knowledge))
        self._seeded = True

    def _news(self, request: Request, html: str, *, title: str) -> Response:
        seen = digest(html)
        if request.query_params.get("seen") == seen:
            return Response(status_code=204)
        return self._pages.page("_news.html", title=title, seen=seen, html=html)

    def _draw_list(self, board: Board) -> str:
        return self._pages.draw("_list.html", board=board)

    def _draw_thread(self, case: Case) -> str:
        return self._pages.draw("_thread.html", case=case)

    async def _draw_question(
        self,
        case: Case,
        member: Member,
        *,
        text: str = "",
        note: str = "",
        template: str = "",
        notice: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        html = self._draw_thread(case)
        offered = await self._ready_answers(member, case) if case.state != "closed" else []
        return self._pages.page(
            "question.html",
            status=status,
            member=member,
            case=case,
            title=_question_title(case),
            seconds=THREAD_LOOK_SECONDS,
            seen=digest(html),
            thread=html,
            key=uuid.uuid4().hex,
            text=text,
            note=note,
            template=template,
            offered=offered,
            notice=notice,
            limits=_LIMITS,
        )

    async def _draw_passing(
        self,
        case: Case,
        member: Member,
        *,
        notice: str = "",
        typed: str = "",
        why: str = "",
        found: Sequence[School] = (),
        status: int = 200,
    ) -> HTMLResponse:
        async with self._app.database.reading() as tx:
            known = await casework.schools_to_pass_to(tx)
            where = await casework.destinations(tx, member, case.number)
        return self._pages.page(
            "pass.html",
            status=status,
            member=member,
            case=case,
            where=where,
            schools=[named(each.name, each.municipality) for each in known],
            found=found if len(found) > 1 else (),
            by_name=_BY_NAME,
            key=uuid.uuid4().hex,
            typed=typed,
            why=why,
            notice=notice,
        )


async def case_of(app: App, request: Request, member: Member) -> Case:
    """The question that the address names; raises `NotFound` when the member may not see it."""
    async with app.database.reading() as tx:
        case = await casework.case(tx, member, _number(request), knowledge=app.knowledge, now=app.clock.now())
    if case is None:
        raise NotFound(texts.TICKET_UNKNOWN)
    return case


def _list_title(board: Board) -> str:
    return f"({board.counts['new']}) Вопросы" if board.counts["new"] else "Вопросы"


def _query(board: Board) -> dict[str, str]:
    """What the address says of the list, without the page."""
    chosen = {
        "list": board.listing,
        "m": board.chosen.municipality,
        "s": str(board.chosen.school_id or ""),
    }
    return {name: value for name, value in chosen.items() if value}


def _passed(request: Request) -> int:
    """The question that was passed on just now."""
    return number_in(request.query_params.get("passed", ""))


def _given_back(means: str, text: str, template: str) -> dict[str, str]:
    """What was typed goes back into the field from which it came."""
    return {"note": text} if means == "note" else {"text": text, "template": template}


def _passing_fault(where: str, why: str, *, typed: str, found: Sequence[School]) -> str:
    if len(found) > 1:
        return "Похожих школ несколько: выберите одну."
    if not where:
        return said.NO_SCHOOL_FOUND if typed else "Выберите, кому передать."
    return "" if why else said.NOTE_IS_EMPTY


def _question_title(case: Case) -> str:
    return f"Вопрос № {case.number}"


def _back_to(number: int, *, anchor: str) -> Response:
    return RedirectResponse(f"/panel/questions/{number}#{anchor}", 303)


def _place(member: Member) -> Address:
    return Address(member.channel, member.chat_id)


def _number(request: Request) -> int:
    number = request.path_params["number"]
    if not _NUMBER.fullmatch(number):
        raise NotFound(texts.TICKET_UNKNOWN)
    return int(number)


def _key(form: FormData) -> str:
    """The number that the page gave its form, so that a double click is one deed."""
    key = uploads.field(form, "key")
    if not _KEY.fullmatch(key):
        raise BadForm(400, "У формы нет номера. Обновите страницу.")
    return key
