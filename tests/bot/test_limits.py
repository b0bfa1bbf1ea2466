"""The pace is kept on our side, so that the messenger need not refuse."""

from __future__ import annotations

from collections import deque

import pytest

from bot.channels.base import Pace
from bot.limits import Pacer
from tests.clock import StoppedClock

ANNA, BORIS, LYCEUM = "17", "18", "-1001"
PACE = Pace(per_second=20, per_chat_interval=1.0, per_group_interval=3.0)


class Sender:
    """Sends when it may, and remembers when that was."""

    def __init__(self, pace: Pace) -> None:
        self.clock = StoppedClock()
        self.pacer = Pacer(pace, self.clock, is_group=lambda chat_id: chat_id.startswith("-"))
        self._began = self.clock.monotonic()
        self.sent: list[tuple[float, int]] = []

    async def sends(self, chat_id: str, *, messages: int = 1) -> float:
        """Send one request; returns the second at which it went."""
        await self.pacer.turn(chat_id, messages=messages)
        second = self.clock.monotonic() - self._began
        self.sent.append((second, messages))
        self.pacer.done(chat_id, messages=messages)
        return round(second, 6)


@pytest.fixture
def sender() -> Sender:
    return Sender(PACE)


async def test_messages_to_one_person_stand_apart(sender: Sender) -> None:
    assert [await sender.sends(ANNA) for _ in range(3)] == [0, 1, 2]


async def test_others_wait_only_for_the_channel(sender: Sender) -> None:
    assert [await sender.sends(chat) for chat in (ANNA, BORIS, LYCEUM)] == [0, 0.05, 0.1]


async def test_messages_to_one_group_stand_further_apart(sender: Sender) -> None:
    assert [await sender.sends(LYCEUM) for _ in range(3)] == [0, 3, 6]


async def test_a_group_counts_each_photo_of_an_album(sender: Sender) -> None:
    assert await sender.sends(LYCEUM) == 0
    assert await sender.sends(LYCEUM, messages=4) == 3 + 9, "the minute before has room for all four"
    assert await sender.sends(LYCEUM) == 12 + 12


async def test_for_a_person_an_album_is_one_message(sender: Sender) -> None:
    assert [await sender.sends(ANNA, messages=4) for _ in range(2)] == [0, 1]


async def test_the_channel_counts_each_photo_of_an_album(sender: Sender) -> None:
    assert await sender.sends(ANNA, messages=10) == 0
    assert await sender.sends(BORIS) == 0.5


async def test_no_minute_of_a_group_holds_more_than_twenty(sender: Sender) -> None:
    for messages in (1, 1, 10, 1, 2, 10, 10, 1, 1, 1, 3, 1) * 5:
        await sender.sends(LYCEUM, messages=messages)
    for start, _ in sender.sent:
        assert sum(count for second, count in sender.sent if start <= second < start + 60 - 1e-6) <= 20


async def test_groups_are_no_slower_where_the_messenger_does_not_say_so() -> None:
    sender = Sender(Pace(per_second=20, per_chat_interval=0.0))
    assert [await sender.sends(LYCEUM, messages=3) for _ in range(3)] == [0, 0.15, 0.3]


async def test_a_channel_asked_to_wait_waits(sender: Sender) -> None:
    sender.pacer.hold(30)
    assert await sender.sends(ANNA) == 30


MESSENGER = Pace(per_second=29.9, per_chat_interval=0.0, most_in_second=30)
THERE_AND_BACK = 0.2
"""Seconds of a request and its answer."""


class Road(StoppedClock):
    """Time in which answers come while somebody waits for something else."""

    def __init__(self) -> None:
        super().__init__()
        self.pacer = Pacer(MESSENGER, self)
        self.answers: deque[float] = deque()

    async def sleep(self, seconds: float) -> None:
        """Let the time pass from answer to answer."""
        until = self.monotonic() + max(seconds, 1e-5)  # less is lost in rounding
        while self.answers and self.answers[0] <= until:
            await super().sleep(self.answers.popleft() - self.monotonic())
            self.pacer.done("")
        await super().sleep(until - self.monotonic())


async def test_a_long_way_to_the_messenger_slows_nobody_down() -> None:
    road = Road()
    began, arrivals = road.monotonic(), []
    for _ in range(1_000):
        await road.pacer.spare_turn()
        assert await road.pacer.chat_turn("")
        arrivals.append(road.monotonic() + THERE_AND_BACK / 2)
        road.answers.append(road.monotonic() + THERE_AND_BACK)
    assert len(arrivals) / (road.monotonic() - began) > 0.97 * 30
    for at in arrivals:
        assert sum(at <= other < at + 1 for other in arrivals) <= 30


async def test_a_request_that_hangs_does_not_hold_up_all_others() -> None:
    sender = Sender(MESSENGER)
    await sender.pacer.turn(ANNA)  # … and no answer comes
    seconds = [await sender.sends(BORIS) for _ in range(60)]
    assert seconds[28] < 1
    assert 5 < seconds[29] < 7, "most likely it has not arrived at all"
    assert seconds[-1] < 9


async def test_an_announcement_is_not_sent_into_the_silence_that_was_asked_for() -> None:
    sender = Sender(MESSENGER)
    began = sender.clock.monotonic()
    await sender.pacer.spare_turn()
    sender.pacer.hold(30)
    assert not await sender.pacer.chat_turn(ANNA)
    await sender.pacer.spare_turn()
    assert await sender.pacer.chat_turn(ANNA)
    assert sender.clock.monotonic() - began >= 30
