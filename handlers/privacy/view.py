"""The text as the finders read it: lower case, plain digits, one kind of space and dash."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

OPAQUE = "\ue000"
"""Stands where something is hidden already: no value and no context reaches across."""

DIGIT = "[0-9oозбliі|]"
"""A digit or a letter that looks like one: О and O for 0, З for 3, б for 6, l, I and | for 1."""

FIRST = DIGIT + r"(?<![0-9a-z][\s\S])(?:(?<![а-я][\s\S])|(?<=[0-9]))"
"""The first digit of a number; a letter may stand before a digit («код482913»), not before its look-alike.

The digit comes before the looks behind it: so the search can skip to the next one, many times faster.
"""

END = r"(?![0-9a-z])(?:(?![а-я])|(?<=[0-9]))"
"""A number ends here."""

PLACEHOLDER = re.compile(r"\[[А-Яа-я ]{3,30} скрыт[аоы]?\]")
"""What the gate leaves in place of a value."""

_AS_DIGITS = str.maketrans("oозбliі|", "00361111")
_DASHES = "‐‑‒–—―−﹘﹣-"
_INVISIBLE = frozenset({"Mn", "Me", "Cf", "Cc"})
# Ⅰ–ⅿ: each is some Roman figure, which one does not matter.
_ROMAN = dict.fromkeys(map(chr, range(0x2160, 0x2180)), "i")
_ALIKE = dict.fromkeys(_DASHES, "-") | _ROMAN | {"ё": "е", "Ё": "е"}


@dataclass(frozen=True)
class View:
    """`plain` has what the finders compare; `places[i]` is where plain[i] stands in the text."""

    plain: str
    places: Sequence[int]

    @classmethod
    def of(cls, text: str) -> View:
        """Read a text; its placeholders become opaque."""
        text = PLACEHOLDER.sub(lambda found: OPAQUE * len(found[0]), text)
        gone = {letter: None for letter in set(text) if not _plain(letter)}
        places: Sequence[int] = range(len(text))
        if gone:
            places = [place for place, letter in enumerate(text) if letter not in gone]
            text = "".join([text[place] for place in places])
        plain = text.translate({ord(letter): _plain(letter) for letter in set(text)})
        return cls(plain, places)

    def before(self, start: int, length: int) -> str:
        """What stands before a place, back to something hidden."""
        return self.plain[max(0, start - length) : start].rpartition(OPAQUE)[2]

    def after(self, end: int, length: int) -> str:
        """What stands after a place, up to something hidden."""
        return self.plain[end : end + length].partition(OPAQUE)[0]


def digits_of(value: str) -> str:
    """The digits of a value in the plain view, look-alike letters among them."""
    return re.sub("[^0-9]", "", value.translate(_AS_DIGITS))


def mostly_digits(value: str) -> bool:
    """At least half of what reads as digits are digits: «ооо» alone is no number."""
    real = sum(letter.isdigit() for letter in value)
    return 2 * real >= len(digits_of(value))


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    """One character for one character; nothing for what cannot be seen."""
    if letter in " \n" or "a" <= letter <= "z" or "а" <= letter <= "я" or "0" <= letter <= "9":
        return letter
    if letter.isspace():
        return "\n" if letter in "\r\v\f\x85\u2028\u2029" else " "
    if unicodedata.category(letter) in _INVISIBLE:
        return ""
    return _ALIKE.get(letter) or _folded(letter)


def _folded(letter: str) -> str:
    """Digits of any script as ours, wide and fancy letters as plain ones, capitals as small ones."""
    digit = unicodedata.decimal(letter, None)
    if digit is not None:
        return str(digit)
    same = unicodedata.normalize("NFKC", letter)
    low = (same if len(same) == 1 else letter).lower()
    return low if len(low) == 1 else letter
