"""The ministry's member who declares an outage and bans who floods; and who must hear of its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.simulation.checks import Checks
from tests.simulation.phones import Choice, Ear, Heard, Phone, Place
from tests.simulation.staff import MOSCOW
from tests.simulation.timeline import Timeline
from tests.simulation.world import World

WORDS = "Дневник не открывается у всех, причину знаем и устраняем."
LASTS = timedelta(hours=1, minutes=30)
LOOKS = timedelta(minutes=40)
"""How often the member looks whether somebody is to be banned."""
BANS_AFTER = timedelta(minutes=20)
OPENS, CLOSES = 10, 17
_SOON = timedelta(hours=1)
"""Within this time everybody has heard of the end: it was told by day."""
_TWICE = 3
"""Every so many-th who floods is banned; the first, the fourth …"""


class OutageWatch:
    """Whoever reads of an outage, or opens a case while it lasts, hears once that it is over."""

    def __init__(self, ear: Ear, world: World, checks: Checks, timeline: Timeline) -> None:
        self.since: datetime | None = None
        self.until: datetime | None = None
        self._told: dict[Place, datetime] = {}
        self._over: dict[Place, int] = {}
        self._ear = ear
        self._world = world
        self._checks = checks
        self._timeline = timeline
        ear.everything.append(self._hear)

    def complain(self) -> None:
        """At the end of the week."""
        if self.until is None:
            return
        waiting = self._told | self._asked()
        self._world.counts["told of the outage"] = len(self._told)
        self._world.counts["told that it is over"] = len(self._over)
        for place, at in waiting.items():
            if place not in self._over and not self._is_out_of_reach(place):
                self._checks.complain("outage_told", f"{place} с {at:%a %H:%M} не узнал, что сбой закончился")
        for place, count in self._over.items():
            if count > 1:
                self._checks.complain("outage_told", f"{place} узнал о конце сбоя {count} раза")
            if place not in waiting:
                self._checks.complain("outage_told", f"{place} узнал о конце сбоя, о котором не спрашивал")

    def _hear(self, heard: Heard) -> None:
        if self._world.is_staff(heard.place):
            return
        now = self._timeline.now()
        if "Сейчас известен сбой" in heard.text:
            self._told[heard.place] = now
            if self.since is None:
                self._checks.complain("outage_told", f"{heard.place} узнал о сбое, которого нет")
        elif heard.text.startswith("Сбой закончился"):
            self._over[heard.place] = self._over.get(heard.place, 0) + 1

    def _asked(self) -> dict[Place, datetime]:
        return {
            case.place: case.opened
            for case in self._world.cases.values()
            if case.opened is not None and self._lasted_at(case.opened)
        }

    def _lasted_at(self, moment: datetime) -> bool:
        return self.since is not None and self.until is not None and self.since < moment < self.until

    def _is_out_of_reach(self, place: Place) -> bool:
        assert self.until is not None
        if place in self._world.gone or place in self._world.banned:
            return True
        return any(
            span.since <= self.until + _SOON and (span.until is None or span.until >= self.until)
            for span in self._ear.blocks.get(place, [])
        )


@dataclass(frozen=True)
class Offer:
    """A button under a message that was heard."""

    heard: Heard
    choice: Choice


class Official:
    """A member of the ministry who leaves the cases to the others."""

    def __init__(
        self, phone: Phone, *, world: World, checks: Checks, timeline: Timeline, watch: OutageWatch
    ) -> None:
        self.phone = phone
        self._world = world
        self._checks = checks
        self._timeline = timeline
        self._watch = watch
        self._bans = 0

    async def declares_outage(self, moment: datetime) -> None:
        """Declare that nothing works anywhere, and end it when it is mended."""
        await self._timeline.until(moment)
        where = await self._hears("outage:at:", after=f"/outage {WORDS}", ends=":all")
        sure = await self._hears("outage:yes:", after=where)
        end = await self._hears("outage:end:", after=sure)
        if end is None:
            self._checks.complain("no_outage", "сбой не объявлен")
            return
        self._watch.since = self._timeline.now()
        self._world.counts["outages declared"] += 1
        await self._timeline.sleep(LASTS.total_seconds())
        self._watch.until = self._timeline.now()
        heard = await self._presses(end)
        if not any(each.text.startswith("Сбой закончен") for each in heard):
            self._checks.complain("no_outage", f"сбой не закончен: {[each.text for each in heard]}")

    async def bans_abusers(self) -> None:
        """Look now and then who floods, and ban some of them."""
        seen = 0
        while True:
            await self._timeline.sleep(LOOKS.total_seconds())
            if not OPENS <= self._timeline.now().astimezone(MOSCOW).hour < CLOSES:
                continue
            fresh, seen = self._world.abusers[seen:], len(self._world.abusers)
            for case in fresh:
                self._bans += 1
                if self._bans % _TWICE == 1:
                    await self._timeline.sleep(BANS_AFTER.total_seconds())
                    await self._bans_parent_of(case.number, case.place)

    async def _bans_parent_of(self, number: int, place: Place) -> None:
        if place in self._world.gone:
            return
        sure = await self._hears(f"ban:{number}:yes", after=f"/ban {number}")
        if sure is None:
            self._checks.complain("not_banned", f"№ {number}: не спрошено, точно ли")
            return
        self._world.banned[place] = self._timeline.now()
        heard = await self._presses(sure)
        if any("Родитель заблокирован" in each.text for each in heard):
            self._world.counts["parents banned"] += 1
        else:
            self._checks.complain("not_banned", f"№ {number}: {[each.text for each in heard]}")

    async def _hears(self, payload: str, *, after: str | Offer | None, ends: str = "") -> Offer | None:
        """Write, or press a button, and look for the button that is offered then."""
        if after is None:
            return None
        if isinstance(after, Offer):
            heard = await self._presses(after)
        else:
            list(self.phone.inbox.unread())
            await self.phone.says(after)
            heard = await self.phone.inbox.rest(quiet=3, within=30)
        for each in heard:
            for choice in each.choices:
                if choice.payload.startswith(payload) and choice.payload.endswith(ends):
                    return Offer(each, choice)
        return None

    async def _presses(self, offer: Offer) -> list[Heard]:
        list(self.phone.inbox.unread())
        await self.phone.presses(offer.heard, offer.choice)
        return await self.phone.inbox.rest(quiet=3, within=30)
