"""Find the questions of a message that asks several: «код не приходит и ещё как сменить фамилию»."""

from collections.abc import Iterator, Sequence

from faq.matching.reading import Reading

MOST = 4
"""Pieces of a message that are looked at; a letter of more sentences tells a story, it does not ask."""

_SHORTEST = 2  # words: one word is no question of its own
_JOINTS: tuple[tuple[str, ...], ...] = (
    ("и", "еще"),
    ("а", "еще"),
    ("еще", "вопрос"),
    ("и", "также"),
    ("а", "также"),
    ("и", "заодно"),
    ("заодно",),
    ("плюс",),
    ("кроме", "того"),
    ("во", "вторых"),
    ("второе",),
    ("второй", "вопрос"),
    ("и", "второе"),
    ("и", "почему"),
    ("и", "зачем"),
    ("и", "как"),
    ("и", "где"),
    ("и", "куда"),
    ("и", "кому"),
    ("и", "кто"),
    ("и", "сколько"),
    ("и", "когда"),
    ("и", "можно", "ли"),
    ("и", "нужно", "ли"),
    ("и", "надо", "ли"),
    ("и", "обязаны", "ли"),
    ("и", "что"),
    ("и", "надо"),
    ("и", "у"),
    ("и", "если"),
    ("и", "дайте"),
    ("а", "у"),
    ("а", "как"),
    ("а", "теперь"),
)
_BY_FIRST: dict[str, list[tuple[str, ...]]] = {}
for _joint in sorted(_JOINTS, key=len, reverse=True):
    _BY_FIRST.setdefault(_joint[0], []).append(_joint)


def questions(reading: Reading) -> tuple[str, ...]:
    """The pieces that may each be a question, in order; () where the message is one piece or a story."""
    sentences = [part.words for part in reading.parts or (reading.whole,)]
    pieces = [piece for sentence in sentences for piece in _pieces(sentence) if len(piece) >= _SHORTEST]
    return tuple(" ".join(piece) for piece in pieces) if 1 < len(pieces) <= MOST else ()


def _pieces(said: Sequence[str]) -> Iterator[Sequence[str]]:
    """The words between the joints; a joint begins a piece and gives it its asking word."""
    start = 0
    for place in range(1, len(said)):
        if any(tuple(said[place : place + len(joint)]) == joint for joint in _BY_FIRST.get(said[place], ())):
            yield said[start:place]
            start = place
    yield said[start:]
