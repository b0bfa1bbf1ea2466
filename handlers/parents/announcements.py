"""Buttons under announcements, and those that follow from them: however old, each does what it says.

camp:off|on:CATEGORY  camp:list|all|stop|back|keep        what comes to the person
camp:ready:yes|no     camp:inside|help|next:LAUNCH        how far they have come
camp:topic:LAUNCH:SLUG                                    an answer that was named
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from handlers.parents import questions, readiness, subscriptions
from handlers.texts import basics as texts
from handlers.turn import Turn, number_in
from storage import journal

PREFIX = "camp:"
"""How the payloads of this file's buttons begin."""


async def press(turn: Turn, argument: str) -> None:
    """A button whose payload begins with `camp:`; `argument` is the rest."""
    deed, _, detail = argument.partition(":")
    category = subscriptions.category_in(detail)
    if deed == "off" and category is not None:
        await subscriptions.turn_off(turn, category)
    elif deed == "on" and category is not None:
        await subscriptions.turn_on(turn, category)
    elif deed == "ready":
        await readiness.answer(turn, detail)
    elif deed in _OF_A_LAUNCH:
        await _note(turn, deed, detail)
        await _OF_A_LAUNCH[deed](turn)
    elif deed == "topic":
        await _note(turn, deed, detail)
        await readiness.show_topic(turn, detail.partition(":")[2])
    elif deed in _PLAIN:
        await _PLAIN[deed](turn)
    else:
        await turn.say(texts.CHOICE_GONE, questions.menu_buttons())


async def _note(turn: Turn, deed: str, detail: str) -> None:
    """How many pressed what under which launch; an announcement's own buttons carry its number."""
    launch = number_in(detail.partition(":")[0])
    if launch:
        details = {"button": deed, "launch": launch}
        await journal.note(turn.tx, "pressed", actor="person", now=turn.now, details=details)


_Deed = Callable[[Turn], Awaitable[None]]
_OF_A_LAUNCH: Mapping[str, _Deed] = {
    "inside": readiness.inside,
    "help": readiness.help_,
    "next": readiness.show_next,
}
_PLAIN: Mapping[str, _Deed] = {
    "list": subscriptions.show,
    "all": subscriptions.resume,
    "stop": subscriptions.stop,
    "back": subscriptions.turn_on_after_block,
    "keep": subscriptions.keep,
}
