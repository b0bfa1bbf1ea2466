"""Sentences about announcements for those who write and steer them. Russian, short, «вы».

Functions take what a person typed raw and escape it themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from faq.markup import escape
from handlers.texts import time
from handlers.texts.basics import CHANNEL_NAMES
from storage.campaigns.campaign import (
    ALIVE,
    Audience,
    Campaign,
    CampaignState,
    Category,
    Launch,
    LaunchState,
    Progress,
    ReaderState,
    Stage,
)
from storage.campaigns.wishes import Wish

# ---- what readers see

BUTTON_UNSUBSCRIBE = "Отписаться"


def of_school(name: str) -> str:
    """A school in the genitive: «школы «Лицей № 35»»; whoever named none reads of theirs."""
    if not name:
        return "вашей школы"
    return f"школы {escape(name)}" if "«" in name else f"школы «{escape(name)}»"


def of_municipality(name: str) -> str:
    """A municipality in the genitive."""
    return f"муниципалитета «{escape(name)}»" if name else "вашего муниципалитета"


# ---- words

PLACEHOLDERS: Mapping[str, str] = {
    "{регион}": "название региона: «Республика Адыгея»",
    "{в регионе}": "«в Республике Адыгея»",
    "{школа}": "школа читателя в родительном падеже: «школы «Лицей № 35»» или «вашей школы»",
    "{муниципалитет}": "«муниципалитета «Майкоп»» или «вашего муниципалитета»",
    "{вход}": "ссылка на страницу входа в дневник",
}
CATEGORIES: Mapping[Category, str] = {
    "important": "важное",
    "reminders": "напоминания",
    "news": "новости",
}
STATES: Mapping[CampaignState, str] = {
    "draft": "черновик",
    "approval": "на согласовании",
    "scheduled": "запланировано",
    "ended": "завершено",
    "stopped": "остановлено",
}
LAUNCH_STATES: Mapping[LaunchState, str] = {
    "planned": "ждёт своего времени",
    "asks": "ждёт решения",
    "filling": "собирает получателей",
    "sending": "отправляется",
    "paused": "на паузе",
    "done": "отправлено",
    "stopped": "остановлено",
}
READER_STATES: Mapping[ReaderState, str] = {
    "queued": "ждёт",
    "sending": "отправляется",
    "sent": "доставлено",
    "failed": "не доставлено",
    "skipped": "пропущено",
    "unknown": "неизвестно",
}
WHY_HELD: Mapping[str, str] = {
    "overdue": "время прошло больше часа назад",
    "brake": "остановлено стоп-краном",
    "restored": "база данных восстановлена из копии",
    "refusals": "слишком много отказов подряд",
    "channel": "канал не работает",
    "file": "картинку или файл объявления не удалось прочитать: приложите их заново",
    "approval": "получателей стало больше, и начать должен второй человек, не автор",
    "fault": "ошибка в программе, подробности в журнале",
    "people": "так решили люди",
}
"""Why a launch does not go on; `why_held` knows what had begun already."""
_LEFT_ALONE = "больше часа никто не следил за отправкой"
WAITS_FOR_HOURS = "ждёт часов отправки"
"""The state of what is on its way while none of its readers may be written to."""
WHY_NOT_TOLD: Mapping[str, str] = {
    "blocked": "заблокировал(а) бота",
    "not_allowed": "не разрешает сообщения от сообщества",
    "gone": "учётная запись удалена или недоступна",
    "kicked": "бота убрали из этого чата",
    "rejected": "мессенджер не принял сообщение",
    "gave_up": "мессенджер долго не отвечал",
    "unserved": "канал выключен",
    "cap": "уже получил(а) объявления на этой неделе",
    "opted_out": "отписан(а) от таких объявлений",
    "unreachable": "написать нельзя: бот заблокирован или запись удалена",
    "banned": "сотрудники запретили этому человеку писать боту",
    "interrupted": "работа прервалась во время отправки: могло дойти, а могло и нет",
    "unfinished": "связь оборвалась во время отправки: могло дойти, а могло и нет",
}
STOPPED_BEFORE = "отправку остановили раньше"
STAGES: Mapping[Stage | str, str] = {
    "no_account": "нет учётной записи",
    "not_confirmed": "запись не подтверждена",
    "child_not_linked": "ребёнок не привязан",
    "no_profile": "профиль в дневнике не найден",
    "inside": "вошли",
    "unknown": "не спрашивали",
}
WHO: Mapping[str, str] = {"parents": "родители", "staff": "сотрудники", "venues": "каналы, группы и стена"}
AGE_GROUPS: Mapping[str, str] = {
    "under14": "дети до 14 лет",
    "14_no_passport": "14 лет, паспорта ещё нет",
    "from14": "14 лет и старше",
}
FILTERS: Mapping[str, str] = {
    "age_groups": "возраст ребёнка",
    "stages": "шаг, на котором остановились",
    "topics": "о чём спрашивали",
    "asked_since": "спрашивали не раньше, чем",
    "not_told_days": "объявлений не было столько дней",
}
"""Fields of an audience that ask about parents; the last one may be asked of the staff, too."""
BUTTON_KINDS: Mapping[str, str] = {
    "url": "ссылка",
    "topic": "тема FAQ",
    "inside": "«Я уже вошёл»",
    "help": "«Нужна помощь»",
    "stage_topic": "тема следующего шага",
    "stage_question": "ответ на вопрос о готовности",
}
_KINDS_OF_DATA = {
    "snils": "номер СНИЛС",
    "passport": "номер паспорта",
    "birth_certificate": "номер свидетельства",
    "card": "номер карты",
    "email": "адрес почты",
    "phone": "номер телефона",
    "birth_date": "дата рождения",
    "password": "пароль",
    "code": "код",
}

# ---- what a check finds

EMPTY_TEXT = "Текст пуст: напишите, что должны узнать люди."
ODD_BOLD = "Выделение жирным не закрыто: поставьте вторую пару звёздочек «**»."
BROKEN_LINK = "Ссылка в тексте записана неверно: нужно [слова](https://адрес), без пробелов внутри адреса."
NO_LABEL = "У кнопки нет надписи: напишите её."
NO_READERS = "Сейчас это объявление не получит никто: проверьте, кому оно адресовано."


def unknown_placeholder(name: str) -> str:
    """A name in braces that means nothing."""
    return f"Подстановки «{{{name}}}» нет: есть {', '.join(PLACEHOLDERS)}."


def personal_data(kind: str) -> str:
    """Something personal in the text."""
    what = _KINDS_OF_DATA.get(kind, "личные данные")
    return f"В тексте похоже на личные данные ({what}): в объявлении их быть не должно."


def bad_link(link: str) -> str:
    """No web address."""
    return f"«{link[:80]}» не ссылка: адрес начинается с https://."


def foreign_link(host: str) -> str:
    """A site that is none of the two that everybody knows."""
    return f"Ссылка ведёт на {host}: откройте её и убедитесь, что это нужный сайт."


def too_many_buttons(count: int, most: int) -> str:
    """More than a phone shows."""
    return f"Кнопок {count}, а помещается не больше {most}: уберите лишние."


def long_label(label: str, most: int) -> str:
    """The label would be cut."""
    return f"Надпись «{label[:60]}» длиннее {most} знаков: сократите её."


def unknown_button(label: str) -> str:
    """A button that means nothing."""
    return f"Кнопка «{label}» неизвестного вида: бывают {', '.join(BUTTON_KINDS.values())}."


def for_parents_only(label: str) -> str:
    """A press that nobody would answer."""
    return f"Кнопка «{label}» работает только у родителей: здесь оставьте кнопки со ссылками."


def no_topic(label: str) -> str:
    """A button that leads nowhere."""
    return f"Кнопка «{label}» ведёт на тему, которой в базе нет: выберите другую."


def topic_of_others(label: str, title: str) -> str:
    """The topic is about children of another age."""
    return f"Кнопка «{label}» ведёт на тему «{title}», а она о детях другого возраста."


def too_many_files(most: int) -> str:
    """More than an album holds."""
    return f"Файлов больше {most}: уберите лишние."


def refused_file(name: str) -> str:
    """A kind of file that is not sent to many."""
    return f"Файл «{name}» к объявлению приложить нельзя: подойдут картинка, видео или документ."


def large_file(name: str, megabytes: int) -> str:
    """Too large for a messenger."""
    return f"Файл «{name}» больше {megabytes} МБ: мессенджеры его не примут."


def idle_filters(who: str, names: Sequence[str]) -> str:
    """Filters that the readers of this kind would not be asked by."""
    whom = {"staff": "сотрудников", "venues": "каналов, групп и стены"}.get(who, "этих получателей")
    return f"Для {whom} не действует: {', '.join(names)}. Уберите это, иначе объявление получат и другие."


IDLE_SINCE = (
    "«Спрашивали не раньше, чем» действует только вместе с темой: выберите тему или уберите день, "
    "иначе объявление получат и другие."
)
FILES_ON_WALL = (
    "На стене сообщества картинок и файлов не будет: VK разрешает боту поместить там только текст и ссылку."
)


def several_messages(channel: str, count: int) -> str:
    """The text does not fit one message."""
    name = CHANNEL_NAMES.get(channel, channel)
    return f"{name}: объявление придёт {count} сообщениями, лучше уложиться в одно."


# ---- refusals

GONE = "Такого объявления нет или оно не ваше: список показывает /campaigns."
NOT_ALLOWED = "Это решают операторы министерства: попросите их."
NOT_YOUR_READERS = (
    "Объявление может касаться только ваших читателей: координатор пишет своему муниципалитету, "
    "администратор школы — в каналы и группы своей школы."
)
CHANGED_MEANWHILE = "Объявление уже изменили или отправили без вас: откройте его ещё раз."
TOO_LATE_TO_CHANGE = "Это объявление уже запланировано или закончено: изменить его нельзя, сделайте новое."
NO_TITLE = "Назовите объявление, чтобы найти его в списке: до 120 знаков."
NO_CATEGORY = "Укажите вид объявления: важное, напоминания или новости."
FAULTS = "Сначала исправьте ошибки, которые нашла проверка."
NOT_CHECKED = "Сначала проверьте объявление: с последней правки его не проверяли."
NOT_TESTED = "Сначала отправьте объявление себе: с последней правки его никто не видел в мессенджере."
NOT_APPROVED = "Сначала объявление должен согласовать другой человек."
OWN_APPROVAL = "Своё объявление согласовать нельзя: это делает другой человек."
CALLED_ALIKE = (
    "Похоже, автор — вы сами под другой записью: имена почти одинаковы. Согласовать должен другой человек. "
    "Если это не вы, войдите по новому приглашению и назовите имя с фамилией."
)
NO_REWORDING = "Этот новый текст уже решения не ждёт: откройте объявление ещё раз."
NOTHING_TO_APPROVE = "Это объявление сейчас не ждёт согласования: возможно, его уже посмотрели или изменили."
NO_SCHEDULE = "У объявления нет расписания: укажите, когда отправлять, или начните сейчас."
HAS_SCHEDULE = "У объявления есть расписание: запланируйте его или уберите расписание и начните сейчас."
SCHEDULED_ALREADY = "Это объявление уже запланировано или закончено."
NOTHING_TO_PAUSE = "Сейчас у этого объявления ничего не отправляется и не ждёт своего времени."
NOTHING_TO_RESUME = "На паузе у этого объявления ничего нет."
OVER_ALREADY = "Это объявление уже закончено или остановлено."
LAUNCH_OVER = "Эта отправка уже идёт, закончена или остановлена: ничего не изменилось."
BRAKE_IS_ON = "Нажат стоп-кран: сначала отпустите его."
BRAKE_IS_OFF = "Стоп-кран не нажат."
TOO_LONG_TO_REPLACE = (
    "Заменить можно только то, что помещается в одно сообщение: до 4000 знаков, с картинкой до 1000. "
    "Отправьте исправление отдельным объявлением."
)
NOTHING_TO_RETRY = "Повторять нечего: таких получателей нет."
STILL_SENDING = "Объявление ещё отправляется: поставьте его на паузу или дождитесь конца."
NOTHING_SENT = "Это объявление ещё никому не отправлено."
WHERE_TO_TEST = "Назовите сотрудника, которому отправить проверку: --to НОМЕР из helpdesk staff list."
NO_SUCH_MEMBER = "Такого сотрудника нет."
NO_NOTE = "Напишите одним-двумя предложениями, что исправить."


def unknown_place(names: Sequence[str]) -> str:
    """Municipalities that the directory does not have."""
    return f"Муниципалитета «{', '.join(names)}» нет в справочнике школ."


def unknown_schools(numbers: Sequence[int]) -> str:
    """Schools that the directory does not have."""
    return f"Школы с номером {', '.join(map(str, numbers))} нет. Номера показывает helpdesk schools list."


def not_pairs(where: str) -> str:
    """A part of a file of another shape."""
    return f"В {where} нужны пары «ключ: значение»."


def unknown_keys(where: str, unknown: Sequence[str], known: Sequence[str]) -> str:
    """A slip of the pen in a file."""
    return f"В {where} неизвестные ключи {', '.join(unknown)}: бывают {', '.join(known)}."


def not_a_list(key: str) -> str:
    """A part of a file of another shape."""
    return f"{key} должен быть списком."


def not_a_text(key: str) -> str:
    """Nothing where words must be."""
    return f"{key} пишется текстом и не может быть пустым."


def not_a_number(key: str) -> str:
    """Something else where a number must be."""
    return f"{key} — целое число, не меньше нуля."


def not_a_day(key: str) -> str:
    """Something else where a day must be."""
    return f"{key} — день вида ГГГГ-ММ-ДД."


def no_such_topics(slugs: Sequence[str]) -> str:
    """Topics that the base does not have."""
    return f"Темы «{', '.join(slugs)}» в базе нет. Темы показывает helpdesk faq list."


def unknown_value(field: str, values: Sequence[str], known: Sequence[str]) -> str:
    """Words of an audience that mean nothing."""
    return f"«{', '.join(values)}» в поле {field} не бывает: можно {', '.join(known)}."


# ---- what people in charge are told

BUTTON_APPROVE = "Согласовать"
BUTTON_REFUSE = "Вернуть с замечанием"
BUTTON_KEEP = "Оставить прежний"
BUTTON_SHOW = "Объявление № {number}"
BUTTON_SCHEDULE = "Запланировать"
BUTTON_START = "Начать сейчас"
BUTTON_START_YES = "Да, отправить"
BUTTON_START_LATE = "Отправить сейчас"
BUTTON_DROP = "Отменить"
BUTTON_PAUSE = "Пауза"
BUTTON_RESUME = "Продолжить"
BUTTON_STOP = "Остановить совсем"
BUTTON_STOP_YES = "Да, остановить"
BUTTON_RETRY = "Повторить недоставленным"
BUTTON_SEND_FOR_APPROVAL = "На согласование"
BUTTON_TEST = "Отправить себе"
BUTTON_BRAKE = "Стоп-кран"
BUTTON_RELEASE = "Отпустить стоп-кран"
BUTTON_LIST = "Все объявления"
BUTTON_NEXT = "Дальше"
BUTTON_BACK = "Назад"

THIS_IS_A_TEST = "**Проверка. Это объявление видите только вы.**"
SAMPLE_PRESSED = "Это проверка: у родителей эта кнопка сработает, здесь ничего не меняется."
ASK_NOTE = "Что исправить в объявлении № {number}? Напишите одним-двумя предложениями."
NONE_YET = "Объявлений пока нет. Их готовят на панели или командой helpdesk campaign create."
NOT_IN_THIS_GROUP = "Об объявлениях здесь не говорим: напишите мне лично или в группу министерства."
STOP_MEANS_BRAKE = (
    "Сейчас отправляются объявления. Остановить всё? Родителям это слово не ушло; если это был ответ, "
    "ответьте на сообщение родителя."
)
FOR_PARENTS_ONLY = "Это кнопка для родителей: у сотрудников она ничего не меняет."
MOVED_TO_KNOWN = "группа переехала туда, где объявления уже читают"
BRAKE_NOT_ALLOWED = "Стоп-кран — у операторов министерства. Своё объявление остановите из списка /campaigns."


def name(campaign: Campaign) -> str:
    """How an announcement is called among the staff."""
    return f"№ {campaign.id} «{escape(campaign.title)}»"


def readers(count: int) -> str:
    """«получателей: 1 200»."""
    return f"получателей: {count:,}".replace(",", " ")


def audience(
    wanted: Audience, *, schools: Sequence[str] = (), topics: Mapping[str, str] | None = None, zone: str
) -> str:
    """Who is to read it: «родители · Майкоп · дети до 14 лет»; `topics` are titles by slug."""
    parts = [WHO.get(wanted.who, wanted.who)]
    if wanted.channels:
        parts.append(", ".join(CHANNEL_NAMES.get(each, each) for each in wanted.channels))
    if wanted.municipalities:
        parts.append(", ".join(wanted.municipalities))
    if wanted.school_ids:
        parts.append(", ".join(schools) or f"школ: {len(wanted.school_ids)}")
    if wanted.age_groups:
        parts.append(", ".join(AGE_GROUPS.get(each, each) for each in wanted.age_groups))
    if wanted.stages:
        parts.append("на шаге: " + ", ".join(STAGES.get(each, each) for each in wanted.stages))
    if wanted.topics:
        titles = [f"«{(topics or {}).get(each, each)}»" for each in wanted.topics]
        parts.append(f"спрашивали: {', '.join(titles)}")
    if wanted.asked_since is not None:
        parts.append(f"спрашивали не раньше, чем {wanted.asked_since.astimezone(ZoneInfo(zone)):%d.%m.%Y}")
    if wanted.not_told_days:
        parts.append(f"объявлений не было дней: {wanted.not_told_days}")
    return escape(" · ".join(parts))


def card(campaign: Campaign, *, count: int, who: str, when: str, is_now: str = "") -> str:
    """What people decide by, above the announcement itself; `who` is what `audience` says, `is_now` what
    `state` says where launches are known."""
    return "\n".join(
        [
            f"**Объявление {name(campaign)}** · {is_now or STATES[campaign.state]}",
            f"Вид: {CATEGORIES[campaign.category]}",
            f"Кому: {who}; {readers(count)}",
            f"Когда: {when}",
        ]
    )


NOT_SCHEDULED = "расписания нет"


def approval_wanted(by: str, card_text: str) -> str:
    """Asks a second person."""
    return f"{escape(by)} просит согласовать объявление. Ниже — как его увидят.\n\n{card_text}"


def approved(campaign: Campaign, by: str) -> str:
    """Tells the author."""
    return f"{escape(by)} согласовал(а) объявление {name(campaign)}."


def refused(campaign: Campaign, by: str, note: str) -> str:
    """Tells the author what to mend."""
    return f"{escape(by)} вернул(а) объявление {name(campaign)}:\n«{escape(note)}»"


def rewording_wanted(campaign: Campaign, by: str, count: int) -> str:
    """Asks a second person whether what was sent may read otherwise."""
    return (
        f"{escape(by)} просит заменить текст отправленного объявления {name(campaign)}; {readers(count)}. "
        "Ниже — новый текст. Пока вы не решили, у всех остаётся прежний."
    )


def to_replace(count: int) -> str:
    """Before what was sent is replaced."""
    number = f"{count:,}".replace(",", " ")
    return f"Сообщений: {number}. Этот же текст прочтут те, кому объявление ещё придёт."


def rewording_waits(text: str) -> str:
    """The new text that waits for a second person; it keeps its markup."""
    return f"**Новый текст ждёт согласия другого человека:**\n{text}"


def rewording_agreed(campaign: Campaign, by: str) -> str:
    """Tells whoever wished the new text."""
    return f"{escape(by)} согласовал(а) новый текст объявления {name(campaign)}. Сообщения меняются."


def rewording_refused(campaign: Campaign, by: str) -> str:
    """Tells whoever wished the new text."""
    return f"{escape(by)} оставил(а) прежний текст объявления {name(campaign)}."


def you_agreed_to_rewording(campaign: Campaign, count: int) -> str:
    """To the one who agreed."""
    return f"Новый текст объявления {name(campaign)} согласован. Меняется сообщений: {count}."


def you_kept(campaign: Campaign) -> str:
    """To the one who refused the new text."""
    return f"У объявления {name(campaign)} остаётся прежний текст."


def begun(campaign: Campaign, launch: Launch) -> str:
    """A launch has begun."""
    return f"Объявление {name(campaign)} начало отправляться{_where(launch)}."


def held(campaign: Campaign, launch: Launch) -> str:
    """A launch does not go on, or does not begin, until people decide."""
    why = why_held(launch)
    detail = f" ({escape(launch.detail)})" if launch.detail else ""
    if launch.state == "asks":
        return (
            f"Объявление {name(campaign)}{_where(launch)} не началось: {why}{detail}. "
            "Само оно не начнётся. Отправить или отменить?"
        )
    return (
        f"Объявление {name(campaign)}{_where(launch)} поставлено на паузу: {why}{detail}. "
        "Само оно не продолжится."
    )


def channel_closed(campaign: Campaign, channel: str, detail: str) -> str:
    """One channel takes nothing; the others go on."""
    where = CHANNEL_NAMES.get(channel, channel)
    return (
        f"Объявление {name(campaign)}: {where} не работает ({escape(detail)}). "
        f"В других каналах оно отправляется дальше. {where} пробую раз в минуту: когда канал починят, "
        "отправка и там продолжится сама."
    )


def held_besides(count: int) -> str:
    """Behind the first launches that wait for people."""
    return f"Ждут решения и другие отправки, их {count}: они на странице объявления в панели."


def why_held(launch: Launch) -> str:
    """Why it does not go on, or does not begin."""
    if launch.reason == "overdue" and launch.started_at is not None:
        return _LEFT_ALONE
    return WHY_HELD.get(launch.reason or "", launch.reason or "")


def done(campaign: Campaign, launch: Launch, progress: Progress) -> str:
    """A launch is over, with its figures."""
    return f"Объявление {name(campaign)}{_where(launch)} отправлено.\n{figures(progress)}"


def wish_done(campaign: Campaign, wish: Wish) -> str:
    """What came of the wish to change or to delete what was sent, on one channel."""
    where = CHANNEL_NAMES.get(wish.channel, wish.channel)
    deed = "Исправлено" if wish.deed == "edit" else "Удалено"
    lines = [f"Объявление {name(campaign)}, {where}.", f"{deed} сообщений: {wish.changed}"]
    if wish.refused:
        lines.append(f"Мессенджер не разрешил: {wish.refused}")
    return "\n".join(lines)


def figures(progress: Progress) -> str:
    """Readers by what became of them, and why some were not told."""
    counted = {
        "Доставлено": progress.of("sent"),
        "Осталось": progress.left,
        "Не доставлено": progress.of("failed"),
        "Пропущено": progress.of("skipped"),
        "Неизвестно": progress.of("unknown"),
    }
    lines = [f"{label}: {count} из {progress.total}" for label, count in counted.items() if count]
    by_reason = sorted(progress.reasons.items(), key=lambda each: (-each[1], each[0]))
    lines += [f"- {WHY_NOT_TOLD.get(reason, reason)}: {count}" for reason, count in by_reason]
    return "\n".join(lines) or "Получателей нет."


def pace(per_second: float, expected_end: datetime | None, *, zone: str) -> str:
    """How fast it goes, and when it may be over."""
    end = f", закончится примерно {time.moment(expected_end, zone=zone)}" if expected_end else ""
    return f"Скорость: {per_second:.1f} в секунду{end}".replace(".", ",", 1)


def waits(until: datetime, *, zone: str) -> str:
    """Nobody who is left may be written to now."""
    return f"Ждёт {time.moment(until, zone=zone)}: сейчас не часы отправки. Продолжится само."


def state(campaign: Campaign, states: Collection[LaunchState], *, waits_until: datetime | None = None) -> str:
    """How it is, in a word or two: of a scheduled one the launch says it that needs people most."""
    if campaign.state == "approval" and campaign.is_approved:
        return "согласовано"
    if campaign.state != "scheduled":
        return STATES[campaign.state]
    living: Sequence[LaunchState] = ("asks", "paused", "sending", "filling")
    nearest = next((each for each in living if each in states), None)
    if nearest is None:
        return STATES["scheduled"]
    return WAITS_FOR_HOURS if nearest in ALIVE and waits_until is not None else LAUNCH_STATES[nearest]


def line(
    campaign: Campaign,
    states: Collection[LaunchState],
    progress: Progress,
    *,
    waits_until: datetime | None = None,
) -> str:
    """One announcement of the list."""
    told = f": {progress.of('sent')} из {progress.total}" if progress.total else ""
    return f"- {name(campaign)} · {state(campaign, states, waits_until=waits_until)}{told}"


def list_page(page: int) -> str:
    """Above a page of the list that is not the first."""
    return f"Объявления, страница {page + 1}:"


def tested(campaign: Campaign) -> str:
    """The test is on its way."""
    return f"Объявление {name(campaign)} отправлено вам для проверки."


def sent_for_approval(campaign: Campaign) -> str:
    """Others were asked."""
    return f"Объявление {name(campaign)} ждёт согласования."


def you_approved(campaign: Campaign) -> str:
    """To the one who approved."""
    return f"Вы согласовали объявление {name(campaign)}."


def you_refused(campaign: Campaign) -> str:
    """To the one who refused."""
    return f"Объявление {name(campaign)} вернулось автору с вашим замечанием."


def scheduled(campaign: Campaign, when: str) -> str:
    """It will start by itself."""
    return f"Объявление {name(campaign)} запланировано: {when}."


def starts(campaign: Campaign) -> str:
    """It starts now."""
    return f"Объявление {name(campaign)} начинает отправляться."


def paused(campaign: Campaign) -> str:
    """People paused it."""
    return f"Объявление {name(campaign)} на паузе. Само оно не продолжится."


def resumed(campaign: Campaign) -> str:
    """People let it go on."""
    return f"Объявление {name(campaign)} продолжается."


def ask_start(campaign: Campaign, count: int, *, municipality: str = "") -> str:
    """Before it goes out."""
    where = f" ({escape(municipality)})" if municipality else ""
    return f"Отправить объявление {name(campaign)}{where} прямо сейчас? {readers(count).capitalize()}."


def which(launch: Launch, *, zone: str) -> str:
    """Behind a button's label: the launch that it means."""
    local = launch.due_at.astimezone(ZoneInfo(zone))
    where = f", {launch.municipality}" if launch.municipality else ""
    return f": {local:%d.%m %H:%M}{where}"[:24]


def ask_stop(campaign: Campaign) -> str:
    """Before it is stopped for ever."""
    return f"Остановить объявление {name(campaign)} совсем? Кому не дошло, тот его уже не получит."


def stopped(campaign: Campaign) -> str:
    """It was stopped for ever."""
    return f"Объявление {name(campaign)} остановлено. Больше никому не отправится."


def dropped(campaign: Campaign) -> str:
    """A late start was dropped."""
    return f"Отправка объявления {name(campaign)} отменена."


def retried(campaign: Campaign, count: int) -> str:
    """Those who were not reached are tried again."""
    return f"Объявление {name(campaign)} отправляется ещё раз тем, кому не дошло: {count}."


def braked(titles: Sequence[str], by: str = "") -> str:
    """Everything was stopped at once."""
    who = f"{escape(by)} нажал(а) стоп-кран" if by else "Стоп-кран нажат"
    if not titles:
        return f"**{who}.** Ничего не отправлялось. Пока он нажат, ни одно объявление не начнётся."
    listed = "\n".join(f"- {each}" for each in titles)
    return f"**{who}.** Остановлено:\n{listed}\nПока он нажат, ни одно объявление не начнётся."


def braked_count(count: int) -> str:
    """The same where others read along."""
    return f"**Стоп-кран нажат.** Остановлено объявлений: {count}. Ни одно другое не начнётся."


def released(titles: Sequence[str], by: str = "") -> str:
    """Starts are possible again."""
    who = f"{escape(by)} отпустил(а) стоп-кран" if by else "Стоп-кран отпущен"
    if not titles:
        return f"{who}. На паузе ничего не осталось."
    listed = "\n".join(f"- {each}" for each in titles)
    return f"{who}. Само ничего не продолжится, на паузе остаются:\n{listed}"


OWNER = "Владелец"
"""Whoever works by the command line."""


def _where(launch: Launch) -> str:
    return f" ({escape(launch.municipality)})" if launch.municipality else ""
