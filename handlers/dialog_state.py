"""What the bot remembers of a talk between two messages; a row in the database, the same on every channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Step = Literal["", "school"]


@dataclass
class DialogState:
    """Mutable within one turn, saved at its end."""

    step: Step = ""
    """`school`: the next message names the school of the question."""
    school_doubted: bool = False
    """What was said instead of a school read like a question: the next words are taken as they are."""
    reason: str = ""
    """Why a human was called, while the school is being asked."""
    topic: str = ""
    """The answer shown last."""
    tried: tuple[str, ...] = ()
    """All answers shown since the last solved question."""
    clarified: bool = False
    """The last reply was a clarifying question: a second one in a row would annoy."""
    rephrased: bool = False
    """The person was asked to say it in other words."""

    def show(self, slug: str) -> None:
        """Note that an answer was shown."""
        self.topic = slug
        self.tried = (*(each for each in self.tried if each != slug), slug)[-10:]
        self.understood()

    def understood(self) -> None:
        """The person got through to us: start counting misunderstandings anew."""
        self.clarified = self.rephrased = False

    def to_plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> DialogState:
        """Read back; what an older or newer version wrote and we do not know is left out."""
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in plain.items() if key in known}
        if "tried" in values:
            values["tried"] = tuple(values["tried"])
        return cls(**values)
