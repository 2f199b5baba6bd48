"""The pages of the shop as data: what is open, what it holds, what can be clicked on it.

A page knows the one it was reached from, so that `< prev` needs no memory: results lie under an
item, an item under its sub-page. `Session` is all that an episode changes.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from ..errors import BadOption
from ..types import JsonValue, digest
from .reward import Verdict
from .types import Catalogue, Goal

BACK, PREVIOUS, NEXT, BUY = "Back to Search", "< Prev", "Next >", "Buy Now"
SUB_PAGES = ("Description", "Features", "Reviews", "Attributes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is fixed for all episodes of an environment."""

    page_size: int = 10
    """Products on one page of results."""
    show_attributes: bool = False
    """Item pages have the button Attributes."""
    fix_option_match: bool = False
    """Option values of synthetic goals are compared without their names."""
    keep_visited: bool = False
    """Remember which products were opened, for the form that marks them."""
    keep_order: bool = False
    """Remember in which order options were chosen, for the form that tells it. Without this and
    `keep_visited` all ways to a page end in one state."""

    def __post_init__(self) -> None:
        if self.page_size < 1:
            raise BadOption(f"page_size must be at least 1, got {self.page_size}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The page with the search box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One page of what a search found."""

    keywords: str
    found: tuple[int, ...]
    """Products of all pages, best first."""
    number: int = 1
    """Pages are counted from 1; those behind the last one are empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A product, with the options chosen so far."""

    results: Results
    product: int
    chosen: tuple[tuple[str, str], ...] = ()
    """(option name, value); with `keep_order` in the order in which the options were first chosen,
    else sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubPage:
    """More about a product."""

    item: Item
    name: str
    """One of `SUB_PAGES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The product was bought."""

    item: Item
    verdict: Verdict


Page: TypeAlias = Index | Results | Item | SubPage | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One customer's visit."""

    goal: Goal
    number: int
    """Position of the goal among all goals; the session's name in addresses."""
    page: Page = Index()
    visited: frozenset[int] = frozenset()
    """Products opened since the last `Back to Search`; with `keep_visited` only."""

    def at(self, page: Page) -> "Session":
        """The same visit with another page open."""
        return replace(self, page=page)


def shown(results: Results, rules: Rules) -> tuple[int, ...]:
    """The products on this page of results."""
    start = (results.number - 1) * rules.page_size
    return results.found[start : start + rules.page_size]


def clickables(shop: Catalogue, page: Page, rules: Rules) -> tuple[str, ...]:
    """Names that can be clicked, in page order; equal names are one."""
    match page:
        case Index():
            return ("search",)
        case Results():
            asins = (shop.product(index).asin.lower() for index in shown(page, rules))
            return tuple(dict.fromkeys((*map(str.lower, result_buttons(page)), *asins)))
        case Item():
            values = (v for _, group in shop.product(page.product).options for v in group)
            return tuple(dict.fromkeys((*map(str.lower, item_buttons(rules)), *values)))
        case SubPage():
            return (BACK.lower(), PREVIOUS.lower())
        case Done():
            return ()


def result_buttons(page: Results) -> tuple[str, ...]:
    """Buttons above the products; `Next >` is there even behind the last page."""
    return (BACK, PREVIOUS, NEXT) if page.number > 1 else (BACK, NEXT)


def item_buttons(rules: Rules) -> tuple[str, ...]:
    """Buttons of an item page."""
    return (BACK, PREVIOUS, *sub_pages(rules), BUY)


def sub_pages(rules: Rules) -> tuple[str, ...]:
    """Sub-pages that item pages offer."""
    return SUB_PAGES if rules.show_attributes else SUB_PAGES[:-1]


def state_key(shop: Catalogue, session: Session) -> str:
    """Names the state for grouping: goal, page and choices, whatever the way that led there.

    What a session remembers of the way, because the agent is shown it, is part of the state.
    """
    facts = [session.goal.id, *page_facts(shop, session.page)]
    visited: list[JsonValue] = [shop.product(index).asin for index in sorted(session.visited)]
    return digest([*facts, visited] if visited else facts)


def page_facts(shop: Catalogue, page: Page) -> list[JsonValue]:
    """A page as JSON: kind, keywords, page number, product, choices, sub-page."""
    match page:
        case Index():
            return ["index"]
        case Results():
            return ["results", page.keywords, page.number]
        case Item():
            chosen: list[JsonValue] = [list(choice) for choice in page.chosen]
            asin = shop.product(page.product).asin
            return ["item", page.results.keywords, page.results.number, asin, chosen]
        case SubPage():
            return [page.name, *page_facts(shop, page.item)]
        case Done():
            return ["done", *page_facts(shop, page.item)]
