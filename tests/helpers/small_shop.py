"""A shop of a few invented articles, for tests that need no real catalogue."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gigym.envs.webshop import Goal, GoalList, Product, Shelf, WebShopEnv

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

TO_THE_SHIRT = ("search[harbor shirt]", "click[b000shirt1]", "click[black]", "click[x-large]")
"""What meets the wish of `SHIRT_GOAL`, up to the purchase."""
SEARCHES = ("search[shirt]", "search[lamp]", "search[<q> lamps]", "search[plain]", "rubbish")


def small_shop(*goals: Goal, copies: int = 23) -> Shelf:
    """The shirt, the lamp, and plain copies of the shirt enough for three pages of results."""
    plain = replace(SHIRT, description="plain", options=(), prices=(9.5,))
    others = [
        replace(plain, asin=f"B000COPY{n:02d}", title=f"Plain Shirt {n}") for n in range(copies)
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


def play(env: WebShopEnv, seed: int, steps: int = 14) -> list[Any]:
    """A random episode as the answers it gave."""
    rng = random.Random(f"play:{seed}")
    trace: list[Any] = [env.reset(seed=seed)]
    for _ in range(steps):
        answer = env.step(some_action(rng, trace[-1][-1]["admissible_actions"]))
        trace.append(answer)
        if answer[2] or answer[3]:
            break
    return trace


def some_action(rng: random.Random, admissible: list[str]) -> str:
    offered = [action for action in admissible if action != "click[back to search]"]
    return rng.choice(SEARCHES if rng.random() < 0.2 or len(offered) < 2 else offered)
