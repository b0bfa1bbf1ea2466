"""«Вы уже вошли в дневник?»: one question, and the next step for whoever has not."""

from __future__ import annotations

from faq.content.topic import Topic
from faq.text import clean, words
from handlers.messages import Button
from handlers.parents import diagnosis, progress, questions
from handlers.texts import basics
from handlers.texts import subscriptions as texts
from handlers.turn import Turn, rows
from storage import stages
from storage.campaigns.campaign import Stage

PREFIX = "ready:"
"""How the payloads of the stages' buttons begin."""
TOPICS: dict[Stage, str] = {
    "no_account": "parent-account-register",
    "not_confirmed": "account-confirm-how",
    "child_not_linked": "child-account-link-parent",
    "no_profile": "dnevnik-profile-missing",
}
"""The topic that leads on from each stage; whoever is inside needs none."""
NO_IDEA = "unknown"
"""«Не знаю» instead of a stage."""
HELP = Button(texts.BUTTON_HELP, "camp:help:0")


async def ask(turn: Turn) -> None:
    """Put the question."""
    await begin_with_bot(turn)
    yes, no = Button(texts.BUTTON_YES, "camp:ready:yes"), _NOT_YET
    await turn.say(texts.QUESTION, rows([yes, no]))


async def hear(turn: Turn, text: str) -> bool:
    """The same answers typed; False if the words are something else."""
    said = " ".join(words(clean(text)))
    if said in _INSIDE_WORDS:
        await inside(turn)
    elif said in _NOT_YET_WORDS:
        await _ask_where(turn)
    elif said in _HELP_WORDS:
        await help_(turn)
    else:
        return False
    return True


def says_inside(text: str) -> bool:
    """Whether these are the words of somebody who has got in."""
    return " ".join(words(clean(text))) in _INSIDE_WORDS


async def answer(turn: Turn, answered: str) -> None:
    """«Да, вошли» or «Пока нет» under the question."""
    if answered == "yes":
        await inside(turn)
    elif answered != "no":
        await ask(turn)
    elif is_with_human(turn):
        await confirm(turn)
    else:
        await _ask_where(turn)


async def inside(turn: Turn) -> None:
    """«Я уже вошёл»: thanks; a slip of the finger can be taken back."""
    await progress.note(turn, stages.INSIDE, source="press")
    if is_with_human(turn):
        await confirm(turn)
    else:
        await turn.say(texts.INSIDE, rows([_NOT_YET]))


async def press(turn: Turn, argument: str) -> None:
    """A button whose payload begins with `ready:`: a stage, or «Не знаю»."""
    if argument == stages.INSIDE:
        await inside(turn)
    elif argument in TOPICS:
        await progress.note(turn, argument, source="press")
        await _show_next(turn, argument)
    elif argument == NO_IDEA:
        await help_(turn)
    else:
        await ask(turn)


async def help_(turn: Turn) -> None:
    """«Нужна помощь»: find the cause, unless a human has the question."""
    if is_with_human(turn):
        await confirm(turn)
        return
    await begin_with_bot(turn)
    await diagnosis.start(turn)


async def show_next(turn: Turn) -> None:
    """The topic for the person's stage; whoever was never asked is asked."""
    stage = await stages.of_person(turn.tx, turn.person.id)
    if stage is None and is_with_human(turn):
        await confirm(turn)
    elif stage is None:
        await ask(turn)
    elif stage in TOPICS:
        await _show_next(turn, stage)
    elif is_with_human(turn):
        await confirm(turn)
    else:
        await turn.say(texts.ALREADY_INSIDE, rows([HELP, _NOT_YET]))


async def show_topic(turn: Turn, slug: str) -> None:
    """A topic that an announcement names; beside a human it is one more press away."""
    topic = turn.knowledge.topic(slug)
    if topic is None and not is_with_human(turn):
        await turn.say(texts.NO_TOPIC, rows([HELP, *_menu()]))
    elif topic is None or is_with_human(turn):
        await confirm(turn, topic)
    else:
        await begin_with_bot(turn)
        await questions.show(turn, topic, more=[HELP])


async def begin_with_bot(turn: Turn) -> None:
    """What is typed next is said to the bot, not to the staff who have closed the question."""
    if turn.conversation.mode == "closed":
        await turn.switch("bot", ticket_id=None)


def is_with_human(turn: Turn) -> bool:
    """Whether the staff have the word: then a press is only confirmed."""
    return turn.conversation.mode in {"waiting_human", "human"}


async def confirm(turn: Turn, topic: Topic | None = None) -> None:
    """A short word beside a human, with the ways to what was asked for."""
    ways = [Button(topic.button, f"t:{topic.slug}")] if topic is not None else []
    back = Button(basics.BUTTON_BACK_TO_BOT, "bot")
    await turn.say(texts.noted_beside_human(turn.conversation.ticket_id or 0), rows([*ways, back]))


async def _show_next(turn: Turn, stage: Stage) -> None:
    await show_topic(turn, TOPICS[stage])


async def _ask_where(turn: Turn) -> None:
    await begin_with_bot(turn)
    choices = [Button(label, f"{PREFIX}{stage}") for stage, label in texts.STAGES.items()]
    await turn.say(
        texts.WHERE_STUCK, rows([*choices, Button(texts.BUTTON_DO_NOT_KNOW, f"{PREFIX}{NO_IDEA}")])
    )


def _menu() -> list[Button]:
    return [Button(basics.BUTTON_SECTIONS, "menu"), Button(basics.BUTTON_HUMAN, "human")]


# As `words(clean(…))` gives them: without «ё» and commas.
_INSIDE_WORDS = frozenset(
    f"{who}{when}{what}"
    for who in ("", "я ", "мы ", "да ", "да я ", "да мы ")
    for when in ("", "уже ")
    for what in ("вошел", "вошла", "вошли", "зашел", "зашла", "зашли")
)
_NOT_YET_WORDS = frozenset(("пока нет", "нет пока", "еще нет", "нет еще", "пока не вошли", "еще не вошли"))
_HELP_WORDS = frozenset(("нужна помощь", "мне нужна помощь", "нужна ваша помощь"))
_NOT_YET = Button(texts.BUTTON_NOT_YET, "camp:ready:no")
