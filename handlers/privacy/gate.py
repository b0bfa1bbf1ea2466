"""Settle which of the places found win, put words in brackets there, and say what was hidden."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from handlers.privacy import birth, codes, contacts, documents, passwords
from handlers.privacy.found import Hidden, Kind
from handlers.privacy.view import View

_ROUNDS = 8
"""What is hidden may lay bare a neighbour; two rounds settle all but texts made for spite."""

_PLACEHOLDERS: dict[Kind, str] = {
    "snils": "[СНИЛС скрыт]",
    "passport": "[паспорт скрыт]",
    "birth_certificate": "[свидетельство скрыто]",
    "card": "[карта скрыта]",
    "email": "[почта скрыта]",
    "phone": "[телефон скрыт]",
    "birth_date": "[дата рождения скрыта]",
    "password": "[пароль скрыт]",
    "code": "[код скрыт]",
}
_NAMES: dict[Kind, str] = {
    "snils": "номер СНИЛС",
    "passport": "номер паспорта",
    "birth_certificate": "номер свидетельства о рождении",
    "card": "номер карты",
    "email": "адрес почты",
    "phone": "номер телефона",
    "birth_date": "дата рождения",
    "password": "логин или пароль",
    "code": "код",
}
_DELETED = "Убираем это и из чата; если сообщение осталось на экране, удалите его, пожалуйста."
_NOT_DELETED = "Из вашего чата сообщение можете удалить только вы: сделайте это, пожалуйста."
_RANK: dict[Kind, int] = {kind: rank for rank, kind in enumerate(_PLACEHOLDERS)}
"""Of two finds of one length, the more particular."""

_FINDERS: tuple[Callable[[View], Iterator[Hidden]], ...] = (
    documents.snils,
    documents.passport,
    documents.birth_certificate,
    documents.card,
    contacts.email,
    contacts.phone,
    birth.birth_date,
    codes.code,
    passwords.password,
)
_WITHOUT_DIGITS = (contacts.email, birth.birth_date, passwords.password)
_DIGIT = re.compile("[0-9]")


@dataclass(frozen=True)
class Masked:
    """A text that may be kept, and what was taken from it, in order."""

    text: str
    hidden: tuple[Hidden, ...]


def mask(text: str) -> Masked:
    """Hide personal data in any text; masking twice changes nothing."""
    hidden: list[Hidden] = []
    masked, starts = text, [(0, 0)]
    for _ in range(_ROUNDS):
        found = _find(masked)
        if not found:
            break
        hidden = sorted(
            [*hidden, *(_in_original(each, starts) for each in found)], key=lambda each: each.start
        )
        masked, starts = _replace(text, hidden)
    return Masked(masked, tuple(hidden))


def told(hidden: Sequence[Hidden], *, deleted: bool) -> str:
    """What was hidden and why, and what becomes of the message itself; nothing if nothing was hidden.

    `deleted`: we take the message from the parent's screen, which the messenger may still refuse.
    """
    kinds = sorted({each.kind for each in hidden}, key=_RANK.__getitem__)
    if not kinds:
        return ""
    names = ", ".join(_NAMES[kind] for kind in kinds)
    return (
        f"В вашем сообщении скрыто: {names} — "
        "в чате личные данные не нужны, а документы показывают только лично. "
        + (_DELETED if deleted else _NOT_DELETED)
    )


def _find(text: str) -> list[Hidden]:
    """The winners of one round, in order, none overlapping."""
    view = View.of(text)
    taken = bytearray(len(view.plain))
    for start, end in contacts.public_lines(view):
        taken[start:end] = b"\1" * (end - start)
    for start, end in codes.links(view):
        taken[start:end] = b"\1" * (end - start)
    winners = list(codes.link_token(view))
    finders = _FINDERS if _DIGIT.search(view.plain) else _WITHOUT_DIGITS
    finds = [each for finder in finders for each in finder(view)]
    for each in sorted(finds, key=lambda find: (find.start - find.end, _RANK[find.kind], find.start)):
        if not any(taken[each.start : each.end]):
            taken[each.start : each.end] = b"\1" * (each.end - each.start)
            winners.append(each)
    return [_placed(each, view, len(text)) for each in sorted(winners, key=lambda find: find.start)]


def _placed(find: Hidden, view: View, length: int) -> Hidden:
    """From the view to the text; what cannot be seen behind the last character goes with it."""
    end = view.places[find.end] if find.end < len(view.places) else length
    return Hidden(find.kind, view.places[find.start], end)


def _replace(text: str, hidden: Sequence[Hidden]) -> tuple[str, list[tuple[int, int]]]:
    """The masked text, and for each piece of it that was kept where it stands there and in the original."""
    pieces, starts, at, length = [], [(0, 0)], 0, 0
    for each in hidden:
        placeholder = _PLACEHOLDERS[each.kind]
        pieces += [text[at : each.start], placeholder]
        length += each.start - at + len(placeholder)
        at = each.end
        starts.append((length, at))
    return "".join([*pieces, text[at:]]), starts


def _in_original(find: Hidden, starts: Sequence[tuple[int, int]]) -> Hidden:
    masked_at, text_at = starts[bisect_right(starts, find.start, key=lambda piece: piece[0]) - 1]
    shift = text_at - masked_at
    return Hidden(find.kind, find.start + shift, find.end + shift)
