"""Every sentence that people read, in one place. Russian, short, «вы», no promises of dates.

Functions take what a person typed already raw and escape it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from faq.markup import escape
from handlers.texts import rudeness
from storage.ticket import Ticket

NOTICE_VERSION = "2026-11"
"""Changes with the wording of `NOTICE`, so that we know who saw which."""

CHANNEL_NAMES = {"telegram": "Telegram", "vk": "ВКонтакте", "web": "чат на сайте", "console": "терминал"}

NOTICE = (
    "Пожалуйста, не присылайте сюда номера СНИЛС, паспорта и свидетельства, пароли и коды из сообщений: "
    "для ответа они не нужны."
)
NOTICE_CHANGED = f"Просьба о личных данных обновилась. {NOTICE}"
GREETING = (
    "Здравствуйте! Я помогаю войти в электронный дневник через Госуслуги и подключить учётную запись "
    "ребёнка.\n\nНапишите своими словами, что не получается, или выберите раздел. Если я не справлюсь, "
    f"передам вопрос человеку.\n\n{NOTICE}"
)
SHORT_GREETING = f"Здравствуйте! Я бот-помощник по входу в электронный дневник. {NOTICE}"
GREETING_AGAIN = "Здравствуйте! Напишите, что не получается со входом в дневник, и я подскажу."
THANKS = "Пожалуйста! Если что-то ещё не получится, просто напишите."
BYE = "Всего доброго! Если понадобится помощь со входом, пишите."
ABOUT_BOT = (
    "Я бот: отвечаю на вопросы о входе в электронный дневник по готовым инструкциям. "
    "Если нужен человек, нажмите «Позвать человека»."
)
ABUSE = (
    "Понимаю, что это злит. Напишите, на каком шаге остановились и что видно на экране, "
    "или позовите человека."
)
MUTED = (
    "Хорошо, объявления присылать не буду. На ваши вопросы отвечаю как раньше. "
    "Чтобы снова получать объявления, напишите «подписаться»."
)
UNMUTED = "Готово, объявления снова будут приходить."
HELP = (
    "Напишите вопрос своими словами: например, «не приходит код» или «не совпадает СНИЛС». "
    "Можно выбрать раздел или позвать человека.\n\n"
    "Напишите «мой вопрос», чтобы узнать, где он сейчас, «мои дети», чтобы не объяснять каждый раз, "
    "о ком вопрос, или «забудь меня», чтобы удалить всё, "
    "что я о вас храню."
)
CHOOSE_SECTION = "О чём вопрос? Выберите раздел."
CLARIFY = "Уточните, пожалуйста, о чём вопрос:"
REPHRASE = (
    "Пока не понимаю, о чём вопрос. Напишите, пожалуйста, другими словами: что вы делаете и что видно на "
    "экране. Можно выбрать раздел."
)
NOT_UNDERSTOOD = "Похоже, готового ответа у меня нет. Передам вопрос человеку."
FOREIGN = (
    "Я помогаю только со входом в электронный дневник и с учётными записями на Госуслугах для него. "
    "С этим вопросом помочь не смогу. Если дело всё-таки во входе, напишите, что не получается, "
    "выберите раздел или позовите человека."
)
FOREIGN_AGAIN = "С этим тоже не помогу: моё дело — вход в электронный дневник. Можно позвать человека."
NOT_HELPED = (
    "Что делаем дальше? Можно найти причину по шагам, посмотреть похожие ответы или позвать человека."
)
HELPED = "Хорошо, что получилось! Если что-то ещё понадобится, пишите."
FILE_NEEDS_WORDS = (
    "Снимок вижу, но прочитать, что на нём, не могу. Перепишите, пожалуйста, красную строку с ошибкой. "
    "Если передам вопрос человеку, снимок приложу."
)
FILE_KEPT = "Сохранил и это: приложу, если передам вопрос человеку. Можно найти причину по шагам."
ASK_SCHOOL = (
    "Передам вопрос человеку. Напишите, пожалуйста, школу и населённый пункт "
    "(например: «школа 5, Майкоп»), чтобы вопрос попал к нужным людям."
)
ASK_SCHOOL_AGAIN = (
    "Осталось назвать школу и населённый пункт, и я передам вопрос человеку. Можно передать и без школы."
)
NAME_SCHOOL = (
    "Осталось последнее: школа и населённый пункт (например: «школа 5, Майкоп»), "
    "чтобы заявка попала к нужным людям."
)
CANCELLED = "Хорошо, человека не зову. Если понадобится, просто напишите вопрос."
SCHOOL_SKIPPED = "не названа"
BACK_WITH_BOT = (
    "Хорошо, снова отвечаю я: напишите, что не получается. Ваш вопрос у сотрудников остаётся: "
    "когда ответят, сообщение придёт сюда."
)
ALREADY_CLOSED = "Этот вопрос уже закрыт. Если что-то осталось, просто напишите."
CHOICE_GONE = "Эта кнопка больше не действует. Напишите, пожалуйста, вопрос ещё раз."
NO_FILE_KIND = "Такие сообщения ({kind}) я передать не могу. Напишите, пожалуйста, словами."
MISHAP = (
    "Что-то сломалось на нашей стороне, но ваше сообщение сохранено и передано сотруднику. Ответ придёт сюда."
)

STAFF_MISHAP = (
    "Что-то сломалось на нашей стороне, и это сообщение не обработано. Отправьте его, пожалуйста, ещё раз."
)

BUTTON_HELPED = "Помогло"
BUTTON_NOT_HELPED = "Не помогло"
BUTTON_HUMAN = "Позвать человека"
BUTTON_SECTIONS = "Разделы"
BUTTON_NONE_OF_THESE = "Ничего из этого"
BUTTON_SKIP_SCHOOL = "Без школы"
BUTTON_CANCEL = "Не надо, я сам(а)"
BUTTON_BACK_TO_BOT = "Вернуться к боту"
BUTTON_SOLVED = "Вопрос решён"
BUTTON_BACK = "Назад к разделам"

BUTTON_TAKE = "Взять"
BUTTON_ANSWER = "Ответить"
BUTTON_TEMPLATE = "Шаблон"
BUTTON_NOTE = "Заметка"
BUTTON_PASS_ON = "Передать"  # noqa: S105 - a label
BUTTON_URGENT = "Срочно"
BUTTON_NOT_URGENT = "Не срочно"
BUTTON_CLOSE = "Закрыть"
BUTTON_ANSWER_MORE = "Ответить ещё"
BUTTON_SEND_ANYWAY = "Отправить от себя"
BUTTON_OPEN_LIST = "Открытые вопросы"
BUTTON_SHOW = "Вопрос № {number}"

REASONS = {
    "asked": "попросили позвать человека",
    "unknown": "бот не нашёл ответа",
    "not_helped": "ответ бота не помог",
    "error": "сбой бота",
    "diagnosis": "вход не удался, исправить может школа",
}
ROLES = {
    "owner": "владелец",
    "ministry": "оператор министерства",
    "municipal": "координатор муниципалитета",
    "school": "администратор школы",
}

INVITATION_WRONG = (
    "Приглашение не подошло: оно уже использовано, отозвано или устарело. "
    "Попросите новое у того, кто его прислал."
)
STAFF_HELP = (
    "Вы работаете как сотрудник. Чтобы ответить родителю, ответьте на сообщение с его вопросом или нажмите "
    "«Ответить» под ним. Команды: /my — мои вопросы, /new — новые, /overdue — просроченные, /open — все "
    "открытые, /templates — шаблоны ответов, /bans — заблокированные, /readiness — кто вошёл в дневник, "
    "/campaigns — объявления, /venue — каналы и группы для них, /stopall — стоп-кран для всех объявлений, "
    "/leave — перестать быть сотрудником."
)
WHOSE_ANSWER = "Кому это ответ? Выберите вопрос, и ваше сообщение уйдёт родителю."
STAFF_LEFT = (
    "Вы больше не сотрудник: вопросы родителей сюда не придут. Чтобы вернуться, нужно новое приглашение."
)
NO_OPEN_TICKETS = "Открытых вопросов нет."
TICKET_UNKNOWN = "Такого вопроса нет или он вам не виден."
EMPTY_ANSWER = "Пустой ответ не отправлен: напишите текст или приложите файл."


def too_late(number: int) -> str:
    """To the staff, who wanted to say something: several cases may lie in one chat."""
    return f"Вопрос № {number} уже закрыт: родителю ничего не отправлено."


def no_answer_to(said: str) -> str:
    """One of several questions has no answer; `said` are its words, if they are known."""
    question = f"На вопрос «{_quoted(said)}»" if said else "На другой ваш вопрос"
    return f"{question} ответа у меня нет — можно позвать человека."


def clarify_too(said: str) -> str:
    """Asks which topic is meant by one of several questions; `said` are its words, if they are known."""
    question = f"Вы ещё спросили: «{_quoted(said)}»." if said else "Вы спросили ещё об одном."
    return f"{question} Уточните, пожалуйста, о чём это:"


def ask_apart(said: Sequence[str]) -> str:
    """Too many questions at once; `said` are the words of those that wait, empty where they are not known."""
    known = ", ".join(f"«{_quoted(each)}»" for each in said if each)
    which = f"об этом: {known}" if known else "об остальном"
    return f"Отдельным сообщением спросите, пожалуйста, {which}."


def _quoted(said: str) -> str:
    said = " ".join(said.split())
    return escape(said if len(said) <= _QUOTED else said[: _QUOTED - 1].rstrip(" ,") + "…")


_QUOTED = 60
"""Characters of a question that are enough to recognise it."""


def ticket_opened(number: int) -> str:
    """The parent's question is with people now."""
    return (
        f"Передал вопрос сотрудникам, номер **{number}**. Ответ придёт сюда. "
        "Всё, что вы напишете дальше, тоже попадёт к ним."
    )


def ticket_joined_again(number: int) -> str:
    """The parent calls a human while a question is open already."""
    return f"Ваш вопрос № {number} уже у сотрудников. Пишите сюда, всё попадёт к ним."


def ticket_closed(number: int) -> str:
    """The parent's question was closed by the staff."""
    return f"Вопрос № {number} закрыт. Решено? Оцените, пожалуйста, помощь: 5 — отлично."


def ticket_solved(number: int) -> str:
    """The parent said that it is solved."""
    return f"Отлично, вопрос № {number} закрываю. Оцените, пожалуйста, помощь: 5 — отлично."


def topic_title(ticket: Ticket) -> str:
    """The title of a case's topic in a group."""
    return f"№ {ticket.id}" + (f" · {ticket.school}" if ticket.school_id is not None else "")


def parent_wrote(number: int, name: str, text: str) -> str:
    """A further message of the parent, for the staff."""
    head = f"**№ {number}**, {escape(name or 'родитель')}:"
    return rudeness.after(head, text) if text else f"{head} файл"


def parent_corrected(number: int, name: str, text: str) -> str:
    """A message that the parent edited."""
    return rudeness.after(f"**№ {number}**, {escape(name or 'родитель')} исправил(а) сообщение:", text)


def parent_sent_unreadable(number: int, kind: str) -> str:
    """The parent sent something that cannot be passed on."""
    return f"**№ {number}**: родитель прислал сообщение, которое передать нельзя ({escape(kind)})."


def answer_sent(number: int) -> str:
    """Confirms to the member of staff that the answer is on its way."""
    return f"Ответ на вопрос № {number} отправляю родителю."


def answer_was_second(number: int, first: str) -> str:
    """Another member of staff was first."""
    return (
        f"На вопрос № {number} уже отвечает {escape(first)}, поэтому ваш ответ не отправлен. "
        "Отправить его тоже?"
    )


def other_answered(number: int, who: str, text: str) -> str:
    """Tells the others that somebody answers."""
    return f"На вопрос № {number} отвечает {escape(who)}:\n{escape(text) or '(файл)'}"


def other_closed(number: int, who: str) -> str:
    """Tells the others that it is closed."""
    return f"Вопрос № {number} закрыт ({escape(who)})."


def parent_closed(number: int) -> str:
    """Tells the staff that the parent has no more question."""
    return f"Вопрос № {number} закрыт: родитель сообщил, что всё решено."


def parent_back_with_bot(number: int) -> str:
    """Tells the staff that the parent talks to the bot again."""
    return f"№ {number}: родитель вернулся к боту, вопрос остаётся открытым."


def parent_returned(number: int, name: str, said: Sequence[str]) -> str:
    """Tells the staff that the parent asks for a human again, and what was said to the bot meanwhile."""
    head = f"**№ {number}**: {escape(name or 'родитель')} снова просит человека."
    return "\n".join([head, *said])


def colleague_unreachable(number: int, name: str) -> str:
    """Tells the others that what the parent writes does not reach the one who answers."""
    return (
        f"**№ {number}**: вопрос ведёт {escape(name)}, но сообщения до него (неё) не доходят. "
        "Ответьте, пожалуйста, вместо него (неё)."
    )


def write_answer(number: int) -> str:
    """Asks the member of staff for the answer."""
    return f"Напишите ответ на вопрос № {number}: следующее ваше сообщение уйдёт родителю."


UNDELIVERED = {
    "blocked": "родитель заблокировал бота",
    "not_allowed": "родитель запретил сообщения от сообщества",
    "gone": "учётная запись родителя в мессенджере удалена или недоступна",
    "rejected": "мессенджер не принял сообщение",
    "gave_up": "мессенджер долго не отвечает",
}


def file_not_passed(name: str, why: str) -> str:
    """Added to a message whose file could not be had."""
    return f"(файл «{escape(name)}» передать не удалось: {escape(why)})"
