"""Sentences for those who answer, and those with which their deeds reach the parent. Russian, short, «вы».

Functions take what a person typed already raw and escape it themselves. Parents read the school's or the
desk's name, never a colleague's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from faq.markup import escape
from handlers.texts import basics as texts
from handlers.texts import rudeness
from storage.templates import After
from storage.ticket import Desk

BUTTON_ASK = "Спросить родителя"
BUTTON_ANSWER_ALL_THE_SAME = "Ответить всё равно"
BUTTON_SEND = "Отправить"
BUTTON_EDIT = "Изменить перед отправкой"
BUTTON_CALL_OFF = "Отмена"
BUTTON_OTHER_SCHOOL = "Другая школа"
BUTTON_ADD = "Добавить"
BUTTON_CHANGE = "Изменить"
BUTTON_RETIRE = "Убрать"
BUTTON_RETIRE_FOR_SURE = "Да, убрать"
BUTTON_TO_TEMPLATES = "К шаблонам"
BUTTON_LEAVE_ALL = "Отовсюду"

NO_LONGER_STAFF = (
    "Вы больше не сотрудник, поэтому здесь ничего не произошло: родителю ничего не отправлено. "
    "Если это ошибка, попросите новое приглашение."
)
CALLED_OFF = "Хорошо, отменено: ничего не отправлено."
NO_SUCH_COMMAND = "Такой команды нет, ничего не отправлено. Что я умею: /help."
NO_SUCH_BUTTON = "Эта кнопка больше не действует. Откройте вопрос заново: /open."
NOT_YOUR_DRAFT = "Это сообщение уже отправлено или написано не вами: ничего не отправлено."
NO_TEMPLATES = "Готовых ответов пока нет. Добавить: /templates."
NO_SUCH_TEMPLATE = "Такого шаблона больше нет, ничего не отправлено."
TEMPLATE_NOT_YOURS = "Этим шаблоном можно пользоваться, но изменить его могут только там, где его составили."
TEMPLATE_TOO_SHORT = (
    "Нужно название и текст: в первой строке название, со второй строки текст. Пришлите, пожалуйста, ещё раз."
)
NOTE_IS_EMPTY = "Напишите, пожалуйста, словами: без причины вопрос не передаю."
ASK_SCHOOL = "Напишите название школы и населённый пункт, например «лицей 35, Майкоп»."
NO_SCHOOL_FOUND = "Такой школы в справочнике не нашлось. Напишите название и населённый пункт иначе."
WHICH_SCHOOL = "Какой школе передать? Если нужной нет, напишите название точнее."
SCHOOL_GONE = "Этой школы в справочнике больше нет: вопрос остаётся на месте."
NOBODY_ABOVE = "Выше министерства никого нет: вопрос остаётся у вас."
NOT_YOUR_SCHOOL = "В этой школе вы и так не работаете."
LEAVE_WHICH = "Откуда уходите? Вопросы оттуда больше не придут."
GONE_PARENT = "Родитель удалил свои данные: ответ отправить некому."

_AFTER: dict[After, str] = {
    "none": "вопрос остаётся открытым",
    "wait": "часы остановятся до ответа родителя",
    "close": "вопрос закроется",
}
AFTER_BUTTONS: dict[After, str] = {
    "none": "Оставить открытым",
    "wait": "Ждать родителя",
    "close": "Закрыть вопрос",
}

Case = Literal["who", "whose", "to"]
_MINISTRY: dict[Case, str] = {"who": "министерство", "whose": "министерства", "to": "министерству"}
_COORDINATOR: dict[Case, str] = {"who": "координатор", "whose": "координатора", "to": "координатору"}
_SCHOOL: dict[Case, str] = {"who": "школа", "whose": "школы", "to": "школе"}


@dataclass(frozen=True)
class FirstTemplate:
    """A ready answer that the program brings along."""

    title: str
    text: str
    after: After


FIRST_TEMPLATES = (
    FirstTemplate(
        "Исправлено, войдите заново",
        "Мы исправили данные в Дневник.ру. Выйдите, пожалуйста, из дневника и из Госуслуг и войдите заново "
        "через Госуслуги. Если не получится, напишите сюда, что видно на экране.",
        "none",
    ),
    FirstTemplate(
        "В школе данные верны",
        "Мы сверили данные в Дневник.ру: у нас всё верно. Проверьте, пожалуйста, профиль на Госуслугах: ФИО, "
        "дату рождения и СНИЛС. Если там ошибка, исправьте её на Госуслугах и войдите в дневник заново. Сами "
        "данные сюда не присылайте.",
        "wait",
    ),
    FirstTemplate(
        "Профиль создан",
        "Профиль в Дневник.ру создан. Временные данные для первого входа выдаст классный руководитель: "
        "обратитесь, пожалуйста, к нему. После первого входа заходите через Госуслуги.",
        "wait",
    ),
    FirstTemplate(
        "Нужен визит с документами",
        "Чтобы исправить данные, их нужно сверить с документами. Подойдите, пожалуйста, с ними в школу. "
        "Фотографии документов сюда не присылайте.",
        "wait",
    ),
)
"""From the reply templates that the ministry asked for; any of them can be changed or retired."""


def desk_name(desk: Desk, school: str, case: Case = "who") -> str:
    """How a desk is called; `school` is the name of the case's school. Escaped."""
    if desk.level == "school":
        return f"{_SCHOOL[case]} «{escape(school)}»"
    if desk.level == "municipal":
        return f"{_COORDINATOR[case]} ({escape(desk.municipality)})"
    return _MINISTRY[case]


def answer(number: int, text: str, *, whose: str) -> str:
    """What the parent reads when the staff answer; `whose` is the desk's name in the genitive, escaped."""
    return _headed(f"**Ответ {whose} на вопрос № {number}**", text)


def question(number: int, text: str, *, whose: str) -> str:
    """What the parent reads when the staff ask them something."""
    return _headed(f"**Уточнение {whose} по вопросу № {number}**", text)


def correction(number: int, text: str, *, whose: str) -> str:
    """An answer that the staff edited after sending."""
    return _headed(f"**Исправленный ответ {whose} на вопрос № {number}**", text)


def _headed(head: str, text: str) -> str:
    return f"{head}\n\n{escape(text)}" if text else head


def write_question(number: int) -> str:
    """Asks the member of staff what the parent is to be asked."""
    return (
        f"Напишите, что спросить у родителя по вопросу № {number}: следующее ваше сообщение уйдёт ему, "
        "и часы остановятся до его ответа."
    )


def write_note(number: int) -> str:
    """Asks for a note."""
    return f"Напишите заметку к вопросу № {number}: её увидят только сотрудники."


def question_sent(number: int) -> str:
    """Confirms that the parent is asked."""
    return f"Вопрос родителю (№ {number}) отправляю. Часы стоят, пока он не ответит."


def waits_for_parent(number: int) -> str:
    """Added when a template stops the clock."""
    return f"Часы вопроса № {number} стоят, пока родитель не ответит."


def note_kept(number: int) -> str:
    """Confirms a note."""
    return f"Заметка к вопросу № {number} записана: родитель её не увидит."


def note_changed(number: int) -> str:
    """Confirms that a note was edited."""
    return f"Заметка к вопросу № {number} исправлена."


def note_shown(number: int, who: str, text: str) -> str:
    """A colleague's note."""
    return f"**№ {number}**, заметка ({escape(who)}), видят только сотрудники:\n{escape(text) or '(файл)'}"


def note_shown_again(number: int, who: str, text: str) -> str:
    """A colleague's note after an edit."""
    return f"**№ {number}**, исправленная заметка ({escape(who)}):\n{escape(text)}"


def taken(number: int) -> str:
    """Confirms to whoever took the case."""
    return f"Вопрос № {number} теперь у вас: что напишет родитель, придёт вам."


def taken_by(number: int, who: str) -> str:
    """Tells the colleagues who has it."""
    return f"Вопрос № {number} взял(а) {escape(who)}."


def is_yours(number: int) -> str:
    """The member has it already."""
    return f"Вопрос № {number} уже у вас."


def is_taken(number: int, who: str) -> str:
    """Refuses: a colleague has it."""
    return f"Вопрос № {number} уже ведёт {escape(who)}: ничего не изменено."


def closed(number: int) -> str:
    """Refuses: nothing can be done with a closed case."""
    return f"Вопрос № {number} уже закрыт: ничего не изменено."


def urgent(number: int, who: str) -> str:
    """It is urgent now."""
    return f"Вопрос № {number} теперь срочный ({escape(who)})."


def not_urgent(number: int, who: str) -> str:
    """It is not urgent any more."""
    return f"Вопрос № {number} больше не срочный ({escape(who)})."


def is_urgent(number: int) -> str:
    """Refuses: it is so already."""
    return f"Вопрос № {number} уже отмечен как срочный."


def is_not_urgent(number: int) -> str:
    """Refuses: it is so already."""
    return f"Вопрос № {number} уже не отмечен как срочный."


def pass_where(number: int) -> str:
    """Asks where the case is to go."""
    return f"Кому передать вопрос № {number}?"


def pass_why(number: int, to: str) -> str:
    """Asks for the reason; `to` is the desk's name in the dative, escaped."""
    return f"Передаю вопрос № {number} {to}. Напишите коротко, почему: причину увидят только сотрудники."


def pass_button(to: str) -> str:
    """A choice; `to` is the desk's name in the dative, as it is."""
    return to[:1].upper() + to[1:]


def is_there(number: int, where: str) -> str:
    """Refuses: it is at that desk already."""
    return f"Вопрос № {number} уже там: {where}."


def passed(number: int, to: str) -> str:
    """Confirms it, and tells the desk that had it; `to` in the dative, escaped."""
    return f"Вопрос № {number} передан: {to}."


def passed_higher(number: int, missed: str, to: str) -> str:
    """The desk that was meant has nobody; `missed` in the nominative, `to` in the dative, escaped."""
    return f"Вопрос № {number} передан {to}: {missed} пока без сотрудников."


def passed_here(who: str, from_: str, why: str) -> str:
    """Above the card at the new desk; `from_` in the genitive, escaped."""
    return f"**Вопрос передан вам** от {from_} ({escape(who)}).\nПочему: {escape(why)}"


def passed_note(to: str, why: str) -> str:
    """The note that stays with the case; plain text, `to` in the dative."""
    return f"Передано: {to}. Почему: {why}"


def parent_passed(number: int, to: str) -> str:
    """Tells the parent where the question is now."""
    return f"Вопрос № {number} передан: {to}. Ответ придёт сюда, всё написанное раньше там видно."


def too_large(names: Sequence[str], megabytes: int) -> str:
    """Files that no messenger lets us carry."""
    files = ", ".join(f"«{escape(name)}»" for name in names)
    what = "Файл" if len(names) == 1 else "Файлы"
    return f"{what} {files} больше {megabytes} МБ, передать не получится. Отправьте, пожалуйста, поменьше."


def parent_sent_too_large(number: int, count: int, megabytes: int) -> str:
    """The parent sent files that cannot be carried; they were told."""
    return f"**№ {number}**: родитель прислал файлы больше {megabytes} МБ ({count}): передать их нельзя."


def choose_template(number: int) -> str:
    """Asks which ready answer is meant."""
    return f"Какой ответ отправить на вопрос № {number}?"


def preview(number: int, title: str, text: str, after: After) -> str:
    """A ready answer before it goes."""
    return (
        f"**{escape(title)}**\n\n{escape(text)}\n\n"
        f"Отправить это родителю (вопрос № {number})? После отправки {_AFTER[after]}."
    )


def edit_template(number: int, text: str) -> str:
    """Asks for the changed words of a ready answer."""
    return (
        "Скопируйте текст, измените и пришлите: следующее ваше сообщение уйдёт родителю "
        f"(вопрос № {number}).\n\n{escape(text)}"
    )


def templates(lines: Sequence[str]) -> str:
    """The list of ready answers."""
    return "\n".join(["**Шаблоны ответов**", *(lines or ["Пока нет ни одного."])])


def template_line(place: int, title: str, whose: str) -> str:
    """One of them; `whose` is escaped."""
    return f"{place}. {escape(title)} ({whose})"


def template_shown(title: str, text: str, after: After, whose: str) -> str:
    """One ready answer with all that belongs to it; `whose` is escaped."""
    return f"**{escape(title)}**\n\n{escape(text)}\n\nЧей: {whose}. После отправки {_AFTER[after]}."


def write_template(whose: str) -> str:
    """Asks for a new ready answer; `whose` in the genitive, escaped."""
    return (
        f"Новый шаблон {whose}. Пришлите его одним сообщением: в первой строке название, со второй строки "
        "текст для родителя. Сроков лучше не обещать."
    )


def rewrite_template(title: str) -> str:
    """Asks for the new words of one."""
    return (
        f"Пришлите шаблон «{escape(title)}» заново одним сообщением: в первой строке название, со второй "
        "строки текст для родителя."
    )


def whose_template() -> str:
    """Asks where a new ready answer belongs."""
    return "Чей это будет шаблон?"


def template_kept(title: str) -> str:
    """Kept; asks what happens to a case after it is sent."""
    return f"Шаблон «{escape(title)}» сохранён. Что делать с вопросом после отправки?"


def template_after(title: str, after: After) -> str:
    """Confirms what happens after it is sent."""
    return f"Шаблон «{escape(title)}»: после отправки {_AFTER[after]}."


def retire_for_sure(title: str) -> str:
    """Asks once more."""
    return f"Убрать шаблон «{escape(title)}»? Его больше никому не предложат."


def template_retired(title: str) -> str:
    """It is gone."""
    return f"Шаблон «{escape(title)}» убран."


def joined(role: str, places: Sequence[str], *, waiting: int, overdue: int) -> str:
    """Welcome; `places` are names of desks, escaped."""
    where = f" ({', '.join(places)})" if places else ""
    counts = f"Ждут ответа: {waiting}, просрочено: {overdue}." if waiting else "Сейчас никто не ждёт ответа."
    return f"Готово, вы в команде: {texts.ROLES.get(role, role)}{where}. {counts}\n\n{texts.STAFF_HELP}"


def left_school(school: str) -> str:
    """The member works there no more."""
    return f"Вопросы школы «{escape(school)}» к вам больше не приходят."


def card_head(number: int, *, urgent: bool, level: str) -> str:
    """The first line of a card; `level` is who has it beyond the school, in the dative, or empty."""
    marks = [f"**Вопрос № {number}**"]
    if urgent:
        marks.append("**срочно**")
    if level:
        marks.append(f"передано выше: {level}")
    return " · ".join(marks)


def card_school(school: str, municipality: str) -> str:
    """Whose the case is."""
    where = f", {escape(municipality)}" if municipality and municipality not in school else ""
    return f"Школа: {escape(school)}{where}"


def card_owner(name: str) -> str:
    """Who has it."""
    return f"Ведёт: {escape(name)}" if name else "Ведёт: пока никто"


def card_parent(name: str, channel: str) -> str:
    """Who asks, and where."""
    where = texts.CHANNEL_NAMES.get(channel, channel)
    return f"От кого: {escape(name or 'имя не указано')}" + (f" ({where})" if where else "")


def card_reason(reason: str) -> str:
    """Why people have it."""
    return f"Почему у вас: {texts.REASONS.get(reason, reason)}"


def card_tried(titles: Sequence[str]) -> str:
    """What the bot has shown."""
    return "Бот уже показал: " + "; ".join(f"«{escape(title)}»" for title in titles)


def card_previous(number: int) -> str:
    """An earlier question of the same matter."""
    return f"Продолжение вопроса № {number}"


def card_reopened(times: int) -> str:
    """How often it came back."""
    return "Открыт заново" if times == 1 else f"Открывали заново: {times}"


def card_closed(zone_time: str) -> str:
    """When it was closed."""
    return f"Закрыт {zone_time}"


def card(head: Sequence[str], thread: Sequence[str], details: Sequence[str]) -> str:
    """The card of a case: what is pressing, then what was said, then all the rest."""
    parts = ["\n".join(head), "\n".join(thread or ["(сообщений нет)"]), "\n".join(details)]
    return "\n\n".join(part for part in parts if part)


def thread_line(who: str, text: str, files: int, *, name: str = "") -> str:
    """One line of a card's thread; `name` is a colleague's."""
    shown = text if len(text) <= _THREAD_LINE else text[:_THREAD_LINE] + "…"
    head = f"— {_AUTHORS[who]}:" if not name else f"— {_AUTHORS[who]} ({escape(name)}):"
    line = rudeness.inline(head, shown) if who == "person" else f"{head} {escape(shown)}"
    return f"{line.rstrip()} (файлов: {files})" if files else line


_AUTHORS = {"person": "Родитель", "bot": "Бот", "staff": "Сотрудник", "note": "Заметка"}
_THREAD_LINE = 5_000
"""Characters of one message that a card shows; messengers let people type 4,096."""


def answer_lost(number: int, reason: str) -> str:
    """Tells the staff that their answer did not arrive, why, and what to do."""
    why = texts.UNDELIVERED.get(reason, reason)
    return f"**Ответ на вопрос № {number} не доставлен**: {why}. {_WHAT_TO_DO.get(reason, _CALL_THEM)}"


_CALL_THEM = "Свяжитесь с семьёй через школу."
_WHAT_TO_DO = {
    "rejected": "Попробуйте короче, без необычных символов или файлов; если не выйдет, свяжитесь с семьёй.",
    "gave_up": "Отправьте ответ ещё раз или свяжитесь с семьёй через школу.",
}
