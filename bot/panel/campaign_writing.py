"""Writing an announcement: the form (empty, or with a ready or an earlier one) and its preview."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.channels.web import MOST_FILES
from bot.panel import campaign_forms, campaign_preview, uploads
from bot.panel.campaign_forms import LONGEST_TEXT, MOST_FIELDS, Form
from bot.panel.campaigns import campaign_at, campaign_of, common_to_all, unsaved, wake
from bot.panel.door import Doors
from bot.panel.pages import Pages
from bot.panel.uploads import BadForm, read_form
from bot.parts import App
from faq.markup import plain
from handlers.campaigns import composing, control, notices, rights, schedule
from handlers.campaigns.composing import Finding
from handlers.campaigns.ready import ready_campaigns
from handlers.campaigns.schedule import Schedule
from handlers.errors import HelpdeskError
from handlers.texts import campaigns as texts
from handlers.texts.schools import named
from handlers.turn import Deed, number_in
from storage import inbox, schools
from storage.campaigns import audience as audiences
from storage.campaigns.audience import Sample
from storage.campaigns.campaign import Audience, Campaign
from storage.database import Unavailable
from storage.schools import School
from storage.scope import EVERYTHING, Scope
from storage.staff import Member


class CampaignWriting:
    """The pages on which announcements are written."""

    def __init__(self, app: App, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    def add_to(self, doors: Doors) -> None:
        """Hang the doors; before those of the announcements themselves, whose numbers are no words."""
        doors.for_staff("GET", "/panel/campaigns/new", self.begin)
        doors.for_staff("POST", "/panel/campaigns/form", self.add_to_form)
        doors.for_staff("POST", "/panel/campaigns/preview", self.preview)
        doors.for_staff("POST", "/panel/campaigns", self.create)
        doors.for_staff("GET", "/panel/campaigns/{number}/edit", self.edit)
        doors.for_staff("POST", "/panel/campaigns/{number}/edit", self.change)

    async def begin(self, request: Request, member: Member) -> Response:
        """An empty form, or one with the words of a ready or an earlier announcement."""
        chosen = request.query_params.get("ready", "")
        like = number_in(request.query_params.get("like", ""))
        knowledge = self._app.knowledge
        if like:
            found = await campaign_at(self._app, member, like)
            form = campaign_forms.of_draft(found, knowledge)
            # Its dates are over, or taken.
            form = replace(form, when="", edition=0)
        elif chosen in ready_campaigns():
            form = campaign_forms.of_draft(ready_campaigns()[chosen], knowledge)
        else:
            form = Form()
        return await self._draw(member, campaign_forms.bounded(form, member), is_begun=bool(like or chosen))

    async def edit(self, request: Request, member: Member) -> Response:
        """The form with an announcement that is not on its way yet."""
        found = await campaign_of(self._app, request, member)
        form = campaign_forms.of_draft(found, self._app.knowledge)
        notice = "" if found.state in control.WRITTEN else texts.TOO_LATE_TO_CHANGE
        return await self._draw(member, form, campaign=found, notice=notice, status=409 if notice else 200)

    async def create(self, request: Request, member: Member) -> Response:
        """Keep a new draft; the same form sent twice is one."""
        return await self._save(request, member, None)

    async def change(self, request: Request, member: Member) -> Response:
        """Keep another edition."""
        return await self._save(request, member, await campaign_of(self._app, request, member))

    async def add_to_form(self, request: Request, member: Member) -> Response:
        """The same form with the school or the topic that was typed; nothing is kept."""
        number = number_in(request.query_params.get("campaign", ""))
        campaign = await campaign_at(self._app, member, number) if number else None
        form, notice = await self._read(request, member)
        if not notice:
            try:
                form = await self._grown(form, member)
            except HelpdeskError as error:
                notice = str(error)
        return await self._draw(member, form, campaign=campaign, notice=notice, status=400 if notice else 200)

    async def preview(self, request: Request, member: Member) -> Response:
        """How it will be seen, by how many, and when; nothing is kept."""
        form = campaign_forms.bounded(await self._typed(request), member)
        app, now = self._app, self._app.clock.now()
        troubles: list[str] = []
        audience, when = None, ""
        buttons: tuple[dict[str, str], ...] = ()
        try:
            audience = campaign_forms.audience_of(form, app.knowledge)
            buttons = campaign_forms.buttons_of(form, app.knowledge)
        except HelpdeskError as error:
            troubles.append(str(error))
        try:
            plan = campaign_forms.schedule_of(form, app.knowledge, now=now)
            when = _in_words(Schedule.from_plain(plan)) if plan else ""
        except HelpdeskError as error:
            troubles.append(str(error))
        # Who cannot be read is nobody: least of all everybody.
        drawn = audience or Audience(who=form.who, channels=form.channels)  # type: ignore[arg-type]
        typed = campaign_forms.as_campaign(form, audience=drawn, buttons=buttons, now=now)
        count, some, reaches_wall = 0, list[Sample](), False
        # Of others' readers not even the number is told.
        is_theirs = audience is not None and rights.may_write_to(member, audience)
        if audience is not None and is_theirs:
            async with app.database.reading() as tx:
                count = await audiences.count(tx, audience, category=typed.category, now=now)
                some = await audiences.sample(tx, audience, category=typed.category, now=now)
                reaches_wall = await audiences.reaches_wall(tx, audience, now=now)
        elif audience is not None:
            troubles.append(texts.NOT_YOUR_READERS)
        findings: list[Finding] = []
        if typed.text:
            number = count if is_theirs else None
            findings = await self._findings(typed, number, reaches_wall=reaches_wall)
        return self._pages.page(
            "_campaign_preview.html",
            screens=await campaign_preview.screens(
                app, typed, school_id=_school_of(drawn, some), reaches_wall=reaches_wall
            ),
            findings=findings,
            troubles=troubles,
            is_theirs=is_theirs,
            count=count,
            sample=campaign_preview.in_words(app, some),
            audience=plain(notices.audience_in_words(drawn, app.knowledge)),
            approval_above=rights.APPROVAL_ABOVE,
            when=when,
            words=texts,
        )

    # ---- keeping

    async def _save(self, request: Request, member: Member, campaign: Campaign | None) -> Response:
        form, notice = await self._read(request, member)
        if notice:
            return await self._draw(member, form, campaign=campaign, notice=notice, status=400)
        over = number_in(request.query_params.get("over", ""))
        try:
            form = await self._grown(form, member)
            draft = campaign_forms.draft_of(form, self._app.knowledge, now=self._app.clock.now())
            async with self._app.database.transaction() as tx:
                deed = Deed(tx, self._app.clock.now(), self._app.knowledge)
                if campaign is not None:
                    kept = await control.change(
                        deed, member, campaign.id, edition=over or form.edition, draft=draft
                    )
                elif await inbox.accept(tx, "panel-campaign", f"{member.id}:{form.key}", now=deed.now):
                    kept = await control.create(deed, member, draft)
                else:
                    # Sent twice: the first one was kept, and stands at the top of the list.
                    return RedirectResponse("/panel/campaigns", 303)
        except HelpdeskError as refusal:
            return await self._refuse(member, form, campaign, refusal)
        except Unavailable:
            back = f"/panel/campaigns/{campaign.id}/edit" if campaign else "/panel/campaigns/new"
            return unsaved(self._pages, form.text, back=back)
        wake(self._app)
        return RedirectResponse(f"/panel/campaigns/{kept.id}?done=saved", 303)

    async def _refuse(
        self, member: Member, form: Form, campaign: Campaign | None, refusal: HelpdeskError
    ) -> Response:
        fresh = await campaign_at(self._app, member, campaign.id) if campaign is not None else None
        is_overtaken = fresh is not None and fresh.edition != form.edition
        return await self._draw(
            member,
            form,
            campaign=fresh,
            notice=str(refusal),
            over=fresh.edition if fresh is not None and is_overtaken else 0,
            status=409 if is_overtaken else 400,
        )

    async def _read(self, request: Request, member: Member) -> tuple[Form, str]:
        """What was typed, with new files kept already, and what is wrong with them."""
        raw = await read_form(request, most_fields=MOST_FIELDS)
        try:
            form = campaign_forms.bounded(campaign_forms.read(raw, self._app.files), member)
            chosen = uploads.uploads(raw)
            try:
                uploads.check("", chosen, with_one="объявлением")
                kept = await uploads.keep(chosen, self._app.files)
            except BadForm as error:
                return form, str(error)
        finally:
            await raw.close()
        return replace(form, files=(*form.files, *kept)), ""

    async def _typed(self, request: Request) -> Form:
        raw = await read_form(request, most_fields=MOST_FIELDS)
        try:
            return campaign_forms.read(raw, self._app.files)
        finally:
            await raw.close()

    async def _grown(self, form: Form, member: Member) -> Form:
        if not (form.school_words or form.topic_words):
            return form
        return await campaign_forms.grown(form, self._app.knowledge, await self._schools(member))

    async def _schools(self, member: Member) -> list[School]:
        async with self._app.database.reading() as tx:
            return await schools.of_member(tx, Scope(member.id))

    async def _findings(self, typed: Campaign, count: int | None, *, reaches_wall: bool) -> list[Finding]:
        return composing.check(
            typed,
            knowledge=self._app.knowledge,
            now=self._app.clock.now(),
            readers=count,
            channels=await campaign_preview.composers_of(self._app, typed.attachments),
            reaches_wall=reaches_wall,
        )

    # ---- drawing

    async def _draw(
        self,
        member: Member,
        form: Form,
        *,
        campaign: Campaign | None = None,
        notice: str = "",
        over: int = 0,
        is_begun: bool = False,
        status: int = 200,
    ) -> HTMLResponse:
        async with self._app.database.reading() as tx:
            common = await common_to_all(tx, member)
            mine = await schools.of_member(tx, Scope(member.id))
            chosen = await schools.some(tx, form.schools)
            places = await schools.municipalities(tx) if member.role in EVERYTHING else []
        is_bounded = member.role == "school"
        offered = {} if campaign is not None or notice or is_begun else dict(ready_campaigns())
        if is_bounded:
            offered = {name: each for name, each in offered.items() if each.audience.who == "venues"}
        topics = self._app.knowledge.base.topics
        return self._pages.page(
            "campaign_edit.html",
            status=status,
            **common,
            form=form,
            campaign=campaign,
            notice=notice,
            over=over,
            ready=[(name, each.title) for name, each in offered.items()],
            municipalities=places,
            own_municipality=member.municipality if member.role == "municipal" else "",
            is_of_school=is_bounded,
            own_schools=mine if is_bounded else [],
            chosen_schools=[(each.id, named(each.name, each.municipality)) for each in chosen.values()],
            school_names=[] if is_bounded else [named(each.name, each.municipality) for each in mine],
            topics=[each.title for each in topics.values()],
            chosen_topics=[(slug, topics[slug].title) for slug in form.topics if slug in topics],
            most_buttons=composing.MOST_BUTTONS,
            longest_label=composing.LONGEST_LABEL,
            longest_title=composing.LONGEST_TITLE,
            longest_text=LONGEST_TEXT,
            most_files=MOST_FILES,
            path=f"/panel/campaigns/{campaign.id}/edit" if campaign else "/panel/campaigns",
        )


def _school_of(audience: Audience, some: list[Sample]) -> int | None:
    """A school whose name may stand in the place of {школа}."""
    of_readers = next((each.school_id for each in some if each.school_id), None)
    return next(iter(audience.school_ids), of_readers)


def _in_words(plan: Schedule) -> str:
    return f"{schedule.in_words(plan)}; отправка {plan.window.in_words()}"
