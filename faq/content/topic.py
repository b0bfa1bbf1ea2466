"""What the base holds: topics with their answers and phrasings, grouped in sections."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

Ages = Literal["under14", "from14", "under18", "adult", "all"]
Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
"""How much a trouble blocks people, the worst first."""
SchoolActs = Literal["never", "sometimes", "always"]
Plain = Mapping[str, Any]


class Fault(NamedTuple):
    """What is wrong with one value of a plain topic: the path of keys to it, and a Russian sentence."""

    where: tuple[str | int, ...]
    text: str


class TopicError(ValueError):
    """A plain topic that cannot be read; holds every fault found, not only the first."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(fault.text for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Answer:
    """What a parent is told, in our markup: what it means, 2–4 steps, and what if they did not help."""

    meaning: str
    steps: tuple[str, ...]
    otherwise: str

    @property
    def text(self) -> str:
        """The whole answer as one string, for searching."""
        return " ".join((self.meaning, *self.steps, self.otherwise))


@dataclass(frozen=True, slots=True)
class Unverified:
    """A fact under the answer that a human has yet to check, with a note for the editor."""

    fact: str
    note: str


@dataclass(frozen=True, slots=True)
class NotHere:
    """A message that looks like this topic but belongs to another one."""

    text: str
    belongs: str


@dataclass(frozen=True, slots=True)
class Topic:
    """One question of parents: its answer, how they ask it, and what the answer rests on."""

    slug: str
    title: str
    button: str
    section: str
    ages: Ages
    severity: Severity
    school_acts: SchoolActs
    sensitive: bool
    answer: Answer
    related: tuple[str, ...]
    sources: tuple[str, ...]
    unverified: tuple[Unverified, ...]
    checked: date
    phrasings: tuple[str, ...]
    not_here: tuple[NotHere, ...] = ()

    @classmethod
    def from_plain(cls, plain: Plain) -> "Topic":
        """Build a topic from dicts and lists (YAML or JSON); raises TopicError naming every fault."""
        faults = faults_of(plain)
        if faults:
            raise TopicError(faults)
        answer = plain["answer"]
        return cls(
            slug=plain["slug"],
            title=plain["title"],
            button=plain["button"],
            section=plain["section"],
            ages=cast(Ages, plain["ages"]),
            severity=cast(Severity, plain["severity"]),
            school_acts=cast(SchoolActs, plain["school_acts"]),
            sensitive=plain["sensitive"],
            answer=Answer(
                meaning=answer["meaning"].strip(),
                steps=tuple(step.strip() for step in answer["steps"]),
                otherwise=answer["otherwise"].strip(),
            ),
            related=tuple(plain["related"]),
            sources=tuple(plain["sources"]),
            unverified=tuple(
                Unverified(fact=each["fact"], note=each["note"]) for each in plain["unverified"]
            ),
            checked=_date(plain["checked"]),
            phrasings=tuple(phrasing.strip() for phrasing in plain["phrasings"]),
            not_here=tuple(NotHere(text=each["text"], belongs=each["belongs"]) for each in plain["not_here"]),
        )

    def to_plain(self) -> dict[str, Any]:
        """Give the topic as JSON-ready dicts and lists; `from_plain` makes an equal topic of them."""
        return {
            "slug": self.slug,
            "title": self.title,
            "button": self.button,
            "section": self.section,
            "ages": self.ages,
            "severity": self.severity,
            "school_acts": self.school_acts,
            "sensitive": self.sensitive,
            "answer": {
                "meaning": self.answer.meaning,
                "steps": list(self.answer.steps),
                "otherwise": self.answer.otherwise,
            },
            "related": list(self.related),
            "sources": list(self.sources),
            "unverified": [{"fact": each.fact, "note": each.note} for each in self.unverified],
            "checked": self.checked.isoformat(),
            "phrasings": list(self.phrasings),
            "not_here": [{"text": each.text, "belongs": each.belongs} for each in self.not_here],
        }


@dataclass(frozen=True, slots=True)
class Section:
    """A group of topics as the menu shows it; `topics` are slugs in menu order."""

    id: str
    title: str
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Base:
    """Every topic by slug and the menu's sections; nothing in it changes after it is made."""

    topics: Mapping[str, Topic]
    sections: tuple[Section, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "topics", MappingProxyType(dict(self.topics)))

    def __reduce__(self) -> tuple[type["Base"], tuple[dict[str, Topic], tuple[Section, ...]]]:
        """A view of a dict cannot be pickled by itself."""
        return Base, (dict(self.topics), self.sections)


def with_topics(base: Base, topics: Mapping[str, Topic]) -> Base:
    """The base with these topics in place of those of the same slug; a new one ends its section's menu."""
    merged = {**base.topics, **topics}

    def placed(section: Section) -> Section:
        stay = [slug for slug in section.topics if slug not in merged or merged[slug].section == section.id]
        come = [
            slug
            for slug, topic in merged.items()
            if topic.section == section.id and slug not in section.topics
        ]
        return replace(section, topics=(*stay, *come))

    return Base(topics=merged, sections=tuple(placed(section) for section in base.sections))


def faults_of(plain: object) -> tuple[Fault, ...]:
    """Everything that is wrong with the shape of a plain topic: keys, types, allowed words."""
    if not isinstance(plain, Mapping):
        return (Fault((), "файл должен состоять из пар «ключ: значение»"),)
    return tuple(_faults_in_mapping(plain, _SHAPE, ()))


# The shape of a topic file. A leaf is a check; a list holds the shape of each item; a dict holds its keys.
_TEXT = "text"
_FLAG = "flag"
_DATE = "date"
_SHAPE: dict[str, Any] = {
    "slug": _TEXT,
    "title": _TEXT,
    "button": _TEXT,
    "section": _TEXT,
    "ages": ("under14", "from14", "under18", "adult", "all"),
    "severity": SEVERITIES,
    "school_acts": ("never", "sometimes", "always"),
    "sensitive": _FLAG,
    "answer": {"meaning": _TEXT, "steps": [_TEXT], "otherwise": _TEXT},
    "related": [_TEXT],
    "sources": [_TEXT],
    "unverified": [{"fact": _TEXT, "note": _TEXT}],
    "checked": _DATE,
    "phrasings": [_TEXT],
    "not_here": [{"text": _TEXT, "belongs": _TEXT}],
}


def _faults_in(value: object, shape: object, where: tuple[str | int, ...]) -> Iterator[Fault]:
    if isinstance(shape, dict):
        if isinstance(value, Mapping):
            yield from _faults_in_mapping(value, shape, where)
        else:
            yield Fault(where, f"«{_path(where)}»: нужны ключи {', '.join(shape)}")
    elif isinstance(shape, list):
        yield from _faults_in_list(value, shape[0], where)
    elif isinstance(shape, tuple):
        if value not in shape:
            yield Fault(
                where, f"«{_path(where)}»: «{value}» не подходит, выберите одно из: {', '.join(shape)}"
            )
    else:
        yield from _faults_in_leaf(value, str(shape), where)


def _faults_in_mapping(value: Plain, shape: dict[str, Any], where: tuple[str | int, ...]) -> Iterator[Fault]:
    for key in shape:
        if key not in value:
            yield Fault(where, f"нет ключа «{_path((*where, key))}»: добавьте его")
    for key in value:
        if key not in shape:
            yield Fault(
                (*where, key),
                f"неизвестный ключ «{_path((*where, key))}»: уберите его или исправьте опечатку",
            )
        else:
            yield from _faults_in(value[key], shape[key], (*where, key))


def _faults_in_list(value: object, shape: object, where: tuple[str | int, ...]) -> Iterator[Fault]:
    if not isinstance(value, (list, tuple)):
        yield Fault(where, f"«{_path(where)}»: нужен список (строки с «- »), а пустой список пишется []")
        return
    for number, item in enumerate(value):
        yield from _faults_in(item, shape, (*where, number))


def _faults_in_leaf(value: object, kind: str, where: tuple[str | int, ...]) -> Iterator[Fault]:
    if kind == _FLAG and not isinstance(value, bool):
        yield Fault(where, f"«{_path(where)}»: напишите true или false")
    elif kind == _TEXT and not (isinstance(value, str) and value.strip()):
        yield Fault(
            where,
            f"«{_path(where)}»: нужен непустой текст; если в нём есть «: » или «#», возьмите его в кавычки",
        )
    elif kind == _DATE and _date_or_none(value) is None:
        yield Fault(where, f"«{_path(where)}»: нужна дата вида 2026-11-22")


def _path(where: tuple[str | int, ...]) -> str:
    """Keys as people read them: numbers of list items count from one."""
    return ".".join(str(key + 1) if isinstance(key, int) else key for key in where)


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _date_or_none(value: object) -> date | None:
    if not isinstance(value, (date, str)):
        return None
    try:
        return _date(value)
    except ValueError:
        return None
