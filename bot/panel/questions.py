"""The questions of parents: the list, one question with its thread, the answer."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from pathlib import Path

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
from handlers.messages import Address, Attachment, Incoming
from handlers.staff import board as casework
from handlers.staff.board import Board, Case
from handlers.texts import basics as texts
from storage import conversations
from storage.database import Unavailable
from storage.staff import Member

LIST_LOOK_SECONDS, THREAD_LOOK_SECONDS = 5, 3
"""How often an open page asks for news."""
_NUMBER = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"[0-9a-f]{32}")
_UNSAVED = "Ответ не сохранился: что-то сломалось у нас. Текст остался в поле, попробуйте ещё раз."
_LIMITS = {"text": LONGEST_TEXT, "files": MOST_FILES, "file": LARGEST_FILE, "upload": LARGEST_UPLOAD}


class Questions:
    """The pages on which the staff work."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel", self.show_list)
        doors.for_staff("GET", "/panel/list", self.refresh_list)
        doors.for_staff("GET", "/panel/questions/{number}", self.show)
        doors.for_staff("GET", "/panel/questions/{number}/thread", self.refresh_thread)
        doors.for_staff("POST", "/panel/questions/{number}/answer", self.answer)
        doors.for_staff("POST", "/panel/questions/{number}/send", self.send_anyway)
        doors.for_staff("POST", "/panel/questions/{number}/close", self.close)
        doors.for_staff("GET", "/panel/files/{number}", self.file)

    async def show_list(self, request: Request, member: Member) -> Response:
        """All questions that the member may see."""
        board = await self._board(member)
        html = self._draw_list(board)
        page = self._pages.page(
            "questions.html",
            member=member,
            manages=casework.may_manage(member),
            title=_list_title(board),
            seconds=LIST_LOOK_SECONDS,
            seen=digest(html),
            list=html,
        )
        # Whoever works here stays signed in.
        is_secure = self._app.settings.public.startswith("https://")
        remember(page, request.cookies[COOKIE], is_secure=is_secure)
        return page

    async def refresh_list(self, request: Request, member: Member) -> Response:
        """The list alone, if it has changed."""
        board = await self._board(member)
        return self._news(request, self._draw_list(board), title=_list_title(board))

    async def show(self, request: Request, member: Member) -> Response:
        """One question, with the form for the answer."""
        return self._draw_question(await case_of(self._app, request, member), member)

    async def refresh_thread(self, request: Request, member: Member) -> Response:
        """The thread alone, if it has changed; what is being typed stays as it is."""
        case = await case_of(self._app, request, member)
        return self._news(request, self._draw_thread(case), title=_question_title(case))

    async def answer(self, request: Request, member: Member) -> Response:
        """Send the answer to the parent; the same form sent twice is one answer."""
        case = await case_of(self._app, request, member)
        text = ""
        try:
            form = await uploads.read_form(request)
            try:
                text = uploads.field(form, "text")
                chosen = uploads.uploads(form)
                uploads.check(text, chosen)
                if not text and not chosen:
                    raise BadForm(400, texts.EMPTY_ANSWER)
                # The content is a part of the key: what was changed after «Назад» is another answer.
                sizes = [f"{each.filename}:{each.size}" for each in chosen]
                key = f"{_key(form)}:{hashlib.sha256(repr((text, sizes)).encode()).hexdigest()[:16]}"
                kept = await uploads.keep(chosen, self._app.files)
            finally:
                await form.close()
        except BadForm as error:
            return self._draw_question(case, member, text=text, notice=str(error), status=error.status)
        try:
            said = await self._say(member, case, key=key, text=text, files=kept)
        except Unavailable:
            return self._pages.page("unsaved.html", status=503, member=None, number=case.number, text=text)
        if said is None:
            return self._draw_question(case, member, text=text, notice=_UNSAVED, status=500)
        return _back_to(case.number, anchor=f"m{said}")

    async def send_anyway(self, request: Request, member: Member) -> Response:
        """Send the member's own answer although a colleague was first."""
        case = await case_of(self._app, request, member)
        form = await uploads.read_form(request)
        message = uploads.field(form, "message")
        if not any(str(said.id) == message and said.is_mine for said in case.thread):
            raise NotFound(texts.TICKET_UNKNOWN)
        await self._press(member, f"send:{message}", key=f"{_key(form)}:send:{message}")
        return _back_to(case.number, anchor=f"m{message}")

    async def close(self, request: Request, member: Member) -> Response:
        """Close the question; the page asked whether it is meant."""
        case = await case_of(self._app, request, member)
        form = await uploads.read_form(request)
        await self._press(member, f"close:{case.number}", key=f"{_key(form)}:close")
        return _back_to(case.number, anchor="end")

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
        image = await asyncio.to_thread(_image_at, local.path)
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

    async def _board(self, member: Member) -> Board:
        async with self._app.database.reading() as tx:
            return await casework.board(tx, member)

    async def _say(
        self, member: Member, case: Case, *, key: str, text: str, files: tuple[Attachment, ...]
    ) -> int | None:
        """Hand the answer in; returns the number it is kept under, None when it was lost."""
        await self._app.helpdesk.receive(
            Incoming(
                event_id=f"{member.chat_id}:{key}",
                sender=_place(member),
                text=text,
                message_id=key,
                attachments=files,
                ticket_id=case.number,
            )
        )
        async with self._app.database.reading() as tx:
            return await conversations.staff_message_id(tx, member.id, key)

    async def _press(self, member: Member, payload: str, *, key: str) -> None:
        await self._app.helpdesk.receive(
            Incoming(event_id=f"{member.chat_id}:{key}", sender=_place(member), button=payload)
        )

    def _news(self, request: Request, html: str, *, title: str) -> Response:
        seen = digest(html)
        if request.query_params.get("seen") == seen:
            return Response(status_code=204)
        return self._pages.page("_news.html", title=title, seen=seen, html=html)

    def _draw_list(self, board: Board) -> str:
        return self._pages.draw("_list.html", board=board)

    def _draw_thread(self, case: Case) -> str:
        return self._pages.draw("_thread.html", case=case)

    def _draw_question(
        self, case: Case, member: Member, *, text: str = "", notice: str = "", status: int = 200
    ) -> HTMLResponse:
        html = self._draw_thread(case)
        return self._pages.page(
            "question.html",
            status=status,
            member=member,
            manages=casework.may_manage(member),
            case=case,
            title=_question_title(case),
            seconds=THREAD_LOOK_SECONDS,
            seen=digest(html),
            thread=html,
            key=uuid.uuid4().hex,
            text=text,
            notice=notice,
            limits=_LIMITS,
        )


async def case_of(app: App, request: Request, member: Member) -> Case:
    """The question that the address names; raises `NotFound` when the member may not see it."""
    async with app.database.reading() as tx:
        case = await casework.case(tx, member, _number(request), knowledge=app.knowledge)
    if case is None:
        raise NotFound(texts.TICKET_UNKNOWN)
    return case


def _list_title(board: Board) -> str:
    return f"({len(board.waiting)}) Вопросы" if board.waiting else "Вопросы"


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


def _image_at(path: Path) -> str | None:
    with path.open("rb") as file:
        return uploads.image_type(file.read(16))
