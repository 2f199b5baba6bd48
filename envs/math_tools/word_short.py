"""Reviewed word templates of one to three steps, for difficulties 1 to 3.

Reviewed means: one reading only; every number that the answer needs is told; nothing is rounded;
an amount that could be negative is drawn so that it is not.
"""

from fractions import Fraction

from .word import Template

SHORT = (
    Template(
        name="bought_more",
        steps=1,
        levels=(1, 2),
        text="{name} has {a:@}. | {name} buys {b} more.",
        question="How many {items} does {name} have after that?",
        draw=lambda dice: {"a": dice.count(), "b": dice.count()},
        solve=lambda v: v["b"] + v["a"],
        work="{a} + {b}",
    ),
    Template(
        name="gave_away",
        steps=1,
        levels=(1, 2),
        text="{name} has {a:@}. | {name} gives {b} of them to {other}.",
        question="How many {items} does {name} keep?",
        draw=lambda dice: {"a": (a := dice.count()), "b": dice.below(a)},
        solve=lambda v: v["a"] + -v["b"],
        work="{a} - {b}",
    ),
    Template(
        name="equal_shares",
        steps=1,
        levels=(1, 2),
        text="{name} shares {t:@} equally among {k:child}.",
        question="How many {items} does each child get?",
        draw=lambda dice: {"k": (k := dice.small()), "t": k * dice.count()},
        solve=lambda v: next(n for n in range(v["t"]) if n * v["k"] == v["t"]),
        work="{t} / {k}",
    ),
    Template(
        name="crates",
        steps=2,
        levels=(1, 3),
        text="A van carries {k:crate} with {a:@} in each. | {b} of the {items} are damaged.",
        question="How many {items} are not damaged?",
        draw=lambda dice: {
            "k": (k := dice.small()),
            "a": (a := dice.count()),
            "b": dice.below(a * k),
        },
        solve=lambda v: sum([v["a"]] * v["k"]) - v["b"],
        work="{k} * {a} - {b}",
    ),
    Template(
        name="change",
        steps=2,
        levels=(1, 3),
        text="One ticket costs {a:dollar}. | {name} buys {k:ticket} and pays with {p:dollar}.",
        question="How many dollars does {name} get back?",
        draw=lambda dice: {
            "a": (a := dice.count()),
            "k": (k := dice.small()),
            "p": a * k + dice.small(),
        },
        solve=lambda v: v["p"] - sum([v["a"]] * v["k"]),
        work="{p} - {k} * {a}",
        units=("dollars", "dollar", "$"),
    ),
    Template(
        name="sum_and_difference",
        steps=2,
        levels=(2, 3),
        text=(
            "{name} and {other} have {s:@} together. | {name} has exactly {d} more {items} "
            "than {other}."
        ),
        question="How many {items} does {other} have?",
        draw=lambda dice: {
            "x": (x := dice.count()),
            "d": (d := dice.count()),
            "s": x + (x + d),
        },
        solve=lambda v: v["x"],
        work="({s} - {d}) / 2",
    ),
    Template(
        name="age_sum",
        steps=2,
        levels=(1, 3),
        text=(
            "{name} is {d:year} older than {other}. | In {k:year}, {other} will be {f} years old."
        ),
        question="How old is {name} today?",
        draw=lambda dice: {
            "d": (d := dice.among(2, 3, 5, 7, 11, 14)),
            "x": (x := dice.among(*range(8, 40))),
            "k": (k := dice.small()),
            "f": x + k,
            "n": x + d,
        },
        solve=lambda v: v["n"],
        work="{f} - {k} + {d}",
        units=("years old", "years"),
    ),
    Template(
        name="age_multiple",
        steps=3,
        levels=(2, 3),
        text=(
            "{name} is {d:year} older than {other}. | "
            "In {k:year}, {name} will be exactly {m} times as old as {other} will be then."
        ),
        question="How old is {other} today?",
        draw=lambda dice: {
            "m": (m := dice.among(2, 3, 4)),
            "x": (x := dice.among(*range(4, 15))),
            "k": (k := dice.among(2, 3, 4, 5)),
            "d": (m - 1) * (x + k),
        },
        solve=lambda v: v["x"],
        work="{d} / ({m} - 1) - {k}",
        units=("years old", "years"),
    ),
    Template(
        name="steady_speed",
        steps=1,
        levels=(1, 3),
        text="A train runs at a steady {v:kilometre} per hour for {h:hour}.",
        question="How many kilometres does it cover in that time?",
        draw=lambda dice: {"v": dice.count(), "h": dice.small()},
        solve=lambda v: sum([v["v"]] * v["h"]),
        work="{v} * {h}",
        units=("kilometres", "kilometers", "km"),
    ),
    Template(
        name="towards_each_other",
        steps=2,
        levels=(2, 3),
        text=(
            "Two cyclists start at the same moment from two towns that are {d:kilometre} apart and "
            "ride towards each other on one road. | One rides {a:kilometre} per hour, the other "
            "{b:kilometre} per hour, and neither stops."
        ),
        question="After how many hours do they meet?",
        draw=lambda dice: {
            "a": (a := dice.among(*range(12, 30))),
            "b": (b := dice.among(*range(12, 30))),
            "h": (h := dice.small()),
            "d": h * (a + b),
        },
        solve=lambda v: v["h"],
        work="{d} / ({a} + {b})",
        units=("hours", "hour", "h"),
    ),
    Template(
        name="discount",
        steps=3,
        levels=(2, 3),
        text="A lamp costs {a:dollar}. | In a sale its price is lowered by {p} percent.",
        question="What is the price in the sale, in dollars?",
        draw=lambda dice: {"a": dice.count(), "p": dice.percent()},
        solve=lambda v: Fraction(v["a"] * (100 - v["p"]), 100),
        work="{a} - {a} * {p} / 100",
        units=("dollars", "dollar", "$"),
    ),
    Template(
        name="share_of_group",
        steps=2,
        levels=(1, 3),
        text="A choir has {t:person}. | Exactly {p} percent of them play an instrument as well.",
        question="How many people in the choir play an instrument?",
        draw=lambda dice: {"t": 20 * dice.count(), "p": dice.percent()},
        solve=lambda v: v["t"] // 20 * (v["p"] // 5),
        work="{t} * {p} / 100",
        units=("people", "persons"),
    ),
    Template(
        name="joint_work",
        steps=3,
        levels=(2, 3),
        text=(
            "One pump alone fills a tank in {a:hour}, another pump alone fills the same tank in "
            "{b:hour}. | Both pumps run together, and the tank is empty at the start."
        ),
        question="How many hours does it take to fill the tank?",
        draw=lambda dice: {
            "k": (k := dice.small()),
            "u": (u := dice.among(2, 3, 4)),
            "a": k * (u + 1),
            "b": k * u * (u + 1),
        },
        solve=lambda v: v["k"] * v["u"],
        work="1 / (1/{a} + 1/{b})",
        units=("hours", "hour", "h"),
    ),
    Template(
        name="mean_of_three",
        steps=3,
        levels=(1, 3),
        text="On three days {name} counts {a}, {b} and {c} boats, one number for each day.",
        question="What is the mean number of boats per day?",
        draw=lambda dice: {
            "a": (a := dice.count()),
            "b": (b := dice.count()),
            "c": (-(a + b)) % 3 + 3 * dice.count(),
        },
        solve=lambda v: Fraction(v["c"] + v["b"] + v["a"], 3),
        work="({a} + {b} + {c}) / 3",
        units=("boats", "boats per day"),
    ),
)
"""In the order that `Random.choice` sees them: a change of order changes problems."""
