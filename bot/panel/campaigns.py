"""Announcements: the list, one of them with its steps and its progress, who did not get it, the brake."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from bot.panel import campaign_preview, uploads
from bot.panel.campaign_forms import LONGEST_TEXT
from bot.panel.door import Doors, Guarded, NotFound
from bot.panel.pages import Pages, digest
from bot.panel.uploads import field, line, read_form
from bot.parts import App
from faq.markup import plain
from handlers.campaigns import composing, control, notices, progress, rights
from handlers.campaigns.composing import Finding
from handlers.campaigns.progress import CampaignProgress
from handlers.campaigns.schedule import Window
from handlers.errors import HelpdeskError
from handlers.messages import Attachment
from handlers.staff import team
from handlers.staff.team import NotAllowed
from handlers.texts import campaigns as texts
from handlers.turn import Deed, number_in
from storage import inbox, schools, staff
from storage.campaigns import audience as audiences
from storage.campaigns import book, launches, readers, wishes
from storage.campaigns.audience import MESSENGERS
from storage.campaigns.campaign import ALIVE, Campaign, CampaignState, Launch, Progress, ReaderState
from storage.campaigns.wishes import Wish
from storage.database import Transaction, Unavailable
from storage.staff import Member

LOOK_SECONDS = 3
"""How often an open page asks how far it is."""
STOP_LOOKING = 286
"""The answer by which htmx asks no more."""
PAGE = 20
MISSED_PAGE = 50
LISTINGS: Mapping[str, tuple[CampaignState, ...]] = {
    "open": ("draft", "approval", "scheduled"),
    "over": ("ended", "stopped"),
}
GONE = "Такого объявления нет или оно не ваше."
NO_TEST_HERE = (
    "Проверку присылают в Telegram или ВКонтакте: выберите, кому. Если в списке никого нет, войдите там "
    "по приглашению со страницы «Сотрудники»."
)
DONE: Mapping[str, str] = {
    "saved": "Сохранено. С последней правки объявление ещё не проверяли.",
    "check": "Проверка закончена, её итог ниже.",
    "test": "Объявление отправлено для проверки. Откройте мессенджер и посмотрите, как оно выглядит.",
    "ask": "Коллеги получили просьбу согласовать объявление.",
    "approve": "Вы согласовали объявление.",
    "refuse": "Объявление вернулось автору с вашим замечанием.",
    "schedule": "Запланировано. Отправка начнётся сама в назначенное время.",
    "start": "Отправка начинается.",
    "pause": "На паузе. Само объявление не продолжится.",
    "resume": "Отправка продолжается.",
    "stop": "Остановлено. Больше никому не отправится.",
    "retry": "Отправляется ещё раз тем, кому не дошло.",
    "begin": "Отправка начинается.",
    "drop": "Эта отправка отменена.",
    "rewrite": "Новый текст принят: сообщения меняются по очереди, там, где мессенджер это разрешает.",
    "proposed": "Новый текст прочтут многие: сначала его согласует другой человек, коллеги уже знают.",
    "agree": "Вы согласовали новый текст: сообщения меняются по очереди, там, где мессенджер это разрешает.",
    "keep": "У всех остаётся прежний текст.",
    "erase": "Удаление принято: сообщения убираются по очереди, там, где мессенджер это разрешает.",
}
_PORTION = 200
_ALL = 1000
_LONGEST_NOTE = 1000
_UNKNOWN: tuple[ReaderState, ...] = ("unknown",)
_LISTED_STATES: Mapping[str, tuple[ReaderState, ...]] = {
    "": (),
    "failed": ("failed",),
    "skipped": ("skipped",),
    "unknown": _UNKNOWN,
}

_Work = Callable[[Deed, Member, Campaign, FormData], Awaitable[object]]


@dataclass(frozen=True)
class Line:
    """A campaign of the list."""

    campaign: Campaign
    state: str
    is_going: bool
    told: Progress


@dataclass(frozen=True)
class Ways:
    """What this member may do with a campaign now."""

    write: bool
    test: bool
    ask: bool
    go: bool
    pause: bool
    resume: bool
    stop: bool
    retry: bool
    change_sent: bool


class Campaigns:
    """The pages on which announcements are looked after."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors."""
        doors.for_staff("GET", "/panel/campaigns", self.show_list)
        doors.for_staff("GET", "/panel/brake", self.show_brake)
        doors.for_staff("POST", "/panel/brake", self.pull_brake)
        doors.for_staff("POST", "/panel/brake/release", self.release_brake)
        one = "/panel/campaigns/{number}"
        doors.for_staff("GET", one, self.show)
        doors.for_staff("GET", f"{one}/progress", self.refresh)
        doors.for_staff("GET", f"{one}/missed", self.show_missed)
        doors.for_staff("GET", f"{one}/missed.xlsx", self.workbook)
        doors.for_staff("GET", f"{one}/files/{{place}}", self.file)
        doors.for_staff("POST", f"{one}/check", self.check)
        doors.for_staff("POST", f"{one}/rewrite", self.rewrite)
        for name, work in _DEEDS.items():
            doors.for_staff("POST", f"{one}/{name}", self._door(name, work))

    # ---- looking

    async def show_list(self, request: Request, member: Member) -> Response:
        """The announcements in which the member has a say."""
        listing = request.query_params.get("list", "open")
        listing = listing if listing in LISTINGS else "open"
        page = min(number_in(request.query_params.get("page", "")), _ALL)
        async with self._app.database.reading() as tx:
            found = await _listed(tx, member, LISTINGS[listing], page=page)
            lines = [await _line(tx, each, now=self._app.clock.now()) for each in found[:PAGE]]
            common = await common_to_all(tx, member)
        return self._pages.page(
            "campaigns.html",
            **common,
            listing=listing,
            lines=lines,
            page=page,
            has_more=len(found) > PAGE,
        )

    async def show(self, request: Request, member: Member) -> Response:
        """One announcement."""
        found = await campaign_of(self._app, request, member)
        done = DONE.get(request.query_params.get("done", ""), "")
        return await self._draw(member, found, done=done)

    async def refresh(self, request: Request, member: Member) -> Response:
        """How far it is, if that has changed; the last answer says that there is nothing more to come."""
        found = await campaign_of(self._app, request, member)
        async with self._app.database.reading() as tx:
            far = await progress.of(tx, found, now=self._app.clock.now())
        html, title = self._draw_progress(member, found, far)
        seen = digest(html)
        if found.state != "scheduled":
            return self._pages.page("_news.html", status=STOP_LOOKING, title=title, seen=seen, html=html)
        if request.query_params.get("seen") == seen:
            return Response(status_code=204)
        return self._pages.page("_news.html", title=title, seen=seen, html=html)

    async def show_missed(self, request: Request, member: Member) -> Response:
        """Who did not get it and why."""
        found = await campaign_of(self._app, request, member)
        chosen = request.query_params.get("state", "")
        chosen = chosen if chosen in _LISTED_STATES else ""
        after = number_in(request.query_params.get("after", ""))
        async with self._app.database.reading() as tx:
            listed = await progress.missed(
                tx,
                found,
                self._app.knowledge,
                limit=MISSED_PAGE + 1,
                after=after,
                states=_LISTED_STATES[chosen],
            )
            common = await common_to_all(tx, member)
        return self._pages.page(
            "campaign_missed.html",
            **common,
            campaign=found,
            listed=listed[:MISSED_PAGE],
            chosen=chosen,
            after=after,
            has_more=len(listed) > MISSED_PAGE,
        )

    async def workbook(self, request: Request, member: Member) -> Response:
        """The same as a table."""
        found = await campaign_of(self._app, request, member)
        async with self._app.database.reading() as tx:
            content = await progress.workbook(tx, found, self._app.knowledge)
        name = f"attachment; filename=campaign-{found.id}-missed.xlsx"
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Response(content, media_type=kind, headers={"Content-Disposition": name})

    async def file(self, request: Request, member: Member) -> Response:
        """A file of the announcement; pictures are shown, anything else is only ever saved."""
        found = await campaign_of(self._app, request, member)
        place = number_in(request.path_params["place"])
        kept = [Attachment(**each) for each in found.attachments][place : place + 1]
        path = self._app.files.path(kept[0].ref) if kept else None
        if path is None:
            raise NotFound("Этого файла у нас нет.")
        image = await asyncio.to_thread(uploads.image_at, path)
        return FileResponse(
            path,
            media_type=image or uploads.UNKNOWN_TYPE,
            filename=kept[0].name or "файл",
            content_disposition_type="inline" if image else "attachment",
            headers={"Content-Security-Policy": "default-src 'none'; sandbox"},
        )

    # ---- doing

    async def check(self, request: Request, member: Member) -> Response:
        """Let the program look through it."""
        found = await campaign_of(self._app, request, member)
        composers = await campaign_preview.composers_of(self._app, found.attachments)

        async def work(deed: Deed, by: Member, known: Campaign, _: FormData) -> object:
            return await control.check(deed, by, known.id, channels=composers)

        return await self._do(request, member, "check", work)

    async def rewrite(self, request: Request, member: Member) -> Response:
        """Let what was sent read otherwise; of what many have read another person decides."""
        found = await campaign_of(self._app, request, member)
        composers = await campaign_preview.composers_of(self._app, found.attachments)

        async def work(deed: Deed, by: Member, known: Campaign, form: FormData) -> object:
            text = field(form, "text")[:LONGEST_TEXT]
            count = await control.edit_sent(deed, by, known.id, text=text, channels=composers)
            return "rewrite" if count else "proposed"

        return await self._do(request, member, "rewrite", work)

    def _door(self, name: str, work: _Work) -> Guarded:
        async def door(request: Request, member: Member) -> Response:
            return await self._do(request, member, name, work)

        return door

    async def _do(self, request: Request, member: Member, name: str, work: _Work) -> Response:
        """One deed; a refusal is one sentence above the page, and what was typed stays.

        What is said of it afterwards stands under `name`, or under the word that the deed gives back.
        """
        found = await campaign_of(self._app, request, member)
        form = await read_form(request)
        note, text = field(form, "note")[:_LONGEST_NOTE], field(form, "text")[:LONGEST_TEXT]
        try:
            async with self._app.database.transaction() as tx:
                came = await work(Deed(tx, self._app.clock.now(), self._app.knowledge), member, found, form)
        except HelpdeskError as refusal:
            fresh = await campaign_of(self._app, request, member)
            return await self._draw(member, fresh, notice=str(refusal), note=note, text=text, status=409)
        except Unavailable:
            if not (note or text):
                raise
            return unsaved(self._pages, note or text, back=f"/panel/campaigns/{found.id}")
        wake(self._app)
        done = came if isinstance(came, str) else name
        return RedirectResponse(f"/panel/campaigns/{found.id}?done={done}", 303)

    # ---- the brake

    async def show_brake(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """Whether the brake is on, and what it holds; here it is released."""
        return await self._draw_brake(member)

    async def pull_brake(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """Stop everything at once, without a question; a second press changes nothing."""
        async with self._app.database.transaction() as tx:
            deed = Deed(tx, self._app.clock.now(), self._app.knowledge)
            await _refuse_unless_wide(deed, member)
            if await launches.braked_since(tx) is None:
                await control.pull_brake(deed, member)
        wake(self._app)
        return RedirectResponse("/panel/brake", 303)

    async def release_brake(self, request: Request, member: Member) -> Response:  # noqa: ARG002 - every door takes it
        """Starts are possible again."""
        try:
            async with self._app.database.transaction() as tx:
                deed = Deed(tx, self._app.clock.now(), self._app.knowledge)
                await _refuse_unless_wide(deed, member)
                await control.release_brake(deed, member)
        except NotAllowed:
            raise
        except HelpdeskError as refusal:
            return await self._draw_brake(member, notice=str(refusal), status=409)
        wake(self._app)
        return RedirectResponse("/panel/brake", 303)

    async def _draw_brake(self, member: Member, *, notice: str = "", status: int = 200) -> HTMLResponse:
        async with self._app.database.reading() as tx:
            scheduled = await book.listed(tx, states=["scheduled"], limit=_ALL)
            held = [
                (each, await _held_launches(tx, each))
                for each in scheduled
                if rights.may_write_to(member, each.audience)
            ]
            common = await common_to_all(tx, member)
        return self._pages.page(
            "brake.html", status=status, **common, held=[each for each in held if each[1]], notice=notice
        )

    # ---- drawing

    async def _draw(
        self,
        member: Member,
        found: Campaign,
        *,
        notice: str = "",
        done: str = "",
        note: str = "",
        text: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        app, now = self._app, self._app.clock.now()
        composers = await campaign_preview.composers_of(app, found.attachments)
        async with app.database.reading() as tx:
            common = await common_to_all(tx, member)
            far = await progress.of(tx, found, now=now)
            deed = Deed(tx, now, app.knowledge)
            author = await notices.author_of(deed, found)
            count = await audiences.count(tx, found.audience, category=found.category, now=now)
            some = await audiences.sample(tx, found.audience, category=found.category, now=now)
            named = await schools.some(tx, found.audience.school_ids)
            when = notices.when(deed, found)
            approver = await staff.find(tx, found.approved_by or 0)
            testers = await _testers(tx, member, now=now) if found.state in control.WRITTEN else []
            wished = await _wishes_of(tx, found)
            rewording = await wishes.asked(tx, found.id)
            is_wide, is_other = rights.is_wide(member), await rights.is_other(deed, member, found.author_id)
            may_agree = is_wide and rewording and await rights.is_other(deed, member, rewording.by_id)
            reaches_wall = await audiences.reaches_wall(tx, found.audience, now=now)
        findings: list[Finding] = []
        if found.state in control.WRITTEN and (found.is_checked or done == DONE["check"]):
            findings = composing.check(
                found,
                knowledge=app.knowledge,
                now=now,
                readers=count,
                channels=composers,
                reaches_wall=reaches_wall,
            )
        html, title = self._draw_progress(member, found, far)
        # An author who has left is nobody whose word would do.
        is_authorless = author is None and found.author_id is not None
        school_id = next((each.school_id for each in some if each.school_id), None)
        names = [school.name for school in named.values()]
        return self._pages.page(
            "campaign.html",
            status=status,
            **common,
            campaign=found,
            title=title,
            seconds=LOOK_SECONDS,
            is_looking=found.state == "scheduled",
            seen=digest(html),
            progress=html,
            ways=_ways(found, member, far, now=now),
            author=author.name if author else ("" if found.author_id else texts.OWNER),
            approver=approver.name if approver else "",
            count=count,
            sample=campaign_preview.in_words(app, some),
            audience=plain(notices.audience_in_words(found.audience, app.knowledge, schools=names)),
            when=when,
            window=_window(found),
            findings=findings,
            needs_approval=is_authorless or rights.needs_approval(author, found.audience, count),
            testers=testers,
            key=uuid.uuid4().hex,
            screens=await campaign_preview.screens(
                app, found, school_id=school_id, reaches_wall=reaches_wall
            ),
            pictures=_pictures(found),
            wishes=wished,
            may_approve=is_wide and is_other and found.state == "approval" and not found.is_approved,
            told=far.total.of("sent"),
            rewording=rewording,
            new_text=plain(rewording.text) if rewording else "",
            may_agree=may_agree,
            may_keep=rewording and (is_wide or rewording.by_id == member.id),
            notice=notice,
            done=done,
            note=note,
            text=text or found.text,
            longest_note=_LONGEST_NOTE,
            longest_text=LONGEST_TEXT,
        )

    def _draw_progress(self, member: Member, found: Campaign, far: CampaignProgress) -> tuple[str, str]:
        """How far it is as HTML, and the title of the page."""
        told = far.total
        states = {launch.state for launch, _ in far.launches}
        state = texts.state(found, states, waits_until=far.waits_until)
        html = self._pages.draw(
            "_campaign_progress.html",
            words=texts,
            campaign=found,
            far=far,
            state=state,
            reached=told.total - told.left,
            ways=_ways(found, member, far, now=self._app.clock.now()),
            may_start=rights.may_start(member, found.audience),
            now=self._app.clock.now(),
        )
        share = f"{100 * (told.total - told.left) // told.total} % · " if told.left else ""
        return html, f"{share}{found.title}"


# ---- deeds


def _edition(form: FormData) -> int:
    return number_in(field(form, "edition"))


async def _send_test(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    chosen = number_in(field(form, "to"))
    to = next((each for each in await _testers(deed.tx, by, now=deed.now) if each.id == chosen), None)
    if to is None:
        raise HelpdeskError(NO_TEST_HERE)
    key = f"{by.id}:{line(form, 'key', limit=64)}"
    # A form that is sent twice is one message.
    if not await inbox.accept(deed.tx, "panel-test", key, now=deed.now):
        return None
    return await control.send_test(deed, by, found.id, to=to)


async def _ask(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    return await control.send_for_approval(deed, by, found.id, edition=_edition(form))


async def _approve(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    return await control.approve(deed, by, found.id, edition=_edition(form))


async def _refuse(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    note = field(form, "note")[:_LONGEST_NOTE]
    return await control.refuse(deed, by, found.id, edition=_edition(form), note=note)


async def _schedule(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    return await control.schedule_it(deed, by, found.id, edition=_edition(form))


async def _start(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    return await control.start_now(deed, by, found.id, edition=_edition(form))


async def _pause(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:  # noqa: ARG001
    return await control.pause(deed, by, found.id)


async def _resume(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:  # noqa: ARG001
    return await control.resume(deed, by, found.id)


async def _stop(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:  # noqa: ARG001
    return await control.stop(deed, by, found.id)


async def _retry(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    also_unknown = field(form, "unknown") == "yes"
    return await control.retry_failed(deed, by, found.id, also_unknown=also_unknown)


async def _begin(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    return await control.start_launch(deed, by, await _launch_in(deed, found, form))


async def _drop(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    return await control.drop_launch(deed, by, await _launch_in(deed, found, form))


async def _agree(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    return await control.agree_to_rewording(deed, by, found.id, mark=number_in(field(form, "mark")))


async def _keep(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:
    return await control.refuse_rewording(deed, by, found.id, mark=number_in(field(form, "mark")))


async def _erase(deed: Deed, by: Member, found: Campaign, form: FormData) -> object:  # noqa: ARG001
    return await control.delete_sent(deed, by, found.id)


async def _launch_in(deed: Deed, found: Campaign, form: FormData) -> int:
    launch = await launches.find(deed.tx, number_in(field(form, "launch")))
    if launch is None or launch.campaign_id != found.id:
        raise HelpdeskError(texts.LAUNCH_OVER)
    return launch.id


_DEEDS: Mapping[str, _Work] = {
    "test": _send_test,
    "ask": _ask,
    "approve": _approve,
    "refuse": _refuse,
    "schedule": _schedule,
    "start": _start,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "retry": _retry,
    "begin": _begin,
    "drop": _drop,
    "agree": _agree,
    "keep": _keep,
    "erase": _erase,
}
"""The last part of the address, and what it does."""


# ---- shared with the page on which they are written


async def common_to_all(tx: Transaction, member: Member) -> dict[str, Any]:
    """What every page about announcements shows: the words, and the brake."""
    return {
        "member": member,
        "words": texts,
        "may_brake": rights.is_wide(member),
        "braked_since": await launches.braked_since(tx),
    }


async def campaign_of(app: App, request: Request, member: Member) -> Campaign:
    """The announcement that the address names; raises `NotFound` when the member has no say in it."""
    return await campaign_at(app, member, number_in(request.path_params["number"]))


async def campaign_at(app: App, member: Member, number: int) -> Campaign:
    """The announcement with this number; raises `NotFound` when the member has no say in it."""
    async with app.database.reading() as tx:
        found = await book.find(tx, number)
    if found is None or not rights.may_write_to(member, found.audience):
        raise NotFound(GONE)
    return found


def unsaved(pages: Pages, text: str, *, back: str) -> Response:
    """The page that gives back what was typed when the database did not take it."""
    return pages.page(
        "unsaved.html",
        status=503,
        member=None,
        text=text,
        what="Объявление не сохранено",
        whose="Ваш текст",
        back=back,
        back_to="К объявлению",
    )


def wake(app: App) -> None:
    """There may be something to send: notices for the staff, announcements."""
    for keeper in app.keepers:
        keeper.delivery.wake()
    app.wake_mailing()


# ---- parts


async def _refuse_unless_wide(deed: Deed, member: Member) -> None:
    if not rights.is_wide(await rights.as_they_are(deed, member)):
        raise NotAllowed(texts.BRAKE_NOT_ALLOWED)


async def _listed(
    tx: Transaction, member: Member, states: Sequence[CampaignState], *, page: int
) -> list[Campaign]:
    """A page of those in which the member has a say, and one more if there is."""
    if rights.is_wide(member):
        return await book.listed(tx, states=states, limit=PAGE + 1, offset=page * PAGE)
    theirs: list[Campaign] = []
    for offset in range(0, _ALL, _PORTION):
        portion = await book.listed(tx, states=states, limit=_PORTION, offset=offset)
        theirs += [each for each in portion if rights.may_write_to(member, each.audience)]
        if len(portion) < _PORTION or len(theirs) > (page + 1) * PAGE:
            break
    return theirs[page * PAGE : (page + 1) * PAGE + 1]


async def _line(tx: Transaction, campaign: Campaign, *, now: datetime) -> Line:
    known = await launches.of_campaign(tx, campaign.id)
    told = await readers.progress(tx, [each.id for each in known])
    waiting = await progress.waits_until(tx, known, now=now)
    state = texts.state(campaign, {each.state for each in known}, waits_until=waiting)
    is_going = waiting is None and any(each.state in ALIVE for each in known)
    return Line(campaign, state, is_going, told)


def _ways(found: Campaign, member: Member, far: CampaignProgress, *, now: datetime) -> Ways:
    """What is offered; whether it is done is decided by `control`."""
    states = {launch.state for launch, _ in far.launches}
    may_start = rights.may_start(member, found.audience)
    may_hold = may_start or found.author_id == member.id
    is_written = found.state in control.WRITTEN
    return Ways(
        write=is_written,
        test=is_written and found.is_checked,
        ask=found.state == "draft" and found.is_checked and found.is_tested,
        go=is_written and may_start and found.is_checked and found.is_tested,
        pause=may_hold and bool(states & {"planned", "filling", "sending"}),
        resume=may_start and progress.can_resume(far, now=now),
        stop=may_hold and found.state == "scheduled",
        retry=may_start and progress.can_retry(found, far),
        change_sent=may_start and far.total.of("sent") > 0 and not states & ALIVE,
    )


async def _testers(tx: Transaction, member: Member, *, now: datetime) -> list[Member]:
    """Who may get a test: the member, if they work in a messenger, and colleagues who do."""
    seen = await team.team_of(tx, member, now=now)
    colleagues = [each.member for each in seen.colleagues if each.member.channel in MESSENGERS]
    mine = [each for each in colleagues if each.id == member.id]
    return [*mine, *(each for each in colleagues if each.id != member.id)]


async def _held_launches(tx: Transaction, campaign: Campaign) -> list[Launch]:
    known = await launches.of_campaign(tx, campaign.id)
    return [each for each in known if each.state in {"paused", "asks"}]


async def _wishes_of(tx: Transaction, campaign: Campaign) -> list[tuple[Wish, bool]]:
    """What was wished for what was sent, each with whether it is carried out; of that only the sums."""
    known = {each.id for each in await launches.of_campaign(tx, campaign.id)}
    sums: dict[tuple[str, str], Wish] = {}
    for each in await wishes.carried_out(tx):
        if each.launch_id in known:
            before = sums.get((each.channel, each.deed), replace(each, changed=0, refused=0))
            sums[each.channel, each.deed] = replace(
                before, changed=before.changed + each.changed, refused=before.refused + each.refused
            )
    carried_out = [(each, True) for each in sums.values()]
    return carried_out + [(each, False) for each in await wishes.listed(tx) if each.launch_id in known]


def _window(found: Campaign) -> str:
    return Window.from_plain(found.schedule.get("window")).in_words()


def _pictures(found: Campaign) -> dict[str, str]:
    """Where the pictures are, by name of the file."""
    return {
        str(each["name"]): f"/panel/campaigns/{found.id}/files/{place}"
        for place, each in enumerate(found.attachments)
        if each["kind"] == "photo"
    }
