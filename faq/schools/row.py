"""One school as a directory tells it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a directory; `code` is the key that another import finds the school by, or empty."""

    name: str
    municipality: str
    kind: str = ""
    aliases: tuple[str, ...] = ()
    code: str = ""
    hours: str = ""
    region: str = ""
