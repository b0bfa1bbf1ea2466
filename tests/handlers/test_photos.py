"""A photo is shown to the staff after the parent has checked that no document is on it."""

from __future__ import annotations

from dataclasses import replace

from faq.markup import plain
from handlers.messages import Attachment, Outgoing
from handlers.staff import asking
from handlers.texts import basics as texts
from handlers.texts import photos as texts_photos
from storage import forgetting
from tests.handlers.desk import PHOTO, Desk, Someone

PDF = Attachment("file", "справка.pdf", "application/pdf", "telegram", "pdf-id")
VOICE = Attachment("voice", "голос.ogg", "audio/ogg", "telegram", "voice-id")


def photo(number: int) -> Attachment:
    return replace(PHOTO, ref=f"photo-{number}")


def button(message: Outgoing, label: str) -> str:
    return next(each.payload for row in message.buttons for each in row if each.label == label)


def question_of(heard: list[Outgoing]) -> Outgoing:
    """What asks about the photo."""
    return next(
        message
        for message in heard
        if any(each.payload.startswith("photo:") for row in message.buttons for each in row)
    )


def files_seen(someone: Someone) -> list[str]:
    return [each.ref for message in someone.heard for each in message.attachments]


async def asked(parent: Someone) -> Outgoing:
    return question_of(await parent.waits_for_messages())


async def with_question(desk: Desk) -> tuple[Someone, Someone, int]:
    """A colleague, and a parent whose question is open."""
    colleague, parent = await desk.colleague(), await desk.parent()
    number = await desk.opens_question(parent)
    await colleague.waits()
    return colleague, parent, number


async def test_a_photo_is_shown_after_the_parent_has_checked_it(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await parent.says("вот что на экране", attachments=(PHOTO,))
    question = await asked(parent)
    assert plain(question.text) == texts_photos.ask(["photo"])
    (told,) = [each for each in colleague.heard if "на экране" in each.text]
    assert "прислал(а) фото: покажем, когда подтвердит, что личные данные закрыты" in told.text
    assert files_seen(colleague) == []
    await parent.presses(button(question, "Отправить снимок"))
    assert await parent.waits() == [texts_photos.sent(["photo"])]
    shown = colleague.heard[-1]
    assert shown.text == texts_photos.parent_confirmed(number, "Анна")
    assert shown.attachments == (PHOTO,)
    assert shown.buttons


async def test_a_document_is_checked_and_a_voice_message_is_not(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    await parent.says("слушайте", attachments=(VOICE,))
    assert await parent.waits() == []
    assert files_seen(colleague) == ["voice-id"]
    await parent.says(attachments=(PDF,))
    question = await asked(parent)
    assert "«Отправить файл»" in question.text
    assert files_seen(colleague) == ["voice-id"]
    await parent.presses(button(question, "Отправить файл"))
    await parent.waits()
    assert files_seen(colleague) == ["voice-id", "pdf-id"]


async def test_an_album_is_one_question_and_one_notice(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    for number in range(10):
        await parent.says(attachments=(photo(number),))
    heard = await parent.waits_for_messages()
    assert [plain(each.text) for each in heard] == [texts_photos.ask(["photo"] * 10)]
    notices = [each for each in colleague.heard if "прислал(а) фото" in each.text]
    assert len(notices) == 1
    await parent.presses(button(heard[0], "Отправить снимки"))
    await parent.waits()
    assert files_seen(colleague) == [f"photo-{number}" for number in range(10)]


async def test_a_photo_from_before_the_question_is_asked_about_when_it_is_opened(desk: Desk) -> None:
    colleague, parent = await desk.colleague(), await desk.parent()
    await parent.says(attachments=(PHOTO,))
    assert await parent.waits() == [texts.FILE_NEEDS_WORDS]
    await parent.presses("human")
    await parent.presses("noschool")
    _, opened, question = await parent.waits_for_messages()
    assert "Передал вопрос" in opened.text
    assert plain(question.text) == texts_photos.ask(["photo"])
    (card,) = [each for each in colleague.heard if "Школа:" in each.text]
    assert texts_photos.still_checked(1) in card.text
    assert card.attachments == ()
    await parent.presses(button(question, "Отправить снимок"))
    await parent.waits()
    assert files_seen(colleague) == ["file-id"]


async def test_the_card_shows_a_photo_only_when_it_is_checked(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await parent.says("на экране так", attachments=(PHOTO,))
    question = await asked(parent)
    await colleague.presses(f"card:{number}")
    (card,) = await colleague.waits_for_messages()
    assert card.attachments == ()
    assert "на экране так" in card.text
    assert texts_photos.still_checked(1) in card.text
    await parent.presses(button(question, "Отправить снимок"))
    await colleague.presses(f"card:{number}")
    card = (await colleague.waits_for_messages())[-1]
    assert card.attachments == (PHOTO,)
    assert texts_photos.still_checked(1) not in card.text


async def test_a_photo_that_is_better_not_sent_is_deleted(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    question = await asked(parent)
    await parent.presses(button(question, texts_photos.BUTTON_DROP))
    assert await parent.waits() == [texts_photos.dropped(["photo"])]
    assert "решил(а) не отправлять фото" in colleague.heard[-1].text
    assert files_seen(colleague) == []
    async with desk.database.reading() as tx:
        left = await forgetting.leftovers_waiting(tx, now=desk.clock.now())
        assert [(each.kind, each.ref) for each in left] == [("file", "file-id")]
        assert await forgetting.files_kept(tx) == set()
    for deed in ("Отправить снимок", texts_photos.BUTTON_DROP):
        await parent.presses(button(question, deed))
        assert await parent.waits() == [texts_photos.GONE]
    await colleague.presses(f"card:{number}")
    assert (await colleague.waits_for_messages())[-1].attachments == ()


async def test_another_photo_instead_does_not_let_the_first_one_through(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    await parent.says(attachments=(photo(1),))
    await parent.waits()
    await parent.says(attachments=(photo(2),))
    question = await asked(parent)
    assert texts_photos.earlier_wait() in plain(question.text)
    await parent.presses(button(question, "Отправить снимок"))
    await parent.waits()
    assert files_seen(colleague) == ["photo-2"]
    await parent.presses(button(question, texts_photos.BUTTON_SEND_ALL))
    await parent.waits()
    assert files_seen(colleague) == ["photo-2", "photo-1"]


async def test_an_old_button_sends_nothing_that_came_later(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    await parent.says(attachments=(photo(1),))
    first = await asked(parent)
    await parent.presses(button(first, "Отправить снимок"))
    await parent.waits()
    await parent.says(attachments=(photo(2),))
    again = await asked(parent)
    assert plain(again.text) == texts_photos.ask_again(["photo"])
    await parent.presses(button(first, "Отправить снимок"))
    assert await parent.waits() == [texts_photos.ALREADY_SENT]
    await parent.presses(button(first, texts_photos.BUTTON_DROP))
    assert await parent.waits() == [texts_photos.TOO_LATE_TO_DROP]
    assert files_seen(colleague) == ["photo-1"]


async def test_yes_right_after_the_question_sends_it(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    for number, word in enumerate(("Да!", "Всё закрыто.", "отправить")):
        await parent.says(attachments=(photo(number),))
        await parent.waits()
        await parent.says(word)
        assert await parent.waits() == [texts_photos.sent(["photo"])]
    assert files_seen(colleague) == ["photo-0", "photo-1", "photo-2"]
    assert not any("закрыто." in each.text for each in colleague.heard)


async def test_other_words_reach_the_staff_while_the_photo_waits(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    question = await asked(parent)
    await parent.says("сейчас посмотрю, что там видно")
    await parent.waits()
    assert "сейчас посмотрю" in colleague.heard[-1].text
    assert files_seen(colleague) == []
    await parent.presses(button(question, "Отправить снимок"))
    await parent.waits()
    assert files_seen(colleague) == ["file-id"]


async def test_yes_to_a_colleague_is_no_yes_to_us(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    await parent.waits()
    await colleague.presses(f"answer:{number}")
    await colleague.says("Вы уже пробовали войти?")
    await parent.waits()
    await parent.says("да")
    await parent.waits()
    assert colleague.heard[-1].text.endswith("\nда")
    assert files_seen(colleague) == []


async def test_a_parent_who_does_not_answer_is_reminded_once(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    await parent.waits()
    assert await parent.waits(minutes=9) == []
    reminder = question_of(await parent.waits_for_messages(minutes=1))
    assert plain(reminder.text) == texts_photos.remind(["photo"])
    assert await parent.waits(days=1) == []
    await parent.presses(button(reminder, "Отправить снимок"))
    assert await parent.waits() == [texts_photos.sent(["photo"])]
    assert files_seen(colleague) == ["file-id"]


async def test_nobody_is_reminded_of_what_was_sent(desk: Desk) -> None:
    _, parent, _ = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    question = await asked(parent)
    await parent.presses(button(question, "Отправить снимок"))
    await parent.waits()
    assert await parent.waits(hours=1) == []


async def test_an_answer_between_photo_and_question_loses_neither(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await colleague.presses(f"answer:{number}")
    await parent.says(attachments=(PHOTO,))
    await colleague.says("Проверьте ещё раз")
    heard = await parent.waits_for_messages()
    assert any("Проверьте ещё раз" in each.text for each in heard)
    assert plain(question_of(heard).text) == texts_photos.ask(["photo"])


async def test_a_photo_shown_to_the_bot_is_asked_about_when_the_parent_comes_back(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    await parent.presses("bot")
    await parent.waits()
    await parent.says("ещё вот такое", attachments=(PHOTO,))
    await parent.waits()
    await parent.presses("human")
    question = await asked(parent)
    returned = next(each for each in colleague.heard if "снова просит человека" in each.text)
    assert "ещё вот такое" in returned.text
    assert texts_photos.still_checked(1) in returned.text
    assert files_seen(colleague) == []
    await parent.presses(button(question, "Отправить снимок"))
    await parent.waits()
    assert files_seen(colleague) == ["file-id"]


async def test_a_photo_said_to_the_bot_just_before_an_answer_waits_too(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await parent.presses("bot")
    await colleague.presses(f"answer:{number}")
    await parent.says("смотрите, что тут", attachments=(PHOTO,))
    await colleague.says("Уже смотрю")
    assert question_of(await parent.waits_for_messages())
    assert any("смотрите, что тут" in each.text for each in colleague.heard)
    assert files_seen(colleague) == []


async def test_after_closing_the_button_shows_nothing(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    question = await asked(parent)
    await colleague.presses(f"close:{number}")
    await parent.waits()
    await parent.presses(button(question, "Отправить снимок"))
    assert await parent.waits() == [texts_photos.too_late(number)]
    await parent.presses(button(question, "Отправить снимок"))
    assert await parent.waits() == [texts_photos.GONE]
    assert files_seen(colleague) == []


async def test_a_closed_question_reminds_nobody(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    await parent.waits()
    await colleague.presses(f"close:{number}")
    await parent.waits()
    assert await parent.waits(hours=1) == []


async def test_somebody_elses_number_or_nonsense_shows_nothing(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    question = await asked(parent)
    stranger = await desk.parent("Ольга")
    payload = button(question, "Отправить снимок")
    invented = ("photo:", "photo:send", "photo:send:", "photo:send:1", "photo:drop:x-y", "photo:look:1-9")
    for pressed in (payload, button(question, texts_photos.BUTTON_DROP), *invented):
        await stranger.presses(pressed)
        assert await stranger.waits() == [texts_photos.GONE]
    assert files_seen(colleague) == []
    await parent.presses(payload)
    await parent.waits()
    assert files_seen(colleague) == ["file-id"]


async def test_after_forgetting_nothing_is_left_to_send(desk: Desk) -> None:
    colleague, parent, _ = await with_question(desk)
    await parent.says(attachments=(PHOTO,))
    question = await asked(parent)
    await parent.presses("forget:yes")
    await parent.waits()
    await parent.presses(button(question, "Отправить снимок"))
    assert (await parent.waits())[-1] == texts_photos.GONE
    assert files_seen(colleague) == []


async def test_a_photo_of_the_staff_needs_no_check(desk: Desk) -> None:
    colleague, parent, number = await with_question(desk)
    await colleague.presses(f"answer:{number}")
    await colleague.says("Нажмите сюда", attachments=(PHOTO,))
    (answer,) = await parent.waits_for_messages()
    assert answer.attachments == (PHOTO,)
    # Also when it was first kept as a draft.
    desk.clock.pass_by(asking.GOES_ON * 2)
    await colleague.says("И сюда", attachments=(photo(2),))
    whose = (await colleague.waits_for_messages())[-1]
    await colleague.presses(whose.buttons[0][0].payload)
    (answer,) = await parent.waits_for_messages()
    assert answer.attachments == (photo(2),)


async def test_a_photo_typed_whole_is_asked_about_at_once(desk: Desk) -> None:
    _, parent, _ = await with_question(desk)
    await parent.says(attachments=(PHOTO,), whole=True)
    assert await parent.waits(seconds=0) == [texts_photos.ask(["photo"])]


async def test_back_with_the_bot_a_dropped_photo_leaves_a_way_on(desk: Desk) -> None:
    parent = await desk.parent()
    await desk.opens_question(parent)
    await parent.says(attachments=(PHOTO,))
    (asked,) = await parent.waits_for_messages()
    await parent.presses("bot")
    await parent.waits()
    await parent.presses(asked.buttons[-1][0].payload)
    (told,) = await parent.waits_for_messages()
    assert told.text == texts_photos.dropped(["photo"])
    assert told.buttons
