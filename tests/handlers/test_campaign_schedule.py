"""When announcements start: what operators type, what is planned, and whose evening it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.campaigns.cron import Cron
from handlers.campaigns.schedule import (
    Planned,
    Schedule,
    ScheduleError,
    Window,
    first_launches,
    in_words,
    is_open,
    next_launches,
    opens_at,
    read,
    read_window,
)

MOSCOW = "Europe/Moscow"


def moscow(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=ZoneInfo(MOSCOW)).astimezone(UTC)


NOW = moscow("01.08.2026 12:00")


def typed(text: str, *, until: str = "", step_minutes: int = 0, window: str = "") -> Schedule:
    return read(text, zone=MOSCOW, now=NOW, until=until, step_minutes=step_minutes, window=window)


def starts(planned: list[Planned]) -> list[str]:
    assert all(each.due_at.tzinfo is UTC for each in planned)
    return [
        f"{each.due_at.astimezone(ZoneInfo(MOSCOW)):%d.%m %H:%M} {each.municipality}".rstrip()
        for each in planned
    ]


# ---- what operators type, and how it is said back


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("31.08.2026 10:00", "31 августа 2026 года в 10:00"),
        ("31.08.2026, в 9.05", "31 августа 2026 года в 9:05"),
        ("2026-08-31T10:00", "31 августа 2026 года в 10:00"),
        (
            "15.08.2026 9:00; 25.08.2026 9:00; 31.08.2026 9:00;",
            "15, 25 и 31 августа 2026 года в 9:00",
        ),
        ("25.08.2026 9:00; 15.08.2026 9:00", "15 и 25 августа 2026 года в 9:00"),
        ("31.08.2026 9:00; 1.09.2026 9:00", "31 августа, 1 сентября 2026 года в 9:00"),
        (
            "25.08.2026 9:00; 1.09.2026 10:00",
            "25 августа 2026 года в 9:00; 1 сентября 2026 года в 10:00",
        ),
        ("31.12.2026 9:00; 11.01.2027 9:00", "31 декабря 2026 года, 11 января 2027 года в 9:00"),
        ("cron 0 10 * * 1", "по понедельникам в 10:00"),
        ("CRON: 0 10 * * mon", "по понедельникам в 10:00"),
        (
            "cron 0 10 * * 1 до 31.12.2026",
            "по понедельникам в 10:00, до 31 декабря 2026 года включительно",
        ),
    ],
)
def test_what_is_typed_is_said_back_in_words(text: str, words: str) -> None:
    assert in_words(typed(text)) == words


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 10 * * *", "каждый день в 10:00"),
        ("30 9,18 * * *", "каждый день в 9:30 и 18:30"),
        ("5 * * * *", "каждый день на 5-й минуте каждого часа"),
        ("0 * * * 6", "по субботам в начале каждого часа"),
        ("0 10 * * 1-5", "с понедельника по пятницу в 10:00"),
        ("0 10 * * 6,0", "по субботам и воскресеньям в 10:00"),
        ("0 10 * * 5-7", "с пятницы по воскресенье в 10:00"),
        ("0 10 * * 1,4", "по понедельникам и четвергам в 10:00"),
        ("0 10 * * 2#2", "во второй вторник месяца в 10:00"),
        ("0 10 * * 3#1", "в первую среду месяца в 10:00"),
        ("0 10 * * 7L", "в последнее воскресенье месяца в 10:00"),
        ("0 10 * 8,9 *", "каждый день в августе и сентябре в 10:00"),
        ("0 10 15,25 8 *", "15-го и 25-го числа в августе в 10:00"),
        ("0 10 31 8 *", "31-го числа в августе в 10:00"),
        ("0 10 31 * *", "31-го числа (в месяцах, где оно есть) в 10:00"),
        ("0 10 L * *", "в последний день месяца в 10:00"),
        ("0 10 1,LW * *", "1-го числа и в последний день месяца с понедельника по пятницу в 10:00"),
        # Debian's quirk: either is enough, but with a star both are needed.
        ("0 10 1 * 1", "1-го числа и, кроме того, по понедельникам в 10:00"),
        (
            "0 10 */10 9 1",
            "по понедельникам, но только 1-го, 11-го, 21-го и 31-го числа (в месяцах, где оно есть)"
            " в сентябре в 10:00",
        ),
        ("0 10 1-31 * 1", "каждый день в 10:00"),
        ("0 10 15 * 0-6", "каждый день в 10:00"),
        ("0 10 */1 * 1", "по понедельникам в 10:00"),
    ],
)
def test_cron_in_words(expression: str, words: str) -> None:
    assert Cron(expression).in_words() == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Укажите, когда отправлять"),
        (" ; ", "Укажите, когда отправлять"),
        ("завтра", "Непонятно, когда «завтра»"),
        ("31.08.2026", "Непонятно, когда «31.08.2026»"),
        ("31.06.2027 10:00", "Даты «31.06.2027 10:00» не бывает"),
        ("31.08.2026 24:00", "укажите следующий день"),
        ("31.08.2026 10:75", "Времени «10:75» не бывает"),
        ("31.07.2026 10:00", "уже прошло"),
        ("31.08.2062 10:00", "проверьте, верно ли указан год"),
        ("31.08.2026 10:00; 31.08.2026 10:00", "названо дважды"),
        ("15.08.2026 9:00; 31.07.2026 9:00", "«31.07.2026 09:00» уже прошло"),
        ("cron 0 10 * *", "пять полей"),
        ("cron 0 10 * * 1 * *", "пять полей"),
        ("cron 0 25 * * *", "часов не бывает"),
        ("cron 0 10 * * пн", "пять полей"),
        ("cron 0 10 * * mo", "дня недели не бывает"),
        ("cron * * * * *", "Чаще раза в час"),
        ("cron */20 10 * * *", "Чаще раза в час"),
        ("cron 0 10 30 2 *", "числа месяца не бывает"),
        ("cron 0 10 29 2 */7", "не начнётся ни разу в ближайшие два года"),
        ("cron 0 10 1 9 * до 31.08.2026", "не начнётся ни разу до 31 августа 2026 года включительно"),
        ("cron 0 10 * * 1 до лета", "Непонятно, до какого дня «лета»"),
    ],
)
def test_what_cannot_be_is_answered_with_one_sentence(text: str, said: str) -> None:
    with pytest.raises(ScheduleError) as refusal:
        typed(text)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_more_of_what_cannot_be() -> None:
    with pytest.raises(ScheduleError, match="только у повторяющейся"):
        typed("31.08.2026 10:00", until="31.12.2026")
    with pytest.raises(ScheduleError, match="Шаг между муниципалитетами"):
        typed("31.08.2026 10:00", step_minutes=-5)
    with pytest.raises(ScheduleError, match="Часовой пояс «Europe/Maikop» неизвестен"):
        read("31.08.2026 10:00", zone="Europe/Maikop", now=NOW)
    with pytest.raises(ScheduleError, match="Больше 50 дат"):
        typed(";".join(f"{day}.{month}.2027 10:00" for day in range(1, 18) for month in (1, 2, 3)))
    with pytest.raises(ScheduleError, match="часы в эту ночь переводят"):
        read("28.03.2027 2:30", zone="Europe/Berlin", now=NOW)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "с 9:00 до 20:00"),
        ("9–20", "с 9:00 до 20:00"),
        ("с 10:30 до 18", "с 10:30 до 18:00"),
        ("0-24", "с 0:00 до 24:00"),
        ("9:00–20:00, кроме воскресений", "с 9:00 до 20:00, кроме воскресений"),
        ("9-20 кроме праздничных дней", "с 9:00 до 20:00, кроме праздников"),
        ("9-20, кроме воскресений и праздников", "с 9:00 до 20:00, кроме воскресений и праздников"),
    ],
)
def test_the_send_window_is_read_as_people_write_it(text: str, words: str) -> None:
    assert read_window(text).in_words() == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("днём", "Непонятно, в какие часы"),
        ("9–9", "пустое"),
        ("20–9", "пустое"),
        ("9–25", "«25:00» не бывает"),
        ("9–20, кроме", "в какие дни не отправлять"),
        ("9–20, кроме суббот", "в какие дни не отправлять"),
        ("9–20, по воскресеньям", "в какие дни не отправлять"),
    ],
)
def test_a_window_that_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(ScheduleError, match=said) as refusal:
        read_window(text)
    assert "\n" not in str(refusal.value)


# ---- what is planned


def test_each_moment_of_a_series_is_a_launch() -> None:
    schedule = typed("15.08.2026 9:00; 25.08.2026 9:00; 31.08.2026 9:00")
    assert starts(first_launches(schedule, ["Майкоп", "Адыгейск"], NOW)) == [
        "15.08 09:00",
        "25.08 09:00",
        "31.08 09:00",
    ]
    assert next_launches(schedule, NOW, []) == []


def test_municipalities_take_turns_and_whoever_has_none_comes_last() -> None:
    schedule = typed("31.08.2026 10:00", step_minutes=30)
    planned = first_launches(schedule, ["Майкоп", "Адыгейск", "Майкоп"], NOW)
    assert starts(planned) == ["31.08 10:00 Майкоп", "31.08 10:30 Адыгейск", "31.08 11:00"]
    assert {each.wave for each in planned} == {moscow("31.08.2026 10:00")}
    with pytest.raises(ScheduleError, match="нет ни одного муниципалитета"):
        first_launches(schedule, [], NOW)
    assert in_words(schedule) == "31 августа 2026 года в 10:00; муниципалитеты по очереди, через 30 мин."


def test_a_repeating_campaign_is_planned_one_ahead_until_its_last_day() -> None:
    schedule = typed("cron 0 10 * * 1 до 17.08.2026")
    assert starts(first_launches(schedule, [], NOW)) == ["03.08 10:00"]
    # The moment itself is no next one.
    assert starts(next_launches(schedule, moscow("03.08.2026 10:00"), [])) == ["10.08 10:00"]
    assert starts(next_launches(schedule, moscow("10.08.2026 10:00"), [])) == ["17.08 10:00"]
    assert next_launches(schedule, moscow("17.08.2026 10:00"), []) == []


def test_a_schedule_that_waited_too_long_for_approval_does_not_start_in_the_past() -> None:
    schedule = typed("15.08.2026 9:00; 25.08.2026 9:00")
    with pytest.raises(ScheduleError, match=r"«15\.08\.2026 09:00» уже прошло"):
        first_launches(schedule, [], moscow("15.08.2026 9:30"))


def test_ten_o_clock_is_the_region_s() -> None:
    vladivostok = read("cron 0 10 * * *", zone="Asia/Vladivostok", now=NOW)
    assert first_launches(vladivostok, [], NOW)[0].due_at == datetime(2026, 8, 2, 0, 0, tzinfo=UTC)
    berlin = read("cron 0 10 * * *", zone="Europe/Berlin", now=NOW)
    summer, winter = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert next_launches(berlin, summer - timedelta(days=1), [])[0].due_at.hour == 8
    assert next_launches(berlin, winter, [])[0].due_at.hour == 9


# ---- quiet hours are the reader's


def test_ten_in_moscow_is_evening_in_vladivostok() -> None:
    window, morning = Window(), moscow("31.08.2026 14:00")
    assert is_open(window, MOSCOW, morning)
    assert not is_open(window, "Asia/Vladivostok", morning)
    assert opens_at(window, "Asia/Vladivostok", morning) == datetime(2026, 8, 31, 23, 0, tzinfo=UTC)
    assert opens_at(window, MOSCOW, morning) == morning


def test_the_window_closes_at_its_last_minute() -> None:
    window = Window()
    assert not is_open(window, MOSCOW, moscow("31.08.2026 8:59"))
    assert is_open(window, MOSCOW, moscow("31.08.2026 9:00"))
    assert is_open(window, MOSCOW, moscow("31.08.2026 19:59"))
    assert not is_open(window, MOSCOW, moscow("31.08.2026 20:00"))
    assert opens_at(window, MOSCOW, moscow("31.08.2026 20:00")) == moscow("01.09.2026 9:00")
    assert is_open(Window(0, 24 * 60), MOSCOW, moscow("31.08.2026 23:59"))


def test_sundays_and_holidays_are_left_alone_where_that_was_asked() -> None:
    sunday, holiday = moscow("30.08.2026 10:00"), moscow("04.11.2026 10:00")
    assert is_open(Window(), MOSCOW, sunday)
    assert opens_at(Window(but_sundays=True), MOSCOW, sunday) == moscow("31.08.2026 9:00")
    assert is_open(Window(but_sundays=True), MOSCOW, holiday)
    assert opens_at(Window(but_holidays=True), MOSCOW, holiday) == moscow("05.11.2026 9:00")
    eve = moscow("31.12.2026 21:00")
    after = opens_at(Window(but_sundays=True, but_holidays=True), MOSCOW, eve)
    assert after == moscow("09.01.2027 9:00")  # a Saturday


ZONES = st.sampled_from(
    [MOSCOW, "Europe/Kaliningrad", "Asia/Kamchatka", "Europe/Berlin", "Australia/Lord_Howe"]
)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
WINDOWS = st.tuples(st.integers(0, 1440), st.integers(0, 1440), st.booleans(), st.booleans()).filter(
    lambda each: each[0] < each[1]
)


@given(window=WINDOWS.map(lambda each: Window(*each)), zone=ZONES, now=MOMENTS)
@example(window=Window(150, 180), zone="Europe/Berlin", now=datetime(2026, 3, 29, 0, 0, tzinfo=UTC))
@example(window=Window(120, 150), zone="Europe/Berlin", now=datetime(2026, 10, 25, 0, 45, tzinfo=UTC))
def test_a_window_opens_in_the_open_and_not_a_minute_later(window: Window, zone: str, now: datetime) -> None:
    opening = opens_at(window, zone, now)
    assert opening >= now
    assert is_open(window, zone, opening)
    if opening > now:
        assert not is_open(window, zone, now)
        # Where clocks go forward over the opening, the hour that was left out is forgiven.
        jumps = ZoneInfo(zone).utcoffset(opening) != ZoneInfo(zone).utcoffset(opening - timedelta(hours=2))
        assert jumps or not is_open(window, zone, opening - timedelta(minutes=1))


# ---- kept as JSON, whatever is typed


@given(
    moments=st.lists(MOMENTS, min_size=1, max_size=5, unique=True),
    window=WINDOWS.map(lambda each: Window(*each)),
    zone=ZONES,
    step=st.integers(0, 1440),
)
def test_a_schedule_survives_being_kept(
    moments: list[datetime], window: Window, zone: str, step: int
) -> None:
    kind = "series" if len(moments) > 1 else "once"
    schedule = Schedule(kind, zone, tuple(sorted(moments)), step_minutes=step, window=window)  # type: ignore[arg-type]
    assert Schedule.from_plain(schedule.to_plain()) == schedule


def test_a_repeating_schedule_survives_being_kept() -> None:
    schedule = typed("cron 0 10 * * 1", until="31.12.2026", window="10–18, кроме воскресений")
    assert schedule.until == date(2026, 12, 31)
    assert Schedule.from_plain(schedule.to_plain()) == schedule


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"kind": "sometimes", "zone": MOSCOW},
        {"kind": "once"},
        {"kind": "once", "zone": MOSCOW, "moments": ["soon"]},
        {"kind": "once", "zone": MOSCOW, "moments": [5]},
        {"kind": "repeating", "zone": MOSCOW},
        {"kind": "once", "zone": MOSCOW, "moments": ["2026-08-31T10:00:00+00:00"], "window": 5},
        {"kind": "series", "zone": MOSCOW, "moments": ["2026-08-31T10:00:00+00:00"]},
    ],
)
def test_what_was_kept_badly_is_one_sentence(plain: dict[str, object]) -> None:
    with pytest.raises(ScheduleError) as refusal:
        Schedule.from_plain(plain)
    assert "\n" not in str(refusal.value)


@given(st.text(max_size=60) | st.text("0123456789*,-/#LW cron;.:до", max_size=60))
@example("cron 0 10 * * " + "1" * 100)
@example("cron ² 10 * * *")
def test_whatever_is_typed_is_a_schedule_or_a_sentence(text: str) -> None:
    try:
        schedule = typed(text)
    except ScheduleError as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017 - either outcome is right
        return
    assert in_words(schedule)
    assert first_launches(schedule, [], NOW)


DAYS = ("*", "*/2", "*/10", "1", "31", "28-31", "1,15", "1-31", "L", "LW", "15,L")
WEEKDAYS = ("*", "*/2", "1", "0", "7", "1-5", "6,7", "0-6", "1#1", "7#2,3L", "1,3#5")
MONTHS = ("*", "8", "2", "8-9", "1-12", "*/4")


def test_what_reads_the_same_comes_at_the_same_times() -> None:
    times: dict[str, list[datetime]] = {}
    for hours, days, months, weekdays in product(("*", "9,18"), DAYS, MONTHS, WEEKDAYS):
        try:
            cron = Cron(f"0 {hours} {days} {months} {weekdays}")
        except ScheduleError:
            continue
        comes = _next_times(cron)
        assert times.setdefault(cron.in_words(), comes) == comes, (cron.text, cron.in_words())
    assert len(times) > 500


def _next_times(cron: Cron) -> list[datetime]:
    found = [NOW]
    while len(found) < 15 and (coming := cron.after(found[-1], zone="UTC")) is not None:
        # Other days matter, not the same hours again.
        found.append(coming if len(found) < 3 else coming.replace(hour=23))
    return found
