"""The children of a family, and the channels on which it writes to us.

Other deeds use `spoken_of`, `talk_about` and `choice`; the parent comes by «Мои дети» (`show`), by buttons
that begin with `fam:` (`press`) and by words that were asked for (`hear`).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

from faq.text import clean, small_talk, wants_human, words
from handlers.messages import Address, Button, Outgoing, Rows
from handlers.parents import questions, schools
from handlers.texts import family as texts
from handlers.texts import schools as texts_schools
from handlers.turn import Turn, number_in, rows
from storage import family, journal, people, stages, tickets
from storage.family import Child

PREFIX = "fam:"
"""How the payloads of this file's buttons begin."""
LONGEST_LABEL = 30
LONGEST_SCHOOL = 300
MOST_CHILDREN = 12
CODE_LENGTH = 6
CODE_LIFETIME = timedelta(minutes=15)
MOST_TRIES, TRIES_WITHIN = 5, timedelta(hours=1)
"""21⁶ codes, of which few live at a time: so many guesses find nothing."""
WAIT_FOR_WORDS = timedelta(minutes=10)
"""Words that come later are a new question, no answer to ours."""
_CODE_SIGNS = "ACDEFHJKMNPRTWXY34679"
"""None that looks like another one of them, in print or by hand."""
_AS_LATIN = str.maketrans("АСЕНКМРТХУ", "ACEHKMPTXY")
_CODE = re.compile(rf"[{_CODE_SIGNS}]{{{CODE_LENGTH}}}")


async def show(turn: Turn) -> None:
    """The family as we know it: each child is a button."""
    await family.await_nothing(turn.tx, turn.person.id)
    known = await family.children_of(turn.tx, turn.person.id)
    buttons = [Button(each.label, f"{PREFIX}child:{each.id}") for each in known]
    buttons += [_button(texts.BUTTON_ADD, "add"), _button(texts.BUTTON_JOIN, "join")]
    await turn.say(texts.children(known) if known else texts.NO_CHILDREN, rows(buttons))


async def spoken_of(turn: Turn) -> Child | None:
    """The child about whom the family talked last."""
    return await family.last_spoken_of(turn.tx, turn.person.id)


async def talk_about(turn: Turn, child_id: int) -> Child | None:
    """The talk is about this child now; None if it is not one of theirs (an old button)."""
    return await family.speak_of(turn.tx, turn.person.id, child_id, now=turn.now)


async def meant(turn: Turn, text: str) -> Child | None:
    """The child that words are about: the one they name, the only one, or any where all are of one age."""
    known = await family.children_of(turn.tx, turn.person.id)
    said = set(words(clean(text)))
    named = [each for each in known if (label := set(words(clean(each.label)))) and label <= said]
    if len(named) == 1:
        return await talk_about(turn, named[0].id)
    return known[0] if len({each.age_group for each in known}) == 1 else None


async def who_tells_the_school(turn: Turn) -> Child | None:
    """A child of the school where all of them learn; None when there are several, or none is known."""
    known = await family.children_of(turn.tx, turn.person.id)
    return known[0] if known and known[0].school and len({each.school for each in known}) == 1 else None


async def knows_a_school(turn: Turn) -> bool:
    """Whether any child's school is known."""
    return any(each.school for each in await family.children_of(turn.tx, turn.person.id))


async def choice(turn: Turn, payload: Callable[[int], str]) -> Rows:
    """Buttons for «О ком из детей вопрос?»; `payload` makes them of a child's number, 0 for another child.

    Empty when there is nothing to choose: no child is known, or one.
    """
    known = await family.children_of(turn.tx, turn.person.id)
    if len(known) <= 1:
        return ()
    chosen = [Button(each.label, payload(each.id)) for each in known]
    return rows([*chosen, Button(texts.BUTTON_OTHER_CHILD, payload(0))])


async def press(turn: Turn, argument: str) -> None:
    """A button whose payload begins with `fam:`; `argument` is the rest."""
    deed, _, detail = argument.partition(":")
    await family.await_nothing(turn.tx, turn.person.id)
    deeds = {
        "add": _ask_label,
        "join": _show_joining,
        "code": _show_code,
        "type": _ask_code,
        "leave": _ask_leave,
        "leaveyes": _leave,
        "here": _make_primary,
    }
    if deed in deeds:
        await deeds[deed](turn)
    elif deed == "new":
        await _take_label(turn, 0, detail)
    elif deed in {"child", "name", "age", "school", "drop"}:
        await _press_child(turn, deed, detail)
    elif deed == "keep":
        await _keep(turn, *detail.partition(":")[::2])
    else:
        await show(turn)


async def hear(turn: Turn, text: str) -> bool:
    """Take the words that were asked for; False when nothing was, or when they are no answer to it.

    A question typed instead of the answer is left to the caller, and nothing is awaited any more.
    """
    awaited = await family.awaited_answer(turn.tx, turn.person.id, now=turn.now)
    if awaited is None:
        return False
    await family.await_nothing(turn.tx, turn.person.id)
    what, _, number = awaited.partition(":")
    if what == "code":
        return await _hear_code(turn, text)
    if await _is_something_else(turn, text, is_school=what in _SCHOOL):
        return False
    if what in _SCHOOL:
        await _take_school(turn, number_in(number), text, is_second=what == _AGAIN)
    else:
        await _take_label(turn, number_in(number), text)
    return True


async def join(turn: Turn, typed: str) -> None:
    """`/join КОД`: this channel and the one that showed the code become one family's."""
    await family.await_nothing(turn.tx, turn.person.id)
    code = _as_code(typed)
    if code is None:
        await (_refuse_code(turn) if typed.strip() else _show_joining(turn))
        return
    if not await family.may_try(turn.tx, turn.person.id, now=turn.now, most=MOST_TRIES, within=TRIES_WITHIN):
        await turn.say(texts.TOO_MANY_TRIES, _to_list(), remember=False)
        return
    owner = await family.use_code(turn.tx, _hash(code), now=turn.now)
    if owner is None:
        await _refuse_code(turn)
    elif owner == turn.person.id:
        await family.put_code(
            turn.tx, owner, code_hash=_hash(code), now=turn.now, expires_at=turn.now + CODE_LIFETIME
        )
        await turn.say(texts.OWN_CODE, _to_list(), remember=False)
    else:
        await _join(turn, owner)


async def _press_child(turn: Turn, deed: str, detail: str) -> None:
    number, _, value = detail.partition(":")
    child = await talk_about(turn, number_in(number))
    if child is None:
        await turn.say(texts.CHILD_GONE, _to_list())
    elif deed == "child":
        await turn.say(texts.child(child), _child_buttons(child))
    elif deed == "name":
        await _await(turn, f"label:{child.id}")
        await turn.say(texts.ask_new_label(child.label))
    elif deed == "age" and value in family.AGE_GROUPS:
        known = await family.set_age_group(turn.tx, turn.person.id, child.id, value)
        await _go_on(turn, known or child)
    elif deed == "age" and value == "skip":
        await _go_on(turn, child)
    elif deed == "age":
        await _ask_age(turn, child)
    elif deed == "school" and value == "skip":
        await turn.say(texts.NOT_ASKED, _child_buttons(child))
    elif deed == "school" and value:
        await _choose_school(turn, child, value)
    elif deed == "school":
        await _ask_school(turn, child)
    else:
        await family.forget_child(turn.tx, turn.person.id, child.id)
        await turn.say(texts.child_forgotten(child.label), _to_list())


async def _keep(turn: Turn, age_group: str, ticket_number: str) -> None:
    """Remember what a card told of the child, so that it is not asked next time."""
    ticket = await tickets.find(turn.tx, number_in(ticket_number))
    known = await family.children_of(turn.tx, turn.person.id)
    if known or ticket is None or ticket.person_id != turn.person.id:
        await show(turn)
        return
    child = await family.add_child(turn.tx, turn.person.id, label=texts.DEFAULT_LABEL, now=turn.now)
    await journal.note(turn.tx, "child_added", actor="person", now=turn.now)
    if age_group in family.AGE_GROUPS:
        await family.set_age_group(turn.tx, turn.person.id, child.id, age_group)
    school = await schools.listed(turn, ticket.school_id)
    await _set_school(turn, child.id, schools.named(school) if school else ticket.school, ticket.school_id)


async def _ask_label(turn: Turn, why: str = texts.ASK_LABEL) -> None:
    known = await family.children_of(turn.tx, turn.person.id)
    if len(known) >= MOST_CHILDREN:
        await turn.say(texts.TOO_MANY_CHILDREN, _to_list())
        return
    taken = {each.label.casefold() for each in known}
    quick = [label for label in texts.QUICK_LABELS if label.casefold() not in taken]
    await _await(turn, "label:0")
    await turn.say(why, rows(_button(label, f"new:{label}") for label in quick))


async def _take_label(turn: Turn, child_id: int, text: str) -> None:
    """Call a child so; a new one when the number is 0."""
    label = " ".join(text.split())
    why = await _fault_of(turn, label, child_id)
    if why is not None and child_id == 0:
        await _ask_label(turn, why)
    elif why is not None:
        await _await(turn, f"label:{child_id}")
        await turn.say(why)
    elif child_id == 0:
        if len(await family.children_of(turn.tx, turn.person.id)) >= MOST_CHILDREN:
            await turn.say(texts.TOO_MANY_CHILDREN, _to_list())
            return
        child = await family.add_child(turn.tx, turn.person.id, label=label, now=turn.now)
        await journal.note(turn.tx, "child_added", actor="person", now=turn.now)
        await _ask_age(turn, child)
    else:
        known = await family.rename(turn.tx, turn.person.id, child_id, label=label)
        await _tell_remembered(turn, known)


async def _fault_of(turn: Turn, label: str, child_id: int) -> str | None:
    """Why a child cannot be called so, in a sentence; None if it can."""
    if is_personal(label):
        return texts.LABEL_IS_PERSONAL
    if len(label) > LONGEST_LABEL:
        return texts.LABEL_IS_LONG
    if not words(clean(label)):
        return texts.ASK_LABEL
    others = [each for each in await family.children_of(turn.tx, turn.person.id) if each.id != child_id]
    return texts.LABEL_IS_TAKEN if label.casefold() in {each.label.casefold() for each in others} else None


async def _take_school(turn: Turn, child_id: int, text: str, *, is_second: bool) -> None:
    """Words for the school: one that is surely meant, one out of several, or asked for once more."""
    typed = " ".join(text.split())
    found = await schools.look(turn, typed)
    school = await schools.sure(turn, found)
    turn.state.school_typed = typed[:LONGEST_SCHOOL]
    if school is not None:
        await _set_school(turn, child_id, schools.named(school), school.id)
    elif found.schools:
        here = f"{PREFIX}school:{child_id}:"
        asked, buttons = schools.which(found, lambda number: f"{here}{number}", none=f"{here}none")
        await _await(turn, f"{_AGAIN}:{child_id}")
        await turn.say(asked, buttons)
    elif is_second or not turn.knowledge.knows_schools:
        await _set_school(turn, child_id, typed, None)
    else:
        await _await(turn, f"{_AGAIN}:{child_id}")
        await turn.say(texts_schools.NOT_FOUND_FOR_CHILD)


async def _choose_school(turn: Turn, child: Child, value: str) -> None:
    school = await schools.listed(turn, number_in(value))
    if school is not None:
        await _set_school(turn, child.id, schools.named(school), school.id)
    elif value == "none" and turn.state.school_typed:
        await _set_school(turn, child.id, turn.state.school_typed, None)
    else:
        await _ask_school(turn, child)


async def _set_school(turn: Turn, child_id: int, words_for_it: str, school_id: int | None) -> None:
    turn.state.forget_typed_school()
    if school_id is not None:
        turn.state.school_id = school_id
    school = words_for_it[:LONGEST_SCHOOL]
    known = await family.set_school(turn.tx, turn.person.id, child_id, school, school_id=school_id)
    await _tell_remembered(turn, known)


async def _tell_remembered(turn: Turn, child: Child | None) -> None:
    if child is None:
        await turn.say(texts.CHILD_GONE, _to_list())
    else:
        await turn.say(texts.remembered(child), _child_buttons(child))


async def _ask_age(turn: Turn, child: Child) -> None:
    ages = [_button(_capital(said), f"age:{child.id}:{group}") for group, said in texts.AGE_GROUPS.items()]
    await turn.say(
        texts.ask_age(child.label), rows([*ages, _button(texts.BUTTON_SKIP, f"age:{child.id}:skip")])
    )


async def _go_on(turn: Turn, child: Child) -> None:
    """After the age comes the school, unless we know it."""
    if child.school:
        await _tell_remembered(turn, child)
    else:
        await _ask_school(turn, child)


async def _ask_school(turn: Turn, child: Child) -> None:
    turn.state.forget_typed_school()
    await _await(turn, f"school:{child.id}")
    await turn.say(
        texts.ask_school(child.label), rows([_button(texts.BUTTON_SKIP, f"school:{child.id}:skip")])
    )


def _child_buttons(child: Child) -> Rows:
    return rows(
        [
            _button(texts.BUTTON_AGE, f"age:{child.id}"),
            _button(texts.BUTTON_SCHOOL, f"school:{child.id}"),
            _button(texts.BUTTON_RENAME, f"name:{child.id}"),
            _button(texts.BUTTON_FORGET_CHILD, f"drop:{child.id}"),
            _button(texts.BUTTON_LIST, "list"),
        ]
    )


async def _show_joining(turn: Turn) -> None:
    others = await _other_places(turn)
    buttons = [_button(texts.BUTTON_SHOW_CODE, "code"), _button(texts.BUTTON_TYPE_CODE, "type")]
    if others:
        buttons += [_button(texts.BUTTON_PRIMARY, "here"), _button(texts.BUTTON_LEAVE, "leave")]
    await turn.say(texts.joining([turn.person.channel, *others] if others else ()), rows(buttons))


async def _show_code(turn: Turn) -> None:
    expires_at = turn.now + CODE_LIFETIME
    while True:
        code = _new_code()
        if await family.put_code(
            turn.tx, turn.person.id, code_hash=_hash(code), now=turn.now, expires_at=expires_at
        ):
            break
    # Not kept among the messages: whoever reads them later must not find a code there.
    await turn.say(texts.code(code, int(CODE_LIFETIME.total_seconds() // 60)), remember=False)


async def _ask_code(turn: Turn) -> None:
    await _await(turn, "code")
    await turn.say(texts.ASK_CODE)


async def _hear_code(turn: Turn, text: str) -> bool:
    if wants_human(text) or (_as_code(text) is None and len(words(clean(text))) > 1):
        return False
    await join(turn, text)
    return True


async def _refuse_code(turn: Turn) -> None:
    await turn.say(texts.CODE_WRONG, rows([_button(texts.BUTTON_TYPE_CODE, "type")]), remember=False)


async def _join(turn: Turn, owner: int) -> None:
    other = await people.find(turn.tx, owner)
    if other is None or not await family.join(turn.tx, turn.person.id, owner, now=turn.now):
        await turn.say(texts.ALREADY_JOINED if other else texts.CODE_WRONG, _to_list(), remember=False)
        return
    await stages.share(turn.tx, turn.person.id)
    await journal.note(turn.tx, "channels_joined", actor="person", now=turn.now)
    await turn.say(texts.joined([turn.person.channel, *await _other_places(turn)]), _to_list())
    told = texts.joined_there(turn.person.channel)
    leaving = rows([_button(texts.BUTTON_LEAVE, "leave")])
    await turn.send(Outgoing(Address(other.channel, other.chat_id), told, leaving))


async def _ask_leave(turn: Turn) -> None:
    if not await _other_places(turn):
        await turn.say(texts.NOT_JOINED, _to_list())
        return
    choices = [_button(texts.BUTTON_LEAVE_YES, "leaveyes"), _button(texts.BUTTON_LIST, "list")]
    await turn.say(texts.ASK_LEAVE, rows(choices))


async def _leave(turn: Turn) -> None:
    if not await family.leave(turn.tx, turn.person.id):
        await turn.say(texts.NOT_JOINED, _to_list())
        return
    await journal.note(turn.tx, "channel_left", actor="person", now=turn.now)
    await turn.say(texts.LEFT, _to_list())


async def _make_primary(turn: Turn) -> None:
    await family.set_primary(turn.tx, turn.person.id)
    await turn.say(texts.PRIMARY_HERE, _to_list())


async def _other_places(turn: Turn) -> list[str]:
    places = await family.places(turn.tx, turn.person.id)
    return [place.channel for place in places if place.id != turn.person.id]


async def _await(turn: Turn, what: str) -> None:
    await family.await_answer(turn.tx, turn.person.id, what, until=turn.now + WAIT_FOR_WORDS)


async def _is_something_else(turn: Turn, text: str, *, is_school: bool) -> bool:
    """Whether the words are a question or a courtesy rather than what was asked for."""
    said = words(clean(text))
    if small_talk(text) is not None or wants_human(text):
        return True
    if len(said) <= _SURELY_AN_ANSWER or _names(said, is_school=is_school):
        return False
    if len(text) <= _LONGEST_NAME and is_personal(text):
        return False
    decision = await turn.knowledge.match(text)
    return decision.decision != "unknown" or decision.foreign


def names_a_school(said: Sequence[str]) -> bool:
    """Whether words hold a number or a kind of school."""
    return any(word[0].isdigit() or word.startswith(_SCHOOL_WORDS) for word in said)


def _names(said: Sequence[str], *, is_school: bool) -> bool:
    if is_school:
        return names_a_school(said) or len(said) <= questions.SHORT
    return len(said) <= questions.SHORT and _KIN.match(said[0]) is not None


def is_personal(label: str) -> bool:
    """Whether a label holds a full name or a date, neither of which we want to know of a child."""
    said = _WORD.findall(label)
    if _DATE.search(label) or any(_PATRONYMIC.fullmatch(word) for word in said):
        return True
    strange = [word for word in said if not _KIN.match(word)]
    names = [word for word in strange if word[0].isupper()]
    # Small letters hide a surname only from the first look.
    return len(names) > 1 or (len(strange) > 1 and any(_SURNAME.fullmatch(word) for word in strange))


_AGAIN = "school-again"
_SCHOOL = ("school", _AGAIN)
"""What is awaited when the school of a child is asked, for the first and the second time."""
_SURELY_AN_ANSWER = 2
"""Words."""
_LONGEST_NAME = 60
"""Characters; what is longer is read as a question, whatever names are in it."""
_SCHOOL_WORDS = ("школ", "лице", "гимназ", "сош", "оош", "интернат", "кадет", "колледж")
_WORD = re.compile(r"[^\W\d_]+")
_MONTHS = "январ|феврал|март|апрел|ма[йя]|июн|июл|август|сентябр|октябр|ноябр|декабр"
_DATE = re.compile(rf"\d\s*[./\-–,]\s*\d|\d{{4}}|\d\s*({_MONTHS})|\d{{2}}\s+\d{{2}}\s+\d{{2}}", re.IGNORECASE)
_PATRONYMIC = re.compile(r"\w{2,}(ович|евич|ьич|овна|евна|инична|ична|оглы|кызы)|оглы|кызы", re.IGNORECASE)
_KIN = re.compile(
    r"(старш|младш|средн|сын|доч|реб[её]н|дет|внук|внуч|племянни|близн|двойн|перв|втор|трет|четв[её]рт|подопечн"
    r"|мой$|моя$|наш|класс|школьни|мальчи|девоч|больш|маленьк)",
    re.IGNORECASE,
)
_SURNAME = re.compile(r"\w{2,}(ова|ева|ёва|ина|ына|ская|цкая|ов|ев|ёв|ский|цкий|енко)", re.IGNORECASE)


def _new_code() -> str:
    while True:
        code = "".join(secrets.choice(_CODE_SIGNS) for _ in range(CODE_LENGTH))
        # Digits alone would read like the codes from text messages, which nobody should send us.
        if any(sign.isalpha() for sign in code):
            return code


def _as_code(typed: str) -> str | None:
    """The code as it was shown, however it was typed: small, apart, on the other keyboard's look-alikes."""
    code = re.sub(r"[\s\-–—.«»\"]", "", typed).upper().translate(_AS_LATIN)
    return code if _CODE.fullmatch(code) else None


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def _to_list() -> Rows:
    """Under a sentence that asks nothing: the way on."""
    return rows([_button(texts.BUTTON_LIST, "list")])


def _button(label: str, payload: str) -> Button:
    return Button(label, PREFIX + payload)
