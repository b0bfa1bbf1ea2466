"""The community's wall, as far as a community's token reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from bot.clock import Clock
from tests.emulators.vk_errors import VkError, invalid

POST_LENGTH = 16_384
POSTS_A_DAY = 50
GUID_LIFE = timedelta(hours=1)
DAY = timedelta(days=1)
NO_SCOPE = "no access to call this method. It cannot be called with current scopes."

Params = dict[str, Any]


@dataclass
class Post:
    """One post as everybody sees it."""

    id: int
    text: str
    link: str
    at: datetime
    guid: str
    edited: bool = False


@dataclass
class Wall:
    """What hangs on the wall, and what the token may do there.

    Published as methods for users' tokens only; wall.post is known to work with a community's, the others
    answer it with error 27 unless `takes_changes` says otherwise.
    """

    group_id: int
    clock: Clock
    may_post: bool = True
    """The right «стена» of the token."""
    takes_changes: bool = False
    posts: list[Post] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ids = count(1)
        self._days: list[datetime] = []

    def post(self, params: Params) -> dict[str, int]:
        """wall.post; raises VkError."""
        self._check_owner(params)
        text, link = self._content(params)
        if not params.get("from_group"):
            raise VkError(214, "a community posts as itself")
        now, guid = self.clock.now(), params.get("guid", "")
        same = (post for post in self.posts if guid and post.guid == guid and now - post.at < GUID_LIFE)
        if (earlier := next(same, None)) is not None:
            return {"post_id": earlier.id}
        self._days = [at for at in self._days if now - at < DAY]
        if len(self._days) >= POSTS_A_DAY:
            raise VkError(214, "you can only add 50 posts a day")
        self._days.append(now)
        self.posts.append(Post(next(self._ids), text, link, now, guid))
        return {"post_id": self.posts[-1].id}

    def edit(self, params: Params) -> dict[str, int]:
        """wall.edit; raises VkError."""
        post = self._own(params)
        text, link = self._content(params)
        post.text, post.link, post.edited = text, link, True
        return {"post_id": post.id}

    def delete(self, params: Params) -> int:
        """wall.delete; raises VkError."""
        self.posts.remove(self._own(params))
        return 1

    def _check_owner(self, params: Params) -> None:
        if not self.may_post:
            raise VkError(15, NO_SCOPE)
        if params.get("owner_id") != -self.group_id:
            raise VkError(214)

    def _own(self, params: Params) -> Post:
        if not self.takes_changes:
            raise VkError(27, "method is unavailable with group auth.")
        self._check_owner(params)
        found = next((post for post in self.posts if post.id == params.get("post_id")), None)
        if found is None:
            raise VkError(210)
        return found

    def _content(self, params: Params) -> tuple[str, str]:
        text, attachments = params.get("message", ""), params.get("attachments", [])
        if not text.strip() and not attachments:
            raise invalid("message and attachments are empty")
        if len(text) > POST_LENGTH:
            raise invalid("message is too long")
        links = [one for one in attachments if one.startswith(("http://", "https://"))]
        if len(links) < len(attachments):
            raise invalid("attachments are not available: nothing can be uploaded for a wall")
        if len(links) > 1:
            raise invalid("only one link can be attached")
        return text, "".join(links)
