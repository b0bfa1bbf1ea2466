"""People by the thousand, who only read: nobody keeps their messages, only how often each was shown."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from tests.emulators.vk_errors import VkError
from tests.emulators.vk_world import DEDUPE_MESSAGES, DEDUPE_TIME


@dataclass(slots=True)
class _Told:
    """What one reader was sent with one random_id."""

    cmid: int
    at: datetime
    times: int = 1


class Crowd:
    """Readers with neighbouring ids, all of whom have allowed messages; as strict as to anybody else.

    What is sent to them makes no `message_reply` events, as in a community where these are not ticked.
    """

    def __init__(self, first: int, count: int) -> None:
        self.peers = range(first, first + count)
        self.refusals: dict[int, int] = {}
        """VK's error for everything sent to a peer."""
        self._cmids = array("L", [0]) * count
        self._told: dict[tuple[int, int], _Told] = {}

    def blocks(self, share: float, *, seed: int, code: int = 901) -> frozenset[int]:
        """This share of them wants no messages any more (error 901, or another); gives who it is."""
        chosen = random.Random(seed).sample(self.peers, round(len(self.peers) * share))
        self.refusals |= dict.fromkeys(chosen, code)
        return frozenset(chosen)

    def shown(self, random_id: int) -> Counter[int]:
        """How often each peer was shown what was sent with this random_id."""
        return Counter({peer: told.times for (peer, key), told in self._told.items() if key == random_id})

    @property
    def messages(self) -> int:
        """How many messages all of them see."""
        return sum(self._cmids)

    def take(self, peer: int, random_id: int, *, now: datetime) -> int:
        """Show a message once and give its number in the dialogue; raises VkError."""
        if peer in self.refusals:
            raise VkError(self.refusals[peer])
        place = peer - self.peers.start
        told = self._told.get((peer, random_id))
        if told is not None and random_id and self._is_recent(told, place, now=now):
            return told.cmid
        self._cmids[place] += 1
        cmid = self._cmids[place]
        if told is None:
            self._told[peer, random_id] = _Told(cmid, now)
        else:
            told.cmid, told.at, told.times = cmid, now, told.times + 1
        return cmid

    def _is_recent(self, told: _Told, place: int, *, now: datetime) -> bool:
        return now - told.at < DEDUPE_TIME and self._cmids[place] - told.cmid < DEDUPE_MESSAGES
