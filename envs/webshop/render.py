"""Pages as text, in WebShop's three forms: plain, rich and address.

A page is a list of spans in reading order. The plain form joins what they say with ` [SEP] `; the
rich form gives each a line and marks what can be clicked. Both are those of the original, byte for
byte, without any HTML in between.
"""

import json
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TypeAlias

from .pages import (
    BACK,
    BUY,
    PREVIOUS,
    Done,
    Index,
    Item,
    Results,
    Rules,
    Session,
    SubPage,
    result_buttons,
    shown,
    sub_pages,
)
from .types import Catalogue, Product

BASE_URL = "http://127.0.0.1:3000"
SEPARATOR = " [SEP] "


class Style(Enum):
    """What a span is, which decides its marks in the rich form."""

    TEXT = auto()
    BUTTON = auto()
    OPTION = auto()
    CHOSEN = auto()
    LINK = auto()
    VISITED = auto()


Span: TypeAlias = tuple[Style, str]

_MARKS: Mapping[Style, str] = {
    Style.TEXT: "{}",
    Style.BUTTON: "[button] {} [button_]",
    Style.OPTION: "  [button] {} [button_]",
    Style.CHOSEN: "  [clicked button] {} [clicked button_]",
    Style.LINK: "\n[button] {} [button_]",
    Style.VISITED: "\n[clicked button] {} [clicked button_]",
}


def plain_text(spans: list[Span]) -> str:
    """The visible strings of a page, stripped and joined."""
    return SEPARATOR.join(text.strip() for _, text in spans)


def rich_text(spans: list[Span]) -> str:
    """One line per string with buttons marked; each choice is told in front, the last one first."""
    lines = [f"{_MARKS[style].format(text)}\n" for style, text in spans]
    told = [f"You have clicked {text}.\n" for style, text in spans if style is Style.CHOSEN]
    return "".join((*reversed(told), *lines))


def spans_of(shop: Catalogue, session: Session, rules: Rules, *, instruction: bool) -> list[Span]:
    """A page in reading order, with or without what the customer asked for."""
    wish = session.goal.text if instruction else ""
    page = session.page
    match page:
        case Index():
            # the index is the one page whose heading ends in a blank
            spans = [_said("WebShop"), *_headed("Instruction: ", wish), _button("Search")]
        case Results():
            spans = [*_headed("Instruction:", wish), *_results(shop, session, page, rules)]
        case Item():
            spans = [*_headed("Instruction:", wish), *_item(shop, session, page, rules)]
        case SubPage():
            spans = [*_headed("Instruction:", wish), *_sub_page(shop, page)]
        case Done():
            spans = _done(shop, page)
    return [span for span in spans if span[1] not in ("", "\n")]


def address(shop: Catalogue, session: Session) -> str:
    """The page's URL."""
    page, name = session.page, session.number
    match page:
        case Index():
            return f"{BASE_URL}/{name}"
        case Results():
            return f"{BASE_URL}/search_results/{name}/{_query(page)}"
        case Item():
            return f"{BASE_URL}/item_page/{name}/{_under(shop, page)}/{_json(page)}"
        case SubPage():
            under = _under(shop, page.item)
            return f"{BASE_URL}/item_sub_page/{name}/{under}/{page.name}/{dict(page.item.chosen)}"
        case Done():
            asin = shop.product(page.item.product).asin
            return f"{BASE_URL}/done/{name}/{asin}/{dict(page.item.chosen)}"


def _query(page: Results) -> str:
    return f"{page.keywords.replace(' ', '+')}/{page.number}"


def _under(shop: Catalogue, page: Item) -> str:
    return f"{shop.product(page.product).asin}/{_query(page.results)}"


def _json(page: Item) -> str:
    return json.dumps(dict(page.chosen))


def _said(text: str) -> Span:
    return (Style.TEXT, text)


def _button(text: str) -> Span:
    return (Style.BUTTON, text)


def _headed(heading: str, wish: str) -> list[Span]:
    return [_said(heading), _said(wish)] if wish else []


def _results(shop: Catalogue, session: Session, page: Results, rules: Rules) -> list[Span]:
    back, *turns = result_buttons(page)
    total = _said(f"Page {page.number} (Total results: {len(page.found)})")
    spans = [_button(back), total, *map(_button, turns)]
    for index in shown(page, rules):
        product = shop.product(index)
        seen = Style.VISITED if index in session.visited else Style.LINK
        spans += [(seen, product.asin), _said(product.title), _said(product.price_text)]
    return spans


def _item(shop: Catalogue, session: Session, page: Item, rules: Rules) -> list[Span]:
    product, url = shop.product(page.product), address(shop, session)
    spans = [_button(BACK), _button(PREVIOUS)]
    for name, values in product.options:
        spans.append(_said(name))
        # the original looks for the quoted value in the address, whoever put it there
        spans += [(Style.CHOSEN if f'"{v}"' in url else Style.OPTION, v) for v in values]
    facts = (product.title, f"Price: {product.price_text}", f"Rating: {product.rating}")
    return [*spans, *map(_said, facts), *map(_button, (*sub_pages(rules), BUY))]


def _sub_page(shop: Catalogue, page: SubPage) -> list[Span]:
    told = _SUB_PAGES[page.name](shop.product(page.item.product))
    return [_button(BACK), _button(PREVIOUS), *map(_said, told)]


def _attributes(product: Product) -> tuple[str, ...]:
    listed = (f" {attribute}" for attribute in product.attributes)
    return (*listed, product.category, product.query, product.product_category)


_SUB_PAGES: Mapping[str, Callable[[Product], tuple[str, ...]]] = {
    "Description": lambda product: (product.description,),
    "Features": lambda product: tuple(f" {bullet}" for bullet in product.bullets),
    "Reviews": lambda product: (),
    "Attributes": _attributes,
}

_RECEIPT_HEAD = ("Thank you for shopping with us!", "Your code: ", "None")
_RECEIPT_FIELDS = ("attrs", "None", "category", "None", "query", "None", "product category", "None")
_RECEIPT_TARGET = ("asin", "options", "attrs", "price upper", "instuction text", "category")


_SAFE = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&'"})


def _printed(page: Item) -> str:
    """Options as the receipt prints them: JSON that is safe inside HTML, sorted by name."""
    return json.dumps(dict(sorted(page.chosen))).translate(_SAFE)


def _done(shop: Catalogue, page: Done) -> list[Span]:
    """The receipt; its hidden blocks are printed too, with the original's spelling."""
    told = (
        *(*_RECEIPT_HEAD, " (Paste it in your MTurk interface.)", "Purchased"),
        *("asin", shop.product(page.item.product).asin, "options", _printed(page.item)),
        *_RECEIPT_FIELDS,
        *("Target", *_RECEIPT_TARGET, "product category", "query", "Goal ", "None"),
        *("Reward", "Your score (min 0.0, max 1.0)", str(page.verdict.score)),
        *("Reward Details ", "None"),
    )
    return list(map(_said, told))
