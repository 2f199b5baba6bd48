"""Goals: existential conjunctions over the facts of the world, compiled once per game.

`compile_goal` takes a formula of `and`, nested `exists`, `(not (= a b))` and atoms, and orders
its atoms into a plan: cheap static atoms bind variables first, and an atom is checked as soon as
all its variables are bound. `Goal.holds` searches that plan over the current facts. Types of
quantified variables are not read; the predicates imply them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import GameFileError
from .pddl import Row, Tree

Pair = tuple[str, str]
Binding = dict[str, str]
RowsOf = Callable[[str], Collection[Row]]
"""Gives the rows of a predicate that hold at the moment, with membership in constant time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One fact that must hold; arguments are ids, or variables starting with `?`."""

    predicate: str
    args: tuple[str, ...]

    @property
    def variables(self) -> frozenset[str]:
        """The variables among the arguments."""
        return _variables(self.args)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One place in the plan: an atom, and the pairs that can be compared once it is bound."""

    atom: Atom
    fixed: frozenset[Row] | None
    """The rows to try where no action changes them; None: the current rows."""
    checked: bool
    """All arguments are bound when the plan arrives here."""
    different: tuple[Pair, ...]
    """Pairs that must differ, first comparable here."""

    def bindings(self, bound: Binding, rows_of: RowsOf) -> Iterator[Binding]:
        """The ways to extend `bound` so that this atom holds."""
        args = self.atom.args
        rows = rows_of(self.atom.predicate) if self.fixed is None else self.fixed
        if self.checked:
            row = tuple([bound.get(arg, arg) for arg in args])
            rows = (row,) if row in rows else ()
        for row in rows:
            extended = _match(args, row, bound)
            if extended is not None and _differ(self.different, extended):
                yield extended


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A compiled goal."""

    steps: tuple[Step, ...]
    different: tuple[Pair, ...]
    watched: frozenset[str]
    """The predicates whose change may change the verdict."""

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """What must hold, in plan order."""
        return tuple(step.atom for step in self.steps)

    def holds(self, rows_of: RowsOf) -> bool:
        """Whether some binding of the variables makes every atom true."""
        return _satisfiable(self.steps, {}, rows_of)


def compile_goal(
    tree: Tree, static: Mapping[str, Collection[Row]], changing: Mapping[str, int]
) -> Goal:
    """Plan a goal. `changing` maps each predicate that actions change to its usual row count.

    Raises `GameFileError` for formulas of another shape.
    """
    formula = _Formula()
    formula.read(tree, {})
    for atom in formula.atoms:
        if atom.predicate not in static and atom.predicate not in changing:
            raise GameFileError(f"the goal asks for {atom.predicate}, which no action here changes")
    return Goal(
        steps=_plan(formula, static, changing),
        different=tuple(formula.different),
        watched=frozenset(atom.predicate for atom in formula.atoms) & changing.keys(),
    )


@dataclass(slots=True)
class _Formula:
    """A formula flattened while it is read; every quantified variable gets a name of its own."""

    atoms: list[Atom] = field(default_factory=list[Atom])
    different: list[Pair] = field(default_factory=list[Pair])
    count: int = 0

    def read(self, tree: Tree, scope: Binding) -> None:
        match tree:
            case ["and", *parts]:
                for part in parts:
                    self.read(part, scope)
            case ["exists", [*declared], body]:
                self.read(body, scope | self._rename(declared))
            case ["not", ["=", str(first), str(second)]]:
                self.different.append((_resolve(first, scope), _resolve(second, scope)))
            case [str(name), *args] if name not in _OTHER_FORMS:
                words = tuple(_resolve(arg, scope) for arg in args)
                self.atoms.append(Atom(predicate=name, args=words))
            case _:
                raise GameFileError(
                    f"the goal holds {tree!r:.60}; expected and, exists, (not (= a b)) and facts"
                )

    def _rename(self, declared: list[Tree]) -> Binding:
        names = [word for word in declared if isinstance(word, str) and word.startswith("?")]
        self.count += 1
        return {name: f"{name}#{self.count}" for name in names}


_OTHER_FORMS = ("and", "or", "not", "=", "exists", "forall", "imply", "when")


def _resolve(word: Tree, scope: Binding) -> str:
    if not isinstance(word, str) or (word.startswith("?") and word not in scope):
        raise GameFileError(
            f"the goal uses {word!r:.60}; expected an id or a variable of an exists"
        )
    return scope.get(word, word)


def _plan(
    formula: _Formula, static: Mapping[str, Collection[Row]], changing: Mapping[str, int]
) -> tuple[Step, ...]:
    """Greedy order: atoms already bound, then those with the fewest rows to try."""
    waiting, pairs, bound = list(formula.atoms), list(formula.different), frozenset[str]()
    steps: list[Step] = []
    fixed = {
        atom: frozenset(
            row for row in static[atom.predicate] if _match(atom.args, row, {}) is not None
        )
        for atom in waiting
        if atom.predicate not in changing
    }
    while waiting:
        known = bound
        atom = min(
            waiting,
            key=lambda atom: (
                0
                if atom.variables <= known
                else len(fixed[atom])
                if atom in fixed
                else changing[atom.predicate]
            ),
        )
        waiting.remove(atom)
        bound |= atom.variables
        ready = tuple(pair for pair in pairs if _variables(pair) <= bound)
        pairs = [pair for pair in pairs if pair not in ready]
        steps.append(
            Step(atom=atom, fixed=fixed.get(atom), checked=atom.variables <= known, different=ready)
        )
    if pairs or not steps:
        raise GameFileError("the goal binds no fact to one of its variables")
    return tuple(steps)


def _satisfiable(steps: tuple[Step, ...], bound: Binding, rows_of: RowsOf) -> bool:
    if not steps:
        return True
    rest = steps[1:]
    return any(_satisfiable(rest, more, rows_of) for more in steps[0].bindings(bound, rows_of))


def _match(args: Row, row: Row, bound: Binding) -> Binding | None:
    """`bound` extended so that `args` read `row`; None where that is impossible."""
    if len(args) != len(row):
        return None
    extended = bound.copy()
    for arg, value in zip(args, row, strict=True):
        wanted = extended.setdefault(arg, value) if arg.startswith("?") else arg
        if wanted != value:
            return None
    return extended


def _differ(pairs: tuple[Pair, ...], bound: Binding) -> bool:
    return all(bound.get(a, a) != bound.get(b, b) for a, b in pairs)


def _variables(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for word in words if word.startswith("?"))
