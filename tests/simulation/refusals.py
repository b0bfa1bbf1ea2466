"""Refusals that people hear, and what else the world knows that explains them.

Who is told that something did not happen must be told why, and the reason must be so: otherwise a lost
message could hide behind a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tests.simulation.phones import Heard, Place, Span
from tests.simulation.world import GRACE, Seat, World

Reason = Literal["closed", "no_right", "left", "elsewhere", "taken", "undelivered", "over", "forgotten"]
SLOWLY = timedelta(minutes=10)
"""How late a chat may hear what another one has heard before."""
_SENTENCES: tuple[tuple[str, Reason], ...] = (
    ("уже закрыт:", "closed"),
    ("он вам не виден", "no_right"),
    ("больше не сотрудник, поэтому", "left"),
    ("не относится к этой группе", "elsewhere"),
    ("уже отвечает", "taken"),
    ("уже ведёт", "taken"),
    ("Родитель удалил свои данные", "forgotten"),
    ("уже закрыта или разобрана", "over"),
    ("Открытых вопросов здесь не осталось", "over"),
)
_CLOSED = re.compile(r"№ (\d+)\W[^\n№]{0,120}?(?<!уже )\bзакрыт\b")
_OPENED = re.compile(r"№ (\d+)\W[^\n№]{0,20}?снова открыт\b")


def reason_in(heard: Iterable[Heard]) -> Reason | None:
    """Why something was not done, if one of these messages says so."""
    texts = [each.text for each in heard]
    return next((reason for sign, reason in _SENTENCES if any(sign in text for text in texts)), None)


@dataclass(frozen=True)
class Claim:
    """Somebody was told that something did not happen."""

    reason: Reason
    place: Place
    """Of the member; of the parent who could not be written to."""
    case: int
    at: datetime
    room: Place | None = None
    """The group where it was said."""


class Refusals:
    """Collects what people were told, and judges it when the week is over."""

    def __init__(self, world: World) -> None:
        self.blocks: dict[Place, list[Span]] = {}
        """When whose phone wanted nothing of the bot (`Ear.blocks`)."""
        self._world = world
        self._claims: list[Claim] = []
        self._closed: dict[int, list[Span]] = {}
        self._holders: dict[int, set[Place]] = {}

    def hear(self, heard: Heard, now: datetime) -> None:
        """Whatever is told of a case's end or return is known from now on."""
        for number in _CLOSED.findall(heard.text):
            spans = self._closed.setdefault(int(number), [])
            if not spans or spans[-1].until is not None:
                spans.append(Span(now))
        for number in _OPENED.findall(heard.text):
            for span in self._closed.get(int(number), [])[-1:]:
                # Of a case that was closed a moment ago this may be old news, which came slowly.
                if now - span.since > SLOWLY:
                    span.until = span.until or now

    def holds(self, number: int, place: Place) -> None:
        """This member takes the case or answers it, or tries to."""
        self._holders.setdefault(number, set()).add(place)

    def claim(self, claim: Claim) -> None:
        """Somebody was refused."""
        self._claims.append(claim)

    def counts(self) -> Counter[str]:
        """How many were refused, by reason."""
        return Counter(claim.reason for claim in self._claims)

    def unexplained(self) -> list[Claim]:
        """Those for which the world knows no reason."""
        return [claim for claim in self._claims if not self._is_explained(claim)]

    def was_blocked(self, place: Place, at: datetime) -> bool:
        """Whether the bot could not write there about then."""
        return _covers(self.blocks.get(place, []), at)

    def _is_explained(self, claim: Claim) -> bool:
        case = self._world.cases.get(claim.case)
        if case is not None and self._world.is_forgotten(case.place, claim.at + GRACE):
            return True
        explains: dict[Reason, Callable[[Claim], bool]] = {
            "closed": lambda claim: _covers(self._closed.get(claim.case, []), claim.at),
            "taken": self._is_taken,
            "undelivered": lambda claim: self.was_blocked(claim.place, claim.at),
            "left": self._has_left,
            # Of an incident: whether the parents have their answers is looked at anyhow.
            "over": lambda _: True,
            "no_right": lambda claim: self._is_out_of_reach(claim, claim.place, claim.room),
            "elsewhere": lambda claim: self._is_out_of_reach(claim, claim.room),
        }
        return claim.reason in explains and explains[claim.reason](claim)

    def _has_left(self, claim: Claim) -> bool:
        return all(_may_be_over(seat, claim.at) for seat in self._world.seats.get(claim.place, []))

    def _is_out_of_reach(self, claim: Claim, *places: Place | None) -> bool:
        return not all(self._surely_reads(place, claim) for place in places if place is not None)

    def _is_taken(self, claim: Claim) -> bool:
        if self._holders.get(claim.case, set()) - {claim.place}:
            return True
        case = self._world.cases.get(claim.case)
        return case is not None and any(
            word.author != claim.place and self._world.has_named(case.place, word.to_all_of)
            for word in self._world.answers_to(0)
            if word.to_all_of is not None
        )

    def _surely_reads(self, place: Place, claim: Claim) -> bool:
        """Whether the case was within reach there long before and long after."""
        case = self._world.cases.get(claim.case)
        if case is None:
            return False
        living = [
            stay
            for stay in case.stays
            if stay.since <= claim.at - GRACE and (stay.until is None or stay.until > claim.at + GRACE)
        ]
        # A parent with children in two schools has cases of either: no school is sure to have this one.
        schools = {stay.school for stay in case.stays}
        return any(
            seat.level == "ministry" or (len(schools) == 1 and seat.reaches(stay.school, claim.at))
            for seat in self._world.seats.get(place, [])
            if not _may_be_over(seat, claim.at)
            for stay in living
        )


def _covers(spans: Iterable[Span], at: datetime) -> bool:
    return any(
        span.since - GRACE <= at and (span.until is None or at <= span.until + GRACE) for span in spans
    )


def _may_be_over(seat: Seat, at: datetime) -> bool:
    return seat.until is not None and seat.until - GRACE <= at
