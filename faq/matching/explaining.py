"""How a decision came about: what each stage made of the message, and what spoke for which topic."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from faq.matching.deciding import DIGITS, is_ours_but_vague, is_vague
from faq.matching.fitting import Doubles
from faq.matching.matcher import Candidate, Decision, Matcher, Weighed
from faq.matching.scoring import SEMANTIC
from faq.text import small_talk

_WORDS_SHOWN = 8  # a letter has hundreds of words, the first few decide
_WORDS_TRIED = 40  # of a message, each left out once
_PHRASINGS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """What spoke for one topic, strongest first.

    A signal is (name, value, contribution to the topic's score), a phrasing (text, similarity 0…1), a word
    (word, how much it adds; below zero it speaks against).
    """

    slug: str
    chance: float
    signals: tuple[tuple[str, float, float], ...] = ()
    phrasings: tuple[tuple[str, float], ...] = ()
    words: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every stage of one decision.

    A stage is (what was done, the text after it). `right` is the chance that the best topic is right, which
    must reach `answer_from`; `inside` that any topic is meant, which must not be under `unknown_below`.
    """

    stages: tuple[tuple[str, str], ...]
    candidates: tuple[CandidateReport, ...]
    right: float
    inside: float
    answer_from: float
    unknown_below: float
    notes: tuple[str, ...]
    decision: Decision


def explain(matcher: Matcher, text: str) -> Explanation:
    """Decide about a message and tell how."""
    decision = matcher.match(text)
    reader = matcher.scorer.reader
    whole = reader.read(text).whole
    weighed = matcher.weigh(whole)
    judging = matcher.thresholds.of(weighed.evidence.signals)
    words = _words(matcher, weighed) if decision.candidates else {}
    return Explanation(
        stages=tuple((stage.step, stage.text) for stage in reader.explain(text)),
        candidates=tuple(_report(matcher, weighed, each, words) for each in decision.candidates),
        right=weighed.verdict.right,
        inside=weighed.verdict.inside,
        answer_from=judging.answer_from,
        unknown_below=judging.unknown_below,
        notes=tuple(_notes(matcher, weighed, decision, text=text)),
        decision=decision,
    )


def _report(
    matcher: Matcher, weighed: Weighed, candidate: Candidate, words: Mapping[str, Doubles]
) -> CandidateReport:
    number = matcher.scorer.slugs.index(candidate.slug)
    values, contributions = weighed.evidence.table[number], weighed.verdict.scores[number]
    signals = zip(weighed.evidence.signals, values.tolist(), contributions.tolist(), strict=True)
    said = [(word, float(gained[number])) for word, gained in words.items()]
    return CandidateReport(
        slug=candidate.slug,
        chance=candidate.score,
        signals=tuple(sorted(signals, key=lambda each: -each[2])),
        phrasings=tuple(_nearest(matcher, weighed, candidate.slug)),
        words=tuple(sorted(said, key=lambda each: -each[1])),
    )


def _nearest(matcher: Matcher, weighed: Weighed, slug: str) -> Iterator[tuple[str, float]]:
    samples, similar = matcher.scorer.samples, weighed.evidence.similar
    own = [number for number, sample in enumerate(samples) if sample.slug == slug]
    for number in sorted(own, key=lambda each: -similar[each])[:_PHRASINGS_SHOWN]:
        yield samples[number].text, float(similar[number])


def _words(matcher: Matcher, weighed: Weighed) -> dict[str, Doubles]:
    """What each word adds to the score of each class: what is lost without it."""
    said = weighed.part.words[:_WORDS_TRIED]
    judged = matcher.weigh(weighed.part, lexical_only=True).verdict.scores.sum(axis=1)
    lost: dict[str, Doubles] = {}
    for word in dict.fromkeys(said):
        rest = matcher.scorer.reader.read(" ".join(each for each in said if each != word)).whole
        without = matcher.weigh(rest, lexical_only=True).verdict.scores.sum(axis=1)
        lost[word] = np.asarray(judged - without)
    return lost


def _notes(matcher: Matcher, weighed: Weighed, decision: Decision, *, text: str) -> Iterator[str]:
    if small_talk(text):
        yield "это приветствие, благодарность или болтовня: ответа из базы не нужно"
    elif not weighed.part.words:
        yield "слов нет"
    if matcher.is_own_phrasing(text):
        yield "совпало с формулировкой базы: ответ без сомнений"
    if decision.also:
        yield "в сообщении несколько вопросов, каждый разобран отдельно"
    if is_vague(weighed.part):
        ours = "наше, но" if is_ours_but_vague(weighed.part) else "сказано"
        yield f"{ours} слишком общо: сначала уточнить"
    if decision.foreign:
        yield "похоже на примеры чужих вопросов"
    if weighed.evidence.signals == SEMANTIC:
        yield "слов не хватило, сравнён и смысл"
    elif matcher.scorer.semantic:
        yield "хватило слов, смысл не сравнивался"
    else:
        yield "смысл не сравнивается: только слова"


def as_plain(explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON; the decision is left to whoever prints it anyway."""
    return {
        "stages": [{"step": step, "text": text} for step, text in explanation.stages],
        "candidates": [_candidate_as_plain(each) for each in explanation.candidates],
        "right": _rounded(explanation.right),
        "inside": _rounded(explanation.inside),
        "answer_from": _rounded(explanation.answer_from),
        "unknown_below": _rounded(explanation.unknown_below),
        "notes": list(explanation.notes),
    }


def as_text(explanation: Explanation, *, titles: Mapping[str, str]) -> str:
    """The explanation in Russian, for an operator's terminal."""
    return "\n".join(
        [
            "Как прочитано",
            *_stages(explanation.stages),
            "Почему так решено",
            *_verdict(explanation),
            "Что говорит за темы",
            *(line for each in explanation.candidates for line in _candidate(each, titles=titles)),
            *([] if explanation.candidates else ["  ничего"]),
        ]
    )


def _candidate_as_plain(report: CandidateReport) -> dict[str, Any]:
    return {
        "slug": report.slug,
        "chance": _rounded(report.chance),
        "signals": [
            {"name": name, "value": _rounded(value), "contribution": _rounded(contribution)}
            for name, value, contribution in report.signals
        ],
        "phrasings": [{"text": text, "similarity": _rounded(alike)} for text, alike in report.phrasings],
        "words": [{"word": word, "weight": _rounded(weight)} for word, weight in report.words],
    }


def _rounded(number: float) -> float:
    # A number of numpy is no JSON.
    return round(float(number), DIGITS)


def _stages(stages: Iterable[tuple[str, str]]) -> Iterator[str]:
    stages = tuple(stages)
    width = max((len(step) for step, _ in stages), default=0)
    before = None
    for step, text in stages:
        # Most steps change nothing in most messages: the eye should find those that do.
        shown = "без изменений" if text == before else f"«{' '.join(text.split())}»"
        yield f"  {step:<{width}}  {shown}"
        before = text


def _verdict(explanation: Explanation) -> Iterator[str]:
    yield (
        f"  лучшая тема верна: {explanation.right:.2f} "
        f"(чтобы ответить, нужно от {explanation.answer_from:.2f})"
    )
    yield f"  вопрос наш: {explanation.inside:.2f} (меньше {explanation.unknown_below:.2f} — «не знаю»)"
    for note in explanation.notes:
        yield f"  {note}"


def _candidate(report: CandidateReport, *, titles: Mapping[str, str]) -> Iterator[str]:
    yield f"  {report.chance:.2f}  {report.slug}  {titles.get(report.slug, '')}".rstrip()
    if report.signals:
        width = max(len(name) for name, _, _ in report.signals)
        yield "    признаки (значение, вклад):"
        for name, value, contribution in report.signals:
            yield f"      {name:<{width}}  {value:6.3f}  {contribution:+.3f}"
    if report.phrasings:
        yield "    похожие формулировки:"
        for text, alike in report.phrasings:
            yield f"      {alike:.2f}  {text}"
    if report.words:
        said = ", ".join(f"{word} {weight:+.2f}" for word, weight in report.words[:_WORDS_SHOWN])
        yield f"    слова: {said}"
