"""What the bot remembers of a talk between two messages; a row in the database, the same on every channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Step = Literal["", "field", "school"]


@dataclass
class DialogState:
    """Mutable within one turn, saved at its end."""

    step: Step = ""
    """What the next message tells: `field` a line of the card, `school` the school of the question."""
    school_doubted: bool = False
    """What was said instead of a school read like a question: the next words are taken as they are."""
    reason: str = ""
    """Why a human was called, while the school is being asked."""
    topic: str = ""
    """The answer shown last; of several shown together the first."""
    corrected: str = ""
    """The answer that a message had got before it was corrected: the same is not given twice."""
    tried: tuple[str, ...] = ()
    """All answers shown since the last solved question."""
    offered: tuple[str, ...] = ()
    """What the clarifying questions just asked offered: to offer the same again would annoy."""
    asked_back: int = 0
    """Clarifying questions in a row."""
    rephrased: bool = False
    """The person was asked to say it in other words."""
    foreign: bool = False
    """The person was told that the matter is not ours: the second time in a row fewer words do."""
    words_asked: bool = False
    """The person was asked to type what a screenshot says; it is not asked twice."""
    walk: dict[str, Any] = field(default_factory=dict)
    """Where the person stands in the diagnosis (`faq.diagnosis.tree.Walk`); empty before the first step."""
    asking: str = ""
    """The diagnosis question that waits for a tap; empty at an end of the walk."""
    error: str = ""
    """The error text that was recognised last, as a screen shows it."""
    request: dict[str, Any] = field(default_factory=dict)
    """The card that is being filled for the school (`handlers.parents.intake`)."""
    school_id: int = 0
    """The school named last, or of the poster that brought the person here; it is offered next time."""
    school_typed: str = ""
    """What was said when the school was asked, while it is not clear which school is meant."""
    school_missed: bool = False
    """No school was found by those words: the next ones are taken as they are."""
    reopened: dict[str, Any] = field(default_factory=dict)
    """What a message after closing has changed, until it is certain that it was about the same matter
    (`handlers.parents.reopening`)."""
    photos_asked: int = 0
    """The number of the message that asked whether the personal data on photos are covered."""
    photos_first: int = 0
    """The oldest file that was asked about there."""
    photos_last: int = 0
    """The newest one: what has a greater number has not been asked about yet."""
    photos_reminded: bool = False
    """The person was reminded of that question."""
    held_since: str = ""
    """Since when messages are only kept because too many came (`handlers.parents.flood`); empty: not now."""
    held_first: int = 0
    """No message with a smaller number is among them."""
    held_masked: bool = False
    """The person was told that personal data in them were hidden."""
    ban_told: str = ""
    """When a banned person was last told where to go (`handlers.parents.banned`)."""

    def show(self, first: str, *others: str) -> None:
        """Note that answers were shown together; the first is the one that is asked about."""
        shown = (first, *others)
        self.topic = first
        self.tried = (*(each for each in self.tried if each not in shown), *shown)[-10:]
        self.understood()

    def understood(self) -> None:
        """The person got through to us: start counting misunderstandings anew."""
        self.rephrased = self.foreign = False
        self.stop_asking_back()

    def ask_back(self, offered: Iterable[str]) -> None:
        """Note a clarifying question."""
        self.offered = tuple(dict.fromkeys((*self.offered, *offered)))
        self.asked_back += 1

    def stop_asking_back(self) -> None:
        """The next clarifying question is the first one."""
        self.offered, self.asked_back = (), 0

    def forget_typed_school(self) -> None:
        """Nothing that was said of a school counts any more."""
        self.school_typed = ""
        self.school_missed = False

    def end_walk(self) -> None:
        """The trouble is solved, or in people's hands."""
        self.walk, self.request = {}, {}
        self.asking = self.error = ""

    def to_plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> DialogState:
        """Read back; what an older or newer version wrote and we do not know is left out."""
        known = {each.name for each in fields(cls)}
        values = {key: value for key, value in plain.items() if key in known}
        for key in ("tried", "offered"):
            if key in values:
                values[key] = tuple(values[key])
        return cls(**values)
