"""A visit as JSON data and back, for snapshots that any process with the catalogue can take up."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from ..errors import BadOption, UnknownTask
from ..types import JsonValue
from .browse import bought, find
from .pages import SUB_PAGES, Done, Index, Item, Page, Results, Rules, Session, SubPage
from .types import Catalogue, Goal


def freeze(shop: Catalogue, session: Session) -> JsonValue:
    """Names only: goal, keywords, ids; what a search found is found again."""
    visited: list[JsonValue] = [shop.product(i).asin for i in sorted(session.visited)]
    return {"goal": session.goal.id, "page": _frozen(shop, session.page), "visited": visited}


def thaw(shop: Catalogue, rules: Rules, frozen: JsonValue) -> Session:
    """The visit that `freeze` gave. Raises `BadOption`, or `UnknownTask` for another shop's."""
    try:
        tree = cast("Mapping[str, JsonValue]", frozen)
        session = named_session(shop, cast(str, tree["goal"]))
        visited = frozenset(shop.index_of(asin) for asin in cast("list[str]", tree["visited"]))
        page = _thawed(shop, session.goal, rules, cast("dict[str, JsonValue]", tree["page"]))
    except KeyError as error:
        raise BadOption(f"not a visit to this shop: it has no {error}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise BadOption(f"not a frozen visit of WebShop-v0: {error}") from None
    # what these rules do not show is no part of their states
    return replace(session, page=page, visited=visited if rules.keep_visited else frozenset())


def named_session(shop: Catalogue, goal_id: str) -> Session:
    """A new visit with this goal. Raises `UnknownTask`."""
    try:
        number = shop.goals.index_of(goal_id)
    except KeyError:
        raise UnknownTask(
            f"no goal {goal_id!r:.80} in this shop of {len(shop)} products; "
            f"ids look like {shop.goals[0].id!r}, list them with tasks()"
        ) from None
    return Session(goal=shop.goals[number], number=number)


def _frozen(shop: Catalogue, page: Page) -> dict[str, JsonValue]:
    match page:
        case Index():
            return {}
        case Results():
            return {"keywords": page.keywords, "number": page.number}
        case Item():
            chosen: list[JsonValue] = [list(choice) for choice in page.chosen]
            asin = shop.product(page.product).asin
            return {**_frozen(shop, page.results), "product": asin, "chosen": chosen}
        case SubPage():
            return {**_frozen(shop, page.item), "sub_page": page.name}
        case Done():
            return {**_frozen(shop, page.item), "bought": True}


def _thawed(shop: Catalogue, goal: Goal, rules: Rules, tree: Mapping[str, JsonValue]) -> Page:
    if "keywords" not in tree:
        return Index()
    results = _results(shop, tree)
    if "product" not in tree:
        return results
    product = shop.index_of(cast(str, tree["product"]))
    chosen = _chosen(shop, product, cast("list[tuple[str, str]]", tree["chosen"]))
    if not rules.keep_order:
        chosen = tuple(sorted(chosen))
    item = Item(results=results, product=product, chosen=chosen)
    if "sub_page" in tree:
        return SubPage(item=item, name=SUB_PAGES[SUB_PAGES.index(cast(str, tree["sub_page"]))])
    return bought(shop, goal, item, rules) if "bought" in tree else item


def _results(shop: Catalogue, tree: Mapping[str, JsonValue]) -> Results:
    keywords, number = tree["keywords"], tree["number"]
    if not isinstance(keywords, str) or type(number) is not int or number < 1:
        raise ValueError(f"expected keywords and a page from 1, got {keywords!r:.40}, {number!r}")
    return Results(keywords=keywords, found=find(shop, keywords), number=number)


def _chosen(
    shop: Catalogue, product: int, choices: list[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    offered = dict(shop.product(product).options)
    for name, value in choices:
        if value not in offered[name]:
            raise ValueError(f"option {name!r:.40} has no value {value!r:.40}")
    return tuple(dict(choices).items())
