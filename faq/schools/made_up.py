"""A directory that looks real and is not: for tests, demonstrations and as an example of the file."""

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count as count_from
from itertools import islice
from pathlib import Path

from faq.schools.reading import TITLES
from faq.schools.row import Row

REGION = "вымышленный регион (учебный пример)"
"""What stands in the column of the region in each row, so that nobody takes the schools for real ones."""

PACKAGED_SEED = 5
"""The seed of the example that tests and demonstrations share."""

# What says that all is made up stands first.
_ORDER = ("region", "code", "name", "municipality", "kind", "aliases", "hours")
_PERSONS = (
    "Петра Светличного", "Анны Рябинкиной", "Ивана Колосова", "Марии Тополевской", "Аслана Мостового",
    "Григория Полынного", "Веры Ясеневой", "Руслана Каменецкого", "Семёна Лугового", "Зары Родниковой",
    "Николая Ветрякова", "Тимура Степнянского", "Ольги Звонцовой", "Егора Парусова", "Дины Снежковой",
    "Фёдора Черешнева", "Лидии Озерцовой", "Адама Кизилова",
)  # fmt: skip
_STREETS = (
    "Пионерская", "Садовая", "Вокзальная", "Заводская", "Парковая", "Мельничная", "Солнечная", "Мостовая",
    "Ключевая", "Фабричная", "Набережная", "Кленовая", "Тенистая", "Театральная", "Озёрная", "Кирпичная",
    "Песчаная", "Родниковая", "Звёздная", "Лётная", "Рябиновая", "Хлебозаводская", "Майская", "Литейная",
)  # fmt: skip
_QUARTERS = ("Черёмушки", "Военный городок", "Восход", "Южные Сады", "Сахарный завод", "Стрелка")
_PLACE_KINDS = ("хутор", "хутор", "аул", "станица", "посёлок", "село")
_STEMS = (
    "Вишнёвый", "Грушевый", "Приовражный", "Камышовый", "Ольховый", "Перекатный", "Терновский", "Курганный",
    "Родниковый", "Маковский", "Журавлиный", "Соловьиный", "Подсолнечный", "Ковыльный", "Барсучный",
    "Каштановый", "Мельниковый", "Ореховый", "Кизиловый", "Полынный", "Яблоневый", "Ежевичный", "Хмелевый",
    "Ясеневский", "Ракитный", "Овсяный", "Туманный", "Липовский", "Тальниковый", "Перепёлкинский",
    "Стрижовый", "Сиреневый", "Мятный", "Чабрецовый", "Облепиховый", "Суходольный", "Заовражный", "Гречишный",
    "Дубравный", "Крутояровский", "Боровиковый", "Луговской", "Пчелиный", "Светлоключевский", "Кленовский",
    "Тёплый", "Дальнебродский", "Валунный", "Ивняковый", "Осокинский",
)  # fmt: skip
_SIDES = ("Верхний", "Нижний", "Новый", "Старый")
_FEMININE = {"ый": "ая", "ий": "яя", "ой": "ая"}
_NEUTER = {"ый": "ое", "ий": "ее", "ой": "ое"}
_AULS = (
    "Хашкуай", "Псехошт", "Мафэнэт", "Тыгъэпс", "Блягожай", "Уашхокуай", "Дзыбэшу", "Нэфынкуай", "Гуамыз",
    "Шъоткуай", "Жъыубгъу", "Мэзыпэкуай", "Бжьэхашт", "Лъэгожай", "Псынэкъуай", "Щэнджыкуай",
)  # fmt: skip
_DISTRICTS = (
    ("zar", "Заречный"), ("podg", "Подгорный"), ("kal", "Калиновский"), ("vetr", "Ветряковский"),
    ("lug", "Луговинский"), ("top", "Тополёвский"), ("step", "Степнянский"), ("yab", "Яблоневский"),
    ("mel", "Мельничный"), ("bar", "Барсучанский"), ("per", "Перекатный"), ("kiz", "Кизиловский"),
    ("tum", "Туманный"), ("zhur", "Журавлинский"), ("rak", "Ракитный"), ("cher", "Черешневский"),
    ("kam", "Камышовский"), ("hmel", "Хмелевской"), ("ol", "Ольховский"), ("mak", "Маковский"),
)  # fmt: skip
_WHERE_DISTRICTS = ("", "Верхне", "Нижне", "Ново", "Старо", "Северо", "Южно", "Мало", "Велико")
_HOURS = ("", "", "пн–пт 9:00–18:00", "пн–пт 8:30–17:00", "пн–чт 8:00–17:00, пт 8:00–16:00")
_CITY_SIZE, _TOWN_SIZE, _DISTRICT_SIZE = 24, 8, 15
_OF_THE_CENTRE = (1, 2, 9)  # the numbers of the schools in the centre of a district
_GYMNASIUM = 2  # the number that is a gymnasium in each district
_NAMED = 0.35  # share of the schools that bear a person's name
_BASIC = 0.2  # share of the district's schools with a number that end at class 9
_ON_A_STREET = 1 / 3  # share of the district's schools with a known street

_Kinded = tuple[str, str]  # the name without a person, the kind
_CITY: tuple[_Kinded, ...] = (
    ("СОШ № 1", "сош"), ("СОШ № 2", "сош"), ("СОШ № 3", "сош"), ("СОШ № 4", "сош"), ("СОШ № 5", "сош"),
    ("СОШ № 6", "сош"), ("СОШ № 7", "сош"), ("Лицей № 8", "лицей"), ("СОШ № 9", "сош"),
    ("СОШ № 10", "сош"), ("СОШ № 11", "сош"), ("ООШ № 12", "оош"), ("СОШ № 14", "сош"),
    ("СОШ № 15", "сош"), ("СОШ № 16", "сош"), ("СОШ № 17", "сош"), ("Лицей № 19", "лицей"),
    ("Гимназия № 22", "гимназия"), ("Начальная школа — детский сад № 26", "начальная школа"),
    ("СОШ № 28", "сош"), ("Лицей № 35", "лицей"), ("Открытая (сменная) школа № 1", "вечерняя школа"),
    ("Кадетская школа «Звезда»", "кадетская школа"), ("Школа-интернат «Радуга»", "школа-интернат"),
)  # fmt: skip
_TOWN: tuple[_Kinded, ...] = (
    ("СОШ № 1", "сош"), ("СОШ № 2", "сош"), ("СОШ № 3", "сош"), ("Гимназия № 4", "гимназия"),
    ("СОШ № 5", "сош"), ("Центр образования № 6", "центр образования"), ("Лицей № 7", "лицей"),
    ("Школа-интернат № 1", "школа-интернат"),
)  # fmt: skip
_CITY_ALIASES = {
    "Лицей № 35": ("математический лицей",),
    "Гимназия № 22": ("лингвистическая гимназия",),
    "Кадетская школа «Звезда»": ("кадетка",),
    "Открытая (сменная) школа № 1": ("вечёрка",),
    "Начальная школа — детский сад № 26": ("Теремок",),
}


@dataclass(frozen=True, slots=True)
class _Municipality:
    prefix: str
    name: str
    size: int


def made_up_schools(count: int = 137, *, seed: int = PACKAGED_SEED) -> tuple[Row, ...]:
    """So many schools of a region that does not exist: numbers repeat from district to district."""
    chance = random.Random(seed)  # noqa: S311 - an example, not a secret
    return tuple(islice(_rows(chance), count))


def write_directory(rows: Sequence[Row], path: Path) -> None:
    """Write the schools as a CSV that a spreadsheet opens with its Russian letters whole."""
    text = io.StringIO()
    table = csv.writer(text, delimiter=";", lineterminator="\r\n")
    table.writerow(TITLES[column] for column in _ORDER)
    for row in rows:
        cells = {**asdict(row), "aliases": " | ".join(row.aliases)}
        table.writerow(cells[column] for column in _ORDER)
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")


def _rows(chance: random.Random) -> Iterator[Row]:
    villages = _villages(chance)
    for place in _municipalities():
        if place.size == _DISTRICT_SIZE:
            yield from _of_district(place, villages, chance)
        else:
            yield from _of_city(place, _CITY if place.size == _CITY_SIZE else _TOWN, chance)


def _municipalities() -> Iterator[_Municipality]:
    yield _Municipality("svet", "город Светлореченск", _CITY_SIZE)
    yield _Municipality("yas", "город Яснополь", _TOWN_SIZE)
    for number in count_from():
        side, district = divmod(number, len(_DISTRICTS))
        prefix, name = _DISTRICTS[district]
        where = _WHERE_DISTRICTS[side % len(_WHERE_DISTRICTS)]
        again = f" {side // len(_WHERE_DISTRICTS) + 1}-й" if side >= len(_WHERE_DISTRICTS) else ""
        name = f"{where}{name.lower() if where else name}"
        yield _Municipality(f"{prefix}{side or ''}", f"{name} район{again}", _DISTRICT_SIZE)


def _of_city(place: _Municipality, schools: Sequence[_Kinded], chance: random.Random) -> Iterator[Row]:
    streets = chance.sample(_STREETS, len(_STREETS))
    quarters = chance.sample(_QUARTERS, len(_QUARTERS))
    for number, (name, kind) in enumerate(schools, start=1):
        aliases = [f"улица {streets.pop()}", *_CITY_ALIASES.get(name, ())]
        if number % 5 == 0 and quarters:
            aliases.append(quarters.pop())
        yield _row(place, number, f"{name}{_person(chance, kind)}", kind, tuple(aliases), chance)


def _of_district(place: _Municipality, villages: Iterator[str], chance: random.Random) -> Iterator[Row]:
    centre = next(villages)
    for number in range(1, _DISTRICT_SIZE + 1):
        village = centre if number in _OF_THE_CENTRE else next(villages)
        name, kind = _district_school(number, chance)
        aliases: tuple[str, ...] = (
            (f"улица {chance.choice(_STREETS)}",) if chance.random() < _ON_A_STREET else ()
        )
        yield _row(place, number, f"{name}{_person(chance, kind)}, {village}", kind, aliases, chance)


def _district_school(number: int, chance: random.Random) -> _Kinded:
    """The school's name without its village: the last two of a district have no number."""
    if number == _DISTRICT_SIZE:
        return "Начальная школа", "начальная школа"
    if number == _DISTRICT_SIZE - 1:
        return "Основная школа", "оош"
    if number == _GYMNASIUM:
        return f"Гимназия № {number}", "гимназия"
    kind = "оош" if number > max(_OF_THE_CENTRE) or chance.random() < _BASIC else "сош"
    return f"{kind.upper()} № {number}", kind


def _villages(chance: random.Random) -> Iterator[str]:
    """Settlements of all kinds; a name comes again only when all have been used."""
    names, auls = _shuffled(_village_names(), chance), _shuffled(_AULS, chance)
    while True:
        kind = chance.choice(_PLACE_KINDS)
        yield f"аул {next(auls)}" if kind == "аул" else f"{kind} {_in_gender(next(names), kind)}"


def _village_names() -> tuple[str, ...]:
    """Each stem alone, and every fourth with each side too."""
    return (*_STEMS, *(f"{side} {stem}" for stem in _STEMS[::4] for side in _SIDES))


def _shuffled(names: Sequence[str], chance: random.Random) -> Iterator[str]:
    while True:
        yield from chance.sample(names, len(names))


def _in_gender(name: str, kind: str) -> str:
    if kind in {"хутор", "посёлок"}:
        return name
    endings = _FEMININE if kind == "станица" else _NEUTER
    return " ".join(_ended(word, endings) for word in name.split())


def _ended(word: str, endings: dict[str, str]) -> str:
    # «Терновский» is hard, «Верхний» soft.
    hard = word.endswith("ский")
    return word[:-2] + endings["ый" if hard else word[-2:]]


def _person(chance: random.Random, kind: str) -> str:
    person = chance.choice(_PERSONS)
    if kind not in {"сош", "гимназия", "лицей"} or chance.random() > _NAMED:
        return ""
    return f" имени {person}"


def _row(
    place: _Municipality, number: int, name: str, kind: str, aliases: tuple[str, ...], chance: random.Random
) -> Row:
    return Row(
        name=name,
        municipality=place.name,
        kind=kind,
        aliases=aliases,
        code=f"{place.prefix}-{number:02}",
        hours=chance.choice(_HOURS),
        region=REGION,
    )
