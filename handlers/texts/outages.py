"""Sentences about a declared outage. Russian, short, «вы», no promise when it will be over."""

from __future__ import annotations

from faq.markup import escape

BUTTON_DECLARE = "Объявить"
BUTTON_END = "Сбой закончился"
BUTTON_LASTS = "Ещё длится"
EVERYWHERE = "во всём регионе"
HOW_TO = (
    "Чтобы объявить сбой, напишите /outage и одним-двумя предложениями, что не работает. Например: "
    "«/outage Дневник не открывается, мы знаем и чиним». Родители увидят это первым, сроки вопросов "
    "остановятся, а когда сбой закончится, все спросившие узнают об этом."
)
TOO_LONG = "Слишком длинно: родители читают с телефона. Уложитесь, пожалуйста, в 500 знаков."
LOST_DRAFT = "Текст этого сбоя не сохранился. Напишите, пожалуйста, /outage и текст ещё раз."
NOT_YOURS = "Здесь вы сбой объявить или закончить не можете: ничего не изменилось."
LASTS_ALREADY = "Здесь сбой уже объявлен: ничего не изменилось. Все объявленные: /outage."
ENDED_ALREADY = "Этот сбой уже закончен: ничего не изменилось."
NOTED_AS_LASTING = "Хорошо, сбой остаётся объявленным. Завтра спрошу снова."
NOTHING_DECLARED = "Объявленных сбоев сейчас нет."


def notice(text: str) -> str:
    """What a parent reads before anything else."""
    return f"**Сейчас известен сбой**\n{escape(text)}\n\nКогда он закончится, я напишу вам сюда."


def is_over(text: str) -> str:
    """What everybody who asked hears at the end."""
    return (
        f"Сбой закончился: «{escape(text)}». Попробуйте, пожалуйста, войти ещё раз. "
        "Если не получится, напишите мне."
    )


def preview(text: str, where: str) -> str:
    """Before it is declared."""
    return f"Объявить сбой ({escape(where)})? Родители увидят так:\n\n{notice(text)}"


def choose_place(text: str) -> str:
    """Where it is."""
    return f"Где этот сбой?\n\n«{escape(text)}»"


def declared(where: str, stopped: int) -> str:
    """It was declared."""
    return f"Сбой объявлен ({escape(where)}). Остановлены сроки вопросов: {stopped}."


def ended(where: str) -> str:
    """It was ended."""
    return f"Сбой закончен ({escape(where)}). Сроки идут снова, все спросившие узнают об этом."


def line(text: str, where: str) -> str:
    """One outage of the list."""
    return f"— {escape(where)}: «{escape(text)}»"


def does_it_last(text: str, where: str) -> str:
    """Asks whoever declared it, each day."""
    return f"Сбой ещё длится ({escape(where)})?\n«{escape(text)}»"


def note(name: str, text: str, where: str) -> str:
    """Tells the desk that somebody declared an outage."""
    return f"{escape(name)} объявил(а) сбой ({escape(where)}): «{escape(text)}»."
