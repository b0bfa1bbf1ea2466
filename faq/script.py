"""Read Russian that was typed in Latin letters: the wrong keyboard layout, or transliteration."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from faq.text import START, Place, follow, is_word


class Vocabulary(Protocol):
    """What is asked about a Russian word."""

    def knows(self, word: str) -> bool:
        """The base or the dictionary has the word."""

    def times(self, word: str) -> int:
        """How often the base has it."""

    def begins(self, start: str) -> bool:
        """Some word of the base begins so."""

    def resembles(self, word: str) -> bool:
        """The word may be a typo of one that the base has."""


Read = TypeVar("Read")


class Remembering(Generic[Read]):
    """A slow function of a word that remembers what it said; pickled without its memory."""

    def __init__(self, of_word: Callable[[str], Read]) -> None:
        self._of_word = of_word
        self._remembered = lru_cache(maxsize=_REMEMBERED)(of_word)

    def __call__(self, word: str) -> Read:
        """What the function says of the word."""
        return self._remembered(word)

    def __reduce__(self) -> tuple[Any, ...]:
        return Remembering, (self._of_word,)


_REMEMBERED = 20_000  # words; a parent's word is some 100 bytes
_EN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`{}:\"<>~"
_RU = "йцукенгшщзхъфывапролджэячсмитьбюехъжэбюе"
# With the signs that have other keys in the other layout: a Russian comma is typed by the key of «?».
_TO_RUSSIAN = str.maketrans(_EN + "/?&$^#@|", _RU + '.,?;:№"/')
_TO_LATIN = str.maketrans(_RU[:33], _EN[:33])
_CHUNK = re.compile(r"\S+")
_LATIN = re.compile(r"[a-z]")
_CYRILLIC = re.compile(r"[а-я]")
_LETTERS = re.compile(r"[а-я]+")
_NAME = re.compile(r"[a-z]+")
_LONG_NAME = re.compile(r"[^\s0-9]{3}")
_ADDRESS = re.compile(
    r"[a-z0-9]@[^\s@]{1,60}\.[a-z]|://|www\.|[a-z0-9]\.(?:ru|com|net|org|me|su|app)(?:[/.,!?)»]|$)"
)
_EDGES = re.compile(r"([\"'(\[{<«`]*)(.*?)([.,!?:;\"'\]}>)/&»]*)", re.DOTALL)
_MOST_EDGES = 3  # signs at the end of a chunk that may be letters
_UNRUSSIAN = re.compile(r"\b[ьъы]|[бвгджзйклмнпрстфхцчшщьъ]{6}|[ауыюя]{4}|[ьъ]{2}|[ьъ][аоыуэ]")
_READABLE = 0.5  # share of letters in words that are known after the change; less is another language
_ONLY_IN_DICTIONARY = 0.9  # worth of a known word that the base never has
_REPAIRABLE = 0.7  # worth of a word that only looks like a typo of a known one
_SHORT = 3  # letters: a shorter word proves nothing about the layout
_LONG = 5  # letters: such a word is no Russian one by chance
_LONGEST = 40  # letters of a word

# Latin letters in the ways that people use them for Russian; the first reading is the usual one, those after
# each blank are less so.
_TRANSLIT = {
    "a": "а", "b": "б", "c": "ц|к с ч", "d": "д дь", "e": "е э", "f": "ф", "g": "г ж", "h": "х",
    "i": "и ы|й ий|ый", "j": "й ж дж|ь", "k": "к", "l": "л ль", "m": "м мь", "n": "н нь", "o": "о", "p": "п",
    "q": "к", "r": "р рь", "s": "с сь ш", "t": "т ть", "u": "у ю", "v": "в вь", "w": "ш|в щ шь", "x": "х кс",
    "y": "ы|й ий|ый у", "z": "з ж зь", "'": "ь ъ|-", "''": "ъ|ь", "4": "ч чь", "6": "ш шь", "3": "з",
    "sh": "ш щ шь", "ch": "ч чь", "zh": "ж жь", "kh": "х", "ts": "ц", "tc": "ц", "cz": "ц", "sch": "щ|сч",
    "shch": "щ", "shh": "щ", "w'": "щ", "ck": "к", "sc": "щ ск", "ya": "я ья|ъя ыя", "ja": "я жа|ья|ъя",
    "ia": "я|ия ья|иа", "yu": "ю ью", "ju": "ю жу|ью", "iu": "ю|ию ью|иу", "yo": "е|ье ыо", "jo": "е жо|ье",
    "io": "е ио|ие", "ye": "е|ье|ъе|ые", "je": "е же|ье|ъе", "ie": "ие ье|е", "iy": "ий|ый", "ij": "ий|ый",
    "ii": "ий|ии|ый", "yi": "ый ьи", "yy": "ый", "yj": "ый", "y'": "ы", "e'": "э", "ph": "ф", "ee": "ее",
    "ay": "ай", "ey": "ей", "oy": "ой", "uy": "уй", "ai": "ай|аи", "ei": "ей|еи", "oi": "ой|ои",
    "ui": "уй|уи", "ji": "жи йи",
}  # fmt: skip
_READINGS = {
    piece: tuple(
        (letters.replace("-", ""), level / 2)
        for level, equal in enumerate(listed.split())
        for letters in equal.split("|")
    )
    for piece, listed in _TRANSLIT.items()
}
_LONGEST_PIECE = max(map(len, _READINGS))
_RUN = re.compile(r"(?<![a-z0-9])[a-z346'’`]*[a-z][a-z346'’`]*(?![a-z0-9])|[a-z'’`]*[a-z][a-z'’`]*")
_SPLIT = re.compile(r"[aeiouy][yj][aoue]")
_DIGIT = re.compile(r"[0-9]")
_DIGIT_WITHIN = re.compile(r"[a-z][0-9][a-z]")
_ONE_MORE_TIME = 0.35  # of an unusual choice: what a word's doubled number in the base is worth
_MOST_STEPS = 4_000  # of the search for one word's spellings


class Script:
    """Finds and undoes wrong layout and transliteration, knowing the words of one base."""

    def __init__(
        self, words: Vocabulary, *, latin: frozenset[str], english: frozenset[str] = frozenset()
    ) -> None:
        self._words = words
        self._latin = latin | english
        self._english = english
        self._spelling = Remembering(self._spell)

    def from_wrong_layout(self, text: str) -> str:
        """Turn what was typed in the wrong keyboard layout into what was meant."""
        text = _CHUNK.sub(lambda found: self._to_latin(found[0]), text)
        chunks = [chunk for chunk in _CHUNK.findall(text) if self._is_foreign(chunk)]
        if not chunks or (_CYRILLIC.search(text) and not any(map(_LONG_NAME.search, chunks))):
            return text
        flipped = self._share_known(map(self._flip, chunks))
        if flipped < _READABLE or flipped <= self._share_known(map(self._transliterate, chunks)):
            return text
        last = len(text.rstrip(".!?) "))

        def replace(found: re.Match[str]) -> str:
            chunk = found[0]
            # In such a message «e» is «у», but «id» is no «шв».
            if not _LATIN.search(chunk) or (not self._is_foreign(chunk) and len(chunk) > 1):
                return chunk
            russian = self._flip(chunk)
            if _UNRUSSIAN.search(russian) and not self._all_known(russian):
                return chunk
            # The last sign of a message is what it looks like.
            return russian[:-1] + chunk[-1] if found.end() > last and chunk[-1] in "?" else russian

        return _CHUNK.sub(replace, text)

    def from_translit(self, text: str) -> str:
        """Turn Russian in Latin letters into Cyrillic."""
        chunks = [chunk for chunk in _CHUNK.findall(text) if self._is_foreign(chunk)]
        if not chunks or self._is_english(text):
            return text
        if self._share_known(map(self._transliterate, chunks)) < _READABLE:
            return text

        def replace(found: re.Match[str]) -> str:
            # Among Russian words «internet» and «invalid» are Russian too.
            meant = self._is_foreign(found[0]) or (found[0] in self._english and self._is_usual(found[0]))
            return self._transliterate(found[0]) if meant else found[0]

        return _CHUNK.sub(replace, text)

    def _flip(self, chunk: str) -> str:
        """What the keys type in the Russian layout; signs at the edges are letters if that makes a word."""
        readings = _flipped(chunk)
        if len(readings) == 1:
            return readings[0]
        known = next(filter(self._all_known, readings), None)
        if known is not None:
            return known
        resembles = self._words.resembles
        repairable = (each for each in readings if all(map(resembles, _LETTERS.findall(each))))
        return next(repairable, None) or _usual_flip(chunk)

    def _transliterate(self, chunk: str) -> str:
        """The likeliest Russian spelling of each Latin run of a chunk."""
        return _RUN.sub(lambda found: self._spelling(found[0].replace("’", "'").replace("`", "'")), chunk)

    def _to_latin(self, chunk: str) -> str:
        """«втумтшл» is «dnevnik» typed in the Russian layout; other chunks stay."""
        if _LATIN.search(chunk) or not _CYRILLIC.search(chunk):
            return chunk
        if all(len(word) < _SHORT or self._words.knows(word) for word in _LETTERS.findall(chunk)):
            return chunk
        before, core, after = _parted(chunk)
        flipped = core.translate(_TO_LATIN)
        names = _NAME.findall(flipped)
        if not names:
            return chunk
        is_name = names[0] in self._latin and len(names[0]) >= _SHORT
        meant = is_name or self._is_translit_of_known(flipped)
        return before + flipped + after if meant else chunk

    def _is_translit_of_known(self, flipped: str) -> bool:
        """«зфкщд» are the keys of «parol»: too long to be a word of the base by chance."""
        return len(flipped) >= _LONG and flipped.isalpha() and self._is_usual(flipped)

    def _is_usual(self, run: str) -> bool:
        """The base has what the run spells."""
        return self._words.times(self._spelling(run)) > 0

    def _spell(self, run: str) -> str:
        """The best of the known words that a Latin run may spell, or else its usual reading."""
        if len(run) > _LONGEST:
            return run
        found = _known_spellings(run, self._words)
        if found:
            return min(found, key=lambda each: (found[each] - self._bonus(each), each))
        if _DIGIT.search(run) and not _DIGIT_WITHIN.search(run):  # «4g» or «6a»: no letter after all
            return run
        return _usual_spelling(run)

    def _bonus(self, word: str) -> float:
        return _ONE_MORE_TIME * self._words.times(word).bit_length()

    def _is_foreign(self, chunk: str) -> bool:
        """A chunk of Latin letters that is neither an address nor a word that is meant in Latin."""
        if not _LATIN.search(chunk) or _CYRILLIC.search(chunk) or _ADDRESS.search(chunk):
            return False
        return not all(run in self._latin for run in _NAME.findall(chunk))

    def _is_english(self, text: str) -> bool:
        names = _NAME.findall(text)
        return 2 * sum(name in self._english for name in names) >= len(names)

    def _all_known(self, text: str) -> bool:
        return all(map(self._words.knows, _LETTERS.findall(text)))

    def _share_known(self, chunks: Iterable[str]) -> float:
        """The share of letters that stand in known words; short words count only when alone."""
        found = [word for chunk in chunks for word in _LETTERS.findall(chunk)]
        found = [word for word in found if len(word) >= _SHORT] or found
        letters = sum(map(len, found))
        return sum(len(word) * self._worth(word) for word in found) / letters if letters else 0.0

    def _worth(self, word: str) -> float:
        if self._words.times(word):
            return 1.0
        if self._words.knows(word):  # the dictionary has even «лытдыбр»
            return _ONLY_IN_DICTIONARY
        return _REPAIRABLE if self._words.resembles(word) else 0.0


def _usual_flip(chunk: str) -> str:
    """Signs before are letters, signs after are signs."""
    before, core, after = _parted(chunk)
    return (before + core).translate(_TO_RUSSIAN) + after


def _flipped(chunk: str) -> list[str]:
    """Readings of a chunk with more or fewer signs at its edges as letters: first all."""
    before, core, after = _parted(chunk)
    ends = range(max(0, len(after) - _MOST_EDGES), len(after) + 1)
    readings = [
        before[:start] + (before[start:] + core + after[:end]).translate(_TO_RUSSIAN) + after[end:]
        for start in range(len(before[:_MOST_EDGES]) + 1)
        for end in reversed(ends)
    ]
    if "." in core:  # the dot of an address
        readings.append(before + ".".join(each.translate(_TO_RUSSIAN) for each in core.split(".")) + after)
    return list(dict.fromkeys(readings))


def _parted(chunk: str) -> tuple[str, str, str]:
    """Signs before, the core, signs after."""
    parted = _EDGES.fullmatch(chunk)
    return (parted[1], parted[2], parted[3]) if parted else ("", chunk, "")


def _known_spellings(run: str, words: Vocabulary) -> dict[str, float]:
    """Known words that the run may spell, each with the number of unusual choices."""
    found: dict[str, float] = {}
    if _DIGIT.search(run) and len(run) < _SHORT:
        return found
    todo: list[tuple[int, str, float, bool, Place]] = [(0, "", 0.0, True, START)]
    for _ in range(_MOST_STEPS):
        if not todo:
            break
        at, said, cost, in_base, place = todo.pop()
        if at == len(run):
            if words.times(said) or is_word(place):
                found[said] = min(cost, found.get(said, cost))
            continue
        for length, letters, odd in _choices(run, at):
            base = in_base and words.begins(said + letters)
            there = follow(place, letters) if place else place
            if base or there:
                todo.append((at + length, said + letters, cost + odd, base, there))
    return found


def _choices(run: str, at: int) -> Iterator[tuple[int, str, float]]:
    """How the next letters may be read: how many, as what, and how unusual that is."""
    longest = 0
    for length in range(min(_LONGEST_PIECE, len(run) - at), 0, -1):
        readings = _READINGS.get(run[at : at + length])
        if readings:
            longest = longest or length
            for letters, odd in readings:
                yield length, letters, odd + (length < longest)


def _usual_spelling(run: str) -> str:
    said = ""
    at = 0
    while at < len(run):
        # «moya» is mo+ya, not moy+a.
        choices = (each for each in _choices(run, at) if each[0] == 1 or not _SPLIT.match(run, at))
        length, letters, _ = next(choices, (1, "", 0.0))
        said += letters
        at += length
    return said
