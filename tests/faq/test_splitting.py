"""Several questions of one message are found apart."""

import pytest

from faq.matching.matcher import Matcher
from faq.matching.splitting import MOST, questions


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("код не приходит и ещё как сменить фамилию", ("код не приходить", "и еще как сменить фамилию")),
        ("Не приходит код. Где взять снилс?", ("не приходит код", "где взять снилс")),
        ("забыла пароль, и куда звонить", ("забыла пароль", "и куда звонить")),
        ("не приходит код", ()),
        ("код и пароль", ()),
        ("и ещё не приходит код", ()),
        ("", ()),
    ],
)
def test_a_joint_or_a_sentence_begins_a_piece(
    few_matcher: Matcher, text: str, pieces: tuple[str, ...]
) -> None:
    found = questions(few_matcher.scorer.reader.read(text))

    assert [piece.split()[:2] for piece in found] == [piece.split()[:2] for piece in pieces]


def test_a_story_is_not_a_list_of_questions(few_matcher: Matcher) -> None:
    reader = few_matcher.scorer.reader
    sentences = ["не приходит код", "где взять снилс", "забыла пароль", "ребенка нет в списке"] * 3

    assert len(questions(reader.read(". ".join(sentences[:MOST])))) == MOST
    assert questions(reader.read(". ".join(sentences[: MOST + 1]))) == ()
