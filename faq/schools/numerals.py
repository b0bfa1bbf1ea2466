"""Numbers in words, as schools are numbered: «пятая», «двадцать второй», «номер семнадцать»."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

_ADJECTIVE = "ый ой ий ая ое ую ого ому ым ом ей"
_SOFT = "ий ья ье ью ьего ьему ьим ьем ьей"
_ORDINALS = {
    "перв": 1, "втор": 2, "трет": 3, "четверт": 4, "пят": 5, "шест": 6, "седьм": 7, "восьм": 8, "девят": 9,
    "десят": 10, "одиннадцат": 11, "двенадцат": 12, "тринадцат": 13, "четырнадцат": 14, "пятнадцат": 15,
    "шестнадцат": 16, "семнадцат": 17, "восемнадцат": 18, "девятнадцат": 19, "двадцат": 20, "тридцат": 30,
    "сороков": 40, "пятидесят": 50, "шестидесят": 60, "семидесят": 70, "восьмидесят": 80, "девяност": 90,
    "сот": 100,
}  # fmt: skip
_CARDINALS = {
    "один": 1, "два": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7, "восемь": 8, "девять": 9,
    "десять": 10, "одиннадцать": 11, "двенадцать": 12, "тринадцать": 13, "четырнадцать": 14, "пятнадцать": 15,
    "шестнадцать": 16, "семнадцать": 17, "восемнадцать": 18, "девятнадцать": 19, "двадцать": 20,
    "тридцать": 30, "сорок": 40, "пятьдесят": 50, "шестьдесят": 60, "семьдесят": 70, "восемьдесят": 80,
    "девяносто": 90, "сто": 100,
}  # fmt: skip
_HUNDRED, _TEN, _TWENTY = 100, 10, 20


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in words; a cardinal counts («два ребёнка») as often as it numbers («школа два»)."""

    value: int
    is_cardinal: bool


@cache
def numerals() -> Mapping[str, Numeral]:
    """Every numeral of one word, ordinals in all cases."""
    ordinals = {
        f"{begun}{ending}": Numeral(value, is_cardinal=False)
        for begun, value in _ORDINALS.items()
        for ending in (_SOFT if begun == "трет" else _ADJECTIVE).split()
    }
    return ordinals | {word: Numeral(value, is_cardinal=True) for word, value in _CARDINALS.items()}


def may_go_on(before: int, after: int) -> bool:
    """«двадцать» and «вторая» are one number, and so are «сто» and «двадцать»; «пять» and «два» are not."""
    if before == _HUNDRED:
        return after < _HUNDRED
    return before >= _TWENTY and before % _TEN == 0 and after < _TEN


def split_glued(word: str) -> tuple[str, str] | None:
    """«двадцатьвосьмая» as two numerals."""
    for first, value in _CARDINALS.items():
        rest = numerals().get(word.removeprefix(first)) if word.startswith(first) else None
        if rest is not None and may_go_on(value, rest.value):
            return first, word.removeprefix(first)
    return None
