"""Messages with and without personal data, as parents write them, the same for the same seed.

A template is one line. Words in braces are slots: `VALUES` are personal data and are remembered with
their kind and place, `PLAIN` are the numbers that must stay. The ways of writing a number are taken from
life (documents, messengers, school papers), never from the mask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

SEED = 20_264
SIZE = 3_200


@dataclass(frozen=True)
class Planted:
    """A personal value and where it stands in the message."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Sample:
    """A message, what of it is personal, and the template it came from."""

    text: str
    planted: tuple[Planted, ...]
    template: str


def corpus(templates: Sequence[str] = (), *, seed: int = SEED, size: int = SIZE) -> tuple[Sample, ...]:
    """`size` messages, half of them with personal data; without templates, the working set."""
    random = Random(f"privacy {seed}")
    chosen = tuple(templates) or WORKING
    with_data = [line for line in chosen if _has_data(line)]
    clean = [line for line in chosen if not _has_data(line)]
    samples = []
    for number in range(size):
        side = with_data if number % 2 else clean
        samples.append(_sample(side[number // 2 % len(side)], random))
    return tuple(samples)


def _has_data(template: str) -> bool:
    return any(slot in VALUES for slot in _SLOT.findall(template))


def _sample(template: str, random: Random) -> Sample:
    before = random.choice(_OPENINGS) if random.random() < _OPENED else ""
    after = random.choice(_ENDINGS) if random.random() < _CLOSED else ""
    way = random.choices(_TYPING, weights=_TYPING_WEIGHTS)[0]
    text, planted = "", []
    for kind, piece in _pieces(f"{before}{template}{after}", random):
        written = piece if kind else way(piece)
        if kind and kind != "plain":
            planted.append(Planted(kind, len(text), len(text) + len(written)))
        text += written
    return Sample(text, tuple(planted), template)


def _pieces(line: str, random: Random) -> Iterator[tuple[str, str]]:
    """Words of the template (no kind), personal values (their kind) and numbers that stay (plain)."""
    at = 0
    for found in _SLOT.finditer(line):
        yield "", line[at : found.start()]
        slot = found[1]
        if slot in VALUES:
            kind, value = VALUES[slot]
            yield kind, value(random)
        else:
            yield "plain", PLAIN[slot](random)
        at = found.end()
    yield "", line[at:]


def _careless(text: str) -> str:
    return text.lower().replace("ё", "е")


def _unpunctuated(text: str) -> str:
    """Typed without stops; signs that stand inside a word or before a number stay."""
    return re.sub(r"[,.!?:;](?=\s|$)", "", text.lower())


_SLOT = re.compile(r"\{(\w+)\}")
_TYPING: tuple[Callable[[str], str], ...] = (str, _careless, _unpunctuated, str.upper)
_TYPING_WEIGHTS = (55, 25, 15, 5)
_OPENED, _CLOSED = 0.25, 0.25
_OPENINGS = (
    "Здравствуйте! ",
    "Добрый день, ",
    "здравствуйте помогите пожалуйста, ",
    "Доброе утро. Третий день не можем войти. ",
    "Пишу из {place}, {school}, {class} класс. ",
    "Ребёнку {age}. ",
    "Звонила на {support}, сказали писать вам. ",
    "Извините что поздно\n",
)
_ENDINGS = (
    " Помогите пожалуйста",
    " Что делать?",
    ", спасибо",
    "\nШкола: {school}, класс {class}",
    ". Жду ответа до {time}",
    ". Учимся с {year} года",
    " !!!",
    ". Номер обращения {order}",
)


# Personal values -------------------------------------------------------------------------------------


def _digits(random: Random, count: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(count))


def _snils_number(random: Random, *, right: bool = True) -> str:
    """Nine digits and their control number, as the Pension Fund counts it."""
    number = str(random.randint(2, 199)).zfill(3) + _digits(random, 6)
    weighed = sum(int(digit) * (9 - place) for place, digit in enumerate(number))
    control = weighed % 101 % 100
    if not right:
        control = (control + random.randint(1, 98)) % 100
    return f"{number}{control:02}"


_SNILS_WAYS = (
    "{}-{}-{} {}",
    "{}-{}-{} {}",
    "{}-{}-{}-{}",
    "{} {} {} {}",
    "{} {} {}-{}",
    "{}.{}.{}.{}",
    "{}{}{}{}",
    "{}{}{}{}",
    "{}{}{} {}",
    "{}{}{}-{}",
    "{}-{}-{}{}",
    "{} - {} - {} {}",
    "{}–{}–{} {}",
    "{}\u00a0{}\u00a0{}\u00a0{}",
    "{}-{}-{}  {}",
    "{} {} {}{}",
)
_LOOKALIKES = {"0": "ОOоo", "3": "Зз", "6": "б", "1": "lI|"}


def _snils(random: Random, *, right: bool = True) -> str:
    number = _snils_number(random, right=right)
    written = random.choice(_SNILS_WAYS).format(number[:3], number[3:6], number[6:9], number[9:])
    return _mistaken(written, random) if random.random() < 0.2 else written


def _mistaken(written: str, random: Random) -> str:
    """Letters in place of some digits, as a hurried thumb or a scanner leaves them."""
    digit = random.choice("0361")
    letter = random.choice(_LOOKALIKES[digit])
    return written.replace(digit, letter, random.choice((1, 2, 9)))


def _passport_parts(random: Random) -> tuple[str, str, str]:
    region = random.choice(("01", "03", "07", "11", "40", "45", "46", "60", "79", "92"))
    return region, random.choice(("00", "03", "07", "10", "14", "16", "18", "20", "22")), _digits(random, 6)


def _passport(random: Random) -> str:
    """In a form that is a passport even without the word."""
    way = random.choice(
        ("{} {} {}", "{} {} {}", "{}{} {}", "{}{}№{}", "{} {} № {}", "{}{} № {}", "{} {} N{}")
    )
    return way.format(*_passport_parts(random))


def _passport_named(random: Random) -> str:
    """In any form that people put after the word."""
    way = random.choice(("{}{}{}", "{}{}-{}", "{}-{}-{}", "{}-{} {}", "{} {}, {}", "{}{}  {}", "{}.{}.{}"))
    return way.format(*_passport_parts(random))


def _passport_spelled(random: Random) -> str:
    way = random.choice(
        ("{}{} номер {}", "{} {} номер {}", "{}{} ном. {}", "{} {}, номер: {}", "{}{} и номер {}")
    )
    return way.format(*_passport_parts(random))


_LATIN = str.maketrans("АВЕКМНОРСТХ", "ABEKMHOPCTX")


def _certificate(random: Random) -> str:
    """Roman figures, two letters and six digits; half of the people have no Roman figures at hand."""
    roman = random.choice(("I", "II", "III", "IV", "V", "I", "I", "1", "1", "VI", "II", "i", "l"))
    letters = random.choice(("АЖ", "ЕР", "АГ", "МЮ", "РЕ", "ЛБ", "ЕВ", "АН", "НО", "ТО", "ЖТ", "ЛО"))
    if random.random() < 0.2:
        letters = letters.translate(_LATIN)
    if random.random() < 0.3:
        roman, letters = roman.lower(), letters.lower()
    way = random.choice(("{}-{} № {}", "{}-{} №{}", "{}-{} {}", "{}-{} N {}", "{} - {} № {}", "{}–{} №{}"))
    return way.format(roman, letters, _digits(random, 6))


def _certificate_named(random: Random) -> str:
    roman = random.choice(("I", "II", "III", "1", "2", "V"))
    letters = random.choice(("АЖ", "ЕР", "АГ", "МЮ", "РЕ", "ЛБ", "ер", "аг"))
    way = random.choice(("{} {} {}", "{}{} {}", "{}-{} номер {}", "{} {} № {}", "{}{}{}", "{}-{}-{}"))
    return way.format(roman, letters, _digits(random, 6))


def _mobile(random: Random) -> str:
    prefix = random.choice(("918", "928", "988", "900", "999", "961", "953", "902", "911"))
    parts = (prefix, _digits(random, 3), _digits(random, 2), _digits(random, 2))
    way = random.choice(
        (
            "8{}{}{}{}",
            "+7{}{}{}{}",
            "8{}{}{}{}",
            "7{}{}{}{}",
            "8 {} {} {} {}",
            "8-{}-{}-{}-{}",
            "+7 ({}) {}-{}-{}",
            "+7({}){}{}{}",
            "8({}){}-{}-{}",
            "8 ({}) {} {} {}",
            "+7 {} {}-{}-{}",
            "+7-{}-{}-{}-{}",
            "8 {} {}{}{}",
            "8{} {} {} {}",
            "{} {}-{}-{}",
            "+ 7 {} {} {} {}",
            "8.{}.{}.{}.{}",
            "8-{}-{}{}{}",
            "({}) {}-{}-{}",
        )
    )
    return way.format(*parts)


def _landline(random: Random) -> str:
    way = random.choice(
        ("8 ({}) {}-{}-{}", "8{}{}{}{}", "8-{}-{}-{}-{}", "+7 {} {}{}{}", "8 {} {}-{}-{}", "+7({}){}-{}-{}")
    )
    code = random.choice(("8772", "8182", "8777", "8443"))
    return way.format(code, _digits(random, 2), _digits(random, 2), _digits(random, 2))


def _local_phone(random: Random) -> str:
    """Only after the word: without it this may be anything."""
    way = random.choice(("{1}-{2}-{3}", "{1} {2} {3}", "{0}{1}{2}{3}1", "{1}{2}{3}"))
    return way.format("928", "52", _digits(random, 2), _digits(random, 2))


def _email(random: Random) -> str:
    name = random.choice(
        (
            "ivanova",
            "petrov.maksim",
            "elena_k",
            "mama-dashi",
            "sidorova85",
            "n.koroleva",
            "Olga.Sm",
            "asdf77",
            "ab",
        )
    )
    if random.random() < 0.4:
        name += str(random.randint(1, 1999))
    host, zone = random.choice(
        (
            ("mail", "ru"),
            ("yandex", "ru"),
            ("gmail", "com"),
            ("bk", "ru"),
            ("list", "ru"),
            ("inbox", "ru"),
            ("ya", "ru"),
            ("rambler", "ru"),
            ("icloud", "com"),
            ("school12.edu", "ru"),
        )
    )
    way = random.choice(
        (
            "{}@{}.{}",
            "{}@{}.{}",
            "{}@{}.{}",
            "{} @{}.{}",
            "{}@ {}.{}",
            "{} @ {}.{}",
            "{} собака {}.{}",
            "{} собака {} точка {}",
            "{}@{} точка {}",
            "{}@{},{}",
            "{}(собака){}.{}",
            "{}@{} .{}",
        )
    )
    if "точка" in way:
        zone = random.choice((zone, "ру")) if zone == "ru" else random.choice((zone, "ком"))
    return way.format(name, host, zone)


def _card_number(random: Random, length: int) -> str:
    body = random.choice(("2200", "2202", "4276", "5469", "4817", "5536", "6390"))
    body += _digits(random, length - 1 - len(body))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def _card(random: Random) -> str:
    length = random.choice((16, 16, 16, 16, 16, 18, 19, 13))
    number = _card_number(random, length)
    mark = random.choice((" ", " ", "-", "", "", "  ", "\u00a0", ".", " - "))
    return mark.join(number[at : at + 4] for at in range(0, length, 4))


_FULL_MONTHS = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
_SHORT_MONTHS = "янв фев мар апр мая июн июл авг сен окт ноя дек"
_MONTHS = (_FULL_MONTHS.split(), _SHORT_MONTHS.split())


def _birth(random: Random) -> str:
    day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(2006, 2019)
    return random.choice(
        (
            f"{day:02}.{month:02}.{year}",
            f"{day:02}.{month:02}.{year}",
            f"{day}.{month}.{year}",
            f"{day:02}.{month:02}.{year % 100:02}",
            f"{day:02}/{month:02}/{year}",
            f"{day:02}-{month:02}-{year}",
            f"{year}-{month:02}-{day:02}",
            f"{day} {_MONTHS[0][month - 1]} {year}",
            f"{day} {_MONTHS[0][month - 1]} {year}",
            f"{day} {_MONTHS[1][month - 1]} {year}",
            f"{day:02} {month:02} {year}",
            f"{day}го {_MONTHS[0][month - 1]} {year}",
            f"{day:02}{_MONTHS[0][month - 1]}{year}",
        )
    )


def _code(random: Random) -> str:
    length = random.choice((4, 4, 5, 6, 6, 6, 6, 8))
    code = str(random.randint(3, 9)) + _digits(random, length - 1)
    if length == 6 and random.random() < 0.25:
        return f"{code[:3]}{random.choice((' ', '-'))}{code[3:]}"
    return code


def _login(random: Random) -> str:
    name = random.choice(
        ("ivanova", "petrov.m", "sidorova_o", "k.elena", "dasha", "koroleva-n", "user", "MaksimP")
    )
    tail = random.choice(
        (str(random.randint(1, 2015)), f"_{random.randint(10, 99)}", f".{random.randint(1, 9)}")
    )
    return name + tail


def _password(random: Random) -> str:
    word = random.choice(
        ("Qwerty", "zimaleto", "Leto", "Masha", "Privet_", "kotik", "Mama", "Гав", "зима", "P@ssw", "sOlnce")
    )
    tail = random.choice(
        (str(random.randint(10, 9999)), f"{random.randint(10, 99)}!", f"#{random.randint(100, 999)}")
    )
    return random.choice((word + tail, word + tail, f"{random.randint(10, 999)}{word}{random.randint(1, 9)}"))


def _digit_password(random: Random) -> str:
    return random.choice(("123456", "12345678", "111111", "1q2w3e4r", _digits(random, 6), _digits(random, 8)))


VALUES: Mapping[str, tuple[str, Callable[[Random], str]]] = {
    "snils": ("snils", _snils),
    "snils_wrong": ("snils", lambda random: _snils(random, right=False)),
    "passport": ("passport", _passport),
    "passport_named": ("passport", _passport_named),
    "passport_spelled": ("passport", _passport_spelled),
    "certificate": ("birth_certificate", _certificate),
    "certificate_named": ("birth_certificate", _certificate_named),
    "phone": ("phone", _mobile),
    "landline": ("phone", _landline),
    "local_phone": ("phone", _local_phone),
    "email": ("email", _email),
    "card": ("card", _card),
    "birth": ("birth_date", _birth),
    "code": ("code", _code),
    "login": ("password", _login),
    "password": ("password", _password),
    "digit_password": ("password", _digit_password),
}


# Numbers that stay -----------------------------------------------------------------------------------


def _one_of(*values: str) -> Callable[[Random], str]:
    return lambda random: random.choice(values)


def _order(random: Random) -> str:
    """Госуслуги number what is sent to them with ten digits; ministries have their own ways."""
    letters = random.choice(("ОГ", "М", "П", "К"))
    return random.choice(
        (
            str(random.randint(10**9, 6 * 10**9)),
            str(random.randint(10**6, 10**7)),
            f"{random.randint(10, 99)}-{random.randint(100, 9999)}/{random.randint(20, 26)}",
            f"{letters}-{random.randint(100, 99_999)}",
            str(random.randint(100_000, 999_999)),
        )
    )


def _event(random: Random) -> str:
    day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(2022, 2026)
    return random.choice(
        (
            f"{day:02}.{month:02}.{year}",
            f"{day} {_MONTHS[0][month - 1]} {year}",
            f"{day} {_MONTHS[0][month - 1]}",
            f"{day:02}.{month:02}",
            f"{day:02}.{month:02}.{year % 100}",
        )
    )


def _time(random: Random) -> str:
    hour, minute = random.randint(7, 22), random.randint(0, 59)
    return random.choice((f"{hour}:{minute:02}", f"{hour}.{minute:02}", f"{hour}-00", f"{hour} часов"))


def _price(random: Random) -> str:
    roubles = random.choice((99, 199, 299, 1599, 1500, 12_000, 25_000, 100_000))
    unit = random.choice((" руб", " рублей", "р", " р.", " ₽", "руб."))
    return f"{roubles}{unit}"


PLAIN: Mapping[str, Callable[[Random], str]] = {
    "order": _order,
    "event": _event,
    "time": _time,
    "price": _price,
    "year": lambda random: str(random.randint(2015, 2026)),
    "school": lambda random: random.choice(
        (
            "школа {}",
            "школа №{}",
            "школа № {}",
            "СОШ {}",
            "МБОУ СОШ № {}",
            "гимназия {}",
            "лицей № {}",
            "сш{}",
        )
    ).format(random.choice((1, 5, 7, 12, 35, 154, 1234, 1520, 2107))),
    "class": lambda random: f"{random.randint(1, 11)}{random.choice(('', ' ', '-'))}{random.choice('абвгд')}",
    "age": lambda random: f"{random.randint(6, 17)} {random.choice(('лет', 'лет', 'полных лет'))}",
    "postal": lambda random: random.choice(("385000", "163000", "385", "164500")).ljust(6, "0"),
    "error": _one_of("404", "500", "403", "502", "1020", "0x80070005", "1001", "12029", "ERR_4031"),
    "law": _one_of(
        "ст. 44 273-ФЗ",
        "ФЗ № 273-ФЗ от 29.12.2012",
        "149-ФЗ",
        "ст. 23 и 24 Конституции РФ",
        "ПП № 584",
        "ПП РФ от 04.02.2022 № 111",
        "152-ФЗ ст. 9 ч. 1",
        "постановление 1241",
        "ч. 1 ст. 23",
    ),
    "prikaz": lambda random: f"{random.randint(100, 9_999_999)} от {_event(random)}",
    "support": _one_of(
        "8 800 100-70-10",
        "88001007010",
        "8-800-100-70-10",
        "8 (800) 100-70-10",
        "8(800)1007010",
        "8 800 100 70 10",
        "+7 800 100 70 10",
        "8 800 200-01-22",
        "8-800-555-35-35",
        "8 800 2000 122",
        "8.800.100.70.10",
    ),
    "short": _one_of("112", "911", "115", "103", "0919", "900"),
    "version": _one_of(
        "12.4.1", "7.10.0 (2203)", "125.0.6422.113", "17.5", "10", "2024.05.1", "v3.28.1 build 4012"
    ),
    "device": _one_of(
        "iPhone 12", "Samsung A52", "Redmi Note 10", "Windows 10", "Android 13", "iPhone13", "Honor 8X"
    ),
    "link": _one_of(
        "https://www.gosuslugi.ru/help/faq/login_child/102380",
        "https://lk.gosuslugi.ru/profile/family",
        "https://login.dnevnik.ru/login/esia/adygea",
        "dnevnik.ru/userfeed",
        "https://schools.dnevnik.ru/v2/marks?school=1000012345678&index=-1&tab=period&period=2185432109876543210",
        "https://esia.gosuslugi.ru/login/?client_id=DNEVNIK01&scope=openid",
        "https://vk.com/wall-12345678_89281234567",
        "www.gosuslugi.ru/10059/1",
        "https://support.dnevnik.ru/hc/ru/articles/225501007",
        "http://school1.ishimobraz.ru/2024/05/12/4510123456.html",
    ),
    "place": _one_of(
        "Майкопа", "Архангельска", "Адыгеи", "посёлка Энем", "станицы Гиагинской", "Северодвинска"
    ),
}


# What parents write ------------------------------------------------------------------------------------


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.replace("⏎", "\n") for line in text.strip().splitlines() if line.strip())


_WORKING_DATA = """
Снилс ребенка {snils} не находит
Пишет что СНИЛС {snils} не совпадает, а он верный!
{snils} это снилс сына, проверьте
у дочери снилс {snils}, у меня {snils}
СНИЛС: {snils}
снилз {snils_wrong} не подходит
снильс {snils_wrong} почему не принимает
номер снилс ребёнка {snils_wrong}, в школе говорят другой
Страховое пенсионное {snils_wrong}, где ошибка?
пенсионное дочки {snils_wrong} не видит портал
Мой СНИЛС {snils_wrong}, сына {snils_wrong}, оба не проходят
в дневнике другой снилс записан, правильный вот {snils_wrong}
Иванова Дарья, 7б, {snils}
Проверьте пожалуйста данные: Петров Максим Олегович {snils}
{snils}
а вот такой {snils} должен быть
Снилс мамы - {snils}; снилс ребенка - {snils}.
Ввожу цифры {snils} и красная строка
зелёная карточка, на ней {snils}
Какой снилс у вас записан? У нас {snils_wrong}⏎Больше ничего не меняли
не совпадает Снилс({snils_wrong})
снилс№{snils_wrong}
снилс ребенка ввожу вот так {snils_wrong} и ничего
Паспорт {passport} выдан УФМС
Паспорт: серия {passport_spelled}
паспорт {passport_named} не проходит проверку
паспортные данные {passport_named}, что не так?
мой паспорт {passport} а пишет данные не подтверждены
{passport} мой паспорт
данные: Сидорова Елена Павловна, {passport}, зарегистрирована в {place}
серия {passport_spelled}
серия {passport_spelled} паспорт новый, фамилию сменила
паспорт сына {passport_named} получили в {year} году
Паспорт гражданина РФ № {passport_named}
в паспорте {passport_named} всё верно, а портал не принимает
Поменяла паспорт, старый {passport_named}, новый {passport_named}
реквизиты паспорта {passport_named}
ввожу {passport} и пишет документ не найден
Свидетельство о рождении {certificate}
свидетельство {certificate_named} не находит
св-во о рождении ребенка {certificate_named} выдано загсом
свидетельство серия {certificate_named} портал отвечает что такого нет
{certificate} не подтверждается уже неделю
метрика {certificate_named}, что вводить в серию?
Номер свидетельства {certificate}, выдано {event}
добавляю ребёнка, свидетельство о рождении {certificate_named}, пишет ошибка {error}
серию и номер ввела как в документе {certificate}
вводили {certificate} и так и эдак
Мой телефон {phone}, перезвоните
тел. {phone}
телефон {local_phone}
позвоните мне {phone} после {time}
{phone} Елена
звоните {phone} или {phone}
Старый номер {phone} уже не мой, код идёт туда
код приходит на {phone}, а этого номера у меня нет
поменяла номер с {phone} на {phone}
Номер мужа {phone} привязан к учётке
домашний телефон {landline}
школа не берёт трубку по {landline}
мой номер для связи: {phone}
сот {phone}, спасибо
ватсап {phone}
номер телефона сына {phone} пишет уже занят
по телефону {local_phone} никто не отвечает
моб.{phone}
можете набрать {phone}? Я на работе до {time}
контактный: {landline}
моя почта {email}
почта: {email}
напишите мне на {email}
Письмо на {email} не приходит
{email} такая почта уже занята пишет
эл адрес {email} не принимает
e-mail {email} телефон {phone}
зарегистрировала на почту {email} а пароль забыла
ребёнку завели {email}, код туда не пришёл
логином сделала {email}
у сына почта {email}, у меня {email}
адрес электронной почты - {email}.
ответ пришлите на {email} пожалуйста
Оплатила подписку с карты {card}
карта {card}
деньги списали с {card} хотя я ничего не подключала
номер карты {card} сняли {price}
верните на карту {card} {price}
{card} Сбер
моя карта мир {card} не проходит
дата рождения {birth}
Сын родился {birth}, пишет что меньше 14 лет
дочь, {birth} г.р., не можем добавить
дочка {birth} года рождения
д.р. {birth}
др {birth} все верно
родилась {birth}, а в дневнике другая дата
дата рожд. {birth}
Иванов Иван Иванович, {birth} г.р., {school}
{birth} родилась младшая
в дневнике дата рождения ребёнка неправильная, верная {birth}
Сыну дата рождения: {birth}, класс {class}
двойняшки, родились {birth}
день рождения {birth}
код {code}
код: {code}
пришёл код {code}, куда вводить?
мне пришло {code} что с этим делать
Код из смс {code} не подходит
смс {code}
пришла смс с кодом {code}
код подтверждения {code}
вот код который прислали {code}
ввожу {code} пишет неверный код
{code} код не принимает
ваш код {code} никому не сообщайте пришло от госуслуг
пин код {code}
пин {code}
Прислали цифры {code}, это что?
циферки такие {code}
sms код {code}
одноразовый пароль {code}
код активации {code}
приходит код - {code} - а строка красная
код с макса {code}
продиктуйте куда ввести код, у меня {code}
пришли цифры {code} и сразу второй код {code}
эсэмэска пришла {code}
пароль {password}
пароль: {password}
логин {login} пароль {password}
логин: {login}, пароль: {password}
Логин {login}⏎Пароль {password}⏎не пускает
мой логин {login}, пароль такой {password}
пароль такой {password} верный точно
временный пароль {password} не подходит
логин ребёнка {login} а пароль {digit_password}
пароль {digit_password}
захожу под логином {login}, пишет неверный пароль
дали логин и пароль: {login} {password}
Логин/пароль {login} / {password}
выдали листочек логин {login} пароль {digit_password}
пароль от дневника {password} поменяйте пожалуйста
пароль был {password}, теперь не пускает
ввожу пароль "{password}" и ничего не происходит
лог: {login} пас: {password}
логин дочки «{login}»
password {password}
новый пароль - {password}
зашла с паролем {password} и всё пропало
Снилс {snils}, паспорт {passport}, телефон {phone}
Иванова Мария, д.р. {birth}, СНИЛС {snils}, тел {phone}
Прошу проверить: СНИЛС {snils}, свидетельство о рождении {certificate}, почта {email}
ДАННЫЕ РЕБЁНКА:⏎ФИО: Петров Пётр Петрович⏎Дата рождения: {birth}⏎СНИЛС: {snils}⏎Школа: {school}
телефон {phone} почта {email} код {code}
логин {login} пароль {password} снилс {snils}
мама {phone} {email}, ребёнок {snils}
Паспорт {passport}, СНИЛС {snils_wrong}. По вашей инструкции делала с {event}, звонила на {support}
учимся в {school}, {class} класс, снилс {snils}, обращение {order}
По закону {law} вы обязаны. Мой телефон {phone}, почта {email}
карта {card} телефон {phone} верните {price}
Ребёнку {age}, СНИЛС {snils}, ошибка {error}, звонила {support}
код {code} пришёл на {phone} в {time}
скиньте на {email} или {phone}, я с {place}
"""

_WORKING_CLEAN = """
Номер обращения {order}, ответа нет
заявление № {order} висит с {event}
Обращение №{order} от {event} закрыли
номер заявки {order} когда ответят
мой заказ {order} не находится
талон {order} в мфц на {time}
по заявлению {order} пришёл отказ
регистрационный номер обращения {order}
Ребёнку {age}, класс {class}
сыну {age}, можно ли ему свою учётную запись?
дочке 13 лет и 11 месяцев
дочь в {class} классе, сын в {class}
{school}, {class} класс, не видно оценок
Мы из {place}, {school}
Школа: {school}. Класс: {class}. Доступ пропал {event}
{school} перешла на дневник с {event}
перевелись из {school} в {school}
код школы 1234 у нас другой
С 1 сентября 2024 вход только через госуслуги
вход закрыли 01.05.2024 и никого не спросили
с {event} не можем зайти
до {event} всё работало, после обновления нет
{event} подали заявление, {event} пришёл ответ
в {year} году регистрировалась, сейчас не помню ничего
не захожу с {year} года
собрание было {event} в {time}
оценки за {event} не выставлены
свидетельство о рождении получили {event}
паспорт выдан {event}
паспорт получили {event}, в дневнике не обновилось
сняли {price} за подписку
подписка стоит {price} в год, это законно?
списали {price} {event}
почему платно {price}
{year} год, а вы всё на бумаге
Звонила на {support}, не дозвониться
телефон поддержки {support} не отвечает
горячая линия {support} отправила в школу
номер {support} правильный?
звоните {support}
позвонила по телефону {support}, ждала 40 минут
на {short} звонить что ли?
смс с номера {short} не приходит
короткий номер {short} бесплатный?
звонила 115 и {support}, говорят ждите
По какому праву? {law}
согласно {law} вы не имеете права
почему нарушаете {law} и {law}
приказ № {prikaz}
приказ № 1234567 от 12.03.2024
приказом {prikaz} ввели госуслуги
постановление № {prikaz} где почитать
письмо министерства № 584 от {event}
распоряжение {prikaz}
часы работы мфц с 9:00 до 18:00
жду с {time} до {time}
окно 5, очередь с {time}
мфц работает 09.00-18.00, обед 13.00-14.00
приложение версия {version}
обновила до {version} и не работает
Android {version}, приложение дневник {version}
телефон {device}, не открывается
у меня {device} браузер хром {version}
открываю {link}, пусто
вот ссылка {link}
{link}
по ссылке {link} ошибка {error}
зашла сюда {link} и что дальше
ошибка {error}
пишет ошибка {error} что делать
код ошибки {error}
код ошибки: {error}, повторить позже
Ошибка {error}: код не принят
сервер отвечает {error}
выскакивает {error} и выкидывает
error code {error}
индекс {postal}
почтовый индекс {postal}, {place}
адрес: {postal}, г. Майкоп, ул. Ленина, д. 45, кв. 12
живём ул. Школьная 10, {postal}
код региона 01 или 29?
пароль не подходит
пароль забыла
логин и пароль от школы не подходят
Ввожу логин и пароль, и ничего не происходит
логин/пароль записаны правильно
пароль не принимает, хотя менял {event}
забыла пароль ещё в {year}
пароль сбросила, письмо не пришло
логин это снилс или телефон?
логин или пароль неверный, ошибка {error}
пароль должен быть 8 символов?
пароль от госуслуг или от дневника?
какой пароль вводить на {device}
логин от старой школы можно?
неверный пароль 3 раза, заблокировали на 30 минут
где взять логин и пароль для {school}
пароль меняли {event}, снова просит
временный пароль выдали в {school} не работает
Пароль из смс не приходит
логин dnevnik.ru или госуслуг?
логин и пароль от max не нужен?
восстановить пароль через email
код не приходит
смс не приходит уже {time}
код приходит через 30 минут
код не приходит с {event}
код ввожу а он неверный
код действует 5 минут или 300 секунд?
жду смс с {time}
код пришёл только на {year} год рождения ругается
не приходит код на {device}
за смс сняли {price}
код доступа просит 4 цифры, где взять
просит код из 6 цифр
пришёл отказ от {event}
пришло письмо № {prikaz}
пришло уведомление {event} в {time}
пришёл ответ на обращение {order}
снилс не совпадает
где взять снилс ребёнку
номер СНИЛС 11 цифр, а просит 14
снилс в дневнике другой, номер заявления {order}
СНИЛС получали в {year}
снилс не видит, ошибка {error}
паспорт не проходит проверку 3 раза
паспорт ещё не получили, 14 исполнится {event}
паспорта нет, ребёнку {age}
какая серия и номер у свидетельства
свидетельство старое, выдано до {year} года
свидетельство о рождении не находит с {event}
карта мир нужна для подписки за {price}?
дата рождения не совпадает
в дате рождения ошибка, {event} исправляли и опять
неправильная дата рождения, класс {class}, {school}
сын родился в {year} году
дочь {year} г.р., а не пускает как маленькую
моя почта на яндексе не принимается
письмо на почту не приходит, жду с {time}
собака съела листочек с паролем
подпишитесь на @gosuslugi_bot
@dnevnik_support молчит
мой телефон не берёт сеть
телефон не привязан, номер сменила {event}
двойки за {event}: 2, 2, 3
оценки 5 5 4 3 5 4 не видны
оценка 4 за контрольную 12 стр. 45 № 123
набрал 85 из 100 баллов, 1200 место
нас 25 человек в классе, у 12 не работает
кабинет 215, 3 этаж, {time}
стою в очереди 1234 номер
в справке 100500 букв
с 1 по 11 класс и 2025-2026 учебный год
учебный год 2024/2025 не открывается
2 четверть 2025 не видна
В {year} - {year} учебном году всё было нормально
третий раз пишу!!! 1) снилс верный 2) паспорт верный 3) школа {school}
10 раз звонила, 20 минут слушала музыку, {support}
рейс 1234, поезд 567, уехали, вход нужен срочно
версия 2024.05.1 от {event}, {device}
max не ставлю из принципа, {law}
Спасибо, всё получилось
как попасть в дневник и вообще ничего не получается
"""

_LATER_DATA = """
Девочки подскажите, вбиваю снилс старшей {snils} а он её не признаёт
СНИЛС у нас {snils_wrong} и в карточке так же, сверяла трижды
сверьте: Смирнова Алиса Игоревна — {snils}
муж говорит диктуй им снилс, диктую: {snils_wrong}
в дневнике стоит {snils} а на зелёненькой карточке {snils}
может вы снилс перепутали? наш {snils_wrong}
снилсы детей: {snils_wrong} и {snils_wrong}
на портале пишут, что такой снилс ({snils}) уже есть у другого человека
паспорт у меня {passport}, выдавали в МФЦ
при подтверждении личности ввела {passport} и всё зависло
Мои документы: паспорт РФ {passport_named}, прописка {place}
дочь получила паспорт — {passport_named} — а в профиле до сих пор свидетельство
сканирую паспорт, он читает {passport_named}
паспортные: сер. {passport_spelled}
загс дал новое свидетельство, {certificate}, старое потеряли
Добавляю второго ребёнка, свидетельство {certificate_named}, кнопка серая
ввела реквизиты акта и {certificate}, не помогло
можно мне набрать? мой сотовый {phone}
я на связи по {phone} весь день
Наталья, {phone}
у ребёнка симка {phone}, у меня симка {phone}
смс уходит на старый {phone}, номер давно у чужих людей
бабушкин номер {phone} указали, а она без телефона сейчас
в приёмной школы {landline} не берут
пишите в вотсап {phone} или на {email}
ящик {email} я потеряла, доступа нет
в профиле указана {email}, как поменять?
скинула скрины на {email}, проверьте
Регистрировала сыночка, мыло {email}
не могу восстановить доступ к {email}
электронка {email} не подтверждается
автоплатёж ушёл с моей {card}, верните
Сбербанк {card}, туда и верните {price}
вот карточка {card}, с неё и списывают
Мальчик, родился {birth}, гражданство РФ
у младшей др {birth} а вы пишете старше
Кузнецов Артём {birth} года рождения {class} класс
неверно указана дата рождения: у вас {birth}, а надо {birth}
мне на телефон скинули {code} и попросили продиктовать
Код подтверждения госуслуг {code} не подошёл
получила смску, там {code}, куда это
в сообщении цифры {code}
второй раз приходит {code}, и опять неверный код
код от макса вот он {code}
Вход: {login} / пароль {password}
учитель дал бумажку: логин — {login}, пароль — {password}
пароль поставили {password} и забыли записать
под логином {login} не пускает, пароль {digit_password} верный
мой пароль на госуслугах {password}, может сбросите?
зайдите сами, логин {login} пароль {password}
Заявитель: Орлова Ирина, {birth} г.р., паспорт {passport}, СНИЛС {snils}, тел. {phone}, {email}
"""

_LATER_CLEAN = """
Мы третий год мучаемся, начиная с {year}, и никому нет дела
заявление {order} приняли, а толку
Мне присвоили номер {order}, что с ним делать
прокуратура ответила письмом от {event} № 1234-56
входящий № {order} от {event}
прикладываю скрин, там ошибка {error}
у меня стоит {device}, обновление {version}
родительское собрание {event} в {time}, кабинет 304
ребёнок учится в {class}, {school}, {place}
{school} это вообще не наша, мы из {school}
почему в {school} всё работает, а у нас нет
классный руководитель сказала ждать до {event}
жалобу отправила {event}, ответ обещали за 30 дней
сказали позвонить {support}, это бесплатно?
Дозвонилась на {support} только с пятого раза
с {time} до {time} никто трубку не берёт
деньги {price} сняли без спроса
1599 рублей за оценки, вы серьёзно
дочке исполнилось {age}, паспорт делаем
ему {age}, паспорт дадут только {event}
смотрим тут {link} и ничего не понимаем
инструкция {link} устарела, там {year} год
Согласно {law} образование бесплатное
ссылаетесь на {law}, а где сам текст
приказ министерства {prikaz} пришлите
у нас 3 детей, двое в {school}, один в садике 15
в классе 28 учеников и у 27 всё хорошо
набрала 100 раз этот пароль, он верный
пароль сложный, 12 знаков, с большой буквой
логин не помню, пароль тоже
логином раньше была фамилия, теперь снилс
почему логин и пароль отменили с {event}
пишет неверный логин или пароль {error}
новый пароль придумали ещё в {year} году
какой код вводить из 6 цифр или из 4
код протух, прошло 10 минут
код запросила в {time}, жду
смс пришло через 2 часа
код подтверждения прислали в {time}, а сайт завис
снилс поменяли после развода в {year}
снилс один, а ошибок 2
СНИЛС ребёнка оформляли {event} в МФЦ
дату рождения в журнале исправили {event}
день рождения в {year} году перепутали
свидетельство выдали {event}, загс №3
паспорт меняли в 20 лет и в 45
телефон {device} без интернета
номер телефона сменила {event}
почта России индекс {postal}
электронная почта есть, письма нет с {event}
карту Мир заблокировали {event}
итого за год: 5 двоек, 12 троек, средний балл 3.45
посещаемость 87%, 1200 уроков
у сына 345 баллов из 500 в олимпиаде 2024
живём в доме 12 квартира 345, интернет тянет 100 мбит
автобус 104 в 7:30, сидеть с вашим сайтом некогда
Уважаемая администрация, обращаюсь повторно ({order})
вчера 502, сегодня 404, завтра что?
"""

_LAST_DATA = """
нам в соцфонде дали {snils}, а у вас другой
снилс внука {snils_wrong}, я бабушка, опекун
Вношу {snils} - говорит формат неправильный
СНИЛС-то у него {snils_wrong}! Откуда ваш взялся
голосом: снилс {snils} дальше не идёт
посмотрите, тот ли снилс привязан... {snils_wrong}
ребёнок новенький, {snils}, в списке его нет
паспорт муж менял, теперь {passport_named}, старый аннулирован
для подтверждения просит паспорт, даю: {passport}
мой {passport}, всё верно внесено
подросток получил паспорт (серия {passport_spelled})
Копия паспорта нужна? {passport_named}
рождение подтверждаем документом {certificate}
Свидетельство о рождении сына: {certificate_named}. Верно?
в свидетельстве вот так: {certificate}
дозвониться до меня можно так {phone}
Ольга Викторовна, т. {phone}
мобильный супруги {phone}, мой {phone}
скажите учителю пусть наберёт {phone}
номер в профиле {phone}, а симку заблокировали
мы на даче, звоните на городской {landline}
отправьте ссылку сюда {email} а то в чате не открывается
учётка висит на {email}, это ящик бывшего мужа
почтовый ящик ребёнка {email} система не берёт
Связь: {phone}, {email}
пришлите мне копию на почту {email} будьте добры
перевела с карточки {card} а доступ не дали
номер карточки {card}, вернёте?
дочурка появилась на свет, дата рождения {birth}
сыночек {birth} г.р. учится в {class}
рождена {birth} в {place}
родился наш {birth}, на портале другое число
д.р. ребёнка — {birth}
код с телефона {code} не принимает
мне пришёл код: {code}. Его сюда писать?
вот цифры из смс: {code}
набираю код {code} а он просроченный
подскажите, {code} это код от вас?
на мой номер пришло {code}
код доступа {code} дала учительница
смс с кодом {code} приходит, а окошка для него нет
Логин у дочери {login}, пароль вроде {password}
классная дала: {login} — логин, пароль — {password}
пароль поменяла на {password} и всё равно не пускает
логин {login} забыли пароль к нему
пишу пароль {password} большими и маленькими буквами
пароль от учётки сына {digit_password}, логин {login}
в листочке написано логин {login}
Анкета:⏎телефон {phone}⏎почта {email}⏎СНИЛС {snils}⏎паспорт {passport}⏎дата рождения {birth}
"""

_LAST_CLEAN = """
у вас в базе ошибка {error}, звонили на {support}
когда откроют? обещали {event}
стоимость {price} за четверть, откуда такие цены
перешли в {class}, а дневник показывает прошлый год
номер моего обращения на портале {order}
мне ответили по обращению {order}, но не по сути
школа ссылается на приказ {prikaz}
в положении от {event} нет ни слова про госуслуги
по {law} вы должны дать другой способ
{school}, {class}, учитель Петрова
в {school} 1200 детей и никто не может войти
сыну в {year} году будет 14
ребёнку {age}, рост 150, в школу с 6 лет
пароль ввожу 10 раз, не помогает
пароль просит сменить каждые 90 дней
пароль и код, всё по кругу, с {time}
забыл логин, класс {class}
логин на латинице или по-русски?
Код пришёл, ввела, пишет что истёк {time}
код из смс не успеваю ввести за 60 секунд
смски приходят с задержкой 15 минут
СМС за {event} не доставлены
получаю код на старый телефон, сменить можно?
после ввода кода ошибка {error}
код от домофона помню, а этот нет
на сайте {link} пишут одно, в школе другое
зашёл на {link} с {device}
версия {version} вылетает на {device}
поддержка {support} сказала обратиться в {school}
звонок на {support} длился 25 минут
снилс есть, паспорт есть, а входа нет с {event}
снилс ввожу 3 раз, пишет формат 000-000-000 00
СНИЛС в школу относили {event}
по снилс и паролю вход не работает, только по телефону
дата выдачи паспорта {event}, код подразделения знаю
паспорту 20 лет, менять буду {event}
свидетельство о рождении в школе с {year} года лежит
дата рождения в свидетельстве верная, а в дневнике {event} исправили и снова не то
ребёнок родился в другой стране в {year} году
родительский день {event}, приходите
карта жителя Адыгеи подойдёт?
на карте было {price}, стало 0
телефон разрядился, 2% осталось, {time}
на почту ничего нет, проверила спам, {event}
адрес школы: {postal}, {place}, ул. Мира, 12
{order} это номер заявления, проверьте
в дневнике 4 двойки за {event}, а ребёнок болел с {event}
на дворе {year}, а сайт как в 2005
прошло 45 дней, ответа на {order} нет
из 30 родителей зарегистрировались 12
до конца четверти 2 недели, {event} каникулы
температура 38.5, сидим дома, задания не видно
работаю до {time}, перезвонить не смогу
три ребёнка: {class}, {class} и {class}
Подписка 1 599 руб в год, 12 месяцев, за что
"""

WORKING: tuple[str, ...] = (
    *_lines(_WORKING_DATA),
    *_lines(_WORKING_CLEAN),
    *_lines(_LATER_DATA),
    *_lines(_LATER_CLEAN),
    *_lines(_LAST_DATA),
    *_lines(_LAST_CLEAN),
)
"""The templates that the mask was written against; later and last were held out once, then learnt from."""

_HELD_OUT_DATA = """
вписали ему чужой снилс, его настоящий {snils}
{snils_wrong} - снилс, в чём ошибка не вижу
снилсик доченьки {snils} верный!
пробовала снилс с пробелами {snils_wrong} и без
Данные второго ребенка: снилс {snils}, свидетельство {certificate}
мужу выдали паспорт {passport_named} в {place}
{passport} - паспорт мамы
документ {passport} проверяют уже неделю
вписывала паспорт так: {passport_spelled}
новорождённому дали {certificate}, куда внести?
по свидетельству {certificate_named} ребёнок не находится
Свидетельство ({certificate}) есть
в случае чего {phone}, Марина
куратору передайте мой номер {phone}
{phone} мой, {phone} мужа
не приходит ничего на {phone}, уже и перезагружала
перезвоните по номеру {landline} с {time}
вместо моего указан мейл {email}
учётка привязана к {email}
{email} - рабочая, {email} - личная
восстановление идёт на {email}, пароля от неё нет
перевод делала с {card} на подписку
кредитка {card}, спишите обратно {price}
ребенок {birth} рождения
Алёнка родилась {birth} а система считает что ей меньше
дата рождения Миши {birth}, Маши {birth}
сын у нас {birth} г. р.
вот код, {code}, что дальше
смс от госуслуг {code}
пришло сообщение: {code}
вводила {code}, говорит код неверный
в смске код {code}
одноразовый код {code} сработал только раз
PIN {code}
почему код {code} недействителен
с логином {login} и паролем {password} заходила до {event}
вот мой пароль: {password}
доступы: логин {login}, пароль {digit_password}
пароль на дневник был {password}
раньше логин {login} работал
ФИО Котова Анна, тел {phone}, дочь {birth} г.р., снилс {snils}, {school}
"""

_HELD_OUT_CLEAN = """
{place}, {school}, {class}: ни один родитель не может войти
в пятницу {event} сайт лежал с {time}
сколько стоит? видела {price} и {price}
обращение за номером {order} потеряли
мы в очереди, номер {order}
ответ № {order} от {event} ни о чём
{law}, читайте внимательно
учитель сказала, по приказу {prikaz} бумажных нет
{support} отвечает робот
набираю {support}, сбрасывает
{device}, браузер свежий, версия {version}
не грузится {link}
{age} ребёнку, а пишет младше 14
перевод в {class} с {event}
Пароль меняла {event}, опять не тот
пароль не вспомню, столько лет прошло с {year}
логин есть, пароля нет
пароль надо не короче 8 знаков
ввела логин, пароль, капчу, получила {error}
код не подходит 5 раз подряд
код запрашивала в {time} и в {time}
код идёт 10 минут, а живёт 5
смс нет с {event}
пришло 5 смс и все без кода
снилс проверяют уже 10 дней
снилс оформлен в {year}, паспорт в {year}
в паспорте штамп от {event}
дата рождения верная, проверяли {event}
дни рождения у двойни разные, 11 минут до полуночи
у ребёнка день рождения был, исполнилось {age}
карту потеряла {event}, подписка {price} списалась
телефон новый, {device}, номер старый
почта работает, письма с {event} в спаме
{postal} {place}
кабинет 12, окно 3, талон А045, в {time}
300 родителей подписались, {event} отнесём
в {year} году всё было проще
ошибка {error}, ошибка {error}, и так весь день
двойка за {event}, исправили на 4
у меня двое: {age} и {age}
"""

HELD_OUT: tuple[str, ...] = _lines(_HELD_OUT_DATA) + _lines(_HELD_OUT_CLEAN)
"""Templates written after the mask was finished; it was not changed for them."""

HELD_OUT_SIZE = 2_000
"""Messages made of them."""
