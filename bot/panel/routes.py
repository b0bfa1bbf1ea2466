"""The staff's panel as one router."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.panel.campaign_writing import CampaignWriting
from bot.panel.campaigns import Campaigns
from bot.panel.door import Doors, NotFound
from bot.panel.learning import Phrasings
from bot.panel.pages import Pages
from bot.panel.people import People
from bot.panel.questions import Questions
from bot.panel.readiness import ReadinessPage
from bot.panel.ready_answers import ReadyAnswers
from bot.panel.schools import Schools
from bot.panel.sign_in import SignIn
from bot.parts import App


def panel_routes(app: App) -> APIRouter:
    """All doors under /panel."""
    region_zone = ZoneInfo(app.knowledge.region.timezone)
    pages = Pages(ZoneInfo(app.settings.timezone) if app.settings.timezone else region_zone, app.clock.now)
    # Announcements are written and planned on the region's clock: they are shown on it, too.
    of_region = Pages(region_zone, app.clock.now)
    doors = Doors(app, pages)

    async def static(request: Request) -> Response:
        version = request.query_params.get("v", "")
        asset = pages.asset(request.path_params["name"], version=version)
        return asset or await nothing(request)

    async def home(request: Request) -> Response:  # noqa: ARG001 - every door takes it
        return RedirectResponse("/panel", 303)

    async def nothing(request: Request) -> Response:  # noqa: ARG001 - every door takes it
        raise NotFound("Такой страницы нет.")

    doors.open_to_all("GET", "/panel/static/{name}", static)
    SignIn(app, pages).add_to(doors)
    Questions(app, pages).add_to(doors)
    Phrasings(app, pages).add_to(doors)
    Schools(app, pages).add_to(doors)
    ReadyAnswers(app, pages).add_to(doors)
    People(app, pages).add_to(doors)
    CampaignWriting(app, of_region).add_to(doors)
    Campaigns(app, of_region).add_to(doors)
    ReadinessPage(app, pages).add_to(doors)
    doors.open_to_all("GET", "/panel/", home)
    doors.open_to_all("GET", "/panel/{rest:path}", nothing)
    return doors.router
