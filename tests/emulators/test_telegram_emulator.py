"""The Telegram emulator is as strict as the real server, and people in it behave like people."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    KeyboardButton,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from aiohttp import web

from bot.clock import SystemClock
from tests.emulators.telegram import (
    TINY_JPEG,
    AlbumItem,
    Fault,
    FileLimits,
    Person,
    TelegramServer,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


@dataclass
class FastClock:
    """Sleeping takes no real time: the clock just moves on."""

    passed: float = 0.0
    naps: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 9, 1, 8, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.naps.append(seconds)
        await SystemClock().sleep(0)


@pytest.fixture
def clock() -> FastClock:
    return FastClock()


@pytest.fixture
async def server(clock: FastClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(clock=clock, limits=False, longest_poll=0.2) as running:
        yield running


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    async with connected(server) as ours:
        yield ours


@pytest.fixture
async def anna(server: TelegramServer, bot: Bot) -> Person:
    """Somebody who has started the bot; the update is taken already."""
    person = server.person(first_name="Анна", username="anna_k")
    await person.start()
    await take(bot)
    return person


@asynccontextmanager
async def connected(server: TelegramServer, *, token: str | None = None) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url), timeout=5)
    try:
        yield Bot(token or server.token, session=session)
    finally:
        # The library's own close() waits a quarter of a second for TLS that is not there.
        await (await session.create_session()).close()


async def take(bot: Bot) -> list[Any]:
    """Poll once and confirm."""
    updates = await bot.get_updates(timeout=1)
    if updates:
        await bot.get_updates(offset=updates[-1].update_id + 1)
    return list(updates)


async def call(server: TelegramServer, method: str, **params: Any) -> tuple[int, dict[str, Any]]:
    """A request without any library between."""
    url = f"{server.url}/bot{server.token}/{method}"
    async with aiohttp.ClientSession() as session, session.post(url, json=params) as answer:
        return answer.status, await answer.json()


def inline(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=label, callback_data=f"to:{label}")] for label in labels]
    )


# ---- a conversation


async def test_a_whole_conversation_through_aiogram(server: TelegramServer, bot: Bot) -> None:
    anna = server.person(first_name="Анна")
    await anna.start("school_12")
    (started,) = await take(bot)
    assert started.message.text == "/start school_12"
    assert started.message.from_user.id > 2**31

    await bot.send_chat_action(anna.id, "typing")
    await bot.send_message(
        anna.id, "<b>Здравствуйте</b> &amp; добро", parse_mode="HTML", reply_markup=inline("Не войти")
    )
    greeting = await anna.hears("Здравствуйте & добро")
    assert greeting.html == "<b>Здравствуйте</b> &amp; добро"
    assert greeting.buttons == [["Не войти"]]
    assert anna.actions == ["typing"]

    query_id = await anna.presses("Не войти")
    (pressed,) = await take(bot)
    assert pressed.callback_query.id == query_id
    assert pressed.callback_query.data == "to:Не войти"
    assert pressed.callback_query.message.message_id == greeting.id
    assert server.unanswered_presses() == ["to:Не войти"]
    await bot.answer_callback_query(pressed.callback_query.id, text="Минуту")
    await bot.edit_message_text("Что вы видите?", chat_id=anna.id, message_id=greeting.id)
    changed = await anna.hears(re.compile("что вы видите", re.IGNORECASE))
    assert changed.id == greeting.id
    assert changed.edited
    assert changed.buttons == []
    assert anna.toasts == ["Минуту"]
    assert server.unanswered_presses() == []

    said = await anna.says("ошибка на https://ya.ru", reply_to=changed)
    (heard,) = await take(bot)
    assert heard.message.reply_to_message.message_id == changed.id
    assert [entity.type for entity in heard.message.entities] == ["url"]
    await anna.edits(said, "ошибка 403")
    (edited,) = await take(bot)
    assert edited.edited_message.text == "ошибка 403"
    await anna.hears_nothing(0.01)
    assert "🤖 Помощник (изменено): Что вы видите?" in anna.transcript()
    assert server.violations == []


async def test_hears_fails_with_the_transcript(anna: Person, bot: Bot) -> None:
    await bot.send_message(anna.id, "Одно")
    with pytest.raises(AssertionError, match=r"did not hear 'Другое'(?s:.*)Помощник: Одно"):
        await anna.hears("Другое", timeout=0.01)
    await anna.hears("Одно")
    with pytest.raises(AssertionError, match="did not hear"):
        await anna.hears("Одно", timeout=0.01)


async def test_hears_wakes_up_when_the_words_come(anna: Person, bot: Bot) -> None:
    hearing = asyncio.create_task(anna.hears("потом"))
    await bot.send_message(anna.id, "сейчас")
    await bot.send_message(anna.id, "потом")
    assert (await hearing).text == "потом"
    assert [message.text for message in anna.unread()] == ["сейчас"]


async def test_hears_nothing_notices_words(anna: Person, bot: Bot) -> None:
    await bot.send_message(anna.id, "Ой")
    with pytest.raises(AssertionError, match="unexpected words: 'Ой'"):
        await anna.hears_nothing(0.01)
    await anna.says("тише")
    await anna.hears_nothing(0.01)


async def test_a_long_text_is_split_by_the_app(anna: Person, bot: Bot) -> None:
    await anna.says("ы" * 5000)
    assert [len(update.message.text) for update in await take(bot)] == [4096, 904]


async def test_a_reply_keyboard_sends_its_label(server: TelegramServer, anna: Person, bot: Bot) -> None:
    keyboard = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="Меню")]])
    await bot.send_message(anna.id, "Вот", reply_markup=keyboard)
    await anna.presses("Меню")
    assert (await take(bot))[0].message.text == "Меню"
    await bot.send_message(anna.id, "Убрали", reply_markup=ReplyKeyboardRemove(remove_keyboard=True))
    with pytest.raises(AssertionError, match="no button 'Меню'"):
        await anna.presses("Меню")
    assert server.violations == []


async def test_a_link_button_opens_and_tells_nobody(anna: Person, bot: Bot) -> None:
    link = InlineKeyboardButton(text="Сайт", url="https://www.gosuslugi.ru/")
    await bot.send_message(anna.id, "Там", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[link]]))
    await anna.presses("Сайт")
    assert anna.opened == ["https://www.gosuslugi.ru/"]
    assert await bot.get_updates() == []


async def test_a_button_of_a_deleted_message_can_still_be_on_the_screen(anna: Person, bot: Bot) -> None:
    sent = await bot.send_message(anna.id, "Вот", reply_markup=inline("Да"))
    button = (await anna.hears("Вот")).button("Да")
    await bot.delete_message(anna.id, sent.message_id)
    assert "Вот" not in anna.transcript()
    await anna.presses(button)
    (update,) = await take(bot)
    assert update.callback_query.message.date == 0 or not hasattr(update.callback_query.message, "text")


# ---- files


async def test_files_go_both_ways(server: TelegramServer, anna: Person, bot: Bot) -> None:
    await anna.sends_photo(PNG, caption="вот ошибка")
    await anna.sends_document("справка.pdf", b"%PDF", mime="application/pdf")
    await anna.sends_voice()
    await anna.sends_sticker()
    photo, document, voice, sticker = [update.message for update in await take(bot)]
    assert photo.caption == "вот ошибка"
    assert (document.document.file_name, document.document.mime_type) == ("справка.pdf", "application/pdf")
    assert voice.voice.mime_type == "audio/ogg"
    assert sticker.sticker.emoji == "👍"
    file = await bot.get_file(photo.photo[-1].file_id)
    assert file.file_path is not None
    content = await bot.download_file(file.file_path)
    assert content is not None
    assert content.read() == PNG

    await bot.send_photo(anna.id, photo.photo[-1].file_id, caption="ваша")
    await bot.send_photo(anna.id, BufferedInputFile(TINY_JPEG, "a.jpg"), reply_markup=inline("Ага"))
    await bot.send_document(
        anna.id, BufferedInputFile(b"row", "отчёт.xlsx"), caption="<i>готов</i>", parse_mode="HTML"
    )
    ours = [message for message in anna.chat if message.from_bot]
    assert [message.photo for message in ours] == [PNG, TINY_JPEG, None]
    assert (ours[2].document, ours[2].file_name, ours[2].caption) == (b"row", "отчёт.xlsx", "готов")
    assert ours[2].html == "<i>готов</i>"
    assert server.violations == []


async def test_a_link_to_a_file_dies_in_an_hour(
    server: TelegramServer, anna: Person, bot: Bot, clock: FastClock
) -> None:
    await anna.sends_photo()
    file = await bot.get_file((await take(bot))[0].message.photo[0].file_id)
    await clock.sleep(3601)
    url = f"{server.url}/file/bot{server.token}/{file.file_path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404


async def test_albums_are_separate_messages_of_one_group(
    server: TelegramServer, anna: Person, bot: Bot
) -> None:
    await anna.sends_album([PNG, AlbumItem(b"x", "clip.mp4", "video/mp4", "video")], caption="две")
    first, second = [update.message for update in await take(bot)]
    assert first.media_group_id == second.media_group_id is not None
    assert (first.caption, second.caption) == ("две", None)
    photo = InputMediaPhoto(
        media=BufferedInputFile(TINY_JPEG, "1.jpg"), caption="<b>раз</b>", parse_mode="HTML"
    )
    sent = await bot.send_media_group(anna.id, [photo, InputMediaPhoto(media=first.photo[-1].file_id)])
    assert len({message.media_group_id for message in sent}) == 1
    assert [message.photo for message in anna.chat if message.from_bot] == [TINY_JPEG, PNG]
    clip = InputMediaVideo(media=second.video.file_id, duration=3, width=640)
    await bot.send_media_group(anna.id, [InputMediaPhoto(media=first.photo[-1].file_id), clip])
    with pytest.raises(TelegramBadRequest, match="2-10 items"):
        await bot.send_media_group(anna.id, [photo])
    document = InputMediaDocument(media=BufferedInputFile(b"1", "a.txt"))
    with pytest.raises(TelegramBadRequest, match="can't be mixed"):
        await bot.send_media_group(anna.id, [photo, document])
    assert server.violations == []


async def test_files_have_limits(clock: FastClock) -> None:
    limits = FileLimits(upload=100, download=10)
    async with (
        TelegramServer(clock=clock, limits=False, file_limits=limits) as server,
        connected(server) as bot,
    ):
        anna = server.person()
        await anna.sends_document("big.bin", b"0" * 11)
        (update,) = await take(bot)
        with pytest.raises(TelegramBadRequest, match="file is too big"):
            await bot.get_file(update.message.document.file_id)
        with pytest.raises(TelegramEntityTooLarge):
            await bot.send_document(anna.id, BufferedInputFile(b"0" * 101, "a.bin"))
        with pytest.raises(TelegramBadRequest, match="file must be non-empty"):
            await bot.send_document(anna.id, BufferedInputFile(b"", "a.bin"))
        with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
            await bot.send_photo(anna.id, BufferedInputFile(b"no image", "a.jpg"))
        with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
            await bot.send_photo(anna.id, "AgAC-nothing")
        with pytest.raises(TelegramBadRequest, match="can't use file of type Document as Photo"):
            await bot.send_photo(anna.id, update.message.document.file_id)
        with pytest.raises(TelegramBadRequest, match="invalid file_id"):
            await bot.get_file("nothing")


# ---- strictness


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<b>раз", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<div>раз</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("ы <br> раз", 'Unsupported start tag "br" at byte offset 3'),
        ("2 < 3", 'Unsupported start tag "" at byte offset 2'),
        ("<b>раз</i>", "Unmatched end tag at byte offset 9"),
        ("раз</b>", "Unexpected end tag at byte offset 6"),
        ('<a href="https://ya.ru"', "Unclosed start tag at byte offset 0"),
        ("<span>раз</span>", 'Tag "span" must have class "tg-spoiler"'),
    ],
)
async def test_bad_html_is_refused(anna: Person, bot: Bot, html: str, complaint: str) -> None:
    with pytest.raises(TelegramBadRequest) as refused:
        await bot.send_message(anna.id, html, parse_mode="HTML")
    assert f"can't parse entities: {complaint}" in str(refused.value)
    assert [message for message in anna.chat if message.from_bot] == []


@pytest.mark.parametrize(
    ("html", "text", "kinds"),
    [
        ("<b>а <i>б</i></b>", "а б", ["bold", "italic"]),
        ("😀<a href='https://ya.ru/?a=1&amp;b=2'>тут</a>", "😀тут", ["text_link"]),
        ("&lt;b&gt; &quot; &#1103; &nbsp; A&B", '<b> " я &nbsp; A&B', []),
        ('<pre><code class="language-py">x</code></pre>', "x", ["pre", "code"]),
        ("<blockquote expandable>ц</blockquote>", "ц", ["expandable_blockquote"]),
        ('<a href="no address">слова</a>', "слова", []),
        ("  <b> раз </b>\n", "раз", ["bold"]),
    ],
)
async def test_good_html_is_parsed(anna: Person, bot: Bot, html: str, text: str, kinds: list[str]) -> None:
    sent = await bot.send_message(anna.id, html, parse_mode="HTML")
    assert sent.text == text
    assert sorted(entity.type for entity in sent.entities or []) == sorted(kinds)
    assert (await anna.hears("")).text == text


async def test_offsets_count_utf16_units(anna: Person, bot: Bot) -> None:
    sent = await bot.send_message(anna.id, "😀<b>да</b>", parse_mode="HTML")
    assert sent.entities is not None
    assert (sent.entities[0].offset, sent.entities[0].length) == (2, 2)
    bold = MessageEntity(type="bold", offset=2, length=2)
    await bot.send_message(anna.id, "😀да", entities=[bold])
    assert anna.chat[-1].html == "😀<b>да</b>"
    with pytest.raises(TelegramBadRequest, match="outside of the text"):
        await bot.send_message(anna.id, "да", entities=[bold])


async def test_lengths_are_counted_after_parsing(anna: Person, bot: Bot) -> None:
    await bot.send_message(anna.id, f"<b>{'😀' * 4096}</b>", parse_mode="HTML")
    with pytest.raises(TelegramBadRequest, match="message is too long"):
        await bot.send_message(anna.id, "ы" * 4097)
    photo = BufferedInputFile(TINY_JPEG, "1.jpg")
    await bot.send_photo(anna.id, photo, caption="<i>" + "ы" * 1024 + "</i>", parse_mode="HTML")
    with pytest.raises(TelegramBadRequest, match="message caption is too long"):
        await bot.send_photo(anna.id, photo, caption="ы" * 1025)
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await bot.send_message(anna.id, "")
    with pytest.raises(TelegramBadRequest, match="text must be non-empty"):
        await bot.send_message(anna.id, "<b> </b>", parse_mode="HTML")
    with pytest.raises(TelegramBadRequest, match="unsupported parse_mode"):
        await bot.send_message(anna.id, "*раз*", parse_mode="MarkdownV2")


@pytest.mark.parametrize(
    ("button", "complaint"),
    [
        ({"text": "Да", "callback_data": "ы" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "Да", "callback_data": ""}, "Text buttons are unallowed"),
        ({"text": "Да"}, "Text buttons are unallowed"),
        ({"text": "Да", "callback_data": "1", "url": "https://ya.ru"}, "exactly one"),
        ({"text": " ", "callback_data": "1"}, "button text must be non-empty"),
        ({"text": "Да", "url": "http://localhost:8080/"}, "Wrong HTTP URL"),
        ({"text": "Да", "url": "javascript:alert(1)"}, "Wrong HTTP URL"),
    ],
)
async def test_bad_buttons_are_refused(
    server: TelegramServer, anna: Person, button: dict[str, str], complaint: str
) -> None:
    keyboard = {"inline_keyboard": [[button]]}
    status, answer = await call(server, "sendMessage", chat_id=anna.id, text="Вот", reply_markup=keyboard)
    assert status == 400
    assert complaint in answer["description"]


async def test_a_hundred_buttons_are_the_most(anna: Person, bot: Bot) -> None:
    await bot.send_message(anna.id, "Вот", reply_markup=inline(*map(str, range(100))))
    with pytest.raises(TelegramBadRequest, match="reply markup is too long"):
        await bot.send_message(anna.id, "Вот", reply_markup=inline(*map(str, range(101))))


async def test_replies_need_their_message(anna: Person, bot: Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(anna.id, "Вот", reply_parameters=ReplyParameters(message_id=5))
    loose = ReplyParameters(message_id=5, allow_sending_without_reply=True)
    assert (await bot.send_message(anna.id, "Вот", reply_parameters=loose)).reply_to_message is None
    said = await anna.says("вопрос")
    await bot.send_message(anna.id, "Ответ", reply_parameters=ReplyParameters(message_id=said.id))
    assert (await anna.hears("Ответ")).reply_to == said.id


async def test_edits_and_deletions_have_rules(anna: Person, bot: Bot, clock: FastClock) -> None:
    sent = await bot.send_message(anna.id, "Вот", reply_markup=inline("Да"))
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await sent.as_(bot).edit_text("Вот", reply_markup=inline("Да"))
    await sent.as_(bot).edit_reply_markup(reply_markup=None)
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await sent.as_(bot).edit_reply_markup(reply_markup=None)
    assert anna.chat[-1].buttons == []
    assert not anna.chat[-1].edited
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("Вот", chat_id=anna.id, message_id=5)
    hers = await anna.says("моё")
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await bot.edit_message_text("Вот", chat_id=anna.id, message_id=hers.id)
    photo = await bot.send_photo(anna.id, BufferedInputFile(TINY_JPEG, "1.jpg"))
    with pytest.raises(TelegramBadRequest, match="there is no text in the message to edit"):
        await bot.edit_message_text("Вот", chat_id=anna.id, message_id=photo.message_id)
    await bot.delete_message(anna.id, hers.id)
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await bot.delete_message(anna.id, hers.id)
    await clock.sleep(48 * 3600 + 1)
    with pytest.raises(TelegramBadRequest, match="message can't be deleted"):
        await bot.delete_message(anna.id, sent.message_id)


async def test_what_is_deleted_is_gone_from_that_chat_alone(
    server: TelegramServer, anna: Person, bot: Bot
) -> None:
    boris = server.person(first_name="Борис")
    await boris.start()
    hers, photo = await anna.says("мой номер"), await anna.sends_photo(TINY_JPEG, caption="номер на снимке")
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await bot.delete_message(boris.id, hers.id)
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.delete_message(12345, hers.id)
    assert hers.id in [message.id for message in anna.chat]
    assert await bot.delete_message(anna.id, hers.id) is True
    assert await bot.delete_message(anna.id, photo.id) is True
    assert [message.text for message in anna.chat] == ["/start"]
    assert "номер" not in anna.transcript()
    for missing in ({"chat_id": anna.id}, {"message_id": hers.id}, {"chat_id": anna.id, "message_id": "x"}):
        status, _ = await call(server, "deleteMessage", **missing)
        assert status == 400
    assert len(server.violations) == 3
    server.violations.clear()


async def test_in_a_group_a_bot_deletes_only_its_own(server: TelegramServer, anna: Person, bot: Bot) -> None:
    group = server.group("5Б", members=[anna])
    await group.adds_bot(anna)
    theirs = await anna.says("/help", chat=group)
    with pytest.raises(TelegramBadRequest, match="message can't be deleted"):
        await bot.delete_message(group.id, theirs.id)
    ours = await bot.send_message(group.id, "Вот")
    assert await bot.delete_message(group.id, ours.message_id) is True


async def test_a_press_is_answered_in_time_or_not_at_all(anna: Person, bot: Bot, clock: FastClock) -> None:
    with pytest.raises(TelegramBadRequest, match="query is too old and response timeout expired"):
        await bot.answer_callback_query("123")
    await bot.send_message(anna.id, "Вот", reply_markup=inline("Да"))
    query_id = await anna.presses("Да")
    assert query_id is not None
    with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
        await bot.answer_callback_query(query_id, text="ы" * 201)
    await clock.sleep(151)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(query_id)
    assert await bot.get_updates() == [], "a press is not offered after 150 seconds"


async def test_people_who_cannot_be_written_to(server: TelegramServer, anna: Person, bot: Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(42, "Вот")
    boris = server.person(first_name="Борис")
    with pytest.raises(TelegramForbiddenError, match="bot can't initiate conversation with a user"):
        await bot.send_message(boris.id, "Вот")
    await anna.blocks()
    (update,) = await take(bot)
    assert update.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(anna.id, "Вот")
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_chat_action(anna.id, "typing")
    await anna.unblocks()
    (update,) = await take(bot)
    assert update.my_chat_member.new_chat_member.status == "member"
    await bot.send_message(anna.id, "Вот")
    await anna.deletes_account()
    with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
        await bot.send_message(anna.id, "Вот")


async def test_requests_are_checked_against_the_specification(server: TelegramServer, anna: Person) -> None:
    status, _ = await call(server, "sendMessage", chat_id=anna.id, text="да", colour="red")
    assert status == 200
    status, answer = await call(server, "sendMessage", chat_id="@nobody", text="да")
    assert answer["description"] == "Bad Request: chat not found"
    status, answer = await call(server, "sendMessage", text="да")
    assert (status, answer["description"]) == (400, "Bad Request: chat_id is empty")
    status, _ = await call(server, "sendMessage", chat_id=anna.id, text="да", disable_notification="maybe")
    assert status == 400
    markup = {"inline_keyboard": [[{"text": "Да", "callback_data": "1", "colour": "red"}]]}
    await call(server, "sendMessage", chat_id=anna.id, text="да", reply_markup=markup)
    status, answer = await call(server, "sendTelepathy")
    assert (status, answer["description"]) == (404, "Not Found")
    status, _ = await call(server, "sendDice", chat_id=anna.id)
    assert status == 501
    assert server.violations == [
        "sendMessage: unknown parameter colour",
        "sendMessage: chat_id is required",
        "sendMessage: disable_notification must be Boolean",
        "reply_markup.inline_keyboard[0][0]: unknown field colour in InlineKeyboardButton",
        "unknown method sendTelepathy",
        "sendDice is not emulated",
    ]


async def test_parameters_come_in_four_ways(server: TelegramServer, anna: Person) -> None:
    url = f"{server.url}/bot{server.token}/SENDMESSAGE"
    fields = {"chat_id": str(anna.id), "text": "да", "reply_markup": '{"inline_keyboard": []}'}
    form = aiohttp.FormData(fields)
    form.add_field("nothing", b"", filename="a.txt")
    async with aiohttp.ClientSession() as session:
        for request in (
            session.get(url, params=fields),
            session.post(url, data=fields),
            session.post(url, json=fields),
            session.post(url, data=form),
        ):
            async with request as answer:
                assert answer.status == 200
        async with session.post(url, data="{", headers={"Content-Type": "application/json"}) as answer:
            assert answer.status == 400
    assert [message.text for message in anna.chat if message.from_bot] == ["да"] * 4
    assert server.violations == []


async def test_a_wrong_token_is_unauthorized(server: TelegramServer) -> None:
    async with connected(server, token="1:wrong") as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.get_me()


async def test_the_bot_sets_its_profile(server: TelegramServer, anna: Person, bot: Bot) -> None:
    await bot.set_my_commands([BotCommand(command="help", description="Помощь")])
    assert (await bot.get_my_commands())[0].description == "Помощь"
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand(command="Помощь", description="Помощь")])
    await bot.set_my_description("О боте")
    await bot.set_my_short_description("Коротко")
    assert (await bot.get_my_short_description()).short_description == "Коротко"
    chat = await bot.get_chat(anna.id)
    assert (chat.first_name, chat.type) == ("Анна", "private")
    said = await anna.says("вопрос")
    boris = server.person(first_name="Борис")
    await boris.start()
    await bot.copy_message(boris.id, anna.id, said.id)
    assert (await boris.hears("вопрос")).from_bot
    with pytest.raises(TelegramBadRequest, match="message to copy not found"):
        await bot.copy_message(boris.id, anna.id, 5)
    assert server.violations == []


# ---- long polling


async def test_updates_stay_until_confirmed(server: TelegramServer, anna: Person, bot: Bot) -> None:
    for word in ("раз", "два", "три"):
        await anna.says(word)
    first = await bot.get_updates(limit=2)
    assert [update.message.text for update in first if update.message] == ["раз", "два"]
    assert await bot.get_updates(limit=2) == first
    rest = await bot.get_updates(offset=first[-1].update_id + 1)
    assert [update.message.text for update in rest if update.message] == ["три"]
    assert server.confirmed_offset == first[-1].update_id + 1
    confirming = asyncio.create_task(server.all_taken())
    await bot.get_updates(offset=rest[-1].update_id + 1)
    await confirming
    assert server.pending == []


async def test_a_long_poll_wakes_up_and_times_out(server: TelegramServer, anna: Person, bot: Bot) -> None:
    assert await bot.get_updates(timeout=1) == []
    polling = asyncio.create_task(call(server, "getUpdates", timeout=50))
    await anna.says("раз")
    assert (await polling)[1]["result"][0]["message"]["text"] == "раз"


async def test_unconfirmed_updates_die_in_a_day(anna: Person, bot: Bot, clock: FastClock) -> None:
    await anna.says("раз")
    await clock.sleep(24 * 3600 + 1)
    assert await bot.get_updates() == []


async def test_the_second_poller_throws_the_first_out(clock: FastClock) -> None:
    async with TelegramServer(clock=clock) as server, connected(server) as bot, connected(server) as twin:
        first = asyncio.create_task(bot.get_updates(timeout=40))
        await server.polled()
        second = asyncio.create_task(twin.get_updates(timeout=40))
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
            await first
        await server.person().start()
        assert len(await second) == 1


async def test_a_webhook_and_polling_exclude_each_other(bot: Bot) -> None:
    await bot.set_webhook("https://bot.example.org/telegram/webhook")
    with pytest.raises(TelegramConflictError, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == []
    with pytest.raises(TelegramBadRequest, match="An HTTPS URL must be provided"):
        await bot.set_webhook("http://bot.example.org/")
    with pytest.raises(TelegramBadRequest, match="secret token contains unallowed characters"):
        await bot.set_webhook("https://bot.example.org/", secret_token="секрет")


async def test_only_allowed_updates_come(anna: Person, bot: Bot) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    await anna.says("раз")
    assert await bot.get_updates() == []
    await bot.get_updates(allowed_updates=[])
    await anna.says("два")
    assert len(await bot.get_updates()) == 1


async def test_updates_are_doubled_and_swapped_on_wish(
    server: TelegramServer, anna: Person, bot: Bot
) -> None:
    server.duplicate()
    await anna.says("раз")
    await anna.says("два")
    first = await bot.get_updates(limit=1)
    rest = await bot.get_updates(offset=first[-1].update_id + 1)
    texts = [update.message.text for update in [*first, *rest] if update.message]
    assert texts == ["раз", "раз", "два"]
    assert first[0].update_id == rest[0].update_id
    await bot.get_updates(offset=rest[-1].update_id + 1)
    server.reorder(2)
    await anna.says("три")
    assert await bot.get_updates() == []
    await anna.says("четыре")
    swapped = await bot.get_updates()
    assert [update.message.text for update in swapped if update.message] == ["четыре", "три"]
    assert swapped[0].update_id < swapped[1].update_id


async def test_anything_can_be_injected(server: TelegramServer) -> None:
    known = server.inject({"telepathy": {"thought": "ой"}})
    server.inject({"update_id": "a", "message": None})
    server.inject([1, 2])
    _, answer = await call(server, "getUpdates")
    assert answer["result"] == [
        {"update_id": known, "telepathy": {"thought": "ой"}},
        {"update_id": "a", "message": None},
        [1, 2],
    ]
    _, answer = await call(server, "getUpdates", offset=known + 3)
    assert answer["result"] == []


# ---- the webhook


@dataclass
class Hook:
    """A bot's webhook that answers what it is told."""

    answer: Callable[[dict[str, Any]], web.Response]
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [body["message"]["text"] for body in self.bodies if "message" in body]

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return self.answer(self.bodies[-1])


@asynccontextmanager
async def hook(answer: Callable[[dict[str, Any]], web.Response]) -> AsyncIterator[Hook]:
    taker = Hook(answer)
    app = web.Application()
    app.router.add_post("/telegram/webhook", taker.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taker.url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram/webhook"
    try:
        yield taker
    finally:
        await runner.cleanup()


async def test_the_webhook_gets_updates_in_order_until_it_agrees(
    server: TelegramServer, anna: Person, bot: Bot, clock: FastClock
) -> None:
    answers = [500, 500, 401, 204]
    async with hook(lambda _: web.Response(status=answers.pop(0) if answers else 200)) as ours:
        await anna.says("раз")
        await bot.set_webhook(ours.url, secret_token="s-1_Z")
        await anna.says("два")
        await server.all_taken()
        assert ours.texts == ["раз", "раз", "раз", "раз", "два"]
        assert set(ours.secrets) == {"s-1_Z"}
        assert clock.naps == [1.0, 2.0], "the first repeat comes at once"
        assert [attempt.status for attempt in server.webhook_tries] == [500, 500, 401, 204, 200]
        info = await bot.get_webhook_info()
        assert info.pending_update_count == 0
        assert info.last_error_message == "Wrong response from the webhook: 401 Unauthorized"
        await bot.delete_webhook()


async def test_a_dead_webhook_keeps_updates_for_a_day(server: TelegramServer, anna: Person, bot: Bot) -> None:
    await anna.says("раз")
    await bot.set_webhook("http://127.0.0.1:1/")
    await server.all_taken()
    assert {attempt.status for attempt in server.webhook_tries} == {None}
    assert len(server.webhook_tries) > 1000


async def test_a_stuck_line_does_not_hold_others(server: TelegramServer, anna: Person, bot: Bot) -> None:
    release = asyncio.Event()

    def answer(body: dict[str, Any]) -> web.Response:
        stuck = "message" in body and body["message"]["text"] == "раз" and not release.is_set()
        return web.Response(status=503 if stuck else 200)

    boris = server.person(first_name="Борис")
    async with hook(answer) as ours:
        await bot.set_webhook(ours.url)
        await anna.says("раз")
        await anna.says("два")
        await boris.says("три")
        while "три" not in ours.texts:
            await SystemClock().sleep(0)
        assert "два" not in ours.texts
        release.set()
        await server.all_taken()
        assert ours.texts[-1] == "два"
        await bot.delete_webhook()


async def test_a_webhook_may_answer_with_a_call(anna: Person, bot: Bot) -> None:
    reply = {"method": "sendMessage", "chat_id": anna.id, "text": "Сразу"}
    async with hook(lambda _: web.json_response(reply)) as ours:
        await bot.set_webhook(ours.url, drop_pending_updates=True, allowed_updates=["message"])
        await anna.says("раз")
        await anna.hears("Сразу")
        await bot.delete_webhook()


# ---- limits


async def test_one_message_a_second_to_a_person(clock: FastClock) -> None:
    async with TelegramServer(clock=clock) as server, connected(server) as bot:
        anna = server.person()
        await anna.start()
        await bot.send_message(anna.id, "раз")
        await clock.sleep(0.9)
        with pytest.raises(TelegramRetryAfter) as refused:
            await bot.send_message(anna.id, "два")
        assert refused.value.retry_after == 1
        await clock.sleep(0.1)
        await bot.send_message(anna.id, "три")
        assert [message.text for message in anna.chat if message.from_bot] == ["раз", "три"]
        assert [hit.chat_id for hit in server.limit_hits] == [anna.id]


async def test_thirty_messages_a_second_in_all(clock: FastClock) -> None:
    async with TelegramServer(clock=clock) as server, connected(server) as bot:
        people = [server.person() for _ in range(31)]
        for person in people:
            await person.start()
        for person in people[:30]:
            await bot.send_message(person.id, "раз")
        with pytest.raises(TelegramRetryAfter):
            await bot.send_message(people[30].id, "раз")
        assert "30 messages a second" in server.limit_hits[0].limit


async def test_twenty_messages_a_minute_to_a_group(clock: FastClock) -> None:
    async with TelegramServer(clock=clock) as server, connected(server) as bot:
        anna = server.person()
        group = server.group("Школа", members=[anna])
        await group.adds_bot(anna)
        for _ in range(20):
            await clock.sleep(0.1)
            await bot.send_message(group.id, "раз")
        with pytest.raises(TelegramRetryAfter) as refused:
            await bot.send_message(group.id, "раз")
        assert refused.value.retry_after == 59


# ---- faults


async def test_faults_answer_as_the_real_server_does(server: TelegramServer, anna: Person, bot: Bot) -> None:
    expected: list[tuple[Fault, type[Exception]]] = [
        (Fault.too_many_requests(3600), TelegramRetryAfter),
        (Fault.forbidden("Forbidden: user is deactivated"), TelegramForbiddenError),
        (Fault.bad_request(), TelegramBadRequest),
        (Fault.unauthorized(), TelegramUnauthorizedError),
        (Fault.conflict(), TelegramConflictError),
        (Fault.server_error(502, "Bad Gateway"), TelegramServerError),
        (Fault.html_page(), ClientDecodeError),
        (Fault.drop(), TelegramNetworkError),
    ]
    for fault, error in expected:
        rule = server.fail(method="sendMessage", fault=fault)
        with pytest.raises(error):
            await bot.send_message(anna.id, "раз")
        assert rule.hits == 1
    assert not any(message.from_bot for message in anna.chat)
    await bot.send_message(anna.id, "раз")
    assert [call.outcome for call in server.calls_of("sendMessage")][-2:] == ["drop", "ok"]


async def test_a_fault_may_leave_the_fate_unknown(server: TelegramServer, anna: Person, bot: Bot) -> None:
    server.fail(method="sendMessage", fault=Fault.execute_then_drop())
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.id, "раз")
    await anna.hears("раз")
    server.fail(fault=Fault.hang())
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.id, "два", request_timeout=1)
    server.fail(fault=Fault.execute_then_hang(), chat_id=anna.id, skip=1)
    await bot.send_message(anna.id, "три")
    sending = asyncio.create_task(bot.send_message(anna.id, "четыре"))
    await anna.hears("четыре")
    sending.cancel()
    server.fail(fault=Fault.slow(0.01), times=100)
    await bot.send_message(anna.id, "пять")
    server.heal()
    assert [message.text for message in anna.chat if message.from_bot] == ["раз", "три", "четыре", "пять"]


async def test_faults_wait_for_their_turn_and_end(server: TelegramServer, anna: Person, bot: Bot) -> None:
    server.fail(method="sendMessage", fault=Fault.server_error(), times=2, skip=1)
    outcomes = []
    for _ in range(4):
        try:
            await bot.send_message(anna.id, "раз")
            outcomes.append("ok")
        except TelegramServerError:
            outcomes.append("fault")
    assert outcomes == ["ok", "fault", "fault", "ok"]


# ---- groups


async def test_a_group_and_the_bot(server: TelegramServer, anna: Person, bot: Bot) -> None:
    group = server.group("Школа 12", members=[anna])
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the group chat"):
        await bot.send_message(group.id, "Вот")
    await group.adds_bot(anna)
    added, greeted = await take(bot)
    assert added.my_chat_member.chat.title == "Школа 12"
    assert greeted.message.new_chat_members[0].id == server.bot.id
    await bot.send_message(group.id, "Здравствуйте", reply_markup=inline("Взять"))
    heard = await group.hears("Здравствуйте")
    await anna.says("между собой", chat=group)
    await anna.says("/help", chat=group)
    await anna.says("ответ", chat=group, reply_to=heard)
    await anna.presses("Взять", chat=group)
    updates = await take(bot)
    assert [update.message.text for update in updates[:2]] == ["/help", "ответ"]
    assert updates[2].callback_query.message.chat.id == group.id

    bigger = await group.becomes_supergroup()
    assert len(await take(bot)) == 3
    with pytest.raises(TelegramMigrateToChat) as moved:
        await bot.send_message(group.id, "Вот")
    assert moved.value.migrate_to_chat_id == bigger.id
    await bot.send_message(bigger.id, "Вот")
    await bigger.kicks_bot(anna)
    with pytest.raises(TelegramForbiddenError, match="bot was kicked from the supergroup chat"):
        await bot.send_message(bigger.id, "Вот")
    assert server.violations == []


async def test_an_unknown_file_is_not_found(server: TelegramServer) -> None:
    url = f"{server.url}/file/bot{server.token}/photos/file_9.jpg"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404


async def test_a_server_may_go_down_and_come_back(server: TelegramServer, anna: Person, bot: Bot) -> None:
    polling = asyncio.create_task(bot.get_updates(timeout=40))
    await server.polled()
    await server.goes_down()
    with pytest.raises((TelegramNetworkError, TelegramConflictError)):
        await polling
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.id, "раз")
    await anna.says("ау")
    await server.comes_up()
    assert (await take(bot))[0].message.text == "ау"


async def test_a_download_may_break(server: TelegramServer, anna: Person, bot: Bot) -> None:
    await anna.sends_photo()
    file = await bot.get_file((await take(bot))[0].message.photo[0].file_id)
    assert file.file_path is not None
    server.fail(method="download", fault=Fault.drop(), times=2)  # aiohttp repeats a lost GET once by itself
    with pytest.raises(aiohttp.ClientError):
        await bot.download_file(file.file_path)
    assert await bot.download_file(file.file_path) is not None
