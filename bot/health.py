"""How each channel is doing, for the start-up lines, /readyz and the doctor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Health:
    """One channel's state; `trouble` says in Russian what is wrong, None when it works."""

    name: str
    trouble: str | None = None

    def note(self, trouble: str | None) -> None:
        """Hear how it goes."""
        self.trouble = trouble
