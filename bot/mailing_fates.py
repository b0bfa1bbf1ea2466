"""What becomes of the readers of one batch of an announcement, by what the messenger answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.channels.base import (
    Closed,
    FetchError,
    Moved,
    NotSent,
    SendError,
    SlowDown,
    Unfinished,
    Unreachable,
)
from handlers.campaigns.telling import Refusal
from storage.campaigns.campaign import Reader

LONGEST_PAUSE_SECONDS = 60.0
CLOSED_SECONDS = 60.0
"""How often a channel is tried that somebody has to mend first."""
FILE_TRIES = 4
"""To get at the picture of an announcement; then people are told that it is not there."""
GIVE_UP_ATTEMPTS = 30
"""So many answers 5xx for one reader are no accident."""


class Stopped(SendError):
    """People have held the launch meanwhile: nothing was sent."""


@dataclass
class Fates:
    """What became of the readers of one batch."""

    waiting: dict[str, Reader]
    """By chat: nobody has said anything of them yet, or they wait for the next piece."""
    drops_repeats: bool
    """Whether the messenger shows nobody the same request twice."""
    told: dict[int, str] = field(default_factory=dict)
    """By reader: the messenger's numbers of the messages."""
    refused: list[Refusal] = field(default_factory=list)
    again: list[Reader] = field(default_factory=list)
    repeated: list[Reader] = field(default_factory=list)
    """Perhaps told; the messenger will not show it twice."""
    doubtful: list[Reader] = field(default_factory=list)
    moved: list[tuple[Reader, str]] = field(default_factory=list)
    uncounted: list[Reader] = field(default_factory=list)
    """Those whose attempt was none: the messenger took nothing from anybody."""
    pause: float = 0.0
    """Seconds after which those who are tried again are due."""
    trouble: str = ""
    """Why they are to be tried again, or in doubt."""
    held: float = 0.0
    """Seconds for which the messenger wants silence."""
    lacks_file: bool = False
    """What the announcement bears cannot be had."""
    closed: bool = False
    """The channel cannot be used until somebody mends it."""

    def note(self, reader: Reader, number: str) -> None:
        """A piece has arrived."""
        self.told[reader.id] = ",".join(filter(None, [self.told.get(reader.id), number]))

    def sort_all(self, answer: SendError) -> None:
        """The answer is for everybody of whom nothing was said yet."""
        for reader in list(self.waiting.values()):
            self.sort(reader, answer)

    def sort(self, reader: Reader, answer: SendError) -> None:
        """Note what an answer means for this reader, whom nothing more is sent."""
        self.waiting.pop(reader.chat_id, None)
        has_begun = self.told.pop(reader.id, None) is not None
        match answer:
            case Unreachable():
                self.refused.append(Refusal(reader, answer.reason, str(answer)))
            case Moved():
                self.moved.append((reader, answer.chat_id))
            case Stopped():
                self._put_back(reader, is_doubtful=has_begun)
                self.uncounted.append(reader)
            case SlowDown():
                self._put_back(reader, is_doubtful=has_begun)
                self.uncounted.append(reader)
                self.held = max(self.held, answer.seconds)
                self.pause, self.trouble = self.held, str(answer)
            case NotSent() if reader.attempts >= GIVE_UP_ATTEMPTS:
                self.refused.append(Refusal(reader, "gave_up", str(answer)))
            case NotSent():
                self._put_back(reader, is_doubtful=has_begun)
                self.pause, self.trouble = _pause_after([reader]), str(answer)
            case Closed():
                self._put_back(reader, is_doubtful=has_begun)
                self.uncounted.append(reader)
                self.pause, self.trouble, self.closed = CLOSED_SECONDS, str(answer), True
            case Unfinished() if self.drops_repeats:
                self.repeated.append(reader)
                self.pause, self.trouble = _pause_after([reader]), str(answer)
            case Unfinished():
                self.doubtful.append(reader)
                self.trouble = str(answer)
            case _:
                self.refused.append(Refusal(reader, "rejected", str(answer)))

    def lack_file(self, error: FetchError) -> None:
        """Nothing was sent to anybody: the picture could not be had."""
        self.again, self.trouble = list(self.waiting.values()), str(error)
        self.pause = _pause_after(self.again)
        self.lacks_file = max(reader.attempts for reader in self.again) >= FILE_TRIES

    def _put_back(self, reader: Reader, *, is_doubtful: bool) -> None:
        """Later; who was shown a beginning is in doubt: it must not be shown anew once that is forgotten."""
        (self.repeated if is_doubtful else self.again).append(reader)


def _pause_after(those: Sequence[Reader]) -> float:
    return min(2.0 ** max(reader.attempts for reader in those), LONGEST_PAUSE_SECONDS)
