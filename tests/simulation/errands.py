"""What members of the staff do beside answering: lists, templates, old cards, the same button at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.phones import Choice, Heard, Phone

if TYPE_CHECKING:
    from tests.simulation.staff import Colleague, News

MOST_PAGES = 4
_COMMANDS = {
    "/my": "Мои вопросы",
    "/new": "Новые вопросы",
    "/overdue": "Просроченные вопросы",
    "/open": "Открытые вопросы",
}
_EMPTY = ("вопросов нет", "Открытых вопросов нет", "больше не сотрудник")
_HEAD = re.compile(r"^\W*(\w+ вопросы): (\d+)")
_A_WHILE = 60.0
"""Seconds after which both have heard what became of their presses; groups are written to slowly."""
_WON = {"take": "№ {number} теперь у вас", "close": "№ {number} закрыт ("}
_LOST = ("уже закрыт", "№ {number} уже ведёт", "№ {number} уже у вас", "не виден", "больше не сотрудник")


async def run(one: Colleague) -> None:
    """One errand."""
    errand = one.chance.choices(
        (look_at_lists, press_on_old_page, answer_by_old_card, add_template, change_template),
        weights=(5, 3, 3, 2, 2),
    )[0]
    await errand(one)


# ---- lists


async def look_at_lists(one: Colleague) -> None:
    """«Мои», «Новые», «Просроченные»: page by page, and perhaps a case from there."""
    command, title = one.chance.choice(list(_COMMANDS.items()))
    await one.event("staff text", one.phone.says(command))
    page = await _page(one, await one.listens(0), title)
    pages = [page] if page is not None else []
    while page is not None and len(pages) <= MOST_PAGES:
        forward = _choice(page, lambda each: each.label == "›")
        if forward is None:
            break
        page = await _page(one, await one.press(page, forward, number=0), title)
        pages += [page] if page is not None else []
    if not pages:
        return
    _look_at_pages(one, pages)
    one.count("lists looked at")
    one.old_pages.append(one.chance.choice(pages))
    if one.happens(0.5):
        await _opens(one, one.chance.choice(pages))


async def press_on_old_page(one: Colleague) -> None:
    """Buttons live for ever: an old list shows the cases as they are now."""
    if one.old_pages:
        await _opens(one, one.chance.choice(list(one.old_pages)))
        one.count("presses on old pages")


async def _page(one: Colleague, heard: list[Heard], title: str) -> Heard | None:
    """The page that was asked for, if the list is not empty."""
    page = next((each for each in heard if title in each.text.partition("\n")[0]), None)
    if page is None and not any(sign in each.text for each in heard for sign in _EMPTY):
        one.checks.complain("no_list", f"{one.phone.place} {title}: {[each.text[:80] for each in heard]}")
    return page


def _look_at_pages(one: Colleague, pages: list[Heard]) -> None:
    """Nothing of others is listed, and a list that nobody changed meanwhile is complete."""
    found = {number for page in pages for number in _cases_on(page)}
    for number in found:
        case = one.world.cases.get(number)
        if case is not None and not one.world.may_read(one.phone.place, case.place, one.timeline.now()):
            one.checks.complain("wrong_person", f"№ {number} в списке у {one.phone.place}")
    counts = {match[2] for page in pages if (match := _HEAD.match(page.text)) is not None}
    is_whole = _choice(pages[-1], lambda each: each.label == "›") is None
    if is_whole and len(counts) == 1 and len(found) != int(next(iter(counts))):
        one.checks.complain("list_incomplete", f"{one.phone.place}: {counts} {sorted(found)}")


async def _opens(one: Colleague, page: Heard) -> None:
    """Show a case from a list and deal with it."""
    numbers = _cases_on(page)
    if not numbers:
        return
    number = one.chance.choice(numbers)
    choice = _choice(page, lambda each: each.payload == f"card:{number}")
    assert choice is not None
    heard = await one.press(page, choice, number=number)
    card = next((each for each in heard if each.offers(f"answer:{number}")), None)
    if card is not None:
        await one.deals_with(one.news(number, card))


def _cases_on(page: Heard) -> list[int]:
    return [int(each.payload.split(":")[1]) for each in page.choices if each.deed == "card"]


# ---- cards of cases that are closed


async def answer_by_old_card(one: Colleague) -> None:
    """Answer a case that was closed meanwhile; or reopened, and then the answer goes."""
    if one.old_cards:
        news = one.chance.choice(list(one.old_cards))
        if one.is_at(news.heard):
            await one.replies(news)
            one.count("answers by old cards")


# ---- templates


async def mark_first_templates(one: Colleague) -> None:
    """The ministry puts the ready answers that the program brings into its own words."""
    for place in range(20):
        shown = await _templates(one)
        choices = [each for each in shown.choices if each.payload[5:].isdigit()] if shown else []
        if shown is None or place >= len(choices):
            return
        await _rewrite(one, shown, choices[place])


async def add_template(one: Colleague) -> None:
    """Write a ready answer for one's own desk."""
    shown = await _templates(one)
    add = shown.offers("tpls:add") if shown is not None else None
    if shown is None or add is None:
        return
    heard = await one.press(shown, add, number=0)
    whose = next((each for each in heard if "Чей это будет шаблон" in each.text), None)
    if whose is not None:
        desks = [each for each in whose.choices if each.payload.startswith("tpls:add:")]
        heard = await one.press(whose, one.chance.choice(desks), number=0)
    await _writes_template(one, heard)
    one.count("templates added")


async def change_template(one: Colleague) -> None:
    """Write a ready answer anew, where one may."""
    shown = await _templates(one)
    choices = [each for each in shown.choices if each.payload[5:].isdigit()] if shown else []
    if shown is not None and choices:
        await _rewrite(one, shown, one.chance.choice(choices))


async def _templates(one: Colleague) -> Heard | None:
    await one.event("staff text", one.phone.says("/templates"))
    heard = await one.listens(0)
    return next((each for each in heard if each.offers("tpls:") is not None), None)


async def _rewrite(one: Colleague, shown: Heard, chosen: Choice) -> None:
    heard = await one.press(shown, chosen, number=0)
    template = next((each for each in heard if each.offers("tpls:edit:") is not None), None)
    edit = template.offers("tpls:edit:") if template is not None else None
    if template is not None and edit is not None:
        await _writes_template(one, await one.press(template, edit, number=0))
        one.count("templates changed")


async def _writes_template(one: Colleague, heard: list[Heard]) -> None:
    asked = next((each for each in heard if "в первой строке название" in each.text), None)
    if asked is None:
        return
    word = one.world.word("answer", one.phone.place, one.timeline.now(), is_ready=True)
    text = f"Ответ {word.marker[3:]}\nПроверили, попробуйте войти ещё раз. {word.marker}"
    await one.writes("staff text", text, reply_to=asked)
    heard = await one.listens(0)
    kept = next((each for each in heard if "сохранён" in each.text), None)
    if kept is None:
        one.checks.complain("no_template", f"{one.phone.place}: {[each.text[:80] for each in heard]}")
        return
    await one.press(kept, one.chance.choice(kept.choices), number=0)


# ---- two at once


async def press_together(one: Colleague, news: News, deed: str) -> bool:
    """Two members press the same button at the same moment: one does it, the other hears that it is done.

    False if nobody else has the button before their eyes.
    """
    found = _mate(one, news, deed)
    choice = news.heard.offers(f"{deed}:{news.number}")
    if found is None or choice is None:
        return False
    mate, card, other = found
    for each in (one, mate):
        one.checks.refusals.holds(news.number, each.phone.place)
    since = one.timeline.monotonic()
    await asyncio.gather(one.presses_only(news.heard, choice), mate.presses_only(card, other))
    await one.timeline.sleep(_A_WHILE)
    # In a group each case is read by one of the colleagues.
    phones = {each.phone.place: each.phone for each in (one, mate)}
    phones |= {phone.place: phone for phone in (one.room.phones if one.room is not None else ())}
    said = [heard.text for phone in phones.values() for heard in _since(phone, since)]
    won = sum(_WON[deed].format(number=news.number) in text for text in said)
    lost = sum(any(sign.format(number=news.number) in text for sign in _LOST) for text in said)
    if lost == 0 or (deed == "take" and (won > 1 or won + lost < len((one, mate)))):
        one.checks.complain("pressed_together", f"{deed} № {news.number}: {[text[:90] for text in said]}")
    one.count(f"pressed at once: {deed}")
    return True


def _mate(one: Colleague, news: News, deed: str) -> tuple[Colleague, Heard, Choice] | None:
    """A colleague with the same button before their eyes."""
    for mate in one.mates:
        if mate.is_gone or any(seat.until is not None for seat in mate.seats):
            continue
        in_room = mate.room is not None and mate.room is one.room and news.heard.place != one.phone.place
        card = news.heard if in_room else mate.phone.inbox.cards.get(news.number)
        if card is None or not mate.is_at(card):
            continue
        choice = card.offers(f"{deed}:{news.number}")
        if choice is not None:
            return mate, card, choice
    return None


def _since(phone: Phone, moment: float) -> list[Heard]:
    return [heard for at, heard in phone.inbox.log if at >= moment]


def _choice(heard: Heard, wanted: Callable[[Choice], bool]) -> Choice | None:
    return next((each for each in heard.choices if wanted(each)), None)
