"""How the shop answers an action: the grammar, the links, the buttons. Pure functions.

An action is `search[WORDS]` or `click[NAME]`; anything else, and a name that is not on the page,
leaves the session as it is.
"""

import random
from dataclasses import replace

from .pages import (
    BACK,
    BUY,
    NEXT,
    PREVIOUS,
    SUB_PAGES,
    Done,
    Index,
    Item,
    Page,
    Results,
    Rules,
    Session,
    SubPage,
    clickables,
    shown,
)
from .reward import judge
from .search import RESULTS
from .types import Catalogue, Goal, Product

MAX_KEYWORDS = 4_096
"""Characters of a search; longer ones are no search at all."""
_TURNS = {NEXT.lower(): 1, PREVIOUS.lower(): -1}
_SUB_PAGE_NAMES = {name.lower(): name for name in SUB_PAGES}


def split_action(action: str) -> tuple[str, str]:
    """Name and argument of an action; two empty texts for one that is not of the form.

    What `(.+)\\[(.+)\\]` matches at the start, in linear time: the first line up to its last
    closing bracket, parted at the last opening one that leaves an argument.
    """
    line = action.partition("\n")[0]
    end = line.rfind("]")
    start = line.rfind("[", 1, end - 1) if end > 2 else -1
    return (line[:start], line[start + 1 : end]) if start > 0 else ("", "")


def parted(action: str) -> tuple[str, str]:
    """As `split_action`, the argument in the form that names on pages have."""
    name, argument = split_action(action)
    return name, _encodable(argument).lower()


def answer(shop: Catalogue, session: Session, action: str, rules: Rules) -> Session:
    """The session after an action; the same object where nothing was accepted."""
    name, argument = parted(action)
    if name == "search" and argument and len(argument) <= MAX_KEYWORDS:
        return session.at(Results(keywords=argument, found=find(shop, argument)))
    if name == "click" and argument in clickables(shop, session.page, rules):
        return session if argument == "search" else _click(shop, session, argument, rules)
    return session


def find(shop: Catalogue, keywords: str) -> tuple[int, ...]:
    """Products for the words of a search, in order.

    A first word in angle brackets lists instead: `<r>` some products at random, `<a>`, `<c>` and
    `<q>` all of an attribute, a category, a query.
    """
    first, *rest = keywords.split(" ")
    wanted = " ".join(rest).strip()
    match first:
        case "<r>":
            count = min(RESULTS, len(shop))
            return tuple(random.Random(f"listed:{keywords}").sample(range(len(shop)), count))
        case "<a>":
            return shop.where("attribute", wanted)
        case "<c>":
            return shop.where("category", rest[0] if rest else "")
        case "<q>":
            return shop.where("query", wanted)
        case _:
            return shop.search(keywords)


def bought(shop: Catalogue, goal: Goal, item: Item, rules: Rules) -> Done:
    """The end of a visit: the open product, bought with the options chosen, and its verdict."""
    values = tuple(value for _, value in item.chosen)
    fixed = rules.fix_option_match
    return Done(item=item, verdict=judge(shop, goal, item.product, values, fix_option_match=fixed))


def _click(shop: Catalogue, session: Session, name: str, rules: Rules) -> Session:
    """Follow a name that is on the page."""
    page = session.page
    if name == BACK.lower():
        return replace(session, page=Index(), visited=frozenset())
    match page:
        case Results():
            return _click_results(shop, session, page, name, rules)
        case Item():
            return session.at(_click_item(shop, session, page, name, rules))
        case SubPage():
            return session.at(page.item)
        case Index() | Done():
            return session


def _click_results(
    shop: Catalogue, session: Session, page: Results, name: str, rules: Rules
) -> Session:
    if name in _TURNS:
        return session.at(replace(page, number=page.number + _TURNS[name]))
    opened = next(i for i in shown(page, rules) if shop.product(i).asin.lower() == name)
    visited = session.visited | {opened} if rules.keep_visited else session.visited
    return replace(session, page=Item(results=page, product=opened), visited=visited)


def _click_item(shop: Catalogue, session: Session, page: Item, name: str, rules: Rules) -> Page:
    """Buttons come before option values of the same name, as in the original."""
    if name == PREVIOUS.lower():
        return page.results
    if name in _SUB_PAGE_NAMES:
        return SubPage(item=page, name=_SUB_PAGE_NAMES[name])
    if name == BUY.lower():
        return bought(shop, session.goal, page, rules)
    chosen = _choose(shop.product(page.product), page.chosen, name)
    return replace(page, chosen=chosen if rules.keep_order else tuple(sorted(chosen)))


def _choose(
    product: Product, chosen: tuple[tuple[str, str], ...], value: str
) -> tuple[tuple[str, str], ...]:
    """Take a value; of equal values in two option groups the last group has it."""
    (*_, name) = (name for name, values in product.options if value in values)
    return tuple({**dict(chosen), name: value}.items())


def _encodable(text: str) -> str:
    """A text that UTF-8 can hold: lone surrogates become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
