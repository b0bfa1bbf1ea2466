"""What the bot knows at this moment: the FAQ base in use, its index, the region's words, its schools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from faq.content.loading import packaged_sections
from faq.content.region import Region, render
from faq.content.topic import Base, Topic, with_topics
from faq.diagnosis.tree import NOTHING, Facts, Step, Tree, load_tree
from faq.diagnosis.triage import Triage, Understood
from faq.matching.matcher import Decision, Matcher
from faq.schools.search import Found, SchoolSearch
from faq.schools.search import School as Searched
from storage import knowledge as stored
from storage import schools as directory
from storage.database import Database
from storage.schools import School


class Knowledge:
    """The base, and an immutable index of it that is swapped as a whole when the base changes.

    The index takes seconds to build: it is built when first needed, or before by `build_index`, so that
    the doors can open meanwhile.
    """

    def __init__(
        self,
        base: Base,
        region: Region,
        *,
        build: Callable[[Base], Matcher] = Matcher,
        improve: Callable[[Matcher], Matcher | None] | None = None,
    ) -> None:
        """`build` makes the index, `improve` a better one that takes longer (None: it is); both block."""
        self.region = region
        self.tree: Tree = load_tree()
        self._build = build
        self._improve = improve
        self._base = base
        self._matcher: Matcher | None = None
        self._triage: Triage | None = None
        self._building = Lock()
        self._stamp = ""
        self._directory = _Directory()
        self._directory_version = ""

    @property
    def base(self) -> Base:
        """The base in use."""
        return self._base

    def topic(self, slug: str) -> Topic | None:
        """The topic with this slug."""
        return self._base.topics.get(slug)

    def answer(self, topic: Topic) -> str:
        """The topic's answer in the region's words, as markup."""
        return render(topic, self.region)

    @property
    def schools(self) -> SchoolSearch:
        """Finds schools of the directory by people's words; for long texts `find_school` is better."""
        return self._directory.search

    @property
    def knows_schools(self) -> bool:
        """Whether there is a directory at all."""
        return bool(self._directory.by_id)

    def school(self, school_id: int | None) -> School | None:
        """The school of the directory with this number."""
        return self._directory.by_id.get(school_id or 0)

    async def find_school(self, text: str) -> Found:
        """The schools that a message may name; searched off the event loop."""
        return await asyncio.to_thread(self._directory.search.find, text)

    async def match(self, text: str) -> Decision:
        """What the person means; computed off the event loop."""
        return await asyncio.to_thread(lambda: self.build_index().match(text))

    async def understand(self, text: str, *, known: Facts = NOTHING) -> Understood:
        """What to do with a message; `known` is what is known of the family. Computed off the event loop."""
        return await asyncio.to_thread(lambda: self.build_triage().understand(text, known=known))

    async def hears(self, step: Step, text: str) -> Step | None:
        """The step of the diagnosis after words that tell more; None: they do not."""
        return await asyncio.to_thread(lambda: self.build_triage().hears(step, text))

    def build_index(self) -> Matcher:
        """The index, built now if it is not; blocks for seconds the first time."""
        with self._building:
            if self._matcher is None:
                self._matcher = self.index_of(self._base)
            return self._matcher

    def build_triage(self) -> Triage:
        """The index with what leads to the diagnosis, built now if it is not; blocks like `build_index`."""
        matcher = self.build_index()
        with self._building:
            if self._triage is None or self._triage.matcher is not matcher:
                self._triage = Triage(matcher, self.tree)
            return self._triage

    def index_of(self, base: Base) -> Matcher:
        """The index of another base, built as ours is: a change is tried on it; blocks for seconds."""
        return self._build(base)

    async def improve(self) -> bool:
        """Make the index as good as it can be, which may take minutes; True if it became better."""
        matcher = self._matcher
        if matcher is None or self._improve is None:
            return False
        better = await asyncio.to_thread(self._improve, matcher)
        if better is None or self._matcher is not matcher:  # the base has changed meanwhile
            return False
        self._matcher = better
        return True

    async def refresh(self, database: Database) -> bool:
        """Take over changes that anybody made to the base or to the directory; True if there were any."""
        has_new_schools = await self._refresh_schools(database)
        return await self._refresh_base(database) or has_new_schools

    async def _refresh_schools(self, database: Database) -> bool:
        async with database.reading() as tx:
            version = await directory.version(tx)
            if version == self._directory_version:
                return False
            listed = await directory.everyone(tx)
        is_first_look = not self._directory_version
        self._directory = await asyncio.to_thread(_Directory, listed)
        self._directory_version = version
        return bool(listed) or not is_first_look

    async def _refresh_base(self, database: Database) -> bool:
        async with database.reading() as tx:
            stamp = await stored.stamp(tx)
            if stamp == self._stamp:
                return False
            bodies = {entry.slug: entry.body for entry in await stored.everything(tx)}
        if bodies:
            base = await asyncio.to_thread(base_from, bodies)
            if base != self._base:
                self._matcher = await asyncio.to_thread(self.index_of, base)
                self._base = base
        self._stamp = stamp
        return True


class _Directory:
    """The schools of one moment; swapped as a whole."""

    def __init__(self, listed: Sequence[School] = ()) -> None:
        self.by_id = {school.id: school for school in listed}
        self.search = SchoolSearch(
            [Searched(each.id, each.name, each.municipality, each.kind, each.aliases) for each in listed]
        )


def base_from(bodies: Mapping[str, Mapping[str, Any]]) -> Base:
    """The base made of stored entries, in the packaged sections."""
    topics = {slug: Topic.from_plain(body) for slug, body in bodies.items()}
    return with_topics(Base(topics={}, sections=packaged_sections()), topics)
