"""Read Russian that was typed in Latin letters: the wrong keyboard layout, or transliteration."""

import re
from collections.abc import Callable, Iterator
from itertools import islice, product

Known = Callable[[str], bool]

_EN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`{}:\"<>~"
_RU = "йцукенгшщзхъфывапролджэячсмитьбюехъжэбюе"
_TO_RUSSIAN = str.maketrans(_EN, _RU)
_TO_LATIN = str.maketrans(_RU[:33], _EN[:33])
_CHUNK = re.compile(r"\S+")
_LATIN = re.compile(r"[a-z]")
_CYRILLIC = re.compile(r"[а-я]")
_LETTERS = re.compile(r"[а-я]+")
_LATIN_RUN = re.compile(r"[a-z']+")
_ENDING = ".,?!)"
_READABLE = 0.5  # share of letters in words that are known after the change; less is another language
_MOST_SPELLINGS = 24  # of one transliterated word
_SHORT = 3  # letters: a shorter word proves nothing about the layout

# Longest first; the first reading is the usual one.
_TRANSLIT: dict[str, tuple[str, ...]] = {
    "shch": ("щ",), "sch": ("щ", "сч"), "tsya": ("тся", "ться"), "tsja": ("тся",), "yo": ("е",),
    "jo": ("е",), "zh": ("ж",), "kh": ("х",), "ts": ("ц", "тс"), "ch": ("ч",), "sh": ("ш", "щ"),
    "yu": ("ю", "ью"), "ju": ("ю", "ью"), "ya": ("я", "ья"), "ja": ("я", "ья"), "ye": ("е", "ье"),
    "je": ("е",), "iy": ("ий",), "ij": ("ий",), "yy": ("ый",), "ay": ("ай",), "ey": ("ей",),
    "oy": ("ой",), "uy": ("уй",), "aj": ("ай",), "ej": ("ей",), "oj": ("ой",), "a": ("а",), "b": ("б",),
    "c": ("ц", "к", "с"), "d": ("д",), "e": ("е", "э"), "f": ("ф",), "g": ("г",), "h": ("х",),
    "i": ("и", "ы"), "j": ("й", "ж"), "k": ("к",), "l": ("л", "ль"), "m": ("м",), "n": ("н", "нь"),
    "o": ("о",), "p": ("п",), "q": ("к",), "r": ("р",), "s": ("с",), "t": ("т", "ть"), "u": ("у", "ю"),
    "v": ("в",), "w": ("в", "ш"), "x": ("х", "кс"), "y": ("ы", "й"), "z": ("з",), "'": ("ь", "ъ"),
}  # fmt: skip
_SHORT_I = ("iy", "ij", "yy", "ay", "ey", "oy", "uy", "aj", "ej", "oj")  # «моя» is mo+ya, not moy+a
_PIECE = re.compile(
    "|".join(
        re.escape(piece) + ("(?![aoue])" if piece in _SHORT_I else "")
        for piece in sorted(_TRANSLIT, key=len, reverse=True)
    )
)


def to_russian(text: str, known: Known, *, latin: frozenset[str]) -> str:
    """Turn Latin words of a cleaned text into the Russian they stand for; `latin` words stay."""
    text = _brands_to_latin(text, known, latin=latin)
    chunks = [chunk for chunk in _CHUNK.findall(text) if _is_foreign(chunk, latin)]
    if not chunks:
        return text
    by_layout = _share_known([flip(chunk, known) for chunk in chunks], known)
    by_translit = _share_known([transliterate(chunk, known) for chunk in chunks], known)
    if max(by_layout, by_translit) < _READABLE:
        return text
    change = flip if by_layout > by_translit else transliterate

    def replace(found: re.Match[str]) -> str:
        chunk = found[0]
        if change is flip and not _CYRILLIC.search(chunk) and chunk not in latin:
            return flip(chunk, known)
        return change(chunk, known) if _is_foreign(chunk, latin) else chunk

    return _CHUNK.sub(replace, text)


def flip(chunk: str, known: Known) -> str:
    """What the keys of a chunk type in the Russian layout; a final comma is a letter if that makes a word."""
    whole = chunk.translate(_TO_RUSSIAN)
    core = chunk.rstrip(_ENDING)
    if core == chunk or known(whole):
        return whole
    return core.translate(_TO_RUSSIAN) + chunk[len(core) :]


def transliterate(chunk: str, known: Known) -> str:
    """The likeliest Russian spelling of each Latin run of a chunk."""
    return _LATIN_RUN.sub(lambda found: _spelling(found[0], known), chunk)


def _spelling(run: str, known: Known) -> str:
    spellings = list(islice(_spellings(run), _MOST_SPELLINGS))
    return next((each for each in spellings if known(each)), spellings[0])


def _spellings(run: str) -> Iterator[str]:
    """Readings with few unusual choices come first."""
    pieces = [_TRANSLIT[piece] for piece in _PIECE.findall(run)]
    yield "".join(piece[0] for piece in pieces)
    for place in reversed(range(len(pieces))):
        for other in pieces[place][1:]:
            yield "".join(other if at == place else piece[0] for at, piece in enumerate(pieces))
    yield from ("".join(chosen) for chosen in product(*pieces))


def _brands_to_latin(text: str, known: Known, *, latin: frozenset[str]) -> str:
    """«втумтшл» is «dnevnik» typed in the Russian layout."""

    def replace(found: re.Match[str]) -> str:
        chunk = found[0]
        if _LATIN.search(chunk) or known(chunk.strip(_ENDING)):
            return chunk
        flipped = chunk.translate(_TO_LATIN)
        names = _LATIN_RUN.findall(flipped)
        return (
            flipped if names and all(name in latin and len(name) >= _SHORT for name in names[:1]) else chunk
        )

    return _CHUNK.sub(replace, text)


def _is_foreign(chunk: str, latin: frozenset[str]) -> bool:
    """A chunk of Latin letters that is neither an address nor a word that is meant in Latin."""
    if not _LATIN.search(chunk) or _CYRILLIC.search(chunk) or "@" in chunk or "://" in chunk:
        return False
    return not all(run in latin for run in _LATIN_RUN.findall(chunk))


def _share_known(chunks: list[str], known: Known) -> float:
    """The share of letters that stand in known words; short words count only when there are no others."""
    found = [word for chunk in chunks for word in _LETTERS.findall(chunk)]
    found = [word for word in found if len(word) >= _SHORT] or found
    letters = sum(map(len, found))
    return sum(len(word) for word in found if known(word)) / letters if letters else 0.0
