"""A base of any size, made of the real one: to see what the index costs when many regions fill it."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from faq.content.topic import Base, Topic

_SYLLABLES = ("ба", "ве", "го", "ду", "жи", "за", "ке", "ло", "му", "ни", "пе", "ра", "со", "ту", "фи", "ха")
_OWN_WORDS = 3  # of a topic, which no other has
_OWN_SHARE = 0.7  # of the phrasings that say one of them


def big_base(real: Base, *, topics: int, phrasings: int, seed: int = 1) -> Base:
    """`topics` topics of `phrasings` phrasings: halves of real ones joined anew, with words of their own."""
    sources = [real.topics[slug] for slug in sorted(real.topics)]
    made = (_topic(sources[number % len(sources)], number, phrasings, seed) for number in range(topics))
    return Base(topics={topic.slug: topic for topic in made})


def _topic(source: Topic, number: int, phrasings: int, seed: int) -> Topic:
    random = Random(f"{seed} {number}")
    own = ["".join(random.choices(_SYLLABLES, k=4)) for _ in range(_OWN_WORDS)]
    texts = _phrasings(source, own, random)
    distinct: dict[str, None] = {}
    while len(distinct) < phrasings:
        distinct.setdefault(next(texts))
    return replace(
        source,
        slug=f"{source.slug}-{number}",
        title=f"{source.title} {own[0]}",
        button=f"{source.button} {number}",
        related=(),
        not_here=(),
        phrasings=tuple(distinct),
        answer=replace(source.answer, meaning=f"{source.answer.meaning} {' '.join(own)}"),
    )


def _phrasings(source: Topic, own: list[str], random: Random) -> Iterator[str]:
    while True:
        one, other = (random.choice(source.phrasings).split() for _ in range(2))
        words = one[: max(1, len(one) // 2)] + other[len(other) // 2 :]
        if random.random() < _OWN_SHARE:
            words.insert(random.randint(0, len(words)), random.choice(own))
        yield " ".join(words)
