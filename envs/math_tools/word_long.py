"""Reviewed word templates of three to six steps, for difficulties 3 to 5.

The same review as for the short ones. From difficulty 4 on, each multiplies two numbers of things,
so that it leaves what can be done in the head.
"""

from fractions import Fraction

from .word import Template

LONG = (
    Template(
        name="two_deliveries",
        steps=3,
        levels=(3, 5),
        text=(
            "A plant receives {a:crate} with {b:@} in each. | "
            "Later it receives {c:crate} with {d:@} in each."
        ),
        question="How many {items} has the plant received in all?",
        draw=lambda dice: {k: dice.count() for k in "abcd"},
        solve=lambda v: v["d"] * v["c"] + v["b"] * v["a"],
        work="{a} * {b} + {c} * {d}",
    ),
    Template(
        name="stock_left",
        steps=4,
        levels=(3, 5),
        text=(
            "A store has {a:shelf} with {b:@} on each. | It sells {c:@} on every one of {k:day}. | "
            "After that, {e} more {items} arrive."
        ),
        question="How many {items} are in the store in the end?",
        draw=lambda dice: {
            "a": (a := dice.count()),
            "b": (b := dice.count()),
            "k": (k := dice.small()),
            "c": dice.below(a * b // k),
            "e": dice.count(),
        },
        solve=lambda v: v["e"] - v["k"] * v["c"] + v["b"] * v["a"],
        work="{a} * {b} - {c} * {k} + {e}",
    ),
    Template(
        name="wages",
        steps=4,
        levels=(3, 5),
        text=(
            "In a company, {a:worker} each earn {b:dollar} a month, "
            "and the other {c:worker} each earn {d:dollar} a month."
        ),
        question="How many dollars does the company pay to all of them in {k} months?",
        draw=lambda dice: {"k": dice.small()} | {k: dice.count() for k in "abcd"},
        solve=lambda v: v["k"] * v["a"] * v["b"] + v["k"] * v["c"] * v["d"],
        work="({a} * {b} + {c} * {d}) * {k}",
        units=("dollars", "dollar", "$"),
    ),
    Template(
        name="rent_from_sales",
        steps=4,
        levels=(3, 5),
        text=(
            "A shop buys {a:@} for {b:dollar} each. | "
            "It sells every one of them for {g:dollar} more than it paid for it. | "
            "From the money that these sales bring in, it pays a rent of {r:dollar}."
        ),
        question="How many dollars of that money are left after the rent?",
        draw=lambda dice: {
            "a": (a := dice.count()),
            "b": (b := dice.count()),
            "g": dice.small(),
            "r": dice.below(a * b),
        },
        solve=lambda v: v["a"] * v["b"] + v["a"] * v["g"] - v["r"],
        work="{a} * ({b} + {g}) - {r}",
        units=("dollars", "dollar", "$"),
    ),
    Template(
        name="percent_of_fleet",
        steps=4,
        levels=(3, 5),
        text=(
            "A harbour stores {a:container} with {b:sack} in each. | "
            "Exactly {p} percent of the sacks hold rice, all the others hold beans."
        ),
        question="How many sacks hold beans?",
        draw=lambda dice: {"a": 20 * dice.count(), "b": dice.count(), "p": dice.percent()},
        solve=lambda v: v["a"] // 20 * v["b"] * (20 - v["p"] // 5),
        work="{a} * {b} - {a} * {b} * {p} / 100",
        units=("sacks",),
    ),
    Template(
        name="mixture",
        steps=4,
        levels=(3, 5),
        text=(
            "A shop mixes {a:kilogram} of nuts at {p:dollar} per kilogram with {b:kilogram} of "
            "raisins at {q:dollar} per kilogram. | Nothing is lost in mixing."
        ),
        question="What is the whole mixture worth, in dollars?",
        draw=lambda dice: {k: dice.count() for k in "apbq"},
        solve=lambda v: v["q"] * v["b"] + v["p"] * v["a"],
        work="{a} * {p} + {b} * {q}",
        units=("dollars", "dollar", "$"),
    ),
    Template(
        name="mixture_price",
        steps=5,
        levels=(3, 5),
        text=(
            "A merchant mixes {a:kilogram} of tea at {p:dollar} per kilogram with {b:kilogram} of "
            "tea at {q:dollar} per kilogram."
        ),
        question="What is one kilogram of the mixture worth, in dollars?",
        draw=lambda dice: {
            "a": (a := dice.count()),
            "m": (m := dice.small()),
            "b": (b := a * m),
            "g": (g := dice.count()),
            "p": (p := dice.count()),
            "q": p + g * (m + 1),
            "t": a + b,
        },
        solve=lambda v: v["p"] + v["g"] * v["m"],
        work="({a} * {p} + {b} * {q}) / ({a} + {b})",
        units=("dollars", "dollar", "$", "dollars per kilogram"),
    ),
    Template(
        name="two_discounts",
        steps=6,
        levels=(3, 5),
        text=(
            "A workshop orders {a:machine} at {b:dollar} each. | The seller lowers the whole "
            "bill by {p} percent, and then lowers that new bill by {q} percent."
        ),
        question="How many dollars does the workshop pay?",
        draw=lambda dice: {
            "a": 20 * dice.count(),
            "b": 20 * dice.count(),
            "p": dice.percent(),
            "q": dice.percent(),
        },
        solve=lambda v: Fraction(v["a"] * v["b"] * (100 - v["p"]) * (100 - v["q"]), 10_000),
        work="({a} * {b} - {a} * {b} * {p} / 100) * (1 - {q} / 100)",
        units=("dollars", "dollar", "$"),
    ),
    Template(
        name="growing_output",
        steps=5,
        levels=(3, 5),
        text=(
            "In its first year a factory makes {a:@} on each of {b:day}. | In its second year it "
            "works on the same number of days and makes {g} more {items} per day than in its first."
        ),
        question="How many {items} does it make in the two years together?",
        draw=lambda dice: {"a": dice.count(), "b": dice.count(), "g": dice.count()},
        solve=lambda v: v["b"] * (2 * v["a"] + v["g"]),
        work="{a} * {b} + ({a} + {g}) * {b}",
    ),
    Template(
        name="two_tanks",
        steps=5,
        levels=(3, 5),
        text=(
            "Tank A holds {a:litre} and loses {x:litre} per hour. | Tank B holds {b:litre} and "
            "gains {y:litre} per hour. | Both start at the same moment."
        ),
        question="How many litres do the two tanks hold together after {h} hours?",
        draw=lambda dice: {
            "x": (x := dice.count()),
            "y": dice.count(),
            "h": (h := dice.count()),
            "a": x * h + dice.count(),
            "b": dice.count(),
        },
        solve=lambda v: v["a"] + v["b"] + v["h"] * (v["y"] - v["x"]),
        work="({a} - {x} * {h}) + ({b} + {y} * {h})",
        units=("litres", "liters", "l"),
    ),
    Template(
        name="seats_and_rows",
        steps=4,
        levels=(3, 5),
        text=(
            "A stadium has {a:row} of {b:seat} each. | Of these seats, {c} are broken. | "
            "Every other seat is sold for {p:dollar}."
        ),
        question="How many dollars do the sold seats bring in?",
        draw=lambda dice: {
            "a": (a := dice.count()),
            "b": (b := dice.count()),
            "c": dice.below(a * b),
            "p": dice.small(),
        },
        solve=lambda v: v["p"] * v["a"] * v["b"] - v["p"] * v["c"],
        work="({a} * {b} - {c}) * {p}",
        units=("dollars", "dollar", "$"),
    ),
    Template(
        name="shares_of_profit",
        steps=6,
        levels=(3, 5),
        text=(
            "{name} and {other} sell {n:@} at {p:dollar} each and pay {c:dollar} in costs. | "
            "They split what remains in the ratio {u} to {w}, with {u} parts for {name}."
        ),
        question="How many dollars does {name} get?",
        draw=lambda dice: {
            "u": (u := dice.small()),
            "w": (w := dice.small()),
            "n": (n := dice.count()),
            "p": (p := dice.count()),
            "c": n * p % (u + w) + (u + w) * dice.small(),
        },
        solve=lambda v: (v["n"] * v["p"] - v["c"]) // (v["u"] + v["w"]) * v["u"],
        work="({n} * {p} - {c}) * {u} / ({u} + {w})",
        units=("dollars", "dollar", "$"),
    ),
)
"""In the order that `Random.choice` sees them: a change of order changes problems."""
