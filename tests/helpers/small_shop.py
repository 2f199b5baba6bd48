"""A shop of a few invented articles, for tests that need no real catalogue."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gigym.envs.webshop import Goal, GoalList, Product, Shelf

SHIRT = Product(
    asin="B000SHIRT1",
    title="Harbor Mens Cotton Shirt Short Sleeve",
    description="A shirt for the harbor.",
    bullets=("machine wash", ""),
    price_text="$19.0",
    prices=(19.0,),
    category="fashion",
    query="men's shirts",
    product_category="Clothing \u203a Men \u203a Shirts",
    options=(("size", ("small", "x-large")), ("color", ("black", "light blue", "small"))),
    attributes=("cotton spandex", "machine wash"),
)
LAMP = Product(
    asin="B000LAMP01",
    title="Desk Lamp Brass",
    description="",
    bullets=("easy install",),
    price_text="$35.0 to $45.0",
    prices=(35.0, 45.0),
    category="garden",
    query="lamps",
    product_category="Home \u203a Lighting \u203a Lamps",
    options=(("buy now", ("description", "next >", "search", "brass")),),
    attributes=("easy install",),
)
SHIRT_GOAL = Goal(
    id="B000SHIRT1/0",
    asin="B000SHIRT1",
    text="i want a machine wash shirt, black and x-large, and price lower than 30.00 dollars",
    attributes=("machine wash",),
    options=("black", "x-large"),
    price_upper=30.0,
)
LAMP_GOAL = Goal(
    id="B000LAMP01/0",
    asin="B000LAMP01",
    text="i need a desk lamp",
    attributes=("easy install",),
    options=(),
)


def small_shop(*goals: Goal, copies: int = 23) -> Shelf:
    """The shirt, the lamp, and plain copies of the shirt enough for three pages of results."""
    others = [
        replace(SHIRT, asin=f"B000COPY{n:02d}", title=f"Plain Shirt {n}", options=(), prices=(9.5,))
        for n in range(copies)
    ]
    wanted = goals or (SHIRT_GOAL, LAMP_GOAL)
    places = range(len(wanted))
    splits = {"train": places, "dev": places[:1], "test": places[:1]}
    return Shelf((SHIRT, LAMP, *others), GoalList(wanted, splits))


def recorded_goal(tree: Mapping[str, Any]) -> Goal:
    """A goal as recordings write it; a dict of options is the dict form."""
    options = tree["goal_options"]
    named = isinstance(options, dict)
    return Goal(
        id=f"{tree['asin']}/0",
        asin=tree["asin"],
        text=tree.get("instruction_text", ""),
        attributes=tuple(tree["attributes"]),
        options=tuple(options.values() if named else options),
        option_names=tuple(options) if named else (),
        price_upper=tree["price_upper"],
    )
