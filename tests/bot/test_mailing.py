"""Announcements reach everybody once, and those who speak with us first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pytest

from bot.mailing_mark import MailingMark
from handlers.campaigns import composing
from handlers.messages import Attachment
from storage.campaigns import audience, book, launches, readers, wishes
from storage.campaigns.campaign import Audience, Progress, Reader
from storage.campaigns.wishes import Wish
from tests.emulators.telegram import Fault
from tests.emulators.vk import Fault as VkFault
from tests.house import House
from tests.ways import two_ways

ALWAYS = {"opens": 0, "closes": 24 * 60}
TEXT = "Проверьте вход в дневник до 25 августа"


async def announce(
    house: House,
    text: str = TEXT,
    *,
    pulse: int | None = None,
    attachments: Sequence[Mapping[str, Any]] = (),
) -> int:
    """Begin a campaign for everybody at once, in a database with this pulse; returns its launch."""
    database, now = house.app.database, house.app.clock.now()
    async with database.transaction() as tx:
        if pulse is not None:
            await launches.set_pulse(tx, pulse)
        campaign = await book.add(
            tx,
            title="Проверьте вход",
            category="reminders",
            text=text,
            attachments=attachments,
            audience=Audience(),
            schedule={},
            author_id=None,
            now=now,
        )
        await launches.plan(tx, campaign.id, due_at=now)
        (launch,) = await launches.of_campaign(tx, campaign.id)
        body = composing.body_of(campaign) | {"window": ALWAYS}
        assert await launches.begin(tx, launch.id, body=body, now=now)
        begun = await launches.find(tx, launch.id)
        assert begun is not None
        zones = audience.Zones("Europe/Moscow")
        await audience.fill(
            tx, begun, campaign.audience, category="reminders", zones=zones, now=now, limit=1000
        )
        await launches.note_filled(tx, launch.id, launches.TO_THE_END, now=now)
    house.app.wake_mailing()
    return launch.id


async def told(house: House, launch_id: int) -> Progress:
    """Wait until nobody is left; what became of them."""
    for _ in range(400):
        async with house.app.database.reading() as tx:
            progress = await readers.progress(tx, [launch_id])
        if not progress.left:
            return progress
        await house.app.clock.sleep(1)
    raise AssertionError(progress)


async def test_everybody_is_told_once(house: House) -> None:
    anna, boris = await house.parent("Анна"), await house.parent("Борис")
    launch = await announce(house)
    assert (await told(house, launch)).states == {"sent": 2}
    for person in (anna, boris):
        await person.hears(TEXT)
        assert [TEXT in message.words for message in person.chat].count(True) == 1


async def test_who_has_blocked_us_stops_nobody_else(house: House) -> None:
    anna, boris = await house.parent("Анна"), await house.parent("Борис")
    await anna.blocks()
    launch = await announce(house)
    await boris.hears(TEXT)
    progress = await told(house, launch)
    assert progress.of("sent") == 1
    assert progress.total - progress.of("sent") <= 1


@pytest.mark.parametrize("transport", ["telegram-polling"], indirect=True)
async def test_from_a_backup_put_back_under_our_feet_nobody_is_told_before_people_are_asked(
    house: House,
) -> None:
    """Whoever sends sees it at once; the look that holds everything comes up to ten seconds later."""
    anna = await house.parent("Анна")
    mark = MailingMark(house.app.settings.data_dir)
    first = await announce(house, pulse=100)
    await mark.write(100)
    assert (await told(house, first)).states == {"sent": 1}
    restored = await announce(house, "Это уже отправляли", pulse=50)
    for _ in range(1000):
        async with house.app.database.reading() as tx:
            launch = await launches.find(tx, restored)
        if launch is not None and launch.state == "paused":
            break
        await house.app.clock.sleep(1)
    assert launch is not None
    assert (launch.state, launch.reason) == ("paused", "restored")
    async with house.app.database.reading() as tx:
        assert (await readers.progress(tx, [restored])).states == {"queued": 1}
    assert not [message.words for message in anna.chat if "отправляли" in message.words]


async def test_what_was_sent_is_put_right_and_taken_back(house: House) -> None:
    """Where the messenger allows it; the last words are those in the chat."""
    anna = await house.parent("Анна")
    launch = await announce(house)
    await told(house, launch)
    await wish(house, Wish(launch, "edit", channel=house.home, text="Вход нужно проверить до 1 сентября"))
    assert [message.words for message in anna.chat if "1 сентября" in message.words]
    assert not [message.words for message in anna.chat if TEXT in message.words]
    await wish(house, Wish(launch, "delete", channel=house.home))
    assert not [message.words for message in anna.chat if "1 сентября" in message.words]


@two_ways
async def test_the_words_under_a_picture_are_put_right_and_the_picture_stays(
    house: House,
) -> None:
    anna = await house.parent("Анна")
    ref = await house.app.files.keep(b"\xff\xd8\xff\xe0 a poster \xff\xd9")
    poster = Attachment("photo", "poster.jpg", "image/jpeg", "web", ref)
    launch = await announce(house, attachments=[asdict(poster)])
    await told(house, launch)
    (before,) = [message for message in anna.chat if TEXT in message.words]
    await wish(house, Wish(launch, "edit", channel=house.home, text="Вход нужно проверить до 1 сентября"))
    (after,) = [message for message in anna.chat if "1 сентября" in message.words]
    assert len(pictures(after)) == len(pictures(before)) == 1


def pictures(message: Any) -> Sequence[Any]:
    """What stands beside the words, in either messenger's chat."""
    return list(getattr(message, "files", ())) or list(getattr(message, "attachments", ()))


async def wish(house: House, wished: Wish) -> None:
    """Wish for it, and wait until it is carried out."""
    async with house.app.database.transaction() as tx:
        await wishes.add(tx, wished)
    for _ in range(400):
        async with house.app.database.reading() as tx:
            if not await wishes.listed(tx):
                return
        await house.app.clock.sleep(1)
    raise AssertionError(wished)


async def reader_of(house: House, launch_id: int) -> Reader:
    """The only one."""
    async with house.app.database.reading() as tx:
        (reader,) = await readers.listed(
            tx, [launch_id], states=("queued", "sending", "sent", "failed", "unknown"), limit=2
        )
    return reader


@pytest.mark.parametrize("transport", ["telegram-polling"], indirect=True)
async def test_silence_that_the_messenger_orders_is_no_failed_attempt(house: House) -> None:
    """As usual bots do it: 429 counted as failed, and so the first real trouble gives the reader up."""
    anna = await house.parent("Анна")
    house.telegram.fail(method="sendMessage", times=40, fault=Fault.too_many_requests(1))
    house.telegram.fail(method="sendMessage", fault=Fault.html_page())
    launch = await announce(house)
    assert (await told(house, launch)).states == {"sent": 1}
    await anna.hears(TEXT)
    assert (await reader_of(house, launch)).attempts <= 2


@pytest.mark.parametrize("transport", ["vk-polling"], indirect=True)
async def test_who_was_shown_the_beginning_is_in_doubt_and_not_told_it_hours_later(house: House) -> None:
    """VK drops a repeat for an hour only: who is tried again later reads the beginning twice."""
    await house.parent("Анна")
    house.vk.fail(method="messages.send", skip=1, times=100, fault=VkFault.error(9))
    launch = await announce(house, "слово " * 1200)
    for _ in range(400):
        if (await reader_of(house, launch)).doubted_at is not None:
            break
        await house.app.clock.sleep(1)
    reader = await reader_of(house, launch)
    assert reader.doubted_at is not None, reader


@two_ways
async def test_whose_picture_is_gone_the_announcement_stops_and_says_so(house: House) -> None:
    await house.parent("Анна")
    poster = Attachment("photo", "poster.jpg", "image/jpeg", "web", "0" * 32)
    launch = await announce(house, attachments=[asdict(poster)])
    for _ in range(400):
        async with house.app.database.reading() as tx:
            found = await launches.find(tx, launch)
        assert found is not None
        if found.state == "paused":
            break
        await house.app.clock.sleep(1)
    assert found is not None
    assert (found.state, found.reason) == ("paused", "file")
    assert (await reader_of(house, launch)).state == "queued", "nobody is given up for it"
