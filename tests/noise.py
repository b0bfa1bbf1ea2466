"""How parents mistype: noise over well-typed Russian, the same for the same text and seed."""

import re
from collections.abc import Callable
from random import Random

_RU = "йцукенгшщзхъфывапролджэячсмитьбюё"
_EN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_RU_CAPITAL = _RU.upper()
_EN_CAPITAL = 'QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>~'
# The same keys with and without Shift: a Russian comma is typed by the key of «?».
_KEYS = str.maketrans(_RU + _RU_CAPITAL + '.,?;:№"«»—–', _EN + _EN_CAPITAL + "/?&$^#@@@--")

_ROWS = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_WORD = re.compile(r"[а-яёА-ЯЁ]+")
_GLUED = re.compile(r"\b([Нн]е) (?=[а-яё]{4})")
_MISTYPED_FROM = 4  # letters

# Each person keeps to one way for a letter; the first is the commonest.
_PLAIN = dict(zip("абвгдезиклмнопрстуфэ", "abvgdeziklmnoprstufe", strict=True))
_WAYS: dict[str, tuple[str, ...]] = {
    "ё": ("e", "yo", "jo", "e"),
    "ж": ("zh", "j", "zh"),
    "й": ("y", "j", "i"),
    "х": ("h", "kh", "x", "h"),
    "ц": ("c", "ts"),
    "ч": ("ch", "ch", "4"),
    "ш": ("sh", "sh", "w", "6"),
    "щ": ("sch", "shch", "sh", "w", "shh"),
    "ъ": ("", "'"),
    "ы": ("y", "i", "y"),
    "ь": ("", "'"),
    "ю": ("yu", "ju", "iu"),
    "я": ("ya", "ja", "ia"),
    "ый": ("iy", "yj", "y", "ii", "yy"),
    "ий": ("iy", "ij", "y", "ii", "i"),
}
_PIECE = re.compile("ый|ий|[а-яё]")


def wrong_layout(text: str) -> str:
    """The same keys pressed in the English layout; Latin letters and digits stay."""
    return text.translate(_KEYS)


def translit(text: str, *, seed: int) -> str:
    """The text in Latin letters, in the way of one of many people."""
    random = Random(f"translit {seed} {text}")
    ways = _PLAIN | {letter: random.choice(listed) for letter, listed in _WAYS.items()}
    if ways["ш"] == ways["щ"] == "w":
        ways["щ"] = "sch"

    def spell(found: re.Match[str]) -> str:
        word = found[0]
        latin = _PIECE.sub(lambda piece: ways[piece[0]], word.lower())
        return latin.capitalize() if word[0].isupper() else latin

    return _WORD.sub(spell, text)


def typos(text: str, *, seed: int, share: float = 0.3) -> str:
    """One slip in `share` of the words of four letters and more, and in one of them at least."""
    random = Random(f"typos {seed} {share} {text}")
    long = [found.span() for found in _WORD.finditer(text) if len(found[0]) >= _MISTYPED_FROM]
    if not long:
        return text
    chosen = random.sample(long, k=min(len(long), max(1, round(share * len(long)))))
    for start, end in sorted(chosen, reverse=True):
        text = text[:start] + _mistyped(text[start:end], random) + text[end:]
    if random.random() < share:
        text = _GLUED.sub(r"\1", text, count=1)
    return text


def voice(text: str) -> str:
    """As a phone writes down what it hears: lower case and no signs but the dash inside a word."""
    return " ".join(re.sub(r"[^\w\s-]|(?<!\w)-|-(?!\w)|_", " ", text.lower()).split())


def _mistyped(word: str, random: Random) -> str:
    if word.lower().endswith("ться"):
        return word[:-3] + "ся"
    if word.lower().endswith("тся") and random.random() < 1 / 2:
        return word[:-2] + "ься"
    slip: Callable[[str, int, Random], str] = random.choice((_adjacent, _doubled, _missing, _swapped))
    # People seldom miss the first letter.
    mistyped = slip(word, random.randrange(1, len(word) - 1), random)
    return mistyped if mistyped != word else _doubled(word, 1, random)


def _adjacent(word: str, place: int, random: Random) -> str:
    letter = word[place].lower()
    row = next((each for each in _ROWS if letter in each), letter)
    at = row.index(letter)
    return (
        word[:place]
        + random.choice(row[max(at - 1, 0) : at] + row[at + 1 : at + 2] or letter)
        + word[place + 1 :]
    )


def _doubled(word: str, place: int, _random: Random) -> str:
    return word[:place] + word[place] + word[place:]


def _missing(word: str, place: int, _random: Random) -> str:
    return word[:place] + word[place + 1 :]


def _swapped(word: str, place: int, _random: Random) -> str:
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
