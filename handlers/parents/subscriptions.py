"""Who wants which announcements; what is asked is answered in any case.

The parent comes by words (`hear`), by commands, by «Отписаться» under an announcement and by the buttons
of the settings (`handlers.parents.announcements`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from faq.text import clean, words
from handlers.messages import Button, Rows
from handlers.parents import questions
from handlers.texts import basics as texts
from handlers.texts import subscriptions as said
from handlers.turn import Turn, rows
from storage import journal, people, subscriptions
from storage.campaigns.campaign import CATEGORIES, Category

Meaning = Literal["settings", "all", "stop?"]
"""What words may be about: to see the subscriptions, to get everything again, perhaps to get nothing."""
MOST_WORDS = 12
"""Longer messages tell of something; a wish to be left alone is short."""


async def stop(turn: Turn) -> None:
    """No announcements any more; questions are answered as before."""
    await subscriptions.mute(turn.tx, turn.person.id, now=turn.now)
    await journal.note(turn.tx, "unsubscribed", actor="person", now=turn.now)
    await turn.say(texts.MUTED)


async def resume(turn: Turn) -> None:
    """All announcements again."""
    await subscriptions.opt_in_to_all(turn.tx, turn.person.id)
    await journal.note(turn.tx, "subscribed", actor="person", now=turn.now)
    await turn.say(texts.UNMUTED, questions.menu_buttons())


async def show(turn: Turn, *, lead: str = "") -> None:
    """What the person gets, with a button for each category; `lead` is said instead of the list."""
    wanted = await subscriptions.wanted(turn.tx, turn.person.id)
    await turn.say(lead or said.settings(wanted), _settings_buttons(wanted))


async def turn_off(turn: Turn, category: Category) -> None:
    """Nothing of this category any more; a button takes it back."""
    await subscriptions.opt_out(turn.tx, turn.person.id, category, why="asked", now=turn.now)
    await _note(turn, "unsubscribed", category)
    back = Button(said.BUTTON_TAKE_BACK, f"camp:on:{category}")
    await turn.say(said.turned_off(category), rows([back, _SETTINGS]))


async def turn_on(turn: Turn, category: Category) -> None:
    """This category again."""
    await subscriptions.opt_in(turn.tx, turn.person.id, category, now=turn.now)
    await _note(turn, "subscribed", category)
    await turn.say(said.turned_on([category]), rows([_SETTINGS]))


async def turn_on_after_block(turn: Turn) -> None:
    """Whatever only a block had turned off, again."""
    is_muted = turn.person.muted_at is not None
    categories = () if is_muted else await subscriptions.undo_block(turn.tx, turn.person.id)
    if not categories:
        await show(turn)
        return
    for category in categories:
        await _note(turn, "subscribed", category)
    await turn.say(said.turned_on(categories), rows([_SETTINGS]))


async def keep(turn: Turn) -> None:
    """Nothing changes."""
    await turn.say(said.KEPT)


def category_in(argument: str) -> Category | None:
    """The category that a button carries."""
    return next((each for each in CATEGORIES if each == argument), None)


def meaning(text: str) -> Meaning | None:
    """What words ask for; a sure «стоп» is small talk already, an unsure one is to be asked about."""
    heard = words(clean(text))
    while heard and heard[0] in _POLITE:
        heard = heard[1:]
    while heard and heard[-1] in _POLITE:
        heard = heard[:-1]
    whole = " ".join(heard)
    if whole in _SETTINGS_WORDS:
        return "settings"
    if whole in _ALL_WORDS:
        return "all"
    return "stop?" if _may_mean_stop(heard) else None


async def hear(turn: Turn, text: str) -> bool:
    """Obey words about subscriptions; False when they are about something else."""
    meant = meaning(text)
    if meant == "settings":
        await show(turn)
    elif meant == "all":
        await resume(turn)
    elif meant == "stop?" and not turn.state.step:
        await show(turn, lead=said.ASK_WHAT_TO_STOP)
    else:
        return False
    return True


async def set_reachable(turn: Turn, *, reachable: bool) -> None:
    """The messenger says that we may, or may not, write to this person."""
    here = (turn.tx, turn.person.channel, turn.person.chat_id)
    if reachable:
        await people.set_unreachable(*here, None)
    else:
        await subscriptions.note_unreachable(*here, "blocked", now=turn.now)
    deed = "allowed" if reachable else "blocked"
    await journal.note(turn.tx, deed, actor="person", now=turn.now)


async def tell_of_block(turn: Turn) -> None:
    """After an answer: what a block had turned off stays so until they say otherwise, and is told once.

    Not while a human talks, and not below a question of ours, which would be lost above it.
    """
    if turn.conversation.mode in {"waiting_human", "human"} or turn.state.step or turn.state.asking:
        return
    categories = await subscriptions.take_news_of_block(turn.tx, turn.person.id)
    if categories:
        on = Button(said.BUTTON_TURN_ON, "camp:back")
        await turn.say(said.off_since_block(categories), rows([on, Button(said.BUTTON_KEEP, "camp:keep")]))


def _settings_buttons(wanted: set[Category]) -> Rows:
    switches = [
        Button(
            said.button(each, is_wanted=each in wanted), f"camp:{'off' if each in wanted else 'on'}:{each}"
        )
        for each in CATEGORIES
    ]
    everything = Button(said.BUTTON_EVERYTHING, "camp:all")
    nothing = Button(said.BUTTON_NOTHING, "camp:stop")
    return rows(
        [
            *switches,
            *([everything] if len(wanted) < len(CATEGORIES) else []),
            *([nothing] if wanted else []),
        ]
    )


def _may_mean_stop(heard: tuple[str, ...]) -> bool:
    if not 0 < len(heard) <= MOST_WORDS:
        return False
    if " ".join(heard) in _FED_UP:
        return True
    if any(word.startswith(_OTHER_MATTERS) for word in heard):
        return False
    against = any(word.startswith(_AGAINST) for word in heard) or _is_refused(heard, _WISHES)
    if any(word in _UNSUBSCRIBE for word in heard) or _is_refused(heard, _SENDING_ORDERS):
        return True
    if against and any(word.startswith(_MAILING) for word in heard):
        return True
    return against and any(word in _SENDING for word in heard)


def _is_refused(heard: tuple[str, ...], those: frozenset[str]) -> bool:
    """Whether «не» stands right before one of those words."""
    return any(one == "не" and other in those for one, other in pairwise(heard))


async def _note(turn: Turn, deed: str, category: Category) -> None:
    await journal.note(turn.tx, deed, actor="person", now=turn.now, details={"category": category})


_SETTINGS = Button(said.BUTTON_SETTINGS, "camp:list")
_POLITE = frozenset(("здравствуйте", "пожалуйста", "спасибо", "скажите", "подскажите", "а", "и", "ну", "все"))
_SETTINGS_WORDS = frozenset(
    (
        "подписка",
        "подписки",
        "моя подписка",
        "мои подписки",
        "настройки",
        "настройка",
        "настройки подписки",
        "настройки подписок",
        "настроить подписку",
        "настроить подписки",
        "настройки объявлений",
        "настройки рассылки",
        "рассылка",
        "рассылки",
    )
)
_ALL_WORDS = frozenset(
    (
        "подписаться",
        "подпишите меня",
        "подпиши меня",
        "подпишите",
        "хочу подписаться",
        "хочу получать объявления",
        "подписаться на объявления",
        "подписаться на рассылку",
        "включите рассылку",
        "включить рассылку",
        "присылайте снова",
        "снова присылайте",
        "присылайте объявления",
    )
)
_FED_UP = frozenset(
    (
        "отстань",
        "отстаньте",
        "отстаньте от меня",
        "отстань от меня",
        "отвяжись",
        "отвяжитесь",
        "оставьте меня в покое",
        "оставь меня в покое",
        "хватит",
        "хватит уже",
        "надоели",
        "надоело",
        "уберите меня",
        "это спам",
        "спам",
    )
)
"""Said to whoever sends too much, and to whoever answers badly."""
_OTHER_MATTERS = (
    "код",
    "смс",
    "эсэмэс",
    "sms",
    "парол",
    "логин",
    "госуслуг",
    "гос",
    "дневник",
    "снилс",
    "документ",
    "паспорт",
    "оцен",
    "приложен",
    "ответ",
    "почему",
    "когда",
    "ребен",
    "учител",
    "школ",
    "мэш",
    "проход",
)
"""Whoever names one of these does not speak of our announcements."""
_MAILING = ("рассыл", "объявлен", "напоминан", "уведомлен", "новост", "спам", "сообщени")
_AGAINST = (
    "отключ",
    "выключ",
    "убер",
    "убра",
    "прекра",
    "перестан",
    "хватит",
    "надоел",
    "достал",
    "отказат",
    "отказываюсь",
    "против",
)
_WISHES = frozenset(("хочу", "надо", "нужно", "нужны", "нужна", "желаю", "интересно", "интересны"))
_UNSUBSCRIBE = frozenset(("отписаться", "отпишите", "отпиши", "отписать", "отписывайте"))
"""Not «отпишитесь» and «отпишусь»: that is «дайте знать»; nor «отписка», which is an empty answer."""
_SENDING = frozenset(("присылать", "слать", "отправлять", "писать", "беспокоить", "тревожить", "получать"))
_SENDING_ORDERS = frozenset(
    ("присылайте", "присылай", "шлите", "шли", "отправляйте", "беспокойте", "беспокой", "тревожьте")
)
