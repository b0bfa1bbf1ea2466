"""Who answers what: read it from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from faq.text import clean, small_talk, wants_human, words
from handlers.cases import outages
from handlers.messages import Incoming
from handlers.parents import (
    aftercare,
    announcements,
    diagnosis,
    escalation,
    family,
    flood,
    forgetting,
    greeting,
    intake,
    own_question,
    photos,
    questions,
    readiness,
    reopening,
    school_choice,
    schools,
    subscriptions,
)
from handlers.texts import basics as texts
from handlers.turn import Turn, attachments_of, files_of, number_in
from storage import conversations
from storage.conversations import Message

_COMMANDS = (
    "/start",
    "/login",
    "/help",
    "/menu",
    "/human",
    "/stop",
    "/subscribe",
    "/settings",
    "/bot",
    "/children",
    "/join",
    "/mine",
    "/forget",
)


async def receive(turn: Turn, incoming: Incoming) -> None:
    """One event from a parent; answers at once, or notes when the answer is due."""
    if incoming.reachable is None:
        await flood.release(turn)
    if incoming.reachable is not None:
        await subscriptions.set_reachable(turn, reachable=incoming.reachable)
    elif incoming.started is not None:
        if turn.conversation.mode == "closed":
            await turn.switch("bot", ticket_id=None)
        await greeting.start(turn, incoming.started)
        await subscriptions.tell_of_block(turn)
    elif incoming.button is not None:
        await _keep_press(turn, incoming)
        await press(turn, incoming.button)
        await subscriptions.tell_of_block(turn)
    elif incoming.edited:
        await _correct(turn, incoming)
    elif _command(incoming.text):
        await _obey(turn, incoming.text)
        await subscriptions.tell_of_block(turn)
    else:
        await _listen(turn, incoming)


async def hold(turn: Turn, incoming: Incoming, excess: flood.Excess) -> None:
    """One event too many: words are kept for later; buttons and commands are to be repeated."""
    if incoming.button is not None:
        await _keep_press(turn, incoming)
    elif incoming.started is None and not _command(incoming.text):
        await _keep_for_later(turn, incoming, excess)
    await flood.tell(turn, excess)


async def press(turn: Turn, payload: str) -> None:
    """A button. Buttons live for ever: each must make sense whenever it is pressed."""
    deed, _, argument = payload.partition(":")
    if turn.conversation.mode == "closed" and deed in _BEGINS_WITH_BOT:
        await turn.switch("bot", ticket_id=None)
    topic = turn.knowledge.topic(argument)
    if deed == "t" and topic is not None:
        await questions.show(turn, topic)
    elif deed == "ok" and topic is not None:
        await questions.helped(turn, topic)
    elif deed == "no" and topic is not None:
        await diagnosis.not_helped(turn, topic)
    elif deed in _PLAIN_DEEDS:
        await _PLAIN_DEEDS[deed](turn)
    elif deed == "sec":
        await questions.show_section(turn, argument)
    elif deed == "human":
        await escalation.call_human(turn, reason="not_helped" if argument else "asked")
    elif deed == "noschool" and turn.state.step == "school":
        await escalation.open_question(turn, school=texts.SCHOOL_SKIPPED)
    elif deed == "cancel" and turn.state.step:
        await escalation.cancel(turn)
    elif deed in _ROOMS:
        await _ROOMS[deed](turn, argument)
    elif deed == "solved":
        await escalation.solved(turn, number_in(argument))
    else:
        await turn.say(texts.CHOICE_GONE, questions.menu_buttons())


async def answer_pending(turn: Turn) -> None:
    """Answer everything that the person wrote since the last answer as one question."""
    was_held = await flood.release(turn)
    waiting = await conversations.pending(turn.tx, turn.conversation.id)
    await conversations.settle(turn.tx, turn.conversation.id)
    await conversations.set_answer_due(turn.tx, turn.conversation.id, None)
    if any(message.edited_at is None for message in waiting):
        turn.state.corrected = ""  # something new was said besides: silence would be no answer to it
    if was_held and waiting and await _reopen(turn, waiting):
        return
    if waiting:
        await _answer(turn, waiting)
        await subscriptions.tell_of_block(turn)
    elif turn.state.step:
        # Fell silent on the way to a human: what was told so far must not be lost.
        await school_choice.open_unasked(turn)
    else:
        await photos.look(turn)


async def keep(turn: Turn, incoming: Incoming) -> None:
    """Keep what the person said, for the answer or for the human who has the question."""
    if not (incoming.text.strip() or incoming.attachments):
        return
    human = _is_with_human(turn)
    await conversations.add_message(
        turn.tx,
        turn.conversation.id,
        author="person",
        text=incoming.text,
        ticket_id=turn.conversation.ticket_id if human else None,
        external_id=incoming.message_id,
        files=files_of(incoming.attachments),
        pending=not human,
        now=turn.now,
    )


async def _keep_for_later(turn: Turn, incoming: Incoming, excess: flood.Excess) -> None:
    if await _came_before(turn, incoming):
        return
    await flood.hold(turn, excess)
    if incoming.edited and incoming.message_id is not None:
        message = await conversations.edit_message(
            turn.tx, turn.conversation.id, incoming.message_id, text=incoming.text, now=turn.now
        )
        if message is not None:
            if not _is_with_human(turn):
                await conversations.ask_again(turn.tx, message.id)
            return
    unreadable = f"({incoming.unreadable})" if incoming.unreadable is not None else ""
    await keep(turn, replace(incoming, text=incoming.text or unreadable))


async def _keep_press(turn: Turn, incoming: Incoming) -> None:
    """Keep the label that was pressed, where the channel shows it as the person's message (web chat)."""
    if incoming.text:
        await conversations.add_message(
            turn.tx, turn.conversation.id, author="press", text=incoming.text, now=turn.now
        )


async def _listen(turn: Turn, incoming: Incoming) -> None:
    if await _came_before(turn, incoming):
        return
    human = _is_with_human(turn)
    incoming = await escalation.without_too_large(turn, incoming)
    await keep(turn, incoming)
    await greeting.renew_notice(turn)
    if incoming.unreadable is not None:
        await turn.say(texts.NO_FILE_KIND.format(kind=incoming.unreadable))
        if human:
            await escalation.pass_on_unreadable(turn, incoming.unreadable)
    elif human and await _hear_beside_human(turn, incoming):
        return
    elif human:
        await escalation.pass_on(turn, incoming.text, files=incoming.attachments, of=incoming)
        await photos.expect(turn, incoming)
        if small_talk(incoming.text) == "stop":
            await subscriptions.stop(turn)
    elif (incoming.text.strip() or incoming.attachments) and not await _hear_after_closing(turn, incoming):
        # A newcomer who begins with a question is greeted at once; a mere «здравствуйте» when it is due.
        if small_talk(incoming.text) is None:
            await greeting.welcome(turn)
        await conversations.set_answer_due(turn.tx, turn.conversation.id, _due(turn, incoming))


async def _hear_beside_human(turn: Turn, incoming: Incoming) -> bool:
    """Take what is said to us, not to the human who has the question."""
    if await photos.hear(turn, incoming):
        return True
    if incoming.attachments:
        return False
    if own_question.is_asked(incoming.text):
        await own_question.show(turn)
        return True
    if " ".join(words(clean(incoming.text))) in _FORGET_ME:
        await forgetting.ask(turn)
        return True
    return await school_choice.hear_other(turn, incoming.text)


async def _hear_after_closing(turn: Turn, incoming: Incoming) -> bool:
    """A word about the question just closed, or more words, which open it again; the rest is the bot's."""
    if not incoming.attachments and await aftercare.hear(turn, incoming.text):
        return True
    closed = await reopening.closed_lately(turn)
    is_ours = not incoming.attachments and _is_said_to_bot(incoming.text)
    if closed is not None and not is_ours:
        return await reopening.by_message(turn, closed)
    # After a courtesy the question may still go on.
    if turn.conversation.mode == "closed" and closed is None:
        await turn.switch("bot", ticket_id=None)
    return False


async def _reopen(turn: Turn, waiting: Sequence[Message]) -> bool:
    """The same for words that were kept for a while; False if they are the bot's."""
    closed = await reopening.closed_lately(turn)
    if closed is None or all(_is_said_to_bot(each.text) and not each.attachments for each in waiting):
        return False
    return await reopening.by_message(turn, closed)


def _is_said_to_bot(text: str) -> bool:
    """A courtesy, or words that only the bot can obey."""
    said = " ".join(words(clean(text)))
    is_order = said in _FORGET_ME | _MY_CHILDREN or subscriptions.meaning(text) is not None
    is_order = is_order or readiness.says_inside(text)
    return small_talk(text) is not None or is_order or own_question.is_asked(text)


def _due(turn: Turn, incoming: Incoming) -> datetime:
    if incoming.whole:
        return turn.now
    # The name of a school, or another line of a card, is short and complete.
    is_line = turn.state.step != ""
    return turn.now + (questions.AFTER_A_QUESTION if is_line else questions.patience(incoming.text))


async def _came_before(turn: Turn, incoming: Incoming) -> bool:
    """Whether the correction of this message was here first: the older words must not follow it."""
    if incoming.edited or incoming.message_id is None:
        return False
    return await conversations.said(turn.tx, turn.conversation.id, incoming.message_id) is not None


async def _answer(turn: Turn, waiting: Sequence[Message]) -> None:
    text = "\n".join(message.text for message in waiting if message.text.strip())
    if await _hear_call(turn, waiting) or await school_choice.hear_other(turn, text):
        return
    if await family.hear(turn, text) or await _obey_words(turn, text):
        return
    talk = small_talk(text)
    said = " ".join(words(clean(text)))
    if talk == "stop":
        await subscriptions.stop(turn)
        await _ask_school_still(turn)
    elif await subscriptions.hear(turn, text):
        await _ask_school_still(turn)
    elif turn.state.step == "school":
        await _hear_school(turn, text)
    elif turn.state.step == "field" and said in _CANCEL:
        await escalation.cancel(turn)
    elif turn.state.step == "field":
        await intake.hear(turn, text, has_file=any(message.attachments for message in waiting))
    elif not text or (talk is None and not words(clean(text))):
        files = attachments_of(file for message in waiting for file in message.attachments)
        await _without_words(turn, is_readable=not all(file.kind == "sticker" for file in files))
    elif not turn.state.asking and await readiness.hear(turn, text):
        return
    elif talk is not None:
        await greeting.small_talk(turn, talk)
    elif wants_human(text):
        await escalation.call_human(turn, reason="asked")
    else:
        await _understand(turn, text)


async def _obey_words(turn: Turn, text: str) -> bool:
    """Words that mean the same whatever was asked before."""
    said = " ".join(words(clean(text)))
    if said in _FORGET_ME:
        await forgetting.ask(turn)
    elif said in _MY_CHILDREN:
        await family.show(turn)
    elif own_question.is_asked(text):
        await own_question.show(turn)
    else:
        return False
    return True


async def _hear_call(turn: Turn, waiting: Sequence[Message]) -> bool:
    """«Человек» right after a question is a call, too, though not the only words."""
    is_among = len(waiting) > 1 and any(wants_human(message.text) for message in waiting)
    if not is_among or turn.state.step:
        return False
    await escalation.call_human(turn, reason="asked")
    return True


async def _understand(turn: Turn, text: str) -> None:
    """A tap in words, a question for the base, a trouble whose cause is to be found, or more about it."""
    await outages.tell_first(turn)
    if await diagnosis.hear(turn, text):
        return
    understood = await turn.knowledge.understand(text, known=await diagnosis.known_of(turn, text))
    diagnosis.note(turn, understood.told)
    if understood.step is None and understood.decision.answered:
        await questions.answer(turn, text, understood.decision)
    elif understood.error is None and await diagnosis.hear_more(turn, text):
        return
    elif understood.step is not None:
        await diagnosis.begin(turn, understood.step, error=understood.error)
    elif understood.decision.decision == "unknown" and not turn.state.rephrased and turn.state.asking:
        turn.state.rephrased = True
        await diagnosis.ask_again(turn)
    else:
        await questions.answer(turn, text, understood.decision)


async def _hear_school(turn: Turn, text: str) -> None:
    said = text.strip().casefold().rstrip(".!")
    found = await schools.look(turn, text)
    if said in _CANCEL:
        await escalation.cancel(turn)
    elif said in _NO_SCHOOL:
        await escalation.open_question(turn, school=texts.SCHOOL_SKIPPED)
    elif not words(clean(text)) or small_talk(text) is not None or wants_human(text):
        await escalation.ask_school_again(turn)
    elif not (found.is_sure or turn.state.school_doubted) and await _reads_like_a_question(turn, text):
        # Typed before we asked, or instead of an answer; it stays with the question for the staff.
        turn.state.school_doubted = True
        await escalation.ask_school_again(turn)
    else:
        turn.state.school_doubted = False
        await school_choice.take(turn, text, found)


async def _reads_like_a_question(turn: Turn, text: str) -> bool:
    said = words(clean(text))
    if family.names_a_school(said):
        return False
    understood = await turn.knowledge.understand(text)
    if understood.step is not None:
        return True  # «не могу войти» is no school, however short
    decision = understood.decision
    return len(said) > questions.SHORT and (decision.decision != "unknown" or decision.foreign)


async def _ask_school_still(turn: Turn) -> None:
    if turn.state.step == "school":
        await escalation.ask_school_again(turn)
    elif turn.state.step == "field":
        await intake.go_on(turn)


_PLAIN_DEEDS = {
    "none": questions.none_of_these,
    "menu": questions.show_sections,
    "bot": escalation.back_to_bot,
    "mine": own_question.show,
}
"""Buttons that mean the same whatever else they carry."""
_PLAIN_COMMANDS = {
    "/login": diagnosis.start,
    "/menu": questions.show_sections,
    "/stop": subscriptions.stop,
    "/subscribe": subscriptions.resume,
    "/settings": subscriptions.show,
    "/bot": escalation.back_to_bot,
    "/children": family.show,
    "/mine": own_question.show,
    "/forget": forgetting.ask,
}
_ROOMS = {
    "dx": diagnosis.press,
    "line": intake.press,
    "fam": family.press,
    "camp": announcements.press,
    "ready": readiness.press,
    "forget": forgetting.press,
    "photo": photos.press,
    "sch": school_choice.press,
    "mark": aftercare.mark,
    "unsolved": aftercare.unsolved,
    "gotin": aftercare.got_in,
    "reclose": reopening.undo,
}
"""Who takes the buttons that begin so."""
_BEGINS_WITH_BOT = {"t", "sec", "menu", "none", "human", "bot", "dx", "fam"}
"""Buttons that begin something with the bot: what is typed next is said to it, not to the staff."""
_COMMANDS_TO_BOT = {"/start", "/login", "/menu", "/human", "/bot", "/children", "/join"}
_FORGET_ME = {
    "забудь меня",
    "забудьте меня",
    "забыть меня",
    "удалите мои данные",
    "удали мои данные",
    "удалить мои данные",
    "сотрите мои данные",
}
_MY_CHILDREN = {"мои дети", "мой ребенок", "дети"}
_CANCEL = {
    "отмена",
    "отменить",
    "отмените",
    "не надо",
    "уже не надо",
    "не нужно",
    "уже не нужно",
    "передумала",
}
_CANCEL |= {"передумал", "неважно", "не важно", "не надо, я сам", "не надо, я сама"}
_CANCEL |= {"назад", "вернуться", "заново", "начать заново"}
_NO_SCHOOL = {"без школы", "не знаю", "нет", "не скажу", "не хочу называть"}


async def _without_words(turn: Turn, *, is_readable: bool) -> None:
    if is_readable:
        text = texts.FILE_KEPT if turn.state.words_asked else texts.FILE_NEEDS_WORDS
        turn.state.words_asked = True
        await turn.say(text, questions.menu_buttons())
    else:
        await turn.say(texts.HELP, questions.help_buttons())


async def _correct(turn: Turn, incoming: Incoming) -> None:
    before = message = None
    if incoming.message_id is not None:
        before = await conversations.said(turn.tx, turn.conversation.id, incoming.message_id)
        if before is not None and before.text == incoming.text:
            return  # a preview of a link, or the like: the words are the same
        message = await conversations.edit_message(
            turn.tx, turn.conversation.id, incoming.message_id, text=incoming.text, now=turn.now
        )
    if message is None:
        # The message itself never came (or comes later than its correction): its words must not be lost.
        await _listen(turn, incoming)
    elif _is_with_human(turn) or message.ticket_id == (turn.conversation.ticket_id or 0):
        # What was said to the staff is theirs to read, also while the parent talks with the bot.
        await escalation.pass_on_correction(turn, incoming.text, of=incoming)
    elif await _reopen_by_correction(turn, message):
        pass
    elif message.id == await conversations.last_message_id(turn.tx, turn.conversation.id, author="person"):
        is_answered = not await conversations.pending(turn.tx, turn.conversation.id)
        turn.state.corrected = turn.state.topic if is_answered else ""
        await conversations.ask_again(turn.tx, message.id)
        due = turn.now + questions.patience(incoming.text)
        await conversations.set_answer_due(turn.tx, turn.conversation.id, due)


async def _reopen_by_correction(turn: Turn, message: Message) -> bool:
    """What was said to the staff reads otherwise after closing; False if it was not, or is a courtesy now."""
    closed = await reopening.closed_lately(turn)
    if closed is None or message.ticket_id != closed.id or _is_said_to_bot(message.text):
        return False
    return await reopening.by_message(turn, closed, is_new=False)


def _is_with_human(turn: Turn) -> bool:
    return turn.conversation.mode in {"waiting_human", "human"}


def _command(text: str) -> bool:
    first = text.split(maxsplit=1)[0].casefold() if text.strip() else ""
    return first.partition("@")[0] in _COMMANDS


async def _obey(turn: Turn, text: str) -> None:
    first, _, payload = text.strip().partition(" ")
    command = first.casefold().partition("@")[0]
    if turn.conversation.mode == "closed" and command in _COMMANDS_TO_BOT:
        await turn.switch("bot", ticket_id=None)
    if command in _PLAIN_COMMANDS:
        await _PLAIN_COMMANDS[command](turn)
    elif command == "/start":
        # Typed by hand where a link cannot carry it (an invitation on VK).
        await greeting.start(turn, payload.strip())
    elif command == "/human":
        await escalation.call_human(turn, reason="asked")
    elif command == "/join":
        await family.join(turn, payload.strip())
    else:
        await turn.say(texts.HELP, questions.help_buttons())
