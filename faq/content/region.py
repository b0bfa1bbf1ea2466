"""What differs from region to region, and an answer with it filled in."""

import re
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from faq.content.loading import BaseError, read_document
from faq.content.topic import Topic
from faq.packaged import CONTENT

PACKAGED = CONTENT.parent / "regions"
"""The regions that are installed with the program."""

DEFAULT_HOURS = "пн–пт 9:00–18:00"
"""When a desk works where its region does not say."""

_NOT_TEXTS = {
    "contacts",
    "sources",
    "working_hours",
    "vacations",
    "days_off",
    "working_days",
    "deadlines",
    "municipality_zones",
}
_LONGEST_DEADLINE_HOURS = 100
_LONGEST_DEADLINE_DAYS = 90
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class RegionError(Exception):
    """A region that is unknown or whose file is wrong; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom to call or write to in the region; None where no confirmed contact is known."""

    ministry_phone: str | None
    ministry_email: str | None
    ministry_address: str | None


@dataclass(frozen=True, slots=True)
class Vacation:
    """Days when schools have a rest, both ends included."""

    name: str
    first: date
    last: date

    def covers(self, day: date) -> bool:
        """Whether the day belongs to it."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long the staff may take, in working time; where it says nothing, the program's default holds."""

    answer_hours: float | None = None
    urgent_answer_hours: float | None = None
    solution_days: int | None = None
    solution_days_of: tuple[tuple[str, int], ...] = ()
    """Kinds of requests (`tickets` of the diagnosis) with days of their own."""


@dataclass(frozen=True, slots=True)
class Region:
    """A region's names, its sign-in page and rules, worded to stand inside answers."""

    slug: str
    name: str
    name_in: str
    login_page: str
    old_login_closed: str
    account_rule: str
    esia_basis: str
    ministry: str
    ministry_full: str
    timezone: str
    contacts: Contacts
    sources: tuple[str, ...]
    working_hours: str = DEFAULT_HOURS
    """As people write them; `handlers.cases.working_hours` reads it and says what is wrong."""
    vacations: tuple[Vacation, ...] = ()
    days_off: tuple[date, ...] = ()
    """Closed besides public holidays."""
    working_days: tuple[date, ...] = ()
    """Open although the week, the holidays or the vacations say otherwise."""
    deadlines: Deadlines = Deadlines()
    municipality_zones: tuple[tuple[str, str], ...] = ()
    """Municipalities (as in the directory of schools) whose time zone is not the region's."""

    def placeholders(self) -> dict[str, str]:
        """What each placeholder of an answer becomes, as our markup."""
        return {
            "region": self.name,
            "region_in": self.name_in,
            "login_page": self.login_page,
            "login_link": f"[страница входа]({self.login_page})",
            "old_login_closed": self.old_login_closed,
            "account_rule": self.account_rule,
            "esia_basis": self.esia_basis,
            "ministry": self.ministry,
            "ministry_full": self.ministry_full,
        }


def region_names() -> tuple[str, ...]:
    """The names of the packaged regions."""
    return tuple(sorted(path.stem for path in PACKAGED.glob("*.yaml")))


def load_region(name_or_path: str | Path) -> Region:
    """Read a packaged region by name or a YAML file by path; raises RegionError."""
    path = Path(name_or_path)
    if str(name_or_path) in region_names():
        path = PACKAGED / f"{name_or_path}.yaml"
    elif path.suffix not in {".yaml", ".yml"}:
        known = ", ".join(region_names())
        raise RegionError(f"Регион «{name_or_path}» неизвестен: укажите {known} или путь к файлу .yaml")
    try:
        plain = read_document(path).plain
    except BaseError as error:
        raise RegionError(f"Регион «{path}»: {error}") from None
    return _region(plain, path=path)


def render(topic: Topic, region: Region) -> str:
    """The topic's answer in the region's words, as markup: what it means, numbered steps, what if it failed.

    The first sentence is bold: it is what a hurried person reads.
    """
    answer = topic.answer
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(answer.steps, start=1))
    return fill(f"{_with_bold_start(answer.meaning)}\n\n{steps}\n\n{answer.otherwise}", region)


def _with_bold_start(text: str) -> str:
    if "**" in text or "](" in text:
        return text
    first, end, rest = text.partition(". ")
    return f"**{first}.** {rest}" if end else f"**{text}**"


def fill(text: str, region: Region) -> str:
    """Put the region's words in place of the placeholders; an unknown placeholder stays as it is."""
    words = region.placeholders()
    return _PLACEHOLDER.sub(lambda found: words.get(found[1], found[0]), text)


def unknown_placeholders(text: str, region: Region) -> tuple[str, ...]:
    """The placeholders of a text that the region has no words for."""
    words = region.placeholders()
    return tuple(name for name in _PLACEHOLDER.findall(text) if not words.get(name))


def _region(plain: Any, *, path: Path) -> Region:
    if not isinstance(plain, dict):
        raise RegionError(f"Регион «{path}»: нужны пары «ключ: значение»")
    texts = [each.name for each in fields(Region) if each.name not in _NOT_TEXTS]
    wrong = [key for key in texts if not (isinstance(plain.get(key), str) and plain[key].strip())]
    if wrong:
        raise RegionError(f"Регион «{path}»: заполните текстом {', '.join(wrong)}")
    unknown = [str(key) for key in plain if key not in {*texts, *_NOT_TEXTS}]
    if unknown:
        raise RegionError(
            f"Регион «{path}»: неизвестные ключи {', '.join(unknown)}, уберите их или исправьте опечатку"
        )
    sources = plain.get("sources") or []
    if not isinstance(sources, list):
        raise RegionError(f"Регион «{path}»: sources должен быть списком")
    return Region(
        **{key: plain[key].strip() for key in texts},
        contacts=_contacts(plain.get("contacts"), path=path),
        sources=tuple(str(source) for source in sources),
        working_hours=_working_hours(plain.get("working_hours"), path=path),
        vacations=_vacations(plain.get("vacations"), path=path),
        days_off=_days(plain.get("days_off"), key="days_off", path=path),
        working_days=_days(plain.get("working_days"), key="working_days", path=path),
        deadlines=_deadlines(plain.get("deadlines"), path=path),
        municipality_zones=_zones(plain.get("municipality_zones"), path=path),
    )


def _contacts(plain: Any, *, path: Path) -> Contacts:
    keys = [each.name for each in fields(Contacts)]
    plain = plain or {}
    if not isinstance(plain, dict) or set(plain) - set(keys):
        raise RegionError(f"Регион «{path}»: в contacts могут быть только {', '.join(keys)}")
    return Contacts(**{key: None if plain.get(key) is None else str(plain[key]) for key in keys})


def _working_hours(plain: Any, *, path: Path) -> str:
    if plain is None:
        return DEFAULT_HOURS
    if not (isinstance(plain, str) and plain.strip()):
        raise RegionError(f"Регион «{path}»: working_hours пишется текстом, например {DEFAULT_HOURS}")
    return plain.strip()


def _vacations(plain: Any, *, path: Path) -> tuple[Vacation, ...]:
    plain = [] if plain is None else plain
    if not isinstance(plain, list):
        raise RegionError(f"Регион «{path}»: vacations должен быть списком")
    return tuple(_vacation(each, number=number, path=path) for number, each in enumerate(plain, start=1))


def _vacation(plain: Any, *, number: int, path: Path) -> Vacation:
    place = f"Регион «{path}»: каникулы № {number}"
    if not isinstance(plain, dict) or set(plain) != {"name", "first", "last"}:
        raise RegionError(f"{place}: нужны name, first и last")
    name = plain["name"]
    if not (isinstance(name, str) and name.strip()):
        raise RegionError(f"{place}: name пишется текстом, например осенние")
    if not (_is_day(plain["first"]) and _is_day(plain["last"])):
        raise RegionError(f"{place}: first и last — даты вида ГГГГ-ММ-ДД")
    if plain["first"] > plain["last"]:
        raise RegionError(f"{place}: начинаются {plain['first']}, а кончаются раньше, {plain['last']}")
    return Vacation(name.strip(), plain["first"], plain["last"])


def _days(plain: Any, *, key: str, path: Path) -> tuple[date, ...]:
    plain = [] if plain is None else plain
    if not isinstance(plain, list) or not all(map(_is_day, plain)):
        raise RegionError(f"Регион «{path}»: {key} должен быть списком дат вида ГГГГ-ММ-ДД")
    return tuple(sorted(plain))


def _zones(plain: Any, *, path: Path) -> tuple[tuple[str, str], ...]:
    plain = {} if plain is None else plain
    if not isinstance(plain, dict) or not all(map(_is_zone, plain.values())):
        raise RegionError(
            f"Регион «{path}»: municipality_zones — пары «муниципалитет: часовой пояс», например Asia/Yakutsk"
        )
    return tuple(sorted((str(name).strip(), zone) for name, zone in plain.items()))


def _is_zone(plain: Any) -> bool:
    try:
        return isinstance(plain, str) and bool(ZoneInfo(plain))
    except (KeyError, ValueError, OSError):
        return False


def _deadlines(plain: Any, *, path: Path) -> Deadlines:
    plain = {} if plain is None else plain
    keys = [each.name for each in fields(Deadlines)]
    if not isinstance(plain, dict) or set(plain) - set(keys):
        raise RegionError(f"Регион «{path}»: в deadlines могут быть только {', '.join(keys)}")
    hours = {key: plain.get(key) for key in ("answer_hours", "urgent_answer_hours")}
    days_of = plain.get("solution_days_of")
    days_of = {} if days_of is None else days_of
    if not all(each is None or _is_number(each, _LONGEST_DEADLINE_HOURS) for each in hours.values()):
        raise RegionError(
            f"Регион «{path}»: сроки ответа в deadlines — рабочие часы, от 1 до {_LONGEST_DEADLINE_HOURS}"
        )
    days = plain.get("solution_days")
    is_table = isinstance(days_of, dict) and all(map(_are_days, days_of.values()))
    if not is_table or not (days is None or _are_days(days)):
        raise RegionError(
            f"Регион «{path}»: сроки решения в deadlines — рабочие дни, от 1 до {_LONGEST_DEADLINE_DAYS}"
        )
    return Deadlines(
        **hours,
        solution_days=days,
        solution_days_of=tuple(sorted((str(kind), number) for kind, number in days_of.items())),
    )


def _are_days(plain: Any) -> bool:
    return isinstance(plain, int) and _is_number(plain, _LONGEST_DEADLINE_DAYS)


def _is_number(plain: Any, most: int) -> bool:
    return isinstance(plain, int | float) and not isinstance(plain, bool) and 1 <= plain <= most


def _is_day(plain: Any) -> bool:
    return isinstance(plain, date) and not isinstance(plain, datetime)
