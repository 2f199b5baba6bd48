"""Scripted customers: one that knows its goal, one that reads what an agent reads.

Both keep nothing but what they saw since the last reset, and choose without chance. The state
expert looks up the product that the goal was written for, and wins wherever buying it can win. The
observation expert makes do with the instruction and the pages: it searches for the words of the
instruction, opens what is cheap enough, reads the features, and buys what meets most of the words.
It knows no word tables, so it shops in real catalogues too.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..types import Reply
from .pages import Item, Results
from .reading import Page, Wish, read_page, read_wish
from .view import SEARCH_ACTION

if TYPE_CHECKING:
    from .env import WebShopEnv

_PAGES_READ = 5
_TOO_LONG = 400


class StateExpert:
    """Buys the goal's own product with the goal's own options."""

    def __init__(self, env: "WebShopEnv") -> None:
        self._env = env

    def act(self, reply: Reply) -> str:
        """The next step towards the purchase, from any page."""
        session, shop = self._env.session, self._env.shop
        goal, page = session.goal, session.page
        wanted = shop.index_of(goal.asin)
        offered = reply.admissible_actions or ()
        if isinstance(page, Item) and page.product == wanted:
            chosen = {value for _, value in page.chosen}
            clicks = (f"click[{value}]" for value in goal.options if value not in chosen)
            return next((click for click in clicks if click in offered), "click[buy now]")
        link = f"click[{goal.asin.lower()}]"
        if isinstance(page, Results) and link in offered:
            return link
        if isinstance(page, Results) and wanted in page.found and page.number < _PAGES_READ:
            return "click[next >]"
        return f"search[{_searchable(shop.product(wanted).title)}]"


@dataclass(slots=True)
class _Candidate:
    """A product that was looked at."""

    link: str
    missing: int
    """Words of the instruction that its pages do not hold."""
    choices: tuple[str, ...]
    """Option values that the instruction names."""


@dataclass(slots=True)
class _Memory:
    """What was seen since the reset."""

    wish: Wish
    turns: int = 0
    open_link: str = ""
    title: str = ""
    choices: tuple[str, ...] = ()
    unmet: int = 0
    """Option groups of the open product that offer nothing that was asked for."""
    seen: list[_Candidate] = field(default_factory=list[_Candidate])
    decided: str = ""
    """Link of the product that is going to be bought."""
    clicked: set[str] = field(default_factory=set[str])


class ObservationExpert:
    """Shops with the instruction, the pages and the buttons alone."""

    def __init__(self, patience: int = 15) -> None:
        self._patience = patience
        self._memory: _Memory | None = None

    def act(self, reply: Reply) -> str:
        """The next action after an answer; an index page with an instruction starts afresh."""
        page = read_page(reply.observation, reply.admissible_actions or ())
        if self._memory is None or (SEARCH_ACTION in (reply.admissible_actions or ())):
            self._memory = _Memory(wish=read_wish(page.instruction))
        memory = self._memory
        action = self._answer(memory, page)
        memory.turns += 1
        return action

    def _answer(self, memory: _Memory, page: Page) -> str:
        if page.listed:
            return self._from_results(memory, page)
        if "click[buy now]" in page.actions:
            return self._from_item(memory, page)
        if "click[< prev]" in page.actions and memory.open_link:
            return self._from_features(memory, page)
        return f"search[{_searchable(' '.join(memory.wish.words))}]"

    def _from_results(self, memory: _Memory, page: Page) -> str:
        link = memory.decided
        known = {candidate.link for candidate in memory.seen}
        if not link:
            fitting = [row for row in page.listed if row.price <= memory.wish.bound]
            fresh = [row for row in fitting or page.listed if row.link not in known]
            if fresh:
                link = max(fresh, key=lambda row: memory.wish.met_by(row.title)).link
            else:
                link = memory.decided = self._best(memory) or page.listed[0].link
        memory.open_link = link
        memory.title = next((row.title for row in page.listed if row.link == link), "")
        return f"click[{link}]"

    def _from_item(self, memory: _Memory, page: Page) -> str:
        picks = [memory.wish.pick(values) for values in page.groups]
        memory.choices = tuple(pick for pick in picks if pick)
        memory.unmet = len(picks) - len(memory.choices)
        if memory.decided == memory.open_link:
            return self._buy(memory)
        looked_at = any(candidate.link == memory.open_link for candidate in memory.seen)
        if not looked_at and self._left(memory) >= 2 + len(memory.choices):
            if memory.unmet == 0:
                return "click[features]"
            self._remember(memory, "")
        if self._left(memory) <= 2 + len(page.groups):
            memory.decided = memory.open_link
            return self._buy(memory)
        return "click[< prev]"

    def _from_features(self, memory: _Memory, page: Page) -> str:
        self._remember(memory, page.text)
        latest = memory.seen[-1]
        others = [candidate.missing for candidate in memory.seen[:-1]]
        # another look costs four steps, and buying it as many as there are options
        final = latest.missing == 0 or self._left(memory) < 7 + len(memory.choices)
        if final and latest.missing <= min(others, default=latest.missing):
            memory.decided = latest.link
        elif final:
            memory.decided = self._best(memory)
        return "click[< prev]"

    def _remember(self, memory: _Memory, text: str) -> None:
        held = f"{memory.title} {text} {' '.join(memory.choices)}"
        missing = memory.wish.missing(held) + 2 * memory.unmet
        memory.seen.append(_Candidate(memory.open_link, missing, memory.choices))

    def _buy(self, memory: _Memory) -> str:
        for choice in memory.choices:
            if choice not in memory.clicked:
                memory.clicked.add(choice)
                return f"click[{choice}]"
        return "click[buy now]"

    def _best(self, memory: _Memory) -> str:
        return min(memory.seen, key=lambda candidate: candidate.missing).link if memory.seen else ""

    def _left(self, memory: _Memory) -> int:
        return self._patience - memory.turns


def _searchable(text: str) -> str:
    """Without brackets and line breaks, which would end the action."""
    plain = "".join(" " if letter in "[]\n\r" else letter for letter in text)
    return plain[:_TOO_LONG].strip() or "gift"
