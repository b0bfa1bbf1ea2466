"""Files of people on our disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.base import Channel, FetchError
from bot.channels.files import Files
from bot.channels.vk import VkChannel
from bot.clock import SystemClock
from bot.messengers import Cursor
from handlers.messages import Attachment
from storage.database import Database
from tests.emulators.vk import VkServer
from tests.house import VK_GROUP, VK_TOKEN

PHOTOS, COLLEAGUES = 25, 8


@pytest.fixture
async def vk() -> AsyncIterator[VkServer]:
    async with VkServer(token=VK_TOKEN, group_id=VK_GROUP) as server:
        yield server


@pytest.fixture
async def channels(vk: VkServer, tmp_path: Path) -> AsyncIterator[dict[str, Channel]]:
    cursor = Cursor(Database(f"sqlite:///{tmp_path}/helpdesk.db"), "vk-test")
    channel = VkChannel(VK_TOKEN, VK_GROUP, clock=SystemClock(), cursor=cursor, api_url=vk.url)
    yield {"vk": channel}
    await channel.close()


async def photo(vk: VkServer, content: bytes) -> Attachment:
    """A photo that somebody has sent and we have not fetched."""
    sent = await vk.person(first_name="Анна").sends_photo(content)
    return Attachment("photo", "photo.jpg", "image/jpeg", "vk", sent.attachments[0].url)


async def test_a_photo_that_many_colleagues_get_at_once_reaches_all_of_them(
    vk: VkServer, channels: dict[str, Channel], tmp_path: Path
) -> None:
    files = Files(tmp_path / "files")
    for number in range(PHOTOS):
        content = bytes([number]) * 100_000
        wanted = await photo(vk, content)
        found = await asyncio.gather(*(files.local(wanted, channels) for _ in range(COLLEAGUES)))
        assert all(each.path.read_bytes() == content for each in found)
    assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file()]) == PHOTOS


async def test_a_file_that_our_disk_does_not_take_is_told_as_such(
    vk: VkServer, channels: dict[str, Channel], tmp_path: Path
) -> None:
    (tmp_path / "files").write_bytes(b"no folder")
    with pytest.raises(FetchError, match="на диске"):
        await Files(tmp_path / "files").local(await photo(vk, b"\xff\xd8\xff\xe0"), channels)
