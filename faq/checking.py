"""What can be proved wrong about the base without a human: references, lengths, doubles, sources."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Literal
from urllib.parse import urlsplit

import numpy as np

from faq.content.loading import PACKAGED, BaseError, Problem
from faq.content.region import Region, fill, unknown_placeholders
from faq.content.topic import Base, Topic
from faq.diagnosis.error_texts import error_text_problems, load_error_texts
from faq.diagnosis.tree import load_tree, tree_problems
from faq.matching.scoring import Scorer, load_outside
from faq.matching.separating import Separation, load_separations
from faq.packaged import CONTENT, read_plain
from faq.text import normalise

FEWEST_PHRASINGS = 15
STEPS = range(2, 5)
LONGEST_TITLE = 60
LONGEST_BUTTON = 36
"""Characters; VK cuts a button's label at 40."""
LONGEST_MEANING = 240
LONGEST_STEP = 260
LONGEST_OTHERWISE = 400
LONGEST_ASK = 160
LONGEST_OPTION = 40
"""Characters, as long as VK lets a button's label be."""
NOT_TOPICS = ("out-of-scope", "human-operator")
"""What a must-not-match example may belong to besides topics."""
CONFUSABLE = (
    ("child-account-link-parent", "child-not-shown-for-parent", "first-esia-binding"),
    ("dnevnik-profile-missing", "account-unconfirmed-error"),
    ("password-recovery", "old-login-password-closed"),
    ("child-turns-14", "no-passport-14-3-months", "teen-account-create-14plus"),
    ("legal-must-we-register", "legal-documents-basis", "refuse-alternatives"),
    ("login-code-not-coming", "sms-off-max-totp"),
    ("grades-homework-missing", "child-not-shown-for-parent", "outage-technical-error"),
    ("snils-mismatch", "child-snils-missing"),
)
"""Topics that sound so alike that one question must tell them apart."""
DOMAINS = ("gosuslugi.ru", "dnevnik.ru")
PHONE = "8 800 100-70-10"

_CONFUSED_FROM = 0.5  # similarity to the nearest example of another topic
_CONFUSED_BY = 0.1  # of the classifier's scores (1 = certainly this topic): less is no more than noise
_DOUBTFUL = frozenset({"K", "?", "LOW"})
_LINK = re.compile(r"\]\(([^)\s]*)\)|(https?://[^\s)]+)")
_BARE_DOMAIN = re.compile(r"(?<![\w.@/])((?:[\w-]+\.)+(?:ru|рф|com|org|net|su))\b", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\d-])\+?\d(?:[\s()-]*\d){9,10}(?!\d)")
_FACT = re.compile(r"F\d+\.\d+")


def check_base(base: Base, regions: Iterable[Region]) -> tuple[Problem, ...]:
    """Every problem of the base: the errors, which forbid to publish it, then the warnings."""
    return (*errors_in(base, regions), *confusions_in(base))


def errors_in(base: Base, regions: Iterable[Region]) -> tuple[Problem, ...]:
    """What must be corrected before the base is published; takes milliseconds."""
    regions = tuple(regions)
    problems: list[Problem] = [*_sections(base)]
    for _, topic in sorted(base.topics.items()):
        problems += _shape(topic)
        problems += _references(topic, base)
        problems += _texts(topic, regions)
        problems += _sources(topic)
    problems += _doubles(base)
    problems += _separations(base)
    problems += _diagnosis(base)
    return tuple(problems)


def separation_errors(separations: Iterable[Separation], slugs: Collection[str]) -> tuple[Problem, ...]:
    """What must be corrected in the separating questions, when these topics are there."""
    separations = tuple(separations)
    problems = [
        Problem("confusable.yaml", 0, f"«{each.ask}»: {fault}")
        for each in separations
        for fault in _separation_faults(each, slugs)
    ]
    for alike in CONFUSABLE:
        if not any(each.options.keys() >= set(alike) for each in separations):
            text = f"нет вопроса, который различает {', '.join(alike)}: добавьте"
            problems.append(Problem("confusable.yaml", 0, text))
    return tuple(problems)


def confusions_in(base: Base) -> tuple[Problem, ...]:
    """Warnings of phrasings that would be read as another topic; takes as long as building a matcher."""
    return tuple(_confusions(base))


@cache
def facts() -> Mapping[str, str]:
    """How sure the source of each fact is: HIGH, MED, LOW, K (no source), ? (open), or several."""
    path = CONTENT / "facts.yaml"
    plain: dict[str, str] = read_plain(path)
    return plain


def is_doubtful(fact: str) -> bool:
    """The fact rests on a weak, open or missing source."""
    return not _DOUBTFUL.isdisjoint(re.split(r"[/-]", facts().get(fact, "")))


def _problem(topic: Topic, text: str, *, level: Literal["error", "warning"] = "error") -> Problem:
    return Problem(f"topics/{topic.slug}.yaml", 0, text, level)


def _sections(base: Base) -> Iterator[Problem]:
    placed = {slug: section.id for section in base.sections for slug in section.topics}
    for topic in base.topics.values():
        if placed.get(topic.slug) != topic.section:
            yield _problem(
                topic,
                f"раздела «{topic.section}» нет или темы в нём нет: исправьте section или sections.yaml",
            )
    for slug in placed.keys() - base.topics.keys():
        yield Problem("sections.yaml", 0, f"темы «{slug}» нет: уберите её из раздела «{placed[slug]}»")


def _shape(topic: Topic) -> Iterator[Problem]:
    lengths = [
        ("title", topic.title, LONGEST_TITLE),
        ("button", topic.button, LONGEST_BUTTON),
        ("answer.meaning", topic.answer.meaning, LONGEST_MEANING),
        ("answer.otherwise", topic.answer.otherwise, LONGEST_OTHERWISE),
        *(
            (f"answer.steps.{number}", step, LONGEST_STEP)
            for number, step in enumerate(topic.answer.steps, start=1)
        ),
    ]
    for key, text, longest in lengths:
        if len(text) > longest:
            yield _problem(topic, f"«{key}» длиннее {longest} знаков ({len(text)}): сократите")
    if len(topic.answer.steps) not in STEPS:
        yield _problem(topic, f"шагов {len(topic.answer.steps)}, нужно от {STEPS[0]} до {STEPS[-1]}")
    if len(topic.phrasings) < FEWEST_PHRASINGS:
        yield _problem(
            topic, f"формулировок {len(topic.phrasings)}, нужно хотя бы {FEWEST_PHRASINGS}: добавьте"
        )
    if not topic.not_here:
        yield _problem(topic, "нет ни одного примера в not_here: добавьте похожее сообщение из соседней темы")


def _references(topic: Topic, base: Base) -> Iterator[Problem]:
    for other in topic.related:
        if other not in base.topics or other == topic.slug:
            yield _problem(topic, f"темы «{other}» в related нет: исправьте имя")
    for example in topic.not_here:
        known = example.belongs in base.topics or example.belongs in NOT_TOPICS
        if not known or example.belongs == topic.slug:
            yield _problem(
                topic, f"not_here «{example.text}»: темы «{example.belongs}» нет, исправьте belongs"
            )


def _texts(topic: Topic, regions: Iterable[Region]) -> Iterator[Problem]:
    text = "\n".join(
        (topic.title, topic.button, topic.answer.meaning, *topic.answer.steps, topic.answer.otherwise)
    )
    for region in regions:
        for name in dict.fromkeys(unknown_placeholders(text, region)):
            yield _problem(topic, f"подстановки {{{name}}} нет у региона «{region.slug}»: исправьте имя")
        yield from _links(topic, fill(text, region))
    for phone in _PHONE.findall(text):
        if re.sub(r"\D", "", phone) != re.sub(r"\D", "", PHONE):
            yield _problem(topic, f"телефон {phone.strip()}: разрешён только {PHONE}")


def _links(topic: Topic, text: str) -> Iterator[Problem]:
    addresses = [label or bare for label, bare in _LINK.findall(text)]
    hosts = {address: urlsplit(address).hostname or "" for address in addresses}
    hosts |= {name: name.lower() for name in _BARE_DOMAIN.findall(_LINK.sub(" ", text))}
    for address, host in sorted(hosts.items()):
        if not any(host == domain or host.endswith(f".{domain}") for domain in DOMAINS):
            yield _problem(topic, f"ссылка {address}: разрешены только {' и '.join(DOMAINS)} с поддоменами")
        elif "://" in address and not address.startswith("https://"):
            yield _problem(topic, f"ссылка {address}: адрес должен начинаться с https://")


def _sources(topic: Topic) -> Iterator[Problem]:
    noted = {fact for each in topic.unverified for fact in _FACT.findall(each.fact)}
    for source in topic.sources:
        for fact in _FACT.findall(source):
            if fact not in facts():
                yield _problem(topic, f"факта {fact} в sources нет в facts.yaml: исправьте номер")
            elif is_doubtful(fact) and fact not in noted:
                yield _problem(
                    topic, f"факт {fact} не подтверждён ({facts()[fact]}): опишите его в unverified"
                )
    if not topic.sources:
        yield _problem(topic, "нет источников: заполните sources")


def _doubles(base: Base) -> Iterator[Problem]:
    """The same text twice, after look-alike letters, case, «ё» and punctuation are made one."""
    said: dict[str, list[tuple[Topic, str]]] = defaultdict(list)
    buttons: dict[str, list[Topic]] = defaultdict(list)
    for _, topic in sorted(base.topics.items()):
        buttons[normalise(topic.button)].append(topic)
        for phrasing in topic.phrasings:
            said[normalise(phrasing)].append((topic, phrasing))
    for (first, text), (second, _) in ((owners[0], owners[1]) for owners in said.values() if len(owners) > 1):
        where = "дважды" if first is second else f"и в теме «{first.slug}»"
        yield _problem(second, f"формулировка «{text}» записана {where}: оставьте одну")
    for owners in buttons.values():
        if len(owners) > 1:
            yield _problem(
                owners[1], f"кнопка «{owners[1].button}» такая же, как у темы «{owners[0].slug}»: измените"
            )
    for _, topic in sorted(base.topics.items()):
        for example in topic.not_here:
            if any(owner is topic for owner, _ in said.get(normalise(example.text), [])):
                yield _problem(topic, f"«{example.text}» стоит и в phrasings, и в not_here: оставьте одно")


def _separations(base: Base) -> Iterator[Problem]:
    try:
        separations = load_separations()
    except BaseError as error:
        yield from error.problems
        return
    # A base of one's own may lack packaged topics: their answers are then not offered.
    yield from separation_errors(separations, base.topics.keys() | _packaged_slugs())


def _diagnosis(base: Base) -> Iterator[Problem]:
    """Ways of the diagnosis that lead nowhere; an error text is checked once the tree can be read."""
    try:
        led = {each.leads for each in load_error_texts()}
        tree = load_tree()
    except BaseError as error:
        yield from error.problems
        return
    yield from tree_problems(base.topics.keys() | _packaged_slugs(), led=led)
    yield from error_text_problems(tree, facts())


def _packaged_slugs() -> set[str]:
    return {path.stem for path in (PACKAGED / "topics").glob("*.yaml")}


def _separation_faults(separation: Separation, slugs: Collection[str]) -> Iterator[str]:
    if len(separation.ask) > LONGEST_ASK:
        yield f"вопрос длиннее {LONGEST_ASK} знаков ({len(separation.ask)}), сократите"
    if not separation.ask.endswith("?"):
        yield "в конце нужен вопросительный знак"
    owners: dict[str, str] = {}
    for slug, button in separation.options.items():
        if slug not in slugs:
            yield f"темы «{slug}» нет, исправьте имя"
        if len(button) > LONGEST_OPTION:
            yield f"кнопка «{button}» длиннее {LONGEST_OPTION} знаков ({len(button)}), сократите"
        other = owners.setdefault(normalise(button), slug)
        if other != slug:
            yield f"кнопка «{button}» и у «{other}», и у «{slug}», измените одну"


def _confusions(base: Base) -> Iterator[Problem]:
    """Phrasings that, taken out of the base, would be read as another topic."""
    if not base.topics:
        return
    scorer = Scorer(base, outside=load_outside())
    scores, near = scorer.leave_one_out(), scorer.similarities()
    np.fill_diagonal(near, -1.0)
    owners = np.array([scorer.slugs.index(each.slug) for each in scorer.samples])
    for number, sample in enumerate(scorer.samples):
        nearest = int(near[number].argmax())
        taken = owners[nearest]
        # Both views must agree: a phrasing that merely resembles nothing else is a good one.
        if (
            sample.phrasing
            and taken != owners[number]
            and near[number, nearest] >= _CONFUSED_FROM
            and scores[number, taken] - scores[number, owners[number]] >= _CONFUSED_BY
        ):
            other = scorer.samples[nearest]
            text = (
                f"формулировка «{sample.text}» похожа на «{other.text}» ({other.slug}): уточните одну из них"
            )
            yield _problem(base.topics[sample.slug], text, level="warning")
